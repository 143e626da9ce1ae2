//! Clocks, sleeping and timers (kernel/time/). Each call that has an old and a time64 form is one generic function.
//! Clock and timer IDs are the host's.

use super::host::{host, host_wait};
use super::{Args, SysResult};
use crate::abi::sigevent::{HostSigevent, Sigevent32};
use crate::abi::time::{
    GuestItimerspec, GuestTimespec, Itimerspec32, Itimerspec64, Itimerval32, Timespec32, Timespec64,
    Timeval32,
};
use crate::abi::timex::Timex32;
use crate::errno::Errno;
use crate::signals::{ERESTARTNOINTR, ERESTARTSYS};
use crate::threads::Thread;
use std::mem::MaybeUninit;

/// A zero `timespec` for the host to fill.
const NO_TIME: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };
/// A zero `itimerspec` for the host to fill.
const NO_TIMER: libc::itimerspec = libc::itimerspec { it_interval: NO_TIME, it_value: NO_TIME };

/// Reads a timeout that may be absent.
pub(super) fn timeout<T: GuestTimespec>(t: &Thread, addr: u32) -> Result<Option<libc::timespec>, Errno> {
    if addr == 0 { Ok(None) } else { Ok(Some(t.mem.read::<T>(addr)?.to_host())) }
}

/// clock_gettime(clock, tp), through the host's vDSO.
fn clock_gettime<T: GuestTimespec>(t: &mut Thread, a: Args) -> SysResult {
    let mut now = NO_TIME;
    // SAFETY: `now` is ours to fill.
    if unsafe { libc::clock_gettime(a.i32(0), &mut now) } != 0 {
        return Err(Errno::last());
    }
    t.mem.write(a[1], &T::from_host(now))?;
    Ok(0)
}

/// clock_gettime with an old timespec.
pub fn clock_gettime32(t: &mut Thread, a: Args) -> SysResult {
    clock_gettime::<Timespec32>(t, a)
}

/// clock_gettime64
pub fn clock_gettime64(t: &mut Thread, a: Args) -> SysResult {
    clock_gettime::<Timespec64>(t, a)
}

/// clock_settime(clock, tp)
fn clock_settime<T: GuestTimespec>(t: &mut Thread, a: Args) -> SysResult {
    let time = t.mem.read::<T>(a[1])?.to_host();
    host!(libc::SYS_clock_settime, a.i32(0), &time)
}

/// clock_settime with an old timespec.
pub fn clock_settime32(t: &mut Thread, a: Args) -> SysResult {
    clock_settime::<Timespec32>(t, a)
}

/// clock_settime64
pub fn clock_settime64(t: &mut Thread, a: Args) -> SysResult {
    clock_settime::<Timespec64>(t, a)
}

/// clock_getres(clock, tp or NULL)
fn clock_getres<T: GuestTimespec>(t: &mut Thread, a: Args) -> SysResult {
    let mut resolution = NO_TIME;
    host!(libc::SYS_clock_getres, a.i32(0), &mut resolution)?;
    if a[1] != 0 {
        t.mem.write(a[1], &T::from_host(resolution))?;
    }
    Ok(0)
}

/// clock_getres with an old timespec.
pub fn clock_getres32(t: &mut Thread, a: Args) -> SysResult {
    clock_getres::<Timespec32>(t, a)
}

/// clock_getres_time64
pub fn clock_getres64(t: &mut Thread, a: Args) -> SysResult {
    clock_getres::<Timespec64>(t, a)
}

/// Sleeps on `clock`; an interrupted relative sleep reports what is left at `left_at`.
fn sleep<T: GuestTimespec>(t: &mut Thread, clock: i32, flags: i32, request: u32, left_at: u32) -> SysResult {
    let request = t.mem.read::<T>(request)?.to_host();
    // A signal may come before the kernel starts to count: then all of it is left.
    let mut left = request;
    let slept = match host_wait!(libc::SYS_clock_nanosleep, clock, flags, &request, &mut left) {
        Err(Errno(ERESTARTNOINTR)) => Err(Errno(ERESTARTSYS)),
        other => other,
    };
    if matches!(slept, Err(Errno(libc::EINTR | ERESTARTSYS)))
        && left_at != 0
        && flags & libc::TIMER_ABSTIME == 0
    {
        t.mem.write(left_at, &T::from_host(left))?;
    }
    slept
}

