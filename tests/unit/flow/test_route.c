/* test_route.c - which record goes where, and every mistake in saying so.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit/flow/routed.h"

/* ---- Tests: the ordinary ------------------------------------------------- */

static void
a_topic_alone_is_a_route(void **state)
{
    struct slice text;

    (void)state;
    given("topic", "access");
    when_compiled();
    assert_ptr_equal(r->output, &kafka);
    assert_true(template_constant(r->topic, &text) && slice_is(text, "access"));
    assert_int_equal(r->value, ROUTE_VALUE_BODY);
    assert_null(r->key);
    assert_null(r->partition);
    assert_null(r->timestamp);
    assert_int_equal(r->nheaders, 0);
    assert_int_equal(r->groups, 0);
    assert_false(r->drop || r->go_on || r->time_of_reading);
    assert_true(route_from(r, "anything"));
    given_record();
    assert_true(route_matches(r, &rec, &arena, work));
}

static void
every_key_is_taken(void **state)
{
    struct node *headers;

    (void)state;
    outputs.count = 3;
    given("output", "spare");
    given("topic", "logs-${input:-x}");
    given("topics", "logs-*");
    given("key", "${client}");
    given("partition", "7");
    given("timestamp", "${time}");
    given("value", "raw");
    given("continue", "true");
    headers = given_inner_map("headers");
    entry(headers, "host", NODE_SCALAR, "${host.name}");
    entry(headers, "via", NODE_SCALAR, "stoker");
    when_compiled();
    assert_ptr_equal(r->output, &spare);
    assert_int_equal(r->value, ROUTE_VALUE_RAW);
    assert_true(r->go_on);
    assert_non_null(r->key);
    assert_non_null(r->partition);
    assert_non_null(r->timestamp);
    assert_int_equal(r->nheaders, 2);
    assert_true(slice_is(r->headers[0].name, "host"));
    assert_true(slice_is(r->headers[1].name, "via"));
    assert_string_equal(template_text(r->headers[1].text), "stoker");
}

static void
timestamp_may_be_the_time_of_reading(void **state)
{
    (void)state;
    given("topic", "t");
    given("timestamp", "read");
    when_compiled();
    assert_true(r->time_of_reading);
    assert_null(r->timestamp);
}

static void
value_may_be_none_or_a_template(void **state)
{
    struct node *value;

    (void)state;
    given("topic", "t");
    value = given("value", "none");
    when_compiled();
    assert_int_equal(r->value, ROUTE_VALUE_NONE);
    tree_text(value, "${status} ${body}");
    when_compiled();
    assert_int_equal(r->value, ROUTE_VALUE_TEMPLATE);
    assert_string_equal(template_text(r->value_template), "${status} ${body}");
}

static void
from_takes_names_and_globs(void **state)
{
    struct node *from;

    (void)state;
    given("topic", "t");
    from = entry(conf, "from", NODE_LIST, NULL);
    element(from, "nginx");
    element(from, "app-*");
    when_compiled();
    assert_true(route_from(r, "nginx"));
    assert_true(route_from(r, "app-1"));
    assert_false(route_from(r, "nginx2"));
    assert_false(route_from(r, "app"));
}

static void
an_output_without_topics_needs_none(void **state)
{
    (void)state;
    outputs = (struct output_list){ all + 2, 1 };
    given("key", "x");
    when_compiled();
    assert_ptr_equal(r->output, &screen);
    assert_null(r->topic);
}

static void
a_route_that_drops_needs_neither_output_nor_topic(void **state)
{
    (void)state;
    outputs.count = 2;
    given("drop", "true");
    when_compiled();
    assert_true(r->drop);
    assert_null(r->output);
}

/* ---- Conditions ---------------------------------------------------------- */

static void
when_wants_all_entries(void **state)
{
    struct node *when, *method;

    (void)state;
    given("topic", "t");
    when = given_inner_map("when");
    entry(when, "status", NODE_SCALAR, "503");
    then_it_matches(true);
    method = entry(when, "method", NODE_SCALAR, "POST");
    then_it_matches(false);
    tree_text(method, "GET");
    then_it_matches(true);
}

