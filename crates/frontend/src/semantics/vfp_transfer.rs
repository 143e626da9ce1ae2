//! Extension register load, store and transfer (Arm ARM A4.12, A4.13).

use super::vfp_data_processing::is_double;
use crate::inst::Inst;
use crate::machine::Machine;

/// Address of VLDR and VSTR.
fn address<M: Machine>(m: &mut M, i: &Inst) -> M::W {
    let offset = m.word(i.imm);
    if i.rn == 15 {
        return offset; // resolved by the decoder
    }
    let base = m.reg(i.rn);
    if i.has(Inst::U) { m.add(base, offset) } else { m.sub(base, offset) }
}

fn load_register<M: Machine>(m: &mut M, i: &Inst, r: u8, address: M::W) {
    if is_double(i) {
        let value = m.d_load(address);
        m.set_dreg(r, value);
    } else {
        let value = m.s_load(address);
        m.set_sreg(r, value);
    }
}

fn store_register<M: Machine>(m: &mut M, i: &Inst, r: u8, address: M::W) {
    if is_double(i) {
        let value = m.dreg(r);
        m.d_store(address, value);
    } else {
        let value = m.sreg(r);
        m.s_store(address, value);
    }
}

/// `VLDR<c> <Vd>, [<Rn>{, #<imm>}]`
pub fn vldr<M: Machine>(m: &mut M, i: &Inst) {
    let address = address(m, i);
    load_register(m, i, i.rd, address);
}

/// `VSTR<c> <Vd>, [<Rn>{, #<imm>}]`
pub fn vstr<M: Machine>(m: &mut M, i: &Inst) {
    let address = address(m, i);
    store_register(m, i, i.rd, address);
}

/// Moves the registers of VLDM or VSTM, then writes the base back: a fault leaves the base alone.
fn multiple<M: Machine>(m: &mut M, i: &Inst, transfer: fn(&mut M, &Inst, u8, M::W)) {
    let bytes = m.word(i.imm);
    let base = m.reg(i.rn);
    let (start, end) = if i.has(Inst::P) {
        let lower = m.sub(base, bytes);
        (lower, lower)
    } else {
        let upper = m.add(base, bytes);
        (base, upper)
    };
    for k in 0..i.amount {
        let offset = m.word(u32::from(k) << i.size);
        let address = m.add(start, offset);
        transfer(m, i, i.rd + k, address);
    }
    if i.has(Inst::W) {
        m.set_reg(i.rn, end);
    }
}

/// `VLDM{IA|DB}<c> <Rn>{!}, <list>`, VPOP, FLDMX
pub fn vldm<M: Machine>(m: &mut M, i: &Inst) {
    multiple(m, i, load_register);
}

/// `VSTM{IA|DB}<c> <Rn>{!}, <list>`, VPUSH, FSTMX
pub fn vstm<M: Machine>(m: &mut M, i: &Inst) {
    multiple(m, i, store_register);
}

/// `VMOV<c> <Rt>, <Sn>`
pub fn vmov_s_to_core<M: Machine>(m: &mut M, i: &Inst) {
    let value = m.sreg(i.rn);
    let word = m.s_bits(value);
    m.set_reg(i.rd, word);
}

/// `VMOV<c> <Sn>, <Rt>`
pub fn vmov_core_to_s<M: Machine>(m: &mut M, i: &Inst) {
    let word = m.reg(i.rd);
    let value = m.s_from_bits(word);
    m.set_sreg(i.rn, value);
}

/// The words of a doubleword register, low one first.
fn words<M: Machine>(m: &mut M, r: u8) -> (M::W, M::W) {
    let value = m.dreg(r);
    let bits = m.d_bits(value);
    (m.lo(bits), m.hi(bits))
}

fn set_words<M: Machine>(m: &mut M, r: u8, low: M::W, high: M::W) {
    let bits = m.pair(low, high);
    let value = m.d_from_bits(bits);
    m.set_dreg(r, value);
}

