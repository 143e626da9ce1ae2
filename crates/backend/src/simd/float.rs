//! Single precision, four elements at a time, under the standard FPSCR value (Arm ARM A2.7.7): flush-to-zero, default NaN,
//! round to nearest.
//!
//! While the guest runs, MXCSR is the guest's. The common operations load one of their own around the host's instruction:
//! it is the standard FPSCR value, but for the sign of the default NaN, the flag of a flushed operand, and results that are
//! tiny before rounding. Those, and what the host lacks, go element by element through `fp::soft`.

use super::estimate;
use super::{AHP, IDC, IOC, IXC, OFC};
use crate::fp::soft::fpscr::STANDARD;
use crate::fp::soft::{Env, SINGLE};
use forearm_frontend::machine::{Fixed, Rounding};
use std::arch::asm;
use std::arch::x86_64::__m128i;
use zerocopy::transmute;

/// Everything masked, no flag, flush-to-zero, denormals-are-zero, round to nearest.
const MXCSR_STANDARD: u32 = 0x9fc0;

/// Runs an instruction under [`MXCSR_STANDARD`]; the result and the flags it raised.
macro_rules! standard {
    ($instruction:literal, $a:ident $(, $operand:ident $name:ident)*) => {{
        let mut result: __m128i = transmute!($a);
        $(let $operand: __m128i = transmute!($operand);)*
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
                $($name = in(xmm_reg) $operand,)*
                guest = in(reg) &raw mut guest,
                standard = in(reg) &raw const standard,
                flags = in(reg) &raw mut flags,
                options(nostack),
            );
        }
        let result: u128 = transmute!(result);
        (result, flags)
    }};
}

/// MXCSR's flags.
mod mxcsr {
    pub const INVALID: u32 = 1;
    pub const OVERFLOW: u32 = 1 << 3;
    pub const UNDERFLOW: u32 = 1 << 4;
    pub const INEXACT: u32 = 1 << 5;
}

const MAGNITUDE: u32 = 0x7fff_ffff;
const INFINITY: u32 = 0x7f80_0000;
const LEAST_NORMAL: u32 = 0x0080_0000;
const DEFAULT_NAN: u32 = 0x7fc0_0000;

/// Does this hold for any element?
#[inline(always)]
fn any(a: u128, f: impl Fn(u32) -> bool) -> bool {
    let a: [u32; 4] = transmute!(a);
    a.into_iter().fold(false, |x, element| x | f(element))
}

#[inline(always)]
fn is_nan(x: u32) -> bool {
    x & MAGNITUDE > INFINITY
}

#[inline(always)]
fn is_subnormal(x: u32) -> bool {
    (x & MAGNITUDE).wrapping_sub(1) < LEAST_NORMAL - 1
}

/// Neither NaN nor subnormal.
#[inline(always)]
fn all_ordinary(a: u128) -> bool {
    !any(a, |x| is_nan(x) | is_subnormal(x))
}

/// Makes Arm's result and flags of the host's. `None`: it must be done again, a result was tiny.
#[inline(always)]
fn finish(result: u128, flags: u32, operands: &[u128], fpscr: &mut u32) -> Option<u128> {
    // The least normal number may have been rounded up to.
    if flags & mxcsr::UNDERFLOW != 0 || any(result, |x| x & MAGNITUDE == LEAST_NORMAL) {
        return None;
    }
    raise(flags, fpscr);
    if operands.iter().any(|&x| any(x, is_subnormal)) {
        *fpscr |= IDC;
    }
    let lanes: [u32; 4] = transmute!(result);
    Some(transmute!(lanes.map(|x| if is_nan(x) { DEFAULT_NAN } else { x })))
}

/// Hands on the exceptions that both architectures see alike.
#[inline(always)]
fn raise(flags: u32, fpscr: &mut u32) {
    let mut bit = |from: u32, to: u32| *fpscr |= if flags & from != 0 { to } else { 0 };
    bit(mxcsr::INVALID, IOC);
    bit(mxcsr::OVERFLOW, OFC);
    bit(mxcsr::INEXACT, IXC);
}

// ---- element by element

/// Runs one element through the soft implementation.
pub(super) fn soft<T>(fpscr: &mut u32, f: impl FnOnce(&mut Env) -> T) -> T {
    let mut env = Env::new(STANDARD | *fpscr & AHP);
    let result = f(&mut env);
    *fpscr |= env.raised;
    result
}

