/* kafka_report.c - what the output tells of itself (report.h).
 *
 * Half of it is counted by us, exactly; the other half is in librdkafka's
 * statistics, a JSON text of up to half a megabyte with a thousand partitions, of
 * which a few numbers are taken (STATISTICS.md of librdkafka).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/data/json.h"
#include "outputs/kafka.h"

/* ---- Numbers of an object --------------------------------------------------- */

/* Member `name` goes to this place of the struct; `in`: of an object in it. */
struct number {
    const char *in, *name;
    size_t      offset;
};

typedef void member_f(void *ctx, struct slice name, const struct json_token *value);

static void
each_member(struct slice object, member_f *each, void *ctx)
{
    struct json_cursor j = json_cursor(object);
    struct json_token  name, value;

    (void)json_take(&j, '{');
    while (json_take_key(&j, &name) && json_take_value(&j, &value)) {
        each(ctx, name.text, &value);
        (void)json_take(&j, ',');
    }
}

/* What is negative (a broker's number, a time that was not measured) is 0. */
static uint64_t
number_of(const struct json_token *t)
{
    uint64_t n = 0;

    for (size_t i = 0; t->kind == JSON_NUMBER && i < t->text.len; i++) {
        if (t->text.ptr[i] < '0' || t->text.ptr[i] > '9')
            break;
        n = n * 10 + (uint64_t)(t->text.ptr[i] - '0');
    }
    return n;
}

struct taking {
    const struct number *numbers;   /* ended by a row without name */
    const char          *in;        /* the object that is looked at, or NULL */
    void                *to;
};

static void
take_number(void *ctx, struct slice name, const struct json_token *value)
{
    const struct taking *t = ctx;
    struct taking        inner = *t;

    for (const struct number *n = t->numbers; n->name != NULL; n++) {
        if (t->in == NULL && n->in != NULL && value->kind == JSON_OBJECT && slice_is(name, n->in)) {
            inner.in = n->in;
            each_member(value->text, take_number, &inner);
            return;
        }
        if (n->in == t->in && slice_is(name, n->name)) {
            const uint64_t number = number_of(value);

            memcpy((char *)t->to + n->offset, &number, sizeof number);
            return;
        }
    }
}

static void
take_numbers(struct slice object, const struct number *numbers, void *to)
{
    struct taking t = { numbers, NULL, to };

    each_member(object, take_number, &t);
}

/* ---- Topics ----------------------------------------------------------------- */

static void
add_partition(void *ctx, struct slice name, const struct json_token *value)
{
    static const struct number numbers[] = { { NULL, "txmsgs", 0 }, { NULL, NULL, 0 } };
    uint64_t                  *sent = ctx, here = 0;

    (void)name;
    take_numbers(value->text, numbers, &here);
    *sent += here;
}

static void
take_partitions(void *ctx, struct slice name, const struct json_token *value)
{
    struct kafka_topic *t = ctx;

    if (!slice_is(name, "partitions"))
        return;
    t->report.sent = t->sent_before;
    each_member(value->text, add_partition, &t->report.sent);
}

static void
take_topic(void *ctx, struct slice name, const struct json_token *value)
{
#define TO(member) offsetof(struct topic_report, member)
    static const char          bytes[] = "batchsize", count[] = "batchcnt";
    static const struct number numbers[] = {
        { bytes, "avg", TO(batch_bytes_mean) }, { bytes, "p99", TO(batch_bytes_p99) },
        { count, "avg", TO(batch_messages_mean) }, { count, "p99", TO(batch_messages_p99) },
        { NULL, NULL, 0 },
    };
#undef TO
    struct kafka_topic *t = kafka_topic_find(ctx, name);

    if (t == NULL)
        return;
    take_numbers(value->text, numbers, &t->report);
    each_member(value->text, take_partitions, t);
}

/* ---- Brokers ---------------------------------------------------------------- */

static void
take_state(void *ctx, struct slice name, const struct json_token *value)
{
    struct broker_report *b = ctx;

    if (slice_is(name, "state"))
        b->up = slice_is(value->text, "UP");
}

static const struct broker_report *
find_before(const struct kafka *k, const char *name)
{
    for (size_t i = 0; i < k->nbrokers_before; i++)
        if (strcmp(k->brokers_before[i].name, name) == 0)
            return &k->brokers_before[i];
    return NULL;
}

static void
add_before(struct broker_report *b, const struct broker_report *before)
{
    b->requests += before->requests;
    b->bytes += before->bytes;
    b->retried += before->retried;
    b->failed += before->failed;
    b->timed_out += before->timed_out;
}

/* The brokers of bootstrap.servers stand there a second time, with the number -1. */
static void
take_broker(void *ctx, struct slice name, const struct json_token *value)
{
#define TO(member) offsetof(struct broker_report, member)
    static const char          rtt[] = "rtt";
    static const struct number numbers[] = {
        { NULL, "tx", TO(requests) }, { NULL, "txbytes", TO(bytes) },
        { NULL, "txretries", TO(retried) }, { NULL, "txerrs", TO(failed) },
        { NULL, "req_timeouts", TO(timed_out) }, { NULL, "waitresp_cnt", TO(in_flight) },
        { rtt, "avg", TO(latency_mean) }, { rtt, "p50", TO(latency_p50) },
        { rtt, "p99", TO(latency_p99) }, { NULL, NULL, 0 },
    };
#undef TO
    struct kafka               *k = ctx;
    struct broker_report       *b;
    const struct broker_report *before;

    if (name.len < 2 || name.ptr[name.len - 1] < '0' || name.ptr[name.len - 1] > '9' ||
        memchr(name.ptr, '/', name.len) == NULL)
        return;                     /* one that is not a node: GroupCoordinator, bootstrap */
    k->brokers = mem_array(k->brokers, k->nbrokers + 1, sizeof *k->brokers);
    b = &k->brokers[k->nbrokers++];
    *b = (struct broker_report){ .name = mem_copy(name.ptr, name.len) };
    take_numbers(value->text, numbers, b);
    each_member(value->text, take_state, b);
    k->report.retried += b->retried;
    before = find_before(k, b->name);
    if (before != NULL)
        add_before(b, before);
}

