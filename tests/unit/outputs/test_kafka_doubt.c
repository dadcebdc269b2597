/* test_kafka_doubt.c - many partitions that are dead hold a little of the memory, and
 * not all of it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit/outputs/kafka_world.h"

enum { LANES = 12, MIB = 1024 * 1024 };

static struct kafka_topic *dead;

/* `count` messages from `first` on to that partition, in a chunk that counts as 1 MiB. */
static void
when_sent_to(struct source *s, const char *topic, int32_t partition, unsigned first, unsigned count)
{
    struct chunk *c = begin_chunk(s);
    char          text[16];

    for (unsigned i = first; i < first + count; i++) {
        snprintf(text, sizeof text, "%06u", i);
        add_message(c, text)->partition = partition;
    }
    c->charged = MIB;
    push(c, topic);
}

static void
given_leaders(int32_t leader)
{
    for (int i = 0; i < LANES; i++)
        rd_kafka_mock_partition_set_leader(cluster, "dead", i, leader);
}

static bool
all_are_out(void *ctx)
{
    (void)ctx;
    for (int i = 0; i < LANES; i++)
        if (dead->lanes[i]->state != LANE_OUT)
            return false;
    return true;
}

static bool
none_is_out(void *ctx)
{
    (void)ctx;
    for (int i = 0; i < LANES; i++)
        if (dead->lanes[i]->state == LANE_OUT)
            return false;
    return true;
}

static bool
none_has_a_leader(void *ctx)
{
    (void)ctx;
    return dead->leaderless == LANES;
}

static bool
one_has_no_leader(void *ctx)
{
    (void)ctx;
    return dead->leaderless == 1;
}

static bool
none_is_doubted(void *ctx)
{
    (void)ctx;
    for (int i = 0; i < LANES; i++)
        if (dead->lanes[i]->doubt != DOUBT_NONE)
            return false;
    return true;
}

static void
when_they_have_not_moved_for_long(void)
{
    for (int i = 0; i < LANES; i++)
        dead->lanes[i]->moved_at -= KAFKA_STUCK_MS + 1;
    kafka()->took_back_at = 0;
}

/* Every partition has a batch with the client when it loses its leader. */
static void
given_dead_partitions(const char *idempotence)
{
    given_cluster(1);
    given_setting("enable.idempotence", idempotence);
    given_output();
    pipeline.budget = 8 * MIB;
    dead = given_known_topic("dead", LANES);
    (void)given_known_topic("t", 1);
    given_leaders(-1);
    for (int i = 0; i < LANES; i++)
        when_sent_to(&sources[1], "dead", i, (unsigned)i, 1);
    assert_true(turn_until(all_are_out, NULL));
}

static void
then_others_go_on_and_all_arrive_once(void)
{
    unsigned sent = 0;
    uint64_t moves;

    output->ops->yield(output);             /* they may just be slow */
    assert_true(all_are_out(NULL));
    when_they_have_not_moved_for_long();
    kafka()->next_try = UINT64_MAX;         /* none tries while they are counted */
    for (; sent < 1000; sent += 100) {      /* the purge meets these on their way */
        when_sent_to(&sources[2], "t", 0, sent, 100);
        if (sent == 500)
            output->ops->yield(output);
    }
    assert_true(turn_until(none_is_out, NULL));
    output->ops->yield(output);                     /* in doubt: at once */
    assert_int_equal(pipeline.nrewound, 1);
    assert_ptr_equal(pipeline.rewound[0], &sources[1]);
    assert_int_equal(sources[1].window.length, 0);
    assert_ptr_equal(pipeline.moves, &dead->moves);
    moves = dead->moves;
    then_settled(1000);
    kafka_metadata_ask_now(kafka());
    assert_true(turn_until(none_has_a_leader, NULL));
    assert_int_equal(dead->moves, moves);           /* nothing that may go on yet */
    when_sent_to(&sources[1], "dead", 7, 7, 1);     /* its source tries again */
    turn_for(500);
    assert_true(none_is_out(NULL));                 /* metadata knows better */

    given_leaders(1);
    kafka_metadata_ask_now(kafka());
    assert_true(turn_until(none_is_doubted, NULL));
    assert_true(dead->moves > moves);
    for (int i = 0; i < LANES; i++)
        if (i != 7)
            when_sent_to(&sources[1], "dead", i, (unsigned)i, 1);
    then_settled(1000 + LANES);
    when_read_back("dead", LANES);
    then_received(LANES, true);
    when_read_back("t", 1);
    then_received(1000, true);
}

