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

enum { MOST_JOBS = 64 };        /* of one errand */

struct errand {
    uv_work_t       request;
    struct scratch *scratch;
    struct job     *first, *last;
    unsigned        begun;      /* jobs, ever since it was idle, */
    unsigned        left;       /* and those of them that are not over */
    struct errand  *next;       /* of those that are idle */
};

void
errands_init(struct errands *es, uv_loop_t *loop, struct pipeline *p, unsigned workers,
             const struct names *names, size_t groups)
{
    const size_t njobs = ((size_t)workers + 1) * MOST_JOBS;

    *es = (struct errands){ .count = workers + 1 };
    es->list = mem_zero(es->count * sizeof *es->list);
    es->jobs = mem_zero(njobs * sizeof *es->jobs);
    for (unsigned i = 0; i < es->count; i++) {
        struct errand *e = &es->list[i];

        e->scratch = scratch_new(names, groups);
        e->request.data = e;
        e->next = es->idle;
        es->idle = e;
    }
    for (size_t i = 0; i < njobs; i++) {
        es->jobs[i].pipeline = p;
        es->jobs[i].next = es->idle_jobs;
        es->idle_jobs = &es->jobs[i];
    }
    uv_prepare_init(loop, &es->sleep);
    es->sleep.data = es;
}

void
errands_fini(struct errands *es)
{
    for (unsigned i = 0; i < es->count; i++)
        scratch_free(es->list[i].scratch);
    free(es->list);
    free(es->jobs);
}

bool
errands_free(const struct errands *es, size_t size)
{
    return es->idle_jobs != NULL &&
           (es->idle != NULL || (size == CHUNK_SMALL && es->open != NULL));
}

/* Small jobs share one. */
static struct errand *
choose(struct errands *es, size_t size)
{
    const bool     shared = size == CHUNK_SMALL;
    struct errand *e = shared && es->open != NULL ? es->open : es->idle;

    if (e != es->open) {
        es->idle = e->next;
        e->begun = e->left = 0;
    }
    if (shared)
        es->open = e;
    e->begun++;
    e->left++;
    if (e->begun == MOST_JOBS)
        es->open = NULL;
    return e;
}

struct job *
errands_begin(struct errands *es, size_t size)
{
    struct job *job = es->idle_jobs;

    es->idle_jobs = job->next;
    job->errand = choose(es, size);
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

/* Each job ends before its done() returns, and the errand with the last: then it
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
on_sleep(uv_prepare_t *prepare)
{
    struct errands *es = prepare->data;
    struct errand  *e = es->open;

    uv_prepare_stop(prepare);
    es->open = NULL;
    if (e != NULL)
        uv_queue_work(prepare->loop, &e->request, on_work, on_done);
}

void
errands_run(struct errands *es, struct job *job)
{
    struct errand *e = job->errand;

    job->next = NULL;
    if (e->last != NULL)
        e->last->next = job;
    else
        e->first = job;
    e->last = job;
    if (e == es->open)
        uv_prepare_start(&es->sleep, on_sleep);
    else
        uv_queue_work(es->sleep.loop, &e->request, on_work, on_done);
}

void
errands_end(struct errands *es, struct job *job)
{
    struct errand *e = job->errand;

    job->next = es->idle_jobs;
    es->idle_jobs = job;
    assert(e != es->open && e->left > 0);
    if (--e->left == 0) {
        e->next = es->idle;
        es->idle = e;
    }
}