static void
a_list_holds_if_one_of_it_does(void **state)
{
    struct node *list;

    (void)state;
    given("topic", "t");
    list = entry(given_inner_map("when"), "status", NODE_LIST, NULL);
    element(list, "404");
    then_it_matches(false);
    element(list, "503");
    then_it_matches(true);
    list->first = NULL;
    element(list, "/^4/");
    then_it_matches(false);
    element(list, "/^5(..)$/");
    then_it_matches(true);
    assert_int_equal(r->groups, 1);
}

static void
a_text_is_compared_whole_and_a_regex_searched(void **state)
{
    struct node *status;

    (void)state;
    given("topic", "t");
    status = entry(given_inner_map("when"), "status", NODE_SCALAR, "50");
    then_it_matches(false);
    tree_text(status, "/0/");
    then_it_matches(true);
}

static void
a_missing_field_equals_nothing(void **state)
{
    struct node *gone;

    (void)state;
    given("topic", "t");
    gone = entry(given_inner_map("when"), "gone", NODE_LIST, NULL);
    element(gone, "");
    element(gone, "/^/");
    then_it_matches(false);
    gone->key = "empty";
    then_it_matches(true);
}

static void
unless_leaves_alone_what_fulfils_all_its_entries(void **state)
{
    struct node *unless;

    (void)state;
    given("topic", "t");
    unless = given_inner_map("unless");
    then_it_matches(true);
    entry(unless, "status", NODE_SCALAR, "503");
    then_it_matches(false);
    entry(unless, "method", NODE_SCALAR, "POST");
    then_it_matches(true);
}

static void
what_every_record_has_can_be_asked_for(void **state)
{
    struct node *when;

    (void)state;
    given("topic", "t");
    when = given_inner_map("when");
    entry(when, "host.name", NODE_SCALAR, "web1");
    entry(when, "log.file.offset", NODE_SCALAR, "42");
    entry(when, "body", NODE_SCALAR, "/line$/");
    then_it_matches(true);
}

/* ---- Topics -------------------------------------------------------------- */

static void
legal_topics_are_those_that_kafka_takes(void **state)
{
    char name[251];

    (void)state;
    assert_true(route_topic_legal(SLICE("Az09._-")));
    assert_true(route_topic_legal(SLICE("...")));
    assert_false(route_topic_legal(SLICE("")));
    assert_false(route_topic_legal(SLICE(".")));
    assert_false(route_topic_legal(SLICE("..")));
    assert_false(route_topic_legal(SLICE("a b")));
    assert_false(route_topic_legal(SLICE("a/b")));
    assert_false(route_topic_legal(SLICE("a\0b")));
    assert_false(route_topic_legal(SLICE("\xc3\xa9")));
    memset(name, 'a', sizeof name);
    assert_true(route_topic_legal((struct slice){ name, 249 }));
    assert_false(route_topic_legal((struct slice){ name, 250 }));
}

static void
a_topic_from_fields_must_be_legal_and_listed(void **state)
{
    (void)state;
    given("topic", "${service}");
    when_compiled();
    assert_true(route_topic_allowed(r, SLICE("any")));
    assert_false(route_topic_allowed(r, SLICE("any thing")));
    assert_false(route_topic_allowed(r, SLICE("")));
    given("topics", "logs-*");
    when_compiled();
    assert_true(route_topic_allowed(r, SLICE("logs-a")));
    assert_false(route_topic_allowed(r, SLICE("any")));
}

static void
internal_topics_are_never_made_from_fields_unless_listed(void **state)
{
    struct node *topics;

    (void)state;
    given("topic", "${service}");
    when_compiled();
    assert_false(route_topic_allowed(r, SLICE("__consumer_offsets")));
    assert_true(route_topic_allowed(r, SLICE("_x")));
    topics = given("topics", "*");
    when_compiled();
    assert_false(route_topic_allowed(r, SLICE("__consumer_offsets")));
    tree_text(topics, "__my_*");
    when_compiled();
    assert_true(route_topic_allowed(r, SLICE("__my_topic")));
    assert_false(route_topic_allowed(r, SLICE("__consumer_offsets")));
}

