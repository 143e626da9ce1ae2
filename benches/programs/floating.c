/* Floating-point work: planets, a Fourier transform, single-precision filters, all with IEEE results
 * that do not depend on the machine (no library functions but sqrt, no contraction). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>

struct body {
    double x[3], v[3], mass;
};

static double planets(int steps) {
    struct body b[5];
    for (int i = 0; i < 5; i++)
        b[i] = (struct body){{i * 5.2 + 0.1, i * i * 0.7, 1.0 / (i + 1)}, {0.1 * i, 0.3 / (i + 1), -0.02 * i}, i ? 0.01 * i : 39.5};
    for (int s = 0; s < steps; s++) {
        for (int i = 0; i < 5; i++)
            for (int j = i + 1; j < 5; j++) {
                double d[3], square = 0.01;
                for (int k = 0; k < 3; k++)
                    d[k] = b[i].x[k] - b[j].x[k], square += d[k] * d[k];
                double pull = 0.001 / (square * sqrt(square));
                for (int k = 0; k < 3; k++)
                    b[i].v[k] -= d[k] * b[j].mass * pull, b[j].v[k] += d[k] * b[i].mass * pull;
            }
        for (int i = 0; i < 5; i++)
            for (int k = 0; k < 3; k++)
                b[i].x[k] += 0.001 * b[i].v[k];
    }
    return b[0].x[0] + b[1].x[1] + b[4].v[2];
}

static double transform(int rounds) {
    enum { N = 1024 };
    static double re[N], im[N];
    double total = 0;
    for (int i = 0; i < N; i++)
        re[i] = (i * 37 % 101) / 101.0, im[i] = 0;
    for (int r = 0; r < rounds; r++) {
        for (int i = 1, j = 0; i < N; i++) {
            int bit = N >> 1;
            for (; j & bit; bit >>= 1)
                j ^= bit;
            j ^= bit;
            if (i < j) {
                double t = re[i];
                re[i] = re[j], re[j] = t, t = im[i], im[i] = im[j], im[j] = t;
            }
        }
        double c = -1, s = 0;
        for (int length = 2; length <= N; length *= 2) {
            for (int start = 0; start < N; start += length) {
                double wr = 1, wi = 0;
                for (int k = start; k < start + length / 2; k++) {
                    int m = k + length / 2;
                    double tr = re[m] * wr - im[m] * wi, ti = re[m] * wi + im[m] * wr;
                    re[m] = re[k] - tr, im[m] = im[k] - ti, re[k] += tr, im[k] += ti;
                    double next = wr * c - wi * s;
                    wi = wr * s + wi * c, wr = next;
                }
            }
            s = -sqrt((1 - c) / 2), c = sqrt((1 + c) / 2);
        }
        for (int i = 0; i < N; i++)
            re[i] /= 32, im[i] /= 32;
        total += re[r % N];
    }
    return total;
}

static float filter(int rounds) {
    enum { N = 4096 };
    static float in[N], out[N];
    for (int i = 0; i < N; i++)
        in[i] = (float)(i * 7919 % 1000) / 1000;
    for (int r = 0; r < rounds; r++) {
        for (int i = 2; i < N - 2; i++)
            out[i] = in[i - 2] * 0.1f + in[i - 1] * 0.2f + in[i] * 0.4f + in[i + 1] * 0.2f + in[i + 2] * 0.1f;
        memcpy(in, out, sizeof in);
    }
    float sum = 0;
    for (int i = 0; i < N; i++)
        sum += out[i];
    return sum;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 100;
    printf("%.15g %.15g %.7g\n", planets(rounds * 500), transform(rounds), (double)filter(rounds * 4));
    return 0;
}
