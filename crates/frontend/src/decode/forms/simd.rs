//! Advanced SIMD data processing (Arm ARM A7.4).
//!
//! Register fields become the numbers of D registers, 0 to 31; of a quadword register the even one. `size` is log2 of the
//! element's size in bytes.

use super::super::{Context, Verdict};
use crate::inst::Inst;

/// The registers of a line: the fields give Vn:N, the register is N:Vn; those for which `quad` says so must be even.
fn registers(i: &mut Inst, quad_d: bool, quad_n: bool, quad_m: bool) -> Verdict {
    i.rn = (i.rn & 1) << 4 | i.rn >> 1;
    let odd = quad_d && i.rd & 1 != 0 || quad_n && i.rn & 1 != 0 || quad_m && i.rm & 1 != 0;
    if odd { Verdict::Undefined } else { Verdict::Valid }
}

/// All registers are D or Q by the Q bit.
pub fn vec(_: u32, i: &mut Inst, _: Context) -> Verdict {
    let q = i.has(Inst::Q);
    registers(i, q, q, q)
}

/// As [`vec()`], for elements of the sizes (log2 of bytes) that `sizes` allows.
fn vec_sized(w: u32, i: &mut Inst, cx: Context, sizes: std::ops::RangeInclusive<u8>) -> Verdict {
    if sizes.contains(&i.size) { vec(w, i, cx) } else { Verdict::Undefined }
}

/// As [`vec()`], for elements of 8 to 32 bits.
pub fn vec_8_32(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    vec_sized(w, i, cx, 0..=2)
}

/// As [`vec()`], for elements of 8 or 16 bits.
pub fn vec_8_16(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    vec_sized(w, i, cx, 0..=1)
}

/// As [`vec()`], for elements of 16 or 32 bits.
pub fn vec_16_32(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    vec_sized(w, i, cx, 1..=2)
}

/// As [`vec()`], for words.
pub fn vec_32(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.size = 2;
    vec(w, i, cx)
}

/// As [`vec()`], for single-precision elements.
pub fn vec_f32(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    vec_32(w, i, cx)
}

/// VUZP and VZIP: words only of Q registers (of D registers it is VTRN).
pub fn vec_unzip(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    let largest = if i.has(Inst::Q) { 2 } else { 1 };
    vec_sized(w, i, cx, 0..=largest)
}

/// Different lengths, where size 11 is the space of other encodings.
fn other_lengths(i: &mut Inst, quad: [bool; 3]) -> Verdict {
    if i.size == 3 { Verdict::Next } else { registers(i, quad[0], quad[1], quad[2]) }
}

/// `Qd, Dn, Dm`
pub fn vec_long(_: u32, i: &mut Inst, _: Context) -> Verdict {
    other_lengths(i, [true, false, false])
}

/// `Qd, Dn, Dm` of 16 or 32 bits.
pub fn vec_long_16_32(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    if i.size == 0 { Verdict::Undefined } else { vec_long(w, i, cx) }
}

/// `Qd, Qn, Dm`
pub fn vec_wide(_: u32, i: &mut Inst, _: Context) -> Verdict {
    other_lengths(i, [true, true, false])
}

/// `Dd, Qn, Qm`; `Dd, Qm`
pub fn vec_narrow(_: u32, i: &mut Inst, _: Context) -> Verdict {
    other_lengths(i, [false, true, true])
}

/// VCVT from single to half precision.
pub fn vec_to_half(_: u32, i: &mut Inst, _: Context) -> Verdict {
    registers(i, false, false, true)
}

/// VCVT from half to single precision.
pub fn vec_from_half(_: u32, i: &mut Inst, _: Context) -> Verdict {
    registers(i, true, false, false)
}

/// The scalar operand: its register to `rm`, its index to `amount`.
fn scalar(i: &mut Inst) -> Verdict {
    match i.size {
        0 => Verdict::Undefined,
        1 => {
            (i.amount, i.rm) = (i.rm >> 3, i.rm & 7);
            Verdict::Valid
        }
        2 => {
            (i.amount, i.rm) = (i.rm >> 4, i.rm & 15);
            Verdict::Valid
        }
        _ => Verdict::Next,
    }
}

/// `Vd, Vn, Dm[x]`
pub fn by_scalar(_: u32, i: &mut Inst, _: Context) -> Verdict {
    let q = i.has(Inst::Q);
    match scalar(i) {
        Verdict::Valid => registers(i, q, q, false),
        other => other,
    }
}

/// `Vd, Vn, Dm[x]`, single precision.
pub fn by_scalar_f32(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.size = 2;
    by_scalar(w, i, cx)
}

