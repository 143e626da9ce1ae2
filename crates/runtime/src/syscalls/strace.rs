//! `-strace`: each system call in the log, in the manner of `qemu-arm -strace`:
//! `PID name(args)` when it begins, ` = result` when it ends, so that a call that waits can be seen waiting.

use super::{Args, Kind, SysResult, Syscall};
use crate::abi::iovec::Iovec32;
use crate::abi::resource::{Rlimit32, Rlimit64};
use crate::abi::socket::{Cmsghdr32, Msghdr32};
use crate::abi::time::{GuestTimespec, Timespec32, Timespec64};
use crate::errno::Errno;
use crate::log;
use crate::memory::GuestMemory;
use crate::signals::{ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS};
use crate::threads::Thread;
use std::fmt::Write;

/// Prints the beginning of a call; `None` for a number the table does not have.
pub fn enter(t: &Thread, call: Option<&Syscall>, number: u32, a: Args) {
    log::write(&match call {
        Some(call) => format!("{} {}", t.tid, call_text(t.mem, call, a)),
        None => format!("{} Unknown syscall {number}", t.tid),
    });
}

/// Prints the end of a call.
pub fn leave(t: &Thread, call: Option<&Syscall>, a: Args, result: SysResult) {
    log::write(&match call {
        Some(call) => format!("{}\n", result_text(t.mem, call, a, result)),
        None => "\n".to_string(),
    });
}

/// Prints a signal on its way to the guest.
pub fn signal(signo: i32, code: i32) {
    log::write(&format!(
        "--- {} {{si_signo={}, si_code={code}}} ---\n",
        signal_name(signo),
        signal_name(signo)
    ));
}

/// `name(args)`
fn call_text(mem: GuestMemory, call: &Syscall, a: Args) -> String {
    let mut text = format!("{}(", call.name);
    let mut first = true;
    for (kind, n) in registers(call.args) {
        // A mode counts only for a file that may be made.
        let unused = kind == Kind::Mode
            && n > 0
            && call.args.get(n - 1) == Some(&Kind::OpenFlags)
            && a[n - 1] & (0o100 | 0o20000000) == 0;
        if kind == Kind::Pad || unused {
            continue;
        }
        if !std::mem::take(&mut first) {
            text.push(',');
        }
        text.push_str(&argument(mem, kind, n, a));
    }
    text.push(')');
    text
}

/// Each kind with the number of its (first) register.
fn registers(kinds: &[Kind]) -> impl Iterator<Item = (Kind, usize)> {
    kinds.iter().scan(0, |next, &kind| {
        let n = *next;
        *next += if kind == Kind::I64 { 2 } else { 1 };
        (n < 7).then_some((kind, n))
    })
}

/// ` = result`, with what the call has filled in after it.
fn result_text(mem: GuestMemory, call: &Syscall, a: Args, result: SysResult) -> String {
    let value = match result {
        Ok(value) => value,
        Err(Errno(ERESTARTSYS | ERESTARTNOHAND | ERESTARTNOINTR)) => {
            return format!(" = -1 errno={ERESTARTSYS} (To be restarted)");
        }
        Err(e) => {
            let text = e.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            return format!(" = -1 errno={} ({text})", e.0);
        }
    };
    let mut text = match call.name {
        "brk" | "mmap2" | "mremap" | "shmat" => format!(" = {}", pointer(value)),
        _ => format!(" = {}", value as i32),
    };
    let filled: Vec<String> =
        registers(call.args).filter_map(|(kind, n)| filled_in(mem, kind, n, a, value)).collect();
    if !filled.is_empty() {
        write!(text, " ({})", filled.join(",")).expect("to a string");
    }
    text
}

