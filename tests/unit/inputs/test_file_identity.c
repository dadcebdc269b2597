/* test_file_identity.c - is this the file that we knew?
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "inputs/file_identity.h"
#include "tests/unit/inputs/files.h"

static struct file_bytes b;
static struct identity   id;
static uint64_t          start;

static int
set_up(void **state)
{
    (void)state;
    files_set_up();
    files_write("f", "");
    b = (struct file_bytes){ .fd = open(files_path("f"), O_RDONLY) };
    id = (struct identity){ .head_len = 0 };
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    close(b.fd);
    files_tear_down();
    return 0;
}

static void
given_bytes(size_t len, char byte)
{
    char *bytes = malloc(len);

    memset(bytes, byte, len);
    files_put("f", bytes, len, O_APPEND);
    free(bytes);
}

static void
a_mark_of_nothing_but_nuls_is_found_nowhere(void **state)
{
    struct file_mark mark = { .offset = 1000 };

    (void)state;
    given_bytes(2000, '\0');
    assert_int_equal(file_print_at(b, mark.offset, &mark.print), 0);
    assert_true(file_print_is_hole(&mark.print));
    assert_null(file_find_mark(b, &mark, 1));
    given_bytes(10, 'a');
    mark.offset = 2010;
    assert_int_equal(file_print_at(b, mark.offset, &mark.print), 0);
    assert_false(file_print_is_hole(&mark.print));
    assert_ptr_equal(file_find_mark(b, &mark, 1), &mark);
}

static void
the_head_grows_with_the_file(void **state)
{
    (void)state;
    assert_int_equal(file_meet_head(b, &id, &start), FILE_SAME);
    assert_int_equal(id.head_len, 0);
    given_bytes(10, 'a');
    assert_int_equal(file_meet_head(b, &id, &start), FILE_SAME);
    assert_int_equal(id.head_len, 10);
    assert_int_equal(start, 0);
    given_bytes(5000, 'b');
    assert_int_equal(file_meet_head(b, &id, &start), FILE_SAME);
    assert_int_equal(id.head_len, IDENTITY_HEAD);
    assert_int_not_equal(start, 0);
}

static void
a_head_that_was_changed_or_cut_is_noticed(void **state)
{
    (void)state;
    given_bytes(100, 'a');
    assert_int_equal(file_meet_head(b, &id, &start), FILE_SAME);
    files_put("f", "x", 1, 0);
    assert_int_equal(file_meet_head(b, &id, &start), FILE_OTHER);
    files_write("f", "aaa");
    assert_int_equal(file_meet_head(b, &id, &start), FILE_SHORTER);
    assert_int_equal(id.head_len, 100);
}

static void
the_bytes_before_an_offset_tell_a_file_again(void **state)
{
    struct tail_print print;

    (void)state;
    given_bytes(300, 'a');
    given_bytes(300, 'b');
    assert_int_equal(file_print_at(b, 600, &print), 0);
    assert_int_equal(print.len, IDENTITY_TAIL);
    assert_int_equal(file_meet_tail(b, 600, &print), FILE_SAME);
    assert_int_equal(file_meet_tail(b, 599, &print), FILE_SAME);
    assert_int_equal(file_meet_tail(b, 500, &print), FILE_OTHER);
    assert_int_equal(file_meet_tail(b, 601, &print), FILE_SHORTER);
    assert_int_equal(file_print_at(b, 601, &print), -1);
}

static void
no_bytes_before_the_beginning_fit_any_file(void **state)
{
    struct tail_print print;

    (void)state;
    assert_int_equal(file_print_at(b, 0, &print), 0);
    assert_int_equal(print.len, 0);
    assert_int_equal(file_meet_tail(b, 0, &print), FILE_SAME);
}

static void
the_newest_mark_that_fits_is_found(void **state)
{
    struct file_mark marks[3] = { { .offset = 40 }, { .offset = 20 }, { .offset = 10 } };

    (void)state;
    given_bytes(10, 'a');
    given_bytes(10, 'b');
    given_bytes(20, 'c');
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(file_print_at(b, marks[i].offset, &marks[i].print), 0);
    assert_ptr_equal(file_find_mark(b, marks, 3), &marks[0]);
    assert_int_equal(truncate(files_path("f"), 30), 0);
    assert_ptr_equal(file_find_mark(b, marks, 3), &marks[1]);
    assert_int_equal(truncate(files_path("f"), 12), 0);
    assert_ptr_equal(file_find_mark(b, marks, 3), &marks[2]);
    files_put("f", "x", 1, 0);
    assert_null(file_find_mark(b, marks, 3));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_head_grows_with_the_file),
        TEST(a_mark_of_nothing_but_nuls_is_found_nowhere),
        TEST(a_head_that_was_changed_or_cut_is_noticed),
        TEST(the_bytes_before_an_offset_tell_a_file_again),
        TEST(no_bytes_before_the_beginning_fit_any_file),
        TEST(the_newest_mark_that_fits_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
