//! x86-64 instructions as bytes (Intel SDM volume 2), as far as the baseline compiler needs them.

use crate::returns::Way;

/// A general register by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reg(pub u8);

pub const RAX: Reg = Reg(0);
pub const RDX: Reg = Reg(2);
pub const RBP: Reg = Reg(5);
pub const RSI: Reg = Reg(6);
pub const RDI: Reg = Reg(7);

/// Where an operand is.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    Reg(Reg),
    /// At a register plus an offset.
    Memory(Reg, i32),
    /// At the sum of two registers; the second is not RSP.
    Sum(Reg, Reg),
    /// In a link slot of this exit, at an offset.
    Slot(u32, i32),
}

/// Width of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    B,
    W,
    D,
    Q,
}

/// Condition codes, by their number in the opcode; the lowest bit negates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cc(pub u8);

impl Cc {
    pub const O: Cc = Cc(0);
    pub const B: Cc = Cc(2);
    pub const AE: Cc = Cc(3);
    pub const E: Cc = Cc(4);
    pub const NE: Cc = Cc(5);
    pub const A: Cc = Cc(7);
    pub const S: Cc = Cc(8);
    pub const L: Cc = Cc(0xc);
    pub const GE: Cc = Cc(0xd);
    pub const G: Cc = Cc(0xf);

    pub fn not(self) -> Cc {
        Cc(self.0 ^ 1)
    }
}

/// Two-operand arithmetic, by its number in the opcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alu {
    Add = 0,
    Or = 1,
    And = 4,
    Sub = 5,
    Xor = 6,
    Cmp = 7,
}

/// Shifts, by their number in the opcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    Shl = 4,
    Shr = 5,
    Sar = 7,
}

/// A 32-bit distance that is still to be filled in; it counts from its own end.
#[must_use]
#[derive(Debug)]
pub struct Jump(usize);

/// Code under construction.
#[derive(Debug, Default)]
pub struct Assembler {
    pub code: Vec<u8>,
    /// As [`Compiled::slots`](crate::codegen::Compiled).
    pub slots: Vec<(u32, u32, i32)>,
}

impl Assembler {
    /// Offset of what comes next.
    pub fn here(&self) -> usize {
        self.code.len()
    }

    fn byte(&mut self, x: u8) {
        self.code.push(x);
    }

    fn dword(&mut self, x: u32) {
        self.code.extend_from_slice(&x.to_le_bytes());
    }

    /// ModRM, SIB and displacement; `behind`: bytes of immediate that follow.
    fn operands(&mut self, reg: u8, place: Place, behind: u8) {
        let reg = (reg & 7) << 3;
        match place {
            Place::Reg(r) => self.byte(0xc0 | reg | r.0 & 7),
            Place::Memory(base, offset) => {
                let low = base.0 & 7;
                let short = i8::try_from(offset);
                let mode = match short {
                    Ok(0) if low != 5 => 0,
                    Ok(_) => 0x40,
                    Err(_) => 0x80,
                };
                self.byte(mode | reg | low);
                if low == 4 {
                    self.byte(0x24);
                }
                match (mode, short) {
                    (0, _) => {}
                    (0x40, Ok(short)) => self.byte(short as u8),
                    _ => self.dword(offset as u32),
                }
            }
            Place::Sum(base, index) => {
                let mode = if base.0 & 7 == 5 { 0x40 } else { 0 };
                self.byte(mode | reg | 4);
                self.byte((index.0 & 7) << 3 | base.0 & 7);
                if mode != 0 {
                    self.byte(0);
                }
            }
            Place::Slot(exit, offset) => {
                self.byte(reg | 5);
                self.slots.push((self.here() as u32, exit, offset - 4 - i32::from(behind)));
                self.dword(0);
            }
        }
    }

    /// The bits of REX, or of VEX before they are inverted, that extend the operands: R, X, B.
    fn extensions(reg: u8, place: Place) -> u8 {
        let (x, b) = match place {
            Place::Reg(r) | Place::Memory(r, _) => (0, r.0 >> 3),
            Place::Sum(base, index) => (index.0 >> 3, base.0 >> 3),
            Place::Slot(..) => (0, 0),
        };
        reg >> 3 << 2 | x << 1 | b
    }

    /// An instruction with a ModRM byte. `bytes`: registers 4 to 7 among the operands mean their low bytes.
    fn encode(&mut self, width: Width, bytes: bool, opcode: &[u8], reg: u8, place: Place, behind: u8) {
        if width == Width::W {
            self.byte(0x66);
        }
        let mut opcode = opcode;
        if let [prefix @ 0xf3, rest @ ..] = opcode {
            self.byte(*prefix);
            opcode = rest;
        }
        let wide = u8::from(width == Width::Q) << 3;
        let rex = wide | Assembler::extensions(reg, place);
        let low = |r: u8| bytes && (4..8).contains(&r);
        if rex != 0 || low(reg) || matches!(place, Place::Reg(r) if low(r.0)) {
            self.byte(0x40 | rex);
        }
        self.code.extend_from_slice(opcode);
        self.operands(reg, place, behind);
    }