/// nanosleep(request, left)
pub fn nanosleep(t: &mut Thread, a: Args) -> SysResult {
    // Linux sleeps on CLOCK_MONOTONIC here, not CLOCK_REALTIME as POSIX says.
    sleep::<Timespec32>(t, libc::CLOCK_MONOTONIC, 0, a[0], a[1])
}

/// clock_nanosleep(clock, flags, request, left) with old timespecs.
pub fn clock_nanosleep32(t: &mut Thread, a: Args) -> SysResult {
    sleep::<Timespec32>(t, a.i32(0), a.i32(1), a[2], a[3])
}

/// clock_nanosleep_time64
pub fn clock_nanosleep64(t: &mut Thread, a: Args) -> SysResult {
    sleep::<Timespec64>(t, a.i32(0), a.i32(1), a[2], a[3])
}

/// gettimeofday(tv or NULL, tz or NULL)
pub fn gettimeofday(t: &mut Thread, a: Args) -> SysResult {
    if a[0] != 0 {
        let mut now = NO_TIME;
        // SAFETY: `now` is ours to fill.
        unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &mut now) };
        t.mem.write(a[0], &Timeval32 { sec: now.tv_sec as i32, usec: (now.tv_nsec / 1000) as i32 })?;
    }
    if a[1] != 0 {
        host!(libc::SYS_gettimeofday, 0u32, t.mem.ptr::<[i32; 2]>(a[1]))?;
    }
    Ok(0)
}

/// settimeofday(tv or NULL, tz or NULL)
pub fn settimeofday(t: &mut Thread, a: Args) -> SysResult {
    let time = match a[0] {
        0 => None,
        addr => Some(libc::timeval::from(t.mem.read::<Timeval32>(addr)?)),
    };
    host!(libc::SYS_settimeofday, time.as_ref(), t.mem.ptr::<[i32; 2]>(a[1]))
}

/// adjtimex(timex)
pub fn adjtimex(t: &mut Thread, a: Args) -> SysResult {
    let mut time = t.mem.read::<Timex32>(a[0])?.to_host();
    let state = host!(libc::SYS_adjtimex, &mut time)?;
    t.mem.write(a[0], &Timex32::from_host(&time))?;
    Ok(state)
}

/// clock_adjtime(clock, timex) with the old structure.
pub fn clock_adjtime32(t: &mut Thread, a: Args) -> SysResult {
    let mut time = t.mem.read::<Timex32>(a[1])?.to_host();
    let state = host!(libc::SYS_clock_adjtime, a.i32(0), &mut time)?;
    t.mem.write(a[1], &Timex32::from_host(&time))?;
    Ok(state)
}

/// clock_adjtime64: the structure is the host's.
pub fn clock_adjtime64(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_clock_adjtime, a.i32(0), t.mem.ptr::<libc::timex>(a[1]))
}

/// times(tms or NULL): ticks of 1/100 s on both sides.
pub fn times(t: &mut Thread, a: Args) -> SysResult {
    let mut times = MaybeUninit::<[i64; 4]>::zeroed();
    // SAFETY: `struct tms` is four longs, ours to fill.
    let (ticks, times) = unsafe { (libc::times(times.as_mut_ptr().cast()), times.assume_init()) };
    if a[0] != 0 {
        t.mem.write(a[0], &times.map(|n| n as u32))?;
    }
    Ok(ticks as u32)
}

/// getitimer(which, value)
pub fn getitimer(t: &mut Thread, a: Args) -> SysResult {
    let mut value = libc::itimerval::from(Itimerval32::default());
    host!(libc::SYS_getitimer, a[0], &mut value)?;
    t.mem.write(a[1], &Itimerval32::from(value))?;
    Ok(0)
}

