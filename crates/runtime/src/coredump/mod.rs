//! Core files: what the kernel writes for a program that dies of a signal, but of the guest (fs/coredump.c,
//! fs/binfmt_elf.c). The host's own core would show the translator; it is never written.

mod contents;
mod name;
mod notes;

use crate::process::Process;
use crate::threads::Thread;
use crate::threads::halt::Member;
use crate::threads::registers::Registers;
use contents::{ByteSource, Segment};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the other threads may take to halt; one that does not is missing in the file.
const PATIENCE: Duration = Duration::from_secs(1);

/// The kernel writes no core file under a smaller limit (`binfmt->min_coredump`).
const MIN_LIMIT: u64 = 4096;

/// The size that a core file may have; 0: none is wanted.
pub fn limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: filled by the kernel.
    unsafe { libc::getrlimit(libc::RLIMIT_CORE, &mut limit) };
    if limit.rlim_cur < MIN_LIMIT { 0 } else { limit.rlim_cur }
}

/// Writes the core file of a process whose thread dies of `info`'s signal, if one is wanted; true when it is written.
/// One line on standard error says why it cannot be. The other threads are halted for good.
pub fn write(thread: &mut Thread, info: &libc::siginfo_t) -> bool {
    const SUID_DUMP_USER: i32 = 1;
    let limit = limit();
    // SAFETY: no arguments. Set-user-id programs, and those that said so with PR_SET_DUMPABLE, leave no core.
    if limit == 0 || unsafe { libc::prctl(libc::PR_GET_DUMPABLE) } != SUID_DUMP_USER {
        return false;
    }
    if !thread.process.halt.begin_end(thread.tid) {
        // Another thread dies and takes this one along.
        loop {
            thread.park(None);
        }
    }
    let others = thread.process.halt.wait_for_all(thread.tid, PATIENCE).members.clone();
    let name = name::of(thread, info.si_signo);
    match Dump::new(thread, info, others, limit).and_then(|dump| dump.write(&name)) {
        Ok(()) => true,
        Err(e) => {
            let e = e.to_string();
            let reason = e.split(" (os error").next().unwrap_or(&e);
            eprintln!("forearm: core file {}: {reason}", name.display());
            false
        }
    }
}

/// Ends the process by `signal` so that the parent sees that a core was dumped, where that can be had: the kernel is
/// let write one of its own, of the smallest size, into a directory that nobody else can see and that goes away with
/// the process. It needs CAP_SYS_ADMIN, Linux 5.2, and a pattern without directories; else the parent sees a death
/// without a core.
pub fn die(signal: i32) -> ! {
    if let Some(directory) = name::is_plain().then(nowhere).flatten() {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: plain system calls on values of our own; this process ends here.
        unsafe {
            libc::getrlimit(libc::RLIMIT_CORE, &mut limit);
            let least = libc::rlimit { rlim_cur: MIN_LIMIT, ..limit };
            if libc::fchdir(directory) == 0 && libc::setrlimit(libc::RLIMIT_CORE, &least) == 0 {
                crate::signals::host::raise(signal);
            }
        }
    }
    crate::signals::host::die(signal)
}

/// The root of a file system in memory that is mounted nowhere.
fn nowhere() -> Option<i32> {
    const FSCONFIG_CMD_CREATE: u32 = 6;
    // SAFETY: constant strings and descriptors of our own.
    let mount = unsafe {
        let context = libc::syscall(libc::SYS_fsopen, c"tmpfs".as_ptr(), 1) as i32;
        libc::syscall(libc::SYS_fsconfig, context, FSCONFIG_CMD_CREATE, 0usize, 0usize, 0);
        libc::syscall(libc::SYS_fsmount, context, 1, 0) as i32
    };
    (mount >= 0).then_some(mount)
}

/// Everything that goes into the file.
struct Dump {
    notes: Vec<u8>,
    segments: Vec<Segment>,
    source: ByteSource,
}

const EHDR: usize = 52;
const PHDR: usize = 32;
const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;

