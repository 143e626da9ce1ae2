//! What instructions do to registers and flags, against the answers of `qemu-arm -cpu max` in `semantics/a32.txt`.
//!
//! A line is the operation, the instruction word, and CPSR and r0 to r3 before and after it, in hexadecimal.

mod random;

use forearm_backend::CpuState;
use forearm_backend::interp::Interp;
use forearm_frontend::decode::{self, ItState};
use forearm_frontend::effects::Effects;
use forearm_frontend::inst::Op;
use forearm_frontend::tables;
use random::Random;
use std::fmt::Write as _;
use std::process::Command;

const ANSWERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/semantics/a32.txt");

/// N, Z, C, V, Q and GE.
const APSR: u32 = 0xf80f_0000;

/// CPSR and r0 to r3.
type State = [u32; 5];

fn run(word: u32, before: State) -> State {
    let inst = decode::a32(word, 0x8000).unwrap_or_else(|| panic!("{word:#010x} is UNDEFINED"));
    let mut cpu = CpuState::default();
    cpu.set_cpsr(before[0]);
    cpu.r[..4].copy_from_slice(&before[1..]);
    forearm_frontend::execute(Interp::of(&mut cpu), &inst);
    [cpu.cpsr() & APSR, cpu.r[0], cpu.r[1], cpu.r[2], cpu.r[3]]
}

#[test]
fn answers_of_qemu() {
    let mut count = 0;
    for line in std::fs::read_to_string(ANSWERS).expect("the answers").lines() {
        let (op, rest) = line.split_once(' ').expect("an operation");
        let n: Vec<u32> = rest.split(' ').map(|x| u32::from_str_radix(x, 16).expect("hexadecimal")).collect();
        let (before, after): (State, State) = (n[1..6].try_into().unwrap(), n[6..].try_into().unwrap());
        let got = run(n[0], before);
        assert_eq!(got, after, "{op} {:08x}: {before:08x?} gives {got:08x?}, not {after:08x?}", n[0]);
        count += 1;
    }
    assert!(count > 1000, "{count} answers");
}

impl Random {
    /// With a liking for edges.
    fn value(&mut self) -> u32 {
        const EDGES: [u32; 12] =
            [0, 1, 31, 32, 33, 0x8000, 0x7fff, 0xffff_8000, 0x8000_0000, 0x7fff_ffff, 0x80ff_7f00, u32::MAX];
        match self.next() % 4 {
            0 => EDGES[self.next() as usize % EDGES.len()],
            1 => {
                let k = self.next() as usize;
                (EDGES[k % 12] & 0xffff) << 16 | EDGES[k / 12 % 12] & 0xffff
            }
            _ => self.next(),
        }
    }
}

/// Words that touch nothing but r0 to r3 and the flags: some for each line of the A32 tables.
fn words(random: &mut Random) -> Vec<(String, u32)> {
    let mut words = Vec::new();
    for line in tables::A32 {
        let registers = line.bits.bytes().rev().enumerate();
        // Register fields of four bits: the upper two are cleared.
        let upper = registers.fold(0, |mask, (k, letter)| {
            let field = 0xf << (k & !3);
            let register = b"dnmasut".contains(&letter) && line.mask & field == 0;
            if register && k & 2 != 0 { mask | 1 << k } else { mask }
        });
        let mut found = 0;
        for _ in 0..400 {
            let word = line.value | random.next() & !line.mask & !upper;
            let word = word & 0x0fff_ffff | 0xe000_0000;
            let Some((e, inst)) = decode::encoding(word, 0x8000, false, ItState::default()) else { continue };
            let x = Effects::of(&inst);
            let other = x.memory || x.float || x.flow.is_some() || (x.reads | x.writes) & !0xf != 0;
            // The coprocessor's registers differ; bit E and the mode are not ours to write.
            let system =
                matches!(inst.op, Op::MSR_imm | Op::MSR_reg) && inst.size & 3 != 0 || word >> 26 & 3 == 3;
            if line.mask >> 28 != 0 || other || system || !std::ptr::eq(e, line) || inst.op == Op::ADR {
                continue;
            }
            words.push((format!("{:?}", inst.op), word));
            found += 1;
            if found == 8 {
                break;
            }
        }
    }
    words
}

/// Asks QEMU again: needs arm-linux-gnueabihf-as and -ld, and qemu-arm-static.
#[test]
#[ignore = "rewrites the answers"]
fn record_the_answers_of_qemu() {
    let mut random = Random(0x2545_f491);
    let cases: Vec<(String, u32, State)> = words(&mut random)
        .into_iter()
        .map(|(op, word)| {
            let apsr = random.next() & APSR;
            (op, word, [apsr, random.value(), random.value(), random.value(), random.value()])
        })
        .collect();
    let mut program = String::from(".arch armv8-a\n.arm\n.global _start\n_start:\n");
    for (register, label) in [("sp", "before"), ("lr", "after")] {
        writeln!(program, "movw {register}, #:lower16:{label}\nmovt {register}, #:upper16:{label}").unwrap();
    }
    for (_, word, _) in &cases {
        writeln!(program, "ldr r0, [sp], #4\nmsr apsr_nzcvqg, r0\nldm sp!, {{r0-r3}}\n.inst {word:#x}")
            .unwrap();
        writeln!(program, "str r0, [lr], #4\nmrs r0, apsr\nstr r0, [lr], #4\nstm lr!, {{r1-r3}}").unwrap();
    }
    let bytes = 20 * cases.len();
    writeln!(program, "mov r7, #4\nmov r0, #1\nldr r1, =after\nldr r2, ={bytes}\nsvc 0").unwrap();
    writeln!(program, "mov r7, #1\nmov r0, #0\nsvc 0\n.ltorg\n.data\nbefore:").unwrap();
    for (_, _, before) in &cases {
        writeln!(
            program,
            ".word {:#x}, {:#x}, {:#x}, {:#x}, {:#x}",
            before[0], before[1], before[2], before[3], before[4]
        )
        .unwrap();
    }
    writeln!(program, ".bss\nafter: .space {bytes}").unwrap();

    let dir = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(dir.join("a.s"), program).unwrap();
    let tool = |name: &str, args: &[&str]| {
        let output = Command::new(name).args(args).current_dir(&dir).output().expect(name);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    tool("arm-linux-gnueabihf-as", &["a.s", "-o", "a.o"]);
    tool("arm-linux-gnueabihf-ld", &["a.o", "-o", "a.out"]);
    let answers = tool("qemu-arm-static", &["-cpu", "max", "./a.out"]);
    assert_eq!(answers.len(), bytes);

    let mut text = String::new();
    for ((op, word, before), answer) in cases.iter().zip(answers.chunks(20)) {
        let n: Vec<u32> = answer.chunks(4).map(|c| u32::from_le_bytes(c.try_into().unwrap())).collect();
        write!(text, "{op} {word:08x}").unwrap();
        for x in before.iter().chain(&[n[1] & APSR, n[0], n[2], n[3], n[4]]) {
            write!(text, " {x:x}").unwrap();
        }
        text.push('\n');
    }
    std::fs::create_dir_all(std::path::Path::new(ANSWERS).parent().unwrap()).unwrap();
    std::fs::write(ANSWERS, text).unwrap();
}
