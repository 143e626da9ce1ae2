//! The host's instructions against `soft`, and `soft` against the manual's rules.

use super::soft::fpscr::*;
use super::soft::{DOUBLE, Env, Format, HALF, SINGLE};
use super::*;
use forearm_frontend::machine::{Fixed, FloatOp1, FloatOp2, FloatOp3, Rounding};

/// Runs `f` under an FPSCR as the guest would, and gives the FPSCR after it.
fn guest<T>(fpscr: u32, f: impl FnOnce(&mut u32) -> T) -> (T, u32) {
    let host = mxcsr();
    let mut stored = 0;
    set_live_fpscr(&mut stored, fpscr);
    let result = f(&mut stored);
    let after = live_fpscr(stored);
    set_mxcsr(host);
    (result, after)
}

fn env<T>(fpscr: u32, f: impl FnOnce(&mut Env) -> T) -> (T, u32) {
    let mut e = Env::new(fpscr);
    let result = f(&mut e);
    (result, fpscr | e.raised)
}

/// Singles where something happens, then noise.
fn singles() -> Vec<u32> {
    let mut v = Vec::new();
    for x in [
        0u32,
        1,
        2,
        0x0040_0000,
        0x007f_ffff,
        0x0080_0000,
        0x0080_0001,
        0x00ff_ffff,
        0x3380_0000,
        0x3f00_0000,
        0x3f7f_ffff,
        0x3f80_0000,
        0x3f80_0001,
        0x3fc0_0000,
        0x4000_0000,
        0x4020_0000,
        0x4b00_0001,
        0x4eff_ffff,
        0x4f00_0000,
        0x4f7f_ffff,
        0x4f80_0000,
        0x7f00_0000,
        0x7f7f_ffff,
        0x7f80_0000,
        0x7f80_0001,
        0x7fa1_2345,
        0x7fc0_0000,
        0x7fd4_3210,
    ] {
        v.extend([x, x | 1 << 31]);
    }
    let mut x = 0x1234_5678_9abc_def1u64;
    for _ in 0..12 {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        v.push(x as u32);
    }
    v
}

/// Doubles likewise: those of the same meaning.
fn doubles() -> Vec<u64> {
    let mut v = Vec::new();
    for x in [
        0u64,
        1,
        0x0008_0000_0000_0000,
        0x000f_ffff_ffff_ffff,
        0x0010_0000_0000_0000,
        0x0010_0000_0000_0001,
        0x380f_ffff_ffff_ffff,
        0x36a0_0000_0000_0000,
        0x3fe0_0000_0000_0000,
        0x3fef_ffff_ffff_ffff,
        0x3ff0_0000_0000_0000,
        0x3ff0_0000_0000_0001,
        0x3ff8_0000_0000_0000,
        0x4004_0000_0000_0000,
        0x41df_ffff_ffc0_0000,
        0x41df_ffff_ffe0_0000,
        0x41e0_0000_0000_0000,
        0x41ef_ffff_fff0_0000,
        0x41f0_0000_0000_0000,
        0x47ef_ffff_f000_0000,
        0x7fe0_0000_0000_0000,
        0x7fef_ffff_ffff_ffff,
        0x7ff0_0000_0000_0000,
        0x7ff0_0000_0000_0001,
        0x7ff8_0000_0000_0000,
        0x7ffc_dead_beef_0000,
    ] {
        v.extend([x, x | 1 << 63]);
    }
    v
}

/// Every rounding mode, with and without FZ and DN.
fn modes() -> impl Iterator<Item = u32> {
    (0..16).map(|k| (k & 3) << 22 | if k & 4 != 0 { FZ } else { 0 } | if k & 8 != 0 { DN } else { 0 })
}

fn soft2(op: FloatOp2, f: Format, a: u64, b: u64, e: &mut Env) -> u64 {
    match op {
        FloatOp2::Add => e.add(f, a, b),
        FloatOp2::Sub => e.sub(f, a, b),
        FloatOp2::Mul => e.mul(f, a, b),
        FloatOp2::Div => e.div(f, a, b),
        FloatOp2::MaxNum => e.max_num(f, a, b, false),
        FloatOp2::MinNum => e.max_num(f, a, b, true),
    }
}

