//! Multiplication and division (Arm ARM A4.4.3, A4.4.4).

use super::saturating::add_overflow;
use crate::inst::Inst;
use crate::machine::Integer;

/// `MUL{S}<c> <Rd>, <Rn>, <Rm>`
pub fn mul<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let result = m.mul(n, rm);
    write(m, i, result);
}

/// `MLA{S}<c> <Rd>, <Rn>, <Rm>, <Ra>`
pub fn mla<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm, a) = (m.reg(i.rn), m.reg(i.rm), m.reg(i.ra));
    let product = m.mul(n, rm);
    let result = m.add(a, product);
    write(m, i, result);
}

/// `MLS<c> <Rd>, <Rn>, <Rm>, <Ra>`
pub fn mls<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm, a) = (m.reg(i.rn), m.reg(i.rm), m.reg(i.ra));
    let product = m.mul(n, rm);
    let result = m.sub(a, product);
    m.set_reg(i.rd, result);
}

#[inline(always)]
fn write<M: Integer>(m: &mut M, i: &Inst, result: M::W) {
    m.set_reg(i.rd, result);
    if i.has(Inst::S) {
        m.set_nz(result);
    }
}

// ---- 64-bit results: RdLo is `rd`, RdHi is `ra`

#[inline(always)]
fn accumulator<M: Integer>(m: &mut M, i: &Inst) -> M::L {
    let (low, high) = (m.reg(i.rd), m.reg(i.ra));
    m.pair(low, high)
}

#[inline(always)]
fn write_long<M: Integer>(m: &mut M, i: &Inst, result: M::L) {
    let (low, high) = (m.lo(result), m.hi(result));
    m.set_reg(i.rd, low);
    m.set_reg(i.ra, high);
    if i.has(Inst::S) {
        let any = m.or(low, high);
        m.set_n_z(high, any);
    }
}

/// `UMULL{S}<c> <RdLo>, <RdHi>, <Rn>, <Rm>`
pub fn umull<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let result = m.umull(n, rm);
    write_long(m, i, result);
}

/// `UMLAL{S}<c> <RdLo>, <RdHi>, <Rn>, <Rm>`
pub fn umlal<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let product = m.umull(n, rm);
    let sum = accumulator(m, i);
    let result = m.add64(sum, product);
    write_long(m, i, result);
}

/// `UMAAL<c> <RdLo>, <RdHi>, <Rn>, <Rm>`
pub fn umaal<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm, low, high) = (m.reg(i.rn), m.reg(i.rm), m.reg(i.rd), m.reg(i.ra));
    let product = m.umull(n, rm);
    let (low, high) = (m.zext(low), m.zext(high));
    let result = m.add64(product, low);
    let result = m.add64(result, high);
    write_long(m, i, result);
}

/// `SMULL{S}<c> <RdLo>, <RdHi>, <Rn>, <Rm>`
pub fn smull<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let result = m.smull(n, rm);
    write_long(m, i, result);
}

/// `SMLAL{S}<c> <RdLo>, <RdHi>, <Rn>, <Rm>`
pub fn smlal<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let product = m.smull(n, rm);
    let sum = accumulator(m, i);
    let result = m.add64(sum, product);
    write_long(m, i, result);
}

// ---- halfwords: `shift` chooses Rn's (x), `amount` Rm's (y)

/// The top (1) or bottom (0) halfword, sign-extended.
#[inline(always)]
fn half<M: Integer>(m: &mut M, w: M::W, top: u8) -> M::W {
    if top != 0 { m.sar(w, 16) } else { m.sext16(w) }
}

#[inline(always)]
fn half_product<M: Integer>(m: &mut M, i: &Inst) -> M::W {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let (n, rm) = (half(m, n, i.shift), half(m, rm, i.amount));
    m.mul(n, rm)
}

/// Bits 47..16 of a word times a halfword of Rm.
#[inline(always)]
fn wide_product<M: Integer>(m: &mut M, i: &Inst) -> M::W {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let rm = half(m, rm, i.amount);
    let product = m.smull(n, rm);
    let product = m.sar64(product, 16);
    m.lo(product)
}

/// Adds Ra; an overflow sets Q.
#[inline(always)]
fn accumulate<M: Integer>(m: &mut M, i: &Inst, product: M::W) {
    let a = m.reg(i.ra);
    let (result, overflow) = add_overflow(m, product, a);
    m.set_reg(i.rd, result);
    m.saturated(overflow);
}

/// `SMUL<x><y><c> <Rd>, <Rn>, <Rm>`
pub fn smulxy<M: Integer>(m: &mut M, i: &Inst) {
    let product = half_product(m, i);
    m.set_reg(i.rd, product);
}

/// `SMLA<x><y><c> <Rd>, <Rn>, <Rm>, <Ra>`
pub fn smlaxy<M: Integer>(m: &mut M, i: &Inst) {
    let product = half_product(m, i);
    accumulate(m, i, product);
}

/// `SMLAL<x><y><c> <RdLo>, <RdHi>, <Rn>, <Rm>`
pub fn smlalxy<M: Integer>(m: &mut M, i: &Inst) {
    let product = half_product(m, i);
    let product = m.sext(product);
    let sum = accumulator(m, i);
    let result = m.add64(sum, product);
    write_long(m, i, result);
}

