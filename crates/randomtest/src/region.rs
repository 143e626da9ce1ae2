//! Cases of many basic blocks: a loop with an inner loop, branches, IT blocks, branches through tables, calls into both instruction
//! sets, and FPSCR set on the way. They make regions of more than one block, whose flags and modes flow along every edge.

use forearm_frontend::decode::ItState;

use crate::block::Block;
use crate::case::{Case, Line};
use crate::generate::{BASES, Generator, INDEX, fits};
use crate::image::{CODE, SLOT};
use crate::state::State;

/// Rounds left, of the outer and of the inner loop.
const COUNTERS: [u8; 2] = [12, 9];
/// The return address of calls.
const LINK: u8 = 14;
/// Where FPSCR's mode is made.
const MODE: u8 = 8;
/// Bytes of a slot for the loop; the rest is for the way out and a subroutine.
const ROOM: usize = 160;

/// Bytes of a branch through a table with its arms, at most.
const SWITCH: usize = 14 + 8 + 4 * 6;

/// A branch whose target is not yet known: where it stands, and what it is.
struct Forward {
    at: usize,
    condition: Condition,
    /// Pieces until its target.
    pieces: usize,
}

/// When a forward branch is taken.
#[derive(Clone, Copy)]
enum Condition {
    Flags(u32),
    /// CBZ or, with `true`, CBNZ of a low register.
    Register(u32, bool),
}

impl Generator {
    /// A case of several basic blocks.
    pub fn region(&mut self, k: usize) -> Case {
        let thumb = self.rng.bool();
        let state = self.state_with_bases();
        let mut region = Region {
            block: Block::new(CODE + k as u32 * SLOT, thumb, 0),
            lines: Vec::new(),
            ops: Vec::new(),
            calls: Vec::new(),
            state,
        };
        region.block.push_move(COUNTERS[0], self.rng.u32(2..12));
        let outer = region.block.code.len();
        self.pieces(&mut region, ROOM / 3);
        if self.rng.bool() {
            region.block.push_move(COUNTERS[1], self.rng.u32(1..5));
            let inner = region.block.code.len();
            self.pieces(&mut region, 2 * ROOM / 3);
            region.block.push_loop_end(COUNTERS[1], inner);
        }
        self.pieces(&mut region, ROOM);
        region.block.push_loop_end(COUNTERS[0], outer);
        region.block.exit();
        self.subroutine(&mut region);
        let Region { block, lines, ops, state, .. } = region;
        block.into_case(k, state, lines, ops)
    }

    /// Instructions, branches over some of them, calls, and changes of FPSCR, until the code is `until` bytes long.
    fn pieces(&mut self, region: &mut Region, until: usize) {
        let mut forward: Option<Forward> = None;
        loop {
            if let Some(f) = &mut forward {
                if f.pieces == 0 {
                    let target = region.block.code.len();
                    region.block.patch_forward(f.at, f.condition, target);
                    forward = None;
                } else {
                    f.pieces -= 1;
                }
            }
            if forward.is_none() && region.block.code.len() + 16 > until {
                return;
            }
            match self.rng.u8(..12) {
                0 | 1 if forward.is_none() => {
                    let condition = if region.block.thumb && self.rng.bool() {
                        Condition::Register(self.rng.u32(..8), self.rng.bool())
                    } else {
                        Condition::Flags(self.rng.u32(..14))
                    };
                    let at = region.block.push_placeholder();
                    forward = Some(Forward { at, condition, pieces: self.rng.usize(1..4) });
                }
                2 if region.calls.len() < 2 => {
                    let at = region.block.code.len();
                    region.block.push(0, 4, ItState(0));
                    region.calls.push(at);
                }
                3 => {
                    // Rounding, flush to zero, default NaN, alternative half precision.
                    let mode = self.rng.u32(..32) << 22 & self.modes;
                    region.block.push_mode(MODE, mode);
                }
                4 if region.block.thumb => {
                    let (condition, mask) = (self.rng.u8(..14), self.rng.u8(1..16));
                    let mut it = region.block.push_it(condition << 4 | mask);
                    while it.active() {
                        it = self.instruction(region, it);
                    }
                }
                5 if region.block.thumb && forward.is_none() && region.block.code.len() + SWITCH <= until => {
                    self.switch(region);
                }
                _ => {
                    self.instruction(region, ItState(0));
                }
            }
        }
    }

    /// Appends a branch through a table to one of four arms, over all of them for half of the indexes, and what compilers have in
    /// front of it.
    fn switch(&mut self, region: &mut Region) {
        let (index, of, halfwords) = (u32::from(MODE), self.rng.u32(..8), self.rng.bool());
        let block = &mut region.block;
        block.push(0xf000_0007 | of << 16 | index << 8, 4, ItState(0)); // and index, of, #7
        block.push(0xf1b0_0f03 | index << 16, 4, ItState(0)); // cmp index, #3
        let over = block.push_placeholder();
        block.push(0xe8df_f000 | u32::from(halfwords) << 4 | index, 4, ItState(0)); // tbb or tbh [pc, index]
        let table = block.code.len();
        block.data(&[0; 8][..if halfwords { 8 } else { 4 }]);
        let mut offsets = [0; 4];
        let mut ends = [0; 4];
        for k in 0..4 {
            offsets[k] = ((region.block.code.len() - table) / 2) as u8;
            self.instruction(region, ItState(0));
            ends[k] = region.block.push_placeholder();
        }
        let block = &mut region.block;
        let behind = block.code.len();
        block.patch_forward(over, Condition::Flags(8), behind); // bhi
        for end in ends {
            block.patch(end, 0xe000 | ((behind as u32).wrapping_sub(end as u32 + 4) >> 1 & 0x7ff), 2); // b
        }
        for (k, offset) in offsets.into_iter().enumerate() {
            block.code[table + if halfwords { 2 * k } else { k }] = offset;
        }
    }

