/* test_kafka_faults.c - whatever the cluster answers: nothing is lost, nothing
 * is doubled, and the order stays.
 *
 * Errors are injected before the mock appends a batch, so a batch that failed
 * is not there: what is read back has to be exact.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit/outputs/kafka_world.h"

#define OK RD_KAFKA_RESP_ERR_NO_ERROR
#define TOO_LARGE RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE

static void
given_produce_answers(const rd_kafka_resp_err_t *errors, size_t count)
{
    rd_kafka_mock_push_request_errors_array(cluster, PRODUCE, count, errors);
}

static void
given_produce_error(rd_kafka_resp_err_t err, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        given_produce_answers(&err, 1);
}

/* Several chunks, with time between them for reports. */
static void
when_much_is_sent(const char *topic, unsigned chunks_, unsigned messages)
{
    for (unsigned i = 0; i < chunks_; i++) {
        when_sent(topic, i * messages, messages, 7);
        turn_for(5);
    }
}

static void
then_all_arrived(const char *topic, int partitions, unsigned count)
{
    then_settled(count);
    assert_int_equal(pipeline.rejected, 0);
    when_read_back(topic, partitions);
    then_received(count, true);
}

/* ---- Failures that are nobody's fault -------------------------------------- */

static void
errors_that_librdkafka_retries_are_invisible(void **state)
{
    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 2);
    given_produce_error(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 3);
    given_produce_error(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, 2);
    when_much_is_sent("t", 10, 100);
    then_all_arrived("t", 2, 1000);
}

static void
a_failed_batch_goes_out_again_before_what_came_later(void **state)
{
    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 2);
    given_produce_error(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 3);
    when_much_is_sent("t", 10, 100);
    then_all_arrived("t", 2, 1000);
    assert_int_equal(kafka_topic_find(kafka(), SLICE("t"))->state, TOPIC_KNOWN);
}

static void
an_error_of_the_brokers_configuration_is_waited_out(void **state)
{
    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 1);
    given_produce_error(RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, 2);
    given_produce_error(RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, 2);
    when_much_is_sent("t", 5, 100);
    then_all_arrived("t", 1, 500);
}

static void
without_idempotence_the_order_holds_too(void **state)
{
    (void)state;
    given_cluster(1);
    given_setting("enable.idempotence", "false");
    given_output();
    (void)given_known_topic("t", 2);
    given_produce_error(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 2);
    given_produce_error(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 2);
    when_much_is_sent("t", 20, 100);
    then_all_arrived("t", 2, 2000);
}

static void
a_broker_that_is_away_is_waited_for(void **state)
{
    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 2);
    when_sent("t", 0, 100, 7);
    then_settled(100);      /* nothing is under way: the mock would take that twice */
    rd_kafka_mock_broker_set_down(cluster, 1);
    when_sent("t", 100, 100, 7);
    turn_for(1000);
    when_sent("t", 200, 100, 7);
    rd_kafka_mock_broker_set_up(cluster, 1);
    then_all_arrived("t", 2, 300);
}

static void
a_leader_that_moves_is_followed(void **state)
{
    (void)state;
    given_cluster(3);
    given_output();
    (void)given_known_topic("t", 1);
    for (unsigned i = 0; i < 6; i++) {
        when_sent("t", 100 * i, 100, 0);
        turn_for(20);
        rd_kafka_mock_partition_set_leader(cluster, "t", 0, i % 4 == 3 ? -1 : (int32_t)(1 + i % 3));
        turn_for(20);
    }
    rd_kafka_mock_partition_set_leader(cluster, "t", 0, 2);
    then_all_arrived("t", 1, 600);
}

/* ---- Faults of a message --------------------------------------------------- */

static void
a_batch_that_is_too_large_is_sent_in_halves(void **state)
{
    struct kafka_topic *t;

    (void)state;
    given_cluster(1);
    given_output();
    t = given_known_topic("t", 1);
    given_produce_error(TOO_LARGE, 3);
    when_sent("t", 0, 800, 0);
    when_sent("t", 800, 800, 0);
    then_all_arrived("t", 1, 1600);
    assert_true(t->batch_bytes < kafka()->settings.batch_bytes / 2);    /* that was learned */
    assert_true(t->lanes[0]->limit > 200);                              /* and that is over */
}

/* Record 5 of 16 is the culprit: every batch that holds it is refused.  A lane
 * halves after a refusal and doubles after a success. */
