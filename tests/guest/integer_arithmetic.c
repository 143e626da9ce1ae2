// Integer arithmetic of every width: results and the edges the C library's helpers meet.
#include <stdint.h>
#include <stdio.h>

static const uint32_t EDGES[] = {0, 1, 2, 3, 7, 31, 32, 255, 256, 0x7fff, 0x8000, 0xffff, 0x10000, 0x12345678,
                                 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff};
#define N (sizeof EDGES / sizeof *EDGES)

static uint64_t hash = 14695981039346656037u;

static void mix(uint64_t value) {
    for (int i = 0; i < 8; i++, value >>= 8)
        hash = (hash ^ (value & 0xff)) * 1099511628211u;
}

static void words(uint32_t a, uint32_t b) {
    int32_t sa = (int32_t)a, sb = (int32_t)b;
    mix(a + b), mix(a - b), mix(a * b), mix(a & b), mix(a | b), mix(a ^ b), mix(a & ~b), mix(~a);
    if (b != 0)
        mix(a / b), mix(a % b);
    if (sb != 0 && !(sa == INT32_MIN && sb == -1))
        mix((uint32_t)(sa / sb)), mix((uint32_t)(sa % sb));
    mix(a << (b & 31)), mix(a >> (b & 31)), mix((uint32_t)(sa >> (b & 31)));
    mix((a >> (b & 31)) | (a << (-b & 31)));
    mix(a < b), mix(a <= b), mix(sa < sb), mix(sa <= sb), mix(a == b);
    int32_t out;
    mix(__builtin_add_overflow(sa, sb, &out)), mix((uint32_t)out);
    mix(__builtin_sub_overflow(sa, sb, &out)), mix((uint32_t)out);
    mix(__builtin_mul_overflow(sa, sb, &out)), mix((uint32_t)out);
    mix(a ? __builtin_clz(a) : 32), mix(a ? __builtin_ctz(a) : 32), mix(__builtin_popcount(a));
    mix(__builtin_bswap32(a)), mix(__builtin_bswap16((uint16_t)a));
    mix((uint32_t)(int8_t)a), mix((uint32_t)(int16_t)a), mix((uint8_t)a), mix((uint16_t)a);
}

static void doubles(uint64_t a, uint64_t b) {
    int64_t sa = (int64_t)a, sb = (int64_t)b;
    mix(a + b), mix(a - b), mix(a * b), mix(a ^ b), mix(-a);
    if (b != 0)
        mix(a / b), mix(a % b);
    if (sb != 0 && !(sa == INT64_MIN && sb == -1))
        mix((uint64_t)(sa / sb)), mix((uint64_t)(sa % sb));
    mix(a << (b & 63)), mix(a >> (b & 63)), mix((uint64_t)(sa >> (b & 63)));
    mix(a < b), mix(sa < sb), mix(a == b), mix((uint64_t)(uint32_t)a * (uint32_t)b);
    mix((uint64_t)((int64_t)(int32_t)a * (int32_t)b)), mix(__builtin_bswap64(a));
}

int main(void) {
    for (unsigned i = 0; i < N; i++)
        for (unsigned j = 0; j < N; j++)
            words(EDGES[i], EDGES[j]);
    printf("words   %016llx\n", (unsigned long long)hash);
    for (unsigned i = 0; i < N; i++)
        for (unsigned j = 0; j < N; j++)
            for (unsigned k = 0; k < N; k += 3)
                doubles((uint64_t)EDGES[i] << 32 | EDGES[k], (uint64_t)EDGES[k] << 32 | EDGES[j]);
    printf("doubles %016llx\n", (unsigned long long)hash);
    uint32_t x = 0x2545f491;
    for (int i = 0; i < 20000; i++) {
        uint32_t a = x;
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        words(a, x >> (i & 31));
    }
    printf("random  %016llx\n", (unsigned long long)hash);
    return 0;
}
