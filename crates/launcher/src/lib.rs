//! The command line of `forearm`, which is that of `qemu-arm`.

pub mod command_line;
pub mod options;
mod values;

/// The version that `-version` names.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
