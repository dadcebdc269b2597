/* test_file_remove.c - `remove: acked`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/inputs/file_world.h"

static bool
is_removed(void)
{
    return access(files_path(awaited), F_OK) != 0;
}

static bool
is_kept(void)
{
    const struct file_tail *t = find_tail(awaited);

    return t != NULL && t->kept;
}

static void
an_acknowledged_file_is_removed(void **state)
{
    (void)state;
    with("remove", "acked");
    acknowledging = false;
    files_append("logs/a.log", "one\ntwo\n");
    files_append("logs/b.log", "an unfinished line");
    files_append("logs/empty.log", "");
    given_running();
    wanted = 2;
    assert_true(turn_until(have_wanted));
    (void)turn_until(has_turned);
    awaited = "logs/a.log";
    assert_false(is_removed());
    acknowledging = true;
    assert_true(turn_until(is_removed));
    then_forgotten("logs/a.log");
    then_got("one", "two", NULL);
    assert_int_equal(access(files_path("logs/b.log"), F_OK), 0);
    assert_int_equal(access(files_path("logs/empty.log"), F_OK), 0);
    files_append("logs/a.log", "three\n");      /* a new one */
    then_got("three", NULL);
    assert_true(turn_until(is_removed));
}

/* Its writer has it open still. */
static void
what_is_written_to_a_removed_file_is_read(void **state)
{
    const int fd = open(files_path("logs/a.log"), O_WRONLY | O_CREAT, 0644);

    (void)state;
    with("remove", "acked");
    assert_int_equal(write(fd, "one\n", 4), 4);
    given_running();
    then_got("one", NULL);
    awaited = "logs/a.log";
    assert_true(turn_until(is_removed));
    assert_int_equal(write(fd, "two\n", 4), 4);
    then_got("two", NULL);
    close(fd);
}

static void
a_file_that_grows_is_not_removed(void **state)
{
    (void)state;
    with("remove", "acked");
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    for (unsigned i = 0; i < 10; i++) {
        files_append("logs/a.log", "more\n");
        then_got("more", NULL);
        usleep(20000);
    }
    awaited = "logs/a.log";
    assert_false(is_removed());
    assert_true(turn_until(is_removed));
}

static void
a_file_that_was_reached_by_a_link_is_not_removed(void **state)
{
    (void)state;
    with("remove", "acked");
    files_append("target", "one\n");
    files_link("target", "logs/a.log");
    given_running();
    then_got("one", NULL);
    awaited = "logs/a.log";
    assert_true(turn_until(is_kept));
    assert_int_equal(access(files_path("target"), F_OK), 0);
    assert_int_equal(access(files_path("logs/a.log"), F_OK), 0);
}

static void
a_file_that_was_written_anew_is_not_removed_unread(void **state)
{
    (void)state;
    with("remove", "acked");
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    files_write("logs/a.log", "two\n");         /* as long, and as old as its read */
    then_got("two", NULL);
    awaited = "logs/a.log";
    assert_true(turn_until(is_removed));
}

static void
every_name_of_a_file_is_removed(void **state)
{
    (void)state;
    with("remove", "acked");
    files_append("logs/a.log", "one\n");
    assert_int_equal(link(files_path("logs/a.log"), files_path("logs/b.log")), 0);
    given_running();
    then_got("one", NULL);
    awaited = "logs/a.log";
    assert_true(turn_until(is_removed));
    awaited = "logs/b.log";
    assert_true(turn_until(is_removed));
    then_nothing_comes();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_acknowledged_file_is_removed),
        TEST(what_is_written_to_a_removed_file_is_read),
        TEST(a_file_that_grows_is_not_removed),
        TEST(a_file_that_was_reached_by_a_link_is_not_removed),
        TEST(a_file_that_was_written_anew_is_not_removed_unread),
        TEST(every_name_of_a_file_is_removed),
    };
    log_set_up(getenv("LOUD") != NULL ? LOG_DEBUG : LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
