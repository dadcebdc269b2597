/* source.h - one stream of bytes with an identity: one followed file.
 *
 * There are as many as files: what is large and rare lives behind a pointer, and
 * what is small stands together.
 *
 * The window says what of it is out and what has arrived; the input that found
 * it embeds the source in a struct of its own and reads it.  Loop thread only,
 * except what a worker gets as const: plan, number and the texts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_SOURCE_H
#define AGENT_FLOW_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/log.h"
#include "agent/data/window.h"

struct plan;
struct source;

/* What tells one file from another, besides the bytes before the checkpoint. */
struct identity {
    uint64_t device;
    uint64_t inode;
    uint32_t head_len;      /* of the first bytes, up to IDENTITY_HEAD */
    uint64_t head_hash;
};

enum {
    IDENTITY_HEAD = 1024,   /* bytes hashed at the beginning of a file */
    IDENTITY_TAIL = 256,    /* bytes hashed before the checkpoint */
};

struct source_ops {
    /* There is room now: pipeline_job() will not refuse.  Called from the loop,
     * once for each time pipeline_job() refused. */
    void (*room)(struct source *s);

    /* `committed` has moved, or the window has become empty. */
    void (*advanced)(struct source *s);

    /* The newest part of the window was taken back, to give its memory to others: that is
     * read again, from window_end() on.  `reason` says what it waits for. */
    void (*rewound)(struct source *s, const char *reason);
};

struct source {
    const struct source_ops *ops;
    const struct plan       *plan;
    char                    *path;          /* owned; as the user would name it now */
    const char              *name;          /* the path's last part, in it */
    int64_t                  id;            /* its row in the database; 0: none yet */
    struct identity          identity;
    struct window            window;
    const uint64_t          *stalled_by;    /* it was rewound, and may go on when this is no */
    uint64_t                 stalled_at;    /* longer that; NULL: nobody knows when */
    bool                     parked;        /* and not before, or when its window moves: some
                                             * of it has arrived, and comes twice */
    char                    *halted;        /* owned: why it is read no further, until the next
                                             * start; NULL: it is */
    bool                     unnoted;       /* it has no row for now (checkpoints_note) */
    bool                     once;          /* what was read cannot be read again: never rewound */

    /* the pipeline's */
    bool                     waiting;       /* refused, and not called yet */
    bool                     queued;        /* it waits in the queue; else for its own chunks */
    bool                     over;          /* it waits for its own chunks */
    bool                     saving;        /* it waits in the queue for the write `saved_by` */
    bool                     active;        /* counted among those that share the budget */
    bool                     dirty;         /* the checkpoints': it is linked by next_dirty */
    unsigned                 jobs;          /* 0 or 1: with a worker */
    size_t                   wanted;        /* bytes of room it asked for */
    uint64_t                 charged;       /* bytes of the budget that its chunks hold */
    uint64_t                 halted_at;     /* offset of the first record that halts it */
    uint64_t                 cut_at;        /* where the last chunk ended inside of a long line */
    uint64_t                 saved_by;      /* the write that brings `committed` to disk; counted
                                             * for plans with one record at a time only */
    struct source           *next_waiting;  /* in the queue for room */
    struct source           *next_halted;
    struct source           *next_dirty;

    /* for status and metrics */
    uint64_t                 size;          /* bytes of content, as last seen */
    uint64_t                 disk_size;     /* of the file: less if it is compressed */
    uint64_t                 read_records, read_bytes;
    uint64_t                 acked_records, acked_bytes;
};

/* `path` is copied. */
void source_init(struct source *s, const struct source_ops *ops, const struct plan *plan,
                 const char *path);

/* What it was rewound for may be over. */
static inline bool
source_may_go_on(const struct source *s)
{
    return s->stalled_by != NULL && *s->stalled_by != s->stalled_at;
}

/* It has another name now. */
void source_rename(struct source *s, const char *path);

/* No worker reads for it, no output points into it, it is neither queued nor
 * dirty.  Chunks that are still in its window are freed: only after the pipeline has stopped. */
void source_fini(struct source *s);

/* What of all sources was told last. */
struct source_told {
    struct log_repeat long_lines, undecoded;
};

/* `c` was read: count it, and tell (rarely) that a line was too long or a character none of
 * the encoding. */
void source_count_read(struct source *s, const struct chunk *c, struct source_told *told);

/* The same number for the same file for ever: a hash of its identity. */
uint64_t source_number(const struct source *s);

#endif
