//! What each instruction does, one function an operation, one file a chapter of the manual.
//!
//! A function is generic over the [`Machine`](crate::machine::Machine): run with plain integers it is the interpreter, with Cranelift values the
//! code generator. Conditions are not its business: the driver has evaluated `inst.cond` already.

mod branch;
mod crypto;
mod data_processing;
mod load_store;
mod multiply;
mod packing;
mod parallel;
mod saturating;
mod simd;
mod simd_immediate;
mod simd_long;
mod simd_memory;
mod simd_misc;
mod simd_same;
mod simd_shift;
mod simd_table;
mod synchronization;
mod system;
mod vfp_conversion;
mod vfp_data_processing;
mod vfp_transfer;

pub use branch::*;
pub use crypto::*;
pub use data_processing::*;
pub use load_store::*;
pub use multiply::*;
pub use packing::*;
pub use parallel::*;
pub use saturating::*;
pub use simd_immediate::*;
pub use simd_long::*;
pub use simd_memory::*;
pub use simd_misc::*;
pub use simd_same::*;
pub use simd_shift::*;
pub use simd_table::*;
pub use synchronization::*;
pub use system::*;
pub use vfp_conversion::*;
pub use vfp_data_processing::*;
pub use vfp_transfer::*;
