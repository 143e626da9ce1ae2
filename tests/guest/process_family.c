// fork, vfork, clone, wait in all its forms, exit statuses, sessions, and what a child inherits.
// oracle: none (its vfork is a fork)
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void show(const char *what, int status) {
    if (WIFEXITED(status))
        printf("%s: exited %d\n", what, WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        printf("%s: killed by %d\n", what, WTERMSIG(status));
    else if (WIFSTOPPED(status))
        printf("%s: stopped by %d\n", what, WSTOPSIG(status));
    else if (WIFCONTINUED(status))
        printf("%s: continued\n", what);
    fflush(stdout);
}

static int clone_child(void *arg) {
    *(int *)arg = 77;
    return 5;
}

int main(void) {
    int status;
    fflush(stdout);

    for (int n = 0; n < 4; n++) {
        pid_t pid = fork();
        if (pid == 0) {
            switch (n) {
            case 0: _exit(42);
            case 1: raise(SIGTERM);
            case 2: *(volatile int *)4 = 1;
            case 3: abort();
            }
        }
        waitpid(pid, &status, 0);
        show("fork", status);
    }

    // A stopped and continued child, which ends when it is told to: an end would hide that it was continued.
    int end[2];
    char byte;
    if (pipe(end) != 0)
        return 1;
    pid_t pid = fork();
    if (pid == 0) {
        raise(SIGSTOP);
        _exit(read(end[0], &byte, 1) == 1 ? 3 : 4);
    }
    waitpid(pid, &status, WUNTRACED);
    show("stop", status);
    kill(pid, SIGCONT);
    waitpid(pid, &status, WCONTINUED);
    show("cont", status);
    if (write(end[1], "", 1) != 1)
        return 1;
    siginfo_t info;
    memset(&info, 0, sizeof info);
    printf("waitid %d pid %d code %d status %d\n", waitid(P_PID, pid, &info, WEXITED), info.si_pid == pid,
           info.si_code, info.si_status);
    printf("wait with no child: %d %s\n", wait(&status), strerror(errno));

    // vfork: the child's stores are the parent's.
    volatile int shared = 0;
    pid = vfork();
    if (pid == 0) {
        shared = 9;
        _exit(7);
    }
    waitpid(pid, &status, 0);
    show("vfork", status);
    printf("shared %d\n", shared);

    // posix_spawn reports an error of the child's exec.
    char *args[] = {"/nonexistent", NULL};
    int error = posix_spawn(&pid, args[0], NULL, NULL, args, environ);
    printf("posix_spawn: %s\n", strerror(error));

    // exec of itself, by the name in /proc.
    if (getenv("AGAIN") == NULL) {
        char *again[] = {"argv zero", "one", "", "three words here", NULL};
        char *env[] = {"AGAIN=1", NULL};
        pid = vfork();
        if (pid == 0) {
            execve("/bin/false/nothing", again, env);
            _exit(errno == ENOTDIR ? 11 : 12);
        }
        waitpid(pid, &status, 0);
        show("failed exec", status);
        pid = fork();
        if (pid == 0) {
            printf("child of %d\n", getppid() != 1);
            fflush(stdout);
            _exit(0);
        }
        wait4(pid, &status, 0, &(struct rusage){0});
        show("wait4", status);
    }

    // clone with a stack of its own and the parent's memory.
    char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int value = 0;
    pid = clone(clone_child, stack + 65536, CLONE_VM | CLONE_VFORK | SIGCHLD, &value);
    waitpid(pid, &status, 0);
    show("clone", status);
    printf("value %d\n", value);

    // Names and IDs.
    char name[17] = "";
    prctl(PR_SET_NAME, "a long thread name", 0, 0, 0);
    prctl(PR_GET_NAME, name, 0, 0, 0);
    printf("name '%s'\n", name);
    printf("pid is tid %d\n", getpid() == (int)syscall(SYS_gettid));
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        pid_t session = setsid();
        printf("session %d group %d\n", session == getpid(), getpgrp() == getpid());
        fflush(stdout);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    int death = -1;
    prctl(PR_SET_PDEATHSIG, SIGHUP, 0, 0, 0);
    prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
    printf("death signal %d\n", death);
    return 0;
}
