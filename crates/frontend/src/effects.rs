//! What an instruction touches, found by running its semantics in a domain of empty values.
//!
//! The block builder and the code generator ask; nothing about reads, writes and branches is kept by hand.

use crate::inst::Inst;
use crate::machine::{
    CryptoOp, Elem, Fixed, FloatOp1, FloatOp2, FloatOp3, Integer, Rounding, Size, V1, V2, V3, VShift,
};

/// How an instruction leaves the straight line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// To a fixed address in the same instruction set.
    Branch(u32),
    /// To a fixed address in the other instruction set.
    BranchExchange(u32),
    /// To a fixed address or the next instruction.
    BranchIf(u32),
    /// To an address in a register or from memory.
    Indirect,
    /// Into the runtime: SVC, BKPT, undefined.
    Trap,
}

/// The effects of one instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Core registers read, a bit each.
    pub reads: u16,
    /// Core registers written, a bit each; r15 is `flow`.
    pub writes: u16,
    /// N, Z, C or V read.
    pub reads_flags: bool,
    /// N, Z, C or V written.
    pub writes_flags: bool,
    /// N, Z, C and V all written, whatever they were.
    pub kills_flags: bool,
    /// N and Z written.
    pub writes_nz: bool,
    /// C written by itself.
    pub writes_c: bool,
    /// V written by itself.
    pub writes_v: bool,
    /// Exclusive, ordered or exchanging accesses, CRCs: left to the interpreter by code generation.
    pub rare: bool,
    /// Q, GE, TPIDRURW or the exclusive monitor written, a barrier or an ordered access.
    pub touches_other: bool,
    /// Memory is read or written: the instruction may fault.
    pub memory: bool,
    /// Memory is written.
    pub stores: bool,
    /// VFP or Advanced SIMD registers or FPSCR are touched.
    pub float: bool,
    /// Elements of vectors may set FPSCR's cumulative flags.
    pub cumulative: bool,
    /// S and D registers read as such, a bit of [`scalar_overlap`]'s each.
    pub scalar_reads: u64,
    /// S and D registers written as such.
    pub scalar_writes: u64,
    /// D registers of which vectors are read or written, in the same bits. Not 32 bits wide: LLVM makes shifts of four such
    /// numbers a conversion of floats, which would set the guest's exception flags.
    pub vectors: u64,
    /// FPSCR may be written as a whole: rounding or flush mode may change.
    pub writes_fpscr: bool,
    /// Leaves the straight line; a block ends here.
    pub flow: Option<Flow>,
    /// r14 is set to the return address: a call.
    pub links: bool,
}

/// The S and D registers that overlap with those of `set`. Bits 0 to 31 are S registers, bits 32 to 63 D registers.
pub fn scalar_overlap(set: u64) -> u64 {
    if set == 0 {
        return 0;
    }
    (0..16).fold(0, |overlap, d| {
        let (singles, double) = (3 << (2 * d), 1 << (32 + d));
        overlap | if set & singles != 0 { double } else { 0 } | if set & double != 0 { singles } else { 0 }
    })
}

impl Effects {
    /// The S and D registers that `vectors` has bits of.
    pub fn scalars_of_vectors(&self) -> u64 {
        self.vectors | scalar_overlap(self.vectors)
    }

    /// The effects of `inst`.
    pub fn of(inst: &Inst) -> Effects {
        let mut e = Effects::default();
        crate::execute(&mut e, inst);
        e
    }
}

impl Integer for Effects {
    type W = ();
    type L = ();
    type B = ();

