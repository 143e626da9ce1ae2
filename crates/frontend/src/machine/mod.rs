//! The value domain of the semantics: the operations an instruction's meaning is made of.
//!
//! With plain integers they run (the interpreter); with Cranelift values they generate code. These operations are
//! the intermediate representation: a frontend for another guest architecture speaks the same ones.

mod crypto;
mod float;
mod integer;
mod vector;

pub use crypto::{Crypto, CryptoOp};
pub use float::{Fixed, Float, FloatOp1, FloatOp2, FloatOp3, Rounding};
pub use integer::{Carry, Integer, Size};
pub use vector::{Elem, V1, V2, V3, VShift, Vector};

/// Everything an instruction may do.
pub trait Machine: Integer + Float + Vector + Crypto {}

impl<T: Integer + Float + Vector + Crypto> Machine for T {}
