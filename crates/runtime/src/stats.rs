//! The report of `FOREARM_STATS`.

use crate::process::Process;
use crate::syscalls;
use forearm_backend::stats;
use std::fmt::Write;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

/// System calls below this have a counter each.
const NUMBERS: usize = 512;

static SYSCALLS: [AtomicU64; NUMBERS] = [const { AtomicU64::new(0) }; NUMBERS];
/// The ARM-private calls and those that do not exist.
static OTHER_SYSCALLS: AtomicU64 = AtomicU64::new(0);
/// The process whose numbers these are: a vfork child, which counts in its parent's memory, reports nothing.
static OWNER: AtomicI32 = AtomicI32::new(0);

/// Threads of this process that have not ended.
static THREADS: AtomicI32 = AtomicI32::new(1);

/// Starts counting, before the address space is made.
pub fn start() {
    stats::start();
    own();
}

fn own() {
    // SAFETY: a plain system call.
    OWNER.store(unsafe { libc::getpid() }, Ordering::Relaxed);
}

/// In a forked child: begins at zero.
pub fn restart() {
    THREADS.store(1, Ordering::Relaxed);
    if !stats::on() {
        return;
    }
    stats::restart();
    for counter in SYSCALLS.iter().chain([&OTHER_SYSCALLS]) {
        counter.store(0, Ordering::Relaxed);
    }
    own();
}

/// A thread has been made.
pub fn thread_started() {
    THREADS.fetch_add(1, Ordering::Relaxed);
}

/// A thread ends by exit(2); if it is the last one, so does the process.
pub fn thread_ended(process: &Process) {
    if stats::on() && is_owner() && THREADS.fetch_sub(1, Ordering::AcqRel) == 1 {
        report(process, "at its exit");
    }
}

fn is_owner() -> bool {
    // SAFETY: a plain system call.
    OWNER.load(Ordering::Relaxed) == unsafe { libc::getpid() }
}

/// Counts a system call.
#[inline]
pub fn syscall(number: u32) {
    if stats::on() {
        SYSCALLS.get(number as usize).unwrap_or(&OTHER_SYSCALLS).fetch_add(1, Ordering::Relaxed);
    }
}

/// Prints the report, if there is one. `when` says why now.
pub fn report(process: &Process, when: &str) {
    if !stats::on() || !is_owner() {
        return;
    }
    let text = format!(
        "forearm: statistics of process {}, {}, {when}\n{}",
        std::process::id(),
        process.image.exe.to_string_lossy(),
        body(process)
    );
    // SAFETY: the buffer is a string's. Nobody can be told when standard error is closed.
    unsafe { libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len()) };
}

fn body(process: &Process) -> String {
    let mut text = String::new();
    let mut line = |name: &str, n: u64| writeln!(text, "  {name:<44} {n}").expect("to a string");
    let (interpreted, compiled) = stats::executed();
    line("instructions interpreted", interpreted);
    line("instructions compiled", compiled);
    for (name, n) in stats::NAMES.iter().zip(stats::counts()) {
        line(name, n);
    }
    let cache = process.engine.cache();
    line("cache: blocks", cache.len() as u64);
    line("cache: bytes of blocks", cache.bytes() as u64);
    line("cache: bytes of host code", process.engine.code_bytes());
    for (number, counter) in SYSCALLS.iter().enumerate() {
        let n = counter.load(Ordering::Relaxed);
        if n != 0 {
            let name = syscalls::lookup(number as u32).map_or("unknown", |call| call.name);
            line(&format!("system call {number}: {name}"), n);
        }
    }
    match OTHER_SYSCALLS.load(Ordering::Relaxed) {
        0 => {}
        n => line("system calls: others", n),
    }
    text
}
