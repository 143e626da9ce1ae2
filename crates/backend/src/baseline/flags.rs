//! Where the flags are: mostly they are the operands of what has set them, until somebody asks.

use super::assembler::{Alu, Cc, Place, Reg, Shift, Width};
use super::values::{Truth, Values, Word};
use super::{Baseline, field};
use forearm_frontend::inst::cond;

/// The addition or subtraction that has set all flags last.
#[derive(Clone, Copy, Debug)]
pub struct Last {
    pub subtract: bool,
    pub a: Word,
    pub b: Word,
    pub result: Word,
}

/// N is bit 31 of the first word; Z is set when the second is zero.
#[derive(Clone, Copy, Debug)]
pub enum Source<T> {
    /// In the state in memory.
    State,
    /// That of `Flags::last`.
    Last,
    Of(T),
}

/// The four flags.
#[derive(Clone, Copy, Debug)]
pub struct Flags {
    pub last: Option<Last>,
    pub n: Source<Word>,
    pub z: Source<Word>,
    pub c: Source<Truth>,
    pub v: Source<Truth>,
}

impl Default for Flags {
    fn default() -> Self {
        Flags { last: None, n: Source::State, z: Source::State, c: Source::State, v: Source::State }
    }
}

impl Flags {
    /// They are in the state now.
    pub fn stored(&mut self) {
        *self = Flags::default();
    }

    pub fn set(&mut self, last: Last) {
        *self =
            Flags { last: Some(last), n: Source::Last, z: Source::Last, c: Source::Last, v: Source::Last };
    }

    /// The host registers of what they are made of.
    pub fn held(&self, values: &Values) -> u16 {
        let words = self.last.map_or([None; 3], |l| [l.a, l.b, l.result].map(Some));
        let of = |s: Source<Word>| if let Source::Of(w) = s { Some(w) } else { None };
        let truth = |s: Source<Truth>| match s {
            Source::Of(Truth::Value(id)) => [Some(Word::Value(id)), None],
            Source::Of(Truth::Bit(w, _)) => [Some(w), None],
            Source::Of(Truth::Compare(_, a, b)) => [Some(a), Some(b)],
            _ => [None; 2],
        };
        let words = words.into_iter().chain([of(self.n), of(self.z)]);
        let words = words.chain(truth(self.c)).chain(truth(self.v));
        words.flatten().fold(0, |mask, w| mask | values.host_of(w))
    }
}

impl Baseline {
    /// Compares as `last` did, or adds again: the host's flags are then those of it, except the carry of an addition.
    fn redo(&mut self, last: Last) {
        if last.subtract {
            let a = self.v.fetch(last.a);
            self.v.alu(Alu::Cmp, a, last.b);
        } else {
            let a = self.v.fetch(last.a);
            let t = self.v.scratch();
            self.v.a.mov(Width::D, t, a);
            self.v.alu(Alu::Add, t, last.b);
        }
    }

    /// Sets the host's flags by whether a word is zero or negative.
    fn test(&mut self, word: Word) {
        let r = self.v.fetch(word);
        self.v.a.test(r, r);
    }

    /// Sets the host's flags; the condition under which it is true.
    pub(super) fn holds(&mut self, truth: Truth) -> Cc {
        match truth {
            Truth::Constant(x) => {
                // Equal to itself.
                self.v.a.alu(Alu::Cmp, Width::D, Reg(4), Place::Reg(Reg(4)));
                if x { Cc::E } else { Cc::NE }
            }
            Truth::Value(id) => {
                self.test(Word::Value(id));
                Cc::NE
            }
            Truth::Bit(word, n) => {
                let r = self.v.fetch(word);
                self.v.a.test_constant(r, 1 << n);
                Cc::NE
            }
            Truth::Compare(cc, a, b) => {
                let a = self.v.fetch(a);
                self.v.alu(Alu::Cmp, a, b);
                cc
            }
        }
    }

