//! The backend's face to the runtime: run a guest thread until something needs the runtime.

use crate::baseline::Baseline;
use crate::cache::native::{LinkSlot, Native};
use crate::cache::store::Store;
use crate::cache::{BlockRef, Cache, Key, RegionJumps};
use crate::codegen::region::Worth;
use crate::codegen::{self, Compiler, Effort, Extent, Mode};
use crate::fp::soft::fpscr::{DN, FZ};
use crate::interp::block::{self, Fetch};
use crate::interp::{Block, Interp, Slot, control};
use crate::returns::ReturnStack;
use crate::state::CpuState;
use crate::stats::{self, Event};
use crate::tuning::{self, Optimisations};
use crate::{enter, fault, interp, log};
use forearm_frontend::accesses::{self, Access};
use forearm_frontend::decode::ItState;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::ops::Range;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// Why translated code returned to the runtime. `cpu.r[15]`, `thumb` and `itstate` are exact in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// SVC was executed; r15 is the instruction after it. The value is its immediate (0 under the EABI).
    Syscall(u32),
    /// `exit_request` was seen at a safe point (and cleared).
    Interrupt,
    /// An undefined instruction at r15.
    Undefined,
    /// BKPT or a gdb breakpoint at r15; the value is the immediate.
    Breakpoint(u32),
    /// A data access by the instruction at r15 failed.
    DataAbort(Fault),
    /// r15 is not executable.
    PrefetchAbort,
    /// A single step is complete (`Engine::step`).
    Step,
}

impl Exit {
    fn event(self) -> Event {
        match self {
            Exit::Syscall(_) => Event::Syscall,
            Exit::Interrupt => Event::Interrupt,
            Exit::Undefined => Event::Undefined,
            Exit::Breakpoint(_) => Event::Breakpoint,
            Exit::DataAbort(_) => Event::DataAbort,
            Exit::PrefetchAbort => Event::PrefetchAbort,
            Exit::Step => Event::Step,
        }
    }
}

/// `Exit` as translated code notes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum ExitCode {
    Syscall = 1,
    Interrupt,
    Undefined,
    Breakpoint,
    DataAbort,
    PrefetchAbort,
    Step,
}

/// A failed access as the host reported it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// Guest address.
    pub addr: u32,
    /// Host signal: SIGSEGV or SIGBUS.
    pub signal: i32,
    /// `si_code` of that signal.
    pub code: i32,
    /// The access was a store.
    pub write: bool,
}

/// What the translator asks of the guest's address space.
pub trait CodeSource: Send + Sync {
    /// The range of executable guest memory around `pc`, or `None` where an instruction fetch faults.
    fn executable(&self, pc: u32) -> Option<Range<u32>>;
    /// Is the code at `pc` that of a file? Other processes may have the same.
    fn is_file(&self, pc: u32) -> bool;
    /// Host address of guest address 0.
    fn base(&self) -> u64;
    /// Name of the function at `pc`, with the offset in it, for the log; `None` where it has none.
    fn symbol(&self, _pc: u32) -> Option<String> {
        None
    }
    /// Is [`placed`](Self::placed) to be called?
    fn wants_code(&self) -> bool {
        false
    }
    /// The region of `pc` has host code at `address` from now on.
    fn placed(&self, _pc: u32, _address: u64, _code: &[u8]) {}
}

/// When to compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Executions of a block after which its region is compiled; `None`: never.
    pub heat: Option<u32>,
    /// Executions of a block after which the baseline compiler compiles it; `None`: never. Those that make its region hot
    /// are counted from then on.
    pub warmth: Option<u32>,
    /// One guest instruction a block, and none compiled (`-one-insn-per-tb`).
    pub one_insn: bool,
}

/// Whether `-one-insn-per-tb` was given, for engines to come.
static ONE_INSN: AtomicBool = AtomicBool::new(false);

/// Executions that make a block hot. Chosen by measurement, see `docs/performance.md`.
const HEAT: u32 = 60_000;

/// Executions that make a block warm. Likewise.
const WARMTH: u32 = 64;

/// A block is compiled along with a hot one when it was executed a `WARM`th of the times that make one hot.
const WARM: u32 = 4;

/// A function is copied into a region when it and the place behind the call have been entered a `NEARLY`th of the times that make
/// code hot.
const NEARLY: u32 = 8;

impl Default for Policy {
    fn default() -> Policy {
        Policy { heat: Some(HEAT), warmth: Some(WARMTH), one_insn: false }
    }
}

impl Policy {
    /// From now on [`from_environment`](Self::from_environment) has one instruction a block.
    pub fn one_insn_per_block() {
        ONE_INSN.store(true, Ordering::Relaxed);
    }

