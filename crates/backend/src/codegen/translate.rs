//! A region to CLIF: blocks, conditions, safe points and exits. What an instruction does is the frontend's semantics, run on
//! the values of `integer`, `float` and `vector`.

use super::helpers::Helper;
use super::region::{self, Back, Edge, FLAGS, FlagsIn, REGISTERS, Region};
use super::{Exit, Features, JUMP_LOC, Mode, REQUEST_LOC, TABLE_LOC};
use crate::engine::ExitCode;
use crate::interp::block::Decoded;
use crate::returns::{Landing, Way};
use crate::state::{FLAGS_ADD, FLAGS_C, FLAGS_DOUBLE, FLAGS_NZ, FLAGS_SINGLE, FLAGS_SUB};
use crate::stats;
use crate::tuning::{self, Optimisations};
use cranelift_codegen::ir::condcodes::{CondCode, FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32, F64, I8X16, I32, I64};
use cranelift_codegen::ir::{
    AbiParam, Block, ExternalName, GlobalValueData, InstBuilder, InstructionData, JumpTableData,
    MemFlagsData, Opcode, SigRef, Signature, SourceLoc, Type, UserExternalName, Value,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FunctionBuilder, Variable};
use forearm_frontend::decode::ItState;
use forearm_frontend::effects::scalar_overlap;
use forearm_frontend::inst::{Op, cond};
use forearm_frontend::machine::{CryptoOp, Elem};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::ops::Range;

/// Where the flags come from at this point of the code: from `base`, but for those that were set later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags {
    pub base: Base,
    /// The result that N and Z are of.
    pub nz: Option<Value>,
    /// C, a word.
    pub c: Option<Value>,
}

/// What has set all flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// They are in the variables; no others are set later.
    Variables,
    /// They are in the state, perhaps as operands.
    State,
    /// Those of `result = a - b`.
    Sub(Value, Value, Value),
    /// Those of `result = a + b`.
    Add(Value, Value, Value),
    /// Those of a comparison of floats; no others are set later.
    Float(Value, Value),
}

impl From<Base> for Flags {
    fn from(base: Base) -> Flags {
        Flags { base, nz: None, c: None }
    }
}

impl Flags {
    /// What all of them come from, if that is one thing.
    pub(super) fn whole(self) -> Option<Base> {
        (self.nz.is_none() && self.c.is_none()).then_some(self.base)
    }
}

/// Where a vector has the bits of a D register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    /// In the low half; the high half is zero.
    Alone(Value),
    /// In the low half; the high half is anything.
    Low(Value),
    /// In the high half.
    High(Value),
}

/// The values that vectors and FPSCR's flags have in the current block, where they are known. The state in memory has them too.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct VfpValues {
    q: [Option<Value>; 16],
    /// Those of D registers as parts of vectors.
    halves: [Option<Half>; 32],
    /// D registers that were stored, as a whole or in parts, since their Q register was.
    parts: u32,
    /// FPSCR's N, Z, C and V in bits 31..28.
    nzcv: Option<Value>,
}

impl VfpValues {
    pub fn q(&self, r: u8) -> Option<Value> {
        self.q[usize::from(r & 15)].filter(|_| tuning::on(Optimisations::VFP_VALUES))
    }

    pub fn half(&self, r: u8) -> Option<Half> {
        self.halves[usize::from(r & 31)].filter(|_| tuning::on(Optimisations::VFP_VALUES))
    }

    /// Was one of Q register `r`'s halves stored by itself?
    pub fn in_parts(&self, r: u8) -> bool {
        self.parts >> (2 * (r & 15)) & 3 != 0 && tuning::on(Optimisations::VFP_VALUES)
    }

    pub fn nzcv(&self) -> Option<Value> {
        self.nzcv.filter(|_| tuning::on(Optimisations::VFP_VALUES))
    }

    pub fn write_nzcv(&mut self, w: Value) {
        self.nzcv = Some(w);
    }

    /// A value that was read.
    pub fn read_q(&mut self, r: u8, v: Value) {
        let r = usize::from(r & 15);
        self.q[r] = Some(v);
        self.halves[2 * r].get_or_insert(Half::Low(v));
        self.halves[2 * r + 1].get_or_insert(Half::High(v));
    }

    /// As `read_q`.
    pub fn read_half(&mut self, r: u8, half: Half) {
        self.halves[usize::from(r & 31)] = Some(half);
    }

    /// A D register or a part of it was written.
    pub fn write_d(&mut self, r: u8) {
        let r = usize::from(r & 31);
        self.halves[r] = None;
        self.q[r / 2] = None;
        self.parts |= 1 << r;
    }

    pub fn write_half(&mut self, r: u8, half: Half) {
        self.write_d(r);
        self.halves[usize::from(r & 31)] = Some(half);
    }

    pub fn write_q(&mut self, r: u8, v: Value) {
        let r = usize::from(r & 15);
        self.q[r] = Some(v);
        self.parts &= !(3 << (2 * r));
        self.halves[2 * r..2 * r + 2].copy_from_slice(&[Some(Half::Low(v)), Some(Half::High(v))]);
    }
}

/// S and D registers in variables. A register is a bit as in the sets of `Effects`.
#[derive(Debug)]
pub(super) struct Scalars {
    variables: [Option<Variable>; 64],
    /// Whose variable has the value.
    known: u64,
    /// Of these, which may differ from the state in memory. No two of them overlap.
    dirty: u64,
}

impl Default for Scalars {
    fn default() -> Scalars {
        Scalars { variables: [None; 64], known: 0, dirty: 0 }
    }
}

/// The value domain of Cranelift: appends to a function what an instruction does.
pub struct Codegen<'a, 'f> {
    pub(super) b: &'a mut FunctionBuilder<'f>,
    pub(super) mode: Mode,
    pub(super) features: Features,
    /// The state pointer.
    pub(super) cpu: Value,
    /// Core registers in 64 bits with zeros above: they serve as addresses so.
    pub(super) regs: [Variable; 15],
    pub(super) nzcv: [Variable; 4],
    pub(super) flags: Flags,
    pub(super) vfp: VfpValues,
    /// The GE flags where they are known in the current block.
    pub(super) ge: Option<Value>,
    /// The state does not have them yet.
    pub(super) ge_dirty: bool,
    /// The result of the last RBIT, and its operand.
    pub(super) reversed: Option<(Value, Value)>,
    /// The results of right shifts of unsigned elements in the current block, and the bits of an element that may be set.
    pub(super) shifted: Vec<(Value, Elem, u32)>,
    /// The result of the last AESE or AESD, which it was, and what it substituted and shifted.
    pub(super) unmixed: Option<(Value, CryptoOp, Value)>,
    pub(super) scalars: Scalars,
    /// The N, Z, C and V of the last comparison of floats, and what it compared, when they can stand for the flags.
    pub(super) comparison: Option<(Value, Value, Value)>,
    /// Magnitude and sign masks, each of a single and a double, where the region needs them.
    pub(super) masks: [Option<Value>; 4],
    /// The function's first block.
    pub(super) entry: Block,
    /// Words of the current block, with the same in 64 bits with zeros above.
    pub(super) extended: Vec<(Value, Value)>,
    /// Guest addresses of the current block with their host addresses, where these have a base.
    pub(super) based: Vec<(Value, Value)>,
    /// Registers (and `FLAGS`) that may differ from the state in memory.
    pub(super) dirty: u32,
    /// What of it a fault handler would miss: all registers, and the flags if they are read later.
    seen: u32,
    /// The flags behind the current instruction may be read.
    pub(super) flags_wanted: bool,
    /// The instruction being translated.
    pub(super) at: Decoded,
    pub(super) thumb: bool,
    /// Where a branch of the current instruction goes, when it is inside the region.
    target: Option<Edge>,
    /// Where the current instruction goes otherwise.
    next: Option<Edge>,
    /// Where a return goes, when that is inside the region.
    back: Option<Back>,
    /// What of `dirty` is stored on the way out by a fixed edge.
    exit_mask: u32,
    /// The flags are read there.
    flags_asked: bool,
    blocks: Vec<Block>,
    /// The instruction set of each.
    thumbs: Vec<bool>,
    live_in: Vec<u32>,
    /// Registers that each block may get dirty, and those that it wants at all.
    registers_in: Vec<(u32, u32)>,
    /// How each block gets the flags, and where from.
    flags_in: Vec<(FlagsIn, Flags)>,
    /// S and D registers that each block gets in variables, and those of them that may be dirty.
    scalars_in: Vec<(u64, u64)>,
    /// Addresses of the region's blocks, for safe points at back edges.
    starts: Vec<u32>,
    exits: Vec<Exit>,
    /// By source location, those of the jumps that are not plain.
    ways: HashMap<u32, Way>,
    /// Of the block, see `region::Block`.
    inside: SmallVec<[u32; 3]>,
    /// Likewise.
    likely: Option<u32>,
    /// Likewise.
    table: Vec<Option<Edge>>,
    jump: SigRef,
    helper: Option<SigRef>,
    operation: [Option<SigRef>; 2],
    crypto: Option<SigRef>,
    /// The block has been ended by the current instruction.
    pub(super) ended: bool,
}

