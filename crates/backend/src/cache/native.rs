//! Host code: its memory, the link slots through which regions reach each other, and dropping regions.
//!
//! Code is in the stores that this process uses, or, where there is none or none has room, in memory of its own.
//!
//! Code and slots lie in one reservation, so that code reaches its slots at a fixed distance. The code part is a memory
//! file mapped twice, executable there and writable elsewhere: no mapping is both. Regions lie densely, since the processor's
//! caches and predictors look at low address bits. What is placed is not changed any more, and memory of dropped regions is
//! not reused, since a thread may still be in it. Hence a fork needs nothing done either: parent and child go on running
//! the code they share, and the child puts new code into a file of its own. Slots are private memory.

use crate::cache::Key;
use crate::cache::jumps::{RegionJumps, Table};
use crate::cache::store::{Span, Store, Stored};
use crate::codegen::{Compiled, FaultPoint, Mode};
use crate::log;
use crate::tuning::{self, Optimisations};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Reserved address space.
const RESERVE: usize = 256 << 20;
/// The part of it that holds slots.
const SLOTS: usize = 32 << 20;
const PAGE: usize = 4096;
/// Alignment of a region's code; its constants need 16.
const ALIGN: usize = 32;

/// Where code jumps to: the body of a region, or the way back to the interpreter.
#[repr(C)]
#[derive(Debug)]
pub struct LinkSlot {
    /// Host address.
    pub code: AtomicU64,
    /// Guest address it stands for, bit 0 set for Thumb. Of an entry slot `OPEN` while the region is in use, else 0: its door reads it.
    pub target: AtomicU32,
    /// Of an entry slot, the number of its region, with `BASELINE` set if that is baseline code. Of such code's last
    /// exit, the executions that are left before it asks to be compiled better, then -1; of any other, a positive number.
    pub number: AtomicU32,
}

/// In the place of an entry slot's target: the region is in use. All bits, so that a test against any register finds it.
pub(crate) const OPEN: u32 = u32::MAX;

/// In the number of an entry slot: baseline code.
const BASELINE: u32 = 1 << 31;

/// The number of an exit.
const EXIT: u32 = i32::MAX as u32;

impl LinkSlot {
    /// An exit.
    pub(super) fn exit(leave: u64, target: u32) -> LinkSlot {
        LinkSlot { code: AtomicU64::new(leave), target: AtomicU32::new(target), number: AtomicU32::new(EXIT) }
    }

    /// The entry of region number `region`, `OPEN` or 0.
    pub(super) fn entry(body: u64, open: u32, region: u32) -> LinkSlot {
        LinkSlot { code: AtomicU64::new(body), target: AtomicU32::new(open), number: AtomicU32::new(region) }
    }

    /// The number of the region whose entry slot this is.
    fn region(&self) -> usize {
        (self.number.load(Ordering::Relaxed) & !BASELINE) as usize
    }

    /// Does baseline code ask to be compiled better, by leaving through this slot?
    pub fn is_hot(&self) -> bool {
        (self.number.load(Ordering::Relaxed) as i32) < 0
    }

    /// Is this an entry of baseline code?
    pub fn is_baseline(&self) -> bool {
        self.number.load(Ordering::Relaxed) & BASELINE != 0
    }
}

/// What a region can be entered at; the first is its start.
type Entries = SmallVec<[(Key, *const LinkSlot); 1]>;

/// Where what is rarely asked about a region can be found.
#[derive(Debug)]
enum Details {
    /// In a record: number of the store, and offset.
    Stored(usize, u32),
    Own(Box<OwnDetails>),
}

#[derive(Debug)]
struct OwnDetails {
    faults: Vec<FaultPoint>,
    /// The guest code it was made from.
    spans: Vec<Span>,
}

impl Details {
    fn faults<'a>(&'a self, stores: &[Store]) -> &'a [FaultPoint] {
        match self {
            Details::Stored(n, at) => stores[*n].record(*at).map_or(&[], |r| r.faults),
            Details::Own(own) => &own.faults,
        }
    }

    fn spans<'a>(&'a self, stores: &[Store]) -> &'a [Span] {
        match self {
            Details::Stored(n, at) => stores[*n].record(*at).map_or(&[], |r| r.spans),
            Details::Own(own) => &own.spans,
        }
    }
}

