/* kafka_times.c - times that a topic does not take.
 *
 * A broker refuses a batch if the time of a record in it is too far from its own.
 * That record is sent with the time of sending, and its own in a header: before it is
 * refused, as far as the topic's limits are known (kafka_limits.c).  If they are not, the broker
 * does not say which record it was: halving the batch finds it, two requests or more for
 * each.  So whatever is refused alone teaches a limit, too.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <stdio.h>

#include "agent/base/clock.h"
#include "outputs/kafka.h"

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

/* Of a time of 0 librdkafka makes the present, and says nothing. */
void
kafka_times_check(struct kafka_topic *t, struct message *m)
{
    const bool too_far = is_too_far(&t->times, distance(m));

    if (too_far)
        kafka_limits_ask(t);        /* they may be others by now */
    if (too_far || m->timestamp == 0)
        mend(m);
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

    kafka_limits_ask(t);
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
