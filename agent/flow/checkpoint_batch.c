/* checkpoint_batch.c - see checkpoint_batch.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/checkpoint_batch.h"

#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "agent/flow/plan.h"

enum { FIRST_ROWS = 16, KEPT_ROWS = 1024 };

void
checkpoint_batch_clear(struct checkpoint_batch *b)
{
    for (size_t i = 0; i < b->nput; i++)
        free(b->put[i].path);
    b->nput = b->nremove = 0;
    if (b->max_put > KEPT_ROWS || b->max_remove > KEPT_ROWS) {
        free(b->put);
        free(b->remove);
        *b = (struct checkpoint_batch){ NULL, 0, 0, NULL, 0, 0 };
    }
}

void
checkpoint_batch_fini(struct checkpoint_batch *b)
{
    checkpoint_batch_clear(b);
    free(b->put);
    free(b->remove);
}

static void
add(struct checkpoint_batch *b, const struct checkpoint *row)
{
    if (b->nput == b->max_put) {
        b->max_put = b->max_put > 0 ? 2 * b->max_put : FIRST_ROWS;
        b->put = mem_array(b->put, b->max_put, sizeof *b->put);
    }
    b->put[b->nput++] = *row;
}

void
checkpoint_batch_put(struct checkpoint_batch *b, const struct source *s)
{
    add(b, &(struct checkpoint){
        .id = s->id,
        .input = s->plan->input,
        .path = mem_string(s->path),
        .identity = s->identity,
        .offset = s->window.committed,
        .tail = s->window.tail,
        .lead = s->window.lead,
        .updated = clock_epoch_ms(),
        .size = s->size,
        .disk_size = s->disk_size,
    });
}

void
checkpoint_batch_remove(struct checkpoint_batch *b, int64_t id)
{
    if (b->nremove == b->max_remove) {
        b->max_remove = b->max_remove > 0 ? 2 * b->max_remove : FIRST_ROWS;
        b->remove = mem_array(b->remove, b->max_remove, sizeof *b->remove);
    }
    b->remove[b->nremove++] = id;
}

/* Older rows first: a newer one of the same file then replaces them. */
void
checkpoint_batch_put_back(struct checkpoint_batch *b, struct checkpoint_batch *failed)
{
    struct checkpoint_batch newer = *b;

    *b = *failed;
    *failed = (struct checkpoint_batch){ NULL, 0, 0, NULL, 0, 0 };
    for (size_t i = 0; i < newer.nput; i++)
        add(b, &newer.put[i]);
    for (size_t i = 0; i < newer.nremove; i++)
        checkpoint_batch_remove(b, newer.remove[i]);
    free(newer.put);
    free(newer.remove);
}
