//! The guest's address space: 4 GiB, at host address 0 where that can be had.
//!
//! The layout is that of a 32-bit process on an arm64 kernel: the stack ends below the vectors page at
//! 0xffff0000, mappings are placed downwards from a gap below the stack, and the heap follows the program.

mod access;
pub mod kuser;
pub mod map;
mod peek;
pub mod placement;
mod shm;

pub use access::GuestMemory;
pub use map::{Label, PAGE, Vma, page_up};
pub use peek::Peek;

use crate::errno::{Errno, SysResult};
use crate::perf;
use crate::symbols::Symbols;
use forearm_backend::{CodeSource, Engine};
use map::Vmas;
use std::ops::Range;
use std::ptr;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Where the vectors page of ARM kernels lies, and with it the end of what can be mapped (arm64: AARCH32_VECTORS_BASE).
pub const TASK_SIZE: u64 = 0xffff_0000;

/// An access that starts at the last guest byte may run this far past 4 GiB before it must fault.
const GUARD: usize = 64 << 10;

const RW: i32 = libc::PROT_READ | libc::PROT_WRITE;

/// The part of the address space that changes.
#[derive(Debug)]
pub struct MemoryMap {
    /// What is mapped.
    pub vmas: Vmas,
    /// Start and end of the heap.
    pub brk: (u64, u64),
    /// Mappings without an address go below this.
    mmap_base: u64,
    /// SysV segments: address and length.
    shm: std::collections::BTreeMap<u64, u64>,
    /// mlockall(MCL_FUTURE): flags to add to every mapping.
    future: i32,
}

/// A guest address space and its translations.
pub struct Memory {
    map: Arc<Shared>,
    engine: Arc<Engine>,
}

/// What the engine sees of the address space.
#[derive(Debug)]
struct Shared {
    map: RwLock<MemoryMap>,
    base: u64,
    /// Names of code.
    symbols: Symbols,
    /// No guest address below this (vm.mmap_min_addr, or 0 when the guest has a base of its own).
    lowest: u64,
}

impl CodeSource for Shared {
    fn executable(&self, pc: u32) -> Option<Range<u32>> {
        let map = read(&self.map);
        let (start, vma) = map.vmas.find(u64::from(pc))?;
        // The last byte of the address space would not fit a Range<u32>; no instruction ends there.
        vma.executable().then(|| start as u32..u32::try_from(vma.end).unwrap_or(u32::MAX))
    }

    fn is_file(&self, pc: u32) -> bool {
        let found = read(&self.map).vmas.find(u64::from(pc));
        found.is_some_and(|(_, vma)| vma.label == Label::File && vma.prot & libc::PROT_WRITE == 0)
    }

    fn base(&self) -> u64 {
        self.base
    }
}

// A panic aborts the process, so a lock is never poisoned.
fn read(lock: &RwLock<MemoryMap>) -> RwLockReadGuard<'_, MemoryMap> {
    lock.read().unwrap_or_else(|e| e.into_inner())
}

/// A host call that returns an address or MAP_FAILED.
fn mapped(address: *mut libc::c_void) -> Result<(), Errno> {
    if address == libc::MAP_FAILED { Err(Errno::last()) } else { Ok(()) }
}

fn checked(ret: i32) -> Result<(), Errno> {
    if ret == 0 { Ok(()) } else { Err(Errno::last()) }
}

/// The host protection for a guest protection: never executable, readable where the engine fetches from.
fn host_prot(prot: i32) -> i32 {
    let read = if prot & libc::PROT_EXEC != 0 { libc::PROT_READ } else { 0 };
    prot & RW | read
}

/// vm.mmap_min_addr as it applies to this process.
fn mmap_min_addr() -> u64 {
    // Privileged processes may map anything but page 0.. which the kernel tells best by trying.
    let probe = |addr: u64| {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
        // SAFETY: NOREPLACE: nothing existing is touched; the page is given back at once.
        unsafe {
            let p = libc::mmap(addr as *mut _, PAGE as usize, libc::PROT_NONE, flags, -1, 0);
            p != libc::MAP_FAILED && libc::munmap(p, PAGE as usize) == 0
        }
    };
    [PAGE, 0x8000, 0x1_0000].into_iter().find(|&addr| probe(addr)).unwrap_or(1 << 20)
}

