//! Makes finished code denser: the prologue and the places of epilogues, which nobody executes, go; jumps get their short forms; a
//! load of an address that is jumped to becomes part of the jump. Exits are a good part of a region's code. And what is in the frame
//! is addressed by RBP, since RSP is that of [`crate::returns`], whose calls and returns are made here too.

use super::FRAME_BIAS;
use crate::returns::Way;
use iced_x86::{
    Code, ConstantOffsets, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register,
    RflagsBits,
};
use smallvec::{SmallVec, smallvec};
use std::ops::Range;

/// What becomes of an instruction.
#[derive(Debug)]
enum Form {
    /// It stays as it is.
    Same,
    /// Nobody gets there.
    Gone,
    /// A relative jump, under a condition or always.
    Jump { condition: Option<u8>, target: u32, short: bool },
    /// It refers to a constant behind the code; where in it the displacement is.
    Constant { displacement: usize, target: u32 },
    /// Code that is there instead, of this instruction or also of the one in front or behind, which is gone.
    Instead(Bytes),
    /// A way out with landings; places of references to link slots in it, with the numbers of the exits.
    Way(Vec<u8>, Vec<(u32, u32)>),
}

/// An instruction.
type Bytes = SmallVec<[u8; 15]>;

#[derive(Debug)]
struct Item {
    /// Offset in the old code.
    at: u32,
    length: u32,
    form: Form,
}

impl Item {
    fn size(&self) -> u32 {
        match &self.form {
            Form::Same | Form::Constant { .. } => self.length,
            Form::Gone => 0,
            Form::Jump { short: true, .. } => 2,
            Form::Jump { condition: None, .. } => 5,
            Form::Jump { .. } => 6,
            Form::Instead(bytes) => bytes.len() as u32,
            Form::Way(bytes, _) => bytes.len() as u32,
        }
    }
}

/// Where everything is afterwards: old offsets of instructions, sorted, with the new ones. The default: where it was.
#[derive(Debug, Default)]
pub(super) struct Moved(Vec<(u32, u32)>);

impl Moved {
    /// The new offset of what was at an old one.
    pub fn place(&self, old: u32) -> u32 {
        let k = self.0.partition_point(|&(at, _)| at <= old);
        let Some(&(at, new)) = self.0.get(k.wrapping_sub(1)) else {
            return if self.0.is_empty() { old } else { 0 };
        };
        let next = self.0.get(k).map_or(u32::MAX, |next| next.1);
        (new + (old - at)).min(next)
    }

    /// Everything is `n` bytes further on.
    pub fn shift(&mut self, n: u32) {
        self.0.iter_mut().for_each(|moved| moved.1 += n);
    }
}

/// Those that additions set.
const FLAGS: u32 = RflagsBits::OF | RflagsBits::SF | RflagsBits::ZF | RflagsBits::CF;

/// Constants stay aligned like this.
const ALIGN: u32 = 16;

/// What is known about places in the code, in order.
#[derive(Default)]
pub(super) struct Marks<'a> {
    /// Displacements that are filled in later.
    pub open: &'a [u32],
    /// Jumps that are not plain.
    pub leaving: &'a [(u32, &'a Way)],
    /// Loads that are only tested.
    pub tested: &'a [u32],
    /// Table branches with their tables.
    pub tables: &'a [Range<u32>],
}

/// A table of distances from its start, which Cranelift has behind the jump: it comes behind the constants.
#[derive(Debug)]
struct Table {
    /// Offset in the old code.
    at: u32,
    /// Where the distances lead, likewise.
    targets: Vec<u32>,
}

/// Finished code.
pub(super) struct Compact {
    pub code: Vec<u8>,
    pub moved: Moved,
    /// Places of references to link slots that have come in, with the numbers of the exits.
    pub landings: Vec<(u32, u32)>,
}

