/* test_buf.c - bytes that grow at the end.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/base/buf.h"

static struct buf b;

static int
tear_down(void **state)
{
    (void)state;
    buf_fini(&b);
    return 0;
}

static void
an_empty_buffer_is_an_empty_string(void **state)
{
    (void)state;
    assert_int_equal(buf_slice(&b).len, 0);
    assert_non_null(buf_slice(&b).ptr);         /* empty, not missing */
    assert_string_equal(buf_string(&b), "");
    assert_int_equal(b.len, 0);
}

static void
pieces_stand_one_behind_the_other(void **state)
{
    (void)state;
    buf_add(&b, "ab", 2);
    buf_add_char(&b, '\0');
    buf_add_slice(&b, SLICE("cd"));
    buf_add_string(&b, "ef");
    buf_printf(&b, "%d-%s", 42, "x");
    assert_int_equal(b.len, 11);
    assert_memory_equal(b.ptr, "ab\0cdef42-x", 11);
}

static void
nothing_can_be_added(void **state)
{
    (void)state;
    buf_add(&b, NULL, 0);
    buf_add_slice(&b, NO_SLICE);
    assert_int_equal(b.len, 0);
}

static void
it_grows_over_any_size(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_add_char(&b, (char)i);
    assert_int_equal(b.len, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(b.ptr[i], (char)i);
}

static void
a_formatted_text_may_be_longer_than_all_room(void **state)
{
    char text[5000];

    (void)state;
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    buf_add_char(&b, '<');
    buf_printf(&b, "%s>", text);
    assert_int_equal(b.len, sizeof text + 1);
    assert_int_equal(b.ptr[b.len - 1], '>');
}

static void
reserved_room_counts_when_it_is_used(void **state)
{
    char *room = buf_reserve(&b, 1000);

    (void)state;
    memcpy(room, "xyz", 3);
    assert_int_equal(b.len, 0);
    b.len += 3;
    assert_string_equal(buf_string(&b), "xyz");
}

static void
clearing_keeps_the_memory(void **state)
{
    const char *before;

    (void)state;
    buf_add_string(&b, "text");
    before = b.ptr;
    buf_clear(&b);
    buf_add_string(&b, "next");
    assert_ptr_equal(b.ptr, before);
    assert_string_equal(buf_string(&b), "next");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_empty_buffer_is_an_empty_string, tear_down),
        cmocka_unit_test_teardown(pieces_stand_one_behind_the_other, tear_down),
        cmocka_unit_test_teardown(nothing_can_be_added, tear_down),
        cmocka_unit_test_teardown(it_grows_over_any_size, tear_down),
        cmocka_unit_test_teardown(a_formatted_text_may_be_longer_than_all_room, tear_down),
        cmocka_unit_test_teardown(reserved_room_counts_when_it_is_used, tear_down),
        cmocka_unit_test_teardown(clearing_keeps_the_memory, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
