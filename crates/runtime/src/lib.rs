//! The guest process: its memory, program image, system calls, signals and threads.

pub mod abi;
pub mod coredump;
pub mod cpu;
pub mod errno;
pub mod gdb;
pub mod loader;
pub mod memory;
pub mod perf;
pub mod process;
pub mod procfs;
mod run;
pub mod signals;
pub mod stats;
pub mod store;
pub mod symbols;
pub mod syscalls;
pub mod threads;

pub use forearm_backend::cache::image as code_image;
pub use forearm_backend::cache::store as code_store;
pub use forearm_backend::{log, tuning};

pub use errno::{Errno, SysResult};
pub use process::Options;
pub use run::{Start, run};
pub use syscalls::resource::Limits;
