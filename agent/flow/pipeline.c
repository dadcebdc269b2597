/* pipeline.c - see pipeline.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/pipeline.h"

#include <assert.h>
#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/flow/budget.h"
#include "agent/flow/checkpoint.h"
#include "agent/flow/dead_letter.h"
#include "agent/flow/errand.h"
#include "agent/flow/halt.h"
#include "agent/flow/output.h"
#include "agent/flow/plan.h"
#include "agent/flow/queue.h"
#include "agent/flow/saving.h"
#include "agent/flow/transform.h"

enum {
    MAX_OUTPUTS = 64,
    PRESSURE_MS = 100,          /* how long somebody waits for memory before outputs must yield */
};

struct pipeline {
    struct pipeline_conf   conf;
    struct errands         errands;
    struct budget          budget;
    uint64_t               nactive;     /* sources among which the budget is divided */
    struct queue           waiting;     /* for room */
    struct source         *turn;        /* whose room() is being called */
    uint64_t               granted_at;  /* uv_now() of the last chunk that was given to a reader */
    uint64_t               nover;       /* sources that wait for their own chunks */
    bool                   forgets;     /* some output is at_most_once */
    struct saving          saving;
    struct halts           halts;
    bool                   closed;
    uv_idle_t              grant;       /* runs while somebody waits and there is room */
    uv_timer_t             pressure;
    struct output         *outputs[MAX_OUTPUTS];
    size_t                 noutputs;
    struct dead_letters   *dead;
    struct log_repeat      told_dropped;
    struct source_told     told;
    struct pipeline_counts counts;
    unsigned               handles;     /* still to be closed */
    void                 (*stopped)(void *ctx);
    void                  *stopped_ctx;
};

static void on_grant(uv_idle_t *idle);
static void on_pressure(uv_timer_t *timer);
static void on_saved(void *ctx, uint64_t number);
static void drop_halted(struct pipeline *p, struct source *s);
static void advance(struct pipeline *p, struct source *s);

struct pipeline *
pipeline_new(const struct pipeline_conf *conf)
{
    struct pipeline *p = NEW(struct pipeline);

    p->conf = *conf;
    errands_init(&p->errands, p, conf);
    uv_idle_init(conf->loop, &p->grant);
    uv_timer_init(conf->loop, &p->pressure);
    p->grant.data = p->pressure.data = p;
    budget_init(&p->budget, conf->memory, conf->loop);
    p->dead = dead_letters_new(p, conf->state_dir);
    if (conf->store != NULL)
        checkpoints_listen(conf->store, on_saved, p);
    return p;
}

void
pipeline_add_output(struct pipeline *p, struct output *o)
{
    assert(p->noutputs < MAX_OUTPUTS);
    p->outputs[p->noutputs++] = o;
    p->forgets = p->forgets || o->at_most_once;
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

    p->handles = 4;
    errands_close(&p->errands, on_closed);
    uv_close((uv_handle_t *)&p->grant, on_closed);
    uv_close((uv_handle_t *)&p->pressure, on_closed);
    budget_close(&p->budget, on_closed, p);
}

void
pipeline_stop(struct pipeline *p, void (*closed)(void *ctx), void *ctx)
{
    pipeline_close(p);
    p->stopped = closed;
    p->stopped_ctx = ctx;
    dead_letters_stop(p->dead, on_dead_letters_stopped, p);
}

void
pipeline_free(struct pipeline *p)
{
    if (p == NULL)
        return;
    budget_fini(&p->budget);
    errands_fini(&p->errands);
    dead_letters_free(p->dead);
    free(p);
}

/* ---- Room ------------------------------------------------------------------ */

static bool
has_worker(const struct pipeline *p, size_t size)
{
    return errands_have_one(&p->errands, size == CHUNK_SMALL);
}

/* A source may have out an even share of the budget, and always one chunk. */
static bool
over_share(const struct pipeline *p, const struct source *s, size_t size)
{
    const uint64_t share = p->conf.memory / (p->nactive > 0 ? p->nactive : 1);

    return s->window.length > 0 && s->charged + budget_reserve_for(size) / 2 > share;
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
    if (p->waiting.first != NULL && has_worker(p, p->waiting.first->wanted) && !p->closed)
        uv_idle_start(&p->grant, on_grant);
}

static void
watch_pressure(struct pipeline *p)
{
    if (!uv_is_active((uv_handle_t *)&p->pressure))
        uv_timer_start(&p->pressure, on_pressure, PRESSURE_MS, PRESSURE_MS);
}

