/* check_tests.c - the tests of a configuration, run by `stoker check`.
 *
 * What is expected and what came are both written as JSON; where the two texts
 * differ, both are shown:
 *
 *     stoker.yaml:31:21: test 'probes': record 1 (line 2 of 'given'): the key differs
 *         expected  "192.0.2.8"
 *         got       "192.0.2.7"
 *                             ^
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "agent/cli/sample.h"
#include "agent/data/json.h"

enum {
    WIDEST = 100,       /* characters in which a caret is found by the eye */
    EXCERPT = 60,       /* characters that are shown of a difference further on */
};

/* One test at work. */
struct trial {
    const struct config_test *test;
    struct arena              arena;
    const struct encoding    *encoding;
    struct slice              lines;    /* as they would stand in a file */
    const struct node        *next;     /* of `expect`; NULL: no more records are expected */
    unsigned                  records;  /* that came so far */
    unsigned                  faults;
};

/* ---- As JSON ---------------------------------------------------------------- */

static void
add_number(struct buf *b, int64_t number, bool known)
{
    if (known)
        buf_printf(b, "%" PRId64, number);
    else
        buf_add_string(b, "null");
}

static void
add_text(struct buf *b, const char *text)
{
    encode_json_bytes(b, slice_of(text));
}

/* A text, null, or {base64: TEXT}. */
static void
add_expected_bytes(struct buf *b, const struct node *n)
{
    struct arena arena;
    struct slice bytes = NO_SLICE;

    arena_init(&arena);
    if (n->kind == NODE_MAP)
        (void)encode_from_base64((struct slice){ n->first->text, n->first->len }, &arena, &bytes);
    else if (n->kind == NODE_SCALAR)
        bytes = (struct slice){ n->text, n->len };
    encode_json_bytes(b, bytes);
    arena_fini(&arena);
}

static void
add_expected_number(struct buf *b, const struct node *n)
{
    add_number(b, n->kind == NODE_SCALAR ? strtoll(n->text, NULL, 10) : 0,
               n->kind == NODE_SCALAR);
}

static void
add_output(struct buf *b, const struct sample_record *r)
{
    add_text(b, r->shown.output);
}

static void
add_topic(struct buf *b, const struct sample_record *r)
{
    encode_json_bytes(b, r->shown.topic);
}

static void
add_key(struct buf *b, const struct sample_record *r)
{
    encode_json_bytes(b, r->shown.key);
}

static void
add_value(struct buf *b, const struct sample_record *r)
{
    encode_json_bytes(b, r->shown.value);
}

static void
add_partition(struct buf *b, const struct sample_record *r)
{
    add_number(b, r->shown.partition, r->shown.partition >= 0);
}

static void
add_timestamp(struct buf *b, const struct sample_record *r)
{
    add_number(b, r->shown.timestamp, r->shown.timestamp != NO_TIMESTAMP);
}

static void
add_reason(struct buf *b, const struct sample_record *r)
{
    add_text(b, r->reject);
}

/* What can be expected of a record; `headers` beside. */
static const struct {
    const char *key;
    void      (*expected)(struct buf *b, const struct node *n);
    void      (*got)(struct buf *b, const struct sample_record *r);
} aspects[] = {
    { "output", add_expected_bytes, add_output },
    { "topic", add_expected_bytes, add_topic },
    { "key", add_expected_bytes, add_key },
    { "value", add_expected_bytes, add_value },
    { "partition", add_expected_number, add_partition },
    { "timestamp", add_expected_number, add_timestamp },
    { "rejected", add_expected_bytes, add_reason },
};

/* ---- Differences -------------------------------------------------------------- */

/* How many characters of UTF-8. */
static int
width(const char *text, size_t len)
{
    int characters = 0;

    for (size_t i = 0; i < len; i++)
        characters += ((unsigned char)text[i] & 0xc0) != 0x80;
    return characters;
}

/* So many characters of a text, as bytes. */
static int
bytes_of(const char *text, int characters)
{
    size_t len = 0;

    while (text[len] != '\0' && (characters > 0 || ((unsigned char)text[len] & 0xc0) == 0x80)) {
        characters -= ((unsigned char)text[len] & 0xc0) != 0x80;
        len++;
    }
    return (int)len;
}

