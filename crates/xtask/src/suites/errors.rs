//! Files that cannot be run: one line on standard error that names the file and the reason, the status a shell
//! gives, and never a panic.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use super::Case;
use crate::context::Context;
use crate::process::{self, Output};

const LIMIT: Duration = Duration::from_secs(10);

/// A program of a few instructions, with data and zeroes, that never writes: what is on standard error is forearm's.
const GOOD: &str = "int data[2000] = {1}, zeroes[5000];
void _start(void) { __asm__ volatile (\"mov r0, #0\\n mov r7, #1\\n svc #0\" :: \"r\"(data), \"r\"(zeroes)); }
";

/// Damaged copies in each of the two generated families.
const DAMAGED: usize = 400;

/// A file that cannot run: name, what makes it of a good program, the status, words of the reason.
type Bad = (&'static str, fn(&Path, &[u8]) -> Result<()>, i32, &'static str);

#[rustfmt::skip]
const BAD: &[Bad] = &[
    ("missing", |_, _| Ok(()), 127, "no such file"),
    ("directory", |path, _| Ok(std::fs::create_dir(path)?), 126, "is a directory"),
    ("not-executable", |path, good| Ok(std::fs::write(path, good)?), 126, "permission denied"),
    ("empty", |path, _| program(path, b""), 126, "not an elf"),
    ("text", |path, _| program(path, b"hello\n"), 126, "not an elf"),
    ("x86", |path, _| program(path, &std::fs::read("/proc/self/exe")?), 126, "x86"),
    ("aarch64", |path, good| changed(path, good, 18, &[183, 0]), 126, "aarch64"),
    ("mips", |path, good| changed(path, good, 18, &[8, 0]), 126, "mips"),
    ("big-endian", |path, good| changed(path, good, 5, &[2]), 126, "endian"),
    ("object-file", |path, good| changed(path, good, 16, &[1, 0]), 126, "neither an executable"),
    ("only-the-magic", |path, good| program(path, &good[..4]), 126, "truncated"),
    ("half-a-header", |path, good| program(path, &good[..40]), 126, "truncated"),
    ("no-program-headers", |path, good| program(path, &good[..52]), 126, "truncated"),
    ("missing-interpreter", missing_interpreter, 127, "/no/such/ld.so"),
    ("fifo-interpreter", fifo_interpreter, 126, "not a file"),
    ("script-without-interpreter", |path, _| program(path, b"#!/no/such/shell\n"), 127, "/no/such/shell"),
    ("beyond-4-gib", beyond_4_gib, 126, "segment"),
];

/// The tests.
pub fn cases(context: &Context) -> Result<Vec<Case<'_>>> {
    let dir = context.scratch("errors")?;
    let good = compile(&dir, "good", GOOD, &["-static", "-nostdlib", "-marm"])?;
    let good: Arc<[u8]> = std::fs::read(good)?.into();
    let mut cases = Vec::new();
    for &(name, make, status, words) in BAD {
        let (path, good) = (dir.join(name), good.clone());
        cases.push(Case::new(format!("errors::{name}"), move || {
            make(&path, &good)?;
            let output = start(context, &path, &[])?;
            one_line(&output, &path, words)?;
            ensure!(output.status.code() == Some(status), "{}, expected status {status}", output.end());
            Ok(())
        }));
    }
    let (path, bytes) = (dir.join("truncated"), good.clone());
    cases.push(Case::new("errors::truncated-anywhere".into(), move || {
        // Every length in the headers, then about evenly through the file.
        let lengths = (0..256).chain((1..DAMAGED - 256).map(|i| i * bytes.len() / (DAMAGED - 256)));
        damaged_family(context, &path, lengths.map(|n| bytes[..n].to_vec()))
    }));
    let (path, bytes) = (dir.join("hostile"), good.clone());
    cases.push(Case::new("errors::hostile-headers".into(), move || {
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        let family = (0..DAMAGED).map(|_| hostile(&bytes, &mut random));
        damaged_family(context, &path, family)
    }));
    let scratch = dir.clone();
    cases.push(Case::new("errors::undefined-instruction".into(), move || {
        let source = "int main(void) { __asm__ volatile (\".inst 0xe7f000f0\"); return 0; }\n";
        let program = compile(&scratch, "undefined", source, &["-static", "-marm"])?;
        let output = start(context, &program, &[])?;
        ensure!(output.status.signal() == Some(libc::SIGILL), "{}, expected SIGILL", output.end());
        no_panic(&output)
    }));
    cases.push(Case::new("errors::no-argument".into(), move || {
        let output = process::run(&mut Command::new(context.forearm()), LIMIT)?;
        ensure!(output.status.code() == Some(1), "{}, expected status 1", output.end());
        ensure!(!output.stderr.is_empty(), "says nothing");
        no_panic(&output)
    }));
    cases.push(Case::new("errors::unknown-option".into(), move || {
        let output =
            process::run(Command::new(context.forearm()).args(["-no-such-option", "/bin/true"]), LIMIT)?;
        ensure!(output.status.code() == Some(1), "{}, expected status 1", output.end());
        ensure!(
            String::from_utf8_lossy(&output.stderr).contains("no-such-option"),
            "does not name the option"
        );
        no_panic(&output)
    }));
    let path = dir.join("good");
    cases.push(Case::new("errors::no-low-memory".into(), move || {
        let limit = ["-c", "ulimit -v 40000; exec \"$0\" \"$1\""];
        let mut command = Command::new("sh");
        let output = process::run(command.args(limit).arg(context.forearm()).arg(&path), LIMIT)?;
        // Where it gets by with so little the program runs, and that is right too.
        if output.success() {
            return Ok(());
        }
        ensure!(matches!(output.status.code(), Some(1 | 126)), "{}, expected status 1 or 126", output.end());
        one_line(&output, &path, "memory")
    }));
    Ok(cases)
}

fn start(context: &Context, path: &Path, arguments: &[&str]) -> Result<Output> {
    process::run(Command::new(context.forearm()).arg(path).args(arguments), LIMIT)
}

/// One line on standard error, with the file's name and `words` in it, whatever the case.
fn one_line(output: &Output, path: &Path, words: &str) -> Result<()> {
    no_panic(output)?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(text.lines().count() == 1, "expected one line, got {}:\n{text}", text.lines().count());
    ensure!(text.contains(&*path.to_string_lossy()), "does not name the file: {text}");
    ensure!(text.to_lowercase().contains(words), "does not say {words:?}: {text}");
    Ok(())
}

fn no_panic(output: &Output) -> Result<()> {
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(!text.contains("panicked"), "panicked: {text}");
    ensure!(!output.timed_out, "hangs");
    Ok(())
}

/// Each file is refused with one line, or starts and ends in its own way: by itself or by a signal of its own.
fn damaged_family(context: &Context, path: &Path, family: impl Iterator<Item = Vec<u8>>) -> Result<()> {
    let mut refused = 0;
    for (number, bytes) in family.enumerate() {
        program(path, &bytes)?;
        let output = start(context, path, &[])?;
        let verdict = no_panic(&output).and_then(|()| match (output.status.code(), output.status.signal()) {
            (Some(126 | 127 | 1), _) => {
                refused += 1;
                one_line(&output, path, "")
            }
            (Some(_), _) | (_, Some(libc::SIGSEGV | libc::SIGBUS | libc::SIGILL | libc::SIGTRAP)) => Ok(()),
            _ => bail!("ended with {}", output.end()),
        });
        if let Err(error) = verdict {
            let kept = path.with_extension(number.to_string());
            std::fs::copy(path, &kept)?;
            bail!("variant {number} (kept as {}): {error:#}", kept.display());
        }
    }
    ensure!(refused > 0, "no variant was refused");
    Ok(())
}

/// A copy with a few fields of the ELF header and the program headers replaced by hostile values.
fn hostile(good: &[u8], random: &mut Random) -> Vec<u8> {
    const VALUES: [u32; 12] = [
        0,
        1,
        3,
        0x34,
        0xfff,
        0x1000,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_0000,
        0xffff_f000,
        0xffff_fffe,
        u32::MAX,
    ];
    let mut bytes = good.to_vec();
    let header_words = (52 + 32 * usize::from(good[44])) / 4;
    for _ in 0..=random.below(3) {
        // The first 16 bytes say what file it is, and stay.
        let at = 4 * (4 + random.below(header_words - 4));
        let value = match random.below(4) {
            0 => random.next() as u32,
            1 => VALUES[random.below(VALUES.len())] ^ (1 << random.below(32)),
            _ => VALUES[random.below(VALUES.len())],
        };
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

/// xorshift64: the same family on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 16) as usize % n
    }
}

fn program(path: &Path, bytes: &[u8]) -> Result<()> {
    // A fresh file each time: one that still runs cannot be written to.
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    std::fs::write(path, bytes)?;
    Ok(std::fs::set_permissions(path, PermissionsExt::from_mode(0o755))?)
}

fn changed(path: &Path, good: &[u8], at: usize, bytes: &[u8]) -> Result<()> {
    let mut copy = good.to_vec();
    copy[at..at + bytes.len()].copy_from_slice(bytes);
    program(path, &copy)
}

fn compile(dir: &Path, name: &str, source: &str, flags: &[&str]) -> Result<PathBuf> {
    let (file, out) = (dir.join(name).with_extension("c"), dir.join(name));
    std::fs::write(&file, source)?;
    let mut gcc = Command::new("arm-linux-gnueabihf-gcc");
    let output = process::run(gcc.args(flags).arg("-o").arg(&out).arg(&file), Duration::from_secs(60))?;
    ensure!(output.success(), "does not compile:\n{}", output.tail(10));
    Ok(out)
}

fn compile_to(path: &Path, source: &str, flags: &[&str]) -> Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    compile(dir, &name, source, flags).map(drop)
}

