/* A pool of threads that take jobs from one queue under a mutex and a condition. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 4, SLOTS = 64 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static uint32_t queue[SLOTS];
static unsigned head, tail;
static int closed;

static uint32_t work(uint32_t seed) {
    for (int i = 0; i < 2000; i++)
        seed = (seed ^ seed << 13) * 2654435761u ^ seed >> 7;
    return seed;
}

static void *worker(void *sum) {
    for (;;) {
        pthread_mutex_lock(&mutex);
        while (head == tail && !closed)
            pthread_cond_wait(&filled, &mutex);
        if (head == tail)
            break;
        uint32_t job = queue[head++ % SLOTS];
        pthread_cond_signal(&emptied);
        pthread_mutex_unlock(&mutex);
        *(uint64_t *)sum += work(job);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

int main(int argc, char **argv) {
    unsigned jobs = argc > 1 ? (unsigned)atoi(argv[1]) : 10000;
    pthread_t threads[WORKERS];
    uint64_t sums[WORKERS * 8] = {0}, total = 0;
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&threads[i], NULL, worker, &sums[i * 8]);
    for (unsigned i = 0; i < jobs; i++) {
        pthread_mutex_lock(&mutex);
        while (tail - head == SLOTS)
            pthread_cond_wait(&emptied, &mutex);
        queue[tail++ % SLOTS] = i;
        pthread_cond_signal(&filled);
        pthread_mutex_unlock(&mutex);
    }
    pthread_mutex_lock(&mutex);
    closed = 1;
    pthread_cond_broadcast(&filled);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        total += sums[i * 8];
    }
    printf("%llu\n", (unsigned long long)total);
    return 0;
}
