//! Plain integers as the value domain: the guest's registers are `CpuState`, its memory is the host's.

use super::Interp;
use crate::engine::{ExitCode, Fault};
use crate::state::{EXCLUSIVE_NONE, cpsr};
use forearm_frontend::decode::ItState;
use forearm_frontend::machine::{Integer, Size};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering, fence};

/// An unaligned value in guest memory. Accesses are volatile: a later register write may not move before a load that
/// can fault.
#[repr(C, packed)]
#[derive(Clone, Copy)]
struct Unaligned<T: Copy>(T);

impl Interp {
    #[inline(always)]
    fn host<T>(&self, addr: u32) -> *mut T {
        (self.0.base + u64::from(addr)) as *mut T
    }

    /// Reads guest memory; an inaccessible address leaves translated code through the SIGSEGV handler.
    #[inline(always)]
    pub(crate) fn read<T: Copy>(&self, addr: u32) -> T {
        // SAFETY: any guest address plus any size up to 16 stays in the guest's 4 GiB and the guard behind them.
        unsafe { self.host::<Unaligned<T>>(addr).read_volatile().0 }
    }

    /// Writes guest memory, likewise.
    #[inline(always)]
    pub(crate) fn write<T: Copy>(&self, addr: u32, value: T) {
        // SAFETY: as in `read`.
        unsafe { self.host::<Unaligned<T>>(addr).write_volatile(Unaligned(value)) }
    }

    /// An atomic of the guest; the caller has checked its alignment.
    #[inline(always)]
    fn atomic<T>(&self, addr: u32) -> &T {
        // SAFETY: aligned, and within the guest's address space; if unmapped, the access faults as in `read`.
        unsafe { &*self.host::<T>(addr) }
    }

    /// Exclusive accesses must be aligned whatever SCTLR.A says (Arm ARM A3.2.1).
    #[inline(always)]
    pub(crate) fn check_aligned(&mut self, addr: u32, bytes: u32, write: bool) {
        if addr & (bytes - 1) != 0 {
            self.alignment_fault(addr, write);
        }
    }

    /// An alignment fault found by compiled code.
    pub(crate) fn misaligned(&mut self, addr: u32, write: bool) -> ! {
        self.alignment_fault(addr, write)
    }

    #[cold]
    fn alignment_fault(&mut self, addr: u32, write: bool) -> ! {
        self.0.host.fault = Fault { addr, signal: libc::SIGBUS, code: 1, write };
        self.0.host.exit = ExitCode::DataAbort as u32;
        // SAFETY: handlers hold nothing that must be dropped, and run above `enter`.
        unsafe { crate::enter::abandon(&mut self.0) }
    }

    fn trap(&mut self, code: ExitCode, value: u32, after: bool) {
        let (pc, it) = (self.slot().pc, ItState(self.slot().aux as u8));
        self.0.r[15] = if after { self.next_pc() } else { pc };
        self.0.itstate = if after { it.advance().0 } else { it.0 }.into();
        self.0.host.exit = code as u32;
        self.0.host.exit_value = value;
    }
}

impl Integer for Interp {
    type W = u32;
    type L = u64;
    type B = bool;

    #[inline(always)]
    fn word(&mut self, x: u32) -> u32 {
        x
    }
    #[inline(always)]
    fn long(&mut self, x: u64) -> u64 {
        x
    }
    #[inline(always)]
    fn bool(&mut self, x: bool) -> bool {
        x
    }
    #[inline(always)]
    fn b_to_w(&mut self, b: bool) -> u32 {
        b.into()
    }
    #[inline(always)]
    fn w_to_b(&mut self, w: u32) -> bool {
        w != 0
    }
    #[inline(always)]
    fn bit(&mut self, w: u32, n: u32) -> bool {
        w >> n & 1 != 0
    }

