//! Which memory goes into a core file (vma_dump_size), and where it lies there.

use crate::memory::{Label, Memory, PAGE, Peek};
use crate::procfs::maps::Mapping;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// `/proc/self/coredump_filter` when it cannot be read: the kernel's default.
const DEFAULT_FILTER: u32 = 0x33;

/// Bits of coredump_filter (core(5)).
mod filter {
    pub const ANON_PRIVATE: u32 = 1 << 0;
    pub const ANON_SHARED: u32 = 1 << 1;
    pub const MAPPED_PRIVATE: u32 = 1 << 2;
    pub const MAPPED_SHARED: u32 = 1 << 3;
    pub const ELF_HEADERS: u32 = 1 << 4;
    pub const HUGE_PRIVATE: u32 = 1 << 5;
    pub const HUGE_SHARED: u32 = 1 << 6;
}

/// A mapped range in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First address.
    pub start: u64,
    /// One past the last.
    pub end: u64,
    /// PROT_*.
    pub prot: i32,
    /// Bytes of it that are in the file.
    pub bytes: u64,
    /// Where in the file.
    pub offset: u64,
}

impl Segment {
    /// The main thread's stack is mapped as a whole; the kernel's would begin where it was first touched.
    fn grown(self, m: &Mapping, source: &ByteSource) -> Segment {
        if m.vma.label != Label::Stack || self.bytes == 0 {
            return self;
        }
        let start = source.first_page(self.start, self.end).unwrap_or(self.start);
        Segment { start, bytes: self.end - start, ..self }
    }
}

/// The segments, ascending.
pub fn select(mappings: &[Mapping], source: &ByteSource) -> Vec<Segment> {
    let text = std::fs::read_to_string("/proc/self/coredump_filter");
    let filter = text.ok().and_then(|t| u32::from_str_radix(t.trim(), 16).ok()).unwrap_or(DEFAULT_FILTER);
    let segment = |m: &Mapping| {
        let bytes = match wanted(m, filter) {
            Wanted::All => m.vma.end - m.start,
            Wanted::ElfHeader if source.starts_with(m.start, b"\x7fELF") => PAGE,
            _ => 0,
        };
        Segment { start: m.start, end: m.vma.end, prot: m.vma.prot, bytes, offset: 0 }.grown(m, source)
    };
    mappings.iter().map(segment).collect()
}

/// How much of a mapping is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    All,
    /// The first page, if it is an ELF header.
    ElfHeader,
    Nothing,
}

fn wanted(m: &Mapping, filter: u32) -> Wanted {
    let on = |bit: u32| if filter & bit != 0 { Wanted::All } else { Wanted::Nothing };
    let file = m.name.starts_with(b"/");
    if matches!(m.vma.label, Label::Vectors | Label::Sigpage) {
        return Wanted::All;
    }
    if m.dont_dump {
        return Wanted::Nothing;
    }
    match (m.huge, m.vma.shared) {
        (true, true) => return on(filter::HUGE_SHARED),
        (true, false) => return on(filter::HUGE_PRIVATE),
        // A file without a name is shared anonymous memory.
        (false, true) if file && !m.name.ends_with(b" (deleted)") => return on(filter::MAPPED_SHARED),
        (false, true) => return on(filter::ANON_SHARED),
        (false, false) => {}
    }
    if m.anonymous || !file {
        return on(filter::ANON_PRIVATE);
    }
    if filter & filter::MAPPED_PRIVATE != 0 {
        return Wanted::All;
    }
    let header = filter & filter::ELF_HEADERS != 0 && m.offset == 0 && m.vma.prot & libc::PROT_READ != 0;
    if header { Wanted::ElfHeader } else { Wanted::Nothing }
}

/// Gives each segment its place in the file, from `start`. What would reach beyond `limit` stays without its bytes.
/// `stacks` are stack pointers: what is above them in their segments has precedence.
pub fn lay_out(segments: &mut Vec<Segment>, start: u64, limit: u64, stacks: &[u32]) {
    let mut left = limit - start;
    let total: u64 = segments.iter().map(|s| s.bytes).sum();
    let mut in_use = vec![false; segments.len()];
    if total > left {
        for &sp in stacks {
            let sp = u64::from(sp) & !(PAGE - 1);
            let found =
                segments.iter().position(|s| s.bytes == s.end - s.start && (s.start..s.end).contains(&sp));
            let Some(at) = found else { continue };
            let whole = segments[at];
            if whole.start < sp {
                segments[at] = Segment { end: sp, bytes: sp - whole.start, ..whole };
                segments.insert(at + 1, Segment { start: sp, bytes: whole.end - sp, ..whole });
                in_use.insert(at + 1, true);
            } else {
                in_use[at] = true;
            }
        }
    }
    for precedence in [true, false] {
        for (segment, _) in segments.iter_mut().zip(&in_use).filter(|(_, stack)| **stack == precedence) {
            if segment.bytes <= left {
                left -= segment.bytes;
            } else {
                segment.bytes = 0;
            }
        }
    }
    let mut offset = start;
    for segment in segments {
        segment.offset = offset;
        offset += segment.bytes;
    }
}

