// exec: argv[0], the environment, scripts, descriptors, masks and ignored signals, and every error in its place.
// oracle: none (it cannot start programs without binfmt_misc)
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char self[4096];

static void report(int argc, char **argv) {
    for (int n = 0; n < argc; n++)
        printf("  argv[%d] '%s'\n", n, argv[n]);
    printf("  NAME=%s\n", getenv("NAME") ? getenv("NAME") : "(none)");
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    struct sigaction usr2, segv;
    sigaction(SIGUSR2, NULL, &usr2);
    sigaction(SIGSEGV, NULL, &segv);
    printf("  usr1 blocked %d segv blocked %d usr2 ignored %d segv ignored %d\n", sigismember(&mask, SIGUSR1),
           sigismember(&mask, SIGSEGV), usr2.sa_handler == SIG_IGN, segv.sa_handler == SIG_IGN);
    printf("  fd 40 %s, fd 41 %s\n", fcntl(40, F_GETFD) < 0 ? "closed" : "open",
           fcntl(41, F_GETFD) < 0 ? "closed" : "open");
    int high = 0;
    for (int fd = 42; fd < 1024; fd++)
        high += fcntl(fd, F_GETFD) >= 0; // none of the translator's own
    printf("  others %d\n", high);
}

static void run(const char *what, int (*start)(void)) {
    printf("%s:\n", what);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        start();
        printf("  %s\n", strerror(errno));
        fflush(stdout);
        _exit(1);
    }
    int status;
    waitpid(pid, &status, 0);
    printf("  status %x\n", status);
}

static char *env[] = {"NAME=value with = and blanks", "REPORT=1", NULL};

static int plain(void) {
    char *argv[] = {"other name", "", "-x", "--", NULL};
    return execve(self, argv, env);
}

static int none(void) {
    char *argv[] = {NULL};
    return execve(self, argv, env);
}

static int signals(void) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigaddset(&mask, SIGSEGV);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGSEGV, SIG_IGN);
    char *argv[] = {"signals", NULL};
    return execve(self, argv, env);
}

static int by_descriptor(void) {
    int fd = open(self, O_RDONLY);
    char *argv[] = {"by descriptor", NULL};
    return syscall(SYS_execveat, fd, "", argv, env, AT_EMPTY_PATH);
}

static int through_proc(void) {
    char *argv[] = {"through proc", NULL};
    return execve("/proc/self/exe", argv, env);
}

static int script(void) {
    char *argv[] = {"lost", "first", NULL};
    return execve("./script", argv, env);
}

static int loop(void) {
    char *argv[] = {"loop", NULL};
    return execve("./loop", argv, env);
}

static int error_of(const char *path) {
    char *argv[] = {"x", NULL};
    execve(path, argv, env);
    printf("  %s: %s\n", path, strerror(errno));
    return 0;
}

static int errors(void) {
    error_of("./missing");
    error_of("./plain-file");
    error_of(".");
    error_of("./plain-file/below");
    error_of("./garbage");
    error_of("./empty");
    error_of("./circle");
    error_of("./no-interpreter");
    error_of("");
    char *big = malloc(200000);
    memset(big, 'x', 199999);
    big[199999] = 0;
    char *argv[] = {"x", big, NULL};
    execve(self, argv, env);
    printf("  long argument: %s\n", strerror(errno));
    execve(self, (char **)4, env);
    printf("  bad argv: %s\n", strerror(errno));
    fflush(stdout);
    _exit(0);
}

static void file(const char *name, const char *text, int mode) {
    int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    if (write(fd, text, strlen(text)) < 0)
        perror(name);
    fchmod(fd, mode);
    close(fd);
}

int main(int argc, char **argv) {
    if (getenv("REPORT")) {
        report(argc, argv);
        return 6;
    }
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n < 0 ? 0 : n] = 0;
    char folder[] = "/tmp/exec_forms.XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) < 0)
        return 1;
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    int fd = open("/dev/null", O_RDONLY);
    dup2(fd, 40);
    dup3(fd, 41, O_CLOEXEC);

    char text[5000];
    symlink(self, "program");
    snprintf(text, sizeof text, "#! ./program \t-an option \nrest\n");
    file("script", text, 0755);
    file("loop", "#!./loop\n", 0755);
    file("no-interpreter", "#!./missing\n", 0755);
    file("plain-file", "#!/bin/sh\n", 0644);
    file("garbage", "neither this nor that, but long enough", 0755);
    file("empty", "", 0755);
    symlink("circle", "circle");

    run("plain", plain);
    run("no argv", none);
    run("signals", signals);
    run("descriptor", by_descriptor);
    run("proc", through_proc);
    run("script", script);
    run("loop", loop);
    run("errors", errors);
    const char *names[] = {"program", "script", "loop", "no-interpreter", "plain-file", "garbage", "empty", "circle"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        unlink(names[i]);
    rmdir(folder);
    return 0;
}
