//! Disassembly in unified syntax, from the SYNTAX column of the tables.
//!
//! Text of a line is copied; a `{placeholder}` prints a field of the instruction as the functions below say.

use std::fmt::Write as _;

use crate::decode::{self, ItState};
use crate::inst::{Inst, Op, shift};

/// Condition suffixes by number; "always" has none.
const CONDITIONS: [&str; 15] =
    ["eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", ""];

/// The instruction `word` at `addr` in assembler syntax. Of Thumb, 16-bit instructions have a zero high half and 32-bit
/// ones their first halfword in it; `it` is the IT state it executes in. What is no instruction is a directive.
pub fn disassemble(word: u32, addr: u32, thumb: bool, it: ItState) -> String {
    match decode::encoding(word, addr, thumb, it) {
        Some((e, inst)) => {
            let mut text = String::with_capacity(32);
            print(&mut text, e.syntax, &inst).expect("the tables' placeholders are tested");
            text
        }
        None if thumb && word >> 16 == 0 => format!(".short 0x{word:04x}"),
        None => format!(".inst 0x{word:08x}"),
    }
}

/// An unknown placeholder.
#[derive(Debug, PartialEq, Eq)]
struct Unknown(String);

fn print(out: &mut String, syntax: &str, i: &Inst) -> Result<(), Unknown> {
    let mut rest = syntax;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open + 1..];
        // A brace without a partner is the assembler's own (register lists of fixed length).
        let Some(close) = rest.find('}') else { break };
        let name = &rest[..close];
        rest = &rest[close + 1..];
        if !(integer(out, name, i) || address(out, name, i) || float(out, name, i) || vector(out, name, i)) {
            return Err(Unknown(name.to_string()));
        }
    }
    out.push_str(rest);
    // `b{c} label` of an unconditional branch and the like leave no double spaces; the mnemonic ends at a tab.
    if let Some(space) = out.find(' ') {
        out.replace_range(space..=space, "\t");
    }
    Ok(())
}

/// A core register's name.
fn core(r: u8) -> &'static str {
    const NAMES: [&str; 16] =
        ["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc"];
    NAMES[usize::from(r & 15)]
}

fn number(out: &mut String, value: u32) {
    // Small negative numbers are masks more often than offsets, so they are hexadecimal.
    let result = if value < 0x10000 { write!(out, "#{value}") } else { write!(out, "#{value:#x}") };
    result.expect("strings take everything");
}

/// Appends formatted text.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => { write!($out, $($arg)*).expect("strings take everything") };
}

/// "B" or "T", by the half of a register that a halfword multiplication takes.
fn half(top: bool) -> char {
    if top { 't' } else { 'b' }
}

/// Condition, core registers, immediates, shifts, system operands.
fn integer(out: &mut String, name: &str, i: &Inst) -> bool {
    match name {
        "c" => out.push_str(CONDITIONS[usize::from(i.cond.min(14))]),
        "S" => out.push_str(if i.has(Inst::S) { "s" } else { "" }),
        "W" => out.push_str(if i.has(Inst::W) { "!" } else { "" }),
        "d" => out.push_str(core(i.rd)),
        "n" => out.push_str(core(i.rn)),
        "m" => out.push_str(core(i.rm)),
        "a" => out.push_str(core(i.ra)),
        "i" => number(out, i.imm),
        "i:x" => put!(out, "{:#x}", i.imm),
        "k" => put!(out, "#{}", i.amount),
        "shift" => shifted(out, i),
        "rshift" => put!(out, ", {} {}", shift_name(i.shift), core(i.ra)),
        "xy" => out.extend([half(i.shift & 1 != 0), half(i.amount & 1 != 0)]),
        "y" => out.push(half(i.amount & 1 != 0)),
        "x" => out.push_str(if i.amount & 1 != 0 { "x" } else { "" }),
        "r" => out.push_str(if i.amount & 1 != 0 { "r" } else { "" }),
        "crc" => {
            out.push_str(if i.shift & 1 != 0 { "c" } else { "" });
            out.push(['b', 'h', 'w', 'x'][usize::from(i.size & 3)]);
        }
        "psr" => {
            let names = [(8, "nzcvq"), (4, "g"), (2, "x"), (1, "c")];
            out.extend(names.iter().filter(|(bit, _)| i.size & bit != 0).map(|(_, name)| *name));
        }
        "barrier" => match i.imm {
            1 => out.push_str("oshld"),
            2 => out.push_str("oshst"),
            3 => out.push_str("osh"),
            5 => out.push_str("nshld"),
            6 => out.push_str("nshst"),
            7 => out.push_str("nsh"),
            9 => out.push_str("ishld"),
            10 => out.push_str("ishst"),
            11 => out.push_str("ish"),
            13 => out.push_str("ld"),
            14 => out.push_str("st"),
            15 => out.push_str("sy"),
            other => number(out, other),
        },
        "it" => {
            let (first, mask) = (i.imm >> 4 & 15, i.imm & 15);
            out.push_str("it");
            // A letter for each bit above the lowest set one: "t" where it equals the condition's bit 0.
            for bit in (mask.trailing_zeros() + 1..4).rev() {
                out.push(if mask >> bit & 1 == first & 1 { 't' } else { 'e' });
            }
            put!(out, " {}", if first == 14 { "al" } else { CONDITIONS[first.min(14) as usize] });
        }
        _ => return false,
    }
    true
}

