//! Advanced SIMD element and structure loads and stores (Arm ARM A7.7).
//!
//! Everything is loaded before a register is written, and the base is written last: a fault leaves the instruction undone.

use super::simd::unsigned;
use crate::inst::Inst;
use crate::machine::{Elem, Machine, Size, V2};

/// An address `offset` bytes on.
#[inline(always)]
fn at<M: Machine>(m: &mut M, base: M::W, offset: u32) -> M::W {
    if offset == 0 {
        return base;
    }
    let offset = m.word(offset);
    m.add(base, offset)
}

/// Writes the base back: Rm is the increment, or 13 for the size of the transfer, or 15 for none.
#[inline(always)]
fn write_back<M: Machine>(m: &mut M, i: &Inst, base: M::W, bytes: u32) {
    if i.has(Inst::W) {
        let increment = if i.rm == 13 { m.word(bytes) } else { m.reg(i.rm) };
        let base = m.add(base, increment);
        m.set_reg(i.rn, base);
    }
}

/// The alignment that the access at `offset` checks: the first one does.
fn align(i: &Inst, offset: u32) -> u32 {
    if offset == 0 { u32::from(i.ra) } else { 1 }
}

/// Loads `count` D registers' worth of bytes, two to a vector.
#[inline(always)]
fn load_all<M: Machine>(m: &mut M, i: &Inst, base: M::W, count: u8) -> [M::V; 2] {
    let zero = m.vconst(0);
    let mut loaded = [zero; 2];
    for pair in 0..count.div_ceil(2) {
        let offset = 16 * u32::from(pair);
        let bytes = if 2 * pair + 1 < count { 16 } else { 8 };
        let address = at(m, base, offset);
        loaded[usize::from(pair)] = m.vload(bytes, align(i, offset), address);
    }
    loaded
}

/// Stores `count` D registers' worth of bytes, two to a vector.
#[inline(always)]
fn store_all<M: Machine>(m: &mut M, i: &Inst, base: M::W, count: u8, values: [M::V; 2]) {
    for pair in 0..count.div_ceil(2) {
        let offset = 16 * u32::from(pair);
        let bytes = if 2 * pair + 1 < count { 16 } else { 8 };
        let address = at(m, base, offset);
        m.vstore(bytes, align(i, offset), address, values[usize::from(pair)]);
    }
}

/// Registers `first` and `second` from the halves of `v`.
#[inline(always)]
fn set_both<M: Machine>(m: &mut M, first: u8, second: u8, v: M::V) {
    if first & 1 == 0 && second == first + 1 {
        return m.set_qreg(first >> 1, v);
    }
    m.set_vdreg(first, v);
    let high = m.vhigh(v);
    m.set_vdreg(second, high);
}

/// Registers `first` and `second` as the halves of a vector.
#[inline(always)]
fn both<M: Machine>(m: &mut M, first: u8, second: u8) -> M::V {
    if first & 1 == 0 && second == first + 1 {
        return m.qreg(first >> 1);
    }
    let (low, high) = (m.vdreg(first), m.vdreg(second));
    m.vconcat(low, high)
}

// ---- multiple structures

/// `VLD1<c>.<size> <list>, [<Rn>{:<align>}]{!|, <Rm>}`
pub fn vld1<M: Machine>(m: &mut M, i: &Inst) {
    let base = m.reg(i.rn);
    let loaded = load_all(m, i, base, i.amount);
    for k in 0..i.amount / 2 {
        set_both(m, i.rd + 2 * k, i.rd + 2 * k + 1, loaded[usize::from(k)]);
    }
    if i.amount & 1 != 0 {
        m.set_vdreg(i.rd + i.amount - 1, loaded[usize::from(i.amount / 2)]);
    }
    write_back(m, i, base, 8 * u32::from(i.amount));
}

/// `VST1<c>.<size> <list>, [<Rn>{:<align>}]{!|, <Rm>}`
pub fn vst1<M: Machine>(m: &mut M, i: &Inst) {
    let base = m.reg(i.rn);
    let zero = m.vconst(0);
    let mut values = [zero; 2];
    for k in 0..i.amount / 2 {
        values[usize::from(k)] = both(m, i.rd + 2 * k, i.rd + 2 * k + 1);
    }
    if i.amount & 1 != 0 {
        values[usize::from(i.amount / 2)] = m.vdreg(i.rd + i.amount - 1);
    }
    store_all(m, i, base, i.amount, values);
    write_back(m, i, base, 8 * u32::from(i.amount));
}

/// `VLD2<c>.<size> <list>, [<Rn>{:<align>}]{!|, <Rm>}`
pub fn vld2<M: Machine>(m: &mut M, i: &Inst) {
    let e = unsigned(i);
    let base = m.reg(i.rn);
    let [low, high] = load_all(m, i, base, 2 * i.amount);
    let (first, second) = (m.v2(V2::Uzp1, e, low, high), m.v2(V2::Uzp2, e, low, high));
    if i.amount == 2 {
        set_both(m, i.rd, i.rd + 1, first);
        set_both(m, i.rd + 2, i.rd + 3, second);
    } else {
        m.set_vdreg(i.rd, first);
        m.set_vdreg(i.rd + i.shift, second);
    }
    write_back(m, i, base, 16 * u32::from(i.amount));
}

