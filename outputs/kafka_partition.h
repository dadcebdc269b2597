/* kafka_partition.h - which partition a record goes to.
 *
 * The same arithmetic as the Java client and librdkafka, over all partitions of
 * a topic, whether they have a leader now or not.  Any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef OUTPUTS_KAFKA_PARTITION_H
#define OUTPUTS_KAFKA_PARTITION_H

#include <stdatomic.h>
#include <stdint.h>

#include "agent/base/slice.h"

/* Where a record with a key goes.  Those ending in _RANDOM leave records
 * without key to enum kafka_keyless; the others take a missing key for "". */
enum kafka_partitioner {
    KAFKA_MURMUR2_RANDOM,       /* the Java client's; an empty key is a key */
    KAFKA_MURMUR2,
    KAFKA_CONSISTENT,           /* CRC-32 */
    KAFKA_CONSISTENT_RANDOM,    /* an empty key is none */
    KAFKA_FNV1A,                /* as Sarama's hash partitioner */
    KAFKA_FNV1A_RANDOM,
    KAFKA_RANDOM,               /* key or not */
    KAFKA_ROUND_ROBIN,          /* every record in turn, key or not */
};

/* Where a record without key goes. */
enum kafka_keyless { KAFKA_STICKY, KAFKA_IN_TURN, KAFKA_BY_SOURCE, KAFKA_ANYWHERE };

struct kafka_partitioning {
    enum kafka_partitioner partitioner;
    enum kafka_keyless     keyless;
};

/* The partition, from 0 to count - 1; PARTITION_FREE: a sticky one, which
 * depends on what else is sent.  `turn` counts the records that take turns. */
int32_t kafka_partition(const struct kafka_partitioning *how, int32_t count, struct slice key,
                        uint64_t source, _Atomic uint64_t *turn);

/* The same for somebody who has no turns: PARTITION_FREE for them too. */
int32_t kafka_partition_of(const struct kafka_partitioning *how, int32_t count, struct slice key,
                           uint64_t source);

/* The hash of the Java client (org.apache.kafka.common.utils.Utils). */
uint32_t kafka_murmur2(struct slice key);

#endif
