//! The store: compiled regions that outlive the process that made them.
//!
//! One format, in two places: an image that is part of the translator's own file, and a memory file that a process tree
//! shares. A region is found by its guest address, and used only after the guest's code has been compared with the code it
//! was made from. Nothing in it is a host address: code reaches its link slots at a fixed distance, and each process has
//! link slots of its own. The memory file only grows: a writer takes room, fills it, and then enters
//! it in the index, so it needs no lock and may die at any time.
//!
//! Layout: header, index, in a training store execution counts, records; then the code, from a page boundary on.

use super::Key;
use super::native::{LinkSlot, memory_file};
use crate::codegen::{Compiled, FaultPoint, Mode, fingerprint};
use crate::engine::processor_time;
use rustc_hash::FxHashSet;
use std::ops::Range;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub(super) const PAGE: usize = 4096;
/// Alignment of a region's code; its constants need 16.
const ALIGN: usize = 32;
/// First bytes of a store.
pub(super) const MAGIC: u64 = u64::from_le_bytes(*b"forearm\x01");

/// What a store begins with.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Header {
    pub magic: u64,
    /// Translator and settings that the code was made by and for, see [`fingerprint`].
    pub made_by: u64,
    /// The index has this many entries, as a power of two. 0: of an image, one for each region, sorted: code that runs together
    /// is found in the same pages, and each page that is looked at counts as memory of the process.
    pub index_bits: u32,
    /// Link slots that there is room for.
    pub slots: u32,
    /// Where the code starts in the file, and the room for it.
    pub code_at: u32,
    pub code_size: u32,
    /// Where the next record goes.
    pub next_record: AtomicU32,
    /// Where the next code goes, from the start of the code.
    pub next_code: AtomicU32,
    /// The next free slot.
    pub next_slot: AtomicU32,
    /// Records.
    pub regions: AtomicU32,
    /// Not 0: it is made to become an image. 1: who uses it counts what it has executed when it ends; more: it compiles
    /// what is worth that much.
    pub training: AtomicU32,
}

impl Header {
    /// Of the index.
    fn entries(&self) -> usize {
        match self.index_bits {
            0 => self.regions.load(Ordering::Relaxed) as usize,
            bits => 1 << bits,
        }
    }
}

/// Where the index is in the file.
pub(super) const INDEX: usize = 64;
const _: () = assert!(size_of::<Header>() <= INDEX);

/// A fault makes so much of a file accessible, if the kernel has it at hand.
const AROUND: usize = 64 << 10;

/// A process that has run for so long, in processor time, keeps what it has in its page tables: it is worth the memory.
const LONG: Duration = Duration::from_millis(200);

/// What a record begins with. Behind it: exits, ranges and guest code, which every look-up reads.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Head {
    /// Guest address, bit 0 set for Thumb.
    pub target: u32,
    pub mode: u32,
    /// Where the code is, from the start of the code, and how long.
    pub code: u32,
    pub length: u32,
    /// Offset of the body in it.
    pub entry: u32,
    /// The exits' slots; the entry slot follows them.
    pub slot: u32,
    pub exits: u32,
    pub ranges: u32,
    /// Bytes of guest code.
    pub bytes: u32,
    /// Where the fault points are.
    pub faults_at: u32,
    pub faults: u32,
}

/// Guest code from `start` on.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Span {
    start: u32,
    length: u32,
}

impl Span {
    /// Its addresses.
    pub fn range(self) -> Range<u32> {
        self.start..self.start.wrapping_add(self.length)
    }
}

impl From<&Range<u32>> for Span {
    fn from(r: &Range<u32>) -> Span {
        Span { start: r.start, length: r.len() as u32 }
    }
}

/// A region in a store.
#[derive(Clone, Copy, Debug)]
pub struct Stored {
    pub(super) head: Head,
    pub(super) exits: &'static [u32],
    /// Host offsets of guest instructions.
    pub faults: &'static [FaultPoint],
    /// The guest code it was made from.
    pub spans: &'static [Span],
    pub(super) code: &'static [u8],
}

/// What of the guest's code is read at a time.
const WINDOW: usize = 1024;

