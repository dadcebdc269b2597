/* kafka_metadata.c - how many partitions a topic has, and whether there is one.
 *
 * Asked for by a job, one request for all topics: at once for a topic that is
 * new, with a back-off while one is in trouble, and now and then for those that
 * are known.  Without topics nothing is asked.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <inttypes.h>
#include <time.h>

#include "agent/base/clock.h"
#include "agent/flow/pipeline.h"
#include "outputs/kafka.h"

enum {
    ASK_TIMEOUT_MS = 2000,
    TELL_AFTER_MS = 5000,       /* a topic that is just being made is no news */
};

/* ---- Troubles of a topic --------------------------------------------------- */

static uint64_t
waiting_messages(const struct kafka_topic *t)
{
    uint64_t n = t->unplaced_messages;

    for (int32_t i = 0; i < t->nlanes; i++)
        n += t->lanes[i]->waiting_messages + t->lanes[i]->out_messages;
    return n;
}

/* `since` in UTC, to the second. */
const char *
kafka_utc(uint64_t since, char text[sizeof "2025-03-07T10:00:00Z"])
{
    const time_t when = (time_t)((clock_epoch_ms() - (int64_t)(clock_ms() - since)) / 1000);
    struct tm    tm;

    strftime(text, sizeof "2025-03-07T10:00:00Z", "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&when, &tm));
    return text;
}

static void
tell_trouble(struct kafka_topic *t)
{
    static const char *const what[] = {
        [TOPIC_MISSING] = "does not exist", [TOPIC_FORBIDDEN] = "may not be written to by us",
        [TOPIC_ILLEGAL] = "has a name that the brokers do not take",
    };
    static const char *const advice[] = {
        [TOPIC_MISSING] = "create it, or set create_topics: true",
        [TOPIC_FORBIDDEN] = "grant Describe and Write on it",
        [TOPIC_ILLEGAL] = "route its records elsewhere",
    };
    const struct kafka *k = t->kafka;
    char                since[sizeof "2025-03-07T10:00:00Z"];

    if (!kafka_topic_stuck(t) || clock_ms() - t->since < TELL_AFTER_MS)
        return;
    (void)log_again(&t->told, LOG_ERROR,
                    "output '%s': topic '%s' %s since %s (%s; %" PRIu64 " records wait)",
                    k->base.name, t->name, what[t->state], kafka_utc(t->since, since),
                    t->state == TOPIC_MISSING && k->settings.create_topics
                        ? "the brokers do not create it: create it yourself" : advice[t->state],
                    waiting_messages(t));
}

void
kafka_metadata_trouble(struct kafka_topic *t, enum kafka_topic_state state)
{
    if (t->state != state) {
        t->state = state;
        t->since = clock_ms();
        t->kafka->ask_backoff = 0;
    }
    tell_trouble(t);
    kafka_metadata_ask(t->kafka);
}

void
kafka_metadata_fine(struct kafka_topic *t)
{
    t->moves += t->state != TOPIC_KNOWN;
    t->state = TOPIC_KNOWN;
    if (t->told.told_at != 0)
        log_info("output '%s': topic '%s' takes records again", t->kafka->base.name, t->name);
    log_over(&t->told);
}

/* ---- The answer ------------------------------------------------------------ */

/* That a topic is seen does not say that it can be written to: where writing
 * was refused only a report ends the trouble, or that nothing waits any more. */
static void
on_known(struct kafka_topic *t, int32_t count)
{
    const bool was_seen = t->nlanes > 0;

    t->known_at = clock_ms();
    if (t->state != TOPIC_FORBIDDEN || !was_seen)
        kafka_metadata_fine(t);
    else if (waiting_messages(t) == 0)
        t->state = TOPIC_KNOWN;
    t->seen = count;
    if (t->limits_heard)
        kafka_topic_resize(t, count);
}

static void
on_error(struct kafka_topic *t, rd_kafka_resp_err_t err)
{
    switch (err) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        kafka_metadata_trouble(t, TOPIC_MISSING);
        return;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        kafka_metadata_trouble(t, TOPIC_FORBIDDEN);
        return;
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        kafka_metadata_trouble(t, TOPIC_ILLEGAL);
        return;
    default:
        return;                     /* passing: a topic that is being made has no leader yet */
    }
}

static void
take_answer(struct kafka *k, const rd_kafka_metadata_t *md)
{
    k->answered_by = md->orig_broker_id;
    for (int i = 0; i < md->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *mt = &md->topics[i];
        struct kafka_topic              *t = kafka_topic_find(k, slice_of(mt->topic));

        if (t == NULL)
            continue;
        if (mt->err == 0 && mt->partition_cnt > 0) {
            on_known(t, mt->partition_cnt);
            kafka_watch_leaders(t, mt);
        } else {
            on_error(t, mt->err);
        }
    }
    kafka_limits_ask_first(k);
}

/* ---- Asking ---------------------------------------------------------------- */

static void
ask(uv_work_t *request)
{
    struct kafka *k = request->data;

    k->answer_err = rd_kafka_metadata(k->producer, 0, NULL, &k->answer, ASK_TIMEOUT_MS);
}

static bool
something_amiss(const struct kafka *k)
{
    for (const struct kafka_topic *t = k->topics; t != NULL; t = t->next)
        if (t->state != TOPIC_KNOWN || t->leaderless > 0)
            return true;
    return false;
}

static void on_ask(uv_timer_t *timer);

static void
schedule(struct kafka *k)
{
    uint64_t wait = k->settings.refresh;

    if (something_amiss(k) || k->answer_err != 0 || k->ask_again) {
        k->ask_backoff = k->ask_backoff == 0 ? KAFKA_BACKOFF_MS : 2 * k->ask_backoff;
        if (k->ask_backoff > KAFKA_MAX_BACKOFF_MS)
            k->ask_backoff = KAFKA_MAX_BACKOFF_MS;
        wait = k->ask_backoff;
    } else {
        k->ask_backoff = 0;
    }
    k->ask_again = false;
    if (wait > 0)
        uv_timer_start(&k->ask, on_ask, wait, 0);
}

static void
on_answer(uv_work_t *request, int status)
{
    struct kafka *k = request->data;

    assert(status == 0);
    k->asking = false;
    if (k->answer_err == 0) {
        k->worked = true;
        if (k->stopped == NULL)
            take_answer(k, k->answer);
        rd_kafka_metadata_destroy(k->answer);
        k->blind = false;
        kafka_lanes_take_turns(k);
    }
    if (k->stopped == NULL)
        schedule(k);
    kafka_step(k);
}

static void
on_ask(uv_timer_t *timer)
{
    struct kafka *k = timer->data;

    for (struct kafka_topic *t = k->topics; t != NULL; t = t->next) {
        tell_trouble(t);
        kafka_dead_waited(t);
    }
    if (k->asking || k->state != PRODUCER_THERE || k->topics == NULL)
        return;
    k->asking = true;
    k->metadata.data = k;
    uv_queue_work(pipeline_loop(k->base.pipeline), &k->metadata, ask, on_answer);
}

void
kafka_metadata_ask(struct kafka *k)
{
    if (k->stopped != NULL || k->state != PRODUCER_THERE)
        return;
    if (k->asking)
        k->ask_again = true;
    else if (!uv_is_active((uv_handle_t *)&k->ask) ||
             uv_timer_get_due_in(&k->ask) > k->ask_backoff)
        uv_timer_start(&k->ask, on_ask, k->ask_backoff, 0);
}

void
kafka_metadata_ask_now(struct kafka *k)
{
    k->ask_backoff = 0;
    kafka_metadata_ask(k);
}
