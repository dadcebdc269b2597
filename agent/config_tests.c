/* config_tests.c - see config_tests.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/config_tests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/config.h"
#include "agent/data/encode.h"

/* What the table fills. */
struct test_conf {
    char              *name, *path;
    uint64_t           partitions;
    const struct node *input, *given, *expect;
};

const struct field config_test_fields[] = {
    { .name = "name", .kind = FIELD_TEXT, .required = true,
      .offset = FIELD_AT(struct test_conf, name, char *),
      .help = "What the test is about; it is shown when it fails." },
    A_NODE(struct test_conf, "input", input,
        "The input whose lines they are; may be left out if there is only one."),
    { .name = "given", .kind = FIELD_NODE, .required = true,
      .offset = FIELD_AT(struct test_conf, given, const struct node *),
      .help = "One or several lines: a text, or a list of texts, as they would be read in the "
              "input's `encoding`. Their end is their finish: a group or line that is unfinished "
              "there is a record." },
    A_TEXT(struct test_conf, "path", path, "sample",
        "The file that the lines seem to come from (`log.file.path`)."),
    A_COUNT(struct test_conf, "partitions", partitions, NULL, 1, 1000000,
        "How many partitions topics have, for the partition of a key."),
    { .name = "expect", .kind = FIELD_NODE, .required = true,
      .offset = FIELD_AT(struct test_conf, expect, const struct node *),
      .help = "The records that must come, in this order: a list of maps; `[]` for none. Only "
              "what a map names is compared." },
    NO_MORE_FIELDS
};

struct expect_conf {
    const struct node *output, *topic, *key, *headers, *value, *partition, *timestamp, *rejected;
};

const struct field config_expect_fields[] = {
    A_NODE(struct expect_conf, "output", output, "The name of the output."),
    A_NODE(struct expect_conf, "topic", topic, "The topic."),
    A_NODE(struct expect_conf, "key", key,
        "The key: a text, null for none, or {base64: TEXT} for bytes that are not UTF-8."),
    A_NODE(struct expect_conf, "headers", headers,
        "A map of name and text (as `key`), of which only those named are compared: null for one "
        "that must not be there. null for no headers at all."),
    A_NODE(struct expect_conf, "value", value,
        "The value, as `key`; or a map of name and text: the value is a JSON object, of which the "
        "members named are compared, as `${name}` would show them (null: missing)."),
    A_NODE(struct expect_conf, "partition", partition,
        "The number of the partition, null if it is open. Of a record with key it is known with "
        "`partitions`."),
    A_NODE(struct expect_conf, "timestamp", timestamp,
        "Milliseconds since the epoch; null for the time of reading."),
    A_NODE(struct expect_conf, "rejected", rejected,
        "Why the record is not sent but goes to the dead letters, as `stoker try` says it."),
    NO_MORE_FIELDS
};

/* While one test is read. */
struct loader {
    struct config *c;
    struct errors *errs;
    struct buf     what;        /* "test 'name'" */
};

/* ---- given ---------------------------------------------------------------- */

static void
add_lines(struct loader *l, struct buf *lines, const struct node *n)
{
    if (n->kind != NODE_SCALAR) {
        errors_at(l->errs, n->at, "%s: 'given' is a text or a list of texts, not %s",
                  buf_string(&l->what), node_kind_name(n));
        return;
    }
    buf_add(lines, n->text, n->len);
    if (n->len == 0 || n->text[n->len - 1] != '\n')
        buf_add_char(lines, '\n');
}

static void
load_given(struct loader *l, struct buf *lines, const struct node *given)
{
    for (const struct node *n = node_first_of(given); n != NULL; n = node_next_of(given, n))
        add_lines(l, lines, n);
    if (given != NULL && given->kind == NODE_LIST && given->first == NULL)
        errors_at(l->errs, given->at, "%s: 'given' must not be empty", buf_string(&l->what));
}

