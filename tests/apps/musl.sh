# Programs of another C library: musl, static and dynamic.
cat > t.c <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
static int shared;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void *work(void *a) {
    for (int i = 0; i < 1000; i++) { pthread_mutex_lock(&mutex); shared++; pthread_mutex_unlock(&mutex); }
    return a;
}
int main(int argc, char **argv) {
    pthread_t t[4];
    for (int i = 0; i < 4; i++) pthread_create(&t[i], NULL, work, NULL);
    for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
    char *p = malloc(1 << 20); memset(p, 1, 1 << 20);
    printf("%d %d %.3f %d\n", shared, p[12345], 1.0 / 3, time(NULL) > 1600000000);
    return argc > 9 || !argv[0];
}
C
musl-gcc -static -O2 -o static t.c && [ "$(./static)" = "4000 1 0.333 1" ]
musl-gcc -O2 -o dynamic t.c && [ "$(./dynamic)" = "4000 1 0.333 1" ]
echo done
