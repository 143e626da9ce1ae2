// A directory of 100,000 files through readdir with 32-bit offsets: all entries once, telldir, seekdir, rewinddir,
// the old getdents call, and descriptors that share a position.
// oracle: none (its readdir fails with EOVERFLOW where the host's offsets are longer)
// modes: default
// limit: 120
#include "scratch.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>

#define FILES 100000

static unsigned char seen[FILES];

static int number(const char *name) {
    return name[0] == 'f' ? atoi(name + 1) : -1;
}

static void check(const char *what) {
    int missing = 0, twice = 0;
    for (int i = 0; i < FILES; i++) {
        missing += seen[i] == 0;
        twice += seen[i] > 1;
    }
    printf("%s: missing %d, twice %d\n", what, missing, twice);
    memset(seen, 0, sizeof seen);
}

static int read_all(DIR *dir) {
    int entries = 0;
    for (struct dirent *entry; (errno = 0, entry = readdir(dir)) != NULL; entries++)
        if (number(entry->d_name) >= 0)
            seen[number(entry->d_name)]++;
    if (errno != 0)
        printf("readdir: %m\n");
    return entries;
}

struct old_dirent {
    unsigned long ino, off;
    unsigned short reclen;
    char name[];
};

static void old_getdents(int fd, unsigned size) {
    char buf[4096];
    int entries = 0, result, types = 0;
    lseek(fd, 0, SEEK_SET);
    while ((result = syscall(SYS_getdents, fd, buf, size)) > 0)
        for (int at = 0; at < result; entries++) {
            struct old_dirent *entry = (struct old_dirent *)(buf + at);
            if (number(entry->name) >= 0)
                seen[number(entry->name)]++;
            types += buf[at + entry->reclen - 1] == DT_REG;
            at += entry->reclen;
        }
    printf("getdents with %u bytes: result %d, %d entries, %d files\n", size, result, entries, types);
    check("getdents");
}

int main(void) {
    scratch_enter();
    mkdir("d", 0777);
    int at = open("d", O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < FILES; i++) {
        char name[16];
        sprintf(name, "f%d", i);
        if (mknodat(at, name, S_IFREG | 0600, 0) != 0)
            return perror(name), 1;
    }
    DIR *dir = opendir("d");
    printf("%d entries\n", read_all(dir));
    check("readdir");
    rewinddir(dir);
    printf("%d entries\n", read_all(dir));
    check("rewinddir");

    // Every 100th position is remembered with the entry that follows it.
    enum { STEP = 100, MARKS = FILES / STEP };
    static long marks[MARKS];
    static char names[MARKS][16];
    rewinddir(dir);
    for (int i = 0; i < FILES; i++) {
        long position = telldir(dir);
        struct dirent *entry = readdir(dir);
        if (entry == NULL)
            return puts("ended early"), 1;
        if (i % STEP == 0) {
            marks[i / STEP] = position;
            strcpy(names[i / STEP], entry->d_name);
        }
    }
    int right = 0, unique = 1;
    for (int i = MARKS - 1; i >= 0; i--) {
        seekdir(dir, marks[i]);
        struct dirent *entry = readdir(dir);
        right += entry != NULL && strcmp(entry->d_name, names[i]) == 0;
        unique &= i == 0 || marks[i] != marks[i - 1];
    }
    printf("seekdir: %d of %d right, positions differ %d\n", right, MARKS, unique);
    seekdir(dir, marks[MARKS / 2]);
    int left = read_all(dir);
    printf("from the middle: %d\n", left >= FILES / 2 && left <= FILES / 2 + 2);
    memset(seen, 0, sizeof seen);

    // Descriptors of one open file share position and cookies; a child goes on where its parent was.
    int fd = dup(dirfd(dir));
    printf("lseek on a copy: %d\n", lseek(fd, marks[3], SEEK_SET) == marks[3]);
    printf("position: %d\n", lseek(fd, 0, SEEK_CUR) == marks[3]);
    loff_t result = -1;
    syscall(SYS__llseek, fd, 0, 0, &result, SEEK_CUR);
    printf("_llseek: %d\n", result == marks[3]);
    old_getdents(fd, 4096);
    old_getdents(fd, 64);
    printf("too small: %ld", syscall(SYS_getdents, at, seen, 8));
    printf(" %m\n");
    closedir(dir);

    // Removing while reading, as rm -r does.
    dir = opendir("d");
    int removed = 0, passes = 0, entries;
    do {
        entries = 0;
        rewinddir(dir);
        for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
            if (number(entry->d_name) >= 0) {
                entries++;
                removed += unlinkat(at, entry->d_name, 0) == 0;
            }
    } while (entries > 0 && ++passes < 10);
    printf("removed %d\n", removed);
    closedir(dir);
    return 0;
}
