//! The log that `-d` asks for: what the engine translates and executes, in the layout of `qemu-arm -d`.
//!
//! One log a process, set up before the guest starts. Where it is off, a hook costs one load.

use crate::cache::Key;
use crate::engine::{CodeSource, Exit};
use crate::state::{CpuState, cpsr};
use bitflags::bitflags;
use forearm_frontend::decode::{self, ItState};
use forearm_frontend::disasm::disassemble;
use iced_x86::{Decoder, DecoderOptions, Formatter, GasFormatter};
use std::fmt::Write;
use std::ops::RangeInclusive;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

bitflags! {
    /// What is logged.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Items: u32 {
        /// Host code of each compiled region.
        const OUT_ASM = 1 << 0;
        /// Guest code of each block when it is first decoded.
        const IN_ASM = 1 << 1;
        /// Cranelift's intermediate code of each region.
        const OP = 1 << 2;
        /// Why translated code was left.
        const INT = 1 << 3;
        /// Each block that is executed.
        const EXEC = 1 << 4;
        /// Registers before each block.
        const CPU = 1 << 5;
        /// VFP registers too.
        const FPU = 1 << 6;
        /// System calls that are not implemented.
        const UNIMP = 1 << 7;
        /// The address space when the program starts.
        const PAGE = 1 << 8;
        /// System calls.
        const STRACE = 1 << 9;
        /// The intermediate code after optimisation.
        const OP_OPT = 1 << 10;
    }
}

/// What to log, of which code, and where to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// What.
    pub items: Items,
    /// Guest addresses whose code is logged (`-dfilter`); empty: all.
    pub filter: Vec<RangeInclusive<u32>>,
    /// Descriptor of the log file; `None`: standard error.
    pub fd: Option<i32>,
}

static ITEMS: AtomicU32 = AtomicU32::new(0);
static FD: AtomicI32 = AtomicI32::new(libc::STDERR_FILENO);
static FILTER: OnceLock<Vec<RangeInclusive<u32>>> = OnceLock::new();

/// Starts logging.
pub fn start(log: &Log) {
    // A second start keeps the first one's filter; there is one a process.
    let _ = FILTER.set(log.filter.clone());
    FD.store(log.fd.unwrap_or(libc::STDERR_FILENO), Ordering::Relaxed);
    ITEMS.store(log.items.bits(), Ordering::Relaxed);
}

/// Is any of `items` logged?
#[inline]
pub fn wants(items: Items) -> bool {
    ITEMS.load(Ordering::Relaxed) & items.bits() != 0
}

/// Is any of `items` logged for code at `pc`?
fn wants_at(items: Items, pc: u32) -> bool {
    wants(items)
        && FILTER.get().is_none_or(|filter| filter.is_empty() || filter.iter().any(|r| r.contains(&pc)))
}

/// The log file's descriptor, unless it is standard error.
pub fn file() -> Option<i32> {
    Some(FD.load(Ordering::Relaxed)).filter(|&fd| fd != libc::STDERR_FILENO)
}

/// The log file has another descriptor from now on.
pub fn moved(fd: i32) {
    FD.store(fd, Ordering::Relaxed);
}

/// Appends `text` in one write, so that lines of threads and processes do not mix.
pub fn write(text: &str) {
    // SAFETY: the buffer is a string's. Nobody can be told when the log cannot be written.
    unsafe { libc::write(FD.load(Ordering::Relaxed), text.as_ptr().cast(), text.len()) };
}

/// `in_asm`: the block of `key`, `bytes` long. `read` fills a buffer with guest code.
pub(crate) fn guest_code(
    key: Key,
    bytes: u32,
    read: &dyn Fn(u32, &mut [u8]) -> usize,
    source: &dyn CodeSource,
) {
    if !wants_at(Items::IN_ASM, key.pc()) {
        return;
    }
    let mut code = vec![0; bytes as usize];
    let length = read(key.pc(), &mut code);
    code.truncate(length);
    let name = source.symbol(key.pc()).unwrap_or_default();
    write(&format!("----------------\nIN: {name}\n{}\n", listing(key, &code)));
}

