// ioctl: terminals on a pseudo-terminal pair, pipes, files, interfaces of the network.
#include "scratch.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fiemap.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

int main(void) {
    scratch_enter();
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    int unlock = 0;
    SHOW(ioctl(master, TIOCSPTLCK, &unlock));
    unsigned number;
    SHOW(ioctl(master, TIOCGPTN, &number));
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    SHOW(isatty(terminal));
    struct termios tio;
    SHOW(tcgetattr(terminal, &tio));
    printf("%x %x %x %x %d %d %u\n", tio.c_iflag, tio.c_oflag, tio.c_cflag, tio.c_lflag, tio.c_cc[VINTR],
           tio.c_cc[VERASE], cfgetospeed(&tio));
    cfmakeraw(&tio);
    cfsetspeed(&tio, B115200);
    tio.c_cc[VMIN] = 3;
    SHOW(tcsetattr(terminal, TCSADRAIN, &tio));
    memset(&tio, 0, sizeof tio);
    SHOW(tcgetattr(terminal, &tio));
    printf("%x %x %d %u\n", tio.c_iflag, tio.c_lflag, tio.c_cc[VMIN], cfgetospeed(&tio) == B115200);
    struct winsize size = {24, 80, 1, 2};
    SHOW(ioctl(terminal, TIOCSWINSZ, &size));
    memset(&size, 0, sizeof size);
    SHOW(ioctl(master, TIOCGWINSZ, &size));
    printf("%d %d %d %d\n", size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel);
    SHOW(write(terminal, "output", 6));
    SHOW(poll(&(struct pollfd){master, POLLIN, 0}, 1, 5000));
    int count = -1;
    SHOW(ioctl(master, FIONREAD, &count));
    printf("%d\n", count);
    SHOW(tcflush(terminal, TCIOFLUSH));
    SHOW(tcsendbreak(terminal, 0));
    SHOW(tcgetsid(terminal));
    SHOW(ioctl(terminal, TIOCGWINSZ, 16));
    SHOW(ioctl(terminal, TIOCEXCL));
    SHOW(ioctl(terminal, TIOCNXCL));

    int pipes[2];
    SHOW(pipe(pipes));
    SHOW(isatty(pipes[0]));
    SHOW(write(pipes[1], "abc", 3));
    SHOW(ioctl(pipes[0], FIONREAD, &count));
    printf("%d\n", count);
    int on = 1;
    SHOW(ioctl(pipes[0], FIONBIO, &on));
    SHOW(!!(fcntl(pipes[0], F_GETFL) & O_NONBLOCK));
    SHOW(ioctl(pipes[0], FIOCLEX));
    SHOW(fcntl(pipes[0], F_GETFD));
    SHOW(ioctl(pipes[0], FIONCLEX));
    SHOW(ioctl(-1, FIONREAD, &count));
    SHOW(ioctl(pipes[0], TIOCGWINSZ, &size));

    int fd = open("f", O_RDWR | O_CREAT, 0600);
    SHOW(write(fd, "0123456789", 10));
    SHOW(ioctl(fd, FIONREAD, &count));
    SHOW(lseek(fd, 4, SEEK_SET));
    SHOW(ioctl(fd, FIONREAD, &count));
    printf("%d\n", count);
    int flags = 0;
    SHOW(ioctl(fd, FS_IOC_GETFLAGS, &flags));
    flags |= FS_NODUMP_FL;
    SHOW(ioctl(fd, FS_IOC_SETFLAGS, &flags));
    flags = 0;
    SHOW(ioctl(fd, FS_IOC_GETFLAGS, &flags));
    printf("%d\n", !!(flags & FS_NODUMP_FL));
    SHOW(ioctl(fd, FIGETBSZ, &count));
    printf("%d\n", count);
    fsync(fd);
    union {
        struct fiemap map;
        char room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)];
    } extents = {.map = {.fm_length = ~0ull, .fm_extent_count = 1}};
    SHOW(ioctl(fd, FS_IOC_FIEMAP, &extents));
    printf("%u extents, length %llu\n", extents.map.fm_mapped_extents, extents.map.fm_extents[0].fe_length);
    int sizes;
    SHOW(ioctl(fd, BLKSSZGET, &sizes));

    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq request = {.ifr_name = "lo"};
    SHOW(ioctl(s, SIOCGIFINDEX, &request));
    printf("index %d\n", request.ifr_ifindex);
    memset(request.ifr_name, 0, sizeof request.ifr_name);
    SHOW(ioctl(s, SIOCGIFNAME, &request));
    puts(request.ifr_name);
    SHOW(ioctl(s, SIOCGIFFLAGS, &request));
    printf("loopback %d\n", !!(request.ifr_flags & IFF_LOOPBACK));
    SHOW(ioctl(s, SIOCGIFMTU, &request));
    printf("mtu %d\n", request.ifr_mtu);
    SHOW(ioctl(s, SIOCGIFHWADDR, &request));
    printf("type %d\n", request.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK);
    SHOW(ioctl(s, SIOCGIFADDR, &request));
    puts(inet_ntoa(((struct sockaddr_in *)&request.ifr_addr)->sin_addr));
    strcpy(request.ifr_name, "absent");
    SHOW(ioctl(s, SIOCGIFINDEX, &request));
    struct ifreq list[40];
    struct ifconf conf = {.ifc_len = sizeof list, .ifc_req = list};
    SHOW(ioctl(s, SIOCGIFCONF, &conf));
    int found = 0;
    for (unsigned i = 0; i < conf.ifc_len / sizeof *list; i++)
        found += strcmp(list[i].ifr_name, "lo") == 0;
    printf("%d, length %d\n", found, conf.ifc_len % (int)sizeof *list);
    SHOW(ioctl(s, SIOCATMARK, &count));
    return 0;
}
