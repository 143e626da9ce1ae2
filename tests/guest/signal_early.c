// Signals that arrive when a system call is about to be made: the handler, which has no SA_RESTART, runs first, then the call is
// made. A call that does not wait does not fail with EINTR, and what it is to close is closed.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t signals;

static void handler(int sig)
{
    (void)sig;
    signals++;
}

static unsigned interrupted, failed, open_still;

static void check(long result)
{
    if (result < 0 && errno == EINTR) interrupted++;
    else if (result < 0) failed++;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval often = {{0, 60}, {0, 60}};
    setitimer(ITIMER_REAL, &often, NULL);
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    char byte;
    do {
        for (int k = 0; k < 100; k++) {
            int fd = open("/proc/self/exe", O_RDONLY);
            check(fd);
            if (fd < 0) continue;
            check(pread(fd, &byte, 1, 0));
            struct stat status;
            check(fstat(fd, &status));
            int second = dup2(fd, 100);
            check(second);
            check(close(100));
            if (fcntl(100, F_GETFD) >= 0) open_still++;
            check(close(fd));
            if (fcntl(fd, F_GETFD) >= 0) open_still++, close(fd);
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - start.tv_sec + (now.tv_nsec - start.tv_nsec) / 1e9 < 2);
    struct itimerval never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &never, NULL);
    setvbuf(stdout, NULL, _IONBF, 0);
    printf("signals: %s\n", signals > 100 ? "many" : "few");
    printf("interrupted %u, failed %u, not closed %u\n", interrupted, failed, open_still);

    // A call that waits is interrupted.
    int ends[2];
    if (pipe(ends) != 0) return 1;
    struct itimerval once = {{0, 0}, {0, 50000}};
    setitimer(ITIMER_REAL, &once, NULL);
    errno = 0;
    long got = read(ends[0], &byte, 1);
    printf("read: %ld, %s\n", got, strerror(errno));
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &once, NULL);
    // The handler runs, and the read goes on until this.
    if (fork() == 0) {
        usleep(200000);
        return write(ends[1], "x", 1) != 1;
    }
    got = read(ends[0], &byte, 1);
    printf("read with SA_RESTART: %ld\n", got);
    return 0;
}
