/* test_kafka_output.c - records arrive once, in their partition, in their order.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <unistd.h>

#include "tests/unit/outputs/kafka_world.h"

static void
records_of_an_unknown_topic_are_placed_by_the_loop(void **state)
{
    (void)state;
    given_cluster(1);
    given_topic("t", 4);
    given_output();
    when_sent("t", 0, 1000, 10);
    when_sent("t", 1000, 1000, 10);
    then_settled(2000);
    when_read_back("t", 4);
    then_received(2000, true);
}

static void
a_key_keeps_to_the_partition_of_the_java_client(void **state)
{
    const struct kafka_partitioning how = { KAFKA_MURMUR2_RANDOM, KAFKA_STICKY };
    char                            name[] = "t";

    (void)state;
    given_cluster(1);
    given_output();
    given_topic("t", 6);
    when_sent("t", 0, 500, 20);             /* placed by the loop */
    assert_true(turn_until(topic_is_known, name));
    when_sent("t", 500, 500, 20);           /* placed by the worker */
    then_settled(1000);
    when_read_back("t", 6);
    then_received(1000, true);
    for (unsigned i = 0; i < nreceived; i++)
        assert_int_equal(received[i].partition,
                         kafka_partition_of(&how, 6, slice_of(received[i].key), 0));
}

static void
what_was_sent_before_the_topic_was_known_is_not_overtaken(void **state)
{
    char name[] = "t";

    (void)state;
    given_cluster(1);
    given_output();
    given_topic("t", 1);
    when_sent("t", 0, 100, 0);
    assert_true(turn_until(topic_is_known, name));
    for (unsigned i = 1; i < 20; i++)
        when_sent("t", 100 * i, 100, 0);
    then_settled(2000);
    when_read_back("t", 1);
    then_received(2000, true);
}

/* Every third has a key, for one in two pushes the topic is known. */
static void
records_with_and_without_key_keep_their_order(void **state)
{
    (void)state;
    given_cluster(1);
    given_topic("t", 2);
    given_output();
    for (unsigned i = 0; i < 600; i += 200) {
        struct chunk *c = begin_chunk(&sources[0]);
        char          text[8];

        for (unsigned n = i; n < i + 200; n++) {
            snprintf(text, sizeof text, "%06u", n);
            if (n % 3 == i % 2)
                set_key(add_message(c, text), n % 6 < 3 ? "a" : "b");
            else
                (void)add_message(c, text);
        }
        push(c, "t");
        then_settled(i + 200);
    }
    when_read_back("t", 2);
    then_received(600, true);
}

static void
one_lane_has_never_two_batches_out(void **state)
{
    struct kafka_topic *t;

    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 1);
    t = kafka_topic_find(kafka(), SLICE("t"));
    when_sent("t", 0, 10, 0);
    assert_int_equal(t->lanes[0]->state, LANE_READY);
    turn_for(1);
    when_sent("t", 10, 10, 0);
    assert_true(t->lanes[0]->outstanding <= 10);
    then_settled(20);
    assert_int_equal(t->lanes[0]->state, LANE_IDLE);
}

static void
what_comes_in_one_round_of_the_loop_travels_together(void **state)
{
    struct kafka_topic *t;

    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 1);
    t = kafka_topic_find(kafka(), SLICE("t"));
    for (unsigned i = 0; i < 5; i++)
        when_sent("t", 10 * i, 10, 0);
    assert_int_equal(t->lanes[0]->outstanding, 0);      /* no report from inside send */
    uv_run(&pipeline.loop, UV_RUN_NOWAIT);
    assert_int_equal(t->lanes[0]->out_messages, 50);
    then_settled(50);
}

static void
keyless_records_stay_and_then_move_to_the_emptiest_lane(void **state)
{
    unsigned count[4] = { 0 };

    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 4);
    for (unsigned i = 0; i < 40; i++)
        when_sent_wide("t", 200 * i, 200, 0, 1000);     /* 8 MB: 8 batches */
    then_settled(8000);
    when_read_back("t", 4);
    then_received(8000, true);
    for (unsigned i = 0; i < nreceived; i++)
        count[received[i].partition]++;
    for (int i = 0; i < 4; i++)
        assert_in_range(count[i], 1000, 3000);
}

