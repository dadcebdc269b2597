/* test_error.c - what went wrong is kept, with its place.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "agent/base/error.h"

static const struct mark place = { "a.yaml", 3, 7 };

static void
an_error_has_a_code_and_a_text(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(error_set(&err, ERR_SYSTEM, "cannot open '%s'", "x"), -1);
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_string_equal(err.text, "cannot open 'x'");
    assert_null(err.at.file);
}

static void
an_error_with_a_place_is_one_of_the_configuration(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(error_at(&err, place, "no"), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_string_equal(err.at.file, "a.yaml");
    assert_int_equal(err.at.line, 3);
    assert_int_equal(err.at.column, 7);
}

static void
a_text_that_does_not_fit_ends_with_dots(void **state)
{
    struct error err;
    char         text[2000];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    error_set(&err, ERR_DATA, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_string_equal(err.text + sizeof err.text - 5, "x...");
    text[sizeof err.text - 1] = '\0';
    error_set(&err, ERR_DATA, "%s", text);
    assert_string_equal(err.text, text);        /* just fits */
}

static void
a_reason_begins_in_lower_case(void **state)
{
    (void)state;
    assert_string_equal(error_reason(EACCES), "permission denied");
}

static void
every_mistake_is_kept_in_turn(void **state)
{
    struct errors errs = { NULL, 0, 0 };

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(errors_at(&errs, place, "mistake %d", i), -1);
    assert_int_equal(errs.count, 100);
    assert_string_equal(errs.list[99].text, "mistake 99");
    errors_fini(&errs);
    assert_int_equal(errs.count, 0);
}

static void
an_error_without_place_gets_that_of_its_owner(void **state)
{
    struct errors errs = { NULL, 0, 0 };
    struct error  here, nowhere;

    (void)state;
    error_at(&here, (struct mark){ "b.yaml", 1, 1 }, "here");
    error_set(&nowhere, ERR_CONFIG, "nowhere");
    errors_add(&errs, place, &here);
    errors_add(&errs, place, &nowhere);
    assert_string_equal(errs.list[0].at.file, "b.yaml");
    assert_string_equal(errs.list[1].at.file, "a.yaml");
    assert_string_equal(errs.list[1].text, "nowhere");
    errors_fini(&errs);
}

static void
of_very_many_mistakes_the_rest_is_one_line(void **state)
{
    struct errors errs = { NULL, 0, 0 };
    struct error  err;

    (void)state;
    error_set(&err, ERR_CONFIG, "one more");
    for (int i = 0; i < ERRORS_MOST; i++)
        errors_at(&errs, place, "mistake %d", i);
    assert_false(errors_full(&errs));
    assert_int_equal(errors_at(&errs, place, "too many"), -1);
    assert_true(errors_full(&errs));
    assert_int_equal(errors_add(&errs, place, &err), -1);
    assert_int_equal(errs.count, ERRORS_MOST + 1);
    assert_string_equal(errs.list[ERRORS_MOST].text, "and more mistakes than these 1000");
    errors_fini(&errs);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_has_a_code_and_a_text),
        cmocka_unit_test(an_error_with_a_place_is_one_of_the_configuration),
        cmocka_unit_test(a_text_that_does_not_fit_ends_with_dots),
        cmocka_unit_test(a_reason_begins_in_lower_case),
        cmocka_unit_test(every_mistake_is_kept_in_turn),
        cmocka_unit_test(an_error_without_place_gets_that_of_its_owner),
        cmocka_unit_test(of_very_many_mistakes_the_rest_is_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
