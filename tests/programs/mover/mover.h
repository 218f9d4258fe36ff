/* What the parts of the mover share. */
#ifndef MOVER_H
#define MOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* A system call that must not fail. */
#define CHECK(what)                                                                                \
    ({                                                                                             \
        long checked_ = (long)(what);                                                              \
        if (checked_ < 0) {                                                                        \
            fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                        \
            perror(#what);                                                                         \
            exit(1);                                                                               \
        }                                                                                          \
        checked_;                                                                                  \
    })

/* What one side does next, and the other side expects. */
struct segment {
    char who;           /* 'C'lient or 'S'erver */
    char what;          /* 'h'ead and the like, 'b'ody, 'p'ause, or 'e'nd of what it sends */
    size_t length;      /* bytes, or milliseconds of a pause */
    const char *bytes;
};

struct conversation {
    struct segment *segments;
    size_t count;
};

struct side;

/* A way to move bytes: all `length` of them, in as many operations as it takes. */
struct call {
    const char *name;
    void (*move)(const struct side *, char *bytes, size_t length);
    /* Moves bodies only; heads go by send or recv. */
    bool bodies;
    /* The bytes that were received cannot be looked at. */
    bool blind;
};

/* One end of the connection. */
struct side {
    char who;
    int in, out;
    const struct call *put, *take;
    /* At most so many bytes an operation, and an iovec; 0 is no limit. */
    size_t put_most, put_vector, take_most, take_vector;
};

extern const struct call PUTS[], TAKES[];

struct conversation read_conversation(const char *path);
/* The end of the turn that begins at a segment: the client's part and the server's. */
size_t turn_end(const struct conversation *, size_t from);
void play(const struct side *, const struct conversation *, size_t from, size_t to);

/* Has the whole conversation in the way that is asked for: see sharing.c. */
void converse(const char *arrangement, struct side, const struct conversation *);

/* Of an operation that moves at most `most`. */
static inline size_t limit(size_t length, size_t most) {
    return most && most < length ? most : length;
}

#endif
