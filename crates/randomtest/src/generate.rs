//! Makes cases: fills a table line with random fields until the decoder takes it for that line, then chooses a state in which
//! it can run.

use fastrand::Rng;
use forearm_frontend::decode::{Encoding, ItState, encoding};
use forearm_frontend::effects::{Effects, Flow};
use forearm_frontend::inst::{Inst, Op, shift};
use forearm_frontend::tables;

use crate::address::{Address, address, index, unaligned_allowed};
use crate::block::Block;
use crate::case::{Case, Line, Set};
use crate::image::{CODE, SCRATCH, SLOT};
use crate::state::State;

/// Tries until a line counts as one that cannot be filled.
const TRIES: usize = 2000;
/// Registers that sequences keep: bases of addresses, and an index.
pub const BASES: [u8; 2] = [10, 13];
pub const INDEX: u8 = 11;

/// The lines of all tables, A32 ones a second time where Thumb shares them.
pub fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for (set, table) in [(Set::A32, tables::A32), (Set::T16, tables::T16), (Set::T32, tables::T32)] {
        for (index, e) in table.iter().enumerate() {
            lines.push(Line { set, thumb: set != Set::A32, index });
            if set == Set::A32 && in_thumb(e.value | !e.mask & 0xe000_0000).is_some() {
                lines.push(Line { set, thumb: true, index });
            }
        }
    }
    lines
}

impl Line {
    /// The table line.
    pub fn encoding(self) -> &'static Encoding {
        match self.set {
            Set::A32 => &tables::A32[self.index],
            Set::T16 => &tables::T16[self.index],
            Set::T32 => &tables::T32[self.index],
        }
    }
}

/// The T32 word of an A32 coprocessor or Advanced SIMD word, the inverse of `decode::shared_with_a32`.
fn in_thumb(word: u32) -> Option<u32> {
    match word >> 24 {
        0xf2 | 0xf3 => Some(0xef00_0000 | (word >> 24 & 1) << 28 | word & 0x00ff_ffff),
        0xf4 if word & 0x0010_0000 == 0 => Some(0xf900_0000 | word & 0x00ff_ffff),
        0xec..=0xee | 0xfc..=0xfe => Some(word),
        _ => None,
    }
}

/// What a filled line turned out to be.
pub struct Filled {
    /// The instruction.
    pub word: u32,
    /// Decoded.
    pub inst: Inst,
    effects: Effects,
}

/// Makes cases from a seed.
pub struct Generator {
    /// Where choices come from.
    pub rng: Rng,
    /// Bits that FPSCR may have.
    pub modes: u32,
    /// Lines for sequences.
    sequence_lines: [Vec<Line>; 2],
}

impl Generator {
    /// A generator whose sequences are made of `lines`.
    pub fn new(seed: u64, lines: &[Line], modes: u32) -> Generator {
        let of = |thumb: bool| lines.iter().copied().filter(|l| l.thumb == thumb).collect();
        Generator { rng: Rng::with_seed(seed), modes, sequence_lines: [of(false), of(true)] }
    }

