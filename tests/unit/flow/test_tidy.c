/* test_tidy.c - what a busy time has left goes back to the system.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/flow/tidy.h"

enum { BLOCKS = 100, BLOCK = 64 * 1024, MIB = 1024 * 1024 };

static uv_loop_t   loop;
static struct tidy tidy;
static unsigned    asked, busy_for;
static bool        closed;

static bool
is_quiet(const void *ctx)
{
    (void)ctx;
    return ++asked > busy_for;
}

static void
on_closed(uv_handle_t *handle)
{
    assert_ptr_equal(handle->data, &asked);
    closed = true;
}

static int
set_up(void **state)
{
    (void)state;
    uv_loop_init(&loop);
    tidy_init(&tidy, &loop, is_quiet, &asked);
    asked = busy_for = 0;
    closed = false;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    if (!closed)
        tidy_close(&tidy, on_closed, &asked);
    uv_run(&loop, UV_RUN_DEFAULT);
    return closed && uv_loop_close(&loop) == 0 ? 0 : -1;
}

/* Many blocks below one that stays: free, they are the heap's and not the system's. */
static void *
given_a_heap_with_holes(void)
{
    char *blocks[BLOCKS], *last;

    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = memset(mem_alloc(BLOCK), 1, BLOCK);
    last = mem_alloc(64);
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    return last;
}

static uint64_t
resident_set(void)
{
    unsigned long pages = 0;
    FILE         *f = fopen("/proc/self/statm", "r");

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*u %lu", &pages), 1);
    fclose(f);
    return (uint64_t)pages * 4096;
}

static void
freed_memory_goes_back_once_it_is_quiet(void **state)
{
    void    *last;
    uint64_t before;

    (void)state;
    mem_keep_freed();
    last = given_a_heap_with_holes();
    before = resident_set();
    busy_for = 1;
    tidy_later(&tidy);
    tidy_later(&tidy);
    uv_run(&loop, UV_RUN_DEFAULT);          /* ends: the timer does not run for ever */
    assert_int_equal(asked, 2);
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
    assert_true(resident_set() + 5 * MIB < before);
#else
    (void)before;                           /* a sanitizer has a heap of its own */
#endif
    free(last);
}

static void
nothing_runs_when_nothing_was_freed(void **state)
{
    (void)state;
    assert_int_equal(uv_run(&loop, UV_RUN_NOWAIT), 0);
    assert_int_equal(asked, 0);
}

static void
a_close_waits_for_the_worker(void **state)
{
    (void)state;
    tidy_later(&tidy);
    while (!tidy.working)
        uv_run(&loop, UV_RUN_ONCE);
    tidy_close(&tidy, on_closed, &asked);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_false(tidy.working);
    assert_true(closed);
    tidy_later(&tidy);                      /* too late: nothing happens */
    assert_int_equal(uv_run(&loop, UV_RUN_NOWAIT), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(freed_memory_goes_back_once_it_is_quiet),
        TEST(nothing_runs_when_nothing_was_freed),
        TEST(a_close_waits_for_the_worker),
    };

    return cmocka_run_group_tests_name("tidy", tests, NULL, NULL);
}
