//! `open` flags (`arch/arm/include/uapi/asm/fcntl.h`): four of them have other bits than on x86.

/// O_DIRECTORY.
pub const O_DIRECTORY: u32 = 0o40000;
/// O_NOFOLLOW.
pub const O_NOFOLLOW: u32 = 0o100000;
/// O_DIRECT.
pub const O_DIRECT: u32 = 0o200000;
/// O_LARGEFILE; without it files of 2 GiB and more cannot be opened.
pub const O_LARGEFILE: u32 = 0o400000;

/// O_LARGEFILE of the x86 kernel; libc's constant is 0 there.
const HOST_LARGEFILE: u32 = 0o100000;

/// (ARM, x86) where they differ. O_TMPFILE contains O_DIRECTORY and so needs no line.
const DIFFERENT: [(u32, u32); 4] = [
    (O_DIRECTORY, libc::O_DIRECTORY as u32),
    (O_NOFOLLOW, libc::O_NOFOLLOW as u32),
    (O_DIRECT, libc::O_DIRECT as u32),
    (O_LARGEFILE, HOST_LARGEFILE),
];

/// Guest flags as the host's.
pub fn to_host(guest: u32) -> u32 {
    let common = DIFFERENT.iter().fold(guest, |flags, (arm, _)| flags & !arm);
    DIFFERENT.iter().filter(|(arm, _)| guest & arm != 0).fold(common, |flags, (_, x86)| flags | x86)
}

/// Host flags as the guest's.
pub fn from_host(host: u32) -> u32 {
    let common = DIFFERENT.iter().fold(host, |flags, (_, x86)| flags & !x86);
    DIFFERENT.iter().filter(|(_, x86)| host & x86 != 0).fold(common, |flags, (arm, _)| flags | arm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_round_trips() {
        for bit in 0..32 {
            assert_eq!(from_host(to_host(1 << bit)), 1 << bit);
        }
        assert_eq!(from_host(to_host(u32::MAX)), u32::MAX);
    }

    #[test]
    fn known_flags() {
        assert_eq!(to_host(O_DIRECTORY | 0o2000000), (libc::O_DIRECTORY | libc::O_CLOEXEC) as u32);
        assert_eq!(to_host(0o20040002), (libc::O_TMPFILE | libc::O_RDWR) as u32);
        assert_eq!(from_host(0o100001), O_LARGEFILE | 1);
    }
}
