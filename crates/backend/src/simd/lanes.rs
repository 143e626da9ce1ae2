//! A vector as an array of elements, and the operations on one element.
//!
//! The loops have a fixed length and no branch on the operation inside, so that they become host vector instructions.

use super::Elem;
use zerocopy::transmute;

/// An integer element.
pub(super) trait Lane: Copy {
    /// Wide enough for any exact intermediate result.
    type Exact: Copy + PartialEq;

    fn map1(a: u128, f: impl Fn(Self) -> Self) -> u128;
    fn map2(a: u128, b: u128, f: impl Fn(Self, Self) -> Self) -> u128;
    /// Exact results saturated to the element; `true` when one was.
    fn saturate2(a: u128, b: u128, f: impl Fn(Self, Self) -> Self::Exact) -> (u128, bool);
    /// Element `k` of the result is element `from(k)` of `a`, or, from the element count on, of `b`.
    fn pick(a: u128, b: u128, from: impl Fn(usize) -> usize) -> u128;
    /// Elements in a vector.
    const COUNT: usize;

    fn add(self, b: Self) -> Self;
    fn sub(self, b: Self) -> Self;
    fn mul(self, b: Self) -> Self;
    fn qadd(self, b: Self) -> Self;
    fn qsub(self, b: Self) -> Self;
    fn hadd(self, b: Self) -> Self;
    fn rhadd(self, b: Self) -> Self;
    fn hsub(self, b: Self) -> Self;
    fn ceq(self, b: Self) -> Self;
    fn cge(self, b: Self) -> Self;
    fn cgt(self, b: Self) -> Self;
    fn tst(self, b: Self) -> Self;
    fn max(self, b: Self) -> Self;
    fn min(self, b: Self) -> Self;
    fn abd(self, b: Self) -> Self;
    fn neg(self) -> Self;
    fn abs(self) -> Self;
    fn cls(self) -> Self;
    fn clz(self) -> Self;
    fn cnt(self) -> Self;
    fn qneg(self) -> Self::Exact;
    fn qabs(self) -> Self::Exact;
    /// Left by 0 to the size minus 1.
    fn shl(self, n: u8) -> Self;
    /// Right by 1 to the size.
    fn shr(self, n: u8) -> Self;
    /// Right by 1 to the size, rounded.
    fn rshr(self, n: u8) -> Self;
    /// Left by the signed low byte of `n`, wrapping.
    fn shl_by(self, n: Self, round: bool) -> Self;
    /// The same, exact as far as saturation can tell.
    fn qshl_by(self, n: Self, round: bool) -> Self::Exact;
    /// Left by 0 to the size minus 1, exact.
    fn qshl(self, n: u8) -> Self::Exact;
    /// The same of the signed element of this size.
    fn qshl_signed(self, n: u8) -> Self::Exact;
    /// Twice the product's high half, rounded by adding `round` of the low half's top bit.
    fn qdmulh(self, b: Self, round: bool) -> Self::Exact;
}

