/* test_json.c - members of objects become fields; what is no object becomes none.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/json.h"
#include "tests/unit/parsers/parsing.h"

extern const struct parser_type json_parser_type;

static void
members_become_fields_of_their_kind(void **state)
{
    (void)state;
    when_loaded(&json_parser_type);
    assert_int_equal(parse(SLICE(" { \"s\" : \"text\" , \"n\": -1.50e+3,\"t\":true,\"f\":false,"
                                 "\"o\":{ \"a\": [1] },\"l\":[ ],\"e\":\"\" }\r\n\t ")), 0);
    assert_int_equal(rec.nvalues, 7);
    then_field_is("s", "text");
    then_field("n", VALUE_NUMBER, SLICE("-1.50e+3"));
    then_field("t", VALUE_BOOL, SLICE("true"));
    then_field("f", VALUE_BOOL, SLICE("false"));
    then_field("o", VALUE_JSON, SLICE("{ \"a\": [1] }"));
    then_field("l", VALUE_JSON, SLICE("[ ]"));
    then_field_is("e", "");
    assert_int_equal(parse(SLICE("{}")), 0);
    assert_int_equal(rec.nvalues, 0);
}

static void
numbers_keep_their_digits(void **state)
{
    static const char *const numbers[] = {
        "0", "-0", "0.0", "10", "123456789012345678901234567890", "1e400", "1E-5", "0.1e+07",
        "-12.5E10",
    };

    (void)state;
    when_loaded(&json_parser_type);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char line[80];

        snprintf(line, sizeof line, "{\"n\":%s}", numbers[i]);
        assert_int_equal(parse(slice_of(line)), 0);
        then_field("n", VALUE_NUMBER, slice_of(numbers[i]));
    }
}

static void
what_is_no_number_is_refused(void **state)
{
    static const char *const numbers[] = {
        "-", "01", "-01", "1.", ".5", "1e", "1e+", "+1", "0x10", "1.e5", "NaN", "Infinity",
        "-Infinity", "1_000", "1 2", "00", "1,", "tru", "nul", "True", "falsee",
    };

    (void)state;
    when_loaded(&json_parser_type);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char line[80];

        snprintf(line, sizeof line, "{\"n\":%s}", numbers[i]);
        then_refused(slice_of(line), "broken JSON");
        snprintf(line, sizeof line, "{\"a\":[{\"n\":%s}]}", numbers[i]);
        then_refused(slice_of(line), "broken JSON");
    }
}

static void
null_is_a_missing_field(void **state)
{
    (void)state;
    given_asked("a", NULL);
    when_loaded(&json_parser_type);
    assert_int_equal(parse(SLICE("{\"a\":null,\"b\":null,\"c\":[null]}")), 0);
    assert_int_equal(rec.nvalues, 1);
    then_field("c", VALUE_JSON, SLICE("[null]"));
}

static void
strings_lose_their_escapes(void **state)
{
    (void)state;
    given_asked("k\n", NULL);
    when_loaded(&json_parser_type);
    assert_int_equal(parse(SLICE("{\"s\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"k\\u000a\":\"\\u0000x\","
                                 "\"u\":\"\\u00e9\\u20AC\\ud83d\\uDE00\"}")), 0);
    then_field_is("s", "\"\\/\b\f\n\r\t");
    then_field("k\n", VALUE_TEXT, SLICE("\0x"));
    then_field_is("u", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

static void
a_lone_surrogate_is_a_replacement_character(void **state)
{
    (void)state;
    when_loaded(&json_parser_type);
    assert_int_equal(parse(SLICE("{\"a\":\"\\ud800x\",\"b\":\"\\udc00\\ud800\","
                                 "\"c\":\"\\ud800\\n\",\"d\":\"\\ud800\\u0041\","
                                 "\"e\":\"\\ud800\\ud83d\\ude00\"}")), 0);
    then_field_is("a", "\xef\xbf\xbdx");
    then_field_is("b", "\xef\xbf\xbd\xef\xbf\xbd");
    then_field_is("c", "\xef\xbf\xbd\n");
    then_field_is("d", "\xef\xbf\xbd" "A");
    then_field_is("e", "\xef\xbf\xbd\xf0\x9f\x98\x80");
}

static void
bad_strings_are_refused(void **state)
{
    static const char *const strings[] = {
        "\"\\x41\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\\"", "\"\\", "\"", "\"\t\"", "\"a\nb\"",
        "\"\\u\"", "'a'", "\"long enough for eight bytes and \x01 behind them\"", "\"\\U0041\"",
    };

    (void)state;
    when_loaded(&json_parser_type);
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        char line[100];

        snprintf(line, sizeof line, "{\"s\":%s}", strings[i]);
        then_refused(slice_of(line), "broken JSON");
        snprintf(line, sizeof line, "{%s:1}", strings[i]);
        then_refused(slice_of(line), "broken JSON");
    }
}

static void
bytes_that_are_not_utf8_are_taken_as_they_are(void **state)
{
    (void)state;
    when_loaded(&json_parser_type);
    assert_int_equal(parse(SLICE("{\"s\":\"\xff\xc3\",\"\xfe\":1}")), 0);
    then_field("s", VALUE_TEXT, SLICE("\xff\xc3"));
    then_field("\xfe", VALUE_NUMBER, SLICE("1"));
}

static void
what_is_no_object_is_refused(void **state)
{
    static const char *const others[] = { "", " ", "[1]", "\"a\"", "1", "null", "plain text",
                                          "\xef\xbb\xbf{}" };

    (void)state;
    when_loaded(&json_parser_type);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        then_refused(slice_of(others[i]), "not a JSON object");
}

static void
broken_objects_are_refused_wherever_they_break(void **state)
{
    static const char *const others[] = {
        "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{a:1}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}", "{\"a\":[1}", "{\"a\":[1,]}", "{\"a\":[,1]}", "{\"a\":{\"b\":}}",
        "{\"a\":[1 2]}", "{\"a\":{\"b\":1,}}", "{\"a\":[}]}", "{\"a\":{]}}", "{\"a\":[[[[1]]]}",
        "{\"a\":{\"b\":{\"c\":1}}", "{\"a\":}", "{\"a\"}", "{\"a\":{\"b\"", "{\"a\":[", "{1:2}",
        "{\"a\":{,}}", "{\"a\":1,,\"b\":2}", "{\"a\"::1}", "{\"a\":{\"b\":1]}",
    };

    (void)state;
    given_asked("a", "a.b", NULL);
    when_loaded(&json_parser_type);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        then_refused(slice_of(others[i]), "broken JSON");
    then_refused(SLICE("{\"a\":1}x"), "text behind the JSON object");
    then_refused(SLICE("{\"a\":1} {}"), "text behind the JSON object");
    then_refused(SLICE("{}\0"), "text behind the JSON object");
}

static void
a_refused_line_leaves_the_fields_that_were_there(void **state)
{
    (void)state;
    given_asked("env", "x", NULL);
    when_loaded(&json_parser_type);
    record_begin(&rec, SLICE("{\"env\":1,\"x\":2"), SLICE("{\"env\":1,\"x\":2"), 0);
    record_set_named(&rec, SLICE("env"), VALUE_TEXT, SLICE("prod"));
    assert_int_equal(parser->ops->parse(parser, &work, &rec), -1);
    assert_int_equal(rec.nvalues, 1);
    then_field_is("env", "prod");
}

static void
nesting_has_a_limit(void **state)
{
    char line[3 * JSON_MAX_DEPTH];

    (void)state;
    when_loaded(&json_parser_type);
    for (int depth = JSON_MAX_DEPTH; depth <= JSON_MAX_DEPTH + 1; depth++) {
        char *to = line + sprintf(line, "{\"a\":");

        memset(to, '[', (size_t)depth);
        memset(to + depth, ']', (size_t)depth);
        strcpy(to + 2 * depth, "}");
        if (depth == JSON_MAX_DEPTH)
            assert_int_equal(parse(slice_of(line)), 0);
        else
            then_refused(slice_of(line), "broken JSON");
    }
}

static void
objects_and_arrays_may_mix_to_any_depth(void **state)
{
    char  line[100 * 12];
    char *to = line + sprintf(line, "{\"a\":");

    (void)state;
    when_loaded(&json_parser_type);
    for (int i = 0; i < 100; i++)
        to += sprintf(to, "[{\"b\":");
    to += sprintf(to, "1");
    for (int i = 0; i < 100; i++)
        to += sprintf(to, "}]");
    strcpy(to, "}");
    assert_int_equal(parse(slice_of(line)), 0);
    to[-1] = '}';
    then_refused(slice_of(line), "broken JSON");
}

static void
a_name_with_dots_reaches_what_is_nested(void **state)
{
    (void)state;
    given_asked("a.b", "a.c.d", "x", "a.c", NULL);
    when_loaded_for_asked(&json_parser_type);
    assert_int_equal(parse(SLICE("{\"y\":{\"b\":0},\"a\":{\"z\":[{\"b\":0}],\"b\":1.0,"
                                 "\"c\":{\"d\":\"\\n\"}}}")), 0);
    assert_int_equal(rec.nvalues, 3);
    then_field("a.b", VALUE_NUMBER, SLICE("1.0"));
    then_field_is("a.c.d", "\n");
    then_field("a.c", VALUE_JSON, SLICE("{\"d\":\"\\n\"}"));
    assert_int_equal(parse(SLICE("{\"a\":[{\"b\":1}]}")), 0);
    assert_int_equal(rec.nvalues, 0);
}

static void
names_may_hold_dots_themselves_and_the_longer_name_counts(void **state)
{
    static const char *const lines[] = {
        "{\"a.b.c\":\"long\",\"a\":{\"b\":{\"c\":1}},\"a.b\":{\"c\":2}}",
        "{\"a\":{\"b\":{\"c\":1}},\"a.b\":{\"c\":2},\"a.b.c\":\"long\"}",
        "{\"a.b\":{\"c\":2},\"a.b.c\":\"long\",\"a\":{\"b.c\":1}}",
    };

    (void)state;
    given_asked("a.b.c", NULL);
    when_loaded_for_asked(&json_parser_type);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(parse(slice_of(lines[i])), 0);
        then_field_is("a.b.c", "long");
    }
    assert_int_equal(parse(SLICE("{\"a\":{\"b\":{\"c\":1}},\"a.b\":{\"c\":\"x\"}}")), 0);
    then_field_is("a.b.c", "x");
    assert_int_equal(parse(SLICE("{\"a.b\":{\"c\":\"x\"},\"a\":{\"b\":{\"c\":1}}}")), 0);
    then_field_is("a.b.c", "x");
    assert_int_equal(parse(SLICE("{\"a\":{\"b.c\":\"y\"}}")), 0);
    then_field_is("a.b.c", "y");
}

static void
of_two_members_with_one_name_the_last_counts(void **state)
{
    (void)state;
    given_asked("a", "o.x", "o.y", NULL);
    when_loaded(&json_parser_type);
    assert_int_equal(parse(SLICE("{\"a\":1,\"u\":1,\"o\":{\"x\":1},\"a\":2,\"u\":2,"
                                 "\"o\":{\"y\":2}}")), 0);
    then_field("a", VALUE_NUMBER, SLICE("2"));
    then_field("u", VALUE_NUMBER, SLICE("2"));
    then_field("o", VALUE_JSON, SLICE("{\"y\":2}"));
    then_field("o.y", VALUE_NUMBER, SLICE("2"));
    then_field_is_missing("o.x");
    assert_int_equal(parse(SLICE("{\"a\":1,\"u\":1,\"o\":{\"x\":1},\"u\":null,\"a\":null,"
                                 "\"o\":3}")), 0);
    assert_int_equal(rec.nvalues, 1);
    then_field("o", VALUE_NUMBER, SLICE("3"));
}

static void
how_a_line_is_written_changes_nothing(void **state)
{
    static const char *const texts[] = {
        "{\"a\":\"x\\\"y\",\"n\":[1,{\"a\":\"\\\\\"}],\"o\":{\"x\":-0.5e3,\"y\":\"\\\\\"},"
        "\"z\":true}",
        "{ \"a\":\"x\\\"y\", \"n\":[1, {\"a\":\"\\\\\"}],\"o\":{\"x\": -0.5e3,\"y\":\"\\\\\"},"
        "\"z\":true} ",
        "{\"\\u0061\":\"x\\u0022y\",\"n\":[1,{\"a\":\"\\\\\"}],\"o\":{\"x\":-0.5e3,\"y\":\"\\\\\"},"
        "\"z\":true}",
    };

    (void)state;
    given_asked("a", "o.x", "o.y", NULL);
    when_loaded(&json_parser_type);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(parse(slice_of(texts[i])), 0);
        then_field("a", VALUE_TEXT, SLICE("x\"y"));
        then_field("o.x", VALUE_NUMBER, SLICE("-0.5e3"));
        then_field("o.y", VALUE_TEXT, SLICE("\\"));
        then_field("z", VALUE_BOOL, SLICE("true"));
    }
}

/* Escapes at every place of the blocks that are looked at together. */
static void
a_quote_behind_backslashes_ends_a_string_or_not(void **state)
{
    char text[200];

    (void)state;
    given_asked("b", NULL);
    when_loaded(&json_parser_type);
    for (int pad = 0; pad < 70; pad++)
        for (int backslashes = 0; backslashes < 6; backslashes++) {
            snprintf(text, sizeof text, "{\"a\":\"%.*s%.*s%s\",\"b\":\"%.*s\"}", pad,
                     "......................................................................",
                     backslashes, "\\\\\\\\\\\\\\", backslashes % 2 == 1 ? "\"" : "", pad / 2,
                     "......................................................................");
            assert_int_equal(parse(slice_of(text)), 0);
            assert_int_equal(field("b")->text.len, pad / 2);
            assert_int_equal(field("a")->text.len, pad + (backslashes + 1) / 2);
        }
}

