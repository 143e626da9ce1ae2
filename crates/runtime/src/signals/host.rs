//! The host's side of signals: the handler, the inbox it fills, and system calls that no signal can slip past.
//!
//! The host kernel keeps the guest's queues. The host's mask is the guest's, except that SIGSEGV, SIGBUS and
//! SIGFPE stay open, because the translator itself takes them. When a signal arrives, the handler puts it into the thread's
//! inbox and returns with everything blocked, so the inbox holds one signal at most and the others keep waiting
//! in the kernel, in its order. Delivery empties the inbox and sets the mask that the guest's handler runs with.

use super::{SIGFPE, SIGSEGV, SigSet, TAKEN, is_taken};
use crate::errno::{Errno, SysResult, from_raw};
use forearm_backend::fp::trap;
use forearm_backend::{CpuState, fault};
use std::arch::global_asm;
use std::cell::{Cell, UnsafeCell};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Kernel-internal result: interrupted, to be restarted when the handler has SA_RESTART or there is no handler.
pub const ERESTARTSYS: i32 = 512;
/// Kernel-internal result: restart in every case.
pub const ERESTARTNOINTR: i32 = 513;
/// Kernel-internal result: EINTR when a handler runs, else restart.
pub const ERESTARTNOHAND: i32 = 514;

// A signal between the check and the `syscall` instruction must not be missed by a call that then blocks. The handler moves a thread
// that it finds in front of the instruction to `early`: the call has not been made, so that it is made behind the guest's handler,
// whatever that handler's SA_RESTART, and no call that does not wait fails with EINTR. The kernel's own restart (it steps back onto
// `syscall` because the host handler has SA_RESTART) is told apart by RCX, where the instruction has left the address behind it; that
// thread goes to `abort`, which reports ERESTARTSYS.
global_asm!(
    ".global forearm_syscall",
    ".global forearm_syscall_start",
    ".global forearm_syscall_insn",
    ".global forearm_syscall_end",
    ".global forearm_syscall_abort",
    ".global forearm_syscall_early",
    "forearm_syscall:",
    "mov rax, rsi",
    "mov rcx, rdi",
    "mov r11, rdx",
    "mov rdi, [r11]",
    "mov rsi, [r11 + 8]",
    "mov rdx, [r11 + 16]",
    "mov r10, [r11 + 24]",
    "mov r8, [r11 + 32]",
    "mov r9, [r11 + 40]",
    "forearm_syscall_start:",
    "cmp dword ptr [rcx], 0",
    "jne forearm_syscall_early",
    "forearm_syscall_insn:",
    "syscall",
    "forearm_syscall_end:",
    "ret",
    "forearm_syscall_abort:",
    "mov rax, -512",
    "ret",
    "forearm_syscall_early:",
    "mov rax, -513",
    "ret",
);

// The return from the host handler; the kernel insists on one given by the program.
global_asm!(".global forearm_restore_rt", "forearm_restore_rt:", "mov eax, 15", "syscall");

unsafe extern "C" {
    fn forearm_syscall(pending: *const AtomicU32, number: i64, args: *const [u64; 6]) -> i64;
    static forearm_syscall_start: u8;
    static forearm_syscall_insn: u8;
    static forearm_syscall_end: u8;
    static forearm_syscall_abort: u8;
    static forearm_syscall_early: u8;
    fn forearm_restore_rt();
}

/// What the host handler knows of the guest thread it interrupted. Lives as long as the thread does.
pub struct Inbox {
    /// [`SIGNAL`]: `info` holds a signal. [`KICK`]: the thread is to park. The word that the assembly stub checks.
    pending: AtomicU32,
    info: UnsafeCell<libc::siginfo_t>,
    /// The guest's mask as far as the handler needs it: is one of `TAKEN` that was sent by kill blocked?
    mask: AtomicU64,
    /// Those of `TAKEN` that were sent while blocked or while the inbox was full (bit `signal - 1`).
    held: AtomicU64,
    held_info: UnsafeCell<[libc::siginfo_t; TAKEN.len()]>,
    cpu: *const CpuState,
}

