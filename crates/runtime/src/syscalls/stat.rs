//! fs/stat.c and fs/statfs.c.

use super::host::{host, host_wait};
use super::{Args, path};
use crate::abi::stat::{HostStatfs, Stat, Stat64, Statfs, Statfs64, Ustat};
use crate::errno::{Errno, SysResult};
use crate::procfs;
use crate::threads::Thread;
use std::ffi::CString;

const NOFOLLOW: u32 = libc::AT_SYMLINK_NOFOLLOW as u32;

/// The host's status of an open file.
///
/// # Errors
/// EBADF and what the file system reports.
pub(super) fn fstat(fd: i32) -> Result<libc::stat, Errno> {
    // SAFETY: plain data, filled by the kernel.
    let mut st: libc::stat = unsafe { std::mem::zeroed() };
    host!(libc::SYS_fstat, fd, &mut st)?;
    Ok(st)
}

/// The path of a call that follows a last link unless `flags` has AT_SYMLINK_NOFOLLOW.
fn path_for(t: &Thread, dirfd: i32, path: u32, flags: u32) -> Result<CString, Errno> {
    if flags & NOFOLLOW == 0 { path::follow(t, dirfd, path) } else { path::lookup(t, path) }
}

/// The host's status of a named file.
fn stat_at(t: &Thread, dirfd: i32, path: u32, flags: u32) -> Result<libc::stat, Errno> {
    // Since Linux 6.11 no path is an empty path.
    let path = if path == 0 && flags & libc::AT_EMPTY_PATH as u32 != 0 {
        CString::default()
    } else {
        path_for(t, dirfd, path, flags)?
    };
    // SAFETY: plain data, filled by the kernel.
    let mut st: libc::stat = unsafe { std::mem::zeroed() };
    host_wait!(libc::SYS_newfstatat, dirfd, path.as_ptr(), &mut st, flags)?;
    Ok(st)
}

fn put64(t: &Thread, addr: u32, st: &libc::stat) -> SysResult {
    t.mem.write(addr, &Stat64::from(st))?;
    Ok(0)
}

fn put32(t: &Thread, addr: u32, st: &libc::stat) -> SysResult {
    t.mem.write(addr, &Stat::from_host(st)?)?;
    Ok(0)
}

pub(super) fn stat(t: &mut Thread, a: Args) -> SysResult {
    put32(t, a[1], &stat_at(t, libc::AT_FDCWD, a[0], 0)?)
}

pub(super) fn lstat(t: &mut Thread, a: Args) -> SysResult {
    put32(t, a[1], &stat_at(t, libc::AT_FDCWD, a[0], NOFOLLOW)?)
}

pub(super) fn fstat32(t: &mut Thread, a: Args) -> SysResult {
    put32(t, a[1], &fstat(a.i32(0))?)
}

pub(super) fn stat64(t: &mut Thread, a: Args) -> SysResult {
    put64(t, a[1], &stat_at(t, libc::AT_FDCWD, a[0], 0)?)
}

pub(super) fn lstat64(t: &mut Thread, a: Args) -> SysResult {
    put64(t, a[1], &stat_at(t, libc::AT_FDCWD, a[0], NOFOLLOW)?)
}

pub(super) fn fstat64(t: &mut Thread, a: Args) -> SysResult {
    put64(t, a[1], &fstat(a.i32(0))?)
}

pub(super) fn fstatat64(t: &mut Thread, a: Args) -> SysResult {
    put64(t, a[2], &stat_at(t, a.i32(0), a[1], a[3])?)
}

/// `struct statx` has one layout everywhere.
pub(super) fn statx(t: &mut Thread, a: Args) -> SysResult {
    let (dirfd, flags, buf) = (a.i32(0), a[2], t.mem.ptr::<u8>(a[4]));
    if a[1] == 0 {
        return host_wait!(libc::SYS_statx, dirfd, 0u32, flags, a[3], buf);
    }
    let path = path_for(t, dirfd, a[1], flags)?;
    host_wait!(libc::SYS_statx, dirfd, path.as_ptr(), flags, a[3], buf)
}

pub(super) fn readlink(t: &mut Thread, a: Args) -> SysResult {
    do_readlink(t, libc::AT_FDCWD, a[0], a[1], a.i32(2))
}

pub(super) fn readlinkat(t: &mut Thread, a: Args) -> SysResult {
    do_readlink(t, a.i32(0), a[1], a[2], a.i32(3))
}

fn do_readlink(t: &Thread, dirfd: i32, path: u32, buf: u32, size: i32) -> SysResult {
    if size <= 0 {
        return Err(Errno(libc::EINVAL));
    }
    let path = path::lookup(t, path)?;
    match procfs::readlink(t, dirfd, &path) {
        Some(target) => {
            let target = target.to_bytes();
            let len = target.len().min(size as usize);
            t.mem.write_bytes(buf, &target[..len])?;
            Ok(len as u32)
        }
        None => host_wait!(libc::SYS_readlinkat, dirfd, path.as_ptr(), t.mem.ptr::<u8>(buf), size),
    }
}

fn statfs_at(t: &Thread, path: u32) -> Result<HostStatfs, Errno> {
    let path = path::lookup(t, path)?;
    let mut st = HostStatfs::default();
    host_wait!(libc::SYS_statfs, path.as_ptr(), &mut st)?;
    Ok(st)
}

fn statfs_of(fd: i32) -> Result<HostStatfs, Errno> {
    let mut st = HostStatfs::default();
    host_wait!(libc::SYS_fstatfs, fd, &mut st)?;
    Ok(st)
}

/// The size argument of the 64-bit forms: C programs pass 88 for the packed 84 bytes
/// (`arch/arm/kernel/sys_arm.c`, `sys_statfs64_wrapper`).
fn check_size(size: u32) -> Result<(), Errno> {
    if size == 84 || size == 88 { Ok(()) } else { Err(Errno(libc::EINVAL)) }
}

pub(super) fn statfs(t: &mut Thread, a: Args) -> SysResult {
    t.mem.write(a[1], &Statfs::from_host(&statfs_at(t, a[0])?)?)?;
    Ok(0)
}

pub(super) fn fstatfs(t: &mut Thread, a: Args) -> SysResult {
    t.mem.write(a[1], &Statfs::from_host(&statfs_of(a.i32(0))?)?)?;
    Ok(0)
}

pub(super) fn statfs64(t: &mut Thread, a: Args) -> SysResult {
    check_size(a[1])?;
    t.mem.write(a[2], &Statfs64::from(&statfs_at(t, a[0])?))?;
    Ok(0)
}

pub(super) fn fstatfs64(t: &mut Thread, a: Args) -> SysResult {
    check_size(a[1])?;
    t.mem.write(a[2], &Statfs64::from(&statfs_of(a.i32(0))?))?;
    Ok(0)
}

pub(super) fn ustat(t: &mut Thread, a: Args) -> SysResult {
    /// The host's `struct ustat`.
    #[repr(C)]
    #[derive(Default)]
    struct HostUstat {
        tfree: i32,
        tinode: u64,
        names: [u8; 12],
    }
    let mut host = HostUstat::default();
    host_wait!(libc::SYS_ustat, a[0], &mut host)?;
    let guest = Ustat { tfree: host.tfree as u32, tinode: host.tinode as u32, ..Ustat::default() };
    t.mem.write(a[1], &guest)?;
    Ok(0)
}
