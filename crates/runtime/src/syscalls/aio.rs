//! fs/aio.c. `struct iocb` and `struct io_event` have one layout everywhere; lists of pointers, vectors and times
//! are converted. The ring of events is memory of the process, which libaio reads by itself, and its address is the
//! context's name: so it is moved to where the guest can see it.

use super::host::{host, host_wait};
use super::{Args, select};
use crate::abi::iovec;
use crate::abi::time::{Timespec32, Timespec64};
use crate::errno::{Errno, SysResult};
use crate::signals::SigSet;
use crate::threads::Thread;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `struct iocb`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Iocb {
    data: u64,
    key: u32,
    rw_flags: u32,
    opcode: u16,
    reqprio: i16,
    fildes: u32,
    buf: u64,
    nbytes: u64,
    offset: i64,
    reserved2: u64,
    flags: u32,
    resfd: u32,
}

/// Not in libc's list.
const SYS_IO_PGETEVENTS: libc::c_long = 333;

/// IOCB_CMD_PREADV.
const PREADV: u16 = 7;
/// IOCB_CMD_PWRITEV.
const PWRITEV: u16 = 8;

/// The head of `struct aio_ring`; `struct io_event`s follow.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Ring {
    id: u32,
    /// Events there is room for.
    nr: u32,
    rest: [u32; 6],
}

/// Bytes of a ring's mapping, from its head.
fn ring_len(ring: &Ring) -> Result<u32, Errno> {
    let bytes = size_of::<Ring>() as u64 + u64::from(ring.nr) * 32;
    u32::try_from(bytes.next_multiple_of(4096)).map_err(|_| Errno(libc::ENOMEM))
}

pub(super) fn io_setup(t: &mut Thread, a: Args) -> SysResult {
    // Where guest addresses are not host addresses, the events in the ring would name control blocks by the host's.
    if t.process.memory.base() != 0 {
        return Err(Errno(libc::ENOSYS));
    }
    let wanted: u32 = t.mem.read(a[1])?;
    if wanted != 0 {
        return Err(Errno(libc::EINVAL));
    }
    let mut context = 0u64;
    host!(libc::SYS_io_setup, a[0], &mut context)?;
    let moved = move_ring(t, context);
    if moved.is_err() {
        let _ = host!(libc::SYS_io_destroy, context);
    }
    let address = moved?;
    if let Err(e) = t.mem.write(a[1], &address) {
        let _ = destroy(t, address);
        return Err(e);
    }
    Ok(0)
}

/// Moves a new context's ring into guest memory; the kernel renames the context with it.
fn move_ring(t: &Thread, context: u64) -> SysResult {
    // SAFETY: a ring begins with this head, and the context is ours alone.
    let len = ring_len(&unsafe { std::ptr::read_volatile(context as *const Ring) })?;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let address = t.process.memory.mmap(0, len, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)?;
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    // SAFETY: the target was just mapped for this, the source is the ring.
    let new = unsafe {
        libc::mremap(context as *mut _, len as usize, len as usize, flags, t.mem.ptr::<libc::c_void>(address))
    };
    if new == libc::MAP_FAILED {
        let error = Errno::last();
        t.process.memory.munmap(address, len)?;
        return Err(error);
    }
    Ok(address)
}

/// io_destroy and the end of the mapping in the guest's map.
fn destroy(t: &Thread, context: u32) -> SysResult {
    let ring = t.mem.read::<Ring>(context).map_err(|_| Errno(libc::EINVAL))?;
    let result = host_wait!(libc::SYS_io_destroy, t.mem.ptr::<u8>(context))?;
    t.process.memory.munmap(context, ring_len(&ring)?)?;
    Ok(result)
}

pub(super) fn io_destroy(t: &mut Thread, a: Args) -> SysResult {
    destroy(t, a[0])
}

pub(super) fn io_submit(t: &mut Thread, a: Args) -> SysResult {
    let Ok(n) = u32::try_from(a.i32(1)) else { return Err(Errno(libc::EINVAL)) };
    // A caller goes on after a short count.
    let blocks: Vec<u32> = t.mem.read_array(a[2], n.min(1024) as usize)?;
    let mut submitted = 0;
    for block in blocks {
        match submit(t, a[0], block) {
            Ok(_) => submitted += 1,
            // The error of the first is the call's; that of a later one is told when it is the first.
            Err(e) if submitted == 0 => return Err(e),
            Err(_) => break,
        }
    }
    if n == 0 {
        return host_wait!(libc::SYS_io_submit, t.mem.ptr::<u8>(a[0]), 0u32, 0u32);
    }
    Ok(submitted)
}

/// Submits one control block. The kernel names it by its address in the event, so it is the guest's own that is
/// submitted; a vector is swapped in for the time of the call, which is when the kernel reads it.
fn submit(t: &Thread, context: u32, block: u32) -> SysResult {
    let pointer: *mut Iocb = t.mem.ptr(block);
    let call = || host_wait!(libc::SYS_io_submit, t.mem.ptr::<u8>(context), 1u32, &pointer);
    let guest: Iocb = t.mem.read(block)?;
    if guest.opcode != PREADV && guest.opcode != PWRITEV {
        return call();
    }
    let count = u32::try_from(guest.nbytes).map_err(|_| Errno(libc::EINVAL))?;
    let list = iovec::read(t.mem, guest.buf as u32, count)?;
    t.mem.write(block, &Iocb { buf: list.as_ptr() as u64, ..guest })?;
    let result = call();
    t.mem.write(block, &guest)?;
    result
}

pub(super) fn io_cancel(t: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_io_cancel, t.mem.ptr::<u8>(a[0]), t.mem.ptr::<u8>(a[1]), t.mem.ptr::<u8>(a[2]))
}

fn do_getevents(t: &mut Thread, a: Args, timeout: Option<libc::timespec>, mask: Option<SigSet>) -> SysResult {
    /// `struct __aio_sigset`.
    #[repr(C)]
    struct Mask<'a> {
        set: Option<&'a u64>,
        size: usize,
    }
    select::with_mask(t, mask, |t, mask| {
        let (context, events) = (t.mem.ptr::<u8>(a[0]), t.mem.ptr::<u8>(a[3]));
        let mask = Mask { set: mask, size: 8 };
        host_wait!(SYS_IO_PGETEVENTS, context, a.i32(1), a.i32(2), events, timeout.as_ref(), &mask)
    })
}

pub(super) fn io_getevents(t: &mut Thread, a: Args) -> SysResult {
    let timeout = select::timeout::<Timespec32>(t, a[4])?;
    do_getevents(t, a, timeout, None)
}

pub(super) fn io_pgetevents(t: &mut Thread, a: Args) -> SysResult {
    let timeout = select::timeout::<Timespec32>(t, a[4])?;
    let mask = select::sigmask_pair(t, a[5])?;
    do_getevents(t, a, timeout, mask)
}

pub(super) fn io_pgetevents_time64(t: &mut Thread, a: Args) -> SysResult {
    let timeout = select::timeout::<Timespec64>(t, a[4])?;
    let mask = select::sigmask_pair(t, a[5])?;
    do_getevents(t, a, timeout, mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts() {
        assert_eq!(size_of::<Iocb>(), 64);
        assert_eq!(size_of::<Ring>(), 32);
        assert_eq!(ring_len(&Ring { id: 0, nr: 127, rest: [0; 6] }), Ok(4096));
        assert_eq!(ring_len(&Ring { id: 0, nr: 128, rest: [0; 6] }), Ok(8192));
        assert!(ring_len(&Ring { id: 0, nr: u32::MAX, rest: [0; 6] }).is_err());
    }
}