fn shift_name(kind: u8) -> &'static str {
    match kind {
        shift::LSL => "lsl",
        shift::LSR => "lsr",
        shift::ASR => "asr",
        shift::ROR => "ror",
        _ => "rrx",
    }
}

/// `, LSL #n`, nothing without a shift.
fn shifted(out: &mut String, i: &Inst) {
    match (i.shift, i.amount) {
        (shift::LSL, 0) => {}
        (shift::RRX, _) => out.push_str(", rrx"),
        (kind, amount) => put!(out, ", {} #{amount}", shift_name(kind)),
    }
}

/// Addresses of loads and stores, register lists.
fn address(out: &mut String, name: &str, i: &Inst) -> bool {
    let sign = if i.has(Inst::U) { "" } else { "-" };
    let write_back = if i.has(Inst::W) { "!" } else { "" };
    match name {
        // Load-exclusive and store-exclusive have a positive offset and no flags.
        "mem" if matches!(i.op, Op::LDREX | Op::STREX) => match i.imm {
            0 => put!(out, "[{}]", core(i.rn)),
            offset => put!(out, "[{}, #{offset}]", core(i.rn)),
        },
        "mem" if i.has(Inst::P) => match i.imm {
            0 if i.has(Inst::U) => put!(out, "[{}]{write_back}", core(i.rn)),
            offset => put!(out, "[{}, #{sign}{offset}]{write_back}", core(i.rn)),
        },
        "mem" => put!(out, "[{}], #{sign}{}", core(i.rn), i.imm),
        "memr" => {
            put!(out, "[{}", core(i.rn));
            out.push_str(if i.has(Inst::P) { ", " } else { "], " });
            put!(out, "{sign}{}", core(i.rm));
            shifted(out, i);
            if i.has(Inst::P) {
                put!(out, "]{write_back}");
            }
        }
        "list" => {
            let names: Vec<_> = (0..16).filter(|r| i.imm >> r & 1 != 0).map(core).collect();
            put!(out, "{{{}}}", names.join(", "));
        }
        _ => return false,
    }
    true
}

/// VFP operands.
fn float(out: &mut String, name: &str, i: &Inst) -> bool {
    let single = i.size == 2;
    let register = |out: &mut String, r: u8| put!(out, "{}{r}", if single { 's' } else { 'd' });
    match name {
        "F" => out.push_str(if single { "f32" } else { "f64" }),
        "fd" => register(out, i.rd),
        "fn" => register(out, i.rn),
        "fm" => register(out, i.rm),
        "sd" => put!(out, "s{}", i.rd),
        "sn" => put!(out, "s{}", i.rn),
        "sm" => put!(out, "s{}", i.rm),
        "sm+1" => put!(out, "s{}", i.rm + 1),
        "fimm" if single => put!(out, "#{:?}", f32::from_bits(i.imm)),
        "fimm" => put!(out, "#{:?}", f64::from_bits(u64::from(i.imm) << 32)),
        "half" => out.push(half(i.shift != 0)),
        "int" => out.push_str(if i.shift != 0 { "s32" } else { "u32" }),
        "fixed" => put!(out, "{}{}", if i.shift != 0 { 's' } else { 'u' }, i.amount),
        "fraction" => put!(out, "{}", i.imm),
        "vselcond" => out.push_str(["eq", "vs", "ge", "gt"][usize::from(i.shift & 3)]),
        "rounding" => out.push_str(["a", "n", "p", "m"][usize::from(i.amount & 3)]),
        "vaddr" if i.rn == 15 => put!(out, "{:#x}", i.imm),
        "vaddr" => match i.imm {
            0 if i.has(Inst::U) => put!(out, "[{}]", core(i.rn)),
            offset => put!(out, "[{}, #{}{offset}]", core(i.rn), if i.has(Inst::U) { "" } else { "-" }),
        },
        "wback" => out.push_str(if i.has(Inst::W) { "!" } else { "" }),
        "vlist" => {
            out.push('{');
            register(out, i.rd);
            if i.amount > 1 {
                out.push('-');
                register(out, i.rd + i.amount - 1);
            }
            out.push('}');
        }
        "ulane" => {
            let sign = if i.has(Inst::U) { "u" } else { "s" };
            put!(out, "{}{}", if i.size < 2 { sign } else { "" }, 8u32 << (i.size & 3));
        }
        "lane" => out.push_str(["8", "16", "32", "64"][usize::from(i.size & 3)]),
        "index" => put!(out, "{}", i.imm >> (i.size & 3) >> 3),
        "apsr" => out.push_str(if i.rd == 15 { "apsr_nzcv" } else { core(i.rd) }),
        _ => return false,
    }
    true
}

