/* test_file_lines.c - lines as they come: cut anywhere, in any encoding, in files of any size.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/inputs/file_world.h"

static void
crlf_across_two_writes_is_one_line_end(void **state)
{
    (void)state;
    route.value = ROUTE_VALUE_BODY;
    files_append("logs/a.log", "one\r\ntwo\r");
    given_running();
    then_got("one", NULL);
    then_nothing_comes();
    files_append("logs/a.log", "\nthree\r\r\n");
    then_got("two", "three\r", NULL);
}

/* A chunk ends between CR and LF. */
static void
crlf_across_two_chunks_is_one_line_end(void **state)
{
    const size_t len = CHUNK_SIZE - 1;
    char        *text = mem_alloc(len + 7);

    (void)state;
    route.value = ROUTE_VALUE_BODY;
    memset(text, 'x', len);
    for (size_t i = 1000; i < len; i += 1000)
        text[i] = '\n';
    memcpy(text + len, "\r\nend\r\n", 7);
    files_put("logs/a.log", text, len + 7, 0);
    given_running();
    wanted = 264;
    assert_true(turn_until(have_wanted));
    assert_string_equal(got.list[263], "end");
    assert_int_equal(strlen(got.list[262]), len - 262001);
    free(text);
}

static void
a_line_written_byte_by_byte_comes_once(void **state)
{
    (void)state;
    files_append("logs/a.log", "");
    given_running();
    for (const char *p = "one\ntwo\n"; *p != '\0'; p++) {
        files_put("logs/a.log", p, 1, O_APPEND);
        (void)turn_until(has_turned);
    }
    then_got("one", "two", NULL);
}

static void
a_file_over_four_gigabytes_is_followed(void **state)
{
    (void)state;
    with("start", "end");
    files_append("logs/a.log", "");
    assert_int_equal(truncate(files_path("logs/a.log"), 5ll << 30), 0);     /* sparse */
    files_append("logs/a.log", "\nold\n");
    given_running();
    then_followed("logs/a.log");
    then_nothing_comes();
    files_append("logs/a.log", "one\n");
    then_got("one", NULL);
    when_stopped();
    files_append("logs/a.log", "two\n");
    given_running();
    then_got("two", NULL);
    assert_int_equal(find_tail("logs/a.log")->read.source.window.committed, (5ll << 30) + 13);
}

/* All of it is one line, and far longer than max_line. */
static void
a_hole_of_megabytes_is_passed_over(void **state)
{
    (void)state;
    with("long_lines", "drop");
    files_append("logs/a.log", "one\n");
    assert_int_equal(truncate(files_path("logs/a.log"), 200ll << 20), 0);
    files_append("logs/a.log", "\ntwo\n");
    given_running();
    then_got("one", "two", NULL);
}

/* A hole is as long as what was read before: fewer NUL bytes are a writer's own. */
static void
nul_bytes_that_are_no_hole_belong_to_their_line(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\ntwo\n");
    given_running();
    then_got("one", "two", NULL);
    truncate_file("logs/a.log");
    files_put("logs/a.log", "\0\0a\0b\n", 6, O_APPEND);
    then_got("", NULL);                 /* as far as its first NUL */
    assert_int_equal(find_tail("logs/a.log")->read.source.read_bytes, 6);
}

static void
a_utf_16_file_is_read_from_any_offset(void **state)
{
    static const char first[] = "\xfe\xff\0o\0n\0e\0\r\0\n\0t", rest[] = "\0w\0\xf6\0\n";

    (void)state;
    with("encoding", "utf-16");
    route.value = ROUTE_VALUE_BODY;
    files_put("logs/a.log", first, sizeof first - 1, 0);
    given_running();
    then_got("one", NULL);
    files_put("logs/a.log", rest, 5, O_APPEND);         /* in the middle of a unit */
    then_nothing_comes();
    files_put("logs/a.log", rest + 5, sizeof rest - 6, O_APPEND);
    then_got("tw\xc3\xb6", NULL);
    when_stopped();
    files_put("logs/a.log", rest, sizeof rest - 1, O_APPEND);
    given_running();
    then_got("w\xc3\xb6", NULL);
}

static void
start_at_the_end_of_a_utf_16_file_keeps_a_line_whole(void **state)
{
    (void)state;
    with("encoding", "utf-16le");
    with("start", "end");
    route.value = ROUTE_VALUE_BODY;
    files_put("logs/a.log", "a\0\n\0\n\nb", 7, 0);     /* U+0A0A, and half a 'b' */
    given_running();
    then_followed("logs/a.log");
    then_nothing_comes();
    files_put("logs/a.log", "\0\n\0", 3, O_APPEND);
    then_got("\xe0\xa8\x8a" "b", NULL);
}

static void
many_lines_come_in_order(void **state)
{
    enum { LINES = 100000 };
    FILE *f = fopen(files_path("logs/a.log"), "w");

    (void)state;
    for (unsigned i = 0; i < LINES; i++)
        fprintf(f, "line number %u\n", i);
    fclose(f);
    given_running();
    wanted = LINES;
    assert_true(turn_until(have_wanted));
    assert_int_equal(got.count, LINES);
    for (unsigned i = 0; i < LINES; i++) {
        char line[40];

        snprintf(line, sizeof line, "line number %u", i);
        assert_string_equal(got.list[i], line);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(many_lines_come_in_order),
        TEST(crlf_across_two_writes_is_one_line_end),
        TEST(crlf_across_two_chunks_is_one_line_end),
        TEST(a_line_written_byte_by_byte_comes_once),
        TEST(a_file_over_four_gigabytes_is_followed),
        TEST(a_hole_of_megabytes_is_passed_over),
        TEST(nul_bytes_that_are_no_hole_belong_to_their_line),
        TEST(a_utf_16_file_is_read_from_any_offset),
        TEST(start_at_the_end_of_a_utf_16_file_keeps_a_line_whole),
    };
    log_set_up(getenv("LOUD") != NULL ? LOG_DEBUG : LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
