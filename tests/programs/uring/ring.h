/* One io_uring a process, and operations on it one at a time. */
#ifndef RING_H
#define RING_H

#include <liburing.h>

#include "../mover/mover.h"

/* How an operation is carried out, beside what it is. */
enum manner {
    PLAIN = 0,
    ASYNC = 1,        /* by a worker of the kernel */
    POLLED = 2,       /* submitted by a thread of the kernel */
    FIXED_FILE = 4,   /* the socket is a registered file */
    FIXED_BUFFER = 8, /* the memory is a registered buffer: `fixed_buffer` */
};

enum { BUFFERS = 64, BUFFER_SIZE = 4096, GROUP = 7, FIXED_SIZE = 65536 };

/* The ring, set up for a socket when it is first asked for. */
struct io_uring *ring_for(int socket, enum manner);
extern char fixed_buffer[FIXED_SIZE];

/* An entry to fill in; then the manner is added to it. */
struct io_uring_sqe *entry(struct io_uring *);
void in_manner(struct io_uring_sqe *, enum manner);
/* Submits what is filled in and waits for the next completion, which must be no failure but one
 * for want of buffers. */
struct io_uring_cqe next(struct io_uring *);

/* Buffers that the kernel chooses from. */
void provide(struct io_uring *);
char *provided(const struct io_uring_cqe *);
void give_back(const struct io_uring_cqe *);

#endif
