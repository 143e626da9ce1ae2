//! The translation-block cache: which blocks exist, where they live, and how they are found and dropped.
//!
//! Invariants are on one page in `docs/code-cache.md`. The chief one: every block starts with an `enter` slot, and to drop
//! a block is to overwrite that slot's handler. Whoever still holds a pointer to it (a link of another block, a thread's
//! jump cache) finds out when it arrives, so nothing is unlinked, and block memory is never reused while a thread runs.

mod arena;
pub mod native;
pub mod store;

use crate::interp::{Block, Slot, control};
use arena::Arena;
use dashmap::DashMap;
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

/// A thread's direct-mapped table from guest address (bit 0 is Thumb) to block: where indirect branches look first.
#[derive(Debug, Default)]
pub struct JumpCache(Option<Box<[JumpEntry; JUMP_ENTRIES]>>);

const JUMP_ENTRIES: usize = 16384;

#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct JumpEntry {
    target: u32,
    entry: *const Slot,
}

impl JumpCache {
    /// Allocates the table if this thread has none yet.
    pub fn prepare(&mut self) {
        if self.0.is_none() {
            // SAFETY: all zeroes is an entry: address 0 and a null pointer, which counts as none. Only pages in use cost memory.
            self.0 = Some(unsafe { Box::new_zeroed().assume_init() });
        }
    }

    /// The entry slot of the block at `target` (bit 0 set for Thumb), or null.
    #[inline(always)]
    pub fn find(&self, target: u32) -> *const Slot {
        match &self.0 {
            Some(table) => {
                let e = &table[index(target)];
                if e.target == target { e.entry } else { std::ptr::null() }
            }
            None => std::ptr::null(),
        }
    }

    /// Remembers a block.
    pub fn put(&mut self, target: u32, entry: *const Slot) {
        if let Some(table) = &mut self.0 {
            table[index(target)] = JumpEntry { target, entry };
        }
    }
}

fn index(target: u32) -> usize {
    (target >> 1 ^ target >> 12) as usize & (JUMP_ENTRIES - 1)
}

/// A thread's table from guest address (bit 0 is Thumb) to the entry slot of a region, read by compiled code.
#[derive(Debug, Default)]
pub struct NativeJumps(Option<Box<[NativeJump]>>);

/// `hash & NATIVE_JUMP_MASK` is an index into [`NativeJumps`]; the hash is `target >> 1 ^ target >> 12`.
pub const NATIVE_JUMP_MASK: i64 = 8191;

#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct NativeJump {
    slot: *const native::LinkSlot,
    target: u32,
}

/// What an empty entry holds: an odd address with bit 1 clear in A32 terms, where no region starts.
const NO_TARGET: u32 = u32::MAX;

impl NativeJumps {
    /// Allocates the table if there is none yet; its address.
    pub fn prepare(&mut self) -> u64 {
        let table = self.0.get_or_insert_with(|| {
            // SAFETY: all zeroes is an entry: address 0 and no slot. Only address 0 looks at entry 0.
            let mut table =
                unsafe { Box::<[NativeJump]>::new_zeroed_slice(NATIVE_JUMP_MASK as usize + 1).assume_init() };
            table[0].target = NO_TARGET;
            table
        });
        table.as_ptr() as u64
    }

    /// Remembers where a region is entered.
    pub fn put(&mut self, target: u32, slot: *const native::LinkSlot) {
        if let Some(table) = &mut self.0 {
            table[(target >> 1 ^ target >> 12) as usize & NATIVE_JUMP_MASK as usize] =
                NativeJump { slot, target };
        }
    }
}
