//! The registers as gdb's protocol has them; `target.xml` describes the same to gdb.

use crate::threads::registers::Registers;
use gdbstub::arch::{Arch, RegId, Registers as GdbRegisters};
use gdbstub_arch::arm::ArmBreakpointKind;
use std::num::NonZeroUsize;

/// ARMv7-A with VFP and Advanced SIMD.
pub enum Armv7 {}

impl Arch for Armv7 {
    type Usize = u32;
    type Registers = All;
    type RegId = Register;
    type BreakpointKind = ArmBreakpointKind;

    fn target_description_xml() -> Option<&'static str> {
        Some(include_str!("target.xml"))
    }
}

/// All registers, in the order of `target.xml`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct All {
    bytes: Vec<u8>,
}

/// Bytes of a `g` packet: core registers and CPSR, d0 to d31, FPSCR, TPIDRURO, q0 to q15.
const SIZE: usize = 4 * 17 + 8 * 32 + 4 + 4 + 16 * 16;

impl From<&Registers> for All {
    fn from(registers: &Registers) -> All {
        let mut bytes = Vec::with_capacity(SIZE);
        Register::every().for_each(|r| bytes.extend(r.read(registers)));
        All { bytes }
    }
}

impl All {
    /// Puts all into `registers`. The D registers count, not the Q registers that are made of them.
    pub fn put(&self, registers: &mut Registers) {
        let mut rest = &self.bytes[..];
        for register in Register::every() {
            let (value, behind) = rest.split_at(register.size().min(rest.len()));
            if !matches!(register, Register::Quad(_)) {
                register.write(registers, value);
            }
            rest = behind;
        }
    }
}

impl GdbRegisters for All {
    type ProgramCounter = u32;

    fn pc(&self) -> u32 {
        let at = 4 * 15;
        self.bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    fn gdb_serialize(&self, mut write_byte: impl FnMut(Option<u8>)) {
        self.bytes.iter().for_each(|&b| write_byte(Some(b)));
    }

    fn gdb_deserialize(&mut self, bytes: &[u8]) -> Result<(), ()> {
        if bytes.len() != SIZE {
            return Err(());
        }
        self.bytes = bytes.to_vec();
        Ok(())
    }
}

/// One register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register {
    /// r0 to r15.
    Core(u8),
    /// CPSR.
    Cpsr,
    /// d0 to d31.
    Double(u8),
    /// FPSCR.
    Fpscr,
    /// TPIDRURO.
    Tls,
    /// q0 to q15: two D registers each. gdb would make them up itself, but some versions do not.
    Quad(u8),
}

/// gdb's number of CPSR; the eight FPA registers and their status are before it.
const CPSR: usize = 25;

impl RegId for Register {
    fn from_raw_id(id: usize) -> Option<(Self, Option<NonZeroUsize>)> {
        let register = match id {
            0..16 => Register::Core(id as u8),
            CPSR => Register::Cpsr,
            26..58 => Register::Double(id as u8 - 26),
            58 => Register::Fpscr,
            59 => Register::Tls,
            60..76 => Register::Quad(id as u8 - 60),
            _ => return None,
        };
        Some((register, NonZeroUsize::new(register.size())))
    }
}

impl Register {
    fn every() -> impl Iterator<Item = Register> {
        (0..76).filter_map(|id| Register::from_raw_id(id).map(|(register, _)| register))
    }

    fn size(self) -> usize {
        match self {
            Register::Double(_) => 8,
            Register::Quad(_) => 16,
            _ => 4,
        }
    }

    /// Its bytes, little-endian.
    pub fn read(self, registers: &Registers) -> Vec<u8> {
        let word = match self {
            Register::Core(n) => registers.r[usize::from(n)],
            Register::Cpsr => registers.cpsr,
            Register::Double(n) => return registers.d[usize::from(n)].to_le_bytes().to_vec(),
            Register::Quad(n) => {
                let at = 2 * usize::from(n);
                return registers.d[at..at + 2].iter().flat_map(|d| d.to_le_bytes()).collect();
            }
            Register::Fpscr => registers.fpscr,
            Register::Tls => registers.tls,
        };
        word.to_le_bytes().to_vec()
    }

    /// Sets it from its bytes; false when there are too few or too many.
    pub fn write(self, registers: &mut Registers, bytes: &[u8]) -> bool {
        if bytes.len() != self.size() {
            return false;
        }
        let value = bytes.iter().rev().fold(0u128, |value, &b| value << 8 | u128::from(b));
        match self {
            Register::Core(n) => registers.r[usize::from(n)] = value as u32,
            Register::Cpsr => registers.cpsr = value as u32,
            Register::Double(n) => registers.d[usize::from(n)] = value as u64,
            Register::Quad(n) => {
                let at = 2 * usize::from(n);
                registers.d[at..at + 2].copy_from_slice(&[value as u64, (value >> 64) as u64]);
            }
            Register::Fpscr => registers.fpscr = value as u32,
            Register::Tls => registers.tls = value as u32,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_has_what_the_description_promises() {
        let registers = Registers {
            r: std::array::from_fn(|n| n as u32 + 1),
            cpsr: 0x10,
            d: std::array::from_fn(|n| n as u64 + 100),
            fpscr: 7,
            tls: 9,
        };
        let all = All::from(&registers);
        assert_eq!(all.bytes.len(), SIZE);
        assert_eq!(all.pc(), 16);
        let mut again = Registers { r: [0; 16], cpsr: 0, d: [0; 32], fpscr: 0, tls: 0 };
        all.put(&mut again);
        assert_eq!(again, registers);
        let xml = Armv7::target_description_xml().unwrap();
        let bits =
            xml.split("bitsize=\"").skip(1).map(|t| t.split('"').next().unwrap().parse::<usize>().unwrap());
        assert_eq!(bits.sum::<usize>() / 8, SIZE);
    }
}
