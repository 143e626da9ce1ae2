//! Where code goes that has no address of its own: a place chosen by its content.
//!
//! Translated code has guest addresses in it, so it can serve another process only where the same code lies at the same
//! address. Hence libraries and position-independent programs are not placed at random, nor by the order in which they are
//! mapped, but by a hash of their first bytes, which hold the ELF header and mostly the build ID. Stacks, heaps
//! and other mappings stay random.

use super::map::Vmas;
use std::ops::Range;
use std::os::fd::RawFd;

/// Where libraries go; below any usual stack, above all other mappings.
pub(super) const WINDOW: Range<u64> = 0xe800_0000..0xf400_0000;
/// Distance of places in the window.
const STEP: u64 = 64 << 10;
/// Places that are tried before a library goes where other mappings go.
const TRIES: u64 = 8;
/// What is looked at of a file.
const START: usize = 1024;

/// A hash of the start of an ELF file; `None` for other files and for what cannot be read.
pub fn fingerprint(fd: RawFd) -> Option<u64> {
    let mut start = [0u8; START];
    // SAFETY: fills the buffer; a bad descriptor is an error.
    let len = unsafe { libc::pread(fd, start.as_mut_ptr().cast(), START, 0) };
    let start = start.get(..usize::try_from(len).ok()?)?;
    if !start.starts_with(b"\x7fELF") {
        return None;
    }
    // FNV-1a, 64 bits.
    Some(start.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)))
}

/// The first free place for `len` bytes of the code with this fingerprint.
pub(super) fn place(vmas: &Vmas, fingerprint: u64, len: u64) -> Option<u64> {
    let places = (WINDOW.end - WINDOW.start) / STEP;
    let (first, step) = (fingerprint >> 32, fingerprint >> 16 & 0xffff | 1);
    (0..TRIES)
        .map(|n| WINDOW.start + (first + n * step) % places * STEP)
        .find(|&start| start + len <= WINDOW.end && vmas.is_free(start..start + len))
}

#[cfg(test)]
mod tests {
    use super::super::map::{Label, Vma};
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn the_same_file_has_the_same_fingerprint_and_only_elf_files_have_one() {
        let own = std::fs::File::open("/proc/self/exe").expect("there is /proc");
        assert!(fingerprint(own.as_raw_fd()).is_some());
        assert_eq!(fingerprint(own.as_raw_fd()), fingerprint(own.as_raw_fd()));
        let other = std::fs::File::open("/proc/self/cmdline").expect("there is /proc");
        assert_eq!(fingerprint(other.as_raw_fd()), None);
        assert_eq!(fingerprint(-1), None);
    }

    #[test]
    fn a_taken_place_gives_another_one_and_a_full_window_none() {
        let mut vmas = Vmas::default();
        let first = place(&vmas, 0x1234_5678_9abc_def0, 0x10_0000).expect("all is free");
        assert_eq!(first % STEP, 0);
        assert_eq!(place(&vmas, 0x1234_5678_9abc_def0, 0x10_0000), Some(first));
        let vma = |end| Vma { end, prot: 0, shared: false, grows_down: false, label: Label::None };
        vmas.insert(first, vma(first + 0x1000));
        let second = place(&vmas, 0x1234_5678_9abc_def0, 0x10_0000).expect("there is room");
        assert!(second + 0x10_0000 <= first || second >= first + 0x1000);
        vmas.insert(WINDOW.start, vma(WINDOW.end));
        assert_eq!(place(&vmas, 0x1234_5678_9abc_def0, 0x1000), None);
    }
}
