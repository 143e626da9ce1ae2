//! /proc/self/maps and smaps: the host's lines of the guest's 4 GiB, with the guest's protections and labels.

use crate::memory::{Label, Memory, Vma};
use std::io::Write;

/// A line of the host's maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// First address.
    pub start: u64,
    /// One past the last.
    pub end: u64,
    /// Offset in the file.
    pub offset: u64,
    /// Device and inode as printed.
    device: &'a [u8],
    inode: &'a [u8],
    /// File or label; may be empty.
    pub name: &'a [u8],
}

/// The lines that can be parsed.
pub fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    text.split(|&b| b == b'\n').filter_map(parse)
}

fn parse(line: &[u8]) -> Option<Line<'_>> {
    // start-end perms offset device inode, blanks, name (which may have blanks)
    let mut fields = line.splitn(6, |&b| b == b' ');
    let hex = |bytes: &[u8]| u64::from_str_radix(std::str::from_utf8(bytes).ok()?, 16).ok();
    let range = fields.next()?;
    let dash = range.iter().position(|&b| b == b'-')?;
    let (start, end) = (hex(&range[..dash])?, hex(&range[dash + 1..])?);
    let perms = fields.next()?;
    if perms.len() != 4 {
        return None;
    }
    let offset = hex(fields.next()?)?;
    let (device, inode) = (fields.next()?, fields.next()?);
    let name = fields.next().unwrap_or_default();
    let name = &name[name.iter().position(|&b| b != b' ').unwrap_or(name.len())..];
    Some(Line { start, end, offset, device, inode, name })
}

fn write_line(out: &mut Vec<u8>, start: u64, end: u64, vma: &Vma, line: &Line, offset: u64) {
    let flag = |bit: i32, c: char| if vma.prot & bit != 0 { c } else { '-' };
    let (r, w, x) = (flag(libc::PROT_READ, 'r'), flag(libc::PROT_WRITE, 'w'), flag(libc::PROT_EXEC, 'x'));
    let s = if vma.shared { 's' } else { 'p' };
    let from = out.len();
    let _ = write!(out, "{start:08x}-{end:08x} {r}{w}{x}{s} {offset:08x} ");
    out.extend([line.device, b" ", line.inode].concat());
    let name: &[u8] = match vma.label {
        Label::Heap => b"[heap]",
        Label::Stack => b"[stack]",
        Label::Vectors => b"[vectors]",
        Label::Sigpage => b"[sigpage]",
        Label::None | Label::File => line.name,
    };
    if !name.is_empty() {
        // seq_pad of a 32-bit kernel: names start at column 49.
        let width = (from + 48).saturating_sub(out.len());
        out.extend(std::iter::repeat_n(b' ', width));
        out.push(b' ');
        out.extend(name);
    }
    out.push(b'\n');
}

/// The guest's maps; `None` where the host has no /proc.
pub fn maps(memory: &Memory) -> Option<Vec<u8>> {
    // Held while the host's list is read, so that both are of one moment.
    let map = memory.map();
    let text = std::fs::read("/proc/self/maps").ok()?;
    let mut out = Vec::new();
    for line in lines(&text) {
        let Some((start, end)) = guest_range(memory.base(), &line) else { continue };
        for (from, vma) in map.vmas.overlapping(start..end) {
            let (from, to) = (from.max(start), vma.end.min(end));
            // Anonymous memory has no offset.
            let offset = if line.inode == b"0" { 0 } else { line.offset + (from - start) };
            write_line(&mut out, from, to, &vma, &line, offset);
        }
    }
    Some(out)
}

/// The guest's smaps. A host mapping whose parts have different protections shows that of its first part.
pub fn smaps(memory: &Memory) -> Option<Vec<u8>> {
    let map = memory.map();
    let text = std::fs::read("/proc/self/smaps").ok()?;
    let mut out = Vec::new();
    let mut inside = false;
    for raw in text.split_inclusive(|&b| b == b'\n') {
        match parse(raw.strip_suffix(b"\n").unwrap_or(raw)) {
            Some(line) => {
                let range = guest_range(memory.base(), &line);
                let first = range.and_then(|(start, end)| map.vmas.overlapping(start..end).next());
                inside = first.is_some();
                if let (Some((start, end)), Some((_, vma))) = (range, first) {
                    write_line(&mut out, start, end, &vma, &line, line.offset);
                }
            }
            None if inside => out.extend(raw),
            None => {}
        }
    }
    Some(out)
}

