//! Images: what a training store has collected, without its free space, and with regions that jump straight to each other.
//!
//! An exit jumps through a link slot, which is an indirect jump to the processor: it has to remember where that went, and a large
//! program has more of them than it can remember. In an image an exit jumps to its region's door where there is one, which is
//! [`DOOR`] bytes behind the start of its code: there is looked whether this process uses the region, that is whether the guest's code
//! has been compared; if not, the door is a jump to a guest address like any other.

use super::native::LinkSlot;
use super::store::{Head, INDEX, MAGIC, PAGE, Store, Stored};
use crate::codegen::DOOR;
use crate::tuning::{self, Optimisations};
use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Register};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use zerocopy::IntoBytes;

/// The image of a store: the same without its free space. Records, code and slots stay in the order in which they were made, so
/// what small programs use lies together if they come early in the training. Fault points, which few processes look at, come
/// behind all records.
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

    let mut index = Vec::with_capacity(records.len());
    let mut at = INDEX + 8 * records.len();
    let mut faults_at = at + records.iter().map(Stored::size).sum::<usize>();
    let (mut parts, mut faults) = (Vec::new(), Vec::new());
    for stored in &records {
        index.push(u64::from(stored.head.target) | (at as u64) << 32);
        let head = Head { faults_at: faults_at as u32, ..stored.head };
        for part in [head.as_bytes(), stored.exits.as_bytes(), stored.spans.as_bytes(), stored.code] {
            parts.extend_from_slice(part);
        }
        parts.resize(parts.len().next_multiple_of(4), 0);
        faults.extend_from_slice(stored.faults);
        at += stored.size();
        faults_at += size_of_val(stored.faults);
    }
    // Stable: of several regions at an address the first comes first.
    index.sort_by_key(|&e| e as u32);
    let code_at = faults_at.next_multiple_of(PAGE);
    let code = header.next_code.load(Ordering::Acquire) as usize;
    let code_size = code.next_multiple_of(PAGE);
    // The distance from code to slots is in the code: the slots keep their room.
    let words: [u32; 8] = [
        0,
        header.slots,
        code_at as u32,
        code_size as u32,
        faults_at as u32,
        code as u32,
        header.next_slot.load(Ordering::Acquire),
        records.len() as u32,
    ];
    let mut image = [MAGIC.to_le_bytes(), header.made_by.to_le_bytes()].concat();
    image.extend_from_slice(words.as_bytes());
    image.resize(INDEX, 0);
    for part in [index.as_bytes(), &parts, faults.as_bytes()] {
        image.extend_from_slice(part);
    }
    image.resize(code_at, 0);
    // SAFETY: code up to `next_code` is whole and does not change.
    image.extend_from_slice(unsafe { std::slice::from_raw_parts(store.code().start as *const u8, code) });
    if tuning::on(Optimisations::LINK) {
        let (doors, slots_at) = (doors(&records), -(store.slots_size() as i64));
        for (n, stored) in records.iter().enumerate() {
            let start = code_at + stored.head.code as usize;
            link(n, stored, &mut image[start..start + stored.head.length as usize], slots_at, &doors);
        }
    }
    image.resize(code_at + code_size, 0);
    Ok(image)
}

/// Where the regions at an address start, by what they serve: the number in the order in which they were made, and the code.
type Doors = HashMap<(u32, u32), Vec<(usize, u32)>>;

/// The doors of all regions.
fn doors(records: &[Stored]) -> Doors {
    let mut doors = Doors::new();
    for (n, stored) in records.iter().enumerate() {
        doors.entry((stored.head.target, stored.head.mode)).or_default().push((n, stored.head.code));
    }
    doors
}

/// Lets the exits of region number `n` in `code`, its own part of all code, jump to the doors of others. `slots_at`: where slots
/// begin, from the start of all code.
fn link(n: usize, stored: &Stored, code: &mut [u8], slots_at: i64, doors: &Doors) {
    let head = &stored.head;
    let at = |ip: u64| ip.wrapping_sub(u64::from(head.code)) as usize;
    let mut sites = Vec::new();
    let mut decoder = Decoder::with_ip(64, code, head.code.into(), DecoderOptions::NONE);
    if decoder.set_position(head.entry as usize).is_err() {
        return;
    }
    decoder.set_ip(u64::from(head.code + head.entry));
    let (mut instruction, mut last) = (Instruction::default(), None::<(usize, u32)>);
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        // lea rsi, [slot]; jmp or call [rsi]
        let leaves = matches!(instruction.code(), Code::Jmp_rm64 | Code::Call_rm64)
            && instruction.memory_base() == Register::RSI
            && instruction.memory_displacement64() == 0
            && instruction.memory_index() == Register::None;
        if let Some((start, target)) = last.filter(|_| leaves) {
            sites.push((start, target, instruction.code() == Code::Call_rm64));
        }
        last = None;
        if instruction.code() == Code::Lea_r64_m
            && instruction.op0_register() == Register::RSI
            && instruction.is_ip_rel_memory_operand()
        {
            let slot = (instruction.ip_rel_memory_address() as i64 - slots_at) / size_of::<LinkSlot>() as i64;
            let exit = usize::try_from(slot - i64::from(head.slot)).ok();
            let target = exit.and_then(|exit| stored.exits.get(exit));
            last = target.map(|&target| (at(instruction.ip()), target));
        }
    }
    for (start, target, calls) in sites {
        // Of several, that of the same program, most likely: it was made at the same time.
        let candidates = doors.get(&(target, head.mode)).into_iter().flatten();
        let Some((_, door)) = candidates.min_by_key(|(k, _)| k.abs_diff(n)) else { continue };
        let site = &mut code[start..start + 9];
        // A call's return address is behind all nine bytes; nobody gets behind a jump.
        let (filled, opcode): (usize, u8) = if calls { (4, 0xe8) } else { (0, 0xe9) };
        let behind = head.code as i64 + (start + filled + 5) as i64;
        let distance = i64::from(*door) + i64::from(DOOR) - behind;
        let Ok(distance) = i32::try_from(distance) else { continue };
        site.fill(0xcc);
        site[..filled].copy_from_slice(&[0x0f, 0x1f, 0x40, 0][..filled]);
        site[filled] = opcode;
        site[filled + 1..filled + 5].copy_from_slice(&distance.to_le_bytes());
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
    }
}
