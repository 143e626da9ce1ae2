//! The Cryptographic Extension: AES, SHA-1, SHA-256 and the 64-bit polynomial product.

use super::Vector;

/// Operations on quadwords, named as the instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Carry-less 64 by 64 bit product.
    fn pmull64(&mut self, a: Self::L, b: Self::L) -> Self::V;
}
