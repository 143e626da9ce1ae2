//! Between the tiers: warm regions become host code at once, without Cranelift: registers are allocated as they are used and
//! written back at the end of each block, nothing is optimised that costs a second look. It takes a fraction of Cranelift's time for
//! most of its speed; docs/performance.md has the figures. What gets hot goes on to Cranelift.
//!
//! An instruction's meaning is the frontend's semantics, run on the values of `values`. What touches VFP or Advanced SIMD
//! registers, and exclusive accesses, is left to the interpreter's handlers, called from here.

mod assembler;
mod flags;
mod integer;
mod values;

use crate::cache::Key;
use crate::codegen::{Compiled, Exit, FaultPoint, Mode, is_v3, region};
use crate::engine::ExitCode;
use crate::interp::block::{Decoded, Fetch};
use crate::returns::{Landing, Way};
use crate::stats;
use crate::tuning::{self, Optimisations};
use assembler::{Alu, Jump, Place, RDI, RSI, Reg, Width};
use flags::Flags;
use forearm_frontend::decode::ItState;
use forearm_frontend::effects::Flow;
use forearm_frontend::inst::{Op, cond};
use region::{Edge, Worth};
use values::{Truth, Values, Word, register};

macro_rules! field {
    ($($field:tt)+) => {
        crate::baseline::assembler::Place::Memory(
            crate::baseline::assembler::RDI,
            std::mem::offset_of!(crate::state::CpuState, $($field)+) as i32,
        )
    };
}
use field;

/// The exit of a region's entry: the last one, so its number is not known before the end.
const ENTRY: u32 = u32::MAX;

/// An instruction that is left to the interpreter costs as much more than one in host code: then Cranelift is worth it earlier.
const LEFT_COSTS: u32 = 32;

/// The baseline compiler with its buffers.
#[derive(Debug)]
pub struct Baseline {
    v: Values,
    flags: Flags,
    exits: Vec<Exit>,
    mode: Mode,
    thumb: bool,
    /// Of each block of the region, where its code is, once it is made, and the jumps that are to lead there.
    starts: Vec<Option<usize>>,
    jumps: Vec<(usize, Jump)>,
    /// The block being made.
    block: usize,
    /// Jumps out of line: to the exit of a place where a loop or the region starts, when the runtime asks or the code is hot.
    leaving: Vec<(u32, Jump, Jump)>,
    /// Where else the region can be entered, by address and offset.
    entries: Vec<(u32, u32)>,
    /// The same while the code is made: address and block.
    doors: Vec<(u32, usize)>,
    /// Jumps out of line where the flags in the state turn out to be undone, and where they come from.
    unsettled: Vec<(Jump, usize)>,
    /// In this block they have been looked at already.
    settled: bool,
    /// The instruction being translated.
    at: Decoded,
    /// Where a fixed branch of the block goes, and where it goes else.
    target: Option<Edge>,
    next: Edge,
    /// The flags are read behind the current instruction before they are set.
    live: bool,
    /// The block has been ended by the current instruction.
    ended: bool,
    /// And control is to go on to the next block in the code.
    ended_by_falling: bool,
    /// Instructions that are left to the interpreter.
    left: u32,
    /// The exits of loops and entries, which count.
    heads: Vec<u32>,
}

impl Baseline {
    /// A compiler, where the host has the instructions that it uses.
    pub fn new() -> Option<Baseline> {
        is_v3().then(|| Baseline {
            v: Values::default(),
            flags: Flags::default(),
            exits: Vec::new(),
            mode: Mode { precise: false, based: false, flush: false, traps: false },
            thumb: false,
            starts: Vec::new(),
            jumps: Vec::new(),
            block: 0,
            leaving: Vec::new(),
            entries: Vec::new(),
            doors: Vec::new(),
            unsettled: Vec::new(),
            settled: false,
            at: Decoded::nothing(0),
            target: None,
            next: Edge::Outside(0),
            live: true,
            ended: false,
            ended_by_falling: false,
            left: 0,
            heads: Vec::new(),
        })
    }

