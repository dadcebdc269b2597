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
#include <zlib.h>

#include "inputs/file_copy.h"
#include "inputs/file_mark.h"
#include "tests/unit/inputs/file_world.h"

static int
set_up_copies(void **state)
{
    set_up(state);
    forget_settings();
    with("paths", files_path("logs/a.log*"));
    with("rescan", "200ms");
    with("poll", "50ms");
    with("linger", "100ms");
    return 0;
}

/* ---- Given ------------------------------------------------------------------------- */

static bool
is_held(void)
{
    const struct file_tail *t = find_tail(awaited);

    return t != NULL && t->held_at != 0 && t->read.fd >= 0 && t->state == TAIL_WAITING;
}

static void
when_held(const char *name)
{
    awaited = name;
    assert_true(turn_until(is_held));
}

static bool
is_none_held(void)
{
    const struct file_tail *t;

    TAILQ_FOREACH(t, &the_input()->all, all)
        if (t->held_at != 0)
            return false;
    return true;
}

static bool
is_waiting(void)
{
    const struct file_tail *t = find_tail(awaited);

    return t != NULL && t->read_at != 0 && t->state == TAIL_WAITING && !t->is_due;
}

/* It has no turn to be read. */
static void
when_held_back(const char *name)
{
    awaited = name;
    assert_true(turn_until(is_waiting));
    find_tail(name)->state = TAIL_HOLDING;
}

static void
when_released(const char *name)
{
    find_tail(name)->state = TAIL_WAITING;
    file_tail_wake(find_tail(name));
}

/* As gzip(1) does it: the original goes when the copy is whole. */
static void
compress_file(const char *from, const char *to)
{
    char    bytes[65536];
    ssize_t len;
    gzFile  out = gzopen(files_path(to), "wb");
    int     fd = open(files_path(from), O_RDONLY);

    while ((len = read(fd, bytes, sizeof bytes)) > 0)
        assert_int_equal(gzwrite(out, bytes, (unsigned)len), len);
    close(fd);
    assert_int_equal(gzclose(out), Z_OK);
    files_remove(from);
}

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

static uint64_t wait_over;

static bool
is_wait_over(void)
{
    return clock_ms() > wait_over;
}

static int
tear_down_copies(void **state)
{
    if (blocked)
        when_pool_is_free();
    return tear_down(state);
}

/* ---- Tests --------------------------------------------------------------------------- */

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
    assert_true(turn_until(is_none_held));
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
    assert_true(turn_until(is_none_held));
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
    };
    log_set_up(getenv("LOUD") != NULL ? LOG_DEBUG : LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
