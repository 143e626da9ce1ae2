//! VFP's operations: the host's instruction under the guest's MXCSR, and `soft` where its answer is not Arm's.
//!
//! `stored` is `CpuState::fpscr`. The host's result stands unless it is a NaN (Arm's default NaN is positive, and which
//! operand's NaN wins differs) or the smallest normal number (Arm judges tininess before rounding, x86 after). Under FZ
//! everything is soft: x86 flags flushed operands and results otherwise.

use super::raise;
use super::soft::fpscr::FZ;
use super::soft::{DOUBLE, Env, SINGLE};
use forearm_frontend::machine::{Fixed, FloatOp1, FloatOp2, FloatOp3, Rounding};
use std::arch::asm;

/// Runs `f` on the soft implementation and hands its exceptions on.
#[cold]
#[inline(never)]
fn soft<T>(stored: &mut u32, f: impl FnOnce(&mut Env) -> T) -> T {
    let mut env = Env::new(*stored);
    let result = f(&mut env);
    raise(stored, env.raised);
    result
}

const fn s_differs(x: u32) -> bool {
    let magnitude = x & 0x7fff_ffff;
    magnitude > 0x7f80_0000 || magnitude == 0x0080_0000
}

const fn d_differs(x: u64) -> bool {
    let magnitude = x & (u64::MAX >> 1);
    magnitude > 0x7ff0_0000_0000_0000 || magnitude == 0x0010_0000_0000_0000
}

// Rust may assume the default MXCSR for its own operators; these may not be folded or moved.
macro_rules! host_binary {
    ($($name:ident $bits:ty, $float:ty, $instruction:literal;)*) => {$(
        #[inline(always)]
        fn $name(a: $bits, b: $bits) -> $bits {
            let (mut x, y) = (<$float>::from_bits(a), <$float>::from_bits(b));
            // SAFETY: SSE2 arithmetic on registers.
            unsafe { asm!(concat!($instruction, " {}, {}"), inout(xmm_reg) x, in(xmm_reg) y, options(nomem, nostack)) };
            x.to_bits()
        }
    )*};
}

host_binary! {
    addss u32, f32, "addss";
    subss u32, f32, "subss";
    mulss u32, f32, "mulss";
    divss u32, f32, "divss";
    addsd u64, f64, "addsd";
    subsd u64, f64, "subsd";
    mulsd u64, f64, "mulsd";
    divsd u64, f64, "divsd";
}

macro_rules! host_unary {
    ($($name:ident $from:ty, $from_float:ty => $to:ty, $to_float:ty, $instruction:literal;)*) => {$(
        #[inline(always)]
        fn $name(a: $from) -> $to {
            let (x, y): ($from_float, $to_float) = (<$from_float>::from_bits(a), 0.0);
            let mut y = y;
            // SAFETY: SSE2 arithmetic on registers.
            unsafe { asm!(concat!($instruction, " {}, {}"), inout(xmm_reg) y, in(xmm_reg) x, options(nomem, nostack)) };
            y.to_bits()
        }
    )*};
}

host_unary! {
    sqrtss u32, f32 => u32, f32, "sqrtss";
    sqrtsd u64, f64 => u64, f64, "sqrtsd";
    cvtss2sd u32, f32 => u64, f64, "cvtss2sd";
    cvtsd2ss u64, f64 => u32, f32, "cvtsd2ss";
}

macro_rules! host_compare {
    ($($name:ident $bits:ty, $float:ty, $instruction:literal;)*) => {$(
        /// N, Z, C, V in bits 31..28.
        #[inline(always)]
        fn $name(a: $bits, b: $bits) -> u32 {
            let (x, y) = (<$float>::from_bits(a), <$float>::from_bits(b));
            let (unordered, equal, below): (u8, u8, u8);
            // SAFETY: SSE2 comparison of registers.
            unsafe {
                asm!(concat!($instruction, " {}, {}"), "setp {}", "sete {}", "setb {}", in(xmm_reg) x, in(xmm_reg) y,
                    out(reg_byte) unordered, out(reg_byte) equal, out(reg_byte) below, options(nomem, nostack));
            }
            match (unordered, equal, below) {
                (1, ..) => 0x3000_0000,
                (_, 1, _) => 0x6000_0000,
                (.., 1) => 0x8000_0000,
                _ => 0x2000_0000,
            }
        }
    )*};
}

