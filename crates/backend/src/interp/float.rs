//! Scalar floating point on the host's SSE, under the guest's MXCSR.

use super::Interp;
use forearm_frontend::machine::Float;

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
}
