//! What `FOREARM_STATS` counts of translation and execution. Off, a count is a branch that is not taken, on ways out of
//! translated code only; what runs inside has no trace of it.

use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::time::Duration;

/// Guest instructions that a thread has executed. It alone writes them; compiled code does by offset.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Executed {
    /// By the interpreter.
    pub interpreted: AtomicU64,
    /// In regions.
    pub compiled: AtomicU64,
    /// Another thread's.
    next: AtomicPtr<Executed>,
}

/// What is counted, beside executed instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Event {
    /// A system call left translated code.
    Syscall,
    /// A signal or another request did.
    Interrupt,
    /// An undefined instruction.
    Undefined,
    /// A breakpoint instruction.
    Breakpoint,
    /// An access to memory that failed.
    DataAbort,
    /// Code that is not executable.
    PrefetchAbort,
    /// A single step or a traced block.
    Step,
    /// The interpreter looked a block up.
    Find,
    /// A direct exit of a region that was not linked.
    Unlinked,
    /// An indirect exit whose target was not in the table.
    Indirect,
    /// A region was left in the middle of an IT block.
    InIt,
    /// A block got hot.
    Hot,
    /// A block was decoded.
    Block,
    /// Guest instructions of decoded blocks.
    BlockInstruction,
    /// A region was compiled.
    Region,
    /// Guest instructions of compiled regions.
    RegionInstruction,
    /// A warm block was compiled by the baseline compiler.
    Baseline,
    /// Guest instructions of those.
    BaselineInstruction,
    /// A hot block was not compiled: it can't be.
    Refused,
    /// A hot block was not compiled yet: the budget was spent or another thread compiled.
    PutOff,
    /// A region that another process has made was taken over.
    Taken,
    /// Nanoseconds of processor time spent compiling.
    CompileTime,
}

/// Their names in a report, in the order of [`Event`].
pub const NAMES: [&str; EVENTS] = [
    "dispatcher: system call",
    "dispatcher: interrupt",
    "dispatcher: undefined instruction",
    "dispatcher: breakpoint",
    "dispatcher: data abort",
    "dispatcher: prefetch abort",
    "dispatcher: step",
    "dispatcher: block looked up",
    "dispatcher: direct exit not linked",
    "dispatcher: indirect exit not in the table",
    "dispatcher: exit in an IT block",
    "dispatcher: block got hot",
    "blocks decoded",
    "blocks' instructions",
    "regions compiled",
    "regions' instructions",
    "baseline regions compiled",
    "baseline regions' instructions",
    "regions refused",
    "regions put off",
    "regions taken over",
    "compile time, ns",
];

const EVENTS: usize = Event::CompileTime as usize + 1;

static ON: AtomicBool = AtomicBool::new(false);
static COUNTS: [AtomicU64; EVENTS] = [const { AtomicU64::new(0) }; EVENTS];
/// All threads' counters, the newest first. A list without a lock, which a forked child could find locked.
static EXECUTED: AtomicPtr<Executed> = AtomicPtr::new(std::ptr::null_mut());

/// Starts counting, before the first engine is made.
pub fn start() {
    ON.store(true, Ordering::Relaxed);
}

/// Is anything counted?
#[inline]
pub fn on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Counts.
#[inline]
pub fn count(event: Event) {
    add(event, 1);
}

/// Counts several.
#[inline]
pub(crate) fn add(event: Event, n: u64) {
    if on() {
        COUNTS[event as usize].fetch_add(n, Ordering::Relaxed);
    }
}

/// Adds compile time.
pub(crate) fn compiled_for(time: Duration) {
    add(Event::CompileTime, time.as_nanos() as u64);
}

/// A new thread's counters; null when nothing is counted. They stay.
pub(crate) fn of_thread() -> *const Executed {
    if !on() {
        return std::ptr::null();
    }
    let counters = Box::into_raw(Box::<Executed>::default());
    let _ = EXECUTED.fetch_update(Ordering::AcqRel, Ordering::Acquire, |first| {
        // SAFETY: counters are never freed.
        unsafe { &*counters }.next.store(first, Ordering::Relaxed);
        Some(counters)
    });
    counters
}

fn all_executed() -> impl Iterator<Item = &'static Executed> {
    // SAFETY: counters are never freed.
    let at = |p: &AtomicPtr<Executed>| unsafe { p.load(Ordering::Acquire).as_ref() };
    std::iter::successors(at(&EXECUTED), move |e| at(&e.next))
}

/// In a forked child: begins at zero.
pub fn restart() {
    for c in &COUNTS {
        c.store(0, Ordering::Relaxed);
    }
    for e in all_executed() {
        e.interpreted.store(0, Ordering::Relaxed);
        e.compiled.store(0, Ordering::Relaxed);
    }
}

/// Guest instructions executed by all threads so far: by the interpreter, in regions.
pub fn executed() -> (u64, u64) {
    all_executed().fold((0, 0), |(i, c), e| {
        (i + e.interpreted.load(Ordering::Relaxed), c + e.compiled.load(Ordering::Relaxed))
    })
}

/// How often each event happened.
pub fn counts() -> [u64; EVENTS] {
    std::array::from_fn(|k| COUNTS[k].load(Ordering::Relaxed))
}
