//! The translation-block cache: which blocks exist, where they live, and how they are found and dropped.
//!
//! Invariants are on one page in `docs/code-cache.md`. The chief one: every block starts with an `enter` slot, and to drop
//! a block is to overwrite that slot's handler. Whoever still holds a pointer to it (a link of another block, a thread's
//! jump cache) finds out when it arrives, so nothing is unlinked, and block memory is never reused while a thread runs.

mod arena;
pub mod image;
mod jumps;
pub mod native;
pub mod store;

use crate::interp::{Block, Slot, control};
use arena::Arena;
use dashmap::DashMap;
pub use jumps::RegionJumps;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;
use std::ops::Range;
use std::sync::Mutex;

/// A block's identity: guest address, instruction set and IT state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(u64);

impl Key {
    /// The key of the code at `pc`.
    pub fn new(pc: u32, thumb: bool, itstate: u32) -> Key {
        Key(u64::from(pc) | u64::from(thumb) << 32 | u64::from(itstate) << 40)
    }

    /// Guest address.
    pub fn pc(self) -> u32 {
        self.0 as u32
    }

    /// Guest address with bit 0 set for Thumb.
    pub fn target(self) -> u32 {
        self.pc() | u32::from(self.thumb())
    }

    /// Thumb state.
    pub fn thumb(self) -> bool {
        self.0 >> 32 & 1 != 0
    }

    /// ITSTATE at the block's start.
    pub fn itstate(self) -> u32 {
        (self.0 >> 40) as u32
    }
}

/// A block in the arena.
#[derive(Clone, Copy, Debug)]
pub struct BlockRef(*const Block);

// SAFETY: blocks are immutable but for atomics, and live as long as the cache.
unsafe impl Send for BlockRef {}
// SAFETY: as above.
unsafe impl Sync for BlockRef {}

impl std::ops::Deref for BlockRef {
    type Target = Block;
    fn deref(&self) -> &Block {
        // SAFETY: made by `Cache::insert` from memory of the arena, which lives as long as the cache.
        unsafe { &*self.0 }
    }
}

const PAGE_SHIFT: u32 = 12;

/// The blocks of one address space, shared by its threads.
#[derive(Debug, Default)]
pub struct Cache {
    blocks: DashMap<u64, BlockRef, FxBuildHasher>,
    /// The blocks that touch a guest page.
    pages: DashMap<u32, SmallVec<[BlockRef; 4]>, FxBuildHasher>,
    arena: Mutex<Arena>,
}

impl Cache {
    /// The block of a key.
    pub fn get(&self, key: Key) -> Option<BlockRef> {
        self.blocks.get(&key.0).map(|b| *b)
    }

    /// Takes a new block's slots into the arena. If another thread was first, its block is the answer.
    pub fn insert(&self, block: Block, slots: &[Slot]) -> BlockRef {
        let key = block.key;
        let range = block.range();
        match self.blocks.entry(key.0) {
            dashmap::Entry::Occupied(e) => *e.get(),
            dashmap::Entry::Vacant(e) => {
                let at = BlockRef(self.arena.lock().unwrap_or_else(|e| e.into_inner()).place(block, slots));
                e.insert(at);
                // A block that only stands for a region goes with it.
                if at.instructions > 0 {
                    for page in pages(&range) {
                        self.pages.entry(page).or_default().push(at);
                    }
                }
                at
            }
        }
    }

    /// All blocks.
    pub fn blocks(&self) -> Vec<BlockRef> {
        self.blocks.iter().map(|b| *b).collect()
    }

    /// Drops a block that only stands for a region.
    pub fn forget(&self, block: &Block) {
        control::make_stale(block);
        self.blocks.remove_if(&block.key.0, |_, b| std::ptr::eq(&**b, block));
    }