/// What a call has written for an argument of an `Out` kind.
fn filled_in(mem: GuestMemory, kind: Kind, n: usize, a: Args, result: u32) -> Option<String> {
    let addr = a[n];
    if addr == 0 {
        return None;
    }
    Some(match kind {
        Kind::OutBuf if result as i32 >= 0 => quoted(mem, addr, result),
        Kind::OutSockaddr => sockaddr(mem, addr, mem.read(*a.0.get(n + 1)?).ok()?),
        Kind::OutMsghdr => msghdr(mem, addr, Some(result)),
        Kind::OutTimespec32 => timespec::<Timespec32>(mem, addr),
        Kind::OutTimespec64 => timespec::<Timespec64>(mem, addr),
        Kind::OutRlimit32 => rlimit(mem.read::<Rlimit32>(addr).ok()?.into()),
        Kind::OutRlimit64 => rlimit(mem.read(addr).ok()?),
        Kind::WaitStatus if result != 0 => wait_status(mem.read(addr).ok()?),
        _ => return None,
    })
}

/// An argument when the call begins.
fn argument(mem: GuestMemory, kind: Kind, n: usize, a: Args) -> String {
    let value = a[n];
    let next = a.0.get(n + 1).copied().unwrap_or(0);
    let structure = |text: &dyn Fn() -> String| if value == 0 { "NULL".to_string() } else { text() };
    match kind {
        Kind::Int | Kind::Fd | Kind::NewFd => (value as i32).to_string(),
        Kind::Size => value.to_string(),
        Kind::Hex => format!("{value:#x}"),
        Kind::IoctlRequest => super::ioctl::name(value).map_or(format!("{value:#x}"), str::to_owned),
        Kind::Mode => format!("0{value:o}"),
        Kind::DirFd if value as i32 == libc::AT_FDCWD => "AT_FDCWD".to_string(),
        Kind::DirFd => (value as i32).to_string(),
        Kind::Path => structure(&|| path(mem, value)),
        Kind::Buf => structure(&|| quoted(mem, value, next)),
        Kind::Signal => signal_name(value as i32),
        Kind::OpenFlags => {
            let access = ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"][value as usize & 3];
            match flags(value & !3, OPEN_FLAGS).as_str() {
                "0" => access.to_string(),
                others => format!("{access}|{others}"),
            }
        }
        Kind::Prot if value == 0 => "PROT_NONE".to_string(),
        Kind::Prot => flags(value, PROT),
        Kind::MapFlags => match (value & 3, flags(value & !3, MAP_FLAGS).as_str()) {
            (kind, "0") => MAP_TYPES[kind as usize].to_string(),
            (kind, others) => format!("{}|{others}", MAP_TYPES[kind as usize]),
        },
        Kind::CloneFlags => match (value & 0xff, flags(value & !0xff, CLONE_FLAGS)) {
            (0, names) => names,
            (signal, names) if names == "0" => signal_name(signal as i32),
            (signal, names) => format!("{names}|{}", signal_name(signal as i32)),
        },
        Kind::Clock => named(value, &CLOCKS),
        Kind::I64 => ((u64::from(next) << 32 | u64::from(value)) as i64).to_string(),
        Kind::Pad => String::new(),
        Kind::Family => FAMILIES
            .iter()
            .find(|(family, _)| *family == value)
            .map_or(value.to_string(), |(_, name)| format!("PF_{name}")),
        Kind::SockType => sock_type(value),
        Kind::Sockaddr => structure(&|| sockaddr(mem, value, next)),
        Kind::MsgFlags => flags(value, MSG_FLAGS),
        Kind::Msghdr => structure(&|| msghdr(mem, value, None)),
        Kind::Timespec32 => structure(&|| timespec::<Timespec32>(mem, value)),
        Kind::Timespec64 => structure(&|| timespec::<Timespec64>(mem, value)),
        Kind::FutexOp => futex_op(value),
        Kind::Resource => {
            RESOURCES.get(value as usize).map_or(value.to_string(), |name| format!("RLIMIT_{name}"))
        }
        Kind::Rlimit32 => {
            structure(&|| mem.read::<Rlimit32>(value).map_or(pointer(value), |l| rlimit(l.into())))
        }
        Kind::Rlimit64 => structure(&|| mem.read(value).map_or(pointer(value), rlimit)),
        Kind::AtFlags => flags(value, AT_FLAGS),
        Kind::Access if value == 0 => "F_OK".to_string(),
        Kind::Access => flags(value, ACCESS),
        Kind::Whence => named(value, &WHENCE),
        Kind::SigHow => named(value, &SIG_HOW),
        Kind::FcntlCmd => {
            FCNTL.iter().find(|(n, _)| *n == value).map_or(value.to_string(), |(_, name)| name.to_string())
        }
        Kind::Strings => structure(&|| strings(mem, value)),
        Kind::Ptr
        | Kind::OutBuf
        | Kind::OutSockaddr
        | Kind::OutMsghdr
        | Kind::OutTimespec32
        | Kind::OutTimespec64
        | Kind::OutRlimit32
        | Kind::OutRlimit64
        | Kind::WaitStatus => pointer(value),
    }
}

