/* kafka_topic.c - topics by name, and a place for every message.
 *
 * Workers place the messages of topics that are known.  What they could not
 * place waits here until the number of partitions is known, in order, and is
 * placed by the loop.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/hash.h"
#include "agent/base/mem.h"
#include "agent/flow/pipeline.h"
#include "agent/flow/source.h"
#include "outputs/kafka.h"

enum {
    FIRST_ROOM = 64,            /* slots of the table; doubled when half full */
    STICKY_MS = 1000,           /* the longest that keyless records keep to one lane */
    FRESH_MS = 1000,            /* a partition that was made meanwhile is no surprise */
};

/* ---- By name --------------------------------------------------------------- */

static struct kafka_topic *
look_up(const struct kafka_table *table, struct slice name, uint64_t hash)
{
    for (size_t i = hash;; i++) {
        struct kafka_topic *t = atomic_load_explicit(&table->slots[i & (table->room - 1)],
                                                     memory_order_acquire);

        if (t == NULL || (t->hash == hash && slice_is(name, t->name)))
            return t;
    }
}

struct kafka_topic *
kafka_topic_find(const struct kafka *k, struct slice name)
{
    const struct kafka_table *table = atomic_load_explicit(&k->table, memory_order_acquire);

    return table == NULL ? NULL : look_up(table, name, hash_bytes(name));
}

static void
insert(struct kafka_table *table, struct kafka_topic *t)
{
    size_t i = t->hash;

    while (atomic_load_explicit(&table->slots[i & (table->room - 1)], memory_order_relaxed) != NULL)
        i++;
    atomic_store_explicit(&table->slots[i & (table->room - 1)], t, memory_order_release);
}

/* A larger table; the old one stays, for who reads it just now. */
static struct kafka_table *
grow(struct kafka *k, struct kafka_table *old)
{
    const size_t        room = old != NULL ? 2 * old->room : FIRST_ROOM;
    struct kafka_table *table = mem_zero(sizeof *table + room * sizeof table->slots[0]);

    table->room = room;
    table->older = old;
    for (struct kafka_topic *t = k->topics; t != NULL; t = t->next)
        insert(table, t);
    atomic_store_explicit(&k->table, table, memory_order_release);
    return table;
}

static void
make_handle(struct kafka_topic *t)
{
    rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(t->kafka->producer);

    rd_kafka_topic_conf_set_opaque(conf, t);
    t->handle = rd_kafka_topic_new(t->kafka->producer, t->name, conf);
    t->limits_asked = 0;
    for (int32_t i = 0; i < t->max_lanes; i++)
        t->lanes[i]->met_at = 0;
    if (t->handle == NULL)      /* the name was checked: memory, or a fatal state */
        log_error("output '%s': topic '%s': %s", t->kafka->base.name, t->name,
                  rd_kafka_err2str(rd_kafka_last_error()));
}

struct kafka_topic *
kafka_topic_get(struct kafka *k, struct slice name)
{
    struct kafka_table *table = atomic_load_explicit(&k->table, memory_order_relaxed);
    struct kafka_topic *t = table != NULL ? look_up(table, name, hash_bytes(name)) : NULL;

    if (t != NULL)
        return t;
    if (table == NULL || 2 * (k->ntopics + 1) > table->room)
        table = grow(k, table);
    t = NEW(struct kafka_topic);
    t->kafka = k;
    t->name = mem_copy(name.ptr, name.len);
    t->hash = hash_bytes(name);
    t->since = t->sticky_since = clock_ms();
    t->batch_bytes = t->most_bytes = k->settings.batch_bytes;
    t->next = k->topics;
    k->topics = t;
    k->ntopics++;
    insert(table, t);
    if (k->state == PRODUCER_THERE)
        make_handle(t);
    kafka_metadata_ask_now(k);
    return t;
}

void
kafka_topics_new_handles(struct kafka *k)
{
    for (struct kafka_topic *t = k->topics; t != NULL; t = t->next)
        make_handle(t);
}

void
kafka_topics_drop_handles(struct kafka *k)
{
    for (struct kafka_topic *t = k->topics; t != NULL; t = t->next) {
        if (t->handle != NULL)
            rd_kafka_topic_destroy(t->handle);
        t->handle = NULL;
    }
}

/* ---- A place for a message ------------------------------------------------- */

static struct slice
counted_key(const struct kafka *k, struct slice key)
{
    return k->settings.ignore_keys ? NO_SLICE : key;
}

int32_t
kafka_topic_place(const struct output *o, const void *topic, struct slice key, uint64_t source)
{
    const struct kafka *k = (const struct kafka *)o;
    struct kafka_topic *t = (struct kafka_topic *)(uintptr_t)topic;     /* only its turn moves */
    const int32_t       count = atomic_load_explicit(&t->count, memory_order_relaxed);

    return kafka_partition(&k->how, count, counted_key(k, key), source, &t->turn);
}