// SAFETY: only the owning thread and the handlers running on it touch an inbox; it moves with its thread.
unsafe impl Send for Inbox {}

/// A signal waits in the inbox.
const SIGNAL: u32 = 1;
/// The thread was kicked.
const KICK: u32 = 2;

/// `si_code` of a kick. Negative, as for all that programs send; none that the kernel or a C library uses.
const SI_KICK: i32 = -0x6b63;

/// Makes a thread of this process leave translated code and waiting system calls, without a signal for the guest.
pub fn kick(tid: i32) {
    // SAFETY: siginfo_t is plain data; the system call reads it. Nothing happens if the thread is gone.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        info.si_signo = SIGSEGV;
        info.si_code = SI_KICK;
        libc::syscall(libc::SYS_rt_tgsigqueueinfo, libc::getpid(), tid, SIGSEGV, &raw const info);
    }
}

thread_local! {
    static CURRENT: Cell<*const Inbox> = const { Cell::new(std::ptr::null()) };
}

/// `pending` of threads that run no guest: never set.
static NEVER: AtomicU32 = AtomicU32::new(0);

impl Inbox {
    /// An empty inbox for the thread that runs `cpu`; `cpu` must outlive it.
    pub fn new(cpu: *const CpuState) -> Box<Inbox> {
        // SAFETY: siginfo_t is plain data, all-zero is a value of it.
        let info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        Box::new(Inbox {
            pending: AtomicU32::new(0),
            info: UnsafeCell::new(info),
            mask: AtomicU64::new(0),
            held: AtomicU64::new(0),
            held_info: UnsafeCell::new([info; TAKEN.len()]),
            cpu,
        })
    }

    /// Makes this the inbox of the calling host thread; returns the one before (a vfork child borrows its parent's
    /// thread-local storage and must give it back).
    pub fn enter(&self) -> *const Inbox {
        CURRENT.replace(self)
    }

    /// Undoes [`enter`](Self::enter).
    pub fn restore(previous: *const Inbox) {
        CURRENT.set(previous);
    }

    /// A signal waits here.
    pub fn pending(&self) -> bool {
        self.pending.load(Ordering::Acquire) & SIGNAL != 0
            || self.held.load(Ordering::Relaxed) & !self.mask.load(Ordering::Relaxed) != 0
    }

    /// Signals of `TAKEN` that the guest has blocked and somebody sent; part of sigpending.
    pub fn held(&self) -> SigSet {
        SigSet(self.held.load(Ordering::Relaxed))
    }

    /// Takes the signal out. The host's mask is still closed when it came from the handler.
    pub fn take(&self) -> Option<libc::siginfo_t> {
        if self.pending.load(Ordering::Acquire) & SIGNAL != 0 {
            // SAFETY: while `pending` says so everything that reaches the inbox is blocked; the handler will not write.
            let info = unsafe { *self.info.get() };
            self.pending.fetch_and(!SIGNAL, Ordering::Release);
            return Some(info);
        }
        self.take_held(SigSet(!self.mask.load(Ordering::Relaxed)))
    }

    /// Takes a held signal that is in `set`.
    pub fn take_held(&self, set: SigSet) -> Option<libc::siginfo_t> {
        for (slot, signal) in TAKEN.into_iter().enumerate() {
            let bit = SigSet::of(signal);
            if self.held.load(Ordering::Acquire) & bit.0 & set.0 != 0 {
                // SAFETY: the handler writes a slot only while its bit is clear.
                let info = unsafe { (*self.held_info.get())[slot] };
                self.held.fetch_and(!bit.0, Ordering::Release);
                return Some(info);
            }
        }
        None
    }

    /// The thread was kicked and has not parked since: waiting system calls return at once.
    pub fn kicked(&self) -> bool {
        self.pending.load(Ordering::Acquire) & KICK != 0
    }

    /// The thread parks, or need not.
    pub fn forget_kick(&self) {
        self.pending.fetch_and(!KICK, Ordering::Release);
    }

