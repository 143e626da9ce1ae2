//! Name and place of a core file, as /proc/sys/kernel/core_pattern says (core(5), fs/coredump.c: format_corename).

use crate::threads::Thread;
use std::ffi::{CStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// The pattern; `core` where there is no /proc.
fn pattern() -> Vec<u8> {
    let mut text = std::fs::read("/proc/sys/kernel/core_pattern").unwrap_or_else(|_| b"core".to_vec());
    while text.last() == Some(&b'\n') {
        text.pop();
    }
    text
}

/// Is it for a program or a socket to take the core? Those would not know what to do with an ARM core on this machine.
fn goes_elsewhere(pattern: &[u8]) -> bool {
    matches!(pattern.first(), None | Some(b'|' | b'@'))
}

/// Does the pattern name a file of the working directory?
pub fn is_plain() -> bool {
    let pattern = pattern();
    !goes_elsewhere(&pattern) && !pattern.contains(&b'/')
}

/// The file for a thread that dies of `signal`. Where the pattern names no file, it is QEMU's:
/// `qemu_NAME_YYYYMMDD-HHMMSS_PID.core` in the working directory.
pub fn of(thread: &Thread, signal: i32) -> PathBuf {
    let pattern = pattern();
    let facts = Facts::of(thread, signal);
    let name = if goes_elsewhere(&pattern) {
        let exe = facts.exe.rsplit(|&b| b == b'/').next().unwrap_or_default();
        let pid = facts.pid.to_string();
        [b"qemu_", exe, b"_", date(facts.time).as_bytes(), b"_", pid.as_bytes(), b".core"].concat()
    } else {
        let uses_pid =
            std::fs::read("/proc/sys/kernel/core_uses_pid").is_ok_and(|t| t.first() != Some(&b'0'));
        expand(&pattern, &facts, uses_pid)
    };
    PathBuf::from(OsString::from_vec(name))
}

/// Local time as `20261125-143000`.
fn date(time: i64) -> String {
    // SAFETY: plain data, filled from a valid time.
    let t = unsafe {
        let mut t: libc::tm = std::mem::zeroed();
        libc::localtime_r(&time, &mut t);
        t
    };
    let (year, month) = (t.tm_year + 1900, t.tm_mon + 1);
    format!("{year}{month:02}{:02}-{:02}{:02}{:02}", t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec)
}

/// What the specifiers stand for.
#[derive(Debug, Default)]
struct Facts {
    pid: i32,
    tid: i32,
    uid: u32,
    gid: u32,
    signal: i32,
    time: i64,
    limit: u64,
    cpu: i32,
    host: Vec<u8>,
    comm: Vec<u8>,
    exe: Vec<u8>,
}

impl Facts {
    fn of(thread: &Thread, signal: i32) -> Facts {
        let mut comm = [0u8; 16];
        let mut host = [0u8; 65];
        let text = |bytes: &[u8]| {
            CStr::from_bytes_until_nul(bytes).map(|s| s.to_bytes().to_vec()).unwrap_or_default()
        };
        // SAFETY: the kernel fills the buffers within their lengths; the others take no pointers.
        let (pid, uid, gid, time, cpu) = unsafe {
            libc::prctl(libc::PR_GET_NAME, comm.as_mut_ptr());
            libc::gethostname(host.as_mut_ptr().cast(), host.len() - 1);
            let time = libc::time(std::ptr::null_mut());
            (libc::getpid(), libc::getuid(), libc::getgid(), time, libc::sched_getcpu())
        };
        Facts {
            pid,
            tid: thread.tid,
            uid,
            gid,
            signal,
            time,
            limit: super::limit(),
            cpu,
            host: text(&host),
            comm: text(&comm),
            exe: thread.process.image.exe.to_bytes().to_vec(),
        }
    }
}

/// A name from outside, which must not lead into another directory (cn_esc_printf).
fn escaped(name: &[u8]) -> Vec<u8> {
    match name {
        b"." => b"!".to_vec(),
        b".." => b"!.".to_vec(),
        _ => name.iter().map(|&b| if b == b'/' { b'!' } else { b }).collect(),
    }
}

fn expand(pattern: &[u8], facts: &Facts, uses_pid: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut has_pid = false;
    let mut bytes = pattern.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let Some(specifier) = bytes.next() else { break };
        match specifier {
            b'%' => out.push(b'%'),
            b'p' | b'P' => {
                has_pid |= *specifier == b'p';
                out.extend(facts.pid.to_string().bytes());
            }
            b'i' | b'I' => out.extend(facts.tid.to_string().bytes()),
            b'u' => out.extend(facts.uid.to_string().bytes()),
            b'g' => out.extend(facts.gid.to_string().bytes()),
            // What is not dumpable does not get here.
            b'd' => out.push(b'1'),
            b's' => out.extend(facts.signal.to_string().bytes()),
            b't' => out.extend(facts.time.to_string().bytes()),
            b'h' => out.extend(escaped(&facts.host)),
            b'e' => out.extend(escaped(&facts.comm)),
            b'f' => out.extend(escaped(facts.exe.rsplit(|&b| b == b'/').next().unwrap_or_default())),
            b'E' => out.extend(escaped(&facts.exe)),
            b'c' => out.extend(facts.limit.to_string().bytes()),
            b'C' => out.extend(facts.cpu.to_string().bytes()),
            _ => {}
        }
    }
    if uses_pid && !has_pid {
        out.extend(format!(".{}", facts.pid).bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_expanded_as_the_kernel_does() {
        let facts = Facts {
            pid: 42,
            tid: 43,
            signal: 11,
            host: b"box".to_vec(),
            comm: b"a/b".to_vec(),
            exe: b"/usr/bin/x".to_vec(),
            ..Facts::default()
        };
        let expanded =
            |pattern: &[u8], uses_pid| String::from_utf8(expand(pattern, &facts, uses_pid)).expect("ASCII");
        assert_eq!(expanded(b"core", false), "core");
        assert_eq!(expanded(b"core", true), "core.42");
        assert_eq!(expanded(b"core.%p", true), "core.42");
        assert_eq!(expanded(b"/var/c/%e-%s-%i-%h%%%q%", false), "/var/c/a!b-11-43-box%");
        assert_eq!(expanded(b"%E.%f", false), "!usr!bin!x.x");
        assert!(goes_elsewhere(b"|/usr/lib/systemd/systemd-coredump %P") && !goes_elsewhere(b"core"));
    }
}
