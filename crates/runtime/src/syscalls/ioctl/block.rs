//! Requests of devices whose structures hold `long`s or pointers.

use super::super::host::host_wait;
use super::call;
use crate::errno::SysResult;
use crate::threads::Thread;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `struct hd_geometry`.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Geometry {
    heads: u8,
    sectors: u8,
    cylinders: u16,
    start: u32,
}

pub(super) fn geometry(t: &Thread, fd: i32, request: u32, arg: u32) -> SysResult {
    #[repr(C)]
    #[derive(Default)]
    struct Host {
        heads: u8,
        sectors: u8,
        cylinders: u16,
        start: u64,
    }
    let mut host = Host::default();
    let result = call(fd, request, &mut host)?;
    let Host { heads, sectors, cylinders, start } = host;
    t.mem.write(arg, &Geometry { heads, sectors, cylinders, start: start as u32 })?;
    Ok(result)
}

/// The argument is a number although the request's says `long`.
pub(super) fn rtc_value(_: &Thread, fd: i32, request: u32, arg: u32) -> SysResult {
    let host_request = request + (4 << 16);
    host_wait!(libc::SYS_ioctl, fd, host_request, arg)
}

/// `struct blkpg_ioctl_arg`; what `data` points to has one layout in both.
pub(super) fn partition(t: &Thread, fd: i32, request: u32, arg: u32) -> SysResult {
    #[repr(C)]
    struct Host {
        head: [i32; 3],
        data: *mut u8,
    }
    let [op, flags, len, data]: [u32; 4] = t.mem.read(arg)?;
    let mut host = Host { head: [op as i32, flags as i32, len as i32], data: t.mem.ptr(data) };
    call(fd, request, &mut host)
}

/// `struct loop_info`, from before the 64-bit form; `old_dev_t` is 16 bits wide on ARM.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct LoopInfo {
    number: i32,
    device: u16,
    pad: u16,
    inode: u32,
    rdevice: u16,
    pad2: u16,
    /// Offset, encryption, key size, flags.
    words: [i32; 4],
    name: [u8; 64],
    key: [u8; 32],
    init: [u32; 2],
    reserved: [u8; 4],
}

/// The same on the host.
#[repr(C)]
struct HostLoopInfo {
    number: i32,
    device: u64,
    inode: u64,
    rdevice: u64,
    words: [i32; 4],
    name: [u8; 64],
    key: [u8; 32],
    init: [u64; 2],
    reserved: [u8; 4],
}

pub(super) fn set_loop_status(t: &Thread, fd: i32, request: u32, arg: u32) -> SysResult {
    let guest: LoopInfo = t.mem.read(arg)?;
    let mut host = HostLoopInfo {
        number: guest.number,
        device: guest.device.into(),
        inode: guest.inode.into(),
        rdevice: guest.rdevice.into(),
        words: guest.words,
        name: guest.name,
        key: guest.key,
        init: guest.init.map(u64::from),
        reserved: guest.reserved,
    };
    call(fd, request, &mut host)
}

pub(super) fn get_loop_status(t: &Thread, fd: i32, request: u32, arg: u32) -> SysResult {
    // SAFETY: plain data, filled by the kernel.
    let mut host: HostLoopInfo = unsafe { std::mem::zeroed() };
    let result = call(fd, request, &mut host)?;
    let guest = LoopInfo {
        number: host.number,
        device: host.device as u16,
        pad: 0,
        inode: host.inode as u32,
        rdevice: host.rdevice as u16,
        pad2: 0,
        words: host.words,
        name: host.name,
        key: host.key,
        init: host.init.map(|word| word as u32),
        reserved: host.reserved,
    };
    t.mem.write(arg, &guest)?;
    Ok(result)
}

/// `struct serial_struct`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Serial {
    /// Type to closing_wait2.
    head: [u32; 11],
    iomem_base: u32,
    iomem_reg_shift: u16,
    pad: u16,
    port_high: u32,
    iomap_base: u32,
}

/// The same on the host.
#[repr(C)]
#[derive(Default)]
struct HostSerial {
    head: [u32; 11],
    iomem_base: u64,
    iomem_reg_shift: u16,
    port_high: u32,
    iomap_base: u64,
}

pub(super) fn get_serial(t: &Thread, fd: i32, request: u32, arg: u32) -> SysResult {
    let mut host = HostSerial::default();
    let result = call(fd, request, &mut host)?;
    let guest = Serial {
        head: host.head,
        iomem_base: host.iomem_base as u32,
        iomem_reg_shift: host.iomem_reg_shift,
        pad: 0,
        port_high: host.port_high,
        iomap_base: host.iomap_base as u32,
    };
    t.mem.write(arg, &guest)?;
    Ok(result)
}

pub(super) fn set_serial(t: &Thread, fd: i32, request: u32, arg: u32) -> SysResult {
    let guest: Serial = t.mem.read(arg)?;
    let mut host = HostSerial {
        head: guest.head,
        iomem_base: guest.iomem_base.into(),
        iomem_reg_shift: guest.iomem_reg_shift,
        port_high: guest.port_high,
        iomap_base: guest.iomap_base.into(),
    };
    call(fd, request, &mut host)
}

/// `struct unimapdesc`: a count, which the kernel may change, and a pointer.
pub(super) fn unimap(t: &Thread, fd: i32, request: u32, arg: u32) -> SysResult {
    #[repr(C)]
    struct Host {
        count: u16,
        entries: *mut u8,
    }
    let [count, entries]: [u32; 2] = t.mem.read(arg)?;
    let mut host = Host { count: count as u16, entries: t.mem.ptr(entries) };
    let result = call(fd, request, &mut host);
    t.mem.write(arg, &host.count)?;
    result
}

/// `struct console_font_op`: five numbers, some of which the kernel changes, and a pointer.
pub(super) fn font_op(t: &Thread, fd: i32, request: u32, arg: u32) -> SysResult {
    #[repr(C)]
    struct Host {
        numbers: [u32; 5],
        data: *mut u8,
    }
    let [op, flags, width, height, count, data]: [u32; 6] = t.mem.read(arg)?;
    let mut host = Host { numbers: [op, flags, width, height, count], data: t.mem.ptr(data) };
    let result = call(fd, request, &mut host);
    t.mem.write(arg, &host.numbers)?;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_the_arm_ones() {
        assert_eq!(size_of::<Geometry>(), 8);
        assert_eq!(size_of::<LoopInfo>(), 140);
        assert_eq!(size_of::<HostLoopInfo>(), 168);
        assert_eq!(size_of::<Serial>(), 60);
        assert_eq!(size_of::<HostSerial>(), 72);
    }
}
