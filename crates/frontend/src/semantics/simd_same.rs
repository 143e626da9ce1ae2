//! Advanced SIMD: three registers of the same length (Arm ARM A7.4.1).

use super::simd::{accumulate, binary, by_u, f32, read, signed, unsigned, write};
use crate::inst::Inst;
use crate::machine::{Elem, Machine, V1, V2, V3};

/// Instructions that are one operation on Vn and Vm: `name operation element-type`.
macro_rules! three_same {
    ($($(#[$doc:meta])* $name:ident $op:ident $elem:ident;)*) => {
        $($(#[$doc])*
        pub fn $name<M: Machine>(m: &mut M, i: &Inst) {
            binary(m, i, V2::$op, $elem(i));
        })*
    };
}

three_same! {
    /// `VHADD<c>.<dt> <Vd>, <Vn>, <Vm>`
    vhadd Hadd by_u;
    /// `VRHADD<c>.<dt> <Vd>, <Vn>, <Vm>`
    vrhadd Rhadd by_u;
    /// `VHSUB<c>.<dt> <Vd>, <Vn>, <Vm>`
    vhsub Hsub by_u;
    /// `VQADD<c>.<dt> <Vd>, <Vn>, <Vm>`
    vqadd Qadd by_u;
    /// `VQSUB<c>.<dt> <Vd>, <Vn>, <Vm>`
    vqsub Qsub by_u;
    /// `VADD<c>.<dt> <Vd>, <Vn>, <Vm>`
    vadd_int Add unsigned;
    /// `VSUB<c>.<dt> <Vd>, <Vn>, <Vm>`
    vsub_int Sub unsigned;
    /// `VAND<c> <Vd>, <Vn>, <Vm>`
    vand_reg And unsigned;
    /// `VBIC<c> <Vd>, <Vn>, <Vm>`
    vbic_reg Bic unsigned;
    /// `VORR<c> <Vd>, <Vn>, <Vm>`; `VMOV<c> <Vd>, <Vm>`
    vorr_reg Or unsigned;
    /// `VORN<c> <Vd>, <Vn>, <Vm>`
    vorn Orn unsigned;
    /// `VEOR<c> <Vd>, <Vn>, <Vm>`
    veor Xor unsigned;
    /// `VCEQ<c>.<dt> <Vd>, <Vn>, <Vm>`
    vceq_int Ceq unsigned;
    /// `VCGE<c>.<dt> <Vd>, <Vn>, <Vm>`
    vcge_int Cge by_u;
    /// `VCGT<c>.<dt> <Vd>, <Vn>, <Vm>`
    vcgt_int Cgt by_u;
    /// `VTST<c>.<size> <Vd>, <Vn>, <Vm>`
    vtst Tst unsigned;
    /// `VMAX<c>.<dt> <Vd>, <Vn>, <Vm>`
    vmax_int Max by_u;
    /// `VMIN<c>.<dt> <Vd>, <Vn>, <Vm>`
    vmin_int Min by_u;
    /// `VABD<c>.<dt> <Vd>, <Vn>, <Vm>`
    vabd_int Abd by_u;
    /// `VMUL<c>.<dt> <Vd>, <Vn>, <Vm>`
    vmul_int Mul unsigned;
    /// `VMUL<c>.P8 <Vd>, <Vn>, <Vm>`
    vmul_poly Pmul unsigned;
    /// `VQDMULH<c>.<dt> <Vd>, <Vn>, <Vm>`
    vqdmulh Qdmulh signed;
    /// `VQRDMULH<c>.<dt> <Vd>, <Vn>, <Vm>`
    vqrdmulh Qrdmulh signed;
    /// `VADD<c>.F32 <Vd>, <Vn>, <Vm>`
    vadd_f32 Add f32;
    /// `VSUB<c>.F32 <Vd>, <Vn>, <Vm>`
    vsub_f32 Sub f32;
    /// `VMUL<c>.F32 <Vd>, <Vn>, <Vm>`
    vmul_f32 Mul f32;
    /// `VABD<c>.F32 <Vd>, <Vn>, <Vm>`
    vabd_f32 Abd f32;
    /// `VCEQ<c>.F32 <Vd>, <Vn>, <Vm>`
    vceq_f32 Ceq f32;
    /// `VCGE<c>.F32 <Vd>, <Vn>, <Vm>`
    vcge_f32 Cge f32;
    /// `VCGT<c>.F32 <Vd>, <Vn>, <Vm>`
    vcgt_f32 Cgt f32;
    /// `VMAX<c>.F32 <Vd>, <Vn>, <Vm>`
    vmax_f32 Max f32;
    /// `VMIN<c>.F32 <Vd>, <Vn>, <Vm>`
    vmin_f32 Min f32;
    /// `VMAXNM.F32 <Vd>, <Vn>, <Vm>`
    vmaxnm_f32 Maxnm f32;
    /// `VMINNM.F32 <Vd>, <Vn>, <Vm>`
    vminnm_f32 Minnm f32;
    /// `VRECPS<c>.F32 <Vd>, <Vn>, <Vm>`
    vrecps Recps f32;
    /// `VRSQRTS<c>.F32 <Vd>, <Vn>, <Vm>`
    vrsqrts Rsqrts f32;
}

/// Shifts by a register: the amounts are in Vn.
#[inline(always)]
fn shift_by<M: Machine>(m: &mut M, i: &Inst, op: V2) {
    let (o, n) = (read(m, i, i.rm), read(m, i, i.rn));
    let result = m.v2(op, by_u(i), o, n);
    write(m, i, i.rd, result);
}

/// `VSHL<c>.<dt> <Vd>, <Vm>, <Vn>`
pub fn vshl_reg<M: Machine>(m: &mut M, i: &Inst) {
    shift_by(m, i, V2::Shl);
}

/// `VRSHL<c>.<dt> <Vd>, <Vm>, <Vn>`
pub fn vrshl<M: Machine>(m: &mut M, i: &Inst) {
    shift_by(m, i, V2::Rshl);
}

/// `VQSHL<c>.<dt> <Vd>, <Vm>, <Vn>`
pub fn vqshl_reg<M: Machine>(m: &mut M, i: &Inst) {
    shift_by(m, i, V2::Qshl);
}

/// `VQRSHL<c>.<dt> <Vd>, <Vm>, <Vn>`
pub fn vqrshl<M: Machine>(m: &mut M, i: &Inst) {
    shift_by(m, i, V2::Qrshl);
}

/// `VBSL<c> <Vd>, <Vn>, <Vm>`
pub fn vbsl<M: Machine>(m: &mut M, i: &Inst) {
    let (d, n, o) = (read(m, i, i.rd), read(m, i, i.rn), read(m, i, i.rm));
    let result = m.v3(V3::Bsl, Elem::U8, d, n, o);
    write(m, i, i.rd, result);
}

/// `VBIT<c> <Vd>, <Vn>, <Vm>`
pub fn vbit<M: Machine>(m: &mut M, i: &Inst) {
    let (d, n, o) = (read(m, i, i.rd), read(m, i, i.rn), read(m, i, i.rm));
    let result = m.v3(V3::Bsl, Elem::U8, o, n, d);
    write(m, i, i.rd, result);
}

/// `VBIF<c> <Vd>, <Vn>, <Vm>`
pub fn vbif<M: Machine>(m: &mut M, i: &Inst) {
    let (d, n, o) = (read(m, i, i.rd), read(m, i, i.rn), read(m, i, i.rm));
    let result = m.v3(V3::Bsl, Elem::U8, o, d, n);
    write(m, i, i.rd, result);
}

/// `Vd += op(Vn, Vm)`, or `-=`.
#[inline(always)]
fn multiply_accumulate<M: Machine>(m: &mut M, i: &Inst, op: V2, e: Elem, by: V2) {
    let (n, o) = (read(m, i, i.rn), read(m, i, i.rm));
    let v = m.v2(by, e, n, o);
    accumulate(m, i, op, e, v);
}

/// `VABA<c>.<dt> <Vd>, <Vn>, <Vm>`
pub fn vaba<M: Machine>(m: &mut M, i: &Inst) {
    multiply_accumulate(m, i, V2::Add, by_u(i), V2::Abd);
}

/// `VMLA<c>.<dt> <Vd>, <Vn>, <Vm>`
pub fn vmla_int<M: Machine>(m: &mut M, i: &Inst) {
    multiply_accumulate(m, i, V2::Add, unsigned(i), V2::Mul);
}

/// `VMLS<c>.<dt> <Vd>, <Vn>, <Vm>`
pub fn vmls_int<M: Machine>(m: &mut M, i: &Inst) {
    multiply_accumulate(m, i, V2::Sub, unsigned(i), V2::Mul);
}

/// `VMLA<c>.F32 <Vd>, <Vn>, <Vm>`: rounded twice.
pub fn vmla_f32<M: Machine>(m: &mut M, i: &Inst) {
    multiply_accumulate(m, i, V2::Add, Elem::F32, V2::Mul);
}

/// `VMLS<c>.F32 <Vd>, <Vn>, <Vm>`: rounded twice.
pub fn vmls_f32<M: Machine>(m: &mut M, i: &Inst) {
    multiply_accumulate(m, i, V2::Sub, Elem::F32, V2::Mul);
}

/// `VFMA<c>.F32 <Vd>, <Vn>, <Vm>`: rounded once.
pub fn vfma_f32<M: Machine>(m: &mut M, i: &Inst) {
    let (d, n, o) = (read(m, i, i.rd), read(m, i, i.rn), read(m, i, i.rm));
    let result = m.v3(V3::Fma, Elem::F32, d, n, o);
    write(m, i, i.rd, result);
}

/// `VFMS<c>.F32 <Vd>, <Vn>, <Vm>`: rounded once.
pub fn vfms_f32<M: Machine>(m: &mut M, i: &Inst) {
    let (d, n, o) = (read(m, i, i.rd), read(m, i, i.rn), read(m, i, i.rm));
    let n = m.v1(V1::Neg, Elem::F32, n);
    let result = m.v3(V3::Fma, Elem::F32, d, n, o);
    write(m, i, i.rd, result);
}

/// Absolute compare.
#[inline(always)]
fn absolute<M: Machine>(m: &mut M, i: &Inst, op: V2) {
    let (n, o) = (read(m, i, i.rn), read(m, i, i.rm));
    let (n, o) = (m.v1(V1::Abs, Elem::F32, n), m.v1(V1::Abs, Elem::F32, o));
    let result = m.v2(op, Elem::F32, n, o);
    write(m, i, i.rd, result);
}

/// `VACGE<c>.F32 <Vd>, <Vn>, <Vm>`
pub fn vacge<M: Machine>(m: &mut M, i: &Inst) {
    absolute(m, i, V2::Cge);
}

/// `VACGT<c>.F32 <Vd>, <Vn>, <Vm>`
pub fn vacgt<M: Machine>(m: &mut M, i: &Inst) {
    absolute(m, i, V2::Cgt);
}

/// Pairwise operations on D registers: the even elements of Dn:Dm against the odd ones.
#[inline(always)]
fn pairwise<M: Machine>(m: &mut M, i: &Inst, op: V2, e: Elem) {
    let (n, o) = (m.vdreg(i.rn), m.vdreg(i.rm));
    let both = m.vconcat(n, o);
    let zero = m.vconst(0);
    let (even, odd) = (m.v2(V2::Uzp1, e, both, zero), m.v2(V2::Uzp2, e, both, zero));
    let result = m.v2(op, e, even, odd);
    m.set_vdreg(i.rd, result);
}

/// `VPADD<c>.<dt> <Dd>, <Dn>, <Dm>`
pub fn vpadd_int<M: Machine>(m: &mut M, i: &Inst) {
    pairwise(m, i, V2::Add, unsigned(i));
}

/// `VPMAX<c>.<dt> <Dd>, <Dn>, <Dm>`
pub fn vpmax_int<M: Machine>(m: &mut M, i: &Inst) {
    pairwise(m, i, V2::Max, by_u(i));
}

/// `VPMIN<c>.<dt> <Dd>, <Dn>, <Dm>`
pub fn vpmin_int<M: Machine>(m: &mut M, i: &Inst) {
    pairwise(m, i, V2::Min, by_u(i));
}

/// `VPADD<c>.F32 <Dd>, <Dn>, <Dm>`
pub fn vpadd_f32<M: Machine>(m: &mut M, i: &Inst) {
    pairwise(m, i, V2::Add, Elem::F32);
}

/// `VPMAX<c>.F32 <Dd>, <Dn>, <Dm>`
pub fn vpmax_f32<M: Machine>(m: &mut M, i: &Inst) {
    pairwise(m, i, V2::Max, Elem::F32);
}

/// `VPMIN<c>.F32 <Dd>, <Dn>, <Dm>`
pub fn vpmin_f32<M: Machine>(m: &mut M, i: &Inst) {
    pairwise(m, i, V2::Min, Elem::F32);
}