    /// Keeps a signal of `TAKEN` until the guest opens its mask; like the kernel, one of each.
    fn hold(&self, info: &libc::siginfo_t) {
        let Some(slot) = TAKEN.iter().position(|&s| s == info.si_signo) else { return };
        let bit = SigSet::of(info.si_signo).0;
        if self.held.load(Ordering::Acquire) & bit == 0 {
            // SAFETY: the bit is clear, so nobody reads the slot; handlers do not nest on it (full sa_mask).
            unsafe { (*self.held_info.get())[slot] = *info };
            self.held.fetch_or(bit, Ordering::Release);
        }
    }

    /// Sets the guest's mask, and the host's with it.
    pub fn set_mask(&self, mask: SigSet) {
        self.mask.store(mask.0, Ordering::Release);
        set_host_mask(mask);
    }

    /// Notes the guest's mask for a thread that has no host thread yet.
    pub fn note_mask(&self, mask: SigSet) {
        self.mask.store(mask.0, Ordering::Release);
    }

    /// A forked child has no pending signals.
    pub fn forget_held(&self) {
        self.held.store(0, Ordering::Release);
    }

    /// The guest's mask.
    pub fn mask(&self) -> SigSet {
        SigSet(self.mask.load(Ordering::Relaxed))
    }
}

/// Makes a host system call that may block or fail with EINTR. When a signal is waiting for the guest, or arrives
/// before the call, it is not made and returns `ERESTARTNOINTR`; when one arrives in the call, it returns `ERESTARTSYS`
/// (or EINTR, where the kernel never restarts that call). The run loop delivers the signal. Pass these errors on unchanged.
///
/// # Errors
/// The call's own errno, `Errno(ERESTARTNOINTR)` or `Errno(ERESTARTSYS)`.
pub fn syscall<const N: usize>(number: i64, args: [u64; N]) -> SysResult {
    from_raw(syscall_raw(number, args))
}

/// [`syscall`] with the kernel's own return value: `-errno` or a 64-bit result.
pub fn syscall_raw<const N: usize>(number: i64, args: [u64; N]) -> i64 {
    const { assert!(N <= 6) };
    let mut all = [0; 6];
    all[..N].copy_from_slice(&args);
    let inbox = CURRENT.get();
    // SAFETY: `enter`'s inbox outlives the thread's guest code; only the address of a field is formed.
    let pending = if inbox.is_null() { &raw const NEVER } else { unsafe { &raw const (*inbox).pending } };
    // SAFETY: the stub only reads the two pointers; what the system call does is the caller's business.
    unsafe { forearm_syscall(pending, number, &all) }
}

/// Sets the calling thread's host mask for a guest mask.
pub fn set_host_mask(guest: SigSet) {
    set_exact_host_mask(guest.for_host());
}

/// Sets the calling thread's host mask, those of `TAKEN` included: only just before an exec, which passes it on.
pub fn set_exact_host_mask(mask: SigSet) {
    let mask = mask.0;
    // SAFETY: rt_sigprocmask reads one word. libc's wrapper would refuse signals 32 and 33, which are the guest's.
    unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const mask, 0usize, 8usize);
    }
}

/// The calling thread's host mask.
pub fn host_mask() -> SigSet {
    let mut mask = 0u64;
    // SAFETY: rt_sigprocmask writes one word.
    unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_BLOCK, 0usize, &raw mut mask, 8usize);
    }
    SigSet(mask)
}

/// `struct sigaction` as the x86-64 kernel has it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct KernelSigaction {
    handler: usize,
    flags: u64,
    restorer: usize,
    mask: u64,
}

const SA_RESTORER: u64 = 0x0400_0000;

/// What the host does with a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// SIG_DFL.
    Default,
    /// SIG_IGN.
    Ignore,
    /// Our handler. The flags are SA_NOCLDSTOP and SA_NOCLDWAIT, which act in the kernel.
    Catch,
}

