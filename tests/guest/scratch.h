// A directory of the program's own, which it runs in and which is gone at its end.
#define _GNU_SOURCE
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Bad addresses and lengths are what these programs are about.
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wstringop-overread"
#pragma GCC diagnostic ignored "-Wnonnull"

static char scratch[] = "/tmp/forearm-guest-XXXXXX";

static int scratch_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static void scratch_leave(void) {
    if (chdir("/") == 0)
        nftw(scratch, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static void scratch_enter(void) {
    if (mkdtemp(scratch) == NULL || chdir(scratch) != 0) {
        perror(scratch);
        exit(99);
    }
    atexit(scratch_leave);
}

// Prints a call, its result and, when that is -1, errno.
#define SHOW(call)                                                                                                     \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        long long result_ = (call);                                                                                    \
        printf("%s = %lld%s%s\n", #call, result_, result_ == -1 ? " " : "", result_ == -1 ? strerror(errno) : "");     \
    } while (0)
