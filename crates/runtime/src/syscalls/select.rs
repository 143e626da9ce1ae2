//! fs/select.c: poll and select in all their widths.

use super::Args;
use super::host::host_wait;
use crate::abi::time::{GuestTimespec, Timespec32, Timespec64, Timeval32};
use crate::errno::{Errno, SysResult};
use crate::signals::{ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS, SigSet};
use crate::threads::Thread;
use zerocopy::IntoBytes;

/// Reads the mask of ppoll, pselect6 and epoll_pwait.
///
/// # Errors
/// EINVAL for a set of another size, EFAULT.
pub(super) fn sigmask(t: &Thread, addr: u32, size: u32) -> Result<Option<SigSet>, Errno> {
    if addr == 0 {
        return Ok(None);
    }
    if size != 8 {
        return Err(Errno(libc::EINVAL));
    }
    // Aligned to 4 only, which does not matter here.
    Ok(Some(SigSet(t.mem.read::<u64>(addr)?).blockable()))
}

/// Reads the mask of pselect6 and io_pgetevents, which is behind one more pointer (`struct sigset_argpack`).
///
/// # Errors
/// As [`sigmask`].
pub(super) fn sigmask_pair(t: &Thread, addr: u32) -> Result<Option<SigSet>, Errno> {
    if addr == 0 {
        return Ok(None);
    }
    let [set, size]: [u32; 2] = t.mem.read(addr)?;
    sigmask(t, set, size)
}

/// Runs a waiting call that has `mask` while it waits. Such calls are never restarted after a handler ran
/// (signal(7)), even with SA_RESTART; a signal that came just before it may as well have come just behind.
pub(super) fn with_mask(
    t: &mut Thread,
    mask: Option<SigSet>,
    call: impl FnOnce(&Thread, Option<&u64>) -> SysResult,
) -> SysResult {
    t.temporary_mask = mask;
    let result = call(t, mask.map(|m| m.for_host().0).as_ref());
    match result {
        Err(Errno(ERESTARTSYS | ERESTARTNOINTR)) => Err(Errno(ERESTARTNOHAND)),
        Err(Errno(libc::EINTR | ERESTARTNOHAND)) => result,
        _ => {
            t.temporary_mask = None;
            result
        }
    }
}

/// `struct pollfd` is the host's.
pub(super) fn poll(t: &mut Thread, a: Args) -> SysResult {
    with_mask(t, None, |t, _| host_wait!(libc::SYS_poll, t.mem.ptr::<u8>(a[0]), a[1], a.i32(2)))
}

fn do_ppoll<T: GuestTimespec>(t: &mut Thread, a: Args) -> SysResult {
    let mut timeout = timeout::<T>(t, a[2])?;
    let mask = sigmask(t, a[3], a[4])?;
    let result = with_mask(t, mask, |t, mask| {
        host_wait!(libc::SYS_ppoll, t.mem.ptr::<u8>(a[0]), a[1], timeout.as_mut(), mask, 8u32)
    });
    give_remaining::<T>(t, a[2], timeout);
    result
}

pub(super) fn ppoll(t: &mut Thread, a: Args) -> SysResult {
    do_ppoll::<Timespec32>(t, a)
}

pub(super) fn ppoll_time64(t: &mut Thread, a: Args) -> SysResult {
    do_ppoll::<Timespec64>(t, a)
}

pub(super) fn timeout<T: GuestTimespec>(t: &Thread, addr: u32) -> Result<Option<libc::timespec>, Errno> {
    if addr == 0 { Ok(None) } else { Ok(Some(t.mem.read::<T>(addr)?.to_host())) }
}

/// The kernel tells the time that was left, and does not mind where that cannot be written.
fn give_remaining<T: GuestTimespec>(t: &Thread, addr: u32, left: Option<libc::timespec>) {
    if let Some(left) = left {
        let _ = t.mem.write(addr, &T::from_host(left));
    }
}

/// Highest descriptor number of Linux, and so the longest set (`sysctl_nr_open_max` rounded up).
const MAX_FDS: u32 = 1 << 30;

