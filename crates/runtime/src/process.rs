//! What the threads of a guest process share.

use crate::cpu::Cpu;
use crate::gdb::Debugger;
use crate::log::{self, Log};
use crate::memory::Memory;
use crate::perf::{self, Format};
use crate::signals::SigActions;
use crate::store;
use crate::syscalls::Directories;
use crate::syscalls::resource::Limits;
use crate::threads::halt::Halt;
use forearm_backend::Engine;
use forearm_backend::tuning::Optimisations;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// What the command line and the environment say; programs started by exec inherit it.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `-L`: absolute paths of the program interpreter and of libraries are looked up below this first.
    pub ld_prefix: Option<PathBuf>,
    /// `-r`: the release that uname reports.
    pub uname_release: Option<OsString>,
    /// `-s`: bytes of the main thread's stack, instead of RLIMIT_STACK.
    pub stack_size: Option<u32>,
    /// `-strace`.
    pub strace: bool,
    /// `-B`: host address of guest address 0, instead of choosing it.
    pub guest_base: Option<u64>,
    /// `-cpu`: the processor that the guest is told about.
    pub cpu: Option<&'static Cpu>,
    /// `-seed`: what the random numbers of a program's start (AT_RANDOM, addresses) come from.
    pub seed: Option<u64>,
    /// `-one-insn-per-tb`.
    pub one_insn_per_tb: bool,
    /// `-d`, `-dfilter` and `-D`.
    pub log: Log,
    /// `-g`: a port or the path of a socket, where to wait for gdb. Not inherited.
    pub gdb: Option<OsString>,
    /// `-perfmap`, `-jitdump` and `FOREARM_PERF`.
    pub perf: Option<Format>,
    /// `FOREARM_STATS`.
    pub stats: bool,
    /// `FOREARM_OPT`: optimisations that are off.
    pub switched_off: Optimisations,
}

impl Options {
    /// The processor that the guest is told about.
    pub fn cpu(&self) -> &'static Cpu {
        self.cpu.unwrap_or(Cpu::host_like())
    }

    /// The command line that gives these options again, for a program that the guest starts.
    pub fn as_arguments(&self) -> Vec<CString> {
        let mut arguments: Vec<Vec<u8>> = Vec::new();
        let mut option = |name: &str, value: Vec<u8>| arguments.extend([name.as_bytes().to_vec(), value]);
        if let Some(prefix) = &self.ld_prefix {
            option("-L", prefix.as_os_str().as_bytes().to_vec());
        }
        if let Some(release) = &self.uname_release {
            option("-r", release.as_bytes().to_vec());
        }
        if let Some(size) = self.stack_size {
            option("-s", size.to_string().into_bytes());
        }
        if let Some(base) = self.guest_base {
            option("-B", format!("{base:#x}").into_bytes());
        }
        if let Some(cpu) = self.cpu {
            option("-cpu", cpu.name.into());
        }
        if let Some(seed) = self.seed {
            option("-seed", seed.to_string().into_bytes());
        }
        let items: Vec<String> =
            self.log.items.iter_names().map(|(name, _)| name.to_ascii_lowercase()).collect();
        if !items.is_empty() {
            option("-d", items.join(",").into_bytes());
        }
        let ranges: Vec<String> =
            self.log.filter.iter().map(|r| format!("{:#x}..{:#x}", r.start(), r.end())).collect();
        if !ranges.is_empty() {
            option("-dfilter", ranges.join(",").into_bytes());
        }
        if let Some(fd) = log::file() {
            option("-logfd", fd.to_string().into_bytes());
        }
        if self.strace {
            arguments.push(b"-strace".to_vec());
        }
        match self.perf {
            Some(Format::Map) => arguments.push(b"-perfmap".to_vec()),
            Some(Format::Jitdump) => arguments.push(b"-jitdump".to_vec()),
            None => {}
        }
        if self.one_insn_per_tb {
            arguments.push(b"-one-insn-per-tb".to_vec());
        }
        // None of these came from anywhere but C strings.
        arguments.into_iter().filter_map(|a| CString::new(a).ok()).collect()
    }
}

/// Opens the translator's own file and moves the descriptor out of the guest's way; -1 when there is no way to it.
pub fn open_own_exe() -> i32 {
    let flags = libc::O_PATH | libc::O_CLOEXEC;
    // SAFETY: a constant path.
    let mut fd = unsafe { libc::open(c"/proc/self/exe".as_ptr(), flags) };
    if fd < 0 {
        fd = open_through_private_proc();
    }
    if fd < 0 { fd } else { hide(fd) }
}

/// Without /proc in this root, root may still make an instance of it that is mounted nowhere.
fn open_through_private_proc() -> i32 {
    const FSCONFIG_CMD_CREATE: u32 = 6;
    // SAFETY: constant strings and descriptors of our own, which are closed again.
    unsafe {
        let context = libc::syscall(libc::SYS_fsopen, c"proc".as_ptr(), 1) as i32;
        if context < 0 {
            return -1;
        }
        libc::syscall(libc::SYS_fsconfig, context, FSCONFIG_CMD_CREATE, 0usize, 0usize, 0);
        let proc = libc::syscall(libc::SYS_fsmount, context, 1, 0) as i32;
        let fd = libc::openat(proc, c"self/exe".as_ptr(), libc::O_PATH | libc::O_CLOEXEC);
        libc::close(proc);
        libc::close(context);
        fd
    }
}