static void
print_difference(const char *expected, const char *got)
{
    size_t same = 0;
    int    column;

    while (expected[same] == got[same] && expected[same] != '\0')
        same++;
    while (same > 0 && ((unsigned char)expected[same] & 0xc0) == 0x80)
        same--;         /* to the beginning of the character */
    column = width(expected, same);
    fprintf(stderr, "    expected  %s\n    got       %s\n", expected, got);
    if (column < WIDEST)
        fprintf(stderr, "              %*s^\n", column, "");
    else
        fprintf(stderr, "    they differ from character %d on\n"
                        "    expected  ...%.*s\n    got       ...%.*s\n", column + 1,
                bytes_of(expected + same, EXCERPT), expected + same,
                bytes_of(got + same, EXCERPT), got + same);
}

/* Where something failed, and in which test. */
static void
begin_fault(struct trial *t, struct mark at)
{
    t->faults++;
    fprintf(stderr, "%s:%u:%u: test '%s': ", at.file, at.line, at.column, t->test->name);
}

/* "record 2 (line 5 of 'given')" */
static void
print_which(const struct trial *t, const struct sample_record *r)
{
    unsigned number = 1;
    size_t   line;

    for (size_t at = 0; at < r->at; at += line, number++)
        line = encoding_first_line(t->encoding, t->lines.ptr + at, r->at - at);
    fprintf(stderr, "record %u (line %u of 'given')", t->records, number);
}

static void
print_record(const struct sample_record *r)
{
    struct buf b = { NULL, 0, 0 };

    encode_json_record(&b, &r->shown);
    fprintf(stderr, "    got       %s\n", buf_string(&b));
    buf_fini(&b);
}

/* `what`: "the key", "header 'status'". */
static void
compare(struct trial *t, const struct sample_record *r, const struct node *n, const char *what,
        struct buf *expected, struct buf *got)
{
    if (strcmp(buf_string(expected), buf_string(got)) != 0) {
        begin_fault(t, n->at);
        print_which(t, r);
        fprintf(stderr, ": %s differs\n", what);
        print_difference(n->secret ? "(secret)" : buf_string(expected), buf_string(got));
        if (strcmp(what, "the partition") == 0 && t->test->partitions == 0)
            fputs("    (it is known if the test has 'partitions')\n", stderr);
    }
    buf_fini(expected);
    buf_fini(got);
}

/* ---- Values that are JSON -------------------------------------------------------- */

/* The last member of that name; false: there is none, or it is null. */
static bool
find_member(struct trial *t, struct slice object, const char *name, struct json_token *value)
{
    struct json_cursor j = json_cursor(object);
    struct json_token  key, one;
    bool               found = false;

    for (bool more = json_take(&j, '{'); more; more = json_take(&j, ',')) {
        if (!json_take_key(&j, &key) || !json_take_value(&j, &one))
            return found;
        if (slice_is(json_text(&key, &t->arena), name)) {
            *value = one;
            found = one.kind != JSON_NULL;
        }
    }
    return found;
}

/* The members that `map` names, of an object that is a part `path` of the value. */
static void
compare_members(struct trial *t, const struct sample_record *r, const struct node *map,
                struct slice object, const char *path)
{
    for (const struct node *n = map->first; n != NULL; n = n->next) {
        struct buf        name = { NULL, 0, 0 }, expected = name, got = name, what = name;
        struct json_token value = { .text = NO_SLICE };
        const bool        found = find_member(t, object, n->key, &value);

        buf_printf(&name, "%s%s%s", path, *path != '\0' ? "." : "", n->key);
        if (found && n->kind == NODE_MAP && value.kind == JSON_OBJECT) {
            compare_members(t, r, n, value.text, buf_string(&name));
        } else {
            buf_printf(&what, "'%s' in the value", buf_string(&name));
            if (n->kind == NODE_MAP)
                buf_add_string(&expected, "an object");
            else
                add_expected_bytes(&expected, n);
            encode_json_bytes(&got, !found ? NO_SLICE
                                    : value.kind == JSON_STRING ? json_text(&value, &t->arena)
                                                                : value.text);
            compare(t, r, n, buf_string(&what), &expected, &got);
        }
        buf_fini(&what);
        buf_fini(&name);
    }
}

static void
compare_json(struct trial *t, const struct sample_record *r, const struct node *map)
{
    struct json_cursor j = json_cursor(r->shown.value);
    struct json_token  value;

    if (r->shown.value.ptr != NULL && json_take_value(&j, &value) && value.kind == JSON_OBJECT) {
        compare_members(t, r, map, value.text, "");
        return;
    }
    begin_fault(t, map->at);
    print_which(t, r);
    fputs(": the value is no JSON object\n", stderr);
    print_record(r);
}

/* ---- Comparing ------------------------------------------------------------------ */

