//! System calls, one file a family. `table.rs` has a line a number.

// Files.
mod aio;
#[cfg(test)]
mod document;
mod eventpoll;
mod fcntl;
mod ioctl;
mod mount;
mod namei;
mod notify;
mod open;
mod pass;
mod path;
mod read_write;
mod readdir;
mod select;
mod stat;
mod sync;
mod utimes;
mod xattr;

// Processes, memory, signals.
mod arm;
pub mod exec;
mod memory;
mod prctl;
mod process;
pub mod signal;

// Network, IPC, time, scheduling, identity.
mod credentials;
mod futex;
mod host;
mod ipc;
mod other_process;
pub mod resource;
mod sched;
mod socket;
pub mod strace;
mod time;

pub mod table;

pub use readdir::Directories;

use crate::errno::{Errno, SysResult};
use crate::log;
use crate::signals::deliver::Restart;
use crate::signals::{ERESTARTNOHAND, ERESTARTSYS};
use crate::stats;
use crate::threads::Thread;

/// r0 to r6 of a system call.
#[derive(Clone, Copy, Debug)]
pub struct Args(pub [u32; 7]);

impl Args {
    /// A 64-bit argument in registers `n` (even, low half) and `n + 1`, as the EABI passes it.
    pub fn u64(&self, n: usize) -> u64 {
        u64::from(self.0[n]) | u64::from(self.0[n + 1]) << 32
    }

    /// A signed argument, for host calls that take `long`.
    pub fn i32(&self, n: usize) -> i32 {
        self.0[n] as i32
    }
}

impl std::ops::Index<usize> for Args {
    type Output = u32;
    fn index(&self, n: usize) -> &u32 {
        &self.0[n]
    }
}

/// A system call's implementation.
pub type Handler = fn(&mut Thread, Args) -> SysResult;

/// How `-strace` prints an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Signed decimal.
    Int,
    /// Unsigned decimal: sizes, counts.
    Size,
    /// Hexadecimal.
    Hex,
    /// A request of ioctl.
    IoctlRequest,
    /// Octal mode.
    Mode,
    /// A pointer, in hexadecimal, NULL for 0.
    Ptr,
    /// A file descriptor.
    Fd,
    /// A number that is to become a file descriptor.
    NewFd,
    /// A directory descriptor or AT_FDCWD.
    DirFd,
    /// A path in guest memory.
    Path,
    /// A buffer the call reads; its length is the next argument.
    Buf,
    /// A buffer the call fills; its length is the result.
    OutBuf,
    /// A signal number.
    Signal,
    /// open's flags.
    OpenFlags,
    /// mmap's protection.
    Prot,
    /// mmap's flags.
    MapFlags,
    /// clone's flags.
    CloneFlags,
    /// A clock ID.
    Clock,
    /// Low half of a 64-bit argument; the register after it is not printed by itself.
    I64,
    /// The register that aligns a 64-bit argument to an even pair: not printed.
    Pad,
    /// An address family.
    Family,
    /// A socket type with SOCK_NONBLOCK and SOCK_CLOEXEC.
    SockType,
    /// A socket address the call reads; its length is the next argument.
    Sockaddr,
    /// A socket address the call fills; the next argument points to its length.
    OutSockaddr,
    /// `MSG_*`.
    MsgFlags,
    /// A message to send.
    Msghdr,
    /// A message the call fills.
    OutMsghdr,
    /// An old timespec.
    Timespec32,
    /// An old timespec the call fills.
    OutTimespec32,
    /// A timespec of the time64 calls.
    Timespec64,
    /// A timespec of the time64 calls, which the call fills.
    OutTimespec64,
    /// A futex operation.
    FutexOp,
    /// `RLIMIT_*`.
    Resource,
    /// An rlimit of 32 bits.
    Rlimit32,
    /// An rlimit of 32 bits the call fills.
    OutRlimit32,
    /// An rlimit64.
    Rlimit64,
    /// An rlimit64 the call fills.
    OutRlimit64,
    /// A wait status the call fills.
    WaitStatus,
    /// An array of strings ended by NULL: argv.
    Strings,
    /// `AT_*` flags.
    AtFlags,
    /// access's mode.
    Access,
    /// lseek's whence.
    Whence,
    /// What sigprocmask does.
    SigHow,
    /// fcntl's command.
    FcntlCmd,
}