/// A field of the state.
pub(super) const STATE: MemFlagsData = MemFlagsData::trusted();

macro_rules! field {
    ($($field:tt)+) => { std::mem::offset_of!(crate::state::CpuState, $($field)+) as i32 };
}
pub(super) use field;

/// The type of an S or D register, and where the state has it.
fn scalar_place(n: u8) -> (Type, i32) {
    if n < 32 { (F32, field!(vfp) + 4 * i32::from(n)) } else { (F64, field!(vfp) + 8 * i32::from(n - 32)) }
}

/// How many instructions from the first one on share its condition, for [`Codegen::run`]. 1: it is better off by itself.
fn run_length(instructions: &[Decoded]) -> usize {
    let condition = |d: &Decoded| d.inst.map_or(cond::AL, |i| i.cond);
    let first = condition(&instructions[0]);
    if first == cond::AL || !tuning::on(Optimisations::SELECT) {
        return 1;
    }
    let (mut length, mut count, mut memory) = (0, 0, false);
    for (k, d) in instructions.iter().enumerate() {
        let e = &d.effects;
        if d.is_it() {
            continue;
        }
        let branch = d.inst.is_some_and(|i| i.op == Op::B);
        let plain = !(e.rare || e.float || e.touches_other || e.flow.is_some());
        if condition(d) != first || !(plain || branch) || d.inst.is_none() {
            break;
        }
        (length, count, memory) = (k + 1, count + 1, memory | e.memory);
    }
    // A select is better than a branch, which an access to memory needs anyway.
    if count > 1 && memory { length } else { 1 }
}

/// Fills a new function with a region's code; the exits are what its link slots stand for.
pub(super) fn emit(
    b: &mut FunctionBuilder<'_>,
    region: &Region,
    mode: Mode,
    features: Features,
) -> (Vec<Exit>, HashMap<u32, Way>) {
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let cpu = b.block_params(entry)[0];
    let regs = std::array::from_fn(|_| b.declare_var(I64));
    let nzcv = std::array::from_fn(|_| b.declare_var(I32));
    let jump = b.import_signature(super::signature());
    let blocks = region.blocks.iter().map(|_| b.create_block()).collect();
    let first = region.blocks[0].instructions.first().copied();
    let mut g = Codegen {
        b,
        mode,
        features,
        cpu,
        regs,
        nzcv,
        flags: Base::State.into(),
        vfp: VfpValues::default(),
        ge: None,
        ge_dirty: false,
        reversed: None,
        shifted: Vec::new(),
        unmixed: None,
        scalars: Scalars::default(),
        comparison: None,
        masks: [None; 4],
        entry,
        extended: Vec::new(),
        based: Vec::new(),
        dirty: 0,
        seen: u32::MAX,
        flags_wanted: true,
        at: first.unwrap_or_else(|| Decoded::nothing(region.key.pc())),
        thumb: region.key.thumb(),
        target: None,
        next: None,
        back: None,
        exit_mask: u32::MAX,
        flags_asked: true,
        blocks,
        thumbs: region.blocks.iter().map(|b| b.thumb).collect(),
        live_in: region.blocks.iter().map(|b| b.live_in).collect(),
        registers_in: region.blocks.iter().map(|b| (b.dirty_in & REGISTERS, b.wanted_in)).collect(),
        flags_in: region
            .blocks
            .iter()
            .map(|b| {
                let base = if b.flags_in == FlagsIn::Read { Base::Variables } else { Base::State };
                (b.flags_in, base.into())
            })
            .collect(),
        scalars_in: region.blocks.iter().map(|b| (b.scalars_in, b.scalars_dirty_in)).collect(),
        starts: region
            .blocks
            .iter()
            .map(|b| b.instructions.first().map_or(region.key.pc(), |d| d.pc))
            .collect(),
        exits: Vec::new(),
        ways: HashMap::new(),
        inside: SmallVec::new(),
        likely: None,
        table: Vec::new(),
        jump,
        helper: None,
        operation: [None; 2],
        crypto: None,
        ended: false,
    };
    g.region(region);
    if region.blocks.iter().flat_map(|b| &b.instructions).any(|d| d.effects.float) {
        if tuning::on(Optimisations::VFP_VALUES) {
            g.drop_dead_stores();
        }
        if mode.traps {
            g.keep_unread();
        }
    }
    (g.exits, g.ways)
}

impl Codegen<'_, '_> {
    /// Goes on in a block that all jumps lead to already.
    pub(super) fn switch(&mut self, block: Block) {
        self.b.switch_to_block(block);
        self.b.seal_block(block);
    }

