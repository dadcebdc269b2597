/* test_group.c - lines become records, wherever the file is cut into chunks.
 *
 * The container's log of these tests has one letter before each text: o and e for
 * lines of stdout and stderr, O and E for lines that go on.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/base/mem.h"
#include "tests/unit/flow/grouped.h"

static struct grouped g;

static int
frame(const struct parser *p, struct parse_work *work, struct slice line, struct frame *f)
{
    (void)p;
    work->reason = "no such line";
    *f = (struct frame){ .stream = STREAM_STDOUT };
    if (line.len == 0 || strchr("oOeE", line.ptr[0]) == NULL)
        return -1;
    f->stream = (line.ptr[0] | 0x20) == 'e' ? STREAM_STDERR : STREAM_STDOUT;
    f->partial = line.ptr[0] < 'a';
    f->body = (struct slice){ line.ptr + 1, line.len - 1 };
    return 0;
}

static const struct framing_ops framing = { frame, NULL };
static const struct parser      frames = { .framing = &framing };

static int
set_up(void **state)
{
    (void)state;
    grouped_init(&g);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    grouped_fini(&g);
    return 0;
}

static void
given_frames(void)
{
    assert_true(plan_add_parser(g.plan, &frames));
}

/* The text is a whole file that is finished. */
static void
then_records(const char *text, const char *expected)
{
    assert_string_equal(grouped_read_all(&g, text, strlen(text)), expected);
}

/* ---- multiline ----------------------------------------------------------------- */

static void
a_line_that_matches_start_begins_a_record(void **state)
{
    (void)state;
    grouped_multiline(&g, "start", "^[A-Z]");
    then_records("Aa\n b\nc\nD\nE\n", "0:Aa\n b\nc|8:D|10:E|");
    then_records("x\ny\nA\n", "0:x\ny|4:A|");
}

static void
a_line_that_matches_continue_belongs_to_the_record_before(void **state)
{
    (void)state;
    grouped_multiline(&g, "continue", "^\\s");
    then_records("a\n b\n\tc\nd\n\ne\n", "0:a\n b\n\tc|8:d|10:|11:e|");
    then_records(" a\n b\nc", "0: a\n b|6:c|");
}

static void
lines_are_joined_with_lf_and_raw_is_as_it_was_read(void **state)
{
    (void)state;
    grouped_multiline(&g, "continue", "^ ");
    then_records("a\r\n b\r\n c\r\nd\r\n", "0:a\n b\n c|11:d|");
    g.route.value = ROUTE_VALUE_RAW;
    then_records("a\r\n b\r\n c\r\nd\r\n", "0:a\r\n b\r\n c\r|11:d\r|");
}

static void
a_group_at_its_limit_is_sent_and_the_next_line_begins_another(void **state)
{
    (void)state;
    grouped_multiline(&g, "start", "^A");
    g.plan->multiline->max_lines = 3;
    then_records("A\nb\nc\nd\nA\n", "0:A\nb\nc|6:d|8:A|");
    g.plan->multiline->max_lines = 1000;
    g.plan->multiline->max_size = 5;
    then_records("A\nb\nc\nd\nA\n", "0:A\nb\nc|6:d|8:A|");
    then_records("A\nbc\nde\n", "0:A\nbc|5:de|");
    then_records("A\nbc\nd\n", "0:A\nbc|5:d|");
    g.plan->multiline->max_lines = 1;
    then_records("A\nb\nc\n", "0:A|2:b|4:c|");
}

static void
a_byte_order_mark_does_not_hide_the_first_line(void **state)
{
    (void)state;
    grouped_multiline(&g, "start", "^A");
    then_records("\xef\xbb\xbf" "A\nb\nA\n", "0:A\nb|7:A|");
}

static void
a_long_line_ends_the_group_and_its_pieces_are_records(void **state)
{
    (void)state;
    grouped_multiline(&g, "start", "^A");
    g.plan->max_line = 4;
    then_records("A\nb\n12345678\nc\nA\n", "0:A\nb|4:1234|8:5678\nc|15:A|");
    g.plan->long_lines = LONG_TRUNCATE;
    then_records("A\nb\n12345678\nc\nA\n", "0:A\nb|4:1234|13:c|15:A|");
    g.plan->long_lines = LONG_DROP;
    then_records("A\nb\n12345678\nc\nA\n", "0:A\nb|13:c|15:A|");
}

