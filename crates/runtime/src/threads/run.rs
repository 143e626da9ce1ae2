//! The run loop, and how a thread ends.

use super::{Host, Thread};
use crate::gdb;
use crate::signals::{deliver, host};
use crate::stats;
use crate::syscalls;
use forearm_backend::{Exit, Fault};
use std::sync::atomic::Ordering;

const SEGV_MAPERR: i32 = 1;
const SEGV_ACCERR: i32 = 2;

impl Thread {
    /// Runs the guest until the thread exits; returns the exit status. The calling host thread is the guest's from
    /// here on: its signal mask becomes the guest's.
    pub fn run(&mut self) -> i32 {
        let engine = self.process.engine.clone();
        if self.halted.load(Ordering::Acquire) {
            // It begins while all are halted, or waits for gdb.
            self.park(None);
        }
        loop {
            if self.inbox.kicked() {
                gdb::halt(self, None);
            }
            self.alone = self.stepping;
            let exit = if self.alone { gdb::step(self) } else { engine.run(&mut self.cpu) };
            match exit {
                Exit::Syscall(_) => syscalls::dispatch(self),
                Exit::Interrupt | Exit::Step => {}
                Exit::Undefined => deliver::undefined(self),
                Exit::Breakpoint(_) if engine.is_stop(self.cpu.r[15]) => gdb::breakpoint(self),
                Exit::Breakpoint(_) => deliver::breakpoint(self),
                Exit::DataAbort(fault) => self.data_abort(fault),
                Exit::PrefetchAbort => self.prefetch_abort(),
            }
            if let Some(status) = self.exit {
                return status;
            }
            deliver::deliver(self);
            if self.alone {
                gdb::stepped(self);
            }
        }
    }

    /// A failed access. In a reserved address space the host knows no hole: it says "no permission" for both.
    fn data_abort(&mut self, fault: Fault) {
        let hole = fault.signal == libc::SIGSEGV && self.process.memory.find(fault.addr).is_none();
        let code = if hole { SEGV_MAPERR } else { fault.code };
        deliver::abort(self, Fault { code, ..fault });
    }

    /// r15 is not executable. The code may have become executable meanwhile; then the guest just continues.
    fn prefetch_abort(&mut self) {
        let addr = self.cpu.r[15];
        let code = match self.process.memory.find(addr) {
            None => SEGV_MAPERR,
            Some((_, vma)) if !vma.executable() => SEGV_ACCERR,
            Some(_) => {
                // Mapped but not readable in the host: a file mapping past the end of its file.
                let gone = self.mem.read::<u16>(addr & !1).is_err();
                if gone {
                    const BUS_ADRERR: i32 = 2;
                    deliver::abort(
                        self,
                        Fault { addr, signal: libc::SIGBUS, code: BUS_ADRERR, write: false },
                    );
                }
                return;
            }
        };
        deliver::abort(self, Fault { addr, signal: libc::SIGSEGV, code, write: false });
    }

    /// What the kernel does for an exiting thread: robust futexes, then the waiter of pthread_join.
    pub fn leave(&mut self) {
        if self.process.halt.remove(self.tid) {
            gdb::ended(&self.process, gdb::End::Exited(self.exit.unwrap_or(0)));
        }
        super::robust::exit(self);
        if self.clear_child_tid != 0 {
            let addr = std::mem::take(&mut self.clear_child_tid);
            if self.mem.write(addr, &0u32).is_ok() {
                super::robust::wake(self, addr);
            }
        }
    }

    /// exit(2): ends this thread only.
    pub fn exit(&mut self, status: i32) {
        self.exit = Some(status);
        if self.host != Host::Spawned {
            // The host thread is the process's first, which has nothing to unwind to.
            self.leave();
            stats::thread_ended(&self.process);
            // SAFETY: ends the calling thread; nothing is expected of it any more.
            unsafe { libc::syscall(libc::SYS_exit, status) };
        }
    }

    /// exit_group(2).
    pub fn exit_group(&mut self, status: i32) -> ! {
        if self.halted.load(Ordering::Acquire) {
            // Another thread is writing a core file, or gdb looks at all of them.
            self.park(None);
        }
        gdb::ended(&self.process, gdb::End::Exited(status));
        self.process.engine.train();
        self.leave();
        stats::report(&self.process, "at its exit");
        // SAFETY: ends the process.
        unsafe { libc::syscall(libc::SYS_exit_group, status) };
        unreachable!("exit_group does not return")
    }
}

/// The body of a host thread that runs a guest thread.
pub(super) fn body(mut thread: Thread) {
    let stack = host::HandlerStack::new();
    let previous = thread.inbox.enter();
    thread.inbox.set_mask(thread.inbox.mask());
    thread.run();
    // No signal from here: one meant for the process must go to another thread.
    host::set_host_mask(crate::signals::SigSet(!0));
    thread.leave();
    stats::thread_ended(&thread.process);
    if let Some(info) = thread.inbox.take() {
        // SAFETY: queues a signal, which this thread took from the process, for the others.
        unsafe { libc::syscall(libc::SYS_rt_sigqueueinfo, libc::getpid(), info.si_signo, &raw const info) };
    }
    host::Inbox::restore(previous);
    drop(thread);
    drop(stack);
}