int32_t
kafka_topic_place_among(const struct output *o, int32_t count, struct slice key, uint64_t source)
{
    const struct kafka *k = (const struct kafka *)o;

    return kafka_partition_of(&k->how, count, counted_key(k, key), source);
}

/* A lane that cannot move is no place for what could go elsewhere. */
static bool
is_shut(const struct kafka_lane *l)
{
    return l->state == LANE_RESTING || l->leader == KAFKA_NO_LEADER;
}

static uint64_t
load_of(const struct kafka_lane *l)
{
    return (is_shut(l) ? UINT64_MAX / 2 : 0) + l->waiting_bytes + l->out_bytes;
}

static struct kafka_lane *
emptiest(const struct kafka_topic *t)
{
    struct kafka_lane *best = NULL;

    for (int32_t i = 1; i <= t->nlanes; i++) {
        struct kafka_lane *l = t->lanes[(t->sticky + i) % t->nlanes];

        if (best == NULL || load_of(l) < load_of(best))
            best = l;
    }
    return best;
}

/* One lane until a batch went there, or for a while; then the one with the
 * least before it. */
static struct kafka_lane *
sticky_lane(struct kafka_topic *t, uint64_t bytes)
{
    const uint64_t now = clock_ms();

    if (t->sticky_bytes >= t->batch_bytes || now - t->sticky_since >= STICKY_MS ||
        is_shut(t->lanes[t->sticky])) {
        t->sticky = emptiest(t)->partition;
        t->sticky_bytes = 0;
        t->sticky_since = now;
    }
    t->sticky_bytes += bytes;
    return t->lanes[t->sticky];
}

/* ---- Places for many ------------------------------------------------------- */

/* Messages of one chunk that the loop has to place.  None of them is out, so
 * they may change their order in the array: those of a lane get side by side,
 * and stay in their order. */
struct placing {
    struct kafka_topic *topic;
    struct message     *messages;
    uint32_t            count;
    uint32_t           *bin_of;     /* of each message: its partition, or one of these: */
    uint32_t            sticky, nowhere, nbins;
    uint32_t           *counts;     /* of each bin */
};

static uint32_t
choose_bin(const struct placing *p, const struct message *m)
{
    struct kafka_topic *t = p->topic;
    int32_t             partition = m->partition;

    if (partition == PARTITION_FREE)
        partition = kafka_topic_place(&t->kafka->base, t, message_key(m),
                                      source_number(m->chunk->source));
    if (partition == PARTITION_FREE)
        return p->sticky;
    return partition < t->nlanes ? (uint32_t)partition : p->nowhere;
}

/* Those that may go anywhere go where others of the chunk go too: in their order. */
static void
settle_sticky(struct placing *p)
{
    uint64_t bytes = 0;
    uint32_t bin;

    if (p->counts[p->sticky] == 0)
        return;
    for (uint32_t i = 0; i < p->count; i++)
        if (p->bin_of[i] == p->sticky)
            bytes += p->messages[i].value_len + p->messages[i].key_len;
    bin = (uint32_t)sticky_lane(p->topic, bytes)->partition;
    for (uint32_t i = 0; i < p->count; i++)
        if (p->bin_of[i] == p->sticky)
            p->bin_of[i] = bin;
    p->counts[bin] += p->counts[p->sticky];
    p->counts[p->sticky] = 0;
}

/* A stable counting sort, unless all are in one bin. */
static void
sort(struct placing *p)
{
    uint32_t       *next;
    struct message *sorted;

    for (uint32_t i = 0; i < p->count; i++) {
        p->bin_of[i] = choose_bin(p, &p->messages[i]);
        p->counts[p->bin_of[i]]++;
    }
    settle_sticky(p);
    if (p->counts[p->bin_of[0]] == p->count)
        return;
    next = mem_zero(p->nbins * sizeof *next);
    sorted = mem_array(NULL, p->count, sizeof *sorted);
    for (uint32_t bin = 1; bin < p->nbins; bin++)
        next[bin] = next[bin - 1] + p->counts[bin - 1];
    for (uint32_t i = 0; i < p->count; i++)
        sorted[next[p->bin_of[i]]++] = p->messages[i];
    memcpy(p->messages, sorted, p->count * sizeof *sorted);
    free(sorted);
    free(next);
}

