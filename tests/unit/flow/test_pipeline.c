/* test_pipeline.c - who may read, and what acknowledgements do.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/flow/output.h"
#include "agent/flow/pipeline.h"
#include "agent/flow/plan.h"
#include "agent/flow/transform.h"

enum { MAX_SENT = 4096, MiB = 1024 * 1024 };

/* An output that keeps what it gets until the test reports it. */
static struct chunk *sent[MAX_SENT];
static uint32_t      sent_count[MAX_SENT];
static size_t        nsent, reported;

static bool          pins_sent;     /* until fake_yield() */
static unsigned      nyields;

static void
fake_send(struct output *o, const struct run *run)
{
    (void)o;
    assert_true(nsent < MAX_SENT);
    run->chunk->pins += pins_sent;
    sent[nsent] = run->chunk;
    sent_count[nsent++] = run->count;
}

static void fake_yield(struct output *o);

static char                    output_name[] = "main";
static const struct output_ops ops = { .send = fake_send, .yield = fake_yield };
static struct output           output;

static uv_loop_t        loop;
static struct names    *names;
static struct plan     *plan;
static struct route     route;
static struct pipeline *p;

static void
fake_yield(struct output *o)
{
    (void)o;
    nyields++;
    while (reported < nsent)
        pipeline_unpin(p, sent[reported++]);
}

/* A source whose room() is counted, and that reads when it is called. */
struct reader {
    struct source base;
    unsigned      rooms, advanced, rewound;
    bool          eager;        /* reads whenever it can */
    size_t        left;         /* chunks it still wants to read */
};

static void read_chunk(struct reader *r);

static void
on_room(struct source *s)
{
    struct reader *r = (struct reader *)s;

    r->rooms++;
    if (r->eager)
        read_chunk(r);
}

static void
on_advanced(struct source *s)
{
    ((struct reader *)s)->advanced++;
}

static void
on_rewound(struct source *s, const char *reason)
{
    assert_non_null(reason);
    ((struct reader *)s)->rewound++;
}

static const struct source_ops reader_ops = { on_room, on_advanced, on_rewound };

/* 100 KiB in lines of 1 KiB. */
static void
work(struct job *job)
{
    struct chunk *c = job->chunk;

    c->len = 100 * 1024;
    for (size_t i = 0; i < c->len; i++)
        c->bytes[i] = i % 1024 == 1023 ? '\n' : 'x';
    assert_int_equal(transform_chunk(job->source->plan, job->scratch, c, false), TRANSFORM_DONE);
}

static void
done(struct job *job)
{
    struct reader *r = (struct reader *)job->source;

    pipeline_push(&job);
    assert_null(job);
    if (r->eager && r->left > 0)
        read_chunk(r);
}

static void
read_chunk(struct reader *r)
{
    struct job *job = pipeline_job(p, &r->base, CHUNK_SIZE);

    if (job == NULL)
        return;
    if (r->left > 0)
        r->left--;
    pipeline_run(job, work, done);
}

static struct reader
a_reader(void)
{
    struct reader r = { .rooms = 0 };

    source_init(&r.base, &reader_ops, plan, "/a");
    return r;
}

static void
given_pipeline(uint64_t memory)
{
    const struct pipeline_conf conf = {
        .loop = &loop, .memory = memory, .workers = 2, .names = names,
    };

    p = pipeline_new(&conf);
}

/* Turn the loop until nothing more happens by itself. */
static void
settle(void)
{
    do
        uv_run(&loop, UV_RUN_NOWAIT);
    while (uv_loop_alive(&loop) && (loop.active_reqs.count > 0 || uv_backend_timeout(&loop) == 0));
}

static void
when_all_are_reported(void)
{
    while (reported < nsent) {
        pipeline_delivered(p, sent[reported], sent_count[reported]);
        reported++;
    }
}