static void
lines_of_another_encoding_are_grouped_in_utf8(void **state)
{
    static const char text[] = "\xff\xfe" "A\0\xe4\0\r\0\n\0" " \0\x0a\x01\n\0" "B\0\n\0";
    struct error      err;

    (void)state;
    g.plan->encoding_name = mem_string("utf-16");
    assert_int_equal(plan_set_encoding(g.plan, &err), 0);
    grouped_multiline(&g, "start", "^[A-Z]");
    assert_string_equal(grouped_read_all(&g, text, sizeof text - 1),
                        "0:A\xc3\xa4\n \xc4\x8a|16:B|");
}

/* ---- pending groups -------------------------------------------------------------- */

static void
a_chunk_ends_where_the_pending_group_begins(void **state)
{
    static const char text[] = "A\nb\nA\nc\n";

    (void)state;
    grouped_multiline(&g, "start", "^A");
    assert_int_equal(grouped_read(&g, text, 8, false), TRANSFORM_DONE);
    assert_string_equal(buf_string(&g.found), "0:A\nb|");
    assert_int_equal(g.at, 4);
    assert_int_equal(grouped_read(&g, text, 8, false), TRANSFORM_PARTIAL);
    assert_int_equal(g.at, 4);
    assert_int_equal(grouped_read(&g, text, 8, true), TRANSFORM_DONE);
    assert_string_equal(buf_string(&g.found), "0:A\nb|4:A\nc|");
}

static void
a_group_that_has_waited_is_sent_and_one_that_has_grown_is_not(void **state)
{
    static const char text[] = "A\nb\nc\nA";

    (void)state;
    grouped_multiline(&g, "start", "^A");
    assert_int_equal(grouped_read(&g, text, 4, false), TRANSFORM_PARTIAL);
    assert_int_equal(g.waits, 4);
    g.waited = 4;
    assert_int_equal(grouped_read(&g, text, 6, false), TRANSFORM_PARTIAL);
    assert_int_equal(g.waits, 6);
    g.waited = 6;
    assert_int_equal(grouped_read(&g, text, 7, false), TRANSFORM_DONE);
    assert_string_equal(buf_string(&g.found), "0:A\nb\nc|");
    assert_int_equal(g.at, 6);
    assert_int_equal(g.waits, 0);
}

static void
a_group_at_its_limit_does_not_wait_for_another_line(void **state)
{
    (void)state;
    grouped_multiline(&g, "start", "^A");
    g.plan->multiline->max_lines = 2;
    assert_int_equal(grouped_read(&g, "A\nb\n", 4, false), TRANSFORM_DONE);
    assert_string_equal(buf_string(&g.found), "0:A\nb|");
    grouped_rewind(&g);
    g.plan->multiline->max_lines = 1000;
    g.plan->multiline->max_size = 3;
    assert_int_equal(grouped_read(&g, "A\nb\n", 4, false), TRANSFORM_DONE);
    assert_string_equal(buf_string(&g.found), "0:A\nb|");
}

static void
an_unfinished_line_does_not_end_by_waiting(void **state)
{
    (void)state;
    given_frames();
    grouped_multiline(&g, "start", "^A");
    g.waited = 100;
    assert_int_equal(grouped_read(&g, "oA\nOb", 5, false), TRANSFORM_DONE);
    assert_int_equal(grouped_read(&g, "oA\nObcdef\n", 10, false), TRANSFORM_PARTIAL);
    assert_int_equal(g.waits, 0);
}

static void
a_group_longer_than_the_chunk_asks_for_a_larger_one(void **state)
{
    static const char text[] = "A\nb\nc\nd\ne\n";

    (void)state;
    grouped_multiline(&g, "start", "^A");
    g.size = 6;
    assert_int_equal(grouped_read(&g, text, 10, false), TRANSFORM_GROW);
    g.size = transform_room(g.plan);
    assert_true(g.size > 1024 * 1024);
    assert_int_equal(grouped_read(&g, text, 10, true), TRANSFORM_DONE);
    assert_string_equal(buf_string(&g.found), "0:A\nb\nc\nd\ne|");
}

/* ---- frames ---------------------------------------------------------------------- */

