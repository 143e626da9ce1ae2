//! The files of /proc that must look like ARM, and like the guest's program instead of forearm.
//!
//! What the kernel can be told is told to it when the program starts ([`describe`]): then every reader, native or
//! guest, sees the guest's command line. The rest is made up here when a guest opens it.

mod cpuinfo;
pub(crate) mod maps;

use crate::errno::{Errno, SysResult};
use crate::log;
use crate::memory::Memory;
use crate::process::{Image, Process};
use crate::threads::Thread;
use std::ffi::{CStr, CString, OsStr};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::{FromRawFd, IntoRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;

/// Files that are not the host's. A path whose last component is none of them is no business of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaf {
    Exe,
    Maps,
    Smaps,
    Auxv,
    Cmdline,
    Cpuinfo,
}

impl Leaf {
    fn of(name: &[u8]) -> Option<Leaf> {
        Some(match name {
            b"exe" => Leaf::Exe,
            b"maps" => Leaf::Maps,
            b"smaps" => Leaf::Smaps,
            b"auxv" => Leaf::Auxv,
            b"cmdline" => Leaf::Cmdline,
            b"cpuinfo" => Leaf::Cpuinfo,
            _ => return None,
        })
    }
}

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    System,
    Own,
    Other(u32),
}

/// `open` asks this first. `Some`: the path is one of ours and this is the result (a descriptor or an error).
pub fn open(thread: &Thread, dirfd: i32, path: &CStr, flags: i32) -> Option<SysResult> {
    let (owner, leaf) = locate(dirfd, path)?;
    if flags & (libc::O_PATH | libc::O_ACCMODE) != 0 {
        return None;
    }
    // Where the host has no /proc, the guest has none either.
    // SAFETY: a path.
    if unsafe { libc::faccessat(dirfd, path.as_ptr(), libc::F_OK, libc::AT_SYMLINK_NOFOLLOW) } < 0 {
        return Some(Err(Errno::last()));
    }
    let process = &thread.process;
    let text = match (owner, leaf) {
        (_, Leaf::Exe) => {
            let target = exe(process, owner)?;
            // SAFETY: a path.
            let fd = unsafe { libc::open(target.as_ptr(), flags) };
            return Some(if fd < 0 { Err(Errno::last()) } else { Ok(fd as u32) });
        }
        (Owner::System, Leaf::Cpuinfo) => cpuinfo::text(process.options.cpu()).into_bytes(),
        (Owner::Own, leaf) => contents(process, leaf)?,
        _ => return None,
    };
    Some(memory_file(&text, flags))
}

/// `readlink` asks this first. `Some`: the link is one of ours and this is its target (not cut to a buffer).
pub fn readlink(thread: &Thread, dirfd: i32, path: &CStr) -> Option<CString> {
    match locate(dirfd, path)? {
        (owner, Leaf::Exe) => {
            // SAFETY: a path.
            let there =
                unsafe { libc::faccessat(dirfd, path.as_ptr(), libc::F_OK, libc::AT_SYMLINK_NOFOLLOW) } == 0;
            if there { exe(&thread.process, owner) } else { None }
        }
        _ => None,
    }
}

/// A file of the process's own directory that is made up, for gdb.
pub(crate) fn own_file(process: &Process, name: &[u8]) -> Option<Vec<u8>> {
    contents(process, Leaf::of(name)?)
}

/// The contents of one of the process's own files.
fn contents(process: &Process, leaf: Leaf) -> Option<Vec<u8>> {
    match leaf {
        Leaf::Maps => maps::maps(&process.memory),
        Leaf::Smaps => maps::smaps(&process.memory),
        Leaf::Auxv => Some(process.image.auxv.clone()),
        Leaf::Cmdline => {
            let (start, end) = process.image.args;
            let guest = process.memory.guest();
            Some(guest.read_bytes(start, end.saturating_sub(start) as usize).unwrap_or_default())
        }
        Leaf::Exe | Leaf::Cpuinfo => None,
    }
}

