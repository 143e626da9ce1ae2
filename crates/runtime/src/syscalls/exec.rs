//! execve and execveat.
//!
//! A guest program is started by executing the translator again, through a descriptor of its own file: that works
//! without binfmt_misc, and in a chroot that has neither the translator nor /proc. Everything else is the host's.

use super::Args;
use crate::errno::{Errno, SysResult};
use crate::loader;
use crate::log;
use crate::memory::GuestMemory;
use crate::procfs;
use crate::signals::{self, SIG_IGN, host};
use crate::stats;
use crate::syscalls::host::{HostArg, registers};
use crate::threads::Thread;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::atomic::Ordering;

/// MAX_ARG_STRLEN: 32 pages.
const MAX_ARG_STRLEN: usize = 32 * 4096;
/// Interpreters of interpreters: the kernel follows this many (exec_binprm).
const MAX_DEPTH: usize = 5;
/// BINPRM_BUF_SIZE: what the kernel looks at to tell formats apart.
const START: usize = 256;

/// execve.
pub fn execve(t: &mut Thread, a: Args) -> SysResult {
    let path = t.mem.read_path(a[0])?;
    exec(t, libc::AT_FDCWD, path, a[1], a[2], 0)
}

/// execveat.
pub fn execveat(t: &mut Thread, a: Args) -> SysResult {
    let flags = a.i32(4);
    if flags & !(libc::AT_EMPTY_PATH | libc::AT_SYMLINK_NOFOLLOW) != 0 {
        return Err(Errno(libc::EINVAL));
    }
    let path = t.mem.read_path(a[1])?;
    exec(t, a.i32(0), path, a[2], a[3], flags)
}

/// A NULL-terminated array of strings.
fn strings(mem: GuestMemory, mut at: u32, room: &mut usize) -> Result<Vec<CString>, Errno> {
    let mut strings = Vec::new();
    if at == 0 {
        return Ok(strings);
    }
    loop {
        let pointer: u32 = mem.read(at)?;
        if pointer == 0 {
            return Ok(strings);
        }
        let string = mem.read_cstr(pointer, MAX_ARG_STRLEN, libc::E2BIG)?;
        let size = string.as_bytes_with_nul().len() + 4;
        *room = room.checked_sub(size).ok_or(Errno(libc::E2BIG))?;
        strings.push(string);
        at = at.checked_add(4).ok_or(Errno(libc::EFAULT))?;
    }
}

/// Bytes that arguments and environment may have: a quarter of the stack, 128 KiB to 6 MiB (bprm_stack_limits).
fn argument_room() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: filled by the kernel.
    unsafe { libc::getrlimit(libc::RLIMIT_STACK, &mut limit) };
    (limit.rlim_cur / 4).clamp(128 << 10, 6 << 20) as usize
}

/// What execve has found out about a file.
pub struct Target {
    /// The file, open for reading; `None` when the caller may only execute it.
    pub file: Option<File>,
    /// Path for AT_EXECFN.
    pub path: CString,
    /// argv.
    pub args: Vec<CString>,
    /// A 32-bit ARM program?
    pub arm: bool,
}

fn exec(t: &mut Thread, dirfd: i32, path: CString, argv: u32, envp: u32, flags: i32) -> SysResult {
    let mut room = argument_room();
    let mut args = strings(t.mem, argv, &mut room)?;
    let env = strings(t.mem, envp, &mut room)?;
    if args.is_empty() {
        // The kernel does not start programs without argv[0].
        args.push(CString::default());
    }
    // The guest's idea of /proc/self/exe is its own program.
    let (dirfd, path) = match procfs::readlink(t, dirfd, &path) {
        Some(target) if flags & libc::AT_SYMLINK_NOFOLLOW == 0 => (libc::AT_FDCWD, target),
        _ => (dirfd, path),
    };
    let given = args.clone();
    let target = resolve(dirfd, path.clone(), args, flags)?;
    if target.arm && !needs_kernel(&target) {
        return start_guest(t, target, &env);
    }
    if target.file.is_some() && target.path != path {
        // A script whose interpreter is native: both are known, no need to look at the script again.
        let (path, args) = (&target.path, &target.args);
        return hand_over(t, Call { dirfd: libc::AT_FDCWD, path, args, env: &env, flags: 0, keep: &[] });
    }
    hand_over(t, Call { dirfd, path: &path, args: &given, env: &env, flags, keep: &[] })
}

