//! fs/fcntl.c, fs/locks.c, fs/file.c, fs/pipe.c: descriptors, record locks, pipes.

use super::Args;
use super::host::{host, host_wait};
use super::pass::passthrough;
use crate::abi::flock::Flock32;
use crate::abi::open_flags;
use crate::errno::{Errno, SysResult};
use crate::threads::Thread;

passthrough! {
    flock = libc::SYS_flock, (Int Uint);
    memfd_create = libc::SYS_memfd_create, (Ptr Uint);
    eventfd = libc::SYS_eventfd, (Uint);
    eventfd2 = libc::SYS_eventfd2, (Uint Uint);
}

// `struct flock64` forms, numbered only on 32-bit machines.
const F_GETLK64: i32 = 12;
const F_SETLK64: i32 = 13;
const F_SETLKW64: i32 = 14;
// Not in libc's list.
const F_SETSIG: i32 = 10;
const F_GETSIG: i32 = 11;
const F_SETOWN_EX: i32 = 15;
const F_GETOWN_EX: i32 = 16;
const F_GETOWNER_UIDS: i32 = 17;
const F_DUPFD_QUERY: i32 = 1027;
const F_CREATED_QUERY: i32 = 1028;
const F_GET_RW_HINT: i32 = 1035;
const F_SET_RW_HINT: i32 = 1036;
const F_GET_FILE_RW_HINT: i32 = 1037;
const F_SET_FILE_RW_HINT: i32 = 1038;
const F_GETDELEG: i32 = 1039;
const F_SETDELEG: i32 = 1040;

/// fcntl without large files: no OFD locks and no `struct flock64`.
pub(super) fn fcntl(t: &mut Thread, a: Args) -> SysResult {
    match a.i32(1) {
        F_GETLK64 | F_SETLK64 | F_SETLKW64 | libc::F_OFD_GETLK | libc::F_OFD_SETLK | libc::F_OFD_SETLKW => {
            Err(Errno(libc::EINVAL))
        }
        _ => fcntl64(t, a),
    }
}

pub(super) fn fcntl64(t: &mut Thread, a: Args) -> SysResult {
    let (fd, cmd) = (a.i32(0), a.i32(1));
    let plain = |cmd: i32| host_wait!(libc::SYS_fcntl, fd, cmd, a.i32(2));
    let pointer = |cmd: i32| host_wait!(libc::SYS_fcntl, fd, cmd, t.mem.ptr::<u8>(a[2]));
    match cmd {
        libc::F_DUPFD | libc::F_DUPFD_CLOEXEC => {
            let new = plain(cmd)?;
            t.process.directories.duplicated(fd, new as i32);
            Ok(new)
        }
        libc::F_GETFL => plain(cmd).map(open_flags::from_host),
        libc::F_SETFL => host_wait!(libc::SYS_fcntl, fd, cmd, open_flags::to_host(a[2])),
        libc::F_GETLK => {
            let mut lock = libc::flock::from(t.mem.read::<Flock32>(a[2])?);
            host!(libc::SYS_fcntl, fd, cmd, &mut lock)?;
            t.mem.write(a[2], &Flock32::try_from(lock)?)?;
            Ok(0)
        }
        libc::F_SETLK | libc::F_SETLKW => {
            let lock = libc::flock::from(t.mem.read::<Flock32>(a[2])?);
            host_wait!(libc::SYS_fcntl, fd, cmd, &lock)
        }
        F_GETLK64 => pointer(libc::F_GETLK),
        F_SETLK64 => pointer(libc::F_SETLK),
        F_SETLKW64 => pointer(libc::F_SETLKW),
        libc::F_OFD_GETLK | libc::F_OFD_SETLK | libc::F_OFD_SETLKW => pointer(cmd),
        libc::F_GETOWN => owner(fd),
        F_GETOWN_EX | F_SETOWN_EX | F_GETOWNER_UIDS | F_GET_RW_HINT | F_SET_RW_HINT | F_GET_FILE_RW_HINT
        | F_SET_FILE_RW_HINT | F_GETDELEG | F_SETDELEG => pointer(cmd),
        libc::F_GETFD
        | libc::F_SETFD
        | libc::F_SETOWN
        | F_SETSIG
        | F_GETSIG
        | libc::F_SETLEASE
        | libc::F_GETLEASE
        | libc::F_NOTIFY
        | F_DUPFD_QUERY
        | F_CREATED_QUERY
        | libc::F_CANCELLK
        | libc::F_SETPIPE_SZ
        | libc::F_GETPIPE_SZ
        | libc::F_ADD_SEALS
        | libc::F_GET_SEALS => plain(cmd),
        // EBADF for what was opened with O_PATH, else EINVAL.
        _ => plain(-1),
    }
}

/// F_GETOWN gives a process group as a negative number, which looks like an error: F_GETOWN_EX does not.
fn owner(fd: i32) -> SysResult {
    /// `struct f_owner_ex`.
    #[repr(C)]
    struct Owner {
        kind: i32,
        pid: i32,
    }
    /// F_OWNER_PGRP.
    const PGRP: i32 = 2;
    let mut owner = Owner { kind: 0, pid: 0 };
    host!(libc::SYS_fcntl, fd, F_GETOWN_EX, &mut owner)?;
    Ok(if owner.kind == PGRP { -owner.pid } else { owner.pid } as u32)
}

pub(super) fn dup(t: &mut Thread, a: Args) -> SysResult {
    let old = a.i32(0);
    let new = host!(libc::SYS_dup, old)?;
    t.process.directories.duplicated(old, new as i32);
    Ok(new)
}

pub(super) fn dup2(t: &mut Thread, a: Args) -> SysResult {
    duplicate_to(t, libc::SYS_dup2, a.i32(0), a.i32(1), 0)
}

pub(super) fn dup3(t: &mut Thread, a: Args) -> SysResult {
    duplicate_to(t, libc::SYS_dup3, a.i32(0), a.i32(1), a[2])
}

/// dup2 or dup3. A descriptor of forearm's own that lies on the guest's number moves away.
fn duplicate_to(t: &Thread, nr: libc::c_long, old: i32, new: i32, flags: u32) -> SysResult {
    t.process.yield_fd(new);
    let result = host_wait!(nr, old, new, flags)?;
    if old != new {
        t.process.directories.duplicated(old, new);
    }
    Ok(result)
}

pub(super) fn pipe(t: &mut Thread, a: Args) -> SysResult {
    do_pipe(t, a[0], 0)
}

pub(super) fn pipe2(t: &mut Thread, a: Args) -> SysResult {
    do_pipe(t, a[0], open_flags::to_host(a[1]))
}

fn do_pipe(t: &Thread, fds: u32, flags: u32) -> SysResult {
    host!(libc::SYS_pipe2, t.mem.ptr::<[i32; 2]>(fds), flags)
}
