//! Advanced SIMD: 128-bit vectors. A D register is the low half of one.

use super::{Float, Rounding};

/// The type of a vector's elements. Where an operation does not care about the sign, it is given the unsigned type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Elem {
    U8,
    U16,
    U32,
    U64,
    S8,
    S16,
    S32,
    S64,
    F32,
}

impl Elem {
    /// Every element type.
    pub const ALL: [Elem; 9] =
        [Elem::U8, Elem::U16, Elem::U32, Elem::U64, Elem::S8, Elem::S16, Elem::S32, Elem::S64, Elem::F32];

    /// The unsigned integer of `1 << size` bytes.
    pub const fn unsigned(size: u8) -> Elem {
        match size {
            0 => Elem::U8,
            1 => Elem::U16,
            2 => Elem::U32,
            _ => Elem::U64,
        }
    }

    /// The signed integer of `1 << size` bytes.
    pub const fn signed(size: u8) -> Elem {
        match size {
            0 => Elem::S8,
            1 => Elem::S16,
            2 => Elem::S32,
            _ => Elem::S64,
        }
    }

    /// Log2 of the size in bytes.
    pub const fn size(self) -> u8 {
        match self {
            Elem::U8 | Elem::S8 => 0,
            Elem::U16 | Elem::S16 => 1,
            Elem::U32 | Elem::S32 | Elem::F32 => 2,
            Elem::U64 | Elem::S64 => 3,
        }
    }

    /// Size in bits.
    pub const fn bits(self) -> u32 {
        8 << self.size()
    }

    /// The integer of the same sign and twice the size.
    pub const fn wide(self) -> Elem {
        match self {
            Elem::S8 | Elem::S16 | Elem::S32 => Elem::signed(self.size() + 1),
            _ => Elem::unsigned(self.size() + 1),
        }
    }
}

/// One-operand operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum V1 {
    /// All bits inverted.
    Not,
    /// Minus. F32: the sign bit inverted.
    Neg,
    /// Absolute value. F32: the sign bit cleared.
    Abs,
    /// Saturating minus (signed).
    Qneg,
    /// Saturating absolute value (signed).
    Qabs,
    /// Count of leading bits equal to the sign bit, itself not counted.
    Cls,
    /// Count of leading zeros.
    Clz,
    /// Count of ones (U8).
    Cnt,
    /// Elements reversed within halfwords.
    Rev16,
    /// Elements reversed within words.
    Rev32,
    /// Elements reversed within doublewords.
    Rev64,
    /// Sums of adjacent pairs, twice as wide; the type is that of the sources.
    Paddl,
    /// The elements of the low half, twice as wide; the type is that of the source.
    Widen,
    /// Each double-width element cut to this type; the result is the low half, the high half zero.
    Narrow,
    /// As `Narrow`, saturating to this type; the source has its sign.
    Qnarrow,
    /// As `Narrow`, saturating to this unsigned type; the source is signed.
    QnarrowU,
    /// Reciprocal estimate (U32, F32).
    Recpe,
    /// Reciprocal square root estimate (U32, F32).
    Rsqrte,
    /// F32 to integral F32; inexact is not reported.
    Rint(Rounding),
    /// F32 to integral F32, to nearest even; inexact is reported.
    RintExact,
    /// F32 to the integer type given.
    ToInt(Rounding),
    /// Four half-precision numbers in the low half to F32.
    FromHalf,
    /// F32 to four half-precision numbers in the low half, the high half zero.
    ToHalf,
}

/// Two-operand operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum V2 {
    /// Bitwise AND.
    And,
    /// Bitwise OR.
    Or,
    /// Bitwise exclusive OR.
    Xor,
    /// a AND NOT b.
    Bic,
    /// a OR NOT b.
    Orn,
    /// Sum.
    Add,
    /// Difference.
    Sub,
    /// Product, low half.
    Mul,
    /// Product of polynomials over {0, 1}, low half (U8).
    Pmul,
    /// Half of the sum.
    Hadd,
    /// Half of the sum, rounded.
    Rhadd,
    /// Half of the difference.
    Hsub,
    /// Saturating sum.
    Qadd,
    /// Saturating difference.
    Qsub,
    /// All ones where equal.
    Ceq,
    /// All ones where a >= b.
    Cge,
    /// All ones where a > b.
    Cgt,
    /// All ones where a AND b is not zero.
    Tst,
    /// Maximum.
    Max,
    /// Minimum.
    Min,
    /// Maximum; a number wins over a quiet NaN (F32).
    Maxnm,
    /// Minimum; a number wins over a quiet NaN (F32).
    Minnm,
    /// Absolute difference.
    Abd,
    /// a shifted left by the signed low byte of b; right when that is negative.
    Shl,
    /// As `Shl`, right shifts rounded.
    Rshl,
    /// As `Shl`, saturating.
    Qshl,
    /// As `Rshl`, saturating.
    Qrshl,
    /// High half of twice the product, saturating (S16, S32).
    Qdmulh,
    /// As `Qdmulh`, rounded.
    Qrdmulh,
    /// Product of the low halves' elements, twice as wide; the type is that of the sources.
    Mull,
    /// Polynomial product of the low halves' elements, twice as wide (U8, U64).
    Pmull,
    /// Twice the product of the low halves' elements, twice as wide, saturating (S16, S32).
    Qdmull,
    /// 2 - a * b (F32).
    Recps,
    /// (3 - a * b) / 2 (F32).
    Rsqrts,
    /// Even elements of a, then those of b.
    Uzp1,
    /// Odd elements of a, then those of b.
    Uzp2,
    /// Low halves of a and b interleaved.
    Zip1,
    /// High halves of a and b interleaved.
    Zip2,
    /// Even elements of a and b interleaved.
    Trn1,
    /// Odd elements of a and b interleaved.
    Trn2,
}

