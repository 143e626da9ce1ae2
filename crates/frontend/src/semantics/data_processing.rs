//! Data processing: arithmetic, logic, moves and shifts (Arm ARM A4.4.1, A4.4.2).

use crate::inst::{Inst, shift};
use crate::machine::{Carry, Integer};

/// `Shift()` of the manual by the instruction's immediate, without its carry-out.
#[inline(always)]
pub(super) fn shift_imm<M: Integer>(m: &mut M, i: &Inst, value: M::W) -> M::W {
    let amount = u32::from(i.amount);
    match i.shift {
        shift::LSL if amount == 0 => value,
        shift::LSL => m.shl(value, amount),
        shift::LSR if amount == 32 => m.word(0),
        shift::LSR => m.shr(value, amount),
        shift::ASR => m.sar(value, amount.min(31)),
        shift::ROR => m.ror(value, amount),
        _ => {
            let carry = m.c();
            let carry = m.b_to_w(carry);
            let high = m.shl(carry, 31);
            let low = m.shr(value, 1);
            m.or(high, low)
        }
    }
}

/// The carry-out of [`shift_imm`].
#[inline(always)]
fn shift_imm_carry<M: Integer>(m: &mut M, i: &Inst, value: M::W) -> Carry<M::B> {
    let amount = u32::from(i.amount);
    match i.shift {
        shift::LSL if amount == 0 => Carry::Same,
        shift::LSL => Carry::To(m.bit(value, 32 - amount)),
        // RRX shifts by one.
        _ => Carry::To(m.bit(value, amount - 1)),
    }
}

/// `Shift()` by the low byte of a register, without its carry-out.
#[inline(always)]
fn shift_reg<M: Integer>(m: &mut M, i: &Inst, value: M::W, amount: M::W) -> M::W {
    match i.shift {
        shift::LSL => m.shl_by(value, amount),
        shift::LSR => m.shr_by(value, amount),
        shift::ASR => m.sar_by(value, amount),
        _ => m.ror_by(value, amount),
    }
}

/// The carry-out of [`shift_reg`]: the last bit that an amount of one less leaves at the edge; by 0 the C flag stays.
#[inline(always)]
fn shift_reg_carry<M: Integer>(m: &mut M, i: &Inst, value: M::W, amount: M::W) -> Carry<M::B> {
    let (zero, one) = (m.word(0), m.word(1));
    let less = m.sub(amount, one);
    let edge = shift_reg(m, i, value, less);
    let last = m.bit(edge, if i.shift == shift::LSL { 31 } else { 0 });
    let amount = m.zext8(amount);
    let none = m.eq(amount, zero);
    let same = m.c();
    let kept = m.b_and(none, same);
    let some = m.b_not(none);
    let moved = m.b_and(some, last);
    Carry::To(m.b_or(kept, moved))
}

/// Where an encoding takes its second operand from.
#[derive(Clone, Copy)]
enum Second {
    Immediate,
    Register,
    RegisterShifted,
}

/// The second operand.
#[inline(always)]
fn operand<M: Integer>(m: &mut M, i: &Inst, second: Second) -> M::W {
    match second {
        Second::Immediate => m.word(i.imm),
        Second::Register => {
            let rm = m.reg(i.rm);
            shift_imm(m, i, rm)
        }
        Second::RegisterShifted => {
            let (rm, rs) = (m.reg(i.rm), m.reg(i.ra));
            shift_reg(m, i, rm, rs)
        }
    }
}

/// The carry-out of the second operand.
#[inline(always)]
fn operand_carry<M: Integer>(m: &mut M, i: &Inst, second: Second) -> Carry<M::B> {
    match second {
        Second::Immediate if i.has(Inst::CARRY) => Carry::To(m.bool(i.imm >> 31 != 0)),
        Second::Immediate => Carry::Same,
        Second::Register => {
            let rm = m.reg(i.rm);
            shift_imm_carry(m, i, rm)
        }
        Second::RegisterShifted => {
            let (rm, rs) = (m.reg(i.rm), m.reg(i.ra));
            shift_reg_carry(m, i, rm, rs)
        }
    }
}

