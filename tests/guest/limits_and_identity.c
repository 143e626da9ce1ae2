// Limits, usage, scheduling, IDs of 16 and 32 bits, capabilities, names of the system, calls that are refused.
// oracle: none (it knows neither memory limits nor most calls that are refused)
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

// Set where only root comes by, so that the output is the same for all.
static int silent;

static void check(const char *what, int ok) {
    if (!silent || !ok)
        printf("%s: %s\n", what, ok ? "ok" : "WRONG");
}

#define FAILS(call, error) ((call) == -1 && errno == (error))

static void limits(void) {
    struct rlimit l, back;
    uint32_t old[2];
    check("ugetrlimit", syscall(SYS_ugetrlimit, RLIMIT_CORE, old) == 0 && getrlimit(RLIMIT_CORE, &l) == 0);
    for (int i = 0; i < 3; i++) {
        static const int memory[] = {RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK};
        getrlimit(memory[i], &l);
        l.rlim_cur = 48 << 20;
        check("set", setrlimit(memory[i], &l) == 0 && getrlimit(memory[i], &back) == 0 && back.rlim_cur == 48 << 20);
        if (fork() == 0) {
            getrlimit(memory[i], &back);
            _exit(back.rlim_cur == 48 << 20);
        }
        int status;
        wait(&status);
        check("a child has it", WEXITSTATUS(status) == 1);
        l.rlim_cur = l.rlim_max;
        check("lifted", setrlimit(memory[i], &l) == 0);
    }
    uint64_t new64[2] = {64, 64}, old64[2];
    check("prlimit64", syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, new64, old64) == 0 && old64[0] > 64 &&
                           sysconf(_SC_OPEN_MAX) == 64 && FAILS(dup2(0, 64), EBADF) && dup2(0, 63) == 63);
    new64[0] = 65;
    check("soft above hard", FAILS(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, new64, NULL), EINVAL));
    check("unknown limit", FAILS(syscall(SYS_ugetrlimit, 99, old), EINVAL));
    check("bad pointer", FAILS(syscall(SYS_ugetrlimit, RLIMIT_CORE, 8), EFAULT));
    struct rusage u;
    volatile unsigned spin = 0;
    for (int i = 0; i < 3000000; i++)
        spin += i;
    check("getrusage", getrusage(RUSAGE_SELF, &u) == 0 && u.ru_maxrss > 100 && u.ru_utime.tv_sec < 60 &&
                           u.ru_utime.tv_usec < 1000000 && u.ru_minflt > 0);
    struct sysinfo s;
    check("sysinfo", sysinfo(&s) == 0 && s.mem_unit >= 1 && s.totalram > 0 && s.freeram <= s.totalram && s.procs > 0);
}

static char *self;

static void limit_of_memory(void) {
    struct rlimit l;
    getrlimit(RLIMIT_AS, &l);
    l.rlim_cur = 64 << 20;
    if (fork() == 0) {
        setrlimit(RLIMIT_AS, &l);
        void *small = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        check("below the limit", small != MAP_FAILED);
        check("mmap above it", mmap(NULL, 48 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
                                   errno == ENOMEM);
        check("mremap above it", mremap(small, 16 << 20, 80 << 20, MREMAP_MAYMOVE) == MAP_FAILED && errno == ENOMEM);
        check("brk above it", sbrk(60 << 20) == (void *)-1 && errno == ENOMEM);
        check("in place of another", mmap(small, 16 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == small);
        execl(self, self, "limited", NULL);
        _exit(1);
    }
    int status;
    wait(&status);
    check("it is kept by exec", status == 0);
}

static void scheduling(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    int size = syscall(SYS_sched_getaffinity, 0, sizeof set, &set);
    check("affinity", size > 0 && size % 4 == 0 && CPU_COUNT(&set) >= 1);
    check("one word", syscall(SYS_sched_getaffinity, 0, 4, &set) == 4);
    check("odd size", FAILS(syscall(SYS_sched_getaffinity, 0, 5, &set), EINVAL));
    int first = 0;
    while (!CPU_ISSET(first, &set))
        first++;
    CPU_ZERO(&set);
    CPU_SET(first, &set);
    check("one processor", sched_setaffinity(0, sizeof set, &set) == 0 && sched_getcpu() == first);
    CPU_ZERO(&set);
    check("no processor", FAILS(sched_setaffinity(0, sizeof set, &set), EINVAL));
    int calm = getpriority(PRIO_PROCESS, 0) + 3;
    check("nice", nice(3) == calm && getpriority(PRIO_PROCESS, 0) == calm &&
                      syscall(SYS_getpriority, PRIO_PROCESS, 0) == 20 - calm);
    check("setpriority", setpriority(PRIO_PROCESS, 0, 100) == 0 && getpriority(PRIO_PROCESS, 0) == 19);
    struct sched_param p = {0};
    check("SCHED_BATCH", sched_setscheduler(0, SCHED_BATCH, &p) == 0 && sched_getscheduler(0) == SCHED_BATCH);
    check("bad priority", (p.sched_priority = 5, FAILS(sched_setscheduler(0, SCHED_BATCH, &p), EINVAL)));
    struct timespec t = {9, 9};
    long long t64[2] = {9, 9};
    check("interval", sched_rr_get_interval(0, &t) == 0 && t.tv_sec == 0 && syscall(423, 0, t64) == 0 && t64[0] == 0 &&
                          t64[1] == t.tv_nsec);
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t rest[4];
    } attr = {0};
    check("sched_getattr", syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0) == 0 && attr.policy == SCHED_BATCH &&
                               attr.nice == 19);
    check("priorities", sched_get_priority_max(SCHED_FIFO) == 99 && sched_get_priority_min(SCHED_FIFO) == 1);
    check("membarrier", syscall(SYS_membarrier, 0, 0, 0) > 0);
    check("sched_yield", sched_yield() == 0);
}

