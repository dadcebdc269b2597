/* test_json_value.c - the JSON object that a record becomes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit/flow/routed.h"

static void
json_holds_all_fields_and_the_body(void **state)
{
    (void)state;
    given_json();
    then_json_is("{\"status\":\"503\",\"method\":\"GET\",\"empty\":\"\",\"body\":\"the line\"}");
}

static void
json_include_chooses_and_orders(void **state)
{
    struct node *list = entry(given_json(), "include", NODE_LIST, NULL);

    (void)state;
    then_json_is("{}");
    element(list, "host.name");
    element(list, "status");
    element(list, "gone");
    element(list, "log.file.offset");
    element(list, "status");
    element(list, "raw");
    then_json_is("{\"host.name\":\"web1\",\"status\":\"503\",\"log.file.offset\":42,"
                 "\"raw\":\"the line\\r\"}");
}

static void
json_exclude_takes_away(void **state)
{
    struct node *list = entry(given_json(), "exclude", NODE_LIST, NULL);

    (void)state;
    element(list, "method");
    element(list, "body");
    element(list, "gone");
    then_json_is("{\"status\":\"503\",\"empty\":\"\"}");
}

static void
json_add_puts_templates_at_the_end(void **state)
{
    struct node *add_to = entry(given_json(), "add", NODE_MAP, NULL);

    (void)state;
    entry(add_to, "who", NODE_SCALAR, "${method} \"${status}\"");
    entry(add_to, "lost", NODE_SCALAR, "${gone}");
    entry(add_to, "status", NODE_SCALAR, "s${status}");
    then_json_is("{\"method\":\"GET\",\"empty\":\"\",\"body\":\"the line\","
                 "\"who\":\"GET \\\"503\\\"\",\"status\":\"s503\"}");
}

static void
json_keeps_numbers_booleans_and_nested_values(void **state)
{
    struct slice json;

    (void)state;
    given_json();
    when_compiled();
    given_record();
    record_begin(&rec, SLICE("\xff"), SLICE("\xff"), 0);
    record_set_named(&rec, SLICE("n"), VALUE_NUMBER, SLICE("1.50e+3"));
    record_set_named(&rec, SLICE("ok"), VALUE_BOOL, SLICE("true"));
    record_set_named(&rec, SLICE("in"), VALUE_JSON, SLICE("{\"a\":[1]}"));
    record_set_named(&rec, SLICE("q\""), VALUE_TEXT, SLICE("12"));
    record_set_named(&rec, SLICE("body"), VALUE_TEXT, SLICE("a parser's"));
    json = route_json(r, &rec, &arena, NULL, 0, &written);
    assert_true(slice_is(json, "{\"n\":1.50e+3,\"ok\":true,\"in\":{\"a\":[1]},\"q\\\"\":\"12\","
                               "\"body\":\"\xef\xbf\xbd\"}"));
}

/* A record of JSON's fields, as its parser sets them. */
static void
given_nested_record(const char *user)
{
    record_begin(&rec, SLICE("line"), SLICE("line"), 0);
    record_mark(&rec);
    record_set_named(&rec, SLICE("user"), VALUE_JSON, slice_of(user));
    if (names_find(names, SLICE("user.id")) != NAME_NONE)
        record_set_part(&rec, names_find(names, SLICE("user.id")), 1, VALUE_NUMBER, SLICE("7"));
}

static void
json_takes_parts_once_and_leaves_out_what_is_excluded_inside(void **state)
{
    struct node *list = entry(given_json(), "exclude", NODE_LIST, NULL);
    struct slice json;

    (void)state;
    element(list, "user.id");
    element(list, "user.a.b");
    element(list, "body");
    when_compiled();
    given_record();
    given_nested_record("{\"id\": 7, \"a\":{\"b\":[1],\"c\":[{\"b\":2}, null]}, \"\\u0069d\":8}");
    json = route_json(r, &rec, &arena, NULL, 0, &written);
    assert_true(slice_is(json, "{\"user\":{\"a\":{\"c\":[{\"b\":2},null]}}}"));
    given_nested_record("[{\"id\": 7}]");
    json = route_json(r, &rec, &arena, NULL, 0, &written);
    assert_true(slice_is(json, "{\"user\":[{\"id\":7}]}"));
}

static void
json_inside_is_one_line_of_utf8(void **state)
{
    struct slice json;

    (void)state;
    element(entry(given_json(), "exclude", NODE_LIST, NULL), "body");
    when_compiled();
    given_record();
    given_nested_record("{ \"a\" : [ 1 ,\n 2.50 ] }");
    json = route_json(r, &rec, &arena, NULL, 0, &written);
    assert_true(slice_is(json, "{\"user\":{\"a\":[1,2.50]}}"));
    given_nested_record("{\"\xff\" :\"\\u00e9\xc3\xa9\xc3\", \"e\":[],\"o\":{}}");
    json = route_json(r, &rec, &arena, NULL, 0, &written);
    assert_true(slice_is(json, "{\"user\":{\"\xef\xbf\xbd\":\"\\u00e9\xc3\xa9\xef\xbf\xbd\","
                               "\"e\":[],\"o\":{}}}"));
    given_nested_record("{ \"a\" : 1 }");
    json = route_json(r, &rec, &arena, NULL, 0, &written);
    assert_true(slice_is(json, "{\"user\":{ \"a\" : 1 }}"));
}

