//! Single precision in integers, under the standard FPSCR value (Arm ARM A2.7.7): flush-to-zero, default NaN, round to
//! nearest. Exceptions are or-ed into an FPSCR word. The rare cases of the host's instructions and all that has none.

use super::{DZC, IDC, IOC, IXC, OFC, UFC};
use forearm_frontend::machine::Rounding;

/// The default NaN.
pub(super) const NAN: u32 = 0x7fc0_0000;
const INFINITY: u32 = 0x7f80_0000;
const SIGN: u32 = 1 << 31;
const ONE_POINT_FIVE: u32 = 0x3fc0_0000;
const TWO: u32 = 0x4000_0000;
const THREE: u32 = 0x4040_0000;
const HALF: u32 = 0x3f00_0000;

fn is_nan(x: u32) -> bool {
    x & !SIGN > INFINITY
}

fn is_signalling(x: u32) -> bool {
    is_nan(x) && x & 1 << 22 == 0
}

fn is_infinite(x: u32) -> bool {
    x & !SIGN == INFINITY
}

fn is_zero(x: u32) -> bool {
    x & !SIGN == 0
}

/// A subnormal operand counts as zero.
fn flush(x: u32, fpscr: &mut u32) -> u32 {
    if x & INFINITY == 0 && x & !SIGN != 0 {
        *fpscr |= IDC;
        return x & SIGN;
    }
    x
}

/// The result when an operand is a NaN.
fn nan<const N: usize>(operands: [u32; N], fpscr: &mut u32) -> Option<u32> {
    if operands.into_iter().any(is_signalling) {
        *fpscr |= IOC;
    }
    operands.into_iter().any(is_nan).then_some(NAN)
}

fn invalid(fpscr: &mut u32) -> u32 {
    *fpscr |= IOC;
    NAN
}

/// Significand and exponent of a normal number: `x = significand * 2^exponent`.
fn unpack(x: u32) -> (u32, i32) {
    (x & 0x007f_ffff | 0x0080_0000, (x >> 23 & 0xff) as i32 - 150)
}

/// Rounds `significand * 2^exponent`, not zero. Bit 0 of a significand of more than 26 bits may stand for any bits below.
fn pack(sign: u32, exponent: i32, significand: u64, fpscr: &mut u32) -> u32 {
    let leading = significand.leading_zeros();
    let mut exponent = exponent + 63 - leading as i32;
    if exponent < -126 {
        *fpscr |= UFC;
        return sign;
    }
    let significand = significand << leading;
    let (mut top, rest) = ((significand >> 40) as u32, significand << 24);
    if rest != 0 {
        *fpscr |= IXC;
        if rest > 1 << 63 || rest == 1 << 63 && top & 1 != 0 {
            top += 1;
            if top == 1 << 24 {
                (top, exponent) = (1 << 23, exponent + 1);
            }
        }
    }
    if exponent > 127 {
        *fpscr |= OFC | IXC;
        return sign | INFINITY;
    }
    sign | ((exponent + 127) as u32) << 23 | top & 0x007f_ffff
}

/// Right, or-ing what falls off into bit 0.
fn shift_jam(x: u128, n: u32) -> u128 {
    if n >= 128 {
        return u128::from(x != 0);
    }
    x >> n | u128::from(x & ((1 << n) - 1) != 0)
}

pub(super) fn add(a: u32, b: u32, fpscr: &mut u32) -> u32 {
    // Times one is exact.
    fma(a, b, 0x3f80_0000, fpscr)
}

pub(super) fn sub(a: u32, b: u32, fpscr: &mut u32) -> u32 {
    let b = if is_nan(b) { b } else { b ^ SIGN };
    add(a, b, fpscr)
}

pub(super) fn mul(a: u32, b: u32, fpscr: &mut u32) -> u32 {
    let (a, b) = (flush(a, fpscr), flush(b, fpscr));
    if let Some(nan) = nan([a, b], fpscr) {
        return nan;
    }
    let sign = (a ^ b) & SIGN;
    if is_infinite(a) || is_infinite(b) {
        return if is_zero(a) || is_zero(b) { invalid(fpscr) } else { sign | INFINITY };
    }
    if is_zero(a) || is_zero(b) {
        return sign;
    }
    let ((ma, ea), (mb, eb)) = (unpack(a), unpack(b));
    pack(sign, ea + eb, u64::from(ma) * u64::from(mb), fpscr)
}

