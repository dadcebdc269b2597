/* test_pattern.c - regular expressions: groups, mistakes, and an end to every search.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "agent/data/pattern.h"

enum {
    MAX_GROUPS = 20,
    MAX_NS = 1000 * 1000 * 1000,    /* of CPU: far more than the 50 ms of pattern.c */
};

static struct pattern      *p;
static struct pattern_work *work;

static int
set_up(void **state)
{
    (void)state;
    p = NULL;
    work = pattern_work_new(MAX_GROUPS);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    pattern_free(p);
    pattern_work_free(work);
    return 0;
}

static void
given_pattern(struct slice text)
{
    struct error err = { 0 };

    pattern_free(p);
    p = pattern_new(text, NULL, &err);
    if (p == NULL)
        fail_msg("%s", err.text);
}

static enum pattern_result
match(const char *subject)
{
    return pattern_match(p, work, slice_of(subject));
}

/* `len` bytes `c`, then a `!`; what comes of it, and in time. */
static enum pattern_result
match_many(char c, size_t len)
{
    char                    *text = mem_alloc(len + 1);
    const struct clock_limit limit = clock_limit_begin();
    enum pattern_result      result;

    memset(text, c, len);
    text[len] = '!';
    result = pattern_match(p, work, (struct slice){ text, len + 1 });
    assert_false(clock_limit_over(&limit, MAX_NS));
    free(text);
    return result;
}

static void
groups_have_numbers_and_names(void **state)
{
    const char  *subject = "GET /index.html";
    struct slice s = slice_of(subject);

    (void)state;
    given_pattern(SLICE("(?<method>[A-Z]+) (/(?<file>.*))"));
    assert_int_equal(pattern_groups(p), 3);
    assert_null(pattern_group_name(p, 0));
    assert_string_equal(pattern_group_name(p, 1), "method");
    assert_null(pattern_group_name(p, 2));
    assert_string_equal(pattern_group_name(p, 3), "file");
    assert_int_equal(match(subject), PATTERN_YES);
    assert_true(slice_is(pattern_group(work, s, 0), subject));
    assert_true(slice_is(pattern_group(work, s, 1), "GET"));
    assert_true(slice_is(pattern_group(work, s, 3), "index.html"));
    assert_ptr_equal(pattern_group(work, s, 3).ptr, subject + 5);
}

static void
a_group_that_took_no_part_is_missing_an_empty_one_is_not(void **state)
{
    const struct slice s = SLICE("b");

    (void)state;
    given_pattern(SLICE("(a)?(b)(c*)(d)?"));
    assert_int_equal(match("b"), PATTERN_YES);
    assert_null(pattern_group(work, s, 1).ptr);
    assert_true(slice_is(pattern_group(work, s, 2), "b"));
    assert_true(slice_is(pattern_group(work, s, 3), ""));
    assert_null(pattern_group(work, s, 4).ptr);
}

static void
one_work_serves_patterns_of_any_size(void **state)
{
    const struct slice s = SLICE("xyz");

    (void)state;
    given_pattern(SLICE("(x)(y)(z)"));
    assert_int_equal(match("xyz"), PATTERN_YES);
    given_pattern(SLICE("(q)?z"));
    assert_int_equal(match("xyz"), PATTERN_YES);
    assert_null(pattern_group(work, s, 1).ptr);
    given_pattern(SLICE("z"));
    assert_int_equal(match("xyz"), PATTERN_YES);
    assert_true(slice_is(pattern_group(work, s, 0), "z"));
}

static void
a_pattern_is_searched_not_anchored(void **state)
{
    (void)state;
    given_pattern(SLICE("b+"));
    assert_int_equal(match("aabba"), PATTERN_YES);
    assert_int_equal(match("aa"), PATTERN_NO);
    assert_int_equal(match(""), PATTERN_NO);
    given_pattern(SLICE("^b+$"));
    assert_int_equal(match("aabba"), PATTERN_NO);
    assert_int_equal(match("bb"), PATTERN_YES);
    given_pattern(SLICE(""));
    assert_int_equal(match(""), PATTERN_YES);
}

