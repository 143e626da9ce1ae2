//! The guest processor's state, as the interpreter, compiled code and the runtime see it.

use crate::cache::{Jumps, RegionJumps};
use crate::engine::{Engine, Fault};
use crate::interp::Slot;
use crate::returns::ReturnStack;
use crate::stats::{self, Executed};
use std::sync::atomic::{AtomicU32, Ordering};

/// N, Z, C, V and the other bits of CPSR that user mode sees (Arm ARM B1.3.3).
pub mod cpsr {
    /// Negative.
    pub const N: u32 = 1 << 31;
    /// Zero.
    pub const Z: u32 = 1 << 30;
    /// Carry.
    pub const C: u32 = 1 << 29;
    /// Overflow.
    pub const V: u32 = 1 << 28;
    /// Cumulative saturation.
    pub const Q: u32 = 1 << 27;
    /// Greater-than-or-equal flags, four bits from here.
    pub const GE_SHIFT: u32 = 16;
    /// Thumb execution state.
    pub const T: u32 = 1 << 5;
    /// Mode field of user mode.
    pub const USER: u32 = 0x10;
}

/// One guest thread's registers. Compiled code addresses fields by offset, hence `repr(C)`.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct CpuState {
    /// r0 to r15. r15 is the address of the next instruction whenever the guest is not running.
    pub r: [u32; 16],
    /// N is bit 31 of this word.
    pub n: u32,
    /// Z is set when this word is zero.
    pub z: u32,
    /// Carry, 0 or 1.
    pub c: u32,
    /// Overflow, 0 or 1.
    pub v: u32,
    /// GE flags, each as a byte of ones or zeros.
    pub ge: u32,
    /// Cumulative saturation, 0 or 1.
    pub q: u32,
    /// Thumb state, 0 or 1.
    pub thumb: u32,
    /// ITSTATE; zero except between the instructions of an IT block.
    pub itstate: u32,
    /// FPSCR without the cumulative exception bits that the host's MXCSR holds while the guest runs.
    pub fpscr: u32,
    /// MXCSR of the guest while the guest does not run: rounding mode and exception flags.
    pub mxcsr: u32,
    /// Set, to all bits, by another thread or a signal handler: leave translated code at the next safe point.
    pub exit_request: AtomicU32,
    /// What the execution engine keeps beside the guest's registers. So near the beginning that short displacements reach
    /// what compiled code often needs.
    pub(crate) host: HostState,
    /// Address of the exclusive monitor's granule; `EXCLUSIVE_NONE` when it is open.
    pub exclusive_addr: u64,
    /// The value that the last load-exclusive saw.
    pub exclusive_value: u64,
    /// User read-only thread ID register (TLS pointer).
    pub tpidruro: u32,
    /// User read-write thread ID register.
    pub tpidrurw: u32,
    /// Host address of guest address 0.
    pub base: u64,
    /// q0 to q15, each two D registers, little-endian.
    pub vfp: [u128; 16],
}

