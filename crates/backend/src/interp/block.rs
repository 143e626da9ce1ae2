//! Decodes a block of guest code into slots.

use super::Slot;
use crate::cache::Key;
use crate::cache::native::LinkSlot;
use crate::engine::ExitCode;
use crate::stats;
use forearm_frontend::decode::{self, ItState};
use forearm_frontend::effects::{Effects, Flow};
use forearm_frontend::inst::{Inst, Op, cond};
use std::ops::Range;
use std::sync::atomic::{AtomicPtr, AtomicU64};

/// Longest block, in guest instructions. Long straight lines are rare; a limit bounds the builder's memory.
const MAX_INSTRUCTIONS: usize = 64;

/// A translated block; its slots lie behind it in the arena.
#[derive(Debug)]
#[repr(C, align(8))]
pub struct Block {
    /// What it translates.
    pub key: Key,
    /// Guest bytes.
    pub bytes: u32,
    /// Guest instructions.
    pub instructions: u32,
    /// Host address of the region that starts here, 0 if there is none.
    pub native: AtomicU64,
    /// The entry slot of that region.
    pub native_slot: AtomicPtr<LinkSlot>,
}

impl Block {
    /// The guest addresses it was made from.
    pub fn range(&self) -> Range<u32> {
        self.key.pc()..self.key.pc().saturating_add(self.bytes.max(1))
    }

    /// Its first slot.
    pub fn entry(&self) -> &Slot {
        // SAFETY: the arena places at least the entry slot behind every block.
        unsafe { &*std::ptr::from_ref(self).add(1).cast() }
    }
}

/// A guest instruction as the block builder and the code generator see it.
#[derive(Clone, Copy, Debug)]
pub struct Decoded {
    /// Its address.
    pub pc: u32,
    /// ITSTATE before it.
    pub it: ItState,
    /// ITSTATE after it.
    pub next_it: ItState,
    /// `None`: UNDEFINED.
    pub inst: Option<Inst>,
    /// What it touches.
    pub effects: Effects,
}

impl Decoded {
    /// A place without an instruction.
    pub(crate) fn nothing(pc: u32) -> Decoded {
        Decoded { pc, it: ItState(0), next_it: ItState(0), inst: None, effects: Effects::default() }
    }

    /// Is it an IT instruction? The decoder has done its work.
    pub fn is_it(&self) -> bool {
        !self.it.active() && self.next_it.active()
    }

    /// Length in bytes.
    #[expect(clippy::len_without_is_empty, reason = "no instruction is empty")]
    pub fn len(&self) -> u32 {
        self.inst.map_or(4, |i| i.len.into())
    }
}

/// Reads guest code a window at a time. Code that vanishes while it is read counts as not executable.
pub struct Fetch<'a> {
    read: &'a dyn Fn(u32, &mut [u8]) -> usize,
    window: [u8; 64],
    start: u32,
    len: usize,
}

