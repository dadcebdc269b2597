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
