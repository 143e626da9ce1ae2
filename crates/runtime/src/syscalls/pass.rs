//! Calls whose arguments mean the same to the host kernel once pointers are host pointers.
//!
//! The EABI aligns 64-bit fields to 8 bytes as x86-64 does, so every structure without `long`s and pointers has one
//! layout in both, and the host kernel itself reads and writes it in guest memory.

use super::Args;
use crate::errno::SysResult;
use crate::signals;
use crate::threads::Thread;

/// How a register becomes a host argument.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arg {
    /// Signed: descriptors, `int` and `long`.
    Int,
    /// Unsigned: flags, modes, IDs, `size_t`.
    Uint,
    /// Address in guest memory; 0 stays NULL.
    Ptr,
}

/// Makes host call `nr` with the registers of `a`.
pub(super) fn pass(t: &Thread, a: Args, nr: libc::c_long, kinds: &[Arg]) -> SysResult {
    let mut regs = [0u64; 6];
    for (n, kind) in kinds.iter().enumerate() {
        regs[n] = match kind {
            Arg::Int => a.i32(n) as i64 as u64,
            Arg::Uint => a[n].into(),
            Arg::Ptr => t.mem.ptr::<u8>(a[n]) as u64,
        };
    }
    signals::syscall(nr, regs)
}

/// Defines handlers that pass everything on: a line a call, with the kind of each register.
macro_rules! passthrough {
    ($($(#[$doc:meta])* $name:ident = $nr:expr, ($($kind:ident)*);)*) => {$(
        $(#[$doc])*
        pub(super) fn $name(
            t: &mut $crate::threads::Thread,
            a: $crate::syscalls::Args,
        ) -> $crate::errno::SysResult {
            $crate::syscalls::pass::pass(t, a, $nr, &[$($crate::syscalls::pass::Arg::$kind),*])
        }
    )*};
}

pub(super) use passthrough;