host_compare! {
    ucomiss u32, f32, "ucomiss";
    comiss u32, f32, "comiss";
    ucomisd u64, f64, "ucomisd";
    comisd u64, f64, "comisd";
}

macro_rules! host_to_int {
    ($($name:ident $bits:ty, $float:ty, $instruction:literal;)*) => {$(
        /// A 64-bit integer; `i64::MIN` where it does not fit.
        #[inline(always)]
        fn $name(a: $bits) -> i64 {
            let (x, mut y) = (<$float>::from_bits(a), 0i64);
            // SAFETY: SSE2 conversion of registers.
            unsafe { asm!(concat!($instruction, " {}, {}"), inout(reg) y, in(xmm_reg) x, options(nomem, nostack)) };
            y
        }
    )*};
}

host_to_int! {
    cvtss2si u32, f32, "cvtss2si";
    cvttss2si u32, f32, "cvttss2si";
    cvtsd2si u64, f64, "cvtsd2si";
    cvttsd2si u64, f64, "cvttsd2si";
}

macro_rules! host_from_int {
    ($($name:ident $bits:ty, $float:ty, $instruction:literal;)*) => {$(
        #[inline(always)]
        fn $name(a: i64) -> $bits {
            let mut x: $float = 0.0;
            // SAFETY: SSE2 conversion of registers.
            unsafe { asm!(concat!($instruction, " {}, {}"), inout(xmm_reg) x, in(reg) a, options(nomem, nostack)) };
            x.to_bits()
        }
    )*};
}

host_from_int! {
    cvtsi2ss u32, f32, "cvtsi2ss";
    cvtsi2sd u64, f64, "cvtsi2sd";
}

macro_rules! host_fma {
    ($($name:ident $bits:ty, $float:ty, $instruction:literal;)*) => {$(
        /// # Safety
        /// The host has FMA.
        #[inline(always)]
        unsafe fn $name(acc: $bits, a: $bits, b: $bits) -> $bits {
            let (mut z, x, y) = (<$float>::from_bits(acc), <$float>::from_bits(a), <$float>::from_bits(b));
            // SAFETY: the caller's promise.
            unsafe {
                asm!(concat!($instruction, " {}, {}, {}"), inout(xmm_reg) z, in(xmm_reg) x, in(xmm_reg) y,
                    options(nomem, nostack));
            }
            z.to_bits()
        }
    )*};
}

host_fma! {
    vfmadd231ss u32, f32, "vfmadd231ss";
    vfmadd231sd u64, f64, "vfmadd231sd";
}

/// `FPSqrt` and its kind on singles.
#[inline(always)]
pub fn s1(op: FloatOp1, a: u32, stored: &mut u32) -> u32 {
    let FloatOp1::Sqrt = op;
    if *stored & FZ == 0 {
        let result = sqrtss(a);
        if !s_differs(result) {
            return result;
        }
    }
    soft(stored, |e| e.sqrt(SINGLE, a.into())) as u32
}

/// `FPSqrt` and its kind on doubles.
#[inline(always)]
pub fn d1(op: FloatOp1, a: u64, stored: &mut u32) -> u64 {
    let FloatOp1::Sqrt = op;
    if *stored & FZ == 0 {
        let result = sqrtsd(a);
        if !d_differs(result) {
            return result;
        }
    }
    soft(stored, |e| e.sqrt(DOUBLE, a))
}

fn soft2(e: &mut Env, op: FloatOp2, f: super::soft::Format, a: u64, b: u64) -> u64 {
    match op {
        FloatOp2::Add => e.add(f, a, b),
        FloatOp2::Sub => e.sub(f, a, b),
        FloatOp2::Mul => e.mul(f, a, b),
        FloatOp2::Div => e.div(f, a, b),
        FloatOp2::MaxNum => e.max_num(f, a, b, false),
        FloatOp2::MinNum => e.max_num(f, a, b, true),
    }
}