    /// As `FOREARM_TIER` says: `interp` never compiles, `baseline` compiles at the first execution by the baseline compiler and
    /// nothing by Cranelift, `jit` by Cranelift alone, a number is the heat.
    pub fn from_environment() -> Policy {
        let (heat, warmth) = match std::env::var("FOREARM_TIER").as_deref() {
            Ok("interp") => (None, None),
            Ok("baseline") => (None, Some(0)),
            Ok("jit") => (Some(0), None),
            Ok(n) => (n.parse().ok().or(Some(HEAT)), Some(WARMTH)),
            Err(_) => (Some(HEAT), Some(WARMTH)),
        };
        let warmth = warmth.filter(|_| tuning::on(Optimisations::BASELINE));
        let one_insn = ONE_INSN.load(Ordering::Relaxed);
        Policy { heat: heat.filter(|_| !one_insn), warmth: warmth.filter(|_| !one_insn), one_insn }
    }

    /// Executions after which an interpreted block is compiled, in one way or the other.
    fn first(&self) -> Option<u32> {
        self.warmth.or(self.heat)
    }
}

/// Times that floating point may trap in a process, at some microseconds each.
const TRAPS: u32 = 500;

/// Code that starts regions of its own goes into those of an image too where it is executed an `OWN`th of the times, if that alone is worth
/// a place in the image.
const OWN: u32 = 4;

/// The longest block, in instructions, that is copied for that.
const COPIED: u32 = 32;

/// The largest function, in instructions with those that it calls, that is copied into the regions that call it; and in an image,
/// where compiling costs nothing.
const INLINED: usize = 48;
/// See `INLINED`.
const IMAGE_INLINED: usize = 96;

/// A block goes into the region of another one of an image when it is worth such a part of what that one must be.
const INSIDE: u32 = 8;

/// Tier 1's compiler and code.
struct Tier1 {
    /// `None` until something is hot: making a compiler takes as long as a small program.
    compiler: Option<Compiler>,
    /// Likewise; also where the host's processor is too old for it.
    baseline: Option<Baseline>,
    native: Native,
    /// Processor time that compiling has taken.
    spent: Duration,
}

/// Compiling may take this much, and a `SHARE`th of the processor time of the process: what runs briefly is not worth more.
const ALLOWANCE: Duration = Duration::from_millis(4);
/// See `ALLOWANCE`.
const SHARE: u32 = 6;

/// Processor time of the calling thread or the process.
pub(crate) fn processor_time(clock: libc::clockid_t) -> Duration {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: fills the structure.
    unsafe { libc::clock_gettime(clock, &mut t) };
    Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
}

/// From now on a block is entered in a region, at the host address `body`.
fn enter_region(block: &Block, body: u64, slot: *const LinkSlot) {
    block.native_slot.store(slot.cast_mut(), Ordering::Release);
    block.native.store(body, Ordering::Release);
    control::make_native(block);
}

/// What a region is to take in, see [`Worth`].
struct Reach<'a> {
    warm: &'a dyn Fn(u32, bool) -> bool,
    hot: &'a dyn Fn(&Native, u32, bool) -> bool,
    inlined: usize,
    stop: &'a dyn Fn(u32) -> bool,
}

/// One guest process's translations; shared by its threads.
pub struct Engine {
    source: Box<dyn CodeSource>,
    cache: Cache,
    policy: Policy,
    tier1: Mutex<Tier1>,
    /// Nothing is compiled before the end, see [`train`](Self::train).
    training: AtomicBool,
    /// Registers must be exact at faults.
    precise: AtomicBool,
    /// The guest has set FPSCR.FZ.
    flush: AtomicBool,
    /// Rare cases of floating point trap in what is compiled.
    traps: AtomicBool,
    /// They may in what has been.
    trapping: AtomicBool,
    /// Times it has.
    trapped: AtomicU32,
    /// Read-locked by whoever holds or will take a lock of the engine; write-locked around a fork, so that the child finds
    /// every lock free.
    gate: RwLock<()>,
    /// A debugger's stops: address and the BKPT that translations have there.
    stops: RwLock<BTreeMap<u32, &'static [u8]>>,
    /// There are any.
    has_stops: AtomicBool,
}

/// No thread holds a lock of the engine while this lives.
pub struct Quiet<'a>(#[allow(dead_code)] RwLockWriteGuard<'a, ()>);

impl Engine {
    /// An engine with no translations yet.
    pub fn new(source: Box<dyn CodeSource>) -> Engine {
        Engine::with_policy(source, Policy::from_environment())
    }

    /// An engine with a policy of its own.
    pub fn with_policy(source: Box<dyn CodeSource>, policy: Policy) -> Engine {
        Engine {
            source,
            cache: Cache::default(),
            policy,
            tier1: Mutex::new(Tier1 {
                compiler: None,
                baseline: None,
                native: Native::new(enter::leave_address()),
                spent: Duration::ZERO,
            }),
            training: AtomicBool::new(false),
            precise: AtomicBool::new(false),
            flush: AtomicBool::new(false),
            traps: AtomicBool::new(false),
            trapping: AtomicBool::new(false),
            trapped: AtomicU32::new(0),
            gate: RwLock::new(()),
            stops: RwLock::default(),
            has_stops: AtomicBool::new(false),
        }
    }

