/* test_limit.c - of many records, exactly so many.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent/flow/limit.h"

enum { SECOND = 1000 * 1000 * 1000 };

static struct limit  *l;
static struct errors  errs;
static uint64_t       now;

static int
set_up(void **state)
{
    (void)state;
    now = 12345678901234;
    l = NULL;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    limit_free(l);
    errors_fini(&errs);
    return 0;
}

static void
compile(const char *sample, const char *rate)
{
    const struct mark at = { "a.yaml", 2, 9 };
    const struct node s = { .kind = NODE_SCALAR, .at = at, .text = sample,
                            .len = sample != NULL ? strlen(sample) : 0 };
    const struct node r = { .kind = NODE_SCALAR, .at = at, .text = rate,
                            .len = rate != NULL ? strlen(rate) : 0 };

    errors_fini(&errs);
    limit_free(l);
    l = limit_new("route", sample != NULL ? &s : NULL, rate != NULL ? &r : NULL, &errs);
}

static void
given(const char *sample, const char *rate)
{
    compile(sample, rate);
    if (l == NULL)
        fail_msg("%s", errs.count > 0 ? errs.list[0].text : "no limit");
}

/* How many of the next `n` records are sent. */
static unsigned
sent_of(unsigned n)
{
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++)
        count += limit_takes(l, now);
    return count;
}

/* ---- sample ---------------------------------------------------------------- */

static void
the_first_of_every_hundred_is_sent(void **state)
{
    (void)state;
    given("1/100", NULL);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(limit_takes(l, now), i % 100 == 0);
}

static void
a_larger_part_is_spread_evenly(void **state)
{
    char seen[11] = "";

    (void)state;
    given("3/10", NULL);
    for (unsigned i = 0; i < 10; i++)
        seen[i] = limit_takes(l, now) ? 'x' : '.';
    assert_string_equal(seen, "x...x..x..");
    given("999999999/1000000000", NULL);
    assert_int_equal(sent_of(1000), 999);
}

static void
all_of_them_is_all(void **state)
{
    (void)state;
    given("5/5", NULL);
    assert_int_equal(sent_of(100), 100);
}

/* ---- rate_limit ------------------------------------------------------------- */

static void
a_burst_of_a_second_is_sent_at_once_and_no_more(void **state)
{
    (void)state;
    given(NULL, "1000/s");
    assert_int_equal(sent_of(5000), 1000);
}

static void
room_comes_back_evenly(void **state)
{
    (void)state;
    given(NULL, "1000/s");
    (void)sent_of(1000);
    now += SECOND / 1000 - 1;
    assert_int_equal(sent_of(10), 0);
    now += 1;
    assert_int_equal(sent_of(10), 1);
    now += SECOND / 10;
    assert_int_equal(sent_of(1000), 100);
}

static void
silence_is_not_saved_up(void **state)
{
    (void)state;
    given(NULL, "10/s");
    (void)sent_of(10);
    now += 3600ull * SECOND;
    assert_int_equal(sent_of(100), 10);
}

static void
minutes_and_hours_are_longer_than_seconds(void **state)
{
    (void)state;
    given(NULL, "60/m");
    assert_int_equal(sent_of(100), 60);
    now += SECOND;
    assert_int_equal(sent_of(100), 1);
    given(NULL, "2/h");
    assert_int_equal(sent_of(100), 2);
    now += 1799ull * SECOND;
    assert_int_equal(sent_of(100), 0);
    now += SECOND;
    assert_int_equal(sent_of(100), 1);
}

static void
over_time_the_rate_is_kept(void **state)
{
    unsigned sent = 0;

    (void)state;
    given(NULL, "700/s");
    for (unsigned ms = 0; ms < 10000; ms++, now += SECOND / 1000)
        sent += sent_of(5);
    assert_in_range(sent, 7000 + 690, 7000 + 710);      /* the burst on top */
}

/* ---- Both, and from the beginning -------------------------------------------- */

