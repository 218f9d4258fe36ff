/* Buffers in pieces. */
#ifndef VECTORS_H
#define VECTORS_H

#include <stddef.h>
#include <sys/uio.h>

/* As many as the kernel takes (IOV_MAX). */
enum { MOST_VECTORS = 1024 };

/* Cuts the buffer into vectors of `each` bytes (0: all), with an empty one before every third, and
 * returns how many there are: fewer bytes than `length` where `most` vectors are used up. */
size_t scatter(struct iovec *vectors, size_t most, char *bytes, size_t length, size_t each);

/* Bytes in all of them. */
size_t vectors_length(const struct iovec *vectors, size_t count);

#endif
