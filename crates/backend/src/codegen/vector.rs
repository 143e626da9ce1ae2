//! Advanced SIMD as CLIF. A vector value is I8X16; the operations view it as they need. What Cranelift has no short
//! sequence for is a helper call.
//!
//! A D register is the low half of a vector. Above it is anything, unless the instruction accumulates flags in FPSCR: what
//! lies there must raise none, so there it is zero.

use super::helpers::Helper;
use super::integer::GUEST;
use super::stand_in::StandIn;
use super::translate::{Codegen, Half, STATE, field};
use crate::fp::soft::fpscr::QC;
use cranelift_codegen::ir::Endianness;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::immediates::V128Imm;
use cranelift_codegen::ir::types::{F32X4, F64, F64X2, I8, I8X16, I16, I16X8, I32, I32X4, I64X2};
use cranelift_codegen::ir::{ConstantData, InstBuilder, InstructionData, MemFlagsData, Type, Value};
use forearm_frontend::machine::{Crypto, CryptoOp, Elem, V1, V2, V3, VShift, Vector};

/// The vector type of an element type; floats as integers.
fn lanes(e: Elem) -> Type {
    match e {
        Elem::U8 | Elem::S8 => I8X16,
        Elem::U16 | Elem::S16 => I16X8,
        Elem::U32 | Elem::S32 | Elem::F32 => I32X4,
        Elem::U64 | Elem::S64 => I64X2,
    }
}

fn signed(e: Elem) -> bool {
    matches!(e, Elem::S8 | Elem::S16 | Elem::S32 | Elem::S64)
}

impl Codegen<'_, '_> {
    /// The same bits as another type.
    pub(super) fn view(&mut self, v: Value, ty: Type) -> Value {
        if self.b.func.dfg.value_type(v) == ty {
            return v;
        }
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.b.ins().bitcast(ty, flags, v)
    }

    /// Does a mask keep all that is left of elements that were shifted right? VSLI, behind VSHR a rotation, has one.
    fn masks_nothing(&self, mask: Value, v: Value) -> bool {
        let Some(&(_, e, left)) = self.shifted.iter().rev().find(|s| s.0 == v) else { return false };
        let Some(InstructionData::UnaryConst { constant_handle, .. }) = self.defined_by(mask) else {
            return false;
        };
        let bytes = self.b.func.dfg.constants.get(constant_handle).as_slice();
        bytes.chunks(e.bits() as usize / 8).all(|lane| {
            let lane = lane.iter().rev().fold(0u64, |x, byte| x << 8 | u64::from(*byte));
            lane.trailing_ones() >= left
        })
    }

    fn bytes(&mut self, v: Value) -> Value {
        self.view(v, I8X16)
    }

    /// Operates on both operands viewed as lanes of `e`.
    fn lanewise(
        &mut self,
        e: Elem,
        a: Value,
        b: Value,
        f: impl FnOnce(&mut Self, Value, Value) -> Value,
    ) -> Value {
        let (a, b) = (self.view(a, lanes(e)), self.view(b, lanes(e)));
        let v = f(self, a, b);
        self.bytes(v)
    }

    /// The low half as a scalar, which a vector register holds.
    fn low_double(&mut self, v: Value) -> Value {
        let v = self.view(v, F64X2);
        self.b.ins().extractlane(v, 0)
    }

    /// The low half, above it zero.
    fn alone(&mut self, v: Value) -> Value {
        let x = self.low_double(v);
        let v = self.b.ins().scalar_to_vector(F64X2, x);
        self.bytes(v)
    }

    fn zero(&mut self) -> Value {
        self.vconst(0)
    }

    /// Bytes of `a` (0 to 15) and `b` (16 to 31) by position.
    pub(super) fn shuffle(&mut self, a: Value, b: Value, mask: [u8; 16]) -> Value {
        let mask = self.b.func.dfg.immediates.push(ConstantData::from(&mask[..]));
        self.b.ins().shuffle(a, b, mask)
    }

