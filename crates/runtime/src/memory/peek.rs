//! Guest memory as a debugger reads and writes it: whatever its protection.

use super::{GuestMemory, Memory};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;

/// The guest's memory, protections ignored where there is a /proc.
pub struct Peek {
    base: u64,
    guest: GuestMemory,
    /// /proc/self/mem.
    mem: Option<File>,
}

impl Peek {
    /// Of the running process.
    pub fn new(memory: &Memory) -> Peek {
        let mem = OpenOptions::new().read(true).write(true).open("/proc/self/mem").ok();
        Peek { base: memory.base(), guest: memory.guest(), mem }
    }

    /// Fills `bytes` from `address`; false where something is not mapped.
    pub fn read(&self, address: u64, bytes: &mut [u8]) -> bool {
        if address + bytes.len() as u64 > 1 << 32 {
            return false;
        }
        let through = self.mem.as_ref().is_some_and(|m| m.read_exact_at(bytes, self.base + address).is_ok());
        through || self.guest.read_into(address as u32, bytes).is_ok()
    }

    /// How many of the bytes from `address` can be read into `bytes`.
    pub fn read_some(&self, address: u64, bytes: &mut [u8]) -> usize {
        let mut done = 0;
        while done < bytes.len() {
            let at = address + done as u64;
            // Up to the next page.
            let len = (4096 - (at as usize & 4095)).min(bytes.len() - done);
            if !self.read(at, &mut bytes[done..done + len]) {
                break;
            }
            done += len;
        }
        done
    }

    /// Writes `bytes` at `address`; false where that cannot be.
    pub fn write(&self, address: u64, bytes: &[u8]) -> bool {
        if address + bytes.len() as u64 > 1 << 32 {
            return false;
        }
        let through = self.mem.as_ref().is_some_and(|m| m.write_all_at(bytes, self.base + address).is_ok());
        through || self.guest.write_bytes(address as u32, bytes).is_ok()
    }
}
