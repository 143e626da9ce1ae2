//! Machine code to [`Inst`].

pub mod forms;
#[cfg(test)]
mod tests;

use crate::inst::{Inst, Op, cond};
use crate::tables;

/// The architecture version that brought an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
#[allow(non_camel_case_types)]
pub enum Arch {
    v4,
    v4T,
    v5,
    v6,
    v6K,
    v6T2,
    v7,
    v7VE,
    v8,
    VFPv2,
    VFPv3,
    VFPv4,
    SIMD,
    SIMDv2,
    Crypto,
    CRC,
}

/// One line of the tables.
pub struct Encoding {
    /// The operation.
    pub op: Op,
    /// The manual's name of the encoding: `A1`, `T2`.
    pub variant: &'static str,
    /// The bit pattern, most significant bit first (see `tables/README.md`).
    pub bits: &'static str,
    /// The fixed bits.
    pub mask: u32,
    /// Their values.
    pub value: u32,
    /// The architecture version.
    pub arch: Arch,
    /// Assembler syntax for the disassembler.
    pub syntax: &'static str,
    /// Moves the fields into the instruction and lets the form finish them.
    pub fill: fn(u32, &mut Inst, Context) -> Verdict,
}

/// Where an instruction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Its address.
    pub addr: u32,
    /// The PC value it reads: its address plus 8 (A32) or 4 (T32).
    pub pc: u32,
    /// Thumb state.
    pub thumb: bool,
    /// It is inside an IT block: 16-bit data-processing instructions do not set flags.
    pub in_it: bool,
    /// It is the last of its IT block.
    pub last_in_it: bool,
}

/// A form's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A valid instruction.
    Valid,
    /// Not this encoding: try the next that matches (the manual's "SEE").
    Next,
    /// UNDEFINED: SIGILL.
    Undefined,
    /// UNPREDICTABLE: SIGILL too.
    Unpredictable,
}

/// The IT state of Thumb (Arm ARM A2.5.2), `ITSTATE` in its low eight bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItState(pub u8);

impl ItState {
    /// In an IT block?
    pub fn active(self) -> bool {
        self.0 & 0xf != 0
    }

    /// The condition of the next instruction. 1111, which a guest can only bring about by UNPREDICTABLE means, always holds
    /// (Arm ARM, ConditionPassed).
    pub fn cond(self) -> u8 {
        if self.active() { Ord::min(self.0 >> 4, cond::AL) } else { cond::AL }
    }

    /// Is the next instruction the last of the block?
    pub fn last(self) -> bool {
        self.0 & 0xf == 8
    }

    /// The state after an instruction.
    pub fn advance(self) -> ItState {
        if self.0 & 7 == 0 { ItState(0) } else { ItState(self.0 & 0xe0 | self.0 << 1 & 0x1f) }
    }
}

/// Decodes an A32 instruction. `None`: UNDEFINED or UNPREDICTABLE.
pub fn a32(word: u32, addr: u32) -> Option<Inst> {
    let cx = Context { addr, pc: addr.wrapping_add(8), thumb: false, in_it: false, last_in_it: false };
    find(tables::A32, tables::a32_candidates(word), word, 4, cx).map(|(_, i)| i)
}

/// Is `first` the first halfword of a 32-bit Thumb instruction?
pub fn is_t32(first: u16) -> bool {
    first >= 0xe800
}

/// The ITSTATE that an IT instruction sets; `None` for any other instruction.
pub fn it_of(half: u16) -> Option<ItState> {
    (half & 0xff00 == 0xbf00 && half & 0xf != 0).then_some(ItState(half as u8))
}

/// Decodes a 16-bit Thumb instruction. `None`: UNDEFINED or UNPREDICTABLE.
pub fn t16(half: u16, addr: u32, it: ItState) -> Option<Inst> {
    let word = u32::from(half);
    let found = find(tables::T16, tables::t16_candidates(word), word, 2, thumb_context(addr, it));
    found.map(|(_, i)| with_it(i, it))
}

/// Decodes a 32-bit Thumb instruction, first halfword in the high half. `None`: UNDEFINED or UNPREDICTABLE.
pub fn t32(word: u32, addr: u32, it: ItState) -> Option<Inst> {
    let cx = thumb_context(addr, it);
    let found = match shared_with_a32(word) {
        Some(word) => find(tables::A32, tables::a32_candidates(word), word, 4, cx),
        None => find(tables::T32, tables::t32_candidates(word), word, 4, cx),
    };
    found.map(|(_, i)| with_it(i, it))
}

/// The A32 word of a T32 instruction in the coprocessor or Advanced SIMD space (Arm ARM A6.3.18, A7.4, A7.7).
pub fn shared_with_a32(word: u32) -> Option<u32> {
    match word >> 24 {
        0xef | 0xff => Some(0xf200_0000 | (word >> 28 & 1) << 24 | word & 0x00ff_ffff),
        0xf9 if word & 0x0010_0000 == 0 => Some(0xf400_0000 | word & 0x00ff_ffff),
        0xec..=0xee | 0xfc..=0xfe => Some(word),
        _ => None,
    }
}

fn thumb_context(addr: u32, it: ItState) -> Context {
    Context { addr, pc: addr.wrapping_add(4), thumb: true, in_it: it.active(), last_in_it: it.last() }
}

fn with_it(mut inst: Inst, it: ItState) -> Inst {
    if it.active() {
        inst.cond = it.cond();
    }
    inst
}

/// The encoding of a word, and the decoded instruction.
fn find(
    set: &'static [Encoding],
    list: &[u16],
    word: u32,
    len: u8,
    cx: Context,
) -> Option<(&'static Encoding, Inst)> {
    for &k in list {
        let e = &set[usize::from(k)];
        if word & e.mask != e.value {
            continue;
        }
        let mut inst = Inst::new(e.op);
        inst.len = len;
        match (e.fill)(word, &mut inst, cx) {
            Verdict::Valid => return Some((e, inst)),
            Verdict::Next => {}
            Verdict::Undefined | Verdict::Unpredictable => return None,
        }
    }
    None
}

/// The encoding that decodes a word, for the disassembler: `thumb` words of 16 bits have a zero high half.
pub fn encoding(word: u32, addr: u32, thumb: bool, it: ItState) -> Option<(&'static Encoding, Inst)> {
    if !thumb {
        let cx = Context { addr, pc: addr.wrapping_add(8), thumb, in_it: false, last_in_it: false };
        return find(tables::A32, tables::a32_candidates(word), word, 4, cx);
    }
    let cx = thumb_context(addr, it);
    let found = if word >> 16 == 0 {
        find(tables::T16, tables::t16_candidates(word), word, 2, cx)
    } else if let Some(word) = shared_with_a32(word) {
        find(tables::A32, tables::a32_candidates(word), word, 4, cx)
    } else {
        find(tables::T32, tables::t32_candidates(word), word, 4, cx)
    };
    found.map(|(e, i)| (e, with_it(i, it)))
}
