/* queue.c - see queue.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/queue.h"

#include <stddef.h>

#include "agent/flow/source.h"

void
queue_add(struct queue *q, struct source *s)
{
    s->queued = true;
    s->next_waiting = NULL;
    if (q->last != NULL)
        q->last->next_waiting = s;
    else
        q->first = s;
    q->last = s;
}

struct source *
queue_take(struct queue *q)
{
    struct source *s = q->first;

    q->first = s->next_waiting;
    if (q->first == NULL)
        q->last = NULL;
    s->queued = false;
    s->next_waiting = NULL;
    return s;
}

void
queue_remove(struct queue *q, struct source *s)
{
    struct source **at = &q->first, *last = NULL;

    while (*at != s) {
        last = *at;
        at = &(*at)->next_waiting;
    }
    *at = s->next_waiting;
    if (q->last == s)
        q->last = last;
    s->queued = false;
    s->next_waiting = NULL;
}

bool
queue_has_idle(const struct queue *q)
{
    for (const struct source *s = q->first; s != NULL; s = s->next_waiting)
        if (s->window.length == 0)
            return true;
    return false;
}
