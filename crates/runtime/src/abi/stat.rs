//! File status (`arch/arm/include/uapi/asm/stat.h`, `statfs.h`).

use crate::errno::Errno;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What `high2lowuid` of the kernel gives for an ID that does not fit 16 bits.
pub const OVERFLOW_ID: u16 = 65534;

/// Largest size and offset of the calls without large-file support.
pub const MAX_NON_LFS: i64 = i32::MAX as i64;

/// `struct stat64`, 104 bytes.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Stat64 {
    dev: u64,
    pad0: u32,
    /// The low half of `ino`.
    ino32: u32,
    mode: u32,
    nlink: u32,
    uid: u32,
    gid: u32,
    rdev: u64,
    pad3: [u32; 2],
    size: i64,
    blksize: u32,
    pad4: u32,
    blocks: u64,
    atime: u32,
    atime_nsec: u32,
    mtime: u32,
    mtime_nsec: u32,
    ctime: u32,
    ctime_nsec: u32,
    ino: u64,
}

impl From<&libc::stat> for Stat64 {
    fn from(st: &libc::stat) -> Stat64 {
        Stat64 {
            dev: st.st_dev,
            ino32: st.st_ino as u32,
            mode: st.st_mode,
            nlink: st.st_nlink as u32,
            uid: st.st_uid,
            gid: st.st_gid,
            rdev: st.st_rdev,
            size: st.st_size,
            blksize: st.st_blksize as u32,
            blocks: st.st_blocks as u64,
            atime: st.st_atime as u32,
            atime_nsec: st.st_atime_nsec as u32,
            mtime: st.st_mtime as u32,
            mtime_nsec: st.st_mtime_nsec as u32,
            ctime: st.st_ctime as u32,
            ctime_nsec: st.st_ctime_nsec as u32,
            ino: st.st_ino,
            ..Stat64::default()
        }
    }
}

/// `struct stat` of `stat`, `lstat` and `fstat`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Stat {
    dev: u32,
    ino: u32,
    mode: u16,
    nlink: u16,
    uid: u16,
    gid: u16,
    rdev: u32,
    size: u32,
    blksize: u32,
    blocks: u32,
    atime: u32,
    atime_nsec: u32,
    mtime: u32,
    mtime_nsec: u32,
    ctime: u32,
    ctime_nsec: u32,
    unused: [u32; 2],
}

impl Stat {
    /// Converts as `cp_new_stat` of a 32-bit kernel.
    ///
    /// # Errors
    /// EOVERFLOW when the inode number, the link count or the size does not fit.
    pub fn from_host(st: &libc::stat) -> Result<Stat, Errno> {
        let overflow = |_| Errno(libc::EOVERFLOW);
        Ok(Stat {
            dev: st.st_dev as u32,
            ino: u32::try_from(st.st_ino).map_err(overflow)?,
            mode: st.st_mode as u16,
            nlink: u16::try_from(st.st_nlink).map_err(overflow)?,
            uid: u16::try_from(st.st_uid).unwrap_or(OVERFLOW_ID),
            gid: u16::try_from(st.st_gid).unwrap_or(OVERFLOW_ID),
            rdev: st.st_rdev as u32,
            size: i32::try_from(st.st_size).map_err(overflow)? as u32,
            blksize: st.st_blksize as u32,
            blocks: st.st_blocks as u32,
            atime: st.st_atime as u32,
            atime_nsec: st.st_atime_nsec as u32,
            mtime: st.st_mtime as u32,
            mtime_nsec: st.st_mtime_nsec as u32,
            ctime: st.st_ctime as u32,
            ctime_nsec: st.st_ctime_nsec as u32,
            unused: [0; 2],
        })
    }
}

/// `struct statfs` of the x86-64 kernel; libc's hides some fields.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct HostStatfs {
    kind: i64,
    bsize: u64,
    blocks: u64,
    bfree: u64,
    bavail: u64,
    files: u64,
    ffree: u64,
    fsid: [u32; 2],
    namelen: u64,
    frsize: u64,
    flags: u64,
    spare: [u64; 4],
}

/// `struct statfs`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Statfs {
    kind: u32,
    bsize: u32,
    blocks: u32,
    bfree: u32,
    bavail: u32,
    files: u32,
    ffree: u32,
    fsid: [u32; 2],
    namelen: u32,
    frsize: u32,
    flags: u32,
    spare: [u32; 4],
}

