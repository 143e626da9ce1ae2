//! Integer operations as CLIF.

use super::region::FLAGS;
use super::translate::{Base, Codegen, STATE, field};
use crate::engine::ExitCode;
use crate::state::EXCLUSIVE_NONE;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32X4, I8, I8X16, I16, I32, I32X4, I64};
use cranelift_codegen::ir::{AtomicRmwOp, InstBuilder, InstructionData, MemFlagsData, Opcode, Type, Value};
use forearm_frontend::machine::{Integer, Size};

/// Guest memory: may fault, may be unaligned, is never assumed to be unchanged.
pub(super) const GUEST: MemFlagsData = MemFlagsData::new();

impl Codegen<'_, '_> {
    /// The value of a constant.
    pub(super) fn constant(&self, v: Value) -> Option<u32> {
        let inst = self.b.func.dfg.value_def(v).inst()?;
        match self.b.func.dfg.insts[inst] {
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some(imm.bits() as u32),
            _ => None,
        }
    }

    /// `a` plus a constant. Cranelift takes a positive constant as an immediate, and a
    /// negative one into a register.
    fn add_constant(&mut self, a: Value, x: u32) -> Value {
        // Offsets of offsets, as in runs of pops, depend on the first value alone. Negative ones are better kept: addresses have room
        // for positive ones.
        let (a, x) = match self.sum(a).map(|(a, y)| (a, x.wrapping_add(y))) {
            Some((a, sum)) if sum >> 31 == 0 => (a, sum),
            _ => (a, x),
        };
        if x == 0 {
            a
        } else if x >> 31 == 0 {
            let x = self.word(x);
            self.b.ins().iadd(a, x)
        } else {
            let x = self.word(x.wrapping_neg());
            self.b.ins().isub(a, x)
        }
    }

    /// A value that is another one plus a positive constant.
    fn sum(&self, a: Value) -> Option<(Value, u32)> {
        let inst = self.b.func.dfg.value_def(a).inst()?;
        match self.b.func.dfg.insts[inst] {
            InstructionData::Binary { opcode: Opcode::Iadd, args } => {
                Some((args[0], self.constant(args[1]).filter(|x| x >> 31 == 0)?))
            }
            _ => None,
        }
    }

    /// Host address of a guest address: a value and an offset. The offset is added in 64 bits, so that an access that would
    /// wrap around hits the guard above the address space instead, which is a fault in either place.
    pub(super) fn host(&mut self, addr: Value) -> (Value, i32) {
        let (addr, offset) = self.split(addr);
        if !self.mode.based {
            return (self.widen(addr), offset);
        }
        if let Some(&(_, host)) = self.based.iter().find(|(a, _)| *a == addr) {
            return (host, offset);
        }
        let wide = self.widen(addr);
        let base = self.b.ins().load(I64, STATE, self.cpu, field!(base));
        let host = self.b.ins().iadd(base, wide);
        self.based.push((addr, host));
        (host, offset)
    }

    /// A word with zeros above.
    pub(super) fn widen(&mut self, w: Value) -> Value {
        if let Some(&(_, wide)) = self.extended.iter().rev().find(|(x, _)| *x == w) {
            return wide;
        }
        let wide = match self.constant(w) {
            Some(x) => self.b.ins().iconst(I64, i64::from(x)),
            None => self.b.ins().uextend(I64, w),
        };
        self.extended.push((w, wide));
        wide
    }

    /// The word of a value that has zeros above it, where the current block has it already or it is a constant.
    pub(super) fn known_word(&mut self, wide: Value) -> Option<Value> {
        if let Some(&(w, _)) = self.extended.iter().rev().find(|(_, x)| *x == wide) {
            return Some(w);
        }
        self.constant(wide).map(|x| self.word(x))
    }

    /// The word of a value that has zeros above it.
    fn narrow(&mut self, wide: Value) -> Value {
        if let Some(w) = self.known_word(wide) {
            return w;
        }
        let w = self.b.ins().ireduce(I32, wide);
        self.extended.push((w, wide));
        w
    }

