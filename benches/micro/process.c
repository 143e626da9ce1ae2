/* What the runtime does for a guest: `process WHAT COUNT` does it that many times. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t caught;

static void handler(int signal)
{
    caught += signal == SIGUSR1;
}

static void spawn(char *program)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, "nothing", "0", (char *)NULL);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        perror("fork and exec");
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    const char *what = argv[1];
    long count = atol(argv[2]);
    signal(SIGUSR1, handler);
    for (long i = 0; i < count; i++) {
        if (!strcmp(what, "getppid"))
            syscall(SYS_getppid);
        else if (!strcmp(what, "read"))
            read(-1, NULL, 0);
        else if (!strcmp(what, "signal"))
            raise(SIGUSR1);
        else
            spawn(argv[0]);
    }
    return !strcmp(what, "signal") && caught != count;
}
