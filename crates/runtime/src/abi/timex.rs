//! `struct timex` of adjtimex and clock_adjtime. The time64 form is the host's own structure.

use super::time::Timeval32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `struct old_timex32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
#[allow(missing_docs)] // The names are those of adjtimex(2).
pub struct Timex32 {
    pub modes: u32,
    pub offset: i32,
    pub freq: i32,
    pub maxerror: i32,
    pub esterror: i32,
    pub status: i32,
    pub constant: i32,
    pub precision: i32,
    pub tolerance: i32,
    pub time: Timeval32,
    pub tick: i32,
    pub ppsfreq: i32,
    pub jitter: i32,
    pub shift: i32,
    pub stabil: i32,
    pub jitcnt: i32,
    pub calcnt: i32,
    pub errcnt: i32,
    pub stbcnt: i32,
    pub tai: i32,
    pub pad: [i32; 11],
}

impl Timex32 {
    /// As the host has it.
    pub fn to_host(self) -> libc::timex {
        // SAFETY: timex is plain data for which zero is a value (it has private padding).
        let mut host: libc::timex = unsafe { std::mem::zeroed() };
        host.modes = self.modes;
        host.offset = self.offset.into();
        host.freq = self.freq.into();
        host.maxerror = self.maxerror.into();
        host.esterror = self.esterror.into();
        host.status = self.status;
        host.constant = self.constant.into();
        host.precision = self.precision.into();
        host.tolerance = self.tolerance.into();
        host.time = self.time.into();
        host.tick = self.tick.into();
        host.ppsfreq = self.ppsfreq.into();
        host.jitter = self.jitter.into();
        host.shift = self.shift;
        host.stabil = self.stabil.into();
        host.jitcnt = self.jitcnt.into();
        host.calcnt = self.calcnt.into();
        host.errcnt = self.errcnt.into();
        host.stbcnt = self.stbcnt.into();
        host.tai = self.tai;
        host
    }

    /// From the host; values are cut to 32 bits as the kernel does.
    pub fn from_host(host: &libc::timex) -> Timex32 {
        Timex32 {
            modes: host.modes,
            offset: host.offset as i32,
            freq: host.freq as i32,
            maxerror: host.maxerror as i32,
            esterror: host.esterror as i32,
            status: host.status,
            constant: host.constant as i32,
            precision: host.precision as i32,
            tolerance: host.tolerance as i32,
            time: host.time.into(),
            tick: host.tick as i32,
            ppsfreq: host.ppsfreq as i32,
            jitter: host.jitter as i32,
            shift: host.shift,
            stabil: host.stabil as i32,
            jitcnt: host.jitcnt as i32,
            calcnt: host.calcnt as i32,
            errcnt: host.errcnt as i32,
            stbcnt: host.stbcnt as i32,
            tai: host.tai,
            pad: [0; 11],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        assert_eq!(size_of::<Timex32>(), 128);
        assert_eq!(size_of::<libc::timex>(), 208, "the size of __kernel_timex");
        let words: [i32; 32] = std::array::from_fn(|n| if n < 21 { -(n as i32) } else { 0 });
        let guest = Timex32::read_from_bytes(words.as_bytes()).unwrap();
        assert_eq!(Timex32::from_host(&guest.to_host()), guest);
    }
}
