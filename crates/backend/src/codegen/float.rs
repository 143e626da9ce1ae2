//! Scalar floating point as CLIF, on the host's SSE under the guest's MXCSR.
//!
//! A result that is a NaN is computed again by the interpreter's operation, which knows Arm's rules for NaNs; the
//! exception flags are the same. While FPSCR.FZ is set (`Mode::flush`) all arithmetic is the interpreter's.
//!
//! To Cranelift these operations have no side effects. The check of a result keeps it in its place, and regions with
//! floating point are not optimised.

use super::helpers::Helper;
use super::integer::GUEST;
use super::translate::{Codegen, STATE, field};
use crate::tuning::{self, Optimisations};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::types::{F32, F64, I32, I64};
use cranelift_codegen::ir::{InstBuilder, Opcode, Type, Value};
use forearm_frontend::machine::{Fixed, Float, FloatOp1, FloatOp2, FloatOp3, Integer, Rounding};

impl Codegen<'_, '_> {
    /// A value computed out of line where `rare` holds, else `fast`.
    fn unless(&mut self, ty: Type, rare: Value, fast: Value, helper: Helper, operands: &[Value]) -> Value {
        let (cold, on) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(cold);
        let result = self.b.append_block_param(on, ty);
        self.b.ins().brif(rare, cold, &[], on, &[fast.into()]);
        self.switch(cold);
        // A negation that the fast way does without is made here.
        let mut again = [self.cpu; 3];
        for (again, &v) in again.iter_mut().zip(operands) {
            *again = match self.negated(v) {
                Some(v) => self.b.ins().fneg(v),
                None => v,
            };
        }
        let exact = self.rare_helper(helper, &again[..operands.len()], ty);
        self.b.ins().jump(on, &[exact.into()]);
        self.switch(on);
        result
    }

    /// A constant of the state, one value in a region: Cranelift makes a constant again for each use.
    fn mask(&mut self, ty: Type, which: usize, offset: i32) -> Value {
        if let Some(v) = self.masks[which] {
            return v;
        }
        let cpu = self.cpu;
        let mut entry = FuncCursor::new(self.b.func).at_first_insertion_point(self.entry);
        let v = entry.ins().load(ty, STATE, cpu, offset);
        *self.masks[which].insert(v)
    }

    /// All bits set but the sign.
    fn magnitude(&mut self, ty: Type) -> Value {
        if ty == F32 {
            self.mask(ty, 0, field!(host.magnitude_s))
        } else {
            self.mask(ty, 1, field!(host.magnitude_d))
        }
    }

    /// The sign.
    fn sign(&mut self, ty: Type) -> Value {
        if ty == F32 { self.mask(ty, 2, field!(host.sign_s)) } else { self.mask(ty, 3, field!(host.sign_d)) }
    }

    /// All bits but the sign.
    fn without_sign(&mut self, v: Value) -> Value {
        let mask = self.magnitude(self.b.func.dfg.value_type(v));
        self.b.ins().band(v, mask)
    }

    /// `v` with its sign changed.
    fn negate(&mut self, v: Value) -> Value {
        if !self.mode.traps {
            return self.b.ins().fneg(v);
        }
        let mask = self.sign(self.b.func.dfg.value_type(v));
        self.b.ins().bxor(v, mask)
    }

    /// What `v` is the negation of.
    fn negated(&self, v: Value) -> Option<Value> {
        let dfg = &self.b.func.dfg;
        let inst = dfg.value_def(v).inst()?;
        (dfg.insts[inst].opcode() == Opcode::Fneg).then(|| dfg.inst_args(inst)[0])
    }

    /// `fast`, or the helper's answer where that is a NaN.
    fn or_nan(&mut self, ty: Type, fast: Value, helper: Helper, operands: &[Value]) -> Value {
        if self.mode.traps {
            return fast;
        }
        let nan = self.b.ins().fcmp(FloatCC::Unordered, fast, fast);
        self.unless(ty, nan, fast, helper, operands)
    }

