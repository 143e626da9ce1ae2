// Clocks, sleeping, interval timers, POSIX timers, timer descriptors, in the old and the time64 forms.
// oracle: none (it has no overrun counts and no thread timers)
// ldflags: -lrt -pthread
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static void check(const char *what, int ok) { printf("%s: %s\n", what, ok ? "ok" : "WRONG"); }

static long long ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static volatile int count, code, value;
static volatile pid_t taker;

static void handler(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    count++;
    code = info->si_code;
    value = info->si_value.sival_int;
    taker = syscall(SYS_gettid);
}

static void clocks(void) {
    struct timespec a;
    long long b[2] = {-1, -1};
    check("clock_gettime64", clock_gettime(CLOCK_REALTIME, &a) == 0 && syscall(403, CLOCK_REALTIME, b) == 0 &&
                                 b[0] - a.tv_sec <= 5 && b[1] >= 0 && b[1] < 1000000000);
    struct timeval tv;
    check("gettimeofday", gettimeofday(&tv, NULL) == 0 && tv.tv_sec - b[0] <= 5 && tv.tv_usec < 1000000);
    long c[2] = {-1, -1};
    check("old clock_gettime", syscall(SYS_clock_gettime, CLOCK_MONOTONIC, c) == 0 && c[1] >= 0 && c[1] < 1000000000);
    check("clock_getres", clock_getres(CLOCK_MONOTONIC, &a) == 0 && a.tv_sec == 0 && a.tv_nsec == 1 &&
                              clock_getres(CLOCK_MONOTONIC, NULL) == 0);
    check("unknown clock", clock_gettime(77, &a) == -1 && errno == EINVAL);
    check("bad pointer", syscall(SYS_clock_gettime, CLOCK_REALTIME, 8) == -1 && errno == EFAULT);
    check("bad time64 pointer", syscall(403, CLOCK_REALTIME, 8) == -1 && errno == EFAULT);
    clockid_t clock;
    check("a process's clock", clock_getcpuclockid(0, &clock) == 0 && clock_gettime(clock, &a) == 0);
    check("a thread's clock", pthread_getcpuclockid(pthread_self(), &clock) == 0 && clock_gettime(clock, &a) == 0);
    struct tms tms;
    check("times", times(&tms) != (clock_t)-1 && tms.tms_utime >= 0 && tms.tms_utime < 1000);
    struct timex timex = {.modes = 0};
    check("adjtimex", adjtimex(&timex) >= 0 && timex.tick >= 9000 && timex.tick <= 11000 &&
                          labs(timex.time.tv_sec - time(NULL)) < 5);
    struct timespec denied = {1, 2000000000};
    check("bad time to set", clock_settime(CLOCK_REALTIME, &denied) == -1 && (errno == EINVAL || errno == EPERM));
}

static void sleeping(void) {
    long long start = ms();
    struct timespec t = {0, 30000000};
    check("nanosleep", syscall(SYS_nanosleep, &t, NULL) == 0 && ms() - start >= 30);
    start = ms();
    // The upper half of tv_nsec is padding.
    struct {
        long long sec;
        int nsec, pad;
    } t64 = {0, 30000000, 0x55555555};
    check("clock_nanosleep_time64", syscall(407, CLOCK_MONOTONIC, 0, &t64, NULL) == 0 && ms() - start >= 30);
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += 20000000;
    if (t.tv_nsec >= 1000000000)
        t.tv_sec++, t.tv_nsec -= 1000000000;
    check("absolute", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == 0);
    t = (struct timespec){0, 1000000000};
    check("too many nanoseconds", nanosleep(&t, NULL) == -1 && errno == EINVAL);

    // A signal with SA_RESTART ends a sleep nevertheless, and tells what is left. The first may come before the sleep
    // begins where code is compiled first.
    struct itimerval it = {{0, 100000}, {0, 100000}}, old;
    count = 0;
    setitimer(ITIMER_REAL, &it, NULL);
    struct timespec left = {0, 0};
    t = (struct timespec){5, 0};
    check("interrupted", nanosleep(&t, &left) == -1 && errno == EINTR && count >= 1 && left.tv_sec >= 1 && left.tv_sec < 5);
    it = (struct itimerval){{0, 5000}, {0, 5000}};
    setitimer(ITIMER_REAL, &it, NULL);
    while (count < 5)
        usleep(1000);
    check("getitimer", getitimer(ITIMER_REAL, &old) == 0 && old.it_interval.tv_usec == 5000 && old.it_value.tv_sec == 0);
    memset(&it, 0, sizeof it);
    check("stopped", setitimer(ITIMER_REAL, &it, &old) == 0 && old.it_interval.tv_usec == 5000);
    alarm(100);
    check("alarm", alarm(0) == 100);
}

