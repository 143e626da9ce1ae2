//! What each instruction does, one function an operation, one file a chapter of the manual.
//!
//! A function is generic over the [`Machine`]: run with plain integers it is the interpreter, with Cranelift values the
//! code generator. Conditions are not its business: the driver has evaluated `inst.cond` already.

mod branch;
mod data_processing;
mod load_store;
mod multiply;
mod packing;
mod parallel;
mod saturating;
mod synchronization;
mod system;

pub use branch::*;
pub use data_processing::*;
pub use load_store::*;
pub use multiply::*;
pub use packing::*;
pub use parallel::*;
pub use saturating::*;
pub use synchronization::*;
pub use system::*;