/// Moves a descriptor of ours to a high number, close-on-exec.
pub fn hide(fd: i32) -> i32 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: filled by the kernel.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    // Not higher than 1024: the kernel's table of descriptors grows to the highest one.
    let high = limit.rlim_cur.min(1024).saturating_sub(4) as i32;
    // SAFETY: a descriptor of ours.
    unsafe {
        if fd >= high {
            libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
            return fd;
        }
        let moved = libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, high);
        if moved < 0 {
            libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
            return fd;
        }
        libc::close(fd);
        moved
    }
}

/// The program image, as /proc shows it.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// Absolute path of the program (what /proc/self/exe says).
    pub exe: CString,
    /// The auxiliary vector's bytes.
    pub auxv: Vec<u8>,
    /// argv strings: first address and end.
    pub args: (u32, u32),
    /// envp strings: first address and end.
    pub env: (u32, u32),
    /// Text segment: first address and end.
    pub code: (u32, u32),
    /// Initial stack pointer.
    pub start_stack: u32,
}

/// A guest process. A vfork child has one of its own over the same address space.
pub struct Process {
    /// The translations of the address space.
    pub engine: Arc<Engine>,
    /// The address space.
    pub memory: Arc<Memory>,
    /// Signal actions.
    pub sigactions: Mutex<SigActions>,
    /// The program.
    pub image: Arc<Image>,
    /// Options of this run.
    pub options: Arc<Options>,
    /// `personality(2)` as the guest set it (READ_IMPLIES_EXEC included).
    pub personality: AtomicU32,
    /// Limits of memory the guest has set for itself alone; a child has a copy.
    pub limits: Limits,
    /// A descriptor of forearm's own binary, close-on-exec, or -1. exec needs it inside a chroot without forearm.
    /// The guest must not see it: see [`is_hidden_fd`](Self::is_hidden_fd).
    pub own_exe: AtomicI32,
    /// The file through which processes share compiled code, or -1; hidden like the above.
    pub store: AtomicI32,
    /// Short positions of open directories.
    pub directories: Directories,
    /// Address of the signal return trampolines.
    pub sigpage: u32,
    /// Its threads.
    pub halt: Halt,
    /// What `-g` has started.
    pub debugger: Option<Arc<Debugger>>,
}

impl Process {
    /// A vfork child's: everything shared that shares the address space, and copies of what a child has of its own.
    pub fn for_vfork(&self) -> Process {
        Process {
            engine: self.engine.clone(),
            memory: self.memory.clone(),
            sigactions: Mutex::new(self.sigactions().clone()),
            image: self.image.clone(),
            options: self.options.clone(),
            personality: self.personality.load(Ordering::Relaxed).into(),
            own_exe: self.own_exe.load(Ordering::Relaxed).into(),
            store: self.store.load(Ordering::Relaxed).into(),
            limits: self.limits.clone(),
            directories: self.directories.clone(),
            sigpage: self.sigpage,
            halt: Halt::default(),
            // gdb does not follow children.
            debugger: None,
        }
    }

    /// The debugger, while it has hold of the process.
    pub fn gdb(&self) -> Option<&Arc<Debugger>> {
        self.debugger.as_ref().filter(|gdb| gdb.attached())
    }

    /// The signal actions. A panic aborts the process, so the lock is never poisoned.
    pub fn sigactions(&self) -> MutexGuard<'_, SigActions> {
        self.sigactions.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The descriptors that the guest does not see, those that are open.
    pub fn hidden_fds(&self) -> impl Iterator<Item = i32> {
        let [exe, store] = [&self.own_exe, &self.store].map(|fd| fd.load(Ordering::Relaxed));
        [Some(exe), Some(store), log::file(), perf::file()].into_iter().flatten().filter(|&fd| fd >= 0)
    }

    /// Is `fd` a descriptor of the translator's own? To the guest it is closed (EBADF).
    pub fn is_hidden_fd(&self, fd: i32) -> bool {
        self.hidden_fds().any(|hidden| hidden == fd)
    }

    /// Gives up the number `fd` if it is hidden, because the guest wants it (dup2): moves our descriptor elsewhere.
    pub fn yield_fd(&self, fd: i32) {
        if !self.is_hidden_fd(fd) {
            return;
        }
        // SAFETY: a descriptor of ours.
        let moved = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, fd + 1) };
        // SAFETY: as above.
        let moved = if moved < 0 { unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 64) } } else { moved };
        if log::file() == Some(fd) {
            log::moved(moved);
        } else if perf::file() == Some(fd) {
            perf::moved(moved);
        } else if self.store.load(Ordering::Relaxed) == fd {
            self.store.store(moved, Ordering::Relaxed);
        } else {
            self.own_exe.store(moved, Ordering::Relaxed);
        }
    }

    /// The guest has changed its user: what it compiles from now on is not for those it was.
    pub fn rights_changed(&self) {
        let fd = self.store.load(Ordering::Relaxed);
        if fd >= 0 && !store::is_own(fd) {
            self.engine.stop_sharing();
            self.store.store(-1, Ordering::Relaxed);
            // SAFETY: a descriptor of ours.
            unsafe { libc::close(fd) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_handed_down_as_words() {
        let options = Options {
            cpu: Cpu::find("cortex-a9"),
            seed: Some(7),
            strace: true,
            log: Log { items: log::Items::IN_ASM | log::Items::CPU, filter: vec![0x1000..=0x1fff], fd: None },
            gdb: Some("1234".into()),
            ..Options::default()
        };
        let words: Vec<String> =
            options.as_arguments().into_iter().map(|a| a.into_string().expect("ASCII")).collect();
        let expected = "-cpu cortex-a9 -seed 7 -d in_asm,cpu -dfilter 0x1000..0x1fff -strace";
        assert_eq!(words.join(" "), expected);
    }
}
