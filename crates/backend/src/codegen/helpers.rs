//! Operations without a short host sequence: compiled code calls the interpreter's, one operation a call.

use crate::interp::Interp;
use crate::state::CpuState;
use forearm_frontend::machine::{
    Elem, Fixed, Float, FloatOp1, FloatOp2, FloatOp3, Rounding, V1, V2, V3, VShift, Vector,
};

/// An operation, with what the instruction fixes of it. Operands are in `HostState::scratch`, the result is put into its
/// first element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Helper {
    V1(V1, Elem),
    V2(V2, Elem),
    V3(V3, Elem),
    VShift(VShift, Elem, u8),
    S1(FloatOp1),
    S2(FloatOp2),
    S3(FloatOp3),
    D1(FloatOp1),
    D2(FloatOp2),
    D3(FloatOp3),
    SCompare(bool),
    DCompare(bool),
    SRound(Rounding, bool),
    DRound(Rounding, bool),
    SToFixed(Format, Rounding),
    DToFixed(Format, Rounding),
    SFromFixed(Format, Rounding),
    DFromFixed(Format, Rounding),
    SToD,
    DToS,
    HalfToS,
    HalfToD,
    SToHalf,
    DToHalf,
    SettleFlags,
    Fpscr,
    SetFpscr,
    /// Raises an alignment fault at the address; the flag says that it is a store.
    Misaligned(bool),
}

const _: () = assert!(size_of::<Helper>() <= 8);

/// `Fixed` in few bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    bits: u8,
    fraction: u8,
    signed: bool,
}

impl From<Fixed> for Format {
    fn from(f: Fixed) -> Format {
        Format { bits: f.bits as u8, fraction: f.fraction as u8, signed: f.signed }
    }
}

impl From<Format> for Fixed {
    fn from(f: Format) -> Fixed {
        Fixed { bits: f.bits.into(), fraction: f.fraction.into(), signed: f.signed }
    }
}

impl Helper {
    /// As a number for compiled code to pass.
    pub fn pack(self) -> u64 {
        let mut bytes = [std::mem::MaybeUninit::<u8>::zeroed(); 8];
        // SAFETY: it fits (asserted above); padding bytes may be anything, `unpack` ignores them.
        unsafe {
            std::ptr::copy_nonoverlapping(
                (&raw const self).cast::<std::mem::MaybeUninit<u8>>(),
                bytes.as_mut_ptr(),
                size_of::<Helper>(),
            );
            std::mem::transmute(bytes)
        }
    }

    /// # Safety
    /// The number is of `pack`.
    unsafe fn unpack(x: u64) -> Helper {
        // SAFETY: the caller's promise.
        unsafe { std::mem::transmute_copy(&x) }
    }
}

/// Does a packed operation.
///
/// # Safety
/// Called from compiled code with a packed `Helper`.
pub(crate) unsafe extern "sysv64" fn call(cpu: &mut CpuState, packed: u64) {
    // SAFETY: the caller's promise.
    let helper = unsafe { Helper::unpack(packed) };
    let [a, b, c, _] = cpu.host.scratch;
    let m = Interp::of(cpu);
    let result = match helper {
        Helper::V1(op, e) => m.v1(op, e, a),
        Helper::V2(op, e) => m.v2(op, e, a, b),
        Helper::V3(op, e) => m.v3(op, e, a, b, c),
        Helper::VShift(op, e, n) => m.vshift(op, e, a, n),
        Helper::S1(op) => m.s1(op, a as u32).into(),
        Helper::S2(op) => m.s2(op, a as u32, b as u32).into(),
        Helper::S3(op) => m.s3(op, a as u32, b as u32, c as u32).into(),
        Helper::D1(op) => m.d1(op, a as u64).into(),
        Helper::D2(op) => m.d2(op, a as u64, b as u64).into(),
        Helper::D3(op) => m.d3(op, a as u64, b as u64, c as u64).into(),
        Helper::SCompare(signal) => m.s_compare(a as u32, b as u32, signal).into(),
        Helper::DCompare(signal) => m.d_compare(a as u64, b as u64, signal).into(),
        Helper::SRound(rounding, exact) => m.s_round(a as u32, rounding, exact).into(),
        Helper::DRound(rounding, exact) => m.d_round(a as u64, rounding, exact).into(),
        Helper::SToFixed(to, rounding) => m.s_to_fixed(a as u32, to.into(), rounding).into(),
        Helper::DToFixed(to, rounding) => m.d_to_fixed(a as u64, to.into(), rounding).into(),
        Helper::SFromFixed(from, rounding) => m.s_from_fixed(a as u32, from.into(), rounding).into(),
        Helper::DFromFixed(from, rounding) => m.d_from_fixed(a as u32, from.into(), rounding).into(),
        Helper::SToD => m.s_to_d(a as u32).into(),
        Helper::DToS => m.d_to_s(a as u64).into(),
        Helper::HalfToS => m.half_to_s(a as u32).into(),
        Helper::HalfToD => m.half_to_d(a as u32).into(),
        Helper::SToHalf => m.s_to_half(a as u32).into(),
        Helper::DToHalf => m.d_to_half(a as u64).into(),
        Helper::SettleFlags => {
            m.cpu().settle_flags();
            0
        }
        Helper::Fpscr => {
            m.cpu().settle_flags();
            m.fpscr().into()
        }
        Helper::SetFpscr => {
            m.cpu().settle_flags();
            m.set_fpscr(a as u32);
            0
        }
        Helper::Misaligned(write) => m.misaligned(a as u32, write),
    };
    cpu.host.scratch[0] = result;
}
