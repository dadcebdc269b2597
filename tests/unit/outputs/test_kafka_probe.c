/* test_kafka_probe.c - `check --connect` names every trouble before the agent has it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit/outputs/kafka_world.h"

static struct errors errs;

static int
when_probed(const char *topic, const char *other, uint64_t max_line, unsigned timeout_ms)
{
    struct strings topics = { NULL, 0, 0 };
    int            rc;

    memset(&errs, 0, sizeof errs);
    strings_add(&topics, topic);
    if (other != NULL)
        strings_add(&topics, other);
    rc = output->ops->probe(output, &topics, max_line, timeout_ms, &errs);
    strings_fini(&topics);
    for (size_t i = 0; i < errs.count; i++) {
        assert_int_equal(errs.list[i].code, ERR_CLUSTER);
        print_message("%s\n", errs.list[i].text);
    }
    return rc;
}

static void
then_troubles(size_t count, const char *part)
{
    assert_int_equal(errs.count, count);
    if (count > 0)
        assert_non_null(strstr(errs.list[count - 1].text, part));
    errors_fini(&errs);
}

static void
given_loaded(const char *servers)
{
    load_output(servers != NULL ? servers : rd_kafka_mock_cluster_bootstraps(cluster));
}

static void
a_cluster_that_fits_has_no_troubles(void **state)
{
    (void)state;
    given_cluster(2);
    given_topic("t", 3);
    given_loaded(NULL);
    assert_int_equal(when_probed("t", NULL, 1000, 15000), 0);
    then_troubles(0, NULL);
}

static void
a_missing_topic_is_named_and_others_are_looked_at(void **state)
{
    (void)state;
    given_cluster(1);
    given_topic("t", 3);
    given_topic("gone", 1);
    rd_kafka_mock_topic_set_error(cluster, "gone", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    given_loaded(NULL);
    assert_int_equal(when_probed("gone", "t", 1000, 15000), -1);
    then_troubles(1, "topic 'gone' does not exist (create it, or set create_topics: true)");
}

/* These brokers do not say whether they would. */
static void
a_missing_topic_that_the_brokers_may_make_is_no_trouble(void **state)
{
    (void)state;
    given_cluster(1);
    rd_kafka_mock_topic_set_error(cluster, "gone", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    given_setting("create_topics", "true");
    given_loaded(NULL);
    assert_int_equal(when_probed("gone", NULL, 1000, 15000), 0);
    then_troubles(0, NULL);
}

static void
the_topic_for_dead_letters_is_asked_for_too(void **state)
{
    (void)state;
    given_cluster(1);
    given_topic("t", 3);
    rd_kafka_mock_topic_set_error(cluster, "dead", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    given_setting("dead_letter_topic", "dead");
    given_loaded(NULL);
    assert_int_equal(when_probed("t", NULL, 1000, 15000), -1);
    then_troubles(1, "topic 'dead' does not exist");
}

static void
a_topic_without_rights_is_named(void **state)
{
    (void)state;
    given_cluster(1);
    given_topic("t", 1);
    rd_kafka_mock_topic_set_error(cluster, "t", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    given_loaded(NULL);
    assert_int_equal(when_probed("t", NULL, 1000, 15000), -1);
    then_troubles(1, "not authorised for topic 't'");
}

static void
partitions_without_leader_are_counted(void **state)
{
    (void)state;
    given_cluster(1);
    given_topic("t", 3);
    rd_kafka_mock_partition_set_leader(cluster, "t", 1, -1);
    given_loaded(NULL);
    assert_int_equal(when_probed("t", NULL, 1000, 15000), -1);
    then_troubles(1, "1 of the 3 partitions of topic 't' have no leader");
}

/* "down" ends connections and the listener, but metadata goes on to name it. */
static void
a_broker_that_only_the_cluster_reaches_is_named(void **state)
{
    char bootstrap[100];

    (void)state;
    given_cluster(2);
    given_topic("t", 1);
    rd_kafka_mock_partition_set_leader(cluster, "t", 0, 1);
    rd_kafka_mock_broker_set_down(cluster, 2);
    snprintf(bootstrap, sizeof bootstrap, "%.*s",
             (int)strcspn(rd_kafka_mock_cluster_bootstraps(cluster), ","),
             rd_kafka_mock_cluster_bootstraps(cluster));
    given_loaded(bootstrap);
    assert_int_equal(when_probed("t", NULL, 1000, 15000), -1);
    then_troubles(1, "broker 2 cannot be reached at 127.0.0.1:");
}

static void
lines_longer_than_the_client_sends_are_a_trouble(void **state)
{
    (void)state;
    given_cluster(1);
    given_topic("t", 1);
    given_setting("message.max.bytes", "5000");
    given_loaded(NULL);
    assert_int_equal(when_probed("t", NULL, 6000, 15000), -1);
    then_troubles(1, "message.max.bytes is 5000, and lines may have 6000");
}

static void
nobody_there_is_said_in_time(void **state)
{
    const uint64_t begin = clock_ms();

    (void)state;
    given_loaded("127.0.0.1:1");
    assert_int_equal(when_probed("t", NULL, 1000, 2000), -1);
    then_troubles(1, "a broker cannot be reached (check bootstrap.servers");
    assert_in_range(clock_ms() - begin, 0, 4000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cluster_that_fits_has_no_troubles),
        TEST(a_missing_topic_is_named_and_others_are_looked_at),
        TEST(a_missing_topic_that_the_brokers_may_make_is_no_trouble),
        TEST(the_topic_for_dead_letters_is_asked_for_too),
        TEST(a_topic_without_rights_is_named),
        TEST(partitions_without_leader_are_counted),
        TEST(a_broker_that_only_the_cluster_reaches_is_named),
        TEST(lines_longer_than_the_client_sends_are_a_trouble),
        TEST(nobody_there_is_said_in_time),
    };

    return cmocka_run_group_tests_name("kafka_probe", tests, NULL, NULL);
}