/// `VST2<c>.<size> <list>, [<Rn>{:<align>}]{!|, <Rm>}`
pub fn vst2<M: Machine>(m: &mut M, i: &Inst) {
    let e = unsigned(i);
    let base = m.reg(i.rn);
    let values = if i.amount == 2 {
        let (first, second) = (both(m, i.rd, i.rd + 1), both(m, i.rd + 2, i.rd + 3));
        [m.v2(V2::Zip1, e, first, second), m.v2(V2::Zip2, e, first, second)]
    } else {
        let (first, second) = (m.vdreg(i.rd), m.vdreg(i.rd + i.shift));
        [m.v2(V2::Zip1, e, first, second), m.vconst(0)]
    };
    store_all(m, i, base, 2 * i.amount, values);
    write_back(m, i, base, 16 * u32::from(i.amount));
}

/// The byte indices that bring structures of three elements from memory order to registers, eight bytes a register.
fn three_from_memory(e: Elem) -> [u128; 2] {
    let (bytes, lanes) = (1 << e.size(), 8 >> e.size());
    let mut index = [0u8; 32];
    for (register, lane, byte) in
        (0..3).flat_map(|r| (0..lanes).flat_map(move |l| (0..bytes).map(move |b| (r, l, b))))
    {
        index[8 * register + bytes * lane + byte] = ((3 * lane + register) * bytes + byte) as u8;
    }
    halves(index)
}

/// The byte indices that bring three registers to memory order.
fn three_to_memory(e: Elem) -> [u128; 2] {
    let [low, high] = three_from_memory(e);
    let mut index = [0u8; 32];
    for to in 0..24usize {
        let from = if to < 16 { low >> (8 * to) } else { high >> (8 * (to - 16)) } as u8;
        index[usize::from(from)] = to as u8;
    }
    halves(index)
}

fn halves(bytes: [u8; 32]) -> [u128; 2] {
    let half = |k: usize| (0..16).fold(0, |x, b| x | u128::from(bytes[k + b]) << (8 * b));
    [half(0), half(16)]
}

/// Permutes 24 bytes.
#[inline(always)]
fn permute_three<M: Machine>(m: &mut M, values: [M::V; 2], index: [u128; 2]) -> [M::V; 2] {
    let zero = m.vconst(0);
    let index = index.map(|x| m.vconst(x));
    [m.vtable(values, 24, index[0], zero), m.vtable(values, 24, index[1], zero)]
}

/// `VLD3<c>.<size> <list>, [<Rn>]{!|, <Rm>}`
pub fn vld3<M: Machine>(m: &mut M, i: &Inst) {
    let base = m.reg(i.rn);
    let loaded = load_all(m, i, base, 3);
    let [low, high] = permute_three(m, loaded, three_from_memory(unsigned(i)));
    set_both(m, i.rd, i.rd + i.shift, low);
    m.set_vdreg(i.rd + 2 * i.shift, high);
    write_back(m, i, base, 24);
}

/// `VST3<c>.<size> <list>, [<Rn>]{!|, <Rm>}`
pub fn vst3<M: Machine>(m: &mut M, i: &Inst) {
    let base = m.reg(i.rn);
    let values = [both(m, i.rd, i.rd + i.shift), m.vdreg(i.rd + 2 * i.shift)];
    let values = permute_three(m, values, three_to_memory(unsigned(i)));
    store_all(m, i, base, 3, values);
    write_back(m, i, base, 24);
}

/// `VLD4<c>.<size> <list>, [<Rn>{:<align>}]{!|, <Rm>}`
pub fn vld4<M: Machine>(m: &mut M, i: &Inst) {
    let e = unsigned(i);
    let base = m.reg(i.rn);
    let [low, high] = load_all(m, i, base, 4);
    // a b c d a b c d ... : first a c a c ... and b d b d ..., then a a ... c c ... and so on.
    let (ac, bd) = (m.v2(V2::Uzp1, e, low, high), m.v2(V2::Uzp2, e, low, high));
    let (ab, cd) = (m.v2(V2::Uzp1, e, ac, bd), m.v2(V2::Uzp2, e, ac, bd));
    set_both(m, i.rd, i.rd + i.shift, ab);
    set_both(m, i.rd + 2 * i.shift, i.rd + 3 * i.shift, cd);
    write_back(m, i, base, 32);
}

/// `VST4<c>.<size> <list>, [<Rn>{:<align>}]{!|, <Rm>}`
pub fn vst4<M: Machine>(m: &mut M, i: &Inst) {
    let e = unsigned(i);
    let base = m.reg(i.rn);
    let [a, b, c, d] = [0, 1, 2, 3].map(|k| m.vdreg(i.rd + k * i.shift));
    let (ac, bd) = (m.v2(V2::Zip1, e, a, c), m.v2(V2::Zip1, e, b, d));
    let values = [m.v2(V2::Zip1, e, ac, bd), m.v2(V2::Zip2, e, ac, bd)];
    store_all(m, i, base, 4, values);
    write_back(m, i, base, 32);
}

