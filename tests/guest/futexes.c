// Futexes: every operation by raw calls, then what the C library builds on them: robust and priority-inheriting
// mutexes, condition variables, barriers, process-shared locks.
// oracle: none (it has neither robust lists nor futex_waitv)
// ldflags: -pthread
#define _GNU_SOURCE
#include "asleep.h"
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void check(const char *what, int ok) { printf("%s: %s\n", what, ok ? "ok" : "WRONG"); }

static int futex(void *addr, int op, int val, const void *timeout, void *addr2, int val3) {
    return syscall(SYS_futex, addr, op, val, timeout, addr2, val3);
}

static int futex64(void *addr, int op, int val, const void *timeout, void *addr2, int val3) {
    return syscall(422, addr, op, val, timeout, addr2, val3);
}

static int word[4], result[4];

struct wait {
    int *addr, op, val3, *result;
    int *addr2;
    volatile int tid;
};

static void *waiter(void *arg) {
    struct wait *w = arg;
    w->tid = syscall(SYS_gettid);
    int r = futex(w->addr, w->op, *w->addr, NULL, w->addr2, w->val3);
    *w->result = r == 0 ? 1 : -errno;
    return NULL;
}

// Until the thread that stores its number there waits.
static void settle(volatile int *tid) {
    while (*tid == 0)
        usleep(1000);
    until_asleep(*tid);
}

static void operations(void) {
    long t32[2] = {0, 20000000};
    long long t64[2] = {0, 20000000};
    check("another value", futex(word, FUTEX_WAIT, 1, NULL, NULL, 0) == -1 && errno == EAGAIN);
    check("timeout", futex(word, FUTEX_WAIT_PRIVATE, 0, t32, NULL, 0) == -1 && errno == ETIMEDOUT);
    check("time64 timeout", futex64(word, FUTEX_WAIT_PRIVATE, 0, t64, NULL, 0) == -1 && errno == ETIMEDOUT);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    t64[0] = now.tv_sec - 1;
    check("absolute realtime", futex64(word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, t64, NULL, ~0) == -1 && errno == ETIMEDOUT);
    check("no bits", futex(word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0) == -1 && errno == EINVAL);
    check("bad timeout", futex(word, FUTEX_WAIT, 0, (void *)16, NULL, 0) == -1 && errno == EFAULT);
    check("bad address", futex((void *)16, FUTEX_WAIT, 0, NULL, NULL, 0) == -1 && errno == EFAULT);
    check("odd address", futex((char *)word + 1, FUTEX_WAKE, 1, NULL, NULL, 0) == -1 && errno == EINVAL);
    check("unknown operation", futex(word, 99, 0, NULL, NULL, 0) == -1 && errno == ENOSYS);

    pthread_t t[3];
    struct wait w[3];
    for (int i = 0; i < 3; i++) {
        w[i] = (struct wait){&word[0], FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 1 << i, &result[i], NULL};
        pthread_create(&t[i], NULL, waiter, &w[i]);
    }
    for (int i = 0; i < 3; i++)
        settle(&w[i].tid);
    printf("wake bit 1: %d\n", futex(word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, INT_MAX, NULL, NULL, 2));
    pthread_join(t[1], NULL);
    printf("woken %d %d %d\n", result[0], result[1], result[2]);
    printf("requeue: %d\n", futex(word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)INT_MAX, &word[1], 0));
    printf("requeue of another value: %d", futex(word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1, &word[1], 5));
    printf(" %s\n", errno == EAGAIN ? "EAGAIN" : "WRONG");
    printf("wake the other word: %d\n", futex(&word[1], FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
    pthread_join(t[0], NULL), pthread_join(t[2], NULL);
    printf("woken %d %d %d\n", result[0], result[1], result[2]);

    for (int i = 0; i < 2; i++) {
        w[i] = (struct wait){&word[i], FUTEX_WAIT_PRIVATE, 0, &result[i], NULL};
        pthread_create(&t[i], NULL, waiter, &w[i]);
    }
    settle(&w[0].tid), settle(&w[1].tid);
    int op = FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 0);
    printf("wake op: %d\n", futex(&word[0], FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &word[1], op));
    printf("word %d\n", word[1]);
    pthread_join(t[0], NULL), pthread_join(t[1], NULL);

    struct {
        uint64_t val, uaddr;
        uint32_t flags, reserved;
    } v[2] = {{word[0], (uintptr_t)&word[0], 2 | 128, 0}, {word[1], (uintptr_t)&word[1], 2 | 128, 0}};
    struct timespec mono;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    long long soon[2] = {mono.tv_sec, mono.tv_nsec};
    check("futex_waitv", syscall(449, v, 2, 0, soon, CLOCK_MONOTONIC) == -1 && errno == ETIMEDOUT);
    v[1].val++;
    check("futex_waitv, another value", syscall(449, v, 2, 0, NULL, 0) == -1 && errno == EAGAIN);
    v[0].uaddr = 1ULL << 32;
    check("futex_waitv, bad address", syscall(449, v, 2, 0, NULL, 0) == -1 && errno == EFAULT);
}

static int pi, condition;
static volatile int locker;

