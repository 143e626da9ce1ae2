//! VFP and the Cryptographic Extension: words as GNU as makes them, and what the disassembler says of them. The operands pass
//! through the decoder, so this tests tables, forms and syntax at once.

use forearm_frontend::decode::{self, ItState};
use forearm_frontend::disasm::disassemble;
use forearm_frontend::inst::Op;

const WORDS: &[(u32, &str)] = &[
    (0xee4f0a21, "vmla.f32 s1, s30, s3"),
    (0xee421b2f, "vmla.f64 d17, d2, d31"),
    (0x1e000ac1, "vmlsne.f32 s0, s1, s2"),
    (0xee121b43, "vnmla.f64 d1, d2, d3"),
    (0xee510a21, "vnmls.f32 s1, s2, s3"),
    (0xee6efbad, "vmul.f64 d31, d30, d29"),
    (0xee6ffa6e, "vnmul.f32 s31, s30, s29"),
    (0xee300a81, "vadd.f32 s0, s1, s2"),
    (0xee300bc2, "vsub.f64 d0, d16, d2"),
    (0xee822a83, "vdiv.f32 s4, s5, s6"),
    (0xeea54b06, "vfma.f64 d4, d5, d6"),
    (0xeea22ac3, "vfms.f32 s4, s5, s6"),
    (0xee922ac3, "vfnma.f32 s4, s5, s6"),
    (0xee954b06, "vfnms.f64 d4, d5, d6"),
    (0xeef72a00, "vmov.f32 s5, #1.0"),
    (0xeefc4b00, "vmov.f64 d20, #-0.125"),
    (0xeef32a0f, "vmov.f32 s5, #31.0"),
    (0xeef04a44, "vmov.f32 s9, s8"),
    (0xeeb09bc8, "vabs.f64 d9, d8"),
    (0xeef14a44, "vneg.f32 s9, s8"),
    (0xceb19bc8, "vsqrtgt.f64 d9, d8"),
    (0xeef40a41, "vcmp.f32 s1, s2"),
    (0xeeb41be6, "vcmpe.f64 d1, d22"),
    (0xeeb51b40, "vcmp.f64 d1, #0.0"),
    (0xeef50ac0, "vcmpe.f32 s1, #0.0"),
    (0xeef20a41, "vcvtb.f32.f16 s1, s2"),
    (0xeef30ac1, "vcvtt.f16.f32 s1, s2"),
    (0xeef21be1, "vcvtt.f64.f16 d17, s3"),
    (0xeef31b61, "vcvtb.f16.f64 s3, d17"),
    (0xeef60a41, "vrintr.f32 s1, s2"),
    (0xeeb61bc2, "vrintz.f64 d1, d2"),
    (0xeef70a61, "vrintx.f32 s1, s3"),
    (0xeef71ae1, "vcvt.f64.f32 d17, s3"),
    (0xeef71be1, "vcvt.f32.f64 s3, d17"),
    (0xeef81ac2, "vcvt.f32.s32 s3, s4"),
    (0xeef83b62, "vcvt.f64.u32 d19, s5"),
    (0xeefd1a62, "vcvtr.s32.f32 s3, s5"),
    (0xeefc1b65, "vcvtr.u32.f64 s3, d21"),
    (0xeefd1be5, "vcvt.s32.f64 s3, d21"),
    (0xeefc1ac2, "vcvt.u32.f32 s3, s4"),
    (0xeefa1a64, "vcvt.f32.s16 s3, s3, #7"),
    (0xeefb2bc0, "vcvt.f64.u32 d18, d18, #32"),
    (0xeeff2b67, "vcvt.u16.f64 d18, d18, #1"),
    (0xeefe3ae8, "vcvt.s32.f32 s7, s7, #15"),
    (0xfe410a21, "vseleq.f32 s1, s2, s3"),
    (0xfe121b03, "vselvs.f64 d1, d2, d3"),
    (0xfe221b03, "vselge.f64 d1, d2, d3"),
    (0xfe710a21, "vselgt.f32 s1, s2, s3"),
    (0xfec10a21, "vmaxnm.f32 s1, s2, s3"),
    (0xfe821b63, "vminnm.f64 d1, d2, d19"),
    (0xfef80a41, "vrinta.f32 s1, s2"),
    (0xfeb91b42, "vrintn.f64 d1, d2"),
    (0xfefa0a41, "vrintp.f32 s1, s2"),
    (0xfefb0a41, "vrintm.f32 s1, s2"),
    (0xfefc0ac1, "vcvta.s32.f32 s1, s2"),
    (0xfefd0b42, "vcvtn.u32.f64 s1, d2"),
    (0xfefe0be2, "vcvtp.s32.f64 s1, d18"),
    (0xfeff0a41, "vcvtm.u32.f32 s1, s2"),
    (0xed511a02, "vldr s3, [r1, #-8]"),
    (0xedd23bff, "vldr d19, [r2, #1020]"),
    (0x1dcdfa00, "vstrne s31, [sp]"),
    (0xed0b0b01, "vstr d0, [r11, #-4]"),
    (0xecd31a0f, "vldmia r3, {s3-s17}"),
    (0xecf30b20, "vldmia r3!, {d16-d31}"),
    (0xed73fa01, "vldmdb r3!, {s31}"),
    (0xeca31b06, "vstmia r3!, {d1-d3}"),
    (0xed2d8b10, "vstmdb sp!, {d8-d15}"),
    (0xee1f1a90, "vmov r1, s31"),
    (0xee0f9a10, "vmov s30, r9"),
    (0xee613bb0, "vmov.8 d17[5], r3"),
    (0xee233b70, "vmov.16 d3[3], r3"),
    (0xee2f3b90, "vmov.32 d31[1], r3"),
    (0xeef33b70, "vmov.u8 r3, d3[7]"),
    (0xee5e3b90, "vmov.s8 r3, d30[0]"),
    (0xeeb33b30, "vmov.u16 r3, d3[2]"),
    (0xee133b70, "vmov.s16 r3, d3[1]"),
    (0xee133b10, "vmov.32 r3, d3[0]"),
    (0xeee23b90, "vdup.8 q9, r3"),
    (0xee823bb0, "vdup.16 d18, r3"),
    (0xee813b10, "vdup.32 d1, r3"),
    (0xec521a31, "vmov r1, r2, s3, s4"),
    (0xec421a1f, "vmov s30, s31, r1, r2"),
    (0xec521b33, "vmov r1, r2, d19"),
    (0xec421b13, "vmov d3, r1, r2"),
    (0xeef1fa10, "vmrs apsr_nzcv, fpscr"),
    (0xeef14a10, "vmrs r4, fpscr"),
    (0xeee14a10, "vmsr fpscr, r4"),
    (0xf3b0232e, "aese.8 q1, q15"),
    (0xf3f02344, "aesd.8 q9, q2"),
    (0xf3b02384, "aesmc.8 q1, q2"),
    (0xf3f043c6, "aesimc.8 q10, q3"),
    (0xf3b922e8, "sha1h.32 q1, q12"),
    (0xf3ba2384, "sha1su1.32 q1, q2"),
    (0xf3ba23c4, "sha256su0.32 q1, q2"),
    (0xf2082cc6, "sha1c.32 q1, q12, q3"),
    (0xf2142c6a, "sha1p.32 q1, q2, q13"),
    (0xf2646c46, "sha1m.32 q11, q2, q3"),
    (0xf2342c46, "sha1su0.32 q1, q2, q3"),
    (0xf3042c46, "sha256h.32 q1, q2, q3"),
    (0xf3142c46, "sha256h2.32 q1, q2, q3"),
    (0xf3222cc6, "sha256su1.32 q1, q9, q3"),
    (0xf2e22e83, "vmull.p64 q9, d18, d3"),
];

