/* kafka_reports.c - the way back: delivery reports, and what librdkafka has to
 * tell.
 *
 * The queue is drained to the last event, because the loop is woken only when
 * it stops being empty.  One event is one request, and so one lane's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <string.h>

#include "agent/flow/pipeline.h"
#include "outputs/kafka.h"

/* ---- Failures -------------------------------------------------------------- */

/* The topic's own troubles are told there, those of a producer that is being
 * replaced by who replaces it. */
static void
tell_failure(struct kafka_topic *t, rd_kafka_resp_err_t err)
{
    struct kafka *k = t->kafka;

    if (k->state == PRODUCER_THERE && !kafka_forget_error(k, err))
        (void)log_again(&t->told_failing, LOG_WARN,
                        "output '%s': topic '%s': %s (the records are sent again)", k->base.name,
                        t->name, rd_kafka_err2str(err));
}

void
kafka_reports_failure(struct kafka_lane *l, struct message *m, rd_kafka_resp_err_t err)
{
    struct kafka_topic *t = l->topic;

    m->state |= MESSAGE_FAILED;
    if (kafka_errors_fault(err)) {
        l->fault = err;
        return;
    }
    if (l->error == err)
        return;                 /* said already, of this batch */
    l->error = err;
    switch (err) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        kafka_metadata_ask(t->kafka);
        break;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        kafka_metadata_trouble(t, TOPIC_FORBIDDEN);
        break;
    case RD_KAFKA_RESP_ERR__FATAL:
        kafka_producer_failed(t->kafka);
        break;
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
        break;                  /* we took it back */
    default:
        tell_failure(t, err);
        break;
    }
}

/* That one broker of several is away is told now and then; that none was there is
 * over with the first success. */
static void
note_success(struct kafka_lane *l)
{
    struct kafka *k = l->topic->kafka;

    k->worked = true;
    k->successes++;
    k->unanswered = false;
    if (k->down) {
        k->down = false;
        for (int i = 0; i < TROUBLES; i++)
            log_over(&k->told[i]);
        log_info("output '%s': records are acknowledged again", k->base.name);
    }
    if (l->topic->state != TOPIC_KNOWN)
        kafka_metadata_fine(l->topic);
}

/* ---- Reports --------------------------------------------------------------- */

/* Reports of one chunk that stand together become one call. */
struct tally {
    struct pipeline *pipeline;      /* NULL: nobody waits for them */
    struct chunk    *chunk;
    uint32_t         count;
};

static void
tell_delivered(struct tally *tally)
{
    if (tally->count > 0 && tally->pipeline != NULL)
        pipeline_delivered(tally->pipeline, tally->chunk, tally->count);
    tally->count = 0;
}

static void
count_delivered(struct tally *tally, struct chunk *c)
{
    if (tally->chunk != c)
        tell_delivered(tally);
    tally->chunk = c;
    tally->count++;
}

static struct kafka_lane *
lane_of(const rd_kafka_message_t *rkm)
{
    const struct kafka_topic *t = rd_kafka_topic_opaque(rkm->rkt);

    assert(t != NULL && rkm->partition >= 0 && rkm->partition < t->max_lanes);
    return t->lanes[rkm->partition];
}

/* `arrived` messages of one request; with the last of a batch it is over. */
static void
settle(struct kafka_lane *l, uint32_t arrived)
{
    l->topic->report.acknowledged += arrived;
    if (l->outstanding > 0)
        return;
    if (l->error == 0 && l->fault == 0)
        note_success(l);
    kafka_lane_reported(l);
}

/* What nearly every event says: the batch has arrived, the whole of it.  Then its pieces
 * tell whose messages they were, and none of them is looked at. */
