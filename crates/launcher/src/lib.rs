//! The command line of `forearm`, which is that of `qemu-arm`, and the commands beside it.

pub mod binfmt;
pub mod command_line;
pub mod commands;
pub mod options;
pub mod shell;
mod values;

/// The version that `-version` names.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
