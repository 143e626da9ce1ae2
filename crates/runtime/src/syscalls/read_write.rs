//! fs/read_write.c: reading, writing, positions, copies between files.
//!
//! Sizes go to the host sign-extended: the host refuses a negative one after its other checks, as a 32-bit kernel does.

use super::Args;
use super::host::host_wait;
use super::pass::passthrough;
use crate::abi::iovec;
use crate::abi::stat::MAX_NON_LFS;
use crate::errno::{Errno, SysResult};
use crate::signals;
use crate::threads::Thread;

passthrough! {
    read = libc::SYS_read, (Int Ptr Int);
    write = libc::SYS_write, (Int Ptr Int);
    sendfile64 = libc::SYS_sendfile, (Int Int Ptr Int);
    copy_file_range = libc::SYS_copy_file_range, (Int Ptr Int Ptr Int Uint);
}

pub(super) fn pread64(t: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_pread64, a.i32(0), t.mem.ptr::<u8>(a[1]), a.i32(2), a.u64(4))
}

pub(super) fn pwrite64(t: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_pwrite64, a.i32(0), t.mem.ptr::<u8>(a[1]), a.i32(2), a.u64(4))
}

/// The vector calls: `position` is one register on the host (its high half is the next, unused one).
fn vectored(t: &Thread, nr: libc::c_long, a: Args, position: u64, flags: u32) -> SysResult {
    let list = iovec::read(t.mem, a[1], a[2])?;
    host_wait!(nr, a.i32(0), list.as_ptr(), list.len(), position, 0u32, flags)
}

/// `pos_from_hilo`: the two halves of preadv's offset are arguments of their own, not an aligned pair.
fn hilo(a: Args) -> u64 {
    u64::from(a[3]) | u64::from(a[4]) << 32
}

pub(super) fn readv(t: &mut Thread, a: Args) -> SysResult {
    vectored(t, libc::SYS_readv, a, 0, 0)
}

pub(super) fn writev(t: &mut Thread, a: Args) -> SysResult {
    vectored(t, libc::SYS_writev, a, 0, 0)
}

pub(super) fn preadv(t: &mut Thread, a: Args) -> SysResult {
    vectored(t, libc::SYS_preadv, a, hilo(a), 0)
}

pub(super) fn pwritev(t: &mut Thread, a: Args) -> SysResult {
    vectored(t, libc::SYS_pwritev, a, hilo(a), 0)
}

pub(super) fn preadv2(t: &mut Thread, a: Args) -> SysResult {
    vectored(t, libc::SYS_preadv2, a, hilo(a), a[5])
}

pub(super) fn pwritev2(t: &mut Thread, a: Args) -> SysResult {
    vectored(t, libc::SYS_pwritev2, a, hilo(a), a[5])
}

/// The new position; positions in directories are the guest's cookies.
fn do_lseek(t: &Thread, fd: i32, offset: i64, whence: u32) -> Result<i64, Errno> {
    let directories = &t.process.directories;
    let offset = if whence == libc::SEEK_SET as u32 { directories.position(fd, offset) } else { offset };
    match signals::syscall_raw(libc::SYS_lseek, [fd as i64 as u64, offset as u64, whence.into()]) {
        error @ -4095..0 => Err(Errno(-error as i32)),
        position => Ok(directories.seek_result(fd, position)),
    }
}

/// The position has moved even where it does not fit the result.
pub(super) fn lseek(t: &mut Thread, a: Args) -> SysResult {
    let position = do_lseek(t, a.i32(0), a.i32(1).into(), a[2])?;
    i32::try_from(position).map(|p| p as u32).map_err(|_| Errno(libc::EOVERFLOW))
}

pub(super) fn llseek(t: &mut Thread, a: Args) -> SysResult {
    let offset = (u64::from(a[1]) << 32 | u64::from(a[2])) as i64;
    let position = do_lseek(t, a.i32(0), offset, a[4])?;
    t.mem.write(a[3], &position)?;
    Ok(0)
}

/// `do_sendfile` with the limit of 32-bit offsets.
pub(super) fn sendfile(t: &mut Thread, a: Args) -> SysResult {
    if a[2] == 0 {
        return sendfile64(t, a);
    }
    let mut offset = i64::from(t.mem.read::<i32>(a[2])?);
    let mut count = i64::from(a.i32(3));
    if offset >= MAX_NON_LFS && count > 0 {
        return Err(Errno(libc::EOVERFLOW));
    }
    if offset >= 0 {
        count = count.min(MAX_NON_LFS - offset);
    }
    let sent = host_wait!(libc::SYS_sendfile, a.i32(0), a.i32(1), &mut offset, count as u64)?;
    t.mem.write(a[2], &(offset as i32))?;
    Ok(sent)
}
