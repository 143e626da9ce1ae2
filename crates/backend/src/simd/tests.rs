//! The operations against straightforward references in wide integers, and the host's instructions against `fp::soft`.

use super::*;
use crate::fp::soft::fpscr::{DZC, STANDARD, UFC};
use crate::fp::soft::{Env, SINGLE};
use proptest::prelude::*;

const INTEGERS: [Elem; 8] =
    [Elem::U8, Elem::U16, Elem::U32, Elem::U64, Elem::S8, Elem::S16, Elem::S32, Elem::S64];

/// An element's value.
fn value(e: Elem, v: u128, k: u32) -> i128 {
    let x = (v >> (k * e.bits())) as i128;
    let unused = 128 - e.bits();
    if is_signed(e) { x << unused >> unused } else { ((x as u128) << unused >> unused) as i128 }
}

fn range(e: Elem) -> (i128, i128) {
    if is_signed(e) { (-(1 << (e.bits() - 1)), (1 << (e.bits() - 1)) - 1) } else { (0, (1 << e.bits()) - 1) }
}

/// A vector of `count` elements by what each is, wrapped.
fn vector(e: Elem, count: u32, f: impl Fn(u32) -> i128) -> u128 {
    let mask = (1u128 << e.bits()) - 1;
    (0..count).fold(0, |v, k| v | (f(k) as u128 & mask) << (k * e.bits()))
}

fn all(e: Elem, f: impl Fn(u32) -> i128) -> u128 {
    vector(e, 128 / e.bits(), f)
}

/// A vector of exact values saturated, and QC.
fn saturated(e: Elem, count: u32, f: impl Fn(u32) -> i128) -> (u128, u32) {
    let (least, most) = range(e);
    let qc = (0..count).any(|k| f(k).clamp(least, most) != f(k));
    (vector(e, count, |k| f(k).clamp(least, most)), if qc { QC } else { 0 })
}

fn truth(b: bool) -> i128 {
    if b { -1 } else { 0 }
}

/// `x` shifted left by `n`, right with rounding where that is negative.
fn shifted(x: i128, n: i128, round: bool) -> i128 {
    if n >= 64 {
        // Out of every element's range, with no bit of one left.
        x.signum() << 100
    } else if n >= 0 {
        x << n
    } else {
        let n = (-n).min(120);
        (x + if round { 1 << (n - 1) } else { 0 }) >> n
    }
}

/// A vector of elements that are often at an edge.
fn edgy() -> impl Strategy<Value = u128> {
    let byte = prop_oneof![Just(0u8), Just(1), Just(0x7f), Just(0x80), Just(0xff), any::<u8>()];
    prop_oneof![
        proptest::collection::vec(byte, 16).prop_map(|b| u128::from_le_bytes(b.try_into().unwrap())),
        any::<u128>(),
        any::<u8>().prop_map(|b| u128::from(b) * (u128::MAX / 0xff)),
    ]
}

/// Four floating-point numbers, special ones among them.
fn floats() -> impl Strategy<Value = u128> {
    let special = prop_oneof![
        Just(0u32),
        Just(1),
        Just(0x007f_ffff),
        Just(0x0080_0000),
        Just(0x0080_0001),
        Just(0x3f80_0000),
        Just(0x3f7f_ffff),
        Just(0x7f7f_ffff),
        Just(0x7f80_0000),
        Just(0x7f80_0001),
        Just(0x7fc0_1234),
        0x3e80_0000u32..0x4f80_0000,
        0x1f00_0000u32..0x2100_0000,
        any::<u32>(),
    ];
    let signed = (special, any::<bool>()).prop_map(|(x, s)| x ^ u32::from(s) << 31);
    proptest::collection::vec(signed, 4)
        .prop_map(|v| v.into_iter().enumerate().fold(0, |x, (k, f)| x | u128::from(f) << (32 * k)))
}

/// The same operation element by element on the soft implementation; the result and the exceptions.
fn softly(v: [u128; 3], f: impl Fn(&mut Env, [u64; 3]) -> u64) -> (u128, u32) {
    let mut env = Env::new(STANDARD);
    let mut result = 0;
    for k in 0..4 {
        let element = v.map(|x| (x >> (32 * k)) as u32 as u64);
        result |= u128::from(f(&mut env, element) as u32) << (32 * k);
    }
    (result, env.raised)
}

