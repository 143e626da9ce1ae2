//! System V and POSIX message queues, semaphores, shared memory (asm-generic/{ipc,sem,shm,msg}buf.h for 32-bit
//! long, linux/mqueue.h). All the System V forms are those that `IPC_64` selects; no EABI library uses the older.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `struct ipc64_perm`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct IpcPerm32 {
    /// Key.
    pub key: u32,
    /// Owner.
    pub uid: u32,
    /// Owner's group.
    pub gid: u32,
    /// Creator.
    pub cuid: u32,
    /// Creator's group.
    pub cgid: u32,
    /// Permission bits; `mode_t` is 16 bits wide on ARM.
    pub mode: u16,
    /// Padding.
    pub pad1: u16,
    /// Sequence number.
    pub seq: u16,
    /// Padding.
    pub pad2: u16,
    /// Unused.
    pub unused: [u32; 2],
}

/// The host's `struct ipc64_perm`; libc's `ipc_perm` has its fields under other names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct HostIpcPerm {
    /// Key.
    pub key: u32,
    /// Owner.
    pub uid: u32,
    /// Owner's group.
    pub gid: u32,
    /// Creator.
    pub cuid: u32,
    /// Creator's group.
    pub cgid: u32,
    /// Permission bits.
    pub mode: u32,
    /// Sequence number.
    pub seq: u16,
    /// Padding.
    pub pad: [u16; 3],
    /// Unused.
    pub unused: [u64; 2],
}

impl From<HostIpcPerm> for IpcPerm32 {
    fn from(p: HostIpcPerm) -> Self {
        IpcPerm32 {
            key: p.key,
            uid: p.uid,
            gid: p.gid,
            cuid: p.cuid,
            cgid: p.cgid,
            mode: p.mode as u16,
            seq: p.seq,
            ..Default::default()
        }
    }
}

/// What IPC_SET takes: owner and mode.
impl From<IpcPerm32> for HostIpcPerm {
    fn from(p: IpcPerm32) -> Self {
        HostIpcPerm { uid: p.uid, gid: p.gid, mode: p.mode.into(), ..Default::default() }
    }
}

/// A time in seconds as two words, low one first.
fn halves(t: i64) -> [u32; 2] {
    [t as u32, (t >> 32) as u32]
}

/// `struct semid64_ds`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SemidDs32 {
    /// Permissions.
    pub perm: IpcPerm32,
    /// Last semop.
    pub otime: [u32; 2],
    /// Last change.
    pub ctime: [u32; 2],
    /// Semaphores in the set.
    pub nsems: u32,
    /// Unused.
    pub unused: [u32; 2],
}

/// The host's `struct semid64_ds`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct HostSemidDs {
    /// Permissions.
    pub perm: HostIpcPerm,
    /// Last semop.
    pub otime: i64,
    /// Unused.
    pub unused1: u64,
    /// Last change.
    pub ctime: i64,
    /// Unused.
    pub unused2: u64,
    /// Semaphores in the set.
    pub nsems: u64,
    /// Unused.
    pub unused: [u64; 2],
}

impl From<HostSemidDs> for SemidDs32 {
    fn from(s: HostSemidDs) -> Self {
        SemidDs32 {
            perm: s.perm.into(),
            otime: halves(s.otime),
            ctime: halves(s.ctime),
            nsems: s.nsems as u32,
            unused: [0; 2],
        }
    }
}

impl From<SemidDs32> for HostSemidDs {
    fn from(s: SemidDs32) -> Self {
        HostSemidDs { perm: s.perm.into(), ..Default::default() }
    }
}

/// `struct shmid64_ds`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ShmidDs32 {
    /// Permissions.
    pub perm: IpcPerm32,
    /// Size in bytes.
    pub segsz: u32,
    /// Last attach.
    pub atime: [u32; 2],
    /// Last detach.
    pub dtime: [u32; 2],
    /// Last change.
    pub ctime: [u32; 2],
    /// Creator.
    pub cpid: i32,
    /// Last operator.
    pub lpid: i32,
    /// Attachments.
    pub nattch: u32,
    /// Unused.
    pub unused: [u32; 2],
}