static bool
take_whole_batch(struct kafka *k, const rd_kafka_message_t *first, size_t count)
{
    struct kafka_lane *l = lane_of(first);

    if (first->err != 0 || count != l->outstanding || count != l->out_messages)
        return false;
    l->outstanding = 0;
    k->outstanding -= (uint32_t)count;
    for (const struct kafka_piece *p = l->out.first;
         p != NULL && !k->base.at_most_once; p = p->next)
        pipeline_delivered(k->base.pipeline, p->chunk, p->count);
    settle(l, (uint32_t)count);
    return true;
}

static void
take_reports(struct kafka *k, rd_kafka_event_t *event)
{
    struct tally              tally = { k->base.at_most_once ? NULL : k->base.pipeline, NULL,
                                               0 };
    const size_t              count = rd_kafka_event_message_count(event);
    const rd_kafka_message_t *rkm = rd_kafka_event_message_next(event), *before = NULL;
    struct kafka_lane        *l = NULL;
    uint32_t                  arrived = 0;

    if (rkm == NULL ||
        (rd_kafka_event_error(event) == 0 && take_whole_batch(k, rkm, count)))
        return;
    for (; rkm != NULL; before = rkm, rkm = rd_kafka_event_message_next(event)) {
        struct message *m = rkm->_private;

        if (before == NULL || rkm->rkt != before->rkt || rkm->partition != before->partition) {
            tell_delivered(&tally);
            if (l != NULL)
                settle(l, arrived);
            arrived = 0;
            l = lane_of(rkm);
        }
        assert(l->outstanding > 0);
        l->outstanding--;
        k->outstanding--;
        if (rkm->err == 0) {
            arrived++;
            count_delivered(&tally, m->chunk);
        } else {
            kafka_reports_failure(l, m, rkm->err);
            if (k->base.at_most_once)
                kafka_forget_doubtful(k, m, rkm);
        }
    }
    tell_delivered(&tally);
    if (l != NULL)
        settle(l, arrived);
}

/* ---- Errors and logs ------------------------------------------------------- */

static void
take_error(struct kafka *k, rd_kafka_event_t *event)
{
    const rd_kafka_resp_err_t err = rd_kafka_event_error(event);
    const char               *text = rd_kafka_event_error_string(event);
    struct kafka_advice       advice;

    if (err == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_event_error_is_fatal(event)) {
        kafka_producer_failed(k);
        return;
    }
    advice = kafka_errors_explain(err, text, k->worked, atomic_load(&k->certificate));
    if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        k->down = true;
        if (k->base.at_most_once)
            advice.advice = " (records wait as long as there is memory for them)";
    }
    (void)log_again(&k->told[advice.trouble],
                    advice.trouble == TROUBLE_LOST ? LOG_WARN : LOG_ERROR,
                    "output '%s': %s%s: %s", k->base.name, advice.text, advice.advice, text);
}

/* librdkafka says most things twice; as a log line only this is said once. */
static void
take_log(struct kafka *k, rd_kafka_event_t *event)
{
    const char *facility, *text;
    int         level;

    if (rd_kafka_event_log(event, &facility, &text, &level) != 0)
        return;
    if (strcmp(facility, "COMPRESSION") == 0)
        log_warn("output '%s': %s", k->base.name, text);
    else
        log_debug("output '%s': librdkafka: %s: %s", k->base.name, facility, text);
}

void
kafka_reports_take(struct kafka *k)
{
    rd_kafka_event_t *event;

    while (k->queue != NULL && (event = rd_kafka_queue_poll(k->queue, 0)) != NULL) {
        switch (rd_kafka_event_type(event)) {
        case RD_KAFKA_EVENT_DR:
            take_reports(k, event);
            break;
        case RD_KAFKA_EVENT_ERROR:
            take_error(k, event);
            break;
        case RD_KAFKA_EVENT_LOG:
            take_log(k, event);
            break;
        case RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT:
            kafka_limits_take(k, event);
            break;
        case RD_KAFKA_EVENT_STATS:
            kafka_report_take(k, rd_kafka_event_stats(event));
            break;
        default:
            break;
        }
        rd_kafka_event_destroy(event);
    }
}
