//! The guest as gdbstub sees it: registers, memory, threads, breakpoints and how they go on.

use super::arch::{All, Armv7, Register};
use super::files::Files;
use super::{Debugger, Watch, lock, signals};
use crate::memory::Peek;
use crate::process::Process;
use crate::threads::halt::{Member, Stop};
use crate::threads::registers::Registers;
use gdbstub::common::{Pid, Signal, Tid};
use gdbstub::target::ext::auxv::{Auxv, AuxvOps};
use gdbstub::target::ext::base::BaseOps;
use gdbstub::target::ext::base::multithread::{
    MultiThreadBase, MultiThreadResume, MultiThreadResumeOps, MultiThreadSchedulerLocking,
    MultiThreadSchedulerLockingOps, MultiThreadSingleStep, MultiThreadSingleStepOps,
};
use gdbstub::target::ext::base::single_register_access::{SingleRegisterAccess, SingleRegisterAccessOps};
use gdbstub::target::ext::breakpoints::{
    Breakpoints, BreakpointsOps, HwBreakpoint, HwBreakpointOps, HwWatchpoint, HwWatchpointOps, SwBreakpoint,
    SwBreakpointOps, WatchKind,
};
use gdbstub::target::ext::exec_file::{ExecFile, ExecFileOps};
use gdbstub::target::ext::extended_mode::{
    Args, AttachKind, CurrentActivePid, CurrentActivePidOps, ExtendedMode, ExtendedModeOps, ShouldTerminate,
};
use gdbstub::target::ext::host_io::HostIoOps;
use gdbstub::target::ext::thread_extra_info::{ThreadExtraInfo, ThreadExtraInfoOps};
use gdbstub::target::{Target, TargetError, TargetResult};
use gdbstub_arch::arm::ArmBreakpointKind;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long threads may take to park before gdb is told of a stop.
const PATIENCE: Duration = Duration::from_secs(1);

/// How a thread goes on.
#[derive(Clone, Copy, Debug)]
struct Action {
    tid: i32,
    step: bool,
    signal: Option<i32>,
}

/// The debugged process.
pub struct Guest {
    pub(super) process: Arc<Process>,
    debugger: Arc<Debugger>,
    memory: Peek,
    pub(super) files: Files,
    /// What gdb has said of single threads for the next resumption.
    actions: Vec<Action>,
    /// All others stay.
    scheduler_lock: bool,
    /// The thread and the signal that gdb was told last, and has not decided about.
    undecided: Option<(i32, i32)>,
}

/// gdb's thread ID.
fn tid_of(tid: i32) -> Option<Tid> {
    NonZeroUsize::new(tid as usize)
}

impl Guest {
    /// The process that `debugger` has hold of.
    pub fn new(process: Arc<Process>, debugger: Arc<Debugger>) -> Guest {
        let memory = Peek::new(&process.memory);
        let files = Files::default();
        Guest {
            process,
            debugger,
            memory,
            files,
            actions: Vec::new(),
            scheduler_lock: false,
            undecided: None,
        }
    }

    /// What a thread has stopped for, once all are parked. Other threads find their breakpoints again, and gdb repeats
    /// their steps, and their watched accesses are not made yet; signals wait to be told.
    pub fn take_stop(&mut self) -> Option<(Tid, Stop)> {
        if !self.process.halt.lock().members.values().any(|m| m.stop.is_some()) {
            // It was taken before the event was seen.
            return None;
        }
        let mut state = self.process.halt.wait_for_all(0, PATIENCE);
        let (&tid, member) = state.members.iter_mut().find(|(_, m)| m.stop.is_some())?;
        let stop = member.stop.take()?;
        self.undecided = if let Stop::Signal(signal) = stop { Some((tid, signal)) } else { None };
        for member in state.members.values_mut() {
            member.stop = member.stop.filter(|s| matches!(s, Stop::Signal(_)));
        }
        Some((tid_of(tid)?, stop))
    }