/// Advanced SIMD operands.
fn vector(out: &mut String, name: &str, i: &Inst) -> bool {
    // Quadwords have the number of their first doubleword.
    let either = |out: &mut String, r: u8| {
        if i.has(Inst::Q) { put!(out, "q{}", r / 2) } else { put!(out, "d{r}") }
    };
    match name {
        "vd" => either(out, i.rd),
        "vn" => either(out, i.rn),
        "vm" => either(out, i.rm),
        "dd" => put!(out, "d{}", i.rd),
        "dn" => put!(out, "d{}", i.rn),
        "dm" => put!(out, "d{}", i.rm),
        "qd" => put!(out, "q{}", i.rd / 2),
        "qn" => put!(out, "q{}", i.rn / 2),
        "qm" => put!(out, "q{}", i.rm / 2),
        // The Cryptographic Extension numbers quadwords themselves.
        "cd" => put!(out, "q{}", i.rd),
        "cn" => put!(out, "q{}", i.rn),
        "cm" => put!(out, "q{}", i.rm),
        "U" => out.push(if i.has(Inst::U) { 'u' } else { 's' }),
        "z" => put!(out, "{}", 8u32 << (i.size & 3)),
        "z2" => put!(out, "{}", 16u32 << (i.size & 3)),
        "scalar" => put!(out, "{}", i.amount),
        // The immediate fills a word; the elements are smaller.
        "i:i8" => number(out, i.imm & 0xff),
        "i:i16" => number(out, i.imm & 0xffff),
        "i:f32" => put!(out, "#{}", f32::from_bits(i.imm)),
        // Each bit of the immediate stands for a byte.
        "i64" => {
            let bytes: String =
                (0..8).rev().map(|bit| if i.imm >> bit & 1 != 0 { "ff" } else { "00" }).collect();
            put!(out, "#0x{bytes}");
        }
        "tablelist" => {
            let names: Vec<_> = (i.rn..i.rn + i.shift).map(|r| format!("d{r}")).collect();
            put!(out, "{{{}}}", names.join(", "));
        }
        "vldlist" => structure_list(out, i),
        "vldaddr" => {
            put!(out, "[{}", core(i.rn));
            if i.ra > 1 {
                put!(out, ":{}", u32::from(i.ra) * 8);
            }
            out.push(']');
            match i.rm {
                15 => {}
                13 => out.push('!'),
                m => put!(out, ", {}", core(m)),
            }
        }
        _ => return false,
    }
    true
}

/// The registers of an element or structure load or store.
fn structure_list(out: &mut String, i: &Inst) {
    let name = format!("{:?}", i.op);
    let elements = name.as_bytes().get(3).map_or(1, |digit| digit.saturating_sub(b'0'));
    let (lane, all) = (name.ends_with("_lane"), name.ends_with("_all"));
    // Whole registers: `amount` consecutive structures. VLD1 to all lanes: `amount` registers.
    let count = if lane {
        elements
    } else if elements == 1 {
        i.amount
    } else {
        elements
    };
    let mut registers: Vec<u8> = (0..count).map(|k| i.rd + k * i.shift.max(1)).collect();
    if !lane && !all && elements > 1 && i.amount == 2 {
        registers = (0..2 * elements).map(|k| i.rd + k).collect();
    }
    let index = if lane { format!("[{}]", i.amount) } else { String::from(if all { "[]" } else { "" }) };
    let names: Vec<_> = registers.iter().map(|r| format!("d{r}{index}")).collect();
    put!(out, "{{{}}}", names.join(", "));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables;

    #[test]
    fn every_placeholder_is_known() {
        for e in tables::A32.iter().chain(tables::T16).chain(tables::T32) {
            let mut text = String::new();
            let result = print(&mut text, e.syntax, &Inst::new(e.op));
            assert_eq!(result, Ok(()), "{:?} {} \"{}\"", e.op, e.variant, e.syntax);
        }
    }
}
