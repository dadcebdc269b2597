/* test_record.c - fields are set, found again and forgotten with their line.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "agent/data/record.h"

static struct names *names;
static struct record r;
static struct arena  arena;
static uint32_t      status, client;

static void
given_line(struct slice raw, uint64_t offset)
{
    record_begin(&r, raw, raw, offset);
}

static int
set_up(void **state)
{
    (void)state;
    names = names_new();
    status = names_intern(names, SLICE("status"));
    client = names_intern(names, SLICE("client"));
    arena_init(&arena);
    record_init(&r, names);
    given_line(SLICE("GET / 200"), 4711);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    record_fini(&r);
    arena_fini(&arena);
    names_free(names);
    return 0;
}

static void
then_field_is(uint32_t number, const char *expected)
{
    struct slice text;

    assert_true(record_get(&r, number, &arena, &text));
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.ptr, expected, text.len);
}

static void
then_field_is_missing(uint32_t number)
{
    struct slice text;

    assert_false(record_get(&r, number, &arena, &text));
}

static void
body_and_raw_are_parts_of_the_line(void **state)
{
    static const char line[] = "hello\r";
    struct slice      text;

    (void)state;
    record_begin(&r, (struct slice){ line, 6 }, (struct slice){ line, 5 }, 0);
    then_field_is(NAME_RAW, "hello\r");
    then_field_is(NAME_BODY, "hello");
    assert_true(record_get(&r, NAME_BODY, &arena, &text));
    assert_ptr_equal(text.ptr, line);
}

static void
an_empty_line_has_an_empty_body(void **state)
{
    (void)state;
    given_line(SLICE(""), 0);
    then_field_is(NAME_BODY, "");
}

static void
the_offset_is_given_in_decimal(void **state)
{
    (void)state;
    then_field_is(NAME_LOG_FILE_OFFSET, "4711");
    given_line(SLICE("x"), 0);
    then_field_is(NAME_LOG_FILE_OFFSET, "0");
    given_line(SLICE("x"), UINT64_MAX);
    then_field_is(NAME_LOG_FILE_OFFSET, "18446744073709551615");
}

static void
time_is_missing_until_it_is_set(void **state)
{
    (void)state;
    then_field_is_missing(NAME_TIME);
    r.has_time = true;
    r.time_ms = 1728568416123;
    then_field_is(NAME_TIME, "1728568416123");
    r.time_ms = -1;
    then_field_is(NAME_TIME, "-1");
    r.time_ms = INT64_MIN;
    then_field_is(NAME_TIME, "-9223372036854775808");
    given_line(SLICE("next"), 0);
    then_field_is_missing(NAME_TIME);
}

static void
a_field_called_time_stands_in_until_the_time_is_known(void **state)
{
    (void)state;
    assert_true(record_set(&r, NAME_TIME, VALUE_TEXT, SLICE("10/Oct/2024")));
    then_field_is(NAME_TIME, "10/Oct/2024");
    r.has_time = true;
    r.time_ms = 5;
    then_field_is(NAME_TIME, "5");
}

static void
no_field_hides_the_body(void **state)
{
    (void)state;
    assert_true(record_set(&r, NAME_BODY, VALUE_TEXT, SLICE("other")));
    assert_true(record_set(&r, NAME_RAW, VALUE_TEXT, SLICE("other")));
    then_field_is(NAME_BODY, "GET / 200");
    then_field_is(NAME_RAW, "GET / 200");
}

static void
constants_stay_from_line_to_line(void **state)
{
    (void)state;
    then_field_is_missing(NAME_HOST_NAME);
    r.constant[NAME_HOST_NAME] = SLICE("web1");
    then_field_is(NAME_HOST_NAME, "web1");
    given_line(SLICE("next"), 0);
    then_field_is(NAME_HOST_NAME, "web1");
}

static void
a_field_takes_the_place_of_a_constant(void **state)
{
    (void)state;
    r.constant[NAME_HOST_NAME] = SLICE("web1");
    record_set(&r, NAME_HOST_NAME, VALUE_TEXT, SLICE("from-the-line"));
    then_field_is(NAME_HOST_NAME, "from-the-line");
    given_line(SLICE("next"), 0);
    then_field_is(NAME_HOST_NAME, "web1");
}

static void
what_the_line_calls_so_does_not(void **state)
{
    (void)state;
    r.constant[NAME_HOST_NAME] = SLICE("web1");
    record_set_named(&r, SLICE("host.name"), VALUE_TEXT, SLICE("from-the-line"));
    record_set_named(&r, SLICE("log.file.offset"), VALUE_NUMBER, SLICE("0"));
    record_set_named(&r, SLICE("parse.error"), VALUE_TEXT, SLICE("none at all"));
    then_field_is(NAME_HOST_NAME, "web1");
    then_field_is(NAME_LOG_FILE_OFFSET, "4711");
    then_field_is_missing(NAME_PARSE_ERROR);
    assert_int_equal(r.nvalues, 3);
    assert_true(slice_is(r.values[0].name, "host.name"));
    assert_true(slice_is(r.values[0].text, "from-the-line"));
}

static void
fields_are_gone_with_the_next_line(void **state)
{
    (void)state;
    assert_true(record_set(&r, status, VALUE_TEXT, SLICE("200")));
    assert_true(record_set_named(&r, SLICE("unasked"), VALUE_TEXT, SLICE("1")));
    then_field_is(status, "200");
    given_line(SLICE("next"), 0);
    then_field_is_missing(status);
    assert_int_equal(r.nvalues, 0);
}

static void
a_field_that_is_set_again_keeps_its_place(void **state)
{
    (void)state;
    record_set(&r, status, VALUE_TEXT, SLICE("200"));
    record_set(&r, client, VALUE_TEXT, SLICE("::1"));
    record_set(&r, status, VALUE_NUMBER, SLICE("404"));
    assert_int_equal(r.nvalues, 2);
    assert_true(slice_is(r.values[0].name, "status"));
    assert_true(slice_is(r.values[0].text, "404"));
    assert_int_equal(r.values[0].type, VALUE_NUMBER);
    then_field_is(client, "::1");
}

static void
a_name_from_the_line_reaches_the_numbered_field(void **state)
{
    (void)state;
    assert_true(record_set_named(&r, SLICE("status"), VALUE_NUMBER, SLICE("500")));
    then_field_is(status, "500");
    assert_ptr_equal(record_field(&r, status), &r.values[0]);
    assert_null(record_field(&r, client));
}

static void
an_unasked_name_stands_once_too(void **state)
{
    (void)state;
    record_set_named(&r, SLICE("a"), VALUE_TEXT, SLICE("1"));
    record_set_named(&r, SLICE("b"), VALUE_TEXT, SLICE("2"));
    record_set_named(&r, SLICE("a"), VALUE_TEXT, SLICE("3"));
    assert_int_equal(r.nvalues, 2);
    assert_int_equal(r.values[0].number, NAME_NONE);
    assert_true(slice_is(r.values[0].text, "3"));
    assert_true(slice_is(r.values[1].name, "b"));
}

static void
fields_over_the_limit_are_left_out(void **state)
{
    static char room[RECORD_MAX_FIELDS][8];

    (void)state;
    for (int i = 0; i < RECORD_MAX_FIELDS; i++) {
        snprintf(room[i], sizeof room[i], "f%d", i);
        assert_true(record_set_named(&r, slice_of(room[i]), VALUE_TEXT, SLICE("x")));
    }
    assert_false(record_set_named(&r, SLICE("one more"), VALUE_TEXT, SLICE("x")));
    assert_true(record_set_named(&r, SLICE("f7"), VALUE_TEXT, SLICE("again")));
    assert_int_equal(r.nvalues, RECORD_MAX_FIELDS);
}

static void
for_what_the_configuration_mentions_there_is_always_room(void **state)
{
    fields_over_the_limit_are_left_out(state);
    assert_true(record_set(&r, status, VALUE_TEXT, SLICE("200")));
    assert_true(record_set_named(&r, SLICE("client"), VALUE_TEXT, SLICE("too many")));
    then_field_is(status, "200");
    then_field_is(client, "too many");
}

static void
names_of_one_hash_are_two_fields(void **state)
{
    (void)state;
    record_set_named(&r, SLICE("abz"), VALUE_TEXT, SLICE("1"));
    record_set_named(&r, SLICE("acz"), VALUE_TEXT, SLICE("2"));
    record_set_named(&r, SLICE(""), VALUE_TEXT, SLICE("3"));
    record_set_named(&r, SLICE("abz"), VALUE_TEXT, SLICE("4"));
    record_set_named(&r, SLICE(""), VALUE_TEXT, SLICE("5"));
    assert_int_equal(r.nvalues, 3);
    assert_true(slice_is(r.values[0].text, "4"));
    assert_true(slice_is(r.values[1].text, "2"));
    assert_true(slice_is(r.values[2].text, "5"));
}

static void
unnumbered_fields_may_be_unwanted(void **state)
{
    (void)state;
    r.numbered_only = true;
    assert_true(record_set_named(&r, SLICE("a"), VALUE_TEXT, SLICE("1")));
    assert_true(record_set_named(&r, SLICE("status"), VALUE_TEXT, SLICE("2")));
    assert_int_equal(r.nvalues, 1);
    then_field_is(status, "2");
}

static void
rolling_back_restores_what_was_there(void **state)
{
    (void)state;
    record_set(&r, status, VALUE_TEXT, SLICE("200"));
    record_set_named(&r, SLICE("a"), VALUE_TEXT, SLICE("1"));
    record_mark(&r);
    record_set(&r, status, VALUE_NUMBER, SLICE("500"));
    record_set(&r, client, VALUE_TEXT, SLICE("::1"));
    record_set_named(&r, SLICE("b"), VALUE_TEXT, SLICE("2"));
    record_rollback(&r);
    assert_int_equal(r.nvalues, 2);
    then_field_is(status, "200");
    then_field_is_missing(client);
    record_set(&r, client, VALUE_TEXT, SLICE("::2"));
    then_field_is(client, "::2");
}

static void
a_field_can_be_unset_if_it_is_newer_than_the_mark(void **state)
{
    (void)state;
    record_set(&r, status, VALUE_TEXT, SLICE("200"));
    record_mark(&r);
    record_set_named(&r, SLICE("a"), VALUE_TEXT, SLICE("1"));
    record_set(&r, client, VALUE_TEXT, SLICE("::1"));
    record_set_named(&r, SLICE("b"), VALUE_TEXT, SLICE("2"));
    record_unset(&r, status, 0);
    record_unset_unnumbered(&r, SLICE("a"));
    record_unset_unnumbered(&r, SLICE("c"));
    then_field_is(status, "200");
    then_field_is(client, "::1");
    record_unset(&r, client, 1);
    then_field_is(client, "::1");
    record_unset(&r, client, 0);
    then_field_is_missing(client);
    assert_int_equal(r.nvalues, 2);
    assert_true(slice_is(r.values[1].name, "b"));
}

static void
a_part_gives_way_to_a_field_of_its_own(void **state)
{
    (void)state;
    record_set(&r, client, VALUE_TEXT, SLICE("static"));
    record_mark(&r);
    record_set_part(&r, status, 2, VALUE_TEXT, SLICE("deep"));
    then_field_is(status, "deep");
    record_set_part(&r, status, 1, VALUE_TEXT, SLICE("less"));
    record_set_part(&r, status, 2, VALUE_TEXT, SLICE("deep"));
    then_field_is(status, "less");
    record_set(&r, status, VALUE_TEXT, SLICE("own"));
    record_set_part(&r, status, 1, VALUE_TEXT, SLICE("less"));
    then_field_is(status, "own");
    record_set_part(&r, client, 1, VALUE_TEXT, SLICE("newer"));
    then_field_is(client, "newer");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(body_and_raw_are_parts_of_the_line),
        TEST(an_empty_line_has_an_empty_body),
        TEST(the_offset_is_given_in_decimal),
        TEST(time_is_missing_until_it_is_set),
        TEST(a_field_called_time_stands_in_until_the_time_is_known),
        TEST(no_field_hides_the_body),
        TEST(constants_stay_from_line_to_line),
        TEST(a_field_takes_the_place_of_a_constant),
        TEST(what_the_line_calls_so_does_not),
        TEST(fields_are_gone_with_the_next_line),
        TEST(a_field_that_is_set_again_keeps_its_place),
        TEST(a_name_from_the_line_reaches_the_numbered_field),
        TEST(an_unasked_name_stands_once_too),
        TEST(fields_over_the_limit_are_left_out),
        TEST(for_what_the_configuration_mentions_there_is_always_room),
        TEST(names_of_one_hash_are_two_fields),
        TEST(unnumbered_fields_may_be_unwanted),
        TEST(rolling_back_restores_what_was_there),
        TEST(a_field_can_be_unset_if_it_is_newer_than_the_mark),
        TEST(a_part_gives_way_to_a_field_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