    /// Halts all threads for gdb's ^C.
    pub fn interrupt(&mut self) -> Option<(Tid, Stop)> {
        self.process.halt.lock().stop_all(0);
        drop(self.process.halt.wait_for_all(0, PATIENCE));
        if let Some(stop) = self.take_stop() {
            return Some(stop);
        }
        let state = self.process.halt.lock();
        let tid = state.members.iter().find(|(_, m)| m.parked).or(state.members.iter().next())?.0;
        Some((tid_of(*tid)?, Stop::Signal(libc::SIGINT)))
    }

    /// The process goes on by itself.
    pub fn let_go(&self) {
        self.debugger.let_go();
        lock(&self.debugger.watches).clear();
        self.process.engine.clear_stops();
        let mut state = self.process.halt.lock();
        for (tid, member) in &mut state.members {
            member.step = false;
            let told = self.undecided.filter(|(thread, _)| thread == tid).map(|(_, signal)| signal);
            member.signal = match member.stop.take() {
                Some(Stop::Signal(signal)) => Some(signal),
                _ => told,
            };
        }
        state.release(false, |_| true);
        self.process.halt.notify();
    }

    /// Calls `f` with the thread's entry.
    fn member<T>(&self, tid: Tid, f: impl FnOnce(&mut Member) -> Option<T>) -> TargetResult<T, Self> {
        let mut state = self.process.halt.lock();
        let member = state.members.get_mut(&(tid.get() as i32));
        member.and_then(f).ok_or(TargetError::NonFatal)
    }

    fn change(&self, tid: Tid, f: impl FnOnce(&mut Registers) -> Option<()>) -> TargetResult<(), Self> {
        self.member(tid, |member| {
            // A thread that is still in the kernel would overwrite it.
            let registers = member.registers.as_mut().filter(|_| member.parked)?;
            f(registers)?;
            member.changed = true;
            Some(())
        })
    }

    fn set_breakpoint(&self, address: u32, kind: ArmBreakpointKind, on: bool) -> bool {
        let thumb = !matches!(kind, ArmBreakpointKind::Arm32);
        if on && !self.memory.read(address.into(), &mut [0; 2]) {
            return false;
        }
        self.process.engine.set_stop(address, thumb, on);
        true
    }
}

/// The part of `whole` that a qXfer packet asks for.
fn part(whole: &[u8], offset: u64, length: usize, buf: &mut [u8]) -> usize {
    let start = usize::try_from(offset).map_or(whole.len(), |o| o.min(whole.len()));
    let len = length.min(buf.len()).min(whole.len() - start);
    buf[..len].copy_from_slice(&whole[start..start + len]);
    len
}

impl Target for Guest {
    type Arch = Armv7;
    type Error = Infallible;

    fn base_ops(&mut self) -> BaseOps<'_, Armv7, Infallible> {
        BaseOps::MultiThread(self)
    }

    fn support_breakpoints(&mut self) -> Option<BreakpointsOps<'_, Self>> {
        Some(self)
    }

    fn support_auxv(&mut self) -> Option<AuxvOps<'_, Self>> {
        Some(self)
    }

    fn support_exec_file(&mut self) -> Option<ExecFileOps<'_, Self>> {
        Some(self)
    }

    fn support_host_io(&mut self) -> Option<HostIoOps<'_, Self>> {
        Some(self)
    }

    fn support_extended_mode(&mut self) -> Option<ExtendedModeOps<'_, Self>> {
        Some(self)
    }
}

impl MultiThreadBase for Guest {
    fn read_registers(&mut self, registers: &mut All, tid: Tid) -> TargetResult<(), Self> {
        *registers = self.member(tid, |m| m.registers.as_ref().map(All::from))?;
        Ok(())
    }

    fn write_registers(&mut self, registers: &All, tid: Tid) -> TargetResult<(), Self> {
        self.change(tid, |r| {
            registers.put(r);
            Some(())
        })
    }

