//! The serving thread: from waiting for gdb to its leave or the end of the process.

use super::connection::{self, Output, Socket};
use super::target::Guest;
use super::{Debugger, End, Event, signals};
use crate::process::Process;
use crate::signals::{SigSet, host};
use crate::threads::halt::Stop;
use gdbstub::common::Tid;
use gdbstub::stub::state_machine::GdbStubStateMachine as Machine;
use gdbstub::stub::{DisconnectReason, GdbStub, GdbStubBuilder, MultiThreadStopReason};
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

/// A socket that waits for gdb, and what the process must know of the debugger.
pub struct Listener {
    socket: Socket,
    events: Receiver<Event>,
    sender: Sender<Event>,
    debugger: Arc<Debugger>,
}

/// Listens where `-g` says.
///
/// # Errors
/// One line that says why that cannot be.
pub fn listen(place: &OsStr) -> Result<Listener, String> {
    let socket = Socket::listen(place).map_err(|e| {
        let e = e.to_string();
        format!("option -g: {}: {}", place.display(), e.split(" (os error").next().unwrap_or(&e))
    })?;
    let (sender, events) = mpsc::channel();
    let debugger = Arc::new(Debugger::new(sender.clone()));
    Ok(Listener { socket, events, sender, debugger })
}

/// Packets up to this size: gdb reads whole files through them.
const PACKET: usize = 32 << 10;

impl Listener {
    /// For the process to hold.
    pub fn debugger(&self) -> Arc<Debugger> {
        self.debugger.clone()
    }

    /// Starts to serve: halts the process, whose threads have not begun, until gdb has come and lets it go. The caller's
    /// descriptors do not have the socket afterwards.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn serve(self, process: Arc<Process>) -> io::Result<()> {
        process.halt.lock().stop_all(0);
        // No signal may be handled by a thread that runs no guest.
        let mask = host::host_mask();
        host::set_host_mask(SigSet(!0));
        let fd = self.socket.fd();
        let (ready, started) = mpsc::sync_channel(1);
        let body = move || {
            let own = own_descriptors(fd);
            let _ = ready.send(own);
            serve(self, process);
        };
        let spawned = std::thread::Builder::new().name("gdb".into()).spawn(body);
        if spawned.is_ok() && started.recv() == Ok(true) {
            // SAFETY: the serving thread has its own copy.
            unsafe { libc::close(fd) };
        }
        host::set_exact_host_mask(mask);
        spawned.map(drop)
    }
}

/// Gives the calling thread a table of descriptors of its own with nothing in it but `fd`; false where the kernel cannot.
fn own_descriptors(fd: i32) -> bool {
    const CLOSE_RANGE_UNSHARE: u32 = 2;
    // SAFETY: the calling thread uses no other descriptor.
    unsafe {
        let unshared = libc::syscall(libc::SYS_close_range, fd + 1, u32::MAX, CLOSE_RANGE_UNSHARE) == 0;
        if unshared && fd > 0 {
            libc::syscall(libc::SYS_close_range, 0, fd - 1, 0);
        }
        unshared
    }
}

fn serve(listener: Listener, process: Arc<Process>) {
    let Listener { socket, events, sender, debugger } = listener;
    let mut guest = Guest::new(process, debugger.clone());
    if let Ok((input, output)) = socket.accept() {
        let reader = std::thread::Builder::new().name("gdb input".into());
        if reader.spawn(move || connection::read(input, &sender)).is_ok()
            && session(&mut guest, Output::new(output), &events) == Some(DisconnectReason::Kill)
        {
            host::die(libc::SIGKILL);
        }
    }
    guest.let_go();
    debugger.told();
}

/// Serves one connection until it ends, and says how; `None` when gdb is just gone.
fn session(guest: &mut Guest, output: Output, events: &Receiver<Event>) -> Option<DisconnectReason> {
    let stub: GdbStub<'_, Guest, Output> =
        GdbStubBuilder::new(output).packet_buffer_size(PACKET).build().ok()?;
    let mut machine = stub.run_state_machine(guest).ok()?;
    let mut input = VecDeque::new();
    loop {
        machine = match machine {
            Machine::Idle(idle) => match next(&mut input, events)? {
                Next::Byte(byte) => idle.incoming_data(guest, byte).ok()?,
                // A thread's reason to stop is told when gdb lets the threads go again.
                Next::Stopped => Machine::Idle(idle),
                Next::Ended(_) => return None,
            },
            Machine::Running(running) => match next(&mut input, events)? {
                Next::Byte(byte) => running.incoming_data(guest, byte).ok()?,
                Next::Stopped => match guest.take_stop() {
                    Some((tid, stop)) => running.report_stop(guest, reason(tid, stop)).ok()?,
                    None => Machine::Running(running),
                },
                Next::Ended(end) => {
                    let end = match end {
                        End::Exited(status) => MultiThreadStopReason::Exited(status as u8),
                        End::Killed(signal) => MultiThreadStopReason::Terminated(signals::to_gdb(signal)),
                    };
                    running.report_stop(guest, end).ok()?
                }
            },
            Machine::CtrlCInterrupt(interrupt) => {
                let (tid, stop) = guest.interrupt()?;
                interrupt.interrupt_handled(guest, Some(reason(tid, stop))).ok()?
            }
            Machine::Disconnected(end) => return Some(end.get_reason()),
        };
    }
}

/// What [`session`] does next.
enum Next {
    Byte(u8),
    Stopped,
    Ended(End),
}

/// Waits for it; `None` when gdb is gone.
fn next(input: &mut VecDeque<u8>, events: &Receiver<Event>) -> Option<Next> {
    loop {
        if let Some(byte) = input.pop_front() {
            return Some(Next::Byte(byte));
        }
        match events.recv().ok()? {
            Event::Input(bytes) => input.extend(bytes),
            Event::Closed => return None,
            Event::Stopped => return Some(Next::Stopped),
            Event::Ended(end) => return Some(Next::Ended(end)),
        }
    }
}

fn reason(tid: Tid, stop: Stop) -> MultiThreadStopReason<u32> {
    match stop {
        Stop::Break => MultiThreadStopReason::SwBreak(tid),
        Stop::Step => MultiThreadStopReason::SignalWithThread { tid, signal: signals::to_gdb(libc::SIGTRAP) },
        Stop::Signal(signal) => {
            MultiThreadStopReason::SignalWithThread { tid, signal: signals::to_gdb(signal) }
        }
        Stop::Watch(addr, kind) => MultiThreadStopReason::Watch { tid, kind, addr },
    }
}
