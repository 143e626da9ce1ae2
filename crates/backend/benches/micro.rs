//! What the parts of the translator cost: decoding, interpreting, compiling, and the ways from one piece of code to the
//! next. `cargo bench -p forearm-backend`; the columns are times of a whole bench, the lines below them items (guest
//! instructions, jumps) a second.

use divan::Bencher;
use divan::counter::ItemsCount;
use forearm_backend::cache::Key;
use forearm_backend::codegen::{Compiler, Effort, Mode, Worth};
use forearm_backend::engine::{CodeSource, Engine, Exit, Policy};
use forearm_backend::interp::block::{self, Fetch};
use forearm_backend::state::CpuState;
use forearm_frontend::decode::{self, ItState};
use std::hint::black_box;
use std::ops::Range;

fn main() {
    divan::main();
}

/// How often a loop runs in one bench.
const ROUNDS: u32 = 10_000;

/// A32 code of many kinds, as compilers make it.
const MIX: [u32; 16] = [
    0xe081_0002, // add   r0, r1, r2
    0xe591_0004, // ldr   r0, [r1, #4]
    0xe583_2000, // str   r2, [r3]
    0xe250_0001, // subs  r0, r0, #1
    0x0281_0001, // addeq r0, r1, #1
    0xe1a0_0101, // lsl   r0, r1, #2
    0xe7d1_0002, // ldrb  r0, [r1, r2]
    0xe021_0392, // mla   r1, r2, r3, r0
    0xe200_10ff, // and   r1, r0, #255
    0xe351_0000, // cmp   r1, #0
    0x13a0_0001, // movne r0, #1
    0xe301_0234, // movw  r0, #0x1234
    0xe6ef_0071, // uxtb  r0, r1
    0xee30_0b01, // vadd.f64 d0, d0, d1
    0xf222_0844, // vadd.i32 q0, q1, q2
    0xe1a0_1002, // mov   r1, r2
];

/// Thumb code.
const THUMB: [u32; 8] = [
    0x1888,      // adds r0, r1, r2
    0x6848,      // ldr  r0, [r1, #4]
    0x3801,      // subs r0, #1
    0xf811_3b01, // ldrb r3, [r1], #1
    0x4611,      // mov  r1, r2
    0xeb01_0082, // add  r0, r1, r2, lsl #2
    0x2900,      // cmp  r1, #0
    0xf240_2034, // movw r0, #0x234
];

#[divan::bench]
fn decode_a32(bencher: Bencher) {
    bencher.counter(ItemsCount::new(MIX.len())).bench(|| {
        for word in black_box(MIX) {
            black_box(decode::a32(word, 0x8000));
        }
    });
}

#[divan::bench]
fn decode_thumb(bencher: Bencher) {
    bencher.counter(ItemsCount::new(THUMB.len())).bench(|| {
        for word in black_box(THUMB) {
            black_box(match word {
                0..0x10000 => decode::t16(word as u16, 0x8000, ItState(0)),
                _ => decode::t32(word, 0x8000, ItState(0)),
            });
        }
    });
}

/// Reads straight-line code made of `MIX`, `len` instructions of it.
fn mixed(len: u32) -> impl Fn(u32, &mut [u8]) -> usize {
    move |pc, buffer| {
        let rest = (4 * len).saturating_sub(pc) as usize;
        let n = buffer.len().min(rest) & !3;
        for (k, bytes) in buffer[..n].chunks_exact_mut(4).enumerate() {
            bytes.copy_from_slice(&MIX[(pc as usize / 4 + k) % MIX.len()].to_le_bytes());
        }
        n
    }
}

/// A block for the interpreter: decoding, and its slots.
#[divan::bench(args = [4, 16, 64])]
fn build_block(bencher: Bencher, instructions: u32) {
    let read = mixed(instructions);
    bencher
        .counter(ItemsCount::new(instructions))
        .bench(|| block::build(Key::new(0, false, 0), &mut Fetch::new(&read), None, None).expect("code"));
}

/// A region, by guest instructions. The first compilation of a compiler is not counted.
#[divan::bench(args = [1, 4, 16, 64, 256])]
fn compile(bencher: Bencher, instructions: u32) {
    let read = mixed(instructions);
    let mut compiler = Compiler::new(Effort::Quick).expect("a compiler for this processor");
    let mode = Mode { precise: false, based: false, flush: false, traps: false };
    bencher.counter(ItemsCount::new(instructions)).bench_local(|| {
        let fetch = &mut Fetch::new(&read);
        compiler.compile(Key::new(0, false, 0), fetch, &Worth::ALL, mode).expect("code")
    });
}

/// What the first hot block of a process pays.
#[divan::bench]
fn make_a_compiler() -> Compiler {
    Compiler::new(Effort::Quick).expect("a compiler for this processor")
}

/// Guest code in memory, with an engine.
struct Guest {
    engine: Engine,
    cpu: CpuState,
    start: u32,
}