#[test]
fn two_operands_as_soft() {
    for mode in modes() {
        for op in [FloatOp2::Add, FloatOp2::Sub, FloatOp2::Mul, FloatOp2::Div] {
            for a in singles() {
                for b in singles() {
                    let host = guest(mode, |s| u64::from(s2(op, a, b, s)));
                    let soft = env(mode, |e| soft2(op, SINGLE, a.into(), b.into(), e));
                    assert_eq!(host, soft, "{op:?} {a:#x} {b:#x} under {mode:#x}");
                }
            }
            for a in doubles() {
                for b in doubles() {
                    let host = guest(mode, |s| d2(op, a, b, s));
                    let soft = env(mode, |e| soft2(op, DOUBLE, a, b, e));
                    assert_eq!(host, soft, "{op:?} {a:#x} {b:#x} under {mode:#x}");
                }
            }
        }
    }
}

#[test]
fn fused_and_roots_as_soft() {
    for mode in modes() {
        for (k, &a) in singles().iter().enumerate() {
            let host = guest(mode, |s| u64::from(s1(FloatOp1::Sqrt, a, s)));
            assert_eq!(host, env(mode, |e| e.sqrt(SINGLE, a.into())), "{a:#x} under {mode:#x}");
            for b in singles() {
                for c in singles().into_iter().skip(k % 5).step_by(5) {
                    let host = guest(mode, |s| u64::from(s3(FloatOp3::Fma, c, a, b, s)));
                    let soft = env(mode, |e| e.mul_add(SINGLE, c.into(), a.into(), b.into()));
                    assert_eq!(host, soft, "{c:#x} + {a:#x} * {b:#x} under {mode:#x}");
                }
            }
        }
        for (k, &a) in doubles().iter().enumerate() {
            let host = guest(mode, |s| d1(FloatOp1::Sqrt, a, s));
            assert_eq!(host, env(mode, |e| e.sqrt(DOUBLE, a)), "{a:#x} under {mode:#x}");
            for b in doubles() {
                for c in doubles().into_iter().skip(k % 5).step_by(5) {
                    let host = guest(mode, |s| d3(FloatOp3::Fma, c, a, b, s));
                    let soft = env(mode, |e| e.mul_add(DOUBLE, c, a, b));
                    assert_eq!(host, soft, "{c:#x} + {a:#x} * {b:#x} under {mode:#x}");
                }
            }
        }
    }
}

#[test]
fn comparisons_and_conversions_as_soft() {
    for mode in modes() {
        for a in singles() {
            for b in singles() {
                for signal in [false, true] {
                    let host = guest(mode, |s| s_compare(a, b, signal, s));
                    assert_eq!(host, env(mode, |e| e.compare(SINGLE, a.into(), b.into(), signal)));
                }
            }
            assert_eq!(guest(mode, |s| s_to_d(a, s)), env(mode, |e| e.convert(SINGLE, DOUBLE, a.into())));
            for signed in [false, true] {
                let int = Fixed::int(signed);
                for rounding in [Rounding::Zero, Rounding::Current] {
                    let host = guest(mode, |s| s_to_fixed(a, int, rounding, s));
                    let soft = env(mode, |e| e.to_fixed(SINGLE, a.into(), int, rounding));
                    assert_eq!(host, soft, "{a:#x} under {mode:#x}");
                }
                let host = guest(mode, |s| u64::from(s_from_fixed(a, int, Rounding::Current, s)));
                assert_eq!(host, env(mode, |e| e.from_fixed(SINGLE, a, int, Rounding::Current)));
                let host = guest(mode, |s| d_from_fixed(a, int, Rounding::Current, s));
                assert_eq!(host, env(mode, |e| e.from_fixed(DOUBLE, a, int, Rounding::Current)));
            }
        }
        for a in doubles() {
            for b in doubles() {
                for signal in [false, true] {
                    let host = guest(mode, |s| d_compare(a, b, signal, s));
                    assert_eq!(host, env(mode, |e| e.compare(DOUBLE, a, b, signal)));
                }
            }
            let host = guest(mode, |s| u64::from(d_to_s(a, s)));
            assert_eq!(host, env(mode, |e| e.convert(DOUBLE, SINGLE, a)), "{a:#x} under {mode:#x}");
            for signed in [false, true] {
                for rounding in [Rounding::Zero, Rounding::Current] {
                    let int = Fixed::int(signed);
                    let host = guest(mode, |s| d_to_fixed(a, int, rounding, s));
                    assert_eq!(host, env(mode, |e| e.to_fixed(DOUBLE, a, int, rounding)), "{a:#x}");
                }
            }
        }
    }
}

