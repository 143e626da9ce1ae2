//! Advanced SIMD operations as plain functions: what the interpreter calls, and compiled code for what it has no
//! instructions of its own.
//!
//! `fpscr` is the stored part of FPSCR: saturation sets its QC bit, floating-point exceptions its cumulative bits, and AHP is
//! read from it. The functions do not depend on the host's MXCSR and leave it alone.

mod estimate;
mod float;
mod integer;
mod lanes;
mod permute;
#[cfg(test)]
mod tests;

pub use forearm_frontend::machine::{Elem, Rounding, V1, V2, V3, VShift};
pub use permute::{dup, ext, lane, set_lane, table};

use crate::fp::soft::fpscr::{AHP, IDC, IOC, IXC, OFC, QC};
use lanes::Lane;

/// Is this a signed integer type?
fn is_signed(e: Elem) -> bool {
    matches!(e, Elem::S8 | Elem::S16 | Elem::S32 | Elem::S64)
}

/// One-operand operations.
#[inline(always)]
pub fn v1(op: V1, e: Elem, a: u128, fpscr: &mut u32) -> u128 {
    match op {
        V1::Not => !a,
        V1::Neg if e == Elem::F32 => a ^ float::SIGNS,
        V1::Neg => integer::neg(e, a),
        V1::Abs if e == Elem::F32 => a & !float::SIGNS,
        V1::Abs => integer::abs(e, a),
        V1::Qneg => integer::qneg(e, a, fpscr),
        V1::Qabs => integer::qabs(e, a, fpscr),
        V1::Cls => integer::cls(e, a),
        V1::Clz => integer::clz(e, a),
        V1::Cnt => integer::cnt(e, a),
        V1::Rev16 => permute::reverse(e, a, 1),
        V1::Rev32 => permute::reverse(e, a, 2),
        V1::Rev64 => permute::reverse(e, a, 3),
        V1::Paddl => integer::paddl(e, a),
        V1::Widen => integer::widen(e, a),
        V1::Narrow => integer::narrow(e, a),
        V1::Qnarrow => integer::qnarrow(e, a, fpscr),
        V1::QnarrowU => integer::qnarrow_u(e, a, fpscr),
        V1::Recpe if e == Elem::F32 => float::recpe(a, fpscr),
        V1::Recpe => u32::map1(a, estimate::unsigned_reciprocal),
        V1::Rsqrte if e == Elem::F32 => float::rsqrte(a, fpscr),
        V1::Rsqrte => u32::map1(a, estimate::unsigned_reciprocal_root),
        V1::Rint(rounding) => float::rint(a, rounding, false, fpscr),
        V1::RintExact => float::rint(a, Rounding::Nearest, true, fpscr),
        V1::ToInt(rounding) => float::to_fixed(a, is_signed(e), 0, rounding, fpscr),
        V1::FromHalf => float::from_half(a, fpscr),
        V1::ToHalf => float::to_half(a, fpscr),
    }
}

/// Two-operand operations.
#[inline(always)]
pub fn v2(op: V2, e: Elem, a: u128, b: u128, fpscr: &mut u32) -> u128 {
    if e == Elem::F32 {
        return v2_f32(op, a, b, fpscr);
    }
    match op {
        V2::And => a & b,
        V2::Or => a | b,
        V2::Xor => a ^ b,
        V2::Bic => a & !b,
        V2::Orn => a | !b,
        V2::Add => integer::add(e, a, b),
        V2::Sub => integer::sub(e, a, b),
        V2::Mul => integer::mul(e, a, b),
        V2::Pmul => integer::pmul(a, b),
        V2::Hadd => integer::hadd(e, a, b),
        V2::Rhadd => integer::rhadd(e, a, b),
        V2::Hsub => integer::hsub(e, a, b),
        V2::Qadd => integer::qadd(e, a, b, fpscr),
        V2::Qsub => integer::qsub(e, a, b, fpscr),
        V2::Ceq => integer::ceq(e, a, b),
        V2::Cge => integer::cge(e, a, b),
        V2::Cgt => integer::cgt(e, a, b),
        V2::Tst => integer::tst(e, a, b),
        V2::Max | V2::Maxnm => integer::max(e, a, b),
        V2::Min | V2::Minnm => integer::min(e, a, b),
        V2::Abd => integer::abd(e, a, b),
        V2::Shl => integer::shl_by(e, a, b, false),
        V2::Rshl => integer::shl_by(e, a, b, true),
        V2::Qshl => integer::qshl_by(e, a, b, false, fpscr),
        V2::Qrshl => integer::qshl_by(e, a, b, true, fpscr),
        V2::Qdmulh => integer::qdmulh(e, a, b, false, fpscr),
        V2::Qrdmulh => integer::qdmulh(e, a, b, true, fpscr),
        V2::Mull => integer::mull(e, a, b),
        V2::Pmull => integer::pmull(e, a, b),
        V2::Qdmull => integer::qdmull(e, a, b, fpscr),
        V2::Uzp1 => permute::uzp1(e, a, b),
        V2::Uzp2 => permute::uzp2(e, a, b),
        V2::Zip1 => permute::zip1(e, a, b),
        V2::Zip2 => permute::zip2(e, a, b),
        V2::Trn1 => permute::trn1(e, a, b),
        V2::Trn2 => permute::trn2(e, a, b),
        V2::Recps | V2::Rsqrts => v2_f32(op, a, b, fpscr),
    }
}

/// Two-operand operations on single precision; those that only move bits are the integers'.
#[inline(always)]
fn v2_f32(op: V2, a: u128, b: u128, fpscr: &mut u32) -> u128 {
    match op {
        V2::Add => float::add(a, b, fpscr),
        V2::Sub => float::sub(a, b, fpscr),
        V2::Mul => float::mul(a, b, fpscr),
        V2::Abd => float::abd(a, b, fpscr),
        V2::Ceq => float::ceq(a, b, fpscr),
        V2::Cge => float::cge(a, b, fpscr),
        V2::Cgt => float::cgt(a, b, fpscr),
        V2::Max => float::max(a, b, fpscr),
        V2::Min => float::min(a, b, fpscr),
        V2::Maxnm => float::maxnm(a, b, fpscr),
        V2::Minnm => float::minnm(a, b, fpscr),
        V2::Recps => float::recps(a, b, fpscr),
        V2::Rsqrts => float::rsqrts(a, b, fpscr),
        _ => v2(op, Elem::U32, a, b, fpscr),
    }
}

/// Three-operand operations.
#[inline(always)]
pub fn v3(op: V3, _: Elem, a: u128, b: u128, c: u128, fpscr: &mut u32) -> u128 {
    match op {
        V3::Bsl => a & b | !a & c,
        V3::Fma => float::fma(a, b, c, fpscr),
    }
}

/// Operations with an immediate amount.
#[inline(always)]
pub fn vshift(op: VShift, e: Elem, a: u128, n: u8, fpscr: &mut u32) -> u128 {
    match op {
        VShift::Shl => integer::shl(e, a, n),
        VShift::Shr => integer::shr(e, a, n),
        VShift::Rshr => integer::rshr(e, a, n),
        VShift::Qshl => integer::qshl(e, a, n, fpscr),
        VShift::QshlU => integer::qshl_signed(e, a, n, fpscr),
        VShift::ToFixed => float::to_fixed(a, is_signed(e), n, Rounding::Zero, fpscr),
        VShift::FromFixed => float::from_fixed(a, is_signed(e), n, fpscr),
    }
}