/// Two-operand arithmetic on singles.
#[inline(always)]
pub fn s2(op: FloatOp2, a: u32, b: u32, stored: &mut u32) -> u32 {
    if *stored & FZ == 0 {
        let result = match op {
            FloatOp2::Add => Some(addss(a, b)),
            FloatOp2::Sub => Some(subss(a, b)),
            FloatOp2::Mul => Some(mulss(a, b)),
            FloatOp2::Div => Some(divss(a, b)),
            FloatOp2::MaxNum | FloatOp2::MinNum => None,
        };
        if let Some(result) = result.filter(|&x| !s_differs(x)) {
            return result;
        }
    }
    soft(stored, |e| soft2(e, op, SINGLE, a.into(), b.into())) as u32
}

/// Two-operand arithmetic on doubles.
#[inline(always)]
pub fn d2(op: FloatOp2, a: u64, b: u64, stored: &mut u32) -> u64 {
    if *stored & FZ == 0 {
        let result = match op {
            FloatOp2::Add => Some(addsd(a, b)),
            FloatOp2::Sub => Some(subsd(a, b)),
            FloatOp2::Mul => Some(mulsd(a, b)),
            FloatOp2::Div => Some(divsd(a, b)),
            FloatOp2::MaxNum | FloatOp2::MinNum => None,
        };
        if let Some(result) = result.filter(|&x| !d_differs(x)) {
            return result;
        }
    }
    soft(stored, |e| soft2(e, op, DOUBLE, a, b))
}

/// Fused multiply-add of singles.
#[inline(always)]
pub fn s3(op: FloatOp3, acc: u32, a: u32, b: u32, stored: &mut u32) -> u32 {
    let FloatOp3::Fma = op;
    if *stored & FZ == 0 && is_x86_feature_detected!("fma") {
        // SAFETY: just detected.
        let result = unsafe { vfmadd231ss(acc, a, b) };
        if !s_differs(result) {
            return result;
        }
    }
    soft(stored, |e| e.mul_add(SINGLE, acc.into(), a.into(), b.into())) as u32
}

/// Fused multiply-add of doubles.
#[inline(always)]
pub fn d3(op: FloatOp3, acc: u64, a: u64, b: u64, stored: &mut u32) -> u64 {
    let FloatOp3::Fma = op;
    if *stored & FZ == 0 && is_x86_feature_detected!("fma") {
        // SAFETY: just detected.
        let result = unsafe { vfmadd231sd(acc, a, b) };
        if !d_differs(result) {
            return result;
        }
    }
    soft(stored, |e| e.mul_add(DOUBLE, acc, a, b))
}

/// `FPCompare` of singles: N, Z, C, V in bits 31..28.
#[inline(always)]
pub fn s_compare(a: u32, b: u32, signal: bool, stored: &mut u32) -> u32 {
    match (*stored & FZ != 0, signal) {
        (false, false) => ucomiss(a, b),
        (false, true) => comiss(a, b),
        _ => soft(stored, |e| e.compare(SINGLE, a.into(), b.into(), signal)),
    }
}

/// `FPCompare` of doubles.
#[inline(always)]
pub fn d_compare(a: u64, b: u64, signal: bool, stored: &mut u32) -> u32 {
    match (*stored & FZ != 0, signal) {
        (false, false) => ucomisd(a, b),
        (false, true) => comisd(a, b),
        _ => soft(stored, |e| e.compare(DOUBLE, a, b, signal)),
    }
}

/// `FPRoundInt` of a single.
pub fn s_round(a: u32, rounding: Rounding, exact: bool, stored: &mut u32) -> u32 {
    soft(stored, |e| e.round_int(SINGLE, a.into(), rounding, exact)) as u32
}

/// `FPRoundInt` of a double.
pub fn d_round(a: u64, rounding: Rounding, exact: bool, stored: &mut u32) -> u64 {
    soft(stored, |e| e.round_int(DOUBLE, a, rounding, exact))
}