    fn word(&mut self, _: u32) {}
    fn long(&mut self, _: u64) {}
    fn bool(&mut self, _: bool) {}
    fn b_to_w(&mut self, (): ()) {}
    fn w_to_b(&mut self, (): ()) {}
    fn bit(&mut self, (): (), _: u32) {}
    fn reg(&mut self, r: u8) {
        self.reads |= 1 << r;
    }
    fn set_reg(&mut self, r: u8, (): ()) {
        self.writes |= 1 << r;
    }
    fn pc(&self) -> u32 {
        0
    }
    fn next_pc(&self) -> u32 {
        0
    }
    fn thumb(&self) -> bool {
        false
    }
    fn add(&mut self, (): (), (): ()) {}
    fn sub(&mut self, (): (), (): ()) {}
    fn mul(&mut self, (): (), (): ()) {}
    fn and(&mut self, (): (), (): ()) {}
    fn or(&mut self, (): (), (): ()) {}
    fn xor(&mut self, (): (), (): ()) {}
    fn not(&mut self, (): ()) {}
    fn shl(&mut self, (): (), _: u32) {}
    fn shr(&mut self, (): (), _: u32) {}
    fn sar(&mut self, (): (), _: u32) {}
    fn ror(&mut self, (): (), _: u32) {}
    fn shl_by(&mut self, (): (), (): ()) {}
    fn shr_by(&mut self, (): (), (): ()) {}
    fn sar_by(&mut self, (): (), (): ()) {}
    fn ror_by(&mut self, (): (), (): ()) {}
    fn clz(&mut self, (): ()) {}
    fn rbit(&mut self, (): ()) {}
    fn rev(&mut self, (): ()) {}
    fn sext8(&mut self, (): ()) {}
    fn sext16(&mut self, (): ()) {}
    fn zext8(&mut self, (): ()) {}
    fn zext16(&mut self, (): ()) {}
    fn udiv(&mut self, (): (), (): ()) {}
    fn sdiv(&mut self, (): (), (): ()) {}
    fn crc32(&mut self, _: bool, (): (), (): (), _: u32) {
        self.rare = true;
    }
    fn umull(&mut self, (): (), (): ()) {}
    fn smull(&mut self, (): (), (): ()) {}
    fn zext(&mut self, (): ()) {}
    fn sext(&mut self, (): ()) {}
    fn pair(&mut self, (): (), (): ()) {}
    fn lo(&mut self, (): ()) {}
    fn hi(&mut self, (): ()) {}
    fn add64(&mut self, (): (), (): ()) {}
    fn sub64(&mut self, (): (), (): ()) {}
    fn shr64(&mut self, (): (), _: u32) {}
    fn sar64(&mut self, (): (), _: u32) {}
    fn eq(&mut self, (): (), (): ()) {}
    fn ult(&mut self, (): (), (): ()) {}
    fn slt(&mut self, (): (), (): ()) {}
    fn b_not(&mut self, (): ()) {}
    fn b_and(&mut self, (): (), (): ()) {}
    fn b_or(&mut self, (): (), (): ()) {}
    fn b_xor(&mut self, (): (), (): ()) {}
    fn select(&mut self, (): (), (): (), (): ()) {}
    fn set_nz(&mut self, (): ()) {
        (self.writes_flags, self.writes_nz) = (true, true);
    }
    fn set_n_z(&mut self, (): (), (): ()) {
        (self.writes_flags, self.writes_nz) = (true, true);
    }
    fn set_c(&mut self, (): ()) {
        (self.writes_flags, self.writes_c) = (true, true);
    }
    fn set_v(&mut self, (): ()) {
        (self.writes_flags, self.writes_v) = (true, true);
    }
    fn flags_add(&mut self, (): (), (): (), (): ()) {
        (self.writes_flags, self.kills_flags) = (true, true);
    }
    fn flags_sub(&mut self, (): (), (): (), (): ()) {
        (self.writes_flags, self.kills_flags) = (true, true);
    }
    fn adc(&mut self, (): (), (): (), s: bool) {
        self.reads_flags = true;
        self.writes_flags |= s;
        self.kills_flags |= s;
    }
    fn sbc(&mut self, (): (), (): (), s: bool) {
        self.reads_flags = true;
        self.writes_flags |= s;
        self.kills_flags |= s;
    }
    fn c(&mut self) {
        self.reads_flags = true;
    }
    fn nzcv(&mut self) {
        self.reads_flags = true;
    }
    fn set_nzcv(&mut self, (): ()) {
        (self.writes_flags, self.kills_flags) = (true, true);
    }
    fn q(&mut self) {}
    fn set_q(&mut self, (): ()) {
        self.touches_other = true;
    }
    fn saturated(&mut self, (): ()) {
        self.touches_other = true;
    }
    fn ge(&mut self) {}
    fn set_ge(&mut self, (): ()) {
        self.touches_other = true;
    }
    fn load(&mut self, _: Size, (): ()) {
        self.memory = true;
    }
    fn store(&mut self, _: Size, (): (), (): ()) {
        (self.memory, self.stores) = (true, true);
    }
    fn load64(&mut self, (): ()) {
        self.memory = true;
    }
    fn store64(&mut self, (): (), (): ()) {
        (self.memory, self.stores) = (true, true);
    }
    fn load_acquire(&mut self, _: Size, (): ()) {
        (self.memory, self.touches_other) = (true, true);
    }
    fn store_release(&mut self, _: Size, (): (), (): ()) {
        (self.memory, self.stores, self.touches_other) = (true, true, true);
    }
    fn load_exclusive(&mut self, _: Size, (): ()) {
        (self.memory, self.touches_other) = (true, true);
    }
    fn load_exclusive64(&mut self, (): ()) {
        (self.memory, self.touches_other) = (true, true);
    }
    fn store_exclusive(&mut self, _: Size, (): (), (): ()) {
        (self.memory, self.stores, self.touches_other) = (true, true, true);
    }
    fn store_exclusive64(&mut self, (): (), (): ()) {
        (self.memory, self.stores, self.touches_other) = (true, true, true);
    }
    fn clear_exclusive(&mut self) {
        self.touches_other = true;
    }
    fn swap(&mut self, _: Size, (): (), (): ()) {
        (self.memory, self.stores, self.rare) = (true, true, true);
    }
    fn prefetch(&mut self, (): ()) {}
    fn barrier(&mut self) {
        self.touches_other = true;
    }
    fn branch(&mut self, target: u32) {
        self.flow = Some(Flow::Branch(target));
    }
    fn branch_if(&mut self, (): (), target: u32) {
        self.flow = Some(Flow::BranchIf(target));
    }
    fn branch_exchange(&mut self, target: u32) {
        self.flow = Some(Flow::BranchExchange(target));
    }
    fn bx(&mut self, (): ()) {
        self.flow = Some(Flow::Indirect);
    }
    fn branch_to(&mut self, (): ()) {
        self.flow = Some(Flow::Indirect);
    }
    fn link(&mut self) {
        self.links = true;
        self.writes |= 1 << 14;
    }
    fn svc(&mut self, _: u32) {
        self.flow = Some(Flow::Trap);
    }
    fn undefined(&mut self) {
        self.flow = Some(Flow::Trap);
    }
    fn bkpt(&mut self, _: u32) {
        self.flow = Some(Flow::Trap);
    }
    fn tpidruro(&mut self) {}
    fn tpidrurw(&mut self) {}
    fn set_tpidrurw(&mut self, (): ()) {
        self.touches_other = true;
    }
    fn counter(&mut self) {
        self.rare = true;
    }
}