impl Stored {
    /// Bytes of its record without the fault points.
    pub(super) fn size(&self) -> usize {
        let size = size_of::<Head>() + size_of_val(self.exits) + size_of_val(self.spans) + self.code.len();
        size.next_multiple_of(4)
    }

    /// Is the guest's code what this was made from?
    fn fits(&self, read: &dyn Fn(u32, &mut [u8]) -> usize) -> bool {
        let mut expected = self.code;
        let mut window = [0; WINDOW];
        // What is in the window: a region mostly fits in, and reading has its cost.
        let (mut start, mut filled) = (0, 0);
        for s in self.spans {
            let (mut at, mut left) = (s.start, s.length as usize);
            while left > 0 {
                let inside = at.wrapping_sub(start) as usize;
                if inside >= filled {
                    start = self
                        .spans
                        .iter()
                        .map(|s| s.start)
                        .filter(|&s| s <= at && at - s < 512)
                        .min()
                        .unwrap_or(at);
                    filled = read(start, &mut window);
                    if (at - start) as usize >= filled {
                        return false;
                    }
                    continue;
                }
                let part = &window[inside..filled.min(inside + left)];
                let Some(rest) = expected.strip_prefix(part) else { return false };
                expected = rest;
                at = at.wrapping_add(part.len() as u32);
                left -= part.len();
            }
        }
        true
    }
}

/// Where a region lies in this process.
#[derive(Clone, Debug)]
pub struct Located {
    /// Host addresses of its code.
    pub code: Range<u64>,
    /// Host address of its body.
    pub body: u64,
    /// Its entry slot.
    pub slot: *const LinkSlot,
}

/// A store as this process has it mapped.
#[derive(Debug)]
pub struct Store {
    /// Header, index and records. A shared memory file may be written through it.
    meta: *mut u8,
    /// Link slots, then the code.
    base: *mut u8,
    /// The code again, to be written, where regions can be added.
    writable: Option<*mut u8>,
    /// Stays as long as the process: regions and records are handed out for ever.
    pub(super) header: &'static Header,
    /// Parts of the file that have been looked at since they were dropped from the page tables.
    touched: FxHashSet<usize>,
    /// Page faults of the process when that was, and those that it may have until the next time.
    faults: u64,
    resident: u64,
    /// None of them is dropped any more.
    keeps: bool,
}

// SAFETY: the mappings belong to this value; what is shared in them is atomic or does not change.
unsafe impl Send for Store {}

/// What there is room for in a store that grows. Pages cost memory when they are used.
#[derive(Clone, Copy, Debug)]
struct Room {
    /// Index entries, as a power of two.
    index_bits: u32,
    /// Bytes of header, index and records.
    records: usize,
    /// Bytes of code.
    code: usize,
    /// Link slots.
    slots: u32,
}

/// Of a memory file.
const SHARED: Room = Room { index_bits: 17, records: 48 << 20, code: 96 << 20, slots: 1 << 20 };
/// Of a file that is to become an image.
const TRAINING: Room = Room { index_bits: 19, records: 128 << 20, code: 256 << 20, slots: 1 << 22 };

/// Counts of a training store, by a hash of the address.
const COUNTS: usize = 1 << 20;
/// What decoding a block costs, in executions by the interpreter; and the executions after which it would be compiled.
const DECODING: u32 = 25;
const COMPILED: u32 = 4000;

/// A new memory file for a process tree to share.
///
/// # Errors
/// None can be had.
pub fn create() -> std::io::Result<OwnedFd> {
    let fd = memory_file(SHARED.records + SHARED.code).ok_or_else(std::io::Error::last_os_error)?;
    // SAFETY: new and ours.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    lay_out(&std::fs::File::from(fd.try_clone()?), false)?;
    Ok(fd)
}

/// Makes an empty file a store, of the size that [`create`] gives, or larger for `training`.
///
/// # Errors
/// It can't be written.
pub fn lay_out(file: &std::fs::File, training: bool) -> std::io::Result<()> {
    use std::os::unix::fs::FileExt;
    let room = if training { TRAINING } else { SHARED };
    file.set_len((room.records + room.code) as u64)?;
    let words: [u32; 9] = [
        room.index_bits,
        room.slots,
        room.records as u32,
        room.code as u32,
        (INDEX + (8 << room.index_bits) + if training { COUNTS * 4 } else { 0 }) as u32,
        0,
        0,
        0,
        training.into(),
    ];
    let start = [MAGIC.to_le_bytes(), fingerprint().to_le_bytes()].concat();
    file.write_all_at(&[start, words.as_bytes().to_vec()].concat(), 0)
}

