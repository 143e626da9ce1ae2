//! The pages that an ARM kernel puts into every process: kuser helpers and signal return trampolines.
//! Documentation/arch/arm/kernel_user_helpers.rst; arch/arm64/kernel/kuser32.S and sigreturn32.S.

use super::{Label, Memory, PAGE, TASK_SIZE};
use crate::errno::Errno;

/// The vectors page.
pub const VECTORS: u32 = TASK_SIZE as u32;

/// `kuser_helper_version`: five helpers of 32 bytes, the last word.
const VERSION: u32 = 5;

/// Offset and code of each helper, A32. They run as ordinary guest code, atomic because LDREX is.
const HELPERS: &[(usize, &[u32])] = &[
    // 0xffff0f60 int cmpxchg64(const int64_t *old, const int64_t *new, volatile int64_t *ptr)
    (
        0xf60,
        &[
            0xe92d_00f0, // push {r4-r7}
            0xe1c0_40d0, // ldrd r4, r5, [r0]
            0xe1c1_60d0, // ldrd r6, r7, [r1]
            0xf57f_f05b, // dmb ish
            0xe1b2_0f9f, // 1: ldrexd r0, r1, [r2]
            0xe030_3004, // eors r3, r0, r4
            0x0031_3005, // eorseq r3, r1, r5
            0x01a2_3f96, // strexdeq r3, r6, [r2]
            0x0333_0001, // teqeq r3, #1
            0x0aff_fff9, // beq 1b
            0xf57f_f05b, // dmb ish
            0xe273_0000, // rsbs r0, r3, #0
            0xe8bd_00f0, // pop {r4-r7}
            0xe12f_ff1e, // bx lr
        ],
    ),
    // 0xffff0fa0 void memory_barrier(void)
    (0xfa0, &[0xf57f_f05b, 0xe12f_ff1e]),
    // 0xffff0fc0 int cmpxchg(int old, int new, volatile int *ptr)
    (
        0xfc0,
        &[
            0xf57f_f05b, // dmb ish
            0xe192_3f9f, // 1: ldrex r3, [r2]
            0xe053_3000, // subs r3, r3, r0
            0x0182_3f91, // strexeq r3, r1, [r2]
            0x0333_0001, // teqeq r3, #1
            0x0aff_fffa, // beq 1b
            0xe273_0000, // rsbs r0, r3, #0
            0xeaff_ffef, // b memory_barrier
        ],
    ),
    // 0xffff0fe0 int get_tls(void)
    (0xfe0, &[0xee1d_0f70, 0xe12f_ff1e]),
    (0xffc, &[VERSION]),
];

/// Offsets in the sigpage of the return trampolines: ARM and Thumb, of sigreturn and rt_sigreturn.
pub mod sigpage {
    /// `mov r7, #119; svc #119`.
    pub const SIGRETURN_ARM: u32 = 0;
    /// `movs r7, #119; svc #119`, Thumb.
    pub const SIGRETURN_THUMB: u32 = 8;
    /// `mov r7, #173; svc #173`.
    pub const RT_SIGRETURN_ARM: u32 = 12;
    /// `movs r7, #173; svc #173`, Thumb.
    pub const RT_SIGRETURN_THUMB: u32 = 20;
}

/// The trampolines, at the offsets of [`sigpage`]; the same words stand in the frame, where gdb looks for them.
pub const TRAMPOLINES: [u32; 6] = [
    0xe3a0_7077, // mov r7, #119
    0xef90_0077, // svc #0x900077
    0xdf77_2777, // movs r7, #119; svc #119
    0xe3a0_70ad, // mov r7, #173
    0xef90_00ad, // svc #0x9000ad
    0xdfad_27ad, // movs r7, #173; svc #173
];

fn words(page: &mut [u8], offset: usize, words: &[u32]) {
    for (slot, word) in page[offset..].chunks_exact_mut(4).zip(words) {
        slot.copy_from_slice(&word.to_le_bytes());
    }
}

impl Memory {
    /// Maps the vectors page and a signal page; returns the address of the latter.
    ///
    /// # Errors
    /// Those of mmap.
    pub fn map_kernel_pages(&self) -> Result<u32, Errno> {
        let mut page = vec![0; PAGE as usize];
        for &(offset, code) in HELPERS {
            words(&mut page, offset, code);
        }
        self.map_special(VECTORS.into(), &page, Label::Vectors)?;
        page.fill(0);
        words(&mut page, 0, &TRAMPOLINES);
        let place = {
            let map = self.lock();
            self.place(&map, 0, PAGE, PAGE, None).ok_or(Errno(libc::ENOMEM))?
        };
        self.map_special(place, &page, Label::Sigpage)?;
        Ok(place as u32)
    }

    /// Maps one read-only, executable page with `contents`. It may lie above TASK_SIZE.
    fn map_special(&self, addr: u64, contents: &[u8], label: Label) -> Result<(), Errno> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        let len = PAGE as usize;
        // SAFETY: a page of guest memory that is free.
        super::mapped(unsafe { libc::mmap(self.host(addr), len, super::RW, flags, -1, 0) })?;
        self.guest().write_bytes(addr as u32, contents)?;
        // SAFETY: the page just mapped.
        super::checked(unsafe { libc::mprotect(self.host(addr), len, libc::PROT_READ) })?;
        let prot = libc::PROT_READ | libc::PROT_EXEC;
        let vma = super::Vma { end: addr + PAGE, prot, shared: false, grows_down: false, label };
        self.lock().vmas.insert(addr, vma);
        Ok(())
    }
}
