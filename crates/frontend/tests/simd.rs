//! Advanced SIMD words, assembled by GNU as, and what the manual says is UNDEFINED or UNPREDICTABLE.

use forearm_frontend::decode::{self, ItState, is_t32};
use forearm_frontend::disasm::disassemble;

/// A32 words and their text; lists are written out, VMOVL is VSHLL by nothing.
const WORDS: &[(u32, &str)] = &[
    (0xf241_00a2, "vhadd.s8 d16, d17, d18"),
    (0xf372_00fe, "vqadd.u64 q8, q9, q15"),
    (0xf322_0154, "vbit q0, q1, q2"),
    (0xf228_6158, "vorr q3, q4, q4"),
    (0xf216_2444, "vshl.s16 q1, q2, q3"),
    (0xf333_1512, "vqrshl.u64 d1, d2, d3"),
    (0xf302_0954, "vmul.p8 q0, q1, q2"),
    (0xf36e_fbad, "vqrdmulh.s32 d31, d30, d29"),
    (0xf202_0c54, "vfma.f32 q0, q1, q2"),
    (0xf221_0c12, "vfms.f32 d0, d1, d2"),
    (0xf304_3d05, "vpadd.f32 d3, d4, d5"),
    (0xf328_6e5a, "vacgt.f32 q3, q4, q5"),
    (0xf302_1f13, "vmaxnm.f32 d1, d2, d3"),
    (0xf262_0ff4, "vrsqrts.f32 q8, q9, q10"),
    (0xf392_2003, "vaddl.u16 q1, d2, d3"),
    (0xf2a4_2303, "vsubw.s32 q1, q2, d3"),
    (0xf3a4_1406, "vraddhn.i64 d1, q2, q3"),
    (0xf2d2_0ba3, "vqdmlsl.s16 q8, d18, d19"),
    (0xf282_2e03, "vmull.p8 q1, d2, d3"),
    (0xf394_206f, "vmla.i16 q1, q2, d7[3]"),
    (0xf2a2_196f, "vmul.f32 d1, d2, d15[1]"),
    (0xf2a2_2b43, "vqdmull.s32 q1, d2, d3[0]"),
    (0xf3d2_0dcd, "vqrdmulh.s16 q8, q9, d5[1]"),
    (0xf3b4_2044, "vrev64.16 q1, q2"),
    (0xf3b0_1682, "vpadal.u8 d1, d2"),
    (0xf3b9_25c4, "vcle.f32 q1, q2, #0"),
    (0xf3b6_1244, "vqmovun.s32 d1, q2"),
    (0xf3fa_f2ee, "vqmovn.u64 d31, q15"),
    (0xf3b6_2302, "vshll.i16 q1, d2, #16"),
    (0xf3b6_1604, "vcvt.f16.f32 d1, q2"),
    (0xf3b6_2702, "vcvt.f32.f16 q1, d2"),
    (0xf3ba_26c4, "vrintm.f32 q1, q2"),
    (0xf3bb_1282, "vcvtp.u32.f32 d1, d2"),
    (0xf3bb_24c4, "vrsqrte.u32 q1, q2"),
    (0xf3bb_2744, "vcvt.s32.f32 q1, q2"),
    (0xf2b4_2b46, "vext.8 q1, q2, q3, #11"),
    (0xf3b2_1b06, "vtbl.8 d1, {d2, d3, d4, d5}, d6"),
    (0xf3ff_08e1, "vtbx.8 d16, {d31}, d17"),
    (0xf3ba_2c43, "vdup.16 q1, d3[2]"),
    (0xf382_2a5b, "vmov.i16 q1, #43776"),
    (0xf384_151d, "vorr.i32 d1, #0xcd0000"),
    (0xf281_2c72, "vmvn.i32 q1, #4863"),
    (0xf2c5_2976, "vbic.i16 q9, #86"),
    (0xf386_2f58, "vmov.f32 q1, #-0.75"),
    (0xf381_1e35, "vmov.i64 d1, #0xff0000ff00ff00ff"),
    (0xf2c5_ee5a, "vmov.i8 q15, #90"),
    (0xf380_20d4, "vshr.u64 q1, q2, #64"),
    (0xf288_1312, "vrsra.s8 d1, d2, #8"),
    (0xf39b_2454, "vsri.16 q1, q2, #5"),
    (0xf3bf_1592, "vsli.64 d1, d2, #63"),
    (0xf3bf_2654, "vqshlu.s32 q1, q2, #31"),
    (0xf38f_1712, "vqshl.u8 d1, d2, #7"),
    (0xf3a0_1854, "vqrshrun.s64 d1, q2, #32"),
    (0xf288_1814, "vshrn.i16 d1, q2, #8"),
    (0xf3df_f93c, "vqshrn.u32 d31, q14, #1"),
    (0xf28b_2a12, "vshll.s8 q1, d2, #3"),
    (0xf390_2a12, "vshll.u16 q1, d2, #0"),
    (0xf3a0_2f54, "vcvt.u32.f32 q1, q2, #32"),
    (0xf2bf_1e12, "vcvt.f32.s32 d1, d2, #1"),
    (0xf421_02fd, "vld1.64 {d0, d1, d2, d3}, [r1:256]!"),
    (0xf442_f703, "vst1.8 {d31}, [r2], r3"),
    (0xf464_095f, "vld2.16 {d16, d18}, [r4:64]"),
    (0xf405_03bd, "vst2.32 {d0, d1, d2, d3}, [r5:256]!"),
    (0xf426_1507, "vld3.8 {d1, d3, d5}, [r6], r7"),
    (0xf448_c06f, "vst4.16 {d28, d29, d30, d31}, [r8:128]"),
    (0xf4a9_50ef, "vld1.8 {d5[7]}, [r9]"),
    (0xf48a_55fd, "vst2.16 {d5[3], d7[3]}, [r10:32]!"),
    (0xf4ab_1a8c, "vld3.32 {d1[1], d2[1], d3[1]}, [r11], r12"),
    (0xf48d_0b6f, "vst4.32 {d0[0], d2[0], d4[0], d6[0]}, [sp:128]"),
    (0xf4a0_1c7f, "vld1.16 {d1[], d2[]}, [r0:16]"),
    (0xf4a0_1d2d, "vld2.8 {d1[], d3[]}, [r0]!"),
    (0xf4a0_1fd1, "vld4.32 {d1[], d2[], d3[], d4[]}, [r0:128], r1"),
];

