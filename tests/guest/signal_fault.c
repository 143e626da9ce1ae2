// Faults: SIGSEGV, SIGBUS, SIGILL, SIGFPE-free division, SIGTRAP. The handler reads the machine state and changes it.
// oracle: none (it gives the wrong address for a SIGBUS past the end of a file)
// end: signal 11
// cflags: -marm -march=armv7-a+fp -fno-omit-frame-pointer -D_GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

extern char fault_load[], fault_store[], fault_undefined[], after_undefined[];

static volatile int seen_signal, seen_code;
static void *volatile seen_address;
static volatile uintptr_t seen_pc, seen_r4;

static void skip(int number, siginfo_t *info, void *context) {
    ucontext_t *u = context;
    seen_signal = number, seen_code = info->si_code, seen_address = info->si_addr;
    seen_pc = u->uc_mcontext.arm_pc, seen_r4 = u->uc_mcontext.arm_r4;
    u->uc_mcontext.arm_pc += 4;
    u->uc_mcontext.arm_r5 = 0xcafe;
}

static sigjmp_buf out;

static void escape(int number, siginfo_t *info, void *context) {
    (void)context;
    seen_signal = number, seen_code = info->si_code, seen_address = info->si_addr;
    siglongjmp(out, 1);
}

static void install(void (*handler)(int, siginfo_t *, void *)) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP};
    for (int i = 0; i < 4; i++)
        sigaction(numbers[i], &action, NULL);
}

__attribute__((noinline)) static unsigned load(uintptr_t address) {
    unsigned result;
    __asm__ volatile("mov r4, %1\n mov r5, #0\n .global fault_load\nfault_load: ldr r6, [r4]\n mov %0, r5"
                     : "=r"(result) : "r"(address) : "r4", "r5", "r6", "memory");
    return result;
}

__attribute__((noinline)) static unsigned store(uintptr_t address) {
    unsigned result;
    __asm__ volatile("mov r4, %1\n mov r5, #0\n .global fault_store\nfault_store: str r5, [r4, #8]!\n mov %0, r4"
                     : "=r"(result) : "r"(address) : "r4", "r5", "memory");
    return result;
}

__attribute__((noinline)) static unsigned undefined(void) {
    unsigned result;
    __asm__ volatile("mov r4, #9\n mov r5, #0\n .global fault_undefined\nfault_undefined: .inst 0xe7f123f4\n mov %0, r5"
                     : "=r"(result) : : "r4", "r5", "memory");
    return result;
}

int main(void) {
    char *page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 8192, 4096);
    install(skip);

    unsigned r5 = load((uintptr_t)page + 8192);
    printf("unmapped load: signal %d code %d address %d pc %d r4 %d r5 %#x\n", seen_signal, seen_code,
           seen_address == page + 8192, seen_pc == (uintptr_t)fault_load, seen_r4 == (uintptr_t)page + 8192, r5);
    mprotect(page, 4096, PROT_READ);
    unsigned r4 = store((uintptr_t)page + 100);
    printf("read-only store: signal %d code %d address %d pc %d base unchanged %d\n", seen_signal, seen_code,
           seen_address == page + 108, seen_pc == (uintptr_t)fault_store, r4 == (uintptr_t)page + 100);
    r5 = undefined();
    printf("undefined: signal %d pc %d r4 %d r5 %#x\n", seen_signal, seen_pc == (uintptr_t)fault_undefined, (int)seen_r4, r5);

    install(escape);
    if (sigsetjmp(out, 1) == 0)
        ((void (*)(void))(page + 4096))();
    printf("jump into data: signal %d address %d\n", seen_signal, seen_address == page + 4096);
    if (sigsetjmp(out, 1) == 0)
        ((void (*)(void))(uintptr_t)0x40)();
    printf("jump to nowhere: signal %d address %p\n", seen_signal, seen_address);
    int fd = open("short-file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char *file = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
    if (sigsetjmp(out, 1) == 0)
        printf("%d\n", file[4096]);
    printf("past the end of a file: signal %d code %d address %d\n", seen_signal, seen_code, seen_address == file + 4096);
    unlink("short-file");

    // A handler that repairs: the access is done again.
    for (int round = 0; round < 200; round++) {
        volatile int n = 0;
        mprotect(page, 4096, PROT_NONE);
        if (sigsetjmp(out, 1) == 0) {
            page[round] = 1;
        } else {
            mprotect(page, 4096, PROT_READ | PROT_WRITE);
            n = page[round] = (char)round;
        }
        if (n != (char)round)
            printf("round %d: %d\n", round, n);
    }
    signal(SIGSEGV, SIG_DFL);
    fflush(stdout);
    *(volatile int *)(page + 8192) = 1;
    return 0;
}