/// Sets the host's disposition of a signal.
///
/// # Errors
/// EINVAL for SIGKILL, SIGSTOP and numbers that are no signal.
pub fn set_disposition(signal: i32, disposition: Disposition, flags: u32) -> Result<(), Errno> {
    let kept = u64::from(flags) & (libc::SA_NOCLDSTOP | libc::SA_NOCLDWAIT) as u64;
    let action = KernelSigaction {
        handler: match disposition {
            Disposition::Default => libc::SIG_DFL,
            Disposition::Ignore => libc::SIG_IGN,
            Disposition::Catch => handler as *const () as usize,
        },
        flags: kept | SA_RESTORER | (libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART) as u64,
        restorer: forearm_restore_rt as *const () as usize,
        mask: SigSet(!0).for_host().0,
    };
    // SAFETY: the struct is the kernel's; the handler is async-signal-safe.
    let ret = unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, &raw const action, 0usize, 8usize) };
    if ret == 0 { Ok(()) } else { Err(Errno::last()) }
}

/// The host's disposition of a signal: what the guest inherited, as long as it has not set its own.
pub fn disposition(signal: i32) -> Disposition {
    let mut action = KernelSigaction::default();
    // SAFETY: the struct is the kernel's.
    unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, 0usize, &raw mut action, 8usize) };
    match action.handler {
        libc::SIG_DFL => Disposition::Default,
        libc::SIG_IGN => Disposition::Ignore,
        _ => Disposition::Catch,
    }
}

extern "C" fn handler(signal: i32, info: &libc::siginfo_t, context: &mut libc::ucontext_t) {
    // errno belongs to the code that was interrupted.
    // SAFETY: the address of this thread's errno.
    let errno = unsafe { *libc::__errno_location() };
    handle(signal, info, context);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

fn handle(signal: i32, info: &libc::siginfo_t, context: &mut libc::ucontext_t) {
    // SAFETY: the kernel passed both.
    if signal == SIGFPE && unsafe { trap::recover(info, context) } {
        return;
    }
    if matches!(signal, libc::SIGSEGV | libc::SIGBUS) && info.si_code > 0 {
        // SAFETY: the kernel passed both for a synchronous fault.
        if unsafe { fault::recover(info, context) } {
            return;
        }
        own_fault(signal, info, context);
    }
    let current = CURRENT.get();
    if current.is_null() {
        return;
    }
    // SAFETY: `enter`'s inbox lives while the thread runs guest code.
    let inbox = unsafe { &*current };
    if signal == SIGSEGV && info.si_code == SI_KICK {
        inbox.pending.fetch_or(KICK, Ordering::Release);
    } else if is_taken(signal)
        && (inbox.mask().contains(signal) || inbox.pending.load(Ordering::Acquire) & SIGNAL != 0)
    {
        inbox.hold(info);
    } else {
        // SAFETY: the inbox is empty, because everything is blocked while it is not.
        unsafe { *inbox.info.get() = *info };
        inbox.pending.fetch_or(SIGNAL, Ordering::Release);
        let closed = SigSet(!0).for_host().0;
        // SAFETY: the kernel's signal mask in the frame is one word; libc's type is longer.
        unsafe { *(&raw mut context.uc_sigmask).cast::<u64>() = closed };
    }
    // SAFETY: the CPU state outlives the inbox.
    unsafe { (*inbox.cpu).request_exit() };
    let gregs = &mut context.uc_mcontext.gregs;
    let rip = gregs[libc::REG_RIP as usize];
    let (start, insn) = (&raw const forearm_syscall_start as i64, &raw const forearm_syscall_insn as i64);
    let behind = &raw const forearm_syscall_end as i64;
    let made = || gregs[libc::REG_RCX as usize] == behind || KEEPS_RCX.load(Ordering::Relaxed);
    if (start..insn).contains(&rip) || rip == insn && !made() {
        gregs[libc::REG_RIP as usize] = &raw const forearm_syscall_early as i64;
    } else if rip == insn {
        gregs[libc::REG_RIP as usize] = &raw const forearm_syscall_abort as i64;
    }
}

/// `syscall` leaves RCX alone, as it does under FRED: a thread that is at the instruction counts as restarted.
static KEEPS_RCX: AtomicBool = AtomicBool::new(false);

/// Finds out whether `syscall` leaves RCX alone, before the first handler is installed.
pub fn look_at_syscall() {
    let mut rcx = 1u64;
    // SAFETY: getpid; the operands are those that the instruction and the kernel change.
    unsafe {
        std::arch::asm!("syscall", inout("rax") libc::SYS_getpid => _, inout("rcx") rcx, out("r11") _, options(nostack));
    }
    KEEPS_RCX.store(rcx == 1, Ordering::Relaxed);
}

/// A fault of the translator itself: one line, then SIGABRT, so that a parent sees that something is wrong.
fn own_fault(signal: i32, info: &libc::siginfo_t, context: &libc::ucontext_t) -> ! {
    let mut line = [0u8; 160];
    let mut cursor = std::io::Cursor::new(&mut line[..]);
    // SAFETY: a synchronous fault has si_addr.
    let addr = unsafe { info.si_addr() } as u64;
    let rip = context.uc_mcontext.gregs[libc::REG_RIP as usize] as u64;
    // The handler itself is a fixed point of the image: the difference survives address randomisation.
    let offset = rip.wrapping_sub(handler as *const () as u64) as i64;
    let _ = std::io::Write::write_fmt(
        &mut cursor,
        format_args!(
            "forearm: internal fault: signal {signal} at {addr:#x}, code {rip:#x} (handler{offset:+#x})\n"
        ),
    );
    let len = cursor.position() as usize;
    // SAFETY: plain system calls on our own buffer.
    unsafe {
        libc::write(2, line.as_ptr().cast(), len);
    }
    die(libc::SIGABRT)
}

/// Ends the process as `signal` would: the parent sees it killed by that signal. The kernel writes no core file: it
/// would be the translator's. Async-signal-safe.
pub fn die(signal: i32) -> ! {
    // SAFETY: plain system calls on integers.
    unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, 0);
        raise(signal);
        // Only PID 1 of a namespace gets here: its own default-action signals are discarded.
        libc::syscall(libc::SYS_exit_group, 128 + signal);
    }
    unreachable!("exit_group does not return")
}