// ---- one structure

/// The memory access of one element of up to 32 bits.
fn element(i: &Inst) -> Size {
    match i.size {
        0 => Size::U8,
        1 => Size::U16,
        _ => Size::W,
    }
}

/// Checks the alignment that the instruction asks for and loads the elements of one structure.
#[inline(always)]
fn load_structure<M: Machine>(m: &mut M, i: &Inst, base: M::W, elements: u8) -> [M::W; 4] {
    let mut loaded = [base; 4];
    for (k, w) in loaded.iter_mut().enumerate().take(usize::from(elements)) {
        let offset = (k as u32) << i.size;
        *w = if offset == 0 && i.ra > 1 {
            let v = m.vload(1 << i.size, u32::from(i.ra), base);
            m.lane(unsigned(i), v, 0)
        } else {
            let address = at(m, base, offset);
            m.load(element(i), address)
        };
    }
    loaded
}

#[inline(always)]
fn load_lane<M: Machine>(m: &mut M, i: &Inst, elements: u8) {
    let base = m.reg(i.rn);
    let loaded = load_structure(m, i, base, elements);
    for k in 0..elements {
        let r = i.rd + k * i.shift;
        let old = m.vdreg(r);
        let new = m.set_lane(unsigned(i), old, i.amount, loaded[usize::from(k)]);
        m.set_vdreg(r, new);
    }
    write_back(m, i, base, u32::from(elements) << i.size);
}

#[inline(always)]
fn store_lane<M: Machine>(m: &mut M, i: &Inst, elements: u8) {
    let base = m.reg(i.rn);
    for k in 0..elements {
        let offset = u32::from(k) << i.size;
        let v = m.vdreg(i.rd + k * i.shift);
        if align(i, offset) > 1 {
            let v = m.vdup_lane(unsigned(i), v, i.amount);
            m.vstore(1 << i.size, align(i, offset), base, v);
        } else {
            let w = m.lane(unsigned(i), v, i.amount);
            let address = at(m, base, offset);
            m.store(element(i), address, w);
        }
    }
    write_back(m, i, base, u32::from(elements) << i.size);
}

#[inline(always)]
fn load_all_lanes<M: Machine>(m: &mut M, i: &Inst, elements: u8) {
    let base = m.reg(i.rn);
    let loaded = load_structure(m, i, base, elements);
    for k in 0..elements {
        let v = m.vdup(unsigned(i), loaded[usize::from(k)]);
        for same in 0..i.amount {
            m.set_vdreg(i.rd + k * i.shift + same, v);
        }
    }
    write_back(m, i, base, u32::from(elements) << i.size);
}

macro_rules! structures {
    ($($(#[$doc:meta])* $name:ident $function:ident $elements:literal;)*) => {
        $($(#[$doc])*
        pub fn $name<M: Machine>(m: &mut M, i: &Inst) {
            $function(m, i, $elements);
        })*
    };
}

structures! {
    /// `VLD1<c>.<size> {<Dd[x]>}, [<Rn>{:<align>}]{!|, <Rm>}`
    vld1_lane load_lane 1;
    /// `VLD2<c>.<size> {<Dd[x]>, ...}, [<Rn>{:<align>}]{!|, <Rm>}`
    vld2_lane load_lane 2;
    /// `VLD3<c>.<size> {<Dd[x]>, ...}, [<Rn>]{!|, <Rm>}`
    vld3_lane load_lane 3;
    /// `VLD4<c>.<size> {<Dd[x]>, ...}, [<Rn>{:<align>}]{!|, <Rm>}`
    vld4_lane load_lane 4;
    /// `VST1<c>.<size> {<Dd[x]>}, [<Rn>{:<align>}]{!|, <Rm>}`
    vst1_lane store_lane 1;
    /// `VST2<c>.<size> {<Dd[x]>, ...}, [<Rn>{:<align>}]{!|, <Rm>}`
    vst2_lane store_lane 2;
    /// `VST3<c>.<size> {<Dd[x]>, ...}, [<Rn>]{!|, <Rm>}`
    vst3_lane store_lane 3;
    /// `VST4<c>.<size> {<Dd[x]>, ...}, [<Rn>{:<align>}]{!|, <Rm>}`
    vst4_lane store_lane 4;
    /// `VLD1<c>.<size> {<Dd[]>, ...}, [<Rn>{:<align>}]{!|, <Rm>}`
    vld1_all load_all_lanes 1;
    /// `VLD2<c>.<size> {<Dd[]>, ...}, [<Rn>{:<align>}]{!|, <Rm>}`
    vld2_all load_all_lanes 2;
    /// `VLD3<c>.<size> {<Dd[]>, ...}, [<Rn>]{!|, <Rm>}`
    vld3_all load_all_lanes 3;
    /// `VLD4<c>.<size> {<Dd[]>, ...}, [<Rn>{:<align>}]{!|, <Rm>}`
    vld4_all load_all_lanes 4;
}
