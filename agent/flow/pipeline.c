/* pipeline.c - see pipeline.h.
 *
 * Memory is counted, not measured: a chunk is charged with what it has touched
 * (bytes, messages, arena) and with what the client will add to each of its
 * messages.  Chunks that are free keep their memory for the next reader, last
 * in first out, and count too.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/pipeline.h"

#include <assert.h>
#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "agent/flow/checkpoint.h"
#include "agent/flow/dead_letter.h"
#include "agent/flow/output.h"
#include "agent/flow/transform.h"

enum {
    CLIENT_OVERHEAD = 176,      /* bytes that librdkafka adds to a message */
    MAX_OUTPUTS = 64,
    PRESSURE_MS = 100,          /* how long somebody waits for memory before outputs must yield */
    IDLE_POOL = 4,              /* free chunks kept when nothing is out */
};

struct pipeline {
    struct pipeline_conf   conf;
    struct job            *jobs;        /* workers + 1 of them */
    unsigned               njobs;
    struct job            *idle_jobs;
    struct chunk          *pool;        /* free chunks of CHUNK_SIZE */
    uint64_t               pool_memory, pool_length;
    uint64_t               used;        /* charged for chunks that are out or being filled */
    uint64_t               chunks_out;
    uint64_t               nactive;     /* sources among which the budget is divided */
    struct source         *first_waiting, *last_waiting;
    struct source         *turn;        /* whose room() is being called */
    bool                   closed;
    uv_idle_t              grant;       /* runs while somebody waits and there is room */
    uv_timer_t             pressure;
    struct output         *outputs[MAX_OUTPUTS];
    size_t                 noutputs;
    struct dead_letters   *dead;
    struct pipeline_counts counts;
    unsigned               handles;     /* still to be closed */
    void                 (*stopped)(void *ctx);
    void                  *stopped_ctx;
};

static void on_grant(uv_idle_t *idle);
static void on_pressure(uv_timer_t *timer);

struct pipeline *
pipeline_new(const struct pipeline_conf *conf)
{
    struct pipeline *p = NEW(struct pipeline);

    p->conf = *conf;
    p->njobs = conf->workers + 1;
    p->jobs = mem_zero(p->njobs * sizeof *p->jobs);
    for (unsigned i = 0; i < p->njobs; i++) {
        struct job *job = &p->jobs[i];

        job->pipeline = p;
        job->scratch = scratch_new(conf->names, conf->groups);
        job->next = p->idle_jobs;
        p->idle_jobs = job;
    }
    uv_idle_init(conf->loop, &p->grant);
    uv_timer_init(conf->loop, &p->pressure);
    p->grant.data = p->pressure.data = p;
    p->dead = dead_letters_new(p, conf->state_dir);
    return p;
}

void
pipeline_add_output(struct pipeline *p, struct output *o)
{
    assert(p->noutputs < MAX_OUTPUTS);
    p->outputs[p->noutputs++] = o;
}

static void
on_closed(uv_handle_t *handle)
{
    struct pipeline *p = handle->data;

    if (--p->handles == 0)
        p->stopped(p->stopped_ctx);
}

static void
on_dead_letters_stopped(void *ctx)
{
    struct pipeline *p = ctx;

    p->handles = 2;
    uv_close((uv_handle_t *)&p->grant, on_closed);
    uv_close((uv_handle_t *)&p->pressure, on_closed);
}

void
pipeline_stop(struct pipeline *p, void (*closed)(void *ctx), void *ctx)
{
    pipeline_close(p);
    p->stopped = closed;
    p->stopped_ctx = ctx;
    dead_letters_stop(p->dead, on_dead_letters_stopped, p);
}

static void
free_pooled(struct pipeline *p)
{
    struct chunk *c = p->pool;

    p->pool = c->newer;
    p->pool_memory -= c->touched;
    p->pool_length--;
    chunk_free(&c);
}

void
pipeline_free(struct pipeline *p)
{
    if (p == NULL)
        return;
    while (p->pool != NULL)
        free_pooled(p);
    for (unsigned i = 0; i < p->njobs; i++)
        scratch_free(p->jobs[i].scratch);
    dead_letters_free(p->dead);
    free(p->jobs);
    free(p);
}

/* ---- Room ------------------------------------------------------------------ */

