//! Paths that name something to be read: `-L` and the files of /proc that are not the host's.

use crate::errno::Errno;
use crate::procfs;
use crate::threads::Thread;
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Reads a path that a call looks up. With `-L`, an absolute name that exists below the prefix means that file, as
/// QEMU has it; names that are created or removed are never redirected.
///
/// # Errors
/// EFAULT, ENAMETOOLONG.
pub(super) fn lookup(t: &Thread, addr: u32) -> Result<CString, Errno> {
    let path = t.mem.read_path(addr)?;
    Ok(match &t.process.options.ld_prefix {
        Some(prefix) => below_prefix(prefix, &path).unwrap_or(path),
        None => path,
    })
}

/// [`lookup`] for calls that follow a last symbolic link: the links in /proc that name forearm's binary lead to the
/// guest's program.
///
/// # Errors
/// EFAULT, ENAMETOOLONG.
pub(super) fn follow(t: &Thread, dirfd: i32, addr: u32) -> Result<CString, Errno> {
    let path = lookup(t, addr)?;
    Ok(procfs::readlink(t, dirfd, &path).unwrap_or(path))
}

/// `path` below `prefix`, when it is absolute and exists there.
fn below_prefix(prefix: &Path, path: &CStr) -> Option<CString> {
    if path.to_bytes().first() != Some(&b'/') {
        return None;
    }
    let joined = CString::new([prefix.as_os_str().as_bytes(), path.to_bytes()].concat()).ok()?;
    // SAFETY: access reads a NUL-terminated string.
    (unsafe { libc::access(joined.as_ptr(), libc::F_OK) } == 0).then_some(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_only_where_the_file_exists() {
        let prefix = std::env::temp_dir().join(format!("forearm-prefix-{}", std::process::id()));
        std::fs::create_dir_all(prefix.join("lib")).unwrap();
        assert_eq!(
            below_prefix(&prefix, c"/lib").unwrap().to_bytes(),
            [prefix.as_os_str().as_bytes(), b"/lib"].concat()
        );
        assert!(below_prefix(&prefix, c"/absent").is_none());
        assert!(below_prefix(&prefix, c"lib").is_none());
        std::fs::remove_dir_all(&prefix).unwrap();
    }
}
