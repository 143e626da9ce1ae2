//! Advanced SIMD: three registers of different lengths, two registers and a scalar (Arm ARM A7.4.2, A7.4.3).

use super::simd::{accumulate, by_u, read, signed, unsigned, write};
use crate::inst::Inst;
use crate::machine::{Elem, Machine, V1, V2, VShift};

// ---- different lengths

/// Dn and Dm, each element twice as wide.
#[inline(always)]
fn widened<M: Machine>(m: &mut M, i: &Inst, e: Elem) -> (M::V, M::V) {
    let (n, o) = (m.vdreg(i.rn), m.vdreg(i.rm));
    (m.v1(V1::Widen, e, n), m.v1(V1::Widen, e, o))
}

/// `Qd = op(Dn, Dm)` on widened elements.
#[inline(always)]
fn long<M: Machine>(m: &mut M, i: &Inst, op: V2) {
    let (n, o) = widened(m, i, by_u(i));
    let result = m.v2(op, by_u(i).wide(), n, o);
    m.set_qreg(i.rd >> 1, result);
}

/// `Qd = op(Qn, Dm)` on widened elements of Dm.
#[inline(always)]
fn wide<M: Machine>(m: &mut M, i: &Inst, op: V2) {
    let (n, o) = (m.qreg(i.rn >> 1), m.vdreg(i.rm));
    let o = m.v1(V1::Widen, by_u(i), o);
    let result = m.v2(op, by_u(i).wide(), n, o);
    m.set_qreg(i.rd >> 1, result);
}

/// `Dd = high half of op(Qn, Qm)`, maybe rounded.
#[inline(always)]
fn high_narrow<M: Machine>(m: &mut M, i: &Inst, op: V2, shift: VShift) {
    let (n, o) = (m.qreg(i.rn >> 1), m.qreg(i.rm >> 1));
    let (e, bits) = (unsigned(i), unsigned(i).bits());
    let full = m.v2(op, e.wide(), n, o);
    let high = m.vshift(shift, e.wide(), full, bits as u8);
    let result = m.v1(V1::Narrow, e, high);
    m.set_vdreg(i.rd, result);
}

/// `Qd = op(Qd, v)`, wide elements.
#[inline(always)]
fn accumulate_long<M: Machine>(m: &mut M, i: &Inst, op: V2, e: Elem, v: M::V) {
    let d = m.qreg(i.rd >> 1);
    let result = m.v2(op, e.wide(), d, v);
    m.set_qreg(i.rd >> 1, result);
}

/// `VADDL<c>.<dt> <Qd>, <Dn>, <Dm>`
pub fn vaddl<M: Machine>(m: &mut M, i: &Inst) {
    long(m, i, V2::Add);
}

/// `VADDW<c>.<dt> <Qd>, <Qn>, <Dm>`
pub fn vaddw<M: Machine>(m: &mut M, i: &Inst) {
    wide(m, i, V2::Add);
}

/// `VSUBL<c>.<dt> <Qd>, <Dn>, <Dm>`
pub fn vsubl<M: Machine>(m: &mut M, i: &Inst) {
    long(m, i, V2::Sub);
}

/// `VSUBW<c>.<dt> <Qd>, <Qn>, <Dm>`
pub fn vsubw<M: Machine>(m: &mut M, i: &Inst) {
    wide(m, i, V2::Sub);
}

/// `VADDHN<c>.<dt> <Dd>, <Qn>, <Qm>`
pub fn vaddhn<M: Machine>(m: &mut M, i: &Inst) {
    high_narrow(m, i, V2::Add, VShift::Shr);
}

/// `VRADDHN<c>.<dt> <Dd>, <Qn>, <Qm>`
pub fn vraddhn<M: Machine>(m: &mut M, i: &Inst) {
    high_narrow(m, i, V2::Add, VShift::Rshr);
}

/// `VSUBHN<c>.<dt> <Dd>, <Qn>, <Qm>`
pub fn vsubhn<M: Machine>(m: &mut M, i: &Inst) {
    high_narrow(m, i, V2::Sub, VShift::Shr);
}

/// `VRSUBHN<c>.<dt> <Dd>, <Qn>, <Qm>`
pub fn vrsubhn<M: Machine>(m: &mut M, i: &Inst) {
    high_narrow(m, i, V2::Sub, VShift::Rshr);
}

