//! Thumb loads and stores, 16-bit (`t16_`) and 32-bit (`t32_`).

use super::super::{Context, Verdict};
use super::thumb::{may_branch, pc_base, predictable};
use crate::inst::{Inst, Op};

/// `[Rn, #imm]`, added, without write-back.
fn offset(i: &mut Inst) {
    i.set(Inst::P, true);
    i.set(Inst::U, true);
}

/// `[Rn, Rm]`.
pub fn t16_mem_reg(_: u32, i: &mut Inst, _: Context) -> Verdict {
    offset(i);
    Verdict::Valid
}

/// A word at `[Rn, #imm5 * 4]`.
pub fn t16_mem_word(_: u32, i: &mut Inst, _: Context) -> Verdict {
    offset(i);
    i.imm <<= 2;
    Verdict::Valid
}

/// A halfword at `[Rn, #imm5 * 2]`.
pub fn t16_mem_half(_: u32, i: &mut Inst, _: Context) -> Verdict {
    offset(i);
    i.imm <<= 1;
    Verdict::Valid
}

/// A byte at `[Rn, #imm5]`.
pub fn t16_mem_byte(_: u32, i: &mut Inst, _: Context) -> Verdict {
    offset(i);
    Verdict::Valid
}

/// A word at `[SP, #imm8 * 4]`.
pub fn t16_mem_sp(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.rn = 13;
    t16_mem_word(word, i, cx)
}

/// A word at `[PC, #imm8 * 4]`: the address in `imm`.
pub fn t16_ldr_lit(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.imm = pc_base(cx).wrapping_add(i.imm << 2);
    Verdict::Valid
}

/// PUSH: STMDB SP!, the ninth bit of the list is the LR.
pub fn t16_push(_: u32, i: &mut Inst, _: Context) -> Verdict {
    i.imm = i.imm & 0xff | (i.imm & 0x100) << 6;
    i.rn = 13;
    i.set(Inst::P, true);
    i.set(Inst::W, true);
    predictable(i.imm != 0)
}

/// POP: LDMIA SP!, the ninth bit of the list is the PC.
pub fn t16_pop(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.imm = i.imm & 0xff | (i.imm & 0x100) << 7;
    i.rn = 13;
    i.set(Inst::U, true);
    i.set(Inst::W, true);
    predictable(i.imm != 0 && (i.imm >> 15 == 0 || may_branch(cx)))
}

/// STMIA Rn!.
pub fn t16_stm(_: u32, i: &mut Inst, _: Context) -> Verdict {
    i.set(Inst::U, true);
    i.set(Inst::W, true);
    predictable(i.imm != 0)
}

/// LDMIA, with write-back when the base is not loaded.
pub fn t16_ldm(_: u32, i: &mut Inst, _: Context) -> Verdict {
    i.set(Inst::U, true);
    i.set(Inst::W, i.imm >> i.rn & 1 == 0);
    predictable(i.imm != 0)
}

/// What all 32-bit multiple transfers ask of base and list.
fn multiple(i: &Inst) -> bool {
    i.rn != 15
        && i.imm.count_ones() >= 2
        && !(i.has(Inst::W) && i.imm >> i.rn & 1 != 0)
        && i.imm & 0x2000 == 0
}

/// STMIA.
pub fn t32_stm(_: u32, i: &mut Inst, _: Context) -> Verdict {
    i.set(Inst::U, true);
    predictable(multiple(i) && i.imm & 0x8000 == 0)
}

/// STMDB.
pub fn t32_stmdb(_: u32, i: &mut Inst, _: Context) -> Verdict {
    i.set(Inst::P, true);
    predictable(multiple(i) && i.imm & 0x8000 == 0)
}

fn load_multiple(i: &Inst, cx: Context) -> Verdict {
    predictable(multiple(i) && i.imm >> 14 != 3 && (i.imm & 0x8000 == 0 || may_branch(cx)))
}

/// LDMIA.
pub fn t32_ldm(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.set(Inst::U, true);
    load_multiple(i, cx)
}

/// LDMDB.
pub fn t32_ldmdb(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.set(Inst::P, true);
    load_multiple(i, cx)
}

/// STREX and its relatives: the status is `rm`, Rt `rd`, Rt2 `ra`. STREX alone has an offset, imm8 * 4.
pub fn t32_strex(_: u32, i: &mut Inst, _: Context) -> Verdict {
    i.imm <<= 2;
    let two = matches!(i.op, Op::STREXD | Op::STLEXD);
    let pc = [i.rd, i.rn, i.rm, i.ra].contains(&15);
    predictable(!pc && i.rm != i.rn && i.rm != i.rd && !(two && i.rm == i.ra))
}

/// LDREX and its relatives of one register. LDREX alone has an offset, imm8 * 4.
pub fn t32_ldrex(_: u32, i: &mut Inst, _: Context) -> Verdict {
    i.imm <<= 2;
    predictable(i.rd != 15 && i.rn != 15)
}

/// LDREXD, LDAEXD.
pub fn t32_ldrexd(_: u32, i: &mut Inst, _: Context) -> Verdict {
    predictable(![i.rd, i.ra, i.rn].contains(&15) && i.rd != i.ra)
}