    /// A case of one instruction, for the `k`th slot of the image. `None`: the line cannot be filled.
    pub fn single(&mut self, line: Line, k: usize) -> Option<Case> {
        let e = line.encoding();
        let name = format!("{:?}", e.op);
        let mut state = self.state();
        let lead = if line.thumb { self.rng.usize(..2) } else { 0 };
        let mut block = Block::new(CODE + k as u32 * SLOT, line.thumb, lead);
        let entry = block.here();
        // A store-exclusive succeeds only after a load-exclusive.
        let pair = (name.starts_with("STREX") || name.starts_with("STLEX")) && self.rng.u8(..4) != 0;
        // The load-exclusive needs the operands of the store: its place is kept for it.
        let it_allowed = line.thumb && !matches!(e.op, Op::IT | Op::CBZ | Op::CBNZ) && !pair;
        let it = if it_allowed && self.rng.u8(..4) == 0 {
            let condition = self.rng.u8(..14);
            block.push_it(condition << 4 | 8)
        } else {
            ItState(0)
        };
        let addr = block.here() + if pair { 4 } else { 0 };
        for _ in 0..TRIES {
            let Some(f) = self.fill(line, addr, it) else { continue };
            if e.op == Op::IT {
                // The instructions it governs: add.w r4, r4, #1 << k.
                let mut it = block.push_it(f.inst.imm as u8);
                for k in 0.. {
                    if !it.active() {
                        break;
                    }
                    block.push(0xf104_0400 | 1 << k, 4, it);
                    it = it.advance();
                }
                block.exit();
            } else if pair && !self.push_load_exclusive(&mut block, &name, &f.inst) {
                continue;
            } else if !self.prepare(&mut block, &f, &mut state, it) {
                block.code.truncate((addr - CODE - k as u32 * SLOT) as usize - if pair { 4 } else { 0 });
                block.placed.truncate(usize::from(it.active()));
                continue;
            }
            if f.effects.writes_fpscr {
                state.core = state.core.map(|w| w & self.modes);
            }
            return Some(Case {
                slot: k,
                code: block.code,
                entry: (entry - (CODE + k as u32 * SLOT)) | u32::from(line.thumb),
                state,
                instructions: block.placed,
                lines: vec![line],
                ops: vec![name],
            });
        }
        None
    }

    /// Random bits in the line's fields, if the decoder takes them for this line.
    pub fn fill(&mut self, line: Line, addr: u32, it: ItState) -> Option<Filled> {
        let e = line.encoding();
        let rng = &mut self.rng;
        let mut word = rng.u32(..) & !e.mask | e.value;
        if line.set == Set::T16 {
            word &= 0xffff;
        }
        let place = |letter: u8| {
            e.bits.bytes().rev().enumerate().filter(move |(_, b)| *b == letter).map(|(k, _)| k as u32)
        };
        // Immediates of all magnitudes.
        let immediate: Vec<u32> = place(b'i').chain(place(b'I')).collect();
        if immediate.len() >= 5 && rng.bool() {
            for &bit in &immediate[rng.usize(..immediate.len())..] {
                word &= !(1 << bit);
            }
        }
        // Branches go a few instructions forwards. J1 and J2 of a T32 branch are the bits 13 and 11.
        if matches!(e.op, Op::B | Op::BL | Op::BLX_imm | Op::CBZ | Op::CBNZ) {
            for (k, &bit) in immediate.iter().enumerate() {
                if k >= 5 {
                    word &= !(1 << bit);
                }
            }
            if line.set == Set::T32 && rng.bool() {
                word |= (1 << 13 | 1 << 11) & !e.mask;
            }
        }
        if line.set == Set::A32 && e.mask >> 28 == 0 {
            let always = line.thumb || rng.u8(..4) != 0;
            let condition = if always { 14 } else { rng.u32(..14) };
            word = word & 0x0fff_ffff | condition << 28;
        }
        if line.set == Set::A32 && line.thumb {
            word = in_thumb(word)?;
        }
        let (found, inst) = encoding(word, addr, line.thumb, it)?;
        let excluded = match e.op {
            // CPSR_x holds the E bit: the rest of the program would be big-endian.
            Op::MSR_imm | Op::MSR_reg => inst.size & 2 != 0,
            // The manual calls the results UNKNOWN.
            Op::VTRN | Op::VUZP | Op::VZIP => inst.rd == inst.rm,
            _ => false,
        };
        (std::ptr::eq(found, e) && !excluded).then(|| Filled { word, inst, effects: Effects::of(&inst) })
    }

