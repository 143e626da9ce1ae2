//! Regions: the blocks reachable from a hot one through fixed branches, compiled as one function.

use crate::cache::Key;
use crate::interp::block::{Decoded, Fetch};
use crate::tuning::{self, Optimisations};
use forearm_frontend::decode::ItState;
use forearm_frontend::effects::{Flow, scalar_overlap};
use forearm_frontend::inst::{Inst, Op, cond};
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

/// NZCV among the register bits of a [`Block`]'s sets.
pub const FLAGS: u32 = 1 << 16;

/// Most guest instructions in a region. Compile time is linear in it; larger ones gain little.
pub const MAX_INSTRUCTIONS: usize = 256;

/// Calls within calls that are taken in.
const MAX_DEPTH: usize = 3;

/// What is worth compiling, by address and instruction set.
pub struct Worth<'a> {
    /// Executed often enough to be compiled along with a hot block.
    pub warm: &'a dyn Fn(u32, bool) -> bool,
    /// Executed so often that a call from here is worth a copy of it, or that it is worth going on here behind one.
    pub hot: &'a dyn Fn(u32, bool) -> bool,
    /// Instructions of a function, with those that it calls, that are copied into one that calls it.
    pub inlined: usize,
    /// Where the region ends in any case.
    pub stop: &'a dyn Fn(u32) -> bool,
    /// Where table branches lead is of the region.
    pub tables: bool,
    /// The word at an address of the guest's memory, as it is now.
    pub data: &'a dyn Fn(u32) -> Option<u32>,
}

/// Where a block goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Another block of the region, by index.
    Inside(usize),
    /// A fixed address outside.
    Outside(u32),
}

impl Worth<'_> {
    /// Everything is.
    pub const ALL: Worth<'static> = Worth {
        warm: &|_, _| true,
        hot: &|_, _| true,
        inlined: 48,
        stop: &|_| false,
        tables: true,
        data: &|_| None,
    };
}

/// Where a function taken into a region returns to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Back {
    /// The block, by index.
    pub block: usize,
    /// The return address, with the Thumb bit.
    pub address: u32,
}

/// A basic block of a region.
#[derive(Debug, Default)]
pub struct Block {
    /// Its instructions; the last may branch.
    pub instructions: Vec<Decoded>,
    /// Where it goes when the last instruction does not branch, or its condition fails.
    pub next: Option<Edge>,
    /// Where a fixed branch at its end goes.
    pub target: Option<Edge>,
    /// Where the return at its end goes, unless the guest has changed the return address: its function was taken in.
    pub back: Option<Back>,
    /// Where the indirect jump at its end most likely goes, with the Thumb bit.
    pub likely: Option<u32>,
    /// Where the table branch at its end goes, by the index; where there is nothing, or no index, it is looked up.
    pub table: Vec<Option<Edge>>,
    /// The instruction set.
    pub thumb: bool,
    /// The addresses that the functions taken in around it return to, with the Thumb bit, the outermost first; none where it is of the
    /// function that the region starts in.
    pub inside: SmallVec<[u32; MAX_DEPTH]>,
    /// Place in the order of execution when no branch goes back.
    pub order: usize,
    /// Registers (and `FLAGS`) that may differ from the state in memory on entry.
    pub dirty_in: u32,
    /// Registers (and `FLAGS`) whose value on entry matters.
    pub live_in: u32,
    /// For each instruction, whether the flags in front of it are read later.
    pub flags_live: Vec<bool>,
    /// The blocks it may go to.
    pub successors: Vec<usize>,
    /// An edge comes back to it: a loop starts here.
    pub header: bool,
    /// S and D registers (as bits of the sets of `Effects`) whose values come in host registers.
    pub scalars_in: u64,
    /// Those of them that may differ from the state in memory.
    pub scalars_dirty_in: u64,
    /// Where the block leaves the region by its fixed edges, the flags may be read before they are set.
    pub flags_matter: bool,
    /// There they are.
    pub flags_asked: bool,
    /// How the flags come in.
    pub flags_in: FlagsIn,
    /// Registers that may be read before they are written, also by who comes behind the region.
    pub wanted_in: u32,
}

/// How a block of a region gets the flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlagsIn {
    /// Only one edge leads to it, from an earlier block: as they are there.
    Handed,
    /// They are read in the region: in variables.
    Read,
    /// Only who comes behind the region may read them: in the state, on all ways.
    #[default]
    Stored,
}

/// How code outside gets on with the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outside {
    /// All that are read are written before.
    Sets,
    /// Who knows.
    Unsure,
    Reads,
}

/// r0 to r14, a bit each.
pub const REGISTERS: u32 = 0x7fff;

/// N and Z, in a set of flags.
const NZ: u8 = 1;
/// Likewise.
const C: u8 = 2;
/// Likewise.
const V: u8 = 4;
/// Likewise.
const NZCV: u8 = NZ | C | V;

/// A region.
#[derive(Debug)]
pub struct Region {
    /// Where it starts; its first block.
    pub key: Key,
    /// Its blocks; the first is the entry.
    pub blocks: Vec<Block>,
    /// Guest instructions.
    pub len: usize,
    /// Code outside that was looked at for its sake.
    looked_at: Vec<Range<u32>>,
}

/// Where a region's blocks are.
#[derive(Clone, Debug, Default)]
pub struct Extent {
    /// Where they start.
    pub starts: Vec<u32>,
    /// Where code goes on outside without a branch.
    pub ends: Vec<u32>,
}

