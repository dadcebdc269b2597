/* test_json_shape.c - a line like one before is taken at once, and means the same.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "agent/data/json_shape.h"

static struct names       *names;
static struct record       rec;
static struct arena        arena;
static struct json_shapes *shapes;

static int
set_up(void **state)
{
    (void)state;
    names = names_new();
    arena_init(&arena);
    shapes = json_shapes_new();
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    json_shapes_free(shapes);
    record_fini(&rec);
    arena_fini(&arena);
    names_free(names);
    return 0;
}

/* Everything, or what the configuration asks for: names, divided by blanks. */
static void
given_asked(bool all, const char *asked)
{
    while (*asked != '\0') {
        const size_t len = strcspn(asked, " ");

        names_intern(names, (struct slice){ asked, len });
        asked += len + (asked[len] == ' ');
    }
    if (all)
        names_ask_all(names);
    names_complete(names);
    record_init(&rec, names);
    rec.numbered_only = !all;
}

static bool
takes(const char *line)
{
    struct json_fields to = { &rec, &arena, false };
    const struct slice text = slice_of(line);

    record_begin(&rec, text, text, 0);
    record_mark(&rec);
    return json_shapes_take(shapes, text, &to) && !to.full;
}

static void
given_learned(const char *line)
{
    assert_false(takes(line));
    json_shapes_learn(shapes, slice_of(line), &rec);
}

static void
then_never_learned(const char *line)
{
    given_learned(line);
    assert_false(takes(line));
}

static void
then_field(const char *name, enum value_type type, const char *text)
{
    const uint32_t number = names_find(names, slice_of(name));

    for (uint32_t i = 0; i < rec.nvalues; i++) {
        const struct value *v = &rec.values[i];

        if (!slice_is(v->name, name))
            continue;
        assert_int_equal(v->number, number);
        assert_int_equal(v->type, type);
        assert_true(slice_is(v->text, text));
        return;
    }
    fail_msg("no field '%s'", name);
}

/* ---- Lines of a shape ------------------------------------------------------- */

static void
a_line_like_one_before_is_taken(void **state)
{
    (void)state;
    given_asked(false, "client request.id");
    given_learned("{\"client\":\"a\",\"request\":{\"id\":1,\"path\":\"/\"},\"n\":[1]}");
    assert_true(takes("{\"client\":\"b \\\"c\\\"\",\"request\":{\"id\":\"x\",\"path\":\"/y\"},"
                      "\"n\":[2,{}]}"));
    assert_int_equal(rec.nvalues, 2);
    then_field("client", VALUE_TEXT, "b \"c\"");
    then_field("request.id", VALUE_TEXT, "x");
    assert_true(takes("{\"client\":7.5,\"request\":{\"id\":null,\"path\":{\"a\":1}},\"n\":true}"));
    assert_int_equal(rec.nvalues, 1);
    then_field("client", VALUE_NUMBER, "7.5");
}

static void
who_keeps_all_gets_all_of_the_outer_object(void **state)
{
    (void)state;
    given_asked(true, "a");
    given_learned("{\"a\":1,\"b\":{\"c\":2},\"d\":[3]}");
    assert_true(takes("{\"a\":true,\"b\":{\"x\":[{}]},\"d\":\"e\"}"));
    assert_int_equal(rec.nvalues, 3);
    then_field("a", VALUE_BOOL, "true");
    then_field("b", VALUE_JSON, "{\"x\":[{}]}");
    then_field("d", VALUE_TEXT, "e");
}

static void
blanks_are_a_part_of_the_shape(void **state)
{
    (void)state;
    given_asked(false, "a");
    given_learned(" { \"a\" : 1,\n \"b\": \"x\" } ");
    assert_true(takes(" { \"a\" : -2e5,\n \"b\": \"\" } "));
    then_field("a", VALUE_NUMBER, "-2e5");
    assert_false(takes("{\"a\":1,\"b\":\"x\"}"));
}

static void
lines_that_begin_alike_may_go_on_differently(void **state)
{
    (void)state;
    given_asked(false, "a z");
    given_learned("{\"a\":1,\"b\":2}");
    given_learned("{\"a\":1,\"c\":2,\"z\":3}");
    given_learned("{\"a\":1}");
    given_learned("{}");
    assert_true(takes("{\"a\":4,\"b\":5}"));
    assert_true(takes("{\"a\":6,\"c\":7,\"z\":8}"));
    then_field("z", VALUE_NUMBER, "8");
    assert_true(takes("{\"a\":9}"));
    assert_true(takes("{}"));
    assert_int_equal(rec.nvalues, 0);
    assert_false(takes("{\"a\":9,\"z\":1}"));
}

static void
texts_between_values_may_be_long(void **state)
{
    static const char *const lines[] = {
        "{\"sixteen_bytes_\":1}", "{\"seventeen_bytes\":1}", "{\"a_name_of_thirty_one_bytes__\":1}",
        "{\"a_name_of_thirty_two_bytes____\":1}", "{\"a_name_of_more_than_forty_eight_bytes_x\":1}",
        "{\"a\":{\"name\":{\"that\":{\"lies\":{\"rather\":{\"deep\":{\"is\":1}}}}}}}",
    };

    (void)state;
    given_asked(false, "none");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        given_learned(lines[i]);
        assert_true(takes(lines[i]));
    }
    then_never_learned("{\"a_name_that_is_longer_than_what_is_kept_between_two_values____\":1}");
}

/* ---- Lines that are not ------------------------------------------------------- */