    /// A 32-bit instruction with a VEX prefix: `map` 2 or 3, `pp` the implied prefix.
    fn encode_vex(&mut self, map: u8, pp: u8, opcode: u8, reg: Reg, extra: Reg, source: Reg) {
        let place = Place::Reg(source);
        self.byte(0xc4);
        self.byte((!Assembler::extensions(reg.0, place) & 7) << 5 | map);
        self.byte((!extra.0 & 15) << 3 | pp);
        self.byte(opcode);
        self.operands(reg.0, place, 0);
    }

    // ---- moves

    pub fn mov(&mut self, width: Width, to: Reg, from: Reg) {
        self.encode(width, false, &[0x8b], to.0, Place::Reg(from), 0);
    }

    /// `mov to, x`; leaves the flags alone.
    pub fn mov_constant(&mut self, to: Reg, x: u64) {
        if let Ok(x) = u32::try_from(x) {
            if to.0 >= 8 {
                self.byte(0x41);
            }
            self.byte(0xb8 | to.0 & 7);
            self.dword(x);
        } else {
            self.byte(0x48 | to.0 >> 3);
            self.byte(0xb8 | to.0 & 7);
            self.code.extend_from_slice(&x.to_le_bytes());
        }
    }

    /// A load of 32 or 64 bits, or of fewer with zeros above.
    pub fn load(&mut self, width: Width, to: Reg, from: Place) {
        let opcode: &[u8] = match width {
            Width::B => &[0x0f, 0xb6],
            Width::W => &[0x0f, 0xb7],
            Width::D | Width::Q => &[0x8b],
        };
        let wide = if width == Width::Q { Width::Q } else { Width::D };
        self.encode(wide, width == Width::B, opcode, to.0, from, 0);
    }

    /// A byte or halfword with its sign above, in 32 bits; a word in 64.
    pub fn load_signed(&mut self, width: Width, to: Reg, from: Place) {
        match width {
            Width::B => self.encode(Width::D, true, &[0x0f, 0xbe], to.0, from, 0),
            Width::W => self.encode(Width::D, false, &[0x0f, 0xbf], to.0, from, 0),
            _ => self.encode(Width::Q, false, &[0x63], to.0, from, 0),
        }
    }

    /// `prefetcht0 [place]`
    pub fn prefetch(&mut self, place: Place) {
        self.encode(Width::D, false, &[0x0f, 0x18], 1, place, 0);
    }

    pub fn store(&mut self, width: Width, to: Place, from: Reg) {
        let opcode = if width == Width::B { 0x88 } else { 0x89 };
        self.encode(width, width == Width::B, &[opcode], from.0, to, 0);
    }

    /// Stores a constant of up to 32 bits.
    pub fn store_constant(&mut self, width: Width, to: Place, x: u32) {
        match width {
            Width::B => {
                self.encode(width, false, &[0xc6], 0, to, 1);
                self.byte(x as u8);
            }
            Width::W => {
                self.encode(width, false, &[0xc7], 0, to, 2);
                self.code.extend_from_slice(&(x as u16).to_le_bytes());
            }
            Width::D | Width::Q => {
                self.encode(Width::D, false, &[0xc7], 0, to, 4);
                self.dword(x);
            }
        }
    }

    /// The address of `place`, in 64 bits if it is wide.
    pub fn lea(&mut self, width: Width, to: Reg, place: Place) {
        self.encode(width, false, &[0x8d], to.0, place, 0);
    }

    // ---- arithmetic

    pub fn alu(&mut self, op: Alu, width: Width, a: Reg, b: Place) {
        self.encode(width, false, &[(op as u8) << 3 | 3], a.0, b, 0);
    }

    pub fn alu_constant(&mut self, op: Alu, width: Width, a: Place, x: u32) {
        if let Ok(x) = i8::try_from(x as i32) {
            self.encode(width, false, &[0x83], op as u8, a, 1);
            self.byte(x as u8);
        } else {
            self.encode(width, false, &[0x81], op as u8, a, 4);
            self.dword(x);
        }
    }

    /// `lock or dword [place], 0`: a full barrier.
    pub fn barrier(&mut self, place: Place) {
        self.byte(0xf0);
        self.alu_constant(Alu::Or, Width::D, place, 0);
    }

    pub fn test(&mut self, a: Reg, b: Reg) {
        self.encode(Width::D, false, &[0x85], a.0, Place::Reg(b), 0);
    }

