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

/* An acknowledged chunk behind one that is not has to wait: committed may never
 * jump over a gap. */
static void
pass(struct window *w)
{
    struct chunk *c = w->passed != NULL ? w->passed->newer : w->oldest;

    for (; c != NULL && c->acked == c->nmessages; c = c->newer) {
        w->committed = c->end;
        w->tail = c->tail;
        w->lead = c->lead;
        w->held_records += c->records;
        w->passed = c;
    }
}

/* Take out the chunk behind `before` (NULL: the oldest), which was passed. */
static struct chunk *
take(struct window *w, struct chunk *before)
{
    struct chunk *c = before != NULL ? before->newer : w->oldest;

    if (before != NULL)
        before->newer = c->newer;
    else
        w->oldest = c->newer;
    if (w->passed == c)
        w->passed = before;
    if (w->newest == c)
        w->newest = before;
    w->held_records -= c->records;
    w->length--;
    return c;
}

/* Those behind committed go in any order; the newest of all stays until it is the
 * only one, because the next begins at its end. */
struct chunk *
window_advance(struct window *w)
{
    struct chunk *before = NULL, *first = NULL, **end = &first;

    pass(w);
    while (w->passed != before) {
        struct chunk *c = before != NULL ? before->newer : w->oldest;

        if (!chunk_complete(c) || (c == w->newest && before != NULL)) {
            before = c;
        } else {
            *end = take(w, before);
            end = &c->newer;
        }
    }
    *end = NULL;
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
    if (last == NULL) {
        w->passed = NULL;
        w->held_records = 0;
    }
    return taken;
}

struct chunk *
window_clear(struct window *w)
{
    return window_cut(w, NULL);
}
