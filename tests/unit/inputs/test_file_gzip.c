/* test_file_gzip.c - compressed files, and compressed copies of files that we know.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <zlib.h>

#include "tests/unit/inputs/file_world.h"

/* ---- Given --------------------------------------------------------------------- */

static void
patterns(const char *pattern)
{
    forget_settings();
    with("paths", files_path(pattern));
    with("rescan", "200ms");
    with("poll", "50ms");
    with("linger", "100ms");
}

static int
set_up_gzip(void **state)
{
    set_up(state);
    patterns("logs/a.log*");
    return 0;
}

/* One member; to be freed. */
static unsigned char *
gzip(const void *bytes, size_t len, size_t *packed)
{
    z_stream       z = { .next_in = (unsigned char *)(uintptr_t)bytes, .avail_in = (unsigned)len };
    size_t         room = len + len / 10 + 100;
    unsigned char *out = mem_alloc(room);

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_out = out;
    z.avail_out = (unsigned)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    *packed = room - z.avail_out;
    deflateEnd(&z);
    return out;
}

/* Append a member to the file. */
static void
append_gzip(const char *name, const char *text)
{
    size_t         len;
    unsigned char *bytes = gzip(text, strlen(text), &len);

    files_put(name, bytes, len, O_APPEND);
    free(bytes);
}

static char *
content(const char *name, size_t *len)
{
    struct stat st;
    const int   fd = open(files_path(name), O_RDONLY);
    char       *bytes;

    assert_int_equal(fstat(fd, &st), 0);
    *len = (size_t)st.st_size;
    bytes = mem_alloc(*len + 1);
    assert_int_equal(read(fd, bytes, *len), *len);
    bytes[*len] = '\0';
    close(fd);
    return bytes;
}

/* A member of these numbered lines; incompressible enough to be long. */
static unsigned char *
gzip_numbers(unsigned from, unsigned to, size_t *packed)
{
    char          *text = mem_alloc((size_t)(to - from) * 80 + 1), *at = text;
    unsigned char *bytes;

    for (unsigned i = from; i < to; i++)
        at += sprintf(at, "%06u %08x%08x\n", i, i * 2654435761u, i * 40503u ^ 0x5bd1e995u);
    bytes = gzip(text, (size_t)(at - text), packed);
    free(text);
    return bytes;
}

static bool
is_troubled(void)
{
    const struct file_tail *t = find_tail(awaited);

    return t != NULL && t->trouble != NULL;
}

static void
then_troubled(const char *name, const char *why)
{
    awaited = name;
    assert_true(turn_until(is_troubled));
    if (strstr(find_tail(name)->trouble, why) == NULL)
        fail_msg("'%s' is not in '%s'", why, find_tail(name)->trouble);
}

static void
make_old(const char *name)
{
    const struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };

    assert_int_equal(utimensat(AT_FDCWD, files_path(name), old, 0), 0);
}

/* ---- Files ---------------------------------------------------------------------- */

static void
a_compressed_file_is_read(void **state)
{
    (void)state;
    append_gzip("logs/a.log.gz", "one\ntwo\nlast");
    given_running();
    then_got("one", "two", "last", NULL);
    then_nothing_comes();
    assert_int_equal(file_source(TAILQ_FIRST(&the_input()->all))->window.committed, 12);
    assert_null(TAILQ_FIRST(&the_input()->all)->read.gzip);     /* its memory is free again */
}

static void
a_long_compressed_file_is_read_in_order_and_once(void **state)
{
    size_t         len;
    unsigned char *bytes = gzip_numbers(0, 100000, &len);

    (void)state;
    files_put("logs/a.log.gz", bytes, len, 0);
    free(bytes);
    given_running();
    then_got_numbers(0, 100000);
    when_stopped();
    given_running();
    then_nothing_comes();
}

static void
several_members_are_one_content(void **state)
{
    (void)state;
    append_gzip("logs/a.log.gz", "one\ntw");
    append_gzip("logs/a.log.gz", "");
    append_gzip("logs/a.log.gz", "o\nthree\n");
    files_put("logs/a.log.gz", "\0\0\0", 3, O_APPEND);      /* filled up by some tools */
    given_running();
    then_got("one", "two", "three", NULL);
    assert_int_equal(file_source(TAILQ_FIRST(&the_input()->all))->window.committed, 14);
}

static void
a_member_that_follows_later_goes_on(void **state)
{
    (void)state;
    append_gzip("logs/a.log.gz", "one\n");
    given_running();
    then_got("one", NULL);
    append_gzip("logs/a.log.gz", "two\n");
    then_got("two", NULL);
    when_stopped();
    append_gzip("logs/a.log.gz", "three\n");
    given_running();
    then_got("three", NULL);
}

