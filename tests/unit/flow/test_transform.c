/* test_transform.c - what of the bytes becomes a record, and where it goes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/flow/output.h"
#include "agent/flow/source.h"
#include "agent/flow/transform.h"

static struct names     *names;
static struct scratch   *work;
static struct plan      *plan;
static struct route      first, second;
static struct source     source;
static struct chunk     *c;
static struct output_ops no_topics;
static struct output     output = { .ops = &no_topics };

static struct template *
a_template(const char *text)
{
    struct errors     errs = { NULL, 0, 0 };
    const struct node node = { .kind = NODE_SCALAR, .text = text, .len = strlen(text) };
    struct template  *t = template_new(&node, names, &errs);

    assert_non_null(t);
    return t;
}

static int
set_up(void **state)
{
    (void)state;
    names = names_new();
    plan = plan_new("in", "host");
    plan->max_line = 10;
    plan->long_lines = LONG_SPLIT;
    first = (struct route){ .output = &output, .value = ROUTE_VALUE_BODY };
    second = first;
    plan_add_route(plan, &first);
    source_init(&source, NULL, plan, "/var/log/a.log");
    work = scratch_new(names, 2);
    c = chunk_new(CHUNK_SIZE);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    chunk_free(&c);
    scratch_free(work);
    source_fini(&source);
    template_free(first.topic);
    template_free(first.key);
    free(first.headers);
    redact_fini(&first.redact);
    redact_fini(&second.redact);
    limit_free(first.limit);
    plan_free(plan);
    names_free(names);
    return 0;
}

static enum transform_result
when_read_at(uint64_t begin, const char *bytes, size_t len, bool final)
{
    chunk_begin(c, &source, begin, source.path, source.name);
    assert_true(len <= c->size);
    memcpy(c->bytes, bytes, len);
    c->len = len;
    return transform_chunk(plan, work, c, final);
}

#define WHEN_READ(literal) when_read_at(0, literal, sizeof(literal) - 1, false)
#define WHEN_FINISHED(literal) when_read_at(0, literal, sizeof(literal) - 1, true)

/* The values of all messages, each behind its offset: "0:a|2:b". */
static void
then_values(const char *expected, size_t len)
{
    struct buf b = { NULL, 0, 0 };

    for (uint32_t i = 0; i < c->nmessages; i++) {
        buf_printf(&b, "%s%u:", i > 0 ? "|" : "", c->messages[i].at);
        buf_add_slice(&b, message_value(&c->messages[i]));
    }
    assert_int_equal(b.len, len);
    assert_memory_equal(buf_string(&b), expected, len);
    buf_fini(&b);
}

#define THEN_VALUES(literal) then_values(literal, sizeof(literal) - 1)

static void
lines_become_records(void **state)
{
    (void)state;
    assert_int_equal(WHEN_READ("a\nbc\nd\n"), TRANSFORM_DONE);
    THEN_VALUES("0:a|2:bc|5:d");
    assert_int_equal(c->end, 7);
    assert_int_equal(c->records, 3);
}

static void
what_follows_the_last_line_end_is_left(void **state)
{
    (void)state;
    assert_int_equal(WHEN_READ("a\nbc"), TRANSFORM_DONE);
    THEN_VALUES("0:a");
    assert_int_equal(c->end, 2);
}

static void
bytes_without_line_end_are_partial(void **state)
{
    (void)state;
    assert_int_equal(WHEN_READ("abc"), TRANSFORM_PARTIAL);
    assert_int_equal(c->end, 0);
    assert_int_equal(WHEN_READ(""), TRANSFORM_PARTIAL);
}

static void
the_last_line_of_a_finished_file_needs_no_end(void **state)
{
    (void)state;
    assert_int_equal(WHEN_FINISHED("a\nbc"), TRANSFORM_DONE);
    THEN_VALUES("0:a|2:bc");
    assert_int_equal(c->end, 4);
}

static void
one_cr_before_lf_belongs_to_the_line_end(void **state)
{
    (void)state;
    first.value = ROUTE_VALUE_RAW;
    WHEN_READ("a\r\nb\r\r\n\r\nc\rd\n");
    THEN_VALUES("0:a\r|3:b\r\r|7:\r|9:c\rd");
    first.value = ROUTE_VALUE_BODY;
    WHEN_READ("a\r\nb\r\r\n\r\nc\rd\n");
    THEN_VALUES("0:a|3:b\r|7:|9:c\rd");
}

