//! Calls of the host kernel with arguments of mixed types.
//!
//! `host!(nr, args..)` is for calls that do not wait; `host_wait!(nr, args..)` for those that may, and goes through
//! the restartable window of the signals module.

use crate::errno::{Errno, SysResult};

/// A value as a 64-bit host register.
pub trait HostArg {
    /// Zero-extended where unsigned, sign-extended where signed.
    fn arg(self) -> u64;
}

impl HostArg for u32 {
    fn arg(self) -> u64 {
        self.into()
    }
}

impl HostArg for i32 {
    fn arg(self) -> u64 {
        self as i64 as u64
    }
}

impl HostArg for u64 {
    fn arg(self) -> u64 {
        self
    }
}

impl HostArg for usize {
    fn arg(self) -> u64 {
        self as u64
    }
}

impl<T> HostArg for *const T {
    fn arg(self) -> u64 {
        self as u64
    }
}

impl<T> HostArg for *mut T {
    fn arg(self) -> u64 {
        self as u64
    }
}

impl<T> HostArg for &T {
    fn arg(self) -> u64 {
        self as *const T as u64
    }
}

impl<T> HostArg for &mut T {
    fn arg(self) -> u64 {
        self as *mut T as u64
    }
}

/// NULL for `None`.
impl<T> HostArg for Option<&T> {
    fn arg(self) -> u64 {
        self.map_or(0, HostArg::arg)
    }
}

/// NULL for `None`.
impl<T> HostArg for Option<&mut T> {
    fn arg(self) -> u64 {
        self.map_or(0, HostArg::arg)
    }
}

/// The six registers of a host call from fewer arguments.
pub fn registers<const N: usize>(args: [u64; N]) -> [u64; 6] {
    let mut registers = [0; 6];
    registers[..N].copy_from_slice(&args);
    registers
}

/// A host call that does not wait.
pub fn call(nr: libc::c_long, a: [u64; 6]) -> SysResult {
    // SAFETY: pointers among the arguments are guest memory, whose content the translator never relies on, or
    // objects of the caller with the layout that call `nr` has.
    match unsafe { libc::syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]) } {
        -1 => Err(Errno::last()),
        value => Ok(value as u32),
    }
}

/// A host call that does not wait: number, then arguments of any [`HostArg`] type.
macro_rules! host {
    ($nr:expr $(, $arg:expr)* $(,)?) => {
        $crate::syscalls::host::call($nr, $crate::syscalls::host::registers([$($crate::syscalls::host::HostArg::arg($arg)),*]))
    };
}

/// A host call that may wait: number, then arguments of any [`HostArg`] type.
macro_rules! host_wait {
    ($nr:expr $(, $arg:expr)* $(,)?) => {
        $crate::signals::syscall($nr, [$($crate::syscalls::host::HostArg::arg($arg)),*])
    };
}

pub(crate) use {host, host_wait};