impl Region {
    /// The guest addresses that it depends on: its blocks, and code outside without which flags would not be dead. In order, and
    /// apart from each other.
    pub fn ranges(&self) -> Vec<Range<u32>> {
        let block = |b: &Block| {
            let last = b.instructions.last()?;
            Some(b.instructions.first()?.pc..last.next_pc())
        };
        let all = self.blocks.iter().filter_map(block).chain(self.looked_at.iter().cloned());
        let mut all: Vec<Range<u32>> = all.filter(|r| r.start < r.end).collect();
        all.sort_unstable_by_key(|r| r.start);
        let mut ranges: Vec<Range<u32>> = Vec::new();
        for r in all {
            match ranges.last_mut() {
                Some(last) if r.start <= last.end => last.end = last.end.max(r.end),
                _ => ranges.push(r),
            }
        }
        ranges
    }

    /// Its blocks, without those of functions that were taken in.
    pub fn extent(&self) -> Extent {
        let own = || self.blocks.iter().filter(|b| b.inside.is_empty());
        let goes_on = |b: &Block| match (b.next?, b.instructions.last()?.effects.flow) {
            (Edge::Outside(pc), None) => Some(pc),
            _ => None,
        };
        Extent {
            starts: own().filter_map(|b| b.instructions.first()).map(|d| d.pc).collect(),
            ends: own().filter_map(goes_on).collect(),
        }
    }

    /// The edges that lead to a block.
    pub fn predecessors(&self, block: usize) -> usize {
        self.blocks.iter().flat_map(|b| &b.successors).filter(|&&s| s == block).count()
    }
}

impl Decoded {
    /// Registers and flags it reads, `FLAGS` and the condition included.
    pub fn reads(&self) -> u32 {
        let conditional = self.inst.is_some_and(|i| i.cond != cond::AL);
        let flags =
            self.effects.reads_flags || conditional || self.effects.writes_flags && !self.effects.kills_flags;
        // Under a condition, what it writes keeps its old value otherwise.
        let kept = if conditional { u32::from(self.effects.writes) } else { 0 };
        (u32::from(self.effects.reads) & 0x7fff) | kept | if flags { FLAGS } else { 0 }
    }

    /// Registers and flags it may write.
    pub fn writes(&self) -> u32 {
        u32::from(self.effects.writes) & 0x7fff | if self.effects.writes_flags { FLAGS } else { 0 }
    }

    /// Registers and flags whose old value is gone after it.
    fn kills(&self) -> u32 {
        if self.inst.is_some_and(|i| i.cond != cond::AL) {
            return 0;
        }
        u32::from(self.effects.writes) & 0x7fff | if self.effects.kills_flags { FLAGS } else { 0 }
    }

    fn conditional(&self) -> bool {
        self.inst.is_some_and(|i| i.cond != cond::AL)
    }

    /// Is it a comparison or a subtraction, so that flags it sets are those of its operands?
    pub fn subtracts(&self) -> bool {
        self.inst.is_some_and(|i| matches!(i.op, Op::CMP_imm | Op::CMP_reg | Op::SUB_imm | Op::SUB_reg))
    }

    /// Which flags it reads.
    fn flags_read(&self) -> u8 {
        let condition = match self.inst.map_or(cond::AL, |i| i.cond) & !1 {
            cond::EQ | cond::MI => NZ,
            cond::CS => C,
            cond::VS => V,
            cond::HI => NZ | C,
            cond::GE | cond::GT => NZ | V,
            _ => 0,
        };
        condition | if self.effects.reads_flags { NZCV } else { 0 }
    }

    /// Which flags it writes, whatever they were.
    fn flags_set(&self) -> u8 {
        let e = &self.effects;
        if self.conditional() {
            0
        } else if e.kills_flags {
            NZCV
        } else {
            (if e.writes_nz { NZ } else { 0 }) | (if e.writes_c { C } else { 0 })
        }
    }

    fn next_pc(&self) -> u32 {
        self.pc.wrapping_add(self.len())
    }

    /// The fixed address that control may go to, other than the next instruction.
    fn fixed_target(&self) -> Option<u32> {
        match self.effects.flow {
            Some(Flow::Branch(t) | Flow::BranchIf(t)) => Some(t),
            _ => None,
        }
    }

    /// The function that it calls, and whether that is of the other instruction set.
    fn called(&self) -> Option<(u32, bool)> {
        match self.effects.flow {
            Some(Flow::Branch(t)) if self.effects.links => Some((t, false)),
            Some(Flow::BranchExchange(t)) if self.effects.links => Some((t, true)),
            _ => None,
        }
    }

    /// Is it a return, as far as one can see: to the address in r14, or to one from the stack?
    pub fn returns(&self) -> bool {
        let e = &self.effects;
        let from = if e.memory { 1 << 13 } else { 1 << 14 };
        e.flow == Some(Flow::Indirect) && !e.links && e.reads & from != 0
    }

    /// May control go on to the next instruction?
    fn falls_through(&self) -> bool {
        match self.effects.flow {
            None => self.inst.is_some(),
            Some(Flow::BranchIf(_)) => true,
            Some(_) => self.conditional(),
        }
    }
}

