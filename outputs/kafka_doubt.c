/* kafka_doubt.c - lanes that have held memory for long may hold a little only.
 *
 * What waits for a partition that is dead can be read again (kafka_yield.c); the one batch
 * that librdkafka has of it cannot, and a few hundred of those are all the memory there is.
 * So a partition that is known to have no leader gets none.  And when batches that do not
 * move are more than a quarter of the memory, and others wait for room, they are taken
 * back.  Those lanes are in doubt from then on, and so are idle ones with the same leader: one
 * after the other, and never many at the same time, sends a few records, which is how
 * one learns that it moves again.  When one does, all that have its leader are trusted; but
 * one that held no batch itself does not speak for those that did.
 *
 * A purge cannot be told which partition is meant.  What it takes from lanes that are well goes
 * out again; what may have arrived already before its connection was lost comes twice.  It
 * is a job that waits for librdkafka's threads: while it lasts nothing is handed over, for
 * it would take the beginning of a batch, and leave the rest.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "agent/flow/pipeline.h"
#include "outputs/kafka.h"

enum {
    SHARE = 4,                          /* of the memory: what they may hold together is 1/SHARE */
    TRY_BYTES = 1024 * 1024,            /* that a try may hold: its chunk, mostly */
    MOST_LEADERS = 64,
};

/* ---- Taking back ------------------------------------------------------------- */

struct pinned {
    const struct chunk **list;
    size_t               count, room;
};

static void
add_pinned(struct pinned *all, const struct kafka_pieces *out)
{
    for (const struct kafka_piece *p = out->first; p != NULL; p = p->next) {
        if (all->count == all->room) {
            all->room = all->room > 0 ? 2 * all->room : 64;
            all->list = mem_array(all->list, all->room, sizeof(*all->list));
        }
        all->list[all->count++] = p->chunk;
    }
}

static int
compare_chunks(const void *x, const void *y)
{
    const uintptr_t a = (uintptr_t)*(const struct chunk *const *)x;
    const uintptr_t b = (uintptr_t)*(const struct chunk *const *)y;

    return (a > b) - (a < b);
}

static uint64_t
sum_pinned(struct pinned *all)
{
    uint64_t sum = 0;

    if (all->count > 0)
        qsort(all->list, all->count, sizeof(*all->list), compare_chunks);
    for (size_t i = 0; i < all->count; i++)
        if (i == 0 || all->list[i] != all->list[i - 1])
            sum += all->list[i]->charged;
    return sum;
}

static bool
holds_back(const struct kafka_lane *l)
{
    return l->state == LANE_OUT && kafka_lane_stuck(l);
}

typedef void lane_f(struct kafka_lane *l, void *ctx);

static void
each_lane(struct kafka *k, lane_f *f, void *ctx)
{
    for (struct kafka_topic *t = k->topics; t != NULL; t = t->next)
        for (int32_t i = 0; i < t->nlanes; i++)
            f(t->lanes[i], ctx);
}

static void
count_pinned(struct kafka_lane *l, void *ctx)
{
    if (holds_back(l))
        add_pinned(ctx, &l->out);
}

static void
doubt(struct kafka_lane *l, void *ctx)
{
    (void)ctx;
    if (holds_back(l))
        l->doubt = DOUBT_LANE;
}

struct leaders {
    int32_t list[MOST_LEADERS];
    size_t  count;
};

static bool
has_leader(const struct leaders *all, int32_t leader)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i] == leader)
            return true;
    return false;
}

static void
note_leader(struct kafka_lane *l, void *ctx)
{
    struct leaders *all = ctx;

    if (l->doubt == DOUBT_LANE && all->count < MOST_LEADERS && !has_leader(all, l->leader))
        all->list[all->count++] = l->leader;
}

/* Idle ones would only be the next to hold a batch. */
static void
doubt_by_leader(struct kafka_lane *l, void *ctx)
{
    if (l->doubt == DOUBT_NONE && clock_ms() - l->moved_at >= KAFKA_STUCK_MS &&
        has_leader(ctx, l->leader))
        l->doubt = DOUBT_LEADER;
}

static void
purge(uv_work_t *request)
{
    struct kafka *k = request->data;

    (void)rd_kafka_purge(k->producer, RD_KAFKA_PURGE_F_QUEUE);
}

static void
on_purged(uv_work_t *request, int status)
{
    struct kafka *k = request->data;

    assert(status == 0 && k->purging);
    k->purging = false;
    kafka_lanes_take_turns(k);
    kafka_step(k);
}

void
kafka_doubt_take_back(struct kafka *k)
{
    struct pinned  all = { NULL, 0, 0 };
    struct leaders leaders = { .count = 0 };
    const uint64_t now = clock_ms();

    if (k->state != PRODUCER_THERE || k->purging || k->stopped != NULL ||
        now - k->took_back_at < KAFKA_STUCK_MS)
        return;
    each_lane(k, count_pinned, &all);
    if (sum_pinned(&all) > pipeline_budget(k->base.pipeline) / SHARE) {
        k->took_back_at = now;
        each_lane(k, doubt, NULL);
        each_lane(k, note_leader, &leaders);
        each_lane(k, doubt_by_leader, &leaders);
        k->purging = true;
        k->purge.data = k;
        uv_queue_work(pipeline_loop(k->base.pipeline), &k->purge, purge, on_purged);
    }
    free(all.list);
}

/* ---- In doubt ---------------------------------------------------------------- */

/* As many tries until the next time that batches may be taken back as have their share. */
static bool
may_try(struct kafka *k)
{
    const uint64_t tries = pipeline_budget(k->base.pipeline) / SHARE / TRY_BYTES;
    const uint64_t now = clock_ms();

    if (now < k->next_try)
        return false;
    k->next_try = now + KAFKA_STUCK_MS / (tries > 0 ? tries : 1);
    return true;
}

bool
kafka_doubt_may_send(struct kafka_lane *l)
{
    if (l->waiting.first == NULL)
        return true;                    /* nothing */
    if (l->leader == KAFKA_NO_LEADER)
        return false;                   /* librdkafka would keep it */
    return l->doubt == DOUBT_NONE || may_try(l->topic->kafka);
}

static void
go_on(struct kafka_lane *l)
{
    l->doubt = DOUBT_NONE;
    l->retry_at = 0;
    l->topic->moves++;
}

/* As much as the doubts of this lane. */
static void
trust(struct kafka_lane *l, void *ctx)
{
    const struct kafka_lane *other = ctx;

    if (l != other && l->leader == other->leader && l->doubt != DOUBT_NONE &&
        l->doubt <= other->doubt)
        go_on(l);
}

void
kafka_doubt_over(struct kafka_lane *l)
{
    if (l->doubt != DOUBT_NONE)
        each_lane(l->topic->kafka, trust, l);
    l->gave_up = false;
    go_on(l);
}

void
kafka_doubt_leader(struct kafka_lane *l)
{
    if (l->gave_up || l->doubt != DOUBT_NONE || l->state == LANE_RESTING)
        go_on(l);
}
