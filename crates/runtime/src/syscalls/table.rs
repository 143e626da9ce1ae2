//! The ARM EABI table: a line a number. Families keep their lines together so that each is read beside its file.

// Memory, processes, signals.
use super::{Kind, Syscall, enosys};
use super::{arm, exec, memory, prctl, process, signal};
// Network, IPC, time, scheduling, identity.
use super::other_process::refused;
use super::{credentials, futex, ipc, other_process, resource, sched, socket, time};
// Files.
use super::{
    aio, eventpoll, fcntl, ioctl, mount, namei, notify, open, read_write, readdir, select, stat, sync,
    utimes, xattr,
};

macro_rules! syscalls {
    ($($number:literal $name:ident($($arg:ident),*) => $run:path;)*) => {
        &[$(Syscall { number: $number, name: stringify!($name), args: &[$(Kind::$arg),*], run: $run }),*]
    };
}

/// Every system call, by number.
pub static TABLE: &[Syscall] = syscalls! {
    // Resources and the system (resource.rs).
    74 sethostname(Buf, Size) => resource::sethostname;
    75 setrlimit(Resource, Rlimit32) => resource::setrlimit;
    77 getrusage(Int, Ptr) => resource::getrusage;
    88 reboot(Hex, Hex, Hex, Ptr) => resource::reboot;
    103 syslog(Int, Ptr, Size) => resource::syslog;
    116 sysinfo(Ptr) => resource::sysinfo;
    121 setdomainname(Buf, Size) => resource::setdomainname;
    122 uname(Ptr) => resource::uname;
    136 personality(Hex) => resource::personality;
    191 ugetrlimit(Resource, OutRlimit32) => resource::getrlimit;
    369 prlimit64(Int, Resource, Rlimit64, OutRlimit64) => resource::prlimit64;
    384 getrandom(Ptr, Size, Hex) => resource::getrandom;

    // Clocks and timers (time.rs).
    43 times(Ptr) => time::times;
    78 gettimeofday(Ptr, Ptr) => time::gettimeofday;
    79 settimeofday(Ptr, Ptr) => time::settimeofday;
    104 setitimer(Int, Ptr, Ptr) => time::setitimer;
    105 getitimer(Int, Ptr) => time::getitimer;
    124 adjtimex(Ptr) => time::adjtimex;
    162 nanosleep(Timespec32, OutTimespec32) => time::nanosleep;
    257 timer_create(Clock, Ptr, Ptr) => time::timer_create;
    258 timer_settime(Int, Hex, Ptr, Ptr) => time::timer_settime32;
    259 timer_gettime(Int, Ptr) => time::timer_gettime32;
    260 timer_getoverrun(Int) => time::timer_getoverrun;
    261 timer_delete(Int) => time::timer_delete;
    262 clock_settime(Clock, Timespec32) => time::clock_settime32;
    263 clock_gettime(Clock, OutTimespec32) => time::clock_gettime32;
    264 clock_getres(Clock, OutTimespec32) => time::clock_getres32;
    265 clock_nanosleep(Clock, Hex, Timespec32, OutTimespec32) => time::clock_nanosleep32;
    350 timerfd_create(Clock, Hex) => time::timerfd_create;
    353 timerfd_settime(Fd, Hex, Ptr, Ptr) => time::timerfd_settime32;
    354 timerfd_gettime(Fd, Ptr) => time::timerfd_gettime32;
    372 clock_adjtime(Clock, Ptr) => time::clock_adjtime32;
    403 clock_gettime64(Clock, OutTimespec64) => time::clock_gettime64;
    404 clock_settime64(Clock, Timespec64) => time::clock_settime64;
    405 clock_adjtime64(Clock, Ptr) => time::clock_adjtime64;
    406 clock_getres_time64(Clock, OutTimespec64) => time::clock_getres64;
    407 clock_nanosleep_time64(Clock, Hex, Timespec64, OutTimespec64) => time::clock_nanosleep64;
    408 timer_gettime64(Int, Ptr) => time::timer_gettime64;
    409 timer_settime64(Int, Hex, Ptr, Ptr) => time::timer_settime64;
    410 timerfd_gettime64(Fd, Ptr) => time::timerfd_gettime64;
    411 timerfd_settime64(Fd, Hex, Ptr, Ptr) => time::timerfd_settime64;

    // Futexes (futex.rs).
    240 futex(Ptr, FutexOp, Int, Ptr, Ptr, Hex) => futex::futex_time32;
    422 futex_time64(Ptr, FutexOp, Int, Ptr, Ptr, Hex) => futex::futex_time64;
    449 futex_waitv(Ptr, Size, Hex, Timespec64, Clock) => futex::futex_waitv;
    454 futex_wake(Ptr, Hex, Int, Hex) => futex::futex_wake;
    455 futex_wait(Ptr, Int, Hex, Hex, Timespec64, Clock) => futex::futex_wait;
    456 futex_requeue(Ptr, Hex, Int, Int) => futex::futex_requeue;

    // Scheduling and NUMA (sched.rs).
    34 nice(Int) => sched::nice;
    96 getpriority(Int, Int) => sched::getpriority;
    97 setpriority(Int, Int, Int) => sched::setpriority;
    154 sched_setparam(Int, Ptr) => sched::sched_setparam;
    155 sched_getparam(Int, Ptr) => sched::sched_getparam;
    156 sched_setscheduler(Int, Int, Ptr) => sched::sched_setscheduler;
    157 sched_getscheduler(Int) => sched::sched_getscheduler;
    158 sched_yield() => sched::sched_yield;
    159 sched_get_priority_max(Int) => sched::sched_get_priority_max;
    160 sched_get_priority_min(Int) => sched::sched_get_priority_min;
    161 sched_rr_get_interval(Int, OutTimespec32) => sched::sched_rr_get_interval32;
    241 sched_setaffinity(Int, Size, Ptr) => sched::sched_setaffinity;
    242 sched_getaffinity(Int, Size, Ptr) => sched::sched_getaffinity;
    314 ioprio_set(Int, Int, Hex) => sched::ioprio_set;
    315 ioprio_get(Int, Int) => sched::ioprio_get;
    319 mbind(Ptr, Size, Int, Ptr, Size, Hex) => sched::mbind;
    320 get_mempolicy(Ptr, Ptr, Size, Ptr, Hex) => sched::get_mempolicy;
    321 set_mempolicy(Int, Ptr, Size) => sched::set_mempolicy;
    344 move_pages(Int, Size, Ptr, Ptr, Ptr, Hex) => sched::move_pages;
    345 getcpu(Ptr, Ptr, Ptr) => sched::getcpu;
    380 sched_setattr(Int, Ptr, Hex) => sched::sched_setattr;
    381 sched_getattr(Int, Ptr, Size, Hex) => sched::sched_getattr;
    389 membarrier(Int, Hex, Int) => sched::membarrier;
    // A critical section is guest code that only a processor can abort; C libraries do without.
    398 rseq(Ptr, Size, Hex, Hex) => enosys;
    400 migrate_pages(Int, Size, Ptr, Ptr) => sched::migrate_pages;
    423 sched_rr_get_interval_time64(Int, OutTimespec64) => sched::sched_rr_get_interval64;
    450 set_mempolicy_home_node(Ptr, Size, Int, Hex) => sched::set_mempolicy_home_node;

    // Sockets (socket.rs).
    281 socket(Family, SockType, Int) => socket::socket;
    282 bind(Fd, Sockaddr, Size) => socket::bind;
    283 connect(Fd, Sockaddr, Size) => socket::connect;
    284 listen(Fd, Int) => socket::listen;
    285 accept(Fd, OutSockaddr, Ptr) => socket::accept;
    286 getsockname(Fd, OutSockaddr, Ptr) => socket::getsockname;
    287 getpeername(Fd, OutSockaddr, Ptr) => socket::getpeername;
    288 socketpair(Family, SockType, Int, Ptr) => socket::socketpair;
    289 send(Fd, Buf, Size, MsgFlags) => socket::send;
    290 sendto(Fd, Buf, Size, MsgFlags, Sockaddr, Size) => socket::sendto;
    291 recv(Fd, OutBuf, Size, MsgFlags) => socket::recv;
    292 recvfrom(Fd, OutBuf, Size, MsgFlags, OutSockaddr, Ptr) => socket::recvfrom;
    293 shutdown(Fd, Int) => socket::shutdown;
    294 setsockopt(Fd, Int, Int, Ptr, Size) => socket::setsockopt;
    295 getsockopt(Fd, Int, Int, Ptr, Ptr) => socket::getsockopt;
    296 sendmsg(Fd, Msghdr, MsgFlags) => socket::sendmsg;
    297 recvmsg(Fd, OutMsghdr, MsgFlags) => socket::recvmsg;
    365 recvmmsg(Fd, Ptr, Size, MsgFlags, Timespec32) => socket::recvmmsg_time32;
    366 accept4(Fd, OutSockaddr, Ptr, SockType) => socket::accept4;
    374 sendmmsg(Fd, Ptr, Size, MsgFlags) => socket::sendmmsg;
    417 recvmmsg_time64(Fd, Ptr, Size, MsgFlags, Timespec64) => socket::recvmmsg_time64;

    // Inter-process communication (ipc.rs).
    274 mq_open(Path, OpenFlags, Mode, Ptr) => ipc::mq_open;
    275 mq_unlink(Path) => ipc::mq_unlink;
    276 mq_timedsend(Fd, Buf, Size, Size, Timespec32) => ipc::mq_timedsend32;
    277 mq_timedreceive(Fd, OutBuf, Size, Ptr, Timespec32) => ipc::mq_timedreceive32;
    278 mq_notify(Fd, Ptr) => ipc::mq_notify;
    279 mq_getsetattr(Fd, Ptr, Ptr) => ipc::mq_getsetattr;
    298 semop(Int, Ptr, Size) => ipc::semop;
    299 semget(Hex, Int, Mode) => ipc::semget;
    300 semctl(Int, Int, Int, Hex) => ipc::semctl;
    301 msgsnd(Int, Ptr, Size, Hex) => ipc::msgsnd;
    302 msgrcv(Int, Ptr, Size, Int, Hex) => ipc::msgrcv;
    303 msgget(Hex, Mode) => ipc::msgget;
    304 msgctl(Int, Int, Ptr) => ipc::msgctl;
    305 shmat(Int, Ptr, Hex) => ipc::shmat;
    306 shmdt(Ptr) => ipc::shmdt;
    307 shmget(Hex, Size, Mode) => ipc::shmget;
    308 shmctl(Int, Int, Ptr) => ipc::shmctl;
    312 semtimedop(Int, Ptr, Size, Timespec32) => ipc::semtimedop32;
    418 mq_timedsend_time64(Fd, Buf, Size, Size, Timespec64) => ipc::mq_timedsend64;
    419 mq_timedreceive_time64(Fd, OutBuf, Size, Ptr, Timespec64) => ipc::mq_timedreceive64;
    420 semtimedop_time64(Int, Ptr, Size, Timespec64) => ipc::semtimedop64;

    // Credentials, capabilities, namespaces, keys (credentials.rs).
    23 setuid(Int) => credentials::setuid16;
    24 getuid() => credentials::getuid16;
    46 setgid(Int) => credentials::setgid16;
    47 getgid() => credentials::getgid16;
    49 geteuid() => credentials::geteuid16;
    50 getegid() => credentials::getegid16;
    70 setreuid(Int, Int) => credentials::setreuid16;
    71 setregid(Int, Int) => credentials::setregid16;
    80 getgroups(Int, Ptr) => credentials::getgroups16;
    81 setgroups(Int, Ptr) => credentials::setgroups16;
    138 setfsuid(Int) => credentials::setfsuid16;
    139 setfsgid(Int) => credentials::setfsgid16;
    164 setresuid(Int, Int, Int) => credentials::setresuid16;
    165 getresuid(Ptr, Ptr, Ptr) => credentials::getresuid16;
    170 setresgid(Int, Int, Int) => credentials::setresgid16;
    171 getresgid(Ptr, Ptr, Ptr) => credentials::getresgid16;
    184 capget(Ptr, Ptr) => credentials::capget;
    185 capset(Ptr, Ptr) => credentials::capset;
    199 getuid32() => credentials::getuid;
    200 getgid32() => credentials::getgid;
    201 geteuid32() => credentials::geteuid;
    202 getegid32() => credentials::getegid;
    203 setreuid32(Int, Int) => credentials::setreuid;
    204 setregid32(Int, Int) => credentials::setregid;
    205 getgroups32(Int, Ptr) => credentials::getgroups;
    206 setgroups32(Int, Ptr) => credentials::setgroups;
    208 setresuid32(Int, Int, Int) => credentials::setresuid;
    209 getresuid32(Ptr, Ptr, Ptr) => credentials::getresuid;
    210 setresgid32(Int, Int, Int) => credentials::setresgid;
    211 getresgid32(Ptr, Ptr, Ptr) => credentials::getresgid;
    213 setuid32(Int) => credentials::setuid;
    214 setgid32(Int) => credentials::setgid;
    215 setfsuid32(Int) => credentials::setfsuid;
    216 setfsgid32(Int) => credentials::setfsgid;
    309 add_key(Path, Path, Ptr, Size, Int) => credentials::add_key;
    310 request_key(Path, Path, Path, Int) => credentials::request_key;
    311 keyctl(Int, Hex, Hex, Hex, Hex) => credentials::keyctl;
    337 unshare(CloneFlags) => credentials::unshare;
    375 setns(Fd, CloneFlags) => credentials::setns;

    // Other processes, and what is refused (other_process.rs).
    // A module for ARM does not fit the host's kernel.
    128 init_module(Ptr, Size, Path) => refused;
    // The modules are the host's.
    129 delete_module(Path, Hex) => refused;
    // Removed from Linux 5.15.
    134 bdflush(Int, Int) => enosys;
    135 sysfs(Int, Hex, Hex) => other_process::sysfs;
    // Removed from Linux 5.5.
    149 _sysctl(Ptr) => enosys;
    // PCI access of ARM boards of old; the host's kernel has no such call.
    271 pciconfig_iobase(Int, Hex, Hex) => enosys;
    // As pciconfig_iobase.
    272 pciconfig_read(Hex, Hex, Hex, Size, Ptr) => enosys;
    // As pciconfig_iobase.
    273 pciconfig_write(Hex, Hex, Hex, Size, Ptr) => enosys;
    // Reserved by the kernel, never implemented.
    313 vserver() => enosys;
    // An ARM kernel cannot follow the host's.
    347 kexec_load(Ptr, Size, Ptr, Hex) => refused;
    // Counters would count the translator's work.
    364 perf_event_open(Ptr, Int, Int, Fd, Hex) => enosys;
    376 process_vm_readv(Int, Ptr, Size, Ptr, Size, Hex) => other_process::process_vm_readv;
    377 process_vm_writev(Int, Ptr, Size, Ptr, Size, Hex) => other_process::process_vm_writev;
    378 kcmp(Int, Int, Int, Hex, Hex) => other_process::kcmp;
    // A module for ARM does not fit the host's kernel.
    379 finit_module(Fd, Path, Hex) => refused;
    // A filter would see the host's system calls; EINVAL, as from a kernel without filters.
    383 seccomp(Int, Hex, Ptr) => other_process::seccomp;
    // Programs and maps belong to the host's kernel and may hold addresses and ARM layouts.
    386 bpf(Int, Ptr, Size) => enosys;
    // An ARM kernel cannot follow the host's.
    401 kexec_file_load(Fd, Fd, Size, Path, Hex) => refused;
    434 pidfd_open(Int, Hex) => other_process::pidfd_open;
    438 pidfd_getfd(Fd, Fd, Hex) => other_process::pidfd_getfd;
    440 process_madvise(Fd, Ptr, Size, Int, Hex) => other_process::process_madvise;
    448 process_mrelease(Fd, Hex) => other_process::process_mrelease;
    459 lsm_get_self_attr(Int, Ptr, Ptr, Hex) => other_process::lsm_get_self_attr;
    460 lsm_set_self_attr(Int, Ptr, Size, Hex) => other_process::lsm_set_self_attr;
    461 lsm_list_modules(Ptr, Ptr, Hex) => other_process::lsm_list_modules;
    470 listns(Ptr, Ptr, Size, Hex) => other_process::listns;

    // Files.
    3 read(Fd, OutBuf, Size) => read_write::read;
    4 write(Fd, Buf, Size) => read_write::write;
    5 open(Path, OpenFlags, Mode) => open::open;
    6 close(Fd) => open::close;
    8 creat(Path, Mode) => open::creat;
    9 link(Path, Path) => namei::link;
    10 unlink(Path) => namei::unlink;
    12 chdir(Path) => open::chdir;
    14 mknod(Path, Mode, Hex) => namei::mknod;
    15 chmod(Path, Mode) => open::chmod;
    16 lchown(Path, Int, Int) => open::lchown16;
    19 lseek(Fd, Int, Whence) => read_write::lseek;
    21 mount(Path, Path, Path, Hex, Ptr) => mount::mount;
    33 access(Path, Access) => open::access;
    36 sync() => sync::sync;
    38 rename(Path, Path) => namei::rename;
    39 mkdir(Path, Mode) => namei::mkdir;
    40 rmdir(Path) => namei::rmdir;
    41 dup(Fd) => fcntl::dup;
    42 pipe(Ptr) => fcntl::pipe;
    51 acct(Path) => mount::acct;
    52 umount2(Path, Hex) => mount::umount2;
    54 ioctl(Fd, IoctlRequest, Hex) => ioctl::ioctl;
    55 fcntl(Fd, FcntlCmd, Hex) => fcntl::fcntl;
    60 umask(Mode) => open::umask;
    61 chroot(Path) => open::chroot;
    62 ustat(Hex, Ptr) => stat::ustat;
    63 dup2(Fd, NewFd) => fcntl::dup2;
    83 symlink(Path, Path) => namei::symlink;
    85 readlink(Path, OutBuf, Size) => stat::readlink;
    // a.out libraries: no ARM EABI kernel has them.
    86 uselib(Path) => enosys;
    87 swapon(Path, Hex) => mount::swapon;
    92 truncate(Path, Int) => open::truncate;
    93 ftruncate(Fd, Int) => open::ftruncate;
    94 fchmod(Fd, Mode) => open::fchmod;
    95 fchown(Fd, Int, Int) => open::fchown16;
    99 statfs(Path, Ptr) => stat::statfs;
    100 fstatfs(Fd, Ptr) => stat::fstatfs;
    106 stat(Path, Ptr) => stat::stat;
    107 lstat(Path, Ptr) => stat::lstat;
    108 fstat(Fd, Ptr) => stat::fstat32;
    111 vhangup() => open::vhangup;
    115 swapoff(Path) => mount::swapoff;
    118 fsync(Fd) => sync::fsync;
    131 quotactl(Hex, Path, Int, Ptr) => mount::quotactl;
    133 fchdir(Fd) => open::fchdir;
    140 _llseek(Fd, Hex, Hex, Ptr, Whence) => read_write::llseek;
    141 getdents(Fd, Ptr, Size) => readdir::getdents;
    142 _newselect(Int, Ptr, Ptr, Ptr, Ptr) => select::newselect;
    143 flock(Fd, Hex) => fcntl::flock;
    145 readv(Fd, Ptr, Size) => read_write::readv;
    146 writev(Fd, Ptr, Size) => read_write::writev;
    148 fdatasync(Fd) => sync::fdatasync;
    168 poll(Ptr, Size, Int) => select::poll;
    // Removed from Linux 3.1.
    169 nfsservctl() => enosys;
    180 pread64(Fd, OutBuf, Size, Pad, I64) => read_write::pread64;
    181 pwrite64(Fd, Buf, Size, Pad, I64) => read_write::pwrite64;
    182 chown(Path, Int, Int) => open::chown16;
    183 getcwd(OutBuf, Size) => namei::getcwd;
    187 sendfile(Fd, Fd, Ptr, Size) => read_write::sendfile;
    193 truncate64(Path, Pad, I64) => open::truncate64;
    194 ftruncate64(Fd, Pad, I64) => open::ftruncate64;
    195 stat64(Path, Ptr) => stat::stat64;
    196 lstat64(Path, Ptr) => stat::lstat64;
    197 fstat64(Fd, Ptr) => stat::fstat64;
    198 lchown32(Path, Int, Int) => open::lchown32;
    207 fchown32(Fd, Int, Int) => open::fchown32;
    212 chown32(Path, Int, Int) => open::chown32;
    217 getdents64(Fd, Ptr, Size) => readdir::getdents64;
    218 pivot_root(Path, Path) => mount::pivot_root;
    221 fcntl64(Fd, FcntlCmd, Hex) => fcntl::fcntl64;
    225 readahead(Fd, Pad, I64, Size) => sync::readahead;
    226 setxattr(Path, Path, Ptr, Size, Hex) => xattr::setxattr;
    227 lsetxattr(Path, Path, Ptr, Size, Hex) => xattr::lsetxattr;
    228 fsetxattr(Fd, Path, Ptr, Size, Hex) => xattr::fsetxattr;
    229 getxattr(Path, Path, OutBuf, Size) => xattr::getxattr;
    230 lgetxattr(Path, Path, OutBuf, Size) => xattr::lgetxattr;
    231 fgetxattr(Fd, Path, OutBuf, Size) => xattr::fgetxattr;
    232 listxattr(Path, OutBuf, Size) => xattr::listxattr;
    233 llistxattr(Path, OutBuf, Size) => xattr::llistxattr;
    234 flistxattr(Fd, OutBuf, Size) => xattr::flistxattr;
    235 removexattr(Path, Path) => xattr::removexattr;
    236 lremovexattr(Path, Path) => xattr::lremovexattr;
    237 fremovexattr(Fd, Path) => xattr::fremovexattr;
    239 sendfile64(Fd, Fd, Ptr, Size) => read_write::sendfile64;
    243 io_setup(Size, Ptr) => aio::io_setup;
    244 io_destroy(Hex) => aio::io_destroy;
    245 io_getevents(Hex, Int, Int, Ptr, Ptr) => aio::io_getevents;
    246 io_submit(Hex, Int, Ptr) => aio::io_submit;
    247 io_cancel(Hex, Ptr, Ptr) => aio::io_cancel;
    // Profiling of the kernel by oprofile; removed from Linux 6.7.
    249 lookup_dcookie(I64, Ptr, Size) => enosys;
    250 epoll_create(Int) => eventpoll::epoll_create;
    251 epoll_ctl(Fd, Int, Fd, Ptr) => eventpoll::epoll_ctl;
    252 epoll_wait(Fd, Ptr, Int, Int) => eventpoll::epoll_wait;
    266 statfs64(Path, Size, Ptr) => stat::statfs64;
    267 fstatfs64(Fd, Size, Ptr) => stat::fstatfs64;
    269 utimes(Path, Ptr) => utimes::utimes;
    270 arm_fadvise64_64(Fd, Int, I64, I64) => sync::arm_fadvise64_64;
    316 inotify_init() => notify::inotify_init;
    317 inotify_add_watch(Fd, Path, Hex) => notify::inotify_add_watch;
    318 inotify_rm_watch(Fd, Int) => notify::inotify_rm_watch;
    322 openat(DirFd, Path, OpenFlags, Mode) => open::openat;
    323 mkdirat(DirFd, Path, Mode) => namei::mkdirat;
    324 mknodat(DirFd, Path, Mode, Hex) => namei::mknodat;
    325 fchownat(DirFd, Path, Int, Int, AtFlags) => open::fchownat;
    326 futimesat(DirFd, Path, Ptr) => utimes::futimesat;
    327 fstatat64(DirFd, Path, Ptr, AtFlags) => stat::fstatat64;
    328 unlinkat(DirFd, Path, AtFlags) => namei::unlinkat;
    329 renameat(DirFd, Path, DirFd, Path) => namei::renameat;
    330 linkat(DirFd, Path, DirFd, Path, AtFlags) => namei::linkat;
    331 symlinkat(Path, DirFd, Path) => namei::symlinkat;
    332 readlinkat(DirFd, Path, OutBuf, Size) => stat::readlinkat;
    333 fchmodat(DirFd, Path, Mode) => open::fchmodat;
    334 faccessat(DirFd, Path, Access) => open::faccessat;
    335 pselect6(Int, Ptr, Ptr, Ptr, Ptr, Ptr) => select::pselect6;
    336 ppoll(Ptr, Size, Ptr, Ptr, Size) => select::ppoll;
    340 splice(Fd, Ptr, Fd, Ptr, Size, Hex) => sync::splice;
    341 arm_sync_file_range(Fd, Hex, I64, I64) => sync::arm_sync_file_range;
    342 tee(Fd, Fd, Size, Hex) => sync::tee;
    343 vmsplice(Fd, Ptr, Size, Hex) => sync::vmsplice;
    346 epoll_pwait(Fd, Ptr, Int, Int, Ptr, Size) => eventpoll::epoll_pwait;
    348 utimensat(DirFd, Path, Ptr, AtFlags) => utimes::utimensat;
    351 eventfd(Size) => fcntl::eventfd;
    352 fallocate(Fd, Hex, I64, I64) => open::fallocate;
    356 eventfd2(Size, Hex) => fcntl::eventfd2;
    357 epoll_create1(Hex) => eventpoll::epoll_create1;
    358 dup3(Fd, NewFd, OpenFlags) => fcntl::dup3;
    359 pipe2(Ptr, OpenFlags) => fcntl::pipe2;
    360 inotify_init1(Hex) => notify::inotify_init1;
    361 preadv(Fd, Ptr, Size, I64) => read_write::preadv;
    362 pwritev(Fd, Ptr, Size, I64) => read_write::pwritev;
    367 fanotify_init(Hex, OpenFlags) => notify::fanotify_init;
    368 fanotify_mark(Fd, Hex, I64, DirFd, Path) => notify::fanotify_mark;
    370 name_to_handle_at(DirFd, Path, Ptr, Ptr, Hex) => namei::name_to_handle_at;
    371 open_by_handle_at(Fd, Ptr, OpenFlags) => namei::open_by_handle_at;
    373 syncfs(Fd) => sync::syncfs;
    382 renameat2(DirFd, Path, DirFd, Path, Hex) => namei::renameat2;
    385 memfd_create(Path, Hex) => fcntl::memfd_create;
    // Faults of the translator's own accesses would wait for the guest.
    388 userfaultfd(Hex) => enosys;
    391 copy_file_range(Fd, Ptr, Fd, Ptr, Size, Hex) => read_write::copy_file_range;
    392 preadv2(Fd, Ptr, Size, I64, Hex) => read_write::preadv2;
    393 pwritev2(Fd, Ptr, Size, I64, Hex) => read_write::pwritev2;
    397 statx(DirFd, Path, AtFlags, Hex, Ptr) => stat::statx;
    399 io_pgetevents(Hex, Int, Int, Ptr, Ptr, Ptr) => aio::io_pgetevents;
    412 utimensat_time64(DirFd, Path, Ptr, AtFlags) => utimes::utimensat_time64;
    413 pselect6_time64(Int, Ptr, Ptr, Ptr, Ptr, Ptr) => select::pselect6_time64;
    414 ppoll_time64(Ptr, Size, Ptr, Ptr, Size) => select::ppoll_time64;
    416 io_pgetevents_time64(Hex, Int, Int, Ptr, Ptr, Ptr) => aio::io_pgetevents_time64;
    // Its rings hold pointers that the kernel reads by itself; programs fall back to epoll.
    425 io_uring_setup(Size, Ptr) => enosys;
    426 io_uring_enter(Fd, Size, Size, Hex, Ptr, Size) => enosys;
    427 io_uring_register(Fd, Int, Ptr, Size) => enosys;
    428 open_tree(DirFd, Path, Hex) => mount::open_tree;
    429 move_mount(DirFd, Path, DirFd, Path, Hex) => mount::move_mount;
    430 fsopen(Path, Hex) => mount::fsopen;
    431 fsconfig(Fd, Int, Path, Ptr, Int) => mount::fsconfig;
    432 fsmount(Fd, Hex, Hex) => mount::fsmount;
    433 fspick(DirFd, Path, Hex) => mount::fspick;
    436 close_range(Size, Size, Hex) => open::close_range;
    437 openat2(DirFd, Path, Ptr, Size) => open::openat2;
    439 faccessat2(DirFd, Path, Access, AtFlags) => open::faccessat2;
    441 epoll_pwait2(Fd, Ptr, Int, Ptr, Ptr, Size) => eventpoll::epoll_pwait2;
    442 mount_setattr(DirFd, Path, Hex, Ptr, Size) => mount::mount_setattr;
    443 quotactl_fd(Fd, Hex, Int, Ptr) => mount::quotactl_fd;
    444 landlock_create_ruleset(Ptr, Size, Hex) => mount::landlock_create_ruleset;
    445 landlock_add_rule(Fd, Int, Ptr, Hex) => mount::landlock_add_rule;
    446 landlock_restrict_self(Fd, Hex) => mount::landlock_restrict_self;
    451 cachestat(Fd, Ptr, Ptr, Hex) => sync::cachestat;
    452 fchmodat2(DirFd, Path, Mode, AtFlags) => open::fchmodat2;
    457 statmount(Ptr, Ptr, Size, Hex) => mount::statmount;
    458 listmount(Ptr, Ptr, Size, Hex) => mount::listmount;
    463 setxattrat(DirFd, Path, Hex, Path, Ptr, Size) => xattr::setxattrat;
    464 getxattrat(DirFd, Path, Hex, Path, Ptr, Size) => xattr::getxattrat;
    465 listxattrat(DirFd, Path, Hex, Ptr, Size) => xattr::listxattrat;
    466 removexattrat(DirFd, Path, Hex, Path) => xattr::removexattrat;
    467 open_tree_attr(DirFd, Path, Hex, Ptr, Size) => mount::open_tree_attr;
    468 file_getattr(DirFd, Path, Ptr, Size, Hex) => xattr::file_getattr;
    469 file_setattr(DirFd, Path, Ptr, Size, Hex) => xattr::file_setattr;

    // Memory.
    45 brk(Ptr) => memory::brk;
    91 munmap(Ptr, Size) => memory::munmap;
    125 mprotect(Ptr, Size, Prot) => memory::mprotect;
    144 msync(Ptr, Size, Int) => memory::msync;
    150 mlock(Ptr, Size) => memory::mlock;
    151 munlock(Ptr, Size) => memory::munlock;
    152 mlockall(Int) => memory::mlockall;
    153 munlockall() => memory::munlockall;
    163 mremap(Ptr, Size, Size, Int, Ptr) => memory::mremap;
    192 mmap2(Ptr, Size, Prot, MapFlags, Fd, Size) => memory::mmap2;
    219 mincore(Ptr, Size, Ptr) => memory::mincore;
    220 madvise(Ptr, Size, Int) => memory::madvise;
    253 remap_file_pages(Ptr, Size, Prot, Size, Int) => memory::remap_file_pages;
    390 mlock2(Ptr, Size, Int) => memory::mlock2;
    // Protection keys: ARM processors have none.
    394 pkey_mprotect(Ptr, Size, Prot, Int) => enosys;
    395 pkey_alloc(Int, Hex) => enosys;
    396 pkey_free(Int) => enosys;
    // Shadow stacks: ARM has none.
    453 map_shadow_stack(Ptr, Size, Int) => enosys;
    // The translator's map would have to be sealed with the guest's.
    462 mseal(Ptr, Size, Hex) => enosys;

    // Processes and threads.
    1 exit(Int) => process::exit;
    2 fork() => process::fork;
    11 execve(Path, Strings, Ptr) => exec::execve;
    20 getpid() => process::getpid;
    // A tracer would see the translator's registers and calls; PTRACE_TRACEME too, as under another tracer.
    26 ptrace(Int, Int, Ptr, Ptr) => refused;
    57 setpgid(Int, Int) => process::setpgid;
    64 getppid() => process::getppid;
    65 getpgrp() => process::getpgrp;
    66 setsid() => process::setsid;
    114 wait4(Int, WaitStatus, Int, Ptr) => process::wait4;
    // CLONE_VM with neither CLONE_THREAD nor CLONE_VFORK is EINVAL, as under QEMU: two processes would share one translator.
    120 clone(CloneFlags, Ptr, Ptr, Ptr, Ptr) => process::clone;
    132 getpgid(Int) => process::getpgid;
    147 getsid(Int) => process::getsid;
    172 prctl(Int, Hex, Hex, Hex, Hex) => prctl::prctl;
    190 vfork() => process::vfork;
    224 gettid() => process::gettid;
    248 exit_group(Int) => process::exit_group;
    256 set_tid_address(Ptr) => process::set_tid_address;
    280 waitid(Int, Int, Ptr, Int, Ptr) => process::waitid;
    338 set_robust_list(Ptr, Size) => process::set_robust_list;
    339 get_robust_list(Int, Ptr, Ptr) => process::get_robust_list;
    387 execveat(DirFd, Path, Strings, Ptr, Int) => exec::execveat;
    // As clone; CLONE_INTO_CGROUP is EINVAL, and so are IDs of choice (set_tid) for a child that shares memory.
    435 clone3(Ptr, Size) => process::clone3;

    // Signals.
    0 restart_syscall() => signal::restart_syscall;
    29 pause() => signal::pause;
    37 kill(Int, Signal) => signal::kill;
    67 sigaction(Signal, Ptr, Ptr) => signal::sigaction;
    72 sigsuspend(Int, Hex, Hex) => signal::sigsuspend;
    73 sigpending(Ptr) => signal::sigpending;
    119 sigreturn() => signal::sigreturn;
    126 sigprocmask(SigHow, Ptr, Ptr) => signal::sigprocmask;
    173 rt_sigreturn() => signal::rt_sigreturn;
    174 rt_sigaction(Signal, Ptr, Ptr, Size) => signal::rt_sigaction;
    175 rt_sigprocmask(SigHow, Ptr, Ptr, Size) => signal::rt_sigprocmask;
    176 rt_sigpending(Ptr, Size) => signal::rt_sigpending;
    177 rt_sigtimedwait(Ptr, Ptr, Ptr, Size) => signal::rt_sigtimedwait_time32;
    178 rt_sigqueueinfo(Int, Signal, Ptr) => signal::rt_sigqueueinfo;
    179 rt_sigsuspend(Ptr, Size) => signal::rt_sigsuspend;
    186 sigaltstack(Ptr, Ptr) => signal::sigaltstack;
    238 tkill(Int, Signal) => signal::tkill;
    268 tgkill(Int, Int, Signal) => signal::tgkill;
    349 signalfd(Fd, Ptr, Size) => signal::signalfd;
    355 signalfd4(Fd, Ptr, Size, Hex) => signal::signalfd4;
    363 rt_tgsigqueueinfo(Int, Int, Signal, Ptr) => signal::rt_tgsigqueueinfo;
    421 rt_sigtimedwait_time64(Ptr, Ptr, Ptr, Size) => signal::rt_sigtimedwait_time64;
    424 pidfd_send_signal(Fd, Signal, Ptr, Int) => signal::pidfd_send_signal;

    // ARM's private calls.
    983041 breakpoint() => arm::breakpoint;
    983042 cacheflush(Ptr, Ptr, Int) => arm::cacheflush;
    983043 usr26() => arm::usr32;
    983044 usr32() => arm::usr32;
    983045 set_tls(Ptr) => arm::set_tls;
    983046 get_tls() => arm::get_tls;
};
