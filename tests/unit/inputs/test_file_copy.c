/* test_file_copy.c - a copy is told from its original whatever comes first: the event, the
 * look, the search, or the end of the original.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "inputs/file_copy.h"
#include "inputs/file_mark.h"
#include "tests/unit/inputs/file_world.h"

static int
set_up_copies(void **state)
{
    set_up(state);
    given_patterns_for_copies();
    return 0;
}

/* ---- Given ------------------------------------------------------------------------- */

/* The threads of the pool, all of them: what is given to it waits. */
enum { POOL = 4 };

static bool      blocked;
static uv_sem_t  may_go, has_gone;
static uv_work_t blocks[POOL];

static void
block(uv_work_t *work)
{
    (void)work;
    uv_sem_post(&has_gone);
    uv_sem_wait(&may_go);
}

static void
when_pool_is_blocked(void)
{
    assert_int_equal(uv_sem_init(&may_go, 0), 0);
    assert_int_equal(uv_sem_init(&has_gone, 0), 0);
    for (unsigned i = 0; i < POOL; i++)
        assert_int_equal(uv_queue_work(&loop, &blocks[i], block, NULL), 0);
    for (unsigned i = 0; i < POOL; i++)
        uv_sem_wait(&has_gone);
    blocked = true;
}

static void
when_pool_is_free(void)
{
    blocked = false;
    for (unsigned i = 0; i < POOL; i++)
        uv_sem_post(&may_go);
}

static int
tear_down_copies(void **state)
{
    if (blocked)
        when_pool_is_free();
    return tear_down(state);
}

/* ---- What came before what ------------------------------------------------------------- */

/* Its event has not come, or never will: who says that it was not truncated? */
static void
a_copy_is_not_read_before_its_original_was_looked_at(void **state)
{
    struct file_tail *t, *original;

    (void)state;
    append_numbers("logs/a.log", 0, 10);
    given_running();
    then_got_numbers(0, 10);
    when_held_back("logs/a.log");
    copy_file("logs/a.log", "logs/a.log.1");
    truncate_file("logs/a.log");
    when_held("logs/a.log.1");
    t = find_tail("logs/a.log.1");
    original = find_tail("logs/a.log");
    t->held_at = original->seen_at + 1;
    original->read_at = 1;                      /* and so a while ago */
    wait_over = clock_ms() + 700;               /* its time is up */
    assert_true(turn_until(is_wait_over));
    when_held("logs/a.log.1");
    when_pool_is_blocked();
    original->state = TAIL_WAITING;
    assert_false(file_copy_may_read(t));
    assert_int_equal(original->state, TAIL_READING);
    assert_false(file_copy_may_read(t));        /* what the read brings is not known yet */
    when_pool_is_free();
    assert_true(turn_until(has_held_none));
    then_nothing_comes();
    append_numbers("logs/a.log", 10, 12);
    then_got_numbers(10, 12);
}

/* It is read all the time: its last look will do. */
static void
a_mere_copy_does_not_wait_for_a_busy_original_to_rest(void **state)
{
    struct file_tail *t, *original;

    (void)state;
    append_numbers("logs/a.log", 0, 10);
    given_running();
    then_got_numbers(0, 10);
    copy_file("logs/a.log", "logs/a.log.1");
    when_held("logs/a.log.1");
    original = find_tail("logs/a.log");
    t = find_tail("logs/a.log.1");
    when_held_back("logs/a.log");
    original->state = TAIL_READING;
    t->held_at = 1;
    original->seen_at = 1;                      /* before the copy's time was up */
    assert_false(file_copy_may_read(t));
    original->seen_at = clock_ms();
    assert_true(file_copy_may_read(t));
    original->state = TAIL_WAITING;
    t->held_at = clock_ms();
    then_got_numbers(0, 10);
}

/* It begins with the same long header, and never rests. */
static void
a_busy_file_that_begins_like_another_is_read_at_last(void **state)
{
    struct file_tail *t;

    (void)state;
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    append_numbers("logs/a.log.1", 0, 100);
    when_held("logs/a.log.1");
    t = find_tail("logs/a.log.1");
    t->active_at = clock_ms() + 3600 * 1000;
    t->held_at = clock_ms() - 4 * 60 * 1000;
    find_tail("logs/a.log")->seen_at = UINT64_MAX;
    assert_false(file_copy_may_read(t));
    t->held_at = clock_ms() - 5 * 60 * 1000;
    assert_true(file_copy_may_read(t));
    t->held_at = clock_ms() - 5 * 60 * 1000;
    then_got_numbers(0, 100);
}

