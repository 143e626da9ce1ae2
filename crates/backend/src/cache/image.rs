//! Images: what a training store has collected, without its free space, and with regions that jump straight to each other.
//!
//! An exit jumps through a link slot, which is an indirect jump to the processor: it has to remember where that went, and a large
//! program has more of them than it can remember. In an image an exit jumps to its region's door where there is one, which is
//! `DOOR` bytes behind the start of its code: there is looked whether this process uses the region, that is whether the guest's code
//! has been compared; if not, the door is a jump to a guest address like any other.

use super::native::LinkSlot;
use super::store::{Head, INDEX, MAGIC, PAGE, Store, Stored};
use crate::codegen::DOOR;
use crate::tuning::{self, Optimisations};
use iced_x86::{Code, Decoder, DecoderOptions, Instruction, OpKind, Register};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use zerocopy::IntoBytes;

/// The image of a store: the same without its free space, and without the slots of exits that lead to doors. Records, code and slots
/// stay in the order in which they were made, so what small programs use lies together if they come early in the training. Fault points,
/// which few processes look at, come behind all records.
///
/// # Errors
/// It is not a store, or not whole.
pub fn compact(file: &std::fs::File) -> std::io::Result<Vec<u8>> {
    use std::io::{Error, ErrorKind};
    use std::os::fd::AsRawFd;
    let broken = |what| Error::new(ErrorKind::InvalidData, what);
    let store = Store::shared(file.as_raw_fd()).ok_or_else(|| broken("not a store of this translator"))?;
    let header = store.header;
    let entries = store.index().iter().map(|e| e.load(Ordering::Acquire)).filter(|&e| e != 0);
    let mut offsets: Vec<u32> = entries.map(|e| (e >> 32) as u32).collect();
    offsets.sort_unstable();
    let records: Option<Vec<Stored>> = offsets.into_iter().map(|at| store.record(at)).collect();
    let records = records.ok_or_else(|| broken("not whole"))?;
    let code_length = header.next_code.load(Ordering::Acquire) as usize;
    // SAFETY: code up to `next_code` is whole and does not change.
    let mut code =
        unsafe { std::slice::from_raw_parts(store.code().start as *const u8, code_length) }.to_vec();
    let mut linked = link(&records, &mut code, store.slots_size());

    let mut index = Vec::with_capacity(records.len());
    let mut at = INDEX + 8 * records.len();
    let dropped = |n: usize| size_of_val(records[n].exits) - size_of_val(&*linked[n].exits);
    let sizes: Vec<usize> = (0..records.len()).map(|n| records[n].size() - dropped(n)).collect();
    let mut faults_at = at + sizes.iter().sum::<usize>();
    let (mut parts, mut faults, mut slot) = (Vec::new(), Vec::new(), 0);
    for ((stored, new), size) in records.iter().zip(&mut linked).zip(sizes) {
        index.push(u64::from(stored.head.target) | (at as u64) << 32);
        new.slot = slot;
        let exits = new.exits.len() as u32;
        slot += exits + 1;
        let head = Head { faults_at: faults_at as u32, slot: new.slot, exits, ..stored.head };
        for part in [head.as_bytes(), new.exits.as_bytes(), stored.spans.as_bytes(), stored.code] {
            parts.extend_from_slice(part);
        }
        parts.resize(parts.len().next_multiple_of(4), 0);
        faults.extend_from_slice(stored.faults);
        at += size;
        faults_at += size_of_val(stored.faults);
    }
    // Stable: of several regions at an address the first comes first.
    index.sort_by_key(|&e| e as u32);
    let slots_size = (slot as usize * size_of::<LinkSlot>()).next_multiple_of(PAGE);
    for (stored, new) in records.iter().zip(&linked) {
        new.place(stored, &mut code, slots_size);
    }
    let code_at = faults_at.next_multiple_of(PAGE);
    let code_size = code.len().next_multiple_of(PAGE);
    let words: [u32; 8] = [
        0,
        slot,
        code_at as u32,
        code_size as u32,
        faults_at as u32,
        code.len() as u32,
        slot,
        records.len() as u32,
    ];
    let mut image = [MAGIC.to_le_bytes(), header.made_by.to_le_bytes()].concat();
    image.extend_from_slice(words.as_bytes());
    image.resize(INDEX, 0);
    for part in [index.as_bytes(), &parts, faults.as_bytes()] {
        image.extend_from_slice(part);
    }
    image.resize(code_at, 0);
    image.extend_from_slice(&code);
    image.resize(code_at + code_size, 0);
    Ok(image)
}