/// The code from `entry` on. `None` when something in it is not as expected.
pub(super) fn compact(code: &[u8], entry: u32, marks: &Marks<'_>) -> Option<Compact> {
    let (mut items, constants, tables) = read(code, entry, marks)?;
    let item_at = |items: &[Item], target: u32| items.binary_search_by_key(&target, |i| i.at).ok();
    let mut places = lay_out(&items);
    loop {
        let mut changed = false;
        for k in 0..items.len() {
            let Form::Jump { target, short: false, .. } = items[k].form else { continue };
            let distance = i64::from(places[item_at(&items, target)?]) - i64::from(places[k] + 2);
            if i8::try_from(distance).is_ok()
                && let Form::Jump { short, .. } = &mut items[k].form
            {
                (*short, changed) = (true, true);
            }
        }
        if !changed {
            break;
        }
        places = lay_out(&items);
    }
    let end = *places.last()?;
    // Congruent, not aligned: the old code's start was.
    let start = end + (constants.wrapping_sub(end) & (ALIGN - 1));
    let mut table_at = (start + code.len() as u32 - constants).next_multiple_of(4);
    let mut table_places = Vec::new();
    for table in &tables {
        table_places.push((table.at, table_at));
        table_at += 4 * table.targets.len() as u32;
    }
    let mut out = Vec::with_capacity((start as usize + code.len()).saturating_sub(constants as usize));
    let mut landings = Vec::new();
    for (item, &place) in items.iter().zip(&places) {
        let old = &code[item.at as usize..(item.at + item.length) as usize];
        let relative = |to: u32| to.wrapping_sub(place + item.size());
        match &item.form {
            Form::Same => out.extend_from_slice(old),
            Form::Gone => {}
            Form::Instead(bytes) => out.extend_from_slice(bytes),
            Form::Way(bytes, slots) => {
                out.extend_from_slice(bytes);
                landings.extend(slots.iter().map(|&(at, exit)| (place + at, exit)));
            }
            Form::Constant { displacement, target } => {
                let table = table_places.iter().find(|t| t.0 == *target);
                let to = table.map_or_else(|| start + target.wrapping_sub(constants), |t| t.1);
                let distance = relative(to).to_le_bytes();
                out.extend_from_slice(old);
                out[place as usize + displacement..][..4].copy_from_slice(&distance);
            }
            Form::Jump { condition, target, short } => {
                let distance = relative(places[item_at(&items, *target)?]);
                match (short, condition) {
                    (true, Some(c)) => out.push(0x70 | c),
                    (true, None) => out.push(0xeb),
                    (false, Some(c)) => out.extend_from_slice(&[0x0f, 0x80 | c]),
                    (false, None) => out.push(0xe9),
                }
                out.extend_from_slice(&distance.to_le_bytes()[..if *short { 1 } else { 4 }]);
            }
        }
    }
    if constants < code.len() as u32 {
        out.resize(start as usize, 0xcc);
        out.extend_from_slice(&code[constants as usize..]);
    }
    for (table, &(_, at)) in tables.iter().zip(&table_places) {
        out.resize(at as usize, 0xcc);
        for &target in &table.targets {
            let distance = places[item_at(&items, target)?].wrapping_sub(at);
            out.extend_from_slice(&distance.to_le_bytes());
        }
    }
    let mut moved: Vec<(u32, u32)> = items.iter().map(|i| i.at).zip(places.iter().copied()).collect();
    moved.push((constants, start));
    Some(Compact { code: out, moved: Moved(moved), landings })
}

/// The new offset of each instruction, and of the end.
fn lay_out(items: &[Item]) -> Vec<u32> {
    let mut at = 0;
    let mut places = Vec::with_capacity(items.len() + 1);
    places.push(at);
    for item in items {
        at += item.size();
        places.push(at);
    }
    places
}