static void
an_empty_line_is_an_empty_value_and_not_none(void **state)
{
    (void)state;
    WHEN_READ("\n\n");
    assert_int_equal(c->nmessages, 2);
    assert_non_null(c->messages[0].value);
    assert_int_equal(c->messages[0].value_len, 0);
}

static void
any_byte_passes(void **state)
{
    (void)state;
    WHEN_READ("\0\xff\x80\n");
    THEN_VALUES("0:\0\xff\x80");
}

static void
a_byte_order_mark_is_taken_off_at_the_beginning_only(void **state)
{
    (void)state;
    WHEN_READ("\xef\xbb\xbfhi\n\xef\xbb\xbfho\n");
    THEN_VALUES("0:hi|6:\xef\xbb\xbfho");
    when_read_at(100, "\xef\xbb\xbfhi\n", 6, false);
    THEN_VALUES("0:\xef\xbb\xbfhi");
}

static void
a_line_of_exactly_max_line_is_not_long(void **state)
{
    (void)state;
    WHEN_READ("0123456789\n0123456789\r\n");
    THEN_VALUES("0:0123456789|11:0123456789");
    assert_int_equal(c->long_lines, 0);
    assert_int_equal(WHEN_READ("0123456789\r"), TRANSFORM_PARTIAL);     /* LF may follow */
}

static void
a_long_line_is_split(void **state)
{
    (void)state;
    WHEN_READ("0123456789abcdefghijXYZ\nnext\n");
    THEN_VALUES("0:0123456789|10:abcdefghij|20:XYZ|24:next");
    assert_int_equal(c->end, 29);
    assert_int_equal(c->long_lines, 1);
}

static void
pieces_of_a_line_without_end_are_sent_as_soon_as_they_are_whole(void **state)
{
    (void)state;
    assert_int_equal(WHEN_READ("0123456789ab"), TRANSFORM_DONE);
    THEN_VALUES("0:0123456789");
    assert_int_equal(c->end, 10);
}

/* As it comes with the end of one chunk and the beginning of the next. */
static void
a_line_that_is_split_over_chunks_is_counted_once(void **state)
{
    struct source_told told = { { 0, 0 }, { 0, 0 } };

    (void)state;
    when_read_at(100, "a\n0123456789abcdefghijKLMNOPQ", 29, false);
    THEN_VALUES("0:a|2:0123456789|12:abcdefghij");
    assert_int_equal(c->long_lines, 1);
    source_count_read(&source, c, &told);
    when_read_at(c->end, "KLMNOPQRSTuvwxyz0123456789", 26, false);      /* and it goes on */
    THEN_VALUES("0:KLMNOPQRST|10:uvwxyz0123");
    assert_int_equal(c->long_lines, 0);
    source_count_read(&source, c, &told);
    when_read_at(c->end, "456789\nABCDEFGHIJKLMNOPQRST\n", 28, false);  /* to its end */
    THEN_VALUES("0:456789|7:ABCDEFGHIJ|17:KLMNOPQRST");
    assert_int_equal(c->long_lines, 1);
    source_count_read(&source, c, &told);
    when_read_at(c->end, "0123456789abcdefghij", 20, false);            /* another begins */
    assert_int_equal(c->long_lines, 1);
}

static void
a_character_is_not_cut(void **state)
{
    (void)state;
    WHEN_READ("012345678\xc3\xa9" "abc\n");
    THEN_VALUES("0:012345678|9:\xc3\xa9" "abc");
    WHEN_READ("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\n");     /* no UTF-8 at all */
    THEN_VALUES("0:\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80|10:\x80\x80");
}

static void
a_long_line_is_shortened(void **state)
{
    (void)state;
    plan->long_lines = LONG_TRUNCATE;
    WHEN_READ("a\n0123456789abc\nnext\n");
    THEN_VALUES("0:a|2:0123456789|16:next");
    assert_int_equal(c->long_lines, 1);
    assert_int_equal(WHEN_READ("a\n0123456789abcdef"), TRANSFORM_DONE);
    assert_int_equal(c->end, 2);
    assert_int_equal(WHEN_READ("0123456789abcdef"), TRANSFORM_LONG);
    transform_long(plan, work, c, 1000);
    THEN_VALUES("0:0123456789");
    assert_int_equal(c->end, 1000);
    assert_int_equal(c->records, 1);
}

