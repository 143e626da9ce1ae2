//! Limits and usage (kernel/sys.c), and what a program asks of the system it runs on.

use super::host::{host, host_wait};
use super::{Args, SysResult};
use crate::abi::resource::{Rlimit32, Rlimit64, Rusage32, Sysinfo32};
use crate::errno::Errno;
use crate::process::Process;
use crate::signals::deliver;
use crate::threads::Thread;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

/// Limits the guest has set that the host process must not have, because it needs more memory than the guest sees.
#[derive(Debug, Default)]
pub struct Limits(Mutex<[Option<Rlimit64>; 3]>);

impl Clone for Limits {
    fn clone(&self) -> Limits {
        Limits(Mutex::new(*self.0.lock().unwrap_or_else(|e| e.into_inner())))
    }
}

/// The limits that [`Limits`] keeps.
const KEPT: [u32; 3] = [libc::RLIMIT_AS, libc::RLIMIT_DATA, libc::RLIMIT_STACK];

/// A main thread's stack of the host below this could not run the translator.
const HOST_STACK_MIN: u64 = 1 << 20;

/// The soft limit of descriptors a guest is shown at most. Container engines set a billion, and programs of old
/// close every possible descriptor in a loop.
const NOFILE_SHOWN: u64 = 1 << 20;

impl Limits {
    /// Place in the array of a limit that is kept.
    fn slot(resource: u32) -> Option<usize> {
        KEPT.iter().position(|&kept| kept == resource)
    }

    /// The limits as text, for a program that the guest starts; empty when there are none.
    pub fn as_text(&self) -> String {
        let text = KEPT.iter().filter_map(|&resource| {
            let limit = self.kept(resource)?;
            Some(format!("{resource}:{}:{}", limit.cur, limit.max))
        });
        text.collect::<Vec<_>>().join(",")
    }

    /// What [`as_text`](Self::as_text) wrote; `None` when it did not.
    pub fn from_text(text: &str) -> Option<Limits> {
        let limits = Limits::default();
        for part in text.split(',') {
            let mut numbers = part.split(':').map(|n| n.parse::<u64>());
            let mut number = || numbers.next()?.ok();
            let resource = u32::try_from(number()?).ok()?;
            let limit = Rlimit64 { cur: number()?, max: number()? };
            Limits::slot(resource)?;
            limits.keep(resource, Some(limit));
        }
        Some(limits)
    }

    /// The limit the guest sees where it is not the host's.
    pub fn kept(&self, resource: u32) -> Option<Rlimit64> {
        let slot = Limits::slot(resource)?;
        self.0.lock().unwrap_or_else(|e| e.into_inner())[slot]
    }

    fn keep(&self, resource: u32, limit: Option<Rlimit64>) {
        if let Some(slot) = Limits::slot(resource) {
            self.0.lock().unwrap_or_else(|e| e.into_inner())[slot] = limit;
        }
    }
}

/// Whether the host process can live with `limit`.
fn host_can_have(resource: u32, limit: Rlimit64) -> bool {
    match resource {
        libc::RLIMIT_AS | libc::RLIMIT_DATA => limit.cur == libc::RLIM_INFINITY,
        libc::RLIMIT_STACK => limit.cur >= HOST_STACK_MIN,
        _ => true,
    }
}

/// A limit of the guest's own process.
pub(super) fn own_limit(process: &Process, resource: u32) -> Result<Rlimit64, Errno> {
    if let Some(limit) = process.limits.kept(resource) {
        return Ok(limit);
    }
    let mut limit = Rlimit64::default();
    host!(libc::SYS_prlimit64, 0u32, resource, 0u32, &mut limit)?;
    if resource == libc::RLIMIT_NOFILE {
        limit.cur = limit.cur.min(NOFILE_SHOWN);
    }
    Ok(limit)
}

