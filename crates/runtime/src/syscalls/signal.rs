//! Signal actions, masks, waiting and sending.

use super::Args;
use crate::abi::time::{GuestTimespec, Timespec32, Timespec64};
use crate::errno::{Errno, SysResult};
use crate::signals::{
    ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS, NSIG, SigAction, SigSet, deliver, frame, host, siginfo,
};
use crate::syscalls::host::{host, host_wait};
use crate::threads::Thread;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `struct sigaction` of rt_sigaction.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
struct KernelSigaction {
    handler: u32,
    flags: u32,
    restorer: u32,
    mask: [u32; 2],
}

/// `struct old_sigaction` of sigaction.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
struct OldSigaction {
    handler: u32,
    mask: u32,
    flags: u32,
    restorer: u32,
}

fn set_of(words: [u32; 2]) -> SigSet {
    SigSet(u64::from(words[0]) | u64::from(words[1]) << 32)
}

fn words_of(set: SigSet) -> [u32; 2] {
    [set.0 as u32, (set.0 >> 32) as u32]
}

/// Size of a `sigset_t`, which callers must give.
fn check_size(size: u32) -> Result<(), Errno> {
    if size == 8 { Ok(()) } else { Err(Errno(libc::EINVAL)) }
}

/// do_sigaction: the old action, after setting the new one.
fn sigaction_common(t: &mut Thread, signal: i32, new: Option<SigAction>) -> Result<SigAction, Errno> {
    let fixed = matches!(signal, libc::SIGKILL | libc::SIGSTOP);
    if !(1..=NSIG).contains(&signal) || fixed && new.is_some() {
        return Err(Errno(libc::EINVAL));
    }
    let old = t.process.sigactions().get(signal);
    if let Some(new) = new {
        if matches!(signal, libc::SIGSEGV | libc::SIGBUS) && new.handler > crate::signals::SIG_IGN {
            t.process.engine.make_precise();
        }
        deliver::set_action(t, signal, SigAction { mask: new.mask.blockable(), ..new })?;
    }
    Ok(old)
}

/// rt_sigaction.
pub fn rt_sigaction(t: &mut Thread, a: Args) -> SysResult {
    check_size(a[3])?;
    let new = match a[1] {
        0 => None,
        addr => {
            let k: KernelSigaction = t.mem.read(addr)?;
            let mask = set_of(k.mask);
            Some(SigAction { handler: k.handler, flags: k.flags, restorer: k.restorer, mask })
        }
    };
    let old = sigaction_common(t, a.i32(0), new)?;
    if a[2] != 0 {
        let mask = words_of(old.mask);
        let k = KernelSigaction { handler: old.handler, flags: old.flags, restorer: old.restorer, mask };
        t.mem.write(a[2], &k)?;
    }
    Ok(0)
}

/// sigaction.
pub fn sigaction(t: &mut Thread, a: Args) -> SysResult {
    let new = match a[1] {
        0 => None,
        addr => {
            let k: OldSigaction = t.mem.read(addr)?;
            let mask = SigSet(k.mask.into());
            Some(SigAction { handler: k.handler, flags: k.flags, restorer: k.restorer, mask })
        }
    };
    let old = sigaction_common(t, a.i32(0), new)?;
    if a[2] != 0 {
        let (handler, flags, restorer) = (old.handler, old.flags, old.restorer);
        t.mem.write(a[2], &OldSigaction { handler, mask: old.mask.0 as u32, flags, restorer })?;
    }
    Ok(0)
}

/// The mask after `how` is done with `set`; only the bits of `width` change.
fn masked(old: SigSet, how: i32, set: SigSet, width: u64) -> Result<SigSet, Errno> {
    let new = match how {
        libc::SIG_BLOCK => old.0 | set.0,
        libc::SIG_UNBLOCK => old.0 & !set.0,
        libc::SIG_SETMASK => old.0 & !width | set.0,
        _ => return Err(Errno(libc::EINVAL)),
    };
    Ok(SigSet(new).blockable())
}

