//! Requests of network interfaces (net/core/dev_ioctl.c, net/socket.c).

use super::super::host::{host, host_wait};
use super::call;
use crate::abi::time::{GuestTimespec, Timespec32, Timeval32};
use crate::errno::{Errno, SysResult};
use crate::threads::Thread;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// IFNAMSIZ.
type Name = [u8; 16];

/// `struct ifreq`: a name and 16 bytes that mean one of many things.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Ifreq {
    name: Name,
    value: [u8; 16],
}

/// The same on the host, where `struct ifmap` and a pointer are longer.
#[repr(C, align(8))]
struct HostIfreq<T> {
    name: Name,
    value: T,
}

/// What the host has room for behind the name.
const HOST_VALUE: usize = 24;

/// Requests whose value has one layout in both: addresses, flags, indices, names.
pub(super) fn ifreq(t: &Thread, fd: i32, request: u32, arg: u32) -> SysResult {
    let guest: Ifreq = t.mem.read(arg)?;
    let mut host = HostIfreq { name: guest.name, value: [0u8; HOST_VALUE] };
    host.value[..16].copy_from_slice(&guest.value);
    let result = call(fd, request, &mut host)?;
    let mut value = [0; 16];
    value.copy_from_slice(&host.value[..16]);
    let changed = Ifreq { name: host.name, value };
    // Requests that only set something may be given read-only memory.
    if changed.as_bytes() != guest.as_bytes() {
        t.mem.write(arg, &changed)?;
    }
    Ok(result)
}

/// Requests whose value is a pointer; what it points to has one layout in both.
pub(super) fn ifreq_data(t: &Thread, fd: i32, request: u32, arg: u32) -> SysResult {
    let guest: Ifreq = t.mem.read(arg)?;
    let [a, b, c, d, ..] = guest.value;
    let data: *mut u8 = t.mem.ptr(u32::from_le_bytes([a, b, c, d]));
    let mut host = HostIfreq { name: guest.name, value: [data as u64, 0, 0] };
    call(fd, request, &mut host)
}

/// `struct ifmap` after the name.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct IfreqMap {
    name: Name,
    mem: [u32; 2],
    base: u16,
    /// irq, dma, port and padding.
    rest: [u8; 6],
}

pub(super) fn ifmap(t: &Thread, fd: i32, request: u32, arg: u32) -> SysResult {
    #[repr(C)]
    struct HostMap {
        mem: [u64; 2],
        base: u16,
        rest: [u8; 6],
    }
    let guest: IfreqMap = t.mem.read(arg)?;
    let value = HostMap { mem: guest.mem.map(u64::from), base: guest.base, rest: guest.rest };
    let mut host = HostIfreq { name: guest.name, value };
    let result = call(fd, request, &mut host)?;
    let HostMap { mem, base, rest } = host.value;
    t.mem.write(arg, &IfreqMap { name: host.name, mem: mem.map(|m| m as u32), base, rest })?;
    Ok(result)
}

/// `struct ifconf`: a length in bytes and a pointer to `ifreq`s, or NULL to ask for the length.
pub(super) fn ifconf(t: &Thread, fd: i32, request: u32, arg: u32) -> SysResult {
    #[repr(C)]
    struct HostIfconf {
        len: i32,
        requests: *mut HostIfreq<[u8; HOST_VALUE]>,
    }
    const GUEST: usize = size_of::<Ifreq>();
    const HOST: usize = size_of::<HostIfreq<[u8; HOST_VALUE]>>();
    let [len, buf]: [u32; 2] = t.mem.read(arg)?;
    let room = if buf == 0 { 0 } else { (len as i32).max(0) as usize / GUEST };
    // More interfaces than this fit no guest's buffer in practice.
    let room = room.min(1 << 16);
    let mut list = Vec::with_capacity(room);
    let requests = if buf == 0 { std::ptr::null_mut() } else { list.as_mut_ptr() };
    let mut conf = HostIfconf { len: (room * HOST) as i32, requests };
    let result = call(fd, request, &mut conf)?;
    let count = conf.len.max(0) as usize / HOST;
    if buf != 0 {
        // SAFETY: the kernel filled `len` bytes of the capacity, and the type is plain bytes.
        unsafe { list.set_len(count.min(room)) };
        for (n, host) in list.iter().enumerate() {
            let mut value = [0; 16];
            value.copy_from_slice(&host.value[..16]);
            t.mem.write(buf.wrapping_add((n * GUEST) as u32), &Ifreq { name: host.name, value })?;
        }
    }
    t.mem.write(arg, &((count * GUEST) as u32))?;
    Ok(result)
}