/* Long before a batch is full. */
static void
keyless_records_that_come_slowly_move_on_too(void **state)
{
    struct kafka_topic *t;
    int32_t             first;

    (void)state;
    given_cluster(1);
    given_output();
    t = given_known_topic("t", 4);
    for (unsigned i = 0; i < 3; i++) {
        if (i == 2)
            t->sticky_since -= 2000;        /* as if it had been so long ago */
        when_sent("t", 10 * i, 10, 0);
        then_settled(10 * (i + 1));
    }
    when_read_back("t", 4);
    then_received(30, true);
    first = -1;
    for (unsigned i = 0; i < nreceived; i++)
        if (received[i].number == 0)
            first = received[i].partition;
    for (unsigned i = 0; i < nreceived; i++)
        assert_true((received[i].partition == first) == (received[i].number < 20));
}

static void
headers_and_times_keep_their_place(void **state)
{
    struct headers *h;

    (void)state;
    given_cluster(1);
    given_output();
    given_topic("t", 1);
    for (unsigned n = 0; n < 2; n++) {
        struct chunk *c = begin_chunk(&sources[0]);

        for (unsigned i = 0; i < 300; i++) {
            char            text[16];
            struct message *m;

            snprintf(text, sizeof text, "%u", 300 * n + i);
            m = add_message(c, text);
            if (i % 3 == 1) {
                h = arena_alloc(&c->arena, sizeof *h + 2 * sizeof h->list[0]);
                h->count = 2;
                h->list[0] = (struct header){ SLICE("a"), SLICE("1") };
                h->list[1] = (struct header){ SLICE("b"), SLICE("") };
                m->headers = h;
            } else if (i % 3 == 2) {
                m->timestamp = 1700000000000 + i;
            }
        }
        push(c, "t");
    }
    then_settled(600);
    when_read_back("t", 1);
    then_received(600, true);
    for (unsigned i = 0; i < nreceived; i++) {
        assert_string_equal(received[i].headers, i % 3 == 1 ? "a=1;b=;" : "");
        if (i % 3 == 2)
            assert_int_equal(received[i].timestamp, 1700000000000 + i % 300);
    }
}

/* librdkafka cannot send it. */
static void
the_beginning_of_time_is_kept_in_a_header(void **state)
{
    struct chunk *c;

    (void)state;
    given_cluster(1);
    given_output();
    given_topic("t", 1);
    c = begin_chunk(&sources[0]);
    add_message(c, "0")->timestamp = 0;
    add_message(c, "1")->timestamp = 1;
    push(c, "t");
    then_settled(2);
    when_read_back("t", 1);
    then_received(2, true);
    assert_string_equal(received[0].headers, "stoker.timestamp=0;");
    assert_int_equal(received[1].timestamp, 1);
    assert_string_equal(received[1].headers, "");
}

static void
a_missing_value_and_an_empty_one_are_told_apart(void **state)
{
    struct chunk       *c;
    rd_kafka_t         *rk;
    rd_kafka_message_t *rkm;
    unsigned            seen = 0;

    (void)state;
    given_cluster(1);
    given_output();
    given_topic("t", 1);
    c = begin_chunk(&sources[0]);
    add_message(c, "1")->value = NULL;
    c->messages[0].value_len = 0;
    set_key(&c->messages[0], "k");
    set_key(add_message(c, ""), "");
    (void)add_message(c, "x");
    push(c, "t");
    then_settled(3);
    rk = make_consumer("t", 1);
    while (seen < 3) {
        rkm = rd_kafka_consumer_poll(rk, 1000);
        if (rkm != NULL && rkm->err == 0) {
            assert_int_equal(rkm->offset, seen);
            assert_true((rkm->payload == NULL) == (seen == 0));
            assert_true((rkm->key == NULL) == (seen == 2));
            seen++;
        }
        if (rkm != NULL)
            rd_kafka_message_destroy(rkm);
    }
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

static void
a_partition_by_number_is_obeyed_or_its_record_rejected(void **state)
{
    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 4);
    given_topic("new", 4);
    for (int known = 0; known < 2; known++) {
        struct chunk *c = begin_chunk(&sources[0]);
        char          text[8];

        for (unsigned i = 0; i < 6; i++) {
            snprintf(text, sizeof text, "%u", (unsigned)known * 6 + i);
            add_message(c, text)->partition = (int32_t)i;
        }
        push(c, known ? "t" : "new");
    }
    then_settled(12);
    assert_int_equal(pipeline.rejected, 4);
    assert_non_null(strstr(pipeline.reason, "has 4 partitions, not partition 5"));
    when_read_back("t", 4);
    assert_int_equal(nreceived, 4);
    for (unsigned i = 0; i < nreceived; i++)
        assert_int_equal(received[i].partition, received[i].number - 6);
}

