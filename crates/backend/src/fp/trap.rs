//! Floating point that traps in its rare cases, so that compiled code need not look for them.
//!
//! Where the host's arithmetic answers otherwise than Arm's, it raises Invalid (a NaN is made, a signalling NaN is an
//! operand) or Underflow, but for two cases: a product that is rounded up to the smallest normal number, whose rounding
//! error underflows, hence compiled code computes that as well; and quotients and conversions that are, which it looks for.
//! Compiled code runs with these exceptions, and Denormal, unmasked in MXCSR. The host's SIGFPE handler calls [`recover`],
//! which does the instruction by `fp::soft` and goes on behind it.
//!
//! The interpreter and its operations know the host's answers. A trap in them masks the exceptions, and
//! `HostState::unmask` has them unmasked on the way back into compiled code. While they are unmasked, MXCSR's flags of
//! them are clear: the guest's are in `CpuState::fpscr`.
//!
//! Under FPSCR.FZ or DN more answers differ; code is made without traps then, and in a process that has trapped often.

use super::soft::{DOUBLE, Env, Format, SINGLE};
use crate::engine::Engine;
use crate::fault;
use crate::state::CpuState;
use crate::{enter, fp};

/// MXCSR's masks of what traps.
pub(crate) const MASKS: u32 = 0x80 | 0x100 | 0x800;
/// Its flags of the same: Invalid, Denormal, Underflow.
pub(crate) const FLAGS: u32 = MASKS >> 7;

/// Called by the host's SIGFPE handler. `true`: an operation of the guest has trapped, and `context` continues behind it,
/// or at it with the exceptions masked. `false`: the signal was sent by somebody.
///
/// # Safety
/// `info` and `context` are those the kernel passed to the handler.
pub unsafe fn recover(info: &libc::siginfo_t, context: &mut libc::ucontext_t) -> bool {
    let Some(cpu) = enter::current() else { return false };
    // SAFETY: the kernel's pointer into the same frame, or null.
    let Some(state) = (unsafe { context.uc_mcontext.fpregs.as_mut() }) else { return false };
    let unmasked = state.mxcsr & !(state.mxcsr >> 7) & FLAGS;
    if info.si_code <= 0 || unmasked == 0 {
        return false;
    }
    state.mxcsr &= !FLAGS;
    let rip = context.uc_mcontext.gregs[libc::REG_RIP as usize] as u64;
    // SAFETY: the processor was executing there.
    if is_own_code(rip) || unsafe { emulate(cpu, &mut context.uc_mcontext.gregs, state) }.is_none() {
        state.mxcsr |= fp::MXCSR_DEFAULT;
        cpu.host.unmask = 1;
    }
    // SAFETY: the engine outlives the run that set the pointer.
    if unsafe { cpu.host.engine.as_ref() }.is_some_and(Engine::has_trapped_enough) {
        // The run loop makes other code.
        cpu.request_exit();
    }
    true
}

/// Is this an address of forearm's own code?
fn is_own_code(address: u64) -> bool {
    unsafe extern "C" {
        // The linker's.
        static __executable_start: u8;
        static etext: u8;
    }
    (&raw const __executable_start as u64..&raw const etext as u64).contains(&address)
}

/// A VEX instruction with two or three operands and no immediate.
#[derive(Debug, PartialEq, Eq)]
struct Instruction {
    /// Opcode map and opcode.
    opcode: (u8, u8),
    /// The prefix it implies: 0 none, 1 66, 2 F3, 3 F2.
    prefix: u8,
    wide: bool,
    /// The operands in the order of Intel's manual.
    reg: u8,
    vvvv: u8,
    rm: Operand,
    len: u8,
}

#[derive(Debug, PartialEq, Eq)]
enum Operand {
    Register(u8),
    Memory(u64),
}

/// The kernel's places of the registers, in the order of their numbers.
const REGISTERS: [i32; 16] = [
    libc::REG_RAX,
    libc::REG_RCX,
    libc::REG_RDX,
    libc::REG_RBX,
    libc::REG_RSP,
    libc::REG_RBP,
    libc::REG_RSI,
    libc::REG_RDI,
    libc::REG_R8,
    libc::REG_R9,
    libc::REG_R10,
    libc::REG_R11,
    libc::REG_R12,
    libc::REG_R13,
    libc::REG_R14,
    libc::REG_R15,
];

