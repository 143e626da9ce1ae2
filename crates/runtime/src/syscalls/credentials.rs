//! User and group IDs (kernel/uid16.c, kernel/sys.c), capabilities, namespaces, keys.
//!
//! The kernel's IDs belong to a thread; the guest's C library spreads a change over its threads itself, so the host's
//! C library, which would do so too, is passed by.

use super::host::{host, host_wait};
use super::{Args, SysResult};
use crate::abi::iovec;
use crate::errno::Errno;
use crate::threads::Thread;

/// What a 16-bit call reports for an ID that does not fit (`overflowuid`).
const OVERFLOW_ID: u16 = 65534;

/// `high2lowuid`
fn to_16(id: u32) -> u16 {
    id.try_into().unwrap_or(OVERFLOW_ID)
}

/// `low2highuid`: only the low half of the register counts, and -1 stays "no change".
fn from_16(register: u32) -> u32 {
    match register as u16 {
        u16::MAX => u32::MAX,
        id => id.into(),
    }
}

/// A 16-bit and a 32-bit call that report one ID.
macro_rules! get_id {
    ($($short:ident $long:ident $nr:ident;)*) => {$(
        #[doc = concat!(stringify!($long), "()")]
        pub fn $long(_: &mut Thread, _: Args) -> SysResult {
            host!(libc::$nr)
        }
        #[doc = concat!(stringify!($short), "()")]
        pub fn $short(_: &mut Thread, _: Args) -> SysResult {
            host!(libc::$nr).map(|id| to_16(id).into())
        }
    )*};
}

get_id! {
    getuid16 getuid SYS_getuid;
    getgid16 getgid SYS_getgid;
    geteuid16 geteuid SYS_geteuid;
    getegid16 getegid SYS_getegid;
}

/// A 16-bit and a 32-bit call that set IDs.
macro_rules! set_ids {
    ($($short:ident $long:ident $nr:ident($($n:literal)*);)*) => {$(
        #[doc = concat!(stringify!($long), ": IDs of 32 bits.")]
        pub fn $long(t: &mut Thread, a: Args) -> SysResult {
            let result = host!(libc::$nr, $(a[$n]),*);
            t.process.rights_changed();
            result
        }
        #[doc = concat!(stringify!($short), ": IDs of 16 bits.")]
        pub fn $short(t: &mut Thread, a: Args) -> SysResult {
            let result = host!(libc::$nr, $(from_16(a[$n])),*);
            t.process.rights_changed();
            result
        }
    )*};
}

set_ids! {
    setuid16 setuid SYS_setuid(0);
    setgid16 setgid SYS_setgid(0);
    setreuid16 setreuid SYS_setreuid(0 1);
    setregid16 setregid SYS_setregid(0 1);
    setresuid16 setresuid SYS_setresuid(0 1 2);
    setresgid16 setresgid SYS_setresgid(0 1 2);
}

/// setfsuid: the result is the ID before.
pub fn setfsuid(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_setfsuid, a[0])
}

/// setfsgid: the result is the ID before.
pub fn setfsgid(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_setfsgid, a[0])
}

/// setfsuid with an ID of 16 bits.
pub fn setfsuid16(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_setfsuid, from_16(a[0])).map(|id| to_16(id).into())
}

/// setfsgid with an ID of 16 bits.
pub fn setfsgid16(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_setfsgid, from_16(a[0])).map(|id| to_16(id).into())
}

/// getresuid and getresgid(real, effective, saved) with IDs of 16 bits.
fn getres16(t: &mut Thread, a: Args, nr: libc::c_long) -> SysResult {
    let mut ids = [0u32; 3];
    let [real, effective, saved] = &mut ids;
    host!(nr, real, effective, saved)?;
    for (n, id) in ids.into_iter().enumerate() {
        t.mem.write(a[n], &to_16(id))?;
    }
    Ok(0)
}

/// getresuid(real, effective, saved)
pub fn getresuid(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_getresuid, t.mem.ptr::<u32>(a[0]), t.mem.ptr::<u32>(a[1]), t.mem.ptr::<u32>(a[2]))
}

/// getresgid(real, effective, saved)
pub fn getresgid(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_getresgid, t.mem.ptr::<u32>(a[0]), t.mem.ptr::<u32>(a[1]), t.mem.ptr::<u32>(a[2]))
}

/// getresuid with IDs of 16 bits.
pub fn getresuid16(t: &mut Thread, a: Args) -> SysResult {
    getres16(t, a, libc::SYS_getresuid)
}

/// getresgid with IDs of 16 bits.
pub fn getresgid16(t: &mut Thread, a: Args) -> SysResult {
    getres16(t, a, libc::SYS_getresgid)
}

/// NGROUPS_MAX
const GROUPS_MAX: u32 = 65536;

/// getgroups(n, list)
pub fn getgroups(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_getgroups, a.i32(0), t.mem.ptr::<u32>(a[1]))
}

/// setgroups(n, list)
pub fn setgroups(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_setgroups, a.i32(0), t.mem.ptr::<u32>(a[1]))
}

