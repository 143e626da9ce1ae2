// Non-local jumps: registers (VFP too) come back, the signal mask with sigsetjmp, out of handlers, many times.
// cflags: -mfpu=neon
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

static jmp_buf env;
static sigjmp_buf signal_env;

__attribute__((noinline)) static void deep(int depth) {
    volatile char pad[100];
    pad[0] = (char)depth;
    if (depth == 0)
        longjmp(env, 42);
    deep(depth - 1);
    pad[1] = pad[0];
}

static void handler(int number) {
    siglongjmp(signal_env, number);
}

__attribute__((noinline)) static double keep(double a, double b, double c, double d) {
    // The compiler keeps these in d8 to d15, which a jump must restore.
    double w = a * 2, x = b * 3, y = c * 5, z = d * 7;
    if (setjmp(env) == 0) {
        __asm__ volatile("vmov.i32 q4, #0\n vmov.i32 q5, #0\n vmov.i32 q6, #0\n vmov.i32 q7, #0" ::: "memory");
        deep(20);
    }
    return w + x + y + z;
}

int main(void) {
    volatile int count = 0;
    int value = setjmp(env);
    printf("setjmp gives %d\n", value);
    if (value == 0)
        deep(50);
    printf("%g\n", keep(1, 2, 3, 4));

    signal(SIGUSR1, handler);
    for (volatile int i = 0; i < 1000; i++) {
        if (sigsetjmp(signal_env, 1) == 0)
            raise(SIGUSR1);
        else
            count++;
    }
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    printf("%d jumps, blocked %d\n", count, sigismember(&mask, SIGUSR1));
    if (setjmp(env) == 0)
        longjmp(env, 0);
    else
        puts("zero becomes one");
    return 0;
}