/// `VABDL<c>.<dt> <Qd>, <Dn>, <Dm>`
pub fn vabdl<M: Machine>(m: &mut M, i: &Inst) {
    long(m, i, V2::Abd);
}

/// `VABAL<c>.<dt> <Qd>, <Dn>, <Dm>`
pub fn vabal<M: Machine>(m: &mut M, i: &Inst) {
    let (n, o) = widened(m, i, by_u(i));
    let v = m.v2(V2::Abd, by_u(i).wide(), n, o);
    accumulate_long(m, i, V2::Add, by_u(i), v);
}

/// `op(Dn, Dm)` of a multiplication that widens.
#[inline(always)]
fn product<M: Machine>(m: &mut M, i: &Inst, op: V2, e: Elem) -> M::V {
    let (n, o) = (m.vdreg(i.rn), m.vdreg(i.rm));
    m.v2(op, e, n, o)
}

/// `VMULL<c>.<dt> <Qd>, <Dn>, <Dm>`
pub fn vmull_int<M: Machine>(m: &mut M, i: &Inst) {
    let v = product(m, i, V2::Mull, by_u(i));
    m.set_qreg(i.rd >> 1, v);
}

/// `VMULL<c>.P8 <Qd>, <Dn>, <Dm>`
pub fn vmull_poly<M: Machine>(m: &mut M, i: &Inst) {
    let v = product(m, i, V2::Pmull, Elem::U8);
    m.set_qreg(i.rd >> 1, v);
}

/// `VMLAL<c>.<dt> <Qd>, <Dn>, <Dm>`
pub fn vmlal<M: Machine>(m: &mut M, i: &Inst) {
    let v = product(m, i, V2::Mull, by_u(i));
    accumulate_long(m, i, V2::Add, by_u(i), v);
}

/// `VMLSL<c>.<dt> <Qd>, <Dn>, <Dm>`
pub fn vmlsl<M: Machine>(m: &mut M, i: &Inst) {
    let v = product(m, i, V2::Mull, by_u(i));
    accumulate_long(m, i, V2::Sub, by_u(i), v);
}

/// `VQDMULL<c>.<dt> <Qd>, <Dn>, <Dm>`
pub fn vqdmull<M: Machine>(m: &mut M, i: &Inst) {
    let v = product(m, i, V2::Qdmull, signed(i));
    m.set_qreg(i.rd >> 1, v);
}

/// `VQDMLAL<c>.<dt> <Qd>, <Dn>, <Dm>`
pub fn vqdmlal<M: Machine>(m: &mut M, i: &Inst) {
    let v = product(m, i, V2::Qdmull, signed(i));
    accumulate_long(m, i, V2::Qadd, signed(i), v);
}

/// `VQDMLSL<c>.<dt> <Qd>, <Dn>, <Dm>`
pub fn vqdmlsl<M: Machine>(m: &mut M, i: &Inst) {
    let v = product(m, i, V2::Qdmull, signed(i));
    accumulate_long(m, i, V2::Qsub, signed(i), v);
}

// ---- by scalar: Dm[x] in `rm` and `amount`

/// `op(Vn, Dm[x])`. The unused half of a D register's operand is zero on both sides: it raises no exception.
#[inline(always)]
fn times_scalar<M: Machine>(m: &mut M, i: &Inst, op: V2, e: Elem) -> M::V {
    let (n, o) = (read(m, i, i.rn), m.vdreg(i.rm));
    let scalar = m.vdup_lane(e, o, i.amount);
    let scalar = if i.has(Inst::Q) { scalar } else { m.vlow(scalar) };
    m.v2(op, e, n, scalar)
}

/// `op(Dn, Dm[x])` of a multiplication that widens.
#[inline(always)]
fn product_scalar<M: Machine>(m: &mut M, i: &Inst, op: V2, e: Elem) -> M::V {
    let (n, o) = (m.vdreg(i.rn), m.vdreg(i.rm));
    let scalar = m.vdup_lane(e, o, i.amount);
    m.v2(op, e, n, scalar)
}

/// `VMUL<c>.<dt> <Vd>, <Vn>, <Dm[x]>`
pub fn vmul_by_scalar<M: Machine>(m: &mut M, i: &Inst) {
    let v = times_scalar(m, i, V2::Mul, unsigned(i));
    write(m, i, i.rd, v);
}

