// Advanced SIMD on the edges: every result and FPSCR with its cumulative flags, under each of FPSCR's modes, which the
// floating-point instructions must ignore.
// cflags: -march=armv8-a+simd
#include <stdint.h>
#include <stdio.h>

typedef uint32_t u32;
typedef uint64_t u64;
#define COUNT(a) (sizeof(a) / sizeof *(a))

// RMode, DN and FZ.
static const u32 MODES[] = {
    0 << 22, 1 << 22, 2 << 22, 3 << 22, 1 << 25, 1 << 24, (1 << 24) + (1 << 22), (1 << 24) + (2 << 22),
    (1 << 24) + (3 << 22), 3 << 24,
};

static int verbose;
static u64 hash;

static void mix(u64 value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
}

// Vectors of 16 bytes; the integers' edges are among them at every element size.
static const u64 VECTORS[][2] = {
    {0, 0},
    {~0ull, ~0ull},
    {0x8000000080000000u, 0x8000800080008000u},
    {0x7fffffff7fffffffu, 0x7fff7fff7fff7fffu},
    {0x8080808080808080u, 0x7f7f7f7f7f7f7f7fu},
    {0x8000000000000000u, 0x7fffffffffffffffu},
    {0x0001020304050607u, 0x08090a0b0c0d0e0fu},
    {0x00010001ffffffffu, 0x0000ffff00ff00ffu},
    {0xfedcba9876543210u, 0x0123456789abcdefu},
    {0x10f00f1f20e02001u, 0xc0407f80ff01e11fu},
    // Single precision: ordinary, subnormal, infinite, NaNs, close to both ends.
    {0x3f800000bf800000u, 0x40490fdb3eaaaaabu},
    {0x00000001807fffffu, 0x0080000080800001u},
    {0x7f800000ff800000u, 0x7f80000100000000u},
    {0x7fc0000080000000u, 0xffc123453f000000u},
    {0x7f7fffff7f000000u, 0xff7fffff00ffffffu},
    {0x4effffff4f000000u, 0xcf0000004f7fffffu},
    {0x3effffffc0200000u, 0x402000004b000001u},
    {0x1f8000005f800000u, 0x200000003f7fffffu},
    // Half precision.
    {0x3c00bc0000018001u, 0x7c00fc007c017e00u},
    {0x477fefff477ff000u, 0x33000000337fffffu},
};

static void report(const char *name, u32 mode, unsigned a, unsigned b, const u64 v[4], u32 fpscr) {
    for (int k = 0; k < 4; k++)
        mix(v[k]);
    mix(fpscr);
    if (verbose)
        printf("%s %08x: %u %u -> %016llx%016llx %016llx%016llx %08x\n", name, mode, a, b, (unsigned long long)v[1],
               (unsigned long long)v[0], (unsigned long long)v[3], (unsigned long long)v[2], fpscr);
}

// q8 and q9 are the operands, q8 and q10 results; q10 starts as q9 exclusive-or q8.
#define CASE(name, code, modes)                                                                                        \
    do {                                                                                                              \
        hash = 14695981039346656037u;                                                                                 \
        for (unsigned m = 0; m < (modes); m++)                                                                        \
            for (unsigned a = 0; a < COUNT(VECTORS); a++)                                                             \
                for (unsigned b = 0; b < COUNT(VECTORS); b++) {                                                       \
                    u64 out[4];                                                                                       \
                    u32 fpscr;                                                                                        \
                    __asm__ volatile("vmsr fpscr, %1\n vld1.64 {d16, d17}, [%2]\n vld1.64 {d18, d19}, [%3]\n"         \
                                     "veor q10, q8, q9\n" code "\n"                                                   \
                                     "vst1.64 {d16, d17}, [%4]\n add r3, %4, #16\n vst1.64 {d20, d21}, [r3]\n"        \
                                     "vmrs %0, fpscr\n mov r3, #0\n vmsr fpscr, r3"                                   \
                                     : "=&r"(fpscr)                                                                   \
                                     : "r"(MODES[m]), "r"(VECTORS[a]), "r"(VECTORS[b]), "r"(out)                      \
                                     : "r3", "d16", "d17", "d18", "d19", "d20", "d21", "d0", "d1", "memory");               \
                    report(name, MODES[m], a, b, out, fpscr);                                                         \
                }                                                                                                     \
        printf("%-22s %016llx\n", name, (unsigned long long)hash);                                                    \
    } while (0)

