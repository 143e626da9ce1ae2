// The twelve calls for extended attributes. A file system may have none: then all say so.
#include "scratch.h"
#include <fcntl.h>
#include <sys/xattr.h>

int main(void) {
    scratch_enter();
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    symlink("f", "s");
    SHOW(setxattr("f", "user.one", "1", 1, 0));
    SHOW(setxattr("f", "user.one", "2", 1, XATTR_CREATE));
    SHOW(setxattr("f", "user.two", "2", 1, XATTR_REPLACE));
    SHOW(lsetxattr("f", "user.two", "second value", 12, 0));
    SHOW(fsetxattr(fd, "user.three", "", 0, 0));
    SHOW(setxattr("s", "user.four", "via link", 8, 0));
    SHOW(lsetxattr("s", "user.five", "x", 1, 0));
    char buf[256] = "";
    SHOW(getxattr("f", "user.two", buf, sizeof buf));
    printf("%.12s\n", buf);
    SHOW(getxattr("f", "user.two", NULL, 0));
    SHOW(getxattr("f", "user.two", buf, 3));
    SHOW(getxattr("f", "user.absent", buf, sizeof buf));
    SHOW(lgetxattr("s", "user.two", buf, sizeof buf));
    SHOW(fgetxattr(fd, "user.four", buf, sizeof buf));
    printf("%.8s\n", buf);
    SHOW(getxattr("f", "nonsense", buf, sizeof buf));
    ssize_t total = listxattr("f", buf, sizeof buf);
    int names = 0;
    for (ssize_t at = 0; at < total; at += strlen(buf + at) + 1)
        names += strncmp(buf + at, "user.", 5) == 0;
    printf("%d names\n", names);
    SHOW(listxattr("f", buf, 1));
    SHOW(llistxattr("f", NULL, 0) == total);
    SHOW(flistxattr(fd, NULL, 0) == total);
    SHOW(removexattr("f", "user.one"));
    SHOW(removexattr("f", "user.one"));
    SHOW(lremovexattr("f", "user.two"));
    SHOW(fremovexattr(fd, "user.three"));
    SHOW(fremovexattr(-1, "user.three"));
    SHOW(getxattr("absent", "user.one", buf, sizeof buf));
    SHOW(setxattr("f", "user.one", (char *)16, 5, 0));
    return 0;
}
