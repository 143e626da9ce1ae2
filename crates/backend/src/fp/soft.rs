//! Floating point in integers, as the manual's pseudocode defines it (Arm ARM A2.7), for any binary format.
//!
//! It is what the host's instructions are measured against, and what runs where they differ: NaN operands and results,
//! flush-to-zero, tininess, and whatever the host lacks.

use forearm_frontend::machine::Rounding;

/// Bits of FPSCR.
#[allow(missing_docs)]
pub mod fpscr {
    pub const IOC: u32 = 1 << 0;
    pub const DZC: u32 = 1 << 1;
    pub const OFC: u32 = 1 << 2;
    pub const UFC: u32 = 1 << 3;
    pub const IXC: u32 = 1 << 4;
    pub const IDC: u32 = 1 << 7;
    pub const FZ: u32 = 1 << 24;
    pub const DN: u32 = 1 << 25;
    pub const AHP: u32 = 1 << 26;
    pub const QC: u32 = 1 << 27;
    /// Flush-to-zero, default NaN, round to nearest: the "standard FPSCR value" of Advanced SIMD.
    pub const STANDARD: u32 = FZ | DN;
}

use fpscr::{AHP, DN, DZC, FZ, IDC, IOC, IXC, OFC, UFC};

/// A binary interchange format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Bits of the exponent field.
    pub(super) exponent: u32,
    /// Bits of the fraction field.
    pub(super) fraction: u32,
}

/// binary16.
pub const HALF: Format = Format { exponent: 5, fraction: 10 };
/// binary32.
pub const SINGLE: Format = Format { exponent: 8, fraction: 23 };
/// binary64.
pub const DOUBLE: Format = Format { exponent: 11, fraction: 52 };

impl Format {
    pub(super) const fn width(self) -> u32 {
        1 + self.exponent + self.fraction
    }

    /// Unbiased exponent of the smallest normal number.
    const fn min_exponent(self) -> i32 {
        2 - (1 << (self.exponent - 1))
    }

    const fn exponent_ones(self) -> u64 {
        (1 << self.exponent) - 1
    }

    pub(super) const fn sign(self, negative: bool) -> u64 {
        (negative as u64) << (self.width() - 1)
    }

    /// `FPInfinity`.
    pub const fn infinity(self, negative: bool) -> u64 {
        self.sign(negative) | self.exponent_ones() << self.fraction
    }

    /// `FPMaxNormal`.
    const fn max_normal(self, negative: bool) -> u64 {
        self.infinity(negative) - 1
    }

    pub(super) const fn quiet_bit(self) -> u64 {
        1 << (self.fraction - 1)
    }

    /// `FPDefaultNaN`: positive.
    pub const fn default_nan(self) -> u64 {
        self.infinity(false) | self.quiet_bit()
    }
}

/// FPSCR's modes and the exceptions raised under them.
#[derive(Clone, Copy, Debug)]
pub struct Env {
    /// FPSCR: RMode, FZ, DN and AHP are looked at.
    pub fpscr: u32,
    /// Cumulative exception bits to set, as FPSCR has them.
    pub raised: u32,
}

/// `FPUnpack`'s result. A finite number is `sig * 2^exp`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Nan { quiet: bool },
    Infinity { negative: bool },
    Zero { negative: bool },
    Finite { negative: bool, exp: i32, sig: u64 },
}

use Number::{Finite, Infinity, Nan, Zero};

impl Number {
    const fn negative(self) -> bool {
        match self {
            Nan { .. } => false,
            Infinity { negative } | Zero { negative } | Finite { negative, .. } => negative,
        }
    }

    fn negated(self) -> Number {
        match self {
            Nan { .. } => self,
            Infinity { negative } => Infinity { negative: !negative },
            Zero { negative } => Zero { negative: !negative },
            Finite { negative, exp, sig } => Finite { negative: !negative, exp, sig },
        }
    }
}

