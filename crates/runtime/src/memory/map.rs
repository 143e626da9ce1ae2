//! The list of mapped ranges. It knows what the guest asked for; the host knows files, offsets and pages.

use std::collections::BTreeMap;
use std::ops::Range;

/// Page size of guest and host.
pub const PAGE: u64 = 4096;

/// Rounds up to a page.
pub const fn page_up(x: u64) -> u64 {
    (x + PAGE - 1) & !(PAGE - 1)
}

/// What a range is for, as /proc/self/maps labels it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Nothing special; the host knows the file, if there is one.
    None,
    /// A file's contents, which this process alone does not decide.
    File,
    /// `[heap]`: grown by brk.
    Heap,
    /// `[stack]`: of the main thread.
    Stack,
    /// `[vectors]`: the kuser helpers.
    Vectors,
    /// `[sigpage]`: the signal return trampolines.
    Sigpage,
}

/// A mapped range, without its start, which is the key in the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vma {
    /// One past its last byte; at most 2^32.
    pub end: u64,
    /// PROT_READ, PROT_WRITE, PROT_EXEC as the guest sees them. The host never maps guest memory executable.
    pub prot: i32,
    /// MAP_SHARED.
    pub shared: bool,
    /// MAP_GROWSDOWN.
    pub grows_down: bool,
    /// What it is for.
    pub label: Label,
}

impl Vma {
    /// May instructions be fetched from it?
    pub fn executable(&self) -> bool {
        self.prot & libc::PROT_EXEC != 0
    }

    fn mergeable(&self, other: &Vma) -> bool {
        Vma { end: 0, ..*self } == Vma { end: 0, ..*other }
    }
}

/// Mapped ranges by start address. Adjacent ranges that are alike are one.
#[derive(Debug, Default)]
pub struct Vmas(BTreeMap<u64, Vma>);

/// The kernel keeps this distance below a range that grows down.
const STACK_GUARD_GAP: u64 = 256 * PAGE;

impl Vmas {
    /// The range that holds `addr`.
    pub fn find(&self, addr: u64) -> Option<(u64, Vma)> {
        let (&start, &vma) = self.0.range(..=addr).next_back()?;
        (addr < vma.end).then_some((start, vma))
    }

