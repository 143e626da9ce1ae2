//! The test image: a static ARM executable that runs each case from a given state and writes the states after.
//!
//! The image is made without an assembler. Its runner is the same few instructions every time; cases are code and data.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::case::Case;
use crate::state::{RECORD_SIZE, SCRATCH_SIZE};

/// Where the runner starts. Its variables follow on the next page, within reach of PC-relative addressing: at the end of a
/// case every register is live, so there is none to address them with.
const RUNNER: u32 = 0x1_0c00;
const VARIABLES: u32 = 0x1_1000;
/// Where every case jumps to when it is done: the `exit` label.
pub const EXIT: u32 = RUNNER + 0x50;
/// The cases' code.
pub const CODE: u32 = 0x10_0000;
/// Distance of two cases' code.
pub const SLOT: u32 = 256;
/// Readable words around the code, for PC-relative loads.
pub const MARGIN: u32 = 0x2000;
const INPUT: u32 = 0x40_0000;
/// The memory that cases load from and store to.
pub const SCRATCH: u32 = 0x80_0000;
const OUTPUT: u32 = 0x100_0000;
/// Size of a case's input: r0 to r14, APSR, FPSCR, code, memory pattern, padding, d0 to d31.
const INPUT_SIZE: usize = 336;
const PAGE: usize = 4096;

/// The runner, A32.
#[rustfmt::skip]
const RUNNER_CODE: [u32; 60] = [
    // enter:
    0xf57ff01f, // clrex @ no case sees the load-exclusive of another
    0xe59f03fc, // ldr r0, case
    0xe5901044, // ldr r1, [r0, #CODE]
    0xe58f13f8, // str r1, jump
    0xe5901048, // ldr r1, [r0, #PATTERN]
    0xe59f23f8, // ldr r2, scratch
    0xe2813c02, // add r3, r1, #512
    0xe8b10ff0, // 1: ldmia r1!, {r4-r11}
    0xe8a20ff0, // stmia r2!, {r4-r11}
    0xe1510003, // cmp r1, r3
    0x1afffffb, // bne 1b
    0xe2801050, // add r1, r0, #VREGS
    0xecb10b20, // vldmia r1!, {d0-d15}
    0xecf10b20, // vldmia r1!, {d16-d31}
    0xe5901040, // ldr r1, [r0,#64]
    0xeee11a10, // vmsr fpscr, r1
    0xe590103c, // ldr r1, [r0,#60]
    0xe12cf001, // msr apsr_nzcvqg, r1
    0xe8907fff, // ldmia r0, {r0-r14}
    0xe59ff3b8, // ldr pc, jump
    // exit:
    0xe58f03a8, // str r0,slot
    0xe59f03a8, // ldr r0,cursor
    0xe9807ffe, // stmib r0,{r1-r14}
    0xe59f139c, // ldr r1,slot
    0xe5801000, // str r1,[r0]
    0xe10f1000, // mrs r1, apsr
    0xe580103c, // str r1,[r0,#60]
    0xeef11a10, // vmrs r1,fpscr
    0xe5801040, // str r1,[r0,#64]
    0xe2801048, // add r1,r0,#72
    0xeca10b20, // vstmia r1!,{d0-d15}
    0xece10b20, // vstmia r1!,{d16-d31}
    0xe59f238c, // ldr r2,scratch
    0xe2823c02, // add r3,r2,#512
    0xe8b20ff0, // 2: ldmia r2!,{r4-r11}
    0xe8a10ff0, // stmia r1!,{r4-r11}
    0xe1520003, // cmp r2,r3
    0x1afffffb, // bne 2b
    0xe58f1364, // str r1,cursor
    0xe59f0364, // ldr r0,case
    0xe2800e15, // add r0,r0,#CASE_SIZE
    0xe58f035c, // str r0,case
    0xe59f0360, // ldr r0,count
    0xe2500001, // subs r0,r0,#1
    0xe58f0358, // str r0,count
    0x1affffd1, // bne enter
    0xe59f1358, // ldr r1,outbase
    0xe59f2358, // ldr r2,outlen
    0xe3a00001, // 3: mov r0,#1
    0xe3a07004, // mov r7,#4
    0xef000000, // svc 0
    0xe3500000, // cmp r0,#0
    0xd3a00001, // movle r0,#1
    0xda000003, // ble 4f
    0xe0811000, // add r1,r1,r0
    0xe0522000, // subs r2,r2,r0
    0x1afffff6, // bne 3b
    0xe3a00000, // mov r0,#0
    0xe3a070f8, // 4:mov r7,#248
    0xef000000, // svc 0
];