/// rt_sigprocmask.
pub fn rt_sigprocmask(t: &mut Thread, a: Args) -> SysResult {
    check_size(a[3])?;
    let old = t.inbox.mask();
    if a[1] != 0 {
        let set = set_of(t.mem.read(a[1])?);
        t.inbox.set_mask(masked(old, a.i32(0), set, !0)?);
    }
    if a[2] != 0 {
        t.mem.write(a[2], &words_of(old))?;
    }
    Ok(0)
}

/// sigprocmask: the first 32 signals.
pub fn sigprocmask(t: &mut Thread, a: Args) -> SysResult {
    let old = t.inbox.mask();
    if a[1] != 0 {
        let set = SigSet(t.mem.read::<u32>(a[1])?.into());
        t.inbox.set_mask(masked(old, a.i32(0), set, u32::MAX.into())?);
    }
    if a[2] != 0 {
        t.mem.write(a[2], &(old.0 as u32))?;
    }
    Ok(0)
}

fn pending(t: &Thread) -> Result<SigSet, Errno> {
    let mut set = 0u64;
    host!(libc::SYS_rt_sigpending, &mut set, 8u32)?;
    Ok(SigSet((set | t.inbox.held().0) & t.inbox.mask().0))
}

/// rt_sigpending.
pub fn rt_sigpending(t: &mut Thread, a: Args) -> SysResult {
    if a[1] > 8 {
        return Err(Errno(libc::EINVAL));
    }
    let words = words_of(pending(t)?);
    t.mem.write_bytes(a[0], &words.as_bytes()[..a[1] as usize])?;
    Ok(0)
}

/// sigpending.
pub fn sigpending(t: &mut Thread, a: Args) -> SysResult {
    let set = pending(t)?;
    t.mem.write(a[0], &(set.0 as u32))?;
    Ok(0)
}

/// Waits for a signal that `mask` lets through; its handler runs and then the old mask is back.
fn suspend(t: &mut Thread, mask: SigSet) -> SysResult {
    let mask = mask.blockable();
    t.temporary_mask = Some(mask);
    // A held SIGSEGV that the new mask opens ends the wait at once.
    if t.inbox.held().0 & !mask.0 != 0 {
        return Err(Errno(libc::EINTR));
    }
    let host = mask.for_host();
    match host_wait!(libc::SYS_rt_sigsuspend, &host.0, 8u32) {
        // sigsuspend is never restarted once a handler ran, and a signal that came just before it may as well have come just behind.
        Err(Errno(ERESTARTSYS | ERESTARTNOINTR)) => Err(Errno(ERESTARTNOHAND)),
        other => other,
    }
}

/// rt_sigsuspend.
pub fn rt_sigsuspend(t: &mut Thread, a: Args) -> SysResult {
    check_size(a[1])?;
    let mask = set_of(t.mem.read(a[0])?);
    suspend(t, mask)
}

/// sigsuspend(restart, oldmask, mask).
pub fn sigsuspend(t: &mut Thread, a: Args) -> SysResult {
    suspend(t, SigSet(a[2].into()))
}

/// pause.
pub fn pause(t: &mut Thread, _: Args) -> SysResult {
    suspend(t, t.inbox.mask())
}

fn timedwait<T: GuestTimespec>(t: &mut Thread, a: Args) -> SysResult {
    check_size(a[3])?;
    let set = set_of(t.mem.read(a[0])?).blockable();
    let timeout = match a[2] {
        0 => None,
        addr => Some(t.mem.read::<T>(addr)?.to_host()),
    };
    // SAFETY: siginfo_t is plain data, all-zero is a value of it.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let signal = match t.inbox.take_held(set) {
        Some(held) => {
            info = held;
            held.si_signo as u32
        }
        None => host_wait!(libc::SYS_rt_sigtimedwait, &set.0, &mut info, timeout.as_ref(), 8u32)?,
    };
    if a[1] != 0 {
        t.mem.write_bytes(a[1], &siginfo::to_guest(&info))?;
    }
    Ok(signal)
}

/// rt_sigtimedwait with a 32-bit time.
pub fn rt_sigtimedwait_time32(t: &mut Thread, a: Args) -> SysResult {
    timedwait::<Timespec32>(t, a)
}