/// A significand of up to 128 bits whose bit 0 is "sticky": set if anything below it was lost.
fn shift_right_sticky(sig: u128, n: u32) -> u128 {
    match n {
        0 => sig,
        1..=127 => sig >> n | u128::from(sig << (128 - n) != 0),
        _ => u128::from(sig != 0),
    }
}

impl Env {
    /// No exceptions yet, under the modes of `fpscr`.
    pub const fn new(fpscr: u32) -> Env {
        Env { fpscr, raised: 0 }
    }

    const fn is(&self, bit: u32) -> bool {
        self.fpscr & bit != 0
    }

    pub(crate) fn raise(&mut self, exceptions: u32) {
        self.raised |= exceptions;
    }

    /// The rounding in force for `asked`.
    pub(super) fn rounding(&self, asked: Rounding) -> Rounding {
        match asked {
            Rounding::Current => [Rounding::Nearest, Rounding::Up, Rounding::Down, Rounding::Zero]
                [(self.fpscr >> 22 & 3) as usize],
            fixed => fixed,
        }
    }

    /// `FPUnpack`. Half-precision denormals are not flushed, and have no NaNs or infinities under AHP.
    pub(crate) fn unpack(&mut self, f: Format, bits: u64) -> Number {
        let negative = bits >> (f.width() - 1) & 1 != 0;
        let exponent = bits >> f.fraction & f.exponent_ones();
        let fraction = bits & ((1 << f.fraction) - 1);
        let scale = f.min_exponent() - f.fraction as i32;
        if exponent == 0 {
            if fraction == 0 {
                return Zero { negative };
            }
            if self.is(FZ) && f != HALF {
                self.raise(IDC);
                return Zero { negative };
            }
            return Finite { negative, exp: scale, sig: fraction };
        }
        if exponent == f.exponent_ones() && !(f == HALF && self.is(AHP)) {
            return if fraction == 0 {
                Infinity { negative }
            } else {
                Nan { quiet: fraction & f.quiet_bit() != 0 }
            };
        }
        Finite { negative, exp: scale + exponent as i32 - 1, sig: fraction | 1 << f.fraction }
    }

    /// `FPProcessNaN`.
    pub(crate) fn process_nan(&mut self, f: Format, bits: u64, quiet: bool) -> u64 {
        if !quiet {
            self.raise(IOC);
        }
        if self.is(DN) { f.default_nan() } else { bits | f.quiet_bit() }
    }

    /// `FPProcessNaNs` and `FPProcessNaNs3`: the first signalling operand, else the first quiet one.
    fn process_nans<const N: usize>(&mut self, f: Format, operands: [(u64, Number); N]) -> Option<u64> {
        for wanted in [false, true] {
            for (bits, number) in operands {
                if let Nan { quiet } = number
                    && quiet == wanted
                {
                    return Some(self.process_nan(f, bits, quiet));
                }
            }
        }
        None
    }

    fn invalid(&mut self, f: Format) -> u64 {
        self.raise(IOC);
        f.default_nan()
    }

