/* kafka_times.c - times that a topic does not take.
 *
 * A broker refuses a batch if the time of a record in it is too far from its own.
 * That record is sent with the time of sending, and its own in a header.  Which
 * one it is the broker does not say: halving the batch finds it, two requests or
 * more for every such record.  So with the first the topic's limits are asked for,
 * and whatever is refused alone teaches a limit too: after that most are mended
 * before they are sent.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "outputs/kafka.h"

enum { ASK_AGAIN_MS = 5 * 60 * 1000, ANSWER_MS = 5000 };

/* ---- A message -------------------------------------------------------------- */

/* How far ahead of now; behind is negative. */
static int64_t
distance(const struct message *m)
{
    return m->timestamp - clock_epoch_ms();
}

static bool
is_too_far(const struct kafka_times *limits, int64_t ahead)
{
    return ahead > limits->ahead || -ahead > limits->behind;
}

static void
mend(struct message *m)
{
    struct headers *h = kafka_dead_headers(m, 1);
    char            digits[24];

    snprintf(digits, sizeof digits, "%" PRId64, m->timestamp);
    h->list[h->count++] = (struct header){ SLICE("stoker.timestamp"),
                                           arena_copy(&m->chunk->arena, slice_of(digits)) };
    m->timestamp = NO_TIMESTAMP;
}

void
kafka_times_check(struct kafka_topic *t, struct message *m)
{
    if (is_too_far(&t->times, distance(m)))
        mend(m);
}

/* ---- Asking for the limits -------------------------------------------------- */

static void
ask(struct kafka_topic *t)
{
    struct kafka             *k = t->kafka;
    const uint64_t            now = clock_ms();
    rd_kafka_AdminOptions_t  *options;
    rd_kafka_ConfigResource_t *topic;
    char                      why[200];

    if (k->state != PRODUCER_THERE || (t->times.asked_at != 0 &&
                                       now - t->times.asked_at < ASK_AGAIN_MS))
        return;
    t->times.asked_at = now;
    options = rd_kafka_AdminOptions_new(k->producer, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    topic = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, t->name);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, ANSWER_MS, why, sizeof why);
    rd_kafka_DescribeConfigs(k->producer, &topic, 1, options, k->queue);
    rd_kafka_ConfigResource_destroy(topic);
    rd_kafka_AdminOptions_destroy(options);
}

static void
take_limit(struct kafka_times *limits, const char *name, const char *value)
{
    const int64_t limit = value != NULL ? strtoll(value, NULL, 10) : -1;
    const bool    both = strcmp(name, "message.timestamp.difference.max.ms") == 0;

    if (limit < 0)
        return;
    if ((both || strcmp(name, "message.timestamp.before.max.ms") == 0) && limit < limits->behind)
        limits->behind = limit;
    if ((both || strcmp(name, "message.timestamp.after.max.ms") == 0) && limit < limits->ahead)
        limits->ahead = limit;
}

static void
take_topic(struct kafka *k, const rd_kafka_ConfigResource_t *resource)
{
    struct kafka_topic            *t = kafka_topic_find(
        k, slice_of(rd_kafka_ConfigResource_name(resource)));
    const rd_kafka_ConfigEntry_t **entries;
    size_t                         count;

    if (t == NULL || rd_kafka_ConfigResource_error(resource) != 0)
        return;                     /* we may not ask: what is refused teaches us */
    t->times.ahead = t->times.behind = INT64_MAX;
    entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++)
        take_limit(&t->times, rd_kafka_ConfigEntry_name(entries[i]),
                   rd_kafka_ConfigEntry_value(entries[i]));
    t->times.known = true;
}

void
kafka_times_answer(struct kafka *k, rd_kafka_event_t *event)
{
    const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result(event);
    const rd_kafka_ConfigResource_t        **resources;
    size_t                                   count;

    if (rd_kafka_event_error(event) != 0)
        return;
    resources = rd_kafka_DescribeConfigs_result_resources(result, &count);
    for (size_t i = 0; i < count; i++)
        take_topic(k, resources[i]);
}

/* ---- A batch that was refused ----------------------------------------------- */

/* What was refused alone is too far, and so is whatever is further. */
static void
learn(struct kafka_times *limits, int64_t ahead)
{
    if (!limits->known)
        limits->ahead = limits->behind = INT64_MAX;
    if (ahead > 0 && ahead - 1 < limits->ahead)
        limits->ahead = ahead - 1;
    if (ahead < 0 && -ahead - 1 < limits->behind)
        limits->behind = -ahead - 1;
    limits->known = true;
}

bool
kafka_times_refused(struct kafka_lane *l)
{
    struct kafka_topic *t = l->topic;
    struct message     *first = &l->out.first->chunk->messages[l->out.first->first];
    bool                mended = false;

    ask(t);
    if (l->out_messages == 1 && first->timestamp != NO_TIMESTAMP) {
        learn(&t->times, distance(first));
        mend(first);
        return true;
    }
    for (const struct kafka_piece *p = l->out.first; p != NULL && t->times.known; p = p->next)
        for (uint32_t i = p->first; i < p->first + p->count; i++) {
            struct message *m = &p->chunk->messages[i];

            if (m->timestamp != NO_TIMESTAMP && is_too_far(&t->times, distance(m))) {
                mend(m);
                mended = true;
            }
        }
    return mended;
}
