#include "ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

char fixed_buffer[FIXED_SIZE];
static struct io_uring_buf_ring *buffers;
static char memory[BUFFERS][BUFFER_SIZE];

struct io_uring *ring_for(int socket, enum manner manner) {
    static struct io_uring ring;
    static bool made;
    if (made)
        return &ring;
    made = true;
    struct io_uring_params parameters = {0};
    if (manner & POLLED) {
        parameters.flags = IORING_SETUP_SQPOLL;
        parameters.sq_thread_idle = 100;
    }
    CHECK(io_uring_queue_init_params(64, &ring, &parameters));
    if (manner & FIXED_FILE)
        CHECK(io_uring_register_files(&ring, &socket, 1));
    if (manner & FIXED_BUFFER) {
        struct iovec vector = {fixed_buffer, sizeof fixed_buffer};
        CHECK(io_uring_register_buffers(&ring, &vector, 1));
    }
    return &ring;
}

struct io_uring_sqe *entry(struct io_uring *ring) {
    struct io_uring_sqe *sqe;
    while (!(sqe = io_uring_get_sqe(ring)))
        CHECK(io_uring_submit(ring));
    return sqe;
}

void in_manner(struct io_uring_sqe *sqe, enum manner manner) {
    if (manner & ASYNC)
        sqe->flags |= IOSQE_ASYNC;
    if (manner & FIXED_FILE) {
        sqe->flags |= IOSQE_FIXED_FILE;
        sqe->fd = 0;
    }
}

struct io_uring_cqe next(struct io_uring *ring) {
    struct io_uring_cqe *cqe;
    CHECK(io_uring_submit(ring));
    CHECK(io_uring_wait_cqe(ring, &cqe));
    struct io_uring_cqe copy = *cqe;
    io_uring_cqe_seen(ring, cqe);
    if (copy.res < 0 && copy.res != -ENOBUFS) {
        fprintf(stderr, "an operation failed: %s\n", strerror(-copy.res));
        exit(1);
    }
    return copy;
}

void provide(struct io_uring *ring) {
    if (buffers)
        return;
    size_t size = BUFFERS * sizeof(struct io_uring_buf);
    buffers = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    struct io_uring_buf_reg registration = {
        .ring_addr = (unsigned long)buffers, .ring_entries = BUFFERS, .bgid = GROUP};
    CHECK(io_uring_register_buf_ring(ring, &registration, 0));
    io_uring_buf_ring_init(buffers);
    for (int i = 0; i < BUFFERS; i++)
        io_uring_buf_ring_add(buffers, memory[i], BUFFER_SIZE, i,
                              io_uring_buf_ring_mask(BUFFERS), i);
    io_uring_buf_ring_advance(buffers, BUFFERS);
}

char *provided(const struct io_uring_cqe *cqe) {
    return memory[cqe->flags >> IORING_CQE_BUFFER_SHIFT];
}

void give_back(const struct io_uring_cqe *cqe) {
    int number = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
    io_uring_buf_ring_add(buffers, memory[number], BUFFER_SIZE, number,
                          io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(buffers, 1);
}