static void
reject(struct kafka_topic *t, struct message *m)
{
    struct kafka    *k = t->kafka;
    const struct run run = {
        .output = &k->base, .topic = slice_of(t->name), .partition = m->partition,
        .chunk = m->chunk, .first = (uint32_t)(m - m->chunk->messages), .count = 1,
    };
    struct error reason;

    t->report.rejected++;
    (void)error_set(&reason, ERR_DATA, "topic '%s' has %d partitions, not partition %d", t->name,
                    (int)t->nlanes, (int)m->partition);
    pipeline_rejected(k->base.pipeline, &run, m, reason.text);
}

static void
place_bin(const struct placing *p, uint32_t bin, uint32_t first)
{
    struct kafka_topic *t = p->topic;
    struct chunk       *c = p->messages->chunk;
    const uint32_t      begin = (uint32_t)(p->messages - c->messages) + first;
    uint64_t            bytes = 0;

    for (uint32_t i = begin; i < begin + p->counts[bin]; i++) {
        bytes += c->messages[i].value_len + c->messages[i].key_len;
        if (bin == p->nowhere)
            reject(t, &c->messages[i]);
    }
    if (bin != p->nowhere)
        kafka_lane_add_run(t->lanes[bin], c, begin, p->counts[bin], bytes);
}

static void
place_each(struct kafka_topic *t, struct chunk *c, uint32_t first, uint32_t count)
{
    const uint32_t n = (uint32_t)t->nlanes;
    struct placing p = { .topic = t, .messages = &c->messages[first], .count = count,
                         .sticky = n, .nowhere = n + 1, .nbins = n + 2 };
    uint32_t       at = 0;

    p.bin_of = mem_array(NULL, count, sizeof *p.bin_of);
    p.counts = mem_zero(p.nbins * sizeof *p.counts);
    sort(&p);
    for (uint32_t bin = 0; bin < p.nbins; bin++) {
        if (p.counts[bin] > 0)
            place_bin(&p, bin, at);
        at += p.counts[bin];
    }
    free(p.bin_of);
    free(p.counts);
}

static void
place_pieces(struct kafka_topic *t, struct kafka_pieces *list)
{
    struct kafka_pieces taken = *list;

    *list = (struct kafka_pieces){ NULL, NULL };
    for (const struct kafka_piece *p = taken.first; p != NULL; p = p->next)
        place_each(t, p->chunk, p->first, p->count);
    kafka_pieces_let_go(t->kafka, &taken);
}

static void
place_unplaced(struct kafka_topic *t)
{
    t->unplaced_messages = 0;
    place_pieces(t, &t->unplaced);
}

/* A worker that did not know the topic placed nothing; one that knew it when it
 * had more partitions placed into nothing.  And a partition that is asked for by its number
 * may have been added: it waits for the next answer, unless the last one has just come. */
void
kafka_topic_take(struct kafka_topic *t, const struct run *run)
{
    if (t->nlanes == 0) {
        kafka_pieces_add(t->kafka, &t->unplaced, run->chunk, run->first, run->count);
        t->unplaced_messages += run->count;
        if (t->seen == 0)
            kafka_metadata_ask(t->kafka);
    } else if (run->place == NULL || run->partition >= t->nlanes) {
        kafka_pieces_add(t->kafka, &t->unplaced, run->chunk, run->first, run->count);
        t->unplaced_messages += run->count;
        if (run->partition >= t->nlanes && clock_ms() - t->known_at > FRESH_MS)
            kafka_metadata_ask(t->kafka);
        else
            place_unplaced(t);
    } else {
        struct kafka_lane *l = run->partition == PARTITION_FREE ? sticky_lane(t, run->bytes)
                                                                : t->lanes[run->partition];

        kafka_lane_add_run(l, run->chunk, run->first, run->count, run->bytes);
    }
}

/* ---- How many partitions --------------------------------------------------- */

/* Pieces by source, then in its order. */
static int
compare_pieces(const void *x, const void *y)
{
    const struct kafka_piece *a = *(const struct kafka_piece *const *)x;
    const struct kafka_piece *b = *(const struct kafka_piece *const *)y;
    const struct chunk       *c = a->chunk, *d = b->chunk;

    if (c == d)
        return (a->first > b->first) - (a->first < b->first);
    if (c->source != d->source)
        return (uintptr_t)c->source < (uintptr_t)d->source ? -1 : 1;
    return (c->begin > d->begin) - (c->begin < d->begin);
}

static int
compare_messages(const void *x, const void *y)
{
    const struct message *a = x, *b = y;

    return (a->at > b->at) - (a->at < b->at);
}

/* The messages of some pieces of one chunk change places among themselves, so that
 * they stand in the order of their records again. */
