// A static position-independent program: relocates itself, has thread-local data and constructors.
// cflags: -static-pie -fPIE
#include <stdio.h>

static _Thread_local int local = 3;
static int order;
static int *pointer = &order;

__attribute__((constructor(101))) static void first(void) {
    order = order * 10 + 1;
}
__attribute__((constructor(102))) static void second(void) {
    order = order * 10 + 2;
}
__attribute__((destructor)) static void last(void) {
    puts("destructor");
}

int main(int argc, char **argv) {
    (void)argv;
    printf("%d %d %d\n", *pointer, local, argc);
    return 0;
}
