/* fuzz_multiline.c - the records of a file are the same however it is cut into chunks, and
 * hold every line once.
 *
 * The first bytes choose the plan: is it a container's log, which lines belong together,
 * the limits, and how it is read.  The rest is the file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sanitizer/asan_interface.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/flow/output.h"
#include "agent/flow/source.h"
#include "agent/flow/transform.h"

enum { CHOICES = 8 };

extern const struct parser_type cri_parser_type, docker_parser_type;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct names  *names;
    struct parser *cri, *docker;
    struct output_ops ops;
    struct output  output;
    struct route   route;
    struct multiline *ways[8];
    struct scratch *scratch;
    struct chunk   *chunk;
};

static struct world *
make_world(void)
{
    static const char *const ways[][2] = {
        { "preset", "java" }, { "preset", "python" }, { "preset", "go" }, { "preset", "ruby" },
        { "preset", "indented" }, { "start", "^[A-Z]" }, { "continue", "^\\s|a$" },
    };
    struct world     *w = NEW(struct world);
    const struct node map = { .kind = NODE_MAP };
    struct errors     errs = { NULL, 0, 0 };

    w->names = names_new();
    w->cri = cri_parser_type.load("parser", &map, w->names, &errs);
    w->docker = docker_parser_type.load("parser", &map, w->names, &errs);
    w->output.ops = &w->ops;
    w->route = (struct route){ .output = &w->output, .value = ROUTE_VALUE_BODY };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const struct node entry = { .kind = NODE_SCALAR, .key = ways[i][0], .text = ways[i][1],
                                    .len = strlen(ways[i][1]) };
        struct node       one = { .kind = NODE_MAP };
        struct node       copy = entry;

        one.first = &copy;
        w->ways[i] = multiline_load("input", &one, &errs);
    }
    w->scratch = scratch_new(w->names, 1);
    w->chunk = chunk_new(CHUNK_SIZE);
    assert(errs.count == 0);
    return w;
}

struct reader {
    const struct plan *plan;
    struct scratch    *scratch;
    struct chunk      *chunk;
    struct source     *source;
    struct slice       text;
    uint64_t           at;
    int64_t            lead;
    struct buf         found;
};

static void
note(struct reader *r, const struct chunk *c)
{
    for (uint32_t i = 0; i < c->nmessages; i++) {
        buf_printf(&r->found, "%llu:", (unsigned long long)(c->begin + c->messages[i].at));
        buf_add_slice(&r->found, message_value(&c->messages[i]));
        buf_add_char(&r->found, '\n');
        assert(!r->plan->one_at_a_time || c->messages[i].at == c->messages[0].at);
    }
    r->at = c->end;
    r->lead = c->lead;
}

/* A chunk of up to `size` bytes of the first `there` bytes of the file. */
static enum transform_result
read_chunk(struct reader *r, size_t size, size_t there)
{
    struct chunk         *c = r->chunk;
    enum transform_result result;
    const char           *lf;

    chunk_begin(c, r->source, r->at, r->source->path, r->source->name);
    c->lead = r->lead;
    c->len = there - r->at < size ? there - r->at : size;
    c->size = size;
    memcpy(c->bytes, r->text.ptr + r->at, c->len);
    ASAN_POISON_MEMORY_REGION(c->bytes + c->len, CHUNK_SIZE - c->len);
    result = transform_chunk(r->plan, r->scratch, c, r->at + c->len == r->text.len);
    if (result == TRANSFORM_LONG) {
        lf = memchr(r->text.ptr + r->at, '\n', r->text.len - r->at);
        transform_long(r->plan, r->scratch, c,
                       lf != NULL ? (uint64_t)(lf + 1 - r->text.ptr) : r->text.len);
    }
    if (result == TRANSFORM_DONE || result == TRANSFORM_LONG)
        note(r, c);
    ASAN_UNPOISON_MEMORY_REGION(c->bytes, CHUNK_SIZE);
    return result;
}

static void
read_all(struct reader *r)
{
    r->at = 0;
    r->lead = 0;
    buf_clear(&r->found);
    while (r->at < r->text.len)
        (void)read_chunk(r, transform_room(r->plan), r->text.len);
}

static void
read_in_parts(struct reader *r, const uint8_t *choices)
{
    size_t   there = 0, size = 1 + choices[0];
    unsigned i = 0;

    r->at = 0;
    r->lead = 0;
    buf_clear(&r->found);
    while (r->at < r->text.len) {
        const enum transform_result result = read_chunk(r, size, there);

        if (there < r->at)
            there = r->at;
        size = result == TRANSFORM_GROW ? transform_room(r->plan)
                                        : 1u + choices[i % 3] + 8u * choices[(i + 1) % 2];
        if (result == TRANSFORM_PARTIAL || i % 2 == 0)
            there += 1 + choices[i % 5] % 64;
        there = there < r->text.len ? there : r->text.len;
        i++;
    }
}

static void
check(const struct world *w, struct plan *plan, struct slice text, const uint8_t *choices)
{
    struct source source;
    struct reader r = { .plan = plan, .scratch = w->scratch, .chunk = w->chunk,
                        .source = &source, .text = text };
    struct buf    whole = { NULL, 0, 0 };

    source_init(&source, NULL, plan, "/var/log/pods/n_p_0/c/0.log");
    read_all(&r);
    buf_add_slice(&whole, buf_slice(&r.found));
    read_in_parts(&r, choices);
    assert(slice_equal(buf_slice(&whole), buf_slice(&r.found)));
    source_fini(&source);
    buf_fini(&r.found);
    buf_fini(&whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world *w;
    struct plan         *plan;
    struct multiline    *way;

    if (w == NULL)
        w = make_world();
    if (size < CHOICES)
        return 0;
    plan = plan_new("in", "host");
    plan_add_route(plan, &w->route);
    if (data[5] % 3 != 0)
        (void)plan_add_parser(plan, data[5] % 3 == 1 ? w->cri : w->docker);
    way = plan->multiline = w->ways[data[5] / 3 % 8];
    plan->one_at_a_time = data[5] / 24 % 4 == 3;
    plan->max_line = 1 + data[6];
    plan->long_lines = data[7] % 3;
    if (way != NULL) {
        way->max_lines = 1 + data[7] / 3 % 16;
        way->max_size = 1 + 4u * data[6];
    }
    check(w, plan, (struct slice){ (const char *)data + CHOICES, size - CHOICES }, data);
    plan->multiline = NULL;
    plan_free(plan);
    return 0;
}
