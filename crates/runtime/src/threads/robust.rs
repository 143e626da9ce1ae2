//! Robust futexes. The list has 32-bit pointers, which the host kernel walks only for the list that an i386 call has
//! registered, and only where guest addresses are host addresses. So the list is walked here when a thread ends
//! (kernel/futex/core.c: compat_exit_robust_list), and the kernel, where it can, is there for SIGKILL.

use super::Thread;
use forearm_backend::fault;
use std::sync::atomic::{AtomicU32, Ordering};

/// Size of `struct robust_list_head`.
pub const HEAD_SIZE: u32 = 12;

const FUTEX_TID_MASK: u32 = 0x3fff_ffff;
const FUTEX_OWNER_DIED: u32 = 0x4000_0000;
const FUTEX_WAITERS: u32 = 0x8000_0000;
/// ROBUST_LIST_LIMIT: protection against circular lists.
const LIMIT: usize = 2048;

/// set_robust_list: `head` is the calling thread's list from now on.
pub fn set(thread: &mut Thread, head: u32) {
    thread.robust_list = head;
    register(thread, head);
}

/// Tells the kernel of the list, if it can be of use.
fn register(thread: &Thread, head: u32) {
    const I386_SET_ROBUST_LIST: u32 = 311;
    if thread.mem.host::<u8>(0).is_null() {
        // SAFETY: the kernel takes note of an address. Where it fails, a thread that is killed leaves its list unwalked.
        unsafe { fault::compat_syscall(I386_SET_ROBUST_LIST, head, HEAD_SIZE) };
    }
}

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
    walk(thread, head);
    // By the time the kernel walks, the head's memory may be another thread's.
    register(thread, 0);
}

fn walk(thread: &Thread, head: u32) {
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
    if !addr.is_multiple_of(4) {
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
