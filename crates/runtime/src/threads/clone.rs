//! clone, fork and vfork.
//!
//! - With CLONE_THREAD: a host thread.
//! - With CLONE_VM and CLONE_VFORK: a host child in the same address space, on a stack of its own, while this thread
//!   waits in the kernel; so an error that the child notes in memory is seen by the parent, as posix_spawn needs.
//! - Without CLONE_VM: a host fork.
//! - CLONE_VM alone makes a process that shares memory and runs at the same time; it is refused (EINVAL), as by QEMU:
//!   the translator's own state, down to the C library's, is that of one process.

use super::{Host, Thread, run};
use crate::errno::{Errno, SysResult};
use crate::signals::host::{self, Inbox};
use crate::signals::{ERESTARTNOINTR, SigSet};
use crate::{perf, stats};
use std::arch::global_asm;
use std::sync::{Arc, mpsc};

/// What clone and clone3 ask for (`struct kernel_clone_args`).
#[derive(Clone, Debug, Default)]
pub struct CloneArgs {
    /// CLONE_* flags without the exit signal.
    pub flags: u64,
    /// Sent to the parent when the child ends.
    pub exit_signal: i32,
    /// Where CLONE_PIDFD stores the descriptor.
    pub pidfd: u32,
    /// For CLONE_CHILD_SETTID and CLONE_CHILD_CLEARTID.
    pub child_tid: u32,
    /// For CLONE_PARENT_SETTID.
    pub parent_tid: u32,
    /// The child's stack pointer, or 0 for the parent's.
    pub stack: u32,
    /// For CLONE_SETTLS.
    pub tls: u32,
    /// CLONE_CLEAR_SIGHAND.
    pub clear_sighand: bool,
    /// The IDs that the child is to have, one for each pid namespace from the innermost; none: the kernel chooses.
    pub set_tid: Vec<i32>,
}

const VM: u64 = libc::CLONE_VM as u64;
const VFORK: u64 = libc::CLONE_VFORK as u64;
const THREAD: u64 = libc::CLONE_THREAD as u64;
const SIGHAND: u64 = libc::CLONE_SIGHAND as u64;
const FS: u64 = libc::CLONE_FS as u64;
const FILES: u64 = libc::CLONE_FILES as u64;
const SETTLS: u64 = libc::CLONE_SETTLS as u64;
const PARENT_SETTID: u64 = libc::CLONE_PARENT_SETTID as u64;
const CHILD_CLEARTID: u64 = libc::CLONE_CHILD_CLEARTID as u64;
const CHILD_SETTID: u64 = libc::CLONE_CHILD_SETTID as u64;
const PIDFD: u64 = libc::CLONE_PIDFD as u64;
/// Done here, not by the host.
const OURS: u64 = SETTLS | CHILD_CLEARTID | CHILD_SETTID;

/// Bytes of a guest thread's host stack, touched as needed; the compiler recurses over large functions.
const STACK: usize = 4 << 20;

/// Starts a child; returns its ID in the parent and 0 in a forked child.
///
/// # Errors
/// Those of clone(2); ERESTARTNOINTR when a signal must be delivered first.
pub fn clone(thread: &mut Thread, args: CloneArgs) -> SysResult {
    let flags = args.flags;
    let invalid = flags & THREAD != 0 && flags & SIGHAND == 0
        || flags & SIGHAND != 0 && flags & VM == 0
        || flags & THREAD != 0 && flags & PIDFD != 0
        // The host makes threads and vfork's children by calls that cannot choose.
        || flags & VM != 0 && !args.set_tid.is_empty();
    if invalid {
        return Err(Errno(libc::EINVAL));
    }
    // A signal that has been taken belongs to the parent alone; and none may reach a child that is half made.
    let mask = thread.inbox.mask();
    host::set_host_mask(SigSet(!0));
    if thread.inbox.pending() {
        thread.inbox.set_mask(mask);
        return Err(Errno(ERESTARTNOINTR));
    }
    let result = match (flags & VM != 0, flags & THREAD != 0, flags & VFORK != 0) {
        (_, true, _) => spawn(thread, &args),
        (true, false, true) => vfork(thread, &args),
        (true, false, false) => Err(Errno(libc::EINVAL)),
        (false, false, _) => fork(thread, &args),
    };
    thread.inbox.set_mask(mask);
    result
}

