//! VFP conversions between formats, to integers and to integral values (Arm ARM A4.14.2; Armv8 F2.11).

use super::vfp_data_processing::is_double;
use crate::inst::Inst;
use crate::machine::{Fixed, Machine, Rounding};

/// The `RM` field, and `TOWARDS_ZERO` of `forms::vfp`.
const fn rounding(amount: u8) -> Rounding {
    match amount {
        0 => Rounding::Away,
        1 => Rounding::Nearest,
        2 => Rounding::Up,
        3 => Rounding::Down,
        _ => Rounding::Zero,
    }
}

fn round_to_integral<M: Machine>(m: &mut M, i: &Inst, rounding: Rounding, exact: bool) {
    if is_double(i) {
        let a = m.dreg(i.rm);
        let result = m.d_round(a, rounding, exact);
        m.set_dreg(i.rd, result);
    } else {
        let a = m.sreg(i.rm);
        let result = m.s_round(a, rounding, exact);
        m.set_sreg(i.rd, result);
    }
}

/// `VRINT<A|N|P|M>.F<32|64> <Vd>, <Vm>`
pub fn vrint_to<M: Machine>(m: &mut M, i: &Inst) {
    round_to_integral(m, i, rounding(i.amount), false);
}

/// `VRINTR<c>.F<32|64> <Vd>, <Vm>`
pub fn vrintr<M: Machine>(m: &mut M, i: &Inst) {
    round_to_integral(m, i, Rounding::Current, false);
}

/// `VRINTZ<c>.F<32|64> <Vd>, <Vm>`
pub fn vrintz<M: Machine>(m: &mut M, i: &Inst) {
    round_to_integral(m, i, Rounding::Zero, false);
}

/// `VRINTX<c>.F<32|64> <Vd>, <Vm>`
pub fn vrintx<M: Machine>(m: &mut M, i: &Inst) {
    round_to_integral(m, i, Rounding::Current, true);
}

fn to_int<M: Machine>(m: &mut M, i: &Inst, rounding: Rounding) {
    let to = Fixed::int(i.shift != 0);
    let result = if is_double(i) {
        let a = m.dreg(i.rm);
        m.d_to_fixed(a, to, rounding)
    } else {
        let a = m.sreg(i.rm);
        m.s_to_fixed(a, to, rounding)
    };
    let result = m.s_from_bits(result);
    m.set_sreg(i.rd, result);
}

/// `VCVT{A|N|P|M}<c>.<S32|U32>.F<32|64> <Sd>, <Vm>`
pub fn vcvt_to_int<M: Machine>(m: &mut M, i: &Inst) {
    to_int(m, i, rounding(i.amount));
}

/// `VCVTR<c>.<S32|U32>.F<32|64> <Sd>, <Vm>`
pub fn vcvtr_to_int<M: Machine>(m: &mut M, i: &Inst) {
    to_int(m, i, Rounding::Current);
}

/// `VCVT<c>.F<32|64>.<S32|U32> <Vd>, <Sm>`
pub fn vcvt_from_int<M: Machine>(m: &mut M, i: &Inst) {
    let from = Fixed::int(i.shift != 0);
    let word = m.sreg(i.rm);
    let word = m.s_bits(word);
    if is_double(i) {
        let result = m.d_from_fixed(word, from, Rounding::Current);
        m.set_dreg(i.rd, result);
    } else {
        let result = m.s_from_fixed(word, from, Rounding::Current);
        m.set_sreg(i.rd, result);
    }
}

fn fixed(i: &Inst) -> Fixed {
    Fixed { bits: u32::from(i.amount), fraction: i.imm, signed: i.shift != 0 }
}

/// `VCVT<c>.<S16|U16|S32|U32>.F<32|64> <Vd>, <Vd>, #<fbits>`
pub fn vcvt_to_fixed<M: Machine>(m: &mut M, i: &Inst) {
    let to = fixed(i);
    if is_double(i) {
        let a = m.dreg(i.rd);
        let word = m.d_to_fixed(a, to, Rounding::Zero);
        let long = if to.signed { m.sext(word) } else { m.zext(word) };
        let result = m.d_from_bits(long);
        m.set_dreg(i.rd, result);
    } else {
        let a = m.sreg(i.rd);
        let word = m.s_to_fixed(a, to, Rounding::Zero);
        let result = m.s_from_bits(word);
        m.set_sreg(i.rd, result);
    }
}

/// `VCVT<c>.F<32|64>.<S16|U16|S32|U32> <Vd>, <Vd>, #<fbits>`
pub fn vcvt_from_fixed<M: Machine>(m: &mut M, i: &Inst) {
    let from = fixed(i);
    if is_double(i) {
        let bits = m.dreg(i.rd);
        let bits = m.d_bits(bits);
        let word = m.lo(bits);
        let result = m.d_from_fixed(word, from, Rounding::Nearest);
        m.set_dreg(i.rd, result);
    } else {
        let bits = m.sreg(i.rd);
        let word = m.s_bits(bits);
        let result = m.s_from_fixed(word, from, Rounding::Nearest);
        m.set_sreg(i.rd, result);
    }
}

/// `VCVT<c>.F64.F32 <Dd>, <Sm>`
pub fn vcvt_f64_f32<M: Machine>(m: &mut M, i: &Inst) {
    let a = m.sreg(i.rm);
    let result = m.s_to_d(a);
    m.set_dreg(i.rd, result);
}

/// `VCVT<c>.F32.F64 <Sd>, <Dm>`
pub fn vcvt_f32_f64<M: Machine>(m: &mut M, i: &Inst) {
    let a = m.dreg(i.rm);
    let result = m.d_to_s(a);
    m.set_sreg(i.rd, result);
}

/// `VCVT<B|T><c>.F<32|64>.F16 <Vd>, <Sm>`
pub fn vcvtb_from_half<M: Machine>(m: &mut M, i: &Inst) {
    let word = m.sreg(i.rm);
    let word = m.s_bits(word);
    let half = if i.shift != 0 { m.shr(word, 16) } else { word };
    if is_double(i) {
        let result = m.half_to_d(half);
        m.set_dreg(i.rd, result);
    } else {
        let result = m.half_to_s(half);
        m.set_sreg(i.rd, result);
    }
}

/// `VCVT<B|T><c>.F16.F<32|64> <Sd>, <Vm>`: the other half of Sd stays.
pub fn vcvtb_to_half<M: Machine>(m: &mut M, i: &Inst) {
    let half = if is_double(i) {
        let a = m.dreg(i.rm);
        m.d_to_half(a)
    } else {
        let a = m.sreg(i.rm);
        m.s_to_half(a)
    };
    let old = m.sreg(i.rd);
    let old = m.s_bits(old);
    let (kept, half) = if i.shift != 0 {
        let half = m.shl(half, 16);
        (m.zext16(old), half)
    } else {
        let low = m.word(0xffff);
        (m.bic(old, low), half)
    };
    let word = m.or(kept, half);
    let result = m.s_from_bits(word);
    m.set_sreg(i.rd, result);
}
