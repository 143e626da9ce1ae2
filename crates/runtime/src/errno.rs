//! Error numbers. The ARM and x86 kernels share asm-generic's, so host values pass through unchanged.

/// An errno value, positive (`libc::ENOENT`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

/// What a system call returns: r0, or an error.
pub type SysResult = Result<u32, Errno>;

impl Errno {
    /// The calling thread's `errno`.
    pub fn last() -> Errno {
        Errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO))
    }
}

impl From<std::io::Error> for Errno {
    fn from(e: std::io::Error) -> Errno {
        Errno(e.raw_os_error().unwrap_or(libc::EIO))
    }
}

impl From<forearm_backend::fault::BadAddress> for Errno {
    fn from(_: forearm_backend::fault::BadAddress) -> Errno {
        Errno(libc::EFAULT)
    }
}

impl std::fmt::Display for Errno {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // std adds " (os error N)".
        let text = std::io::Error::from_raw_os_error(self.0).to_string();
        f.write_str(text.split(" (os error").next().unwrap_or(&text))
    }
}

/// The result of a raw host system call (`-errno` in the top page) as a `SysResult`; values are cut to 32 bits.
pub fn from_raw(ret: i64) -> SysResult {
    if (-4095..0).contains(&ret) { Err(Errno(-ret as i32)) } else { Ok(ret as u32) }
}
