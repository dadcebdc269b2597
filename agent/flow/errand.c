/* errand.c - see errand.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/errand.h"

#include <assert.h>
#include <stdlib.h>

#include "agent/base/mem.h"
#include "agent/flow/pipeline.h"
#include "agent/flow/transform.h"

enum { ERRAND_JOBS = 64 };      /* small ones, that one worker does at once */

/* One hand-over, with all that the worker needs. */
struct errand {
    uv_work_t       request;
    struct scratch *scratch;
    struct job     *first, *last;
    unsigned        begun;      /* jobs, ever since it was idle, */
    unsigned        left;       /* and those of them that are not over */
    struct errand  *next;       /* of those that are idle */
};

void
errands_init(struct errands *all, struct pipeline *p, const struct pipeline_conf *conf)
{
    const size_t njobs = ((size_t)conf->workers + 1) * ERRAND_JOBS;

    all->loop = conf->loop;
    all->count = conf->workers + 1;
    all->list = mem_zero(all->count * sizeof *all->list);
    all->jobs = mem_zero(njobs * sizeof *all->jobs);
    for (unsigned i = 0; i < all->count; i++) {
        struct errand *e = &all->list[i];

        e->scratch = scratch_new(conf->names, conf->groups);
        e->request.data = e;
        e->next = all->idle;
        all->idle = e;
    }
    for (size_t i = 0; i < njobs; i++) {
        all->jobs[i].pipeline = p;
        all->jobs[i].next = all->idle_jobs;
        all->idle_jobs = &all->jobs[i];
    }
    uv_prepare_init(conf->loop, &all->sleep);
    all->sleep.data = p;
}

void
errands_close(struct errands *all, uv_close_cb closed)
{
    uv_close((uv_handle_t *)&all->sleep, closed);
}

void
errands_fini(struct errands *all)
{
    for (unsigned i = 0; i < all->count; i++)
        scratch_free(all->list[i].scratch);
    free(all->list);
    free(all->jobs);
}

bool
errands_have_one(const struct errands *all, bool small)
{
    return all->idle_jobs != NULL && (all->idle != NULL || (small && all->open != NULL));
}

/* The errand with which a job goes: small ones share one. */
static struct errand *
begin_errand(struct errands *all, bool small)
{
    struct errand *e = small && all->open != NULL ? all->open : all->idle;

    if (e != all->open) {
        all->idle = e->next;
        e->begun = e->left = 0;
    }
    if (small)
        all->open = e;
    e->begun++;
    e->left++;
    if (e->begun == ERRAND_JOBS)
        all->open = NULL;
    return e;
}

struct job *
errands_begin(struct errands *all, bool small)
{
    struct job *job = all->idle_jobs;

    all->idle_jobs = job->next;
    job->errand = begin_errand(all, small);
    job->scratch = job->errand->scratch;
    return job;
}

static void
on_work(uv_work_t *request)
{
    const struct errand *e = request->data;

    for (struct job *job = e->first; job != NULL; job = job->next)
        job->work(job);
}

/* Each job is over when its done() returns, and the errand with the last: then it
 * may be out again at once. */
static void
on_done(uv_work_t *request, int status)
{
    struct errand *e = request->data;
    struct job    *job = e->first, *next;

    assert(status == 0);
    e->first = e->last = NULL;
    for (; job != NULL; job = next) {
        next = job->next;
        job->done(job);
    }
}

static void
send_errand(struct errands *all, struct errand *e)
{
    uv_queue_work(all->loop, &e->request, on_work, on_done);
}

static void
on_sleep(uv_prepare_t *prepare)
{
    struct errands *all = (struct errands *)(void *)((char *)prepare -
                                                     offsetof(struct errands, sleep));
    struct errand  *e = all->open;

    uv_prepare_stop(prepare);
    all->open = NULL;
    if (e != NULL)
        send_errand(all, e);
}

void
errands_run(struct errands *all, struct job *job)
{
    struct errand *e = job->errand;

    job->next = NULL;
    if (e->last != NULL)
        e->last->next = job;
    else
        e->first = job;
    e->last = job;
    if (e != all->open)
        send_errand(all, e);
    else
        uv_prepare_start(&all->sleep, on_sleep);
}

void
errands_end(struct errands *all, struct job *job)
{
    struct errand *e = job->errand;

    job->next = all->idle_jobs;
    all->idle_jobs = job;
    assert(e->left > 0);
    if (--e->left == 0) {
        e->next = all->idle;
        all->idle = e;
    }
}