// Scalar floating point and vectors: any touch is `float`.

impl crate::machine::Float for Effects {
    type S = ();
    type D = ();

    fn sreg(&mut self, r: u8) {
        self.float = true;
        self.scalar_reads |= 1 << (r & 31);
    }
    fn set_sreg(&mut self, r: u8, (): ()) {
        self.float = true;
        self.scalar_writes |= 1 << (r & 31);
    }
    fn dreg(&mut self, r: u8) {
        self.float = true;
        self.scalar_reads |= 1 << (32 + (r & 31));
    }
    fn set_dreg(&mut self, r: u8, (): ()) {
        self.float = true;
        self.scalar_writes |= 1 << (32 + (r & 31));
    }
    fn s_from_bits(&mut self, (): ()) {}
    fn s_bits(&mut self, (): ()) {}
    fn d_from_bits(&mut self, (): ()) {}
    fn d_bits(&mut self, (): ()) {}
    fn s_select(&mut self, (): (), (): (), (): ()) {}
    fn d_select(&mut self, (): (), (): (), (): ()) {}
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
    fn s_compare(&mut self, (): (), (): (), _: bool) {}
    fn d_compare(&mut self, (): (), (): (), _: bool) {}
    fn s_round(&mut self, (): (), _: Rounding, _: bool) {}
    fn d_round(&mut self, (): (), _: Rounding, _: bool) {}
    fn s_to_fixed(&mut self, (): (), _: Fixed, _: Rounding) {}
    fn d_to_fixed(&mut self, (): (), _: Fixed, _: Rounding) {}
    fn s_from_fixed(&mut self, (): (), _: Fixed, _: Rounding) {}
    fn d_from_fixed(&mut self, (): (), _: Fixed, _: Rounding) {}
    fn s_to_d(&mut self, (): ()) {}
    fn d_to_s(&mut self, (): ()) {}
    fn half_to_s(&mut self, (): ()) {}
    fn half_to_d(&mut self, (): ()) {}
    fn s_to_half(&mut self, (): ()) {}
    fn d_to_half(&mut self, (): ()) {}
    fn fpscr(&mut self) {
        self.float = true;
    }
    fn set_fpscr(&mut self, (): ()) {
        (self.float, self.writes_fpscr) = (true, true);
    }
    fn fpscr_nzcv(&mut self) {
        self.float = true;
    }
    fn set_fpscr_nzcv(&mut self, (): ()) {
        self.float = true;
    }
}

