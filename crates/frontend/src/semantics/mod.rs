//! What each instruction does, one function an operation, one file a chapter of the manual.
//!
//! A function is generic over the [`Machine`]: run with plain integers it is the interpreter, with Cranelift values the
//! code generator. Conditions are not its business: the driver has evaluated `inst.cond` already.

mod branch;
mod data_processing;

pub use branch::*;
pub use data_processing::*;
