//! fs/utimes.c: all forms are utimensat of the host.

use super::host::host_wait;
use super::{Args, path};
use crate::abi::time::{GuestTimespec, Timespec32, Timespec64, Timeval32};
use crate::errno::{Errno, SysResult};
use crate::threads::Thread;
use zerocopy::FromBytes;

/// Times of access and modification; `None` is now.
type Times = Option<[libc::timespec; 2]>;

fn do_utimes(t: &Thread, dirfd: i32, path: u32, times: Times, flags: u32) -> SysResult {
    let times = times.as_ref();
    if path == 0 {
        // An open file (futimens), or EFAULT.
        return host_wait!(libc::SYS_utimensat, dirfd, 0u32, times, flags);
    }
    let path = path::lookup(t, path)?;
    host_wait!(libc::SYS_utimensat, dirfd, path.as_ptr(), times, flags)
}

/// Two `timespec`s of either width.
fn timespecs<T: GuestTimespec + FromBytes>(t: &Thread, addr: u32) -> Result<Times, Errno>
where
    [T; 2]: FromBytes,
{
    if addr == 0 {
        return Ok(None);
    }
    let times: [T; 2] = t.mem.read(addr)?;
    Ok(Some(times.map(GuestTimespec::to_host)))
}

/// Two `timeval`s.
///
/// # Errors
/// EFAULT; EINVAL for microseconds that are none.
fn timevals(t: &Thread, addr: u32) -> Result<Times, Errno> {
    if addr == 0 {
        return Ok(None);
    }
    let times: [Timeval32; 2] = t.mem.read(addr)?;
    if times.iter().any(|tv| !(0..1_000_000).contains(&tv.usec)) {
        return Err(Errno(libc::EINVAL));
    }
    Ok(Some(times.map(|tv| libc::timespec { tv_sec: tv.sec.into(), tv_nsec: i64::from(tv.usec) * 1000 })))
}

pub(super) fn utimes(t: &mut Thread, a: Args) -> SysResult {
    let times = timevals(t, a[1])?;
    do_utimes(t, libc::AT_FDCWD, a[0], times, 0)
}

pub(super) fn futimesat(t: &mut Thread, a: Args) -> SysResult {
    let times = timevals(t, a[2])?;
    do_utimes(t, a.i32(0), a[1], times, 0)
}

pub(super) fn utimensat(t: &mut Thread, a: Args) -> SysResult {
    let times = timespecs::<Timespec32>(t, a[2])?;
    do_utimes(t, a.i32(0), a[1], times, a[3])
}

pub(super) fn utimensat_time64(t: &mut Thread, a: Args) -> SysResult {
    let times = timespecs::<Timespec64>(t, a[2])?;
    do_utimes(t, a.i32(0), a[1], times, a[3])
}
