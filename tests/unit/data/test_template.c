/* test_template.c - text with ${field} in it, and where its mistakes are.
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

#include "agent/base/mem.h"
#include "agent/data/template.h"

static struct names    *names;
static struct record    r;
static struct arena     arena;
static struct errors    errs;
static struct template *t;
static struct node      scalar;

static int
set_up(void **state)
{
    (void)state;
    names = names_new();
    arena_init(&arena);
    t = NULL;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    template_free(t);
    errors_fini(&errs);
    arena_fini(&arena);
    names_free(names);
    return 0;
}

/* Column 10 of line 3, plain. */
static void
given_scalar(const char *text)
{
    scalar = (struct node){ .kind = NODE_SCALAR, .at = { "a.yaml", 3, 10 }, .text = text,
                            .len = strlen(text) };
}

static void
given_template(const char *text)
{
    given_scalar(text);
    t = template_new(&scalar, names, &errs);
    assert_non_null(t);
    assert_int_equal(errs.count, 0);
}

/* Render it for a record with client=::1, empty="", and nothing else. */
static bool
render(struct slice *text)
{
    bool done;

    names_intern(names, SLICE("client"));
    names_intern(names, SLICE("empty"));
    record_init(&r, names);
    record_begin(&r, SLICE("the line"), SLICE("the line"), 42);
    record_set_named(&r, SLICE("client"), VALUE_TEXT, SLICE("::1"));
    record_set_named(&r, SLICE("empty"), VALUE_TEXT, SLICE(""));
    done = template_render(t, &r, &arena, text);
    record_fini(&r);
    return done;
}

static void
then_it_yields(const char *template, const char *expected)
{
    struct slice text = NO_SLICE;

    template_free(t);
    given_template(template);
    assert_true(render(&text));
    assert_non_null(text.ptr);
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.ptr, expected, text.len);
}

static void
then_it_yields_nothing(const char *template)
{
    struct slice text;

    template_free(t);
    given_template(template);
    assert_false(render(&text));
}

/* One mistake, at this column, that says this. */
static void
then_it_is_wrong(const char *template, unsigned column, const char *saying)
{
    errors_fini(&errs);
    given_scalar(template);
    assert_null(template_new(&scalar, names, &errs));
    assert_int_equal(errs.count, 1);
    assert_int_equal(errs.list[0].at.line, 3);
    assert_int_equal(errs.list[0].at.column, column);
    assert_non_null(strstr(errs.list[0].text, saying));
}

static void
fields_are_replaced(void **state)
{
    (void)state;
    then_it_yields("${client}", "::1");
    then_it_yields("from ${client}.", "from ::1.");
    then_it_yields("${client}${client}", "::1::1");
    then_it_yields("${client}@${log.file.offset}: ${body}", "::1@42: the line");
    then_it_yields("${empty}", "");
    then_it_yields("a${empty}b", "ab");
}

static void
text_without_fields_is_constant(void **state)
{
    struct slice text;

    (void)state;
    given_template("access");
    assert_true(template_constant(t, &text));
    assert_true(slice_is(text, "access"));
    then_it_yields("", "");
    assert_true(template_constant(t, &text));
    assert_true(slice_is(text, ""));
    then_it_yields("$$5", "$5");
    assert_true(template_constant(t, &text));
    then_it_yields("${client}", "::1");
    assert_false(template_constant(t, &text));
    then_it_yields("a ${client}", "a ::1");
    assert_false(template_constant(t, &text));
}

static void
two_dollars_are_one(void **state)
{
    (void)state;
    then_it_yields("$$", "$");
    then_it_yields("$$$$", "$$");
    then_it_yields("$${client}", "${client}");
    then_it_yields("$$${client}", "$::1");
    then_it_yields("cost: 5$$", "cost: 5$");
    then_it_yields("}{", "}{");
}

static void
a_default_stands_for_a_missing_field_only(void **state)
{
    (void)state;
    then_it_yields("${gone:-none}", "none");
    then_it_yields("${gone:-}", "");
    then_it_yields("${client:-none}", "::1");
    then_it_yields("${empty:-none}", "");
    then_it_yields("${gone:-a:-b}", "a:-b");
    then_it_yields("${gone:-5$$}", "5$");
    then_it_yields("x-${gone:-y}-${client}", "x-y-::1");
}

static void
a_missing_field_without_default_yields_nothing(void **state)
{
    (void)state;
    then_it_yields_nothing("${gone}");
    then_it_yields_nothing("a ${client} ${gone}");
    then_it_yields_nothing("${time}");
}

static void
a_name_may_look_odd(void **state)
{
    (void)state;
    given_template("${@timestamp} ${user agent} ${a.b.c} ${a:b} ${x-y}");
    assert_int_not_equal(names_find(names, SLICE("@timestamp")), NAME_NONE);
    assert_int_not_equal(names_find(names, SLICE("user agent")), NAME_NONE);
    assert_int_not_equal(names_find(names, SLICE("a.b.c")), NAME_NONE);
    assert_int_not_equal(names_find(names, SLICE("a:b")), NAME_NONE);
    assert_true(template_mentions(t, names_find(names, SLICE("x-y"))));
    assert_false(template_mentions(t, NAME_BODY));
}