    /// Drops every block that touches `range`.
    pub fn invalidate(&self, range: Range<u32>) {
        if range.is_empty() {
            return;
        }
        let drop_page = |list: &mut SmallVec<[BlockRef; 4]>| {
            list.retain(|b| {
                let r = b.range();
                let hit = r.start < range.end && range.start < r.end;
                if hit {
                    self.blocks.remove(&b.key.0);
                    control::make_stale(b);
                }
                !hit
            });
        };
        let span = pages(&range);
        if span.end - span.start > 4096 {
            // A large range: walk what exists instead of what might.
            for mut e in self.pages.iter_mut().filter(|e| span.contains(e.key())) {
                drop_page(e.value_mut());
            }
        } else {
            for page in span {
                if let Some(mut list) = self.pages.get_mut(&page) {
                    drop_page(&mut list);
                }
            }
        }
    }

    /// Number of blocks.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Has no block been made?
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Bytes of block memory in use.
    pub fn bytes(&self) -> usize {
        self.arena.lock().unwrap_or_else(|e| e.into_inner()).bytes()
    }
}

pub(crate) fn pages(range: &Range<u32>) -> Range<u32> {
    range.start >> PAGE_SHIFT..((range.end - 1) >> PAGE_SHIFT) + 1
}

/// A thread's direct-mapped table from guest addresses (bit 0 is Thumb) to entry slots of blocks: where the interpreter's
/// indirect branches look first. It grows when it is too small for the program.
#[derive(Debug)]
pub struct Jumps<T> {
    table: Box<[Jump<T>]>,
    /// Entries written since it grew.
    puts: usize,
}

/// An entry.
#[derive(Debug)]
struct Jump<T> {
    to: *const T,
    target: u32,
}

/// Entries in the beginning and at most, powers of two. Only pages in use cost memory.
const JUMPS: usize = 8192;
/// See `JUMPS`.
const MOST_JUMPS: usize = 1 << (32 - JUMP_SHIFT);

/// The hash is the upper bits of the product with this (Fibonacci hashing). Folding the address upon itself let functions and the
/// places they return to collide for good.
pub const JUMP_FACTOR: u32 = 0x9e37_79b1;
/// See `JUMP_FACTOR`.
pub const JUMP_SHIFT: u32 = 14;

/// An entry has `1 << ENTRY_BITS` bytes.
pub const ENTRY_BITS: u32 = 4;

/// What the first entry holds while it is empty, since address 0 leads there: an odd address where nothing starts.
const NO_TARGET: u32 = u32::MAX;

impl<T> Default for Jumps<T> {
    fn default() -> Self {
        Jumps { table: Box::default(), puts: 0 }
    }
}

impl<T> Jumps<T> {
    /// Allocates the table if there is none yet.
    pub fn prepare(&mut self) {
        if self.table.is_empty() {
            self.resize(JUMPS);
        }
    }

    fn resize(&mut self, entries: usize) {
        // SAFETY: all zeroes is an entry: address 0 and a null pointer.
        self.table = unsafe { Box::<[Jump<T>]>::new_zeroed_slice(entries).assume_init() };
        self.table[0].target = NO_TARGET;
        self.puts = 0;
    }

    #[inline(always)]
    fn index(&self, target: u32) -> usize {
        (target.wrapping_mul(JUMP_FACTOR) >> JUMP_SHIFT) as usize & self.table.len().wrapping_sub(1)
    }

    /// The entry slot for `target`, or null.
    #[inline(always)]
    pub fn find(&self, target: u32) -> *const T {
        match self.table.get(self.index(target)) {
            Some(e) if e.target == target => e.to,
            _ => std::ptr::null(),
        }
    }

    /// Remembers an entry slot.
    pub fn put(&mut self, target: u32, to: *const T) {
        if self.puts > 2 * self.table.len() && self.table.len() < MOST_JUMPS {
            self.resize(4 * self.table.len());
        }
        self.puts += 1;
        let index = self.index(target);
        if let Some(e) = self.table.get_mut(index) {
            *e = Jump { to, target };
        }
    }
}
