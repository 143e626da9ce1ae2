//! System V IPC (ipc/) and POSIX message queues (ipc/mqueue.c). Identifiers are the host's.

use super::host::{host, host_wait};
use super::time::timeout;
use super::{Args, SysResult};
use crate::abi::ipc::{
    HostMqAttr, HostMsqidDs, HostSemidDs, HostShmInfo, HostShmidDs, MqAttr32, MsqidDs32, SemidDs32,
    ShmInfo32, ShmidDs32, Shminfo32,
};
use crate::abi::sigevent::{HostSigevent, Sigevent32};
use crate::abi::time::{GuestTimespec, Timespec32, Timespec64};
use crate::errno::Errno;
use crate::threads::Thread;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

/// Flag of the `*ctl` commands that selects the structures of today. ARM is one of the few architectures whose
/// kernel looks at it; every EABI C library sets it.
const IPC_64: i32 = 0x100;
/// SEM_STAT_ANY of linux/sem.h.
const SEM_STAT_ANY: i32 = 20;
/// SHM_STAT_ANY of linux/shm.h.
const SHM_STAT_ANY: i32 = 15;
/// MSG_STAT_ANY of linux/msg.h.
const MSG_STAT_ANY: i32 = 13;
/// Largest message copied; `kernel.msgmax` is 8 KiB by default.
const MSG_MAX: u32 = 16 << 20;

/// The command without IPC_64. A command that carries an old structure is refused.
fn command(cmd: i32, carries: &[i32]) -> Result<i32, Errno> {
    if cmd & IPC_64 == 0 && carries.contains(&cmd) { Err(Errno(libc::EINVAL)) } else { Ok(cmd & !IPC_64) }
}

/// A `*ctl` call that fills the structure `H`, which the guest gets as `G`.
fn ctl_get<H, G>(t: &Thread, addr: u32, call: impl FnOnce(&mut H) -> SysResult) -> SysResult
where
    H: FromZeros,
    G: From<H> + IntoBytes + Immutable,
{
    let mut host = H::new_zeroed();
    let value = call(&mut host)?;
    t.mem.write(addr, &G::from(host))?;
    Ok(value)
}

/// A `*ctl` call that reads the structure `H`, which the guest has as `G`.
fn ctl_set<H, G>(t: &Thread, addr: u32, call: impl FnOnce(&H) -> SysResult) -> SysResult
where
    H: From<G>,
    G: FromBytes,
{
    call(&H::from(t.mem.read::<G>(addr)?))
}

/// semget(key, n, flags)
pub fn semget(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_semget, a[0], a.i32(1), a[2])
}

/// semop(id, sops, n): `struct sembuf` is three shorts everywhere.
pub fn semop(t: &mut Thread, a: Args) -> SysResult {
    host_wait!(libc::SYS_semop, a[0], t.mem.ptr::<libc::sembuf>(a[1]), a[2])
}

/// semtimedop(id, sops, n, timeout)
fn semtimedop<T: GuestTimespec>(t: &mut Thread, a: Args) -> SysResult {
    let timeout = timeout::<T>(t, a[3])?;
    host_wait!(libc::SYS_semtimedop, a[0], t.mem.ptr::<libc::sembuf>(a[1]), a[2], timeout.as_ref())
}

/// semtimedop with an old timespec.
pub fn semtimedop32(t: &mut Thread, a: Args) -> SysResult {
    semtimedop::<Timespec32>(t, a)
}

/// semtimedop_time64
pub fn semtimedop64(t: &mut Thread, a: Args) -> SysResult {
    semtimedop::<Timespec64>(t, a)
}

/// semctl(id, n, cmd, union semun): the union is passed by value.
pub fn semctl(t: &mut Thread, a: Args) -> SysResult {
    let (id, n, arg) = (a[0], a.i32(1), a[3]);
    let cmd = command(a.i32(2), &[libc::IPC_STAT, libc::IPC_SET, libc::SEM_STAT, SEM_STAT_ANY])?;
    match cmd {
        libc::IPC_STAT | libc::SEM_STAT | SEM_STAT_ANY => {
            ctl_get::<HostSemidDs, SemidDs32>(t, arg, |ds| host!(libc::SYS_semctl, id, n, cmd, ds))
        }
        libc::IPC_SET => {
            ctl_set::<HostSemidDs, SemidDs32>(t, arg, |ds| host!(libc::SYS_semctl, id, n, cmd, ds))
        }
        libc::SETVAL => host!(libc::SYS_semctl, id, n, cmd, arg as i32),
        // Arrays of shorts and structures of ints.
        libc::GETALL | libc::SETALL | libc::IPC_INFO | libc::SEM_INFO => {
            host!(libc::SYS_semctl, id, n, cmd, t.mem.ptr::<u8>(arg))
        }
        _ => host!(libc::SYS_semctl, id, n, cmd, 0u32),
    }
}