/// Sets a limit of the guest's own process.
fn set_own_limit(process: &Process, resource: u32, new: Rlimit64) -> SysResult {
    if host_can_have(resource, new) {
        host!(libc::SYS_prlimit64, 0u32, resource, &new, 0u32)?;
        process.limits.keep(resource, None);
        if resource == libc::RLIMIT_CORE {
            deliver::watch_defaults(&process.sigactions());
        }
        return Ok(0);
    }
    if new.cur > new.max {
        return Err(Errno(libc::EINVAL));
    }
    // SAFETY: no arguments.
    let privileged = unsafe { libc::geteuid() } == 0; // CAP_SYS_RESOURCE, nearly.
    if new.max > own_limit(process, resource)?.max && !privileged {
        return Err(Errno(libc::EPERM));
    }
    process.limits.keep(resource, Some(new));
    Ok(0)
}

/// ugetrlimit(resource, rlimit), which is getrlimit of the C library.
pub fn getrlimit(t: &mut Thread, a: Args) -> SysResult {
    let limit = own_limit(&t.process, a[0])?;
    t.mem.write(a[1], &Rlimit32::from(limit))?;
    Ok(0)
}

/// setrlimit(resource, rlimit)
pub fn setrlimit(t: &mut Thread, a: Args) -> SysResult {
    let new = Rlimit64::from(t.mem.read::<Rlimit32>(a[1])?);
    set_own_limit(&t.process, a[0], new)
}

/// prlimit64(pid, resource, new or NULL, old or NULL)
pub fn prlimit64(t: &mut Thread, a: Args) -> SysResult {
    let (pid, resource) = (a.i32(0), a[1]);
    // SAFETY: no arguments.
    if pid != 0 && pid != unsafe { libc::getpid() } {
        let (new, old) = (t.mem.ptr::<Rlimit64>(a[2]), t.mem.ptr::<Rlimit64>(a[3]));
        if !new.is_null() && !host_can_have(resource, t.mem.read(a[2])?) {
            // It could kill the translator of another guest, whose kept limits are out of reach.
            return Err(Errno(libc::EPERM));
        }
        return host!(libc::SYS_prlimit64, pid, resource, new, old);
    }
    let new: Option<Rlimit64> = if a[2] == 0 { None } else { Some(t.mem.read(a[2])?) };
    let old = own_limit(&t.process, resource)?;
    if let Some(new) = new {
        set_own_limit(&t.process, resource, new)?;
    }
    if a[3] != 0 {
        t.mem.write(a[3], &old)?;
    }
    Ok(0)
}

/// getrusage(who, rusage)
pub fn getrusage(t: &mut Thread, a: Args) -> SysResult {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    host!(libc::SYS_getrusage, a.i32(0), usage.as_mut_ptr())?;
    // SAFETY: plain data that was zero before the kernel filled it.
    t.mem.write(a[1], &Rusage32::from(unsafe { usage.assume_init_ref() }))?;
    Ok(0)
}

/// sysinfo(info)
pub fn sysinfo(t: &mut Thread, a: Args) -> SysResult {
    let mut info = MaybeUninit::<libc::sysinfo>::zeroed();
    host!(libc::SYS_sysinfo, info.as_mut_ptr())?;
    // SAFETY: plain data that was zero before the kernel filled it.
    t.mem.write(a[0], &Sysinfo32::from(unsafe { info.assume_init_ref() }))?;
    Ok(0)
}

/// One string of `struct new_utsname`.
type UtsString = [u8; 65];

/// `bytes` as a string of utsname, cut to 64 bytes.
fn uts_string(bytes: &[u8]) -> UtsString {
    let mut string = [0; 65];
    let len = bytes.len().min(64);
    string[..len].copy_from_slice(&bytes[..len]);
    string
}