/// Writes a result: to the PC it is a branch.
#[inline(always)]
fn write_result<M: Integer>(m: &mut M, i: &Inst, result: M::W) {
    if i.rd == 15 { m.alu_write_pc(result) } else { m.set_reg(i.rd, result) }
}

/// N, Z from a result, C from the shifter.
#[inline(always)]
fn logical_flags<M: Integer>(m: &mut M, result: M::W, carry: Carry<M::B>) {
    m.set_nz(result);
    if let Carry::To(c) = carry {
        m.set_c(c);
    }
}

/// An instruction whose result is `f(second operand)` and whose carry is the shifter's.
#[inline(always)]
fn logical<M: Integer>(m: &mut M, i: &Inst, second: Second, f: impl FnOnce(&mut M, M::W) -> M::W) {
    let operand = operand(m, i, second);
    let carry = if i.has(Inst::S) { operand_carry(m, i, second) } else { Carry::Same };
    let result = f(m, operand);
    if i.has(Inst::S) {
        logical_flags(m, result, carry);
    }
    write_result(m, i, result);
}

/// Like [`logical`], for the flags alone.
#[inline(always)]
fn test<M: Integer>(m: &mut M, i: &Inst, second: Second, f: impl FnOnce(&mut M, M::W) -> M::W) {
    let operand = operand(m, i, second);
    let carry = operand_carry(m, i, second);
    let result = f(m, operand);
    logical_flags(m, result, carry);
}

/// An instruction whose result is `f(second operand)`; `f` sets the flags.
#[inline(always)]
fn arithmetic<M: Integer>(m: &mut M, i: &Inst, second: Second, f: impl FnOnce(&mut M, M::W) -> M::W) {
    let operand = operand(m, i, second);
    let result = f(m, operand);
    write_result(m, i, result);
}

/// Like [`arithmetic`], for the flags alone.
#[inline(always)]
fn compare<M: Integer>(m: &mut M, i: &Inst, second: Second, f: impl FnOnce(&mut M, M::W)) {
    let operand = operand(m, i, second);
    f(m, operand);
}

#[inline(always)]
fn add<M: Integer>(m: &mut M, a: M::W, b: M::W, s: bool) -> M::W {
    let result = m.add(a, b);
    if s {
        m.flags_add(a, b, result);
    }
    result
}

#[inline(always)]
fn sub<M: Integer>(m: &mut M, a: M::W, b: M::W, s: bool) -> M::W {
    let result = m.sub(a, b);
    if s {
        m.flags_sub(a, b, result);
    }
    result
}

/// The immediate, register and register-shifted register forms of an operation `f(machine, instruction, operand)`.
macro_rules! operations {
    ($(#[doc = $doc:literal] $kind:ident $imm:ident $reg:ident $($rsr:ident)? = $f:expr;)*) => {$(
        #[doc = $doc]
        pub fn $imm<M: Integer>(m: &mut M, i: &Inst) {
            $kind(m, i, Second::Immediate, |m, operand| $f(m, i, operand))
        }

        #[doc = $doc]
        pub fn $reg<M: Integer>(m: &mut M, i: &Inst) {
            $kind(m, i, Second::Register, |m, operand| $f(m, i, operand))
        }

        $(#[doc = $doc]
        pub fn $rsr<M: Integer>(m: &mut M, i: &Inst) {
            $kind(m, i, Second::RegisterShifted, |m, operand| $f(m, i, operand))
        })?
    )*};
}

