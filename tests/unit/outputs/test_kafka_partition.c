/* test_kafka_partition.c - a record goes where the Java client would send it.
 *
 * The hashes and partitions of murmur2 were computed by the Java client's own
 * code; the others by librdkafka's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <librdkafka/rdkafka.h>

#include "agent/data/message.h"
#include "outputs/kafka_partition.h"

static const struct vector {
    struct slice key;
    int32_t      hash;          /* signed, as Java prints it */
    int32_t      of3, of4, of6, of8, of10, of12, of50;
} vectors[] = {
    { SLICE(""), 275646681, 0, 1, 3, 1, 1, 9, 31 },
    { SLICE("a"), -1563381124, 1, 0, 4, 4, 4, 4, 24 },
    { SLICE("abc"), 479470107, 0, 3, 3, 3, 7, 3, 7 },
    { SLICE("key"), -1079937367, 1, 1, 1, 1, 1, 1, 31 },
    { SLICE("foo"), 597841616, 2, 0, 2, 0, 6, 8, 16 },
    { SLICE("21"), -973932308, 0, 0, 0, 4, 0, 0, 40 },
    { SLICE("kafka"), -798503068, 1, 0, 4, 4, 0, 4, 30 },
    { SLICE("1234"), -1614185708, 0, 0, 0, 4, 0, 0, 40 },
    { SLICE("234"), -406844982, 2, 2, 2, 2, 6, 2, 16 },
    { SLICE("1"), -1993445489, 0, 3, 3, 7, 9, 3, 9 },
    { SLICE("host-1"), 761340765, 0, 1, 3, 5, 5, 9, 15 },
    { SLICE("user-42"), 1459644460, 1, 0, 4, 4, 0, 4, 10 },
    { SLICE("\xc3\xa9"), 186971271, 0, 3, 3, 7, 1, 3, 21 },
    { SLICE("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"), 1431860170, 1, 2, 4, 2, 0, 10, 20 },
    { SLICE("\0\0\0\x2a"), 1606757304, 0, 0, 0, 0, 4, 0, 4 },
    { SLICE("\0\0\0\0\0\0\0\x2a"), 506863552, 1, 0, 4, 0, 2, 4, 2 },
};

enum { NVECTORS = sizeof vectors / sizeof *vectors };

static int32_t
when_placed(enum kafka_partitioner partitioner, enum kafka_keyless keyless, int32_t count,
            struct slice key, uint64_t source)
{
    const struct kafka_partitioning how = { partitioner, keyless };

    return kafka_partition_of(&how, count, key, source);
}

static void
the_hash_is_the_java_clients(void **state)
{
    (void)state;
    for (size_t i = 0; i < NVECTORS; i++)
        assert_int_equal((int32_t)kafka_murmur2(vectors[i].key), vectors[i].hash);
}

static void
a_key_goes_where_the_java_client_sends_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < NVECTORS; i++) {
        const struct vector *v = &vectors[i];
        const int32_t        counts[] = { 3, 4, 6, 8, 10, 12, 50 };
        const int32_t want[] = { v->of3, v->of4, v->of6, v->of8, v->of10, v->of12, v->of50 };

        for (size_t n = 0; n < 7; n++)
            assert_int_equal(when_placed(KAFKA_MURMUR2_RANDOM, KAFKA_STICKY, counts[n], v->key, 0),
                             want[n]);
    }
}

static void
other_partitioners_are_those_of_librdkafka(void **state)
{
    (void)state;
    for (size_t i = 0; i < NVECTORS; i++) {
        const struct slice k = vectors[i].key;

        for (int32_t count = 1; count < 60; count++) {
            assert_int_equal(when_placed(KAFKA_CONSISTENT, KAFKA_STICKY, count, k, 0),
                rd_kafka_msg_partitioner_consistent(NULL, k.ptr, k.len, count, NULL, NULL));
            assert_int_equal(when_placed(KAFKA_FNV1A, KAFKA_STICKY, count, k, 0),
                rd_kafka_msg_partitioner_fnv1a(NULL, k.ptr, k.len, count, NULL, NULL));
            assert_int_equal(when_placed(KAFKA_MURMUR2, KAFKA_STICKY, count, k, 0),
                rd_kafka_msg_partitioner_murmur2(NULL, k.ptr, k.len, count, NULL, NULL));
        }
    }
}