/// `Qd, Dn, Dm[x]`
pub fn long_by_scalar(_: u32, i: &mut Inst, _: Context) -> Verdict {
    match scalar(i) {
        Verdict::Valid => registers(i, true, false, false),
        other => other,
    }
}

/// VEXT: the first byte in `imm`.
pub fn vec_extract(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    if !i.has(Inst::Q) && i.imm > 7 { Verdict::Undefined } else { vec(w, i, cx) }
}

/// VTBL, VTBX: the number of registers in `shift`. A list beyond d31 is UNPREDICTABLE.
pub fn vec_table(_: u32, i: &mut Inst, _: Context) -> Verdict {
    i.shift += 1;
    match registers(i, false, false, false) {
        Verdict::Valid if i.rn + i.shift > 32 => Verdict::Unpredictable,
        verdict => verdict,
    }
}

/// VDUP from a scalar: the index in `amount`.
pub fn vec_dup(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    i.size = i.imm.trailing_zeros().min(3) as u8;
    i.amount = (i.imm >> (i.size + 1)) as u8;
    if i.size > 2 {
        return Verdict::Undefined;
    }
    let m = i.rm;
    i.rm = 0;
    let verdict = vec(w, i, cx);
    i.rm = m;
    verdict
}

/// `AdvSIMDExpandImm` (Arm ARM A7.4.6) but for the 64-bit mask: the 32 bits that fill the register.
pub fn simd_immediate(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    let imm8 = i.imm;
    let cmode = w >> 8 & 15;
    i.imm = match cmode >> 1 {
        part @ 0..=3 => imm8 << (8 * part),
        part @ 4..=5 => (imm8 << (8 * (part & 1))) * 0x0001_0001,
        6 if cmode & 1 == 0 => imm8 << 8 | 0xff,
        6 => imm8 << 16 | 0xffff,
        _ if cmode & 1 == 0 => imm8 * 0x0101_0101,
        _ => {
            let exponent = if imm8 & 0x40 != 0 { 0x1f << 25 } else { 1 << 30 };
            (imm8 & 0x80) << 24 | exponent | (imm8 & 0x3f) << 19
        }
    };
    vec(w, i, cx)
}

/// The element's size of a shift, from L:imm6, and imm6 itself. `None`: the space of the modified immediates.
fn shift_size(w: u32, i: &Inst) -> Option<(u8, u8)> {
    let imm6 = i.imm as u8;
    match (w >> 7 & 1, imm6 >> 3) {
        (1, _) => Some((3, imm6)),
        (_, 0) => None,
        (_, 1) => Some((0, imm6)),
        (_, 2..=3) => Some((1, imm6)),
        _ => Some((2, imm6)),
    }
}

/// Right shifts: the amount, 1 to the element's size, in `amount`.
pub fn shift_right(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    let Some((size, imm6)) = shift_size(w, i) else { return Verdict::Next };
    i.size = size;
    i.amount = if size == 3 { 64 - imm6 } else { (16 << size) - imm6 };
    vec(w, i, cx)
}

/// Left shifts: the amount, 0 to the element's size minus 1, in `amount`.
pub fn shift_left(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    let Some((size, imm6)) = shift_size(w, i) else { return Verdict::Next };
    i.size = size;
    i.amount = if size == 3 { imm6 } else { imm6 - (8 << size) };
    vec(w, i, cx)
}

/// Narrowing right shifts: `size` is that of the result.
pub fn shift_narrow(w: u32, i: &mut Inst, _: Context) -> Verdict {
    let Some((size, imm6)) = shift_size(w, i) else { return Verdict::Next };
    i.size = size;
    i.amount = (16 << size) - imm6;
    registers(i, false, false, true)
}

/// VSHLL, and VMOVL when the amount is zero.
pub fn shift_long(w: u32, i: &mut Inst, _: Context) -> Verdict {
    let Some((size, imm6)) = shift_size(w, i) else { return Verdict::Next };
    i.size = size;
    i.amount = imm6 - (8 << size);
    registers(i, true, false, false)
}

/// VSHLL by the element's size.
pub fn shift_long_max(_: u32, i: &mut Inst, _: Context) -> Verdict {
    if i.size == 3 {
        return Verdict::Undefined;
    }
    i.amount = 8 << i.size;
    registers(i, true, false, false)
}

/// VCVT between floating and fixed point: the number of fraction bits in `amount`.
pub fn vec_fixed(w: u32, i: &mut Inst, cx: Context) -> Verdict {
    if i.imm >> 3 == 0 {
        return Verdict::Next;
    }
    if i.imm >> 5 == 0 {
        return Verdict::Undefined;
    }
    i.size = 2;
    i.amount = 64 - i.imm as u8;
    vec(w, i, cx)
}
