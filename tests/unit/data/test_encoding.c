/* test_encoding.c - lines in other encodings than UTF-8.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/data/encoding.h"

static struct encoding       *made;
static const struct encoding *e;
static struct decoder        *decoder;
static struct arena           arena;
static uint32_t               bad;

static int
set_up(void **state)
{
    (void)state;
    made = NULL;
    bad = 0;
    decoder = decoder_new();
    arena_init(&arena);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    decoder_free(decoder);
    encoding_free(made);
    arena_fini(&arena);
    return 0;
}

/* As a file that begins with these bytes. */
static void
given(const char *name, const char *first, size_t len)
{
    struct error err;

    encoding_free(made);
    decoder_free(decoder);              /* it knows encodings by their address */
    decoder = decoder_new();
    assert_int_equal(encoding_new(name, &made, &err), 0);
    e = made != NULL ? encoding_marked(made, first, len) : NULL;
}

static void
then_text(const char *bytes, size_t len, const char *expected)
{
    const struct slice text = decoder_text(decoder, e, (struct slice){ bytes, len }, &arena, &bad);

    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.ptr, expected, text.len);
}

#define THEN_TEXT(literal, expected) then_text(literal, sizeof(literal) - 1, expected)

static void
utf_8_is_no_encoding(void **state)
{
    (void)state;
    given("utf-8", "", 0);
    assert_null(e);
    given("UTF8", "", 0);
    assert_null(e);
    assert_int_equal(encoding_unit(e), 1);
    assert_int_equal(encoding_first_line(e, "a\nb\n", 4), 2);
    assert_int_equal(encoding_last_line(e, "a\nb\n", 4), 4);
    assert_int_equal(encoding_cr(e, "a\r", 2), 1);
    assert_int_equal(encoding_cr(e, "", 0), 0);
}

static void
an_unknown_name_is_an_error_that_says_it(void **state)
{
    static const char *const names[] = { "utf-17", "", "utf-16//IGNORE", "no such" };
    struct error             err;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(encoding_new(names[i], &made, &err), -1);
        assert_null(made);
        assert_non_null(strstr(err.text, names[i]));
    }
}

static void
lines_end_with_the_encodings_own_lf(void **state)
{
    (void)state;
    given("utf-16le", "", 0);
    assert_int_equal(encoding_unit(e), 2);
    assert_int_equal(encoding_first_line(e, "a\0\n\0b\0\n\0", 8), 4);
    assert_int_equal(encoding_last_line(e, "a\0\n\0b\0\n\0c\0", 10), 8);
    /* U+0A61, U+610A: bytes of LF that are none */
    assert_int_equal(encoding_first_line(e, "a\n\na", 4), 0);
    given("UTF-16BE", "", 0);
    assert_int_equal(encoding_first_line(e, "\0a\0\n\0b", 6), 4);
    assert_int_equal(encoding_first_line(e, "a\0\n\0", 4), 0);
    given("utf-32le", "", 0);
    assert_int_equal(encoding_unit(e), 4);
    assert_int_equal(encoding_first_line(e, "a\0\0\0\n\0\0\0", 8), 8);
    given("IBM037", "", 0);             /* EBCDIC: its LF is another byte */
    assert_int_equal(encoding_unit(e), 1);
    assert_int_equal(encoding_first_line(e, "\x81\x25\x82", 3), 2);
    assert_int_equal(encoding_last_line(e, "\x81\x25\x82", 3), 2);
}

static void
a_cr_is_one_of_the_encoding(void **state)
{
    (void)state;
    given("utf-16le", "", 0);
    assert_int_equal(encoding_cr(e, "a\0\r\0", 4), 2);
    assert_int_equal(encoding_cr(e, "a\0\0\r", 4), 0);
    assert_int_equal(encoding_cr(e, "\r", 1), 0);
}

static void
a_mark_tells_the_order_of_bytes(void **state)
{
    (void)state;
    given("utf-16", "\xff\xfe" "a\0", 4);
    THEN_TEXT("\xff\xfe" "a\0", "\xef\xbb\xbf" "a");
    given("UTF-16", "\xfe\xff\0a", 4);
    THEN_TEXT("\0b", "b");
    given("utf-16", "a\0b\0", 4);           /* none */
    THEN_TEXT("b\0", "b");
    given("utf-32", "\0\0\xfe\xff", 4);
    THEN_TEXT("\0\0\0z", "z");
    given("utf-16le", "\xfe\xff", 2);       /* what it is called is what it is */
    THEN_TEXT("b\0", "b");
}