/// One line of the table.
#[derive(Debug)]
pub struct Syscall {
    /// Number under the ARM EABI (arch/arm/tools/syscall.tbl).
    pub number: u32,
    /// The kernel's name.
    pub name: &'static str,
    /// Argument kinds for `-strace`.
    pub args: &'static [Kind],
    /// Its implementation.
    pub run: Handler,
}

/// Numbers of the table are below this; ARM's private ones follow it in [`INDEX`].
const NUMBERS: usize = 480;
const PRIVATE: usize = 16;
const NONE: u16 = u16::MAX;

/// Where a number's line is in the table.
static INDEX: [u16; NUMBERS + PRIVATE] = {
    let mut index = [NONE; NUMBERS + PRIVATE];
    let mut line = 0;
    while line < table::TABLE.len() {
        let slot = slot(table::TABLE[line].number).expect("a number beyond the table");
        assert!(index[slot] == NONE, "a number has two lines");
        index[slot] = line as u16;
        line += 1;
    }
    index
};

const fn slot(number: u32) -> Option<usize> {
    match number {
        0..480 => Some(number as usize),
        arm::BASE..0xf0010 => Some(NUMBERS + (number - arm::BASE) as usize),
        _ => None,
    }
}

/// The table's line for a number.
pub fn lookup(number: u32) -> Option<&'static Syscall> {
    let line = INDEX[slot(number)?];
    table::TABLE.get(usize::from(line))
}

/// Makes the system call that the thread's registers ask for: number in r7, arguments in r0 to r6, result in r0.
pub fn dispatch(thread: &mut Thread) {
    let [a0, a1, a2, a3, a4, a5, a6, number, ..] = thread.cpu.r;
    let args = Args([a0, a1, a2, a3, a4, a5, a6]);
    let call = lookup(number);
    let traced = thread.process.options.strace;
    stats::syscall(number);
    if traced {
        strace::enter(thread, call, number, args);
    }
    let result = match call {
        Some(call) if names_hidden_fd(thread, call, args) => Err(Errno(libc::EBADF)),
        Some(call) => (call.run)(thread, args),
        None if number >= arm::BASE => arm::unknown(thread, number),
        None => {
            log_unsupported(number);
            Err(Errno(libc::ENOSYS))
        }
    };
    if traced {
        strace::leave(thread, call, args, result);
    }
    match result {
        Ok(value) => thread.cpu.r[0] = value,
        Err(Errno(code)) if code >= ERESTARTSYS => thread.restart = Some(Restart { r0: a0, code }),
        // Interrupted only to park: the call is made again. (A relative timeout starts anew.)
        Err(Errno(libc::EINTR)) if thread.inbox.kicked() && !thread.inbox.pending() => {
            thread.restart = Some(Restart { r0: a0, code: ERESTARTNOHAND });
        }
        Err(Errno(code)) => thread.cpu.r[0] = (-code) as u32,
    }
}

/// `-d unimp`.
fn log_unsupported(number: u32) {
    if log::wants(log::Items::UNIMP) {
        log::write(&format!("Unsupported syscall: {number}\n"));
    }
}

/// Is an argument a descriptor of the translator's own? To the guest none of those is open.
fn names_hidden_fd(thread: &Thread, call: &Syscall, args: Args) -> bool {
    let process = &thread.process;
    let mut hidden = process.hidden_fds();
    let is_fd = |kind: &Kind| matches!(kind, Kind::Fd | Kind::DirFd);
    hidden.any(|fd| {
        args.0.contains(&(fd as u32)) && call.args.iter().zip(args.0).any(|(k, a)| a == fd as u32 && is_fd(k))
    })
}

/// A number that is ENOSYS on purpose; the table's line says why.
pub fn enosys(t: &mut Thread, _: Args) -> SysResult {
    log_unsupported(t.cpu.r[7]);
    Err(Errno(libc::ENOSYS))
}
