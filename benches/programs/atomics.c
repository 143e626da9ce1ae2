/* Atomics under contention: counters of 4 and 8 bytes, compare-and-swap, a lock-free stack, a spin lock. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 2, NODES = 256 };

static atomic_uint counter, maximum;
static _Atomic uint64_t wide, stack; /* stack: a generation above the index of the top node */
static atomic_flag lock = ATOMIC_FLAG_INIT;
static uint32_t next[NODES], guarded, rounds;

static void push(uint32_t node) {
    uint64_t old = atomic_load(&stack);
    do
        next[node] = (uint32_t)old;
    while (!atomic_compare_exchange_weak(&stack, &old, (((old >> 32) + 1) << 32) | node));
}

static uint32_t pop(void) {
    uint64_t old = atomic_load(&stack);
    do
        if ((uint32_t)old == 0)
            return 0;
    while (!atomic_compare_exchange_weak(&stack, &old, (((old >> 32) + 1) << 32) | next[(uint32_t)old]));
    return (uint32_t)old;
}

static void *work(void *argument) {
    uint32_t id = (uint32_t)(uintptr_t)argument;
    for (uint32_t i = 0; i < rounds; i++) {
        atomic_fetch_add(&counter, 1);
        atomic_fetch_add(&wide, 0x100000001u);
        unsigned seen = atomic_load(&maximum), mine = i * THREADS + id;
        while (seen < mine && !atomic_compare_exchange_weak(&maximum, &seen, mine)) {}
        uint32_t node = pop();
        if (node)
            push(node);
        for (unsigned spins = 0; atomic_flag_test_and_set_explicit(&lock, memory_order_acquire); spins++)
            if (spins > 100)
                sched_yield();
        guarded++;
        atomic_flag_clear_explicit(&lock, memory_order_release);
    }
    return NULL;
}

int main(int argc, char **argv) {
    rounds = argc > 1 ? (uint32_t)atoi(argv[1]) : 100000;
    for (uint32_t i = 1; i < NODES; i++)
        push(i);
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    int left = 0;
    while (pop())
        left++;
    printf("%u %llx %u %u %d\n", counter, (unsigned long long)wide, maximum, guarded, left);
    return 0;
}
