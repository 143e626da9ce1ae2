//! Guest threads: each is a host thread.

use crate::memory::GuestMemory;
use crate::process::Process;
use forearm_backend::CpuState;
use std::sync::Arc;

/// A guest thread, owned by the host thread that runs it. Every system call gets it.
pub struct Thread {
    /// Its registers.
    pub cpu: Box<CpuState>,
    /// Its process.
    pub process: Arc<Process>,
    /// Guest memory.
    pub mem: GuestMemory,
    /// Host (and guest) thread ID.
    pub tid: i32,
}
