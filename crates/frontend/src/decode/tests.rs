//! The tables as wholes, and words assembled by GNU as.

use super::*;
use crate::inst::shift;

/// The instruction sets with their tables.
fn sets() -> [(&'static str, &'static [Encoding]); 3] {
    [("A32", tables::A32), ("T16", tables::T16), ("T32", tables::T32)]
}

/// Operations that may claim the same word though neither pattern is a special case of the other, with the manual's
/// reason. The line with more fixed bits wins.
const OVERLAPS: &[(Op, Op, &str)] = &[
    (Op::NOP, Op::NOP, "unallocated memory hints"),
    (Op::NOP, Op::LDRSH_lit, "Rt = 15 makes it an unallocated memory hint whatever the addressing mode"),
];

/// Is this an A32 line with a condition field? It does not match words whose condition is 1111.
fn conditional(e: &Encoding) -> bool {
    e.bits.len() == 32 && e.mask >> 28 == 0
}

/// What a line says of a word that its pattern matches.
fn verdict(set: &str, e: &Encoding, word: u32) -> Verdict {
    let cx = match set {
        "A32" => Context { addr: 0x8000, pc: 0x8008, thumb: false, in_it: false, last_in_it: false },
        _ => thumb_context(0x8000, ItState::default()),
    };
    (e.fill)(word, &mut Inst::new(e.op), cx)
}

