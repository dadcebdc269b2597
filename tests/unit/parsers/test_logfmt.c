/* test_logfmt.c - pairs become fields; a text without pairs becomes none.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit/parsers/parsing.h"

extern const struct parser_type logfmt_parser_type;

static void
pairs_become_fields(void **state)
{
    (void)state;
    when_loaded(&logfmt_parser_type);
    assert_int_equal(parse(SLICE(" level=info\tmsg=\"hello = world\"  path=/a?b=c n=1 tls e= "
                                 "q=\"\" ")), 0);
    assert_int_equal(rec.nvalues, 7);
    then_field_is("level", "info");
    then_field_is("msg", "hello = world");
    then_field_is("path", "/a?b=c");
    then_field_is("n", "1");
    then_field("tls", VALUE_BOOL, SLICE("true"));
    then_field_is("e", "");
    then_field_is("q", "");
}

static void
quoted_values_lose_their_escapes(void **state)
{
    (void)state;
    when_loaded(&logfmt_parser_type);
    assert_int_equal(parse(SLICE("a=\"\\\"\\\\\\n\\t\\r\\b\\f\\/\\a\\v\\'\" "
                                 "u=\"\\u00e9\\ud83d\\ude00\" x=\"\\x1b\\xFf\" "
                                 "odd=\"\\q\\x1\\u12\\xzz\\\\\"")), 0);
    then_field_is("a", "\"\\\n\t\r\b\f/\a\v'");
    then_field_is("u", "\xc3\xa9\xf0\x9f\x98\x80");
    then_field("x", VALUE_TEXT, SLICE("\x1b\xff"));
    then_field_is("odd", "\\q\\x1\\u12\\xzz\\");
}

static void
quotes_inside_are_plain(void **state)
{
    (void)state;
    when_loaded(&logfmt_parser_type);
    assert_int_equal(parse(SLICE("a=b\"c d\"=1 e==\"")), 0);
    then_field_is("a", "b\"c");
    then_field_is("d\"", "1");
    then_field_is("e", "=\"");
}

/* As Go's slog.TextHandler writes them. */
static void
keys_in_quotes_are_keys(void **state)
{
    (void)state;
    given_asked("my key", NULL);
    when_loaded(&logfmt_parser_type);
    assert_int_equal(parse(SLICE("level=INFO \"my key\"=1 \"a=b\"=x \"grp.q\\\"k\"=\"t u\" "
                                 "\"e\"=")), 0);
    then_field_is("my key", "1");
    then_field_is("a=b", "x");
    then_field_is("grp.q\"k", "t u");
    then_field_is("e", "");
    assert_int_equal(rec.nvalues, 5);
}

static void
of_two_pairs_with_one_key_the_last_counts(void **state)
{
    (void)state;
    given_asked("a", NULL);
    when_loaded(&logfmt_parser_type);
    assert_int_equal(parse(SLICE("a=1 b=1 a=2 b")), 0);
    assert_int_equal(rec.nvalues, 2);
    then_field_is("a", "2");
    then_field("b", VALUE_BOOL, SLICE("true"));
}

static void
what_is_not_logfmt_is_refused(void **state)
{
    (void)state;
    when_loaded(&logfmt_parser_type);
    then_refused(SLICE(""), "no key=value pair");
    then_refused(SLICE("  "), "no key=value pair");
    then_refused(SLICE("a plain sentence"), "no key=value pair");
    then_refused(SLICE("a=1 =b"), "a pair without key");
    then_refused(SLICE("a=1 ="), "a pair without key");
    then_refused(SLICE("a=1 b=\"c"), "a quote is not closed");
    then_refused(SLICE("a=1 b=\""), "a quote is not closed");
    then_refused(SLICE("a=1 b=\"\\"), "a quote is not closed");
    then_refused(SLICE("a=1 b=\"\\\""), "a quote is not closed");
    then_refused(SLICE("a=\"b\"c d=1"), "text right behind a quote");
    then_refused(SLICE("a=1 \"b\""), "a key in quotes without a value");
    then_refused(SLICE("a=1 \"b c\" d=1"), "a key in quotes without a value");
    then_refused(SLICE("a=1 \"b=1"), "a quote is not closed");
    then_refused(SLICE("a=1 \"\"=1"), "a pair without key");
}

static void
any_byte_may_be_in_a_value(void **state)
{
    (void)state;
    when_loaded(&logfmt_parser_type);
    assert_int_equal(parse(SLICE("a=\xff\xfe b=\"\0\x01\"")), 0);
    then_field("a", VALUE_TEXT, SLICE("\xff\xfe"));
    then_field("b", VALUE_TEXT, SLICE("\0\x01"));
}

static void
keys_may_hold_dots(void **state)
{
    (void)state;
    given_asked("http.status", "http.method", NULL);
    when_loaded_for_asked(&logfmt_parser_type);
    assert_int_equal(parse(SLICE("http.status=200 http=x http.method.x=GET http.metho=1")), 0);
    assert_int_equal(rec.nvalues, 1);
    then_field_is("http.status", "200");
}

static void
what_nobody_asks_for_is_not_kept_but_checked(void **state)
{
    (void)state;
    given_asked("a", NULL);
    when_loaded_for_asked(&logfmt_parser_type);
    assert_int_equal(parse(SLICE("x=\"\\n\" a=1 y z=3")), 0);
    assert_int_equal(rec.nvalues, 1);
    then_field_is("a", "1");
    then_refused(SLICE("a=1 b=\"c"), "a quote is not closed");
}

static void
more_fields_than_there_is_room_for_are_refused_not_lost(void **state)
{
    static char line[RECORD_MAX_FIELDS * 16];
    char       *to = line;

    (void)state;
    when_loaded(&logfmt_parser_type);
    for (int i = 0; i < RECORD_MAX_FIELDS; i++)
        to += sprintf(to, "f%d=%d ", i, i);
    assert_int_equal(parse(slice_of(line)), 0);
    strcpy(to, "more=1");
    then_refused(slice_of(line), "too many fields");
}

static void
a_value_becomes_the_time(void **state)
{
    struct node *map = tree_entry(&tree, conf, "time", NODE_MAP, NULL);

    (void)state;
    tree_entry(&tree, map, "field", NODE_SCALAR, "ts");
    tree_entry(&tree, map, "format", NODE_SCALAR, "iso8601");
    given("field", "inner");
    when_loaded(&logfmt_parser_type);
    record_begin(&rec, SLICE("x"), SLICE("x"), 0);
    record_set_named(&rec, SLICE("inner"), VALUE_TEXT, SLICE("ts=2024-10-10T13:53:36.123Z"));
    assert_int_equal(parser->ops->parse(parser, &work, &rec), 0);
    assert_int_equal(rec.time_ms, 1728568416123);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pairs_become_fields),
        TEST(quoted_values_lose_their_escapes),
        TEST(quotes_inside_are_plain),
        TEST(keys_in_quotes_are_keys),
        TEST(of_two_pairs_with_one_key_the_last_counts),
        TEST(what_is_not_logfmt_is_refused),
        TEST(any_byte_may_be_in_a_value),
        TEST(keys_may_hold_dots),
        TEST(what_nobody_asks_for_is_not_kept_but_checked),
        TEST(more_fields_than_there_is_room_for_are_refused_not_lost),
        TEST(a_value_becomes_the_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