static void
forget_brokers(struct broker_report *brokers, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        free(brokers[i].name);
    *count = 0;
}

/* One that the last statistics did not name is forgotten, but for the sum of all. */
void
kafka_report_carry(struct kafka *k)
{
    for (size_t i = 0; i < k->nbrokers; i++) {
        k->brokers[i].up = false;
        k->brokers[i].in_flight = 0;
    }
    k->before = k->report;
    for (struct kafka_topic *t = k->topics; t != NULL; t = t->next)
        t->sent_before = t->report.sent;
    if (k->nbrokers == 0)
        return;
    forget_brokers(k->brokers_before, &k->nbrokers_before);
    free(k->brokers_before);
    k->brokers_before = k->brokers;
    k->nbrokers_before = k->nbrokers;
    k->brokers = NULL;
    k->nbrokers = 0;
}

/* ---- All of it -------------------------------------------------------------- */

static void
take_all(void *ctx, struct slice name, const struct json_token *value)
{
    struct kafka *k = ctx;

    if (slice_is(name, "txmsgs"))
        k->report.sent = k->before.sent + number_of(value);
    else if (slice_is(name, "txmsg_bytes"))
        k->report.sent_bytes = k->before.sent_bytes + number_of(value);
    else if (slice_is(name, "topics"))
        each_member(value->text, take_topic, k);
    else if (slice_is(name, "brokers"))
        each_member(value->text, take_broker, k);
}

void
kafka_report_take(struct kafka *k, const char *statistics)
{
    forget_brokers(k->brokers, &k->nbrokers);
    k->report.retried = k->before.retried;
    each_member(slice_of(statistics), take_all, k);
    kafka_report_tell(k);
}

const struct output_report *
kafka_report(struct output *o)
{
    struct kafka         *k = (struct kafka *)o;
    struct output_report *r = &k->report;
    size_t                n = 0;

    k->topic_reports = mem_array(k->topic_reports, k->ntopics, sizeof *k->topic_reports);
    r->in_flight = k->outstanding;
    r->acknowledged = r->rejected = r->queue = 0;
    for (struct kafka_topic *t = k->topics; t != NULL; t = t->next) {
        struct topic_report *tr = &k->topic_reports[n++];

        t->report.name = t->name;
        t->report.partitions = (uint64_t)t->nlanes;
        t->report.waiting = t->unplaced_messages;
        for (int32_t i = 0; i < t->nlanes; i++)
            t->report.waiting += t->lanes[i]->waiting_messages;
        *tr = t->report;
        r->acknowledged += tr->acknowledged;
        r->rejected += tr->rejected;
        r->queue += tr->waiting;
    }
    r->topics = k->topic_reports;
    r->ntopics = n;
    r->brokers = k->nbrokers > 0 ? k->brokers : k->brokers_before;
    r->nbrokers = k->nbrokers > 0 ? k->nbrokers : k->nbrokers_before;
    return r;
}

void
kafka_report_tell(struct kafka *k)
{
    const struct output_report *r;

    if (!log_wants(LOG_DEBUG))
        return;
    r = kafka_report(&k->base);
    log_debug("output '%s': %" PRIu64 " sent, %" PRIu64 " acknowledged, %" PRIu64 " sent again, %"
              PRIu64 " rejected, %" PRIu64 " lost, %" PRIu64 " in flight, %" PRIu64 " waiting, %"
              PRIu64 " requests retried", k->base.name, r->sent, r->acknowledged, r->sent_again,
              r->rejected, r->lost, r->in_flight, r->queue, r->retried);
    for (size_t i = 0; i < r->ntopics; i++)
        log_debug("output '%s': topic '%s': %" PRIu64 " sent, %" PRIu64 " acknowledged, %" PRIu64
                  " rejected, %" PRIu64 " waiting; batches of %" PRIu64 " records, %" PRIu64
                  " bytes", k->base.name, r->topics[i].name, r->topics[i].sent,
                  r->topics[i].acknowledged, r->topics[i].rejected, r->topics[i].waiting,
                  r->topics[i].batch_messages_mean, r->topics[i].batch_bytes_mean);
    for (size_t i = 0; i < r->nbrokers; i++)
        log_debug("output '%s': broker '%s' is %s: %" PRIu64 " requests, %" PRIu64 " retried, %"
                  PRIu64 " timed out; latency %" PRIu64 " us, 99 %% below %" PRIu64 " us",
                  k->base.name, r->brokers[i].name, r->brokers[i].up ? "up" : "down",
                  r->brokers[i].requests, r->brokers[i].retried, r->brokers[i].timed_out,
                  r->brokers[i].latency_mean, r->brokers[i].latency_p99);
}

void
kafka_report_free(struct kafka *k)
{
    forget_brokers(k->brokers, &k->nbrokers);
    forget_brokers(k->brokers_before, &k->nbrokers_before);
    free(k->brokers);
    free(k->brokers_before);
    free(k->topic_reports);
}