impl Store {
    /// Maps a store that may grow. `None`: it is another translator's or can't be mapped.
    pub fn shared(fd: RawFd) -> Option<Store> {
        let mut head = [0u64; 8];
        // SAFETY: fills the buffer.
        if unsafe { libc::pread(fd, head.as_mut_ptr().cast(), INDEX, 0) } != INDEX as isize {
            return None;
        }
        let (records, code) = (head[3] as u32 as usize, (head[3] >> 32) as usize);
        let room = [SHARED, TRAINING].into_iter().find(|r| (r.records, r.code) == (records, code))?;
        if head[0] != MAGIC || head[1] != fingerprint() {
            return None;
        }
        let slots = room.slots as usize * size_of::<LinkSlot>();
        let base = reserve(slots, code, records)?;
        // SAFETY: fresh mappings, and one over the reservation's part for code.
        unsafe {
            let rw = libc::PROT_READ | libc::PROT_WRITE;
            let meta = libc::mmap(std::ptr::null_mut(), records, rw, libc::MAP_SHARED, fd, 0);
            let at = base.add(slots);
            let mapped = libc::mmap(
                at.cast(),
                code,
                libc::PROT_READ | libc::PROT_EXEC,
                libc::MAP_SHARED | libc::MAP_FIXED,
                fd,
                records as i64,
            );
            let view = libc::mmap(std::ptr::null_mut(), code, rw, libc::MAP_SHARED, fd, records as i64);
            if [meta, mapped, view].contains(&libc::MAP_FAILED) {
                return None;
            }
            Some(Store {
                meta: meta.cast(),
                base,
                writable: Some(view.cast()),
                header: &*meta.cast(),
                touched: FxHashSet::default(),
                faults: 0,
                resident: u64::MAX,
                keeps: false,
            })
        }
    }

