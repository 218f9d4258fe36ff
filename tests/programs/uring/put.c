/* Every way to send by io_uring. */
#include <string.h>
#include <sys/socket.h>

#include "../mover/vectors.h"
#include "linked.h"
#include "ring.h"

/* What an entry does with at most `most` bytes. */
typedef void prepare(struct io_uring_sqe *, int socket, char *at, size_t most, size_t vector);

static struct iovec vectors[MOST_VECTORS];
static struct msghdr message = {.msg_iov = vectors};

static void prepare_send(struct io_uring_sqe *sqe, int socket, char *at, size_t most, size_t each) {
    (void)each;
    io_uring_prep_send(sqe, socket, at, most, MSG_NOSIGNAL);
}

static void prepare_write(struct io_uring_sqe *sqe, int socket, char *at, size_t most,
                          size_t each) {
    (void)each;
    io_uring_prep_write(sqe, socket, at, most, 0);
}

static void prepare_fixed(struct io_uring_sqe *sqe, int socket, char *at, size_t most,
                          size_t each) {
    (void)each;
    most = limit(most, FIXED_SIZE);
    memcpy(fixed_buffer, at, most);
    io_uring_prep_write_fixed(sqe, socket, fixed_buffer, most, 0, 0);
}

static void prepare_writev(struct io_uring_sqe *sqe, int socket, char *at, size_t most,
                           size_t each) {
    io_uring_prep_writev(sqe, socket, vectors, scatter(vectors, MOST_VECTORS, at, most, each), 0);
}

static void prepare_sendmsg(struct io_uring_sqe *sqe, int socket, char *at, size_t most,
                            size_t each) {
    message.msg_iovlen = scatter(vectors, MOST_VECTORS, at, most, each);
    io_uring_prep_sendmsg(sqe, socket, &message, 0);
}

static void prepare_zerocopy(struct io_uring_sqe *sqe, int socket, char *at, size_t most,
                             size_t each) {
    (void)each;
    io_uring_prep_send_zc(sqe, socket, at, most, 0, 0);
}

static void put(const struct side *side, char *bytes, size_t length, prepare how, enum manner in) {
    struct io_uring *ring = ring_for(side->out, in);
    for (size_t done = 0; done < length;) {
        struct io_uring_sqe *sqe = entry(ring);
        how(sqe, side->out, bytes + done, limit(length - done, side->put_most), side->put_vector);
        in_manner(sqe, in);
        struct io_uring_cqe cqe = next(ring);
        if (cqe.res < 0)
            exit(1);
        done += cqe.res;
        /* Of a zero-copy send: the memory is free. */
        while (cqe.flags & IORING_CQE_F_MORE)
            cqe = next(ring);
    }
}

#define PUT(NAME, HOW, IN)                                                                         \
    static void put_##NAME(const struct side *side, char *bytes, size_t length) {                  \
        put(side, bytes, length, prepare_##HOW, IN);                                               \
    }

PUT(send, send, PLAIN)
PUT(write, write, PLAIN)
PUT(writev, writev, PLAIN)
PUT(sendmsg, sendmsg, PLAIN)
PUT(zerocopy, zerocopy, PLAIN)
PUT(fixed, fixed, FIXED_BUFFER)
PUT(file, send, FIXED_FILE)
PUT(async, send, ASYNC)
PUT(async_sendmsg, sendmsg, ASYNC)
PUT(polled, send, POLLED)
PUT(polled_sendmsg, sendmsg, POLLED)

const struct call PUTS[] = {
    {"send", put_send, false, false},
    {"write", put_write, false, false},
    {"writev", put_writev, false, false},
    {"sendmsg", put_sendmsg, false, false},
    {"zerocopy", put_zerocopy, false, false},
    {"fixed", put_fixed, false, false},
    {"file", put_file, false, false},
    {"async", put_async, false, false},
    {"async_sendmsg", put_async_sendmsg, false, false},
    {"polled", put_polled, false, false},
    {"polled_sendmsg", put_polled_sendmsg, false, false},
    {"linked", put_linked, false, false},
    {0},
};