static void
a_value_that_is_broken_is_not_taken(void **state)
{
    static const char *const lines[] = {
        "{\"a\":1,\"b\":\"x}", "{\"a\":1,\"b\":\"x\"", "{\"a\":1,\"b\":", "{\"a\":1,\"b\":}",
        "{\"a\":1,\"b\":\"x\"}}", "{\"a\":1,\"b\":\"x\"} x", "{\"a\":01,\"b\":\"x\"}",
        "{\"a\":1,\"b\":\"\\x\"}", "{\"a\":1,\"b\":\"\x01\"}", "{\"a\":[1,],\"b\":\"x\"}",
        "{\"a\":nul,\"b\":\"x\"}", "{\"a\":1 ,\"b\":\"x\"}", "{\"a\":", "{\"a\"", "", "{",
        "{\"a\":,\"b\":\"x\"}", "{\"a\":1.,\"b\":\"x\"}", "{\"a\":{\"b\":\"x\"}",
        "{\"a\":1\"b\":2}", "{\"a\":1\"b\":2}",
    };

    (void)state;
    given_asked(false, "a b");
    given_learned("{\"a\":1,\"b\":\"x\"}");
    assert_true(takes("{\"a\":1,\"b\":\"x\"}"));
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_false(takes(lines[i]));
    assert_true(takes("{\"a\":2,\"b\":\"y\"}"));
}

/* Of a member whose own members are asked for, an object is another shape; null is not. */
static void
an_object_in_place_of_a_value_is_looked_into_by_others(void **state)
{
    (void)state;
    given_asked(false, "user.id");
    given_learned("{\"user\":null,\"n\":1}");
    assert_true(takes("{\"user\":\"ann\",\"n\":1}"));
    assert_false(takes("{\"user\":{\"id\":5},\"n\":1}"));
    given_learned("{\"user\":{\"id\":5},\"n\":1}");
    assert_true(takes("{\"user\":{\"id\":6},\"n\":1}"));
    then_field("user.id", VALUE_NUMBER, "6");
    assert_true(takes("{\"user\":null,\"n\":2}"));
    assert_int_equal(rec.nvalues, 0);
}

static void
what_needs_a_look_at_the_whole_line_is_not_learned(void **state)
{
    (void)state;
    given_asked(false, "a a.b c.d");
    then_never_learned("{\"x\":1,\"y\":2,\"x\":3}");
    then_never_learned("{\"c\":{\"d\":1,\"d\":2}}");
    then_never_learned("{\"c.d\":1}");
    then_never_learned("{\"\\u0061\":1}");
    then_never_learned("{\"a\":{\"b\":1}}");        /* the whole and a part of it */
    given_learned("{\"c\":{\"d\":1}}");
    assert_true(takes("{\"c\":{\"d\":1}}"));
}

/* ---- Lines whose names are data ------------------------------------------------ */

static bool
takes_numbered(unsigned n)
{
    char line[80];

    snprintf(line, sizeof line, "{\"a\":1,\"user_%u\":{\"n\":2}}", n);
    if (takes(line))
        return true;
    json_shapes_learn(shapes, slice_of(line), &rec);
    return false;
}

static void
names_that_are_data_cost_no_end_of_memory_and_little_time(void **state)
{
    unsigned known = 0;

    (void)state;
    given_asked(false, "a");
    for (unsigned n = 0; n < 100000; n++)
        assert_false(takes_numbered(n));
    for (unsigned n = 0; n < 1000; n++)
        known += takes("{\"a\":1}");
    assert_int_equal(known, 0);                 /* there was no credit left to learn it */
}

static void
a_known_shape_is_found_again_after_many_lines_without_one(void **state)
{
    unsigned known = 0;

    (void)state;
    given_asked(false, "a");
    given_learned("{\"a\":1}");
    for (unsigned n = 0; n < 200; n++)
        assert_false(takes("{\"a\":\"1}"));
    for (unsigned n = 0; n < 1000; n++)
        known += takes("{\"a\":1}");
    assert_in_range(known, 700, 999);           /* at first few are looked at */
    assert_true(takes("{\"a\":1}"));
}

static void
old_shapes_give_way_to_new_ones(void **state)
{
    (void)state;
    given_asked(false, "a");
    for (unsigned n = 0; n < 2000; n++) {
        char line[80];

        snprintf(line, sizeof line, "{\"x%u\":{\"y\":1},\"y%u\":2,\"a\":%u}", n / 8, n, n);
        (void)takes(line);
        json_shapes_learn(shapes, slice_of(line), &rec);
        for (unsigned i = 0; i < 50; i++)
            (void)takes(line);
    }
    assert_true(takes("{\"x249\":{\"y\":5},\"y1999\":6,\"a\":7}"));
    then_field("a", VALUE_NUMBER, "7");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_like_one_before_is_taken),
        TEST(who_keeps_all_gets_all_of_the_outer_object),
        TEST(blanks_are_a_part_of_the_shape),
        TEST(lines_that_begin_alike_may_go_on_differently),
        TEST(texts_between_values_may_be_long),
        TEST(a_value_that_is_broken_is_not_taken),
        TEST(an_object_in_place_of_a_value_is_looked_into_by_others),
        TEST(what_needs_a_look_at_the_whole_line_is_not_learned),
        TEST(names_that_are_data_cost_no_end_of_memory_and_little_time),
        TEST(a_known_shape_is_found_again_after_many_lines_without_one),
        TEST(old_shapes_give_way_to_new_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