static void *pi_waiter(void *arg) {
    (void)arg;
    locker = syscall(SYS_gettid);
    result[0] = futex(&condition, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, &pi, 0) == 0 ? 1 : -errno;
    result[1] = (pi & FUTEX_TID_MASK) == syscall(SYS_gettid);
    result[2] = futex(&pi, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    return NULL;
}

static void *pi_locker(void *arg) {
    locker = syscall(SYS_gettid);
    result[0] = futex(&pi, *(int *)arg, 0, NULL, NULL, 0) == 0 ? 1 : -errno;
    result[1] = futex(&pi, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    return NULL;
}

static void inheritance(void) {
    int tid = syscall(SYS_gettid);
    check("lock", futex(&pi, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0 && pi == tid);
    check("deadlock", futex(&pi, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0) == -1 && errno == EDEADLK);
    for (int second = 0; second < 2; second++) {
        int op = second ? FUTEX_LOCK_PI2 | FUTEX_PRIVATE_FLAG : FUTEX_LOCK_PI_PRIVATE;
        pthread_t t;
        locker = 0;
        pthread_create(&t, NULL, pi_locker, &op);
        settle(&locker);
        check("waiters", (unsigned)pi == (tid | FUTEX_WAITERS));
        check("unlock", futex(&pi, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0);
        pthread_join(t, NULL);
        printf("%d %d word %d\n", result[0], result[1], pi);
        check("try", futex(&pi, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0 && pi == tid);
    }
    check("not the owner's", (pi = 1, futex(&pi, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0)) == -1 && errno == EPERM);
    pi = tid;
    pthread_t t;
    locker = 0;
    pthread_create(&t, NULL, pi_waiter, NULL);
    settle(&locker);
    printf("requeue: %d\n", futex(&condition, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, 0, &pi, 0));
    futex(&pi, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    pthread_join(t, NULL);
    printf("%d %d %d\n", result[0], result[1], result[2]);
}

struct shared {
    pthread_mutex_t robust, inherit;
    pthread_cond_t cond;
    pthread_barrier_t barrier;
    sem_t sem;
    int turn;
};

static void *dies_with_lock(void *m) {
    pthread_mutex_lock(m);
    return NULL;
}

static void *adds(void *m) {
    for (int i = 0; i < 20000; i++) {
        pthread_mutex_lock(m);
        word[3]++;
        pthread_mutex_unlock(m);
    }
    return NULL;
}

static void locks(void) {
    struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&s->robust, &a);
    pthread_t t[4];
    pthread_create(&t[0], NULL, dies_with_lock, &s->robust);
    pthread_join(t[0], NULL);
    check("a thread died", pthread_mutex_lock(&s->robust) == EOWNERDEAD);
    check("consistent", pthread_mutex_consistent(&s->robust) == 0 && pthread_mutex_unlock(&s->robust) == 0);
    for (int kill_it = 0; kill_it < 2; kill_it++) {
        pid_t child = fork();
        if (child == 0) {
            pthread_mutex_lock(&s->robust);
            if (kill_it)
                raise(SIGKILL);
            _exit(0);
        }
        waitpid(child, NULL, 0);
        int e = pthread_mutex_lock(&s->robust);
        printf("a process %s: %s\n", kill_it ? "was killed" : "ended", e == EOWNERDEAD ? "EOWNERDEAD" : "WRONG");
        pthread_mutex_consistent(&s->robust);
        pthread_mutex_unlock(&s->robust);
    }
    pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&s->inherit, &a);
    pthread_create(&t[0], NULL, dies_with_lock, &s->inherit);
    pthread_join(t[0], NULL);
    check("a thread died with an inheriting lock", pthread_mutex_lock(&s->inherit) == EOWNERDEAD);
    pthread_mutex_consistent(&s->inherit), pthread_mutex_unlock(&s->inherit);
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, adds, &s->inherit);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    printf("%d additions\n", word[3]);

    pthread_condattr_t ca;
    pthread_condattr_init(&ca);
    pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
    pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
    pthread_cond_init(&s->cond, &ca);
    pthread_barrierattr_t ba;
    pthread_barrierattr_init(&ba);
    pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&s->barrier, &ba, 2);
    sem_init(&s->sem, 1, 0);
    pid_t child = fork();
    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&s->robust);
        while (s->turn % 2 != (child == 0))
            pthread_cond_wait(&s->cond, &s->robust);
        s->turn++;
        pthread_cond_broadcast(&s->cond);
        pthread_mutex_unlock(&s->robust);
    }
    pthread_barrier_wait(&s->barrier);
    if (child == 0) {
        sem_post(&s->sem);
        _exit(0);
    }
    sem_wait(&s->sem);
    printf("%d turns\n", s->turn);
    waitpid(child, NULL, 0);
    struct timespec soon;
    clock_gettime(CLOCK_MONOTONIC, &soon);
    pthread_mutex_lock(&s->robust);
    check("timed wait", pthread_cond_timedwait(&s->cond, &s->robust, &soon) == ETIMEDOUT);
    clock_gettime(CLOCK_REALTIME, &soon);
    check("timed semaphore", sem_timedwait(&s->sem, &soon) == -1 && errno == ETIMEDOUT);
    check("timed lock", pthread_mutex_lock(&s->inherit) == 0);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    operations();
    inheritance();
    locks();
    return 0;
}
