//! `siginfo_t` between the guest's 32-bit layout and the host's (include/uapi/asm-generic/siginfo.h).

use crate::errno::Errno;
use crate::memory::GuestMemory;

/// Bytes of a siginfo, on both sides.
pub const SIZE: usize = 128;

/// SI_KERNEL; codes from 1 to below this are defined per signal.
const SI_KERNEL: i32 = 0x80;

/// Which member of the union is in use (kernel/signal.c: siginfo_layout).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Kill,
    Timer,
    Poll,
    Fault,
    Child,
    Rt,
    Sys,
}

/// Fields of a union member, four bytes each: offset in the guest's layout, offset in the host's. Both are
/// little-endian, so the low half of a host pointer or long is at its own offset.
type Fields = &'static [(usize, usize)];

impl Layout {
    fn of(signal: i32, code: i32) -> Layout {
        if (1..SI_KERNEL).contains(&code) {
            return match signal {
                libc::SIGILL | libc::SIGFPE | libc::SIGSEGV | libc::SIGBUS | libc::SIGTRAP => Layout::Fault,
                libc::SIGCHLD => Layout::Child,
                libc::SIGSYS => Layout::Sys,
                // fcntl F_SETSIG may choose any signal for POLL_IN to POLL_HUP.
                _ if code <= 6 => Layout::Poll,
                _ => Layout::Kill,
            };
        }
        match code {
            libc::SI_TIMER => Layout::Timer,
            libc::SI_SIGIO => Layout::Poll,
            ..0 => Layout::Rt,
            _ => Layout::Kill,
        }
    }

    fn fields(self) -> Fields {
        match self {
            // si_pid, si_uid
            Layout::Kill => &[(12, 16), (16, 20)],
            // si_tid, si_overrun, si_value
            Layout::Timer => &[(12, 16), (16, 20), (20, 24)],
            // si_band, si_fd
            Layout::Poll => &[(12, 16), (16, 24)],
            // si_addr, si_addr_lsb
            Layout::Fault => &[(12, 16), (16, 24)],
            // si_pid, si_uid, si_status, si_utime, si_stime
            Layout::Child => &[(12, 16), (16, 20), (20, 24), (24, 32), (28, 40)],
            // si_pid, si_uid, si_value
            Layout::Rt => &[(12, 16), (16, 20), (20, 24)],
            // si_call_addr, si_syscall, si_arch
            Layout::Sys => &[(12, 16), (16, 24), (20, 28)],
        }
    }
}

/// The guest's bytes of a host siginfo.
pub fn to_guest(info: &libc::siginfo_t) -> [u8; SIZE] {
    // SAFETY: siginfo_t is 128 bytes of plain data, and the kernel or zeroed memory filled all of them.
    let host: [u8; SIZE] = unsafe { std::mem::transmute_copy(info) };
    let mut guest = [0; SIZE];
    guest[..12].copy_from_slice(&host[..12]);
    for &(g, h) in Layout::of(info.si_signo, info.si_code).fields() {
        guest[g..g + 4].copy_from_slice(&host[h..h + 4]);
    }
    guest
}

/// The host's siginfo of a guest's bytes.
pub fn from_guest(guest: &[u8; SIZE]) -> libc::siginfo_t {
    let word = |at: usize| i32::from_le_bytes([guest[at], guest[at + 1], guest[at + 2], guest[at + 3]]);
    let mut host = [0u8; SIZE];
    host[..12].copy_from_slice(&guest[..12]);
    for &(g, h) in Layout::of(word(0), word(8)).fields() {
        host[h..h + 4].copy_from_slice(&guest[g..g + 4]);
    }
    // SAFETY: siginfo_t is 128 bytes of plain data; any bytes are a value.
    unsafe { std::mem::transmute(host) }
}

/// Reads a siginfo from guest memory.
///
/// # Errors
/// EFAULT.
pub fn read(mem: GuestMemory, addr: u32) -> Result<libc::siginfo_t, Errno> {
    let bytes: [u8; SIZE] = mem.read(addr)?;
    Ok(from_guest(&bytes))
}

/// A siginfo of a signal that nobody sent.
pub fn from_kernel(signal: i32) -> libc::siginfo_t {
    let mut guest = [0; SIZE];
    guest[..4].copy_from_slice(&signal.to_le_bytes());
    guest[8..12].copy_from_slice(&SI_KERNEL.to_le_bytes());
    from_guest(&guest)
}

/// A siginfo of a fault at a guest address.
pub fn fault(signal: i32, code: i32, addr: u32) -> libc::siginfo_t {
    let mut guest = [0; SIZE];
    guest[..4].copy_from_slice(&signal.to_le_bytes());
    guest[8..12].copy_from_slice(&code.to_le_bytes());
    guest[12..16].copy_from_slice(&addr.to_le_bytes());
    from_guest(&guest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(words: &[u32]) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        for (slot, word) in bytes.chunks_exact_mut(4).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn every_layout_survives_the_way_to_the_host_and_back() {
        let cases: &[&[u32]] = &[
            &[libc::SIGUSR1 as u32, 0, libc::SI_USER as u32, 11, 22],
            &[34, 0, libc::SI_QUEUE as u32, 11, 22, 0xdead_beef],
            &[libc::SIGALRM as u32, 0, libc::SI_TIMER as u32, 3, 4, 5],
            &[libc::SIGCHLD as u32, 0, libc::CLD_EXITED as u32, 11, 22, 33, 44, 55],
            &[libc::SIGSEGV as u32, 0, 1, 0xffff_fff0],
            &[libc::SIGIO as u32, 0, 1, 0x41, 7],
            &[libc::SIGSYS as u32, 0, 1, 0x1_0000, 4, 0x4000_0028],
        ];
        for case in cases {
            let bytes = guest(case);
            assert_eq!(to_guest(&from_guest(&bytes)), bytes, "{case:?}");
        }
    }

    #[test]
    fn host_fields_are_where_libc_reads_them() {
        let child =
            from_guest(&guest(&[libc::SIGCHLD as u32, 0, libc::CLD_KILLED as u32, 11, 22, 9, 44, 55]));
        // SAFETY: the signal is SIGCHLD.
        unsafe {
            assert_eq!((child.si_pid(), child.si_uid(), child.si_status()), (11, 22, 9));
            assert_eq!((child.si_utime(), child.si_stime()), (44, 55));
        }
        let fault = fault(libc::SIGSEGV, 1, 0x8000_0000);
        // SAFETY: the signal is SIGSEGV.
        assert_eq!(unsafe { fault.si_addr() } as u64, 0x8000_0000);
    }
}
