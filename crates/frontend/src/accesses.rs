//! The memory that an instruction accesses, found by running its semantics in a domain of words that are known or not: core
//! registers and what addresses are computed from are, what is loaded is not. Nothing is read or written.
//!
//! The debugger asks, for its watchpoints.

use crate::inst::Inst;
use crate::machine::{
    Crypto, CryptoOp, Elem, Fixed, Float, FloatOp1, FloatOp2, FloatOp3, Integer, Rounding, Size, V1, V2, V3,
    VShift, Vector,
};

/// An access to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Address of its first byte.
    pub address: u32,
    /// Its size.
    pub bytes: u32,
    /// A store; an exchange is a load and a store.
    pub write: bool,
}

/// The accesses of `inst`, whose condition has passed, in their order. r15 of `registers` reads as the PC value of the
/// instruction, `carry` is the C flag. A store-exclusive counts whether it succeeds or not.
pub fn of(inst: &Inst, registers: &[u32; 16], carry: bool) -> Vec<Access> {
    let mut m = Addresses { registers: registers.map(Some), carry, accesses: Vec::new() };
    crate::execute(&mut m, inst);
    m.accesses
}

/// Known, or of no matter to an address.
type Word = Option<u32>;
type Truth = Option<bool>;

struct Addresses {
    registers: [Word; 16],
    carry: bool,
    accesses: Vec<Access>,
}

impl Addresses {
    /// The address is known: no instruction loads it, or computes it by what is left out below. Tests try all of them.
    fn access(&mut self, address: Word, bytes: u32, write: bool) {
        self.accesses.extend(address.map(|address| Access { address, bytes, write }));
    }
}

impl Integer for Addresses {
    type W = Word;
    type L = ();
    type B = Truth;

