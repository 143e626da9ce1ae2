//! The accesses that are said to be an instruction's are those that the interpreter makes: of every encoding that touches
//! memory, with bytes changed where it is said to read and where it is not.

mod random;

use forearm_backend::interp::Interp;
use forearm_backend::{Access, CpuState};
use forearm_frontend::accesses;
use forearm_frontend::decode::{self, ItState};
use forearm_frontend::effects::Effects;
use forearm_frontend::inst::{Inst, Op};
use forearm_frontend::tables;
use random::Random;
use std::collections::BTreeSet;

/// The instruction's address, in the middle of the memory that is looked at.
const PC: u32 = 0x1_2000;
const WINDOW: std::ops::Range<u32> = PC - 0x2000..PC + 0x2000;

/// A guest's address space, of which only the window is used: a wrong address does no harm.
struct Memory(*mut u8);

impl Memory {
    fn new() -> Memory {
        // SAFETY: a new mapping.
        let p = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                (1 << 32) + 4096,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        assert_ne!(p, libc::MAP_FAILED, "no address space");
        Memory(p.cast())
    }

    fn window(&mut self) -> &mut [u8] {
        // SAFETY: within the mapping, which only this object and the instruction under test use.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(WINDOW.start as usize), WINDOW.len()) }
    }
}

/// An instruction and everything it starts from but the memory.
struct Case {
    inst: Inst,
    thumb: bool,
    registers: [u32; 16],
    vfp: [u128; 16],
    carry: bool,
}

/// Registers and memory afterwards.
type After = ([u32; 16], [u128; 16], Vec<u8>);

impl Case {
    fn run(&self, memory: &mut Memory, before: &[u8]) -> After {
        memory.window().copy_from_slice(before);
        let mut cpu = CpuState::default();
        (cpu.r, cpu.vfp, cpu.base) = (self.registers, self.vfp, memory.0 as u64);
        (cpu.c, cpu.thumb) = (self.carry.into(), self.thumb.into());
        forearm_frontend::execute(Interp::of(&mut cpu), &self.inst);
        (cpu.r, cpu.vfp, memory.window().to_vec())
    }

    fn check(&self, accesses: &[Access], memory: &mut Memory, random: &mut Random) {
        let inst = &self.inst;
        let bytes = |a: &Access| {
            let start = (a.address - WINDOW.start) as usize;
            start..start + a.bytes as usize
        };
        let of = |write: bool| -> BTreeSet<usize> {
            accesses.iter().filter(|a| a.write == write).flat_map(bytes).collect()
        };
        let (read, written) = (of(false), of(true));
        let before: Vec<u8> = WINDOW.map(|_| random.next() as u8).collect();
        let other: Vec<u8> =
            before.iter().enumerate().map(|(k, b)| if read.contains(&k) { *b } else { !b }).collect();
        let (first, second) = (self.run(memory, &before), self.run(memory, &other));
        assert_eq!(first.0, second.0, "{inst:?} reads elsewhere");
        assert_eq!(first.1, second.1, "{inst:?} reads elsewhere");
        // The monitor is open: these do not store.
        let stores = !format!("{:?}", inst.op).starts_with("ST") || !format!("{:?}", inst.op).contains("EX");
        for k in 0..before.len() {
            let same = first.2[k] == second.2[k];
            if !written.contains(&k) {
                assert!(first.2[k] == before[k] && second.2[k] == other[k], "{inst:?} writes elsewhere");
            } else if stores {
                assert!(same, "{inst:?} does not write");
            }
        }
        for access in accesses.iter().filter(|a| !a.write) {
            let mut changed = before.clone();
            changed[bytes(access)].iter_mut().for_each(|b| *b = !*b);
            assert_ne!(self.run(memory, &changed), first, "{inst:?} does not read");
        }
    }
}

#[test]
fn accesses_are_those_of_the_interpreter() {
    let mut random = Random(0x2545_f491);
    let mut memory = Memory::new();
    let (mut touching, mut tried) = (BTreeSet::new(), BTreeSet::new());
    let sets = [(tables::A32, false), (tables::T32, true), (tables::T16, true)];
    for (set, thumb) in sets {
        for line in set {
            let mut found = 0;
            for _ in 0..400 {
                let mut word = line.value | random.next() & !line.mask;
                if !thumb && line.mask >> 28 == 0 {
                    word = word & 0x0fff_ffff | 0xe000_0000;
                }
                let Some((e, inst)) = decode::encoding(word, PC, thumb, ItState::default()) else { continue };
                // Table branches ask where they are, which only an engine can say.
                let branches = matches!(inst.op, Op::TBB | Op::TBH);
                if !std::ptr::eq(e, line) || !Effects::of(&inst).memory || branches {
                    continue;
                }
                touching.insert((thumb, format!("{:?}", inst.op)));
                // Bases in the middle of the window, or offsets; aligned for all that asks for it.
                let registers = std::array::from_fn(|r| match (r, random.next() % 4) {
                    (15, _) => PC + if thumb { 4 } else { 8 },
                    (_, 0) => random.next() % 16 * 32,
                    _ => PC + random.next() % 16 * 32,
                });
                let vfp = std::array::from_fn(|_| (0..4).fold(0, |v, _| v << 32 | u128::from(random.next())));
                let case = Case { inst, thumb, registers, vfp, carry: random.next() & 1 != 0 };
                let accesses = accesses::of(&inst, &case.registers, case.carry);
                assert!(!accesses.is_empty(), "{inst:?} accesses nothing");
                let inside = |a: &Access| a.address >= WINDOW.start && a.address + a.bytes <= WINDOW.end;
                if !accesses.iter().all(inside) {
                    continue;
                }
                case.check(&accesses, &mut memory, &mut random);
                tried.insert((thumb, format!("{:?}", inst.op)));
                found += 1;
                if found == 6 {
                    break;
                }
            }
        }
    }
    assert_eq!(tried, touching);
    assert!(tried.len() > 100, "{} operations", tried.len());
}

#[test]
fn accesses_that_the_interpreter_is_not_asked_for() {
    let mut registers = [0; 16];
    (registers[0], registers[1], registers[2]) = (0x1000, 0x100, 5);
    let t32 = |word| decode::t32(word, PC, ItState::default()).expect("an instruction");
    let a32 = |word| decode::a32(word, PC).expect("an instruction");
    let load = |address, bytes| vec![Access { address, bytes, write: false }];
    // tbb [r0, r1]; tbh [r0, r1, lsl #1]
    assert_eq!(accesses::of(&t32(0xe8d0_f001), &registers, false), load(0x1100, 1));
    assert_eq!(accesses::of(&t32(0xe8d0_f011), &registers, false), load(0x1200, 2));
    // ldr r3, [r0, r2, rrx]
    assert_eq!(accesses::of(&a32(0xe790_3062), &registers, false), load(0x1002, 4));
    assert_eq!(accesses::of(&a32(0xe790_3062), &registers, true), load(0x8000_1002, 4));
    // add r0, r1, r2
    assert_eq!(accesses::of(&a32(0xe081_0002), &registers, false), []);
}