/// The name at place `value`, or the number.
fn named(value: u32, names: &[&str]) -> String {
    names.get(value as usize).map_or((value as i32).to_string(), |name| name.to_string())
}

/// An address.
fn pointer(addr: u32) -> String {
    if addr == 0 { "NULL".to_string() } else { format!("{addr:#010x}") }
}

/// A path, or its address where it cannot be read.
fn path(mem: GuestMemory, addr: u32) -> String {
    mem.read_path(addr).map_or(pointer(addr), |path| escaped(path.to_bytes()))
}

/// Bytes as a C string literal.
fn escaped(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes.escape_ascii())
}

/// The beginning of a buffer of `len` bytes.
fn quoted(mem: GuestMemory, addr: u32, len: u32) -> String {
    const SHOWN: u32 = 32;
    match mem.read_bytes(addr, len.min(SHOWN) as usize) {
        Ok(bytes) => escaped(&bytes) + if len > SHOWN { "..." } else { "" },
        Err(_) => pointer(addr),
    }
}

/// An array of strings that NULL ends.
fn strings(mem: GuestMemory, addr: u32) -> String {
    const SHOWN: u32 = 64;
    let mut text = String::from("{");
    for n in 0..SHOWN {
        match mem.read::<u32>(addr.wrapping_add(4 * n)) {
            Ok(0) => return text + "NULL}",
            Ok(string) => write!(text, "{},", path(mem, string)).expect("to a string"),
            Err(_) => return pointer(addr),
        }
    }
    text + "...}"
}

/// `{tv_sec = 1,tv_nsec = 2}`
fn timespec<T: GuestTimespec>(mem: GuestMemory, addr: u32) -> String {
    mem.read::<T>(addr)
        .map(T::to_host)
        .map_or(pointer(addr), |time| format!("{{tv_sec = {},tv_nsec = {}}}", time.tv_sec, time.tv_nsec))
}

/// `{rlim_cur = 1,rlim_max = RLIM_INFINITY}`
fn rlimit(limit: Rlimit64) -> String {
    let value = |n: u64| if n == libc::RLIM_INFINITY { "RLIM_INFINITY".to_string() } else { n.to_string() };
    format!("{{rlim_cur = {},rlim_max = {}}}", value(limit.cur), value(limit.max))
}

