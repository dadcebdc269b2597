/* test_file.c - the file input on real files (file_world.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/inotify.h>

#include "tests/unit/inputs/file_world.h"

/* ---- Lines ------------------------------------------------------------------- */

static void
lines_are_read_and_followed(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\ntwo\n");
    given_running();
    then_got("one", "two", NULL);
    files_append("logs/a.log", "three\n");
    then_got("three", NULL);
    files_append("logs/a.log", "four\nfive\n");
    then_got("four", "five", NULL);
}

static void
a_partial_line_waits_for_its_end(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\ntw");
    given_running();
    then_got("one", NULL);
    files_append("logs/a.log", "o\nth");
    then_got("two", NULL);
    for (const char *p = "ree"; *p != '\0'; p++) {
        files_put("logs/a.log", p, 1, O_APPEND);
        then_nothing_comes();
    }
    files_append("logs/a.log", "\n");
    then_got("three", NULL);
}

static void
a_line_longer_than_a_chunk_is_whole(void **state)
{
    const size_t len = 700 * 1024;
    char        *line = mem_alloc(len + 1);

    (void)state;
    memset(line, 'x', len);
    line[len] = '\n';
    files_append("logs/a.log", "before\n");
    files_put("logs/a.log", line, len + 1, O_APPEND);
    files_append("logs/a.log", "after\n");
    given_running();
    line[len] = '\0';
    then_got("before", line, "after", NULL);
    free(line);
}

static void
a_line_that_never_ends_is_passed_over(void **state)
{
    char *block = mem_alloc(1 << 20);

    (void)state;
    memset(block, 'x', 1 << 20);
    with("max_line", "64");
    with("long_lines", "drop");
    files_append("logs/a.log", "before\n");
    for (unsigned i = 0; i < 20; i++)
        files_put("logs/a.log", block, 1 << 20, O_APPEND);
    given_running();
    then_got("before", NULL);
    files_append("logs/a.log", "xx\nafter\n");
    then_got("after", NULL);
    free(block);
}

static uint64_t read_before;

/* A quick job begins and ends within one turn of the loop. */
static bool
has_begun_to_read(void)
{
    const struct file_tail *t = TAILQ_FIRST(&the_input()->all);

    return t->state == TAIL_READING || t->read_at != read_before;
}

/* What is written after the job has read, and before it is back, must not be
 * missed: nothing else will tell of it. */
static void
an_event_during_a_read_is_not_forgotten(void **state)
{
    struct file_tail *t;

    (void)state;
    forget_settings();
    with("paths", files_path("logs/*.log"));
    with("rescan", "1h");
    with("poll", "1h");
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    t = TAILQ_FIRST(&the_input()->all);
    uv_poll_stop(&the_input()->watch.poll);
    uv_timer_stop(&the_input()->watch.again);
    for (unsigned i = 0; i < 50; i++) {
        read_before = t->read_at;
        file_tail_wake(t);
        assert_true(turn_until(has_begun_to_read));
        usleep(200);                    /* the worker is at it, or done */
        files_append("logs/a.log", "more\n");
        file_tail_wake(t);
        then_got("more", NULL);
    }
}

static void
an_unreadable_file_is_read_when_it_can_be(void **state)
{
    (void)state;
    given_no_privileges();
    files_append("logs/a.log", "one\n");
    assert_int_equal(chmod(files_path("logs/a.log"), 0), 0);
    files_append("logs/b.log", "two\n");
    given_running();
    then_got("two", NULL);
    assert_int_equal(chmod(files_path("logs/a.log"), 0644), 0);
    then_got("one", NULL);
}

static void
an_unreadable_folder_is_read_when_it_can_be(void **state)
{
    (void)state;
    given_no_privileges();
    files_append("logs/a.log", "one\n");
    assert_int_equal(chmod(files_path("logs"), 0), 0);
    given_running();
    then_nothing_comes();
    assert_int_equal(chmod(files_path("logs"), 0755), 0);
    then_got("one", NULL);
}

