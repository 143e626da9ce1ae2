//! Guest memory and the structures of system calls: any bytes, at any address.

use crate::{Input, memory};
use forearm_runtime::abi::flock::Flock32;
use forearm_runtime::abi::time::*;
use forearm_runtime::abi::{iovec, ipc, open_flags, resource, sigevent, socket, stat, timex};
use forearm_runtime::errno::Errno;
use forearm_runtime::memory::{GuestMemory, PAGE};
use forearm_runtime::signals::siginfo;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Where the pages of the guest lie: two together, nothing around them.
const START: u32 = 0x10_0000;
const END: u32 = START + 2 * PAGE as u32;

/// Puts bytes at an address that is mapped, or not, or in part, and reads them as every structure there is.
///
/// # Panics
/// Where a conversion panics or loses what it should keep, and where a bad address is not EFAULT.
pub fn structures(data: &[u8]) {
    let mut input = Input(data);
    let memory = memory();
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    let prot = libc::PROT_READ | libc::PROT_WRITE;
    memory.mmap(START, END - START, prot, flags, -1, 0).expect("two pages");
    let guest = memory.guest();
    // Half of the addresses near the edges of the pages, the others anywhere.
    let addr = match input.byte() % 4 {
        0 => END.wrapping_sub(u32::from(input.byte())),
        1 => START.wrapping_add(u32::from(input.byte())).wrapping_sub(128),
        2 => START + input.u32() % (END - START),
        _ => input.u32(),
    };
    let bytes = input.0;
    let room = (u64::from(END).saturating_sub(addr.into())) as usize;
    let inside = (START..END).contains(&addr);
    let written = guest.write_bytes(addr, bytes);
    assert_eq!(written.is_ok(), bytes.is_empty() || inside && bytes.len() <= room, "{addr:#x}");
    let place = Place { guest, addr, room: if inside { room } else { 0 } };
    place.all();
    control(bytes);
    memory.munmap(START, END - START).expect("two pages");
}

/// An address and how many bytes can be read there.
struct Place {
    guest: GuestMemory,
    addr: u32,
    room: usize,
}

impl Place {
    /// The value here; none, by EFAULT, exactly where it is not all there.
    fn read<T: FromBytes>(&self) -> Option<T> {
        let value = self.guest.read::<T>(self.addr);
        assert_eq!(value.is_ok(), size_of::<T>() <= self.room, "{:#x}", self.addr);
        match value {
            Ok(value) => Some(value),
            Err(errno) => {
                assert_eq!(errno, Errno(libc::EFAULT));
                None
            }
        }
    }

    /// Reads a value, converts it to the host's and back, and writes it: nothing of it may be lost.
    fn same<T, H>(&self, to: impl Fn(T) -> H, from: impl Fn(H) -> T)
    where
        T: FromBytes + IntoBytes + Immutable + Copy + PartialEq + std::fmt::Debug,
    {
        if let Some(value) = self.read::<T>() {
            let back = from(to(value));
            assert_eq!(back, value);
            assert_eq!(self.guest.write(self.addr, &back), Ok(()));
        }
    }

    /// Reads a value of the host's and converts it.
    fn host<H: FromBytes, T>(&self, convert: impl Fn(H) -> T) {
        if let Some(value) = self.read::<H>() {
            convert(value);
        }
    }

