//! fs/xattr.c and fs/file_attr.c.

use super::Args;
use super::host::host_wait;
use super::pass::passthrough;
use crate::errno::{Errno, SysResult};
use crate::threads::Thread;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

// Newer than libc's list; the numbers are the same in all tables.
const SYS_SETXATTRAT: libc::c_long = 463;
const SYS_GETXATTRAT: libc::c_long = 464;
const SYS_LISTXATTRAT: libc::c_long = 465;
const SYS_REMOVEXATTRAT: libc::c_long = 466;
const SYS_FILE_GETATTR: libc::c_long = 468;
const SYS_FILE_SETATTR: libc::c_long = 469;

passthrough! {
    setxattr = libc::SYS_setxattr, (Ptr Ptr Ptr Uint Uint);
    lsetxattr = libc::SYS_lsetxattr, (Ptr Ptr Ptr Uint Uint);
    fsetxattr = libc::SYS_fsetxattr, (Int Ptr Ptr Uint Uint);
    getxattr = libc::SYS_getxattr, (Ptr Ptr Ptr Uint);
    lgetxattr = libc::SYS_lgetxattr, (Ptr Ptr Ptr Uint);
    fgetxattr = libc::SYS_fgetxattr, (Int Ptr Ptr Uint);
    listxattr = libc::SYS_listxattr, (Ptr Ptr Uint);
    llistxattr = libc::SYS_llistxattr, (Ptr Ptr Uint);
    flistxattr = libc::SYS_flistxattr, (Int Ptr Uint);
    removexattr = libc::SYS_removexattr, (Ptr Ptr);
    lremovexattr = libc::SYS_lremovexattr, (Ptr Ptr);
    fremovexattr = libc::SYS_fremovexattr, (Int Ptr);
    listxattrat = SYS_LISTXATTRAT, (Int Ptr Uint Ptr Uint);
    removexattrat = SYS_REMOVEXATTRAT, (Int Ptr Uint Ptr);
    file_getattr = SYS_FILE_GETATTR, (Int Ptr Ptr Uint Uint);
    file_setattr = SYS_FILE_SETATTR, (Int Ptr Ptr Uint Uint);
}

/// `struct xattr_args`: the pointer is 64 bits wide for everyone.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct XattrArgs {
    value: u64,
    size: u32,
    flags: u32,
}

/// setxattrat and getxattrat.
fn with_args(t: &Thread, a: Args, nr: libc::c_long) -> SysResult {
    let size = a[5] as usize;
    let (mut args, mut bytes) = t.mem.read_extensible::<XattrArgs>(a[4], size)?;
    let value = u32::try_from(args.value).map_err(|_| Errno(libc::EFAULT))?;
    args.value = t.mem.ptr::<u8>(value) as u64;
    bytes[..size_of::<XattrArgs>()].copy_from_slice(args.as_bytes());
    host_wait!(nr, a.i32(0), t.mem.ptr::<u8>(a[1]), a[2], t.mem.ptr::<u8>(a[3]), bytes.as_ptr(), size)
}

pub(super) fn setxattrat(t: &mut Thread, a: Args) -> SysResult {
    with_args(t, a, SYS_SETXATTRAT)
}

pub(super) fn getxattrat(t: &mut Thread, a: Args) -> SysResult {
    with_args(t, a, SYS_GETXATTRAT)
}
