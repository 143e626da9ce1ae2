//! Cryptographic Extension: quadword register numbers (0 to 15) of D:Vd, N:Vn, M:Vm, which must be even.

use super::super::{Context, Verdict};
use crate::inst::Inst;

/// Quadwords; an odd doubleword number is UNDEFINED.
pub fn crypto(w: u32, i: &mut Inst, _: Context) -> Verdict {
    // `rn` was collected as Vn:N. The two-operand lines have no Vn field, their `rn` stays zero.
    let vn_is_odd = i.rn & 2 != 0;
    if (w >> 12 | w) & 1 != 0 || vn_is_odd {
        return Verdict::Undefined;
    }
    i.rd >>= 1;
    i.rm >>= 1;
    i.rn = i.rn >> 2 | (i.rn & 1) << 3;
    Verdict::Valid
}

/// VMULL.P64: a quadword of two doublewords.
pub fn crypto_p64(w: u32, i: &mut Inst, _: Context) -> Verdict {
    if w >> 12 & 1 != 0 {
        return Verdict::Undefined;
    }
    i.rd >>= 1;
    i.rn = i.rn >> 1 | (i.rn & 1) << 4;
    Verdict::Valid
}
