// System V shared memory, semaphores and message queues, POSIX message queues.
// oracle: none (its message queues of POSIX cannot notify)
// ldflags: -lrt -pthread
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void check(const char *what, int ok) { printf("%s: %s\n", what, ok ? "ok" : "WRONG"); }

static void shared_memory(void) {
    int id = shmget(IPC_PRIVATE, 20000, IPC_CREAT | 0640);
    struct shmid_ds ds;
    check("shmctl", shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_segsz == 20000 && (ds.shm_perm.mode & 0777) == 0640 &&
                        ds.shm_perm.uid == geteuid() && ds.shm_cpid == getpid() && ds.shm_nattch == 0 &&
                        labs(ds.shm_ctime - time(NULL)) < 5);
    char *a = shmat(id, NULL, 0), *b = shmat(id, NULL, SHM_RDONLY);
    check("two places, aligned for ARM caches", a != b && (uintptr_t)a % 16384 == 0 && (uintptr_t)b % 16384 == 0);
    strcpy(a + 19000, "shared");
    check("the same memory", strcmp(b + 19000, "shared") == 0);
    if (fork() == 0) {
        strcpy(a, "from the child");
        _exit(0);
    }
    wait(NULL);
    check("the child's store", strcmp(b, "from the child") == 0);
    shmctl(id, IPC_STAT, &ds);
    check("attachments", ds.shm_nattch == 2);
    check("shmat of an odd address", shmat(id, a + 4096, 0) == (void *)-1 && errno == EINVAL);
    check("shmdt", shmdt(b) == 0 && shmdt(b) == -1 && errno == EINVAL);
    check("back at the same address", shmat(id, b + 100, SHM_RND) == b);
    ds.shm_perm.mode = 0600;
    check("IPC_SET", shmctl(id, IPC_SET, &ds) == 0 && shmctl(id, IPC_STAT, &ds) == 0 &&
                         (ds.shm_perm.mode & 0777) == 0600);
    struct shminfo info;
    check("IPC_INFO", shmctl(0, IPC_INFO, (void *)&info) >= 0 && info.shmmni > 0 && (long)info.shmmax > 0);
    check("IPC_RMID", shmctl(id, IPC_RMID, NULL) == 0);
    shmdt(a), shmdt(b);
    check("gone", shmat(id, NULL, 0) == (void *)-1 && (errno == EINVAL || errno == EIDRM));
}

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
    struct seminfo *info;
};

static void semaphores(void) {
    int id = semget(IPC_PRIVATE, 3, IPC_CREAT | 0600);
    struct semid_ds ds;
    check("semctl", semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}) == 0 && ds.sem_nsems == 3 && ds.sem_otime == 0);
    unsigned short values[3] = {1, 2, 3}, back[3] = {0};
    semctl(id, 0, SETALL, (union semun){.array = values});
    semctl(id, 2, SETVAL, (union semun){.val = 7});
    semctl(id, 0, GETALL, (union semun){.array = back});
    printf("values %d %d %d\n", back[0], back[1], back[2]);
    struct sembuf take = {0, -2, 0}, try = {0, -2, IPC_NOWAIT}, give = {0, 1, 0};
    check("IPC_NOWAIT", semop(id, &try, 1) == -1 && errno == EAGAIN);
    struct timespec ms = {0, 20 * 1000000};
    check("semtimedop", semtimedop(id, &take, 1, &ms) == -1 && errno == EAGAIN);
    long long ms64[2] = {0, 20 * 1000000};
    check("semtimedop_time64", syscall(420, id, &take, 1, ms64) == -1 && errno == EAGAIN);
    if (fork() == 0) {
        usleep(20000);
        semop(id, &give, 1);
        _exit(0);
    }
    check("semop waits", semop(id, &take, 1) == 0 && semctl(id, 0, GETVAL) == 0);
    wait(NULL);
    check("GETPID", semctl(id, 0, GETPID) == getpid());
    struct seminfo info;
    check("SEM_INFO", semctl(0, 0, SEM_INFO, (union semun){.info = &info}) >= 0 && info.semusz > 0);
    check("bad array", semctl(id, 0, SETALL, (union semun){.array = (void *)8}) == -1 && errno == EFAULT);
    check("IPC_RMID", semctl(id, 0, IPC_RMID) == 0 && semop(id, &give, 1) == -1 && (errno == EINVAL || errno == EIDRM));
}

