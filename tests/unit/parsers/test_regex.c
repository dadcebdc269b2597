/* test_regex.c - named groups become fields, and one of them the time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "agent/flow/parser.h"
#include "tests/unit/trees.h"

enum { MAX_GROUPS = 20 };

#define ACCESS                                                                           \
    "^(?<client>\\S+) \\S+ (?<user>\\S+) \\[(?<time>[^\\]]+)\\] \"(?<method>[A-Z]+) "    \
    "(?<path>\\S+)[^\"]*\" (?<status>\\d+)(?: (?<size>\\d+))?"
#define LINE "203.0.113.7 - alice [10/Oct/2024:13:53:36 +0000] \"GET /a?b HTTP/1.1\" 200"

extern const struct parser_type regex_parser_type;

static struct names     *names;
static struct arena      tree, arena;
static struct errors     errs;
static struct record     rec;
static struct parse_work work;
static struct parser    *parser;
static struct node      *conf;

static int
set_up(void **state)
{
    (void)state;
    names = names_new();
    names_ask_all(names);
    arena_init(&tree);
    arena_init(&arena);
    work = (struct parse_work){ .pattern = pattern_work_new(MAX_GROUPS), .arena = &arena };
    conf = tree_root_map(&tree);
    parser = NULL;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    if (parser != NULL)
        parser->ops->free(parser);
    record_fini(&rec);
    pattern_work_free(work.pattern);
    errors_fini(&errs);
    arena_fini(&arena);
    arena_fini(&tree);
    names_free(names);
    return 0;
}

static struct node *
given(const char *key, const char *text)
{
    return tree_entry(&tree, conf, key, NODE_SCALAR, text);
}

static struct node *
given_time(const char *field, const char *format)
{
    struct node *map = tree_entry(&tree, conf, "time", NODE_MAP, NULL);

    tree_entry(&tree, map, "field", NODE_SCALAR, field);
    tree_entry(&tree, map, "format", NODE_SCALAR, format);
    return map;
}

static void
when_loaded(void)
{
    parser = regex_parser_type.load("parser 'web'", conf, names, &errs);
    if (parser == NULL)
        fail_msg("%s", errs.list[0].text);
    assert_int_equal(errs.count, 0);
    record_init(&rec, names);
}

static int
parse(struct slice line)
{
    work.reason = NULL;
    record_begin(&rec, line, line, 0);
    return parser->ops->parse(parser, &work, &rec);
}

static void
then_field_is(const char *name, const char *expected)
{
    const uint32_t number = names_find(names, slice_of(name));
    struct slice   text;

    assert_int_not_equal(number, NAME_NONE);
    assert_true(record_get(&rec, number, &arena, &text));
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.ptr, expected, text.len);
}

static void
then_field_is_missing(const char *name)
{
    assert_null(record_field(&rec, names_find(names, slice_of(name))));
}

static void
then_wrong(unsigned line, unsigned column, const char *saying, const char *also)
{
    errors_fini(&errs);
    assert_null(regex_parser_type.load("parser 'web'", conf, names, &errs));
    assert_int_equal(errs.count, 1);
    assert_int_equal(errs.list[0].at.line, line);
    assert_int_equal(errs.list[0].at.column, column);
    if (strstr(errs.list[0].text, saying) == NULL || strstr(errs.list[0].text, also) == NULL)
        fail_msg("'%s' lacks '%s' or '%s'", errs.list[0].text, saying, also);
}

static void
named_groups_become_fields(void **state)
{
    (void)state;
    given("type", "regex");
    given("pattern", ACCESS);
    when_loaded();
    assert_int_equal(parser->groups, 7);
    assert_int_equal(parse(SLICE(LINE)), 0);
    then_field_is("client", "203.0.113.7");
    then_field_is("time", "10/Oct/2024:13:53:36 +0000");
    then_field_is("status", "200");
    then_field_is("body", LINE);
    assert_int_equal(rec.nvalues, 6);
    assert_true(slice_is(rec.values[1].name, "user"));
    assert_int_equal(rec.values[1].type, VALUE_TEXT);
    assert_false(rec.has_time);
}

static void
a_group_that_took_no_part_is_a_missing_field(void **state)
{
    (void)state;
    given("pattern", ACCESS);
    when_loaded();
    assert_int_equal(parse(SLICE(LINE)), 0);
    then_field_is_missing("size");
    assert_int_equal(parse(SLICE(LINE " 12")), 0);
    then_field_is("size", "12");
    assert_int_equal(parse(SLICE(LINE)), 0);
    then_field_is_missing("size");
}

static void
a_line_that_does_not_match_says_so(void **state)
{
    (void)state;
    given("pattern", ACCESS);
    when_loaded();
    assert_int_equal(parse(SLICE("")), -1);
    assert_string_equal(work.reason, "no match");
    assert_int_equal(rec.nvalues, 0);
}

static void
endless_backtracking_says_so(void **state)
{
    char line[400];

    (void)state;
    given("pattern", "^(?<a>(a+)+)$");
    when_loaded();
    memset(line, 'a', sizeof line);
    line[sizeof line - 1] = '!';
    assert_int_equal(parse((struct slice){ line, sizeof line }), -1);
    assert_string_equal(work.reason, "match limit");
}

static void
patterns_are_tried_in_order(void **state)
{
    struct node *list = tree_entry(&tree, conf, "pattern", NODE_LIST, NULL);

    (void)state;
    tree_element(&tree, list, "^(?<number>\\d+)$");
    tree_element(&tree, list, "^(?<word>\\w+)(x)(y)?$");
    tree_element(&tree, list, "^(?<other>\\w+)$");
    when_loaded();
    assert_int_equal(parser->groups, 3);
    assert_int_equal(parse(SLICE("12")), 0);
    then_field_is("number", "12");
    assert_int_equal(parse(SLICE("abx")), 0);
    then_field_is("word", "ab");
    then_field_is_missing("number");
    assert_int_equal(parse(SLICE("ab")), 0);
    then_field_is("other", "ab");
    assert_int_equal(parse(SLICE("a b")), -1);
    assert_string_equal(work.reason, "no match");
}

static void
names_that_stand_twice_take_the_one_that_matched(void **state)
{
    (void)state;
    given("pattern", "(?J)^(?:a(?<n>\\d)|b(?<n>\\d))$");
    when_loaded();
    assert_int_equal(parse(SLICE("b2")), 0);
    then_field_is("n", "2");
    assert_int_equal(parse(SLICE("a1")), 0);
    then_field_is("n", "1");
}

static void
a_field_may_be_parsed_instead_of_the_body(void **state)
{
    (void)state;
    given("pattern", "^(?<first>\\w)");
    given("field", "inner");
    when_loaded();
    record_begin(&rec, SLICE("outer"), SLICE("outer"), 0);
    record_set(&rec, names_find(names, SLICE("inner")), VALUE_TEXT, SLICE("xyz"));
    assert_int_equal(parser->ops->parse(parser, &work, &rec), 0);
    then_field_is("first", "x");
    assert_int_equal(parse(SLICE("outer")), -1);
    assert_string_equal(work.reason, "the field to parse is missing");
}

static void
a_group_body_is_what_the_record_says(void **state)
{
    (void)state;
    given("pattern", "^\\S+ (?<body>.*)$");
    when_loaded();
    assert_int_equal(parse(SLICE("head the rest")), 0);
    assert_true(slice_is(rec.body, "the rest"));
    assert_true(slice_is(rec.raw, "head the rest"));
    assert_int_equal(rec.nvalues, 0);
}

static void
any_byte_may_be_in_a_field(void **state)
{
    (void)state;
    given("pattern", "^(?<all>.*)$");
    when_loaded();
    assert_int_equal(parse(SLICE("a\0\xff")), 0);
    assert_int_equal(rec.values[0].text.len, 3);
}

static void
a_field_becomes_the_time(void **state)
{
    (void)state;
    given("pattern", ACCESS);
    given_time("time", "%d/%b/%Y:%H:%M:%S %z");
    when_loaded();
    assert_int_equal(parse(SLICE(LINE)), 0);
    assert_true(rec.has_time);
    assert_int_equal(rec.time_ms, 1728568416000);
    assert_true(slice_is(record_field(&rec, NAME_TIME)->text, "10/Oct/2024:13:53:36 +0000"));
}

static void
the_zone_holds_where_the_text_has_none(void **state)
{
    (void)state;
    given("pattern", "^(?<at>\\S+)");
    tree_entry(&tree, given_time("at", "iso8601"), "zone", NODE_SCALAR, "+02:00");
    when_loaded();
    assert_int_equal(parse(SLICE("2024-10-10T15:53:36 x")), 0);
    assert_int_equal(rec.time_ms, 1728568416000);
}

static void
a_time_that_cannot_be_says_so_and_leaves_the_fields(void **state)
{
    (void)state;
    given("pattern", "^(?<at>\\S+) (?<rest>.*)");
    given_time("at", "iso8601");
    when_loaded();
    assert_int_equal(parse(SLICE("2024-02-30 x")), -1);
    assert_string_equal(work.reason, "bad time");
    assert_false(rec.has_time);
    then_field_is("rest", "x");
    record_begin(&rec, SLICE("2024-02-30 x"), SLICE("2024-02-30 x"), 0);
    rec.has_time = true;            /* of a parser before: it is not this line's */
    assert_int_equal(parser->ops->parse(parser, &work, &rec), -1);
    assert_false(rec.has_time);
}