/* It waits until its own chunks are acknowledged; for an output that takes memory
 * and acknowledges at once that is a matter of memory. */
static void
note_over(struct pipeline *p, struct source *s, bool over)
{
    if (s->over == over)
        return;
    s->over = over;
    p->nover = over ? p->nover + 1 : p->nover - 1;
    if (over && p->forgets)
        watch_pressure(p);
}

static void
enqueue(struct pipeline *p, struct source *s)
{
    note_over(p, s, false);
    s->waiting = true;
    queue_add(&p->waiting, s);
    watch_pressure(p);
}

/* Give turns as long as there is room, each to who waits longest. */
static void
on_grant(uv_idle_t *idle)
{
    struct pipeline *p = idle->data;
    struct source   *halted;

    uv_idle_stop(idle);
    while ((halted = halts_take_settled(&p->halts)) != NULL)
        drop_halted(p, halted);
    while (p->waiting.first != NULL && has_worker(p, p->waiting.first->wanted) &&
           budget_has_room(&p->budget, p->waiting.first->wanted) && !p->closed) {
        struct source *s = queue_take(&p->waiting);

        s->waiting = false;
        p->turn = s;
        s->ops->room(s);
        p->turn = NULL;
        note_active(p, s);
    }
}

/* Of a source that sends one record at a time. */
static bool
must_wait(struct pipeline *p, struct source *s)
{
    if (!s->plan->one_at_a_time)
        return false;
    if (s->window.length == 0 && saving_is_done(&p->saving, s))
        return false;
    s->waiting = true;                  /* its acknowledgement, or the disk, calls it */
    return true;
}

/* Somebody has been waiting: what cannot be sent gives its memory back. */
static void
on_pressure(uv_timer_t *timer)
{
    struct pipeline *p = timer->data;
    const bool       waiting = p->waiting.first != NULL;

    if (!waiting && (!p->forgets || p->nover == 0)) {
        uv_timer_stop(timer);
        return;
    }
    for (size_t i = 0; i < p->noutputs; i++)
        if (p->outputs[i]->ops->yield != NULL && (waiting || p->outputs[i]->at_most_once))
            p->outputs[i]->ops->yield(p->outputs[i]);
    kick(p);
}