/// rt_sigtimedwait with a 64-bit time.
pub fn rt_sigtimedwait_time64(t: &mut Thread, a: Args) -> SysResult {
    timedwait::<Timespec64>(t, a)
}

/// sigaltstack.
pub fn sigaltstack(t: &mut Thread, a: Args) -> SysResult {
    let old = t.altstack;
    let sp = t.cpu.r[13];
    if a[0] != 0 {
        let new: frame::Stack = t.mem.read(a[0])?;
        t.altstack.set(new, sp)?;
    }
    if a[1] != 0 {
        let stack = frame::Stack { sp: old.sp, flags: old.reported_flags(sp), size: old.size };
        t.mem.write(a[1], &stack)?;
    }
    Ok(0)
}

fn sigreturn_common(t: &mut Thread, rt: bool) -> SysResult {
    if frame::leave(t, rt).is_err() {
        deliver::bad_frame(t);
    }
    // Whatever r0 is now stays.
    Ok(t.cpu.r[0])
}

/// sigreturn.
pub fn sigreturn(t: &mut Thread, _: Args) -> SysResult {
    sigreturn_common(t, false)
}

/// rt_sigreturn.
pub fn rt_sigreturn(t: &mut Thread, _: Args) -> SysResult {
    sigreturn_common(t, true)
}

/// kill.
pub fn kill(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_kill, a.i32(0), a.i32(1))
}

/// tkill.
pub fn tkill(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_tkill, a.i32(0), a.i32(1))
}

/// tgkill.
pub fn tgkill(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_tgkill, a.i32(0), a.i32(1), a.i32(2))
}

/// The caller's siginfo with the signal number put in, as the kernel does.
fn info_for(t: &Thread, addr: u32, signal: i32) -> Result<libc::siginfo_t, Errno> {
    let mut bytes: [u8; siginfo::SIZE] = t.mem.read(addr)?;
    bytes[..4].copy_from_slice(&signal.to_le_bytes());
    Ok(siginfo::from_guest(&bytes))
}

/// rt_sigqueueinfo.
pub fn rt_sigqueueinfo(t: &mut Thread, a: Args) -> SysResult {
    let info = info_for(t, a[2], a.i32(1))?;
    host!(libc::SYS_rt_sigqueueinfo, a.i32(0), a.i32(1), &info)
}

/// rt_tgsigqueueinfo.
pub fn rt_tgsigqueueinfo(t: &mut Thread, a: Args) -> SysResult {
    let info = info_for(t, a[3], a.i32(2))?;
    host!(libc::SYS_rt_tgsigqueueinfo, a.i32(0), a.i32(1), a.i32(2), &info)
}

/// signalfd4; its reads give `struct signalfd_siginfo`, which is the same on all machines.
pub fn signalfd4(t: &mut Thread, a: Args) -> SysResult {
    check_size(a[2])?;
    let mask = set_of(t.mem.read(a[1])?);
    host!(libc::SYS_signalfd4, a.i32(0), &mask.0, 8u32, a[3])
}

/// signalfd.
pub fn signalfd(t: &mut Thread, a: Args) -> SysResult {
    let Args([fd, mask, size, _, rest @ ..]) = a;
    let [a4, a5, a6] = rest;
    signalfd4(t, Args([fd, mask, size, 0, a4, a5, a6]))
}

/// pidfd_send_signal.
pub fn pidfd_send_signal(t: &mut Thread, a: Args) -> SysResult {
    let info = match a[2] {
        0 => None,
        addr => Some(siginfo::read(t.mem, addr)?),
    };
    host!(libc::SYS_pidfd_send_signal, a.i32(0), a.i32(1), info.as_ref(), a[3])
}

/// restart_syscall: the host restarts its own calls, so there is never one to take up.
pub fn restart_syscall(_: &mut Thread, _: Args) -> SysResult {
    Err(Errno(libc::EINTR))
}

/// The host's mask as the guest's first one.
pub fn inherited_mask() -> SigSet {
    host::host_mask().blockable()
}