static void
a_constant_internal_topic_is_the_users_will(void **state)
{
    (void)state;
    given("topic", "__mine");
    when_compiled();
    assert_true(route_topic_allowed(r, SLICE("__mine")));
}

/* ---- Mistakes ------------------------------------------------------------ */

static void
a_missing_topic_is_a_mistake(void **state)
{
    (void)state;
    given("key", "x");
    then_wrong(1, 1, "'topic' is missing", "'main'");
}

static void
a_topic_that_was_reported_is_not_missing(void **state)
{
    (void)state;
    given("topic", "${env:GONE}")->bad = true;
    errors_fini(&errs);
    r = route_new("route 1", conf, false, names, &outputs, &errs);
    assert_int_equal(errs.count, 0);
}

static void
illegal_topics_are_mistakes(void **state)
{
    struct node *topic;

    (void)state;
    topic = given("topic", "my topic");
    then_wrong(2, 10, "'my topic' cannot be a topic", "249");
    tree_text(topic, "");
    then_wrong(2, 10, "'' cannot be a topic", "");
    tree_text(topic, "access");
    given("topics", "logs-*");
    then_wrong(2, 10, "'access' is not among 'topics'", "");
}

static void
an_unknown_output_is_a_mistake(void **state)
{
    struct node *output;

    (void)state;
    given("topic", "t");
    output = given("output", "mian");
    then_wrong(3, 10, "there is no output 'mian'", "did you mean 'main'?");
    tree_text(output, "elsewhere");
    then_wrong(3, 10, "there is no output 'elsewhere'", "");
    assert_null(strstr(errs.list[0].text, "did you mean"));
    output->kind = NODE_LIST;
    then_wrong(3, 10, "name of an output", "a list");
}

static void
with_several_outputs_one_must_be_named(void **state)
{
    (void)state;
    outputs.count = 3;
    given("topic", "t");
    then_wrong(1, 1, "'output' is missing", "'main', 'spare', 'screen'");
    outputs.count = 0;          /* that was reported, once */
    given("output", "main");
    when_compiled();
    assert_null(r->output);
}

static void
a_bad_regex_is_named_with_its_place(void **state)
{
    struct node *status;

    (void)state;
    given("topic", "t");
    status = entry(given_inner_map("when"), "status", NODE_SCALAR, "/^5(/");
    then_wrong(4, 14, "route 1: when: bad regular expression", "offset 3");
    status->quoted = true;
    then_wrong(4, 10, "bad regular expression", "offset 3");
}

static void
conditions_of_a_wrong_kind_are_mistakes(void **state)
{
    struct node *when, *status;

    (void)state;
    given("topic", "t");
    when = given_inner_map("when");
    status = entry(when, "status", NODE_MAP, NULL);
    then_wrong(4, 10, "'status'", "a map");
    status->kind = NODE_NULL;
    then_wrong(4, 3, "'status'", "nothing");
    when->kind = NODE_LIST;
    then_wrong(3, 10, "when is a map of fields", "a list");
}

static void
values_that_are_none_are_mistakes(void **state)
{
    struct node *value;

    (void)state;
    given("topic", "t");
    value = given("value", "bdoy");
    then_wrong(3, 10, "'bdoy'", "did you mean 'body'?");
    tree_text(value, "everything");
    then_wrong(3, 10, "body, raw, none", "'everything'");
    value->kind = NODE_NULL;
    then_wrong(3, 10, "write none", "null value");
    value->kind = NODE_LIST;
    then_wrong(3, 10, "a text or a map", "a list");
    value->kind = NODE_MAP;
    then_wrong(3, 10, "needs a value for 'format'", "route 1: value");
    entry(value, "format", NODE_SCALAR, "jsno");
    then_wrong(4, 10, "'json'", "did you mean");
}