/// A loadable segment.
struct Segment {
    address: u32,
    flags: u32,
    bytes: Vec<u8>,
    /// Size in memory.
    memory: u32,
}

const READ: u32 = 4;
const WRITE: u32 = 2;
const EXECUTE: u32 = 1;

/// Writes the image of `cases` to `path`, executable.
pub fn write(path: &Path, cases: &[Case]) -> io::Result<()> {
    let count = cases.len();
    let slots = cases.iter().map(|c| c.slot + 1).max().unwrap_or(0);
    let mut code = vec![0u8; MARGIN as usize * 2 + slots * SLOT as usize];
    let mut patterns = Vec::new();
    let mut input = Vec::new();
    let patterns_at = INPUT + (count * INPUT_SIZE) as u32;
    for case in cases {
        let at = MARGIN as usize + case.slot * SLOT as usize;
        code[at..at + case.code.len()].copy_from_slice(&case.code);
        let state = &case.state;
        for r in state.core {
            input.extend(r.to_le_bytes());
        }
        let pattern = patterns_at + patterns.len() as u32;
        let entry = CODE + case.slot as u32 * SLOT + case.entry;
        for w in [state.apsr, state.fpscr, entry, pattern, 0] {
            input.extend(w.to_le_bytes());
        }
        for d in state.doubles {
            input.extend(d.to_le_bytes());
        }
        patterns.extend_from_slice(&state.scratch);
    }
    debug_assert_eq!(input.len(), count * INPUT_SIZE);
    debug_assert_eq!(patterns.len(), count * SCRATCH_SIZE);
    assert!(CODE + slots as u32 * SLOT + MARGIN <= INPUT, "too many cases for one image");
    assert!(patterns_at as usize + patterns.len() <= SCRATCH as usize, "too many cases for one image");
    input.extend(patterns);
    let output = (count * RECORD_SIZE) as u32;
    // slot, cursor, case, jump, count, scratch, outbase, outlen
    let variables = [0, OUTPUT, INPUT, 0, count as u32, SCRATCH, OUTPUT, output];
    let words = |w: &[u32]| w.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>();
    let segment =
        |address, flags, bytes: Vec<u8>| Segment { address, flags, memory: bytes.len() as u32, bytes };
    let mut runner = vec![0; (RUNNER as usize) % PAGE];
    runner.extend(words(&RUNNER_CODE));
    let segments = [
        segment(RUNNER & !0xfff, READ | EXECUTE, runner),
        segment(VARIABLES, READ | WRITE, words(&variables)),
        segment(CODE - MARGIN, READ | EXECUTE, code),
        segment(INPUT, READ, input),
        Segment { address: SCRATCH, flags: READ | WRITE, bytes: vec![], memory: SCRATCH_SIZE as u32 },
        Segment { address: OUTPUT, flags: READ | WRITE, bytes: vec![], memory: output },
    ];
    let bytes = elf(RUNNER, &segments);
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o755).open(path)?;
    io::Write::write_all(&mut file, &bytes)
}

/// An ELF executable for ARM with the hard-float ABI.
fn elf(entry: u32, segments: &[Segment]) -> Vec<u8> {
    const EHDR: u32 = 52;
    const PHDR: u32 = 32;
    const ET_EXEC: u16 = 2;
    const EM_ARM: u16 = 40;
    const EF_ARM_EABI5_HARD: u32 = 0x0500_0400;
    const PT_LOAD: u32 = 1;
    let mut out = Vec::from(*b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0");
    let half = |out: &mut Vec<u8>, h: u16| out.extend(h.to_le_bytes());
    let word = |out: &mut Vec<u8>, w: u32| out.extend(w.to_le_bytes());
    half(&mut out, ET_EXEC);
    half(&mut out, EM_ARM);
    for w in [1, entry, EHDR, 0, EF_ARM_EABI5_HARD] {
        word(&mut out, w);
    }
    for h in [EHDR as u16, PHDR as u16, segments.len() as u16, 0, 0, 0] {
        half(&mut out, h);
    }
    let mut offset = PAGE;
    for s in segments {
        for w in [
            PT_LOAD,
            offset as u32,
            s.address,
            s.address,
            s.bytes.len() as u32,
            s.memory,
            s.flags,
            PAGE as u32,
        ] {
            word(&mut out, w);
        }
        offset += s.bytes.len().next_multiple_of(PAGE);
    }
    for s in segments {
        out.resize(out.len().next_multiple_of(PAGE), 0);
        out.extend_from_slice(&s.bytes);
    }
    out
}
