//! Where compiled code looks up the addresses that it jumps to: a thread's table from guest addresses to host code.
//!
//! Compiled code reads the table of its own thread without any lock. All else happens under the lock of the regions: an entry is
//! made only for a region that is live then, and taken away from the tables of all threads when that is dropped.

use super::{ENTRY_BITS, JUMP_FACTOR, JUMP_SHIFT, JUMPS, MOST_JUMPS, NO_TARGET};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// A thread's table. It grows when it is too small for the program.
#[derive(Debug, Default)]
pub struct RegionJumps {
    table: Option<Arc<Table>>,
    /// Entries written since it grew.
    puts: usize,
}

/// The entries, as many as a power of two.
#[derive(Debug)]
pub struct Table(Box<[Entry]>);

/// An entry; compiled code knows the layout.
#[repr(C)]
#[derive(Debug)]
struct Entry {
    /// Host address.
    code: AtomicU64,
    /// Guest address; bit 0 is Thumb.
    target: AtomicU32,
}

const _: () = assert!(size_of::<Entry>() == 1 << ENTRY_BITS);

impl RegionJumps {
    /// Address of the table, and the mask that makes the offset of an entry of a hash that is `ENTRY_BITS` longer. Allocates the
    /// table if there is none yet.
    pub fn view(&mut self) -> (u64, u32) {
        let table = self.table.get_or_insert_with(|| Table::new(JUMPS));
        (table.0.as_ptr() as u64, (table.0.len() as u32 - 1) << ENTRY_BITS)
    }

    /// The table to put something into; a larger one in its place, when it is too small for the program.
    pub(super) fn table(&mut self) -> &Arc<Table> {
        let entries = self.table.as_ref().map_or(JUMPS, |t| t.0.len());
        if self.puts > entries && entries < MOST_JUMPS {
            (self.table, self.puts) = (Some(Table::new(4 * entries)), 0);
        }
        self.puts += 1;
        self.table.get_or_insert_with(|| Table::new(entries))
    }
}

impl Table {
    fn new(entries: usize) -> Arc<Table> {
        // SAFETY: all zeroes is an entry: address 0 and no code.
        let table = Table(unsafe { Box::<[Entry]>::new_zeroed_slice(entries).assume_init() });
        table.0[0].target.store(NO_TARGET, Ordering::Relaxed);
        Arc::new(table)
    }

    fn entry(&self, target: u32) -> &Entry {
        &self.0[(target.wrapping_mul(JUMP_FACTOR) >> JUMP_SHIFT) as usize & (self.0.len() - 1)]
    }

    /// From now on `target` is found at `code`.
    pub(super) fn put(&self, target: u32, code: u64) {
        let e = self.entry(target);
        e.target.store(NO_TARGET, Ordering::Relaxed);
        e.code.store(code, Ordering::Release);
        e.target.store(target, Ordering::Release);
    }

    /// Where `target` is found, it is at `code` from now on.
    pub(super) fn redirect(&self, target: u32, code: u64) {
        let e = self.entry(target);
        if e.target.load(Ordering::Relaxed) == target {
            e.code.store(code, Ordering::Release);
        }
    }

    /// `target` is not found any more.
    pub(super) fn forget(&self, target: u32) {
        let e = self.entry(target);
        if e.target.load(Ordering::Relaxed) == target {
            e.target.store(NO_TARGET, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(table: &Table, target: u32) -> Option<u64> {
        let e = table.entry(target);
        (e.target.load(Ordering::Relaxed) == target).then(|| e.code.load(Ordering::Relaxed))
    }

    #[test]
    fn entries_come_change_and_go() {
        let mut jumps = RegionJumps::default();
        let table = jumps.table().clone();
        assert_eq!(find(&table, 0), None);
        table.put(0x1001, 7);
        table.redirect(0x1001, 8);
        table.redirect(0x2001, 9);
        assert_eq!((find(&table, 0x1001), find(&table, 0x2001)), (Some(8), None));
        table.forget(0x1001);
        assert_eq!(find(&table, 0x1001), None);
    }

    #[test]
    fn a_table_grows() {
        let mut jumps = RegionJumps::default();
        let (first, mask) = jumps.view();
        for n in 0..2 * JUMPS as u32 + 2 {
            jumps.table().put(n << 1, 1);
        }
        let (second, larger) = jumps.view();
        assert!(first != second && larger > mask);
    }
}