/// Three-operand operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum V3 {
    /// Bits of b where the first operand has ones, of c where it has zeros.
    Bsl,
    /// a + b * c, rounded once (F32).
    Fma,
}

/// Operations with an immediate amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum VShift {
    /// Left, 0 to the element's size minus 1.
    Shl,
    /// Right, 1 to the element's size.
    Shr,
    /// Right, rounded.
    Rshr,
    /// Left, saturating.
    Qshl,
    /// Left, from signed to this unsigned type, saturating.
    QshlU,
    /// F32 to fixed point of this type with so many fraction bits, towards zero.
    ToFixed,
    /// Fixed point of this type with so many fraction bits to F32.
    FromFixed,
}

/// Vector operations. `V` is 128 bits.
///
/// The operations that work on D registers are the same ones: the operands' high halves are zero, or do not matter, and
/// that of the result is dropped. Only floating-point operations could tell, by the exceptions of the unused elements; the
/// semantics give them operands that raise none.
///
/// Floating-point elements obey the "standard FPSCR value" (Arm ARM A2.7.7): flush-to-zero, default NaN, round to nearest.
/// Saturation sets FPSCR.QC, floating-point exceptions its cumulative bits.
#[allow(missing_docs)]
pub trait Vector: Float {
    type V: Copy;

    // ---- registers
    /// Q register 0 to 15.
    fn qreg(&mut self, r: u8) -> Self::V;
    fn set_qreg(&mut self, r: u8, v: Self::V);
    /// D register 0 to 31; the high half is zero.
    fn vdreg(&mut self, r: u8) -> Self::V;
    /// Sets D register 0 to 31 to the low half.
    fn set_vdreg(&mut self, r: u8, v: Self::V);

    // ---- memory
    /// Loads 1, 2, 4, 8 or 16 bytes; those above are zero. An address that is not a multiple of `align` is an
    /// alignment fault.
    fn vload(&mut self, bytes: u32, align: u32, addr: Self::W) -> Self::V;
    /// Stores the low 1, 2, 4, 8 or 16 bytes.
    fn vstore(&mut self, bytes: u32, align: u32, addr: Self::W, v: Self::V);

    // ---- elements and halves
    fn vconst(&mut self, x: u128) -> Self::V;
    /// Every element is the low bits of `w`; elements of up to 32 bits.
    fn vdup(&mut self, e: Elem, w: Self::W) -> Self::V;
    /// Every element is element `lane` of `v`.
    fn vdup_lane(&mut self, e: Elem, v: Self::V, lane: u8) -> Self::V;
    /// Element `lane`, extended as its type says; elements of up to 32 bits.
    fn lane(&mut self, e: Elem, v: Self::V, lane: u8) -> Self::W;
    /// `v` with element `lane` replaced by the low bits of `w`; elements of up to 32 bits.
    fn set_lane(&mut self, e: Elem, v: Self::V, lane: u8, w: Self::W) -> Self::V;
    /// The low half of `v`, the high half zero.
    fn vlow(&mut self, v: Self::V) -> Self::V;
    /// The high half of `v` as the low one, the high half zero.
    fn vhigh(&mut self, v: Self::V) -> Self::V;
    /// The low halves of both.
    fn vconcat(&mut self, lo: Self::V, hi: Self::V) -> Self::V;

    // ---- operations
    fn v1(&mut self, op: V1, e: Elem, a: Self::V) -> Self::V;
    fn v2(&mut self, op: V2, e: Elem, a: Self::V, b: Self::V) -> Self::V;
    fn v3(&mut self, op: V3, e: Elem, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    fn vshift(&mut self, op: VShift, e: Elem, a: Self::V, n: u8) -> Self::V;
    /// Bytes `n` to `n + 15` of the 32 that `a` (first) and `b` make; `n` is 0 to 15.
    fn vext(&mut self, a: Self::V, b: Self::V, n: u8) -> Self::V;
    /// Looks each byte of `index` up in the first `len` bytes (up to 32) of `table`; where it is out of range, the byte of
    /// `default` is taken.
    fn vtable(&mut self, table: [Self::V; 2], len: u8, index: Self::V, default: Self::V) -> Self::V;
}
