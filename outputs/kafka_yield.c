/* kafka_yield.c - memory that only waits is given back.
 *
 * What takes nothing must not hold the memory of the rest: a topic that is missing
 * or forbidden, a partition without a leader, a broker that hangs.  The chunks of a
 * source all of whose messages wait for such lanes are freed and read again later,
 * from the newest on back to the first that is partly out or has partly arrived.
 *
 * If keys scatter the lines of a file over partitions of which one is dead, a part of every
 * chunk arrives and the rest waits.  Those stay, until somebody who has nothing out starves;
 * then all but the oldest go, and what had arrived of them comes twice.  Once: their
 * source reads on when the oldest has arrived, or the dead partition moves.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "agent/flow/pipeline.h"
#include "agent/flow/source.h"
#include "outputs/kafka.h"

enum {
    DOWN_MS = 60 * 1000,        /* with no broker at all the rest is stuck as well, most likely */
};

/* How many messages of a chunk wait in lists that cannot move. */
struct share {
    struct chunk       *chunk;
    uint64_t            messages;
    uint32_t            pins;       /* that these lists hold on it */
    struct kafka_topic *topic;      /* one of those that it waits for */
    bool                judged, leaves;
};

/* What a source gives up: its chunks behind `last`; NULL: all. */
struct cut {
    struct source      *source;
    struct chunk       *last;
    struct kafka_topic *topic;      /* that the first of them waits for */
};

struct shares {
    struct share *list;         /* in the order of the chunks' addresses */
    size_t        count, room;
    struct cut   *cuts;         /* room for as many as there are shares */
    size_t        ncuts;
    bool          arrived_too;  /* parts of chunks that leave may have arrived */
};

/* ---- By chunk -------------------------------------------------------------- */

