//! The guest's address space.

mod access;

pub use access::GuestMemory;