    /// The same for what can underflow: Arm judges tininess before rounding, x86 after, so the smallest normal number is
    /// looked at again too. One comparison sees both.
    fn or_nan_or_tiny(&mut self, ty: Type, fast: Value, helper: Helper, operands: &[Value]) -> Value {
        let magnitude = self.without_sign(fast);
        let least = if ty == F32 {
            self.b.ins().f32const(f32::MIN_POSITIVE)
        } else {
            self.b.ins().f64const(f64::MIN_POSITIVE)
        };
        let rare = self.b.ins().fcmp(FloatCC::UnorderedOrEqual, magnitude, least);
        self.unless(ty, rare, fast, helper, operands)
    }

    /// Keeps a first operand that is a load from becoming the second of a sum, which Cranelift would take the liberty of: it
    /// decides which of two NaNs is the result. A load with another use stays where it is.
    fn in_order(&mut self, a: Value) {
        let dfg = &self.b.func.dfg;
        if dfg.value_def(a).inst().is_some_and(|i| dfg.insts[i].opcode() == Opcode::Load) {
            self.b.ins().fneg(a);
        }
    }

    fn two(&mut self, ty: Type, op: FloatOp2, helper: Helper, a: Value, b: Value) -> Value {
        let fast = match op {
            _ if self.mode.flush => return self.helper(helper, &[a, b], ty),
            // x + -y is x - y: what differs is the sign of a NaN.
            FloatOp2::Add if self.mode.traps => {
                self.in_order(a);
                self.b.ins().fadd(a, b)
            }
            FloatOp2::Add => match (self.negated(a), self.negated(b)) {
                (_, Some(b)) => self.b.ins().fsub(a, b),
                (Some(a), None) => self.b.ins().fsub(b, a),
                (None, None) => self.b.ins().fadd(a, b),
            },
            FloatOp2::Sub => self.b.ins().fsub(a, b),
            FloatOp2::Mul if self.mode.traps => return self.trapping_product(a, b),
            FloatOp2::Mul => self.b.ins().fmul(a, b),
            FloatOp2::Div => self.b.ins().fdiv(a, b),
            _ => return self.helper(helper, &[a, b], ty),
        };
        match op {
            // A tiny sum is exact.
            FloatOp2::Add | FloatOp2::Sub => self.or_nan(ty, fast, helper, &[a, b]),
            _ => self.or_nan_or_tiny(ty, fast, helper, &[a, b]),
        }
    }

    /// A product whose rare cases trap, which a result rounded up to the smallest normal number does not. Its rounding error
    /// does: exact unless it is tiny. It is computed for this alone.
    fn trapping_product(&mut self, a: Value, b: Value) -> Value {
        let product = self.b.ins().fmul(a, b);
        self.rounding_error(product, a, b);
        product
    }

    fn three(&mut self, ty: Type, op: FloatOp3, helper: Helper, acc: Value, a: Value, b: Value) -> Value {
        let FloatOp3::Fma = op;
        // Without the instruction it would be a call to the C library.
        if self.mode.flush || !self.features.fma {
            return self.helper(helper, &[acc, a, b], ty);
        }
        // Not as a subtraction, which is a rounding error to `fp::trap`.
        let acc = match self.negated(acc) {
            Some(v) => {
                let sign = self.sign(ty);
                self.b.ins().bxor(v, sign)
            }
            None => acc,
        };
        let fast = self.b.ins().fma(a, b, acc);
        self.or_nan_or_tiny(ty, fast, helper, &[acc, a, b])
    }

