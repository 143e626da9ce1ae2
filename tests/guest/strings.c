// String and memory functions at every alignment and across a page end, qsort, bsearch, locale-free conversions.
#define _GNU_SOURCE
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <wchar.h>

static unsigned hash = 2166136261u;

static void mix(long value) {
    hash = (hash ^ (unsigned)value) * 16777619u;
}

static int compare(const void *a, const void *b) {
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    return x < y ? -1 : x > y;
}

static int compare_words(const void *a, const void *b, void *count) {
    ++*(int *)count;
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(void) {
    // The last byte before a page that cannot be read: what reads ahead must not read over it.
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(pages + 4096, 4096, PROT_NONE);
    char *end = pages + 4096;
    for (int length = 0; length < 70; length++) {
        char *s = end - length - 1, other[80];
        for (int i = 0; i < length; i++)
            s[i] = (char)('a' + i % 23);
        s[length] = 0;
        mix((long)strlen(s)), mix((long)strnlen(s, 40)), mix(strchr(s, 'k') ? strchr(s, 'k') - s : -1);
        mix(memchr(s, 'w', (size_t)length + 1) ? 1 : 0), mix(strrchr(s, 'c') ? strrchr(s, 'c') - s : -1);
        for (int offset = 0; offset < 8; offset++) {
            memset(other, '#', sizeof other);
            strcpy(other + offset, s);
            mix(strcmp(other + offset, s)), mix(memcmp(other + offset, s, (size_t)length + 1));
            other[offset + length / 2] ^= 0x41;
            mix(strcmp(other + offset, s) > 0), mix(memcmp(s, other + offset, (size_t)length + 1) > 0);
            memmove(other + 3, other + offset, (size_t)length);
            memcpy(s, other + 3, (size_t)length);
            for (int i = 0; i < 80; i++)
                mix(other[i]);
        }
    }
    printf("strings %08x\n", hash);
    const char *text = "the quick brown fox jumps over the lazy dog";
    printf("%zu %zu %s %s\n", strspn(text, "eht "), strcspn(text, "xyz"), strstr(text, "fox"), strpbrk(text, "zyx"));
    char copy[64], *rest, *word;
    strcpy(copy, text);
    for (word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        printf("%s,", word);
    printf("\n%ld %lu %lld %ld\n", strtol("-2147483648", NULL, 10), strtoul("0xffffffff", NULL, 0),
           strtoll("7fffffffffffffff", &rest, 16), strtol("zz", NULL, 36));

    unsigned numbers[5000], x = 1;
    for (int i = 0; i < 5000; i++)
        numbers[i] = x = x * 1664525 + 1013904223;
    qsort(numbers, 5000, sizeof *numbers, compare);
    for (int i = 1; i < 5000; i++)
        if (numbers[i - 1] > numbers[i])
            printf("not sorted at %d\n", i);
    unsigned key = numbers[1234];
    printf("%td %08x\n", (unsigned *)bsearch(&key, numbers, 5000, sizeof *numbers, compare) - numbers, numbers[2500]);
    const char *words[] = {"pear", "apple", "fig", "banana", "cherry", "date"};
    int count = 0;
    qsort_r(words, 6, sizeof *words, compare_words, &count);
    for (int i = 0; i < 6; i++)
        printf("%s ", words[i]);
    printf("%s\n", count >= 5 ? "compared" : "not compared");
    wchar_t wide[32];
    printf("%zu %d\n", mbstowcs(wide, "plain", 32), wcscmp(wide, L"plain"));
    for (int c = 0; c < 256; c++)
        mix(toupper(c) + isalnum(c) * 2 + isspace(c) * 3);
    printf("all %08x\n", hash);
    return 0;
}
