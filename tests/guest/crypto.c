// AES, SHA-1, SHA-256 and the 64-bit polynomial product.
// cflags: -march=armv8-a+crypto -mfpu=crypto-neon-fp-armv8
#include <arm_neon.h>
#include <stdint.h>
#include <stdio.h>

static uint64_t state = 0x0123456789abcdefu;

static uint32_t next(void) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (uint32_t)(state >> 16);
}

static uint32x4_t any(void) {
    uint32_t w[4] = {next(), next(), next(), next()};
    return vld1q_u32(w);
}

static void show(const char *name, uint32x4_t v) {
    printf("%-12s %08x %08x %08x %08x\n", name, vgetq_lane_u32(v, 0), vgetq_lane_u32(v, 1), vgetq_lane_u32(v, 2),
           vgetq_lane_u32(v, 3));
}

#define BYTES(v) vreinterpretq_u8_u32(v)
#define WORDS(v) vreinterpretq_u32_u8(v)

int main(void) {
    for (int i = 0; i < 50; i++) {
        uint32x4_t a = any(), b = any(), c = any();
        uint32_t e = next();
        show("aese", WORDS(vaeseq_u8(BYTES(a), BYTES(b))));
        show("aesd", WORDS(vaesdq_u8(BYTES(a), BYTES(b))));
        show("aesmc", WORDS(vaesmcq_u8(BYTES(a))));
        show("aesimc", WORDS(vaesimcq_u8(BYTES(a))));
        show("sha1c", vsha1cq_u32(a, e, b));
        show("sha1p", vsha1pq_u32(a, e, b));
        show("sha1m", vsha1mq_u32(a, e, b));
        show("sha1h", vdupq_n_u32(vsha1h_u32(e)));
        show("sha1su0", vsha1su0q_u32(a, b, c));
        show("sha1su1", vsha1su1q_u32(a, b));
        show("sha256h", vsha256hq_u32(a, b, c));
        show("sha256h2", vsha256h2q_u32(a, b, c));
        show("sha256su0", vsha256su0q_u32(a, b));
        show("sha256su1", vsha256su1q_u32(a, b, c));
        poly64_t p = ((uint64_t)next() << 32) | next(), q = ((uint64_t)next() << 32) | next();
        show("vmull.p64", vreinterpretq_u32_p128(vmull_p64(p, q)));
    }
    return 0;
}
