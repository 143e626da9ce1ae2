//! The initial stack: strings, pointers and the auxiliary vector (fs/exec.c, create_elf_tables).

use super::elf::Loaded;
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::memory::GuestMemory;
use std::ffi::{CStr, CString};

/// What goes onto the stack.
pub struct Contents<'a> {
    /// Path as it was given to execve (AT_EXECFN).
    pub execfn: &'a CStr,
    /// argv.
    pub args: &'a [CString],
    /// envp.
    pub env: &'a [CString],
    /// The program.
    pub program: Loaded,
    /// Where the program interpreter was mapped, 0 without one (AT_BASE).
    pub interpreter_base: u32,
    /// The processor.
    pub cpu: &'static Cpu,
    /// AT_RANDOM, and in its first byte the shift of the stack within 16 to 8192 bytes.
    pub random: [u8; 16],
}

/// Where things went.
#[derive(Clone, Debug, Default)]
pub struct Placed {
    /// Initial stack pointer: at argc.
    pub sp: u32,
    /// argv strings.
    pub args: (u32, u32),
    /// envp strings.
    pub env: (u32, u32),
    /// The auxiliary vector.
    pub auxv: Vec<u8>,
}

/// Writes the initial stack downwards from `top`.
///
/// # Errors
/// E2BIG when it does not fit above `bottom`.
pub fn build(mem: GuestMemory, top: u32, bottom: u32, contents: &Contents) -> Result<Placed, Errno> {
    let mut stack = Stack { mem, sp: top, bottom };
    stack.push(&[0; 4])?;
    let execfn = stack.push(contents.execfn.to_bytes_with_nul())?;
    let env_end = execfn;
    let env = stack.push_strings(contents.env)?;
    let args_end = stack.sp;
    let args = stack.push_strings(contents.args)?;
    let args_start = stack.sp;
    // arch_align_stack: caches of threads and processes should not all meet on the same lines.
    stack.sp -= (u32::from(contents.random[0]) << 5) & !15;
    let platform = stack.push(&[contents.cpu.platform().as_bytes(), b"\0"].concat())?;
    let random = stack.push(&contents.random)?;

    // SAFETY: these never fail.
    let (uid, euid, gid, egid) =
        unsafe { (libc::getuid(), libc::geteuid(), libc::getgid(), libc::getegid()) };
    // SAFETY: reads the vector the kernel gave to the translator itself.
    let secure = unsafe { libc::getauxval(libc::AT_SECURE) } as u32;
    let program = &contents.program;
    let auxv = [
        (libc::AT_HWCAP, contents.cpu.hwcap),
        (libc::AT_PAGESZ, 4096),
        (libc::AT_CLKTCK, 100),
        (libc::AT_PHDR, program.phdr),
        (libc::AT_PHENT, 32),
        (libc::AT_PHNUM, program.phnum),
        (libc::AT_BASE, contents.interpreter_base),
        (libc::AT_FLAGS, 0),
        (libc::AT_ENTRY, program.entry),
        (libc::AT_UID, uid),
        (libc::AT_EUID, euid),
        (libc::AT_GID, gid),
        (libc::AT_EGID, egid),
        (libc::AT_SECURE, secure),
        (libc::AT_RANDOM, random),
        (libc::AT_HWCAP2, contents.cpu.hwcap2),
        (libc::AT_EXECFN, execfn),
        (libc::AT_PLATFORM, platform),
        (libc::AT_NULL, 0),
    ];
    let auxv: Vec<u8> =
        auxv.iter().flat_map(|&(key, value)| [key as u32, value]).flat_map(u32::to_le_bytes).collect();

    let mut words = vec![args.len() as u32];
    words.extend(&args);
    words.push(0);
    words.extend(&env);
    words.push(0);
    let words: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).chain(auxv.iter().copied()).collect();
    let sp = stack.sp.checked_sub(words.len() as u32).ok_or(Errno(libc::E2BIG))? & !15;
    stack.sp = sp + words.len() as u32;
    stack.push(&words)?;
    Ok(Placed { sp, args: (args_start, args_end), env: (args_end, env_end), auxv })
}

struct Stack {
    mem: GuestMemory,
    sp: u32,
    bottom: u32,
}

impl Stack {
    fn push(&mut self, bytes: &[u8]) -> Result<u32, Errno> {
        let sp = self.sp.checked_sub(bytes.len() as u32).filter(|&sp| sp >= self.bottom);
        self.sp = sp.ok_or(Errno(libc::E2BIG))?;
        self.mem.write_bytes(self.sp, bytes)?;
        Ok(self.sp)
    }

    /// Pushes strings so that the first has the lowest address; returns their addresses in order.
    fn push_strings(&mut self, strings: &[CString]) -> Result<Vec<u32>, Errno> {
        let mut addresses = Vec::with_capacity(strings.len());
        for string in strings.iter().rev() {
            addresses.push(self.push(string.to_bytes_with_nul())?);
        }
        addresses.reverse();
        Ok(addresses)
    }
}
