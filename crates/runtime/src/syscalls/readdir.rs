//! fs/readdir.c. The trouble is `d_off`: file systems of a 64-bit host give 64-bit positions (ext4: a hash, FUSE and
//! 9p: whatever their server likes), and a guest with 32-bit `off_t` cannot keep them: its C library's readdir fails
//! with EOVERFLOW. A 32-bit kernel would ask the file system for shorter ones; here each long position gets a short
//! *cookie*, which lseek turns back.
//!
//! Cookies come from a table of the descriptor, in the order of reading. The file's own position stays the host's,
//! so plain reading is exact even where a table was lost (exec) or is not shared (fork).

use super::Args;
use super::host::host_wait;
use crate::errno::{Errno, SysResult};
use crate::procfs;
use crate::signals;
use crate::threads::Thread;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Positions below this are their own cookies.
const FIRST_COOKIE: i64 = 1 << 30;

/// The long positions of a directory and their cookies.
#[derive(Clone, Debug, Default)]
struct Cookies {
    /// By cookie, from [`FIRST_COOKIE`].
    positions: Vec<i64>,
    by_position: HashMap<i64, i32>,
}

impl Cookies {
    fn cookie(&mut self, position: i64) -> Result<i32, Errno> {
        if (0..FIRST_COOKIE).contains(&position) {
            return Ok(position as i32);
        }
        if let Some(&cookie) = self.by_position.get(&position) {
            return Ok(cookie);
        }
        let cookie =
            i32::try_from(FIRST_COOKIE + self.positions.len() as i64).map_err(|_| Errno(libc::EOVERFLOW))?;
        self.positions.push(position);
        self.by_position.insert(position, cookie);
        Ok(cookie)
    }

    fn position(&self, cookie: i64) -> Option<i64> {
        self.positions.get(usize::try_from(cookie - FIRST_COOKIE).ok()?).copied()
    }
}

/// The cookies of a process's open directories. Descriptors of one open file share a table.
#[derive(Debug, Default)]
pub struct Directories(Mutex<Tables>);

/// What the lock of [`Directories`] guards.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    by_fd: HashMap<i32, u64>,
    tables: HashMap<u64, Cookies>,
    /// Names the next table.
    next: u64,
}

impl Tables {
    fn of(&self, fd: i32) -> Option<&Cookies> {
        self.tables.get(self.by_fd.get(&fd)?)
    }

    fn of_or_new(&mut self, fd: i32) -> &mut Cookies {
        let next = &mut self.next;
        let name = *self.by_fd.entry(fd).or_insert_with(|| {
            *next += 1;
            *next
        });
        self.tables.entry(name).or_default()
    }

    /// Forgets a descriptor, and its table when no other has it.
    fn forget(&mut self, fd: i32) {
        if let Some(name) = self.by_fd.remove(&fd)
            && !self.by_fd.values().any(|&other| other == name)
        {
            self.tables.remove(&name);
        }
    }
}

impl Clone for Directories {
    /// For a vfork child, which has a copy of the descriptors.
    fn clone(&self) -> Directories {
        Directories(Mutex::new(self.lock().clone()))
    }
}

impl Directories {
    /// fork holds this so that the child does not inherit a lock taken by another thread.
    pub fn lock(&self) -> MutexGuard<'_, Tables> {
        // A panic aborts the process, so the lock is never poisoned.
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// `fd` was closed.
    pub fn closed(&self, fd: i32) {
        self.lock().forget(fd);
    }

    /// All of `first` to `last` were closed.
    pub fn range_closed(&self, first: u32, last: u32) {
        let mut tables = self.lock();
        let closed = |fd: &i32| (first..=last).contains(&(*fd as u32));
        for fd in tables.by_fd.keys().copied().filter(closed).collect::<Vec<_>>() {
            tables.forget(fd);
        }
    }

    /// `new` is now the same open file as `old`.
    pub fn duplicated(&self, old: i32, new: i32) {
        let mut tables = self.lock();
        let table = tables.by_fd.get(&old).copied();
        tables.forget(new);
        if let Some(name) = table {
            tables.by_fd.insert(new, name);
        }
    }

    fn cookie(&self, fd: i32, position: i64) -> Result<i32, Errno> {
        if (0..FIRST_COOKIE).contains(&position) {
            return Ok(position as i32);
        }
        self.lock().of_or_new(fd).cookie(position)
    }