/// setitimer(which, value or NULL, old or NULL)
pub fn setitimer(t: &mut Thread, a: Args) -> SysResult {
    let new = libc::itimerval::from(match a[1] {
        0 => Itimerval32::default(), // The kernel stops the timer and logs a complaint.
        addr => t.mem.read::<Itimerval32>(addr)?,
    });
    let mut old = libc::itimerval::from(Itimerval32::default());
    host!(libc::SYS_setitimer, a[0], &new, &mut old)?;
    if a[2] != 0 {
        t.mem.write(a[2], &Itimerval32::from(old))?;
    }
    Ok(0)
}

/// timer_create(clock, sigevent or NULL, id)
pub fn timer_create(t: &mut Thread, a: Args) -> SysResult {
    let event = match a[1] {
        0 => None,
        addr => Some(HostSigevent::from(t.mem.read::<Sigevent32>(addr)?)),
    };
    let mut id = 0i32;
    host!(libc::SYS_timer_create, a.i32(0), event.as_ref(), &mut id)?;
    if let Err(e) = t.mem.write(a[2], &id) {
        let _ = host!(libc::SYS_timer_delete, id);
        return Err(e);
    }
    Ok(0)
}

/// timer_settime and timerfd_settime(id or fd, flags, new, old or NULL)
fn settime<T: GuestItimerspec>(t: &mut Thread, nr: libc::c_long, a: Args) -> SysResult {
    let new = t.mem.read::<T>(a[2])?.to_host();
    let mut old = NO_TIMER;
    host!(nr, a[0], a[1], &new, &mut old)?;
    if a[3] != 0 {
        t.mem.write(a[3], &T::from_host(old))?;
    }
    Ok(0)
}

/// timer_gettime and timerfd_gettime(id or fd, value)
fn gettime<T: GuestItimerspec>(t: &mut Thread, nr: libc::c_long, a: Args) -> SysResult {
    let mut value = NO_TIMER;
    host!(nr, a[0], &mut value)?;
    t.mem.write(a[1], &T::from_host(value))?;
    Ok(0)
}

/// timer_settime with an old itimerspec.
pub fn timer_settime32(t: &mut Thread, a: Args) -> SysResult {
    settime::<Itimerspec32>(t, libc::SYS_timer_settime, a)
}

/// timer_settime64
pub fn timer_settime64(t: &mut Thread, a: Args) -> SysResult {
    settime::<Itimerspec64>(t, libc::SYS_timer_settime, a)
}

/// timer_gettime with an old itimerspec.
pub fn timer_gettime32(t: &mut Thread, a: Args) -> SysResult {
    gettime::<Itimerspec32>(t, libc::SYS_timer_gettime, a)
}

/// timer_gettime64
pub fn timer_gettime64(t: &mut Thread, a: Args) -> SysResult {
    gettime::<Itimerspec64>(t, libc::SYS_timer_gettime, a)
}

/// timer_getoverrun(id)
pub fn timer_getoverrun(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_timer_getoverrun, a[0])
}

/// timer_delete(id)
pub fn timer_delete(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_timer_delete, a[0])
}

/// timerfd_create(clock, flags)
pub fn timerfd_create(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_timerfd_create, a.i32(0), a[1])
}

/// timerfd_settime with an old itimerspec.
pub fn timerfd_settime32(t: &mut Thread, a: Args) -> SysResult {
    settime::<Itimerspec32>(t, libc::SYS_timerfd_settime, a)
}

/// timerfd_settime64
pub fn timerfd_settime64(t: &mut Thread, a: Args) -> SysResult {
    settime::<Itimerspec64>(t, libc::SYS_timerfd_settime, a)
}

/// timerfd_gettime with an old itimerspec.
pub fn timerfd_gettime32(t: &mut Thread, a: Args) -> SysResult {
    gettime::<Itimerspec32>(t, libc::SYS_timerfd_gettime, a)
}

/// timerfd_gettime64
pub fn timerfd_gettime64(t: &mut Thread, a: Args) -> SysResult {
    gettime::<Itimerspec64>(t, libc::SYS_timerfd_gettime, a)
}