    /// Is the low byte of an amount 32 or more? `None`: never. The host's shifts take amounts modulo 32.
    fn beyond(&mut self, n: Value) -> Option<Value> {
        let inst = self.b.func.dfg.value_def(n).inst().map(|i| self.b.func.dfg.insts[i]);
        if let Some(InstructionData::Binary { opcode: Opcode::Band, args }) = inst
            && args.iter().any(|&x| self.constant(x).is_some_and(|mask| mask & 0xe0 == 0))
        {
            return None;
        }
        let high = self.b.ins().band_imm_u(n, 0xe0);
        Some(self.b.ins().icmp_imm_s(IntCC::NotEqual, high, 0))
    }

    /// A shifted value, or zero where nothing is left of it.
    fn unless_beyond(&mut self, n: Value, shifted: Value) -> Value {
        match self.beyond(n) {
            Some(beyond) => {
                let zero = self.word(0);
                self.b.ins().select(beyond, zero, shifted)
            }
            None => shifted,
        }
    }

    /// A word as the lowest bytes of a vector.
    fn packed(&mut self, w: Value) -> Value {
        let v = self.b.ins().scalar_to_vector(I32X4, w);
        self.view(v, I8X16)
    }

    fn unpacked(&mut self, v: Value) -> Value {
        // By way of a scalar it is VMOVD, which is half as much work as the PEXTRD that a word's lane is taken by.
        let v = self.view(v, F32X4);
        let scalar = self.b.ins().extractlane(v, 0);
        self.view(scalar, I32)
    }

    /// Notes what a load-exclusive has seen.
    fn monitor(&mut self, addr: Value, value: Value) {
        let addr = self.b.ins().uextend(I64, addr);
        self.b.ins().store(STATE, addr, self.cpu, field!(exclusive_addr));
        self.b.ins().store(STATE, value, self.cpu, field!(exclusive_value));
    }

    /// A store-exclusive: stores if memory still holds what the load-exclusive of that address saw. 0 when it has stored.
    fn swap_if_monitored(&mut self, ty: Type, addr: Value, value: Value) -> Value {
        self.check_aligned(addr, ty.bytes(), true);
        let (p, at) = self.host(addr);
        let p = self.b.ins().iadd_imm_s(p, i64::from(at));
        let monitored = self.b.ins().load(I64, STATE, self.cpu, field!(exclusive_addr));
        let wide = self.b.ins().uextend(I64, addr);
        let held = self.b.ins().icmp(IntCC::Equal, monitored, wide);
        let none = self.b.ins().iconst(I64, EXCLUSIVE_NONE as i64);
        self.b.ins().store(STATE, none, self.cpu, field!(exclusive_addr));
        let (swap, on) = (self.b.create_block(), self.b.create_block());
        let status = self.b.append_block_param(on, I32);
        let lost = self.word(1);
        self.b.ins().brif(held, swap, &[], on, &[lost.into()]);
        self.switch(swap);
        let old = self.b.ins().load(ty, STATE, self.cpu, field!(exclusive_value));
        let seen = self.b.ins().atomic_cas(GUEST, p, old, value);
        let differs = self.b.ins().icmp(IntCC::NotEqual, seen, old);
        let differs = self.b.ins().uextend(I32, differs);
        self.b.ins().jump(on, &[differs.into()]);
        self.switch(on);
        status
    }

    /// An address as a base and a small offset.
    fn split(&self, addr: Value) -> (Value, i32) {
        if let Some(inst) = self.b.func.dfg.value_def(addr).inst()
            && let InstructionData::Binary { opcode: Opcode::Iadd, args } = self.b.func.dfg.insts[inst]
            && let Some(x @ 0..4096) = self.constant(args[1])
            && self.constant(args[0]).is_none()
        {
            return (args[0], x as i32);
        }
        (addr, 0)
    }

    fn flags_variables(&mut self) {
        self.sync_flags();
        self.dirty |= FLAGS;
    }

    fn extended_to(&mut self, ty: Type, v: Value) -> Value {
        if self.b.func.dfg.value_type(v) == ty { v } else { self.b.ins().uextend(ty, v) }
    }