impl<'a> Fetch<'a> {
    /// `read` fills a buffer with executable guest memory and says how many bytes there are.
    pub fn new(read: &'a dyn Fn(u32, &mut [u8]) -> usize) -> Fetch<'a> {
        Fetch { read, window: [0; 64], start: 0, len: 0 }
    }

    fn half(&mut self, pc: u32) -> Option<u16> {
        let offset = pc.wrapping_sub(self.start) as usize;
        if self.len < 2 || offset > self.len - 2 {
            self.start = pc;
            self.len = (self.read)(pc, &mut self.window);
            return (self.len >= 2).then(|| u16::from_le_bytes([self.window[0], self.window[1]]));
        }
        Some(u16::from_le_bytes([self.window[offset], self.window[offset + 1]]))
    }

    fn word(&mut self, pc: u32) -> Option<u32> {
        let low = self.half(pc)?;
        let high = self.half(pc.checked_add(2)?)?;
        Some(u32::from(low) | u32::from(high) << 16)
    }

    /// The bytes from `at` on; `None` where not all are executable.
    pub fn bytes(&mut self, at: u32, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        ((self.read)(at, &mut bytes) == length).then_some(bytes)
    }

    /// The instruction at `pc`; `None` where it is not executable.
    pub fn decode(&mut self, pc: u32, thumb: bool, it: ItState) -> Option<Decoded> {
        let mut next_it = it.advance();
        let inst = if !thumb {
            decode::a32(self.word(pc)?, pc)
        } else {
            let first = self.half(pc)?;
            if decode::is_t32(first) {
                let second = self.half(pc.checked_add(2)?)?;
                decode::t32(u32::from(first) << 16 | u32::from(second), pc, it)
            } else {
                next_it = decode::it_of(first).unwrap_or(next_it);
                decode::t16(first, pc, it)
            }
        };
        let effects = inst.as_ref().map(Effects::of).unwrap_or_default();
        Some(Decoded { pc, it, next_it, inst, effects })
    }
}

/// A block under construction.
pub struct Built {
    /// Its header.
    pub block: Block,
    /// Its slots.
    pub slots: Vec<Slot>,
}

/// Builds the block of `key`, of at most `limit` instructions, to be compiled after `heat` executions. `None`: its first instruction is not executable.
pub fn build(key: Key, fetch: &mut Fetch<'_>, limit: Option<usize>, heat: Option<u32>) -> Option<Built> {
    let thumb = key.thumb();
    let mut it = ItState(key.itstate() as u8);
    let mut pc = key.pc();
    let mut slots = Vec::with_capacity(32);
    slots.push(Slot::enter(pc, heat));
    if stats::on() {
        slots.push(Slot::count(0)); // replaced when they are known
    }
    let mut instructions = 0;
    // An open run of instructions under one condition: index of its `unless` slot.
    let mut run: Option<(usize, u8)> = None;
    let close = |slots: &mut Vec<Slot>, run: &mut Option<(usize, u8)>| {
        if let Some((at, condition)) = run.take() {
            slots[at] = Slot::unless(condition, (slots.len() - at - 1) as u32);
        }
    };
    let max = limit.unwrap_or(MAX_INSTRUCTIONS);
    loop {
        let full = instructions >= max && (limit.is_some() || !it.active());
        let decoded = if full { None } else { fetch.decode(pc, thumb, it) };
        let Some(d) = decoded else {
            close(&mut slots, &mut run);
            if instructions == 0 {
                return None;
            }
            slots.push(Slot::goto(pc, thumb, it.0));
            break;
        };
        instructions += 1;
        let Some(inst) = d.inst else {
            close(&mut slots, &mut run);
            slots.push(Slot::exit(pc, ExitCode::Undefined, it.0));
            pc = pc.wrapping_add(d.len());
            break;
        };
        let next = pc.wrapping_add(inst.len.into());
        if run.is_some_and(|(_, c)| c != inst.cond) {
            close(&mut slots, &mut run);
        }
        if inst.op == Op::B && inst.cond != cond::AL && limit.is_none() && !d.next_it.active() {
            // The most frequent end of a block.
            close(&mut slots, &mut run);
            slots.push(Slot::branch(inst.cond));
            slots.push(Slot::goto(inst.imm, thumb, 0));
            slots.push(Slot::goto(next, thumb, 0));
            pc = next;
            break;
        }
        if inst.cond != cond::AL && run.is_none() {
            run = Some((slots.len(), inst.cond));
            slots.push(Slot::set_pc(0)); // replaced when the run is closed
        }
        if d.effects.reads & 1 << 15 != 0 {
            slots.push(Slot::set_pc(pc.wrapping_add(if thumb { 4 } else { 8 })));
        }
        // What a plain branch does is done by its `goto`.
        if inst.op != Op::B && !d.is_it() {
            slots.push(Slot::instruction(inst, pc, it.0));
        }
        if let Some(flow) = d.effects.flow {
            match flow {
                Flow::Branch(target) => slots.push(Slot::goto(target, thumb, 0)),
                Flow::BranchExchange(target) => slots.push(Slot::goto(target, !thumb, 0)),
                Flow::BranchIf(target) => {
                    slots.push(Slot::pick(target));
                    slots.push(Slot::goto(target, thumb, 0));
                    slots.push(Slot::goto(next, thumb, 0));
                }
                Flow::Indirect => slots.push(Slot::lookup()),
                Flow::Trap => slots.push(Slot::leave()),
            }
            let conditional = run.is_some();
            close(&mut slots, &mut run);
            pc = next;
            if conditional {
                slots.push(Slot::goto(next, thumb, d.next_it.0));
            }
            break;
        }
        if run.is_some() && (d.effects.writes_flags || d.next_it.cond() != inst.cond && thumb) {
            close(&mut slots, &mut run);
        }
        it = d.next_it;
        pc = next;
    }
    if stats::on() {
        slots[1] = Slot::count(instructions as u32);
    }
    let bytes = pc.wrapping_sub(key.pc());
    let block = Block {
        key,
        bytes,
        instructions: instructions as u32,
        native: AtomicU64::new(0),
        native_slot: AtomicPtr::default(),
    };
    Some(Built { block, slots })
}

/// The block of a region that was not made from it: nothing but the way in. When the region is dropped, so is it.
pub fn of_region(key: Key, body: u64, slot: *const LinkSlot) -> Built {
    let slots = vec![Slot::enter_region(key.pc()), Slot::goto(key.pc(), key.thumb(), 0)];
    let block = Block {
        key,
        bytes: 0,
        instructions: 0,
        native: AtomicU64::new(body),
        native_slot: AtomicPtr::new(slot.cast_mut()),
    };
    Built { block, slots }
}

impl Built {
    /// For a block that is run once: instead of going on, stop.
    pub fn end_with_step(&mut self) {
        for s in &mut self.slots[1..] {
            s.stop();
        }
    }

    /// The slot behind the entry slot.
    pub fn first_instruction(&self) -> *const Slot {
        &self.slots[1]
    }
}