static void
a_missing_key_is_the_business_of_keyless_only_where_it_says_random(void **state)
{
    const enum kafka_partitioner lenient[] = { KAFKA_MURMUR2_RANDOM, KAFKA_CONSISTENT_RANDOM,
                                               KAFKA_FNV1A_RANDOM };
    const enum kafka_partitioner strict[] = { KAFKA_MURMUR2, KAFKA_CONSISTENT, KAFKA_FNV1A };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(when_placed(lenient[i], KAFKA_STICKY, 8, NO_SLICE, 0), PARTITION_FREE);
        assert_int_equal(when_placed(strict[i], KAFKA_STICKY, 8, NO_SLICE, 0),
                         when_placed(strict[i], KAFKA_STICKY, 8, SLICE(""), 0));
    }
}

static void
an_empty_key_is_a_key_but_for_consistent_random(void **state)
{
    (void)state;
    assert_int_equal(when_placed(KAFKA_MURMUR2_RANDOM, KAFKA_STICKY, 8, SLICE(""), 0), 1);
    assert_int_not_equal(when_placed(KAFKA_FNV1A_RANDOM, KAFKA_STICKY, 8, SLICE(""), 0),
                         PARTITION_FREE);
    assert_int_equal(when_placed(KAFKA_CONSISTENT_RANDOM, KAFKA_STICKY, 8, SLICE(""), 0),
                     PARTITION_FREE);
}

static void
a_source_keeps_to_one_partition_and_sources_spread(void **state)
{
    unsigned seen = 0;

    (void)state;
    for (uint64_t source = 1; source < 100; source++) {
        const int32_t p = when_placed(KAFKA_MURMUR2_RANDOM, KAFKA_BY_SOURCE, 8, NO_SLICE, source);

        assert_in_range(p, 0, 7);
        assert_int_equal(p, when_placed(KAFKA_MURMUR2_RANDOM, KAFKA_BY_SOURCE, 8, NO_SLICE,
                                        source));
        seen |= 1u << p;
    }
    assert_int_equal(seen, 0xff);
}

static void
round_robin_is_strictly_in_turn(void **state)
{
    const struct kafka_partitioning keyless = { KAFKA_MURMUR2_RANDOM, KAFKA_IN_TURN };
    const struct kafka_partitioning all = { KAFKA_ROUND_ROBIN, KAFKA_STICKY };
    _Atomic uint64_t                turn = 0, other = 0;

    (void)state;
    for (int32_t i = 0; i < 100; i++) {
        assert_int_equal(kafka_partition(&keyless, 7, NO_SLICE, 1, &turn), i % 7);
        assert_int_equal(kafka_partition(&all, 7, SLICE("same"), 1, &other), i % 7);
    }
}

static void
random_spreads_evenly(void **state)
{
    const struct kafka_partitioning how = { KAFKA_RANDOM, KAFKA_STICKY };
    _Atomic uint64_t                turn = 0;
    int                             count[8] = { 0 };

    (void)state;
    for (int i = 0; i < 8000; i++)
        count[kafka_partition(&how, 8, SLICE("same"), 1, &turn)]++;
    for (int i = 0; i < 8; i++)
        assert_in_range(count[i], 850, 1150);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_the_java_clients),
        cmocka_unit_test(a_key_goes_where_the_java_client_sends_it),
        cmocka_unit_test(other_partitioners_are_those_of_librdkafka),
        cmocka_unit_test(a_missing_key_is_the_business_of_keyless_only_where_it_says_random),
        cmocka_unit_test(an_empty_key_is_a_key_but_for_consistent_random),
        cmocka_unit_test(a_source_keeps_to_one_partition_and_sources_spread),
        cmocka_unit_test(round_robin_is_strictly_in_turn),
        cmocka_unit_test(random_spreads_evenly),
    };

    return cmocka_run_group_tests_name("kafka_partition", tests, NULL, NULL);
}
