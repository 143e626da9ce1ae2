//! Saturation and saturating arithmetic (Arm ARM A4.4.4, A4.4.6).

use super::data_processing::shift_imm;
use crate::inst::Inst;
use crate::machine::Integer;

/// a + b, and whether that overflows as signed numbers.
#[inline(always)]
pub(super) fn add_overflow<M: Integer>(m: &mut M, a: M::W, b: M::W) -> (M::W, M::B) {
    let sum = m.add(a, b);
    let (from_a, from_b) = (m.xor(a, sum), m.xor(b, sum));
    let both = m.and(from_a, from_b);
    (sum, m.bit(both, 31))
}

/// a - b, and whether that overflows as signed numbers.
#[inline(always)]
fn sub_overflow<M: Integer>(m: &mut M, a: M::W, b: M::W) -> (M::W, M::B) {
    let difference = m.sub(a, b);
    let (from_a, from_b) = (m.xor(a, difference), m.xor(a, b));
    let both = m.and(from_a, from_b);
    (difference, m.bit(both, 31))
}

/// The result, or if it overflowed from `a` the bound on a's side; Q.
#[inline(always)]
fn saturate<M: Integer>(m: &mut M, a: M::W, (result, overflow): (M::W, M::B)) -> M::W {
    let (sign, highest) = (m.sar(a, 31), m.word(i32::MAX as u32));
    let bound = m.xor(sign, highest);
    m.saturated(overflow);
    m.select(overflow, bound, result)
}

#[inline(always)]
fn saturating_add<M: Integer>(m: &mut M, a: M::W, b: M::W) -> M::W {
    let sum = add_overflow(m, a, b);
    saturate(m, a, sum)
}

#[inline(always)]
fn saturating_sub<M: Integer>(m: &mut M, a: M::W, b: M::W) -> M::W {
    let difference = sub_overflow(m, a, b);
    saturate(m, a, difference)
}

/// `QADD<c> <Rd>, <Rm>, <Rn>`
pub fn qadd<M: Integer>(m: &mut M, i: &Inst) {
    let (rm, n) = (m.reg(i.rm), m.reg(i.rn));
    let result = saturating_add(m, rm, n);
    m.set_reg(i.rd, result);
}

/// `QSUB<c> <Rd>, <Rm>, <Rn>`
pub fn qsub<M: Integer>(m: &mut M, i: &Inst) {
    let (rm, n) = (m.reg(i.rm), m.reg(i.rn));
    let result = saturating_sub(m, rm, n);
    m.set_reg(i.rd, result);
}

/// `QDADD<c> <Rd>, <Rm>, <Rn>`
pub fn qdadd<M: Integer>(m: &mut M, i: &Inst) {
    let (rm, n) = (m.reg(i.rm), m.reg(i.rn));
    let double = saturating_add(m, n, n);
    let result = saturating_add(m, rm, double);
    m.set_reg(i.rd, result);
}

/// `QDSUB<c> <Rd>, <Rm>, <Rn>`
pub fn qdsub<M: Integer>(m: &mut M, i: &Inst) {
    let (rm, n) = (m.reg(i.rm), m.reg(i.rn));
    let double = saturating_add(m, n, n);
    let result = saturating_sub(m, rm, double);
    m.set_reg(i.rd, result);
}

/// The signed number nearest to `value` within `low..=high`, and whether it is another.
#[inline(always)]
pub(super) fn clamp<M: Integer>(m: &mut M, value: M::W, low: i32, high: i32) -> (M::W, M::B) {
    let (low, high) = (m.word(low as u32), m.word(high as u32));
    let (below, above) = (m.slt(value, low), m.slt(high, value));
    let result = m.select(above, high, value);
    let result = m.select(below, low, result);
    (result, m.b_or(below, above))
}

/// The bounds of a signed number of 1 to 32 bits.
fn signed(bits: u32) -> (i32, i32) {
    (i32::MIN >> (32 - bits), i32::MAX >> (32 - bits))
}

/// The bounds of an unsigned number of 0 to 31 bits.
fn unsigned(bits: u32) -> (i32, i32) {
    (0, ((1u32 << bits) - 1) as i32)
}

#[inline(always)]
fn saturate_word<M: Integer>(m: &mut M, i: &Inst, (low, high): (i32, i32)) {
    let n = m.reg(i.rn);
    let value = shift_imm(m, i, n);
    let (result, saturated) = clamp(m, value, low, high);
    m.set_reg(i.rd, result);
    m.saturated(saturated);
}

#[inline(always)]
fn saturate_halves<M: Integer>(m: &mut M, i: &Inst, (low, high): (i32, i32)) {
    let n = m.reg(i.rn);
    let (bottom, top) = (m.sext16(n), m.sar(n, 16));
    let (bottom, first) = clamp(m, bottom, low, high);
    let (top, second) = clamp(m, top, low, high);
    let (bottom, top) = (m.zext16(bottom), m.shl(top, 16));
    let result = m.or(top, bottom);
    m.set_reg(i.rd, result);
    let saturated = m.b_or(first, second);
    m.saturated(saturated);
}

/// `SSAT<c> <Rd>, #<imm>, <Rn>{, <shift>}`
pub fn ssat<M: Integer>(m: &mut M, i: &Inst) {
    saturate_word(m, i, signed(i.imm));
}

/// `USAT<c> <Rd>, #<imm>, <Rn>{, <shift>}`
pub fn usat<M: Integer>(m: &mut M, i: &Inst) {
    saturate_word(m, i, unsigned(i.imm));
}

/// `SSAT16<c> <Rd>, #<imm>, <Rn>`
pub fn ssat16<M: Integer>(m: &mut M, i: &Inst) {
    saturate_halves(m, i, signed(i.imm));
}

/// `USAT16<c> <Rd>, #<imm>, <Rn>`
pub fn usat16<M: Integer>(m: &mut M, i: &Inst) {
    saturate_halves(m, i, unsigned(i.imm));
}
