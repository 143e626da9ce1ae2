//! Scatter and gather lists (`struct compat_iovec`).

use crate::errno::Errno;
use crate::memory::GuestMemory;
use smallvec::SmallVec;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `struct iovec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Iovec32 {
    /// Guest address.
    pub base: u32,
    /// Bytes.
    pub len: u32,
}

/// A list in the host's form; most have few entries.
pub type HostIovecs = SmallVec<[libc::iovec; 8]>;

/// Longest list the kernel takes.
pub const UIO_MAXIOV: u32 = 1024;

/// Reads a guest's list of `count` entries. The buffers are not looked at: the host kernel does that.
///
/// # Errors
/// EINVAL for a count above [`UIO_MAXIOV`] or a negative length, EFAULT for the list itself.
pub fn read(mem: GuestMemory, addr: u32, count: u32) -> Result<HostIovecs, Errno> {
    if count > UIO_MAXIOV {
        return Err(Errno(libc::EINVAL));
    }
    let mut guest: SmallVec<[Iovec32; 8]> = SmallVec::from_elem(Iovec32 { base: 0, len: 0 }, count as usize);
    mem.read_into(addr, guest.as_mut_slice().as_mut_bytes())?;
    guest
        .into_iter()
        .map(|v| match i32::try_from(v.len) {
            Ok(_) => Ok(libc::iovec { iov_base: mem.ptr(v.base), iov_len: v.len as usize }),
            Err(_) => Err(Errno(libc::EINVAL)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A "guest" whose address 0 is the start of `bytes`.
    fn guest_of(bytes: &[u32]) -> GuestMemory {
        GuestMemory::new(bytes.as_ptr() as u64)
    }

    #[test]
    fn entries_become_host_pointers() {
        let words = [0u32, 0, 0x1000, 5, 0, 7];
        let mem = guest_of(&words);
        let list = read(mem, 8, 2).unwrap();
        assert_eq!(list[0].iov_base, mem.ptr(0x1000));
        assert_eq!((list[0].iov_len, list[1].iov_len), (5, 7));
        assert!(list[1].iov_base.is_null());
    }

    #[test]
    fn kernel_limits() {
        let words = [0x1000u32, 0x8000_0000];
        assert_eq!(read(guest_of(&words), 0, 1).unwrap_err(), Errno(libc::EINVAL));
        assert_eq!(read(guest_of(&words), 0, UIO_MAXIOV + 1).unwrap_err(), Errno(libc::EINVAL));
        assert!(read(guest_of(&words), 0, 0).unwrap().is_empty());
    }
}
