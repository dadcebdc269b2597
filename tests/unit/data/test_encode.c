/* test_encode.c - what we write is JSON and UTF-8, whatever the bytes were.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/data/encode.h"
#include "tests/unit/json_string.h"

#define FFFD "\xef\xbf\xbd"

static struct buf b;

static int
set_up(void **state)
{
    (void)state;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    buf_fini(&b);
    return 0;
}

static void
then_written(const char *expected)
{
    assert_string_equal(buf_string(&b), expected);
    buf_clear(&b);
}

static void
then_string_is(struct slice s, const char *expected)
{
    encode_json_string(&b, s);
    then_written(expected);
}

static void
plain_text_stays_as_it_is(void **state)
{
    (void)state;
    then_string_is(SLICE(""), "\"\"");
    then_string_is(SLICE("a"), "\"a\"");
    then_string_is(SLICE("eight to"), "\"eight to\"");
    then_string_is(SLICE("GET /index.html?a=b&c='d' HTTP/1.1 ~{}"),
                   "\"GET /index.html?a=b&c='d' HTTP/1.1 ~{}\"");
    then_string_is(NO_SLICE, "\"\"");
}

static void
what_json_forbids_is_escaped(void **state)
{
    (void)state;
    then_string_is(SLICE("a\"b\\c"), "\"a\\\"b\\\\c\"");
    then_string_is(SLICE("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"");
    then_string_is(SLICE("\0\x01\x1f"), "\"\\u0000\\u0001\\u001f\"");
    then_string_is(SLICE("\x7f /"), "\"\x7f /\"");
}

static void
a_special_byte_is_found_at_every_place(void **state)
{
    char text[40], expected[48];

    (void)state;
    for (size_t at = 0; at < sizeof text; at++) {
        memset(text, 'x', sizeof text);
        text[at] = '"';
        memset(expected, 'x', sizeof expected);
        expected[0] = '"';
        memcpy(expected + 1 + at, "\\\"", 2);
        memcpy(expected + 1 + sizeof text + 1, "\"", 2);
        then_string_is((struct slice){ text, sizeof text }, expected);
    }
}

static void
valid_characters_stay_as_they_are(void **state)
{
    (void)state;
    then_string_is(SLICE("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
                   "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
    /* the first and the last of each length, and around the surrogates */
    then_string_is(SLICE("\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"),
                   "\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\"");
    then_string_is(SLICE("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
                   "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"");
    then_string_is(SLICE("\xed\x9f\xbf\xee\x80\x80"), "\"\xed\x9f\xbf\xee\x80\x80\"");
}

/* The counts are those of Unicode 15, tables 3-8 to 3-11. */
static void
what_is_not_utf8_becomes_replacement_characters(void **state)
{
    (void)state;
    then_string_is(SLICE("a\xff" "b"), "\"a" FFFD "b\"");
    then_string_is(SLICE("\x80\xbf"), "\"" FFFD FFFD "\"");
    then_string_is(SLICE("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41"),        /* overlong */
                   "\"" FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A\"");
    then_string_is(SLICE("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41"),        /* surrogates */
                   "\"" FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A\"");
    then_string_is(SLICE("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42"),        /* over U+10FFFF */
                   "\"" FFFD FFFD FFFD FFFD FFFD "A" FFFD FFFD "B\"");
    then_string_is(SLICE("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"),        /* cut short */
                   "\"" FFFD FFFD FFFD FFFD "A\"");
    then_string_is(SLICE("\xe2\x82"), "\"" FFFD "\"");
    then_string_is(SLICE("\xe2\"\xf0\x9f\n"), "\"" FFFD "\\\"" FFFD "\\n\"");
}

static void
utf8_is_told_from_what_is_not(void **state)
{
    (void)state;
    assert_true(encode_is_utf8(SLICE("")));
    assert_true(encode_is_utf8(NO_SLICE));
    assert_true(encode_is_utf8(SLICE("plain \"text\" \\ \0 \x1f \x7f")));
    assert_true(encode_is_utf8(SLICE("\xf4\x8f\xbf\xbf")));
    assert_false(encode_is_utf8(SLICE("\xf4\x90\x80\x80")));
    assert_false(encode_is_utf8(SLICE("\xc0\x80")));
    assert_false(encode_is_utf8(SLICE("\xc1\xbf")));
    assert_false(encode_is_utf8(SLICE("\xe0\x9f\xbf")));
    assert_false(encode_is_utf8(SLICE("\xed\xa0\x80")));
    assert_false(encode_is_utf8(SLICE("\xf0\x8f\xbf\xbf")));
    assert_false(encode_is_utf8(SLICE("\xf5\x80\x80\x80")));
    assert_false(encode_is_utf8(SLICE("long enough for a word, then \xe2\x82")));
}

static void
every_pair_of_bytes_makes_valid_json(void **state)
{
    char out[64];

    (void)state;
    for (unsigned i = 0; i < 256 * 256; i++) {
        const char         text[] = { 'x', (char)(i >> 8), (char)i, 'y' };
        const struct slice s = { text, sizeof text };
        size_t             len;

        encode_json_string(&b, s);
        assert_true(json_string_read(buf_slice(&b), out, &len));
        if (encode_is_utf8(s)) {
            assert_int_equal(len, s.len);
            assert_memory_equal(out, text, len);
        } else {
            assert_non_null(memmem(out, len, FFFD, 3));
        }
        buf_clear(&b);
    }
}

static void
random_bytes_make_valid_json(void **state)
{
    char     text[100], out[700];
    uint32_t random = 1;
    size_t   len;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof text; i++) {
            random = random * 1664525 + 1013904223;
            text[i] = (char)(random >> 24);
            if (random >> 8 & 1)
                text[i] |= (char)0x80;
        }
        encode_json_string(&b, (struct slice){ text, (size_t)round % sizeof text });
        assert_true(json_string_read(buf_slice(&b), out, &len));
        buf_clear(&b);
    }
}

