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
use machine::{Integer, Machine};

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

macro_rules! execute_core {
    ($($op:ident $function:ident,)*) => {
        /// Does what an instruction on core registers means, in a domain that has nothing else; `false`: it is another one.
        #[inline]
        pub fn execute_core<M: Integer>(m: &mut M, i: &Inst) -> bool {
            match i.op {
                $(Op::$op => semantics::$function(m, i),)*
                _ => return false,
            }
            true
        }
    };
}

for_each_core_op!(execute_core);
