/* test_kafka_report.c - what the output tells of itself: our counts, and those of
 * librdkafka's statistics.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit/outputs/kafka_world.h"

static const struct output_report *
report(void)
{
    return output->ops->report(output);
}

static void
given_statistics_every(const char *ms)
{
    char why[200];

    load_output(rd_kafka_mock_cluster_bootstraps(cluster));
    assert_int_equal(rd_kafka_conf_set(kafka()->settings.client, "statistics.interval.ms", ms, why,
                                       sizeof why), RD_KAFKA_CONF_OK);
    assert_int_equal(output->ops->start(output, &pipeline, &(struct error){ 0 }), 0);
}

static bool
has_sent(void *count)
{
    const struct output_report *r = report();

    return r->sent >= *(const uint64_t *)count && r->nbrokers > 0 && r->ntopics > 0 &&
           r->topics[0].sent >= *(const uint64_t *)count;
}

static void
statistics_of_the_client_and_our_counts_go_together(void **state)
{
    uint64_t                    count = 500;
    const struct output_report *r;

    (void)state;
    given_cluster(1);
    given_statistics_every("100");
    given_topic("t", 4);
    when_sent("t", 0, 500, 50);
    then_settled(500);
    assert_true(turn_until(has_sent, &count));
    r = report();
    assert_int_equal(r->sent, 500);
    assert_int_equal(r->acknowledged, 500);
    assert_true(r->sent_bytes > 500 * 6);
    assert_int_equal(r->in_flight + r->queue + r->rejected + r->sent_again + r->retried, 0);
    assert_int_equal(r->ntopics, 1);
    assert_string_equal(r->topics[0].name, "t");
    assert_int_equal(r->topics[0].sent, 500);
    assert_int_equal(r->topics[0].acknowledged, 500);
    assert_int_equal(r->topics[0].partitions, 4);
    assert_int_equal(r->nbrokers, 1);
    assert_true(r->brokers[0].up && r->brokers[0].requests > 0 && r->brokers[0].bytes > 0);
    assert_non_null(strstr(r->brokers[0].name, "/1"));
}

static bool
is_replaced(void *ctx)
{
    return kafka()->state == PRODUCER_THERE && kafka()->producer != NULL &&
           kafka()->changed_at != *(const uint64_t *)ctx;
}

static void
a_new_client_does_not_begin_to_count_anew(void **state)
{
    uint64_t                    count = 100, changed = 0, requests;
    const struct output_report *r;

    (void)state;
    given_cluster(1);
    given_statistics_every("100");
    given_topic("t", 2);
    when_sent("t", 0, 100, 50);
    then_settled(100);
    assert_true(turn_until(has_sent, &count));
    requests = report()->brokers[0].requests;
    kafka()->changed_at = changed;              /* long ago: no pause */
    rd_kafka_test_fatal_error(kafka()->producer, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, "test");
    kafka_producer_failed(kafka());
    assert_true(turn_until(is_replaced, &changed));
    assert_int_equal(report()->sent, 100);
    assert_int_equal(report()->nbrokers, 1);
    assert_true(report()->brokers[0].requests >= requests);
    when_sent("t", 100, 50, 50);
    then_settled(150);
    count = 150;
    assert_true(turn_until(has_sent, &count));
    r = report();
    assert_int_equal(r->sent, 150);
    assert_int_equal(r->topics[0].sent, 150);
    assert_int_equal(r->acknowledged, 150);
    assert_true(r->sent_bytes > 150 * 6);
    assert_int_equal(r->producers, 1);
    assert_int_equal(r->nbrokers, 1);
    assert_true(r->brokers[0].requests > requests);
}

static bool
has_batches(void *ctx)
{
    const struct output_report *r = report();

    (void)ctx;
    return r->ntopics > 0 && r->topics[0].batch_messages_mean > 0 && r->brokers[0].latency_p99 > 0;
}

static void
batches_and_latencies_are_those_of_the_last_interval(void **state)
{
    (void)state;
    given_cluster(1);
    given_statistics_every("300");
    given_topic("t", 1);
    rd_kafka_mock_broker_set_rtt(cluster, 1, 5);
    for (unsigned i = 0; i < 20; i++) {
        when_sent("t", 100 * i, 100, 0);
        turn_for(20);
    }
    then_settled(2000);
    assert_true(turn_until(has_batches, NULL));
    assert_in_range(report()->topics[0].batch_messages_mean, 50, 2000);
    assert_in_range(report()->topics[0].batch_bytes_mean,
                    2 * report()->topics[0].batch_messages_mean,    /* compressed */
                    40 * report()->topics[0].batch_messages_mean);
    assert_true(report()->brokers[0].latency_mean >= 4000);
    assert_true(report()->brokers[0].latency_p50 <= report()->brokers[0].latency_p99);
}

static void
what_waits_and_what_fails_is_counted_before_any_statistics(void **state)
{
    const rd_kafka_resp_err_t refused = RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;

    (void)state;
    given_cluster(1);
    given_topic("t", 1);
    given_output();
    when_sent("t", 0, 10, 0);               /* the number of partitions is not known yet */
    assert_int_equal(report()->queue, 10);
    then_settled(10);
    rd_kafka_mock_push_request_errors_array(cluster, PRODUCE, 1, &refused);
    when_sent("t", 10, 10, 0);
    then_settled(20);
    assert_int_equal(report()->acknowledged, 20);
    assert_int_equal(report()->sent_again, 10);
    assert_int_equal(report()->queue, 0);
    add_message(begin_chunk(&sources[0]), "20")->partition = 7;
    push(chunks[nchunks - 1], "t");
    then_settled(21);
    assert_int_equal(report()->rejected, 1);
    assert_int_equal(report()->topics[0].rejected, 1);
}

static void
statistics_that_are_cut_off_or_odd_do_no_harm(void **state)
{
    static const char text[] =
        "{ \"name\": \"x\", \"txmsgs\": 7, \"brokers\": { \"h:1/1\": { \"state\": \"UP\", "
        "\"tx\": 3, \"rtt\": { \"avg\": 12, \"p99\": -1 } }, \"GroupCoordinator\": { \"tx\": 9 } }"
        ", \"topics\": { \"none\": { \"partitions\": { \"0\": { \"txmsgs\": 1 } } } } }";
    char cut[sizeof text];

    (void)state;
    given_cluster(1);
    given_output();
    kafka_report_take(kafka(), text);
    assert_int_equal(report()->sent, 7);
    assert_int_equal(report()->nbrokers, 1);
    assert_int_equal(report()->brokers[0].requests, 3);
    assert_int_equal(report()->brokers[0].latency_mean, 12);
    assert_int_equal(report()->brokers[0].latency_p99, 0);
    for (size_t len = 0; len < sizeof text; len++) {
        memcpy(cut, text, len);
        cut[len] = '\0';
        kafka_report_take(kafka(), cut);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(statistics_of_the_client_and_our_counts_go_together),
        TEST(a_new_client_does_not_begin_to_count_anew),
        TEST(batches_and_latencies_are_those_of_the_last_interval),
        TEST(what_waits_and_what_fails_is_counted_before_any_statistics),
        TEST(statistics_that_are_cut_off_or_odd_do_no_harm),
    };

    return cmocka_run_group_tests_name("kafka_report", tests, NULL, NULL);
}
