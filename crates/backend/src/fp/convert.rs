//! Conversions between formats, to integers and fixed point, and to integral values (Arm ARM A2.7.8, Armv8 FPRoundInt).

use super::soft::Number::{Finite, Infinity, Nan, Zero};
use super::soft::fpscr::{AHP, DN, IOC, IXC};
use super::soft::{DOUBLE, Env, Format, HALF, SINGLE};
use forearm_frontend::machine::{Fixed, Rounding};

/// Rounds `sig * 2^exp` to an integer. The second value says that it was inexact.
fn to_integer(negative: bool, exp: i32, sig: u64, rounding: Rounding) -> (u128, bool) {
    let sig = u128::from(sig);
    let (integer, rest, half) = match -exp {
        // Past 2^64 only the fact matters; saturating keeps it.
        left @ ..=0 => (sig << (-left).min(63), 0, 1),
        shift @ 1..=127 => (sig >> shift, sig & ((1 << shift) - 1), 1u128 << (shift - 1)),
        _ => (0, 1, 2),
    };
    let up = match rounding {
        Rounding::Up => rest != 0 && !negative,
        Rounding::Down => rest != 0 && negative,
        Rounding::Away => rest >= half,
        Rounding::Zero => false,
        Rounding::Nearest | Rounding::Current => rest > half || rest == half && integer & 1 != 0,
    };
    (integer + u128::from(up), rest != 0)
}

impl Env {
    /// `FPRoundInt`.
    pub fn round_int(&mut self, f: Format, a: u64, rounding: Rounding, exact: bool) -> u64 {
        match self.unpack(f, a) {
            Nan { quiet } => self.process_nan(f, a, quiet),
            Infinity { negative } => f.infinity(negative),
            Zero { negative } => f.sign(negative),
            Finite { exp: 0.., .. } => a,
            Finite { negative, exp, sig } => {
                let rounding = self.rounding(rounding);
                let (integer, inexact) = to_integer(negative, exp, sig, rounding);
                if inexact && exact {
                    self.raise(IXC);
                }
                self.round(f, negative, 0, integer, rounding) // exact
            }
        }
    }

    /// `FPToFixed`: saturates, NaN is zero. The result is extended by the format's sign.
    pub fn to_fixed(&mut self, f: Format, a: u64, to: Fixed, rounding: Rounding) -> u32 {
        let (least, most) = if to.signed {
            (-(1i128 << (to.bits - 1)), (1i128 << (to.bits - 1)) - 1)
        } else {
            (0, (1i128 << to.bits) - 1)
        };
        let (value, inexact) = match self.unpack(f, a) {
            Nan { .. } => {
                self.raise(IOC);
                return 0;
            }
            Zero { .. } => return 0,
            Infinity { negative } => (if negative { i128::MIN } else { i128::MAX }, false),
            Finite { negative, exp, sig } => {
                let rounding = self.rounding(rounding);
                let (integer, inexact) = to_integer(negative, exp + to.fraction as i32, sig, rounding);
                (if negative { -(integer as i128) } else { integer as i128 }, inexact)
            }
        };
        let saturated = value.clamp(least, most);
        if saturated != value {
            self.raise(IOC);
        } else if inexact {
            self.raise(IXC);
        }
        saturated as u32
    }

    /// `FixedToFP`: of a narrow format only the low bits of `w` count.
    pub fn from_fixed(&mut self, f: Format, w: u32, from: Fixed, rounding: Rounding) -> u64 {
        let unused = 32 - from.bits;
        let value = if from.signed {
            i64::from((w << unused) as i32 >> unused)
        } else {
            i64::from(w << unused >> unused)
        };
        self.round(f, value < 0, -(from.fraction as i32), value.unsigned_abs().into(), rounding)
    }

    /// `FPConvert`: from one format to another.
    pub fn convert(&mut self, from: Format, to: Format, a: u64) -> u64 {
        let alternative = to == HALF && self.fpscr & AHP != 0;
        let negative = a >> (from.width() - 1) & 1 != 0;
        match self.unpack(from, a) {
            Nan { quiet } => {
                if !quiet || alternative {
                    self.raise(IOC);
                }
                if alternative {
                    to.sign(negative)
                } else if self.fpscr & DN != 0 {
                    to.default_nan()
                } else {
                    // FPConvertNaN keeps the leading bits of the payload.
                    let payload = a & ((1 << from.fraction) - 1);
                    let payload = if to.fraction >= from.fraction {
                        payload << (to.fraction - from.fraction)
                    } else {
                        payload >> (from.fraction - to.fraction)
                    };
                    to.infinity(negative) | payload | to.quiet_bit()
                }
            }
            Infinity { negative } if alternative => {
                self.raise(IOC);
                to.sign(negative) | (to.sign(true) - 1)
            }
            Infinity { negative } => to.infinity(negative),
            Zero { negative } => to.sign(negative),
            Finite { negative, exp, sig } => self.round(to, negative, exp, sig.into(), Rounding::Current),
        }
    }

    /// Half to single.
    pub fn half_to_single(&mut self, half: u32) -> u32 {
        self.convert(HALF, SINGLE, u64::from(half & 0xffff)) as u32
    }

    /// Single to half.
    pub fn single_to_half(&mut self, single: u32) -> u32 {
        self.convert(SINGLE, HALF, single.into()) as u32
    }

    /// Half to double.
    pub fn half_to_double(&mut self, half: u32) -> u64 {
        self.convert(HALF, DOUBLE, u64::from(half & 0xffff))
    }

    /// Double to half.
    pub fn double_to_half(&mut self, double: u64) -> u32 {
        self.convert(DOUBLE, HALF, double) as u32
    }
}