static struct slice
header_of(const struct sample_record *r, const char *name)
{
    const struct headers *headers = r->shown.headers;

    for (uint32_t i = 0; headers != NULL && i < headers->count; i++)
        if (slice_is(headers->list[i].name, name))
            return headers->list[i].value;
    return NO_SLICE;
}

static void
compare_no_headers(struct trial *t, const struct sample_record *r, const struct node *n)
{
    if (r->shown.headers == NULL)
        return;
    begin_fault(t, n->at);
    print_which(t, r);
    fputs(": there are headers\n", stderr);
    print_record(r);
}

static void
compare_headers(struct trial *t, const struct sample_record *r, const struct node *map)
{
    if (map->first == NULL)
        compare_no_headers(t, r, map);
    for (const struct node *n = map->first; n != NULL; n = n->next) {
        struct buf expected = { NULL, 0, 0 }, got = { NULL, 0, 0 }, what = { NULL, 0, 0 };

        buf_printf(&what, "header '%s'", n->key);
        add_expected_bytes(&expected, n);
        encode_json_bytes(&got, header_of(r, n->key));
        compare(t, r, n, buf_string(&what), &expected, &got);
        buf_fini(&what);
    }
}

static void
compare_aspects(struct trial *t, const struct sample_record *r, const struct node *map)
{
    for (size_t i = 0; i < sizeof aspects / sizeof *aspects; i++) {
        const struct node *n = node_get(map, aspects[i].key);
        struct buf         expected = { NULL, 0, 0 }, got = { NULL, 0, 0 };
        char               what[32];

        if (n == NULL)
            continue;
        if (n->kind == NODE_MAP && !config_test_is_base64(n)) {
            compare_json(t, r, n);      /* of `value` only */
            continue;
        }
        snprintf(what, sizeof what, "the %s",
                 strcmp(aspects[i].key, "rejected") == 0 ? "reason" : aspects[i].key);
        aspects[i].expected(&expected, n);
        aspects[i].got(&got, r);
        compare(t, r, n, what, &expected, &got);
    }
    if (node_get(map, "headers") != NULL)
        compare_headers(t, r, node_get(map, "headers"));
}

static void
say_unexpected(struct trial *t, const struct sample_record *r)
{
    begin_fault(t, t->test->expect->at);
    print_which(t, r);
    if (r->reject != NULL)
        fprintf(stderr, " is not expected, and rejected: %s\n", r->reject);
    else
        fputs(" is not expected\n", stderr);
    print_record(r);
}

static void
say_rejected(struct trial *t, const struct sample_record *r, const struct node *map)
{
    begin_fault(t, map->at);
    print_which(t, r);
    fprintf(stderr, " is rejected: %s\n", r->reject);
    print_record(r);
}

static void
take_record(void *ctx, const struct sample_record *r)
{
    struct trial      *t = ctx;
    const struct node *map = t->next;

    t->records++;
    if (map == NULL) {
        say_unexpected(t, r);
        return;
    }
    t->next = node_next_of(t->test->expect, map);
    if (r->reject != NULL && node_get(map, "rejected") == NULL)
        say_rejected(t, r, map);
    else
        compare_aspects(t, r, map);
}

static void
say_missing(struct trial *t)
{
    unsigned number = t->records;

    for (const struct node *n = t->next; n != NULL; n = node_next_of(t->test->expect, n)) {
        begin_fault(t, n->at);
        fprintf(stderr, "record %u is missing (%u came)\n", ++number, t->records);
    }
}

static bool
passes(const struct config *config, const struct config_test *test)
{
    struct trial t = { .test = test, .next = node_first_of(test->expect),
                       .encoding = test->input->plan->encoding,
                       .lines = buf_slice(&test->given) };
    struct sample sample = { .input = test->input, .path = test->path,
                             .partitions = (int32_t)test->partitions };

    arena_init(&t.arena);
    if (t.encoding != NULL)
        t.lines = encoding_write(t.encoding, t.lines, &t.arena);
    sample.lines = t.lines;
    cli_sample(config, &sample, take_record, &t);
    say_missing(&t);
    arena_fini(&t.arena);
    return t.faults == 0;
}

int
cli_check_tests(const struct config *config)
{
    size_t failed = 0;

    for (size_t i = 0; i < config->ntests; i++)
        failed += !passes(config, &config->tests[i]);
    if (failed > 0)
        fprintf(stderr, "stoker: %zu of %zu test%s failed\n", failed, config->ntests,
                config->ntests == 1 ? "" : "s");
    else if (config->ntests > 0)
        printf("%zu test%s passed\n", config->ntests, config->ntests == 1 ? "" : "s");
    return failed > 0 ? EXIT_FAILED : EXIT_DONE;
}
