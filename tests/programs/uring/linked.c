#include "linked.h"

#include <string.h>
#include <sys/socket.h>

#include "ring.h"

enum { SENT = 1, RECEIVED = 2 };

/* What the linked receive has brought, and how much of it was taken. */
static char received[65536];
static size_t filled, taken;
static bool waits;

static void receive(struct io_uring *ring, int socket) {
    struct io_uring_sqe *sqe = entry(ring);
    io_uring_prep_recv(sqe, socket, received, sizeof received, 0);
    io_uring_sqe_set_data64(sqe, RECEIVED);
    waits = true;
}

/* The next completion of this kind; the other kind's is noted. */
static size_t wait_for(struct io_uring *ring, unsigned long kind) {
    for (;;) {
        struct io_uring_cqe cqe = next(ring);
        if (cqe.user_data == RECEIVED) {
            waits = false;
            filled = cqe.res;
            taken = 0;
        }
        if (cqe.user_data == kind)
            return cqe.res;
    }
}

void put_linked(const struct side *side, char *bytes, size_t length) {
    struct io_uring *ring = ring_for(side->out, PLAIN);
    struct io_uring_sqe *sqe = entry(ring);
    io_uring_prep_send(sqe, side->out, bytes, length, MSG_WAITALL);
    io_uring_sqe_set_data64(sqe, SENT);
    if (!waits && taken == filled) {
        sqe->flags |= IOSQE_IO_LINK;
        receive(ring, side->in);
    }
    if (wait_for(ring, SENT) != length) {
        fprintf(stderr, "a linked send was short\n");
        exit(1);
    }
}

void take_linked(const struct side *side, char *bytes, size_t length) {
    struct io_uring *ring = ring_for(side->in, PLAIN);
    for (size_t done = 0; done < length;) {
        if (taken == filled) {
            if (!waits)
                receive(ring, side->in);
            if (wait_for(ring, RECEIVED) == 0) {
                fprintf(stderr, "the stream ended early\n");
                exit(1);
            }
        }
        size_t here = limit(length - done, filled - taken);
        memcpy(bytes + done, received + taken, here);
        taken += here;
        done += here;
    }
}