/// The instructions, where constants begin behind them, and the tables.
fn read(code: &[u8], entry: u32, marks: &Marks<'_>) -> Option<(Vec<Item>, u32, Vec<Table>)> {
    let mut decoder = Decoder::with_ip(64, code, 0, DecoderOptions::NONE);
    decoder.set_position(entry as usize).ok()?;
    decoder.set_ip(entry.into());
    let mut constants = code.len() as u32;
    let mut items: Vec<Item> = Vec::new();
    let (mut targets, mut tables) = (Vec::new(), Vec::new());
    let in_table = |at: u32| marks.tables.iter().find(|t| t.contains(&at));
    let mut previous: Option<Instruction> = None;
    // A copy and an addition to it that may become one, as long as the flags of the addition are not read; and those that can.
    let mut sum: Option<(usize, Bytes)> = None;
    let mut sums: Vec<(usize, Bytes)> = Vec::new();
    // Others that become one with the instruction in front of them.
    let mut joined: Vec<(usize, Bytes)> = Vec::new();
    let mut before: Option<Instruction> = None;
    // Jumps and loads that have become one.
    let mut through = Vec::new();
    let mut instruction = Instruction::default();
    while decoder.position() < constants as usize {
        let at = decoder.position() as u32;
        // Zeros align constants.
        if constants - at < ALIGN && code[at as usize..constants as usize].iter().all(|&byte| byte == 0) {
            break;
        }
        decoder.decode_out(&mut instruction);
        if instruction.is_invalid() {
            return None;
        }
        let length = instruction.len() as u32;
        if instruction.rflags_read() & FLAGS != 0 {
            sum = None;
        } else if instruction.rflags_modified() & FLAGS == FLAGS
            || instruction.flow_control() != FlowControl::Next
        {
            sums.extend(sum.take());
        }
        if let Some(lea) = previous.and_then(|copy| sum_of(&copy, &instruction)) {
            sum = Some((items.len(), lea));
        }
        let form = match instruction.flow_control() {
            FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch => {
                let target = u32::try_from(instruction.near_branch_target()).ok()?;
                targets.push(target);
                let condition = match code[at as usize..][..length as usize] {
                    [0x0f, c, ..] => Some(c & 15),
                    [0xe9, ..] => None,
                    _ => return None,
                };
                Form::Jump { condition, target, short: false }
            }
            FlowControl::Call => return None,
            FlowControl::IndirectBranch => {
                let jump = &code[at as usize..][..length as usize];
                let mut jump = Bytes::from_slice(jump);
                if previous.is_some_and(|p| loads_target(&p, &instruction)) {
                    let last = items.last_mut()?;
                    jump = match &last.form {
                        Form::Instead(load) => jump_through(load)?,
                        _ => jump_through(&code[last.at as usize..][..last.length as usize])?,
                    };
                    last.form = Form::Gone;
                    through.push(at);
                }
                if let Some(table) = in_table(at) {
                    let entries = code.get((at + length) as usize..table.end as usize)?;
                    let entry =
                        |e: &[u8]| Some(u32::from_le_bytes(e.try_into().ok()?).wrapping_add(at + length));
                    let leads: Option<Vec<u32>> = entries.chunks(4).map(entry).collect();
                    let leads = leads?;
                    targets.extend_from_slice(&leads);
                    tables.push(Table { at: at + length, targets: leads });
                    decoder.set_position(table.end as usize).ok()?;
                    decoder.set_ip(table.end.into());
                }
                match marks.leaving.binary_search_by_key(&at, |w| w.0) {
                    Ok(k) => {
                        let (mut bytes, mut slots) = (Vec::new(), Vec::new());
                        marks.leaving[k].1.emit(&jump, &mut bytes, &mut slots);
                        Form::Way(bytes, slots)
                    }
                    Err(_) => Form::Instead(jump),
                }
            }
            _ if instruction.mnemonic() == Mnemonic::Int3 => Form::Gone,
            _ if instruction.is_ip_rel_memory_operand() => {
                let displacement = decoder.get_constant_offsets(&instruction).displacement_offset();
                if marks.open.binary_search(&(at + displacement as u32)).is_ok() {
                    Form::Same
                } else {
                    let target = u32::try_from(instruction.ip_rel_memory_address()).ok()?;
                    if in_table(target).is_none() {
                        constants = constants.min(target);
                    }
                    Form::Constant { displacement, target }
                }
            }
            _ if instruction.memory_base() == Register::RSP => {
                let offsets = decoder.get_constant_offsets(&instruction);
                Form::Instead(in_frame(&code[at as usize..][..length as usize], &offsets)?)
            }
            _ => Form::Same,
        };
        if touches_stack(&instruction) {
            return None;
        }
        if let (Some(load), Some(last)) = (previous, items.last())
            && marks.tested.binary_search(&last.at).is_ok()
            && let Some(compare) = compared(&code[last.at as usize..at as usize], &load, &instruction)
        {
            joined.push((items.len(), compare));
        }
        if let Some(copy) = previous.and_then(|zero| low_half(&zero, &instruction)) {
            let loaded = before.is_some_and(|load: Instruction| {
                load.code() == Code::VEX_Vmovsd_xmm_m64
                    && load.op0_register() == instruction.op0_register()
                    && load.op0_register() == instruction.op2_register()
            });
            joined.push((items.len(), if loaded { Bytes::new() } else { copy }));
        }
        items.push(Item { at, length, form });
        before = previous.replace(instruction);
    }
    // A jump that somebody else gets to does not know what was loaded.
    targets.sort_unstable();
    let apart = through.iter().any(|at| targets.binary_search(at).is_ok());
    for (k, lea) in sums {
        if targets.binary_search(&items[k].at).is_err() && k > 0 {
            items[k - 1].form = Form::Instead(lea);
            items[k].form = Form::Gone;
        }
    }
    for (k, bytes) in joined {
        if targets.binary_search(&items[k].at).is_err() && k > 0 {
            items[k - 1].form = Form::Gone;
            items[k].form = Form::Instead(bytes);
        }
    }
    let whole = decoder.position() <= constants as usize;
    (whole && !apart).then_some((items, constants, tables))
}

