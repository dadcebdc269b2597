/* test_arena.c - many small pieces that die together.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/base/arena.h"

static struct arena a;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&a);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&a);
    return 0;
}

static void
pieces_are_aligned_and_their_own(void **state)
{
    char *pieces[100];

    (void)state;
    for (size_t i = 0; i < 100; i++) {
        pieces[i] = arena_alloc(&a, i + 1);
        assert_int_equal((uintptr_t)pieces[i] % 8, 0);
        memset(pieces[i], (int)i, i + 1);
    }
    for (size_t i = 0; i < 100; i++)
        for (size_t j = 0; j <= i; j++)
            assert_int_equal(pieces[i][j], i);
}

static void
copies_stand_side_by_side(void **state)
{
    const struct slice one = arena_copy(&a, SLICE("one"));
    const struct slice two = arena_copy(&a, SLICE("two"));

    (void)state;
    assert_true(slice_is(one, "one"));
    assert_ptr_equal(two.ptr, one.ptr + 3);
    assert_int_equal(a.used, 6);
}

static void
a_copy_of_nothing_is_empty_and_not_missing(void **state)
{
    (void)state;
    assert_non_null(arena_copy(&a, SLICE("")).ptr);
    assert_non_null(arena_copy(&a, NO_SLICE).ptr);
    assert_int_equal(a.used, 0);
}

static void
of_reserved_room_only_the_rest_is_free(void **state)
{
    char        *room = arena_reserve(&a, 100);
    struct slice text;

    (void)state;
    memcpy(room, "abc", 3);
    text = arena_commit(&a, 3);
    assert_true(slice_is(text, "abc"));
    assert_ptr_equal(arena_copy(&a, SLICE("d")).ptr, room + 3);
}

static void
a_piece_may_be_larger_than_a_block(void **state)
{
    char *large = arena_alloc(&a, 1000 * 1000), *small;

    (void)state;
    memset(large, 'x', 1000 * 1000);
    small = arena_alloc(&a, 10);
    memset(small, 'y', 10);
    assert_int_equal(large[1000 * 1000 - 1], 'x');
}

static void
a_reset_keeps_the_first_block(void **state)
{
    const struct slice first = arena_copy(&a, SLICE("first"));

    (void)state;
    for (int i = 0; i < 1000; i++)
        arena_alloc(&a, 1000);
    arena_reset(&a);
    assert_int_equal(a.used, 0);
    assert_ptr_equal(arena_copy(&a, SLICE("again")).ptr, first.ptr);
}

static void
an_unused_arena_can_be_reset_and_freed(void **state)
{
    (void)state;
    arena_reset(&a);
    arena_fini(&a);
    assert_non_null(arena_alloc(&a, 1));        /* and used again */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pieces_are_aligned_and_their_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copies_stand_side_by_side, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copy_of_nothing_is_empty_and_not_missing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(of_reserved_room_only_the_rest_is_free, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_piece_may_be_larger_than_a_block, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reset_keeps_the_first_block, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unused_arena_can_be_reset_and_freed, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
