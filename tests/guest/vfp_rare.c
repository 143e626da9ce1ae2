// Floating point that is rare, in loops that get hot: NaNs, tiny results, infinities.
// cflags: -D_GNU_SOURCE -march=armv7-a+neon-vfpv4 -marm -pthread
#include <pthread.h>
#include "vfp.h"

// A loop of `code` on two operands and what it has made of them, with the FPSCR at the end.
#define LOOP(name, code)                                                                                              \
    static void __attribute__((noinline)) name(u64 a, u64 b, u64 c, unsigned times, u32 mode) {                       \
        u64 value;                                                                                                    \
        u32 fpscr;                                                                                                    \
        __asm__ volatile("vmov d0, %Q2, %R2\n vmov d1, %Q3, %R3\n vmov d2, %Q4, %R4\n vmsr fpscr, %6\n"               \
                         "1:\n" code "\n subs %5, %5, #1\n bne 1b\n vmrs %1, fpscr\n vmov %Q0, %R0, d0"              \
                         : "=&r"(value), "=&r"(fpscr)                                                                 \
                         : "r"(a), "r"(b), "r"(c), "r"(times), "r"(mode)                                              \
                         : "d0", "d1", "d2", "d3", "d4", "cc");                                                       \
        result(#name, mode, a, b, c, value, fpscr);                                                                   \
    }

LOOP(products_d, "vmul.f64 d0, d1, d2")
LOOP(products_s, "vmul.f32 s0, s2, s4")
LOOP(unread_product, "vmul.f64 d3, d1, d2")
LOOP(unread_sum, "vadd.f64 d3, d1, d2\n vmov.f64 d3, d1")
LOOP(unread_root, "vsqrt.f64 d3, d1\n vmov.f64 d3, d1")
LOOP(sums, "vadd.f64 d0, d1, d2\n vsub.f64 d3, d0, d1\n vadd.f64 d0, d3, d2")
LOOP(with_addition, "vmov.f64 d0, d2\n vmla.f64 d0, d1, d2\n vmls.f64 d0, d2, d1\n vnmla.f64 d0, d1, d1\n vnmls.f64 d0, d2, d2")
LOOP(with_addition_s, "vmov.f32 s0, s4\n vmla.f32 s0, s2, s4\n vmls.f32 s0, s4, s2\n vnmul.f32 s1, s2, s4")
LOOP(fused, "vmov.f64 d0, d1\n vfma.f64 d0, d1, d2\n vfnms.f64 d0, d2, d1\n vfms.f64 d0, d2, d2")
LOOP(quotients, "vdiv.f64 d0, d1, d2\n vsqrt.f64 d3, d0\n vadd.f64 d0, d3, d0")
LOOP(widths, "vcvt.f32.f64 s0, d1\n vcvt.f64.f32 d3, s0\n vcvt.f32.f64 s1, d3\n vcvt.f64.f32 d0, s0")
LOOP(integers, "vcvt.s32.f64 s0, d1\n vcvt.u32.f64 s1, d2\n vcvt.f32.s32 s1, s1")
LOOP(comparisons, "vcmp.f64 d1, d2\n vmrs apsr_nzcv, fpscr\n vmovgt.f64 d0, d1\n vcmpe.f64 d2, #0\n vmrs apsr_nzcv, fpscr\n"
                  "vmovvs.f64 d0, d2")
// Operands come from memory, the first one too.
static u64 cells[2];
static void __attribute__((noinline)) loaded(u64 a, u64 b, unsigned times) {
    u64 value;
    u32 fpscr;
    cells[0] = a, cells[1] = b;
    __asm__ volatile("vmsr fpscr, %4\n 1:\n vldr d2, [%2, #8]\n vldr d1, [%2]\n vadd.f64 d0, d1, d2\n vldr d1, [%2, #8]\n"
                     "vmul.f64 d1, d1, d0\n vadd.f64 d0, d0, d1\n subs %3, %3, #1\n bne 1b\n vmrs %1, fpscr\n vmov %Q0, %R0, d0"
                     : "=&r"(value), "=&r"(fpscr)
                     : "r"(cells), "r"(times), "r"(0)
                     : "d0", "d1", "d2", "cc", "memory");
    result("loaded", 0, a, b, 0, value, fpscr);
}

#define EACH(name)                                                                                                    \
    do {                                                                                                              \
        for (unsigned m = 0; m < COUNT(modes); m++)                                                                   \
            for (unsigned i = 0; i < COUNT(DOUBLES); i++)                                                             \
                for (unsigned j = 0; j < COUNT(DOUBLES); j++)                                                         \
                    name(DOUBLES[j], DOUBLES[i], DOUBLES[j], 3, modes[m]);                                            \
        line(#name);                                                                                                  \
    } while (0)

// Straight code, that finds its operands in registers: of two NaNs the first one is the result.
#define STRAIGHT(name, code)                                                                                          \
    static double __attribute__((noinline, naked)) name(double a, double b) {                                         \
        (void)a, (void)b;                                                                                             \
        __asm__ volatile("vneg.f64 d1, d1\n " code " d0, d0, d1\n bx lr");                                           \
    }
STRAIGHT(straight_sum, "vadd.f64")
STRAIGHT(straight_difference, "vsub.f64")
STRAIGHT(straight_product, "vmul.f64")
STRAIGHT(straight_quotient, "vdiv.f64")

static u64 bits(double x) {
    return ((union { double d; u64 u; }){x}).u;
}

static void *thread(void *unused) {
    (void)unused;
    u64 sum = 0;
    volatile double zero = 0;
    for (unsigned i = 0; i < 20000; i++)
        sum = sum * 31 + bits(zero / zero) + bits(zero * i);
    return (void *)(uintptr_t)(u32)(sum ^ sum >> 32);
}

int main(int argc, char **argv) {
    (void)argv;
    static const u32 modes[] = {0, 1 << 22, 2 << 22, 3 << 22};
    start(argc);

    // A loop that is hot before something rare happens: a product that is rounded up to the smallest normal number.
    const u64 one = bits(1.0), below = bits(0x1.ffffffffffffep-1), least = bits(0x1p-1022);
    products_d(0, one, one, 200000, 0);
    products_d(0, least, below, 1, 0);
    products_d(0, least + 1, below, 1, 0);
    products_d(0, least, one, 1, 0);
    products_d(0, bits(0x1p-1000), bits(0x1.8p-30), 1000, 0);
    products_s(0, 0x00800001, 0x3f7ffffe, 1, 0);
    products_s(0, 0x00800000, 0x3f7fffff, 1, 0);
    products_s(0, 0x00ffffff, 0x3f000000, 1, 0);
    unread_product(0, least + 1, below, 100000, 0);
    unread_sum(0, one, bits(0x1p-100), 100000, 0);
    unread_root(0, bits(-1.0), 0, 100, 0);
    line("few");

    // More than a process is let trap.
    pthread_t threads[3];
    for (unsigned i = 0; i < COUNT(threads); i++)
        pthread_create(&threads[i], NULL, thread, NULL);
    for (unsigned i = 0; i < COUNT(threads); i++) {
        void *value;
        pthread_join(threads[i], &value);
        printf("thread: %x\n", (unsigned)(uintptr_t)value);
    }
    for (unsigned i = 0; i < COUNT(DOUBLES); i++)
        for (unsigned j = 0; j < COUNT(DOUBLES); j++)
            loaded(DOUBLES[i], DOUBLES[j], 2);
    line("loaded");
    double (*const straight[])(double, double) = {straight_sum, straight_difference, straight_product, straight_quotient};
    for (unsigned f = 0; f < COUNT(straight); f++)
        for (unsigned i = 0; i < COUNT(DOUBLES); i++)
            for (unsigned j = 0; j < COUNT(DOUBLES); j++) {
                union { u64 u; double d; } a = {DOUBLES[i]}, b = {DOUBLES[j]};
                mix(bits(straight[f](a.d, b.d)));
            }
    line("straight");
    EACH(products_d);
    EACH(products_s);
    EACH(sums);
    EACH(with_addition);
    EACH(with_addition_s);
    EACH(fused);
    EACH(quotients);
    EACH(widths);
    EACH(integers);
    EACH(comparisons);
    return 0;
}
