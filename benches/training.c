/* What the compiler is trained on (cargo xtask image): a bit of everything that programs of a distribution are made of. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { NUMBER, TEXT, LIST, PAIR, NOTHING };
typedef struct value value;
struct value {
    enum kind kind;
    unsigned marked : 1, shared : 1, size : 14;
    union { double number; char *text; value **items; struct { value *head, *tail; } pair; } u;
};
typedef int (*order)(const value *, const value *);
static const char *const names[] = { "number", "text", "list", "pair", "nothing" };
static unsigned counts[sizeof names / sizeof *names];
static value nothing = { .kind = NOTHING };

static void fail(const char *format, ...) {
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    exit(errno ? errno : 1);
}

static value *make(enum kind kind) {
    value *v = calloc(1, sizeof *v);
    if (!v) fail("out of memory for a %s\n", names[kind]);
    v->kind = kind;
    counts[kind]++;
    return v;
}

value *number(double x) { value *v = make(NUMBER); v->u.number = x; return v; }
value *text(const char *s) { value *v = make(TEXT); v->u.text = strdup(s); v->size = strlen(s) & 0x3fff; return v; }
value *pair(value *head, value *tail) { value *v = make(PAIR); v->u.pair.head = head; v->u.pair.tail = tail; return v; }

int compare(const value *a, const value *b) {
    if (a->kind != b->kind) return (int)a->kind - (int)b->kind;
    switch (a->kind) {
    case NUMBER: return (a->u.number > b->u.number) - (a->u.number < b->u.number);
    case TEXT: return strcmp(a->u.text, b->u.text);
    case LIST:
        for (unsigned i = 0; i < a->size && i < b->size; i++) {
            int c = compare(a->u.items[i], b->u.items[i]);
            if (c) return c;
        }
        return a->size - b->size;
    case PAIR: {
        int c = compare(a->u.pair.head, b->u.pair.head);
        return c ? c : compare(a->u.pair.tail, b->u.pair.tail);
    }
    default: return 0;
    }
}

static void sort(value **v, int n, order less) {
    for (int gap = n / 2; gap > 0; gap /= 2)
        for (int i = gap; i < n; i++) {
            value *x = v[i];
            int j = i;
            for (; j >= gap && less(x, v[j - gap]) < 0; j -= gap) v[j] = v[j - gap];
            v[j] = x;
        }
}

static const char *skip(const char *s) { while (isspace((unsigned char)*s) || *s == ',') s++; return s; }

value *parse(const char **at, int depth) {
    const char *s = skip(*at);
    value *v = &nothing;
    if (depth > 64) fail("too deep at %.10s\n", s);
    if (*s == '(') {
        value *items[256];
        unsigned n = 0;
        for (s = skip(s + 1); *s && *s != ')'; s = skip(s))
            if (n < 256) items[n++] = parse(&s, depth + 1); else fail("too long\n");
        if (*s) s++;
        v = make(LIST);
        v->u.items = malloc(n * sizeof *items);
        memcpy(v->u.items, items, n * sizeof *items);
        v->size = n;
    } else if (*s == '"') {
        char buffer[100], *to = buffer;
        while (*++s && *s != '"') {
            int c = *s;
            if (c == '\\') switch (*++s) { case 'n': c = '\n'; break; case 't': c = '\t'; break; case 'x': c = (int)strtol(s + 1, (char **)&s, 16); s--; break; default: c = *s; }
            if (to < buffer + sizeof buffer - 1) *to++ = (char)c;
        }
        *to = 0;
        if (*s) s++;
        v = text(buffer);
    } else if (isdigit((unsigned char)*s) || *s == '-') {
        char *end;
        v = number(strtod(s, &end));
        s = end == s ? s + 1 : end;
    } else if (*s) s++;
    *at = s;
    return v;
}

uint64_t hash(const void *data, size_t n) {
    const uint8_t *p = data;
    uint64_t h = 0xcbf29ce484222325ull;
    while (n--) { h ^= *p++; h *= 0x100000001b3ull; h = h << 7 | h >> 57; }
    return h;
}

static uint32_t crc[256];
uint32_t checksum(const uint8_t *p, size_t n) {
    if (!crc[1]) for (unsigned i = 0; i < 256; i++) { uint32_t c = i; for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1; crc[i] = c; }
    uint32_t c = ~0u;
    for (; n >= 4; n -= 4, p += 4) { c = crc[(c ^ p[0]) & 255] ^ c >> 8; c = crc[(c ^ p[1]) & 255] ^ c >> 8; c = crc[(c ^ p[2]) & 255] ^ c >> 8; c = crc[(c ^ p[3]) & 255] ^ c >> 8; }
    while (n--) c = crc[(c ^ *p++) & 255] ^ c >> 8;
    return ~c;
}

void multiply(int n, const double *restrict a, const double *restrict b, double *restrict c) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int k = 0; k < n; k++) sum += a[i * n + k] * b[k * n + j];
            c[i * n + j] = sum;
        }
}

int convolve(const short *in, short *out, int n) {
    static const short taps[8] = { -3, 7, -21, 80, 80, -21, 7, -3 };
    int peak = 0;
    for (int i = 0; i + 8 <= n; i++) {
        int sum = 64;
        for (int k = 0; k < 8; k++) sum += in[i + k] * taps[k];
        sum >>= 7;
        out[i] = sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum;
        if (abs(out[i]) > peak) peak = abs(out[i]);
    }
    return peak;
}

static int64_t power(int64_t base, unsigned n, int64_t modulus) {
    int64_t result = 1;
    for (; n; n >>= 1, base = base * base % modulus) if (n & 1) result = result * base % modulus;
    return result;
}

static int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

static void print(const value *v, char *to, size_t room) {
    switch (v->kind) {
    case NUMBER: snprintf(to, room, v->u.number == floor(v->u.number) ? "%.0f" : "%g", v->u.number); break;
    case TEXT: snprintf(to, room, "\"%s\"", v->u.text); break;
    case LIST: case PAIR: snprintf(to, room, "<%s of %u>", names[v->kind], (unsigned)v->size); break;
    default: strncpy(to, "()", room);
    }
}

int main(int argc, char **argv) {
    char line[400];
    int n = 0, base = argc > 1 ? atoi(argv[1]) : 10;
    value *all[64], *list = &nothing;
    while (n < 64 && fgets(line, sizeof line, stdin)) {
        const char *at = line;
        line[strcspn(line, "\r\n")] = 0;
        if (!*line || *line == '#') continue;
        all[n++] = parse(&at, 0);
        list = pair(all[n - 1], list);
        if (*(at = skip(at))) goto rest;
    }
    sort(all, n, compare);
rest:
    for (int i = 0; i < n; i++) { print(all[i], line, sizeof line); puts(line); }
    double a[16], b[16], c[16];
    for (int i = 0; i < 16; i++) { a[i] = sin(i) * base; b[i] = i % 5 ? 1.0 / i : sqrt(i + 1.0); }
    multiply(4, a, b, c);
    short samples[64], out[64] = { 0 };
    for (int i = 0; i < 64; i++) samples[i] = (short)(1000 * cos(i / 3.0f));
    printf("%llu %08x %.3f %d %lld %d %s\n", (unsigned long long)hash(c, sizeof c), checksum((uint8_t *)all, sizeof all),
           c[5], convolve(samples, out, 64), (long long)power(base, 77, 1000003), fibonacci(base), strerror(ENOENT));
    return list != &nothing && n < 64 ? 0 : 2;
}
