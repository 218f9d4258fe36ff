/* A send with the receive that follows it linked to it, submitted together. */
#ifndef LINKED_H
#define LINKED_H

#include "../mover/mover.h"

void put_linked(const struct side *, char *bytes, size_t length);
void take_linked(const struct side *, char *bytes, size_t length);

#endif