    /// Shuffles whole elements of `1 << size` bytes.
    fn permute(&mut self, size: u8, a: Value, b: Value, element: impl Fn(usize) -> usize) -> Value {
        let bytes = 1usize << size;
        let mask = std::array::from_fn(|k| (element(k / bytes) * bytes + k % bytes) as u8);
        self.shuffle(a, b, mask)
    }

    /// The bytes of a constant.
    fn vector_constant(&self, v: Value) -> Option<[u8; 16]> {
        let inst = self.b.func.dfg.value_def(v).inst()?;
        match self.b.func.dfg.insts[inst] {
            InstructionData::UnaryConst { constant_handle, .. } => {
                self.b.func.dfg.constants.get(constant_handle).as_slice().try_into().ok()
            }
            _ => None,
        }
    }

    /// Sets FPSCR.QC unless a result is the exact one.
    fn saturated(&mut self, result: Value, exact: Value) {
        let differ = self.b.ins().bxor(result, exact);
        let any = self.b.ins().vany_true(differ);
        let any = self.b.ins().uextend(I32, any);
        let qc = self.b.ins().ishl_imm_u(any, i64::from(QC.trailing_zeros()));
        let fpscr = self.b.ins().load(I32, STATE, self.cpu, field!(fpscr));
        let fpscr = self.b.ins().bor(fpscr, qc);
        self.b.ins().store(STATE, fpscr, self.cpu, field!(fpscr));
    }

    /// Products of bytes, which the host does not have: those at even places as words, at odd ones in the high halves.
    fn multiply_bytes(&mut self, a: Value, b: Value) -> Value {
        let [low, high] =
            [0x00ffu16, 0xff00].map(|x| self.vconst(u128::from(x) * 0x1_0001_0001_0001_0001_0001_0001_0001));
        let even = self.v2(V2::Mul, Elem::U16, a, b);
        let even = self.b.ins().band(even, low);
        let a = self.vshift(VShift::Shr, Elem::U16, a, 8);
        let b = self.b.ins().band(b, high);
        let odd = self.v2(V2::Mul, Elem::U16, a, b);
        self.b.ins().bor(even, odd)
    }

    /// Shifts of bytes, which the host does not have: of wider elements, without what came from the next byte.
    fn shift_bytes(&mut self, op: VShift, e: Elem, a: Value, n: u8) -> Value {
        let a = self.view(a, I16X8);
        let (shifted, kept) = if op == VShift::Shl {
            (self.b.ins().ishl_imm_u(a, i64::from(n)), 0xffu8 << n)
        } else {
            // All of a signed byte is what seven leave.
            let n = if signed(e) { n.min(7) } else { n };
            (self.b.ins().ushr_imm_u(a, i64::from(n)), 0xffu8.checked_shr(n.into()).unwrap_or(0))
        };
        let shifted = self.bytes(shifted);
        let kept = self.vconst(u128::from_le_bytes([kept; 16]));
        let v = self.b.ins().band(shifted, kept);
        if op == VShift::Shl || !signed(e) {
            return v;
        }
        let sign = self.vconst(u128::from_le_bytes([0x80 >> n.min(7); 16]));
        let v = self.b.ins().bxor(v, sign);
        self.b.ins().isub(v, sign)
    }

    fn q_offset(r: u8) -> i32 {
        field!(vfp) + 16 * i32::from(r & 15)
    }

    fn d_offset(r: u8) -> i32 {
        field!(vfp) + 8 * i32::from(r & 31)
    }
}

impl Vector for Codegen<'_, '_> {
    type V = Value;