static void
a_match_is_found_wherever_it_begins_in_a_long_line(void **state)
{
    enum { LEN = 3000 };
    char *text = mem_alloc(LEN);

    (void)state;
    given_pattern(SLICE("(?<=[a.])(needle)\\b"));
    for (size_t at = 1; at + 6 < LEN; at++) {
        const struct slice s = { text, LEN };

        memset(text, '.', LEN);
        memcpy(text + at, "needle", 6);
        assert_int_equal(pattern_match(p, work, s), PATTERN_YES);
        assert_ptr_equal(pattern_group(work, s, 1).ptr, text + at);
    }
    free(text);
}

static void
an_anchor_holds_at_the_beginning_of_a_long_line_only(void **state)
{
    char text[1000];

    (void)state;
    memset(text, 'a', sizeof text);
    text[128] = 'b';
    given_pattern(SLICE("(?:^|x)b"));
    assert_int_equal(pattern_match(p, work, (struct slice){ text, sizeof text }), PATTERN_NO);
}

static void
bytes_are_bytes(void **state)
{
    const struct slice s = SLICE("\xff\0\xe9x");

    (void)state;
    given_pattern(SLICE("^..(.)x$"));
    assert_int_equal(pattern_match(p, work, s), PATTERN_YES);
    assert_int_equal(pattern_group(work, s, 1).len, 1);
    given_pattern(SLICE("\\w"));
    assert_int_equal(match("\xe9"), PATTERN_NO);
    given_pattern(SLICE("a\0b"));
    assert_int_equal(pattern_match(p, work, SLICE("xa\0b")), PATTERN_YES);
    assert_int_equal(match("ab"), PATTERN_NO);
}

static void
with_utf_a_dot_is_a_character_and_bad_bytes_do_no_harm(void **state)
{
    const struct slice s = SLICE("\xff\xc3\xa9x\xff");

    (void)state;
    given_pattern(SLICE("(*UTF)(.)x"));
    assert_int_equal(pattern_match(p, work, s), PATTERN_YES);
    assert_true(slice_is(pattern_group(work, s, 1), "\xc3\xa9"));
    assert_int_equal(pattern_match(p, work, SLICE("\xa9x")), PATTERN_NO);
}

static void
with_utf_a_long_line_is_never_entered_inside_a_character(void **state)
{
    enum { CHARACTERS = 500 };
    char         text[3 * CHARACTERS + 1];
    struct slice s = { text, sizeof text };

    (void)state;
    for (size_t i = 0; i < CHARACTERS; i++)
        memcpy(text + 3 * i, "\xe2\x82\xac", 3);
    text[sizeof text - 1] = '!';
    given_pattern(SLICE("(*UTF)(\\x{20ac})!"));
    assert_int_equal(pattern_match(p, work, s), PATTERN_YES);
    assert_ptr_equal(pattern_group(work, s, 1).ptr, text + sizeof text - 4);
    given_pattern(SLICE("(*UTF)(\\x{20ac})\\?"));
    assert_int_equal(pattern_match(p, work, s), PATTERN_NO);
}