/// msgget(key, flags)
pub fn msgget(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_msgget, a[0], a[1])
}

/// msgsnd(id, msg, size, flags): the message starts with its type, a long.
pub fn msgsnd(t: &mut Thread, a: Args) -> SysResult {
    if a[2] > MSG_MAX {
        return Err(Errno(libc::EINVAL));
    }
    let kind: i32 = t.mem.read(a[1])?;
    let mut message = i64::from(kind).to_ne_bytes().to_vec();
    message.extend(t.mem.read_bytes(a[1].wrapping_add(4), a[2] as usize)?);
    host_wait!(libc::SYS_msgsnd, a[0], message.as_ptr(), a[2], a[3])
}

/// msgrcv(id, msg, size, type, flags)
pub fn msgrcv(t: &mut Thread, a: Args) -> SysResult {
    if a.i32(2) < 0 {
        return Err(Errno(libc::EINVAL));
    }
    let size = a[2].min(MSG_MAX);
    let mut message = vec![0u8; 8 + size as usize];
    let len = host_wait!(libc::SYS_msgrcv, a[0], message.as_mut_ptr(), size, a.i32(3), a[4])?;
    t.mem.write_bytes(a[1], &message[..4])?;
    t.mem.write_bytes(a[1].wrapping_add(4), &message[8..8 + len as usize])?;
    Ok(len)
}

/// msgctl(id, cmd, buf)
pub fn msgctl(t: &mut Thread, a: Args) -> SysResult {
    const MSG_STAT: i32 = 11;
    const MSG_INFO: i32 = 12;
    let cmd = command(a.i32(1), &[libc::IPC_STAT, libc::IPC_SET, MSG_STAT, MSG_STAT_ANY])?;
    match cmd {
        libc::IPC_STAT | MSG_STAT | MSG_STAT_ANY => {
            ctl_get::<HostMsqidDs, MsqidDs32>(t, a[2], |ds| host!(libc::SYS_msgctl, a[0], cmd, ds))
        }
        libc::IPC_SET => {
            ctl_set::<HostMsqidDs, MsqidDs32>(t, a[2], |ds| host!(libc::SYS_msgctl, a[0], cmd, ds))
        }
        // `struct msginfo` is ints and a short.
        libc::IPC_INFO | MSG_INFO => host!(libc::SYS_msgctl, a[0], cmd, t.mem.ptr::<u8>(a[2])),
        _ => host!(libc::SYS_msgctl, a[0], cmd, 0u32),
    }
}

/// shmget(key, size, flags)
pub fn shmget(_: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_shmget, a[0], a[1], a[2])
}

/// shmat(id, addr, flags): the guest's memory map places the segment.
pub fn shmat(t: &mut Thread, a: Args) -> SysResult {
    t.process.memory.attach_shm(a.i32(0), a[1], a.i32(2))
}

/// shmdt(addr)
pub fn shmdt(t: &mut Thread, a: Args) -> SysResult {
    t.process.memory.detach_shm(a[0])
}

/// shmctl(id, cmd, buf)
pub fn shmctl(t: &mut Thread, a: Args) -> SysResult {
    const SHM_STAT: i32 = 13;
    const SHM_INFO: i32 = 14;
    let cmd = command(a.i32(1), &[libc::IPC_STAT, libc::IPC_SET, libc::IPC_INFO, SHM_STAT, SHM_STAT_ANY])?;
    match cmd {
        libc::IPC_STAT | SHM_STAT | SHM_STAT_ANY => {
            ctl_get::<HostShmidDs, ShmidDs32>(t, a[2], |ds| host!(libc::SYS_shmctl, a[0], cmd, ds))
        }
        libc::IPC_SET => {
            ctl_set::<HostShmidDs, ShmidDs32>(t, a[2], |ds| host!(libc::SYS_shmctl, a[0], cmd, ds))
        }
        libc::IPC_INFO => {
            ctl_get::<[u64; 9], Shminfo32>(t, a[2], |info| host!(libc::SYS_shmctl, a[0], cmd, info))
        }
        SHM_INFO => {
            ctl_get::<HostShmInfo, ShmInfo32>(t, a[2], |info| host!(libc::SYS_shmctl, a[0], cmd, info))
        }
        _ => host!(libc::SYS_shmctl, a[0], cmd, 0u32),
    }
}

