/* test_chunk.c - messages are sorted into runs, and keep their order there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/data/chunk.h"

static struct chunk   *c;
static struct message *spare;

static int
set_up(void **state)
{
    (void)state;
    c = chunk_new(CHUNK_SIZE);
    chunk_begin(c, NULL, 0, "/var/log/a.log", "a.log");
    spare = mem_array(NULL, c->max_messages, sizeof *spare);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    free(spare);
    chunk_free(&c);
    return 0;
}

static void
sorting_is_stable_and_leaves_one_run_a_lane(void **state)
{
    const uint32_t run_of[] = { 1, 0, 1, 2, 0, 1 };
    const uint32_t expected[] = { 1, 4, 0, 2, 5, 3 };

    (void)state;
    for (int32_t i = 0; i < 3; i++)
        chunk_add_run(c, NULL, SLICE("t"), NULL, i);
    for (uint32_t i = 0; i < 6; i++) {
        struct message *m = chunk_add(c);

        m->at = i;
        m->value_len = 10;
        m->key_len = i;
    }
    chunk_sort(c, run_of, spare);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(c->messages[i].at, expected[i]);
    assert_int_equal(c->runs[0].first, 0);
    assert_int_equal(c->runs[0].count, 2);
    assert_int_equal(c->runs[1].first, 2);
    assert_int_equal(c->runs[1].count, 3);
    assert_int_equal(c->runs[1].bytes, 30 + 0 + 2 + 5);
    assert_int_equal(c->runs[2].count, 1);
}

static void
a_chunk_is_full_when_its_messages_or_its_arena_are(void **state)
{
    (void)state;
    while (c->nmessages < CHUNK_MAX_MESSAGES - 1)
        chunk_add(c);
    assert_true(chunk_has_room(c, 1));
    assert_false(chunk_has_room(c, 2));
    arena_alloc(&c->arena, CHUNK_MAX_ARENA);
    assert_false(chunk_has_room(c, 1));
}

static void
a_chunk_that_is_begun_again_is_empty(void **state)
{
    (void)state;
    chunk_add(c);
    chunk_add_run(c, NULL, SLICE("t"), NULL, 0);
    c->acked = 1;
    c->records = 7;
    chunk_begin(c, NULL, 4096, "/x", "x");
    assert_int_equal(c->nmessages, 0);
    assert_int_equal(c->nruns, 0);
    assert_int_equal(c->records, 0);
    assert_int_equal(c->begin, 4096);
    assert_int_equal(c->end, 4096);
    assert_true(slice_is(c->path, "/x"));
    assert_true(chunk_complete(c));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sorting_is_stable_and_leaves_one_run_a_lane),
        TEST(a_chunk_is_full_when_its_messages_or_its_arena_are),
        TEST(a_chunk_that_is_begun_again_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