#[test]
fn words_of_the_assembler() {
    for &(word, text) in WORDS {
        assert_eq!(
            disassemble(word, 0x1000, false, ItState::default()).replace('\t', " "),
            text,
            "{word:#010x}"
        );
        // In Thumb the same operations: the coprocessor space as it is, Advanced SIMD's with other leading bits.
        let thumb = match word >> 24 {
            0xf2 => word & 0x00ff_ffff | 0xef00_0000,
            0xf3 => word & 0x00ff_ffff | 0xff00_0000,
            _ if word >> 28 == 0xe || word >> 28 == 0xf => word,
            _ => continue, // conditional: an IT block's work
        };
        let (a32, t32) = (decode::a32(word, 0x1000), decode::t32(thumb, 0x1004, ItState::default()));
        assert!(a32.is_some() && a32 == t32, "{word:#010x} {text}");
    }
}

#[test]
fn literals_are_resolved() {
    let offset = |word, addr, thumb| {
        let inst = if thumb { decode::t32(word, addr, ItState::default()) } else { decode::a32(word, addr) };
        inst.expect("valid").imm
    };
    assert_eq!(offset(0xed9f_0b02, 0x1000, false), 0x1010); // vldr d0, [pc, #8]
    assert_eq!(offset(0xed1f_0a02, 0x1000, false), 0x1000); // vldr s0, [pc, #-8]
    assert_eq!(offset(0xed9f_0b02, 0x1002, true), 0x100c); // pc is aligned down
}

#[test]
fn old_multiple_transfers_count_one_word_more() {
    let inst = decode::a32(0xecb0_0b07, 0).expect("fldmiax r0!, {d0-d2}");
    assert_eq!((inst.op, inst.amount, inst.imm), (Op::VLDM, 3, 28));
}

#[test]
fn undefined_and_unpredictable() {
    for (word, what) in [
        (0xee10_fa10, "vmov pc, s0"),
        (0xeef0_1a10, "vmrs r1, fpsid is not user mode's"),
        (0xeef7_1a10, "vmrs r1, mvfr0 likewise"),
        (0xeee1_fa10, "vmsr fpscr, pc"),
        (0xec90_0b00, "vldmia r0, {} of no registers"),
        (0xec90_0b22, "vldmia r0, {d0-d16}"),
        (0xecd0_fa05, "vldmia r0, {s31-s35}"),
        (0xecbf_0b02, "vldmia pc!, {d0}"),
        (0xee10_0b50, "vmov.<reserved size> r0, d0[..]"),
        (0xeee0_0b30, "vdup with both size bits"),
        (0xeea1_1b10, "vdup.32 of an odd quadword"),
        (0xec51_fa10, "vmov pc, r1, s0, s1"),
        (0xec52_2a10, "vmov r2, r2, s0, s1"),
        (0xec42_1a3f, "vmov s31, s32, r1, r2"),
        (0xeeba_0a6f, "vcvt.f32.s16 of 17 to 31 bits"),
        (0xf3b0_1302, "aese.8 of an odd doubleword"),
        (0xee30_0900, "half precision is Armv8.2"),
    ] {
        assert_eq!(decode::a32(word, 0), None, "{word:#010x} {what}");
    }
}
