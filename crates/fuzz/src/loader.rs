//! The loader and the symbols for the log, on hostile files.

use crate::memory;
use forearm_runtime::loader::elf::{Elf, LoadError};
use forearm_runtime::memory::TASK_SIZE;
use forearm_runtime::symbols::Table;
use std::fs::File;
use std::io::Write;
use std::os::fd::FromRawFd;

/// Reads `data` as an ELF file and maps it, at a moved place if it may be moved; looks for functions in it.
///
/// # Panics
/// Where the loader does, and where an error is not one clear line.
pub fn loader(data: &[u8]) {
    if let Err(error) = load(data) {
        let line = error.to_string();
        assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
        assert!(error.errno.0 > 0, "{line}: errno {}", error.errno.0);
    }
    if let Some(table) = Table::parse(data) {
        for offset in [0, data.len() as u64 / 2, data.len() as u64, u64::MAX] {
            if let Some(place) = table.find(offset) {
                assert!(!place.function.is_empty());
            }
        }
    }
}

fn load(data: &[u8]) -> Result<(), LoadError> {
    let elf = Elf::read(file(data))?;
    if let Some(name) = elf.interpreter()? {
        assert!(!name.contains(&0));
    }
    let (low, high) = elf.extent()?;
    assert!(low < high && high <= 1 << 32, "{low:#x} to {high:#x}");
    assert!(elf.align().is_power_of_two());
    let _ = (elf.read_implies_exec(), elf.executable_stack());
    let bias = if elf.is_dynamic() { 0x4000_0000 } else { 0 };
    let memory = memory();
    let loaded = elf.map(&memory, bias, elf.read_implies_exec());
    // Whatever it has mapped goes, also after an error.
    memory.munmap(0, TASK_SIZE as u32).expect("the whole address space can be unmapped");
    assert_eq!(memory.map().vmas.iter().count(), 0);
    loaded.map(drop)
}

/// A file in memory with these bytes.
fn file(data: &[u8]) -> File {
    // SAFETY: memfd_create takes a string and gives a descriptor that is ours alone.
    let mut file = unsafe {
        let fd = libc::memfd_create(c"elf".as_ptr(), libc::MFD_CLOEXEC);
        assert!(fd >= 0, "memfd_create: {}", std::io::Error::last_os_error());
        File::from_raw_fd(fd)
    };
    file.write_all(data).expect("a file in memory takes bytes");
    file
}