/// mq_open(name, flags, mode, attr or NULL): the flags it knows have the same values on ARM.
pub fn mq_open(t: &mut Thread, a: Args) -> SysResult {
    let attr = match a[3] {
        addr if addr != 0 && a.i32(1) & libc::O_CREAT != 0 => {
            Some(HostMqAttr::from(t.mem.read::<MqAttr32>(addr)?))
        }
        _ => None,
    };
    host!(libc::SYS_mq_open, t.mem.ptr::<u8>(a[0]), a[1], a[2], attr.as_ref())
}

/// mq_unlink(name)
pub fn mq_unlink(t: &mut Thread, a: Args) -> SysResult {
    host!(libc::SYS_mq_unlink, t.mem.ptr::<u8>(a[0]))
}

/// mq_timedsend(mq, msg, len, priority, timeout)
fn mq_timedsend<T: GuestTimespec>(t: &mut Thread, a: Args) -> SysResult {
    let timeout = timeout::<T>(t, a[4])?;
    host_wait!(libc::SYS_mq_timedsend, a[0], t.mem.ptr::<u8>(a[1]), a[2], a[3], timeout.as_ref())
}

/// mq_timedsend with an old timespec.
pub fn mq_timedsend32(t: &mut Thread, a: Args) -> SysResult {
    mq_timedsend::<Timespec32>(t, a)
}

/// mq_timedsend_time64
pub fn mq_timedsend64(t: &mut Thread, a: Args) -> SysResult {
    mq_timedsend::<Timespec64>(t, a)
}

/// mq_timedreceive(mq, msg, len, priority, timeout)
fn mq_timedreceive<T: GuestTimespec>(t: &mut Thread, a: Args) -> SysResult {
    let timeout = timeout::<T>(t, a[4])?;
    let (msg, priority) = (t.mem.ptr::<u8>(a[1]), t.mem.ptr::<u32>(a[3]));
    host_wait!(libc::SYS_mq_timedreceive, a[0], msg, a[2], priority, timeout.as_ref())
}

/// mq_timedreceive with an old timespec.
pub fn mq_timedreceive32(t: &mut Thread, a: Args) -> SysResult {
    mq_timedreceive::<Timespec32>(t, a)
}

/// mq_timedreceive_time64
pub fn mq_timedreceive64(t: &mut Thread, a: Args) -> SysResult {
    mq_timedreceive::<Timespec64>(t, a)
}

/// mq_notify(mq, sigevent or NULL)
pub fn mq_notify(t: &mut Thread, a: Args) -> SysResult {
    let event = match a[1] {
        0 => None,
        addr => {
            let guest: Sigevent32 = t.mem.read(addr)?;
            let mut event = HostSigevent::from(guest);
            if guest.notify == libc::SIGEV_THREAD {
                // The kernel reads a cookie from this address and sends it through the netlink socket `signo`.
                event.value = t.mem.ptr::<u8>(guest.value) as u64;
            }
            Some(event)
        }
    };
    host!(libc::SYS_mq_notify, a[0], event.as_ref())
}

/// mq_getsetattr(mq, new or NULL, old or NULL)
pub fn mq_getsetattr(t: &mut Thread, a: Args) -> SysResult {
    let new = match a[1] {
        0 => None,
        addr => Some(HostMqAttr::from(t.mem.read::<MqAttr32>(addr)?)),
    };
    let mut old = HostMqAttr::default();
    host!(libc::SYS_mq_getsetattr, a[0], new.as_ref(), &mut old)?;
    if a[2] != 0 {
        t.mem.write(a[2], &MqAttr32::from(old))?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_with_structures_need_ipc_64() {
        assert_eq!(command(libc::IPC_STAT | IPC_64, &[libc::IPC_STAT]), Ok(libc::IPC_STAT));
        assert_eq!(command(libc::IPC_STAT, &[libc::IPC_STAT]), Err(Errno(libc::EINVAL)));
        assert_eq!(command(libc::IPC_RMID, &[libc::IPC_STAT]), Ok(libc::IPC_RMID));
    }
}
