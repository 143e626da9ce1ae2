//! Times (`include/vdso/time32.h`, `include/uapi/linux/time_types.h`): the old forms with 32-bit seconds and the
//! `time64` forms.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `struct old_timespec32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Timespec32 {
    /// Seconds.
    pub sec: i32,
    /// Nanoseconds.
    pub nsec: i32,
}

/// `struct __kernel_timespec`, 16 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Timespec64 {
    /// Seconds.
    pub sec: i64,
    /// Nanoseconds; the upper half is padding that the kernel ignores.
    pub nsec: i64,
}

/// `struct old_timeval32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Timeval32 {
    /// Seconds.
    pub sec: i32,
    /// Microseconds.
    pub usec: i32,
}

/// `struct __kernel_sock_timeval`, of the `_NEW` socket options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Timeval64 {
    /// Seconds.
    pub sec: i64,
    /// Microseconds.
    pub usec: i64,
}

/// `struct old_itimerspec32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Itimerspec32 {
    /// Period.
    pub interval: Timespec32,
    /// Time to the first expiry.
    pub value: Timespec32,
}

/// `struct __kernel_itimerspec`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Itimerspec64 {
    /// Period.
    pub interval: Timespec64,
    /// Time to the first expiry.
    pub value: Timespec64,
}

/// `struct old_itimerval32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Itimerval32 {
    /// Period.
    pub interval: Timeval32,
    /// Time to the first expiry.
    pub value: Timeval32,
}

/// A guest form of `timespec`. Handlers that exist twice, as `_time32` and `_time64`, are generic over it.
pub trait GuestTimespec: FromBytes + IntoBytes + Immutable {
    /// As the host has it.
    fn to_host(self) -> libc::timespec;
    /// From the host; seconds that do not fit wrap, as they do in the kernel.
    fn from_host(host: libc::timespec) -> Self;
}

impl GuestTimespec for Timespec32 {
    fn to_host(self) -> libc::timespec {
        libc::timespec { tv_sec: self.sec.into(), tv_nsec: self.nsec.into() }
    }
    fn from_host(host: libc::timespec) -> Self {
        Timespec32 { sec: host.tv_sec as i32, nsec: host.tv_nsec as i32 }
    }
}

impl GuestTimespec for Timespec64 {
    fn to_host(self) -> libc::timespec {
        libc::timespec { tv_sec: self.sec, tv_nsec: (self.nsec as i32).into() }
    }
    fn from_host(host: libc::timespec) -> Self {
        Timespec64 { sec: host.tv_sec, nsec: host.tv_nsec }
    }
}

/// A guest form of `itimerspec`, as [`GuestTimespec`].
pub trait GuestItimerspec: FromBytes + IntoBytes + Immutable {
    /// As the host has it.
    fn to_host(self) -> libc::itimerspec;
    /// From the host.
    fn from_host(host: libc::itimerspec) -> Self;
}

impl GuestItimerspec for Itimerspec32 {
    fn to_host(self) -> libc::itimerspec {
        libc::itimerspec { it_interval: self.interval.to_host(), it_value: self.value.to_host() }
    }
    fn from_host(host: libc::itimerspec) -> Self {
        Itimerspec32 {
            interval: Timespec32::from_host(host.it_interval),
            value: Timespec32::from_host(host.it_value),
        }
    }
}

impl GuestItimerspec for Itimerspec64 {
    fn to_host(self) -> libc::itimerspec {
        libc::itimerspec { it_interval: self.interval.to_host(), it_value: self.value.to_host() }
    }
    fn from_host(host: libc::itimerspec) -> Self {
        Itimerspec64 {
            interval: Timespec64::from_host(host.it_interval),
            value: Timespec64::from_host(host.it_value),
        }
    }
}

impl From<Timeval32> for libc::timeval {
    fn from(t: Timeval32) -> Self {
        libc::timeval { tv_sec: t.sec.into(), tv_usec: t.usec.into() }
    }
}

impl From<libc::timeval> for Timeval32 {
    fn from(t: libc::timeval) -> Self {
        Timeval32 { sec: t.tv_sec as i32, usec: t.tv_usec as i32 }
    }
}

impl From<Timeval64> for libc::timeval {
    fn from(t: Timeval64) -> Self {
        libc::timeval { tv_sec: t.sec, tv_usec: t.usec }
    }
}

impl From<libc::timeval> for Timeval64 {
    fn from(t: libc::timeval) -> Self {
        Timeval64 { sec: t.tv_sec, usec: t.tv_usec }
    }
}

impl From<Itimerval32> for libc::itimerval {
    fn from(t: Itimerval32) -> Self {
        libc::itimerval { it_interval: t.interval.into(), it_value: t.value.into() }
    }
}

impl From<libc::itimerval> for Itimerval32 {
    fn from(t: libc::itimerval) -> Self {
        Itimerval32 { interval: t.it_interval.into(), value: t.it_value.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_the_arm_ones() {
        assert_eq!(size_of::<Timespec32>(), 8);
        assert_eq!(size_of::<Timespec64>(), 16);
        assert_eq!(size_of::<Timeval32>(), 8);
        assert_eq!(size_of::<Timeval64>(), 16);
        assert_eq!(size_of::<Itimerspec32>(), 16);
        assert_eq!(size_of::<Itimerspec64>(), 32);
        assert_eq!(size_of::<Itimerval32>(), 16);
    }

    #[test]
    fn negative_and_late_times() {
        let before_epoch = Timespec32 { sec: -1, nsec: 999_999_999 }.to_host();
        assert_eq!((before_epoch.tv_sec, before_epoch.tv_nsec), (-1, 999_999_999));
        let late = libc::timespec { tv_sec: 0x1_0000_0005, tv_nsec: 7 };
        assert_eq!(Timespec32::from_host(late), Timespec32 { sec: 5, nsec: 7 });
        assert_eq!(Timespec64::from_host(late), Timespec64 { sec: 0x1_0000_0005, nsec: 7 });
    }

    #[test]
    fn padding_beside_time64_nanoseconds_is_ignored() {
        let t = Timespec64 { sec: 1, nsec: 0x5555_5555_0000_0002 }.to_host();
        assert_eq!((t.tv_sec, t.tv_nsec), (1, 2));
    }

    #[test]
    fn timers_round_trip() {
        let t =
            Itimerspec32 { interval: Timespec32 { sec: 1, nsec: 2 }, value: Timespec32 { sec: 3, nsec: 4 } };
        assert_eq!(Itimerspec32::from_host(t.to_host()), t);
        let t =
            Itimerspec64 { interval: Timespec64 { sec: 1, nsec: 2 }, value: Timespec64 { sec: 3, nsec: 4 } };
        assert_eq!(Itimerspec64::from_host(t.to_host()), t);
        let t = Itimerval32 { interval: Timeval32 { sec: 1, usec: 2 }, value: Timeval32 { sec: 3, usec: 4 } };
        assert_eq!(Itimerval32::from(libc::itimerval::from(t)), t);
    }
}
