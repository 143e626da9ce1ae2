//! What the threads of a guest process share.

use forearm_backend::Engine;
use std::sync::Arc;

/// A guest process. A vfork child has one of its own over the same address space.
pub struct Process {
    /// The translations of the address space.
    pub engine: Arc<Engine>,
}