/// A placed region. A program may have tens of thousands.
#[derive(Debug)]
struct Placed {
    entries: Entries,
    /// Host address of its code.
    code: u64,
    length: u32,
    live: bool,
    details: Details,
    /// Link slots of other regions that lead here.
    incoming: SmallVec<[*const LinkSlot; 2]>,
}

/// All host code of an address space.
#[derive(Debug)]
pub struct Native {
    /// Where regions are looked for before they are made, and are put when they are.
    stores: SmallVec<[Store; 2]>,
    own: Option<Own>,
    /// By number, which the entry slot has.
    regions: Vec<Placed>,
    /// Host addresses and numbers, sorted; brought up to date when something is looked up, which is rare.
    sorted: Vec<(u64, u32)>,
    /// The numbers of the regions that touch a guest page. Those from `paged` on may be missing, as above.
    pages: HashMap<u32, SmallVec<[u32; 4]>, rustc_hash::FxBuildHasher>,
    paged: usize,
    leave: u64,
    /// Those of all threads.
    tables: Vec<Arc<Table>>,
}

/// Code that only this process has.
#[derive(Debug)]
struct Own {
    base: *mut u8,
    slots: usize,
    code: usize,
    /// Where the code can be written, if a memory file is to be had; else pages are made executable when they are written.
    writable: Option<Writable>,
}

/// Code lies in shared memory without a name: perf looks up addresses in its map only there. Where memory is never
/// overcommitted, such memory counts as used from the start, hence not always.
static ANONYMOUS: AtomicBool = AtomicBool::new(false);

/// From now on code lies where perf looks addresses up in its map.
pub fn place_for_perf() {
    ANONYMOUS.store(true, Ordering::Relaxed);
}

/// The writable view of the code from `first` on.
#[derive(Debug)]
struct Writable {
    at: *mut u8,
    first: usize,
    /// The process whose file it is.
    owner: u32,
}

impl Writable {
    /// Maps a new memory file over the reservation from offset `first` on, and a second time to be written.
    fn map(base: *mut u8, first: usize) -> Option<Writable> {
        if ANONYMOUS.load(Ordering::Relaxed) {
            return Writable::map_anonymous(base, first);
        }
        let len = RESERVE - first;
        let fd = memory_file(len)?;
        // SAFETY: plain system calls; the mapping replaces a part of the reservation that holds no code.
        unsafe {
            let map = |at: *mut u8, prot, fixed| {
                let p =
                    libc::mmap(at.cast(), len, prot, libc::MAP_SHARED | libc::MAP_NORESERVE | fixed, fd, 0);
                (p != libc::MAP_FAILED).then_some(p.cast::<u8>())
            };
            let view = map(std::ptr::null_mut(), libc::PROT_READ | libc::PROT_WRITE, 0);
            let code =
                view.and_then(|_| map(base.add(first), libc::PROT_READ | libc::PROT_EXEC, libc::MAP_FIXED));
            libc::close(fd);
            match (view, code) {
                (Some(at), Some(_)) => Some(Writable { at, first, owner: std::process::id() }),
                (Some(at), None) => {
                    libc::munmap(at.cast(), len);
                    None
                }
                _ => None,
            }
        }
    }

    /// The same without a name.
    fn map_anonymous(base: *mut u8, first: usize) -> Option<Writable> {
        let len = RESERVE - first;
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh mapping. An old length of 0 maps shared memory a second time, here in place of a part of the
        // reservation that holds no code.
        unsafe {
            let at = libc::mmap(std::ptr::null_mut(), len, prot, flags, -1, 0);
            if at == libc::MAP_FAILED {
                return None;
            }
            let view = Writable { at: at.cast(), first, owner: std::process::id() };
            let moved = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
            let code = libc::mremap(at, 0, len, moved, base.add(first));
            if code == libc::MAP_FAILED || libc::mprotect(code, len, libc::PROT_READ | libc::PROT_EXEC) != 0 {
                return None;
            }
            Some(view)
        }
    }
}

/// A memory file of `len` bytes that may be mapped to execute; close-on-exec.
pub(super) fn memory_file(len: usize) -> Option<i32> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: plain system calls.
    unsafe {
        libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit);
        // A file over the limit would be answered by SIGXFSZ.
        if limit.rlim_cur < len as u64 {
            return None;
        }
        const MFD_EXEC: libc::c_uint = 0x10; // kernels before 6.3 do not know it
        let name = c"forearm-code".as_ptr();
        let mut fd = libc::memfd_create(name, libc::MFD_CLOEXEC | MFD_EXEC);
        if fd < 0 {
            fd = libc::memfd_create(name, libc::MFD_CLOEXEC);
        }
        if fd >= 0 && libc::ftruncate(fd, len as i64) != 0 {
            libc::close(fd);
            return None;
        }
        (fd >= 0).then_some(fd)
    }
}

