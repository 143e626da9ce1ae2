//! The Cryptographic Extension: AES, SHA-1 and SHA-256.

use super::Vector;

/// Operations on quadwords, named as the instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum CryptoOp {
    AesE,
    AesD,
    AesMc,
    AesImc,
    Sha1C,
    Sha1P,
    Sha1M,
    Sha1H,
    Sha1Su0,
    Sha1Su1,
    Sha256H,
    Sha256H2,
    Sha256Su0,
    Sha256Su1,
}

/// Cryptographic operations.
pub trait Crypto: Vector {
    /// The new Qd of `op` with the old Qd, Qn and Qm. Two-operand instructions ignore `n`; AESMC, AESIMC and SHA1H
    /// ignore `d` too.
    fn crypto(&mut self, op: CryptoOp, d: Self::V, n: Self::V, m: Self::V) -> Self::V;
}