impl Instruction {
    /// Reads the instruction at the start of `code`, which lies at `rip`.
    fn decode(code: &[u8], rip: u64, gregs: &[i64; 23]) -> Option<Instruction> {
        let register = |r: u8| gregs[REGISTERS[usize::from(r & 15)] as usize] as u64;
        // Compiled code is filled up with segment prefixes.
        let mut at = code.iter().position(|&b| b != crate::codegen::FILL)?;
        let mut byte = || {
            at += 1;
            code.get(at - 1).copied()
        };
        let (rxb, map, last) = match byte()? {
            0xc5 => {
                let b = byte()?;
                (!b & 0x80, 1, b & 0x7f)
            }
            0xc4 => {
                let b = byte()?;
                (!b & 0xe0, b & 0x1f, byte()?)
            }
            _ => return None,
        };
        let high = |bit: u8| (rxb >> bit & 1) << 3;
        let opcode = byte()?;
        let modrm = byte()?;
        let (mode, rm) = (modrm >> 6, modrm & 7);
        let rm = if mode == 3 {
            Operand::Register(rm | high(5))
        } else {
            let mut address = 0u64;
            let mut displacement = [0, 1, 4][usize::from(mode)];
            let mut relative = false;
            if rm == 4 {
                let sib = byte()?;
                let (index, base) = (sib >> 3 & 7 | high(6), sib & 7);
                if index != 4 {
                    address = register(index) << (sib >> 6);
                }
                if base == 5 && mode == 0 {
                    displacement = 4;
                } else {
                    address = address.wrapping_add(register(base | high(5)));
                }
            } else if rm == 5 && mode == 0 {
                (displacement, relative) = (4, true);
            } else {
                address = register(rm | high(5));
            }
            let mut offset = 0u32;
            for k in 0..displacement {
                offset |= u32::from(byte()?) << (8 * k);
            }
            let offset = if displacement == 1 { offset as u8 as i8 as i64 } else { offset as i32 as i64 };
            address = address.wrapping_add(offset as u64);
            Operand::Memory(if relative { address.wrapping_add(rip + at as u64) } else { address })
        };
        Some(Instruction {
            opcode: (map, opcode),
            prefix: last & 3,
            wide: last & 0x80 != 0,
            reg: modrm >> 3 & 7 | high(7),
            vvvv: !last >> 3 & 15,
            rm,
            len: at as u8,
        })
    }
}

/// The low 64 bits of a vector register.
fn low(state: &libc::_libc_fpstate, r: u8) -> u64 {
    let element = &state._xmm[usize::from(r & 15)].element;
    u64::from(element[0]) | u64::from(element[1]) << 32
}