/// The page of a guest's code.
struct Page(Range<u32>);

impl CodeSource for Page {
    fn executable(&self, pc: u32) -> Option<Range<u32>> {
        self.0.contains(&pc).then(|| self.0.clone())
    }

    fn is_file(&self, _: u32) -> bool {
        false
    }

    fn base(&self) -> u64 {
        0
    }
}

impl Guest {
    /// `code` ends in SVC, and uses r0 to count. `heat` as in [`Policy`]: at 0 each block is compiled at its first
    /// execution, so each becomes a region; later on they become one.
    fn new(code: &[u32], heat: Option<u32>) -> Guest {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT;
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a fresh page, which is never unmapped; the code fits in.
        let start = unsafe {
            let page = libc::mmap(std::ptr::null_mut(), 4096, prot, flags, -1, 0);
            assert_ne!(page, libc::MAP_FAILED);
            page.cast::<u32>().copy_from_nonoverlapping(code.as_ptr(), code.len());
            page as u32
        };
        let engine =
            Engine::with_policy(Box::new(Page(start..start + 4096)), Policy { heat, ..Policy::default() });
        let mut guest = Guest { engine, cpu: CpuState::default(), start };
        // Long enough for everything to be compiled and linked.
        guest.run();
        guest
    }

    /// Runs the code from its start; r0 counts the rounds, r1 is the address behind the first SVC, r2 the start.
    fn run(&mut self) {
        let behind_svc = self.start + 16;
        self.cpu.r[..3].copy_from_slice(&[ROUNDS, behind_svc, self.start]);
        self.cpu.r[15] = self.start;
        assert_eq!(self.engine.run(&mut self.cpu), Exit::Syscall(0));
    }

    fn bench(mut self, bencher: Bencher, items: u32) {
        bencher.counter(ItemsCount::new(items)).bench_local(|| self.run());
    }
}

const LOOP: [u32; 5] = [
    0xe082_2003, // 1: add r2, r2, r3
    0xe02c_c3e2, //    eor r12, r12, r2, ror #7
    0xe250_0001, //    subs r0, r0, #1
    0x1aff_fffb, //    bne 1b
    0xef00_0000, //    svc #0
];

/// Items are guest instructions.
#[divan::bench]
fn interpreted_loop(bencher: Bencher) {
    Guest::new(&LOOP, None).bench(bencher, 4 * ROUNDS);
}

/// As `interpreted_loop`.
#[divan::bench]
fn compiled_loop(bencher: Bencher) {
    Guest::new(&LOOP, Some(0)).bench(bencher, 4 * ROUNDS);
}

/// From region to region through link slots. Items are such jumps.
#[divan::bench]
fn region_to_region(bencher: Bencher) {
    let code = [
        0xe250_0001, // 1: subs r0, r0, #1
        0x0a00_0000, //    beq 3f
        0xea00_0000, //    b 2f
        0xef00_0000, // 3: svc #0
        0xeaff_fffa, // 2: b 1b
    ];
    Guest::new(&code, Some(0)).bench(bencher, 2 * ROUNDS);
}

const INDIRECT: [u32; 5] = [
    0xe250_0001, // 1: subs r0, r0, #1
    0x0a00_0000, //    beq 3f
    0xe12f_ff11, //    bx r1
    0xef00_0000, // 3: svc #0
    0xe12f_ff12, // 2: bx r2
];

/// Branches to an address in a register. Items are such branches.
#[divan::bench]
fn indirect_branch(bencher: Bencher) {
    Guest::new(&INDIRECT, Some(0)).bench(bencher, 2 * ROUNDS);
}

/// As `indirect_branch`.
#[divan::bench]
fn indirect_branch_interpreted(bencher: Bencher) {
    Guest::new(&INDIRECT, None).bench(bencher, 2 * ROUNDS);
}

const CALL: [u32; 5] = [
    0xeb00_0002, // 1: bl 2f
    0xe250_0001, //    subs r0, r0, #1
    0x1aff_fffc, //    bne 1b
    0xef00_0000, //    svc #0
    0xe12f_ff1e, // 2: bx lr
];

/// A call and its return where both ends are in one region. Items are calls.
#[divan::bench]
fn call_and_return(bencher: Bencher) {
    Guest::new(&CALL, Some(64)).bench(bencher, ROUNDS);
}

/// The same where each is a region of its own.
#[divan::bench]
fn call_and_return_across_regions(bencher: Bencher) {
    Guest::new(&CALL, Some(0)).bench(bencher, ROUNDS);
}

/// Into the engine and out again by SVC, without the system call.
#[divan::bench]
fn enter_and_leave(bencher: Bencher) {
    let mut guest = Guest::new(&CALL, Some(0));
    bencher.bench_local(|| {
        guest.cpu.r[15] = guest.start + 12;
        guest.engine.run(&mut guest.cpu)
    });
}