/// `mov a, b; sub a, 8` with the low half of `a` as an address: `lea a, [b - 8]`.
fn sum_of(copy: &Instruction, sum: &Instruction) -> Option<Bytes> {
    let to = copy.op0_register();
    let moves = copy.code() == Code::Mov_rm64_r64 || copy.code() == Code::Mov_r64_rm64;
    if !moves || copy.op0_kind() != OpKind::Register || copy.op1_kind() != OpKind::Register {
        return None;
    }
    let constant = match sum.code() {
        Code::Add_rm32_imm8 | Code::Sub_rm32_imm8 | Code::Add_rm32_imm32 | Code::Sub_rm32_imm32 => {
            sum.immediate(1) as i32
        }
        _ => return None,
    };
    if sum.op0_kind() != OpKind::Register || sum.op0_register().full_register() != to {
        return None;
    }
    let subtracts = matches!(sum.code(), Code::Sub_rm32_imm8 | Code::Sub_rm32_imm32);
    let offset = if subtracts { constant.wrapping_neg() } else { constant };
    let (to, from) = (to.number() as u8, copy.op1_register().number() as u8);
    let mut lea = match (to & 8) >> 1 | (from & 8) >> 3 {
        0 => Bytes::new(),
        bits => smallvec![0x40 | bits],
    };
    let short = i8::try_from(offset).is_ok();
    lea.extend_from_slice(&[0x8d, if short { 0x40 } else { 0x80 } | (to & 7) << 3 | from & 7]);
    lea.extend((from & 7 == 4).then_some(0x24));
    lea.extend_from_slice(&offset.to_le_bytes()[..if short { 1 } else { 4 }]);
    Some(lea)
}

