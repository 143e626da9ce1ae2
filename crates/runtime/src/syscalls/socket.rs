//! Sockets (net/socket.c, net/compat.c). Addresses and most options are the same on every architecture, so the
//! kernel reads and writes guest memory itself; messages and a few options are converted in `abi::socket`.

use super::host::{host, host_wait};
use super::{Args, SysResult};
use crate::abi::iovec;
use crate::abi::socket::{
    HostMessage, Mmsghdr32, Msghdr32, SockFprog32, control_to_guest, control_to_host, group_to_guest,
    group_to_host, host_control_len,
};
use crate::abi::time::{GuestTimespec, Timespec32, Timespec64, Timeval32};
use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::threads::Thread;
use zerocopy::IntoBytes;

/// Upper bound of control data to send; the kernel's own (`net.core.optmem_max`) is lower by default.
const CONTROL_MAX: u32 = 1 << 20;

/// socket(family, type, protocol): SOCK_NONBLOCK and SOCK_CLOEXEC have the same values on ARM.
pub fn socket(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_socket, a[0], a[1], a[2])
}

/// socketpair(family, type, protocol, int sv[2])
pub fn socketpair(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_socketpair, a[0], a[1], a[2], t.mem.ptr::<i32>(a[3]))
}

/// bind(fd, addr, len)
pub fn bind(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_bind, a[0], t.mem.ptr::<u8>(a[1]), a[2])
}

/// connect(fd, addr, len)
pub fn connect(t: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_connect, a[0], t.mem.ptr::<u8>(a[1]), a[2])
}

/// listen(fd, backlog)
pub fn listen(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_listen, a[0], a[1])
}

/// accept(fd, addr, len)
pub fn accept(t: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_accept, a[0], t.mem.ptr::<u8>(a[1]), t.mem.ptr::<u32>(a[2]))
}

/// accept4(fd, addr, len, flags)
pub fn accept4(t: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_accept4, a[0], t.mem.ptr::<u8>(a[1]), t.mem.ptr::<u32>(a[2]), a[3])
}

/// getsockname(fd, addr, len)
pub fn getsockname(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_getsockname, a[0], t.mem.ptr::<u8>(a[1]), t.mem.ptr::<u32>(a[2]))
}

/// getpeername(fd, addr, len)
pub fn getpeername(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_getpeername, a[0], t.mem.ptr::<u8>(a[1]), t.mem.ptr::<u32>(a[2]))
}

/// shutdown(fd, how)
pub fn shutdown(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_shutdown, a[0], a[1])
}

/// send(fd, buf, len, flags): x86-64 has sendto alone.
pub fn send(t: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_sendto, a[0], t.mem.ptr::<u8>(a[1]), a[2], a[3], 0u32, 0u32)
}

/// sendto(fd, buf, len, flags, addr, addrlen)
pub fn sendto(t: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_sendto, a[0], t.mem.ptr::<u8>(a[1]), a[2], a[3], t.mem.ptr::<u8>(a[4]), a[5])
}

/// recv(fd, buf, len, flags): x86-64 has recvfrom alone.
pub fn recv(t: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_recvfrom, a[0], t.mem.ptr::<u8>(a[1]), a[2], a[3], 0u32, 0u32)
}

/// recvfrom(fd, buf, len, flags, addr, addrlen*)
pub fn recvfrom(t: &mut Thread, a: Args) -> SysResult {
    let (buf, addr, addrlen) = (t.mem.ptr::<u8>(a[1]), t.mem.ptr::<u8>(a[4]), t.mem.ptr::<u32>(a[5]));
    host_wait!(libc::SYS_recvfrom, a[0], buf, a[2], a[3], addr, addrlen)
}

/// The host's form of a message to send.
fn message_to_send(mem: GuestMemory, guest: &Msghdr32) -> Result<HostMessage, Errno> {
    if guest.iovlen > iovec::UIO_MAXIOV {
        return Err(Errno(libc::EMSGSIZE));
    }
    let iov = iovec::read(mem, guest.iov, guest.iovlen)?;
    if guest.controllen > CONTROL_MAX {
        return Err(Errno(libc::ENOBUFS));
    }
    let control = match guest.controllen {
        0 => Vec::new(),
        len => control_to_host(&mem.read_bytes(guest.control, len as usize)?).ok_or(Errno(libc::EINVAL))?,
    };
    let mut message = HostMessage::new(mem.ptr(guest.name), guest.namelen, iov, control);
    // Only sendmsg's flag argument counts; what is in the structure is handed on all the same.
    message.hdr.msg_flags = guest.flags as i32;
    Ok(message)
}

