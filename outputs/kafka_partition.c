/* kafka_partition.c - see kafka_partition.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "outputs/kafka_partition.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "agent/data/message.h"

/* ---- Hashes ---------------------------------------------------------------- */

static uint32_t
little_endian(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t
kafka_murmur2(struct slice key)
{
    const uint32_t       m = 0x5bd1e995;
    const unsigned char *p = (const unsigned char *)key.ptr;
    size_t               left = key.len;
    uint32_t             h = 0x9747b28c ^ (uint32_t)key.len;

    for (; left >= 4; left -= 4, p += 4) {
        uint32_t k = little_endian(p) * m;

        k = (k ^ k >> 24) * m;
        h = h * m ^ k;
    }
    if (left == 3)
        h ^= (uint32_t)p[2] << 16;
    if (left >= 2)
        h ^= (uint32_t)p[1] << 8;
    if (left >= 1)
        h = (h ^ p[0]) * m;
    h = (h ^ h >> 13) * m;
    return h ^ h >> 15;
}

/* CRC-32 as in zlib (ISO 3309), a byte at a time.  The table is linear: an entry is the sum (XOR)
 * of those of its bits. */
#define OF_BIT(i, bit, crc) ((i) >> (bit) & 1 ? (crc) : 0u)
#define ENTRY(i)                                                                                  \
    (OF_BIT(i, 0, 0x77073096u) ^ OF_BIT(i, 1, 0xee0e612cu) ^ OF_BIT(i, 2, 0x076dc419u) ^          \
     OF_BIT(i, 3, 0x0edb8832u) ^ OF_BIT(i, 4, 0x1db71064u) ^ OF_BIT(i, 5, 0x3b6e20c8u) ^          \
     OF_BIT(i, 6, 0x76dc4190u) ^ OF_BIT(i, 7, 0xedb88320u))
#define ENTRIES_4(i)  ENTRY(i), ENTRY((i) + 1), ENTRY((i) + 2), ENTRY((i) + 3)
#define ENTRIES_16(i) ENTRIES_4(i), ENTRIES_4((i) + 4), ENTRIES_4((i) + 8), ENTRIES_4((i) + 12)
#define ENTRIES_64(i)                                                                             \
    ENTRIES_16(i), ENTRIES_16((i) + 16), ENTRIES_16((i) + 32), ENTRIES_16((i) + 48)

static uint32_t
crc32(struct slice key)
{
    static const uint32_t table[256] = {
        ENTRIES_64(0), ENTRIES_64(64), ENTRIES_64(128), ENTRIES_64(192),
    };
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < key.len; i++)
        crc = table[(crc ^ (unsigned char)key.ptr[i]) & 255] ^ crc >> 8;
    return ~crc;
}

/* FNV-1a over 32 bits, its absolute value: what Sarama takes. */
static uint32_t
fnv1a(struct slice key)
{
    uint32_t h = 0x811c9dc5;

    for (size_t i = 0; i < key.len; i++)
        h = (h ^ (unsigned char)key.ptr[i]) * 0x01000193;
    return h & 0x80000000 ? -h : h;
}

/* Numbers that follow one another become numbers that do not (splitmix64). */
static uint64_t
mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

/* ---- Choosing -------------------------------------------------------------- */

enum choice { BY_HASH, IN_TURN, ANYWHERE, BY_SOURCE, STICKY };

static enum choice
choose_keyless(enum kafka_keyless keyless)
{
    static const enum choice choices[] = {
        [KAFKA_STICKY] = STICKY, [KAFKA_IN_TURN] = IN_TURN,
        [KAFKA_BY_SOURCE] = BY_SOURCE, [KAFKA_ANYWHERE] = ANYWHERE,
    };

    return choices[keyless];
}

static enum choice
choose(const struct kafka_partitioning *how, struct slice key, uint32_t *hash)
{
    switch (how->partitioner) {
    case KAFKA_MURMUR2_RANDOM:
        if (key.ptr == NULL)
            return choose_keyless(how->keyless);
        /* fall through */
    case KAFKA_MURMUR2:
        *hash = kafka_murmur2(key) & 0x7fffffff;
        return BY_HASH;
    case KAFKA_CONSISTENT_RANDOM:
        if (key.len == 0)
            return choose_keyless(how->keyless);
        /* fall through */
    case KAFKA_CONSISTENT:
        *hash = crc32(key);
        return BY_HASH;
    case KAFKA_FNV1A_RANDOM:
        if (key.ptr == NULL)
            return choose_keyless(how->keyless);
        /* fall through */
    case KAFKA_FNV1A:
        *hash = fnv1a(key);
        return BY_HASH;
    case KAFKA_ROUND_ROBIN:
        return IN_TURN;
    case KAFKA_RANDOM:
        break;
    }
    return ANYWHERE;
}

int32_t
kafka_partition_of(const struct kafka_partitioning *how, int32_t count, struct slice key,
                   uint64_t source)
{
    uint32_t          hash = 0;
    const enum choice choice = choose(how, key, &hash);

    assert(count > 0);
    if (choice == BY_HASH)
        return (int32_t)(hash % (uint32_t)count);
    if (choice == BY_SOURCE)
        return (int32_t)(mix(source) % (uint64_t)count);
    return PARTITION_FREE;
}

int32_t
kafka_partition(const struct kafka_partitioning *how, int32_t count, struct slice key,
                uint64_t source, _Atomic uint64_t *turn)
{
    uint32_t hash = 0;

    switch (choose(how, key, &hash)) {
    case IN_TURN:
        return (int32_t)(atomic_fetch_add_explicit(turn, 1, memory_order_relaxed) %
                         (uint64_t)count);
    case ANYWHERE:
        return (int32_t)(mix(atomic_fetch_add_explicit(turn, 1, memory_order_relaxed)) %
                         (uint64_t)count);
    case BY_HASH:
    case BY_SOURCE:
    case STICKY:
        break;
    }
    return kafka_partition_of(how, count, key, source);
}
