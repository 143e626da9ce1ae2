//! VFP: register numbers of either precision, immediates, transfers (Arm ARM A7.4 to A7.9).

use super::super::{Context, Verdict};
use crate::inst::Inst;

/// `amount` of a VCVT that rounds towards zero. 0 to 3 are the `RM` field of VCVTA, VCVTN, VCVTP, VCVTM.
pub const TOWARDS_ZERO: u8 = 4;

/// `size` of singles and doubles.
const SINGLE: u8 = 2;
const DOUBLE: u8 = 3;

/// The tables collect a register's bits most significant first: D:Vd, Vn:N, M:Vm. Of these a single reads Vd:D, Vn:N,
/// Vm:M, a double D:Vd, N:Vn, M:Vm.
fn bit_last(raw: u8) -> u8 {
    (raw << 1 | raw >> 4) & 31
}

fn bit_first(raw: u8) -> u8 {
    raw >> 1 | (raw & 1) << 4
}

/// Registers of one precision, given by bit 8.
pub fn vfp(_: u32, i: &mut Inst, _: Context) -> Verdict {
    if i.size == 0 {
        (i.size, i.rd, i.rm) = (SINGLE, bit_last(i.rd), bit_last(i.rm));
    } else {
        (i.size, i.rn) = (DOUBLE, bit_first(i.rn));
    }
    Verdict::Valid
}

/// `VFPExpandImm`: the value's bits in `imm`; of a double the high word, its low word is zero.
pub fn vfp_immediate(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    let double = i.size != 0;
    let (sign, exponent, fraction) = (i.imm >> 7, i.imm >> 4 & 7, i.imm & 15);
    // exp = NOT(imm8<6>):Replicate(imm8<6>):imm8<5:4>
    let (width, places) = if double { (11, 16) } else { (8, 19) };
    let replicated = if exponent & 4 != 0 { (1 << (width - 3)) - 1 } else { 0 };
    let exponent = (exponent >> 2 ^ 1) << (width - 1) | replicated << 2 | exponent & 3;
    i.imm = sign << 31 | exponent << (places + 4) | fraction << places;
    vfp(w, i, cx)
}

/// VCVTB and VCVTT: `shift` is 1 for the top half. The half-precision side is a single register.
pub fn vfp_half(w: u32, i: &mut Inst, _: Context) -> Verdict {
    let (to_half, double) = (w >> 16 & 1 != 0, w >> 8 & 1 != 0);
    i.size = if double { DOUBLE } else { SINGLE };
    if !double || to_half {
        i.rd = bit_last(i.rd);
    }
    if !double || !to_half {
        i.rm = bit_last(i.rm);
    }
    Verdict::Valid
}

/// Double from single.
pub fn vfp_widen(_: u32, i: &mut Inst, _: Context) -> Verdict {
    i.rm = bit_last(i.rm);
    Verdict::Valid
}

/// Single from double.
pub fn vfp_narrow(_: u32, i: &mut Inst, _: Context) -> Verdict {
    i.rd = bit_last(i.rd);
    Verdict::Valid
}

/// Integer in a single register to floating point.
pub fn vfp_from_int(_: u32, i: &mut Inst, _: Context) -> Verdict {
    i.rm = bit_last(i.rm);
    if i.size == 0 {
        (i.size, i.rd) = (SINGLE, bit_last(i.rd));
    } else {
        i.size = DOUBLE;
    }
    Verdict::Valid
}

/// Floating point to an integer in a single register.
pub fn vfp_to_int(_: u32, i: &mut Inst, _: Context) -> Verdict {
    i.rd = bit_last(i.rd);
    if i.size == 0 {
        (i.size, i.rm) = (SINGLE, bit_last(i.rm));
    } else {
        i.size = DOUBLE;
    }
    i.amount = TOWARDS_ZERO; // VCVTR is an operation of its own
    Verdict::Valid
}

/// The same with a rounding of the instruction's own (VCVTA, VCVTN, VCVTP, VCVTM).
pub fn vfp_to_int_rm(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    let rounding = i.amount;
    let verdict = vfp_to_int(w, i, cx);
    i.amount = rounding;
    verdict
}

/// Fixed point in place: `imm` fraction bits of `amount` (16 or 32), signed where `shift` is 1.
pub fn vfp_fixed(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.amount = if w >> 7 & 1 != 0 { 32 } else { 16 };
    i.shift = u8::from(!i.has(Inst::U));
    let imm5 = (w & 15) << 1 | w >> 5 & 1;
    match u32::from(i.amount).checked_sub(imm5) {
        Some(fraction) => i.imm = fraction,
        None => return Verdict::Unpredictable,
    }
    vfp(w, i, cx)
}

