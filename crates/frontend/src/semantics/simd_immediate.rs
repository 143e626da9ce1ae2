//! Advanced SIMD: one register and a modified immediate (Arm ARM A7.4.6).

use super::simd::{accumulate, write};
use crate::inst::Inst;
use crate::machine::{Elem, Machine, V2};

/// The 32-bit pattern in every word.
fn replicated(pattern: u32) -> u128 {
    u128::from(pattern) * 0x1_0000_0001_0000_0001_0000_0001
}

/// `VMOV<c>.<dt> <Vd>, #<imm>`
pub fn vmov_imm<M: Machine>(m: &mut M, i: &Inst) {
    let v = m.vconst(replicated(i.imm));
    write(m, i, i.rd, v);
}

/// `VMVN<c>.<dt> <Vd>, #<imm>`
pub fn vmvn_imm<M: Machine>(m: &mut M, i: &Inst) {
    let v = m.vconst(replicated(!i.imm));
    write(m, i, i.rd, v);
}

/// `VMOV<c>.I64 <Vd>, #<imm>`: each bit of the immediate is a byte.
pub fn vmov_imm64<M: Machine>(m: &mut M, i: &Inst) {
    let mask = (0..8).filter(|k| i.imm >> k & 1 != 0).fold(0u64, |x, k| x | 0xff << (8 * k));
    let v = m.vconst(u128::from(mask) << 64 | u128::from(mask));
    write(m, i, i.rd, v);
}

/// `VORR<c>.<dt> <Vd>, #<imm>`
pub fn vorr_imm<M: Machine>(m: &mut M, i: &Inst) {
    let v = m.vconst(replicated(i.imm));
    accumulate(m, i, V2::Or, Elem::U8, v);
}

/// `VBIC<c>.<dt> <Vd>, #<imm>`
pub fn vbic_imm<M: Machine>(m: &mut M, i: &Inst) {
    let v = m.vconst(replicated(i.imm));
    accumulate(m, i, V2::Bic, Elem::U8, v);
}
