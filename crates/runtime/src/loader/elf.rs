//! ELF images: what binfmt_elf of the kernel accepts, with its errors (fs/binfmt_elf.c).

use crate::errno::Errno;
use crate::memory::{Label, Memory, PAGE, TASK_SIZE, page_up, placement};
use goblin::container::{Container, Ctx, Endian};
use goblin::elf::header::{ELFCLASS32, ELFDATA2LSB, ELFMAG, EM_ARM, ET_DYN, ET_EXEC};
use goblin::elf::program_header::{PF_R, PF_W, PF_X, PT_GNU_STACK, PT_INTERP, PT_LOAD, PT_PHDR};
use goblin::elf::{Header, ProgramHeader};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

/// Why a file is not a program that can run here: the kernel's errno, and the reason in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// What execve would return.
    pub errno: Errno,
    /// For the user; empty when the errno says it all.
    pub reason: String,
}

impl LoadError {
    pub(super) fn new(errno: i32, reason: impl Into<String>) -> LoadError {
        LoadError { errno: Errno(errno), reason: reason.into() }
    }
}

impl From<Errno> for LoadError {
    fn from(errno: Errno) -> LoadError {
        LoadError { errno, reason: String::new() }
    }
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.reason.is_empty() { self.errno.fmt(f) } else { f.write_str(&self.reason) }
    }
}

/// Is this the start of a 32-bit little-endian ARM ELF file? What execve looks at to tell guests from natives.
pub fn is_arm(start: &[u8]) -> bool {
    start.len() >= 20
        && start.starts_with(ELFMAG)
        && start[4] == ELFCLASS32
        && start[5] == ELFDATA2LSB
        && u16::from_le_bytes([start[18], start[19]]) == EM_ARM
}

/// The headers of an ARM program or program interpreter.
#[derive(Debug)]
pub struct Elf {
    file: File,
    header: Header,
    segments: Vec<ProgramHeader>,
}

const PHENTSIZE: u16 = 32;

impl Elf {
    /// What decides where it goes, see [`placement`].
    pub fn fingerprint(&self) -> Option<u64> {
        placement::fingerprint(self.file.as_raw_fd())
    }

    /// Reads and checks the headers.
    ///
    /// # Errors
    /// ENOEXEC with the reason; EIO and others from reading.
    pub fn read(file: File) -> Result<Elf, LoadError> {
        let noexec = |reason: &str| LoadError::new(libc::ENOEXEC, reason);
        let mut start = [0; 52];
        let got = read_some(&file, &mut start, 0)?;
        if !start[..got].starts_with(ELFMAG) {
            return Err(noexec("not an ELF file"));
        }
        if got < start.len() {
            return Err(noexec("truncated ELF header"));
        }
        if !is_arm(&start) {
            return Err(noexec("not a 32-bit little-endian ARM program"));
        }
        let header = goblin::elf::Elf::parse_header(&start).map_err(|_| noexec("malformed ELF header"))?;
        if header.e_type != ET_EXEC && header.e_type != ET_DYN {
            return Err(noexec("neither an executable nor a shared object"));
        }
        // arch/arm/kernel/elf.c: an ARM entry point is word-aligned.
        if header.e_entry & 3 == 2 {
            return Err(noexec("misaligned entry point"));
        }
        let size = usize::from(header.e_phnum) * usize::from(PHENTSIZE);
        if header.e_phentsize != PHENTSIZE || size == 0 || size > 65536 {
            return Err(noexec("malformed program header table"));
        }
        let mut table = vec![0; size];
        if read_some(&file, &mut table, header.e_phoff)? < size {
            return Err(noexec("truncated program header table"));
        }
        let ctx = Ctx::new(Container::Little, Endian::Little);
        let segments = ProgramHeader::parse(&table, 0, header.e_phnum.into(), ctx)
            .map_err(|_| noexec("malformed program header table"))?;
        Ok(Elf { file, header, segments })
    }

    /// The path in PT_INTERP.
    ///
    /// # Errors
    /// ENOEXEC when it is no NUL-terminated string of at most PATH_MAX bytes.
    pub fn interpreter(&self) -> Result<Option<Vec<u8>>, LoadError> {
        let Some(segment) = self.segments.iter().find(|s| s.p_type == PT_INTERP) else {
            return Ok(None);
        };
        let bad = || LoadError::new(libc::ENOEXEC, "malformed PT_INTERP");
        let size = usize::try_from(segment.p_filesz).unwrap_or(usize::MAX);
        if !(2..=libc::PATH_MAX as usize).contains(&size) {
            return Err(bad());
        }
        let mut path = vec![0; size];
        if read_some(&self.file, &mut path, segment.p_offset)? < size || path.pop() != Some(0) {
            return Err(bad());
        }
        path.truncate(path.iter().position(|&b| b == 0).unwrap_or(path.len()));
        Ok(Some(path))
    }