static void
the_culprit_alone_is_rejected(void **state)
{
    const rd_kafka_resp_err_t culprits[] = { TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_RECORD };

    (void)state;
    given_cluster(1);
    given_output();
    for (size_t c = 0; c < 2; c++) {
        const rd_kafka_resp_err_t E = culprits[c];
        const rd_kafka_resp_err_t answers[] = {
            E,              /* 0..15 */
            E,              /* 0..7 */
            OK,             /* 0..3 */
            E,              /* 4..11 */
            E,              /* 4..7 */
            E,              /* 4, 5 */
            OK,             /* 4 */
            E,              /* 5, 6 */
            E,              /* 5: alone */
        };
        const char *topic = c == 0 ? "size" : "record";

        (void)given_known_topic(topic, 1);
        given_produce_answers(answers, sizeof answers / sizeof *answers);
        when_sent(topic, 0, 16, 0);
        then_settled(16 * (c + 1));
        assert_int_equal(pipeline.rejected, c + 1);
        assert_non_null(strstr(pipeline.reason, c == 0 ? "too large for the topic"
                                                       : "invalid record"));
        when_read_back(topic, 1);
        assert_int_equal(nreceived, 15);
        for (unsigned i = 0; i < 15; i++)
            assert_int_equal(received[i].number, i < 5 ? i : i + 1);
    }
}

static void
a_refused_timestamp_becomes_a_header(void **state)
{
    struct chunk *c;

    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 1);
    given_produce_error(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, 1);
    c = begin_chunk(&sources[0]);
    add_message(c, "0")->timestamp = 1234;
    push(c, "t");
    then_all_arrived("t", 1, 1);
    assert_string_equal(received[0].headers, "stoker.timestamp=1234;");
    assert_true(received[0].timestamp != 1234);
}

static void
what_is_further_than_a_refused_time_is_mended_before_it_is_sent(void **state)
{
    const int64_t   now = clock_epoch_ms(), far = now + 7200 * 1000;
    struct chunk   *c;

    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 1);
    given_produce_error(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, 1);
    c = begin_chunk(&sources[0]);
    add_message(c, "0")->timestamp = far;
    push(c, "t");
    then_settled(1);
    c = begin_chunk(&sources[0]);
    add_message(c, "1")->timestamp = far + 60 * 1000;
    add_message(c, "2")->timestamp = now;
    add_message(c, "3")->timestamp = 1;         /* on the other side nothing was refused */
    push(c, "t");
    then_settled(4);
    assert_int_equal(pipeline.rejected, 0);
    when_read_back("t", 1);
    then_received(4, true);
    assert_non_null(strstr(received[1].headers, "stoker.timestamp="));
    assert_in_range(received[1].timestamp, now, clock_epoch_ms());
    assert_string_equal(received[2].headers, "");
    assert_int_equal(received[2].timestamp, now);
    assert_int_equal(received[3].timestamp, 1);
}

static void
the_limit_of_a_topic_is_tried_to_be_more_again(void **state)
{
    struct kafka_topic *t;
    uint64_t            learned;

    (void)state;
    given_cluster(1);
    given_output();
    t = given_known_topic("t", 1);
    given_produce_error(TOO_LARGE, 5);
    when_sent_wide("t", 0, 16, 0, 1000);
    then_settled(16);
    learned = t->batch_bytes;
    for (unsigned i = 0; i < 7; i++)        /* a message a batch: over a hundred of them */
        when_sent_wide("t", 16 + 20 * i, 20, 0, 1000);
    then_settled(16 + 140);
    assert_true(t->batch_bytes > learned);
}

/* ---- Topics that are not there --------------------------------------------- */