/* What a chunk may come to need, while nobody knows what is in it. */
static uint64_t
reserve_for(size_t size)
{
    return size + CHUNK_MAX_ARENA +
           (uint64_t)CHUNK_MAX_MESSAGES * (sizeof(struct message) + CLIENT_OVERHEAD);
}

/* How much a job would take too much.  The free chunk that it fills is counted once: its
 * memory is a part of what is reserved. */
static uint64_t
shortage(const struct pipeline *p, size_t size)
{
    const uint64_t reused = size <= CHUNK_SIZE && p->pool != NULL ? p->pool->touched : 0;
    const uint64_t sum = p->used + p->pool_memory - reused + reserve_for(size);

    return sum > p->conf.memory ? sum - p->conf.memory : 0;
}

/* Free chunks make way, but for the one that is reused: to free that gains nothing. */
static bool
has_memory(struct pipeline *p, size_t size)
{
    const uint64_t kept = size <= CHUNK_SIZE ? 1 : 0;

    if (p->chunks_out == 0)
        return true;            /* one chunk is always allowed */
    while (p->pool_length > kept && shortage(p, size) > 0)
        free_pooled(p);
    return shortage(p, size) == 0;
}

/* A source may have out an even share of the budget, and always one chunk. */
static bool
over_share(const struct pipeline *p, const struct source *s, size_t size)
{
    const uint64_t share = p->conf.memory / (p->nactive > 0 ? p->nactive : 1);

    return s->window.length > 0 && s->charged + reserve_for(size) / 2 > share;
}

static void
note_active(struct pipeline *p, struct source *s)
{
    const bool active = s->window.length > 0 || s->jobs > 0 || s->waiting;

    if (active == s->active)
        return;
    s->active = active;
    if (active)
        p->nactive++;
    else
        p->nactive--;
}

static void
kick(struct pipeline *p)
{
    if (p->first_waiting != NULL && p->idle_jobs != NULL && !p->closed)
        uv_idle_start(&p->grant, on_grant);
}

static void
enqueue(struct pipeline *p, struct source *s)
{
    s->waiting = s->queued = true;
    s->next_waiting = NULL;
    if (p->last_waiting != NULL)
        p->last_waiting->next_waiting = s;
    else
        p->first_waiting = s;
    p->last_waiting = s;
    if (!uv_is_active((uv_handle_t *)&p->pressure))
        uv_timer_start(&p->pressure, on_pressure, PRESSURE_MS, PRESSURE_MS);
}

static struct source *
dequeue(struct pipeline *p)
{
    struct source *s = p->first_waiting;

    p->first_waiting = s->next_waiting;
    if (p->first_waiting == NULL)
        p->last_waiting = NULL;
    s->waiting = s->queued = false;
    s->next_waiting = NULL;
    return s;
}

/* Give turns as long as there is room, each to who waits longest. */
static void
on_grant(uv_idle_t *idle)
{
    struct pipeline *p = idle->data;

    uv_idle_stop(idle);
    while (p->first_waiting != NULL && p->idle_jobs != NULL &&
           has_memory(p, p->first_waiting->wanted) && !p->closed) {
        struct source *s = dequeue(p);

        p->turn = s;
        s->ops->room(s);
        p->turn = NULL;
        note_active(p, s);
    }
}

/* Somebody has been waiting: what cannot be sent gives its memory back. */
static void
on_pressure(uv_timer_t *timer)
{
    struct pipeline *p = timer->data;

    if (p->first_waiting == NULL) {
        uv_timer_stop(timer);
        return;
    }
    for (size_t i = 0; i < p->noutputs; i++)
        if (p->outputs[i]->ops->yield != NULL)
            p->outputs[i]->ops->yield(p->outputs[i]);
    kick(p);
}

void
pipeline_forget(struct pipeline *p, struct source *s)
{
    struct source **at = &p->first_waiting, *last = NULL;

    if (s->queued) {
        while (*at != s) {
            last = *at;
            at = &(*at)->next_waiting;
        }
        *at = s->next_waiting;
        if (p->last_waiting == s)
            p->last_waiting = last;
        s->next_waiting = NULL;
    }
    s->waiting = s->queued = false;
    note_active(p, s);
}