/* Where it stands, or would stand. */
static size_t
position(const struct shares *all, const struct chunk *c)
{
    size_t low = 0, high = all->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if ((uintptr_t)all->list[middle].chunk < (uintptr_t)c)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct share *
find(const struct shares *all, const struct chunk *c)
{
    const size_t i = position(all, c);

    return i < all->count && all->list[i].chunk == c ? &all->list[i] : NULL;
}

static struct share *
find_or_add(struct shares *all, struct chunk *c)
{
    const size_t i = position(all, c);

    if (i < all->count && all->list[i].chunk == c)
        return &all->list[i];
    if (all->count == all->room) {
        all->room = all->room > 0 ? 2 * all->room : 64;
        all->list = mem_array(all->list, all->room, sizeof *all->list);
    }
    memmove(&all->list[i + 1], &all->list[i], (all->count - i) * sizeof *all->list);
    all->count++;
    all->list[i] = (struct share){ .chunk = c };
    return &all->list[i];
}

/* ---- Over all lists that cannot move --------------------------------------- */

typedef uint64_t list_f(struct kafka_topic *t, struct kafka_pieces *list, struct shares *all,
                        uint64_t *bytes);

static bool
too_long(const struct kafka *k, uint64_t since)
{
    return clock_ms() - since > (uint64_t)(k->down ? DOWN_MS : KAFKA_STUCK_MS);
}

bool
kafka_lane_stuck(const struct kafka_lane *l)
{
    if (l->leader == KAFKA_NO_LEADER && clock_ms() - l->leaderless_at >= KAFKA_ELECTION_MS)
        return true;
    return l->doubt != DOUBT_NONE ||
           (l->state != LANE_IDLE && too_long(l->topic->kafka, l->moved_at));
}

static void
walk(struct kafka *k, list_f *each, struct shares *all)
{
    for (struct kafka_topic *t = k->topics; t != NULL; t = t->next) {
        const bool stuck = kafka_topic_stuck(t);
        uint64_t   bytes = 0, messages;

        if (stuck || (t->state == TOPIC_UNKNOWN && too_long(k, t->since)))
            t->unplaced_messages -= each(t, &t->unplaced, all, &bytes);
        for (int32_t i = 0; i < t->nlanes; i++) {
            struct kafka_lane *l = t->lanes[i];

            if (!stuck && !kafka_lane_stuck(l))
                continue;
            bytes = 0;
            messages = each(t, &l->waiting, all, &bytes);
            l->waiting_messages -= messages;
            l->waiting_bytes -= bytes;
            l->gave_up = l->gave_up || messages > 0;
        }
    }
}

static uint64_t
count_list(struct kafka_topic *t, struct kafka_pieces *list, struct shares *all, uint64_t *bytes)
{
    (void)bytes;
    for (const struct kafka_piece *p = list->first; p != NULL; p = p->next) {
        struct share *share = find_or_add(all, p->chunk);

        share->messages += p->count;
        share->pins++;
        share->topic = t;
    }
    return 0;
}

static uint64_t
bytes_of(const struct kafka_piece *p)
{
    uint64_t bytes = 0;

    for (uint32_t i = p->first; i < p->first + p->count; i++)
        bytes += p->chunk->messages[i].value_len + p->chunk->messages[i].key_len;
    return bytes;
}

static uint64_t
take_list(struct kafka_topic *t, struct kafka_pieces *list, struct shares *all, uint64_t *bytes)
{
    struct kafka       *k = t->kafka;
    struct kafka_pieces kept = { NULL, NULL };
    uint64_t            messages = 0;

    for (const struct kafka_piece *p = list->first; p != NULL; p = p->next) {
        const struct share *share = find(all, p->chunk);

        if (share != NULL && share->leaves) {
            messages += p->count;
            *bytes += bytes_of(p);
        } else {
            kafka_pieces_add(k, &kept, p->chunk, p->first, p->count);
        }
    }
    kafka_pieces_let_go(k, list);
    *list = kept;
    return messages;
}

/* ---- Who leaves ------------------------------------------------------------ */

/* All of it waits in such lists, or all that has not arrived; and nobody else points into
 * it: an output that is at_most_once may send what counts as arrived.  Without messages there
 * is nothing to wait for, but to be behind others. */
static bool
only_waits(const struct shares *all, const struct chunk *c)
{
    const struct share *share = find(all, c);
    const uint32_t      left = c->nmessages - c->acked;

    return (c->acked == 0 || all->arrived_too) && left == (share != NULL ? share->messages : 0) &&
           c->pins == (share != NULL ? share->pins : 0);
}

/* The last chunk of a source that has to stay, or NULL. */
static struct chunk *
last_to_stay(const struct shares *all, const struct source *s)
{
    struct chunk *last = s->window.passed;

    if (s->jobs > 0 || s->once)
        return s->window.newest;
    if ((all->arrived_too || s->parked) && last == NULL)
        last = s->window.oldest;        /* what follows it has arrived in part */
    for (struct chunk *c = last != NULL ? last->newer : s->window.oldest; c != NULL; c = c->newer)
        if (!only_waits(all, c))
            last = c;
    return last;
}

static void
judge(struct shares *all, struct source *s)
{
    struct chunk       *last = last_to_stay(all, s);
    struct kafka_topic *topic = NULL;
    bool                leaves = last == NULL;

    for (const struct chunk *c = s->window.oldest; c != NULL; c = c->newer) {
        struct share *share = find(all, c);

        if (share != NULL) {
            share->judged = true;
            share->leaves = leaves;
            if (leaves && topic == NULL)
                topic = share->topic;
        }
        leaves = leaves || c == last;
    }
    if (last != s->window.newest)
        all->cuts[all->ncuts++] = (struct cut){ s, last, topic };
}

static void
cut(struct kafka *k, struct shares *all)
{
    for (size_t i = 0; i < all->count; i++)
        all->list[i].judged = false;
    for (size_t i = 0; i < all->count; i++)
        if (!all->list[i].judged)
            judge(all, all->list[i].chunk->source);
    if (all->ncuts > 0)
        walk(k, take_list, all);
    for (size_t i = 0; i < all->ncuts; i++) {
        const struct cut *one = &all->cuts[i];

        pipeline_rewind(k->base.pipeline, one->source, one->last, "nothing takes its records now",
                        one->topic != NULL ? &one->topic->moves : NULL);
    }
}

void
kafka_yield(struct output *o)
{
    struct kafka *k = (struct kafka *)o;
    struct shares all = { .list = NULL };

    if (o->at_most_once) {
        kafka_forget_pressed(k);
        return;
    }
    walk(k, count_list, &all);
    all.cuts = mem_array(NULL, all.count + 1, sizeof *all.cuts);
    cut(k, &all);
    if (all.ncuts == 0 && pipeline_starving(o->pipeline) >= KAFKA_STUCK_MS) {
        all.arrived_too = true;
        cut(k, &all);
    }
    kafka_doubt_take_back(k);
    free(all.cuts);
    free(all.list);
}
