// Descriptors: duplicating, flags, pipes, reading and writing at bad addresses, vectors, splicing.
// cflags: -D_FILE_OFFSET_BITS=64
#include "scratch.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static void flags(int fd) {
    // O_LARGEFILE is not shown: a 64-bit kernel sets it for everyone.
    printf("flags %o\n", fcntl(fd, F_GETFL) & ~0400000);
}

int main(void) {
    scratch_enter();
    int fd = open("f", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    flags(fd);
    SHOW(fcntl(fd, F_SETFL, O_NONBLOCK));
    flags(fd);
    SHOW(fcntl(fd, F_GETFD));
    SHOW(fcntl(fd, F_SETFD, FD_CLOEXEC));
    SHOW(fcntl(fd, F_GETFD));
    int directory = open(".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    flags(directory);
    SHOW(fcntl(directory, F_GETFD));
    int path = open(".", O_PATH);
    flags(path);
    int temporary = open(".", O_TMPFILE | O_RDWR, 0600);
    printf("tmpfile %d\n", temporary >= 0);
    if (temporary >= 0)
        flags(temporary);

    SHOW(dup2(fd, 50));
    SHOW(dup2(fd, fd));
    SHOW(dup3(fd, fd, 0));
    SHOW(dup3(fd, 51, O_CLOEXEC));
    SHOW(fcntl(51, F_GETFD));
    SHOW(dup3(fd, 52, O_NONBLOCK));
    SHOW(fcntl(fd, F_DUPFD, 60));
    SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 60));
    SHOW(dup(-1));
    SHOW(dup2(fd, -1));
    SHOW(syscall(SYS_close_range, 50, 60, 0));
    SHOW(close(60));
    SHOW(fcntl(61, F_GETFD));
    SHOW(syscall(SYS_close_range, 61, ~0u, 0));
    SHOW(close(61));
    SHOW(syscall(SYS_close_range, 5, 4, 0));

    SHOW(write(fd, "hello, world", 12));
    SHOW(write(fd, (char *)16, 12));
    SHOW(write(fd, (char *)16, 0));
    SHOW(pread(fd, (char *)16, 4, 0));
    SHOW(write(-1, "x", 1));
    char buf[64] = "";
    SHOW(pread(fd, buf, 5, 7));
    puts(buf);
    SHOW(pread(fd, buf, 5, -1));
    SHOW(pwrite(fd, "HELLO", 5, 0));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(lseek(fd, -1, SEEK_SET));
    SHOW(lseek(fd, 0, 99));
    char a[4] = "", b[9] = "";
    struct iovec vector[3] = {{a, 3}, {NULL, 0}, {b, 8}};
    SHOW(preadv(fd, vector, 3, 0));
    printf("%s|%s\n", a, b);
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(readv(fd, vector, 1));
    SHOW(pwritev(fd, vector, 3, 20));
    SHOW(lseek(fd, 0, SEEK_END));
    SHOW(writev(fd, vector, 1025));
    SHOW(writev(fd, vector, -1));
    SHOW(writev(fd, (struct iovec *)16, 1));
    vector[1].iov_base = (void *)16;
    vector[1].iov_len = 5;
    SHOW(writev(fd, vector, 3));
    vector[1].iov_len = 0x80000000;
    SHOW(writev(fd, vector, 3));

    int p[2];
    SHOW(pipe2(p, O_NONBLOCK | O_CLOEXEC));
    flags(p[0]);
    SHOW(read(p[0], buf, 1));
    SHOW(pipe((int *)16));
    SHOW(fcntl(p[0], F_SETPIPE_SZ, 8192));
    SHOW(fcntl(p[0], F_GETPIPE_SZ));
    int q[2];
    SHOW(pipe2(q, O_DIRECT));
    flags(q[1]);
    vector[0] = (struct iovec){"gift", 4};
    SHOW(vmsplice(p[1], vector, 1, 0));
    SHOW(tee(p[0], q[1], 100, 0));
    loff_t at = 30;
    SHOW(splice(p[0], NULL, fd, &at, 100, 0));
    printf("at %lld\n", (long long)at);
    SHOW(read(q[0], buf, 4));
    off_t from = 1;
    int out = open("g", O_RDWR | O_CREAT, 0600);
    SHOW(sendfile(out, fd, &from, 6));
    printf("from %lld\n", (long long)from);
    int32_t from32 = 2;
    SHOW(syscall(SYS_sendfile, out, fd, &from32, 6));
    printf("from %d\n", from32);
    SHOW(sendfile(out, fd, NULL, 3));
    loff_t in_at = 0, out_at = 40;
    SHOW(copy_file_range(fd, &in_at, out, &out_at, 5, 0));
    printf("%lld %lld %lld\n", (long long)in_at, (long long)out_at, (long long)lseek(out, 0, SEEK_END));

    int m = memfd_create("m", MFD_ALLOW_SEALING);
    SHOW(fcntl(m, F_GET_SEALS));
    SHOW(fcntl(m, F_ADD_SEALS, F_SEAL_WRITE));
    SHOW(write(m, "x", 1));
    SHOW(fcntl(m, F_GET_SEALS));
    SHOW(fsync(fd) | fdatasync(fd) | syncfs(fd));
    SHOW(posix_fadvise(fd, 0, 100, POSIX_FADV_DONTNEED));
    SHOW(posix_fadvise(fd, 0, 100, 99));
    SHOW(readahead(fd, 0, 100));
    SHOW(sync_file_range(fd, 0, 100, SYNC_FILE_RANGE_WRITE));
    return 0;
}
