#include "shots.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "ring.h"

/* Sends of the same ring complete in between; these are told from them. */
enum { SHOT = 99 };

/* Of the completion under way: what was not taken yet. Both sides take in turns with their sends,
 * and a send waits for one completion, so receives have a ring of their own. */
static struct io_uring shots;
static struct io_uring_cqe cqe;
static char *at;
static size_t left;

static void arm(int socket, struct msghdr *message) {
    struct io_uring_sqe *sqe = entry(&shots);
    if (message)
        io_uring_prep_recvmsg_multishot(sqe, socket, message, 0);
    else
        io_uring_prep_recv_multishot(sqe, socket, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    io_uring_sqe_set_data64(sqe, SHOT);
}

static void take(const struct side *side, char *bytes, size_t length, struct msghdr *message) {
    static bool armed, made;
    if (!made) {
        CHECK(io_uring_queue_init(64, &shots, 0));
        provide(&shots);
        made = true;
    }
    for (size_t done = 0; done < length;) {
        if (left == 0) {
            if (!armed)
                arm(side->in, message);
            cqe = next(&shots);
            armed = cqe.flags & IORING_CQE_F_MORE;
            /* By now all buffers are given back. */
            if (cqe.res == -ENOBUFS)
                continue;
            at = provided(&cqe);
            left = cqe.res;
            if (message) {
                struct io_uring_recvmsg_out *out = io_uring_recvmsg_validate(at, left, message);
                at = io_uring_recvmsg_payload(out, message);
                left = io_uring_recvmsg_payload_length(out, left, message);
            }
            if (left == 0) {
                fprintf(stderr, "the stream ended early\n");
                exit(1);
            }
        }
        size_t here = limit(length - done, left);
        memcpy(bytes + done, at, here);
        at += here;
        left -= here;
        done += here;
        if (left == 0)
            give_back(&cqe);
    }
}

void take_multishot(const struct side *side, char *bytes, size_t length) {
    take(side, bytes, length, NULL);
}

void take_message_multishot(const struct side *side, char *bytes, size_t length) {
    static struct msghdr message;
    take(side, bytes, length, &message);
}
