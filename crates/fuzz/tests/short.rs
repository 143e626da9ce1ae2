//! A short run of the fuzz targets: random bytes and, for the loader, programs with some bytes changed or cut off. The inputs are
//! the same every time, but for what the compiler makes.

use fastrand::Rng;
use forearm_fuzz::{decoder, loader, structures};
use std::ops::Range;
use std::path::Path;
use std::process::Command;

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

/// Changes some bytes in `places`, and cuts it off at times.
fn change(rng: &mut Rng, elf: &mut Vec<u8>, places: &[Range<usize>]) {
    for _ in 0..rng.usize(1..6) {
        let place = rng.choice(places).expect("there are some").clone();
        let at = rng.usize(place);
        // Values at the edges find more than those between.
        let choices = [0, 1, 0x7f, 0x80, 0xff, elf[at].wrapping_add(1), rng.u8(..)];
        elf[at] = rng.choice(choices).expect("there are some");
    }
    if rng.bool() {
        elf.truncate(rng.usize(..elf.len()));
    }
}

#[test]
fn the_loader_takes_any_file() {
    let mut rng = Rng::with_seed(3);
    let good = program();
    loader(&good);
    for _ in 0..3_000 {
        loader(&random(&mut rng, 300));
        let mut elf = good.clone();
        change(&mut rng, &mut elf, &[0..52, 52..0x100]);
        loader(&elf);
    }
}

/// A program as the compiler makes it with these arguments; none where there is no compiler for ARM.
fn compiled(name: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/guest/hello.c");
    let mut gcc = Command::new("arm-linux-gnueabihf-gcc");
    match gcc.args(arguments).arg("-o").arg(&file).arg(source).status() {
        Ok(status) => assert!(status.success(), "{gcc:?}: {status}"),
        Err(error) => {
            eprintln!("not tested: {gcc:?}: {error}");
            return None;
        }
    }
    Some(std::fs::read(file).expect("what the compiler wrote"))
}

#[test]
fn the_loader_takes_what_was_a_real_program() {
    let kinds: [(&str, &[&str]); 5] = [
        ("static", &["-static"]),
        ("shared", &["-shared", "-fPIC"]),
        ("dynamic", &["-no-pie"]),
        ("dynamic-pie", &["-pie", "-fPIE", "-g"]),
        ("stripped", &["-pie", "-fPIE", "-s", "-Wl,-z,execstack"]),
    ];
    let mut rng = Rng::with_seed(4);
    for (name, arguments) in kinds {
        let Some(good) = compiled(name, arguments) else { return };
        loader(&good);
        let word = |at: usize| u32::from_le_bytes(good[at..at + 4].try_into().expect("four bytes")) as usize;
        let half = |at: usize| usize::from(u16::from_le_bytes([good[at], good[at + 1]]));
        // The ELF header, what it says of the program and section headers, and everything.
        let (segments, sections) = (word(28), word(32));
        let places =
            [0..52, segments..segments + 32 * half(44), sections..sections + 40 * half(48), 0..good.len()];
        for _ in 0..500 {
            let mut elf = good.clone();
            change(&mut rng, &mut elf, &places);
            loader(&elf);
        }
    }
}
