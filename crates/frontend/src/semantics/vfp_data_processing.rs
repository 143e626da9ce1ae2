//! VFP data processing (Arm ARM A4.14.1). `size` is 2 for singles, 3 for doubles.
//!
//! FPSCR.LEN and STRIDE read as zero, as on cores without short vectors: every operation is scalar.

use crate::inst::Inst;
use crate::machine::{FloatOp1, FloatOp2, FloatOp3, Machine};

/// Does it work on doubles?
pub(super) const fn is_double(i: &Inst) -> bool {
    i.size == 3
}

/// d = op(n, m)
fn binary<M: Machine>(m: &mut M, i: &Inst, op: FloatOp2) {
    if is_double(i) {
        let (a, b) = (m.dreg(i.rn), m.dreg(i.rm));
        let result = m.d2(op, a, b);
        m.set_dreg(i.rd, result);
    } else {
        let (a, b) = (m.sreg(i.rn), m.sreg(i.rm));
        let result = m.s2(op, a, b);
        m.set_sreg(i.rd, result);
    }
}

/// d = ±d + ±(n * m) with two roundings: the product is rounded before it is negated and added.
fn chained<M: Machine>(m: &mut M, i: &Inst, negate_acc: bool, negate_product: bool) {
    if is_double(i) {
        let (acc, a, b) = (m.dreg(i.rd), m.dreg(i.rn), m.dreg(i.rm));
        let product = m.d2(FloatOp2::Mul, a, b);
        let product = if negate_product { m.d_neg(product) } else { product };
        let acc = if negate_acc { m.d_neg(acc) } else { acc };
        let result = m.d2(FloatOp2::Add, acc, product);
        m.set_dreg(i.rd, result);
    } else {
        let (acc, a, b) = (m.sreg(i.rd), m.sreg(i.rn), m.sreg(i.rm));
        let product = m.s2(FloatOp2::Mul, a, b);
        let product = if negate_product { m.s_neg(product) } else { product };
        let acc = if negate_acc { m.s_neg(acc) } else { acc };
        let result = m.s2(FloatOp2::Add, acc, product);
        m.set_sreg(i.rd, result);
    }
}

/// d = ±d + (±n) * m, rounded once. The operands are negated, NaNs included.
fn fused<M: Machine>(m: &mut M, i: &Inst, negate_acc: bool, negate_n: bool) {
    if is_double(i) {
        let (acc, a, b) = (m.dreg(i.rd), m.dreg(i.rn), m.dreg(i.rm));
        let acc = if negate_acc { m.d_neg(acc) } else { acc };
        let a = if negate_n { m.d_neg(a) } else { a };
        let result = m.d3(FloatOp3::Fma, acc, a, b);
        m.set_dreg(i.rd, result);
    } else {
        let (acc, a, b) = (m.sreg(i.rd), m.sreg(i.rn), m.sreg(i.rm));
        let acc = if negate_acc { m.s_neg(acc) } else { acc };
        let a = if negate_n { m.s_neg(a) } else { a };
        let result = m.s3(FloatOp3::Fma, acc, a, b);
        m.set_sreg(i.rd, result);
    }
}

/// `VADD<c>.F<32|64> <Vd>, <Vn>, <Vm>`
pub fn vadd_fp<M: Machine>(m: &mut M, i: &Inst) {
    binary(m, i, FloatOp2::Add);
}

/// `VSUB<c>.F<32|64> <Vd>, <Vn>, <Vm>`
pub fn vsub_fp<M: Machine>(m: &mut M, i: &Inst) {
    binary(m, i, FloatOp2::Sub);
}

/// `VMUL<c>.F<32|64> <Vd>, <Vn>, <Vm>`
pub fn vmul_fp<M: Machine>(m: &mut M, i: &Inst) {
    binary(m, i, FloatOp2::Mul);
}

