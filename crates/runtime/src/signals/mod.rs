//! Signals: the guest's dispositions and masks, delivery at safe points, frames, and the host's side.

pub mod deliver;
pub mod frame;
pub mod host;
pub mod siginfo;

pub use host::{ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS, syscall, syscall_raw};

pub(crate) use libc::{SIGBUS, SIGFPE, SIGSEGV};

/// Signals that the translator takes for itself: faults of guest memory, and traps of floating point. The host's handler of
/// them always stands, and the guest's mask is obeyed by the inbox.
pub(crate) const TAKEN: [i32; 3] = [SIGSEGV, SIGBUS, SIGFPE];

/// Is a signal one of [`TAKEN`]?
pub(crate) fn is_taken(signal: i32) -> bool {
    TAKEN.contains(&signal)
}

/// Signals are numbered 1 to this.
pub const NSIG: i32 = 64;

/// A set of signals as the kernel has it: bit `signal - 1`. The ARM `sigset_t` is the same 64 bits, little-endian.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SigSet(pub u64);

impl SigSet {
    /// The set of one signal; empty when `signal` is none.
    pub const fn of(signal: i32) -> SigSet {
        if signal >= 1 && signal <= NSIG { SigSet(1 << (signal - 1)) } else { SigSet(0) }
    }

    /// Is `signal` in the set?
    pub const fn contains(self, signal: i32) -> bool {
        self.0 & SigSet::of(signal).0 != 0
    }

    /// What the guest may block: everything but SIGKILL and SIGSTOP.
    pub const fn blockable(self) -> SigSet {
        SigSet(self.0 & !(SigSet::of(libc::SIGKILL).0 | SigSet::of(libc::SIGSTOP).0))
    }

    /// The mask to give the host for a guest mask, in any call that takes one (ppoll, pselect6, epoll_pwait): the
    /// translator needs the signals that it takes itself, so the host never blocks them.
    pub const fn for_host(self) -> SigSet {
        SigSet(self.0 & !(SigSet::of(SIGSEGV).0 | SigSet::of(SIGBUS).0 | SigSet::of(SIGFPE).0))
    }
}

/// `sa_flags` of the ARM kernel; equal to x86's but for SA_THIRTYTWO.
pub mod sa {
    /// No SIGCHLD for stopped children.
    pub const NOCLDSTOP: u32 = 1;
    /// Children do not become zombies.
    pub const NOCLDWAIT: u32 = 2;
    /// The handler takes siginfo and ucontext.
    pub const SIGINFO: u32 = 4;
    /// 32-bit handler; ignored.
    pub const THIRTYTWO: u32 = 0x0200_0000;
    /// `sa_restorer` is set.
    pub const RESTORER: u32 = 0x0400_0000;
    /// Run on the alternate stack.
    pub const ONSTACK: u32 = 0x0800_0000;
    /// Restart system calls.
    pub const RESTART: u32 = 0x1000_0000;
    /// Do not block the signal in its handler.
    pub const NODEFER: u32 = 0x4000_0000;
    /// Back to SIG_DFL when it is delivered.
    pub const RESETHAND: u32 = 0x8000_0000;
}

/// SIG_DFL as a handler address.
pub const SIG_DFL: u32 = 0;
/// SIG_IGN as a handler address.
pub const SIG_IGN: u32 = 1;

/// The guest's action for a signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SigAction {
    /// Handler address (bit 0: Thumb), [`SIG_DFL`] or [`SIG_IGN`].
    pub handler: u32,
    /// [`sa`] flags.
    pub flags: u32,
    /// Return trampoline, with SA_RESTORER.
    pub restorer: u32,
    /// Blocked while the handler runs.
    pub mask: SigSet,
}

/// The actions of a process; CLONE_SIGHAND shares them, fork and vfork copy them. `None` is what the process
/// inherited and never set: the host has it.
#[derive(Clone, Debug)]
pub struct SigActions([Option<SigAction>; NSIG as usize]);

impl Default for SigActions {
    fn default() -> Self {
        SigActions([None; NSIG as usize])
    }
}

impl SigActions {
    /// The action for `signal` (1 to [`NSIG`]).
    pub fn get(&self, signal: i32) -> SigAction {
        self.0[signal as usize - 1].unwrap_or_else(|| {
            let ignored = host::disposition(signal) == host::Disposition::Ignore;
            SigAction { handler: if ignored { SIG_IGN } else { SIG_DFL }, ..SigAction::default() }
        })
    }

    /// Back to SIG_DFL for all that have a handler (CLONE_CLEAR_SIGHAND).
    pub fn clear_handlers(&mut self) {
        for signal in 1..=NSIG {
            if self.get(signal).handler > SIG_IGN {
                self.set(signal, SigAction::default());
                if !is_taken(signal) {
                    let _ = host::set_disposition(signal, deliver::host_disposition(signal, SIG_DFL), 0);
                }
            }
        }
    }

    /// Sets the action for `signal`.
    pub fn set(&mut self, signal: i32, action: SigAction) {
        self.0[signal as usize - 1] = Some(action);
    }
}