/// `acc + a * b`, rounded once.
pub(super) fn fma(acc: u32, a: u32, b: u32, fpscr: &mut u32) -> u32 {
    let (acc, a, b) = (flush(acc, fpscr), flush(a, fpscr), flush(b, fpscr));
    if is_infinite(a) && is_zero(b) || is_zero(a) && is_infinite(b) {
        return invalid(fpscr);
    }
    if let Some(nan) = nan([acc, a, b], fpscr) {
        return nan;
    }
    let sign = (a ^ b) & SIGN;
    if is_infinite(a) || is_infinite(b) {
        let opposite = is_infinite(acc) && acc & SIGN != sign;
        return if opposite { invalid(fpscr) } else { sign | INFINITY };
    }
    if is_infinite(acc) {
        return acc;
    }
    if is_zero(a) || is_zero(b) {
        // Zeros of different signs make plus zero.
        return if is_zero(acc) { acc & sign } else { acc };
    }
    let ((ma, ea), (mb, eb)) = (unpack(a), unpack(b));
    let (product, product_exponent) = (u64::from(ma) * u64::from(mb), ea + eb);
    if is_zero(acc) {
        return pack(sign, product_exponent, product, fpscr);
    }
    // Both with the leading bit at or next below bit 120, so that the one shifted right loses only what cannot matter.
    let (m, e) = unpack(acc);
    let (mut x, mut xe, xs) = (u128::from(product) << 73, product_exponent - 73, sign);
    let (mut y, ye, ys) = (u128::from(m) << 97, e - 97, acc & SIGN);
    if xe < ye {
        (x, xe) = (shift_jam(x, (ye - xe) as u32), ye);
    } else {
        y = shift_jam(y, (xe - ye) as u32);
    }
    let (sum, sign) = if xs == ys {
        (x + y, xs)
    } else if x >= y {
        (x - y, xs)
    } else {
        (y - x, ys)
    };
    if sum == 0 {
        return 0;
    }
    let excess = 64u32.saturating_sub(sum.leading_zeros());
    pack(sign, xe + excess as i32, shift_jam(sum, excess) as u64, fpscr)
}

/// A number's place in the order of the reals, the zeros equal.
fn order(x: u32) -> i32 {
    let magnitude = (x & !SIGN) as i32;
    if x & SIGN != 0 { -magnitude } else { magnitude }
}

fn mask(b: bool) -> u32 {
    if b { !0 } else { 0 }
}

/// Comparison; a quiet NaN is an invalid operand if `signalling`.
fn compare(a: u32, b: u32, signalling: bool, holds: impl Fn(i32, i32) -> bool, fpscr: &mut u32) -> u32 {
    let (a, b) = (flush(a, fpscr), flush(b, fpscr));
    if nan([a, b], fpscr).is_some() {
        if signalling {
            *fpscr |= IOC;
        }
        return 0;
    }
    mask(holds(order(a), order(b)))
}

pub(super) fn ceq(a: u32, b: u32, fpscr: &mut u32) -> u32 {
    compare(a, b, false, |a, b| a == b, fpscr)
}

pub(super) fn cge(a: u32, b: u32, fpscr: &mut u32) -> u32 {
    compare(a, b, true, |a, b| a >= b, fpscr)
}

pub(super) fn cgt(a: u32, b: u32, fpscr: &mut u32) -> u32 {
    compare(a, b, true, |a, b| a > b, fpscr)
}

pub(super) fn max(a: u32, b: u32, fpscr: &mut u32) -> u32 {
    let (a, b) = (flush(a, fpscr), flush(b, fpscr));
    if let Some(nan) = nan([a, b], fpscr) {
        return nan;
    }
    match order(a).cmp(&order(b)) {
        std::cmp::Ordering::Less => b,
        std::cmp::Ordering::Equal => a & b,
        std::cmp::Ordering::Greater => a,
    }
}

pub(super) fn min(a: u32, b: u32, fpscr: &mut u32) -> u32 {
    let (a, b) = (flush(a, fpscr), flush(b, fpscr));
    if let Some(nan) = nan([a, b], fpscr) {
        return nan;
    }
    match order(a).cmp(&order(b)) {
        std::cmp::Ordering::Less => a,
        std::cmp::Ordering::Equal => a | b,
        std::cmp::Ordering::Greater => b,
    }
}

/// Of a number and a quiet NaN, the number twice.
fn numbers(a: u32, b: u32) -> (u32, u32) {
    let quiet = |x| is_nan(x) && !is_signalling(x);
    match (is_nan(a), is_nan(b)) {
        (true, false) if quiet(a) => (b, b),
        (false, true) if quiet(b) => (a, a),
        _ => (a, b),
    }
}

pub(super) fn maxnm(a: u32, b: u32, fpscr: &mut u32) -> u32 {
    let (a, b) = numbers(a, b);
    max(a, b, fpscr)
}