    fn qreg(&mut self, r: u8) -> Value {
        if let Some(v) = self.vfp.q(r) {
            return v;
        }
        let v = if self.vfp.in_parts(r) {
            // A whole could not be loaded before the stores of its parts are done.
            let mut from = [0, 0];
            let parts = [0, 1].map(|k| match self.vfp.half(2 * r + k as u8) {
                Some(Half::High(v)) => {
                    from[k] = 1;
                    v
                }
                _ => self.vdreg(2 * r + k as u8),
            });
            self.permute(3, parts[0], parts[1], |k| 2 * k + from[k])
        } else {
            self.b.ins().load(I8X16, STATE, self.cpu, Self::q_offset(r))
        };
        self.vfp.read_q(r, v);
        v
    }
    fn set_qreg(&mut self, r: u8, v: Value) {
        self.vfp.write_q(r, v);
        self.b.ins().store(STATE, v, self.cpu, Self::q_offset(r));
    }
    fn vdreg(&mut self, r: u8) -> Value {
        match self.vfp.half(r) {
            Some(Half::Alone(v)) => v,
            Some(Half::Low(v)) => {
                if !self.at.effects.cumulative {
                    return v;
                }
                let v = self.alone(v);
                self.vfp.read_half(r, Half::Alone(v));
                v
            }
            Some(Half::High(v)) => {
                let half = if self.at.effects.cumulative {
                    let zero = self.zero();
                    Half::Alone(self.permute(3, v, zero, |k| 1 + k))
                } else {
                    Half::Low(self.permute(3, v, v, |_| 1))
                };
                self.vfp.read_half(r, half);
                let (Half::Alone(v) | Half::Low(v) | Half::High(v)) = half;
                v
            }
            None => {
                let v = match self.known_double(r) {
                    Some(x) => self.b.ins().scalar_to_vector(F64X2, x),
                    None => {
                        // As a double: then the load makes the vector.
                        let x = self.b.ins().load(F64, STATE, self.cpu, Self::d_offset(r));
                        self.b.ins().scalar_to_vector(F64X2, x)
                    }
                };
                let v = self.bytes(v);
                self.vfp.read_half(r, Half::Alone(v));
                v
            }
        }
    }
    fn set_vdreg(&mut self, r: u8, v: Value) {
        self.vfp.write_half(r, Half::Low(v));
        let x = self.low_double(v);
        self.b.ins().store(STATE, x, self.cpu, Self::d_offset(r));
    }

    fn vload(&mut self, bytes: u32, align: u32, addr: Value) -> Value {
        self.check_aligned(addr, align, false);
        let (p, at) = self.host(addr);
        let v = match bytes {
            16 => return self.b.ins().load(I8X16, GUEST, p, at),
            8 => {
                let x = self.b.ins().load(F64, GUEST, p, at);
                self.b.ins().scalar_to_vector(F64X2, x)
            }
            n => {
                let x = match n {
                    4 => self.b.ins().load(I32, GUEST, p, at),
                    2 => self.b.ins().uload16(I32, GUEST, p, at),
                    _ => self.b.ins().uload8(I32, GUEST, p, at),
                };
                self.b.ins().scalar_to_vector(I32X4, x)
            }
        };
        self.bytes(v)
    }
    fn vstore(&mut self, bytes: u32, align: u32, addr: Value, v: Value) {
        self.check_aligned(addr, align, true);
        let (p, at) = self.host(addr);
        let ty = match bytes {
            16 => {
                self.b.ins().store(GUEST, v, p, at);
                return;
            }
            8 => F64X2,
            4 => F32X4,
            2 => I16X8,
            _ => I8X16,
        };
        let v = self.view(v, ty);
        let x = self.b.ins().extractlane(v, 0);
        self.b.ins().store(GUEST, x, p, at);
    }

