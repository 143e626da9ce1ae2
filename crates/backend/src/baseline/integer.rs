//! Integer operations as host code.

use super::assembler::{Alu, Assembler, Cc, Place, RAX, RDX, Reg, Shift, Width};
use super::flags::Source;
use super::values::{Id, Long, Truth, Word};
use super::{Baseline, field};
use crate::engine::ExitCode;
use forearm_frontend::machine::{Integer, Size};

impl Baseline {
    /// `a op b`, folded where both are known.
    fn binary(&mut self, op: Alu, a: Word, b: Word, fold: fn(u32, u32) -> u32) -> Word {
        let (a, b) = match (a, b) {
            (Word::Constant(x), Word::Constant(y)) => return Word::Constant(fold(x, y)),
            (Word::Constant(_), _) if op != Alu::Sub => (b, a),
            _ => (a, b),
        };
        // The operand first: a copy may be made while it moves.
        let b = match b {
            Word::Constant(_) => b,
            _ => self.v.settle(b),
        };
        if let Word::Value(id) = b {
            self.v.value(id);
        }
        let (id, to) = self.v.copy(a);
        self.v.alu(op, to, b);
        self.v.release();
        Word::Value(id)
    }

    /// A new value made from a word by an operation on a copy.
    fn unary(&mut self, a: Word, f: impl FnOnce(&mut Assembler, Reg)) -> Word {
        let (id, to) = self.v.copy(a);
        f(&mut self.v.a, to);
        self.v.release();
        Word::Value(id)
    }

    /// A new value made from the register that a word is in.
    fn from(&mut self, a: Word, f: impl FnOnce(&mut Assembler, Reg, Reg)) -> Id {
        let a = self.v.fetch(a);
        let (id, to) = self.v.fresh();
        f(&mut self.v.a, to, a);
        self.v.release();
        id
    }

    fn shift(&mut self, op: Shift, a: Word, n: u32, fold: fn(u32, u32) -> u32) -> Word {
        match a {
            Word::Constant(x) => Word::Constant(fold(x, n)),
            _ if n & 31 == 0 => a,
            _ => self.unary(a, |asm, r| asm.shift(op, Width::D, r, n & 31)),
        }
    }

    /// The low byte of `n` as an amount, and whether it is below 32 as the host's flags say.
    fn amount(&mut self, n: Word) -> Reg {
        let n = self.v.fetch(n);
        let t = self.v.scratch();
        self.v.a.load(Width::B, t, Place::Reg(n));
        t
    }

    /// A shift to the left or, unsigned, to the right by a register: nothing is left from 32 on.
    fn shift_by(&mut self, op: Shift, a: Word, n: Word) -> Word {
        let a = self.v.fetch(a);
        let n = self.amount(n);
        let (id, to) = self.v.fresh();
        self.v.a.shift_by(op, to, a, n);
        let zero = self.v.scratch();
        self.v.a.mov_constant(zero, 0);
        self.v.a.alu_constant(Alu::Cmp, Width::D, Place::Reg(n), 32);
        self.v.a.cmov(Cc::AE, to, zero);
        self.v.release();
        Word::Value(id)
    }

    /// A new 64-bit value that begins as a copy.
    fn copy_long(&mut self, a: Long) -> (Id, Reg) {
        match a {
            Long::Constant(x) => {
                let (id, r) = self.v.fresh();
                self.v.a.mov_constant(r, x);
                (id, r)
            }
            Long::Value(from) => {
                let from = self.v.value(from);
                let (id, r) = self.v.fresh();
                self.v.a.mov(Width::Q, r, from);
                (id, r)
            }
            Long::Pair(low, high) => {
                let low = self.v.fetch(low);
                let (id, r) = self.v.copy(high);
                self.v.a.shift(Shift::Shl, Width::Q, r, 32);
                self.v.a.alu(Alu::Or, Width::Q, r, Place::Reg(low));
                (id, r)
            }
        }
    }

    fn fetch_long(&mut self, a: Long) -> Reg {
        match a {
            Long::Value(id) => self.v.value(id),
            _ => self.copy_long(a).1,
        }
    }