static void identity(void) {
    struct utsname u;
    check("uname", uname(&u) == 0 && strcmp(u.sysname, "Linux") == 0 && strcmp(u.machine, "armv7l") == 0 && u.release[0]);
    check("16 bits", syscall(SYS_getuid) == (int)getuid() && syscall(SYS_getegid) == (int)getegid());
    silent = 1;
    if (geteuid() == 0 && fork() == 0) {
        gid_t groups[3] = {5, 70000, 9}, back[3] = {0};
        uint16_t back16[3] = {0}, ids16[3];
        check("setgroups", setgroups(3, groups) == 0 && getgroups(0, NULL) == 3 && getgroups(3, back) == 3 &&
                               (back[0] == 70000 || back[1] == 70000 || back[2] == 70000));
        int found = 0;
        check("getgroups of 16 bits", syscall(SYS_getgroups, 3, back16) == 3);
        for (int i = 0; i < 3; i++)
            found += back16[i] == 5 || back16[i] == 9 || back16[i] == 65534;
        check("large groups", found == 3);
        check("few", FAILS(syscall(SYS_getgroups, 2, back16), EINVAL));
        uint16_t groups16[2] = {7, 65535};
        check("setgroups of 16 bits", syscall(SYS_setgroups, 1, groups16) == 0 && getgroups(3, back) == 1 && back[0] == 7);
        check("setresgid", setresgid(11, 70000, 13) == 0);
        check("getresgid of 16 bits", syscall(SYS_getresgid, &ids16[0], &ids16[1], &ids16[2]) == 0 && ids16[0] == 11 &&
                                          ids16[1] == 65534 && ids16[2] == 13);
        check("no change", syscall(SYS_setresuid, 65535, 1001, 65535) == 0 && getuid() == 0 && geteuid() == 1001);
        uid_t r, e, s;
        check("getresuid", getresuid(&r, &e, &s) == 0 && r == 0 && e == 1001 && s == 0);
        check("back", setresuid(-1, 0, -1) == 0 && setuid(70000) == 0 && syscall(SYS_getuid) == 65534 && getuid() == 70000);
        check("no way back", FAILS(setuid(0), EPERM));
        _exit(0);
    } else if (geteuid() == 0) {
        int status;
        wait(&status);
        check("child", status == 0);
    }
    silent = 0;
    struct {
        uint32_t version;
        int pid;
    } head = {0x20080522, 0};
    uint32_t data[6];
    check("capget", syscall(SYS_capget, &head, data) == 0);
    head.version = 1;
    check("capability version", FAILS(syscall(SYS_capget, &head, data), EINVAL) && head.version == 0x20080522);
    int before = personality(0xffffffff);
    check("personality", personality(before | ADDR_NO_RANDOMIZE) == before &&
                             personality(0xffffffff) == (before | ADDR_NO_RANDOMIZE));
    personality(before);
    char bytes[64] = {0};
    check("getrandom", syscall(SYS_getrandom, bytes, 64, 0) == 64 && memcmp(bytes, bytes + 32, 32) != 0);
    check("getrandom flags", FAILS(syscall(SYS_getrandom, bytes, 64, 0x100), EINVAL));
}

static void other_processes(void) {
    char text[] = "theirs", here[8] = {0};
    int go[2], done[2];
    if (pipe(go) || pipe(done))
        return;
    pid_t child = fork();
    if (child == 0) {
        strcpy(text, "child!");
        if (write(done[1], "x", 1) != 1 || read(go[0], here, 1) != 1)
            _exit(9);
        _exit(strcmp(text, "parent") != 0);
    }
    char byte;
    if (read(done[0], &byte, 1) != 1)
        return;
    struct iovec local = {here, 6}, remote = {text, 6};
    check("process_vm_readv", process_vm_readv(child, &local, 1, &remote, 1, 0) == 6 && strcmp(here, "child!") == 0);
    local.iov_base = "parent";
    check("process_vm_writev", process_vm_writev(child, &local, 1, &remote, 1, 0) == 6);
    remote.iov_base = (void *)8;
    check("nothing there", FAILS(process_vm_readv(child, &local, 1, &remote, 1, 0), EFAULT));
    int pidfd = syscall(434, child, 0);
    int theirs = syscall(438, pidfd, done[0], 0);
    check("pidfd_getfd", pidfd >= 0 && theirs >= 0 && syscall(SYS_kcmp, getpid(), child, 0, theirs, done[0]) == 0);
    check("pidfd_send_signal", syscall(424, pidfd, 0, NULL, 0) == 0);
    if (write(go[1], "x", 1) != 1)
        return;
    int status;
    check("the child saw it", waitpid(child, &status, 0) == child && status == 0);
}

static void refused(void) {
    check("seccomp", FAILS(syscall(SYS_seccomp, 1, 0, NULL), EINVAL));
    check("rseq", FAILS(syscall(SYS_rseq, NULL, 32, 0, 0), ENOSYS));
    check("init_module", FAILS(syscall(SYS_init_module, NULL, 0, ""), EPERM));
    check("no such number", FAILS(syscall(222), ENOSYS));
    check("no such number either", FAILS(syscall(5000), ENOSYS));
}

int main(int argc, char **argv) {
    self = argv[0];
    if (argc > 1) {
        struct rlimit l;
        return getrlimit(RLIMIT_AS, &l) != 0 || l.rlim_cur != 64 << 20 || malloc(64 << 20) != NULL;
    }
    setvbuf(stdout, NULL, _IONBF, 0);
    scheduling();
    identity();
    other_processes();
    limits();
    limit_of_memory();
    refused();
    return 0;
}