static void
a_compressed_file_that_is_still_written_is_followed(void **state)
{
    size_t         len;
    unsigned char *bytes = gzip_numbers(0, 20000, &len);

    (void)state;
    files_put("logs/a.log.gz", bytes, 5, 0);
    given_running();
    then_nothing_comes();
    files_put("logs/a.log.gz", bytes + 5, len / 2, O_APPEND);
    wanted = 1000;
    assert_true(turn_until(have_wanted));
    files_put("logs/a.log.gz", bytes + 5 + len / 2, len - 5 - len / 2, O_APPEND);
    then_got_numbers(0, 20000);
    free(bytes);
}

static void
a_truncated_compressed_file_is_told_and_gives_what_it_has(void **state)
{
    size_t         len;
    unsigned char *bytes = gzip_numbers(0, 20000, &len);

    (void)state;
    files_put("logs/a.log.gz", bytes, len / 2, 0);
    make_old("logs/a.log.gz");
    append_gzip("logs/a.log.1.gz", "another\n");
    free(bytes);
    given_running();
    wanted = 5000;
    assert_true(turn_until(have_wanted));
    then_troubled("logs/a.log.gz", "middle");
    (void)turn_until(is_quiet);
    assert_in_range(got.count, 5000, 19999);
}

static void
a_damaged_compressed_file_is_told_and_gives_what_it_has(void **state)
{
    size_t         len;
    unsigned char *bytes = gzip_numbers(0, 20000, &len);

    (void)state;
    memset(bytes + len / 2, 0xff, 100);
    files_put("logs/a.log.gz", bytes, len, 0);
    free(bytes);
    given_running();
    wanted = 5000;
    assert_true(turn_until(have_wanted));
    then_troubled("logs/a.log.gz", "damaged");
    (void)turn_until(is_quiet);
    assert_in_range(got.count, 5000, 19999);
    append_gzip("logs/a.log.2.gz", "another\n");
    strings_fini(&got);
    then_got("another", NULL);
}

static void
what_is_no_gzip_is_told_and_not_sent(void **state)
{
    (void)state;
    files_append("logs/a.log.gz", "this was never compressed\n");
    given_running();
    then_troubled("logs/a.log.gz", "no gzip");
    then_nothing_comes();
}

static void
what_is_no_gzip_is_told_when_it_appears(void **state)
{
    (void)state;
    given_running();
    then_nothing_comes();
    files_append("logs/a.log.gz", "this was never compressed\n");
    then_troubled("logs/a.log.gz", "no gzip");
    then_nothing_comes();
    append_gzip("logs/a.log.1.gz", "");
    append_gzip("logs/a.log.1.gz", "another\n");
    then_got("another", NULL);
}

/* As it is made by a tool that renames it when it is whole. */
static void
a_compressed_file_under_another_name_is_read_and_known(void **state)
{
    (void)state;
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    append_gzip("logs/a.log.tmp", "one\ntwo\n");
    then_got("one", "two", NULL);
    files_rename("logs/a.log.tmp", "logs/a.log.2.gz");
    then_nothing_comes();
    append_gzip("logs/a.log.2.gz", "three\n");
    then_got("three", NULL);
}

static void
rubbish_behind_the_compressed_data_is_told(void **state)
{
    (void)state;
    append_gzip("logs/a.log.gz", "one\n");
    files_append("logs/a.log.gz", "rubbish");
    given_running();
    then_got("one", NULL);
    then_troubled("logs/a.log.gz", "follows");
}

static void
a_compressed_file_written_anew_is_read_from_its_beginning(void **state)
{
    (void)state;
    append_gzip("logs/a.log.gz", "one\ntwo\n");
    given_running();
    then_got("one", "two", NULL);
    files_write("logs/a.log.gz", "");
    append_gzip("logs/a.log.gz", "new and longer than it was\n");
    then_got("new and longer than it was", NULL);
}

static void
start_at_the_end_passes_over_compressed_files(void **state)
{
    (void)state;
    with("start", "end");
    append_gzip("logs/a.log.1.gz", "old\n");
    given_running();
    then_followed("logs/a.log.1.gz");
    then_nothing_comes();
    append_gzip("logs/a.log.1.gz", "new\n");
    then_got("new", NULL);
}

static void
a_plain_file_that_gets_such_a_name_is_what_it_was(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    when_stopped();
    files_rename("logs/a.log", "logs/a.log.gz");
    files_append("logs/a.log.gz", "two\n");
    given_running();
    then_got("two", NULL);
}

