// Messages over sockets: descriptors, credentials, time stamps, packet information, truncation, many at once.
// oracle: none (it loses truncated control data and knows no UDP_GRO)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void check(const char *what, int ok) { printf("%s: %s\n", what, ok ? "ok" : "WRONG"); }

static int open_fds(void) {
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

// Sends `n` descriptors and, if asked, credentials.
static int send_fds(int s, const int *fds, int n, int creds) {
    union {
        char bytes[256];
        struct cmsghdr align;
    } control = {0};
    struct iovec iov[2] = {{"he", 2}, {"llo", 3}};
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2, .msg_control = control.bytes};
    struct cmsghdr *c = &control.align;
    if (n) {
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n * sizeof(int));
        m.msg_controllen += CMSG_SPACE(n * sizeof(int));
    }
    if (creds) {
        c = (struct cmsghdr *)(control.bytes + m.msg_controllen);
        struct ucred u = {getpid(), getuid(), getgid()};
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_CREDENTIALS;
        c->cmsg_len = CMSG_LEN(sizeof u);
        memcpy(CMSG_DATA(c), &u, sizeof u);
        m.msg_controllen += CMSG_SPACE(sizeof u);
    }
    return sendmsg(s, &m, 0);
}

// Receives into `room` bytes of control data and says what came.
static void receive(int s, int room, int flags) {
    union {
        char bytes[512];
        struct cmsghdr align;
    } control;
    memset(&control, 0x55, sizeof control);
    char data[64] = {0};
    struct iovec iov = {data, sizeof data};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = room};
    int n = recvmsg(s, &m, flags);
    printf("  %d bytes '%s' control %u%s%s\n", n, data, (unsigned)m.msg_controllen,
           m.msg_flags & MSG_CTRUNC ? " CTRUNC" : "", m.msg_flags & MSG_TRUNC ? " TRUNC" : "");
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        printf("  level %d type %d len %u", c->cmsg_level, c->cmsg_type, (unsigned)c->cmsg_len);
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            int n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (int i = 0; i < n; i++) {
                int fd;
                memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
                struct stat st;
                printf(" fd %s%s", fstat(fd, &st) == 0 ? "open" : "closed",
                       fcntl(fd, F_GETFD) & FD_CLOEXEC ? " cloexec" : "");
                close(fd);
            }
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len == CMSG_LEN(12)) {
            struct ucred u;
            memcpy(&u, CMSG_DATA(c), sizeof u);
            printf(" creds %s", u.pid == getpid() && u.uid == getuid() && u.gid == getgid() ? "mine" : "WRONG");
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == 29) {
            struct timeval tv;
            memcpy(&tv, CMSG_DATA(c), sizeof tv);
            printf(" timeval %s", labs(tv.tv_sec - time(NULL)) < 20 && tv.tv_usec < 1000000 ? "now" : "WRONG");
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == 35) {
            struct timespec ts;
            memcpy(&ts, CMSG_DATA(c), sizeof ts);
            printf(" timespec %s", labs(ts.tv_sec - time(NULL)) < 20 && ts.tv_nsec < 1000000000 ? "now" : "WRONG");
        } else if (c->cmsg_level == SOL_SOCKET && (c->cmsg_type == 63 || c->cmsg_type == 64)) {
            long long t[2];
            memcpy(t, CMSG_DATA(c), sizeof t);
            printf(" new time %s", llabs(t[0] - time(NULL)) < 5 ? "now" : "WRONG");
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            printf(" to %s", inet_ntoa(info.ipi_addr));
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) {
            int ttl;
            memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
            printf(" ttl %d", ttl);
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) {
            struct sock_extended_err e;
            memcpy(&e, CMSG_DATA(c), sizeof e);
            printf(" error %u origin %u", e.ee_errno, e.ee_origin);
        } else if (c->cmsg_level == SOL_UDP && c->cmsg_type == 104) {
            int size;
            memcpy(&size, CMSG_DATA(c), sizeof size);
            printf(" gro %d", size);
        }
        puts("");
    }
}

