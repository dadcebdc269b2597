/* saving.c - see saving.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/saving.h"

#include <stddef.h>

#include "agent/data/chunk.h"
#include "agent/flow/source.h"

bool
saving_is_done(struct saving *v, struct source *s)
{
    if (s->saved_by <= v->saved)
        return true;
    s->saving = true;
    s->next_waiting = v->sources;
    v->sources = s;
    return false;
}

static void
unlink_source(struct source **at)
{
    struct source *s = *at;

    *at = s->next_waiting;
    s->next_waiting = NULL;
    s->saving = false;
}

void
saving_forget(struct saving *v, struct source *s)
{
    struct source **at = &v->sources;

    while (*at != s)
        at = &(*at)->next_waiting;
    unlink_source(at);
}

struct source *
saving_take_source(struct saving *v)
{
    for (struct source **at = &v->sources; *at != NULL; at = &(*at)->next_waiting)
        if ((*at)->saved_by <= v->saved) {
            struct source *s = *at;

            unlink_source(at);
            return s;
        }
    return NULL;
}

void
saving_add(struct saving *v, struct chunk *c, uint64_t number)
{
    c->send_after = number;
    c->next_unsent = NULL;
    if (v->last != NULL)
        v->last->next_unsent = c;
    else
        v->first = c;
    v->last = c;
}

struct chunk *
saving_take_chunk(struct saving *v, bool any)
{
    struct chunk *c = v->first;

    if (c == NULL || (c->send_after > v->saved && !any))
        return NULL;
    v->first = c->next_unsent;
    if (v->first == NULL)
        v->last = NULL;
    return c;
}