impl Drop for Writable {
    fn drop(&mut self) {
        // SAFETY: the view is this value's own.
        unsafe { libc::munmap(self.at.cast(), RESERVE - self.first) };
    }
}

// SAFETY: the reservations belong to this value; slots are atomics.
unsafe impl Send for Native {}

impl Own {
    fn new() -> Option<Own> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh mapping.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), RESERVE, libc::PROT_NONE, flags, -1, 0) };
        if base == libc::MAP_FAILED
            // SAFETY: within the mapping just made.
            || unsafe {
                libc::madvise(base, SLOTS, libc::MADV_NOHUGEPAGE);
                libc::mprotect(base, SLOTS, libc::PROT_READ | libc::PROT_WRITE)
            } != 0
        {
            return None;
        }
        let base = base.cast();
        Some(Own { base, slots: 0, code: SLOTS, writable: Own::writable(base, SLOTS) })
    }

    fn writable(base: *mut u8, first: usize) -> Option<Writable> {
        if tuning::on(Optimisations::DENSE) { Writable::map(base, first) } else { None }
    }

    /// Makes sure that what is written next is this process's alone: a forked child turns to a file of its own.
    fn renew(&mut self) {
        if self.writable.as_ref().is_some_and(|w| w.owner != std::process::id()) {
            self.code = self.code.next_multiple_of(PAGE);
            // The parent's view is dropped; what has been placed stays executable.
            self.writable = None;
            self.writable = Own::writable(self.base, self.code);
        }
    }

    /// Puts a region's bytes at its offset.
    fn write(&self, start: usize, code: &[u8]) -> Option<()> {
        if let Some(w) = &self.writable {
            // SAFETY: within the writable view, where nothing has been placed yet.
            unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), w.at.add(start - w.first), code.len()) };
            return Some(());
        }
        let size = code.len().next_multiple_of(PAGE);
        // SAFETY: fresh pages of the reservation; they are executable from then on and never written again.
        unsafe {
            let at = self.base.add(start);
            if libc::mprotect(at.cast(), size, libc::PROT_READ | libc::PROT_WRITE) != 0 {
                return None;
            }
            std::ptr::copy_nonoverlapping(code.as_ptr(), at, code.len());
            (libc::mprotect(at.cast(), size, libc::PROT_READ | libc::PROT_EXEC) == 0).then_some(())
        }
    }

    fn code(&self) -> Range<u64> {
        let base = self.base as u64;
        base + SLOTS as u64..base + RESERVE as u64
    }

    fn new_slot(&mut self, slot: LinkSlot) -> Option<*const LinkSlot> {
        if self.slots + size_of::<LinkSlot>() > SLOTS {
            return None;
        }
        // SAFETY: within the slot part, 16-aligned, and not yet shared.
        let slot = unsafe {
            let p = self.base.add(self.slots).cast::<LinkSlot>();
            p.write(slot);
            p
        };
        self.slots += size_of::<LinkSlot>();
        Some(slot)
    }

    /// Host address of the region's code, of its body, and its entries. `None` when the reservation or memory is full.
    fn place(
        &mut self,
        key: Key,
        compiled: &Compiled,
        leave: u64,
        number: u32,
    ) -> Option<(Range<u64>, u64, Entries)> {
        self.renew();
        // Without a memory file each region has pages of its own; nothing else is on them when they are written.
        let (start, end) = if self.writable.is_some() {
            let start = self.code.next_multiple_of(ALIGN);
            (start, start + compiled.code.len())
        } else {
            let start = self.code.next_multiple_of(PAGE);
            (start, (start + compiled.code.len()).next_multiple_of(PAGE))
        };
        let first_slot = self.slots;
        if end > RESERVE
            || first_slot + (compiled.exits.len() + 1 + compiled.entries.len()) * size_of::<LinkSlot>()
                > SLOTS
        {
            return None;
        }
        for e in &compiled.exits {
            self.new_slot(LinkSlot::exit(leave, e.target))?;
        }
        let code = compiled.placed_at(start, first_slot)?;
        self.write(start, &code)?;
        self.code = end;
        let at = self.base as u64 + start as u64;
        let body = at + u64::from(compiled.entry);
        let baseline = if let Some(heat) = compiled.heat {
            let last = compiled.exits.len() as u32 - 1;
            for &exit in compiled.heads.iter().chain([&last]) {
                // SAFETY: the slot of an exit, which has just been made.
                let slot = unsafe { &*self.base.add(first_slot).cast::<LinkSlot>().add(exit as usize) };
                slot.number.store(heat, Ordering::Relaxed);
            }
            BASELINE
        } else {
            0
        };
        let others = compiled
            .entries
            .iter()
            .map(|&(pc, offset)| (Key::new(pc, key.thumb(), 0), at + u64::from(offset)));
        let mut entries = SmallVec::new();
        for (key, body) in std::iter::once((key, body)).chain(others) {
            entries.push((key, self.new_slot(LinkSlot::entry(body, OPEN, number | baseline))?));
        }
        Some((at..at + code.len() as u64, body, entries))
    }
}