static void
partial_lines_are_joined_each_stream_by_itself(void **state)
{
    (void)state;
    given_frames();
    then_records("oa\nOb\nec\nEd\nOe\nof\neg\n", "0:a|6:c|3:bef|9:dg|");
    then_records("Oa\nEb\n", "0:a|3:b|");
}

static void
streams_do_not_mix_in_groups(void **state)
{
    (void)state;
    given_frames();
    grouped_multiline(&g, "start", "^[A-Z]");
    then_records("oA\neX\noa\nex\noB\neY\n", "0:A\na|3:X\nx|12:B|15:Y|");
    g.route.value = ROUTE_VALUE_RAW;
    then_records("oA\neX\noa\nex\noB\neY\n", "0:oA\noa|3:eX\nex|12:oB|15:eY|");
}

static void
the_stream_that_has_come_further_is_not_sent_twice(void **state)
{
    static const char text[] = "eX\noA\noB\noC\nex\noD\neY\n";

    (void)state;
    given_frames();
    grouped_multiline(&g, "start", "^[A-Z]");
    assert_int_equal(grouped_read(&g, text, 12, false), TRANSFORM_DONE);
    assert_string_equal(buf_string(&g.found), "3:A|6:B|");
    assert_int_equal(g.at, 0);
    assert_int_equal(g.lead, 9);
    assert_int_equal(grouped_read(&g, text, 21, false), TRANSFORM_DONE);
    assert_string_equal(buf_string(&g.found), "3:A|6:B|9:C|0:X\nx|");
    assert_int_equal(g.at, 15);
    assert_int_equal(g.lead, -3);
    assert_int_equal(grouped_read(&g, text, 21, true), TRANSFORM_DONE);
    assert_string_equal(buf_string(&g.found), "3:A|6:B|9:C|0:X\nx|15:D|18:Y|");
    assert_int_equal(g.lead, 0);
}

static void
lines_of_empty_pieces_are_lines(void **state)
{
    (void)state;
    given_frames();
    grouped_multiline(&g, "preset", "go");
    then_records("O\no\n", "0:|");
    then_records("Opan\noic: x\nO \nO\no\nO2024-01-01 10:\no11:12 next\n",
                 "0:panic: x|12: |19:2024-01-01 10:11:12 next|");
}

static void
one_record_at_a_time_is_one_a_chunk(void **state)
{
    static const char text[] = "oA\noB\neX\n";

    (void)state;
    given_frames();
    grouped_multiline(&g, "start", "^[A-Z]");
    g.plan->one_at_a_time = true;
    assert_int_equal(grouped_read(&g, text, 9, true), TRANSFORM_DONE);
    assert_string_equal(buf_string(&g.found), "0:A|");
    assert_int_equal(grouped_read(&g, text, 9, true), TRANSFORM_DONE);
    assert_string_equal(buf_string(&g.found), "0:A|3:B|");
    assert_int_equal(grouped_read(&g, text, 9, true), TRANSFORM_DONE);
    assert_string_equal(buf_string(&g.found), "0:A|3:B|6:X|");
    assert_int_equal(g.at, 9);
}

/* A long line ends the group before it, a line of no container that of stdout and what is not
 * whole of it: all of them are complete with one line of the file. */
static void
what_one_line_completes_is_one_a_chunk_too(void **state)
{
    static const char text[] = "oA\neX\nOab\njunk\noBBBBBBBBBBBB\n";
    static const char *const found[] = { "0:A|", "6:ab|", "10:junk|", "3:X|" };
    struct buf               so_far = { NULL, 0, 0 };

    (void)state;
    given_frames();
    grouped_multiline(&g, "start", "^[A-Z]");
    g.plan->one_at_a_time = true;
    g.plan->max_line = 10;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(grouped_read(&g, text, sizeof text - 1, true), TRANSFORM_DONE);
        buf_add_string(&so_far, found[i]);
        assert_string_equal(buf_string(&g.found), buf_string(&so_far));
    }
    while (g.at < sizeof text - 1)
        assert_int_equal(grouped_read(&g, text, sizeof text - 1, true), TRANSFORM_DONE);
    assert_string_equal(buf_string(&g.found),
                        "0:A|6:ab|10:junk|15:BBBBBBBBBB|15:BB|3:X|");
    buf_fini(&so_far);
}

