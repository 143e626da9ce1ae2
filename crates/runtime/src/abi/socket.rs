//! Socket messages (`struct compat_msghdr`, `compat_cmsghdr`, `compat_mmsghdr`) and the option values that hold
//! longs or pointers. Socket addresses, and nearly all options and control data, are the same on every architecture.

use super::iovec::HostIovecs;
use super::time::{GuestTimespec, Timespec32, Timeval32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `struct msghdr`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Msghdr32 {
    /// Socket address, or 0.
    pub name: u32,
    /// Its length in bytes.
    pub namelen: u32,
    /// Scatter or gather list.
    pub iov: u32,
    /// Its number of entries.
    pub iovlen: u32,
    /// Control data, or 0.
    pub control: u32,
    /// Its length in bytes.
    pub controllen: u32,
    /// `MSG_*` of a received message.
    pub flags: u32,
}

/// `struct mmsghdr`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Mmsghdr32 {
    /// The message.
    pub hdr: Msghdr32,
    /// Bytes sent or received.
    pub len: u32,
}

/// `struct cmsghdr`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Cmsghdr32 {
    /// Length of header and data.
    pub len: u32,
    /// Protocol, as in setsockopt.
    pub level: i32,
    /// Protocol's own.
    pub kind: i32,
}

/// Size of the guest's control header.
const GUEST_HDR: usize = size_of::<Cmsghdr32>();
/// Size of the host's control header: a 64-bit length, level, type.
const HOST_HDR: usize = size_of::<libc::cmsghdr>();

/// `CMSG_ALIGN` of the guest.
fn guest_align(n: usize) -> usize {
    n.next_multiple_of(4)
}

/// `CMSG_ALIGN` of the host.
fn host_align(n: usize) -> usize {
    n.next_multiple_of(8)
}

/// Control data of a message to send, in the host's layout; `None` (EINVAL) where it is malformed, as
/// `cmsghdr_from_user_compat_to_kern` says.
pub fn control_to_host(guest: &[u8]) -> Option<Vec<u8>> {
    let mut host = Vec::with_capacity(guest.len() * 2);
    let mut at = 0;
    while let Some((hdr, _)) = guest.get(at..).and_then(|rest| Cmsghdr32::read_from_prefix(rest).ok()) {
        let data = guest[at..].get(GUEST_HDR..hdr.len as usize)?;
        host.extend((HOST_HDR + data.len()).to_ne_bytes());
        host.extend(hdr.level.to_ne_bytes());
        host.extend(hdr.kind.to_ne_bytes());
        host.extend(data);
        host.resize(host_align(host.len()), 0);
        at += guest_align(hdr.len as usize);
    }
    Some(host)
}

/// Length of a host buffer that holds whatever would fit a guest's buffer of `guest` bytes. Zero stays zero: the
/// kernel then reports MSG_CTRUNC itself. Headers grow by 4 bytes, data by less than twice.
pub fn host_control_len(guest: usize) -> usize {
    if guest == 0 { 0 } else { host_align(2 * guest) + 256 }
}

/// Control data of a received message in the guest's layout.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct GuestControl {
    /// What to write to the guest's buffer.
    pub bytes: Vec<u8>,
    /// MSG_CTRUNC: something did not fit.
    pub truncated: bool,
    /// Descriptors the host has received and the guest has no room for: to be closed.
    pub surplus_fds: Vec<i32>,
}

/// Converts control data the host has received for a guest's buffer of `room` bytes, cutting as `put_cmsg_compat` and
/// `scm_detach_fds_compat` do.
pub fn control_to_guest(host: &[u8], room: usize) -> GuestControl {
    let mut out = GuestControl::default();
    let mut at = 0;
    while at + HOST_HDR <= host.len() {
        let word = |offset: usize| i32::read_from_bytes(&host[at + offset..at + offset + 4]).unwrap_or(0);
        let len = usize::read_from_bytes(&host[at..at + 8]).unwrap_or(0).min(host.len() - at);
        if len < HOST_HDR {
            break;
        }
        let (level, kind) = (word(8), word(12));
        let data = &host[at + HOST_HDR..at + len];
        let fds = match (level, kind) {
            (libc::SOL_SOCKET, libc::SCM_RIGHTS | SCM_PIDFD) => data,
            _ => &[],
        };
        let data = data_to_guest(level, kind, data);
        at += host_align(len);

        let free = room - out.bytes.len();
        let mut fits = data.len().min(free.saturating_sub(GUEST_HDR));
        if !fds.is_empty() {
            fits -= fits % 4; // Whole descriptors only.
        }
        out.truncated |= fits < data.len() || free < GUEST_HDR;
        out.surplus_fds.extend(
            fds[fits.min(fds.len())..]
                .chunks_exact(4)
                .map(|fd| i32::from_ne_bytes([fd[0], fd[1], fd[2], fd[3]])),
        );
        if free < GUEST_HDR || (fits == 0 && !fds.is_empty()) {
            continue;
        }
        let hdr = Cmsghdr32 { len: (GUEST_HDR + fits) as u32, level, kind };
        out.bytes.extend(hdr.as_bytes());
        out.bytes.extend(&data[..fits]);
        out.bytes.resize(guest_align(out.bytes.len()).min(room), 0);
    }
    out
}