/* Whatever the room, it is the same object. */
static void
json_is_written_in_place_where_it_fits_and_is_plain(void **state)
{
    static const char plain[] =
        "{\"one\":\"a text of some length\",\"two\":12,\"body\":\"line\"}";
    char              place[200];
    bool              fits = false;
    struct slice      json;

    (void)state;
    given_json();
    when_compiled();
    given_record();
    record_begin(&rec, SLICE("line"), SLICE("line"), 0);
    record_set_named(&rec, SLICE("one"), VALUE_TEXT, SLICE("a text of some length"));
    record_set_named(&rec, SLICE("two"), VALUE_NUMBER, SLICE("12"));
    for (size_t room = 1; room < sizeof place; room++) {
        place[room] = '#';
        json = route_json(r, &rec, &arena, place, room, &written);
        assert_true(slice_is(json, plain));
        assert_int_equal(place[room], '#');
        assert_true(!fits || json.ptr == place);
        fits = json.ptr == place;
    }
    assert_true(fits);
    record_set_named(&rec, SLICE("one"), VALUE_TEXT, SLICE("a \"text\""));
    json = route_json(r, &rec, &arena, place, sizeof place, &written);
    assert_true(slice_is(json,
                         "{\"one\":\"a \\\"text\\\"\",\"two\":12,\"body\":\"line\"}"));
}

/* The object of one text, as it is written where nothing beside the text may be read. */
static void
then_json_is_the_same_apart(struct slice json, struct slice text)
{
    const struct slice around = rec.around;
    struct slice       apart;
    struct buf         b = { NULL, 0, 0 };

    rec.around = NO_SLICE;
    record_set_named(&rec, SLICE("f"), VALUE_TEXT, text);
    apart = route_json(r, &rec, &arena, NULL, 0, &b);
    assert_true(slice_equal(json, apart));
    rec.around = around;
    buf_fini(&b);
}

static void
json_is_the_same_whatever_stands_beside_its_texts(void **state)
{
    enum { SIZE = 100, LONGEST = 66 };
    static const char odd[] = { 'a', '"', '\n', '\xff' };
    char *const       bytes = mem_alloc(SIZE);      /* read beyond, it is an error */
    char              place[400];

    (void)state;
    given_json();
    (void)names_offer(names, SLICE("f"));
    when_compiled();
    given_record();
    memset(bytes, 'a', SIZE);
    rec.around = (struct slice){ bytes, SIZE };
    for (size_t len = 0; len <= LONGEST; len++) {
        for (size_t i = 0; i <= len; i++) {
            for (size_t o = 0; o < sizeof odd; o++) {
                const size_t       begin = i % 2 == 0 ? 1 : SIZE - len;
                const struct slice text = { bytes + begin, len };

                bytes[begin + i - (begin + i == SIZE)] = odd[o];    /* in it, or behind it */
                record_set_named(&rec, SLICE("f"), VALUE_TEXT, text);
                then_json_is_the_same_apart(
                    route_json(r, &rec, &arena, place, sizeof place, &written), text);
                memset(bytes, 'a', SIZE);
            }
        }
    }
    free(bytes);
}

static void
json_keeps_what_the_line_calls_as_the_record_its_own(void **state)
{
    struct slice json;

    (void)state;
    element(entry(given_json(), "exclude", NODE_LIST, NULL), "body");
    when_compiled();
    given_record();
    record_begin(&rec, SLICE("line"), SLICE("line"), 0);
    record_set_named(&rec, SLICE("host.name"), VALUE_TEXT, SLICE("theirs"));
    record_set_named(&rec, SLICE("parse.error"), VALUE_TEXT, SLICE("theirs"));
    json = route_json(r, &rec, &arena, NULL, 0, &written);
    assert_true(slice_is(json, "{\"host.name\":\"theirs\",\"parse.error\":\"theirs\"}"));
    record_set(&rec, NAME_PARSE_ERROR, VALUE_TEXT, SLICE("ours"));
    json = route_json(r, &rec, &arena, NULL, 0, &written);
    assert_true(slice_is(json, "{\"host.name\":\"theirs\",\"parse.error\":\"ours\"}"));
}

static void
json_excludes_and_includes_the_record_its_own_by_their_names(void **state)
{
    struct node *map = given_json(), *list = entry(map, "include", NODE_LIST, NULL);
    struct slice json;

    (void)state;
    element(list, "host.name");
    element(list, "parse.error");
    element(entry(map, "exclude", NODE_LIST, NULL), "parse.error");
    when_compiled();
    given_record();
    record_set_named(&rec, SLICE("host.name"), VALUE_TEXT, SLICE("theirs"));
    record_set_named(&rec, SLICE("parse.error"), VALUE_TEXT, SLICE("theirs"));
    json = route_json(r, &rec, &arena, NULL, 0, &written);
    assert_true(slice_is(json, "{\"host.name\":\"web1\"}"));
}

static void
json_time_is_a_number(void **state)
{
    struct slice json;

    (void)state;
    element(entry(given_json(), "include", NODE_LIST, NULL), "time");
    when_compiled();
    given_record();
    assert_true(slice_is(route_json(r, &rec, &arena, NULL, 0, &written), "{}"));
    rec.has_time = true;
    rec.time_ms = 1728568416123;
    json = route_json(r, &rec, &arena, NULL, 0, &written);
    assert_true(slice_is(json, "{\"time\":1728568416123}"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(json_holds_all_fields_and_the_body),
        TEST(json_include_chooses_and_orders),
        TEST(json_exclude_takes_away),
        TEST(json_add_puts_templates_at_the_end),
        TEST(json_keeps_numbers_booleans_and_nested_values),
        TEST(json_takes_parts_once_and_leaves_out_what_is_excluded_inside),
        TEST(json_inside_is_one_line_of_utf8),
        TEST(json_is_written_in_place_where_it_fits_and_is_plain),
        TEST(json_is_the_same_whatever_stands_beside_its_texts),
        TEST(json_keeps_what_the_line_calls_as_the_record_its_own),
        TEST(json_excludes_and_includes_the_record_its_own_by_their_names),
        TEST(json_time_is_a_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