/// The T32 word of an A32 one (Arm ARM A7.4, A7.7).
fn thumb(word: u32) -> u32 {
    if word >> 24 == 0xf4 {
        word + 0x0500_0000
    } else {
        word & 0x00ff_ffff | 0xef00_0000 | (word >> 24 & 1) << 28
    }
}

#[test]
fn a32_as_objdump() {
    for &(word, text) in WORDS {
        assert_eq!(disassemble(word, 0, false, ItState(0)).replace('\t', " "), text, "{word:#010x}");
    }
}

#[test]
fn t32_is_the_same_instruction() {
    for &(word, text) in WORDS {
        let expected = decode::a32(word, 0);
        assert!(expected.is_some() && is_t32((thumb(word) >> 16) as u16), "{text}");
        assert_eq!(decode::t32(thumb(word), 0, ItState(0)), expected, "{text}");
    }
}

#[test]
fn in_an_it_block_it_is_conditional() {
    // vadd.i32 q0, q1, q2 under EQ
    let inst = decode::t32(thumb(0xf222_0844), 0, ItState(0x08)).unwrap();
    assert_eq!(inst.cond, 0);
}

#[test]
fn undefined_and_unpredictable() {
    for (word, why) in [
        (0xf222_1844, "odd Vd of Q registers"),
        (0xf223_0844, "odd Vn of Q registers"),
        (0xf222_0845, "odd Vm of Q registers"),
        (0xf230_0000, "VHADD of 64-bit elements"),
        (0xf200_0b00, "VQDMULH of bytes"),
        (0xf230_0b00, "VQDMULH of 64-bit elements"),
        (0xf210_0d00, "VADD.F16 is Armv8.2"),
        (0xf200_0a50, "VPMAX of Q registers"),
        (0xf281_0900, "VQDMLAL of bytes, a size the long form lacks"),
        (0xf280_1800, "VMLAL to an odd Vd"),
        (0xf280_0040, "VMLA by a byte scalar"),
        (0xf3ba_0102, "VUZP.32 of D registers"),
        (0xf3ba_0182, "VZIP.32 of D registers"),
        (0xf3bc_0002, "VREV64 of doublewords"),
        (0xf3b8_0080, "VREV32 of words"),
        (0xf3b4_0500, "VCNT of halfwords"),
        (0xf3b0_0c00, "VDUP with imm4 = 0000"),
        (0xf2b0_0800, "VEXT from byte 8 of D registers"),
        (0xf380_0f30, "op = 1, cmode = 1111"),
        (0xf288_0610, "VQSHLU with U = 0"),
        (0xf288_0e10, "VCVT of fixed point with imm6 = 001000"),
        (0xf3be_0b80, "VTBL of registers 30 to 33"),
        (0xf420_07af, "VLD1 of one register with align = 10"),
        (0xf420_0abf, "VLD1 of two registers with align = 11"),
        (0xf420_08cf, "VLD2 of doublewords"),
        (0xf420_042f, "VLD3 with align = 10"),
        (0xf42f_070f, "base PC"),
        (0xf460_f20f, "VLD1 of registers 31 to 34"),
        (0xf4a0_001f, "VLD1 of a byte with index_align<0> = 1"),
        (0xf4a0_082f, "VLD1 of a word with index_align<1:0> = 10"),
        (0xf4a0_0c1f, "VLD1 of a byte to all lanes, aligned"),
        (0xf4a0_0fcf, "VLD4 with size = 11 and a = 0"),
    ] {
        assert_eq!(decode::a32(word, 0), None, "{word:#010x}: {why}");
    }
}