/// `VDIV<c>.F<32|64> <Vd>, <Vn>, <Vm>`
pub fn vdiv<M: Machine>(m: &mut M, i: &Inst) {
    binary(m, i, FloatOp2::Div);
}

/// `VMAXNM.F<32|64> <Vd>, <Vn>, <Vm>`
pub fn vmaxnm_fp<M: Machine>(m: &mut M, i: &Inst) {
    binary(m, i, FloatOp2::MaxNum);
}

/// `VMINNM.F<32|64> <Vd>, <Vn>, <Vm>`
pub fn vminnm_fp<M: Machine>(m: &mut M, i: &Inst) {
    binary(m, i, FloatOp2::MinNum);
}

/// `VNMUL<c>.F<32|64> <Vd>, <Vn>, <Vm>`
pub fn vnmul<M: Machine>(m: &mut M, i: &Inst) {
    if is_double(i) {
        let (a, b) = (m.dreg(i.rn), m.dreg(i.rm));
        let product = m.d2(FloatOp2::Mul, a, b);
        let result = m.d_neg(product);
        m.set_dreg(i.rd, result);
    } else {
        let (a, b) = (m.sreg(i.rn), m.sreg(i.rm));
        let product = m.s2(FloatOp2::Mul, a, b);
        let result = m.s_neg(product);
        m.set_sreg(i.rd, result);
    }
}

/// `VMLA<c>.F<32|64> <Vd>, <Vn>, <Vm>`
pub fn vmla_fp<M: Machine>(m: &mut M, i: &Inst) {
    chained(m, i, false, false);
}

/// `VMLS<c>.F<32|64> <Vd>, <Vn>, <Vm>`
pub fn vmls_fp<M: Machine>(m: &mut M, i: &Inst) {
    chained(m, i, false, true);
}

/// `VNMLA<c>.F<32|64> <Vd>, <Vn>, <Vm>`
pub fn vnmla<M: Machine>(m: &mut M, i: &Inst) {
    chained(m, i, true, true);
}

/// `VNMLS<c>.F<32|64> <Vd>, <Vn>, <Vm>`
pub fn vnmls<M: Machine>(m: &mut M, i: &Inst) {
    chained(m, i, true, false);
}

/// `VFMA<c>.F<32|64> <Vd>, <Vn>, <Vm>`
pub fn vfma_fp<M: Machine>(m: &mut M, i: &Inst) {
    fused(m, i, false, false);
}

/// `VFMS<c>.F<32|64> <Vd>, <Vn>, <Vm>`
pub fn vfms_fp<M: Machine>(m: &mut M, i: &Inst) {
    fused(m, i, false, true);
}

/// `VFNMA<c>.F<32|64> <Vd>, <Vn>, <Vm>`
pub fn vfnma<M: Machine>(m: &mut M, i: &Inst) {
    fused(m, i, true, true);
}

/// `VFNMS<c>.F<32|64> <Vd>, <Vn>, <Vm>`
pub fn vfnms<M: Machine>(m: &mut M, i: &Inst) {
    fused(m, i, true, false);
}

/// `VSQRT<c>.F<32|64> <Vd>, <Vm>`
pub fn vsqrt<M: Machine>(m: &mut M, i: &Inst) {
    if is_double(i) {
        let a = m.dreg(i.rm);
        let result = m.d1(FloatOp1::Sqrt, a);
        m.set_dreg(i.rd, result);
    } else {
        let a = m.sreg(i.rm);
        let result = m.s1(FloatOp1::Sqrt, a);
        m.set_sreg(i.rd, result);
    }
}

/// `VABS<c>.F<32|64> <Vd>, <Vm>`
pub fn vabs_fp<M: Machine>(m: &mut M, i: &Inst) {
    if is_double(i) {
        let a = m.dreg(i.rm);
        let result = m.d_abs(a);
        m.set_dreg(i.rd, result);
    } else {
        let a = m.sreg(i.rm);
        let result = m.s_abs(a);
        m.set_sreg(i.rd, result);
    }
}