    /// May data be executed? So it is in programs that have no PT_GNU_STACK (READ_IMPLIES_EXEC).
    pub fn read_implies_exec(&self) -> bool {
        !self.segments.iter().any(|s| s.p_type == PT_GNU_STACK)
    }

    /// Does PT_GNU_STACK ask for an executable stack?
    pub fn executable_stack(&self) -> bool {
        self.segments.iter().find(|s| s.p_type == PT_GNU_STACK).is_none_or(|s| s.p_flags & PF_X != 0)
    }

    /// Can it be placed anywhere?
    pub fn is_dynamic(&self) -> bool {
        self.header.e_type == ET_DYN
    }

    /// Lowest address of the program where it is linked, and the end of its highest segment.
    ///
    /// # Errors
    /// EINVAL as binfmt_elf: sizes that contradict each other or leave the address space.
    pub fn extent(&self) -> Result<(u64, u64), LoadError> {
        let bad = || LoadError::new(libc::EINVAL, "segment outside of the address space");
        let mut extent: Option<(u64, u64)> = None;
        for s in self.loads() {
            if s.p_filesz > s.p_memsz || s.p_vaddr >= TASK_SIZE || s.p_memsz > TASK_SIZE - s.p_vaddr {
                return Err(bad());
            }
            if s.p_filesz != 0 && (s.p_vaddr ^ s.p_offset) % PAGE != 0 {
                return Err(LoadError::new(libc::EINVAL, "misaligned segment"));
            }
            let (start, end) = (s.p_vaddr & !(PAGE - 1), page_up(s.p_vaddr + s.p_memsz));
            let (low, high) = extent.unwrap_or((start, end));
            if start < low {
                return Err(LoadError::new(libc::EINVAL, "segments not in ascending order"));
            }
            extent = Some((low, high.max(end)));
        }
        extent.ok_or_else(|| LoadError::new(libc::ENOEXEC, "no loadable segment"))
    }

    /// Alignment of the whole: the largest p_align that is a power of two.
    pub fn align(&self) -> u64 {
        self.loads()
            .map(|s| s.p_align)
            .filter(|a| a.is_power_of_two())
            .max()
            .unwrap_or(PAGE)
            .clamp(PAGE, 1 << 28)
    }

    fn loads(&self) -> impl Iterator<Item = &ProgramHeader> {
        self.segments.iter().filter(|s| s.p_type == PT_LOAD)
    }

    /// Maps the segments, moved by `bias` (added modulo 2^32). The caller knows that the place is the program's.
    ///
    /// # Errors
    /// Those of mmap; ENOEXEC and others as binfmt_elf.
    pub fn map(&self, memory: &Memory, bias: u32, read_implies_exec: bool) -> Result<Loaded, LoadError> {
        let at = |vaddr: u64| (vaddr as u32).wrapping_add(bias);
        let mut loaded = Loaded { entry: at(self.header.e_entry), bias, ..Loaded::default() };
        for s in self.loads() {
            let prot = protection(s.p_flags, read_implies_exec);
            let start = at(s.p_vaddr & !(PAGE - 1));
            let offset_in_page = s.p_vaddr % PAGE;
            let file_end = at(s.p_vaddr).wrapping_add(s.p_filesz as u32);
            let fixed = libc::MAP_PRIVATE | libc::MAP_FIXED;
            let mut mapped = 0;
            if s.p_filesz != 0 {
                mapped = page_up(offset_in_page + s.p_filesz);
                let offset = s.p_offset & !(PAGE - 1);
                let fd = self.file.as_raw_fd();
                memory.mmap(start, mapped as u32, prot, fixed, fd, offset)?;
            }
            let total = page_up(offset_in_page + s.p_memsz);
            if total > mapped {
                let bss = u64::from(start) + mapped;
                let flags = fixed | libc::MAP_ANONYMOUS;
                memory.mmap_labelled(bss, total - mapped, prot, flags, -1, 0, Label::None)?;
            }
            if s.p_memsz > s.p_filesz && s.p_filesz != 0 && prot & libc::PROT_WRITE != 0 {
                // The rest of the last file page. The kernel too overlooks a file that ends before it.
                let zeros = [0; PAGE as usize];
                let tail = (PAGE - u64::from(file_end) % PAGE) % PAGE;
                let _ = memory.guest().write_bytes(file_end, &zeros[..tail as usize]);
            }
            loaded.end = loaded.end.max(at(s.p_vaddr).wrapping_add(s.p_memsz as u32));
            if s.p_flags & PF_X != 0 {
                let code = (at(s.p_vaddr), file_end);
                loaded.code = if loaded.code.1 == 0 {
                    code
                } else {
                    (loaded.code.0.min(code.0), loaded.code.1.max(code.1))
                };
            }
            let phoff = self.header.e_phoff;
            if (s.p_offset..s.p_offset.saturating_add(s.p_filesz)).contains(&phoff) {
                loaded.phdr = at(s.p_vaddr.wrapping_add(phoff - s.p_offset));
            }
        }
        if let Some(s) = self.segments.iter().find(|s| s.p_type == PT_PHDR) {
            loaded.phdr = at(s.p_vaddr);
        }
        loaded.phnum = u32::from(self.header.e_phnum);
        Ok(loaded)
    }
}

