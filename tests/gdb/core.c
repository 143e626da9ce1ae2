// Dies of a signal, with other threads asleep and busy: what its core file must show.
//   core            a bad store, four calls deep
//   core abort      abort()
//   core private    the bad store, after PR_SET_DUMPABLE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

static volatile int ready;

static void *sleeper(void *p) {
    __sync_fetch_and_add(&ready, 1);
    for (;;)
        pause();
    return p;
}

static void *spinner(void *p) {
    __sync_fetch_and_add(&ready, 1);
    for (volatile unsigned n = 0;; n++)
        ;
    return p;
}

__attribute__((noinline)) static void crash(int depth, volatile int *where) {
    if (depth)
        crash(depth - 1, where);
    else
        *where = 7;
}

int main(int argc, char **argv) {
    pthread_t a, b;
    pthread_create(&a, 0, sleeper, 0);
    pthread_create(&b, 0, spinner, 0);
    while (ready < 2)
        usleep(1000);
    char *secret = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(secret, "left out");
    madvise(secret, 8192, MADV_DONTDUMP);
    char *kept = (char *)malloc(64 << 20) + (32 << 20);
    strcpy(kept, "kept");
    char *sealed = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(sealed, "sealed");
    mprotect(sealed, 4096, PROT_NONE);
    __asm__ volatile("vmov.f64 d8, #1.5\n\tvmov.i32 d17, #0x55" ::: "d8", "d17");
    if (argc > 1 && !strcmp(argv[1], "abort"))
        abort();
    if (argc > 1 && !strcmp(argv[1], "private"))
        prctl(PR_SET_DUMPABLE, 0);
    crash(3, (int *)0x10);
}
