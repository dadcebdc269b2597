/* file_tail.h - one followed file.
 *
 * Loop thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_TAIL_H
#define INPUTS_FILE_TAIL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "agent/base/log.h"
#include "inputs/file_map.h"
#include "inputs/file_read.h"

struct file_input;
struct file_name;

enum file_tail_state {
    TAIL_WAITING,       /* at the end; a hint or the sweep will wake it */
    TAIL_READING,       /* its job is with a worker */
    TAIL_HOLDING,       /* there may be more to read, but the pipeline has no room for it */
    TAIL_RESTING,       /* it could not be read, or its records cannot be sent: later again */
    TAIL_LINGERING,     /* all of it was read; waiting for the last acknowledgement */
    TAIL_CLOSED,        /* all of it has arrived */
    TAIL_STATES
};

enum file_tail_event {
    EV_NONE,
    EV_WAKE,            /* a hint: it may have grown, or be another */
    EV_RESTED,          /* its rest is over */
    EV_ROOM,            /* the pipeline takes a chunk again */
    EV_FULL,            /* it takes none now */
    EV_CHUNK,           /* the job brings records */
    EV_MORE,            /* there is more to read at once */
    EV_PLACED,          /* the job found where to begin */
    EV_PEEKED,          /* its head is known: it may be a copy of another */
    EV_CROWDED,         /* too many files are being decompressed at the same time */
    EV_END,             /* no whole line is left */
    EV_LAST,            /* the same, and the file is finished */
    EV_FAILED,          /* it cannot be read, or its path leads elsewhere */
    EV_CHANGED,         /* it holds another content now */
    EV_GONE,            /* no pattern leads to it any more */
    EV_BACK,            /* one does again */
    EV_UNLINKED,        /* finished before, and now deleted */
    EV_EMPTY,           /* everything that was read is acknowledged */
    EV_REWOUND,         /* what was read is to be read again */
    FILE_TAIL_EVENTS
};

struct file_tail {
    struct file_read      read;         /* first; its first is the source */
    struct file_input    *input;
    struct job           *job;          /* only while its result is taken */
    enum file_tail_state  state;
    bool                  holds;        /* its descriptor is counted */
    bool                  current;      /* its inode still holds this content: it is in `places` */
    bool                  sought;       /* its content is being looked for */
    bool                  hunted;       /* it was, since its last name went */
    bool                  gated;        /* waits until all that is remembered is verified */
    bool                  unverified;   /* has a row, and was not opened yet */
    bool                  woken;        /* while its job was out */
    bool                  exists;       /* closed, but the file is still there */
    bool                  forgotten;    /* to be freed */
    bool                  elsewhere;    /* gone, but its path leads to it */
    bool                  opening;      /* a request is out that opens it (file_hold.h) */
    bool                  kept;         /* `remove` cannot remove it */
    bool                  unheard;      /* it has grown, and no event has told (file_sweep.h) */
    bool                  compared;     /* its job has compared it with others (file_copy.h) */
    bool                  is_indexed;   /* by_start */
    bool                  is_young;     /* in the list: less was seen than makes a start */
    bool                  is_stranger, is_ghost;    /* counted */
    bool                  is_due, is_open, is_attended, is_unpacked, is_pending;
    bool                  marked_in_midst;      /* the newest mark: whole lines were left, */
    bool                  in_midst;             /* as they are now */
    unsigned              rests;        /* one after the other */
    struct file_mark     *given;        /* a place that was found while its job was out; owned */
    struct file_tail     *heir, *ancestor;  /* file_copy_inherit() */
    struct file_mark     *left;         /* of those that it may be a copy of and that were
                                         * forgotten meanwhile; owned */
    struct file_mark     *marks;        /* how far it had read: a ring of FILE_MARKS, or NULL */
    unsigned              nleft;
    unsigned              nmarks;       /* that were ever set */
    uint64_t              marked_at;
    uint64_t              held_at;      /* since when it may be a copy; 0: it is none */
    struct file_link      by_place;
    struct file_link      by_start;
    struct file_name     *names;
    uint64_t              gone_at;      /* clock_ms() when the last name went; 0: it has one */
    uint64_t              read_at;      /* of its last read */
    uint64_t              seen_at;      /* of its last read that found it to be what it was */
    uint64_t              active_at;    /* when it last grew */
    uint64_t              rest_until;
    int64_t               mtime_ms;     /* as last seen, */
    uint64_t              disk_size;    /* and the file's size; the source's is its content's */
    TAILQ_ENTRY(file_tail) all, due, open, attended, young, unpacked, pending;
    struct log_repeat     told;
    const char           *trouble;      /* that was told, or NULL */

    /* file_flush: a group of lines waits for its next one */
    uint64_t              pending_to;   /* so far it had been read then: */
    uint64_t              pending_at;   /* clock_ms() */
    uint64_t              waited;       /* for its next read: groups up to here wait no more */
};

/* A tail of the file at this place, waiting.  It reads from the end of its
 * window, or where read.find says: both are the caller's to set. */
struct file_tail *file_tail_new(struct file_input *in, const char *path, uint64_t device,
                                uint64_t inode);

/* Nothing of it is out.  Closes its descriptor: when the loop has stopped, or
 * there is none. */
void file_tail_free(struct file_tail *t);

void file_tail_event(struct file_tail *t, enum file_tail_event event);

/* It may have grown: read it at once, or when the pause after its last read is over. */
void file_tail_wake(struct file_tail *t);

/* The sweep is to see to it. */
void file_tail_attend(struct file_tail *t);

/* Wake those whose pause is over. */
void file_tail_wake_due(struct file_input *in);

/* Begin there; false if some of it was read already. */
bool file_tail_place(struct file_tail *t, const struct file_mark *place);

/* How far it has read: now, and at some times before.  Newest first; `marks` has
 * room for FILE_MARKS. */
unsigned file_tail_marks(const struct file_tail *t, struct file_mark *marks);

/* Here is its descriptor, or -1 (file_hold.h). */
void file_tail_opened(struct file_tail *t, int fd);

/* It is there, by a name that no pattern means. */
void file_tail_found(struct file_tail *t, const char *path);

/* Its content was found, or will not be. */
void file_tail_search_over(struct file_tail *t);

/* Close its descriptor; it is opened again by the next read. Only while it waits. */
void file_tail_close(struct file_tail *t);

static inline struct source *
file_source(struct file_tail *t)
{
    return &t->read.source;
}

/* How many descriptors the tails of all inputs hold. */
size_t file_tail_descriptors(void);

const char *file_tail_state_name(enum file_tail_state state);

#endif