static void messages(void) {
    struct {
        long type;
        char text[100];
    } m = {5, "five"};
    int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    check("msgsnd", msgsnd(id, &m, 5, 0) == 0);
    m.type = 3, strcpy(m.text, "three");
    msgsnd(id, &m, 6, 0);
    struct msqid_ds ds;
    check("msgctl", msgctl(id, IPC_STAT, &ds) == 0 && ds.msg_qnum == 2 && ds.__msg_cbytes == 11 &&
                        ds.msg_lspid == getpid() && ds.msg_qbytes > 0);
    memset(&m, 0, sizeof m);
    int n = msgrcv(id, &m, 100, -4, 0);
    printf("%d type %ld %s\n", n, m.type, m.text);
    check("too long", msgrcv(id, &m, 2, 0, 0) == -1 && errno == E2BIG);
    n = msgrcv(id, &m, 2, 0, MSG_NOERROR);
    printf("%d type %ld %.2s\n", n, m.type, m.text);
    check("empty", msgrcv(id, &m, 100, 0, IPC_NOWAIT) == -1 && errno == ENOMSG);
    m.type = -1;
    check("negative type", msgsnd(id, &m, 1, 0) == -1 && errno == EINVAL);
    check("bad message", msgsnd(id, (void *)8, 1, 0) == -1 && errno == EFAULT);
    if (fork() == 0) {
        usleep(10000);
        m.type = 9;
        msgsnd(id, &m, 0, 0);
        _exit(0);
    }
    check("msgrcv waits", msgrcv(id, &m, 100, 9, 0) == 0 && m.type == 9);
    wait(NULL);
    check("IPC_RMID", msgctl(id, IPC_RMID, NULL) == 0);
}

static volatile int notified, value;

static void on_signal(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    notified = info->si_code == SI_MESGQ;
    value = info->si_value.sival_int;
}

static volatile int thread_value;

static void on_thread(union sigval v) { thread_value = v.sival_int; }

static void posix_queue(void) {
    char name[32];
    snprintf(name, sizeof name, "/forearm-%d", getpid());
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 64}, back;
    mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &attr);
    check("mq_open", q >= 0 && mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr) == -1 && errno == EEXIST);
    mq_send(q, "low", 3, 1);
    mq_send(q, "high", 4, 9);
    mq_getattr(q, &back);
    printf("attr %ld %ld %ld %d\n", back.mq_maxmsg, back.mq_msgsize, back.mq_curmsgs, back.mq_flags == O_NONBLOCK);
    char buf[64] = {0};
    unsigned priority;
    int n = mq_receive(q, buf, sizeof buf, &priority);
    printf("%d %s %u\n", n, buf, priority);
    check("short buffer", mq_receive(q, buf, 10, NULL) == -1 && errno == EMSGSIZE);
    mq_receive(q, buf, sizeof buf, NULL);
    check("empty", mq_receive(q, buf, sizeof buf, NULL) == -1 && errno == EAGAIN);

    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &action, NULL);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 0x12345678};
    check("mq_notify", mq_notify(q, &event) == 0 && mq_notify(q, &event) == -1 && errno == EBUSY);
    mq_send(q, "x", 1, 0);
    for (int i = 0; i < 10000 && !notified; i++)
        usleep(1000);
    check("signal", notified && value == 0x12345678);
    mq_receive(q, buf, sizeof buf, NULL);

    struct sigevent thread = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_thread, .sigev_value.sival_int = 42};
    check("mq_notify by thread", mq_notify(q, &thread) == 0);
    mq_send(q, "x", 1, 0);
    for (int i = 0; i < 10000 && !thread_value; i++)
        usleep(1000);
    check("thread", thread_value == 42);
    mq_receive(q, buf, sizeof buf, NULL);

    attr.mq_flags = 0;
    check("mq_setattr", mq_setattr(q, &attr, &back) == 0 && back.mq_flags == O_NONBLOCK);
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20 * 1000000;
    if (soon.tv_nsec >= 1000000000)
        soon.tv_sec++, soon.tv_nsec -= 1000000000;
    check("mq_timedreceive", mq_timedreceive(q, buf, sizeof buf, NULL, &soon) == -1 && errno == ETIMEDOUT);
    long long past[2] = {1, 0};
    check("mq_timedreceive_time64", syscall(419, q, buf, sizeof buf, NULL, past) == -1 && errno == ETIMEDOUT);
    check("mq_unlink", mq_unlink(name) == 0 && mq_unlink(name) == -1 && errno == ENOENT);
    mq_close(q);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    shared_memory();
    semaphores();
    messages();
    posix_queue();
    return 0;
}
