/* test_kafka_ways.c - rejected records on their way to a topic; fire_and_forget.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit/outputs/kafka_world.h"

#define TOO_LARGE RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE

static bool
is_delivered(void *count)
{
    return pipeline.delivered >= *(const uint64_t *)count;
}

static void
then_delivered(uint64_t count)
{
    assert_true(turn_until(is_delivered, &count));
    assert_int_equal(pipeline.delivered, count);
}

static bool
is_filed(void *count)
{
    return pipeline.filed >= *(const uint64_t *)count;
}

static void
then_filed(uint64_t count)
{
    assert_true(turn_until(is_filed, &count));
    assert_int_equal(pipeline.filed, count);
}

/* "0" to partition 9, which is not there. */
static struct message *
when_one_is_rejected(const char *topic)
{
    struct chunk   *c = begin_chunk(&sources[0]);
    struct message *m = add_message(c, "0");

    m->partition = 9;
    push(c, topic);
    return &c->messages[0];
}

/* ---- dead_letter_topic ------------------------------------------------------ */

static void
a_rejected_record_goes_to_the_topic_and_says_where_it_comes_from(void **state)
{
    struct headers *h;
    struct chunk   *c;

    (void)state;
    given_cluster(1);
    given_setting("dead_letter_topic", "dead");
    given_output();
    given_topic("t", 2);
    given_topic("dead", 1);
    c = begin_chunk(&sources[0]);
    (void)add_message(c, "1");
    h = arena_alloc(&c->arena, sizeof *h + sizeof h->list[0]);
    h->count = 1;
    h->list[0] = (struct header){ SLICE("own"), SLICE("x") };
    add_message(c, "0")->partition = 9;
    c->messages[1].headers = h;
    c->messages[1].at = 1;
    c->messages[1].timestamp = 1700000000000;
    push(c, "t");
    then_delivered(2);
    assert_int_equal(pipeline.rejected, 1);
    assert_int_equal(pipeline.filed, 0);
    when_read_back("dead", 1);
    assert_int_equal(nreceived, 1);
    assert_int_equal(received[0].number, 0);
    assert_int_equal(received[0].timestamp, 1700000000000);
    assert_string_equal(received[0].headers,
                        "own=x;stoker.error=topic 't' has 2 partitions, not partition 9;"
                        "stoker.topic=t;stoker.partition=9;stoker.source=/var/log/x;"
                        "stoker.offset=1;");
}

static void
what_that_topic_does_not_take_goes_to_the_file_as_it_was(void **state)
{
    struct kafka_topic *t;
    struct message     *m;

    (void)state;
    given_cluster(1);
    given_setting("dead_letter_topic", "dead");
    given_output();
    given_topic("t", 2);
    given_topic("dead", 1);
    rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1, TOO_LARGE);
    m = when_one_is_rejected("t");
    then_filed(1);
    assert_int_equal(pipeline.delivered, 0);
    assert_non_null(strstr(pipeline.reason, "not partition 9; and topic 'dead' did not take it"));
    assert_int_equal(m->partition, 9);
    assert_null(m->headers);
    t = kafka_topic_find(kafka(), SLICE("dead"));
    assert_true(t->lanes[0]->waiting.first == NULL);
}

static void
a_topic_may_be_the_one_for_its_own_dead_letters(void **state)
{
    (void)state;
    given_cluster(1);
    given_setting("dead_letter_topic", "t");
    given_output();
    given_topic("t", 2);
    rd_kafka_mock_push_request_errors(cluster, PRODUCE, 2, TOO_LARGE, TOO_LARGE);
    when_sent("t", 0, 1, 0);
    then_filed(1);                          /* refused as it was, and as a dead letter */
    assert_int_equal(pipeline.rejected, 1);
    (void)when_one_is_rejected("t");
    then_delivered(1);
}