impl Memory {
    /// An empty address space. `lowest` is the lowest address that the program must have; `base` is a host address
    /// for guest address 0 instead of a chosen one.
    ///
    /// # Errors
    /// ENOMEM and others of mmap when neither the low 4 GiB nor a place elsewhere can be had.
    pub fn new(lowest: u32, base: Option<u64>) -> Result<Memory, Errno> {
        let min = mmap_min_addr();
        let (base, lowest) = match base {
            Some(base) if base != 0 => (reserve(Some(base))?, 0),
            _ if u64::from(lowest) >= min && low_memory_is_free() => (0, min),
            _ => (reserve(None)?, 0),
        };
        let map = MemoryMap {
            vmas: Vmas::default(),
            brk: (0, 0),
            mmap_base: TASK_SIZE,
            shm: Default::default(),
            future: 0,
        };
        let map = Arc::new(Shared { map: RwLock::new(map), base, symbols: Symbols::default(), lowest });
        let engine = Arc::new(Engine::new(Box::new(SharedSource(map.clone()))));
        Ok(Memory { map, engine })
    }

    /// The translations of this address space.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Guest memory as system calls read and write it.
    pub fn guest(&self) -> GuestMemory {
        GuestMemory::new(self.map.base)
    }

    /// The map for reading: /proc/self/maps, gdb.
    pub fn map(&self) -> RwLockReadGuard<'_, MemoryMap> {
        read(&self.map.map)
    }

    /// The map for writing. fork holds it so that the child does not inherit a lock taken by another thread.
    pub fn lock(&self) -> RwLockWriteGuard<'_, MemoryMap> {
        self.map.map.write().unwrap_or_else(|e| e.into_inner())
    }

    /// Host address of guest address 0.
    pub fn base(&self) -> u64 {
        self.map.base
    }

    fn host(&self, addr: u64) -> *mut libc::c_void {
        (self.map.base + addr) as *mut libc::c_void
    }

    /// The range that holds `addr`.
    pub fn find(&self, addr: u32) -> Option<(u32, Vma)> {
        self.map().vmas.find(u64::from(addr)).map(|(start, vma)| (start as u32, vma))
    }

    /// Sets where mappings without an address go: below `top`.
    pub fn set_mmap_base(&self, top: u64) {
        self.lock().mmap_base = top;
    }

    /// Starts the heap at `addr`.
    pub fn set_brk(&self, addr: u64) {
        self.lock().brk = (addr, addr);
    }

    /// mmap2 with the offset in bytes.
    ///
    /// # Errors
    /// As mmap(2), in the kernel's order of precedence.
    pub fn mmap(&self, addr: u32, len: u32, prot: i32, flags: i32, fd: i32, offset: u64) -> SysResult {
        self.mmap_labelled(u64::from(addr), u64::from(len), prot, flags, fd, offset, Label::None)
    }

    /// [`mmap`](Self::mmap) of a range with a label.
    ///
    /// # Errors
    /// As mmap(2).
    #[expect(clippy::too_many_arguments, reason = "mmap's own six and the label")]
    pub fn mmap_labelled(
        &self,
        addr: u64,
        len: u64,
        prot: i32,
        flags: i32,
        fd: i32,
        offset: u64,
        label: Label,
    ) -> SysResult {
        // ARM has no MAP_32BIT; the bit is ignored there.
        let mut flags = flags & !libc::MAP_32BIT;
        let anonymous = flags & libc::MAP_ANONYMOUS != 0;
        if len == 0 || !offset.is_multiple_of(PAGE) {
            return Err(Errno(libc::EINVAL));
        }
        let huge = flags & libc::MAP_HUGETLB != 0;
        let align = if huge { huge_page(flags) } else { PAGE };
        let len = (len + align - 1) & !(align - 1);
        if len > TASK_SIZE {
            return Err(Errno(libc::ENOMEM));
        }
        if !anonymous && prot & libc::PROT_EXEC != 0 {
            refuse_noexec(fd)?;
        }
        let noreplace = flags & libc::MAP_FIXED_NOREPLACE == libc::MAP_FIXED_NOREPLACE;
        let fixed = noreplace || flags & libc::MAP_FIXED != 0;
        let label = if label == Label::None && !anonymous { Label::File } else { label };
        let private = flags & libc::MAP_TYPE == libc::MAP_PRIVATE;
        let library = !fixed && !anonymous && private && addr == 0 && offset == 0;
        let code = if library { placement::fingerprint(fd) } else { None };
        let mut map = self.lock();
        let start = if fixed {
            if !addr.is_multiple_of(PAGE) {
                return Err(Errno(libc::EINVAL));
            }
            if addr + len > TASK_SIZE {
                return Err(Errno(libc::ENOMEM));
            }
            if addr < self.map.lowest {
                return Err(Errno(libc::EPERM));
            }
            if noreplace && !map.vmas.is_free(addr..addr + len) {
                return Err(Errno(libc::EEXIST));
            }
            addr
        } else {
            self.place(&map, addr, len, align, code).ok_or(Errno(libc::ENOMEM))?
        };
        let had_code = map.vmas.has_code(start..start + len);
        flags = flags & !libc::MAP_FIXED_NOREPLACE | libc::MAP_FIXED | map.future;
        // SAFETY: the range lies in the guest's 4 GiB, where nothing of the translator's lives.
        mapped(unsafe {
            libc::mmap(self.host(start), len as usize, host_prot(prot), flags, fd, offset as i64)
        })?;
        map.shm.retain(|&at, _| !(start..start + len).contains(&at));
        map.vmas.insert(
            start,
            Vma {
                end: start + len,
                prot: prot & (RW | libc::PROT_EXEC),
                shared: flags & libc::MAP_TYPE != libc::MAP_PRIVATE,
                grows_down: flags & libc::MAP_GROWSDOWN != 0,
                label,
            },
        );
        drop(map);
        self.forget_code(had_code, start..start + len);
        Ok(start as u32)
    }

    /// Where code with this fingerprint goes, if that is free.
    pub fn place_of_code(&self, fingerprint: u64, len: u64) -> Option<u64> {
        let map = self.map();
        (map.mmap_base >= placement::WINDOW.end).then(|| placement::place(&map.vmas, fingerprint, len))?
    }

    /// A free place for `len` bytes: at `hint` if that is free, where the fingerprint says if it is `code`.
    fn place(&self, map: &MemoryMap, hint: u64, len: u64, align: u64, code: Option<u64>) -> Option<u64> {
        let lowest = self.map.lowest.max(PAGE);
        let hint = hint & !(align - 1);
        if hint != 0 {
            let hint = hint.max((lowest + align - 1) & !(align - 1));
            if hint + len <= TASK_SIZE && map.vmas.is_free(hint..hint + len) {
                return Some(hint);
            }
        }
        let mut base = map.mmap_base;
        if base >= placement::WINDOW.end {
            if let Some(start) = code.and_then(|code| placement::place(&map.vmas, code, len)) {
                return Some(start);
            }
            base = placement::WINDOW.start;
        }
        // Bottom-up above the base when the space below it is used up, as the kernel does.
        let below = map.vmas.find_free(len, align, lowest..base);
        below.or_else(|| map.vmas.find_free(len, align, lowest..TASK_SIZE))
    }

    fn forget_code(&self, had_code: bool, range: Range<u64>) {
        if had_code {
            self.map.symbols.forget();
            self.engine.invalidate(range.start as u32..u32::try_from(range.end).unwrap_or(u32::MAX));
        }
    }

    /// The range as the guest's arguments give it, or `None` when it leaves the address space or is not aligned.
    fn range(addr: u32, len: u32) -> Option<Range<u64>> {
        let start = u64::from(addr);
        let end = start + page_up(u64::from(len));
        (start % PAGE == 0 && end <= 1 << 32).then_some(start..end)
    }

    /// munmap.
    ///
    /// # Errors
    /// EINVAL; those of the host.
    pub fn munmap(&self, addr: u32, len: u32) -> Result<(), Errno> {
        let range = Self::range(addr, len).filter(|r| !r.is_empty() && r.end <= TASK_SIZE);
        let range = range.ok_or(Errno(libc::EINVAL))?;
        let mut map = self.lock();
        let had_code = map.vmas.has_code(range.clone());
        self.unmap_host(range.clone())?;
        map.vmas.remove(range.clone());
        map.shm.retain(|at, _| !range.contains(at));
        drop(map);
        self.forget_code(had_code, range);
        Ok(())
    }

    /// Unmaps in the host; where the address space is a reservation, reserves again.
    fn unmap_host(&self, range: Range<u64>) -> Result<(), Errno> {
        let len = (range.end - range.start) as usize;
        if self.map.base == 0 {
            // SAFETY: only guest memory.
            return checked(unsafe { libc::munmap(self.host(range.start), len) });
        }
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
        // SAFETY: only guest memory.
        mapped(unsafe { libc::mmap(self.host(range.start), len, libc::PROT_NONE, flags, -1, 0) })
    }

    /// mprotect. A hole ends it with ENOMEM; what is before the hole has changed, as in the kernel.
    ///
    /// # Errors
    /// EINVAL, ENOMEM; EACCES from the host.
    pub fn mprotect(&self, addr: u32, len: u32, prot: i32) -> Result<(), Errno> {
        const PROT_SEM: i32 = 8;
        const PROT_GROWSDOWN: i32 = 0x0100_0000;
        const PROT_GROWSUP: i32 = 0x0200_0000;
        let grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
        if u64::from(addr) % PAGE != 0
            || prot & !(RW | libc::PROT_EXEC | PROT_SEM | grows) != 0
            || grows == PROT_GROWSDOWN | PROT_GROWSUP
        {
            return Err(Errno(libc::EINVAL));
        }
        if len == 0 {
            return Ok(());
        }
        let mut range = Self::range(addr, len).ok_or(Errno(libc::ENOMEM))?;
        let prot = prot & (RW | libc::PROT_EXEC);
        let mut map = self.lock();
        if grows != 0 {
            let (start, vma) = map.vmas.find(range.start).ok_or(Errno(libc::ENOMEM))?;
            if grows == PROT_GROWSUP || !(vma.grows_down || vma.label == Label::Stack) {
                return Err(Errno(libc::EINVAL));
            }
            range.start = start;
        }
        let end = map.vmas.mapped_prefix(range.clone());
        let whole = end == range.end;
        let range = range.start..end;
        let had_code = map.vmas.has_code(range.clone());
        if !range.is_empty() {
            let len = (range.end - range.start) as usize;
            // SAFETY: only guest memory.
            checked(unsafe { libc::mprotect(self.host(range.start), len, host_prot(prot)) })?;
            map.vmas.protect(range.clone(), prot);
        }
        drop(map);
        self.forget_code(had_code, range);
        if whole { Ok(()) } else { Err(Errno(libc::ENOMEM)) }
    }

    /// mremap.
    ///
    /// # Errors
    /// EINVAL, EFAULT, ENOMEM with the kernel's precedence (mm/mremap.c); node and musl's realloc depend on it.
    pub fn mremap(&self, addr: u32, old_len: u32, new_len: u32, flags: i32, new_addr: u32) -> SysResult {
        let known = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED | libc::MREMAP_DONTUNMAP;
        let maymove = flags & libc::MREMAP_MAYMOVE != 0;
        let to_fixed = flags & libc::MREMAP_FIXED != 0;
        let dontunmap = flags & libc::MREMAP_DONTUNMAP != 0;
        let (old, old_len, new_len) = (u64::from(addr), page_up(old_len.into()), page_up(new_len.into()));
        let invalid = flags & !known != 0
            || (to_fixed || dontunmap) && !maymove
            || dontunmap && old_len != new_len
            || old % PAGE != 0
            || new_len == 0;
        if invalid {
            return Err(Errno(libc::EINVAL));
        }
        let to = u64::from(new_addr);
        if to_fixed || dontunmap {
            let overlaps = to < old + old_len && old < to + new_len;
            if to % PAGE != 0 || to + new_len > TASK_SIZE || to_fixed && overlaps {
                return Err(Errno(libc::EINVAL));
            }
        }
        let mut map = self.lock();
        let (_, vma) = map.vmas.find(old).ok_or(Errno(libc::EFAULT))?;
        // Shrinking in place may cross ranges: it is a munmap.
        if old + old_len > vma.end && (new_len > old_len || to_fixed) {
            return Err(Errno(libc::EFAULT));
        }
        let had_code = vma.executable();
        if to_fixed || dontunmap {
            let target = if to_fixed {
                if to < self.map.lowest {
                    return Err(Errno(libc::EPERM));
                }
                to
            } else {
                self.place(&map, to, new_len, PAGE, None).ok_or(Errno(libc::ENOMEM))?
            };
            let replaced_code = map.vmas.has_code(target..target + new_len);
            self.move_mapping(&mut map, vma, old..old + old_len, target..target + new_len, dontunmap)?;
            drop(map);
            self.forget_code(had_code, old..old + old_len);
            self.forget_code(replaced_code, target..target + new_len);
            return Ok(target as u32);
        }
        if old_len == 0 {
            if !vma.shared {
                return Err(Errno(libc::EINVAL));
            }
            if !maymove {
                return Err(Errno(libc::ENOMEM));
            }
        } else if new_len <= old_len {
            if new_len < old_len {
                let tail = old + new_len..old + old_len;
                let had_code = map.vmas.has_code(tail.clone());
                self.unmap_host(tail.clone())?;
                map.vmas.remove(tail.clone());
                drop(map);
                self.forget_code(had_code, tail);
            }
            return Ok(addr);
        } else {
            let grown = old + old_len..old + new_len;
            if grown.end <= TASK_SIZE
                && map.vmas.is_free(grown.clone())
                && self.grow(old, old_len, new_len)?
            {
                map.vmas.insert(grown.start, Vma { end: grown.end, ..vma });
                return Ok(addr);
            }
            if !maymove {
                return Err(Errno(libc::ENOMEM));
            }
        }
        let target = self.place(&map, 0, new_len, PAGE, None).ok_or(Errno(libc::ENOMEM))?;
        self.move_mapping(&mut map, vma, old..old + old_len, target..target + new_len, false)?;
        drop(map);
        self.forget_code(had_code, old..old + old_len);
        Ok(target as u32)
    }

    /// Grows a host mapping in place; `false`: the host could not.
    fn grow(&self, old: u64, old_len: u64, new_len: u64) -> Result<bool, Errno> {
        let tail = old + old_len..old + new_len;
        if self.map.base != 0 {
            // The reservation is in the way.
            // SAFETY: the guest has nothing mapped there.
            checked(unsafe { libc::munmap(self.host(tail.start), (tail.end - tail.start) as usize) })?;
        }
        // SAFETY: a guest mapping that stays where it is.
        let moved = unsafe { libc::mremap(self.host(old), old_len as usize, new_len as usize, 0) };
        if moved != libc::MAP_FAILED {
            return Ok(true);
        }
        let error = Errno::last();
        if self.map.base != 0 {
            self.unmap_host(tail)?;
        }
        // EAGAIN: locked memory; ENOMEM may be the place or a limit, which moving will tell.
        if error.0 == libc::ENOMEM { Ok(false) } else { Err(error) }
    }

    fn move_mapping(
        &self,
        map: &mut MemoryMap,
        vma: Vma,
        old: Range<u64>,
        new: Range<u64>,
        dontunmap: bool,
    ) -> Result<(), Errno> {
        let keep = if dontunmap { libc::MREMAP_DONTUNMAP } else { 0 };
        let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED | keep;
        // SAFETY: from guest memory to guest memory.
        mapped(unsafe {
            libc::mremap(
                self.host(old.start),
                (old.end - old.start) as usize,
                (new.end - new.start) as usize,
                flags,
                self.host(new.start),
            )
        })?;
        if !dontunmap && !old.is_empty() {
            map.vmas.remove(old.clone());
            if self.map.base != 0 {
                self.unmap_host(old)?;
            }
        }
        map.vmas.insert(new.start, Vma { end: new.end, label: Label::None, ..vma });
        Ok(())
    }

    /// brk: the new end of the heap, or the old one when that cannot be. `data_limit` bytes are the most (RLIMIT_DATA).
    pub fn brk(&self, addr: u32, prot: i32, data_limit: u64) -> u32 {
        let mut map = self.lock();
        let (start, current) = map.brk;
        let new = u64::from(addr);
        if new < start {
            return current as u32;
        }
        let (old_end, new_end) = (page_up(current), page_up(new));
        if new_end < old_end {
            let range = new_end..old_end;
            let had_code = map.vmas.has_code(range.clone());
            if self.unmap_host(range.clone()).is_err() {
                return current as u32;
            }
            map.vmas.remove(range.clone());
            map.brk.1 = new;
            drop(map);
            self.forget_code(had_code, range);
            return addr;
        }
        if new_end > old_end {
            // A page stays free after the heap, so that running over its end is noticed.
            let free = new_end + PAGE <= TASK_SIZE && map.vmas.is_free(old_end..new_end + PAGE);
            if !free || new - start > data_limit {
                return current as u32;
            }
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | map.future;
            let len = (new_end - old_end) as usize;
            // SAFETY: a free part of guest memory.
            if mapped(unsafe { libc::mmap(self.host(old_end), len, host_prot(prot), flags, -1, 0) }).is_err()
            {
                return current as u32;
            }
            let vma = Vma { end: new_end, prot, shared: false, grows_down: false, label: Label::Heap };
            map.vmas.insert(old_end, vma);
        }
        map.brk.1 = new;
        addr
    }

    /// A host call on an existing range (madvise, msync, mlock, mincore): runs `call` on the mapped part. A hole
    /// makes it ENOMEM after that part, as in the kernel.
    ///
    /// # Errors
    /// EINVAL when `addr` is not aligned, ENOMEM, those of `call`.
    pub fn on_range(
        &self,
        addr: u32,
        len: u32,
        call: impl FnOnce(*mut libc::c_void, usize) -> i32,
    ) -> Result<Range<u64>, Errno> {
        if u64::from(addr) % PAGE != 0 {
            return Err(Errno(libc::EINVAL));
        }
        let range = Self::range(addr, len).ok_or(Errno(libc::ENOMEM))?;
        let end = self.map().vmas.mapped_prefix(range.clone());
        if end > range.start {
            checked(call(self.host(range.start), (end - range.start) as usize))?;
        }
        if end < range.end { Err(Errno(libc::ENOMEM)) } else { Ok(range) }
    }

    /// Drops the translations of code in `range` after its bytes changed.
    pub fn code_changed(&self, range: Range<u64>) {
        let had_code = self.map().vmas.has_code(range.clone());
        self.forget_code(had_code, range);
    }

    /// mlockall's MCL_FUTURE: later mappings are locked too.
    pub fn lock_future(&self, on: bool) {
        self.lock().future = if on { libc::MAP_LOCKED } else { 0 };
    }
}

