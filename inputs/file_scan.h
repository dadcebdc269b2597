/* file_scan.h - when to look for files, and what to do with what is found.
 *
 * One job at a time walks (file_discover.h).  Hints from events are collected
 * and looked at soon; everything is looked at every `rescan`, and whenever
 * events were lost.  Loop thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_SCAN_H
#define INPUTS_FILE_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "inputs/file_discover.h"

struct file_input;

struct file_scan {
    uv_work_t             work;
    uv_timer_t            timer;
    struct file_discover *discover;
    struct file_hints     hints;        /* for the next job */
    bool                  full;         /* it has to look at everything, */
    bool                  thorough;     /* and trust no folder */
    bool                  busy;
    uint64_t              ended_at;     /* clock_ms() of the last job's end */
    uint64_t              full_at;      /* when everything is due again */
    uint32_t              cookie;       /* of the last rename that has begun */
    int                   from_wd;
    char                 *from;         /* owned, or NULL */

    /* the job's; the hints stay until the next */
    struct file_hints     taken;
    bool                  take_full, take_thorough;
    struct file_changes   changes;
};

/* Begin with a full scan, at once. */
void file_scan_start(struct file_input *in);

/* Look at this name of a watched folder; NULL: the watch has ended. */
void file_scan_hint(struct file_input *in, int wd, const char *name);

/* A file was renamed: two events that have one cookie.  The names it had are
 * remembered for a while: a file that is renamed several times before anybody
 * could look is followed if one of them was meant. */
void file_scan_moved_from(struct file_input *in, uint32_t cookie, int wd, const char *name);
void file_scan_moved_to(struct file_input *in, uint32_t cookie, int wd, const char *name);

/* Look at everything soon. */
void file_scan_request(struct file_input *in, bool thorough);

/* A file may be there that was not found yet. */
bool file_scan_is_pending(const struct file_input *in);

void file_scan_free(struct file_input *in);

#endif
