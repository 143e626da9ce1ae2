//! Thumb: data processing, branches and control, 16-bit (`t16_`) and 32-bit (`t32_`).
//!
//! The rules are those of ARMv8 AArch32, which lets many instructions name the SP that ARMv7 forbade.

use super::super::{Context, Verdict};
use super::{decode_imm_shift, no_pc, ssat, usat};
use crate::inst::{Inst, shift};

/// UNPREDICTABLE unless `ok`.
pub(super) fn predictable(ok: bool) -> Verdict {
    if ok { Verdict::Valid } else { Verdict::Unpredictable }
}

/// May an instruction that branches stand here? Inside an IT block only at its end.
pub(super) fn may_branch(cx: Context) -> bool {
    !cx.in_it || cx.last_in_it
}

/// The PC as a base of addresses: `Align(PC, 4)`.
pub(super) fn pc_base(cx: Context) -> u32 {
    cx.pc & !3
}

/// The byte offset of a branch whose offset field has `bits` bits and counts halfwords.
fn branch_offset(field: u32, bits: u32) -> u32 {
    ((field << (32 - bits)) as i32 >> (31 - bits)) as u32
}

/// Instructions that may not stand in an IT block.
pub fn not_in_it(_: u32, _: &mut Inst, cx: Context) -> Verdict {
    predictable(!cx.in_it)
}

/// 16-bit data processing: sets the flags outside IT blocks.
pub fn t16_flags(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.set(Inst::S, !cx.in_it);
    Verdict::Valid
}

/// 16-bit data processing whose destination is its first operand too.
pub fn t16_rdn(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.rn = i.rd;
    t16_flags(word, i, cx)
}

/// MUL: the destination is its second operand too.
pub fn t16_mul(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.rm = i.rd;
    t16_flags(word, i, cx)
}

/// MOVS of two low registers always sets flags.
pub fn t16_movs(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.set(Inst::S, true);
    predictable(!cx.in_it)
}

/// LSL, LSR, ASR by an immediate.
pub fn t16_shift_imm(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.shift = (word >> 11 & 3) as u8;
    decode_imm_shift(i);
    t16_flags(word, i, cx)
}

/// LSL, LSR, ASR, ROR by a register.
pub fn t16_shift_reg(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.rm = i.rd;
    i.shift = match word >> 6 & 0xf {
        2 => shift::LSL,
        3 => shift::LSR,
        4 => shift::ASR,
        _ => shift::ROR,
    };
    t16_flags(word, i, cx)
}

/// ADD with high registers, the PC among them.
pub fn t16_add_high(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.rn = i.rd;
    predictable(!(i.rn == 15 && i.rm == 15) && (i.rd != 15 || may_branch(cx)))
}

/// CMP with high registers.
pub fn t16_cmp_high(_: u32, i: &mut Inst, _: Context) -> Verdict {
    predictable((i.rn >= 8 || i.rm >= 8) && i.rn != 15 && i.rm != 15)
}

/// MOV with high registers, the PC among them.
pub fn t16_mov_high(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    predictable(i.rd != 15 || may_branch(cx))
}

/// BX.
pub fn t16_branch(_: u32, _: &mut Inst, cx: Context) -> Verdict {
    predictable(may_branch(cx))
}

/// BLX to a register.
pub fn t16_blx(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    predictable(i.rm != 15 && may_branch(cx))
}

/// ADR: the address in `imm`.
pub fn t16_adr(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.imm = pc_base(cx).wrapping_add(i.imm << 2);
    Verdict::Valid
}

/// ADD of the SP and an immediate.
pub fn t16_add_sp(_: u32, i: &mut Inst, _: Context) -> Verdict {
    i.rn = 13;
    i.imm <<= 2;
    Verdict::Valid
}

/// ADD to and SUB from the SP.
pub fn t16_adjust_sp(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.rd = 13;
    t16_add_sp(word, i, cx)
}

/// CBZ, CBNZ: the target in `imm`.
pub fn t16_cbz(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.imm = cx.pc.wrapping_add(i.imm << 1 | (word >> 9 & 1) << 6);
    predictable(!cx.in_it)
}

/// IT: `imm` is the ITSTATE that the next instruction sees.
pub fn t16_it(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    let (first, mask) = (i.imm >> 4, i.imm & 0xf);
    // The hints have a zero mask and stand in lines of their own. AL allows no "else".
    predictable(mask != 0 && first != 15 && (first != 14 || mask.is_power_of_two()) && !cx.in_it)
}

/// B with a condition of its own.
pub fn t16_b_cond(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.imm = cx.pc.wrapping_add(branch_offset(i.imm, 8));
    predictable(!cx.in_it)
}

/// B.
pub fn t16_b(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.imm = cx.pc.wrapping_add(branch_offset(i.imm, 11));
    predictable(may_branch(cx))
}

