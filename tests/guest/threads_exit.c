// Threads: exit of one and of all, thread-local storage, cancellation, robust mutexes, fork, signals to a thread.
// oracle: none (it waits forever for a robust mutex of a dead process)
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static __thread int local = 5;
static atomic_int sum;

static void *worker(void *arg) {
    local += (int)(intptr_t)arg;
    for (int n = 0; n < 1000; n++)
        sum += local;
    return (void *)(intptr_t)local;
}

static pthread_mutex_t *robust(void) {
    pthread_mutex_t *mutex =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(mutex, &attr);
    return mutex;
}

static void *dies_holding(void *arg) {
    pthread_mutex_lock(arg);
    return NULL;
}

static void cleanup(void *arg) { printf("cleanup %s\n", (char *)arg); }

static void *waits(void *arg) {
    (void)arg;
    pthread_cleanup_push(cleanup, "of the cancelled");
    for (;;)
        pause();
    pthread_cleanup_pop(0);
    return NULL;
}

static _Atomic pthread_t handled_by;
static void note(int signal) {
    (void)signal;
    handled_by = pthread_self();
}

static atomic_int ready, stop;
static void *spins(void *arg) {
    (void)arg;
    ready = 1;
    while (!stop)
        sched_yield();
    return NULL;
}

static void *forks(void *arg) {
    (void)arg;
    pid_t pid = fork();
    if (pid == 0) {
        // The only thread of the child: it may allocate, and start others.
        free(malloc(100000));
        pthread_t thread;
        pthread_create(&thread, NULL, worker, (void *)1);
        void *result;
        pthread_join(thread, &result);
        _exit((int)(intptr_t)result);
    }
    int status;
    waitpid(pid, &status, 0);
    return (void *)(intptr_t)WEXITSTATUS(status);
}

static void *leaves_all(void *arg) {
    (void)arg;
    exit(23);
}

static void *outlives(void *arg) {
    (void)arg;
    usleep(50000);
    printf("the main thread is gone\n");
    fflush(stdout);
    _exit(31);
}

int main(void) {
    pthread_t threads[8];
    void *result;
    int status, total = 0;
    for (int n = 0; n < 8; n++)
        pthread_create(&threads[n], NULL, worker, (void *)(intptr_t)n);
    for (int n = 0; n < 8; n++) {
        pthread_join(threads[n], &result);
        total += (int)(intptr_t)result;
    }
    printf("total %d sum %d own %d\n", total, sum, local);

    pthread_mutex_t *mutex = robust();
    pthread_create(&threads[0], NULL, dies_holding, mutex);
    pthread_join(threads[0], NULL);
    int error = pthread_mutex_lock(mutex);
    printf("after a thread: %s\n", error == EOWNERDEAD ? "owner died" : strerror(error));
    pthread_mutex_consistent(mutex);
    pthread_mutex_unlock(mutex);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        pthread_mutex_lock(mutex);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    error = pthread_mutex_lock(mutex);
    printf("after a process: %s\n", error == EOWNERDEAD ? "owner died" : strerror(error));

    pthread_create(&threads[0], NULL, waits, NULL);
    usleep(20000);
    pthread_cancel(threads[0]);
    pthread_join(threads[0], &result);
    printf("cancelled %d\n", result == PTHREAD_CANCELED);

    signal(SIGUSR1, note);
    pthread_create(&threads[0], NULL, spins, NULL);
    while (!ready)
        sched_yield();
    pthread_kill(threads[0], SIGUSR1);
    while (!handled_by)
        sched_yield();
    printf("handled by the right thread %d\n", pthread_equal(handled_by, threads[0]));

    pthread_create(&threads[1], NULL, forks, NULL);
    pthread_join(threads[1], &result);
    printf("child of a thread: %d\n", (int)(intptr_t)result);
    stop = 1;
    pthread_join(threads[0], NULL);

    for (int n = 0; n < 2; n++) {
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            pthread_create(&threads[0], NULL, n ? outlives : leaves_all, NULL);
            if (n)
                syscall(SYS_exit, 3);
            for (;;)
                pause();
        }
        waitpid(pid, &status, 0);
        printf("status %d\n", WEXITSTATUS(status));
    }
    return 0;
}
