//! Forms: what turns the raw fields of an encoding into operands, and says what is UNDEFINED or UNPREDICTABLE.
//! One file a family of encodings. A form is `fn(word, &mut Inst, Context) -> Verdict`.

mod crypto;
mod integer;
mod memory;
mod simd;
mod simd_memory;
mod thumb;
mod thumb_memory;
mod vfp;

pub use crypto::*;
pub use integer::*;
pub use memory::*;
pub use simd::*;
pub use simd_memory::*;
pub use thumb::*;
pub use thumb_memory::*;
pub use vfp::*;

use super::{Context, Verdict};
use crate::inst::Inst;

/// The fields are the operands.
pub fn plain(_: u32, _: &mut Inst, _: Context) -> Verdict {
    Verdict::Valid
}
