//! Brings a program into a new address space.

pub mod elf;
mod stack;

pub use elf::{LoadError, is_arm};

use crate::errno::Errno;
use crate::memory::{Label, Memory, PAGE, TASK_SIZE};
use crate::process::{Image, Options};
use elf::Elf;
use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// `personality(2)` bits that matter here.
pub mod persona {
    /// No randomisation of addresses.
    pub const ADDR_NO_RANDOMIZE: u32 = 0x0004_0000;
    /// PROT_READ implies PROT_EXEC.
    pub const READ_IMPLIES_EXEC: u32 = 0x0040_0000;
}

/// A program that is ready to run.
pub struct Program {
    /// Its address space.
    pub memory: Memory,
    /// What /proc shows of it.
    pub image: Image,
    /// First instruction; bit 0 set for Thumb.
    pub entry: u32,
    /// Address of the signal return trampolines.
    pub sigpage: u32,
    /// Personality: the host's, and READ_IMPLIES_EXEC where the program needs it.
    pub personality: u32,
}

/// Where position-independent programs go (arch/arm: ELF_ET_DYN_BASE).
const ET_DYN_BASE: u64 = 0x0040_0000;
/// Space between stack and mappings: at least this (arch_pick_mmap_layout).
const MIN_GAP: u64 = 128 << 20;
/// The stack when RLIMIT_STACK is unlimited.
const DEFAULT_STACK: u64 = 8 << 20;

/// Loads the program in `file`, whose path is `path` as given to execve.
///
/// # Errors
/// The kernel's errno, with a reason.
pub fn load(
    file: File,
    path: &CStr,
    exe: CString,
    args: &[CString],
    env: &[CString],
    options: &Options,
) -> Result<Program, LoadError> {
    let program = Elf::read(file)?;
    let interpreter = match program.interpreter()? {
        None => None,
        Some(name) => Some(open_interpreter(&name, options)?),
    };
    let (low, high) = program.extent()?;
    // SAFETY: only reads the personality.
    let mut personality = unsafe { libc::personality(0xffff_ffff) } as u32 & !persona::READ_IMPLIES_EXEC;
    if program.read_implies_exec() {
        personality |= persona::READ_IMPLIES_EXEC;
    }
    let implied = personality & persona::READ_IMPLIES_EXEC != 0;
    let random = Random::new(personality & persona::ADDR_NO_RANDOMIZE == 0, options.seed);

    let lowest = if program.is_dynamic() { u32::MAX } else { low as u32 };
    let memory = Memory::new(lowest, options.guest_base)
        .map_err(|e| LoadError { errno: e, reason: format!("no memory for a 32-bit address space: {e}") })?;

    let limit = stack_limit();
    let stack_size = options.stack_size.map_or(limit.min(1 << 30), u64::from).max(128 << 10);
    let stack_size = (stack_size + PAGE - 1) & !(PAGE - 1);
    // arm64: STACK_RND_MASK of compat tasks, 2^11 pages; mmap_rnd_compat_bits, 11 by default.
    let stack_top = TASK_SIZE - random.pages(11);
    memory.set_mmap_base(stack_top - stack_size.clamp(MIN_GAP, TASK_SIZE / 6 * 5) - random.pages(11));
    let sigpage = memory.map_kernel_pages()?;

    let bias = if program.is_dynamic() {
        // Without an interpreter it may be the interpreter itself (ld.so PROGRAM): out of the program's way.
        let size = high - low;
        let base = match program.fingerprint() {
            Some(code) if interpreter.is_some() => ET_DYN_BASE + (code >> 8 & 0x7ff) * PAGE,
            // Static, or the interpreter itself: among the libraries.
            code => code.and_then(|code| memory.place_of_code(code, size)).unwrap_or(0),
        };
        place(&memory, base, size, program.align())?.wrapping_sub(low as u32)
    } else {
        0
    };
    let loaded = program.map(&memory, bias, implied)?;
    // A static-pie lies among the mappings, where a heap has no room: its heap goes where programs go.
    let heap_after =
        if program.is_dynamic() && interpreter.is_none() { ET_DYN_BASE as u32 } else { loaded.end };
    memory.set_brk(crate::memory::page_up(heap_after.into()) + random.pages(11));

    let mut entry = loaded.entry;
    let mut interpreter_base = 0;
    if let Some(elf) = &interpreter {
        let (low, high) = elf.extent()?;
        let bias = if elf.is_dynamic() {
            let size = high - low;
            let base = elf.fingerprint().and_then(|code| memory.place_of_code(code, size)).unwrap_or(0);
            place(&memory, base, size, elf.align())?.wrapping_sub(low as u32)
        } else {
            0
        };
        entry = elf.map(&memory, bias, implied)?.entry;
        interpreter_base = bias;
    }

    let exec = if program.executable_stack() { libc::PROT_EXEC } else { 0 };
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_NORESERVE;
    let prot = libc::PROT_READ | libc::PROT_WRITE | exec;
    let bottom = stack_top - stack_size;
    memory.mmap_labelled(bottom, stack_size, prot, flags, -1, 0, Label::Stack)?;
    let contents = stack::Contents {
        execfn: path,
        args,
        env,
        program: loaded,
        interpreter_base,
        cpu: options.cpu(),
        random: random.bytes(),
    };
    let placed = stack::build(memory.guest(), stack_top as u32, bottom as u32, &contents)?;
    let image = Image {
        exe,
        auxv: placed.auxv,
        args: placed.args,
        env: placed.env,
        code: loaded.code,
        start_stack: placed.sp,
    };
    Ok(Program { memory, image, entry, sigpage, personality })
}

