// Code written at run time: run, changed, flushed with the cacheflush call, run again, in A32 and T32.
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

typedef int (*function)(int);

static void put(char *at, uint32_t instruction) {
    memcpy(at, &instruction, 4);
}

int main(void) {
    char *code = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int sum = 0;
    for (int i = 0; i < 2000; i++) {
        put(code, 0xe2800000u | (i & 0xff));     // add r0, r0, #i
        put(code + 4, 0xe12fff1e);               // bx lr
        __builtin___clear_cache(code, code + 8);
        sum += ((function)code)(i);
    }
    printf("rewritten 2000 times: %d\n", sum);

    // Hot first, so that it is compiled, then changed in the middle of a loop.
    const uint32_t loop[] = {0xe3a01000, 0xe2811001, 0xe2500001, 0x1afffffc, 0xe1a00001, 0xe12fff1e};
    memcpy(code, loop, sizeof loop);
    __builtin___clear_cache(code, code + sizeof loop);
    printf("by one: %d\n", ((function)code)(100000));
    put(code + 4, 0xe2811003);
    __builtin___clear_cache(code + 4, code + 8);
    printf("by three: %d\n", ((function)code)(100000));

    // A new mapping over old code, and old code made unexecutable and back.
    function second = (function)(code + 4096);
    put(code + 4096, 0xe3a00007), put(code + 4100, 0xe12fff1e);
    __builtin___clear_cache(code + 4096, code + 4104);
    printf("before the mapping: %d\n", second(0));
    mmap(code + 4096, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    put(code + 4096, 0xe3a00009), put(code + 4100, 0xe12fff1e);
    __builtin___clear_cache(code + 4096, code + 4104);
    printf("after it: %d\n", second(0));
    mprotect(code + 4096, 4096, PROT_READ | PROT_WRITE);
    put(code + 4096, 0xe3a0000b);
    mprotect(code + 4096, 4096, PROT_READ | PROT_EXEC);
    __builtin___clear_cache(code + 4096, code + 4104);
    printf("after mprotect: %d\n", second(0));

    const uint16_t thumb[] = {0x3005, 0x4770};   // adds r0, #5; bx lr
    memcpy(code, thumb, sizeof thumb);
    __builtin___clear_cache(code, code + sizeof thumb);
    printf("thumb: %d\n", ((function)(code + 1))(10));
    put(code, 0xe2400005), put(code + 4, 0xe12fff1e);
    __builtin___clear_cache(code, code + 8);
    printf("the same bytes' place as arm: %d\n", ((function)code)(10));
    munmap(code, 8192);
    return 0;
}