static void
more_compressed_files_than_can_be_unpacked_at_once_are_all_read(void **state)
{
    enum { FILES = 100 };

    (void)state;
    for (unsigned i = 0; i < FILES; i++) {
        char name[40];

        snprintf(name, sizeof name, "logs/a.log.%u.gz", i);
        append_gzip(name, "a line of its own\n");
    }
    given_running();
    then_got_sorted(FILES);
    assert_int_equal(the_input()->nunpacked, 0);
}

/* ---- Copies ------------------------------------------------------------------------ */

static bool
is_placed(void)
{
    struct file_tail *t = (struct file_tail *)(uintptr_t)find_tail(awaited);

    return t != NULL && t->held_at == 0 && file_source(t)->window.committed > 0;
}

static void
a_compressed_copy_is_not_read_again(void **state)
{
    (void)state;
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    files_rename("logs/a.log", "logs/a.log.1");
    append_numbers("logs/a.log", 100, 110);
    then_got_numbers(100, 110);
    compress_file("logs/a.log.1", "logs/a.log.1.gz");
    then_forgotten("logs/a.log.1");
    then_followed("logs/a.log.1.gz");
    then_nothing_comes();
    append_gzip("logs/a.log.1.gz", "and on\n");
    then_got("and on", NULL);
}

static void
a_compressed_copy_of_a_tiny_file_is_not_read_again(void **state)
{
    (void)state;
    files_append("logs/a.log", "one\n");
    given_running();
    then_got("one", NULL);
    files_rename("logs/a.log", "logs/a.log.1");
    compress_file("logs/a.log.1", "logs/a.log.1.gz");
    awaited = "logs/a.log.1.gz";
    assert_true(turn_until(is_placed));
    then_nothing_comes();
    assert_int_equal(find_tail("logs/a.log.1.gz")->read.source.window.committed, 4);
}

static void
a_compressed_copy_beside_its_original_is_not_read_again(void **state)
{
    size_t         len, packed;
    char          *bytes;
    unsigned char *out;

    (void)state;
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    bytes = content("logs/a.log", &len);            /* gzip --keep */
    out = gzip(bytes, len, &packed);
    files_put("logs/a.log.1.gz", out, packed, 0);
    awaited = "logs/a.log.1.gz";
    assert_true(turn_until(is_placed));
    append_numbers("logs/a.log", 100, 110);
    then_got_numbers(100, 110);
    free(out);
    free(bytes);
}

static void
another_compressed_file_that_begins_alike_is_read(void **state)
{
    (void)state;
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    append_numbers("logs/other", 0, 50);
    append_numbers("logs/other", 500, 510);
    compress_file("logs/other", "logs/a.log.1.gz");
    then_got_sorted(60);
}

static void
a_compressed_copy_has_what_was_not_read(const char *pattern)
{
    patterns(pattern);
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    when_stopped();
    append_numbers("logs/a.log", 100, 130);
    files_rename("logs/a.log", "logs/a.log.1");
    compress_file("logs/a.log.1", "logs/a.log.1.gz");
    append_numbers("logs/a.log", 130, 140);
    given_running();
    then_got_sorted(40);
    assert_int_equal(strtoul(got.list[0], NULL, 10), 100);
    assert_int_equal(strtoul(got.list[39], NULL, 10), 139);
    strings_fini(&got);
    assert_int_equal(the_input()->lost_bytes, 0);
    when_stopped();
    given_running();
    then_nothing_comes();
}

static void
a_copy_compressed_while_down_goes_on_at_the_checkpoint(void **state)
{
    (void)state;
    a_compressed_copy_has_what_was_not_read("logs/a.log*");
}

static void
a_copy_outside_the_patterns_goes_on_at_the_checkpoint(void **state)
{
    (void)state;
    a_compressed_copy_has_what_was_not_read("logs/*.log");
}

/* Its descriptor was closed, so only the copy still has what was written last. */
static void
what_was_compressed_before_it_was_read_is_read_from_the_copy(void **state)
{
    struct file_tail *t;

    (void)state;
    patterns("logs/*.log");
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    t = TAILQ_FIRST(&the_input()->all);
    file_tail_close(t);
    append_numbers("logs/a.log", 100, 120);
    compress_file("logs/a.log", "logs/a.log.1.gz");
    file_source(t)->size = 120 * 59;            /* as a look had told */
    then_got_numbers(100, 120);
    assert_int_equal(the_input()->lost_bytes, 0);
}