/// VLDR and VSTR: `imm` is the offset in bytes. Where the base is the PC, `imm` is the address.
pub fn vfp_address(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    if i.rn == 15 && cx.thumb && w >> 20 & 1 == 0 {
        return Verdict::Unpredictable;
    }
    i.imm *= 4;
    if i.rn == 15 {
        let base = cx.pc & !3;
        i.imm = if i.has(Inst::U) { base.wrapping_add(i.imm) } else { base.wrapping_sub(i.imm) };
    }
    let rn = i.rn;
    let verdict = vfp(w, i, cx);
    i.rn = rn;
    verdict
}

/// VLDM and VSTM: `amount` registers, `imm` bytes of write-back. P is set for decrement-before.
pub fn vfp_multiple(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    let decrement = w >> 24 & 1 != 0;
    if decrement {
        if i.has(Inst::U) {
            return Verdict::Undefined;
        }
        i.set(Inst::W, true);
    } else if !i.has(Inst::U) {
        // P = U = W = 0 are the 64-bit transfers, P = U = 0 with W = 1 is nothing.
        return Verdict::Next;
    }
    i.set(Inst::P, decrement);
    if i.rn == 15 && (i.has(Inst::W) || cx.thumb) {
        return Verdict::Unpredictable;
    }
    // FLDMX and FSTMX move the same registers and count one word more.
    let count = if i.size == 0 { i.imm } else { i.imm / 2 };
    i.imm *= 4;
    let rn = i.rn;
    vfp(w, i, cx);
    i.rn = rn;
    let most = if i.size == DOUBLE { 16 } else { 32 };
    if count == 0 || count > most || u32::from(i.rd) + count > 32 {
        return Verdict::Unpredictable;
    }
    i.amount = count as u8;
    Verdict::Valid
}

/// VMOV between a core register and a single.
pub fn vfp_core_single(_: u32, i: &mut Inst, _: Context) -> Verdict {
    if i.rd == 15 { Verdict::Unpredictable } else { Verdict::Valid }
}

/// VMOV between a core register and a scalar: the lane of `1 << size` bytes starts at bit `imm` of the doubleword.
pub fn vfp_scalar(w: u32, i: &mut Inst, _: Context) -> Verdict {
    let opc = (w >> 21 & 3) << 2 | w >> 5 & 3;
    let to_core = w >> 20 & 1 != 0;
    (i.size, i.imm) = if opc & 8 != 0 {
        (0, (opc & 7) * 8)
    } else if opc & 1 != 0 {
        (1, (opc >> 1 & 3) * 16)
    } else if opc & 2 == 0 && !(to_core && i.has(Inst::U)) {
        (2, (opc >> 2 & 1) * 32)
    } else {
        return Verdict::Undefined;
    };
    i.rn = bit_first(i.rn);
    if i.rd == 15 { Verdict::Unpredictable } else { Verdict::Valid }
}

/// VDUP from a core register: `size` of the element.
pub fn vfp_duplicate(w: u32, i: &mut Inst, _: Context) -> Verdict {
    i.size = match (w >> 22 & 1, w >> 5 & 1) {
        (0, 0) => 2,
        (0, 1) => 1,
        (1, 0) => 0,
        _ => return Verdict::Undefined,
    };
    i.rn = bit_first(i.rn);
    if i.has(Inst::Q) && i.rn & 1 != 0 {
        return Verdict::Undefined;
    }
    if i.rd == 15 { Verdict::Unpredictable } else { Verdict::Valid }
}

/// Two core registers and two singles.
pub fn vfp_cores_pair(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.rm = bit_last(i.rm);
    if i.rm == 31 { Verdict::Unpredictable } else { vfp_cores_d(w, i, cx) }
}

/// Two core registers and a double.
pub fn vfp_cores_d(w: u32, i: &mut Inst, _: Context) -> Verdict {
    let to_core = w >> 20 & 1 != 0;
    if i.rd == 15 || i.ra == 15 || to_core && i.rd == i.ra { Verdict::Unpredictable } else { Verdict::Valid }
}

/// VMSR.
pub fn vfp_vmsr(_: u32, i: &mut Inst, _: Context) -> Verdict {
    if i.rd == 15 { Verdict::Unpredictable } else { Verdict::Valid }
}
