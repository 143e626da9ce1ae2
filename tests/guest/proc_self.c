// /proc and the auxiliary vector as a program on ARM sees them.
// oracle: none (it shows no vectors page, and another processor)
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/utsname.h>
#include <unistd.h>

extern char etext;

int main(int argc, char **argv) {
    (void)argc;
    char path[4096], line[8192];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n < 0 ? 0 : n] = 0;
    char *name = strrchr(path, '/');
    char *own = strrchr(argv[0], '/');
    printf("exe is the program %d\n", name && strcmp(name, own ? own : argv[0]) == 0);
    n = readlink("/proc/self/exe", line, 3);
    printf("cut %zd\n", n);
    char numbered[64];
    snprintf(numbered, sizeof numbered, "/proc/%d/exe", getpid());
    n = readlink(numbered, line, sizeof line - 1);
    line[n < 0 ? 0 : n] = 0;
    printf("by number %d\n", strcmp(line, path) == 0);
    int fd = open("/proc/self/exe", O_RDONLY);
    unsigned char ident[20] = {0};
    if (read(fd, ident, sizeof ident) < 0)
        return 1;
    printf("machine %d class %d\n", ident[18], ident[EI_CLASS]);

    fd = open("/proc/self/cmdline", O_RDONLY);
    n = read(fd, line, sizeof line);
    printf("cmdline begins with argv[0] %d\n", n > 0 && strcmp(line, argv[0]) == 0);

    FILE *maps = fopen("/proc/self/maps", "r");
    int stack = 0, code = 0, vectors = 0, program = 0, high = 0, lines = 0, bad = 0;
    unsigned long long last = 0;
    int local;
    while (fgets(line, sizeof line, maps)) {
        unsigned long long start, end;
        char perms[5];
        lines++;
        if (sscanf(line, "%llx-%llx %4s", &start, &end, perms) != 3 || start < last || end <= start)
            bad++;
        last = end;
        high += end > 0x100000000ull;
        if ((uintptr_t)&local >= start && (uintptr_t)&local < end)
            stack = strstr(line, "[stack]") != NULL && strncmp(perms, "rw", 2) == 0;
        if ((uintptr_t)&main >= start && (uintptr_t)&main < end)
            code = strcmp(perms, "r-xp") == 0;
        vectors += strstr(line, "[vectors]") != NULL;
        program += strstr(line, name) != NULL;
    }
    fclose(maps);
    printf("maps: stack %d code %d vectors %d program %d high %d malformed %d several %d\n", stack, code, vectors,
           program > 1, high, bad, lines > 4);

    fd = open("/proc/self/auxv", O_RDONLY);
    Elf32_auxv_t aux[64];
    n = read(fd, aux, sizeof aux);
    int same = 0, entries = n / (ssize_t)sizeof *aux;
    for (int i = 0; i < entries; i++)
        if (aux[i].a_type != AT_NULL)
            same += getauxval(aux[i].a_type) == aux[i].a_un.a_val;
    printf("auxv agrees %d ends %d\n", same == entries - 1, entries > 0 && aux[entries - 1].a_type == AT_NULL);
    unsigned long want = HWCAP_ARM_NEON | HWCAP_ARM_VFPv4 | HWCAP_ARM_IDIVA | HWCAP_ARM_THUMB | HWCAP_ARM_TLS |
                         HWCAP_ARM_VFPD32;
    printf("hwcap %d hwcap2 %lx platform %s page %lu secure %lu\n", (getauxval(AT_HWCAP) & want) == want,
           getauxval(AT_HWCAP2) & 0x1f, (char *)getauxval(AT_PLATFORM), getauxval(AT_PAGESZ), getauxval(AT_SECURE));
    printf("execfn %d random %d\n", access((char *)getauxval(AT_EXECFN), X_OK), getauxval(AT_RANDOM) != 0);

    // Only this program's descriptors are listed: each one can be asked about.
    int listed = 0, strange = 0;
    DIR *fds = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(fds));)
        if (entry->d_name[0] != '.') {
            listed++;
            strange += fcntl(atoi(entry->d_name), F_GETFD) < 0;
        }
    closedir(fds);
    printf("descriptors %d strange %d\n", listed > 3, strange);

    FILE *cpuinfo = fopen("/proc/cpuinfo", "r");
    int neon = 0, arm = 0;
    while (fgets(line, sizeof line, cpuinfo)) {
        neon |= strncmp(line, "Features", 8) == 0 && strstr(line, " neon ") != NULL;
        arm |= strstr(line, "ARMv7") != NULL;
    }
    printf("cpuinfo: ARM %d neon %d\n", arm, neon);
    struct utsname uts;
    uname(&uts);
    printf("uname %s %s\n", uts.sysname, uts.machine);
    return 0;
}
