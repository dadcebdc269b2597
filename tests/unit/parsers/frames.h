/* frames.h - for tests: a parser of container logs, one line at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_UNIT_PARSERS_FRAMES_H
#define TESTS_UNIT_PARSERS_FRAMES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "agent/flow/parser.h"
#include "tests/unit/trees.h"

static struct names     *names;
static struct arena      tree, arena;
static struct errors     errs;
static struct parse_work work;
static struct parser    *parser;
static struct node      *conf;
static struct frame      f;

static inline void
frames_set_up(const struct parser_type *type)
{
    names = names_new();
    arena_init(&tree);
    arena_init(&arena);
    work = (struct parse_work){ .arena = &arena };
    conf = tree_root_map(&tree);
    tree_entry(&tree, conf, "type", NODE_SCALAR, type->name);
    parser = type->load("parser 'c'", conf, names, &errs);
    assert_non_null(parser);
}

static inline int
frames_tear_down(void **state)
{
    (void)state;
    parser->ops->free(parser);
    errors_fini(&errs);
    arena_fini(&arena);
    arena_fini(&tree);
    names_free(names);
    return 0;
}

static inline void
when_line(const char *line, size_t len)
{
    assert_int_equal(parser->framing->frame(parser, &work, (struct slice){ line, len }, &f), 0);
}

#define WHEN_LINE(literal) when_line(literal, sizeof(literal) - 1)

static inline void
then_frame(const char *body, size_t len, unsigned stream, bool partial)
{
    assert_int_equal(f.body.len, len);
    assert_memory_equal(f.body.ptr, body, len);
    assert_int_equal(f.stream, stream);
    assert_int_equal(f.partial, partial);
}

#define THEN_FRAME(literal, stream, partial) \
    then_frame(literal, sizeof(literal) - 1, (stream), (partial))

static inline void
then_no_frame(const char *line)
{
    work.reason = NULL;
    assert_int_equal(parser->framing->frame(parser, &work, slice_of(line), &f), -1);
    assert_non_null(work.reason);
}

#endif