    /// Sets the host's flags; the condition under which the guest's `condition` holds. Registers stay pinned.
    pub(super) fn condition(&mut self, condition: u8) -> Cc {
        let base = condition & !1;
        let cc = self.positive(base);
        if condition & 1 != 0 { cc.not() } else { cc }
    }

    fn positive(&mut self, base: u8) -> Cc {
        let f = self.flags;
        let all = matches!((f.n, f.z, f.c, f.v), (Source::Last, Source::Last, Source::Last, Source::Last));
        if let Some(last) = f.last
            && all
        {
            let direct = match base {
                cond::EQ => Some(Cc::E),
                cond::MI => Some(Cc::S),
                cond::VS => Some(Cc::O),
                cond::GE => Some(Cc::GE),
                cond::GT => Some(Cc::G),
                cond::CS => Some(if last.subtract { Cc::AE } else { Cc::B }),
                cond::HI if last.subtract => Some(Cc::A),
                _ => None,
            };
            if let Some(cc) = direct {
                self.redo(last);
                return cc;
            }
        }
        match base {
            cond::EQ => self.zero(),
            cond::MI => match f.n {
                Source::State => {
                    self.settle();
                    self.v.a.alu_constant(Alu::Cmp, Width::D, field!(n), 0);
                    Cc::S
                }
                _ => {
                    let n = self.negative();
                    self.test(n);
                    Cc::S
                }
            },
            cond::CS => self.carry(),
            cond::VS => self.overflow(),
            cond::HI => {
                let c = self.carry();
                let c = self.bool_of(c);
                let z = self.zero();
                let z = self.bool_of(z.not());
                self.v.a.test(c, z);
                Cc::NE
            }
            _ => {
                let v = self.overflow();
                let v = self.bool_of(v);
                let n = match f.n {
                    Source::State => {
                        self.settle();
                        let r = self.v.scratch();
                        self.v.a.load(Width::D, r, field!(n));
                        r
                    }
                    _ => {
                        let n = self.negative();
                        self.v.copy(n).1
                    }
                };
                self.v.a.shift(Shift::Shr, Width::D, n, 31);
                if base == cond::GE {
                    self.v.a.alu(Alu::Cmp, Width::D, n, Place::Reg(v));
                    return Cc::E;
                }
                // Not zero, and N equal to V.
                self.v.a.alu(Alu::Xor, Width::D, v, Place::Reg(n));
                self.v.a.alu_constant(Alu::Xor, Width::D, Place::Reg(v), 1);
                let z = self.zero();
                let z = self.bool_of(z.not());
                self.v.a.test(v, z);
                Cc::NE
            }
        }
    }

    /// A condition of the host's flags as 0 or 1 in a register of its own.
    fn bool_of(&mut self, cc: Cc) -> Reg {
        let r = self.v.scratch();
        self.v.a.set(cc, Place::Reg(r));
        self.v.a.load(Width::B, r, Place::Reg(r));
        r
    }

    /// The word whose bit 31 is N, where it is not in the state.
    fn negative(&self) -> Word {
        match (self.flags.n, self.flags.last) {
            (Source::Of(w), _) => w,
            (_, Some(last)) => last.result,
            _ => Word::Constant(0),
        }
    }

    fn zero(&mut self) -> Cc {
        match (self.flags.z, self.flags.last) {
            (Source::Of(w), _) => self.test(w),
            (Source::Last, Some(last)) if last.subtract => self.redo(last),
            (Source::Last, Some(last)) => self.test(last.result),
            _ => {
                self.settle();
                self.v.a.alu_constant(Alu::Cmp, Width::D, field!(z), 0);
            }
        }
        Cc::E
    }

    fn carry(&mut self) -> Cc {
        match (self.flags.c, self.flags.last) {
            (Source::Of(t), _) => self.holds(t),
            (Source::Last, Some(last)) => {
                self.redo(last);
                if last.subtract { Cc::AE } else { Cc::B }
            }
            _ => {
                self.settle();
                self.v.a.alu_constant(Alu::Cmp, Width::D, field!(c), 0);
                Cc::NE
            }
        }
    }

