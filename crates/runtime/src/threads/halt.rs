//! The threads of a process, and how all of them are brought to a halt: for a core file, and for gdb.
//!
//! A thread that is to halt is kicked: it gets a SIGSEGV, which the host never blocks, with an `si_code` of ours. The
//! handler makes it leave translated code and abandon a system call that waits, as for a signal, but nothing is
//! delivered; the call is made again when the thread goes on. It parks in the run loop, where its registers are
//! exact, no lock is held and no system call is half done.

use super::Thread;
use super::registers::Registers;
use crate::signals::{SigSet, host};
use gdbstub::target::ext::breakpoints::WatchKind;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Why a thread halts all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A breakpoint at r15.
    Break,
    /// A single step is done.
    Step,
    /// A signal, not delivered yet.
    Signal(i32),
    /// The instruction at r15 is going to access watched memory, at this address.
    Watch(u32, WatchKind),
}

/// What others know of a thread, and tell it.
#[derive(Clone, Debug, Default)]
pub struct Member {
    /// It must park, and stay so. Shared with the thread.
    pub halted: Arc<AtomicBool>,
    /// It is parked.
    pub parked: bool,
    /// The registers when it parked last; to be put back if `changed`.
    pub registers: Option<Registers>,
    /// gdb has written registers.
    pub changed: bool,
    /// Its signal mask when it parked.
    pub mask: SigSet,
    /// What it stopped for and gdb has not been told yet.
    pub stop: Option<Stop>,
    /// When it goes on, it executes one instruction and stops.
    pub step: bool,
    /// When it goes on, this signal is delivered.
    pub signal: Option<i32>,
}

/// The members by thread ID.
pub type Members = BTreeMap<i32, Member>;

/// What [`Halt`] guards.
#[derive(Debug, Default)]
pub struct State {
    /// The threads.
    pub members: Members,
    /// Threads that begin now are halted.
    stopping: bool,
    /// A thread dies of a signal and takes the process along.
    fatal: bool,
}

impl State {
    /// Halts all threads, those to come included; kicks all but `own` that run.
    pub fn stop_all(&mut self, own: i32) {
        self.stopping = true;
        for (&tid, member) in &self.members {
            if !member.halted.swap(true, Ordering::AcqRel) && tid != own {
                host::kick(tid);
            }
        }
    }

    /// Lets go what `chosen` says: all threads that are not named stay, and so do new ones, if `lock`.
    pub fn release(&mut self, lock: bool, chosen: impl Fn(i32) -> bool) {
        self.stopping = lock;
        for (&tid, member) in &self.members {
            if !lock || chosen(tid) {
                member.halted.store(false, Ordering::Release);
            }
        }
    }
}

/// The threads of one process.
#[derive(Debug, Default)]
pub struct Halt {
    state: Mutex<State>,
    /// Somebody parked, ended, or may go on.
    changed: Condvar,
}

impl Halt {
    /// The members. fork holds this, so that the child does not inherit a lock taken by another thread.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        // A panic aborts the process, so the lock is never poisoned.
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// A thread has begun; `halted` is how it is told to park.
    pub fn add(&self, tid: i32, halted: &Arc<AtomicBool>) {
        let mut state = self.lock();
        halted.store(state.stopping, Ordering::Release);
        state.members.insert(tid, Member { halted: halted.clone(), ..Member::default() });
    }

    /// A thread ends; true when it was the last.
    pub fn remove(&self, tid: i32) -> bool {
        let mut state = self.lock();
        state.members.remove(&tid);
        self.changed.notify_all();
        state.members.is_empty()
    }

    /// In a forked child: the other threads are not there.
    pub fn forked(&self) {
        *self.lock() = State::default();
    }

    /// Those who wait look again.
    pub fn notify(&self) {
        self.changed.notify_all();
    }

    /// From now on all threads are halted, for good; false when another thread has said so before.
    pub fn begin_end(&self, own: i32) -> bool {
        let mut state = self.lock();
        state.stop_all(own);
        !std::mem::replace(&mut state.fatal, true)
    }

    /// Waits until all threads but `own` have parked, at most `patience`. Threads that stay in the kernel
    /// (uninterruptible, or waiting for a vfork child) are not parked in the result.
    pub fn wait_for_all(&self, own: i32, patience: Duration) -> MutexGuard<'_, State> {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        while state.members.iter().any(|(&tid, member)| tid != own && !member.parked) {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { break };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(|e| e.into_inner()).0;
        }
        state
    }
}

impl Thread {
    /// Waits as long as the thread is halted; with a reason, halts all threads first and tells gdb. Called where the
    /// registers are exact, between instructions. Gives the signal that gdb wants delivered.
    pub fn park(&mut self, stop: Option<Stop>) -> Option<i32> {
        self.inbox.forget_kick();
        let process = self.process.clone();
        let halt = &process.halt;
        let mut state = halt.lock();
        if stop.is_some() {
            state.stop_all(self.tid);
        }
        if !self.halted.load(Ordering::Acquire) {
            return None;
        }
        let member = state.members.entry(self.tid).or_default();
        member.parked = true;
        member.registers = Some(Registers::of(&self.cpu));
        member.mask = self.inbox.mask();
        member.stop = stop;
        halt.changed.notify_all();
        if stop.is_some()
            && let Some(gdb) = process.gdb()
        {
            gdb.stopped();
        }
        while self.halted.load(Ordering::Acquire) {
            state = halt.changed.wait(state).unwrap_or_else(|e| e.into_inner());
        }
        let member = state.members.entry(self.tid).or_default();
        member.parked = false;
        if std::mem::take(&mut member.changed)
            && let Some(registers) = &member.registers
        {
            registers.put(&mut self.cpu);
            self.restart = None;
        }
        let watching = process.gdb().is_some_and(|gdb| gdb.watching());
        self.alone = false;
        self.step = member.step;
        self.stepping = member.step || watching;
        member.stop = None;
        member.signal.take()
    }
}
