//! Host code: its memory, the link slots through which regions reach each other, and dropping regions.
//!
//! Code and slots lie in one reservation, so that code reaches its slots at a fixed distance. The code part is a memory
//! file mapped twice, executable there and writable elsewhere: no mapping is both. Regions lie densely, since the processor's
//! caches and predictors look at low address bits. What is placed is not changed any more, and memory of dropped regions is
//! not reused, since a thread may still be in it. Hence a fork needs nothing done either: parent and child go on running
//! the code they share, and the child puts new code into a file of its own. Slots are private memory.

use crate::cache::Key;
use crate::codegen::{Compiled, FaultPoint};
use crate::log;
use crate::tuning::{self, Optimisations};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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
    /// Guest address it stands for, bit 0 set for Thumb.
    pub target: u32,
    pad: u32,
}

/// A placed region.
#[derive(Debug)]
struct Placed {
    key: Key,
    end: usize,
    entry_slot: *const LinkSlot,
    faults: Vec<FaultPoint>,
    ranges: Vec<Range<u32>>,
    /// Link slots of other regions that lead here.
    incoming: Vec<*const LinkSlot>,
    live: bool,
}

/// All host code of an address space.
#[derive(Debug)]
pub struct Native {
    base: *mut u8,
    slots: usize,
    code: usize,
    /// By start offset.
    placed: BTreeMap<usize, Placed>,
    /// Start offsets of the regions that touch a guest page.
    pages: HashMap<u32, Vec<usize>, rustc_hash::FxBuildHasher>,
    leave: u64,
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
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // A file over the limit would be answered by SIGXFSZ.
        // SAFETY: plain system calls; the mapping replaces a part of the reservation that holds no code.
        unsafe {
            libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit);
            if limit.rlim_cur < len as u64 {
                return None;
            }
            const MFD_EXEC: libc::c_uint = 0x10; // kernels before 6.3 do not know it
            let name = c"forearm-code".as_ptr();
            let mut fd = libc::memfd_create(name, libc::MFD_CLOEXEC | MFD_EXEC);
            if fd < 0 {
                fd = libc::memfd_create(name, libc::MFD_CLOEXEC);
            }
            if fd < 0 {
                return None;
            }
            let map = |at: *mut u8, prot, fixed| {
                let p =
                    libc::mmap(at.cast(), len, prot, libc::MAP_SHARED | libc::MAP_NORESERVE | fixed, fd, 0);
                (p != libc::MAP_FAILED).then_some(p.cast::<u8>())
            };
            let view = (libc::ftruncate(fd, len as i64) == 0)
                .then(|| map(std::ptr::null_mut(), libc::PROT_READ | libc::PROT_WRITE, 0))
                .flatten();
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

impl Drop for Writable {
    fn drop(&mut self) {
        // SAFETY: the view is this value's own.
        unsafe { libc::munmap(self.at.cast(), RESERVE - self.first) };
    }
}

// SAFETY: the reservation belongs to this value; slots are atomics.
unsafe impl Send for Native {}

impl Native {
    /// Reserves address space. `leave`: host address that ends a run of compiled code.
    ///
    /// # Errors
    /// Address space or memory is exhausted.
    pub fn new(leave: u64) -> std::io::Result<Native> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh mapping.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), RESERVE, libc::PROT_NONE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error());
        }
        // SAFETY: within the mapping just made.
        if unsafe { libc::mprotect(base, SLOTS, libc::PROT_READ | libc::PROT_WRITE) } != 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok(Native {
            base: base.cast(),
            slots: 0,
            code: SLOTS,
            placed: BTreeMap::new(),
            pages: HashMap::default(),
            leave,
            writable: Native::writable(base.cast(), SLOTS),
        })
    }

    fn writable(base: *mut u8, first: usize) -> Option<Writable> {
        if tuning::on(Optimisations::DENSE) { Writable::map(base, first) } else { None }
    }

    /// Makes sure that what is written next is this process's alone: a forked child turns to a file of its own.
    fn own(&mut self) {
        if self.writable.as_ref().is_some_and(|w| w.owner != std::process::id()) {
            self.code = self.code.next_multiple_of(PAGE);
            // The parent's view is dropped; what has been placed stays executable.
            self.writable = None;
            self.writable = Native::writable(self.base, self.code);
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

    /// The addresses that host code may have.
    pub fn range(&self) -> Range<u64> {
        let base = self.base as u64;
        base + SLOTS as u64..base + RESERVE as u64
    }

    /// Bytes of code.
    pub fn bytes(&self) -> usize {
        self.code - SLOTS
    }

    fn new_slot(&mut self, target: u32, code: u64) -> Option<*const LinkSlot> {
        if self.slots + size_of::<LinkSlot>() > SLOTS {
            return None;
        }
        // SAFETY: within the slot part, 16-aligned, and not yet shared.
        let slot = unsafe {
            let p = self.base.add(self.slots).cast::<LinkSlot>();
            p.write(LinkSlot { code: AtomicU64::new(code), target, pad: 0 });
            p
        };
        self.slots += size_of::<LinkSlot>();
        Some(slot)
    }

    /// Places a region. Returns the host address of its body and its entry slot; `None` when the reservation is full or
    /// memory is.
    pub fn place(&mut self, key: Key, compiled: Compiled) -> Option<(u64, *const LinkSlot)> {
        self.own();
        // Without a memory file each region has pages of its own; nothing else is on them when they are written.
        let (start, end) = if self.writable.is_some() {
            let start = self.code.next_multiple_of(ALIGN);
            (start, start + compiled.code.len())
        } else {
            let start = self.code.next_multiple_of(PAGE);
            (start, (start + compiled.code.len()).next_multiple_of(PAGE))
        };
        let first_slot = self.slots;
        if end > RESERVE || first_slot + (compiled.exits.len() + 1) * size_of::<LinkSlot>() > SLOTS {
            return None;
        }
        for e in &compiled.exits {
            self.new_slot(e.target, self.leave)?;
        }
        let mut code = compiled.code;
        for &(offset, exit, addend) in &compiled.slots {
            let slot = first_slot + exit as usize * size_of::<LinkSlot>();
            let distance = slot as i64 - (start + offset as usize) as i64 + i64::from(addend);
            code.get_mut(offset as usize..offset as usize + 4)?
                .copy_from_slice(&(distance as i32).to_le_bytes());
        }
        self.write(start, &code)?;
        self.code = end;
        let body = self.base as u64 + start as u64 + u64::from(compiled.entry);
        if log::wants(log::Items::OUT_ASM) {
            let points: Vec<_> = compiled.faults.iter().map(|f| (f.offset, f.pc)).collect();
            log::host_code(key.pc(), self.base as u64 + start as u64, &code, &points);
        }
        let entry_slot = self.new_slot(key.pc() | u32::from(key.thumb()), body)?;
        for page in compiled.ranges.iter().flat_map(super::pages) {
            let list = self.pages.entry(page).or_default();
            if list.last() != Some(&start) {
                list.push(start);
            }
        }
        let placed = Placed {
            key,
            end: start + code.len(),
            entry_slot,
            faults: compiled.faults,
            ranges: compiled.ranges,
            incoming: Vec::new(),
            live: true,
        };
        self.placed.insert(start, placed);
        Some((body, entry_slot))
    }

    /// Lets an exit jump to the region at host address `body` from now on.
    pub fn link(&mut self, slot: &LinkSlot, body: u64) {
        let offset = (body - self.base as u64) as usize;
        if let Some((_, p)) = self.placed.range_mut(..=offset).next_back()
            && p.live
            && offset < p.end
        {
            p.incoming.push(slot);
            slot.code.store(body, Ordering::Release);
        }
    }

    /// Drops the regions made from code in `range`; their keys.
    pub fn invalidate(&mut self, range: Range<u32>) -> Vec<Key> {
        let pages = super::pages(&range);
        let starts: Vec<usize> = if (pages.len()) > self.pages.len() {
            self.pages.iter().filter(|(p, _)| pages.contains(p)).flat_map(|(_, l)| l).copied().collect()
        } else {
            pages.filter_map(|p| self.pages.get(&p)).flatten().copied().collect()
        };
        let mut keys = Vec::new();
        for start in starts {
            let Some(p) = self.placed.get_mut(&start) else { continue };
            if p.live && p.ranges.iter().any(|r| r.start < range.end && range.start < r.end) {
                keys.push(p.key);
                p.drop_links(self.leave);
            }
        }
        keys
    }

    /// Drops everything; the keys.
    pub fn clear(&mut self) -> Vec<Key> {
        let leave = self.leave;
        let live = self.placed.values_mut().filter(|p| p.live);
        let keys = live
            .map(|p| {
                p.drop_links(leave);
                p.key
            })
            .collect();
        self.pages.clear();
        keys
    }

    /// The region that has the host address `body`: its first address and its code.
    pub fn code_at(&self, body: u64) -> Option<(u64, &[u8])> {
        let offset = body.checked_sub(self.base as u64)? as usize;
        let (&start, p) = self.placed.range(..=offset).next_back()?;
        // SAFETY: placed code is readable, lies in the reservation and does not change.
        let code = unsafe { std::slice::from_raw_parts(self.base.add(start), p.end - start) };
        Some((self.base as u64 + start as u64, code))
    }

    /// The guest instruction that the host code at `host` belongs to.
    pub fn locate(&self, host: u64) -> Option<FaultPoint> {
        let offset = host.checked_sub(self.base as u64)? as usize;
        let (start, p) = self.placed.range(..=offset).next_back()?;
        if offset >= p.end {
            return None;
        }
        let inside = (offset - start) as u32;
        let k = p.faults.partition_point(|f| f.offset <= inside);
        p.faults.get(k.checked_sub(1)?).copied()
    }
}

impl Placed {
    fn drop_links(&mut self, leave: u64) {
        self.live = false;
        for slot in std::iter::once(&self.entry_slot).chain(&self.incoming) {
            // SAFETY: slots live as long as the reservation.
            unsafe { (**slot).code.store(leave, Ordering::Release) };
        }
        self.incoming = Vec::new();
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        // SAFETY: nobody runs code of an engine that is dropped.
        unsafe { libc::munmap(self.base.cast(), RESERVE) };
    }
}
