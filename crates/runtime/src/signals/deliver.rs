//! Delivery at safe points, forced signals, and how a guest dies of one.

use super::host::{self, Disposition};
use super::{
    ERESTARTNOINTR, ERESTARTSYS, NSIG, SIG_DFL, SIG_IGN, SIGSEGV, SigAction, SigActions, SigSet, frame,
    is_taken, sa, siginfo,
};
use crate::coredump;
use crate::errno::Errno;
use crate::gdb;
use crate::stats;
use crate::syscalls::strace;
use crate::threads::{FaultState, Thread};
use forearm_backend::Fault;

/// What a signal does by default (signal(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Default {
    Ignore,
    Stop,
    Terminate,
    /// Terminate and leave a core file.
    Core,
}

fn default_action(signal: i32) -> Default {
    match signal {
        libc::SIGCHLD | libc::SIGURG | libc::SIGWINCH | libc::SIGCONT => Default::Ignore,
        libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU => Default::Stop,
        libc::SIGQUIT
        | libc::SIGILL
        | libc::SIGTRAP
        | libc::SIGABRT
        | libc::SIGBUS
        | libc::SIGFPE
        | libc::SIGSEGV
        | libc::SIGXCPU
        | libc::SIGXFSZ
        | libc::SIGSYS => Default::Core,
        _ => Default::Terminate,
    }
}

/// Is a signal caught although the guest leaves it at its default? One that leaves a core file is where that is wanted:
/// the kernel's would be the translator's. What ends the process is where a report comes first, and gdb is told of all.
fn caught_by_default(signal: i32) -> bool {
    match default_action(signal) {
        _ if matches!(signal, libc::SIGKILL | libc::SIGSTOP) => false,
        Default::Core => coredump::limit() != 0 || forearm_backend::stats::on() || gdb::on(),
        Default::Terminate => forearm_backend::stats::on() || gdb::on(),
        Default::Stop => gdb::on(),
        Default::Ignore => false,
    }
}

/// The host's disposition for a guest's handler.
pub fn host_disposition(signal: i32, handler: u32) -> Disposition {
    match handler {
        SIG_DFL if caught_by_default(signal) => Disposition::Catch,
        SIG_DFL => Disposition::Default,
        SIG_IGN => Disposition::Ignore,
        _ => Disposition::Catch,
    }
}

/// Brings the host's dispositions of signals at their default up to date: at the start, and after what decides about
/// them has changed.
pub fn watch_defaults(actions: &SigActions) {
    for signal in (1..=NSIG).filter(|&s| default_action(s) != Default::Ignore) {
        let fixed = is_taken(signal) || matches!(signal, libc::SIGKILL | libc::SIGSTOP);
        let action = actions.get(signal);
        if !fixed && action.handler == SIG_DFL {
            let _ = host::set_disposition(signal, host_disposition(signal, SIG_DFL), action.flags);
        }
    }
}

/// A system call that a signal interrupted and that may have to run again.
#[derive(Clone, Copy, Debug)]
pub struct Restart {
    /// r0 before the call.
    pub r0: u32,
    /// One of the ERESTART codes.
    pub code: i32,
}

impl Restart {
    /// Back to before the SVC instruction.
    fn rewind(self, thread: &mut Thread) {
        let cpu = &mut thread.cpu;
        cpu.r[0] = self.r0;
        cpu.r[15] = cpu.r[15].wrapping_sub(if cpu.thumb != 0 { 2 } else { 4 });
    }
}

/// Delivers what waits in the inbox and settles an interrupted system call. Called by the run loop before the guest
/// continues; cheap when there is nothing to do.
pub fn deliver(thread: &mut Thread) {
    let mut restart = thread.restart.take();
    while thread.inbox.pending() {
        let Some(info) = thread.inbox.take() else { break };
        // gdb may change the registers, which settles the call.
        thread.restart = restart.take();
        let filtered = gdb::filter(thread, &info);
        restart = thread.restart.take();
        match filtered {
            Some(info) => act(thread, &info, &mut restart),
            None => reopen(thread),
        }
    }
    thread.temporary_mask = None;
    if let Some(call) = restart {
        call.rewind(thread);
    }
}

/// Delivers a signal that gdb has made up, or passes on.
pub fn inject(thread: &mut Thread, info: &libc::siginfo_t) {
    act(thread, info, &mut None);
}

/// Does what the action for a signal says.
fn act(thread: &mut Thread, info: &libc::siginfo_t, restart: &mut Option<Restart>) {
    let action = take_action(thread, info.si_signo);
    trace(thread, info);
    match action.handler {
        SIG_IGN => reopen(thread),
        SIG_DFL => match default_action(info.si_signo) {
            Default::Ignore => reopen(thread),
            Default::Stop => {
                // SAFETY: stops this process, as the default action would have.
                unsafe { libc::kill(libc::getpid(), libc::SIGSTOP) };
                reopen(thread);
            }
            Default::Terminate | Default::Core => fatal(thread, info),
        },
        _ => {
            if let Some(call) = restart.take() {
                let again = match call.code {
                    ERESTARTNOINTR => true,
                    ERESTARTSYS => action.flags & sa::RESTART != 0,
                    _ => false,
                };
                if again { call.rewind(thread) } else { thread.cpu.r[0] = (-libc::EINTR) as u32 }
            }
            handle(thread, info, action);
        }
    }
}

fn trace(thread: &Thread, info: &libc::siginfo_t) {
    if thread.process.options.strace {
        strace::signal(info.si_signo, info.si_code);
    }
}

