/* kafka_lane.c - one partition of one topic: first in first out, one batch out,
 * and what failed goes back to the front.
 *
 *             more             turn              all reported
 *     IDLE ─────────► READY ─────────► OUT ─────────┬─► IDLE    nothing waits
 *                       ▲                           ├─► READY   more waits
 *                       └──────── RESTING ◄─────────┘           something failed
 *                          wake
 *
 * A lane that is ready gets its turn before the loop sleeps, not at once: what
 * comes in the same round travels together, and no report is made from
 * inside send().
 *
 * A batch that a broker refuses because of some message in it is halved until
 * that one is alone.  So the limit on messages shrinks, and grows back as
 * batches arrive; a limit on bytes is the topic's, and is learned.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "agent/flow/pipeline.h"
#include "outputs/kafka.h"

enum {
    LEAST_BATCH_BYTES = 1000,   /* a topic's limit is never learned to be less */
    GROW_AFTER = 100,           /* large batches that arrive before it is tried to be more */
};

enum lane_event {
    LANE_NOTHING,
    LANE_MORE,      /* messages were added */
    LANE_TURN,      /* hand over now */
    LANE_REPORTED,  /* every report of the batch is in */
    LANE_EMPTY,     /* it is settled: nothing waits */
    LANE_NEXT,      /* it is settled: more waits */
    LANE_AGAIN,     /* it is settled: something is to be sent again, after a pause */
    LANE_WAKE,      /* the pause is over */
    LANE_EVENTS
};

/* An action may say what happened at once; LANE_NOTHING: wait. */
typedef enum lane_event action_f(struct kafka_lane *l);

static action_f join_ready, hand_over, settle, rest, ignore;

static const struct step {
    enum kafka_lane_state next;
    action_f             *action;
} steps[LANE_STATES][LANE_EVENTS] = {
    [LANE_IDLE] = {
        [LANE_MORE]     = { LANE_READY,   join_ready },
    },
    [LANE_READY] = {
        [LANE_MORE]     = { LANE_READY,   ignore },
        [LANE_TURN]     = { LANE_OUT,     hand_over },      /* -> REPORTED if nothing is out */
    },
    [LANE_OUT] = {
        [LANE_MORE]     = { LANE_OUT,     ignore },
        [LANE_REPORTED] = { LANE_OUT,     settle },         /* -> EMPTY, NEXT or AGAIN */
        [LANE_EMPTY]    = { LANE_IDLE,    ignore },
        [LANE_NEXT]     = { LANE_READY,   join_ready },
        [LANE_AGAIN]    = { LANE_RESTING, rest },
    },
    [LANE_RESTING] = {
        [LANE_MORE]     = { LANE_RESTING, ignore },
        [LANE_WAKE]     = { LANE_READY,   join_ready },
    },
};

static void
lane_event(struct kafka_lane *l, enum lane_event event)
{
    while (event != LANE_NOTHING) {
        const struct step *s = &steps[l->state][event];

        assert(s->action != NULL);
        l->state = s->next;
        event = s->action(l);
    }
}

static enum lane_event
ignore(struct kafka_lane *l)
{
    (void)l;
    return LANE_NOTHING;
}

/* ---- Beginning and end ----------------------------------------------------- */

struct kafka_lane *
kafka_lane_new(struct kafka_topic *t, int32_t partition)
{
    struct kafka_lane *l = NEW(struct kafka_lane);

    l->topic = t;
    l->partition = partition;
    l->limit = t->kafka->settings.batch_messages;
    return l;
}

void
kafka_lane_free(struct kafka_lane *l)
{
    assert(l->waiting.first == NULL && l->out.first == NULL);
    free(l);
}

/* ---- Lists of lanes -------------------------------------------------------- */

static void
link_last(struct kafka_lanes *list, struct kafka_lane *l)
{
    l->next = NULL;
    if (list->last != NULL)
        list->last->next = l;
    else
        list->first = l;
    list->last = l;
}