/// The engine owns its source; this one is shared with [`Memory`].
#[derive(Debug)]
struct SharedSource(Arc<Shared>);

impl CodeSource for SharedSource {
    fn executable(&self, pc: u32) -> Option<Range<u32>> {
        self.0.executable(pc)
    }

    fn is_file(&self, pc: u32) -> bool {
        self.0.is_file(pc)
    }

    fn base(&self) -> u64 {
        self.0.base()
    }

    fn symbol(&self, pc: u32) -> Option<String> {
        self.0.symbols.find(self.0.base, pc).map(|place| place.function)
    }

    fn wants_code(&self) -> bool {
        perf::format().is_some()
    }

    fn placed(&self, pc: u32, address: u64, code: &[u8]) {
        let place = self.0.symbols.find(self.0.base, pc);
        let name = place.map_or_else(|| format!("{pc:#010x}"), |place| place.to_string());
        perf::placed(&name, address, code);
    }
}

/// Is the translator itself above 4 GiB, and the guard there to be had?
fn low_memory_is_free() -> bool {
    if (low_memory_is_free as *const () as u64) >> 32 == 0 {
        return false;
    }
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: NOREPLACE: nothing existing is touched.
    let guard = unsafe { libc::mmap((1u64 << 32) as *mut _, GUARD, libc::PROT_NONE, flags, -1, 0) };
    // Another address space of this process (in unit tests) has put its guard there already.
    guard as u64 == 1 << 32 || guard == libc::MAP_FAILED && Errno::last().0 == libc::EEXIST
}