    /// `FPRound` of `sig * 2^exp`. Bit 0 of `sig` may be sticky if it has at least two bits more than the format.
    pub(super) fn round(
        &mut self,
        f: Format,
        negative: bool,
        exp: i32,
        sig: u128,
        rounding: Rounding,
    ) -> u64 {
        if sig == 0 {
            return f.sign(negative);
        }
        let exponent = exp + 127 - sig.leading_zeros() as i32;
        let tiny = exponent < f.min_exponent();
        if tiny && self.is(FZ) && f != HALF {
            self.raise(UFC);
            return f.sign(negative);
        }
        // Weight of the last place of the result.
        let place = exponent.max(f.min_exponent()) - f.fraction as i32;
        let (mut magnitude, rest, half) = match place - exp {
            shift @ ..=0 => ((sig << -shift) as u64, 0, 1),
            shift @ 1..=127 => ((sig >> shift) as u64, sig & ((1 << shift) - 1), 1u128 << (shift - 1)),
            _ => (0, 1, 2),
        };
        let inexact = rest != 0;
        if inexact && tiny {
            self.raise(UFC);
        }
        let rounding = self.rounding(rounding);
        let up = match rounding {
            Rounding::Up => inexact && !negative,
            Rounding::Down => inexact && negative,
            Rounding::Away => rest >= half,
            Rounding::Zero => false,
            Rounding::Nearest | Rounding::Current => rest > half || rest == half && magnitude & 1 != 0,
        };
        magnitude += u64::from(up);
        // The hidden bit of a normal number adds one to the exponent field.
        let field = if tiny { 0 } else { (exponent - f.min_exponent()) as u64 };
        let alternative = f == HALF && self.is(AHP);
        let limit = if alternative { f.exponent_ones() + 1 } else { f.exponent_ones() };
        let overflow = field >= limit || field + (magnitude >> f.fraction) >= limit;
        if overflow && alternative {
            self.raise(IOC);
            return f.sign(negative) | (f.sign(true) - 1);
        }
        if overflow {
            self.raise(OFC | IXC);
            let to_infinity = match rounding {
                Rounding::Up => !negative,
                Rounding::Down => negative,
                Rounding::Zero => false,
                _ => true,
            };
            return if to_infinity { f.infinity(negative) } else { f.max_normal(negative) };
        }
        if inexact {
            self.raise(IXC);
        }
        f.sign(negative) | ((field << f.fraction) + magnitude)
    }

    /// The sum of two finite numbers with significands of up to 106 bits.
    fn sum(&mut self, f: Format, a: (bool, i32, u128), b: (bool, i32, u128)) -> u64 {
        // Bit 125 leaves room for the carry; what is shifted out is then far below the last place.
        let normal = |(negative, exp, sig): (bool, i32, u128)| {
            let shift = sig.leading_zeros() - 2;
            (negative, exp - shift as i32, sig << shift)
        };
        let (mut a, mut b) = (normal(a), normal(b));
        if (a.1, a.2) < (b.1, b.2) {
            std::mem::swap(&mut a, &mut b);
        }
        let aligned = shift_right_sticky(b.2, (a.1 - b.1) as u32);
        let sig = if a.0 == b.0 { a.2 + aligned } else { a.2 - aligned };
        let negative = if sig == 0 { self.zero_sum_sign() } else { a.0 };
        self.round(f, negative, a.1, sig, Rounding::Current)
    }

    /// Sign of an exact zero sum of operands with different signs.
    fn zero_sum_sign(&self) -> bool {
        self.rounding(Rounding::Current) == Rounding::Down
    }

    /// `FPAdd`.
    pub fn add(&mut self, f: Format, a: u64, b: u64) -> u64 {
        let (x, y) = (self.unpack(f, a), self.unpack(f, b));
        self.process_nans(f, [(a, x), (b, y)]).unwrap_or_else(|| self.add_numbers(f, x, y))
    }

    /// `FPSub`.
    pub fn sub(&mut self, f: Format, a: u64, b: u64) -> u64 {
        let (x, y) = (self.unpack(f, a), self.unpack(f, b));
        self.process_nans(f, [(a, x), (b, y)]).unwrap_or_else(|| self.add_numbers(f, x, y.negated()))
    }

    fn add_numbers(&mut self, f: Format, x: Number, y: Number) -> u64 {
        match (x, y) {
            (Infinity { negative: p }, Infinity { negative: q }) if p != q => self.invalid(f),
            (Infinity { negative }, _) | (_, Infinity { negative }) => f.infinity(negative),
            (Zero { negative: p }, Zero { negative: q }) => {
                f.sign(if p == q { p } else { self.zero_sum_sign() })
            }
            (Finite { negative, exp, sig }, Zero { .. } | Nan { .. })
            | (Zero { .. } | Nan { .. }, Finite { negative, exp, sig }) => {
                self.round(f, negative, exp, sig.into(), Rounding::Current)
            }
            (Finite { negative: p, exp: e, sig: s }, Finite { negative: q, exp: g, sig: t }) => {
                self.sum(f, (p, e, s.into()), (q, g, t.into()))
            }
            // NaNs are processed before.
            (Nan { .. }, _) | (_, Nan { .. }) => f.default_nan(),
        }
    }

