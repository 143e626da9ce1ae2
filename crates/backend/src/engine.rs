//! The backend's face to the runtime: run a guest thread until something needs the runtime.

use crate::cache::{Cache, Key};
use crate::enter;
use crate::fault;
use crate::interp::Slot;
use crate::interp::block::{self, Fetch};
use crate::state::CpuState;
use std::ops::Range;

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
    /// Host address of guest address 0.
    fn base(&self) -> u64;
}

/// One guest process's translations; shared by its threads.
pub struct Engine {
    source: Box<dyn CodeSource>,
    cache: Cache,
}

impl Engine {
    /// An engine with no translations yet.
    pub fn new(source: Box<dyn CodeSource>) -> Engine {
        Engine { source, cache: Cache::default() }
    }

    /// Runs the guest thread until an [`Exit`].
    pub fn run(&self, cpu: &mut CpuState) -> Exit {
        cpu.host.engine = self;
        cpu.host.jumps.prepare();
        let key = Key::new(cpu.r[15], cpu.thumb != 0, cpu.itstate);
        let entry = self.entry(cpu, key);
        self.run_from(cpu, entry)
    }

    /// Executes one instruction.
    pub fn step(&self, cpu: &mut CpuState) -> Exit {
        cpu.host.engine = self;
        cpu.host.jumps.prepare();
        let key = Key::new(cpu.r[15], cpu.thumb != 0, cpu.itstate);
        let Some(mut built) = self.build(key, Some(1)) else {
            return Exit::PrefetchAbort;
        };
        built.end_with_step();
        cpu.itstate = 0;
        self.run_from(cpu, built.first_instruction())
    }

    fn run_from(&self, cpu: &mut CpuState, entry: *const Slot) -> Exit {
        if !entry.is_null() {
            // SAFETY: the slot is of a live block, and the engine is set.
            unsafe { enter::enter(cpu, entry) };
        }
        let host = &cpu.host;
        match host.exit {
            x if x == ExitCode::Syscall as u32 => Exit::Syscall(host.exit_value),
            x if x == ExitCode::Interrupt as u32 => Exit::Interrupt,
            x if x == ExitCode::Undefined as u32 => Exit::Undefined,
            x if x == ExitCode::Breakpoint as u32 => Exit::Breakpoint(host.exit_value),
            x if x == ExitCode::DataAbort as u32 => Exit::DataAbort(host.fault),
            x if x == ExitCode::Step as u32 => Exit::Step,
            _ => Exit::PrefetchAbort,
        }
    }

    /// The entry slot of a block, made if need be; null with the exit set when its code is not executable.
    pub(crate) fn entry(&self, cpu: &mut CpuState, key: Key) -> *const Slot {
        let block = self.cache.get(key).or_else(|| {
            let built = self.build(key, None)?;
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

    fn build(&self, key: Key, limit: Option<usize>) -> Option<block::Built> {
        let read = |pc: u32, buffer: &mut [u8]| self.read_code(pc, buffer);
        block::build(key, &mut Fetch::new(&read), limit)
    }

    /// Reads executable guest memory; fewer bytes than asked where it ends.
    fn read_code(&self, pc: u32, buffer: &mut [u8]) -> usize {
        let Some(range) = self.source.executable(pc) else { return 0 };
        let len = buffer.len().min((range.end - pc) as usize);
        let from = (self.source.base() + u64::from(pc)) as *const u8;
        // SAFETY: guest memory; a fault (a file cut short, a racing munmap) is reported.
        match unsafe { fault::copy(buffer.as_mut_ptr(), from, len) } {
            Ok(()) => len,
            Err(_) => 0,
        }
    }

    /// Drops the translations of `range`: the guest wrote code there (cacheflush) or unmapped it.
    pub fn invalidate(&self, range: Range<u32>) {
        self.cache.invalidate(range);
    }

    /// In the child of a fork: only the calling thread exists.
    pub fn after_fork_in_child(&self) {}

    /// The translations.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }
}