/// The registers and IDs that the child starts with.
fn set_up(child: &mut Thread, args: &CloneArgs) {
    child.cpu.r[0] = 0;
    if args.stack != 0 {
        child.cpu.r[13] = args.stack;
    }
    if args.flags & SETTLS != 0 {
        child.cpu.tpidruro = args.tls;
    }
    child.clear_child_tid = if args.flags & CHILD_CLEARTID != 0 { args.child_tid } else { 0 };
    child.robust_list = 0;
}

/// In the child: its ID, and where the guest wants to find it.
fn announce(child: &mut Thread, args: &CloneArgs) {
    // SAFETY: a plain system call.
    child.tid = unsafe { libc::gettid() };
    child.process.halt.add(child.tid, &child.halted);
    if args.clear_sighand {
        child.process.sigactions().clear_handlers();
    }
    if args.flags & CHILD_SETTID != 0 {
        let _ = child.mem.write(args.child_tid, &child.tid);
    }
}

fn spawn(thread: &mut Thread, args: &CloneArgs) -> SysResult {
    let mut child = Thread::new(Box::new(thread.cpu.fork()), thread.process.clone(), Host::Spawned);
    child.inbox.note_mask(thread.inbox.mask());
    set_up(&mut child, args);
    let args = args.clone();
    let (sender, receiver) = mpsc::sync_channel(1);
    let start = move || {
        announce(&mut child, &args);
        if args.flags & PARENT_SETTID != 0 {
            let _ = child.mem.write(args.parent_tid, &child.tid);
        }
        // glibc's threads share both; whoever does not want that gets copies.
        let own = [(FS, libc::CLONE_FS), (FILES, libc::CLONE_FILES)];
        let own = own.iter().filter(|(flag, _)| args.flags & flag == 0).fold(0, |all, (_, x)| all | x);
        if own != 0 {
            // SAFETY: affects the calling thread only.
            unsafe { libc::unshare(own) };
        }
        let _ = sender.send(child.tid);
        run::body(child);
    };
    std::thread::Builder::new().stack_size(STACK).spawn(start).map_err(|_| Errno(libc::EAGAIN))?;
    stats::thread_started();
    let tid = receiver.recv().map_err(|_| Errno(libc::EAGAIN))?;
    Ok(tid as u32)
}

fn fork(thread: &mut Thread, args: &CloneArgs) -> SysResult {
    let process = thread.process.clone();
    let flags = args.flags & !(OURS | PARENT_SETTID);
    let plain = flags == 0 && args.exit_signal == libc::SIGCHLD && args.set_tid.is_empty();
    // Another thread must not hold these while the child copies them. In this order: the engine asks the memory map.
    let engine = process.engine.quiesce();
    let memory = process.memory.lock();
    let actions = process.sigactions();
    let directories = process.directories.lock();
    let members = process.halt.lock();
    let pidfd = thread.mem.ptr::<i32>(args.pidfd);
    let pid = if plain {
        // SAFETY: libc's fork keeps its allocator usable in the child, whatever other threads were doing.
        unsafe { libc::fork() }
    } else if args.set_tid.is_empty() {
        let flags = flags | args.exit_signal as u64;
        // SAFETY: without CLONE_VM and a stack this is a fork.
        unsafe { libc::syscall(libc::SYS_clone, flags, 0usize, pidfd, 0usize, 0usize) as i32 }
    } else {
        // Containers may forbid clone3, so it is used for nothing else.
        // SAFETY: integers.
        let mut host: libc::clone_args = unsafe { std::mem::zeroed() };
        host.flags = flags;
        host.pidfd = pidfd as u64;
        host.exit_signal = args.exit_signal as u64;
        host.set_tid = args.set_tid.as_ptr() as u64;
        host.set_tid_size = args.set_tid.len() as u64;
        // SAFETY: without CLONE_VM and a stack this is a fork; the IDs outlive the call.
        unsafe { libc::syscall(libc::SYS_clone3, &raw const host, size_of_val(&host)) as i32 }
    };
    let error = Errno::last();
    drop(members);
    drop(directories);
    drop(actions);
    drop(memory);
    drop(engine);
    match pid {
        0 => {
            stats::restart();
            perf::restart();
            thread.inbox.forget_held();
            set_up(thread, args);
            process.halt.forked();
            crate::gdb::forked(thread);
            announce(thread, args);
            if thread.host == Host::Spawned {
                // The thread that forked is the child's first.
                thread.host = Host::First;
            }
            Ok(0)
        }
        1.. => {
            if args.flags & PARENT_SETTID != 0 {
                let _ = thread.mem.write(args.parent_tid, &pid);
            }
            Ok(pid as u32)
        }
        _ => Err(error),
    }
}

