// cflags: -O1 -pthread
// Returns that do not go where the last call came from, and more calls than a translator may want to remember.
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <ucontext.h>

#define NOINLINE __attribute__((noinline, noclone))

static volatile unsigned sink;

// Not a tail call: the result is used.
NOINLINE static unsigned deep(unsigned n) { return n ? deep(n - 1) * 3 + n : sink; }

NOINLINE static unsigned tree(unsigned n) { return n < 2 ? n : tree(n - 1) + tree(n - 2); }

static jmp_buf out;

NOINLINE static unsigned fall(unsigned n)
{
    if (n == 0) longjmp(out, 1);
    return fall(n - 1) + n;
}

// Returns to its caller's caller: the return address is not that behind any call that is still open.
unsigned pass(unsigned a, unsigned b);
__asm__(".text\n.thumb\n.syntax unified\n.global pass\n.type pass, %function\n.thumb_func\npass:\n"
        "push {r4, lr}\nadds r0, r0, r1\nbl 1f\nadds r0, r0, #100\npop {r4, pc}\n"
        "1: push {r5, lr}\nadd sp, sp, #8\nadds r0, r0, #7\npop {r4, pc}\n.size pass, . - pass\n");

// Calls that never return pile up.
unsigned leave(unsigned n);
__asm__(".text\n.thumb\n.global leave\n.type leave, %function\n.thumb_func\nleave:\n"
        "push {r4, lr}\nmovs r4, r0\nmovs r0, #0\n"
        "1: bl 2f\n"
        "2: adds r0, r0, #1\nsubs r4, r4, #1\nbne 1b\npop {r4, pc}\n.size leave, . - leave\n");

// A call in the other instruction set, whose callee returns by another register.
unsigned other(unsigned n);
__asm__(".text\n.thumb\n.global other\n.type other, %function\n.thumb_func\nother:\n"
        "push {r4, lr}\nblx 1f\nblx 1f\npop {r4, pc}\n"
        ".arm\n.balign 4\n1: add r0, r0, #5\nmov r3, lr\nbx r3\n.thumb\n.size other, . - other\n");

static ucontext_t here, there;
static char stack[65536];
static unsigned turns;

NOINLINE static unsigned turn(unsigned n)
{
    if (n) return turn(n - 1) + 1;
    swapcontext(&there, &here);
    return 0;
}

static void body(void)
{
    for (;;) turns += turn(turns % 9 + 1);
}

static volatile sig_atomic_t signals;

static void handler(int number)
{
    signals += tree(5) - 4;
}

static void *thread(void *argument)
{
    unsigned sum = 0;
    for (int i = 0; i < 20; i++) sum += deep(3000) + tree(12);
    return (void *)(uintptr_t)sum;
}

int main(void)
{
    unsigned sum = 0;
    for (int i = 0; i < 200; i++) sum = sum * 5 + deep(100);
    printf("shallow %u\n", sum);
    for (int i = 0; i < 6; i++) sum = sum * 5 + deep(50000 + i);
    printf("deep %u\n", sum);
    printf("tree %u\n", tree(24));

    for (int i = 1; i <= 2000; i++) {
        if (setjmp(out) == 0) fall(i % 50);
        sum += tree(5);
    }
    printf("jumps %u\n", sum);

    for (int i = 0; i < 5000; i++) sum += pass(sum & 15, i) + other(i);
    printf("passed %u\n", sum);
    printf("left %u\n", leave(100000));
    printf("left again %u, tree %u\n", leave(30000), tree(20));

    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof stack;
    makecontext(&there, body, 0);
    for (int i = 0; i < 3000; i++) {
        swapcontext(&here, &there);
        sum += tree(i % 7);
    }
    printf("turns %u %u\n", turns, sum);

    signal(SIGUSR1, handler);
    for (int i = 0; i < 300; i++) {
        raise(SIGUSR1);
        sum += tree(6);
    }
    printf("signals %d %u\n", (int)signals, sum);

    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], 0, thread, 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        printf("thread %u\n", (unsigned)(uintptr_t)result);
    }
    return 0;
}
