//! A short run of the fuzz targets: random bytes and, for the loader, a program with some bytes changed or cut off. The inputs are
//! the same every time.

use fastrand::Rng;
use forearm_fuzz::{decoder, loader, structures};

fn random(rng: &mut Rng, most: usize) -> Vec<u8> {
    let len = rng.usize(..most);
    std::iter::repeat_with(|| rng.u8(..)).take(len).collect()
}

#[test]
fn decoders_take_any_word() {
    let mut rng = Rng::with_seed(1);
    for _ in 0..20_000 {
        decoder(&random(&mut rng, 200));
    }
}

#[test]
fn structures_take_any_bytes_at_any_address() {
    let mut rng = Rng::with_seed(2);
    for _ in 0..5_000 {
        structures(&random(&mut rng, 600));
    }
}

/// A small program: header, two loadable segments, a stack and an interpreter.
fn program() -> Vec<u8> {
    let mut elf = vec![0u8; 0x400];
    let put = |elf: &mut Vec<u8>, at: usize, words: &[u32]| {
        for (k, w) in words.iter().enumerate() {
            elf[at + 4 * k..][..4].copy_from_slice(&w.to_le_bytes());
        }
    };
    elf[..8].copy_from_slice(b"\x7fELF\x01\x01\x01\x00");
    // ET_DYN, EM_ARM; entry, program headers, flags of the EABI; five of 32 bytes.
    put(&mut elf, 16, &[3 | 40 << 16, 1, 0x200, 52, 0, 0x0500_0400, 52 | 32 << 16, 4, 0]);
    let segments: [[u32; 8]; 4] = [
        [3, 0x300, 0x300, 0x300, 25, 25, 4, 1],
        [1, 0, 0, 0, 0x320, 0x320, 5, 0x1000],
        [1, 0x320, 0x1320, 0x1320, 0xe0, 0x2000, 6, 0x1000],
        [0x6474_e551, 0, 0, 0, 0, 0, 6, 16],
    ];
    for (k, s) in segments.iter().enumerate() {
        put(&mut elf, 52 + 32 * k, s);
    }
    elf[0x300..][..25].copy_from_slice(b"/lib/ld-linux-armhf.so.3\0");
    elf
}

#[test]
fn the_loader_takes_any_file() {
    let mut rng = Rng::with_seed(3);
    let good = program();
    loader(&good);
    for _ in 0..3_000 {
        loader(&random(&mut rng, 300));
        let mut elf = good.clone();
        for _ in 0..rng.usize(1..6) {
            let at = rng.usize(..0x100);
            // Values at the edges find more than those between.
            let choices = [0, 1, 0x7f, 0x80, 0xff, elf[at].wrapping_add(1), rng.u8(..)];
            elf[at] = rng.choice(choices).expect("there are some");
        }
        if rng.bool() {
            elf.truncate(rng.usize(..elf.len()));
        }
        loader(&elf);
    }
}