#define QDN(op, t) CASE(op "." t, op "." t " q8, q8, q9\n" op "." t " d20, d18, d21", 1)
#define EACH(q, op, x) q(op, x "8"); q(op, x "16"); q(op, x "32")
#define SIGNED(q, op) EACH(q, op, "s"); EACH(q, op, "u")
#define SIGNED64(q, op) SIGNED(q, op); q(op, "s64"); q(op, "u64")
#define LONG(op, t) CASE(op "." t, op "." t " q10, d16, d19", 1)
#define WIDE(op, t) CASE(op "." t, op "." t " q10, q8, d19", 1)
#define NARROW(op, t) CASE(op "." t, op "." t " d20, q8, q9", 1)
#define TWO(op, t) CASE(op "." t, op "." t " q10, q8\n" op "." t " d16, d18", 1)
#define CUT(op, t) CASE(op "." t, op "." t " d20, q8\n" op "." t " d21, q9", 1)
#define FLOAT(op) CASE(op ".f32", op ".f32 q10, q8, q9\n" op ".f32 d16, d18, d17", 10)
#define FLOAT1(op) CASE(op, op " q10, q8\n" op " d16, d18", 10)

static void integers(void) {
    SIGNED(QDN, "vhadd"); SIGNED(QDN, "vrhadd"); SIGNED(QDN, "vhsub");
    SIGNED64(QDN, "vqadd"); SIGNED64(QDN, "vqsub");
    SIGNED64(QDN, "vshl"); SIGNED64(QDN, "vqshl"); SIGNED64(QDN, "vrshl"); SIGNED64(QDN, "vqrshl");
    SIGNED(QDN, "vcgt"); SIGNED(QDN, "vcge"); EACH(QDN, "vceq", "i"); EACH(QDN, "vtst", "");
    SIGNED(QDN, "vmax"); SIGNED(QDN, "vmin"); SIGNED(QDN, "vabd"); SIGNED(QDN, "vaba");
    EACH(QDN, "vadd", "i"); EACH(QDN, "vsub", "i"); QDN("vadd", "i64"); QDN("vsub", "i64");
    EACH(QDN, "vmul", "i"); EACH(QDN, "vmla", "i"); EACH(QDN, "vmls", "i"); QDN("vmul", "p8");
    QDN("vqdmulh", "s16"); QDN("vqdmulh", "s32"); QDN("vqrdmulh", "s16"); QDN("vqrdmulh", "s32");
    SIGNED(LONG, "vaddl"); SIGNED(LONG, "vsubl"); SIGNED(LONG, "vabdl"); SIGNED(LONG, "vabal");
    SIGNED(LONG, "vmull"); SIGNED(LONG, "vmlal"); SIGNED(LONG, "vmlsl"); LONG("vmull", "p8");
    SIGNED(WIDE, "vaddw"); SIGNED(WIDE, "vsubw");
    LONG("vqdmull", "s16"); LONG("vqdmull", "s32"); LONG("vqdmlal", "s16"); LONG("vqdmlal", "s32");
    LONG("vqdmlsl", "s16"); LONG("vqdmlsl", "s32");
    NARROW("vaddhn", "i16"); NARROW("vaddhn", "i32"); NARROW("vaddhn", "i64");
    NARROW("vraddhn", "i16"); NARROW("vrsubhn", "i32"); NARROW("vsubhn", "i64");
    SIGNED(TWO, "vpaddl"); SIGNED(TWO, "vpadal");
    EACH(TWO, "vqabs", "s"); EACH(TWO, "vqneg", "s"); EACH(TWO, "vabs", "s"); EACH(TWO, "vneg", "s");
    EACH(TWO, "vcls", "s"); EACH(TWO, "vclz", "i"); TWO("vcnt", "8");
    EACH(TWO, "vrev64", ""); TWO("vrev32", "8"); TWO("vrev32", "16"); TWO("vrev16", "8");
    TWO("vrecpe", "u32"); TWO("vrsqrte", "u32");
    CUT("vmovn", "i16"); CUT("vmovn", "i32"); CUT("vmovn", "i64");
    CUT("vqmovn", "s16"); CUT("vqmovn", "s32"); CUT("vqmovn", "s64");
    CUT("vqmovn", "u16"); CUT("vqmovn", "u32"); CUT("vqmovn", "u64");
    CUT("vqmovun", "s16"); CUT("vqmovun", "s32"); CUT("vqmovun", "s64");
    EACH(TWO, "vtrn", ""); TWO("vswp", "8");
    CASE("vuzp.8", "vuzp.8 q8, q10\n vuzp.8 d18, d16", 1);
    CASE("vuzp.16", "vuzp.16 q8, q10\n vuzp.16 d18, d16", 1);
    CASE("vuzp.32", "vuzp.32 q8, q10", 1);
    CASE("vzip.8", "vzip.8 q8, q10\n vzip.8 d18, d16", 1);
    CASE("vzip.16", "vzip.16 q8, q10\n vzip.16 d18, d16", 1);
    CASE("vzip.32", "vzip.32 q8, q10", 1);
    CASE("vext", "vext.8 q10, q8, q9, #5\n vext.8 d16, d16, d18, #3", 1);
    CASE("vtbl", "vtbl.8 d20, {d16-d19}, d21\n vtbl.8 d16, {d17}, d18", 1);
    CASE("vtbx", "vtbx.8 d20, {d16-d18}, d19\n vtbx.8 d16, {d16-d17}, d18", 1);
    CASE("vbsl", "vbsl q10, q8, q9\n vbit d16, d17, d18\n vbif d17, d18, d19", 1);
    CASE("vdup", "vdup.8 q10, d17[5]\n vdup.16 d16, d18[3]\n vdup.32 d17, d19[1]", 1);
    CASE("shifts", "vshr.s8 q10, q8, #8\n vsra.u16 q10, q9, #16\n vrsra.s64 q10, q8, #64\n vsri.32 q8, q9, #7\n"
                  "vsli.64 q8, q10, #63\n vrshr.u32 d20, d21, #32", 1);
    CASE("vqshl.imm", "vqshl.s8 q10, q8, #3\n vqshlu.s16 q8, q9, #15\n vqshl.u64 d20, d18, #1", 1);
    CASE("vqshrn", "vqshrn.s16 d20, q8, #1\n vqrshrn.u32 d21, q9, #16\n vqshrun.s64 d16, q9, #32\n"
                  "vqrshrun.s16 d17, q9, #8", 1);
    CASE("vshll", "vshll.s8 q10, d17, #8\n vshll.u16 q8, d18, #3\n vrshrn.i64 d16, q10, #31", 1);
    CASE("immediates", "vorr.i32 q8, #0x5500\n vbic.i16 q9, #0x3c\n vmvn.i32 d20, #0x12ff\n vmov.i64 d21, #0xff00ff0000ffff00\n"
                      "vmov.f32 d17, #-1.9375\n vadd.i8 q8, q8, q9", 1);
    CASE("by scalar", "vmov d1, d18\n vmov d0, d19\n vmul.i16 q10, q8, d1[3]\n vmla.i32 q10, q8, d0[1]\n vqdmulh.s16 d16, d18, d1[2]\n"
                     "vmlal.s16 q10, d17, d0[0]", 1);
}

