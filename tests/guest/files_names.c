// Files by name: making, linking, renaming, removing, permissions, owners, times, status.
// cflags: -D_FILE_OFFSET_BITS=64
#include "scratch.h"
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/types.h>
#include <utime.h>

static void status(const char *path) {
    struct stat st;
    if (lstat(path, &st) != 0) {
        printf("%s: %m\n", path);
        return;
    }
    printf("%s: mode %o links %u size %lld uid %u rdev %u:%u mtime %lld.%09ld atime %lld\n", path, st.st_mode,
           (unsigned)st.st_nlink, (long long)st.st_size * !S_ISDIR(st.st_mode), st.st_uid, major(st.st_rdev),
           minor(st.st_rdev), st.st_mtime > 1600000000 ? 0LL : (long long)st.st_mtime,
           st.st_mtime > 1600000000 ? 0 : st.st_mtim.tv_nsec, st.st_atime > 1600000000 ? 0LL : (long long)st.st_atime);
}

int main(void) {
    scratch_enter();
    umask(022);
    SHOW(mkdir("d", 0777));
    SHOW(mkdir("d", 0777));
    SHOW(mkdirat(AT_FDCWD, "d/e", 0700));
    int fd = open("d/f", O_CREAT | O_EXCL | O_WRONLY, 0666);
    SHOW(write(fd, "0123456789", 10));
    SHOW(close(fd));
    SHOW(close(fd));
    SHOW(open("d/f", O_CREAT | O_EXCL | O_WRONLY, 0666));
    SHOW(open("absent", O_RDONLY));
    SHOW(open("d/f/g", O_RDONLY));
    SHOW(open("d", O_WRONLY));
    SHOW(open("d/f", O_RDONLY | O_DIRECTORY));
    SHOW(symlink("d/f", "s"));
    SHOW(open("s", O_RDONLY | O_NOFOLLOW));
    SHOW(link("d/f", "h"));
    SHOW(linkat(AT_FDCWD, "s", AT_FDCWD, "h2", AT_SYMLINK_FOLLOW));
    SHOW(symlink("loop", "loop"));
    SHOW(open("loop", O_RDONLY));
    SHOW(mkfifo("p", 0640));
    status("d"), status("d/f"), status("s"), status("p"), status("/dev/null");

    char buf[256];
    memset(buf, 0, sizeof buf);
    SHOW(readlink("s", buf, sizeof buf));
    SHOW(readlink("s", buf, 2));
    SHOW(readlink("d", buf, sizeof buf));
    SHOW(syscall(SYS_readlink, "s", buf, 0));
    puts(buf);
    SHOW(rename("h", "h3"));
    SHOW(rename("absent", "h3"));
    SHOW(syscall(SYS_renameat2, AT_FDCWD, "h3", AT_FDCWD, "h2", 1));
    SHOW(syscall(SYS_renameat2, AT_FDCWD, "h3", AT_FDCWD, "d", 2));
    status("d"), status("h3");
    SHOW(syscall(SYS_renameat2, AT_FDCWD, "h3", AT_FDCWD, "d", 2));
    SHOW(unlink("d"));
    SHOW(rmdir("d"));
    SHOW(unlinkat(AT_FDCWD, "d/e", AT_REMOVEDIR));
    SHOW(rmdir("d/e"));

    SHOW(chmod("d/f", 04751));
    SHOW(fchmodat(AT_FDCWD, "h2", 0600, 0));
    status("d/f");
    SHOW(access("d/f", R_OK));
    SHOW(access("absent", F_OK));
    SHOW(faccessat(AT_FDCWD, "loop", F_OK, AT_SYMLINK_NOFOLLOW));
    SHOW(faccessat(AT_FDCWD, "loop", F_OK, 0));
    SHOW(chown("d/f", -1, -1));
    SHOW(syscall(SYS_chown, "d/f", 0xffff, 0xffff));
    SHOW(fchownat(AT_FDCWD, "s", -1, -1, AT_SYMLINK_NOFOLLOW));
    status("d/f");

    struct timespec times[2] = {{1000000001, 5}, {1000000002, 123456789}};
    SHOW(utimensat(AT_FDCWD, "d/f", times, 0));
    status("d/f");
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = 77;
    SHOW(utimensat(AT_FDCWD, "d/f", times, 0));
    status("d/f");
    times[1].tv_nsec = 1000000000;
    SHOW(utimensat(AT_FDCWD, "d/f", times, 0));
    int32_t old[4] = {-1000, 1, -2000, 999999999};
    SHOW(syscall(SYS_utimensat, AT_FDCWD, "d/f", old, 0));
    status("d/f");
    struct timeval tv[2] = {{5, 6}, {7, 8}};
    SHOW(utimes("d/f", tv));
    status("d/f");
    int32_t old_tv[4] = {5, 1000000, 7, 8};
    SHOW(syscall(SYS_utimes, "d/f", old_tv));
    SHOW(utime("d/f", &(struct utimbuf){11, 12}));
    status("d/f");
    SHOW(utime("absent", NULL));
    fd = open("d/f", O_RDONLY);
    SHOW(futimens(fd, NULL));

    struct statx stx;
    SHOW(syscall(SYS_statx, AT_FDCWD, "d/f", 0, STATX_BASIC_STATS, &stx));
    printf("statx %o %u %llu\n", stx.stx_mode, stx.stx_nlink, stx.stx_size);
    SHOW(syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_SIZE, &stx));
    SHOW(syscall(SYS_statx, AT_FDCWD, "absent", 0, STATX_SIZE, &stx));
    struct stat st;
    SHOW(fstatat(fd, "", &st, AT_EMPTY_PATH));
    printf("%lld %d\n", (long long)st.st_size, st.st_ino == stx.stx_ino);
    SHOW(syscall(SYS_stat64, "d/f", 16));

    struct statfs fs;
    SHOW(statfs("/proc", &fs));
    printf("%lx %ld %ld\n", (unsigned long)fs.f_type, (long)fs.f_namelen, (long)fs.f_bsize);
    SHOW(fstatfs(-1, &fs));
    SHOW(syscall(SYS_statfs64, "/proc", 84, &fs));

    SHOW(chdir("d/f"));
    SHOW(chdir("d"));
    SHOW(getcwd(buf, sizeof buf) != NULL && strcmp(buf + strlen(scratch), "/d") == 0);
    SHOW(syscall(SYS_getcwd, buf, 3));
    SHOW(mknod("n", S_IFREG | 0600, 0));
    SHOW(umask(077));
    int sub = open("..", O_RDONLY | O_DIRECTORY);
    SHOW(fchdir(sub));
    SHOW(openat(sub, "d/absent", O_RDONLY));
    SHOW(openat(fd, "x", O_RDONLY));
    SHOW(openat(12345, "x", O_RDONLY));
    SHOW(open((char *)16, O_RDONLY));
    char path[5000];
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = 0;
    SHOW(open(path, O_RDONLY));
    SHOW(mkdir(path, 0777));
    return 0;
}