fn map1(a: u128, fpscr: &mut u32, f: impl Fn(&mut Env, u64) -> u64) -> u128 {
    let a: [u32; 4] = transmute!(a);
    transmute!(a.map(|x| soft(fpscr, |env| f(env, x.into())) as u32))
}

fn map2(a: u128, b: u128, fpscr: &mut u32, f: impl Fn(&mut Env, u64, u64) -> u64) -> u128 {
    let (a, b): ([u32; 4], [u32; 4]) = (transmute!(a), transmute!(b));
    let mut r = [0; 4];
    for k in 0..4 {
        r[k] = soft(fpscr, |env| f(env, a[k].into(), b[k].into())) as u32;
    }
    transmute!(r)
}

// ---- arithmetic

macro_rules! arithmetic {
    ($($name:ident $instruction:literal;)*) => {
        $(pub(super) fn $name(a: u128, b: u128, fpscr: &mut u32) -> u128 {
            let (result, flags) = standard!($instruction, a, b b);
            finish(result, flags, &[a, b], fpscr)
                .unwrap_or_else(|| map2(a, b, fpscr, |env, x, y| env.$name(SINGLE, x, y)))
        })*
    };
}

arithmetic! {
    add "addps {a}, {b}";
    sub "subps {a}, {b}";
    mul "mulps {a}, {b}";
}

/// `acc + a * b`, rounded once.
pub(super) fn fma(acc: u128, a: u128, b: u128, fpscr: &mut u32) -> u128 {
    // Infinity times zero plus a quiet NaN is invalid on Arm, not on the host.
    if std::is_x86_feature_detected!("fma") && !any(acc, is_nan) {
        let (x, y) = (a, b);
        let (result, flags) = standard!("vfmadd231ps {a}, {b}, {c}", acc, x b, y c);
        if let Some(result) = finish(result, flags, &[acc, a, b], fpscr) {
            return result;
        }
    }
    let (acc, a, b): ([u32; 4], [u32; 4], [u32; 4]) = (transmute!(acc), transmute!(a), transmute!(b));
    let mut r = [0; 4];
    for k in 0..4 {
        r[k] = soft(fpscr, |env| env.mul_add(SINGLE, acc[k].into(), a[k].into(), b[k].into())) as u32;
    }
    transmute!(r)
}

/// The sign bits.
pub(super) const SIGNS: u128 = 0x8000_0000_8000_0000_8000_0000_8000_0000;

/// `|a - b|`
pub(super) fn abd(a: u128, b: u128, fpscr: &mut u32) -> u128 {
    sub(a, b, fpscr) & !SIGNS
}

// ---- comparison: of ordinary numbers it is that of integers

/// A number's place in the order of the reals, the zeros equal.
#[inline(always)]
fn order(x: u32) -> i32 {
    let sign = x as i32 >> 31;
    ((x & MAGNITUDE) as i32 ^ sign) - sign
}

#[inline(always)]
fn ordered(a: u128, b: u128, f: impl Fn(u32, u32) -> u32) -> u128 {
    let (a, b): ([u32; 4], [u32; 4]) = (transmute!(a), transmute!(b));
    let mut r = [0; 4];
    for k in 0..4 {
        r[k] = f(a[k], b[k]);
    }
    transmute!(r)
}

/// The flag of FPCompare's result that says it holds: equal, or greater or equal (not less nor unordered).
fn mask(b: bool) -> u32 {
    if b { !0 } else { 0 }
}

pub(super) fn ceq(a: u128, b: u128, fpscr: &mut u32) -> u128 {
    if all_ordinary(a) && all_ordinary(b) {
        return ordered(a, b, |x, y| mask(order(x) == order(y)));
    }
    map2(a, b, fpscr, |env, x, y| mask(env.compare(SINGLE, x, y, false) == 0x6000_0000).into())
}

pub(super) fn cge(a: u128, b: u128, fpscr: &mut u32) -> u128 {
    if all_ordinary(a) && all_ordinary(b) {
        return ordered(a, b, |x, y| mask(order(x) >= order(y)));
    }
    map2(a, b, fpscr, |env, x, y| {
        mask(matches!(env.compare(SINGLE, x, y, true), 0x6000_0000 | 0x2000_0000)).into()
    })
}