/// Where code ends as that of a procedure linkage table does, the address that it jumps to the contents of: `adr ip, ...; add ip, ip,
/// ...; ldr pc, [ip, ...]!` (ELF for the Arm Architecture, appendix A).
fn linkage_slot(code: &[Decoded]) -> Option<u32> {
    let [.., a, b, c] = code else { return None };
    let (a, b, c) = (a.inst?, b.inst?, c.inst?);
    let through_ip = (a.rd, b.rd, b.rn, c.rd, c.rn) == (12, 12, 12, 15, 12);
    let adds = b.flags & Inst::S == 0 && c.flags & (Inst::P | Inst::U) == Inst::P | Inst::U;
    let known = (a.op, b.op, c.op) == (Op::ADR, Op::ADD_imm, Op::LDR_imm);
    let always = [a.cond, b.cond, c.cond] == [cond::AL; 3];
    (known && through_ip && adds && always).then(|| a.imm.wrapping_add(b.imm).wrapping_add(c.imm))
}

/// Most entries of a table branch.
const MAX_TABLE: u32 = 512;

/// Instructions in front of a table branch among which the index is compared with the last one.
const BEFORE_TABLE: usize = 8;

/// Instructions that are looked at for whether they set the flags.
const LOOK_AHEAD: usize = 20;

/// A look at code outside the region.
struct Look<'a, 'f> {
    fetch: &'a mut Fetch<'f>,
    /// Instructions that may still be looked at.
    left: usize,
    /// Where some have been.
    seen: Vec<Range<u32>>,
}

impl Look<'_, '_> {
    /// What becomes of the flags `open` from `pc` on?
    fn flags(&mut self, mut thumb: bool, mut pc: u32, mut open: u8) -> Outside {
        loop {
            let Some(d) = self.fetch.decode(pc, thumb, ItState(0)) else { return Outside::Unsure };
            self.seen.push(pc..d.next_pc());
            if d.flags_read() & open != 0 {
                return Outside::Reads;
            }
            open &= !d.flags_set();
            if open == 0 {
                return Outside::Sets;
            }
            if self.left == 0 || d.next_it.active() || d.inst.is_none() {
                return Outside::Unsure;
            }
            self.left -= 1;
            pc = match d.effects.flow {
                Some(Flow::Branch(t) | Flow::BranchIf(t)) if d.falls_through() => {
                    let taken = self.flags(thumb, t, open);
                    if taken == Outside::Reads {
                        return taken;
                    }
                    return taken.max(self.flags(thumb, d.next_pc(), open));
                }
                Some(Flow::Branch(t)) => t,
                Some(Flow::BranchExchange(t)) => {
                    thumb = !thumb;
                    t
                }
                None => d.next_pc(),
                Some(_) => return Outside::Unsure,
            };
        }
    }
}

/// A call whose function is taken in, copied for it.
#[derive(Clone, Debug)]
struct Call {
    /// The one that it was made in, by number, and the call instruction there.
    from: Spot,
    /// Where it returns to.
    back: u32,
    /// The instruction set of the function.
    thumb: bool,
    /// Depth.
    depth: usize,
    /// Where the function starts.
    entry: u32,
}

/// An instruction in the copy of a function: the number of the call, 0 for none, and the address.
type Spot = (usize, u32);

/// A region being put together.
struct Finder<'a, 'f> {
    fetch: &'a mut Fetch<'f>,
    worth: &'a Worth<'a>,
    code: BTreeMap<Spot, Decoded>,
    leaders: BTreeSet<Spot>,
    calls: Vec<Call>,
    /// By the call instruction.
    taken_in: BTreeMap<Spot, usize>,
    /// Where table branches of the function that the region starts in lead, by their addresses and the indexes.
    tables: BTreeMap<u32, Vec<u32>>,
    /// Where the tables are.
    looked_at: Vec<Range<u32>>,
}

/// Finds the region of `key`: what is reachable from it through code that `worth` says is worth compiling. `None` when its first
/// instruction can't be compiled.
pub fn find(key: Key, fetch: &mut Fetch<'_>, worth: &Worth<'_>, precise: bool) -> Option<Region> {
    let root = Call { from: (0, 0), back: 0, thumb: key.thumb(), depth: 0, entry: key.pc() };
    let mut finder = Finder {
        fetch,
        worth,
        code: BTreeMap::new(),
        leaders: BTreeSet::new(),
        calls: vec![root],
        taken_in: BTreeMap::new(),
        tables: BTreeMap::new(),
        looked_at: Vec::new(),
    };
    finder.explore(key.pc());
    if finder.code.is_empty() {
        return None;
    }
    let mut region = finder.shape(key);
    dataflow(&mut region, fetch, precise);
    Some(region)
}