static void
backtracking_without_end_is_cut_off(void **state)
{
    static const struct slice patterns[] = {
        SLICE("(a+)+$"), SLICE("^(a+)+$"), SLICE("^(a|aa)+$"), SLICE("^((a*)*)*$"),
        SLICE("^.*.*.*.*.*.*[xy]"), SLICE("(x+x+|a+a+)+[yz]"), SLICE("(*NO_JIT)^(a+)+$"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        given_pattern(patterns[i]);
        assert_int_equal(match_many('a', 400), PATTERN_LIMIT);
        assert_int_equal(pattern_work_take_limits(work), 1);
        assert_int_equal(pattern_work_take_limits(work), 0);
    }
}

static void
a_deep_recursion_is_cut_off(void **state)
{
    (void)state;
    given_pattern(SLICE("(a(?1)?)+b"));
    assert_int_equal(match_many('a', 1000000), PATTERN_LIMIT);
    given_pattern(SLICE("(*NO_JIT)^(a(?1)?)+[bc]"));
    assert_int_equal(match_many('a', 1000000), PATTERN_LIMIT);
}

static void
a_search_that_is_slow_from_every_place_is_cut_off(void **state)
{
    (void)state;
    given_pattern(SLICE("[^,]+,\\d[xy]"));
    assert_int_equal(match_many('a', 1 << 20), PATTERN_LIMIT);
    given_pattern(SLICE("\\w+[=-]\\d+[a-z]"));
    assert_int_equal(match_many('a', 1 << 20), PATTERN_LIMIT);
    given_pattern(SLICE("(*UTF)[^b]+[=-]"));
    assert_int_equal(match_many('a', 1 << 20), PATTERN_LIMIT);
}

/* Each of many backtracks goes over the rest of the line: ` [` without end. */
static void
a_search_that_is_slow_at_each_backtrack_is_cut_off(void **state)
{
    static const struct slice patterns[] = {
        SLICE("^(.+?) \\[([^\\]]+)\\] (\\d+)"), SLICE("(.+?) \\[([^\\]]+)\\] (\\d+)"),
        SLICE("(*NO_JIT)^(.+?) \\[([^\\]]+)\\] (\\d+)"),
    };
    const size_t len = 1 << 20;
    char        *text = mem_alloc(len);

    (void)state;
    for (size_t i = 0; i < len; i += 2)
        memcpy(text + i, " [", 2);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const struct clock_limit limit = clock_limit_begin();

        given_pattern(patterns[i]);
        assert_int_equal(pattern_match(p, work, (struct slice){ text, len }), PATTERN_LIMIT);
        assert_int_equal(pattern_work_take_limits(work), 1);
        assert_false(clock_limit_over(&limit, MAX_NS));
    }
    free(text);
}

static void
an_honest_pattern_takes_a_long_line(void **state)
{
    (void)state;
    given_pattern(SLICE("^(?<all>.*)!$"));
    assert_int_equal(match_many('a', 1 << 20), PATTERN_YES);
    given_pattern(SLICE("^(.*?)!"));
    assert_int_equal(match_many('a', 1 << 20), PATTERN_YES);
    given_pattern(SLICE("ERROR: (.*)"));
    assert_int_equal(match_many('a', 1 << 20), PATTERN_NO);
    given_pattern(SLICE("a!"));
    assert_int_equal(match_many('a', 1 << 20), PATTERN_YES);
}

static void
then_pattern_is_wrong(const char *text, size_t expected_offset, const char *saying)
{
    struct error err = { 0 };
    size_t       offset = 99;
    char         place[32];

    assert_null(pattern_new(slice_of(text), &offset, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_int_equal(offset, expected_offset);
    snprintf(place, sizeof place, "at offset %zu)", expected_offset);
    assert_non_null(strstr(err.text, place));
    assert_non_null(strstr(err.text, saying));
}

static void
a_mistake_is_named_with_its_offset(void **state)
{
    (void)state;
    then_pattern_is_wrong("(abc", 4, "missing closing parenthesis");
    then_pattern_is_wrong("a[b", 3, "missing terminating ]");
    then_pattern_is_wrong("a**", 2, "quantifier");
    then_pattern_is_wrong("x(?<1a>b)", 4, "digit");
    then_pattern_is_wrong("(?<a>x)(?<a>y)", 12, "same name");
}

static void
it_says_which_library_it_is(void **state)
{
    (void)state;
    assert_int_equal(strncmp(pattern_library(), "10.", 3), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(groups_have_numbers_and_names),
        TEST(a_group_that_took_no_part_is_missing_an_empty_one_is_not),
        TEST(one_work_serves_patterns_of_any_size),
        TEST(a_pattern_is_searched_not_anchored),
        TEST(a_match_is_found_wherever_it_begins_in_a_long_line),
        TEST(an_anchor_holds_at_the_beginning_of_a_long_line_only),
        TEST(bytes_are_bytes),
        TEST(with_utf_a_dot_is_a_character_and_bad_bytes_do_no_harm),
        TEST(with_utf_a_long_line_is_never_entered_inside_a_character),
        TEST(backtracking_without_end_is_cut_off),
        TEST(a_deep_recursion_is_cut_off),
        TEST(a_search_that_is_slow_from_every_place_is_cut_off),
        TEST(a_search_that_is_slow_at_each_backtrack_is_cut_off),
        TEST(an_honest_pattern_takes_a_long_line),
        TEST(a_mistake_is_named_with_its_offset),
        TEST(it_says_which_library_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
