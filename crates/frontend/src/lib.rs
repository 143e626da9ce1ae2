//! ARM machine code to typed instructions to operations.
//!
//! Knows nothing of Linux or x86, does no I/O and has no `unsafe`.
#![forbid(unsafe_code)]

pub mod accesses;
pub mod decode;
pub mod disasm;
pub mod effects;
pub mod inst;
pub mod machine;
pub mod semantics;
pub mod tables;

use inst::{Inst, Op};
use machine::Machine;

macro_rules! execute {
    ($($op:ident $function:ident,)*) => {
        /// Does what an instruction means. Its condition has passed.
        #[inline]
        pub fn execute<M: Machine>(m: &mut M, i: &Inst) {
            match i.op {
                $(Op::$op => semantics::$function(m, i),)*
            }
        }
    };
}

for_each_op!(execute);