/// Sends the calling thread a signal that does what it does by default. Async-signal-safe.
pub fn raise(signal: i32) {
    let _ = set_disposition(signal, Disposition::Default, 0);
    let open = !SigSet::of(signal).0;
    // SAFETY: plain system calls on values of our own.
    unsafe {
        libc::syscall(libc::SYS_tgkill, libc::getpid(), libc::gettid(), signal);
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const open, 0usize, 8usize);
    }
}

/// Bytes of the stack that host handlers run on; `fault::recover` may look things up.
const HANDLER_STACK: usize = 64 << 10;

/// The stack that the calling host thread's signal handlers run on, until it is dropped by the same thread.
pub struct HandlerStack(*mut libc::c_void);

impl HandlerStack {
    /// Maps one and makes it the calling thread's. Without memory for it, handlers run on the thread's own stack.
    #[expect(clippy::new_without_default, reason = "it changes the calling thread")]
    pub fn new() -> HandlerStack {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a fresh anonymous mapping; sigaltstack reads the struct.
        unsafe {
            let sp = libc::mmap(std::ptr::null_mut(), HANDLER_STACK, prot, flags, -1, 0);
            if sp != libc::MAP_FAILED {
                let stack = libc::stack_t { ss_sp: sp, ss_flags: 0, ss_size: HANDLER_STACK };
                libc::sigaltstack(&stack, std::ptr::null_mut());
            }
            HandlerStack(sp)
        }
    }
}

impl Drop for HandlerStack {
    fn drop(&mut self) {
        let stack = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        // SAFETY: no handler is running, as this is not one; then what `new` mapped is unmapped.
        unsafe {
            libc::sigaltstack(&stack, std::ptr::null_mut());
            if self.0 != libc::MAP_FAILED {
                libc::munmap(self.0, HANDLER_STACK);
            }
        }
    }
}
