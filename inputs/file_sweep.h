/* file_sweep.h - now and then: what no event will tell.
 *
 * Files without events (network file systems, no watch to be had) are looked
 * at every `poll`.  So are those of which none came although there should have
 * been one: a write through mmap() causes none, nor does one behind the kernel's
 * back.  To find those, the others are looked at too: a hundred in ten times `poll`,
 * in turn, and in one `poll` once a file was found so twice.  (Whose events were lost
 * by the kernel, all are looked at: file_watch.h.)
 *
 * Tails that rest or are gone get their next step, and descriptors that were quiet
 * for `close_idle` are closed.  When there is nothing of this kind, nobody wakes
 * up for it.  Loop thread, but for the looking: that is one job for all.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_SWEEP_H
#define INPUTS_FILE_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "agent/base/log.h"

struct file_input;
struct file_tail;
struct file_glance;

struct file_sweep {
    uv_timer_t          timer;
    uv_work_t           work;
    struct file_tail   *next;           /* whose turn it is; NULL: the first's */
    uint64_t            polled_at, turned_at;
    size_t              doubted;        /* how many are still to be looked at without delay */
    size_t              most_open;      /* descriptors that tails may hold */
    struct log_repeat   told;
    bool                busy;
    struct file_glance *glances;        /* the job's */
    size_t              nglances, max_glances;
};

void file_sweep_start(struct file_input *in);

/* There is something to be seen to now: in a second at the latest. */
void file_sweep_attend(struct file_input *in);

/* Do not wait for a whole second: a file is held that may be a copy. */
void file_sweep_soon(struct file_input *in);

/* Close the descriptors of the quietest files while there are too many. */
void file_sweep_trim(struct file_input *in);

/* This tail is about to be freed. */
void file_sweep_forget(struct file_input *in, struct file_tail *t);

void file_sweep_free(struct file_input *in);

#endif