/// Two lines whose patterns overlap are a rule and its special case, or the form of one answers `Next` for what is the
/// other's.
#[test]
fn no_word_is_claimed_twice() {
    let mut random = Random(0x2545_f491);
    let mut wrong = Vec::new();
    for (set, lines) in sets() {
        for (k, a) in lines.iter().enumerate() {
            for b in &lines[..k] {
                let common = a.mask & b.mask;
                let apart = set == "A32" && conditional(a) != conditional(b);
                let special_case = a.mask != b.mask && (common == a.mask || common == b.mask);
                let listed =
                    OVERLAPS.iter().any(|&(x, y, _)| (x, y) == (a.op, b.op) || (x, y) == (b.op, a.op));
                if (a.value ^ b.value) & common != 0 || apart || special_case || listed {
                    continue;
                }
                let claimed =
                    (0..500).map(|_| random.next() & !(a.mask | b.mask) | a.value | b.value).find(|&w| {
                        let verdicts = [verdict(set, a, w), verdict(set, b, w)];
                        verdicts.contains(&Verdict::Valid) && !verdicts.contains(&Verdict::Next)
                    });
                if let Some(word) = claimed {
                    wrong.push(format!("{word:#010x}: {:?} {} and {:?} {}", a.op, a.bits, b.op, b.bits));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "claimed twice:\n{}", wrong.join("\n"));
}

/// A small generator of random numbers (xorshift).
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

/// Random operands in a line give its operation, or a more special one, or no instruction; and its own at least once.
#[test]
fn every_line_is_reached() {
    let mut random = Random(0x2545_f491);
    let mut dead = Vec::new();
    for (set, lines) in sets() {
        for e in lines {
            let mut reached = false;
            for round in 0..2000 {
                let mut word = e.value | random.next() & !e.mask;
                if e.bits.len() == 16 {
                    word &= 0xffff;
                } else if set == "A32" && conditional(e) {
                    let cond = if round % 2 == 0 { 14 } else { word % 15 };
                    word = word & 0x0fff_ffff | cond << 28;
                }
                let Some((found, inst)) = encoding(word, 0x8000, set != "A32", ItState::default()) else {
                    continue;
                };
                assert_eq!(found.op, inst.op);
                assert_eq!(word & found.mask, found.value, "{word:#010x} as {:?}", found.op);
                assert!(inst.cond <= cond::AL, "{word:#010x}: condition {}", inst.cond);
                if std::ptr::eq(found, e) {
                    reached = true;
                } else {
                    // A less special line only where this one says "SEE".
                    let special = found.mask.count_ones() >= e.mask.count_ones();
                    let verdict = verdict(set, e, word);
                    assert!(
                        special || verdict == Verdict::Next,
                        "{word:#010x} is {:?}, not {:?}",
                        found.op,
                        e.op
                    );
                }
            }
            if !reached {
                dead.push(format!("{set}: {:?} {}", e.op, e.bits));
            }
        }
    }
    assert!(dead.is_empty(), "never decoded:\n{}", dead.join("\n"));
}

/// Any word whatever decodes or not, without a panic.
#[test]
fn any_word() {
    let mut random = Random(1);
    for _ in 0..2_000_000 {
        let word = random.next();
        let (half, it) = (random.next() as u16, ItState(random.next() as u8));
        a32(word, word);
        t16(half, word, it);
        if is_t32((word >> 16) as u16) {
            t32(word, word, it);
        }
    }
}

macro_rules! known {
    ($decode:expr, $($word:literal $text:literal $op:ident { $($field:ident: $value:expr),* };)*) => {
        $({
            let expected = Inst { $($field: $value,)* ..Inst::new(Op::$op) };
            let word: u32 = $word;
            assert_eq!($decode(word), Some(expected), "{word:#010x} {}", $text);
        })*
    };
}

/// Assembled at 0x8000.
#[test]
fn known_a32_words() {
    known! {
        |w| a32(w, 0x8000),
        0xe0a10182 "adc r0, r1, r2, lsl #3" ADC_reg { rn: 1, rm: 2, amount: 3 };
        0xe29434ff "adds r3, r4, #0xff000000" ADD_imm { rd: 3, rn: 4, imm: 0xff000000, flags: Inst::S | Inst::CARRY };
        0xe29430ff "adds r3, r4, #255" ADD_imm { rd: 3, rn: 4, imm: 255, flags: Inst::S };
        0xe1b00061 "movs r0, r1, rrx" MOV_reg { rm: 1, shift: shift::RRX, amount: 1, flags: Inst::S };
        0xe1b00021 "movs r0, r1, lsr #32" MOV_reg { rm: 1, shift: shift::LSR, amount: 32, flags: Inst::S };
        0xe1a05776 "mov r5, r6, ror r7" MOV_rsr { rd: 5, rm: 6, ra: 7, shift: shift::ROR };
        0xe3e00000 "mvn r0, #0" MVN_imm {};
        0xe3500001 "cmp r0, #1" CMP_imm { imm: 1 };
        0xe1110fc2 "tst r1, r2, asr #31" TST_reg { rn: 1, rm: 2, shift: shift::ASR, amount: 31 };
        0xe1310312 "teq r1, r2, lsl r3" TEQ_rsr { rn: 1, rm: 2, ra: 3 };
        0x008ff100 "addeq pc, pc, r0, lsl #2" ADD_reg { rd: 15, rn: 15, amount: 2, cond: cond::EQ };
        0xe30a0bcd "movw r0, #0xabcd" MOVW { imm: 0xabcd };
        0xe3411234 "movt r1, #0x1234" MOVT { rd: 1, imm: 0x1234 };
        0xe28f2008 "adr r2, .+16" ADR { rd: 2, imm: 0x8010 };
        0xe24f2010 "adr r2, .-8" ADR { rd: 2, imm: 0x7ff8 };
        0xe0000291 "mul r0, r1, r2" MUL { rn: 1, rm: 2 };
        0xe0303291 "mlas r0, r1, r2, r3" MLA { rn: 1, rm: 2, ra: 3, flags: Inst::S };
        0xe0603291 "mls r0, r1, r2, r3" MLS { rn: 1, rm: 2, ra: 3 };
        0xe0810392 "umull r0, r1, r2, r3" UMULL { ra: 1, rn: 2, rm: 3 };
        0xe0f10392 "smlals r0, r1, r2, r3" SMLAL { ra: 1, rn: 2, rm: 3, flags: Inst::S };
        0xe0410392 "umaal r0, r1, r2, r3" UMAAL { ra: 1, rn: 2, rm: 3 };
        0xe10032c1 "smlabt r0, r1, r2, r3" SMLAxy { rn: 1, rm: 2, ra: 3, amount: 1 };
        0xe16002a1 "smultb r0, r1, r2" SMULxy { rn: 1, rm: 2, shift: 1 };
        0xe12032c1 "smlawt r0, r1, r2, r3" SMLAWy { rn: 1, rm: 2, ra: 3, amount: 1 };
        0xe12002a1 "smulwb r0, r1, r2" SMULWy { rn: 1, rm: 2 };
        0xe14103a2 "smlaltb r0, r1, r2, r3" SMLALxy { ra: 1, rn: 2, rm: 3, shift: 1 };
        0xe7003231 "smladx r0, r1, r2, r3" SMLAD { rn: 1, rm: 2, ra: 3, amount: 1 };
        0xe700f251 "smusd r0, r1, r2" SMUSD { rn: 1, rm: 2 };
        0xe7410312 "smlald r0, r1, r2, r3" SMLALD { ra: 1, rn: 2, rm: 3 };
        0xe750f231 "smmulr r0, r1, r2" SMMUL { rn: 1, rm: 2, amount: 1 };
        0xe75032d1 "smmls r0, r1, r2, r3" SMMLS { rn: 1, rm: 2, ra: 3 };
        0xe710f211 "sdiv r0, r1, r2" SDIV { rn: 1, rm: 2 };
        0xe730f211 "udiv r0, r1, r2" UDIV { rn: 1, rm: 2 };
        0xe1420051 "qdadd r0, r1, r2" QDADD { rm: 1, rn: 2 };
        0xe6af0051 "ssat r0, #16, r1, asr #32" SSAT { imm: 16, rn: 1, shift: shift::ASR, amount: 32 };
        0xe6e80211 "usat r0, #8, r1, lsl #4" USAT { imm: 8, rn: 1, amount: 4 };
        0xe6af0f31 "ssat16 r0, #16, r1" SSAT16 { imm: 16, rn: 1 };
        0xe6ef0f31 "usat16 r0, #15, r1" USAT16 { imm: 15, rn: 1 };
        0xe6510f92 "uadd8 r0, r1, r2" UADD8 { rn: 1, rm: 2 };
        0xe6310f52 "shsax r0, r1, r2" SHSAX { rn: 1, rm: 2 };
        0xe7803211 "usada8 r0, r1, r2, r3" USADA8 { rn: 1, rm: 2, ra: 3 };
        0xe780f211 "usad8 r0, r1, r2" USAD8 { rn: 1, rm: 2 };
        0xe6810fb2 "sel r0, r1, r2" SEL { rn: 1, rm: 2 };
        0xe6810812 "pkhbt r0, r1, r2, lsl #16" PKH { rn: 1, rm: 2, amount: 16 };
        0xe6810052 "pkhtb r0, r1, r2, asr #32" PKH { rn: 1, rm: 2, shift: shift::ASR, amount: 32 };
        0xe6af0071 "sxtb r0, r1" SXTB { rm: 1 };
        0xe6c10c72 "uxtab16 r0, r1, r2, ror #24" UXTAB16 { rn: 1, rm: 2, shift: shift::ROR, amount: 24 };
        0xe6bf0f31 "rev r0, r1" REV { rm: 1 };
        0xe6ff0fb1 "revsh r0, r1" REVSH { rm: 1 };
        0xe6bf0fb1 "rev16 r0, r1" REV16 { rm: 1 };
        0xe6ff0f31 "rbit r0, r1" RBIT { rm: 1 };
        0xe16f0f11 "clz r0, r1" CLZ { rm: 1 };
        0xe7bc01d1 "sbfx r0, r1, #3, #29" SBFX { rn: 1, amount: 3, imm: 29 };
        0xe7e00051 "ubfx r0, r1, #0, #1" UBFX { rn: 1, imm: 1 };
        0xe7cb0211 "bfi r0, r1, #4, #8" BFI { rn: 1, amount: 4, imm: 8 };
        0xe7df0f9f "bfc r0, #31, #1" BFC { amount: 31, imm: 1 };
        0xe1410242 "crc32cw r0, r1, r2" CRC32 { rn: 1, rm: 2, shift: 1, size: 2 };
        0xe1010042 "crc32b r0, r1, r2" CRC32 { rn: 1, rm: 2 };
        0xe10f0000 "mrs r0, apsr" MRS {};
        0xe12cf001 "msr apsr_nzcvqg, r1" MSR_reg { rn: 1, size: 12 };
        0xe328f20f "msr apsr_nzcvq, #0xf0000000" MSR_imm { imm: 0xf0000000, size: 8, flags: Inst::CARRY };
        0xe320f000 "nop" NOP {};
        0xe320f002 "wfe" WFE {};
        0xe320f0f5 "dbg #5" DBG { imm: 5 };
        0xe1212374 "bkpt 0x1234" BKPT { imm: 0x1234 };
        0xe7f123f4 "udf #0x1234" UDF { imm: 0x1234 };
        0xef123456 "svc 0x123456" SVC { imm: 0x123456 };
        0xeafffffe "b ." B { imm: 0x8000 };
        0x1b0003fe "blne .+0x1000" BL { imm: 0x9000, cond: cond::NE };
        0xfb000001 "blx .+14" BLX_imm { imm: 0x800e };
        0xe12fff1e "bx lr" BX { rm: 14 };
        0xe12fff33 "blx r3" BLX_reg { rm: 3 };
        0xf57ff01f "clrex" CLREX {};
        0xf57ff05b "dmb ish" DMB { imm: 11 };
        0xf57ff04f "dsb sy" DSB { imm: 15 };
        0xf57ff06f "isb" ISB { imm: 15 };
        0xf551f004 "pld [r1, #-4]" PLD_imm { rn: 1, imm: 4, flags: Inst::P };
        0xf791f102 "pldw [r1, r2, lsl #2]" PLDW_reg { rn: 1, rm: 2, amount: 2, flags: Inst::P | Inst::U };
        0xf4dff008 "pli [pc, #8]" PLI { rn: 15, imm: 8, flags: Inst::P | Inst::U };
        0xe5310004 "ldr r0, [r1, #-4]!" LDR_imm { rn: 1, imm: 4, flags: Inst::P | Inst::W };
        0xe49df004 "ldr pc, [sp], #4" LDR_imm { rd: 15, rn: 13, imm: 4, flags: Inst::U | Inst::W };
        0xe59f0008 "ldr r0, [pc, #8]" LDR_lit { imm: 0x8010, flags: Inst::U };
        0xe7d10022 "ldrb r0, [r1, r2, lsr #32]" LDRB_reg { rn: 1, rm: 2, shift: shift::LSR, amount: 32, flags: Inst::P | Inst::U };
        0xe4b10004 "ldrt r0, [r1], #4" LDR_imm { rn: 1, imm: 4, flags: Inst::U | Inst::W };
        0xe6410002 "strb r0, [r1], -r2" STRB_reg { rn: 1, rm: 2, flags: Inst::W };
        0xe1d10abb "ldrh r0, [r1, #0xab]" LDRH_imm { rn: 1, imm: 0xab, flags: Inst::P | Inst::U };
        0xe13100d2 "ldrsb r0, [r1, -r2]!" LDRSB_reg { rn: 1, rm: 2, flags: Inst::P | Inst::W };
        0xe15f00f4 "ldrsh r0, [pc, #-4]" LDRSH_lit { imm: 0x8004 };
        0xe0e100b1 "strht r0, [r1], #1" STRH_imm { rn: 1, imm: 1, flags: Inst::U | Inst::W };
        0xe1c120d8 "ldrd r2, r3, [r1, #8]" LDRD_imm { rd: 2, ra: 3, rn: 1, imm: 8, flags: Inst::P | Inst::U };
        0xe08120f4 "strd r2, r3, [r1], r4" STRD_reg { rd: 2, ra: 3, rn: 1, rm: 4, flags: Inst::U | Inst::W };
        0xe1cf20d0 "ldrd r2, r3, [pc, #0]" LDRD_lit { rd: 2, ra: 3, imm: 0x8008, flags: Inst::U };
        0xe9b08006 "ldmib r0!, {r1, r2, pc}" LDM { imm: 0x8006, flags: Inst::P | Inst::U | Inst::W };
        0xe8000006 "stmda r0, {r1, r2}" STM { imm: 6 };
        0xe8bd8010 "pop {r4, pc}" LDM { rn: 13, imm: 0x8010, flags: Inst::U | Inst::W };
        0xe92d4010 "push {r4, lr}" STM { rn: 13, imm: 0x4010, flags: Inst::P | Inst::W };
        0xe1020091 "swp r0, r1, [r2]" SWP { rm: 1, rn: 2 };
        0xe1910f9f "ldrex r0, [r1]" LDREX { rn: 1 };
        0xe1820f91 "strex r0, r1, [r2]" STREX { rd: 1, rn: 2 };
        0xe1b20f9f "ldrexd r0, r1, [r2]" LDREXD { ra: 1, rn: 2 };
        0xe1a24f90 "strexd r4, r0, r1, [r2]" STREXD { rm: 4, ra: 1, rn: 2 };
        0xe1c20f91 "strexb r0, r1, [r2]" STREXB { rd: 1, rn: 2 };
        0xe1f10e9f "ldaexh r0, [r1]" LDAEXH { rn: 1 };
        0xe1820e91 "stlex r0, r1, [r2]" STLEX { rd: 1, rn: 2 };
        0xe1910c9f "lda r0, [r1]" LDA { rn: 1 };
        0xe1c1fc90 "stlb r0, [r1]" STLB { rn: 1 };
        0xee1d0f70 "mrc p15, 0, r0, c13, c0, 3" MRC_TPIDRURO {};
        0xee0d0f50 "mcr p15, 0, r0, c13, c0, 2" MCR_TPIDRURW {};
        0xee070fba "mcr p15, 0, r0, c7, c10, 5" DMB {};
        0xec510f1e "mrrc p15, 1, r0, r1, c14" MRRC_CNTVCT { ra: 1 };
        0xf10c0080 "cpsid i" CPS { imm: 0x60 };
        0xf1010000 "setend le" SETEND {};
        0xe7f001f0 "udf #16" BKPT {};
    }
}

/// A literal's offset may look like another addressing mode's fields.
#[test]
fn t32_literals() {
    for (word, op) in [
        (0xf81f_002c, Op::LDRB_lit),  // ldrb r0, [pc, #-44]
        (0xf83f_1e04, Op::LDRH_lit),  // ldrh r1, [pc, #-0xe04]
        (0xf91f_2d10, Op::LDRSB_lit), // ldrsb r2, [pc, #-0xd10]
        (0xf93f_3001, Op::LDRSH_lit), // ldrsh r3, [pc, #-1]
        (0xf85f_4e08, Op::LDR_lit),   // ldr r4, [pc, #-0xe08]
        (0xf8df_5010, Op::LDR_lit),   // ldr r5, [pc, #16]
    ] {
        assert_eq!(t32(word, 0x8000, ItState::default()).map(|i| i.op), Some(op), "{word:#010x}");
    }
}

#[test]
fn unpredictable_and_undefined_words() {
    let words = [
        (0xe1b0_f00e, "movs pc, lr"),
        (0xe090_f001, "adds pc, r0, r1"),
        (0xe08f_0112, "add r0, pc, r2, lsl r1"),
        (0xe000_0f91, "mul r0, r1, pc"),
        (0xe080_0192, "umull r0, r0, r2, r1"),
        (0xe4b0_0004, "ldrt r0, [r0], #4"),
        (0xe5b0_0004, "ldr r0, [r0, #4]!"),
        (0xe5df_f000, "ldrb pc, [pc]"),
        (0xe1c1_30d0, "ldrd r3, r4, [r1]"),
        (0xe1c1_e0d0, "ldrd lr, pc, [r1]"),
        (0xe8b0_0003, "ldm r0!, {r0, r1}"),
        (0xe890_0000, "ldm r0, {}"),
        (0xe8d0_0002, "ldm r0, {r1}^"),
        (0xe182_0f90, "strex r0, r0, [r2]"),
        (0xe7c0_0c11, "bfi r0, r1, #24, of a negative width"),
        (0xe7bf_0851, "sbfx r0, r1, #16, #32"),
        (0xe161_0142, "crc32 of a doubleword"),
        (0xe14f_0000, "mrs r0, spsr"),
        (0x0120_0070, "bkpteq"),
        (0xf101_0200, "setend be"),
        (0xee11_0f10, "mrc p15, 0, r0, c1, c0, 0"),
        (0xee10_0e10, "mrc p14, 0, r0, c0, c0, 0"),
        (0xee00_0110, "an FPA instruction"),
        (0xf8bd_0a00, "rfeia sp!"),
    ];
    for (word, text) in words {
        assert_eq!(a32(word, 0x8000), None, "{word:#010x} {text}");
    }
}

#[test]
fn an_it_block_of_condition_1111_always_executes() {
    assert_eq!(ItState(0xf8).cond(), cond::AL);
    let nop = t16(0xbf00, 0, ItState(0xf8)).expect("NOP");
    assert_eq!(nop.cond, cond::AL);
}
