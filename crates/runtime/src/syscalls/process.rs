//! Processes and threads: clone, exit, wait, and who is who.

use super::Args;
use crate::abi::resource::Rusage32;
use crate::errno::{Errno, SysResult};
use crate::signals::siginfo;
use crate::syscalls::host::{host, host_wait};
use crate::threads::Thread;
use crate::threads::clone::{self, CloneArgs};
use crate::threads::robust;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// clone(flags, stack, parent_tid, tls, child_tid): ARM's order (CONFIG_CLONE_BACKWARDS).
pub fn clone(t: &mut Thread, a: Args) -> SysResult {
    const CSIGNAL: u32 = 0xff;
    const BOTH: u32 = (libc::CLONE_PIDFD | libc::CLONE_PARENT_SETTID) as u32;
    if a[0] & BOTH == BOTH {
        // They would be stored at one place.
        return Err(Errno(libc::EINVAL));
    }
    clone::clone(
        t,
        CloneArgs {
            flags: u64::from(a[0] & !CSIGNAL),
            exit_signal: (a[0] & CSIGNAL) as i32,
            pidfd: a[2],
            parent_tid: a[2],
            child_tid: a[4],
            stack: a[1],
            tls: a[3],
            ..CloneArgs::default()
        },
    )
}

/// fork.
pub fn fork(t: &mut Thread, _: Args) -> SysResult {
    clone::clone(t, CloneArgs { exit_signal: libc::SIGCHLD, ..CloneArgs::default() })
}

/// vfork.
pub fn vfork(t: &mut Thread, _: Args) -> SysResult {
    let flags = (libc::CLONE_VM | libc::CLONE_VFORK) as u64;
    clone::clone(t, CloneArgs { flags, exit_signal: libc::SIGCHLD, ..CloneArgs::default() })
}

