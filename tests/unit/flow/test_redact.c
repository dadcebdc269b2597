/* test_redact.c - what a route must not send is not there any more.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/flow/redact.h"
#include "tests/unit/trees.h"

static struct names        *names;
static struct arena         tree, arena;
static struct errors        errs;
static struct record        rec;
static struct pattern_work *pattern;
static struct redact_work   work;
static struct redactions    set;
static struct node         *list;

static int
set_up(void **state)
{
    (void)state;
    names = names_new();
    (void)names_intern(names, SLICE("card"));
    arena_init(&tree);
    arena_init(&arena);
    pattern = pattern_work_new(10);
    record_init(&rec, names);
    list = tree_node(&tree, NODE_LIST, NULL, (struct mark){ "a.yaml", 1, 1 });
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    redact_fini(&set);
    redact_work_fini(&work);
    memset(&work, 0, sizeof work);
    record_fini(&rec);
    pattern_work_free(pattern);
    errors_fini(&errs);
    arena_fini(&arena);
    arena_fini(&tree);
    names_free(names);
    return 0;
}

static struct node *
given(const char *text, const char *with)
{
    struct node *map = tree_add(list, tree_node(&tree, NODE_MAP, NULL, list->at));

    tree_entry(&tree, map, "pattern", NODE_SCALAR, text);
    if (with != NULL)
        tree_entry(&tree, map, "with", NODE_SCALAR, with);
    return map;
}

static void
compile(void)
{
    errors_fini(&errs);
    redact_fini(&set);
    redact_load(&set, "route: redact", list, &errs);
}

/* The record of a line; true if it was searched to its end. */
static bool
when_redacted(const char *raw, const char *body)
{
    const char *at = strstr(raw, body);

    compile();
    if (errs.count > 0)
        fail_msg("%s", errs.list[0].text);
    record_begin(&rec, slice_of(raw), slice_of(at != NULL ? at : body), 0);
    if (at != NULL)
        rec.body.len = strlen(body);
    return redact_record(&set, &rec, true, &arena, &work, pattern);
}

static void
then_is(struct slice text, const char *expected)
{
    if (!slice_is(text, expected))
        fail_msg("'%.*s' is not '%s'", SLICE_ARG(text), expected);
}

/* The body becomes this, and so does the line. */
static void
then_becomes(const char *line, const char *expected)
{
    assert_true(when_redacted(line, line));
    then_is(rec.body, expected);
    then_is(rec.raw, expected);
}

static void
then_wrong(unsigned line, unsigned column, const char *saying)
{
    compile();
    assert_int_equal(errs.count, 1);
    assert_int_equal(errs.list[0].at.line, line);
    assert_int_equal(errs.list[0].at.column, column);
    if (strstr(errs.list[0].text, saying) == NULL)
        fail_msg("'%s' lacks '%s'", errs.list[0].text, saying);
}

/* ---- Matches ---------------------------------------------------------------- */

static void
every_match_is_replaced(void **state)
{
    (void)state;
    given("[0-9]+", "#");
    then_becomes("a1bb22ccc333", "a#bb#ccc#");
    then_becomes("12", "#");
    then_becomes("", "");
    then_becomes("none", "none");
}

static void
without_with_it_says_that_something_was_here(void **state)
{
    (void)state;
    given("secret", NULL);
    then_becomes("a secret.", "a [REDACTED].");
}

static void
with_nothing_takes_it_away(void **state)
{
    (void)state;
    given(" ?secret", "");
    then_becomes("a secret secret b", "a b");
    then_becomes("secret", "");
}

static void
groups_can_be_kept(void **state)
{
    (void)state;
    given("(?<name>\\w+)=(\\w+)(!)?", "${name}:$2${2}/$0$$$3");
    then_becomes("a=b, cc=dd!", "a:bb/a=b$, cc:dddd/cc=dd!$!");
}

static void
two_digits_are_one_number(void **state)
{
    (void)state;
    given("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)", "$10$9${1}0");
    then_becomes("abcdefghij", "jia0");
}

