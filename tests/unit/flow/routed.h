/* routed.h - a route from a tree, a record, and what the one makes of the other.
 *
 * Every test includes this.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_UNIT_FLOW_ROUTED_H
#define TESTS_UNIT_FLOW_ROUTED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/flow/output.h"
#include "agent/flow/route.h"
#include "tests/unit/trees.h"

static struct names        *names;
static struct arena         tree, arena;
static struct errors        errs;
static struct record        rec;
static struct pattern_work *work;
static struct route        *r;
static bool                 in_input;
static struct node         *conf;

static char           main_name[] = "main", spare_name[] = "spare", screen_name[] = "screen";
static struct output  kafka = { .name = main_name, .has_topics = true };
static struct output  spare = { .name = spare_name, .has_topics = true };
static struct output  screen = { .name = screen_name };
static struct output *all[] = { &kafka, &spare, &screen };
static struct output_list outputs;
static struct buf     written;

static inline int
set_up(void **state)
{
    (void)state;
    names = names_new();
    arena_init(&tree);
    arena_init(&arena);
    work = pattern_work_new(10);
    outputs = (struct output_list){ all, 1 };
    in_input = false;
    conf = NULL;
    r = NULL;
    return 0;
}

static inline int
tear_down(void **state)
{
    (void)state;
    buf_fini(&written);
    record_fini(&rec);
    route_free(r);
    pattern_work_free(work);
    errors_fini(&errs);
    arena_fini(&arena);
    arena_fini(&tree);
    names_free(names);
    return 0;
}

/* ---- What is given -------------------------------------------------------- */

static inline struct node *
entry(struct node *map, const char *key, enum node_kind kind, const char *text)
{
    return tree_entry(&tree, map, key, kind, text);
}

static inline void
element(struct node *list, const char *text)
{
    tree_element(&tree, list, text);
}

static inline struct node *
given_map(void)
{
    conf = tree_root_map(&tree);
    return conf;
}

static inline struct node *
given(const char *key, const char *text)
{
    return entry(conf == NULL ? given_map() : conf, key, NODE_SCALAR, text);
}

static inline struct node *
given_inner_map(const char *key)
{
    return entry(conf == NULL ? given_map() : conf, key, NODE_MAP, NULL);
}

static inline struct node *
given_json(void)
{
    struct node *value;

    given("topic", "t");
    value = given_inner_map("value");
    entry(value, "format", NODE_SCALAR, "json");
    return value;
}

/* ---- Outcomes ------------------------------------------------------------ */

static inline void
compile(void)
{
    errors_fini(&errs);
    route_free(r);
    r = route_new("route 1", conf, in_input, names, &outputs, &errs);
    assert_true((r == NULL) == (errs.count > 0));
}

static inline void
when_compiled(void)
{
    compile();
    if (r == NULL)
        fail_msg("%s", errs.list[0].text);
    names_complete(names);
}

static inline void
given_record(void)
{
    record_fini(&rec);
    record_init(&rec, names);
    rec.constant[NAME_HOST_NAME] = SLICE("web1");
    record_begin(&rec, SLICE("the line\r"), SLICE("the line"), 42);
    record_set_named(&rec, SLICE("status"), VALUE_TEXT, SLICE("503"));
    record_set_named(&rec, SLICE("method"), VALUE_TEXT, SLICE("GET"));
    record_set_named(&rec, SLICE("empty"), VALUE_TEXT, SLICE(""));
}

static inline void
then_it_matches(bool expected)
{
    when_compiled();
    given_record();
    assert_int_equal(route_matches(r, &rec, &arena, work), expected);
}

/* Exactly one mistake, there, saying both. */
static inline void
then_wrong(unsigned line, unsigned column, const char *saying, const char *also)
{
    compile();
    assert_null(r);
    assert_int_equal(errs.count, 1);
    assert_int_equal(errs.list[0].at.line, line);
    assert_int_equal(errs.list[0].at.column, column);
    if (strstr(errs.list[0].text, saying) == NULL || strstr(errs.list[0].text, also) == NULL)
        fail_msg("'%s' lacks '%s' or '%s'", errs.list[0].text, saying, also);
}

static inline void
then_json_is(const char *expected)
{
    struct slice json;

    when_compiled();
    given_record();
    json = route_json(r, &rec, &arena, NULL, 0, &written);
    assert_int_equal(json.len, strlen(expected));
    assert_memory_equal(json.ptr, expected, json.len);
}

#endif