/* What is known stays known: only that the folder cannot be listed is new. */
static void
a_folder_that_becomes_unreadable_loses_no_file(void **state)
{
    (void)state;
    given_no_privileges();
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    files_append("logs/a.log", "two\n");
    assert_int_equal(chmod(files_path("logs"), 0), 0);
    then_got("two", NULL);
    then_nothing_comes();
    assert_int_equal(chmod(files_path("logs"), 0755), 0);
    files_append("logs/a.log", "three\n");
    then_got("three", NULL);
}

/* ---- Discovery --------------------------------------------------------------- */

static void
a_new_file_is_read_from_its_beginning(void **state)
{
    (void)state;
    with("start", "end");
    files_append("logs/old.log", "old\n");
    given_running();
    then_followed("logs/old.log");
    then_nothing_comes();
    files_append("logs/new.log", "new\n");
    then_got("new", NULL);
    files_append("logs/old.log", "more\n");
    then_got("more", NULL);
}

static void
start_at_the_end_keeps_a_line_whole(void **state)
{
    (void)state;
    with("start", "end");
    files_append("logs/a.log", "one\ntw");
    given_running();
    then_followed("logs/a.log");
    then_nothing_comes();
    files_append("logs/a.log", "o\n");
    then_got("two", NULL);
}

static void
start_at_the_end_holds_for_the_first_start_only(void **state)
{
    (void)state;
    with("start", "end");
    files_append("logs/a.log", "old\n");
    given_running();
    then_followed("logs/a.log");
    then_nothing_comes();
    when_stopped();
    files_append("logs/a.log", "while down\n");
    given_running();
    then_got("while down", NULL);
}

static void
two_names_of_one_file_are_one(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\n");
    assert_int_equal(link(files_path("logs/a.log"), files_path("logs/b.log")), 0);
    files_link("logs/a.log", "logs/c.log");
    given_running();
    then_got("one", NULL);
    files_append("logs/b.log", "two\n");
    then_got("two", NULL);
    files_append("logs/c.log", "three\n");
    then_got("three", NULL);
}

static void
a_fifo_and_a_folder_block_nobody(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(files_path("logs/fifo.log"), 0644), 0);
    files_folder("logs/folder.log");
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
}

static void
a_missing_folder_that_appears_is_followed(void **state)
{
    (void)state;
    assert_int_equal(rmdir(files_path("logs")), 0);
    given_running();
    then_nothing_comes();
    files_folder("logs");
    files_append("logs/a.log", "one\n");
    then_got("one", NULL);
}

static void
lost_events_are_made_up_for(void **state)
{
    const struct inotify_event overflow = { .wd = -1, .mask = IN_Q_OVERFLOW };
    struct file_input         *in;

    (void)state;
    forget_settings();
    with("paths", files_path("logs/*.log"));
    with("rescan", "1h");
    with("poll", "1h");
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    in = the_input();
    uv_poll_stop(&in->watch.poll);          /* the kernel's queue is full, so to say */
    uv_timer_stop(&in->watch.again);
    files_append("logs/a.log", "two\n");
    files_append("logs/b.log", "three\n");
    then_nothing_comes();
    file_watch_take(&in->watch, (const char *)&overflow, sizeof overflow);
    then_got_sorted(2);
}

static void
without_events_polling_finds_what_was_written(void **state)
{
    struct file_input *in;

    (void)state;
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    in = the_input();
    uv_poll_stop(&in->watch.poll);
    uv_timer_stop(&in->watch.again);
    files_append("logs/a.log", "two\n");
    then_got("two", NULL);
    files_append("logs/b.log", "three\n");
    then_got("three", NULL);
}

static void
an_old_file_is_not_opened_until_it_is_written_to(void **state)
{
    const struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };

    (void)state;
    with("ignore_older", "1h");
    files_append("logs/a.log", "one\n");
    utimensat(AT_FDCWD, files_path("logs/a.log"), old, 0);
    given_running();
    then_followed("logs/a.log");
    then_nothing_comes();
    assert_int_equal(find_tail("logs/a.log")->read.fd, -1);
    files_append("logs/a.log", "two\n");
    then_got("one", "two", NULL);
}

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

/* ---- Copies ------------------------------------------------------------------ */

static bool
has_held_one(void)
{
    struct file_tail *t;

    TAILQ_FOREACH(t, &the_input()->all, all)
        if (t->held_at != 0)
            return true;
    return false;
}