    /// Any bits that the word in memory and a register have in common?
    pub fn test_memory(&mut self, place: Place, b: Reg) {
        self.encode(Width::D, false, &[0x85], b.0, place, 0);
    }

    pub fn test_constant(&mut self, a: Reg, x: u32) {
        self.encode(Width::D, false, &[0xf7], 0, Place::Reg(a), 4);
        self.dword(x);
    }

    pub fn not(&mut self, a: Reg) {
        self.encode(Width::D, false, &[0xf7], 2, Place::Reg(a), 0);
    }

    pub fn neg(&mut self, a: Reg) {
        self.encode(Width::D, false, &[0xf7], 3, Place::Reg(a), 0);
    }

    pub fn imul(&mut self, width: Width, a: Reg, b: Reg) {
        self.encode(width, false, &[0x0f, 0xaf], a.0, Place::Reg(b), 0);
    }

    /// Divides EDX:EAX, or RDX:RAX with their sign.
    pub fn div(&mut self, signed: bool, by: Reg) {
        let width = if signed { Width::Q } else { Width::D };
        self.encode(width, false, &[0xf7], if signed { 7 } else { 6 }, Place::Reg(by), 0);
    }

    /// The sign of RAX into RDX.
    pub fn cqo(&mut self) {
        self.code.extend_from_slice(&[0x48, 0x99]);
    }

    pub fn shift(&mut self, op: Shift, width: Width, a: Reg, n: u32) {
        self.encode(width, false, &[0xc1], op as u8, Place::Reg(a), 1);
        self.byte(n as u8);
    }

    /// `to = a` shifted by the low bits of `n`; leaves the flags alone.
    pub fn shift_by(&mut self, op: Shift, to: Reg, a: Reg, n: Reg) {
        let pp = match op {
            Shift::Shl => 1,
            Shift::Sar => 2,
            Shift::Shr => 3,
        };
        self.encode_vex(2, pp, 0xf7, to, n, a);
    }

    /// `to = a` rotated to the right.
    pub fn rorx(&mut self, to: Reg, a: Reg, n: u32) {
        self.encode_vex(3, 3, 0xf0, to, Reg(0), a);
        self.byte(n as u8);
    }

    /// `to = a & !b`
    pub fn andn(&mut self, to: Reg, a: Reg, b: Reg) {
        self.encode_vex(2, 0, 0xf2, to, b, a);
    }

    pub fn lzcnt(&mut self, to: Reg, a: Reg) {
        self.encode(Width::D, false, &[0xf3, 0x0f, 0xbd], to.0, Place::Reg(a), 0);
    }

    pub fn bswap(&mut self, a: Reg) {
        if a.0 >= 8 {
            self.byte(0x41);
        }
        self.byte(0x0f);
        self.byte(0xc8 | a.0 & 7);
    }

    /// The low byte of `to` becomes 1 or 0.
    pub fn set(&mut self, cc: Cc, to: Place) {
        self.encode(Width::D, true, &[0x0f, 0x90 | cc.0], 0, to, 0);
    }

    pub fn cmov(&mut self, cc: Cc, to: Reg, from: Reg) {
        self.encode(Width::D, false, &[0x0f, 0x40 | cc.0], to.0, Place::Reg(from), 0);
    }

    // ---- jumps

    pub fn jump_if(&mut self, cc: Cc) -> Jump {
        self.code.extend_from_slice(&[0x0f, 0x80 | cc.0]);
        self.dword(0);
        Jump(self.here())
    }

    /// Back to code that has been made.
    pub fn jump_if_to(&mut self, cc: Cc, target: usize) {
        let distance = target as i64 - self.here() as i64 - 2;
        if let Ok(short) = i8::try_from(distance) {
            self.code.extend_from_slice(&[0x70 | cc.0, short as u8]);
        } else {
            let jump = self.jump_if(cc);
            self.land_at(jump, target);
        }
    }

    /// As [`jump_if_to`](Self::jump_if_to).
    pub fn jump_to(&mut self, target: usize) {
        let distance = target as i64 - self.here() as i64 - 2;
        if let Ok(short) = i8::try_from(distance) {
            self.code.extend_from_slice(&[0xeb, short as u8]);
        } else {
            let jump = self.jump();
            self.land_at(jump, target);
        }
    }

    pub fn jump(&mut self) -> Jump {
        self.byte(0xe9);
        self.dword(0);
        Jump(self.here())
    }

    /// Lets a jump lead here.
    pub fn land(&mut self, jump: Jump) {
        let here = self.here();
        self.land_at(jump, here);
    }

    pub fn land_at(&mut self, jump: Jump, target: usize) {
        let distance = target.wrapping_sub(jump.0) as u32;
        self.code[jump.0 - 4..jump.0].copy_from_slice(&distance.to_le_bytes());
    }

