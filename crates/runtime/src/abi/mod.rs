//! Kernel structures as the ARM EABI lays them out, where that differs from x86-64, with their conversions.
//!
//! Long and pointers are 32 bits wide; 64-bit fields lie on 8-byte boundaries.

pub mod flock;
pub mod iovec;
pub mod ipc;
pub mod open_flags;
pub mod resource;
pub mod sigevent;
pub mod socket;
pub mod stat;
pub mod time;
pub mod timex;
