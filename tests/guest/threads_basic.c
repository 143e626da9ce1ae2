// POSIX threads: mutexes, conditions, keys, thread-local storage, barriers, once, semaphores, cancellation, stacks.
// cflags: -pthread -D_GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define THREADS 8

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static sem_t semaphore;
static atomic_int atomic_sum, onces, destroyed, cleaned;
static atomic_llong wide_sum;
static _Thread_local int local = 5;
static int plain_sum, turn;

static void first(void) {
    onces++;
}

static void destroy(void *value) {
    destroyed += (int)(long)value;
}

static void *work(void *argument) {
    long id = (long)argument;
    pthread_once(&once, first);
    pthread_setspecific(key, (void *)(id + 1));
    for (int i = 0; i < 5000; i++) {
        pthread_mutex_lock(&mutex);
        plain_sum++;
        pthread_mutex_unlock(&mutex);
        atomic_sum++;
        atomic_fetch_add(&wide_sum, 0x100000001LL);
        local += (int)id;
    }
    pthread_barrier_wait(&barrier);
    // One after the other, by the condition.
    pthread_mutex_lock(&mutex);
    while (turn != id)
        pthread_cond_wait(&changed, &mutex);
    printf("thread %ld: local %d\n", id, local);
    turn++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    sem_post(&semaphore);
    return (void *)(id * id);
}

static void cleanup(void *argument) {
    cleaned += (int)(long)argument;
}

static void *sleeper(void *argument) {
    pthread_cleanup_push(cleanup, (void *)7);
    sem_post(argument);
    for (;;)
        pause();
    pthread_cleanup_pop(0);
    return NULL;
}

static void *spinner(void *argument) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    sem_post(argument);
    for (;;) {}
    return NULL;
}

static void *big_stack(void *argument) {
    (void)argument;
    volatile char array[6 << 20];
    for (unsigned i = 0; i < sizeof array; i += 4096)
        array[i] = (char)i;
    return (void *)(long)array[4096 * 5];
}

int main(void) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS);
    pthread_key_create(&key, destroy);
    sem_init(&semaphore, 0, 0);
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    long results = 0;
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        results += (long)result;
        sem_wait(&semaphore);
    }
    printf("plain %d atomic %d wide %llx once %d destroyed %d results %ld local %d\n", plain_sum, atomic_sum,
           (long long)wide_sum, onces, destroyed, results, local);

    for (int kind = 0; kind < 2; kind++) {
        pthread_t thread;
        void *result;
        pthread_create(&thread, NULL, kind ? spinner : sleeper, &semaphore);
        sem_wait(&semaphore);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        printf("cancelled %d, cleaned %d\n", result == PTHREAD_CANCELED, cleaned);
    }

    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 8 << 20);
    void *result;
    pthread_create(&threads[0], &attributes, big_stack, NULL);
    pthread_join(threads[0], &result);
    printf("big stack %ld\n", (long)result);

    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_nsec += 30000000;
    if (limit.tv_nsec >= 1000000000)
        limit.tv_sec++, limit.tv_nsec -= 1000000000;
    pthread_mutex_lock(&mutex);
    printf("timed wait: %s\n", strerror(pthread_cond_timedwait(&changed, &mutex, &limit)));
    printf("timed lock: %s\n", strerror(pthread_mutex_timedlock(&mutex, &limit)));
    for (int i = 0; i < 500; i++) {
        pthread_create(&threads[0], NULL, (void *(*)(void *))pthread_self, NULL);
        pthread_join(threads[0], NULL);
    }
    puts("500 short threads");
    return 0;
}
