//! Slots that are not guest instructions: entry of a block, conditions, and the ways out of it.

use super::{Block, Handler, Interp, Slot};
use crate::cache::Key;
use crate::cache::native::LinkSlot;
use crate::engine::ExitCode;
use crate::returns::ReturnStack;
use crate::stats::{self, Event};
use crate::tuning::{self, Optimisations};
use forearm_frontend::inst::cond;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// Where a control slot leads: the entry slot of the target block once it is known, or the block of an entry slot.
#[repr(C)]
#[derive(Default)]
pub struct Link {
    at: AtomicPtr<Slot>,
}

impl Slot {
    #[inline(always)]
    unsafe fn link(&self) -> &AtomicPtr<Slot> {
        // SAFETY: the caller is the handler of a control slot.
        unsafe { &self.operand.link.at }
    }

    /// Ties an entry slot to its block.
    pub(crate) fn set_block(&mut self, block: *const Block) {
        self.operand = super::Operand {
            link: std::mem::ManuallyDrop::new(Link { at: AtomicPtr::new(block.cast_mut().cast()) }),
        };
    }

    /// The entry of a block. With `heat` it counts executions down and asks for compilation at the end.
    pub(super) fn enter(pc: u32, heat: Option<u32>) -> Slot {
        match heat {
            Some(heat) => Slot::new(enter_counting, pc, heat),
            None => Slot::new(enter, pc, 0),
        }
    }

    /// Counts the block's instructions as executed.
    pub(super) fn count(instructions: u32) -> Slot {
        Slot::new(count, 0, instructions)
    }

    /// The entry of a block that only has a region.
    pub(super) fn enter_region(pc: u32) -> Slot {
        Slot::new(enter_native, pc, 0)
    }

    /// Makes r15 readable for the next slot.
    pub(super) fn set_pc(value: u32) -> Slot {
        Slot::new(set_pc, value, 0)
    }

    /// Skips `count` slots unless the condition holds.
    pub(super) fn unless(condition: u8, count: u32) -> Slot {
        Slot::new(UNLESS[usize::from(condition)], 0, count)
    }

    /// To the next slot if the condition holds, else to the one behind it; both lead on by `goto`.
    pub(super) fn branch(condition: u8) -> Slot {
        Slot::new(BRANCH[usize::from(condition)], 0, 1)
    }

    /// To the block at a fixed address; `aux` is 1 for Thumb, with ITSTATE above.
    pub(super) fn goto(pc: u32, thumb: bool, itstate: u8) -> Slot {
        let handler: Handler = if itstate == 0 { goto } else { goto_in_it };
        Slot::new(handler, pc, u32::from(thumb) | u32::from(itstate) << 8)
    }

    /// To the block that r15 and the Thumb bit name.
    pub(super) fn lookup() -> Slot {
        Slot::new(lookup, 0, 0)
    }

    /// To the next slot if r15 is `pc`, else to the one behind it.
    pub(super) fn pick(pc: u32) -> Slot {
        Slot::new(pick, pc, 0)
    }

    /// Out of translated code; the exit has been set by the instruction before.
    pub(super) fn leave() -> Slot {
        Slot::new(leave, 0, 0)
    }

    /// Out of translated code at `pc` for a reason.
    pub(super) fn exit(pc: u32, code: ExitCode, itstate: u8) -> Slot {
        Slot::new(exit, pc, code as u32 | u32::from(itstate) << 8)
    }
}

impl Slot {
    /// Turns a way to another block into the end of a single step.
    pub(super) fn stop(&mut self) {
        let run = *self.run.get_mut();
        if run == goto as Handler as *mut () || run == goto_in_it as Handler as *mut () {
            *self.run.get_mut() = step_goto as Handler as *mut ();
        } else if run == lookup as Handler as *mut () {
            *self.run.get_mut() = step_lookup as Handler as *mut ();
        }
    }
}

unsafe fn step_goto(m: &mut Interp, s: &Slot) -> *const Slot {
    m.0.r[15] = s.pc;
    m.0.thumb = s.aux & 1;
    m.0.itstate = s.aux >> 8;
    // SAFETY: arguments are those of a control slot.
    unsafe { step_lookup(m, s) }
}

unsafe fn step_lookup(m: &mut Interp, _: &Slot) -> *const Slot {
    m.0.host.exit = ExitCode::Step as u32;
    std::ptr::null()
}

/// Marks a block as dropped: whoever arrives looks its address up anew.
pub fn make_stale(block: &Block) {
    block.entry().run.store(stale as Handler as *mut (), Ordering::Release);
}