static void
a_single_field_is_not_copied(void **state)
{
    static const char line[] = "the line";
    struct slice      text;

    (void)state;
    given_template("${body}");
    record_init(&r, names);
    record_begin(&r, slice_of(line), slice_of(line), 0);
    assert_true(template_render(t, &r, &arena, &text));
    assert_ptr_equal(text.ptr, line);
    assert_int_equal(arena.used, 0);
    record_fini(&r);
}

static void
it_remembers_how_it_was_written(void **state)
{
    (void)state;
    given_template("${gone:-x}$$");
    assert_string_equal(template_text(t), "${gone:-x}$$");
}

static void
mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    then_it_is_wrong("${client", 10, "not closed");
    then_it_is_wrong("abc ${client", 14, "not closed");
    then_it_is_wrong("abc ${client:-d", 14, "not closed");
    then_it_is_wrong("${}", 10, "names no field");
    then_it_is_wrong("a${:-x}", 11, "names no field");
    then_it_is_wrong("5$ off", 11, "write $$");
    then_it_is_wrong("5$", 11, "write $$");
    then_it_is_wrong("$client", 10, "write $$");
    then_it_is_wrong("${ client}", 10, "blank");
    then_it_is_wrong("${client }", 10, "blank");
    then_it_is_wrong("${a${client}}", 10, "dollar sign");
    then_it_is_wrong("${a:-${client}}", 15, "default");
    then_it_is_wrong("x ${env:HOME}", 12, "${env:HOME}");
    then_it_is_wrong("x ${env:HOME:-y}", 12, "cannot be replaced here");
    then_it_is_wrong("${file:/run/x}", 10, "cannot be replaced here");
}

static void
columns_count_characters_not_bytes(void **state)
{
    (void)state;
    then_it_is_wrong("\xc3\xa9\xe2\x82\xac${}", 12, "names no field");
}

static void
names_that_begin_like_a_source_are_fields(void **state)
{
    (void)state;
    given_template("${env} ${file} ${env:-x}");
}

static void
every_mistake_is_reported(void **state)
{
    (void)state;
    given_scalar("$a ${} ${b");
    assert_null(template_new(&scalar, names, &errs));
    assert_int_equal(errs.count, 3);
    assert_int_equal(errs.list[0].at.column, 10);
    assert_int_equal(errs.list[1].at.column, 13);
    assert_int_equal(errs.list[2].at.column, 17);
}

static void
in_quotes_the_place_is_the_scalar(void **state)
{
    (void)state;
    given_scalar("abc ${}");
    scalar.quoted = true;
    assert_null(template_new(&scalar, names, &errs));
    assert_int_equal(errs.list[0].at.column, 10);
}

static void
a_secret_is_never_shown(void **state)
{
    (void)state;
    given_scalar("hunter2 ${hunter3");
    scalar.secret = true;
    assert_null(template_new(&scalar, names, &errs));
    assert_int_equal(errs.count, 1);
    assert_null(strstr(errs.list[0].text, "hunter"));
}

static void
only_a_text_is_a_template(void **state)
{
    (void)state;
    given_scalar("");
    scalar.kind = NODE_LIST;
    assert_null(template_new(&scalar, names, &errs));
    assert_int_equal(errs.count, 1);
    assert_non_null(strstr(errs.list[0].text, "a list"));
    scalar.bad = true;      /* reported by whoever found that out */
    assert_null(template_new(&scalar, names, &errs));
    assert_int_equal(errs.count, 1);
}

/* `count` fields with a blank behind each but the last: 2 * count - 1 parts. */
static char *
long_template(int count)
{
    char *text = mem_alloc((size_t)count * sizeof "${a} ");

    text[0] = '\0';
    for (int i = 0; i < count; i++)
        strcat(text, i + 1 < count ? "${a} " : "${a}");
    return text;
}

static void
a_template_has_at_most_256_parts(void **state)
{
    char *text = long_template(128), *too_long = long_template(129);

    (void)state;
    given_template(text);
    then_it_is_wrong(too_long, 10, "256");
    free(text);
    free(too_long);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fields_are_replaced),
        TEST(text_without_fields_is_constant),
        TEST(two_dollars_are_one),
        TEST(a_default_stands_for_a_missing_field_only),
        TEST(a_missing_field_without_default_yields_nothing),
        TEST(a_name_may_look_odd),
        TEST(a_single_field_is_not_copied),
        TEST(it_remembers_how_it_was_written),
        TEST(mistakes_are_named_with_their_place),
        TEST(columns_count_characters_not_bytes),
        TEST(names_that_begin_like_a_source_are_fields),
        TEST(every_mistake_is_reported),
        TEST(in_quotes_the_place_is_the_scalar),
        TEST(a_secret_is_never_shown),
        TEST(only_a_text_is_a_template),
        TEST(a_template_has_at_most_256_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
