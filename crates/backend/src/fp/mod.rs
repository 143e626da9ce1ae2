//! The guest's floating point: FPSCR and MXCSR, and the operations of both tiers.
//!
//! While the guest runs, the host's MXCSR is the guest's: it holds the rounding mode, flush-to-zero and the cumulative
//! exception flags that both architectures have. The rest of FPSCR is a word in `CpuState`.

mod convert;
mod ops;
pub mod soft;
pub mod trap;

pub use ops::*;

use soft::fpscr::FZ;
use std::arch::asm;

/// All exceptions masked, round to nearest, no flags.
pub const MXCSR_DEFAULT: u32 = 0x1f80;

/// The bits that exist: N, Z, C, V, QC, AHP, DN, FZ, RMode, and the cumulative flags. Short vectors (LEN, STRIDE) and trap
/// enables are not implemented and read as zero, as on the Cortex-A cores of Armv8.
const FPSCR_BITS: u32 = 0xffc0_009f;
/// IOC, DZC, OFC, UFC, IXC in FPSCR against IE, ZE, OE, UE, PE in MXCSR.
const FLAGS: [(u32, u32); 5] = [(0, 0), (1, 2), (2, 3), (3, 4), (4, 5)];
/// The cumulative bits that MXCSR can hold; IDC (bit 7) is in the stored word only.
const FPSCR_HOST_FLAGS: u32 = 0x1f;

/// FPSCR from its stored part and the guest's MXCSR. A cumulative bit is set when it is in either.
pub fn fpscr_of(stored: u32, mxcsr: u32) -> u32 {
    FLAGS.iter().fold(stored, |x, &(arm, x86)| x | (mxcsr >> x86 & 1) << arm)
}

/// The stored part and the MXCSR for an FPSCR.
pub fn split_fpscr(fpscr: u32) -> (u32, u32) {
    // RMode: nearest, +inf, -inf, zero. MXCSR.RC: nearest, -inf, +inf, zero.
    let rounding = [0, 2, 1, 3][(fpscr >> 22 & 3) as usize] << 13;
    let flush = if fpscr & FZ != 0 { 0x8040 } else { 0 };
    (fpscr & FPSCR_BITS & !FPSCR_HOST_FLAGS, MXCSR_DEFAULT | rounding | flush | host_flags(fpscr))
}

fn host_flags(fpscr: u32) -> u32 {
    FLAGS.iter().fold(0, |x, &(arm, x86)| x | (fpscr >> arm & 1) << x86)
}

/// The host's MXCSR as it is now.
pub fn mxcsr() -> u32 {
    let mut x = 0u32;
    // SAFETY: stores four bytes to `x`.
    unsafe { asm!("stmxcsr [{}]", in(reg) &mut x, options(nostack, preserves_flags)) };
    x
}

/// Sets the host's MXCSR. Only while the guest runs: nothing of Rust's own floating point happens then.
pub fn set_mxcsr(x: u32) {
    // SAFETY: reads four bytes of `x`; `x` has no reserved bits, as it comes from `mxcsr` or `split_fpscr`.
    unsafe { asm!("ldmxcsr [{}]", in(reg) &x, options(nostack, readonly)) };
}

/// FPSCR while the guest runs.
pub fn live_fpscr(stored: u32) -> u32 {
    fpscr_of(stored, mxcsr())
}

/// Sets FPSCR while the guest runs.
pub fn set_live_fpscr(stored: &mut u32, fpscr: u32) {
    let (rest, mxcsr) = split_fpscr(fpscr);
    *stored = rest;
    set_mxcsr(mxcsr);
}

/// Sets cumulative exception bits (as in FPSCR) while the guest runs.
pub fn raise(stored: &mut u32, exceptions: u32) {
    *stored |= exceptions;
}

#[cfg(test)]
mod tests;