    fn all(&self) {
        self.same(Timespec32::to_host, Timespec32::from_host);
        self.same(Itimerspec32::to_host, Itimerspec32::from_host);
        self.same(libc::timeval::from, Timeval32::from);
        self.same(|t: Timeval64| libc::timeval::from(t), Timeval64::from);
        self.same(libc::itimerval::from, Itimerval32::from);
        self.same(open_flags::to_host, open_flags::from_host);
        self.same(resource::Rlimit64::from, resource::Rlimit32::from);
        // The upper half of nanoseconds is padding.
        self.host(|t: Timespec64| {
            assert_eq!(Timespec64::from_host(t.to_host()).nsec, i64::from(t.nsec as i32))
        });
        self.host(|t: Itimerspec64| assert_eq!(Itimerspec64::from_host(t.to_host()).value.sec, t.value.sec));
        self.host(|t: timex::Timex32| {
            assert_eq!(timex::Timex32::from_host(&t.to_host()), timex::Timex32 { pad: [0; 11], ..t });
        });
        self.host(|lock: Flock32| {
            let back = Flock32::try_from(libc::flock::from(lock));
            assert!(back == Ok(lock) || back == Err(Errno(libc::EOVERFLOW)), "{lock:?} {back:?}");
        });
        self.host(|event: sigevent::Sigevent32| sigevent::HostSigevent::from(event));
        self.host(|p: ipc::IpcPerm32| {
            let back = ipc::IpcPerm32::from(ipc::HostIpcPerm::from(p));
            assert_eq!((back.uid, back.gid, back.mode), (p.uid, p.gid, p.mode));
        });
        self.host(|d: ipc::SemidDs32| ipc::HostSemidDs::from(d));
        self.host(|d: ipc::HostSemidDs| ipc::SemidDs32::from(d));
        self.host(|d: ipc::ShmidDs32| ipc::HostShmidDs::from(d));
        self.host(|d: ipc::HostShmidDs| ipc::ShmidDs32::from(d));
        self.host(|d: ipc::MsqidDs32| ipc::HostMsqidDs::from(d));
        self.host(|d: ipc::HostMsqidDs| ipc::MsqidDs32::from(d));
        self.host(|d: ipc::HostShmInfo| ipc::ShmInfo32::from(d));
        self.host(|words: [u64; 9]| ipc::Shminfo32::from(words));
        self.host(|a: ipc::MqAttr32| {
            let back = ipc::MqAttr32::from(ipc::HostMqAttr::from(a));
            assert_eq!(back, ipc::MqAttr32 { reserved: [0; 4], ..a });
        });
        self.plain_data();
        self.host(|info: [u8; siginfo::SIZE]| {
            let once = siginfo::to_guest(&siginfo::from_guest(&info));
            assert_eq!(once[..12], info[..12]);
            assert_eq!(siginfo::to_guest(&siginfo::from_guest(&once)), once);
        });
        self.lists();
    }

    /// The host's structures, which come from the kernel: any bytes of them.
    fn plain_data(&self) {
        fn of<T>(bytes: &[u8]) -> T {
            let mut value = std::mem::MaybeUninit::<T>::zeroed();
            let n = bytes.len().min(size_of::<T>());
            // SAFETY: n bytes are valid on both sides. The callers' types are the kernel's, made of integers only.
            unsafe {
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), value.as_mut_ptr().cast(), n);
                value.assume_init()
            }
        }
        let Ok(bytes) = self.guest.read_bytes(self.addr, self.room.min(512)) else { return };
        let status: libc::stat = of(&bytes);
        let _ = (stat::Stat64::from(&status), stat::Stat::from_host(&status));
        let system = of::<stat::HostStatfs>(&bytes);
        let _ = (stat::Statfs::from_host(&system), stat::Statfs64::from(&system));
        let _ = resource::Rusage32::from(&of::<libc::rusage>(&bytes));
        let _ = resource::Sysinfo32::from(&of::<libc::sysinfo>(&bytes));
        let _ = timex::Timex32::from_host(&of::<libc::timex>(&bytes));
        let _ = Flock32::try_from(of::<libc::flock>(&bytes));
    }

    fn lists(&self) {
        let count = self.addr % (iovec::UIO_MAXIOV + 2);
        match iovec::read(self.guest, self.addr, count) {
            Ok(list) => assert_eq!(list.len(), count as usize),
            Err(errno) => assert!([libc::EINVAL, libc::EFAULT].contains(&errno.0), "{errno}"),
        }
        match self.guest.read_path(self.addr) {
            Ok(path) => assert!(path.count_bytes() < self.room),
            Err(Errno(errno)) => assert!([libc::ENAMETOOLONG, libc::EFAULT].contains(&errno)),
        }
        for count in [0, 3, 1000, usize::MAX] {
            let array = self.guest.read_array::<Timespec32>(self.addr, count);
            assert_eq!(array.is_ok(), count == 0 || count <= self.room / size_of::<Timespec32>());
        }
        let _ = self.guest.read::<socket::Msghdr32>(self.addr);
    }
}

/// Control messages, taken as the guest's and as the host's.
fn control(bytes: &[u8]) {
    if let Some(host) = socket::control_to_host(bytes) {
        assert!(host.len() <= socket::host_control_len(bytes.len()));
        // With room for all of it only old timestamps change, and those shrink.
        let back = socket::control_to_guest(&host, bytes.len());
        assert!(back.bytes.len() <= bytes.len() && !back.truncated && back.surplus_fds.is_empty());
    }
    let room = usize::from(bytes.first().copied().unwrap_or(0));
    let guest = socket::control_to_guest(bytes, room);
    assert!(guest.bytes.len() <= room);
    assert!(socket::control_to_guest(bytes, 4 * bytes.len() + 64).surplus_fds.is_empty());
    let host = socket::group_to_host(bytes);
    // A request that is cut off within its first word is filled up.
    assert!(socket::group_to_guest(&host).starts_with(bytes));
}