    fn vconst(&mut self, x: u128) -> Value {
        let data = ConstantData::from(&V128Imm(x.to_le_bytes()).0[..]);
        let constant = self.b.func.dfg.constants.insert(data);
        self.b.ins().vconst(I8X16, constant)
    }
    fn vdup(&mut self, e: Elem, w: Value) -> Value {
        let x = match e.size() {
            0 => self.b.ins().ireduce(I8, w),
            1 => self.b.ins().ireduce(I16, w),
            _ => w,
        };
        let v = self.b.ins().splat(lanes(e), x);
        self.bytes(v)
    }
    fn vdup_lane(&mut self, e: Elem, v: Value, lane: u8) -> Value {
        self.permute(e.size(), v, v, |_| lane.into())
    }
    fn lane(&mut self, e: Elem, v: Value, lane: u8) -> Value {
        let v = self.view(v, lanes(e));
        let x = self.b.ins().extractlane(v, lane);
        match (e.size(), signed(e)) {
            (2, _) => x,
            (_, true) => self.b.ins().sextend(I32, x),
            (_, false) => self.b.ins().uextend(I32, x),
        }
    }
    fn set_lane(&mut self, e: Elem, v: Value, lane: u8, w: Value) -> Value {
        let x = match e.size() {
            0 => self.b.ins().ireduce(I8, w),
            1 => self.b.ins().ireduce(I16, w),
            _ => w,
        };
        let v = self.view(v, lanes(e));
        let v = self.b.ins().insertlane(v, x, lane);
        self.bytes(v)
    }
    fn vlow(&mut self, v: Value) -> Value {
        // As a D register's operand, whose high half matters to no other instruction.
        if self.at.effects.cumulative { self.alone(v) } else { v }
    }
    fn vhigh(&mut self, v: Value) -> Value {
        if self.at.effects.cumulative {
            let zero = self.zero();
            return self.permute(3, v, zero, |k| 1 + k);
        }
        self.permute(3, v, v, |_| 1)
    }
    fn vconcat(&mut self, lo: Value, hi: Value) -> Value {
        self.permute(3, lo, hi, |k| if k == 0 { 0 } else { 2 })
    }

    fn v1(&mut self, op: V1, e: Elem, a: Value) -> Value {
        let x = self.view(a, lanes(e));
        let size = usize::from(e.size());
        let v = match (op, e) {
            (V1::Not, _) => self.b.ins().bnot(x),
            (V1::Neg, Elem::F32) => {
                let sign = self.vconst(0x8000_0000_8000_0000_8000_0000_8000_0000);
                return self.b.ins().bxor(a, sign);
            }
            (V1::Abs, Elem::F32) => {
                let rest = self.vconst(0x7fff_ffff_7fff_ffff_7fff_ffff_7fff_ffff);
                return self.b.ins().band(a, rest);
            }
            (V1::Neg, _) => self.b.ins().ineg(x),
            (V1::Abs, _) if size < 3 => self.b.ins().iabs(x),
            (V1::Cnt, _) => self.b.ins().popcnt(a),
            (V1::Rev16, _) => return self.permute(e.size(), a, a, |k| k ^ ((2 >> size) - 1)),
            (V1::Rev32, _) => return self.permute(e.size(), a, a, |k| k ^ ((4 >> size) - 1)),
            (V1::Rev64, _) => return self.permute(e.size(), a, a, |k| k ^ ((8 >> size) - 1)),
            (V1::Widen, _) if signed(e) => self.b.ins().swiden_low(x),
            (V1::Widen, _) => self.b.ins().uwiden_low(x),
            (V1::Narrow, _) if size < 3 => {
                let zero = self.zero();
                let half = 8 >> size;
                return self.permute(e.size(), a, zero, |k| if k < half { 2 * k } else { 2 * half });
            }
            (V1::Paddl, Elem::S8 | Elem::U8 | Elem::S16 | Elem::U16) => {
                // Cranelift makes one multiplication by ones of it.
                let (low, high) = if signed(e) {
                    (self.b.ins().swiden_low(x), self.b.ins().swiden_high(x))
                } else {
                    (self.b.ins().uwiden_low(x), self.b.ins().uwiden_high(x))
                };
                self.b.ins().iadd_pairwise(low, high)
            }
            (V1::Paddl, Elem::U32) => {
                let x = self.view(a, I64X2);
                let low = self.vconst(0x0000_0000_ffff_ffff_0000_0000_ffff_ffff);
                let low = self.view(low, I64X2);
                let (low, high) = (self.b.ins().band(x, low), self.b.ins().ushr_imm_u(x, 32));
                self.b.ins().iadd(low, high)
            }
            (V1::Qnarrow, Elem::S8 | Elem::S16) | (V1::QnarrowU, Elem::U8 | Elem::U16) => {
                let wide = self.view(a, lanes(e.wide()));
                let zero = self.zero();
                let zero = self.view(zero, lanes(e.wide()));
                let result = if signed(e) {
                    self.b.ins().snarrow(wide, zero)
                } else {
                    self.b.ins().unarrow(wide, zero)
                };
                let exact =
                    if signed(e) { self.b.ins().swiden_low(result) } else { self.b.ins().uwiden_low(result) };
                self.saturated(exact, wide);
                result
            }
            _ => return self.helper(Helper::V1(op, e), &[a], I8X16),
        };
        self.bytes(v)
    }

