//! The values of a block and the host registers they are in.
//!
//! A value never changes. Within an instruction every value stays; behind it only those that a guest register or a flag has.

use super::assembler::{Alu, Assembler, Cc, Place, RBP, RDI, Reg, Width};
use crate::codegen::FRAME_BIAS;

/// A value by its number in the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(u16);

/// A 32-bit word; the bits above are zero in its register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Constant(u32),
    Value(Id),
    /// A value plus a constant, still to be added: often it is an address.
    Sum(Id, u32),
}

/// 64 bits.
#[derive(Clone, Copy, Debug)]
pub enum Long {
    Constant(u64),
    Value(Id),
    /// A low and a high word.
    Pair(Word, Word),
}

/// A truth value.
#[derive(Clone, Copy, Debug)]
pub enum Truth {
    Constant(bool),
    /// 0 or 1.
    Value(Id),
    /// A bit of a word.
    Bit(Word, u32),
    /// A comparison that is still to be made.
    Compare(Cc, Word, Word),
}

#[derive(Clone, Copy, Debug)]
enum Location {
    Host(Reg),
    /// A slot of the frame.
    Frame(u32),
}

/// Slots of the frame, 8 bytes each; far fewer than the frame of compiled code has.
const SLOTS: u32 = 128;

/// Host registers that may hold values: all but the stack pointer, that of the frame and the state pointer.
const ALL: u16 = !(1 << 4 | 1 << 5 | 1 << 7);

/// Those that a call keeps.
pub const KEPT: u16 = 1 << 3 | 0xf << 12;

/// What is where.
#[derive(Debug, Default)]
pub struct Values {
    pub a: Assembler,
    at: Vec<Location>,
    owner: [Option<Id>; 16],
    /// Guest registers in host registers, or known.
    guest: [Option<Word>; 15],
    /// Guest registers that differ from the state in memory.
    dirty: u16,
    /// Host registers in use by the operation being made.
    pinned: u16,
    /// Host registers with values that the current instruction has seen.
    seen: u16,
    /// Sums made by the current instruction.
    sums: Vec<(Id, u32, Id)>,
    slots: u32,
}

pub fn register(r: u8) -> Place {
    Place::Memory(RDI, std::mem::offset_of!(crate::state::CpuState, r) as i32 + 4 * i32::from(r))
}

impl Values {
    pub fn begin(&mut self) {
        *self = Values { a: Assembler::default(), at: std::mem::take(&mut self.at), ..Values::default() };
        self.at.clear();
    }

    /// More values were spilled than the frame has room for.
    pub fn is_overfull(&self) -> bool {
        self.slots > SLOTS
    }

    /// The operation is done: its operands may move.
    pub fn release(&mut self) {
        self.pinned = 0;
    }

    /// The instruction is done: what nobody has any more goes. `held`: host registers that the flags have.
    pub fn end_instruction(&mut self, held: u16) {
        let mut kept = held;
        for word in self.guest.iter().flatten() {
            kept |= self.host_of(*word);
        }
        for r in 0..16 {
            if kept & 1 << r == 0 {
                self.owner[r] = None;
            }
        }
        (self.pinned, self.seen) = (0, 0);
        self.sums.clear();
    }

    /// The host register of a word, as a mask.
    pub fn host_of(&self, word: Word) -> u16 {
        match word {
            Word::Value(id) | Word::Sum(id, _) => match self.at[usize::from(id.0)] {
                Location::Host(r) => 1 << r.0,
                Location::Frame(_) => 0,
            },
            Word::Constant(_) => 0,
        }
    }

    fn slot(n: u32) -> Place {
        Place::Memory(RBP, 8 * n as i32 - FRAME_BIAS)
    }

    /// A place in the frame that no value takes.
    pub fn reserved_slot() -> Place {
        Values::slot(SLOTS)
    }

    /// A free host register, pinned.
    fn allocate(&mut self) -> Reg {
        let used = (0..16).fold(0u16, |m, r| if self.owner[r].is_some() { m | 1 << r } else { m });
        let free = ALL & !used & !self.pinned;
        let candidates = ALL & !self.pinned;
        let r = match (free, candidates & !self.seen) {
            (0, 0) => {
                let r = candidates.trailing_zeros() as u8;
                self.spill(Reg(r));
                r
            }
            (0, old) => {
                let r = old.trailing_zeros() as u8;
                self.write_back(Reg(r));
                r
            }
            (free, _) => free.trailing_zeros() as u8,
        };
        self.pinned |= 1 << r;
        self.seen |= 1 << r;
        Reg(r)
    }

    /// Frees a register whose value the current instruction has not seen: guest registers are written back, a flag's operand
    /// goes to the frame.
    fn write_back(&mut self, r: Reg) {
        let Some(id) = self.owner[usize::from(r.0)] else { return };
        for g in 0..15 {
            if self.guest[g] == Some(Word::Value(id)) {
                self.flush(1 << g);
                self.guest[g] = None;
            }
        }
        // Flags may have it too.
        self.spill(r);
    }

    fn spill(&mut self, r: Reg) {
        let Some(id) = self.owner[usize::from(r.0)].take() else { return };
        self.a.store(Width::Q, Values::slot(self.slots.min(SLOTS - 1)), r);
        self.at[usize::from(id.0)] = Location::Frame(self.slots.min(SLOTS - 1));
        self.slots += 1;
    }