static void
a_record_without_the_field_has_no_time(void **state)
{
    (void)state;
    given("pattern", "^(?<at>\\d+)?x");
    given_time("at", "epoch");
    when_loaded();
    assert_int_equal(parse(SLICE("x")), 0);
    assert_false(rec.has_time);
    assert_int_equal(parse(SLICE("5x")), 0);
    assert_int_equal(rec.time_ms, 5000);
}

/* Of a parser before: its number is no text of this field. */
static void
a_time_that_is_known_already_stays(void **state)
{
    (void)state;
    given("pattern", "^(?<time>\\d+)?x");
    given_time("time", "iso8601");
    when_loaded();
    record_begin(&rec, SLICE("x"), SLICE("x"), 0);
    rec.has_time = true;
    rec.time_ms = 7;
    assert_int_equal(parser->ops->parse(parser, &work, &rec), 0);
    assert_true(rec.has_time);
    assert_int_equal(rec.time_ms, 7);
}

static void
a_missing_pattern_is_a_mistake(void **state)
{
    (void)state;
    given("field", "x");
    then_wrong(1, 1, "needs a value for 'pattern'", "parser 'web'");
    tree_entry(&tree, conf, "pattern", NODE_LIST, NULL);
    then_wrong(3, 3, "needs a value for 'pattern'", "");
}

