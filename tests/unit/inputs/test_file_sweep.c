/* test_file_sweep.c - what no event tells is found, and costs little while there is nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "tests/unit/inputs/file_world.h"

enum { FILES = 250 };           /* more than are looked at together */

/* Of files that are watched, no event comes any more. */
static void
given_no_events(void)
{
    struct file_input *in = the_input();

    uv_poll_stop(&in->watch.poll);
    uv_timer_stop(&in->watch.again);
}

/* Asked again and again, it keeps away the turn that each file has now and then. */
static bool
have_wanted_without_turn(void)
{
    the_input()->sweep.turned_at = clock_ms();
    return have_wanted();
}

static void
then_it_comes_without_turn(size_t lines)
{
    wanted = lines;
    if (!turn_until(have_wanted_without_turn))
        fail_msg("%zu lines came, not %zu", got.count, wanted);
    strings_fini(&got);
}

static bool
is_any_doubted(void)
{
    return the_input()->sweep.doubted > 0;
}

static bool
is_none_unheard(void)
{
    struct file_tail *t;

    TAILQ_FOREACH(t, &the_input()->all, all)
        if (t->unheard)
            return false;
    return true;
}

static bool
is_none_attended(void)
{
    return TAILQ_EMPTY(&the_input()->attended);
}

static void
a_file_that_has_grown_without_event_is_looked_at_often_from_then_on(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    given_no_events();
    files_append("logs/a.log", "two\n");
    then_got("two", NULL);              /* its turn */
    assert_true(find_tail("logs/a.log")->unheard);
    assert_false(is_any_doubted());
    files_append("logs/a.log", "three\n");
    then_it_comes_without_turn(1);
}

static void
a_file_whose_events_come_is_not(void **state)
{
    struct file_tail *t;

    (void)state;
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    t = find_tail("logs/a.log");
    t->unheard = true;                  /* the look was before the event */
    file_tail_attend(t);
    files_append("logs/a.log", "two\n");
    then_got("two", NULL);
    assert_true(turn_until(is_none_unheard));
    assert_true(turn_until(is_none_attended));
}

static void
where_one_was_unheard_twice_the_others_do_not_wait_for_their_turn(void **state)
{
    char name[40];

    (void)state;
    for (unsigned i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "logs/%u.log", i);
        files_append(name, "one\n");
    }
    given_running();
    then_got_sorted(FILES);
    strings_fini(&got);
    given_no_events();
    files_append("logs/0.log", "two\n");
    then_got("two", NULL);
    files_append("logs/0.log", "three\n");
    then_it_comes_without_turn(1);
    assert_true(is_any_doubted());
    for (unsigned i = 1; i < FILES; i++) {
        snprintf(name, sizeof name, "logs/%u.log", i);
        files_append(name, "two\n");
    }
    then_it_comes_without_turn(FILES - 1);
}

static void
nobody_wakes_up_for_quiet_files_with_events(void **state)
{
    (void)state;
    forget_settings();
    with("paths", files_path("logs/*.log"));
    with("poll", "1h");
    with("close_idle", "1h");
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    assert_true(is_none_attended());
    assert_true(uv_timer_get_due_in(&the_input()->sweep.timer) > 60 * 1000);
    files_remove("logs/a.log");         /* somebody has to see to it */
    while (is_none_attended())
        uv_run(&loop, UV_RUN_ONCE);
    assert_true(uv_timer_get_due_in(&the_input()->sweep.timer) <= 1000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_has_grown_without_event_is_looked_at_often_from_then_on),
        TEST(a_file_whose_events_come_is_not),
        TEST(where_one_was_unheard_twice_the_others_do_not_wait_for_their_turn),
        TEST(nobody_wakes_up_for_quiet_files_with_events),
    };

    log_set_up(LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
