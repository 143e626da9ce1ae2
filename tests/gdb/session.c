// What gdb is shown: threads, signals, memory, registers.
//   session          ends with status 7
//   session forever  runs until it is stopped
//   session crash    dies of SIGSEGV
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int counter, watched, handled;
static volatile int ready, stop;
char text[32] = "before";

static void handler(int signal) { handled += signal; }

static void *sleeper(void *p) {
    __sync_fetch_and_add(&ready, 1);
    while (!stop)
        usleep(20000);
    return p;
}

static void *spinner(void *p) {
    __sync_fetch_and_add(&ready, 1);
    for (volatile unsigned n = 0; !stop; n++)
        ;
    return p;
}

__attribute__((noinline)) int work(int n) {
    counter += n;
    return counter * 2;
}

__attribute__((noinline)) void write_it(void) {
    for (int i = 0; i < 100; i++)
        counter++;
    watched = 42;
    counter = 0;
}

__attribute__((noinline)) double vector(void) {
    double r;
    __asm__ volatile("vmov.f64 d8, #1.5\n\tvmov.i32 q8, #0x55\n\tvadd.f64 %P0, d8, d8"
                     : "=w"(r)::"d8", "q8");
    return r;
}

unsigned words[8] __attribute__((aligned(16)));

// Accesses words[3], mostly with its neighbours; the first store only has a neighbour.
__attribute__((noinline)) void touch(void) {
    __asm__ volatile("mov r4, %0\n\tstr.w r4, [r4, #16]\n\tldm.w r4, {r0-r3}\n\tldrd r0, r1, [r4, #8]\n\t"
                     "vst1.32 {d16-d17}, [r4]\n\tadd.w r4, r4, #12\n\tldrex r0, [r4]\n\tadd.w r0, r0, #1\n\t"
                     "strex r1, r0, [r4]\n\tnop.w" ::"r"(words)
                     : "r0", "r1", "r2", "r3", "r4", "d16", "d17", "memory");
}

char *inherited;

__attribute__((noinline)) void finished(double sum) { printf("%s %.1f %d %d\n", text, sum, watched, handled); }

int main(int argc, char **argv) {
    inherited = getenv("QEMU_GDB");
    setvbuf(stdout, 0, _IONBF, 0);
    signal(SIGUSR1, handler);
    pthread_t a, b;
    pthread_create(&a, 0, sleeper, 0);
    pthread_create(&b, 0, spinner, 0);
    while (ready < 2)
        usleep(1000);
    if (argc > 1 && !strcmp(argv[1], "crash"))
        *(volatile int *)0x10 = 1;
    while (argc > 1 && !strcmp(argv[1], "forever"))
        work(1);
    for (int i = 0; i < 3; i++)
        work(i + 1);
    write_it();
    touch();
    double sum = vector();
    raise(SIGUSR1);
    finished(sum);
    stop = 1;
    pthread_join(a, 0);
    pthread_join(b, 0);
    return 7;
}
