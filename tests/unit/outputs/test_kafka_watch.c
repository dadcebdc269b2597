/* test_kafka_watch.c - a partition that takes nothing is told of, once, and so is its
 * end.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit/outputs/kafka_world.h"

static void
when_sent_to(const char *topic, int32_t partition, unsigned number)
{
    struct chunk *c = begin_chunk(&sources[0]);
    char          text[16];

    snprintf(text, sizeof text, "%06u", number);
    add_message(c, text)->partition = partition;
    push(c, topic);
}

static bool
leaderless_is_told(void *topic)
{
    return ((const struct kafka_topic *)topic)->still[STILL_LEADERLESS] > 0;
}

static bool
leaderless_is_over(void *topic)
{
    return !leaderless_is_told(topic);
}

static void
a_partition_without_leader_is_an_alarm_within_15_seconds_until_it_has_one(void **state)
{
    const uint64_t      begin = clock_ms();
    struct kafka_topic *t;

    (void)state;
    given_cluster(1);
    given_output();
    t = given_known_topic("t", 3);
    rd_kafka_mock_partition_set_leader(cluster, "t", 1, -1);
    when_sent_to("t", 0, 0);
    when_sent_to("t", 1, 1);
    when_sent_to("t", 2, 2);
    assert_true(turn_until(leaderless_is_told, t));
    assert_in_range(clock_ms() - begin, 5000, 15000);
    assert_int_equal(t->still[STILL_LEADERLESS], 1);
    assert_int_equal(t->still[STILL_LATE], 0);
    assert_int_equal(pipeline.delivered, 2);        /* the others went on */
    rd_kafka_mock_partition_set_leader(cluster, "t", 1, 1);
    assert_true(turn_until(leaderless_is_over, t));
    assert_int_equal(t->told_still[STILL_LEADERLESS].told_at, 0);
    then_settled(3);
}

static bool
late_is_told(const struct kafka_topic *t)
{
    return t->still[STILL_LATE] > 0;
}

/* Too few replicas are in sync: librdkafka tries for ever, and says nothing. */
static void
a_partition_that_takes_nothing_is_an_alarm_though_it_has_a_leader(void **state)
{
    rd_kafka_resp_err_t errors[500];
    struct kafka_topic *t;

    (void)state;
    given_cluster(1);
    given_output();
    t = given_known_topic("t", 2);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        errors[i] = RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS;
    rd_kafka_mock_push_request_errors_array(cluster, PRODUCE, sizeof errors / sizeof *errors,
                                            errors);
    when_sent_to("t", 1, 0);
    turn_for(20);
    kafka_watch_look(kafka());
    assert_false(late_is_told(t));                  /* it may just be slow */
    t->lanes[1]->moved_at -= KAFKA_STUCK_MS;
    kafka_watch_look(kafka());
    assert_int_equal(t->still[STILL_LATE], 1);
    rd_kafka_mock_clear_request_errors(cluster, PRODUCE);
    then_settled(1);
    kafka_watch_look(kafka());
    assert_false(late_is_told(t));
}

static bool
somebody_looks(void)
{
    return uv_is_active((uv_handle_t *)&kafka()->watch);
}

static void
nobody_looks_while_nothing_is_out(void **state)
{
    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 1);
    assert_false(somebody_looks());
    when_sent_to("t", 0, 0);
    then_settled(1);
    assert_true(somebody_looks());
    kafka_watch_look(kafka());
    assert_false(somebody_looks());
}

static void
records_without_key_keep_off_a_partition_without_leader(void **state)
{
    struct kafka_topic *t;
    int32_t             shut;

    (void)state;
    given_cluster(1);
    given_output();
    t = given_known_topic("t", 2);
    shut = t->sticky;
    t->lanes[shut]->leader = KAFKA_NO_LEADER;
    when_sent("t", 0, 100, 0);
    then_settled(100);
    when_read_back("t", 2);
    for (unsigned i = 0; i < nreceived; i++)
        assert_int_equal(received[i].partition, 1 - shut);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_partition_without_leader_is_an_alarm_within_15_seconds_until_it_has_one),
        TEST(a_partition_that_takes_nothing_is_an_alarm_though_it_has_a_leader),
        TEST(nobody_looks_while_nothing_is_out),
        TEST(records_without_key_keep_off_a_partition_without_leader),
    };

    return cmocka_run_group_tests_name("kafka_watch", tests, NULL, NULL);
}
