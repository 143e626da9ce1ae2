// Branches through tables: in hot loops, with indexes that the code in front of them does not let through, and with tables that
// change.
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

// unsigned f(unsigned seed, unsigned count, unsigned beyond): each turn goes to an arm by the low bits of the seed; when `beyond` is
// set, turns with index 7 come to the branch without the comparison, and go where the table has an entry behind its end.
#define FUNCTION(name, branch, entry) \
    extern const char name[], name##_table[], name##_end[]; \
    __asm__(".text\n.thumb\n.syntax unified\n.balign 4\n.global " #name "\n" #name ":\n" \
            "push {r4, r5, lr}\nmovs r4, #0\nmov r5, r0\n" \
            "1: and r3, r5, #7\ncmp r2, #0\nbeq 2f\ncmp r3, #7\nbeq 3f\n" \
            "2: cmp r3, #5\nadd r0, r5, #3\nbhi 20f\n" \
            "3: " branch "\n" \
            ".global " #name "_table\n" #name "_table:\n" \
            entry " (10f - " #name "_table) / 2, (11f - " #name "_table) / 2, (12f - " #name "_table) / 2, (13f - " #name \
            "_table) / 2, (11f - " #name "_table) / 2, (14f - " #name "_table) / 2\n" \
            entry " (20f - " #name "_table) / 2, (15f - " #name "_table) / 2\n" \
            "10: adds r4, r4, #1\nb 30f\n" \
            "11: adds r4, r4, r3\nb 30f\n" \
            "12: adc r4, r4, r0\nb 30f\n" \
            "13: rsbs r4, r4, #77\nb 30f\n" \
            "14: eor r4, r4, r5\nit cs\nmovcs r4, #5\nb 30f\n" \
            "15: ror r4, r4, #3\nb 30f\n" \
            "20: add r4, r4, r4, lsl #2\n" \
            "30: movw r0, #24693\nmla r5, r5, r0, r1\neor r5, r5, r5, lsr #7\nsubs r1, r1, #1\nbne 1b\n" \
            "mov r0, r4\npop {r4, r5, pc}\n.global " #name "_end\n" #name "_end:\n")

FUNCTION(bytes, "tbb [pc, r3]", ".byte");
FUNCTION(halves, "tbh [pc, r3, lsl #1]", ".short");

typedef unsigned (*function)(unsigned seed, unsigned count, unsigned beyond);

// The same, with the arm for an index.
static unsigned expected(const char *arms, unsigned seed, unsigned count, int beyond)
{
    unsigned r4 = 0, r5 = seed;
    for (; count; count--) {
        unsigned r3 = r5 & 7, r0 = r5 + 3, carry = r3 >= 5;
        char arm = arms[r3];
        if (beyond && r3 == 7) carry = 1, r0 = 0;
        else if (r3 > 5) arm = 'd';
        switch (arm) {
        case '0': r4++; break;
        case '1': r4 += r3; break;
        case '2': r4 += r0 + carry; break;
        case '3': r4 = 77 - r4; break;
        case '4': r4 = carry ? 5 : r4 ^ r5; break;
        case '5': r4 = r4 >> 3 | r4 << 29; break;
        default: r4 += r4 * 4;
        }
        r5 = r5 * 24693 + count;
        r5 ^= r5 >> 7;
    }
    return r4;
}

static int failed;

static void check(const char *name, const char *what, function f, const char *arms, int beyond)
{
    unsigned count = 300000, is = f(12345, count, beyond), should = expected(arms, 12345, count, beyond);
    failed |= is != should;
    printf("%s, %s: %s\n", name, what, is == should ? "as expected" : "wrong");
}

static void all(const char *name, const char *start, const char *table, const char *end, size_t size)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(page, start, end - start);
    __builtin___clear_cache(page, page + (end - start));
    function f = (function)((uintptr_t)page | 1);
    char arms[] = "012314d5";
    check(name, "with indexes of the table", f, arms, 0);
    check(name, "with others", f, arms, 1);

    // Two entries change places; only the table is written.
    char *at = page + (table - start), entry[2];
    memcpy(entry, at, size);
    memcpy(at, at + 3 * size, size);
    memcpy(at + 3 * size, entry, size);
    __builtin___clear_cache(at, at + 4 * size);
    arms[0] = '3', arms[3] = '0';
    check(name, "with a table that has changed", f, arms, 0);
    check(name, "and others", f, arms, 1);
    munmap(page, 4096);
}

int main(void)
{
    all("bytes", bytes, bytes_table, bytes_end, 1);
    all("halfwords", halves, halves_table, halves_end, 2);
    return failed;
}
