/* parsing.h - one parser and one record, for tests of parsers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_UNIT_PARSERS_PARSING_H
#define TESTS_UNIT_PARSERS_PARSING_H

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
static struct record     rec;
static struct parse_work work;
static struct parser    *parser;
static struct node      *conf;

static inline int
set_up(void **state)
{
    (void)state;
    names = names_new();
    arena_init(&tree);
    arena_init(&arena);
    work = (struct parse_work){ .arena = &arena, .shapes = json_shapes_new() };
    conf = tree_root_map(&tree);
    parser = NULL;
    return 0;
}

static inline int
tear_down(void **state)
{
    (void)state;
    if (parser != NULL)
        parser->ops->free(parser);
    record_fini(&rec);
    json_shapes_free(work.shapes);
    errors_fini(&errs);
    arena_fini(&arena);
    arena_fini(&tree);
    names_free(names);
    return 0;
}

static inline struct node *
given(const char *key, const char *text)
{
    return tree_entry(&tree, conf, key, NODE_SCALAR, text);
}

/* Somebody asks for these fields, up to NULL. */
static inline void
given_asked(const char *first, ...)
{
    va_list ap;

    va_start(ap, first);
    for (const char *name = first; name != NULL; name = va_arg(ap, const char *))
        names_intern(names, slice_of(name));
    va_end(ap);
}

/* And to keep only those. */
static inline void
when_loaded_for_asked(const struct parser_type *type)
{
    parser = type->load("parser 'x'", conf, names, &errs);
    if (parser == NULL)
        fail_msg("%s", errs.list[0].text);
    assert_int_equal(errs.count, 0);
    names_complete(names);
    record_init(&rec, names);
    rec.numbered_only = !names_all_asked(names);
}

static inline void
when_loaded(const struct parser_type *type)
{
    names_ask_all(names);
    when_loaded_for_asked(type);
}

static inline int
parse(struct slice line)
{
    work.reason = NULL;
    record_begin(&rec, line, line, 0);
    return parser->ops->parse(parser, &work, &rec);
}

static inline const struct value *
field(const char *name)
{
    for (uint32_t i = 0; i < rec.nvalues; i++)
        if (slice_is(rec.values[i].name, name))
            return &rec.values[i];
    return NULL;
}

static inline void
then_field(const char *name, enum value_type type, struct slice expected)
{
    const struct value *v = field(name);

    if (v == NULL) {
        fail_msg("there is no field '%s'", name);
        return;
    }
    assert_int_equal(v->type, type);
    if (!slice_equal(v->text, expected))
        fail_msg("'%s' is '%.*s', not '%.*s'", name, SLICE_ARG(v->text), SLICE_ARG(expected));
}

static inline void
then_field_is(const char *name, const char *expected)
{
    then_field(name, VALUE_TEXT, slice_of(expected));
}

static inline void
then_field_is_missing(const char *name)
{
    assert_null(field(name));
}

/* It is none of the parser's lines: no fields. */
static inline void
then_refused(struct slice line, const char *reason)
{
    if (parse(line) != -1)
        fail_msg("'%.*s' was taken", SLICE_ARG(line));
    assert_string_equal(work.reason, reason);
    assert_int_equal(rec.nvalues, 0);
    assert_true(slice_equal(rec.body, line));
}

static inline void
then_wrong(const struct parser_type *type, unsigned line, unsigned column, const char *saying)
{
    errors_fini(&errs);
    assert_null(type->load("parser 'x'", conf, names, &errs));
    assert_int_equal(errs.count, 1);
    assert_int_equal(errs.list[0].at.line, line);
    assert_int_equal(errs.list[0].at.column, column);
    if (strstr(errs.list[0].text, saying) == NULL)
        fail_msg("'%s' lacks '%s'", errs.list[0].text, saying);
}

#endif