/* It joins the lane that is just handed over, behind messages of its own chunk. */
static void
one_that_the_client_refuses_there_does_not_disturb_its_neighbours(void **state)
{
    char          large[2000];
    struct chunk *c;

    (void)state;
    given_cluster(1);
    given_setting("dead_letter_topic", "t");
    given_setting("message.max.bytes", "1000");
    given_output();
    (void)given_known_topic("t", 1);
    memset(large, '9', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    c = begin_chunk(&sources[0]);
    (void)add_message(c, "000000");
    (void)add_message(c, large);
    (void)add_message(c, "000001");
    (void)add_message(c, "000002");
    for (uint32_t i = 0; i < c->nmessages; i++)     /* each is handed over by itself */
        c->messages[i].timestamp = clock_epoch_ms();
    push(c, "t");
    then_delivered(3);
    then_filed(1);
    when_read_back("t", 1);
    then_received(3, true);
}

static void
records_wait_for_a_missing_topic_a_moment_and_then_go_to_the_file(void **state)
{
    struct kafka_topic *t;

    (void)state;
    given_cluster(1);
    given_setting("dead_letter_topic", "dead");
    given_output();
    given_topic("t", 2);
    rd_kafka_mock_topic_set_error(cluster, "dead", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    (void)when_one_is_rejected("t");
    turn_for(300);
    t = kafka_topic_find(kafka(), SLICE("dead"));
    assert_int_equal(t->unplaced_messages, 1);
    assert_int_equal(pipeline.filed, 0);
    assert_true(kafka_topic_stuck(t));
    t->since -= 6000;                       /* it has waited long enough */
    then_filed(1);
    assert_int_equal(t->unplaced_messages, 0);
    (void)when_one_is_rejected("t");        /* this one does not wait */
    assert_true(turn_until(is_settled, &(uint64_t){ 2 }));
    assert_int_equal(pipeline.filed, 1);    /* handed back at once: to pipeline_rejected()'s file */
    assert_int_equal(pipeline.delivered, 0);
}

static void
a_refused_timestamp_of_a_dead_letter_is_kept_too(void **state)
{
    struct chunk *c;

    (void)state;
    given_cluster(1);
    given_setting("dead_letter_topic", "dead");
    given_output();
    given_topic("t", 2);
    given_topic("dead", 1);
    rd_kafka_mock_push_request_errors(cluster, PRODUCE, 2, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP,
                                      TOO_LARGE);
    c = begin_chunk(&sources[0]);
    add_message(c, "0")->partition = 9;
    c->messages[0].timestamp = 7;
    push(c, "t");
    then_filed(1);                          /* twice another list of headers, and back */
    assert_null(c->messages[0].headers);
    c = begin_chunk(&sources[0]);           /* now it is known before it is sent */
    add_message(c, "0")->partition = 9;
    c->messages[0].timestamp = 7;
    push(c, "t");
    then_delivered(1);
    when_read_back("dead", 1);
    assert_non_null(strstr(received[0].headers, "stoker.timestamp=7;"));
}

/* ---- fire_and_forget -------------------------------------------------------- */

static bool
nothing_is_held(void *ctx)
{
    (void)ctx;
    for (unsigned i = 0; i < nchunks; i++)
        if (chunks[i]->pins > 0)
            return false;
    return true;
}

static void
fire_and_forget_delivers_in_order_and_reports_nothing(void **state)
{
    (void)state;
    given_cluster(1);
    given_setting("send", "fire_and_forget");
    given_output();
    given_topic("t", 2);
    rd_kafka_mock_push_request_errors(cluster, PRODUCE, 2,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    for (unsigned i = 0; i < 10; i++)
        when_sent("t", 100 * i, 100, 7);
    assert_true(turn_until(nothing_is_held, NULL));
    assert_int_equal(pipeline.delivered + pipeline.rejected + pipeline.lost, 0);
    when_read_back("t", 2);
    then_received(1000, true);
}

/* As if memory had been short, and nothing had arrived, for six seconds. */
static void
when_pressed_for_long(void)
{
    output->ops->yield(output);
    kafka()->stalled_since -= 6000;
    output->ops->yield(output);
}

static void
without_a_broker_what_is_held_is_given_up_and_the_next_goes_on(void **state)
{
    (void)state;
    given_cluster(1);
    given_setting("send", "fire_and_forget");
    given_output();
    given_topic("t", 2);
    when_sent("t", 0, 100, 0);
    assert_true(turn_until(nothing_is_held, NULL));
    rd_kafka_mock_broker_set_down(cluster, 1);
    when_sent("t", 1000, 100, 7);
    turn_for(50);                           /* with librdkafka */
    when_sent("t", 2000, 100, 7);           /* in the lanes */
    output->ops->yield(output);
    turn_for(50);
    assert_int_equal(pipeline.lost, 0);     /* not yet */
    when_pressed_for_long();
    assert_true(turn_until(nothing_is_held, NULL));
    assert_int_equal(pipeline.lost, 200);
    when_sent("t", 100, 100, 0);
    turn_for(50);
    rd_kafka_mock_broker_set_up(cluster, 1);
    assert_true(turn_until(nothing_is_held, NULL));
    assert_int_equal(pipeline.lost, 200);
    assert_int_equal(output->ops->report(output)->lost, 200);
    when_read_back("t", 2);
    then_received(200, false);
}

static void
a_topic_that_takes_nothing_costs_its_own_records_only(void **state)
{
    (void)state;
    given_cluster(1);
    given_setting("send", "fire_and_forget");
    given_output();
    given_topic("t", 2);
    rd_kafka_mock_topic_set_error(cluster, "none", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    when_sent("none", 0, 10, 0);
    when_sent("t", 0, 10, 0);
    turn_for(300);
    kafka_topic_find(kafka(), SLICE("none"))->since -= 6000;
    output->ops->yield(output);
    assert_int_equal(pipeline.lost, 10);
    assert_true(turn_until(nothing_is_held, NULL));
    when_read_back("t", 2);
    then_received(10, false);
}

static void
a_partition_without_leader_costs_its_own_records_only(void **state)
{
    struct kafka_topic *t;
    struct chunk       *c;

    (void)state;
    given_cluster(1);
    given_setting("send", "fire_and_forget");
    given_output();
    t = given_known_topic("t", 2);
    t->lanes[1]->leader = KAFKA_NO_LEADER;
    c = begin_chunk(&sources[0]);
    add_message(c, "0")->partition = 0;
    add_message(c, "1")->partition = 1;
    push(c, "t");
    turn_for(300);
    output->ops->yield(output);
    assert_int_equal(pipeline.lost, 0);     /* an election takes a moment */
    t->lanes[1]->moved_at -= 6000;
    output->ops->yield(output);
    assert_int_equal(pipeline.lost, 1);
    assert_true(turn_until(nothing_is_held, NULL));
    when_read_back("t", 2);
    then_received(1, true);
}

static void
a_finite_delivery_timeout_gives_up_too(void **state)
{
    (void)state;
    given_cluster(1);
    given_setting("send", "fire_and_forget");
    given_setting("delivery.timeout.ms", "300");
    given_output();
    given_topic("t", 1);
    when_sent("t", 0, 10, 0);
    assert_true(turn_until(nothing_is_held, NULL));
    rd_kafka_mock_broker_set_down(cluster, 1);
    when_sent("t", 10, 10, 0);
    assert_true(turn_until(nothing_is_held, NULL));
    assert_int_equal(pipeline.lost, 10);
}

static void
what_may_have_arrived_is_not_sent_again(void **state)
{
    (void)state;
    given_cluster(1);
    given_setting("send", "fire_and_forget");
    given_setting("acks", "1");
    given_output();
    given_topic("t", 1);
    rd_kafka_mock_push_request_errors(cluster, PRODUCE, 2, RD_KAFKA_RESP_ERR__TRANSPORT,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    when_sent("t", 1000, 10, 0);            /* the connection ends instead of an answer */
    assert_true(turn_until(nothing_is_held, NULL));
    assert_int_equal(pipeline.lost, 10);
    when_sent("t", 0, 10, 0);               /* this one has surely not arrived at first */
    assert_true(turn_until(nothing_is_held, NULL));
    assert_int_equal(pipeline.lost, 10);
    when_read_back("t", 1);
    then_received(10, true);
}

static void
what_a_stop_cannot_send_any_more_is_counted(void **state)
{
    (void)state;
    given_cluster(1);
    given_setting("send", "fire_and_forget");
    given_output();
    given_topic("t", 2);
    when_sent("t", 0, 10, 0);
    assert_true(turn_until(nothing_is_held, NULL));
    rd_kafka_mock_broker_set_down(cluster, 1);
    when_sent("t", 10, 10, 0);
    turn_for(50);
    when_sent("t", 20, 10, 0);
    when_sent("new", 30, 10, 0);
    when_stopped();
    assert_int_equal(pipeline.lost, 30);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rejected_record_goes_to_the_topic_and_says_where_it_comes_from),
        TEST(what_that_topic_does_not_take_goes_to_the_file_as_it_was),
        TEST(a_topic_may_be_the_one_for_its_own_dead_letters),
        TEST(one_that_the_client_refuses_there_does_not_disturb_its_neighbours),
        TEST(records_wait_for_a_missing_topic_a_moment_and_then_go_to_the_file),
        TEST(a_refused_timestamp_of_a_dead_letter_is_kept_too),
        TEST(fire_and_forget_delivers_in_order_and_reports_nothing),
        TEST(without_a_broker_what_is_held_is_given_up_and_the_next_goes_on),
        TEST(a_topic_that_takes_nothing_costs_its_own_records_only),
        TEST(a_partition_without_leader_costs_its_own_records_only),
        TEST(a_finite_delivery_timeout_gives_up_too),
        TEST(what_may_have_arrived_is_not_sent_again),
        TEST(what_a_stop_cannot_send_any_more_is_counted),
    };

    return cmocka_run_group_tests_name("kafka_ways", tests, NULL, NULL);
}