impl Finder<'_, '_> {
    fn explore(&mut self, entry: u32) {
        // With whether it is known to be worth it: the entry, what is called, and what comes behind a call.
        let mut work: VecDeque<(Spot, bool)> = VecDeque::from([((0, entry), true)]);
        while let Some((start, sure)) = work.pop_front() {
            if self.code.len() >= MAX_INSTRUCTIONS {
                break;
            }
            let (call, mut pc) = start;
            let thumb = self.calls[call].thumb;
            let mut it = ItState(0);
            if let Some(d) = self.code.get(&start) {
                // In the middle of an IT block nothing can be entered: its conditions would be lost.
                if !d.it.active() {
                    self.leaders.insert(start);
                }
                continue;
            }
            if !sure && !(self.worth.warm)(pc, thumb) {
                continue;
            }
            self.leaders.insert(start);
            while !self.code.contains_key(&(call, pc)) {
                let ends = pc != start.1 && call == 0 && (self.worth.stop)(pc);
                let full = (self.code.len() >= MAX_INSTRUCTIONS || ends) && !it.active();
                let Some(d) = (if full { None } else { self.fetch.decode(pc, thumb, it) }) else { break };
                self.code.insert((call, pc), d);
                let next = d.next_pc();
                it = d.next_it;
                if d.effects.flow.is_some() || d.inst.is_none() {
                    if d.falls_through() && !it.active() {
                        work.push_front(((call, next), false));
                    }
                    if d.effects.links {
                        // Other functions have regions of their own: to take in whatever is called, and where it returns to,
                        // made code larger and slower.
                        work.extend(self.take_in((call, pc), &d).map(|s| (s, true)));
                    } else {
                        work.extend(d.fixed_target().map(|t| ((call, t), false)));
                        if let Some(targets) = self.table((call, pc), &d) {
                            work.extend(targets.iter().map(|&t| ((call, t), false)));
                            self.tables.insert(pc, targets);
                        }
                    }
                    if call != 0 && d.returns() {
                        work.push_front(((self.calls[call].from.0, self.calls[call].back), true));
                    }
                    break;
                }
                pc = next;
            }
        }
    }

    /// Where a table branch leads, by the index, if the code in front of it tells how long its table is: `cmp rM, #last; bhi
    /// elsewhere; tbb [pc, rM]`, perhaps with others between them. Whoever gets there with another index is looked after anyway.
    fn table(&mut self, (call, pc): Spot, d: &Decoded) -> Option<Vec<u32>> {
        let inst = d.inst?;
        let size = match inst.op {
            Op::TBB => 1,
            Op::TBH => 2,
            _ => return None,
        };
        if !self.worth.tables || call != 0 || inst.rn != 15 || inst.cond != cond::AL {
            return None;
        }
        let (mut bounded, mut next) = (false, pc);
        let mut before = self.code.range(..(call, pc)).rev().take(BEFORE_TABLE);
        let last = loop {
            let (&(_, at), d) = before.next().filter(|(spot, d)| spot.0 == call && d.next_pc() == next)?;
            let i = d.inst?;
            match i.op {
                Op::B if i.cond == cond::HI && !bounded => bounded = true,
                Op::CMP_imm if bounded && i.rn == inst.rm => break i.imm,
                _ if d.effects.writes & 1 << inst.rm != 0 => return None,
                _ if bounded && d.effects.writes_flags || d.effects.flow.is_some() => return None,
                _ => {}
            }
            next = at;
        };
        let length = last.checked_add(1).filter(|&n| n <= MAX_TABLE)?;
        let start = d.next_pc();
        let bytes = self.fetch.bytes(start, (length * size) as usize)?;
        self.looked_at.push(start..start + length * size);
        let offsets = bytes
            .chunks(size as usize)
            .map(|entry| entry.iter().rev().fold(0, |n, &b| n << 8 | u32::from(b)));
        Some(offsets.map(|offset| start.wrapping_add(2 * offset)).collect())
    }

    /// Where the copy of a called function starts, when it is worth one.
    fn take_in(&mut self, at: Spot, d: &Decoded) -> Option<Spot> {
        let thumb = self.calls[at.0].thumb;
        let (target, exchanges) = d.called()?;
        let (back, depth) = (d.next_pc(), self.calls[at.0].depth + 1);
        let known = !tuning::on(Optimisations::INLINE) || depth > MAX_DEPTH || d.it.active();
        if known || self.is_open(at.0, target) || !(self.worth.hot)(back, thumb) {
            return None;
        }
        let thumb = thumb != exchanges;
        let mut left = self.worth.inlined;
        self.size(target, thumb, depth, &mut left, &mut Vec::new())?;
        if self.code.len() + (self.worth.inlined - left) > MAX_INSTRUCTIONS {
            return None;
        }
        self.calls.push(Call { from: at, back, thumb, depth, entry: target });
        self.taken_in.insert(at, self.calls.len() - 1);
        Some((self.calls.len() - 1, target))
    }

    /// Is the function being called already?
    fn is_open(&self, mut call: usize, target: u32) -> bool {
        while call != 0 {
            if self.calls[call].entry == target {
                return true;
            }
            call = self.calls[call].from.0;
        }
        self.calls[0].entry == target
    }

    /// Takes the instructions of a function that would be copied, with those it calls, from what is `left`; `None` when they are too
    /// many or some of what it calls would stay outside.
    fn size(
        &mut self,
        entry: u32,
        thumb: bool,
        depth: usize,
        left: &mut usize,
        seen: &mut Vec<u32>,
    ) -> Option<()> {
        if depth > MAX_DEPTH || seen.contains(&entry) || !(self.worth.hot)(entry, thumb) {
            return None;
        }
        let mut work = vec![entry];
        let mut done = BTreeSet::new();
        while let Some(start) = work.pop() {
            if start != entry && !(self.worth.warm)(start, thumb) {
                continue;
            }
            let (mut pc, mut it) = (start, ItState(0));
            while done.insert(pc) {
                *left = left.checked_sub(1)?;
                let d = self.fetch.decode(pc, thumb, it)?;
                (pc, it) = (d.next_pc(), d.next_it);
                if d.effects.flow.is_none() && d.inst.is_some() {
                    continue;
                }
                if d.effects.links {
                    let (target, exchanges) = d.called()?;
                    seen.push(entry);
                    self.size(target, thumb != exchanges, depth + 1, left, seen)?;
                    seen.pop();
                    work.push(pc);
                } else {
                    work.extend(d.fixed_target());
                    work.extend(d.falls_through().then_some(pc));
                }
                break;
            }
        }
        Some(())
    }