/// 64-bit elements shifted by 64 and more: all but zero saturates, also those that a shift by 63 still holds.
#[test]
fn saturating_shift_by_more_than_the_element() {
    for amount in [64u8, 65, 100, 127] {
        let by = u128::from(amount) | u128::from(amount) << 64;
        for op in [V2::Qshl, V2::Qrshl] {
            let shift = |e, a| {
                let mut fpscr = 0;
                (v2(op, e, a, by, &mut fpscr), fpscr)
            };
            let (least, most) = (1u128 << 63, (1u128 << 63) - 1);
            assert_eq!(shift(Elem::S64, u128::MAX), (least | least << 64, QC), "{op:?} {amount}");
            assert_eq!(shift(Elem::S64, 1), (most, QC), "{op:?} {amount}");
            assert_eq!(shift(Elem::U64, 1), (u128::from(u64::MAX), QC), "{op:?} {amount}");
            assert_eq!(shift(Elem::U64, 0), (0, 0), "{op:?} {amount}");
        }
    }
}

proptest! {
    #[test]
    fn two_operands(a in edgy(), b in edgy()) {
        for e in INTEGERS {
            let (x, y) = (|k| value(e, a, k), |k| value(e, b, k));
            let check = |op, expected: u128| {
                let mut fpscr = 0;
                let result = v2(op, e, a, b, &mut fpscr);
                prop_assert_eq!(result, expected, "{:?} {:?} {:x}", op, e, result ^ expected);
                prop_assert_eq!(fpscr, 0, "{:?} {:?}", op, e);
                Ok(())
            };
            check(V2::Add, all(e, |k| x(k) + y(k)))?;
            check(V2::Sub, all(e, |k| x(k) - y(k)))?;
            check(V2::Mul, all(e, |k| x(k).wrapping_mul(y(k))))?;
            check(V2::Hadd, all(e, |k| (x(k) + y(k)) >> 1))?;
            check(V2::Rhadd, all(e, |k| (x(k) + y(k) + 1) >> 1))?;
            check(V2::Hsub, all(e, |k| (x(k) - y(k)) >> 1))?;
            check(V2::Ceq, all(e, |k| truth(x(k) == y(k))))?;
            check(V2::Cge, all(e, |k| truth(x(k) >= y(k))))?;
            check(V2::Cgt, all(e, |k| truth(x(k) > y(k))))?;
            check(V2::Tst, all(e, |k| truth(x(k) & y(k) != 0)))?;
            check(V2::Max, all(e, |k| x(k).max(y(k))))?;
            check(V2::Min, all(e, |k| x(k).min(y(k))))?;
            check(V2::Abd, all(e, |k| (x(k) - y(k)).abs()))?;
            let amount = |k| i128::from(y(k) as i8);
            check(V2::Shl, all(e, |k| if amount(k) > 63 { 0 } else { shifted(x(k), amount(k), false) }))?;
            check(V2::Rshl, all(e, |k| if amount(k) > 63 { 0 } else { shifted(x(k), amount(k), true) }))?;
            let n = 128 / e.bits();
            let pair = |k: u32, odd: u32| if k < n / 2 { x(2 * k + odd) } else { y(2 * k + odd - n) };
            check(V2::Uzp1, all(e, |k| pair(k, 0)))?;
            check(V2::Uzp2, all(e, |k| pair(k, 1)))?;
            check(V2::Zip1, all(e, |k| if k & 1 == 0 { x(k / 2) } else { y(k / 2) }))?;
            check(V2::Zip2, all(e, |k| if k & 1 == 0 { x(n / 2 + k / 2) } else { y(n / 2 + k / 2) }))?;
            check(V2::Trn1, all(e, |k| if k & 1 == 0 { x(k) } else { y(k - 1) }))?;
            check(V2::Trn2, all(e, |k| if k & 1 == 0 { x(k + 1) } else { y(k) }))?;
            if e.size() < 3 {
                check(V2::Mull, all(e.wide(), |k| x(k) * y(k)))?;
            }
        }
    }

    #[test]
    fn saturating_two_operands(a in edgy(), b in edgy()) {
        for e in INTEGERS {
            let (n, bits) = (128 / e.bits(), e.bits());
            let (x, y) = (|k| value(e, a, k), |k| value(e, b, k));
            let check = |op, expected: (u128, u32)| {
                let mut fpscr = 0;
                prop_assert_eq!((v2(op, e, a, b, &mut fpscr), fpscr), expected, "{:?} {:?}", op, e);
                Ok(())
            };
            check(V2::Qadd, saturated(e, n, |k| x(k) + y(k)))?;
            check(V2::Qsub, saturated(e, n, |k| x(k) - y(k)))?;
            let amount = |k| i128::from(y(k) as i8);
            check(V2::Qshl, saturated(e, n, |k| shifted(x(k), amount(k), false)))?;
            check(V2::Qrshl, saturated(e, n, |k| shifted(x(k), amount(k), true)))?;
            if matches!(e, Elem::S16 | Elem::S32) {
                check(V2::Qdmulh, saturated(e, n, |k| (2 * x(k) * y(k)) >> bits))?;
                check(V2::Qrdmulh, saturated(e, n, |k| (2 * x(k) * y(k) + (1 << (bits - 1))) >> bits))?;
                check(V2::Qdmull, saturated(e.wide(), n / 2, |k| 2 * x(k) * y(k)))?;
            }
        }
    }

    #[test]
    fn one_operand(a in edgy()) {
        for e in INTEGERS {
            let (n, bits) = (128 / e.bits(), e.bits());
            let x = |k| value(e, a, k);
            let check = |op, expected: (u128, u32)| {
                let mut fpscr = 0;
                prop_assert_eq!((v1(op, e, a, &mut fpscr), fpscr), expected, "{:?} {:?}", op, e);
                Ok(())
            };
            let plain = |f: &dyn Fn(u32) -> i128| (all(e, f), 0);
            check(V1::Neg, plain(&|k| -x(k)))?;
            check(V1::Clz, plain(&|k| i128::from(Ord::min(((x(k) as u128) << (128 - bits)).leading_zeros(), bits))))?;
            check(V1::Cnt, plain(&|k| i128::from(((x(k) as u128) << (128 - bits)).count_ones())))?;
            if is_signed(e) {
                check(V1::Abs, plain(&|k| x(k).abs()))?;
                let cls = |x: i128| i128::from((x ^ x >> 127).leading_zeros() - (128 - bits) - 1);
                check(V1::Cls, plain(&|k| cls(x(k))))?;
                check(V1::Qneg, saturated(e, n, |k| -x(k)))?;
                check(V1::Qabs, saturated(e, n, |k| x(k).abs()))?;
            }
            for (op, group) in [(V1::Rev16, 16), (V1::Rev32, 32), (V1::Rev64, 64)] {
                if bits < group {
                    check(op, plain(&|k| x(k ^ (group / bits - 1))))?;
                }
            }
            if e.size() < 3 {
                check(V1::Widen, (all(e.wide(), x), 0))?;
                check(V1::Paddl, (all(e.wide(), |k| x(2 * k) + x(2 * k + 1)), 0))?;
                let wide = |k| value(e.wide(), a, k);
                check(V1::Narrow, (vector(e, n / 2, wide), 0))?;
                check(V1::Qnarrow, saturated(e, n / 2, wide))?;
                if !is_signed(e) {
                    let signed = Elem::signed(e.size() + 1);
                    check(V1::QnarrowU, saturated(e, n / 2, |k| value(signed, a, k)))?;
                }
            }
        }
    }

    #[test]
    fn shifts(a in edgy(), n in 0u8..64) {
        for e in INTEGERS {
            let lanes = 128 / e.bits();
            let left = n % e.bits() as u8;
            let right = left + 1;
            let x = |k| value(e, a, k);
            let check = |op, n, expected: (u128, u32)| {
                let mut fpscr = 0;
                prop_assert_eq!((vshift(op, e, a, n, &mut fpscr), fpscr), expected, "{:?} {:?} {}", op, e, n);
                Ok(())
            };
            check(VShift::Shl, left, (all(e, |k| x(k) << left), 0))?;
            check(VShift::Shr, right, (all(e, |k| x(k) >> right), 0))?;
            check(VShift::Rshr, right, (all(e, |k| shifted(x(k), -i128::from(right), true)), 0))?;
            check(VShift::Qshl, left, saturated(e, lanes, |k| x(k) << left))?;
            if !is_signed(e) {
                let signed = Elem::signed(e.size());
                check(VShift::QshlU, left, saturated(e, lanes, |k| value(signed, a, k) << left))?;
            }
        }
    }

    #[test]
    fn polynomials(a in edgy(), b in edgy()) {
        let product = |x: u128, y: u128| (0..64).filter(|k| y >> k & 1 != 0).fold(0, |p, k| p ^ x << k);
        let lane = |v: u128, k: u32| v >> (8 * k) & 0xff;
        let mut fpscr = 0;
        let expected = all(Elem::U8, |k| product(lane(a, k), lane(b, k)) as i128);
        prop_assert_eq!(v2(V2::Pmul, Elem::U8, a, b, &mut fpscr), expected);
        let expected = all(Elem::U16, |k| product(lane(a, k), lane(b, k)) as i128);
        prop_assert_eq!(v2(V2::Pmull, Elem::U8, a, b, &mut fpscr), expected);
        let low = |v: u128| u128::from(v as u64);
        prop_assert_eq!(v2(V2::Pmull, Elem::U64, a, b, &mut fpscr), product(low(a), low(b)));
    }

    #[test]
    fn bytes_and_elements(a in any::<u128>(), b in any::<u128>(), index in edgy(), n in 0u8..16, len in 1u8..5) {
        let mut both = a.to_le_bytes().to_vec();
        both.extend(b.to_le_bytes());
        let from = usize::from(n);
        prop_assert_eq!(ext(a, b, n).to_le_bytes().to_vec(), both[from..from + 16].to_vec());
        let found: Vec<u8> = index
            .to_le_bytes()
            .iter()
            .map(|&k| if k < 8 * len { both[usize::from(k)] } else { 0xa5 })
            .collect();
        let default = 0xa5a5_a5a5_a5a5_a5a5_a5a5_a5a5_a5a5_a5a5;
        prop_assert_eq!(table([a, b], 8 * len, index, default).to_le_bytes().to_vec(), found);
        for e in INTEGERS {
            let k = n % (128 / e.bits()) as u8;
            let x = lane(e, a, k);
            prop_assert_eq!(dup(e, x), all(e, |_| value(e, a, k.into())));
            let expected = all(e, |j| value(e, if j == u32::from(k) { a } else { b }, j));
            prop_assert_eq!(set_lane(e, b, k, x), expected);
        }
    }

    /// Whatever the guest's rounding mode is, and without a change to its MXCSR.
    #[test]
    fn floating_point(a in floats(), b in floats(), c in floats(), mode in 0u32..4) {
        let guest = crate::fp::MXCSR_DEFAULT | mode << 13;
        let before = crate::fp::mxcsr();
        crate::fp::set_mxcsr(guest);
        let run = |f: &dyn Fn(&mut u32) -> u128| {
            let mut fpscr = 0;
            (f(&mut fpscr), fpscr)
        };
        let two = |op| run(&|fpscr| v2(op, Elem::F32, a, b, fpscr));
        let results = [
            two(V2::Add), two(V2::Sub), two(V2::Mul), two(V2::Max), two(V2::Min), two(V2::Maxnm), two(V2::Minnm),
            two(V2::Ceq), two(V2::Cge), two(V2::Cgt),
            run(&|fpscr| v3(V3::Fma, Elem::F32, a, b, c, fpscr)),
            run(&|fpscr| v1(V1::ToInt(Rounding::Zero), Elem::S32, a, fpscr)),
            run(&|fpscr| vshift(VShift::FromFixed, Elem::S32, a, 0, fpscr)),
        ];
        let after = crate::fp::mxcsr();
        crate::fp::set_mxcsr(before);
        let mask = |b: bool| if b { 0xffff_ffff } else { 0 };
        let int = forearm_frontend::machine::Fixed::int(true);
        let v = [a, b, c];
        let expected = [
            softly(v, |env, [x, y, _]| env.add(SINGLE, x, y)),
            softly(v, |env, [x, y, _]| env.sub(SINGLE, x, y)),
            softly(v, |env, [x, y, _]| env.mul(SINGLE, x, y)),
            softly(v, |env, [x, y, _]| env.max(SINGLE, x, y, false)),
            softly(v, |env, [x, y, _]| env.max(SINGLE, x, y, true)),
            softly(v, |env, [x, y, _]| env.max_num(SINGLE, x, y, false)),
            softly(v, |env, [x, y, _]| env.max_num(SINGLE, x, y, true)),
            softly(v, |env, [x, y, _]| mask(env.compare(SINGLE, x, y, false) == 0x6000_0000)),
            softly(v, |env, [x, y, _]| mask(matches!(env.compare(SINGLE, x, y, true), 0x6000_0000 | 0x2000_0000))),
            softly(v, |env, [x, y, _]| mask(env.compare(SINGLE, x, y, true) == 0x2000_0000)),
            softly(v, |env, [x, y, z]| env.mul_add(SINGLE, x, y, z)),
            softly(v, |env, [x, _, _]| env.to_fixed(SINGLE, x, int, Rounding::Zero).into()),
            softly(v, |env, [x, _, _]| env.from_fixed(SINGLE, x as u32, int, Rounding::Nearest)),
        ];
        for (k, (result, expected)) in results.into_iter().zip(expected).enumerate() {
            prop_assert_eq!(result, expected, "operation {}", k);
        }
        prop_assert_eq!(after, guest);
    }
}

