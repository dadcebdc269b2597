/* kafka_send.c - handing a lane's next batch to librdkafka.
 *
 * Values are not copied: they stay in their chunk, which the batch pins.  Plain
 * messages go over by rd_kafka_produce_batch(), as many at once as stay in the
 * processor's nearest cache; one with headers or a time of its own by
 * rd_kafka_produceva(), at its place in the order.  The first
 * refusal ends the hand-over: what came after it must not overtake.
 *
 * All of it has to be there before librdkafka's linger (1 ms) is over, or the
 * batch becomes two requests; and while the second waits for the first, librdkafka
 * turns in a loop.  So a batch is no larger than what this machine has lately
 * handed over in good time, and messages with headers are watched by the clock.
 *
 * To a broker that knows nothing of an idempotent producer any sequence number is a good
 * beginning.  If it refuses a first request and takes a second one, librdkafka believes that
 * both have arrived (agent/notes/split_batches.md).  So the first is one message, alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <stdio.h>

#include "agent/base/clock.h"
#include "outputs/kafka.h"

enum {
    RECORD_OVERHEAD = 36,       /* bytes around a record at most (record batch format 2) */
    HEADER_OVERHEAD = 10,
    LOOK_EVERY = 32,            /* messages with headers between two looks at the clock */
    LATE_NS = 500 * 1000,
    IN_TIME_NS = 700 * 1000,    /* for all plain messages of a batch */
    FEWEST = 500,               /* of them, whatever the clock says */
    FEW = 100,                  /* of a lane in doubt */
    LEARN_FROM = 200,           /* messages of a batch that says something about the next one */
    FORGOTTEN_MS = 60 * 60 * 1000,      /* brokers forget a producer after a day without records */
};

struct handover {
    struct kafka_lane  *lane;
    rd_kafka_message_t *plain;      /* collected, not handed over yet */
    int                 nplain;
    uint32_t            told_plain; /* handed over, */
    uint64_t            plain_ns;   /* and how long that took */
    unsigned            nspecial;
    uint32_t            most;       /* messages */
    uint64_t            began;      /* clock_ns() of the first special one */
    bool                over;       /* nothing more fits, or may follow */
};

/* What produce functions take for payloads they do not change. */
static void *
unconst(const void *p)
{
    return (void *)(uintptr_t)p;
}

static void
refused(struct handover *h, struct message *m, rd_kafka_resp_err_t err)
{
    struct kafka_lane *l = h->lane;
    char               reason[100];

    if (!kafka_errors_fault(err)) {
        kafka_reports_failure(l, m, err);
        h->over = true;
        return;
    }
    /* It names this message and no other. */
    if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        snprintf(reason, sizeof reason, "too large: message.max.bytes is %" PRIu64,
                 l->topic->kafka->settings.max_message);
    else
        snprintf(reason, sizeof reason, "%s", kafka_errors_reason(err));
    kafka_lane_reject(l, m, reason);
}

static void
accepted(struct handover *h, uint32_t count)
{
    h->lane->outstanding += count;
    h->lane->topic->kafka->outstanding += count;
}

/* ---- Plain messages -------------------------------------------------------- */

static void
fill(rd_kafka_message_t *to, struct message *m)
{
    to->payload = unconst(m->value);
    to->len = m->value_len;
    to->key = unconst(m->key);
    to->key_len = m->key_len;
    to->_private = m;
}

/* A batch that was interrupted is noise: one counts for a part.  To be late is worse than to be
 * short: while librdkafka turns in a loop it disturbs the next hand-over, too. */
static void
learn_pace(const struct handover *h)
{
    struct kafka  *k = h->lane->topic->kafka;
    const uint64_t in_time = (uint64_t)IN_TIME_NS * h->told_plain / (h->plain_ns + 1);
    const uint64_t most = in_time < k->settings.batch_messages ? in_time
                                                               : k->settings.batch_messages;

    if (h->told_plain >= LEARN_FROM)
        k->in_time = (uint32_t)(most < k->in_time ? (k->in_time + most) / 2
                                                  : (3 * (uint64_t)k->in_time + most) / 4);
}

static void
hand_over_plain(struct handover *h)
{
    const int n = h->nplain;
    uint64_t  began;
    int       taken;

    h->nplain = 0;
    if (n == 0)
        return;
    began = clock_ns();
    taken = rd_kafka_produce_batch(h->lane->topic->handle, h->lane->partition, 0, h->plain, n);
    h->plain_ns += clock_ns() - began;
    h->told_plain += (uint32_t)n;
    accepted(h, (uint32_t)taken);
    for (int i = 0; i < n && taken < n; i++)
        if (h->plain[i].err != 0)
            refused(h, h->plain[i]._private, h->plain[i].err);
}

/* ---- With headers, or a time ----------------------------------------------- */

static rd_kafka_headers_t *
make_headers(const struct headers *from)
{
    rd_kafka_headers_t *to = rd_kafka_headers_new(from->count);

    for (uint32_t i = 0; i < from->count; i++) {
        const struct header *h = &from->list[i];

        (void)rd_kafka_header_add(to, h->name.ptr, (ssize_t)h->name.len, h->value.ptr,
                                  (ssize_t)h->value.len);
    }
    return to;
}

