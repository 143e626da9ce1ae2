//! Advanced SIMD on plain integers.

use super::Interp;
use crate::simd;
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
    #[inline(always)]
    fn vdreg(&mut self, r: u8) -> u128 {
        self.0.d(usize::from(r & 31)).into()
    }
    #[inline(always)]
    fn set_vdreg(&mut self, r: u8, v: u128) {
        self.0.set_d(usize::from(r & 31), v as u64);
    }
    #[inline(always)]
    fn vload(&mut self, bytes: u32, align: u32, addr: u32) -> u128 {
        self.check_aligned(addr, align, false);
        match bytes {
            1 => self.read::<u8>(addr).into(),
            2 => self.read::<u16>(addr).into(),
            4 => self.read::<u32>(addr).into(),
            8 => self.read::<u64>(addr).into(),
            _ => self.read(addr),
        }
    }
    #[inline(always)]
    fn vstore(&mut self, bytes: u32, align: u32, addr: u32, v: u128) {
        self.check_aligned(addr, align, true);
        match bytes {
            1 => self.write(addr, v as u8),
            2 => self.write(addr, v as u16),
            4 => self.write(addr, v as u32),
            8 => self.write(addr, v as u64),
            _ => self.write(addr, v),
        }
    }
    #[inline(always)]
    fn vconst(&mut self, x: u128) -> u128 {
        x
    }
    #[inline(always)]
    fn vdup(&mut self, e: Elem, w: u32) -> u128 {
        simd::dup(e, w.into())
    }
    #[inline(always)]
    fn vdup_lane(&mut self, e: Elem, v: u128, lane: u8) -> u128 {
        simd::dup(e, simd::lane(e, v, lane))
    }
    #[inline(always)]
    fn lane(&mut self, e: Elem, v: u128, lane: u8) -> u32 {
        let x = simd::lane(e, v, lane) as u32;
        match e {
            Elem::S8 => x as i8 as u32,
            Elem::S16 => x as i16 as u32,
            _ => x,
        }
    }
    #[inline(always)]
    fn set_lane(&mut self, e: Elem, v: u128, lane: u8, w: u32) -> u128 {
        simd::set_lane(e, v, lane, w.into())
    }
    #[inline(always)]
    fn vlow(&mut self, v: u128) -> u128 {
        v & u128::from(u64::MAX)
    }
    #[inline(always)]
    fn vhigh(&mut self, v: u128) -> u128 {
        v >> 64
    }
    #[inline(always)]
    fn vconcat(&mut self, lo: u128, hi: u128) -> u128 {
        lo & u128::from(u64::MAX) | hi << 64
    }
    #[inline(always)]
    fn v1(&mut self, op: V1, e: Elem, a: u128) -> u128 {
        simd::v1(op, e, a, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn v2(&mut self, op: V2, e: Elem, a: u128, b: u128) -> u128 {
        simd::v2(op, e, a, b, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn v3(&mut self, op: V3, e: Elem, a: u128, b: u128, c: u128) -> u128 {
        simd::v3(op, e, a, b, c, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn vshift(&mut self, op: VShift, e: Elem, a: u128, n: u8) -> u128 {
        simd::vshift(op, e, a, n, &mut self.0.fpscr)
    }
    #[inline(always)]
    fn vext(&mut self, a: u128, b: u128, n: u8) -> u128 {
        simd::ext(a, b, n)
    }
    #[inline(always)]
    fn vtable(&mut self, table: [u128; 2], len: u8, index: u128, default: u128) -> u128 {
        simd::table(table, len, index, default)
    }
}
