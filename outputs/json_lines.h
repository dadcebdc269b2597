/* json_lines.h - records as JSON lines, appended to a file or to stdout.
 *
 * What the outputs `stdout` and `file` have in common: a queue of runs, and one
 * job at a time that formats and writes them.  A record counts as delivered
 * when all of its line was handed to the kernel; what cannot be written waits
 * and is tried again.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef OUTPUTS_JSON_LINES_H
#define OUTPUTS_JSON_LINES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "agent/base/buf.h"
#include "agent/base/log.h"
#include "agent/flow/output.h"

struct json_lines;

struct run_list {
    struct run *runs;
    size_t      count, room;
};

/* Where a run goes: an open descriptor, or -1 with errno set; and how it is given
 * back.  Both on a worker. */
typedef int  json_open_f(struct json_lines *j, const struct run *run);
typedef void json_close_f(struct json_lines *j, int fd);

/* Embedded first in the output's own struct. */
struct json_lines {
    struct output     base;
    json_open_f      *open;
    json_close_f     *close;
    const char       *where;        /* for messages: "stdout", or the path as it was written */
    struct run_list   waiting;      /* in order; each pins its chunk, as those of `writing` do */
    struct run_list   writing;      /* the job's, while it is busy */
    size_t            done;         /* runs of `writing` that the job has written whole */
    struct buf        text;         /* of the run at work: kept when a write fails half way */
    size_t            written;      /* bytes of it */
    int               error;        /* errno of the job, or 0 */
    bool              busy;
    atomic_bool       stopping;     /* the job gives up a write that blocks */
    uv_work_t         request;
    uv_timer_t        retry;
    struct log_repeat told;
    output_stopped_f *stopped;
    void             *stopped_ctx;
};

/* The functions of the vtable, and what frees the embedded part. */
int  json_lines_start(struct output *o, struct pipeline *p, struct error *err);
void json_lines_send(struct output *o, const struct run *run);
void json_lines_stop(struct output *o, output_stopped_f *stopped, void *ctx);
void json_lines_fini(struct json_lines *j);

#endif