    /// Compiles the region of `key` with the `warm` code around it; where a loop or the region starts it asks for more after `heat`
    /// executions. `None`: it is left to the interpreter.
    pub fn compile(
        &mut self,
        key: Key,
        fetch: &mut Fetch<'_>,
        warm: &dyn Fn(u32, bool) -> bool,
        mode: Mode,
        heat: u32,
    ) -> Option<Compiled> {
        let region = region::find(
            key,
            fetch,
            &Worth { warm, hot: &|_, _| false, tables: false, ..Worth::ALL },
            mode.precise,
        )?;
        self.v.begin();
        self.exits = Vec::new();
        (self.mode, self.thumb) = (mode, key.thumb());
        self.starts = vec![None; region.blocks.len()];
        self.jumps.clear();
        self.leaving.clear();
        (self.heads, self.left) = (Vec::new(), 0);
        (self.ended_by_falling, self.flags) = (true, Flags::default());
        self.entries = Vec::new();
        self.doors.clear();
        self.unsettled.clear();
        let mut faults = Vec::new();
        self.starts[0] = Some(0);
        self.safe_point(ENTRY);
        for (k, block) in region.blocks.iter().enumerate() {
            self.block(k, block, &region, &mut faults)?;
        }
        self.out_of_line();
        let entry = self.exits.len() as u32;
        self.exits.push(Exit { target: key.target() });
        if self.v.is_overfull() {
            return None;
        }
        let mut slots = std::mem::take(&mut self.v.a.slots);
        for slot in &mut slots {
            slot.1 = slot.1.min(entry);
        }
        Some(Compiled {
            code: std::mem::take(&mut self.v.a.code),
            entry: 0,
            slots,
            exits: std::mem::take(&mut self.exits),
            faults,
            ranges: region.ranges(),
            extent: region.extent(),
            instructions: region.len as u32,
            heat: Some(heat / (1 + LEFT_COSTS * self.left / region.len.max(1) as u32)),
            heads: std::mem::take(&mut self.heads),
            entries: std::mem::take(&mut self.entries),
        })
    }

    /// Leaves when the runtime asks for that or the code is hot.
    fn safe_point(&mut self, exit: u32) {
        let a = &mut self.v.a;
        a.test_memory(field!(exit_request), RDI);
        let requested = a.jump_if(assembler::Cc::NE);
        let count = std::mem::offset_of!(crate::cache::native::LinkSlot, number) as i32;
        a.alu_constant(Alu::Sub, Width::D, Place::Slot(exit, count), 1);
        let hot = a.jump_if(assembler::Cc::S);
        self.leaving.push((exit, requested, hot));
    }

    fn block(
        &mut self,
        k: usize,
        block: &region::Block,
        region: &region::Region,
        faults: &mut Vec<FaultPoint>,
    ) -> Option<()> {
        // Behind the block in front, and reached from there alone: registers are where they are.
        let falls_in = self.ended_by_falling && region.predecessors(k) == 1;
        if k != 0 {
            self.starts[k] = Some(self.v.a.here());
        }
        if !falls_in {
            self.v.forget(0, 0);
            self.v.end_instruction(0);
            self.flags = Flags::default();
            self.settled = false;
        }
        let first = block.instructions.first().map_or(region.key.pc(), |d| d.pc);
        if k != 0 && !falls_in && !block.instructions.is_empty() {
            self.doors.push((first, k));
        }
        if block.header && k != 0 {
            let exit = self.new_exit(first | u32::from(self.thumb));
            self.heads.push(exit);
            self.safe_point(exit);
        }
        if stats::on() {
            self.count(block.instructions.len());
        }
        let inside = block.successors.iter().any(|&s| region.blocks[s].live_in & region::FLAGS != 0);
        let live = liveness(block, block.flags_matter || inside);
        let last = block.instructions.last();
        if last.is_some_and(|d| d.next_it.active()) {
            return None;
        }
        let behind = last.map_or(first, |d| d.pc.wrapping_add(d.len()));
        (self.block, self.target) = (k, block.target);
        self.next = block.next.unwrap_or(Edge::Outside(behind));
        (self.ended, self.ended_by_falling, self.live) = (false, false, live[0]);
        for (d, live) in block.instructions.iter().zip(&live[1..]) {
            (self.at, self.live) = (*d, *live);
            if d.effects.memory {
                faults.push(FaultPoint::new(self.v.a.here() as u32, d));
            }
            self.instruction(d);
            self.v.end_instruction(self.flags.held(&self.v));
        }
        if !self.ended {
            self.go(self.next);
        }
        Some(())
    }

