//! fs/open.c: opening and closing files, their sizes, owners and permissions, the current directory.

use super::Args;
use super::host::{host, host_wait};
use super::pass::passthrough;
use super::path;
use crate::abi::open_flags::{self, O_LARGEFILE};
use crate::abi::stat::MAX_NON_LFS;
use crate::errno::{Errno, SysResult};
use crate::procfs;
use crate::threads::Thread;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `struct open_how`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct OpenHow {
    flags: u64,
    mode: u64,
    resolve: u64,
}

passthrough! {
    truncate = libc::SYS_truncate, (Ptr Int);
    ftruncate = libc::SYS_ftruncate, (Int Int);
    chroot = libc::SYS_chroot, (Ptr);
    chdir = libc::SYS_chdir, (Ptr);
    fchdir = libc::SYS_fchdir, (Int);
    chmod = libc::SYS_chmod, (Ptr Uint);
    fchmod = libc::SYS_fchmod, (Int Uint);
    fchmodat = libc::SYS_fchmodat, (Int Ptr Uint);
    fchmodat2 = libc::SYS_fchmodat2, (Int Ptr Uint Uint);
    chown32 = libc::SYS_chown, (Ptr Int Int);
    lchown32 = libc::SYS_lchown, (Ptr Int Int);
    fchown32 = libc::SYS_fchown, (Int Int Int);
    fchownat = libc::SYS_fchownat, (Int Ptr Int Int Uint);
    umask = libc::SYS_umask, (Uint);
    vhangup = libc::SYS_vhangup, ();
}

/// A 16-bit ID of the old calls (`low2highuid`): -1 means "leave it" in both widths.
fn low_id(id: u32) -> u32 {
    if id as u16 == u16::MAX { u32::MAX } else { id & 0xffff }
}

/// `a` with the 16-bit IDs in registers 1 and 2 widened.
fn widen_ids(a: Args) -> Args {
    let mut wide = a;
    wide.0[1] = low_id(a[1]);
    wide.0[2] = low_id(a[2]);
    wide
}

pub(super) fn chown16(t: &mut Thread, a: Args) -> SysResult {
    chown32(t, widen_ids(a))
}

pub(super) fn lchown16(t: &mut Thread, a: Args) -> SysResult {
    lchown32(t, widen_ids(a))
}

pub(super) fn fchown16(t: &mut Thread, a: Args) -> SysResult {
    fchown32(t, widen_ids(a))
}

pub(super) fn open(t: &mut Thread, a: Args) -> SysResult {
    do_open(t, libc::AT_FDCWD, a[0], a[1], a[2])
}

pub(super) fn openat(t: &mut Thread, a: Args) -> SysResult {
    do_open(t, a.i32(0), a[1], a[2], a[3])
}

pub(super) fn creat(t: &mut Thread, a: Args) -> SysResult {
    let flags = (libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC) as u32;
    do_open(t, libc::AT_FDCWD, a[0], flags, a[1])
}

/// `flags` are the guest's.
fn do_open(t: &Thread, dirfd: i32, path: u32, flags: u32, mode: u32) -> SysResult {
    let path = path::lookup(t, path)?;
    let host_flags = open_flags::to_host(flags);
    if let Some(result) = procfs::open(t, dirfd, &path, host_flags as i32) {
        return result;
    }
    let fd = host_wait!(libc::SYS_openat, dirfd, path.as_ptr(), host_flags, mode)?;
    without_large_files(fd as i32, flags)
}

/// `generic_file_open`: a file of 2 GiB or more needs O_LARGEFILE, which a 64-bit kernel takes as given.
fn without_large_files(fd: i32, flags: u32) -> SysResult {
    if flags & (O_LARGEFILE | libc::O_PATH as u32) == 0 {
        let st = super::stat::fstat(fd)?;
        if st.st_mode & libc::S_IFMT == libc::S_IFREG && st.st_size > MAX_NON_LFS {
            let _ = host!(libc::SYS_close, fd);
            return Err(Errno(libc::EOVERFLOW));
        }
    }
    Ok(fd as u32)
}