/// `mov a, [b + 8]`, with these bytes, and `test a, a`, where the word is 0 or has all bits: `test [b + 8], b`, which the processor
/// makes one operation of with the jump behind it. The lower half of `b` is not 0, see [`crate::state::CpuState::request_exit`].
fn compared(bytes: &[u8], load: &Instruction, test: &Instruction) -> Option<Bytes> {
    let [rex @ .., 0x8b, modrm, displacement] = bytes else { return None };
    let a = load.op0_register();
    let tests = test.code() == Code::Test_rm32_r32
        && test.op0_kind() == OpKind::Register
        && [test.op0_register(), test.op1_register()] == [a, a];
    // One byte of displacement, and no other instruction.
    if !tests || load.code() != Code::Mov_r32_rm32 || modrm >> 6 != 1 || modrm & 7 == 4 || rex.len() > 1 {
        return None;
    }
    let mut compare = Bytes::new();
    compare.extend(rex.first().filter(|&rex| rex & 1 != 0).map(|_| 0x45));
    compare.extend([0x85, modrm & 0xc7 | (modrm & 7) << 3, *displacement]);
    Some(compare)
}

/// `vxorpd b, b, b; vmovsd a, b, c`, which is how Cranelift makes a vector of a double: `vmovq a, c`. Nobody else reads `b`.
fn low_half(zero: &Instruction, merge: &Instruction) -> Option<Bytes> {
    let b = zero.op0_register();
    let zeroes = zero.code() == Code::VEX_Vxorpd_xmm_xmm_xmmm128
        && zero.op2_kind() == OpKind::Register
        && [zero.op1_register(), zero.op2_register()] == [b, b];
    if !zeroes || merge.code() != Code::VEX_Vmovsd_xmm_xmm_xmm || merge.op1_register() != b {
        return None;
    }
    let (a, c) = (merge.op0_register().number() as u8, merge.op2_register().number() as u8);
    let high = |r: u8| !r >> 3 & 1;
    let mut copy: Bytes = smallvec![0xc4, high(a) << 7 | 0x40 | high(c) << 5 | 1, 0x7a];
    if high(c) != 0 {
        copy = smallvec![0xc5, high(a) << 7 | 0x7a];
    }
    copy.extend([0x7e, 0xc0 | (a & 7) << 3 | c & 7]);
    Some(copy)
}

/// Is `load` a load of the register that `jump` goes to?
fn loads_target(load: &Instruction, jump: &Instruction) -> bool {
    load.mnemonic() == Mnemonic::Mov
        && load.op0_kind() == OpKind::Register
        && load.op1_kind() == OpKind::Memory
        && !load.is_ip_rel_memory_operand()
        && jump.op0_kind() == OpKind::Register
        && load.op0_register() == jump.op0_register()
}

/// Does an instruction use the stack pointer, other than as the base of its address?
fn touches_stack(instruction: &Instruction) -> bool {
    instruction.is_stack_instruction() && instruction.flow_control() == FlowControl::Next
        || (0..instruction.op_count()).any(|k| {
            instruction.op_kind(k) == OpKind::Register
                && instruction.op_register(k).full_register() == Register::RSP
        })
}

/// An instruction with an operand in the frame, addressed by RSP, as one by RBP.
fn in_frame(code: &[u8], offsets: &ConstantOffsets) -> Option<Bytes> {
    let behind = if offsets.has_displacement() {
        offsets.displacement_offset()
    } else {
        code.len() - offsets.immediate_size()
    };
    let [before @ .., modrm, 0x24] = &code[..behind] else { return None };
    let (old, rest) = code[behind..].split_at(offsets.displacement_size());
    let old = match *old {
        [] => 0,
        [byte] => i32::from(byte as i8),
        [a, b, c, d] => i32::from_le_bytes([a, b, c, d]),
        _ => return None,
    };
    let new = old - FRAME_BIAS;
    let mut bytes = Bytes::from_slice(before);
    match i8::try_from(new) {
        Ok(short) => bytes.extend([modrm & 0x38 | 0x45, short as u8]),
        Err(_) => {
            bytes.push(modrm & 0x38 | 0x85);
            bytes.extend_from_slice(&new.to_le_bytes());
        }
    }
    bytes.extend_from_slice(rest);
    Some(bytes)
}