/// Lets a block enter its compiled region from now on.
pub fn make_native(block: &Block) {
    turn(block, enter_native);
}

/// Gives the entry of a block another handler. A block that has been dropped meanwhile stays so.
fn turn(block: &Block, handler: Handler) {
    let stale = stale as Handler as *mut ();
    let _ = block.entry().run.fetch_update(Ordering::AcqRel, Ordering::Acquire, |old| {
        (old != stale).then_some(handler as *mut ())
    });
}

/// Lets a block be interpreted, and counted if `heat` says so.
pub fn make_interpreted(block: &Block, heat: Option<u32>) {
    let entry = block.entry();
    // SAFETY: an aligned word of a slot, which lives as long as the cache; only `enter_counting` reads it.
    unsafe { AtomicU32::from_ptr((&raw const entry.aux).cast_mut()) }
        .store(heat.unwrap_or(0), Ordering::Relaxed);
    turn(block, if heat.is_some() { enter_counting } else { enter });
}

/// How often a block that was given `heat` has been executed, as far as it was counted.
pub fn executions(block: &Block, heat: u32) -> u32 {
    let entry = block.entry();
    if entry.run.load(Ordering::Acquire) != enter_counting as Handler as *mut () {
        return 0;
    }
    // SAFETY: as in `enter_counting`.
    heat.saturating_sub(
        unsafe { AtomicU32::from_ptr((&raw const entry.aux).cast_mut()) }.load(Ordering::Relaxed),
    )
}

// Handlers that are compared with are `inline(never)`: else each codegen unit may have a copy with an address of its own.
#[inline(never)]
unsafe fn enter_counting(m: &mut Interp, s: &Slot) -> *const Slot {
    // SAFETY: the caller's promise.
    unsafe { count_down(m, s) }
}

#[inline(always)]
unsafe fn count_down(m: &mut Interp, s: &Slot) -> *const Slot {
    if m.0.exit_request.load(Ordering::Relaxed) != 0 {
        return interrupt(m, s);
    }
    // SAFETY: an aligned word of a slot; threads may lose counts to each other, which does no harm.
    let heat = unsafe { AtomicU32::from_ptr((&raw const s.aux).cast_mut()) };
    let left = heat.load(Ordering::Relaxed);
    if left == 0 {
        return promote(m, s);
    }
    heat.store(left - 1, Ordering::Relaxed);
    s.next()
}

#[cold]
fn promote(m: &mut Interp, s: &Slot) -> *const Slot {
    // SAFETY: the entry slot of a block holds the block, which lives as long as the cache.
    let block = unsafe { &*s.link().load(Ordering::Relaxed).cast::<Block>() };
    m.0.host.in_guest = 0;
    // SAFETY: the engine outlives the run that set the pointer.
    unsafe { &*m.0.host.engine }.promote(block);
    m.0.host.in_guest = 1;
    if block.native.load(Ordering::Acquire) != 0 {
        // SAFETY: arguments are those of an entry slot.
        unsafe { enter_native(m, s) }
    } else {
        s.next()
    }
}

