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
use forearm_backend::{Access, Exit};
use gdbstub::target::ext::breakpoints::WatchKind;
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

/// Memory that gdb wants watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Watch {
    address: u32,
    len: u32,
    kind: WatchKind,
}

impl Watch {
    /// The first watched byte that is accessed, if this kind of access is watched.
    fn hit(&self, access: &Access) -> Option<u32> {
        let watched = match self.kind {
            WatchKind::Write => access.write,
            WatchKind::Read => !access.write,
            WatchKind::ReadWrite => true,
        };
        let first = self.address.max(access.address);
        let within = |start: u32, len: u32| first - start < len;
        (watched && within(self.address, self.len) && within(access.address, access.bytes)).then_some(first)
    }
}

/// A debugger's hold on a process.
pub struct Debugger {
    attached: AtomicBool,
    events: Sender<Event>,
    /// Whether there are watches, for the run loop.
    watching: AtomicBool,
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

    /// What to stop for if these accesses are made.
    fn watched(&self, accesses: &[Access]) -> Option<Stop> {
        let watches = lock(&self.watches);
        let mut hits = accesses.iter().flat_map(|a| watches.iter().map(move |w| (w.hit(a), w.kind)));
        hits.find_map(|(hit, kind)| hit.map(|address| Stop::Watch(address, kind)))
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

/// Executes one instruction; parks instead if it is going to access watched memory. An ARM stops before the access, and gdb
/// knows: it takes the watchpoints out, steps, and looks at the value again.
pub fn step(thread: &mut Thread) -> Exit {
    let process = thread.process.clone();
    if let Some(gdb) = process.gdb().filter(|gdb| gdb.watching())
        && let Some(stop) = gdb.watched(&process.engine.accesses(&mut thread.cpu))
    {
        halt(thread, Some(stop));
        return Exit::Step;
    }
    process.engine.step(&mut thread.cpu)
}

/// After an instruction that was executed alone.
pub fn stepped(thread: &mut Thread) {
    if thread.process.gdb().is_none() {
        thread.step = false;
        thread.stepping = false;
    } else if thread.step {
        halt(thread, Some(Stop::Step));
    } else if thread.process.engine.is_stop(thread.cpu.r[15]) {
        // A step passes stops; where memory is watched they are found here.
        halt(thread, Some(Stop::Break));
    }
}
