//! The gdb server: `-g PORT|SOCKET`.
//!
//! A thread of the host serves gdb. It has a table of file descriptors of its own, so the guest never sees the
//! connection. It halts the guest's threads and lets them go ([`crate::threads::halt`]); a thread that has something to tell
//! halts all of them and says why. What costs time is done by guest threads only after gdb has asked for it:
//! breakpoints are stops of the engine, single steps and watched memory have the run loop execute instruction by instruction.

mod arch;
mod connection;
mod files;
mod server;
mod signals;
mod target;

pub use server::{Listener, listen};

use crate::process::Process;
use crate::signals::{deliver, siginfo};
use crate::threads::Thread;
use crate::threads::halt::Stop;
use forearm_backend::Exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// What the serving thread waits for.
enum Event {
    /// Bytes from gdb.
    Input(Vec<u8>),
    /// gdb is gone.
    Closed,
    /// A guest thread has halted all of them.
    Stopped,
    /// The process ends.
    Ended(End),
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this status.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

/// Memory that gdb wants watched for writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Watch {
    address: u32,
    len: u32,
}

/// A debugger's hold on a process.
pub struct Debugger {
    attached: AtomicBool,
    events: Sender<Event>,
    /// Whether there are watches, for the run loop.
    watching: AtomicBool,
    /// Locked while an instruction is executed under watch, so that it is known which one wrote.
    watches: Mutex<Vec<Watch>>,
    /// gdb has been told of the end.
    told: Mutex<bool>,
    telling: Condvar,
}

/// How long the process waits at its end until gdb is told.
const PATIENCE: Duration = Duration::from_secs(2);

/// Set while this process is debugged: signals are caught then.
static ON: AtomicBool = AtomicBool::new(false);

/// Is this process debugged?
pub fn on() -> bool {
    ON.load(Ordering::Relaxed)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic aborts the process, so a lock is never poisoned.
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

impl Debugger {
    fn new(events: Sender<Event>) -> Debugger {
        ON.store(true, Ordering::Relaxed);
        Debugger {
            attached: AtomicBool::new(true),
            events,
            watching: AtomicBool::new(false),
            watches: Mutex::default(),
            told: Mutex::new(false),
            telling: Condvar::new(),
        }
    }

    /// Does it still have hold of the process?
    pub fn attached(&self) -> bool {
        self.attached.load(Ordering::Acquire)
    }

    fn let_go(&self) {
        ON.store(false, Ordering::Relaxed);
        self.attached.store(false, Ordering::Release);
        self.watching.store(false, Ordering::Release);
    }

    /// Must instructions be executed one by one, because memory is watched?
    pub fn watching(&self) -> bool {
        self.watching.load(Ordering::Acquire)
    }

    /// A thread has halted all of them.
    pub fn stopped(&self) {
        let _ = self.events.send(Event::Stopped);
    }

    /// gdb knows that the process ends.
    fn told(&self) {
        *lock(&self.told) = true;
        self.telling.notify_all();
    }
}

/// Tells gdb how the process ends, if it is debugged.
pub fn ended(process: &Process, end: End) {
    let Some(gdb) = process.gdb() else { return };
    let told = lock(&gdb.told);
    if gdb.events.send(Event::Ended(end)).is_ok() {
        let _ = gdb.telling.wait_timeout_while(told, PATIENCE, |told| !*told);
    }
}

/// In a forked child: gdb stays with the parent.
pub fn forked(thread: &mut Thread) {
    if let Some(gdb) = thread.process.gdb() {
        gdb.let_go();
        thread.process.engine.clear_stops();
    }
    thread.step = false;
    thread.stepping = false;
}

/// Reports a signal before it is delivered. Gives what gdb wants delivered instead: mostly the same.
pub fn filter(thread: &mut Thread, info: &libc::siginfo_t) -> Option<libc::siginfo_t> {
    if thread.process.gdb().is_none() {
        return Some(*info);
    }
    let signal = thread.park(Some(Stop::Signal(info.si_signo)))?;
    Some(if signal == info.si_signo { *info } else { siginfo::from_kernel(signal) })
}

/// Parks the thread; a signal that gdb wants delivered is.
pub fn halt(thread: &mut Thread, stop: Option<Stop>) {
    if let Some(signal) = thread.park(stop) {
        deliver::inject(thread, &siginfo::from_kernel(signal));
    }
}

/// The thread has come to a stop of the engine. A vfork child, which shares its parent's stops, passes it.
pub fn breakpoint(thread: &mut Thread) {
    if thread.process.gdb().is_some() {
        halt(thread, Some(Stop::Break));
    } else {
        thread.stepping = true;
    }
}

/// Executes one instruction, under watch if need be.
pub fn step(thread: &mut Thread) -> Exit {
    let process = thread.process.clone();
    let Some(gdb) = process.gdb().filter(|gdb| gdb.watching()) else {
        return process.engine.step(&mut thread.cpu);
    };
    let watches = lock(&gdb.watches);
    let read = |w: &Watch| thread.mem.read_bytes(w.address, w.len as usize).ok();
    let before: Vec<_> = watches.iter().map(read).collect();
    let exit = process.engine.step(&mut thread.cpu);
    let read = |w: &Watch| thread.mem.read_bytes(w.address, w.len as usize).ok();
    let changed = watches.iter().zip(before).find(|(watch, before)| read(watch) != *before);
    if let Some((watch, _)) = changed {
        thread.watch_hit = Some(watch.address);
    }
    exit
}

/// After an instruction that was executed alone.
pub fn stepped(thread: &mut Thread) {
    if thread.process.gdb().is_none() {
        thread.step = false;
        thread.stepping = false;
    } else if let Some(address) = thread.watch_hit.take() {
        halt(thread, Some(Stop::Watch(address)));
    } else if thread.step {
        halt(thread, Some(Stop::Step));
    } else if thread.process.engine.is_stop(thread.cpu.r[15]) {
        // A step passes stops; where memory is watched they are found here.
        halt(thread, Some(Stop::Break));
    }
}