    fn long_binary(&mut self, op: Alu, a: Long, b: Long) -> Long {
        let b = self.fetch_long(b);
        let (id, to) = self.copy_long(a);
        self.v.a.alu(op, Width::Q, to, Place::Reg(b));
        self.v.release();
        Long::Value(id)
    }

    fn multiply(&mut self, a: Word, b: Word, signed: bool) -> Long {
        let extend = |g: &mut Baseline, w: Word| {
            let w = g.v.fetch(w);
            let (id, r) = g.v.fresh();
            if signed {
                g.v.a.load_signed(Width::D, r, Place::Reg(w));
            } else {
                g.v.a.mov(Width::D, r, w);
            }
            (id, r)
        };
        let (id, to) = extend(self, a);
        let (_, by) = extend(self, b);
        self.v.a.imul(Width::Q, to, by);
        self.v.release();
        Long::Value(id)
    }

    /// Division; by zero the result is zero, and the host must not see it.
    fn divide(&mut self, a: Word, b: Word, signed: bool) -> Word {
        let (a, b) = (self.v.settle(a), self.v.settle(b));
        let (a, b) = (self.v.copy(a), self.v.copy(b));
        // The copies may be in the way; they move.
        self.v.release();
        self.v.take(RAX);
        self.v.take(RDX);
        let (a, b) = (self.v.value(a.0), self.v.value(b.0));
        self.v.a.mov_constant(RAX, 0);
        self.v.a.mov_constant(RDX, 0);
        self.v.a.test(b, b);
        let zero = self.v.a.jump_if(Cc::E);
        if signed {
            // In 64 bits INT_MIN / -1 does not overflow.
            self.v.a.load_signed(Width::D, RAX, Place::Reg(a));
            self.v.a.load_signed(Width::D, b, Place::Reg(b));
            self.v.a.cqo();
        } else {
            self.v.a.mov(Width::D, RAX, a);
        }
        self.v.a.div(signed, b);
        self.v.a.mov(Width::D, RAX, RAX);
        self.v.a.land(zero);
        let quotient = self.v.own(RAX);
        self.v.release();
        Word::Value(quotient)
    }

    fn truth_word(&mut self, t: Truth) -> Word {
        match t {
            Truth::Constant(x) => Word::Constant(x.into()),
            Truth::Value(id) => Word::Value(id),
            Truth::Bit(w, n) => {
                let x = self.shift(Shift::Shr, w, n, |a, n| a >> n);
                self.and(x, Word::Constant(1))
            }
            Truth::Compare(..) => {
                let cc = self.holds(t);
                let (id, r) = self.v.fresh();
                self.v.a.set(cc, Place::Reg(r));
                self.v.a.load(Width::B, r, Place::Reg(r));
                self.v.release();
                Word::Value(id)
            }
        }
    }

    fn truth_binary(&mut self, op: Alu, a: Truth, b: Truth, fold: fn(u32, u32) -> u32) -> Truth {
        let (a, b) = (self.truth_word(a), self.truth_word(b));
        match self.binary(op, a, b, fold) {
            Word::Constant(x) => Truth::Constant(x != 0),
            Word::Value(id) | Word::Sum(id, _) => Truth::Value(id),
        }
    }

    fn compare(&mut self, cc: Cc, a: Word, b: Word, fold: fn(u32, u32) -> bool) -> Truth {
        match (a, b) {
            (Word::Constant(x), Word::Constant(y)) => Truth::Constant(fold(x, y)),
            _ => Truth::Compare(cc, self.v.settle(a), self.v.settle(b)),
        }
    }

    fn field(&mut self, place: Place) -> Word {
        let (id, r) = self.v.fresh();
        self.v.a.load(Width::D, r, place);
        self.v.release();
        Word::Value(id)
    }

    fn set_field(&mut self, place: Place, mask: u32, w: Word) {
        let w = self.and(w, Word::Constant(mask));
        let r = self.v.fetch(w);
        self.v.a.store(Width::D, place, r);
        self.v.release();
    }