    /// Appends an instruction that goes straight on. The IT state after it.
    fn instruction(&mut self, region: &mut Region, it: ItState) -> ItState {
        let kept = [BASES[0], BASES[1], INDEX, COUNTERS[0], COUNTERS[1], LINK];
        loop {
            let line = self.sequence_line(region.block.thumb);
            let addr = region.block.here();
            let found =
                (0..20).find_map(|_| self.fill(line, addr, it).filter(|f| fits(f, &region.state, &kept)));
            let Some(f) = found else { continue };
            region.block.push(f.word, f.inst.len, it);
            region.lines.push(line);
            region.ops.push(format!("{:?}", f.inst.op));
            return it.advance();
        }
    }

    /// Appends what the calls go to, in one of the instruction sets, and directs them there.
    fn subroutine(&mut self, region: &mut Region) {
        if region.calls.is_empty() {
            return;
        }
        let caller = region.block.thumb;
        let thumb = self.rng.bool();
        while !region.block.code.len().is_multiple_of(4) {
            region.block.data(&[0]);
        }
        let target = region.block.code.len();
        region.block.thumb = thumb;
        for _ in 0..self.rng.usize(1..4) {
            self.instruction(region, ItState(0));
        }
        if thumb {
            region.block.push(0x4770, 2, ItState(0)); // bx lr
        } else {
            // Now and then it returns early.
            if self.rng.bool() {
                let condition = self.rng.u32(..14);
                region.block.push(condition << 28 | 0x012f_ff1e, 4, ItState(0));
                self.instruction(region, ItState(0));
            }
            region.block.push(0xe12f_ff1e, 4, ItState(0));
        }
        region.block.thumb = caller;
        for at in std::mem::take(&mut region.calls) {
            region.block.patch_call(at, target, thumb);
        }
    }
}

/// A region in the making.
struct Region {
    block: Block,
    lines: Vec<Line>,
    ops: Vec<String>,
    /// Where calls stand.
    calls: Vec<usize>,
    state: State,
}

impl Block {
    /// Appends `rd = value`, for values below 256 and without flags.
    fn push_move(&mut self, rd: u8, value: u32) {
        let rd = u32::from(rd);
        let word = if self.thumb { 0xf04f_0000 | rd << 8 | value } else { 0xe3a0_0000 | rd << 12 | value };
        self.push(word, 4, ItState(0));
    }

    /// Appends what makes FPSCR `mode`, of which the upper half alone may be set, by way of `rd`.
    fn push_mode(&mut self, rd: u8, mode: u32) {
        self.push_move(rd, 0);
        let (r, half) = (u32::from(rd), mode >> 16);
        let movt = if self.thumb {
            0xf2c0_0000
                | (half >> 12) << 16
                | (half >> 11 & 1) << 26
                | (half >> 8 & 7) << 12
                | r << 8
                | half & 0xff
        } else {
            0xe340_0000 | (half >> 12) << 16 | r << 12 | half & 0xfff
        };
        self.push(movt, 4, ItState(0));
        self.push(0xeee1_0a10 | r << 12, 4, ItState(0)); // vmsr fpscr, rd
    }

    /// Appends the end of a loop: counts down and goes back to `start` until there is nothing left.
    fn push_loop_end(&mut self, counter: u8, start: usize) {
        let r = u32::from(counter);
        let subs = if self.thumb { 0xf1b0_0001 | r << 16 | r << 8 } else { 0xe250_0001 | r << 16 | r << 12 };
        self.push(subs, 4, ItState(0));
        let pc = self.code.len() + if self.thumb { 4 } else { 8 };
        let back = (start as i32 - pc as i32) as u32;
        if self.thumb {
            self.push(0xd100 | back >> 1 & 0xff, 2, ItState(0)); // bne
        } else {
            self.push(0x1a00_0000 | back >> 2 & 0x00ff_ffff, 4, ItState(0));
        }
    }

    /// Keeps a place for a conditional branch.
    fn push_placeholder(&mut self) -> usize {
        let at = self.code.len();
        self.push(0, if self.thumb { 2 } else { 4 }, ItState(0));
        at
    }

    fn patch_forward(&mut self, at: usize, condition: Condition, target: usize) {
        let offset = |pc: usize| (target - at - pc) as u32;
        match condition {
            Condition::Flags(c) if self.thumb => self.patch(at, 0xd000 | c << 8 | offset(4) >> 1, 2),
            Condition::Flags(c) => {
                let back = (target as i32 - at as i32 - 8) as u32;
                self.patch(at, c << 28 | 0x0a00_0000 | back >> 2 & 0x00ff_ffff, 4);
            }
            Condition::Register(r, not) => {
                let half = offset(4) >> 1;
                self.patch(at, 0xb100 | u32::from(not) << 11 | (half >> 5) << 9 | (half & 31) << 3 | r, 2);
            }
        }
    }

    fn patch_call(&mut self, at: usize, target: usize, to_thumb: bool) {
        match (self.thumb, to_thumb) {
            (false, false) => self.patch(at, 0xeb00_0000 | ((target - at - 8) >> 2) as u32, 4),
            (false, true) => self.patch(at, 0xfa00_0000 | ((target - at - 8) >> 2) as u32, 4),
            (true, true) => self.patch(at, 0xf000_f800 | ((target - at - 4) >> 1) as u32, 4),
            // BLX counts from the word that the PC lies in.
            (true, false) => self.patch(at, 0xf000_e800 | ((target - (at + 4) / 4 * 4) >> 1) as u32, 4),
        }
    }
}