/// `VMOV<c>.<size> <Dd[x]>, <Rt>`: the other lanes stay.
pub fn vmov_core_to_x<M: Machine>(m: &mut M, i: &Inst) {
    let (low, high) = words(m, i.rn);
    let old = if i.imm < 32 { low } else { high };
    let value = m.reg(i.rd);
    let new = match i.size {
        2 => value,
        size => {
            let (mask, place) = (if size == 0 { 0xff } else { 0xffff }, i.imm & 31);
            let value = if size == 0 { m.zext8(value) } else { m.zext16(value) };
            let value = m.shl(value, place);
            let mask = m.word(mask << place);
            let kept = m.bic(old, mask);
            m.or(kept, value)
        }
    };
    if i.imm < 32 { set_words(m, i.rn, new, high) } else { set_words(m, i.rn, low, new) }
}

/// `VMOV<c>.<size> <Rt>, <Dn[x]>`
pub fn vmov_x_to_core<M: Machine>(m: &mut M, i: &Inst) {
    let (low, high) = words(m, i.rn);
    let word = if i.imm < 32 { low } else { high };
    let lane = m.shr(word, i.imm & 31);
    let value = match (i.size, i.has(Inst::U)) {
        (0, true) => m.zext8(lane),
        (0, false) => m.sext8(lane),
        (1, true) => m.zext16(lane),
        (1, false) => m.sext16(lane),
        _ => lane,
    };
    m.set_reg(i.rd, value);
}

/// `VDUP<c>.<size> <Qd|Dd>, <Rt>`
pub fn vdup_core<M: Machine>(m: &mut M, i: &Inst) {
    let value = m.reg(i.rd);
    let word = match i.size {
        2 => value,
        size => {
            let value = if size == 0 { m.zext8(value) } else { m.zext16(value) };
            let ones = m.word(if size == 0 { 0x0101_0101 } else { 0x0001_0001 });
            m.mul(value, ones)
        }
    };
    set_words(m, i.rn, word, word);
    if i.has(Inst::Q) {
        set_words(m, i.rn + 1, word, word);
    }
}

/// `VMOV<c> <Rt>, <Rt2>, <Sm>, <Sm1>`
pub fn vmov_ss_to_cores<M: Machine>(m: &mut M, i: &Inst) {
    let (low, high) = (m.sreg(i.rm), m.sreg(i.rm + 1));
    let (low, high) = (m.s_bits(low), m.s_bits(high));
    m.set_reg(i.rd, low);
    m.set_reg(i.ra, high);
}

/// `VMOV<c> <Sm>, <Sm1>, <Rt>, <Rt2>`
pub fn vmov_cores_to_ss<M: Machine>(m: &mut M, i: &Inst) {
    let (low, high) = (m.reg(i.rd), m.reg(i.ra));
    let (low, high) = (m.s_from_bits(low), m.s_from_bits(high));
    m.set_sreg(i.rm, low);
    m.set_sreg(i.rm + 1, high);
}

/// `VMOV<c> <Rt>, <Rt2>, <Dm>`
pub fn vmov_d_to_cores<M: Machine>(m: &mut M, i: &Inst) {
    let (low, high) = words(m, i.rm);
    m.set_reg(i.rd, low);
    m.set_reg(i.ra, high);
}

/// `VMOV<c> <Dm>, <Rt>, <Rt2>`
pub fn vmov_cores_to_d<M: Machine>(m: &mut M, i: &Inst) {
    let (low, high) = (m.reg(i.rd), m.reg(i.ra));
    set_words(m, i.rm, low, high);
}

/// `VMRS<c> <Rt>, FPSCR`; to r15 it moves the flags to the CPSR. The other registers are not user mode's.
pub fn vmrs<M: Machine>(m: &mut M, i: &Inst) {
    if i.rd == 15 {
        let nzcv = m.fpscr_nzcv();
        m.set_nzcv(nzcv);
    } else {
        let fpscr = m.fpscr();
        m.set_reg(i.rd, fpscr);
    }
}

/// `VMSR<c> FPSCR, <Rt>`
pub fn vmsr<M: Machine>(m: &mut M, i: &Inst) {
    let fpscr = m.reg(i.rd);
    m.set_fpscr(fpscr);
}