/// `ThumbExpandImm_C` of the twelve bits in `imm` (Arm ARM A6.3.2).
fn thumb_expand_imm(i: &mut Inst) -> Verdict {
    let byte = i.imm & 0xff;
    let copies = match i.imm >> 8 {
        0 => 1,
        1 => 0x0001_0001,
        2 => 0x0100_0100,
        3 => 0x0101_0101,
        _ => {
            i.set(Inst::CARRY, true);
            i.imm = (0x80 | i.imm & 0x7f).rotate_right(i.imm >> 7);
            return Verdict::Valid;
        }
    };
    i.imm = byte * copies;
    predictable(copies == 1 || byte != 0)
}

/// Data processing with a modified immediate.
pub fn t32_const(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    match thumb_expand_imm(i) {
        Verdict::Valid => no_pc(word, i, cx),
        other => other,
    }
}

/// Data processing with a shifted register.
pub fn t32_shifted(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    decode_imm_shift(i);
    no_pc(word, i, cx)
}

/// Shifts by a register.
pub fn t32_shift_reg(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.shift = (word >> 21 & 3) as u8;
    no_pc(word, i, cx)
}

/// MOVW, MOVT: the sixteen bits are imm4:i:imm3:imm8.
pub fn t32_imm16(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.imm = (word >> 16 & 0xf) << 12 | (word >> 26 & 1) << 11 | (word >> 12 & 7) << 8 | word & 0xff;
    no_pc(word, i, cx)
}

/// ADR forwards: the address in `imm`.
pub fn t32_adr_add(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.imm = pc_base(cx).wrapping_add(i.imm);
    no_pc(word, i, cx)
}

/// ADR backwards: the address in `imm`.
pub fn t32_adr_sub(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.imm = pc_base(cx).wrapping_sub(i.imm);
    no_pc(word, i, cx)
}

/// REV, CLZ and their like hold Rm twice.
pub fn t32_same_rm(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    predictable(i.rn == i.rm && no_pc(word, i, cx) == Verdict::Valid)
}

/// SSAT. An ASR by 0 is not one by 32 but the space of SSAT16.
pub fn t32_ssat(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    if i.shift != 0 && i.amount == 0 { Verdict::Undefined } else { ssat(word, i, cx) }
}

/// USAT. An ASR by 0 is not one by 32 but the space of USAT16.
pub fn t32_usat(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    if i.shift != 0 && i.amount == 0 { Verdict::Undefined } else { usat(word, i, cx) }
}

/// CRC32: not in an IT block, a doubleword only in A64.
pub fn t32_crc32(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    if i.size == 3 || cx.in_it { Verdict::Unpredictable } else { no_pc(word, i, cx) }
}

/// SETEND: see `setend`.
pub fn t16_setend(word: u32, _: &mut Inst, cx: Context) -> Verdict {
    if word >> 3 & 1 != 0 { Verdict::Undefined } else { predictable(!cx.in_it) }
}

/// The signed offset S:J1:J2:imm10:imm11:'0' of a 32-bit branch. I1 and I2 are J1 and J2 exclusive-nor S.
fn t32_offset(word: u32) -> u32 {
    let s = word >> 26 & 1;
    let i1 = !(word >> 13 ^ s) & 1;
    let i2 = !(word >> 11 ^ s) & 1;
    let bits = s << 23 | i1 << 22 | i2 << 21 | (word >> 16 & 0x3ff) << 11 | word & 0x7ff;
    branch_offset(bits, 24)
}

/// B with a condition of its own.
pub fn t32_b_cond(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    if i.cond >= 14 {
        return Verdict::Next;
    }
    let (s, j1, j2) = (word >> 26 & 1, word >> 13 & 1, word >> 11 & 1);
    let bits = s << 19 | j2 << 18 | j1 << 17 | (word >> 16 & 0x3f) << 11 | word & 0x7ff;
    i.imm = cx.pc.wrapping_add(branch_offset(bits, 20));
    predictable(!cx.in_it)
}

/// B, BL.
pub fn t32_b(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.imm = cx.pc.wrapping_add(t32_offset(word));
    predictable(may_branch(cx))
}

/// BLX: to an A32 instruction, so the target is aligned.
pub fn t32_blx(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.imm = pc_base(cx).wrapping_add(t32_offset(word));
    predictable(may_branch(cx))
}

/// BXJ: as there is no Jazelle, BX.
pub fn t32_bxj(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    predictable(i.rm != 15 && may_branch(cx))
}

/// UDF: imm4:imm12.
pub fn t32_udf(word: u32, i: &mut Inst, _: Context) -> Verdict {
    i.imm = (word >> 16 & 0xf) << 12 | word & 0xfff;
    Verdict::Valid
}