macro_rules! lane {
    ($t:ident, $signed:ident, $exact:ident, $n:literal) => {
        impl Lane for $t {
            type Exact = $exact;
            const COUNT: usize = $n;

            #[inline(always)]
            fn map1(a: u128, f: impl Fn(Self) -> Self) -> u128 {
                let a: [$t; $n] = transmute!(a);
                transmute!(a.map(f))
            }
            #[inline(always)]
            fn map2(a: u128, b: u128, f: impl Fn(Self, Self) -> Self) -> u128 {
                let (a, b): ([$t; $n], [$t; $n]) = (transmute!(a), transmute!(b));
                let mut r = [0; $n];
                for k in 0..$n {
                    r[k] = f(a[k], b[k]);
                }
                transmute!(r)
            }
            #[inline(always)]
            fn saturate2(a: u128, b: u128, f: impl Fn(Self, Self) -> $exact) -> (u128, bool) {
                let (a, b): ([$t; $n], [$t; $n]) = (transmute!(a), transmute!(b));
                let mut r: [$t; $n] = [0; $n];
                let mut saturated = false;
                for k in 0..$n {
                    let exact = f(a[k], b[k]);
                    let clamped = exact.clamp($t::MIN.into(), $t::MAX.into());
                    saturated |= clamped != exact;
                    r[k] = clamped as $t;
                }
                (transmute!(r), saturated)
            }
            #[inline(always)]
            fn pick(a: u128, b: u128, from: impl Fn(usize) -> usize) -> u128 {
                let (a, b): ([$t; $n], [$t; $n]) = (transmute!(a), transmute!(b));
                let mut r = [0; $n];
                for k in 0..$n {
                    let from = from(k);
                    r[k] = if from < $n { a[from % $n] } else { b[from % $n] };
                }
                transmute!(r)
            }

            #[inline(always)]
            fn add(self, b: Self) -> Self {
                self.wrapping_add(b)
            }
            #[inline(always)]
            fn sub(self, b: Self) -> Self {
                self.wrapping_sub(b)
            }
            #[inline(always)]
            fn mul(self, b: Self) -> Self {
                self.wrapping_mul(b)
            }
            #[inline(always)]
            fn qadd(self, b: Self) -> Self {
                self.saturating_add(b)
            }
            #[inline(always)]
            fn qsub(self, b: Self) -> Self {
                self.saturating_sub(b)
            }
            #[inline(always)]
            fn hadd(self, b: Self) -> Self {
                (self & b).wrapping_add((self ^ b) >> 1)
            }
            #[inline(always)]
            fn rhadd(self, b: Self) -> Self {
                (self | b).wrapping_sub((self ^ b) >> 1)
            }
            #[inline(always)]
            fn hsub(self, b: Self) -> Self {
                ((self as $exact - b as $exact) >> 1) as $t
            }
            #[inline(always)]
            fn ceq(self, b: Self) -> Self {
                if self == b { !0 } else { 0 }
            }
            #[inline(always)]
            fn cge(self, b: Self) -> Self {
                if self >= b { !0 } else { 0 }
            }
            #[inline(always)]
            fn cgt(self, b: Self) -> Self {
                if self > b { !0 } else { 0 }
            }
            #[inline(always)]
            fn tst(self, b: Self) -> Self {
                if self & b != 0 { !0 } else { 0 }
            }
            #[inline(always)]
            fn max(self, b: Self) -> Self {
                Ord::max(self, b)
            }
            #[inline(always)]
            fn min(self, b: Self) -> Self {
                Ord::min(self, b)
            }
            #[inline(always)]
            fn abd(self, b: Self) -> Self {
                Ord::max(self, b).wrapping_sub(Ord::min(self, b))
            }
            #[inline(always)]
            fn neg(self) -> Self {
                self.wrapping_neg()
            }
            #[inline(always)]
            fn abs(self) -> Self {
                (self as $signed).wrapping_abs() as $t
            }
            #[inline(always)]
            fn cls(self) -> Self {
                let x = self as $signed;
                ((x ^ x >> ($t::BITS - 1)).leading_zeros() - 1) as $t
            }
            #[inline(always)]
            fn clz(self) -> Self {
                self.leading_zeros() as $t
            }
            #[inline(always)]
            fn cnt(self) -> Self {
                self.count_ones() as $t
            }
            #[inline(always)]
            fn qneg(self) -> $exact {
                -(self as $exact)
            }
            #[inline(always)]
            fn qabs(self) -> $exact {
                (self as $exact).abs()
            }
            #[inline(always)]
            fn shl(self, n: u8) -> Self {
                self.wrapping_shl(n.into())
            }
            #[inline(always)]
            fn shr(self, n: u8) -> Self {
                // By the size: first by one less.
                let last = u32::from(u32::from(n) >= $t::BITS);
                self.wrapping_shr(u32::from(n) - last) >> last
            }
            #[inline(always)]
            fn rshr(self, n: u8) -> Self {
                let x = self.wrapping_shr(u32::from(n) - 1);
                (x >> 1).wrapping_add(x & 1)
            }
            #[inline(always)]
            fn shl_by(self, n: Self, round: bool) -> Self {
                let n = n as i8;
                if n >= 0 {
                    if (n as u32) < $t::BITS { self << n } else { 0 }
                } else {
                    right(self as _, n, $t::BITS, round) as $t
                }
            }
            #[inline(always)]
            fn qshl_by(self, n: Self, round: bool) -> $exact {
                let n = n as i8;
                if n < 0 {
                    right(self as _, n, $t::BITS, round) as $exact
                } else if (n as u32) < $t::BITS {
                    (self as $exact) << n
                } else {
                    // Anything but zero leaves the range by its sign.
                    (self as $exact).signum() * $exact::MAX
                }
            }
            #[inline(always)]
            fn qshl(self, n: u8) -> $exact {
                (self as $exact).wrapping_shl(n.into())
            }
            #[inline(always)]
            fn qshl_signed(self, n: u8) -> $exact {
                (self as $signed as $exact).wrapping_shl(n.into())
            }
            #[inline(always)]
            fn qdmulh(self, b: Self, round: bool) -> $exact {
                let round = if round { 1 << ($t::BITS - 2) } else { 0 };
                // Twice a product of 32-bit elements could overflow; half of everything cannot.
                ((self as $exact).wrapping_mul(b as $exact).wrapping_add(round)) >> ($t::BITS - 1)
            }
        }
    };
}