void
pipeline_forget(struct pipeline *p, struct source *s)
{
    if (s->saving)
        saving_forget(&p->saving, s);
    else if (s->queued)
        queue_remove(&p->waiting, s);
    s->waiting = s->queued = false;
    note_over(p, s, false);
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

void
pipeline_tidy(struct pipeline *p)
{
    tidy_later(&p->budget.tidy);
}

static void
put_chunks(struct pipeline *p, struct chunk *c)
{
    while (c != NULL) {
        struct chunk *newer = c->newer;

        budget_put(&p->budget, c);
        c = newer;
    }
}

/* ---- Reading --------------------------------------------------------------- */

static struct job *
begin_job(struct pipeline *p, struct source *s, size_t size)
{
    struct job *job = errands_begin(&p->errands, size == CHUNK_SMALL);

    job->source = s;
    job->chunk = budget_take(&p->budget, size);
    chunk_begin(job->chunk, s, window_end(&s->window), s->path, s->name);
    job->chunk->lead = window_lead(&s->window);
    budget_reserve(&p->budget, job->chunk);
    s->jobs = 1;
    p->granted_at = uv_now(p->conf.loop);
    note_active(p, s);
    return job;
}

/* The rooms there are. A small one must take all messages that a line may become. */
static size_t
round_up(const struct source *s, size_t size)
{
    if (size <= CHUNK_SMALL && s->plan->nroutes < CHUNK_SMALL_MESSAGES && !plan_has_groups(s->plan))
        return CHUNK_SMALL;
    return size > CHUNK_SIZE ? size : CHUNK_SIZE;
}

struct job *
pipeline_job(struct pipeline *p, struct source *s, size_t size)
{
    assert(s->jobs == 0);
    size = round_up(s, size);
    if (p->closed || s->waiting)
        return NULL;
    s->wanted = size;
    if (must_wait(p, s))
        return NULL;
    if (s->halted != NULL) {
        s->waiting = true;              /* nobody calls it */
        return NULL;
    }
    if (over_share(p, s, size)) {
        s->waiting = true;              /* its own acknowledgements call it */
        note_over(p, s, true);
        return NULL;
    }
    if ((p->waiting.first != NULL && p->turn != s) || !has_worker(p, size) ||
        !budget_has_room(&p->budget, size)) {
        enqueue(p, s);
        note_active(p, s);
        kick(p);
        return NULL;
    }
    return begin_job(p, s, size);
}

void
pipeline_run(struct job *job, void (*work)(struct job *), void (*done)(struct job *))
{
    job->work = work;
    job->done = done;
    errands_run(&job->pipeline->errands, job);
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
    errands_end(&p->errands, job);
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
    budget_put(&p->budget, c);
    note_active(p, s);
    kick(p);
}

static void
count_read(struct pipeline *p, struct source *s, const struct chunk *c)
{
    source_count_read(s, c, &p->told);
    p->counts.read_records += c->records;
    p->counts.read_bytes += c->end - c->begin;
    p->counts.records_out += c->records;
    p->counts.long_lines += c->long_lines;
    p->counts.undecoded += c->undecoded;
    p->counts.cut_off += c->cut_off;
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

/* What goes to outputs with at_most_once has arrived, as far as offsets go. */
static void
count_given(struct pipeline *p, struct chunk *c)
{
    for (uint32_t i = 0; i < c->nruns; i++)
        if (c->runs[i].output->at_most_once) {
            c->acked += c->runs[i].count;
            p->counts.in_flight -= c->runs[i].count;
        }
}

void
pipeline_stop_sending(struct pipeline *p)
{
    struct chunk *c;

    while ((c = saving_take_chunk(&p->saving, true)) != NULL) {
        p->counts.lost += c->nmessages;
        c->failed += c->nmessages;
        pipeline_unpin(p, c);
    }
}

static void
on_saved(void *ctx, uint64_t number)
{
    struct pipeline *p = ctx;
    struct source   *s;
    struct chunk    *c;

    p->saving.saved = number;
    while ((s = saving_take_source(&p->saving)) != NULL)
        enqueue(p, s);
    while ((c = saving_take_chunk(&p->saving, false)) != NULL) {
        send_runs(p, c);
        pipeline_unpin(p, c);
    }
    kick(p);
}

void
pipeline_push(struct job **job)
{
    struct pipeline *p = (*job)->pipeline;
    struct source   *s = (*job)->source;
    struct chunk    *c = end_job(job), *sent = c;

    if (c->touched < chunk_memory(c))
        c->touched = chunk_memory(c);
    if (s->halted != NULL) {            /* it comes too late: the next start reads it again */
        budget_put(&p->budget, c);
        note_active(p, s);
        kick(p);
        return;
    }
    budget_charge(&p->budget, c);
    c->read_at = clock_ms();
    count_read(p, s, c);
    window_push(&s->window, &c);
    sent->pins++;                       /* until every run of it was handed over */
    count_given(p, sent);
    note_active(p, s);
    if (p->conf.store != NULL && plan_at_most_once(s->plan)) {
        advance(p, s);                  /* the offset behind it is on disk before it is sent */
        saving_add(&p->saving, sent, checkpoints_hurry(p->conf.store));
    } else {
        send_runs(p, sent);
        pipeline_unpin(p, sent);
    }
    kick(p);
}

/* ---- The way back ---------------------------------------------------------- */

/* Of a record with several messages one may have failed: it counts as failed. */
static uint32_t
arrived_records(const struct chunk *c)
{
    const uint32_t sent = c->records - c->filtered;

    return c->failed < sent ? sent - c->failed : 0;
}

static void
count_acked(struct pipeline *p, struct source *s, const struct chunk *done)
{
    for (const struct chunk *c = done; c != NULL; c = c->newer) {
        s->acked_records += c->records;
        s->acked_bytes += c->end - c->begin;
        p->counts.acked_records += arrived_records(c);
        p->counts.acked_bytes += c->end - c->begin;
        p->counts.filtered_records += c->filtered;
        p->counts.records_out -= c->records;
    }
}

static void
note_committed(struct pipeline *p, struct source *s)
{
    if (p->conf.store == NULL)
        return;
    checkpoints_note(p->conf.store, s);
    if (s->plan->one_at_a_time)
        s->saved_by = checkpoints_hurry(p->conf.store);
}

static void
advance(struct pipeline *p, struct source *s)
{
    const struct window before = s->window;
    struct chunk       *done = window_advance(&s->window);

    p->counts.records_held += s->window.held_records - before.held_records;
    if (s->window.committed != before.committed || s->window.lead != before.lead)
        note_committed(p, s);
    if (done == NULL)
        return;
    s->parked = false;
    count_acked(p, s, done);
    put_chunks(p, done);
    if (s->waiting && !s->queued && !s->saving && s->halted == NULL && !must_wait(p, s))
        enqueue(p, s);
    note_active(p, s);
    kick(p);
    s->ops->advanced(s);
}

/* The loop drops its window when nothing of it is out: not from inside a call
 * of its input. */
static void
settle(struct pipeline *p, const struct chunk *c)
{
    struct source *s = c->source;

    if (s->halted != NULL)
        uv_idle_start(&p->grant, on_grant);
    if (c->acked == c->nmessages)
        advance(p, s);
}

void
pipeline_delivered(struct pipeline *p, struct chunk *c, uint32_t count)
{
    assert(count <= c->nmessages - c->acked);
    c->acked += count;
    p->counts.in_flight -= count;
    settle(p, c);
}

void
pipeline_unpin(struct pipeline *p, struct chunk *c)
{
    assert(c->pins > 0);
    c->pins--;
    settle(p, c);
}

void
pipeline_lost(struct pipeline *p, const struct output *o, struct chunk *c, uint32_t count)
{
    p->counts.lost += count;
    c->failed += count;
    if (!o->at_most_once)
        pipeline_delivered(p, c, count);
}

void
pipeline_dead_letter(struct pipeline *p, const struct run *run, const struct message *m,
                     const char *reason)
{
    budget_add(&p->budget, m->chunk, dead_letters_add(p->dead, run, m, reason));
}

void
pipeline_letter_lost(struct pipeline *p)
{
    p->counts.dead_letters--;
    p->counts.lost++;
}

void
pipeline_rejected(struct pipeline *p, const struct run *run, struct message *m, const char *reason)
{
    struct output *o = run->output;
    struct chunk  *c = m->chunk;

    assert(c->pins > 0);
    if (p->conf.rejected != NULL) {
        p->conf.rejected(p->conf.rejected_ctx, run, m, reason);
        pipeline_lost(p, o, c, 1);
    } else if (o->on_rejected == REJECTED_DROP) {
        log_again(&p->told_dropped, LOG_WARN,
                  "a record of '%.*s' for output '%s' was rejected and dropped: %s",
                  SLICE_ARG(c->path), o->name, reason);
        pipeline_lost(p, o, c, 1);
    } else if (o->on_rejected == REJECTED_HALT && !c->source->once) {
        halts_add(&p->halts, o, m, reason);
        uv_idle_start(&p->grant, on_grant);
    } else {
        p->counts.dead_letters++;
        c->failed++;
        if (o->ops->dead_letter == NULL || !o->ops->dead_letter(o, run, m, reason))
            pipeline_dead_letter(p, run, m, reason);
    }
}

void
pipeline_rewind(struct pipeline *p, struct source *s, struct chunk *last, const char *reason,
                const uint64_t *moves)
{
    struct chunk *taken;

    assert(s->jobs == 0 && !s->once);
    s->parked = false;
    if (last == NULL)
        p->counts.records_held -= s->window.held_records;
    taken = window_cut(&s->window, last);
    for (const struct chunk *c = taken; c != NULL; c = c->newer) {
        assert(c->pins == 0);
        s->parked = s->parked || (last != NULL && c->acked > 0);
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
    s->stalled_by = moves;
    s->stalled_at = moves != NULL ? *moves : 0;
    s->ops->rewound(s, reason);
}

uint64_t
pipeline_starving(const struct pipeline *p)
{
    return queue_has_idle(&p->waiting) ? uv_now(p->conf.loop) - p->granted_at : 0;
}

/* Its memory is given back.  Everything before the record that halts it has
 * arrived: that offset is kept, so that the next start begins there; unless a
 * record may begin inside another. */
static void
drop_halted(struct pipeline *p, struct source *s)
{
    if (s->once)
        return;                 /* it could not be read again by the next start either */
    pipeline_rewind(p, s, NULL, "it is halted", NULL);
    if (s->halted_at == s->window.committed || plan_has_groups(s->plan))
        return;
    window_init(&s->window, s->halted_at, (struct tail_print){ 0, 0 });
    if (p->conf.store != NULL)
        checkpoints_note(p->conf.store, s);
}

/* ---- To be shown ----------------------------------------------------------- */

void
pipeline_counts(const struct pipeline *p, struct pipeline_counts *counts)
{
    *counts = p->counts;
    counts->memory = budget_memory(&p->budget);
    counts->chunks = p->budget.out;
}

bool
pipeline_idle(const struct pipeline *p)
{
    return p->counts.records_out == 0 && p->budget.out == 0;
}

uint64_t
pipeline_budget(const struct pipeline *p)
{
    return p->conf.memory;
}

uv_loop_t *
pipeline_loop(const struct pipeline *p)
{
    return p->conf.loop;
}
