/* file_search.h - where has a content gone?
 *
 * A content that we know but do not find where it was: its file was renamed
 * out of the patterns, or copied and then truncated or removed, while we were down
 * or running.  It is looked for in the folder where it was and in the folders
 * that `paths` name, by its inode and by its bytes, inside the patterns or not;
 * a file that holds it is read on from where we were.  What is not found is
 * reported.
 *
 * Loop thread; the looking is one job at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_SEARCH_H
#define INPUTS_FILE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "agent/base/strings.h"
#include "agent/flow/source.h"
#include "inputs/file_identity.h"
#include "inputs/file_map.h"

struct checkpoint;
struct file_input;
struct file_tail;

/* One content that is looked for. */
struct file_lost {
    TAILQ_ENTRY(file_lost) link;
    struct file_tail *tail;         /* that has read it; NULL: an earlier run has */
    int64_t           id;           /* its row then */
    char             *path;         /* its last name */
    struct identity   identity;
    struct file_mark  marks[FILE_MARKS];    /* newest first */
    unsigned          nmarks;
    uint64_t          unread;       /* bytes behind the newest mark, as far as we know */
    bool              itself;       /* its file may be there by another name */
    bool              earlier;      /* only an earlier run has seen it */
    bool              remembered;   /* how far it was read is what an earlier run has noted */
    bool              complete;     /* `unread` is all that it may have had */
    int64_t           since;        /* epoch ms: a copy is not older */

    /* the job's */
    struct file_link  by_place, by_head;
    bool              sought;       /* its folder could be read */
    char             *found;        /* path, owned; NULL: nothing holds it */
    uint64_t          device, inode, disk_size;
    int64_t           mtime_ms;
    bool              more;         /* it goes on behind */
    struct file_mark  place;        /* where to go on */
};

TAILQ_HEAD(file_losts, file_lost);

struct file_search {
    uv_work_t         work;
    struct file_losts wanted;       /* for the next job */
    struct file_losts taken;        /* the job's */
    struct strings    folders;      /* that `paths` name */
    bool              busy;
};

void file_search_start(struct file_input *in);

/* The inode of this tail holds another content now, or no name leads to it and
 * a file that came meanwhile may be its copy. */
void file_search_tail(struct file_tail *t);

/* No file of the patterns is at the place that this row remembers. */
void file_search_row(struct file_input *in, const struct checkpoint *row);

/* Look for what is wanted, if it can be done now: not before every file with a
 * row was verified, for what is found may be one of those. */
void file_search_go_on(struct file_input *in);

/* Nothing is looked for at the moment. */
bool file_search_is_idle(const struct file_input *in);

void file_search_free(struct file_input *in);

#endif
