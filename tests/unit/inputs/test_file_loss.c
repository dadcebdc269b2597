/* test_file_loss.c - what nobody has read yet is not lost, or told of; and a file is known again
 * whatever became of it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "inputs/file_follow.h"
#include "tests/unit/inputs/file_world.h"

static bool
has_lost_bytes(void)
{
    return the_input()->lost_bytes > 0;
}

static bool
is_searched(void)
{
    return file_search_is_idle(the_input());
}

static bool
is_holding(void)
{
    const struct file_tail *t;
    struct stat             st;

    assert_int_equal(stat(files_path(awaited), &st), 0);
    t = file_follow_find(the_input(), st.st_dev, st.st_ino);
    return t != NULL && t->state == TAIL_HOLDING && t->read.fd >= 0;
}

/* Memory for one chunk, and that is out. */
static void
given_an_outage(void)
{
    memory = 1;
    acknowledging = false;
    files_append("logs/0.log", "first\n");
    given_running();
    wanted = 1;
    assert_true(turn_until(have_wanted));
}

/* Its row says how much was left. */
static void
unread_bytes_of_a_file_deleted_while_down_are_reported(void **state)
{
    (void)state;
    acknowledging = false;
    append_numbers("logs/a.log", 0, 100);
    given_running();
    wanted = 100;
    assert_true(turn_until(have_wanted));
    when_stopped();
    strings_fini(&got);
    files_remove("logs/a.log");
    acknowledging = true;
    given_running();
    assert_true(turn_until(has_lost_bytes));
    assert_int_equal(the_input()->lost_bytes, 100 * NUMBER_LEN);
    then_nothing_comes();
    when_stopped();
    given_running();                    /* once */
    then_nothing_comes();
    assert_int_equal(the_input()->lost_bytes, 0);
}

static void
a_file_deleted_while_down_that_was_read_to_its_end_is_not_lost(void **state)
{
    size_t count;

    (void)state;
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    when_stopped();
    files_remove("logs/a.log");
    given_running();
    (void)checkpoints_rows(store, &count);
    assert_int_equal(count, 1);
    then_nothing_comes();
    assert_true(turn_until(is_searched));
    assert_int_equal(the_input()->lost_bytes, 0);
    when_stopped();
    given_running();
    (void)checkpoints_rows(store, &count);
    assert_int_equal(count, 0);
}

/* Nothing of it had arrived yet. */
static void
a_file_of_which_nothing_was_acknowledged_is_found_under_its_new_name(void **state)
{
    (void)state;
    acknowledging = false;
    append_numbers("logs/a.log", 0, 50);
    given_running();
    wanted = 50;
    assert_true(turn_until(have_wanted));
    when_stopped();
    strings_fini(&got);
    files_rename("logs/a.log", "logs/a.log.1");
    acknowledging = true;
    given_running();
    then_got_numbers(0, 50);
}

static void
unread_bytes_of_a_file_deleted_without_a_descriptor_are_reported(void **state)
{
    struct file_tail *t;

    (void)state;
    append_numbers("logs/a.log", 0, 10);
    given_running();
    then_got_numbers(0, 10);
    t = TAILQ_FIRST(&the_input()->all);
    file_tail_close(t);
    file_source(t)->size += 1000;       /* as a look had told */
    files_remove("logs/a.log");
    assert_true(turn_until(has_lost_bytes));
    assert_int_equal(the_input()->lost_bytes, 1000);
    then_forgotten("logs/a.log");
}

static void
a_file_that_waits_for_memory_is_held_open(void **state)
{
    (void)state;
    given_an_outage();
    files_append("logs/a.log", "one\ntwo");
    awaited = "logs/a.log";
    assert_true(turn_until(is_holding));
    files_remove("logs/a.log");
    (void)turn_until(has_turned);
    acknowledging = true;
    then_got("first", "one", "two", NULL);
    then_forgotten("logs/a.log");
}

static void
a_file_rotated_many_times_in_an_outage_loses_nothing(void **state)
{
    (void)state;
    given_an_outage();
    for (unsigned i = 0; i < 5; i++) {
        append_numbers("logs/a.log", i * 10, i * 10 + 10);
        awaited = "logs/a.log";
        assert_true(turn_until(is_holding));
        if (i > 1)
            files_remove("logs/a.log.2");
        if (i > 0)
            files_rename("logs/a.log.1", "logs/a.log.2");
        files_rename("logs/a.log", "logs/a.log.1");
    }
    acknowledging = true;
    then_got_sorted(51);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(strtoul(got.list[i], NULL, 10), i);
}

