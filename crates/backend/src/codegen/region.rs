//! Regions: the blocks reachable from a hot one through fixed branches, compiled as one function.

use crate::cache::Key;
use crate::interp::block::{Decoded, Fetch};
use crate::tuning::{self, Optimisations};
use forearm_frontend::decode::ItState;
use forearm_frontend::effects::{Flow, scalar_overlap};
use forearm_frontend::inst::cond;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// NZCV among the register bits of a [`Block`]'s sets.
pub const FLAGS: u32 = 1 << 16;

/// Most guest instructions in a region. Compile time is linear in it; larger ones gain little.
pub const MAX_INSTRUCTIONS: usize = 256;

/// Where a block goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Another block of the region, by index.
    Inside(usize),
    /// A fixed address outside.
    Outside(u32),
}

/// A basic block of a region.
#[derive(Debug)]
pub struct Block {
    /// Its instructions; the last may branch.
    pub instructions: Vec<Decoded>,
    /// Where it goes when the last instruction does not branch, or its condition fails.
    pub next: Option<Edge>,
    /// Where a fixed branch at its end goes.
    pub target: Option<Edge>,
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
    /// Where the block leaves the region by its fixed edges, the flags are read before they are set.
    pub flags_matter: bool,
}

/// A region.
#[derive(Debug)]
pub struct Region {
    /// Where it starts; its first block.
    pub key: Key,
    /// Its blocks; the first is the entry.
    pub blocks: Vec<Block>,
    /// Guest instructions.
    pub len: usize,
}

