//! fs/ioctl.c and the drivers behind it. A request is known by its line in `table.rs`; an unknown one is ENOTTY, as
//! its argument might hold pointers or `long`s that the host would misread.

mod block;
mod net;
mod table;

use super::Args;
use super::host::host_wait;
use crate::errno::{Errno, SysResult};
use crate::log;
use crate::threads::Thread;

/// What the third argument is.
#[derive(Clone, Copy)]
enum Arg {
    /// A number, or nothing.
    Value,
    /// A pointer to a structure with one layout in both; the host kernel reads and writes it.
    Same,
    /// As `Same`, under another number on the host: the size in it is that of a `long`, though the data is not.
    As(u32),
    /// The host writes a `long` for its request of this number; the guest's is 32 bits wide.
    LongOut(u32),
    /// Has its own function.
    With(fn(&Thread, i32, u32, u32) -> SysResult),
}

/// A request.
struct Ioctl {
    number: u32,
    name: &'static str,
    arg: Arg,
}

/// Requests that exist in many sizes or for many consecutive numbers; all have one layout in both.
struct Range {
    kind: u8,
    first: u8,
    last: u8,
}

const WRITE: u32 = 1;
const READ: u32 = 2;

const fn ioc(dir: u32, kind: u8, nr: u8, size: u32) -> u32 {
    dir << 30 | size << 16 | (kind as u32) << 8 | nr as u32
}

/// `_IO`.
const fn io(kind: u8, nr: u8) -> u32 {
    ioc(0, kind, nr, 0)
}

/// `_IOR`.
const fn ior(kind: u8, nr: u8, size: u32) -> u32 {
    ioc(READ, kind, nr, size)
}

/// `_IOW`.
const fn iow(kind: u8, nr: u8, size: u32) -> u32 {
    ioc(WRITE, kind, nr, size)
}

/// `_IOWR`.
const fn iowr(kind: u8, nr: u8, size: u32) -> u32 {
    ioc(READ | WRITE, kind, nr, size)
}

/// Calls the host with an argument of forearm's own memory. `T` must be the host's layout for `request`.
fn call<T>(fd: i32, request: u32, arg: &mut T) -> SysResult {
    host_wait!(libc::SYS_ioctl, fd, request, arg)
}

/// The name of a request that is known.
pub(super) fn name(request: u32) -> Option<&'static str> {
    table::IOCTLS.iter().find(|line| line.number == request).map(|line| line.name)
}

pub(super) fn ioctl(t: &mut Thread, a: Args) -> SysResult {
    let (fd, request, arg) = (a.i32(0), a[1], a[2]);
    let same = |number: u32| host_wait!(libc::SYS_ioctl, fd, number, t.mem.ptr::<u8>(arg));
    let line = table::IOCTLS.iter().find(|line| line.number == request);
    match line.map(|line| line.arg) {
        Some(Arg::Value) => host_wait!(libc::SYS_ioctl, fd, request, arg),
        Some(Arg::Same) => same(request),
        Some(Arg::As(number)) => same(number),
        Some(Arg::LongOut(number)) => {
            let mut value = 0i64;
            let result = call(fd, number, &mut value)?;
            t.mem.write(arg, &u32::try_from(value).map_err(|_| Errno(libc::EFBIG))?)?;
            Ok(result)
        }
        Some(Arg::With(convert)) => convert(t, fd, request, arg),
        None if table::in_range(request) => same(request),
        None => {
            // A closed descriptor is EBADF, whatever the request.
            super::stat::fstat(fd)?;
            if log::wants(log::Items::UNIMP) {
                log::write(&format!("Unsupported ioctl: cmd=0x{request:04x}\n"));
            }
            Err(Errno(libc::ENOTTY))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_request_twice() {
        let mut seen = HashSet::new();
        for line in table::IOCTLS {
            assert!(seen.insert(line.number), "{} {:#x}", line.name, line.number);
        }
    }

    #[test]
    fn numbers_with_sizes() {
        let number = |name| table::IOCTLS.iter().find(|line| line.name == name).unwrap().number;
        assert_eq!(number("TCGETS2"), 0x802c_542a);
        assert_eq!(number("FS_IOC_GETFLAGS"), 0x8004_6601);
        assert_eq!(number("BLKGETSIZE64"), 0x8004_1272);
        assert_eq!(number("RTC_RD_TIME"), 0x8024_7009);
        assert_eq!(number("FITRIM"), 0xc018_5879);
    }
}