    fn v2(&mut self, op: V2, e: Elem, a: Value, b: Value) -> Value {
        let size = e.size();
        let narrow = size < 3 && e != Elem::F32;
        let count = 16usize >> size;
        match op {
            V2::And if self.masks_nothing(a, b) => b,
            V2::And => self.b.ins().band(a, b),
            V2::Or => self.b.ins().bor(a, b),
            V2::Xor => self.b.ins().bxor(a, b),
            V2::Bic => self.b.ins().band_not(a, b),
            V2::Orn => self.b.ins().bor_not(a, b),
            V2::Add if e != Elem::F32 => self.lanewise(e, a, b, |g, a, b| g.b.ins().iadd(a, b)),
            V2::Sub if e != Elem::F32 => self.lanewise(e, a, b, |g, a, b| g.b.ins().isub(a, b)),
            V2::Mul if size == 0 && e != Elem::F32 => self.multiply_bytes(a, b),
            V2::Mul if narrow => self.lanewise(e, a, b, |g, a, b| g.b.ins().imul(a, b)),
            V2::Ceq if narrow => self.lanewise(e, a, b, |g, a, b| g.b.ins().icmp(IntCC::Equal, a, b)),
            V2::Cge if narrow => {
                let cc = if signed(e) {
                    IntCC::SignedGreaterThanOrEqual
                } else {
                    IntCC::UnsignedGreaterThanOrEqual
                };
                self.lanewise(e, a, b, |g, a, b| g.b.ins().icmp(cc, a, b))
            }
            V2::Cgt if narrow => {
                let cc = if signed(e) { IntCC::SignedGreaterThan } else { IntCC::UnsignedGreaterThan };
                self.lanewise(e, a, b, |g, a, b| g.b.ins().icmp(cc, a, b))
            }
            V2::Tst if narrow => {
                let both = self.b.ins().band(a, b);
                let zero = self.zero();
                let none = self.lanewise(e, both, zero, |g, a, b| g.b.ins().icmp(IntCC::Equal, a, b));
                self.b.ins().bnot(none)
            }
            V2::Max if narrow && signed(e) => self.lanewise(e, a, b, |g, a, b| g.b.ins().smax(a, b)),
            V2::Max if narrow => self.lanewise(e, a, b, |g, a, b| g.b.ins().umax(a, b)),
            V2::Min if narrow && signed(e) => self.lanewise(e, a, b, |g, a, b| g.b.ins().smin(a, b)),
            V2::Min if narrow => self.lanewise(e, a, b, |g, a, b| g.b.ins().umin(a, b)),
            V2::Abd if narrow => {
                let (high, low) = (self.v2(V2::Max, e, a, b), self.v2(V2::Min, e, a, b));
                self.v2(V2::Sub, e, high, low)
            }
            V2::Hadd | V2::Rhadd if size == 2 || size == 1 && (signed(e) || op == V2::Hadd) => {
                // Half of the difference on top of what both have, or taken from what either has.
                let differ = self.b.ins().bxor(a, b);
                let half = self.vshift(VShift::Shr, e, differ, 1);
                if op == V2::Hadd {
                    let both = self.b.ins().band(a, b);
                    self.v2(V2::Add, e, both, half)
                } else {
                    let either = self.b.ins().bor(a, b);
                    self.v2(V2::Sub, e, either, half)
                }
            }
            V2::Rhadd if matches!(e, Elem::U8 | Elem::U16) => {
                self.lanewise(e, a, b, |g, a, b| g.b.ins().avg_round(a, b))
            }
            V2::Hadd | V2::Rhadd if size == 0 => {
                // The host's average is unsigned and rounds up. Complements make it round down, another top bit
                // signed.
                let change: u8 = if op == V2::Hadd { 0xff } else { 0 } ^ if signed(e) { 0x80 } else { 0 };
                let change = self.vconst(u128::from_le_bytes([change; 16]));
                let (a, b) = (self.b.ins().bxor(a, change), self.b.ins().bxor(b, change));
                let average = self.b.ins().avg_round(a, b);
                self.b.ins().bxor(average, change)
            }
            V2::Qadd | V2::Qsub if size < 2 => {
                let (x, y) = (self.view(a, lanes(e)), self.view(b, lanes(e)));
                let (result, exact) = match (op, signed(e)) {
                    (V2::Qadd, true) => (self.b.ins().sadd_sat(x, y), self.b.ins().iadd(x, y)),
                    (V2::Qadd, false) => (self.b.ins().uadd_sat(x, y), self.b.ins().iadd(x, y)),
                    (_, true) => (self.b.ins().ssub_sat(x, y), self.b.ins().isub(x, y)),
                    (_, false) => (self.b.ins().usub_sat(x, y), self.b.ins().isub(x, y)),
                };
                self.saturated(result, exact);
                self.bytes(result)
            }
            V2::Pmull if e == Elem::U64 && self.features.aes => self.stand_in(StandIn::Clmul, a, b),
            V2::Mull if narrow => {
                let (a, b) = (self.v1(V1::Widen, e, a), self.v1(V1::Widen, e, b));
                self.lanewise(e.wide(), a, b, |g, a, b| g.b.ins().imul(a, b))
            }
            V2::Uzp1 => self.permute(size, a, b, |k| 2 * k),
            V2::Uzp2 => self.permute(size, a, b, |k| 2 * k + 1),
            V2::Zip1 => self.permute(size, a, b, |k| k / 2 + if k % 2 == 1 { count } else { 0 }),
            V2::Zip2 => self.permute(size, a, b, |k| count / 2 + k / 2 + if k % 2 == 1 { count } else { 0 }),
            V2::Trn1 => self.permute(size, a, b, |k| if k % 2 == 0 { k } else { count + k - 1 }),
            V2::Trn2 => self.permute(size, a, b, |k| if k % 2 == 0 { k + 1 } else { count + k }),
            _ => self.helper(Helper::V2(op, e), &[a, b], I8X16),
        }
    }