/// The execution engine's own part of a thread's state.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct HostState {
    /// What compiled code has left of the flags: 0, they are in `n` to `v`; else they are those of `flags_a - flags_b`
    /// (`FLAGS_SUB`), `flags_a + flags_b` (`FLAGS_ADD`), or a comparison of `flags_float` (`FLAGS_SINGLE`,
    /// `FLAGS_DOUBLE`), but for N and Z of `flags_nz` (`FLAGS_NZ`) and C of `flags_c` (`FLAGS_C`). Settled before anything
    /// else looks.
    pub flags: u32,
    /// First operand.
    pub flags_a: u32,
    /// Second operand.
    pub flags_b: u32,
    /// A later result.
    pub flags_nz: u32,
    /// A later carry, 0 or 1.
    pub flags_c: u32,
    /// What compiled code has left of FPSCR's N, Z, C and V: 0, they are in `fpscr`; else they are those of a comparison of
    /// `compared` (`FLAGS_SINGLE`, `FLAGS_DOUBLE`). Settled with `flags`.
    pub comparison: u32,
    /// Stack pointer to leave translated code with, from any depth.
    pub sp: u64,
    /// Translated code is running; a fault in the guest's memory is the guest's.
    pub in_guest: u32,
    /// Why translated code was left; an `ExitCode`.
    pub exit: u32,
    /// Its value: an immediate.
    pub exit_value: u32,
    /// A fault's host signal, `si_code`, and whether it was a store.
    pub fault: Fault,
    /// The slot that the interpreter executes.
    pub slot: *const Slot,
    /// The engine that runs this thread.
    pub engine: *const Engine,
    /// Recently used blocks by address.
    pub jumps: Jumps<Slot>,
    /// Recently used regions by address.
    pub native: RegionJumps,
    /// Address of that table; null until compiled code runs.
    pub native_jumps: u64,
    /// Its mask for the offset of an entry.
    pub native_mask: u32,
    /// The stack of the addresses that compiled code returns to; none until it runs.
    pub return_stack: Option<ReturnStack>,
    /// Its stack pointer while compiled code does not run.
    pub returns: u64,
    /// The thread's own stack pointer while it does: the frame of compiled code is above.
    pub frame: u64,
    /// MXCSR on its way.
    pub control: u32,
    /// Host address that compiled code leaves through.
    pub leave: u64,
    /// Host address that compiled code looks up guest addresses through.
    pub indirect: u64,
    /// Host function that interprets one instruction for compiled code.
    pub interpret: u64,
    /// Host function that does one operation for compiled code.
    pub helper: u64,
    /// Table of `crypto::functions`.
    pub crypto: u64,
    /// Host function that calls one of them for compiled code.
    pub call_crypto: u64,
    /// The helper's operands and result.
    pub scratch: [u128; 4],
    /// Calls `helper` and keeps all registers.
    pub rare_helper: u64,
    /// All bits of a double but the sign.
    pub magnitude_d: u64,
    /// All bits of a single but the sign.
    pub magnitude_s: u32,
    /// Where executed instructions are counted; null when they are not.
    pub counts: *const Executed,
    /// Host instruction that faulted; 0 when the fault was found otherwise.
    pub fault_at: u64,
    /// Bits of the floating-point operands of `flags`.
    pub flags_float: [u64; 2],
    /// Bits of the operands of `comparison`.
    pub compared: [u64; 2],
    /// Floating point traps in compiled code.
    pub traps: u32,
    /// Likewise, but MXCSR has not been made so since the interpreter ran.
    pub unmask: u32,
    /// The sign of a double.
    pub sign_d: u64,
    /// The sign of a single.
    pub sign_s: u32,
}

/// `exclusive_addr` of an open monitor.
pub const EXCLUSIVE_NONE: u64 = u64::MAX;

/// `HostState::flags` of a subtraction.
pub(crate) const FLAGS_SUB: u32 = 1;
/// `HostState::flags` of an addition.
pub(crate) const FLAGS_ADD: u32 = 2;
/// In `HostState::flags`: N and Z are those of `flags_nz`.
pub(crate) const FLAGS_NZ: u32 = 1 << 8;
/// In `HostState::flags`: C is `flags_c`.
pub(crate) const FLAGS_C: u32 = 1 << 9;
/// `HostState::flags` and `comparison` of a comparison of singles.
pub(crate) const FLAGS_SINGLE: u32 = 3;
/// `HostState::flags` and `comparison` of a comparison of doubles.
pub(crate) const FLAGS_DOUBLE: u32 = 4;

impl Default for HostState {
    fn default() -> Self {
        HostState {
            sp: 0,
            in_guest: 0,
            traps: 0,
            unmask: 0,
            exit: 0,
            exit_value: 0,
            fault: Fault::default(),
            slot: std::ptr::null(),
            engine: std::ptr::null(),
            flags: 0,
            flags_a: 0,
            flags_b: 0,
            flags_nz: 0,
            flags_c: 0,
            jumps: Jumps::default(),
            native: RegionJumps::default(),
            native_jumps: 0,
            native_mask: 0,
            leave: 0,
            indirect: 0,
            interpret: 0,
            helper: 0,
            crypto: 0,
            call_crypto: 0,
            return_stack: None,
            returns: 0,
            frame: 0,
            control: 0,
            rare_helper: 0,
            magnitude_d: u64::MAX >> 1,
            magnitude_s: u32::MAX >> 1,
            sign_d: 1 << 63,
            sign_s: 1 << 31,
            scratch: [0; 4],
            counts: stats::of_thread(),
            fault_at: 0,
            flags_float: [0; 2],
            comparison: 0,
            compared: [0; 2],
        }
    }
}

// SAFETY: the raw pointers are set on entry to translated code by the thread that runs it and mean nothing outside.
unsafe impl Send for CpuState {}

impl Default for CpuState {
    fn default() -> Self {
        CpuState {
            r: [0; 16],
            n: 0,
            z: 1,
            c: 0,
            v: 0,
            ge: 0,
            q: 0,
            thumb: 0,
            itstate: 0,
            fpscr: 0,
            mxcsr: crate::fp::MXCSR_DEFAULT,
            exit_request: AtomicU32::new(0),
            exclusive_addr: EXCLUSIVE_NONE,
            exclusive_value: 0,
            tpidruro: 0,
            tpidrurw: 0,
            base: 0,
            vfp: [0; 16],
            host: HostState::default(),
        }
    }
}

