//! Reading and writing guest memory from system calls. A bad guest pointer is EFAULT, never a crash.

use crate::errno::Errno;
use crate::memory::PAGE;
use forearm_backend::fault;
use std::ffi::CString;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// The guest's 4 GiB as the host sees them. Copy: it is one number.
#[derive(Clone, Copy, Debug)]
pub struct GuestMemory {
    base: u64,
}

impl GuestMemory {
    /// Guest address 0 lies at host address `base`.
    pub fn new(base: u64) -> GuestMemory {
        GuestMemory { base }
    }

    /// Host address of a guest address; what a host system call takes as its pointer. 0 stays NULL.
    pub fn ptr<T>(self, addr: u32) -> *mut T {
        if addr == 0 { std::ptr::null_mut() } else { (self.base + u64::from(addr)) as *mut T }
    }

    /// Like [`ptr`](Self::ptr) but guest address 0 is an address too.
    pub fn host<T>(self, addr: u32) -> *mut T {
        (self.base + u64::from(addr)) as *mut T
    }

    /// Reads a value.
    ///
    /// # Errors
    /// EFAULT.
    pub fn read<T: FromBytes>(self, addr: u32) -> Result<T, Errno> {
        let mut value = std::mem::MaybeUninit::<T>::uninit();
        // SAFETY: the destination is ours and as long as T; the source is guest memory, faults are reported.
        unsafe { fault::copy(value.as_mut_ptr().cast(), self.host(addr), size_of::<T>())? };
        // SAFETY: all bytes were written and T takes any bytes (FromBytes).
        Ok(unsafe { value.assume_init() })
    }

    /// Writes a value.
    ///
    /// # Errors
    /// EFAULT.
    pub fn write<T: IntoBytes + Immutable>(self, addr: u32, value: &T) -> Result<(), Errno> {
        self.write_bytes(addr, value.as_bytes())
    }

    /// Reads `len` bytes.
    ///
    /// # Errors
    /// EFAULT.
    pub fn read_bytes(self, addr: u32, len: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; len];
        self.read_into(addr, &mut bytes)?;
        Ok(bytes)
    }

    /// Fills `bytes` from guest memory.
    ///
    /// # Errors
    /// EFAULT.
    pub fn read_into(self, addr: u32, bytes: &mut [u8]) -> Result<(), Errno> {
        // SAFETY: the destination is a slice; the source is guest memory, faults are reported.
        unsafe { fault::copy(bytes.as_mut_ptr(), self.host(addr), bytes.len())? };
        Ok(())
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// EFAULT.
    pub fn write_bytes(self, addr: u32, bytes: &[u8]) -> Result<(), Errno> {
        if u64::from(addr) + bytes.len() as u64 > 1 << 32 {
            return Err(Errno(libc::EFAULT));
        }
        // SAFETY: the source is a slice; the destination is guest memory, faults are reported.
        unsafe { fault::copy(self.host(addr), bytes.as_ptr(), bytes.len())? };
        Ok(())
    }

    /// Reads an extensible structure of `size` bytes, as `copy_struct_from_user` of the kernel: what is known of it, and all of
    /// it. Fields of later kernels may follow; the host judges them.
    ///
    /// # Errors
    /// EINVAL when it is shorter than what is known, E2BIG when it is longer than a page, EFAULT.
    pub fn read_extensible<T: FromBytes>(self, addr: u32, size: usize) -> Result<(T, Vec<u8>), Errno> {
        if size > PAGE as usize {
            return Err(Errno(libc::E2BIG));
        }
        if size < size_of::<T>() {
            return Err(Errno(libc::EINVAL));
        }
        let bytes = self.read_bytes(addr, size)?;
        let (known, _) = T::read_from_prefix(&bytes).map_err(|_| Errno(libc::EINVAL))?;
        Ok((known, bytes))
    }

    /// Reads an array of `n` values.
    ///
    /// # Errors
    /// EFAULT; EINVAL when the array would be larger than the address space.
    pub fn read_array<T: FromBytes + IntoBytes + Clone>(self, addr: u32, n: usize) -> Result<Vec<T>, Errno> {
        if n.saturating_mul(size_of::<T>()) > 1 << 31 {
            return Err(Errno(libc::EINVAL));
        }
        let mut values = vec![T::new_zeroed(); n];
        self.read_into(addr, values.as_mut_slice().as_mut_bytes())?;
        Ok(values)
    }

    /// Reads a NUL-terminated string of at most PATH_MAX bytes, as `getname` of the kernel does.
    ///
    /// # Errors
    /// EFAULT, ENAMETOOLONG.
    pub fn read_path(self, addr: u32) -> Result<CString, Errno> {
        self.read_cstr(addr, libc::PATH_MAX as usize, libc::ENAMETOOLONG)
    }

    /// Reads a NUL-terminated string of fewer than `max` bytes.
    ///
    /// # Errors
    /// EFAULT; `too_long` when there is no NUL within `max` bytes.
    pub fn read_cstr(self, addr: u32, max: usize, too_long: i32) -> Result<CString, Errno> {
        let mut bytes = Vec::new();
        let mut at = u64::from(addr);
        while bytes.len() < max {
            // Never over a page boundary: the string may end just before an unmapped page.
            let chunk = (4096 - (at as usize & 4095)).min(max - bytes.len());
            if at >> 32 != 0 {
                return Err(Errno(libc::EFAULT));
            }
            let start = bytes.len();
            bytes.resize(start + chunk, 0);
            self.read_into(at as u32, &mut bytes[start..])?;
            if let Some(end) = bytes[start..].iter().position(|&b| b == 0) {
                bytes.truncate(start + end);
                return Ok(CString::new(bytes).expect("cut at the first NUL"));
            }
            at += chunk as u64;
        }
        Err(Errno(too_long))
    }
}