static void
text_becomes_utf_8(void **state)
{
    (void)state;
    given("iso-8859-1", "", 0);
    THEN_TEXT("caf\xe9", "caf\xc3\xa9");
    given("windows-1252", "", 0);
    THEN_TEXT("\x80 1", "\xe2\x82\xac 1");
    given("shift_jis", "", 0);
    THEN_TEXT("\x93\xfa\x96{", "\xe6\x97\xa5\xe6\x9c\xac");
    given("utf-16be", "", 0);
    THEN_TEXT("\xd8\x3d\xde\x00", "\xf0\x9f\x98\x80");
    THEN_TEXT("", "");
    assert_int_equal(bad, 0);
}

static void
nul_is_a_character(void **state)
{
    const struct slice in = { "\0\0a\0", 4 };
    struct slice       text;

    (void)state;
    given("utf-16le", "", 0);
    text = decoder_text(decoder, e, in, &arena, &bad);
    assert_int_equal(text.len, 2);
    assert_memory_equal(text.ptr, "\0a", 2);
}

static void
what_cannot_be_converted_is_replaced_and_counted(void **state)
{
    (void)state;
    given("utf-16le", "", 0);
    THEN_TEXT("a\0\x00\xdc" "b\0", "a\xef\xbf\xbd" "b");        /* half a pair */
    assert_int_equal(bad, 1);
    THEN_TEXT("a\0b", "a\xef\xbf\xbd");                         /* half a unit */
    assert_int_equal(bad, 2);
    THEN_TEXT("\x3d\xd8", "\xef\xbf\xbd");                      /* the other half is missing */
    given("us-ascii", "", 0);
    THEN_TEXT("\xff\xfe" "a", "\xef\xbf\xbd\xef\xbf\xbd" "a");
    assert_int_equal(bad, 5);
}

static void
a_piece_does_not_end_inside_a_character(void **state)
{
    (void)state;
    given("utf-16le", "", 0);
    assert_int_equal(decoder_cut(decoder, e, "a\0b\0c\0", 5), 4);
    assert_int_equal(decoder_cut(decoder, e, "a\0\x3d\xd8\x00\xde", 4), 2);
    given("shift_jis", "", 0);
    assert_int_equal(decoder_cut(decoder, e, "a\x93\xfa\x96{", 4), 3);
    assert_int_equal(decoder_cut(decoder, e, "\xff\xff\xff\xff", 3), 3);
}

static void
then_written(const char *name, const char *text, const char *bytes, size_t len)
{
    struct slice written;

    given(name, "", 0);
    written = encoding_write(e, slice_of(text), &arena);
    assert_int_equal(written.len, len);
    assert_memory_equal(written.ptr, bytes, len);
}

static void
a_text_is_written_as_a_file_would_have_it(void **state)
{
    (void)state;
    then_written("iso-8859-1", "\xc3\xa4\n", "\xe4\n", 2);
    then_written("utf-16le", "a\n", "a\0\n\0", 4);
    then_written("utf-16", "a\n", "a\0\n\0", 4);
    then_written("utf-32be", "\xf0\x9f\x98\x80", "\0\1\xf6\0", 4);
    then_written("shift_jis", "\xe6\x97\xa5", "\x93\xfa", 2);
    then_written("iso-8859-1", "", "", 0);
}

static void
what_an_encoding_has_not_is_written_as_a_question_mark(void **state)
{
    (void)state;
    then_written("iso-8859-1", "a\xe2\x82\xac" "b\xffz", "a?b?z", 5);
    then_written("utf-16le", "\xc3", "?\0", 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(utf_8_is_no_encoding),
        TEST(an_unknown_name_is_an_error_that_says_it),
        TEST(lines_end_with_the_encodings_own_lf),
        TEST(a_cr_is_one_of_the_encoding),
        TEST(a_mark_tells_the_order_of_bytes),
        TEST(text_becomes_utf_8),
        TEST(nul_is_a_character),
        TEST(what_cannot_be_converted_is_replaced_and_counted),
        TEST(a_piece_does_not_end_inside_a_character),
        TEST(a_text_is_written_as_a_file_would_have_it),
        TEST(what_an_encoding_has_not_is_written_as_a_question_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