static struct kafka_lane *
unlink_first(struct kafka_lanes *list)
{
    struct kafka_lane *l = list->first;

    list->first = l->next;
    if (list->first == NULL)
        list->last = NULL;
    l->next = NULL;
    return l;
}

/* ---- Turns ----------------------------------------------------------------- */

static bool
may_hand_over(const struct kafka *k)
{
    return k->ready.first != NULL && k->state == PRODUCER_THERE && !k->blind && !k->purging;
}

static void
on_turn(uv_prepare_t *prepare)
{
    struct kafka *k = prepare->data;

    while (may_hand_over(k))
        lane_event(unlink_first(&k->ready), LANE_TURN);
    uv_prepare_stop(prepare);
}

void
kafka_lanes_take_turns(struct kafka *k)
{
    if (may_hand_over(k) && k->stopped == NULL)
        uv_prepare_start(&k->turn, on_turn);
}

static enum lane_event
join_ready(struct kafka_lane *l)
{
    struct kafka *k = l->topic->kafka;

    link_last(&k->ready, l);
    kafka_lanes_take_turns(k);
    return LANE_NOTHING;
}

void
kafka_lane_add(struct kafka_lane *l, struct chunk *c, uint32_t first, uint32_t count,
               uint64_t bytes)
{
    if (l->state == LANE_IDLE && l->doubt == DOUBT_NONE)
        l->moved_at = clock_ms();
    kafka_pieces_add(l->topic->kafka, &l->waiting, c, first, count);
    l->waiting_bytes += bytes;
    l->waiting_messages += count;
    lane_event(l, LANE_MORE);
}

static enum lane_event
hand_over(struct kafka_lane *l)
{
    kafka_send_batch(l);
    if (l->outstanding == 0)
        return LANE_REPORTED;
    kafka_watch_begin(l->topic->kafka);
    return LANE_NOTHING;
}

void
kafka_lane_reported(struct kafka_lane *l)
{
    assert(l->outstanding == 0);
    lane_event(l, LANE_REPORTED);
}

/* ---- A message that is at fault -------------------------------------------- */

void
kafka_lane_reject(struct kafka_lane *l, struct message *m, const char *reason)
{
    struct kafka    *k = l->topic->kafka;
    const struct run run = {
        .output = &k->base, .topic = slice_of(l->topic->name), .partition = l->partition,
        .chunk = m->chunk, .first = (uint32_t)(m - m->chunk->messages), .count = 1,
    };

    l->topic->report.rejected++;
    if (m->state & MESSAGE_DEAD) {
        kafka_dead_refused(k, m, reason);
        return;
    }
    m->state = 0;                   /* there is nothing to be sent again */
    pipeline_rejected(k->base.pipeline, &run, m, reason);
}

/* The batch was too large for the topic, or a message in it is: smaller ones
 * from here on, in every lane of it. */