/// A set of descriptors in the host's words; the guest's are half as long, so its set may end in the middle of one.
struct FdSet {
    addr: u32,
    words: Vec<u64>,
    bytes: usize,
}

impl FdSet {
    fn read(t: &Thread, addr: u32, n: u32) -> Result<Option<FdSet>, Errno> {
        if addr == 0 {
            return Ok(None);
        }
        let bytes = n.div_ceil(32) as usize * 4;
        let mut words = vec![0u64; bytes.div_ceil(8)];
        t.mem.read_into(addr, &mut words.as_mut_slice().as_mut_bytes()[..bytes])?;
        Ok(Some(FdSet { addr, words, bytes }))
    }

    fn write(&self, t: &Thread) -> Result<(), Errno> {
        t.mem.write_bytes(self.addr, &self.words.as_slice().as_bytes()[..self.bytes])
    }

    fn ptr(set: &mut Option<FdSet>) -> *mut u64 {
        set.as_mut().map_or(std::ptr::null_mut(), |set| set.words.as_mut_ptr())
    }
}

/// What all forms share.
fn do_select(
    t: &mut Thread,
    a: Args,
    timeout: Option<&mut libc::timespec>,
    mask: Option<SigSet>,
) -> SysResult {
    /// The last argument of the host's pselect6.
    #[repr(C)]
    struct Mask<'a> {
        set: Option<&'a u64>,
        size: usize,
    }
    let Ok(n) = u32::try_from(a.i32(0)) else { return Err(Errno(libc::EINVAL)) };
    // The kernel looks at no more than the descriptor table has.
    let n = if n > 1024 { n.min(table_size()) } else { n };
    let mut sets = [FdSet::read(t, a[1], n)?, FdSet::read(t, a[2], n)?, FdSet::read(t, a[3], n)?];
    let result = with_mask(t, mask, |_, mask| {
        let [r, w, e] = &mut sets;
        let mask = Mask { set: mask, size: 8 };
        host_wait!(libc::SYS_pselect6, n, FdSet::ptr(r), FdSet::ptr(w), FdSet::ptr(e), timeout, &mask)
    })?;
    for set in sets.iter().flatten() {
        set.write(t)?;
    }
    Ok(result)
}

/// Slots of the process's descriptor table (`FDSize` of /proc/self/status).
fn table_size() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("FDSize:"));
    line.and_then(|size| size.trim().parse().ok()).unwrap_or(1 << 20).min(MAX_FDS)
}

pub(super) fn newselect(t: &mut Thread, a: Args) -> SysResult {
    let mut timeout = match a[4] {
        0 => None,
        addr => {
            let tv: Timeval32 = t.mem.read(addr)?;
            // Microseconds above a second carry over here (`kern_select`), unlike elsewhere.
            let sec = i64::from(tv.sec) + i64::from(tv.usec / 1_000_000);
            Some(libc::timespec { tv_sec: sec, tv_nsec: i64::from(tv.usec % 1_000_000) * 1000 })
        }
    };
    let result = do_select(t, a, timeout.as_mut(), None);
    if let Some(left) = timeout {
        let left = Timeval32 { sec: left.tv_sec as i32, usec: (left.tv_nsec / 1000) as i32 };
        let _ = t.mem.write(a[4], &left);
    }
    result
}

fn do_pselect6<T: GuestTimespec>(t: &mut Thread, a: Args) -> SysResult {
    let mask = sigmask_pair(t, a[5])?;
    let mut timeout = timeout::<T>(t, a[4])?;
    let result = do_select(t, a, timeout.as_mut(), mask);
    give_remaining::<T>(t, a[4], timeout);
    result
}

pub(super) fn pselect6(t: &mut Thread, a: Args) -> SysResult {
    do_pselect6::<Timespec32>(t, a)
}

pub(super) fn pselect6_time64(t: &mut Thread, a: Args) -> SysResult {
    do_pselect6::<Timespec64>(t, a)
}