static void
a_record_larger_than_the_limit_is_rejected_and_its_neighbours_arrive(void **state)
{
    char          *large = mem_alloc(5001);
    struct chunk  *c;

    (void)state;
    memset(large, '9', 5000);
    large[5000] = '\0';
    given_cluster(1);
    given_setting("message.max.bytes", "5000");
    given_output();
    given_topic("t", 1);
    c = begin_chunk(&sources[0]);
    (void)add_message(c, "0");
    (void)add_message(c, large);
    (void)add_message(c, "1");
    add_message(c, large)->timestamp = 1;       /* the other way of handing over */
    (void)add_message(c, "2");
    push(c, "t");
    free(large);
    then_settled(5);
    assert_int_equal(pipeline.rejected, 2);
    assert_string_equal(pipeline.reason, "too large: message.max.bytes is 5000");
    when_read_back("t", 1);
    then_received(3, true);
}

static void
what_a_broker_takes_by_default_is_not_refused_here(void **state)
{
    const size_t  size = 1048588 - 61 - 15;     /* less the batch's and the record's own bytes */
    struct chunk *c = chunk_new(2 * size);
    char         *value = mem_alloc(size + 1);

    (void)state;
    memset(value, '1', size);
    value[size] = '\0';
    given_cluster(1);
    given_setting("compression.type", "none");
    given_output();
    given_topic("t", 1);
    chunk_begin(c, &sources[0], 0, "p", "n");
    chunks[nchunks++] = c;
    (void)add_message(c, value);
    push(c, "t");
    free(value);
    then_settled(1);
    assert_int_equal(pipeline.delivered, 1);
}

static void
then_first_batch_is(const struct kafka_lane *l, uint32_t size)
{
    const uint64_t before = pipeline.delivered;

    when_sent("t", (unsigned)before, 20, 0);
    uv_run(&pipeline.loop, UV_RUN_NOWAIT);
    assert_int_equal(l->out_messages, size);
    then_settled(before + 20);
}

/* See agent/notes/split_batches.md: nothing may be on its way behind a first request that is
 * refused by a broker that has never heard of the producer. */
static void
the_first_message_to_a_broker_that_may_not_know_the_producer_travels_alone(void **state)
{
    struct kafka_lane *l;

    (void)state;
    given_cluster(1);
    given_output();
    l = given_new_topic("t", 1)->lanes[0];
    then_first_batch_is(l, 1);
    then_first_batch_is(l, 20);
    l->met_at -= 2 * 3600 * 1000;               /* it may have been forgotten since */
    then_first_batch_is(l, 1);
    then_first_batch_is(l, 20);
    kafka_topics_drop_handles(kafka());         /* as when the producer is another one */
    kafka_topics_new_handles(kafka());
    then_first_batch_is(l, 1);
}

static void
a_full_batch_is_one_request(void **state)
{
    struct kafka_topic *t;

    (void)state;
    given_cluster(1);
    given_setting("compression.type", "none");
    given_output();
    (void)given_known_topic("t", 1);
    t = kafka_topic_find(kafka(), SLICE("t"));
    kafka()->in_time = 10000;                   /* this machine is fast, as far as is known */
    for (unsigned i = 0; i < 8; i++)
        when_sent_wide("t", 1000 * i, 1000, 0, 200);
    uv_run(&pipeline.loop, UV_RUN_NOWAIT);
    assert_in_range(t->lanes[0]->out_messages, 4000, 4999);
    assert_in_range(t->lanes[0]->out_bytes, 970000, 980000);
    then_settled(8000);
}