/// A place for `len` bytes: at `hint` or above it if that is free, else where mmap would put it.
fn place(memory: &Memory, hint: u64, len: u64, align: u64) -> Result<u32, LoadError> {
    let hint = (hint + align - 1) & !(align - 1);
    // Reserved first, so that the segments can be mapped over it; the holes between them are given back.
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    let slack = if align > PAGE { align } else { 0 };
    let start = memory.mmap_labelled(hint, len + slack, libc::PROT_NONE, flags, -1, 0, Label::None)?;
    memory.munmap(start, (len + slack) as u32)?;
    Ok(((u64::from(start) + align - 1) & !(align - 1)) as u32)
}

/// Opens the program interpreter: below `-L`'s prefix if it is there, else where it says.
fn open_interpreter(name: &[u8], options: &Options) -> Result<Elf, LoadError> {
    let path = prefixed(Path::new(OsStr::from_bytes(name)), options);
    let fail = |e: std::io::Error| {
        let errno = Errno::from(e);
        let reason = format!("program interpreter {}: {errno}", path.display());
        LoadError { errno, reason }
    };
    // Looked at before it is opened: a FIFO would wait for a writer, and a device may act.
    if !std::fs::metadata(&path).map_err(fail)?.is_file() {
        return Err(LoadError::new(
            libc::EACCES,
            format!("program interpreter {}: not a file", path.display()),
        ));
    }
    let file = File::open(&path).map_err(fail)?;
    Elf::read(file).map_err(|e| {
        let errno = if e.errno.0 == libc::ENOEXEC { libc::ELIBBAD } else { e.errno.0 };
        LoadError::new(errno, format!("program interpreter {}: {e}", path.display()))
    })
}

/// `path` below `-L`'s prefix when it is absolute and exists there.
pub fn prefixed(path: &Path, options: &Options) -> PathBuf {
    if let (Some(prefix), Ok(relative)) = (&options.ld_prefix, path.strip_prefix("/")) {
        let below = prefix.join(relative);
        if below.exists() {
            return below;
        }
    }
    path.to_path_buf()
}

fn stack_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: filled by the kernel.
    unsafe { libc::getrlimit(libc::RLIMIT_STACK, &mut limit) };
    if limit.rlim_cur == libc::RLIM_INFINITY { DEFAULT_STACK } else { limit.rlim_cur }
}

/// Fills `out` from a seed (SplitMix64).
fn expand(mut seed: u64, out: &mut [u8; 32]) {
    for word in out.chunks_exact_mut(8) {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (seed ^ seed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word.copy_from_slice(&(x ^ x >> 31).to_le_bytes());
    }
}

/// Bits for address randomisation; all zero when it is off, except those of AT_RANDOM.
struct Random {
    addresses: [u8; 16],
    next: std::cell::Cell<usize>,
    bytes: [u8; 16],
}

impl Random {
    fn new(randomize: bool, seed: Option<u64>) -> Random {
        let mut all = [0; 32];
        match seed {
            Some(seed) => expand(seed, &mut all),
            // SAFETY: fills our buffer. It cannot fail with a valid one; early at boot it would be all zero.
            None => drop(unsafe { libc::getrandom(all.as_mut_ptr().cast(), all.len(), libc::GRND_NONBLOCK) }),
        }
        let (a, b) = all.split_at(16);
        let addresses = if randomize { a.try_into().expect("half of 32") } else { [0; 16] };
        Random { addresses, next: std::cell::Cell::new(0), bytes: b.try_into().expect("half of 32") }
    }

    /// A random number of `bits` bits, in pages, as bytes.
    fn pages(&self, bits: u32) -> u64 {
        let at = self.next.get();
        self.next.set((at + 2) % 16);
        let value = u16::from_le_bytes([self.addresses[at], self.addresses[at + 1]]);
        (u64::from(value) & ((1 << bits) - 1)) * PAGE
    }

    fn bytes(&self) -> [u8; 16] {
        self.bytes
    }
}