    /// Counts instructions as executed.
    fn count(&mut self, instructions: usize) {
        let counts = self.v.scratch();
        let compiled = std::mem::offset_of!(stats::Executed, compiled) as i32;
        self.v.a.load(Width::Q, counts, field!(host.counts));
        self.v.a.alu_constant(Alu::Add, Width::Q, Place::Memory(counts, compiled), instructions as u32);
        self.v.release();
    }

    /// What is jumped to when there is something to be done.
    fn out_of_line(&mut self) {
        for (k, jump) in std::mem::take(&mut self.jumps) {
            if let Some(start) = self.starts[k] {
                self.v.a.land_at(jump, start);
            }
        }
        for (jump, back) in std::mem::take(&mut self.unsettled) {
            let a = &mut self.v.a;
            a.land(jump);
            a.store(Width::Q, Values::reserved_slot(), RSI);
            a.mov_constant(RSI, crate::codegen::helpers::Helper::SettleFlags.pack());
            a.call_through(field!(host.rare_helper));
            a.load(Width::Q, RSI, Values::reserved_slot());
            a.jump_to(back);
        }
        for (pc, k) in std::mem::take(&mut self.doors) {
            let Some(start) = self.starts[k] else { continue };
            self.entries.push((pc, self.v.a.here() as u32));
            let exit = self.new_exit(pc | u32::from(self.thumb));
            self.heads.push(exit);
            self.safe_point(exit);
            self.v.a.jump_to(start);
        }
        for (exit, requested, hot) in std::mem::take(&mut self.leaving) {
            let a = &mut self.v.a;
            a.land(requested);
            a.lea(Width::Q, RSI, Place::Slot(exit, 0));
            a.jump_through(field!(host.leave));
            a.land(hot);
            a.lea(Width::Q, RSI, Place::Slot(exit, 0));
            a.jump_through(Place::Memory(RSI, 0));
        }
    }

    /// Calls a host function with the state as its first argument; all but the registers of `values::KEPT` is lost.
    fn call(&mut self, function: Place) {
        let a = &mut self.v.a;
        a.store(Width::Q, Values::reserved_slot(), RDI);
        a.call_through(function);
        a.load(Width::Q, RDI, Values::reserved_slot());
    }

    // ---- instructions

    fn instruction(&mut self, d: &Decoded) {
        let Some(inst) = d.inst else {
            self.trap(ExitCode::Undefined, 0, false);
            return;
        };
        if d.is_it() {
            return;
        }
        if inst.cond == cond::AL {
            self.unconditional(d);
            return;
        }
        if inst.op == Op::B {
            self.branch_on(inst.cond, inst.imm);
            return;
        }
        let e = &d.effects;
        let plain = e.writes.count_ones() == 1 && e.flow.is_none();
        if plain && !(e.memory || e.writes_flags || e.touches_other || e.float || e.rare) {
            self.select(d, inst.cond, e.writes.trailing_zeros() as u8);
            return;
        }
        // On both ways everything is in the state behind it.
        self.v.flush(u16::MAX);
        if self.live || e.writes_flags || e.reads_flags {
            self.store_flags();
        }
        let skip = self.jump_unless(inst.cond);
        let settled = self.settled;
        self.flags.stored();
        self.v.end_instruction(0);
        self.unconditional(d);
        if !self.ended {
            self.v.flush(u16::MAX);
            if e.writes_flags {
                self.store_flags();
            }
        }
        self.flags.stored();
        self.settled = settled;
        self.v.a.land(skip);
        self.v.forget(0, 0);
        self.v.end_instruction(0);
        self.ended = false;
        if e.flow.is_some() {
            self.go(self.next);
        }
    }