    /// `FPMul`.
    pub fn mul(&mut self, f: Format, a: u64, b: u64) -> u64 {
        let (x, y) = (self.unpack(f, a), self.unpack(f, b));
        if let Some(nan) = self.process_nans(f, [(a, x), (b, y)]) {
            return nan;
        }
        let negative = x.negative() != y.negative();
        match (x, y) {
            (Infinity { .. }, Zero { .. }) | (Zero { .. }, Infinity { .. }) => self.invalid(f),
            (Infinity { .. }, _) | (_, Infinity { .. }) => f.infinity(negative),
            (Finite { exp: e, sig: s, .. }, Finite { exp: g, sig: t, .. }) => {
                self.round(f, negative, e + g, u128::from(s) * u128::from(t), Rounding::Current)
            }
            _ => f.sign(negative),
        }
    }

    /// `FPDiv`.
    pub fn div(&mut self, f: Format, a: u64, b: u64) -> u64 {
        let (x, y) = (self.unpack(f, a), self.unpack(f, b));
        if let Some(nan) = self.process_nans(f, [(a, x), (b, y)]) {
            return nan;
        }
        let negative = x.negative() != y.negative();
        match (x, y) {
            (Infinity { .. }, Infinity { .. }) | (Zero { .. }, Zero { .. }) => self.invalid(f),
            (Infinity { .. }, _) => f.infinity(negative),
            (Finite { .. }, Zero { .. }) => {
                self.raise(DZC);
                f.infinity(negative)
            }
            (Finite { exp: e, sig: s, .. }, Finite { exp: g, sig: t, .. }) => {
                // The dividend's top bit at 126: the quotient has at least 73 bits.
                let shift = u128::from(s).leading_zeros() - 1;
                let (s, t) = (u128::from(s) << shift, u128::from(t));
                let sig = (s / t) | u128::from(s % t != 0);
                self.round(f, negative, e - shift as i32 - g, sig, Rounding::Current)
            }
            _ => f.sign(negative),
        }
    }

    /// `FPMulAdd(acc, a, b)`.
    pub fn mul_add(&mut self, f: Format, acc: u64, a: u64, b: u64) -> u64 {
        let (z, x, y) = (self.unpack(f, acc), self.unpack(f, a), self.unpack(f, b));
        let impossible = matches!((x, y), (Infinity { .. }, Zero { .. }) | (Zero { .. }, Infinity { .. }));
        if impossible && matches!(z, Nan { quiet: true }) {
            return self.invalid(f);
        }
        if let Some(nan) = self.process_nans(f, [(acc, z), (a, x), (b, y)]) {
            return nan;
        }
        if impossible {
            return self.invalid(f);
        }
        let negative = x.negative() != y.negative();
        match (x, y) {
            (Infinity { .. }, _) | (_, Infinity { .. }) => self.add_numbers(f, z, Infinity { negative }),
            (Finite { exp: e, sig: s, .. }, Finite { exp: g, sig: t, .. }) => {
                let product = u128::from(s) * u128::from(t);
                match z {
                    Infinity { negative } => f.infinity(negative),
                    Finite { negative: q, exp, sig } => {
                        self.sum(f, (negative, e + g, product), (q, exp, sig.into()))
                    }
                    _ => self.round(f, negative, e + g, product, Rounding::Current),
                }
            }
            _ => self.add_numbers(f, z, Zero { negative }),
        }
    }

