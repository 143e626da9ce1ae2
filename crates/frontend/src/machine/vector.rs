//! Advanced SIMD: 128-bit vectors. A D register is the low half of one.

use super::Float;

/// Vector operations. `V` is 128 bits.
#[allow(missing_docs)]
pub trait Vector: Float {
    type V: Copy;

    /// Q register 0 to 15.
    fn qreg(&mut self, r: u8) -> Self::V;
    fn set_qreg(&mut self, r: u8, v: Self::V);
}