#[inline(never)]
unsafe fn enter_native(m: &mut Interp, s: &Slot) -> *const Slot {
    // SAFETY: the entry slot of a block holds the block, which lives as long as the cache.
    let block = unsafe { &*s.link().load(Ordering::Relaxed).cast::<Block>() };
    let mut code = block.native.load(Ordering::Acquire);
    if code == 0 {
        return s.next();
    }
    if m.0.host.native_jumps == 0 {
        (m.0.host.native_jumps, m.0.host.native_mask) = m.0.host.native.view();
        m.0.host.returns = m.0.host.return_stack.get_or_insert_with(ReturnStack::new).top();
    }
    loop {
        // SAFETY: the address of a placed region's body.
        let left = unsafe { crate::enter::native(&mut m.0, code) };
        m.0.settle_flags();
        if left == crate::enter::TO_RUNTIME {
            return std::ptr::null();
        }
        stats::count(match left {
            _ if m.0.itstate != 0 => Event::InIt,
            0 => Event::Indirect,
            _ => Event::Unlinked,
        });
        let slot = match left {
            0 => None,
            // SAFETY: compiled code passes one of its link slots, which live as long as the engine.
            slot => Some(unsafe { &*(slot as *const LinkSlot) }),
        };
        if m.0.itstate != 0 {
            // Left in the middle of an IT block.
            return find(m, Key::new(m.0.r[15], true, m.0.itstate));
        }
        let target = match slot {
            Some(slot) => slot.target.load(Ordering::Relaxed),
            None => m.0.r[15] | m.0.thumb,
        };
        if m.0.exit_request.load(Ordering::Relaxed) != 0 {
            m.0.exit_request.store(0, Ordering::Relaxed);
            m.0.thumb = target & 1;
            m.0.r[15] = target & !1;
            m.0.host.exit = ExitCode::Interrupt as u32;
            return std::ptr::null();
        }
        let mut entry = m.0.host.jumps.find(target);
        // A block that was dropped must not be asked for better code: that would be for ever.
        // SAFETY: an entry slot of a block, which lives as long as the cache.
        if unsafe { entry.as_ref() }
            .is_none_or(|e| e.run.load(Ordering::Acquire) == stale as Handler as *mut ())
        {
            m.0.thumb = target & 1;
            entry = find(m, Key::new(target & !1, target & 1 != 0, 0));
            if entry.is_null() {
                return entry;
            }
            m.0.host.jumps.put(target, entry);
        }
        // SAFETY: an entry slot of a block, which lives as long as the cache.
        let next = unsafe { &*entry };
        // SAFETY: as above.
        let block = unsafe { &*next.link().load(Ordering::Relaxed).cast::<Block>() };
        let hot = slot.filter(|s| s.is_hot());
        if let Some(slot) = hot {
            m.0.host.in_guest = 0;
            // SAFETY: the engine outlives the run that set the pointer.
            unsafe { &*m.0.host.engine }.improve(block, slot);
            m.0.host.in_guest = 1;
        }
        if next.run.load(Ordering::Acquire) != enter_native as Handler as *mut () {
            return entry;
        }
        code = block.native.load(Ordering::Acquire);
        if code == 0 {
            return entry;
        }
        match slot {
            // It leads where it should, or is to lead here again.
            Some(_) if hot.is_some() => {}
            Some(slot) => {
                m.0.host.in_guest = 0;
                // SAFETY: a block with a region has its entry slot; the engine outlives the run that set the pointer.
                unsafe { (*m.0.host.engine).link(slot, &*block.native_slot.load(Ordering::Acquire)) };
                m.0.host.in_guest = 1;
            }
            None if !tuning::on(Optimisations::JUMP_TABLE) => {}
            None => {
                m.0.host.in_guest = 0;
                // SAFETY: as above.
                let (engine, entry) =
                    unsafe { (&*m.0.host.engine, &*block.native_slot.load(Ordering::Acquire)) };
                engine.remember(&mut m.0.host.native, target, entry);
                m.0.host.in_guest = 1;
                (m.0.host.native_jumps, m.0.host.native_mask) = m.0.host.native.view();
            }
        }
    }
}

unsafe fn enter(m: &mut Interp, s: &Slot) -> *const Slot {
    if m.0.exit_request.load(Ordering::Relaxed) != 0 {
        return interrupt(m, s);
    }
    s.next()
}

#[cold]
fn interrupt(m: &mut Interp, s: &Slot) -> *const Slot {
    m.0.exit_request.store(0, Ordering::Relaxed);
    // SAFETY: the entry slot of a block holds the block.
    let key = unsafe { (*s.link().load(Ordering::Relaxed).cast::<Block>()).key };
    m.0.r[15] = key.pc();
    m.0.itstate = key.itstate();
    m.0.host.exit = ExitCode::Interrupt as u32;
    std::ptr::null()
}

#[inline(never)]
unsafe fn stale(m: &mut Interp, s: &Slot) -> *const Slot {
    // SAFETY: the entry slot of a block holds the block.
    let key = unsafe { (*s.link().load(Ordering::Relaxed).cast::<Block>()).key };
    find(m, key)
}

unsafe fn count(m: &mut Interp, s: &Slot) -> *const Slot {
    // SAFETY: a thread's counters stay; this is the only thread that writes them.
    if let Some(counts) = unsafe { m.0.host.counts.as_ref() } {
        let n = counts.interpreted.load(Ordering::Relaxed);
        counts.interpreted.store(n + u64::from(s.aux), Ordering::Relaxed);
    }
    s.next()
}

unsafe fn set_pc(m: &mut Interp, s: &Slot) -> *const Slot {
    m.0.r[15] = s.pc;
    s.next()
}

/// Does a condition hold?
#[inline(always)]
pub fn holds(m: &Interp, condition: u8) -> bool {
    let (n, z, c, v) = ((m.0.n as i32) < 0, m.0.z == 0, m.0.c != 0, m.0.v != 0);
    match condition {
        cond::EQ => z,
        cond::NE => !z,
        cond::CS => c,
        cond::CC => !c,
        cond::MI => n,
        cond::PL => !n,
        cond::VS => v,
        cond::VC => !v,
        cond::HI => c && !z,
        cond::LS => !c || z,
        cond::GE => n == v,
        cond::LT => n != v,
        cond::GT => !z && n == v,
        cond::LE => z || n != v,
        _ => true,
    }
}

