/* kafka_yield.c - memory that only waits is given back.
 *
 * A topic that takes nothing must not hold the memory of the others.  A source
 * all of whose messages wait for such topics is rewound: its chunks are freed
 * and read again later.  A source that feeds others too keeps its window.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>

#include "agent/base/mem.h"
#include "agent/flow/pipeline.h"
#include "agent/flow/source.h"
#include "outputs/kafka.h"

/* How many messages of a source wait in lists that cannot move. */
struct share {
    struct source *source;
    uint64_t       messages;
    bool           leaves;
};

struct shares {
    struct share *list;         /* in the order of the sources' addresses */
    size_t        count, room;
};

/* ---- By source ------------------------------------------------------------- */

/* Where it stands, or would stand. */
static size_t
position(const struct shares *all, const struct source *s)
{
    size_t low = 0, high = all->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if ((uintptr_t)all->list[middle].source < (uintptr_t)s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct share *
find(const struct shares *all, const struct source *s)
{
    const size_t i = position(all, s);

    return i < all->count && all->list[i].source == s ? &all->list[i] : NULL;
}

static struct share *
find_or_add(struct shares *all, struct source *s)
{
    const size_t i = position(all, s);

    if (i < all->count && all->list[i].source == s)
        return &all->list[i];
    if (all->count == all->room) {
        all->room = all->room > 0 ? 2 * all->room : 64;
        all->list = mem_array(all->list, all->room, sizeof *all->list);
    }
    memmove(&all->list[i + 1], &all->list[i], (all->count - i) * sizeof *all->list);
    all->count++;
    all->list[i] = (struct share){ s, 0, false };
    return &all->list[i];
}

/* ---- Over all lists that cannot move --------------------------------------- */

typedef uint64_t list_f(struct kafka *k, struct kafka_pieces *list, struct shares *all,
                        uint64_t *bytes);

static void
walk(struct kafka *k, list_f *each, struct shares *all)
{
    for (struct kafka_topic *t = k->topics; t != NULL; t = t->next) {
        uint64_t bytes = 0;

        if (!kafka_topic_stuck(t))
            continue;
        t->unplaced_messages -= each(k, &t->unplaced, all, &bytes);
        for (int32_t i = 0; i < t->nlanes; i++) {
            struct kafka_lane *l = t->lanes[i];

            if (l->state == LANE_OUT)
                continue;
            bytes = 0;
            l->waiting_messages -= each(k, &l->waiting, all, &bytes);
            l->waiting_bytes -= bytes;
        }
    }
}

static uint64_t
count_list(struct kafka *k, struct kafka_pieces *list, struct shares *all, uint64_t *bytes)
{
    (void)k;
    (void)bytes;
    for (const struct kafka_piece *p = list->first; p != NULL; p = p->next)
        find_or_add(all, p->chunk->source)->messages += p->count;
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
take_list(struct kafka *k, struct kafka_pieces *list, struct shares *all, uint64_t *bytes)
{
    struct kafka_pieces kept = { NULL, NULL };
    uint64_t            messages = 0;

    for (const struct kafka_piece *p = list->first; p != NULL; p = p->next) {
        const struct share *share = find(all, p->chunk->source);

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

/* All that this source has out waits in such lists, and nothing of it arrived. */
static bool
waits_only_here(const struct share *share)
{
    uint64_t messages = 0;

    if (share->source->jobs > 0 || share->source->once)
        return false;
    for (const struct chunk *c = share->source->window.oldest; c != NULL; c = c->newer) {
        if (c->acked > 0)
            return false;
        messages += c->nmessages;
    }
    return messages == share->messages;
}

void
kafka_yield(struct output *o)
{
    struct kafka *k = (struct kafka *)o;
    struct shares all = { NULL, 0, 0 };
    size_t        leaving = 0;

    if (o->at_most_once) {
        kafka_forget_pressed(k);
        return;
    }
    walk(k, count_list, &all);
    for (size_t i = 0; i < all.count; i++) {
        all.list[i].leaves = waits_only_here(&all.list[i]);
        leaving += all.list[i].leaves;
    }
    if (leaving > 0)
        walk(k, take_list, &all);
    for (size_t i = 0; i < all.count; i++)
        if (all.list[i].leaves)
            pipeline_rewind(o->pipeline, all.list[i].source, "its topic takes no records");
    free(all.list);
}
