// T32 data processing: results and flags of 16-bit and 32-bit encodings, alone and in IT blocks.
// cflags: -nostdlib -mthumb -march=armv7ve+fp
    .thumb
#include "flags.inc"

    .text
    .global _start
    .thumb_func
_start:
    .irp op, adds, adcs, subs, sbcs, rsbs, ands, orrs, eors, bics, orns
    each    \op-w,          "\op\().w r0, r1, r2"
    each    \op-lsl-3,      "\op r0, r1, r2, lsl #3"
    each    \op-lsr-32,     "\op r0, r1, r2, lsr #32"
    each    \op-asr-32,     "\op r0, r1, r2, asr #32"
    each    \op-ror-7,      "\op r0, r1, r2, ror #7"
    each    \op-rrx,        "\op r0, r1, r2, rrx"
    each    \op-imm,        "\op r0, r1, #0xff000000"
    each    \op-imm-00xy,   "\op r0, r1, #0x00ab00ab"
    each    \op-imm-xyxy,   "\op r0, r1, #0xcdcdcdcd"
    .ltorg
    .endr
    b.w     more
    .ltorg
more:
    each    adds-n,         "adds.n r0, r1, r2"
    each    subs-n,         "subs.n r0, r1, r2"
    each    adds-n-imm3,    "adds.n r0, r1, #5"
    each    subs-n-imm8,    "subs.n r1, #200"
    each    ands-n,         "ands.n r1, r2"
    each    eors-n,         "eors.n r1, r2"
    each    lsls-n,         "lsls.n r1, r2"
    each    lsrs-n,         "lsrs.n r1, r2"
    each    asrs-n,         "asrs.n r1, r2"
    each    rors-n,         "rors.n r1, r2"
    each    adcs-n,         "adcs.n r1, r2"
    each    sbcs-n,         "sbcs.n r1, r2"
    each    rsbs-n,         "rsbs.n r0, r1, #0"
    each    muls-n,         "muls.n r1, r2, r1"
    each    bics-n,         "bics.n r1, r2"
    each    mvns-n,         "mvns.n r0, r1"
    .ltorg
    each    lsls-n-imm,     "lsls.n r0, r1, #4"
    each    lsrs-n-imm,     "lsrs.n r0, r1, #32"
    each    asrs-n-imm,     "asrs.n r0, r1, #32"
    each    lsls-w,         "lsls.w r0, r1, r2"
    each    rors-w,         "rors.w r0, r1, r2"
    each    tst-n,          "tst.n r1, r2"
    each    cmp-n,          "cmp.n r1, r2"
    each    cmp-n-imm,      "cmp.n r1, #0x80"
    each    cmn-w,          "cmn.w r1, r2, lsl #1"
    each    teq-w,          "teq r1, r2, asr #4"
    each    tst-w-imm,      "tst.w r1, #0x80000000"
    each    addw,           "addw r0, r1, #0xabc"
    each    subw,           "subw r0, r1, #0xfff"
    each    movw-movt,      "movw r0, #0x1234 ; movt r0, #0xfedc"
    .ltorg
    each    it-eq,          "cmp r1, r2 ; it eq ; moveq r0, #1"
    each    ite-hi,         "cmp r1, r2 ; ite hi ; addhi r0, r1, r2 ; subls r0, r1, r2"
    each    itttt-ge,       "cmp r1, r2 ; itttt ge ; addge r0, r0, #1 ; lslge r0, r0, #2 ; addge r0, r0, r1 ; mvnge r0, r0"
    each    itete-cs,       "cmp r1, r2 ; itete cs ; movcs r0, #1 ; movcc r0, #2 ; addcs r0, r0, #8 ; addcc r0, r0, #9"
    each    it-no-flags,    "it mi ; addmi r1, r2"
    each    it-cmp,         "cmp r1, r2 ; itt ne ; cmpne r2, #5 ; movne r0, #3"
    each    sdiv,           "sdiv r0, r1, r2"
    each    umaal,          "umaal r0, r3, r1, r2"
    each    smull,          "smull r0, r5, r1, r2"
    each    bfc,            "mov r0, r1 ; bfc r0, #3, #20"
    each    ubfx,           "ubfx r0, r1, #9, #17"
    .ltorg
    each    sel,            "usub8 r5, r1, r2 ; sel r0, r1, r2"
    each    qsub16,         "qsub16 r0, r1, r2"
    each    pkhbt,          "pkhbt r0, r1, r2, lsl #9"
    each    sxtb16,         "sxtb16 r0, r1, ror #16"
    each    ssat16,         "ssat16 r0, #5, r1"
    each    tbb,            "and r0, r1, #1 ; tbb [pc, r0] ; .byte 1, 2 ; adds r2, r2, r2 ; adds r0, r0, r2"
    .ltorg
    mov     r0, #0
    mov     r7, #1
    svc     #0