    /// N, Z, C, V of a comparison, in bits 31..28. Most often nobody reads them: the flags are kept as what was compared.
    fn compare(&mut self, helper: Helper, a: Value, b: Value, signal: bool) -> Value {
        if self.mode.flush {
            return self.helper(helper, &[a, b], I32);
        }
        // The host's comparison sets the exception flags. The branch keeps it; VCMPE signals quiet NaNs as well.
        let unordered = self.b.ins().fcmp(FloatCC::Unordered, a, b);
        let (cold, on) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(cold);
        self.b.ins().brif(unordered, cold, &[], on, &[]);
        self.switch(cold);
        if signal {
            self.rare_helper(helper, &[a, b], I32);
        }
        self.b.ins().jump(on, &[]);
        self.switch(on);
        let mut nzcv = self.word(0x8000_0000);
        for (cc, flags) in [
            (FloatCC::Equal, 0x6000_0000),
            (FloatCC::GreaterThan, 0x2000_0000),
            (FloatCC::Unordered, 0x3000_0000),
        ] {
            let (holds, flags) = (self.b.ins().fcmp(cc, a, b), self.word(flags));
            nzcv = self.b.ins().select(holds, flags, nzcv);
        }
        self.comparison = tuning::on(Optimisations::LAZY_FLAGS).then_some((nzcv, a, b));
        nzcv
    }

    /// What was compared, where `nzcv` is of a comparison.
    pub(super) fn compared(&self, nzcv: Value) -> Option<(Value, Value)> {
        self.comparison.filter(|c| c.0 == nzcv).map(|(_, a, b)| (a, b))
    }

    /// Conversion to a 32-bit integer, rounding towards zero, of what fits; the rest saturates out of line.
    fn truncate(&mut self, signed: bool, helper: Helper, a: Value) -> Value {
        let ty = self.b.func.dfg.value_type(a);
        let constant = |g: &mut Self, x: f32| {
            if ty == F32 { g.b.ins().f32const(x) } else { g.b.ins().f64const(f64::from(x)) }
        };
        let fits = if signed {
            let magnitude = self.without_sign(a);
            let limit = constant(self, 2_147_483_648.0);
            self.b.ins().fcmp(FloatCC::LessThan, magnitude, limit)
        } else {
            let (zero, limit) = (constant(self, 0.0), constant(self, 4_294_967_296.0));
            let above = self.b.ins().fcmp(FloatCC::GreaterThanOrEqual, a, zero);
            let below = self.b.ins().fcmp(FloatCC::LessThan, a, limit);
            self.b.ins().band(above, below)
        };
        let (fast, cold, on) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(cold);
        let result = self.b.append_block_param(on, I32);
        self.b.ins().brif(fits, fast, &[], cold, &[]);
        self.switch(fast);
        // Only where it fits: the host would flag the others otherwise than Arm does.
        let value = if signed {
            self.b.ins().fcvt_to_sint_sat(I32, a)
        } else {
            let long = self.b.ins().fcvt_to_sint_sat(I64, a);
            self.b.ins().ireduce(I32, long)
        };
        self.b.ins().jump(on, &[value.into()]);
        self.switch(cold);
        let exact = self.rare_helper(helper, &[a], I32);
        self.b.ins().jump(on, &[exact.into()]);
        self.switch(on);
        result
    }

    /// An integer as the host converts it: `w` extended to 64 bits if it is unsigned.
    fn int_to_float(&mut self, ty: Type, w: Value, signed: bool) -> Value {
        let w = if signed { w } else { self.b.ins().uextend(I64, w) };
        let v = self.b.ins().fcvt_from_sint(ty, w);
        if ty == F32 {
            // It may be inexact, and no check of the result keeps it: Cranelift drops what nobody reads.
            self.keep(v);
        }
        v
    }

    fn one(&mut self, ty: Type, op: FloatOp1, helper: Helper, a: Value) -> Value {
        match op {
            FloatOp1::Sqrt if !self.mode.flush => {
                let fast = self.b.ins().sqrt(a);
                self.or_nan(ty, fast, helper, &[a])
            }
            FloatOp1::Sqrt => self.helper(helper, &[a], ty),
        }
    }
}

impl Float for Codegen<'_, '_> {
    type S = Value;
    type D = Value;