pub(super) fn cgt(a: u128, b: u128, fpscr: &mut u32) -> u128 {
    if all_ordinary(a) && all_ordinary(b) {
        return ordered(a, b, |x, y| mask(order(x) > order(y)));
    }
    map2(a, b, fpscr, |env, x, y| mask(env.compare(SINGLE, x, y, true) == 0x2000_0000).into())
}

/// Maximum or minimum; `numbers`: a quiet NaN loses against a number.
#[inline(always)]
fn extreme(a: u128, b: u128, minimum: bool, numbers: bool, fpscr: &mut u32) -> u128 {
    if all_ordinary(a) && all_ordinary(b) {
        // As integers of their own order, in which minus zero is below plus zero.
        let key = |x: u32| x as i32 ^ ((x as i32 >> 31) as u32 >> 1) as i32;
        return ordered(a, b, |x, y| if (key(x) < key(y)) == minimum { x } else { y });
    }
    map2(a, b, fpscr, |env, x, y| {
        if numbers { env.max_num(SINGLE, x, y, minimum) } else { env.max(SINGLE, x, y, minimum) }
    })
}

pub(super) fn max(a: u128, b: u128, fpscr: &mut u32) -> u128 {
    extreme(a, b, false, false, fpscr)
}

pub(super) fn min(a: u128, b: u128, fpscr: &mut u32) -> u128 {
    extreme(a, b, true, false, fpscr)
}

pub(super) fn maxnm(a: u128, b: u128, fpscr: &mut u32) -> u128 {
    extreme(a, b, false, true, fpscr)
}

pub(super) fn minnm(a: u128, b: u128, fpscr: &mut u32) -> u128 {
    extreme(a, b, true, true, fpscr)
}

// ---- estimates and steps

pub(super) fn recpe(a: u128, fpscr: &mut u32) -> u128 {
    map1(a, fpscr, |env, x| estimate::reciprocal(env, x as u32).into())
}

pub(super) fn rsqrte(a: u128, fpscr: &mut u32) -> u128 {
    map1(a, fpscr, |env, x| estimate::reciprocal_root(env, x as u32).into())
}

pub(super) fn recps(a: u128, b: u128, fpscr: &mut u32) -> u128 {
    map2(a, b, fpscr, estimate::reciprocal_step)
}

pub(super) fn rsqrts(a: u128, b: u128, fpscr: &mut u32) -> u128 {
    map2(a, b, fpscr, estimate::reciprocal_root_step)
}

// ---- conversions

pub(super) fn rint(a: u128, rounding: Rounding, exact: bool, fpscr: &mut u32) -> u128 {
    map1(a, fpscr, |env, x| env.round_int(SINGLE, x, rounding, exact))
}

pub(super) fn to_fixed(a: u128, signed: bool, fraction: u8, rounding: Rounding, fpscr: &mut u32) -> u128 {
    if signed && fraction == 0 && rounding == Rounding::Zero {
        let (result, flags) = standard!("cvttps2dq {a}, {a}", a);
        if flags & mxcsr::INVALID == 0 {
            raise(flags, fpscr);
            *fpscr |= if any(a, is_subnormal) { IDC } else { 0 };
            return result;
        }
    }
    let to = Fixed { bits: 32, fraction: fraction.into(), signed };
    map1(a, fpscr, |env, x| env.to_fixed(SINGLE, x, to, rounding).into())
}

pub(super) fn from_fixed(a: u128, signed: bool, fraction: u8, fpscr: &mut u32) -> u128 {
    if signed && fraction == 0 {
        let (result, flags) = standard!("cvtdq2ps {a}, {a}", a);
        raise(flags, fpscr);
        return result;
    }
    let from = Fixed { bits: 32, fraction: fraction.into(), signed };
    map1(a, fpscr, |env, x| env.from_fixed(SINGLE, x as u32, from, Rounding::Nearest))
}

pub(super) fn from_half(a: u128, fpscr: &mut u32) -> u128 {
    let a: [u16; 8] = transmute!(a);
    let mut r = [0; 4];
    for k in 0..4 {
        r[k] = soft(fpscr, |env| env.half_to_single(a[k].into()));
    }
    transmute!(r)
}

pub(super) fn to_half(a: u128, fpscr: &mut u32) -> u128 {
    let a: [u32; 4] = transmute!(a);
    let mut r = [0u16; 8];
    for k in 0..4 {
        r[k] = soft(fpscr, |env| env.single_to_half(a[k])) as u16;
    }
    transmute!(r)
}
