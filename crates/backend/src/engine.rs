//! The backend's face to the runtime: run a guest thread until something needs the runtime.

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
    PrefetchAbort(Fault),
    /// A single step is complete (`Engine::step`).
    Step,
}

/// A failed access as the host reported it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// `Err(signal, si_code)` style detail is the runtime's: it turns `PrefetchAbort` into a signal.
    fn executable(&self, pc: u32) -> Option<Range<u32>>;
    /// Host address of guest address 0.
    fn base(&self) -> u64;
}

/// One guest process's translations; shared by its threads.
pub struct Engine {
    source: Box<dyn CodeSource>,
}

impl Engine {
    /// An engine with no translations yet.
    pub fn new(source: Box<dyn CodeSource>) -> Engine {
        Engine { source }
    }

    /// Runs the guest thread until an [`Exit`].
    pub fn run(&self, cpu: &mut CpuState) -> Exit {
        let _ = (cpu, &self.source);
        unimplemented!("the interpreter lands next")
    }

    /// Executes one instruction.
    pub fn step(&self, cpu: &mut CpuState) -> Exit {
        self.run(cpu)
    }

    /// Drops the translations of `range`: the guest wrote code there (cacheflush) or unmapped it.
    pub fn invalidate(&self, range: Range<u32>) {
        let _ = range;
    }

    /// In the child of a fork: only the calling thread exists.
    pub fn after_fork_in_child(&self) {}
}