static void
a_line_without_frame_is_a_record_by_itself(void **state)
{
    (void)state;
    given_frames();
    grouped_multiline(&g, "start", "^[A-Z]");
    then_records("oA\neX\n?\noa\nex\n", "0:A|6:?|3:X\nx|8:a|");
    then_records("Oa\n\nob\n", "0:a|3:|4:b|");
}

static void
a_joined_line_longer_than_max_line_is_long(void **state)
{
    (void)state;
    given_frames();
    g.plan->max_line = 4;
    then_records("Oabc\nOde\nofg\noh\n", "0:abc|5:defg|13:h|");
    then_records("oabcdefghij\nok\n", "0:abcd|0:efgh|0:ij|12:k|");
    g.plan->long_lines = LONG_TRUNCATE;
    then_records("Oabc\nOde\nofg\noh\n", "0:abcd|13:h|");
    g.plan->long_lines = LONG_DROP;
    then_records("Oabc\nOde\nofg\noh\n", "13:h|");
}

static void
a_quiet_stream_does_not_hold_the_other_back_for_ever(void **state)
{
    const size_t len = 400 * 1000;
    char        *text = test_malloc(len);

    (void)state;
    given_frames();
    grouped_multiline(&g, "start", "^[A-Z]");
    g.plan->multiline->max_size = 1000;
    memset(text, 'x', len);
    memcpy(text, "eX\nex\n", 6);
    for (size_t i = 6; i < len; i += 100) {
        text[i] = 'o';
        text[i + 1] = 'A';
        text[i + 99 < len ? i + 99 : len - 1] = '\n';
    }
    g.size = CHUNK_SIZE;
    while (grouped_read(&g, text, len, false) == TRANSFORM_DONE)
        ;
    assert_non_null(strstr(buf_string(&g.found), "|0:X\nx|"));
    assert_true(g.at > len - 200);
    test_free(text);
}

/* ---- wherever it is cut ------------------------------------------------------------- */

static uint64_t seed;

