//! The file through which the processes of a tree share compiled code.
//!
//! It is a memory file that a guest inherits through exec. Code made by one user is not for another: a process whose effective
//! user is not the file's owner does not take it over, nor does one that has gained rights by its exec (AT_SECURE).

use crate::process::hide;
use forearm_backend::cache::store;
use std::os::fd::{IntoRawFd, RawFd};

/// The inherited file if it may be used, or a new one; -1 when there is none to be had. Close-on-exec, at a high number.
pub fn inherit_or_create(inherited: Option<RawFd>) -> RawFd {
    // SAFETY: reads the vector the kernel gave to this process.
    let secure = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    if let Some(fd) = inherited {
        if !secure && is_own(fd) {
            return hide(fd);
        }
        // SAFETY: whoever started this process gave it the descriptor for this alone.
        unsafe { libc::close(fd) };
    }
    if secure { -1 } else { store::create().map_or(-1, |fd| hide(fd.into_raw_fd())) }
}

/// Is this a file that only the effective user can have written?
pub fn is_own(fd: RawFd) -> bool {
    // SAFETY: fills the structure; a bad descriptor is an error.
    unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        libc::fstat(fd, &mut stat) == 0
            && stat.st_mode & libc::S_IFMT == libc::S_IFREG
            && stat.st_uid == libc::geteuid()
            // A memory file has no name; a file with one is not for others to write.
            && (stat.st_nlink == 0 || stat.st_mode & 0o022 == 0)
    }
}
