//! Advanced SIMD on plain integers.

use super::Interp;
use forearm_frontend::machine::Vector;

impl Vector for Interp {
    type V = u128;

    #[inline(always)]
    fn qreg(&mut self, r: u8) -> u128 {
        self.0.vfp[usize::from(r & 15)]
    }
    #[inline(always)]
    fn set_qreg(&mut self, r: u8, v: u128) {
        self.0.vfp[usize::from(r & 15)] = v;
    }
}
