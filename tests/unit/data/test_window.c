/* test_window.c - committed never jumps over a gap.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/data/window.h"

static struct window w;

static int
set_up(void **state)
{
    (void)state;
    window_init(&w, 100, (struct tail_print){ 0, 0 });
    return 0;
}

static size_t
free_all(struct chunk *c)
{
    size_t count = 0;

    while (c != NULL) {
        struct chunk *newer = c->newer;

        chunk_free(&c);
        c = newer;
        count++;
    }
    return count;
}

static int
tear_down(void **state)
{
    (void)state;
    free_all(window_clear(&w));
    return 0;
}

/* Push a chunk of `n` messages, all handed to the output. */
static struct chunk *
given_chunk(uint64_t end, uint32_t n, int64_t lead)
{
    struct chunk *c = chunk_new(CHUNK_SIZE), *borrowed = c;

    chunk_begin(c, NULL, window_end(&w), "/var/log/x", "x");
    for (uint32_t i = 0; i < n; i++)
        chunk_add(c);
    c->end = end;
    c->tail = (struct tail_print){ 1, end };
    c->lead = lead;
    window_push(&w, &c);
    assert_null(c);
    return borrowed;
}

static struct chunk *
given_sent(uint64_t end, uint32_t n)
{
    return given_chunk(end, n, 0);
}

static struct chunk *
given_sent_with_lead(uint64_t end, int64_t lead)
{
    return given_chunk(end, 1, lead);
}

/* How many chunks become free when `n` more messages of it arrive. */
static size_t
when_acked(struct chunk *c, uint32_t n)
{
    c->acked += n;
    return free_all(window_advance(&w));
}

static void
acks_move_committed_when_the_chunk_is_complete(void **state)
{
    struct chunk *c = given_sent(150, 2);

    (void)state;
    assert_int_equal(when_acked(c, 1), 0);
    assert_int_equal(w.committed, 100);
    assert_int_equal(when_acked(c, 1), 1);
    assert_int_equal(w.committed, 150);
    assert_int_equal(w.tail.hash, 150);
}

static void
a_newer_chunk_waits_for_the_older(void **state)
{
    struct chunk *older = given_sent(150, 1);
    struct chunk *newer = given_sent(200, 1);

    (void)state;
    assert_int_equal(when_acked(newer, 1), 0);
    assert_int_equal(w.committed, 100);
    assert_int_equal(when_acked(older, 1), 2);      /* both at once */
    assert_int_equal(w.committed, 200);
    assert_int_equal(w.length, 0);
}

static void
a_chunk_without_messages_is_delivered_at_once(void **state)
{
    (void)state;
    given_sent(180, 0);
    assert_int_equal(free_all(window_advance(&w)), 1);
    assert_int_equal(w.committed, 180);
}

static void
a_chunk_without_messages_does_not_overtake(void **state)
{
    struct chunk *older = given_sent(150, 1);

    (void)state;
    given_sent(180, 0);
    assert_null(window_advance(&w));
    assert_int_equal(w.committed, 100);
    assert_int_equal(when_acked(older, 1), 2);
    assert_int_equal(w.committed, 180);
}

static void
a_chunk_that_an_output_points_into_stays_behind_committed(void **state)
{
    struct chunk *c = given_sent(150, 1);

    (void)state;
    c->pins = 1;
    c->records = 3;
    assert_int_equal(when_acked(c, 1), 0);
    assert_int_equal(w.committed, 150);
    assert_int_equal(w.tail.hash, 150);
    assert_int_equal(w.length, 1);
    assert_int_equal(w.held_records, 3);
    c->pins = 0;
    assert_int_equal(when_acked(c, 0), 1);
    assert_int_equal(w.held_records, 0);
    assert_int_equal(w.committed, 150);
}

static void
chunks_behind_committed_go_in_any_order_but_the_newest(void **state)
{
    struct chunk *c[5];

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        c[i] = given_sent(110 + 10 * i, 1);
        c[i]->pins = 1;
        c[i]->records = 1;
        c[i]->acked = 1;
    }
    assert_null(window_advance(&w));
    assert_int_equal(w.committed, 150);
    c[1]->pins = c[3]->pins = c[4]->pins = 0;
    assert_int_equal(free_all(window_advance(&w)), 2);      /* 1 and 3 */
    assert_int_equal(w.held_records, 3);
    assert_int_equal(window_end(&w), 150);
    given_sent(160, 1);                                     /* behind what stays */
    assert_int_equal(w.committed, 150);
    assert_int_equal(free_all(window_advance(&w)), 1);      /* 4 is not the newest any more */
    c[0]->pins = c[2]->pins = 0;
    assert_int_equal(free_all(window_advance(&w)), 2);
    assert_int_equal(w.held_records, 0);
    assert_int_equal(w.length, 1);
    assert_int_equal(when_acked(w.oldest, 1), 1);
    assert_int_equal(w.committed, 160);
}

static void
the_lead_goes_with_the_offset(void **state)
{
    struct chunk *c = given_sent(150, 1), *same;

    (void)state;
    c->lead = 20;
    assert_int_equal(window_lead(&w), 20);
    assert_int_equal(w.lead, 0);
    same = given_sent_with_lead(150, 30);       /* one stream alone has moved on */
    assert_int_equal(window_lead(&w), 30);
    assert_int_equal(when_acked(c, 1), 1);
    assert_int_equal(w.lead, 20);
    assert_int_equal(when_acked(same, 1), 1);
    assert_int_equal(w.lead, 30);
    assert_int_equal(w.committed, 150);
}

static void
clearing_keeps_committed(void **state)
{
    (void)state;
    given_sent(150, 1);
    given_sent(200, 1);
    assert_int_equal(free_all(window_clear(&w)), 2);
    assert_int_equal(w.committed, 100);
    assert_int_equal(window_end(&w), 100);
}

static void
the_newest_chunks_are_cut_off_and_read_again(void **state)
{
    struct chunk *kept = given_sent(150, 2);

    (void)state;
    (void)given_sent(200, 1);
    (void)given_sent(250, 1);
    assert_int_equal(free_all(window_cut(&w, kept)), 2);
    assert_int_equal(window_end(&w), 150);
    assert_int_equal(w.length, 1);
    (void)given_sent(180, 1);
    assert_int_equal(when_acked(kept, 2), 1);
    assert_int_equal(w.committed, 150);
    assert_int_equal(free_all(window_cut(&w, w.newest)), 0);
    assert_int_equal(w.length, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(acks_move_committed_when_the_chunk_is_complete),
        TEST(a_newer_chunk_waits_for_the_older),
        TEST(a_chunk_without_messages_is_delivered_at_once),
        TEST(a_chunk_without_messages_does_not_overtake),
        TEST(a_chunk_that_an_output_points_into_stays_behind_committed),
        TEST(chunks_behind_committed_go_in_any_order_but_the_newest),
        TEST(the_lead_goes_with_the_offset),
        TEST(clearing_keeps_committed),
        TEST(the_newest_chunks_are_cut_off_and_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