    /// a + b + c; with `s` the flags of it.
    fn add_carry(&mut self, a: Word, b: Word, s: bool) -> Word {
        let c = self.c();
        let c = self.truth_word(c);
        let (wide_a, wide_b, c) = (self.zext(a), self.zext(b), self.zext(c));
        let wide = self.add64(wide_a, wide_b);
        let wide = self.add64(wide, c);
        let result = self.lo(wide);
        if s {
            let carry = self.hi(wide);
            let (x, y) = (self.xor(a, result), self.xor(b, result));
            let v = self.and(x, y);
            self.flags.n = Source::Of(result);
            self.flags.z = Source::Of(result);
            self.flags.c = Source::Of(Truth::Bit(carry, 0));
            self.flags.v = Source::Of(Truth::Bit(v, 31));
        }
        result
    }
}

fn width(size: Size) -> Width {
    match size {
        Size::U8 | Size::S8 => Width::B,
        Size::U16 | Size::S16 => Width::W,
        Size::W => Width::D,
    }
}

impl Integer for Baseline {
    type W = Word;
    type L = Long;
    type B = Truth;

    fn word(&mut self, x: u32) -> Word {
        Word::Constant(x)
    }
    fn long(&mut self, x: u64) -> Long {
        Long::Constant(x)
    }
    fn bool(&mut self, x: bool) -> Truth {
        Truth::Constant(x)
    }
    fn b_to_w(&mut self, b: Truth) -> Word {
        self.truth_word(b)
    }
    fn w_to_b(&mut self, w: Word) -> Truth {
        self.compare(Cc::NE, w, Word::Constant(0), |a, b| a != b)
    }
    fn bit(&mut self, w: Word, n: u32) -> Truth {
        match w {
            Word::Constant(x) => Truth::Constant(x >> n & 1 != 0),
            _ => Truth::Bit(self.v.settle(w), n),
        }
    }