static bool
has_held_none(void)
{
    return !has_held_one();
}

static void
given_patterns_for_copies(void)
{
    forget_settings();
    with("paths", files_path("logs/a.log*"));
    with("rescan", "200ms");
    with("poll", "50ms");
    with("linger", "100ms");
}

static void
a_copy_before_a_truncation_is_not_read_again(void **state)
{
    (void)state;
    given_patterns_for_copies();
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    copy_file("logs/a.log", "logs/a.log.1");
    truncate_file("logs/a.log");
    append_numbers("logs/a.log", 100, 120);
    then_got_numbers(100, 120);
    assert_true(turn_until(has_held_none));
    then_nothing_comes();
    append_numbers("logs/a.log.1", 200, 210);
    then_got_numbers(200, 210);
}

static void
what_was_truncated_unread_is_read_from_the_copy(const char *copy)
{
    acknowledging = false;
    append_numbers("logs/a.log", 0, 100);
    given_running();
    wanted = 100;
    assert_true(turn_until(have_wanted));
    append_numbers("logs/a.log", 100, 150);     /* the loop does not turn: all unread */
    copy_file("logs/a.log", copy);
    truncate_file("logs/a.log");
    append_numbers("logs/a.log", 150, 160);
    acknowledging = true;
    then_got_sorted(160);
    for (unsigned i = 0; i < 160; i++)
        assert_int_equal(strtoul(got.list[i], NULL, 10), i);
}

static void
a_copy_in_the_patterns_has_what_was_truncated_unread(void **state)
{
    (void)state;
    given_patterns_for_copies();
    what_was_truncated_unread_is_read_from_the_copy("logs/a.log.1");
}

static void
a_copy_outside_the_patterns_has_what_was_truncated_unread(void **state)
{
    (void)state;
    what_was_truncated_unread_is_read_from_the_copy("logs/a.log.1");
}

/* The copy was made before the last lines, and those were read from the original. */
static void
a_copy_that_lacks_the_last_lines_is_not_read_again(void **state)
{
    (void)state;
    given_patterns_for_copies();
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    copy_file("logs/a.log", "logs/a.log.1");
    assert_true(turn_until(has_held_one));
    append_numbers("logs/a.log", 100, 101);
    then_got_numbers(100, 101);
    truncate_file("logs/a.log");
    append_numbers("logs/a.log", 101, 110);
    then_got_numbers(101, 110);
    assert_true(turn_until(has_held_none));
    then_nothing_comes();
}

static void
a_mere_copy_is_a_file_of_its_own(void **state)
{
    (void)state;
    given_patterns_for_copies();
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    copy_file("logs/a.log", "logs/a.log.1");
    then_got_numbers(0, 100);
}

static void
files_that_begin_alike_are_two(void **state)
{
    (void)state;
    given_patterns_for_copies();
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    append_numbers("logs/a.log.1", 0, 50);
    append_numbers("logs/a.log.1", 500, 510);
    assert_true(turn_until(has_held_one));
    truncate_file("logs/a.log");                /* as if it had been copied */
    then_got_sorted(60);
}

static void
a_copy_of_a_removed_file_is_not_read_again(void **state)
{
    (void)state;
    given_patterns_for_copies();
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    copy_file("logs/a.log", "logs/a.log.1");
    files_remove("logs/a.log");
    then_forgotten("logs/a.log");
    assert_true(turn_until(has_held_none));
    then_nothing_comes();
    append_numbers("logs/a.log.1", 100, 110);
    then_got_numbers(100, 110);
}

static void
a_copy_made_while_down_is_read_from_the_checkpoint(void **state)
{
    (void)state;
    given_patterns_for_copies();
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    when_stopped();
    append_numbers("logs/a.log", 100, 130);
    copy_file("logs/a.log", "logs/a.log.1");
    truncate_file("logs/a.log");
    append_numbers("logs/a.log", 130, 140);
    given_running();
    then_got_sorted(40);
    assert_int_equal(strtoul(got.list[0], NULL, 10), 100);
    assert_int_equal(strtoul(got.list[39], NULL, 10), 139);
    strings_fini(&got);
    when_stopped();
    given_running();
    then_nothing_comes();
}

