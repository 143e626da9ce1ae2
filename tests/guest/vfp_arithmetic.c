// VFP arithmetic on the edges, in every rounding mode, with flush-to-zero and default NaN: results and exception flags.
// cflags: -march=armv8-a+simd
#include "vfp.h"

static void all(void) {
    TWO_S("vadd"); TWO_D("vadd");
    TWO_S("vsub"); TWO_D("vsub");
    TWO_S("vmul"); TWO_D("vmul");
    TWO_S("vnmul"); TWO_D("vnmul");
    TWO_S("vdiv"); TWO_D("vdiv");
    TWO_S("vmaxnm"); TWO_D("vmaxnm");
    TWO_S("vminnm"); TWO_D("vminnm");
    THREE_S("vmla"); THREE_D("vmla");
    THREE_S("vmls"); THREE_D("vmls");
    THREE_S("vnmla"); THREE_D("vnmla");
    THREE_S("vnmls"); THREE_D("vnmls");
    THREE_S("vfma"); THREE_D("vfma");
    THREE_S("vfms"); THREE_D("vfms");
    THREE_S("vfnma"); THREE_D("vfnma");
    THREE_S("vfnms"); THREE_D("vfnms");
    ONE_S("vsqrt"); ONE_D("vsqrt");
    ONE_S("vabs"); ONE_D("vabs");
    ONE_S("vneg"); ONE_D("vneg");
    ONE_S("vmov"); ONE_D("vmov");
    TEST("vcmp.f32", "vcmp.f32 s0, s2", SINGLES, 1, 0);
    TEST("vcmp.f64", "vcmp.f64 d0, d1", DOUBLES, 1, 0);
    TEST("vcmpe.f32", "vcmpe.f32 s0, s2", SINGLES, 1, 0);
    TEST("vcmpe.f64", "vcmpe.f64 d0, d1", DOUBLES, 1, 0);
    TEST("vcmp.f32 #0", "vcmp.f32 s0, #0.0", SINGLES, 0, 0);
    TEST("vcmpe.f64 #0", "vcmpe.f64 d0, #0.0", DOUBLES, 0, 0);
    // The condition flags of a comparison, through VMRS, and what selects by them.
    TEST("vmrs apsr", "vcmp.f32 s0, s2\n vmrs apsr_nzcv, fpscr\n mrs r3, apsr\n and r3, r3, #0xf0000000\n vmov s0, r3",
         SINGLES, 1, 0);
#define SELECT(c)                                                                                                     \
    TEST("vsel" c ".f32", "vcmp.f32 s0, s2\n vmrs apsr_nzcv, fpscr\n vsel" c ".f32 s0, s0, s2", SINGLES, 1, 0);       \
    TEST("vsel" c ".f64", "vcmp.f64 d0, d1\n vmrs apsr_nzcv, fpscr\n vsel" c ".f64 d0, d0, d1", DOUBLES, 1, 0)
    SELECT("eq");
    SELECT("vs");
    SELECT("ge");
    SELECT("gt");
}

int main(int argc, char **argv) {
    (void)argv;
    start(argc);
    all();
    flush();
    all();
    return 0;
}
