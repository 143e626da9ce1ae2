//! fs/eventpoll.c. `struct epoll_event` is packed to 12 bytes on x86 only.

use super::host::host_wait;
use super::pass::passthrough;
use super::{Args, select};
use crate::abi::time::{GuestTimespec, Timespec64};
use crate::errno::{Errno, SysResult};
use crate::threads::Thread;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

passthrough! {
    epoll_create = libc::SYS_epoll_create, (Int);
    epoll_create1 = libc::SYS_epoll_create1, (Uint);
}

/// `struct epoll_event`, 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct EpollEvent {
    events: u32,
    pad: u32,
    data: u64,
}

impl From<libc::epoll_event> for EpollEvent {
    fn from(host: libc::epoll_event) -> EpollEvent {
        EpollEvent { events: host.events, pad: 0, data: host.u64 }
    }
}

pub(super) fn epoll_ctl(t: &mut Thread, a: Args) -> SysResult {
    let (epfd, op, fd) = (a.i32(0), a.i32(1), a.i32(2));
    if op == libc::EPOLL_CTL_DEL {
        return host_wait!(libc::SYS_epoll_ctl, epfd, op, fd, 0u32);
    }
    let event: EpollEvent = t.mem.read(a[3])?;
    let host = libc::epoll_event { events: event.events, u64: event.data };
    host_wait!(libc::SYS_epoll_ctl, epfd, op, fd, &host)
}

/// Waits through `call`, which fills an array of at most `max` host events.
fn wait(
    t: &mut Thread,
    a: Args,
    mask: (u32, u32),
    call: impl Fn(*mut libc::epoll_event, i32, Option<&u64>) -> SysResult,
) -> SysResult {
    /// `EP_MAX_EVENTS` of a 32-bit kernel.
    const MAX: i32 = i32::MAX / size_of::<EpollEvent>() as i32;
    let max = a.i32(2);
    if max <= 0 || max > MAX {
        return Err(Errno(libc::EINVAL));
    }
    let mask = select::sigmask(t, mask.0, mask.1)?;
    // More than this are told by the next call.
    let max = max.min(4096);
    let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; max as usize];
    let n = select::with_mask(t, mask, |_, mask| call(events.as_mut_ptr(), max, mask))?;
    let guest: Vec<EpollEvent> = events[..n as usize].iter().map(|&event| event.into()).collect();
    t.mem.write_bytes(a[1], guest.as_bytes())?;
    Ok(n)
}

pub(super) fn epoll_wait(t: &mut Thread, a: Args) -> SysResult {
    wait(t, a, (0, 0), |events, max, _| host_wait!(libc::SYS_epoll_wait, a.i32(0), events, max, a.i32(3)))
}

pub(super) fn epoll_pwait(t: &mut Thread, a: Args) -> SysResult {
    wait(t, a, (a[4], a[5]), |events, max, mask| {
        host_wait!(libc::SYS_epoll_pwait, a.i32(0), events, max, a.i32(3), mask, 8u32)
    })
}

pub(super) fn epoll_pwait2(t: &mut Thread, a: Args) -> SysResult {
    let timeout = match a[3] {
        0 => None,
        addr => Some(t.mem.read::<Timespec64>(addr)?.to_host()),
    };
    wait(t, a, (a[4], a[5]), |events, max, mask| {
        host_wait!(libc::SYS_epoll_pwait2, a.i32(0), events, max, timeout.as_ref(), mask, 8u32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_padded() {
        assert_eq!(size_of::<EpollEvent>(), 16);
        assert_eq!(std::mem::offset_of!(EpollEvent, data), 8);
        let host = libc::epoll_event { events: 5, u64: 0x1234_5678_9abc_def0 };
        assert_eq!(EpollEvent::from(host), EpollEvent { events: 5, pad: 0, data: 0x1234_5678_9abc_def0 });
    }
}