    /// Frees a certain register, pinned from then on.
    pub fn take(&mut self, r: Reg) {
        if let Some(id) = self.owner[usize::from(r.0)] {
            self.pinned |= 1 << r.0;
            let to = self.allocate();
            self.a.mov(Width::Q, to, r);
            self.owner[usize::from(r.0)] = None;
            self.owner[usize::from(to.0)] = Some(id);
            self.at[usize::from(id.0)] = Location::Host(to);
        }
        self.pinned |= 1 << r.0;
        self.seen |= 1 << r.0;
    }

    /// A new value in a register of its own.
    pub fn fresh(&mut self) -> (Id, Reg) {
        let r = self.allocate();
        (self.own(r), r)
    }

    /// The new value that is in a register taken or scratched.
    pub fn own(&mut self, r: Reg) -> Id {
        let id = Id(self.at.len() as u16);
        self.at.push(Location::Host(r));
        self.owner[usize::from(r.0)] = Some(id);
        id
    }

    /// A register for the time of the operation.
    pub fn scratch(&mut self) -> Reg {
        self.allocate()
    }

    /// The register a value is in, pinned.
    pub fn value(&mut self, id: Id) -> Reg {
        let r = match self.at[usize::from(id.0)] {
            Location::Host(r) => r,
            Location::Frame(n) => {
                let r = self.allocate();
                self.a.load(Width::Q, r, Values::slot(n));
                self.owner[usize::from(r.0)] = Some(id);
                self.at[usize::from(id.0)] = Location::Host(r);
                r
            }
        };
        self.pinned |= 1 << r.0;
        self.seen |= 1 << r.0;
        r
    }

    /// The word without a sum in it.
    pub fn settle(&mut self, word: Word) -> Word {
        let Word::Sum(id, x) = word else { return word };
        if let Some(&(.., sum)) = self.sums.iter().find(|s| (s.0, s.1) == (id, x)) {
            return Word::Value(sum);
        }
        let from = self.value(id);
        let (sum, to) = self.fresh();
        self.a.lea(Width::D, to, Place::Memory(from, x as i32));
        self.sums.push((id, x, sum));
        Word::Value(sum)
    }

    /// The register a word is in, pinned, not to be changed.
    pub fn fetch(&mut self, word: Word) -> Reg {
        match self.settle(word) {
            Word::Constant(x) => {
                let r = self.scratch();
                self.a.mov_constant(r, x.into());
                r
            }
            Word::Value(id) | Word::Sum(id, _) => self.value(id),
        }
    }

    /// A new value that begins as a copy of a word.
    pub fn copy(&mut self, word: Word) -> (Id, Reg) {
        match word {
            Word::Constant(x) => {
                let (id, r) = self.fresh();
                self.a.mov_constant(r, x.into());
                (id, r)
            }
            Word::Value(from) => {
                let from = self.value(from);
                let (id, r) = self.fresh();
                self.a.mov(Width::D, r, from);
                (id, r)
            }
            Word::Sum(from, x) => {
                let from = self.value(from);
                let (id, r) = self.fresh();
                self.a.lea(Width::D, r, Place::Memory(from, x as i32));
                (id, r)
            }
        }
    }

    /// `a op= b`
    pub fn alu(&mut self, op: Alu, a: Reg, b: Word) {
        match b {
            Word::Constant(x) => self.a.alu_constant(op, Width::D, Place::Reg(a), x),
            _ => {
                let b = self.fetch(b);
                self.a.alu(op, Width::D, a, Place::Reg(b));
            }
        }
    }

    // ---- guest registers

    pub fn guest(&mut self, r: u8) -> Word {
        if let Some(word) = self.guest[usize::from(r)] {
            if let Word::Value(id) = word {
                // Seen from now on.
                self.value(id);
            }
            return word;
        }
        let (id, host) = self.fresh();
        self.a.load(Width::D, host, register(r));
        self.guest[usize::from(r)] = Some(Word::Value(id));
        Word::Value(id)
    }

    pub fn set_guest(&mut self, r: u8, word: Word) {
        let word = self.settle(word);
        self.guest[usize::from(r)] = Some(word);
        self.dirty |= 1 << r;
    }

    /// Stores guest registers that differ from the state.
    pub fn flush(&mut self, mask: u16) {
        for r in 0..15 {
            // A register may have to be written back to make room for another.
            if mask & self.dirty & 1 << r == 0 {
                continue;
            }
            self.dirty &= !(1 << r);
            match self.guest[usize::from(r)] {
                Some(Word::Constant(x)) => self.a.store_constant(Width::D, register(r), x),
                Some(word) => {
                    let pinned = self.pinned;
                    let host = self.fetch(word);
                    self.a.store(Width::D, register(r), host);
                    self.pinned = pinned;
                }
                None => {}
            }
        }
    }

    /// Forgets where guest registers are, except those of `kept` in host registers of `hosts`: the state has them all.
    pub fn forget(&mut self, kept: u16, hosts: u16) {
        for r in 0..15 {
            let stays = match self.guest[r] {
                Some(Word::Constant(_)) => true,
                Some(word) => self.host_of(word) & hosts != 0,
                None => false,
            };
            if kept & 1 << r == 0 || !stays {
                self.guest[r] = None;
            }
        }
    }
}