    fn sreg(&mut self, r: u8) -> Value {
        self.scalar(r & 31)
    }
    fn set_sreg(&mut self, r: u8, v: Value) {
        self.set_scalar(r & 31, v);
    }
    fn dreg(&mut self, r: u8) -> Value {
        self.scalar(32 + (r & 31))
    }
    fn set_dreg(&mut self, r: u8, v: Value) {
        self.set_scalar(32 + (r & 31), v);
    }
    fn s_from_bits(&mut self, w: Value) -> Value {
        self.view(w, F32)
    }
    fn s_bits(&mut self, s: Value) -> Value {
        self.view(s, I32)
    }
    fn d_from_bits(&mut self, l: Value) -> Value {
        self.view(l, F64)
    }
    fn d_bits(&mut self, d: Value) -> Value {
        self.view(d, I64)
    }
    fn s_load(&mut self, addr: Value) -> Value {
        let (p, at) = self.host(addr);
        self.b.ins().load(F32, GUEST, p, at)
    }
    fn d_load(&mut self, addr: Value) -> Value {
        let (p, at) = self.host(addr);
        self.b.ins().load(F64, GUEST, p, at)
    }
    fn s_store(&mut self, addr: Value, s: Value) {
        let (p, at) = self.host(addr);
        self.b.ins().store(GUEST, s, p, at);
    }
    fn d_store(&mut self, addr: Value, d: Value) {
        let (p, at) = self.host(addr);
        self.b.ins().store(GUEST, d, p, at);
    }
    fn s_select(&mut self, c: Value, a: Value, b: Value) -> Value {
        self.b.ins().select(c, a, b)
    }
    fn d_select(&mut self, c: Value, a: Value, b: Value) -> Value {
        self.b.ins().select(c, a, b)
    }

    fn s_neg(&mut self, a: Value) -> Value {
        self.negate(a)
    }
    fn s_abs(&mut self, a: Value) -> Value {
        self.without_sign(a)
    }
    fn d_neg(&mut self, a: Value) -> Value {
        self.negate(a)
    }
    fn d_abs(&mut self, a: Value) -> Value {
        self.without_sign(a)
    }

    fn s1(&mut self, op: FloatOp1, a: Value) -> Value {
        self.one(F32, op, Helper::S1(op), a)
    }
    fn s2(&mut self, op: FloatOp2, a: Value, b: Value) -> Value {
        self.two(F32, op, Helper::S2(op), a, b)
    }
    fn s3(&mut self, op: FloatOp3, acc: Value, a: Value, b: Value) -> Value {
        self.three(F32, op, Helper::S3(op), acc, a, b)
    }
    fn d1(&mut self, op: FloatOp1, a: Value) -> Value {
        self.one(F64, op, Helper::D1(op), a)
    }
    fn d2(&mut self, op: FloatOp2, a: Value, b: Value) -> Value {
        self.two(F64, op, Helper::D2(op), a, b)
    }
    fn d3(&mut self, op: FloatOp3, acc: Value, a: Value, b: Value) -> Value {
        self.three(F64, op, Helper::D3(op), acc, a, b)
    }
    fn s_compare(&mut self, a: Value, b: Value, signal: bool) -> Value {
        self.compare(Helper::SCompare(signal), a, b, signal)
    }
    fn d_compare(&mut self, a: Value, b: Value, signal: bool) -> Value {
        self.compare(Helper::DCompare(signal), a, b, signal)
    }