static void
a_long_line_is_left_out_and_counted(void **state)
{
    (void)state;
    plan->long_lines = LONG_DROP;
    WHEN_READ("a\n0123456789abc\nnext\n");
    THEN_VALUES("0:a|16:next");
    assert_int_equal(c->records, 3);
    assert_int_equal(c->filtered, 1);
    assert_int_equal(c->long_lines, 1);
    assert_int_equal(WHEN_READ("0123456789abcdef"), TRANSFORM_LONG);
    transform_long(plan, work, c, 1000);
    assert_int_equal(c->nmessages, 0);
    assert_int_equal(c->end, 1000);
}

static void
a_line_longer_than_the_chunk_asks_for_a_larger_one(void **state)
{
    char *bytes = mem_alloc(CHUNK_SIZE);

    (void)state;
    memset(bytes, 'x', CHUNK_SIZE);
    plan->max_line = 1024 * 1024;
    assert_int_equal(when_read_at(0, bytes, CHUNK_SIZE, false), TRANSFORM_GROW);
    assert_true(transform_room(plan) > 1024 * 1024 + 2);
    free(bytes);
}

static void
a_chunk_ends_when_it_has_no_room_for_messages(void **state)
{
    char *bytes = mem_alloc(CHUNK_SIZE);

    (void)state;
    memset(bytes, '\n', CHUNK_SIZE);
    assert_int_equal(when_read_at(0, bytes, CHUNK_SIZE, false), TRANSFORM_DONE);
    assert_int_equal(c->nmessages, CHUNK_MAX_MESSAGES);
    assert_int_equal(c->end, CHUNK_MAX_MESSAGES);
    free(bytes);
}

/* ---- Encodings ------------------------------------------------------------- */

static void
given_encoding(const char *name)
{
    struct error err;

    free(plan->encoding_name);
    encoding_free(plan->encoding);
    plan->encoding_name = mem_string(name);
    assert_int_equal(plan_set_encoding(plan, &err), 0);
}

static void
lines_in_utf_16_become_utf_8(void **state)
{
    (void)state;
    given_encoding("utf-16le");
    assert_int_equal(WHEN_READ("\xff\xfe" "a\0\r\0\n\0\n\0\xe9\0\n\0x\0"), TRANSFORM_DONE);
    THEN_VALUES("0:a|8:|10:\xc3\xa9");
    assert_int_equal(c->end, 14);
}

static void
raw_is_what_was_read_whatever_the_encoding(void **state)
{
    (void)state;
    given_encoding("utf-16");
    first.value = ROUTE_VALUE_RAW;
    assert_int_equal(WHEN_READ("\xfe\xff\0a\0\r\0\n"), TRANSFORM_DONE);
    THEN_VALUES("0:\xfe\xff\0a\0\r");
}

static void
the_reader_says_which_of_two_orders_it_is(void **state)
{
    (void)state;
    given_encoding("utf-16");
    chunk_begin(c, &source, 100, source.path, source.name);
    c->encoding = encoding_marked(plan->encoding, "\xfe\xff", 2);
    memcpy(c->bytes, "\0a\0\n", 4);
    c->len = 4;
    assert_int_equal(transform_chunk(plan, work, c, false), TRANSFORM_DONE);
    THEN_VALUES("0:a");
}

static void
half_a_line_end_waits_for_the_other_half(void **state)
{
    (void)state;
    given_encoding("utf-16le");
    assert_int_equal(WHEN_READ("a\0\n"), TRANSFORM_PARTIAL);
    assert_int_equal(WHEN_READ("a\0\n\0"), TRANSFORM_DONE);
    THEN_VALUES("0:a");
}