static unsigned
any(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

static void
make_text(struct buf *text)
{
    static const char *const lines[] = {
        "oA", "oB1", "oc", "o d", "o", "eA", "eX2", "e y", "ez", "Oab", "OA", "Exyz", "E", "e\r",
        "junk", "", "oAbcdefghijklmnopqrstuvwxyz", "o 0123456789012345678901234567890", "\xff",
        "O\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", "eCaused by: x",
        "o\tat x", "ojava.lang.Error: x", "oERROR y", "oTraceback (most recent call last):",
        "o  File x", "oKeyError: x", "opanic: x", "ogoroutine 1 [running]:", "omain.f()",
        "oDuring handling of the above exception, another exception occurred:", "o",
        "ot.rb:1:in `f': x (NameError)", "o\tfrom t.rb:2:in `g'",
    };
    const unsigned n = 1 + any(60);
    const size_t   skip = g.plan->framing != NULL ? 0 : 1;

    buf_clear(text);
    for (unsigned i = 0; i < n; i++) {
        const char *line = lines[any(sizeof lines / sizeof *lines)];

        buf_printf(text, "%s\n", line + (*line != '\0' ? skip : 0));
    }
    if (any(2) == 0)
        text->len--;
}

static void
make_plan(void)
{
    static const char *const ways[][2] = {
        { "start", "^[A-Z]" }, { "continue", "^\\s" }, { "preset", "java" },
        { "preset", "python" }, { "preset", "go" }, { "preset", "ruby" },
    };
    const unsigned way = any(7);

    if (way == 6 || any(2) == 0)
        given_frames();
    if (way < 6)
        grouped_multiline(&g, ways[way][0], ways[way][1]);
    g.plan->one_at_a_time = any(4) == 0;
    g.plan->max_line = 8 + any(60);
    g.plan->long_lines = (int)any(3);
    if (g.plan->multiline != NULL) {
        g.plan->multiline->max_lines = 1 + any(6);
        g.plan->multiline->max_size = 1 + any(100);
    }
}

/* Now and then the file is written in UTF-16. */
static void
widen(struct buf *text)
{
    struct buf   wide = { NULL, 0, 0 };
    struct error err;

    if (g.plan->framing != NULL || any(3) != 0)
        return;
    for (size_t i = 0; i < text->len; i++) {
        buf_add_char(&wide, text->ptr[i]);
        buf_add_char(&wide, '\0');
    }
    g.plan->encoding_name = mem_string("utf-16le");
    assert_int_equal(plan_set_encoding(g.plan, &err), 0);
    buf_fini(text);
    *text = wide;
}

/* Every byte that is there is read as it comes, with chunks of any size; now and then the agent
 * begins anew where it stands: nothing but `at` and `lead` is remembered. */
static void
read_in_parts(const struct buf *text, unsigned step)
{
    size_t there = 0;

    grouped_rewind(&g);
    g.size = 1 + any(80);
    while (g.at < text->len) {
        const enum transform_result result =
            grouped_read(&g, text->ptr, there, there == text->len);

        if (result == TRANSFORM_LONG) {         /* its LF is looked for: give it all */
            struct chunk *c = chunk_new(text->len);
            const size_t  line = encoding_first_line(g.plan->encoding, text->ptr + g.at,
                                                     text->len - g.at);

            chunk_begin(c, &g.source, g.at, g.source.path, g.source.name);
            c->len = text->len - g.at;
            memcpy(c->bytes, text->ptr + g.at, c->len);
            transform_long(g.plan, g.work, c, line > 0 ? g.at + line : text->len);
            g.at = c->end;
            grouped_note(&g, c);
            chunk_free(&c);
            there = there < g.at ? g.at : there;
            continue;
        }
        if (result == TRANSFORM_GROW) {
            g.size = transform_room(g.plan);
            continue;
        }
        g.size = 1 + any(80);
        if (result == TRANSFORM_PARTIAL || any(2) == 0)
            there += 1 + any(step) < text->len - there ? 1 + any(step) : text->len - there;
        if (there > text->len)
            there = text->len;
        if (any(10) == 0) {
            scratch_free(g.work);
            g.work = NULL;
        }
    }
}

static void
the_records_are_the_same_however_the_file_is_read(void **state)
{
    struct buf text = { NULL, 0, 0 }, whole = { NULL, 0, 0 };

    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        seed = i;
        grouped_init(&g);
        make_plan();
        make_text(&text);
        widen(&text);
        buf_clear(&whole);
        buf_add_string(&whole, grouped_read_all(&g, text.ptr, text.len));
        read_in_parts(&text, i % 5 == 0 ? 1 : 40);
        if (strcmp(buf_string(&whole), buf_string(&g.found)) != 0)
            print_error("seed %u\n--- the file\n%.*s\n--- at once\n%s\n--- in parts\n%s\n", i,
                        (int)text.len, text.ptr, whole.ptr, g.found.ptr);
        assert_string_equal(whole.ptr, g.found.ptr);
        grouped_fini(&g);
    }
    buf_fini(&text);
    buf_fini(&whole);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_that_matches_start_begins_a_record),
        TEST(a_line_that_matches_continue_belongs_to_the_record_before),
        TEST(lines_are_joined_with_lf_and_raw_is_as_it_was_read),
        TEST(a_group_at_its_limit_is_sent_and_the_next_line_begins_another),
        TEST(a_byte_order_mark_does_not_hide_the_first_line),
        TEST(a_long_line_ends_the_group_and_its_pieces_are_records),
        TEST(lines_of_another_encoding_are_grouped_in_utf8),
        TEST(a_chunk_ends_where_the_pending_group_begins),
        TEST(a_group_that_has_waited_is_sent_and_one_that_has_grown_is_not),
        TEST(a_group_at_its_limit_does_not_wait_for_another_line),
        TEST(an_unfinished_line_does_not_end_by_waiting),
        TEST(a_group_longer_than_the_chunk_asks_for_a_larger_one),
        TEST(partial_lines_are_joined_each_stream_by_itself),
        TEST(streams_do_not_mix_in_groups),
        TEST(the_stream_that_has_come_further_is_not_sent_twice),
        TEST(lines_of_empty_pieces_are_lines),
        TEST(one_record_at_a_time_is_one_a_chunk),
        TEST(what_one_line_completes_is_one_a_chunk_too),
        TEST(a_line_without_frame_is_a_record_by_itself),
        TEST(a_joined_line_longer_than_max_line_is_long),
        TEST(a_quiet_stream_does_not_hold_the_other_back_for_ever),
        cmocka_unit_test(the_records_are_the_same_however_the_file_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
