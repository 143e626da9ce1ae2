// A static program linked at 0x8000, as binutils did for ARM until 2014.
// ldflags: -Wl,-Ttext-segment=0x8000
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char text[] = "data in the low segment";
static char zeroes[100000];

int main(void) {
    printf("%s %d\n", text, (uintptr_t)main < 0x100000);
    for (unsigned i = 0; i < sizeof zeroes; i++)
        if (zeroes[i])
            return 1;
    char *heap = malloc(1 << 20);
    memset(heap, 1, 1 << 20);
    memcpy(zeroes, heap, sizeof zeroes);
    printf("%d\n", zeroes[99999]);
    free(heap);
    return 0;
}