/// A socket address of `len` bytes.
fn sockaddr(mem: GuestMemory, addr: u32, len: u32) -> String {
    let Ok(bytes) = mem.read_bytes(addr, len.min(128) as usize) else { return pointer(addr) };
    let [low, high, data @ ..] = &bytes[..] else { return pointer(addr) };
    let family = u16::from_ne_bytes([*low, *high]);
    match (i32::from(family), data) {
        (libc::AF_UNIX, []) => "{sun_family=AF_UNIX}".to_string(),
        (libc::AF_UNIX, [0, name @ ..]) => format!("{{sun_family=AF_UNIX,sun_path=@{}}}", escaped(name)),
        (libc::AF_UNIX, name) => {
            let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
            format!("{{sun_family=AF_UNIX,sun_path={}}}", escaped(name))
        }
        (libc::AF_INET, [p0, p1, a, b, c, d, ..]) => format!(
            "{{sin_family=AF_INET,sin_port=htons({}),sin_addr=inet_addr(\"{a}.{b}.{c}.{d}\")}}",
            u16::from_be_bytes([*p0, *p1])
        ),
        (libc::AF_INET6, [p0, p1, _, _, _, _, ip @ ..]) if ip.len() >= 16 => {
            let ip: [u8; 16] = ip[..16].try_into().unwrap_or_default();
            format!(
                "{{sin6_family=AF_INET6,sin6_port=htons({}),sin6_addr=\"{}\"}}",
                u16::from_be_bytes([*p0, *p1]),
                std::net::Ipv6Addr::from(ip)
            )
        }
        (libc::AF_NETLINK, [_, _, p0, p1, p2, p3, ..]) => {
            format!("{{nl_family=AF_NETLINK,nl_pid={}}}", u32::from_ne_bytes([*p0, *p1, *p2, *p3]))
        }
        _ => format!("{{sa_family={family},{}}}", escaped(data)),
    }
}

/// A message in brief; of one received, the first bytes of `received`.
fn msghdr(mem: GuestMemory, addr: u32, received: Option<u32>) -> String {
    let Ok(hdr) = mem.read::<Msghdr32>(addr) else { return pointer(addr) };
    let name = if hdr.name == 0 { "NULL".to_string() } else { sockaddr(mem, hdr.name, hdr.namelen) };
    let data = match hdr.iovlen {
        0 => "NULL".to_string(),
        _ => mem
            .read::<Iovec32>(hdr.iov)
            .map_or(pointer(hdr.iov), |iov| quoted(mem, iov.base, iov.len.min(received.unwrap_or(u32::MAX)))),
    };
    let control = match hdr.controllen {
        0 => "NULL".to_string(),
        _ => mem.read::<Cmsghdr32>(hdr.control).map_or(pointer(hdr.control), |cmsg| {
            format!("{{len={},level={},type={}}}", cmsg.len, cmsg.level, cmsg.kind)
        }),
    };
    let mut text = format!(
        "{{msg_name={name},msg_iov=[{data}],msg_iovlen={},msg_control={control},msg_controllen={}",
        hdr.iovlen, hdr.controllen
    );
    if received.is_some() {
        write!(text, ",msg_flags={}", flags(hdr.flags, MSG_FLAGS)).expect("to a string");
    }
    text + "}"
}

/// How a child ended.
fn wait_status(status: i32) -> String {
    if libc::WIFEXITED(status) {
        format!("{{WIFEXITED(s) && WEXITSTATUS(s) == {}}}", libc::WEXITSTATUS(status))
    } else if libc::WIFSIGNALED(status) {
        format!("{{WIFSIGNALED(s) && WTERMSIG(s) == {}}}", signal_name(libc::WTERMSIG(status)))
    } else if libc::WIFSTOPPED(status) {
        format!("{{WIFSTOPPED(s) && WSTOPSIG(s) == {}}}", signal_name(libc::WSTOPSIG(status)))
    } else {
        format!("{{{status:#x}}}")
    }
}

/// A socket type and its flags.
fn sock_type(value: u32) -> String {
    let kind = value & 0xf;
    let name =
        SOCK_TYPES.iter().find(|(n, _)| *n == kind).map_or(kind.to_string(), |(_, name)| name.to_string());
    match flags(value & !0xf, SOCK_FLAGS).as_str() {
        "0" => name,
        // accept4 has flags alone.
        others if kind == 0 => others.to_string(),
        others => format!("{name}|{others}"),
    }
}

/// A futex operation and its flags.
fn futex_op(value: u32) -> String {
    const PRIVATE: u32 = 128;
    const REALTIME: u32 = 256;
    let op = value & !(PRIVATE | REALTIME);
    let mut name = FUTEX_OPS.get(op as usize).map_or(op.to_string(), |name| format!("FUTEX_{name}"));
    if value & PRIVATE != 0 {
        name += "_PRIVATE";
    }
    if value & REALTIME != 0 {
        name += "|FUTEX_CLOCK_REALTIME";
    }
    name
}