/// Does the instruction at the context's RIP as Arm would. `None`: it is none that compiled code has for the guest's arithmetic.
///
/// # Safety
/// RIP is in code.
unsafe fn emulate(cpu: &mut CpuState, gregs: &mut [i64; 23], state: &mut libc::_libc_fpstate) -> Option<()> {
    let rip = gregs[libc::REG_RIP as usize] as u64;
    let mut code = [0; 15];
    // SAFETY: the caller's promise for one side; a shorter copy, where code ends, does.
    let _ = unsafe { fault::copy(code.as_mut_ptr(), rip as *const u8, code.len()) };
    let i = Instruction::decode(&code, rip, gregs)?;
    let double = match i.opcode {
        (2, _) => i.wide,
        (_, 0x2e | 0x2f) => i.prefix == 1,
        _ if i.prefix < 2 => return None,
        _ => i.prefix == 3,
    };
    let f = if double { DOUBLE } else { SINGLE };
    let cut = |x: u64, f: Format| if f.width() == 64 { x } else { x & 0xffff_ffff };
    let rm = cut(
        match i.rm {
            Operand::Register(r) => low(state, r),
            Operand::Memory(address) => {
                let mut bytes = [0; 8];
                let len = if double { 8 } else { 4 };
                // SAFETY: the instruction has just read it, or a fault is reported.
                unsafe { fault::copy(bytes.as_mut_ptr(), address as *const u8, len) }.ok()?;
                u64::from_le_bytes(bytes)
            }
        },
        f,
    );
    let (reg, vvvv) = (cut(low(state, i.reg), f), cut(low(state, i.vvvv), f));
    let mut env = Env::new(cpu.fpscr);
    let e = &mut env;
    // The result and whether it is a double.
    let result = match i.opcode {
        (1, 0x51) => Some((e.sqrt(f, rm), double)),
        (1, 0x58) => Some((e.add(f, vvvv, rm), double)),
        (1, 0x59) => Some((e.mul(f, vvvv, rm), double)),
        (1, 0x5c) => Some((e.sub(f, vvvv, rm), double)),
        (1, 0x5e) => Some((e.div(f, vvvv, rm), double)),
        (1, 0x5a) => Some((e.convert(f, if double { SINGLE } else { DOUBLE }, rm), !double)),
        (1, 0x2e | 0x2f) => {
            let (zero, parity, carry) = (0x40, 4, 1);
            let flags = match e.compare(f, reg, rm, i.opcode.1 == 0x2f) >> 28 {
                3 => zero | parity | carry,
                6 => zero,
                8 => carry,
                _ => 0,
            };
            let place = &mut gregs[libc::REG_EFL as usize];
            *place = *place & !0x8d5 | flags;
            None
        }
        (2, 0x99) => Some((e.mul_add(f, vvvv, reg, rm), double)),
        (2, 0xa9) => Some((e.mul_add(f, rm, vvvv, reg), double)),
        (2, 0xb9) => Some((e.mul_add(f, reg, vvvv, rm), double)),
        // The rounding error of a product: that it is computed says what the product has raised, nobody reads it.
        (2, 0x9b) => {
            e.mul(f, reg, rm);
            None
        }
        (2, 0xab) => {
            e.mul(f, vvvv, reg);
            None
        }
        _ => return None,
    };
    if let Some((x, double)) = result {
        let mut element = state._xmm[usize::from(i.vvvv & 15)].element;
        if i.opcode.0 == 2 {
            element = state._xmm[usize::from(i.reg & 15)].element;
        }
        element[0] = x as u32;
        if double {
            element[1] = (x >> 32) as u32;
        }
        state._xmm[usize::from(i.reg & 15)].element = element;
        restore_vectors(state);
    }
    fp::raise(&mut cpu.fpscr, env.raised);
    gregs[libc::REG_RIP as usize] = (rip + u64::from(i.len)) as i64;
    Some(())
}