/// Opens the file and follows `#!` lines to what will really run.
///
/// # Errors
/// As execve, in the kernel's order: the path, the kind of file, permission, format.
pub fn resolve(dirfd: i32, path: CString, mut args: Vec<CString>, flags: i32) -> Result<Target, Errno> {
    let (mut dirfd, mut path, mut flags) = (dirfd, path, flags);
    for _ in 0..=MAX_DEPTH {
        let place = open_place(dirfd, &path, flags)?;
        let name = name_of(dirfd, &path);
        let Some(file) = open_file(&place, dirfd, &path, flags)? else {
            return Ok(Target { file: None, path: name, args, arm: true });
        };
        let mut start = [0; START];
        let len = file.read_at(&mut start, 0)?;
        let start = &start[..len];
        if !start.starts_with(b"#!") {
            let arm = loader::is_arm(start);
            return Ok(Target { file: Some(file), path: name, args, arm });
        }
        let (interpreter, option) = shebang(start).ok_or(Errno(libc::ENOEXEC))?;
        // argv[0] gives way to the interpreter, its option and the script.
        let mut new = vec![interpreter.clone()];
        new.extend(option);
        new.push(name);
        new.extend(args.into_iter().skip(1));
        args = new;
        (dirfd, path, flags) = (libc::AT_FDCWD, interpreter, 0);
    }
    Err(Errno(libc::ELOOP))
}

/// The program that the `#!` line of a script names.
pub fn interpreter_of(path: &Path) -> Option<CString> {
    let mut start = [0; START];
    let len = File::open(path).ok()?.read_at(&mut start, 0).ok()?;
    if start.starts_with(b"#!") { Some(shebang(&start[..len])?.0) } else { None }
}

/// The file itself, not opened; checked as do_open_execat does.
fn open_place(dirfd: i32, path: &CStr, flags: i32) -> Result<OwnedFd, Errno> {
    let place = if path.is_empty() {
        if flags & libc::AT_EMPTY_PATH == 0 {
            return Err(Errno(libc::ENOENT));
        }
        // SAFETY: a new descriptor for the same file; a bad number is EBADF.
        unsafe { libc::fcntl(dirfd, libc::F_DUPFD_CLOEXEC, 0) }
    } else {
        let nofollow = if flags & libc::AT_SYMLINK_NOFOLLOW != 0 { libc::O_NOFOLLOW } else { 0 };
        // SAFETY: a path.
        unsafe { libc::openat(dirfd, path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC | nofollow) }
    };
    if place < 0 {
        return Err(Errno::last());
    }
    // SAFETY: the descriptor is new and ours.
    let place = unsafe { OwnedFd::from_raw_fd(place) };
    // SAFETY: plain data filled by the kernel.
    let (mut stat, mut fs): (libc::stat, libc::statvfs) = unsafe { std::mem::zeroed() };
    // SAFETY: as above; the descriptor is open.
    let failed = unsafe {
        libc::fstat(place.as_raw_fd(), &mut stat) < 0 || libc::fstatvfs(place.as_raw_fd(), &mut fs) < 0
    };
    if failed {
        return Err(Errno::last());
    }
    match stat.st_mode & libc::S_IFMT {
        libc::S_IFLNK => return Err(Errno(libc::ELOOP)),
        libc::S_IFREG => {}
        _ => return Err(Errno(libc::EACCES)),
    }
    let at = (libc::AT_EMPTY_PATH | libc::AT_EACCESS) as u32;
    // SAFETY: an empty path and an open descriptor.
    let allowed =
        unsafe { libc::syscall(libc::SYS_faccessat2, place.as_raw_fd(), c"".as_ptr(), libc::X_OK, at) } == 0;
    if !allowed && Errno::last().0 != libc::ENOSYS || fs.f_flag & libc::ST_NOEXEC != 0 {
        return Err(Errno(libc::EACCES));
    }
    Ok(place)
}

/// Opens it for reading; `None` when that is not permitted.
fn open_file(place: &OwnedFd, dirfd: i32, path: &CStr, flags: i32) -> Result<Option<File>, Errno> {
    let fd = if path.is_empty() && flags & libc::AT_EMPTY_PATH != 0 {
        // A new description with its own position where /proc is there; else the caller's is good enough to read from.
        let link = format!("/proc/self/fd/{}\0", place.as_raw_fd());
        // SAFETY: a NUL-terminated path.
        let again = unsafe { libc::open(link.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC) };
        // SAFETY: an open descriptor.
        if again >= 0 { again } else { unsafe { libc::fcntl(dirfd, libc::F_DUPFD_CLOEXEC, 0) } }
    } else {
        // SAFETY: a path.
        unsafe { libc::openat(dirfd, path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) }
    };
    if fd < 0 {
        let error = Errno::last();
        return if error.0 == libc::EACCES { Ok(None) } else { Err(error) };
    }
    // SAFETY: the descriptor is new and ours.
    Ok(Some(unsafe { File::from_raw_fd(fd) }))
}