    /// Uses an image that is part of the program: page-aligned, read-only, its own mapping's last page not shared. `resident`: page
    /// faults after which what has been looked at is dropped from the page tables, see [`touch`](Self::touch).
    ///
    /// # Safety
    /// Nobody else looks at the image, which is moved. It is a part of a file, mapped privately and never written.
    pub unsafe fn image(image: &'static [u8], resident: u64) -> Option<Store> {
        if image.len() < PAGE
            || !image.as_ptr().addr().is_multiple_of(PAGE)
            || !image.len().is_multiple_of(PAGE)
        {
            return None;
        }
        // SAFETY: long enough and aligned.
        let header: &Header = unsafe { &*image.as_ptr().cast() };
        if header.magic != MAGIC || header.made_by != fingerprint() {
            return None;
        }
        let (at, size) = (header.code_at as usize, header.code_size as usize);
        if at + size != image.len() {
            return None;
        }
        let slots = (header.slots as usize * size_of::<LinkSlot>()).next_multiple_of(PAGE);
        let from = image.as_ptr().addr();
        let (meta, base) = (reserve(0, at, from)?, reserve(slots, size, from + at)?);
        let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
        // SAFETY: pages of the program's file move into the reservations; the caller promises that they are nobody's.
        let header: &'static Header = unsafe {
            let (old, to) = (image.as_ptr().cast_mut(), base.add(slots));
            let code = libc::mremap(old.add(at).cast(), size, size, flags, to);
            if code == libc::MAP_FAILED
                || libc::mprotect(code, size, libc::PROT_READ | libc::PROT_EXEC) != 0
                || libc::mremap(old.cast(), at, at, flags, meta) == libc::MAP_FAILED
            {
                return None;
            }
            libc::madvise(meta.cast(), at, libc::MADV_DONTNEED); // what came along with the header
            &*meta.cast()
        };
        Some(Store {
            meta,
            base,
            writable: None,
            header,
            touched: FxHashSet::default(),
            faults: page_faults(),
            resident,
            keeps: false,
        })
    }

    /// Is it made to become an image?
    pub fn is_training(&self) -> bool {
        self.header.training.load(Ordering::Relaxed) != 0
    }

    /// How much a block must be worth for a training store to take it; `None`: the worth is still being found out.
    pub fn threshold(&self) -> Option<u32> {
        Some(self.header.training.load(Ordering::Relaxed)).filter(|&n| n > 1)
    }

    /// A training store's counts: what having the code of a block is worth.
    fn counts(&self) -> &[AtomicU32] {
        let length = if self.is_training() { COUNTS } else { 0 };
        // SAFETY: the counts lie behind the index, and are only accessed as atomics.
        unsafe {
            std::slice::from_raw_parts(self.meta.add(INDEX + (8 << self.header.index_bits)).cast(), length)
        }
    }

    /// What having the code of `key` is worth to all processes that train. While that is being found out, this one, which has
    /// executed it so many times, is added.
    pub fn worth(&self, key: Key, executions: u32) -> u32 {
        let hash = key.target().wrapping_mul(0x9e37_79b1) as usize >> 12 & (COUNTS - 1);
        let Some(count) = self.counts().get(hash) else { return 0 };
        if self.threshold().is_some() {
            return count.load(Ordering::Relaxed);
        }
        let worth = DECODING + executions.min(COMPILED);
        count.fetch_add(worth, Ordering::Relaxed).saturating_add(worth)
    }

    /// Ends the finding out: the worth that a block must have to be one of the `most` that are worth most.
    pub fn select(&self, most: usize) -> u32 {
        let mut counts: Vec<u32> = self.counts().iter().map(|c| c.load(Ordering::Relaxed)).collect();
        counts.sort_unstable_by_key(|&n| std::cmp::Reverse(n));
        let threshold = counts.get(most).map_or(0, |&n| n.saturating_add(1)).max(2);
        self.header.training.store(threshold, Ordering::Relaxed);
        threshold
    }

    /// From now on nothing is added. What is there stays in use.
    pub fn freeze(&mut self) {
        if let Some(view) = self.writable.take() {
            // SAFETY: the view is this value's own.
            unsafe { libc::munmap(view.cast(), self.header.code_size as usize) };
        }
    }

    pub(super) fn slots_size(&self) -> usize {
        (self.header.slots as usize * size_of::<LinkSlot>()).next_multiple_of(PAGE)
    }

    /// The host addresses of its code.
    pub fn code(&self) -> Range<u64> {
        let start = self.base as u64 + self.slots_size() as u64;
        start..start + u64::from(self.header.code_size)
    }

    pub(super) fn index(&self) -> &[AtomicU64] {
        // SAFETY: the index lies behind the header, and is only accessed as atomics.
        unsafe { std::slice::from_raw_parts(self.meta.add(INDEX).cast(), self.header.entries()) }
    }

    /// The record at an offset. `None` where it is not whole: only a broken file has that.
    pub fn record(&self, offset: u32) -> Option<Stored> {
        let end = self.header.next_record.load(Ordering::Acquire).min(self.header.code_at);
        let bytes_at = |offset: u32| -> Option<&'static [u8]> {
            let size = end.checked_sub(offset)? as usize;
            // SAFETY: written before it was entered in the index, and never changed; the mapping stays.
            Some(unsafe { std::slice::from_raw_parts(self.meta.add(offset as usize), size) })
        };
        let (head, rest) = Head::read_from_prefix(bytes_at(offset)?).ok()?;
        let (exits, rest) = <[u32]>::ref_from_prefix_with_elems(rest, head.exits as usize).ok()?;
        let (spans, rest) = <[Span]>::ref_from_prefix_with_elems(rest, head.ranges as usize).ok()?;
        let code = rest.get(..head.bytes as usize)?;
        let (faults, _) =
            <[FaultPoint]>::ref_from_prefix_with_elems(bytes_at(head.faults_at)?, head.faults as usize)
                .ok()?;
        let whole = head.code.checked_add(head.length)? <= self.header.code_size
            && head.entry < head.length
            && head.slot.checked_add(head.exits)? < self.header.slots
            && spans.iter().map(|s| s.length as usize).sum::<usize>() == code.len();
        whole.then_some(Stored { head, exits, faults, spans, code })
    }

    /// Where the record of a region is.
    pub fn offset(&self, stored: &Stored) -> u32 {
        (stored.exits.as_ptr().addr() - self.meta.addr() - size_of::<Head>()) as u32
    }

    /// The region of `key` for `mode` whose guest code is what `read` finds.
    pub fn find(&self, key: Key, mode: Mode, read: &dyn Fn(u32, &mut [u8]) -> usize) -> Option<Stored> {
        if self.header.regions.load(Ordering::Relaxed) == 0 {
            return None; // even a look at the index makes its pages
        }
        let target = key.target();
        let index = self.index();
        let stored = |entry: u64| {
            let stored = self.record((entry >> 32) as u32).filter(|s| serves(s.head.mode, mode))?;
            stored.fits(read).then_some(stored)
        };
        let entry = |at: usize| index[at].load(Ordering::Acquire);
        if self.header.index_bits == 0 {
            let first = index.partition_point(|e| (e.load(Ordering::Relaxed) as u32) < target);
            let same = (first..index.len()).map(entry).take_while(|&e| e as u32 == target);
            return same.filter_map(stored).next();
        }
        let used = probes(target, index.len()).map(entry).take_while(|&e| e != 0);
        used.filter(|&e| e as u32 == target).filter_map(stored).next()
    }

    /// Where a region lies in this process.
    pub fn locate(&self, stored: &Stored) -> Located {
        let head = stored.head;
        let start = self.code().start + u64::from(head.code);
        // SAFETY: `record` has checked that the slots are within the reservation's part for them.
        let slot = unsafe { self.base.cast::<LinkSlot>().add((head.slot + head.exits) as usize) };
        Located { code: start..start + u64::from(head.length), body: start + u64::from(head.entry), slot }
    }

    /// Notes that a region is used from now on. Each page that was looked at counts as memory of the process, but records are
    /// read once, and much code that runs when a program starts does not run again. So they are dropped from the page tables
    /// when much has piled up; what is still needed comes back by faults.
    pub fn touch(&mut self, stored: &Stored) {
        if self.keeps {
            return;
        }
        let code_at = self.header.code_at as usize;
        let code = code_at + stored.head.code as usize;
        let parts = [self.offset(stored) as usize / AROUND, code / AROUND];
        let news = parts.map(|part| self.touched.insert(part));
        if news == [false; 2] || page_faults() - self.faults <= self.resident {
            return;
        }
        self.touched.clear();
        self.faults = page_faults();
        self.keeps = processor_time(libc::CLOCK_PROCESS_CPUTIME_ID) > LONG;
        if self.keeps {
            return;
        }
        let records = (INDEX + 8 * self.header.entries()).next_multiple_of(PAGE);
        let code = self.code();
        // SAFETY: the mappings are of a file and not written to as private memory: what comes back is the same.
        unsafe {
            libc::madvise(
                self.meta.add(records).cast(),
                code_at.saturating_sub(records),
                libc::MADV_DONTNEED,
            );
            libc::madvise(code.start as *mut _, (code.end - code.start) as usize, libc::MADV_DONTNEED);
        }
    }

    /// Fills a region's link slots in this process: once, before anybody knows it. Its door stays closed. `leave`: where unlinked
    /// exits go; `region`: its number.
    pub fn prepare_slots(&self, stored: &Stored, leave: u64, region: u32) {
        let entry = self.locate(stored);
        let exits = stored.exits.iter().map(|&target| LinkSlot::exit(leave, target));
        // SAFETY: as in `locate`; the reservation is this process's, and the slots are nobody else's.
        unsafe {
            let first = self.base.cast::<LinkSlot>().add(stored.head.slot as usize);
            for (k, slot) in exits.enumerate() {
                first.add(k).write(slot);
            }
            entry.slot.cast_mut().write(LinkSlot::entry(entry.body, 0, region));
        }
    }

    /// Adds a region, made from guest code that `read` finds. `None`: there is no room, or the store is read-only.
    pub fn add(
        &self,
        key: Key,
        mode: Mode,
        compiled: &Compiled,
        read: &dyn Fn(u32, &mut [u8]) -> usize,
    ) -> Option<Stored> {
        let writable = self.writable?;
        let header = self.header;
        let mut guest = Vec::new();
        for r in &compiled.ranges {
            let from = guest.len();
            guest.resize(from + r.len(), 0);
            if read(r.start, &mut guest[from..]) != r.len() {
                return None;
            }
        }
        let index = self.index();
        if header.regions.fetch_add(1, Ordering::Relaxed) as usize >= index.len() / 4 * 3 {
            return None;
        }
        let spans: Vec<Span> = compiled.ranges.iter().map(Span::from).collect();
        let exits: Vec<u32> = compiled.exits.iter().map(|e| e.target).collect();
        // Room is taken for good: what a process leaves unfinished is in nobody's way.
        let code = take(&header.next_code, compiled.code.len().next_multiple_of(ALIGN), header.code_size)?;
        let slot = take(&header.next_slot, exits.len() + 1, header.slots)?;
        let size = size_of::<Head>() + size_of_val(&*exits) + size_of_val(&*spans) + guest.len();
        let cold = size.next_multiple_of(4);
        let whole = cold + size_of_val(&*compiled.faults);
        let at = take(&header.next_record, whole.next_multiple_of(8), header.code_at)?;
        let head = Head {
            target: key.target(),
            mode: bits(mode),
            code,
            length: compiled.code.len() as u32,
            entry: compiled.entry,
            slot,
            exits: exits.len() as u32,
            ranges: spans.len() as u32,
            bytes: guest.len() as u32,
            faults_at: at + cold as u32,
            faults: compiled.faults.len() as u32,
        };
        let mut record = [head.as_bytes(), exits.as_bytes(), spans.as_bytes(), &guest].concat();
        record.resize(cold, 0);
        record.extend_from_slice(compiled.faults.as_bytes());
        let bytes =
            compiled.placed_at(self.slots_size() + code as usize, slot as usize * size_of::<LinkSlot>())?;
        // SAFETY: both lie in room that is this call's alone.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), writable.add(code as usize), bytes.len());
            std::ptr::copy_nonoverlapping(record.as_ptr(), self.meta.add(at as usize), record.len());
        }
        let entry = u64::from(head.target) | u64::from(at) << 32;
        let (done, failed) = (Ordering::Release, Ordering::Relaxed);
        probes(head.target, index.len())
            .find(|&k| index[k].compare_exchange(0, entry, done, failed).is_ok())?;
        self.record(at)
    }

    /// The regions and bytes of code in it.
    pub fn usage(&self) -> (u32, u32) {
        (self.header.regions.load(Ordering::Relaxed), self.header.next_code.load(Ordering::Relaxed))
    }
}

