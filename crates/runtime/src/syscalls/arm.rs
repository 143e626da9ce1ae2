//! The private system calls of ARM (arch/arm/kernel/traps.c: arm_syscall).

use super::Args;
use crate::errno::{Errno, SysResult};
use crate::signals::deliver;
use crate::threads::Thread;

/// First private number; those up to `LAST_ENOSYS` that do not exist answer ENOSYS, those above are SIGILL.
pub const BASE: u32 = 0xf0000;
/// The last number that may be probed for.
pub const LAST_ENOSYS: u32 = BASE + 0x7ff;

/// breakpoint: SIGTRAP at the instruction itself.
pub fn breakpoint(t: &mut Thread, _: Args) -> SysResult {
    t.cpu.r[15] = t.cpu.r[15].wrapping_sub(if t.cpu.thumb != 0 { 2 } else { 4 });
    deliver::breakpoint(t);
    Ok(t.cpu.r[0])
}

/// cacheflush(start, end, flags).
pub fn cacheflush(t: &mut Thread, a: Args) -> SysResult {
    let (start, end) = (a[0], a[1]);
    if end < start || a[2] != 0 {
        return Err(Errno(libc::EINVAL));
    }
    t.process.memory.code_changed(u64::from(start)..u64::from(end));
    Ok(0)
}

/// usr26 and usr32: 26-bit mode is gone; a 32-bit program that asks for what it has gets it.
pub fn usr32(_: &mut Thread, a: Args) -> SysResult {
    Ok(a[0])
}

/// set_tls.
pub fn set_tls(t: &mut Thread, a: Args) -> SysResult {
    t.cpu.tpidruro = a[0];
    Ok(0)
}

/// get_tls.
pub fn get_tls(t: &mut Thread, _: Args) -> SysResult {
    Ok(t.cpu.tpidruro)
}

/// A private number that does not exist.
pub fn unknown(t: &mut Thread, number: u32) -> SysResult {
    if number <= LAST_ENOSYS {
        return Err(Errno(libc::ENOSYS));
    }
    t.cpu.r[15] = t.cpu.r[15].wrapping_sub(if t.cpu.thumb != 0 { 2 } else { 4 });
    deliver::undefined(t);
    Ok(t.cpu.r[0])
}