/* ---- Bytes and records --------------------------------------------------- */

static void
then_bytes_are(struct slice s, const char *expected)
{
    encode_json_bytes(&b, s);
    then_written(expected);
}

static void
bytes_are_a_string_or_base64_or_null(void **state)
{
    (void)state;
    then_bytes_are(SLICE("text"), "\"text\"");
    then_bytes_are(SLICE(""), "\"\"");
    then_bytes_are(NO_SLICE, "null");
    then_bytes_are(SLICE("\xff"), "{\"base64\":\"/w==\"}");
    then_bytes_are(SLICE("\xff\xfe"), "{\"base64\":\"//4=\"}");
    then_bytes_are(SLICE("\xff\xfe\xfd"), "{\"base64\":\"//79\"}");
    then_bytes_are(SLICE("foobar\xfb"), "{\"base64\":\"Zm9vYmFy+w==\"}");
}

static struct headers *
given_headers(size_t count)
{
    struct headers *h = mem_alloc(sizeof *h + count * sizeof h->list[0]);

    h->count = (uint32_t)count;
    return h;
}

static void
a_record_is_one_object(void **state)
{
    struct shown_record r = {
        .output = "main", .topic = SLICE("access"), .partition = 3, .key = SLICE("::1"),
        .value = SLICE("GET \"/\""), .timestamp = 1728568416123,
    };

    (void)state;
    encode_json_record(&b, &r);
    then_written("{\"output\":\"main\",\"topic\":\"access\",\"partition\":3,\"key\":\"::1\","
                 "\"headers\":null,\"timestamp\":1728568416123,\"value\":\"GET \\\"/\\\"\"}");
}

static void
what_a_record_has_not_is_null(void **state)
{
    const struct shown_record r = { .output = "out", .partition = -1, .timestamp = NO_TIMESTAMP };

    (void)state;
    encode_json_members(&b, &r);
    then_written("\"output\":\"out\",\"topic\":null,\"partition\":null,\"key\":null,"
                 "\"headers\":null,\"timestamp\":null,\"value\":null");
}

static void
empty_is_not_null(void **state)
{
    const struct shown_record r = { .output = "out", .topic = SLICE("t"), .partition = 0,
                                    .key = SLICE(""), .value = SLICE(""), .timestamp = 0 };

    (void)state;
    encode_json_members(&b, &r);
    then_written("\"output\":\"out\",\"topic\":\"t\",\"partition\":0,\"key\":\"\","
                 "\"headers\":null,\"timestamp\":0,\"value\":\"\"");
}

static const char *
written_headers(const struct headers *h)
{
    const struct shown_record r = { .output = "", .headers = h };
    const char               *begin, *end;

    buf_clear(&b);
    encode_json_members(&b, &r);
    begin = strstr(buf_string(&b), "\"headers\":") + strlen("\"headers\":");
    end = strstr(begin, ",\"timestamp\"");
    b.len = (size_t)(end - b.ptr);
    (void)buf_string(&b);
    return begin;
}

static void
headers_are_an_object_and_a_list_where_a_name_repeats(void **state)
{
    struct headers *h = given_headers(3);

    (void)state;
    h->list[0] = (struct header){ SLICE("a"), SLICE("1") };
    h->list[1] = (struct header){ SLICE("b\""), SLICE("\xff") };
    h->list[2] = (struct header){ SLICE("c"), NO_SLICE };
    assert_string_equal(written_headers(h),
                        "{\"a\":\"1\",\"b\\\"\":{\"base64\":\"/w==\"},\"c\":null}");
    h->list[2] = (struct header){ SLICE("a"), SLICE("") };
    assert_string_equal(written_headers(h),
                        "[[\"a\",\"1\"],[\"b\\\"\",{\"base64\":\"/w==\"}],[\"a\",\"\"]]");
    h->count = 0;
    assert_string_equal(written_headers(h), "null");
    free(h);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plain_text_stays_as_it_is),
        TEST(what_json_forbids_is_escaped),
        TEST(a_special_byte_is_found_at_every_place),
        TEST(valid_characters_stay_as_they_are),
        TEST(what_is_not_utf8_becomes_replacement_characters),
        TEST(utf8_is_told_from_what_is_not),
        TEST(every_pair_of_bytes_makes_valid_json),
        TEST(random_bytes_make_valid_json),
        TEST(bytes_are_a_string_or_base64_or_null),
        TEST(a_record_is_one_object),
        TEST(what_a_record_has_not_is_null),
        TEST(empty_is_not_null),
        TEST(headers_are_an_object_and_a_list_where_a_name_repeats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