static void
a_long_line_in_utf_16_is_split_between_characters(void **state)
{
    (void)state;
    given_encoding("utf-16le");
    assert_int_equal(WHEN_READ("1\0002\0003\0004\0\x3d\xd8\x00\xde" "5\0\n\0"), TRANSFORM_DONE);
    THEN_VALUES("0:1234|8:\xf0\x9f\x98\x80" "5");
    assert_int_equal(c->long_lines, 1);
}

static void
a_last_line_of_half_a_character_is_sent_and_counted(void **state)
{
    (void)state;
    given_encoding("utf-16le");
    assert_int_equal(WHEN_FINISHED("a\0b"), TRANSFORM_DONE);
    THEN_VALUES("0:a\xef\xbf\xbd");
    assert_int_equal(c->undecoded, 1);
    assert_int_equal(c->end, 3);
}

static void
bytes_that_are_no_utf_8_pass_unchanged(void **state)
{
    (void)state;
    given_encoding("utf-8");
    assert_int_equal(WHEN_READ("\xff\xc3(\0\n"), TRANSFORM_DONE);
    THEN_VALUES("0:\xff\xc3(\0");
    assert_int_equal(c->undecoded, 0);
}

/* ---- Routes ------------------------------------------------------------------ */

static void
messages_of_two_topics_stand_in_two_runs_in_order(void **state)
{
    (void)state;
    first.topic = a_template("t-${body}");
    WHEN_READ("a\nb\na\nb\na\n");
    assert_int_equal(c->nruns, 2);
    assert_true(slice_is(c->runs[0].topic, "t-a"));
    assert_int_equal(c->runs[0].count, 3);
    THEN_VALUES("0:a|4:a|8:a|2:b|6:b");
}

static void
a_key_is_a_copy_and_a_missing_field_is_no_key(void **state)
{
    (void)state;
    first.key = a_template("${body}");
    WHEN_READ("k\n");
    assert_true(slice_is(message_key(&c->messages[0]), "k"));
    assert_ptr_not_equal(c->messages[0].key, c->bytes);
    template_free(first.key);
    first.key = a_template("${nothing}");
    scratch_free(work);
    work = scratch_new(names, 0);
    WHEN_READ("k\n");
    assert_null(c->messages[0].key);
}

/* A list of one redaction for a route; to be freed by tear_down(). */
static void
given_redaction(struct route *route, const char *pattern, const char *with)
{
    struct node p = { .kind = NODE_SCALAR, .key = "pattern", .text = pattern,
                      .len = strlen(pattern) };
    struct node w = { .kind = NODE_SCALAR, .key = "with", .text = with, .len = strlen(with) };
    const struct node map = { .kind = NODE_MAP, .first = &p };
    struct errors     errs = { NULL, 0, 0 };

    p.next = &w;
    redact_load(&route->redact, "route", &map, &errs);
    assert_int_equal(errs.count, 0);
}

static void
given_limit(struct route *route, const char *sample, const char *rate)
{
    const struct node s = { .kind = NODE_SCALAR, .text = sample, .len = strlen(sample) };
    const struct node r = { .kind = NODE_SCALAR, .text = rate, .len = strlen(rate) };
    struct errors     errs = { NULL, 0, 0 };

    route->limit = limit_new("route", *sample != '\0' ? &s : NULL, *rate != '\0' ? &r : NULL,
                             &errs);
    assert_non_null(route->limit);
}

static void
what_is_redacted_is_in_nothing_that_is_made(void **state)
{
    (void)state;
    first.topic = a_template("t-${body}");
    first.key = a_template("${raw}");
    first.value = ROUTE_VALUE_RAW;
    given_redaction(&first, "ab", "X");
    WHEN_READ("abc\r\n");
    THEN_VALUES("0:Xc\r");
    assert_true(slice_is(c->runs[0].topic, "t-Xc"));
    assert_true(slice_is(message_key(&c->messages[0]), "Xc\r"));
}

static void
a_route_redacts_for_itself_only(void **state)
{
    (void)state;
    plan_add_route(plan, &second);
    first.go_on = true;
    given_redaction(&first, "ab", "X");
    given_redaction(&second, "c", "Y");
    WHEN_READ("abc\n");
    THEN_VALUES("0:Xc|0:abY");
}