    /// a + b + C, and with `s` the flags of it.
    fn add_carry(&mut self, a: Value, b: Value, s: bool) -> Value {
        let c = match (self.flags.c, self.flags.base) {
            (Some(c), _) => c,
            (None, Base::Variables) => self.b.use_var(self.nzcv[2]),
            _ => self.c(),
        };
        if !s || !self.flags_wanted {
            let c = self.extended_to(I32, c);
            let sum = self.add(a, b);
            return self.b.ins().iadd(sum, c);
        }
        let c = self.extended_to(I64, c);
        let (wide_a, wide_b) = (self.b.ins().uextend(I64, a), self.b.ins().uextend(I64, b));
        let wide = self.b.ins().iadd(wide_a, wide_b);
        let wide = self.b.ins().iadd(wide, c);
        let result = self.b.ins().ireduce(I32, wide);
        let carry = self.b.ins().ushr_imm_u(wide, 32);
        let carry = self.b.ins().ireduce(I32, carry);
        let (x, y) = (self.b.ins().bxor(a, result), self.b.ins().bxor(b, result));
        let v = self.b.ins().band(x, y);
        let v = self.b.ins().ushr_imm_u(v, 31);
        for (k, x) in [result, result, carry, v].into_iter().enumerate() {
            self.b.def_var(self.nzcv[k], x);
        }
        self.flags = Base::Variables.into();
        self.dirty |= FLAGS;
        result
    }
}

impl Codegen<'_, '_> {
    /// a - b - borrow, and with `s` the flags of it.
    fn subtract_borrow(&mut self, a: Value, b: Value, borrow: Value, s: bool) -> Value {
        if !s || !self.flags_wanted {
            let borrow = self.b.ins().uextend(I32, borrow);
            let difference = self.sub(a, b);
            return self.b.ins().isub(difference, borrow);
        }
        let (wide_a, wide_b) = (self.widen(a), self.widen(b));
        let borrow = self.b.ins().uextend(I64, borrow);
        let wide = self.b.ins().isub(wide_a, wide_b);
        let wide = self.b.ins().isub(wide, borrow);
        let result = self.b.ins().ireduce(I32, wide);
        let c = self.b.ins().icmp_imm_s(IntCC::SignedGreaterThanOrEqual, wide, 0);
        let (x, y) = (self.b.ins().bxor(a, b), self.b.ins().bxor(a, result));
        self.define_sum(result, c, x, y);
        self.flags = Base::Variables.into();
        self.dirty |= FLAGS;
        result
    }
}

impl Integer for Codegen<'_, '_> {
    type W = Value;
    type L = Value;
    type B = Value;

    fn word(&mut self, x: u32) -> Value {
        self.b.ins().iconst(I32, i64::from(x))
    }
    fn long(&mut self, x: u64) -> Value {
        self.b.ins().iconst(I64, x as i64)
    }
    fn bool(&mut self, x: bool) -> Value {
        self.b.ins().iconst(I8, i64::from(x))
    }
    fn b_to_w(&mut self, b: Value) -> Value {
        self.b.ins().uextend(I32, b)
    }
    fn w_to_b(&mut self, w: Value) -> Value {
        self.b.ins().icmp_imm_s(IntCC::NotEqual, w, 0)
    }
    fn bit(&mut self, w: Value, n: u32) -> Value {
        let x = self.b.ins().ushr_imm_u(w, i64::from(n));
        let x = self.b.ins().band_imm_u(x, 1);
        self.b.ins().ireduce(I8, x)
    }

    fn reg(&mut self, r: u8) -> Value {
        if r == 15 {
            let pc = self.pc();
            return self.word(pc);
        }
        let wide = self.b.use_var(self.regs[usize::from(r)]);
        self.narrow(wide)
    }
    fn set_reg(&mut self, r: u8, w: Value) {
        if r < 15 {
            let wide = self.widen(w);
            self.b.def_var(self.regs[usize::from(r)], wide);
            self.dirty |= 1 << r;
        }
    }
    fn pc(&self) -> u32 {
        self.at.pc.wrapping_add(if self.thumb { 4 } else { 8 })
    }
    fn next_pc(&self) -> u32 {
        self.at.pc.wrapping_add(self.at.len())
    }
    fn thumb(&self) -> bool {
        self.thumb
    }

