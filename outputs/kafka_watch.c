/* kafka_watch.c - partitions that take nothing: seen, told, and told when that is over.
 *
 * librdkafka holds a batch for a partition without leader, and sends one again and again
 * that too few replicas take, and says nothing of either.  So while something is out, or has no
 * leader, one looks now and then for lanes that do not move; who has a leader says
 * metadata.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <stdlib.h>

#include "agent/base/buf.h"
#include "agent/base/clock.h"
#include "outputs/kafka.h"

enum {
    LOOK_MS = 3000,
    MOST_NAMED = 10,            /* partitions in one message */
};

struct still {
    struct buf names;           /* "0, 3, 4" */
    uint32_t   count;
    uint64_t   since;           /* clock_ms() */
    uint64_t   messages;
};

/* ---- Who stands still -------------------------------------------------------- */

static bool
is_still(const struct kafka_lane *l, enum kafka_standstill why, uint64_t now)
{
    const bool leaderless = l->leader == KAFKA_NO_LEADER;

    if (why == STILL_LATE)
        return !leaderless && (l->doubt == DOUBT_LANE ||
               (l->state == LANE_OUT && now - l->moved_at >= KAFKA_STUCK_MS));
    if (!leaderless || now - l->leaderless_at < KAFKA_ELECTION_MS)
        return false;
    /* Once one was told, also those that nothing waits for. */
    return l->topic->still[why] > 0 || l->state != LANE_IDLE || l->gave_up;
}

static uint64_t
still_since(const struct kafka_lane *l)
{
    return l->leader == KAFKA_NO_LEADER ? l->leaderless_at : l->moved_at;
}

static void
add(struct still *s, const struct kafka_lane *l)
{
    if (s->count < MOST_NAMED)
        buf_printf(&s->names, "%s%d", s->count > 0 ? ", " : "", (int)l->partition);
    if (still_since(l) < s->since)
        s->since = still_since(l);
    s->messages += l->waiting_messages + l->out_messages;
    s->count++;
}

/* ---- Telling ----------------------------------------------------------------- */

static void
tell(struct kafka_topic *t, enum kafka_standstill why, struct still *s)
{
    static const char *const what[STILLS][2] = {
        [STILL_LEADERLESS] = { "has no leader", "have no leader" },
        [STILL_LATE] = { "takes no records", "take no records" },
    };
    static const char *const advice[STILLS] = {
        [STILL_LEADERLESS] = "start the brokers that hold its replicas",
        [STILL_LATE] = "see whether its leader answers, and enough replicas are in sync",
    };
    const bool many = s->count > 1;
    char       since[sizeof "2025-03-07T10:00:00Z"];

    if (s->count > t->still[why])
        log_over(&t->told_still[why]);          /* of these nobody knows yet */
    if (t->still[why] == 0)
        t->still_since[why] = s->since;
    t->still[why] = s->count;
    if (s->count > MOST_NAMED)
        buf_printf(&s->names, " and %" PRIu32 " more", s->count - MOST_NAMED);
    (void)log_again(&t->told_still[why], LOG_ERROR,
                    "output '%s': topic '%s': partition%s %s %s since %s (%s; %" PRIu64
                    " records wait)", t->kafka->base.name, t->name, many ? "s" : "",
                    buf_string(&s->names), what[why][many],
                    kafka_utc(t->still_since[why], since), advice[why], s->messages);
}

static void
tell_over(struct kafka_topic *t, enum kafka_standstill why)
{
    static const char *const what[STILLS] = {
        [STILL_LEADERLESS] = "has a leader again", [STILL_LATE] = "takes records again",
    };

    if (t->still[why] == 0)
        return;
    t->still[why] = 0;
    log_over(&t->told_still[why]);
    log_info("output '%s': topic '%s': every partition %s", t->kafka->base.name, t->name,
             what[why]);
}

static void
look_at_topic(struct kafka_topic *t, enum kafka_standstill why, uint64_t now)
{
    struct still s = { .since = now };

    for (int32_t i = 0; i < t->nlanes; i++)
        if (is_still(t->lanes[i], why, now))
            add(&s, t->lanes[i]);
    if (s.count > 0)
        tell(t, why, &s);
    else
        tell_over(t, why);
    buf_fini(&s.names);
}

/* ---- Looking ----------------------------------------------------------------- */

static bool
is_late(const struct kafka_topic *t, uint64_t now)
{
    for (int32_t i = 0; i < t->nlanes; i++)
        if (t->lanes[i]->state == LANE_OUT && now - t->lanes[i]->moved_at >= LOOK_MS)
            return true;
    return false;
}

/* With no broker at all that is what is told; a topic's own troubles are told there. */
void
kafka_watch_look(struct kafka *k)
{
    const uint64_t now = clock_ms();
    bool           late = false, still = false;

    for (struct kafka_topic *t = k->topics; t != NULL && !k->down; t = t->next) {
        late = late || is_late(t, now);
        for (int why = 0; why < STILLS && t->state == TOPIC_KNOWN; why++)
            look_at_topic(t, why, now);
        still = still || t->leaderless > 0 || t->still[STILL_LEADERLESS] > 0 ||
                t->still[STILL_LATE] > 0;
    }
    if (late)
        kafka_metadata_ask(k);
    if (k->outstanding == 0 && !still && !k->down)
        uv_timer_stop(&k->watch);
}

static void
on_watch(uv_timer_t *timer)
{
    kafka_watch_look(timer->data);
}

void
kafka_watch_begin(struct kafka *k)
{
    if (!uv_is_active((uv_handle_t *)&k->watch))
        uv_timer_start(&k->watch, on_watch, LOOK_MS, LOOK_MS);
}

static void
note_leader(struct kafka_lane *l, int32_t leader)
{
    if (l->leader == leader)
        return;
    l->leader = leader;
    if (leader == KAFKA_NO_LEADER)
        l->leaderless_at = clock_ms();
    else
        kafka_doubt_leader(l);
}

void
kafka_watch_leaders(struct kafka_topic *t, const rd_kafka_metadata_topic_t *mt)
{
    const int32_t before = t->leaderless;

    t->leaderless = 0;
    for (int i = 0; i < mt->partition_cnt; i++) {
        const rd_kafka_metadata_partition_t *p = &mt->partitions[i];

        if (p->id < 0 || p->id >= t->nlanes)
            continue;
        note_leader(t->lanes[p->id], p->leader < 0 ? KAFKA_NO_LEADER : p->leader);
        t->leaderless += p->leader < 0;
    }
    if (t->leaderless > before)
        t->kafka->ask_backoff = 0;
    if (t->leaderless > 0)
        kafka_watch_begin(t->kafka);
}
