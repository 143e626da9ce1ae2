//! The notes of a core file (fs/binfmt_elf.c: fill_note_info; the structures are those of arch/arm).

use super::Process;
use crate::procfs::maps::Mapping;
use crate::signals::siginfo;
use crate::threads::Thread;
use crate::threads::halt::Member;
use crate::threads::registers::Registers;
use zerocopy::{Immutable, IntoBytes};

const NT_PRSTATUS: u32 = 1;
const NT_PRPSINFO: u32 = 3;
const NT_AUXV: u32 = 6;
const NT_SIGINFO: u32 = 0x5349_4749;
const NT_FILE: u32 = 0x4649_4c45;
const NT_ARM_VFP: u32 = 0x400;
const NT_ARM_TLS: u32 = 0x401;

/// `struct timeval`.
type TimeVal = [i32; 2];

/// `struct elf_prstatus`.
#[repr(C)]
#[derive(IntoBytes, Immutable)]
struct PrStatus {
    si_signo: i32,
    si_code: i32,
    si_errno: i32,
    cursig: i16,
    pad: i16,
    sigpend: u32,
    sighold: u32,
    pid: i32,
    ppid: i32,
    pgrp: i32,
    sid: i32,
    /// User, system, and both of children.
    times: [TimeVal; 4],
    /// r0 to r15, CPSR, ORIG_r0.
    reg: [u32; 18],
    fpvalid: i32,
}

/// `struct elf_prpsinfo`.
#[repr(C)]
#[derive(IntoBytes, Immutable)]
struct PrPsInfo {
    state: u8,
    sname: u8,
    zomb: u8,
    nice: i8,
    flag: u32,
    uid: u16,
    gid: u16,
    pid: i32,
    ppid: i32,
    pgrp: i32,
    sid: i32,
    fname: [u8; 16],
    psargs: [u8; 80],
}

const _: () = assert!(size_of::<PrStatus>() == 148 && size_of::<PrPsInfo>() == 124);

/// Appends a note.
fn note(out: &mut Vec<u8>, name: &[u8], kind: u32, contents: &[u8]) {
    for word in [name.len() as u32, contents.len() as u32, kind] {
        out.extend(word.to_le_bytes());
    }
    for part in [name, contents] {
        out.extend(part);
        out.resize(out.len().next_multiple_of(4), 0);
    }
}

/// The names of the kernel's own notes, and of those of one architecture.
const CORE: &[u8] = b"CORE\0";
const LINUX: &[u8] = b"LINUX\0";

/// All notes; `threads` begins with the one that dies of `info`'s signal. Threads that are not parked have none.
pub fn all(
    thread: &Thread,
    info: &libc::siginfo_t,
    threads: &[(i32, Member)],
    mappings: &[Mapping],
) -> Vec<u8> {
    let mut out = Vec::new();
    for (n, (tid, member)) in threads.iter().enumerate() {
        let Some(registers) = member.registers.filter(|_| member.parked) else { continue };
        let status = status(*tid, &registers, member.mask.0 as u32, info.si_signo, n == 0);
        note(&mut out, CORE, NT_PRSTATUS, status.as_bytes());
        if n == 0 {
            note(&mut out, CORE, NT_PRPSINFO, ps_info(thread).as_bytes());
            note(&mut out, CORE, NT_SIGINFO, &siginfo::to_guest(info));
            note(&mut out, CORE, NT_AUXV, &thread.process.image.auxv);
            note(&mut out, CORE, NT_FILE, &files(mappings));
        }
        let mut vfp: Vec<u8> = registers.d.iter().flat_map(|d| d.to_le_bytes()).collect();
        vfp.extend(registers.fpscr.to_le_bytes());
        note(&mut out, LINUX, NT_ARM_VFP, &vfp);
        note(&mut out, LINUX, NT_ARM_TLS, &registers.tls.to_le_bytes());
    }
    out
}

