//! Names of guest addresses, for the log and for perf: from the symbol tables of the files that are mapped there.

use crate::procfs::maps;
use goblin::elf::{Elf, program_header::PT_LOAD, sym::STT_FUNC};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The names in one address space. Used with the engine's gate passed, so no fork finds it locked.
#[derive(Debug, Default)]
pub struct Symbols(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    mapped: Vec<Mapped>,
    /// By path; a file that has no symbols has an empty table.
    tables: HashMap<Vec<u8>, Arc<Table>>,
}

/// A file mapped at guest addresses.
#[derive(Debug)]
struct Mapped {
    range: Range<u64>,
    offset: u64,
    path: Vec<u8>,
}

/// A function and where in it an address is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its name.
    pub function: String,
    /// Bytes behind its start.
    pub offset: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.offset {
            0 => f.write_str(&self.function),
            offset => write!(f, "{}+{offset:#x}", self.function),
        }
    }
}

impl Symbols {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Mappings have changed.
    pub fn forget(&self) {
        self.state().mapped.clear();
    }

    /// The function at `pc`; host address 0 of the guest is `base`.
    pub fn find(&self, base: u64, pc: u32) -> Option<Place> {
        self.state().find(base, pc.into())
    }
}

impl State {
    fn find(&mut self, base: u64, pc: u64) -> Option<Place> {
        let has = |m: &Mapped| m.range.contains(&pc);
        if !self.mapped.iter().any(has) {
            let text = std::fs::read("/proc/self/maps").ok()?;
            let files = maps::lines(&text).filter(|line| line.name.starts_with(b"/"));
            let guest = files.filter_map(|line| {
                let (start, end) = maps::guest_range(base, &line)?;
                Some(Mapped { range: start..end, offset: line.offset, path: line.name.to_vec() })
            });
            self.mapped = guest.collect();
        }
        let m = self.mapped.iter().find(|m| has(m))?;
        let table = match self.tables.get(&m.path) {
            Some(table) => table.clone(),
            None => {
                let table = Arc::new(Table::read(OsStr::from_bytes(&m.path)).unwrap_or_default());
                self.tables.insert(m.path.clone(), table.clone());
                table
            }
        };
        table.find(pc - m.range.start + m.offset)
    }
}

/// The functions of an ELF file.
#[derive(Debug, Default)]
pub struct Table {
    /// Offset in the file, bytes, address where linked.
    segments: Vec<(u64, u64, u64)>,
    /// By address where linked, with their size, which may be 0.
    functions: Vec<(u64, u64, String)>,
}

impl Table {
    fn read(path: &OsStr) -> Option<Table> {
        Table::parse(&std::fs::read(path).ok()?)
    }

    /// The functions that the symbol tables of these bytes name; none where they are no ELF file.
    pub fn parse(bytes: &[u8]) -> Option<Table> {
        let elf = Elf::parse(bytes).ok()?;
        let loaded = elf.program_headers.iter().filter(|h| h.p_type == PT_LOAD);
        let segments = loaded.map(|h| (h.p_offset, h.p_filesz, h.p_vaddr)).collect();
        let tables = [(&elf.syms, &elf.strtab), (&elf.dynsyms, &elf.dynstrtab)];
        let named = tables.into_iter().flat_map(|(symbols, strings)| {
            symbols.iter().filter_map(move |s| {
                let function = s.st_type() == STT_FUNC && s.st_shndx != 0;
                let name = strings.get_at(s.st_name).filter(|name| function && !name.is_empty())?;
                Some((s.st_value & !1, s.st_size, name.to_owned()))
            })
        });
        let mut functions: Vec<_> = named.collect();
        // Of several names for a place the first stays: that of the full symbol table.
        functions.sort_by_key(|f| f.0);
        functions.dedup_by_key(|f| f.0);
        Some(Table { segments, functions })
    }

    /// The function whose code is at `offset` in the file.
    pub fn find(&self, offset: u64) -> Option<Place> {
        let (from, _, linked) =
            self.segments.iter().find(|(from, size, _)| offset >= *from && offset - from < *size)?;
        let address = linked.checked_add(offset - from)?;
        let after = self.functions.partition_point(|f| f.0 <= address);
        let (start, size, name) = self.functions.get(after.checked_sub(1)?)?;
        let inside = address - start;
        let belongs = *size == 0 || inside < *size;
        belongs.then(|| Place { function: name.clone(), offset: inside as u32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_by_file_offset() {
        let functions = [(0x1_0100, 0x20, "start"), (0x1_0120, 0, "label"), (0x1_0200, 8, "end")]
            .map(|(a, s, n)| (a, s, n.into()));
        let table = Table { segments: vec![(0x100, 0x200, 0x1_0100)], functions: functions.into() };
        let find = |offset| table.find(offset).map(|p| p.to_string());
        assert_eq!(find(0x100).as_deref(), Some("start"));
        assert_eq!(find(0x11e).as_deref(), Some("start+0x1e"));
        assert_eq!(find(0x1ff).as_deref(), Some("label+0xdf"));
        assert_eq!(find(0x207).as_deref(), Some("end+0x7"));
        assert_eq!([0, 0xff, 0x208, 0x300, u64::MAX].map(find), [const { None }; 5]);
    }

    #[test]
    fn hostile_files_have_no_symbols() {
        for bytes in [&b""[..], b"\x7fELF", &[0x7f; 100], &[0; 52]] {
            assert!(Table::parse(bytes).is_none());
        }
    }
}