/// A file in memory with `contents`, opened for reading.
fn memory_file(contents: &[u8], flags: i32) -> SysResult {
    let close = if flags & libc::O_CLOEXEC != 0 { libc::MFD_CLOEXEC } else { 0 };
    // SAFETY: a constant name.
    let fd = unsafe { libc::memfd_create(c"proc".as_ptr(), close) };
    if fd < 0 {
        return Err(Errno::last());
    }
    // SAFETY: the descriptor is new and ours.
    let mut file = unsafe { File::from_raw_fd(fd) };
    file.write_all(contents)?;
    file.rewind()?;
    Ok(file.into_raw_fd() as u32)
}

/// Is the path one of ours? Only text is compared, except for what a relative path starts from.
fn locate(dirfd: i32, path: &CStr) -> Option<(Owner, Leaf)> {
    let path = path.to_bytes();
    let leaf = Leaf::of(path.rsplit(|&b| b == b'/').next()?)?;
    let whole = if path.starts_with(b"/") {
        path.to_vec()
    } else {
        let from = if dirfd == libc::AT_FDCWD {
            std::env::current_dir().ok()?
        } else {
            std::fs::read_link(format!("/proc/self/fd/{dirfd}")).ok()?
        };
        [from.into_os_string().into_vec(), path.to_vec()].join(&b'/')
    };
    Some((owner(&whole, std::process::id())?, leaf)).filter(|&(owner, leaf)| {
        // cmdline is the kernel's own command line when it is not a process's.
        (owner == Owner::System) == (leaf == Leaf::Cpuinfo)
    })
}

/// Is the open directory `fd` a list of this process's own descriptors: /proc/self/fd or /proc/self/fdinfo?
pub fn lists_own_descriptors(fd: i32) -> bool {
    let Ok(path) = std::fs::read_link(format!("/proc/self/fd/{fd}")) else { return false };
    let path = path.as_os_str().as_bytes();
    [b"/fd".as_slice(), b"/fdinfo"].iter().any(|name| path.ends_with(name))
        && owner(path, std::process::id()) == Some(Owner::Own)
}

/// Whose file an absolute path below /proc is.
fn owner(path: &[u8], pid: u32) -> Option<Owner> {
    let mut parts = path.split(|&b| b == b'/').filter(|part| !part.is_empty() && *part != b".");
    if parts.next() != Some(b"proc") {
        return None;
    }
    let parts: Vec<&[u8]> = parts.collect();
    let number = |part: &[u8]| std::str::from_utf8(part).ok()?.parse::<u32>().ok();
    let process = |part: &[u8]| match part {
        b"self" | b"thread-self" => Some(Owner::Own),
        _ => number(part).map(|n| if n == pid { Owner::Own } else { Owner::Other(n) }),
    };
    match parts[..] {
        [_] => Some(Owner::System),
        [who, _] => process(who),
        [who, b"task", thread, _] if number(thread).is_some() => process(who),
        _ => None,
    }
}

/// The program that a process runs: the guest's, when the process is forearm.
fn exe(process: &Process, owner: Owner) -> Option<CString> {
    let pid = match owner {
        Owner::Own => return Some(process.image.exe.clone()),
        Owner::Other(pid) => pid,
        Owner::System => return None,
    };
    let own = std::fs::metadata("/proc/self/exe").ok()?;
    let other = std::fs::metadata(format!("/proc/{pid}/exe")).ok()?;
    if (own.dev(), own.ino()) != (other.dev(), other.ino()) {
        return None;
    }
    // Another forearm: the program is the lowest file in its lower 4 GiB.
    let maps = std::fs::read(format!("/proc/{pid}/maps")).ok()?;
    let program =
        maps::lines(&maps).filter(|line| line.end <= 1 << 32).find(|line| line.name.starts_with(b"/"))?;
    CString::new(OsStr::from_bytes(program.name).as_bytes()).ok()
}

