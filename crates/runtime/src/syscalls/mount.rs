//! fs/namespace.c, fs/fsopen.c, fs/quota, mm/swapfile.c, kernel/acct.c, security/landlock: the administrator's calls.

use super::Args;
use super::host::host_wait;
use super::pass::passthrough;
use crate::errno::SysResult;
use crate::threads::Thread;

// Newer than libc's list; the numbers are the same in all tables.
const SYS_STATMOUNT: libc::c_long = 457;
const SYS_LISTMOUNT: libc::c_long = 458;
const SYS_OPEN_TREE_ATTR: libc::c_long = 467;

passthrough! {
    mount = libc::SYS_mount, (Ptr Ptr Ptr Uint Ptr);
    umount2 = libc::SYS_umount2, (Ptr Uint);
    pivot_root = libc::SYS_pivot_root, (Ptr Ptr);
    open_tree = libc::SYS_open_tree, (Int Ptr Uint);
    open_tree_attr = SYS_OPEN_TREE_ATTR, (Int Ptr Uint Ptr Uint);
    move_mount = libc::SYS_move_mount, (Int Ptr Int Ptr Uint);
    mount_setattr = libc::SYS_mount_setattr, (Int Ptr Uint Ptr Uint);
    fsopen = libc::SYS_fsopen, (Ptr Uint);
    fsmount = libc::SYS_fsmount, (Int Uint Uint);
    fspick = libc::SYS_fspick, (Int Ptr Uint);
    statmount = SYS_STATMOUNT, (Ptr Ptr Uint Uint);
    listmount = SYS_LISTMOUNT, (Ptr Ptr Uint Uint);
    // if_dqblk, if_dqinfo and the XFS structures have no longs.
    quotactl = libc::SYS_quotactl, (Uint Ptr Int Ptr);
    quotactl_fd = libc::SYS_quotactl_fd, (Int Uint Int Ptr);
    swapon = libc::SYS_swapon, (Ptr Uint);
    swapoff = libc::SYS_swapoff, (Ptr);
    acct = libc::SYS_acct, (Ptr);
    landlock_create_ruleset = libc::SYS_landlock_create_ruleset, (Ptr Uint Uint);
    landlock_add_rule = libc::SYS_landlock_add_rule, (Int Uint Ptr Uint);
    landlock_restrict_self = libc::SYS_landlock_restrict_self, (Int Uint);
}

/// Key and value are strings, or for FSCONFIG_SET_BINARY bytes: pointers in any case.
pub(super) fn fsconfig(t: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_fsconfig, a.i32(0), a[1], t.mem.ptr::<u8>(a[2]), t.mem.ptr::<u8>(a[3]), a.i32(4))
}