operations! {
    /// `AND{S}<c> <Rd>, <Rn>, <operand>`
    logical and_imm and_reg and_rsr = |m: &mut M, i: &Inst, operand| { let n = m.reg(i.rn); m.and(n, operand) };
    /// `EOR{S}<c> <Rd>, <Rn>, <operand>`
    logical eor_imm eor_reg eor_rsr = |m: &mut M, i: &Inst, operand| { let n = m.reg(i.rn); m.xor(n, operand) };
    /// `ORR{S}<c> <Rd>, <Rn>, <operand>`
    logical orr_imm orr_reg orr_rsr = |m: &mut M, i: &Inst, operand| { let n = m.reg(i.rn); m.or(n, operand) };
    /// `ORN{S}<c> <Rd>, <Rn>, <operand>`: T32 alone has it.
    logical orn_imm orn_reg =
        |m: &mut M, i: &Inst, operand| { let (n, inverted) = (m.reg(i.rn), m.not(operand)); m.or(n, inverted) };
    /// `BIC{S}<c> <Rd>, <Rn>, <operand>`
    logical bic_imm bic_reg bic_rsr = |m: &mut M, i: &Inst, operand| { let n = m.reg(i.rn); m.bic(n, operand) };
    /// `MOV{S}<c> <Rd>, <operand>`; the register forms are LSL, LSR, ASR, ROR and RRX too.
    logical mov_imm mov_reg mov_rsr = |_: &mut M, _: &Inst, operand| operand;
    /// `MVN{S}<c> <Rd>, <operand>`
    logical mvn_imm mvn_reg mvn_rsr = |m: &mut M, _: &Inst, operand| m.not(operand);
    /// `TST<c> <Rn>, <operand>`
    test tst_imm tst_reg tst_rsr = |m: &mut M, i: &Inst, operand| { let n = m.reg(i.rn); m.and(n, operand) };
    /// `TEQ<c> <Rn>, <operand>`
    test teq_imm teq_reg teq_rsr = |m: &mut M, i: &Inst, operand| { let n = m.reg(i.rn); m.xor(n, operand) };
    /// `ADD{S}<c> <Rd>, <Rn>, <operand>`
    arithmetic add_imm add_reg add_rsr =
        |m: &mut M, i: &Inst, operand| { let n = m.reg(i.rn); add(m, n, operand, i.has(Inst::S)) };
    /// `ADC{S}<c> <Rd>, <Rn>, <operand>`
    arithmetic adc_imm adc_reg adc_rsr =
        |m: &mut M, i: &Inst, operand| { let n = m.reg(i.rn); m.adc(n, operand, i.has(Inst::S)) };
    /// `SUB{S}<c> <Rd>, <Rn>, <operand>`
    arithmetic sub_imm sub_reg sub_rsr =
        |m: &mut M, i: &Inst, operand| { let n = m.reg(i.rn); sub(m, n, operand, i.has(Inst::S)) };
    /// `SBC{S}<c> <Rd>, <Rn>, <operand>`
    arithmetic sbc_imm sbc_reg sbc_rsr =
        |m: &mut M, i: &Inst, operand| { let n = m.reg(i.rn); m.sbc(n, operand, i.has(Inst::S)) };
    /// `RSB{S}<c> <Rd>, <Rn>, <operand>`
    arithmetic rsb_imm rsb_reg rsb_rsr =
        |m: &mut M, i: &Inst, operand| { let n = m.reg(i.rn); sub(m, operand, n, i.has(Inst::S)) };
    /// `RSC{S}<c> <Rd>, <Rn>, <operand>`
    arithmetic rsc_imm rsc_reg rsc_rsr =
        |m: &mut M, i: &Inst, operand| { let n = m.reg(i.rn); m.sbc(operand, n, i.has(Inst::S)) };
    /// `CMP<c> <Rn>, <operand>`
    compare cmp_imm cmp_reg cmp_rsr =
        |m: &mut M, i: &Inst, operand| { let n = m.reg(i.rn); sub(m, n, operand, true); };
    /// `CMN<c> <Rn>, <operand>`
    compare cmn_imm cmn_reg cmn_rsr =
        |m: &mut M, i: &Inst, operand| { let n = m.reg(i.rn); add(m, n, operand, true); };
}

/// `ADR<c> <Rd>, <label>`
pub fn adr<M: Integer>(m: &mut M, i: &Inst) {
    let address = m.word(i.imm);
    write_result(m, i, address);
}

/// `MOVW<c> <Rd>, #<imm16>`
pub fn movw<M: Integer>(m: &mut M, i: &Inst) {
    let value = m.word(i.imm);
    m.set_reg(i.rd, value);
}

/// `MOVT<c> <Rd>, #<imm16>`
pub fn movt<M: Integer>(m: &mut M, i: &Inst) {
    let (old, high) = (m.reg(i.rd), m.word(i.imm << 16));
    let low = m.zext16(old);
    let result = m.or(high, low);
    m.set_reg(i.rd, result);
}