impl Native {
    /// No code yet. `leave`: host address that ends a run of compiled code.
    pub fn new(leave: u64) -> Native {
        Native {
            stores: SmallVec::new(),
            own: None,
            regions: Vec::new(),
            sorted: Vec::new(),
            pages: HashMap::default(),
            paged: 0,
            leave,
            tables: Vec::new(),
        }
    }

    /// Uses a store from now on.
    pub fn attach(&mut self, store: Store) {
        self.stores.push(store);
    }

    /// The stores in use.
    pub fn stores(&mut self) -> &mut [Store] {
        &mut self.stores
    }

    /// Is this the address of host code?
    pub fn contains(&self, host: u64) -> bool {
        self.own.as_ref().is_some_and(|o| o.code().contains(&host))
            || self.stores.iter().any(|s| s.code().contains(&host))
    }

    /// Bytes of code in use, from stores too.
    pub fn bytes(&self) -> u64 {
        self.regions.iter().filter(|p| p.live).map(|p| u64::from(p.length)).sum()
    }

    /// Takes a region out of a store: the host address of its body and its entry slot.
    pub fn take(
        &mut self,
        key: Key,
        mode: Mode,
        read: &dyn Fn(u32, &mut [u8]) -> usize,
    ) -> Option<(u64, *const LinkSlot)> {
        let found = self.stores.iter().enumerate().find_map(|(n, s)| Some((n, s.find(key, mode, read)?)));
        let (n, stored) = found?;
        Some(self.enter_stored(key, n, stored))
    }

    /// Puts the region `stored` of store number `n` to use.
    fn enter_stored(&mut self, key: Key, n: usize, stored: Stored) -> (u64, *const LinkSlot) {
        let l = self.stores[n].locate(&stored);
        // SAFETY: slots live as long as the store, and are zero until they are prepared.
        let slot = unsafe { &*l.slot };
        if slot.code.load(Ordering::Acquire) == 0 {
            self.stores[n].prepare_slots(&stored, self.leave, self.regions.len() as u32);
            self.stores[n].touch(&stored);
            let details = Details::Stored(n, self.stores[n].offset(&stored));
            self.enter(SmallVec::from_elem((key, l.slot), 1), l.code, details);
            slot.target.store(OPEN, Ordering::Release);
        } else if let Some(p) = self.regions.get_mut(slot.region())
            && !p.live
        {
            // It was dropped and is wanted again. Its exits are as good as before.
            p.live = true;
            slot.code.store(l.body, Ordering::Release);
            slot.target.store(OPEN, Ordering::Release);
        }
        (l.body, l.slot)
    }

    fn enter(&mut self, entries: Entries, code: Range<u64>, details: Details) {
        log_code(entries[0].0, &code, || details.faults(&self.stores));
        let length = (code.end - code.start) as u32;
        let incoming = SmallVec::new();
        self.regions.push(Placed { entries, code: code.start, length, live: true, details, incoming });
    }

