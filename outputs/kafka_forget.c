/* kafka_forget.c - fire_and_forget: what cannot be sent is given up.
 *
 * The client is this output with its lanes: a record that it was given has
 * arrived as far as offsets are concerned, and holds its chunk's memory until it
 * was sent.  While brokers take records, and while there is memory, that is all.
 * When memory is short and nothing has arrived for a while, what is held is let
 * go of, and counted: an outage of any length then costs records, but neither
 * stops the files from being read nor takes more memory.  The same for a topic, or a
 * partition, that takes nothing while others do.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>

#include "agent/base/clock.h"
#include "agent/flow/pipeline.h"
#include "outputs/kafka.h"

enum {
    PATIENCE_MS = 5000,     /* without anything that arrives, while memory is short; if it was
                             * not short for that long it is short anew */
    FEW = 100,              /* messages of the next batch: it holds memory until it is purged */
};

static void
lose(struct kafka *k, struct chunk *c, uint32_t count)
{
    k->lost += count;
    k->report.lost += count;
    pipeline_lost(k->base.pipeline, &k->base, c, count);
}

/* Dead letters are not given up: they go to the file. */
static void
lose_list(struct kafka *k, struct kafka_pieces *list)
{
    struct kafka_pieces taken = *list;

    *list = (struct kafka_pieces){ NULL, NULL };
    for (const struct kafka_piece *p = taken.first; p != NULL; p = p->next)
        for (uint32_t i = p->first; i < p->first + p->count; i++)
            if (p->chunk->messages[i].state & MESSAGE_DEAD)
                kafka_dead_refused(k, &p->chunk->messages[i], "no broker took it");
            else
                lose(k, p->chunk, 1);
    kafka_pieces_let_go(k, &taken);
}

static void
lose_lane(struct kafka_lane *l)
{
    lose_list(l->topic->kafka, &l->waiting);
    l->waiting_bytes = l->waiting_messages = 0;
}

static void
lose_waiting(struct kafka_topic *t)
{
    lose_list(t->kafka, &t->unplaced);
    t->unplaced_messages = 0;
    for (int32_t i = 0; i < t->nlanes; i++)
        lose_lane(t->lanes[i]);
}

static void
lose_stuck_lanes(struct kafka_topic *t, uint64_t now)
{
    for (int32_t i = 0; i < t->nlanes; i++)
        if (kafka_lane_stuck(t->lanes[i]) && now - t->lanes[i]->moved_at >= PATIENCE_MS)
            lose_lane(t->lanes[i]);
}

static bool
is_stalled(struct kafka *k, uint64_t now)
{
    if (k->successes != k->seen_successes || now - k->pressed_at > PATIENCE_MS)
        k->stalled_since = now;
    k->seen_successes = k->successes;
    k->pressed_at = now;
    return now - k->stalled_since >= PATIENCE_MS;
}

/* What librdkafka has comes back as purged, and is let go of then. */
void
kafka_forget_pressed(struct kafka *k)
{
    const uint64_t now = clock_ms();
    const bool     stalled = is_stalled(k, now);

    for (struct kafka_topic *t = k->topics; t != NULL; t = t->next)
        if (stalled || (kafka_topic_stuck(t) && now - t->since >= PATIENCE_MS))
            lose_waiting(t);
        else
            lose_stuck_lanes(t, now);
    if (stalled && now - k->purged_at >= PATIENCE_MS) {
        k->purged_at = now;             /* rarely: a slow answer is an answer */
        if (k->state == PRODUCER_THERE && k->outstanding > 0)
            (void)rd_kafka_purge(k->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                              RD_KAFKA_PURGE_F_NON_BLOCKING);
    }
    if (k->lost > 0 &&
        log_again(&k->told_lost, LOG_ERROR, "output '%s': %" PRIu64 " records are lost: memory "
                  "is full, and they could not be sent (send: fire_and_forget)", k->base.name,
                  k->lost))
        k->lost = 0;
}

bool
kafka_forget_error(const struct kafka *k, rd_kafka_resp_err_t err)
{
    if (!k->base.at_most_once)
        return false;
    if (err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
        return true;
    return k->state == PRODUCER_THERE && (err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
                                          err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT);
}

static void
lose_failed(struct kafka *k, struct message *m, rd_kafka_resp_err_t err)
{
    const bool dead = (m->state & MESSAGE_DEAD) != 0;

    m->state &= MESSAGE_DEAD;
    if (dead)
        kafka_dead_refused(k, m, rd_kafka_err2str(err));
    else
        lose(k, m->chunk, 1);
}

/* To send it again may be to send it twice. */
void
kafka_forget_doubtful(struct kafka *k, struct message *m, const rd_kafka_message_t *rkm)
{
    if (rd_kafka_message_status(rkm) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED &&
        !kafka_errors_fault(rkm->err))
        lose_failed(k, m, rkm->err);
}

bool
kafka_forget_failed(struct kafka_lane *l)
{
    struct kafka *k = l->topic->kafka;

    if (!kafka_forget_error(k, l->error))
        return false;
    l->limit = FEW;
    for (const struct kafka_piece *p = l->out.first; p != NULL; p = p->next)
        for (uint32_t i = p->first; i < p->first + p->count; i++) {
            struct message *m = &p->chunk->messages[i];

            if (m->state & MESSAGE_FAILED)
                lose_failed(k, m, l->error);
        }
    return true;
}

void
kafka_forget_stop(struct kafka *k)
{
    for (struct kafka_topic *t = k->topics; t != NULL; t = t->next) {
        lose_waiting(t);
        for (int32_t i = 0; i < t->max_lanes; i++)
            lose_list(k, &t->lanes[i]->out);
    }
    if (k->lost > 0)
        log_warn("output '%s': %" PRIu64 " records are lost: they could not be sent any more "
                 "(send: fire_and_forget)", k->base.name, k->lost);
}