    pub fn jump_through(&mut self, place: Place) {
        self.encode(Width::D, false, &[0xff], 4, place, 0);
    }

    /// Jumps through `place` in some way.
    pub fn jump_by(&mut self, way: &Way, place: Place) {
        let start = self.here();
        self.jump_through(place);
        let jump = self.code.split_off(start);
        let mut slots = Vec::new();
        way.emit(&jump, &mut self.code, &mut slots);
        self.slots.extend(slots.into_iter().map(|(at, exit)| (at, exit, -4)));
    }

    pub fn call_through(&mut self, place: Place) {
        self.encode(Width::D, false, &[0xff], 2, place, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(f: impl FnOnce(&mut Assembler)) -> Vec<u8> {
        let mut a = Assembler::default();
        f(&mut a);
        a.code
    }

    /// As the GNU assembler encodes them.
    #[test]
    fn encodings() {
        const RSP: Reg = Reg(4);
        let (ecx, r9, r13) = (Reg(1), Reg(9), Reg(13));
        assert_eq!(bytes(|a| a.mov(Width::D, r9, RAX)), [0x44, 0x8b, 0xc8]);
        assert_eq!(bytes(|a| a.load(Width::D, ecx, Place::Memory(RDI, 0x3c))), [0x8b, 0x4f, 0x3c]);
        assert_eq!(bytes(|a| a.load(Width::B, ecx, Place::Memory(r13, 0))), [0x41, 0x0f, 0xb6, 0x4d, 0]);
        assert_eq!(bytes(|a| a.load(Width::Q, r9, Place::Memory(RSP, 8))), [0x4c, 0x8b, 0x4c, 0x24, 8]);
        assert_eq!(bytes(|a| a.load_signed(Width::W, RAX, Place::Reg(r9))), [0x41, 0x0f, 0xbf, 0xc1]);
        assert_eq!(bytes(|a| a.store(Width::B, Place::Memory(RAX, 1), RSI)), [0x40, 0x88, 0x70, 1]);
        assert_eq!(bytes(|a| a.store(Width::W, Place::Memory(RAX, 0), r9)), [0x66, 0x44, 0x89, 8]);
        assert_eq!(bytes(|a| a.lea(Width::D, RAX, Place::Sum(r13, r9))), [0x43, 0x8d, 0x44, 0xd, 0]);
        assert_eq!(
            bytes(|a| a.alu_constant(Alu::Sub, Width::D, Place::Reg(r9), 0x1234)),
            [0x41, 0x81, 0xe9, 0x34, 0x12, 0, 0]
        );
        assert_eq!(
            bytes(|a| a.alu_constant(Alu::And, Width::D, Place::Reg(ecx), u32::MAX - 1)),
            [0x83, 0xe1, 0xfe]
        );
        assert_eq!(bytes(|a| a.shift_by(Shift::Shl, RAX, ecx, RDX)), [0xc4, 0xe2, 0x69, 0xf7, 0xc1]);
        assert_eq!(bytes(|a| a.shift_by(Shift::Shr, r9, r13, RSI)), [0xc4, 0x42, 0x4b, 0xf7, 0xcd]);
        assert_eq!(bytes(|a| a.rorx(RAX, ecx, 5)), [0xc4, 0xe3, 0x7b, 0xf0, 0xc1, 5]);
        assert_eq!(bytes(|a| a.andn(RAX, RDX, ecx)), [0xc4, 0xe2, 0x70, 0xf2, 0xc2]);
        assert_eq!(bytes(|a| a.lzcnt(r9, RAX)), [0xf3, 0x44, 0x0f, 0xbd, 0xc8]);
        assert_eq!(bytes(|a| a.set(Cc::AE, Place::Memory(RDI, 0x48))), [0x0f, 0x93, 0x47, 0x48]);
        assert_eq!(bytes(|a| a.set(Cc::E, Place::Reg(RSI))), [0x40, 0x0f, 0x94, 0xc6]);
        assert_eq!(bytes(|a| a.cmov(Cc::NE, r9, RAX)), [0x44, 0x0f, 0x45, 0xc8]);
        assert_eq!(bytes(|a| a.div(true, r9)), [0x49, 0xf7, 0xf9]);
        assert_eq!(bytes(|a| a.mov_constant(r9, 1 << 40)), [0x49, 0xb9, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(bytes(|a| a.prefetch(Place::Memory(r9, 8))), [0x41, 0x0f, 0x18, 0x49, 8]);
        assert_eq!(bytes(|a| a.barrier(Place::Memory(RSP, 0))), [0xf0, 0x83, 0x0c, 0x24, 0]);
    }
}