/// As fill_prstatus: every thread has the signal; the rest of siginfo is in a note of its own.
fn status(tid: i32, registers: &Registers, mask: u32, signal: i32, first: bool) -> PrStatus {
    let mut reg = [0; 18];
    reg[..16].copy_from_slice(&registers.r);
    reg[16] = registers.cpsr;
    // ORIG_r0 of a thread that is in no system call, as the kernel marks it.
    reg[17] = u32::MAX;
    // SAFETY: these never fail for the calling process.
    let (ppid, pgrp, sid) = unsafe { (libc::getppid(), libc::getpgrp(), libc::getsid(0)) };
    PrStatus {
        si_signo: signal,
        si_code: 0,
        si_errno: 0,
        cursig: signal as i16,
        pad: 0,
        sigpend: 0,
        sighold: mask,
        pid: tid,
        ppid,
        pgrp,
        sid,
        times: if first { times() } else { Default::default() },
        reg,
        fpvalid: 1,
    }
}

/// Processor time of the process and of its children.
fn times() -> [TimeVal; 4] {
    let of = |who: i32| {
        let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: plain data, filled by the kernel.
        let usage = unsafe {
            libc::getrusage(who, usage.as_mut_ptr());
            usage.assume_init()
        };
        [usage.ru_utime, usage.ru_stime].map(|t| [t.tv_sec as i32, t.tv_usec as i32])
    };
    let ([user, system], [child_user, child_system]) = (of(libc::RUSAGE_SELF), of(libc::RUSAGE_CHILDREN));
    [user, system, child_user, child_system]
}

fn ps_info(thread: &Thread) -> PrPsInfo {
    let process: &Process = &thread.process;
    let mut fname = [0u8; 16];
    let mut psargs = [0u8; 80];
    let (start, end) = process.image.args;
    let len = (end.saturating_sub(start) as usize).min(psargs.len() - 1);
    if let Ok(args) = thread.mem.read_bytes(start, len) {
        psargs[..len].copy_from_slice(&args);
    }
    // The arguments stand in a row, with blanks between them.
    let text = psargs.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
    psargs[..text].iter_mut().filter(|b| **b == 0).for_each(|b| *b = b' ');
    // SAFETY: the kernel writes 16 bytes at most; the others never fail.
    let (uid, gid, nice, ids) = unsafe {
        libc::prctl(libc::PR_GET_NAME, fname.as_mut_ptr());
        let ids = [libc::getpid(), libc::getppid(), libc::getpgrp(), libc::getsid(0)];
        (libc::getuid(), libc::getgid(), libc::getpriority(libc::PRIO_PROCESS, 0), ids)
    };
    // An ID that does not fit 16 bits shows as overflowuid.
    let short = |id: u32| u16::try_from(id).unwrap_or(65534);
    let [pid, ppid, pgrp, sid] = ids;
    PrPsInfo {
        state: 0,
        sname: b'R',
        zomb: 0,
        nice: nice as i8,
        flag: 0,
        uid: short(uid),
        gid: short(gid),
        pid,
        ppid,
        pgrp,
        sid,
        fname,
        psargs,
    }
}

/// NT_FILE: count and page size, then start, end and offset in pages of each, then the names.
fn files(mappings: &[Mapping]) -> Vec<u8> {
    let named: Vec<_> = mappings.iter().filter(|m| m.name.starts_with(b"/")).collect();
    let mut words = vec![named.len() as u32, 4096];
    for m in &named {
        words.extend([m.start as u32, m.vma.end as u32, (m.offset / 4096) as u32]);
    }
    let mut out: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    for m in named {
        out.extend(&m.name);
        out.push(0);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_padded_to_words() {
        let mut out = Vec::new();
        note(&mut out, CORE, 7, &[1, 2, 3]);
        assert_eq!(out, b"\x05\0\0\0\x03\0\0\0\x07\0\0\0CORE\0\0\0\0\x01\x02\x03\0");
    }
}