/// uname(utsname): the host's names, but an ARM machine and the release that the command line says.
pub fn uname(t: &mut Thread, a: Args) -> SysResult {
    const RELEASE: usize = 2;
    const MACHINE: usize = 4;
    let mut names = [[0u8; 65]; 6];
    host!(libc::SYS_uname, names.as_mut_ptr())?;
    if let Some(release) = &t.process.options.uname_release {
        names[RELEASE] = uts_string(release.as_bytes());
    }
    names[MACHINE] = uts_string(t.process.options.cpu().machine.as_bytes());
    t.mem.write(a[0], &names)?;
    Ok(0)
}

/// sethostname(name, len)
pub fn sethostname(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_sethostname, t.mem.ptr::<u8>(a[0]), a.i32(1))
}

/// setdomainname(name, len)
pub fn setdomainname(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_setdomainname, t.mem.ptr::<u8>(a[0]), a.i32(1))
}

/// syslog(type, buf, len)
pub fn syslog(t: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_syslog, a[0], t.mem.ptr::<u8>(a[1]), a.i32(2))
}

/// getrandom(buf, len, flags)
pub fn getrandom(t: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_getrandom, t.mem.ptr::<u8>(a[0]), a[1], a[2])
}

/// reboot(magic, magic2, cmd, arg)
pub fn reboot(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_reboot, a[0], a[1], a[2], t.mem.ptr::<u8>(a[3]))
}

/// Bits of a personality that mean the same to the host process; it hands them down through exec. The others
/// (READ_IMPLIES_EXEC, MMAP_PAGE_ZERO, layouts) would change the translator's own memory.
const HOST_PERSONALITY: u32 = (libc::ADDR_NO_RANDOMIZE
    | libc::UNAME26
    | libc::STICKY_TIMEOUTS
    | libc::WHOLE_SECONDS
    | libc::SHORT_INODE) as u32;

/// personality(persona)
pub fn personality(t: &mut Thread, a: Args) -> SysResult {
    const QUERY: u32 = u32::MAX;
    if a[0] == QUERY {
        return Ok(t.process.personality.load(Ordering::Relaxed));
    }
    let host = host!(libc::SYS_personality, QUERY)?;
    host!(libc::SYS_personality, host & !HOST_PERSONALITY | a[0] & HOST_PERSONALITY)?;
    Ok(t.process.personality.swap(a[0], Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_memory_stay_away_from_the_host() {
        let small = Rlimit64 { cur: 64 << 20, max: libc::RLIM_INFINITY };
        assert!(!host_can_have(libc::RLIMIT_AS, small));
        assert!(!host_can_have(libc::RLIMIT_DATA, small));
        assert!(host_can_have(libc::RLIMIT_STACK, small));
        assert!(!host_can_have(libc::RLIMIT_STACK, Rlimit64 { cur: 65536, max: 65536 }));
        assert!(host_can_have(libc::RLIMIT_NOFILE, small));
        let limits = Limits::default();
        limits.keep(libc::RLIMIT_AS, Some(small));
        assert_eq!(limits.clone().kept(libc::RLIMIT_AS), Some(small));
        assert_eq!(limits.kept(libc::RLIMIT_DATA), None);
    }

    #[test]
    fn limits_of_memory_survive_exec_as_text() {
        let limits = Limits::default();
        assert_eq!(limits.as_text(), "");
        let small = Rlimit64 { cur: 64 << 20, max: libc::RLIM_INFINITY };
        limits.keep(libc::RLIMIT_AS, Some(small));
        limits.keep(libc::RLIMIT_STACK, Some(Rlimit64 { cur: 1, max: 2 }));
        let again = Limits::from_text(&limits.as_text()).unwrap();
        assert_eq!(again.as_text(), limits.as_text());
        assert_eq!(again.kept(libc::RLIMIT_AS), Some(small));
        for wrong in ["", "x", "9", "9:1", "7:1:1", "9:-1:1"] {
            assert!(Limits::from_text(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn uts_strings_are_cut_and_terminated() {
        assert_eq!(uts_string(&[b'x'; 80])[63..], [b'x', 0]);
        assert_eq!(uts_string(b"armv7l")[..7], *b"armv7l\0");
    }
}
