//! Record locks (`include/uapi/asm-generic/fcntl.h`).

use super::stat::MAX_NON_LFS;
use crate::errno::Errno;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `struct flock`. `struct flock64` is the host's own `struct flock`, bit for bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Flock32 {
    /// F_RDLCK, F_WRLCK, F_UNLCK.
    pub kind: i16,
    /// SEEK_SET, SEEK_CUR, SEEK_END.
    pub whence: i16,
    /// First byte.
    pub start: i32,
    /// Bytes; 0: to the end of the file.
    pub len: i32,
    /// Holder of a lock that was found.
    pub pid: i32,
}

impl From<Flock32> for libc::flock {
    fn from(lock: Flock32) -> libc::flock {
        libc::flock {
            l_type: lock.kind,
            l_whence: lock.whence,
            l_start: lock.start.into(),
            l_len: lock.len.into(),
            l_pid: lock.pid,
        }
    }
}

impl TryFrom<libc::flock> for Flock32 {
    type Error = Errno;

    /// As `posix_lock_to_flock` of a 32-bit kernel: EOVERFLOW when the lock's start or end is beyond 2 GiB.
    fn try_from(lock: libc::flock) -> Result<Flock32, Errno> {
        let end = if lock.l_len == 0 { lock.l_start } else { lock.l_start.saturating_add(lock.l_len - 1) };
        if lock.l_type != libc::F_UNLCK as i16 && end > MAX_NON_LFS {
            return Err(Errno(libc::EOVERFLOW));
        }
        Ok(Flock32 {
            kind: lock.l_type,
            whence: lock.l_whence,
            start: lock.l_start as i32,
            len: lock.l_len as i32,
            pid: lock.l_pid,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[test]
    fn flock64_is_the_hosts_flock() {
        assert_eq!(size_of::<Flock32>(), 16);
        assert_eq!(size_of::<libc::flock>(), 32);
        assert_eq!(offset_of!(libc::flock, l_start), 8);
        assert_eq!(offset_of!(libc::flock, l_len), 16);
        assert_eq!(offset_of!(libc::flock, l_pid), 24);
    }

    #[test]
    fn locks_beyond_two_gib_overflow() {
        let lock = Flock32 { kind: libc::F_WRLCK as i16, whence: 0, start: 10, len: 0, pid: 3 };
        let host = libc::flock::from(lock);
        assert_eq!(Flock32::try_from(host), Ok(lock));
        assert!(Flock32::try_from(libc::flock { l_start: 1 << 31, ..host }).is_err());
        assert!(Flock32::try_from(libc::flock { l_start: 1 << 30, l_len: 1 << 30, ..host }).is_ok());
        assert!(Flock32::try_from(libc::flock { l_start: 1 << 30, l_len: (1 << 30) + 1, ..host }).is_err());
    }
}
