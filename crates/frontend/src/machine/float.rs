//! Scalar floating point: VFP registers and arithmetic under the guest's FPSCR.

use super::Integer;

/// One-operand operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FloatOp1 {
    Sqrt,
}

/// Two-operand operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FloatOp2 {
    Add,
    Sub,
    Mul,
    Div,
}

/// Fused multiply-add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FloatOp3 {
    /// acc + a * b, rounded once.
    Fma,
}

/// Scalar floating point. `S` is a single, `D` a double.
#[allow(missing_docs)]
pub trait Float: Integer {
    type S: Copy;
    type D: Copy;

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
}