const ONE: u32 = 0x3f80_0000;
const INF: u32 = 0x7f80_0000;
const NAN: u32 = 0x7fc0_0000;
const SNAN: u32 = 0x7f80_0001;

#[test]
fn nan_rules() {
    let add = |mode, a, b| guest(mode, |s| s2(FloatOp2::Add, a, b, s));
    // The default NaN is positive.
    assert_eq!(add(0, INF, INF | 1 << 31), (NAN, IOC));
    // The first operand wins, unless only the second signals.
    assert_eq!(add(0, 0x7fc0_1111, 0xffc0_2222), (0x7fc0_1111, 0));
    assert_eq!(add(0, 0x7fc0_1111, 0xff80_2222), (0xffc0_2222, IOC));
    assert_eq!(add(DN, 0xffc0_1111, ONE), (NAN, DN));
    assert_eq!(add(DN, SNAN, ONE), (NAN, DN | IOC));
    // Infinity times zero plus a quiet NaN is the default NaN, and invalid.
    let fma = |c, a, b| guest(0, |s| s3(FloatOp3::Fma, c, a, b, s));
    assert_eq!(fma(0xffc0_1234, INF, 0), (NAN, IOC));
    assert_eq!(fma(0xff80_1234, INF, 0), (0xffc0_1234, IOC));
    assert_eq!(fma(0xffc0_1234, SNAN, 0), (0x7fc0_0001, IOC));
    // A number wins over a quiet NaN, not over a signalling one.
    let max = |a, b| guest(0, |s| s2(FloatOp2::MaxNum, a, b, s));
    let min = |a, b| guest(0, |s| s2(FloatOp2::MinNum, a, b, s));
    assert_eq!(max(NAN, ONE), (ONE, 0));
    assert_eq!(min(ONE, NAN), (ONE, 0));
    assert_eq!(max(NAN, NAN | 5), (NAN, 0));
    assert_eq!(max(SNAN, ONE), (0x7fc0_0001, IOC));
    assert_eq!(max(1 << 31, 0), (0, 0));
    assert_eq!(min(0, 1 << 31), (1 << 31, 0));
    assert_eq!(max(ONE, 0xc000_0000), (ONE, 0));
    assert_eq!(min(ONE, 0xc000_0000), (0xc000_0000, 0));
}

#[test]
fn tininess_is_judged_before_rounding() {
    // 0x00ffffff / 2 rounds up to the smallest normal number: x86 calls that normal, Arm an underflow.
    let half = 0x3f00_0000;
    assert_eq!(guest(0, |s| s2(FloatOp2::Mul, 0x00ff_ffff, half, s)), (0x0080_0000, UFC | IXC));
    // Exact denormals are no underflow.
    assert_eq!(guest(0, |s| s2(FloatOp2::Mul, 0x0080_0000, half, s)), (0x0040_0000, 0));
    // Flushed results raise Underflow alone, flushed operands Input Denormal.
    assert_eq!(guest(FZ, |s| s2(FloatOp2::Mul, 0x0080_0000, half, s)), (0, FZ | UFC));
    assert_eq!(guest(FZ, |s| s2(FloatOp2::Add, 0x8000_0001, ONE, s)), (ONE, FZ | IDC));
    // The flush looks at the value before rounding too.
    assert_eq!(guest(FZ, |s| s2(FloatOp2::Mul, 0x00ff_ffff, half, s)), (0, FZ | UFC));
}

