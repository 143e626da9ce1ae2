//! Reciprocal and reciprocal square root: estimates and Newton-Raphson steps (Arm ARM A2.7.8).

use crate::fp::soft::fpscr::{DZC, IOC, UFC};
use crate::fp::soft::{Env, Number, SINGLE};

const SIGN: u32 = 1 << 31;
const INFINITY: u32 = 0x7f80_0000;
const DEFAULT_NAN: u32 = 0x7fc0_0000;
const HALF: u64 = 0x3f00_0000;
const ONE_POINT_FIVE: u64 = 0x3fc0_0000;
const TWO: u64 = 0x4000_0000;
const THREE: u64 = 0x4040_0000;

/// `RecipEstimate`, of 256 to 511 (0.5 to 1): 256 to 511 (1 to 2).
fn reciprocal_estimate(a: u32) -> u32 {
    ((1 << 19) / (2 * a + 1)).div_ceil(2)
}

/// `RecipSqrtEstimate`, of 128 to 511 (0.25 to 1): 256 to 511 (1 to 2).
fn reciprocal_root_estimate(a: u32) -> u32 {
    let a = if a < 256 { 2 * a + 1 } else { 2 * (a & !1) + 2 };
    let mut b = 512;
    while a * (b + 1) * (b + 1) < 1 << 28 {
        b += 1;
    }
    b.div_ceil(2)
}

/// `UnsignedRecipEstimate`
pub(super) fn unsigned_reciprocal(a: u32) -> u32 {
    if a >> 31 == 0 { !0 } else { reciprocal_estimate(a >> 23) << 23 }
}

/// `UnsignedRSqrtEstimate`
pub(super) fn unsigned_reciprocal_root(a: u32) -> u32 {
    if a >> 30 == 0 { !0 } else { reciprocal_root_estimate(a >> 23) << 23 }
}

/// `FPRecipEstimate`
pub(super) fn reciprocal(env: &mut Env, a: u32) -> u32 {
    let sign = a & SIGN;
    match env.unpack(SINGLE, a.into()) {
        Number::Nan { quiet } => env.process_nan(SINGLE, a.into(), quiet) as u32,
        Number::Infinity { .. } => sign,
        Number::Zero { .. } => {
            env.raise(DZC);
            sign | INFINITY
        }
        Number::Finite { .. } => {
            let exponent = a >> 23 & 0xff;
            if exponent >= 253 {
                env.raise(UFC); // the result would be subnormal
                return sign;
            }
            let estimate = reciprocal_estimate(256 | a >> 15 & 0xff);
            sign | (253 - exponent) << 23 | (estimate & 0xff) << 15
        }
    }
}

/// `FPRSqrtEstimate`
pub(super) fn reciprocal_root(env: &mut Env, a: u32) -> u32 {
    match env.unpack(SINGLE, a.into()) {
        Number::Nan { quiet } => env.process_nan(SINGLE, a.into(), quiet) as u32,
        Number::Zero { .. } => {
            env.raise(DZC);
            a & SIGN | INFINITY
        }
        _ if a & SIGN != 0 => {
            env.raise(IOC);
            DEFAULT_NAN
        }
        Number::Infinity { .. } => 0,
        Number::Finite { .. } => {
            let exponent = a >> 23;
            let scaled = if exponent & 1 == 0 { 256 | a >> 15 & 0xff } else { 128 | a >> 16 & 0x7f };
            ((380 - exponent) / 2) << 23 | (reciprocal_root_estimate(scaled) & 0xff) << 15
        }
    }
}

/// The product in a step: zero times infinity counts as zero. `None`: it is that.
fn product(env: &mut Env, a: u64, b: u64) -> Option<u64> {
    use Number::{Infinity, Zero};
    // Only to look: the exceptions are raised by the multiplication.
    let mut look = Env::new(env.fpscr);
    match (look.unpack(SINGLE, a), look.unpack(SINGLE, b)) {
        (Zero { .. }, Infinity { .. }) | (Infinity { .. }, Zero { .. }) => {
            env.raise(look.raised);
            None
        }
        _ => Some(env.mul(SINGLE, a, b)),
    }
}

/// `FPRecipStep`: `2 - a * b`
pub(super) fn reciprocal_step(env: &mut Env, a: u64, b: u64) -> u64 {
    match product(env, a, b) {
        None => TWO,
        Some(product) => env.sub(SINGLE, TWO, product),
    }
}

/// `FPRSqrtStep`: `(3 - a * b) / 2`
pub(super) fn reciprocal_root_step(env: &mut Env, a: u64, b: u64) -> u64 {
    match product(env, a, b) {
        None => ONE_POINT_FIVE,
        Some(product) => {
            let difference = env.sub(SINGLE, THREE, product);
            env.mul(SINGLE, difference, HALF)
        }
    }
}