static void
a_part_is_marked_as_such(void **state)
{
    (void)state;
    given_asked("a.b", NULL);
    when_loaded(&json_parser_type);
    assert_int_equal(parse(SLICE("{\"a\":{\"b\":1}}")), 0);
    assert_int_equal(rec.nvalues, 2);
    assert_int_equal(field("a.b")->depth, 1);
    assert_int_equal(field("a")->depth, 0);
}

static void
what_nobody_asks_for_is_not_kept_but_checked(void **state)
{
    (void)state;
    given_asked("a", NULL);
    when_loaded_for_asked(&json_parser_type);
    assert_int_equal(parse(SLICE("{\"b\":\"\\n\",\"a\":1,\"c\":[1,{\"a\":2}]}")), 0);
    assert_int_equal(rec.nvalues, 1);
    then_field("a", VALUE_NUMBER, SLICE("1"));
    then_refused(SLICE("{\"a\":1,\"b\":\"\\x\"}"), "broken JSON");
}

static void
more_fields_than_there_is_room_for_are_refused_not_lost(void **state)
{
    static char line[RECORD_MAX_FIELDS * 16];
    char       *to = line;

    (void)state;
    when_loaded(&json_parser_type);
    for (int i = 0; i < RECORD_MAX_FIELDS; i++)
        to += sprintf(to, "%c\"f%d\":%d", i == 0 ? '{' : ',', i, i);
    strcpy(to, "}");
    assert_int_equal(parse(slice_of(line)), 0);
    assert_int_equal(rec.nvalues, RECORD_MAX_FIELDS);
    strcpy(to, ",\"one more\":1}");
    then_refused(slice_of(line), "too many fields");
}