/// 2^31 and 2^32 as singles, and the largest doubles that round to an integer below them in every mode.
const S_2_31: u32 = 0x4f00_0000;
const S_2_32: u32 = 0x4f80_0000;
const D_INT_MAX: u64 = 0x41df_ffff_ffc0_0000;
const D_UINT_MAX: u64 = 0x41ef_ffff_ffe0_0000;

/// `FPToFixed` of a single. The host converts what surely fits; the rest saturates softly.
#[inline(always)]
pub fn s_to_fixed(a: u32, to: Fixed, rounding: Rounding, stored: &mut u32) -> u32 {
    if *stored & FZ == 0 && to.fraction == 0 && to.bits == 32 {
        let fits = if to.signed { a & 0x7fff_ffff < S_2_31 } else { a < S_2_32 };
        match rounding {
            Rounding::Zero if fits => return cvttss2si(a) as u32,
            Rounding::Current if fits => return cvtss2si(a) as u32,
            _ => {}
        }
    }
    soft(stored, |e| e.to_fixed(SINGLE, a.into(), to, rounding))
}

/// `FPToFixed` of a double.
#[inline(always)]
pub fn d_to_fixed(a: u64, to: Fixed, rounding: Rounding, stored: &mut u32) -> u32 {
    if *stored & FZ == 0 && to.fraction == 0 && to.bits == 32 {
        let fits = if to.signed { a & (u64::MAX >> 1) <= D_INT_MAX } else { a <= D_UINT_MAX };
        match rounding {
            Rounding::Zero if fits => return cvttsd2si(a) as u32,
            Rounding::Current if fits => return cvtsd2si(a) as u32,
            _ => {}
        }
    }
    soft(stored, |e| e.to_fixed(DOUBLE, a, to, rounding))
}

/// The integer of a format, for the host.
const fn integer(w: u32, from: Fixed) -> i64 {
    if from.signed { w as i32 as i64 } else { w as i64 }
}

/// `FixedToFP` to a single.
#[inline(always)]
pub fn s_from_fixed(w: u32, from: Fixed, rounding: Rounding, stored: &mut u32) -> u32 {
    if from.fraction == 0 && from.bits == 32 && matches!(rounding, Rounding::Current) {
        return cvtsi2ss(integer(w, from));
    }
    soft(stored, |e| e.from_fixed(SINGLE, w, from, rounding)) as u32
}

/// `FixedToFP` to a double.
#[inline(always)]
pub fn d_from_fixed(w: u32, from: Fixed, rounding: Rounding, stored: &mut u32) -> u64 {
    if from.fraction == 0 && from.bits == 32 {
        return cvtsi2sd(integer(w, from)); // exact
    }
    soft(stored, |e| e.from_fixed(DOUBLE, w, from, rounding))
}

/// `FPConvert`, single to double.
#[inline(always)]
pub fn s_to_d(a: u32, stored: &mut u32) -> u64 {
    if *stored & FZ == 0 {
        let result = cvtss2sd(a);
        if !d_differs(result) {
            return result;
        }
    }
    soft(stored, |e| e.convert(SINGLE, DOUBLE, a.into()))
}

/// `FPConvert`, double to single.
#[inline(always)]
pub fn d_to_s(a: u64, stored: &mut u32) -> u32 {
    if *stored & FZ == 0 {
        let result = cvtsd2ss(a);
        if !s_differs(result) {
            return result;
        }
    }
    soft(stored, |e| e.convert(DOUBLE, SINGLE, a)) as u32
}

/// `FPConvert`, half to single.
pub fn half_to_s(half: u32, stored: &mut u32) -> u32 {
    soft(stored, |e| e.half_to_single(half))
}

/// `FPConvert`, half to double.
pub fn half_to_d(half: u32, stored: &mut u32) -> u64 {
    soft(stored, |e| e.half_to_double(half))
}

/// `FPConvert`, single to half.
pub fn s_to_half(a: u32, stored: &mut u32) -> u32 {
    soft(stored, |e| e.single_to_half(a))
}

/// `FPConvert`, double to half.
pub fn d_to_half(a: u64, stored: &mut u32) -> u32 {
    soft(stored, |e| e.double_to_half(a))
}
