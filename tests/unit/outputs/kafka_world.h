/* kafka_world.h - a Kafka output between a pipeline that only takes notes and a
 * cluster inside this process.
 *
 * The cluster is librdkafka's mock: it takes errors to answer with, and keeps
 * what was produced, which a consumer reads back.  Every test includes this.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_UNIT_OUTPUTS_KAFKA_WORLD_H
#define TESTS_UNIT_OUTPUTS_KAFKA_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <uv.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "agent/flow/pipeline.h"
#include "agent/flow/source.h"
#include "outputs/kafka.h"

enum {
    PATIENCE_MS = 60 * 1000, MAX_READ = 40000, MAX_CHUNKS = 128, MAX_SETTINGS = 12,
    MAX_REWOUND = 64,
    PRODUCE = 0, METADATA = 3,          /* ApiKeys */
};

/* ---- The pipeline ---------------------------------------------------------- */

struct pipeline {
    uv_loop_t      loop;
    uint64_t       delivered, rejected, lost, filed;
    char           reason[400];         /* of the last rejection, or dead letter in the file */
    struct source *rewound[MAX_REWOUND];
    const uint64_t *moves;              /* of the last one */
    unsigned       nrewound;
    uint64_t       budget, starving;
};

static struct pipeline pipeline;

void
pipeline_delivered(struct pipeline *p, struct chunk *c, uint32_t count)
{
    assert_true(c->pins > 0);
    assert_true(count > 0 && count <= c->nmessages - c->acked);
    c->acked += count;
    p->delivered += count;
}

void
pipeline_rejected(struct pipeline *p, const struct run *run, struct message *m, const char *reason)
{
    assert_ptr_equal(run->chunk, m->chunk);
    assert_true(run->topic.len > 0);
    snprintf(p->reason, sizeof p->reason, "%s", reason);
    p->rejected++;
    if (!run->output->ops->dead_letter(run->output, run, m, reason))
        m->chunk->acked++;
}

void
pipeline_dead_letter(struct pipeline *p, const struct run *run, const struct message *m,
                     const char *reason)
{
    assert_true(run->topic.len > 0);
    snprintf(p->reason, sizeof p->reason, "%s", reason);
    m->chunk->acked++;
    p->filed++;
}

void
pipeline_lost(struct pipeline *p, const struct output *o, struct chunk *c, uint32_t count)
{
    assert_true(o->at_most_once && c->pins > 0);
    p->lost += count;
}

void
pipeline_unpin(struct pipeline *p, struct chunk *c)
{
    (void)p;
    assert_true(c->pins > 0);
    c->pins--;
}

void
pipeline_rewind(struct pipeline *p, struct source *s, struct chunk *last, const char *reason,
                const uint64_t *moves)
{
    assert_non_null(reason);
    assert_true(p->nrewound < MAX_REWOUND);
    p->moves = moves;
    for (struct chunk *c = window_cut(&s->window, last); c != NULL; c = c->newer)
        assert_true(c->pins == 0 && (c->acked == 0 || last != NULL));
    p->rewound[p->nrewound++] = s;
}

uint64_t
pipeline_starving(const struct pipeline *p)
{
    return p->starving;
}

uint64_t
pipeline_budget(const struct pipeline *p)
{
    return p->budget;
}

uv_loop_t *
pipeline_loop(const struct pipeline *p)
{
    return (uv_loop_t *)(uintptr_t)&p->loop;
}

/* ---- The cluster ----------------------------------------------------------- */

static rd_kafka_t              *owner;
static rd_kafka_mock_cluster_t *cluster;

static inline void
given_cluster(int brokers)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char             why[200];

    rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why);
    owner = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    assert_non_null(owner);
    cluster = rd_kafka_mock_cluster_new(owner, brokers);
    assert_non_null(cluster);
}

static inline void
given_topic(const char *topic, int partitions)
{
    assert_int_equal(rd_kafka_mock_topic_create(cluster, topic, partitions, 1), 0);
}

/* ---- The output ------------------------------------------------------------ */

static struct node    settings_map, settings[MAX_SETTINGS];
static unsigned       nsettings;
static struct output *output;
static bool           stopped;
static uv_timer_t     tick;             /* so that a condition is looked at again */