static bool
has_looked_at_copy(void)
{
    const struct file_tail *t = find_tail("logs/a.log.1");

    return t != NULL && t->read_at != 0 && t->state == TAIL_WAITING;
}

static void
a_copy_that_was_met_while_it_was_empty_is_not_read_again(void **state)
{
    (void)state;
    given_patterns_for_copies();
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    files_write("logs/a.log.1", "");
    assert_true(turn_until(has_looked_at_copy));
    copy_file("logs/a.log", "logs/a.log.1");
    truncate_file("logs/a.log");
    append_numbers("logs/a.log", 100, 120);
    then_got_numbers(100, 120);
    assert_true(turn_until(has_held_none));
    then_nothing_comes();
}

static uint64_t wait_over;

static bool
is_wait_over(void)
{
    return clock_ms() > wait_over;
}

/* An outage: it cannot read, and does not know what its file is now. */
static void
when_held_back(const char *name)
{
    find_tail(name)->state = TAIL_HOLDING;
}

static void
when_released(const char *name)
{
    find_tail(name)->state = TAIL_WAITING;
    file_tail_wake(find_tail(name));
}

static void
then_the_copy_waits(void)
{
    assert_true(turn_until(has_held_one));
    wait_over = clock_ms() + 700;       /* more than what two short files get */
    assert_true(turn_until(is_wait_over));
    assert_true(has_held_one());
}

static void
a_copy_waits_as_long_as_its_original_is_held_back(void **state)
{
    (void)state;
    given_patterns_for_copies();
    append_numbers("logs/a.log", 0, 10);
    given_running();
    then_got_numbers(0, 10);
    when_held_back("logs/a.log");
    copy_file("logs/a.log", "logs/a.log.1");
    truncate_file("logs/a.log");
    then_the_copy_waits();
    when_released("logs/a.log");
    assert_true(turn_until(has_held_none));
    append_numbers("logs/a.log", 10, 12);
    then_got_numbers(10, 12);
}

static void
a_copy_may_be_of_a_file_of_which_only_a_word_was_seen(void **state)
{
    (void)state;
    given_patterns_for_copies();
    files_write("logs/a.log", "000000 short\n");
    given_running();
    then_got_numbers(0, 1);
    when_held_back("logs/a.log");
    append_numbers("logs/a.log", 1, 40);
    copy_file("logs/a.log", "logs/a.log.1");
    truncate_file("logs/a.log");
    then_the_copy_waits();
    when_released("logs/a.log");
    then_got_numbers(1, 40);
    then_nothing_comes();
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
    then_got_numbers(0, 1);
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

/* The row of the original must not be overtaken by that of its copy. */
static void
a_copy_made_in_an_outage_does_not_hide_what_a_kill_takes_back(void **state)
{
    (void)state;
    given_patterns_for_copies();
    append_numbers("logs/a.log", 0, 50);
    given_running();
    then_got_numbers(0, 50);
    acknowledging = false;
    append_numbers("logs/a.log", 50, 100);
    wanted = 50;
    assert_true(turn_until(have_wanted));       /* on its way, not acknowledged */
    copy_file("logs/a.log", "logs/a.log.1");
    truncate_file("logs/a.log");
    append_numbers("logs/a.log", 100, 110);
    wanted = 60;
    assert_true(turn_until(have_wanted));
    assert_true(turn_until(has_held_none));
    (void)turn_until(has_turned);
    when_stopped();                             /* with all of that still out */
    strings_fini(&got);
    acknowledging = true;
    given_running();
    then_got_sorted(60);
    for (unsigned i = 0; i < 60; i++)
        assert_int_equal(strtoul(got.list[i], NULL, 10), 50 + i);
}

/* ---- Descriptors ------------------------------------------------------------- */

static bool
is_without_descriptor(void)
{
    const struct file_tail *t = find_tail(awaited);

    return t != NULL && t->read.fd < 0 && t->state == TAIL_WAITING;
}

static void
a_quiet_file_is_closed_and_opened_again(void **state)
{
    (void)state;
    with("close_idle", "1s");
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    awaited = "logs/a.log";
    assert_true(turn_until(is_without_descriptor));
    files_append("logs/a.log", "two\n");
    then_got("two", NULL);
    assert_true(turn_until(is_without_descriptor));
    files_write("logs/a.log", "1st\n2nd\n3rd\n");
    then_got("1st", "2nd", "3rd", NULL);
}

static void
more_files_than_descriptors_are_all_followed(void **state)
{
    (void)state;
    given_running();
    the_input()->sweep.most_open = 2;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 8; i++) {
            char name[32];

            snprintf(name, sizeof name, "logs/%u.log", i);
            files_append(name, "line\n");
        }
        then_got_sorted(8);
        strings_fini(&got);
        assert_true(file_tail_descriptors() <= 2);
    }
}