pub(super) fn openat2(t: &mut Thread, a: Args) -> SysResult {
    let (dirfd, size) = (a.i32(0), a[3] as usize);
    let (mut known, mut how) = t.mem.read_extensible::<OpenHow>(a[2], size)?;
    let guest_flags = known.flags as u32;
    known.flags = known.flags & !u64::from(u32::MAX) | u64::from(open_flags::to_host(guest_flags));
    how[..size_of::<OpenHow>()].copy_from_slice(known.as_bytes());
    let path = path::lookup(t, a[1])?;
    if known.resolve == 0
        && let Some(result) = procfs::open(t, dirfd, &path, known.flags as i32)
    {
        return result;
    }
    let fd = host_wait!(libc::SYS_openat2, dirfd, path.as_ptr(), how.as_ptr(), size)?;
    without_large_files(fd as i32, guest_flags)
}

pub(super) fn close(t: &mut Thread, a: Args) -> SysResult {
    let fd = a.i32(0);
    let result = host_wait!(libc::SYS_close, fd)?;
    t.process.directories.closed(fd);
    Ok(result)
}

/// One host call on each side of forearm's own descriptors, so that `close_range(3, ~0)` costs what it costs natively.
pub(super) fn close_range(t: &mut Thread, a: Args) -> SysResult {
    let (first, last, flags) = (a[0], a[1], a[2]);
    let close = |first: u32, last: u32| host!(libc::SYS_close_range, first, last, flags);
    let mut hidden: Vec<u32> =
        t.process.hidden_fds().map(|fd| fd as u32).filter(|fd| (first..=last).contains(fd)).collect();
    hidden.sort_unstable();
    let mut from = Some(first);
    let mut result = Ok(0);
    for fd in hidden {
        if let Some(from) = from.filter(|&from| from < fd) {
            close(from, fd - 1)?;
        }
        from = fd.checked_add(1);
    }
    // An empty range is the kernel's to refuse, if the guest asked for one.
    if let Some(from) = from.filter(|&from| from <= last || from == first) {
        result = close(from, last);
    }
    let result = result?;
    if flags & libc::CLOSE_RANGE_CLOEXEC == 0 {
        t.process.directories.range_closed(first, last);
    }
    Ok(result)
}

pub(super) fn truncate64(t: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_truncate, t.mem.ptr::<u8>(a[0]), a.u64(2))
}

pub(super) fn ftruncate64(_: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_ftruncate, a.i32(0), a.u64(2))
}

pub(super) fn fallocate(_: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_fallocate, a.i32(0), a.i32(1), a.u64(2), a.u64(4))
}

pub(super) fn access(t: &mut Thread, a: Args) -> SysResult {
    let path = path::follow(t, libc::AT_FDCWD, a[0])?;
    host_wait!(libc::SYS_access, path.as_ptr(), a[1])
}

pub(super) fn faccessat(t: &mut Thread, a: Args) -> SysResult {
    let path = path::follow(t, a.i32(0), a[1])?;
    host_wait!(libc::SYS_faccessat, a.i32(0), path.as_ptr(), a[2])
}

pub(super) fn faccessat2(t: &mut Thread, a: Args) -> SysResult {
    let path = if a[3] & libc::AT_SYMLINK_NOFOLLOW as u32 == 0 {
        path::follow(t, a.i32(0), a[1])?
    } else {
        path::lookup(t, a[1])?
    };
    host_wait!(libc::SYS_faccessat2, a.i32(0), path.as_ptr(), a[2], a[3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bit_ids() {
        assert_eq!(low_id(0xffff), u32::MAX);
        assert_eq!(low_id(0xffff_fffe), 0xfffe);
        assert_eq!(low_id(1000), 1000);
    }
}