    /// `FPSqrt`.
    pub fn sqrt(&mut self, f: Format, a: u64) -> u64 {
        match self.unpack(f, a) {
            Nan { quiet } => self.process_nan(f, a, quiet),
            Zero { negative } => f.sign(negative),
            Infinity { negative: false } => f.infinity(false),
            Infinity { negative: true } | Finite { negative: true, .. } => self.invalid(f),
            Finite { exp, sig, .. } => {
                // At least 60 bits of root, from an even exponent.
                let mut shift = u128::from(sig).leading_zeros() - 2;
                shift -= (exp - shift as i32) as u32 & 1;
                let sig = u128::from(sig) << shift;
                let root = sig.isqrt();
                let sticky = u128::from(root * root != sig);
                self.round(f, false, (exp - shift as i32) / 2 - 1, root << 1 | sticky, Rounding::Current)
            }
        }
    }

    /// The order of two numbers; `None` where one is a NaN.
    fn order(&mut self, x: Number, y: Number) -> Option<std::cmp::Ordering> {
        // Magnitude as (class, exponent of the top bit, significand from the top).
        let magnitude = |n: Number| match n {
            Zero { .. } | Nan { .. } => (0, 0, 0),
            Finite { exp, sig, .. } => (1, exp - sig.leading_zeros() as i32, sig << sig.leading_zeros()),
            Infinity { .. } => (2, 0, 0),
        };
        if matches!(x, Nan { .. }) || matches!(y, Nan { .. }) {
            return None;
        }
        if matches!((x, y), (Zero { .. }, Zero { .. })) {
            return Some(std::cmp::Ordering::Equal);
        }
        Some(match (x.negative(), y.negative()) {
            (false, false) => magnitude(x).cmp(&magnitude(y)),
            (true, true) => magnitude(y).cmp(&magnitude(x)),
            (true, false) => std::cmp::Ordering::Less,
            (false, true) => std::cmp::Ordering::Greater,
        })
    }

    /// `FPCompare`: N, Z, C, V in bits 31..28.
    pub fn compare(&mut self, f: Format, a: u64, b: u64, signal: bool) -> u32 {
        let (x, y) = (self.unpack(f, a), self.unpack(f, b));
        match self.order(x, y) {
            None => {
                let signalling = |n| matches!(n, Nan { quiet: false });
                if signal || signalling(x) || signalling(y) {
                    self.raise(IOC);
                }
                0x3000_0000
            }
            Some(std::cmp::Ordering::Less) => 0x8000_0000,
            Some(std::cmp::Ordering::Equal) => 0x6000_0000,
            Some(std::cmp::Ordering::Greater) => 0x2000_0000,
        }
    }

    /// `FPMax`, or `FPMin` where `minimum`.
    pub fn max(&mut self, f: Format, a: u64, b: u64, minimum: bool) -> u64 {
        let (x, y) = (self.unpack(f, a), self.unpack(f, b));
        if let Some(nan) = self.process_nans(f, [(a, x), (b, y)]) {
            return nan;
        }
        let first = match self.order(x, y) {
            Some(std::cmp::Ordering::Greater) => !minimum,
            Some(std::cmp::Ordering::Less) => minimum,
            // Equal numbers differ at most in the sign of zero.
            _ => x.negative() == minimum,
        };
        let (bits, number) = if first { (a, x) } else { (b, y) };
        if let Zero { negative } = number { f.sign(negative) } else { bits }
    }

    /// `FPMaxNum`, or `FPMinNum` where `minimum`: a quiet NaN loses against a number.
    pub fn max_num(&mut self, f: Format, a: u64, b: u64, minimum: bool) -> u64 {
        let quiet = |n| matches!(n, Nan { quiet: true });
        let (x, y) = (self.unpack(f, a), self.unpack(f, b));
        match (quiet(x), quiet(y)) {
            (true, false) => self.max(f, f.infinity(!minimum), b, minimum),
            (false, true) => self.max(f, a, f.infinity(!minimum), minimum),
            _ => self.max(f, a, b, minimum),
        }
    }
}
