/* Every way to receive by io_uring. */
#include <string.h>
#include <sys/socket.h>

#include "../mover/vectors.h"
#include "linked.h"
#include "ring.h"
#include "shots.h"

typedef void prepare(struct io_uring_sqe *, int socket, char *at, size_t most, size_t vector);

static struct iovec vectors[MOST_VECTORS];
static struct msghdr message = {.msg_iov = vectors};

static void prepare_recv(struct io_uring_sqe *sqe, int socket, char *at, size_t most, size_t each) {
    (void)each;
    io_uring_prep_recv(sqe, socket, at, most, 0);
}

static void prepare_waitall(struct io_uring_sqe *sqe, int socket, char *at, size_t most,
                            size_t each) {
    (void)each;
    io_uring_prep_recv(sqe, socket, at, most, MSG_WAITALL);
}

static void prepare_read(struct io_uring_sqe *sqe, int socket, char *at, size_t most, size_t each) {
    (void)each;
    io_uring_prep_read(sqe, socket, at, most, 0);
}

static void prepare_fixed(struct io_uring_sqe *sqe, int socket, char *at, size_t most,
                          size_t each) {
    (void)at, (void)each;
    io_uring_prep_read_fixed(sqe, socket, fixed_buffer, limit(most, FIXED_SIZE), 0, 0);
}

static void prepare_readv(struct io_uring_sqe *sqe, int socket, char *at, size_t most,
                          size_t each) {
    io_uring_prep_readv(sqe, socket, vectors, scatter(vectors, MOST_VECTORS, at, most, each), 0);
}

static void prepare_recvmsg(struct io_uring_sqe *sqe, int socket, char *at, size_t most,
                            size_t each) {
    message.msg_iovlen = scatter(vectors, MOST_VECTORS, at, most, each);
    io_uring_prep_recvmsg(sqe, socket, &message, 0);
}

/* Into a buffer that the kernel chooses. */
static void prepare_chosen(struct io_uring_sqe *sqe, int socket, char *at, size_t most,
                           size_t each) {
    (void)at, (void)each;
    io_uring_prep_recv(sqe, socket, NULL, limit(most, BUFFER_SIZE), 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
}

static void take(const struct side *side, char *bytes, size_t length, prepare how, enum manner in) {
    struct io_uring *ring = ring_for(side->in, in);
    bool chosen = how == prepare_chosen;
    if (chosen)
        provide(ring);
    for (size_t done = 0; done < length;) {
        struct io_uring_sqe *sqe = entry(ring);
        how(sqe, side->in, bytes + done, limit(length - done, side->take_most), side->take_vector);
        in_manner(sqe, in);
        struct io_uring_cqe cqe = next(ring);
        if (cqe.res <= 0) {
            fprintf(stderr, "the stream ended early\n");
            exit(1);
        }
        if (chosen || how == prepare_fixed)
            memcpy(bytes + done, chosen ? provided(&cqe) : fixed_buffer, cqe.res);
        if (chosen)
            give_back(&cqe);
        done += cqe.res;
    }
}

#define TAKE(NAME, HOW, IN)                                                                        \
    static void take_##NAME(const struct side *side, char *bytes, size_t length) {                 \
        take(side, bytes, length, prepare_##HOW, IN);                                              \
    }

TAKE(recv, recv, PLAIN)
TAKE(waitall, waitall, PLAIN)
TAKE(read, read, PLAIN)
TAKE(readv, readv, PLAIN)
TAKE(recvmsg, recvmsg, PLAIN)
TAKE(chosen, chosen, PLAIN)
TAKE(fixed, fixed, FIXED_BUFFER)
TAKE(file, recv, FIXED_FILE)
TAKE(async, recv, ASYNC)
TAKE(async_recvmsg, recvmsg, ASYNC)
TAKE(polled, recv, POLLED)
TAKE(polled_recvmsg, recvmsg, POLLED)

const struct call TAKES[] = {
    {"recv", take_recv, false, false},
    {"waitall", take_waitall, false, false},
    {"read", take_read, false, false},
    {"readv", take_readv, false, false},
    {"recvmsg", take_recvmsg, false, false},
    {"chosen", take_chosen, false, false},
    {"fixed", take_fixed, false, false},
    {"file", take_file, false, false},
    {"async", take_async, false, false},
    {"async_recvmsg", take_async_recvmsg, false, false},
    {"polled", take_polled, false, false},
    {"polled_recvmsg", take_polled_recvmsg, false, false},
    {"linked", take_linked, false, false},
    {"multishot", take_multishot, false, false},
    {"message_multishot", take_message_multishot, false, false},
    {0},
};
