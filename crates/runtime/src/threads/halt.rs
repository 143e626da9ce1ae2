//! The threads of a process, and how all of them are brought to a halt: for a core file, and for gdb.
//!
//! A thread that is to halt is kicked: it gets a SIGSEGV, which the host never blocks, with an `si_code` of ours. The
//! handler makes it leave translated code and abandon a system call that waits, as for a signal, but nothing is
//! delivered; the call is made again when the thread goes on. It parks in the run loop, where its registers are
//! exact, no lock is held and no system call is half done.

use super::Thread;
use super::registers::Registers;
use crate::signals::{SigSet, host};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// What others know of a thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Member {
    /// The registers, while it is parked.
    pub registers: Option<Registers>,
    /// Its signal mask when it parked.
    pub mask: SigSet,
}

/// The members by thread ID.
pub type Members = BTreeMap<i32, Member>;

/// The threads of one process.
#[derive(Debug, Default)]
pub struct Halt {
    /// Threads park before they continue in the guest.
    wanted: AtomicBool,
    /// A thread dies of a signal and takes the process along.
    fatal: AtomicBool,
    members: Mutex<Members>,
    changed: Condvar,
}

impl Halt {
    /// The members. fork holds this, so that the child does not inherit a lock taken by another thread.
    pub fn lock(&self) -> MutexGuard<'_, Members> {
        // A panic aborts the process, so the lock is never poisoned.
        self.members.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Must threads park?
    #[inline]
    pub fn wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }

    /// A thread has begun.
    pub fn add(&self, tid: i32) {
        self.lock().insert(tid, Member::default());
    }

    /// A thread ends.
    pub fn remove(&self, tid: i32) {
        self.lock().remove(&tid);
        self.changed.notify_all();
    }

    /// In a forked child: the other threads are not there.
    pub fn forked(&self) {
        self.wanted.store(false, Ordering::Release);
        self.fatal.store(false, Ordering::Release);
        self.lock().clear();
    }

    /// From now on threads park, for good; false when another thread has said so before.
    pub fn begin_end(&self) -> bool {
        let _members = self.lock();
        self.wanted.store(true, Ordering::Release);
        !self.fatal.swap(true, Ordering::AcqRel)
    }

    /// Kicks all threads but `tid` and waits until they have parked, at most `patience`. Threads that stay in the kernel
    /// (uninterruptible, or waiting for a vfork child) have no registers in the result.
    pub fn all_but(&self, tid: i32, patience: Duration) -> Members {
        let deadline = Instant::now() + patience;
        let mut members = self.lock();
        for &other in members.keys().filter(|&&other| other != tid) {
            host::kick(other);
        }
        while members.iter().any(|(&other, member)| other != tid && member.registers.is_none()) {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { break };
            members = self.changed.wait_timeout(members, left).unwrap_or_else(|e| e.into_inner()).0;
        }
        members.clone()
    }
}

impl Thread {
    /// Waits as long as a halt is wanted. Called where the registers are exact, between instructions.
    pub fn park(&mut self) {
        self.inbox.forget_kick();
        let halt = &self.process.halt;
        let mut members = halt.lock();
        let member = Member { registers: Some(Registers::of(&self.cpu)), mask: self.inbox.mask() };
        members.insert(self.tid, member);
        halt.changed.notify_all();
        while halt.wanted() {
            members = halt.changed.wait(members).unwrap_or_else(|e| e.into_inner());
        }
        members.insert(self.tid, Member::default());
    }
}