    fn unconditional(&mut self, d: &Decoded) {
        let e = &d.effects;
        if self.mode.precise && e.memory {
            // A fault handler sees the registers, and goes on with the flags that are still to be read.
            self.v.flush(u16::MAX);
            if self.live || e.reads_flags {
                self.store_flags();
            }
        }
        let left = e.rare || e.float || e.memory && e.touches_other;
        let Some(inst) = d.inst else { return };
        if left || !forearm_frontend::execute_core(self, &inst) {
            self.interpret(d);
        }
    }

    /// A conditional instruction that only writes a register: a select instead of a jump that is often mispredicted.
    fn select(&mut self, d: &Decoded, condition: u8, r: u8) {
        let old = self.v.guest(r);
        self.v.release();
        self.unconditional(d);
        self.v.release();
        let new = self.v.guest(r);
        let (id, to) = self.v.copy(old);
        let new = self.v.fetch(new);
        let holds = self.condition(condition);
        self.v.a.cmov(holds, to, new);
        self.v.release();
        self.v.set_guest(r, Word::Value(id));
    }

    /// Has the interpreter's handler do the instruction.
    fn interpret(&mut self, d: &Decoded) {
        let Some(inst) = d.inst else { return };
        self.left += 1;
        let e = &d.effects;
        self.v.flush(u16::MAX);
        if self.live || e.reads_flags {
            self.store_flags();
        }
        self.flags.stored();
        let [low, high] = crate::interp::pack(&inst);
        let at = u64::from(d.pc) | u64::from(d.it.0) << 32;
        for (r, x) in [(RSI, low), (assembler::RDX, high), (Reg(1), at)] {
            self.v.a.mov_constant(r, x);
        }
        self.call(field!(host.interpret));
        self.settled = true;
        self.v.forget(!e.writes, values::KEPT);
        self.v.end_instruction(0);
        if e.flow.is_some() {
            self.leave(0);
        }
    }

    // ---- ways out

    /// Into the runtime with r15 at this instruction or behind it.
    fn trap(&mut self, code: ExitCode, value: u32, after: bool) {
        self.v.flush(u16::MAX);
        self.leave_flags();
        let (pc, it) = if after { (self.behind(), self.at.it.advance()) } else { (self.at.pc, self.at.it) };
        self.v.a.store_constant(Width::D, register(15), pc);
        if it != ItState(0) {
            self.v.a.store_constant(Width::D, field!(itstate), it.0.into());
        }
        self.v.a.store_constant(Width::D, field!(host.exit), code as u32);
        self.v.a.store_constant(Width::D, field!(host.exit_value), value);
        self.leave(1);
    }

    /// Out of compiled code. `why`: 0 to look up r15, 1 to the runtime.
    fn leave(&mut self, why: u64) {
        self.ended = true;
        self.v.a.mov_constant(RSI, why);
        self.v.a.jump_through(field!(host.leave));
    }

    /// Everything that somebody may read into the state.
    fn write_all(&mut self) {
        self.v.flush(u16::MAX);
        if self.live {
            self.store_flags();
        }
    }

    /// Ends the block by an edge.
    fn go(&mut self, edge: Edge) {
        self.write_all();
        self.jump(edge);
    }

    /// Along an edge; everything is in the state.
    fn jump(&mut self, edge: Edge) {
        self.ended = true;
        match edge {
            Edge::Outside(pc) => {
                self.exit(pc | u32::from(self.thumb), self.at.effects.links && pc != self.behind())
            }
            Edge::Inside(k) if k == self.block + 1 => self.ended_by_falling = true,
            Edge::Inside(k) => match self.starts[k] {
                Some(start) => self.v.a.jump_to(start),
                None => {
                    let jump = self.v.a.jump();
                    self.jumps.push((k, jump));
                }
            },
        }
    }

    /// Along an edge if the host's condition holds.
    fn jump_along(&mut self, cc: assembler::Cc, edge: Edge) {
        match edge {
            Edge::Outside(pc) => {
                let skip = self.v.a.jump_if(cc.not());
                self.exit(pc | u32::from(self.thumb), false);
                self.v.a.land(skip);
            }
            Edge::Inside(k) => match self.starts[k] {
                Some(start) => self.v.a.jump_if_to(cc, start),
                None => {
                    let jump = self.v.a.jump_if(cc);
                    self.jumps.push((k, jump));
                }
            },
        }
    }

