//! Single precision, four elements at a time.
//!
//! While the guest runs, MXCSR is the guest's. Addition, multiplication and the fused form load one of their own around the
//! host's instruction: it is what Arm's standard FPSCR value is, but for the sign of the default NaN, the flag of a flushed
//! operand, and results that are tiny before rounding, which are done again in integers.

use super::{IDC, IOC, IXC, OFC, soft};
use std::arch::asm;
use std::arch::x86_64::__m128i;
use zerocopy::transmute;

/// Everything masked, no flag, flush-to-zero, denormals-are-zero, round to nearest.
const MXCSR_STANDARD: u32 = 0x9fc0;

/// Runs an instruction under [`MXCSR_STANDARD`]; the result and the flags it raised.
macro_rules! standard {
    ($instruction:literal, $a:ident, $b:ident $(, $c:ident)?) => {{
        let (mut result, b): (__m128i, __m128i) = (transmute!($a), transmute!($b));
        $(let $c: __m128i = transmute!($c);)?
        let standard = MXCSR_STANDARD;
        let (mut guest, mut flags) = (0u32, 0u32);
        // SAFETY: MXCSR is as before at the end; the instruction touches registers only, and the caller has checked
        // that the host has it.
        unsafe {
            asm!(
                "stmxcsr [{guest}]",
                "ldmxcsr [{standard}]",
                $instruction,
                "stmxcsr [{flags}]",
                "ldmxcsr [{guest}]",
                a = inout(xmm_reg) result,
                b = in(xmm_reg) b,
                $(c = in(xmm_reg) $c,)?
                guest = in(reg) &raw mut guest,
                standard = in(reg) &raw const standard,
                flags = in(reg) &raw mut flags,
                options(nostack),
            );
        }
        (transmute!(result), flags)
    }};
}

/// Makes Arm's result and flags of the host's. `None`: it must be done again, a result was tiny.
fn finish(result: u128, mxcsr: u32, operands: &[u128], fpscr: &mut u32) -> Option<u128> {
    const UNDERFLOW: u32 = 1 << 4;
    let lanes: [u32; 4] = transmute!(result);
    // The least normal number may have been rounded up to.
    let tiny = lanes.iter().any(|x| x & 0x7fff_ffff == 0x0080_0000);
    if mxcsr & UNDERFLOW != 0 || tiny {
        return None;
    }
    *fpscr |= if mxcsr & 1 != 0 { IOC } else { 0 }
        | if mxcsr >> 3 & 1 != 0 { OFC } else { 0 }
        | if mxcsr >> 5 & 1 != 0 { IXC } else { 0 };
    for &x in operands {
        let x: [u32; 4] = transmute!(x);
        if x.iter().any(|x| x & 0x7f80_0000 == 0 && x & 0x7fff_ffff != 0) {
            *fpscr |= IDC;
        }
    }
    let lanes = lanes.map(|x| if x & 0x7fff_ffff > 0x7f80_0000 { soft::NAN } else { x });
    Some(transmute!(lanes))
}

fn any_nan(a: u128) -> bool {
    let a: [u32; 4] = transmute!(a);
    a.iter().any(|x| x & 0x7fff_ffff > 0x7f80_0000)
}

macro_rules! host {
    ($($name:ident $instruction:literal;)*) => {
        $(pub(super) fn $name(a: u128, b: u128, fpscr: &mut u32) -> u128 {
            let (result, mxcsr) = standard!($instruction, a, b);
            finish(result, mxcsr, &[a, b], fpscr).unwrap_or_else(|| map2(a, b, soft::$name, fpscr))
        })*
    };
}

host! {
    add "addps {a}, {b}";
    sub "subps {a}, {b}";
    mul "mulps {a}, {b}";
}

/// `acc + a * b`
pub(super) fn fma(acc: u128, a: u128, b: u128, fpscr: &mut u32) -> u128 {
    // Infinity times zero plus a quiet NaN is invalid on Arm, not here.
    if std::is_x86_feature_detected!("fma") && !any_nan(acc) {
        let (result, mxcsr) = standard!("vfmadd231ps {a}, {b}, {c}", acc, a, b);
        if let Some(result) = finish(result, mxcsr, &[acc, a, b], fpscr) {
            return result;
        }
    }
    let (acc, a, b): ([u32; 4], [u32; 4], [u32; 4]) = (transmute!(acc), transmute!(a), transmute!(b));
    let mut r = [0; 4];
    for k in 0..4 {
        r[k] = soft::fma(acc[k], a[k], b[k], fpscr);
    }
    transmute!(r)
}

/// `|a - b|`
pub(super) fn abd(a: u128, b: u128, fpscr: &mut u32) -> u128 {
    sub(a, b, fpscr) & !SIGNS
}

/// The sign bits.
pub(super) const SIGNS: u128 = 0x8000_0000_8000_0000_8000_0000_8000_0000;

pub(super) fn map1(a: u128, f: impl Fn(u32, &mut u32) -> u32, fpscr: &mut u32) -> u128 {
    let a: [u32; 4] = transmute!(a);
    transmute!(a.map(|x| f(x, fpscr)))
}

pub(super) fn map2(a: u128, b: u128, f: impl Fn(u32, u32, &mut u32) -> u32, fpscr: &mut u32) -> u128 {
    let (a, b): ([u32; 4], [u32; 4]) = (transmute!(a), transmute!(b));
    let mut r = [0; 4];
    for k in 0..4 {
        r[k] = f(a[k], b[k], fpscr);
    }
    transmute!(r)
}

/// FPSCR.AHP: the alternative half-precision format.
const AHP: u32 = 1 << 26;

pub(super) fn from_half(a: u128, fpscr: &mut u32) -> u128 {
    let (a, alternative): ([u16; 8], bool) = (transmute!(a), *fpscr & AHP != 0);
    let mut r = [0; 4];
    for k in 0..4 {
        r[k] = soft::from_half(a[k], alternative, fpscr);
    }
    transmute!(r)
}

pub(super) fn to_half(a: u128, fpscr: &mut u32) -> u128 {
    let (a, alternative): ([u32; 4], bool) = (transmute!(a), *fpscr & AHP != 0);
    let mut r = [0u16; 8];
    for k in 0..4 {
        r[k] = soft::to_half(a[k], alternative, fpscr);
    }
    transmute!(r)
}
