// Moves between core and extension registers, scalars, loads and stores of one and many, immediates.
// cflags: -march=armv8-a+simd
#include "vfp.h"
#include <string.h>

static u32 memory[80] __attribute__((aligned(8)));

static void show(const char *name) {
    for (unsigned i = 0; i < COUNT(memory); i++)
        mix(memory[i]);
    line(name);
}

static void fill(void) {
    for (unsigned i = 0; i < COUNT(memory); i++)
        memory[i] = 0x01020304u * (i + 1) ^ i << 17;
}

// All 64 words of d0 to d31 from memory, `code` on them and r4 to r6, back to memory.
#define ON_REGISTERS(name, code)                                                                                      \
    do {                                                                                                              \
        fill();                                                                                                       \
        __asm__ volatile("mov r3, %0\n vldmia r3!, {d0-d15}\n vldmia r3!, {d16-d31}\n ldmia r3!, {r4, r5, r6}\n" code  \
                         "\n mov r3, %0\n vstmia r3!, {d0-d15}\n vstmia r3!, {d16-d31}\n stmia r3!, {r4, r5, r6}"     \
                         ::"r"(memory)                                                                                \
                         : "r3", "r4", "r5", "r6", "cc", "memory", "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7",     \
                           "d8", "d9", "d10", "d11", "d12", "d13", "d14", "d15", "d16", "d17", "d18", "d19", "d20",   \
                           "d21", "d22", "d23", "d24", "d25", "d26", "d27", "d28", "d29", "d30", "d31");              \
        show(name);                                                                                                   \
    } while (0)

int main(int argc, char **argv) {
    (void)argv;
    start(argc);
    ON_REGISTERS("vmov core single", "vmov r4, s31\n vmov s0, r5\n vmov s17, r6");
    ON_REGISTERS("vmov cores", "vmov r4, r5, d31\n vmov d1, r6, r4\n vmov r5, r6, s3, s4\n vmov s30, s31, r4, r5");
    ON_REGISTERS("vmov.8 to scalar", "vmov.8 d0[0], r4\n vmov.8 d17[7], r5\n vmov.8 d31[3], r6");
    ON_REGISTERS("vmov.16 to scalar", "vmov.16 d0[0], r4\n vmov.16 d17[3], r5\n vmov.16 d31[1], r6");
    ON_REGISTERS("vmov.32 to scalar", "vmov.32 d0[0], r4\n vmov.32 d17[1], r5\n vmov.32 d31[1], r6");
    ON_REGISTERS("vmov.8 to core", "vmov.s8 r4, d16[1]\n vmov.u8 r5, d3[7]\n vmov.s8 r6, d9[4]");
    ON_REGISTERS("vmov.16 to core", "vmov.s16 r4, d16[1]\n vmov.u16 r5, d3[3]\n vmov.s16 r6, d9[2]");
    ON_REGISTERS("vmov.32 to core", "vmov.32 r4, d16[1]\n vmov.32 r5, d3[0]\n vmov.32 r6, d9[1]");
    ON_REGISTERS("vdup", "vdup.8 q9, r4\n vdup.16 d31, r5\n vdup.32 q0, r6\n vdup.8 d2, r6");
    ON_REGISTERS("vmov immediates", "vmov.f32 s3, #1.0\n vmov.f64 d16, #-0.125\n vmov.f32 s31, #31.0\n"
                                    "vmov.f64 d1, #2.5\n vmov.f32 s9, #-1.9375");
    ON_REGISTERS("vmov registers", "vmov.f32 s3, s30\n vmov.f64 d16, d3\n vneg.f64 d4, d5\n vabs.f32 s1, s2");
    ON_REGISTERS("vldr vstr", "vldr s3, [%0, #8]\n vldr d31, [%0, #16]\n add r3, %0, #64\n vldr s9, [r3, #-12]\n"
                              "vldr d9, [r3, #-64]\n vstr s1, [r3]\n vstr d2, [r3, #-8]\n vldr d5, [r3, #-8]\n"
                              "vldr s4, [r3]\n");
    ON_REGISTERS("vpush vpop", "vpush {d0-d3}\n vpush {s5-s9}\n vpush {d16-d31}\n vpop {d0-d15}\n vpop {s17-s21}\n"
                               "vpop {d28-d31}");
    ON_REGISTERS("vldm vstm", "mov r3, %0\n vldmia r3, {s1-s31}\n add r3, r3, #200\n vldmdb r3!, {d7-d12}\n sub r4, r3, %0\n"
                              "vstmia r3!, {d20-d22}\n sub r5, r3, %0\n vstmdb r3!, {s9}\n sub r6, r3, %0\n vldr d0, [%0, #152]");
    // FLDMX and FSTMX: the write-back counts one word more.
    ON_REGISTERS("fldmx fstmx", "mov r3, %0\n fldmiax r3!, {d4-d6}\n sub r4, r3, %0\n add r3, r3, #64\n fstmdbx r3!, {d9-d10}\n"
                                "sub r5, r3, %0\n vldr d11, [r3]");
    ON_REGISTERS("literal", "vldr d3, 1f\n vldr s9, 1f\n b 2f\n .balign 8\n 1: .word 0x12345678, 0x9abcdef0\n 2:");
    ON_REGISTERS("conditional", "cmp r4, r4\n it eq\n vmoveq s1, r5\n it ne\n vmovne s2, r5\n ite ne\n"
                                "vaddne.f32 s3, s4, s5\n vsubeq.f32 s3, s4, s5");
    for (unsigned bit = 0; bit < 32; bit++) {
        // Enable bits and the short-vector fields differ between processors.
        if ((bit >= 8 && bit <= 21) || bit == 5 || bit == 6)
            continue;
        set_fpscr(1u << bit);
        u32 fpscr = get_fpscr();
        set_fpscr(0);
        result("fpscr", 1u << bit, 0, 0, 0, 0, fpscr);
    }
    line("fpscr");
    return 0;
}
