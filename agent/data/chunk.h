/* chunk.h - a piece of a source, and everything that came out of it.
 *
 * A gap-free range [begin, end) of a source's bytes that begins and ends on
 * record boundaries, with the bytes, the messages made from them and their
 * memory.  The unit of reading, of memory, of acknowledgement and of
 * checkpointing.
 *
 *     bytes      begin|line\nline\nline\n|end   what is read on lies behind end
 *     messages   [m m m m m m m]                in order of their records, then
 *     runs        [m m m][m m m m]              sorted by run: one run a lane
 *
 * A worker fills it (chunk_begin ... chunk_finish); from window_push() on it
 * belongs to the loop.  It is free again when every message was acknowledged
 * and no output points into it any more (`pins`).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_CHUNK_H
#define AGENT_DATA_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/arena.h"
#include "agent/base/slice.h"
#include "agent/data/message.h"

struct encoding;
struct output;
struct source;

enum {
    CHUNK_SIZE = 256 * 1024,            /* bytes of a source, unless a line is longer */
    CHUNK_MAX_MESSAGES = CHUNK_SIZE / 48,
    CHUNK_MAX_ARENA = 512 * 1024,       /* keys and made values; then the chunk ends early */

    /* the same of a small one, for a source that brings little */
    CHUNK_SMALL = 4 * 1024,
    CHUNK_SMALL_MESSAGES = CHUNK_SMALL / 48,
    CHUNK_SMALL_ARENA = 32 * 1024,
};

/* The messages of one chunk that go to the same place, in the source's order.
 * An output links runs into its lanes and may cut one in two. */
struct run {
    struct output *output;
    struct slice   topic;       /* lives as long as the chunk; may be "" if the output has none */
    const void    *place;       /* what the output's `topic` gave to the worker, or NULL */
    int32_t        partition;   /* all of them go there, or PARTITION_FREE: see output.h */
    const char    *reject;      /* why none of them can be sent (a constant text), or NULL */
    struct chunk  *chunk;
    uint32_t       first;       /* messages[first .. first + count) */
    uint32_t       count;
    uint64_t       bytes;       /* of their values and keys */
};

/* The last bytes before an offset, to know a file again. */
struct tail_print {
    uint32_t len;               /* how many bytes, 0 at the beginning of the file */
    uint64_t hash;
};

/* Two streams in one file (a container's stdout and stderr) do not come to the same
 * point: before `end` everything is in this chunk or an older one, and of one of them
 * what stands in the next `lead` bytes too: of stdout, or of stderr if it is negative
 * (group.h).  0 for all other sources. */
struct chunk {
    struct source  *source;
    struct chunk   *newer;      /* in the window, or in the pool */
    uint64_t        begin, end; /* offsets in the source */
    char           *bytes;      /* what was read, from offset begin on */
    size_t          size;       /* room in bytes */
    size_t          len;        /* bytes that were read; end - begin of them are used */
    struct arena    arena;
    size_t          max_arena;
    struct message *messages;
    uint32_t        max_messages;
    uint32_t        nmessages;
    uint32_t        acked;      /* of nmessages; all, and no pins: it is complete */
    uint32_t        failed;     /* of nmessages: rejected or lost, acknowledged or not */
    uint32_t        halted;     /* of nmessages: not acknowledged, their source stops before them */
    uint32_t        pins;       /* how many places in outputs point into it */
    struct run     *runs;
    uint32_t        nruns, max_runs;

    uint32_t        records;    /* lines or groups that were read */
    uint32_t        filtered;   /* of them: no message was made, by the user's rules */
    uint32_t        long_lines; /* lines longer than max_line */
    uint32_t        undecoded;  /* characters that became U+FFFD */
    uint32_t        cut_off;    /* searches for a regular expression that were given up */
    const struct encoding *encoding;    /* of its lines, if its reader knows; NULL: the plan's */
    struct slice    path, name; /* of the source, when the chunk was begun; in the arena */
    struct slice    target;     /* where the path leads, if it is a link and that is known */
    uint64_t        read_at;    /* clock_ms() of the read; for the age of what waits */
    struct tail_print tail;     /* the bytes just before `end` */
    int64_t         lead;       /* at first of `begin`, then of `end`: see below */
    uint64_t        waited;     /* groups whose last line ends up to here have waited long enough */
    uint64_t        waits;      /* where the last line ends of the group that waits longest, or 0 */
    bool            cut;        /* it ends inside of a long line, whose pieces are records */
    bool            stopped;    /* there was no room for messages: whole lines are left */
    struct chunk   *next_unsent;    /* in the pipeline's queue of those that wait */
    uint64_t        send_after;     /* for this write of checkpoints */
    size_t          charged;    /* what the budget holds for it (pipeline's) */
    size_t          touched;    /* the most memory that it has ever used (pipeline's) */
};

/* On the heap, empty, with room for `size` bytes; small if it is CHUNK_SMALL. */
struct chunk *chunk_new(size_t size);
void          chunk_free(struct chunk **c);

/* Make an unused chunk ready for the bytes of `source` from `begin` on. */
void chunk_begin(struct chunk *c, struct source *source, uint64_t begin, const char *path,
                 const char *name);

/* Room for one more message?  Asked before each record for as many as it may
 * make; when there is none the chunk ends before that record. */
bool chunk_has_room(const struct chunk *c, uint32_t messages);

/* A new message behind the last one, zeroed but for `chunk`. */
struct message *chunk_add(struct chunk *c);

/* A new run, empty; its index is its address minus c->runs. */
struct run *chunk_add_run(struct chunk *c, struct output *output, struct slice topic,
                          const void *place, int32_t partition);

/* Sort the messages by run, stably: message i belongs to run run_of[i].  Fills
 * `first`, `count` and `bytes` of every run.  `spare` has room for as many messages. */
void chunk_sort(struct chunk *c, const uint32_t *run_of, struct message *spare);

/* All acknowledged, and nothing points into it. */
bool chunk_complete(const struct chunk *c);

/* Bytes of memory that its use has touched, for the budget. */
size_t chunk_memory(const struct chunk *c);

#endif
