/* parsing.h - a parser and two records, for fuzzers of parsers: one that keeps all fields
 * and one that keeps those that are asked for.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_FUZZ_PARSING_H
#define TESTS_FUZZ_PARSING_H

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/flow/parser.h"
#include "tests/unit/trees.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct parsing {
    struct names     *names;
    struct arena      tree, arena;
    struct parser    *parser;
    struct parse_work work;
    struct record     rec;
};

static inline struct node *
parsing_begin(struct parsing *p)
{
    p->names = names_new();
    arena_init(&p->tree);
    arena_init(&p->arena);
    p->work = (struct parse_work){ .arena = &p->arena, .shapes = json_shapes_new() };
    return tree_root_map(&p->tree);
}

/* `all`: every field is kept. */
static inline void
parsing_load(struct parsing *p, const struct parser_type *type, struct node *conf, bool all)
{
    struct errors errs = { NULL, 0, 0 };

    if (all)
        names_ask_all(p->names);
    p->parser = type->load("fuzz", conf, p->names, &errs);
    assert(p->parser != NULL && errs.count == 0);
    names_complete(p->names);
    record_init(&p->rec, p->names);
    p->rec.numbered_only = !all;
}

static inline int
parsing_run(struct parsing *p, struct slice line)
{
    int rc;

    arena_reset(&p->arena);
    record_begin(&p->rec, line, line, 0);
    rc = p->parser->ops->parse(p->parser, &p->work, &p->rec);
    assert(rc == 0 || p->work.reason != NULL);
    assert(rc == 0 || p->rec.nvalues == 0);
    for (uint32_t i = 0; i < p->rec.nvalues; i++) {
        assert(p->rec.values[i].text.ptr != NULL && p->rec.values[i].name.ptr != NULL);
        assert(p->rec.values[i].number == NAME_NONE ||
               record_field(&p->rec, p->rec.values[i].number) == &p->rec.values[i]);
    }
    return rc;
}

static inline const struct value *
parsing_field(const struct parsing *p, struct slice name)
{
    for (uint32_t i = 0; i < p->rec.nvalues; i++)
        if (slice_equal(p->rec.values[i].name, name))
            return &p->rec.values[i];
    return NULL;
}

/* Is this field the same in both? */
static inline void
parsing_same(const struct parsing *a, const struct parsing *b, struct slice name)
{
    const struct value *x = parsing_field(a, name), *y = parsing_field(b, name);

    assert((x == NULL) == (y == NULL));
    assert(x == NULL || (x->type == y->type && slice_equal(x->text, y->text)));
}

#endif