/// Right by `-n`, 1 to 128.
#[inline(always)]
fn right(x: i128, n: i8, bits: u32, round: bool) -> i128 {
    // Beyond the size plus one nothing changes any more.
    let n = Ord::min(u32::from(n.unsigned_abs()), bits + 1);
    if round { (x + (1 << (n - 1))) >> n } else { x >> n }
}

lane!(u8, i8, i64, 16);
lane!(u16, i16, i64, 8);
lane!(u32, i32, i64, 4);
lane!(u64, i64, i128, 2);
lane!(i8, i8, i64, 16);
lane!(i16, i16, i64, 8);
lane!(i32, i32, i64, 4);
lane!(i64, i64, i128, 2);

/// An element with a wider one of the same sign.
pub(super) trait Narrow: Lane {
    /// Twice as wide.
    type Wide: Lane;

    fn widen(a: u128) -> u128;
    /// Sums of adjacent pairs.
    fn paddl(a: u128) -> u128;
    fn mull(a: u128, b: u128) -> u128;
    fn narrow(a: u128) -> u128;
    /// From the wide element of the same sign.
    fn qnarrow(a: u128) -> (u128, bool);
    /// Twice the product, saturated to the wide element.
    fn qdmull(a: u128, b: u128) -> (u128, bool);
}