/// SIOCGSTAMP and SIOCGSTAMPNS in the old width.
pub(super) fn timestamp(t: &Thread, fd: i32, request: u32, arg: u32) -> SysResult {
    /// SIOCGSTAMP; SIOCGSTAMPNS is the next.
    const SIOCGSTAMP: u32 = 0x8906;
    if request == SIOCGSTAMP {
        let mut tv = libc::timeval { tv_sec: 0, tv_usec: 0 };
        let result = call(fd, request, &mut tv)?;
        t.mem.write(arg, &Timeval32::from(tv))?;
        return Ok(result);
    }
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let result = call(fd, request, &mut ts)?;
    t.mem.write(arg, &Timespec32::from_host(ts))?;
    Ok(result)
}

/// `struct rtentry` (IPv4).
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Rtentry {
    pad1: u32,
    /// Destination, gateway, mask.
    addresses: [[u8; 16]; 3],
    flags: u16,
    pad2: u16,
    pad3: u32,
    pad4: u32,
    metric: i16,
    pad5: u16,
    dev: u32,
    mtu: u32,
    window: u32,
    irtt: u16,
    pad6: u16,
}

/// `struct in6_rtmsg`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct In6Rtmsg {
    addresses: [[u8; 16]; 3],
    /// Type, prefix lengths, metric.
    words: [u32; 3],
    info: u32,
    flags: u32,
    ifindex: i32,
}

/// SIOCADDRT and SIOCDELRT: the structure depends on the socket.
pub(super) fn route(t: &Thread, fd: i32, request: u32, arg: u32) -> SysResult {
    let mut domain = 0i32;
    let mut len = size_of::<i32>() as u32;
    host!(libc::SYS_getsockopt, fd, libc::SOL_SOCKET, libc::SO_DOMAIN, &mut domain, &mut len)?;
    if domain == libc::AF_INET6 {
        #[repr(C)]
        struct Host {
            addresses: [[u8; 16]; 3],
            words: [u32; 3],
            info: u64,
            flags: u32,
            ifindex: i32,
        }
        let In6Rtmsg { addresses, words, info, flags, ifindex } = t.mem.read(arg)?;
        return call(fd, request, &mut Host { addresses, words, info: info.into(), flags, ifindex });
    }
    if domain != libc::AF_INET {
        return host_wait!(libc::SYS_ioctl, fd, request, t.mem.ptr::<u8>(arg));
    }
    #[repr(C)]
    struct Host {
        pad1: u64,
        addresses: [[u8; 16]; 3],
        flags: u16,
        pad2: u16,
        pad3: u64,
        pad4: u64,
        metric: i16,
        dev: *const u8,
        mtu: u64,
        window: u64,
        irtt: u16,
    }
    let guest: Rtentry = t.mem.read(arg)?;
    if guest.dev != 0 {
        // The kernel reads 15 bytes; a pointer that is none is EFAULT here, as it would be there.
        t.mem.read::<u8>(guest.dev).map_err(|_| Errno(libc::EFAULT))?;
    }
    let mut host = Host {
        pad1: 0,
        addresses: guest.addresses,
        flags: guest.flags,
        pad2: 0,
        pad3: 0,
        pad4: 0,
        metric: guest.metric,
        dev: t.mem.ptr(guest.dev),
        mtu: guest.mtu.into(),
        window: guest.window.into(),
        irtt: guest.irtt,
    };
    call(fd, request, &mut host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_the_arm_ones() {
        assert_eq!(size_of::<Ifreq>(), 32);
        assert_eq!(size_of::<HostIfreq<[u8; HOST_VALUE]>>(), size_of::<libc::ifreq>());
        assert_eq!(size_of::<IfreqMap>(), 32);
        assert_eq!(size_of::<Rtentry>(), 84);
        assert_eq!(size_of::<In6Rtmsg>(), 72);
        assert_eq!(size_of::<libc::rtentry>(), 120);
    }
}
