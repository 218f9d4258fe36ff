#include "vectors.h"

size_t scatter(struct iovec *vectors, size_t most, char *bytes, size_t length, size_t each) {
    size_t count = 0;
    for (size_t done = 0; done < length && count < most;) {
        size_t here = each && each < length - done ? each : length - done;
        if (each && count % 4 == 0 && count + 1 < most)
            vectors[count++] = (struct iovec){bytes + done, 0};
        vectors[count++] = (struct iovec){bytes + done, here};
        done += here;
    }
    return count;
}

size_t vectors_length(const struct iovec *vectors, size_t count) {
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length += vectors[i].iov_len;
    return length;
}
