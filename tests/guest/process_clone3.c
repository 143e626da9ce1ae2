// clone and clone3: what is refused, a child with an ID of choice, and where IDs and descriptors are stored.
// oracle: none (it has no clone3)
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define POINTER(x) ((uint64_t)(uintptr_t)(x))

static struct clone_args fork_like(uint64_t flags) {
    return (struct clone_args){.flags = flags, .exit_signal = SIGCHLD};
}

static struct clone_args with_tids(pid_t *tids, size_t count) {
    struct clone_args args = fork_like(0);
    args.set_tid = POINTER(tids);
    args.set_tid_size = count;
    return args;
}

// A child that ends at once with status 7, or with 8 when its ID is not the one wanted (0: any).
static pid_t start(struct clone_args args, pid_t wanted) {
    pid_t pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0)
        _exit(wanted == 0 || (getpid() == wanted && syscall(SYS_gettid) == wanted) ? 7 : 8);
    return pid;
}

static int ended(pid_t pid) {
    int status = -1;
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static void refused(const char *what, struct clone_args args) {
    pid_t pid = start(args, 0);
    printf("%s: %s\n", what, pid < 0 ? strerror(errno) : "not refused");
    if (pid > 0)
        ended(pid);
}

static struct __user_cap_data_struct *capabilities(int call, struct __user_cap_data_struct *data) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    return syscall(call, &header, data) == 0 ? data : NULL;
}

// What the kernel wants for IDs of choice.
static int may_choose(void) {
    struct __user_cap_data_struct data[2] = {0};
    capabilities(SYS_capget, data);
    return (data[0].effective & CAP_TO_MASK(CAP_SYS_ADMIN)) != 0 ||
           (data[1].effective & CAP_TO_MASK(CAP_CHECKPOINT_RESTORE)) != 0;
}

int main(void) {
    // A process that shares memory and runs at the same time; and what the kernel does not know either.
    refused("CLONE_VM alone", fork_like(CLONE_VM));
    refused("unknown flag", fork_like(1ull << 40));
    refused("CLONE_DETACHED", fork_like(0x00400000));
    errno = 0;
    int both = 0;
    printf("clone with two uses of a pointer: %d",
           (int)syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &both, 0, 0));
    printf(" %s\n", strerror(errno));

    // clone3 has two pointers.
    int pidfd = -1, parent = -1;
    struct clone_args args = fork_like(CLONE_PIDFD | CLONE_PARENT_SETTID);
    args.pidfd = POINTER(&pidfd);
    args.parent_tid = POINTER(&parent);
    pid_t pid = start(args, 0);
    printf("pidfd %d, ID in the parent %d, ended %d\n", pidfd > 2, parent == pid, ended(pid));

    // IDs that cannot be.
    pid_t tids[33] = {0};
    refused("ID 0", with_tids(tids, 1));
    refused("no IDs", with_tids(tids, 0));
    refused("nowhere", with_tids(NULL, 1));
    refused("too many", with_tids(tids, 33));
    refused("unmapped", with_tids((pid_t *)16, 1));

    // The ID of a process that has ended is free, and far from being given again.
    pid_t free_id = start(fork_like(0), 0);
    ended(free_id);
    tids[0] = free_id;
    int status = 7;
    if (may_choose()) {
        pid = start(with_tids(tids, 1), free_id);
        status = pid == free_id ? ended(pid) : -1;
    }
    printf("child with an ID of choice: %d\n", status);
    pid_t own = getpid();
    pid = may_choose() ? start(with_tids(&own, 1), 0) : (errno = EEXIST, -1);
    printf("with an ID in use: %d %s\n", (int)pid, strerror(errno));

    // Without the capability.
    struct __user_cap_data_struct none[2] = {0};
    capabilities(SYS_capset, none);
    refused("without capabilities", with_tids(tids, 1));
    return 0;
}