/// Page faults of the process that were answered from memory.
fn page_faults() -> u64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: fills the structure, which is plain data.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    usage.ru_minflt as u64
}

/// Places in the index where a target may be, in order.
fn probes(target: u32, entries: usize) -> impl Iterator<Item = usize> {
    let first = (target.wrapping_mul(0x9e37_79b1) >> (32 - entries.trailing_zeros())) as usize;
    (0..entries).map(move |n| (first + n) & (entries - 1))
}

fn bits(mode: Mode) -> u32 {
    u32::from(mode.precise)
        | u32::from(mode.based) << 1
        | u32::from(mode.flush) << 2
        | u32::from(mode.traps) << 3
}

/// Does code of one mode do where another is wanted? Exact registers do no harm to who does not look.
fn serves(have: u32, want: Mode) -> bool {
    have == bits(want) || have == bits(Mode { precise: true, ..want })
}

/// Address space for slots, which are made writable, and for pages of a file behind them. These get another alignment than at
/// `from`, or the kernel would make a whole huge page of the page cache accessible at a fault.
fn reserve(slots: usize, pages: usize, from: usize) -> Option<*mut u8> {
    const HUGE: usize = 2 << 20;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh mapping, with room for an offset below `HUGE`.
    unsafe {
        let base = libc::mmap(std::ptr::null_mut(), HUGE + slots + pages, libc::PROT_NONE, flags, -1, 0);
        if base == libc::MAP_FAILED {
            return None;
        }
        let offset = (from + HUGE / 2).wrapping_sub(base.addr() + slots) % HUGE;
        let base = base.cast::<u8>().add(offset);
        let rw = libc::PROT_READ | libc::PROT_WRITE;
        // Slots are written here and there; a huge page for the first of them would cost more than most programs have.
        libc::madvise(base.cast(), slots, libc::MADV_NOHUGEPAGE);
        (slots == 0 || libc::mprotect(base.cast(), slots, rw) == 0).then_some(base)
    }
}

