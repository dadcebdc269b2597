/* kafka_limits.c - what a topic takes.
 *
 * A broker refuses a whole batch for one record in it, if that is too large or its time
 * too far away, and does not say by how much.  Halving finds out, at a few requests each
 * time; and if librdkafka has cut the batch, its second part overtakes what was refused
 * (agent/notes/split_batches.md).  The topic's settings say it before, so nothing is placed
 * in a topic until the cluster has been asked for them.  Who may not describe them goes on without,
 * and learns by halving.
 *
 * While the broker that is asked cannot be reached, librdkafka tries to connect without a pause;
 * so after a request without answer there is none for new topics until records arrive.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "outputs/kafka.h"

enum {
    ASK_AGAIN_MS = 5 * 60 * 1000,
    ANSWER_MS = 3000,
    BATCH_OVERHEAD = 100,       /* bytes of a batch that are no records (61), and some */
};

/* ---- Asking ---------------------------------------------------------------- */

/* One request for some topics.  It goes to the broker that has just told of them: the
 * controller, whom librdkafka would ask, may be away. */
static void
ask(struct kafka *k, rd_kafka_ConfigResource_t **topics, size_t count)
{
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(
        k->producer, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    char                     why[200];

    (void)rd_kafka_AdminOptions_set_request_timeout(options, ANSWER_MS, why, sizeof why);
    (void)rd_kafka_AdminOptions_set_broker(options, k->answered_by, why, sizeof why);
    rd_kafka_DescribeConfigs(k->producer, topics, count, options, k->queue);
    rd_kafka_ConfigResource_destroy_array(topics, count);
    rd_kafka_AdminOptions_destroy(options);
}

static rd_kafka_ConfigResource_t *
resource_of(struct kafka_topic *t)
{
    t->limits_asked = clock_ms();
    return rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, t->name);
}

void
kafka_limits_ask(struct kafka_topic *t)
{
    rd_kafka_ConfigResource_t *topic;

    if (t->kafka->state != PRODUCER_THERE ||
        (t->limits_asked != 0 && clock_ms() - t->limits_asked < ASK_AGAIN_MS))
        return;
    topic = resource_of(t);
    ask(t->kafka, &topic, 1);
}

static bool
is_new(const struct kafka_topic *t)
{
    return t->seen > 0 && !t->limits_heard && t->limits_asked == 0;
}

/* They have been heard of, as far as they can be. */
static void
go_on(struct kafka *k, bool (*concerns)(const struct kafka_topic *t))
{
    for (struct kafka_topic *t = k->topics; t != NULL; t = t->next)
        if (!t->limits_heard && concerns(t)) {
            t->limits_heard = true;
            kafka_topic_resize(t, t->seen);
        }
}

void
kafka_limits_ask_first(struct kafka *k)
{
    rd_kafka_ConfigResource_t **topics;
    size_t                      count = 0;

    if (k->unanswered)
        go_on(k, is_new);
    for (const struct kafka_topic *t = k->topics; t != NULL; t = t->next)
        count += is_new(t);
    if (count == 0 || k->state != PRODUCER_THERE)
        return;
    topics = mem_array(NULL, count, sizeof(*topics));
    count = 0;
    for (struct kafka_topic *t = k->topics; t != NULL; t = t->next)
        if (is_new(t))
            topics[count++] = resource_of(t);
    ask(k, topics, count);
    free(topics);
}

/* ---- The answer ------------------------------------------------------------ */

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

/* KIP-32 and KIP-937. */
static void
take_limit(struct kafka_topic *t, const char *name, const char *value)
{
    struct kafka_times *limits = &t->times;
    const int64_t       limit = strtoll(value, NULL, 10);
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
take_topic(struct kafka_topic *t, const rd_kafka_ConfigResource_t *resource)
{
    const rd_kafka_ConfigEntry_t **entries;
    size_t                         count;
    bool                           ignores_times = false;

    if (rd_kafka_ConfigResource_error(resource) != 0)
        return;                     /* we may not ask: what is refused teaches us */
    t->times.ahead = t->times.behind = INT64_MAX;
    entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = rd_kafka_ConfigEntry_name(entries[i]);
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);

        if (value == NULL)
            continue;
        if (strcmp(name, "message.timestamp.type") == 0)
            ignores_times = strcmp(value, "LogAppendTime") == 0;
        else
            take_limit(t, name, value);
    }
    t->times.known = !ignores_times;
}

static bool
was_asked(const struct kafka_topic *t)
{
    return t->limits_asked != 0;
}

static void
take_topics(struct kafka *k, const rd_kafka_DescribeConfigs_result_t *result)
{
    size_t                            count;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(result, &count);

    for (size_t i = 0; i < count; i++) {
        struct kafka_topic *t = kafka_topic_find(
            k, slice_of(rd_kafka_ConfigResource_name(resources[i])));

        if (t != NULL)
            take_topic(t, resources[i]);
    }
}

void
kafka_limits_take(struct kafka *k, rd_kafka_event_t *event)
{
    if (rd_kafka_event_error(event) != 0)
        k->unanswered = true;
    else
        take_topics(k, rd_kafka_event_DescribeConfigs_result(event));
    go_on(k, was_asked);
}