/// `struct clone_args`; the same on all machines.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
struct Clone3 {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// clone3. CLONE_INTO_CGROUP, which only service managers use, answers EINVAL, and so does `set_tid` with CLONE_VM.
pub fn clone3(t: &mut Thread, a: Args) -> SysResult {
    const VER0: usize = 64;
    const CLEAR_SIGHAND: u64 = 1 << 32;
    const MAX_PID_NS_LEVEL: u64 = 32;
    let size = a[1] as usize;
    if size > 4096 {
        return Err(Errno(libc::E2BIG));
    }
    if size < VER0 {
        return Err(Errno(libc::EINVAL));
    }
    let mut bytes = [0; size_of::<Clone3>()];
    let given = t.mem.read_bytes(a[0], size)?;
    let known = size.min(bytes.len());
    if given[known..].iter().any(|&b| b != 0) {
        return Err(Errno(libc::E2BIG));
    }
    bytes[..known].copy_from_slice(&given[..known]);
    let c = Clone3::read_from_bytes(&bytes).map_err(|_| Errno(libc::EINVAL))?;
    let pointer = |x: u64| u32::try_from(x).map_err(|_| Errno(libc::EINVAL));
    let invalid = c.flags & !(CLEAR_SIGHAND | u64::from(u32::MAX)) != 0
        || c.set_tid_size > MAX_PID_NS_LEVEL
        || (c.set_tid == 0) != (c.set_tid_size == 0)
        || c.exit_signal > 64
        || (c.stack == 0) != (c.stack_size == 0)
        || c.flags & (libc::CLONE_THREAD | libc::CLONE_PARENT) as u64 != 0 && c.exit_signal != 0
        || c.flags & (libc::CLONE_DETACHED as u64 | 0xff) != 0;
    if invalid {
        return Err(Errno(libc::EINVAL));
    }
    let args = CloneArgs {
        flags: c.flags & !CLEAR_SIGHAND,
        exit_signal: c.exit_signal as i32,
        pidfd: pointer(c.pidfd)?,
        child_tid: pointer(c.child_tid)?,
        parent_tid: pointer(c.parent_tid)?,
        stack: pointer(c.stack.wrapping_add(c.stack_size))?,
        tls: pointer(c.tls)?,
        clear_sighand: c.flags & CLEAR_SIGHAND != 0,
        set_tid: match c.set_tid_size {
            0 => Vec::new(),
            n => t.mem.read_array(pointer(c.set_tid)?, n as usize)?,
        },
    };
    if args.clear_sighand && c.flags & libc::CLONE_SIGHAND as u64 != 0 {
        return Err(Errno(libc::EINVAL));
    }
    clone::clone(t, args)
}

/// exit.
pub fn exit(t: &mut Thread, a: Args) -> SysResult {
    t.exit(a.i32(0) & 0xff);
    Ok(0)
}

/// exit_group.
pub fn exit_group(t: &mut Thread, a: Args) -> SysResult {
    t.exit_group(a.i32(0) & 0xff)
}

/// set_tid_address.
pub fn set_tid_address(t: &mut Thread, a: Args) -> SysResult {
    t.clear_child_tid = a[0];
    Ok(t.tid as u32)
}

/// set_robust_list: see `threads::robust`.
pub fn set_robust_list(t: &mut Thread, a: Args) -> SysResult {
    if a[1] != robust::HEAD_SIZE {
        return Err(Errno(libc::EINVAL));
    }
    robust::set(t, a[0]);
    Ok(0)
}

/// get_robust_list of the calling thread; other threads' lists are EPERM.
pub fn get_robust_list(t: &mut Thread, a: Args) -> SysResult {
    if a[0] != 0 && a.i32(0) != t.tid {
        return Err(Errno(libc::EPERM));
    }
    t.mem.write(a[2], &robust::HEAD_SIZE)?;
    t.mem.write(a[1], &t.robust_list)?;
    Ok(0)
}

/// wait4.
pub fn wait4(t: &mut Thread, a: Args) -> SysResult {
    let mut status = 0i32;
    // SAFETY: plain data.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let pid = host_wait!(libc::SYS_wait4, a.i32(0), &mut status, a.i32(2), &mut usage)?;
    if pid != 0 {
        if a[1] != 0 {
            t.mem.write(a[1], &status)?;
        }
        if a[3] != 0 {
            t.mem.write(a[3], &Rusage32::from(&usage))?;
        }
    }
    Ok(pid)
}

/// waitid.
pub fn waitid(t: &mut Thread, a: Args) -> SysResult {
    // SAFETY: plain data.
    let (mut info, mut usage): (libc::siginfo_t, libc::rusage) = unsafe { std::mem::zeroed() };
    host_wait!(libc::SYS_waitid, a.i32(0), a.i32(1), &mut info, a.i32(3), &mut usage)?;
    if a[2] != 0 {
        t.mem.write_bytes(a[2], &siginfo::to_guest(&info))?;
    }
    if a[4] != 0 && info.si_signo != 0 {
        t.mem.write(a[4], &Rusage32::from(&usage))?;
    }
    Ok(0)
}

/// getpid.
pub fn getpid(_: &mut Thread, _: Args) -> SysResult {
    host!(libc::SYS_getpid)
}

/// getppid.
pub fn getppid(_: &mut Thread, _: Args) -> SysResult {
    host!(libc::SYS_getppid)
}

/// gettid.
pub fn gettid(_: &mut Thread, _: Args) -> SysResult {
    host!(libc::SYS_gettid)
}

/// setpgid.
pub fn setpgid(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_setpgid, a.i32(0), a.i32(1))
}

/// getpgid.
pub fn getpgid(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_getpgid, a.i32(0))
}

/// getpgrp.
pub fn getpgrp(_: &mut Thread, _: Args) -> SysResult {
    host!(libc::SYS_getpgrp)
}

/// setsid.
pub fn setsid(_: &mut Thread, _: Args) -> SysResult {
    host!(libc::SYS_setsid)
}

/// getsid.
pub fn getsid(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_getsid, a.i32(0))
}