    /// Where a spot is in the order of execution of nested calls: the call instructions that lead there, and its address.
    fn path(&self, (call, pc): Spot) -> Vec<u32> {
        let mut path = vec![pc];
        let mut call = call;
        while call != 0 {
            path.push(self.calls[call].from.1);
            call = self.calls[call].from.0;
        }
        path.reverse();
        path
    }

    /// Where the calls that a copy is inside of return to.
    fn inside(&self, mut call: usize) -> SmallVec<[u32; MAX_DEPTH]> {
        let mut addresses = SmallVec::new();
        while call != 0 {
            let Call { from, back, .. } = self.calls[call];
            addresses.insert(0, back | u32::from(self.calls[from.0].thumb));
            call = from.0;
        }
        addresses
    }

    /// Cuts the instructions into blocks.
    fn shape(&self, key: Key) -> Region {
        let entry = (0, key.pc());
        let mut starts: Vec<Spot> =
            self.leaders.iter().copied().filter(|l| self.code.contains_key(l)).collect();
        starts.sort_by_cached_key(|&spot| self.path(spot));
        let place = starts.iter().position(|&s| s == entry).unwrap_or(0);
        starts[..=place].rotate_right(1);
        // The entry is first, but keeps its place in the order of the loops.
        let order = |k: usize| match k {
            0 => place,
            _ if k <= place => k - 1,
            _ => k,
        };
        let index: BTreeMap<Spot, usize> = starts.iter().enumerate().map(|(k, &s)| (s, k)).collect();
        let loops = tuning::on(Optimisations::LOOPS);
        let edge = |call: usize, from: u32, pc: u32| match index.get(&(call, pc)) {
            Some(&k) if loops || pc > from => Edge::Inside(k),
            _ => Edge::Outside(pc),
        };
        let mut blocks = Vec::new();
        for (k, &(call, start)) in starts.iter().enumerate() {
            let Call { thumb, from, back, .. } = self.calls[call];
            let mut block = Block { order: order(k), thumb, inside: self.inside(call), ..Block::default() };
            let mut pc = start;
            block.next = loop {
                let Some(d) = self.code.get(&(call, pc)) else {
                    break Some(Edge::Outside(pc));
                };
                if pc != start && index.contains_key(&(call, pc)) {
                    break Some(edge(call, start, pc));
                }
                block.instructions.push(*d);
                if d.effects.flow.is_some() || d.inst.is_none() {
                    block.target = d.fixed_target().map(|pc| edge(call, d.pc, pc));
                    if let Some(&called) = self.taken_in.get(&(call, pc)) {
                        let entry = index.get(&(called, self.calls[called].entry));
                        block.target = entry.map(|&k| Edge::Inside(k)).or(block.target);
                    }
                    if let Some(&address) = block.inside.last().filter(|_| d.returns()) {
                        block.back = index.get(&(from.0, back)).map(|&block| Back { block, address });
                    }
                    if let Some(targets) = self.tables.get(&pc).filter(|_| call == 0) {
                        let there = |&t: &u32| match edge(call, d.pc, t) {
                            Edge::Outside(_) if !(self.worth.warm)(t, thumb) => None,
                            edge => Some(edge),
                        };
                        block.table = targets.iter().map(there).collect();
                        if !block.table.iter().any(|e| matches!(e, Some(Edge::Inside(_)))) {
                            block.table.clear();
                        }
                    }
                    break d.falls_through().then(|| edge(call, d.pc, d.next_pc()));
                }
                pc = d.next_pc();
            };
            let likely = linkage_slot(&block.instructions).and_then(self.worth.data);
            // Such an address of A32 code would not be aligned.
            block.likely = likely.filter(|address| address & 3 != 2);
            blocks.push(block);
        }
        Region { key, blocks, len: self.code.len(), looked_at: self.looked_at.clone() }
    }
}