    fn overflow(&mut self) -> Cc {
        match (self.flags.v, self.flags.last) {
            (Source::Of(t), _) => self.holds(t),
            (Source::Last, Some(last)) => {
                self.redo(last);
                Cc::O
            }
            _ => {
                self.settle();
                self.v.a.alu_constant(Alu::Cmp, Width::D, field!(v), 0);
                Cc::NE
            }
        }
    }

    /// Behind an addition or a subtraction.
    pub(super) fn set_flags(&mut self, subtract: bool, a: Word, b: Word, result: Word) {
        let [a, b] = [a, b].map(|w| self.v.settle(w));
        self.v.release();
        self.flags.set(Last { subtract, a, b, result });
    }

    /// The carry as a value that stays when the flags change.
    pub(super) fn carry_value(&mut self) -> Truth {
        match self.flags.c {
            Source::Of(t) => t,
            _ => {
                let cc = self.carry();
                let r = self.bool_of(cc);
                Truth::Value(self.v.own(r))
            }
        }
    }

    /// Makes sure that the flags in the state are there, and not left as operands by other code.
    pub(super) fn settle(&mut self) {
        if !std::mem::replace(&mut self.settled, true) {
            self.v.a.alu_constant(Alu::Cmp, Width::D, field!(host.flags), 0);
            let jump = self.v.a.jump_if(Cc::NE);
            self.unsettled.push((jump, self.v.a.here()));
        }
    }

    /// Like [`store_flags`](Self::store_flags), for somebody who hardly ever asks: he computes them from the operands.
    pub(super) fn leave_flags(&mut self) {
        use crate::state::{FLAGS_ADD, FLAGS_SUB};
        let f = self.flags;
        let (Source::Last, Source::Last, Source::Last, Source::Last, Some(last)) =
            (f.n, f.z, f.c, f.v, f.last)
        else {
            return self.store_flags();
        };
        self.v.release();
        for (word, place) in [(last.a, field!(host.flags_a)), (last.b, field!(host.flags_b))] {
            self.store_word(word, place);
        }
        let kind = if last.subtract { FLAGS_SUB } else { FLAGS_ADD };
        self.v.a.store_constant(Width::D, field!(host.flags), kind);
    }

    fn store_word(&mut self, word: Word, place: Place) {
        match word {
            Word::Constant(x) => self.v.a.store_constant(Width::D, place, x),
            _ => {
                let r = self.v.fetch(word);
                self.v.a.store(Width::D, place, r);
            }
        }
        self.v.release();
    }

    /// Brings the flags into the state; they keep their sources.
    pub(super) fn store_flags(&mut self) {
        let f = self.flags;
        if let (Source::State, Source::State, Source::State, Source::State) = (f.n, f.z, f.c, f.v) {
            return;
        }
        let kept = matches!(f.n, Source::State)
            || matches!(f.z, Source::State)
            || matches!(f.c, Source::State)
            || matches!(f.v, Source::State);
        if kept {
            self.settle();
        }
        self.settled = true;
        self.v.release();
        for (source, place) in [(f.n, field!(n)), (f.z, field!(z))] {
            match (source, f.last) {
                (Source::Of(w), _) => self.store_word(w, place),
                (Source::Last, Some(last)) => self.store_word(last.result, place),
                _ => {}
            }
        }
        // The words in the state are 0 or 1: their low byte is enough.
        if let (Source::Last, Source::Last, Some(last)) = (f.c, f.v, f.last) {
            self.redo(last);
            self.v.a.set(if last.subtract { Cc::AE } else { Cc::B }, field!(c));
            self.v.a.set(Cc::O, field!(v));
        } else {
            if !matches!(f.c, Source::State) {
                let cc = self.carry();
                self.v.a.set(cc, field!(c));
            }
            if !matches!(f.v, Source::State) {
                let cc = self.overflow();
                self.v.a.set(cc, field!(v));
            }
        }
        self.v.a.store_constant(Width::D, field!(host.flags), 0);
        self.v.release();
    }
}
