//! Executes guest instructions: an interpreter for what is cold, a baseline compiler for what is warm, Cranelift for what is hot.

pub mod baseline;
pub mod cache;
pub mod codegen;
pub mod crypto;
pub mod engine;
mod enter;
pub mod fault;
pub mod fp;
pub mod interp;
pub mod log;
mod returns;
pub mod simd;
pub mod state;
pub mod stats;
pub mod tuning;

pub use engine::{CodeSource, Engine, Exit, Fault};
pub use forearm_frontend::accesses::Access;
pub use state::CpuState;
