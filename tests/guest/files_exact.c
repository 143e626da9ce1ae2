// Short reads at the end of mapped memory, vector calls with flags, mappings and 32-bit seeks beyond 4 GiB.
// oracle: none (it refuses partly unmapped buffers, has no preadv2, cuts offsets of mmap2 and results of lseek)
// cflags: -D_FILE_OFFSET_BITS=64
#include "scratch.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>

int main(void) {
    scratch_enter();
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    SHOW(write(fd, "HELLO, world", 12));
    SHOW(lseek(fd, 0, SEEK_SET));
    // A buffer that ends at an unmapped page is filled as far as it goes.
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    SHOW(read(fd, page + 4096 - 5, 12));
    printf("%.5s\n", page + 4096 - 5);
    SHOW(lseek(fd, 0, SEEK_CUR));
    int p[2];
    SHOW(pipe(p));
    SHOW(write(p[1], page + 4096 - 5, 12));

    char a[4] = "", b[9] = "";
    struct iovec vector[3] = {{a, 3}, {NULL, 0}, {b, 8}};
    SHOW(lseek(fd, 3, SEEK_SET));
    SHOW(syscall(SYS_preadv2, fd, vector, 3, -1, -1, 0));
    printf("%s|%s\n", a, b);
    SHOW(syscall(SYS_preadv2, fd, vector, 3, 1, 0, 0));
    printf("%s|%s\n", a, b);
    SHOW(syscall(SYS_preadv2, fd, vector, 3, 1, 1, 0));
    SHOW(syscall(SYS_preadv2, fd, vector, 3, 0, 0, 1 << 30));
    SHOW(syscall(SYS_pwritev2, fd, vector, 1, 0, 2, 0));
    SHOW(lseek(fd, 0, SEEK_END));

    const off_t far = 5LL << 30;
    SHOW(ftruncate(fd, far + 4096));
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, far);
    strcpy(page, "mapped");
    SHOW(pread(fd, b, 7, far));
    puts(b);
    // lseek moves the position and then cannot tell it.
    SHOW(syscall(SYS_lseek, fd, -1, SEEK_END));
    SHOW(lseek(fd, 0, SEEK_CUR));
    int path = open(".", O_PATH);
    SHOW(fcntl(path, 9999));
    SHOW(fcntl(fd, 9999));
    struct statfs fs;
    SHOW(syscall(SYS_statfs64, "/proc", 80, &fs));
    return 0;
}