    fn support_single_register_access(&mut self) -> Option<SingleRegisterAccessOps<'_, Tid, Self>> {
        Some(self)
    }

    fn read_addrs(&mut self, start: u32, data: &mut [u8], _: Tid) -> TargetResult<usize, Self> {
        match self.memory.read_some(start.into(), data) {
            0 if !data.is_empty() => Err(TargetError::Errno(libc::EFAULT as u8)),
            n => Ok(n),
        }
    }

    fn write_addrs(&mut self, start: u32, data: &[u8], _: Tid) -> TargetResult<(), Self> {
        if !self.memory.write(start.into(), data) {
            return Err(TargetError::Errno(libc::EFAULT as u8));
        }
        let start = u64::from(start);
        self.process.memory.code_changed(start..start + data.len() as u64);
        Ok(())
    }

    fn list_active_threads(&mut self, each: &mut dyn FnMut(Tid)) -> Result<(), Infallible> {
        let state = self.process.halt.lock();
        state.members.keys().filter_map(|&tid| tid_of(tid)).for_each(each);
        Ok(())
    }

    fn support_resume(&mut self) -> Option<MultiThreadResumeOps<'_, Self>> {
        Some(self)
    }

    fn support_thread_extra_info(&mut self) -> Option<ThreadExtraInfoOps<'_, Self>> {
        Some(self)
    }
}

impl SingleRegisterAccess<Tid> for Guest {
    fn read_register(&mut self, tid: Tid, register: Register, buf: &mut [u8]) -> TargetResult<usize, Self> {
        let bytes = self.member(tid, |m| Some(register.read(m.registers.as_ref()?)))?;
        Ok(part(&bytes, 0, bytes.len(), buf))
    }

    fn write_register(&mut self, tid: Tid, register: Register, bytes: &[u8]) -> TargetResult<(), Self> {
        self.change(tid, |registers| register.write(registers, bytes).then_some(()))
    }
}

impl MultiThreadResume for Guest {
    fn resume(&mut self) -> Result<(), Infallible> {
        let mut state = self.process.halt.lock();
        if state.members.values().any(|m| m.stop.is_some()) {
            // Told before anything runs.
            self.debugger.stopped();
            return Ok(());
        }
        self.undecided = None;
        for (tid, member) in &mut state.members {
            let action = self.actions.iter().find(|a| a.tid == *tid);
            member.step = action.is_some_and(|a| a.step);
            member.signal = action.and_then(|a| a.signal);
        }
        state.release(self.scheduler_lock, |tid| self.actions.iter().any(|a| a.tid == tid));
        self.process.halt.notify();
        Ok(())
    }

    fn clear_resume_actions(&mut self) -> Result<(), Infallible> {
        self.actions.clear();
        self.scheduler_lock = false;
        Ok(())
    }

    fn set_resume_action_continue(&mut self, tid: Tid, signal: Option<Signal>) -> Result<(), Infallible> {
        let signal = signal.and_then(signals::from_gdb);
        self.actions.push(Action { tid: tid.get() as i32, step: false, signal });
        Ok(())
    }

    fn support_single_step(&mut self) -> Option<MultiThreadSingleStepOps<'_, Self>> {
        Some(self)
    }

    fn support_scheduler_locking(&mut self) -> Option<MultiThreadSchedulerLockingOps<'_, Self>> {
        Some(self)
    }
}

impl MultiThreadSingleStep for Guest {
    fn set_resume_action_step(&mut self, tid: Tid, signal: Option<Signal>) -> Result<(), Infallible> {
        let signal = signal.and_then(signals::from_gdb);
        self.actions.push(Action { tid: tid.get() as i32, step: true, signal });
        Ok(())
    }
}

impl MultiThreadSchedulerLocking for Guest {
    fn set_resume_action_scheduler_lock(&mut self) -> Result<(), Infallible> {
        self.scheduler_lock = true;
        Ok(())
    }
}