/// Takes `size` of what is left up to `end`.
fn take(next: &AtomicU32, size: usize, end: u32) -> Option<u32> {
    let size = u32::try_from(size).ok()?;
    next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |at| {
        at.checked_add(size).filter(|&after| after <= end)
    })
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::image;
    use crate::codegen::{Exit, Extent};
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::FileExt;

    const MODE: Mode = Mode { precise: false, based: false, flush: false, traps: false };
    const PRECISE: Mode = Mode { precise: true, ..MODE };

    /// nop; lea rsi, [slot]; nops.
    fn code(length: usize) -> Vec<u8> {
        let mut code = vec![0x90; length];
        code[1..4].copy_from_slice(&[0x48, 0x8d, 0x35]);
        code
    }

    /// A region of eight bytes of guest code at `pc` with an exit to `target` through the slot at offset 4 of its code.
    fn region(pc: u32, target: u32) -> Compiled {
        Compiled {
            code: code(40),
            entry: 1,
            slots: vec![(4, 0, -4)],
            exits: vec![Exit { target }],
            faults: Vec::new(),
            ranges: vec![pc..pc + 4, pc + 100..pc + 104],
            extent: Extent { starts: vec![pc, pc + 100], ends: Vec::new() },
            instructions: 2,
            heat: None,
            heads: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Guest memory that holds `n` everywhere.
    fn filled(n: u8) -> impl Fn(u32, &mut [u8]) -> usize {
        move |_, buffer| {
            buffer.fill(n);
            buffer.len()
        }
    }

    fn shared() -> (File, Store) {
        let file = File::from(create().expect("a memory file"));
        let store = Store::shared(file.as_raw_fd()).expect("it can be mapped");
        (file, store)
    }

    #[test]
    fn a_region_is_found_by_another_process_if_the_guests_code_is_the_same() {
        let (file, writer) = shared();
        let key = Key::new(0x1000, true, 0);
        assert!(writer.find(key, MODE, &filled(1)).is_none());
        writer.add(key, MODE, &region(0x1000, 0x2001), &filled(1)).expect("there is room");

        let reader = Store::shared(file.as_raw_fd()).expect("it can be mapped");
        let found = reader.find(key, MODE, &filled(1)).expect("it was added");
        assert_eq!(
            found.spans.iter().map(|s| s.range()).collect::<Vec<_>>(),
            [0x1000..0x1004, 0x1064..0x1068]
        );
        assert!(reader.find(key, MODE, &filled(2)).is_none());
        assert!(reader.find(key, MODE, &|_, _| 0).is_none());
        assert!(reader.find(Key::new(0x1000, false, 0), MODE, &filled(1)).is_none());
        assert!(reader.find(key, PRECISE, &filled(1)).is_none());

        // The same place with other contents, as another program has it.
        writer.add(key, PRECISE, &region(0x1000, 0x3000), &filled(2)).expect("there is room");
        assert!(reader.find(key, PRECISE, &filled(2)).is_some());
        assert!(reader.find(key, MODE, &filled(2)).is_some(), "exact registers do no harm");
        assert!(reader.find(key, Mode { flush: true, ..MODE }, &filled(2)).is_none());
    }

    /// The image of a store, in a file of its own as the program is.
    fn image_of(file: &File) -> Store {
        let bytes = image::compact(file).expect("it is a store");
        let image = File::from(create().expect("a memory file"));
        image.write_all_at(&bytes, 0).expect("it can be written");
        // SAFETY: a mapping of its own, which stays.
        let image = unsafe {
            let fd = image.as_raw_fd();
            let at = libc::mmap(std::ptr::null_mut(), bytes.len(), libc::PROT_READ, libc::MAP_PRIVATE, fd, 0);
            std::slice::from_raw_parts(at.cast::<u8>(), bytes.len())
        };
        // SAFETY: nobody else looks at it.
        unsafe { Store::image(image, 8) }.expect("an image of this translator")
    }

    /// What the code at `located` reaches through its first slot reference.
    fn reached(located: &Located) -> *const LinkSlot {
        // SAFETY: `region` has a 32-bit distance there.
        let distance = unsafe { ((located.code.start + 4) as *const i32).read_unaligned() };
        (located.code.start + 8).wrapping_add_signed(distance.into()) as *const LinkSlot
    }

    #[test]
    fn code_reaches_its_slots_in_every_mapping_and_in_an_image() {
        let (file, store) = shared();
        for pc in [0x1000, 0x2000, 0x3000] {
            let key = Key::new(pc, false, 0);
            store.add(key, MODE, &region(pc, pc + 0x500), &filled(7)).expect("there is room");
        }
        let image = image_of(&file);
        assert!(image.add(Key::new(0, false, 0), MODE, &region(0, 0), &filled(7)).is_none());
        for store in [store, image] {
            for pc in [0x1000, 0x2000, 0x3000] {
                let found = store.find(Key::new(pc, false, 0), MODE, &filled(7)).expect("it was added");
                let located = store.locate(&found);
                store.prepare_slots(&found, 0x77, 5);
                assert!(store.code().contains(&located.code.start));
                assert_eq!(located.body, located.code.start + 1);
                // SAFETY: slots of the store.
                let (exit, entry) = unsafe { (&*reached(&located), &*located.slot) };
                assert_eq!(
                    (exit.target.load(Ordering::Relaxed), exit.code.load(Ordering::Relaxed)),
                    (pc + 0x500, 0x77)
                );
                assert_eq!(
                    (entry.target.load(Ordering::Relaxed), entry.code.load(Ordering::Relaxed)),
                    (0, located.body)
                );
            }
        }
    }

    #[test]
    fn what_is_dropped_from_the_page_tables_comes_back() {
        let (file, store) = shared();
        let large = |pc| Compiled { code: code(AROUND), ..region(pc, 0) };
        let pcs = (1..=64).map(|n| n << 12);
        for pc in pcs.clone() {
            store.add(Key::new(pc, false, 0), MODE, &large(pc), &filled(7)).expect("there is room");
        }
        let mut image = image_of(&file);
        let mut before = Vec::new();
        for pc in pcs {
            let found = image.find(Key::new(pc, false, 0), MODE, &filled(7)).expect("it was added");
            image.touch(&found);
            before.push(found);
        }
        assert!(image.touched.len() < 64, "{} parts are left", image.touched.len());
        for (n, found) in before.iter().enumerate() {
            assert_eq!(found.spans[0].range().start, (n as u32 + 1) << 12);
            // SAFETY: code of the image.
            assert_eq!(unsafe { *(image.locate(found).code.start as *const u8) }, 0x90);
        }
    }

    #[test]
    fn what_is_not_a_store_of_this_translator_is_refused() {
        let (file, _) = shared();
        file.write_all_at(&[0xff], 8).expect("it can be written");
        assert!(Store::shared(file.as_raw_fd()).is_none(), "made by another translator");
        assert!(Store::shared(-1).is_none());
        assert!(Store::shared(File::open("/dev/null").expect("it is there").as_raw_fd()).is_none());
    }

    #[test]
    fn a_full_store_takes_no_more() {
        let (_, store) = shared();
        let big = Compiled { code: code(SHARED.code / 2 + 64), ..region(0x1000, 0) };
        assert!(store.add(Key::new(0x1000, false, 0), MODE, &big, &filled(1)).is_some());
        assert!(store.add(Key::new(0x1000, false, 0), MODE, &big, &filled(2)).is_none());
        let small = region(0x4000, 0);
        assert!(store.add(Key::new(0x4000, false, 0), MODE, &small, &filled(2)).is_some());
    }
}
