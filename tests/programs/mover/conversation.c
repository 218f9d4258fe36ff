/* Conversations: read from a file, and had. Each line `WHO WHAT LENGTH`, then that many bytes. */
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "mover.h"

struct conversation read_conversation(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        exit(1);
    }
    struct conversation all = {0};
    struct segment next;
    while (fscanf(file, "%c %c %zu", &next.who, &next.what, &next.length) == 3) {
        fgetc(file);
        if (next.what == 'h' || next.what == 'b') {
            char *bytes = malloc(next.length);
            if (!bytes || fread(bytes, 1, next.length, file) != next.length) {
                fprintf(stderr, "%s breaks off\n", path);
                exit(1);
            }
            next.bytes = bytes;
        }
        all.segments = realloc(all.segments, (all.count + 1) * sizeof next);
        all.segments[all.count++] = next;
    }
    fclose(file);
    return all;
}

size_t turn_end(const struct conversation *all, size_t from) {
    bool answered = false;
    for (; from < all->count; from++) {
        if (all->segments[from].who == 'S')
            answered = true;
        else if (answered)
            break;
    }
    return from;
}

static bool moves(const struct segment *segment) {
    return segment->what == 'h' || segment->what == 'b';
}

static void put(const struct side *side, const struct call *call, const char *bytes, size_t n) {
    char *copy = malloc(n + 1);
    memcpy(copy, bytes, n);
    call->move(side, copy, n);
    free(copy);
}

static void take(const struct side *side, const struct call *call, const char *bytes, size_t n) {
    char *got = calloc(n + 1, 1);
    call->move(side, got, n);
    if (!call->blind && memcmp(got, bytes, n)) {
        fprintf(stderr, "%c: %s took other bytes than were sent\n", side->who, call->name);
        exit(1);
    }
    free(got);
}

/* Segments of one direction without a pause between them. */
static void move_run(const struct side *side, const struct segment *run, size_t count) {
    bool mine = run->who == side->who;
    const struct call *call = mine ? side->put : side->take;
    void (*move)(const struct side *, const struct call *, const char *, size_t) =
        mine ? put : take;
    if (call->bodies) {
        for (size_t i = 0; i < count; i++) {
            const struct call *this = run[i].what == 'b' ? call : mine ? PUTS : TAKES;
            move(side, this, run[i].bytes, run[i].length);
        }
        return;
    }
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += run[i].length;
    char *bytes = malloc(total + 1), *to = bytes;
    for (size_t i = 0; i < count; i++)
        to = mempcpy(to, run[i].bytes, run[i].length);
    move(side, call, bytes, total);
    free(bytes);
}

static void pause_for(size_t milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void expect_end(const struct side *side) {
    char byte;
    if (CHECK(read(side->in, &byte, 1)) != 0) {
        fprintf(stderr, "%c: more bytes than the conversation has\n", side->who);
        exit(1);
    }
}

void play(const struct side *side, const struct conversation *all, size_t from, size_t to) {
    while (from < to) {
        const struct segment *next = &all->segments[from];
        bool mine = next->who == side->who;
        size_t count = 1;
        if (next->what == 'p') {
            if (mine)
                pause_for(next->length);
        } else if (next->what == 'e') {
            if (mine)
                CHECK(shutdown(side->out, SHUT_WR));
            else
                expect_end(side);
        } else {
            while (from + count < to && moves(next + count) && next[count].who == next->who)
                count++;
            move_run(side, next, count);
        }
        from += count;
    }
}
