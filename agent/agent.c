/* agent.c - see agent.h.
 *
 * The stop is a chain: inputs ─► acknowledgements ─► outputs ─► checkpoints ─►
 * pipeline; each link calls the next when it is done.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/agent.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"

enum {
    OTHER_JOBS = 3,     /* threads beside the readers, and one an output: discovery, checkpoints,
                         * dead letters */
    DRAIN_POLL_MS = 5,
};

struct agent {
    struct config      *config;
    struct checkpoints *store;
    struct pipeline    *pipeline;
    size_t              running;        /* inputs or outputs that have not stopped yet */
    size_t              noutputs;       /* started */
    size_t              ninputs;
    uv_timer_t          drain;
    uint64_t            give_up_at;     /* clock_ms() */
    uint64_t            unsent;
    agent_stopped_f    *stopped;
    void               *stopped_ctx;
};

/* Every followed file may hold a descriptor: take as many as we may have. */
static void
raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

struct agent *
agent_new(struct config *config, struct error *err)
{
    struct checkpoints *store = checkpoints_open(config->agent.state_dir, err);
    struct agent       *a;
    char                threads[16];

    if (store == NULL)
        return NULL;
    snprintf(threads, sizeof threads, "%u",
             config_workers(config) + OTHER_JOBS + (unsigned)config->noutputs);
    setenv("UV_THREADPOOL_SIZE", threads, 1);
    raise_descriptor_limit();
    a = NEW(struct agent);
    a->config = config;
    a->store = store;
    return a;
}

static int
start_plugins(struct agent *a, struct error *err)
{
    struct config *c = a->config;

    for (; a->noutputs < c->noutputs; a->noutputs++) {
        struct output *o = c->outputs[a->noutputs];

        if (o->ops->start(o, a->pipeline, err) == -1)
            return -1;
        pipeline_add_output(a->pipeline, o);
    }
    for (; a->ninputs < c->ninputs; a->ninputs++) {
        struct input *in = c->inputs[a->ninputs];

        if (in->ops->start(in, a->pipeline, a->store, err) == -1)
            return -1;
    }
    return 0;
}

/* An input that is gone for good leaves rows behind. */
static void
collect_rows(struct agent *a)
{
    struct config *c = a->config;
    const char   **names = mem_array(NULL, c->ninputs + 1, sizeof *names);

    for (size_t i = 0; i < c->ninputs; i++)
        names[i] = c->inputs[i]->plan->input;
    checkpoints_collect(a->store, names, c->ninputs);
    free(names);
}

int
agent_start(struct agent *a, uv_loop_t *loop, struct error *err)
{
    const struct pipeline_conf conf = {
        .loop = loop,
        .memory = a->config->agent.memory,
        .workers = config_workers(a->config),
        .names = a->config->names,
        .groups = a->config->groups,
        .store = a->store,
        .state_dir = a->config->agent.state_dir,
    };

    a->pipeline = pipeline_new(&conf);
    uv_timer_init(loop, &a->drain);
    a->drain.data = a;
    for (size_t i = 0; i < a->config->ninputs; i++)
        if (a->config->inputs[i]->plan->one_at_a_time ||
            plan_at_most_once(a->config->inputs[i]->plan))
            checkpoints_make_durable(a->store);
    checkpoints_start(a->store, loop, a->config->agent.checkpoint_interval);
    collect_rows(a);
    return start_plugins(a, err);
}

/* ---- The stop -------------------------------------------------------------- */

static void
on_drain_closed(uv_handle_t *handle)
{
    struct agent *a = handle->data;

    a->stopped(a->stopped_ctx, a->unsent);
}

static void
on_pipeline_stopped(void *ctx)
{
    struct agent *a = ctx;

    uv_close((uv_handle_t *)&a->drain, on_drain_closed);
}

static void
on_flushed(void *ctx, bool failed)
{
    struct agent *a = ctx;

    if (!failed && a->unsent == 0)      /* a failure was told by the store */
        checkpoints_settle(a->store);
    pipeline_stop(a->pipeline, on_pipeline_stopped, a);
}

static void
on_output_stopped(void *ctx)
{
    struct agent *a = ctx;

    assert(a->running > 0);
    if (--a->running == 0)
        checkpoints_flush(a->store, on_flushed, a);
}

static void
stop_outputs(struct agent *a)
{
    struct pipeline_counts counts;

    pipeline_stop_sending(a->pipeline);
    pipeline_counts(a->pipeline, &counts);
    a->unsent = counts.records_out - counts.records_held;
    a->running = a->noutputs;
    if (a->noutputs == 0)
        checkpoints_flush(a->store, on_flushed, a);
    for (size_t i = 0; i < a->noutputs; i++) {
        struct output *o = a->config->outputs[i];

        o->ops->stop(o, on_output_stopped, a);
    }
}

static void
on_drain(uv_timer_t *timer)
{
    struct agent *a = timer->data;

    if (!pipeline_idle(a->pipeline) && clock_ms() < a->give_up_at)
        return;
    uv_timer_stop(timer);
    stop_outputs(a);
}

static void
start_drain(struct agent *a)
{
    uv_timer_start(&a->drain, on_drain, 0, DRAIN_POLL_MS);
}

static void
on_input_stopped(void *ctx)
{
    struct agent *a = ctx;

    assert(a->running > 0);
    if (--a->running == 0)
        start_drain(a);
}

void
agent_stop(struct agent *a, agent_stopped_f *stopped, void *ctx)
{
    assert(a->stopped == NULL);
    a->stopped = stopped;
    a->stopped_ctx = ctx;
    a->give_up_at = clock_ms() + a->config->agent.shutdown_timeout;
    pipeline_close(a->pipeline);
    a->running = a->ninputs;
    if (a->ninputs == 0)
        start_drain(a);
    for (size_t i = 0; i < a->ninputs; i++) {
        struct input *in = a->config->inputs[i];

        in->ops->stop(in, on_input_stopped, a);
    }
}

void
agent_free(struct agent *a)
{
    if (a == NULL)
        return;
    pipeline_free(a->pipeline);
    checkpoints_close(a->store);
    free(a);
}

void
agent_counts(const struct agent *a, struct pipeline_counts *counts)
{
    pipeline_counts(a->pipeline, counts);
}