/// Where an image went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loaded {
    /// First instruction; bit 0 set for Thumb.
    pub entry: u32,
    /// Added to every address of the file.
    pub bias: u32,
    /// End of the highest segment.
    pub end: u32,
    /// Executable segments: first address and end.
    pub code: (u32, u32),
    /// Program headers in memory.
    pub phdr: u32,
    /// How many.
    pub phnum: u32,
}

fn protection(flags: u32, read_implies_exec: bool) -> i32 {
    let bit = |flag, prot| if flags & flag != 0 { prot } else { 0 };
    let prot = bit(PF_R, libc::PROT_READ) | bit(PF_W, libc::PROT_WRITE) | bit(PF_X, libc::PROT_EXEC);
    if read_implies_exec && prot & libc::PROT_READ != 0 { prot | libc::PROT_EXEC } else { prot }
}

/// Reads until `buf` is full or the file ends.
fn read_some(file: &File, buf: &mut [u8], offset: u64) -> Result<usize, LoadError> {
    let mut got = 0;
    while got < buf.len() {
        let at = offset.checked_add(got as u64).filter(|&at| at <= i64::MAX as u64);
        let Some(at) = at else { return Ok(got) };
        match file.read_at(&mut buf[got..], at) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Errno::from(e).into()),
        }
    }
    Ok(got)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(bytes: &[u8]) -> File {
        // SAFETY: memfd_create takes a string; the descriptor is new and ours.
        let mut file = unsafe {
            let fd = libc::memfd_create(c"elf".as_ptr(), libc::MFD_CLOEXEC);
            <File as std::os::fd::FromRawFd>::from_raw_fd(fd)
        };
        file.write_all(bytes).expect("a memory file takes writes");
        file
    }

    fn header(phnum: u16) -> Vec<u8> {
        let mut h = vec![0; 52];
        h[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', 1, 1, 1]);
        h[16] = 2;
        h[18] = 40;
        h[20] = 1;
        h[28] = 52;
        h[42] = 32;
        h[44..46].copy_from_slice(&phnum.to_le_bytes());
        h
    }

    fn segment(kind: u32, offset: u32, vaddr: u32, filesz: u32, memsz: u32) -> Vec<u8> {
        [kind, offset, vaddr, vaddr, filesz, memsz, 5, 0x1000].iter().flat_map(|w| w.to_le_bytes()).collect()
    }

    fn reason(bytes: &[u8]) -> (i32, String) {
        let error = match Elf::read(file(bytes)) {
            Err(e) => e,
            Ok(elf) => match elf.extent() {
                Err(e) => e,
                Ok(_) => elf.interpreter().expect_err("the file is meant to be malformed"),
            },
        };
        (error.errno.0, error.to_string())
    }

    #[test]
    fn malformed_files_have_the_kernels_errno() {
        let noexec = |reason: &str| (libc::ENOEXEC, reason.to_string());
        assert_eq!(reason(b""), noexec("not an ELF file"));
        assert_eq!(reason(b"\x7fELF\x01"), noexec("truncated ELF header"));
        let mut x86 = header(1);
        x86[18] = 3;
        assert_eq!(reason(&x86), noexec("not a 32-bit little-endian ARM program"));
        assert_eq!(reason(&header(0)), noexec("malformed program header table"));
        assert_eq!(reason(&header(1)), noexec("truncated program header table"));
        assert_eq!(reason(&header(0xffff)), noexec("malformed program header table"));
        let with = |segments: &[Vec<u8>]| [header(segments.len() as u16), segments.concat()].concat();
        assert_eq!(reason(&with(&[segment(6, 0, 0, 0, 0)])), noexec("no loadable segment"));
        let load = segment(1, 0, 0x10000, 0x1000, 0x1000);
        assert_eq!(reason(&with(&[load.clone(), segment(3, 0, 0, 1, 1)])), noexec("malformed PT_INTERP"));
        assert_eq!(
            reason(&with(&[load.clone(), segment(3, 0xffff_fff0, 0, 64, 64)])),
            noexec("malformed PT_INTERP")
        );
        let outside = (libc::EINVAL, "segment outside of the address space".to_string());
        assert_eq!(reason(&with(&[segment(1, 0, 0xfffe_0000, 0x10, 0x8000_0000)])), outside);
        assert_eq!(reason(&with(&[segment(1, 0, 0x10000, 0x2000, 0x1000)])), outside);
        let misaligned = (libc::EINVAL, "misaligned segment".to_string());
        assert_eq!(reason(&with(&[segment(1, 1, 0x10000, 0x1000, 0x1000)])), misaligned);
    }
}