macro_rules! narrow {
    ($t:ident, $wide:ident, $n:literal, $half:literal) => {
        impl Narrow for $t {
            type Wide = $wide;

            #[inline(always)]
            fn widen(a: u128) -> u128 {
                let a: [$t; $n] = transmute!(a);
                let mut r: [$wide; $half] = [0; $half];
                for k in 0..$half {
                    r[k] = a[k].into();
                }
                transmute!(r)
            }
            #[inline(always)]
            fn paddl(a: u128) -> u128 {
                let a: [$t; $n] = transmute!(a);
                let mut r: [$wide; $half] = [0; $half];
                for k in 0..$half {
                    r[k] = $wide::from(a[2 * k]) + $wide::from(a[2 * k + 1]);
                }
                transmute!(r)
            }
            #[inline(always)]
            fn mull(a: u128, b: u128) -> u128 {
                let (a, b): ([$t; $n], [$t; $n]) = (transmute!(a), transmute!(b));
                let mut r: [$wide; $half] = [0; $half];
                for k in 0..$half {
                    r[k] = $wide::from(a[k]) * $wide::from(b[k]);
                }
                transmute!(r)
            }
            #[inline(always)]
            fn narrow(a: u128) -> u128 {
                let a: [$wide; $half] = transmute!(a);
                let mut r: [$t; $n] = [0; $n];
                for k in 0..$half {
                    r[k] = a[k] as $t;
                }
                transmute!(r)
            }
            #[inline(always)]
            fn qnarrow(a: u128) -> (u128, bool) {
                let a: [$wide; $half] = transmute!(a);
                let mut r: [$t; $n] = [0; $n];
                let mut saturated = false;
                for k in 0..$half {
                    let clamped = a[k].clamp($t::MIN.into(), $t::MAX.into());
                    saturated |= clamped != a[k];
                    r[k] = clamped as $t;
                }
                (transmute!(r), saturated)
            }
            #[inline(always)]
            fn qdmull(a: u128, b: u128) -> (u128, bool) {
                let (a, b): ([$t; $n], [$t; $n]) = (transmute!(a), transmute!(b));
                let mut r: [$wide; $half] = [0; $half];
                let mut saturated = false;
                for k in 0..$half {
                    let product = $wide::from(a[k]) * $wide::from(b[k]);
                    r[k] = product.saturating_add(product);
                    saturated |= r[k] != product.wrapping_add(product);
                }
                (transmute!(r), saturated)
            }
        }
    };
}

narrow!(u8, u16, 16, 8);
narrow!(u16, u32, 8, 4);
narrow!(u32, u64, 4, 2);
narrow!(i8, i16, 16, 8);
narrow!(i16, i32, 8, 4);
narrow!(i32, i64, 4, 2);

/// From signed elements twice as wide to unsigned ones.
pub(super) fn qnarrow_u(e: Elem, a: u128) -> (u128, bool) {
    macro_rules! cut {
        ($wide:ident, $t:ident, $n:literal, $half:literal) => {{
            let a: [$wide; $half] = transmute!(a);
            let mut r: [$t; $n] = [0; $n];
            let mut saturated = false;
            for k in 0..$half {
                let clamped = a[k].clamp(0, $t::MAX.into());
                saturated |= clamped != a[k];
                r[k] = clamped as $t;
            }
            (transmute!(r), saturated)
        }};
    }
    match e.size() {
        0 => cut!(i16, u8, 16, 8),
        1 => cut!(i32, u16, 8, 4),
        _ => cut!(i64, u32, 4, 2),
    }
}

/// Calls `$f::<T>` with the integer of an element type; single precision counts as its bits.
macro_rules! by_type {
    ($e:expr, $f:ident($($a:expr),*)) => {
        match $e {
            Elem::U8 => $f::<u8>($($a),*),
            Elem::U16 => $f::<u16>($($a),*),
            Elem::U32 | Elem::F32 => $f::<u32>($($a),*),
            Elem::U64 => $f::<u64>($($a),*),
            Elem::S8 => $f::<i8>($($a),*),
            Elem::S16 => $f::<i16>($($a),*),
            Elem::S32 => $f::<i32>($($a),*),
            Elem::S64 => $f::<i64>($($a),*),
        }
    };
}

/// The same for the types that have a wider one: those of 64 bits do not occur.
macro_rules! by_narrow_type {
    ($e:expr, $f:ident($($a:expr),*)) => {
        match $e {
            Elem::U8 => $f::<u8>($($a),*),
            Elem::U16 => $f::<u16>($($a),*),
            Elem::U32 | Elem::F32 | Elem::U64 => $f::<u32>($($a),*),
            Elem::S8 => $f::<i8>($($a),*),
            Elem::S16 => $f::<i16>($($a),*),
            Elem::S32 | Elem::S64 => $f::<i32>($($a),*),
        }
    };
}

pub(super) use {by_narrow_type, by_type};
