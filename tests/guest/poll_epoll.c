// poll, select, epoll, eventfd in all widths, with masks and timeouts.
// oracle: none (it hangs now and then on slow machines; the expected output is its own where it does not)
#include "scratch.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t signals;

static void count(int signal) {
    (void)signal;
    signals++;
}

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

int main(void) {
    scratch_enter();
    // No file is open at these, whatever came with the start.
    close(77), close(99);
    int p[2], q[2];
    SHOW(pipe(p));
    SHOW(pipe(q));
    struct pollfd polls[4] = {{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}, {-1, POLLIN, 7}, {99, POLLIN, 0}};
    SHOW(poll(polls, 4, 0));
    printf("%x %x %x %x\n", polls[0].revents, polls[1].revents, polls[2].revents, polls[3].revents);
    SHOW(write(p[1], "x", 1));
    SHOW(poll(polls, 1, -1));
    printf("%x\n", polls[0].revents);
    SHOW(poll((struct pollfd *)16, 1, 0));
    long long start = now();
    struct pollfd idle = {q[0], POLLIN, 0};
    SHOW(poll(&idle, 1, 30));
    printf("waited %d\n", now() - start >= 29);

    // ppoll: the time that is left is told, in both widths; the mask holds only for the wait.
    struct sigaction action = {.sa_handler = count, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    sigset_t set, none;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    int32_t short_time[2] = {5, 500000000};
    uint32_t kernel_none[2] = {0, 0};
    SHOW(syscall(SYS_ppoll, &idle, 1, short_time, kernel_none, 8));
    printf("signals %d, left %d\n", signals, short_time[0] >= 1 && short_time[0] <= 5);
    int64_t long_time[2] = {5, 500000000};
    SHOW(syscall(SYS_ppoll_time64, polls, 1, long_time, NULL, 0));
    printf("left %d\n", long_time[0] >= 1 && long_time[0] <= 5);
    SHOW(syscall(SYS_ppoll, polls, 1, short_time, kernel_none, 4));
    SHOW(ppoll(polls, 1, &(struct timespec){0, 1000000000}, NULL));
    raise(SIGUSR1);
    SHOW(ppoll(&idle, 1, NULL, &none));
    printf("signals %d\n", signals);
    sigprocmask(SIG_SETMASK, NULL, &set);
    printf("blocked again %d\n", sigismember(&set, SIGUSR1));

    fd_set in, out;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(p[0], &in);
    FD_SET(q[0], &in);
    FD_SET(p[1], &out);
    struct timeval tv = {3, 999999};
    SHOW(select(20, &in, &out, NULL, &tv));
    printf("%d %d %d left %d\n", FD_ISSET(p[0], &in), FD_ISSET(q[0], &in), FD_ISSET(p[1], &out), tv.tv_sec >= 1 && tv.tv_sec <= 3);
    FD_ZERO(&in);
    FD_SET(q[0], &in);
    SHOW(select(20, &in, NULL, NULL, &(struct timeval){0, 10000}));
    SHOW(FD_ISSET(q[0], &in));
    FD_SET(77, &in);
    SHOW(select(78, &in, NULL, NULL, NULL));
    SHOW(select(-1, NULL, NULL, NULL, NULL));
    SHOW(select(20, (fd_set *)16, NULL, NULL, NULL));
    // A set of one 32-bit word: nothing behind it is touched.
    uint32_t words[2] = {1u << p[0], 0xdeadbeef};
    int32_t zero[2] = {0, 0};
    SHOW(syscall(SYS__newselect, 32, words, NULL, NULL, zero));
    printf("%d %x\n", words[0] == 1u << p[0], words[1]);
    dup2(p[0], 40);
    words[0] = 0, words[1] = 1u << 8;
    SHOW(syscall(SYS__newselect, 41, words, NULL, NULL, zero));
    printf("%x %x\n", words[0], words[1]);
    raise(SIGUSR1);
    FD_ZERO(&in);
    FD_SET(q[0], &in);
    SHOW(pselect(20, &in, NULL, NULL, NULL, &none));
    printf("signals %d\n", signals);

    int ep = epoll_create1(EPOLL_CLOEXEC);
    SHOW(fcntl(ep, F_GETFD));
    int event = eventfd(3, EFD_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = 0x123456789abcdef0};
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, event, &e));
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, event, &e));
    e.data.u64 = 0xfedcba9876543210;
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, q[0], (struct epoll_event *)16));
    struct epoll_event events[3];
    memset(events, 0, sizeof events);
    int n = epoll_wait(ep, events, 3, -1);
    unsigned long long sum = 0;
    for (int i = 0; i < n; i++)
        sum += events[i].data.u64;
    printf("%d events, data %llx, bits %x\n", n, sum, events[0].events | events[1].events);
    SHOW(epoll_wait(ep, events, 0, 0));
    SHOW(epoll_wait(ep, (struct epoll_event *)16, 1, 0));
    SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL));
    unsigned long long value;
    SHOW(read(event, &value, sizeof value));
    printf("%llu\n", value);
    SHOW(read(event, &value, sizeof value));
    SHOW(epoll_wait(ep, events, 3, 10));
    raise(SIGUSR1);
    SHOW(epoll_pwait(ep, events, 3, -1, &none));
    printf("signals %d\n", signals);
    SHOW(write(event, &(unsigned long long){5}, 8));
    e.events = EPOLLIN | EPOLLET | EPOLLONESHOT;
    SHOW(epoll_ctl(ep, EPOLL_CTL_MOD, event, &e));
    SHOW(epoll_wait(ep, events, 1, -1));
    SHOW(epoll_wait(ep, events, 1, 0));
    SHOW(epoll_ctl(ep, 9, event, &e));
    return 0;
}