impl crate::machine::Crypto for Effects {
    fn crypto(&mut self, _: CryptoOp, (): (), (): (), (): ()) {}
}

impl crate::machine::Vector for Effects {
    type V = ();

    fn qreg(&mut self, r: u8) {
        self.float = true;
        self.vectors |= 3 << (32 + 2 * (r & 15));
    }
    fn set_qreg(&mut self, r: u8, (): ()) {
        self.float = true;
        self.vectors |= 3 << (32 + 2 * (r & 15));
    }
    fn vdreg(&mut self, r: u8) {
        self.float = true;
        self.vectors |= 1 << (32 + (r & 31));
    }
    fn set_vdreg(&mut self, r: u8, (): ()) {
        self.float = true;
        self.vectors |= 1 << (32 + (r & 31));
    }
    fn vload(&mut self, _: u32, _: u32, (): ()) {
        self.memory = true;
    }
    fn vstore(&mut self, _: u32, _: u32, (): (), (): ()) {
        (self.memory, self.stores) = (true, true);
    }
    fn vconst(&mut self, _: u128) {}
    fn vdup(&mut self, _: Elem, (): ()) {}
    fn vdup_lane(&mut self, _: Elem, (): (), _: u8) {}
    fn lane(&mut self, _: Elem, (): (), _: u8) {}
    fn set_lane(&mut self, _: Elem, (): (), _: u8, (): ()) {}
    fn vlow(&mut self, (): ()) {}
    fn vhigh(&mut self, (): ()) {}
    fn vconcat(&mut self, (): (), (): ()) {}
    fn v1(&mut self, op: V1, e: Elem, (): ()) {
        let saturates = matches!(op, V1::Qabs | V1::Qneg | V1::Qnarrow | V1::QnarrowU);
        self.cumulative |= saturates || e == Elem::F32 || matches!(op, V1::ToInt(_));
    }
    fn v2(&mut self, op: V2, e: Elem, (): (), (): ()) {
        use V2::{Qadd, Qdmulh, Qdmull, Qrdmulh, Qrshl, Qshl, Qsub};
        let saturates = matches!(op, Qadd | Qdmulh | Qdmull | Qrdmulh | Qrshl | Qshl | Qsub);
        self.cumulative |= saturates || e == Elem::F32 || matches!(op, V2::Recps | V2::Rsqrts);
    }
    fn v3(&mut self, op: V3, _: Elem, (): (), (): (), (): ()) {
        self.cumulative |= op == V3::Fma;
    }
    fn vshift(&mut self, op: VShift, _: Elem, (): (), _: u8) {
        use VShift::{FromFixed, Qshl, QshlU, ToFixed};
        self.cumulative |= matches!(op, Qshl | QshlU | ToFixed | FromFixed);
    }
    fn vext(&mut self, (): (), (): (), _: u8) {}
    fn vtable(&mut self, _: [(); 2], _: u8, (): (), (): ()) {}
}