    fn region(&mut self, region: &Region) {
        // Edges into each block that are still to be made. Sealed blocks make far fewer block parameters.
        let mut edges = vec![0usize; region.blocks.len()];
        for s in region.blocks.iter().flat_map(|b| &b.successors) {
            edges[*s] += 1;
        }
        if !region.blocks[0].header {
            self.safe_point(region.key.pc(), 0);
        }
        let live = region.blocks[0].live_in;
        for r in 0..15 {
            if live & 1 << r != 0 {
                self.reload(r);
            }
        }
        if region.blocks[0].flags_in == FlagsIn::Read {
            let unsettled = self.b.ins().load(I32, STATE, self.cpu, field!(host.flags));
            let (cold, on) = (self.b.create_block(), self.b.create_block());
            self.b.set_cold_block(cold);
            self.b.ins().brif(unsettled, cold, &[], on, &[]);
            self.switch(cold);
            self.helper(Helper::SettleFlags, &[], I32);
            self.b.ins().jump(on, &[]);
            self.switch(on);
            self.reload_flags();
        }
        self.prepare_scalars(0);
        let first = self.blocks[0];
        self.b.ins().jump(first, &[]);
        let mut number = 0;
        for (k, block) in region.blocks.iter().enumerate() {
            let clif = self.blocks[k];
            self.b.switch_to_block(clif);
            if edges[k] == 0 && k != 0 {
                self.b.seal_block(clif);
            }
            self.flags = self.flags_in[k].1;
            self.vfp = VfpValues::default();
            (self.ge, self.ge_dirty) = (None, false);
            (self.scalars.known, self.scalars.dirty) = self.scalars_in[k];
            self.extended.clear();
            self.shifted.clear();
            self.based.clear();
            self.dirty = block.dirty_in;
            self.ended = false;
            (self.target, self.back, self.thumb) = (block.target, block.back, block.thumb);
            (self.inside, self.likely) = (block.inside.clone(), block.likely);
            self.table.clone_from(&block.table);
            self.exit_mask = if block.flags_matter { u32::MAX } else { !FLAGS };
            self.flags_asked = block.flags_asked;
            if block.header {
                // Whether the flags are dirty matters only to who reads them.
                let flags = if block.live_in & FLAGS != 0 { FLAGS } else { 0 };
                self.safe_point(self.starts[k], block.dirty_in & (!FLAGS | flags));
            }
            if stats::on() {
                self.count(block.instructions.len());
            }
            let mut at = 0;
            // It ends early where FPSCR was written.
            while at < block.instructions.len() && !self.ended {
                let length = run_length(&block.instructions[at..]);
                if length > 1 {
                    self.run(block, at..at + length, number);
                } else {
                    self.begin(block, at, number);
                    self.instruction(&block.instructions[at], block.next);
                }
                at += length;
            }
            number += block.instructions.len() as u32;
            let last = block.instructions.last();
            self.b.set_srcloc(SourceLoc::default());
            if !self.ended {
                // Also for a block without instructions.
                let next =
                    block.next.unwrap_or(Edge::Outside(last.map_or(region.key.pc(), |d| d.pc + d.len())));
                self.go(next);
            }
            for &s in &block.successors {
                edges[s] -= 1;
                if edges[s] == 0 && s <= k {
                    self.b.seal_block(self.blocks[s]);
                }
            }
        }
        self.b.seal_all_blocks();
    }

    /// Before instruction `k` of a block, which is `number` instructions behind the region's first.
    fn begin(&mut self, block: &region::Block, k: usize, number: u32) {
        self.flags_wanted = block.flags_live.get(k + 1).is_none_or(|live| *live);
        self.at = block.instructions[k];
        self.seen = if block.flags_live[k] { u32::MAX } else { !FLAGS };
        self.b.set_srcloc(SourceLoc::new(number + k as u32 + 1));
    }

    /// Instructions `run` of a block, which [`run_length`] has found. Once their condition fails, none of those that are left
    /// is executed: they leave the flags as they are.
    fn run(&mut self, block: &region::Block, run: Range<usize>, number: u32) {
        let instructions = &block.instructions[run.clone()];
        let condition = instructions[0].inst.map_or(cond::AL, |i| i.cond);
        let sets_flags = instructions.iter().any(|d| d.effects.writes_flags);
        // Behind the run the flags are those of one of some subtractions, or in the variables.
        let subtracts = matches!(self.flags.whole(), Some(Base::Sub(..)))
            && condition & !1 != cond::VS
            && tuning::on(Optimisations::LAZY_FLAGS)
            && instructions.iter().filter(|d| d.effects.writes_flags).all(|d| d.subtracts());
        let operands = (sets_flags && subtracts).then(|| [self.b.declare_var(I32), self.b.declare_var(I32)]);
        let (flags, scalars) = (self.flags, (self.scalars.known, self.scalars.dirty));
        let (extended, based, ge) = (self.extended.len(), self.based.len(), (self.ge, self.ge_dirty));
        let leave = |g: &mut Self, after: Block| {
            match (operands, g.flags.base) {
                (Some(variables), Base::Sub(a, b, _)) => {
                    g.b.def_var(variables[0], a);
                    g.b.def_var(variables[1], b);
                }
                _ if sets_flags => g.sync_flags(),
                _ => {}
            }
            g.b.ins().jump(after, &[]);
        };
        let after = self.b.create_block();
        let mut dirty = self.dirty;
        let mut tested = false;
        for k in run.clone() {
            let d = &block.instructions[k];
            if d.is_it() {
                continue;
            }
            self.begin(block, k, number);
            if !tested {
                let holds = self.condition(condition);
                let (then, failed) = (self.b.create_block(), self.b.create_block());
                self.b.ins().brif(holds, then, &[], failed, &[]);
                let here = self.flags;
                self.switch(failed);
                leave(self, after);
                self.flags = here;
                self.switch(then);
            }
            tested = !d.effects.writes_flags;
            dirty |= self.dirty;
            if let Some(branch) = d.inst.filter(|i| i.op == Op::B) {
                let taken = self.branch_edge(branch.imm);
                self.go(taken);
            } else {
                self.unconditional(d);
            }
        }
        if !self.ended {
            dirty |= self.dirty;
            leave(self, after);
        }
        self.switch(after);
        self.dirty = dirty;
        (self.scalars.known, self.scalars.dirty) = scalars;
        self.extended.truncate(extended);
        self.based.truncate(based);
        (self.ge, self.ge_dirty) = ge;
        self.flags = match operands {
            _ if !sets_flags => flags,
            Some(variables) => {
                let [a, b] = variables.map(|v| self.b.use_var(v));
                let result = self.b.ins().isub(a, b);
                Base::Sub(a, b, result).into()
            }
            None => Base::Variables.into(),
        };
        if self.ended {
            self.ended = false;
            let next = self.at.pc.wrapping_add(self.at.len());
            self.go(block.next.unwrap_or(Edge::Outside(next)));
        }
    }

    /// Counts instructions as executed.
    fn count(&mut self, instructions: usize) {
        let counts = self.b.ins().load(I64, STATE, self.cpu, field!(host.counts));
        let offset = std::mem::offset_of!(stats::Executed, compiled) as i32;
        let n = self.b.ins().load(I64, STATE, counts, offset);
        let n = self.b.ins().iadd_imm_u(n, instructions as i64);
        self.b.ins().store(STATE, n, counts, offset);
    }