impl Breakpoints for Guest {
    fn support_sw_breakpoint(&mut self) -> Option<SwBreakpointOps<'_, Self>> {
        Some(self)
    }

    fn support_hw_breakpoint(&mut self) -> Option<HwBreakpointOps<'_, Self>> {
        Some(self)
    }

    fn support_hw_watchpoint(&mut self) -> Option<HwWatchpointOps<'_, Self>> {
        Some(self)
    }
}

impl SwBreakpoint for Guest {
    fn add_sw_breakpoint(&mut self, address: u32, kind: ArmBreakpointKind) -> TargetResult<bool, Self> {
        Ok(self.set_breakpoint(address, kind, true))
    }

    fn remove_sw_breakpoint(&mut self, address: u32, kind: ArmBreakpointKind) -> TargetResult<bool, Self> {
        Ok(self.set_breakpoint(address, kind, false))
    }
}

impl HwBreakpoint for Guest {
    fn add_hw_breakpoint(&mut self, address: u32, kind: ArmBreakpointKind) -> TargetResult<bool, Self> {
        Ok(self.set_breakpoint(address, kind, true))
    }

    fn remove_hw_breakpoint(&mut self, address: u32, kind: ArmBreakpointKind) -> TargetResult<bool, Self> {
        Ok(self.set_breakpoint(address, kind, false))
    }
}

impl HwWatchpoint for Guest {
    fn add_hw_watchpoint(&mut self, address: u32, len: u32, kind: WatchKind) -> TargetResult<bool, Self> {
        lock(&self.debugger.watches).push(Watch { address, len, kind });
        self.debugger.watching.store(true, Ordering::Release);
        Ok(true)
    }

    fn remove_hw_watchpoint(&mut self, address: u32, len: u32, kind: WatchKind) -> TargetResult<bool, Self> {
        let mut watches = lock(&self.debugger.watches);
        let found = watches.iter().position(|w| *w == Watch { address, len, kind });
        if let Some(at) = found {
            watches.remove(at);
        }
        self.debugger.watching.store(!watches.is_empty(), Ordering::Release);
        Ok(found.is_some())
    }
}

impl Auxv for Guest {
    fn get_auxv(&self, offset: u64, length: usize, buf: &mut [u8]) -> TargetResult<usize, Self> {
        Ok(part(&self.process.image.auxv, offset, length, buf))
    }
}

impl ExecFile for Guest {
    fn get_exec_file(
        &self,
        _: Option<Pid>,
        offset: u64,
        length: usize,
        buf: &mut [u8],
    ) -> TargetResult<usize, Self> {
        Ok(part(self.process.image.exe.to_bytes(), offset, length, buf))
    }
}

impl ThreadExtraInfo for Guest {
    fn thread_extra_info(&self, tid: Tid, buf: &mut [u8]) -> Result<usize, Infallible> {
        let name = std::fs::read(format!("/proc/self/task/{tid}/comm")).unwrap_or_default();
        Ok(part(name.strip_suffix(b"\n").unwrap_or(&name), 0, buf.len(), buf))
    }
}

/// Only for the process ID and for killing: there is one process, and gdb has come to it.
impl ExtendedMode for Guest {
    fn run(&mut self, _: Option<&[u8]>, _: Args<'_, '_>) -> TargetResult<Pid, Self> {
        Err(TargetError::NonFatal)
    }

    fn attach(&mut self, _: Pid) -> TargetResult<(), Self> {
        Err(TargetError::NonFatal)
    }

    fn query_if_attached(&mut self, _: Pid) -> TargetResult<AttachKind, Self> {
        Ok(AttachKind::Attach)
    }

    fn kill(&mut self, _: Option<Pid>) -> TargetResult<ShouldTerminate, Self> {
        Ok(ShouldTerminate::Yes)
    }

    fn restart(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn support_current_active_pid(&mut self) -> Option<CurrentActivePidOps<'_, Self>> {
        Some(self)
    }
}

impl CurrentActivePid for Guest {
    fn current_active_pid(&mut self) -> Result<Pid, Infallible> {
        Ok(NonZeroUsize::new(std::process::id() as usize).unwrap_or(NonZeroUsize::MIN))
    }
}