    fn v3(&mut self, op: V3, e: Elem, a: Value, b: Value, c: Value) -> Value {
        match op {
            V3::Bsl => self.b.ins().bitselect(a, b, c),
            _ => self.helper(Helper::V3(op, e), &[a, b, c], I8X16),
        }
    }

    fn vshift(&mut self, op: VShift, e: Elem, a: Value, n: u8) -> Value {
        let ty = lanes(e);
        let bits = e.bits();
        let n32 = u32::from(n);
        match op {
            _ if matches!(op, VShift::Shl | VShift::Shr) && e.size() == 0 => self.shift_bytes(op, e, a, n),
            VShift::Shl => {
                let x = self.view(a, ty);
                let x = self.b.ins().ishl_imm_u(x, i64::from(n));
                self.bytes(x)
            }
            VShift::Shr if !signed(e) && n32 >= bits => self.zero(),
            VShift::Shr => {
                let x = self.view(a, ty);
                let x = if signed(e) {
                    self.b.ins().sshr_imm_u(x, i64::from(n32.min(bits - 1)))
                } else {
                    self.b.ins().ushr_imm_u(x, i64::from(n))
                };
                let x = self.bytes(x);
                self.shifted.extend((!signed(e)).then_some((x, e, bits - n32)));
                x
            }
            VShift::Rshr if signed(e) && n32 == bits => self.zero(),
            VShift::Rshr if signed(e) && e.size() == 3 => self.helper(Helper::VShift(op, e, n), &[a], I8X16),
            VShift::Rshr => {
                // The last bit that is shifted out is added.
                let high = self.vshift(VShift::Shr, e, a, n);
                let up = self.vshift(VShift::Shl, e, a, (bits - n32) as u8);
                let last = self.vshift(VShift::Shr, Elem::unsigned(e.size()), up, bits as u8 - 1);
                self.v2(V2::Add, e, high, last)
            }
            _ => self.helper(Helper::VShift(op, e, n), &[a], I8X16),
        }
    }