/// Reserves 4 GiB and a guard anywhere, or at `base`.
fn reserve(base: Option<u64>) -> Result<u64, Errno> {
    let fixed = if base.is_some() { libc::MAP_FIXED_NOREPLACE } else { 0 };
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | fixed;
    let at = base.map_or(ptr::null_mut(), |base| base as *mut libc::c_void);
    // SAFETY: NOREPLACE or a place of the kernel's choice: nothing existing is touched.
    let place = unsafe { libc::mmap(at, (1 << 32) + GUARD, libc::PROT_NONE, flags, -1, 0) };
    mapped(place)?;
    Ok(place as u64)
}

/// Bytes of the huge page that mmap's flags ask for; the default is x86's 2 MiB.
fn huge_page(flags: i32) -> u64 {
    match flags as u32 >> libc::MAP_HUGE_SHIFT & 0x3f {
        shift @ 12..=31 => 1 << shift,
        _ => 2 << 20,
    }
}

/// EPERM when `fd` lies on a file system mounted noexec: the host does not see PROT_EXEC and cannot say it.
fn refuse_noexec(fd: i32) -> Result<(), Errno> {
    // SAFETY: plain data filled by the kernel.
    unsafe {
        let mut buf: libc::statvfs = std::mem::zeroed();
        if libc::fstatvfs(fd, &mut buf) == 0 && buf.f_flag & libc::ST_NOEXEC != 0 {
            return Err(Errno(libc::EPERM));
        }
    }
    Ok(())
}