    fn reg(&mut self, r: u8) -> Word {
        if r == 15 {
            return Word::Constant(self.pc());
        }
        let w = self.v.guest(r);
        self.v.release();
        w
    }
    fn set_reg(&mut self, r: u8, w: Word) {
        if r < 15 {
            self.v.set_guest(r, w);
            self.v.release();
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

    fn add(&mut self, a: Word, b: Word) -> Word {
        let (a, b) = if matches!(a, Word::Constant(_)) { (b, a) } else { (a, b) };
        match (a, b) {
            (Word::Constant(x), Word::Constant(y)) => Word::Constant(x.wrapping_add(y)),
            (_, Word::Constant(0)) => a,
            (Word::Value(id), Word::Constant(x)) => Word::Sum(id, x),
            (Word::Sum(id, x), Word::Constant(y)) => match x.wrapping_add(y) {
                0 => Word::Value(id),
                sum => Word::Sum(id, sum),
            },
            _ => {
                let (a, b) = (self.v.fetch(a), self.v.fetch(b));
                let (id, to) = self.v.fresh();
                self.v.a.lea(Width::D, to, Place::Sum(a, b));
                self.v.release();
                Word::Value(id)
            }
        }
    }
    fn sub(&mut self, a: Word, b: Word) -> Word {
        match (a, b) {
            (_, Word::Constant(x)) => self.add(a, Word::Constant(x.wrapping_neg())),
            _ => self.binary(Alu::Sub, a, b, u32::wrapping_sub),
        }
    }
    fn mul(&mut self, a: Word, b: Word) -> Word {
        if let (Word::Constant(x), Word::Constant(y)) = (a, b) {
            return Word::Constant(x.wrapping_mul(y));
        }
        let b = self.v.fetch(b);
        let (id, to) = self.v.copy(a);
        self.v.a.imul(Width::D, to, b);
        self.v.release();
        Word::Value(id)
    }
    fn and(&mut self, a: Word, b: Word) -> Word {
        match b {
            Word::Constant(u32::MAX) => a,
            _ => self.binary(Alu::And, a, b, |x, y| x & y),
        }
    }
    fn or(&mut self, a: Word, b: Word) -> Word {
        self.binary(Alu::Or, a, b, |x, y| x | y)
    }
    fn xor(&mut self, a: Word, b: Word) -> Word {
        self.binary(Alu::Xor, a, b, |x, y| x ^ y)
    }
    fn not(&mut self, a: Word) -> Word {
        match a {
            Word::Constant(x) => Word::Constant(!x),
            _ => self.unary(a, |asm, r| asm.not(r)),
        }
    }
    fn bic(&mut self, a: Word, b: Word) -> Word {
        match b {
            Word::Constant(x) => self.and(a, Word::Constant(!x)),
            _ => {
                let (a, b) = (self.v.fetch(a), self.v.fetch(b));
                let (id, to) = self.v.fresh();
                self.v.a.andn(to, a, b);
                self.v.release();
                Word::Value(id)
            }
        }
    }
    fn shl(&mut self, a: Word, n: u32) -> Word {
        self.shift(Shift::Shl, a, n, u32::wrapping_shl)
    }
    fn shr(&mut self, a: Word, n: u32) -> Word {
        self.shift(Shift::Shr, a, n, u32::wrapping_shr)
    }
    fn sar(&mut self, a: Word, n: u32) -> Word {
        self.shift(Shift::Sar, a, n, |a, n| (a as i32).wrapping_shr(n) as u32)
    }
    fn ror(&mut self, a: Word, n: u32) -> Word {
        match a {
            Word::Constant(x) => Word::Constant(x.rotate_right(n)),
            _ => Word::Value(self.from(a, |asm, to, a| asm.rorx(to, a, n & 31))),
        }
    }
    fn shl_by(&mut self, a: Word, n: Word) -> Word {
        self.shift_by(Shift::Shl, a, n)
    }
    fn shr_by(&mut self, a: Word, n: Word) -> Word {
        self.shift_by(Shift::Shr, a, n)
    }
    fn sar_by(&mut self, a: Word, n: Word) -> Word {
        let a = self.v.fetch(a);
        let n = self.amount(n);
        let (id, to) = self.v.fresh();
        // From 31 on all bits are the sign.
        self.v.a.mov_constant(to, 31);
        self.v.a.alu_constant(Alu::Cmp, Width::D, Place::Reg(n), 31);
        self.v.a.cmov(Cc::A, n, to);
        self.v.a.shift_by(Shift::Sar, to, a, n);
        self.v.release();
        Word::Value(id)
    }
    fn ror_by(&mut self, a: Word, n: Word) -> Word {
        // Shifts take their amount modulo 32.
        let a = self.v.fetch(a);
        let n = self.amount(n);
        let (id, to) = self.v.fresh();
        self.v.a.shift_by(Shift::Shr, to, a, n);
        self.v.a.neg(n);
        self.v.a.shift_by(Shift::Shl, n, a, n);
        self.v.a.alu(Alu::Or, Width::D, to, Place::Reg(n));
        self.v.release();
        Word::Value(id)
    }
    fn clz(&mut self, a: Word) -> Word {
        Word::Value(self.from(a, |asm, to, a| asm.lzcnt(to, a)))
    }
    fn rbit(&mut self, a: Word) -> Word {
        // Bits in each byte change places by halves; then the bytes do.
        let mut x = a;
        for (n, mask) in [(1, 0x5555_5555), (2, 0x3333_3333), (4, 0x0f0f_0f0f)] {
            let mask = Word::Constant(mask);
            let low = self.and(x, mask);
            let low = self.shl(low, n);
            let high = self.shr(x, n);
            let high = self.and(high, mask);
            x = self.or(low, high);
        }
        self.rev(x)
    }
    fn rev(&mut self, a: Word) -> Word {
        match a {
            Word::Constant(x) => Word::Constant(x.swap_bytes()),
            _ => self.unary(a, |asm, r| asm.bswap(r)),
        }
    }
    fn sext8(&mut self, a: Word) -> Word {
        Word::Value(self.from(a, |asm, to, a| asm.load_signed(Width::B, to, Place::Reg(a))))
    }
    fn sext16(&mut self, a: Word) -> Word {
        Word::Value(self.from(a, |asm, to, a| asm.load_signed(Width::W, to, Place::Reg(a))))
    }
    fn zext8(&mut self, a: Word) -> Word {
        match a {
            Word::Constant(x) => Word::Constant(x & 0xff),
            _ => Word::Value(self.from(a, |asm, to, a| asm.load(Width::B, to, Place::Reg(a)))),
        }
    }
    fn zext16(&mut self, a: Word) -> Word {
        match a {
            Word::Constant(x) => Word::Constant(x & 0xffff),
            _ => Word::Value(self.from(a, |asm, to, a| asm.load(Width::W, to, Place::Reg(a)))),
        }
    }
    fn udiv(&mut self, a: Word, b: Word) -> Word {
        self.divide(a, b, false)
    }
    fn sdiv(&mut self, a: Word, b: Word) -> Word {
        self.divide(a, b, true)
    }
    fn crc32(&mut self, _: bool, crc: Word, _: Word, _: u32) -> Word {
        debug_assert!(self.at.effects.rare, "left to the interpreter");
        crc
    }

    fn umull(&mut self, a: Word, b: Word) -> Long {
        self.multiply(a, b, false)
    }
    fn smull(&mut self, a: Word, b: Word) -> Long {
        self.multiply(a, b, true)
    }
    fn zext(&mut self, a: Word) -> Long {
        match self.v.settle(a) {
            Word::Constant(x) => Long::Constant(x.into()),
            Word::Value(id) | Word::Sum(id, _) => Long::Value(id),
        }
    }
    fn sext(&mut self, a: Word) -> Long {
        match a {
            Word::Constant(x) => Long::Constant(x as i32 as u64),
            _ => Long::Value(self.from(a, |asm, to, a| asm.load_signed(Width::D, to, Place::Reg(a)))),
        }
    }
    fn pair(&mut self, lo: Word, hi: Word) -> Long {
        Long::Pair(lo, hi)
    }
    fn lo(&mut self, a: Long) -> Word {
        match a {
            Long::Constant(x) => Word::Constant(x as u32),
            Long::Pair(low, _) => low,
            Long::Value(id) => {
                let from = self.v.value(id);
                let (id, to) = self.v.fresh();
                self.v.a.mov(Width::D, to, from);
                self.v.release();
                Word::Value(id)
            }
        }
    }
    fn hi(&mut self, a: Long) -> Word {
        match a {
            Long::Constant(x) => Word::Constant((x >> 32) as u32),
            Long::Pair(_, high) => high,
            Long::Value(_) => {
                let (id, to) = self.copy_long(a);
                self.v.a.shift(Shift::Shr, Width::Q, to, 32);
                self.v.release();
                Word::Value(id)
            }
        }
    }
    fn add64(&mut self, a: Long, b: Long) -> Long {
        self.long_binary(Alu::Add, a, b)
    }
    fn sub64(&mut self, a: Long, b: Long) -> Long {
        self.long_binary(Alu::Sub, a, b)
    }
    fn shr64(&mut self, a: Long, n: u32) -> Long {
        let (id, to) = self.copy_long(a);
        self.v.a.shift(Shift::Shr, Width::Q, to, n & 63);
        self.v.release();
        Long::Value(id)
    }
    fn sar64(&mut self, a: Long, n: u32) -> Long {
        let (id, to) = self.copy_long(a);
        self.v.a.shift(Shift::Sar, Width::Q, to, n & 63);
        self.v.release();
        Long::Value(id)
    }

    fn eq(&mut self, a: Word, b: Word) -> Truth {
        self.compare(Cc::E, a, b, |a, b| a == b)
    }
    fn ult(&mut self, a: Word, b: Word) -> Truth {
        self.compare(Cc::B, a, b, |a, b| a < b)
    }
    fn slt(&mut self, a: Word, b: Word) -> Truth {
        self.compare(Cc::L, a, b, |a, b| (a as i32) < b as i32)
    }
    fn b_not(&mut self, a: Truth) -> Truth {
        match a {
            Truth::Constant(x) => Truth::Constant(!x),
            Truth::Compare(cc, a, b) => Truth::Compare(cc.not(), a, b),
            _ => self.truth_binary(Alu::Xor, a, Truth::Constant(true), |a, b| a ^ b),
        }
    }
    fn b_and(&mut self, a: Truth, b: Truth) -> Truth {
        self.truth_binary(Alu::And, a, b, |a, b| a & b)
    }
    fn b_or(&mut self, a: Truth, b: Truth) -> Truth {
        self.truth_binary(Alu::Or, a, b, |a, b| a | b)
    }
    fn b_xor(&mut self, a: Truth, b: Truth) -> Truth {
        self.truth_binary(Alu::Xor, a, b, |a, b| a ^ b)
    }
    fn select(&mut self, c: Truth, a: Word, b: Word) -> Word {
        if let Truth::Constant(c) = c {
            return if c { a } else { b };
        }
        let (id, to) = self.v.copy(b);
        let a = self.v.fetch(a);
        let cc = self.holds(c);
        self.v.a.cmov(cc, to, a);
        self.v.release();
        Word::Value(id)
    }

    fn set_nz(&mut self, result: Word) {
        self.set_n_z(result, result);
    }
    fn set_n_z(&mut self, n: Word, z: Word) {
        if self.live {
            (self.flags.n, self.flags.z) = (Source::Of(self.v.settle(n)), Source::Of(self.v.settle(z)));
            self.v.release();
        }
    }
    fn set_c(&mut self, c: Truth) {
        if self.live {
            self.flags.c = Source::Of(c);
        }
    }
    fn set_v(&mut self, v: Truth) {
        if self.live {
            self.flags.v = Source::Of(v);
        }
    }
    fn flags_add(&mut self, a: Word, b: Word, result: Word) {
        if self.live {
            self.set_flags(false, a, b, result);
        }
    }
    fn flags_sub(&mut self, a: Word, b: Word, result: Word) {
        if self.live {
            self.set_flags(true, a, b, result);
        }
    }
    fn adc(&mut self, a: Word, b: Word, s: bool) -> Word {
        self.add_carry(a, b, s)
    }
    fn sbc(&mut self, a: Word, b: Word, s: bool) -> Word {
        let b = self.not(b);
        self.add_carry(a, b, s)
    }
    fn c(&mut self) -> Truth {
        let c = self.carry_value();
        self.v.release();
        c
    }
    fn nzcv(&mut self) -> Word {
        self.store_flags();
        self.flags.stored();
        self.settle();
        let n = self.field(field!(n));
        let n = self.and(n, Word::Constant(1 << 31));
        let z = self.field(field!(z));
        let z = self.eq(z, Word::Constant(0));
        let z = self.truth_word(z);
        let (c, v) = (self.field(field!(c)), self.field(field!(v)));
        let (z, c, v) = (self.shl(z, 30), self.shl(c, 29), self.shl(v, 28));
        let (nz, cv) = (self.or(n, z), self.or(c, v));
        self.or(nz, cv)
    }
    fn set_nzcv(&mut self, w: Word) {
        let z = self.not(w);
        let z = self.and(z, Word::Constant(1 << 30));
        let (c, v) = (self.bit(w, 29), self.bit(w, 28));
        self.set_n_z(w, z);
        self.set_c(c);
        self.set_v(v);
    }
    fn q(&mut self) -> Word {
        self.field(field!(q))
    }
    fn set_q(&mut self, w: Word) {
        self.set_field(field!(q), 1, w);
    }
    fn saturated(&mut self, b: Truth) {
        let b = self.truth_word(b);
        let q = self.q();
        let q = self.or(q, b);
        self.set_field(field!(q), 1, q);
    }
    fn ge(&mut self) -> Word {
        self.field(field!(ge))
    }
    fn set_ge(&mut self, w: Word) {
        self.set_field(field!(ge), u32::MAX, w);
    }

    fn load(&mut self, size: Size, addr: Word) -> Word {
        let from = self.host(addr);
        let (id, to) = self.v.fresh();
        match size {
            Size::S8 | Size::S16 => self.v.a.load_signed(width(size), to, from),
            _ => self.v.a.load(width(size), to, from),
        }
        self.v.release();
        Word::Value(id)
    }
    fn store(&mut self, size: Size, addr: Word, value: Word) {
        let to = self.host(addr);
        match value {
            Word::Constant(x) => self.v.a.store_constant(width(size), to, x),
            _ => {
                let value = self.v.fetch(value);
                self.v.a.store(width(size), to, value);
            }
        }
        self.v.release();
    }
    fn load64(&mut self, addr: Word) -> Long {
        let from = self.host(addr);
        let (id, to) = self.v.fresh();
        self.v.a.load(Width::Q, to, from);
        self.v.release();
        Long::Value(id)
    }
    fn store64(&mut self, addr: Word, value: Long) {
        let value = self.fetch_long(value);
        let to = self.host(addr);
        self.v.a.store(Width::Q, to, value);
        self.v.release();
    }

    // Exclusive and ordered accesses: `Baseline::unconditional` has the interpreter do the whole instruction, so these are
    // not reached.
    fn load_acquire(&mut self, size: Size, addr: Word) -> Word {
        debug_assert!(self.at.effects.touches_other, "left to the interpreter");
        self.load(size, addr)
    }
    fn store_release(&mut self, size: Size, addr: Word, value: Word) {
        debug_assert!(self.at.effects.touches_other, "left to the interpreter");
        self.store(size, addr, value);
    }
    fn load_exclusive(&mut self, size: Size, addr: Word) -> Word {
        self.load_acquire(size, addr)
    }
    fn load_exclusive64(&mut self, addr: Word) -> Long {
        self.load64(addr)
    }
    fn store_exclusive(&mut self, size: Size, addr: Word, value: Word) -> Word {
        self.store_release(size, addr, value);
        Word::Constant(0)
    }
    fn store_exclusive64(&mut self, addr: Word, value: Long) -> Word {
        self.store64(addr, value);
        Word::Constant(0)
    }
    fn swap(&mut self, size: Size, addr: Word, _: Word) -> Word {
        self.load_acquire(size, addr)
    }
    fn counter(&mut self) -> Long {
        debug_assert!(self.at.effects.rare, "left to the interpreter");
        Long::Constant(0)
    }

    fn clear_exclusive(&mut self) {
        let (_, none) = self.v.fresh();
        self.v.a.mov_constant(none, crate::state::EXCLUSIVE_NONE);
        self.v.a.store(Width::Q, field!(exclusive_addr), none);
        self.v.release();
    }
    fn prefetch(&mut self, addr: Word) {
        let place = self.host(addr);
        self.v.a.prefetch(place);
        self.v.release();
    }
    fn barrier(&mut self) {
        self.v.a.barrier(field!(host.scratch));
    }

    fn branch(&mut self, target: u32) {
        let edge = self.edge(target);
        self.go(edge);
    }
    fn branch_if(&mut self, c: Truth, target: u32) {
        self.branch_if_true(c, target);
    }
    fn branch_exchange(&mut self, target: u32) {
        self.write_all();
        self.v.a.store_constant(Width::D, field!(thumb), (!self.thumb).into());
        self.exit(target | u32::from(!self.thumb), self.at.effects.links);
    }
    fn bx(&mut self, target: Word) {
        self.exit_indirect(target);
    }
    fn branch_to(&mut self, target: Word) {
        let target = self.and(target, Word::Constant(if self.thumb { -2i32 } else { -4 } as u32));
        let target = self.or(target, Word::Constant(self.thumb.into()));
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

    fn tpidruro(&mut self) -> Word {
        self.field(field!(tpidruro))
    }
    fn tpidrurw(&mut self) -> Word {
        self.field(field!(tpidrurw))
    }
    fn set_tpidrurw(&mut self, w: Word) {
        self.set_field(field!(tpidrurw), u32::MAX, w);
    }
}
