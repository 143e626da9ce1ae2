// Floating point through the C library: printing, parsing, rounding modes, exceptions, mathematics.
// cflags: -frounding-math
// ldflags: -lm
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double VALUES[] = {0.0, -0.0, 1.0, -1.5, 0.1, 1e-5, 123456.789, 1e21, 1e300, DBL_MIN, DBL_MAX, 4.9e-324,
                                2.2250738585072009e-308, 3.14159265358979323846, 1.0 / 3, 65504, 16777217, 1e15 + 0.3};

int main(void) {
    for (unsigned i = 0; i < sizeof VALUES / sizeof *VALUES; i++) {
        volatile double v = VALUES[i];
        printf("%g %.17g %a %.0f %10.3e float %.9g int %d unsigned %u\n", v, v, v, v > 1e30 ? 0 : v, v, (float)v,
               (int)v, (unsigned)(v < 0 ? 0 : v));
        printf("  sqrt %.17g exp %.15g sin %.15g log %.15g cbrt %.15g pow %.15g\n", sqrt(fabs(v)), exp(fmod(v, 50)),
               sin(v), log(fabs(v) + 1), cbrt(v), pow(fabs(v), 0.3));
        printf("  floor %g ceil %g rint %g trunc %g lround %ld fma %.17g hypot %.15g\n", floor(v), ceil(v), rint(v),
               trunc(v), fabs(v) < 1e9 ? lround(v) : 0, fma(v, 1.1, -v), hypot(v, 3));
    }
    printf("%g %g %g\n", strtod("0x1.8p3", NULL), strtod("1e-400", NULL), strtod("179769313486231580793e289", NULL));
    printf("%g %g %g %d %d\n", INFINITY, -INFINITY, NAN, isnan(NAN), isinf(-INFINITY));

    const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    for (int i = 0; i < 4; i++) {
        fesetround(modes[i]);
        volatile double one = 1, three = 3, tenth = 0.1;
        volatile float f = 1;
        printf("mode %d: %.17g %.17g %.9g rint %g %g sqrt %.17g\n", i, one / three, -one / three, f / (float)three,
               rint(2.5), rint(-2.5), sqrt(tenth));
        printf("        sum %.17g float of double %.9g\n", tenth + three, (float)tenth);
    }
    fesetround(FE_TONEAREST);

    volatile double zero = 0, big = DBL_MAX, tiny = DBL_MIN, one = 1, three = 3, result;
    struct {
        const char *name;
        double a, b;
        char op;
    } const cases[] = {{"divide by zero", one, zero, '/'}, {"invalid", zero, zero, '/'}, {"overflow", big, big, '*'},
                       {"underflow", tiny, tiny, '*'},     {"inexact", one, three, '/'}, {"exact", one, one, '/'}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        volatile double a = cases[i].a, b = cases[i].b;
        feclearexcept(FE_ALL_EXCEPT);
        result = cases[i].op == '/' ? a / b : a * b;
        int raised = fetestexcept(FE_ALL_EXCEPT);
        printf("%s: %g raises%s%s%s%s%s\n", cases[i].name, result, raised & FE_DIVBYZERO ? " divbyzero" : "",
               raised & FE_INVALID ? " invalid" : "", raised & FE_OVERFLOW ? " overflow" : "",
               raised & FE_UNDERFLOW ? " underflow" : "", raised & FE_INEXACT ? " inexact" : "");
    }
    return 0;
}
