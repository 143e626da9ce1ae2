//! fs/namei.c, fs/d_path.c, fs/fhandle.c: making, removing and renaming names.

use super::Args;
use super::host::host_wait;
use super::pass::passthrough;
use crate::abi::open_flags;
use crate::errno::SysResult;
use crate::threads::Thread;

passthrough! {
    link = libc::SYS_link, (Ptr Ptr);
    linkat = libc::SYS_linkat, (Int Ptr Int Ptr Uint);
    symlink = libc::SYS_symlink, (Ptr Ptr);
    symlinkat = libc::SYS_symlinkat, (Ptr Int Ptr);
    unlink = libc::SYS_unlink, (Ptr);
    unlinkat = libc::SYS_unlinkat, (Int Ptr Uint);
    rename = libc::SYS_rename, (Ptr Ptr);
    renameat = libc::SYS_renameat, (Int Ptr Int Ptr);
    renameat2 = libc::SYS_renameat2, (Int Ptr Int Ptr Uint);
    mkdir = libc::SYS_mkdir, (Ptr Uint);
    mkdirat = libc::SYS_mkdirat, (Int Ptr Uint);
    rmdir = libc::SYS_rmdir, (Ptr);
    mknod = libc::SYS_mknod, (Ptr Uint Uint);
    mknodat = libc::SYS_mknodat, (Int Ptr Uint Uint);
    getcwd = libc::SYS_getcwd, (Ptr Uint);
    name_to_handle_at = libc::SYS_name_to_handle_at, (Int Ptr Ptr Ptr Uint);
}

pub(super) fn open_by_handle_at(t: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_open_by_handle_at, a.i32(0), t.mem.ptr::<u8>(a[1]), open_flags::to_host(a[2]))
}
