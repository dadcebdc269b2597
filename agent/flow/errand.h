/* errand.h - jobs on their way to a worker and back.
 *
 * A hand-over to a worker costs more than a small read.  So small jobs share
 * one: they are collected until the loop would sleep.
 *
 * Loop thread only, but for the work functions of jobs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_ERRAND_H
#define AGENT_FLOW_ERRAND_H

#include <stdbool.h>
#include <uv.h>

struct errand;
struct job;
struct pipeline;
struct pipeline_conf;

struct errands {
    uv_loop_t     *loop;
    struct job    *jobs, *idle_jobs;
    struct errand *list, *idle;
    unsigned       count;       /* workers + 1 */
    struct errand *open;        /* the small jobs of this turn of the loop, or NULL */
    uv_prepare_t   sleep;       /* runs while there is one: the loop is about to sleep */
};

/* Jobs of this pipeline. */
void errands_init(struct errands *all, struct pipeline *p, const struct pipeline_conf *conf);
void errands_close(struct errands *all, uv_close_cb closed);    /* handle->data: the pipeline */
void errands_fini(struct errands *all);

/* Is there a job to be had? */
bool errands_have_one(const struct errands *all, bool small);

/* One with an errand and scratch; then either errands_run(), and errands_end() from
 * inside its done(); or errands_end() at once. */
struct job *errands_begin(struct errands *all, bool small);
void        errands_run(struct errands *all, struct job *job);
void        errands_end(struct errands *all, struct job *job);

#endif
