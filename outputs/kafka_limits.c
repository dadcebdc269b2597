/* kafka_limits.c - what a topic takes, asked for when it has refused something.
 *
 * A refusal says that a time is too far, or that a batch is too large, and not by
 * how much: halving finds out, at a few requests each time.  The topic's settings
 * say it at once.  Who may not describe them goes on by halving.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "outputs/kafka.h"

enum {
    ASK_AGAIN_MS = 5 * 60 * 1000,
    ANSWER_MS = 5000,
    BATCH_OVERHEAD = 100,       /* bytes of a batch that are no records (61), and some */
};

void
kafka_limits_ask(struct kafka_topic *t)
{
    struct kafka             *k = t->kafka;
    const uint64_t            now = clock_ms();
    rd_kafka_AdminOptions_t  *options;
    rd_kafka_ConfigResource_t *topic;
    char                      why[200];

    if (k->state != PRODUCER_THERE ||
        (t->limits_asked != 0 && now - t->limits_asked < ASK_AGAIN_MS))
        return;
    t->limits_asked = now;
    options = rd_kafka_AdminOptions_new(k->producer, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    topic = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, t->name);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, ANSWER_MS, why, sizeof why);
    rd_kafka_DescribeConfigs(k->producer, &topic, 1, options, k->queue);
    rd_kafka_ConfigResource_destroy(topic);
    rd_kafka_AdminOptions_destroy(options);
}

/* What is handed over at once is then never more than the topic takes, even if it
 * does not get smaller by compression. */
static void
take_size(struct kafka_topic *t, uint64_t limit)
{
    const uint64_t most = t->kafka->settings.batch_bytes;

    limit = limit > 2 * BATCH_OVERHEAD ? limit - BATCH_OVERHEAD : limit;
    t->most_bytes = limit < most ? limit : most;
    t->batch_bytes = t->most_bytes;
    t->successes = 0;
}

static void
take_limit(struct kafka_topic *t, const char *name, const char *value)
{
    struct kafka_times *limits = &t->times;
    const int64_t       limit = value != NULL ? strtoll(value, NULL, 10) : -1;
    const bool          both = strcmp(name, "message.timestamp.difference.max.ms") == 0;

    if (limit < 0)
        return;
    if (strcmp(name, "max.message.bytes") == 0)
        take_size(t, (uint64_t)limit);
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
        take_limit(t, rd_kafka_ConfigEntry_name(entries[i]),
                   rd_kafka_ConfigEntry_value(entries[i]));
    t->times.known = true;
}

void
kafka_limits_take(struct kafka *k, rd_kafka_event_t *event)
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