/* No search finds it any more; what was read of its original is known all the same. */
static void
a_compressed_copy_that_is_deleted_before_it_is_told_is_not_read_again(void **state)
{
    (void)state;
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    files_rename("logs/a.log", "logs/a.log.1");
    compress_file("logs/a.log.1", "logs/a.log.1.gz");
    when_held("logs/a.log.1.gz");
    files_remove("logs/a.log.1.gz");
    assert_true(turn_until(has_held_none));
    then_nothing_comes();
}

/* Two copies of one content: the first is only open any more when the second is found. */
static void
a_copy_that_is_compressed_before_its_truncation_is_seen_is_not_read_again(void **state)
{
    (void)state;
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    copy_file("logs/a.log", "logs/a.log.1");
    when_held("logs/a.log.1");
    compress_file("logs/a.log.1", "logs/a.log.1.gz");
    truncate_file("logs/a.log");
    append_numbers("logs/a.log", 100, 110);
    then_got_numbers(100, 110);
    assert_true(turn_until(has_held_none));
    then_nothing_comes();
}

/* And what was not read is read once, and in order. */
static void
what_was_not_read_before_a_truncation_is_read_once_of_two_copies(void **state)
{
    (void)state;
    append_numbers("logs/a.log", 0, 100);
    given_running();
    then_got_numbers(0, 100);
    append_numbers("logs/a.log", 100, 120);
    copy_file("logs/a.log", "logs/a.log.1");
    truncate_file("logs/a.log");
    then_followed("logs/a.log.1");
    compress_file("logs/a.log.1", "logs/a.log.1.gz");
    then_got_numbers(100, 120);
    assert_true(turn_until(has_held_none));
    then_nothing_comes();
}

/* Whichever the search meets first. */
static void
a_copy_that_is_whole_is_found_beside_its_half_compressed_ones(void **state)
{
    size_t         len, packed;
    char          *bytes;
    unsigned char *out;

    (void)state;
    patterns("logs/*.log");
    append_numbers("logs/a.log", 0, 50);
    given_running();
    then_got_numbers(0, 50);
    (void)turn_until(has_turned);           /* a mark of its own */
    append_numbers("logs/a.log", 50, 100);
    then_got_numbers(50, 100);
    append_numbers("logs/a.log", 100, 120);
    bytes = content("logs/a.log", &len);
    out = gzip(bytes, len, &packed);
    for (unsigned i = 0; i < 20; i++) {
        char name[40];

        snprintf(name, sizeof name, "logs/a.log.%u.gz", i);
        files_put(name, out, packed * 7 / 10, 0);
    }
    copy_file("logs/a.log", "logs/a.log.1");
    truncate_file("logs/a.log");
    then_got_numbers(100, 120);
    free(out);
    free(bytes);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_gzip, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_compressed_file_is_read),
        TEST(a_long_compressed_file_is_read_in_order_and_once),
        TEST(several_members_are_one_content),
        TEST(a_member_that_follows_later_goes_on),
        TEST(a_compressed_file_that_is_still_written_is_followed),
        TEST(a_truncated_compressed_file_is_told_and_gives_what_it_has),
        TEST(a_damaged_compressed_file_is_told_and_gives_what_it_has),
        TEST(what_is_no_gzip_is_told_and_not_sent),
        TEST(what_is_no_gzip_is_told_when_it_appears),
        TEST(a_compressed_file_under_another_name_is_read_and_known),
        TEST(rubbish_behind_the_compressed_data_is_told),
        TEST(a_compressed_file_written_anew_is_read_from_its_beginning),
        TEST(start_at_the_end_passes_over_compressed_files),
        TEST(a_plain_file_that_gets_such_a_name_is_what_it_was),
        TEST(more_compressed_files_than_can_be_unpacked_at_once_are_all_read),
        TEST(a_compressed_copy_is_not_read_again),
        TEST(a_compressed_copy_of_a_tiny_file_is_not_read_again),
        TEST(a_compressed_copy_beside_its_original_is_not_read_again),
        TEST(another_compressed_file_that_begins_alike_is_read),
        TEST(a_compressed_copy_that_is_deleted_before_it_is_told_is_not_read_again),
        TEST(a_copy_that_is_compressed_before_its_truncation_is_seen_is_not_read_again),
        TEST(what_was_not_read_before_a_truncation_is_read_once_of_two_copies),
        TEST(a_copy_that_is_whole_is_found_beside_its_half_compressed_ones),
        TEST(a_copy_compressed_while_down_goes_on_at_the_checkpoint),
        TEST(a_copy_outside_the_patterns_goes_on_at_the_checkpoint),
        TEST(what_was_compressed_before_it_was_read_is_read_from_the_copy),
    };
    log_set_up(getenv("LOUD") != NULL ? LOG_DEBUG : LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
