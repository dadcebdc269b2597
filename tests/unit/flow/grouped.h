/* grouped.h - for tests: bytes through transform_chunk() as a file is read, with a plan whose
 * records may have several lines.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_UNIT_FLOW_GROUPED_H
#define TESTS_UNIT_FLOW_GROUPED_H

#include <setjmp.h>
#include <stdarg.h>
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
#include "tests/unit/trees.h"

struct grouped {
    struct names     *names;
    struct scratch   *work;
    struct plan      *plan;
    struct source     source;
    struct arena      tree;
    struct errors     errs;
    struct output_ops ops;
    struct output     output;
    struct route      route;

    /* where it is read */
    uint64_t          at;
    int64_t           lead;
    uint64_t          waited, waits;
    size_t            size;         /* of the next chunk */
    struct chunk     *chunk;        /* the same for all: its messages take long to allocate */
    struct buf        found;        /* offset:value| of every record */
};

static inline void
grouped_init(struct grouped *g)
{
    memset(g, 0, sizeof *g);
    arena_init(&g->tree);
    g->names = names_new();
    g->plan = plan_new("in", "host");
    g->plan->max_line = 1000;
    g->plan->long_lines = LONG_SPLIT;
    g->output.ops = &g->ops;
    g->route = (struct route){ .output = &g->output, .value = ROUTE_VALUE_BODY };
    plan_add_route(g->plan, &g->route);
    source_init(&g->source, NULL, g->plan, "/var/log/a.log");
    g->size = CHUNK_SIZE;
}

static inline void
grouped_fini(struct grouped *g)
{
    scratch_free(g->work);
    chunk_free(&g->chunk);
    source_fini(&g->source);
    plan_free(g->plan);
    names_free(g->names);
    errors_fini(&g->errs);
    arena_fini(&g->tree);
    buf_fini(&g->found);
}

/* multiline: {key: text}; the plan has none before. */
static inline void
grouped_multiline(struct grouped *g, const char *key, const char *text)
{
    struct node *map = tree_root_map(&g->tree);

    tree_entry(&g->tree, map, key, NODE_SCALAR, text);
    g->plan->multiline = multiline_load("input 'in'", map, &g->errs);
    assert_non_null(g->plan->multiline);
}

/* From the beginning of the file again. */
static inline void
grouped_rewind(struct grouped *g)
{
    g->at = g->waited = g->waits = 0;
    g->lead = 0;
    buf_clear(&g->found);
}

static inline void
grouped_note(struct grouped *g, const struct chunk *c)
{
    for (uint32_t i = 0; i < c->nmessages; i++) {
        buf_printf(&g->found, "%llu:", (unsigned long long)(c->begin + c->messages[i].at));
        buf_add_slice(&g->found, message_value(&c->messages[i]));
        buf_add_char(&g->found, '|');
        if (g->plan->one_at_a_time)     /* the pieces of one long line are one for it */
            assert_int_equal(c->messages[i].at, c->messages[0].at);
    }
}

/* With room for `size` bytes and nothing behind them. */
static inline struct chunk *
grouped_chunk(struct grouped *g)
{
    if (g->chunk == NULL)
        g->chunk = chunk_new(CHUNK_SIZE);
    free(g->chunk->bytes);
    g->chunk->bytes = mem_alloc(g->size);
    g->chunk->size = g->size;
    return g->chunk;
}

/* Read a chunk of up to `size` bytes from a file of `len` bytes, as an input does: the next
 * one begins where this one ended, unless it is refused. */
static inline enum transform_result
grouped_read(struct grouped *g, const char *bytes, size_t len, bool final)
{
    struct chunk         *c = grouped_chunk(g);
    enum transform_result result;

    if (g->work == NULL)
        g->work = scratch_new(g->names, 2);
    chunk_begin(c, &g->source, g->at, g->source.path, g->source.name);
    c->lead = g->lead;
    c->waited = g->waited;
    c->len = len - g->at < g->size ? len - g->at : g->size;
    memcpy(c->bytes, bytes + g->at, c->len);
    result = transform_chunk(g->plan, g->work, c, final && g->at + c->len == len);
    g->waits = c->waits;
    if (result == TRANSFORM_DONE) {
        assert_true(c->end > g->at || (c->end == g->at && c->lead != g->lead));
        g->at = c->end;
        g->lead = c->lead;
        grouped_note(g, c);
    }
    return result;
}

/* All of it, in chunks of the usual size. */
static inline const char *
grouped_read_all(struct grouped *g, const char *bytes, size_t len)
{
    grouped_rewind(g);
    g->size = transform_room(g->plan);
    while (g->at < len && grouped_read(g, bytes, len, true) == TRANSFORM_DONE)
        ;
    assert_int_equal(g->at, len);
    return buf_string(&g->found);
}

#endif
