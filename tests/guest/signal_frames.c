// Signal frames, stacks and masks: what a handler sees, and what it changes.
// oracle: none (its frames name no trap, and blocked faults are not pending)
// cflags: -mfpu=neon
#define _GNU_SOURCE
#include "asleep.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static volatile int count, depth, deepest;
static char *page;

static void on_fault(int signal, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    printf("signal %d code %d offset %ld write %lu trap %lu same address %d\n", signal, info->si_code,
           (long)((char *)info->si_addr - page), uc->uc_mcontext.error_code >> 11 & 1, uc->uc_mcontext.trap_no,
           uc->uc_mcontext.fault_address == (unsigned long)info->si_addr);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

// The handler steps over the undefined instruction and leaves a result in r0.
static void on_undefined(int signal, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    printf("signal %d code %d at pc %d\n", signal, info->si_code, info->si_addr == (void *)uc->uc_mcontext.arm_pc);
    uc->uc_mcontext.arm_pc += 4;
    uc->uc_mcontext.arm_r0 = 1234;
}

// VFP registers are saved: the handler clobbers them.
static void clobber(int signal) {
    (void)signal;
    __asm__ volatile("vmov.i32 q0, #0\n vmov.i32 q8, #0\n vmov.i32 q15, #0\n" ::: "q0", "q8", "q15");
    count++;
}

static void nested(int signal, siginfo_t *info, void *context) {
    (void)context;
    depth++;
    if (depth > deepest)
        deepest = depth;
    if (signal == SIGUSR1)
        raise(SIGUSR2);
    printf("  handler %d code %d depth %d\n", signal, info->si_code, depth);
    depth--;
}

static void queued(int signal, siginfo_t *info, void *context) {
    (void)context;
    printf("  queued %d code %d value %d pid %d\n", signal - SIGRTMIN, info->si_code, info->si_value.sival_int,
           info->si_pid == getpid());
}

static void on_stack(int signal, siginfo_t *info, void *context) {
    (void)info;
    ucontext_t *uc = context;
    stack_t now;
    char here;
    sigaltstack(NULL, &now);
    printf("signal %d on stack %d inside %d saved flags %d size %u\n", signal, now.ss_flags,
           &here > (char *)now.ss_sp && &here < (char *)now.ss_sp + now.ss_size, uc->uc_stack.ss_flags,
           (unsigned)uc->uc_stack.ss_size);
    now.ss_size = 9000;
    printf("changing it: %d\n", sigaltstack(&now, NULL) < 0 ? errno == EPERM : -1);
}

static sigjmp_buf jump;
static void jump_out(int signal) { siglongjmp(jump, signal); }

static void tick(int signal) {
    (void)signal;
    count++;
}

static void set(int signal, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action = {.sa_flags = SA_SIGINFO | flags};
    action.sa_sigaction = handler;
    sigaction(signal, &action, NULL);
}

int main(void) {
    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    set(SIGSEGV, on_fault, 0);
    page[100] = 7;
    printf("stored %d\n", page[100]);
    mprotect(page, 4096, PROT_NONE);
    printf("loaded %d\n", page[100]);

    set(SIGILL, on_undefined, 0);
    register int r0 __asm__("r0") = 1;
    // UDF, four bytes in both instruction sets.
#ifdef __thumb__
    __asm__ volatile(".inst.w 0xf7f0a001" : "+r"(r0)::"memory");
#else
    __asm__ volatile(".inst 0xe7f001f1" : "+r"(r0)::"memory");
#endif
    printf("after: %d\n", r0);

    signal(SIGUSR1, clobber);
    double values[3] = {1.5, -2.25, 1e300}, out[3];
    pid_t self = getpid();
    register int number __asm__("r7") = 37;
    register int first __asm__("r0") = self;
    register int second __asm__("r1") = SIGUSR1;
    __asm__ volatile("vldr d0, [%4]\n vldr d16, [%4, #8]\n vldr d31, [%4, #16]\n svc 0\n"
                     "vstr d0, [%5]\n vstr d16, [%5, #8]\n vstr d31, [%5, #16]\n"
                     : "+r"(first)
                     : "r"(first), "r"(second), "r"(number), "r"(values), "r"(out)
                     : "memory", "d0", "d16", "d31");
    printf("registers kept %d handler ran %d\n", memcmp(values, out, sizeof out) == 0, count);

    set(SIGUSR1, nested, 0);
    set(SIGUSR2, nested, 0);
    raise(SIGUSR1);
    printf("deepest %d\n", deepest);
    deepest = 0;
    struct sigaction action = {.sa_flags = SA_SIGINFO};
    action.sa_sigaction = nested;
    sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    printf("with the other blocked %d\n", deepest);

    // Real-time signals queue, in order of number and then of sending.
    sigset_t set_rt, old, pending;
    sigemptyset(&set_rt);
    for (int n = 0; n < 3; n++) {
        set(SIGRTMIN + n, queued, 0);
        sigaddset(&set_rt, SIGRTMIN + n);
    }
    sigprocmask(SIG_BLOCK, &set_rt, &old);
    for (int n = 2; n >= 0; n--)
        for (int k = 0; k < 3; k++)
            sigqueue(getpid(), SIGRTMIN + n, (union sigval){.sival_int = 10 * n + k});
    sigpending(&pending);
    printf("pending %d %d\n", sigismember(&pending, SIGRTMIN), sigismember(&pending, SIGRTMIN + 3));
    siginfo_t info;
    struct timespec none = {0, 0};
    printf("taken %d value %d\n", sigtimedwait(&set_rt, &info, &none) - SIGRTMIN, info.si_value.sival_int);
    sigprocmask(SIG_SETMASK, &old, NULL);
    printf("none left: %d %d\n", sigtimedwait(&set_rt, &info, &none), errno == EAGAIN);

    // An alternate stack.
    stack_t stack = {.ss_sp = malloc(16384), .ss_size = 16384};
    sigaltstack(&stack, NULL);
    set(SIGUSR1, on_stack, SA_ONSTACK);
    raise(SIGUSR1);
    stack.ss_size = 100;
    printf("too small: %d\n", sigaltstack(&stack, NULL) < 0 && errno == ENOMEM);

    // SA_RESETHAND and SA_NODEFER, and leaving by longjmp.
    struct sigaction once = {.sa_flags = SA_RESETHAND | SA_NODEFER};
    once.sa_handler = jump_out;
    sigaction(SIGUSR2, &once, NULL);
    int jumped = sigsetjmp(jump, 1);
    if (jumped == 0)
        raise(SIGUSR2);
    sigaction(SIGUSR2, NULL, &once);
    printf("jumped %d reset %d\n", jumped, once.sa_handler == SIG_DFL);

    // SA_RESTART: a read goes on, or it ends with EINTR.
    for (int restart = 0; restart < 2; restart++) {
        int ends[2];
        if (pipe(ends) < 0)
            return 1;
        struct sigaction alarm_action = {.sa_flags = restart ? SA_RESTART : 0};
        alarm_action.sa_handler = tick;
        sigaction(SIGALRM, &alarm_action, NULL);
        count = 0;
        pid_t parent = getpid(), child = fork();
        if (child == 0) {
            until_asleep(parent);
            kill(parent, SIGALRM);
            until_asleep(parent);
            if (write(ends[1], "x", 1) < 0)
                _exit(1);
            _exit(0);
        }
        char byte;
        ssize_t n = read(ends[0], &byte, 1);
        printf("restart %d: read %zd%s ticks %d\n", restart, n, n < 0 && errno == EINTR ? " EINTR" : "", count);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
        close(ends[0]);
        close(ends[1]);
    }

    // A sleep is not restarted, and says how much is left. The first signal may come before it begins.
    struct itimerval timer = {.it_value = {.tv_usec = 300000}, .it_interval = {.tv_usec = 300000}};
    setitimer(ITIMER_REAL, &timer, NULL);
    struct timespec request = {5, 0}, left = {0, 0};
    int slept = nanosleep(&request, &left);
    printf("nanosleep %d EINTR %d left %d\n", slept, errno == EINTR, left.tv_sec >= 1 && left.tv_sec < 5);
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);

    // sigsuspend runs the handler with its mask and puts the old one back.
    sigset_t block, open_all;
    sigemptyset(&block);
    sigaddset(&block, SIGALRM);
    sigprocmask(SIG_BLOCK, &block, NULL);
    count = 0;
    raise(SIGALRM);
    sigemptyset(&open_all);
    int suspended = sigsuspend(&open_all);
    sigprocmask(SIG_BLOCK, NULL, &old);
    printf("sigsuspend %d EINTR %d ran %d blocked again %d\n", suspended, errno == EINTR, count,
           sigismember(&old, SIGALRM));

    // A fault that is blocked kills.
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        sigset_t segv;
        sigemptyset(&segv);
        sigaddset(&segv, SIGSEGV);
        sigprocmask(SIG_BLOCK, &segv, NULL);
        kill(getpid(), SIGSEGV);
        sigpending(&pending);
        printf("sent while blocked: pending %d\n", sigismember(&pending, SIGSEGV));
        fflush(stdout);
        *(volatile int *)page = 1;
        mprotect(page, 4096, PROT_NONE);
        *(volatile int *)page = 1;
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    printf("killed by %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    return 0;
}