    /// Places a region, where other processes find it if it is `shareable` and there is such a place. Returns the host address
    /// of its body and its entry slot; `None` when there is no room.
    pub fn place(
        &mut self,
        key: Key,
        mode: Mode,
        compiled: Compiled,
        shareable: bool,
        read: &dyn Fn(u32, &mut [u8]) -> usize,
    ) -> Option<(u64, *const LinkSlot)> {
        if shareable {
            let added = self.stores.iter().enumerate();
            let added = added.filter_map(|(n, s)| Some((n, s.add(key, mode, &compiled, read)?))).next();
            if let Some((n, stored)) = added {
                return Some(self.enter_stored(key, n, stored));
            }
        }
        if self.own.is_none() {
            self.own = Own::new();
        }
        let number = self.regions.len() as u32;
        let (code, body, entries) = self.own.as_mut()?.place(key, &compiled, self.leave, number)?;
        let entry_slot = entries[0].1;
        let spans = compiled.ranges.iter().map(Span::from).collect();
        let details = Details::Own(Box::new(OwnDetails { faults: compiled.faults, spans }));
        self.enter(entries, code, details);
        Some((body, entry_slot))
    }

    /// Lets an exit jump to the region with this entry slot from now on; `false`: that has been dropped.
    pub fn link(&mut self, slot: &LinkSlot, entry: &LinkSlot) -> bool {
        let Some(p) = self.regions.get_mut(entry.region()).filter(|p| p.live) else { return false };
        p.incoming.push(slot);
        slot.code.store(entry.code.load(Ordering::Acquire), Ordering::Release);
        true
    }

    /// Puts the region with this entry slot, unless that has been dropped, into a thread's table.
    pub fn remember(&mut self, jumps: &mut RegionJumps, target: u32, entry: &LinkSlot) {
        if !self.regions.get(entry.region()).is_some_and(|p| p.live) {
            return;
        }
        let table = jumps.table();
        if !self.tables.iter().any(|t| Arc::ptr_eq(t, table)) {
            // Without those that nobody else has: of threads that have ended, or too small.
            self.tables.retain(|t| Arc::strong_count(t) > 1);
            self.tables.push(table.clone());
        }
        table.put(target, entry.code.load(Ordering::Acquire));
    }

    /// What the region with this entry slot can be entered at, with the host addresses.
    pub fn entries(&self, slot: &LinkSlot) -> Vec<(Key, u64, *const LinkSlot)> {
        let placed = self.regions.get(slot.region());
        let entries = placed.into_iter().flat_map(|p| &p.entries);
        // SAFETY: slots live as long as the reservation.
        entries.map(|&(key, slot)| (key, unsafe { &*slot }.code.load(Ordering::Acquire), slot)).collect()
    }

    /// Executions that an entry of baseline code still counts before it asks to be compiled better; none are left once it has been.
    pub fn executions_left(&self, entry: &LinkSlot) -> u32 {
        let entries = self.regions.get(entry.region()).map_or(&[][..], |p| &p.entries);
        let Some(k) = entries.iter().position(|e| std::ptr::eq(e.1, entry)).filter(|_| entry.is_baseline())
        else {
            return 0;
        };
        let back = if k == 0 { 1 } else { entries.len() - k + 1 };
        // SAFETY: the exits that count for the entries lie in front of them, see `Compiled::entries`.
        let counter = unsafe { &*entries[0].1.sub(back) };
        // Below zero when it asks.
        (counter.number.load(Ordering::Relaxed) as i32).max(0) as u32
    }

    /// Lets whatever leads to one entry lead to another, of a region that takes its place.
    pub fn replace(&mut self, old: &LinkSlot, new: &LinkSlot) {
        let (from, to) = (old.code.load(Ordering::Acquire), new.code.load(Ordering::Acquire));
        let Some(p) = self.regions.get_mut(old.region()).filter(|p| p.live) else { return };
        // SAFETY: slots live as long as the reservation.
        let leads_there =
            |slot: &mut *const LinkSlot| unsafe { &**slot }.code.load(Ordering::Acquire) == from;
        let mut moved: SmallVec<[*const LinkSlot; 2]> = SmallVec::new();
        p.incoming.retain(|slot| {
            let moves = leads_there(slot);
            if moves {
                moved.push(*slot);
            }
            !moves
        });
        for (key, _) in p.entries.iter().filter(|e| std::ptr::eq(e.1, old)) {
            self.tables.iter().for_each(|t| t.redirect(key.target(), to));
        }
        moved.push(old);
        let Some(p) = self.regions.get_mut(new.region()) else { return };
        for &slot in &moved {
            // SAFETY: as above.
            unsafe { (*slot).code.store(to, Ordering::Release) };
        }
        p.incoming.extend(moved);
    }

