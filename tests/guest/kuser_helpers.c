// The helpers that the kernel puts at the end of the address space.
// oracle: none (it fetches no code there but traps the calls)
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

#define VERSION (*(volatile int32_t *)0xffff0ffc)
#define cmpxchg ((int (*)(int, int, volatile int *))0xffff0fc0)
#define cmpxchg64 ((int (*)(const int64_t *, const int64_t *, volatile int64_t *))0xffff0f60)
#define barrier ((void (*)(void))0xffff0fa0)
#define get_tls ((void *(*)(void))0xffff0fe0)

static volatile int counter;
static volatile int64_t wide;

static void *count(void *arg) {
    for (int n = 0; n < 2000; n++) {
        int old;
        do
            old = counter;
        while (cmpxchg(old, old + 1, &counter));
        int64_t before, after;
        do {
            before = wide;
            after = before + 0x100000001ll;
        } while (cmpxchg64(&before, &after, &wide));
    }
    return arg;
}

int main(void) {
    printf("version %d\n", VERSION);
    volatile int word = 3;
    printf("cmpxchg fails %d leaves %d\n", cmpxchg(4, 9, &word) != 0, word);
    printf("cmpxchg swaps %d gives %d\n", cmpxchg(3, 9, &word), word);
    volatile int64_t two = 0x123456789abcdefll;
    int64_t wrong = 1, right = two, next = -5;
    printf("cmpxchg64 fails %d\n", cmpxchg64(&wrong, &next, &two) != 0);
    printf("cmpxchg64 swaps %d gives %lld\n", cmpxchg64(&right, &next, &two), (long long)two);
    barrier();
    printf("tls %d\n", get_tls() == __builtin_thread_pointer());
    pthread_t threads[4];
    for (int n = 0; n < 4; n++)
        pthread_create(&threads[n], NULL, count, NULL);
    for (int n = 0; n < 4; n++)
        pthread_join(threads[n], NULL);
    printf("counted %d %llx\n", counter, (long long)wide);
    return 0;
}