/// Address, code and assembler syntax, a line an instruction.
fn listing(key: Key, code: &[u8]) -> String {
    let half = |at: usize| Some(u32::from(u16::from_le_bytes([*code.get(at)?, *code.get(at + 1)?])));
    let mut it = ItState(key.itstate() as u8);
    let (mut text, mut at) = (String::new(), 0);
    while let Some(first) = half(at) {
        let pc = key.pc().wrapping_add(at as u32);
        let (word, bytes, length) = match half(at + 2) {
            Some(second) if !key.thumb() => {
                (first | second << 16, format!("{:08x}", first | second << 16), 4)
            }
            Some(second) if decode::is_t32(first as u16) => {
                (first << 16 | second, format!("{first:04x} {second:04x}"), 4)
            }
            _ if key.thumb() => (first, format!("{first:04x}     "), 2),
            _ => break,
        };
        let syntax = disassemble(word, pc, key.thumb(), it);
        let (mnemonic, operands) = syntax.split_once('\t').unwrap_or((&syntax, ""));
        let line = format!("0x{pc:08x}:  {bytes}  {mnemonic:<8} {operands}");
        text.push_str(line.trim_end());
        text.push('\n');
        let next = if key.thumb() && length == 2 { decode::it_of(first as u16) } else { None };
        it = next.unwrap_or_else(|| it.advance());
        at += length;
    }
    text
}

/// `op`: the intermediate code of the region at `pc`.
pub(crate) fn intermediate(pc: u32, code: &dyn std::fmt::Display) {
    if wants_at(Items::OP, pc) {
        write(&format!("OP:\n ---- {pc:08x}\n{code}\n"));
    }
}

/// `op_opt`: the same after Cranelift's optimisation.
pub(crate) fn optimised(pc: u32, code: &dyn std::fmt::Display) {
    if wants_at(Items::OP_OPT, pc) {
        write(&format!("OP after optimization:\n ---- {pc:08x}\n{code}\n"));
    }
}

/// `out_asm`: the host code of the region at `pc`, which runs at `address`. `points` are the offsets where a guest
/// instruction's code starts, with its address.
pub(crate) fn host_code(pc: u32, address: u64, code: &[u8], points: &[(u32, u32)]) {
    if !wants_at(Items::OUT_ASM, pc) {
        return;
    }
    let mut text = format!("OUT: [size={}]\n  -- guest addr 0x{pc:08x}\n", code.len());
    let mut formatter = GasFormatter::new();
    formatter.options_mut().set_uppercase_hex(false);
    formatter.options_mut().set_branch_leading_zeros(false);
    let mut points = points.iter().peekable();
    let mut syntax = String::new();
    for instruction in &mut Decoder::with_ip(64, code, address, DecoderOptions::NONE) {
        let offset = (instruction.ip() - address) as usize;
        while let Some((_, guest)) = points.next_if(|&&(at, _)| at as usize <= offset) {
            writeln!(text, "  -- guest addr 0x{guest:08x}").expect("to a string");
        }
        let bytes: Vec<String> =
            code[offset..offset + instruction.len()].iter().map(|b| format!("{b:02x}")).collect();
        syntax.clear();
        formatter.format(&instruction, &mut syntax);
        writeln!(text, "0x{:012x}:  {:<30} {syntax}", instruction.ip(), bytes.join(" "))
            .expect("to a string");
    }
    text.push('\n');
    write(&text);
}

/// Does `exec` or `cpu` want a line before each block?
#[inline]
pub(crate) fn traces_blocks() -> bool {
    wants(Items::EXEC.union(Items::CPU))
}

/// `exec` and `cpu`: the block at `cpu`'s pc is about to run; its slots are at `slots`.
pub(crate) fn block(cpu: &CpuState, slots: *const crate::interp::Slot, source: &dyn CodeSource) {
    let pc = cpu.r[15];
    if wants_at(Items::EXEC, pc) {
        // SAFETY: a plain system call.
        let thread = unsafe { libc::gettid() };
        let flags = cpu.thumb | cpu.itstate << 8;
        let name = source.symbol(pc).unwrap_or_default();
        write(&format!("Trace {thread}: {slots:p} [00000000/{pc:08x}/{flags:08x}/00000000] {name}\n"));
    }
    if wants_at(Items::CPU, pc) {
        write(&registers(cpu, wants(Items::FPU)));
    }
}