/// Is this corner of the dual space another instruction?
fn not_dual(i: &Inst) -> bool {
    !i.has(Inst::P) && !i.has(Inst::W)
}

/// STRD.
pub fn t32_strd(_: u32, i: &mut Inst, _: Context) -> Verdict {
    if not_dual(i) {
        return Verdict::Next;
    }
    i.imm <<= 2;
    let writes_source = i.has(Inst::W) && (i.rn == i.rd || i.rn == i.ra);
    predictable(!writes_source && ![i.rd, i.ra, i.rn].contains(&15))
}

/// LDRD.
pub fn t32_ldrd(_: u32, i: &mut Inst, _: Context) -> Verdict {
    if not_dual(i) {
        return Verdict::Next;
    }
    i.imm <<= 2;
    let loads_base = i.has(Inst::W) && (i.rn == i.rd || i.rn == i.ra);
    predictable(!loads_base && i.rd != 15 && i.ra != 15 && i.rd != i.ra)
}

/// LDRD from a PC-relative address, which stands in `imm`.
pub fn t32_ldrd_lit(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    if not_dual(i) {
        return Verdict::Next;
    }
    i.imm <<= 2;
    literal(i, cx);
    predictable(!i.has(Inst::W) && i.rd != 15 && i.ra != 15 && i.rd != i.ra)
}

/// TBB, TBH.
pub fn t32_table(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    predictable(i.rm != 15 && may_branch(cx))
}

/// `imm` becomes the address Align(PC, 4) plus or minus itself.
fn literal(i: &mut Inst, cx: Context) {
    let base = pc_base(cx);
    i.imm = if i.has(Inst::U) { base.wrapping_add(i.imm) } else { base.wrapping_sub(i.imm) };
}

// With Rn = PC a load is another line's (PC-relative, with more kinds of offset) and a store UNDEFINED, as no line is
// left: the forms below answer `Next`.

/// `[Rn, #imm12]`.
pub fn t32_mem12(_: u32, i: &mut Inst, _: Context) -> Verdict {
    offset(i);
    if i.rn == 15 { Verdict::Next } else { predictable(i.rd != 15) }
}

/// Offset, pre- and post-indexed by imm8, except for the space of the unprivileged forms.
fn indexed(i: &Inst) -> Verdict {
    let (p, w) = (i.has(Inst::P), i.has(Inst::W));
    if i.rn == 15 {
        return Verdict::Next;
    }
    if !p && !w { Verdict::Undefined } else { predictable(!(w && i.rn == i.rd)) }
}

/// `[Rn, #+/-imm8]{!}` and `[Rn], #+/-imm8`.
pub fn t32_mem8(_: u32, i: &mut Inst, _: Context) -> Verdict {
    match indexed(i) {
        Verdict::Valid => predictable(i.rd != 15),
        other => other,
    }
}

/// The unprivileged forms: in user mode they are the ordinary ones.
pub fn t32_memt(word: u32, i: &mut Inst, cx: Context) -> Verdict {
    t32_mem12(word, i, cx)
}

/// `[Rn, Rm, LSL #imm2]`.
pub fn t32_mem_reg(_: u32, i: &mut Inst, _: Context) -> Verdict {
    offset(i);
    if i.rn == 15 { Verdict::Next } else { predictable(i.rd != 15 && i.rm != 15) }
}

/// PC-relative: the address in `imm`.
pub fn t32_lit(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    literal(i, cx);
    predictable(i.rd != 15)
}

/// LDR, `[Rn, #imm12]`: a load of the PC is a branch.
pub fn t32_ldr12(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    offset(i);
    if i.rn == 15 { Verdict::Next } else { predictable(i.rd != 15 || may_branch(cx)) }
}

/// LDR, indexed.
pub fn t32_ldr8(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    match indexed(i) {
        Verdict::Valid => predictable(i.rd != 15 || may_branch(cx)),
        other => other,
    }
}

/// LDR, `[Rn, Rm, LSL #imm2]`.
pub fn t32_ldr_reg(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    offset(i);
    if i.rn == 15 { Verdict::Next } else { predictable(i.rm != 15 && (i.rd != 15 || may_branch(cx))) }
}

/// LDR, PC-relative.
pub fn t32_ldr_lit(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    literal(i, cx);
    predictable(i.rd != 15 || may_branch(cx))
}

/// PLD, PLI at `[Rn, #imm12]`.
pub fn t32_hint12(_: u32, i: &mut Inst, _: Context) -> Verdict {
    offset(i);
    if i.rn == 15 { Verdict::Next } else { Verdict::Valid }
}

/// PLD, PLI at `[Rn, #-imm8]`.
pub fn t32_hint8(_: u32, i: &mut Inst, _: Context) -> Verdict {
    i.set(Inst::P, true);
    if i.rn == 15 { Verdict::Next } else { Verdict::Valid }
}

/// PLD, PLI, PC-relative.
pub fn t32_hint_lit(_: u32, i: &mut Inst, cx: Context) -> Verdict {
    literal(i, cx);
    Verdict::Valid
}