/// SCM_PIDFD of `linux/socket.h`: the sender's pidfd.
const SCM_PIDFD: i32 = 4;

/// Data of one received control message: old timestamps have 32-bit seconds here, the rest is the same everywhere.
fn data_to_guest(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
    const SCM_TIMESTAMP: i32 = libc::SO_TIMESTAMP;
    const SCM_TIMESTAMPNS: i32 = libc::SO_TIMESTAMPNS;
    const SCM_TIMESTAMPING: i32 = libc::SO_TIMESTAMPING;
    let pairs = || {
        data.chunks_exact(16).map(|pair| {
            let half = |n: usize| i64::read_from_bytes(&pair[n..n + 8]).unwrap_or(0);
            (half(0), half(8))
        })
    };
    match (level, kind) {
        (libc::SOL_SOCKET, SCM_TIMESTAMP) => pairs()
            .flat_map(|(tv_sec, tv_usec)| {
                Timeval32::from(libc::timeval { tv_sec, tv_usec }).as_bytes().to_vec()
            })
            .collect(),
        (libc::SOL_SOCKET, SCM_TIMESTAMPNS | SCM_TIMESTAMPING) => pairs()
            .flat_map(|(tv_sec, tv_nsec)| {
                Timespec32::from_host(libc::timespec { tv_sec, tv_nsec }).as_bytes().to_vec()
            })
            .collect(),
        _ => data.to_vec(),
    }
}

/// A message in the host's layout with the memory it points to. `hdr` points into the other fields' heap
/// allocations or guest memory, so moving the whole is sound; dropping a field early is not.
pub struct HostMessage {
    /// To pass to the kernel.
    pub hdr: libc::msghdr,
    /// Gather list.
    iov: Box<HostIovecs>,
    /// Control data.
    control: Vec<u8>,
}

impl HostMessage {
    /// A message over the guest's buffers `iov` and address buffer `name`, with control data (to send, or as long
    /// as what may be received).
    pub fn new(name: *mut libc::c_void, namelen: u32, iov: HostIovecs, control: Vec<u8>) -> HostMessage {
        // SAFETY: msghdr is plain data for which zero is a value (it has private padding).
        let hdr = unsafe { std::mem::zeroed() };
        let mut message = HostMessage { hdr, iov: Box::new(iov), control };
        message.hdr.msg_name = name;
        message.hdr.msg_namelen = namelen;
        message.hdr.msg_iov = message.iov.as_mut_ptr();
        message.hdr.msg_iovlen = message.iov.len();
        if !message.control.is_empty() {
            message.hdr.msg_control = message.control.as_mut_ptr().cast();
            message.hdr.msg_controllen = message.control.len();
        }
        message
    }

    /// Control data the kernel has filled in.
    pub fn received_control(&self) -> &[u8] {
        &self.control[..self.hdr.msg_controllen.min(self.control.len())]
    }
}

/// `struct sock_fprog` of a guest: a classic BPF program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SockFprog32 {
    /// Instructions of 8 bytes.
    pub len: u16,
    /// Padding.
    pub pad: u16,
    /// Guest address of the instructions.
    pub filter: u32,
}

/// `struct group_req`, `group_source_req` and `group_filter` hold a `sockaddr_storage` after a 32-bit word; its
/// alignment is that of a pointer, so that the host has 4 bytes of padding in between.
pub fn group_to_host(guest: &[u8]) -> Vec<u8> {
    let (interface, rest) = guest.split_at(guest.len().min(4));
    [interface, &[0; 4], rest].concat()
}

