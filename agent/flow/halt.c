/* halt.c - see halt.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/halt.h"

#include <inttypes.h>

#include "agent/base/buf.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/flow/output.h"
#include "agent/flow/plan.h"
#include "agent/flow/source.h"

void
halts_add(struct halts *h, const struct output *o, const struct message *m, const char *reason)
{
    struct chunk  *c = m->chunk;
    struct source *s = c->source;
    const uint64_t at = c->begin + m->at;
    struct buf     why = { NULL, 0, 0 };

    c->halted++;
    if (s->halted == NULL || at < s->halted_at)
        s->halted_at = at;
    if (s->halted != NULL)
        return;
    buf_printf(&why, "output '%s' rejected the record at byte %" PRIu64 ": %s", o->name, at,
               reason);
    s->halted = mem_string(buf_string(&why));
    buf_fini(&why);
    log_error("input '%s': '%s' is halted: %s (the next start tries it again)", s->plan->input,
              s->path, s->halted);
    s->next_halted = h->first;
    h->first = s;
}

static bool
is_settled(const struct source *s)
{
    if (s->jobs > 0)
        return false;
    for (const struct chunk *c = s->window.oldest; c != NULL; c = c->newer)
        if (c->pins > 0 || c->acked + c->halted < c->nmessages)
            return false;
    return true;
}

struct source *
halts_take_settled(struct halts *h)
{
    for (struct source **at = &h->first; *at != NULL; at = &(*at)->next_halted)
        if (is_settled(*at)) {
            struct source *s = *at;

            *at = s->next_halted;
            return s;
        }
    return NULL;
}
