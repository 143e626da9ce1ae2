//! Scheduling (kernel/sched/syscalls.c), NUMA policy (mm/mempolicy.c), membarrier.

use super::host::{host, host_wait};
use super::{Args, SysResult};
use crate::abi::time::{GuestTimespec, Timespec32, Timespec64};
use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::threads::Thread;

/// Bytes of the largest processor mask the host kernel can have (NR_CPUS up to 8192).
const CPUMASK_MAX: usize = 1024;

/// sched_setaffinity(pid, len, mask): the host wants whole 64-bit words, the bits are the same.
pub fn sched_setaffinity(t: &mut Thread, a: Args) -> SysResult {
    let mut mask = [0u8; CPUMASK_MAX];
    let len = (a[1] as usize).min(CPUMASK_MAX);
    t.mem.read_into(a[2], &mut mask[..len])?;
    host!(libc::SYS_sched_setaffinity, a[0], len.next_multiple_of(8), mask.as_ptr())
}

/// sched_getaffinity(pid, len, mask)
pub fn sched_getaffinity(t: &mut Thread, a: Args) -> SysResult {
    let len = a[1] as usize;
    if !len.is_multiple_of(4) {
        return Err(Errno(libc::EINVAL));
    }
    let mut mask = [0u8; CPUMASK_MAX];
    let room = len.next_multiple_of(8).min(CPUMASK_MAX);
    let filled = host!(libc::SYS_sched_getaffinity, a[0], room, mask.as_mut_ptr())? as usize;
    // One guest word where the host has filled two: the upper one must have nothing to tell.
    let cut = filled.min(len);
    if mask[cut..filled].iter().any(|&byte| byte != 0) {
        return Err(Errno(libc::EINVAL));
    }
    t.mem.write_bytes(a[2], &mask[..cut])?;
    Ok(cut as u32)
}

/// sched_setparam(pid, param): `struct sched_param` is an int.
pub fn sched_setparam(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_sched_setparam, a[0], t.mem.ptr::<i32>(a[1]))
}

/// sched_getparam(pid, param)
pub fn sched_getparam(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_sched_getparam, a[0], t.mem.ptr::<i32>(a[1]))
}

/// sched_setscheduler(pid, policy, param)
pub fn sched_setscheduler(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_sched_setscheduler, a[0], a[1], t.mem.ptr::<i32>(a[2]))
}

/// sched_getscheduler(pid)
pub fn sched_getscheduler(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_sched_getscheduler, a[0])
}

/// sched_setattr(pid, attr, flags): `struct sched_attr` is the same everywhere.
pub fn sched_setattr(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_sched_setattr, a[0], t.mem.ptr::<u8>(a[1]), a[2])
}

/// sched_getattr(pid, attr, size, flags)
pub fn sched_getattr(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_sched_getattr, a[0], t.mem.ptr::<u8>(a[1]), a[2], a[3])
}

/// sched_yield()
pub fn sched_yield(_: &mut Thread, _: Args) -> SysResult {
    host!(libc::SYS_sched_yield)
}

/// sched_get_priority_max(policy)
pub fn sched_get_priority_max(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_sched_get_priority_max, a[0])
}

/// sched_get_priority_min(policy)
pub fn sched_get_priority_min(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_sched_get_priority_min, a[0])
}

/// sched_rr_get_interval(pid, timespec)
fn rr_get_interval<T: GuestTimespec>(t: &mut Thread, a: Args) -> SysResult {
    let mut interval = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    host!(libc::SYS_sched_rr_get_interval, a[0], &mut interval)?;
    t.mem.write(a[1], &T::from_host(interval))?;
    Ok(0)
}

/// sched_rr_get_interval with an old timespec.
pub fn sched_rr_get_interval32(t: &mut Thread, a: Args) -> SysResult {
    rr_get_interval::<Timespec32>(t, a)
}

/// sched_rr_get_interval_time64
pub fn sched_rr_get_interval64(t: &mut Thread, a: Args) -> SysResult {
    rr_get_interval::<Timespec64>(t, a)
}

/// nice(increment), which x86-64 does not have.
pub fn nice(_: &mut Thread, a: Args) -> SysResult {
    // The kernel's value is 20 - nice, so that it is never negative.
    let current = 20 - host!(libc::SYS_getpriority, libc::PRIO_PROCESS, 0u32)? as i32;
    let wanted = current.saturating_add(a.i32(0).clamp(-40, 40)).clamp(-20, 19);
    match host!(libc::SYS_setpriority, libc::PRIO_PROCESS, 0u32, wanted) {
        Err(Errno(libc::EACCES)) => Err(Errno(libc::EPERM)),
        done => done,
    }
}

/// setpriority(which, who, nice)
pub fn setpriority(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_setpriority, a[0], a.i32(1), a.i32(2))
}

/// getpriority(which, who): the kernel's own value, 20 - nice.
pub fn getpriority(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_getpriority, a[0], a.i32(1))
}

/// ioprio_set(which, who, ioprio)
pub fn ioprio_set(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_ioprio_set, a[0], a.i32(1), a[2])
}

