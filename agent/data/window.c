/* window.c - see window.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/window.h"

#include <assert.h>

void
window_init(struct window *w, uint64_t committed, struct tail_print tail)
{
    *w = (struct window){ .committed = committed, .tail = tail };
}

uint64_t
window_end(const struct window *w)
{
    return w->newest != NULL ? w->newest->end : w->committed;
}

int64_t
window_lead(const struct window *w)
{
    return w->newest != NULL ? w->newest->lead : w->lead;
}

void
window_push(struct window *w, struct chunk **chunk)
{
    struct chunk *c = *chunk;

    *chunk = NULL;
    assert(c->newer == NULL);
    assert(c->begin == window_end(w));
    assert(c->end > c->begin || (c->end == c->begin && c->lead != window_lead(w)));
    if (w->newest != NULL)
        w->newest->newer = c;
    else
        w->oldest = c;
    w->newest = c;
    w->length++;
}

/* A complete chunk behind an incomplete one has to wait: committed may never
 * jump over a gap. */
struct chunk *
window_advance(struct window *w)
{
    struct chunk *first = w->oldest, *last = NULL;

    while (w->oldest != NULL && chunk_complete(w->oldest)) {
        last = w->oldest;
        w->committed = last->end;
        w->tail = last->tail;
        w->lead = last->lead;
        w->oldest = last->newer;
        w->length--;
    }
    if (last == NULL)
        return NULL;
    last->newer = NULL;
    if (w->oldest == NULL)
        w->newest = NULL;
    return first;
}

struct chunk *
window_cut(struct window *w, struct chunk *last)
{
    struct chunk **first = last != NULL ? &last->newer : &w->oldest, *taken = *first;

    for (const struct chunk *c = taken; c != NULL; c = c->newer)
        w->length--;
    *first = NULL;
    w->newest = last;
    return taken;
}

struct chunk *
window_clear(struct window *w)
{
    return window_cut(w, NULL);
}
