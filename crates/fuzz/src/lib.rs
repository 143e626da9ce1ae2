//! The bodies of the fuzz targets: each takes arbitrary bytes and panics where something is wrong. `fuzz/` gives them to
//! libFuzzer; `tests/short.rs` runs them on stable, the same inputs every time.

mod decoder;
mod loader;
mod structures;

pub use decoder::decoder;
pub use loader::loader;
pub use structures::structures;

use forearm_backend::fault;
use forearm_runtime::memory::Memory;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The one address space of this process; the bodies take turns.
fn memory() -> MutexGuard<'static, Memory> {
    static MEMORY: OnceLock<Mutex<Memory>> = OnceLock::new();
    MEMORY
        .get_or_init(|| {
            report_faults();
            // Lowest address 0: it gets a place of its own, away from the fuzzer's memory.
            Mutex::new(Memory::new(0, None).expect("4 GiB of address space"))
        })
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// Accesses to guest memory that is not there become errors, as in the runtime; all other faults stay deadly.
fn report_faults() {
    extern "C" fn handler(signal: i32, info: &libc::siginfo_t, context: &mut libc::ucontext_t) {
        // SAFETY: called by the kernel with these, for a signal of an access.
        if !unsafe { fault::recover(info, context) } {
            // SAFETY: the access is repeated when the handler returns, and is deadly then.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
    }
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        // SAFETY: the handler only changes the context and dispositions; a zeroed sigaction is one with an empty mask.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER | libc::SA_ONSTACK;
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
}

/// Numbers from the input; zeroes once it is used up.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let n = N.min(self.0.len());
        let (head, rest) = self.0.split_at(n);
        bytes[..n].copy_from_slice(head);
        self.0 = rest;
        bytes
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.bytes())
    }

    fn byte(&mut self) -> u8 {
        self.bytes::<1>()[0]
    }
}
