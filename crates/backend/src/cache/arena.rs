//! Memory for blocks: bump allocation in chunks that are given back all at once.

use crate::interp::{Block, Slot};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};

const CHUNK: usize = 64 << 10;

#[derive(Debug, Default)]
pub struct Arena {
    chunks: Vec<(*mut u8, usize)>,
    /// Free space in the last chunk.
    at: usize,
    used: usize,
}

// SAFETY: the chunks belong to the arena alone.
unsafe impl Send for Arena {}

impl Arena {
    /// Copies a block and its slots behind it; the result lives as long as the arena.
    pub fn place(&mut self, block: Block, slots: &[Slot]) -> *const Block {
        let size = size_of::<Block>() + size_of_val(slots);
        let room = self.chunks.last().map_or(0, |c| c.1 - self.at);
        if room < size {
            let len = CHUNK.max(size);
            let layout = layout(len);
            // SAFETY: the size is not zero.
            let p = unsafe { alloc(layout) };
            if p.is_null() {
                handle_alloc_error(layout);
            }
            self.chunks.push((p, len));
            self.at = 0;
        }
        let chunk = self.chunks[self.chunks.len() - 1].0;
        // SAFETY: `at + size` is within the chunk, and both types' sizes are multiples of its alignment.
        unsafe {
            let p = chunk.add(self.at).cast::<Block>();
            let first = p.add(1).cast::<Slot>();
            p.write(block);
            std::ptr::copy_nonoverlapping(slots.as_ptr(), first, slots.len());
            (*first).set_block(p);
            self.at += size;
            self.used += size;
            p
        }
    }

    pub fn bytes(&self) -> usize {
        self.used
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        for &(p, len) in &self.chunks {
            // SAFETY: allocated above with this layout; nobody runs blocks of a cache that is dropped.
            unsafe { dealloc(p, layout(len)) };
        }
    }
}

fn layout(len: usize) -> Layout {
    Layout::from_size_align(len, 64).expect("a chunk's size")
}