static void
round_robin_deals_record_by_record(void **state)
{
    unsigned count[4] = { 0 };

    (void)state;
    given_cluster(1);
    given_setting("keyless", "round_robin");
    given_output();
    given_topic("t", 4);
    when_sent("t", 0, 400, 0);
    when_sent("t", 400, 400, 0);
    then_settled(800);
    when_read_back("t", 4);
    then_received(800, true);
    for (unsigned i = 0; i < nreceived; i++) {
        assert_int_equal(received[i].partition, received[i].number % 4);
        count[received[i].partition]++;
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(count[i], 200);
}

static void
a_source_keeps_to_its_partition(void **state)
{
    (void)state;
    given_cluster(1);
    given_setting("keyless", "source");
    given_output();
    given_topic("t", 4);
    when_sent("t", 0, 100, 0);
    (void)given_known_topic("u", 1);
    when_sent("t", 100, 100, 0);
    then_settled(200);
    when_read_back("t", 4);
    then_received(200, true);
    for (unsigned i = 1; i < nreceived; i++)
        assert_int_equal(received[i].partition, received[0].partition);
}

static void
many_topics_are_found_by_name(void **state)
{
    (void)state;
    given_cluster(1);
    given_output();
    for (unsigned i = 0; i < 200; i++) {
        char                name[16];
        struct kafka_topic *t;

        snprintf(name, sizeof name, "topic-%u", i);
        t = kafka_topic_get(kafka(), slice_of(name));
        assert_ptr_equal(kafka_topic_find(kafka(), slice_of(name)), t);
    }
    for (unsigned i = 0; i < 200; i++) {
        char name[16];

        snprintf(name, sizeof name, "topic-%u", i);
        assert_string_equal(kafka_topic_find(kafka(), slice_of(name))->name, name);
    }
    assert_null(kafka_topic_find(kafka(), SLICE("topic-200")));
    assert_null(output->ops->topic(output, SLICE("topic-7")));      /* not known yet */
}

static void
more_partitions_are_taken_up_and_fewer_give_back_what_waits(void **state)
{
    struct kafka_topic *t;

    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 4);
    t = kafka_topic_find(kafka(), SLICE("t"));
    kafka_topic_resize(t, 8);
    assert_int_equal(t->nlanes, 8);
    when_sent("t", 0, 400, 40);             /* into all eight; nothing is handed over yet */
    assert_true(t->lanes[6]->waiting_messages + t->lanes[7]->waiting_messages > 0);
    kafka_topic_resize(t, 4);
    assert_int_equal(t->lanes[5]->waiting_messages, 0);
    then_settled(400);
    assert_int_equal(pipeline.rejected, 0);
    when_read_back("t", 4);
    assert_int_equal(nreceived, 400);
    then_received(400, false);
}

static void
a_run_placed_for_more_partitions_than_there_are_is_placed_again(void **state)
{
    struct kafka_topic *t;
    struct chunk       *c;
    struct run         *run;

    (void)state;
    given_cluster(1);
    given_output();
    (void)given_known_topic("t", 2);
    t = kafka_topic_find(kafka(), SLICE("t"));
    c = begin_chunk(&sources[0]);
    set_key(add_message(c, "0"), "key");
    set_key(add_message(c, "1"), "key");
    run = chunk_add_run(c, output, SLICE("t"), t, 5);
    run->count = 2;
    run->bytes = 8;
    output->ops->send(output, run);
    then_settled(2);
    assert_int_equal(pipeline.rejected, 0);
    when_read_back("t", 2);
    then_received(2, true);
    assert_int_equal(received[0].partition, 1);     /* as the Java client */
}

static void
an_output_that_sent_nothing_stops_at_once(void **state)
{
    (void)state;
    given_cluster(1);
    given_output();
    when_stopped();
}

static void
copy_certificates(const char *to)
{
    uv_fs_t copy;

    assert_int_equal(uv_fs_copyfile(NULL, &copy, "/etc/ssl/certs/ca-certificates.crt", to, 0, NULL),
                     0);
    uv_fs_req_cleanup(&copy);
}

static void
a_client_that_cannot_be_made_is_an_error_at_start(void **state)
{
    char         path[] = "/tmp/test-kafka-output-XXXXXX";
    const int    fd = mkstemp(path);
    struct error err;

    (void)state;
    assert_true(fd >= 0 && close(fd) == 0);
    copy_certificates(path);
    given_setting("security.protocol", "ssl");
    given_setting("ssl.ca.location", path);
    load_output("localhost:1");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(output->ops->start(output, &pipeline, &err), -1);
    assert_non_null(strstr(err.text, "output 'main': cannot make a producer"));
    assert_null(output->pipeline);          /* nothing was begun: it is only freed */
}