/// The guest's memory as a core file shows it: whatever its protection, and without touching what never was.
pub struct ByteSource {
    base: u64,
    memory: Peek,
    /// /proc/self/pagemap tells which pages exist.
    pagemap: Option<File>,
}

/// Present or swapped.
const PAGEMAP_EXISTS: u64 = 3 << 62;
/// Pages asked of pagemap at once.
const BATCH: usize = 512;

impl ByteSource {
    /// Of the running process.
    pub fn new(memory: &Memory) -> ByteSource {
        let pagemap = File::open("/proc/self/pagemap").ok();
        ByteSource { base: memory.base(), memory: Peek::new(memory), pagemap }
    }

    fn starts_with(&self, address: u64, expected: &[u8; 4]) -> bool {
        let mut bytes = [0; 4];
        self.memory.read(address, &mut bytes) && bytes == *expected
    }

    /// The first page of a range that exists, as far as that is known.
    fn first_page(&self, start: u64, end: u64) -> Option<u64> {
        let mut entry = [0; 8];
        let map = self.pagemap.as_ref()?;
        (start..end).step_by(PAGE as usize).find(|&at| {
            map.read_exact_at(&mut entry, (self.base + at) / PAGE * 8).is_err()
                || u64::from_le_bytes(entry) & PAGEMAP_EXISTS != 0
        })
    }

    /// Calls `write` with each page of a range that exists and is not all zero.
    pub fn pages(
        &self,
        start: u64,
        end: u64,
        mut write: impl FnMut(u64, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut page = [0; PAGE as usize];
        let mut entries = [0; 8 * BATCH];
        let mut at = start;
        while at < end {
            let count = (((end - at) / PAGE) as usize).min(BATCH);
            let known = self.pagemap.as_ref().is_some_and(|map| {
                map.read_exact_at(&mut entries[..8 * count], (self.base + at) / PAGE * 8).is_ok()
            });
            for entry in entries[..8 * count].as_chunks::<8>().0 {
                let exists = !known || u64::from_le_bytes(*entry) & PAGEMAP_EXISTS != 0;
                // What cannot be read, a mapping past the end of its file, is a hole.
                if exists && self.memory.read(at, &mut page) && page.iter().any(|&b| b != 0) {
                    write(at, &page)?;
                }
                at += PAGE;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Vma;

    fn mapping(name: &[u8], shared: bool, anonymous: bool) -> Mapping {
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        let vma = Vma { end: 0x3000, prot, shared, grows_down: false, label: Label::None };
        let name = name.to_vec();
        Mapping { start: 0x1000, vma, name, offset: 0, anonymous, dont_dump: false, huge: false }
    }

    #[test]
    fn the_default_filter_takes_what_no_file_has() {
        let of = |m: &Mapping| wanted(m, DEFAULT_FILTER);
        assert_eq!(of(&mapping(b"", false, true)), Wanted::All);
        assert_eq!(of(&mapping(b"/lib/x", false, true)), Wanted::All, "written to");
        assert_eq!(of(&mapping(b"/lib/x", false, false)), Wanted::ElfHeader);
        assert_eq!(of(&mapping(b"/tmp/x", true, false)), Wanted::Nothing);
        assert_eq!(of(&mapping(b"/dev/zero (deleted)", true, false)), Wanted::All);
        assert_eq!(of(&Mapping { dont_dump: true, ..mapping(b"", false, true) }), Wanted::Nothing);
        assert_eq!(of(&Mapping { offset: 4096, ..mapping(b"/lib/x", false, false) }), Wanted::Nothing);
        assert_eq!(wanted(&mapping(b"", false, true), 0), Wanted::Nothing);
    }

    #[test]
    fn under_a_limit_stacks_come_first() {
        let segment = |start, bytes| Segment { start, end: start + bytes, prot: 3, bytes, offset: 0 };
        let given = vec![segment(0x1000, 0x4000), segment(0x8000, 0x9000), segment(0x1_b000, 0x1000)];
        let laid_out = |limit| {
            let mut all = given.clone();
            lay_out(&mut all, 0x1000, limit, &[0xeff8]);
            all.iter().map(|s| (s.start, s.bytes, s.offset)).collect::<Vec<_>>()
        };
        assert_eq!(
            laid_out(0x1_0000),
            [(0x1000, 0x4000, 0x1000), (0x8000, 0x9000, 0x5000), (0x1_b000, 0x1000, 0xe000)]
        );
        assert_eq!(
            laid_out(0x6000),
            [(0x1000, 0, 0x1000), (0x8000, 0, 0x1000), (0xe000, 0x3000, 0x1000), (0x1_b000, 0x1000, 0x4000)]
        );
    }
}