    fn instruction(&mut self, d: &Decoded, next: Option<Edge>) {
        let Some(inst) = d.inst else {
            self.trap(ExitCode::Undefined, 0, false);
            return;
        };
        if d.is_it() {
            return;
        }
        if inst.cond == cond::AL {
            if d.effects.flow.is_some() && !self.table.is_empty() {
                self.table_branch(inst.rm);
            }
            self.next = next;
            self.unconditional(d);
            return;
        }
        let holds = self.condition(inst.cond);
        let select = tuning::on(Optimisations::SELECT);
        if let Some(Base::Sub(a, b, result)) = self.flags.whole()
            && select
            && d.subtracts()
            && d.effects.writes_flags
            && d.effects.flow.is_none()
        {
            self.subtract_if(d, holds, [a, b, result]);
            return;
        }
        let simple = select
            && d.effects.writes.count_ones() == 1
            && !d.effects.memory
            && !d.effects.writes_flags
            && !d.effects.touches_other
            && !d.effects.float
            && d.effects.flow.is_none();
        if simple {
            // A select: a branch would be mispredicted as often as not.
            let r = d.effects.writes.trailing_zeros() as usize;
            let old = self.b.use_var(self.regs[r]);
            self.unconditional(d);
            let new = self.b.use_var(self.regs[r]);
            let v = self.choose(holds, new, old);
            self.b.def_var(self.regs[r], v);
            return;
        }
        if inst.op == Op::B {
            let taken = self.branch_edge(inst.imm);
            let on = next.unwrap_or(Edge::Outside(d.pc + d.len()));
            self.branch_on(holds, taken, on);
            return;
        }
        if d.effects.writes_flags {
            self.sync_flags();
        }
        let flags = self.flags;
        let (extended, based) = (self.extended.len(), self.based.len());
        self.store_ge();
        let ge = self.ge;
        // Behind it a register is known if it is on both ways, and only what is known may be dirty.
        let lost = d.stale_scalars();
        self.store_scalars(lost);
        self.scalars.dirty &= !lost;
        let (known, scalars_dirty) = (self.scalars.known, self.scalars.dirty);
        let (then, after) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(holds, then, &[], after, &[]);
        self.switch(then);
        let dirty = self.dirty;
        self.unconditional(d);
        if self.ended {
            (self.scalars.known, self.scalars.dirty) = (known, scalars_dirty);
        } else {
            self.store_scalars(!known);
            self.scalars.known &= known;
            self.scalars.dirty = (self.scalars.dirty | scalars_dirty) & self.scalars.known;
        }
        if !self.ended {
            if d.effects.writes_flags {
                self.sync_flags();
            }
            self.store_ge();
            self.b.ins().jump(after, &[]);
            // What the instruction has stored in the state is still dirty where the condition failed.
            self.dirty |= dirty;
        } else {
            self.dirty = dirty;
        }
        self.ended = false;
        self.switch(after);
        // What was computed before the branch is there on both ways.
        self.flags = flags;
        self.extended.truncate(extended);
        self.based.truncate(based);
        self.ge = ge.filter(|_| self.ge == ge);
        if d.effects.float {
            self.vfp = VfpValues::default();
        }
        if d.effects.flow.is_some() {
            self.go(next.unwrap_or(Edge::Outside(d.pc + d.len())));
        }
    }

    /// `new` if the condition holds, else what a register was. Where that was itself set under the opposite condition
    /// (`ite cs; movcs r3, #1; movcc r3, #0`) one of the two values is left.
    fn choose(&mut self, holds: Value, new: Value, old: Value) -> Value {
        let chosen = |g: &Self, v| match g.defined_by(v)? {
            InstructionData::Ternary { opcode: Opcode::Select, args } => Some(args),
            _ => None,
        };
        let old = match chosen(self, old) {
            Some([c, x, _]) if self.opposite(c, holds) => x,
            _ => old,
        };
        match (self.constant(new), self.constant(old)) {
            (Some(1), Some(0)) => self.b.ins().uextend(I64, holds),
            _ => self.b.ins().select(holds, new, old),
        }
    }

    pub(super) fn defined_by(&self, v: Value) -> Option<InstructionData> {
        Some(self.b.func.dfg.insts[self.b.func.dfg.value_def(v).inst()?])
    }

    /// Does one comparison of words hold just when the other does not?
    fn opposite(&self, a: Value, b: Value) -> bool {
        let (
            Some(InstructionData::IntCompare { cond: first, args: x, .. }),
            Some(InstructionData::IntCompare { cond: second, args: y, .. }),
        ) = (self.defined_by(a), self.defined_by(b))
        else {
            return false;
        };
        let same = |x, y| x == y || self.constant(x).is_some() && self.constant(x) == self.constant(y);
        first == second.complement() && same(x[0], y[0]) && same(x[1], y[1])
    }

    /// A conditional compare or subtraction behind another one (`cmp; cmpeq; beq`): the flags stay those of a subtraction,
    /// whose operands are selected.
    fn subtract_if(&mut self, d: &Decoded, holds: Value, old: [Value; 3]) {
        let register = (d.effects.writes != 0).then(|| d.effects.writes.trailing_zeros() as usize);
        let kept = register.map(|r| self.b.use_var(self.regs[r]));
        self.unconditional(d);
        if let (Some(r), Some(kept)) = (register, kept) {
            let new = self.b.use_var(self.regs[r]);
            let v = self.b.ins().select(holds, new, kept);
            self.b.def_var(self.regs[r], v);
        }
        if let Base::Sub(a, b, result) = self.flags.base {
            let [a, b, result] = [(a, old[0]), (b, old[1]), (result, old[2])].map(|(new, old)| {
                let same =
                    new == old || self.constant(new).is_some() && self.constant(new) == self.constant(old);
                if same { new } else { self.b.ins().select(holds, new, old) }
            });
            self.flags = Base::Sub(a, b, result).into();
        }
    }

    fn unconditional(&mut self, d: &Decoded) {
        let Some(inst) = d.inst else { return };
        if d.effects.rare {
            self.interpret(d);
            return;
        }
        if self.mode.precise && d.effects.memory {
            // A fault handler sees the registers, and goes on with the flags that are still to be read.
            let stored = self.dirty & self.seen;
            self.flush(stored);
            self.dirty &= !stored;
            self.scalars.dirty = 0;
            self.ge_dirty = false;
        }
        let vectors = d.effects.scalars_of_vectors();
        self.store_scalars(vectors);
        self.scalars.dirty &= !vectors;
        forearm_frontend::execute(self, &inst);
        self.scalars.known &= !vectors;
    }

    /// Has the interpreter do an operation; the operands and the result are passed through the state.
    pub(super) fn helper(&mut self, helper: Helper, operands: &[Value], ty: Type) -> Value {
        self.call_helper(CallConv::SystemV, field!(host.helper), helper, operands, ty)
    }

    /// The same where it is rarely needed: the call keeps all registers, so what is around it need not spare them.
    pub(super) fn rare_helper(&mut self, helper: Helper, operands: &[Value], ty: Type) -> Value {
        self.call_helper(CallConv::PreserveAll, field!(host.rare_helper), helper, operands, ty)
    }

    fn call_helper(
        &mut self,
        convention: CallConv,
        function: i32,
        helper: Helper,
        operands: &[Value],
        ty: Type,
    ) -> Value {
        for (k, &v) in operands.iter().enumerate() {
            self.b.ins().store(STATE, v, self.cpu, field!(host.scratch) + 16 * k as i32);
        }
        let known = &mut self.operation[usize::from(convention == CallConv::PreserveAll)];
        let signature = match *known {
            Some(s) => s,
            None => {
                let mut s = Signature::new(convention);
                s.params.extend([AbiParam::new(I64); 2]);
                *known.insert(self.b.import_signature(s))
            }
        };
        let packed = self.b.ins().iconst(I64, helper.pack() as i64);
        let f = self.b.ins().load(I64, STATE, self.cpu, function);
        self.b.ins().call_indirect(signature, f, &[self.cpu, packed]);
        self.b.ins().load(ty, STATE, self.cpu, field!(host.scratch))
    }

    /// Calls the function of an operation on vectors.
    pub(super) fn call_crypto(&mut self, op: CryptoOp, operands: [Value; 3]) -> Value {
        let signature = match self.crypto {
            Some(s) => s,
            None => {
                let mut s = Signature::new(CallConv::SystemV);
                s.params.extend([AbiParam::new(I64); 2]);
                s.params.extend([AbiParam::new(I8X16); 3]);
                s.returns.push(AbiParam::new(I8X16));
                *self.crypto.insert(self.b.import_signature(s))
            }
        };
        let f = self.b.ins().load(I64, STATE, self.cpu, field!(host.call_crypto));
        let place = self.b.ins().iconst(I64, 8 * op as i64);
        let [d, n, m] = operands;
        let call = self.b.ins().call_indirect(signature, f, &[self.cpu, place, d, n, m]);
        self.b.inst_results(call)[0]
    }