static void
a_field_may_be_parsed_instead_of_the_body(void **state)
{
    (void)state;
    given("field", "inner");
    when_loaded(&json_parser_type);
    record_begin(&rec, SLICE("outer"), SLICE("outer"), 0);
    record_set_named(&rec, SLICE("inner"), VALUE_TEXT, SLICE("{\"a\":\"x\"}"));
    assert_int_equal(parser->ops->parse(parser, &work, &rec), 0);
    then_field_is("a", "x");
    then_refused(SLICE("{\"a\":1}"), "the field to parse is missing");
}

static void
a_member_becomes_the_time(void **state)
{
    struct node *map = tree_entry(&tree, conf, "time", NODE_MAP, NULL);

    (void)state;
    tree_entry(&tree, map, "field", NODE_SCALAR, "event.at");
    tree_entry(&tree, map, "format", NODE_SCALAR, "epoch_ms");
    when_loaded_for_asked(&json_parser_type);
    assert_int_equal(parse(SLICE("{\"event\":{\"at\":1728568416123}}")), 0);
    assert_true(rec.has_time);
    assert_int_equal(rec.time_ms, 1728568416123);
    assert_int_equal(parse(SLICE("{\"event\":{\"at\":\"soon\"}}")), -1);
    assert_string_equal(work.reason, "bad time");
    assert_false(rec.has_time);
}

