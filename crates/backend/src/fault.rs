//! Accesses to guest memory that may fault, and what the host's SIGSEGV handler asks about them.
//!
//! The runtime owns the host's signal handlers. For a SIGSEGV or SIGBUS it first calls
//! [`recover`]; `true` means the context was changed so that returning from the handler
//! continues at a recovery point of this crate.

use crate::engine::{ExitCode, Fault};
use crate::{enter, returns};
use std::arch::global_asm;

/// Bytes above the guest's 4 GiB that an access from its last bytes can reach, with the offset that compiled code adds in
/// 64 bits; unmapped.
pub const GUARD: u64 = 8192;

/// A guest address range that could not be accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadAddress;

// A copy that reports a fault instead of dying of it. Returns the number of bytes not copied.
global_asm!(
    ".global forearm_copy",
    ".global forearm_copy_insn",
    ".global forearm_copy_fixup",
    "forearm_copy:",
    "mov rcx, rdx",
    "forearm_copy_insn:",
    "rep movsb",
    "forearm_copy_fixup:",
    "mov rax, rcx",
    "ret",
);

unsafe extern "C" {
    fn forearm_copy(dst: *mut u8, src: *const u8, len: usize) -> usize;
    static forearm_copy_insn: u8;
    static forearm_copy_fixup: u8;
}

/// Copies `len` bytes; either side may be guest memory that is not there.
///
/// # Errors
/// [`BadAddress`] when a byte could not be read or written; the bytes before it were copied.
///
/// # Safety
/// Each side is guest memory (mapped or not) or host memory valid for `len` bytes; the host side is not aliased.
pub unsafe fn copy(dst: *mut u8, src: *const u8, len: usize) -> Result<(), BadAddress> {
    // SAFETY: the caller's promise; a fault inside is turned into a short count by `recover`.
    if unsafe { forearm_copy(dst, src, len) } == 0 { Ok(()) } else { Err(BadAddress) }
}

// A 32-bit system call of the host. Kernels without IA32 emulation answer with a fault.
global_asm!(
    ".global forearm_compat",
    ".global forearm_compat_insn",
    ".global forearm_compat_fixup",
    "forearm_compat:",
    "push rbx",
    "mov eax, edi",
    "mov ebx, esi",
    "mov ecx, edx",
    "forearm_compat_insn:",
    "int 0x80",
    "pop rbx",
    "ret",
    "forearm_compat_fixup:",
    "mov eax, -38", // ENOSYS
    "pop rbx",
    "ret",
);

unsafe extern "C" {
    fn forearm_compat(number: u32, a: u32, b: u32) -> i32;
    static forearm_compat_insn: u8;
    static forearm_compat_fixup: u8;
}

/// Makes call `number` of the host's i386 table; `-errno` or the result. -ENOSYS where the kernel has no IA32
/// emulation, and under a seccomp filter, which may kill a process for such a call.
///
/// # Safety
/// As any system call: its effect on memory is the caller's business.
pub unsafe fn compat_syscall(number: u32, a: u32, b: u32) -> i32 {
    // SAFETY: no memory is involved.
    if unsafe { libc::prctl(libc::PR_GET_SECCOMP) } != 0 {
        return -libc::ENOSYS;
    }
    // SAFETY: the caller's promise; a fault is turned into -ENOSYS by `recover`.
    unsafe { forearm_compat(number, a, b) }
}

/// Called by the host's SIGSEGV and SIGBUS handler. `true`: the fault was in guest code or in a function of this module, and
/// `context` now continues at its recovery point. `false`: the fault is the translator's own or was sent by kill.
///
/// # Safety
/// `info` and `context` are those the kernel passed to the handler of a synchronous SIGSEGV or SIGBUS.
pub unsafe fn recover(info: &libc::siginfo_t, context: &mut libc::ucontext_t) -> bool {
    let rip = context.uc_mcontext.gregs[libc::REG_RIP as usize];
    // Only addresses are taken, nothing is read.
    if rip == &raw const forearm_copy_insn as i64 {
        context.uc_mcontext.gregs[libc::REG_RIP as usize] = &raw const forearm_copy_fixup as i64;
        return true;
    }
    if rip == &raw const forearm_compat_insn as i64 {
        context.uc_mcontext.gregs[libc::REG_RIP as usize] = &raw const forearm_compat_fixup as i64;
        return true;
    }
    let Some(cpu) = enter::current() else { return false };
    // SAFETY: a synchronous SIGSEGV or SIGBUS has si_addr.
    let addr = unsafe { info.si_addr() } as u64;
    if info.si_code > 0 && returns::recover(cpu, addr, &mut context.uc_mcontext.gregs[libc::REG_RSP as usize])
    {
        return true;
    }
    let guest = addr.wrapping_sub(cpu.base);
    if info.si_code <= 0 || guest >= (1 << 32) + GUARD {
        return false;
    }
    // Bit 1 of the page-fault error code: a write.
    let write = context.uc_mcontext.gregs[libc::REG_ERR as usize] & 2 != 0;
    cpu.host.fault = Fault { addr: guest as u32, signal: info.si_signo, code: info.si_code, write };
    cpu.host.exit = ExitCode::DataAbort as u32;
    cpu.host.fault_at = rip as u64;
    context.uc_mcontext.gregs[libc::REG_RDI as usize] = std::ptr::from_mut(cpu) as i64;
    context.uc_mcontext.gregs[libc::REG_RIP as usize] = enter::abandon_address();
    true
}