/* ---- expect ---------------------------------------------------------------- */

static void
wrong_value(struct loader *l, const char *key, const struct node *n, const char *right)
{
    errors_at(l->errs, n->at, "%s: '%s' is %s, not '%s'", buf_string(&l->what), key, right,
              node_shown(n));
}

bool
config_test_is_base64(const struct node *n)
{
    return n->kind == NODE_MAP && n->first != NULL && n->first->next == NULL &&
           n->first->kind == NODE_SCALAR && strcmp(n->first->key, "base64") == 0;
}

static void
check_base64(struct loader *l, const char *key, const struct node *n)
{
    struct arena arena;
    struct slice bytes;

    arena_init(&arena);
    if (!encode_from_base64((struct slice){ n->text, n->len }, &arena, &bytes))
        errors_at(l->errs, n->at, "%s: '%s' is no base64: '%s'", buf_string(&l->what), key,
                  node_shown(n));
    arena_fini(&arena);
}

static void
check_bytes(struct loader *l, const char *key, const struct node *n)
{
    if (config_test_is_base64(n))
        check_base64(l, key, n->first);
    else if (n->kind == NODE_LIST || n->kind == NODE_MAP)
        wrong_value(l, key, n, "a text, null or {base64: TEXT}");
}

static void
check_value(struct loader *l, const char *key, const struct node *n)
{
    if (n->kind == NODE_LIST)
        wrong_value(l, key, n, "a text, null, {base64: TEXT} or a map of names and texts");
    if (config_test_is_base64(n))
        check_base64(l, key, n->first);
    else if (n->kind == NODE_MAP)
        for (const struct node *member = n->first; member != NULL; member = member->next)
            check_value(l, member->key, member);
}

static void
check_text(struct loader *l, const char *key, const struct node *n)
{
    if (n->kind != NODE_SCALAR)
        wrong_value(l, key, n, "a text");
}

static bool
is_number(const struct node *n)
{
    char *end;

    if (n->kind != NODE_SCALAR || n->text[0] < '0' || n->text[0] > '9')
        return false;
    errno = 0;
    (void)strtoll(n->text, &end, 10);
    return errno == 0 && end == n->text + n->len;
}

static void
check_number(struct loader *l, const char *key, const struct node *n)
{
    if (n->kind != NODE_NULL && !is_number(n))
        wrong_value(l, key, n, "a whole number or null");
}

static void
check_headers(struct loader *l, const char *key, const struct node *n)
{
    if (n->kind == NODE_MAP)
        for (const struct node *header = n->first; header != NULL; header = header->next)
            check_bytes(l, header->key, header);
    else if (n->kind != NODE_NULL && !n->bad)
        wrong_value(l, key, n, "a map of names and texts");
}

static const struct {
    const char *key;
    void      (*check)(struct loader *l, const char *key, const struct node *n);
} checks[] = {
    { "output", check_text }, { "topic", check_bytes }, { "key", check_bytes },
    { "headers", check_headers }, { "value", check_value }, { "partition", check_number },
    { "timestamp", check_number }, { "rejected", check_text },
};

static void
check_expected(struct loader *l, const struct node *map)
{
    const struct settings known = { NULL, config_expect_fields };
    struct buf            what = { NULL, 0, 0 };

    buf_printf(&what, "%s: a record of 'expect'", buf_string(&l->what));
    fields_load(&known, 1, buf_string(&what), map, map->at, NULL, NULL, l->errs);
    buf_fini(&what);
    if (map->kind == NODE_NULL)
        errors_at(l->errs, map->at, "%s: a record of 'expect' is empty (write {} for any)",
                  buf_string(&l->what));
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        const struct node *n = node_get(map, checks[i].key);

        if (n != NULL)
            checks[i].check(l, checks[i].key, n);
    }
}

/* ---- input ------------------------------------------------------------------ */