fn missing_interpreter(path: &Path, _: &[u8]) -> Result<()> {
    compile_to(path, "int main(void) { return 0; }\n", &["-Wl,--dynamic-linker=/no/such/ld.so"])
}

fn fifo_interpreter(path: &Path, _: &[u8]) -> Result<()> {
    let fifo = path.with_extension("fifo");
    ensure!(Command::new("mkfifo").arg(&fifo).status()?.success(), "mkfifo failed");
    let linker = format!("-Wl,--dynamic-linker={}", fifo.display());
    compile_to(path, "int main(void) { return 0; }\n", &[&linker])
}

fn beyond_4_gib(path: &Path, good: &[u8]) -> Result<()> {
    // The second loadable segment (the data) ends beyond the address space.
    let mut copy = good.to_vec();
    let count = usize::from(good[44]);
    let load = (0..count).map(|i| 52 + 32 * i).filter(|&at| good[at..at + 4] == [1, 0, 0, 0]).nth(1);
    let Some(at) = load else { bail!("the program has no data segment") };
    copy[at + 20..at + 24].copy_from_slice(&0xffff_0000u32.to_le_bytes());
    program(path, &copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_copies_differ_and_keep_the_magic() {
        let mut good = vec![0u8; 4096];
        good[..4].copy_from_slice(b"\x7fELF");
        good[44] = 6;
        let mut random = Random(1);
        let copies: Vec<_> = (0..50).map(|_| hostile(&good, &mut random)).collect();
        assert!(copies.iter().all(|c| c[..16] == good[..16]));
        assert!(copies.iter().filter(|c| **c != good).count() > 40);
    }
}