/// The host's `struct shmid64_ds`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct HostShmidDs {
    /// Permissions.
    pub perm: HostIpcPerm,
    /// Size in bytes.
    pub segsz: u64,
    /// Last attach.
    pub atime: i64,
    /// Last detach.
    pub dtime: i64,
    /// Last change.
    pub ctime: i64,
    /// Creator.
    pub cpid: i32,
    /// Last operator.
    pub lpid: i32,
    /// Attachments.
    pub nattch: u64,
    /// Unused.
    pub unused: [u64; 2],
}

impl From<HostShmidDs> for ShmidDs32 {
    fn from(s: HostShmidDs) -> Self {
        ShmidDs32 {
            perm: s.perm.into(),
            segsz: saturate(s.segsz),
            atime: halves(s.atime),
            dtime: halves(s.dtime),
            ctime: halves(s.ctime),
            cpid: s.cpid,
            lpid: s.lpid,
            nattch: s.nattch as u32,
            unused: [0; 2],
        }
    }
}

impl From<ShmidDs32> for HostShmidDs {
    fn from(s: ShmidDs32) -> Self {
        HostShmidDs { perm: s.perm.into(), ..Default::default() }
    }
}

/// `struct msqid64_ds`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct MsqidDs32 {
    /// Permissions.
    pub perm: IpcPerm32,
    /// Last msgsnd.
    pub stime: [u32; 2],
    /// Last msgrcv.
    pub rtime: [u32; 2],
    /// Last change.
    pub ctime: [u32; 2],
    /// Bytes on the queue.
    pub cbytes: u32,
    /// Messages on the queue.
    pub qnum: u32,
    /// Most bytes the queue takes.
    pub qbytes: u32,
    /// Last sender.
    pub lspid: i32,
    /// Last receiver.
    pub lrpid: i32,
    /// Unused.
    pub unused: [u32; 2],
}

/// The host's `struct msqid64_ds`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct HostMsqidDs {
    /// Permissions.
    pub perm: HostIpcPerm,
    /// Last msgsnd.
    pub stime: i64,
    /// Last msgrcv.
    pub rtime: i64,
    /// Last change.
    pub ctime: i64,
    /// Bytes on the queue.
    pub cbytes: u64,
    /// Messages on the queue.
    pub qnum: u64,
    /// Most bytes the queue takes.
    pub qbytes: u64,
    /// Last sender.
    pub lspid: i32,
    /// Last receiver.
    pub lrpid: i32,
    /// Unused.
    pub unused: [u64; 2],
}

impl From<HostMsqidDs> for MsqidDs32 {
    fn from(m: HostMsqidDs) -> Self {
        MsqidDs32 {
            perm: m.perm.into(),
            stime: halves(m.stime),
            rtime: halves(m.rtime),
            ctime: halves(m.ctime),
            cbytes: saturate(m.cbytes),
            qnum: saturate(m.qnum),
            qbytes: saturate(m.qbytes),
            lspid: m.lspid,
            lrpid: m.lrpid,
            unused: [0; 2],
        }
    }
}

impl From<MsqidDs32> for HostMsqidDs {
    fn from(m: MsqidDs32) -> Self {
        HostMsqidDs { perm: m.perm.into(), qbytes: m.qbytes.into(), ..Default::default() }
    }
}

/// `struct shminfo64` of IPC_INFO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Shminfo32 {
    /// shmmax, shmmin, shmmni, shmseg, shmall, four unused.
    pub words: [u32; 9],
}

impl From<[u64; 9]> for Shminfo32 {
    fn from(host: [u64; 9]) -> Self {
        // The kernel's own compat code: sizes are cut to INT_MAX so that they stay positive.
        Shminfo32 { words: host.map(|n| n.min(i32::MAX as u64) as u32) }
    }
}

