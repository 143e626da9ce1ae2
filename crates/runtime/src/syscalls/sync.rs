//! fs/sync.c, mm/fadvise.c, mm/readahead.c, fs/splice.c: write-back, advice and pipes of pages.

use super::Args;
use super::host::host_wait;
use super::pass::passthrough;
use crate::abi::iovec;
use crate::errno::SysResult;
use crate::threads::Thread;

/// cachestat, newer than libc's list.
const SYS_CACHESTAT: libc::c_long = 451;

passthrough! {
    sync = libc::SYS_sync, ();
    fsync = libc::SYS_fsync, (Int);
    fdatasync = libc::SYS_fdatasync, (Int);
    syncfs = libc::SYS_syncfs, (Int);
    splice = libc::SYS_splice, (Int Ptr Int Ptr Uint Uint);
    tee = libc::SYS_tee, (Int Int Uint Uint);
    cachestat = SYS_CACHESTAT, (Int Ptr Ptr Uint);
}

/// sync_file_range2: the flags come second so that both offsets are aligned pairs.
pub(super) fn arm_sync_file_range(_: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_sync_file_range, a.i32(0), a.u64(2), a.u64(4), a[1])
}

/// fadvise64_64 with the advice second, for the same reason.
pub(super) fn arm_fadvise64_64(_: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_fadvise64, a.i32(0), a.u64(2), a.u64(4), a[1])
}

pub(super) fn readahead(_: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_readahead, a.i32(0), a.u64(2), a[4])
}

pub(super) fn vmsplice(t: &mut Thread, a: Args) -> SysResult {
    let list = iovec::read(t.mem, a[1], a[2])?;
    host_wait!(libc::SYS_vmsplice, a.i32(0), list.as_ptr(), list.len(), a[3])
}