static void
a_bad_pattern_is_named_with_its_place(void **state)
{
    struct node *pattern = given("pattern", "^(?<a>x");

    (void)state;
    then_wrong(2, 17, "parser 'web': bad regular expression", "offset 7");
    pattern->quoted = true;
    then_wrong(2, 10, "missing closing parenthesis", "offset 7");
    pattern->kind = NODE_MAP;
    then_wrong(2, 10, "a pattern is a text", "a map");
    pattern->kind = NODE_SCALAR;
    tree_text(pattern, "(?<raw>x)");
    then_wrong(2, 10, "'raw'", "group");
}

static void
a_bad_time_setting_is_named_with_its_place(void **state)
{
    struct node *map, *zone;

    (void)state;
    given("pattern", "(?<at>x)");
    map = given_time("at", "%Y-%q");
    then_wrong(5, 13, "parser 'web': time", "'%q'");
    tree_text(map->first->next, "iso");
    then_wrong(5, 10, "time format", "'iso'");
    tree_text(map->first->next, "iso8601");
    zone = tree_entry(&tree, map, "zone", NODE_SCALAR, "CET");
    then_wrong(6, 10, "UTC, local or +hh:mm", "'CET'");
    zone->key = "zoen";
    then_wrong(6, 3, "'zoen'", "did you mean 'zone'?");
    zone->key = "zone";
    zone->kind = NODE_LIST;
    then_wrong(6, 10, "'zone' is a text", "a list");
    map->first->next->next = NULL;
    map->first->key = "type";
    map->first->next->key = "feild";
    errors_fini(&errs);
    assert_null(regex_parser_type.load("parser 'web'", conf, names, &errs));
    assert_int_equal(errs.count, 4);        /* two unknown, two missing */
}

static void
an_unknown_key_is_a_mistake(void **state)
{
    (void)state;
    given("patern", "x");
    given("pattern", "x");
    then_wrong(2, 3, "'patern'", "did you mean 'pattern'?");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(named_groups_become_fields),
        TEST(a_group_that_took_no_part_is_a_missing_field),
        TEST(a_line_that_does_not_match_says_so),
        TEST(endless_backtracking_says_so),
        TEST(patterns_are_tried_in_order),
        TEST(names_that_stand_twice_take_the_one_that_matched),
        TEST(a_field_may_be_parsed_instead_of_the_body),
        TEST(a_group_body_is_what_the_record_says),
        TEST(any_byte_may_be_in_a_field),
        TEST(a_field_becomes_the_time),
        TEST(the_zone_holds_where_the_text_has_none),
        TEST(a_time_that_cannot_be_says_so_and_leaves_the_fields),
        TEST(a_record_without_the_field_has_no_time),
        TEST(a_time_that_is_known_already_stays),
        TEST(a_missing_pattern_is_a_mistake),
        TEST(a_bad_pattern_is_named_with_its_place),
        TEST(a_bad_time_setting_is_named_with_its_place),
        TEST(an_unknown_key_is_a_mistake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
