/* test_file_rotate.c - the file input: rotation, while it runs and while it does not.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/inputs/file_world.h"

/* ---- Rotation ---------------------------------------------------------------- */

static void
rename_and_create_loses_nothing(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    files_append("logs/a.log", "two\n");
    files_rename("logs/a.log", "logs/a.log.1");
    files_append("logs/a.log", "new\n");
    files_append("logs/a.log.1", "late\n");
    then_got_sorted(3);
    assert_string_equal(got.list[0], "late");
    assert_string_equal(got.list[1], "new");
    assert_string_equal(got.list[2], "two");
}

static void
a_file_renamed_before_anybody_looked_is_read(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    for (unsigned i = 0; i < 3; i++) {          /* the loop does not turn meanwhile */
        if (i > 1)
            files_rename("logs/a.log.2", "logs/a.log.3");
        if (i > 0)
            files_rename("logs/a.log.1", "logs/a.log.2");
        files_rename("logs/a.log", "logs/a.log.1");
        files_append("logs/a.log", (const char *const[]){ "two\n", "three\n", "four\n" }[i]);
    }
    then_got_sorted(3);
    assert_string_equal(got.list[0], "four");
    assert_string_equal(got.list[1], "three");
    assert_string_equal(got.list[2], "two");
}

static void
a_rotated_name_inside_the_patterns_is_not_read_again(void **state)
{
    (void)state;
    forget_settings();
    with("paths", files_path("logs/a.log*"));
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    files_rename("logs/a.log", "logs/a.log.1");
    files_append("logs/a.log", "two\n");
    then_got("two", NULL);
    then_followed("logs/a.log.1");
    files_append("logs/a.log.1", "late\n");
    then_got("late", NULL);
    files_rename("logs/a.log.1", "logs/a.log.2");
    files_rename("logs/a.log.2", "logs/a.log.1");
    then_nothing_comes();
}

static void
a_file_deleted_while_unread_is_read_to_its_end(void **state)
{
    (void)state;
    acknowledging = false;
    files_append("logs/a.log", "one\n");
    given_running();
    then_followed("logs/a.log");
    wanted = 1;
    assert_true(turn_until(have_wanted));
    files_append("logs/a.log", "two\nthree");
    files_remove("logs/a.log");
    acknowledging = true;
    then_got("one", "two", "three", NULL);
    then_forgotten("logs/a.log");
}

static void
a_last_line_without_end_is_sent_when_the_file_is_gone(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\nlast");
    given_running();
    then_got("one", NULL);
    files_remove("logs/a.log");
    then_got("last", NULL);
    then_forgotten("logs/a.log");
}

static void
a_file_renamed_out_and_back_is_not_read_again(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    files_rename("logs/a.log", "logs/away");
    then_nothing_comes();
    files_rename("logs/away", "logs/a.log");
    files_append("logs/a.log", "two\n");
    then_got("two", NULL);
}

static void
a_finished_file_that_comes_back_is_not_read_again(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    files_rename("logs/a.log", "logs/away");
    awaited = "logs/away";
    assert_true(turn_until(is_closed));
    files_rename("logs/away", "logs/b.log");
    files_append("logs/b.log", "two\n");
    then_got("two", NULL);
}

static void
a_finished_file_that_is_deleted_is_forgotten(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    files_rename("logs/a.log", "logs/away");
    awaited = "logs/away";
    assert_true(turn_until(is_closed));
    files_remove("logs/away");
    then_forgotten("logs/away");
}

static void
a_truncated_file_is_read_from_its_beginning(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\ntwo\nthree\n");
    given_running();
    then_got("one", "two", "three", NULL);
    files_write("logs/a.log", "new\n");
    then_got("new", NULL);
    files_append("logs/a.log", "newer\n");
    then_got("newer", NULL);
}

static void
a_file_truncated_and_grown_past_our_offset_is_read_from_its_beginning(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    files_write("logs/a.log", "1st\n2nd\n3rd\n");
    then_got("1st", "2nd", "3rd", NULL);
}

/* Its head is not looked at while it is open: the bytes before our offset tell. */
static void
a_long_file_truncated_and_grown_past_our_offset_is_read_from_its_beginning(void **state)
{
    char line[80];

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        snprintf(line, sizeof line, "%06u a line that makes this file longer than a head\n", i);
        files_append("logs/a.log", line);
    }
    given_running();
    then_got_sorted(100);
    strings_fini(&got);
    assert_int_equal(truncate(files_path("logs/a.log"), 0), 0);
    for (unsigned i = 200; i < 350; i++) {
        snprintf(line, sizeof line, "%06u a line that makes this file longer than a head\n", i);
        files_append("logs/a.log", line);
    }
    then_got_sorted(150);
}