/// The host's form of a message to receive, with room for its control data.
fn message_to_receive(mem: GuestMemory, guest: &Msghdr32) -> Result<HostMessage, Errno> {
    if guest.iovlen > iovec::UIO_MAXIOV {
        return Err(Errno(libc::EMSGSIZE));
    }
    let iov = iovec::read(mem, guest.iov, guest.iovlen)?;
    // A guest cannot use more than it can be sent; a larger buffer is legal and stays partly empty.
    let room = guest.controllen.min(CONTROL_MAX) as usize;
    Ok(HostMessage::new(mem.ptr(guest.name), guest.namelen, iov, vec![0; host_control_len(room)]))
}

/// Hands a received message's control data, flags and address length to the guest's structure at `at`.
fn message_received(mem: GuestMemory, at: u32, guest: &Msghdr32, message: &HostMessage) -> Result<(), Errno> {
    let room = guest.controllen.min(CONTROL_MAX) as usize;
    let control = control_to_guest(message.received_control(), room);
    for fd in &control.surplus_fds {
        // SAFETY: the kernel has just given us this descriptor and nobody else knows its number.
        unsafe { libc::close(*fd) };
    }
    let mut guest = *guest;
    if guest.name != 0 {
        guest.namelen = message.hdr.msg_namelen;
    }
    guest.flags = message.hdr.msg_flags as u32 | if control.truncated { libc::MSG_CTRUNC as u32 } else { 0 };
    guest.controllen = control.bytes.len() as u32;
    mem.write_bytes(guest.control, &control.bytes).or_else(|e| match control.bytes.len() {
        0 => Ok(()),
        _ => Err(e),
    })?;
    mem.write(at, &guest)
}

/// sendmsg(fd, msghdr, flags)
pub fn sendmsg(t: &mut Thread, a: Args) -> SysResult {
    let message = message_to_send(t.mem, &t.mem.read(a[1])?)?;
    host_wait!(libc::SYS_sendmsg, a[0], &message.hdr, a[2])
}

/// recvmsg(fd, msghdr, flags)
pub fn recvmsg(t: &mut Thread, a: Args) -> SysResult {
    let guest: Msghdr32 = t.mem.read(a[1])?;
    let mut message = message_to_receive(t.mem, &guest)?;
    let received = host_wait!(libc::SYS_recvmsg, a[0], &mut message.hdr, a[2])?;
    message_received(t.mem, a[1], &guest, &message)?;
    Ok(received)
}

/// Guest address of entry `n` of an array of `mmsghdr`.
fn entry(base: u32, n: usize) -> u32 {
    base.wrapping_add((n * size_of::<Mmsghdr32>()) as u32)
}

/// An array of messages.
struct Messages {
    guests: Vec<Msghdr32>,
    /// What the headers of `vector` point to.
    owned: Vec<HostMessage>,
    vector: Vec<libc::mmsghdr>,
}

impl Messages {
    /// The array of `mmsghdr` at `addr`. A message that is bad ends the array before it, as the kernel's loop would,
    /// unless it is the first.
    fn read(
        mem: GuestMemory,
        addr: u32,
        count: u32,
        convert: fn(GuestMemory, &Msghdr32) -> Result<HostMessage, Errno>,
    ) -> Result<Messages, Errno> {
        let (mut guests, mut owned) = (Vec::new(), Vec::new());
        for n in 0..count.min(iovec::UIO_MAXIOV) as usize {
            match mem.read(entry(addr, n)).and_then(|guest| Ok((guest, convert(mem, &guest)?))) {
                Ok((guest, message)) => {
                    guests.push(guest);
                    owned.push(message);
                }
                Err(e) if n == 0 => return Err(e),
                Err(_) => break,
            }
        }
        let vector = owned.iter().map(|m| libc::mmsghdr { msg_hdr: m.hdr, msg_len: 0 }).collect();
        Ok(Messages { guests, owned, vector })
    }
}