impl Statfs {
    /// Converts as `do_statfs_native` of a 32-bit kernel.
    ///
    /// # Errors
    /// EOVERFLOW when a count of blocks or files does not fit; -1 files ("unknown") is no count.
    pub fn from_host(st: &HostStatfs) -> Result<Statfs, Errno> {
        let fits = |n: u64| u32::try_from(n).map_err(|_| Errno(libc::EOVERFLOW));
        let files = |n: u64| if n == u64::MAX { Ok(u32::MAX) } else { fits(n) };
        Ok(Statfs {
            kind: st.kind as u32,
            bsize: fits(st.bsize)?,
            blocks: fits(st.blocks)?,
            bfree: fits(st.bfree)?,
            bavail: fits(st.bavail)?,
            files: files(st.files)?,
            ffree: files(st.ffree)?,
            fsid: st.fsid,
            namelen: st.namelen as u32,
            frsize: fits(st.frsize)?,
            flags: st.flags as u32,
            spare: [0; 4],
        })
    }
}

/// `struct statfs64`, packed to 84 bytes; C programs see 88 with the padding at the end.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, packed(4))]
pub struct Statfs64 {
    kind: u32,
    bsize: u32,
    blocks: u64,
    bfree: u64,
    bavail: u64,
    files: u64,
    ffree: u64,
    fsid: [u32; 2],
    namelen: u32,
    frsize: u32,
    flags: u32,
    spare: [u32; 4],
}

impl From<&HostStatfs> for Statfs64 {
    fn from(st: &HostStatfs) -> Statfs64 {
        Statfs64 {
            kind: st.kind as u32,
            bsize: st.bsize as u32,
            blocks: st.blocks,
            bfree: st.bfree,
            bavail: st.bavail,
            files: st.files,
            ffree: st.ffree,
            fsid: st.fsid,
            namelen: st.namelen as u32,
            frsize: st.frsize as u32,
            flags: st.flags as u32,
            spare: [0; 4],
        }
    }
}

/// `struct ustat`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Ustat {
    /// Free blocks.
    pub tfree: u32,
    /// Free inodes.
    pub tinode: u32,
    /// File system name, always empty.
    pub fname: [u8; 6],
    /// Pack name, always empty.
    pub fpack: [u8; 6],
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    fn host_stat() -> libc::stat {
        // SAFETY: plain data.
        let mut st: libc::stat = unsafe { std::mem::zeroed() };
        st.st_ino = 0x1_2345_6789;
        st.st_size = 5 << 30;
        st.st_nlink = 3;
        st.st_uid = 100_000;
        st.st_mtime = 77;
        st
    }

    #[test]
    fn layouts_are_the_arm_ones() {
        assert_eq!(size_of::<Stat64>(), 104);
        assert_eq!(offset_of!(Stat64, ino32), 12);
        assert_eq!(offset_of!(Stat64, rdev), 32);
        assert_eq!(offset_of!(Stat64, size), 48);
        assert_eq!(offset_of!(Stat64, blocks), 64);
        assert_eq!(offset_of!(Stat64, ino), 96);
        assert_eq!(size_of::<Stat>(), 64);
        assert_eq!(size_of::<Statfs>(), 64);
        assert_eq!(size_of::<Statfs64>(), 84);
        assert_eq!(size_of::<Ustat>(), 20);
    }

    #[test]
    fn stat64_keeps_what_stat_cannot() {
        let wide = Stat64::from(&host_stat());
        assert_eq!((wide.ino, wide.ino32, wide.size), (0x1_2345_6789, 0x2345_6789, 5 << 30));
        assert_eq!(Stat::from_host(&host_stat()).unwrap_err(), Errno(libc::EOVERFLOW));
        let mut small = host_stat();
        small.st_ino = 9;
        small.st_size = i64::from(i32::MAX);
        let st = Stat::from_host(&small).unwrap();
        assert_eq!((st.ino, st.uid, st.mtime), (9, OVERFLOW_ID, 77));
        small.st_size += 1;
        assert!(Stat::from_host(&small).is_err());
    }

    #[test]
    fn statfs_of_a_large_file_system() {
        assert_eq!(size_of::<HostStatfs>(), size_of::<libc::statfs>());
        let mut st = HostStatfs { files: u64::MAX, ..HostStatfs::default() };
        assert!(Statfs::from_host(&st).is_ok());
        st.blocks = 1 << 32;
        assert_eq!(Statfs::from_host(&st).unwrap_err(), Errno(libc::EOVERFLOW));
        let wide = Statfs64::from(&st);
        assert_eq!({ wide.blocks }, 1 << 32);
    }
}