static void
a_truncation_waits_for_no_acknowledgement(void **state)
{
    (void)state;
    acknowledging = false;
    files_append("logs/a.log", "one\n");
    given_running();
    wanted = 1;
    assert_true(turn_until(have_wanted));
    files_write("logs/a.log", "");
    files_append("logs/a.log", "new\n");
    wanted = 2;
    assert_true(turn_until(have_wanted));
    acknowledging = true;
    then_got("one", "new", NULL);
}

static void
a_hole_after_a_truncation_is_no_record(void **state)
{
    const int fd = open(files_path("logs/a.log"), O_WRONLY | O_CREAT, 0644);

    (void)state;
    assert_int_equal(write(fd, "one\ntwo\n", 8), 8);
    given_running();
    then_got("one", "two", NULL);
    assert_int_equal(truncate(files_path("logs/a.log"), 0), 0);
    assert_int_equal(write(fd, "three\n", 6), 6);       /* at offset 8: NULs before it */
    then_got("three", NULL);
    assert_int_equal(write(fd, "four\n", 5), 5);
    then_got("four", NULL);
    close(fd);
}

static void
a_switched_link_leads_to_the_new_file(void **state)
{
    (void)state;
    files_append("one", "1\n");
    files_append("two", "2\n");
    files_link("one", "logs/a.log");
    given_running();
    then_got("1", NULL);
    files_append("one", "late\n");
    files_link("two", "link");
    files_rename("link", "logs/a.log");
    then_got_sorted(2);
    assert_string_equal(got.list[0], "2");
    assert_string_equal(got.list[1], "late");
}

static void
a_rename_over_a_followed_file_changes_to_the_new_one(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    files_append("next", "two\n");
    files_rename("next", "logs/a.log");
    then_got("two", NULL);
}

static void
append_hole(const char *name, size_t len)
{
    static const char nuls[8192];

    files_put(name, nuls, len, O_APPEND);
}

static void
a_hole_before_the_first_line_of_a_new_file_is_no_record(void **state)
{
    (void)state;
    given_patterns_for_copies();
    append_hole("logs/a.log", 5000);
    append_numbers("logs/a.log", 0, 10);
    given_running();
    then_got_numbers(0, 10);
    append_hole("logs/a.log.1", 6000);
    append_numbers("logs/a.log.1", 10, 20);
    then_got_numbers(10, 20);
}

static void
a_hole_that_has_grown_while_we_were_down_is_no_record(void **state)
{
    (void)state;
    given_patterns_for_copies();
    append_hole("logs/a.log", 3000);
    append_numbers("logs/a.log", 0, 1);
    acknowledging = false;                      /* its place is remembered, the line is not */
    given_running();
    wanted = 1;
    assert_true(turn_until(have_wanted));
    assert_int_equal(strtoul(got.list[0], NULL, 10), 0);
    strings_fini(&got);
    when_stopped();
    acknowledging = true;
    truncate_file("logs/a.log");
    append_hole("logs/a.log", 5000);
    append_numbers("logs/a.log", 1, 10);
    given_running();
    then_got_numbers(1, 10);
}

static void
a_file_that_was_truncated_before_it_was_read_is_another(void **state)
{
    (void)state;
    given_patterns_for_copies();
    append_numbers("logs/a.log", 0, 30);
    given_running();
    then_got_numbers(0, 30);
    copy_file("logs/a.log", "logs/a.log.1");
    assert_true(turn_until(has_held_one));
    truncate_file("logs/a.log.1");
    append_hole("logs/a.log.1", 8000);
    append_numbers("logs/a.log.1", 30, 40);
    then_got_numbers(30, 40);
}

static void
a_file_that_had_a_name_of_the_patterns_only_in_passing_is_read(void **state)
{
    (void)state;
    forget_settings();
    with("paths", files_path("logs/a.log"));
    append_numbers("logs/a.log", 0, 1);
    given_running();
    then_got_numbers(0, 1);
    append_numbers("logs/next", 1, 10);
    files_rename("logs/next", "logs/a.log");
    files_rename("logs/a.log", "logs/a.log.1");
    files_rename("logs/a.log.1", "logs/a.log.2");
    then_got_numbers(1, 10);
}

static void
the_old_target_of_a_link_is_found_although_it_was_not_open(void **state)
{
    (void)state;
    given_patterns_for_copies();
    with("paths", files_path("logs/a.log"));
    append_numbers("logs/data.1", 0, 10);
    files_link("logs/data.1", "logs/a.log");
    given_running();
    then_got_numbers(0, 10);
    file_tail_close(find_tail("logs/a.log"));
    append_numbers("logs/data.1", 10, 20);
    append_numbers("logs/data.2", 20, 21);
    files_link("logs/data.2", "logs/new");
    files_rename("logs/new", "logs/a.log");
    then_got_sorted(11);
}