static void
a_missing_topic_waits_and_others_go_on(void **state)
{
    (void)state;
    given_cluster(1);
    given_topic("gone", 1);
    rd_kafka_mock_topic_set_error(cluster, "gone", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    given_output();
    (void)given_known_topic("t", 1);
    when_sent("gone", 0, 100, 0);
    when_sent("t", 0, 100, 0);
    then_settled(100);
    turn_for(500);
    assert_int_equal(pipeline.delivered, 100);
    assert_int_equal(kafka_topic_find(kafka(), SLICE("gone"))->state, TOPIC_MISSING);
    rd_kafka_mock_topic_set_error(cluster, "gone", 0);
    then_settled(200);
    when_read_back("gone", 1);
    then_received(100, true);
}

static bool
trouble_is_told(void *topic)
{
    return ((const struct kafka_topic *)topic)->told.told_at != 0;
}

static void
a_missing_topic_is_an_alarm_within_15_seconds(void **state)
{
    const uint64_t      begin = clock_ms();
    struct kafka_topic *t;

    (void)state;
    given_cluster(1);
    given_topic("gone", 1);
    rd_kafka_mock_topic_set_error(cluster, "gone", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    given_output();
    when_sent("gone", 0, 10, 0);
    t = kafka_topic_find(kafka(), SLICE("gone"));
    assert_true(turn_until(trouble_is_told, t));
    assert_in_range(clock_ms() - begin, 1000, 15000);
    turn_for(200);
    assert_int_equal(pipeline.delivered, 0);
}

static void
a_topic_that_is_gone_for_a_while_gets_its_records_later(void **state)
{
    (void)state;
    given_cluster(1);
    given_setting("topic.metadata.refresh.interval.ms", "100");
    given_output();
    (void)given_known_topic("t", 2);
    when_sent("t", 0, 100, 7);
    then_settled(100);
    rd_kafka_mock_topic_set_error(cluster, "t", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    for (unsigned i = 1; i < 10; i++) {
        when_sent("t", 100 * i, 100, 7);
        turn_for(50);
    }
    rd_kafka_mock_topic_set_error(cluster, "t", 0);
    then_all_arrived("t", 2, 1000);
}

static void
a_topic_that_may_not_be_seen_waits(void **state)
{
    (void)state;
    given_cluster(1);
    given_topic("t", 1);
    rd_kafka_mock_topic_set_error(cluster, "t", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    given_output();
    when_sent("t", 0, 100, 0);
    turn_for(500);
    assert_int_equal(kafka_topic_find(kafka(), SLICE("t"))->state, TOPIC_FORBIDDEN);
    rd_kafka_mock_topic_set_error(cluster, "t", 0);
    then_all_arrived("t", 1, 100);
}

/* Where every message that waits would be put now, and none before an older one. */
static unsigned
then_in_place_and_in_order(const struct kafka_topic *t)
{
    unsigned n = 0;

    for (int32_t i = 0; i < t->nlanes; i++) {
        long last = -1;

        for (const struct kafka_piece *p = t->lanes[i]->waiting.first; p != NULL; p = p->next)
            for (uint32_t j = p->first; j < p->first + p->count; j++, n++) {
                const struct message *m = &p->chunk->messages[j];
                long                  number;

                assert_int_equal(sscanf(m->value, "%6ld", &number), 1);
                assert_int_equal(i, output->ops->place(output, t, message_key(m), 0));
                assert_true(number > last);
                last = number;
            }
        assert_int_equal(t->lanes[i]->waiting_messages == 0, t->lanes[i]->waiting.first == NULL);
    }
    return n;
}

static void
fewer_partitions_keep_the_order_of_what_waits(void **state)
{
    struct kafka_topic *t;

    (void)state;
    given_cluster(1);
    given_output();
    t = given_known_topic("t", 4);
    t->state = TOPIC_MISSING;                   /* nothing goes out */
    for (unsigned i = 0; i < 3; i++)
        when_sent("t", 100 * i, 100, 7);
    turn_for(5);
    assert_int_equal(then_in_place_and_in_order(t), 300);
    kafka_topic_resize(t, 3);
    assert_int_equal(t->nlanes, 3);
    assert_int_equal(then_in_place_and_in_order(t), 300);
}

/* ---- Giving memory back ---------------------------------------------------- */

static void
a_source_that_only_waits_is_rewound_and_others_are_not(void **state)
{
    struct chunk *c;

    (void)state;
    given_cluster(1);
    given_topic("gone", 1);
    rd_kafka_mock_topic_set_error(cluster, "gone", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    given_output();
    (void)given_known_topic("t", 1);
    for (unsigned i = 0; i < 2; i++) {          /* source 1: only there */
        c = begin_chunk(&sources[1]);
        (void)add_message(c, "0");
        push(c, "gone");
    }
    c = begin_chunk(&sources[2]);               /* source 2: there, and elsewhere */
    (void)add_message(c, "0");
    push(c, "gone");
    c = begin_chunk(&sources[2]);
    (void)add_message(c, "1");
    push(c, "t");
    c = begin_chunk(&sources[3]);               /* source 3: a worker reads for it */
    (void)add_message(c, "2");
    push(c, "gone");
    sources[3].jobs = 1;
    then_settled(1);
    output->ops->yield(output);                 /* the cluster has not said so yet */
    turn_for(500);
    output->ops->yield(output);
    sources[3].jobs = 0;
    assert_int_equal(pipeline.nrewound, 1);
    assert_ptr_equal(pipeline.rewound[0], &sources[1]);
    assert_int_equal(kafka_topic_find(kafka(), SLICE("gone"))->unplaced_messages, 2);
    rd_kafka_mock_topic_set_error(cluster, "gone", 0);
    then_settled(3);                            /* those that stayed arrive */
    when_read_back("gone", 1);
    assert_int_equal(nreceived, 2);
}

static bool
lane_rests(void *topic)
{
    const struct kafka_topic *t = topic;

    return t->lanes[0]->state == LANE_RESTING && t->state == TOPIC_FORBIDDEN;
}

static void
a_source_whose_lane_rests_is_rewound(void **state)
{
    struct kafka_topic *t;

    (void)state;
    given_cluster(1);
    given_output();
    t = given_known_topic("t", 1);
    given_produce_error(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 1000);
    when_sent("t", 0, 100, 0);
    when_sent("t", 100, 100, 0);
    assert_true(turn_until(lane_rests, t));
    output->ops->yield(output);
    assert_int_equal(pipeline.nrewound, 1);
    assert_int_equal(t->lanes[0]->waiting_messages, 0);
    assert_int_equal(t->lanes[0]->waiting_bytes, 0);
    rd_kafka_mock_clear_request_errors(cluster, PRODUCE);
    when_sent("t", 0, 200, 0);                  /* read again */
    then_all_arrived("t", 1, 200);
}

/* One batch is out to a broker that does not answer; the source keeps what it needs
 * for that, and gives up the rest. */
static void
what_waits_behind_a_broker_that_hangs_is_given_up(void **state)
{
    struct kafka_topic *t;
    struct kafka_lane  *l;

    (void)state;
    given_cluster(1);
    given_output();
    t = given_known_topic("t", 1);
    l = t->lanes[0];
    rd_kafka_mock_broker_set_rtt(cluster, 1, 3000);
    for (unsigned i = 0; i < 4; i++) {
        when_sent("t", 100 * i, 100, 0);
        turn_for(20);
    }
    assert_int_equal(l->out_messages, 100);
    output->ops->yield(output);                 /* it may just be slow */
    assert_int_equal(pipeline.nrewound, 0);
    l->moved_at -= 20 * 1000;
    output->ops->yield(output);
    assert_int_equal(pipeline.nrewound, 1);
    assert_int_equal(sources[0].window.length, 1);
    assert_int_equal(l->waiting_messages, 0);
    assert_int_equal(l->waiting_bytes, 0);
    output->ops->yield(output);                 /* nothing more to give */
    assert_int_equal(pipeline.nrewound, 1);
    rd_kafka_mock_broker_set_rtt(cluster, 1, 0);
    then_settled(100);
    for (unsigned i = 1; i < 4; i++)
        when_sent("t", 100 * i, 100, 0);        /* read again */
    then_all_arrived("t", 1, 400);
}

/* ---- The producer itself --------------------------------------------------- */

static void
a_producer_that_failed_for_good_is_replaced(void **state)
{
    uint64_t before;

    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 2);
    when_sent("t", 0, 100, 7);
    then_settled(100);
    before = kafka()->changed_at;
    given_produce_error(RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 1);
    for (unsigned i = 1; i < 20; i++) {
        when_sent("t", 100 * i, 100, 7);
        turn_for(5);
    }
    then_all_arrived("t", 2, 2000);
    assert_true(kafka()->changed_at > before);
    assert_int_equal(kafka()->outstanding, 0);
}

/* Not by its address: the new one may have that of the old one. */
static bool
producer_is_there_again(void *ctx)
{
    (void)ctx;
    return kafka()->state == PRODUCER_THERE && kafka()->changed_at != 0;
}

static void
it_is_replaced_again_and_again(void **state)
{
    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 2);
    for (unsigned i = 0; i < 3; i++) {
        kafka()->changed_at = 0;                /* long ago: no pause */
        when_sent("t", 200 * i, 100, 7);
        turn_for(1);
        rd_kafka_test_fatal_error(kafka()->producer, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID,
                                  "test");
        when_sent("t", 200 * i + 100, 100, 7);
        (void)turn_until(producer_is_there_again, NULL);
    }
    then_settled(600);
    assert_int_equal(pipeline.rejected, 0);
    when_read_back("t", 2);
    assert_true(nreceived >= 600);              /* a batch that was on its way may come twice */
}

static bool
somebody_sees(void *ctx)
{
    (void)ctx;
    return !kafka()->blind;
}

/* What a client gets before that it sorts out one by one, and sends in pieces. */
static void
a_new_producer_gets_nothing_before_it_knows_the_topics(void **state)
{
    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 2);
    kafka()->changed_at = 0;                    /* long ago: no pause */
    rd_kafka_mock_broker_set_rtt(cluster, 1, 300);
    rd_kafka_test_fatal_error(kafka()->producer, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, "test");
    kafka_producer_failed(kafka());
    when_sent("t", 0, 100, 7);
    assert_true(turn_until(producer_is_there_again, NULL));
    turn_for(50);
    assert_true(kafka()->blind);
    assert_int_equal(kafka()->outstanding, 0);
    assert_true(turn_until(somebody_sees, NULL));
    then_all_arrived("t", 2, 100);
}

static void
a_stop_in_the_middle_of_a_replacement_ends(void **state)
{
    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 2);
    when_sent("t", 0, 100, 7);
    turn_for(1);
    rd_kafka_test_fatal_error(kafka()->producer, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, "test");
    kafka_producer_failed(kafka());
    when_stopped();
}

static void
a_stop_lets_go_of_what_is_out(void **state)
{
    uint64_t begin;

    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 2);
    rd_kafka_mock_broker_set_rtt(cluster, 1, 5000);
    when_sent("t", 0, 1000, 7);
    turn_for(50);
    when_sent("t", 1000, 1000, 7);
    when_sent("unknown", 0, 10, 0);
    assert_int_equal(pipeline.delivered, 0);
    begin = clock_ms();
    when_stopped();                             /* tear_down looks at the pins */
    assert_in_range(clock_ms() - begin, 0, 4000);
}

