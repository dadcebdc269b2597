/* test_dead_line.c - what was written as a dead letter is read back as it was.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/base/buf.h"
#include "agent/data/encode.h"
#include "agent/flow/dead_line.h"

static struct arena     arena;
static struct dead_line d;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static const char *
when_read(const char *line)
{
    return dead_line_read(slice_of(line), &arena, &d);
}

static void
comes_back(const struct shown_record *r)
{
    struct buf line = { NULL, 0, 0 };

    buf_add_string(&line, "{\"time\":\"2025\",\"reason\":\"a \\\"b\\\"\","
                          "\"source\":{\"input\":\"i\",\"path\":\"/p\",\"offset\":7},");
    encode_json_members(&line, r);
    buf_add_char(&line, '}');
    assert_null(dead_line_read(buf_slice(&line), &arena, &d));
    assert_true(slice_is(d.output, r->output));
    assert_true(slice_equal(d.topic, r->topic));
    assert_true(slice_equal(d.key, r->key));
    assert_true(slice_equal(d.value, r->value));
    assert_int_equal(d.partition, r->partition);
    assert_int_equal(d.timestamp, r->timestamp);
    assert_true((d.headers == NULL) == (r->headers == NULL));
    for (uint32_t i = 0; r->headers != NULL && i < r->headers->count; i++) {
        assert_true(slice_equal(d.headers->list[i].name, r->headers->list[i].name));
        assert_true(slice_equal(d.headers->list[i].value, r->headers->list[i].value));
    }
    buf_fini(&line);
}

static struct headers *
some_headers(uint32_t count, bool repeated)
{
    static char     names[20][2];
    struct headers *h = arena_alloc(&arena, sizeof *h + count * sizeof h->list[0]);

    h->count = count;
    for (uint32_t i = 0; i < count; i++) {
        names[i][0] = (char)('a' + (repeated ? i / 2 : i));
        h->list[i] = (struct header){ { names[i], 1 }, SLICE("v\xff") };
    }
    return h;
}

static void
every_form_of_a_record_comes_back(void **state)
{
    struct shown_record r = { .output = "main", .topic = SLICE("t"), .partition = -1,
                              .key = NO_SLICE, .value = NO_SLICE, .timestamp = NO_TIMESTAMP };
    struct headers     *null;

    (void)state;
    comes_back(&r);
    r.key = r.value = SLICE("");
    r.partition = 2147483647;
    r.timestamp = INT64_MAX;
    comes_back(&r);
    r.key = SLICE("\xff");
    r.value = SLICE("\0\1\2 \"\\\n\xc3\xa4 \xf0\x9f\x98\x80");
    r.timestamp = r.partition = 0;
    comes_back(&r);
    for (size_t len = 0; len < 20; len++) {         /* every length of base64's end */
        r.value = (struct slice){ "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6\xf5\xf4\xf3\xf2\xf1"
                                  "\xf0\xef\xee\xed\xec", len };
        comes_back(&r);
    }
    r.topic = NO_SLICE;
    for (uint32_t n = 1; n < 20; n++) {
        r.headers = some_headers(n, false);
        comes_back(&r);
        r.headers = some_headers(n, true);
        comes_back(&r);
    }
    null = some_headers(1, false);
    null->list[0].value = NO_SLICE;                 /* a header may be null */
    r.headers = null;
    comes_back(&r);
}

static void
the_order_of_members_and_others_do_not_matter(void **state)
{
    (void)state;
    assert_null(when_read(" { \"x\": [1, {\"y\": null}], \"value\": \"v\" , \"output\":\"o\"} "));
    assert_true(slice_is(d.value, "v"));
    assert_int_equal(d.partition, PARTITION_FREE);
    assert_int_equal(d.timestamp, NO_TIMESTAMP);
    assert_null(d.headers);
}

static void
what_is_wrong_with_a_line_is_said(void **state)
{
    static const struct { const char *line, *part; } wrong[] = {
        { "", "JSON" }, { "no", "JSON" }, { "{", "JSON" }, { "[]", "JSON" },
        { "{}", "'output'" }, { "{\"output\":\"o\"} x", "JSON" },
        { "{\"output\":\"o\"", "JSON" }, { "{\"output\":\"o\",}", "JSON" },
        { "{\"output\":7}", "'output'" }, { "{\"output\":\"o\",\"topic\":[]}", "'topic'" },
        { "{\"output\":\"o\",\"value\":true}", "'value'" },
        { "{\"output\":\"o\",\"value\":{}}", "'value'" },
        { "{\"output\":\"o\",\"value\":{\"base64\":\"a\"}}", "'value'" },
        { "{\"output\":\"o\",\"value\":{\"base64\":\"a===\"}}", "'value'" },
        { "{\"output\":\"o\",\"value\":{\"base64\":\"aa-_\"}}", "'value'" },
        { "{\"output\":\"o\",\"value\":{\"base64\":\"\",\"x\":1}}", "'value'" },
        { "{\"output\":\"o\",\"key\":1}", "'key'" },
        { "{\"output\":\"o\",\"partition\":-1}", "'partition'" },
        { "{\"output\":\"o\",\"partition\":2147483648}", "'partition'" },
        { "{\"output\":\"o\",\"partition\":1.5}", "'partition'" },
        { "{\"output\":\"o\",\"timestamp\":\"now\"}", "'timestamp'" },
        { "{\"output\":\"o\",\"timestamp\":9223372036854775808}", "'timestamp'" },
        { "{\"output\":\"o\",\"headers\":7}", "'headers'" },
        { "{\"output\":\"o\",\"headers\":{\"a\":7}}", "'headers'" },
        { "{\"output\":\"o\",\"headers\":[\"a\"]}", "'headers'" },
        { "{\"output\":\"o\",\"headers\":[[\"a\"]]}", "'headers'" },
        { "{\"output\":\"o\",\"headers\":[[\"a\",\"b\",\"c\"]]}", "'headers'" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *why = when_read(wrong[i].line);

        if (why == NULL || strstr(why, wrong[i].part) == NULL)
            fail_msg("%s: %s", wrong[i].line, why);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_form_of_a_record_comes_back),
        TEST(the_order_of_members_and_others_do_not_matter),
        TEST(what_is_wrong_with_a_line_is_said),
    };

    return cmocka_run_group_tests_name("dead_line", tests, NULL, NULL);
}