/// A signal's name; real-time signals have numbers.
pub fn signal_name(signal: i32) -> String {
    usize::try_from(signal)
        .ok()
        .and_then(|n| SIGNALS.get(n))
        .map_or(signal.to_string(), |name| if *name == "0" { name.to_string() } else { format!("SIG{name}") })
}

/// The names of the bits of `value`, and what has no name in hexadecimal.
fn flags(value: u32, names: &[(u32, &str)]) -> String {
    let mut rest = value;
    let mut text = String::new();
    for (bits, name) in names {
        if rest & bits == *bits {
            rest &= !bits;
            text += if text.is_empty() { "" } else { "|" };
            text += name;
        }
    }
    if rest != 0 || text.is_empty() {
        text += if text.is_empty() { "" } else { "|" };
        match rest {
            0 => text.push('0'),
            _ => write!(text, "{rest:#x}").expect("to a string"),
        }
    }
    text
}

/// ARM's own values (arch/arm/include/uapi/asm/fcntl.h) for O_DIRECTORY to O_LARGEFILE. Names that contain others
/// come first.
const OPEN_FLAGS: &[(u32, &str)] = &[
    (0o20040000, "O_TMPFILE"),
    (0o4010000, "O_SYNC"),
    (0o100, "O_CREAT"),
    (0o200, "O_EXCL"),
    (0o400, "O_NOCTTY"),
    (0o1000, "O_TRUNC"),
    (0o2000, "O_APPEND"),
    (0o4000, "O_NONBLOCK"),
    (0o10000, "O_DSYNC"),
    (0o20000, "O_ASYNC"),
    (0o40000, "O_DIRECTORY"),
    (0o100000, "O_NOFOLLOW"),
    (0o200000, "O_DIRECT"),
    (0o400000, "O_LARGEFILE"),
    (0o1000000, "O_NOATIME"),
    (0o2000000, "O_CLOEXEC"),
    (0o10000000, "O_PATH"),
];

const AT_FLAGS: &[(u32, &str)] = &[
    (0x100, "AT_SYMLINK_NOFOLLOW"),
    (0x200, "AT_REMOVEDIR"),
    (0x400, "AT_SYMLINK_FOLLOW"),
    (0x800, "AT_NO_AUTOMOUNT"),
    (0x1000, "AT_EMPTY_PATH"),
    (0x2000, "AT_STATX_FORCE_SYNC"),
    (0x4000, "AT_STATX_DONT_SYNC"),
];

const ACCESS: &[(u32, &str)] = &[(4, "R_OK"), (2, "W_OK"), (1, "X_OK")];

const WHENCE: [&str; 5] = ["SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA", "SEEK_HOLE"];

const SIG_HOW: [&str; 3] = ["SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK"];

const FCNTL: &[(u32, &str)] = &[
    (0, "F_DUPFD"),
    (1, "F_GETFD"),
    (2, "F_SETFD"),
    (3, "F_GETFL"),
    (4, "F_SETFL"),
    (5, "F_GETLK"),
    (6, "F_SETLK"),
    (7, "F_SETLKW"),
    (8, "F_SETOWN"),
    (9, "F_GETOWN"),
    (12, "F_GETLK64"),
    (13, "F_SETLK64"),
    (14, "F_SETLKW64"),
    (36, "F_OFD_GETLK"),
    (37, "F_OFD_SETLK"),
    (38, "F_OFD_SETLKW"),
    (1024, "F_SETLEASE"),
    (1030, "F_DUPFD_CLOEXEC"),
    (1031, "F_SETPIPE_SZ"),
    (1032, "F_GETPIPE_SZ"),
    (1033, "F_ADD_SEALS"),
    (1034, "F_GET_SEALS"),
];

const PROT: &[(u32, &str)] = &[
    (1, "PROT_READ"),
    (2, "PROT_WRITE"),
    (4, "PROT_EXEC"),
    (8, "PROT_SEM"),
    (0x0100_0000, "PROT_GROWSDOWN"),
    (0x0200_0000, "PROT_GROWSUP"),
];

