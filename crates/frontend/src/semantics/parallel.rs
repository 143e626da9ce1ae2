//! Addition and subtraction of the bytes or halfwords of a word (Arm ARM A4.4.7), SEL and USAD8.

use super::saturating::clamp;
use crate::inst::Inst;
use crate::machine::Integer;

/// What is done with the exact result of a lane.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// `S`: modulo, GE is "not negative".
    Signed,
    /// `U`: modulo, GE is the carry of an addition, the not-borrow of a subtraction.
    Unsigned,
    /// `Q`
    SaturatingSigned,
    /// `UQ`
    SaturatingUnsigned,
    /// `SH`
    HalvingSigned,
    /// `UH`
    HalvingUnsigned,
}

/// Lane `k` of `bits` bits as a number.
#[inline(always)]
fn lane<M: Integer>(m: &mut M, w: M::W, k: u32, bits: u32, signed: bool) -> M::W {
    let low = if k == 0 { w } else { m.shr(w, k * bits) };
    match (bits, signed) {
        (8, true) => m.sext8(low),
        (8, false) => m.zext8(low),
        (_, true) => m.sext16(low),
        (_, false) => m.zext16(low),
    }
}

/// Rd = lanes of `bits` bits; `lanes` says for each, lowest first, whether it is a difference; with `exchange` the
/// halfwords of Rm are swapped.
#[inline(always)]
fn lanes<M: Integer>(m: &mut M, i: &Inst, kind: Kind, bits: u32, lanes: &[bool], exchange: bool) {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let rm = if exchange { m.ror(rm, 16) } else { rm };
    let signed = matches!(kind, Kind::Signed | Kind::SaturatingSigned | Kind::HalvingSigned);
    let (mut result, mut ge) = (m.word(0), m.word(0));
    for (k, &subtract) in (0..).zip(lanes) {
        let (a, b) = (lane(m, n, k, bits, signed), lane(m, rm, k, bits, signed));
        let exact = if subtract { m.sub(a, b) } else { m.add(a, b) };
        let value = match kind {
            Kind::Signed | Kind::Unsigned => {
                let carry = kind == Kind::Unsigned && !subtract;
                let bit = m.bit(exact, if carry { bits } else { 31 });
                let bit = if carry { bit } else { m.b_not(bit) };
                let (bit, lane_bits) = (m.b_to_w(bit), m.word(((1 << bits) - 1) << (k * bits)));
                let all = m.mul(bit, lane_bits);
                ge = m.or(ge, all);
                exact
            }
            Kind::SaturatingSigned => clamp(m, exact, -1 << (bits - 1), (1 << (bits - 1)) - 1).0,
            Kind::SaturatingUnsigned => clamp(m, exact, 0, (1 << bits) - 1).0,
            Kind::HalvingSigned | Kind::HalvingUnsigned => m.sar(exact, 1),
        };
        let value = if bits == 8 { m.zext8(value) } else { m.zext16(value) };
        let placed = m.shl(value, k * bits);
        result = m.or(result, placed);
    }
    m.set_reg(i.rd, result);
    if matches!(kind, Kind::Signed | Kind::Unsigned) {
        m.set_ge(ge);
    }
}

macro_rules! parallel {
    ($(#[doc = $doc:literal] $kind:ident $add16:ident $asx:ident $sax:ident $sub16:ident $($add8:ident $sub8:ident)?;)*) => {$(
        #[doc = $doc]
        pub fn $add16<M: Integer>(m: &mut M, i: &Inst) {
            lanes(m, i, Kind::$kind, 16, &[false, false], false)
        }

        #[doc = $doc]
        pub fn $asx<M: Integer>(m: &mut M, i: &Inst) {
            lanes(m, i, Kind::$kind, 16, &[true, false], true)
        }

        #[doc = $doc]
        pub fn $sax<M: Integer>(m: &mut M, i: &Inst) {
            lanes(m, i, Kind::$kind, 16, &[false, true], true)
        }

        #[doc = $doc]
        pub fn $sub16<M: Integer>(m: &mut M, i: &Inst) {
            lanes(m, i, Kind::$kind, 16, &[true, true], false)
        }

        $(
        #[doc = $doc]
        pub fn $add8<M: Integer>(m: &mut M, i: &Inst) {
            lanes(m, i, Kind::$kind, 8, &[false; 4], false)
        }

        #[doc = $doc]
        pub fn $sub8<M: Integer>(m: &mut M, i: &Inst) {
            lanes(m, i, Kind::$kind, 8, &[true; 4], false)
        }
        )?
    )*};
}

parallel! {
    /// Signed lanes, modulo; the GE flags.
    Signed sadd16 sasx ssax ssub16 sadd8 ssub8;
    /// Signed lanes, saturating.
    SaturatingSigned qadd16 qasx qsax qsub16 qadd8 qsub8;
    /// Signed lanes, halving.
    HalvingSigned shadd16 shasx shsax shsub16 shadd8 shsub8;
    /// Unsigned lanes, modulo; the GE flags.
    Unsigned uadd16 uasx usax usub16;
    /// Unsigned lanes, saturating.
    SaturatingUnsigned uqadd16 uqasx uqsax uqsub16 uqadd8 uqsub8;
    /// Unsigned lanes, halving.
    HalvingUnsigned uhadd16 uhasx uhsax uhsub16 uhadd8 uhsub8;
}

// The string functions of C libraries test four bytes at once with UADD8 and SEL: those have operations of their own.

/// `UADD8<c> <Rd>, <Rn>, <Rm>`
pub fn uadd8<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let (sum, carries) = m.add8(n, rm);
    m.set_ge(carries);
    m.set_reg(i.rd, sum);
}

/// `USUB8<c> <Rd>, <Rn>, <Rm>`
pub fn usub8<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let (difference, no_borrows) = m.sub8(n, rm);
    m.set_ge(no_borrows);
    m.set_reg(i.rd, difference);
}

/// `SEL<c> <Rd>, <Rn>, <Rm>`
pub fn sel<M: Integer>(m: &mut M, i: &Inst) {
    let (n, rm, ge) = (m.reg(i.rn), m.reg(i.rm), m.ge());
    let (from_n, from_m) = (m.and(n, ge), m.bic(rm, ge));
    let result = m.or(from_n, from_m);
    m.set_reg(i.rd, result);
}

/// The sum of the absolute differences of the bytes.
#[inline(always)]
fn absolute_differences<M: Integer>(m: &mut M, i: &Inst) -> M::W {
    let (n, rm) = (m.reg(i.rn), m.reg(i.rm));
    let mut sum = m.word(0);
    for k in 0..4 {
        let (a, b) = (lane(m, n, k, 8, false), lane(m, rm, k, 8, false));
        let difference = m.sub(a, b);
        let sign = m.sar(difference, 31);
        let flipped = m.xor(difference, sign);
        let absolute = m.sub(flipped, sign);
        sum = m.add(sum, absolute);
    }
    sum
}

/// `USAD8<c> <Rd>, <Rn>, <Rm>`
pub fn usad8<M: Integer>(m: &mut M, i: &Inst) {
    let sum = absolute_differences(m, i);
    m.set_reg(i.rd, sum);
}

/// `USADA8<c> <Rd>, <Rn>, <Rm>, <Ra>`
pub fn usada8<M: Integer>(m: &mut M, i: &Inst) {
    let (sum, a) = (absolute_differences(m, i), m.reg(i.ra));
    let result = m.add(a, sum);
    m.set_reg(i.rd, result);
}