static void
a_redaction_that_was_given_up_rejects_the_message(void **state)
{
    char line[5001];

    (void)state;
    plan->max_line = sizeof line;
    given_redaction(&first, "(a+)+[bc]", "X");
    memset(line, 'a', sizeof line - 1);
    line[sizeof line - 1] = '\n';
    when_read_at(0, line, sizeof line, false);
    assert_int_equal(c->nmessages, 1);
    assert_string_equal(c->runs[0].reject, "the search for what to redact was given up");
    assert_null(memchr(c->messages[0].value, 'a', 3));
}

static void
what_sample_leaves_out_is_filtered_and_taken(void **state)
{
    (void)state;
    plan_add_route(plan, &second);
    given_limit(&first, "1/3", "");
    WHEN_READ("a\nb\nc\nd\n");
    THEN_VALUES("0:a|6:d");
    assert_int_equal(c->filtered, 2);
    assert_int_equal(c->records, 4);
}

static void
a_rate_limit_counts_over_chunks(void **state)
{
    (void)state;
    scratch_stop_clock(work);
    given_limit(&first, "", "3/s");
    WHEN_READ("a\nb\n");
    assert_int_equal(c->filtered, 0);
    WHEN_READ("c\nd\ne\n");
    THEN_VALUES("0:c");
    assert_int_equal(c->filtered, 2);
}

static void
only_what_a_route_takes_is_counted_by_its_limit(void **state)
{
    (void)state;
    plan_add_route(plan, &second);
    first.go_on = second.go_on = true;
    given_limit(&first, "1/2", "");
    WHEN_READ("a\nb\n");
    assert_int_equal(c->nmessages, 3);
    assert_int_equal(c->filtered, 0);       /* the other route has sent it */
}

static void
messages_are_known_in_the_order_in_which_they_were_made(void **state)
{
    static const uint32_t expected[] = { 0, 1, 2, 1 };

    (void)state;
    plan_add_route(plan, &second);
    first.go_on = true;
    first.topic = a_template("t-${body}");
    WHEN_READ("a\nb\n");
    assert_int_equal(c->nmessages, 4);
    assert_memory_equal(scratch_runs(work), expected, sizeof expected);
}

static void
a_record_that_no_route_takes_is_counted(void **state)
{
    (void)state;
    first.drop = true;
    WHEN_READ("a\nb\n");
    assert_int_equal(c->nmessages, 0);
    assert_int_equal(c->filtered, 2);
    assert_int_equal(c->end, 4);
}

static void
continue_tries_the_next_route_too(void **state)
{
    (void)state;
    plan_add_route(plan, &second);
    WHEN_READ("a\n");
    assert_int_equal(c->nmessages, 1);
    first.go_on = true;
    WHEN_READ("a\n");
    assert_int_equal(c->nmessages, 2);
}

/* Every value, in the order of the messages, stands right behind the one before. */
static bool
values_stand_side_by_side(void)
{
    for (uint32_t i = 1; i < c->nmessages; i++)
        if (c->messages[i].value != c->messages[i - 1].value + c->messages[i - 1].value_len)
            return false;
    return true;
}

static void
gathered_values_stand_in_the_order_of_the_messages(void **state)
{
    const char *lines = "a1\nbb\na2\nbb\na3\n";

    (void)state;
    first.topic = a_template("${body}");
    when_read_at(0, lines, strlen(lines), false);
    assert_int_equal(c->nruns, 4);
    assert_false(values_stand_side_by_side());
    transform_gather(work, c);
    assert_true(values_stand_side_by_side());
    THEN_VALUES("0:a1|3:bb|9:bb|6:a2|12:a3");
    when_read_at(0, lines, strlen(lines), false);       /* the exchanged bytes serve as well */
    transform_gather(work, c);
    THEN_VALUES("0:a1|3:bb|9:bb|6:a2|12:a3");
}

