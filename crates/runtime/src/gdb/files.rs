//! Files that gdb reads through the connection: the program, its libraries, and /proc as the guest sees it.

use super::target::Guest;
use crate::{loader, procfs};
use gdbstub::target::ext::host_io::{
    FsKind, HostIo, HostIoClose, HostIoCloseOps, HostIoErrno, HostIoError, HostIoFstat, HostIoFstatOps,
    HostIoOpen, HostIoOpenFlags, HostIoOpenMode, HostIoOpenOps, HostIoPread, HostIoPreadOps, HostIoReadlink,
    HostIoReadlinkOps, HostIoResult, HostIoSetfs, HostIoSetfsOps, HostIoStat,
};
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// An open file.
enum Open {
    /// Of the file system.
    Real(File),
    /// Made up.
    Contents(Vec<u8>),
}

/// Open files by descriptor.
#[derive(Default)]
pub struct Files(Vec<Option<Open>>);

impl Files {
    fn get(&self, fd: u32) -> Result<&Open, HostIoErrno> {
        self.0.get(fd as usize).and_then(Option::as_ref).ok_or(HostIoErrno::EBADF)
    }
}

/// The name in `/proc/PID/NAME` or `/proc/PID/task/TID/NAME`: gdb asks for its own process only.
fn own_proc_file(path: &Path) -> Option<&OsStr> {
    let below = path.strip_prefix("/proc").ok()?;
    let first = below.components().next()?.as_os_str();
    let process = first == "self" || first.as_bytes().iter().all(u8::is_ascii_digit);
    path.file_name().filter(|_| process)
}

impl HostIo for Guest {
    fn support_open(&mut self) -> Option<HostIoOpenOps<'_, Self>> {
        Some(self)
    }

    fn support_close(&mut self) -> Option<HostIoCloseOps<'_, Self>> {
        Some(self)
    }

    fn support_pread(&mut self) -> Option<HostIoPreadOps<'_, Self>> {
        Some(self)
    }

    fn support_fstat(&mut self) -> Option<HostIoFstatOps<'_, Self>> {
        Some(self)
    }

    fn support_readlink(&mut self) -> Option<HostIoReadlinkOps<'_, Self>> {
        Some(self)
    }

    fn support_setfs(&mut self) -> Option<HostIoSetfsOps<'_, Self>> {
        Some(self)
    }
}

impl HostIoOpen for Guest {
    fn open(&mut self, name: &[u8], flags: HostIoOpenFlags, _: HostIoOpenMode) -> HostIoResult<u32, Self> {
        let writes = HostIoOpenFlags::O_WRONLY
            | HostIoOpenFlags::O_RDWR
            | HostIoOpenFlags::O_CREAT
            | HostIoOpenFlags::O_TRUNC;
        if flags.intersects(writes) {
            return Err(HostIoError::Errno(HostIoErrno::EACCES));
        }
        let path = Path::new(OsStr::from_bytes(name));
        let made_up = own_proc_file(path).and_then(|name| procfs::own_file(&self.process, name.as_bytes()));
        let open = match made_up {
            Some(contents) => Open::Contents(contents),
            None => Open::Real(File::open(loader::prefixed(path, &self.process.options))?),
        };
        let free = self.files.0.iter().position(Option::is_none);
        let fd = free.unwrap_or(self.files.0.len());
        if free.is_none() {
            self.files.0.push(None);
        }
        self.files.0[fd] = Some(open);
        Ok(fd as u32)
    }
}

impl HostIoClose for Guest {
    fn close(&mut self, fd: u32) -> HostIoResult<(), Self> {
        self.files.get(fd).map_err(HostIoError::Errno)?;
        self.files.0[fd as usize] = None;
        Ok(())
    }
}

impl HostIoPread for Guest {
    fn pread(&mut self, fd: u32, count: usize, offset: u64, buf: &mut [u8]) -> HostIoResult<usize, Self> {
        let len = count.min(buf.len());
        match self.files.get(fd).map_err(HostIoError::Errno)? {
            Open::Real(file) => Ok(file.read_at(&mut buf[..len], offset)?),
            Open::Contents(contents) => {
                let start = usize::try_from(offset).map_or(contents.len(), |o| o.min(contents.len()));
                let len = len.min(contents.len() - start);
                buf[..len].copy_from_slice(&contents[start..start + len]);
                Ok(len)
            }
        }
    }
}

impl HostIoFstat for Guest {
    fn fstat(&mut self, fd: u32) -> HostIoResult<HostIoStat, Self> {
        let mut stat = HostIoStat {
            st_dev: 0,
            st_ino: 0,
            st_mode: HostIoOpenMode::S_IFREG | HostIoOpenMode::S_IRUSR,
            st_nlink: 1,
            st_uid: 0,
            st_gid: 0,
            st_rdev: 0,
            st_size: 0,
            st_blksize: 4096,
            st_blocks: 0,
            st_atime: 0,
            st_mtime: 0,
            st_ctime: 0,
        };
        match self.files.get(fd).map_err(HostIoError::Errno)? {
            Open::Real(file) => {
                let m = file.metadata()?;
                stat.st_dev = m.dev() as u32;
                stat.st_ino = m.ino() as u32;
                stat.st_mode = HostIoOpenMode::from_bits_truncate(m.mode());
                stat.st_nlink = m.nlink() as u32;
                (stat.st_uid, stat.st_gid) = (m.uid(), m.gid());
                (stat.st_size, stat.st_blocks) = (m.size(), m.blocks());
                (stat.st_atime, stat.st_mtime, stat.st_ctime) =
                    (m.atime() as u32, m.mtime() as u32, m.ctime() as u32);
            }
            Open::Contents(contents) => stat.st_size = contents.len() as u64,
        }
        Ok(stat)
    }
}

impl HostIoReadlink for Guest {
    fn readlink(&mut self, name: &[u8], buf: &mut [u8]) -> HostIoResult<usize, Self> {
        let path = Path::new(OsStr::from_bytes(name));
        let target = match own_proc_file(path) {
            Some(name) if name == "exe" => self.process.image.exe.to_bytes().to_vec(),
            _ => std::fs::read_link(path)?.into_os_string().as_bytes().to_vec(),
        };
        let len = target.len().min(buf.len());
        buf[..len].copy_from_slice(&target[..len]);
        Ok(len)
    }
}

impl HostIoSetfs for Guest {
    /// The process's own file system in any case: gdb knows no other here.
    fn setfs(&mut self, _: FsKind) -> HostIoResult<(), Self> {
        Ok(())
    }
}
