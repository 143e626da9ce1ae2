// Operands where floating point has its edges, and a way to look at one operation under every mode.
#include <stdint.h>
#include <stdio.h>

typedef uint32_t u32;
typedef uint64_t u64;

#define BOTH(x) x, x | 0x80000000u
static const u32 SINGLES[] = {
    BOTH(0), BOTH(1), BOTH(0x007fffff), BOTH(0x00800000), BOTH(0x00800001), BOTH(0x00ffffff), BOTH(0x33800000),
    BOTH(0x3effffff), BOTH(0x3f000000), BOTH(0x3f7fffff), BOTH(0x3f800000), BOTH(0x3f800001), BOTH(0x3fc00000),
    BOTH(0x40200000), BOTH(0x40490fdb), BOTH(0x46fffe00), BOTH(0x477fff00), BOTH(0x477ff000), BOTH(0x387fe000),
    BOTH(0x33000000), BOTH(0x4b000001), BOTH(0x4effffff), BOTH(0x4f000000), BOTH(0x4f7fffff), BOTH(0x4f800000),
    BOTH(0x7f000000), BOTH(0x7f7fffff), BOTH(0x7f800000), BOTH(0x7f800001), BOTH(0x7fa12345), BOTH(0x7fc00000),
    BOTH(0x7fd43210),
};
#define BOTHD(x) x##u, x##u | 0x8000000000000000u
static const u64 DOUBLES[] = {
    BOTHD(0), BOTHD(1), BOTHD(0x000fffffffffffff), BOTHD(0x0010000000000000), BOTHD(0x0010000000000001),
    BOTHD(0x001fffffffffffff), BOTHD(0x380fffffffffffff), BOTHD(0x3810000000000000), BOTHD(0x36a0000000000000),
    BOTHD(0x3fe0000000000000), BOTHD(0x3fefffffffffffff), BOTHD(0x3ff0000000000000), BOTHD(0x3ff0000000000001),
    BOTHD(0x3ff8000000000000), BOTHD(0x4004000000000000), BOTHD(0x40effe0000000000), BOTHD(0x3e70000000000000),
    BOTHD(0x41dfffffffc00000), BOTHD(0x41dfffffffe00000), BOTHD(0x41e0000000000000), BOTHD(0x41efffffffe00000),
    BOTHD(0x41effffffff00000), BOTHD(0x41f0000000000000), BOTHD(0x4330000000000001), BOTHD(0x47effffff0000000),
    BOTHD(0x7fe0000000000000), BOTHD(0x7fefffffffffffff), BOTHD(0x7ff0000000000000), BOTHD(0x7ff0000000000001),
    BOTHD(0x7ff7123456789abc), BOTHD(0x7ff8000000000000), BOTHD(0x7ffcdeadbeef0000),
};
#define COUNT(a) (sizeof(a) / sizeof *(a))

// RMode and DN; then with FZ, under which a translator may go other ways from then on.
static const u32 MODES[] = {
    0 << 22, 1 << 22, 2 << 22, 3 << 22, 1 << 25, 1 << 24, (1 << 24) + (1 << 22), (1 << 24) + (2 << 22),
    (1 << 24) + (3 << 22), 3 << 24,
};
static unsigned first_mode, end_mode;

static int verbose;
static u64 hash;

static void mix(u64 value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
}

// One result with the FPSCR after it; with an argument on the command line each is printed.
static void result(const char *name, u32 mode, u64 a, u64 b, u64 c, u64 value, u32 fpscr) {
    mix(value), mix(fpscr);
    if (verbose)
        printf("%s %08x: %llx %llx %llx -> %llx %08x\n", name, mode, (unsigned long long)a, (unsigned long long)b,
               (unsigned long long)c, (unsigned long long)value, fpscr);
}

static void start(int argc) {
    verbose = argc > 1;
    hash = 14695981039346656037u;
    first_mode = 0;
    end_mode = 5;
}

static inline void flush(void) {
    first_mode = 5;
    end_mode = COUNT(MODES);
}

static void line(const char *name) {
    printf("%-32s %016llx\n", name, (unsigned long long)hash);
    hash = 14695981039346656037u;
}

static inline void set_fpscr(u32 x) {
    __asm__ volatile("vmsr fpscr, %0" ::"r"(x));
}
static inline u32 get_fpscr(void) {
    u32 x;
    __asm__ volatile("vmrs %0, fpscr" : "=r"(x));
    return x;
}

// Each runs `code` on d0..d2 (or s0, s2, s4) between setting and reading the FPSCR, and gives what is in d0 then.
#define RUN(code, mode, a, b, c, value, fpscr)                                                                        \
    __asm__ volatile("vmov d0, %Q2, %R2\n vmov d1, %Q3, %R3\n vmov d2, %Q4, %R4\n vmsr fpscr, %5\n" code               \
                     "\n vmrs %1, fpscr\n vmov %Q0, %R0, d0"                                                          \
                     : "=&r"(value), "=&r"(fpscr)                                                                     \
                     : "r"(a), "r"(b), "r"(c), "r"(mode)                                                              \
                     : "d0", "d1", "d2", "d3", "r3", "cc")

#define TEST(name, code, table, pairs, triples)                                                                       \
    do {                                                                                                              \
        for (unsigned m = first_mode; m < end_mode; m++)                                                              \
            for (unsigned i = 0; i < COUNT(table); i++)                                                               \
                for (unsigned j = 0; j < ((pairs) ? COUNT(table) : 1); j++)                                           \
                    for (unsigned k = (triples) ? (i + j) % 9 : 0; k < ((triples) ? COUNT(table) : 1); k += 9) {      \
                        u64 a = table[i], b = table[j], c = table[k], value;                                          \
                        u32 fpscr;                                                                                    \
                        RUN(code, MODES[m], a, b, c, value, fpscr);                                                   \
                        result(name, MODES[m], a, b, c, value, fpscr);                                                \
                    }                                                                                                 \
        set_fpscr(0);                                                                                                 \
        line(name);                                                                                                   \
    } while (0)
#define ONE_S(op) TEST(op ".f32", op ".f32 s0, s0", SINGLES, 0, 0)
#define ONE_D(op) TEST(op ".f64", op ".f64 d0, d0", DOUBLES, 0, 0)
#define TWO_S(op) TEST(op ".f32", op ".f32 s0, s0, s2", SINGLES, 1, 0)
#define TWO_D(op) TEST(op ".f64", op ".f64 d0, d0, d1", DOUBLES, 1, 0)
#define THREE_S(op) TEST(op ".f32", op ".f32 s0, s2, s4", SINGLES, 1, 1)
#define THREE_D(op) TEST(op ".f64", op ".f64 d0, d1, d2", DOUBLES, 1, 1)
