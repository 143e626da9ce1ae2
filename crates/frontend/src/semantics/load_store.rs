//! Loads and stores of one register or two (Arm ARM A4.6).
//!
//! Registers are written after every access has succeeded, so that a fault leaves the instruction undone.

use super::data_processing::shift_imm;
use crate::inst::Inst;
use crate::machine::{Integer, Size};

/// Where the offset comes from.
#[derive(Clone, Copy)]
enum Offset {
    Immediate,
    Register,
}

/// The address of the access, and what the base register becomes, if it is written back.
#[inline(always)]
fn address<M: Integer>(m: &mut M, i: &Inst, offset: Offset) -> (M::W, Option<M::W>) {
    let base = m.reg(i.rn);
    let moved = match offset {
        Offset::Immediate if i.imm == 0 => base,
        Offset::Immediate => {
            let by = m.word(if i.has(Inst::U) { i.imm } else { i.imm.wrapping_neg() });
            m.add(base, by)
        }
        Offset::Register => {
            let rm = m.reg(i.rm);
            let by = shift_imm(m, i, rm);
            if i.has(Inst::U) { m.add(base, by) } else { m.sub(base, by) }
        }
    };
    (if i.has(Inst::P) { moved } else { base }, i.has(Inst::W).then_some(moved))
}

#[inline(always)]
fn write_back<M: Integer>(m: &mut M, i: &Inst, base: Option<M::W>) {
    if let Some(base) = base {
        m.set_reg(i.rn, base);
    }
}

/// `LoadWritePC` where Rt is the PC.
#[inline(always)]
pub(super) fn write_loaded<M: Integer>(m: &mut M, rt: u8, value: M::W) {
    if rt == 15 { m.bx(value) } else { m.set_reg(rt, value) }
}

#[inline(always)]
fn load<M: Integer>(m: &mut M, i: &Inst, size: Size, offset: Offset) {
    let (address, base) = address(m, i, offset);
    let value = m.load(size, address);
    write_back(m, i, base);
    write_loaded(m, i.rd, value);
}

#[inline(always)]
fn load_literal<M: Integer>(m: &mut M, i: &Inst, size: Size) {
    let address = m.word(i.imm);
    let value = m.load(size, address);
    write_loaded(m, i.rd, value);
}

#[inline(always)]
fn store<M: Integer>(m: &mut M, i: &Inst, size: Size, offset: Offset) {
    let (address, base) = address(m, i, offset);
    let value = m.reg(i.rd);
    m.store(size, address, value);
    write_back(m, i, base);
}