    /// Appends the load-exclusive that goes with a store-exclusive.
    fn push_load_exclusive(&mut self, block: &mut Block, name: &str, store: &Inst) -> bool {
        let free =
            |r: &u8| [store.rn, store.rm, store.rd, store.ra].iter().all(|used| used != r && *used != r + 1);
        let Some(t) = (0..10u8).step_by(2).find(free) else { return false };
        let (t, n) = (u32::from(t), u32::from(store.rn));
        let registers = n << 16 | t << 12;
        let word = match (name.as_bytes()[name.len() - 1], block.thumb) {
            (b'B', false) => 0xe1d0_0f9f | registers,
            (b'H', false) => 0xe1f0_0f9f | registers,
            (b'D', false) => 0xe1b0_0f9f | registers,
            (_, false) => 0xe190_0f9f | registers,
            (b'B', true) => 0xe8d0_0f4f | registers,
            (b'H', true) => 0xe8d0_0f5f | registers,
            (b'D', true) => 0xe8d0_007f | registers | (t + 1) << 8,
            (_, true) => 0xe850_0f00 | registers | store.imm >> 2,
        };
        block.push(word, 4, ItState(0));
        true
    }

    /// Makes `state` one in which the instruction runs, and appends it and the way out.
    fn prepare(&mut self, block: &mut Block, f: &Filled, state: &mut State, it: ItState) -> bool {
        let inst = &f.inst;
        let table = matches!(inst.op, Op::TBB | Op::TBH);
        let data = if table && inst.rn == 15 { 4 } else { 0 };
        let landings = block.landings(u32::from(inst.len), data);
        let mut target = None;
        match f.effects.flow {
            None => {}
            Some(Flow::Trap) => return false,
            Some(Flow::Branch(to) | Flow::BranchIf(to)) if landings[0].contains(&to) => {}
            Some(Flow::BranchExchange(to)) if landings[1].contains(&to) => {}
            Some(Flow::Branch(_) | Flow::BranchIf(_) | Flow::BranchExchange(_)) => return false,
            Some(Flow::Indirect) => {
                // A32 reads bit 0 of what is loaded or moved to the PC, Thumb of what is loaded.
                let exchanges =
                    !block.thumb || f.effects.memory && !table || inst.op != Op::MOV_reg && !table;
                let other = exchanges && !matches!(inst.op, Op::ADD_reg) && self.rng.bool();
                let to = self.rng.choice(&landings[usize::from(other)]).copied().expect("landing places");
                target = Some(to | u32::from(exchanges && block.thumb != other));
            }
        }
        if f.effects.memory && !table {
            let Some(at) = self.aim(f, state) else { return false };
            if let Some(target) = target {
                // The PC is the last word of a list.
                let at = if inst.op == Op::LDM { at + 4 * (inst.imm.count_ones() as usize - 1) } else { at };
                state.scratch[at..at + 4].copy_from_slice(&target.to_le_bytes());
            }
        } else if table {
            let to = target.expect("a table branch is indirect");
            let halfwords = (to - (block.here() + 4)) / 2;
            if inst.rn == 15 {
                block.push(f.word, inst.len, it);
                let entry = halfwords.to_le_bytes();
                if inst.op == Op::TBB {
                    state.core[usize::from(inst.rm)] = self.rng.u32(..4);
                    block.data(&[entry[0]; 4]);
                } else {
                    state.core[usize::from(inst.rm)] = self.rng.u32(..2);
                    block.data(&[entry[0], entry[1], entry[0], entry[1]]);
                }
                block.pads();
                return true;
            }
            let Some(at) = self.aim(f, state) else { return false };
            state.scratch[at..at + 2].copy_from_slice(&(halfwords as u16).to_le_bytes());
        } else if let Some(target) = target {
            let m = usize::from(inst.rm);
            match inst.op {
                Op::BX | Op::BXJ | Op::BLX_reg if inst.rm != 15 => state.core[m] = target,
                Op::MOV_reg if inst.rm != 15 && inst.shift == shift::LSL && inst.amount == 0 => {
                    state.core[m] = target;
                }
                // add pc, pc, rm {, lsl #2}: jump tables
                Op::ADD_reg
                    if inst.rn == 15 && inst.rm != 15 && inst.shift == shift::LSL && inst.amount <= 2 =>
                {
                    let pc = block.here() + if block.thumb { 4 } else { 8 };
                    state.core[m] = target.wrapping_sub(pc) >> inst.amount;
                    if target < pc {
                        return false;
                    }
                }
                _ => return false,
            }
        }
        block.push(f.word, inst.len, it);
        if f.effects.flow.is_some() {
            block.pads()
        } else {
            block.exit()
        }
        true
    }