    /// Waits until no thread holds a lock of the engine and keeps it so: to be held around a fork.
    pub fn quiesce(&self) -> Quiet<'_> {
        Quiet(self.gate.write().unwrap_or_else(|e| e.into_inner()))
    }

    fn pass_gate(&self) -> RwLockReadGuard<'_, ()> {
        self.gate.read().unwrap_or_else(|e| e.into_inner())
    }

    fn tier1(&self) -> MutexGuard<'_, Tier1> {
        self.tier1.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// From now on registers are exact at faults: the guest has a handler that can see them. Costs a store for each
    /// register written before an access to memory.
    pub fn make_precise(&self) {
        if !self.precise.swap(true, Ordering::AcqRel) {
            self.recompile();
        }
    }

    /// Rare cases of floating point trap in code that is made from now on, where the processor can do it: the caller has
    /// a SIGFPE handler that calls `fp::trap::recover`.
    pub fn use_traps(&self) {
        let able = tuning::on(Optimisations::TRAPS) && codegen::is_v3();
        self.traps.store(able, Ordering::Release);
        self.trapping.store(able, Ordering::Release);
    }

    /// From now on compiled code looks for the rare cases of floating point.
    fn make_checked(&self) {
        if self.traps.swap(false, Ordering::AcqRel) {
            self.recompile();
            self.trapping.store(false, Ordering::Release);
        }
    }

    /// Counts a trap. Have there been so many that checks cost less?
    pub(crate) fn has_trapped_enough(&self) -> bool {
        self.trapped.fetch_add(1, Ordering::Relaxed) >= TRAPS && tuning::on(Optimisations::TRAP_LIMIT)
    }

    /// Makes the mode and how the thread runs fit its FPSCR.
    pub(crate) fn obey_fpscr(&self, cpu: &mut CpuState) {
        let often = || self.trapped.load(Ordering::Relaxed) > TRAPS && tuning::on(Optimisations::TRAP_LIMIT);
        if cpu.fpscr & (FZ | DN) != 0 || often() {
            self.make_checked();
        }
        if cpu.fpscr & FZ != 0 {
            self.make_flushing();
        }
        cpu.host.traps = self.trapping.load(Ordering::Acquire).into();
        // MXCSR as FPSCR says masks all.
        cpu.host.unmask = cpu.host.traps;
    }

    /// From now on compiled arithmetic obeys FPSCR.FZ.
    fn make_flushing(&self) {
        if !self.flush.swap(true, Ordering::AcqRel) {
            self.recompile();
        }
    }

    /// Drops all regions: they were made for another mode.
    fn recompile(&self) {
        let _gate = self.pass_gate();
        let keys = self.tier1().native.clear();
        self.demote(keys);
    }

    /// Has the blocks of dropped regions interpreted.
    fn demote(&self, keys: Vec<Key>) {
        for key in keys {
            if let Some(block) = self.cache.get(key) {
                block.native.store(0, Ordering::Release);
                if block.instructions == 0 {
                    self.cache.forget(&block);
                } else {
                    control::make_interpreted(&block, self.policy.first());
                }
            }
        }
    }

    /// Compiles an interpreted block that is warm or hot. When it can't be, the block is not asked for again.
    pub(crate) fn promote(&self, block: &Block) {
        let _gate = self.pass_gate();
        stats::count(Event::Hot);
        let Ok(mut tier1) = self.tier1.try_lock() else {
            stats::count(Event::PutOff);
            // Another thread compiles; come back soon.
            control::make_interpreted(block, Some(64));
            return;
        };
        if block.native.load(Ordering::Acquire) != 0 {
            return;
        }
        let mode = self.mode();
        let read = |pc: u32, buffer: &mut [u8]| self.read_code(pc, buffer);
        let mut placed = None;
        if block.key.itstate() == 0 {
            // Another process may have been here before.
            placed = tier1.native.take(block.key, mode, &read);
            stats::add(Event::Taken, placed.is_some().into());
        }
        if placed.is_none() && self.policy.warmth.is_some() {
            placed = self.compile_baseline(&mut tier1, block.key, mode, &read);
        }
        if placed.is_none() && self.policy.heat.is_some() {
            if self.is_budget_spent(&tier1) {
                stats::count(Event::PutOff);
                control::make_interpreted(block, self.policy.heat);
                return;
            }
            placed = self.compile_timed(&mut tier1, block.key, mode, &read);
        }
        match placed {
            Some((body, slot)) => {
                self.announce(&mut tier1.native, block.key, body);
                enter_region(block, body, slot);
            }
            None => {
                stats::count(Event::Refused);
                control::make_interpreted(block, None);
            }
        }
    }

    /// Has Cranelift compile the region of a block that baseline code, which has left through `slot`, has found hot.
    pub(crate) fn improve(&self, block: &Block, slot: &LinkSlot) {
        let _gate = self.pass_gate();
        stats::count(Event::Hot);
        let counter = &slot.number;
        let Some(heat) = self.policy.heat else {
            counter.store(i32::MAX as u32, Ordering::Relaxed);
            return;
        };
        let Ok(mut tier1) = self.tier1.try_lock() else {
            stats::count(Event::PutOff);
            counter.store(64, Ordering::Relaxed);
            return;
        };
        // SAFETY: a link slot lives as long as the engine.
        let old = unsafe { block.native_slot.load(Ordering::Acquire).as_ref() };
        let old = old.filter(|_| block.native.load(Ordering::Acquire) != 0);
        if let Some(entry) = old.filter(|old| !old.is_baseline()) {
            if !tier1.native.link(slot, entry) {
                counter.store(64, Ordering::Relaxed);
            }
            return;
        }
        if block.key.itstate() != 0 {
            counter.store(i32::MAX as u32, Ordering::Relaxed);
            return;
        }
        let read = |pc: u32, buffer: &mut [u8]| self.read_code(pc, buffer);
        // Another process may have been here before.
        let taken = tier1.native.take(block.key, self.mode(), &read);
        stats::add(Event::Taken, taken.is_some().into());
        if taken.is_none() && self.is_budget_spent(&tier1) {
            stats::count(Event::PutOff);
            counter.store(heat, Ordering::Relaxed);
            return;
        }
        let placed = taken.or_else(|| self.compile_timed(&mut tier1, block.key, self.mode(), &read));
        let Some((body, entry)) = placed else {
            stats::count(Event::Refused);
            counter.store(i32::MAX as u32, Ordering::Relaxed);
            return;
        };
        self.announce(&mut tier1.native, block.key, body);
        // SAFETY: the entry slot of the region that has just been placed.
        let new = unsafe { &*entry };
        if let Some(old) = old {
            tier1.native.replace(old, new);
        }
        tier1.native.link(slot, new);
        enter_region(block, body, entry);
    }

    /// Has Cranelift had its share of the processor time?
    fn is_budget_spent(&self, tier1: &Tier1) -> bool {
        self.policy.heat != Some(0)
            && tuning::on(Optimisations::BUDGET)
            && tier1.spent > ALLOWANCE + processor_time(libc::CLOCK_PROCESS_CPUTIME_ID) / SHARE
    }

    fn compile_baseline(
        &self,
        tier1: &mut Tier1,
        key: Key,
        mode: Mode,
        read: &dyn Fn(u32, &mut [u8]) -> usize,
    ) -> Option<(u64, *const LinkSlot)> {
        if key.itstate() != 0 {
            return None;
        }
        if tier1.baseline.is_none() {
            tier1.baseline = Baseline::new();
        }
        let heat = self.policy.heat.unwrap_or(i32::MAX as u32);
        let warm = |pc, thumb| self.is_warm(Key::new(pc, thumb, 0), false);
        let compiled = tier1.baseline.as_mut()?.compile(key, &mut Fetch::new(read), &warm, mode, heat)?;
        stats::count(Event::Baseline);
        stats::add(Event::BaselineInstruction, compiled.instructions.into());
        let (body, slot) = tier1.native.place(key, mode, compiled, false, read)?;
        // SAFETY: the entry slot of the region that has just been placed.
        for (key, body, slot) in tier1.native.entries(unsafe { &*slot }).into_iter().skip(1) {
            if let Some(block) = self.cache.get(key).filter(|b| b.native.load(Ordering::Acquire) == 0) {
                enter_region(&block, body, slot);
            }
        }
        Some((body, slot))
    }

    /// Compiles by Cranelift, on its budget.
    fn compile_timed(
        &self,
        tier1: &mut Tier1,
        key: Key,
        mode: Mode,
        read: &dyn Fn(u32, &mut [u8]) -> usize,
    ) -> Option<(u64, *const LinkSlot)> {
        let start = processor_time(libc::CLOCK_THREAD_CPUTIME_ID);
        let warm = |pc, thumb| self.is_warm(Key::new(pc, thumb, 0), true);
        let hot = |native: &Native, pc, thumb| self.is_nearly_hot(native, Key::new(pc, thumb, 0));
        let reach = Reach { warm: &warm, hot: &hot, inlined: INLINED, stop: &|_| false };
        let placed = self.compile(tier1, key, mode, read, &reach).map(|c| (c.0, c.1));
        let spent = processor_time(libc::CLOCK_THREAD_CPUTIME_ID).saturating_sub(start);
        stats::compiled_for(spent);
        tier1.spent += spent;
        placed
    }

    fn compile(
        &self,
        tier1: &mut Tier1,
        key: Key,
        mode: Mode,
        read: &dyn Fn(u32, &mut [u8]) -> usize,
        reach: &Reach<'_>,
    ) -> Option<(u64, *const LinkSlot, Extent)> {
        if key.itstate() != 0 {
            return None;
        }
        if tier1.compiler.is_none() {
            tier1.compiler = Compiler::new(if self.training.load(Ordering::Relaxed) {
                Effort::Thorough
            } else {
                Effort::Quick
            })
            .ok();
        }
        let native = &tier1.native;
        let Reach { warm, hot, inlined, stop } = *reach;
        let data = |address: u32| self.read_word(address);
        let tables = tuning::on(Optimisations::TABLES);
        let hot = &|pc, thumb| hot(native, pc, thumb);
        let worth = Worth { warm, hot, inlined, stop, tables, data: &data };
        let compiled = tier1.compiler.as_mut()?.compile(key, &mut Fetch::new(read), &worth, mode)?;
        let shareable = self.source.is_file(key.pc());
        stats::count(Event::Region);
        stats::add(Event::RegionInstruction, compiled.instructions.into());
        let extent = compiled.extent.clone();
        let (body, slot) = tier1.native.place(key, mode, compiled, shareable, read)?;
        Some((body, slot, extent))
    }

    /// Tells who profiles where a region's code lies.
    fn announce(&self, native: &mut Native, key: Key, body: u64) {
        if self.source.wants_code()
            && let Some((address, code)) = native.code_at(body)
        {
            self.source.placed(key.pc(), address, code);
        }
    }

    fn mode(&self) -> Mode {
        Mode {
            precise: self.precise.load(Ordering::Acquire) || !tuning::on(Optimisations::IMPRECISE),
            flush: self.flush.load(Ordering::Acquire),
            based: self.source.base() != 0,
            traps: self.traps.load(Ordering::Acquire),
        }
    }

    /// Uses the regions of an image that is part of the program, see [`Store::image`].
    ///
    /// # Safety
    /// Nobody else looks at the image, which is moved. It is a part of a file, mapped privately and never written.
    pub unsafe fn use_image(&self, image: &'static [u8], resident: u64) {
        if self.policy.heat.is_some() {
            // SAFETY: the caller's promise.
            if let Some(store) = unsafe { Store::image(image, resident) } {
                self.tier1().native.attach(store);
            }
        }
    }

    /// Shares regions with other processes, through the store in `file`.
    pub fn use_shared(&self, file: RawFd) {
        if self.policy.heat.is_some()
            && let Some(store) = Store::shared(file)
        {
            self.training.store(store.is_training(), Ordering::Relaxed);
            self.tier1().native.attach(store);
        }
    }

    /// Executions after which a block is compiled.
    fn heat(&self) -> Option<u32> {
        if self.training.load(Ordering::Relaxed) { Some(u32::MAX) } else { self.policy.first() }
    }

    /// The end of a process that collects code for an image: compiles what it has executed and is worth it, best
    /// first. What
    /// is inside such a region gets one of its own only if a later process still enters it from elsewhere.
    pub fn train(&self) {
        if !self.training.load(Ordering::Relaxed) {
            return;
        }
        let _gate = self.pass_gate();
        let mut tier1 = self.tier1();
        let total = |b: BlockRef| {
            let here = control::executions(&b, u32::MAX);
            let stores = tier1.native.stores().iter();
            let all = if here > 0 { stores.map(|s| s.worth(b.key, here)).max() } else { None };
            (b.key, all.unwrap_or(0))
        };
        let mut executed: HashMap<Key, u32> = self.cache.blocks().into_iter().map(total).collect();
        let Some(least) = tier1.native.stores().iter().find_map(|s| s.threshold()) else { return };
        let mut keys: Vec<Key> = executed.iter().filter(|(_, n)| **n >= least).map(|(k, _)| *k).collect();
        keys.retain(|k| k.itstate() == 0);
        keys.sort_by_key(|k| std::cmp::Reverse((executed[k], k.pc())));
        // Where regions start, and what else is inside one.
        let (mut heads, mut inside) = (HashSet::new(), HashSet::new());
        let mode = self.mode();
        let read = |pc: u32, buffer: &mut [u8]| self.read_code(pc, buffer);
        let mut keys = VecDeque::from(keys);
        let mut behind = HashSet::new();
        while let Some(key) = keys.pop_front() {
            let file = self.source.is_file(key.pc());
            if !file || inside.contains(&key.pc()) || tier1.native.take(key, mode, &read).is_some() {
                continue;
            }
            let times = |pc, thumb| executed.get(&Key::new(pc, thumb, 0)).copied().unwrap_or(0);
            let own = executed[&key] / OWN;
            let goes_on = behind.contains(&key);
            // A second copy of much code saves one jump and takes the room of much other code in the processor's caches.
            let short =
                |pc, thumb| self.cache.get(Key::new(pc, thumb, 0)).is_some_and(|b| b.instructions < COPIED);
            let warm = |pc, thumb| {
                let n = times(pc, thumb);
                let again = own >= least && n >= own && !goes_on;
                n >= (least / INSIDE).max(1) && (!heads.contains(&pc) || again && short(pc, thumb))
            };
            let hot = |_: &Native, pc, thumb| times(pc, thumb) >= (executed[&key] / NEARLY).max(least);
            let stop = |pc: u32| goes_on && heads.contains(&pc);
            let reach = Reach { warm: &warm, hot: &hot, inlined: IMAGE_INLINED, stop: &stop };
            let compiled = self.compile(&mut tier1, key, mode, &read, &reach);
            heads.insert(key.pc());
            let Some((.., extent)) = compiled else { continue };
            inside.extend(extent.starts);
            // Where the region is full in the middle of a block, this is where processes that use it will go on. It comes last, and
            // only as far as another region: a long loop would be compiled from each of its instructions.
            for next in extent.ends.into_iter().map(|pc| Key::new(pc, key.thumb(), 0)) {
                if !executed.contains_key(&next) {
                    executed.insert(next, executed[&key]);
                    behind.insert(next);
                    keys.push_back(next);
                }
            }
        }
    }

    /// Nothing is shared any more: the process's rights have changed. What is in use stays.
    pub fn stop_sharing(&self) {
        self.tier1().native.stores().iter_mut().for_each(Store::freeze);
    }

    /// Is code reached from a region executed often enough to be compiled with it? What has been
    /// compiled is jumped to instead, unless this is to be `better` code.
    fn is_warm(&self, key: Key, better: bool) -> bool {
        let Some(first) = self.policy.first().filter(|_| tuning::on(Optimisations::REGIONS)) else {
            return false;
        };
        self.cache.get(key).is_some_and(|b| {
            if b.native.load(Ordering::Acquire) == 0 {
                return first == 0 || control::executions(&b, first) > first / WARM;
            }
            // SAFETY: a link slot lives as long as the engine.
            let slot = unsafe { b.native_slot.load(Ordering::Acquire).as_ref() };
            better && slot.is_some_and(LinkSlot::is_baseline)
        })
    }

    /// Is a block, which baseline code is entered at, on the way to being hot, or there?
    fn is_nearly_hot(&self, native: &Native, key: Key) -> bool {
        let Some(heat) = self.policy.heat else { return false };
        self.cache.get(key).filter(|b| b.native.load(Ordering::Acquire) != 0).is_some_and(|b| {
            // SAFETY: a link slot lives as long as the engine.
            let slot = unsafe { b.native_slot.load(Ordering::Acquire).as_ref() };
            slot.is_some_and(|s| native.executions_left(s) <= heat - heat / NEARLY)
        })
    }

    /// Lets a direct exit jump to a region.
    pub(crate) fn link(&self, slot: &LinkSlot, entry: &LinkSlot) {
        if !tuning::on(Optimisations::LINK) {
            return;
        }
        let _gate = self.pass_gate();
        self.tier1().native.link(slot, entry);
    }

    /// Lets a thread's indirect jumps find the region with an entry slot.
    pub(crate) fn remember(&self, jumps: &mut RegionJumps, target: u32, entry: &LinkSlot) {
        let _gate = self.pass_gate();
        self.tier1().native.remember(jumps, target, entry);
    }

    /// Makes r15 and ITSTATE exact after a fault.
    fn locate_fault(&self, cpu: &mut CpuState) {
        let host = std::mem::take(&mut cpu.host.fault_at);
        let mut tier1 = self.tier1();
        if host == 0 || !tier1.native.contains(host) {
            interp::at_fault(cpu);
        } else if let Some(f) = tier1.native.find_instruction(host) {
            cpu.r[15] = f.pc;
            cpu.itstate = f.itstate();
        }
    }

    /// Runs the guest thread until an [`Exit`].
    pub fn run(&self, cpu: &mut CpuState) -> Exit {
        self.prepare(cpu);
        let key = Key::new(cpu.r[15], cpu.thumb != 0, cpu.itstate);
        if log::traces_blocks() {
            return self.run_traced(cpu, key);
        }
        let entry = self.entry(cpu, key);
        self.run_from(cpu, entry)
    }

    /// Runs one block in tier 0, for the log to show it first.
    fn run_traced(&self, cpu: &mut CpuState, key: Key) -> Exit {
        // The cached block is what `in_asm` has shown; a copy that stops at its end runs.
        let entry = self.entry(cpu, key);
        let block = self.cache.get(key).filter(|_| !entry.is_null());
        let limit = block.map(|b| b.instructions.max(1) as usize);
        let built = limit.and_then(|limit| self.build(key, Some(limit)));
        cpu.itstate = key.itstate();
        let Some(mut built) = built else { return Exit::PrefetchAbort };
        {
            let _gate = self.pass_gate();
            log::block(cpu, entry, &*self.source);
        }
        cpu.itstate = 0;
        built.end_with_step();
        self.run_from(cpu, built.first_instruction())
    }

    /// Executes one instruction.
    pub fn step(&self, cpu: &mut CpuState) -> Exit {
        self.prepare(cpu);
        let key = Key::new(cpu.r[15], cpu.thumb != 0, cpu.itstate);
        // The original code: a step passes a stop.
        let read = |pc: u32, buffer: &mut [u8]| self.read_memory(pc, buffer);
        let Some(mut built) = block::build(key, &mut Fetch::new(&read), Some(1), self.heat()) else {
            return Exit::PrefetchAbort;
        };
        built.end_with_step();
        cpu.itstate = 0;
        self.run_from(cpu, built.first_instruction())
    }

    /// The memory that [`step`](Self::step) is going to access.
    pub fn accesses(&self, cpu: &mut CpuState) -> Vec<Access> {
        let read = |pc: u32, buffer: &mut [u8]| self.read_memory(pc, buffer);
        let (pc, thumb) = (cpu.r[15], cpu.thumb != 0);
        let decoded = Fetch::new(&read).decode(pc, thumb, ItState(cpu.itstate as u8));
        let Some(inst) = decoded.filter(|d| d.effects.memory).and_then(|d| d.inst) else { return Vec::new() };
        if !control::holds(Interp::of(cpu), inst.cond) {
            return Vec::new();
        }
        let mut registers = cpu.r;
        registers[15] = pc.wrapping_add(if thumb { 4 } else { 8 });
        accesses::of(&inst, &registers, cpu.c != 0)
    }

    fn prepare(&self, cpu: &mut CpuState) {
        self.obey_fpscr(cpu);
        let host = &mut cpu.host;
        host.engine = self;
        host.leave = enter::leave_address();
        host.indirect = enter::indirect_address();
        host.interpret = enter::interpret_address();
        host.helper = enter::helper_address();
        host.crypto = crate::crypto::functions().as_ptr() as u64;
        host.call_crypto = enter::crypto_address();
        // What the runtime has done in between, no return fits.
        host.returns = host.return_stack.as_ref().map_or(0, ReturnStack::top);
        host.rare_helper = enter::rare_helper_address();
        host.jumps.prepare();
    }

    fn run_from(&self, cpu: &mut CpuState, entry: *const Slot) -> Exit {
        if !entry.is_null() {
            // SAFETY: the slot is of a live block, and the engine is set.
            unsafe { enter::enter(cpu, entry) };
        }
        if cpu.host.exit == ExitCode::DataAbort as u32 {
            cpu.settle_flags();
            self.locate_fault(cpu);
        }
        let host = &cpu.host;
        let exit = match host.exit {
            x if x == ExitCode::Syscall as u32 => Exit::Syscall(host.exit_value),
            x if x == ExitCode::Interrupt as u32 => Exit::Interrupt,
            x if x == ExitCode::Undefined as u32 => Exit::Undefined,
            x if x == ExitCode::Breakpoint as u32 => Exit::Breakpoint(host.exit_value),
            x if x == ExitCode::DataAbort as u32 => Exit::DataAbort(host.fault),
            x if x == ExitCode::Step as u32 => Exit::Step,
            _ => Exit::PrefetchAbort,
        };
        log::exception(cpu, exit);
        stats::count(exit.event());
        exit
    }

    /// The entry slot of a block, made if need be; null with the exit set when its code is not executable.
    pub(crate) fn entry(&self, cpu: &mut CpuState, key: Key) -> *const Slot {
        let _gate = self.pass_gate();
        let block = self.cache.get(key).or_else(|| self.stored(key)).or_else(|| {
            let built = self.build(key, self.policy.one_insn.then_some(1))?;
            stats::count(Event::Block);
            stats::add(Event::BlockInstruction, built.block.instructions.into());
            log::guest_code(key, built.block.bytes, &|pc, buffer| self.read_code(pc, buffer), &*self.source);
            Some(self.cache.insert(built.block, &built.slots))
        });
        match block {
            Some(b) => {
                cpu.itstate = 0;
                b.entry()
            }
            None => {
                cpu.r[15] = key.pc();
                cpu.thumb = key.thumb().into();
                cpu.itstate = key.itstate();
                cpu.host.exit = ExitCode::PrefetchAbort as u32;
                std::ptr::null()
            }
        }
    }

    /// The block of a region that a store has.
    fn stored(&self, key: Key) -> Option<BlockRef> {
        if key.itstate() != 0 {
            return None;
        }
        // While another thread compiles there is no waiting; the block asks again when it is hot.
        let mut tier1 = self.tier1.try_lock().ok()?;
        let read = |pc: u32, buffer: &mut [u8]| self.read_code(pc, buffer);
        let (body, slot) = tier1.native.take(key, self.mode(), &read)?;
        stats::count(Event::Taken);
        self.announce(&mut tier1.native, key, body);
        let built = block::of_region(key, body, slot);
        Some(self.cache.insert(built.block, &built.slots))
    }

    fn build(&self, key: Key, limit: Option<usize>) -> Option<block::Built> {
        let read = |pc: u32, buffer: &mut [u8]| self.read_code(pc, buffer);
        block::build(key, &mut Fetch::new(&read), limit, self.heat())
    }

    /// Sets or clears a debugger's stop: translated code leaves with [`Exit::Breakpoint`] before the instruction at `pc`,
    /// as if a BKPT were there. Guest memory is not touched. [`step`](Self::step) passes a stop.
    pub fn set_stop(&self, pc: u32, thumb: bool, on: bool) {
        let bkpt: &'static [u8] = if thumb { &[0x00, 0xbe] } else { &[0x70, 0x00, 0x20, 0xe1] };
        let mut stops = self.stops.write().unwrap_or_else(|e| e.into_inner());
        if on {
            stops.insert(pc, bkpt)
        } else {
            stops.remove(&pc)
        };
        self.has_stops.store(!stops.is_empty(), Ordering::Release);
        drop(stops);
        self.invalidate(pc..pc.saturating_add(4));
    }

    /// Is there a stop at `pc`?
    pub fn is_stop(&self, pc: u32) -> bool {
        self.has_stops.load(Ordering::Acquire)
            && self.stops.read().unwrap_or_else(|e| e.into_inner()).contains_key(&pc)
    }

    /// Clears all stops.
    pub fn clear_stops(&self) {
        let stops = std::mem::take(&mut *self.stops.write().unwrap_or_else(|e| e.into_inner()));
        self.has_stops.store(false, Ordering::Release);
        for &pc in stops.keys() {
            self.invalidate(pc..pc.saturating_add(4));
        }
    }

    /// Puts BKPT where there is a stop in code that was read from `pc`.
    fn overlay_stops(&self, pc: u32, code: &mut [u8]) {
        let stops = self.stops.read().unwrap_or_else(|e| e.into_inner());
        let end = pc.saturating_add(code.len() as u32);
        for (&at, bkpt) in stops.range(pc.saturating_sub(3)..end) {
            for (n, &byte) in bkpt.iter().enumerate() {
                let place = at.wrapping_add(n as u32).wrapping_sub(pc) as usize;
                if let Some(slot) = code.get_mut(place) {
                    *slot = byte;
                }
            }
        }
    }

    /// Reads code to translate; fewer bytes than asked where it ends.
    fn read_code(&self, pc: u32, buffer: &mut [u8]) -> usize {
        let len = self.read_memory(pc, buffer);
        if self.has_stops.load(Ordering::Acquire) {
            self.overlay_stops(pc, &mut buffer[..len]);
        }
        len
    }

    /// Reads a word of the guest's memory.
    fn read_word(&self, address: u32) -> Option<u32> {
        let mut bytes = [0; 4];
        let from = (self.source.base() + u64::from(address)) as *const u8;
        // SAFETY: guest memory; a fault is reported.
        unsafe { fault::copy(bytes.as_mut_ptr(), from, bytes.len()) }.ok()?;
        Some(u32::from_le_bytes(bytes))
    }

    /// Reads executable guest memory; fewer bytes than asked where it ends.
    fn read_memory(&self, pc: u32, buffer: &mut [u8]) -> usize {
        let Some(range) = self.source.executable(pc) else { return 0 };
        let len = buffer.len().min((range.end - pc) as usize);
        let from = (self.source.base() + u64::from(pc)) as *const u8;
        // SAFETY: guest memory; a fault (a file cut short, a racing munmap) is reported.
        match unsafe { fault::copy(buffer.as_mut_ptr(), from, len) } {
            Ok(()) => len,
            Err(_) => 0,
        }
    }

    /// Drops the translations of `range`: the guest wrote code there (cacheflush) or unmapped it. The caller holds the
    /// lock of the address space, which a fork takes too: hence no gate, which a fork takes first.
    pub fn invalidate(&self, range: Range<u32>) {
        self.cache.invalidate(range.clone());
        let keys = self.tier1().native.invalidate(range);
        self.demote(keys);
    }

    /// Bytes of host code in use.
    pub fn code_bytes(&self) -> u64 {
        self.tier1().native.bytes()
    }

    /// The translations.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }
}
