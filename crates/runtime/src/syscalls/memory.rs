//! mmap and its relatives.

use super::{Args, enosys, resource};
use crate::errno::{Errno, SysResult};
use crate::loader::persona::READ_IMPLIES_EXEC;
use crate::memory::page_up;
use crate::syscalls::host::host;
use crate::threads::Thread;
use std::sync::atomic::Ordering;

/// PROT_READ gets PROT_EXEC in programs that were made before there was a difference.
fn implied(t: &Thread, prot: i32) -> i32 {
    let implies = t.process.personality.load(Ordering::Relaxed) & READ_IMPLIES_EXEC != 0;
    if implies && prot & libc::PROT_READ != 0 { prot | libc::PROT_EXEC } else { prot }
}

/// ENOMEM when `more` bytes of address space are more than the guest's RLIMIT_AS leaves (may_expand_vm). The host's
/// limit stays as it is: the translator's own memory is not the guest's.
fn within_limit(t: &Thread, more: u64) -> Result<(), Errno> {
    match t.process.limits.kept(libc::RLIMIT_AS) {
        Some(limit) if more > 0 && t.process.memory.map().vmas.mapped_in(0..1 << 32) + more > limit.cur => {
            Err(Errno(libc::ENOMEM))
        }
        _ => Ok(()),
    }
}

/// mmap2: the offset counts pages of 4096 bytes.
pub fn mmap2(t: &mut Thread, a: Args) -> SysResult {
    let flags = a.i32(3);
    let (start, len) = (u64::from(a[0]), page_up(u64::from(a[1])));
    let replaced = if flags & libc::MAP_FIXED == 0 {
        0
    } else {
        t.process.memory.map().vmas.mapped_in(start..start + len)
    };
    within_limit(t, len - replaced)?;
    let fd = if flags & libc::MAP_ANONYMOUS != 0 { -1 } else { a.i32(4) };
    t.process.memory.mmap(a[0], a[1], implied(t, a.i32(2)), flags, fd, u64::from(a[5]) << 12)
}

/// munmap.
pub fn munmap(t: &mut Thread, a: Args) -> SysResult {
    t.process.memory.munmap(a[0], a[1]).map(|()| 0)
}

/// mprotect.
pub fn mprotect(t: &mut Thread, a: Args) -> SysResult {
    t.process.memory.mprotect(a[0], a[1], implied(t, a.i32(2))).map(|()| 0)
}

/// mremap.
pub fn mremap(t: &mut Thread, a: Args) -> SysResult {
    within_limit(t, page_up(a[2].into()).saturating_sub(page_up(a[1].into())))?;
    t.process.memory.mremap(a[0], a[1], a[2], a.i32(3), a[4])
}

/// brk.
pub fn brk(t: &mut Thread, a: Args) -> SysResult {
    let prot = implied(t, libc::PROT_READ | libc::PROT_WRITE);
    let end = t.process.memory.map().brk.1;
    let more = page_up(a[0].into()).saturating_sub(page_up(end));
    if within_limit(t, more).is_err() {
        return Ok(end as u32);
    }
    let data_limit = resource::own_limit(&t.process, libc::RLIMIT_DATA)?.cur;
    Ok(t.process.memory.brk(a[0], prot, data_limit))
}

/// madvise.
pub fn madvise(t: &mut Thread, a: Args) -> SysResult {
    let memory = &t.process.memory;
    // SAFETY: the range is guest memory.
    let range = memory.on_range(a[0], a[1], |p, len| unsafe { libc::madvise(p, len, a.i32(2)) })?;
    if matches!(a.i32(2), libc::MADV_DONTNEED | libc::MADV_REMOVE | libc::MADV_FREE) {
        memory.code_changed(range);
    }
    Ok(0)
}

/// msync.
pub fn msync(t: &mut Thread, a: Args) -> SysResult {
    // SAFETY: the range is guest memory.
    t.process.memory.on_range(a[0], a[1], |p, len| unsafe { libc::msync(p, len, a.i32(2)) })?;
    Ok(0)
}

/// The page-aligned range around an unaligned one, as mlock and munlock take it.
fn whole_pages(addr: u32, len: u32) -> (u32, u32) {
    (addr & !0xfff, len.saturating_add(addr & 0xfff))
}

/// mlock.
pub fn mlock(t: &mut Thread, a: Args) -> SysResult {
    let (addr, len) = whole_pages(a[0], a[1]);
    // SAFETY: the range is guest memory.
    t.process.memory.on_range(addr, len, |p, len| unsafe { libc::mlock(p, len) })?;
    Ok(0)
}

/// mlock2.
pub fn mlock2(t: &mut Thread, a: Args) -> SysResult {
    let (addr, len) = whole_pages(a[0], a[1]);
    // SAFETY: the range is guest memory.
    t.process.memory.on_range(addr, len, |p, len| unsafe { libc::mlock2(p, len, a[2]) })?;
    Ok(0)
}

/// munlock.
pub fn munlock(t: &mut Thread, a: Args) -> SysResult {
    let (addr, len) = whole_pages(a[0], a[1]);
    // SAFETY: the range is guest memory.
    t.process.memory.on_range(addr, len, |p, len| unsafe { libc::munlock(p, len) })?;
    Ok(0)
}

/// mlockall locks the guest's memory, not the translator's.
pub fn mlockall(t: &mut Thread, a: Args) -> SysResult {
    let flags = a.i32(0);
    if flags == 0 || flags & !(libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT) != 0 {
        return Err(Errno(libc::EINVAL));
    }
    let memory = &t.process.memory;
    if flags & libc::MCL_CURRENT != 0 {
        let on_fault = if flags & libc::MCL_ONFAULT != 0 { libc::MLOCK_ONFAULT } else { 0 };
        let ranges: Vec<_> = memory.map().vmas.iter().collect();
        for (start, vma) in ranges {
            // A range without access cannot be locked; the kernel's own walk ignores such errors too.
            let lock = |p: *mut libc::c_void, len: usize| {
                // SAFETY: the range is guest memory.
                unsafe { libc::mlock2(p, len, on_fault) }
            };
            match memory.on_range(start as u32, (vma.end - start) as u32, lock) {
                Err(e) if e.0 == libc::EPERM => return Err(e),
                _ => {}
            }
        }
    }
    memory.lock_future(flags & libc::MCL_FUTURE != 0);
    Ok(0)
}

/// munlockall.
pub fn munlockall(t: &mut Thread, _: Args) -> SysResult {
    t.process.memory.lock_future(false);
    host!(libc::SYS_munlockall)
}

/// mincore.
pub fn mincore(t: &mut Thread, a: Args) -> SysResult {
    let vec = t.mem.host::<u8>(a[2]);
    // SAFETY: the range is guest memory; the kernel checks the vector's address.
    t.process.memory.on_range(a[0], a[1], |p, len| unsafe { libc::mincore(p, len, vec) })?;
    Ok(0)
}

/// remap_file_pages: the kernel emulates it with mappings, which the host's would do behind our back.
pub fn remap_file_pages(t: &mut Thread, a: Args) -> SysResult {
    enosys(t, a)
}