/// Where the regions at an address start, by what they serve: the number in the order in which they were made, and the code.
type Doors = HashMap<(u32, u32), Vec<(usize, u32)>>;

/// A reference of a region's code to one of its slots.
#[derive(Clone, Copy)]
struct Reference {
    /// Where in the code the displacement is, and the end of the instruction.
    at: usize,
    end: usize,
    /// Number of the exit; the entry slot follows those of the exits.
    exit: usize,
    /// What of the slot it refers to.
    field: i64,
    /// It is that of `lea rsi, [slot]; jmp [rsi]`, or, if this is true, of a call in that form.
    leaves: Option<bool>,
}

/// A region whose exits lead to doors.
struct Linked {
    /// Those that do not.
    exits: Vec<u32>,
    /// The first slot.
    slot: u32,
    /// The references that are left, with the new numbers of the exits.
    references: Vec<Reference>,
}

/// Lets exits jump to doors. `slots_size`: bytes of slots in front of the code.
fn link(records: &[Stored], code: &mut [u8], slots_size: usize) -> Vec<Linked> {
    let mut doors = Doors::new();
    for (n, stored) in records.iter().enumerate() {
        doors.entry((stored.head.target, stored.head.mode)).or_default().push((n, stored.head.code));
    }
    let link = |(n, stored): (usize, &Stored)| {
        let (start, length) = (stored.head.code as usize, stored.head.length as usize);
        let code = &mut code[start..start + length];
        let mut references = references(stored, code, slots_size);
        references.retain(|r| {
            let Some(calls) = r.leaves.filter(|_| tuning::on(Optimisations::LINK)) else { return true };
            // Of several, that of the same program, most likely: it was made at the same time.
            let candidates = doors.get(&(stored.exits[r.exit], stored.head.mode)).into_iter().flatten();
            let Some((_, door)) = candidates.min_by_key(|(k, _)| k.abs_diff(n)) else { return true };
            // A call's return address is behind the call through the slot; nobody gets behind a jump.
            let site = &mut code[r.end - LEA..r.end + THROUGH];
            let (filled, opcode): (usize, u8) = if calls { (4, 0xe8) } else { (0, 0xe9) };
            let behind = (start + r.end - LEA + filled + 5) as i64;
            let distance = (i64::from(*door) + i64::from(DOOR) - behind) as i32;
            site.fill(0xcc);
            site[..filled].copy_from_slice(&[0x0f, 0x1f, 0x40, 0][..filled]);
            site[filled] = opcode;
            site[filled + 1..filled + 5].copy_from_slice(&distance.to_le_bytes());
            false
        });
        let (mut exits, mut number) = (Vec::new(), Vec::new());
        for (exit, &target) in stored.exits.iter().enumerate() {
            number.push(exits.len());
            exits.extend(references.iter().any(|r| r.exit == exit).then_some(target));
        }
        number.push(exits.len());
        references.iter_mut().for_each(|r| r.exit = number[r.exit]);
        Linked { exits, slot: 0, references }
    };
    records.iter().enumerate().map(link).collect()
}

/// Bytes of `lea rsi, [slot]`, and of `jmp [rsi]`.
const LEA: usize = 7;
const THROUGH: usize = 2;

/// The references of a region's code to its slots.
fn references(stored: &Stored, code: &[u8], slots_size: usize) -> Vec<Reference> {
    let head = &stored.head;
    let mut references: Vec<Reference> = Vec::new();
    let start = slots_size as u64 + u64::from(head.code);
    let mut decoder = Decoder::with_ip(64, code, start, DecoderOptions::NONE);
    // From the door on, if there is one, to the constants.
    let first = if head.entry > DOOR { DOOR } else { head.entry };
    let mut end = code.len() as u64;
    if decoder.set_position(first as usize).is_err() {
        return references;
    }
    decoder.set_ip(start + u64::from(first));
    let (mut instruction, mut after_lea) = (Instruction::default(), false);
    while (decoder.position() as u64) < end {
        decoder.decode_out(&mut instruction);
        // lea rsi, [slot]; jmp or call [rsi]
        let jumps = matches!(instruction.code(), Code::Jmp_rm64 | Code::Call_rm64)
            && instruction.op0_kind() == OpKind::Memory
            && instruction.memory_base() == Register::RSI
            && instruction.memory_index() == Register::None
            && instruction.len() == THROUGH;
        if let Some(last) = references.last_mut().filter(|_| after_lea && jumps) {
            last.leaves = Some(instruction.code() == Code::Call_rm64);
        }
        after_lea = false;
        if !instruction.is_ip_rel_memory_operand() {
            continue;
        }
        let to = instruction.ip_rel_memory_address();
        if let Some(constant) = to.checked_sub(start) {
            end = end.min(constant);
            continue;
        }
        let exit = (to / size_of::<LinkSlot>() as u64).wrapping_sub(head.slot.into()) as usize;
        if exit <= stored.exits.len() {
            after_lea = instruction.code() == Code::Lea_r64_m
                && instruction.op0_register() == Register::RSI
                && instruction.len() == LEA
                && to.is_multiple_of(size_of::<LinkSlot>() as u64);
            let displacement = decoder.get_constant_offsets(&instruction).displacement_offset();
            let at = (instruction.ip() - start) as usize;
            let field = (to % size_of::<LinkSlot>() as u64) as i64;
            let end = at + instruction.len();
            references.push(Reference { at: at + displacement, end, exit, field, leaves: None });
        }
    }
    references
}

