//! Machine states: random ones to start from, and the records that the image writes.

use fastrand::Rng;

/// Bytes of memory a case may touch.
pub const SCRATCH_SIZE: usize = 512;
/// Bytes of a record: r0 to r14, APSR, FPSCR, a word of padding, d0 to d31, memory.
pub const RECORD_SIZE: usize = 72 + 256 + SCRATCH_SIZE;

/// What instructions read and write.
#[derive(Clone, PartialEq, Eq)]
pub struct State {
    /// r0 to r14.
    pub core: [u32; 15],
    /// N, Z, C, V, Q and GE.
    pub apsr: u32,
    /// FPSCR.
    pub fpscr: u32,
    /// d0 to d31.
    pub doubles: [u64; 32],
    /// The memory at [`crate::image::SCRATCH`].
    pub scratch: [u8; SCRATCH_SIZE],
}

/// The bits of APSR that a program sees.
const APSR: u32 = 0xf80f_0000;

impl State {
    /// A random state, in which special values are frequent.
    pub fn random(rng: &mut Rng) -> State {
        let mut scratch = [0; SCRATCH_SIZE];
        for chunk in scratch.chunks_exact_mut(8) {
            chunk.copy_from_slice(&random_double(rng).to_le_bytes());
        }
        // Rounding, flush to zero, default NaN, alternative half precision and the cumulative flags. Vectors (LEN,
        // STRIDE) and trapped exceptions do not exist in VFPv3 and later.
        let mut fpscr = rng.u32(..) & 0xf000_009f;
        for bit in [22, 23, 24, 25, 26] {
            fpscr |= u32::from(rng.u8(..4) == 0) << bit;
        }
        State {
            core: std::array::from_fn(|_| random_word(rng)),
            apsr: rng.u32(..) & APSR,
            fpscr,
            doubles: std::array::from_fn(|_| random_double(rng)),
            scratch,
        }
    }

    /// The state of a record.
    pub fn from_record(record: &[u8]) -> State {
        let word = |k: usize| u32::from_le_bytes(record[4 * k..4 * k + 4].try_into().expect("four bytes"));
        let double = |k: usize| {
            let at = 72 + 8 * k;
            u64::from_le_bytes(record[at..at + 8].try_into().expect("eight bytes"))
        };
        State {
            core: std::array::from_fn(word),
            apsr: word(15) & APSR,
            fpscr: word(16),
            doubles: std::array::from_fn(double),
            scratch: record[328..RECORD_SIZE].try_into().expect("the memory"),
        }
    }
}

/// An integer; half of them at the edges of the number ranges.
fn random_word(rng: &mut Rng) -> u32 {
    const EDGES: [u32; 16] = [
        0,
        1,
        2,
        31,
        32,
        33,
        0x7f,
        0x80,
        0xff,
        0x7fff,
        0x8000,
        0xffff,
        0x7fff_ffff,
        0x8000_0000,
        0x8000_0001,
        0xffff_ffff,
    ];
    match rng.u8(..4) {
        0 => EDGES[rng.usize(..EDGES.len())],
        1 => rng.u32(..) >> rng.u32(..32),
        _ => rng.u32(..),
    }
}

/// A double, two singles, or two integers; many of them special.
fn random_double(rng: &mut Rng) -> u64 {
    match rng.u8(..8) {
        0 => rng.u64(..),
        1 | 2 => special_double(rng),
        3 => u64::from(random_word(rng)) << 32 | u64::from(random_word(rng)),
        4 => (f64::from(rng.i32(-100_000..100_000)) / 16.0).to_bits(),
        _ => u64::from(random_single(rng)) << 32 | u64::from(random_single(rng)),
    }
}

fn random_single(rng: &mut Rng) -> u32 {
    const SPECIAL: [u32; 20] = [
        0,
        0x8000_0000,
        0x3f80_0000,
        0xbf80_0000,
        0x7f80_0000,
        0xff80_0000,
        0x7fc0_0000,
        0xffc0_1234,
        0x7f80_0001,
        0xffa0_0000,
        0x0000_0001,
        0x807f_ffff,
        0x0080_0000,
        0x7f7f_ffff,
        0x3f00_0000,
        0x4f00_0000,
        0xcf00_0000,
        0x4f80_0000,
        0x477f_f000,
        0x3380_0000,
    ];
    match rng.u8(..4) {
        0 => SPECIAL[rng.usize(..SPECIAL.len())],
        1 => (rng.i32(-10_000..10_000) as f32 / 8.0).to_bits(),
        2 => rng.u32(..),
        // Near one, so that sums, differences and products stay in range.
        _ => (0x3e80_0000 + rng.u32(..0x0200_0000)) | rng.u32(..) & 0x8000_0000,
    }
}

fn special_double(rng: &mut Rng) -> u64 {
    const SPECIAL: [u64; 16] = [
        0,
        1 << 63,
        0x3ff0_0000_0000_0000,
        0xbff8_0000_0000_0000,
        0x7ff0_0000_0000_0000,
        0xfff0_0000_0000_0000,
        0x7ff8_0000_0000_0000,
        0xfff8_0000_0000_1234,
        0x7ff0_0000_0000_0001,
        0xfff4_0000_0000_0000,
        1,
        0x800f_ffff_ffff_ffff,
        0x0010_0000_0000_0000,
        0x7fef_ffff_ffff_ffff,
        0x41e0_0000_0000_0000,
        0x47ef_ffff_f000_0000,
    ];
    SPECIAL[rng.usize(..SPECIAL.len())]
}