/// `struct shm_info` of SHM_INFO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ShmInfo32 {
    /// Existing segments.
    pub used_ids: i32,
    /// shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes.
    pub words: [u32; 5],
}

/// The host's `struct shm_info`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct HostShmInfo {
    /// Existing segments.
    pub used_ids: i32,
    /// Padding.
    pub pad: u32,
    /// As in [`ShmInfo32`].
    pub words: [u64; 5],
}

impl From<HostShmInfo> for ShmInfo32 {
    fn from(host: HostShmInfo) -> Self {
        ShmInfo32 { used_ids: host.used_ids, words: host.words.map(saturate) }
    }
}

/// A size that may be too large for a guest.
fn saturate(n: u64) -> u32 {
    n.try_into().unwrap_or(u32::MAX)
}

/// `struct mq_attr`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct MqAttr32 {
    /// O_NONBLOCK or 0.
    pub flags: i32,
    /// Most messages.
    pub maxmsg: i32,
    /// Most bytes a message.
    pub msgsize: i32,
    /// Messages on the queue.
    pub curmsgs: i32,
    /// Reserved.
    pub reserved: [i32; 4],
}

/// The host's `struct mq_attr`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct HostMqAttr {
    /// O_NONBLOCK or 0.
    pub flags: i64,
    /// Most messages.
    pub maxmsg: i64,
    /// Most bytes a message.
    pub msgsize: i64,
    /// Messages on the queue.
    pub curmsgs: i64,
    /// Reserved.
    pub reserved: [i64; 4],
}

impl From<MqAttr32> for HostMqAttr {
    fn from(m: MqAttr32) -> Self {
        HostMqAttr {
            flags: m.flags.into(),
            maxmsg: m.maxmsg.into(),
            msgsize: m.msgsize.into(),
            curmsgs: m.curmsgs.into(),
            reserved: [0; 4],
        }
    }
}

impl From<HostMqAttr> for MqAttr32 {
    fn from(m: HostMqAttr) -> Self {
        MqAttr32 {
            flags: m.flags as i32,
            maxmsg: m.maxmsg as i32,
            msgsize: m.msgsize as i32,
            curmsgs: m.curmsgs as i32,
            reserved: [0; 4],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_the_arm_ones_and_the_hosts() {
        assert_eq!(size_of::<IpcPerm32>(), 36);
        assert_eq!(size_of::<SemidDs32>(), 64);
        assert_eq!(size_of::<ShmidDs32>(), 84);
        assert_eq!(size_of::<MsqidDs32>(), 88);
        assert_eq!(size_of::<Shminfo32>(), 36);
        assert_eq!(size_of::<ShmInfo32>(), 24);
        assert_eq!(size_of::<MqAttr32>(), 32);
        assert_eq!(size_of::<HostIpcPerm>(), size_of::<libc::ipc_perm>());
        assert_eq!(size_of::<HostSemidDs>(), size_of::<libc::semid_ds>());
        assert_eq!(size_of::<HostShmidDs>(), size_of::<libc::shmid_ds>());
        assert_eq!(size_of::<HostMsqidDs>(), size_of::<libc::msqid_ds>());
        assert_eq!(size_of::<HostMqAttr>(), size_of::<libc::mq_attr>());
    }

    #[test]
    fn owner_and_mode_round_trip() {
        let guest = IpcPerm32 { uid: 70_000, gid: 3, mode: 0o640, ..Default::default() };
        assert_eq!(IpcPerm32::from(HostIpcPerm::from(guest)), guest);
    }

    #[test]
    fn times_beyond_2038_and_sizes_beyond_4g() {
        let host = HostShmidDs { segsz: 5 << 32, ctime: 0x2_0000_0001, ..Default::default() };
        let guest = ShmidDs32::from(host);
        assert_eq!((guest.segsz, guest.ctime), (u32::MAX, [1, 2]));
        assert_eq!(Shminfo32::from([u64::MAX; 9]).words, [i32::MAX as u32; 9]);
    }
}