    fn word(&mut self, x: u32) -> Word {
        Some(x)
    }
    fn long(&mut self, _: u64) {}
    fn bool(&mut self, x: bool) -> Truth {
        Some(x)
    }
    fn b_to_w(&mut self, b: Truth) -> Word {
        b.map(u32::from)
    }
    fn w_to_b(&mut self, _: Word) -> Truth {
        None
    }
    fn bit(&mut self, _: Word, _: u32) -> Truth {
        None
    }
    fn reg(&mut self, r: u8) -> Word {
        self.registers[usize::from(r & 15)]
    }
    fn set_reg(&mut self, r: u8, w: Word) {
        self.registers[usize::from(r & 15)] = w;
    }
    // Only where a branch goes depends on these three.
    fn pc(&self) -> u32 {
        0
    }
    fn next_pc(&self) -> u32 {
        0
    }
    fn thumb(&self) -> bool {
        false
    }
    fn add(&mut self, a: Word, b: Word) -> Word {
        Some(a?.wrapping_add(b?))
    }
    fn sub(&mut self, a: Word, b: Word) -> Word {
        Some(a?.wrapping_sub(b?))
    }
    fn mul(&mut self, _: Word, _: Word) -> Word {
        None
    }
    fn and(&mut self, a: Word, b: Word) -> Word {
        Some(a? & b?)
    }
    fn or(&mut self, a: Word, b: Word) -> Word {
        Some(a? | b?)
    }
    fn xor(&mut self, _: Word, _: Word) -> Word {
        None
    }
    fn not(&mut self, _: Word) -> Word {
        None
    }
    fn shl(&mut self, a: Word, n: u32) -> Word {
        Some(a?.wrapping_shl(n))
    }
    fn shr(&mut self, a: Word, n: u32) -> Word {
        Some(a?.wrapping_shr(n))
    }
    fn sar(&mut self, a: Word, n: u32) -> Word {
        Some((a? as i32).wrapping_shr(n) as u32)
    }
    fn ror(&mut self, a: Word, n: u32) -> Word {
        Some(a?.rotate_right(n))
    }
    fn shl_by(&mut self, _: Word, _: Word) -> Word {
        None
    }
    fn shr_by(&mut self, _: Word, _: Word) -> Word {
        None
    }
    fn sar_by(&mut self, _: Word, _: Word) -> Word {
        None
    }
    fn ror_by(&mut self, _: Word, _: Word) -> Word {
        None
    }
    fn clz(&mut self, _: Word) -> Word {
        None
    }
    fn rbit(&mut self, _: Word) -> Word {
        None
    }
    fn rev(&mut self, _: Word) -> Word {
        None
    }
    fn sext8(&mut self, _: Word) -> Word {
        None
    }
    fn sext16(&mut self, _: Word) -> Word {
        None
    }
    fn zext8(&mut self, _: Word) -> Word {
        None
    }
    fn zext16(&mut self, _: Word) -> Word {
        None
    }
    fn udiv(&mut self, _: Word, _: Word) -> Word {
        None
    }
    fn sdiv(&mut self, _: Word, _: Word) -> Word {
        None
    }
    fn crc32(&mut self, _: bool, _: Word, _: Word, _: u32) -> Word {
        None
    }
    fn umull(&mut self, _: Word, _: Word) {}
    fn smull(&mut self, _: Word, _: Word) {}
    fn zext(&mut self, _: Word) {}
    fn sext(&mut self, _: Word) {}
    fn pair(&mut self, _: Word, _: Word) {}
    fn lo(&mut self, (): ()) -> Word {
        None
    }
    fn hi(&mut self, (): ()) -> Word {
        None
    }
    fn add64(&mut self, (): (), (): ()) {}
    fn sub64(&mut self, (): (), (): ()) {}
    fn shr64(&mut self, (): (), _: u32) {}
    fn sar64(&mut self, (): (), _: u32) {}
    fn eq(&mut self, _: Word, _: Word) -> Truth {
        None
    }
    fn ult(&mut self, _: Word, _: Word) -> Truth {
        None
    }
    fn slt(&mut self, _: Word, _: Word) -> Truth {
        None
    }
    fn b_not(&mut self, _: Truth) -> Truth {
        None
    }
    fn b_and(&mut self, _: Truth, _: Truth) -> Truth {
        None
    }
    fn b_or(&mut self, _: Truth, _: Truth) -> Truth {
        None
    }
    fn b_xor(&mut self, _: Truth, _: Truth) -> Truth {
        None
    }
    fn select(&mut self, _: Truth, _: Word, _: Word) -> Word {
        None
    }
    fn set_nz(&mut self, _: Word) {}
    fn set_n_z(&mut self, _: Word, _: Word) {}
    fn set_c(&mut self, _: Truth) {}
    fn set_v(&mut self, _: Truth) {}
    fn flags_add(&mut self, _: Word, _: Word, _: Word) {}
    fn flags_sub(&mut self, _: Word, _: Word, _: Word) {}
    fn adc(&mut self, _: Word, _: Word, _: bool) -> Word {
        None
    }
    fn sbc(&mut self, _: Word, _: Word, _: bool) -> Word {
        None
    }
    fn c(&mut self) -> Truth {
        Some(self.carry)
    }
    fn nzcv(&mut self) -> Word {
        None
    }
    fn set_nzcv(&mut self, _: Word) {}
    fn q(&mut self) -> Word {
        None
    }
    fn set_q(&mut self, _: Word) {}
    fn saturated(&mut self, _: Truth) {}
    fn ge(&mut self) -> Word {
        None
    }
    fn set_ge(&mut self, _: Word) {}
    fn load(&mut self, size: Size, addr: Word) -> Word {
        self.access(addr, size.bytes(), false);
        None
    }
    fn store(&mut self, size: Size, addr: Word, _: Word) {
        self.access(addr, size.bytes(), true);
    }
    fn load64(&mut self, addr: Word) {
        self.access(addr, 8, false);
    }
    fn store64(&mut self, addr: Word, (): ()) {
        self.access(addr, 8, true);
    }
    fn load_acquire(&mut self, size: Size, addr: Word) -> Word {
        self.load(size, addr)
    }
    fn store_release(&mut self, size: Size, addr: Word, v: Word) {
        self.store(size, addr, v);
    }
    fn load_exclusive(&mut self, size: Size, addr: Word) -> Word {
        self.load(size, addr)
    }
    fn load_exclusive64(&mut self, addr: Word) {
        self.load64(addr);
    }
    fn store_exclusive(&mut self, size: Size, addr: Word, v: Word) -> Word {
        self.store(size, addr, v);
        None
    }
    fn store_exclusive64(&mut self, addr: Word, (): ()) -> Word {
        self.store64(addr, ());
        None
    }
    fn clear_exclusive(&mut self) {}
    fn swap(&mut self, size: Size, addr: Word, v: Word) -> Word {
        let old = self.load(size, addr);
        self.store(size, addr, v);
        old
    }
    fn prefetch(&mut self, _: Word) {}
    fn barrier(&mut self) {}
    fn branch(&mut self, _: u32) {}
    fn branch_if(&mut self, _: Truth, _: u32) {}
    fn branch_exchange(&mut self, _: u32) {}
    fn bx(&mut self, _: Word) {}
    fn branch_to(&mut self, _: Word) {}
    fn svc(&mut self, _: u32) {}
    fn undefined(&mut self) {}
    fn bkpt(&mut self, _: u32) {}
    fn tpidruro(&mut self) -> Word {
        None
    }
    fn tpidrurw(&mut self) -> Word {
        None
    }
    fn set_tpidrurw(&mut self, _: Word) {}
    fn counter(&mut self) {}
}

