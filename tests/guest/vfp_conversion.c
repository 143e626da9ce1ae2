// VFP conversions on the edges, in every rounding mode, with flush-to-zero and default NaN: results and exception flags.
// cflags: -march=armv8-a+simd
#include "vfp.h"

static void all(void) {
    TEST("vcvt.f64.f32", "vcvt.f64.f32 d0, s0", SINGLES, 0, 0);
    TEST("vcvt.f32.f64", "vcvt.f32.f64 s0, d0", DOUBLES, 0, 0);
#define TO_INT(op, to)                                                                                                \
    TEST(op to ".f32", op to ".f32 s0, s0", SINGLES, 0, 0);                                                           \
    TEST(op to ".f64", op to ".f64 s0, d0", DOUBLES, 0, 0)
#define TO_INTS(op) TO_INT(op, ".s32"); TO_INT(op, ".u32")
    TO_INTS("vcvt");
    TO_INTS("vcvtr");
    TO_INTS("vcvta");
    TO_INTS("vcvtn");
    TO_INTS("vcvtp");
    TO_INTS("vcvtm");
    ONE_S("vrinta"); ONE_D("vrinta");
    ONE_S("vrintn"); ONE_D("vrintn");
    ONE_S("vrintp"); ONE_D("vrintp");
    ONE_S("vrintm"); ONE_D("vrintm");
    ONE_S("vrintz"); ONE_D("vrintz");
    ONE_S("vrintr"); ONE_D("vrintr");
    ONE_S("vrintx"); ONE_D("vrintx");
    TEST("vcvt.f32.s32", "vcvt.f32.s32 s0, s0", SINGLES, 0, 0);
    TEST("vcvt.f32.u32", "vcvt.f32.u32 s0, s0", SINGLES, 0, 0);
    TEST("vcvt.f64.s32", "vcvt.f64.s32 d0, s0", SINGLES, 0, 0);
    TEST("vcvt.f64.u32", "vcvt.f64.u32 d0, s0", SINGLES, 0, 0);
#define FIXED(type, bits)                                                                                             \
    TEST("vcvt." type ".f32 #" #bits, "vcvt." type ".f32 s0, s0, #" #bits, SINGLES, 0, 0);                            \
    TEST("vcvt." type ".f64 #" #bits, "vcvt." type ".f64 d0, d0, #" #bits, DOUBLES, 0, 0);                            \
    TEST("vcvt.f32." type " #" #bits, "vcvt.f32." type " s0, s0, #" #bits, SINGLES, 0, 0);                            \
    TEST("vcvt.f64." type " #" #bits, "vcvt.f64." type " d0, d0, #" #bits, SINGLES, 0, 0)
    FIXED("s16", 1);
    FIXED("s16", 15);
    FIXED("s16", 16);
    FIXED("u16", 1);
    FIXED("u16", 8);
    FIXED("u16", 16);
    FIXED("s32", 1);
    FIXED("s32", 17);
    FIXED("s32", 32);
    FIXED("u32", 1);
    FIXED("u32", 31);
    FIXED("u32", 32);
    TEST("vcvtb.f16.f32", "vcvtb.f16.f32 s0, s0", SINGLES, 0, 0);
    TEST("vcvtt.f16.f32", "vcvtt.f16.f32 s0, s0", SINGLES, 0, 0);
    TEST("vcvtb.f16.f64", "vcvtb.f16.f64 s0, d0", DOUBLES, 0, 0);
    TEST("vcvtt.f16.f64", "vcvtt.f16.f64 s0, d0", DOUBLES, 0, 0);
}

static void halves(void) {
    // Every half, in IEEE and in alternative format; then singles to the alternative format.
    for (u32 mode = 0; mode < 8; mode++) {
        u32 fpscr = (mode & 1) << 26 | (mode >> 1 & 1) << 25 | (mode >> 2) << 24, after;
        u64 value;
        for (u32 half = 0; half < 0x10000; half++) {
            RUN("vcvtb.f32.f16 s0, s0", fpscr, (u64)half, (u64)0, (u64)0, value, after);
            result("vcvtb.f32.f16", fpscr, half, 0, 0, value, after);
            RUN("vcvtt.f64.f16 d0, s0", fpscr, (u64)half << 16, (u64)0, (u64)0, value, after);
            result("vcvtt.f64.f16", fpscr, half, 0, 0, value, after);
        }
        set_fpscr(0);
        line("half");
        for (u32 i = 0; i < COUNT(SINGLES); i++) {
            u64 a = SINGLES[i];
            RUN("vcvtb.f16.f32 s0, s0", fpscr, a, (u64)0, (u64)0, value, after);
            result("vcvtb.f16.f32", fpscr, a, 0, 0, value, after);
        }
        set_fpscr(0);
        line("to half");
    }
}

int main(int argc, char **argv) {
    (void)argv;
    start(argc);
    all();
    flush();
    all();
    halves();
    return 0;
}
