//! Data processing (Arm ARM A4.4.1).

use crate::inst::{Inst, shift};
use crate::machine::{Carry, Machine};

/// The second operand of the register forms, without its carry-out.
#[inline(always)]
fn shifted_operand<M: Machine>(m: &mut M, i: &Inst) -> M::W {
    let rm = m.reg(i.rm);
    let amount = u32::from(i.amount);
    match i.shift {
        shift::LSL if amount == 0 => rm,
        shift::LSL => m.shl(rm, amount),
        shift::LSR if amount == 32 => m.word(0),
        shift::LSR => m.shr(rm, amount),
        shift::ASR => m.sar(rm, amount.min(31)),
        shift::ROR => m.ror(rm, amount),
        _ => {
            let carry = m.c();
            let carry = m.b_to_w(carry);
            let high = m.shl(carry, 31);
            let low = m.shr(rm, 1);
            m.or(high, low)
        }
    }
}

/// Writes a result: to the PC it is a branch.
#[inline(always)]
fn write_result<M: Machine>(m: &mut M, i: &Inst, result: M::W) {
    if i.rd == 15 { m.alu_write_pc(result) } else { m.set_reg(i.rd, result) }
}

/// The second operand and carry-out of the immediate forms.
#[inline(always)]
#[allow(dead_code)]
fn immediate_c<M: Machine>(m: &mut M, i: &Inst) -> (M::W, Carry<M::B>) {
    let value = m.word(i.imm);
    let carry = if i.has(Inst::CARRY) { Carry::To(m.bool(i.imm >> 31 != 0)) } else { Carry::Same };
    (value, carry)
}

/// `ADC{S}<c> <Rd>, <Rn>, #<const>`
pub fn adc_imm<M: Machine>(m: &mut M, i: &Inst) {
    let (n, operand) = (m.reg(i.rn), m.word(i.imm));
    let result = m.adc(n, operand, i.has(Inst::S));
    write_result(m, i, result);
}

/// `ADC{S}<c> <Rd>, <Rn>, <Rm>{, <shift>}`
pub fn adc_reg<M: Machine>(m: &mut M, i: &Inst) {
    let (n, operand) = (m.reg(i.rn), shifted_operand(m, i));
    let result = m.adc(n, operand, i.has(Inst::S));
    write_result(m, i, result);
}

/// `ADC{S}<c> <Rd>, <Rn>, <Rm>, <type> <Rs>`
pub fn adc_rsr<M: Machine>(m: &mut M, i: &Inst) {
    let (n, rm, rs) = (m.reg(i.rn), m.reg(i.rm), m.reg(i.ra));
    let operand = match i.shift {
        shift::LSL => m.shl_by(rm, rs),
        shift::LSR => m.shr_by(rm, rs),
        shift::ASR => m.sar_by(rm, rs),
        _ => m.ror_by(rm, rs),
    };
    let result = m.adc(n, operand, i.has(Inst::S));
    write_result(m, i, result);
}