void
pipeline_close(struct pipeline *p)
{
    p->closed = true;
    uv_idle_stop(&p->grant);
    uv_timer_stop(&p->pressure);
}

/* ---- Chunks ---------------------------------------------------------------- */

static struct chunk *
take_chunk(struct pipeline *p, size_t size)
{
    struct chunk *c = p->pool;

    if (size > CHUNK_SIZE)
        return chunk_new(size);
    if (c == NULL)
        return chunk_new(CHUNK_SIZE);
    p->pool = c->newer;
    p->pool_memory -= c->touched;
    p->pool_length--;
    return c;
}

static void
charge(struct pipeline *p, struct chunk *c, uint64_t bytes)
{
    p->used += bytes - c->charged;
    c->source->charged += bytes - c->charged;
    c->charged = bytes;
}

static void
put_chunk(struct pipeline *p, struct chunk *c)
{
    charge(p, c, 0);
    c->source = NULL;
    p->chunks_out--;
    if (c->size > CHUNK_SIZE) {
        chunk_free(&c);
    } else {
        c->newer = p->pool;
        p->pool = c;
        p->pool_memory += c->touched;
        p->pool_length++;
    }
    while (p->chunks_out == 0 && p->pool_length > IDLE_POOL)
        free_pooled(p);
}

static void
put_chunks(struct pipeline *p, struct chunk *c)
{
    while (c != NULL) {
        struct chunk *newer = c->newer;

        put_chunk(p, c);
        c = newer;
    }
}

/* ---- Reading --------------------------------------------------------------- */

static struct job *
begin_job(struct pipeline *p, struct source *s, size_t size)
{
    struct job *job = p->idle_jobs;

    p->idle_jobs = job->next;
    job->source = s;
    job->chunk = take_chunk(p, size);
    p->chunks_out++;
    chunk_begin(job->chunk, s, window_end(&s->window), s->path, s->name);
    job->chunk->lead = window_lead(&s->window);
    charge(p, job->chunk, reserve_for(size));
    s->jobs = 1;
    note_active(p, s);
    return job;
}

struct job *
pipeline_job(struct pipeline *p, struct source *s, size_t size)
{
    assert(s->jobs == 0);
    if (size < CHUNK_SIZE)
        size = CHUNK_SIZE;
    if (p->closed || s->waiting)
        return NULL;
    s->wanted = size;
    if (over_share(p, s, size)) {
        s->waiting = true;              /* its own acknowledgements call it */
        return NULL;
    }
    if ((p->first_waiting != NULL && p->turn != s) || p->idle_jobs == NULL ||
        !has_memory(p, size)) {
        enqueue(p, s);
        note_active(p, s);
        kick(p);
        return NULL;
    }
    return begin_job(p, s, size);
}

static void
on_work(uv_work_t *request)
{
    struct job *job = request->data;

    job->work(job);
}

static void
on_done(uv_work_t *request, int status)
{
    struct job *job = request->data;

    assert(status == 0);
    job->done(job);
}

void
pipeline_run(struct job *job, void (*work)(struct job *), void (*done)(struct job *))
{
    job->work = work;
    job->done = done;
    job->request.data = job;
    uv_queue_work(job->pipeline->conf.loop, &job->request, on_work, on_done);
}

/* The worker is free again; returns what it read. */
static struct chunk *
end_job(struct job **ended)
{
    struct job      *job = *ended;
    struct pipeline *p = job->pipeline;
    struct chunk    *c = job->chunk;

    *ended = NULL;
    assert(job->source->jobs == 1);
    job->source->jobs = 0;
    job->source = NULL;
    job->chunk = NULL;
    job->next = p->idle_jobs;
    p->idle_jobs = job;
    return c;
}

void
pipeline_return(struct job **job)
{
    struct pipeline *p = (*job)->pipeline;
    struct source   *s = (*job)->source;
    struct chunk    *c = end_job(job);

    if (c->touched < chunk_memory(c))
        c->touched = chunk_memory(c);
    put_chunk(p, c);
    note_active(p, s);
    kick(p);
}

static void
count_read(struct pipeline *p, struct source *s, const struct chunk *c)
{
    s->read_records += c->records;
    s->read_bytes += c->end - c->begin;
    p->counts.read_records += c->records;
    p->counts.read_bytes += c->end - c->begin;
    p->counts.records_out += c->records;
    p->counts.long_lines += c->long_lines;
    p->counts.in_flight += c->nmessages;
}