const MAP_TYPES: [&str; 4] = ["MAP_FILE", "MAP_SHARED", "MAP_PRIVATE", "MAP_SHARED_VALIDATE"];

const MAP_FLAGS: &[(u32, &str)] = &[
    (0x10, "MAP_FIXED"),
    (0x20, "MAP_ANONYMOUS"),
    (0x100, "MAP_GROWSDOWN"),
    (0x800, "MAP_DENYWRITE"),
    (0x1000, "MAP_EXECUTABLE"),
    (0x2000, "MAP_LOCKED"),
    (0x4000, "MAP_NORESERVE"),
    (0x8000, "MAP_POPULATE"),
    (0x10000, "MAP_NONBLOCK"),
    (0x20000, "MAP_STACK"),
    (0x40000, "MAP_HUGETLB"),
    (0x80000, "MAP_SYNC"),
    (0x100000, "MAP_FIXED_NOREPLACE"),
];

const CLONE_FLAGS: &[(u32, &str)] = &[
    (libc::CLONE_VM as u32, "CLONE_VM"),
    (libc::CLONE_FS as u32, "CLONE_FS"),
    (libc::CLONE_FILES as u32, "CLONE_FILES"),
    (libc::CLONE_SIGHAND as u32, "CLONE_SIGHAND"),
    (libc::CLONE_PIDFD as u32, "CLONE_PIDFD"),
    (libc::CLONE_PTRACE as u32, "CLONE_PTRACE"),
    (libc::CLONE_VFORK as u32, "CLONE_VFORK"),
    (libc::CLONE_PARENT as u32, "CLONE_PARENT"),
    (libc::CLONE_THREAD as u32, "CLONE_THREAD"),
    (libc::CLONE_NEWNS as u32, "CLONE_NEWNS"),
    (libc::CLONE_SYSVSEM as u32, "CLONE_SYSVSEM"),
    (libc::CLONE_SETTLS as u32, "CLONE_SETTLS"),
    (libc::CLONE_PARENT_SETTID as u32, "CLONE_PARENT_SETTID"),
    (libc::CLONE_CHILD_CLEARTID as u32, "CLONE_CHILD_CLEARTID"),
    (libc::CLONE_DETACHED as u32, "CLONE_DETACHED"),
    (libc::CLONE_UNTRACED as u32, "CLONE_UNTRACED"),
    (libc::CLONE_CHILD_SETTID as u32, "CLONE_CHILD_SETTID"),
    (libc::CLONE_NEWCGROUP as u32, "CLONE_NEWCGROUP"),
    (libc::CLONE_NEWUTS as u32, "CLONE_NEWUTS"),
    (libc::CLONE_NEWIPC as u32, "CLONE_NEWIPC"),
    (libc::CLONE_NEWUSER as u32, "CLONE_NEWUSER"),
    (libc::CLONE_NEWPID as u32, "CLONE_NEWPID"),
    (libc::CLONE_NEWNET as u32, "CLONE_NEWNET"),
    (libc::CLONE_IO as u32, "CLONE_IO"),
];

const CLOCKS: [&str; 12] = [
    "CLOCK_REALTIME",
    "CLOCK_MONOTONIC",
    "CLOCK_PROCESS_CPUTIME_ID",
    "CLOCK_THREAD_CPUTIME_ID",
    "CLOCK_MONOTONIC_RAW",
    "CLOCK_REALTIME_COARSE",
    "CLOCK_MONOTONIC_COARSE",
    "CLOCK_BOOTTIME",
    "CLOCK_REALTIME_ALARM",
    "CLOCK_BOOTTIME_ALARM",
    "CLOCK_SGI_CYCLE",
    "CLOCK_TAI",
];

const FAMILIES: &[(u32, &str)] = &[
    (0, "UNSPEC"),
    (1, "UNIX"),
    (2, "INET"),
    (10, "INET6"),
    (16, "NETLINK"),
    (17, "PACKET"),
    (29, "CAN"),
    (31, "BLUETOOTH"),
    (38, "ALG"),
    (40, "VSOCK"),
];

