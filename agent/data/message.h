/* message.h - one record as an output sends it.
 *
 * 56 bytes, in its chunk's array; its address is the opaque of the delivery
 * report, so it does not move once the chunk was handed to the loop.  Value and
 * key point into the chunk's bytes or arena, or into the configuration.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_MESSAGE_H
#define AGENT_DATA_MESSAGE_H

#include <stdint.h>

#include "agent/base/slice.h"

struct chunk;

struct header {
    struct slice name;
    struct slice value;
};

struct headers {
    uint32_t      count;
    struct header list[];
};

#define NO_TIMESTAMP INT64_MIN

/* The longest key that a message can carry, in bytes. */
#define MESSAGE_MAX_KEY ((1u << 28) - 1)

/* What a route may say instead of a partition's number. */
enum {
    PARTITION_FREE = -1,        /* the output chooses, by key or by its way for keyless records */
};

struct message {
    const char           *value;        /* NULL: a null value */
    const char           *key;          /* NULL: no key; an empty key is not NULL */
    uint32_t              value_len;
    uint32_t              key_len : 28;
    uint32_t              state : 4;    /* the output's own; 0 when it is handed over */
    struct chunk         *chunk;        /* what it came from */
    const struct headers *headers;      /* NULL: none */
    int64_t               timestamp;    /* epoch milliseconds, or NO_TIMESTAMP: when it is sent */
    int32_t               partition;    /* PARTITION_FREE, or its number */
    uint32_t              at;           /* its record's first byte, counted from chunk->begin */
};

_Static_assert(sizeof(struct message) == 56, "a message is 56 bytes");

static inline struct slice
message_key(const struct message *m)
{
    return (struct slice){ m->key, m->key_len };
}

static inline struct slice
message_value(const struct message *m)
{
    return (struct slice){ m->value, m->value_len };
}

#endif
