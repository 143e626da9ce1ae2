//! Branches (Arm ARM A4.3).

use crate::inst::Inst;
use crate::machine::{Integer, Size};

/// `B<c> <label>`
pub fn b<M: Integer>(m: &mut M, i: &Inst) {
    m.branch(i.imm);
}

/// `BL<c> <label>`
pub fn bl<M: Integer>(m: &mut M, i: &Inst) {
    m.link();
    m.branch(i.imm);
}

/// `BLX <label>`: to the other instruction set.
pub fn blx_imm<M: Integer>(m: &mut M, i: &Inst) {
    m.link();
    m.branch_exchange(i.imm);
}

/// `BLX<c> <Rm>`
pub fn blx_reg<M: Integer>(m: &mut M, i: &Inst) {
    // Rm may be the link register.
    let target = m.reg(i.rm);
    m.link();
    m.bx(target);
}

/// `BX<c> <Rm>`
pub fn bx<M: Integer>(m: &mut M, i: &Inst) {
    let target = m.reg(i.rm);
    m.bx(target);
}

/// `BXJ<c> <Rm>`: no Jazelle, so a BX.
pub fn bxj<M: Integer>(m: &mut M, i: &Inst) {
    bx(m, i);
}

/// `CBZ <Rn>, <label>`
pub fn cbz<M: Integer>(m: &mut M, i: &Inst) {
    let (n, zero) = (m.reg(i.rn), m.word(0));
    let taken = m.eq(n, zero);
    m.branch_if(taken, i.imm);
}

/// `CBNZ <Rn>, <label>`
pub fn cbnz<M: Integer>(m: &mut M, i: &Inst) {
    let n = m.reg(i.rn);
    let taken = m.w_to_b(n);
    m.branch_if(taken, i.imm);
}

/// `TBB<c> [<Rn>, <Rm>]`
pub fn tbb<M: Integer>(m: &mut M, i: &Inst) {
    let (table, index) = (m.reg(i.rn), m.reg(i.rm));
    let entry = m.add(table, index);
    table_branch(m, Size::U8, entry);
}

/// `TBH<c> [<Rn>, <Rm>, LSL #1]`
pub fn tbh<M: Integer>(m: &mut M, i: &Inst) {
    let (table, index) = (m.reg(i.rn), m.reg(i.rm));
    let offset = m.shl(index, 1);
    let entry = m.add(table, offset);
    table_branch(m, Size::U16, entry);
}

#[inline(always)]
fn table_branch<M: Integer>(m: &mut M, size: Size, entry: M::W) {
    let halfwords = m.load(size, entry);
    let offset = m.shl(halfwords, 1);
    let pc = m.pc();
    let pc = m.word(pc);
    let target = m.add(pc, offset);
    m.branch_to(target);
}
