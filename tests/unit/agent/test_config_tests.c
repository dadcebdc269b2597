/* test_config_tests.c - what `tests` may say, and every mistake in it at its place.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/config.h"
#include "tests/unit/agent/yaml_files.h"

static struct errors  errs;
static struct config *c;

static int
set_up(void **state)
{
    (void)state;
    return yaml_set_up();
}

static int
tear_down(void **state)
{
    (void)state;
    config_free(c);
    c = NULL;
    errors_fini(&errs);
    return yaml_tear_down();
}

#define BEGIN                                                  \
    "outputs: {main: {type: discard}}\n"                       \
    "inputs:\n"                                                \
    "  web: {paths: /x, topic: t}\n"

static void
load(const char *text)
{
    config_free(c);
    errors_fini(&errs);
    given_file("a.yaml", text);
    c = config_load("a.yaml", &errs);
}

static void
given_fine(const char *text)
{
    load(text);
    if (errs.count > 0)
        fail_msg("%s", errs.list[0].text);
}

/* One test of these lines below line 4, and exactly one mistake in it. */
static void
then_wrong(const char *test, unsigned line, unsigned column, const char *text)
{
    struct buf whole = { NULL, 0, 0 };

    buf_printf(&whole, BEGIN "tests:\n%s", test);
    load(buf_string(&whole));
    buf_fini(&whole);
    if (errs.count != 1)
        fail_msg("%zu mistakes in\n%s%s", errs.count, test,
                 errs.count > 0 ? errs.list[errs.count - 1].text : "");
    assert_string_equal(errs.list[0].text, text);
    assert_int_equal(errs.list[0].at.line, line);
    assert_int_equal(errs.list[0].at.column, column);
}

static void
a_test_is_read(void **state)
{
    (void)state;
    given_fine(BEGIN "tests:\n"
               "- {name: one, input: web, given: x, expect: []}\n"
               "- {name: two, given: [x, \"y\\n\", ''], path: /p, partitions: 7,\n"
               "   expect: {key: k}}\n"
               "- {name: three, given: \"x\\ny\", expect: [{}, {value: {base64: gA==}}]}\n");
    assert_int_equal(c->ntests, 3);
    assert_string_equal(c->tests[0].name, "one");
    assert_ptr_equal(c->tests[0].input, c->inputs[0]);
    assert_ptr_equal(c->tests[1].input, c->inputs[0]);
    assert_string_equal(c->tests[0].path, "sample");
    assert_int_equal(c->tests[0].partitions, 0);
    assert_true(slice_is(buf_slice(&c->tests[0].given), "x\n"));
    assert_true(slice_is(buf_slice(&c->tests[1].given), "x\ny\n\n"));
    assert_true(slice_is(buf_slice(&c->tests[2].given), "x\ny\n"));
    assert_string_equal(c->tests[1].path, "/p");
    assert_int_equal(c->tests[1].partitions, 7);
}

static void
tests_of_several_files_are_read_in_load_order(void **state)
{
    (void)state;
    given_file("b.yaml", "tests: [{name: b, given: x, expect: []}]\n");
    given_fine(BEGIN "include: b.yaml\ntests: [{name: a, given: x, expect: []}]\n");
    assert_int_equal(c->ntests, 2);
    assert_string_equal(c->tests[0].name, "a");
    assert_string_equal(c->tests[1].name, "b");
}

static void
what_is_missing_is_told(void **state)
{
    (void)state;
    then_wrong("- {given: x, expect: []}\n", 5, 3, "a test needs a value for 'name'");
    then_wrong("- {name: n, expect: []}\n", 5, 3, "test 'n' needs a value for 'given'");
    then_wrong("- {name: n, given: x}\n", 5, 3, "test 'n' needs a value for 'expect'");
    then_wrong("- {name: n, given: [], expect: []}\n", 5, 20,
               "test 'n': 'given' must not be empty");
    then_wrong("- x\n", 5, 3, "a test must be a map, not 'x'");
}

static void
unknown_keys_are_told(void **state)
{
    (void)state;
    then_wrong("- {nmae: n, name: n, given: x, expect: []}\n", 5, 4,
               "test 'n' has no setting 'nmae' (did you mean 'name'?)");
    then_wrong("- {name: n, given: x, expect: [{tpoic: t}]}\n", 5, 33,
               "test 'n': a record of 'expect' has no setting 'tpoic' (did you mean 'topic'?)");
}