static void
settings_are_checked(void **state)
{
    (void)state;
    given("feild", "x");
    then_wrong(&json_parser_type, 2, 3, "did you mean 'field'?");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(members_become_fields_of_their_kind),
        TEST(numbers_keep_their_digits),
        TEST(what_is_no_number_is_refused),
        TEST(null_is_a_missing_field),
        TEST(strings_lose_their_escapes),
        TEST(a_lone_surrogate_is_a_replacement_character),
        TEST(bad_strings_are_refused),
        TEST(bytes_that_are_not_utf8_are_taken_as_they_are),
        TEST(what_is_no_object_is_refused),
        TEST(broken_objects_are_refused_wherever_they_break),
        TEST(a_refused_line_leaves_the_fields_that_were_there),
        TEST(nesting_has_a_limit),
        TEST(objects_and_arrays_may_mix_to_any_depth),
        TEST(a_name_with_dots_reaches_what_is_nested),
        TEST(names_may_hold_dots_themselves_and_the_longer_name_counts),
        TEST(of_two_members_with_one_name_the_last_counts),
        TEST(how_a_line_is_written_changes_nothing),
        TEST(a_quote_behind_backslashes_ends_a_string_or_not),
        TEST(a_part_is_marked_as_such),
        TEST(what_nobody_asks_for_is_not_kept_but_checked),
        TEST(more_fields_than_there_is_room_for_are_refused_not_lost),
        TEST(a_field_may_be_parsed_instead_of_the_body),
        TEST(a_member_becomes_the_time),
        TEST(settings_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
