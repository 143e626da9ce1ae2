//! Status registers, exceptions, hints and coprocessor 15 (Arm ARM A4.5, A4.10, B3.17, B8).

use crate::inst::Inst;
use crate::machine::Integer;

/// The counter's frequency in Hz, as `CNTFRQ` tells it: [`crate::machine::Integer::counter`] counts nanoseconds.
pub const COUNTER_FREQUENCY: u32 = 1_000_000_000;

/// CPSR.M of user mode.
const USER_MODE: u32 = 0x10;

/// `MRS<c> <Rd>, APSR`: the CPSR without its execution state bits.
pub fn mrs<M: Integer>(m: &mut M, i: &Inst) {
    let (nzcv, q, ge, mode) = (m.nzcv(), m.q(), m.ge(), m.word(USER_MODE));
    // Bits 0, 8, 16, 24 meet in bits 28 to 31.
    let (ones, gather) = (m.word(0x0101_0101), m.word(1 << 28 | 1 << 21 | 1 << 14 | 1 << 7));
    let ge = m.and(ge, ones);
    let ge = m.mul(ge, gather);
    let ge = m.shr(ge, 28);
    let (q, ge) = (m.shl(q, 27), m.shl(ge, 16));
    let flags = m.or(nzcv, q);
    let rest = m.or(ge, mode);
    let value = m.or(flags, rest);
    m.set_reg(i.rd, value);
}

/// `MSR<c> APSR_<bits>, <Rn>`
pub fn msr_reg<M: Integer>(m: &mut M, i: &Inst) {
    let value = m.reg(i.rn);
    write_status(m, i.size, value);
}

/// `MSR<c> APSR_<bits>, #<const>`
pub fn msr_imm<M: Integer>(m: &mut M, i: &Inst) {
    let value = m.word(i.imm);
    write_status(m, i.size, value);
}

/// `CPSRWriteByInstr` in user mode. Bytes 0 and 1 of the mask do nothing: bit E too stays, data is little-endian.
#[inline(always)]
fn write_status<M: Integer>(m: &mut M, mask: u8, value: M::W) {
    if mask & 8 != 0 {
        m.set_nzcv(value);
        let q = m.shr(value, 27);
        m.set_q(q);
    }
    if mask & 4 != 0 {
        let (ge, low) = (m.shr(value, 16), m.word(15));
        let ge = m.and(ge, low);
        // Bits 0 to 3 to bits 0, 8, 16, 24, and from there over the whole byte.
        let (spread, ones, byte) =
            (m.word(1 | 1 << 7 | 1 << 14 | 1 << 21), m.word(0x0101_0101), m.word(0xff));
        let spread = m.mul(ge, spread);
        let lanes = m.and(spread, ones);
        let mask = m.mul(lanes, byte);
        m.set_ge(mask);
    }
}

/// `SVC<c> #<imm>`
pub fn svc<M: Integer>(m: &mut M, i: &Inst) {
    m.svc(i.imm);
}

/// `BKPT #<imm>`
pub fn bkpt<M: Integer>(m: &mut M, i: &Inst) {
    m.bkpt(i.imm);
}

macro_rules! undefined {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name<M: Integer>(m: &mut M, _: &Inst) {
            m.undefined();
        }
    )*};
}

undefined! {
    /// `UDF<c> #<imm>`: permanently UNDEFINED.
    udf;
    /// `HLT #<imm>`: UNDEFINED where no debugger halts the processor.
    hlt;
    /// `HVC #<imm>`: UNDEFINED in user mode.
    hvc;
    /// `SMC<c> #<imm>`: UNDEFINED in user mode.
    smc;
}

macro_rules! nothing {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name<M: Integer>(_: &mut M, _: &Inst) {}
    )*};
}

nothing! {
    /// `IT{<x>{<y>{<z>}}} <firstcond>`: the decoder has spread the conditions over the instructions.
    it;
    /// `NOP<c>`
    nop;
    /// `YIELD<c>`
    r#yield;
    /// `WFE<c>`: waking at once is allowed.
    wfe;
    /// `WFI<c>`: waking at once is allowed.
    wfi;
    /// `SEV<c>`
    sev;
    /// `SEVL<c>`
    sevl;
    /// `DBG<c> #<option>`
    dbg;
    /// `CPS<effect> <iflags>`: nothing in user mode.
    cps;
    /// `SETEND LE`
    setend;
}

/// `MRC`: to Rt, or to the condition flags.
#[inline(always)]
fn from_coprocessor<M: Integer>(m: &mut M, i: &Inst, value: M::W) {
    if i.rd == 15 { m.set_nzcv(value) } else { m.set_reg(i.rd, value) }
}

/// `MRC<c> p15, 0, <Rt>, c13, c0, 3`: the thread pointer that user mode may read.
pub fn mrc_tpidruro<M: Integer>(m: &mut M, i: &Inst) {
    let value = m.tpidruro();
    from_coprocessor(m, i, value);
}

/// `MRC<c> p15, 0, <Rt>, c13, c0, 2`: the thread pointer that user mode may write.
pub fn mrc_tpidrurw<M: Integer>(m: &mut M, i: &Inst) {
    let value = m.tpidrurw();
    from_coprocessor(m, i, value);
}

/// `MCR<c> p15, 0, <Rt>, c13, c0, 2`
pub fn mcr_tpidrurw<M: Integer>(m: &mut M, i: &Inst) {
    let value = m.reg(i.rd);
    m.set_tpidrurw(value);
}

/// `MRC<c> p15, 0, <Rt>, c14, c0, 0`: the frequency of the counter.
pub fn mrc_cntfrq<M: Integer>(m: &mut M, i: &Inst) {
    let value = m.word(COUNTER_FREQUENCY);
    from_coprocessor(m, i, value);
}

/// `MRRC<c> p15, 1, <Rt>, <Rt2>, c14`: the counter.
pub fn mrrc_cntvct<M: Integer>(m: &mut M, i: &Inst) {
    let count = m.counter();
    let (low, high) = (m.lo(count), m.hi(count));
    m.set_reg(i.rd, low);
    m.set_reg(i.ra, high);
}
