//! Guest threads: each is a host thread.

pub mod clone;
pub mod halt;
pub mod registers;
pub(crate) mod robust;
mod run;

use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::process::Process;
use crate::signals::SigSet;
use crate::signals::deliver::Restart;
use crate::signals::frame::Stack;
use crate::signals::host::Inbox;
use forearm_backend::CpuState;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The alternate signal stack (`stack_t`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AltStack {
    /// Lowest address.
    pub sp: u32,
    /// Bytes; 0 when there is none.
    pub size: u32,
    /// SS_AUTODISARM or 0.
    pub flags: u32,
}

impl AltStack {
    /// SS_ONSTACK.
    pub const ONSTACK: u32 = 1;
    /// SS_DISABLE.
    pub const DISABLE: u32 = 2;
    /// SS_AUTODISARM.
    pub const AUTODISARM: u32 = 1 << 31;
    /// MINSIGSTKSZ.
    const MIN: u32 = 2048;

    /// Is the thread with stack pointer `sp` on it?
    pub fn holds(&self, sp: u32) -> bool {
        self.flags & Self::AUTODISARM == 0 && sp > self.sp && sp - self.sp <= self.size
    }

    /// `ss_flags` as sigaltstack and frames report them.
    pub fn reported_flags(&self, sp: u32) -> u32 {
        let state = if self.size == 0 {
            Self::DISABLE
        } else if self.holds(sp) {
            Self::ONSTACK
        } else {
            0
        };
        state | self.flags
    }

    /// sigaltstack's setting half, for a thread whose stack pointer is `sp`.
    ///
    /// # Errors
    /// EPERM while it is in use, EINVAL for flags, ENOMEM when it is too small.
    pub fn set(&mut self, new: Stack, sp: u32) -> Result<(), Errno> {
        if self.holds(sp) {
            return Err(Errno(libc::EPERM));
        }
        let mode = new.flags & !Self::AUTODISARM;
        if mode > Self::DISABLE {
            return Err(Errno(libc::EINVAL));
        }
        let flags = new.flags & Self::AUTODISARM;
        *self = if mode == Self::DISABLE {
            AltStack { sp: 0, size: 0, flags }
        } else if new.size < Self::MIN {
            return Err(Errno(libc::ENOMEM));
        } else {
            AltStack { sp: new.sp, size: new.size, flags }
        };
        Ok(())
    }
}

/// The last fault, as signal frames show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultState {
    /// ARM exception: 6 undefined, 14 abort.
    pub trap_no: u32,
    /// Fault status register.
    pub error_code: u32,
    /// Guest address.
    pub address: u32,
}

/// A guest thread, owned by the host thread that runs it. Every system call gets it.
pub struct Thread {
    /// Signals that arrived and wait for a safe point. Before `cpu`, which it points to, so that it is dropped first.
    pub inbox: Box<Inbox>,
    /// Its registers.
    pub cpu: Box<CpuState>,
    /// Its process.
    pub process: Arc<Process>,
    /// Guest memory.
    pub mem: GuestMemory,
    /// Host (and guest) thread ID.
    pub tid: i32,
    /// Alternate signal stack.
    pub altstack: AltStack,
    /// A mask that only the running system call has (sigsuspend, ppoll, ...): a handler that ends it runs with this
    /// mask, and its frame restores the thread's own. Cleared by delivery.
    pub temporary_mask: Option<SigSet>,
    /// An interrupted system call that delivery settles.
    pub restart: Option<Restart>,
    /// The last fault.
    pub fault: FaultState,
    /// Cleared and woken when the thread ends (set_tid_address, CLONE_CHILD_CLEARTID).
    pub clear_child_tid: u32,
    /// Head of the robust futex list, or 0.
    pub robust_list: u32,
    /// What the host thread is.
    pub host: Host,
    /// Set by exit: the run loop ends with this status.
    pub exit: Option<i32>,
    /// Others want the thread to park.
    pub halted: Arc<AtomicBool>,
    /// gdb wants to know when one instruction is done.
    pub step: bool,
    /// Instructions are executed one by one: for `step`, or because memory is watched.
    pub stepping: bool,
    /// An instruction was executed alone, and the thread has not parked since.
    pub alone: bool,
}

/// What kind of host thread runs a guest thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// The first of its process: it ends by the exit system call.
    First,
    /// Made for this guest thread: it ends by returning.
    Spawned,
}

impl Thread {
    /// A thread of `process` that starts with `cpu`. It still has no host thread: `tid` is 0.
    pub fn new(mut cpu: Box<CpuState>, process: Arc<Process>, host: Host) -> Thread {
        cpu.base = process.memory.base();
        Thread {
            inbox: Inbox::new(&raw const *cpu),
            mem: process.memory.guest(),
            cpu,
            process,
            tid: 0,
            altstack: AltStack::default(),
            temporary_mask: None,
            restart: None,
            fault: FaultState::default(),
            clear_child_tid: 0,
            robust_list: 0,
            host,
            exit: None,
            halted: Arc::default(),
            step: false,
            stepping: false,
            alone: false,
        }
    }
}
