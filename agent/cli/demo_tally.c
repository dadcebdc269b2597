/* demo_tally.c - see demo_tally.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/cli/demo_tally.h"

#include <assert.h>
#include <stdlib.h>

#include "agent/base/hash.h"
#include "agent/base/mem.h"

enum {
    FIRST_PLACES = 64,          /* a power of two */
    BUCKET_NS = 100000,
    BUCKETS = 100000,           /* 10 s; the last one takes all that is older */
};

void
demo_tally_init(struct demo_tally *t)
{
    *t = (struct demo_tally){ .returned.steps = mem_zero(BUCKETS * sizeof(uint32_t)),
                              .acked.steps = mem_zero(BUCKETS * sizeof(uint32_t)) };
}

void
demo_tally_fini(struct demo_tally *t)
{
    free(t->keys);
    free(t->returned.steps);
    free(t->acked.steps);
    *t = (struct demo_tally){ .records = 0 };
}

/* ---- Keys --------------------------------------------------------------- */

/* The place of a key: where it stands, or the free one where it belongs. */
static struct demo_key *
find_place(const struct demo_tally *t, uint64_t hash)
{
    size_t i = hash & (t->places - 1);

    while (t->keys[i].partition != -1 && t->keys[i].hash != hash)
        i = (i + 1) & (t->places - 1);
    return &t->keys[i];
}

static void
grow_table(struct demo_tally *t)
{
    struct demo_key *old = t->keys;
    const size_t     n = t->places;

    t->places = n == 0 ? FIRST_PLACES : 2 * n;
    t->keys = mem_array(NULL, t->places, sizeof(*t->keys));
    for (size_t i = 0; i < t->places; i++)
        t->keys[i].partition = -1;
    for (size_t i = 0; i < n; i++)
        if (old[i].partition != -1)
            *find_place(t, old[i].hash) = old[i];
    free(old);
}

static void
check_key(struct demo_tally *t, struct slice key, int32_t partition)
{
    const uint64_t   hash = hash_bytes(key);
    struct demo_key *k;

    if (2 * t->nkeys >= t->places)
        grow_table(t);
    k = find_place(t, hash);
    if (k->partition == -1) {
        *k = (struct demo_key){ hash, partition };
        t->nkeys++;
    }
    t->moved += k->partition != partition;
}

/* ---- Ages --------------------------------------------------------------- */

static void
add_ages(struct demo_ages *a, uint64_t records, uint64_t age_ns)
{
    const uint64_t bucket = age_ns / BUCKET_NS;

    a->steps[bucket < BUCKETS ? bucket : BUCKETS - 1] += (uint32_t)records;
    a->count += records;
}

double
demo_tally_age(const struct demo_ages *a, unsigned percent)
{
    uint64_t left = (a->count * percent + 99) / 100;
    size_t   i = 0;

    for (; i < BUCKETS - 1 && left > a->steps[i]; i++)
        left -= a->steps[i];
    return (double)(i + 1) * BUCKET_NS / 1e6;
}

/* ---- Records ------------------------------------------------------------ */

void
demo_tally_add(struct demo_tally *t, const struct kafka_demo_record *r, uint64_t age_ns)
{
    assert(r->partition >= 0 && r->partition < DEMO_PARTITIONS);
    t->jumps += r->offset != (int64_t)t->in_partition[r->partition];
    t->in_partition[r->partition]++;
    t->records++;
    add_ages(&t->returned, 1, age_ns);
    if (r->key.ptr == NULL)
        t->keyless++;
    else
        check_key(t, r->key, r->partition);
}

void
demo_tally_acked(struct demo_tally *t, uint64_t records, uint64_t age_ns)
{
    if (records > t->acked.count)
        add_ages(&t->acked, records - t->acked.count, age_ns);
}

unsigned
demo_tally_partitions(const struct demo_tally *t)
{
    unsigned used = 0;

    for (size_t i = 0; i < DEMO_PARTITIONS; i++)
        used += t->in_partition[i] > 0;
    return used;
}

bool
demo_tally_sound(const struct demo_tally *t)
{
    return t->moved == 0 && t->jumps == 0;
}
