/* kafka_dead.c - dead letters on their way to a topic.
 *
 * A rejected message gets headers that say why and where it comes from, and goes
 * to a lane of dead_letter_topic like any other.  What it was stands before its
 * headers: one that this topic does not take either, or that has waited for it
 * for long, goes to the file as if there were no topic.  So it is never lost,
 * and is sent once.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/flow/pipeline.h"
#include "outputs/kafka.h"

enum { WAIT_MS = 5000, OUR_HEADERS = 5 };

/* What the message was; directly before its headers. */
struct kafka_dead {
    const struct headers *headers;
    struct slice          topic;
    int32_t               partition;
    const char           *reason;
};

_Static_assert(sizeof(struct kafka_dead) % 8 == 0, "headers stand behind it");

/* ---- Headers --------------------------------------------------------------- */

static const struct kafka_dead *
dead_of(const struct message *m)
{
    assert(m->state & MESSAGE_DEAD);
    return (const struct kafka_dead *)(const void *)m->headers - 1;
}

/* A longer list, with what stands before it. */
struct headers *
kafka_dead_headers(struct message *m, uint32_t more)
{
    const uint32_t    n = m->headers != NULL ? m->headers->count : 0;
    const size_t      size = sizeof(struct headers) + (n + more) * sizeof(struct header);
    struct kafka_dead *dead = arena_alloc(&m->chunk->arena, sizeof *dead + size);
    struct headers    *h = (struct headers *)(void *)(dead + 1);

    if (m->state & MESSAGE_DEAD)
        *dead = *dead_of(m);
    h->count = n;
    if (n > 0)
        memcpy(h->list, m->headers->list, n * sizeof h->list[0]);
    m->headers = h;
    return h;
}

static void
add_header(struct headers *h, const char *name, struct slice value)
{
    h->list[h->count++] = (struct header){ slice_of(name), value };
}

static struct slice
digits_of(struct arena *a, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, number);
    return arena_copy(a, slice_of(text));
}

/* ---- There ----------------------------------------------------------------- */

static void
mark_dead(const struct run *run, struct message *m, const char *reason)
{
    struct chunk           *c = m->chunk;
    const int32_t           partition = m->partition >= 0 ? m->partition : run->partition;
    const struct kafka_dead was = {
        .headers = m->headers, .topic = run->topic, .partition = partition,
        .reason = arena_copy(&c->arena, (struct slice){ reason, strlen(reason) + 1 }).ptr,
    };
    struct headers *h = kafka_dead_headers(m, OUR_HEADERS);

    ((struct kafka_dead *)(void *)h)[-1] = was;
    add_header(h, "stoker.error", slice_of(was.reason));
    add_header(h, "stoker.topic", was.topic);
    if (partition >= 0)
        add_header(h, "stoker.partition", digits_of(&c->arena, (uint64_t)partition));
    add_header(h, "stoker.source", c->path);
    add_header(h, "stoker.offset", digits_of(&c->arena, c->begin + m->at));
    m->partition = PARTITION_FREE;
    m->state = MESSAGE_DEAD;
}

static bool
has_waited(const struct kafka_topic *t)
{
    return kafka_topic_stuck(t) && clock_ms() - t->since >= WAIT_MS;
}

bool
kafka_dead_letter(struct output *o, const struct run *run, struct message *m, const char *reason)
{
    struct kafka *k = (struct kafka *)o;

    if (k->settings.dead_letter_topic == NULL)
        return false;
    assert(!(m->state & MESSAGE_DEAD));
    if (k->dead == NULL)
        k->dead = kafka_topic_get(k, slice_of(k->settings.dead_letter_topic));
    if (has_waited(k->dead))
        return false;
    (void)log_again(&k->told_dead, LOG_WARN,
                    "a record of '%.*s' for output '%s' was rejected: %s (it goes to topic '%s')",
                    SLICE_ARG(m->chunk->path), o->name, reason, k->dead->name);
    mark_dead(run, m, reason);
    kafka_topic_take(k->dead, &(struct run){
        .output = o, .topic = slice_of(k->dead->name), .partition = PARTITION_FREE,
        .chunk = m->chunk, .first = (uint32_t)(m - m->chunk->messages), .count = 1,
        .bytes = m->value_len + m->key_len,
    });
    return true;
}

/* ---- Not there ------------------------------------------------------------- */

void
kafka_dead_refused(struct kafka *k, struct message *m, const char *reason)
{
    const struct kafka_dead *dead = dead_of(m);
    const struct run         run = {
        .output = &k->base, .topic = dead->topic, .partition = dead->partition,
        .chunk = m->chunk, .first = (uint32_t)(m - m->chunk->messages), .count = 1,
    };
    struct error text;

    (void)error_set(&text, ERR_DATA, "%s; and topic '%s' did not take it: %s", dead->reason,
                    k->dead->name, reason);
    m->headers = dead->headers;
    m->partition = dead->partition;
    m->state = 0;
    pipeline_dead_letter(k->base.pipeline, &run, m, text.text);
}

static void
move_to_file(struct kafka *k, struct kafka_pieces *list, uint64_t *messages, uint64_t *bytes)
{
    struct kafka_pieces taken = *list;

    *list = (struct kafka_pieces){ NULL, NULL };
    for (const struct kafka_piece *p = taken.first; p != NULL; p = p->next)
        for (uint32_t i = p->first; i < p->first + p->count; i++) {
            struct message *m = &p->chunk->messages[i];

            if (!(m->state & MESSAGE_DEAD)) {
                kafka_pieces_add(k, list, p->chunk, i, 1);
                continue;
            }
            *messages -= 1;
            *bytes -= m->value_len + m->key_len;
            kafka_dead_refused(k, m, "it does not exist, or may not be written to");
        }
    kafka_pieces_let_go(k, &taken);
}

void
kafka_dead_waited(struct kafka_topic *t)
{
    uint64_t none = 0;

    if (t != t->kafka->dead || !has_waited(t))
        return;
    move_to_file(t->kafka, &t->unplaced, &t->unplaced_messages, &none);
    for (int32_t i = 0; i < t->nlanes; i++) {
        struct kafka_lane *l = t->lanes[i];

        if (l->state != LANE_OUT)
            move_to_file(t->kafka, &l->waiting, &l->waiting_messages, &l->waiting_bytes);
    }
}
