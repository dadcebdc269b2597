/* test_log.c - what the operator reads on stderr.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"

enum { FIVE_MINUTES = 5 * 60 * 1000 };

static int real_stderr, file;

/* While a test runs stderr is a file. */
static int
set_up(void **state)
{
    char name[] = "/tmp/test_log.XXXXXX";

    (void)state;
    log_set_up(LOG_INFO, LOG_TEXT);
    file = mkstemp(name);
    unlink(name);
    real_stderr = dup(STDERR_FILENO);
    return dup2(file, STDERR_FILENO) < 0 || file < 0;
}

static int
tear_down(void **state)
{
    (void)state;
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    close(file);
    return 0;
}

/* All that was written since the last call. */
static const char *
then_told(void)
{
    static char   text[4096];
    const ssize_t len = pread(file, text, sizeof text - 1, 0);

    assert_true(len >= 0);
    text[len] = '\0';
    assert_int_equal(ftruncate(file, 0), 0);
    lseek(file, 0, SEEK_SET);
    return text;
}

/* Behind the time, which is another one each time. */
static const char *
then_told_after_time(const char *prefix)
{
    const char *told = then_told();

    assert_int_equal(strncmp(told, prefix, strlen(prefix)), 0);
    told += strlen(prefix);
    assert_int_equal(strspn(told, "0123456789-T:."), strlen("2026-01-01T00:00:00.000"));
    assert_int_equal(told[23], 'Z');
    return told + 24;
}

static void
a_message_is_one_line_with_time_and_level(void **state)
{
    (void)state;
    log_warn("file '%s' is gone", "a");
    assert_string_equal(then_told_after_time("time="), " level=warn msg=\"file 'a' is gone\"\n");
}

static void
a_message_can_be_json(void **state)
{
    (void)state;
    log_set_up(LOG_INFO, LOG_JSON);
    log_error("no");
    assert_string_equal(then_told_after_time("{\"time\":\""),
                        "\",\"level\":\"error\",\"message\":\"no\"}\n");
}

static void
less_important_messages_are_left_out(void **state)
{
    (void)state;
    log_debug("detail");
    assert_string_equal(then_told(), "");
    assert_false(log_wants(LOG_DEBUG));
    log_set_up(LOG_DEBUG, LOG_TEXT);
    log_debug("detail");
    assert_non_null(strstr(then_told(), "level=debug msg=\"detail\""));
    log_set_up(LOG_ERROR, LOG_TEXT);
    log_warn("warning");
    assert_string_equal(then_told(), "");
}

static void
no_name_breaks_the_line(void **state)
{
    (void)state;
    log_info("a\nb\"c\\d\x1b[0m");
    assert_non_null(strstr(then_told(), "msg=\"a\\x0ab\\\"c\\\\d\\x1b[0m\"\n"));
    log_set_up(LOG_INFO, LOG_JSON);
    log_info("a\nb\"c\\d\x1b[0m");
    assert_non_null(strstr(then_told(), "\"a\\u000ab\\\"c\\\\d\\u001b[0m\"}\n"));
}

static void
characters_stay_and_other_bytes_are_replaced(void **state)
{
    (void)state;
    log_info("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
    assert_non_null(strstr(then_told(), "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"));
    log_info("\xff-\xc3(-\xed\xa0\x80-\xe2\x82");
    assert_non_null(strstr(then_told(), "\"\\xff-\\xc3(-\\xed\\xa0\\x80-\\xe2\\x82\""));
    log_set_up(LOG_INFO, LOG_JSON);
    log_info("\xff-\xc3(");
    assert_non_null(strstr(then_told(), "\"\\ufffd-\\ufffd(\""));
}

static void
what_repeats_is_told_once(void **state)
{
    struct log_repeat repeat = { 0, 0 };

    (void)state;
    assert_true(log_again(&repeat, LOG_ERROR, "no broker"));
    assert_non_null(strstr(then_told(), "msg=\"no broker\""));
    assert_false(log_again(&repeat, LOG_ERROR, "no broker"));
    assert_false(log_again(&repeat, LOG_ERROR, "no broker"));
    assert_string_equal(then_told(), "");
}

static void
after_five_minutes_it_is_told_with_how_often(void **state)
{
    struct log_repeat repeat = { 0, 0 };

    (void)state;
    log_again(&repeat, LOG_ERROR, "no broker");
    log_again(&repeat, LOG_ERROR, "no broker");
    then_told();
    repeat.told_at -= FIVE_MINUTES;
    assert_true(log_again(&repeat, LOG_ERROR, "no broker"));
    assert_non_null(strstr(then_told(), "msg=\"no broker (2 times)\""));
}

static void
what_was_over_is_told_at_once(void **state)
{
    struct log_repeat repeat = { 0, 0 };

    (void)state;
    log_again(&repeat, LOG_WARN, "no broker");
    log_again(&repeat, LOG_WARN, "no broker");
    then_told();
    log_over(&repeat);
    assert_true(log_again(&repeat, LOG_WARN, "no broker"));
    assert_non_null(strstr(then_told(), "msg=\"no broker\""));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_is_one_line_with_time_and_level, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_message_can_be_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(less_important_messages_are_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_name_breaks_the_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(characters_stay_and_other_bytes_are_replaced, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_repeats_is_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_five_minutes_it_is_told_with_how_often, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_over_is_told_at_once, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