/// `struct prctl_mm_map`.
#[repr(C)]
struct PrctlMmMap {
    start_code: u64,
    end_code: u64,
    start_data: u64,
    end_data: u64,
    start_brk: u64,
    brk: u64,
    start_stack: u64,
    arg_start: u64,
    arg_end: u64,
    env_start: u64,
    env_end: u64,
    auxv: u64,
    auxv_size: u32,
    exe_fd: i32,
}

/// Tells the kernel where the guest's program and command line are, so that /proc/PID/{cmdline,environ,stat} show
/// them to everybody. Kernels without CONFIG_CHECKPOINT_RESTORE refuse, which only costs `ps` its command lines.
pub fn describe(image: &Image, base: u64) {
    let at = |addr: u32| base + u64::from(addr);
    // SAFETY: asks for the end of the heap.
    let brk = unsafe { libc::sbrk(0) } as u64;
    let map = PrctlMmMap {
        start_code: at(image.code.0),
        end_code: at(image.code.1),
        start_data: at(image.code.1),
        end_data: at(image.code.1),
        // The translator's own heap; it never shrinks below what it has now.
        start_brk: brk,
        brk,
        start_stack: at(image.start_stack),
        arg_start: at(image.args.0),
        arg_end: at(image.args.1),
        env_start: at(image.env.0),
        env_end: at(image.env.1),
        auxv: 0,
        auxv_size: 0,
        exe_fd: -1,
    };
    // SAFETY: the struct is the kernel's.
    unsafe { libc::prctl(libc::PR_SET_MM, libc::PR_SET_MM_MAP, &raw const map, size_of::<PrctlMmMap>(), 0) };
}

/// `-d page`: the guest's mappings and where its parts are, in QEMU's layout.
pub fn log_pages(memory: &Memory, image: &Image, entry: u32) {
    let mut text =
        String::from("page layout changed following binary load\nstart    end      size     prot\n");
    let map = memory.map();
    for (start, vma) in map.vmas.iter() {
        let flag = |bit: i32, c: char| if vma.prot & bit != 0 { c } else { '-' };
        let (r, w, x) = (flag(libc::PROT_READ, 'r'), flag(libc::PROT_WRITE, 'w'), flag(libc::PROT_EXEC, 'x'));
        let _ = writeln!(text, "{start:08x}-{:08x} {:08x} {r}{w}{x}", vma.end, vma.end - start);
    }
    let _ = writeln!(text, "guest_base  {:#x}", memory.base());
    for (name, address) in [
        ("start_brk", map.brk.0 as u32),
        ("end_code", image.code.1),
        ("start_code", image.code.0),
        ("start_stack", image.start_stack),
        ("brk", map.brk.1 as u32),
        ("entry", entry),
        ("argv_start", image.args.0),
        ("env_start", image.env.0),
    ] {
        let _ = writeln!(text, "{name:<11} {address:#010x}");
    }
    log::write(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_proc_have_an_owner() {
        let cases: &[(&str, Option<Owner>)] = &[
            ("/proc/self/maps", Some(Owner::Own)),
            ("//proc/./self//maps", Some(Owner::Own)),
            ("/proc/thread-self/maps", Some(Owner::Own)),
            ("/proc/42/maps", Some(Owner::Own)),
            ("/proc/43/exe", Some(Owner::Other(43))),
            ("/proc/self/task/44/maps", Some(Owner::Own)),
            ("/proc/cpuinfo", Some(Owner::System)),
            ("/proc/self/fd/3/maps", None),
            ("/procs/self/maps", None),
            ("/tmp/maps", None),
        ];
        for (path, expected) in cases {
            assert_eq!(owner(path.as_bytes(), 42), *expected, "{path}");
        }
    }

    #[test]
    fn the_kernels_command_line_is_the_hosts() {
        assert_eq!(locate(libc::AT_FDCWD, c"/proc/cmdline"), None);
        assert_eq!(locate(libc::AT_FDCWD, c"/proc/self/cmdline"), Some((Owner::Own, Leaf::Cmdline)));
        assert_eq!(locate(libc::AT_FDCWD, c"/proc/self/cpuinfo"), None);
    }
}
