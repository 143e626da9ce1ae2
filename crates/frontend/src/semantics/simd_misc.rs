//! Advanced SIMD: two registers, miscellaneous (Arm ARM A7.4.5).

use super::simd::{accumulate, by_u, f32, read, signed, unary, unsigned, write};
use crate::inst::Inst;
use crate::machine::{Elem, Machine, Rounding, V1, V2, VShift};

/// Instructions that are one operation on Vm: `name operation element-type`.
macro_rules! two_misc {
    ($($(#[$doc:meta])* $name:ident $op:expr, $elem:ident;)*) => {
        $($(#[$doc])*
        pub fn $name<M: Machine>(m: &mut M, i: &Inst) {
            unary(m, i, $op, $elem(i));
        })*
    };
}

two_misc! {
    /// `VREV64<c>.<size> <Vd>, <Vm>`
    vrev64 V1::Rev64, unsigned;
    /// `VREV32<c>.<size> <Vd>, <Vm>`
    vrev32 V1::Rev32, unsigned;
    /// `VREV16<c>.<size> <Vd>, <Vm>`
    vrev16 V1::Rev16, unsigned;
    /// `VPADDL<c>.<dt> <Vd>, <Vm>`
    vpaddl V1::Paddl, by_u;
    /// `VCLS<c>.<dt> <Vd>, <Vm>`
    vcls V1::Cls, signed;
    /// `VCLZ<c>.<dt> <Vd>, <Vm>`
    vclz V1::Clz, unsigned;
    /// `VCNT<c>.8 <Vd>, <Vm>`
    vcnt V1::Cnt, unsigned;
    /// `VMVN<c> <Vd>, <Vm>`
    vmvn_reg V1::Not, unsigned;
    /// `VQABS<c>.<dt> <Vd>, <Vm>`
    vqabs V1::Qabs, signed;
    /// `VQNEG<c>.<dt> <Vd>, <Vm>`
    vqneg V1::Qneg, signed;
    /// `VABS<c>.<dt> <Vd>, <Vm>`
    vabs_int V1::Abs, signed;
    /// `VNEG<c>.<dt> <Vd>, <Vm>`
    vneg_int V1::Neg, signed;
    /// `VABS<c>.F32 <Vd>, <Vm>`
    vabs_f32 V1::Abs, f32;
    /// `VNEG<c>.F32 <Vd>, <Vm>`
    vneg_f32 V1::Neg, f32;
    /// `VRINTN.F32 <Vd>, <Vm>`
    vrintn_f32 V1::Rint(Rounding::Nearest), f32;
    /// `VRINTX.F32 <Vd>, <Vm>`
    vrintx_f32 V1::RintExact, f32;
    /// `VRINTA.F32 <Vd>, <Vm>`
    vrinta_f32 V1::Rint(Rounding::Away), f32;
    /// `VRINTZ.F32 <Vd>, <Vm>`
    vrintz_f32 V1::Rint(Rounding::Zero), f32;
    /// `VRINTM.F32 <Vd>, <Vm>`
    vrintm_f32 V1::Rint(Rounding::Down), f32;
    /// `VRINTP.F32 <Vd>, <Vm>`
    vrintp_f32 V1::Rint(Rounding::Up), f32;
    /// `VCVTA.<dt>.F32 <Vd>, <Vm>`
    vcvta_f32 V1::ToInt(Rounding::Away), by_u;
    /// `VCVTN.<dt>.F32 <Vd>, <Vm>`
    vcvtn_f32 V1::ToInt(Rounding::Nearest), by_u;
    /// `VCVTP.<dt>.F32 <Vd>, <Vm>`
    vcvtp_f32 V1::ToInt(Rounding::Up), by_u;
    /// `VCVTM.<dt>.F32 <Vd>, <Vm>`
    vcvtm_f32 V1::ToInt(Rounding::Down), by_u;
    /// `VCVT<c>.<dt>.F32 <Vd>, <Vm>`
    vcvt_int_f32 V1::ToInt(Rounding::Zero), by_u;
    /// `VRECPE<c>.U32 <Vd>, <Vm>`
    vrecpe_int V1::Recpe, unsigned;
    /// `VRSQRTE<c>.U32 <Vd>, <Vm>`
    vrsqrte_int V1::Rsqrte, unsigned;
}

/// `VCVT<c>.F32.<dt> <Vd>, <Vm>`
pub fn vcvt_f32_int<M: Machine>(m: &mut M, i: &Inst) {
    let o = read(m, i, i.rm);
    let result = m.vshift(VShift::FromFixed, by_u(i), o, 0);
    write(m, i, i.rd, result);
}

/// `VPADAL<c>.<dt> <Vd>, <Vm>`
pub fn vpadal<M: Machine>(m: &mut M, i: &Inst) {
    let o = read(m, i, i.rm);
    let sums = m.v1(V1::Paddl, by_u(i), o);
    accumulate(m, i, V2::Add, by_u(i).wide(), sums);
}

/// Estimates of zero raise an exception: both halves of a D register's operand are the register.
#[inline(always)]
fn estimate<M: Machine>(m: &mut M, i: &Inst, op: V1) {
    let o = read(m, i, i.rm);
    let o = if i.has(Inst::Q) { o } else { m.vconcat(o, o) };
    let result = m.v1(op, Elem::F32, o);
    write(m, i, i.rd, result);
}

/// `VRECPE<c>.F32 <Vd>, <Vm>`
pub fn vrecpe_f32<M: Machine>(m: &mut M, i: &Inst) {
    estimate(m, i, V1::Recpe);
}

/// `VRSQRTE<c>.F32 <Vd>, <Vm>`
pub fn vrsqrte_f32<M: Machine>(m: &mut M, i: &Inst) {
    estimate(m, i, V1::Rsqrte);
}

/// Vm against zero; `swapped`: zero against Vm.
#[inline(always)]
fn compare_zero<M: Machine>(m: &mut M, i: &Inst, op: V2, e: Elem, swapped: bool) {
    let (o, zero) = (read(m, i, i.rm), m.vconst(0));
    let result = if swapped { m.v2(op, e, zero, o) } else { m.v2(op, e, o, zero) };
    write(m, i, i.rd, result);
}

/// `VCGT<c>.<dt> <Vd>, <Vm>, #0`
pub fn vcgt_zero<M: Machine>(m: &mut M, i: &Inst) {
    compare_zero(m, i, V2::Cgt, signed(i), false);
}

/// `VCGE<c>.<dt> <Vd>, <Vm>, #0`
pub fn vcge_zero<M: Machine>(m: &mut M, i: &Inst) {
    compare_zero(m, i, V2::Cge, signed(i), false);
}

/// `VCEQ<c>.<dt> <Vd>, <Vm>, #0`
pub fn vceq_zero<M: Machine>(m: &mut M, i: &Inst) {
    compare_zero(m, i, V2::Ceq, unsigned(i), false);
}

/// `VCLE<c>.<dt> <Vd>, <Vm>, #0`
pub fn vcle_zero<M: Machine>(m: &mut M, i: &Inst) {
    compare_zero(m, i, V2::Cge, signed(i), true);
}

/// `VCLT<c>.<dt> <Vd>, <Vm>, #0`
pub fn vclt_zero<M: Machine>(m: &mut M, i: &Inst) {
    compare_zero(m, i, V2::Cgt, signed(i), true);
}

/// `VCGT<c>.F32 <Vd>, <Vm>, #0`
pub fn vcgt_f32_zero<M: Machine>(m: &mut M, i: &Inst) {
    compare_zero(m, i, V2::Cgt, Elem::F32, false);
}

/// `VCGE<c>.F32 <Vd>, <Vm>, #0`
pub fn vcge_f32_zero<M: Machine>(m: &mut M, i: &Inst) {
    compare_zero(m, i, V2::Cge, Elem::F32, false);
}

/// `VCEQ<c>.F32 <Vd>, <Vm>, #0`
pub fn vceq_f32_zero<M: Machine>(m: &mut M, i: &Inst) {
    compare_zero(m, i, V2::Ceq, Elem::F32, false);
}

/// `VCLE<c>.F32 <Vd>, <Vm>, #0`
pub fn vcle_f32_zero<M: Machine>(m: &mut M, i: &Inst) {
    compare_zero(m, i, V2::Cge, Elem::F32, true);
}

/// `VCLT<c>.F32 <Vd>, <Vm>, #0`
pub fn vclt_f32_zero<M: Machine>(m: &mut M, i: &Inst) {
    compare_zero(m, i, V2::Cgt, Elem::F32, true);
}

/// `VSWP<c> <Vd>, <Vm>`
pub fn vswp<M: Machine>(m: &mut M, i: &Inst) {
    let (d, o) = (read(m, i, i.rd), read(m, i, i.rm));
    write(m, i, i.rd, o);
    write(m, i, i.rm, d);
}

/// Writes Vd and Vm. Where they are one register the result is UNKNOWN: QEMU's is Vd's.
#[inline(always)]
fn write_both<M: Machine>(m: &mut M, i: &Inst, d: M::V, o: M::V) {
    write(m, i, i.rm, o);
    write(m, i, i.rd, d);
}

/// `VTRN<c>.<size> <Vd>, <Vm>`
pub fn vtrn<M: Machine>(m: &mut M, i: &Inst) {
    let (d, o) = (read(m, i, i.rd), read(m, i, i.rm));
    if i.rd == i.rm && i.size == 2 {
        // UNKNOWN as well, and QEMU swaps the words in place.
        let swapped = m.v1(V1::Rev64, Elem::U32, d);
        return write(m, i, i.rd, swapped);
    }
    let (first, second) = (m.v2(V2::Trn1, unsigned(i), d, o), m.v2(V2::Trn2, unsigned(i), d, o));
    write_both(m, i, first, second);
}

/// `VUZP<c>.<size> <Vd>, <Vm>`
pub fn vuzp<M: Machine>(m: &mut M, i: &Inst) {
    let (d, o) = (read(m, i, i.rd), read(m, i, i.rm));
    // Two D registers together are one operand.
    let (d, o) = if i.has(Inst::Q) { (d, o) } else { (m.vconcat(d, o), m.vconst(0)) };
    let (first, second) = (m.v2(V2::Uzp1, unsigned(i), d, o), m.v2(V2::Uzp2, unsigned(i), d, o));
    write_both(m, i, first, second);
}

/// `VZIP<c>.<size> <Vd>, <Vm>`
pub fn vzip<M: Machine>(m: &mut M, i: &Inst) {
    let (d, o) = (read(m, i, i.rd), read(m, i, i.rm));
    let first = m.v2(V2::Zip1, unsigned(i), d, o);
    // Of two D registers the low halves' interleaving is the whole.
    let second = if i.has(Inst::Q) { m.v2(V2::Zip2, unsigned(i), d, o) } else { m.vhigh(first) };
    write_both(m, i, first, second);
}

/// `Dd = op(Qm)`
#[inline(always)]
fn narrow<M: Machine>(m: &mut M, i: &Inst, op: V1, e: Elem) {
    let o = m.qreg(i.rm >> 1);
    let result = m.v1(op, e, o);
    m.set_vdreg(i.rd, result);
}

/// `VMOVN<c>.<dt> <Dd>, <Qm>`
pub fn vmovn<M: Machine>(m: &mut M, i: &Inst) {
    narrow(m, i, V1::Narrow, unsigned(i));
}

/// `VQMOVN<c>.<dt> <Dd>, <Qm>`
pub fn vqmovn<M: Machine>(m: &mut M, i: &Inst) {
    narrow(m, i, V1::Qnarrow, by_u(i));
}

/// `VQMOVUN<c>.<dt> <Dd>, <Qm>`
pub fn vqmovun<M: Machine>(m: &mut M, i: &Inst) {
    narrow(m, i, V1::QnarrowU, unsigned(i));
}

/// `VCVT<c>.F16.F32 <Dd>, <Qm>`
pub fn vcvt_f16_f32<M: Machine>(m: &mut M, i: &Inst) {
    narrow(m, i, V1::ToHalf, Elem::F32);
}

/// `VCVT<c>.F32.F16 <Qd>, <Dm>`
pub fn vcvt_f32_f16<M: Machine>(m: &mut M, i: &Inst) {
    let o = m.vdreg(i.rm);
    let result = m.v1(V1::FromHalf, Elem::F32, o);
    m.set_qreg(i.rd >> 1, result);
}