/// A 64-bit load as a jump to what it loads.
fn jump_through(load: &[u8]) -> Option<Bytes> {
    let [rex @ 0x48..=0x4f, 0x8b, modrm, rest @ ..] = load else { return None };
    // Neither a wide operand nor more of the register's number.
    let rex = rex & 0x43;
    let mut jump: Bytes = if rex == 0x40 { Bytes::new() } else { smallvec![rex] };
    jump.extend_from_slice(&[0xff, modrm & 0xc7 | 4 << 3]);
    jump.extend_from_slice(rest);
    Some(jump)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::returns::Landing;

    #[test]
    fn exits_get_dense() {
        // push rbp; L: test eax, eax; jne X (long); mov r10, [rsi]; jmp r10; int3 * 2; X: vmovups xmm0, [rip + constant]; jmp L (long);
        // zeros; the constant
        let mut code =
            vec![0x55, 0x85, 0xc0, 0x0f, 0x85, 8, 0, 0, 0, 0x4c, 0x8b, 0x16, 0x41, 0xff, 0xe2, 0xcc, 0xcc];
        code.extend_from_slice(&[
            0xc5, 0xf8, 0x10, 0x05, 7, 0, 0, 0, 0xe9, 0xe3, 0xff, 0xff, 0xff, 0xcc, 0xcc,
        ]);
        assert_eq!(code.len(), 32);
        code.extend_from_slice(&[7; 16]);
        let Compact { code: dense, moved, .. } =
            compact(&code, 1, &Marks::default()).expect("code that it knows");
        let start = [0x85, 0xc0, 0x75, 2, 0xff, 0x26, 0xc5, 0xf8, 0x10, 0x05, 2, 0, 0, 0, 0xeb, 0xf0];
        assert_eq!(dense[..16], start);
        assert_eq!(dense[16..], [7; 16]);
        assert_eq!([1, 9, 12, 17, 32].map(|old| moved.place(old)), [0, 4, 4, 6, 16]);
    }

    #[test]
    fn a_copy_and_an_addition_become_one() {
        // mov r10, rcx; sub r10d, 8; test eax, eax; mov rax, r12; add eax, 0x100; setc al; jmp rsi
        let code = [
            0x49, 0x89, 0xca, 0x41, 0x83, 0xea, 8, 0x85, 0xc0, 0x4c, 0x89, 0xe0, 0x05, 0, 1, 0, 0, 0x0f,
            0x92, 0xc0, 0xff, 0xe6,
        ];
        let dense = compact(&code, 0, &Marks::default()).expect("code that it knows").code;
        assert_eq!(dense[..4], [0x44, 0x8d, 0x51, 0xf8]);
        assert_eq!(dense[4..], code[7..]);
        // sub without a reader, of a register whose address needs more: mov rax, r12; sub eax, 0x100; jmp rsi
        let code = [0x4c, 0x89, 0xe0, 0x81, 0xe8, 0, 1, 0, 0, 0xff, 0xe6];
        let dense = compact(&code, 0, &Marks::default()).expect("code that it knows").code;
        assert_eq!(dense, [0x41, 0x8d, 0x84, 0x24, 0, 0xff, 0xff, 0xff, 0xff, 0xe6]);
    }

    #[test]
    fn the_frame_is_addressed_by_rbp() {
        // mov [rsp], rax; vmovups xmm8, [rsp + 0x100]; mov dword ptr [rsp + 8], 1; mov r10, [rsp + 0x10]; jmp r10
        let code = [
            0x48, 0x89, 0x04, 0x24, 0xc5, 0x78, 0x10, 0x84, 0x24, 0, 1, 0, 0, 0xc7, 0x44, 0x24, 8, 1, 0, 0,
            0, 0x4c, 0x8b, 0x54, 0x24, 0x10, 0x41, 0xff, 0xe2,
        ];
        let dense = compact(&code, 0, &Marks::default()).expect("code that it knows").code;
        let new = [
            0x48, 0x89, 0x45, 0x80, 0xc5, 0x78, 0x10, 0x85, 0x80, 0, 0, 0, 0xc7, 0x45, 0x88, 1, 0, 0, 0,
            0xff, 0x65, 0x90,
        ];
        assert_eq!(dense, new);
        // add rsp, 8; push rax; mov rax, rsp
        for code in [&[0x48, 0x83, 0xc4, 8][..], &[0x50], &[0x48, 0x89, 0xe0]] {
            assert!(compact(code, 0, &Marks::default()).is_none());
        }
    }

    #[test]
    fn a_load_that_is_only_tested_becomes_a_comparison() {
        // mov r10d, [r15 + 0x68]; test r10d, r10d; jmp rsi
        let code = [0x45, 0x8b, 0x57, 0x68, 0x45, 0x85, 0xd2, 0xff, 0xe6];
        let marks = Marks { tested: &[0], ..Marks::default() };
        let dense = compact(&code, 0, &marks).expect("code that it knows").code;
        assert_eq!(dense, [0x45, 0x85, 0x7f, 0x68, 0xff, 0xe6]);
        assert_eq!(compact(&code, 0, &Marks::default()).expect("code that it knows").code, code);
    }

    #[test]
    fn doubles_become_vectors_by_one_move() {
        // vmovsd xmm3, [rdi + 8]; vxorpd xmm6, xmm6, xmm6; vmovsd xmm3, xmm6, xmm3; jmp rsi
        let code = [0xc5, 0xfb, 0x10, 0x5f, 8, 0xc5, 0xc9, 0x57, 0xf6, 0xc5, 0xcb, 0x10, 0xdb, 0xff, 0xe6];
        let dense = compact(&code, 0, &Marks::default()).expect("code that it knows").code;
        assert_eq!(dense, [0xc5, 0xfb, 0x10, 0x5f, 8, 0xff, 0xe6]);
        // vxorpd xmm6, xmm6, xmm6; vmovsd xmm9, xmm6, xmm3; jmp rsi
        let code = [0xc5, 0xc9, 0x57, 0xf6, 0xc5, 0x4b, 0x10, 0xcb, 0xff, 0xe6];
        let dense = compact(&code, 0, &Marks::default()).expect("code that it knows").code;
        assert_eq!(dense, [0xc5, 0x7a, 0x7e, 0xcb, 0xff, 0xe6]); // vmovq xmm9, xmm3
        // vxorpd xmm6, xmm6, xmm6; vmovsd xmm3, xmm6, xmm9; jmp rsi
        let code = [0xc5, 0xc9, 0x57, 0xf6, 0xc4, 0xc1, 0x4b, 0x10, 0xd9, 0xff, 0xe6];
        let dense = compact(&code, 0, &Marks::default()).expect("code that it knows").code;
        assert_eq!(dense, [0xc4, 0xc1, 0x7a, 0x7e, 0xd9, 0xff, 0xe6]); // vmovq xmm3, xmm9
    }

    #[test]
    fn ways_out_have_their_landings() {
        // mov r10, [rsi]; jmp r10
        let code = [0x4c, 0x8b, 0x16, 0x41, 0xff, 0xe2];
        let call = Way { call: Some(Landing { address: 0x1004, exit: 2 }), ..Way::default() };
        let made = compact(&code, 0, &Marks { leaving: &[(3, &call)], ..Marks::default() })
            .expect("code that it knows");
        assert_eq!((&made.code[..2], made.landings), (&[0xff, 0x16][..], vec![(17, 2)]));
        let back = Way { returns: true, ..Way::default() };
        let made = compact(&code, 0, &Marks { leaving: &[(3, &back)], ..Marks::default() })
            .expect("code that it knows");
        assert_eq!((made.code, made.landings), (vec![0xc3], vec![]));
    }

    #[test]
    fn open_displacements_stay() {
        // lea rsi, [rip + open]; jmp [rsi]
        let code = [0x48, 0x8d, 0x35, 0, 0, 0, 0, 0x48, 0x8b, 0x06, 0xff, 0xe0];
        let dense =
            compact(&code, 0, &Marks { open: &[3], ..Marks::default() }).expect("code that it knows").code;
        assert_eq!(dense, [0x48, 0x8d, 0x35, 0, 0, 0, 0, 0xff, 0x26]);
    }
}
