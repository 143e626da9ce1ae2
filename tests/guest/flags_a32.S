// A32 data processing: results and flags of each instruction, for shifts by immediate and by register.
// cflags: -nostdlib -marm -march=armv7-a+fp
    .arm
#include "flags.inc"

    .text
    .global _start
_start:
    .irp op, adds, adcs, subs, sbcs, rsbs, rscs, ands, orrs, eors, bics
    each    \op,            "\op r0, r1, r2"
    each    \op-lsl-r,      "\op r0, r1, r2, lsl r3"
    each    \op-lsr-r,      "\op r0, r1, r2, lsr r3"
    each    \op-asr-r,      "\op r0, r1, r2, asr r3"
    each    \op-ror-r,      "\op r0, r1, r2, ror r3"
    each    \op-lsl-1,      "\op r0, r1, r2, lsl #1"
    each    \op-lsr-32,     "\op r0, r1, r2, lsr #32"
    each    \op-asr-32,     "\op r0, r1, r2, asr #32"
    each    \op-ror-7,      "\op r0, r1, r2, ror #7"
    each    \op-rrx,        "\op r0, r1, r2, rrx"
    each    \op-imm,        "\op r0, r1, #0xff000000"
    each    \op-imm-low,    "\op r0, r1, #1"
    .ltorg
    .endr
    b       more
    .ltorg
more:
    .irp op, tst, teq, cmp, cmn
    each    \op,            "\op r1, r2"
    each    \op-lsl-r,      "\op r1, r2, lsl r3"
    each    \op-imm,        "\op r1, #0x80000000"
    .ltorg
    .endr
    .irp op, movs, mvns
    each    \op,            "\op r0, r2"
    each    \op-rrx,        "\op r0, r2, rrx"
    each    \op-asr-r,      "\op r0, r2, asr r3"
    each    \op-imm,        "\op r0, #0xf0000000"
    .ltorg
    .endr
    each    muls,           "muls r0, r1, r2"
    each    mlas,           "mlas r0, r1, r2, r3"
    each    umulls,         "umulls r0, r5, r1, r2"
    each    smlals,         "smlals r0, r3, r1, r2"
    each    umaal,          "umaal r0, r3, r1, r2"
    each    qadd,           "qadd r0, r1, r2"
    each    qdsub,          "qdsub r0, r1, r2"
    each    ssat,           "ssat r0, #7, r1, asr #3"
    each    usat,           "usat r0, #9, r1, lsl #2"
    .ltorg
    each    uadd8,          "uadd8 r0, r1, r2"
    each    uadd8-sel,      "uadd8 r5, r1, r2 ; sel r0, r1, r2"
    each    ssub16-sel,     "ssub16 r5, r1, r2 ; sel r0, r1, r2"
    each    uqsub8,         "uqsub8 r0, r1, r2"
    each    shasx,          "shasx r0, r1, r2"
    each    usada8,         "usada8 r0, r1, r2, r3"
    each    smlad,          "smlad r0, r1, r2, r3"
    each    smlawt,         "smlawt r0, r1, r2, r3"
    each    pkhtb,          "pkhtb r0, r1, r2, asr #5"
    .ltorg
    each    sxtab16,        "sxtab16 r0, r1, r2, ror #8"
    each    uxtah,          "uxtah r0, r1, r2, ror #24"
    each    ubfx,           "ubfx r0, r1, #5, #13"
    each    sbfx,           "sbfx r0, r1, #3, #29"
    each    bfi,            "bfi r0, r1, #7, #11"
    each    rbit,           "rbit r0, r1"
    each    revsh,          "revsh r0, r1"
    each    clz,            "clz r0, r1"
    each    addeq,          "addeq r0, r1, r2"
    .ltorg
    mov     r0, #0
    mov     r7, #1
    svc     #0

