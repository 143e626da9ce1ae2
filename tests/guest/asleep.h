// Waiting for another thread or process to wait: with that a test needs no guess how long it takes to get there.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Returns when the thread has been asleep for three looks in a row, 10 ms apart: it waits in a system call.
static void until_asleep(int tid) {
    char path[32], text[128];
    snprintf(path, sizeof path, "/proc/%d/stat", tid);
    for (int seen = 0; seen < 3;) {
        usleep(10000);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        text[n > 0 ? n : 0] = 0;
        // The state follows the name in parentheses.
        const char *name_end = strrchr(text, ')');
        seen = name_end != NULL && name_end[1] == ' ' && name_end[2] == 'S' ? seen + 1 : 0;
    }
}