unsafe fn unless<const CONDITION: u8>(m: &mut Interp, s: &Slot) -> *const Slot {
    let skip = if holds(m, CONDITION) { 0 } else { s.aux as usize };
    // SAFETY: the builder counted that many slots behind this one, and an exit behind them.
    unsafe { std::ptr::from_ref(s).add(1 + skip) }
}

unsafe fn branch<const CONDITION: u8>(m: &mut Interp, s: &Slot) -> *const Slot {
    let skip = if holds(m, CONDITION) { 0 } else { 1 };
    // SAFETY: the builder put two `goto` slots behind this one.
    unsafe { goto(m, &*std::ptr::from_ref(s).add(1 + skip)) }
}

macro_rules! by_condition {
    ($handler:ident) => {
        [
            $handler::<0>,
            $handler::<1>,
            $handler::<2>,
            $handler::<3>,
            $handler::<4>,
            $handler::<5>,
            $handler::<6>,
            $handler::<7>,
            $handler::<8>,
            $handler::<9>,
            $handler::<10>,
            $handler::<11>,
            $handler::<12>,
            $handler::<13>,
            $handler::<14>,
        ]
    };
}

static UNLESS: [Handler; 15] = by_condition!(unless);
static BRANCH: [Handler; 15] = by_condition!(branch);

/// The slot to go on with for an entry slot: behind it when all it does is to count.
#[inline(always)]
fn arrive(m: &mut Interp, entry: *const Slot) -> *const Slot {
    // SAFETY: an entry slot of a block, which lives as long as the cache.
    let e = unsafe { &*entry };
    if e.run.load(Ordering::Acquire) == enter_counting as Handler as *mut () {
        // SAFETY: it is the handler of this entry slot.
        unsafe { count_down(m, e) }
    } else {
        entry
    }
}

#[inline(never)]
unsafe fn goto(m: &mut Interp, s: &Slot) -> *const Slot {
    // SAFETY: this is a control slot.
    let target = unsafe { s.link() }.load(Ordering::Acquire);
    if target.is_null() { resolve(m, s) } else { arrive(m, target) }
}

#[cold]
fn resolve(m: &mut Interp, s: &Slot) -> *const Slot {
    m.0.thumb = s.aux & 1;
    let target = find(m, Key::new(s.pc, s.aux & 1 != 0, 0));
    if tuning::on(Optimisations::CHAIN) {
        // SAFETY: this is a control slot.
        unsafe { s.link() }.store(target.cast_mut(), Ordering::Release);
    }
    target
}

#[inline(never)]
unsafe fn goto_in_it(m: &mut Interp, s: &Slot) -> *const Slot {
    find(m, Key::new(s.pc, true, s.aux >> 8))
}

#[inline(never)]
unsafe fn lookup(m: &mut Interp, _: &Slot) -> *const Slot {
    let target = m.0.r[15] | m.0.thumb;
    let entry = m.0.host.jumps.find(target);
    if !entry.is_null() {
        return arrive(m, entry);
    }
    let entry = find(m, Key::new(m.0.r[15], m.0.thumb != 0, 0));
    if !entry.is_null() && tuning::on(Optimisations::JUMP_CACHE) {
        m.0.host.jumps.put(target, entry);
    }
    entry
}

/// The block of a key, made if need be. Null with the exit set when it can't be.
#[cold]
fn find(m: &mut Interp, key: Key) -> *const Slot {
    stats::count(Event::Find);
    let engine = m.0.host.engine;
    m.0.host.in_guest = 0;
    // SAFETY: the engine outlives the run that set the pointer.
    let entry = unsafe { &*engine }.entry(&mut m.0, key);
    m.0.host.in_guest = 1;
    entry
}

unsafe fn pick(m: &mut Interp, s: &Slot) -> *const Slot {
    // SAFETY: the builder put two slots behind this one.
    unsafe { std::ptr::from_ref(s).add(1 + usize::from(m.0.r[15] != s.pc)) }
}

unsafe fn leave(_: &mut Interp, _: &Slot) -> *const Slot {
    std::ptr::null()
}

unsafe fn exit(m: &mut Interp, s: &Slot) -> *const Slot {
    m.0.r[15] = s.pc;
    m.0.itstate = s.aux >> 8;
    m.0.host.exit = s.aux & 0xff;
    std::ptr::null()
}
