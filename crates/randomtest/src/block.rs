//! Lays the instructions of a case out.

use forearm_frontend::decode::ItState;

use crate::case::{Case, Line, Placed};
use crate::image::EXIT;
use crate::state::State;

/// A piece of code in the making.
pub struct Block {
    /// Address of the slot.
    base: u32,
    /// Thumb state?
    pub thumb: bool,
    /// The bytes so far.
    pub code: Vec<u8>,
    /// The instructions so far, without the way out.
    pub placed: Vec<Placed>,
}

/// Instructions that a branch may land on, so many in each instruction set.
const PADS: u32 = 4;

impl Block {
    /// An empty block at `base`, in Thumb state after `lead` halfwords of nothing.
    pub fn new(base: u32, thumb: bool, lead: usize) -> Block {
        Block { base, thumb, code: vec![0; 2 * lead], placed: vec![] }
    }

    /// The case that runs this block from its start, in slot `slot`.
    pub fn into_case(self, slot: usize, state: State, lines: Vec<Line>, ops: Vec<String>) -> Case {
        let entry = u32::from(self.thumb);
        Case { slot, code: self.code, entry, state, instructions: self.placed, lines, ops }
    }

    /// Where the next instruction will stand.
    pub fn here(&self) -> u32 {
        self.base + self.code.len() as u32
    }

    fn half(&mut self, half: u16) {
        self.code.extend(half.to_le_bytes());
    }

    fn word(&mut self, word: u32) {
        self.code.extend(word.to_le_bytes());
    }

    /// Appends an instruction of `len` bytes.
    pub fn push(&mut self, word: u32, len: u8, it: ItState) {
        self.placed.push(Placed { addr: self.here(), word, it, thumb: self.thumb });
        if !self.thumb {
            self.word(word);
        } else if len == 2 {
            self.half(word as u16);
        } else {
            self.half((word >> 16) as u16);
            self.half(word as u16);
        }
    }

    /// Replaces the instruction at offset `at`, of `len` bytes.
    pub fn patch(&mut self, at: usize, word: u32, len: usize) {
        let addr = self.base + at as u32;
        let placed = self.placed.iter_mut().find(|p| p.addr == addr).expect("there is an instruction");
        placed.word = word;
        let bytes = match (placed.thumb, len) {
            (true, 4) => word.rotate_left(16).to_le_bytes(),
            _ => word.to_le_bytes(),
        };
        self.code[at..at + len].copy_from_slice(&bytes[..len]);
    }

    /// Appends an IT instruction, and returns the state it makes.
    pub fn push_it(&mut self, state: u8) -> ItState {
        self.push(0xbf00 | u32::from(state), 2, ItState(0));
        ItState(state)
    }

    /// Appends data.
    pub fn data(&mut self, bytes: &[u8]) {
        self.code.extend_from_slice(bytes);
    }

    /// Addresses that a branch at the end may go to, given the bytes of data after it: in this instruction set, in the other.
    pub fn landings(&self, branch_len: u32, data: u32) -> [Vec<u32>; 2] {
        let first = self.here() + branch_len + data;
        let exit = first + 4 * PADS;
        // The way out is up to two bytes of alignment, a jump and its address.
        let other = exit.next_multiple_of(4) + 8;
        let pads = |start: u32| (0..=PADS).map(|k| start + 4 * k).collect();
        [pads(first), pads(other)]
    }

    /// Appends the landing places of `landings`, each adding a different power of two to r4.
    pub fn pads(&mut self) {
        let state = self.thumb;
        for thumb in [state, !state] {
            self.thumb = thumb;
            while !self.code.len().is_multiple_of(if thumb { 2 } else { 4 }) {
                self.code.push(0);
            }
            for k in 0..PADS {
                if thumb {
                    self.half(0xf104); // add.w r4, r4, #1 << k
                    self.half(0x0400 | 1 << k);
                } else {
                    self.word(0xe284_4000 | 1 << k); // add r4, r4, #1 << k
                }
            }
            self.exit();
        }
        self.thumb = state;
    }

    /// Appends the way out.
    pub fn exit(&mut self) {
        if self.thumb {
            if !self.code.len().is_multiple_of(4) {
                self.half(0xbf00); // nop
            }
            self.half(0xf8df); // ldr.w pc, [pc, #0]
            self.half(0xf000);
        } else {
            self.word(0xe51f_f004); // ldr pc, [pc, #-4]
        }
        self.word(EXIT);
    }
}
