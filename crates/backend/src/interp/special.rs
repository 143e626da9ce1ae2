//! Handlers of the most frequent instructions, with operands fixed that the generic handler would have to look at: flags,
//! and the kind of shift. Same semantics: the compiler drops what the fixed operands rule out.
//!
//! Worth a third of the interpreter's time on python and perl (`docs/performance.md`).

use super::{Handler, Interp, Slot};
use forearm_frontend::inst::{Inst, Op, cond, shift};
use forearm_frontend::semantics;

const S: u8 = Inst::S;
const P: u8 = Inst::P;
const U: u8 = Inst::U;
const W: u8 = Inst::W;

/// The `shift` operand of a register that is not shifted at all.
const NONE: u8 = 8;

macro_rules! pick {
    ($i:ident, $kind:ident, $group:ident, $function:ident, { $(($flags:expr, $shift:expr)),* $(,)? }) => {
        match ($i.flags, $kind) {
            $((f, s) if f == $flags && s == $shift => $group::$function::<{ $flags }, { $shift }>,)*
            _ => return None,
        }
    };
}

macro_rules! specialise {
    ($i:ident: $($group:ident { $($op:ident $function:ident),* $(,)? } $cases:tt)*) => {
        $(mod $group {
            use super::*;
            $(pub(super) unsafe fn $function<const FLAGS: u8, const SHIFT: u8>(m: &mut Interp, s: &Slot) -> *const Slot {
                // SAFETY: this is the handler of an instruction slot.
                let mut i = *unsafe { s.inst() };
                i.op = Op::$op;
                i.cond = cond::AL;
                i.flags = FLAGS;
                if SHIFT == NONE {
                    (i.shift, i.amount) = (shift::LSL, 0);
                } else {
                    i.shift = SHIFT;
                }
                semantics::$function(m, &i);
                s.next()
            })*
        })*

        /// The special handler of an instruction, if it has one.
        pub(super) fn handler($i: &Inst) -> Option<Handler> {
            let shift = if $i.shift == shift::LSL && $i.amount == 0 { NONE } else { $i.shift };
            Some(match $i.op {
                $($(Op::$op => pick!($i, shift, $group, $function, $cases),)*)*
                _ => return None,
            })
        }
    };
}

// The writers of r15 are left to the generic handlers: they end a block anyway.
specialise! { i:
    immediate {
        AND_imm and_imm, EOR_imm eor_imm, SUB_imm sub_imm, RSB_imm rsb_imm, ADD_imm add_imm, ADC_imm adc_imm,
        SBC_imm sbc_imm, ORR_imm orr_imm, BIC_imm bic_imm, MOV_imm mov_imm, MVN_imm mvn_imm,
    } { (0, NONE), (S, NONE) }
    register {
        AND_reg and_reg, EOR_reg eor_reg, SUB_reg sub_reg, RSB_reg rsb_reg, ADD_reg add_reg, ADC_reg adc_reg,
        SBC_reg sbc_reg, ORR_reg orr_reg, BIC_reg bic_reg, MOV_reg mov_reg, MVN_reg mvn_reg,
    } { (0, NONE), (S, NONE), (0, shift::LSL), (0, shift::LSR), (0, shift::ASR), (S, shift::LSL), (S, shift::LSR), (S, shift::ASR) }
    compare {
        CMP_imm cmp_imm, CMN_imm cmn_imm, TST_imm tst_imm, TEQ_imm teq_imm,
        CMP_reg cmp_reg, CMN_reg cmn_reg, TST_reg tst_reg, TEQ_reg teq_reg,
    } { (S, NONE), (0, NONE) }
    offset {
        LDR_imm ldr_imm, LDRB_imm ldrb_imm, LDRH_imm ldrh_imm, LDRSB_imm ldrsb_imm, LDRSH_imm ldrsh_imm, LDRD_imm ldrd_imm,
        STR_imm str_imm, STRB_imm strb_imm, STRH_imm strh_imm, STRD_imm strd_imm,
    } { (P | U, NONE), (P, NONE), (P | U | W, NONE), (P | W, NONE), (U | W, NONE), (W, NONE) }
    indexed {
        LDR_reg ldr_reg, LDRB_reg ldrb_reg, LDRH_reg ldrh_reg, LDRSB_reg ldrsb_reg, LDRSH_reg ldrsh_reg,
        STR_reg str_reg, STRB_reg strb_reg, STRH_reg strh_reg,
    } { (P | U, NONE), (P | U, shift::LSL) }
    multiple {
        LDM ldm, STM stm,
    } { (U | W, NONE), (U, NONE), (P | W, NONE), (P, NONE), (P | U, NONE) }
}