/* ---- Across restarts --------------------------------------------------------- */

static void
a_restart_goes_on_at_the_checkpoint(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    when_stopped();
    files_append("logs/a.log", "two\n");
    given_running();
    then_got("two", NULL);
}

static void
what_was_not_acknowledged_is_sent_again(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    acknowledging = false;
    files_append("logs/a.log", "two\n");
    wanted = 1;
    assert_true(turn_until(have_wanted));
    when_stopped();
    strings_fini(&got);
    acknowledging = true;
    given_running();
    then_got("two", NULL);
}

static void
a_file_renamed_while_down_goes_on(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    when_stopped();
    files_append("logs/a.log", "two\n");
    files_rename("logs/a.log", "logs/b.log");
    files_append("logs/a.log", "new\n");
    given_running();
    then_got_sorted(2);
    assert_string_equal(got.list[0], "new");
    assert_string_equal(got.list[1], "two");
}

static void
a_file_rewritten_while_down_is_read_from_its_beginning(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    when_stopped();
    files_write("logs/a.log", "1st\n2nd\n");        /* the same inode, longer than before */
    given_running();
    then_got("1st", "2nd", NULL);
    when_stopped();
    files_append("logs/a.log", "3rd\n");
    given_running();
    then_got("3rd", NULL);
}

static void
a_partial_line_is_never_sent_by_a_stop(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\npart");
    given_running();
    then_got("one", NULL);
    when_stopped();
    files_append("logs/a.log", "ial\n");
    given_running();
    then_got("partial", NULL);
}

static void
a_file_renamed_out_of_the_patterns_while_down_is_finished(void **state)
{
    (void)state;
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    when_stopped();
    append_numbers("logs/a.log", 100, 130);
    files_rename("logs/a.log", "logs/a.log.1");
    append_numbers("logs/a.log", 130, 140);
    given_running();
    then_got_sorted(40);
    assert_int_equal(strtoul(got.list[0], NULL, 10), 100);
    strings_fini(&got);
    awaited = "logs/a.log.1";
    assert_true(turn_until(is_closed));
    when_stopped();
    files_rename("logs/a.log.1", "logs/b.log");     /* back into the patterns */
    given_running();
    then_nothing_comes();
}

static void
a_remembered_file_that_is_gone_is_reported_and_forgotten(void **state)
{
    size_t count;

    (void)state;
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    when_stopped();
    files_remove("logs/a.log");
    files_append("logs/b.log", "new\n");
    given_running();
    then_got("new", NULL);
    when_stopped();
    given_running();
    (void)checkpoints_rows(store, &count);
    assert_int_equal(count, 1);
    then_nothing_comes();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    TEST(rename_and_create_loses_nothing),
    TEST(a_file_renamed_before_anybody_looked_is_read),
    TEST(a_rotated_name_inside_the_patterns_is_not_read_again),
    TEST(a_file_deleted_while_unread_is_read_to_its_end),
    TEST(a_last_line_without_end_is_sent_when_the_file_is_gone),
    TEST(a_file_renamed_out_and_back_is_not_read_again),
    TEST(a_finished_file_that_comes_back_is_not_read_again),
    TEST(a_finished_file_that_is_deleted_is_forgotten),
    TEST(a_truncated_file_is_read_from_its_beginning),
    TEST(a_file_truncated_and_grown_past_our_offset_is_read_from_its_beginning),
    TEST(a_long_file_truncated_and_grown_past_our_offset_is_read_from_its_beginning),
    TEST(a_truncation_waits_for_no_acknowledgement),
    TEST(a_hole_after_a_truncation_is_no_record),
    TEST(a_switched_link_leads_to_the_new_file),
    TEST(a_rename_over_a_followed_file_changes_to_the_new_one),
    TEST(a_restart_goes_on_at_the_checkpoint),
    TEST(what_was_not_acknowledged_is_sent_again),
    TEST(a_file_renamed_while_down_goes_on),
    TEST(a_file_rewritten_while_down_is_read_from_its_beginning),
    TEST(a_partial_line_is_never_sent_by_a_stop),
    TEST(a_hole_before_the_first_line_of_a_new_file_is_no_record),
    TEST(a_hole_that_has_grown_while_we_were_down_is_no_record),
    TEST(a_file_that_was_truncated_before_it_was_read_is_another),
    TEST(a_file_that_had_a_name_of_the_patterns_only_in_passing_is_read),
    TEST(the_old_target_of_a_link_is_found_although_it_was_not_open),
    TEST(a_file_renamed_out_of_the_patterns_while_down_is_finished),
    TEST(a_remembered_file_that_is_gone_is_reported_and_forgotten),
};

int
main(void)
{
    log_set_up(getenv("LOUD") != NULL ? LOG_DEBUG : LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