static void
unknown_inputs_are_told(void **state)
{
    (void)state;
    then_wrong("- {name: n, input: wbe, given: x, expect: []}\n", 5, 20,
               "test 'n': there is no input 'wbe' (did you mean 'web'?)");
    then_wrong("- {name: n, input: other, given: x, expect: []}\n", 5, 20,
               "test 'n': there is no input 'other'");
    then_wrong("- {name: n, input: [web], given: x, expect: []}\n", 5, 20,
               "test 'n': 'input' is the name of an input, not 'a list'");
}

static void
with_several_inputs_one_must_be_named(void **state)
{
    (void)state;
    load(BEGIN "  app: {paths: /y, topic: t}\ntests:\n- {name: n, given: x, expect: []}\n");
    assert_int_equal(errs.count, 1);
    assert_string_equal(errs.list[0].text, "test 'n' needs an 'input' (there are several)");
}

static void
who_refers_to_a_broken_input_is_not_blamed(void **state)
{
    (void)state;
    load("outputs: {main: {type: discard}}\ninputs: {web: {topic: t}}\n"
         "tests: [{name: n, input: web, given: x, expect: []}, {name: m, given: x, expect: []}]\n");
    assert_int_equal(errs.count, 1);
    assert_int_equal(c->ntests, 0);
}

static void
values_of_a_wrong_kind_are_told(void **state)
{
    (void)state;
    then_wrong("- {name: n, given: {a: b}, expect: []}\n", 5, 20,
               "test 'n': 'given' is a text or a list of texts, not a map");
    then_wrong("- {name: n, given: x, expect: [{key: [a]}]}\n", 5, 38,
               "test 'n': 'key' is a text, null or {base64: TEXT}, not 'a list'");
    then_wrong("- {name: n, given: x, expect: [{key: {base65: x}}]}\n", 5, 38,
               "test 'n': 'key' is a text, null or {base64: TEXT}, not 'a map'");
    then_wrong("- {name: n, given: x, expect: [{key: {base64: AA=}}]}\n", 5, 47,
               "test 'n': 'key' is no base64: 'AA='");
    then_wrong("- {name: n, given: x, expect: [{value: {a: {base64: '!!!!'}}}]}\n", 5, 53,
               "test 'n': 'a' is no base64: '!!!!'");
    then_wrong("- {name: n, given: x, expect: [{value: {a: {b: [x]}}}]}\n", 5, 48,
               "test 'n': 'b' is a text, null, {base64: TEXT} or a map of names and texts, not "
               "'a list'");
    then_wrong("- {name: n, given: x, expect: [{output: null}]}\n", 5, 41,
               "test 'n': 'output' is a text, not 'nothing'");
    then_wrong("- {name: n, given: x, expect: [{partition: p}]}\n", 5, 44,
               "test 'n': 'partition' is a whole number or null, not 'p'");
    then_wrong("- {name: n, given: x, expect: [{timestamp: 1s}]}\n", 5, 44,
               "test 'n': 'timestamp' is a whole number or null, not '1s'");
    then_wrong("- {name: n, given: x, expect: [{headers: h}]}\n", 5, 42,
               "test 'n': 'headers' is a map of names and texts, not 'h'");
    then_wrong("- {name: n, given: x, expect: [{headers: {h: [x]}}]}\n", 5, 46,
               "test 'n': 'h' is a text, null or {base64: TEXT}, not 'a list'");
    then_wrong("- {name: n, given: x, expect: [~]}\n", 5, 32,
               "test 'n': a record of 'expect' is empty (write {} for any)");
    then_wrong("- {name: n, given: x, expect: x}\n", 5, 31,
               "test 'n': a record of 'expect' must be a map, not 'x'");
    then_wrong("- {name: n, given: x, expect: [], partitions: 0}\n", 5, 47,
               "'partitions' must be between 1 and 1000000, not '0'");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_test_is_read),
        TEST(tests_of_several_files_are_read_in_load_order),
        TEST(what_is_missing_is_told),
        TEST(unknown_keys_are_told),
        TEST(unknown_inputs_are_told),
        TEST(with_several_inputs_one_must_be_named),
        TEST(who_refers_to_a_broken_input_is_not_blamed),
        TEST(values_of_a_wrong_kind_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
