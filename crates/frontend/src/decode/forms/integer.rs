//! A32 data processing and branches.

use super::super::{Context, Verdict};
use crate::inst::{Inst, shift};

/// `DecodeImmShift` (Arm ARM A8.4.3) on `shift` and `amount`.
pub fn decode_imm_shift(i: &mut Inst) {
    match (i.shift, i.amount) {
        (shift::LSR | shift::ASR, 0) => i.amount = 32,
        (shift::ROR, 0) => (i.shift, i.amount) = (shift::RRX, 1),
        _ => {}
    }
}

/// `A32ExpandImm_C` of imm12 in `imm`.
pub fn a32_const(_: u32, i: &mut Inst, _: Context) -> Verdict {
    let rotation = i.imm >> 8 << 1;
    i.set(Inst::CARRY, rotation != 0);
    i.imm = (i.imm & 0xff).rotate_right(rotation);
    Verdict::Valid
}

/// Register shifted by an immediate.
pub fn shifted(_: u32, i: &mut Inst, _: Context) -> Verdict {
    decode_imm_shift(i);
    Verdict::Valid
}

/// Register shifted by a register: none may be the PC.
pub fn register_shifted(_: u32, i: &mut Inst, _: Context) -> Verdict {
    if [i.rd, i.rn, i.rm, i.ra].contains(&15) { Verdict::Unpredictable } else { Verdict::Valid }
}

/// B and BL: the target address in `imm`.
pub fn a32_branch(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.imm = cx.pc.wrapping_add(((i.imm << 8) as i32 >> 6) as u32);
    Verdict::Valid
}