static size_t
describe(rd_kafka_vu_t *vus, const struct kafka_lane *l, struct message *m,
         rd_kafka_headers_t *headers)
{
    size_t n = 0;

    vus[n++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = l->topic->handle };
    vus[n++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = l->partition };
    vus[n++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_VALUE,
                                .u.mem = { unconst(m->value), m->value_len } };
    vus[n++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_KEY,
                                .u.mem = { unconst(m->key), m->key_len } };
    vus[n++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = m };
    if (m->timestamp != NO_TIMESTAMP)
        vus[n++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = m->timestamp };
    if (headers != NULL)
        vus[n++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers };
    return n;
}

static void
hand_over_special(struct handover *h, struct message *m)
{
    rd_kafka_headers_t *headers = m->headers != NULL ? make_headers(m->headers) : NULL;
    rd_kafka_vu_t       vus[7];
    const size_t        n = describe(vus, h->lane, m, headers);
    rd_kafka_error_t   *error = rd_kafka_produceva(h->lane->topic->kafka->producer, vus, n);

    if (error == NULL) {
        accepted(h, 1);         /* the headers are librdkafka's now */
    } else {
        if (headers != NULL)
            rd_kafka_headers_destroy(headers);
        refused(h, m, rd_kafka_error_code(error));
        rd_kafka_error_destroy(error);
    }
    if (h->nspecial++ == 0)
        h->began = clock_ns();
    else if (h->nspecial % LOOK_EVERY == 0 && clock_ns() - h->began > LATE_NS)
        h->over = true;
}

/* ---- A batch --------------------------------------------------------------- */

static uint64_t
wire_size(const struct message *m)
{
    uint64_t size = RECORD_OVERHEAD + m->value_len + m->key_len;

    for (uint32_t i = 0; m->headers != NULL && i < m->headers->count; i++)
        size += HEADER_OVERHEAD + m->headers->list[i].name.len + m->headers->list[i].value.len;
    return size;
}

static bool
fits(const struct handover *h, uint64_t size)
{
    const struct kafka_lane *l = h->lane;

    if (l->out_messages == 0)
        return true;
    return l->out_messages < h->most && l->out_bytes + size <= l->topic->batch_bytes;
}

static bool
may_be_unknown(const struct kafka_lane *l)
{
    return l->topic->kafka->settings.idempotence &&
           (l->met_at == 0 || clock_ms() - l->met_at > FORGOTTEN_MS);
}

static uint32_t
most_messages(const struct kafka_lane *l)
{
    const uint32_t in_time = l->topic->kafka->in_time > FEWEST ? l->topic->kafka->in_time : FEWEST;

    if (may_be_unknown(l))
        return 1;
    if (l->doubt != DOUBT_NONE)
        return FEW;
    return l->limit < in_time ? l->limit : in_time;
}

/* True: it is part of the batch now. */
static bool
take(struct handover *h, struct message *m)
{
    struct kafka_lane *l = h->lane;
    uint64_t           size;
    bool               special;

    if (m->timestamp == 0 || (m->timestamp != NO_TIMESTAMP && l->topic->times.known))
        kafka_times_check(l->topic, m);
    size = wire_size(m);
    if (!fits(h, size)) {
        h->over = true;
        return false;
    }
    special = m->headers != NULL || m->timestamp != NO_TIMESTAMP;
    if (special || h->nplain == KAFKA_HANDFUL)
        hand_over_plain(h);
    if (h->over)
        return false;           /* its turn did not come */
    if (special)
        hand_over_special(h, m);
    else
        fill(&h->plain[h->nplain++], m);
    l->out_messages++;
    l->out_bytes += size;
    return true;
}

/* As much of the first piece as the batch takes. */
static void
take_piece(struct handover *h)
{
    struct kafka_lane  *l = h->lane;
    struct kafka       *k = l->topic->kafka;
    struct kafka_piece *piece = l->waiting.first;
    struct message     *m = &piece->chunk->messages[piece->first];
    uint64_t            bytes = 0;
    uint32_t            n = 0;

    while (n < piece->count && !h->over && take(h, m)) {
        bytes += m->value_len + m->key_len;
        m++;
        n++;
    }
    if (n > 0)
        kafka_pieces_add(k, &l->out, piece->chunk, piece->first, n);
    l->waiting_bytes -= bytes;
    l->waiting_messages -= n;
    piece->first += n;
    piece->count -= n;
    if (piece->count == 0)
        kafka_pieces_drop_first(k, &l->waiting);
}

void
kafka_send_batch(struct kafka_lane *l)
{
    struct handover h = { .lane = l, .plain = l->topic->kafka->handful, .most = most_messages(l) };

    if (l->topic->handle == NULL) {         /* librdkafka would not make one; that was told */
        l->error = RD_KAFKA_RESP_ERR__STATE;
        return;
    }
    /* It may come back with other partitions, or does: its messages will get other places. */
    if (l->topic->shrinks || l->topic->state == TOPIC_MISSING || !kafka_doubt_may_send(l)) {
        l->error = RD_KAFKA_RESP_ERR__STATE;
        return;
    }
    while (l->waiting.first != NULL && !h.over)
        take_piece(&h);
    hand_over_plain(&h);
    learn_pace(&h);
}
