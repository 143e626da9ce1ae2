//! The value domain of the semantics: the operations an instruction's meaning is made of.
//!
//! With plain integers they run (the interpreter); with Cranelift values they generate code. These operations are
//! the intermediate representation: a frontend for another guest architecture speaks the same ones.

mod float;
mod integer;
mod vector;

pub use float::{Float, FloatOp1, FloatOp2, FloatOp3};
pub use integer::{Carry, Integer, Size};
pub use vector::{Elem, Rounding, V1, V2, V3, VShift, Vector};

/// Everything an instruction may do.
pub trait Machine: Integer + Float + Vector {}

impl<T: Integer + Float + Vector> Machine for T {}