/// The mask was closed by the host handler; without a guest handler it becomes what it was.
fn reopen(thread: &mut Thread) {
    thread.inbox.set_mask(thread.inbox.mask());
}

/// The action for `signal`, reset when it is SA_RESETHAND.
fn take_action(thread: &Thread, signal: i32) -> SigAction {
    let mut actions = thread.process.sigactions();
    let action = actions.get(signal);
    if action.handler > SIG_IGN && action.flags & sa::RESETHAND != 0 {
        let reset = SigAction { handler: SIG_DFL, ..action };
        actions.set(signal, reset);
        if !is_taken(signal) {
            let _ = host::set_disposition(signal, host_disposition(signal, SIG_DFL), 0);
        }
    }
    action
}

fn handle(thread: &mut Thread, info: &libc::siginfo_t, action: SigAction) {
    let saved = thread.inbox.mask();
    let base = thread.temporary_mask.take().unwrap_or(saved);
    let own = if action.flags & sa::NODEFER != 0 { SigSet(0) } else { SigSet::of(info.si_signo) };
    match frame::enter(thread, info, action, saved) {
        Ok(()) => thread.inbox.set_mask(SigSet(base.0 | action.mask.0 | own.0).blockable()),
        Err(_) => {
            // kernel/signal.c: signal_setup_done, force_sigsegv.
            if info.si_signo == SIGSEGV {
                fatal(thread, info);
            }
            let sp = thread.cpu.r[13];
            reopen(thread);
            force(thread, &siginfo::fault(SIGSEGV, SI_KERNEL, 0), FaultState { address: sp, ..thread.fault });
        }
    }
}

/// SI_KERNEL.
const SI_KERNEL: i32 = 0x80;

/// Sends the thread a signal that it cannot put off: a fault. Blocked or ignored, it kills (force_sig_info).
pub fn force(thread: &mut Thread, info: &libc::siginfo_t, fault: FaultState) {
    thread.fault = fault;
    let Some(info) = &gdb::filter(thread, info) else { return };
    trace(thread, info);
    let signal = info.si_signo;
    let action = take_action(thread, signal);
    if thread.inbox.mask().contains(signal) || action.handler <= SIG_IGN {
        fatal(thread, info);
    }
    handle(thread, info, action);
}

/// Data and prefetch aborts (arch/arm/mm/fault.c). `fsr` is the ARMv7 short-descriptor fault status.
pub fn abort(thread: &mut Thread, fault: Fault) {
    const SEGV_ACCERR: i32 = 2;
    /// Page translation, page permission and external abort.
    const TRANSLATION: u32 = 0x7;
    const PERMISSION: u32 = 0xf;
    const EXTERNAL: u32 = 0x8;
    const WRITE: u32 = 1 << 11;
    let status = match (fault.signal, fault.code) {
        (SIGSEGV, SEGV_ACCERR) => PERMISSION,
        (SIGSEGV, _) => TRANSLATION,
        _ => EXTERNAL,
    };
    let error_code = status | if fault.write { WRITE } else { 0 };
    let state = FaultState { trap_no: 14, error_code, address: fault.addr };
    force(thread, &siginfo::fault(fault.signal, fault.code, fault.addr), state);
}

/// An undefined instruction at r15.
pub fn undefined(thread: &mut Thread) {
    const ILL_ILLOPC: i32 = 1;
    let state = FaultState { trap_no: 6, error_code: 0, ..thread.fault };
    force(thread, &siginfo::fault(libc::SIGILL, ILL_ILLOPC, thread.cpu.r[15]), state);
}

/// A breakpoint instruction at r15, or the ARM private system call.
pub fn breakpoint(thread: &mut Thread) {
    const TRAP_BRKPT: i32 = 1;
    let state = thread.fault;
    force(thread, &siginfo::fault(libc::SIGTRAP, TRAP_BRKPT, thread.cpu.r[15]), state);
}

/// A frame that sigreturn cannot use.
pub fn bad_frame(thread: &mut Thread) {
    let sp = thread.cpu.r[13];
    let state = FaultState { address: sp, ..thread.fault };
    force(thread, &siginfo::fault(SIGSEGV, SI_KERNEL, sp), state);
}

/// The guest dies of `info`'s signal, and its parent sees that.
pub fn fatal(thread: &mut Thread, info: &libc::siginfo_t) -> ! {
    stats::report(&thread.process, "killed by a signal");
    let signal = info.si_signo;
    host::set_host_mask(SigSet(!0));
    if default_action(signal) == Default::Core && coredump::write(thread, info) {
        gdb::ended(&thread.process, gdb::End::Killed(signal));
        coredump::die(signal);
    }
    gdb::ended(&thread.process, gdb::End::Killed(signal));
    host::die(signal)
}

/// Sets the action for `signal`, and the host's disposition to match.
///
/// # Errors
/// EINVAL for SIGKILL, SIGSTOP and numbers that are no signal.
pub fn set_action(thread: &mut Thread, signal: i32, action: SigAction) -> Result<(), Errno> {
    let disposition = host_disposition(signal, action.handler);
    let mut actions = thread.process.sigactions();
    if is_taken(signal) {
        // The host's handler stays. Ignoring discards what is pending.
        if disposition == Disposition::Ignore {
            thread.inbox.take_held(SigSet::of(signal));
        }
    } else {
        host::set_disposition(signal, disposition, action.flags)?;
    }
    actions.set(signal, action);
    Ok(())
}