static void
values_that_several_messages_share_may_be_too_much_to_gather(void **state)
{
    char *lines = mem_alloc(CHUNK_SIZE);

    (void)state;
    plan->max_line = CHUNK_SIZE;
    memset(lines, 'x', CHUNK_SIZE);
    lines[CHUNK_SIZE / 2] = lines[CHUNK_SIZE - 1] = '\n';
    first.go_on = true;
    first.topic = a_template("${log.file.offset}");
    plan_add_route(plan, &second);
    when_read_at(0, lines, CHUNK_SIZE, false);
    assert_int_equal(c->nmessages, 4);
    assert_true(c->nruns > 1);
    transform_gather(work, c);
    for (uint32_t i = 0; i < c->nmessages; i++) {
        const struct message *m = &c->messages[i];

        assert_memory_equal(m->value, lines, m->value_len);
        assert_ptr_equal(m->value, c->bytes + (m->at > 0 ? CHUNK_SIZE / 2 + 1 : 0));
    }
    free(lines);
}

static void
made_values_of_a_run_stand_side_by_side(void **state)
{
    struct node   format = { .kind = NODE_SCALAR, .key = "format", .text = "json", .len = 4 };
    struct node   map = { .kind = NODE_MAP, .first = &format };
    struct errors errs = { NULL, 0, 0 };

    (void)state;
    first.topic = a_template("${body}");
    first.value = ROUTE_VALUE_JSON;
    first.json = json_value_new("a route", &map, names, &errs);
    assert_non_null(first.json);
    names_complete(names);
    scratch_free(work);
    work = scratch_new(names, 0);
    WHEN_READ("a\nb\na\nb\na\n");
    THEN_VALUES("0:{\"body\":\"a\"}|4:{\"body\":\"a\"}|8:{\"body\":\"a\"}"
                "|2:{\"body\":\"b\"}|6:{\"body\":\"b\"}");
    assert_ptr_equal(c->messages[1].value, c->messages[0].value + c->messages[0].value_len);
    assert_ptr_equal(c->messages[2].value, c->messages[1].value + c->messages[1].value_len);
    assert_ptr_equal(c->messages[4].value, c->messages[3].value + c->messages[3].value_len);
    json_value_free(first.json);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_become_records),
        TEST(what_follows_the_last_line_end_is_left),
        TEST(bytes_without_line_end_are_partial),
        TEST(the_last_line_of_a_finished_file_needs_no_end),
        TEST(one_cr_before_lf_belongs_to_the_line_end),
        TEST(an_empty_line_is_an_empty_value_and_not_none),
        TEST(any_byte_passes),
        TEST(a_byte_order_mark_is_taken_off_at_the_beginning_only),
        TEST(a_line_of_exactly_max_line_is_not_long),
        TEST(a_long_line_is_split),
        TEST(pieces_of_a_line_without_end_are_sent_as_soon_as_they_are_whole),
        TEST(a_line_that_is_split_over_chunks_is_counted_once),
        TEST(a_character_is_not_cut),
        TEST(a_long_line_is_shortened),
        TEST(a_long_line_is_left_out_and_counted),
        TEST(a_line_longer_than_the_chunk_asks_for_a_larger_one),
        TEST(a_chunk_ends_when_it_has_no_room_for_messages),
        TEST(lines_in_utf_16_become_utf_8),
        TEST(raw_is_what_was_read_whatever_the_encoding),
        TEST(the_reader_says_which_of_two_orders_it_is),
        TEST(half_a_line_end_waits_for_the_other_half),
        TEST(a_long_line_in_utf_16_is_split_between_characters),
        TEST(a_last_line_of_half_a_character_is_sent_and_counted),
        TEST(bytes_that_are_no_utf_8_pass_unchanged),
        TEST(messages_of_two_topics_stand_in_two_runs_in_order),
        TEST(a_key_is_a_copy_and_a_missing_field_is_no_key),
        TEST(what_is_redacted_is_in_nothing_that_is_made),
        TEST(a_route_redacts_for_itself_only),
        TEST(a_redaction_that_was_given_up_rejects_the_message),
        TEST(what_sample_leaves_out_is_filtered_and_taken),
        TEST(a_rate_limit_counts_over_chunks),
        TEST(only_what_a_route_takes_is_counted_by_its_limit),
        TEST(messages_are_known_in_the_order_in_which_they_were_made),
        TEST(a_record_that_no_route_takes_is_counted),
        TEST(continue_tries_the_next_route_too),
        TEST(made_values_of_a_run_stand_side_by_side),
        TEST(gathered_values_stand_in_the_order_of_the_messages),
        TEST(values_that_several_messages_share_may_be_too_much_to_gather),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