/// getgroups with IDs of 16 bits.
pub fn getgroups16(t: &mut Thread, a: Args) -> SysResult {
    if a[0] == 0 {
        return host!(libc::SYS_getgroups, 0u32, 0u32);
    }
    if a.i32(0) < 0 {
        return Err(Errno(libc::EINVAL));
    }
    let mut groups = vec![0u32; a[0].min(GROUPS_MAX) as usize];
    let n = host!(libc::SYS_getgroups, groups.len(), groups.as_mut_ptr())?;
    let bytes: Vec<u8> = groups[..n as usize].iter().flat_map(|&id| to_16(id).to_ne_bytes()).collect();
    t.mem.write_bytes(a[1], &bytes)?;
    Ok(n)
}

/// setgroups with IDs of 16 bits.
pub fn setgroups16(t: &mut Thread, a: Args) -> SysResult {
    if a[0] > GROUPS_MAX {
        return Err(Errno(libc::EINVAL));
    }
    let groups: Vec<u16> = t.mem.read_array(a[1], a[0] as usize)?;
    let groups: Vec<u32> = groups.into_iter().map(|id| from_16(id.into())).collect();
    host!(libc::SYS_setgroups, groups.len(), groups.as_ptr())
}

/// capget(header, data): 32-bit words everywhere.
pub fn capget(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_capget, t.mem.ptr::<u32>(a[0]), t.mem.ptr::<u32>(a[1]))
}

/// capset(header, data)
pub fn capset(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_capset, t.mem.ptr::<u32>(a[0]), t.mem.ptr::<u32>(a[1]))
}

/// unshare(flags). A new user namespace needs a process of one thread: the translator has none of its own.
pub fn unshare(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_unshare, a[0])
}

/// setns(fd, type)
pub fn setns(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_setns, a[0], a[1])
}

/// add_key(type, description, payload, len, keyring)
pub fn add_key(t: &mut Thread, a: Args) -> SysResult {
    let [kind, description, payload] = [a[0], a[1], a[2]].map(|addr| t.mem.ptr::<u8>(addr));
    host_wait!(libc::SYS_add_key, kind, description, payload, a[3], a.i32(4))
}

/// request_key(type, description, callout, keyring)
pub fn request_key(t: &mut Thread, a: Args) -> SysResult {
    let [kind, description, callout] = [a[0], a[1], a[2]].map(|addr| t.mem.ptr::<u8>(addr));
    host_wait!(libc::SYS_request_key, kind, description, callout, a.i32(3))
}

/// Which of arguments 1 to 4 of a keyctl operation are addresses (bit 0 is argument 1); `None` for operations
/// whose structures hold pointers in turn, and for those this table does not know.
fn keyctl_pointers(operation: u32) -> Option<u32> {
    Some(match operation {
        // Numbers: key IDs, user IDs, timeouts, masks.
        0 | 3 | 4 | 5 | 7 | 8 | 9 | 13 | 14 | 15 | 16 | 18 | 19 | 21 | 22 | 30 | 32 => 0,
        // JOIN_SESSION_KEYRING(name), CAPABILITIES(buf, len)
        1 | 31 => 0b0001,
        // UPDATE, DESCRIBE, READ, INSTANTIATE, GET_SECURITY(key, buf, len, ..)
        2 | 6 | 11 | 12 | 17 => 0b0010,
        // SEARCH(ring, type, description, ring), RESTRICT_KEYRING(ring, type, restriction)
        10 | 29 => 0b0110,
        // PKEY_QUERY(key, 0, info, result)
        24 => 0b1100,
        // PKEY_ENCRYPT, _DECRYPT, _SIGN, _VERIFY(params, info, in, out)
        25..=28 => 0b1111,
        _ => return None,
    })
}

/// keyctl(operation, ..)
pub fn keyctl(t: &mut Thread, a: Args) -> SysResult {
    const INSTANTIATE_IOV: u32 = 20;
    if a[0] == INSTANTIATE_IOV {
        let iov = iovec::read(t.mem, a[2], a[3])?;
        return host!(libc::SYS_keyctl, a[0], a.i32(1), iov.as_ptr(), iov.len(), a.i32(4));
    }
    let pointers = keyctl_pointers(a[0]).ok_or(Errno(libc::EOPNOTSUPP))?;
    let arg = |n: usize| {
        if pointers >> (n - 1) & 1 != 0 { t.mem.ptr::<u8>(a[n]) as u64 } else { u64::from(a[n]) }
    };
    host_wait!(libc::SYS_keyctl, a[0], arg(1), arg(2), arg(3), arg(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_16_bits() {
        assert_eq!((to_16(1000), to_16(100_000), to_16(u32::MAX)), (1000, OVERFLOW_ID, OVERFLOW_ID));
        assert_eq!((from_16(0xffff), from_16(0x0001_03e8), from_16(65534)), (u32::MAX, 1000, 65534));
    }

    #[test]
    fn keyctl_arguments() {
        assert_eq!(keyctl_pointers(0), Some(0));
        assert_eq!(keyctl_pointers(10), Some(0b0110));
        // DH_COMPUTE may have a structure with pointers; nobody knows 33.
        assert_eq!((keyctl_pointers(23), keyctl_pointers(33)), (None, None));
    }
}
