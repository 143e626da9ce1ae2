//! Data processing, multiplication, status registers and branches.

use super::super::{Context, Verdict};
use crate::inst::{Inst, cond, shift};

/// `DecodeImmShift` (Arm ARM A8.4.3) on `shift` and `amount`.
pub fn decode_imm_shift(i: &mut Inst) {
    match (i.shift, i.amount) {
        (shift::LSR | shift::ASR, 0) => i.amount = 32,
        (shift::ROR, 0) => (i.shift, i.amount) = (shift::RRX, 1),
        _ => {}
    }
}

/// Valid unless `unpredictable`.
pub(super) fn unless(unpredictable: bool) -> Verdict {
    if unpredictable { Verdict::Unpredictable } else { Verdict::Valid }
}

/// No operand may be the PC. Fields that an encoding lacks are 0.
pub fn no_pc(_: u32, i: &mut Inst, _: Context) -> Verdict {
    unless([i.rd, i.rn, i.rm, i.ra].contains(&15))
}

/// Executes only unconditionally; in an IT block too.
pub fn unconditional(_: u32, i: &mut Inst, _: Context) -> Verdict {
    unless(i.cond != cond::AL)
}

// ---- data processing

/// `A32ExpandImm_C` of imm12 in `imm`.
pub fn a32_const(_: u32, i: &mut Inst, _: Context) -> Verdict {
    let rotation = i.imm >> 8 << 1;
    i.set(Inst::CARRY, rotation != 0);
    i.imm = (i.imm & 0xff).rotate_right(rotation);
    unless(exception_return(i))
}

/// Register shifted by an immediate.
pub fn shifted(_: u32, i: &mut Inst, _: Context) -> Verdict {
    decode_imm_shift(i);
    unless(exception_return(i))
}

/// `SUBS PC, LR` and its like: UNPREDICTABLE in user mode.
fn exception_return(i: &Inst) -> bool {
    i.has(Inst::S) && i.rd == 15
}

/// ADR of a label after the instruction: its address in `imm`.
pub fn adr_add(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    let verdict = a32_const(w, i, cx);
    i.imm = (cx.pc & !3).wrapping_add(i.imm);
    verdict
}

/// ADR of a label before the instruction: its address in `imm`.
pub fn adr_sub(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    let verdict = a32_const(w, i, cx);
    i.imm = (cx.pc & !3).wrapping_sub(i.imm);
    verdict
}

// ---- multiplication

/// RdLo in `rd` and RdHi in `ra` (Rt and Rt2 of MRRC): not the same register, none the PC.
pub fn long_multiply(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    if i.rd == i.ra { Verdict::Unpredictable } else { no_pc(w, i, cx) }
}

// ---- saturation, packing, extension, bit fields

/// SSAT: `imm` becomes the width, `shift` LSL or ASR.
pub fn ssat(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.imm += 1;
    usat(w, i, cx)
}

/// USAT: `imm` is the width, the one bit of `shift` becomes LSL or ASR.
pub fn usat(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.shift = if i.shift == 0 { shift::LSL } else { shift::ASR };
    decode_imm_shift(i);
    no_pc(w, i, cx)
}

/// SSAT16: `imm` becomes the width.
pub fn ssat16(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.imm += 1;
    no_pc(w, i, cx)
}

/// PKHTB: the shift is an ASR.
pub fn pkhtb(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.shift = shift::ASR;
    decode_imm_shift(i);
    no_pc(w, i, cx)
}

/// Extension: the rotation in bytes in `amount` becomes a ROR.
pub fn extend(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.shift = if i.amount == 0 { shift::LSL } else { shift::ROR };
    i.amount *= 8;
    no_pc(w, i, cx)
}

/// BFI and BFC: `imm` is msb and becomes the width, `amount` is lsb.
pub fn bitfield_insert(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    let lsb = u32::from(i.amount);
    if i.imm < lsb {
        return Verdict::Unpredictable;
    }
    i.imm = i.imm - lsb + 1;
    no_pc(w, i, cx)
}

/// SBFX and UBFX: `imm` is the width less one and becomes the width, `amount` is lsb.
pub fn bitfield_extract(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.imm += 1;
    if i.imm + u32::from(i.amount) > 32 { Verdict::Unpredictable } else { no_pc(w, i, cx) }
}

/// CRC32: unconditional, a doubleword only in A64.
pub fn crc32(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    if i.size == 3 || i.cond != cond::AL { Verdict::Unpredictable } else { no_pc(w, i, cx) }
}

// ---- status and system registers

/// MSR from a register: `size` is the byte mask.
pub fn msr_reg(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    if i.size == 0 { Verdict::Unpredictable } else { no_pc(w, i, cx) }
}

/// MSR of an immediate. Without a mask it is one of the hints, which have lines of their own.
pub fn msr_imm(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    if i.size == 0 { Verdict::Undefined } else { a32_const(w, i, cx) }
}

/// MRC: Rt = 15 is the condition flags, Rt = 13 is UNPREDICTABLE in T32.
pub fn mrc(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    unless(cx.thumb && i.rd == 13)
}

/// SETEND: user programs are little-endian, SETEND BE is taken for UNDEFINED, as with `SCTLR.SED`.
pub fn setend(w: u32, _: &mut Inst, _: Context) -> Verdict {
    if w >> 9 & 1 != 0 { Verdict::Undefined } else { Verdict::Valid }
}

// ---- branches

/// B and BL: the target address in `imm`.
pub fn a32_branch(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.imm = cx.pc.wrapping_add(((i.imm << 8) as i32 >> 6) as u32);
    Verdict::Valid
}

/// BLX to T32: bit H is bit 1 of the offset.
pub fn a32_blx(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    a32_branch(w, i, cx);
    i.imm = i.imm.wrapping_add(w >> 23 & 2);
    Verdict::Valid
}