    /// Drops the regions made from code in `range`; their keys.
    pub fn invalidate(&mut self, range: Range<u32>) -> Vec<Key> {
        for (n, p) in self.regions.iter().enumerate().skip(self.paged) {
            for page in p.details.spans(&self.stores).iter().flat_map(|s| super::pages(&s.range())) {
                let list = self.pages.entry(page).or_default();
                if list.last() != Some(&(n as u32)) {
                    list.push(n as u32);
                }
            }
        }
        self.paged = self.regions.len();
        let pages = super::pages(&range);
        let numbers: Vec<u32> = if (pages.len()) > self.pages.len() {
            self.pages.iter().filter(|(p, _)| pages.contains(p)).flat_map(|(_, l)| l).copied().collect()
        } else {
            pages.filter_map(|p| self.pages.get(&p)).flatten().copied().collect()
        };
        let mut keys = Vec::new();
        for number in numbers {
            let Some(p) = self.regions.get_mut(number as usize) else { continue };
            let mut spans = p.details.spans(&self.stores).iter().map(|s| s.range());
            if p.live && spans.any(|r| r.start < range.end && range.start < r.end) {
                keys.extend(p.entries.iter().map(|e| e.0));
                p.drop_links(self.leave, &self.tables);
            }
        }
        keys
    }

    /// Drops everything; the keys.
    pub fn clear(&mut self) -> Vec<Key> {
        let (leave, tables) = (self.leave, &self.tables);
        let live = self.regions.iter_mut().filter(|p| p.live);
        live.flat_map(|p| {
            p.drop_links(leave, tables);
            p.entries.iter().map(|e| e.0)
        })
        .collect()
    }

    /// The number of the region whose code is at `host`.
    fn region_at(&mut self, host: u64) -> Option<usize> {
        if self.sorted.len() != self.regions.len() {
            let new = self.sorted.len()..self.regions.len();
            self.sorted.extend(new.map(|n| (self.regions[n].code, n as u32)));
            self.sorted.sort_unstable();
        }
        let k = self.sorted.partition_point(|&(start, _)| start <= host);
        let number = self.sorted[k.checked_sub(1)?].1 as usize;
        self.regions[number].code().contains(&host).then_some(number)
    }

    /// The region that has the host address `body`: its first address and its code.
    pub fn code_at(&mut self, body: u64) -> Option<(u64, &[u8])> {
        let number = self.region_at(body)?;
        let code = self.regions[number].code();
        // SAFETY: placed code is readable and does not change.
        let bytes =
            unsafe { std::slice::from_raw_parts(code.start as *const u8, (code.end - code.start) as usize) };
        Some((code.start, bytes))
    }

    /// The guest instruction that the host code at `host` belongs to.
    pub fn find_instruction(&mut self, host: u64) -> Option<FaultPoint> {
        let number = self.region_at(host)?;
        let p = &self.regions[number];
        let inside = (host - p.code) as u32;
        let faults = p.details.faults(&self.stores);
        let k = faults.partition_point(|f| f.offset() <= inside);
        faults.get(k.checked_sub(1)?).copied()
    }
}

/// `-d out_asm`: the region of `key` at `code`.
fn log_code<'a>(key: Key, code: &Range<u64>, faults: impl FnOnce() -> &'a [FaultPoint]) {
    if log::wants(log::Items::OUT_ASM) {
        let points: Vec<_> = faults().iter().map(|f| (f.offset(), f.pc)).collect();
        // SAFETY: the region has just been placed there, and is not changed.
        let bytes =
            unsafe { std::slice::from_raw_parts(code.start as *const u8, (code.end - code.start) as usize) };
        log::host_code(key.pc(), code.start, bytes, &points);
    }
}

impl Placed {
    /// Host addresses of its code.
    fn code(&self) -> Range<u64> {
        self.code..self.code + u64::from(self.length)
    }

    fn drop_links(&mut self, leave: u64, tables: &[Arc<Table>]) {
        self.live = false;
        for &(key, slot) in &self.entries {
            tables.iter().for_each(|t| t.forget(key.target()));
            // SAFETY: slots live as long as the reservation.
            unsafe { &*slot }.target.store(0, Ordering::Release);
        }
        for slot in self.entries.iter().map(|e| &e.1).chain(&self.incoming) {
            // SAFETY: slots live as long as the reservation.
            unsafe { (**slot).code.store(leave, Ordering::Release) };
        }
        self.incoming = SmallVec::new();
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // SAFETY: nobody runs code of an engine that is dropped.
        unsafe { libc::munmap(self.base.cast(), RESERVE) };
    }
}