pub(super) fn minnm(a: u32, b: u32, fpscr: &mut u32) -> u32 {
    let (a, b) = numbers(a, b);
    min(a, b, fpscr)
}

/// Zero times infinity in the step instructions, whose product is then zero.
fn zero_times_infinity(a: u32, b: u32) -> bool {
    is_zero(a) && is_infinite(b) || is_infinite(a) && is_zero(b)
}

/// `2 - a * b`
pub(super) fn recps(a: u32, b: u32, fpscr: &mut u32) -> u32 {
    let (a, b) = (flush(a, fpscr), flush(b, fpscr));
    if zero_times_infinity(a, b) {
        return TWO;
    }
    let product = mul(a, b, fpscr);
    sub(TWO, product, fpscr)
}

/// `(3 - a * b) / 2`
pub(super) fn rsqrts(a: u32, b: u32, fpscr: &mut u32) -> u32 {
    let (a, b) = (flush(a, fpscr), flush(b, fpscr));
    if zero_times_infinity(a, b) {
        return ONE_POINT_FIVE;
    }
    let product = mul(a, b, fpscr);
    let difference = sub(THREE, product, fpscr);
    mul(difference, HALF, fpscr)
}

// ---- estimates (Arm ARM A2.7.8)

/// Of 256 to 511, for 0.5 to 1: 256 to 511, for 1 to 2.
fn reciprocal_estimate(a: u32) -> u32 {
    ((1 << 19) / (2 * a + 1)).div_ceil(2)
}

/// Of 128 to 511, for 0.25 to 1: 256 to 511, for 1 to 2.
fn reciprocal_root_estimate(a: u32) -> u32 {
    let a = if a < 256 { 2 * a + 1 } else { (a >> 1 << 1) * 2 + 2 };
    let mut b = 512;
    while a * (b + 1) * (b + 1) < 1 << 28 {
        b += 1;
    }
    (b + 1) / 2
}

/// VRECPE.U32
pub(super) fn recpe_u32(a: u32) -> u32 {
    if a >> 31 == 0 { !0 } else { reciprocal_estimate(a >> 23) << 23 }
}

/// VRSQRTE.U32
pub(super) fn rsqrte_u32(a: u32) -> u32 {
    if a >> 30 == 0 { !0 } else { reciprocal_root_estimate(a >> 23) << 23 }
}

pub(super) fn recpe(a: u32, fpscr: &mut u32) -> u32 {
    let a = flush(a, fpscr);
    if let Some(nan) = nan([a], fpscr) {
        return nan;
    }
    let (sign, exponent) = (a & SIGN, a >> 23 & 0xff);
    if is_infinite(a) {
        return sign;
    }
    if is_zero(a) {
        *fpscr |= DZC;
        return sign | INFINITY;
    }
    if exponent >= 253 {
        *fpscr |= UFC; // the result would be subnormal
        return sign;
    }
    let estimate = reciprocal_estimate(256 | a >> 15 & 0xff);
    sign | (253 - exponent) << 23 | (estimate & 0xff) << 15
}

pub(super) fn rsqrte(a: u32, fpscr: &mut u32) -> u32 {
    let a = flush(a, fpscr);
    if let Some(nan) = nan([a], fpscr) {
        return nan;
    }
    if is_zero(a) {
        *fpscr |= DZC;
        return a | INFINITY;
    }
    if a & SIGN != 0 {
        return invalid(fpscr);
    }
    if is_infinite(a) {
        return 0;
    }
    let exponent = a >> 23;
    let scaled = if exponent & 1 == 0 { 256 | a >> 15 & 0xff } else { 128 | a >> 16 & 0x7f };
    (380 - exponent) / 2 << 23 | (reciprocal_root_estimate(scaled) & 0xff) << 15
}

// ---- conversions

/// `magnitude >> n` rounded, with the sign that `Up` and `Down` ask for; and whether that was inexact.
fn round(magnitude: u32, n: u32, negative: bool, rounding: Rounding) -> (u32, bool) {
    // A magnitude of 24 bits, so everything from 25 on is alike: less than a half.
    let n = n.min(26);
    let (whole, rest, half) = (magnitude >> n, magnitude & ((1 << n) - 1), (1 << n) >> 1);
    let up = rest != 0
        && match rounding {
            Rounding::Nearest => rest > half || rest == half && whole & 1 != 0,
            Rounding::Away => rest >= half,
            Rounding::Up => !negative,
            Rounding::Down => negative,
            Rounding::Zero => false,
        };
    (whole + u32::from(up), rest != 0)
}

