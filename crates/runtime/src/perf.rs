//! Tells perf what compiled code is: a map of symbols, or a jitdump with the code
//! (tools/perf/Documentation/jit-interface.txt and jitdump-specification.txt).

use crate::process;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Format {
    /// `/tmp/perf-PID.map`: perf looks addresses up when it reports.
    Map = 1,
    /// `jit-PID.dump` in the working directory, for `perf record -k mono` and `perf inject --jit`.
    Jitdump,
}

static FORMAT: AtomicU8 = AtomicU8::new(0);
static FD: AtomicI32 = AtomicI32::new(-1);
/// Regions written to a jitdump.
static INDEX: AtomicU64 = AtomicU64::new(0);
/// The map so far: a forked child goes on running this code.
static MAP: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// What is written.
pub fn format() -> Option<Format> {
    match FORMAT.load(Ordering::Relaxed) {
        1 => Some(Format::Map),
        2 => Some(Format::Jitdump),
        _ => None,
    }
}

/// The file's descriptor.
pub fn file() -> Option<i32> {
    Some(FD.load(Ordering::Relaxed)).filter(|&fd| fd >= 0)
}

/// The file has another descriptor from now on.
pub fn moved(fd: i32) {
    FD.store(fd, Ordering::Relaxed);
}

/// Opens the file, before the address space is made.
///
/// # Errors
/// One line for the user.
pub fn start(format: Format) -> Result<(), String> {
    let name = match format {
        Format::Map => format!("/tmp/perf-{}.map", std::process::id()),
        Format::Jitdump => format!("jit-{}.dump", std::process::id()),
    };
    let file = open(&name, format).map_err(|e| format!("cannot write {name}: {e}"))?;
    if format == Format::Map {
        forearm_backend::cache::native::place_for_perf();
    }
    FD.store(process::hide(file.into_raw_fd()), Ordering::Relaxed);
    FORMAT.store(format as u8, Ordering::Relaxed);
    Ok(())
}

fn open(name: &str, format: Format) -> std::io::Result<File> {
    // An old file of this number may be somebody else's.
    match std::fs::remove_file(name) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o644).open(name)?;
    if format == Format::Jitdump {
        file.write_all(&header())?;
        // That it is mapped executable is how perf finds it. It stays.
        let prot = libc::PROT_READ | libc::PROT_EXEC;
        // SAFETY: a fresh mapping of a file.
        let mark =
            unsafe { libc::mmap(std::ptr::null_mut(), 4096, prot, libc::MAP_PRIVATE, file.as_raw_fd(), 0) };
        if mark == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error());
        }
    }
    Ok(file)
}

/// In a forked child: a file of its own. Without one, it goes on without.
pub fn restart() {
    let Some(format) = format() else { return };
    if let Some(fd) = file() {
        FD.store(-1, Ordering::Relaxed);
        // SAFETY: a descriptor of ours.
        unsafe { libc::close(fd) };
    }
    INDEX.store(0, Ordering::Relaxed);
    match start(format) {
        Ok(()) => write(&MAP.lock().unwrap_or_else(PoisonError::into_inner)),
        Err(_) => FORMAT.store(0, Ordering::Relaxed),
    }
}

/// A region's code is at `address` from now on. Called with the engine's gate passed, so no fork comes between.
pub fn placed(name: &str, address: u64, code: &[u8]) {
    match format() {
        None => {}
        Some(Format::Map) => {
            let line = format!("{address:x} {:x} {name}\n", code.len());
            write(line.as_bytes());
            MAP.lock().unwrap_or_else(PoisonError::into_inner).extend(line.bytes());
        }
        Some(Format::Jitdump) => {
            write(&code_load(name, address, code, INDEX.fetch_add(1, Ordering::Relaxed)));
        }
    }
}

/// In one write. Nobody can be told when that fails.
fn write(bytes: &[u8]) {
    if let Some(fd) = file() {
        // SAFETY: the buffer is a slice's.
        unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
    }
}

/// Nanoseconds of CLOCK_MONOTONIC.
fn now() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: fills the structure.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// The file header of a jitdump.
fn header() -> Vec<u8> {
    const MAGIC: u32 = 0x4a69_5444;
    const VERSION: u32 = 1;
    const SIZE: u32 = 40;
    const EM_X86_64: u32 = 62;
    let words = [MAGIC, VERSION, SIZE, EM_X86_64, 0, std::process::id()];
    let flags = 0u64;
    [&words.map(u32::to_ne_bytes).concat()[..], &now().to_ne_bytes(), &flags.to_ne_bytes()].concat()
}

/// A JIT_CODE_LOAD record.
fn code_load(name: &str, address: u64, code: &[u8], index: u64) -> Vec<u8> {
    const JIT_CODE_LOAD: u32 = 0;
    const FIXED: usize = 56;
    let size = FIXED + name.len() + 1 + code.len();
    // SAFETY: a plain system call.
    let thread = unsafe { libc::gettid() } as u32;
    let mut record = Vec::with_capacity(size);
    for word in [JIT_CODE_LOAD, size as u32] {
        record.extend(word.to_ne_bytes());
    }
    record.extend(now().to_ne_bytes());
    for word in [std::process::id(), thread] {
        record.extend(word.to_ne_bytes());
    }
    for long in [address, address, code.len() as u64, index] {
        record.extend(long.to_ne_bytes());
    }
    record.extend(name.as_bytes());
    record.push(0);
    record.extend(code);
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_the_documented_layout() {
        let word = |b: &[u8], at: usize| u32::from_ne_bytes(b[at..at + 4].try_into().expect("4 bytes"));
        let long = |b: &[u8], at: usize| u64::from_ne_bytes(b[at..at + 8].try_into().expect("8 bytes"));
        let h = header();
        assert_eq!((h.len(), &h[..4]), (40, &b"DTiJ"[..]));
        assert_eq!([4, 8, 12, 20].map(|at| word(&h, at)), [1, 40, 62, std::process::id()]);
        let r = code_load("main+0x4", 0x1000, &[0xc3, 0x90], 7);
        assert_eq!((word(&r, 0), word(&r, 4) as usize), (0, r.len()));
        assert_eq!([24, 32, 40, 48].map(|at| long(&r, at)), [0x1000, 0x1000, 2, 7]);
        assert_eq!(&r[56..], b"main+0x4\0\xc3\x90");
    }
}
