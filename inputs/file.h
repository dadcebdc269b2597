/* file.h - the file input: what its parts share.
 *
 *     file_watch      events of the kernel                           (loop)
 *     file_scan       when to look for files                         (loop)
 *     file_discover   which files there are: a walk                  (worker)
 *     file_follow     which name belongs to which file               (loop)
 *     file_tail       the life of one followed file                  (loop)
 *     file_read       its job: open, verify, read, split             (worker)
 *     file_bytes      the content of a file, decompressed            (worker)
 *     file_hold       open what waits for its turn to be read        (loop and worker)
 *     file_remove     `remove: acked`                                (loop and worker)
 *     file_copy       is a new file a copy of one that we read?      (loop)
 *     file_mark       how far a tail has read, now and a while ago   (loop)
 *     file_search     where has a content gone?                      (loop and worker)
 *     file_sweep      now and then: what no event will tell          (loop and worker)
 *     file_flush      groups of lines that have waited long enough   (loop)
 *     file_target     where a symbolic link leads                    (worker)
 *
 * A *tail* is one content: the bytes of one file from their beginning to
 * their end.  Names come and go; when the content is replaced (truncated,
 * written anew), the tail ends and another begins.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_H
#define INPUTS_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "agent/flow/input.h"
#include "inputs/file_discover.h"
#include "inputs/file_glob.h"
#include "inputs/file_map.h"
#include "inputs/file_scan.h"
#include "inputs/file_search.h"
#include "inputs/file_sweep.h"
#include "inputs/file_tail.h"
#include "inputs/file_watch.h"

enum { FILE_START_BEGINNING, FILE_START_END };
enum { FILE_COMPRESSED_AUTO };
enum { FILE_REMOVE_NEVER, FILE_REMOVE_ACKED };

struct file_conf {
    struct strings paths, exclude;
    int            start;           /* FILE_START_* */
    int            compressed;      /* FILE_COMPRESSED_* */
    int            remove;          /* FILE_REMOVE_* */
    uint64_t       ignore_older, rescan, poll, linger, close_idle;  /* ms */
};

TAILQ_HEAD(file_tails, file_tail);

struct file_input {
    struct input        base;
    struct file_conf    conf;
    struct file_globs   globs, exclude;     /* compiled */

    struct pipeline    *pipeline;           /* from start on, as all below */
    struct checkpoints *store;
    uv_loop_t          *loop;
    uint64_t            read_pause;         /* ms */
    struct file_watch   watch;
    struct log_repeat   lost_told;          /* events were lost */
    struct file_scan    scan;
    struct file_sweep   sweep;
    struct file_search  search;

    /* file_follow */
    struct file_map     places;             /* tails by device and inode */
    struct file_map     names;              /* names by path */
    struct file_map     events;             /* names by watch and name */
    struct file_map     rows;               /* what is remembered, by device and inode */
    struct file_row    *remembered;
    size_t              nremembered;
    size_t              unwatched;          /* names of which no event tells */
    bool                at_start;           /* the first scan is not over yet */

    /* file_copy, file_search */
    struct file_map     starts;             /* tails by their first bytes */
    struct file_tails   young;              /* of whose files less was seen than that */
    size_t              strangers;          /* tails that may be copies, and were not looked at */
    size_t              ghosts;             /* tails that are not forgotten because of those */
    size_t              unverified;         /* tails with a row that were not opened yet */
    size_t              gated;              /* tails without row that wait for those */
    uint64_t            lost_bytes;

    /* file_tail */
    struct file_tails   all;
    struct file_tails   due;                /* to be woken when their pause is over */
    struct file_tails   open;               /* quiet, with a descriptor; quiet the longest first */
    struct file_tails   attended;           /* the sweep looks at them: resting, or gone */
    struct file_tails   unpacked;           /* that are being decompressed */
    size_t              nunpacked;
    uv_timer_t          due_timer;
    struct file_tails   pending;            /* file_flush: in the order of pending_at */
    uv_timer_t          flush_timer;

    unsigned            out;                /* jobs and requests that have not come back */
    bool                stopping, closing;
    unsigned            handles;            /* still to be closed */
    input_stopped_f    *stopped;
    void               *stopped_ctx;
};

/* A job or request of this input has come back. */
void file_came_back(struct file_input *in);

#endif
