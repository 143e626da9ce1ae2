//! A decoded instruction.

pub use crate::tables::Op;

/// A typed instruction: the operation and its operands. What a field means is said by the operation's table lines;
/// A32 and T32 encodings of an operation fill it alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Inst {
    /// The operation.
    pub op: Op,
    /// Condition it executes under, 0 to 14 (`cond::AL`). From the encoding or from the IT block.
    pub cond: u8,
    /// Length of the encoding in bytes: 2 or 4.
    pub len: u8,
    /// Rd, Rt, RdLo; Vd.
    pub rd: u8,
    /// Rn; Vn.
    pub rn: u8,
    /// Rm; Vm.
    pub rm: u8,
    /// Ra, Rs, Rt2, RdHi.
    pub ra: u8,
    /// Immediate, absolute address, or register list.
    pub imm: u32,
    /// `S`, `P`, `U`, `W`, `Q` and `CARRY`.
    pub flags: u8,
    /// Kind of shift (`shift::LSL` ...), or a form's own small value.
    pub shift: u8,
    /// Shift amount, or a form's own small value.
    pub amount: u8,
    /// Log2 of the element or access size in bytes, or a form's own small value.
    pub size: u8,
}

impl Inst {
    /// Sets the condition flags.
    pub const S: u8 = 1;
    /// Indexed (offset or pre-indexed) addressing.
    pub const P: u8 = 2;
    /// The offset is added.
    pub const U: u8 = 4;
    /// The base is written back.
    pub const W: u8 = 8;
    /// Works on quadword registers.
    pub const Q: u8 = 16;
    /// `imm` is a modified immediate whose carry-out is its bit 31 (A32 and T32 ExpandImm_C with rotation).
    pub const CARRY: u8 = 32;

    /// An instruction with no operands.
    pub const fn new(op: Op) -> Inst {
        Inst {
            op,
            cond: cond::AL,
            len: 4,
            rd: 0,
            rn: 0,
            rm: 0,
            ra: 0,
            imm: 0,
            flags: 0,
            shift: 0,
            amount: 0,
            size: 0,
        }
    }

    /// Is this flag set?
    #[inline(always)]
    pub const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Sets or clears a flag.
    #[inline(always)]
    pub fn set(&mut self, flag: u8, on: bool) {
        self.flags = if on { self.flags | flag } else { self.flags & !flag };
    }
}

/// Condition codes (Arm ARM A8.3).
#[allow(missing_docs)]
pub mod cond {
    pub const EQ: u8 = 0;
    pub const NE: u8 = 1;
    pub const CS: u8 = 2;
    pub const CC: u8 = 3;
    pub const MI: u8 = 4;
    pub const PL: u8 = 5;
    pub const VS: u8 = 6;
    pub const VC: u8 = 7;
    pub const HI: u8 = 8;
    pub const LS: u8 = 9;
    pub const GE: u8 = 10;
    pub const LT: u8 = 11;
    pub const GT: u8 = 12;
    pub const LE: u8 = 13;
    pub const AL: u8 = 14;
}

/// Kinds of shift after `DecodeImmShift` (Arm ARM A8.4.3).
#[allow(missing_docs)]
pub mod shift {
    pub const LSL: u8 = 0;
    pub const LSR: u8 = 1;
    pub const ASR: u8 = 2;
    pub const ROR: u8 = 3;
    pub const RRX: u8 = 4;
}