/// The name that scripts and AT_EXECFN get (alloc_bprm).
fn name_of(dirfd: i32, path: &CStr) -> CString {
    if dirfd == libc::AT_FDCWD || path.to_bytes().starts_with(b"/") {
        return path.to_owned();
    }
    let mut name = format!("/dev/fd/{dirfd}").into_bytes();
    if !path.is_empty() {
        name.push(b'/');
        name.extend(path.to_bytes());
    }
    CString::new(name).expect("a C string and digits")
}

/// Interpreter and option of a `#!` line (fs/binfmt_script.c). `None`: no interpreter, or its name may be cut off.
fn shebang(start: &[u8]) -> Option<(CString, Option<CString>)> {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let end = start.iter().position(|&b| b == b'\n');
    let line = &start[2..end.unwrap_or(start.len())];
    let line = &line[..line.iter().position(|&b| b == 0).unwrap_or(line.len())];
    let from = line.iter().position(|b| !blank(b))?;
    let to = line.iter().rposition(|b| !blank(b))? + 1;
    let line = &line[from..to];
    let name_end = line.iter().position(blank);
    if end.is_none() && start.len() == START && name_end.is_none() {
        return None;
    }
    let name = CString::new(&line[..name_end.unwrap_or(line.len())]).ok()?;
    let option = name_end.and_then(|at| {
        let rest = &line[at..];
        let from = rest.iter().position(|b| !blank(b))?;
        CString::new(&rest[from..]).ok()
    });
    Some((name, option))
}

/// Set-user-ID and set-group-ID programs, and those that cannot be read, only gain their rights when the kernel
/// starts them, through a binfmt_misc entry with the C flag.
fn needs_kernel(target: &Target) -> bool {
    let Some(file) = &target.file else { return true };
    let Ok(meta) = file.metadata() else { return false };
    // SAFETY: these never fail.
    let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
    let setuid = meta.mode() & libc::S_ISUID != 0 && meta.uid() != uid;
    let setgid =
        meta.mode() & (libc::S_ISGID | libc::S_IXGRP) == libc::S_ISGID | libc::S_IXGRP && meta.gid() != gid;
    setuid || setgid
}

fn start_guest(t: &mut Thread, target: Target, env: &[CString]) -> SysResult {
    let Some(own) = own_exe(t) else {
        // Only binfmt_misc can help.
        let Target { path, args, .. } = target;
        return hand_over(
            t,
            Call { dirfd: libc::AT_FDCWD, path: &path, args: &args, env, flags: 0, keep: &[] },
        );
    };
    let Target { file, path, args, .. } = target;
    let file = file.expect("a target that cannot be read is left to the kernel").into_raw_fd();
    let mut command: Vec<CString> = vec![c"forearm".into()];
    command.extend(t.process.options.as_arguments());
    for (option, value) in [(c"-execfd", file), (c"-selffd", own)] {
        command.push(option.into());
        command.push(CString::new(value.to_string()).expect("digits"));
    }
    let store = Some(t.process.store.load(Ordering::Relaxed)).filter(|&fd| fd >= 0);
    if let Some(fd) = store {
        command.push(c"-storefd".into());
        command.push(CString::new(fd.to_string()).expect("digits"));
    }
    let limits = t.process.limits.as_text();
    if !limits.is_empty() {
        command.push(c"-limits".into());
        command.push(CString::new(limits).expect("digits and punctuation"));
    }
    let mut args = args.into_iter();
    command.push(c"-0".into());
    command.extend(args.next());
    command.push(c"--".into());
    command.push(path);
    command.extend(args);
    let keep: Vec<i32> = [file, own].into_iter().chain(store).chain(log::file()).collect();
    let result = hand_over(
        t,
        Call { dirfd: own, path: c"", args: &command, env, flags: libc::AT_EMPTY_PATH, keep: &keep },
    );
    // SAFETY: opened by `resolve`, and the program did not start.
    unsafe { libc::close(file) };
    result
}

/// A descriptor of the translator's own file.
fn own_exe(t: &Thread) -> Option<i32> {
    let fd = t.process.own_exe.load(Ordering::Relaxed);
    if fd >= 0 {
        return Some(fd);
    }
    let fd = crate::process::open_own_exe();
    t.process.own_exe.store(fd, Ordering::Relaxed);
    (fd >= 0).then_some(fd)
}