static inline void
given_setting(const char *key, const char *value)
{
    settings[nsettings] = (struct node){ .kind = NODE_SCALAR, .text = value, .len = strlen(value),
                                         .key = key };
    if (nsettings > 0)
        settings[nsettings - 1].next = &settings[nsettings];
    nsettings++;
}

static inline void
on_tick(uv_timer_t *timer)
{
    (void)timer;
}

/* On a busy machine the client's linger of 1 ms may be over while a batch is handed over:
 * then it is two requests, and a refusal of the first changes the order.  Who gives way to
 * others (nice) may stand still for long. */
static inline void
keep_batches_whole(struct kafka *k)
{
    const char *linger = getpriority(PRIO_PROCESS, 0) > 0 ? "100" : "20";
    char        why[200];

    assert_int_equal(rd_kafka_conf_set(k->settings.client, "linger.ms", linger, why, sizeof why),
                     RD_KAFKA_CONF_OK);
}

static inline void
load_output(const char *servers)
{
    struct errors errs = { NULL, 0, 0 };

    given_setting("bootstrap.servers", servers);
    settings_map = (struct node){ .kind = NODE_MAP, .first = &settings[0], .key = "main" };
    output = kafka_output_type.load("main", "output 'main'", &settings_map, &errs);
    for (size_t i = 0; i < errs.count; i++)
        print_message("%s\n", errs.list[i].text);
    errors_fini(&errs);
    assert_non_null(output);
    keep_batches_whole((struct kafka *)output);
}

static inline void
given_output_at(const char *servers)
{
    struct error err;

    load_output(servers);
    assert_int_equal(output->ops->start(output, &pipeline, &err), 0);
}

static inline void
given_output(void)
{
    given_output_at(rd_kafka_mock_cluster_bootstraps(cluster));
}

static inline struct kafka *
kafka(void)
{
    return (struct kafka *)output;
}

static inline bool
topic_is_known(void *name)
{
    return output->ops->topic(output, slice_of(name)) != NULL;
}

static inline bool turn_until(bool (*condition)(void *), void *ctx);

/* Nothing was sent to it yet: a first batch will be one message. */
static inline struct kafka_topic *
given_new_topic(const char *topic, int partitions)
{
    char name[32];

    snprintf(name, sizeof name, "%s", topic);
    given_topic(topic, partitions);
    (void)kafka_topic_get(kafka(), slice_of(topic));
    assert_true(turn_until(topic_is_known, name));
    return kafka_topic_find(kafka(), slice_of(topic));
}

/* Its brokers know the producer. */
static inline struct kafka_topic *
given_known_topic(const char *topic, int partitions)
{
    struct kafka_topic *t = given_new_topic(topic, partitions);

    for (int32_t i = 0; i < t->nlanes; i++)
        t->lanes[i]->met_at = clock_ms();
    return t;
}

/* ---- Time ------------------------------------------------------------------ */

/* Turn the loop until the condition holds; false: it never did. */
static inline bool
turn_until(bool (*condition)(void *), void *ctx)
{
    const uint64_t end = clock_ms() + PATIENCE_MS;

    while (!condition(ctx)) {
        if (clock_ms() > end)
            return false;
        uv_run(&pipeline.loop, UV_RUN_ONCE);
    }
    return true;
}

static inline bool
time_is_over(void *ctx)
{
    return clock_ms() >= *(const uint64_t *)ctx;
}

/* For what must not happen: give it the chance. */
static inline void
turn_for(unsigned ms)
{
    uint64_t end = clock_ms() + ms;

    (void)turn_until(time_is_over, &end);
}

static inline bool
is_settled(void *ctx)
{
    return pipeline.delivered + pipeline.rejected >= *(const uint64_t *)ctx;
}

static inline void
then_settled(uint64_t messages)
{
    assert_true(turn_until(is_settled, &messages));
    assert_int_equal(pipeline.delivered + pipeline.rejected, messages);
}

/* ---- Sources and chunks ---------------------------------------------------- */

static struct source sources[4];
static struct chunk *chunks[MAX_CHUNKS];
static unsigned      nchunks;

