//! Advanced SIMD: two registers and a shift amount (Arm ARM A7.4.4).

use super::simd::{accumulate, by_u, read, unsigned, write};
use crate::inst::Inst;
use crate::machine::{Elem, Machine, V1, V2, VShift};

/// `op(Vm, #amount)`
#[inline(always)]
fn shifted<M: Machine>(m: &mut M, i: &Inst, op: VShift, e: Elem) -> M::V {
    let o = read(m, i, i.rm);
    m.vshift(op, e, o, i.amount)
}

/// `Vd = op(Vm, #amount)`
#[inline(always)]
fn shift<M: Machine>(m: &mut M, i: &Inst, op: VShift, e: Elem) {
    let v = shifted(m, i, op, e);
    write(m, i, i.rd, v);
}

/// `VSHR<c>.<dt> <Vd>, <Vm>, #<imm>`
pub fn vshr<M: Machine>(m: &mut M, i: &Inst) {
    shift(m, i, VShift::Shr, by_u(i));
}

/// `VRSHR<c>.<dt> <Vd>, <Vm>, #<imm>`
pub fn vrshr<M: Machine>(m: &mut M, i: &Inst) {
    shift(m, i, VShift::Rshr, by_u(i));
}

/// `VSRA<c>.<dt> <Vd>, <Vm>, #<imm>`
pub fn vsra<M: Machine>(m: &mut M, i: &Inst) {
    let v = shifted(m, i, VShift::Shr, by_u(i));
    accumulate(m, i, V2::Add, unsigned(i), v);
}

/// `VRSRA<c>.<dt> <Vd>, <Vm>, #<imm>`
pub fn vrsra<M: Machine>(m: &mut M, i: &Inst) {
    let v = shifted(m, i, VShift::Rshr, by_u(i));
    accumulate(m, i, V2::Add, unsigned(i), v);
}

/// `VSHL<c>.<dt> <Vd>, <Vm>, #<imm>`
pub fn vshl_imm<M: Machine>(m: &mut M, i: &Inst) {
    shift(m, i, VShift::Shl, unsigned(i));
}

/// `VQSHL<c>.<dt> <Vd>, <Vm>, #<imm>`
pub fn vqshl_imm<M: Machine>(m: &mut M, i: &Inst) {
    shift(m, i, VShift::Qshl, by_u(i));
}

/// `VQSHLU<c>.<dt> <Vd>, <Vm>, #<imm>`
pub fn vqshlu_imm<M: Machine>(m: &mut M, i: &Inst) {
    shift(m, i, VShift::QshlU, unsigned(i));
}

/// The low `bits` of every element set.
fn low_bits(e: Elem, bits: u32) -> u128 {
    let element = (1u128 << bits) - 1;
    // Division by constants: the interpreter comes here each time.
    element
        * match e.size() {
            0 => u128::MAX / 0xff,
            1 => u128::MAX / 0xffff,
            2 => u128::MAX / 0xffff_ffff,
            _ => u128::MAX / 0xffff_ffff_ffff_ffff,
        }
}

/// `VSLI<c>.<size> <Vd>, <Vm>, #<imm>`: the bits below the shifted ones stay.
pub fn vsli<M: Machine>(m: &mut M, i: &Inst) {
    let v = shifted(m, i, VShift::Shl, unsigned(i));
    let stay = m.vconst(low_bits(unsigned(i), u32::from(i.amount)));
    let d = read(m, i, i.rd);
    let stay = m.v2(V2::And, Elem::U8, stay, d);
    let result = m.v2(V2::Or, Elem::U8, stay, v);
    write(m, i, i.rd, result);
}

/// `VSRI<c>.<size> <Vd>, <Vm>, #<imm>`: the bits above the shifted ones stay.
pub fn vsri<M: Machine>(m: &mut M, i: &Inst) {
    let v = shifted(m, i, VShift::Shr, unsigned(i));
    let change = m.vconst(low_bits(unsigned(i), unsigned(i).bits() - u32::from(i.amount)));
    let d = read(m, i, i.rd);
    let stay = m.v2(V2::Bic, Elem::U8, d, change);
    let result = m.v2(V2::Or, Elem::U8, stay, v);
    write(m, i, i.rd, result);
}

/// `Dd = narrow(Qm >> amount)`; `e` is the type of the result, `source` has the sign of the source.
#[inline(always)]
fn narrow<M: Machine>(m: &mut M, i: &Inst, op: VShift, source: Elem, narrow: V1, e: Elem) {
    let o = m.qreg(i.rm >> 1);
    let v = m.vshift(op, source, o, i.amount);
    let result = m.v1(narrow, e, v);
    m.set_vdreg(i.rd, result);
}

/// `VSHRN<c>.<dt> <Dd>, <Qm>, #<imm>`
pub fn vshrn<M: Machine>(m: &mut M, i: &Inst) {
    narrow(m, i, VShift::Shr, unsigned(i).wide(), V1::Narrow, unsigned(i));
}

/// `VRSHRN<c>.<dt> <Dd>, <Qm>, #<imm>`
pub fn vrshrn<M: Machine>(m: &mut M, i: &Inst) {
    narrow(m, i, VShift::Rshr, unsigned(i).wide(), V1::Narrow, unsigned(i));
}

/// `VQSHRN<c>.<dt> <Dd>, <Qm>, #<imm>`
pub fn vqshrn<M: Machine>(m: &mut M, i: &Inst) {
    narrow(m, i, VShift::Shr, by_u(i).wide(), V1::Qnarrow, by_u(i));
}

/// `VQRSHRN<c>.<dt> <Dd>, <Qm>, #<imm>`
pub fn vqrshrn<M: Machine>(m: &mut M, i: &Inst) {
    narrow(m, i, VShift::Rshr, by_u(i).wide(), V1::Qnarrow, by_u(i));
}

/// `VQSHRUN<c>.<dt> <Dd>, <Qm>, #<imm>`
pub fn vqshrun<M: Machine>(m: &mut M, i: &Inst) {
    narrow(m, i, VShift::Shr, Elem::signed(i.size + 1), V1::QnarrowU, unsigned(i));
}

/// `VQRSHRUN<c>.<dt> <Dd>, <Qm>, #<imm>`
pub fn vqrshrun<M: Machine>(m: &mut M, i: &Inst) {
    narrow(m, i, VShift::Rshr, Elem::signed(i.size + 1), V1::QnarrowU, unsigned(i));
}

/// `VSHLL<c>.<dt> <Qd>, <Dm>, #<imm>`; `VMOVL<c>.<dt> <Qd>, <Dm>`
pub fn vshll<M: Machine>(m: &mut M, i: &Inst) {
    let o = m.vdreg(i.rm);
    let wide = m.v1(V1::Widen, by_u(i), o);
    let result = if i.amount == 0 { wide } else { m.vshift(VShift::Shl, unsigned(i).wide(), wide, i.amount) };
    m.set_qreg(i.rd >> 1, result);
}

/// `VCVT<c>.F32.<dt> <Vd>, <Vm>, #<fbits>`
pub fn vcvt_f32_fixed<M: Machine>(m: &mut M, i: &Inst) {
    shift(m, i, VShift::FromFixed, by_u(i));
}

/// `VCVT<c>.<dt>.F32 <Vd>, <Vm>, #<fbits>`
pub fn vcvt_fixed_f32<M: Machine>(m: &mut M, i: &Inst) {
    shift(m, i, VShift::ToFixed, by_u(i));
}
