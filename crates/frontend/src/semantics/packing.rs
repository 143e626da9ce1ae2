//! Packing, extension, bit fields, reversal, and other data processing (Arm ARM A4.4.5, A4.4.8).

use super::data_processing::shift_imm;
use crate::inst::{Inst, shift};
use crate::machine::Integer;

/// `PKH{BT,TB}<c> <Rd>, <Rn>, <Rm>{, <shift>}`; TB where the shift is an ASR.
pub fn pkh<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let operand = shift_imm(m, i, rm);
    let (bottom, top) = if i.shift == shift::ASR { (operand, n) } else { (n, operand) };
    let (high, bottom) = (m.word(0xffff_0000), m.zext16(bottom));
    let top = m.and(top, high);
    let result = m.or(top, bottom);
    m.set_reg(i.rd, result);
}

/// Two bytes to two halfwords.
#[inline(always)]
fn sext8_16<M: Integer>(m: &mut M, w: M::W) -> M::W {
    let high = m.shr(w, 16);
    let (low, high) = (m.sext8(w), m.sext8(high));
    let (low, high) = (m.zext16(low), m.shl(high, 16));
    m.or(high, low)
}

/// Two bytes to two halfwords.
#[inline(always)]
fn zext8_16<M: Integer>(m: &mut M, w: M::W) -> M::W {
    let bytes = m.word(0x00ff_00ff);
    m.and(w, bytes)
}

/// Adds halfwords.
#[inline(always)]
fn add16<M: Integer>(m: &mut M, a: M::W, b: M::W) -> M::W {
    let mask = m.word(0xffff_0000);
    let low = m.add(a, b);
    let (a, b) = (m.and(a, mask), m.and(b, mask));
    let high = m.add(a, b);
    let low = m.zext16(low);
    m.or(high, low)
}

macro_rules! extensions {
    ($($(#[$doc:meta])* $name:ident = $extend:expr;
       $(#[$add_doc:meta])* $add_name:ident = $add:expr;)*) => {$(
        $(#[$doc])*
        pub fn $name<M: Integer>(m: &mut M, i: &Inst) {
            let rm = m.reg(i.rm);
            let rotated = shift_imm(m, i, rm);
            let result = $extend(m, rotated);
            m.set_reg(i.rd, result);
        }

        $(#[$add_doc])*
        pub fn $add_name<M: Integer>(m: &mut M, i: &Inst) {
            let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
            let rotated = shift_imm(m, i, rm);
            let extended = $extend(m, rotated);
            let result = $add(m, n, extended);
            m.set_reg(i.rd, result);
        }
    )*};
}

extensions! {
    /// `SXTB<c> <Rd>, <Rm>{, <rotation>}`
    sxtb = M::sext8;
    /// `SXTAB<c> <Rd>, <Rn>, <Rm>{, <rotation>}`
    sxtab = M::add;
    /// `SXTH<c> <Rd>, <Rm>{, <rotation>}`
    sxth = M::sext16;
    /// `SXTAH<c> <Rd>, <Rn>, <Rm>{, <rotation>}`
    sxtah = M::add;
    /// `SXTB16<c> <Rd>, <Rm>{, <rotation>}`
    sxtb16 = sext8_16;
    /// `SXTAB16<c> <Rd>, <Rn>, <Rm>{, <rotation>}`
    sxtab16 = add16;
    /// `UXTB<c> <Rd>, <Rm>{, <rotation>}`
    uxtb = M::zext8;
    /// `UXTAB<c> <Rd>, <Rn>, <Rm>{, <rotation>}`
    uxtab = M::add;
    /// `UXTH<c> <Rd>, <Rm>{, <rotation>}`
    uxth = M::zext16;
    /// `UXTAH<c> <Rd>, <Rn>, <Rm>{, <rotation>}`
    uxtah = M::add;
    /// `UXTB16<c> <Rd>, <Rm>{, <rotation>}`
    uxtb16 = zext8_16;
    /// `UXTAB16<c> <Rd>, <Rn>, <Rm>{, <rotation>}`
    uxtab16 = add16;
}

// ---- bit fields: `imm` is the width, `amount` the lowest bit

/// The field's bits.
fn field(i: &Inst) -> u32 {
    (u32::MAX >> (32 - i.imm)) << i.amount
}

/// `BFC<c> <Rd>, #<lsb>, #<width>`
pub fn bfc<M: Integer>(m: &mut M, i: &Inst) {
    let (old, keep) = (m.reg(i.rd), m.word(!field(i)));
    let result = m.and(old, keep);
    m.set_reg(i.rd, result);
}

/// `BFI<c> <Rd>, <Rn>, #<lsb>, #<width>`
pub fn bfi<M: Integer>(m: &mut M, i: &Inst) {
    let (old, n) = (m.reg(i.rd), m.reg(i.rn));
    let (keep, change) = (m.word(!field(i)), m.word(field(i)));
    let inserted = m.shl(n, u32::from(i.amount));
    let (inserted, kept) = (m.and(inserted, change), m.and(old, keep));
    let result = m.or(kept, inserted);
    m.set_reg(i.rd, result);
}

/// `SBFX<c> <Rd>, <Rn>, #<lsb>, #<width>`
pub fn sbfx<M: Integer>(m: &mut M, i: &Inst) {
    let n = m.reg(i.rn);
    let top = m.shl(n, 32 - u32::from(i.amount) - i.imm);
    let result = m.sar(top, 32 - i.imm);
    m.set_reg(i.rd, result);
}

/// `UBFX<c> <Rd>, <Rn>, #<lsb>, #<width>`
pub fn ubfx<M: Integer>(m: &mut M, i: &Inst) {
    let (n, mask) = (m.reg(i.rn), m.word(u32::MAX >> (32 - i.imm)));
    let low = m.shr(n, u32::from(i.amount));
    let result = m.and(low, mask);
    m.set_reg(i.rd, result);
}

// ---- reversal and counting

/// `REV<c> <Rd>, <Rm>`
pub fn rev<M: Integer>(m: &mut M, i: &Inst) {
    let rm = m.reg(i.rm);
    let result = m.rev(rm);
    m.set_reg(i.rd, result);
}

/// `REV16<c> <Rd>, <Rm>`
pub fn rev16<M: Integer>(m: &mut M, i: &Inst) {
    let rm = m.reg(i.rm);
    let reversed = m.rev(rm);
    let result = m.ror(reversed, 16);
    m.set_reg(i.rd, result);
}

/// `REVSH<c> <Rd>, <Rm>`
pub fn revsh<M: Integer>(m: &mut M, i: &Inst) {
    let rm = m.reg(i.rm);
    let reversed = m.rev(rm);
    let result = m.sar(reversed, 16);
    m.set_reg(i.rd, result);
}

/// `RBIT<c> <Rd>, <Rm>`
pub fn rbit<M: Integer>(m: &mut M, i: &Inst) {
    let rm = m.reg(i.rm);
    let result = m.rbit(rm);
    m.set_reg(i.rd, result);
}

/// `CLZ<c> <Rd>, <Rm>`
pub fn clz<M: Integer>(m: &mut M, i: &Inst) {
    let rm = m.reg(i.rm);
    let result = m.clz(rm);
    m.set_reg(i.rd, result);
}

/// `CRC32{C}{B,H,W} <Rd>, <Rn>, <Rm>`; `shift` is 1 for CRC-32C.
pub fn crc32<M: Integer>(m: &mut M, i: &Inst) {
    let (crc, data) = (m.reg(i.rn), m.reg(i.rm));
    let result = m.crc32(i.shift != 0, crc, data, 1 << i.size);
    m.set_reg(i.rd, result);
}