/// Has the kernel restore vector registers that were all zero, and so left out, when the signal came.
fn restore_vectors(state: &mut libc::_libc_fpstate) {
    /// FP_XSTATE_MAGIC1, in the bytes that the processor leaves to software.
    const MAGIC: (usize, u32) = (464, 0x4650_5853);
    /// XSTATE_BV, behind the legacy area, and its bit of the vector registers.
    const COMPONENTS: (usize, u64) = (512, 2);
    let area: *mut u8 = std::ptr::from_mut(state).cast();
    // SAFETY: the legacy area has 512 bytes; the kernel's magic number says that the header of the extended one follows.
    unsafe {
        if area.add(MAGIC.0).cast::<u32>().read_unaligned() == MAGIC.1 {
            let components = area.add(COMPONENTS.0).cast::<u64>();
            components.write_unaligned(components.read_unaligned() | COMPONENTS.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fp::{d_compare, d_to_s, d2, d3, s_compare, s_to_d, s2, s3};
    use forearm_frontend::machine::{FloatOp2, FloatOp3};

    const SINGLES: [u32; 14] = [
        0,
        1,
        0x8000_0000,
        0x0080_0000,
        0x007f_ffff,
        0x3f80_0000,
        0x3f7f_ffff,
        0x0080_0001,
        0x3f7f_fffe,
        0x7f80_0000,
        0xff80_0000,
        0x7fc0_1234,
        0x7f80_0001,
        0xffa1_2345,
    ];
    const DOUBLES: [u64; 14] = [
        0,
        1,
        1 << 63,
        0x0010_0000_0000_0000,
        // A product that is rounded up to the one above.
        0x0010_0000_0000_0001,
        0x3fef_ffff_ffff_fffe,
        0x000f_ffff_ffff_ffff,
        0x3ff0_0000_0000_0000,
        0x3fef_ffff_ffff_ffff,
        0x7ff0_0000_0000_0000,
        0xfff0_0000_0000_0000,
        0x7ff8_0000_0000_1234,
        0x7ff0_0000_0000_0001,
        0xfff7_1234_5678_9abc,
    ];

    /// A context at `code`, with xmm0 to xmm15 as given.
    fn run(code: &[u8], registers: [u64; 16], fpscr: u32) -> (u64, i64, u32) {
        let mut code = code.to_vec();
        let len = code.len();
        code.resize(32, 0xcc);
        let mut cpu = CpuState { fpscr, ..CpuState::default() };
        // SAFETY: plain data.
        let mut state: libc::_libc_fpstate = unsafe { std::mem::zeroed() };
        for (r, x) in registers.into_iter().enumerate() {
            state._xmm[r].element = [x as u32, (x >> 32) as u32, r as u32, 7];
        }
        let mut gregs = [0; 23];
        gregs[libc::REG_RIP as usize] = code.as_ptr() as i64;
        // SAFETY: code is there.
        unsafe { emulate(&mut cpu, &mut gregs, &mut state) }.expect("known");
        assert_eq!(gregs[libc::REG_RIP as usize] - code.as_ptr() as i64, len as i64);
        (low(&state, 1), gregs[libc::REG_EFL as usize], cpu.fpscr & !fpscr)
    }

    /// xmm1 of xmm2 and xmm3, or of xmm1, xmm2 and xmm3.
    fn registers(a: u64, b: u64, c: u64) -> [u64; 16] {
        let mut all = [0; 16];
        all[1..4].copy_from_slice(&[a, b, c]);
        all
    }

    const HOST_FLAGS: u32 = 0x1f;

    /// What the interpreter has: the value and the flags.
    fn expected<T>(f: impl FnOnce(&mut u32) -> T) -> (T, u32) {
        let host = fp::mxcsr();
        fp::set_mxcsr(fp::MXCSR_DEFAULT);
        let mut stored = 0;
        let x = f(&mut stored);
        let flags = fp::live_fpscr(stored) & HOST_FLAGS;
        fp::set_mxcsr(host);
        (x, flags)
    }

    #[test]
    fn arithmetic_is_the_interpreters() {
        let operations =
            [(0x58, FloatOp2::Add), (0x59, FloatOp2::Mul), (0x5c, FloatOp2::Sub), (0x5e, FloatOp2::Div)];
        for (opcode, op) in operations {
            for (a, b) in SINGLES.iter().flat_map(|&a| SINGLES.map(|b| (a, b))) {
                let (x, _, flags) = run(&[0xc5, 0xea, opcode, 0xcb], registers(9, a.into(), b.into()), 0);
                assert_eq!((x as u32, flags), expected(|f| s2(op, a, b, f)), "{op:?} {a:x} {b:x}");
            }
            for (a, b) in DOUBLES.iter().flat_map(|&a| DOUBLES.map(|b| (a, b))) {
                let (x, _, flags) = run(&[0xc5, 0xeb, opcode, 0xcb], registers(9, a, b), 0);
                assert_eq!((x, flags), expected(|f| d2(op, a, b, f)), "{op:?} {a:x} {b:x}");
            }
        }
    }

    #[test]
    fn multiplication_with_addition_has_its_operands_in_any_order() {
        for (k, &a) in SINGLES.iter().enumerate() {
            for (b, c) in SINGLES.iter().flat_map(|&b| SINGLES.map(|c| (b, c))) {
                let wide = DOUBLES[k];
                let forms = [(0x99, [a, c, b]), (0xa9, [b, a, c]), (0xb9, [c, a, b])];
                for (opcode, r) in forms {
                    let [x, y, z] = r.map(u64::from);
                    let (x, _, flags) = run(&[0xc4, 0xe2, 0x69, opcode, 0xcb], registers(x, y, z), 0);
                    let want = expected(|f| s3(FloatOp3::Fma, c, a, b, f));
                    assert_eq!((x as u32, flags), want, "{opcode:x} {a:x} {b:x} {c:x}");
                }
                let (x, _, flags) = run(&[0xc4, 0xe2, 0xe9, 0xb9, 0xcb], registers(wide, wide, wide), 0);
                assert_eq!((x, flags), expected(|f| d3(FloatOp3::Fma, wide, wide, wide, f)));
            }
        }
    }

    #[test]
    fn a_rounding_error_raises_what_the_product_does() {
        for (a, b) in DOUBLES.iter().flat_map(|&a| DOUBLES.map(|b| (a, b))) {
            let want = expected(|f| d2(FloatOp2::Mul, a, b, f)).1;
            let filled = [0x3e, 0x3e, 0xc4, 0xe2, 0xe9, 0xab, 0xcb]; // vfmsub213sd xmm1, xmm2, xmm3
            assert_eq!(run(&filled, registers(a, b, 5), 0), (a, 0, want));
            assert_eq!(run(&[0xc4, 0xe2, 0xe9, 0x9b, 0xcb], registers(a, 5, b), 0), (a, 0, want));
        }
    }

    #[test]
    fn comparisons_and_conversions_are_the_interpreters() {
        for (a, b) in DOUBLES.iter().flat_map(|&a| DOUBLES.map(|b| (a, b))) {
            for (opcode, signal) in [(0x2e, false), (0x2f, true)] {
                let (_, flags, raised) = run(&[0xc5, 0xf9, opcode, 0xca], registers(a, b, 0), 0);
                let (nzcv, want) = expected(|f| d_compare(a, b, signal, f));
                let nzcv_of = |flags: i64| match flags & 0x45 {
                    0x45 => 0x3000_0000,
                    0x40 => 0x6000_0000,
                    1 => 0x8000_0000u32,
                    _ => 0x2000_0000,
                };
                assert_eq!((nzcv_of(flags), raised), (nzcv, want), "{a:x} {b:x}");
            }
            let (x, _, flags) = run(&[0xc5, 0xeb, 0x5a, 0xcb], registers(9, 9, a), 0);
            assert_eq!((x as u32, flags), expected(|f| d_to_s(a, f)));
            let (x, _, flags) = run(&[0xc5, 0xeb, 0x51, 0xcb], registers(9, 9, a), 0);
            assert_eq!((x, flags), expected(|f| fp::d1(forearm_frontend::machine::FloatOp1::Sqrt, a, f)));
        }
        for a in SINGLES {
            let (x, _, flags) = run(&[0xc5, 0xea, 0x5a, 0xcb], registers(9, 9, a.into()), 0);
            assert_eq!((x, flags), expected(|f| s_to_d(a, f)));
            let (_, _, flags) = run(&[0xc5, 0xf8, 0x2e, 0xca], registers(a.into(), 0, 0), 0);
            assert_eq!(flags, expected(|f| s_compare(a, 0, false, f)).1);
        }
    }

    #[test]
    fn operands_are_found() {
        let mut gregs = [0i64; 23];
        for (n, r) in REGISTERS.into_iter().enumerate() {
            gregs[r as usize] = 0x1000 * n as i64;
        }
        let decode = |code: &[u8]| {
            let i = Instruction::decode(code, 0x70_0000, &gregs).expect("known");
            assert_eq!(usize::from(i.len), code.len());
            (i.opcode, i.prefix, i.wide, i.reg, i.vvvv, i.rm)
        };
        let memory = |address: u64| ((1, 0x59), 3, false, 9, 10, Operand::Memory(address));
        // vmulsd xmm9, xmm10, with each kind of memory operand.
        assert_eq!(decode(&[0xc5, 0x2b, 0x59, 0x0f]), memory(0x7000)); // [rdi]
        assert_eq!(decode(&[0xc5, 0x2b, 0x59, 0x4f, 0xf8]), memory(0x6ff8)); // [rdi - 8]
        assert_eq!(decode(&[0xc5, 0x2b, 0x59, 0x8f, 0, 1, 0, 0]), memory(0x7100));
        assert_eq!(decode(&[0xc4, 0x41, 0x2b, 0x59, 0x4c, 0x24, 8]), memory(0xc008)); // [r12 + 8]
        assert_eq!(decode(&[0xc4, 0x01, 0x2b, 0x59, 0x4c, 0xb5, 8]), memory(0x4_5008)); // [r13 + 4 * r14 + 8]
        assert_eq!(decode(&[0xc5, 0x2b, 0x59, 0x0c, 0x25, 8, 0, 0, 0]), memory(8));
        assert_eq!(decode(&[0xc5, 0x2b, 0x59, 0x0d, 0xf8, 0xff, 0xff, 0xff]), memory(0x70_0000)); // [rip - 8]
        let (_, _, wide, reg, vvvv, rm) = decode(&[0xc4, 0x42, 0xf1, 0xab, 0xe3]); // vfmsub213sd xmm12, xmm1, xmm11
        assert_eq!((wide, reg, vvvv, rm), (true, 12, 1, Operand::Register(11)));
        assert_eq!(Instruction::decode(&[0xf2, 0x0f, 0x58, 0xc1], 0, &gregs), None);
        assert_eq!(Instruction::decode(&[0xc5, 0x2b, 0x59], 0, &gregs), None);
    }
}