macro_rules! loads {
    ($($(#[$doc:meta])* $imm:ident $lit:ident $reg:ident $size:expr;)*) => {$(
        $(#[$doc])*
        pub fn $imm<M: Integer>(m: &mut M, i: &Inst) {
            load(m, i, $size, Offset::Immediate)
        }

        $(#[$doc])*
        pub fn $lit<M: Integer>(m: &mut M, i: &Inst) {
            load_literal(m, i, $size)
        }

        $(#[$doc])*
        pub fn $reg<M: Integer>(m: &mut M, i: &Inst) {
            load(m, i, $size, Offset::Register)
        }
    )*};
}

macro_rules! stores {
    ($($(#[$doc:meta])* $imm:ident $reg:ident $size:expr;)*) => {$(
        $(#[$doc])*
        pub fn $imm<M: Integer>(m: &mut M, i: &Inst) {
            store(m, i, $size, Offset::Immediate)
        }

        $(#[$doc])*
        pub fn $reg<M: Integer>(m: &mut M, i: &Inst) {
            store(m, i, $size, Offset::Register)
        }
    )*};
}

loads! {
    /// `LDR<c> <Rt>, <address>`
    ldr_imm ldr_lit ldr_reg Size::W;
    /// `LDRB<c> <Rt>, <address>`
    ldrb_imm ldrb_lit ldrb_reg Size::U8;
    /// `LDRH<c> <Rt>, <address>`
    ldrh_imm ldrh_lit ldrh_reg Size::U16;
    /// `LDRSB<c> <Rt>, <address>`
    ldrsb_imm ldrsb_lit ldrsb_reg Size::S8;
    /// `LDRSH<c> <Rt>, <address>`
    ldrsh_imm ldrsh_lit ldrsh_reg Size::S16;
}

stores! {
    /// `STR<c> <Rt>, <address>`
    str_imm str_reg Size::W;
    /// `STRB<c> <Rt>, <address>`
    strb_imm strb_reg Size::U8;
    /// `STRH<c> <Rt>, <address>`
    strh_imm strh_reg Size::U16;
}

#[inline(always)]
fn write_pair<M: Integer>(m: &mut M, i: &Inst, value: M::L) {
    let (t, t2) = (m.lo(value), m.hi(value));
    m.set_reg(i.rd, t);
    m.set_reg(i.ra, t2);
}

#[inline(always)]
fn load_dual<M: Integer>(m: &mut M, i: &Inst, offset: Offset) {
    let (address, base) = address(m, i, offset);
    let value = m.load64(address);
    write_back(m, i, base);
    write_pair(m, i, value);
}

#[inline(always)]
fn store_dual<M: Integer>(m: &mut M, i: &Inst, offset: Offset) {
    let (address, base) = address(m, i, offset);
    let (t, t2) = (m.reg(i.rd), m.reg(i.ra));
    let value = m.pair(t, t2);
    m.store64(address, value);
    write_back(m, i, base);
}

/// `LDRD<c> <Rt>, <Rt2>, [<Rn>, #<imm>]`
pub fn ldrd_imm<M: Integer>(m: &mut M, i: &Inst) {
    load_dual(m, i, Offset::Immediate);
}

/// `LDRD<c> <Rt>, <Rt2>, <label>`
pub fn ldrd_lit<M: Integer>(m: &mut M, i: &Inst) {
    let address = m.word(i.imm);
    let value = m.load64(address);
    write_pair(m, i, value);
}

/// `LDRD<c> <Rt>, <Rt2>, [<Rn>, <Rm>]`
pub fn ldrd_reg<M: Integer>(m: &mut M, i: &Inst) {
    load_dual(m, i, Offset::Register);
}

/// `STRD<c> <Rt>, <Rt2>, [<Rn>, #<imm>]`
pub fn strd_imm<M: Integer>(m: &mut M, i: &Inst) {
    store_dual(m, i, Offset::Immediate);
}

/// `STRD<c> <Rt>, <Rt2>, [<Rn>, <Rm>]`
pub fn strd_reg<M: Integer>(m: &mut M, i: &Inst) {
    store_dual(m, i, Offset::Register);
}

/// The four modes of LDM and STM: the lowest address, and what the base becomes.
#[inline(always)]
fn block<M: Integer>(m: &mut M, i: &Inst) -> (M::W, M::W) {
    let bytes = i.imm.count_ones() * 4;
    let (first, moved) = match (i.has(Inst::P), i.has(Inst::U)) {
        (false, true) => (0, bytes),
        (true, true) => (4, bytes),
        (true, false) => (bytes.wrapping_neg(), bytes.wrapping_neg()),
        (false, false) => (4u32.wrapping_sub(bytes), bytes.wrapping_neg()),
    };
    let base = m.reg(i.rn);
    let moved_by = m.word(moved);
    let moved_base = m.add(base, moved_by);
    let lowest = if first == 0 {
        base
    } else if first == moved {
        moved_base
    } else {
        let first = m.word(first);
        m.add(base, first)
    };
    (lowest, moved_base)
}

/// The registers of a list, in ascending order, with the offset of each.
#[inline(always)]
fn listed(mut list: u32) -> impl Iterator<Item = (u8, u32)> {
    let registers = std::iter::from_fn(move || {
        let r = list.trailing_zeros() as u8;
        list &= list.wrapping_sub(1);
        (r < 16).then_some(r)
    });
    registers.zip((0..).step_by(4))
}

#[inline(always)]
fn at<M: Integer>(m: &mut M, lowest: M::W, offset: u32) -> M::W {
    if offset == 0 {
        return lowest;
    }
    let offset = m.word(offset);
    m.add(lowest, offset)
}

/// `LDM{IA,IB,DA,DB}<c> <Rn>{!}, <registers>`; POP.
pub fn ldm<M: Integer>(m: &mut M, i: &Inst) {
    let (lowest, base) = block(m, i);
    let mut values = [lowest; 16];
    for (r, offset) in listed(i.imm) {
        let address = at(m, lowest, offset);
        values[usize::from(r)] = m.load(Size::W, address);
    }
    write_back(m, i, i.has(Inst::W).then_some(base));
    for (r, _) in listed(i.imm) {
        write_loaded(m, r, values[usize::from(r)]);
    }
}

/// `STM{IA,IB,DA,DB}<c> <Rn>{!}, <registers>`; PUSH. A listed base is stored as it was.
pub fn stm<M: Integer>(m: &mut M, i: &Inst) {
    let (lowest, base) = block(m, i);
    for (r, offset) in listed(i.imm) {
        let (address, value) = (at(m, lowest, offset), m.reg(r));
        m.store(Size::W, address, value);
    }
    write_back(m, i, i.has(Inst::W).then_some(base));
}

macro_rules! preloads {
    ($($(#[$doc:meta])* $immediate:ident $register:ident;)*) => {$(
        $(#[$doc])*
        pub fn $immediate<M: Integer>(m: &mut M, i: &Inst) {
            let (address, _) = address(m, i, Offset::Immediate);
            m.prefetch(address);
        }

        $(#[$doc])*
        pub fn $register<M: Integer>(m: &mut M, i: &Inst) {
            let (address, _) = address(m, i, Offset::Register);
            m.prefetch(address);
        }
    )*};
}

preloads! {
    /// `PLD <address>`
    pld_imm pld_reg;
    /// `PLDW <address>`
    pldw_imm pldw_reg;
}

macro_rules! hints {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name<M: Integer>(_: &mut M, _: &Inst) {}
    )*};
}

hints! {
    /// `PLD <label>`: a hint; literals are near the code.
    pld_lit;
    /// `PLI <address>`: a hint.
    pli;
}