static void
the_rate_counts_what_the_sample_has_left(void **state)
{
    (void)state;
    given("1/10", "5/s");
    assert_int_equal(sent_of(50), 5);
    assert_int_equal(sent_of(50), 0);
}

static void
a_reset_begins_anew(void **state)
{
    (void)state;
    given("1/10", "2/s");
    assert_int_equal(sent_of(15), 2);
    limit_reset(l);
    assert_true(limit_takes(l, now));
    assert_int_equal(sent_of(100), 1);
}

/* ---- Threads ----------------------------------------------------------------- */

enum { THREADS = 4, EACH = 50000 };

static atomic_uint sent_by_threads;

static void *
count_in_a_thread(void *unused)
{
    atomic_fetch_add(&sent_by_threads, sent_of(EACH));
    return unused;
}

static unsigned
sent_by_all_threads(void)
{
    pthread_t threads[THREADS];

    atomic_store(&sent_by_threads, 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_in_a_thread, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    return atomic_load(&sent_by_threads);
}

static void
threads_together_send_no_more_and_no_fewer(void **state)
{
    (void)state;
    given("1/100", NULL);
    assert_int_equal(sent_by_all_threads(), THREADS * EACH / 100);
    given(NULL, "12345/s");
    assert_int_equal(sent_by_all_threads(), 12345);
}

/* ---- Mistakes ---------------------------------------------------------------- */

static void
then_wrong(const char *sample, const char *rate, const char *saying)
{
    compile(sample, rate);
    assert_null(l);
    assert_int_equal(errs.count, 1);
    assert_int_equal(errs.list[0].at.line, 2);
    assert_int_equal(errs.list[0].at.column, 9);
    if (strstr(errs.list[0].text, saying) == NULL)
        fail_msg("'%s' lacks '%s'", errs.list[0].text, saying);
}

static void
what_is_no_part_is_a_mistake(void **state)
{
    static const char *const wrong[] = {
        "", "1", "100", "1%", "1/", "/100", "0/100", "1/0", "2/1", "-1/100", "1/-100", "1/100 ",
        " 1/100", "1/ 100", "1.5/100", "a/b", "1/100/2", "1/1000000001",
        "1/99999999999999999999999", "99999999999999999999999/1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        then_wrong(wrong[i], NULL, "route: 'sample' is a part of the records like 1/100, not '");
}

static void
what_is_no_rate_is_a_mistake(void **state)
{
    static const char *const wrong[] = {
        "", "1000", "1000/", "/s", "0/s", "-1/s", "1000/S", "1000/sec", "1000/d", "1000 /s",
        "1k/s", "1000/s ", "99999999999999999999999/s",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        then_wrong(NULL, wrong[i], "route: 'rate_limit' is a number of records a second");
    then_wrong(NULL, "10000001/s", "at most 10000000/s");
    given(NULL, "10000000/s");
}

static void
nothing_given_is_no_limit(void **state)
{
    const struct node null = { .kind = NODE_NULL };
    const struct node bad = { .kind = NODE_SCALAR, .text = "0", .len = 1, .bad = true };

    (void)state;
    compile(NULL, NULL);
    assert_null(l);
    assert_int_equal(errs.count, 0);
    assert_null(limit_new("route", &null, &bad, &errs));
    assert_int_equal(errs.count, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_of_every_hundred_is_sent),
        TEST(a_larger_part_is_spread_evenly),
        TEST(all_of_them_is_all),
        TEST(a_burst_of_a_second_is_sent_at_once_and_no_more),
        TEST(room_comes_back_evenly),
        TEST(silence_is_not_saved_up),
        TEST(minutes_and_hours_are_longer_than_seconds),
        TEST(over_time_the_rate_is_kept),
        TEST(the_rate_counts_what_the_sample_has_left),
        TEST(a_reset_begins_anew),
        TEST(threads_together_send_no_more_and_no_fewer),
        TEST(what_is_no_part_is_a_mistake),
        TEST(what_is_no_rate_is_a_mistake),
        TEST(nothing_given_is_no_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
