// The kernel's asynchronous I/O, as libaio calls it: the context is the address of a ring the program may read.
// oracle: none (it has no io_setup)
// cflags: -D_FILE_OFFSET_BITS=64
#include "scratch.h"
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

struct ring {
    unsigned id, nr, head, tail, magic, compat, incompat, header_length;
    struct io_event events[];
};

static void collect(unsigned long context, int wanted) {
    struct io_event events[8];
    int32_t timeout[2] = {10, 0};
    long n = syscall(SYS_io_getevents, context, wanted, 8, events, timeout);
    printf("%ld events\n", n);
    // The order of completion is free.
    long long data = 0, results = 0;
    int named = 0;
    for (long i = 0; i < n; i++) {
        data += events[i].data;
        results += events[i].res;
        named += ((struct iocb *)(uintptr_t)events[i].obj)->aio_data == events[i].data;
    }
    printf("data %lld results %lld named %d\n", data, results, named);
}

int main(void) {
    scratch_enter();
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    unsigned long context = 0;
    SHOW(syscall(SYS_io_setup, 0, &context));
    SHOW(syscall(SYS_io_setup, 200, &context));
    struct ring *ring = (struct ring *)context;
    printf("magic %x, room %d, header %u\n", ring->magic, ring->nr >= 200, ring->header_length);
    SHOW(syscall(SYS_io_setup, 200, &context));

    int event = eventfd(0, 0);
    char text[] = "0123456789", in[16] = "", other[8] = "";
    struct iocb writes[2] = {
        {.aio_data = 100, .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = fd, .aio_buf = (uintptr_t)text,
         .aio_nbytes = 10, .aio_offset = 0},
        {.aio_data = 200, .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = fd, .aio_buf = (uintptr_t)text,
         .aio_nbytes = 5, .aio_offset = 5LL << 30, .aio_flags = IOCB_FLAG_RESFD, .aio_resfd = event},
    };
    struct iocb *list[2] = {&writes[0], &writes[1]};
    SHOW(syscall(SYS_io_submit, context, 2, list));
    collect(context, 2);
    unsigned long long completions;
    SHOW(read(event, &completions, 8));
    printf("%llu\n", completions);

    struct iovec vector[2] = {{in, 4}, {other, 3}};
    struct iocb reading = {.aio_data = 7, .aio_lio_opcode = IOCB_CMD_PREADV, .aio_fildes = fd,
                           .aio_buf = (uintptr_t)vector, .aio_nbytes = 2, .aio_offset = 1};
    list[0] = &reading;
    SHOW(syscall(SYS_io_submit, context, 1, list));
    collect(context, 1);
    printf("%s %s %d\n", in, other, reading.aio_buf == (uintptr_t)vector);

    list[0] = (struct iocb *)16;
    SHOW(syscall(SYS_io_submit, context, 1, list));
    SHOW(syscall(SYS_io_submit, context, -1, list));
    SHOW(syscall(SYS_io_submit, context, 0, list));
    reading.aio_fildes = -1;
    list[0] = &reading;
    SHOW(syscall(SYS_io_submit, context, 1, list));
    SHOW(syscall(SYS_io_submit, 0x1000, 1, list));
    struct io_event none;
    int32_t soon[2] = {0, 1000000};
    SHOW(syscall(SYS_io_getevents, context, 1, 1, &none, soon));
    SHOW(syscall(SYS_io_destroy, context));
    SHOW(syscall(SYS_io_destroy, context));
    return 0;
}