    /// Points the instruction's base register at the scratch memory. The offset in it.
    fn aim(&mut self, f: &Filled, state: &mut State) -> Option<usize> {
        let inst = &f.inst;
        let how = address(inst).unwrap_or_else(|| panic!("{:?} accesses memory: how?", inst.op));
        let mut at = 128 + 32 * self.rng.usize(..5);
        if unaligned_allowed(inst) && self.rng.u8(..4) == 0 {
            at += self.rng.usize(..8);
        }
        let offset = match how {
            Address::Fixed(to) => {
                // The code is the same in both runs, and read-only. Loads of the PC would find no address there, duals must be aligned.
                let aligned = to.is_multiple_of(4) || unaligned_allowed(inst);
                return (aligned && inst.rd != 15 && !f.effects.stores).then_some(at);
            }
            Address::Base(offset) => offset,
            Address::Index(_) if inst.rn == inst.rm => return None,
            Address::Index(true) => index(inst, state),
            Address::Index(false) => index(inst, state).wrapping_neg(),
        };
        if inst.rn == 15 {
            return None;
        }
        state.core[usize::from(inst.rn)] = (SCRATCH + at as u32).wrapping_sub(offset);
        Some(at)
    }

    /// One of the lines for sequences.
    pub fn sequence_line(&mut self, thumb: bool) -> Line {
        let candidates = &self.sequence_lines[usize::from(thumb)];
        candidates[self.rng.usize(..candidates.len())]
    }

    fn state(&mut self) -> State {
        let mut state = State::random(&mut self.rng);
        state.fpscr &= self.modes;
        state
    }

    /// A state in which the registers for addresses point into the scratch memory.
    pub fn state_with_bases(&mut self) -> State {
        let mut state = self.state();
        for base in BASES {
            state.core[usize::from(base)] = SCRATCH + 192 + 32 * self.rng.u32(..4);
        }
        state.core[usize::from(INDEX)] = 4 * self.rng.u32(..8);
        state
    }

    /// A case of several instructions in a row, with IT blocks in Thumb state.
    pub fn sequence(&mut self, k: usize) -> Case {
        let thumb = self.rng.bool();
        let state = self.state_with_bases();
        let mut block = Block::new(CODE + k as u32 * SLOT, thumb, 0);
        let (mut lines, mut ops) = (Vec::new(), Vec::new());
        let mut it = ItState(0);
        let length = self.rng.usize(3..=12);
        while lines.len() < length || it.active() {
            if thumb && !it.active() && self.rng.u8(..6) == 0 {
                let (condition, mask) = (self.rng.u8(..14), self.rng.u8(1..16));
                it = block.push_it(condition << 4 | mask);
            }
            let line = self.sequence_line(thumb);
            let addr = block.here();
            let found = (0..20).find_map(|_| {
                self.fill(line, addr, it).filter(|f| fits(f, &state, &[BASES[0], BASES[1], INDEX]))
            });
            let Some(f) = found else { continue };
            block.push(f.word, f.inst.len, it);
            it = it.advance();
            lines.push(line);
            ops.push(format!("{:?}", f.inst.op));
        }
        block.exit();
        block.into_case(k, state, lines, ops)
    }
}