/* What it had read before says nothing about where its copy goes on. */
static void
a_rewound_file_that_is_truncated_is_read_from_its_copy(void **state)
{
    struct file_tail *t;

    (void)state;
    acknowledging = false;
    append_numbers("logs/a.log", 0, 100);
    given_running();
    wanted = 100;
    assert_true(turn_until(have_wanted));
    append_numbers("logs/a.log", 100, 150);
    wanted = 150;
    assert_true(turn_until(have_wanted));
    assert_true(turn_until(has_turned));
    npending = 0;                                   /* the output lets go of them */
    strings_fini(&got);
    t = TAILQ_FIRST(&the_input()->all);
    pipeline_rewind(pipeline, file_source(t), NULL, "the test wants it", NULL);
    copy_file("logs/a.log", "logs/a.log.1");
    truncate_file("logs/a.log");
    append_numbers("logs/a.log", 150, 160);
    acknowledging = true;
    then_got_sorted(160);
    for (unsigned i = 0; i < 160; i++)
        assert_int_equal(strtoul(got.list[i], NULL, 10), i);
}

/* How far the second long line was looked at says nothing about the first one. */
static void
a_rewound_file_with_long_lines_loses_none_between_them(void **state)
{
    const size_t len = 300000;
    char        *text = mem_alloc(2 * len);

    (void)state;
    with("max_line", "1KiB");
    with("long_lines", "truncate");
    memset(text, 'x', 2 * len);
    memcpy(text + len, "\nbetween\n", 9);
    files_put("logs/a.log", text, 2 * len, 0);
    free(text);
    acknowledging = false;
    given_running();
    wanted = 2;
    assert_true(turn_until(have_wanted));
    assert_true(turn_until(has_turned));
    npending = 0;                                   /* the output lets go of them */
    strings_fini(&got);
    pipeline_rewind(pipeline, file_source(TAILQ_FIRST(&the_input()->all)), NULL,
                    "the test wants it", NULL);
    files_append("logs/a.log", "\nlast\n");
    acknowledging = true;
    wanted = 4;
    assert_true(turn_until(have_wanted));
    assert_string_equal(got.list[1], "between");
    assert_string_equal(got.list[3], "last");
}

static void
an_old_file_goes_on_at_its_checkpoint_when_it_is_written_to(void **state)
{
    const struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };

    (void)state;
    with("ignore_older", "1h");
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    when_stopped();
    utimensat(AT_FDCWD, files_path("logs/a.log"), old, 0);
    given_running();
    then_followed("logs/a.log");
    then_nothing_comes();
    assert_int_equal(find_tail("logs/a.log")->read.fd, -1);
    files_append("logs/a.log", "two\n");
    then_got("two", NULL);
}

static void
folders_that_come_and_go_at_once_are_no_trouble(void **state)
{
    char name[64], file[80];

    (void)state;
    forget_settings();
    with("paths", files_path("logs/**/*.log"));
    with("rescan", "200ms");
    given_running();
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "logs/%u", i % 10);
        snprintf(file, sizeof file, "%s/a.log", name);
        files_folder(name);
        files_append(file, "maybe\n");
        if (i % 7 == 0)
            uv_run(&loop, UV_RUN_NOWAIT);
        files_remove(file);
        files_remove(name);
    }
    (void)turn_until(is_quiet);
    strings_fini(&got);
    files_folder("logs/1");
    files_folder("logs/1/deep");
    files_append("logs/1/deep/a.log", "one\n");
    then_got("one", NULL);
    files_append("logs/1/deep/a.log", "two\n");
    then_got("two", NULL);
}

static void
a_file_that_two_patterns_mean_is_read_once(void **state)
{
    (void)state;
    forget_settings();
    with("paths", files_path("{logs/*.log,logs/a.*,logs/**/a.log}"));
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    files_append("logs/a.log", "two\n");
    then_got("two", NULL);
}

static void
a_file_moved_to_another_folder_is_read_to_its_end(void **state)
{
    (void)state;
    files_folder("away");
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    files_append("logs/a.log", "two\n");
    files_rename("logs/a.log", "away/a.log");
    files_append("away/a.log", "late\n");
    files_append("logs/a.log", "new\n");
    then_got_sorted(3);
    assert_string_equal(got.list[0], "late");
    assert_string_equal(got.list[1], "new");
    assert_string_equal(got.list[2], "two");
}

