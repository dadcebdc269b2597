/* fuzz_regex.c - the first two lines are patterns, the rest is the line: of a list the first that
 * matches makes the fields, the same as alone, and they lie inside.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/pattern.h"
#include "tests/fuzz/parsing.h"

enum { LONGEST_PATTERN = 100 };

extern const struct parser_type regex_parser_type;

/* NULL: not the patterns that a configuration may hold. */
static struct parser *
load(struct parsing *p, const char *const *patterns, size_t count)
{
    struct node  *conf = parsing_begin(p);
    struct node  *list = tree_entry(&p->tree, conf, "pattern", NODE_LIST, NULL);
    struct errors errs = { NULL, 0, 0 };

    for (size_t i = 0; i < count; i++)
        tree_element(&p->tree, list, patterns[i]);
    p->parser = regex_parser_type.load("fuzz", conf, p->names, &errs);
    assert((p->parser == NULL) == (errs.count > 0));
    errors_fini(&errs);
    names_ask_all(p->names);
    record_init(&p->rec, p->names);
    if (p->parser != NULL)
        p->work.pattern = pattern_work_new(p->parser->groups);
    return p->parser;
}

static void
unload(struct parsing *p)
{
    if (p->parser != NULL)
        p->parser->ops->free(p->parser);
    pattern_work_free(p->work.pattern);
    json_shapes_free(p->work.shapes);
    record_fini(&p->rec);
    arena_fini(&p->arena);
    arena_fini(&p->tree);
    names_free(p->names);
}

static void
check_inside(const struct record *r, struct slice line)
{
    assert(r->body.ptr >= line.ptr && r->body.ptr + r->body.len <= line.ptr + line.len);
    for (uint32_t i = 0; i < r->nvalues; i++) {
        const struct slice text = r->values[i].text;

        assert(text.ptr >= line.ptr && text.ptr + text.len <= line.ptr + line.len);
    }
}

/* A search that was cut off may find more at another time. */
static bool
was_cut_off(struct parsing *p)
{
    return pattern_work_take_limits(p->work.pattern) > 0;
}

static void
check(struct parsing *all, struct parsing *one, size_t count, struct slice line)
{
    const int rc = parsing_run(all, line);
    size_t    i = 0;

    check_inside(&all->rec, line);
    if (was_cut_off(all))
        return;
    while (i < count && parsing_run(&one[i], line) == -1)
        if (was_cut_off(&one[i++]))
            return;
    assert((rc == 0) == (i < count));
    if (i == count)
        return;
    assert(all->rec.nvalues == one[i].rec.nvalues && slice_equal(all->rec.body, one[i].rec.body));
    for (uint32_t n = 0; n < all->rec.nvalues; n++)
        parsing_same(all, &one[i], all->rec.values[n].name);
}

/* The next line, as a text that ends with NUL. */
static char *
take_line(const uint8_t **data, size_t *size)
{
    const uint8_t *end = *size > 0 ? memchr(*data, '\n', *size) : NULL;
    const size_t   len = end != NULL ? (size_t)(end - *data) : *size;
    char          *line = mem_copy(*data, len);

    *data += len + (end != NULL);
    *size -= len + (end != NULL);
    return line;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char          *patterns[2], *text;
    struct parsing all, one[2];
    bool           loaded = true;

    for (size_t i = 0; i < 2; i++)
        patterns[i] = take_line(&data, &size);
    text = mem_alloc(size > 0 ? size : 1);      /* no NUL behind it */
    if (size > 0)
        memcpy(text, data, size);
    for (size_t i = 0; i < 2; i++) {
        loaded = load(&one[i], (const char *const *)&patterns[i], 1) != NULL && loaded;
        loaded = strlen(patterns[i]) <= LONGEST_PATTERN && loaded;
    }
    loaded = load(&all, (const char *const *)patterns, 2) != NULL && loaded;
    if (loaded)
        check(&all, one, 2, (struct slice){ text, size });
    unload(&all);
    unload(&one[0]);
    unload(&one[1]);
    free(text);
    free(patterns[0]);
    free(patterns[1]);
    return loaded ? 0 : -1;
}
