//! prctl: integers pass to the host, pointers are guest pointers, and what would act on the translator is refused.

use super::Args;
use crate::errno::{Errno, SysResult};
use crate::syscalls::host::host;
use crate::threads::Thread;
use std::ffi::CStr;

const TASK_COMM_LEN: usize = 16;
const PR_SET_IO_FLUSHER: i32 = 57;
const PR_GET_IO_FLUSHER: i32 = 58;
const PR_GET_AUXV: i32 = 0x4155_5856;
const PR_SET_VMA: i32 = 0x5356_4d41;

/// prctl.
pub fn prctl(t: &mut Thread, a: Args) -> SysResult {
    let option = a.i32(0);
    match option {
        libc::PR_SET_NAME => {
            let mut name = [0u8; TASK_COMM_LEN];
            let given = t.mem.read_cstr(a[1], TASK_COMM_LEN - 1, libc::ENAMETOOLONG);
            match given {
                Ok(given) => name[..given.as_bytes().len()].copy_from_slice(given.as_bytes()),
                // Cut, not refused.
                Err(Errno(libc::ENAMETOOLONG)) => t.mem.read_into(a[1], &mut name[..TASK_COMM_LEN - 1])?,
                Err(e) => return Err(e),
            }
            host!(libc::SYS_prctl, option, &name)
        }
        libc::PR_GET_NAME => {
            let mut name = [0u8; TASK_COMM_LEN];
            host!(libc::SYS_prctl, option, &mut name)?;
            t.mem.write_bytes(a[1], &name)?;
            Ok(0)
        }
        // An int through a pointer.
        libc::PR_GET_PDEATHSIG | libc::PR_GET_CHILD_SUBREAPER => {
            let mut value = 0i32;
            host!(libc::SYS_prctl, option, &mut value)?;
            t.mem.write(a[1], &value)?;
            Ok(0)
        }
        libc::PR_GET_TID_ADDRESS => {
            t.mem.write(a[1], &t.clear_child_tid)?;
            Ok(0)
        }
        PR_GET_AUXV => {
            let auxv = &t.process.image.auxv;
            if a[3] != 0 || a[4] != 0 {
                return Err(Errno(libc::EINVAL));
            }
            t.mem.write_bytes(a[1], &auxv[..auxv.len().min(a[2] as usize)])?;
            Ok(auxv.len() as u32)
        }
        PR_SET_VMA => set_vma_name(t, a),
        libc::PR_GET_SECCOMP => Ok(0),
        // Integers, and harmless to the translator.
        libc::PR_SET_PDEATHSIG
        | libc::PR_GET_DUMPABLE
        | libc::PR_SET_DUMPABLE
        | libc::PR_GET_KEEPCAPS
        | libc::PR_SET_KEEPCAPS
        | libc::PR_GET_TIMING
        | libc::PR_SET_TIMING
        | libc::PR_CAPBSET_READ
        | libc::PR_CAPBSET_DROP
        | libc::PR_GET_SECUREBITS
        | libc::PR_SET_SECUREBITS
        | libc::PR_SET_TIMERSLACK
        | libc::PR_GET_TIMERSLACK
        | libc::PR_MCE_KILL
        | libc::PR_MCE_KILL_GET
        | libc::PR_SET_PTRACER
        | libc::PR_SET_CHILD_SUBREAPER
        | libc::PR_SET_NO_NEW_PRIVS
        | libc::PR_GET_NO_NEW_PRIVS
        | libc::PR_SET_THP_DISABLE
        | libc::PR_GET_THP_DISABLE
        | libc::PR_CAP_AMBIENT
        | libc::PR_GET_SPECULATION_CTRL
        | libc::PR_SET_SPECULATION_CTRL
        | PR_SET_IO_FLUSHER
        | PR_GET_IO_FLUSHER => {
            // PR_SET_PTRACER_ANY is -1: sign-extended.
            host!(libc::SYS_prctl, option, a.i32(1), a[2], a[3], a[4])
        }
        // Among others: PR_SET_SECCOMP (filters are written against ARM's numbers; EINVAL is a kernel without it),
        // PR_SET_MM, PR_SET_MDWE (it forbids what a translator does), PR_SET_SYSCALL_USER_DISPATCH, and the
        // controls of other processors.
        _ => Err(Errno(libc::EINVAL)),
    }
}

/// PR_SET_VMA_ANON_NAME: names show in /proc/self/maps.
fn set_vma_name(t: &Thread, a: Args) -> SysResult {
    /// ANON_VMA_NAME_MAX_LEN.
    const MAX: usize = 80;
    if a[1] != 0 {
        return Err(Errno(libc::EINVAL));
    }
    let name = match a[4] {
        0 => None,
        addr => Some(t.mem.read_cstr(addr, MAX, libc::EINVAL)?),
    };
    let name = name.as_deref().map_or(std::ptr::null(), CStr::as_ptr);
    host!(libc::SYS_prctl, PR_SET_VMA, 0u32, t.mem.host::<u8>(a[2]), a[3], name)
}