impl Float for Addresses {
    type S = ();
    type D = ();

    fn sreg(&mut self, _: u8) {}
    fn set_sreg(&mut self, _: u8, (): ()) {}
    fn dreg(&mut self, _: u8) {}
    fn set_dreg(&mut self, _: u8, (): ()) {}
    fn s_from_bits(&mut self, _: Word) {}
    fn s_bits(&mut self, (): ()) -> Word {
        None
    }
    fn d_from_bits(&mut self, (): ()) {}
    fn d_bits(&mut self, (): ()) {}
    fn s_select(&mut self, _: Truth, (): (), (): ()) {}
    fn d_select(&mut self, _: Truth, (): (), (): ()) {}
    fn s_neg(&mut self, (): ()) {}
    fn s_abs(&mut self, (): ()) {}
    fn d_neg(&mut self, (): ()) {}
    fn d_abs(&mut self, (): ()) {}
    fn s1(&mut self, _: FloatOp1, (): ()) {}
    fn s2(&mut self, _: FloatOp2, (): (), (): ()) {}
    fn s3(&mut self, _: FloatOp3, (): (), (): (), (): ()) {}
    fn d1(&mut self, _: FloatOp1, (): ()) {}
    fn d2(&mut self, _: FloatOp2, (): (), (): ()) {}
    fn d3(&mut self, _: FloatOp3, (): (), (): (), (): ()) {}
    fn s_compare(&mut self, (): (), (): (), _: bool) -> Word {
        None
    }
    fn d_compare(&mut self, (): (), (): (), _: bool) -> Word {
        None
    }
    fn s_round(&mut self, (): (), _: Rounding, _: bool) {}
    fn d_round(&mut self, (): (), _: Rounding, _: bool) {}
    fn s_to_fixed(&mut self, (): (), _: Fixed, _: Rounding) -> Word {
        None
    }
    fn d_to_fixed(&mut self, (): (), _: Fixed, _: Rounding) -> Word {
        None
    }
    fn s_from_fixed(&mut self, _: Word, _: Fixed, _: Rounding) {}
    fn d_from_fixed(&mut self, _: Word, _: Fixed, _: Rounding) {}
    fn s_to_d(&mut self, (): ()) {}
    fn d_to_s(&mut self, (): ()) {}
    fn half_to_s(&mut self, _: Word) {}
    fn half_to_d(&mut self, _: Word) {}
    fn s_to_half(&mut self, (): ()) -> Word {
        None
    }
    fn d_to_half(&mut self, (): ()) -> Word {
        None
    }
    fn fpscr(&mut self) -> Word {
        None
    }
    fn set_fpscr(&mut self, _: Word) {}
    fn fpscr_nzcv(&mut self) -> Word {
        None
    }
    fn set_fpscr_nzcv(&mut self, _: Word) {}
}

impl Vector for Addresses {
    type V = ();

    fn qreg(&mut self, _: u8) {}
    fn set_qreg(&mut self, _: u8, (): ()) {}
    fn vdreg(&mut self, _: u8) {}
    fn set_vdreg(&mut self, _: u8, (): ()) {}
    fn vload(&mut self, bytes: u32, _: u32, addr: Word) {
        self.access(addr, bytes, false);
    }
    fn vstore(&mut self, bytes: u32, _: u32, addr: Word, (): ()) {
        self.access(addr, bytes, true);
    }
    fn vconst(&mut self, _: u128) {}
    fn vdup(&mut self, _: Elem, _: Word) {}
    fn vdup_lane(&mut self, _: Elem, (): (), _: u8) {}
    fn lane(&mut self, _: Elem, (): (), _: u8) -> Word {
        None
    }
    fn set_lane(&mut self, _: Elem, (): (), _: u8, _: Word) {}
    fn vlow(&mut self, (): ()) {}
    fn vhigh(&mut self, (): ()) {}
    fn vconcat(&mut self, (): (), (): ()) {}
    fn v1(&mut self, _: V1, _: Elem, (): ()) {}
    fn v2(&mut self, _: V2, _: Elem, (): (), (): ()) {}
    fn v3(&mut self, _: V3, _: Elem, (): (), (): (), (): ()) {}
    fn vshift(&mut self, _: VShift, _: Elem, (): (), _: u8) {}
    fn vext(&mut self, (): (), (): (), _: u8) {}
    fn vtable(&mut self, _: [(); 2], _: u8, (): (), (): ()) {}
}

impl Crypto for Addresses {
    fn crypto(&mut self, _: CryptoOp, (): (), (): (), (): ()) {}
}
