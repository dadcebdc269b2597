/* test_cri.c - lines of containerd and CRI-O.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit/parsers/frames.h"

extern const struct parser_type cri_parser_type;

#define TIME "2016-10-06T00:17:09.669794202Z"

static int
set_up(void **state)
{
    (void)state;
    frames_set_up(&cri_parser_type);
    return 0;
}

/* The examples of the CRI's design document, "kubelet-cri-logging". */
static void
the_examples_of_the_specification_are_read(void **state)
{
    (void)state;
    WHEN_LINE("2016-10-06T00:17:09.669794202Z stdout P log content 1");
    THEN_FRAME("log content 1", STREAM_STDOUT, true);
    assert_true(f.has_time);
    assert_int_equal(f.time_ms, 1475713029669);
    WHEN_LINE("2016-10-06T00:17:09.669794203Z stderr F log content 2");
    THEN_FRAME("log content 2", STREAM_STDERR, false);
    WHEN_LINE("2016-10-06T00:17:10.113242941Z stdout F:TAG2 log content 3");
    THEN_FRAME("log content 3", STREAM_STDOUT, false);
    assert_int_equal(f.time_ms, 1475713030113);
    assert_null(f.trouble);
}

static void
the_text_is_kept_byte_for_byte(void **state)
{
    (void)state;
    WHEN_LINE(TIME " stdout F  two blanks \r");
    THEN_FRAME(" two blanks \r", STREAM_STDOUT, false);
    WHEN_LINE(TIME " stdout F \0\xff");
    THEN_FRAME("\0\xff", STREAM_STDOUT, false);
}

static void
an_empty_text_is_a_text(void **state)
{
    (void)state;
    WHEN_LINE(TIME " stdout F ");
    THEN_FRAME("", STREAM_STDOUT, false);
    assert_non_null(f.body.ptr);
    WHEN_LINE(TIME " stdout F");
    THEN_FRAME("", STREAM_STDOUT, false);
    WHEN_LINE(TIME " stderr P:x:y");
    THEN_FRAME("", STREAM_STDERR, true);
}

static void
times_of_other_zones_and_widths_are_read(void **state)
{
    (void)state;
    WHEN_LINE("2016-10-06T02:17:09.669794202+02:00 stdout F x");
    assert_int_equal(f.time_ms, 1475713029669);
    WHEN_LINE("2016-10-05T17:17:09.66-07:00 stdout F x");
    assert_int_equal(f.time_ms, 1475713029660);
    WHEN_LINE("2016-10-06T00:17:09Z stdout F x");
    assert_int_equal(f.time_ms, 1475713029000);
    THEN_FRAME("x", STREAM_STDOUT, false);
}

static void
a_time_that_cannot_be_is_trouble_and_the_text_is_there(void **state)
{
    (void)state;
    WHEN_LINE("2016-02-30T00:17:09Z stdout F x");
    THEN_FRAME("x", STREAM_STDOUT, false);
    assert_false(f.has_time);
    assert_string_equal(f.trouble, "bad time");
}

static void
other_lines_are_none(void **state)
{
    static const char *const lines[] = {
        "", " ", "x", TIME, TIME " ", TIME " stdout", TIME " stdout ", TIME " stdout X a",
        TIME " stdin F a", TIME " stdoutF a", TIME "  stdout F a", TIME " stdout Fa",
        TIME " stdout  F a", "2016-10-06 00:17:09 stdout F a", "now stdout F a",
        "{\"log\":\"x\\n\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        then_no_frame(lines[i]);
}

static void
it_has_no_settings(void **state)
{
    (void)state;
    tree_entry(&tree, conf, "field", NODE_SCALAR, "x");
    assert_null(cri_parser_type.load("parser 'c'", conf, names, &errs));
    assert_int_equal(errs.count, 1);
    assert_string_equal(errs.list[0].text, "parser 'c' has no setting 'field'");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, frames_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_examples_of_the_specification_are_read),
        TEST(the_text_is_kept_byte_for_byte),
        TEST(an_empty_text_is_a_text),
        TEST(times_of_other_zones_and_widths_are_read),
        TEST(a_time_that_cannot_be_is_trouble_and_the_text_is_there),
        TEST(other_lines_are_none),
        TEST(it_has_no_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