/// ioprio_get(which, who)
pub fn ioprio_get(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_ioprio_get, a[0], a.i32(1))
}

/// getcpu(cpu, node)
pub fn getcpu(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_getcpu, t.mem.ptr::<u32>(a[0]), t.mem.ptr::<u32>(a[1]), 0u32)
}

/// membarrier(cmd, flags, cpu): guest threads are host threads, and x86 instructions implement the guest's.
pub fn membarrier(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_membarrier, a[0], a[1], a.i32(2))
}

/// Bits of the largest node mask taken; the kernel itself stops at one page.
const NODES_MAX: u32 = 4096 * 8;

/// Reads a node mask of `max` bits (arrays of 32-bit longs) as 64-bit words, a null pointer as `None`.
fn read_nodes(mem: GuestMemory, addr: u32, max: u32) -> Result<Option<Vec<u64>>, Errno> {
    if addr == 0 || max == 0 {
        return Ok(None);
    }
    // The kernel looks at one bit fewer than `max` says.
    let bits = max - 1;
    if bits > NODES_MAX {
        return Err(Errno(libc::EINVAL));
    }
    let words: Vec<u32> = mem.read_array(addr, bits.div_ceil(32) as usize)?;
    Ok(Some(
        words.chunks(2).map(|w| u64::from(w[0]) | u64::from(w.get(1).copied().unwrap_or(0)) << 32).collect(),
    ))
}

/// Address of a mask's words for the host.
fn nodes_ptr(nodes: &Option<Vec<u64>>) -> *const u64 {
    nodes.as_ref().map_or(std::ptr::null(), |words| words.as_ptr())
}

/// set_mempolicy(mode, nodes, max)
pub fn set_mempolicy(t: &mut Thread, a: Args) -> SysResult {
    let nodes = read_nodes(t.mem, a[1], a[2])?;
    host!(libc::SYS_set_mempolicy, a.i32(0), nodes_ptr(&nodes), a[2])
}

/// mbind(addr, len, mode, nodes, max, flags)
pub fn mbind(t: &mut Thread, a: Args) -> SysResult {
    let nodes = read_nodes(t.mem, a[3], a[4])?;
    host!(libc::SYS_mbind, t.mem.ptr::<u8>(a[0]), a[1], a[2], nodes_ptr(&nodes), a[4], a[5])
}

/// get_mempolicy(mode, nodes, max, addr, flags)
pub fn get_mempolicy(t: &mut Thread, a: Args) -> SysResult {
    let (mode, addr) = (t.mem.ptr::<i32>(a[0]), t.mem.ptr::<u8>(a[3]));
    if a[1] == 0 {
        return host!(libc::SYS_get_mempolicy, mode, 0u32, a[2], addr, a[4]);
    }
    let bits = a[2].min(NODES_MAX);
    let mut nodes = vec![0u64; bits.div_ceil(64) as usize];
    host!(libc::SYS_get_mempolicy, mode, nodes.as_mut_ptr(), bits, addr, a[4])?;
    let bytes: Vec<u8> = nodes.iter().flat_map(|word| word.to_le_bytes()).collect();
    t.mem.write_bytes(a[1], &bytes[..bits.div_ceil(32) as usize * 4])?;
    Ok(0)
}

/// migrate_pages(pid, max, from, to)
pub fn migrate_pages(t: &mut Thread, a: Args) -> SysResult {
    let (from, to) = (read_nodes(t.mem, a[2], a[1])?, read_nodes(t.mem, a[3], a[1])?);
    host!(libc::SYS_migrate_pages, a[0], a[1], nodes_ptr(&from), nodes_ptr(&to))
}

/// move_pages(pid, n, pages, nodes, status, flags): the array of pages has 32-bit pointers.
pub fn move_pages(t: &mut Thread, a: Args) -> SysResult {
    let guest: Vec<u32> = t.mem.read_array(a[2], a[1] as usize)?;
    let pages: Vec<*mut u8> = guest.iter().map(|&page| t.mem.ptr(page)).collect();
    let (nodes, status) = (t.mem.ptr::<i32>(a[3]), t.mem.ptr::<i32>(a[4]));
    host_wait!(libc::SYS_move_pages, a[0], pages.len(), pages.as_ptr(), nodes, status, a[5])
}

/// set_mempolicy_home_node(addr, len, node, flags)
pub fn set_mempolicy_home_node(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_set_mempolicy_home_node, t.mem.ptr::<u8>(a[0]), a[1], a[2], a[3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_masks_become_64_bit_words() {
        let words = [0x11u32, 0x22, 0x33];
        let mem = GuestMemory::new(words.as_ptr() as u64 - 16);
        assert_eq!(read_nodes(mem, 16, 97), Ok(Some(vec![0x22_0000_0011, 0x33])));
        assert_eq!(read_nodes(mem, 16, 1), Ok(Some(vec![])));
        assert_eq!(read_nodes(mem, 0, 97), Ok(None));
        assert_eq!(read_nodes(mem, 16, NODES_MAX + 2), Err(Errno(libc::EINVAL)));
    }
}
