//! Which memory an instruction accesses, so that a case can send it to the scratch memory.

use forearm_frontend::inst::{Inst, shift};

use crate::state::State;

/// An instruction's way of addressing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// A fixed address near the instruction.
    Fixed(u32),
    /// Rn plus an offset known beforehand (zero for post-indexed accesses).
    Base(u32),
    /// Rn plus (`true`) or minus Rm, shifted.
    Index(bool),
}

/// How `inst` addresses memory. `None`: it is no load or store that this knows.
pub fn address(inst: &Inst) -> Option<Address> {
    let name = format!("{:?}", inst.op);
    let signed = |offset: u32| if inst.has(Inst::U) { offset } else { offset.wrapping_neg() };
    let indexed = inst.has(Inst::P);
    let transfer = name.starts_with("LD") || name.starts_with("ST") || name.starts_with("SWP");
    Some(match name.as_str() {
        "LDM" | "STM" => {
            let bytes = 4 * inst.imm.count_ones();
            Address::Base(match (indexed, inst.has(Inst::U)) {
                (false, true) => 0,
                (true, true) => 4,
                (false, false) => 4u32.wrapping_sub(bytes),
                (true, false) => bytes.wrapping_neg(),
            })
        }
        "VLDM" | "VSTM" => Address::Base(if indexed { inst.imm.wrapping_neg() } else { 0 }),
        "VLDR" | "VSTR" if inst.rn == 15 => Address::Fixed(inst.imm),
        "VLDR" | "VSTR" => Address::Base(signed(inst.imm)),
        "TBB" | "TBH" => Address::Index(true),
        _ if name.starts_with("VLD") || name.starts_with("VST") => Address::Base(0),
        _ if !transfer => return None,
        _ if name.ends_with("_lit") => Address::Fixed(inst.imm),
        _ if name.ends_with("_reg") && indexed => Address::Index(inst.has(Inst::U)),
        _ if name.ends_with("_reg") => Address::Base(0),
        _ if name.ends_with("_imm") => Address::Base(if indexed { signed(inst.imm) } else { 0 }),
        // Exclusive and ordered accesses; T32's LDREX and STREX alone have an offset.
        _ => Address::Base(inst.imm),
    })
}

/// Rm, shifted as `inst` says.
pub fn index(inst: &Inst, state: &State) -> u32 {
    let rm = state.core[usize::from(inst.rm)];
    let amount = u32::from(inst.amount);
    // TBH doubles its index; its other fields are empty.
    if format!("{:?}", inst.op) == "TBH" {
        return rm << 1;
    }
    match inst.shift {
        shift::LSL => rm << amount,
        shift::LSR => rm.checked_shr(amount).unwrap_or(0),
        shift::ASR => (rm as i32 >> amount.min(31)) as u32,
        shift::ROR => rm.rotate_right(amount),
        _ => (state.apsr >> 29 & 1) << 31 | rm >> 1,
    }
}

/// May the address of `inst` be unaligned? Multiple, dual, exclusive, ordered and VFP transfers fault then.
pub fn unaligned_allowed(inst: &Inst) -> bool {
    let name = format!("{:?}", inst.op);
    let single = ["LDR_", "LDRB_", "LDRH_", "LDRSB_", "LDRSH_", "STR_", "STRB_", "STRH_"];
    single.iter().any(|s| name.starts_with(s)) && inst.rd != 15
}
