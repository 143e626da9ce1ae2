//! Futexes (kernel/futex/). A guest word is a host word and guest thread IDs are host thread IDs, so every operation,
//! private or shared, is the host's own; only timeouts and pointers are converted.

use super::host::{host, host_wait};
use super::time::timeout;
use super::{Args, SysResult};
use crate::abi::time::{GuestTimespec, Timespec32, Timespec64};
use crate::errno::Errno;
use crate::threads::Thread;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// FUTEX_LOCK_PI2 of linux/futex.h.
const FUTEX_LOCK_PI2: i32 = 13;

/// Whether the fourth argument of operation `op` is a timeout, as `futex_cmd_has_timeout` says.
fn has_timeout(op: i32) -> bool {
    matches!(
        op & libc::FUTEX_CMD_MASK,
        libc::FUTEX_WAIT
            | libc::FUTEX_LOCK_PI
            | FUTEX_LOCK_PI2
            | libc::FUTEX_WAIT_BITSET
            | libc::FUTEX_WAIT_REQUEUE_PI
    )
}

/// futex(uaddr, op, val, timeout or val2, uaddr2, val3)
fn futex<T: GuestTimespec>(t: &mut Thread, a: Args) -> SysResult {
    let (uaddr, uaddr2) = (t.mem.ptr::<u32>(a[0]), t.mem.ptr::<u32>(a[4]));
    if has_timeout(a.i32(1)) {
        let timeout = timeout::<T>(t, a[3])?;
        host_wait!(libc::SYS_futex, uaddr, a[1], a[2], timeout.as_ref(), uaddr2, a[5])
    } else {
        host!(libc::SYS_futex, uaddr, a[1], a[2], a[3], uaddr2, a[5])
    }
}

/// futex with an old timespec.
pub fn futex_time32(t: &mut Thread, a: Args) -> SysResult {
    futex::<Timespec32>(t, a)
}

/// futex_time64
pub fn futex_time64(t: &mut Thread, a: Args) -> SysResult {
    futex::<Timespec64>(t, a)
}

/// `struct futex_waitv`, the same on every architecture.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Waiter {
    val: u64,
    uaddr: u64,
    flags: u32,
    reserved: u32,
}

/// FUTEX_WAITV_MAX
const WAITERS_MAX: u32 = 128;

/// Reads `n` waiters and makes their addresses the host's.
fn waiters(t: &Thread, addr: u32, n: u32) -> Result<Vec<Waiter>, Errno> {
    let mut waiters = t.mem.read_array::<Waiter>(addr, n as usize)?;
    for waiter in &mut waiters {
        let guest = u32::try_from(waiter.uaddr).map_err(|_| Errno(libc::EFAULT))?;
        waiter.uaddr = t.mem.ptr::<u32>(guest) as u64;
    }
    Ok(waiters)
}

/// futex_waitv(waiters, n, flags, timeout, clock)
pub fn futex_waitv(t: &mut Thread, a: Args) -> SysResult {
    if a[1] == 0 || a[1] > WAITERS_MAX || a[0] == 0 {
        return Err(Errno(libc::EINVAL));
    }
    let waiters = waiters(t, a[0], a[1])?;
    let timeout = timeout::<Timespec64>(t, a[3])?;
    host_wait!(libc::SYS_futex_waitv, waiters.as_ptr(), a[1], a[2], timeout.as_ref(), a.i32(4))
}

// Numbers of calls newer than the libc crate; they are the same on every architecture.
const SYS_FUTEX_WAKE: libc::c_long = 454;
const SYS_FUTEX_WAIT: libc::c_long = 455;
const SYS_FUTEX_REQUEUE: libc::c_long = 456;

/// futex_wake(uaddr, mask, n, flags)
pub fn futex_wake(t: &mut Thread, a: Args) -> SysResult {
    host!(SYS_FUTEX_WAKE, t.mem.ptr::<u32>(a[0]), a[1], a.i32(2), a[3])
}

/// futex_wait(uaddr, val, mask, flags, timeout, clock)
pub fn futex_wait(t: &mut Thread, a: Args) -> SysResult {
    let timeout = timeout::<Timespec64>(t, a[4])?;
    host_wait!(SYS_FUTEX_WAIT, t.mem.ptr::<u32>(a[0]), a[1], a[2], a[3], timeout.as_ref(), a.i32(5))
}

/// futex_requeue(waiters, flags, n_wake, n_requeue)
pub fn futex_requeue(t: &mut Thread, a: Args) -> SysResult {
    if a[0] == 0 {
        return Err(Errno(libc::EINVAL));
    }
    let waiters = waiters(t, a[0], 2)?;
    host!(SYS_FUTEX_REQUEUE, waiters.as_ptr(), a[1], a.i32(2), a.i32(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_operations_have_a_timeout() {
        for op in [
            libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
            libc::FUTEX_WAIT_BITSET | libc::FUTEX_CLOCK_REALTIME,
        ] {
            assert!(has_timeout(op));
        }
        // Here the argument is a count, which must not be read as an address.
        for op in
            [libc::FUTEX_REQUEUE, libc::FUTEX_CMP_REQUEUE, libc::FUTEX_WAKE_OP, libc::FUTEX_CMP_REQUEUE_PI]
        {
            assert!(!has_timeout(op));
        }
    }
}