/// A mapped range of the guest with what the host knows of it.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// First address.
    pub start: u64,
    /// Its end, protection and label.
    pub vma: Vma,
    /// File or label of the host; may be empty.
    pub name: Vec<u8>,
    /// Offset in that file.
    pub offset: u64,
    /// It has pages that are in no file: anonymous memory, or a private mapping that was written to.
    pub anonymous: bool,
    /// MADV_DONTDUMP.
    pub dont_dump: bool,
    /// Of huge pages.
    pub huge: bool,
}

/// The guest's mappings, ascending. Without /proc only what the guest asked for is known.
pub fn mappings(memory: &Memory) -> Vec<Mapping> {
    let map = memory.map();
    let Ok(text) = std::fs::read("/proc/self/smaps") else {
        let known = |(start, vma): (u64, Vma)| {
            let anonymous = vma.prot & libc::PROT_WRITE != 0;
            Mapping { start, vma, name: Vec::new(), offset: 0, anonymous, dont_dump: false, huge: false }
        };
        return map.vmas.iter().map(known).collect();
    };
    let mut all: Vec<Mapping> = Vec::new();
    let mut first = 0;
    for raw in text.split(|&b| b == b'\n') {
        if let Some(line) = parse(raw) {
            first = all.len();
            let Some((start, end)) = guest_range(memory.base(), &line) else { continue };
            for (from, vma) in map.vmas.overlapping(start..end) {
                let (from, to) = (from.max(start), vma.end.min(end));
                let offset = if line.inode == b"0" { 0 } else { line.offset + (from - start) };
                let vma = Vma { end: to, ..vma };
                let name = line.name.to_vec();
                let (anonymous, dont_dump, huge) = (false, false, false);
                all.push(Mapping { start: from, vma, name, offset, anonymous, dont_dump, huge });
            }
        } else if let Some(size) = raw.strip_prefix(b"Anonymous:") {
            let zero = size.iter().all(|b| matches!(b, b' ' | b'0' | b'k' | b'B'));
            all[first..].iter_mut().for_each(|m| m.anonymous = !zero);
        } else if let Some(flags) = raw.strip_prefix(b"VmFlags:") {
            let has = |flag: &[u8]| flags.split(|&b| b == b' ').any(|f| f == flag);
            for mapping in &mut all[first..] {
                // VM_IO is never dumped either.
                mapping.dont_dump = has(b"dd") || has(b"io");
                mapping.huge = has(b"ht");
            }
        }
    }
    all
}

/// The part of a host mapping in the guest's 4 GiB, as guest addresses.
pub fn guest_range(base: u64, line: &Line) -> Option<(u64, u64)> {
    let start = line.start.max(base) - base;
    let end = line.end.min(base + (1 << 32)).checked_sub(base)?;
    (start < end).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_lines_are_parsed() {
        let text = b"00010000-00011000 r--p 00002000 fe:00 247030                     /a b/c (deleted)\n\
                     7fff0000-7fff1000 rw-p 00000000 00:00 0 \nVmFlags: rd wr\n";
        let found: Vec<_> = lines(text).map(|l| (l.start, l.end, l.offset, l.name)).collect();
        assert_eq!(
            found,
            [(0x10000, 0x11000, 0x2000, b"/a b/c (deleted)".as_slice()), (0x7fff_0000, 0x7fff_1000, 0, b"")]
        );
    }

    #[test]
    fn lines_are_laid_out_as_on_arm() {
        let line = parse(b"00010000-00011000 r--p 00002000 fe:00 247030   /bin/x").expect("a line");
        let prot = libc::PROT_READ | libc::PROT_EXEC;
        let vma = Vma { end: 0x11000, prot, shared: false, grows_down: false, label: Label::None };
        let mut out = Vec::new();
        write_line(&mut out, 0x10000, 0x11000, &vma, &line, line.offset);
        assert_eq!(out, b"00010000-00011000 r-xp 00002000 fe:00 247030     /bin/x\n");
    }
}
