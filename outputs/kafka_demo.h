/* kafka_demo.h - a broker inside this process, and a consumer of its one topic.
 *
 * For `stoker demo`: nothing to install, nothing outside the process is touched
 * but a port of the loopback interface.  The broker is librdkafka's mock
 * cluster: it keeps the last 5 MiB of a partition, so records have to be
 * consumed while they come.  One thread at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef OUTPUTS_KAFKA_DEMO_H
#define OUTPUTS_KAFKA_DEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/error.h"
#include "agent/base/slice.h"
#include "agent/data/message.h"

struct kafka_demo;

/* One record as it was consumed. */
struct kafka_demo_record {
    int32_t               partition;
    int64_t               offset;
    struct slice          key, value;   /* ptr NULL: none */
    const struct headers *headers;      /* NULL: none */
    int64_t               timestamp;    /* epoch milliseconds, or NO_TIMESTAMP */
};

/* Start the broker with one empty topic, and consume it from its beginning. */
struct kafka_demo *kafka_demo_new(const char *topic, int partitions, struct error *err);

/* For bootstrap.servers; lives as long as the broker. */
const char *kafka_demo_servers(const struct kafka_demo *d);

/* Call wake(ctx) now, and from now on, on a thread of the client, when there are
 * records again after there were none: then take all of them. */
typedef void kafka_demo_wake_f(void *ctx);
void kafka_demo_watch(struct kafka_demo *d, kafka_demo_wake_f *wake, void *ctx);

/* The next record, which lives until the next call; false: none now. */
bool kafka_demo_next(struct kafka_demo *d, struct kafka_demo_record *r);

/* Stop both; `wake` is not called any more. */
void kafka_demo_free(struct kafka_demo *d);

#endif
