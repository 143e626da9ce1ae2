// The dynamic linker: lazy binding, dlopen of the mathematics library, symbol look-up, thread-local data there.
// run: dynamic
// ldflags: -ldl -Wl,-z,lazy
// args: one two
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

static int count(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    *(int *)data += info->dlpi_phnum > 0;
    return 0;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        puts(argv[i]);
    void *library = dlopen("libm.so.6", RTLD_NOW);
    if (library == NULL)
        return puts(dlerror()), 1;
    double (*cosine)(double) = (double (*)(double))dlsym(library, "cos");
    printf("%.15g\n", cosine(1));
    printf("%d\n", dlopen("libnothere.so", RTLD_NOW) == NULL && strstr(dlerror(), "libnothere.so") != NULL);
    Dl_info info;
    printf("%s\n", dladdr((void *)cosine, &info) && strstr(info.dli_fname, "libm") ? "in libm" : "lost");
    int objects = 0;
    dl_iterate_phdr(count, &objects);
    printf("%d\n", objects >= 3);
    errno = ENOENT;
    printf("%m\n");
    return 0;
}
