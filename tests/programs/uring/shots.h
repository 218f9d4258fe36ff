/* Receives that complete again and again. */
#ifndef SHOTS_H
#define SHOTS_H

#include "../mover/mover.h"

void take_multishot(const struct side *, char *bytes, size_t length);
void take_message_multishot(const struct side *, char *bytes, size_t length);

#endif