/// The registers as `-d cpu` shows them; `fpu`: those of VFP too.
fn registers(cpu: &CpuState, fpu: bool) -> String {
    let mut text = String::new();
    for (n, value) in cpu.r.iter().enumerate() {
        let end = if n % 4 == 3 { '\n' } else { ' ' };
        write!(text, "R{n:02}={value:08x}{end}").expect("to a string");
    }
    let psr = cpu.cpsr();
    let flag = |bit: u32, c: char| if psr & bit != 0 { c } else { '-' };
    let flags: String = [(cpsr::N, 'N'), (cpsr::Z, 'Z'), (cpsr::C, 'C'), (cpsr::V, 'V')]
        .map(|(b, c)| flag(b, c))
        .iter()
        .collect();
    let state = if cpu.thumb != 0 { 'T' } else { 'A' };
    writeln!(text, "PSR={psr:08x} {flags} {state} usr32").expect("to a string");
    if fpu {
        for n in 0..32 {
            let (d, s) = (cpu.d(n), 2 * n);
            writeln!(text, "s{s:02}={:08x} s{:02}={:08x} d{n:02}={d:016x}", d as u32, s + 1, d >> 32)
                .expect("to a string");
        }
        writeln!(text, "FPSCR: {:08x}", cpu.fpscr()).expect("to a string");
    }
    text
}

/// `int`: why translated code was left, by the numbers and names of QEMU's exceptions.
pub(crate) fn exception(cpu: &CpuState, exit: Exit) {
    if !wants(Items::INT) {
        return;
    }
    let (number, name) = match exit {
        Exit::Undefined => (1, "Undefined Instruction"),
        Exit::Syscall(_) => (2, "SVC"),
        Exit::PrefetchAbort => (3, "Prefetch Abort"),
        Exit::DataAbort(_) => (4, "Data Abort"),
        Exit::Breakpoint(_) => (7, "Breakpoint"),
        Exit::Interrupt | Exit::Step => return,
    };
    // SAFETY: a plain system call.
    let thread = unsafe { libc::gettid() };
    let mut text =
        format!("Taking exception {number} [{name}] on CPU {thread}\n...at pc 0x{:08x}\n", cpu.r[15]);
    if let Exit::DataAbort(fault) = exit {
        let access = if fault.write { "write" } else { "read" };
        writeln!(text, "...with DFAR 0x{:x} on {access}", fault.addr).expect("to a string");
    }
    write(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_show_both_instruction_sets() {
        let a32 = listing(Key::new(0x1000, false, 0), &[0x0d, 0x00, 0xa0, 0xe1, 0x1e, 0xff, 0x2f, 0xe1]);
        assert_eq!(a32, "0x00001000:  e1a0000d  mov      r0, sp\n0x00001004:  e12fff1e  bx       lr\n");
        // it eq; moveq r0, r1; mov.w r2, #0
        let t32 = listing(Key::new(0x2000, true, 0), &[0x08, 0xbf, 0x08, 0x46, 0x4f, 0xf0, 0x00, 0x02]);
        let lines: Vec<&str> = t32.lines().collect();
        assert_eq!(lines.len(), 3, "{t32}");
        assert!(lines[0].starts_with("0x00002000:  bf08       it"), "{t32}");
        assert!(lines[1].contains("moveq"), "{t32}");
        assert!(lines[2].starts_with("0x00002004:  f04f 0200  mov"), "{t32}");
    }

    #[test]
    fn registers_have_qemus_layout() {
        let mut cpu = CpuState::default();
        cpu.r[13] = 0x4080_0988;
        cpu.c = 1;
        cpu.thumb = 1;
        let text = registers(&cpu, true);
        assert!(
            text.contains("R12=00000000 R13=40800988 R14=00000000 R15=00000000\nPSR=20000030 --C- T usr32\n")
        );
        assert!(text.contains("s02=00000000 s03=00000000 d01=0000000000000000\n"));
        assert!(text.ends_with("FPSCR: 00000000\n"));
    }
}