static void
a_match_sees_what_lies_before_it(void **state)
{
    (void)state;
    given("(?<=x)y|^z|\\bw", "-");
    then_becomes("xyy zzw w", "x-y zzw -");
    given("^.", "+");       /* of the whole text only */
    then_becomes("zzz", "+zz");
}

static void
empty_matches_are_none(void **state)
{
    (void)state;
    given("x*", "-");
    then_becomes("axxb", "a-b");
    then_becomes("ab", "ab");
}

static void
a_match_may_leave_its_beginning_alone(void **state)
{
    (void)state;
    given("password=\\K\\S+", "***");
    then_becomes("password=a password=b", "password=*** password=***");
}

static void
any_byte_can_be_there(void **state)
{
    (void)state;
    given("b+", "\xff");
    compile();
    record_begin(&rec, SLICE("\0b\xfe\0bb"), SLICE("\0b\xfe\0bb"), 0);
    assert_true(redact_record(&set, &rec, true, &arena, &work, pattern));
    assert_int_equal(rec.body.len, 5);
    assert_memory_equal(rec.body.ptr, "\0\xff\xfe\0\xff", 5);
}

static void
patterns_come_one_after_the_other(void **state)
{
    (void)state;
    given("a", "bb");
    given("bbb", "c");
    then_becomes("ab", "c");
}

/* ---- Records ------------------------------------------------------------------ */

static void
fields_are_redacted_each_by_itself(void **state)
{
    (void)state;
    given("^4\\d{15}$", "card");
    compile();
    record_begin(&rec, SLICE("n=4000123412341234"), SLICE("n=4000123412341234"), 0);
    record_set_named(&rec, SLICE("card"), VALUE_TEXT, SLICE("4000123412341234"));
    record_set_named(&rec, SLICE("unasked"), VALUE_NUMBER, SLICE("4000123412341234"));
    record_set_named(&rec, SLICE("n"), VALUE_NUMBER, SLICE("4"));
    assert_true(redact_record(&set, &rec, true, &arena, &work, pattern));
    then_is(rec.body, "n=4000123412341234");
    then_is(rec.values[0].text, "card");
    then_is(rec.values[1].text, "card");
    assert_int_equal(rec.values[1].type, VALUE_TEXT);       /* no number any more */
    assert_int_equal(rec.values[2].type, VALUE_NUMBER);
}

static void
nested_json_stays_json_as_long_as_it_is(void **state)
{
    (void)state;
    given("joe", "x");
    given("17|\\}$", "*");
    compile();
    record_begin(&rec, SLICE(""), SLICE(""), 0);
    record_set_named(&rec, SLICE("card"), VALUE_JSON, SLICE("{\"a\":[\"joe\"]}"));
    record_set_named(&rec, SLICE("b"), VALUE_JSON, SLICE("[17]"));
    record_set_named(&rec, SLICE("c"), VALUE_JSON, SLICE("[\"joe\", 1]"));
    record_set_named(&rec, SLICE("d"), VALUE_JSON, SLICE("[1, 2]"));
    assert_true(redact_record(&set, &rec, true, &arena, &work, pattern));
    then_is(rec.values[0].text, "{\"a\":[\"x\"]*");
    assert_int_equal(rec.values[0].type, VALUE_TEXT);
    then_is(rec.values[1].text, "[*]");
    assert_int_equal(rec.values[1].type, VALUE_TEXT);
    then_is(rec.values[2].text, "[\"x\", 1]");
    assert_int_equal(rec.values[2].type, VALUE_JSON);
    assert_int_equal(rec.values[3].type, VALUE_JSON);
}

static void
the_raw_line_holds_the_redacted_body(void **state)
{
    (void)state;
    given("^secret", "x");      /* not where it stands in the raw line */
    assert_true(when_redacted("2024 secret\r", "secret"));
    then_is(rec.body, "x");
    then_is(rec.raw, "2024 x\r");
}