/// May the instruction stand in a sequence? It goes straight on, keeps the registers in `kept`, those that addresses are
/// made of among them, and accesses the scratch memory only.
pub fn fits(f: &Filled, state: &State, kept: &[u8]) -> bool {
    let inst = &f.inst;
    let kept = kept.iter().fold(0u16, |mask, r| mask | 1 << r);
    if f.effects.flow.is_some() || f.effects.writes & kept != 0 || f.effects.writes_fpscr || inst.op == Op::IT
    {
        return false;
    }
    if !f.effects.memory {
        return true;
    }
    let name = format!("{:?}", inst.op);
    // Whether a store-exclusive without its load succeeds is no property of the instruction.
    if name.starts_with("STREX") || name.starts_with("STLEX") {
        return false;
    }
    let offset = match address(inst) {
        Some(Address::Fixed(to)) => return to.is_multiple_of(4) && !f.effects.stores,
        Some(Address::Base(offset)) => offset,
        Some(Address::Index(up)) if inst.rm == INDEX && inst.shift != shift::RRX => {
            let index = index(inst, state);
            if up { index } else { index.wrapping_neg() }
        }
        _ => return false,
    };
    if !BASES.contains(&inst.rn) {
        return false;
    }
    let at = state.core[usize::from(inst.rn)].wrapping_add(offset).wrapping_sub(SCRATCH);
    at < 512 - 160
        && (at.is_multiple_of(32)
            || unaligned_allowed(inst)
            || !name.starts_with('V') && at.is_multiple_of(8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accepted::Accepted;
    use forearm_frontend::decode::is_t32;
    use std::path::Path;

    fn accepted() -> Accepted {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/random/accepted.txt");
        Accepted::read(&path).expect("the list")
    }

    /// No line is left out but those that the list names.
    #[test]
    fn every_line_can_be_filled() {
        let all = lines();
        let mut generator = Generator::new(7, &all, u32::MAX);
        let accepted = accepted();
        for line in all {
            let skipped = accepted.has("skip", &format!("{:?}", line.encoding().op));
            // Some lines may not stand in the IT block that `single` may choose.
            let case = (0..20).find_map(|_| generator.single(line, 3));
            assert!(case.is_some() || skipped, "{:?} {}", line.encoding().op, line.encoding().bits);
            if let Some(case) = case {
                assert!(case.code.len() <= SLOT as usize);
            }
        }
    }

    #[test]
    fn sequences_fit_their_slots() {
        let accepted = accepted();
        let usable: Vec<Line> = lines()
            .into_iter()
            .filter(|l| !accepted.has("skip", &format!("{:?}", l.encoding().op)))
            .collect();
        let mut generator = Generator::new(8, &usable, u32::MAX);
        for k in 0..500 {
            let case = generator.sequence(k);
            assert!(case.code.len() <= SLOT as usize);
            assert!(case.lines.len() >= 3);
        }
    }

    #[test]
    fn regions_fit_their_slots_and_have_blocks() {
        let accepted = accepted();
        let usable: Vec<Line> = lines()
            .into_iter()
            .filter(|l| !accepted.has("skip", &format!("{:?}", l.encoding().op)))
            .collect();
        let mut generator = Generator::new(9, &usable, u32::MAX);
        let mut calls = 0;
        for k in 0..500 {
            let case = generator.region(k);
            assert!(case.code.len() <= SLOT as usize, "{}\n{}", case.code.len(), case.listing());
            let listing = case.listing();
            assert!(listing.contains("bne"), "{listing}");
            assert!(!listing.contains("udf") && !listing.contains("undefined"), "{listing}");
            calls += usize::from(listing.contains("bl ") || listing.contains("blx "));
        }
        assert!(calls > 100, "{calls} of 500 call");
    }

    #[test]
    fn thumb_words_of_shared_lines_lead_back() {
        for word in [0xf200_0844, 0xf3b0_2300, 0xf466_d70b, 0xeebd_8a0c, 0xfe00_0a00] {
            let thumb = in_thumb(word).expect("shared");
            assert!(is_t32((thumb >> 16) as u16));
            assert_eq!(forearm_frontend::decode::shared_with_a32(thumb), Some(word));
        }
        assert_eq!(in_thumb(0xe080_0000), None);
    }
}
