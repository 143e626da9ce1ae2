//! Branches (Arm ARM A4.3).

use crate::inst::Inst;
use crate::machine::Machine;

/// `B<c> <label>`
pub fn b<M: Machine>(m: &mut M, i: &Inst) {
    m.branch(i.imm);
}