    /// An alignment fault unless `addr` is a multiple of `align`.
    pub(super) fn check_aligned(&mut self, addr: Value, align: u32, write: bool) {
        if align <= 1 {
            return;
        }
        let low = self.b.ins().band_imm_u(addr, i64::from(align - 1));
        let (cold, on) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(cold);
        let flags = self.flags;
        self.b.ins().brif(low, cold, &[], on, &[]);
        self.switch(cold);
        self.flush(self.dirty);
        self.store_place(self.at.pc, self.at.it);
        let none = self.b.ins().iconst(I64, 0);
        self.b.ins().store(STATE, none, self.cpu, field!(host.slot));
        self.helper(Helper::Misaligned(write), &[addr], I32);
        self.leave(1); // not reached: the helper leaves
        self.flags = flags;
        self.ended = false;
        self.switch(on);
    }

    /// r15 and ITSTATE for whoever continues there.
    fn store_place(&mut self, pc: u32, it: ItState) {
        let pc = self.b.ins().iconst(I32, i64::from(pc));
        self.b.ins().store(STATE, pc, self.cpu, field!(r) + 60);
        if it.0 != 0 {
            let it = self.b.ins().iconst(I32, i64::from(it.0));
            self.b.ins().store(STATE, it, self.cpu, field!(itstate));
        }
    }

    /// Leaves compiled code; the guest continues with the next instruction.
    pub(super) fn resume_behind(&mut self) {
        self.flush(self.dirty);
        self.store_place(self.at.pc.wrapping_add(self.at.len()), self.at.next_it);
        self.leave(0);
    }

    /// Has the interpreter's handler do the instruction.
    fn interpret(&mut self, d: &Decoded) {
        let Some(inst) = d.inst else { return };
        if self.flags.base != Base::State {
            self.sync_flags();
        }
        let reads = if self.mode.precise { self.seen } else { 0 };
        self.flush(self.dirty & (reads | d.reads()));
        let helper = match self.helper {
            Some(h) => h,
            None => {
                let mut s = Signature::new(CallConv::SystemV);
                s.params.extend([AbiParam::new(I64); 4]);
                *self.helper.insert(self.b.import_signature(s))
            }
        };
        let [low, high] = crate::interp::pack(&inst);
        let low = self.b.ins().iconst(I64, low as i64);
        let high = self.b.ins().iconst(I64, high as i64);
        let at = u64::from(d.pc) | u64::from(d.it.0) << 32;
        let at = self.b.ins().iconst(I64, at as i64);
        let f = self.b.ins().load(I64, STATE, self.cpu, field!(host.interpret));
        self.b.ins().call_indirect(helper, f, &[self.cpu, low, high, at]);
        for r in 0..15 {
            if d.effects.writes & 1 << r != 0 {
                self.reload(r);
                self.dirty &= !(1 << r);
            }
        }
        if d.effects.writes_flags {
            self.reload_flags();
            self.dirty &= !FLAGS;
        }
        self.vfp = VfpValues::default();
        (self.scalars.known, self.scalars.dirty) = (0, 0);
        if d.effects.flow.is_some() {
            self.flush(self.dirty);
            self.leave(0);
        }
    }

    // ---- registers and flags

    /// Brings a register from the state into its variable.
    fn reload(&mut self, r: i32) {
        let v = self.b.ins().uload32(STATE, self.cpu, field!(r) + 4 * r);
        self.b.def_var(self.regs[r as usize], v);
    }

    fn reload_flags(&mut self) {
        for (k, offset) in [field!(n), field!(z), field!(c), field!(v)].into_iter().enumerate() {
            let v = self.b.ins().load(I32, STATE, self.cpu, offset);
            self.b.def_var(self.nzcv[k], v);
        }
        self.flags = Base::Variables.into();
    }

    /// May N and Z or C be kept apart from what has set the other flags?
    pub(super) fn keeps_parts(&self) -> bool {
        matches!(self.flags.base, Base::State | Base::Sub(..) | Base::Add(..))
            && tuning::on(Optimisations::LAZY_FLAGS)
    }

    /// Behind an instruction that has set the flags.
    pub(super) fn settle_unless_lazy(&mut self) {
        if !tuning::on(Optimisations::LAZY_FLAGS) {
            self.sync_flags();
        }
    }