/// sendmmsg(fd, mmsghdr[], count, flags)
pub fn sendmmsg(t: &mut Thread, a: Args) -> SysResult {
    let mut messages = Messages::read(t.mem, a[1], a[2], message_to_send)?;
    let (vector, count) = (messages.vector.as_mut_ptr(), messages.vector.len());
    let sent = host_wait!(libc::SYS_sendmmsg, a[0], vector, count, a[3])?;
    for (n, message) in messages.vector[..sent as usize].iter().enumerate() {
        t.mem.write(entry(a[1], n).wrapping_add(size_of::<Msghdr32>() as u32), &message.msg_len)?;
    }
    Ok(sent)
}

/// recvmmsg(fd, mmsghdr[], count, flags, timeout) with either form of timeout, which the kernel updates.
fn recvmmsg<T: GuestTimespec>(t: &mut Thread, a: Args) -> SysResult {
    let mut timeout = match a[4] {
        0 => None,
        addr => Some(t.mem.read::<T>(addr)?.to_host()),
    };
    let Messages { guests, mut owned, mut vector } = Messages::read(t.mem, a[1], a[2], message_to_receive)?;
    let (count, flags) = (vector.len(), a[3]);
    let received = host_wait!(libc::SYS_recvmmsg, a[0], vector.as_mut_ptr(), count, flags, timeout.as_mut())?;
    for (n, message) in vector[..received as usize].iter().enumerate() {
        owned[n].hdr = message.msg_hdr;
        message_received(t.mem, entry(a[1], n), &guests[n], &owned[n])?;
        t.mem.write(entry(a[1], n).wrapping_add(size_of::<Msghdr32>() as u32), &message.msg_len)?;
    }
    if let Some(left) = timeout {
        t.mem.write(a[4], &T::from_host(left))?;
    }
    Ok(received)
}

/// recvmmsg with an old timespec.
pub fn recvmmsg_time32(t: &mut Thread, a: Args) -> SysResult {
    recvmmsg::<Timespec32>(t, a)
}

/// recvmmsg_time64
pub fn recvmmsg_time64(t: &mut Thread, a: Args) -> SysResult {
    recvmmsg::<Timespec64>(t, a)
}

// Option names that libc does not have, from linux/in.h, linux/netfilter_ipv4/ip_tables.h and their like.
const SO_ATTACH_REUSEPORT_CBPF: i32 = 51;
const MCAST_JOIN_GROUP: i32 = 42;
const MCAST_MSFILTER: i32 = 48;
const XT_SO_REPLACE_OR_INFO: i32 = 64;
const XT_SO_COUNTERS_OR_ENTRIES: i32 = 65;
const ARPT_BASE_CTL: i32 = 96;
const EBT_BASE_CTL: i32 = 128;
const PACKET_FANOUT_DATA: i32 = 22;
const TCP_ZEROCOPY_RECEIVE: i32 = 35;

/// Tables of the old packet filters hold pointers, longs and aligned counters inside an opaque blob of matches
/// and targets; nft and the netlink based iptables of today do not use them.
fn is_filter_table(level: i32, name: i32, set: bool) -> bool {
    let table = |base: i32| name == base + 1 || (set && name == base);
    match level {
        libc::IPPROTO_IP => {
            table(XT_SO_REPLACE_OR_INFO)
                || table(ARPT_BASE_CTL)
                || (EBT_BASE_CTL..EBT_BASE_CTL + 4).contains(&name)
        }
        libc::IPPROTO_IPV6 => name == XT_SO_COUNTERS_OR_ENTRIES || (set && name == XT_SO_REPLACE_OR_INFO),
        _ => false,
    }
}