static void
the_raw_line_is_redacted_around_the_body_too(void **state)
{
    (void)state;
    given("secret", "x");
    assert_true(when_redacted("secret: a secret\r", "a secret"));
    then_is(rec.raw, "x: a x\r");
    assert_true(when_redacted("secret: none\r", "none"));
    then_is(rec.raw, "x: none\r");
}

static void
a_raw_line_that_encodes_the_body_gives_way_to_it(void **state)
{
    (void)state;
    given("\"secret\"", "x");
    assert_true(when_redacted("{\"log\":\"a \\\"secret\\\"\"}", "a \"secret\""));
    then_is(rec.body, "a x");
    then_is(rec.raw, "a x");
    assert_true(when_redacted("{\"log\":\"a \\\"word\\\"\"}", "a \"word\""));
    then_is(rec.raw, "{\"log\":\"a \\\"word\\\"\"}");
}

static void
the_next_route_gets_the_record_back(void **state)
{
    (void)state;
    given("secret", "x");
    compile();
    record_begin(&rec, SLICE("secret\r"), SLICE("secret"), 0);
    record_set_named(&rec, SLICE("card"), VALUE_NUMBER, SLICE("secret"));
    redact_keep(&work, &rec);
    assert_true(redact_record(&set, &rec, true, &arena, &work, pattern));
    then_is(rec.values[0].text, "x");
    redact_undo(&work, &rec);
    then_is(rec.body, "secret");
    then_is(rec.raw, "secret\r");
    then_is(rec.values[0].text, "secret");
    assert_int_equal(rec.values[0].type, VALUE_NUMBER);
}

static void
what_could_not_be_searched_is_hidden(void **state)
{
    char line[20001];

    (void)state;
    memset(line, 'a', sizeof line - 1);
    memcpy(line, "secret ", 7);
    line[sizeof line - 1] = '\0';
    given("secret|(a+)+[bc]", "x");
    assert_false(when_redacted(line, line));
    then_is(rec.body, "[not searched to its end]");
    then_is(rec.raw, "[not searched to its end]");
}

static void
what_one_pattern_has_changed_is_hidden_when_the_next_is_given_up(void **state)
{
    char line[20001];

    (void)state;
    memset(line, 'a', sizeof line - 1);
    memcpy(line, "secret ", 7);
    line[sizeof line - 1] = '\0';
    given("secret", "x");
    given("(a+)+[bc]", "x");
    assert_false(when_redacted(line, line));
    then_is(rec.body, "[not searched to its end]");
}

static void
what_would_have_come_after_it_is_hidden_too(void **state)
{
    char line[20001];

    (void)state;
    memset(line, 'a', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    given("(a+)+[bc]", "x");
    given("secret", "x");
    compile();
    record_begin(&rec, slice_of(line), slice_of(line), 0);
    record_set_named(&rec, SLICE("card"), VALUE_NUMBER, SLICE("17"));
    assert_false(redact_record(&set, &rec, true, &arena, &work, pattern));
    then_is(rec.values[0].text, "[not searched to its end]");
    assert_int_equal(rec.values[0].type, VALUE_TEXT);
}

static void
a_text_that_grows_without_end_is_given_up(void **state)
{
    char line[3001], with[1001];

    (void)state;
    memset(line, 'a', sizeof line - 1);
    memset(with, 'b', sizeof with - 1);
    line[sizeof line - 1] = with[sizeof with - 1] = '\0';
    given("a", with);
    assert_false(when_redacted(line, line));
    then_is(rec.body, "[not searched to its end]");
}

static void
a_raw_line_that_nobody_asks_for_is_not_searched(void **state)
{
    (void)state;
    given("secret", "x");
    compile();
    record_begin(&rec, SLICE("secret a\r"), SLICE("a"), 0);
    assert_true(redact_record(&set, &rec, false, &arena, &work, pattern));
    then_is(rec.raw, "a");
}

/* ---- Mistakes ----------------------------------------------------------------- */

static void
one_alone_needs_no_list(void **state)
{
    (void)state;
    list = given("a", "b");
    then_becomes("aa", "bb");
}

static void
nothing_given_is_nothing(void **state)
{
    (void)state;
    redact_load(&set, "route: redact", NULL, &errs);
    list->kind = NODE_NULL;
    redact_load(&set, "route: redact", list, &errs);
    assert_int_equal(set.count, 0);
    assert_int_equal(errs.count, 0);
}

static void
a_bad_pattern_is_shown_at_its_place(void **state)
{
    (void)state;
    given("ab(c", "$1");
    then_wrong(2, 14, "route: redact: bad regular expression");
    list->first = NULL;
    given("", "x");
    then_wrong(2, 10, "route: redact: 'pattern' must not be empty");
    list->first = NULL;
    given("x", "y")->first = NULL;
    then_wrong(1, 1, "route: redact needs a value for 'pattern'");
}

static void
groups_that_are_not_there_are_mistakes(void **state)
{
    static const char *const wrong[] = { "a$3", "a${3}", "a${nmae}", "a${}", "a$12", "a${100}" };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        list->first = NULL;
        given("(?<name>a)(b)", wrong[i]);
        then_wrong(3, 11, "names a group that the pattern has not");
    }
}

