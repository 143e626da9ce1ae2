//! Scalar floating point on the host's SSE, under the guest's MXCSR.

use super::Interp;
use crate::fp;
use forearm_frontend::machine::{Fixed, Float, FloatOp1, FloatOp2, FloatOp3, Rounding};

impl Float for Interp {
    type S = u32;
    type D = u64;

    #[inline(always)]
    fn sreg(&mut self, r: u8) -> u32 {
        (self.0.vfp[usize::from(r >> 2 & 15)] >> (32 * u32::from(r & 3))) as u32
    }
    #[inline(always)]
    fn set_sreg(&mut self, r: u8, v: u32) {
        let (q, shift) = (&mut self.0.vfp[usize::from(r >> 2 & 15)], 32 * u32::from(r & 3));
        *q = *q & !(0xffff_ffff << shift) | u128::from(v) << shift;
    }
    #[inline(always)]
    fn dreg(&mut self, r: u8) -> u64 {
        self.0.d(usize::from(r & 31))
    }
    #[inline(always)]
    fn set_dreg(&mut self, r: u8, v: u64) {
        self.0.set_d(usize::from(r & 31), v);
    }
    #[inline(always)]
    fn s_from_bits(&mut self, w: u32) -> u32 {
        w
    }
    #[inline(always)]
    fn s_bits(&mut self, s: u32) -> u32 {
        s
    }
    #[inline(always)]
    fn d_from_bits(&mut self, l: u64) -> u64 {
        l
    }
    #[inline(always)]
    fn d_bits(&mut self, d: u64) -> u64 {
        d
    }
    #[inline(always)]
    fn s_select(&mut self, c: bool, a: u32, b: u32) -> u32 {
        if c { a } else { b }
    }
    #[inline(always)]
    fn d_select(&mut self, c: bool, a: u64, b: u64) -> u64 {
        if c { a } else { b }
    }
    #[inline(always)]
    fn s_neg(&mut self, a: u32) -> u32 {
        a ^ 1 << 31
    }
    #[inline(always)]
    fn s_abs(&mut self, a: u32) -> u32 {
        a & !(1 << 31)
    }
    #[inline(always)]
    fn d_neg(&mut self, a: u64) -> u64 {
        a ^ 1 << 63
    }
    #[inline(always)]
    fn d_abs(&mut self, a: u64) -> u64 {
        a & !(1 << 63)
    }
    #[inline(always)]
    fn s1(&mut self, op: FloatOp1, a: u32) -> u32 {
        fp::s1(op, a, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn s2(&mut self, op: FloatOp2, a: u32, b: u32) -> u32 {
        fp::s2(op, a, b, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn s3(&mut self, op: FloatOp3, acc: u32, a: u32, b: u32) -> u32 {
        fp::s3(op, acc, a, b, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn s_compare(&mut self, a: u32, b: u32, signal: bool) -> u32 {
        fp::s_compare(a, b, signal, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn s_round(&mut self, a: u32, rounding: Rounding, exact: bool) -> u32 {
        fp::s_round(a, rounding, exact, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn s_to_fixed(&mut self, a: u32, to: Fixed, rounding: Rounding) -> u32 {
        fp::s_to_fixed(a, to, rounding, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn s_from_fixed(&mut self, w: u32, from: Fixed, rounding: Rounding) -> u32 {
        fp::s_from_fixed(w, from, rounding, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn half_to_s(&mut self, half: u32) -> u32 {
        fp::half_to_s(half, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn s_to_half(&mut self, a: u32) -> u32 {
        fp::s_to_half(a, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn d1(&mut self, op: FloatOp1, a: u64) -> u64 {
        fp::d1(op, a, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn d2(&mut self, op: FloatOp2, a: u64, b: u64) -> u64 {
        fp::d2(op, a, b, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn d3(&mut self, op: FloatOp3, acc: u64, a: u64, b: u64) -> u64 {
        fp::d3(op, acc, a, b, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn d_compare(&mut self, a: u64, b: u64, signal: bool) -> u32 {
        fp::d_compare(a, b, signal, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn d_round(&mut self, a: u64, rounding: Rounding, exact: bool) -> u64 {
        fp::d_round(a, rounding, exact, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn d_to_fixed(&mut self, a: u64, to: Fixed, rounding: Rounding) -> u32 {
        fp::d_to_fixed(a, to, rounding, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn d_from_fixed(&mut self, w: u32, from: Fixed, rounding: Rounding) -> u64 {
        fp::d_from_fixed(w, from, rounding, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn half_to_d(&mut self, half: u32) -> u64 {
        fp::half_to_d(half, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn d_to_half(&mut self, a: u64) -> u32 {
        fp::d_to_half(a, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn s_to_d(&mut self, a: u32) -> u64 {
        fp::s_to_d(a, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn d_to_s(&mut self, a: u64) -> u32 {
        fp::d_to_s(a, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn fpscr(&mut self) -> u32 {
        fp::live_fpscr(self.0.fpscr)
    }
    #[inline(always)]
    fn set_fpscr(&mut self, w: u32) {
        fp::set_live_fpscr(&mut self.0.fpscr, w);
        // SAFETY: the engine, where there is one, outlives the run that set the pointer.
        let engine = unsafe { self.0.host.engine.as_ref() };
        if let Some(engine) = engine {
            engine.obey_fpscr(&mut self.0);
        }
    }
    #[inline(always)]
    fn fpscr_nzcv(&mut self) -> u32 {
        self.0.fpscr & 0xf000_0000
    }
    #[inline(always)]
    fn set_fpscr_nzcv(&mut self, w: u32) {
        self.0.fpscr = self.0.fpscr & 0x0fff_ffff | w;
    }
}

impl forearm_frontend::machine::Crypto for Interp {
    fn crypto(&mut self, op: forearm_frontend::machine::CryptoOp, d: u128, n: u128, m: u128) -> u128 {
        crate::crypto::crypto(op, d, n, m)
    }
}