/// One element of a one-operand operation: the result and the exceptions.
fn single(op: V1, e: Elem, x: u32) -> (u32, u32) {
    let mut fpscr = 0;
    // The other elements raise nothing.
    let v = 0x3f80_0000_3f80_0000_3f80_0000_0000_0000 | u128::from(x);
    (v1(op, e, v, &mut fpscr) as u32, fpscr)
}

#[test]
fn estimates() {
    for (x, expected) in [
        (0x3f80_0000, (0x3f7f_8000, 0)), // 1
        (0x4000_0000, (0x3eff_8000, 0)), // 2
        (0x3fc0_0000, (0x3f2a_8000, 0)), // 1.5
        (0x0000_0000, (0x7f80_0000, DZC)),
        (0x8000_0001, (0xff80_0000, DZC | IDC)),
        (0xff80_0000, (0x8000_0000, 0)),
        (0x7e80_0000, (0x0000_0000, UFC)),
        (0x7f80_0001, (0x7fc0_0000, IOC)),
    ] {
        assert_eq!(single(V1::Recpe, Elem::F32, x), expected, "{x:#x}");
    }
    for (x, expected) in [
        (0x3f80_0000, (0x3f7f_8000, 0)), // 1
        (0x4080_0000, (0x3eff_8000, 0)), // 4
        (0xbf80_0000, (0x7fc0_0000, IOC)),
        (0x8000_0000, (0xff80_0000, DZC)),
        (0x7f80_0000, (0, 0)),
    ] {
        assert_eq!(single(V1::Rsqrte, Elem::F32, x), expected, "{x:#x}");
    }
    assert_eq!(single(V1::Recpe, Elem::U32, 0x7fff_ffff).0, u32::MAX);
    assert_eq!(single(V1::Recpe, Elem::U32, 0x8000_0000).0, 0xff80_0000);
    assert_eq!(single(V1::Rsqrte, Elem::U32, 0x3fff_ffff).0, u32::MAX);
    assert_eq!(single(V1::Rsqrte, Elem::U32, 0x4000_0000).0, 0xff80_0000);
}

#[test]
fn half_precision() {
    let mut fpscr = 0;
    // 65520 rounds to infinity, 2^-24 and 2^-25 are the last subnormal and half of it.
    let v = 0x3300_0000_3380_0000_477f_f000_3f80_0000;
    assert_eq!(v1(V1::ToHalf, Elem::F32, v, &mut fpscr), 0x0000_0001_7c00_3c00);
    assert_eq!(fpscr, OFC | UFC | IXC);
    let mut fpscr = AHP;
    assert_eq!(
        v1(V1::FromHalf, Elem::F32, 0x7c00_0001_8000_3c00, &mut fpscr),
        0x4780_0000_3380_0000_8000_0000_3f80_0000
    );
    assert_eq!(fpscr, AHP);
}
