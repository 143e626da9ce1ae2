//! Integer operations by element type. Each is a function of its own, so that a caller that knows the operation pays one
//! branch on the type.

use super::lanes::{Lane, Narrow, by_narrow_type, by_type};
use super::{Elem, QC};

macro_rules! two {
    ($($name:ident)*) => {
        $(pub(super) fn $name(e: Elem, a: u128, b: u128) -> u128 {
            fn lanes<T: Lane>(a: u128, b: u128) -> u128 {
                T::map2(a, b, T::$name)
            }
            by_type!(e, lanes(a, b))
        })*
    };
}

two!(add sub mul hadd rhadd hsub ceq cge cgt tst max min abd);

macro_rules! one {
    ($($name:ident)*) => {
        $(pub(super) fn $name(e: Elem, a: u128) -> u128 {
            fn lanes<T: Lane>(a: u128) -> u128 {
                T::map1(a, T::$name)
            }
            by_type!(e, lanes(a))
        })*
    };
}

one!(neg abs cls clz cnt);

macro_rules! shift {
    ($($name:ident)*) => {
        $(pub(super) fn $name(e: Elem, a: u128, n: u8) -> u128 {
            fn lanes<T: Lane>(a: u128, n: u8) -> u128 {
                T::map1(a, |x| x.$name(n))
            }
            by_type!(e, lanes(a, n))
        })*
    };
}

shift!(shl shr rshr);

macro_rules! saturating_shift {
    ($($name:ident)*) => {
        $(pub(super) fn $name(e: Elem, a: u128, n: u8, fpscr: &mut u32) -> u128 {
            fn lanes<T: Lane>(a: u128, n: u8) -> (u128, bool) {
                T::saturate2(a, a, |x, _| x.$name(n))
            }
            note(by_type!(e, lanes(a, n)), fpscr)
        })*
    };
}

saturating_shift!(qshl qshl_signed);

/// Sets QC when a result was saturated.
fn note((result, saturated): (u128, bool), fpscr: &mut u32) -> u128 {
    *fpscr |= if saturated { QC } else { 0 };
    result
}

pub(super) fn qadd(e: Elem, a: u128, b: u128, fpscr: &mut u32) -> u128 {
    fn lanes<T: Lane>(a: u128, b: u128) -> (u128, bool) {
        let result = T::map2(a, b, T::qadd);
        (result, result != T::map2(a, b, T::add))
    }
    note(by_type!(e, lanes(a, b)), fpscr)
}

pub(super) fn qsub(e: Elem, a: u128, b: u128, fpscr: &mut u32) -> u128 {
    fn lanes<T: Lane>(a: u128, b: u128) -> (u128, bool) {
        let result = T::map2(a, b, T::qsub);
        (result, result != T::map2(a, b, T::sub))
    }
    note(by_type!(e, lanes(a, b)), fpscr)
}

pub(super) fn qneg(e: Elem, a: u128, fpscr: &mut u32) -> u128 {
    fn lanes<T: Lane>(a: u128) -> (u128, bool) {
        T::saturate2(a, a, |x, _| x.qneg())
    }
    note(by_type!(e, lanes(a)), fpscr)
}

pub(super) fn qabs(e: Elem, a: u128, fpscr: &mut u32) -> u128 {
    fn lanes<T: Lane>(a: u128) -> (u128, bool) {
        T::saturate2(a, a, |x, _| x.qabs())
    }
    note(by_type!(e, lanes(a)), fpscr)
}

pub(super) fn shl_by(e: Elem, a: u128, b: u128, round: bool) -> u128 {
    fn lanes<T: Lane>(a: u128, b: u128, round: bool) -> u128 {
        T::map2(a, b, |x, n| x.shl_by(n, round))
    }
    by_type!(e, lanes(a, b, round))
}

pub(super) fn qshl_by(e: Elem, a: u128, b: u128, round: bool, fpscr: &mut u32) -> u128 {
    fn lanes<T: Lane>(a: u128, b: u128, round: bool) -> (u128, bool) {
        T::saturate2(a, b, |x, n| x.qshl_by(n, round))
    }
    note(by_type!(e, lanes(a, b, round)), fpscr)
}

pub(super) fn qdmulh(e: Elem, a: u128, b: u128, round: bool, fpscr: &mut u32) -> u128 {
    fn lanes<T: Lane>(a: u128, b: u128, round: bool) -> (u128, bool) {
        T::saturate2(a, b, |x, y| x.qdmulh(y, round))
    }
    note(by_type!(e, lanes(a, b, round)), fpscr)
}

// ---- different lengths

pub(super) fn widen(e: Elem, a: u128) -> u128 {
    fn lanes<T: Narrow>(a: u128) -> u128 {
        T::widen(a)
    }
    by_narrow_type!(e, lanes(a))
}

pub(super) fn paddl(e: Elem, a: u128) -> u128 {
    fn lanes<T: Narrow>(a: u128) -> u128 {
        T::paddl(a)
    }
    by_narrow_type!(e, lanes(a))
}

pub(super) fn narrow(e: Elem, a: u128) -> u128 {
    fn lanes<T: Narrow>(a: u128) -> u128 {
        T::narrow(a)
    }
    by_narrow_type!(e, lanes(a))
}

pub(super) fn mull(e: Elem, a: u128, b: u128) -> u128 {
    fn lanes<T: Narrow>(a: u128, b: u128) -> u128 {
        T::mull(a, b)
    }
    by_narrow_type!(e, lanes(a, b))
}

pub(super) fn qnarrow(e: Elem, a: u128, fpscr: &mut u32) -> u128 {
    fn lanes<T: Narrow>(a: u128) -> (u128, bool) {
        T::qnarrow(a)
    }
    note(by_narrow_type!(e, lanes(a)), fpscr)
}

pub(super) fn qnarrow_u(e: Elem, a: u128, fpscr: &mut u32) -> u128 {
    note(super::lanes::qnarrow_u(e, a), fpscr)
}

pub(super) fn qdmull(e: Elem, a: u128, b: u128, fpscr: &mut u32) -> u128 {
    fn lanes<T: Narrow>(a: u128, b: u128) -> (u128, bool) {
        T::qdmull(a, b)
    }
    note(by_narrow_type!(e, lanes(a, b)), fpscr)
}

// ---- polynomials over {0, 1}

pub(super) fn pmul(a: u128, b: u128) -> u128 {
    u8::map2(a, b, |x, y| (0..8).fold(0, |sum, k| sum ^ if y >> k & 1 != 0 { x << k } else { 0 }))
}

pub(super) fn pmull(e: Elem, a: u128, b: u128) -> u128 {
    if e.size() == 3 {
        let (x, y) = (a & u128::from(u64::MAX), b as u64);
        return (0..64).fold(0, |sum, k| sum ^ if y >> k & 1 != 0 { x << k } else { 0 });
    }
    u16::map2(u8::widen(a), u8::widen(b), |x, y| {
        (0..8).fold(0, |sum, k| sum ^ if y >> k & 1 != 0 { x << k } else { 0 })
    })
}
