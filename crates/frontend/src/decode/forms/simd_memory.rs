//! Advanced SIMD element and structure loads and stores (Arm ARM A7.7).
//!
//! Every form leaves the alignment in bytes in `ra` (1: none), the distance between a structure's registers in `shift` and
//! its own count or index in `amount`. The base is written back unless Rm is 15; by the transfer's size when Rm is 13.

use super::super::{Context, Verdict};
use crate::inst::Inst;

/// The common end: a structure of `elements` registers, the last of which must exist, and a base that is not the PC.
fn structure(i: &mut Inst, elements: u8, align: u8, consecutive: u8) -> Verdict {
    i.ra = align;
    i.set(Inst::W, i.rm != 15);
    let last = i.rd + (elements - 1) * i.shift + consecutive - 1;
    if i.rn == 15 || last > 31 { Verdict::Unpredictable } else { Verdict::Valid }
}

/// The alignment of the multiple-structure forms.
fn align_of(w: u32) -> u8 {
    match w >> 4 & 3 {
        0 => 1,
        n => 4 << n,
    }
}

/// VLD1, VST1 of one to four registers: their number in `amount`.
pub fn vec_multiple1(w: u32, i: &mut Inst, _: Context) -> Verdict {
    let align = w >> 4 & 3;
    let (registers, undefined) = match w >> 8 & 15 {
        7 => (1, align & 2 != 0),
        10 => (2, align == 3),
        6 => (3, align & 2 != 0),
        _ => (4, false),
    };
    if undefined {
        return Verdict::Undefined;
    }
    (i.amount, i.shift) = (registers, 1);
    structure(i, 1, align_of(w), registers)
}

/// VLD2, VST2: one structure per register, or two consecutive ones (`amount`).
pub fn vec_multiple2(w: u32, i: &mut Inst, _: Context) -> Verdict {
    let kind = w >> 8 & 15;
    if i.size == 3 || kind != 3 && w >> 4 & 3 == 3 {
        return Verdict::Undefined;
    }
    (i.amount, i.shift) = match kind {
        8 => (1, 1),
        9 => (1, 2),
        _ => (2, 2),
    };
    structure(i, 2, align_of(w), i.amount)
}

/// VLD3, VST3.
pub fn vec_multiple3(w: u32, i: &mut Inst, _: Context) -> Verdict {
    if i.size == 3 || w >> 5 & 1 == 1 {
        return Verdict::Undefined;
    }
    (i.amount, i.shift) = (1, 1 + (w >> 8 & 1) as u8);
    structure(i, 3, align_of(w), 1)
}

/// VLD4, VST4.
pub fn vec_multiple4(w: u32, i: &mut Inst, _: Context) -> Verdict {
    if i.size == 3 {
        return Verdict::Undefined;
    }
    (i.amount, i.shift) = (1, 1 + (w >> 8 & 1) as u8);
    structure(i, 4, align_of(w), 1)
}

/// The single-element forms: `index_align` holds the index above the bits that give distance and alignment. Size 11 is
/// the all-lanes space.
fn lane(w: u32, i: &mut Inst, elements: u8) -> Verdict {
    if i.size == 3 {
        return Verdict::Next;
    }
    let index_align = (w >> 4 & 15) as u8;
    let low = index_align & ((2 << i.size) - 1);
    i.amount = index_align >> (i.size + 1);
    // Of `low` the top bit is the distance, where the element's size leaves room for it; VLD1 has none.
    let spaced = elements > 1 && i.size > 0;
    i.shift = if spaced && low >> i.size & 1 != 0 { 2 } else { 1 };
    let align = if spaced { low & !(1 << i.size) } else { low };
    let bytes = 1u8 << i.size;
    let align = match (elements, i.size, align) {
        (_, _, 0) => 1,
        (1, 1, 1) => 2,
        (1, 2, 3) => 4,
        (2, _, 1) => 2 * bytes,
        (4, 0 | 1, 1) => 4 * bytes,
        (4, 2, 1) => 8,
        (4, 2, 2) => 16,
        _ => return Verdict::Undefined,
    };
    structure(i, elements, align, 1)
}

/// VLD1, VST1, one element.
pub fn vec_lane1(w: u32, i: &mut Inst, _: Context) -> Verdict {
    lane(w, i, 1)
}

/// VLD2, VST2, one structure.
pub fn vec_lane2(w: u32, i: &mut Inst, _: Context) -> Verdict {
    lane(w, i, 2)
}

/// VLD3, VST3, one structure.
pub fn vec_lane3(w: u32, i: &mut Inst, _: Context) -> Verdict {
    lane(w, i, 3)
}

/// VLD4, VST4, one structure.
pub fn vec_lane4(w: u32, i: &mut Inst, _: Context) -> Verdict {
    lane(w, i, 4)
}

/// VLD1 to all lanes of `amount` registers.
pub fn vec_all1(w: u32, i: &mut Inst, _: Context) -> Verdict {
    let aligned = w >> 4 & 1 != 0;
    if i.size == 3 || i.size == 0 && aligned {
        return Verdict::Undefined;
    }
    (i.amount, i.shift) = (1 + (w >> 5 & 1) as u8, 1);
    structure(i, 1, if aligned { 1 << i.size } else { 1 }, i.amount)
}

/// VLD2 to all lanes.
pub fn vec_all2(w: u32, i: &mut Inst, _: Context) -> Verdict {
    if i.size == 3 {
        return Verdict::Undefined;
    }
    (i.amount, i.shift) = (1, 1 + (w >> 5 & 1) as u8);
    structure(i, 2, if w >> 4 & 1 != 0 { 2 << i.size } else { 1 }, 1)
}

/// VLD3 to all lanes.
pub fn vec_all3(w: u32, i: &mut Inst, _: Context) -> Verdict {
    if i.size == 3 || w >> 4 & 1 != 0 {
        return Verdict::Undefined;
    }
    (i.amount, i.shift) = (1, 1 + (w >> 5 & 1) as u8);
    structure(i, 3, 1, 1)
}

/// VLD4 to all lanes. Size 11 is words whose structure is aligned to 16 bytes.
pub fn vec_all4(w: u32, i: &mut Inst, _: Context) -> Verdict {
    let aligned = w >> 4 & 1 != 0;
    let align = match (i.size, aligned) {
        (3, false) => return Verdict::Undefined,
        (_, false) => 1,
        (3, true) => 16,
        (2, true) => 8,
        (size, true) => 4 << size,
    };
    i.size = i.size.min(2);
    (i.amount, i.shift) = (1, 1 + (w >> 5 & 1) as u8);
    structure(i, 4, align, 1)
}