static void
learn_size(struct kafka_lane *l)
{
    struct kafka_topic *t = l->topic;
    const uint64_t      half = l->out_bytes / 2;

    if (l->fault != RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return;
    kafka_limits_ask(t);
    if (half >= t->batch_bytes)
        return;
    t->batch_bytes = half > LEAST_BATCH_BYTES ? half : LEAST_BATCH_BYTES;
    t->successes = 0;
}

static void
narrow(struct kafka_lane *l)
{
    const struct kafka_piece *piece = l->out.first;

    if (l->fault == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP && kafka_times_refused(l))
        return;
    if (l->out_messages > 1) {
        l->limit = l->out_messages / 2;
        learn_size(l);
    } else {
        kafka_lane_reject(l, &piece->chunk->messages[piece->first],
                          kafka_errors_reason(l->fault));
    }
}

/* All of it has arrived. */
static void
widen(struct kafka_lane *l)
{
    struct kafka_topic *t = l->topic;
    const uint64_t      most = t->most_bytes;
    const uint32_t      messages = t->kafka->settings.batch_messages;

    l->met_at = clock_ms();
    if (l->limit < messages)
        l->limit = l->limit < messages / 2 ? 2 * l->limit : messages;
    if (t->batch_bytes == t->kafka->settings.batch_bytes || l->out_bytes < t->batch_bytes / 2)
        return;
    if (++t->successes < GROW_AFTER)
        return;
    t->successes = 0;
    if (t->batch_bytes == most)
        kafka_limits_ask(t);        /* somebody may have raised it */
    t->batch_bytes += t->batch_bytes / 4;
    if (t->batch_bytes > most)
        t->batch_bytes = most;
}

/* ---- The batch is over ----------------------------------------------------- */

/* What failed goes back to the front, in its order. */
static void
put_back(struct kafka_lane *l)
{
    struct kafka       *k = l->topic->kafka;
    struct kafka_pieces failed = { NULL, NULL };

    for (const struct kafka_piece *p = l->out.first; p != NULL; p = p->next)
        for (uint32_t i = p->first; i < p->first + p->count; i++) {
            struct message *m = &p->chunk->messages[i];

            if (!(m->state & MESSAGE_FAILED))
                continue;
            m->state &= ~MESSAGE_FAILED & 0xf;
            kafka_pieces_add(k, &failed, p->chunk, i, 1);
            l->waiting_bytes += m->value_len + m->key_len;
            l->waiting_messages++;
            k->report.sent_again++;
        }
    kafka_pieces_prepend(&l->waiting, &failed);
}

static enum lane_event
settle(struct kafka_lane *l)
{
    struct kafka       *k = l->topic->kafka;
    struct kafka_pieces out;
    bool                again = l->error != 0;

    if (l->fault != 0)
        narrow(l);
    else if (!again && l->out_messages > 0)
        widen(l);
    if (again && k->base.at_most_once && kafka_forget_failed(l))
        again = false;
    if (again || l->fault != 0)
        put_back(l);
    if (!again) {
        l->backoff = 0;
        l->moved_at = clock_ms();
    }
    if (!again && l->out_messages > 0 && (l->gave_up || l->doubt != DOUBT_NONE))
        kafka_doubt_over(l);
    out = l->out;
    l->out = (struct kafka_pieces){ NULL, NULL };
    l->out_bytes = 0;
    l->out_messages = 0;
    l->error = l->fault = 0;
    kafka_pieces_let_go(k, &out);
    if (again)
        return LANE_AGAIN;
    return l->waiting.first != NULL ? LANE_NEXT : LANE_EMPTY;
}

/* ---- Rest ------------------------------------------------------------------ */

static void
on_retry(uv_timer_t *timer)
{
    struct kafka      *k = timer->data;
    const uint64_t     now = clock_ms();
    struct kafka_lanes before = k->resting;

    k->resting = (struct kafka_lanes){ NULL, NULL };
    while (before.first != NULL) {
        struct kafka_lane *l = unlink_first(&before);

        if (l->retry_at > now)
            link_last(&k->resting, l);
        else
            lane_event(l, LANE_WAKE);
    }
    if (k->resting.first == NULL)
        uv_timer_stop(timer);
}

static enum lane_event
rest(struct kafka_lane *l)
{
    struct kafka *k = l->topic->kafka;

    l->backoff = l->backoff == 0 ? KAFKA_BACKOFF_MS : 2 * l->backoff;
    if (l->backoff > KAFKA_MAX_BACKOFF_MS)
        l->backoff = KAFKA_MAX_BACKOFF_MS;
    l->retry_at = clock_ms() + l->backoff;
    link_last(&k->resting, l);
    if (k->stopped == NULL && !uv_is_active((uv_handle_t *)&k->retry))
        uv_timer_start(&k->retry, on_retry, KAFKA_BACKOFF_MS, KAFKA_BACKOFF_MS);
    return LANE_NOTHING;
}
