//! A test case: code under test, the state it starts from, and what it is made of.

use forearm_frontend::decode::ItState;
use forearm_frontend::disasm::disassemble;

use crate::state::State;

/// An instruction of a case.
#[derive(Clone, Copy)]
pub struct Placed {
    /// Its address.
    pub addr: u32,
    /// The word; 16-bit instructions in the low half.
    pub word: u32,
    /// The IT state it is decoded in.
    pub it: ItState,
    /// In Thumb state?
    pub thumb: bool,
}

/// One case.
#[derive(Clone)]
pub struct Case {
    /// The number of its slot, which its addresses are made for.
    pub slot: usize,
    /// The machine code, from the start of its slot.
    pub code: Vec<u8>,
    /// Offset of the first instruction, bit 0 set in Thumb state.
    pub entry: u32,
    /// The state before.
    pub state: State,
    /// The instructions, for reports.
    pub instructions: Vec<Placed>,
    /// The table lines that it tests.
    pub lines: Vec<Line>,
    /// The operations' names, for the list of accepted differences.
    pub ops: Vec<String>,
}

/// A line of the tables as one instruction set reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Line {
    /// The table.
    pub set: Set,
    /// Reached from Thumb state?
    pub thumb: bool,
    /// Index in the table.
    pub index: usize,
}

/// The tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Set {
    A32,
    T16,
    T32,
}

impl Case {
    /// The disassembly, one line an instruction.
    pub fn listing(&self) -> String {
        let mut out = String::new();
        for p in &self.instructions {
            let text = disassemble(p.word, p.addr, p.thumb, p.it).replace('\t', " ");
            out += &format!("  {:08x}  {:08x}  {text}\n", p.addr, p.word);
        }
        out
    }
}