/// What the host is to execute.
struct Call<'a> {
    dirfd: i32,
    path: &'a CStr,
    args: &'a [CString],
    env: &'a [CString],
    flags: i32,
    /// Descriptors that the new program inherits though they are close-on-exec.
    keep: &'a [i32],
}

/// The host's execveat. Returns only when it fails, with everything as it was.
fn hand_over(t: &mut Thread, call: Call) -> SysResult {
    let Call { dirfd, path, args, env, flags, keep } = call;
    t.process.engine.train();
    let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> {
        strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let (argv, envp) = (pointers(args), pointers(env));
    let inherit = |on: bool| {
        for &fd in keep {
            // SAFETY: descriptors of ours.
            unsafe { libc::fcntl(fd, libc::F_SETFD, if on { 0 } else { libc::FD_CLOEXEC }) };
        }
    };
    // What the new program inherits of signals is the host's: the mask, with the signals that we take this once, and
    // what is ignored. Ours for those is reset by exec.
    let ignored: Vec<i32> = signals::TAKEN
        .into_iter()
        .filter(|&signal| t.process.sigactions().get(signal).handler == SIG_IGN)
        .collect();
    for &signal in &ignored {
        host::set_disposition(signal, host::Disposition::Ignore, 0)?;
    }
    let mask = t.inbox.mask();
    if mask != mask.for_host() && !t.inbox.pending() {
        host::set_exact_host_mask(mask);
    }
    inherit(true);
    stats::report(&t.process, "before exec");
    let args =
        registers([dirfd.arg(), path.as_ptr().arg(), argv.as_ptr().arg(), envp.as_ptr().arg(), flags.arg()]);
    let result = signals::syscall(libc::SYS_execveat, args);
    inherit(false);
    if mask != mask.for_host() && !t.inbox.pending() {
        host::set_host_mask(mask);
    }
    for &signal in &ignored {
        host::set_disposition(signal, host::Disposition::Catch, 0)?;
    }
    result
}

/// The absolute path of an open file, as /proc/self/exe shows it; where /proc cannot tell, `path` from the working
/// directory.
pub fn absolute_path(file: &File, path: &CStr) -> CString {
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    if let Ok(target) = std::fs::read_link(link)
        && target.is_absolute()
    {
        return CString::new(target.as_os_str().as_bytes()).unwrap_or_else(|_| path.to_owned());
    }
    if path.to_bytes().starts_with(b"/") {
        return path.to_owned();
    }
    let mut whole =
        std::env::current_dir().map(|d| d.into_os_string().as_bytes().to_vec()).unwrap_or_default();
    whole.push(b'/');
    whole.extend(path.to_bytes().strip_prefix(b"./").unwrap_or(path.to_bytes()));
    CString::new(whole).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[u8]) -> Option<(String, Option<String>)> {
        let text = |s: CString| s.into_string().expect("ASCII");
        shebang(line).map(|(name, option)| (text(name), option.map(text)))
    }

    #[test]
    fn shebang_lines_are_read_as_the_kernel_reads_them() {
        let some = |name: &str, option: Option<&str>| Some((name.to_string(), option.map(str::to_string)));
        assert_eq!(parse(b"#!/bin/sh\necho"), some("/bin/sh", None));
        assert_eq!(parse(b"#! \t/bin/sh -e -u \t\n"), some("/bin/sh", Some("-e -u")));
        assert_eq!(parse(b"#!/bin/sh"), some("/bin/sh", None));
        assert_eq!(parse(b"#!\n"), None);
        assert_eq!(parse(b"#!   "), None);
        let long = [b"#!/".as_slice(), &[b'x'; START - 3]].concat();
        assert_eq!(parse(&long), None);
    }

    #[test]
    fn errors_come_in_the_kernels_order() {
        let error = |path: &CStr| resolve(libc::AT_FDCWD, path.into(), vec![], 0).err().map(|e| e.0);
        assert_eq!(error(c"/nonexistent"), Some(libc::ENOENT));
        assert_eq!(error(c""), Some(libc::ENOENT));
        assert_eq!(error(c"/"), Some(libc::EACCES));
        assert_eq!(error(c"/bin/sh/x"), Some(libc::ENOTDIR));
        assert_eq!(error(c"/dev/null"), Some(libc::EACCES));
        assert_eq!(error(c"/etc/passwd"), Some(libc::EACCES));
    }
}
