// mmap and its relatives, with their errors.
// oracle: none (it dies of the mapping at the end)
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static const char *result(void *p) { return p == MAP_FAILED ? strerror(errno) : "mapped"; }
static const char *outcome(int r) { return r < 0 ? strerror(errno) : "ok"; }

static int readable(void *p) {
    int ends[2];
    if (pipe(ends) < 0)
        return -1;
    int good = write(ends[1], p, 1) == 1;
    close(ends[0]);
    close(ends[1]);
    return good;
}

int main(void) {
    char *area = mmap(NULL, 16 * PAGE, RW, ANON, -1, 0);
    printf("%s\n", result(area));
    memset(area, 'a', 16 * PAGE);
    printf("zero length: %s\n", result(mmap(NULL, 0, RW, ANON, -1, 0)));
    printf("bad descriptor: %s\n", result(mmap(NULL, PAGE, RW, MAP_PRIVATE, 99, 0)));
    printf("fixed, unaligned: %s\n", result(mmap(area + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0)));
    printf("no type: %s\n", result(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0)));
    printf("too long: %s\n", result(mmap(NULL, 0xfffff000, RW, ANON, -1, 0)));
    printf("no replacement: %s\n", result(mmap(area, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0)));
    printf("hint taken: %d\n", mmap(area, PAGE, RW, ANON, -1, 0) != area);
    munmap(area + 8 * PAGE, 4 * PAGE);
    printf("hole: %d\n", readable(area + 8 * PAGE));
    char *hinted = mmap(area + 9 * PAGE, PAGE, RW, ANON, -1, 0);
    printf("hint in the hole: %d zero %d\n", hinted == area + 9 * PAGE, hinted[0]);
    munmap(hinted, PAGE);

    printf("mprotect over the hole: %s\n", outcome(mprotect(area + 7 * PAGE, 3 * PAGE, PROT_READ)));
    printf("mprotect unaligned: %s\n", outcome(mprotect(area + 1, PAGE, PROT_READ)));
    printf("mprotect nonsense: %s\n", outcome(mprotect(area, PAGE, 0x40)));
    printf("munmap unaligned: %s\n", outcome(munmap(area + 1, PAGE)));
    printf("munmap nothing: %s\n", outcome(munmap(area, 0)));
    printf("munmap of a hole: %s\n", outcome(munmap(area + 8 * PAGE, PAGE)));
    printf("madvise over the hole: %s\n", outcome(madvise(area, 16 * PAGE, MADV_NORMAL)));
    printf("msync of the hole: %s\n", outcome(msync(area + 8 * PAGE, PAGE, MS_SYNC)));
    unsigned char vec[16];
    printf("mincore of the hole: %s\n", outcome(mincore(area + 8 * PAGE, PAGE, vec)));
    printf("mlock of the hole: %s\n", outcome(mlock(area + 8 * PAGE, PAGE)));
    madvise(area, PAGE, MADV_DONTNEED);
    printf("dropped: %d\n", area[0]);

    // mremap: in place, moved, and each error.
    char *small = mmap(NULL, 2 * PAGE, RW, ANON, -1, 0);
    strcpy(small, "kept");
    char *grown = mremap(small, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
    printf("grown: %s %d\n", grown, grown[40 * PAGE]);
    char *shrunk = mremap(grown, 64 * PAGE, PAGE, 0);
    printf("shrunk in place: %d, rest %d\n", shrunk == grown, readable(grown + PAGE));
    char *wall = mmap(shrunk + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
    mprotect(wall, PAGE, PROT_READ);
    printf("no room: %s\n", result(mremap(shrunk, PAGE, 2 * PAGE, 0)));
    printf("hole: %s\n", result(mremap(area + 8 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE)));
    printf("across two: %s\n", result(mremap(shrunk, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE)));
    printf("unaligned: %s\n", result(mremap(shrunk + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE)));
    printf("to nothing: %s\n", result(mremap(shrunk, PAGE, 0, MREMAP_MAYMOVE)));
    printf("fixed alone: %s\n", result(mremap(shrunk, PAGE, PAGE, MREMAP_FIXED, area)));
    printf("onto itself: %s\n", result(mremap(area, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area + PAGE)));
    printf("flags: %s\n", result(mremap(shrunk, PAGE, PAGE, 0x80)));
    printf("double of private: %s\n", result(mremap(shrunk, 0, PAGE, MREMAP_MAYMOVE)));
    char *moved = mremap(shrunk, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area + 8 * PAGE);
    printf("moved into the hole: %d %s, old %d\n", moved == area + 8 * PAGE, moved, readable(shrunk));

    // A shared file: two views, and the end of the file.
    char name[] = "/tmp/memory_map.XXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    if (ftruncate(fd, PAGE + 10) < 0)
        return 1;
    char *one = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0), *two = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    strcpy(one, "through one");
    printf("seen through two: %s\n", two);
    char text[12] = "";
    if (pread(fd, text, 11, 0) < 0)
        return 1;
    printf("in the file: %s\n", text);
    char *private_view = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
    strcpy(private_view, "private");
    printf("still: %s\n", two);
    printf("past the file's end: %d %d\n", readable(one + PAGE), readable(one + 2 * PAGE));
    printf("offset unaligned: %s\n", result((void *)syscall(SYS_mmap2, 0, PAGE, PROT_READ, MAP_SHARED, 99, 0)));
    char *second = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
    printf("second page: %d\n", second[0]);
    int read_only = open("/proc/self/exe", O_RDONLY);
    printf("shared store to a read-only file: %s\n", result(mmap(NULL, PAGE, RW, MAP_SHARED, read_only, 0)));
    char *image = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, read_only, 0);
    printf("the program: %d, made writable: %s\n", memcmp(image, "\177ELF", 4) == 0, outcome(mprotect(image, PAGE, RW)));

    // brk.
    char *heap = sbrk(0);
    printf("brk up: %d\n", sbrk(5 * PAGE) == heap);
    heap[5 * PAGE - 1] = 1;
    printf("brk down: %d\n", brk(heap) == 0);
    printf("brk below: %d\n", (char *)syscall(SYS_brk, 0x1000) == heap);

    // SysV shared memory.
    int id = shmget(IPC_PRIVATE, 2 * PAGE, IPC_CREAT | 0600);
    char *a = shmat(id, NULL, 0), *b = shmat(id, NULL, SHM_RDONLY);
    a[PAGE] = 'x';
    printf("shm %d %c aligned %d\n", a != b, b[PAGE], ((uintptr_t)a & 0x3fff) == 0);
    printf("detached %s, again %s\n", outcome(shmdt(a)), outcome(shmdt(a)));
    printf("unaligned %s\n", shmat(id, b + 1, 0) == (void *)-1 ? strerror(errno) : "ok");
    shmctl(id, IPC_RMID, NULL);
    shmdt(b);

    // A child has copies of private and the same shared pages.
    int *shared = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        *shared = 1;
        area[PAGE] = 'b';
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    printf("shared %d private %c\n", *shared, area[PAGE]);

    // Every address is below 4 GiB and the end of it cannot be mapped.
    printf("at the end: %s\n", result(mmap((void *)0xfffff000, PAGE, RW, ANON | MAP_FIXED, -1, 0)));
    printf("page 0: %d\n", readable(NULL));
    return 0;
}