/// `SMULW<y><c> <Rd>, <Rn>, <Rm>`
pub fn smulwy<M: Integer>(m: &mut M, i: &Inst) {
    let product = wide_product(m, i);
    m.set_reg(i.rd, product);
}

/// `SMLAW<y><c> <Rd>, <Rn>, <Rm>, <Ra>`
pub fn smlawy<M: Integer>(m: &mut M, i: &Inst) {
    let product = wide_product(m, i);
    accumulate(m, i, product);
}

// ---- dual halfwords: `amount` 1 swaps Rm's

/// The products of the bottom and of the top halfwords.
#[inline(always)]
fn dual_products<M: Integer>(m: &mut M, i: &Inst) -> (M::L, M::L) {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let (n_low, n_high) = (half(m, n, 0), half(m, n, 1));
    let (m_low, m_high) = (half(m, rm, i.amount), half(m, rm, i.amount ^ 1));
    (m.smull(n_low, m_low), m.smull(n_high, m_high))
}

/// Writes the low word; Q is set where that loses bits.
#[inline(always)]
fn write_dual<M: Integer>(m: &mut M, i: &Inst, result: M::L) {
    let (low, high) = (m.lo(result), m.hi(result));
    let sign = m.sar(low, 31);
    let fits = m.eq(high, sign);
    let overflow = m.b_not(fits);
    m.set_reg(i.rd, low);
    m.saturated(overflow);
}

/// `SMUAD{X}<c> <Rd>, <Rn>, <Rm>`
pub fn smuad<M: Integer>(m: &mut M, i: &Inst) {
    let (p, q) = dual_products(m, i);
    let result = m.add64(p, q);
    write_dual(m, i, result);
}

/// `SMUSD{X}<c> <Rd>, <Rn>, <Rm>`
pub fn smusd<M: Integer>(m: &mut M, i: &Inst) {
    let (p, q) = dual_products(m, i);
    let result = m.sub64(p, q);
    let result = m.lo(result);
    m.set_reg(i.rd, result);
}

/// `SMLAD{X}<c> <Rd>, <Rn>, <Rm>, <Ra>`
pub fn smlad<M: Integer>(m: &mut M, i: &Inst) {
    let (p, q) = dual_products(m, i);
    let products = m.add64(p, q);
    let a = m.reg(i.ra);
    let a = m.sext(a);
    let result = m.add64(products, a);
    write_dual(m, i, result);
}

/// `SMLSD{X}<c> <Rd>, <Rn>, <Rm>, <Ra>`
pub fn smlsd<M: Integer>(m: &mut M, i: &Inst) {
    let (p, q) = dual_products(m, i);
    let products = m.sub64(p, q);
    let a = m.reg(i.ra);
    let a = m.sext(a);
    let result = m.add64(products, a);
    write_dual(m, i, result);
}

/// `SMLALD{X}<c> <RdLo>, <RdHi>, <Rn>, <Rm>`
pub fn smlald<M: Integer>(m: &mut M, i: &Inst) {
    let (p, q) = dual_products(m, i);
    let products = m.add64(p, q);
    let sum = accumulator(m, i);
    let result = m.add64(sum, products);
    write_long(m, i, result);
}

/// `SMLSLD{X}<c> <RdLo>, <RdHi>, <Rn>, <Rm>`
pub fn smlsld<M: Integer>(m: &mut M, i: &Inst) {
    let (p, q) = dual_products(m, i);
    let products = m.sub64(p, q);
    let sum = accumulator(m, i);
    let result = m.add64(sum, products);
    write_long(m, i, result);
}

// ---- most significant words: `amount` 1 rounds

/// Writes the high word.
#[inline(always)]
fn write_high<M: Integer>(m: &mut M, i: &Inst, result: M::L) {
    let result = if i.amount != 0 {
        let half = m.long(0x8000_0000);
        m.add64(result, half)
    } else {
        result
    };
    let result = m.hi(result);
    m.set_reg(i.rd, result);
}

/// Ra in the high word.
#[inline(always)]
fn high_accumulator<M: Integer>(m: &mut M, i: &Inst) -> M::L {
    let (zero, a) = (m.word(0), m.reg(i.ra));
    m.pair(zero, a)
}

/// `SMMUL{R}<c> <Rd>, <Rn>, <Rm>`
pub fn smmul<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let product = m.smull(n, rm);
    write_high(m, i, product);
}

/// `SMMLA{R}<c> <Rd>, <Rn>, <Rm>, <Ra>`
pub fn smmla<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let product = m.smull(n, rm);
    let a = high_accumulator(m, i);
    let result = m.add64(a, product);
    write_high(m, i, result);
}

/// `SMMLS{R}<c> <Rd>, <Rn>, <Rm>, <Ra>`
pub fn smmls<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let product = m.smull(n, rm);
    let a = high_accumulator(m, i);
    let result = m.sub64(a, product);
    write_high(m, i, result);
}

/// `SDIV<c> <Rd>, <Rn>, <Rm>`
pub fn sdiv<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let result = m.sdiv(n, rm);
    m.set_reg(i.rd, result);
}

/// `UDIV<c> <Rd>, <Rn>, <Rm>`
pub fn udiv<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let result = m.udiv(n, rm);
    m.set_reg(i.rd, result);
}
