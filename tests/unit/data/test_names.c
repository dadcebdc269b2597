/* test_names.c - a name has one number, and the well-known ones have theirs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "agent/data/names.h"

enum { MANY = 5000 };

static struct names *names;

static int
set_up(void **state)
{
    (void)state;
    names = names_new();
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    names_free(names);
    return 0;
}

static struct slice
numbered_name(char *room, size_t size, int i)
{
    return (struct slice){ room, (size_t)snprintf(room, size, "field.%d", i) };
}

static void
well_known_names_have_fixed_numbers(void **state)
{
    (void)state;
    assert_int_equal(names_count(names), NAME_FIRST_GIVEN);
    assert_int_equal(names_find(names, SLICE("body")), NAME_BODY);
    assert_int_equal(names_find(names, SLICE("raw")), NAME_RAW);
    assert_int_equal(names_find(names, SLICE("time")), NAME_TIME);
    assert_int_equal(names_find(names, SLICE("host.name")), NAME_HOST_NAME);
    assert_int_equal(names_find(names, SLICE("input")), NAME_INPUT);
    assert_int_equal(names_find(names, SLICE("log.file.path")), NAME_LOG_FILE_PATH);
    assert_int_equal(names_find(names, SLICE("log.file.name")), NAME_LOG_FILE_NAME);
    assert_int_equal(names_find(names, SLICE("log.file.offset")), NAME_LOG_FILE_OFFSET);
    assert_int_equal(names_find(names, SLICE("parse.error")), NAME_PARSE_ERROR);
}

static void
a_name_that_nobody_mentioned_has_no_number(void **state)
{
    (void)state;
    assert_int_equal(names_find(names, SLICE("status")), NAME_NONE);
    assert_int_equal(names_find(names, SLICE("")), NAME_NONE);
    assert_int_equal(names_find(names, SLICE("Body")), NAME_NONE);
    assert_int_equal(names_find(names, SLICE("bod")), NAME_NONE);
}

static void
the_same_name_gets_the_same_number(void **state)
{
    const uint32_t status = names_intern(names, SLICE("status"));

    (void)state;
    assert_int_equal(status, NAME_FIRST_GIVEN);
    assert_int_equal(names_intern(names, SLICE("status")), status);
    assert_int_equal(names_find(names, SLICE("status")), status);
    assert_int_equal(names_count(names), NAME_FIRST_GIVEN + 1);
}

static void
a_name_is_copied(void **state)
{
    char           room[] = "client";
    const uint32_t number = names_intern(names, slice_of(room));

    (void)state;
    room[0] = 'X';
    assert_true(slice_is(names_text(names, number), "client"));
}

static void
a_name_may_hold_any_byte(void **state)
{
    const uint32_t with_nul = names_intern(names, SLICE("a\0b"));

    (void)state;
    assert_int_not_equal(names_intern(names, SLICE("a")), with_nul);
    assert_int_equal(names_find(names, SLICE("a\0b")), with_nul);
}

static void
thousands_of_names_are_all_found_again(void **state)
{
    char room[32];

    (void)state;
    for (int i = 0; i < MANY; i++)
        assert_int_equal(names_intern(names, numbered_name(room, sizeof room, i)),
                         NAME_FIRST_GIVEN + i);
    for (int i = 0; i < MANY; i++) {
        const struct slice name = numbered_name(room, sizeof room, i);

        assert_int_equal(names_find(names, name), NAME_FIRST_GIVEN + i);
        assert_true(slice_equal(names_text(names, (uint32_t)(NAME_FIRST_GIVEN + i)), name));
    }
}

static void
a_field_that_only_a_parser_names_is_not_asked_for(void **state)
{
    const uint32_t offered = names_offer(names, SLICE("status"));

    (void)state;
    assert_true(names_asked(names)[NAME_BODY]);
    assert_false(names_asked(names)[offered]);
    assert_int_equal(names_intern(names, SLICE("status")), offered);
    assert_true(names_asked(names)[offered]);
    assert_int_equal(names_offer(names, SLICE("status")), offered);
    assert_true(names_asked(names)[offered]);
}

static void
who_asks_for_all_asks_for_those_that_come_later_too(void **state)
{
    const uint32_t before = names_offer(names, SLICE("before"));

    (void)state;
    names_ask_all(names);
    assert_true(names_all_asked(names));
    assert_true(names_asked(names)[before]);
    assert_true(names_asked(names)[names_offer(names, SLICE("after"))]);
}

static uint32_t
found(const struct names_path *at, const char *name)
{
    const struct names_path *below = names_find_below(at, slice_of(name));

    return below != NULL ? below->number : NAME_NONE;
}

static void
names_are_a_tree_cut_at_the_dots(void **state)
{
    const uint32_t           ab = names_intern(names, SLICE("a.b"));
    const uint32_t           abcd = names_intern(names, SLICE("a.b.c.d"));
    const uint32_t           odd = names_intern(names, SLICE(".x"));
    const struct names_path *root, *a;

    (void)state;
    names_offer(names, SLICE("unasked"));
    names_complete(names);
    root = names_paths(names);
    a = names_find_below(root, SLICE("a"));
    assert_non_null(a);
    assert_int_equal(a->number, NAME_NONE);
    assert_int_equal(found(a, "b"), ab);
    assert_int_equal(found(root, "a.b"), ab);
    assert_int_equal(found(root, "a.b.c.d"), abcd);
    assert_int_equal(found(a, "b.c.d"), abcd);
    assert_int_equal(found(names_find_below(root, SLICE("a.b")), "c.d"), abcd);
    assert_int_equal(found(root, ".x"), odd);
    assert_int_equal(found(root, "body"), NAME_BODY);
    assert_null(names_find_below(root, SLICE("host.name")));
    assert_null(names_find_below(root, SLICE("b")));
    assert_null(names_find_below(root, SLICE("a.c")));
    assert_null(names_find_below(root, SLICE("a.b.")));
    assert_null(names_find_below(names_find_below(root, SLICE("")), SLICE("y")));
    assert_null(names_find_below(root, SLICE("unasked")));
}

static void
what_a_line_calls_as_the_record_its_own_is_another_name(void **state)
{
    const struct names_path *root;

    (void)state;
    names_intern(names, SLICE("host.name"));
    names_intern_read(names, SLICE("input"));
    names_complete(names);
    root = names_paths(names);
    assert_null(names_find_below(root, SLICE("host.name")));
    assert_int_equal(found(root, "input"), names_of_line(NAME_INPUT));
    assert_true(slice_is(names_text(names, names_of_line(NAME_INPUT)), "input"));
    assert_int_equal(names_find(names, SLICE("input")), NAME_INPUT);
    assert_int_equal(names_of_line(NAME_TIME), NAME_TIME);
    assert_int_equal(names_of_line(NAME_K8S_RESTART_COUNT), NAME_FIRST_GIVEN - 1);
    assert_int_equal(names_of_line(NAME_FIRST_GIVEN), NAME_FIRST_GIVEN);
    assert_int_equal(names_of_line(NAME_NONE), NAME_NONE);
}

static void
who_asks_for_all_gets_what_lines_call_so_too(void **state)
{
    (void)state;
    names_ask_all(names);
    names_complete(names);
    assert_int_equal(found(names_paths(names), "parse.error"), names_of_line(NAME_PARSE_ERROR));
}

static void
a_name_is_written_as_the_member_of_an_object(void **state)
{
    const uint32_t odd = names_intern(names, SLICE("a\"\n"));

    (void)state;
    names_complete(names);
    assert_true(slice_is(names_members(names)[NAME_BODY], ",\"body\":\""));
    assert_true(slice_is(names_members(names)[odd], ",\"a\\\"\\n\":\""));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(well_known_names_have_fixed_numbers),
        TEST(a_name_that_nobody_mentioned_has_no_number),
        TEST(the_same_name_gets_the_same_number),
        TEST(a_name_is_copied),
        TEST(a_name_may_hold_any_byte),
        TEST(thousands_of_names_are_all_found_again),
        TEST(a_field_that_only_a_parser_names_is_not_asked_for),
        TEST(who_asks_for_all_asks_for_those_that_come_later_too),
        TEST(names_are_a_tree_cut_at_the_dots),
        TEST(what_a_line_calls_as_the_record_its_own_is_another_name),
        TEST(who_asks_for_all_gets_what_lines_call_so_too),
        TEST(a_name_is_written_as_the_member_of_an_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
