// Record locks of processes and of open files, flock, leases, owners of descriptors.
// cflags: -D_FILE_OFFSET_BITS=64
#include "scratch.h"
#include "asleep.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void show(const struct flock *lock, pid_t holder) {
    printf("  type %d whence %d start %lld len %lld holder %d\n", lock->l_type, lock->l_whence, (long long)lock->l_start,
           (long long)lock->l_len, lock->l_pid == holder);
}

// What another process finds.
static void ask(int fd, int cmd, off_t start, off_t len) {
    fflush(stdout);
    pid_t holder = getpid();
    if (fork() == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
        int other = open("f", O_RDWR);
        SHOW(fcntl(cmd == F_OFD_GETLK ? other : fd, cmd, &lock));
        show(&lock, cmd == F_OFD_GETLK ? -1 : holder);
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}

int main(void) {
    scratch_enter();
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    SHOW(ftruncate(fd, 100));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 20};
    SHOW(fcntl(fd, F_SETLK, &lock));
    ask(fd, F_GETLK, 0, 0);
    ask(fd, F_GETLK, 30, 5);
    // The 32-bit structure through the 32-bit commands.
    struct {
        short type, whence;
        int start, len, pid;
    } small = {F_RDLCK, SEEK_END, -10, 5, 0};
    SHOW(syscall(SYS_fcntl64, fd, 6, &small));
    ask(fd, F_GETLK, 85, 0);
    fflush(stdout);
    if (fork() == 0) {
        small.type = F_WRLCK, small.whence = SEEK_SET, small.start = 0, small.len = 0;
        SHOW(syscall(SYS_fcntl, fd, 5, &small));
        printf("  type %d start %d len %d holder %d\n", small.type, small.start, small.len, small.pid == getppid());
        SHOW(syscall(SYS_fcntl, fd, 6, &small));
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    lock.l_type = F_UNLCK, lock.l_start = 15, lock.l_len = 5;
    SHOW(fcntl(fd, F_SETLK, &lock));
    ask(fd, F_GETLK, 15, 5);
    ask(fd, F_GETLK, 18, 10);
    lock.l_whence = 9;
    SHOW(fcntl(fd, F_SETLK, &lock));
    SHOW(fcntl(fd, F_SETLK, 16));
    lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5LL << 32, .l_len = 1LL << 33};
    SHOW(fcntl(fd, F_SETLK, &lock));
    ask(fd, F_GETLK, 6LL << 32, 1);

    lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 50, .l_len = 1};
    SHOW(fcntl(fd, F_OFD_SETLK, &lock));
    ask(fd, F_OFD_GETLK, 50, 2);

    // A waiting lock is got when the holder ends.
    int ready[2];
    SHOW(pipe(ready));
    fflush(stdout);
    pid_t parent = getpid();
    if (fork() == 0) {
        lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 70, .l_len = 1};
        fcntl(fd, F_SETLK, &lock);
        write(ready[1], "", 1);
        until_asleep(parent);
        _exit(0);
    }
    char byte;
    read(ready[0], &byte, 1);
    lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 70, .l_len = 1};
    SHOW(fcntl(fd, F_SETLK, &lock));
    SHOW(fcntl(fd, F_SETLKW, &lock));
    wait(NULL);

    int other = open("f", O_RDWR);
    SHOW(flock(fd, LOCK_EX));
    SHOW(flock(other, LOCK_EX | LOCK_NB));
    SHOW(flock(fd, LOCK_UN));
    SHOW(flock(other, LOCK_SH | LOCK_NB));
    SHOW(flock(fd, 99));

    SHOW(fcntl(fd, F_GETOWN));
    SHOW(fcntl(fd, F_SETOWN, getpid()));
    SHOW(fcntl(fd, F_GETOWN) == getpid());
    SHOW(fcntl(fd, F_SETOWN, -getpgrp()));
    SHOW(fcntl(fd, F_GETOWN) == -getpgrp());
    struct f_owner_ex owner = {F_OWNER_TID, syscall(SYS_gettid)};
    SHOW(fcntl(fd, F_SETOWN_EX, &owner));
    memset(&owner, 0, sizeof owner);
    SHOW(fcntl(fd, F_GETOWN_EX, &owner));
    printf("%d %d\n", owner.type, owner.pid == getpid());
    SHOW(fcntl(fd, F_SETSIG, SIGUSR1));
    SHOW(fcntl(fd, F_GETSIG));
    SHOW(fcntl(fd, F_GETLEASE));
    return 0;
}
