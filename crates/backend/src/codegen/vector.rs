//! Advanced SIMD as CLIF. A vector value is I8X16; the operations view it as they need. What Cranelift has no short
//! sequence for is a helper call.

use super::helpers::Helper;
use super::integer::GUEST;
use super::translate::{Codegen, STATE, field};
use cranelift_codegen::ir::Endianness;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::immediates::V128Imm;
use cranelift_codegen::ir::types::{I8, I8X16, I16, I16X8, I32, I32X4, I64, I64X2};
use cranelift_codegen::ir::{ConstantData, InstBuilder, MemFlagsData, Type, Value};
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

    fn zero(&mut self) -> Value {
        self.vconst(0)
    }

    /// Bytes of `a` (0 to 15) and `b` (16 to 31) by position.
    fn shuffle(&mut self, a: Value, b: Value, mask: [u8; 16]) -> Value {
        let mask = self.b.func.dfg.immediates.push(ConstantData::from(&mask[..]));
        self.b.ins().shuffle(a, b, mask)
    }

    /// Shuffles whole elements of `1 << size` bytes.
    fn permute(&mut self, size: u8, a: Value, b: Value, element: impl Fn(usize) -> usize) -> Value {
        let bytes = 1usize << size;
        let mask = std::array::from_fn(|k| (element(k / bytes) * bytes + k % bytes) as u8);
        self.shuffle(a, b, mask)
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
        let v = self.b.ins().load(I8X16, STATE, self.cpu, Self::q_offset(r));
        self.vfp.read_q(r, v);
        v
    }
    fn set_qreg(&mut self, r: u8, v: Value) {
        self.vfp.write_q(r, v);
        self.b.ins().store(STATE, v, self.cpu, Self::q_offset(r));
    }
    fn vdreg(&mut self, r: u8) -> Value {
        let x = self.b.ins().load(I64, STATE, self.cpu, Self::d_offset(r));
        let v = self.b.ins().scalar_to_vector(I64X2, x);
        self.bytes(v)
    }
    fn set_vdreg(&mut self, r: u8, v: Value) {
        self.vfp.write_d(r, None);
        let v = self.view(v, I64X2);
        let x = self.b.ins().extractlane(v, 0);
        self.b.ins().store(STATE, x, self.cpu, Self::d_offset(r));
    }

    fn vload(&mut self, bytes: u32, align: u32, addr: Value) -> Value {
        self.check_aligned(addr, align, false);
        let (p, at) = self.host(addr);
        let v = match bytes {
            16 => return self.b.ins().load(I8X16, GUEST, p, at),
            8 => {
                let x = self.b.ins().load(I64, GUEST, p, at);
                self.b.ins().scalar_to_vector(I64X2, x)
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
            8 => I64X2,
            4 => I32X4,
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
        let zero = self.zero();
        self.permute(3, v, zero, |k| if k == 0 { 0 } else { 2 })
    }
    fn vhigh(&mut self, v: Value) -> Value {
        let zero = self.zero();
        self.permute(3, v, zero, |k| if k == 0 { 1 } else { 2 })
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
            _ => return self.helper(Helper::V1(op, e), &[a], I8X16),
        };
        self.bytes(v)
    }

    fn v2(&mut self, op: V2, e: Elem, a: Value, b: Value) -> Value {
        let size = e.size();
        let narrow = size < 3 && e != Elem::F32;
        let count = 16usize >> size;
        match op {
            V2::And => self.b.ins().band(a, b),
            V2::Or => self.b.ins().bor(a, b),
            V2::Xor => self.b.ins().bxor(a, b),
            V2::Bic => self.b.ins().band_not(a, b),
            V2::Orn => self.b.ins().bor_not(a, b),
            V2::Add if e != Elem::F32 => self.lanewise(e, a, b, |g, a, b| g.b.ins().iadd(a, b)),
            V2::Sub if e != Elem::F32 => self.lanewise(e, a, b, |g, a, b| g.b.ins().isub(a, b)),
            V2::Mul if e != Elem::F32 && (size == 1 || size == 2) => {
                self.lanewise(e, a, b, |g, a, b| g.b.ins().imul(a, b))
            }
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
            V2::Rhadd if matches!(e, Elem::U8 | Elem::U16) => {
                self.lanewise(e, a, b, |g, a, b| g.b.ins().avg_round(a, b))
            }
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
            VShift::Shl | VShift::Shr if e.size() == 0 => self.helper(Helper::VShift(op, e, n), &[a], I8X16),
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
                self.bytes(x)
            }
            _ => self.helper(Helper::VShift(op, e, n), &[a], I8X16),
        }
    }

    fn vext(&mut self, a: Value, b: Value, n: u8) -> Value {
        self.shuffle(a, b, std::array::from_fn(|k| k as u8 + n))
    }
    fn vtable(&mut self, table: [Value; 2], len: u8, index: Value, default: Value) -> Value {
        self.helper(Helper::Table(len), &[table[0], table[1], index, default], I8X16)
    }
}

impl Crypto for Codegen<'_, '_> {
    fn crypto(&mut self, op: CryptoOp, d: Value, n: Value, m: Value) -> Value {
        self.helper(Helper::Crypto(op), &[d, n, m], I8X16)
    }
}