    /// All ranges, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, Vma)> + '_ {
        self.0.iter().map(|(&start, &vma)| (start, vma))
    }

    /// The ranges that touch `range`, ascending; they may reach out of it.
    pub fn overlapping(&self, range: Range<u64>) -> impl Iterator<Item = (u64, Vma)> + '_ {
        let first = self.find(range.start).map_or(range.start, |(start, _)| start);
        self.0.range(first..range.end.max(first)).map(|(&start, &vma)| (start, vma))
    }

    /// Is nothing mapped in `range`?
    pub fn is_free(&self, range: Range<u64>) -> bool {
        self.overlapping(range).next().is_none()
    }

    /// Bytes that are mapped in `range`.
    pub fn mapped_in(&self, range: Range<u64>) -> u64 {
        let part = |(start, vma): (u64, Vma)| vma.end.min(range.end) - start.max(range.start);
        self.overlapping(range.clone()).map(part).sum()
    }

    /// Does any part of `range` hold code?
    pub fn has_code(&self, range: Range<u64>) -> bool {
        self.overlapping(range).any(|(_, vma)| vma.executable())
    }

    /// How far from `range.start` everything is mapped without a hole; at most `range.end`.
    pub fn mapped_prefix(&self, range: Range<u64>) -> u64 {
        let mut at = range.start;
        for (start, vma) in self.overlapping(range.clone()) {
            if start > at {
                break;
            }
            at = vma.end;
        }
        at.min(range.end)
    }

    /// Makes `at` a border between ranges.
    fn split(&mut self, at: u64) {
        if let Some((start, vma)) = self.find(at)
            && start < at
        {
            self.0.insert(start, Vma { end: at, ..vma });
            self.0.insert(at, vma);
        }
    }

    /// Joins ranges at the border `at` if they are alike.
    fn join(&mut self, at: u64) {
        if let Some(&vma) = self.0.get(&at)
            && let Some((&start, before)) = self.0.range_mut(..at).next_back()
            && before.end == at
            && before.mergeable(&vma)
        {
            before.end = vma.end;
            debug_assert!(start < at);
            self.0.remove(&at);
        }
    }

    /// Forgets what is mapped in `range`.
    pub fn remove(&mut self, range: Range<u64>) {
        self.split(range.start);
        self.split(range.end);
        while let Some((&start, _)) = self.0.range(range.clone()).next() {
            self.0.remove(&start);
        }
    }

    /// Records a mapping from `start` to `vma.end`, replacing what was there.
    pub fn insert(&mut self, start: u64, vma: Vma) {
        if start >= vma.end {
            return;
        }
        self.remove(start..vma.end);
        self.0.insert(start, vma);
        self.join(vma.end);
        self.join(start);
    }

    /// Changes the protection of everything mapped in `range`.
    pub fn protect(&mut self, range: Range<u64>, prot: i32) {
        self.split(range.start);
        self.split(range.end);
        let starts: Vec<u64> = self.0.range(range.clone()).map(|(&start, _)| start).collect();
        for &start in &starts {
            self.0.get_mut(&start).expect("just listed").prot = prot;
        }
        for start in starts.into_iter().chain([range.end]) {
            self.join(start);
        }
    }

    /// The highest free place of `len` bytes inside `window`, at a multiple of `align`.
    pub fn find_free(&self, len: u64, align: u64, window: Range<u64>) -> Option<u64> {
        let mut end = window.end;
        let fits = |low: u64, end: u64| {
            let start = end.checked_sub(len)? & !(align - 1);
            (start >= low.max(window.start)).then_some(start)
        };
        for (start, vma) in self.0.range(..window.end).map(|(&start, &vma)| (start, vma)).rev() {
            if vma.end < end
                && let Some(found) = fits(vma.end, end)
            {
                return Some(found);
            }
            end = end.min(if vma.grows_down { start.saturating_sub(STACK_GUARD_GAP) } else { start });
        }
        fits(window.start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RW: i32 = libc::PROT_READ | libc::PROT_WRITE;

    fn vma(end: u64, prot: i32) -> Vma {
        Vma { end, prot, shared: false, grows_down: false, label: Label::None }
    }

    fn list(map: &Vmas) -> Vec<(u64, u64, i32)> {
        map.iter().map(|(start, vma)| (start, vma.end, vma.prot)).collect()
    }

    #[test]
    fn alike_neighbours_become_one() {
        let mut map = Vmas::default();
        map.insert(0x1000, vma(0x2000, RW));
        map.insert(0x3000, vma(0x4000, RW));
        map.insert(0x2000, vma(0x3000, RW));
        assert_eq!(list(&map), [(0x1000, 0x4000, RW)]);
    }

    #[test]
    fn remove_and_protect_split_ranges() {
        let mut map = Vmas::default();
        map.insert(0x1000, vma(0x9000, RW));
        map.remove(0x3000..0x4000);
        map.protect(0x5000..0x6000, libc::PROT_READ);
        assert_eq!(
            list(&map),
            [(0x1000, 0x3000, RW), (0x4000, 0x5000, RW), (0x5000, 0x6000, 1), (0x6000, 0x9000, RW)]
        );
        map.protect(0x5000..0x6000, RW);
        assert_eq!(list(&map), [(0x1000, 0x3000, RW), (0x4000, 0x9000, RW)]);
        assert_eq!(map.mapped_prefix(0x1000..0x9000), 0x3000);
        assert_eq!(map.mapped_prefix(0x3000..0x9000), 0x3000);
        assert_eq!(map.mapped_prefix(0x4800..0x8000), 0x8000);
        assert_eq!(map.mapped_in(0..1 << 32), 0x7000);
        assert_eq!(map.mapped_in(0x2000..0x5000), 0x2000);
        assert_eq!(map.mapped_in(0x3000..0x4000), 0);
    }

    #[test]
    fn free_places_are_found_from_the_top() {
        let mut map = Vmas::default();
        map.insert(0x8000, vma(0x9000, RW));
        map.insert(0x4000, vma(0x5000, RW));
        assert_eq!(map.find_free(0x1000, PAGE, 0x1000..0xa000), Some(0x9000));
        assert_eq!(map.find_free(0x2000, PAGE, 0x1000..0xa000), Some(0x6000));
        assert_eq!(map.find_free(0x2000, 0x2000, 0x1000..0xa000), Some(0x6000));
        assert_eq!(map.find_free(0x3000, PAGE, 0x1000..0xa000), Some(0x5000));
        assert_eq!(map.find_free(0x4000, PAGE, 0x1000..0xa000), None);
        assert_eq!(map.find_free(0x1000, PAGE, 0x4000..0x5000), None);
    }

    #[test]
    fn nothing_is_placed_just_below_a_stack() {
        let mut map = Vmas::default();
        map.insert(0x80_0000, Vma { grows_down: true, ..vma(0x90_0000, RW) });
        assert_eq!(map.find_free(PAGE, PAGE, 0x1000..0x90_0000), Some(0x80_0000 - STACK_GUARD_GAP - PAGE));
    }

    #[test]
    fn the_last_page_can_be_mapped() {
        let mut map = Vmas::default();
        map.insert(0xffff_f000, vma(1 << 32, libc::PROT_EXEC));
        assert_eq!(map.find(0xffff_ffff), Some((0xffff_f000, vma(1 << 32, libc::PROT_EXEC))));
        assert!(map.has_code(0xffff_f000..1 << 32));
        assert!(map.is_free(0..0xffff_f000));
    }
}
