//! Limits, usage and system information (`struct rlimit`, `rusage`, `compat_sysinfo`).

use super::time::Timeval32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `struct rlimit` of getrlimit and setrlimit; prlimit64 has the host's structure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Rlimit32 {
    /// Soft limit.
    pub cur: u32,
    /// Hard limit.
    pub max: u32,
}

/// RLIM_INFINITY of a 32-bit `rlim_t`.
const INFINITY32: u32 = u32::MAX;

/// Whatever does not fit is no limit.
fn limit_to_guest(limit: u64) -> u32 {
    limit.try_into().unwrap_or(INFINITY32)
}

fn limit_to_host(limit: u32) -> u64 {
    if limit == INFINITY32 { libc::RLIM_INFINITY } else { limit.into() }
}

impl From<Rlimit64> for Rlimit32 {
    fn from(l: Rlimit64) -> Self {
        Rlimit32 { cur: limit_to_guest(l.cur), max: limit_to_guest(l.max) }
    }
}

/// `struct rlimit64`, the host's `struct rlimit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Rlimit64 {
    /// Soft limit.
    pub cur: u64,
    /// Hard limit.
    pub max: u64,
}

impl From<Rlimit32> for Rlimit64 {
    fn from(l: Rlimit32) -> Self {
        Rlimit64 { cur: limit_to_host(l.cur), max: limit_to_host(l.max) }
    }
}

/// `struct rusage`, 72 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Rusage32 {
    /// User time.
    pub utime: Timeval32,
    /// System time.
    pub stime: Timeval32,
    /// ru_maxrss (KiB) to ru_nivcsw, in the order of the structure.
    pub counts: [u32; 14],
}

impl From<&libc::rusage> for Rusage32 {
    fn from(r: &libc::rusage) -> Self {
        let counts = [
            r.ru_maxrss,
            r.ru_ixrss,
            r.ru_idrss,
            r.ru_isrss,
            r.ru_minflt,
            r.ru_majflt,
            r.ru_nswap,
            r.ru_inblock,
            r.ru_oublock,
            r.ru_msgsnd,
            r.ru_msgrcv,
            r.ru_nsignals,
            r.ru_nvcsw,
            r.ru_nivcsw,
        ];
        Rusage32 { utime: r.ru_utime.into(), stime: r.ru_stime.into(), counts: counts.map(|n| n as u32) }
    }
}

/// `struct sysinfo`, 64 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Sysinfo32 {
    /// Seconds since boot.
    pub uptime: u32,
    /// Load averages, fixed point.
    pub loads: [u32; 3],
    /// totalram, freeram, sharedram, bufferram, totalswap, freeswap, in units of `mem_unit`.
    pub memory: [u32; 6],
    /// Processes.
    pub procs: u16,
    /// Padding.
    pub pad: u16,
    /// totalhigh, freehigh, in units of `mem_unit`.
    pub high: [u32; 2],
    /// Bytes.
    pub mem_unit: u32,
    /// The rest of 64 bytes.
    pub rest: [u32; 2],
}

impl From<&libc::sysinfo> for Sysinfo32 {
    fn from(s: &libc::sysinfo) -> Self {
        // As in the kernel's compat code: larger units, at most a page, once memory or swap does not fit 32 bits.
        const PAGE_SIZE: u32 = 4096;
        let (mut shift, mut mem_unit) = (0, s.mem_unit);
        if s.totalram >> 32 != 0 || s.totalswap >> 32 != 0 {
            while mem_unit < PAGE_SIZE && mem_unit != 0 {
                mem_unit <<= 1;
                shift += 1;
            }
        }
        let scaled = |n: u64| (n >> shift) as u32;
        Sysinfo32 {
            uptime: s.uptime as u32,
            loads: s.loads.map(|n| n as u32),
            memory: [s.totalram, s.freeram, s.sharedram, s.bufferram, s.totalswap, s.freeswap].map(scaled),
            procs: s.procs,
            pad: 0,
            high: [scaled(s.totalhigh), scaled(s.freehigh)],
            mem_unit,
            rest: [0; 2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_the_arm_ones() {
        assert_eq!(size_of::<Rlimit32>(), 8);
        assert_eq!(size_of::<Rlimit64>(), size_of::<libc::rlimit>());
        assert_eq!(size_of::<Rusage32>(), 72);
        assert_eq!(size_of::<Sysinfo32>(), 64);
    }

    #[test]
    fn limits_that_do_not_fit_are_infinite() {
        let host = Rlimit64 { cur: 8 << 20, max: 5 << 32 };
        assert_eq!(Rlimit32::from(host), Rlimit32 { cur: 8 << 20, max: u32::MAX });
        let back = Rlimit64::from(Rlimit32 { cur: 1, max: u32::MAX });
        assert_eq!(back, Rlimit64 { cur: 1, max: libc::RLIM_INFINITY });
    }

    #[test]
    fn memory_is_scaled_only_where_it_does_not_fit() {
        // SAFETY: sysinfo is plain data for which zero is a value.
        let mut host: libc::sysinfo = unsafe { std::mem::zeroed() };
        (host.totalram, host.freeram, host.mem_unit) = (3 << 30, 1 << 20, 1);
        let small = Sysinfo32::from(&host);
        assert_eq!((small.memory[0], small.memory[1], small.mem_unit), (3 << 30, 1 << 20, 1));
        host.totalram = 64 << 30;
        let large = Sysinfo32::from(&host);
        assert_eq!((large.memory[0], large.memory[1], large.mem_unit), (16 << 20, 256, 4096));
    }
}