const SOCK_TYPES: &[(u32, &str)] = &[
    (1, "SOCK_STREAM"),
    (2, "SOCK_DGRAM"),
    (3, "SOCK_RAW"),
    (4, "SOCK_RDM"),
    (5, "SOCK_SEQPACKET"),
    (6, "SOCK_DCCP"),
    (10, "SOCK_PACKET"),
];

const SOCK_FLAGS: &[(u32, &str)] = &[(0o4000, "SOCK_NONBLOCK"), (0o2000000, "SOCK_CLOEXEC")];

const MSG_FLAGS: &[(u32, &str)] = &[
    (0x1, "MSG_OOB"),
    (0x2, "MSG_PEEK"),
    (0x4, "MSG_DONTROUTE"),
    (0x8, "MSG_CTRUNC"),
    (0x20, "MSG_TRUNC"),
    (0x40, "MSG_DONTWAIT"),
    (0x80, "MSG_EOR"),
    (0x100, "MSG_WAITALL"),
    (0x800, "MSG_CONFIRM"),
    (0x2000, "MSG_ERRQUEUE"),
    (0x4000, "MSG_NOSIGNAL"),
    (0x8000, "MSG_MORE"),
    (0x10000, "MSG_WAITFORONE"),
    (0x0400_0000, "MSG_ZEROCOPY"),
    (0x2000_0000, "MSG_FASTOPEN"),
    (0x4000_0000, "MSG_CMSG_CLOEXEC"),
];

const FUTEX_OPS: [&str; 14] = [
    "WAIT",
    "WAKE",
    "FD",
    "REQUEUE",
    "CMP_REQUEUE",
    "WAKE_OP",
    "LOCK_PI",
    "UNLOCK_PI",
    "TRYLOCK_PI",
    "WAIT_BITSET",
    "WAKE_BITSET",
    "WAIT_REQUEUE_PI",
    "CMP_REQUEUE_PI",
    "LOCK_PI2",
];

const RESOURCES: [&str; 16] = [
    "CPU",
    "FSIZE",
    "DATA",
    "STACK",
    "CORE",
    "RSS",
    "NPROC",
    "NOFILE",
    "MEMLOCK",
    "AS",
    "LOCKS",
    "SIGPENDING",
    "MSGQUEUE",
    "NICE",
    "RTPRIO",
    "RTTIME",
];

