// long double (a double on this ABI), varargs of mixed types, and structures passed by value.
// ldflags: -lm
#include <complex.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

struct small {
    char c;
    short s;
};
struct floats {
    float a, b, c, d;
};
struct big {
    int64_t a[5];
    char tail[3];
};

static double sum(const char *kinds, ...) {
    va_list list, copy;
    va_start(list, kinds);
    va_copy(copy, list);
    double total = 0, again = 0;
    for (const char *k = kinds; *k; k++)
        switch (*k) {
        case 'i': total += va_arg(list, int); break;
        case 'l': total += va_arg(list, long long); break;
        case 'd': total += va_arg(list, double); break;
        case 'L': total += va_arg(list, long double); break;
        case 's': total += va_arg(list, struct small).s; break;
        case 'b': total += va_arg(list, struct big).a[4]; break;
        }
    for (const char *k = kinds; *k == 'i'; k++)
        again += va_arg(copy, int);
    va_end(copy);
    va_end(list);
    return total + again / 1024;
}

__attribute__((noinline)) static struct floats swap(struct floats f, struct small s, struct big b) {
    return (struct floats){f.d + s.c, f.c + s.s, f.b + b.a[0], f.a + b.tail[2]};
}

__attribute__((noinline)) static double many(double a, float b, int c, double d, long long e, float f, int g, double h,
                                             float i, short j, char k, double l) {
    return a + b * 2 + c * 3 + d * 4 + e * 5 + f * 6 + g * 7 + h * 8 + i * 9 + j * 10 + k * 11 + l * 12;
}

int main(void) {
    long double third = 1.0L / 3;
    printf("%zu %.20Lg %La %Lg\n", sizeof third, third, third, powl(third, -3));
    struct small s = {'x', -300};
    struct big b = {{1, 2, 3, 4, 1LL << 40}, "ab"};
    printf("%.10g\n", sum("iildLsbi", 1, -2, 3LL << 33, 0.5, 0.25L, s, b, 7));
    struct floats f = swap((struct floats){1, 2, 3, 4}, s, b);
    printf("%g %g %g %g\n", f.a, f.b, f.c, f.d);
    printf("%.10g\n", many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
    double complex z = cexp(I * 3.0) * (2 + 3 * I) / (1 - I);
    printf("%.12g %.12g %.12g\n", creal(z), cimag(z), cabs(z));
    char text[80];
    snprintf(text, sizeof text, "%5d|%-6s|%+lld|%#x|%o|%c|%%|%p|%hhd|%zu|%*d", -42, "abc", 1LL << 40, 255, 8, 'z',
             (void *)0x1234, 300, sizeof text, 6, 7);
    puts(text);
    int a, n;
    double d;
    char word[8];
    n = sscanf("12 3.5e2 hello 0x1f", "%d %lf %7s %n", &a, &d, word, &n);
    printf("%d %d %g %s\n", n, a, d, word);
    return 0;
}