    /// Brings the flags into their variables.
    pub(super) fn sync_flags(&mut self) {
        let Flags { base, nz, c } = std::mem::replace(&mut self.flags, Base::Variables.into());
        match base {
            Base::Variables => {}
            Base::State => {
                // Rare: the region's blocks are told to have them in variables where they are read.
                self.helper(Helper::SettleFlags, &[], I32);
                self.reload_flags();
            }
            Base::Sub(_, b, r) if self.constant(b) == Some(0) => {
                let (c, v) = (self.word_constant(1), self.word_constant(0));
                self.define_flags([r, r, c, v]);
            }
            Base::Sub(a, b, r) => {
                let c = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, a, b);
                let (x, y) = (self.b.ins().bxor(a, b), self.b.ins().bxor(a, r));
                self.define_sum(r, c, x, y);
            }
            Base::Add(a, b, r) => {
                let c = self.b.ins().icmp(IntCC::UnsignedLessThan, r, a);
                let (x, y) = (self.b.ins().bxor(a, r), self.b.ins().bxor(b, r));
                self.define_sum(r, c, x, y);
            }
            Base::Float(a, b) => {
                use FloatCC::{LessThan, NotEqual, Unordered, UnorderedOrGreaterThanOrEqual};
                for (k, cc) in
                    [LessThan, NotEqual, UnorderedOrGreaterThanOrEqual, Unordered].into_iter().enumerate()
                {
                    let x = self.b.ins().fcmp(cc, a, b);
                    let x = self.b.ins().uextend(I32, x);
                    let x = if k == 0 { self.b.ins().ishl_imm_u(x, 31) } else { x };
                    self.b.def_var(self.nzcv[k], x);
                }
            }
        }
        if let Some(r) = nz {
            self.b.def_var(self.nzcv[0], r);
            self.b.def_var(self.nzcv[1], r);
        }
        if let Some(c) = c {
            self.b.def_var(self.nzcv[2], c);
        }
    }

    fn word_constant(&mut self, x: u32) -> Value {
        self.b.ins().iconst(I32, i64::from(x))
    }

    fn define_flags(&mut self, nzcv: [Value; 4]) {
        for (variable, x) in self.nzcv.into_iter().zip(nzcv) {
            self.b.def_var(variable, x);
        }
    }

    /// The flags of an addition or subtraction; V is the sign of both `x` and `y`.
    pub(super) fn define_sum(&mut self, result: Value, c: Value, x: Value, y: Value) {
        let c = self.b.ins().uextend(I32, c);
        let v = self.b.ins().band(x, y);
        let v = self.b.ins().ushr_imm_u(v, 31);
        self.define_flags([result, result, c, v]);
    }

    /// Stores the GE flags where the state does not have them; they stay dirty as below.
    fn flush_ge(&mut self) {
        if let Some(ge) = self.ge.filter(|_| self.ge_dirty) {
            self.b.ins().store(STATE, ge, self.cpu, field!(ge));
        }
    }

    /// On all paths from here the state has the GE flags.
    fn store_ge(&mut self) {
        self.flush_ge();
        self.ge_dirty = false;
    }

    /// Stores what is dirty among `mask` into the state, the GE flags, and all S and D registers that are. What is dirty stays
    /// so: other paths may come here clean.
    pub(super) fn flush(&mut self, mask: u32) {
        self.store_scalars(u64::MAX);
        self.flush_ge();
        let mask = mask & self.dirty;
        self.store_registers(mask);
        if mask & FLAGS != 0 {
            self.flush_flags();
        }
    }

    fn store_registers(&mut self, mask: u32) {
        for r in 0..15 {
            if mask & 1 << r != 0 {
                let wide = self.b.use_var(self.regs[r as usize]);
                let at = field!(r) + 4 * r;
                match self.known_word(wide) {
                    Some(w) => self.b.ins().store(STATE, w, self.cpu, at),
                    None => self.b.ins().istore32(STATE, wide, self.cpu, at),
                };
            }
        }
    }

    /// Brings the flags into the state: operands, if they are such, for whoever needs them to compute.
    fn flush_flags(&mut self) {
        let Flags { base, nz, c } = self.flags;
        let store = |g: &mut Self, x: Value, at: i32| {
            g.b.ins().store(STATE, x, g.cpu, at);
        };
        let kind = match base {
            Base::Variables => {
                for (k, at) in [field!(n), field!(z), field!(c), field!(v)].into_iter().enumerate() {
                    let x = self.b.use_var(self.nzcv[k]);
                    store(self, x, at);
                }
                0
            }
            Base::State => 0,
            Base::Sub(a, b, _) | Base::Add(a, b, _) => {
                store(self, a, field!(host.flags_a));
                store(self, b, field!(host.flags_b));
                if matches!(base, Base::Sub(..)) { FLAGS_SUB } else { FLAGS_ADD }
            }
            Base::Float(a, b) => {
                store(self, a, field!(host.flags_float));
                store(self, b, field!(host.flags_float) + 8);
                self.kind_of_comparison(a)
            }
        };
        let mut later = 0;
        for (part, at, bit) in [(nz, field!(host.flags_nz), FLAGS_NZ), (c, field!(host.flags_c), FLAGS_C)] {
            if let Some(x) = part {
                store(self, x, at);
                later |= bit;
            }
        }
        let kind = match base {
            Base::State if later == 0 => return,
            Base::State => {
                let old = self.b.ins().load(I32, STATE, self.cpu, field!(host.flags));
                self.b.ins().bor_imm_u(old, i64::from(later))
            }
            _ => self.word_constant(kind | later),
        };
        store(self, kind, field!(host.flags));
    }

    /// How the state calls a comparison of floats such as `a`.
    pub(super) fn kind_of_comparison(&self, a: Value) -> u32 {
        if self.b.func.dfg.value_type(a) == F32 { FLAGS_SINGLE } else { FLAGS_DOUBLE }
    }

    /// Does a condition hold?
    pub(super) fn condition(&mut self, condition: u8) -> Value {
        use IntCC::*;
        let base = condition & !1;
        if let Base::Float(a, b) = self.flags.base {
            // Less is N, equal is Z and C, greater is C, unordered is C and V.
            let cc = match base {
                cond::EQ => FloatCC::Equal,
                cond::CS => FloatCC::UnorderedOrGreaterThanOrEqual,
                cond::MI => FloatCC::LessThan,
                cond::VS => FloatCC::Unordered,
                cond::HI => FloatCC::UnorderedOrGreaterThan,
                cond::GE => FloatCC::GreaterThanOrEqual,
                _ => FloatCC::GreaterThan,
            };
            let cc = if condition & 1 != 0 { cc.complement() } else { cc };
            return self.b.ins().fcmp(cc, a, b);
        }
        let Flags { base: from, nz, c } = self.flags;
        let direct = match (self.flags.whole(), from) {
            (Some(Base::Sub(a, b, _)), _) => match base {
                cond::EQ => Some((Equal, a, b)),
                cond::CS => Some((UnsignedGreaterThanOrEqual, a, b)),
                cond::HI => Some((UnsignedGreaterThan, a, b)),
                cond::GE => Some((SignedGreaterThanOrEqual, a, b)),
                cond::GT => Some((SignedGreaterThan, a, b)),
                _ => None,
            },
            (_, Base::Sub(a, b, _)) if base == cond::CS && c.is_none() => {
                Some((UnsignedGreaterThanOrEqual, a, b))
            }
            (_, Base::Add(a, _, r)) if base == cond::CS && c.is_none() => Some((UnsignedLessThan, r, a)),
            _ => None,
        };
        if let Some((cc, a, b)) = direct {
            let cc = if condition & 1 != 0 { cc.complement() } else { cc };
            return self.b.ins().icmp(cc, a, b);
        }
        if let (cond::CS, Some(c)) = (base, c) {
            return self.is_set(c, condition & 1 != 0);
        }
        // `sub` and `add` share N and Z with any result.
        let result = nz.or(match from {
            Base::Sub(_, _, r) | Base::Add(_, _, r) => Some(r),
            _ => None,
        });
        if from == Base::State && !(result.is_some() && matches!(base, cond::EQ | cond::MI)) {
            self.sync_flags();
        }
        let simple = match base {
            cond::EQ => Some((Equal, result.unwrap_or_else(|| self.b.use_var(self.nzcv[1])))),
            cond::MI => Some((SignedLessThan, result.unwrap_or_else(|| self.b.use_var(self.nzcv[0])))),
            _ => None,
        };
        if let Some((cc, x)) = simple {
            let cc = if condition & 1 != 0 { cc.complement() } else { cc };
            return self.b.ins().icmp_imm_s(cc, x, 0);
        }
        self.sync_flags();
        let [n, z, c, v] = self.nzcv.map(|x| self.b.use_var(x));
        let is_set = if condition & 1 != 0 { Equal } else { NotEqual };
        let positive = match base {
            cond::CS => return self.is_set(c, condition & 1 != 0),
            cond::VS => return self.b.ins().icmp_imm_s(is_set, v, 0),
            cond::HI => {
                let not_zero = self.b.ins().icmp_imm_s(NotEqual, z, 0);
                let carry = self.b.ins().icmp_imm_s(NotEqual, c, 0);
                self.b.ins().band(not_zero, carry)
            }
            _ => {
                let negative = self.b.ins().ushr_imm_u(n, 31);
                if base == cond::GE {
                    return self.b.ins().icmp(if condition & 1 != 0 { NotEqual } else { Equal }, negative, v);
                }
                let ge = self.b.ins().icmp(Equal, negative, v);
                let not_zero = self.b.ins().icmp_imm_s(NotEqual, z, 0);
                self.b.ins().band(not_zero, ge)
            }
        };
        if condition & 1 != 0 { self.b.ins().bxor_imm_u(positive, 1) } else { positive }
    }

    /// Is a flag in a word set, or clear? Where it was made of a comparison of integers, that tells.
    fn is_set(&mut self, flag: Value, clear: bool) -> Value {
        if let Some(InstructionData::Unary { opcode: Opcode::Uextend, arg }) = self.defined_by(flag)
            && let Some(InstructionData::IntCompare { cond, args, .. }) = self.defined_by(arg)
        {
            return if clear { self.b.ins().icmp(cond.complement(), args[0], args[1]) } else { arg };
        }
        self.b.ins().icmp_imm_s(if clear { IntCC::Equal } else { IntCC::NotEqual }, flag, 0)
    }

    // ---- scalar VFP registers: S registers have numbers 0 to 31, D registers 32 to 63

    fn scalar_variable(&mut self, n: u8) -> Variable {
        let slot = usize::from(n & 63);
        match self.scalars.variables[slot] {
            Some(v) => v,
            None => {
                let ty = if n < 32 { F32 } else { F64 };
                *self.scalars.variables[slot].insert(self.b.declare_var(ty))
            }
        }
    }

    fn load_scalar(&mut self, n: u8) -> Value {
        let (ty, offset) = scalar_place(n);
        let v = self.b.ins().load(ty, STATE, self.cpu, offset);
        let variable = self.scalar_variable(n);
        self.b.def_var(variable, v);
        v
    }

    pub(super) fn scalar(&mut self, n: u8) -> Value {
        let bit = 1 << n;
        if self.scalars.known & bit != 0 {
            let variable = self.scalar_variable(n);
            return self.b.use_var(variable);
        }
        let parts = scalar_overlap(bit);
        self.store_scalars(parts);
        self.scalars.dirty &= !parts;
        self.scalars.known |= if tuning::on(Optimisations::VFP_VALUES) { bit } else { 0 };
        self.load_scalar(n)
    }

    /// The value of a D register, where it is in a variable.
    pub(super) fn known_double(&mut self, r: u8) -> Option<Value> {
        let n = 32 + (r & 31);
        (self.scalars.known & 1 << n != 0).then(|| self.scalar(n))
    }

    pub(super) fn set_scalar(&mut self, n: u8, v: Value) {
        self.vfp.write_d(if n < 32 { n / 2 } else { n });
        if !tuning::on(Optimisations::VFP_VALUES) {
            self.b.ins().store(STATE, v, self.cpu, scalar_place(n).1);
            return;
        }
        let (bit, parts) = (1 << n, scalar_overlap(1 << n));
        if n < 32 {
            self.store_scalars(parts); // the other half of the D register
        }
        self.scalars.known = self.scalars.known & !parts | bit;
        self.scalars.dirty = self.scalars.dirty & !parts | bit;
        let variable = self.scalar_variable(n);
        self.b.def_var(variable, v);
    }

    /// Stores what is dirty among `mask` into the state.
    fn store_scalars(&mut self, mask: u64) {
        let mut left = mask & self.scalars.dirty;
        while left != 0 {
            let n = left.trailing_zeros() as u8;
            left &= left - 1;
            let variable = self.scalar_variable(n);
            let v = self.b.use_var(variable);
            self.b.ins().store(STATE, v, self.cpu, scalar_place(n).1);
        }
    }

    /// Are the variables and the state as a block of the region expects them?
    fn scalars_ready(&self, k: usize) -> bool {
        let (known, dirty) = self.scalars_in[k];
        known & !self.scalars.known == 0 && self.scalars.dirty & !dirty == 0
    }

    /// Makes the variables and the state what a block of the region expects.
    fn prepare_scalars(&mut self, k: usize) {
        let (known, dirty) = self.scalars_in[k];
        self.store_scalars(!dirty);
        let mut left = known & !self.scalars.known;
        while left != 0 {
            let n = left.trailing_zeros() as u8;
            left &= left - 1;
            self.load_scalar(n);
        }
    }

    // ---- control flow

    /// Ends the block with a branch to one of two places.
    pub(super) fn branch_on(&mut self, holds: Value, taken: Edge, otherwise: Edge) {
        self.store_ge();
        let (then, other) = (self.destination(taken), self.destination(otherwise));
        let (flags, dirty) = (self.flags, self.dirty);
        self.b.ins().brif(holds, then.0, &[], other.0, &[]);
        for (edge, (block, inside)) in [(taken, then), (otherwise, other)] {
            if !inside {
                self.switch(block);
                (self.flags, self.dirty) = (flags, dirty);
                self.go(edge);
            }
        }
        self.ended = true;
    }

    /// Branches to where the table says for the index in a register, and goes on where it says nothing.
    fn table_branch(&mut self, index: u8) {
        self.store_ge();
        let elsewhere = self.b.create_block();
        let mut arms: Vec<(Edge, (Block, bool))> = Vec::new();
        let mut branches = Vec::new();
        for edge in std::mem::take(&mut self.table) {
            let block = match edge {
                Some(edge) => match arms.iter().find(|arm| arm.0 == edge) {
                    Some(arm) => arm.1.0,
                    None => {
                        arms.push((edge, self.destination(edge)));
                        arms[arms.len() - 1].1.0
                    }
                },
                None => elsewhere,
            };
            branches.push(self.b.func.dfg.block_call(block, &[]));
        }
        let default = self.b.func.dfg.block_call(elsewhere, &[]);
        let table = self.b.create_jump_table(JumpTableData::new(default, &branches));
        let index = self.b.use_var(self.regs[usize::from(index)]);
        let index = self.b.ins().ireduce(I32, index);
        let place = self.b.srcloc();
        self.b.set_srcloc(SourceLoc::new(TABLE_LOC + self.b.func.dfg.num_insts() as u32));
        self.b.ins().br_table(index, table);
        self.b.set_srcloc(place);
        let (flags, dirty) = (self.flags, self.dirty);
        for (edge, (block, inside)) in arms {
            if !inside {
                self.switch(block);
                (self.flags, self.dirty) = (flags, dirty);
                self.go(edge);
            }
        }
        (self.flags, self.dirty, self.ended) = (flags, dirty, false);
        self.switch(elsewhere);
    }

    /// The block to branch to for an edge, and whether it is the region's own: else `go` fills it.
    fn destination(&mut self, edge: Edge) -> (Block, bool) {
        match edge {
            Edge::Inside(k) if self.flags_ready(k) && self.scalars_ready(k) && self.unexpected(k) == 0 => {
                self.hand_flags(k);
                (self.blocks[k], true)
            }
            _ => (self.b.create_block(), false),
        }
    }

    /// Dirty registers that a block of the region expects to find in the state.
    fn unexpected(&self, k: usize) -> u32 {
        let (dirty, wanted) = self.registers_in[k];
        self.dirty & REGISTERS & wanted & !dirty
    }

    /// Are the flags as a block of the region expects them?
    fn flags_ready(&self, k: usize) -> bool {
        self.live_in[k] & FLAGS == 0
            || match self.flags_in[k].0 {
                FlagsIn::Handed => true,
                FlagsIn::Read => self.flags.base == Base::Variables,
                FlagsIn::Stored => self.dirty & FLAGS == 0,
            }
    }

    /// Makes the flags what a block of the region expects.
    fn hand_flags(&mut self, k: usize) {
        if self.live_in[k] & FLAGS == 0 {
            return;
        }
        match &mut self.flags_in[k] {
            (FlagsIn::Handed, flags) => *flags = self.flags,
            (FlagsIn::Read, _) => self.sync_flags(),
            (FlagsIn::Stored, _) => {
                if self.dirty & FLAGS != 0 {
                    self.flush_flags();
                    self.dirty &= !FLAGS;
                }
            }
        }
    }

    /// Ends the block with a jump to a block of the region or out of it.
    pub(super) fn go(&mut self, edge: Edge) {
        match edge {
            Edge::Inside(k) => {
                self.store_ge();
                self.hand_flags(k);
                self.prepare_scalars(k);
                self.store_registers(self.unexpected(k));
                let block = self.blocks[k];
                self.b.ins().jump(block, &[]);
                self.ended = true;
            }
            Edge::Outside(pc) => {
                let dirty = self.dirty & self.exit_mask;
                if dirty & FLAGS != 0 && self.flags_asked && !matches!(self.flags.base, Base::Float(..)) {
                    // They are read there: cheaper here than by whoever arrives. Those of floats seldom are read.
                    self.sync_flags();
                }
                let call = self.at.effects.links && pc != self.behind();
                self.exit_direct(pc, self.thumb, dirty, call);
            }
        }
    }

    /// Leaves for the runtime when it asks for that; the guest continues at `pc` then. Once in each loop, and once in each
    /// region.
    fn safe_point(&mut self, pc: u32, dirty: u32) {
        let place = self.b.srcloc();
        self.b.set_srcloc(SourceLoc::new(REQUEST_LOC + self.b.func.dfg.num_insts() as u32));
        // Atomic, so that optimising takes no load behind it for one in front of it: who waits in a loop for another thread, or
        // for a request, would wait for ever. It is a plain load to the host.
        let at = self.b.ins().iadd_imm_u(self.cpu, i64::from(field!(exit_request)));
        let request = self.b.ins().atomic_load(I32, STATE, at);
        self.b.set_srcloc(place);
        let (cold, on) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(cold);
        self.b.ins().brif(request, cold, &[], on, &[]);
        self.switch(cold);
        let flags = self.flags;
        self.exit_for_request(pc, self.thumb, dirty);
        self.flags = flags;
        self.ended = false;
        self.switch(on);
    }

    fn set_exit(&mut self, code: ExitCode, value: u32) {
        let code = self.b.ins().iconst(I32, i64::from(code as u32));
        self.b.ins().store(STATE, code, self.cpu, field!(host.exit));
        let value = self.b.ins().iconst(I32, i64::from(value));
        self.b.ins().store(STATE, value, self.cpu, field!(host.exit_value));
    }

    /// Out of compiled code. `why`: 0 to look up r15, 1 to the runtime.
    fn leave(&mut self, why: i64) {
        self.ended = true;
        let why = self.b.ins().iconst(I64, why);
        let target = self.b.ins().load(I64, STATE, self.cpu, field!(host.leave));
        self.jump_to(target, why, Way::default());
    }

    fn jump_to(&mut self, target: Value, second: Value, way: Way) {
        let place = JUMP_LOC + self.b.func.dfg.num_insts() as u32;
        if !way.is_plain() {
            self.ways.insert(place, way);
        }
        self.b.set_srcloc(SourceLoc::new(place));
        self.b.ins().return_call_indirect(self.jump, target, &[self.cpu, second]);
        self.b.set_srcloc(SourceLoc::default());
    }

    /// The address behind the current instruction.
    fn behind(&self) -> u32 {
        self.at.pc.wrapping_add(self.at.len())
    }

    /// How to go where the current instruction leads. It is a `call` or a return, as the calls of other regions expect it, or neither.
    fn way(&mut self, call: bool, returns: bool) -> Way {
        if !tuning::on(Optimisations::RETURNS) {
            return Way::default();
        }
        let mut inside = self.inside.clone();
        // The call that this returns from has not been made.
        let returns = returns && inside.pop().is_none();
        let mut inside: Vec<Landing> = inside.into_iter().map(|address| self.landing(address)).collect();
        let mut call = call.then(|| self.landing(self.behind() | u32::from(self.thumb)));
        if call.is_none() && !returns {
            // To go on in the function is to call its rest.
            call = inside.pop();
        }
        Way { inside, call, returns }
    }

    /// A landing, with an exit that others may have too.
    fn landing(&mut self, address: u32) -> Landing {
        let exit = self.exits.iter().position(|e| e.target == address).unwrap_or_else(|| {
            self.exits.push(Exit { target: address });
            self.exits.len() - 1
        });
        Landing { address, exit: exit as u32 }
    }

    /// To a fixed address outside.
    pub(super) fn exit_direct(&mut self, pc: u32, thumb: bool, dirty: u32, call: bool) {
        self.ended = true;
        self.flush(dirty);
        let way = self.way(call, false);
        let slot = self.slot(pc | u32::from(thumb));
        let target = self.b.ins().load(I64, STATE, slot, 0);
        self.jump_to(target, slot, way);
    }

    /// Likewise, into the runtime, with an exit that says where the guest continues.
    fn exit_for_request(&mut self, pc: u32, thumb: bool, dirty: u32) {
        self.ended = true;
        self.flush(dirty);
        let slot = self.slot(pc | u32::from(thumb));
        let target = self.b.ins().load(I64, STATE, self.cpu, field!(host.leave));
        self.jump_to(target, slot, Way::default());
    }

    /// Address of the link slot of a new exit.
    fn slot(&mut self, target: u32) -> Value {
        let index = self.exits.len() as u32;
        self.exits.push(Exit { target });
        let name = self.b.func.declare_imported_user_function(UserExternalName { namespace: 1, index });
        let slot = self.b.create_global_value(GlobalValueData::Symbol {
            name: ExternalName::user(name),
            offset: 0.into(),
            colocated: true,
            tls: false,
        });
        self.b.ins().symbol_value(I64, slot)
    }

    /// To the address in a value whose bit 0 is the Thumb bit.
    pub(super) fn exit_indirect(&mut self, target: Value) {
        if let Some(back) = self.back {
            match self.constant(target) {
                Some(address) if address == back.address => return self.go_back(back),
                Some(_) => {}
                None => {
                    let expected = self.b.ins().icmp_imm_u(IntCC::Equal, target, i64::from(back.address));
                    let (inside, outside) = (self.b.create_block(), self.b.create_block());
                    self.b.set_cold_block(outside);
                    self.b.ins().brif(expected, inside, &[], outside, &[]);
                    self.switch(inside);
                    let (flags, dirty) = (self.flags, self.dirty);
                    let scalars = (self.scalars.known, self.scalars.dirty);
                    self.go_back(back);
                    (self.flags, self.dirty) = (flags, dirty);
                    (self.scalars.known, self.scalars.dirty) = scalars;
                    self.switch(outside);
                }
            }
        }
        let dirty = self.dirty;
        self.flush(dirty);
        if let Some(likely) = self.likely.filter(|_| tuning::on(Optimisations::LIKELY)) {
            let as_expected = self.b.ins().icmp_imm_u(IntCC::Equal, target, i64::from(likely));
            let (there, elsewhere) = (self.b.create_block(), self.b.create_block());
            self.b.set_cold_block(elsewhere);
            self.b.ins().brif(as_expected, there, &[], elsewhere, &[]);
            self.switch(there);
            let thumb = likely & 1 != 0;
            if thumb != self.thumb {
                let thumb = self.b.ins().iconst(I32, i64::from(thumb));
                self.b.ins().store(STATE, thumb, self.cpu, field!(thumb));
            }
            self.exit_direct(likely & !1, thumb, 0, self.at.effects.links);
            self.switch(elsewhere);
        }
        self.ended = true;
        let key = self.widen(target);
        let look_up = self.b.ins().load(I64, STATE, self.cpu, field!(host.indirect));
        let way = self.way(self.at.effects.links, self.at.returns());
        self.jump_to(look_up, key, way);
    }

    /// To where the call was.
    fn go_back(&mut self, back: Back) {
        let thumb = self.thumbs[back.block];
        if thumb != self.thumb {
            let thumb = self.b.ins().iconst(I32, i64::from(thumb));
            self.b.ins().store(STATE, thumb, self.cpu, field!(thumb));
        }
        self.go(Edge::Inside(back.block));
    }

    /// Into the runtime with r15 at this instruction or behind it.
    pub(super) fn trap(&mut self, code: ExitCode, value: u32, after: bool) {
        self.flush(self.dirty);
        let (pc, it) = if after {
            (self.at.pc.wrapping_add(self.at.len()), self.at.it.advance())
        } else {
            (self.at.pc, self.at.it)
        };
        self.store_place(pc, it);
        self.set_exit(code, value);
        self.leave(1);
    }

    /// Where the current instruction leads when it does not branch.
    pub(super) fn next_edge(&self) -> Edge {
        self.next.unwrap_or(Edge::Outside(self.behind()))
    }

    /// Where a fixed branch of the current instruction leads.
    pub(super) fn branch_edge(&self, target: u32) -> Edge {
        self.target.unwrap_or(Edge::Outside(target))
    }
}
