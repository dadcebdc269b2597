/* target.c - see target.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/target.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/hash.h"
#include "agent/base/mem.h"
#include "agent/flow/output.h"

enum {
    INDEXED_PARTITIONS = 1024,  /* runs of higher ones are searched */
    NOWHERE = UINT32_MAX,
};

void
targets_begin(struct targets *all, struct chunk *c)
{
    all->chunk = c;
    all->count = all->last = 0;
    memset(all->buckets, 0xff, sizeof all->buckets);
}

void
targets_fini(struct targets *all)
{
    for (uint32_t i = 0; i < all->room; i++)
        free(all->list[i].runs);
    free(all->list);
}

static struct target *
add(struct targets *all, struct output *output, struct slice topic)
{
    struct target *t;

    if (all->count == all->room) {
        const uint32_t room = all->room > 0 ? 2 * all->room : 4;

        all->list = mem_array(all->list, room, sizeof *all->list);
        memset(all->list + all->room, 0, (room - all->room) * sizeof *all->list);
        all->room = room;
    }
    t = &all->list[all->count++];
    t->output = output;
    t->topic = topic;
    t->place = output->ops->topic != NULL ? output->ops->topic(output, topic) : NULL;
    if (t->nruns > 0)
        memset(t->runs, 0xff, t->nruns * sizeof *t->runs);
    return t;
}

static bool
is_target(const struct target *t, const struct output *output, struct slice topic)
{
    return t->output == output && t->topic.len == topic.len &&
           (t->topic.ptr == topic.ptr || slice_equal(t->topic, topic));
}

struct target *
targets_find(struct targets *all, struct output *output, struct slice topic, bool lasting)
{
    uint32_t      *bucket;
    struct target *t;

    if (all->count > 0 && is_target(&all->list[all->last], output, topic))
        return &all->list[all->last];
    bucket = &all->buckets[hash_bytes(topic) % TARGET_BUCKETS];
    for (uint32_t i = *bucket; i != NOWHERE; i = all->list[i].next)
        if (is_target(&all->list[i], output, topic)) {
            all->last = i;
            return &all->list[i];
        }
    t = add(all, output, lasting ? topic : arena_copy(&all->chunk->arena, topic));
    t->next = *bucket;
    *bucket = all->last = all->count - 1;
    return t;
}

static uint32_t
new_run(struct targets *all, const struct target *t, int32_t partition, const char *reject)
{
    struct run *run = chunk_add_run(all->chunk, t->output, t->topic, t->place, partition);

    run->reject = reject;
    return all->chunk->nruns - 1;
}

static uint32_t
search_run(struct targets *all, const struct target *t, int32_t partition, const char *reject)
{
    for (uint32_t i = 0; i < all->chunk->nruns; i++) {
        const struct run *run = &all->chunk->runs[i];

        if (run->output == t->output && run->partition == partition && run->reject == reject &&
            slice_equal(run->topic, t->topic))
            return i;
    }
    return new_run(all, t, partition, reject);
}

uint32_t
target_run(struct targets *all, struct target *t, int32_t partition)
{
    const uint32_t slot = (uint32_t)partition + 1;

    if (slot >= INDEXED_PARTITIONS)
        return search_run(all, t, partition, NULL);
    if (slot >= t->nruns) {
        const uint32_t n = slot < 15 ? 16 : INDEXED_PARTITIONS;

        t->runs = mem_array(t->runs, n, sizeof *t->runs);
        memset(t->runs + t->nruns, 0xff, (n - t->nruns) * sizeof *t->runs);
        t->nruns = n;
    }
    if (t->runs[slot] == NOWHERE)
        t->runs[slot] = new_run(all, t, partition, NULL);
    return t->runs[slot];
}

uint32_t
target_rejected_run(struct targets *all, const struct target *t, const char *reason)
{
    return search_run(all, t, PARTITION_FREE, reason);
}