/// The other way; see [`group_to_host`].
pub fn group_to_guest(host: &[u8]) -> Vec<u8> {
    let (interface, rest) = host.split_at(host.len().min(8));
    [&interface[..interface.len().min(4)], rest].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest_cmsg(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
        let hdr = Cmsghdr32 { len: (GUEST_HDR + data.len()) as u32, level, kind };
        let mut bytes = [hdr.as_bytes(), data].concat();
        bytes.resize(guest_align(bytes.len()), 0);
        bytes
    }

    fn host_cmsg(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend((HOST_HDR + data.len()).to_ne_bytes());
        bytes.extend(level.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(data);
        bytes.resize(host_align(bytes.len()), 0);
        bytes
    }

    #[test]
    fn sizes_are_the_arm_ones() {
        assert_eq!(size_of::<Msghdr32>(), 28);
        assert_eq!(size_of::<Mmsghdr32>(), 32);
        assert_eq!(GUEST_HDR, 12);
        assert_eq!(HOST_HDR, 16);
        assert_eq!(size_of::<SockFprog32>(), 8);
    }

    #[test]
    fn control_round_trip() {
        let guest = [guest_cmsg(1, 1, &[1, 0, 0, 0, 2, 0, 0, 0]), guest_cmsg(0, 8, &[7; 13])].concat();
        let host = control_to_host(&guest).unwrap();
        assert_eq!(host, [host_cmsg(1, 1, &[1, 0, 0, 0, 2, 0, 0, 0]), host_cmsg(0, 8, &[7; 13])].concat());
        let back = control_to_guest(&host, 1000);
        assert_eq!(back, GuestControl { bytes: guest, truncated: false, surplus_fds: vec![] });
    }

    #[test]
    fn malformed_control_is_refused() {
        let short = Cmsghdr32 { len: 11, level: 1, kind: 1 };
        assert_eq!(control_to_host(short.as_bytes()), None);
        let long = Cmsghdr32 { len: 13, level: 1, kind: 1 };
        assert_eq!(control_to_host(long.as_bytes()), None);
        let huge = Cmsghdr32 { len: u32::MAX, level: 1, kind: 1 };
        assert_eq!(control_to_host(huge.as_bytes()), None);
        // Fewer bytes than a header after the last message are ignored.
        assert_eq!(control_to_host(&[0; 11]), Some(vec![]));
    }

    #[test]
    fn descriptors_that_do_not_fit_are_surplus() {
        let fds: Vec<u8> = [10i32, 11, 12].iter().flat_map(|fd| fd.to_ne_bytes()).collect();
        let host = host_cmsg(libc::SOL_SOCKET, libc::SCM_RIGHTS, &fds);
        let cut = control_to_guest(&host, GUEST_HDR + 6);
        assert!(cut.truncated);
        assert_eq!(cut.surplus_fds, [11, 12]);
        assert_eq!(cut.bytes, guest_cmsg(libc::SOL_SOCKET, libc::SCM_RIGHTS, &fds[..4]));
        let none = control_to_guest(&host, GUEST_HDR - 1);
        assert_eq!(none, GuestControl { bytes: vec![], truncated: true, surplus_fds: vec![10, 11, 12] });
    }

    #[test]
    fn other_data_is_cut_where_the_buffer_ends() {
        let host = host_cmsg(0, 8, &[9; 12]);
        let cut = control_to_guest(&host, GUEST_HDR + 5);
        assert!(cut.truncated);
        assert_eq!(cut.bytes.len(), GUEST_HDR + 5);
        assert_eq!(cut.bytes[..4], 17u32.to_ne_bytes());
    }

    #[test]
    fn old_timestamps_shrink_and_new_ones_do_not() {
        let stamp: Vec<u8> = [0x1_0000_0007i64, 5].iter().flat_map(|n| n.to_ne_bytes()).collect();
        let old = control_to_guest(&host_cmsg(libc::SOL_SOCKET, libc::SO_TIMESTAMP, &stamp), 100);
        assert_eq!(old.bytes, guest_cmsg(libc::SOL_SOCKET, libc::SO_TIMESTAMP, &[7, 0, 0, 0, 5, 0, 0, 0]));
        const SO_TIMESTAMP_NEW: i32 = 63;
        let new = control_to_guest(&host_cmsg(libc::SOL_SOCKET, SO_TIMESTAMP_NEW, &stamp), 100);
        assert_eq!(new.bytes, guest_cmsg(libc::SOL_SOCKET, SO_TIMESTAMP_NEW, &stamp));
        let three = stamp.repeat(3);
        let all = control_to_guest(&host_cmsg(libc::SOL_SOCKET, libc::SO_TIMESTAMPING, &three), 100);
        assert_eq!(all.bytes.len(), GUEST_HDR + 24);
    }

    #[test]
    fn hostile_host_lengths_end_the_walk() {
        let mut host = host_cmsg(1, 2, &[1; 8]);
        host[0..8].copy_from_slice(&3u64.to_ne_bytes());
        assert_eq!(control_to_guest(&host, 100), GuestControl::default());
    }

    #[test]
    fn multicast_groups() {
        let guest: Vec<u8> = (0..132).map(|n| n as u8).collect();
        let host = group_to_host(&guest);
        assert_eq!(host.len(), 136);
        assert_eq!((host[3], host[8]), (3, 4));
        assert_eq!(group_to_guest(&host), guest);
        assert_eq!(group_to_guest(&[1, 2]), [1, 2]);
    }
}