    /// The host's position for an offset that the guest gave to lseek.
    pub(super) fn position(&self, fd: i32, offset: i64) -> i64 {
        if !(FIRST_COOKIE..=i32::MAX.into()).contains(&offset) {
            return offset;
        }
        self.lock().of(fd).and_then(|table| table.position(offset)).unwrap_or(offset)
    }

    /// The guest's offset for the position that lseek returned.
    pub(super) fn seek_result(&self, fd: i32, position: i64) -> i64 {
        if position < FIRST_COOKIE {
            return position;
        }
        let known = self.lock().by_fd.contains_key(&fd);
        let is_directory =
            || super::stat::fstat(fd).is_ok_and(|st| st.st_mode & libc::S_IFMT == libc::S_IFDIR);
        if known || position > i32::MAX.into() && is_directory() {
            self.cookie(fd, position).map_or(position, i64::from)
        } else {
            position
        }
    }
}

/// The head of `struct linux_dirent64`; the name follows at [`NAME64`].
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, packed)]
struct Dirent64 {
    ino: u64,
    off: i64,
    reclen: u16,
    kind: u8,
}

const NAME64: usize = size_of::<Dirent64>();

/// The head of `struct linux_dirent`; name, padding and, in the last byte, the type follow.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, packed)]
struct Dirent {
    ino: u32,
    off: i32,
    reclen: u16,
}

/// The host kernel writes into the guest's buffer; only positions that do not fit are changed after it.
pub(super) fn getdents64(t: &mut Thread, a: Args) -> SysResult {
    let (fd, buf) = (a.i32(0), a[1]);
    let mut len = host_wait!(libc::SYS_getdents64, fd, t.mem.ptr::<u8>(buf), a[2])?;
    let mut at = 0;
    while at + NAME64 as u32 <= len {
        // Another thread may be writing here: nothing read is trusted.
        let entry = buf.wrapping_add(at);
        let head: Dirent64 = t.mem.read(entry)?;
        let next = at + u32::from(head.reclen);
        let name = entry.wrapping_add(NAME64 as u32);
        if next <= len && t.mem.read::<u8>(name)?.is_ascii_digit() {
            let name = t.mem.read_bytes(name, usize::from(head.reclen).saturating_sub(NAME64))?;
            if hidden(t, fd, &name) {
                let rest =
                    t.mem.read_bytes(entry.wrapping_add(u32::from(head.reclen)), (len - next) as usize)?;
                t.mem.write_bytes(entry, &rest)?;
                len -= u32::from(head.reclen);
                if len == 0 {
                    // Nothing is left, but it is not the end.
                    return getdents64(t, a);
                }
                continue;
            }
        }
        let position = head.off;
        let cookie = t.process.directories.cookie(fd, position)?;
        if i64::from(cookie) != position {
            t.mem.write(buf.wrapping_add(at + 8), &i64::from(cookie))?;
        }
        at += u32::from(head.reclen).max(NAME64 as u32);
    }
    Ok(len)
}

/// Is this entry forearm's own descriptor, in a listing of the process's descriptors? The guest is not to see it.
fn hidden(t: &Thread, directory: i32, name: &[u8]) -> bool {
    let end = name.iter().position(|&b| b == 0).unwrap_or(name.len());
    let number = std::str::from_utf8(&name[..end]).ok().and_then(|name| name.parse().ok());
    number.is_some_and(|fd| t.process.is_hidden_fd(fd)) && procfs::lists_own_descriptors(directory)
}

/// One entry as `filldir` of a 32-bit kernel lays it out.
///
/// # Errors
/// EOVERFLOW for an inode number above 32 bits.
fn dirent(head: &Dirent64, cookie: i32, name: &[u8]) -> Result<Vec<u8>, Errno> {
    let ino = u32::try_from(head.ino).map_err(|_| Errno(libc::EOVERFLOW))?;
    let reclen = (size_of::<Dirent>() + name.len() + 2).next_multiple_of(4);
    let mut entry = Dirent { ino, off: cookie, reclen: reclen as u16 }.as_bytes().to_vec();
    entry.extend_from_slice(name);
    entry.resize(reclen, 0);
    entry[reclen - 1] = head.kind;
    Ok(entry)
}