static void
batches_of_many_dead_partitions_are_taken_back(void **state)
{
    (void)state;
    given_dead_partitions("true");
    then_others_go_on_and_all_arrive_once();
}

static void
without_idempotence_too(void **state)
{
    (void)state;
    given_dead_partitions("false");
    then_others_go_on_and_all_arrive_once();
}

static void
a_few_of_them_keep_what_they_have(void **state)
{
    (void)state;
    given_dead_partitions("true");
    pipeline.budget = 4 * LANES * MIB;              /* a quarter is enough for them */
    when_they_have_not_moved_for_long();
    output->ops->yield(output);
    turn_for(200);
    assert_true(all_are_out(NULL));
    assert_int_equal(dead->lanes[0]->doubt, DOUBT_NONE);
    given_leaders(1);
    kafka_metadata_ask_now(kafka());
    then_settled(LANES);
}

static unsigned
count_out(void)
{
    unsigned n = 0;

    for (int i = 0; i < LANES; i++)
        n += dead->lanes[i]->state == LANE_OUT;
    return n;
}

/* They have a leader, as far as metadata knows; it does not answer. */
static void
one_after_the_other_tries_a_little_and_one_success_is_enough(void **state)
{
    uint64_t moves;

    (void)state;
    given_cluster(1);
    given_output();
    pipeline.budget = 8 * MIB;                      /* two tries in ten seconds */
    dead = given_known_topic("dead", LANES);
    for (int i = 0; i < LANES; i++)
        dead->lanes[i]->doubt = DOUBT_LANE;
    rd_kafka_mock_broker_set_rtt(cluster, 1, 1500);
    for (int i = 0; i < LANES; i++)
        when_sent_to(&sources[1], "dead", i, 200 * (unsigned)i, 200);
    turn_for(1000);
    assert_int_equal(count_out(), 1);
    moves = dead->moves;
    assert_true(turn_until(none_is_doubted, NULL));
    assert_int_equal(pipeline.delivered, 100);
    assert_true(dead->moves > moves);
    rd_kafka_mock_broker_set_rtt(cluster, 1, 0);
    then_settled(200 * LANES);
    when_read_back("dead", LANES);
    then_received(200 * LANES, true);
}

static void
given_dead_lane(int lane)
{
    rd_kafka_mock_broker_set_rtt(cluster, 1, 800);
    when_sent_to(&sources[1], "dead", lane, 0, 1);
    turn_for(20);
    assert_int_equal(dead->lanes[lane]->state, LANE_OUT);
    dead->lanes[lane]->moved_at -= KAFKA_STUCK_MS + 1;
}

/* Idle ones would fill the memory next; one that has just moved is well. */
static void
idle_lanes_of_the_same_leader_are_doubted_too(void **state)
{
    (void)state;
    given_cluster(1);
    given_output();
    dead = given_known_topic("dead", LANES);
    pipeline.budget = MIB;
    when_sent_to(&sources[2], "dead", 1, 1, 1);
    then_settled(1);
    given_dead_lane(0);
    dead->lanes[2]->leader = 2;
    output->ops->yield(output);
    assert_int_equal(dead->lanes[0]->doubt, DOUBT_LANE);
    assert_int_equal(dead->lanes[1]->doubt, DOUBT_NONE);
    assert_int_equal(dead->lanes[2]->doubt, DOUBT_NONE);
    assert_int_equal(dead->lanes[3]->doubt, DOUBT_LEADER);
    kafka_doubt_over(dead->lanes[3]);           /* speaks for its like */
    assert_int_equal(dead->lanes[0]->doubt, DOUBT_LANE);
    assert_int_equal(dead->lanes[4]->doubt, DOUBT_NONE);
    then_settled(2);
    assert_int_equal(dead->lanes[0]->doubt, DOUBT_NONE);
}

