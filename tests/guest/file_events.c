// inotify: watches, events with names, overflowing buffers.
#include "scratch.h"
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

static void drain(int fd) {
    char buf[4096] __attribute__((aligned(8)));
    ssize_t n = read(fd, buf, sizeof buf);
    for (ssize_t at = 0; at < n;) {
        struct inotify_event *event = (struct inotify_event *)(buf + at);
        printf("  watch %d mask %x cookie %d name %s\n", event->wd, event->mask, event->cookie != 0,
               event->len ? event->name : "-");
        at += sizeof *event + event->len;
    }
}

int main(void) {
    scratch_enter();
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    SHOW(fcntl(fd, F_GETFD));
    mkdir("d", 0777);
    int watch = inotify_add_watch(fd, "d", IN_CREATE | IN_DELETE | IN_MOVE | IN_CLOSE_WRITE | IN_ONLYDIR);
    printf("watch %d\n", watch);
    SHOW(inotify_add_watch(fd, "absent", IN_CREATE));
    SHOW(inotify_add_watch(fd, "d", 0));
    SHOW(read(fd, &watch, 4));
    close(open("d/a", O_WRONLY | O_CREAT, 0600));
    rename("d/a", "d/b");
    int size = 0;
    SHOW(ioctl(fd, FIONREAD, &size));
    printf("%d\n", size);
    SHOW(read(fd, &size, 4));
    drain(fd);
    unlink("d/b");
    rmdir("d");
    drain(fd);
    SHOW(inotify_rm_watch(fd, 99));
    SHOW(inotify_rm_watch(fd, 1));
    return 0;
}