/* However long its acknowledgement takes, and as long as it grows. */
static void
a_deleted_file_is_let_go_only_when_it_is_quiet_and_acknowledged(void **state)
{
    const int fd = open(files_path("logs/a.log"), O_WRONLY | O_CREAT | O_APPEND, 0644);

    (void)state;
    forget_settings();
    with("paths", files_path("logs/*.log"));
    with("poll", "20ms");
    with("linger", "1m");
    assert_int_equal(write(fd, "one\n", 4), 4);
    given_running();
    then_got("one", NULL);
    files_remove("logs/a.log");
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(write(fd, "more\n", 5), 5);
        then_got("more", NULL);
    }
    acknowledging = false;
    assert_int_equal(write(fd, "last\n", 5), 5);
    wanted = 1;
    assert_true(turn_until(have_wanted));
    the_input()->conf.linger = 100;             /* and that is over */
    usleep(200000);
    (void)turn_until(has_turned);
    assert_non_null(find_tail("logs/a.log"));
    acknowledging = true;
    then_forgotten("logs/a.log");
    close(fd);
}

static void
a_file_rewritten_in_place_at_the_same_length_is_read_again(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\ntwo\n");
    given_running();
    then_got("one", "two", NULL);
    files_put("logs/a.log", "1st\n2nd\n", 8, 0);        /* neither truncated nor longer */
    then_got("1st", "2nd", NULL);
}

/* The kernel gives a free number out again. */
static void
an_inode_reused_while_down_is_another_file(void **state)
{
    struct stat before, now;

    (void)state;
    files_append("logs/a.log", "one\ntwo\n");
    given_running();
    then_got("one", "two", NULL);
    when_stopped();
    assert_int_equal(stat(files_path("logs/a.log"), &before), 0);
    files_remove("logs/a.log");
    for (unsigned i = 0; i < 1000; i++) {
        char name[32];

        snprintf(name, sizeof name, "logs/%u.tmp", i);
        files_append(name, "a new file with this inode\n");
        assert_int_equal(stat(files_path(name), &now), 0);
        if (now.st_ino != before.st_ino)
            continue;
        files_rename(name, "logs/a.log");
        given_running();
        then_got("a new file with this inode", NULL);
        return;
    }
    print_message("this file system does not give an inode out again\n");
    skip();
}

static void
a_lost_database_begins_files_at_their_beginning(void **state)
{
    (void)state;
    with("start", "end");
    files_append("logs/a.log", "one\n");
    files_folder("state");
    files_write("state/stoker.db", "this is no database, but longer than the header of one is: "
                "more than a hundred bytes of text");
    given_running();
    then_got("one", NULL);
    when_stopped();
    files_append("logs/a.log", "two\n");
    given_running();
    then_got("two", NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unread_bytes_of_a_file_deleted_while_down_are_reported),
        TEST(a_file_deleted_while_down_that_was_read_to_its_end_is_not_lost),
        TEST(a_file_of_which_nothing_was_acknowledged_is_found_under_its_new_name),
        TEST(unread_bytes_of_a_file_deleted_without_a_descriptor_are_reported),
        TEST(a_file_that_waits_for_memory_is_held_open),
        TEST(a_file_rotated_many_times_in_an_outage_loses_nothing),
        TEST(a_rewound_file_that_is_truncated_is_read_from_its_copy),
        TEST(a_rewound_file_with_long_lines_loses_none_between_them),
        TEST(an_old_file_goes_on_at_its_checkpoint_when_it_is_written_to),
        TEST(folders_that_come_and_go_at_once_are_no_trouble),
        TEST(a_file_that_two_patterns_mean_is_read_once),
        TEST(a_file_moved_to_another_folder_is_read_to_its_end),
        TEST(a_deleted_file_is_let_go_only_when_it_is_quiet_and_acknowledged),
        TEST(a_file_rewritten_in_place_at_the_same_length_is_read_again),
        TEST(an_inode_reused_while_down_is_another_file),
        TEST(a_lost_database_begins_files_at_their_beginning),
    };
    log_set_up(getenv("LOUD") != NULL ? LOG_DEBUG : LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