static void
a_closed_file_that_was_renamed_is_read_on(void **state)
{
    (void)state;
    with("close_idle", "1s");
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    awaited = "logs/a.log";
    assert_true(turn_until(is_without_descriptor));
    files_rename("logs/a.log", "logs/a.log.1");
    files_append("logs/a.log.1", "late\n");
    then_got("late", NULL);
}

static void
a_reused_inode_is_another_file(void **state)
{
    struct file_tail *t;

    (void)state;
    with("close_idle", "1s");
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    awaited = "logs/a.log";
    assert_true(turn_until(is_without_descriptor));
    t = TAILQ_FIRST(&the_input()->all);
    file_source(t)->identity.head_hash ^= 1;        /* what was there had begun otherwise */
    files_append("logs/a.log", "two\n");
    then_got("one", "two", NULL);
}

/* ---- Pressure ---------------------------------------------------------------- */

static bool
is_all_out(void)
{
    return got.count == 3;
}

static void
a_rewound_file_is_read_again(void **state)
{
    struct file_tail *t;

    (void)state;
    acknowledging = false;
    files_append("logs/a.log", "one\ntwo\nthree\n");
    given_running();
    assert_true(turn_until(is_all_out));
    npending = 0;                                   /* the output lets go of them */
    strings_fini(&got);
    t = TAILQ_FIRST(&the_input()->all);
    assert_true(turn_until(has_turned));
    pipeline_rewind(pipeline, file_source(t), NULL, "the test wants it", NULL);
    assert_int_equal(t->state, TAIL_RESTING);
    acknowledging = true;
    then_got("one", "two", "three", NULL);
}

/* It has been rewound again and again, and would rest for half a minute. */
static void
a_rewound_file_goes_on_when_what_it_waits_for_moves(void **state)
{
    uint64_t          moves = 7, begin;
    struct file_tail *t;

    (void)state;
    acknowledging = false;
    files_append("logs/a.log", "one\ntwo\nthree\n");
    given_running();
    assert_true(turn_until(is_all_out));
    npending = 0;                                   /* the output lets go of them */
    strings_fini(&got);
    t = TAILQ_FIRST(&the_input()->all);
    assert_true(turn_until(has_turned));
    t->rests = 10;
    pipeline_rewind(pipeline, file_source(t), NULL, "the test wants it", &moves);
    assert_true(t->rest_until > clock_ms() + 20 * 1000);
    begin = clock_ms();
    file_source(t)->parked = true;                  /* then it would rest for ever */
    t->rest_until = 0;
    while (clock_ms() < begin + 1500)               /* a sweep and a half */
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(t->state, TAIL_RESTING);
    acknowledging = true;
    moves++;
    then_got("one", "two", "three", NULL);
    assert_true(clock_ms() < begin + 10 * 1000);
    assert_null(file_source(t)->stalled_by);
}

/* ---- Settings ---------------------------------------------------------------- */

static void
then_refused(const char *why)
{
    struct errors errs = { NULL, 0, 0 };

    assert_null(load(&errs));
    assert_int_equal(errs.count, 1);
    if (strstr(errs.list[0].text, why) == NULL)
        fail_msg("'%s' is not in '%s'", why, errs.list[0].text);
    errors_fini(&errs);
}