static const struct source_ops no_ops = { NULL, NULL, NULL };

static inline struct chunk *
begin_chunk(struct source *s)
{
    struct chunk *c = chunk_new(CHUNK_SIZE);

    chunk_begin(c, s, window_end(&s->window), s->path, s->name);
    chunks[nchunks++] = c;
    return c;
}

static inline struct message *
add_message(struct chunk *c, const char *value)
{
    struct message *m = chunk_add(c);
    const size_t    len = strlen(value);

    assert_true(c->len + len <= c->size);
    memcpy(c->bytes + c->len, value, len);
    m->value = c->bytes + c->len;
    m->value_len = (uint32_t)len;
    m->timestamp = NO_TIMESTAMP;
    m->partition = PARTITION_FREE;
    m->at = (uint32_t)c->len;
    c->len += len;
    c->end += len;
    return m;
}

static inline void
set_key(struct message *m, const char *key)
{
    const struct slice copy = arena_copy(&m->chunk->arena, slice_of(key));

    m->key = copy.ptr;
    m->key_len = (uint32_t)copy.len & MESSAGE_MAX_KEY;
}

/* What the worker does: a place for every message, and one run for each. */
static inline void
push(struct chunk *c, const char *topic)
{
    const struct output_ops *ops = output->ops;
    const void     *known = ops->topic(output, slice_of(topic));
    uint32_t       *run_of = mem_array(NULL, c->nmessages, sizeof *run_of);
    struct message *spare = mem_array(NULL, c->nmessages, sizeof *spare);
    struct chunk   *pushed = c;

    for (uint32_t i = 0; i < c->nmessages; i++) {
        const struct message *m = &c->messages[i];
        int32_t               partition = known == NULL ? PARTITION_FREE : m->partition;
        uint32_t              r = 0;

        if (known != NULL && partition == PARTITION_FREE)
            partition = ops->place(output, known, message_key(m), source_number(c->source));
        while (r < c->nruns && c->runs[r].partition != partition)
            r++;
        if (r == c->nruns)
            (void)chunk_add_run(c, output, slice_of(topic), known, partition);
        run_of[i] = r;
    }
    chunk_sort(c, run_of, spare);
    window_push(&c->source->window, &pushed);
    c->pins++;
    for (uint32_t i = 0; i < c->nruns; i++)
        ops->send(output, &c->runs[i]);
    pipeline_unpin(&pipeline, c);
    free(run_of);
    free(spare);
}

/* `count` messages "FIRST", "FIRST + 1" ... with `nkeys` keys in turn ("key-0" ...),
 * 0: without; the number is padded to `width`. */
static inline void
when_sent_wide(const char *topic, unsigned first, unsigned count, unsigned nkeys, int width)
{
    struct chunk *c = begin_chunk(&sources[0]);
    char         *text = mem_alloc((size_t)width + 16), key[32];

    for (unsigned i = first; i < first + count; i++) {
        struct message *m;

        sprintf(text, "%0*u", width, i);
        m = add_message(c, text);
        if (nkeys > 0) {
            snprintf(key, sizeof key, "key-%u", i % nkeys);
            set_key(m, key);
        }
    }
    free(text);
    push(c, topic);
}

static inline void
when_sent(const char *topic, unsigned first, unsigned count, unsigned nkeys)
{
    when_sent_wide(topic, first, count, nkeys, 6);
}

/* ---- Reading back ---------------------------------------------------------- */

struct received {
    int32_t  partition;
    unsigned number;
    char     key[32];
    char     headers[300];              /* "name=value;..." */
    int64_t  timestamp;
};

static struct received received[MAX_READ];
static unsigned        nreceived;

static inline void
note_received(const rd_kafka_message_t *rkm)
{
    struct received    *r = &received[nreceived++];
    rd_kafka_headers_t *headers;
    const char         *name;
    const void         *value;
    size_t              size;

    assert_true(nreceived < MAX_READ);
    memset(r, 0, sizeof *r);
    r->partition = rkm->partition;
    r->number = (unsigned)strtoul(rkm->payload, NULL, 10);
    snprintf(r->key, sizeof r->key, "%.*s", (int)rkm->key_len, (const char *)rkm->key);
    r->timestamp = rd_kafka_message_timestamp(rkm, NULL);
    if (rd_kafka_message_headers(rkm, &headers) == 0)
        for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; i++)
            snprintf(r->headers + strlen(r->headers), sizeof r->headers - strlen(r->headers),
                     "%s=%.*s;", name, (int)size, (const char *)value);
}

