// The newer calls on files: openat2, statx, faccessat2, fchmodat2, handles, fanotify, the attribute calls by
// directory, mounts by descriptor.
// oracle: none (it has few of them)
// cflags: -D_FILE_OFFSET_BITS=64
#include "scratch.h"
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <sys/fanotify.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

// Newer than the C library.
#define FCHMODAT2 452
#define CACHESTAT 451
#define SETXATTRAT 463
#define GETXATTRAT 464
#define LISTXATTRAT 465
#define REMOVEXATTRAT 466

struct xattr_args {
    unsigned long long value;
    unsigned size, flags;
};

static int kernel(int major, int minor) {
    struct utsname name;
    int have_major = 0, have_minor = 0;
    uname(&name);
    sscanf(name.release, "%d.%d", &have_major, &have_minor);
    return have_major > major || (have_major == major && have_minor >= minor);
}

// A call that must give a result (a negated errno) where `condition` holds; elsewhere it is not made.
#define WHERE(condition, text, call, expected)                                                                               \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        long long result_ = (condition) ? (call) : (expected);                                                         \
        if (result_ == -1)                                                                                             \
            result_ = -errno;                                                                                          \
        if (result_ == (expected))                                                                                     \
            printf("%s: right\n", text);                                                                              \
        else                                                                                                           \
            printf("%s = %lld\n", text, result_);                                                                     \
    } while (0)
#define SINCE(major, minor, call, expected) WHERE(kernel(major, minor), #call, call, expected)
#define ROOT(call, expected) WHERE(geteuid() == 0, #call, call, expected)

int main(void) {
    scratch_enter();
    mkdir("d", 0777);
    int d = open("d", O_RDONLY | O_DIRECTORY);
    struct open_how how = {.flags = O_CREAT | O_RDWR | O_NOFOLLOW, .mode = 0640};
    int fd = syscall(SYS_openat2, d, "f", &how, sizeof how);
    printf("openat2 %d\n", fd >= 0);
    SHOW(write(fd, "0123456789", 10));
    symlink("f", "d/s");
    SHOW(syscall(SYS_openat2, d, "s", &how, sizeof how));
    how = (struct open_how){.flags = O_RDONLY, .resolve = RESOLVE_NO_SYMLINKS};
    SHOW(syscall(SYS_openat2, d, "s", &how, sizeof how));
    how.resolve = RESOLVE_BENEATH;
    SHOW(syscall(SYS_openat2, d, "../d/f", &how, sizeof how));
    how.flags = O_RDONLY | O_DIRECTORY;
    SHOW(syscall(SYS_openat2, d, "f", &how, sizeof how));
    how.mode = 0600;
    SHOW(syscall(SYS_openat2, d, "f", &how, sizeof how));
    SHOW(syscall(SYS_openat2, d, "f", &how, 8));
    struct {
        struct open_how how;
        unsigned long long more;
    } larger = {{.flags = O_RDONLY}, 0};
    SHOW(syscall(SYS_openat2, d, "f", &larger, sizeof larger) >= 0);
    larger.more = 1;
    SHOW(syscall(SYS_openat2, d, "f", &larger, sizeof larger));

    struct statx stx;
    SHOW(syscall(SYS_statx, d, "s", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx));
    printf("%o %llu\n", stx.stx_mode, stx.stx_size);
    SHOW(syscall(SYS_faccessat2, d, "s", F_OK, AT_SYMLINK_NOFOLLOW));
    SHOW(syscall(SYS_faccessat2, d, "absent", F_OK, AT_EACCESS));
    SINCE(6, 6, syscall(FCHMODAT2, d, "f", 0751, 0), 0);
    SINCE(6, 6, syscall(FCHMODAT2, d, "s", 0700, AT_SYMLINK_NOFOLLOW), -EOPNOTSUPP);
    SHOW(fstatat(d, "f", &(struct stat){}, 0));
    SHOW(syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx));
    SINCE(6, 6, stx.stx_mode, 0100751);
    unsigned long long range[2] = {0, 0}, cache[5] = {0};
    SINCE(6, 5, syscall(CACHESTAT, fd, range, cache, 0), 0);
    SINCE(6, 5, cache[0], 1);

    struct {
        struct file_handle head;
        unsigned char room[128];
    } handle = {.head.handle_bytes = 128};
    int mount_id = 0;
    SHOW(name_to_handle_at(d, "f", &handle.head, &mount_id, 0));
    int again = open_by_handle_at(d, &handle.head, O_RDONLY | O_NOFOLLOW);
    char buf[64] = "";
    ROOT(read(again, buf, 4), 4);
    ROOT(open_by_handle_at(d, &handle.head, O_RDONLY | O_DIRECTORY), -ENOTDIR);
    handle.head.handle_bytes = 1;
    SHOW(name_to_handle_at(d, "f", &handle.head, &mount_id, 0));

    ROOT(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY | O_DIRECTORY), -EINVAL);
    struct fanotify_event_metadata event = {0};
    int notify = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY | O_LARGEFILE);
    ROOT(fanotify_mark(notify, FAN_MARK_ADD, FAN_OPEN | FAN_CLOSE | FAN_EVENT_ON_CHILD, AT_FDCWD, "d"), 0);
    ROOT(fanotify_mark(notify, FAN_MARK_ADD, 1ull << 40, AT_FDCWD, "d"), -EINVAL);
    SHOW(close(openat(d, "f", O_RDONLY)));
    ROOT(read(notify, &event, sizeof event), sizeof event);
    ROOT((event.mask & FAN_OPEN) != 0 && event.pid == getpid() && event.fd >= 0, 1);

    struct xattr_args args = {(uintptr_t) "value", 5, 0};
    SINCE(6, 13, syscall(SETXATTRAT, d, "f", 0, "user.x", &args, sizeof args), 0);
    args = (struct xattr_args){(uintptr_t)buf, sizeof buf, 0};
    SINCE(6, 13, syscall(GETXATTRAT, d, "f", 0, "user.x", &args, sizeof args), 5);
    SINCE(6, 13, strncmp(buf, "value", 5), 0);
    SINCE(6, 13, syscall(LISTXATTRAT, d, "f", 0, buf, sizeof buf) > 0, 1);
    SINCE(6, 13, syscall(REMOVEXATTRAT, d, "f", 0, "user.x"), 0);
    SINCE(6, 13, syscall(GETXATTRAT, d, "f", 0, "user.x", &args, sizeof args), -ENODATA);
    SINCE(6, 13, syscall(GETXATTRAT, d, "f", 0, "user.x", &args, 4), -EINVAL);
    args.value = 1ull << 40;
    SINCE(6, 13, syscall(SETXATTRAT, d, "f", 0, "user.x", &args, sizeof args), -EFAULT);

    int tree = syscall(SYS_open_tree, AT_FDCWD, "d", 1 | O_CLOEXEC);
    ROOT(openat(tree, "absent", O_RDONLY), -ENOENT);
    ROOT(openat(tree, "f", O_RDONLY) >= 0, 1);
    int context = syscall(SYS_fsopen, "tmpfs", 1);
    ROOT(syscall(SYS_fsconfig, context, 1, "size", "1048576", 0), 0);
    ROOT(syscall(SYS_fsconfig, context, 1, "nonsense", "1", 0), -EINVAL);
    ROOT(syscall(SYS_fsconfig, context, 6, NULL, NULL, 0), 0);
    int memory = syscall(SYS_fsmount, context, 1, 0);
    ROOT(mkdirat(memory, "m", 0700), 0);
    ROOT(fstatat(memory, "m", &(struct stat){}, 0), 0);
    return 0;
}