static void floats(void) {
    FLOAT("vadd"); FLOAT("vsub"); FLOAT("vmul"); FLOAT("vabd"); FLOAT("vmla"); FLOAT("vmls"); FLOAT("vfma"); FLOAT("vfms");
    FLOAT("vmax"); FLOAT("vmin"); FLOAT("vmaxnm"); FLOAT("vminnm");
    FLOAT("vceq"); FLOAT("vcge"); FLOAT("vcgt"); FLOAT("vacge"); FLOAT("vacgt"); FLOAT("vrecps"); FLOAT("vrsqrts");
    CASE("vpadd.f32", "vpadd.f32 d20, d16, d19\n vpmax.f32 d21, d17, d18\n vpmin.f32 d16, d16, d18", 10);
    FLOAT1("vrecpe.f32"); FLOAT1("vrsqrte.f32"); FLOAT1("vabs.f32"); FLOAT1("vneg.f32");
    FLOAT1("vrintn.f32"); FLOAT1("vrintx.f32"); FLOAT1("vrinta.f32"); FLOAT1("vrintz.f32"); FLOAT1("vrintm.f32");
    FLOAT1("vrintp.f32");
    FLOAT1("vcvt.s32.f32"); FLOAT1("vcvt.u32.f32"); FLOAT1("vcvt.f32.s32"); FLOAT1("vcvt.f32.u32");
    FLOAT1("vcvta.s32.f32"); FLOAT1("vcvtn.u32.f32"); FLOAT1("vcvtp.s32.f32"); FLOAT1("vcvtm.u32.f32");
    CASE("vcvt fixed", "vcvt.s32.f32 q10, q8, #7\n vcvt.u32.f32 d16, d18, #32\n vcvt.f32.s32 d17, d19, #1", 10);
    CASE("vcvt half", "vcvt.f32.f16 q10, d16\n vcvt.f16.f32 d16, q9", 10);
    CASE("vcge #0", "vcge.f32 q10, q8, #0\n vclt.f32 d16, d18, #0\n vceq.f32 d17, d19, #0", 10);
    CASE("vmul.f32 by scalar", "vmov d0, d18\n vmul.f32 q10, q8, d0[1]\n vmla.f32 d16, d17, d0[0]\n"
                              "vmls.f32 d17, d19, d0[1]", 10);
}

int main(int argc, char **argv) {
    (void)argv;
    verbose = argc > 1;
    integers();
    floats();
    return 0;
}