/* The search has found a copy, and before it is opened it is compressed. */
static void
a_copy_that_is_gone_before_it_is_opened_is_looked_for_from_its_place(void **state)
{
    struct file_mark  place;
    struct identity   original;
    struct file_tail *t;

    (void)state;
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    place = file_mark_present(find_tail("logs/a.log"));
    original = file_source(find_tail("logs/a.log"))->identity;
    files_remove("logs/a.log");
    then_forgotten("logs/a.log");
    files_write("logs/a.log.1", "");
    awaited = "logs/a.log.1";
    assert_true(turn_until(is_waiting));
    t = find_tail("logs/a.log.1");
    file_tail_close(t);
    when_pool_is_blocked();
    append_numbers("logs/a.log.1", 0, 120);
    file_tail_event(t, EV_WAKE);
    file_source(t)->identity.head_len = original.head_len;      /* the search has seen it */
    file_source(t)->identity.head_hash = original.head_hash;
    assert_true(file_tail_place(t, &place));
    compress_file("logs/a.log.1", "logs/a.log.1.gz");
    when_pool_is_free();
    then_got_numbers(100, 120);
    then_nothing_comes();
}

static bool
is_done_for(void)
{
    const struct file_tail *t = find_tail(awaited);

    return t == NULL || (t->state == TAIL_CLOSED && !t->exists);
}

/* All of it had arrived, so nobody waits for it. */
static void
an_original_is_known_until_its_compressed_copy_was_opened(void **state)
{
    gzFile out;

    (void)state;
    append_numbers("logs/a.log", 0, 100);
    files_write("logs/a.log.1.gz", "");
    given_running();
    then_got_numbers(0, 100);
    find_tail("logs/a.log.1.gz")->read.peek = true;     /* as one that came later */
    when_held_back("logs/a.log.1.gz");
    compress_file("logs/a.log", "logs/a.log.1.gz");
    awaited = "logs/a.log";
    assert_true(turn_until(is_done_for));
    then_nothing_comes();
    assert_non_null(find_tail("logs/a.log"));
    when_released("logs/a.log.1.gz");
    then_forgotten("logs/a.log");
    assert_true(turn_until(has_held_none));
    then_nothing_comes();
    out = gzopen(files_path("logs/a.log.1.gz"), "ab");
    assert_true(gzputs(out, "and on\n") > 0);
    assert_int_equal(gzclose(out), Z_OK);
    then_got("and on", NULL);
}

/* A file that nobody can look at holds up others for a while only. */
static void
what_is_kept_for_files_that_nobody_can_look_at_has_a_limit(void **state)
{
    struct file_tail *t;

    (void)state;
    append_numbers("logs/a.log", 0, 10);
    files_write("logs/a.log.1.gz", "");
    given_running();
    then_got_numbers(0, 10);
    find_tail("logs/a.log.1.gz")->read.peek = true;
    when_held_back("logs/a.log.1.gz");
    file_tail_wake(find_tail("logs/a.log.1.gz"));
    assert_int_equal(the_input()->strangers, 1);
    t = find_tail("logs/a.log");
    the_input()->ghosts = 1000;
    assert_false(file_copy_keep(t));
    the_input()->ghosts = 999;
    assert_true(file_copy_keep(t));
    assert_int_equal(the_input()->ghosts, 1000);
    the_input()->ghosts = 1;
    when_released("logs/a.log.1.gz");
    then_nothing_comes();
    assert_int_equal(the_input()->strangers, 0);
    assert_int_equal(the_input()->ghosts, 0);
}

/* ---- Kinds of copies ------------------------------------------------------------------- */

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

#define TEST_FREE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_copies, tear_down_copies)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_copy_is_not_read_before_its_original_was_looked_at),
        TEST(a_mere_copy_does_not_wait_for_a_busy_original_to_rest),
        TEST(a_busy_file_that_begins_like_another_is_read_at_last),
        TEST(a_copy_that_is_gone_before_it_is_opened_is_looked_for_from_its_place),
        TEST(an_original_is_known_until_its_compressed_copy_was_opened),
        TEST(what_is_kept_for_files_that_nobody_can_look_at_has_a_limit),
        TEST_FREE(a_copy_before_a_truncation_is_not_read_again),
        TEST_FREE(a_copy_in_the_patterns_has_what_was_truncated_unread),
        TEST_FREE(a_copy_outside_the_patterns_has_what_was_truncated_unread),
        TEST_FREE(a_copy_that_lacks_the_last_lines_is_not_read_again),
        TEST_FREE(a_mere_copy_is_a_file_of_its_own),
        TEST_FREE(files_that_begin_alike_are_two),
        TEST_FREE(a_copy_of_a_removed_file_is_not_read_again),
        TEST_FREE(a_copy_made_while_down_is_read_from_the_checkpoint),
        TEST_FREE(a_copy_that_was_met_while_it_was_empty_is_not_read_again),
        TEST_FREE(a_copy_waits_as_long_as_its_original_is_held_back),
        TEST_FREE(a_copy_may_be_of_a_file_of_which_only_a_word_was_seen),
        TEST_FREE(a_copy_made_in_an_outage_does_not_hide_what_a_kill_takes_back),
    };
    log_set_up(getenv("LOUD") != NULL ? LOG_DEBUG : LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
