//! Loads and stores of A32. `word_*` forms may transfer the PC, `narrow_*` (bytes, halfwords, unprivileged) may not.

use super::super::{Context, Verdict};
use super::integer::{decode_imm_shift, no_pc, unless};
use crate::inst::Inst;

/// Post-indexed addressing writes the base back whatever bit W says: there it only means "unprivileged".
fn write_back(i: &mut Inst) -> bool {
    if !i.has(Inst::P) {
        i.set(Inst::W, true);
    }
    i.has(Inst::W)
}

/// Word, immediate offset.
pub fn word_imm(_: u32, i: &mut Inst, _: Context) -> Verdict {
    unless(write_back(i) && (i.rn == 15 || i.rn == i.rd))
}

/// Byte or halfword, immediate offset.
pub fn narrow_imm(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    if i.rd == 15 { Verdict::Unpredictable } else { word_imm(w, i, cx) }
}

/// Word, register offset.
pub fn word_reg(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    decode_imm_shift(i);
    if i.rm == 15 { Verdict::Unpredictable } else { word_imm(w, i, cx) }
}

/// Byte or halfword, register offset.
pub fn narrow_reg(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    if i.rd == 15 { Verdict::Unpredictable } else { word_reg(w, i, cx) }
}

/// Word at a label: its address in `imm`.
pub fn word_lit(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    let base = cx.pc & !3;
    i.imm = if i.has(Inst::U) { base.wrapping_add(i.imm) } else { base.wrapping_sub(i.imm) };
    Verdict::Valid
}

/// Byte or halfword at a label.
pub fn narrow_lit(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    if i.rd == 15 { Verdict::Unpredictable } else { word_lit(w, i, cx) }
}

/// Rt2 of A32's doubleword transfers: Rt + 1, Rt even and not the link register.
fn second_register(i: &mut Inst) -> bool {
    let good = i.rd & 1 == 0 && i.rd != 14;
    i.ra = (i.rd + 1) & 15;
    good
}

/// Doubleword, immediate offset.
pub fn dual_imm(_: u32, i: &mut Inst, _: Context) -> Verdict {
    let unprivileged = !i.has(Inst::P) && i.has(Inst::W);
    let good = second_register(i) && !unprivileged;
    unless(!good || write_back(i) && (i.rn == 15 || i.rn == i.rd || i.rn == i.ra))
}

/// Doubleword load or store, register offset; the offset register of a load is not loaded.
pub fn dual_reg(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    let verdict = dual_imm(w, i, cx);
    let load = w >> 5 & 1 == 0;
    if i.rm == 15 || load && (i.rm == i.rd || i.rm == i.ra) { Verdict::Unpredictable } else { verdict }
}

/// Doubleword at a label.
pub fn dual_lit(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    if second_register(i) { word_lit(w, i, cx) } else { Verdict::Unpredictable }
}

/// PLD, PLDW and PLI, immediate offset.
pub fn preload_imm(_: u32, i: &mut Inst, _: Context) -> Verdict {
    i.set(Inst::P, true);
    Verdict::Valid
}

/// PLD, PLDW and PLI, register offset.
pub fn preload_reg(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    decode_imm_shift(i);
    if i.rm == 15 { Verdict::Unpredictable } else { preload_imm(w, i, cx) }
}

/// LDM and STM: P and U name the mode, `imm` is the register list.
pub fn block(w: u32, i: &mut Inst, _: Context) -> Verdict {
    i.set(Inst::P, w >> 24 & 1 != 0);
    i.set(Inst::U, w >> 23 & 1 != 0);
    i.set(Inst::W, w >> 21 & 1 != 0);
    let load = w >> 20 & 1 != 0;
    let base_loaded = load && i.has(Inst::W) && i.imm >> i.rn & 1 != 0;
    unless(i.rn == 15 || i.imm == 0 || base_loaded)
}

/// LDM and STM with SP as base, which the lines of PUSH and POP leave out.
pub fn stack(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.rn = 13;
    block(w, i, cx)
}

// ---- synchronization

/// SWP: the base is neither the source nor the destination.
pub fn swap(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    if i.rn == i.rd || i.rn == i.rm { Verdict::Unpredictable } else { no_pc(w, i, cx) }
}

/// LDREXD: an even Rt, Rt2 follows.
pub fn load_exclusive_dual(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    if second_register(i) { no_pc(w, i, cx) } else { Verdict::Unpredictable }
}

/// STREX: the status register `rm` is neither the base nor the source.
pub fn store_exclusive(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    if i.rm == i.rn || i.rm == i.rd { Verdict::Unpredictable } else { no_pc(w, i, cx) }
}

/// STREXD: an even Rt, Rt2 follows.
pub fn store_exclusive_dual(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    if !second_register(i) || i.rm == i.ra { Verdict::Unpredictable } else { store_exclusive(w, i, cx) }
}