static void *own_timer(void *arg) {
    (void)arg;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 77};
    event._sigev_un._tid = syscall(SYS_gettid);
    timer_t id;
    if (timer_create(CLOCK_MONOTONIC, &event, &id) != 0)
        return "no timer";
    struct itimerspec it = {.it_value = {0, 10000000}};
    count = 0;
    timer_settime(id, 0, &it, NULL);
    while (!count)
        usleep(1000);
    timer_delete(id);
    return taker == syscall(SYS_gettid) && value == 77 ? "own thread" : "WRONG";
}

static volatile int by_thread;

static void in_thread(union sigval v) { by_thread = v.sival_int; }

static void posix_timers(void) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM, .sigev_value.sival_int = -559038737};
    timer_t id;
    check("timer_create", timer_create(CLOCK_MONOTONIC, &event, &id) == 0);
    struct itimerspec it = {{0, 2000000}, {0, 2000000}}, old;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    count = 0;
    timer_settime(id, 0, &it, NULL);
    usleep(50000);
    struct timespec now = {0, 0};
    siginfo_t info;
    check("sigtimedwait", sigtimedwait(&set, &info, &now) == SIGALRM && info.si_code == SI_TIMER &&
                              info.si_value.sival_int == -559038737 && info.si_overrun >= 5);
    check("timer_getoverrun", timer_getoverrun(id) >= 5);
    check("timer_gettime", timer_gettime(id, &old) == 0 && old.it_interval.tv_nsec == 2000000 && old.it_value.tv_sec == 0);
    it = (struct itimerspec){{0, 0}, {0, 0}};
    check("disarmed", timer_settime(id, 0, &it, &old) == 0 && old.it_interval.tv_nsec == 2000000);
    while (sigtimedwait(&set, NULL, &now) > 0) {}
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    long long it64[4] = {0, 0, 0, 5000000}, old64[4] = {9, 9, 9, 9};
    count = 0;
    check("timer_settime64", syscall(409, id, 0, it64, old64) == 0 && old64[0] == 0 && old64[3] == 0);
    while (!count)
        usleep(1000);
    check("handler", code == SI_TIMER && value == -559038737);
    check("timer_gettime64", syscall(408, id, old64) == 0 && old64[2] == 0 && old64[3] == 0);
    check("timer_delete", timer_delete(id) == 0);
    check("default event", timer_create(CLOCK_REALTIME, NULL, &id) == 0);
    it.it_value.tv_nsec = 1000000;
    count = 0;
    timer_settime(id, 0, &it, NULL);
    while (!count)
        usleep(1000);
    timer_delete(id);
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, own_timer, NULL);
    pthread_join(thread, &result);
    printf("SIGEV_THREAD_ID: %s\n", (char *)result);
    struct sigevent in = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = in_thread, .sigev_value.sival_int = 5};
    timer_create(CLOCK_MONOTONIC, &in, &id);
    timer_settime(id, 0, &it, NULL);
    for (int i = 0; i < 10000 && !by_thread; i++)
        usleep(1000);
    check("SIGEV_THREAD", by_thread == 5);
    timer_delete(id);
}

static void descriptors(void) {
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    uint64_t ticks;
    check("not yet", read(fd, &ticks, 8) == -1 && errno == EAGAIN);
    struct itimerspec it = {{0, 3000000}, {0, 3000000}}, old;
    timerfd_settime(fd, 0, &it, NULL);
    usleep(20000);
    check("ticks", read(fd, &ticks, 8) == 8 && ticks >= 5);
    check("timerfd_gettime", timerfd_gettime(fd, &old) == 0 && old.it_interval.tv_nsec == 3000000);
    long long it64[4] = {0, 0, 100, 0}, old64[4];
    check("timerfd_settime64", syscall(411, fd, 0, it64, old64) == 0 && old64[1] == 3000000);
    check("timerfd_gettime64", syscall(410, fd, old64) == 0 && old64[2] >= 90 && old64[2] < 100 && old64[1] == 0);
    it = (struct itimerspec){.it_value = {1, 0}};
    check("in the past", timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL) == 0);
    struct pollfd p = {fd, POLLIN, 0};
    check("poll", poll(&p, 1, 10000) == 1);
    check("not a timer", timerfd_settime(1, 0, &it, NULL) == -1 && errno == EINVAL);
    close(fd);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    clocks();
    sleeping();
    posix_timers();
    descriptors();
    return 0;
}