// clone with a stack for the child: `forearm_vfork(flags, stack, parent_tid, start, argument)`. Returns in the parent
// only. The child calls `start(argument)`, which does not return.
global_asm!(
    ".global forearm_vfork",
    "forearm_vfork:",
    // r8 (tls) is not used without CLONE_SETTLS, r9 never: they carry `start` and the argument over the call.
    "mov r9, r8",
    "mov r8, rcx",
    "xor r10d, r10d",
    "mov eax, 56",
    "syscall",
    "test rax, rax",
    "jz 2f",
    "ret",
    "2:",
    "xor ebp, ebp",
    "mov rdi, r9",
    "call r8",
    "ud2",
);

unsafe extern "C" {
    fn forearm_vfork(
        flags: u64,
        stack: *mut u8,
        parent_tid: *mut i32,
        start: extern "C" fn(*mut u8) -> !,
        argument: *mut u8,
    ) -> i64;
}

/// A vfork child, from its start to its exec or exit; owned by the parent, which gets its memory back afterwards.
struct Child {
    thread: Thread,
    args: CloneArgs,
}

fn vfork(thread: &mut Thread, args: &CloneArgs) -> SysResult {
    let process = thread.process.for_vfork();
    let mut child = Thread::new(Box::new(thread.cpu.fork()), Arc::new(process), Host::First);
    child.inbox.note_mask(thread.inbox.mask());
    child.altstack = thread.altstack;
    set_up(&mut child, args);
    let flags = args.flags & !OURS | args.exit_signal as u64;
    let tid = if flags & PIDFD != 0 { args.pidfd } else { args.parent_tid };
    let tid = thread.mem.ptr::<i32>(tid);
    let mut child = Box::new(Child { thread: child, args: args.clone() });

    let map = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
    let prot = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a fresh mapping.
    let stack = unsafe { libc::mmap(std::ptr::null_mut(), STACK, prot, map, -1, 0) };
    if stack == libc::MAP_FAILED {
        return Err(Errno(libc::EAGAIN));
    }
    // The child borrows this thread's thread-local storage and gives it back by ending.
    let own = std::ptr::from_ref::<Inbox>(&thread.inbox);
    // SAFETY: the child runs on the new stack, and this thread sleeps in the kernel until it has left the address
    // space, so nothing is used by both at once.
    let pid =
        unsafe { forearm_vfork(flags, stack.cast::<u8>().add(STACK), tid, start, (&raw mut *child).cast()) };
    Inbox::restore(own);
    // SAFETY: the child is gone from this address space.
    unsafe { libc::munmap(stack, STACK) };
    drop(child);
    crate::errno::from_raw(pid)
}

extern "C" fn start(child: *mut u8) -> ! {
    // SAFETY: `vfork` passes a `Child`. The parent sleeps; the child is the only user.
    let Child { thread, args } = unsafe { &mut *child.cast::<Child>() };
    thread.inbox.enter();
    announce(thread, args);
    thread.inbox.set_mask(thread.inbox.mask());
    let status = thread.run();
    thread.exit_group(status)
}
