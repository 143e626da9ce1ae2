// Comparisons of floats whose flags are read late, twice, elsewhere, or by a signal handler.
// cflags: -march=armv8-a+simd -marm
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "vfp.h"

#define CONDITIONS(X) X(eq) X(ne) X(cs) X(cc) X(mi) X(pl) X(vs) X(vc) X(hi) X(ls) X(ge) X(lt) X(gt) X(le)

// Which conditions hold behind `compare` and `between`, by branches: bit by bit.
#define BRANCH(c) "lsl r4, #1\n b" #c " 1f\n orr r4, #1\n 1:\n"
// The same by conditional instructions.
#define SELECT(c) "lsl r4, #1\n orr" #c " r4, #1\n"

// Takes the operands' addresses in r0 and r1 and memory in r2; the conditions come out in r4, NZCV and FPSCR in r5 and r6.
#define CASE(name, double_, code)                                                                                     \
    static void name(const void *a, const void *b, u32 *memory) {                                                     \
        register const void *r0 __asm__("r0") = a;                                                                    \
        register const void *r1 __asm__("r1") = b;                                                                    \
        register u32 *r2 __asm__("r2") = memory;                                                                      \
        register u32 r4 __asm__("r4") = 0;                                                                            \
        register u32 r5 __asm__("r5") = 0;                                                                            \
        register u32 r6 __asm__("r6");                                                                                \
        __asm__ volatile("vmsr fpscr, %3\n"                                                                           \
                         ".if " #double_ "\n vldr d0, [%4]\n vldr d1, [%5]\n .else\n vldr s0, [%4]\n vldr s2, [%5]\n .endif\n" \
                         code "vmrs %2, fpscr\n"                                                                      \
                         : "+r"(r4), "+r"(r5), "=&r"(r6)                                                              \
                         : "r"(MODES[mode]), "r"(r0), "r"(r1), "r"(r2)                                                \
                         : "r3", "d0", "d1", "d2", "cc", "memory");                                                   \
        result(#name, MODES[mode], 0, 0, 0, r4 | (u64)r5 << 32, r6);                                                  \
    }

#define VMRS "vmrs apsr_nzcv, fpscr\n"
#define NZCV "mrs r5, apsr\n and r5, #0xf0000000\n"

static unsigned mode;

CASE(branches_s, 0, "vcmp.f32 s0, s2\n" VMRS CONDITIONS(BRANCH) NZCV)
CASE(branches_d, 1, "vcmp.f64 d0, d1\n" VMRS CONDITIONS(BRANCH) NZCV)
CASE(branches_se, 0, "vcmpe.f32 s0, s2\n" VMRS CONDITIONS(BRANCH))
CASE(branches_de, 1, "vcmpe.f64 d0, d1\n" VMRS CONDITIONS(BRANCH))
CASE(selects_s0, 0, "vcmp.f32 s0, #0\n" VMRS CONDITIONS(SELECT) NZCV)
CASE(selects_d0, 1, "vcmpe.f64 d0, #0\n" VMRS CONDITIONS(SELECT))
CASE(selects_d, 1, "vcmpe.f64 d0, d1\n" VMRS CONDITIONS(SELECT) NZCV)
// Memory is touched in between: the state is exact there.
CASE(accesses, 1, "vcmp.f64 d0, d1\n ldr r3, [%6]\n" VMRS "ldr r3, [%6]\n" CONDITIONS(SELECT) "str r3, [%6]\n" NZCV)
// FPSCR goes to the core registers; it is the integer flags that conditions see.
CASE(core, 1, "cmp %4, %5\n vcmp.f64 d0, d1\n vmrs %1, fpscr\n" CONDITIONS(SELECT))
// A comparison between the comparison and its reading, another behind it.
CASE(twice, 1, "vcmpe.f64 d0, d1\n vcmp.f64 d1, d0\n" VMRS "vcmp.f64 d0, #0\n" CONDITIONS(SELECT) NZCV)
CASE(two_kinds, 1, "vcmp.f64 d0, d1\n" VMRS "vcmpe.f32 s0, s2\n" CONDITIONS(SELECT) VMRS NZCV)
// It is made under a condition, read under one, or both.
CASE(conditional, 1, "vcmp.f64 d0, d1\n" VMRS "vcmpegt.f64 d1, d0\n" VMRS CONDITIONS(SELECT) NZCV)
CASE(read_if, 1, "cmp %4, %5\n vcmp.f64 d0, d1\n vmrsls apsr_nzcv, fpscr\n" CONDITIONS(SELECT) NZCV)
CASE(both_if, 1,
     "vcmp.f64 d0, d1\n" VMRS "vcmpmi.f64 d1, #0\n vmrspl apsr_nzcv, fpscr\n vmrsvs %1, fpscr\n" CONDITIONS(SELECT))
// It is read in another block, to which two ways lead.
CASE(joined, 1,
     "vcmp.f64 d0, d1\n tst %4, #8\n beq 2f\n vcmp.f64 d1, #0\n 2:\n" VMRS CONDITIONS(BRANCH) NZCV)
// A loop with two kinds of comparison, the flags of the last time round read first.
CASE(loop, 1,
     "mov r3, #3\n 2:\n" VMRS CONDITIONS(SELECT) "vcmp.f64 d0, d1\n tst r3, #1\n beq 3f\n vcmpe.f32 s2, s0\n 3:\n"
     "subs r3, #1\n bne 2b\n" VMRS NZCV)
// FPSCR is written behind it, with and without flags.
CASE(written, 1, "vcmp.f64 d0, d1\n mov r3, #0\n vmsr fpscr, r3\n" VMRS CONDITIONS(SELECT) NZCV)
CASE(changed, 1,
     "vcmp.f64 d0, d1\n vmrs r3, fpscr\n eor r3, #0x90000000\n vmsr fpscr, r3\n" VMRS CONDITIONS(SELECT) NZCV)
// The flags are operands of other instructions.
CASE(carry, 1, "vcmp.f64 d0, d1\n" VMRS "adc r4, r4, #0\n sbcs r4, r4, #1\n" NZCV)
CASE(compare_if, 1, "vcmp.f64 d0, d1\n" VMRS "cmpge %4, %5\n" CONDITIONS(SELECT) NZCV)

static void all(void) {
    static void (*const doubles[])(const void *, const void *, u32 *) = {
        branches_d, branches_de, selects_d0, selects_d, accesses, core,    twice,  two_kinds, conditional,
        read_if,    both_if,     joined,     loop,      written,  changed, carry,  compare_if,
    };
    static void (*const singles[])(const void *, const void *, u32 *) = {branches_s, branches_se, selects_s0};
    u32 memory = 0;
    for (mode = 0; mode < COUNT(MODES); mode++) {
        if (mode < first_mode || mode >= end_mode)
            continue;
        for (unsigned i = 0; i < COUNT(DOUBLES); i++)
            for (unsigned j = 0; j < COUNT(DOUBLES); j++)
                for (unsigned k = 0; k < COUNT(doubles); k++)
                    doubles[k](&DOUBLES[i], &DOUBLES[j], &memory);
        for (unsigned i = 0; i < COUNT(SINGLES); i++)
            for (unsigned j = 0; j < COUNT(SINGLES); j++)
                for (unsigned k = 0; k < COUNT(singles); k++)
                    singles[k](&SINGLES[i], &SINGLES[j], &memory);
    }
    set_fpscr(0);
    line("all");
}

static u32 seen[2];

// Notes NZCV and FPSCR of the interrupted code, and lets it go on.
static void on_fault(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)info;
    ucontext_t *uc = context;
    seen[0] = uc->uc_mcontext.arm_cpsr & 0xf0000000;
    const u32 *words = (const u32 *)uc->uc_regspace;
    // The VFP frame: magic, size, 32 D registers, FPSCR.
    for (unsigned i = 0; i + 67 <= sizeof uc->uc_regspace / 4; i++)
        if (words[i] == 0x56465001) {
            seen[1] = words[i + 2 + 64];
            break;
        }
    uc->uc_mcontext.arm_pc += 4;
}

CASE(fault_between, 1, "vcmpe.f64 d0, d1\n ldr r3, [%6]\n" VMRS CONDITIONS(SELECT) NZCV)
CASE(fault_behind, 1, "vcmpe.f64 d0, d1\n" VMRS "ldr r3, [%6]\n" CONDITIONS(SELECT) NZCV)

static void faults(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, 0);
    u32 *nothing = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mode = 0;
    for (unsigned i = 0; i < COUNT(DOUBLES); i += 3)
        for (unsigned j = 0; j < COUNT(DOUBLES); j += 3) {
            fault_between(&DOUBLES[i], &DOUBLES[j], nothing);
            mix(seen[1]);
            fault_behind(&DOUBLES[i], &DOUBLES[j], nothing);
            mix(seen[0]), mix(seen[1]);
        }
    set_fpscr(0);
    line("faults");
}

int main(int argc, char **argv) {
    (void)argv;
    start(argc);
    all();
    faults();
    all();
    flush();
    all();
    return 0;
}