static void
wrong_settings_are_refused(void **state)
{
    (void)state;
    forget_settings();
    then_refused("paths");
    with("paths", "/a/[b");
    then_refused("no pattern");
    forget_settings();
    with("paths", "/a/b");
    with("remove", "always");
    then_refused("remove");
}

static void
the_list_has_every_file_once_and_sorted(void **state)
{
    struct errors  errs = { NULL, 0, 0 };
    struct strings paths = { NULL, 0, 0 };
    struct input  *in;
    struct error   err;

    (void)state;
    with("exclude", "c.log");
    files_append("logs/b.log", "");
    files_append("logs/a.log", "");
    files_append("logs/c.log", "");
    assert_int_equal(link(files_path("logs/b.log"), files_path("logs/d.log")), 0);
    in = load(&errs);
    assert_int_equal(in->ops->list(in, &paths, &err), 0);
    assert_int_equal(paths.count, 2);
    assert_string_equal(paths.list[0], files_path("logs/a.log"));
    assert_string_equal(paths.list[1], files_path("logs/b.log"));
    strings_fini(&paths);
    in->ops->free(in);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    TEST(lines_are_read_and_followed),
    TEST(a_partial_line_waits_for_its_end),
    TEST(a_line_longer_than_a_chunk_is_whole),
    TEST(a_line_that_never_ends_is_passed_over),
    TEST(an_event_during_a_read_is_not_forgotten),
    TEST(an_unreadable_file_is_read_when_it_can_be),
    TEST(an_unreadable_folder_is_read_when_it_can_be),
    TEST(a_folder_that_becomes_unreadable_loses_no_file),
    TEST(a_new_file_is_read_from_its_beginning),
    TEST(start_at_the_end_keeps_a_line_whole),
    TEST(start_at_the_end_holds_for_the_first_start_only),
    TEST(two_names_of_one_file_are_one),
    TEST(a_fifo_and_a_folder_block_nobody),
    TEST(a_missing_folder_that_appears_is_followed),
    TEST(lost_events_are_made_up_for),
    TEST(without_events_polling_finds_what_was_written),
    TEST(an_old_file_is_not_opened_until_it_is_written_to),
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
    TEST(a_copy_before_a_truncation_is_not_read_again),
    TEST(a_copy_in_the_patterns_has_what_was_truncated_unread),
    TEST(a_copy_outside_the_patterns_has_what_was_truncated_unread),
    TEST(a_copy_that_lacks_the_last_lines_is_not_read_again),
    TEST(a_copy_that_was_met_while_it_was_empty_is_not_read_again),
    TEST(a_copy_waits_as_long_as_its_original_is_held_back),
    TEST(a_copy_may_be_of_a_file_of_which_only_a_word_was_seen),
    TEST(a_hole_before_the_first_line_of_a_new_file_is_no_record),
    TEST(a_hole_that_has_grown_while_we_were_down_is_no_record),
    TEST(a_file_that_was_truncated_before_it_was_read_is_another),
    TEST(a_file_that_had_a_name_of_the_patterns_only_in_passing_is_read),
    TEST(the_old_target_of_a_link_is_found_although_it_was_not_open),
    TEST(a_copy_made_in_an_outage_does_not_hide_what_a_kill_takes_back),
    TEST(a_mere_copy_is_a_file_of_its_own),
    TEST(files_that_begin_alike_are_two),
    TEST(a_copy_of_a_removed_file_is_not_read_again),
    TEST(a_copy_made_while_down_is_read_from_the_checkpoint),
    TEST(a_file_renamed_out_of_the_patterns_while_down_is_finished),
    TEST(a_remembered_file_that_is_gone_is_reported_and_forgotten),
    TEST(a_quiet_file_is_closed_and_opened_again),
    TEST(more_files_than_descriptors_are_all_followed),
    TEST(a_closed_file_that_was_renamed_is_read_on),
    TEST(a_reused_inode_is_another_file),
    TEST(a_rewound_file_is_read_again),
    TEST(a_rewound_file_goes_on_when_what_it_waits_for_moves),
    TEST(wrong_settings_are_refused),
    TEST(the_list_has_every_file_once_and_sorted),
};

int
main(void)
{
    log_set_up(getenv("LOUD") != NULL ? LOG_DEBUG : LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