static void
a_lone_dollar_sign_is_a_mistake(void **state)
{
    (void)state;
    given("(a)", "ab$");
    then_wrong(3, 12, "'$' stands alone (write $$ for a dollar sign)");
    list->first = NULL;
    given("(a)", "ab${1");
    then_wrong(3, 12, "'${' is not closed");
}

static void
what_is_no_list_of_maps_is_a_mistake(void **state)
{
    (void)state;
    tree_element(&tree, list, "secret");
    then_wrong(1, 1, "route: redact must be a map, not 'secret'");
    list->first = NULL;
    tree_entry(&tree, given("a", "b"), "wiht", NODE_SCALAR, "c");
    then_wrong(4, 3, "route: redact has no setting 'wiht' (did you mean 'with'?)");
    list->first = NULL;
    tree_entry(&tree, given("a", NULL), "with", NODE_NULL, NULL);
    then_wrong(3, 10, "'with' is empty (write '' to take the match away)");
}

static void
a_secret_is_not_shown(void **state)
{
    struct node *with = given("(a)", "hunter2 $9")->first->next;

    (void)state;
    with->secret = true;
    then_wrong(3, 10, "names a group");
    assert_null(strstr(errs.list[0].text, "hunter2"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_match_is_replaced),
        TEST(without_with_it_says_that_something_was_here),
        TEST(with_nothing_takes_it_away),
        TEST(groups_can_be_kept),
        TEST(two_digits_are_one_number),
        TEST(a_match_sees_what_lies_before_it),
        TEST(empty_matches_are_none),
        TEST(a_match_may_leave_its_beginning_alone),
        TEST(any_byte_can_be_there),
        TEST(patterns_come_one_after_the_other),
        TEST(fields_are_redacted_each_by_itself),
        TEST(nested_json_stays_json_as_long_as_it_is),
        TEST(the_raw_line_holds_the_redacted_body),
        TEST(the_raw_line_is_redacted_around_the_body_too),
        TEST(a_raw_line_that_encodes_the_body_gives_way_to_it),
        TEST(the_next_route_gets_the_record_back),
        TEST(what_could_not_be_searched_is_hidden),
        TEST(what_one_pattern_has_changed_is_hidden_when_the_next_is_given_up),
        TEST(what_would_have_come_after_it_is_hidden_too),
        TEST(a_text_that_grows_without_end_is_given_up),
        TEST(a_raw_line_that_nobody_asks_for_is_not_searched),
        TEST(one_alone_needs_no_list),
        TEST(nothing_given_is_nothing),
        TEST(a_bad_pattern_is_shown_at_its_place),
        TEST(groups_that_are_not_there_are_mistakes),
        TEST(a_lone_dollar_sign_is_a_mistake),
        TEST(what_is_no_list_of_maps_is_a_mistake),
        TEST(a_secret_is_not_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
