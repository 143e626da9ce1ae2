//! The disassembler against what GNU objdump prints, and against all words.

use forearm_frontend::decode::{self, ItState};
use forearm_frontend::disasm::disassemble;
use proptest::prelude::*;

/// What stands at address 0, with the tab after the mnemonic as a space.
fn thumb(word: u32) -> String {
    disassemble(word, 0, true, ItState(0)).replace('\t', " ")
}

fn a32(word: u32) -> String {
    disassemble(word, 0, false, ItState(0)).replace('\t', " ")
}

#[test]
fn t16_as_objdump() {
    for (word, text) in [
        (0x0008, "movs r0, r1"),
        (0x00c8, "lsls r0, r1, #3"),
        (0x3001, "adds r0, #1"),
        (0x4248, "negs r0, r1"),
        (0x4770, "bx lr"),
        (0x46c1, "mov r9, r8"),
        (0x6848, "ldr r0, [r1, #4]"),
        (0x5c88, "ldrb r0, [r1, r2]"),
        (0xb081, "sub sp, #4"),
        (0xb40e, "push {r1, r2, r3}"),
        (0xbd10, "pop {r4, pc}"),
        (0xc904, "ldmia r1!, {r2}"),
        (0xb140, "cbz r0, 0x14"),
        (0xb940, "cbnz r0, 0x14"),
        (0xd0fe, "beq.n 0x0"),
        (0xe7fe, "b.n 0x0"),
        (0xbf0c, "ite eq"),
        (0xbf08, "it eq"),
        (0xbfa9, "itett ge"),
        (0xdf03, "svc #3"),
        (0xde01, "udf #1"),
    ] {
        assert_eq!(thumb(word), text, "{word:#06x}");
    }
}

#[test]
fn t32_as_objdump() {
    for (word, text) in [
        (0xf851_0c04, "ldr.w r0, [r1, #-4]"),
        (0xf851_0f04, "ldr.w r0, [r1, #4]!"),
        (0xf85d_9b04, "ldr.w r9, [sp], #4"),
        (0xf801_0e04, "strbt r0, [r1, #4]"),
        (0xea4f_1001, "mov.w r0, r1, lsl #4"),
        (0xea4f_0031, "mov.w r0, r1, rrx"),
        (0xe8d0_f001, "tbb [r0, r1]"),
        (0xe8a0_0006, "stmia.w r0!, {r1, r2}"),
        (0xe92d_0206, "stmdb sp!, {r1, r2, r9}"),
        (0xf7ff_fffe, "bl 0x0"),
        (0xf43f_affe, "beq.w 0x0"),
        (0xf3c1_0082, "ubfx r0, r1, #2, #3"),
        (0xf361_00c8, "bfi r0, r1, #3, #6"),
        (0xf321_00c2, "ssat r0, #3, r1, asr #3"),
        (0xeac1_00c2, "pkhbt r0, r1, r2, lsl #3"),
        (0xfa4f_f091, "sxtb.w r0, r1, ror #8"),
        (0xf3bf_8f5b, "dmb ish"),
        (0xe8c3_1270, "strexd r0, r1, r2, [r3]"),
        (0xfac1_f082, "crc32b r0, r1, r2"),
        (0xf201_30e8, "addw r0, r1, #1000"),
        (0xf06f_0002, "mvn.w r0, #2"),
        (0xfa91_f981, "rev.w r9, r1"),
        (0xe8c1_0faf, "stl r0, [r1]"),
        (0xffb0_2300, "aese.8 q1, q0"),
        (0xef00_0844, "vadd.i8 q0, q0, q2"),
        (0xf966_d70b, "vld1.8 {d29}, [r6], r11"),
    ] {
        assert_eq!(thumb(word), text, "{word:#010x}");
    }
}

#[test]
fn a32_as_objdump() {
    for (word, text) in [
        (0xe491_0004, "ldr r0, [r1], #4"),
        (0xe691_0182, "ldr r0, [r1], r2, lsl #3"),
        (0xe92d_0006, "push {r1, r2}"),
        (0xe990_0006, "ldmib r0, {r1, r2}"),
        (0xe12f_ff1e, "bx lr"),
        (0xf2c4_9a19, "vmov.i16 d25, #18688"),
        (0xf468_d92b, "vld2.8 {d29, d31}, [r8:128], r11"),
        (0xf3ff_7a22, "vtbl.8 d23, {d15, d16, d17}, d18"),
        (0x1ef1_fa10, "vmrsne apsr_nzcv, fpscr"),
        (0xeebd_8a0c, "vmov.f32 s16, #-0.4375"),
    ] {
        assert_eq!(a32(word), text, "{word:#010x}");
    }
}

#[test]
fn an_it_block_gives_conditions_and_takes_flags() {
    assert_eq!(disassemble(0x2001, 0, true, ItState(0x08)).replace('\t', " "), "moveq r0, #1");
    assert_eq!(disassemble(0xf050_0001, 0, true, ItState(0xb8)).replace('\t', " "), "orrslt.w r0, r0, #1");
}

/// Every 16-bit word in every kind of IT state: the decoder and the disassembler agree, and neither panics.
#[test]
fn all_t16_words() {
    for half in 0..=0xffffu16 {
        if decode::is_t32(half) {
            continue;
        }
        for it in [0, 0x08, 0xe8, 0x1c] {
            let it = ItState(it);
            let valid = decode::t16(half, 0x8000, it).is_some();
            let text = disassemble(u32::from(half), 0x8000, true, it);
            assert_eq!(valid, !text.starts_with(".short"), "{half:#06x} {it:?} {text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200_000))]

    /// Any word in any place: no panic, and the same answer from decoder and disassembler.
    #[test]
    fn any_a32_word(word: u32, addr: u32) {
        let text = disassemble(word, addr & !3, false, ItState(0));
        prop_assert_eq!(decode::a32(word, addr & !3).is_some(), !text.starts_with(".inst"));
    }

    #[test]
    fn any_t32_word(word in 0xe800_0000u32.., addr: u32, it: u8) {
        let text = disassemble(word, addr & !1, true, ItState(it));
        prop_assert_eq!(decode::t32(word, addr & !1, ItState(it)).is_some(), !text.starts_with(".inst"));
    }

    /// The words that Advanced SIMD and VFP share with A32, which random words rarely hit.
    #[test]
    fn any_shared_word(low in 0..0x0100_0000u32, high in proptest::sample::select(vec![0xefu32, 0xff, 0xf9, 0xed, 0xee, 0xfe])) {
        let word = high << 24 | low;
        let text = disassemble(word, 0, true, ItState(0));
        prop_assert_eq!(decode::t32(word, 0, ItState(0)).is_some(), !text.starts_with(".inst"));
    }
}
