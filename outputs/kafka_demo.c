/* kafka_demo.c - see kafka_demo.h.
 *
 * One client is the owner of the mock cluster and its consumer.  It reads the
 * partitions by themselves, without a consumer group: nothing to join or to
 * commit, and the first fetch goes out at once.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "outputs/kafka_demo.h"

#include <stdlib.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "agent/base/mem.h"

struct kafka_demo {
    rd_kafka_t              *rk;
    rd_kafka_mock_cluster_t *broker;
    rd_kafka_topic_t        *topic;
    rd_kafka_queue_t        *queue;         /* of all partitions */
    int                      partitions;    /* that are being read */
    rd_kafka_message_t      *message;       /* what kafka_demo_next() gave last */
    struct headers          *headers;       /* its headers, converted */
    kafka_demo_wake_f       *wake;
    void                    *ctx;
};

/* The mock answers a fetch that finds nothing only when its time is over. */
static const char *const client_settings[][2] = {
    { "fetch.wait.max.ms", "2" },
    { "fetch.error.backoff.ms", "5" },
    { "socket.nagle.disable", "true" },
};

static int
start_client(struct kafka_demo *d, struct error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char             text[300];

    for (size_t i = 0; i < sizeof(client_settings) / sizeof(client_settings[0]); i++)
        if (rd_kafka_conf_set(conf, client_settings[i][0], client_settings[i][1], text,
                              sizeof(text)) != RD_KAFKA_CONF_OK) {
            rd_kafka_conf_destroy(conf);
            return error_set(err, ERR_SYSTEM, "cannot start the consumer: %s", text);
        }
    rd_kafka_conf_set_log_cb(conf, NULL);
    d->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    if (d->rk != NULL)
        return 0;
    rd_kafka_conf_destroy(conf);
    return error_set(err, ERR_SYSTEM, "cannot start the consumer: %s", text);
}

static int
start_broker(struct kafka_demo *d, const char *topic, int partitions, struct error *err)
{
    rd_kafka_resp_err_t failed;

    d->broker = rd_kafka_mock_cluster_new(d->rk, 1);
    if (d->broker == NULL)
        return error_set(err, ERR_SYSTEM, "cannot start the embedded broker");
    failed = rd_kafka_mock_topic_create(d->broker, topic, partitions, 1);
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERR_SYSTEM, "cannot create topic '%s' in the embedded broker: %s",
                         topic, rd_kafka_err2str(failed));
    rd_kafka_brokers_add(d->rk, kafka_demo_servers(d));
    return 0;
}

static int
start_reading(struct kafka_demo *d, const char *topic, int partitions, struct error *err)
{
    d->queue = rd_kafka_queue_new(d->rk);
    d->topic = rd_kafka_topic_new(d->rk, topic, NULL);
    if (d->topic == NULL)
        return error_set(err, ERR_SYSTEM, "cannot read topic '%s': %s", topic,
                         rd_kafka_err2str(rd_kafka_last_error()));
    for (; d->partitions < partitions; d->partitions++)
        if (rd_kafka_consume_start_queue(d->topic, d->partitions, 0, d->queue) == -1)
            return error_set(err, ERR_SYSTEM, "cannot read partition %d of '%s': %s",
                             d->partitions, topic, rd_kafka_err2str(rd_kafka_last_error()));
    return 0;
}

struct kafka_demo *
kafka_demo_new(const char *topic, int partitions, struct error *err)
{
    struct kafka_demo *d = NEW(struct kafka_demo);

    if (start_client(d, err) == -1 || start_broker(d, topic, partitions, err) == -1 ||
        start_reading(d, topic, partitions, err) == -1) {
        kafka_demo_free(d);
        return NULL;
    }
    return d;
}

const char *
kafka_demo_servers(const struct kafka_demo *d)
{
    return rd_kafka_mock_cluster_bootstraps(d->broker);
}

static void
on_records(rd_kafka_t *rk, void *opaque)
{
    const struct kafka_demo *d = opaque;

    (void)rk;
    d->wake(d->ctx);
}

void
kafka_demo_watch(struct kafka_demo *d, kafka_demo_wake_f *wake, void *ctx)
{
    d->wake = wake;
    d->ctx = ctx;
    rd_kafka_queue_cb_event_enable(d->queue, on_records, d);
    wake(ctx);          /* the queue may hold something already: then nobody else would */
}

static const struct headers *
take_headers(struct kafka_demo *d)
{
    rd_kafka_headers_t *found;
    const char         *name;
    const void         *value;
    size_t              len, n;

    if (rd_kafka_message_headers(d->message, &found) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return NULL;
    n = rd_kafka_header_cnt(found);
    d->headers = mem_resize(d->headers, sizeof(*d->headers) + n * sizeof(struct header));
    d->headers->count = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        rd_kafka_header_get_all(found, i, &name, &value, &len);
        d->headers->list[i] = (struct header){ slice_of(name), { value, len } };
    }
    return d->headers;
}

static int64_t
take_timestamp(const rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t type;
    const int64_t             ms = rd_kafka_message_timestamp(m, &type);

    return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? NO_TIMESTAMP : ms;
}

/* Let go of the last message and take the next one; NULL: none now. */
static rd_kafka_message_t *
next_message(struct kafka_demo *d)
{
    do {
        if (d->message != NULL)
            rd_kafka_message_destroy(d->message);
        d->message = rd_kafka_consume_queue(d->queue, 0);
    } while (d->message != NULL && d->message->err != RD_KAFKA_RESP_ERR_NO_ERROR);
    return d->message;
}

bool
kafka_demo_next(struct kafka_demo *d, struct kafka_demo_record *r)
{
    const rd_kafka_message_t *m = next_message(d);

    if (m == NULL)
        return false;
    *r = (struct kafka_demo_record){
        .partition = m->partition,
        .offset = m->offset,
        .key = { m->key, m->key_len },
        .value = { m->payload, m->len },
        .headers = take_headers(d),
        .timestamp = take_timestamp(m),
    };
    return true;
}

void
kafka_demo_free(struct kafka_demo *d)
{
    if (d == NULL)
        return;
    if (d->queue != NULL)
        rd_kafka_queue_cb_event_enable(d->queue, NULL, NULL);
    if (d->message != NULL)
        rd_kafka_message_destroy(d->message);
    while (d->partitions > 0)
        (void)rd_kafka_consume_stop(d->topic, --d->partitions);
    if (d->topic != NULL)
        rd_kafka_topic_destroy(d->topic);
    if (d->queue != NULL)
        rd_kafka_queue_destroy(d->queue);
    if (d->broker != NULL)
        rd_kafka_mock_cluster_destroy(d->broker);
    if (d->rk != NULL)
        rd_kafka_destroy(d->rk);
    free(d->headers);
    free(d);
}
