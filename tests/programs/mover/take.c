/* Every way to receive. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mover.h"
#include "vectors.h"

static size_t some(long got) {
    if (got == 0) {
        fprintf(stderr, "the stream ended early\n");
        exit(1);
    }
    return (size_t)got;
}

/* Repeats `CALL`, which receives at most `most` bytes to `at` and says how many, to the end. */
#define ALL(CALL)                                                                                  \
    for (size_t done = 0; done < length;) {                                                        \
        char *at = bytes + done;                                                                   \
        size_t most = limit(length - done, side->take_most);                                       \
        (void)at;                                                                                  \
        done += some(CHECK(CALL));                                                                 \
    }

static void take_recv(const struct side *side, char *bytes, size_t length) {
    ALL(recv(side->in, at, most, 0));
}

static void take_read(const struct side *side, char *bytes, size_t length) {
    ALL(read(side->in, at, most));
}

static void take_recvfrom(const struct side *side, char *bytes, size_t length) {
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    ALL(recvfrom(side->in, at, most, 0, (struct sockaddr *)&from, &size));
}

static void take_readv(const struct side *side, char *bytes, size_t length) {
    struct iovec *vectors = calloc(MOST_VECTORS, sizeof *vectors);
    ALL(readv(side->in, vectors, scatter(vectors, MOST_VECTORS, at, most, side->take_vector)));
    free(vectors);
}

static void take_preadv2(const struct side *side, char *bytes, size_t length) {
    struct iovec *vectors = calloc(MOST_VECTORS, sizeof *vectors);
    ALL(preadv2(side->in, vectors, scatter(vectors, MOST_VECTORS, at, most, side->take_vector), -1,
                0));
    free(vectors);
}

static void take_recvmsg(const struct side *side, char *bytes, size_t length) {
    struct iovec *vectors = calloc(MOST_VECTORS, sizeof *vectors);
    struct msghdr message = {.msg_iov = vectors};
    ALL((message.msg_iovlen = scatter(vectors, MOST_VECTORS, at, most, side->take_vector),
         recvmsg(side->in, &message, 0)));
    free(vectors);
}

/* Up to eight messages a call, the same array every time. With `flags` 0 the call waits until each
 * of them has something, so there are no more than there are bytes to come. */
static void messages(const struct side *side, char *bytes, size_t length, int flags) {
    enum { MESSAGES = 8, EACH = 64 };
    static struct mmsghdr all[MESSAGES];
    static struct iovec vectors[MESSAGES][EACH];
    for (size_t done = 0; done < length;) {
        unsigned count = 0;
        size_t next = done;
        for (; next < length && count < MESSAGES; count++) {
            size_t most = limit(length - next, side->take_most);
            struct msghdr *message = &all[count].msg_hdr;
            message->msg_iov = vectors[count];
            message->msg_iovlen = scatter(vectors[count], EACH, bytes + next, most, side->take_vector);
            next += vectors_length(vectors[count], message->msg_iovlen);
        }
        int got = CHECK(recvmmsg(side->in, all, count, flags, NULL));
        /* Each message that was not filled leaves a hole in the buffer. */
        size_t place = done;
        for (int i = 0; i < got; i++) {
            memmove(bytes + done, bytes + place, all[i].msg_len);
            place += vectors_length(vectors[i], all[i].msg_hdr.msg_iovlen);
            done += some(all[i].msg_len);
        }
    }
}

static void take_recvmmsg(const struct side *side, char *bytes, size_t length) {
    messages(side, bytes, length, 0);
}

/* More messages than there is something for. */
static void take_waitforone(const struct side *side, char *bytes, size_t length) {
    messages(side, bytes, length, MSG_WAITFORONE);
}

static void take_peek(const struct side *side, char *bytes, size_t length) {
    ALL((recv(side->in, at, limit(most, 3), MSG_PEEK), recv(side->in, at, most, MSG_PEEK),
         recv(side->in, at, most, 0)));
}

static void take_waitall(const struct side *side, char *bytes, size_t length) {
    ALL(recv(side->in, at, most, MSG_WAITALL));
}

/* TCP throws the bytes away. */
static void take_trunc(const struct side *side, char *bytes, size_t length) {
    ALL(recv(side->in, at, most, MSG_TRUNC));
}

static void take_nonblocking(const struct side *side, char *bytes, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t got = recv(side->in, bytes + done, limit(length - done, side->take_most),
                           MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) {
            struct pollfd ready = {.fd = side->in, .events = POLLIN};
            CHECK(poll(&ready, 1, 60000));
            continue;
        }
        done += some(CHECK(got));
    }
}

static void to_pipe(const struct side *side, char *bytes, size_t length, bool doubled) {
    int one[2], two[2];
    CHECK(pipe(one));
    CHECK(pipe(two));
    for (size_t done = 0; done < length;) {
        size_t most = limit(limit(length - done, side->take_most), 32768);
        size_t moved = some(CHECK(splice(side->in, NULL, one[1], NULL, most, 0)));
        if (doubled && (size_t)CHECK(tee(one[0], two[1], moved, 0)) != moved)
            exit(1);
        for (size_t got = 0; got < moved;)
            got += CHECK(read(one[0], bytes + done + got, moved - got));
        static char twin[32768];
        for (size_t got = 0; doubled && got < moved;)
            got += CHECK(read(two[0], twin + got, moved - got));
        if (doubled && memcmp(twin, bytes + done, moved))
            exit(1);
        done += moved;
    }
    for (int i = 0; i < 2; i++) {
        close(one[i]);
        close(two[i]);
    }
}

static void take_splice(const struct side *side, char *bytes, size_t length) {
    to_pipe(side, bytes, length, false);
}

static void take_tee(const struct side *side, char *bytes, size_t length) {
    to_pipe(side, bytes, length, true);
}

const struct call TAKES[] = {
    {"recv", take_recv, false, false},
    {"read", take_read, false, false},
    {"recvfrom", take_recvfrom, false, false},
    {"readv", take_readv, false, false},
    {"preadv2", take_preadv2, false, false},
    {"recvmsg", take_recvmsg, false, false},
    {"recvmmsg", take_recvmmsg, false, false},
    {"waitforone", take_waitforone, false, false},
    {"peek", take_peek, false, false},
    {"waitall", take_waitall, false, false},
    {"nonblocking", take_nonblocking, false, false},
    {"trunc", take_trunc, true, true},
    {"splice", take_splice, true, false},
    {"tee", take_tee, true, false},
    {0},
};
