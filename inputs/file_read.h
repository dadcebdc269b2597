/* file_read.h - one job: open, verify, read, split.
 *
 * A source that is a file, and what its job asks and finds.  While the job is
 * out (source.jobs), everything below belongs to the worker; before and after,
 * to the loop.
 *
 * Every read begins with the bytes just before the chunk, so that it knows
 * whether the file still is what it was (file_identity.h), and costs one system
 * call for both.
 *
 * A compressed file (file_bytes.h) is finished where its compressed data ends:
 * then a last line without LF is a record, if the file was quiet for a second,
 * and its size is remembered, so that it is not decompressed again to find
 * nothing new.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_READ_H
#define INPUTS_FILE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/data/chunk.h"
#include "agent/flow/pipeline.h"
#include "agent/flow/source.h"
#include "inputs/file_bytes.h"
#include "inputs/file_identity.h"

enum file_outcome {
    FILE_READ_CHUNK,        /* the chunk has records */
    FILE_READ_NOTHING,      /* no whole line is there (yet) */
    FILE_READ_AGAIN,        /* nothing yet, but there is more to read at once */
    FILE_READ_PLACED,       /* reading is to begin at `place` */
    FILE_READ_PEEKED,       /* its head is known now */
    FILE_READ_CHANGED,      /* it does not hold what we knew of it: `why` */
    FILE_READ_MISSING,      /* the path does not lead to it */
    FILE_READ_FAILED,       /* `fault` */
    FILE_READ_OUTCOMES
};

/* Where to begin in a file of which nothing was read. */
enum file_place {
    FILE_PLACE_GIVEN,       /* at the end of the window */
    FILE_PLACE_END,         /* behind the last line that is there now */
    FILE_PLACE_DATA,        /* behind the hole that a writer leaves who goes on at his old
                             * offset in a truncated file: its NUL bytes are no record */
};

struct file_read {
    struct source     source;       /* first */

    /* what is asked */
    int               fd;           /* -1: the job opens the path, and leaves it open */
    bool              compressed;   /* its name says so; the job finds out that it is not */
    bool              unmet;        /* fd was opened, but its head was not compared yet */
    bool              final;        /* nothing will follow: a line without LF is a record */
    bool              fresh;        /* nothing of it was read in this run */
    bool              peek;         /* only open it: it may be a copy (file_copy.h) */
    bool              remove;       /* delete it if nothing is left to read (file_remove.h) */
    struct identity   identity;     /* what it must be; the job lets the head grow */
    struct file_gzip *gzip;         /* where decompression stands, or NULL; stays, as fd does */
    uint64_t          whole_size, whole_disk;   /* it was read to its end, which was here, when
                                                 * the file had that size; 0: it was not */
    const struct encoding *encoding;    /* of its lines, once it was found; NULL: UTF-8 */
    struct tail_print before;       /* the bytes before the chunk */
    struct file_mark *marks;        /* does it hold what these are of?  Then it is to begin */
    unsigned          nmarks;       /* at the last that fits; newest first, owned */
    enum file_place   find;
    size_t            room;         /* bytes that the next chunk needs */
    uint64_t          scanned;      /* a long line, or a hole, does not end before here */
    uint64_t          hole;         /* a hole is not shorter than this */
    uint64_t          waited;       /* as in chunk.h */

    /* what was found */
    enum file_outcome outcome;
    int               fault;        /* errno, or 0 */
    bool              more;         /* whole lines are left behind the chunk */
    bool              head_known;   /* the head will not grow soon */
    bool              soon;         /* look again, although nothing may happen */
    bool              unlinked;     /* no name leads to it any more */
    bool              removed;      /* its name was deleted here */
    const char       *why;          /* a constant text */
    uint64_t          size;         /* of the content, as far as it is known */
    uint64_t          disk_size;    /* of the file */
    const char       *trouble;      /* why its content cannot be read to its end, or NULL */
    int64_t           mtime_ms;     /* since the epoch */
    uint64_t          start;        /* hash of its first FILE_START bytes, or 0 */
    struct file_mark  place;
    uint64_t          waits;        /* as in chunk.h */
    uint64_t          read_to;      /* the end of what was read */
    char             *target;       /* where its path leads (file_target.h); owned; NULL: nowhere
                                     * else */
};

/* The work of a job whose source is the first member of a struct file_read. */
void file_read_work(struct job *job);

#endif
