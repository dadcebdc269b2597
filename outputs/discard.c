/* discard.c - the output that takes everything and keeps nothing: for measuring
 * and for trying rules.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdlib.h>
#include <uv.h>

#include "agent/base/mem.h"
#include "agent/flow/output.h"
#include "agent/flow/pipeline.h"

struct discard {
    struct output     base;
    uv_idle_t         idle;         /* runs while there is something to report */
    struct chunk    **chunks;       /* `counts` messages of each, pinned once each */
    uint32_t         *counts;
    size_t            n, room;
    output_stopped_f *stopped;
    void             *stopped_ctx;
};

static const struct field discard_fields[] = { NO_MORE_FIELDS };

static void
report(uv_idle_t *idle)
{
    struct discard *d = idle->data;

    uv_idle_stop(idle);
    for (size_t i = 0; i < d->n; i++) {
        pipeline_delivered(d->base.pipeline, d->chunks[i], d->counts[i]);
        pipeline_unpin(d->base.pipeline, d->chunks[i]);
    }
    d->n = 0;
}

static int
discard_start(struct output *o, struct pipeline *p, struct error *err)
{
    struct discard *d = (struct discard *)o;

    (void)err;
    o->pipeline = p;
    uv_idle_init(pipeline_loop(p), &d->idle);
    d->idle.data = d;
    return 0;
}

static void
discard_send(struct output *o, const struct run *run)
{
    struct discard *d = (struct discard *)o;

    if (d->n == d->room) {
        d->room = d->room > 0 ? 2 * d->room : 16;
        d->chunks = mem_array(d->chunks, d->room, sizeof(*d->chunks));
        d->counts = mem_array(d->counts, d->room, sizeof *d->counts);
    }
    run->chunk->pins++;
    d->chunks[d->n] = run->chunk;
    d->counts[d->n++] = run->count;
    uv_idle_start(&d->idle, report);
}

static void
on_closed(uv_handle_t *handle)
{
    struct discard *d = handle->data;

    d->stopped(d->stopped_ctx);
}

static void
discard_stop(struct output *o, output_stopped_f *stopped, void *ctx)
{
    struct discard *d = (struct discard *)o;

    d->stopped = stopped;
    d->stopped_ctx = ctx;
    for (size_t i = 0; i < d->n; i++)
        pipeline_unpin(o->pipeline, d->chunks[i]);
    d->n = 0;
    uv_close((uv_handle_t *)&d->idle, on_closed);
}

static void
discard_free(struct output *o)
{
    struct discard *d = (struct discard *)o;

    free(d->chunks);
    free(d->counts);
    free(o->name);
    free(d);
}

static const struct output_ops discard_ops = {
    .start = discard_start, .send = discard_send, .stop = discard_stop, .free = discard_free,
};

static struct output *
discard_load(const char *name, const char *what, const struct node *conf, struct errors *errs)
{
    const struct settings set[] = { { NULL, type_fields } };
    struct discard       *d;

    if (fields_load(set, 1, what, conf, conf->at, NULL, NULL, errs) == -1)
        return NULL;
    d = NEW(struct discard);
    d->base.ops = &discard_ops;
    d->base.name = mem_string(name);
    d->base.read_pause = OUTPUT_READ_PAUSE;
    return &d->base;
}

const struct output_type discard_output_type = {
    .name = "discard",
    .help = "Takes every record and keeps none.",
    .fields = discard_fields,
    .load = discard_load,
};