/// getdents of old C libraries.
pub(super) fn getdents(t: &mut Thread, a: Args) -> SysResult {
    /// A host entry with the longest name.
    const LONGEST: usize = (NAME64 + 256).next_multiple_of(8);
    let (fd, buf) = (a.i32(0), a[1]);
    // A host entry is never shorter than the guest's, so what fits the host's buffer fits the guest's, unless that
    // is so small that no host entry might fit.
    let size = (a[2] as usize).min(1 << 20);
    let mut host = vec![0u8; size.max(LONGEST)];
    let start = signals::syscall_raw(libc::SYS_lseek, [fd as u64, 0, libc::SEEK_CUR as u64]);
    let len = host_wait!(libc::SYS_getdents64, fd, host.as_mut_ptr(), host.len())? as usize;
    let mut guest = Vec::with_capacity(len);
    let mut rest = &host[..len];
    let mut next = start;
    let mut failure = Errno(libc::EINVAL);
    while let Ok((head, _)) = Dirent64::read_from_prefix(rest) {
        let reclen = usize::from(head.reclen);
        let Some(name) = rest.get(NAME64..reclen) else { break };
        let name = &name[..name.iter().position(|&b| b == 0).unwrap_or(name.len())];
        let cookie = t.process.directories.cookie(fd, head.off)?;
        match dirent(&head, cookie, name) {
            _ if hidden(t, fd, name) => {}
            Ok(entry) if guest.len() + entry.len() <= size => guest.extend(entry),
            Ok(_) => break,
            Err(e) => {
                failure = e;
                break;
            }
        }
        next = head.off;
        rest = &rest[reclen..];
    }
    if !rest.is_empty() {
        // The entries that were not delivered are read again.
        super::host::host!(libc::SYS_lseek, fd, next as u64, libc::SEEK_SET)?;
        if guest.is_empty() {
            return Err(failure);
        }
    }
    if guest.is_empty() && len > 0 {
        // Only a hidden entry was left of these, but it is not the end.
        return getdents(t, a);
    }
    t.mem.write_bytes(buf, &guest)?;
    Ok(guest.len() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_short_stable_and_reversible() {
        let directories = Directories::default();
        let long = 0x1234_5678_9abc_def0;
        assert_eq!(directories.cookie(3, 7), Ok(7));
        let cookie = directories.cookie(3, long).unwrap();
        let end = directories.cookie(3, i64::MAX).unwrap();
        assert_ne!(cookie, end);
        assert_eq!(directories.cookie(3, long), Ok(cookie));
        assert_eq!(directories.position(3, cookie.into()), long);
        assert_eq!(directories.position(3, end.into()), i64::MAX);
        assert_eq!(directories.seek_result(3, long), cookie.into());
    }

    #[test]
    fn tables_follow_descriptors() {
        let directories = Directories::default();
        let long = 5 << 40;
        let cookie = directories.cookie(3, long).unwrap().into();
        directories.duplicated(3, 4);
        assert_eq!(directories.position(4, cookie), long);
        let child = directories.clone();
        directories.closed(3);
        assert_eq!(directories.position(3, cookie), cookie);
        assert_eq!(child.position(3, cookie), long);
        directories.duplicated(3, 4);
        assert_eq!(directories.position(4, cookie), cookie);
        child.range_closed(4, u32::MAX);
        assert_eq!(child.position(3, cookie), long);
        child.range_closed(0, 3);
        assert_eq!(child.position(3, cookie), cookie);
    }

    #[test]
    fn positions_of_plain_files_are_left_alone() {
        let directories = Directories::default();
        assert_eq!(directories.position(-1, 1 << 30), 1 << 30);
        assert_eq!(directories.seek_result(-1, 3 << 30), 3 << 30);
    }

    #[test]
    fn old_entries_have_the_type_in_the_last_byte() {
        let head = Dirent64 { ino: 5, off: 0, reclen: 0, kind: libc::DT_DIR };
        let entry = dirent(&head, 9, b"ab").unwrap();
        assert_eq!(entry, [5, 0, 0, 0, 9, 0, 0, 0, 16, 0, b'a', b'b', 0, 0, 0, libc::DT_DIR]);
        let wide = Dirent64 { ino: 1 << 32, ..head };
        assert_eq!(dirent(&wide, 9, b"ab").unwrap_err(), Errno(libc::EOVERFLOW));
    }
}