static void unix_sockets(void) {
    int s[2], one = 1;
    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, s);
    int fds[3] = {0, 1, 2};
    puts("three descriptors");
    send_fds(s[0], fds, 3, 0);
    receive(s[1], 100, 0);
    puts("close on exec");
    send_fds(s[0], fds, 1, 0);
    receive(s[1], 100, MSG_CMSG_CLOEXEC);
    int before = open_fds();
    puts("room for two and a half");
    send_fds(s[0], fds, 3, 0);
    receive(s[1], CMSG_LEN(10), 0);
    puts("room for none");
    send_fds(s[0], fds, 3, 0);
    receive(s[1], 0, 0);
    send_fds(s[0], fds, 3, 0);
    receive(s[1], CMSG_LEN(0) - 1, 0);
    check("no descriptor is left over", open_fds() == before);
    puts("credentials");
    setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one);
    send_fds(s[0], fds, 2, 1);
    receive(s[1], 100, 0);
    send_fds(s[0], NULL, 0, 0);
    receive(s[1], CMSG_LEN(4), 0);
    puts("bad control data");
    struct cmsghdr bad = {.cmsg_len = 4, .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    struct msghdr m = {.msg_control = &bad, .msg_controllen = sizeof bad};
    check("short cmsg_len", sendmsg(s[0], &m, 0) == -1 && errno == EINVAL);
    bad.cmsg_len = 4000;
    check("long cmsg_len", sendmsg(s[0], &m, 0) == -1 && errno == EINVAL);
    m.msg_controllen = 0x7fffffff;
    check("huge msg_controllen", sendmsg(s[0], &m, 0) == -1 && errno == ENOBUFS);
    m = (struct msghdr){.msg_iovlen = 1025};
    check("too many buffers", sendmsg(s[0], &m, 0) == -1 && errno == EMSGSIZE);
    check("bad msghdr", syscall(SYS_sendmsg, s[0], (void *)16, 0) == -1 && errno == EFAULT);
    check("bad msghdr to fill", syscall(SYS_recvmsg, s[0], (void *)16, 0) == -1 && errno == EFAULT);
    close(s[0]);
    close(s[1]);

    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    struct ucred u;
    socklen_t len = sizeof u;
    check("SO_PEERCRED", getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &u, &len) == 0 && u.pid == getpid() && len == 12);
    struct sockaddr_un un;
    len = sizeof un;
    getsockname(s[0], (void *)&un, &len);
    check("unnamed", len == 2 && un.sun_family == AF_UNIX);
    close(s[0]);
    close(s[1]);

    int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
    memset(&un, 0, sizeof un);
    un.sun_family = AF_UNIX;
    snprintf(un.sun_path + 1, 50, "forearm-%d", getpid());
    len = 3 + strlen(un.sun_path + 1);
    check("abstract name", bind(l, (void *)&un, len) == 0 && listen(l, 1) == 0 && connect(c, (void *)&un, len) == 0);
    struct sockaddr_un peer;
    socklen_t peer_len = sizeof peer;
    int a = accept4(l, (void *)&peer, &peer_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    check("accept4 flags", fcntl(a, F_GETFL) & O_NONBLOCK && fcntl(a, F_GETFD) & FD_CLOEXEC);
    char byte;
    check("nothing to read", recv(a, &byte, 1, 0) == -1 && errno == EAGAIN);
    close(a), close(l), close(c);
}

static int udp(struct sockaddr_in *addr) {
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    *addr = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof *addr;
    bind(s, (void *)addr, len);
    getsockname(s, (void *)addr, &len);
    return s;
}