const SIGNALS: [&str; 32] = [
    "0", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscalls::table::TABLE;
    use zerocopy::IntoBytes;

    /// A call by name, with a guest whose address 0x1000 is the first byte of `memory`.
    fn text(name: &str, memory: &[u8], args: [u32; 7], result: SysResult) -> String {
        let call = TABLE.iter().find(|call| call.name == name).expect("in the table");
        let mem = GuestMemory::new((memory.as_ptr() as u64).wrapping_sub(0x1000));
        call_text(mem, call, Args(args)) + &result_text(mem, call, Args(args), result)
    }

    #[test]
    fn results() {
        assert_eq!(text("getuid", b"", [0; 7], Ok(1000)), "getuid() = 1000");
        assert_eq!(
            text("shmdt", b"", [0x2000, 0, 0, 0, 0, 0, 0], Err(Errno(libc::EINVAL))),
            "shmdt(0x00002000) = -1 errno=22 (Invalid argument)"
        );
        assert_eq!(
            text("shmat", b"", [1, 0, 0, 0, 0, 0, 0], Ok(0x4000_0000)),
            "shmat(1,NULL,0x0) = 0x40000000"
        );
        assert_eq!(
            text("accept4", b"", [3, 0, 0, 0o2000000, 0, 0, 0], Err(Errno(ERESTARTSYS))),
            "accept4(3,NULL,NULL,SOCK_CLOEXEC) = -1 errno=512 (To be restarted)"
        );
    }

    #[test]
    fn sockets() {
        assert_eq!(
            text("socket", b"", [2, 1 | 0o2000000, 6, 0, 0, 0, 0], Ok(3)),
            "socket(PF_INET,SOCK_STREAM|SOCK_CLOEXEC,6) = 3"
        );
        let address = [2, 0, 0x1f, 0x90, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(
            text("connect", &address, [3, 0x1000, 16, 0, 0, 0, 0], Ok(0)),
            "connect(3,{sin_family=AF_INET,sin_port=htons(8080),sin_addr=inet_addr(\"127.0.0.1\")},16) = 0"
        );
        assert_eq!(
            text("bind", b"\x01\0/run/x\0", [3, 0x1000, 9, 0, 0, 0, 0], Ok(0)),
            "bind(3,{sun_family=AF_UNIX,sun_path=\"/run/x\"},9) = 0"
        );
        assert_eq!(
            text("recv", b"hello\n", [3, 0x1000, 100, 0x40, 0, 0, 0], Ok(6)),
            "recv(3,0x00001000,100,MSG_DONTWAIT) = 6 (\"hello\\n\")"
        );
    }

    #[test]
    fn messages() {
        let hdr = Msghdr32 { iov: 0x1000 + 28, iovlen: 1, ..Default::default() };
        let iov = Iovec32 { base: 0x1000 + 36, len: 3 };
        let memory = [hdr.as_bytes(), iov.as_bytes(), b"abc"].concat();
        assert_eq!(
            text("sendmsg", &memory, [3, 0x1000, 0, 0, 0, 0, 0], Ok(3)),
            "sendmsg(3,{msg_name=NULL,msg_iov=[\"abc\"],msg_iovlen=1,msg_control=NULL,msg_controllen=0},0) = 3"
        );
    }

    #[test]
    fn times_and_futexes() {
        let half_a_second = Timespec64 { sec: 0, nsec: 500_000_000 };
        assert_eq!(
            text("clock_nanosleep_time64", half_a_second.as_bytes(), [1, 0, 0x1000, 0, 0, 0, 0], Ok(0)),
            "clock_nanosleep_time64(CLOCK_MONOTONIC,0x0,{tv_sec = 0,tv_nsec = 500000000},NULL) = 0"
        );
        assert_eq!(
            text("futex", b"", [0x1000, 128 | 1, 1, 0, 0, 0, 0], Ok(1)),
            "futex(0x00001000,FUTEX_WAKE_PRIVATE,1,NULL,NULL,0x0) = 1"
        );
    }

    #[test]
    fn files() {
        let openat = |flags| [libc::AT_FDCWD as u32, 0x1000, flags, 0o644, 0, 0, 0];
        assert_eq!(
            text("openat", b"/etc/passwd\0", openat(0o2400000), Ok(3)),
            "openat(AT_FDCWD,\"/etc/passwd\",O_RDONLY|O_LARGEFILE|O_CLOEXEC) = 3"
        );
        assert_eq!(
            text("openat", b"new\0", openat(0o101), Err(Errno(libc::ENOENT))),
            "openat(AT_FDCWD,\"new\",O_WRONLY|O_CREAT,0644) = -1 errno=2 (No such file or directory)"
        );
        assert_eq!(text("access", b"/\0", [0x1000, 5, 0, 0, 0, 0, 0], Ok(0)), "access(\"/\",R_OK|X_OK) = 0");
        assert_eq!(text("fcntl64", b"", [5, 2, 1, 0, 0, 0, 0], Ok(0)), "fcntl64(5,F_SETFD,0x1) = 0");
    }

    #[test]
    fn names_of_flags() {
        assert_eq!(flags(0, PROT), "0");
        assert_eq!(flags(0x1003, PROT), "PROT_READ|PROT_WRITE|0x1000");
        assert_eq!(signal_name(11), "SIGSEGV");
        assert_eq!(signal_name(34), "34");
        assert_eq!(signal_name(-1), "-1");
        assert_eq!(wait_status(0x300), "{WIFEXITED(s) && WEXITSTATUS(s) == 3}");
        assert_eq!(wait_status(9), "{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}");
    }
}
