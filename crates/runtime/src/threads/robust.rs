//! Robust futexes: the host kernel cannot walk a list of 32-bit pointers, so it is done here when a thread ends
//! (kernel/futex/core.c: compat_exit_robust_list). A thread that is killed with SIGKILL leaves its list unwalked.

use super::Thread;
use std::sync::atomic::{AtomicU32, Ordering};

const FUTEX_TID_MASK: u32 = 0x3fff_ffff;
const FUTEX_OWNER_DIED: u32 = 0x4000_0000;
const FUTEX_WAITERS: u32 = 0x8000_0000;
/// ROBUST_LIST_LIMIT: protection against circular lists.
const LIMIT: usize = 2048;

/// Wakes one waiter of a futex that other processes may share.
pub(super) fn wake(thread: &Thread, addr: u32) {
    // SAFETY: FUTEX_WAKE does not access the word; the kernel checks the address.
    unsafe {
        libc::syscall(libc::SYS_futex, thread.mem.host::<u32>(addr), libc::FUTEX_WAKE, 1, 0usize, 0usize, 0)
    };
}

/// Marks every futex on the thread's list as left by a dead owner.
pub(super) fn exit(thread: &mut Thread) {
    let head = std::mem::take(&mut thread.robust_list);
    if head == 0 {
        return;
    }
    // struct robust_list_head: list.next, futex_offset, list_op_pending. Bit 0 of a pointer: a PI futex.
    let Ok([mut entry, offset, pending]) = thread.mem.read::<[u32; 3]>(head) else { return };
    for _ in 0..LIMIT {
        if entry & !1 == head {
            break;
        }
        // The next one is read first: the waiter that is woken may free this one.
        let next = thread.mem.read::<u32>(entry & !1);
        if entry & !1 != pending & !1 {
            owner_died(thread, (entry & !1).wrapping_add(offset), entry & 1 != 0, false);
        }
        match next {
            Ok(next) => entry = next,
            Err(_) => return,
        }
    }
    if pending & !1 != 0 {
        owner_died(thread, (pending & !1).wrapping_add(offset), pending & 1 != 0, true);
    }
}

/// handle_futex_death.
fn owner_died(thread: &Thread, addr: u32, pi: bool, pending: bool) {
    if addr % 4 != 0 {
        return;
    }
    // Nobody unmaps the word while the map is read-locked.
    let map = thread.process.memory.map();
    let writable = map.vmas.find(addr.into()).is_some_and(|(_, vma)| vma.prot & libc::PROT_WRITE != 0);
    let Ok(mut value) = thread.mem.read::<u32>(addr) else { return };
    if !writable {
        return;
    }
    // SAFETY: an aligned, mapped, writable word of guest memory, which is only accessed atomically.
    let word = unsafe { AtomicU32::from_ptr(thread.mem.host(addr)) };
    loop {
        if value & FUTEX_TID_MASK != thread.tid as u32 {
            if pending && !pi && value == 0 {
                // It was unlocked, but death came before the wake-up.
                wake(thread, addr);
            }
            return;
        }
        let died = value & FUTEX_WAITERS | FUTEX_OWNER_DIED;
        match word.compare_exchange(value, died, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => break,
            Err(now) => value = now,
        }
    }
    if !pi && value & FUTEX_WAITERS != 0 {
        wake(thread, addr);
    }
}
