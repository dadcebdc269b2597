/* errand.h - jobs on their way to a worker and back.
 *
 * A hand-over to another thread costs more than a small read: the small jobs that
 * one turn of the loop begins are one errand, done one after the other by one
 * worker.  A job with a large chunk is an errand of its own.  There are as many
 * errands as workers and one more, and each has the scratch that its jobs need.
 *
 * Loop thread only; the pipeline's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_ERRAND_H
#define AGENT_FLOW_ERRAND_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct errand;
struct job;
struct names;
struct pipeline;

struct errands {
    struct job    *jobs, *idle_jobs;
    struct errand *list, *idle;
    unsigned       count;
    struct errand *open;        /* the small jobs of this turn of the loop, or NULL */
    uv_prepare_t   sleep;       /* runs while there is one: the loop is about to sleep */
};

/* `sleep` is then a handle of the loop: the caller closes it when no job is out, and may
 * take its `data` for that. */
void errands_init(struct errands *es, uv_loop_t *loop, struct pipeline *p, unsigned workers,
                  const struct names *names, size_t groups);
void errands_fini(struct errands *es);

/* Is there a worker for a job with a chunk of this size? */
bool errands_free(const struct errands *es, size_t size);

/* A job; only if there is a worker.  Then it is run, and then it ends. */
struct job *errands_begin(struct errands *es, size_t size);
void        errands_run(struct errands *es, struct job *job);
void        errands_end(struct errands *es, struct job *job);

#endif
