//! Exclusive accesses, swaps, and the ordered accesses of Armv8 (Arm ARM A3.4, A4.6; Armv8 F2.7).

use crate::inst::Inst;
use crate::machine::{Integer, Size};

/// The base, with the offset that only T32's LDREX and STREX have.
#[inline(always)]
fn address<M: Integer>(m: &mut M, i: &Inst) -> M::W {
    let base = m.reg(i.rn);
    if i.imm == 0 {
        return base;
    }
    let offset = m.word(i.imm);
    m.add(base, offset)
}

#[inline(always)]
fn load_exclusive<M: Integer>(m: &mut M, i: &Inst, size: Size) {
    let address = address(m, i);
    let value = m.load_exclusive(size, address);
    m.set_reg(i.rd, value);
}

/// The status goes to `rm`.
#[inline(always)]
fn store_exclusive<M: Integer>(m: &mut M, i: &Inst, size: Size) {
    let address = address(m, i);
    let value = m.reg(i.rd);
    let status = m.store_exclusive(size, address, value);
    m.set_reg(i.rm, status);
}

#[inline(always)]
fn load_exclusive_dual<M: Integer>(m: &mut M, i: &Inst) {
    let address = address(m, i);
    let value = m.load_exclusive64(address);
    let (t, t2) = (m.lo(value), m.hi(value));
    m.set_reg(i.rd, t);
    m.set_reg(i.ra, t2);
}

#[inline(always)]
fn store_exclusive_dual<M: Integer>(m: &mut M, i: &Inst) {
    let address = address(m, i);
    let (t, t2) = (m.reg(i.rd), m.reg(i.ra));
    let value = m.pair(t, t2);
    let status = m.store_exclusive64(address, value);
    m.set_reg(i.rm, status);
}

#[inline(always)]
fn load_acquire<M: Integer>(m: &mut M, i: &Inst, size: Size) {
    let address = m.reg(i.rn);
    let value = m.load_acquire(size, address);
    m.set_reg(i.rd, value);
}

#[inline(always)]
fn store_release<M: Integer>(m: &mut M, i: &Inst, size: Size) {
    let (address, value) = (m.reg(i.rn), m.reg(i.rd));
    m.store_release(size, address, value);
}

#[inline(always)]
fn swap<M: Integer>(m: &mut M, i: &Inst, size: Size) {
    let (address, value) = (m.reg(i.rn), m.reg(i.rm));
    let old = m.swap(size, address, value);
    m.set_reg(i.rd, old);
}

macro_rules! accesses {
    ($($(#[$doc:meta])* $name:ident = $f:ident $($size:expr)?;)*) => {$(
        $(#[$doc])*
        pub fn $name<M: Integer>(m: &mut M, i: &Inst) {
            $f(m, i $(, $size)?)
        }
    )*};
}

// The exclusives are ordered as the acquiring and releasing ones have to be: see the trait.
accesses! {
    /// `LDREX<c> <Rt>, [<Rn>{, #<imm>}]`
    ldrex = load_exclusive Size::W;
    /// `LDREXB<c> <Rt>, [<Rn>]`
    ldrexb = load_exclusive Size::U8;
    /// `LDREXH<c> <Rt>, [<Rn>]`
    ldrexh = load_exclusive Size::U16;
    /// `LDREXD<c> <Rt>, <Rt2>, [<Rn>]`
    ldrexd = load_exclusive_dual;
    /// `STREX<c> <Rd>, <Rt>, [<Rn>{, #<imm>}]`
    strex = store_exclusive Size::W;
    /// `STREXB<c> <Rd>, <Rt>, [<Rn>]`
    strexb = store_exclusive Size::U8;
    /// `STREXH<c> <Rd>, <Rt>, [<Rn>]`
    strexh = store_exclusive Size::U16;
    /// `STREXD<c> <Rd>, <Rt>, <Rt2>, [<Rn>]`
    strexd = store_exclusive_dual;
    /// `LDAEX<c> <Rt>, [<Rn>]`
    ldaex = load_exclusive Size::W;
    /// `LDAEXB<c> <Rt>, [<Rn>]`
    ldaexb = load_exclusive Size::U8;
    /// `LDAEXH<c> <Rt>, [<Rn>]`
    ldaexh = load_exclusive Size::U16;
    /// `LDAEXD<c> <Rt>, <Rt2>, [<Rn>]`
    ldaexd = load_exclusive_dual;
    /// `STLEX<c> <Rd>, <Rt>, [<Rn>]`
    stlex = store_exclusive Size::W;
    /// `STLEXB<c> <Rd>, <Rt>, [<Rn>]`
    stlexb = store_exclusive Size::U8;
    /// `STLEXH<c> <Rd>, <Rt>, [<Rn>]`
    stlexh = store_exclusive Size::U16;
    /// `STLEXD<c> <Rd>, <Rt>, <Rt2>, [<Rn>]`
    stlexd = store_exclusive_dual;
    /// `LDA<c> <Rt>, [<Rn>]`
    lda = load_acquire Size::W;
    /// `LDAB<c> <Rt>, [<Rn>]`
    ldab = load_acquire Size::U8;
    /// `LDAH<c> <Rt>, [<Rn>]`
    ldah = load_acquire Size::U16;
    /// `STL<c> <Rt>, [<Rn>]`
    stl = store_release Size::W;
    /// `STLB<c> <Rt>, [<Rn>]`
    stlb = store_release Size::U8;
    /// `STLH<c> <Rt>, [<Rn>]`
    stlh = store_release Size::U16;
    /// `SWP<c> <Rt>, <Rt2>, [<Rn>]`
    swp = swap Size::W;
    /// `SWPB<c> <Rt>, <Rt2>, [<Rn>]`
    swpb = swap Size::U8;
}

/// `CLREX<c>`
pub fn clrex<M: Integer>(m: &mut M, _: &Inst) {
    m.clear_exclusive();
}

/// `DMB<c> <option>`: every option is a full barrier.
pub fn dmb<M: Integer>(m: &mut M, _: &Inst) {
    m.barrier();
}

/// `DSB<c> <option>`: every option is a full barrier.
pub fn dsb<M: Integer>(m: &mut M, _: &Inst) {
    m.barrier();
}

/// `ISB<c>`: code that was changed is announced by the cacheflush call, so nothing is left to do.
pub fn isb<M: Integer>(_: &mut M, _: &Inst) {}