/// N, Z, C and V in bits 31..28 of a comparison that was made before: it raises nothing that is not raised already, and
/// was made without FPSCR.FZ.
fn comparison(kind: u32, [a, b]: [u64; 2]) -> u32 {
    if kind == FLAGS_SINGLE {
        crate::fp::s_compare(a as u32, b as u32, false, &mut 0)
    } else {
        crate::fp::d_compare(a, b, false, &mut 0)
    }
}

impl CpuState {
    /// A copy for a new thread: the same registers, no pending request.
    pub fn fork(&self) -> CpuState {
        CpuState {
            r: self.r,
            exit_request: AtomicU32::new(0),
            exclusive_addr: EXCLUSIVE_NONE,
            vfp: self.vfp,
            host: HostState::default(),
            ..*self
        }
    }

    /// Computes the flags that compiled code has left undone, FPSCR's too.
    #[inline(always)]
    pub(crate) fn settle_flags(&mut self) {
        if self.host.flags != 0 {
            use forearm_frontend::machine::Integer;
            let (a, b, float) = (self.host.flags_a, self.host.flags_b, self.host.flags_float);
            let kind = std::mem::take(&mut self.host.flags);
            let m = crate::interp::Interp::of(self);
            match kind & !(FLAGS_NZ | FLAGS_C) {
                0 => {}
                FLAGS_SUB => m.flags_sub(a, b, a.wrapping_sub(b)),
                FLAGS_ADD => m.flags_add(a, b, a.wrapping_add(b)),
                kind => m.set_nzcv(comparison(kind, float)),
            }
            if kind & FLAGS_NZ != 0 {
                (self.n, self.z) = (self.host.flags_nz, self.host.flags_nz);
            }
            if kind & FLAGS_C != 0 {
                self.c = self.host.flags_c;
            }
        }
        if self.host.comparison != 0 {
            let kind = std::mem::take(&mut self.host.comparison);
            self.fpscr = self.fpscr & 0x0fff_ffff | comparison(kind, self.host.compared);
        }
    }

    /// CPSR as user mode reads it.
    pub fn cpsr(&self) -> u32 {
        (self.n & cpsr::N)
            | if self.z == 0 { cpsr::Z } else { 0 }
            | (self.c << 29)
            | (self.v << 28)
            | (self.q << 27)
            | ((0..4).fold(0, |ge, k| ge | ((self.ge >> (8 * k) & 1) << k)) << cpsr::GE_SHIFT)
            | (self.thumb << 5)
            | ((self.itstate & 3) << 25)
            | ((self.itstate >> 2) << 10)
            | cpsr::USER
    }

    /// Sets everything of CPSR that user mode has, execution state included.
    pub fn set_cpsr(&mut self, x: u32) {
        self.n = x & cpsr::N;
        self.z = !x & cpsr::Z;
        self.c = x >> 29 & 1;
        self.v = x >> 28 & 1;
        self.q = x >> 27 & 1;
        self.ge = (0..4).fold(0, |ge, k| ge | (((x >> cpsr::GE_SHIFT >> k & 1) * 0xff) << (8 * k)));
        self.thumb = x >> 5 & 1;
        self.itstate = (x >> 25 & 3) | (x >> 10 & 0x3f) << 2;
    }

    /// FPSCR with the cumulative exception bits; only while the guest does not run.
    pub fn fpscr(&self) -> u32 {
        crate::fp::fpscr_of(self.fpscr, self.mxcsr)
    }

    /// Sets FPSCR and the host's modes with it; only while the guest does not run.
    pub fn set_fpscr(&mut self, x: u32) {
        (self.fpscr, self.mxcsr) = crate::fp::split_fpscr(x);
    }

    /// D register `n` (0 to 31).
    pub fn d(&self, n: usize) -> u64 {
        (self.vfp[n / 2] >> (64 * (n % 2))) as u64
    }

    /// Sets D register `n` (0 to 31).
    pub fn set_d(&mut self, n: usize, x: u64) {
        let shift = 64 * (n % 2);
        self.vfp[n / 2] = self.vfp[n / 2] & !(u128::from(u64::MAX) << shift) | u128::from(x) << shift;
    }

    /// Asks the thread that runs this state to leave translated code at its next safe point.
    /// Async-signal-safe; callable from any thread. Compiled code tests the word against the lower half of the state's own address,
    /// which is not 0: entering it looks.
    pub fn request_exit(&self) {
        self.exit_request.store(u32::MAX, Ordering::Release);
    }
}