static void datagrams(void) {
    struct sockaddr_in to, from;
    int one = 1, r = udp(&to), s = udp(&from);
    for (int option = 0; option < 4; option++) {
        static const int options[] = {29, 35, 63, 64};
        setsockopt(r, SOL_SOCKET, options[option], &one, sizeof one);
        printf("time stamp %d\n", options[option]);
        sendto(s, "x", 1, 0, (void *)&to, sizeof to);
        receive(r, 200, 0);
        int zero = 0;
        setsockopt(r, SOL_SOCKET, options[option], &zero, sizeof zero);
    }
    puts("packet information");
    setsockopt(r, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
    setsockopt(r, IPPROTO_IP, IP_RECVTTL, &one, sizeof one);
    sendto(s, "x", 1, 0, (void *)&to, sizeof to);
    receive(r, 200, 0);
    puts("packet information, cut");
    sendto(s, "x", 1, 0, (void *)&to, sizeof to);
    receive(r, CMSG_LEN(6), 0);

    puts("error queue");
    setsockopt(s, IPPROTO_IP, IP_RECVERR, &one, sizeof one);
    close(r);
    sendto(s, "y", 1, 0, (void *)&to, sizeof to);
    receive(s, 200, MSG_ERRQUEUE);
    close(s);

    puts("many at once");
    r = udp(&to), s = udp(&from);
    connect(s, (void *)&to, sizeof to);
    struct iovec out[3] = {{"a", 1}, {"bb", 2}, {"ccc", 3}};
    struct mmsghdr m[4] = {{{.msg_iov = &out[0], .msg_iovlen = 1}}, {{.msg_iov = &out[1], .msg_iovlen = 1}},
                           {{.msg_iov = &out[2], .msg_iovlen = 1}}};
    int sent = sendmmsg(s, m, 3, 0);
    printf("  sent %d: %u %u %u\n", sent, m[0].msg_len, m[1].msg_len, m[2].msg_len);
    char data[4][8] = {0};
    struct iovec in[4];
    struct sockaddr_in names[4];
    for (int i = 0; i < 4; i++) {
        in[i] = (struct iovec){data[i], 8};
        m[i] = (struct mmsghdr){{.msg_iov = &in[i], .msg_iovlen = 1, .msg_name = &names[i], .msg_namelen = 16}, 0};
    }
    struct timespec timeout = {10, 0};
    int got = recvmmsg(r, m, 4, MSG_WAITFORONE, &timeout);
    printf("  got %d: %s %s %s, %u %u %u\n", got, data[0], data[1], data[2], m[0].msg_len, m[1].msg_len, m[2].msg_len);
    check("  senders", names[2].sin_port == from.sin_port && m[2].msg_hdr.msg_namelen == 16);
    check("  time left", timeout.tv_sec >= 1 && timeout.tv_sec < 10);

    puts("segments");
    int size = 3;
    if (setsockopt(r, SOL_UDP, 104, &one, sizeof one) == 0 && setsockopt(s, SOL_UDP, 103, &size, sizeof size) == 0) {
        send(s, "abcdefgh", 8, 0);
        receive(r, 100, 0);
    }

    struct timeval wait = {0, 20000}, back = {9, 9};
    socklen_t len = sizeof back;
    check("SO_RCVTIMEO", setsockopt(r, SOL_SOCKET, 20, &wait, sizeof wait) == 0 &&
                             getsockopt(r, SOL_SOCKET, 20, &back, &len) == 0 && len == 8 && back.tv_sec == 0 &&
                             back.tv_usec >= 20000 && back.tv_usec < 40000);
    long long wait64[2] = {0, 20000}, back64[2] = {9, 9};
    len = sizeof back64;
    check("SO_RCVTIMEO_NEW", setsockopt(r, SOL_SOCKET, 66, wait64, sizeof wait64) == 0 &&
                                 getsockopt(r, SOL_SOCKET, 66, back64, &len) == 0 && len == 16 && back64[0] == 0 &&
                                 back64[1] >= 20000);
    char big[8192];
    while (recv(r, big, sizeof big, MSG_DONTWAIT) >= 0) {}
    check("it runs out", recv(r, big, sizeof big, 0) == -1 && errno == EAGAIN);
    check("short timeval", setsockopt(r, SOL_SOCKET, 20, &wait, 4) == -1 && errno == EINVAL);

    struct sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {1, &refuse};
    check("SO_ATTACH_FILTER", setsockopt(r, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0);
    send(s, "lost", 4, 0);
    check("everything is filtered", recv(r, big, sizeof big, MSG_DONTWAIT) == -1 && errno == EAGAIN);

    struct group_req join = {0};
    struct sockaddr_in *group = (void *)&join.gr_group;
    group->sin_family = AF_INET;
    group->sin_addr.s_addr = inet_addr("224.1.2.3");
    join.gr_interface = if_nametoindex("lo");
    check("MCAST_JOIN_GROUP", setsockopt(r, IPPROTO_IP, MCAST_JOIN_GROUP, &join, sizeof join) == 0);
    check("twice", setsockopt(r, IPPROTO_IP, MCAST_JOIN_GROUP, &join, sizeof join) == -1 && errno == EADDRINUSE);
    check("MCAST_LEAVE_GROUP", setsockopt(r, IPPROTO_IP, MCAST_LEAVE_GROUP, &join, sizeof join) == 0);
    close(r), close(s);
}

static void stream(void) {
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof addr;
    int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind(l, (void *)&addr, len);
    listen(l, 5);
    getsockname(l, (void *)&addr, &len);
    if (fork() == 0) {
        int c = socket(AF_INET, SOCK_STREAM, 0);
        connect(c, (void *)&addr, len);
        static char data[100000];
        memset(data, 'z', sizeof data);
        for (size_t at = 0; at < sizeof data;)
            at += send(c, data + at, sizeof data - at, MSG_NOSIGNAL);
        shutdown(c, SHUT_WR);
        char answer[10] = {0};
        _exit(recv(c, answer, 10, MSG_WAITALL) == 4 && strcmp(answer, "done") == 0 ? 7 : 8);
    }
    struct sockaddr_in peer;
    len = sizeof peer;
    int a = accept(l, (void *)&peer, &len);
    check("peer's address", len == 16 && peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    size_t total = 0;
    char buf[3000];
    for (int n; (n = recv(a, buf, sizeof buf, 0)) > 0;)
        total += n;
    printf("received %u\n", (unsigned)total);
    send(a, "done", 4, 0);
    close(a);
    int status;
    wait(&status);
    printf("child %d\n", WEXITSTATUS(status));
    len = 2;
    int value = 0;
    check("cut option", getsockopt(l, SOL_SOCKET, SO_TYPE, &value, &len) == 0 && len == 2 && value == SOCK_STREAM);
    close(l);
}

static void netlink(void) {
    int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    struct {
        struct nlmsghdr hdr;
        struct ifinfomsg info;
    } request = {{sizeof request, RTM_GETLINK, NLM_F_REQUEST, 1, 0}, {.ifi_family = AF_UNSPEC, .ifi_index = 1}};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    sendto(s, &request, sizeof request, 0, (void *)&kernel, sizeof kernel);
    char reply[8192];
    struct iovec iov = {reply, sizeof reply};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_name = &kernel, .msg_namelen = sizeof kernel};
    int n = recvmsg(s, &m, 0);
    struct nlmsghdr *h = (void *)reply;
    check("RTM_GETLINK", n > 0 && h->nlmsg_type == RTM_NEWLINK && m.msg_namelen == sizeof kernel);
    struct rtattr *attr = IFLA_RTA(NLMSG_DATA(h));
    for (int left = IFLA_PAYLOAD(h); RTA_OK(attr, left); attr = RTA_NEXT(attr, left))
        if (attr->rta_type == IFLA_IFNAME)
            printf("interface %s\n", (char *)RTA_DATA(attr));
    close(s);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    unix_sockets();
    datagrams();
    stream();
    netlink();
    return 0;
}