static void
a_stop_without_any_broker_ends(void **state)
{
    (void)state;
    given_output_at("127.0.0.1:1");
    when_sent("t", 0, 10, 0);
    turn_for(300);
    assert_int_equal(pipeline.delivered, 0);
    when_stopped();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(errors_that_librdkafka_retries_are_invisible),
        TEST(a_failed_batch_goes_out_again_before_what_came_later),
        TEST(an_error_of_the_brokers_configuration_is_waited_out),
        TEST(without_idempotence_the_order_holds_too),
        TEST(a_broker_that_is_away_is_waited_for),
        TEST(a_leader_that_moves_is_followed),
        TEST(a_batch_that_is_too_large_is_sent_in_halves),
        TEST(the_culprit_alone_is_rejected),
        TEST(a_refused_timestamp_becomes_a_header),
        TEST(what_is_further_than_a_refused_time_is_mended_before_it_is_sent),
        TEST(the_limit_of_a_topic_is_tried_to_be_more_again),
        TEST(a_missing_topic_waits_and_others_go_on),
        TEST(a_missing_topic_is_an_alarm_within_15_seconds),
        TEST(a_topic_that_is_gone_for_a_while_gets_its_records_later),
        TEST(a_topic_that_may_not_be_seen_waits),
        TEST(fewer_partitions_keep_the_order_of_what_waits),
        TEST(a_source_that_only_waits_is_rewound_and_others_are_not),
        TEST(a_source_whose_lane_rests_is_rewound),
        TEST(what_waits_behind_a_broker_that_hangs_is_given_up),
        TEST(a_producer_that_failed_for_good_is_replaced),
        TEST(it_is_replaced_again_and_again),
        TEST(a_new_producer_gets_nothing_before_it_knows_the_topics),
        TEST(a_stop_in_the_middle_of_a_replacement_ends),
        TEST(a_stop_lets_go_of_what_is_out),
        TEST(a_stop_without_any_broker_ends),
    };

    return cmocka_run_group_tests_name("kafka_faults", tests, NULL, NULL);
}