impl Linked {
    /// Lets the references lead to where the slots are now.
    fn place(&self, stored: &Stored, code: &mut [u8], slots_size: usize) {
        let start = stored.head.code as usize;
        for r in &self.references {
            let slot = (self.slot as usize + r.exit) * size_of::<LinkSlot>();
            let distance = slot as i64 + r.field - (slots_size + start + r.end) as i64;
            code[start + r.at..start + r.at + 4].copy_from_slice(&(distance as i32).to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Key;
    use crate::cache::store::create;
    use crate::codegen::{Compiled, Exit, Extent, Mode};
    use std::fs::File;
    use std::os::fd::AsRawFd;

    /// A region at `pc` whose code jumps and calls through the slot of its exit to `target`.
    fn region(pc: u32, target: u32) -> Compiled {
        let mut code = vec![0xcc; 16];
        let mut slots = Vec::new();
        for last in [0x26, 0x16] {
            code.extend_from_slice(&[0x48, 0x8d, 0x35]);
            slots.push((code.len() as u32, 0, -4));
            code.extend_from_slice(&[0, 0, 0, 0, 0xff, last]);
        }
        Compiled {
            code,
            entry: 16,
            slots,
            exits: vec![Exit { target }],
            faults: Vec::new(),
            ranges: vec![pc..pc + 4, pc + 100..pc + 104],
            extent: Extent { starts: vec![pc, pc + 100], ends: Vec::new() },
            instructions: 1,
            heat: None,
            heads: Vec::new(),
            entries: Vec::new(),
        }
    }

    #[test]
    fn exits_lead_to_the_doors_of_the_same_program() {
        let file = File::from(create().expect("a memory file"));
        let store = Store::shared(file.as_raw_fd()).expect("it can be mapped");
        let mode = Mode { precise: false, based: false, flush: false, traps: false };
        let add = |pc, target, mode, n: u8| {
            let read = move |_: u32, buffer: &mut [u8]| {
                buffer.fill(n);
                buffer.len()
            };
            let region = region(pc, target);
            store.add(Key::new(pc, false, 0), mode, &region, &read).expect("there is room").head.code
        };
        let first = add(0x1000, 0x2000, mode, 1);
        let near = add(0x2000, 0x3000, mode, 1);
        add(0x5000, 0x5000, mode, 2);
        add(0x2000, 0x3000, mode, 2);
        // Where exits lead in another mode, and where there is no region.
        add(0x3000, 0x2000, Mode { flush: true, ..mode }, 1);

        let image = compact(&file).expect("it is a store");
        let code_at = u32::from_le_bytes(image[24..28].try_into().expect("four bytes"));
        let code = |at: u32| &image[(code_at + at) as usize..];
        let linked = &code(first + 16)[..18];
        let distance = |at: usize| i32::from_le_bytes(linked[at..at + 4].try_into().expect("four bytes"));
        let door = (near + DOOR) as i32;
        assert_eq!((linked[0], distance(1)), (0xe9, door - (first as i32 + 16 + 5)));
        assert_eq!(linked[5..9], [0xcc; 4]);
        assert_eq!(
            (&linked[9..14], distance(14)),
            (&[0x0f, 0x1f, 0x40, 0, 0xe8][..], door - (first as i32 + 16 + 18))
        );
        assert_eq!(code(near + 16)[..3], [0x48, 0x8d, 0x35]);
        // Five entry slots, and one exit each of the regions at 0x2000 and 0x3000.
        assert_eq!(u32::from_le_bytes(image[20..24].try_into().expect("four bytes")), 5 + 3);
    }
}