static void
send_runs(struct pipeline *p, struct chunk *c)
{
    for (uint32_t i = 0; i < c->nruns; i++) {
        const struct run *run = &c->runs[i];

        if (run->reject == NULL) {
            run->output->ops->send(run->output, run);
            continue;
        }
        for (uint32_t m = run->first; m < run->first + run->count; m++)
            pipeline_rejected(p, run, &c->messages[m], run->reject);
    }
}

void
pipeline_push(struct job **job)
{
    struct pipeline *p = (*job)->pipeline;
    struct source   *s = (*job)->source;
    struct chunk    *c = end_job(job), *sent = c;

    if (c->touched < chunk_memory(c))
        c->touched = chunk_memory(c);
    charge(p, c, c->touched + c->arena.used + (uint64_t)c->nmessages * CLIENT_OVERHEAD);
    c->read_at = clock_ms();
    count_read(p, s, c);
    window_push(&s->window, &c);
    sent->pins++;                       /* until every run of it was handed over */
    send_runs(p, sent);
    note_active(p, s);
    pipeline_unpin(p, sent);
    kick(p);
}

/* ---- The way back ---------------------------------------------------------- */

static void
count_acked(struct pipeline *p, struct source *s, const struct chunk *done)
{
    for (const struct chunk *c = done; c != NULL; c = c->newer) {
        s->acked_records += c->records;
        s->acked_bytes += c->end - c->begin;
        p->counts.acked_records += c->records - c->filtered;
        p->counts.acked_bytes += c->end - c->begin;
        p->counts.filtered_records += c->filtered;
        p->counts.records_out -= c->records;
    }
}

static void
advance(struct pipeline *p, struct source *s)
{
    struct chunk *done = window_advance(&s->window);

    if (done == NULL)
        return;
    count_acked(p, s, done);
    put_chunks(p, done);
    if (p->conf.store != NULL)
        checkpoints_note(p->conf.store, s);
    if (s->waiting && !s->queued)
        enqueue(p, s);
    note_active(p, s);
    kick(p);
    s->ops->advanced(s);
}

void
pipeline_delivered(struct pipeline *p, struct chunk *c, uint32_t count)
{
    assert(count <= c->nmessages - c->acked);
    c->acked += count;
    p->counts.in_flight -= count;
    if (chunk_complete(c))
        advance(p, c->source);
}

void
pipeline_unpin(struct pipeline *p, struct chunk *c)
{
    assert(c->pins > 0);
    c->pins--;
    if (chunk_complete(c))
        advance(p, c->source);
}

void
pipeline_rejected(struct pipeline *p, const struct run *run, struct message *m, const char *reason)
{
    p->counts.dead_letters++;
    dead_letters_add(p->dead, run, m, reason);
}

void
pipeline_rewind(struct pipeline *p, struct source *s, struct chunk *last, const char *reason)
{
    struct chunk *taken = window_cut(&s->window, last);

    assert(s->jobs == 0 && !s->once);
    for (const struct chunk *c = taken; c != NULL; c = c->newer) {
        assert(c->pins == 0 && c->acked == 0);
        p->counts.in_flight -= c->nmessages - c->acked;
        p->counts.records_out -= c->records;
        p->counts.read_records -= c->records;   /* they will be read again */
        p->counts.read_bytes -= c->end - c->begin;
        s->read_records -= c->records;
        s->read_bytes -= c->end - c->begin;
    }
    put_chunks(p, taken);
    pipeline_forget(p, s);
    kick(p);
    s->ops->rewound(s, reason);
}

/* ---- To be shown ----------------------------------------------------------- */

void
pipeline_counts(const struct pipeline *p, struct pipeline_counts *counts)
{
    *counts = p->counts;
    counts->memory = p->used + p->pool_memory;
    counts->chunks = p->chunks_out;
}

bool
pipeline_idle(const struct pipeline *p)
{
    return p->counts.records_out == 0 && p->chunks_out == 0;
}

uv_loop_t *
pipeline_loop(const struct pipeline *p)
{
    return p->conf.loop;
}