fn dataflow(region: &mut Region, fetch: &mut Fetch<'_>, precise: bool) {
    let n = region.blocks.len();
    let successors: Vec<Vec<usize>> = region
        .blocks
        .iter()
        .map(|b| {
            let inside = |e: &Edge| if let Edge::Inside(k) = e { Some(*k) } else { None };
            let fixed = [&b.next, &b.target].into_iter().flatten().filter_map(inside);
            let mut table: Vec<usize> = b.table.iter().flatten().filter_map(inside).collect();
            table.sort_unstable();
            table.dedup();
            fixed.chain(b.back.map(|b| b.block)).chain(table).collect()
        })
        .collect();
    for (k, next) in successors.iter().enumerate() {
        for &s in next {
            region.blocks[s].header |= region.blocks[s].order <= region.blocks[k].order;
        }
    }
    // Which flags are read in the region.
    let mut read = vec![0u8; n];
    let mut changed = true;
    while changed {
        changed = false;
        for k in (0..n).rev() {
            let behind = successors[k].iter().fold(0, |l, &s| l | read[s]);
            let l = region.blocks[k].instructions.iter().rev().fold(behind, |l, d| {
                // What sets them perhaps, or V by itself, needs the others.
                let needs = d.effects.writes_v || d.conditional() && d.effects.writes_flags;
                l & !d.flags_set() | d.flags_read() | if needs { NZCV } else { 0 }
            });
            changed |= l != read[k];
            read[k] = l;
        }
    }
    let mut ways = vec![(0, false); n];
    for (k, next) in successors.iter().enumerate() {
        for &s in next {
            ways[s].0 += 1;
            ways[s].1 |= s <= k;
        }
    }
    for (k, b) in region.blocks.iter_mut().enumerate() {
        b.flags_in = match ways[k] {
            (1, false) if k != 0 => FlagsIn::Handed,
            _ if read[k] != 0 => FlagsIn::Read,
            _ => FlagsIn::Stored,
        };
    }
    // Registers that the region reads, and those that it or who comes behind it may read.
    let (mut used, mut wanted) = (vec![0u32; n], vec![0u32; n]);
    let mut changed = true;
    while changed {
        changed = false;
        for k in (0..n).rev() {
            let b = &region.blocks[k];
            let behind = |live: &[u32]| successors[k].iter().fold(0, |l, &s| l | live[s]);
            let through = |live: u32, anywhere: u32| {
                let live = b.instructions.iter().rev().fold(live, |l, d| {
                    l & !d.kills() | d.reads() | if d.effects.memory { anywhere } else { 0 }
                });
                live & REGISTERS
            };
            let leaves = if leaves(b) { REGISTERS } else { 0 };
            // A loop may be left where it starts.
            let out = through(behind(&wanted) | leaves, if precise { REGISTERS } else { 0 });
            let new = [through(behind(&used), 0), if b.header { REGISTERS } else { out }];
            changed |= new != [used[k], wanted[k]];
            [used[k], wanted[k]] = new;
        }
    }
    // Forward: what may be dirty. Where ways meet, what is dirty on some of them only and that the region does not read is stored
    // on those: else all others would have to load it.
    let mut before = vec![Vec::new(); n];
    for (k, next) in successors.iter().enumerate() {
        next.iter().for_each(|&s| before[s].push(k));
    }
    changed = true;
    while changed {
        changed = false;
        for s in 0..n {
            let out = before[s].iter().map(|&k| dirty_behind(&region.blocks[k], precise));
            let (all, some) = out.fold((u32::MAX, 0), |(all, some), out| (all & out, some | out));
            let b = &region.blocks[s];
            let kept = if s == 0 || b.header { some } else { some & wanted[s] & (all | used[s]) };
            let flags = if b.flags_in == FlagsIn::Stored { 0 } else { some & FLAGS };
            let dirty = kept & REGISTERS | flags;
            changed |= dirty != b.dirty_in;
            region.blocks[s].dirty_in = dirty;
        }
    }
    for (b, wanted) in region.blocks.iter_mut().zip(wanted) {
        b.wanted_in = wanted;
    }
    // Flags need not be stored on the way to code that sets them first.
    let dead_flags = tuning::on(Optimisations::DEAD_FLAGS);
    let mut flags_matter = vec![true; n];
    let mut flags_asked = vec![true; n];
    for (k, b) in region.blocks.iter().enumerate().filter(|_| dead_flags) {
        if dirty_behind(b, precise) & FLAGS == 0 {
            continue;
        }
        let mut look = Look { fetch, left: 0, seen: Vec::new() };
        let outside = [b.next, b.target].into_iter().flatten().filter_map(|e| match e {
            Edge::Outside(pc) => {
                look.left = LOOK_AHEAD;
                Some(look.flags(b.thumb, pc, NZCV))
            }
            Edge::Inside(_) => None,
        });
        let outside = outside.max();
        flags_asked[k] = outside == Some(Outside::Reads);
        flags_matter[k] = b.instructions.last().is_none_or(|d| {
            matches!(d.effects.flow, Some(Flow::Indirect | Flow::Trap | Flow::BranchExchange(_)))
                || d.inst.is_none()
        }) || outside.is_some_and(|o| o != Outside::Sets);
        if !flags_matter[k] {
            region.looked_at.append(&mut look.seen);
        }
    }
    // Backward: what is live. An exit reads what is dirty there; so does a fault or a safe point, which may be anywhere,
    // hence dirty registers count as live throughout; only the flags are worth the precision.
    let mut live = vec![0u32; n];
    let live_behind = |b: &Block, live: &[u32], k: usize| {
        let inside = successors[k].iter().fold(0, |l, &s| l | live[s]);
        let stored = if flags_matter[k] { u32::MAX } else { !FLAGS };
        inside | if leaves(b) { (dirty_behind(b, precise) | FLAGS) & stored } else { 0 }
    };
    changed = true;
    while changed {
        changed = false;
        for k in (0..n).rev() {
            let b = &region.blocks[k];
            let mut l = live_behind(b, &live, k);
            for d in b.instructions.iter().rev() {
                l = l & !d.kills() | d.reads();
            }
            l |= b.dirty_in & !FLAGS;
            if l != live[k] {
                live[k] = l;
                changed = true;
            }
        }
    }
    for (k, b) in region.blocks.iter_mut().enumerate() {
        let mut l = live_behind(b, &live, k);
        b.flags_live = vec![false; b.instructions.len()];
        for (d, flags_live) in b.instructions.iter().zip(&mut b.flags_live).rev() {
            l = l & !d.kills() | d.reads();
            *flags_live = l & FLAGS != 0 || !dead_flags;
        }
        (b.live_in, b.flags_matter, b.flags_asked) = (live[k], flags_matter[k], flags_asked[k]);
        b.successors.clone_from(&successors[k]);
    }
    if tuning::on(Optimisations::VFP_VALUES)
        && region
            .blocks
            .iter()
            .flat_map(|b| &b.instructions)
            .any(|d| d.effects.scalar_reads | d.effects.scalar_writes != 0)
    {
        scalars(region, &successors, precise);
    }
}

