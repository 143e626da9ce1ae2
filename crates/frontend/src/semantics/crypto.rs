//! Cryptographic Extension (Arm ARM, Armv8, F6).

use crate::inst::Inst;
use crate::machine::{CryptoOp, Elem, Machine, V2};

/// `<op>.8 <Qd>, <Qm>` and `<op>.32 <Qd>, <Qn>, <Qm>`
macro_rules! quadword {
    ($($function:ident $op:ident,)*) => {$(
        #[doc = concat!("`", stringify!($op), "`")]
        pub fn $function<M: Machine>(m: &mut M, i: &Inst) {
            let (d, n, operand) = (m.qreg(i.rd), m.qreg(i.rn), m.qreg(i.rm));
            let result = m.crypto(CryptoOp::$op, d, n, operand);
            m.set_qreg(i.rd, result);
        }
    )*};
}

quadword! {
    aese AesE,
    aesd AesD,
    aesmc AesMc,
    aesimc AesImc,
    sha1c Sha1C,
    sha1p Sha1P,
    sha1m Sha1M,
    sha1h Sha1H,
    sha1su0 Sha1Su0,
    sha1su1 Sha1Su1,
    sha256h Sha256H,
    sha256h2 Sha256H2,
    sha256su0 Sha256Su0,
    sha256su1 Sha256Su1,
}

/// `VMULL.P64 <Qd>, <Dn>, <Dm>`
pub fn vmull_p64<M: Machine>(m: &mut M, i: &Inst) {
    let (n, operand) = (m.vdreg(i.rn), m.vdreg(i.rm));
    let result = m.v2(V2::Pmull, Elem::U64, n, operand);
    m.set_qreg(i.rd, result);
}
