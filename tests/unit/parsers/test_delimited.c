/* test_delimited.c - columns become fields, in order.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit/parsers/parsing.h"

extern const struct parser_type delimited_parser_type;

static struct node *
given_names(const char *first, ...)
{
    struct node *list = tree_entry(&tree, conf, "names", NODE_LIST, NULL);
    va_list      ap;

    va_start(ap, first);
    for (const char *name = first; name != NULL; name = va_arg(ap, const char *))
        tree_element(&tree, list, name);
    va_end(ap);
    return list;
}

static void
columns_become_fields(void **state)
{
    (void)state;
    given_names("a", "b", "c", NULL);
    when_loaded(&delimited_parser_type);
    assert_int_equal(parse(SLICE("1, x ,three")), 0);
    then_field_is("a", "1");
    then_field_is("b", " x ");
    then_field_is("c", "three");
    assert_int_equal(parse(SLICE(",,")), 0);
    assert_int_equal(rec.nvalues, 3);
    then_field_is("c", "");
    assert_int_equal(parse(SLICE("\xff,\0,")), 0);
    then_field("b", VALUE_TEXT, SLICE("\0"));
}

static void
a_separator_is_any_text(void **state)
{
    static const struct {
        const char *separator, *line;
    } cases[] = {
        { ";", "a,1;b;c" }, { "\t", "a,1\tb\tc" }, { "\\t", "a,1\tb\tc" }, { " | ", "a,1 | b | c" },
        { "::", "a,1::b::c" }, { "\xe2\x82\xac", "a,1\xe2\x82\xac" "b\xe2\x82\xac" "c" },
    };
    struct node *separator = given("separator", "x");

    given_names("a", "b", "c", NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tree_text(separator, cases[i].separator);
        when_loaded(&delimited_parser_type);
        assert_int_equal(parse(slice_of(cases[i].line)), 0);
        then_field_is("a", "a,1");
        then_field_is("b", "b");
        then_field_is("c", "c");
        tear_down(state);
        set_up(state);
        separator = given("separator", "x");
        given_names("a", "b", "c", NULL);
    }
}

static void
a_column_may_stand_in_quotes(void **state)
{
    (void)state;
    given_names("a", "b", "c", NULL);
    when_loaded(&delimited_parser_type);
    assert_int_equal(parse(SLICE("\"1,2\",\"say \"\"no\"\"\",\"\"")), 0);
    then_field_is("a", "1,2");
    then_field_is("b", "say \"no\"");
    then_field_is("c", "");
    assert_int_equal(parse(SLICE("\"\"\"\",\"a\nb\",5\" x")), 0);
    then_field_is("a", "\"");
    then_field_is("b", "a\nb");
    then_field_is("c", "5\" x");
    then_refused(SLICE("1,\"2"), "a quote is not closed");
    then_refused(SLICE("1,\""), "a quote is not closed");
    then_refused(SLICE("1,\"2\"\""), "a quote is not closed");
    then_refused(SLICE("1,\"2\"3,4"), "text right behind a quote");
}

static void
quotes_may_be_plain_characters(void **state)
{
    (void)state;
    given("quote", "none");
    given("separator", "\"");
    given_names("a", "b", "c", NULL);
    when_loaded(&delimited_parser_type);
    assert_int_equal(parse(SLICE("1\"\"3")), 0);
    then_field_is("a", "1");
    then_field_is("b", "");
    then_field_is("c", "3");
}

static void
columns_that_are_missing_are_missing_fields(void **state)
{
    (void)state;
    given_names("a", "b", "c", NULL);
    when_loaded(&delimited_parser_type);
    assert_int_equal(parse(SLICE("1")), 0);
    assert_int_equal(rec.nvalues, 1);
    assert_int_equal(parse(SLICE("1,")), 0);
    assert_int_equal(rec.nvalues, 2);
    then_field_is("b", "");
    assert_int_equal(parse(SLICE("")), 0);
    assert_int_equal(rec.nvalues, 0);
}

static void
more_columns_than_names_are_refused(void **state)
{
    (void)state;
    given_names("a", "b", NULL);
    when_loaded(&delimited_parser_type);
    then_refused(SLICE("1,2,3"), "more columns than names");
    then_refused(SLICE("1,2,"), "more columns than names");
    then_refused(SLICE("1,\"2\",3"), "more columns than names");
}

static void
an_empty_name_leaves_a_column_out(void **state)
{
    (void)state;
    given_names("", "b", "", NULL);
    when_loaded(&delimited_parser_type);
    assert_int_equal(parse(SLICE("1,2,3")), 0);
    assert_int_equal(rec.nvalues, 1);
    then_field_is("b", "2");
}

static void
a_column_body_is_what_the_record_says(void **state)
{
    (void)state;
    given_names("level", "body", NULL);
    when_loaded(&delimited_parser_type);
    assert_int_equal(parse(SLICE("info,hello")), 0);
    assert_true(slice_is(rec.body, "hello"));
    assert_true(slice_is(rec.raw, "info,hello"));
    then_refused(SLICE("info,hello,you"), "more columns than names");
}

static void
what_nobody_asks_for_is_not_kept(void **state)
{
    (void)state;
    given_names("a", "b", NULL);
    given_asked("b", NULL);
    when_loaded_for_asked(&delimited_parser_type);
    assert_int_equal(parse(SLICE("1,2")), 0);
    assert_int_equal(rec.nvalues, 1);
    then_field_is("b", "2");
}

static void
a_column_becomes_the_time(void **state)
{
    struct node *map = tree_entry(&tree, conf, "time", NODE_MAP, NULL);

    (void)state;
    tree_entry(&tree, map, "field", NODE_SCALAR, "at");
    tree_entry(&tree, map, "format", NODE_SCALAR, "iso8601");
    given("field", "inner");
    given_names("n", "at", NULL);
    when_loaded_for_asked(&delimited_parser_type);
    record_begin(&rec, SLICE("x"), SLICE("x"), 0);
    record_set_named(&rec, SLICE("inner"), VALUE_TEXT, SLICE("1,2024-10-10 13:53:36Z"));
    assert_int_equal(parser->ops->parse(parser, &work, &rec), 0);
    assert_int_equal(rec.time_ms, 1728568416000);
}

static void
settings_are_checked(void **state)
{
    struct node *separator, *list;

    (void)state;
    then_wrong(&delimited_parser_type, 1, 1, "'names'");
    separator = given("separator", "");
    list = given_names("a", "b", NULL);
    then_wrong(&delimited_parser_type, 2, 10, "must not be empty");
    tree_text(separator, "\"");
    then_wrong(&delimited_parser_type, 2, 10, "quote: none");
    tree_text(separator, ",");
    tree_element(&tree, list, "a");
    then_wrong(&delimited_parser_type, 3, 10, "'a' stands twice");
    tree_text(list->first, "raw");
    then_wrong(&delimited_parser_type, 3, 10, "'raw'");
    tree_text(list->first, "parse.error");
    then_wrong(&delimited_parser_type, 3, 10, "'parse.error'");
    list->first = NULL;
    then_wrong(&delimited_parser_type, 3, 3, "needs a value for 'names'");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(columns_become_fields),
        TEST(a_separator_is_any_text),
        TEST(a_column_may_stand_in_quotes),
        TEST(quotes_may_be_plain_characters),
        TEST(columns_that_are_missing_are_missing_fields),
        TEST(more_columns_than_names_are_refused),
        TEST(an_empty_name_leaves_a_column_out),
        TEST(a_column_body_is_what_the_record_says),
        TEST(what_nobody_asks_for_is_not_kept),
        TEST(a_column_becomes_the_time),
        TEST(settings_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
