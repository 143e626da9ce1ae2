// SIGFPE that is sent, while NaNs are made in a loop that gets hot.
// cflags: -D_GNU_SOURCE
// oracle: none (QEMU 7.2 now and then dies of a blocked SIGFPE)
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static void on_fpe(int number) {
    (void)number;
    caught++;
}

static uint64_t bits(double x) {
    return ((union { double d; uint64_t u; }){x}).u;
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGFPE, on_fpe);
    volatile double zero = 0;
    uint64_t sum = 0;
    for (unsigned i = 0; i < 300; i++) {
        sum = (sum ^ bits(zero / zero)) * 31;
        if (i % 3 == 0)
            raise(SIGFPE);
    }
    printf("caught %d, sum %llx\n", (int)caught, (unsigned long long)sum);
    sigset_t set, old, pending;
    sigemptyset(&set), sigaddset(&set, SIGFPE);
    sigprocmask(SIG_BLOCK, &set, &old);
    kill(getpid(), SIGFPE), kill(getpid(), SIGFPE);
    for (unsigned i = 0; i < 100; i++)
        sum = (sum ^ bits(zero / zero)) * 31;
    sigpending(&pending);
    printf("blocked: caught %d, pending %d, sum %llx\n", (int)caught, sigismember(&pending, SIGFPE), (unsigned long long)sum);
    sigprocmask(SIG_SETMASK, &old, NULL);
    printf("open: caught %d\n", (int)caught);
    sigprocmask(SIG_BLOCK, &set, &old);
    raise(SIGFPE);
    struct timespec none = {0, 0};
    printf("waited for %d", sigtimedwait(&set, NULL, &none));
    printf(", then %d", sigtimedwait(&set, NULL, &none) < 0 && errno == EAGAIN);
    sigprocmask(SIG_SETMASK, &old, NULL);
    printf(", caught %d\n", (int)caught);
    signal(SIGFPE, SIG_IGN);
    raise(SIGFPE);
    sum = (sum ^ bits(zero / zero)) * 31;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGFPE, SIG_DFL);
        sum = (sum ^ bits(zero / zero)) * 31;
        raise(SIGFPE);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    printf("child: signal %d, sum %llx\n", WTERMSIG(status), (unsigned long long)sum);
    return 0;
}
