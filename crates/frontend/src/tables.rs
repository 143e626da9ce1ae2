//! What `build.rs` makes of `tables/*.tbl`.
// Fields at bit 0 are shifted by it like all others.
#![allow(clippy::identity_op, clippy::precedence)]

use crate::decode::{Arch, Encoding, forms};
use crate::inst::Inst;

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

macro_rules! candidates {
    ($name:ident, $bucket:ident, $buckets:ident, $starts:ident, $lists:ident) => {
        /// Indices of the encodings that may match a word, most specific first.
        pub fn $name(w: u32) -> &'static [u16] {
            let id = usize::from($buckets[$bucket(w)]);
            &$lists[$starts[id] as usize..$starts[id + 1] as usize]
        }
    };
}

candidates!(a32_candidates, a32_bucket, A32_BUCKETS, A32_STARTS, A32_LISTS);
candidates!(t16_candidates, t16_bucket, T16_BUCKETS, T16_STARTS, T16_LISTS);
candidates!(t32_candidates, t32_bucket, T32_BUCKETS, T32_STARTS, T32_LISTS);
