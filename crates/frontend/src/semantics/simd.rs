//! What the Advanced SIMD chapters share: registers by the Q bit and element types by size and sign.

use crate::inst::Inst;
use crate::machine::{Elem, Machine, V1, V2};

/// The element type where the sign does not matter.
#[inline(always)]
pub(super) fn unsigned(i: &Inst) -> Elem {
    Elem::unsigned(i.size)
}

/// The signed element type.
#[inline(always)]
pub(super) fn signed(i: &Inst) -> Elem {
    Elem::signed(i.size)
}

/// The element type with the sign that the U bit says.
#[inline(always)]
pub(super) fn by_u(i: &Inst) -> Elem {
    if i.has(Inst::U) { unsigned(i) } else { signed(i) }
}

/// Single precision.
#[inline(always)]
pub(super) fn f32(_: &Inst) -> Elem {
    Elem::F32
}

/// Reads D or Q register `r`, by the Q bit.
#[inline(always)]
pub(super) fn read<M: Machine>(m: &mut M, i: &Inst, r: u8) -> M::V {
    if i.has(Inst::Q) { m.qreg(r >> 1) } else { m.vdreg(r) }
}

/// Writes D or Q register `r`, by the Q bit.
#[inline(always)]
pub(super) fn write<M: Machine>(m: &mut M, i: &Inst, r: u8, v: M::V) {
    if i.has(Inst::Q) { m.set_qreg(r >> 1, v) } else { m.set_vdreg(r, v) }
}

/// `Vd = op(Vn, Vm)`
#[inline(always)]
pub(super) fn binary<M: Machine>(m: &mut M, i: &Inst, op: V2, e: Elem) {
    let (n, o) = (read(m, i, i.rn), read(m, i, i.rm));
    let result = m.v2(op, e, n, o);
    write(m, i, i.rd, result);
}

/// `Vd = op(Vm)`
#[inline(always)]
pub(super) fn unary<M: Machine>(m: &mut M, i: &Inst, op: V1, e: Elem) {
    let o = read(m, i, i.rm);
    let result = m.v1(op, e, o);
    write(m, i, i.rd, result);
}

/// `Vd = accumulate(Vd, v)`, with V2::Add or V2::Sub and their saturating forms.
#[inline(always)]
pub(super) fn accumulate<M: Machine>(m: &mut M, i: &Inst, op: V2, e: Elem, v: M::V) {
    let d = read(m, i, i.rd);
    let result = m.v2(op, e, d, v);
    write(m, i, i.rd, result);
}
