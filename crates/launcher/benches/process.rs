//! What the runtime does for a guest: start, system calls, signals, fork and exec. Drives forearm with
//! `benches/micro/process.c`, and QEMU beside it where it is installed. `cargo bench -p forearm`; the columns are times of
//! a whole process, the lines below them items a second.

use divan::Bencher;
use divan::counter::ItemsCount;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

fn main() {
    divan::main();
}

const INTERPRETERS: [&str; 2] = [env!("CARGO_BIN_EXE_forearm"), "qemu-arm-static"];

/// Named by their columns in the output.
fn interpreters() -> impl Iterator<Item = &'static str> {
    let works = |i: &&str| Command::new(i).args(["-version"]).output().is_ok();
    INTERPRETERS
        .into_iter()
        .filter(works)
        .map(|i| Path::new(i).file_name().and_then(|n| n.to_str()).unwrap_or(i))
}

/// The guest program, compiled once.
fn guest() -> &'static Path {
    static GUEST: OnceLock<PathBuf> = OnceLock::new();
    GUEST.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../../benches/micro/process.c");
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("process");
        let status = Command::new("arm-linux-gnueabihf-gcc")
            .args(["-O2", "-static", "-o"])
            .arg(&program)
            .arg(source)
            .status()
            .expect("arm-linux-gnueabihf-gcc (package gcc-arm-linux-gnueabihf)");
        assert!(status.success(), "the guest program does not compile");
        program
    })
}

/// Times whole processes that do something `count` times.
fn run(bencher: Bencher, interpreter: &str, what: &str, count: u32) {
    let interpreter = INTERPRETERS.into_iter().find(|i| i.ends_with(interpreter)).expect("one of them");
    let count_text = count.to_string();
    bencher.counter(ItemsCount::new(count.max(1))).bench(|| {
        let status = Command::new(interpreter).arg(guest()).args([what, &count_text]).status();
        assert!(status.expect("the interpreter starts").success());
    });
}

/// A static program that does nothing.
#[divan::bench(args = interpreters(), sample_count = 30)]
fn start_and_exit(bencher: Bencher, interpreter: &str) {
    run(bencher, interpreter, "nothing", 0);
}

/// A system call that has nothing to convert.
#[divan::bench(args = interpreters(), sample_count = 10)]
fn system_call_getppid(bencher: Bencher, interpreter: &str) {
    run(bencher, interpreter, "getppid", 200_000);
}

/// A system call that fails.
#[divan::bench(args = interpreters(), sample_count = 10)]
fn system_call_failing_read(bencher: Bencher, interpreter: &str) {
    run(bencher, interpreter, "read", 200_000);
}

/// A signal sent to itself: tgkill with the mask changed around it, delivery, handler, sigreturn.
#[divan::bench(args = interpreters(), sample_count = 10)]
fn signal_delivery(bencher: Bencher, interpreter: &str) {
    run(bencher, interpreter, "signal", 20_000);
}

/// A static program that does nothing, started by fork and exec, and waited for. QEMU can do this only where
/// binfmt_misc has an entry for ARM.
#[divan::bench(args = interpreters().filter(|i| *i == "forearm"), sample_count = 10)]
fn fork_and_exec(bencher: Bencher, interpreter: &str) {
    run(bencher, interpreter, "exec", 30);
}