impl Decoded {
    /// The S and D registers that it makes stale in host registers.
    pub fn stale_scalars(&self) -> u64 {
        let e = &self.effects;
        if e.rare { u64::MAX } else { scalar_overlap(e.scalar_writes) | e.scalars_of_vectors() }
    }

    /// Which may differ from the state behind it.
    fn scalars_dirty_behind(&self, dirty: u64, precise: bool) -> u64 {
        let kept = if precise && self.effects.memory { 0 } else { dirty & !self.stale_scalars() };
        kept | self.effects.scalar_writes | if self.conditional() { dirty } else { 0 }
    }

    /// Which are known behind it.
    fn scalars_known_behind(&self, known: u64) -> u64 {
        let e = &self.effects;
        let behind = (known | e.scalar_reads) & !self.stale_scalars() | e.scalar_writes;
        if self.conditional() { known & behind } else { behind }
    }

    /// Whose values are read from it on, where `live` are behind it.
    fn scalars_live_before(&self, live: u64) -> u64 {
        let gone = if self.conditional() { 0 } else { self.effects.scalar_writes | self.stale_scalars() };
        live & !gone | self.effects.scalar_reads
    }
}

/// Finds which S and D registers come into each block in host registers: into a loop all that it reads and, so that it need not store
/// them each time around, all that are written in it; elsewhere what happens to be known on all ways there.
fn scalars(region: &mut Region, successors: &[Vec<usize>], precise: bool) {
    let n = region.blocks.len();
    let order = |k: usize| region.blocks[k].order;
    let mut looped = vec![false; n];
    for (from, next) in successors.iter().enumerate() {
        for &s in next.iter().filter(|&&s| order(s) <= order(from)) {
            for (k, looped) in looped.iter_mut().enumerate() {
                *looped |= (order(s)..=order(from)).contains(&order(k));
            }
        }
    }
    let (mut dirty, mut live, mut known) = (vec![0u64; n], vec![0u64; n], vec![u64::MAX; n]);
    let mut changed = true;
    while changed {
        changed = false;
        for k in (0..n).rev() {
            let behind = successors[k].iter().fold(0, |l, &s| l | live[s]);
            let l = region.blocks[k].instructions.iter().rev().fold(behind, |l, d| d.scalars_live_before(l));
            changed |= l != live[k];
            live[k] = l;
        }
        for k in 0..n {
            let out = region.blocks[k]
                .instructions
                .iter()
                .fold(dirty[k], |x, d| d.scalars_dirty_behind(x, precise));
            for &s in successors[k].iter().filter(|&&s| looped[s]) {
                changed |= out & !dirty[s] != 0;
                dirty[s] |= out;
            }
        }
    }
    let headers: Vec<bool> = region.blocks.iter().map(|b| b.header).collect();
    // The entry, and blocks that nothing leads to.
    let reached: BTreeSet<usize> = successors.iter().flatten().copied().collect();
    for k in (0..n).filter(|k| *k == 0 || !reached.contains(k)) {
        known[k] = 0;
    }
    for k in (0..n).filter(|&k| headers[k]) {
        known[k] = apart(live[k] | dirty[k], live[k]);
    }
    changed = true;
    while changed {
        changed = false;
        for k in 0..n {
            let out = region.blocks[k].instructions.iter().fold(known[k], |x, d| d.scalars_known_behind(x));
            for &s in successors[k].iter().filter(|&&s| !headers[s]) {
                changed |= known[s] & !out != 0;
                known[s] &= out;
            }
        }
    }
    for (k, b) in region.blocks.iter_mut().enumerate() {
        b.scalars_in = apart(known[k] & (live[k] | dirty[k]), live[k]);
        b.scalars_dirty_in = b.scalars_in & dirty[k];
    }
}

/// `set` without registers that overlap: those that are `live` stay, and D registers rather than S registers.
fn apart(set: u64, live: u64) -> u64 {
    let set = set & !(scalar_overlap(set) & !live);
    set & !scalar_overlap(set & DOUBLES)
}

/// The D registers among S and D registers.
const DOUBLES: u64 = !0 << 32;

/// May the region be left at the end of this block?
fn leaves(b: &Block) -> bool {
    [b.next, b.target].iter().flatten().any(|e| matches!(e, Edge::Outside(_)))
        || b.instructions.last().is_none_or(|d| {
            d.inst.is_none()
                || matches!(d.effects.flow, Some(Flow::Indirect | Flow::Trap | Flow::BranchExchange(_)))
        })
}