static int
set_up(void **state)
{
    (void)state;
    uv_loop_init(&loop);
    names = names_new();
    plan = plan_new("in", "host");
    plan->max_line = 4096;
    route = (struct route){ .output = &output, .value = ROUTE_VALUE_BODY };
    plan_add_route(plan, &route);
    output = (struct output){ .ops = &ops, .name = output_name };
    nsent = reported = nyields = 0;
    pins_sent = false;
    return 0;
}

static void
on_closed(void *ctx)
{
    *(bool *)ctx = true;
}

static int
tear_down(void **state)
{
    bool closed = false;

    (void)state;
    pipeline_stop(p, on_closed, &closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(closed);
    pipeline_free(p);
    assert_int_equal(uv_loop_close(&loop), 0);
    plan_free(plan);
    names_free(names);
    return 0;
}

static void
a_chunk_goes_out_and_its_acknowledgement_moves_committed(void **state)
{
    struct reader          r;
    struct pipeline_counts counts;

    (void)state;
    given_pipeline(64 * MiB);
    r = a_reader();
    read_chunk(&r);
    settle();
    assert_int_equal(nsent, 1);
    assert_int_equal(sent_count[0], 100);
    assert_int_equal(r.base.window.committed, 0);
    assert_false(pipeline_idle(p));
    pipeline_delivered(p, sent[0], 99);
    assert_int_equal(r.base.window.committed, 0);
    pipeline_delivered(p, sent[0], 1);
    assert_int_equal(r.base.window.committed, 100 * 1024);
    assert_int_equal(r.advanced, 1);
    assert_true(pipeline_idle(p));
    pipeline_counts(p, &counts);
    assert_int_equal(counts.read_records, 100);
    assert_int_equal(counts.acked_records, 100);
    assert_int_equal(counts.acked_bytes, 100 * 1024);
    assert_int_equal(counts.in_flight, 0);
    source_fini(&r.base);
}

static void
memory_stays_under_the_budget_and_reading_goes_on_when_there_is_room(void **state)
{
    struct reader          r;
    struct pipeline_counts counts;
    size_t                 before;

    (void)state;
    given_pipeline(8 * MiB);
    r = a_reader();
    r.eager = true;
    r.left = 500;
    read_chunk(&r);
    settle();
    assert_true(nsent > 10 && nsent < 100);
    while (r.left > 0) {
        pipeline_counts(p, &counts);
        assert_true(counts.memory <= 8 * MiB);
        before = nsent;
        when_all_are_reported();
        settle();
        assert_true(nsent > before);
    }
    when_all_are_reported();
    assert_int_equal(r.base.window.committed, nsent * 100 * 1024);
    assert_true(pipeline_idle(p));
    source_fini(&r.base);
}

static void
a_backlog_does_not_keep_another_source_from_its_turn(void **state)
{
    struct reader greedy, small;

    (void)state;
    given_pipeline(8 * MiB);
    greedy = a_reader();
    small = a_reader();
    greedy.eager = true;
    greedy.left = 500;
    read_chunk(&greedy);
    settle();
    small.eager = true;
    small.left = 1;
    read_chunk(&small);
    when_all_are_reported();
    settle();
    assert_int_equal(small.left, 0);
    greedy.left = 0;
    when_all_are_reported();
    settle();
    when_all_are_reported();
    assert_true(pipeline_idle(p));
    source_fini(&greedy.base);
    source_fini(&small.base);
}

static void
a_chunk_that_is_pinned_is_acknowledged_and_not_reused(void **state)
{
    struct reader          r;
    struct pipeline_counts counts;

    (void)state;
    given_pipeline(64 * MiB);
    r = a_reader();
    read_chunk(&r);
    settle();
    sent[0]->pins++;
    when_all_are_reported();
    assert_int_equal(r.base.window.committed, 100 * 1024);
    pipeline_counts(p, &counts);
    assert_int_equal(counts.chunks, 1);
    assert_int_equal(counts.records_out - counts.records_held, 0);  /* nothing is sent again */
    pipeline_unpin(p, sent[0]);
    pipeline_counts(p, &counts);
    assert_int_equal(counts.chunks, 0);
    assert_int_equal(counts.records_held, 0);
    source_fini(&r.base);
}

/* ---- Outputs that do otherwise ---------------------------------------------- */

static void
when_rejected(struct chunk *c, uint32_t i, const char *reason)
{
    const struct run run = { .output = &output, .topic = SLICE("t"), .chunk = c, .first = i,
                             .count = 1 };

    c->pins++;
    pipeline_rejected(p, &run, &c->messages[i], reason);
    pipeline_unpin(p, c);
}

static void
what_an_at_most_once_output_was_given_has_arrived(void **state)
{
    struct reader          r;
    struct pipeline_counts counts;

    (void)state;
    output.at_most_once = true;
    given_pipeline(64 * MiB);
    r = a_reader();
    read_chunk(&r);
    settle();
    pipeline_counts(p, &counts);
    assert_int_equal(r.base.window.committed, 100 * 1024);
    assert_int_equal(counts.in_flight, 0);
    assert_int_equal(counts.acked_records, 100);
    assert_true(pipeline_idle(p));
    source_fini(&r.base);
}

static void
what_it_gives_up_is_lost_and_its_memory_is_free(void **state)
{
    struct reader          r;
    struct pipeline_counts counts;

    (void)state;
    output.at_most_once = true;
    pins_sent = true;
    given_pipeline(64 * MiB);
    r = a_reader();
    read_chunk(&r);
    settle();
    pipeline_counts(p, &counts);
    assert_int_equal(r.base.window.committed, 100 * 1024);
    assert_int_equal(counts.chunks, 1);
    assert_int_equal(counts.records_held, 100);
    pipeline_lost(p, &output, sent[0], 30);
    pipeline_unpin(p, sent[0]);
    pipeline_counts(p, &counts);
    assert_int_equal(counts.lost, 30);
    assert_int_equal(counts.acked_records, 70);
    assert_true(pipeline_idle(p));
    source_fini(&r.base);
}

static void
when_memory_is_short_only_an_at_most_once_output_is_pressed_for_one_source(void **state)
{
    struct reader r;

    (void)state;
    output.at_most_once = pins_sent = true;
    given_pipeline(4 * MiB);
    pipeline_add_output(p, &output);
    r = a_reader();
    r.eager = true;
    r.left = 100;
    read_chunk(&r);
    settle();
    assert_true(r.left > 50 && nsent > 2);          /* its share is used up */
    while (nyields == 0)
        uv_run(&loop, UV_RUN_ONCE);                 /* which unpins everything */
    while (r.left > 0)
        uv_run(&loop, UV_RUN_ONCE);
    settle();
    fake_yield(&output);
    assert_int_equal(r.base.window.committed, 100 * 100 * 1024);
    source_fini(&r.base);
}

static void
a_rejected_message_is_dropped_if_the_output_says_so(void **state)
{
    struct reader          r;
    struct pipeline_counts counts;

    (void)state;
    output.on_rejected = REJECTED_DROP;
    given_pipeline(64 * MiB);
    r = a_reader();
    read_chunk(&r);
    settle();
    when_rejected(sent[0], 3, "odd");
    pipeline_delivered(p, sent[0], 99);
    pipeline_counts(p, &counts);
    assert_int_equal(counts.lost, 1);
    assert_int_equal(counts.dead_letters, 0);
    assert_int_equal(counts.acked_records, 99);
    assert_int_equal(r.base.window.committed, 100 * 1024);
    source_fini(&r.base);
}

static void
a_halted_source_stops_before_the_record_and_holds_no_memory(void **state)
{
    struct reader halted, other;

    (void)state;
    output.on_rejected = REJECTED_HALT;
    given_pipeline(64 * MiB);
    halted = a_reader();
    other = a_reader();
    halted.left = 2;
    halted.eager = true;
    read_chunk(&halted);
    settle();
    when_rejected(sent[1], 60, "odd");
    when_rejected(sent[1], 40, "odd again");
    assert_non_null(strstr(halted.base.halted, "byte 163840: odd"));
    assert_null(pipeline_job(p, &halted.base, CHUNK_SIZE));
    settle();
    assert_int_equal(halted.rewound, 0);            /* others of it are still out */
    pipeline_delivered(p, sent[0], 100);
    pipeline_delivered(p, sent[1], 98);
    settle();
    assert_int_equal(halted.rewound, 1);
    assert_int_equal(halted.base.window.committed, (100 + 40) * 1024);
    assert_true(pipeline_idle(p));
    assert_null(pipeline_job(p, &halted.base, CHUNK_SIZE));
    read_chunk(&other);
    settle();
    assert_int_equal(nsent, 3);
    pipeline_delivered(p, sent[2], 100);
    assert_int_equal(other.base.window.committed, 100 * 1024);
    source_fini(&halted.base);
    source_fini(&other.base);
}

static void
a_chunk_that_comes_after_the_halt_is_not_sent(void **state)
{
    struct reader r;

    (void)state;
    output.on_rejected = REJECTED_HALT;
    given_pipeline(64 * MiB);
    r = a_reader();
    read_chunk(&r);
    settle();
    read_chunk(&r);                                 /* with the worker */
    when_rejected(sent[0], 0, "odd");
    settle();
    assert_int_equal(nsent, 1);
    pipeline_delivered(p, sent[0], 99);
    settle();
    assert_int_equal(r.base.window.committed, 0);
    assert_true(pipeline_idle(p));
    source_fini(&r.base);
}

static void
what_cannot_be_read_again_is_a_dead_letter_and_no_halt(void **state)
{
    struct reader          r;
    struct pipeline_counts counts;

    (void)state;
    output.on_rejected = REJECTED_HALT;
    given_pipeline(64 * MiB);
    r = a_reader();
    r.base.once = true;
    read_chunk(&r);
    settle();
    when_rejected(sent[0], 0, "odd");
    pipeline_delivered(p, sent[0], 99);
    settle();
    pipeline_counts(p, &counts);
    assert_int_equal(counts.dead_letters, 1);
    assert_null(r.base.halted);
    assert_int_equal(r.base.window.committed, 100 * 1024);
    source_fini(&r.base);
}

static void
one_record_at_a_time_waits_for_its_acknowledgement_and_is_one_chunk(void **state)
{
    struct reader r;

    (void)state;
    plan->one_at_a_time = true;
    given_pipeline(64 * MiB);
    r = a_reader();
    r.eager = true;
    r.left = 3;
    read_chunk(&r);
    settle();
    for (size_t i = 1; i <= 3; i++) {
        assert_int_equal(nsent, i);
        assert_int_equal(sent_count[i - 1], 1);
        assert_int_equal(r.base.window.committed, (i - 1) * 1024);
        when_all_are_reported();
        settle();
    }
    assert_int_equal(r.base.window.committed, 3 * 1024);
    source_fini(&r.base);
}

static void
a_rewound_source_reads_again_from_committed(void **state)
{
    struct reader          r;
    struct pipeline_counts counts;

    (void)state;
    given_pipeline(64 * MiB);
    r = a_reader();
    read_chunk(&r);
    settle();
    pipeline_rewind(p, &r.base, NULL, "because", NULL);
    assert_int_equal(r.rewound, 1);
    assert_int_equal(window_end(&r.base.window), 0);
    assert_true(pipeline_idle(p));
    pipeline_counts(p, &counts);
    assert_int_equal(counts.read_records, 0);
    assert_int_equal(counts.in_flight, 0);
    source_fini(&r.base);
}

/* A line, and which scratch it was made with. */
static void
work_little(struct job *job)
{
    memcpy(job->chunk->bytes, "line\n", 5);
    job->chunk->len = 5;
    assert_int_equal(transform_chunk(job->source->plan, job->scratch, job->chunk, false),
                     TRANSFORM_DONE);
}

static struct scratch *
read_little(struct reader *r, size_t size)
{
    struct job     *job = pipeline_job(p, &r->base, size);
    struct scratch *scratch;

    assert_non_null(job);
    scratch = job->scratch;
    assert_true(job->chunk->size >= size);
    pipeline_run(job, work_little, done);
    return scratch;
}

static void
small_jobs_of_one_turn_of_the_loop_go_to_a_worker_together(void **state)
{
    struct reader         readers[100];
    struct scratch       *first, *large;
    struct pipeline_counts counts;

    (void)state;
    given_pipeline(64 * MiB);
    for (size_t i = 0; i < 100; i++)
        readers[i] = a_reader();
    first = read_little(&readers[0], CHUNK_SMALL);
    for (size_t i = 1; i < 64; i++)
        assert_ptr_equal(read_little(&readers[i], 100), first);
    large = read_little(&readers[64], CHUNK_SMALL + 1);
    assert_ptr_not_equal(large, first);
    assert_ptr_not_equal(read_little(&readers[65], CHUNK_SMALL), first);
    assert_null(pipeline_job(p, &readers[66].base, CHUNK_SIZE));    /* workers + 1 errands */
    settle();
    assert_int_equal(readers[66].rooms, 1);
    assert_int_equal(nsent, 66);
    when_all_are_reported();
    settle();
    pipeline_counts(p, &counts);
    assert_int_equal(counts.acked_records, 66);
    assert_true(counts.memory < 2 * MiB);
    for (size_t i = 0; i < 100; i++)
        source_fini(&readers[i].base);
}

static void
a_small_chunk_is_large_enough_for_what_a_line_may_become(void **state)
{
    struct reader r;

    (void)state;
    given_pipeline(64 * MiB);
    for (size_t i = 1; i < CHUNK_SMALL_MESSAGES; i++)
        plan_add_route(plan, &route);
    r = a_reader();
    (void)read_little(&r, CHUNK_SMALL);
    assert_int_equal(r.base.wanted, CHUNK_SIZE);
    settle();
    when_all_are_reported();
    source_fini(&r.base);
}

static void
what_is_behind_a_chunk_that_stays_is_read_again(void **state)
{
    struct reader          r;
    struct pipeline_counts counts;

    (void)state;
    given_pipeline(64 * MiB);
    r = a_reader();
    read_chunk(&r);
    settle();
    read_chunk(&r);
    settle();
    pipeline_rewind(p, &r.base, r.base.window.oldest, "because", NULL);
    assert_int_equal(r.rewound, 1);
    assert_int_equal(window_end(&r.base.window), r.base.window.oldest->end);
    pipeline_counts(p, &counts);
    assert_int_equal(counts.chunks, 1);
    nsent = 1;                                  /* the output has nothing of the other one */
    when_all_are_reported();
    assert_true(pipeline_idle(p));
    source_fini(&r.base);
}

/* What had arrived would come twice: it is not read again before the window moves. */
static void
a_source_that_is_rewound_over_what_has_arrived_is_parked(void **state)
{
    struct reader          r;
    struct pipeline_counts counts;
    uint64_t               moves = 3;

    (void)state;
    given_pipeline(64 * MiB);
    r = a_reader();
    read_chunk(&r);
    settle();
    read_chunk(&r);
    settle();
    pipeline_delivered(p, sent[1], sent_count[1] / 2);
    pipeline_rewind(p, &r.base, r.base.window.oldest, "because", &moves);
    assert_true(r.base.parked);
    assert_false(source_may_go_on(&r.base));
    moves++;
    assert_true(source_may_go_on(&r.base));
    pipeline_counts(p, &counts);
    assert_int_equal(counts.in_flight, sent_count[0]);
    assert_int_equal(counts.read_records, sent_count[0]);
    nsent = 1;                                  /* the output has nothing of the other one */
    when_all_are_reported();
    assert_false(r.base.parked);
    pipeline_counts(p, &counts);
    assert_int_equal(counts.in_flight, 0);
    assert_int_equal(counts.acked_records, sent_count[0]);
    source_fini(&r.base);
}

static void
who_waits_with_nothing_out_starves(void **state)
{
    struct reader a, b;

    (void)state;
    given_pipeline(1 * MiB);
    a = a_reader();
    b = a_reader();
    read_chunk(&a);
    settle();
    assert_null(pipeline_job(p, &a.base, CHUNK_SIZE));
    usleep(20 * 1000);
    uv_update_time(&loop);
    assert_int_equal(pipeline_starving(p), 0);      /* it has something out itself */
    assert_null(pipeline_job(p, &b.base, CHUNK_SIZE));
    assert_in_range(pipeline_starving(p), 15, 10000);
    when_all_are_reported();
    settle();
    assert_int_equal(b.rooms, 1);
    assert_int_equal(pipeline_starving(p), 0);
    source_fini(&a.base);
    source_fini(&b.base);
}

static void
a_closed_pipeline_gives_no_turn(void **state)
{
    struct reader r;

    (void)state;
    given_pipeline(64 * MiB);
    r = a_reader();
    pipeline_close(p);
    assert_null(pipeline_job(p, &r.base, CHUNK_SIZE));
    settle();
    assert_int_equal(r.rooms, 0);
    source_fini(&r.base);
}

static void
a_source_that_forgot_its_turn_is_not_called(void **state)
{
    struct reader a, b;

    (void)state;
    given_pipeline(4 * MiB);
    a = a_reader();
    b = a_reader();
    a.eager = true;
    a.left = 100;
    read_chunk(&a);
    settle();
    read_chunk(&b);
    pipeline_forget(p, &b.base);
    a.left = 0;
    when_all_are_reported();
    settle();
    when_all_are_reported();
    settle();
    when_all_are_reported();
    assert_int_equal(b.rooms, 0);
    assert_true(pipeline_idle(p));
    source_fini(&a.base);
    source_fini(&b.base);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_chunk_goes_out_and_its_acknowledgement_moves_committed),
        TEST(memory_stays_under_the_budget_and_reading_goes_on_when_there_is_room),
        TEST(a_backlog_does_not_keep_another_source_from_its_turn),
        TEST(a_chunk_that_is_pinned_is_acknowledged_and_not_reused),
        TEST(what_an_at_most_once_output_was_given_has_arrived),
        TEST(what_it_gives_up_is_lost_and_its_memory_is_free),
        TEST(when_memory_is_short_only_an_at_most_once_output_is_pressed_for_one_source),
        TEST(a_rejected_message_is_dropped_if_the_output_says_so),
        TEST(a_halted_source_stops_before_the_record_and_holds_no_memory),
        TEST(a_chunk_that_comes_after_the_halt_is_not_sent),
        TEST(what_cannot_be_read_again_is_a_dead_letter_and_no_halt),
        TEST(one_record_at_a_time_waits_for_its_acknowledgement_and_is_one_chunk),
        TEST(a_rewound_source_reads_again_from_committed),
        TEST(small_jobs_of_one_turn_of_the_loop_go_to_a_worker_together),
        TEST(a_small_chunk_is_large_enough_for_what_a_line_may_become),
        TEST(what_is_behind_a_chunk_that_stays_is_read_again),
        TEST(a_source_that_is_rewound_over_what_has_arrived_is_parked),
        TEST(who_waits_with_nothing_out_starves),
        TEST(a_closed_pipeline_gives_no_turn),
        TEST(a_source_that_forgot_its_turn_is_not_called),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
