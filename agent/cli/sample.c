/* sample.c - see sample.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/cli/sample.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/flow/source.h"
#include "agent/flow/transform.h"

/* The lines at work. */
struct samples {
    const struct sample *s;
    struct source        source;
    struct scratch      *scratch;
    sample_f            *f;
    void                *ctx;
    int64_t              lead;          /* of the next chunk (chunk.h) */
    uint64_t             filtered;
    const struct encoding *encoding;
};

static const struct source_ops no_ops = { NULL, NULL, NULL };

/* ---- Showing --------------------------------------------------------------- */

static int32_t
partition_of(const struct samples *all, const struct run *run, const struct message *m)
{
    const struct output *o = run->output;

    if (m->partition >= 0 || all->s->partitions == 0 || o->ops->partition_of == NULL)
        return m->partition;
    return o->ops->partition_of(o, all->s->partitions, message_key(m),
                                source_number(&all->source));
}

static void
show_message(const struct samples *all, const struct run *run, const struct message *m)
{
    struct sample_record r = {
        .shown = {
            .output = run->output->name,
            .topic = run->topic.len > 0 ? run->topic : NO_SLICE,
            .partition = partition_of(all, run, m),
            .key = message_key(m), .value = message_value(m), .headers = m->headers,
            .timestamp = m->timestamp,
        },
        .at = m->chunk->begin + m->at,
        .reject = run->reject,
    };

    if (r.reject == NULL && all->s->partitions > 0 && r.shown.partition >= all->s->partitions)
        r.reject = "the topic has no such partition";
    all->f(all->ctx, &r);
}

/* The messages stand in their runs; how they were made is told by the worker. */
static void
show_chunk(const struct samples *all, const struct chunk *c)
{
    const uint32_t *run_of = scratch_runs(all->scratch);
    uint32_t       *shown = mem_zero(c->nruns * sizeof *shown);     /* of each run */

    for (uint32_t i = 0; i < c->nmessages; i++) {
        const struct run *run = &c->runs[run_of[i]];

        show_message(all, run, &c->messages[run->first + shown[run_of[i]]++]);
    }
    free(shown);
}

/* ---- Reading --------------------------------------------------------------- */

/* Behind the LF of a line that is longer than a chunk. */
static uint64_t
line_end(const struct samples *all, uint64_t from)
{
    const struct slice lines = all->s->lines;
    const size_t       line =
        encoding_first_line(all->encoding, lines.ptr + from, lines.len - from);

    return line > 0 ? from + line : lines.len;
}

/* One chunk from `begin` on; returns where the next one begins. */
static uint64_t
read_chunk(struct samples *all, uint64_t begin)
{
    const struct plan *plan = all->source.plan;
    const struct slice lines = all->s->lines;
    const size_t       left = lines.len - begin;
    struct chunk      *c = chunk_new(transform_room(plan));
    uint64_t           end;

    chunk_begin(c, &all->source, begin, all->source.path, all->source.name);
    c->lead = all->lead;
    c->encoding = all->encoding;
    c->len = left < c->size ? left : c->size;
    memcpy(c->bytes, lines.ptr + begin, c->len);
    if (transform_chunk(plan, all->scratch, c, begin + c->len == lines.len) == TRANSFORM_LONG)
        transform_long(plan, all->scratch, c, line_end(all, begin));
    show_chunk(all, c);
    all->filtered += c->filtered;
    end = c->end;
    all->lead = c->lead;
    chunk_free(&c);
    return end;
}

uint64_t
cli_sample(const struct config *config, const struct sample *s, sample_f *f, void *ctx)
{
    struct samples all = { .s = s, .f = f, .ctx = ctx };

    for (size_t i = 0; i < config->nroutes; i++)
        if (config->routes[i]->limit != NULL)
            limit_reset(config->routes[i]->limit);
    all.scratch = scratch_new(config->names, config->groups);
    scratch_stop_clock(all.scratch);
    source_init(&all.source, &no_ops, s->input->plan, s->path);
    if (s->input->plan->encoding != NULL)
        all.encoding = encoding_marked(s->input->plan->encoding, s->lines.ptr, s->lines.len);
    for (uint64_t at = 0; at < s->lines.len;)
        at = read_chunk(&all, at);
    source_fini(&all.source);
    scratch_free(all.scratch);
    return all.filtered;
}
