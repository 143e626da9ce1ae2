/* Integer work of the kind small benchmarks model: linked lists, matrices, a state machine and checksums,
 * with a printed sum that any compiler and machine must agree on. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint16_t crc(uint16_t sum, uint32_t word) {
    for (int bit = 0; bit < 32; bit++, word >>= 1)
        sum = (uint16_t)((sum >> 1) ^ ((sum ^ word) & 1 ? 0xa001 : 0));
    return sum;
}

struct node {
    struct node *next;
    int16_t key, value;
};

static struct node *merge(struct node *a, struct node *b, int by_key) {
    struct node head, *tail = &head;
    while (a && b) {
        int first = by_key ? a->key <= b->key : a->value <= b->value;
        struct node **from = first ? &a : &b;
        tail = tail->next = *from;
        *from = (*from)->next;
    }
    tail->next = a ? a : b;
    return head.next;
}

static struct node *sort(struct node *list, int by_key) {
    if (!list || !list->next)
        return list;
    struct node *slow = list, *fast = list->next;
    while (fast && fast->next)
        slow = slow->next, fast = fast->next->next;
    struct node *second = slow->next;
    slow->next = NULL;
    return merge(sort(list, by_key), sort(second, by_key), by_key);
}

static uint16_t lists(uint16_t sum, uint32_t seed) {
    enum { COUNT = 400 };
    static struct node nodes[COUNT];
    struct node *list = NULL;
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 1103515245 + 12345;
        nodes[i] = (struct node){list, (int16_t)(seed >> 16), (int16_t)(seed >> 3)};
        list = &nodes[i];
    }
    for (int pass = 0; pass < 2; pass++) {
        list = sort(list, pass);
        for (struct node *n = list; n; n = n->next)
            sum = (uint16_t)(sum * 31 + n->key);
    }
    return crc(sum, (uint32_t)list->key);
}

static uint16_t matrices(uint16_t sum, int seed) {
    enum { N = 24 };
    static int16_t a[N][N], b[N][N];
    static int32_t c[N][N];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            a[i][j] = (int16_t)(seed * (i + 3) + j), b[i][j] = (int16_t)(seed + i * (j + 7));
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            int32_t total = 0;
            for (int k = 0; k < N; k++)
                total += ((a[i][k] * b[k][j]) >> 2 & 15) * ((a[i][k] * b[k][j]) >> 5 & 127);
            c[i][j] = total;
        }
    for (int i = 0; i < N; i++)
        sum = crc(sum, (uint32_t)c[i][(i * 7) % N]);
    return sum;
}

enum state { START, SIGN, DIGITS, POINT, FRACTION, EXPONENT, BAD, STATES };

static enum state step(enum state state, char c) {
    switch (state) {
    case START: return c == '+' || c == '-' ? SIGN : c >= '0' && c <= '9' ? DIGITS : c == '.' ? POINT : BAD;
    case SIGN: return c >= '0' && c <= '9' ? DIGITS : c == '.' ? POINT : BAD;
    case DIGITS: return c >= '0' && c <= '9' ? DIGITS : c == '.' ? POINT : c == 'e' ? EXPONENT : BAD;
    case POINT: return c >= '0' && c <= '9' ? FRACTION : BAD;
    case FRACTION: return c >= '0' && c <= '9' ? FRACTION : c == 'e' ? EXPONENT : BAD;
    case EXPONENT: return c == '+' || c == '-' ? SIGN : c >= '0' && c <= '9' ? DIGITS : BAD;
    default: return BAD;
    }
}

static uint16_t machine(uint16_t sum, int seed) {
    static const char *const words[] = {"5012", "-874", "+122.5", ".1234500", "-1.5e-3", "87e+832", "T0.3e-1F", "1.2.3"};
    unsigned count[STATES] = {0};
    for (int i = 0; i < 64; i++) {
        enum state state = START;
        for (const char *p = words[(i * 5 + seed) & 7]; *p; p++)
            count[state = step(state, *p)]++;
    }
    for (int i = 0; i < STATES; i++)
        sum = crc(sum, count[i]);
    return sum;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1000;
    uint16_t sum = 0xffff;
    for (int i = 0; i < rounds; i++) {
        sum = lists(sum, (uint32_t)i);
        sum = matrices(sum, i);
        sum = machine(sum, i);
    }
    printf("%d rounds: %04x\n", rounds, sum);
    return 0;
}