/// To fixed point with `fraction` bits below the point.
pub(super) fn to_fixed(x: u32, signed: bool, fraction: u8, rounding: Rounding, fpscr: &mut u32) -> u32 {
    let x = flush(x, fpscr);
    if is_nan(x) {
        *fpscr |= IOC;
        return 0;
    }
    if is_zero(x) {
        return 0;
    }
    let (least, most) =
        if signed { (i64::from(i32::MIN), i64::from(i32::MAX)) } else { (0, i64::from(u32::MAX)) };
    let negative = x & SIGN != 0;
    let (m, e) = unpack(x);
    let e = e + i32::from(fraction);
    let (magnitude, inexact) = match e {
        ..0 => {
            let (whole, inexact) = round(m, e.unsigned_abs(), negative, rounding);
            (i64::from(whole), inexact)
        }
        0..=32 => (i64::from(m) << e, false),
        _ => (i64::MAX, false), // infinity too
    };
    let value = if negative { -magnitude } else { magnitude };
    let result = value.clamp(least, most);
    *fpscr |= if result != value {
        IOC
    } else if inexact {
        IXC
    } else {
        0
    };
    result as u32
}

/// From fixed point with `fraction` bits below the point.
pub(super) fn from_fixed(x: u32, signed: bool, fraction: u8, fpscr: &mut u32) -> u32 {
    let negative = signed && x & SIGN != 0;
    let magnitude = if negative { x.wrapping_neg() } else { x };
    if magnitude == 0 {
        return 0;
    }
    pack(if negative { SIGN } else { 0 }, -i32::from(fraction), magnitude.into(), fpscr)
}

/// To an integral number; `exact`: an inexact one is reported.
pub(super) fn rint(x: u32, rounding: Rounding, exact: bool, fpscr: &mut u32) -> u32 {
    let x = flush(x, fpscr);
    if let Some(nan) = nan([x], fpscr) {
        return nan;
    }
    let (m, e) = unpack(x);
    if is_zero(x) || e >= 0 {
        return x;
    }
    let (whole, inexact) = round(m, e.unsigned_abs(), x & SIGN != 0, rounding);
    *fpscr |= if inexact && exact { IXC } else { 0 };
    // At most 24 bits: exact.
    if whole == 0 { x & SIGN } else { pack(x & SIGN, 0, whole.into(), fpscr) }
}

/// From half precision; `alternative`: the format without infinities and NaNs. Subnormals are not flushed.
pub(super) fn from_half(x: u16, alternative: bool, fpscr: &mut u32) -> u32 {
    let x = u32::from(x);
    let (sign, exponent, fraction) = (x >> 15 << 31, x >> 10 & 31, x & 0x3ff);
    match (exponent, fraction) {
        (0, 0) => sign,
        (0, _) => pack(sign, -24, fraction.into(), fpscr),
        (31, 0) if !alternative => sign | INFINITY,
        (31, _) if !alternative => {
            *fpscr |= if fraction & 0x200 == 0 { IOC } else { 0 };
            NAN
        }
        _ => sign | (exponent + 112) << 23 | fraction << 13,
    }
}

/// To half precision; `alternative` as in [`from_half`]. Subnormal results are not flushed.
pub(super) fn to_half(x: u32, alternative: bool, fpscr: &mut u32) -> u16 {
    const HALF_NAN: u16 = 0x7e00;
    let x = flush(x, fpscr);
    let sign = (x >> 31 << 15) as u16;
    if is_nan(x) {
        *fpscr |= if alternative || is_signalling(x) { IOC } else { 0 };
        return if alternative { sign } else { HALF_NAN };
    }
    if is_zero(x) {
        return sign;
    }
    if is_infinite(x) {
        *fpscr |= if alternative { IOC } else { 0 };
        return sign | if alternative { 0x7fff } else { 0x7c00 };
    }
    let (m, e) = unpack(x);
    // The half's exponent, 1 for subnormal ones, and the bits that do not fit.
    let exponent = (e + 23 + 15).max(1);
    let below = (exponent - 15 - 10 - e) as u32;
    let tiny = e + 23 < -14;
    let (whole, inexact) = round(m, below, false, Rounding::Nearest);
    // A carry runs into the exponent as it should.
    let packed = if whole >= 1 << 10 { ((exponent as u32 - 1) << 10) + whole } else { whole };
    if packed >= if alternative { 0x8000 } else { 0x7c00 } {
        *fpscr |= if alternative { IOC } else { OFC | IXC };
        return sign | if alternative { 0x7fff } else { 0x7c00 };
    }
    if inexact {
        *fpscr |= if tiny { UFC | IXC } else { IXC };
    }
    sign | packed as u16
}
