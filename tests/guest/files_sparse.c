// Offsets beyond 4 GiB in every call that takes one.
// cflags: -D_FILE_OFFSET_BITS=64
#include "scratch.h"
#include <fcntl.h>
#include <sys/uio.h>

int main(void) {
    scratch_enter();
    const off_t far = (5LL << 30) + 12345;
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    SHOW(ftruncate(fd, far + 100));
    struct stat st;
    fstat(fd, &st);
    printf("size %lld, few blocks %d\n", (long long)st.st_size, st.st_blocks < 100);
    SHOW(pwrite(fd, "far", 3, far));
    SHOW(lseek(fd, far, SEEK_SET));
    char buf[8] = "";
    SHOW(read(fd, buf, 3));
    puts(buf);
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(fd, -6LL << 30, SEEK_CUR));
    SHOW(lseek(fd, 0, SEEK_DATA) > (4LL << 30));
    SHOW(pread(fd, buf, 3, far));
    struct iovec vector = {buf, 4};
    SHOW(pwritev(fd, &vector, 1, far + 8));
    SHOW(preadv(fd, &vector, 1, far));
    SHOW(truncate("f", 6LL << 30));
    SHOW(stat("f", &st));
    printf("size %lld\n", (long long)st.st_size);
    SHOW(posix_fallocate(fd, far, 4096));
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, far, 4096));
    SHOW(pread(fd, buf, 3, far));
    printf("%d\n", buf[0]);
    SHOW(posix_fadvise(fd, far, 5LL << 30, POSIX_FADV_RANDOM));
    SHOW(sync_file_range(fd, far, 1 << 20, SYNC_FILE_RANGE_WRITE));
    SHOW(readahead(fd, far, 4096));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = far, .l_len = 7LL << 30};
    SHOW(fcntl(fd, F_SETLK, &lock));
    SHOW(pwrite(fd, "copied", 7, far));
    loff_t in = far, out = (5LL << 30) + 1;
    SHOW(copy_file_range(fd, &in, fd, &out, 7, 0));
    SHOW(pread(fd, buf, 7, (5LL << 30) + 1));
    puts(buf);
    return 0;
}
