//! Advanced SIMD on plain integers.
#![allow(unused_variables)] // replaced when the operations land

use super::Interp;
use forearm_frontend::machine::{Elem, V1, V2, V3, VShift, Vector};

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
    fn vdreg(&mut self, r: u8) -> u128 {
        self.0.d(usize::from(r & 31)).into()
    }
    fn set_vdreg(&mut self, r: u8, v: u128) {
        self.0.set_d(usize::from(r & 31), v as u64);
    }
    fn vload(&mut self, bytes: u32, align: u32, addr: u32) -> u128 {
        unimplemented!()
    }
    fn vstore(&mut self, bytes: u32, align: u32, addr: u32, v: u128) {
        unimplemented!()
    }
    fn vconst(&mut self, x: u128) -> u128 {
        x
    }
    fn vdup(&mut self, e: Elem, w: u32) -> u128 {
        unimplemented!()
    }
    fn vdup_lane(&mut self, e: Elem, v: u128, lane: u8) -> u128 {
        unimplemented!()
    }
    fn lane(&mut self, e: Elem, v: u128, lane: u8) -> u32 {
        unimplemented!()
    }
    fn set_lane(&mut self, e: Elem, v: u128, lane: u8, w: u32) -> u128 {
        unimplemented!()
    }
    fn vlow(&mut self, v: u128) -> u128 {
        v & u128::from(u64::MAX)
    }
    fn vhigh(&mut self, v: u128) -> u128 {
        v >> 64
    }
    fn vconcat(&mut self, lo: u128, hi: u128) -> u128 {
        lo & u128::from(u64::MAX) | hi << 64
    }
    fn v1(&mut self, op: V1, e: Elem, a: u128) -> u128 {
        unimplemented!()
    }
    fn v2(&mut self, op: V2, e: Elem, a: u128, b: u128) -> u128 {
        unimplemented!()
    }
    fn v3(&mut self, op: V3, e: Elem, a: u128, b: u128, c: u128) -> u128 {
        unimplemented!()
    }
    fn vshift(&mut self, op: VShift, e: Elem, a: u128, n: u8) -> u128 {
        unimplemented!()
    }
    fn vext(&mut self, a: u128, b: u128, n: u8) -> u128 {
        unimplemented!()
    }
    fn vtable(&mut self, table: [u128; 2], len: u8, index: u128, default: u128) -> u128 {
        unimplemented!()
    }
}