#[test]
fn integers_saturate() {
    let (s32, u32_) = (Fixed::int(true), Fixed::int(false));
    let to = |a, to, rounding| guest(0, |s| s_to_fixed(a, to, rounding, s));
    assert_eq!(to(NAN, s32, Rounding::Zero), (0, IOC));
    assert_eq!(to(INF, s32, Rounding::Zero), (0x7fff_ffff, IOC));
    assert_eq!(to(0xcf00_0000, s32, Rounding::Zero), (0x8000_0000, 0));
    assert_eq!(to(0xcf00_0001, s32, Rounding::Zero), (0x8000_0000, IOC));
    assert_eq!(to(0xbf00_0000, u32_, Rounding::Zero), (0, IXC));
    assert_eq!(to(0xbf80_0000, u32_, Rounding::Zero), (0, IOC));
    assert_eq!(to(0x4f80_0000, u32_, Rounding::Zero), (u32::MAX, IOC));
    for (rounding, expected) in [
        (Rounding::Nearest, 2),
        (Rounding::Away, 3),
        (Rounding::Up, 3),
        (Rounding::Down, 2),
        (Rounding::Zero, 2),
    ] {
        assert_eq!(to(0x4020_0000, s32, rounding), (expected, IXC)); // 2.5
        let rounded = guest(0, |s| s_round(0x4020_0000, rounding, true, s));
        assert_eq!(rounded, ((expected as f32).to_bits(), IXC));
    }
    let s16 = Fixed { bits: 16, fraction: 8, signed: true };
    assert_eq!(to(0xbfc0_0000, s16, Rounding::Zero), (0xffff_fe80, 0)); // -1.5
    assert_eq!(to(0x4300_0000, s16, Rounding::Zero), (0x7fff, IOC)); // 128
    assert_eq!(guest(0, |s| s_from_fixed(0xabcd_fe80, s16, Rounding::Nearest, s)), (0xbfc0_0000, 0));
    let u32_16 = Fixed { bits: 32, fraction: 32, signed: false };
    assert_eq!(
        guest(0, |s| d_from_fixed(0x8000_0000, u32_16, Rounding::Nearest, s)),
        (0x3fe0_0000_0000_0000, 0)
    );
}

#[test]
fn halves() {
    // Every half survives the way to single and double and back; signalling ones are quieted.
    for half in 0..=0xffffu32 {
        let nan = half & 0x7c00 == 0x7c00 && half & 0x3ff != 0;
        let expected = if nan { half | 0x200 } else { half };
        let flags = if nan && half & 0x200 == 0 { IOC } else { 0 };
        assert_eq!(guest(0, |s| s_to_half(half_to_s(half, s), s)), (expected, flags));
        assert_eq!(guest(0, |s| d_to_half(half_to_d(half, s), s)), (expected, flags));
        // Under AHP there are no NaNs and no infinities; FZ does not touch halves.
        assert_eq!(guest(AHP | FZ, |s| s_to_half(half_to_s(half, s), s)), (half, AHP | FZ));
    }
    assert_eq!(guest(0, |s| s_to_half(0x477f_f000, s)), (0x7c00, OFC | IXC)); // 65520
    assert_eq!(guest(AHP, |s| s_to_half(INF, s)), (0x7fff, AHP | IOC));
    assert_eq!(guest(AHP, |s| s_to_half(NAN | 1 << 31, s)), (0x8000, AHP | IOC));
    assert_eq!(guest(AHP, |s| s_to_half(0x4800_0000, s)), (0x7fff, AHP | IOC)); // 131072
    assert_eq!(guest(0, |s| s_to_half(0x3300_0001, s)), (1, UFC | IXC)); // above half of the least denormal
    assert_eq!(env(0, |e| e.convert(HALF, SINGLE, 0x3c00)), (u64::from(ONE), 0));
}

#[test]
fn fpscr_keeps_what_exists() {
    let (_, after) = guest(u32::MAX, |_| ());
    assert_eq!(after, 0xffc0_009f);
    for fpscr in [0, 0x00c0_0000, 0x0040_0001, 0x0100_0010, 0xf800_0089] {
        assert_eq!(guest(fpscr, |_| ()).1, fpscr);
    }
}
