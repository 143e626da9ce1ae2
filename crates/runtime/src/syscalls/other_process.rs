//! Calls that look into or act on another process (mm/process_vm_access.c, kernel/pid.c, kernel/kcmp.c), and calls
//! that are refused on purpose.

use super::host::{host, host_wait};
use super::{Args, SysResult};
use crate::abi::iovec;
use crate::errno::Errno;
use crate::threads::Thread;

/// process_vm_readv and process_vm_writev(pid, local, n, remote, n, flags). The other process is taken for a guest
/// with the same base, which is 0 unless low memory cannot be had.
fn process_vm(t: &mut Thread, a: Args, nr: libc::c_long) -> SysResult {
    let local = iovec::read(t.mem, a[1], a[2])?;
    let remote = iovec::read(t.mem, a[3], a[4])?;
    host!(nr, a.i32(0), local.as_ptr(), local.len(), remote.as_ptr(), remote.len(), a[5])
}

/// process_vm_readv
pub fn process_vm_readv(t: &mut Thread, a: Args) -> SysResult {
    process_vm(t, a, libc::SYS_process_vm_readv)
}

/// process_vm_writev
pub fn process_vm_writev(t: &mut Thread, a: Args) -> SysResult {
    process_vm(t, a, libc::SYS_process_vm_writev)
}

/// process_madvise(pidfd, iov, n, advice, flags): the kernel takes advice that destroys nothing.
pub fn process_madvise(t: &mut Thread, a: Args) -> SysResult {
    let iov = iovec::read(t.mem, a[1], a[2])?;
    host!(libc::SYS_process_madvise, a[0], iov.as_ptr(), iov.len(), a[3], a[4])
}

/// process_mrelease(pidfd, flags)
pub fn process_mrelease(_: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_process_mrelease, a[0], a[1])
}

/// kcmp(pid, pid, type, index, index)
pub fn kcmp(t: &mut Thread, a: Args) -> SysResult {
    const KCMP_EPOLL_TFD: u32 = 7; // Its last argument is `struct kcmp_epoll_slot`, three ints.
    match a[2] {
        KCMP_EPOLL_TFD => {
            host!(libc::SYS_kcmp, a.i32(0), a.i32(1), a[2], a[3], t.mem.ptr::<u32>(a[4]))
        }
        _ => host!(libc::SYS_kcmp, a.i32(0), a.i32(1), a[2], a[3], a[4]),
    }
}

/// pidfd_open(pid, flags)
pub fn pidfd_open(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_pidfd_open, a.i32(0), a[1])
}

/// pidfd_getfd(pidfd, fd, flags)
pub fn pidfd_getfd(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_pidfd_getfd, a[0], a[1], a[2])
}

/// A call that would act on the host's kernel or on the translator where the guest means itself: EPERM, as for
/// a program without the capability.
pub fn refused(_: &mut Thread, _: Args) -> SysResult {
    Err(Errno(libc::EPERM))
}

/// seccomp(operation, flags, args). A filter sees the system calls of the host process, with x86-64 numbers and
/// those of the translator among them: what is meant for the guest would kill it. EINVAL says that the kernel was
/// built without filters, and every user of them goes on without.
pub fn seccomp(_: &mut Thread, _: Args) -> SysResult {
    Err(Errno(libc::EINVAL))
}

/// sysfs(option, arg, arg): names and numbers of file systems.
pub fn sysfs(t: &mut Thread, a: Args) -> SysResult {
    const INDEX_OF_NAME: u32 = 1;
    const NAME_OF_INDEX: u32 = 2;
    match a[0] {
        INDEX_OF_NAME => host!(libc::SYS_sysfs, a[0], t.mem.ptr::<u8>(a[1])),
        NAME_OF_INDEX => host!(libc::SYS_sysfs, a[0], a[1], t.mem.ptr::<u8>(a[2])),
        _ => host!(libc::SYS_sysfs, a[0], a[1], a[2]),
    }
}

/// lsm_get_self_attr(attr, ctx, size, flags): `struct lsm_ctx` has 64-bit fields everywhere.
pub fn lsm_get_self_attr(t: &mut Thread, a: Args) -> SysResult {
    const SYS_LSM_GET_SELF_ATTR: libc::c_long = 459;
    host!(SYS_LSM_GET_SELF_ATTR, a[0], t.mem.ptr::<u8>(a[1]), t.mem.ptr::<u32>(a[2]), a[3])
}

/// lsm_set_self_attr(attr, ctx, size, flags)
pub fn lsm_set_self_attr(t: &mut Thread, a: Args) -> SysResult {
    const SYS_LSM_SET_SELF_ATTR: libc::c_long = 460;
    host!(SYS_LSM_SET_SELF_ATTR, a[0], t.mem.ptr::<u8>(a[1]), a[2], a[3])
}

/// lsm_list_modules(ids, size, flags)
pub fn lsm_list_modules(t: &mut Thread, a: Args) -> SysResult {
    const SYS_LSM_LIST_MODULES: libc::c_long = 461;
    host!(SYS_LSM_LIST_MODULES, t.mem.ptr::<u64>(a[0]), t.mem.ptr::<u32>(a[1]), a[2])
}

/// listns(request, ids, n, flags): fixed-width fields.
pub fn listns(t: &mut Thread, a: Args) -> SysResult {
    const SYS_LISTNS: libc::c_long = 470;
    host!(SYS_LISTNS, t.mem.ptr::<u8>(a[0]), t.mem.ptr::<u64>(a[1]), a[2], a[3])
}