static void
json_settings_are_checked(void **state)
{
    struct node *value = given_json();

    (void)state;
    entry(value, "inclde", NODE_SCALAR, "a");
    then_wrong(5, 3, "'inclde'", "did you mean 'include'?");
    value->first->next = NULL;
    entry(value, "add", NODE_SCALAR, "a");
    then_wrong(5, 10, "'add' is a map", "a text");
}

static void
partition_and_timestamp_must_be_numbers(void **state)
{
    static const char *const wrong[] = { "-1", "2147483648", "x", "", "1x", " 1", "+1", "0x1" };
    struct node             *partition;

    (void)state;
    given("topic", "t");
    partition = given("partition", "0");
    when_compiled();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        tree_text(partition, wrong[i]);
        then_wrong(3, 10, "'partition' is a number", wrong[i]);
    }
    partition->key = "timestamp";
    then_wrong(3, 10, "'timestamp' is 'read' or", wrong[7]);
}

static void
headers_of_a_wrong_kind_are_mistakes(void **state)
{
    struct node *headers;

    (void)state;
    given("topic", "t");
    headers = given("headers", "x");
    then_wrong(3, 10, "'headers' is a map", "a text");
    headers->kind = NODE_MAP;
    entry(headers, "", NODE_SCALAR, "v");
    then_wrong(4, 3, "a header needs a name", "");
    headers->first = NULL;
    entry(headers, "h", NODE_SCALAR, "a ${");
    then_wrong(4, 12, "not closed", "");
}

static void
an_unknown_key_is_a_mistake_but_not_in_an_input(void **state)
{
    (void)state;
    given("topic", "t");
    given("tpoic", "t");
    then_wrong(3, 3, "'tpoic'", "did you mean 'topic'?");
    in_input = true;
    when_compiled();
}

static void
an_inputs_own_route_has_no_from(void **state)
{
    (void)state;
    in_input = true;
    given("topic", "t");
    given("from", "x");
    then_wrong(3, 3, "'from'", "'routes'");
}

static void
every_mistake_is_reported(void **state)
{
    (void)state;
    given("topic", "my topic");
    given("output", "mian");
    given("key", "${");
    given("partition", "x");
    given("value", "bdoy");
    given("redact", "x");
    given("sample", "x");
    given("rate_limit", "x");
    compile();
    assert_int_equal(errs.count, 8);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_topic_alone_is_a_route),
        TEST(every_key_is_taken),
        TEST(timestamp_may_be_the_time_of_reading),
        TEST(value_may_be_none_or_a_template),
        TEST(from_takes_names_and_globs),
        TEST(an_output_without_topics_needs_none),
        TEST(a_route_that_drops_needs_neither_output_nor_topic),
        TEST(when_wants_all_entries),
        TEST(a_list_holds_if_one_of_it_does),
        TEST(a_text_is_compared_whole_and_a_regex_searched),
        TEST(a_missing_field_equals_nothing),
        TEST(unless_leaves_alone_what_fulfils_all_its_entries),
        TEST(what_every_record_has_can_be_asked_for),
        TEST(legal_topics_are_those_that_kafka_takes),
        TEST(a_topic_from_fields_must_be_legal_and_listed),
        TEST(internal_topics_are_never_made_from_fields_unless_listed),
        TEST(a_constant_internal_topic_is_the_users_will),
        TEST(a_missing_topic_is_a_mistake),
        TEST(a_topic_that_was_reported_is_not_missing),
        TEST(illegal_topics_are_mistakes),
        TEST(an_unknown_output_is_a_mistake),
        TEST(with_several_outputs_one_must_be_named),
        TEST(a_bad_regex_is_named_with_its_place),
        TEST(conditions_of_a_wrong_kind_are_mistakes),
        TEST(values_that_are_none_are_mistakes),
        TEST(json_settings_are_checked),
        TEST(partition_and_timestamp_must_be_numbers),
        TEST(headers_of_a_wrong_kind_are_mistakes),
        TEST(an_unknown_key_is_a_mistake_but_not_in_an_input),
        TEST(an_inputs_own_route_has_no_from),
        TEST(every_mistake_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
