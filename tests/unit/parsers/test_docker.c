/* test_docker.c - lines of Docker's json-file driver.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit/parsers/frames.h"

extern const struct parser_type docker_parser_type;

#define TIME "\"time\":\"2016-10-06T00:17:09.669794202Z\""

static int
set_up(void **state)
{
    (void)state;
    frames_set_up(&docker_parser_type);
    return 0;
}

static void
a_line_ends_with_lf(void **state)
{
    (void)state;
    WHEN_LINE("{\"log\":\"hello\\n\",\"stream\":\"stdout\"," TIME "}");
    THEN_FRAME("hello", STREAM_STDOUT, false);
    assert_int_equal(f.time_ms, 1475713029669);
    assert_null(f.trouble);
    WHEN_LINE("{\"log\":\"hello\\r\\n\",\"stream\":\"stderr\"," TIME "}");
    THEN_FRAME("hello", STREAM_STDERR, false);
    WHEN_LINE("{\"log\":\"\\n\",\"stream\":\"stderr\"," TIME "}");
    THEN_FRAME("", STREAM_STDERR, false);
}

static void
a_text_without_lf_goes_on(void **state)
{
    (void)state;
    WHEN_LINE("{\"log\":\"hello\",\"stream\":\"stdout\"," TIME "}");
    THEN_FRAME("hello", STREAM_STDOUT, true);
    WHEN_LINE("{\"log\":\"a \\\\n\",\"stream\":\"stdout\"," TIME "}");     /* a backslash and n */
    THEN_FRAME("a \\n", STREAM_STDOUT, true);
    WHEN_LINE("{\"log\":\"a \\\\\\n\",\"stream\":\"stdout\"," TIME "}");
    THEN_FRAME("a \\", STREAM_STDOUT, false);
    WHEN_LINE("{\"log\":\"n\",\"stream\":\"stdout\"," TIME "}");
    THEN_FRAME("n", STREAM_STDOUT, true);
}

static void
escapes_are_undone(void **state)
{
    (void)state;
    WHEN_LINE("{\"log\":\"\\\"a\\\" \\\\ \\/\\b\\f\\t\\r.\\u003cb\\u003E\\u00e9\\u20ac\\n\","
              TIME "}");
    THEN_FRAME("\"a\" \\ /\b\f\t\r.<b>\xc3\xa9\xe2\x82\xac", STREAM_STDOUT, false);
    WHEN_LINE("{\"log\":\"\\ud83d\\ude00\\n\"," TIME "}");
    THEN_FRAME("\xf0\x9f\x98\x80", STREAM_STDOUT, false);
    WHEN_LINE("{\"log\":\"\\u0000\\n\"," TIME "}");
    THEN_FRAME("\0", STREAM_STDOUT, false);
}

static void
half_a_character_is_replaced(void **state)
{
    (void)state;
    WHEN_LINE("{\"log\":\"\\ud83d \\ude00 \\ud83d\\u0041\\n\"," TIME "}");
    THEN_FRAME("\xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd" "A", STREAM_STDOUT, false);
}

static void
bytes_that_are_not_utf8_pass(void **state)
{
    (void)state;
    WHEN_LINE("{\"log\":\"\xff\x80\\n\"," TIME "}");
    THEN_FRAME("\xff\x80", STREAM_STDOUT, false);
}

static void
order_and_blanks_do_not_matter(void **state)
{
    (void)state;
    WHEN_LINE("{ " TIME ", \"x\" : [1, {\"y\": \"}\"}], \"stream\": \"stderr\" ,"
              "\"log\" :\"a\\n\" }\r");
    THEN_FRAME("a", STREAM_STDERR, false);
}

static void
a_time_that_cannot_be_is_trouble(void **state)
{
    (void)state;
    WHEN_LINE("{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"yesterday\"}");
    THEN_FRAME("a", STREAM_STDOUT, false);
    assert_false(f.has_time);
    assert_string_equal(f.trouble, "bad time");
    WHEN_LINE("{\"log\":\"a\\n\",\"stream\":\"stdout\"}");
    assert_string_equal(f.trouble, "bad time");
}

static void
attributes_become_fields(void **state)
{
    struct record r;
    struct slice  text;

    (void)state;
    record_init(&r, names);
    record_begin(&r, SLICE("x"), SLICE("x"), 0);
    WHEN_LINE("{\"log\":\"a\\n\",\"attrs\":{\"tag\":\"web\",\"n\":1,\"q\\\"\":\"\\u0041\"},"
              TIME "}");
    parser->framing->attributes(parser, &work, f.attributes, &r);
    assert_int_equal(r.nvalues, 2);
    assert_true(slice_is(r.values[0].name, "attrs.tag"));
    assert_true(slice_is(r.values[0].text, "web"));
    assert_true(slice_is(r.values[1].name, "attrs.q\""));
    text = r.values[1].text;
    assert_true(slice_is(text, "A"));
    record_fini(&r);
}

static void
other_lines_are_none(void **state)
{
    static const char *const lines[] = {
        "", "x", "{", "{}", "{\"log\":\"a\\n\"", "{\"log\":\"a\\n\"}x", "{\"log\":1}",
        "{\"log\":\"a", "{\"log\":\"a\\x\"}", "{\"log\":\"a\\u12\"}",
        "{\"log\":\"a\\n\",\"stream\":\"x\"}", "{\"stream\":\"stdout\"}", "{\"log\":\"a\\n\",}",
        "{\"log\":\"a\\n\",\"x\":}", "{\"log\":\"a\\n\",\"x\":[1}", "[\"log\"]",
        "2016-10-06T00:17:09.669794202Z stdout F x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        then_no_frame(lines[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, frames_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_ends_with_lf),
        TEST(a_text_without_lf_goes_on),
        TEST(escapes_are_undone),
        TEST(half_a_character_is_replaced),
        TEST(bytes_that_are_not_utf8_pass),
        TEST(order_and_blanks_do_not_matter),
        TEST(a_time_that_cannot_be_is_trouble),
        TEST(attributes_become_fields),
        TEST(other_lines_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
