//! Scalar floating point: VFP registers and arithmetic under the guest's FPSCR.

use super::{Integer, Size};

/// One-operand arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FloatOp1 {
    /// `FPSqrt`.
    Sqrt,
}

/// Two-operand arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FloatOp2 {
    /// `FPAdd`.
    Add,
    /// `FPSub`.
    Sub,
    /// `FPMul`.
    Mul,
    /// `FPDiv`.
    Div,
    /// `FPMaxNum`: a number wins over a quiet NaN.
    MaxNum,
    /// `FPMinNum`.
    MinNum,
}

/// Three-operand arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FloatOp3 {
    /// `FPMulAdd(acc, a, b)`: acc + a * b, rounded once.
    Fma,
}

/// How a conversion rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Rounding {
    /// As RMode says; to nearest under the standard FPSCR value.
    Current,
    /// To nearest, ties to even.
    Nearest,
    /// To nearest, ties away from zero.
    Away,
    /// Towards plus infinity.
    Up,
    /// Towards minus infinity.
    Down,
    /// Towards zero.
    Zero,
}

/// A fixed-point or (with no fraction bits) integer format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// Width in bits: 16 or 32.
    pub bits: u32,
    /// Fraction bits, 0 to `bits`.
    pub fraction: u32,
    /// Two's complement.
    pub signed: bool,
}

impl Fixed {
    /// A 32-bit integer.
    pub const fn int(signed: bool) -> Fixed {
        Fixed { bits: 32, fraction: 0, signed }
    }
}

/// Scalar floating point. `S` is a single, `D` a double; both are bit patterns that moves do not change.
///
/// Everything that is not a move, a negation or an absolute value obeys FPSCR's RMode, FZ, DN and AHP, and sets its
/// cumulative exception flags, as the manual's pseudocode of that name says (Arm ARM A2.7).
#[allow(missing_docs)] // names are the meaning; those that are not are documented
pub trait Float: Integer {
    type S: Copy;
    type D: Copy;

    // ---- registers and bits
    /// S register 0 to 31.
    fn sreg(&mut self, r: u8) -> Self::S;
    fn set_sreg(&mut self, r: u8, v: Self::S);
    /// D register 0 to 31.
    fn dreg(&mut self, r: u8) -> Self::D;
    fn set_dreg(&mut self, r: u8, v: Self::D);
    fn s_from_bits(&mut self, w: Self::W) -> Self::S;
    fn s_bits(&mut self, s: Self::S) -> Self::W;
    fn d_from_bits(&mut self, l: Self::L) -> Self::D;
    fn d_bits(&mut self, d: Self::D) -> Self::L;
    fn s_load(&mut self, addr: Self::W) -> Self::S {
        let bits = self.load(Size::W, addr);
        self.s_from_bits(bits)
    }
    fn d_load(&mut self, addr: Self::W) -> Self::D {
        let bits = self.load64(addr);
        self.d_from_bits(bits)
    }
    fn s_store(&mut self, addr: Self::W, s: Self::S) {
        let bits = self.s_bits(s);
        self.store(Size::W, addr, bits);
    }
    fn d_store(&mut self, addr: Self::W, d: Self::D) {
        let bits = self.d_bits(d);
        self.store64(addr, bits);
    }
    fn s_select(&mut self, c: Self::B, a: Self::S, b: Self::S) -> Self::S;
    fn d_select(&mut self, c: Self::B, a: Self::D, b: Self::D) -> Self::D;

    // ---- the sign bit alone; no exceptions, NaNs included
    fn s_neg(&mut self, a: Self::S) -> Self::S;
    fn s_abs(&mut self, a: Self::S) -> Self::S;
    fn d_neg(&mut self, a: Self::D) -> Self::D;
    fn d_abs(&mut self, a: Self::D) -> Self::D;

    // ---- arithmetic
    fn s1(&mut self, op: FloatOp1, a: Self::S) -> Self::S;
    fn s2(&mut self, op: FloatOp2, a: Self::S, b: Self::S) -> Self::S;
    fn s3(&mut self, op: FloatOp3, acc: Self::S, a: Self::S, b: Self::S) -> Self::S;
    fn d1(&mut self, op: FloatOp1, a: Self::D) -> Self::D;
    fn d2(&mut self, op: FloatOp2, a: Self::D, b: Self::D) -> Self::D;
    fn d3(&mut self, op: FloatOp3, acc: Self::D, a: Self::D, b: Self::D) -> Self::D;
    /// `FPCompare`: N, Z, C, V in bits 31..28. `signal`: any NaN is an invalid operation (VCMPE).
    fn s_compare(&mut self, a: Self::S, b: Self::S, signal: bool) -> Self::W;
    fn d_compare(&mut self, a: Self::D, b: Self::D, signal: bool) -> Self::W;

    // ---- conversions
    /// `FPRoundInt`; `exact` raises Inexact.
    fn s_round(&mut self, a: Self::S, rounding: Rounding, exact: bool) -> Self::S;
    fn d_round(&mut self, a: Self::D, rounding: Rounding, exact: bool) -> Self::D;
    /// `FPToFixed`: saturates; the result is extended to a word by the format's sign.
    fn s_to_fixed(&mut self, a: Self::S, to: Fixed, rounding: Rounding) -> Self::W;
    fn d_to_fixed(&mut self, a: Self::D, to: Fixed, rounding: Rounding) -> Self::W;
    /// `FixedToFP`: of a narrow format only the low bits of the word count.
    fn s_from_fixed(&mut self, w: Self::W, from: Fixed, rounding: Rounding) -> Self::S;
    fn d_from_fixed(&mut self, w: Self::W, from: Fixed, rounding: Rounding) -> Self::D;
    fn s_to_d(&mut self, a: Self::S) -> Self::D;
    fn d_to_s(&mut self, a: Self::D) -> Self::S;
    /// Half precision in the low 16 bits of a word (the rest is ignored, or zero in a result).
    fn half_to_s(&mut self, half: Self::W) -> Self::S;
    fn half_to_d(&mut self, half: Self::W) -> Self::D;
    fn s_to_half(&mut self, a: Self::S) -> Self::W;
    fn d_to_half(&mut self, a: Self::D) -> Self::W;

    // ---- FPSCR
    fn fpscr(&mut self) -> Self::W;
    fn set_fpscr(&mut self, w: Self::W);
    /// FPSCR's N, Z, C, V in bits 31..28, the rest zero.
    fn fpscr_nzcv(&mut self) -> Self::W;
    /// Sets FPSCR's N, Z, C, V from bits 31..28; the rest of the word is zero.
    fn set_fpscr_nzcv(&mut self, w: Self::W);
}