static void
what_was_said_reaches_those_who_ask_the_output(void **state)
{
    (void)state;
    given_setting("buffer.memory", "8MiB");
    given_setting("linger.ms", "40");
    given_setting("key.serializer", "integer");
    given_setting("send", "sync");
    given_setting("on_rejected", "halt");
    load_output("localhost:1");
    assert_int_equal(output->memory, 8 << 20);
    assert_int_equal(output->read_pause, 40);
    assert_int_equal(output->key_serializer, SERIALIZER_INTEGER);
    assert_int_equal(output->on_rejected, REJECTED_HALT);
    assert_true(output->one_at_a_time && !output->at_most_once);
}

static void
keys_that_are_ignored_choose_no_partition(void **state)
{
    (void)state;
    given_setting("partitioner", "murmur2");
    load_output("localhost:1");
    assert_int_equal(output->ops->partition_of(output, 8, SLICE("foo"), 0), 0);
    output->ops->free(output);
    nsettings = 0;
    given_setting("partitioner", "murmur2");
    given_setting("partitioner.ignore.keys", "true");
    load_output("localhost:1");
    assert_int_equal(output->ops->partition_of(output, 8, SLICE("foo"), 0), PARTITION_FREE);
    assert_int_equal(output->ops->partition_of(output, 8, NO_SLICE, 0), PARTITION_FREE);
}

/* ---- Workers beside the loop ----------------------------------------------- */

static _Atomic bool workers_go_on;

static void
worker(void *arg)
{
    const struct kafka_topic *t;
    unsigned                  i = 0;

    (void)arg;
    while (workers_go_on) {
        char name[16];

        snprintf(name, sizeof name, "topic-%u", i++ % 300);
        t = output->ops->topic(output, slice_of(name));
        if (t != NULL)
            assert_in_range(output->ops->place(output, t, SLICE("k"), 1), 0, 63);
    }
}

static void
workers_look_up_topics_while_the_loop_adds_them(void **state)
{
    uv_thread_t threads[2];

    (void)state;
    given_cluster(1);
    given_output();
    workers_go_on = true;
    for (int i = 0; i < 2; i++)
        uv_thread_create(&threads[i], worker, NULL);
    for (unsigned i = 0; i < 300; i++) {
        char                name[16];
        struct kafka_topic *t;

        snprintf(name, sizeof name, "topic-%u", i);
        t = kafka_topic_get(kafka(), slice_of(name));
        kafka_topic_resize(t, 1 + (int32_t)(i % 64));
    }
    workers_go_on = false;
    for (int i = 0; i < 2; i++)
        uv_thread_join(&threads[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_of_an_unknown_topic_are_placed_by_the_loop),
        TEST(a_key_keeps_to_the_partition_of_the_java_client),
        TEST(what_was_sent_before_the_topic_was_known_is_not_overtaken),
        TEST(records_with_and_without_key_keep_their_order),
        TEST(one_lane_has_never_two_batches_out),
        TEST(what_comes_in_one_round_of_the_loop_travels_together),
        TEST(keyless_records_stay_and_then_move_to_the_emptiest_lane),
        TEST(keyless_records_that_come_slowly_move_on_too),
        TEST(headers_and_times_keep_their_place),
        TEST(the_beginning_of_time_is_kept_in_a_header),
        TEST(a_missing_value_and_an_empty_one_are_told_apart),
        TEST(a_partition_by_number_is_obeyed_or_its_record_rejected),
        TEST(a_record_larger_than_the_limit_is_rejected_and_its_neighbours_arrive),
        TEST(what_a_broker_takes_by_default_is_not_refused_here),
        TEST(the_first_message_to_a_broker_that_may_not_know_the_producer_travels_alone),
        TEST(a_full_batch_is_one_request),
        TEST(round_robin_deals_record_by_record),
        TEST(a_source_keeps_to_its_partition),
        TEST(many_topics_are_found_by_name),
        TEST(more_partitions_are_taken_up_and_fewer_give_back_what_waits),
        TEST(a_run_placed_for_more_partitions_than_there_are_is_placed_again),
        TEST(an_output_that_sent_nothing_stops_at_once),
        TEST(a_client_that_cannot_be_made_is_an_error_at_start),
        TEST(what_was_said_reaches_those_who_ask_the_output),
        TEST(keys_that_are_ignored_choose_no_partition),
        TEST(workers_look_up_topics_while_the_loop_adds_them),
    };

    return cmocka_run_group_tests_name("kafka_output", tests, NULL, NULL);
}