    fn new_exit(&mut self, target: u32) -> u32 {
        self.exits.push(Exit { target });
        self.exits.len() as u32 - 1
    }

    /// Through a link slot of this exit's own; everything is in the state. The current instruction may be a `call`.
    fn exit(&mut self, target: u32, call: bool) {
        self.ended = true;
        let number = self.new_exit(target);
        self.v.a.lea(Width::Q, RSI, Place::Slot(number, 0));
        let way = self.way(call, false);
        self.v.a.jump_by(&way, Place::Memory(RSI, 0));
    }

    /// The address behind the current instruction.
    fn behind(&self) -> u32 {
        self.at.pc.wrapping_add(self.at.len())
    }

    /// How to go where the current instruction leads.
    fn way(&mut self, call: bool, returns: bool) -> Way {
        if !tuning::on(Optimisations::RETURNS) {
            return Way::default();
        }
        let call = call.then(|| {
            let address = self.behind() | u32::from(self.thumb);
            Landing { address, exit: self.new_exit(address) }
        });
        Way { call, returns, ..Way::default() }
    }

    /// Where a fixed branch of the current instruction leads.
    fn edge(&self, target: u32) -> Edge {
        self.target.unwrap_or(Edge::Outside(target))
    }

    /// Ends the block with a conditional branch.
    fn branch_on(&mut self, condition: u8, target: u32) {
        self.write_all();
        let holds = self.condition(condition);
        self.v.release();
        self.branch_along(holds, target);
    }

    fn branch_if_true(&mut self, c: Truth, target: u32) {
        self.write_all();
        let holds = self.holds(c);
        self.v.release();
        self.branch_along(holds, target);
    }

    fn branch_along(&mut self, cc: assembler::Cc, target: u32) {
        let edge = self.edge(target);
        if edge == self.next {
            // Both ways lead to the same place.
            return self.jump(edge);
        }
        self.jump_along(cc, edge);
        self.jump(self.next);
    }

    fn jump_unless(&mut self, condition: u8) -> Jump {
        let holds = self.condition(condition);
        self.v.release();
        self.v.a.jump_if(holds.not())
    }

    /// To the address in a word whose bit 0 is the Thumb bit.
    fn exit_indirect(&mut self, target: Word) {
        self.v.flush(u16::MAX);
        self.leave_flags();
        let target = self.v.fetch(target);
        self.v.a.mov(Width::D, RSI, target);
        let way = self.way(self.at.effects.links, self.at.returns());
        self.v.a.jump_by(&way, field!(host.indirect));
        self.ended = true;
    }

    /// Where memory at a guest address is for the host.
    fn host(&mut self, address: Word) -> Place {
        let (base, offset) = match address {
            // The offset is added in 64 bits: what would wrap around hits the guard above the address space instead.
            Word::Sum(id, x @ 0..4096) => (self.v.value(id), x as i32),
            _ => (self.v.fetch(address), 0),
        };
        if !self.mode.based {
            return Place::Memory(base, offset);
        }
        let at = self.v.scratch();
        self.v.a.load(Width::Q, at, field!(base));
        self.v.a.alu(Alu::Add, Width::Q, at, Place::Reg(base));
        Place::Memory(at, offset)
    }
}

/// In front of each instruction, and behind the last: are the flags read before all of them are set?
fn liveness(block: &region::Block, behind: bool) -> Vec<bool> {
    let mut live = vec![behind; block.instructions.len() + 1];
    for (k, d) in block.instructions.iter().enumerate().rev() {
        let conditional = d.inst.is_some_and(|i| i.cond != cond::AL) && !d.is_it();
        let traps = d.inst.is_none() || matches!(d.effects.flow, Some(Flow::Trap));
        let read = d.effects.reads_flags || conditional || traps;
        live[k] = read || !d.effects.kills_flags && live[k + 1];
    }
    live
}
