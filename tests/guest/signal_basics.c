// Signals: handlers, masks, pending, alternate stack, nesting, restart, real-time queue, timers, waiting.
// cflags: -D_GNU_SOURCE
#include "asleep.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t count, depth, deepest, order[16], next_slot;
static char *volatile stack_seen;

static void on_signal(int number) {
    (void)number;
    count++;
}

static void on_stack(int number) {
    char here;
    (void)number;
    stack_seen = &here;
}

static void nest(int number) {
    depth++;
    if (depth > deepest)
        deepest = depth;
    if (number == SIGUSR1)
        raise(SIGUSR2);
    depth--;
}

static void queued(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    if (next_slot < 16)
        order[next_slot++] = info->si_value.sival_int;
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGUSR1, on_signal);
    for (int i = 0; i < 100; i++)
        raise(SIGUSR1);
    printf("raised %d\n", count);

    sigset_t block, old, pending;
    sigemptyset(&block), sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, &old);
    count = 0;
    raise(SIGUSR1), raise(SIGUSR1);
    sigpending(&pending);
    printf("blocked: %d pending %d\n", count, sigismember(&pending, SIGUSR1));
    sigprocmask(SIG_SETMASK, &old, NULL);
    printf("unblocked: %d\n", count);

    static char alternate[65536];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_handler = on_stack, .sa_flags = SA_ONSTACK | SA_RESETHAND};
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR2);
    sigaction(SIGUSR2, NULL, &action);
    printf("on the alternate stack %d, reset %d\n", stack_seen >= alternate && stack_seen < alternate + sizeof alternate,
           action.sa_handler == SIG_DFL);

    signal(SIGUSR1, nest), signal(SIGUSR2, nest);
    raise(SIGUSR1);
    printf("deepest %d, depth %d\n", deepest, depth);

    action = (struct sigaction){.sa_sigaction = queued, .sa_flags = SA_SIGINFO};
    sigaction(SIGRTMIN + 1, &action, NULL), sigaction(SIGRTMIN + 2, &action, NULL);
    sigemptyset(&block), sigaddset(&block, SIGRTMIN + 1), sigaddset(&block, SIGRTMIN + 2);
    sigprocmask(SIG_BLOCK, &block, &old);
    for (int i = 0; i < 4; i++) {
        sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 20 + i});
        sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 10 + i});
    }
    siginfo_t info;
    int number = sigwaitinfo(&block, &info);
    printf("waited for +%d value %d\n", number - SIGRTMIN, info.si_value.sival_int);
    sigprocmask(SIG_SETMASK, &old, NULL);
    // All are delivered before the call returns; which runs first is for the kernel's frames to say.
    int sum = 0;
    for (int i = 0; i < next_slot; i++)
        sum += order[i];
    printf("queued %d, sum %d\n", next_slot, sum);

    // A read that a signal interrupts: restarted, or EINTR.
    for (int restart = 0; restart < 2; restart++) {
        int fds[2];
        if (pipe(fds))
            return 1;
        action = (struct sigaction){.sa_handler = on_signal, .sa_flags = restart ? SA_RESTART : 0};
        sigaction(SIGUSR1, &action, NULL);
        count = 0;
        pid_t parent = getpid(), child = fork();
        if (child == 0) {
            until_asleep(parent);
            kill(parent, SIGUSR1);
            until_asleep(parent);
            _exit(write(fds[1], "x", 1) != 1);
        }
        char c = 0;
        ssize_t n = read(fds[0], &c, 1);
        printf("restart %d: read %zd %s, handled %d\n", restart, n, n < 0 ? strerror(errno) : "", count);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
        close(fds[0]), close(fds[1]);
    }

    action = (struct sigaction){.sa_handler = on_signal};
    sigaction(SIGALRM, &action, NULL);
    count = 0;
    struct itimerval timer = {{0, 5000}, {0, 5000}};
    setitimer(ITIMER_REAL, &timer, NULL);
    for (volatile unsigned long spin = 0; count < 10; spin++) {}
    timer = (struct itimerval){0};
    setitimer(ITIMER_REAL, &timer, NULL);
    puts("ten ticks in a loop without system calls");
    sigset_t alarms;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    sigprocmask(SIG_BLOCK, &alarms, NULL);
    sigemptyset(&block);
    timer.it_value.tv_usec = 20000;
    setitimer(ITIMER_REAL, &timer, NULL);
    int result = sigsuspend(&block);
    printf("sigsuspend %d %s\n", result, strerror(errno));

    int status;
    const int deadly[] = {SIGSEGV, SIGABRT, SIGKILL, SIGTERM, SIGILL};
    for (int i = 0; i < 5; i++) {
        pid_t child = fork();
        if (child == 0) {
            signal(deadly[i], SIG_DFL);
            if (deadly[i] == SIGABRT)
                abort();
            raise(deadly[i]);
            _exit(0);
        }
        waitpid(child, &status, 0);
        printf("child killed by %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    }
    return 0;
}