static inline rd_kafka_t *
make_consumer(const char *topic, int partitions)
{
    rd_kafka_conf_t                 *conf = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(partitions);
    char                             why[200];
    rd_kafka_t                      *rk;

    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster), why,
                      sizeof why);
    rd_kafka_conf_set(conf, "group.id", "test", why, sizeof why);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof why);
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", "10", why, sizeof why);
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    assert_non_null(rk);
    rd_kafka_poll_set_consumer(rk);
    for (int i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(all, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(rk, all);
    rd_kafka_topic_partition_list_destroy(all);
    return rk;
}

/* Everything in the topic, in the order of each partition. */
static inline void
when_read_back(const char *topic, int partitions)
{
    rd_kafka_t    *rk = make_consumer(topic, partitions);
    const uint64_t end = clock_ms() + PATIENCE_MS;
    int            at_end = 0;

    nreceived = 0;
    while (at_end < partitions && clock_ms() < end) {
        rd_kafka_message_t *rkm = rd_kafka_consumer_poll(rk, 100);

        if (rkm == NULL)
            continue;
        if (rkm->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            at_end++;
        else if (rkm->err == 0)
            note_received(rkm);
        rd_kafka_message_destroy(rkm);
    }
    assert_int_equal(at_end, partitions);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

/* Numbers 0 to count - 1 once each; in each partition, if `ordered`, rising. */
static inline void
then_received(unsigned count, bool ordered)
{
    unsigned *times = mem_zero(count * sizeof *times);
    int64_t   last[64];

    for (int i = 0; i < 64; i++)
        last[i] = -1;
    for (unsigned i = 0; i < nreceived; i++) {
        const struct received *r = &received[i];

        assert_in_range(r->number, 0, count - 1);
        assert_int_equal(times[r->number]++, 0);        /* not doubled */
        if (ordered && (int64_t)r->number <= last[r->partition])
            fail_msg("%u came after %lld", r->number, (long long)last[r->partition]);
        last[r->partition] = r->number;
    }
    assert_int_equal(nreceived, count);                 /* nothing lost */
    free(times);
}

/* ---- Beginning and end ----------------------------------------------------- */

static inline int
set_up(void **state)
{
    (void)state;
    memset(&pipeline, 0, sizeof pipeline);
    pipeline.budget = 64 * 1024 * 1024;
    assert_int_equal(uv_loop_init(&pipeline.loop), 0);
    uv_timer_init(&pipeline.loop, &tick);
    uv_timer_start(&tick, on_tick, 10, 10);
    nsettings = nchunks = nreceived = 0;
    output = NULL;
    cluster = NULL;
    stopped = false;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        source_init(&sources[i], &no_ops, NULL, "/var/log/x");
        sources[i].identity.inode = i + 1;
    }
    return 0;
}

static inline void
on_stopped(void *ctx)
{
    (void)ctx;
    stopped = true;
}

static inline bool
is_stopped(void *ctx)
{
    (void)ctx;
    return stopped;
}

static inline void
when_stopped(void)
{
    output->ops->stop(output, on_stopped, NULL);
    assert_false(stopped);              /* never from inside */
    assert_true(turn_until(is_stopped, NULL));
}

static inline int
tear_down(void **state)
{
    (void)state;
    if (output != NULL && output->pipeline != NULL && !stopped)
        when_stopped();
    if (output != NULL)
        output->ops->free(output);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        (void)window_clear(&sources[i].window);
        source_fini(&sources[i]);
    }
    for (unsigned i = 0; i < nchunks; i++) {
        assert_int_equal(chunks[i]->pins, 0);           /* everything was let go */
        chunk_free(&chunks[i]);
    }
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&pipeline.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&pipeline.loop), 0);
    if (cluster != NULL) {
        rd_kafka_mock_cluster_destroy(cluster);
        rd_kafka_destroy(owner);
    }
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
