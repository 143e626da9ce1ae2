//! What the threads of a guest process share.

use crate::memory::Memory;
use crate::signals::SigActions;
use crate::syscalls::Directories;
use crate::syscalls::resource::Limits;
use forearm_backend::Engine;
use std::ffi::{CString, OsString};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// What the command line and the environment say; programs started by exec inherit it.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `-L`: absolute paths of the program interpreter and of libraries are looked up below this first.
    pub ld_prefix: Option<PathBuf>,
    /// `-r`: the release that uname reports.
    pub uname_release: Option<OsString>,
    /// `-s`: bytes of the main thread's stack, instead of RLIMIT_STACK.
    pub stack_size: Option<u32>,
    /// `-strace`.
    pub strace: bool,
    /// `-B`: host address of guest address 0, instead of choosing it.
    pub guest_base: Option<u64>,
}

/// The program image, as /proc shows it.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// Absolute path of the program (what /proc/self/exe says).
    pub exe: CString,
    /// The auxiliary vector's bytes.
    pub auxv: Vec<u8>,
    /// argv strings: first address and end.
    pub args: (u32, u32),
    /// envp strings: first address and end.
    pub env: (u32, u32),
    /// Text segment: first address and end.
    pub code: (u32, u32),
    /// Initial stack pointer.
    pub start_stack: u32,
}

/// A guest process. A vfork child has one of its own over the same address space.
pub struct Process {
    /// The translations of the address space.
    pub engine: Arc<Engine>,
    /// The address space.
    pub memory: Arc<Memory>,
    /// Signal actions.
    pub sigactions: Mutex<SigActions>,
    /// The program.
    pub image: Arc<Image>,
    /// Options of this run.
    pub options: Arc<Options>,
    /// `personality(2)` as the guest set it (READ_IMPLIES_EXEC included).
    pub personality: AtomicU32,
    /// Limits of memory the guest has set for itself alone; a child has a copy.
    pub limits: Limits,
    /// A descriptor of forearm's own binary, close-on-exec, or -1. exec needs it inside a chroot without forearm.
    /// The guest must not see it: see [`is_hidden_fd`](Self::is_hidden_fd).
    pub own_exe: AtomicI32,
    /// Short positions of open directories.
    pub directories: Directories,
    /// Address of the signal return trampolines.
    pub sigpage: u32,
}

impl Process {
    /// The signal actions. A panic aborts the process, so the lock is never poisoned.
    pub fn sigactions(&self) -> MutexGuard<'_, SigActions> {
        self.sigactions.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Is `fd` a descriptor of the translator's own? To the guest it is closed (EBADF).
    pub fn is_hidden_fd(&self, fd: i32) -> bool {
        fd >= 0 && fd == self.own_exe.load(Ordering::Relaxed)
    }

    /// Gives up the number `fd` if it is hidden, because the guest wants it (dup2): moves our descriptor elsewhere.
    pub fn yield_fd(&self, fd: i32) {
        if self.is_hidden_fd(fd) {
            // SAFETY: a descriptor of ours.
            let moved = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, fd + 1) };
            // SAFETY: as above.
            let moved = if moved < 0 { unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 64) } } else { moved };
            self.own_exe.store(moved, Ordering::Relaxed);
        }
    }
}