impl Region {
    /// The guest addresses it was made from: one range a block.
    pub fn ranges(&self) -> Vec<std::ops::Range<u32>> {
        let range = |b: &Block| {
            let last = b.instructions.last()?;
            Some(b.instructions.first()?.pc..last.pc.wrapping_add(last.len()))
        };
        self.blocks.iter().filter_map(range).collect()
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

    /// May control go on to the next instruction?
    fn falls_through(&self) -> bool {
        match self.effects.flow {
            None => self.inst.is_some(),
            Some(Flow::BranchIf(_)) => true,
            Some(_) => self.conditional(),
        }
    }
}

/// Instructions that are looked at for whether they set the flags.
const LOOK_AHEAD: usize = 10;

/// Are the flags written before they are read from `pc` on? A short look; `false` when unsure.
fn flags_dead_at(fetch: &mut Fetch<'_>, thumb: bool, mut pc: u32) -> bool {
    for _ in 0..LOOK_AHEAD {
        let Some(d) = fetch.decode(pc, thumb, ItState(0)) else { return false };
        // What sets some of them leaves the others to who comes next.
        if d.next_it.active() || d.inst.is_none() || d.effects.reads_flags || d.conditional() {
            return false;
        }
        if d.effects.kills_flags {
            return true;
        }
        pc = match d.effects.flow {
            None => d.next_pc(),
            Some(Flow::Branch(t)) => t,
            Some(_) => return false,
        };
    }
    false
}

/// Finds the region of `key`: what is reachable from it through code that `warm` says is worth compiling. `None` when its first instruction can't be compiled.
pub fn find(key: Key, fetch: &mut Fetch<'_>, warm: &dyn Fn(u32) -> bool, precise: bool) -> Option<Region> {
    let thumb = key.thumb();
    let mut code: BTreeMap<u32, Decoded> = BTreeMap::new();
    let mut leaders: BTreeSet<u32> = BTreeSet::new();
    let mut work: VecDeque<u32> = VecDeque::from([key.pc()]);
    while let Some(start) = work.pop_front() {
        if code.len() >= MAX_INSTRUCTIONS {
            break;
        }
        let mut pc = start;
        let mut it = ItState(0);
        if code.contains_key(&pc) {
            // In the middle of an IT block nothing can be entered: its conditions would be lost.
            if !code[&pc].it.active() {
                leaders.insert(pc);
            }
            continue;
        }
        if start != key.pc() && !warm(start) {
            continue;
        }
        leaders.insert(start);
        while !code.contains_key(&pc) {
            let full = code.len() >= MAX_INSTRUCTIONS && !it.active();
            let Some(d) = (if full { None } else { fetch.decode(pc, thumb, it) }) else { break };
            code.insert(pc, d);
            let next = d.next_pc();
            it = d.next_it;
            if d.effects.flow.is_some() || d.inst.is_none() {
                if d.falls_through() && !it.active() {
                    work.push_front(next);
                }
                // Functions have regions of their own: to take in what is called, and where it returns to, made code larger
                // and slower.
                work.extend(d.fixed_target().filter(|_| !d.effects.links));
                break;
            }
            pc = next;
        }
    }
    if code.is_empty() {
        return None;
    }
    let mut region = shape(key, &code, &leaders);
    dataflow(&mut region, fetch, precise);
    Some(region)
}

/// Cuts the instructions into blocks and computes what is live and dirty where.
fn shape(key: Key, code: &BTreeMap<u32, Decoded>, leaders: &BTreeSet<u32>) -> Region {
    let starts: Vec<u32> = std::iter::once(key.pc())
        .chain(leaders.iter().copied().filter(|&l| l != key.pc() && code.contains_key(&l)))
        .collect();
    let index: BTreeMap<u32, usize> = starts.iter().enumerate().map(|(k, &pc)| (pc, k)).collect();
    let loops = tuning::on(Optimisations::LOOPS);
    let edge = |from: u32, pc: u32| match index.get(&pc) {
        Some(&k) if loops || pc > from => Edge::Inside(k),
        _ => Edge::Outside(pc),
    };
    let mut blocks = Vec::new();
    for &start in &starts {
        let mut instructions = Vec::new();
        let mut pc = start;
        let mut target = None;
        let next = loop {
            let Some(d) = code.get(&pc) else {
                break Some(Edge::Outside(pc));
            };
            if pc != start && index.contains_key(&pc) {
                break Some(edge(start, pc));
            }
            instructions.push(*d);
            if d.effects.flow.is_some() || d.inst.is_none() {
                target = d.fixed_target().map(|pc| edge(d.pc, pc));
                break d.falls_through().then(|| edge(d.pc, d.next_pc()));
            }
            pc = d.next_pc();
        };
        blocks.push(Block {
            instructions,
            next,
            target,
            dirty_in: 0,
            live_in: 0,
            flags_live: Vec::new(),
            successors: Vec::new(),
            header: false,
            scalars_in: 0,
            scalars_dirty_in: 0,
            flags_matter: true,
        });
    }
    Region { key, blocks, len: code.len() }
}

fn dataflow(region: &mut Region, fetch: &mut Fetch<'_>, precise: bool) {
    let thumb = region.key.thumb();
    let n = region.blocks.len();
    let successors: Vec<Vec<usize>> = region
        .blocks
        .iter()
        .map(|b| {
            let fixed = [b.next, b.target].into_iter().flatten();
            fixed.filter_map(|e| if let Edge::Inside(k) = e { Some(k) } else { None }).collect()
        })
        .collect();
    for (k, next) in successors.iter().enumerate() {
        let from = region.blocks[k].instructions.last().map_or(u32::MAX, |d| d.pc);
        for &s in next {
            region.blocks[s].header |= region.blocks[s].instructions.first().is_none_or(|d| d.pc <= from);
        }
    }
    // Forward: what may be dirty.
    let mut work: Vec<usize> = (0..n).collect();
    while let Some(k) = work.pop() {
        let out = dirty_behind(&region.blocks[k], precise);
        for &s in &successors[k] {
            if region.blocks[s].dirty_in | out != region.blocks[s].dirty_in {
                region.blocks[s].dirty_in |= out;
                work.push(s);
            }
        }
    }
    // Flags need not be stored on the way to code that sets them first.
    let dead_flags = tuning::on(Optimisations::DEAD_FLAGS);
    let mut flags_matter = vec![true; n];
    for (k, b) in region.blocks.iter().enumerate().filter(|_| dead_flags) {
        let outside = [b.next, b.target].into_iter().flatten().filter_map(|e| match e {
            Edge::Outside(pc) => Some(pc),
            Edge::Inside(_) => None,
        });
        flags_matter[k] = b.instructions.last().is_none_or(|d| {
            matches!(d.effects.flow, Some(Flow::Indirect | Flow::Trap | Flow::BranchExchange(_)))
                || d.inst.is_none()
        }) || outside.into_iter().any(|pc| !flags_dead_at(fetch, thumb, pc));
    }
    // Backward: what is live. An exit reads what is dirty there; so does a fault or a safe point, which may be anywhere,
    // hence dirty registers count as live throughout; only the flags are worth the precision.
    let mut live = vec![0u32; n];
    let live_behind = |b: &Block, live: &[u32], k: usize| {
        let leaves = [b.next, b.target].iter().flatten().any(|e| matches!(e, Edge::Outside(_)))
            || b.instructions.last().is_some_and(|d| {
                d.inst.is_none()
                    || matches!(d.effects.flow, Some(Flow::Indirect | Flow::Trap | Flow::BranchExchange(_)))
            });
        let inside = successors[k].iter().fold(0, |l, &s| l | live[s]);
        let stored = if flags_matter[k] { u32::MAX } else { !FLAGS };
        inside | if leaves { dirty_behind(b, precise) & stored } else { 0 }
    };
    let mut changed = true;
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
        (b.live_in, b.flags_matter) = (live[k], flags_matter[k]);
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
    let start = |k: usize| region.blocks[k].instructions.first().map_or(0, |d| d.pc);
    let mut looped = vec![false; n];
    for (k, next) in successors.iter().enumerate() {
        let from = region.blocks[k].instructions.last().map_or(0, |d| d.pc);
        for &s in next.iter().filter(|&&s| start(s) <= from) {
            for (k, looped) in looped.iter_mut().enumerate() {
                *looped |= (start(s)..=from).contains(&start(k));
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

/// What may be dirty behind a block. In precise mode an access to memory has stored everything before it.
fn dirty_behind(b: &Block, precise: bool) -> u32 {
    b.instructions.iter().fold(b.dirty_in, |dirty, d| {
        let stored = precise && d.effects.memory && !d.conditional();
        (if stored { dirty & FLAGS } else { dirty }) | d.writes()
    })
}
