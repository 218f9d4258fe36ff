/* Every way to send. */
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mover.h"
#include "vectors.h"

/* Repeats `CALL`, which sends at most `most` bytes from `bytes` and says how many, to the end. */
#define ALL(CALL)                                                                                  \
    for (size_t done = 0; done < length;) {                                                        \
        char *at = bytes + done;                                                                   \
        size_t most = limit(length - done, side->put_most);                                        \
        (void)at;                                                                                  \
        done += CHECK(CALL);                                                                       \
    }

static void put_send(const struct side *side, char *bytes, size_t length) {
    ALL(send(side->out, at, most, MSG_NOSIGNAL));
}

static void put_write(const struct side *side, char *bytes, size_t length) {
    ALL(write(side->out, at, most));
}

static void put_sendto(const struct side *side, char *bytes, size_t length) {
    ALL(sendto(side->out, at, most, 0, NULL, 0));
}

static void put_writev(const struct side *side, char *bytes, size_t length) {
    struct iovec *vectors = calloc(MOST_VECTORS, sizeof *vectors);
    ALL(writev(side->out, vectors, scatter(vectors, MOST_VECTORS, at, most, side->put_vector)));
    free(vectors);
}

static void put_pwritev2(const struct side *side, char *bytes, size_t length) {
    struct iovec *vectors = calloc(MOST_VECTORS, sizeof *vectors);
    ALL(pwritev2(side->out, vectors, scatter(vectors, MOST_VECTORS, at, most, side->put_vector), -1,
                 0));
    free(vectors);
}

static ssize_t send_message(const struct side *side, char *at, size_t most, int flags) {
    struct iovec *vectors = calloc(MOST_VECTORS, sizeof *vectors);
    struct msghdr message = {.msg_iov = vectors};
    message.msg_iovlen = scatter(vectors, MOST_VECTORS, at, most, side->put_vector);
    ssize_t sent = sendmsg(side->out, &message, flags);
    free(vectors);
    return sent;
}

static void put_sendmsg(const struct side *side, char *bytes, size_t length) {
    ALL(send_message(side, at, most, 0));
}

/* Up to eight messages a call, the same array every time. */
static void put_sendmmsg(const struct side *side, char *bytes, size_t length) {
    enum { MESSAGES = 8, EACH = 64 };
    static struct mmsghdr messages[MESSAGES];
    static struct iovec vectors[MESSAGES][EACH];
    for (size_t done = 0; done < length;) {
        unsigned count = 0;
        for (size_t next = done; next < length && count < MESSAGES; count++) {
            size_t most = limit(length - next, side->put_most);
            struct msghdr *message = &messages[count].msg_hdr;
            message->msg_iov = vectors[count];
            message->msg_iovlen = scatter(vectors[count], EACH, bytes + next, most, side->put_vector);
            next += vectors_length(vectors[count], message->msg_iovlen);
        }
        int sent = CHECK(sendmmsg(side->out, messages, count, 0));
        /* A message that was sent in part ends the call. */
        for (int i = 0; i < sent; i++)
            done += messages[i].msg_len;
    }
}

static void put_more(const struct side *side, char *bytes, size_t length) {
    ALL(send(side->out, at, most, done + most < length ? MSG_MORE : 0));
}

/* The peer takes one operation after the other. */
static void put_zerocopy(const struct side *side, char *bytes, size_t length) {
    int on = 1;
    CHECK(setsockopt(side->out, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on));
    unsigned sent = 0, completed = 0;
    ALL((sent++, send(side->out, at, most, MSG_ZEROCOPY)));
    while (completed < sent) {
        char control[256];
        struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
        struct pollfd ready = {.fd = side->out};
        CHECK(poll(&ready, 1, 10000));
        CHECK(recvmsg(side->out, &message, MSG_ERRQUEUE));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        const struct sock_extended_err *range = (void *)CMSG_DATA(header);
        completed += range->ee_data - range->ee_info + 1;
    }
}

/* What does not fit is tried again; a small buffer makes that happen. */
static void put_nonblocking(const struct side *side, char *bytes, size_t length) {
    int small = 4096;
    CHECK(setsockopt(side->out, SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
    for (size_t done = 0; done < length;) {
        size_t most = limit(length - done, side->put_most);
        ssize_t sent = send(side->out, bytes + done, most, MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd ready = {.fd = side->out, .events = POLLOUT};
            CHECK(poll(&ready, 1, 10000));
            continue;
        }
        done += CHECK(sent);
    }
}

static void put_sendfile(const struct side *side, char *bytes, size_t length) {
    int file = CHECK(memfd_create("body", 0));
    CHECK(write(file, bytes, length));
    CHECK(lseek(file, 0, SEEK_SET));
    ALL(sendfile(side->out, file, NULL, most));
    close(file);
}

static void through_pipe(const struct side *side, char *bytes, size_t length, bool doubled) {
    int one[2], two[2];
    CHECK(pipe(one));
    CHECK(pipe(two));
    for (size_t done = 0; done < length;) {
        size_t filled = CHECK(write(one[1], bytes + done, limit(length - done, 32768)));
        int from = one[0];
        if (doubled) {
            filled = CHECK(tee(one[0], two[1], filled, 0));
            from = two[0];
        }
        for (size_t left = filled; left;)
            left -= CHECK(splice(from, NULL, side->out, NULL, limit(left, side->put_most), 0));
        static char thrown[32768];
        if (doubled)
            CHECK(read(one[0], thrown, filled));
        done += filled;
    }
    for (int i = 0; i < 2; i++) {
        close(one[i]);
        close(two[i]);
    }
}

static void put_splice(const struct side *side, char *bytes, size_t length) {
    through_pipe(side, bytes, length, false);
}

static void put_tee(const struct side *side, char *bytes, size_t length) {
    through_pipe(side, bytes, length, true);
}

const struct call PUTS[] = {
    {"send", put_send, false, false},
    {"write", put_write, false, false},
    {"sendto", put_sendto, false, false},
    {"writev", put_writev, false, false},
    {"pwritev2", put_pwritev2, false, false},
    {"sendmsg", put_sendmsg, false, false},
    {"sendmmsg", put_sendmmsg, false, false},
    {"more", put_more, false, false},
    {"zerocopy", put_zerocopy, false, false},
    {"nonblocking", put_nonblocking, false, false},
    {"sendfile", put_sendfile, true, false},
    {"splice", put_splice, true, false},
    {"tee", put_tee, true, false},
    {"sendfile_all", put_sendfile, false, false},
    {0},
};