    fn s_round(&mut self, a: Value, rounding: Rounding, exact: bool) -> Value {
        self.helper(Helper::SRound(rounding, exact), &[a], F32)
    }
    fn d_round(&mut self, a: Value, rounding: Rounding, exact: bool) -> Value {
        self.helper(Helper::DRound(rounding, exact), &[a], F64)
    }
    fn s_to_fixed(&mut self, a: Value, to: Fixed, rounding: Rounding) -> Value {
        let helper = Helper::SToFixed(to.into(), rounding);
        match (to.bits, to.fraction, rounding) {
            (32, 0, Rounding::Zero) if !self.mode.flush => self.truncate(to.signed, helper, a),
            _ => self.helper(helper, &[a], I32),
        }
    }
    fn d_to_fixed(&mut self, a: Value, to: Fixed, rounding: Rounding) -> Value {
        let helper = Helper::DToFixed(to.into(), rounding);
        match (to.bits, to.fraction, rounding) {
            (32, 0, Rounding::Zero) if !self.mode.flush => self.truncate(to.signed, helper, a),
            _ => self.helper(helper, &[a], I32),
        }
    }
    fn s_from_fixed(&mut self, w: Value, from: Fixed, rounding: Rounding) -> Value {
        match (from.bits, from.fraction, rounding) {
            (32, 0, Rounding::Current) => self.int_to_float(F32, w, from.signed),
            _ => self.helper(Helper::SFromFixed(from.into(), rounding), &[w], F32),
        }
    }
    fn d_from_fixed(&mut self, w: Value, from: Fixed, rounding: Rounding) -> Value {
        match (from.bits, from.fraction) {
            // Every 32-bit integer is a double: no rounding, no exception.
            (32, 0) => self.int_to_float(F64, w, from.signed),
            _ => self.helper(Helper::DFromFixed(from.into(), rounding), &[w], F64),
        }
    }
    fn s_to_d(&mut self, a: Value) -> Value {
        if self.mode.flush {
            return self.helper(Helper::SToD, &[a], F64);
        }
        let fast = self.b.ins().fpromote(F64, a);
        self.or_nan(F64, fast, Helper::SToD, &[a])
    }
    fn d_to_s(&mut self, a: Value) -> Value {
        if self.mode.flush {
            return self.helper(Helper::DToS, &[a], F32);
        }
        let fast = self.b.ins().fdemote(F32, a);
        self.or_nan_or_tiny(F32, fast, Helper::DToS, &[a])
    }
    fn half_to_s(&mut self, half: Value) -> Value {
        self.helper(Helper::HalfToS, &[half], F32)
    }
    fn half_to_d(&mut self, half: Value) -> Value {
        self.helper(Helper::HalfToD, &[half], F64)
    }
    fn s_to_half(&mut self, a: Value) -> Value {
        self.helper(Helper::SToHalf, &[a], I32)
    }
    fn d_to_half(&mut self, a: Value) -> Value {
        self.helper(Helper::DToHalf, &[a], I32)
    }

    fn fpscr(&mut self) -> Value {
        self.helper(Helper::Fpscr, &[], I32)
    }
    fn set_fpscr(&mut self, w: Value) {
        self.helper(Helper::SetFpscr, &[w], I32);
        // The mode may have changed: what follows is another region.
        self.resume_behind();
    }
    fn fpscr_nzcv(&mut self) -> Value {
        if let Some(nzcv) = self.vfp.nzcv() {
            return nzcv;
        }
        let unsettled = self.b.ins().load(I32, STATE, self.cpu, field!(host.comparison));
        let (cold, on) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(cold);
        self.b.ins().brif(unsettled, cold, &[], on, &[]);
        self.switch(cold);
        self.rare_helper(Helper::SettleFlags, &[], I32);
        self.b.ins().jump(on, &[]);
        self.switch(on);
        let x = self.b.ins().load(I32, STATE, self.cpu, field!(fpscr));
        self.b.ins().band_imm_u(x, 0xf000_0000)
    }
    fn set_fpscr_nzcv(&mut self, w: Value) {
        self.vfp.write_nzcv(w);
        let kind = match self.compared(w) {
            Some((a, b)) => {
                self.b.ins().store(STATE, a, self.cpu, field!(host.compared));
                self.b.ins().store(STATE, b, self.cpu, field!(host.compared) + 8);
                self.kind_of_comparison(a)
            }
            None => {
                let x = self.b.ins().load(I32, STATE, self.cpu, field!(fpscr));
                let x = self.b.ins().band_imm_u(x, 0x0fff_ffff);
                let x = self.b.ins().bor(x, w);
                self.b.ins().store(STATE, x, self.cpu, field!(fpscr));
                0
            }
        };
        let kind = self.word(kind);
        self.b.ins().store(STATE, kind, self.cpu, field!(host.comparison));
    }
}
