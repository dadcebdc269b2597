/* file_identity.h - is this the file that we knew?
 *
 * A name says nothing, and an inode number is given out again.  What a file
 * was is told by its first bytes (struct identity: as many as there were, up to
 * IDENTITY_HEAD) and by the bytes just before the offset where reading goes on
 * (struct tail_print, up to IDENTITY_TAIL).  The head is compared whenever a
 * file is opened, as long as nothing of it was read, and while it still grows;
 * the bytes before the offset at every read.  So a file that was truncated and has
 * grown past our offset since, or was written anew in place, is another file,
 * however it came about.
 *
 * These functions read: on a worker, never on the loop.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_IDENTITY_H
#define INPUTS_FILE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/data/chunk.h"
#include "agent/flow/source.h"
#include "inputs/file_bytes.h"

enum file_same {
    FILE_SAME,
    FILE_SHORTER,       /* it ends before what we knew of it */
    FILE_OTHER,         /* its bytes are others */
    FILE_UNREADABLE,    /* errno says why */
};

/* The print of the last bytes of these. */
struct tail_print file_print(const char *bytes, size_t len);

/* Is it of NUL bytes only?  Then it tells nothing. */
bool file_print_is_hole(const struct tail_print *print);

/* The print of the bytes before `offset`; 0, or -1: errno says why, or is 0 if
 * the file is shorter. */
int file_print_at(struct file_bytes b, uint64_t offset, struct tail_print *print);

/* Compare the head with what `id` says; when they agree and the file has more
 * of it, `id` takes that in (head_len 0: whatever there is).  `start` gets the hash of
 * the first FILE_START bytes, or 0 if there are fewer. */
enum file_same file_meet_head(struct file_bytes b, struct identity *id, uint64_t *start);

/* Compare the bytes before `offset`. */
enum file_same file_meet_tail(struct file_bytes b, uint64_t offset, const struct tail_print *print);

/* ---- Copies ------------------------------------------------------------------ */

/* How far a content was read at some time. */
struct file_mark {
    uint64_t          offset;
    struct tail_print print;
    int64_t           lead;     /* as in chunk.h */
};

enum {
    FILE_START = 64,    /* bytes that make a new file worth a closer look */
    FILE_MARKS = 8,     /* that a tail keeps */
};

/* Does this file, whose head is that of a content we know, hold what we had
 * read of it?  `marks` say how far that was, newest first.  The newest one that fits,
 * where reading it can go on, or NULL.  (A copy that was made a moment before we read
 * on fits an older mark: what lies between is read twice, but nothing is lost.) */
const struct file_mark *file_find_mark(struct file_bytes b, const struct file_mark *marks,
                                       unsigned count);

#endif
