/* test_target.c - each topic and partition of a chunk has one run, whatever their numbers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "agent/flow/output.h"
#include "agent/flow/target.h"

static const struct output_ops no_ops;
static struct output           outputs[2] = { { .ops = &no_ops }, { .ops = &no_ops } };
static struct chunk           *c;
static struct targets          all;

static int
set_up(void **state)
{
    (void)state;
    c = chunk_new(CHUNK_SIZE);
    chunk_begin(c, NULL, 0, "/var/log/a.log", "a.log");
    memset(&all, 0, sizeof all);
    targets_begin(&all, c);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    targets_fini(&all);
    chunk_free(&c);
    return 0;
}

static void
each_partition_has_one_run(void **state)
{
    static const int32_t partitions[] = { PARTITION_FREE, 0, 13, 14, 15, 1022, 1023, 5000,
                                          INT32_MAX - 1, INT32_MAX };
    struct target *t = targets_find(&all, &outputs[0], SLICE("t"), true);

    (void)state;
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < sizeof partitions / sizeof *partitions; i++) {
            assert_int_equal(target_run(&all, t, partitions[i]), i);
            assert_int_equal(c->runs[i].partition, partitions[i]);
        }
    assert_int_equal(c->nruns, sizeof partitions / sizeof *partitions);
}

static void
each_topic_of_each_output_is_a_target(void **state)
{
    uint32_t runs[2][100];
    char     name[16];

    (void)state;
    for (int round = 0; round < 2; round++)
        for (int o = 0; o < 2; o++)
            for (int i = 0; i < 100; i++) {
                struct target *t;

                snprintf(name, sizeof name, "topic-%d", i);     /* copied */
                t = targets_find(&all, &outputs[o], slice_of(name), false);
                if (round == 0)
                    runs[o][i] = target_run(&all, t, 3);
                assert_int_equal(target_run(&all, t, 3), runs[o][i]);
                assert_true(slice_is(c->runs[runs[o][i]].topic, name));
                assert_ptr_equal(c->runs[runs[o][i]].output, &outputs[o]);
            }
    assert_int_equal(c->nruns, 200);
}

static void
what_is_rejected_stands_apart_by_its_reason(void **state)
{
    static const char *const reasons[] = { "one", "other" };
    struct target *t = targets_find(&all, &outputs[0], SLICE("t"), true);

    (void)state;
    assert_int_equal(target_run(&all, t, PARTITION_FREE), 0);
    assert_int_equal(target_rejected_run(&all, t, reasons[0]), 1);
    assert_int_equal(target_rejected_run(&all, t, reasons[1]), 2);
    assert_int_equal(target_rejected_run(&all, t, reasons[0]), 1);
    assert_int_equal(target_run(&all, t, PARTITION_FREE), 0);
}

static void
the_next_chunk_has_runs_of_its_own(void **state)
{
    struct target *t = targets_find(&all, &outputs[0], SLICE("t"), true);
    struct chunk  *next = chunk_new(CHUNK_SIZE);

    (void)state;
    assert_int_equal(target_run(&all, t, 7), 0);
    assert_int_equal(target_run(&all, t, 2000), 1);
    chunk_begin(next, NULL, 0, "/var/log/a.log", "a.log");
    targets_begin(&all, next);
    t = targets_find(&all, &outputs[0], SLICE("t"), true);
    assert_int_equal(target_run(&all, t, 2000), 0);
    assert_int_equal(target_run(&all, t, 7), 1);
    assert_int_equal(next->nruns, 2);
    chunk_free(&next);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_partition_has_one_run),
        TEST(each_topic_of_each_output_is_a_target),
        TEST(what_is_rejected_stands_apart_by_its_reason),
        TEST(the_next_chunk_has_runs_of_its_own),
    };

    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
