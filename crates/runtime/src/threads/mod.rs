//! Guest threads: each is a host thread.

use crate::memory::GuestMemory;
use crate::process::Process;
use crate::signals::SigSet;
use crate::signals::host::Inbox;
use forearm_backend::CpuState;
use std::sync::Arc;

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
    /// Cleared and woken when the thread ends (set_tid_address, CLONE_CHILD_CLEARTID).
    pub clear_child_tid: u32,
    /// Head of the robust futex list, or 0.
    pub robust_list: u32,
    /// Set by exit: the run loop ends with this status.
    pub exit: Option<i32>,
}