/// `VNEG<c>.F<32|64> <Vd>, <Vm>`
pub fn vneg_fp<M: Machine>(m: &mut M, i: &Inst) {
    if is_double(i) {
        let a = m.dreg(i.rm);
        let result = m.d_neg(a);
        m.set_dreg(i.rd, result);
    } else {
        let a = m.sreg(i.rm);
        let result = m.s_neg(a);
        m.set_sreg(i.rd, result);
    }
}

/// `VMOV<c>.F<32|64> <Vd>, <Vm>`
pub fn vmov_freg<M: Machine>(m: &mut M, i: &Inst) {
    if is_double(i) {
        let a = m.dreg(i.rm);
        m.set_dreg(i.rd, a);
    } else {
        let a = m.sreg(i.rm);
        m.set_sreg(i.rd, a);
    }
}

/// `VMOV<c>.F<32|64> <Vd>, #<imm>`
pub fn vmov_fimm<M: Machine>(m: &mut M, i: &Inst) {
    if is_double(i) {
        let bits = m.long(u64::from(i.imm) << 32);
        let value = m.d_from_bits(bits);
        m.set_dreg(i.rd, value);
    } else {
        let bits = m.word(i.imm);
        let value = m.s_from_bits(bits);
        m.set_sreg(i.rd, value);
    }
}

/// Compares Vd with Vm or with zero.
fn compare<M: Machine>(m: &mut M, i: &Inst, with_zero: bool, signal: bool) {
    let nzcv = if is_double(i) {
        let a = m.dreg(i.rd);
        let b = if with_zero {
            let zero = m.long(0);
            m.d_from_bits(zero)
        } else {
            m.dreg(i.rm)
        };
        m.d_compare(a, b, signal)
    } else {
        let a = m.sreg(i.rd);
        let b = if with_zero {
            let zero = m.word(0);
            m.s_from_bits(zero)
        } else {
            m.sreg(i.rm)
        };
        m.s_compare(a, b, signal)
    };
    m.set_fpscr_nzcv(nzcv);
}

/// `VCMP<c>.F<32|64> <Vd>, <Vm>`
pub fn vcmp<M: Machine>(m: &mut M, i: &Inst) {
    compare(m, i, false, false);
}

/// `VCMPE<c>.F<32|64> <Vd>, <Vm>`
pub fn vcmpe<M: Machine>(m: &mut M, i: &Inst) {
    compare(m, i, false, true);
}

/// `VCMP<c>.F<32|64> <Vd>, #0.0`
pub fn vcmp_0<M: Machine>(m: &mut M, i: &Inst) {
    compare(m, i, true, false);
}

/// `VCMPE<c>.F<32|64> <Vd>, #0.0`
pub fn vcmpe_0<M: Machine>(m: &mut M, i: &Inst) {
    compare(m, i, true, true);
}

/// `VSEL<EQ|VS|GE|GT>.F<32|64> <Vd>, <Vn>, <Vm>`
pub fn vsel<M: Machine>(m: &mut M, i: &Inst) {
    let flags = m.nzcv();
    let (n, z, v) = (m.bit(flags, 31), m.bit(flags, 30), m.bit(flags, 28));
    let lt = m.b_xor(n, v);
    let condition = match i.shift & 3 {
        0 => z,
        1 => v,
        2 => m.b_not(lt),
        _ => {
            let le = m.b_or(z, lt);
            m.b_not(le)
        }
    };
    if is_double(i) {
        let (a, b) = (m.dreg(i.rn), m.dreg(i.rm));
        let result = m.d_select(condition, a, b);
        m.set_dreg(i.rd, result);
    } else {
        let (a, b) = (m.sreg(i.rn), m.sreg(i.rm));
        let result = m.s_select(condition, a, b);
        m.set_sreg(i.rd, result);
    }
}
