/* kafka_settings.h - what a user may say about a Kafka output.
 *
 * Three kinds of keys stand side by side: those of the settings table, names
 * of the Java producer (kafka_java.h), and librdkafka's own.  The result is this
 * struct, and a client configuration that librdkafka has accepted.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef OUTPUTS_KAFKA_SETTINGS_H
#define OUTPUTS_KAFKA_SETTINGS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/base/error.h"
#include "agent/base/strings.h"
#include "agent/data/field.h"
#include "agent/data/node.h"
#include "agent/data/serializer.h"
#include "outputs/kafka_partition.h"

enum kafka_send { KAFKA_ASYNC, KAFKA_FIRE_AND_FORGET, KAFKA_SYNC, KAFKA_TRANSACTIONAL };

struct kafka_settings {
    struct strings servers;
    int            send;                /* enum kafka_send */
    int            on_rejected;         /* enum on_rejected */
    int            acks, compression;
    int            partitioner;         /* enum kafka_partitioner */
    int            keyless;             /* enum kafka_keyless */
    bool           idempotence;
    bool           create_topics;
    char          *client_id;
    uint64_t       max_message;         /* bytes: message.max.bytes */
    uint64_t       memory;              /* bytes: buffer.memory; 0: not said */
    char          *delivery_timeout;    /* as written */
    char          *linger_text;         /* as written */
    char          *dead_letter_topic;

    bool           ignore_keys;         /* partitioner.ignore.keys */
    enum serializer key_serializer;     /* of routes that do not say */
    uint64_t       linger;              /* ms: how often a quiet source is read */
    uint64_t       refresh;             /* ms: how often metadata is asked for; 0: never */
    uint64_t       batch_bytes;         /* the most that is handed over at once, on the wire */
    uint32_t       batch_messages;
    rd_kafka_conf_t *client;            /* everything for librdkafka, but for events */
};

enum {
    KAFKA_BATCH_BYTES = 980 * 1000,     /* 900 KB of lines and what stands around them */
    KAFKA_BATCH_MESSAGES = 5000,        /* a hand-over takes less than librdkafka's linger */
};

/* The rows of the table, for the reference. */
extern const struct field kafka_fields[];

/* Fill `s` from the map of an output.  0; or -1, with every mistake added to
 * `errs`, and nothing to be freed. */
int  kafka_settings_load(struct kafka_settings *s, const char *what, const struct node *map,
                         struct errors *errs);
void kafka_settings_fini(struct kafka_settings *s);

/* A client property as it was set, in `text`; false: not at all. */
bool kafka_settings_get(const struct kafka_settings *s, const char *name, char *text,
                        size_t room);

#endif