/// What may be dirty behind a block. In precise mode an access to memory has stored everything before it.
fn dirty_behind(b: &Block, precise: bool) -> u32 {
    b.instructions.iter().fold(b.dirty_in, |dirty, d| {
        let stored = precise && d.effects.memory && !d.conditional();
        (if stored { dirty & FLAGS } else { dirty }) | d.writes()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_function_is_taken_in_at_each_call() {
        // 0: bl 0x10; 4: blx 0x10 + 4; 8: b 0; 0x10: mov r0, #1; bx lr as A32, with Thumb bx lr at 0x14
        let mut code = [0u8; 0x20];
        for (at, word) in
            [(0, 0xeb00_0002u32), (4, 0xfa00_0003), (8, 0xeaff_fffc), (0x10, 0xe12f_ff1e), (0x18, 0x4770)]
        {
            code[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        let read = |pc: u32, buffer: &mut [u8]| {
            let rest = code.get(pc as usize..).unwrap_or_default();
            let n = rest.len().min(buffer.len());
            buffer[..n].copy_from_slice(&rest[..n]);
            n
        };
        let region = |worth: &Worth<'_>| find(Key::new(0, false, 0), &mut Fetch::new(&read), worth, false);
        let starts = |r: &Region| -> Vec<(u32, bool, Option<u32>)> {
            let start = |b: &Block| (b.instructions[0].pc, b.thumb, b.back.map(|b| b.address));
            r.blocks.iter().map(start).collect()
        };
        let whole = region(&Worth::ALL).expect("a region");
        assert_eq!(
            starts(&whole),
            [
                (0, false, None),
                (0x10, false, Some(4)),
                (4, false, None),
                (0x18, true, Some(8)),
                (8, false, None)
            ]
        );
        assert!(whole.blocks[0].header && whole.blocks.iter().skip(1).all(|b| !b.header));
        assert_eq!(whole.extent().starts, [0, 4, 8]);
        let alone = region(&Worth { hot: &|_, _| false, ..Worth::ALL }).expect("a region");
        assert_eq!(starts(&alone), [(0, false, None)]);
    }

    #[test]
    fn a_table_branch_leads_to_its_arms() {
        // 0: cmp r3, #2; 2: bhi 0x14; 4: mov r0, r1; 6: tbb [pc, r3]; 0xa: table; 0xe: arms, of which the last is not warm
        let code: Vec<u8> =
            [0x2b02u16, 0xd807, 0x4608, 0xe8df, 0xf003, 0x0302, 0x0002, 0x4770, 0x4770, 0x4770, 0x4770]
                .iter()
                .flat_map(|h| h.to_le_bytes())
                .collect();
        let read = |pc: u32, buffer: &mut [u8]| {
            let rest = code.get(pc as usize..).unwrap_or_default();
            let n = rest.len().min(buffer.len());
            buffer[..n].copy_from_slice(&rest[..n]);
            n
        };
        let worth = Worth { warm: &|pc, _| pc != 0x10, ..Worth::ALL };
        let find = |worth: &Worth<'_>| {
            find(Key::new(0, true, 0), &mut Fetch::new(&read), worth, false).expect("a region")
        };
        let region = find(&worth);
        let starts: Vec<u32> = region.blocks.iter().map(|b| b.instructions[0].pc).collect();
        assert_eq!(starts, [0, 4, 0xe, 0x14]);
        assert_eq!(region.blocks[1].table, [Some(Edge::Inside(2)), None, Some(Edge::Inside(2))]);
        assert_eq!(region.blocks[1].successors, [2]);
        assert_eq!(region.ranges(), [0..0xd, 0xe..0x10, 0x14..0x16]);
        let all = find(&Worth { tables: false, ..worth });
        assert!(all.blocks.iter().all(|b| b.table.is_empty()) && all.ranges() == [0..0xa, 0x14..0x16]);
    }

    #[test]
    fn what_a_linkage_table_jumps_to_is_likely() {
        // adr ip, .+8; add ip, ip, #0x2e000; ldr pc, [ip, #0x130]!
        let code: Vec<u8> =
            [0xe28f_c600u32, 0xe28c_ca2e, 0xe5bc_f130].iter().flat_map(|w| w.to_le_bytes()).collect();
        let read = |pc: u32, buffer: &mut [u8]| {
            let rest = code.get(pc as usize..).unwrap_or_default();
            let n = rest.len().min(buffer.len());
            buffer[..n].copy_from_slice(&rest[..n]);
            n
        };
        let data = |at: u32| (at == 8 + 0x2e000 + 0x130).then_some(0x5001);
        let worth = Worth { data: &data, ..Worth::ALL };
        let region = find(Key::new(0, false, 0), &mut Fetch::new(&read), &worth, false).expect("a region");
        assert_eq!(region.blocks[0].likely, Some(0x5001));
    }

    #[test]
    fn a_region_depends_on_code_that_makes_its_flags_dead() {
        // 0: cmp r0, #1; 4: b 0x10; 0x10: mov r1, #0; cmp r1, #2 or beq
        let region = |last: u32| {
            let mut code = [0u8; 0x20];
            for (at, word) in [(0, 0xe350_0001u32), (4, 0xea00_0001), (0x10, 0xe3a0_1000), (0x14, last)] {
                code[at..at + 4].copy_from_slice(&word.to_le_bytes());
            }
            let read = |pc: u32, buffer: &mut [u8]| {
                let rest = code.get(pc as usize..).unwrap_or_default();
                let n = rest.len().min(buffer.len());
                buffer[..n].copy_from_slice(&rest[..n]);
                n
            };
            let worth = Worth { warm: &|pc, _| pc < 0x10, ..Worth::ALL };
            let region =
                find(Key::new(0, false, 0), &mut Fetch::new(&read), &worth, false).expect("a region");
            let b = &region.blocks[0];
            (
                b.flags_matter,
                b.flags_asked,
                region.ranges().iter().map(|r| (r.start, r.end)).collect::<Vec<_>>(),
            )
        };
        assert_eq!(region(0xe351_0002), (false, false, vec![(0, 8), (0x10, 0x18)]));
        assert_eq!(region(0x0a00_0000), (true, true, vec![(0, 8)]));
    }
}