impl Dump {
    fn new(
        thread: &Thread,
        info: &libc::siginfo_t,
        others: crate::threads::halt::Members,
        limit: u64,
    ) -> io::Result<Dump> {
        let process: &Process = &thread.process;
        let registers = Some(Registers::of(&thread.cpu));
        let own = Member { registers, parked: true, mask: thread.inbox.mask(), ..Member::default() };
        let mut threads = vec![(thread.tid, own)];
        threads.extend(others.into_iter().filter(|&(tid, _)| tid != thread.tid));
        let mappings = crate::procfs::maps::mappings(&process.memory);
        let notes = notes::all(thread, info, &threads, &mappings);
        let source = ByteSource::new(&process.memory);
        let mut segments = contents::select(&mappings, &source);
        // e_phnum has 16 bits; one segment is the notes, and a limit may split each stack's.
        segments.truncate(0xfffe - threads.len().min(0x8000));
        let start = first_page(notes.len(), segments.len() + threads.len());
        if start > limit {
            return Err(io::Error::other(format!("the limit of {limit} bytes is too small")));
        }
        let stacks: Vec<u32> = threads.iter().filter_map(|(_, m)| Some(m.registers?.r[13])).collect();
        contents::lay_out(&mut segments, start, limit.min(u32::MAX.into()), &stacks);
        Ok(Dump { notes, segments, source })
    }

    /// ELF header, program headers and notes.
    fn head(&self) -> Vec<u8> {
        let count = self.segments.len() + 1;
        let mut out = vec![0x7f, b'E', b'L', b'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let half = |out: &mut Vec<u8>, value: u16| out.extend(value.to_le_bytes());
        let words = |out: &mut Vec<u8>, values: &[u32]| {
            out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        };
        const ET_CORE: u16 = 4;
        const EM_ARM: u16 = 40;
        const EF_ARM_EABI_VER5: u32 = 0x0500_0000;
        half(&mut out, ET_CORE);
        half(&mut out, EM_ARM);
        // Version, no entry, program headers behind this, no section headers.
        words(&mut out, &[1, 0, EHDR as u32, 0, EF_ARM_EABI_VER5]);
        for value in [EHDR, PHDR, count, 0, 0, 0] {
            half(&mut out, value as u16);
        }
        let notes_at = (EHDR + PHDR * count) as u32;
        words(&mut out, &[PT_NOTE, notes_at, 0, 0, self.notes.len() as u32, 0, 0, 4]);
        for s in &self.segments {
            // PF_R, PF_W and PF_X are PROT_* mirrored.
            let prot = s.prot as u32;
            let flags = (prot & 1) << 2 | prot & 2 | (prot & 4) >> 2;
            let (start, size) = (s.start as u32, (s.end - s.start) as u32);
            words(&mut out, &[PT_LOAD, s.offset as u32, start, 0, s.bytes as u32, size, flags, 4096]);
        }
        out.extend(&self.notes);
        out
    }

    /// Writes under another name, then takes the place of what was there: never half a file.
    fn write(&self, path: &Path) -> io::Result<()> {
        if let Ok(old) = std::fs::symlink_metadata(path) {
            // SAFETY: no arguments.
            let own = old.uid() == unsafe { libc::geteuid() };
            if !old.is_file() || old.nlink() != 1 || !own {
                return Err(io::Error::other("what is there is not a file of this user's alone"));
            }
        }
        let partial = partial(path);
        let options = OpenOptions::new().write(true).create_new(true).mode(0o600).clone();
        let file = options.open(&partial)?;
        let written = self.write_to(&file).and_then(|()| std::fs::rename(&partial, path));
        if written.is_err() {
            let _ = std::fs::remove_file(&partial);
        }
        written
    }

    fn write_to(&self, mut file: &File) -> io::Result<()> {
        file.write_all(&self.head())?;
        let mut end = file.metadata()?.len();
        for s in &self.segments {
            self.source.pages(s.start, s.start + s.bytes, |address, bytes| {
                file.write_all_at(bytes, s.offset + (address - s.start))
            })?;
            end = end.max(s.offset + s.bytes);
        }
        // Pages of zeros at the end are not written.
        file.set_len(end)
    }
}

/// Where the memory begins in the file.
fn first_page(notes: usize, segments: usize) -> u64 {
    crate::memory::page_up((EHDR + PHDR * (segments + 1) + notes) as u64)
}

fn partial(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    path.with_file_name(name)
}