    fn add(&mut self, a: Value, b: Value) -> Value {
        match (self.constant(a), self.constant(b)) {
            (Some(x), Some(y)) => self.word(x.wrapping_add(y)),
            (_, Some(0)) => a,
            (Some(0), _) => b,
            (_, Some(y)) => self.add_constant(a, y),
            (Some(x), None) => self.add_constant(b, x),
            _ => self.b.ins().iadd(a, b),
        }
    }
    fn sub(&mut self, a: Value, b: Value) -> Value {
        match (self.constant(a), self.constant(b)) {
            (Some(x), Some(y)) => self.word(x.wrapping_sub(y)),
            (_, Some(0)) => a,
            (_, Some(y)) => self.add_constant(a, y.wrapping_neg()),
            _ => self.b.ins().isub(a, b),
        }
    }
    fn mul(&mut self, a: Value, b: Value) -> Value {
        self.b.ins().imul(a, b)
    }
    fn and(&mut self, a: Value, b: Value) -> Value {
        self.b.ins().band(a, b)
    }
    fn or(&mut self, a: Value, b: Value) -> Value {
        match (self.constant(a), self.constant(b)) {
            (Some(x), Some(y)) => self.word(x | y),
            _ => self.b.ins().bor(a, b),
        }
    }
    fn xor(&mut self, a: Value, b: Value) -> Value {
        self.b.ins().bxor(a, b)
    }
    fn not(&mut self, a: Value) -> Value {
        let inst = self.b.func.dfg.value_def(a).inst();
        if let Some(InstructionData::Unary { opcode: Opcode::Bnot, arg }) =
            inst.map(|i| self.b.func.dfg.insts[i])
        {
            return arg;
        }
        self.b.ins().bnot(a)
    }
    fn shl(&mut self, a: Value, n: u32) -> Value {
        self.b.ins().ishl_imm_u(a, i64::from(n))
    }
    fn shr(&mut self, a: Value, n: u32) -> Value {
        self.b.ins().ushr_imm_u(a, i64::from(n))
    }
    fn sar(&mut self, a: Value, n: u32) -> Value {
        self.b.ins().sshr_imm_u(a, i64::from(n))
    }
    fn ror(&mut self, a: Value, n: u32) -> Value {
        self.b.ins().rotr_imm_u(a, i64::from(n))
    }
    fn shl_by(&mut self, a: Value, n: Value) -> Value {
        let x = self.b.ins().ishl(a, n);
        self.unless_beyond(n, x)
    }
    fn shr_by(&mut self, a: Value, n: Value) -> Value {
        let x = self.b.ins().ushr(a, n);
        self.unless_beyond(n, x)
    }
    fn sar_by(&mut self, a: Value, n: Value) -> Value {
        let n = match self.beyond(n) {
            Some(beyond) => {
                let all = self.word(31);
                self.b.ins().select(beyond, all, n)
            }
            None => n,
        };
        self.b.ins().sshr(a, n)
    }
    fn ror_by(&mut self, a: Value, n: Value) -> Value {
        self.b.ins().rotr(a, n)
    }
    fn clz(&mut self, a: Value) -> Value {
        // Zeros at the low end are counted so: ARM has no instruction for them.
        match self.reversed {
            Some((reversed, of)) if reversed == a => self.b.ins().ctz(of),
            _ => self.b.ins().clz(a),
        }
    }
    fn rbit(&mut self, a: Value) -> Value {
        // The bits in each byte change places by halves; then the bytes do.
        let mut x = a;
        for (n, mask) in [(1, 0x5555_5555), (2, 0x3333_3333), (4, 0x0f0f_0f0f)] {
            let mask = self.word(mask);
            let low = self.and(x, mask);
            let low = self.shl(low, n);
            let high = self.shr(x, n);
            let high = self.and(high, mask);
            x = self.or(low, high);
        }
        x = self.rev(x);
        self.reversed = Some((x, a));
        x
    }
    fn rev(&mut self, a: Value) -> Value {
        self.b.ins().bswap(a)
    }
    fn sext8(&mut self, a: Value) -> Value {
        let x = self.b.ins().ireduce(I8, a);
        self.b.ins().sextend(I32, x)
    }
    fn sext16(&mut self, a: Value) -> Value {
        let x = self.b.ins().ireduce(I16, a);
        self.b.ins().sextend(I32, x)
    }
    fn zext8(&mut self, a: Value) -> Value {
        let x = self.b.ins().ireduce(I8, a);
        self.b.ins().uextend(I32, x)
    }
    fn zext16(&mut self, a: Value) -> Value {
        if let Some(x) = self.constant(a) {
            return self.word(x & 0xffff);
        }
        let x = self.b.ins().ireduce(I16, a);
        self.b.ins().uextend(I32, x)
    }
    fn udiv(&mut self, a: Value, b: Value) -> Value {
        // x86 traps on zero: divide by one instead, and take zero.
        let zero = self.b.ins().icmp_imm_s(IntCC::Equal, b, 0);
        let one = self.word(1);
        let b = self.b.ins().select(zero, one, b);
        let q = self.b.ins().udiv(a, b);
        let nothing = self.word(0);
        self.b.ins().select(zero, nothing, q)
    }
    fn sdiv(&mut self, a: Value, b: Value) -> Value {
        // In 64 bits INT_MIN / -1 does not overflow.
        let zero = self.b.ins().icmp_imm_s(IntCC::Equal, b, 0);
        let one = self.word(1);
        let b = self.b.ins().select(zero, one, b);
        let (a, b) = (self.b.ins().sextend(I64, a), self.b.ins().sextend(I64, b));
        let q = self.b.ins().sdiv(a, b);
        let q = self.b.ins().ireduce(I32, q);
        let nothing = self.word(0);
        self.b.ins().select(zero, nothing, q)
    }
    fn crc32(&mut self, _: bool, crc: Value, _: Value, _: u32) -> Value {
        debug_assert!(self.at.effects.rare, "left to the interpreter");
        crc
    }