    #[inline(always)]
    fn reg(&mut self, r: u8) -> u32 {
        self.0.r[usize::from(r & 15)]
    }
    #[inline(always)]
    fn set_reg(&mut self, r: u8, w: u32) {
        self.0.r[usize::from(r & 15)] = w;
    }
    #[inline(always)]
    fn pc(&self) -> u32 {
        self.slot().pc.wrapping_add(if self.0.thumb != 0 { 4 } else { 8 })
    }
    #[inline(always)]
    fn next_pc(&self) -> u32 {
        // SAFETY: only instructions ask for it, so this is an instruction slot.
        self.slot().pc.wrapping_add(unsafe { self.slot().inst() }.len.into())
    }
    #[inline(always)]
    fn thumb(&self) -> bool {
        self.0.thumb != 0
    }

    #[inline(always)]
    fn add(&mut self, a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn sub(&mut self, a: u32, b: u32) -> u32 {
        a.wrapping_sub(b)
    }
    #[inline(always)]
    fn mul(&mut self, a: u32, b: u32) -> u32 {
        a.wrapping_mul(b)
    }
    #[inline(always)]
    fn and(&mut self, a: u32, b: u32) -> u32 {
        a & b
    }
    #[inline(always)]
    fn or(&mut self, a: u32, b: u32) -> u32 {
        a | b
    }
    #[inline(always)]
    fn xor(&mut self, a: u32, b: u32) -> u32 {
        a ^ b
    }
    #[inline(always)]
    fn not(&mut self, a: u32) -> u32 {
        !a
    }
    #[inline(always)]
    fn shl(&mut self, a: u32, n: u32) -> u32 {
        a.wrapping_shl(n)
    }
    #[inline(always)]
    fn shr(&mut self, a: u32, n: u32) -> u32 {
        a.wrapping_shr(n)
    }
    #[inline(always)]
    fn sar(&mut self, a: u32, n: u32) -> u32 {
        (a as i32).wrapping_shr(n) as u32
    }
    #[inline(always)]
    fn ror(&mut self, a: u32, n: u32) -> u32 {
        a.rotate_right(n)
    }
    #[inline(always)]
    fn shl_by(&mut self, a: u32, n: u32) -> u32 {
        a.checked_shl(n & 0xff).unwrap_or(0)
    }
    #[inline(always)]
    fn shr_by(&mut self, a: u32, n: u32) -> u32 {
        a.checked_shr(n & 0xff).unwrap_or(0)
    }
    #[inline(always)]
    fn sar_by(&mut self, a: u32, n: u32) -> u32 {
        ((a as i32) >> (n & 0xff).min(31)) as u32
    }
    #[inline(always)]
    fn ror_by(&mut self, a: u32, n: u32) -> u32 {
        a.rotate_right(n & 31)
    }
    #[inline(always)]
    fn clz(&mut self, a: u32) -> u32 {
        a.leading_zeros()
    }
    #[inline(always)]
    fn rbit(&mut self, a: u32) -> u32 {
        a.reverse_bits()
    }
    #[inline(always)]
    fn rev(&mut self, a: u32) -> u32 {
        a.swap_bytes()
    }
    #[inline(always)]
    fn sext8(&mut self, a: u32) -> u32 {
        a as i8 as u32
    }
    #[inline(always)]
    fn sext16(&mut self, a: u32) -> u32 {
        a as i16 as u32
    }
    #[inline(always)]
    fn zext8(&mut self, a: u32) -> u32 {
        a & 0xff
    }
    #[inline(always)]
    fn zext16(&mut self, a: u32) -> u32 {
        a & 0xffff
    }
    #[inline(always)]
    fn udiv(&mut self, a: u32, b: u32) -> u32 {
        a.checked_div(b).unwrap_or(0)
    }
    #[inline(always)]
    fn sdiv(&mut self, a: u32, b: u32) -> u32 {
        if b == 0 { 0 } else { (a as i32).wrapping_div(b as i32) as u32 }
    }
    fn crc32(&mut self, castagnoli: bool, crc: u32, data: u32, bytes: u32) -> u32 {
        crc32(castagnoli, crc, data, bytes)
    }

    #[inline(always)]
    fn umull(&mut self, a: u32, b: u32) -> u64 {
        u64::from(a) * u64::from(b)
    }
    #[inline(always)]
    fn smull(&mut self, a: u32, b: u32) -> u64 {
        (i64::from(a as i32) * i64::from(b as i32)) as u64
    }
    #[inline(always)]
    fn zext(&mut self, a: u32) -> u64 {
        a.into()
    }
    #[inline(always)]
    fn sext(&mut self, a: u32) -> u64 {
        a as i32 as u64
    }
    #[inline(always)]
    fn pair(&mut self, lo: u32, hi: u32) -> u64 {
        u64::from(lo) | u64::from(hi) << 32
    }
    #[inline(always)]
    fn lo(&mut self, a: u64) -> u32 {
        a as u32
    }
    #[inline(always)]
    fn hi(&mut self, a: u64) -> u32 {
        (a >> 32) as u32
    }
    #[inline(always)]
    fn add64(&mut self, a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn sub64(&mut self, a: u64, b: u64) -> u64 {
        a.wrapping_sub(b)
    }
    #[inline(always)]
    fn shr64(&mut self, a: u64, n: u32) -> u64 {
        a.wrapping_shr(n)
    }
    #[inline(always)]
    fn sar64(&mut self, a: u64, n: u32) -> u64 {
        (a as i64).wrapping_shr(n) as u64
    }

    #[inline(always)]
    fn eq(&mut self, a: u32, b: u32) -> bool {
        a == b
    }
    #[inline(always)]
    fn ult(&mut self, a: u32, b: u32) -> bool {
        a < b
    }
    #[inline(always)]
    fn slt(&mut self, a: u32, b: u32) -> bool {
        (a as i32) < b as i32
    }
    #[inline(always)]
    fn b_not(&mut self, a: bool) -> bool {
        !a
    }
    #[inline(always)]
    fn b_and(&mut self, a: bool, b: bool) -> bool {
        a & b
    }
    #[inline(always)]
    fn b_or(&mut self, a: bool, b: bool) -> bool {
        a | b
    }
    #[inline(always)]
    fn b_xor(&mut self, a: bool, b: bool) -> bool {
        a ^ b
    }
    #[inline(always)]
    fn select(&mut self, c: bool, a: u32, b: u32) -> u32 {
        if c { a } else { b }
    }

    #[inline(always)]
    fn set_nz(&mut self, result: u32) {
        self.0.n = result;
        self.0.z = result;
    }
    #[inline(always)]
    fn set_n_z(&mut self, n: u32, z: u32) {
        self.0.n = n;
        self.0.z = z;
    }
    #[inline(always)]
    fn set_c(&mut self, c: bool) {
        self.0.c = c.into();
    }
    #[inline(always)]
    fn set_v(&mut self, v: bool) {
        self.0.v = v.into();
    }
    #[inline(always)]
    fn flags_add(&mut self, a: u32, b: u32, result: u32) {
        self.set_nz(result);
        self.0.c = (result < a).into();
        self.0.v = ((a ^ result) & (b ^ result)) >> 31;
    }
    #[inline(always)]
    fn flags_sub(&mut self, a: u32, b: u32, result: u32) {
        self.set_nz(result);
        self.0.c = (a >= b).into();
        self.0.v = ((a ^ b) & (a ^ result)) >> 31;
    }
    #[inline(always)]
    fn adc(&mut self, a: u32, b: u32, s: bool) -> u32 {
        let wide = u64::from(a) + u64::from(b) + u64::from(self.0.c);
        let result = wide as u32;
        if s {
            self.set_nz(result);
            self.0.c = (wide >> 32) as u32;
            self.0.v = ((a ^ result) & (b ^ result)) >> 31;
        }
        result
    }
    #[inline(always)]
    fn sbc(&mut self, a: u32, b: u32, s: bool) -> u32 {
        self.adc(a, !b, s)
    }
    #[inline(always)]
    fn c(&mut self) -> bool {
        self.0.c != 0
    }
    #[inline(always)]
    fn nzcv(&mut self) -> u32 {
        self.0.n & cpsr::N | u32::from(self.0.z == 0) << 30 | self.0.c << 29 | self.0.v << 28
    }
    #[inline(always)]
    fn set_nzcv(&mut self, w: u32) {
        self.0.n = w;
        self.0.z = !w & cpsr::Z;
        self.0.c = w >> 29 & 1;
        self.0.v = w >> 28 & 1;
    }
    #[inline(always)]
    fn q(&mut self) -> u32 {
        self.0.q
    }
    #[inline(always)]
    fn set_q(&mut self, w: u32) {
        self.0.q = w & 1;
    }
    #[inline(always)]
    fn saturated(&mut self, b: bool) {
        self.0.q |= u32::from(b);
    }
    #[inline(always)]
    fn ge(&mut self) -> u32 {
        self.0.ge
    }
    #[inline(always)]
    fn set_ge(&mut self, w: u32) {
        self.0.ge = w;
    }

    #[inline(always)]
    fn load(&mut self, size: Size, addr: u32) -> u32 {
        match size {
            Size::U8 => self.read::<u8>(addr).into(),
            Size::S8 => self.read::<i8>(addr) as u32,
            Size::U16 => self.read::<u16>(addr).into(),
            Size::S16 => self.read::<i16>(addr) as u32,
            Size::W => self.read(addr),
        }
    }
    #[inline(always)]
    fn store(&mut self, size: Size, addr: u32, value: u32) {
        match size {
            Size::U8 | Size::S8 => self.write(addr, value as u8),
            Size::U16 | Size::S16 => self.write(addr, value as u16),
            Size::W => self.write(addr, value),
        }
    }
    #[inline(always)]
    fn load64(&mut self, addr: u32) -> u64 {
        self.read(addr)
    }
    #[inline(always)]
    fn store64(&mut self, addr: u32, value: u64) {
        self.write(addr, value);
    }
    fn load_acquire(&mut self, size: Size, addr: u32) -> u32 {
        self.check_aligned(addr, size.bytes(), false);
        // An x86 load is an acquire.
        self.load(size, addr)
    }
    fn store_release(&mut self, size: Size, addr: u32, value: u32) {
        self.check_aligned(addr, size.bytes(), true);
        self.store(size, addr, value);
        // STL before a later LDA must not be reordered.
        fence(Ordering::SeqCst);
    }
    fn load_exclusive(&mut self, size: Size, addr: u32) -> u32 {
        self.check_aligned(addr, size.bytes(), false);
        let value = self.load(size, addr);
        self.0.exclusive_addr = addr.into();
        self.0.exclusive_value = value.into();
        value
    }
    fn load_exclusive64(&mut self, addr: u32) -> u64 {
        self.check_aligned(addr, 8, false);
        let value = self.atomic::<AtomicU64>(addr).load(Ordering::Acquire);
        self.0.exclusive_addr = addr.into();
        self.0.exclusive_value = value;
        value
    }
    fn store_exclusive(&mut self, size: Size, addr: u32, value: u32) -> u32 {
        self.check_aligned(addr, size.bytes(), true);
        let (held, old) = (self.0.exclusive_addr == u64::from(addr), self.0.exclusive_value as u32);
        self.0.exclusive_addr = EXCLUSIVE_NONE;
        if !held {
            return 1;
        }
        const ORDER: Ordering = Ordering::SeqCst;
        let done = match size {
            Size::U8 | Size::S8 => {
                self.atomic::<AtomicU8>(addr).compare_exchange(old as u8, value as u8, ORDER, ORDER).is_ok()
            }
            Size::U16 | Size::S16 => self
                .atomic::<AtomicU16>(addr)
                .compare_exchange(old as u16, value as u16, ORDER, ORDER)
                .is_ok(),
            Size::W => self.atomic::<AtomicU32>(addr).compare_exchange(old, value, ORDER, ORDER).is_ok(),
        };
        u32::from(!done)
    }
    fn store_exclusive64(&mut self, addr: u32, value: u64) -> u32 {
        self.check_aligned(addr, 8, true);
        let (held, old) = (self.0.exclusive_addr == u64::from(addr), self.0.exclusive_value);
        self.0.exclusive_addr = EXCLUSIVE_NONE;
        let done = held
            && self
                .atomic::<AtomicU64>(addr)
                .compare_exchange(old, value, Ordering::SeqCst, Ordering::SeqCst)
                .is_ok();
        u32::from(!done)
    }
    fn clear_exclusive(&mut self) {
        self.0.exclusive_addr = EXCLUSIVE_NONE;
    }
    fn swap(&mut self, size: Size, addr: u32, value: u32) -> u32 {
        self.check_aligned(addr, size.bytes(), true);
        if size == Size::W {
            self.atomic::<AtomicU32>(addr).swap(value, Ordering::SeqCst)
        } else {
            self.atomic::<AtomicU8>(addr).swap(value as u8, Ordering::SeqCst).into()
        }
    }
    #[inline(always)]
    fn prefetch(&mut self, _: u32) {}
    fn barrier(&mut self) {
        fence(Ordering::SeqCst);
    }

    #[inline(always)]
    fn branch(&mut self, target: u32) {
        self.0.r[15] = target;
    }
    #[inline(always)]
    fn branch_if(&mut self, c: bool, target: u32) {
        self.0.r[15] = if c { target } else { self.next_pc() };
    }
    fn branch_exchange(&mut self, target: u32) {
        self.0.r[15] = target;
        self.0.thumb ^= 1;
    }
    #[inline(always)]
    fn bx(&mut self, target: u32) {
        self.0.thumb = target & 1;
        // To A32 with bit 1 set is UNPREDICTABLE; the bit is dropped.
        self.0.r[15] = target & if target & 1 != 0 { !1 } else { !3 };
    }
    #[inline(always)]
    fn branch_to(&mut self, target: u32) {
        self.0.r[15] = target & if self.0.thumb != 0 { !1 } else { !3 };
    }
    fn svc(&mut self, imm: u32) {
        self.trap(ExitCode::Syscall, imm, true);
    }
    fn undefined(&mut self) {
        self.trap(ExitCode::Undefined, 0, false);
    }
    fn bkpt(&mut self, imm: u32) {
        self.trap(ExitCode::Breakpoint, imm, false);
    }

    fn tpidruro(&mut self) -> u32 {
        self.0.tpidruro
    }
    fn tpidrurw(&mut self) -> u32 {
        self.0.tpidrurw
    }
    fn set_tpidrurw(&mut self, w: u32) {
        self.0.tpidrurw = w;
    }
    fn counter(&mut self) -> u64 {
        counter()
    }
}

/// The guest's counter: `CLOCK_MONOTONIC` in nanoseconds.
pub fn counter() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a timespec to write to; the clock exists on every Linux, so the call does not fail.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// A step of the CRC32 and CRC32C instructions: the low `bytes` bytes of `data`, least significant bit first.
pub fn crc32(castagnoli: bool, crc: u32, data: u32, bytes: u32) -> u32 {
    // The reversed polynomials of 0x1edc6f41 and 0x04c11db7.
    let poly = if castagnoli { 0x82f6_3b78 } else { 0xedb8_8320 };
    let data = if bytes == 4 { data } else { data & ((1 << (8 * bytes)) - 1) };
    (0..8 * bytes).fold(crc ^ data, |x, _| if x & 1 != 0 { x >> 1 ^ poly } else { x >> 1 })
}