static void
restore_order(struct kafka_piece **pieces, size_t count)
{
    struct message *all = NULL;
    size_t          n = 0, room = 0;

    for (size_t i = 0; i < count; i++)
        room += pieces[i]->count;
    all = mem_array(NULL, room, sizeof *all);
    for (size_t i = 0; i < count; i++) {
        memcpy(&all[n], &pieces[i]->chunk->messages[pieces[i]->first],
               pieces[i]->count * sizeof *all);
        n += pieces[i]->count;
    }
    qsort(all, n, sizeof *all, compare_messages);
    n = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(&pieces[i]->chunk->messages[pieces[i]->first], &all[n],
               pieces[i]->count * sizeof *all);
        n += pieces[i]->count;
    }
    free(all);
}

/* Everything that waits gets a place among the partitions that are there now, and no
 * record overtakes one of its source that was in another lane. */
static void
place_again(struct kafka_topic *t, struct kafka_pieces *list)
{
    struct kafka_piece **pieces;
    size_t               count = 0, first = 0;

    for (struct kafka_piece *p = list->first; p != NULL; p = p->next)
        count++;
    pieces = mem_array(NULL, count + 1, sizeof *pieces);
    count = 0;
    for (struct kafka_piece *p = list->first; p != NULL; p = p->next)
        pieces[count++] = p;
    qsort(pieces, count, sizeof *pieces, compare_pieces);
    for (size_t i = 1; i <= count; i++)
        if (i == count || pieces[i]->chunk != pieces[first]->chunk) {
            restore_order(&pieces[first], i - first);
            first = i;
        }
    for (size_t i = 0; i < count; i++)
        place_each(t, pieces[i]->chunk, pieces[i]->first, pieces[i]->count);
    free(pieces);
    kafka_pieces_let_go(t->kafka, list);
}

/* The topic was made again with fewer partitions.  What is out comes back first,
 * meanwhile nothing more is handed over; metadata is asked for until that is so. */
static void
shrink(struct kafka_topic *t, int32_t count)
{
    const int32_t       before = t->nlanes;
    struct kafka_pieces waiting = { NULL, NULL };

    t->shrinks = true;
    for (int32_t i = 0; i < before; i++)
        if (t->lanes[i]->state == LANE_OUT) {
            kafka_metadata_ask(t->kafka);
            return;
        }
    log_warn("output '%s': topic '%s' has %d partitions now, not %d", t->kafka->base.name,
             t->name, (int)count, (int)before);
    t->shrinks = false;
    t->nlanes = count;
    t->sticky %= count;
    atomic_store_explicit(&t->count, count, memory_order_relaxed);
    for (int32_t i = 0; i < before; i++) {
        struct kafka_lane *l = t->lanes[i];

        l->waiting_bytes = l->waiting_messages = 0;
        kafka_pieces_prepend(&l->waiting, &waiting);
        waiting = l->waiting;
        l->waiting = (struct kafka_pieces){ NULL, NULL };
    }
    place_again(t, &waiting);
}

static void
grow_lanes(struct kafka_topic *t, int32_t count)
{
    if (count > t->max_lanes)
        t->lanes = mem_array(t->lanes, (size_t)count, sizeof(*t->lanes));
    for (; t->max_lanes < count; t->max_lanes++)
        t->lanes[t->max_lanes] = kafka_lane_new(t, t->max_lanes);
    t->nlanes = count;
    atomic_store_explicit(&t->count, count, memory_order_relaxed);
}

void
kafka_topic_resize(struct kafka_topic *t, int32_t count)
{
    if (count < t->nlanes) {
        shrink(t, count);
    } else {
        t->shrinks = false;
        grow_lanes(t, count);
    }
    if (!t->shrinks)
        place_unplaced(t);
}

bool
kafka_topic_stuck(const struct kafka_topic *t)
{
    return t->state == TOPIC_MISSING || t->state == TOPIC_FORBIDDEN || t->state == TOPIC_ILLEGAL;
}

/* ---- The end --------------------------------------------------------------- */

void
kafka_topics_let_go(struct kafka *k)
{
    for (struct kafka_topic *t = k->topics; t != NULL; t = t->next) {
        kafka_pieces_let_go(k, &t->unplaced);
        for (int32_t i = 0; i < t->max_lanes; i++) {
            kafka_pieces_let_go(k, &t->lanes[i]->waiting);
            kafka_pieces_let_go(k, &t->lanes[i]->out);
        }
    }
}

void
kafka_topics_free(struct kafka *k)
{
    struct kafka_table *table = atomic_load(&k->table);

    while (k->topics != NULL) {
        struct kafka_topic *t = k->topics;

        k->topics = t->next;
        for (int32_t i = 0; i < t->max_lanes; i++)
            kafka_lane_free(t->lanes[i]);
        free(t->lanes);
        free(t->name);
        free(t);
    }
    while (table != NULL) {
        struct kafka_table *older = table->older;

        free(table);
        table = older;
    }
}
