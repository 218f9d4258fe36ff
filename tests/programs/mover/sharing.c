/* Who has the conversation: which processes and threads share the connection, and how. */
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mover.h"

static const struct conversation *told;

static void all(struct side side) { play(&side, told, 0, told->count); }

static void succeed(pid_t child) {
    int status;
    CHECK(waitpid(child, &status, 0));
    if (status)
        exit(1);
}

/* A child has the conversation while the parent holds the connection. */
static void by_child(struct side side) {
    pid_t child = CHECK(fork());
    if (child == 0) {
        all(side);
        exit(0);
    }
    succeed(child);
}

/* Every other turn is had by a child, each by another one. */
static void in_turn(struct side side) {
    bool mine = true;
    for (size_t from = 0; from < told->count; mine = !mine) {
        size_t to = turn_end(told, from);
        if (mine) {
            play(&side, told, from, to);
        } else {
            pid_t child = CHECK(fork());
            if (child == 0) {
                play(&side, told, from, to);
                exit(0);
            }
            succeed(child);
        }
        from = to;
    }
}

/* Handed to a worker over a unix socket; this process lets go of it. */
static void by_rights(struct side side) {
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    char byte = 'x';
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control = {0};
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    pid_t worker = CHECK(fork());
    if (worker == 0) {
        /* Only what comes in the message is used. */
        close(side.in);
        CHECK(recvmsg(pair[1], &message, 0));
        memcpy(&side.in, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
        side.out = side.in;
        all(side);
        exit(0);
    }
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(header), &side.in, sizeof(int));
    CHECK(sendmsg(pair[0], &message, 0));
    close(side.in);
    succeed(worker);
}

static void by_dup(struct side side) {
    int first = side.in;
    side.in = side.out = CHECK(dup(first));
    close(first);
    all(side);
}

/* Read under one number and written under another. */
static void by_dup2(struct side side) {
    side.out = CHECK(dup2(side.in, 200));
    all(side);
}

static void *in_thread(void *side) {
    all(*(struct side *)side);
    return NULL;
}

/* Not by the thread that opened it. */
static void by_thread(struct side side) {
    pthread_t thread;
    CHECK(-pthread_create(&thread, NULL, in_thread, &side));
    CHECK(-pthread_join(thread, NULL));
}

static void *and_exit(void *side) {
    all(*(struct side *)side);
    exit(0);
}

/* The process goes on without its first thread. */
static void without_leader(struct side side) {
    pthread_t thread;
    CHECK(-pthread_create(&thread, NULL, and_exit, memcpy(malloc(sizeof side), &side, sizeof side)));
    pthread_exit(NULL);
}

void converse(const char *arrangement, struct side side, const struct conversation *conversation) {
    static const struct {
        const char *name;
        void (*how)(struct side);
    } ways[] = {
        {"alone", all},         {"child", by_child},   {"turns", in_turn},
        {"rights", by_rights},  {"dup", by_dup},       {"dup2", by_dup2},
        {"thread", by_thread},  {"leader", without_leader},
    };
    told = conversation;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (!strcmp(ways[i].name, arrangement)) {
            ways[i].how(side);
            return;
        }
    }
    fprintf(stderr, "no arrangement %s\n", arrangement);
    exit(2);
}