/// `VMLA<c>.<dt> <Vd>, <Vn>, <Dm[x]>`
pub fn vmla_by_scalar<M: Machine>(m: &mut M, i: &Inst) {
    let v = times_scalar(m, i, V2::Mul, unsigned(i));
    accumulate(m, i, V2::Add, unsigned(i), v);
}

/// `VMLS<c>.<dt> <Vd>, <Vn>, <Dm[x]>`
pub fn vmls_by_scalar<M: Machine>(m: &mut M, i: &Inst) {
    let v = times_scalar(m, i, V2::Mul, unsigned(i));
    accumulate(m, i, V2::Sub, unsigned(i), v);
}

/// `VMUL<c>.F32 <Vd>, <Vn>, <Dm[x]>`
pub fn vmul_f32_by_scalar<M: Machine>(m: &mut M, i: &Inst) {
    let v = times_scalar(m, i, V2::Mul, Elem::F32);
    write(m, i, i.rd, v);
}

/// `VMLA<c>.F32 <Vd>, <Vn>, <Dm[x]>`
pub fn vmla_f32_by_scalar<M: Machine>(m: &mut M, i: &Inst) {
    let v = times_scalar(m, i, V2::Mul, Elem::F32);
    accumulate(m, i, V2::Add, Elem::F32, v);
}

/// `VMLS<c>.F32 <Vd>, <Vn>, <Dm[x]>`
pub fn vmls_f32_by_scalar<M: Machine>(m: &mut M, i: &Inst) {
    let v = times_scalar(m, i, V2::Mul, Elem::F32);
    accumulate(m, i, V2::Sub, Elem::F32, v);
}

/// `VQDMULH<c>.<dt> <Vd>, <Vn>, <Dm[x]>`
pub fn vqdmulh_by_scalar<M: Machine>(m: &mut M, i: &Inst) {
    let v = times_scalar(m, i, V2::Qdmulh, signed(i));
    write(m, i, i.rd, v);
}

/// `VQRDMULH<c>.<dt> <Vd>, <Vn>, <Dm[x]>`
pub fn vqrdmulh_by_scalar<M: Machine>(m: &mut M, i: &Inst) {
    let v = times_scalar(m, i, V2::Qrdmulh, signed(i));
    write(m, i, i.rd, v);
}

/// `VMULL<c>.<dt> <Qd>, <Dn>, <Dm[x]>`
pub fn vmull_by_scalar<M: Machine>(m: &mut M, i: &Inst) {
    let v = product_scalar(m, i, V2::Mull, by_u(i));
    m.set_qreg(i.rd >> 1, v);
}

/// `VMLAL<c>.<dt> <Qd>, <Dn>, <Dm[x]>`
pub fn vmlal_by_scalar<M: Machine>(m: &mut M, i: &Inst) {
    let v = product_scalar(m, i, V2::Mull, by_u(i));
    accumulate_long(m, i, V2::Add, by_u(i), v);
}

/// `VMLSL<c>.<dt> <Qd>, <Dn>, <Dm[x]>`
pub fn vmlsl_by_scalar<M: Machine>(m: &mut M, i: &Inst) {
    let v = product_scalar(m, i, V2::Mull, by_u(i));
    accumulate_long(m, i, V2::Sub, by_u(i), v);
}

/// `VQDMULL<c>.<dt> <Qd>, <Dn>, <Dm[x]>`
pub fn vqdmull_by_scalar<M: Machine>(m: &mut M, i: &Inst) {
    let v = product_scalar(m, i, V2::Qdmull, signed(i));
    m.set_qreg(i.rd >> 1, v);
}

/// `VQDMLAL<c>.<dt> <Qd>, <Dn>, <Dm[x]>`
pub fn vqdmlal_by_scalar<M: Machine>(m: &mut M, i: &Inst) {
    let v = product_scalar(m, i, V2::Qdmull, signed(i));
    accumulate_long(m, i, V2::Qadd, signed(i), v);
}

/// `VQDMLSL<c>.<dt> <Qd>, <Dn>, <Dm[x]>`
pub fn vqdmlsl_by_scalar<M: Machine>(m: &mut M, i: &Inst) {
    let v = product_scalar(m, i, V2::Qdmull, signed(i));
    accumulate_long(m, i, V2::Qsub, signed(i), v);
}