    fn vext(&mut self, a: Value, b: Value, n: u8) -> Value {
        self.shuffle(a, b, std::array::from_fn(|k| k as u8 + n))
    }
    fn vtable(&mut self, table: [Value; 2], len: u8, index: Value, default: Value) -> Value {
        if let Some(index) = self.vector_constant(index)
            && index.iter().all(|&k| k < len)
        {
            return self.shuffle(table[0], table[1], index);
        }
        // The host's look-up takes the low four bits, and is zero where the top bit is set: added with saturation,
        // this sets it for what is out of range. Eight bytes lie in the high half, where their indices then lead.
        let mut found: Option<Value> = None;
        for (half, table) in table.into_iter().enumerate().take(usize::from(len).div_ceil(16)) {
            let bytes = (len - 16 * half as u8).min(16);
            let table = if bytes == 8 { self.permute(3, table, table, |_| 0) } else { table };
            let index = if half == 0 {
                index
            } else {
                let first = self.vconst(u128::from_le_bytes([16; 16]));
                self.b.ins().isub(index, first)
            };
            let beyond = self.vconst(u128::from_le_bytes([0x80 - bytes; 16]));
            let index = self.b.ins().uadd_sat(index, beyond);
            let part = self.b.ins().x86_pshufb(table, index);
            found = Some(found.map_or(part, |found| self.b.ins().bor(found, part)));
        }
        let found = found.unwrap_or(default);
        if self.vector_constant(default) == Some([0; 16]) {
            return found;
        }
        let len = self.vconst(u128::from_le_bytes([len; 16]));
        let outside = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, len);
        self.b.ins().bitselect(outside, default, found)
    }
}

impl Crypto for Codegen<'_, '_> {
    fn crypto(&mut self, op: CryptoOp, d: Value, n: Value, m: Value) -> Value {
        use CryptoOp::{AesD, AesE, AesImc, AesMc, Sha1Su0};
        use StandIn::{AesDec, AesDecLast, AesEnc, AesEncLast};
        match op {
            Sha1Su0 => {
                let middle = self.vext(d, n, 8);
                let v = self.b.ins().bxor(middle, d);
                return self.b.ins().bxor(v, m);
            }
            AesD | AesE | AesImc | AesMc if self.features.aes => {}
            _ => return self.call_crypto(op, [d, n, m]),
        }
        // The host adds a key at the end of a round, Arm at its beginning.
        let none = self.zero();
        match (op, self.unmixed) {
            (AesE | AesD, _) => {
                let x = self.b.ins().bxor(d, m);
                let v = self.stand_in(if op == AesE { AesEncLast } else { AesDecLast }, x, none);
                self.unmixed = Some((v, op, x));
                v
            }
            // Both halves of a round are one instruction.
            (AesMc, Some((v, AesE, x))) if v == m => self.stand_in(AesEnc, x, none),
            (AesImc, Some((v, AesD, x))) if v == m => self.stand_in(AesDec, x, none),
            // The inverse of the other half first.
            (AesMc, _) => {
                let x = self.stand_in(AesDecLast, m, none);
                self.stand_in(AesEnc, x, none)
            }
            (_, _) => {
                let x = self.stand_in(AesEncLast, m, none);
                self.stand_in(AesDec, x, none)
            }
        }
    }
}
