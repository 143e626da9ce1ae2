//! Advanced SIMD: VEXT, VTBL, VTBX and VDUP from a scalar (Arm ARM A7.4).

use super::simd::{read, unsigned, write};
use crate::inst::Inst;
use crate::machine::Machine;

/// `VEXT<c>.8 <Vd>, <Vn>, <Vm>, #<imm>`
pub fn vext<M: Machine>(m: &mut M, i: &Inst) {
    let (n, o) = (read(m, i, i.rn), read(m, i, i.rm));
    let result = if i.has(Inst::Q) {
        m.vext(n, o, i.imm as u8)
    } else {
        let (both, zero) = (m.vconcat(n, o), m.vconst(0));
        m.vext(both, zero, i.imm as u8)
    };
    write(m, i, i.rd, result);
}

/// The table of `shift` D registers from `rn`, looked up.
#[inline(always)]
fn table<M: Machine>(m: &mut M, i: &Inst, default: M::V) {
    let zero = m.vconst(0);
    let mut halves = [zero; 4];
    for (k, half) in halves.iter_mut().enumerate().take(usize::from(i.shift)) {
        *half = m.vdreg(i.rn + k as u8);
    }
    let whole = [m.vconcat(halves[0], halves[1]), m.vconcat(halves[2], halves[3])];
    let index = m.vdreg(i.rm);
    let result = m.vtable(whole, 8 * i.shift, index, default);
    m.set_vdreg(i.rd, result);
}

/// `VTBL<c>.8 <Dd>, <list>, <Dm>`
pub fn vtbl<M: Machine>(m: &mut M, i: &Inst) {
    let zero = m.vconst(0);
    table(m, i, zero);
}

/// `VTBX<c>.8 <Dd>, <list>, <Dm>`
pub fn vtbx<M: Machine>(m: &mut M, i: &Inst) {
    let d = m.vdreg(i.rd);
    table(m, i, d);
}

/// `VDUP<c>.<size> <Vd>, <Dm[x]>`
pub fn vdup_scalar<M: Machine>(m: &mut M, i: &Inst) {
    let o = m.vdreg(i.rm);
    let result = m.vdup_lane(unsigned(i), o, i.amount);
    write(m, i, i.rd, result);
}