static void
unknown_input(struct loader *l, const struct node *n, const struct node *inputs)
{
    const char *near = n->secret ? NULL : node_nearest(inputs, n->text);

    if (near != NULL)
        errors_at(l->errs, n->at, "%s: there is no input '%s' (did you mean '%s'?)",
                  buf_string(&l->what), n->text, near);
    else
        errors_at(l->errs, n->at, "%s: there is no input '%s'", buf_string(&l->what),
                  node_shown(n));
}

/* NULL: it is broken, or a mistake was added. */
static const struct input *
find_input(struct loader *l, const struct node *n, struct mark at)
{
    const struct node *inputs = node_get(tree_root(l->c->tree), "inputs");

    if (inputs == NULL || inputs->kind != NODE_MAP)
        return NULL;
    if (n == NULL || n->kind == NODE_NULL) {
        if (node_count(inputs) == 1)
            return l->c->ninputs == 1 ? l->c->inputs[0] : NULL;
        errors_at(l->errs, at, "%s needs an 'input' (there are several)", buf_string(&l->what));
        return NULL;
    }
    if (n->kind != NODE_SCALAR)
        wrong_value(l, "input", n, "the name of an input");
    else if (!n->bad && node_get(inputs, n->text) == NULL)
        unknown_input(l, n, inputs);
    return n->kind == NODE_SCALAR ? config_input(l->c, n->text) : NULL;
}

/* ---- The whole --------------------------------------------------------------- */

static void
name_test(struct loader *l, const struct node *map)
{
    const struct node *name = node_get(map, "name");

    buf_clear(&l->what);
    if (name != NULL && name->kind == NODE_SCALAR && !name->bad)
        buf_printf(&l->what, "test '%s'", node_shown(name));
    else
        buf_add_string(&l->what, "a test");
}

/* The name for messages, which take it over. */
static char *
shown_name(const struct node *map, char *name)
{
    const struct node *n = node_get(map, "name");

    if (n == NULL || !n->secret)
        return name;
    free(name);
    return mem_string(node_shown(n));
}

static void
free_test(struct config_test *t)
{
    free(t->name);
    free(t->path);
    buf_fini(&t->given);
}

static void
load_test(struct loader *l, const struct node *map)
{
    const size_t          before = l->errs->count;
    struct test_conf      conf = { .name = NULL };
    const struct settings set = { &conf, config_test_fields };
    struct config_test    t = { .name = NULL };
    struct config        *c = l->c;

    name_test(l, map);
    fields_load(&set, 1, buf_string(&l->what), map, map->at, NULL, NULL, l->errs);
    t = (struct config_test){ .name = shown_name(map, conf.name), .path = conf.path,
                              .expect = conf.expect, .partitions = conf.partitions };
    if (map->kind == NODE_MAP) {
        t.input = find_input(l, conf.input, map->at);
        load_given(l, &t.given, conf.given);
        for (const struct node *n = node_first_of(t.expect); n != NULL;
             n = node_next_of(t.expect, n))
            check_expected(l, n);
    }
    if (l->errs->count > before || t.input == NULL || t.expect == NULL || t.given.len == 0) {
        free_test(&t);
        return;
    }
    c->tests = mem_array(c->tests, c->ntests + 1, sizeof *c->tests);
    c->tests[c->ntests++] = t;
}

void
config_tests_load(struct config *c, struct errors *errs)
{
    const struct node *section = node_get(tree_root(c->tree), "tests");
    struct loader      l = { .c = c, .errs = errs };

    if (section == NULL || section->kind != NODE_LIST)
        return;
    for (const struct node *n = section->first; n != NULL && !errors_full(errs); n = n->next)
        load_test(&l, n);
    buf_fini(&l.what);
}

void
config_tests_free(struct config *c)
{
    for (size_t i = 0; i < c->ntests; i++)
        free_test(&c->tests[i]);
    free(c->tests);
}
