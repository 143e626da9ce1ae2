//! The files of /proc that must look like ARM, and like the guest's program instead of forearm.

use crate::errno::SysResult;
use crate::threads::Thread;
use std::ffi::{CStr, CString};

/// `open` asks this first. `Some`: the path is one of ours and this is the result (a descriptor or an error).
pub fn open(thread: &Thread, dirfd: i32, path: &CStr, flags: i32) -> Option<SysResult> {
    let _ = (thread, dirfd, path, flags);
    None
}

/// `readlink` asks this first. `Some`: the link is one of ours and this is its target (not cut to a buffer).
pub fn readlink(thread: &Thread, dirfd: i32, path: &CStr) -> Option<CString> {
    let _ = (thread, dirfd, path);
    None
}