/// setsockopt(fd, level, name, value, len)
pub fn setsockopt(t: &mut Thread, a: Args) -> SysResult {
    let (level, name, len) = (a.i32(1), a.i32(2), a[4]);
    match (level, name) {
        (libc::SOL_SOCKET, libc::SO_RCVTIMEO | libc::SO_SNDTIMEO) => {
            if (len as usize) < size_of::<Timeval32>() {
                return Err(Errno(libc::EINVAL));
            }
            let value = libc::timeval::from(t.mem.read::<Timeval32>(a[3])?);
            host!(libc::SYS_setsockopt, a[0], level, name, &value, size_of_val(&value))
        }
        (libc::SOL_SOCKET, libc::SO_ATTACH_FILTER | SO_ATTACH_REUSEPORT_CBPF)
        | (libc::SOL_PACKET, PACKET_FANOUT_DATA)
            if len as usize == size_of::<SockFprog32>() =>
        {
            let guest: SockFprog32 = t.mem.read(a[3])?;
            let value = libc::sock_fprog { len: guest.len, filter: t.mem.ptr(guest.filter) };
            host!(libc::SYS_setsockopt, a[0], level, name, &value, size_of_val(&value))
        }
        // The host would take the 16 bytes of its own structure.
        (libc::SOL_SOCKET, libc::SO_ATTACH_FILTER | SO_ATTACH_REUSEPORT_CBPF) => Err(Errno(libc::EINVAL)),
        (libc::IPPROTO_IP | libc::IPPROTO_IPV6, MCAST_JOIN_GROUP..=MCAST_MSFILTER) => {
            if len > CONTROL_MAX {
                return Err(Errno(libc::ENOBUFS));
            }
            let value = group_to_host(&t.mem.read_bytes(a[3], len as usize)?);
            host!(libc::SYS_setsockopt, a[0], level, name, value.as_ptr(), value.len())
        }
        _ if is_filter_table(level, name, true) => Err(Errno(libc::ENOPROTOOPT)),
        _ => host!(libc::SYS_setsockopt, a[0], level, name, t.mem.ptr::<u8>(a[3]), len),
    }
}

/// Writes an option's value, cut to the guest's length word at `lenp`, and that word.
fn write_option(mem: GuestMemory, value: &[u8], at: u32, lenp: u32) -> SysResult {
    let room: i32 = mem.read(lenp)?;
    let len = value.len().min(usize::try_from(room).map_err(|_| Errno(libc::EINVAL))?);
    mem.write_bytes(at, &value[..len])?;
    mem.write(lenp, &(len as u32))?;
    Ok(0)
}

/// getsockopt(fd, level, name, value, len*)
pub fn getsockopt(t: &mut Thread, a: Args) -> SysResult {
    let (level, name) = (a.i32(1), a.i32(2));
    match (level, name) {
        (libc::SOL_SOCKET, libc::SO_RCVTIMEO | libc::SO_SNDTIMEO) => {
            let mut value = libc::timeval { tv_sec: 0, tv_usec: 0 };
            let mut len = size_of_val(&value) as u32;
            host!(libc::SYS_getsockopt, a[0], level, name, &mut value, &mut len)?;
            write_option(t.mem, Timeval32::from(value).as_bytes(), a[3], a[4])
        }
        (libc::IPPROTO_IP | libc::IPPROTO_IPV6, MCAST_MSFILTER) => {
            let room: u32 = t.mem.read(a[4])?;
            if room > CONTROL_MAX {
                return Err(Errno(libc::ENOBUFS));
            }
            let mut value = group_to_host(&t.mem.read_bytes(a[3], room as usize)?);
            let mut len = value.len() as u32;
            host!(libc::SYS_getsockopt, a[0], level, name, value.as_mut_ptr(), &mut len)?;
            value.truncate(len as usize);
            write_option(t.mem, &group_to_guest(&value), a[3], a[4])
        }
        // Maps pages by a 64-bit address inside the structure; callers fall back to read.
        (libc::IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE) => Err(Errno(libc::ENOPROTOOPT)),
        _ if is_filter_table(level, name, false) => Err(Errno(libc::ENOPROTOOPT)),
        _ => {
            let (value, len) = (t.mem.ptr::<u8>(a[3]), t.mem.ptr::<u32>(a[4]));
            host!(libc::SYS_getsockopt, a[0], level, name, value, len)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_packet_filter_tables_are_refused_and_their_info_is_not() {
        assert!(is_filter_table(libc::IPPROTO_IP, 64, true));
        assert!(is_filter_table(libc::IPPROTO_IP, 65, false));
        assert!(!is_filter_table(libc::IPPROTO_IP, 64, false));
        // IPV6_TCLASS and IPV6_RECVTCLASS lie just above.
        assert!(!is_filter_table(libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS, true));
        assert!(!is_filter_table(libc::IPPROTO_IPV6, libc::IPV6_TCLASS, true));
        assert!(!is_filter_table(libc::SOL_SOCKET, 64, true));
    }
}