    fn add8(&mut self, a: Value, b: Value) -> (Value, Value) {
        let (a, b) = (self.packed(a), self.packed(b));
        let sum = self.b.ins().iadd(a, b);
        let kept = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, sum, a);
        let (sum, kept) = (self.unpacked(sum), self.unpacked(kept));
        (sum, self.b.ins().bnot(kept))
    }
    fn sub8(&mut self, a: Value, b: Value) -> (Value, Value) {
        let (a, b) = (self.packed(a), self.packed(b));
        let difference = self.b.ins().isub(a, b);
        let kept = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, a, b);
        (self.unpacked(difference), self.unpacked(kept))
    }

    fn umull(&mut self, a: Value, b: Value) -> Value {
        let (a, b) = (self.b.ins().uextend(I64, a), self.b.ins().uextend(I64, b));
        self.b.ins().imul(a, b)
    }
    fn smull(&mut self, a: Value, b: Value) -> Value {
        let (a, b) = (self.b.ins().sextend(I64, a), self.b.ins().sextend(I64, b));
        self.b.ins().imul(a, b)
    }
    fn zext(&mut self, a: Value) -> Value {
        self.b.ins().uextend(I64, a)
    }
    fn sext(&mut self, a: Value) -> Value {
        self.b.ins().sextend(I64, a)
    }
    fn pair(&mut self, lo: Value, hi: Value) -> Value {
        let (lo, hi) = (self.b.ins().uextend(I64, lo), self.b.ins().uextend(I64, hi));
        let hi = self.b.ins().ishl_imm_u(hi, 32);
        self.b.ins().bor(lo, hi)
    }
    fn lo(&mut self, a: Value) -> Value {
        self.b.ins().ireduce(I32, a)
    }
    fn hi(&mut self, a: Value) -> Value {
        let a = self.b.ins().ushr_imm_u(a, 32);
        self.b.ins().ireduce(I32, a)
    }
    fn add64(&mut self, a: Value, b: Value) -> Value {
        self.b.ins().iadd(a, b)
    }
    fn sub64(&mut self, a: Value, b: Value) -> Value {
        self.b.ins().isub(a, b)
    }
    fn shr64(&mut self, a: Value, n: u32) -> Value {
        self.b.ins().ushr_imm_u(a, i64::from(n))
    }
    fn sar64(&mut self, a: Value, n: u32) -> Value {
        self.b.ins().sshr_imm_u(a, i64::from(n))
    }

    fn eq(&mut self, a: Value, b: Value) -> Value {
        self.b.ins().icmp(IntCC::Equal, a, b)
    }
    fn ult(&mut self, a: Value, b: Value) -> Value {
        self.b.ins().icmp(IntCC::UnsignedLessThan, a, b)
    }
    fn slt(&mut self, a: Value, b: Value) -> Value {
        self.b.ins().icmp(IntCC::SignedLessThan, a, b)
    }
    fn b_not(&mut self, a: Value) -> Value {
        self.b.ins().bxor_imm_u(a, 1)
    }
    fn b_and(&mut self, a: Value, b: Value) -> Value {
        self.b.ins().band(a, b)
    }
    fn b_or(&mut self, a: Value, b: Value) -> Value {
        self.b.ins().bor(a, b)
    }
    fn b_xor(&mut self, a: Value, b: Value) -> Value {
        self.b.ins().bxor(a, b)
    }
    fn select(&mut self, c: Value, a: Value, b: Value) -> Value {
        self.b.ins().select(c, a, b)
    }

    fn set_nz(&mut self, result: Value) {
        self.set_n_z(result, result);
    }
    fn set_n_z(&mut self, n: Value, z: Value) {
        if n == z && self.keeps_parts() {
            self.flags.nz = Some(n);
            self.dirty |= FLAGS;
            return;
        }
        self.flags_variables();
        self.b.def_var(self.nzcv[0], n);
        self.b.def_var(self.nzcv[1], z);
    }
    fn set_c(&mut self, c: Value) {
        let c = self.b.ins().uextend(I32, c);
        if self.keeps_parts() {
            self.flags.c = Some(c);
            self.dirty |= FLAGS;
            return;
        }
        self.flags_variables();
        self.b.def_var(self.nzcv[2], c);
    }
    fn set_v(&mut self, v: Value) {
        self.flags_variables();
        let v = self.b.ins().uextend(I32, v);
        self.b.def_var(self.nzcv[3], v);
    }
    fn flags_add(&mut self, a: Value, b: Value, result: Value) {
        self.flags = Base::Add(a, b, result).into();
        self.settle_unless_lazy();
        self.dirty |= FLAGS;
    }
    fn flags_sub(&mut self, a: Value, b: Value, result: Value) {
        self.flags = Base::Sub(a, b, result).into();
        self.settle_unless_lazy();
        self.dirty |= FLAGS;
    }
    fn adc(&mut self, a: Value, b: Value, s: bool) -> Value {
        self.add_carry(a, b, s)
    }
    fn sbc(&mut self, a: Value, b: Value, s: bool) -> Value {
        if let Some(Base::Sub(x, y, _)) = self.flags.whole() {
            let borrow = self.b.ins().icmp(IntCC::UnsignedLessThan, x, y);
            return self.subtract_borrow(a, b, borrow, s);
        }
        let b = self.b.ins().bnot(b);
        self.add_carry(a, b, s)
    }
    fn c(&mut self) -> Value {
        if let Some(c) = self.flags.c {
            return self.b.ins().icmp_imm_s(IntCC::NotEqual, c, 0);
        }
        match self.flags.base {
            Base::Sub(a, b, _) => self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, a, b),
            Base::Add(a, _, r) => self.b.ins().icmp(IntCC::UnsignedLessThan, r, a),
            Base::Float(a, b) => self.b.ins().fcmp(FloatCC::UnorderedOrGreaterThanOrEqual, a, b),
            Base::Variables | Base::State => {
                self.sync_flags();
                let c = self.b.use_var(self.nzcv[2]);
                self.b.ins().icmp_imm_s(IntCC::NotEqual, c, 0)
            }
        }
    }
    fn nzcv(&mut self) -> Value {
        self.sync_flags();
        let [n, z, c, v] = self.nzcv.map(|x| self.b.use_var(x));
        let n = self.b.ins().band_imm_u(n, 1 << 31);
        let z = self.b.ins().icmp_imm_s(IntCC::Equal, z, 0);
        let z = self.b.ins().uextend(I32, z);
        let (z, c, v) =
            (self.b.ins().ishl_imm_u(z, 30), self.b.ins().ishl_imm_u(c, 29), self.b.ins().ishl_imm_u(v, 28));
        let (nz, cv) = (self.b.ins().bor(n, z), self.b.ins().bor(c, v));
        self.b.ins().bor(nz, cv)
    }
    fn set_nzcv(&mut self, w: Value) {
        self.dirty |= FLAGS;
        if let Some((a, b)) = self.compared(w) {
            self.flags = Base::Float(a, b).into();
            return;
        }
        self.flags = Base::Variables.into();
        let z = self.b.ins().bnot(w);
        let z = self.b.ins().band_imm_u(z, 1 << 30);
        let (c, v) = (self.b.ins().ushr_imm_u(w, 29), self.b.ins().ushr_imm_u(w, 28));
        let (c, v) = (self.b.ins().band_imm_u(c, 1), self.b.ins().band_imm_u(v, 1));
        for (k, x) in [w, z, c, v].into_iter().enumerate() {
            self.b.def_var(self.nzcv[k], x);
        }
    }
    fn q(&mut self) -> Value {
        self.b.ins().load(I32, STATE, self.cpu, field!(q))
    }
    fn set_q(&mut self, w: Value) {
        let w = self.b.ins().band_imm_u(w, 1);
        self.b.ins().store(STATE, w, self.cpu, field!(q));
    }
    fn saturated(&mut self, b: Value) {
        let b = self.b.ins().uextend(I32, b);
        let q = self.q();
        let q = self.b.ins().bor(q, b);
        self.b.ins().store(STATE, q, self.cpu, field!(q));
    }
    fn ge(&mut self) -> Value {
        match self.ge {
            Some(ge) => ge,
            None => *self.ge.insert(self.b.ins().load(I32, STATE, self.cpu, field!(ge))),
        }
    }
    fn set_ge(&mut self, w: Value) {
        (self.ge, self.ge_dirty) = (Some(w), true);
    }

    fn load(&mut self, size: Size, addr: Value) -> Value {
        let (p, at) = self.host(addr);
        let wide = match size {
            Size::U8 => self.b.ins().uload8(I64, GUEST, p, at),
            Size::U16 => self.b.ins().uload16(I64, GUEST, p, at),
            Size::W => self.b.ins().uload32(GUEST, p, at),
            Size::S8 => return self.b.ins().sload8(I32, GUEST, p, at),
            Size::S16 => return self.b.ins().sload16(I32, GUEST, p, at),
        };
        self.narrow(wide)
    }
    fn store(&mut self, size: Size, addr: Value, value: Value) {
        let (p, at) = self.host(addr);
        match size {
            Size::U8 | Size::S8 => self.b.ins().istore8(GUEST, value, p, at),
            Size::U16 | Size::S16 => self.b.ins().istore16(GUEST, value, p, at),
            Size::W => self.b.ins().store(GUEST, value, p, at),
        };
    }
    fn load64(&mut self, addr: Value) -> Value {
        let (p, at) = self.host(addr);
        self.b.ins().load(I64, GUEST, p, at)
    }
    fn store64(&mut self, addr: Value, value: Value) {
        let (p, at) = self.host(addr);
        self.b.ins().store(GUEST, value, p, at);
    }

    fn load_acquire(&mut self, size: Size, addr: Value) -> Value {
        self.check_aligned(addr, size.bytes(), false);
        // An x86 load is an acquire.
        self.load(size, addr)
    }
    fn store_release(&mut self, size: Size, addr: Value, value: Value) {
        self.check_aligned(addr, size.bytes(), true);
        self.store(size, addr, value);
        // STL before a later LDA must not be reordered.
        self.barrier();
    }
    fn load_exclusive(&mut self, size: Size, addr: Value) -> Value {
        self.check_aligned(addr, size.bytes(), false);
        let value = self.load(size, addr);
        let wide = self.b.ins().uextend(I64, value);
        self.monitor(addr, wide);
        value
    }
    fn load_exclusive64(&mut self, addr: Value) -> Value {
        self.check_aligned(addr, 8, false);
        let value = self.load64(addr);
        self.monitor(addr, value);
        value
    }
    fn store_exclusive(&mut self, size: Size, addr: Value, value: Value) -> Value {
        let ty = match size {
            Size::U8 | Size::S8 => I8,
            Size::U16 | Size::S16 => I16,
            Size::W => I32,
        };
        let value = if ty == I32 { value } else { self.b.ins().ireduce(ty, value) };
        self.swap_if_monitored(ty, addr, value)
    }
    fn store_exclusive64(&mut self, addr: Value, value: Value) -> Value {
        self.swap_if_monitored(I64, addr, value)
    }
    fn clear_exclusive(&mut self) {
        let none = self.b.ins().iconst(I64, EXCLUSIVE_NONE as i64);
        self.b.ins().store(STATE, none, self.cpu, field!(exclusive_addr));
    }

    // Rare: `Codegen::interpret` has the interpreter do the whole instruction, so this is not reached.
    fn swap(&mut self, size: Size, addr: Value, _: Value) -> Value {
        self.load(size, addr)
    }

    fn prefetch(&mut self, addr: Value) {
        let (p, at) = self.host(addr);
        self.prefetch_at(p, at);
    }
    fn barrier(&mut self) {
        // A locked addition orders as much as MFENCE does, in half the time.
        let own = self.b.ins().iadd_imm_s(self.cpu, i64::from(field!(host.scratch)));
        let nothing = self.word(0);
        self.b.ins().atomic_rmw(I32, STATE, AtomicRmwOp::Add, own, nothing);
    }

    fn branch(&mut self, target: u32) {
        let edge = self.branch_edge(target);
        self.go(edge);
    }
    fn branch_if(&mut self, c: Value, target: u32) {
        let next = self.next_edge();
        let edge = self.branch_edge(target);
        self.branch_on(c, edge, next);
    }
    fn branch_exchange(&mut self, target: u32) {
        let thumb = self.word(u32::from(!self.thumb));
        self.b.ins().store(STATE, thumb, self.cpu, field!(thumb));
        match self.branch_edge(target) {
            super::region::Edge::Outside(_) => {
                self.exit_direct(target, !self.thumb, self.dirty, self.at.effects.links)
            }
            inside => self.go(inside),
        }
    }
    fn bx(&mut self, target: Value) {
        self.exit_indirect(target);
    }
    fn branch_to(&mut self, target: Value) {
        let mask = if self.thumb { -2 } else { -4 };
        let target = self.b.ins().band_imm_s(target, mask);
        let target = self.b.ins().bor_imm_u(target, i64::from(self.thumb));
        self.exit_indirect(target);
    }
    fn svc(&mut self, imm: u32) {
        self.trap(ExitCode::Syscall, imm, true);
    }
    fn undefined(&mut self) {
        self.trap(ExitCode::Undefined, 0, false);
    }
    fn bkpt(&mut self, imm: u32) {
        self.trap(ExitCode::Breakpoint, imm, false);
    }

    fn tpidruro(&mut self) -> Value {
        self.b.ins().load(I32, STATE, self.cpu, field!(tpidruro))
    }
    fn tpidrurw(&mut self) -> Value {
        self.b.ins().load(I32, STATE, self.cpu, field!(tpidrurw))
    }
    fn set_tpidrurw(&mut self, w: Value) {
        self.b.ins().store(STATE, w, self.cpu, field!(tpidrurw));
    }
    fn counter(&mut self) -> Value {
        // Rare, as above.
        self.long(0)
    }
}
