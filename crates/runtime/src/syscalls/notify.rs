//! fs/notify: inotify and fanotify. Their events have one layout everywhere and come by read.

use super::host::host_wait;
use super::pass::passthrough;
use super::{Args, path};
use crate::abi::open_flags;
use crate::errno::SysResult;
use crate::threads::Thread;

passthrough! {
    inotify_init = libc::SYS_inotify_init, ();
    inotify_init1 = libc::SYS_inotify_init1, (Uint);
    inotify_rm_watch = libc::SYS_inotify_rm_watch, (Int Int);
}

pub(super) fn inotify_add_watch(t: &mut Thread, a: Args) -> SysResult {
    let path = path::lookup(t, a[1])?;
    host_wait!(libc::SYS_inotify_add_watch, a.i32(0), path.as_ptr(), a[2])
}

/// The second argument is how the descriptors in its events are opened.
pub(super) fn fanotify_init(_: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_fanotify_init, a[0], open_flags::to_host(a[1]))
}

pub(super) fn fanotify_mark(t: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_fanotify_mark, a.i32(0), a[1], a.u64(2), a.i32(4), t.mem.ptr::<u8>(a[5]))
}