/* Half of each chunk arrives, the other half waits for a partition without leader. */
static void
what_has_arrived_in_part_goes_when_others_starve(void **state)
{
    char text[16];

    (void)state;
    given_cluster(1);
    given_output();
    dead = given_known_topic("dead", LANES);
    rd_kafka_mock_partition_set_leader(cluster, "dead", 1, -1);
    kafka_metadata_ask_now(kafka());
    assert_true(turn_until(one_has_no_leader, NULL));
    for (unsigned i = 0; i < 5; i++) {
        struct chunk *c = begin_chunk(&sources[1]);

        for (unsigned j = 0; j < 2; j++) {
            snprintf(text, sizeof text, "%06u", 2 * i + j);
            add_message(c, text)->partition = (int32_t)j;
        }
        push(c, "dead");
    }
    then_settled(5);
    dead->lanes[1]->leaderless_at -= KAFKA_ELECTION_MS;
    output->ops->yield(output);
    assert_int_equal(pipeline.nrewound, 0);
    pipeline.starving = KAFKA_STUCK_MS;
    chunks[nchunks - 1]->pins++;                        /* another output sends it just now */
    output->ops->yield(output);
    assert_int_equal(pipeline.nrewound, 0);
    chunks[nchunks - 1]->pins--;
    output->ops->yield(output);
    assert_int_equal(pipeline.nrewound, 1);
    assert_ptr_equal(pipeline.moves, &dead->moves);
    assert_int_equal(sources[1].window.length, 1);      /* it keeps the lane trying */
    assert_int_equal(dead->lanes[1]->waiting_messages, 1);
    output->ops->yield(output);                         /* nothing more to give */
    assert_int_equal(pipeline.nrewound, 1);
    rd_kafka_mock_partition_set_leader(cluster, "dead", 1, 1);
    kafka_metadata_ask_now(kafka());
    then_settled(6);
}

static void
a_lane_that_was_given_up_and_moves_says_so_once(void **state)
{
    uint64_t moves;

    (void)state;
    given_cluster(1);
    given_output();
    dead = given_known_topic("dead", LANES);
    rd_kafka_mock_broker_set_rtt(cluster, 1, 300);
    when_sent_to(&sources[1], "dead", 0, 0, 1);
    turn_for(20);
    when_sent_to(&sources[1], "dead", 0, 1, 1);
    dead->lanes[0]->moved_at -= KAFKA_STUCK_MS + 1;
    output->ops->yield(output);
    assert_int_equal(pipeline.nrewound, 1);
    moves = dead->moves;
    then_settled(1);
    assert_int_equal(dead->moves, moves + 1);
    when_sent_to(&sources[1], "dead", 0, 1, 1);
    then_settled(2);
    assert_int_equal(dead->moves, moves + 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(batches_of_many_dead_partitions_are_taken_back),
        TEST(without_idempotence_too),
        TEST(a_few_of_them_keep_what_they_have),
        TEST(one_after_the_other_tries_a_little_and_one_success_is_enough),
        TEST(idle_lanes_of_the_same_leader_are_doubted_too),
        TEST(what_has_arrived_in_part_goes_when_others_starve),
        TEST(a_lane_that_was_given_up_and_moves_says_so_once),
    };

    return cmocka_run_group_tests_name("kafka_doubt", tests, NULL, NULL);
}
