// Programs without large-file support meet EOVERFLOW exactly where the kernel's 32-bit calls have it.
// oracle: none (it opens large files without O_LARGEFILE, and cuts sizes)
#include "scratch.h"
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/wait.h>

// `struct stat` of the kernel's 32-bit calls.
struct old_stat {
    unsigned words[16];
};

int main(void) {
    scratch_enter();
    int fd = open("f", O_RDWR | O_CREAT | O_LARGEFILE, 0600);
    SHOW(ftruncate64(fd, 0x7fffffff));
    int small = open("f", O_RDWR);
    printf("2 GiB - 1: %d\n", small >= 0);
    struct old_stat old;
    SHOW(syscall(SYS_stat, "f", &old));
    printf("size %u\n", old.words[5]);
    SHOW(lseek(small, 0, SEEK_END));
    SHOW(ftruncate64(fd, 0x80000000));
    SHOW(open("f", O_RDONLY));
    SHOW(openat(AT_FDCWD, "f", O_RDONLY));
    SHOW(syscall(SYS_stat, "f", &old));
    SHOW(syscall(SYS_lstat, "f", &old));
    SHOW(syscall(SYS_fstat, fd, &old));
    SHOW(syscall(SYS_lseek, fd, 0, SEEK_END));
    struct stat st;
    SHOW(stat("f", &st));
    struct stat64 st64;
    SHOW(stat64("f", &st64));
    printf("size %lld\n", (long long)st64.st_size);
    int path = open("f", O_PATH);
    printf("O_PATH: %d\n", path >= 0);
    off_t from = 0x7fffffff;
    int out = open("g", O_RDWR | O_CREAT, 0600);
    SHOW(sendfile(out, fd, &from, 10));
    from = 0x7ffffffe;
    SHOW(sendfile(out, fd, &from, 10));
    printf("from %lx\n", (long)from);

    fflush(stdout);
    struct flock64 far = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5LL << 30, .l_len = 10};
    if (fork() == 0) {
        SHOW(fcntl(fd, F_SETLK64, &far));
        fflush(stdout);
        // Held while a child of its own asks.
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        pid_t asker = fork();
        if (asker == 0) {
            SHOW(fcntl(fd, F_GETLK, &whole));
            struct flock64 whole64 = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
            SHOW(fcntl(fd, F_GETLK64, &whole64));
            printf("type %d start %lld len %lld\n", whole64.l_type, (long long)whole64.l_start,
                   (long long)whole64.l_len);
            fflush(stdout);
            _exit(0);
        }
        waitpid(asker, NULL, 0);
        _exit(0);
    }
    wait(NULL);
    return 0;
}
