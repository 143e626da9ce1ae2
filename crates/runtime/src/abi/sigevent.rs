//! `struct sigevent`: what a timer or queue does when it fires.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `struct sigevent`, 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Sigevent32 {
    /// `sival_int` or a guest pointer.
    pub value: u32,
    /// Signal.
    pub signo: i32,
    /// `SIGEV_*`.
    pub notify: i32,
    /// Thread of SIGEV_THREAD_ID.
    pub tid: i32,
    /// The rest of the union.
    pub pad: [u32; 12],
}

/// The host's `struct sigevent` as the kernel reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct HostSigevent {
    /// `sival_ptr`; a siginfo made from it has the guest's value in its low half.
    pub value: u64,
    /// Signal.
    pub signo: i32,
    /// `SIGEV_*`.
    pub notify: i32,
    /// Thread of SIGEV_THREAD_ID.
    pub tid: i32,
    /// The rest of the union.
    pub pad: [u32; 11],
}

impl From<Sigevent32> for HostSigevent {
    fn from(s: Sigevent32) -> Self {
        HostSigevent { value: s.value.into(), signo: s.signo, notify: s.notify, tid: s.tid, pad: [0; 11] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout() {
        assert_eq!(size_of::<Sigevent32>(), 64);
        assert_eq!(size_of::<HostSigevent>(), size_of::<libc::sigevent>());
        let guest = Sigevent32 { value: 0xffff_fff0, signo: 10, notify: 4, tid: 77, pad: [1; 12] };
        let host = HostSigevent::from(guest);
        assert_eq!((host.value, host.signo, host.notify, host.tid), (0xffff_fff0, 10, 4, 77));
        assert_eq!(
            std::mem::offset_of!(HostSigevent, tid),
            std::mem::offset_of!(libc::sigevent, sigev_notify_thread_id)
        );
    }
}
