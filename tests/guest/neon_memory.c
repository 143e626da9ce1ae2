// Advanced SIMD element and structure loads and stores: every form and element size, write-back, alignment faults, and
// that a fault at the end of a page leaves registers and base as they were.
// cflags: -march=armv8-a+simd
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef uint32_t u32;
typedef uint64_t u64;

static uint8_t memory[64] __attribute__((aligned(64)));
static u64 registers[8];
static u32 base;

// Runs `code` with r1 = address, r2 = 24 on d16..d23, and keeps what comes out, even if it faulted inside.
#define ACCESS(code, address)                                                                                         \
    __asm__ volatile("vldm %0, {d16-d23}\n mov r1, %1\n mov r2, #24\n" code "\n vstm %0, {d16-d23}\n str r1, [%2]"     \
                     :                                                                                                \
                     : "r"(registers), "r"(address), "r"(&base)                                                       \
                     : "r1", "r2", "d16", "d17", "d18", "d19", "d20", "d21", "d22", "d23", "memory")

static void fill(void) {
    for (int k = 0; k < 64; k++)
        memory[k] = k + 1;
    for (int k = 0; k < 8; k++)
        registers[k] = 0xa0a1a2a3a4a5a6a7u + 0x0808080808080808u * k;
}

static void report(const char *name) {
    u64 hash = 14695981039346656037u;
    for (int k = 0; k < 64; k++)
        hash = (hash ^ memory[k]) * 1099511628211u;
    for (int k = 0; k < 8; k++)
        hash = (hash ^ registers[k]) * 0x9e3779b97f4a7c15u, hash ^= hash >> 31;
    printf("%-44s base +%-3d %016llx\n", name, (int)(base - (u32)(uintptr_t)memory), (unsigned long long)hash);
}

#define TEST(code)                                                                                                    \
    do {                                                                                                              \
        fill();                                                                                                       \
        ACCESS(code, memory + 16);                                                                                    \
        report(code);                                                                                                 \
    } while (0)
#define BOTH(n, list, end)                                                                                            \
    TEST("vld" n " " list ", [r1" end);                                                                               \
    TEST("vst" n " " list ", [r1" end)
#define SIZES(n, list, end)                                                                                           \
    BOTH(n ".8", list, end);                                                                                          \
    BOTH(n ".16", list, end);                                                                                         \
    BOTH(n ".32", list, end)

static sigjmp_buf after;
static volatile int signal_seen, code_seen;

static void caught(int number, siginfo_t *info, void *context) {
    (void)context;
    signal_seen = number, code_seen = info->si_code;
    siglongjmp(after, 1);
}

// A fault leaves the instruction undone: what VSTM stores in the handler's stead is done by a second run of nothing.
#define FAULTS(code, address)                                                                                         \
    do {                                                                                                              \
        fill();                                                                                                       \
        signal_seen = 0;                                                                                              \
        if (!sigsetjmp(after, 1))                                                                                     \
            ACCESS(code, address);                                                                                    \
        printf("%-44s signal %d code %d\n", code, signal_seen, code_seen);                                            \
    } while (0)

// The registers as the signal handler's frame has them are those before the instruction.
static volatile u32 frame_base;
static void look(int number, siginfo_t *info, void *context) {
    (void)number, (void)info;
    // uc_mcontext: trap_no, error_code, oldmask, then r0.
    u32 *r = (u32 *)((char *)context + 20) + 3;
    frame_base = r[1];
    r[1] = (u32)(uintptr_t)memory; // and the instruction is done again from here
}

int main(void) {
    BOTH("1.8", "{d17}", "]");
    BOTH("1.16", "{d17-d18}", "]!");
    BOTH("1.32", "{d17-d19}", "], r2");
    BOTH("1.64", "{d17-d20}", ":64]!");
    BOTH("1.64", "{d16-d19}", "]");
    SIZES("2", "{d17-d18}", "]!");
    SIZES("2", "{d17,d19}", "]!");
    SIZES("2", "{d17-d20}", ":64], r2");
    SIZES("2", "{d16-d19}", "]");
    SIZES("3", "{d17-d19}", "]!");
    SIZES("3", "{d16,d18,d20}", "], r2");
    SIZES("4", "{d17-d20}", "]!");
    SIZES("4", "{d16-d19}", ":128], r2");
    SIZES("4", "{d17,d19,d21,d23}", "]");
    BOTH("1.8", "{d17[7]}", "]!");
    BOTH("1.16", "{d17[2]}", ":16], r2");
    BOTH("1.32", "{d17[1]}", ":32]");
    BOTH("2.8", "{d17[3],d18[3]}", ":16]!");
    BOTH("2.16", "{d17[1],d19[1]}", "]!");
    BOTH("2.32", "{d17[0],d19[0]}", ":64], r2");
    BOTH("3.8", "{d17[6],d18[6],d19[6]}", "]!");
    BOTH("3.16", "{d17[3],d19[3],d21[3]}", "], r2");
    BOTH("3.32", "{d17[1],d18[1],d19[1]}", "]");
    BOTH("4.8", "{d17[1],d18[1],d19[1],d20[1]}", ":32]!");
    BOTH("4.16", "{d17[0],d19[0],d21[0],d23[0]}", ":64]!");
    BOTH("4.32", "{d17[1],d18[1],d19[1],d20[1]}", ":128], r2");
    TEST("vld1.8 {d17[]}, [r1]!");
    TEST("vld1.16 {d17[],d18[]}, [r1:16], r2");
    TEST("vld1.32 {d17[]}, [r1:32]");
    TEST("vld2.8 {d17[],d18[]}, [r1]!");
    TEST("vld2.16 {d17[],d19[]}, [r1:32]!");
    TEST("vld3.8 {d17[],d19[],d21[]}, [r1]!");
    TEST("vld3.32 {d17[],d18[],d19[]}, [r1], r2");
    TEST("vld4.16 {d17[],d18[],d19[],d20[]}, [r1]!");
    TEST("vld4.32 {d17[],d19[],d21[],d23[]}, [r1:128]!");

    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    FAULTS("vld1.8 {d17}, [r1:64]!", memory + 4);
    FAULTS("vst1.8 {d17-d20}, [r1:256]!", memory + 8);
    FAULTS("vld2.8 {d17-d18}, [r1:128]!", memory + 8);
    FAULTS("vld4.16 {d17[1],d18[1],d19[1],d20[1]}, [r1:64]", memory + 4);
    FAULTS("vst1.32 {d17[1]}, [r1:32]", memory + 2);
    FAULTS("vld1.16 {d17[]}, [r1:16]", memory + 1);
    FAULTS("vld1.8 {d17}, [r1]!", memory + 1);

    long page = sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(pages + page, page);
    FAULTS("vld3.16 {d17-d19}, [r1]!", pages + page - 16);
    FAULTS("vst4.8 {d17-d20}, [r1]!", pages + page - 24);
    FAULTS("vld4.8 {d17[0],d18[0],d19[0],d20[0]}, [r1]!", pages + page - 3);

    action.sa_sigaction = look;
    sigaction(SIGSEGV, &action, NULL);
    fill();
    ACCESS("vld4.8 {d16-d19}, [r1]!", pages + page - 16);
    printf("the frame's base is %s\n", frame_base == (u32)(uintptr_t)(pages + page - 16) ? "the old one" : "another");
    report("vld4.8, again from elsewhere");
    return 0;
}
