/* file_flush.c - see file_flush.h.
 *
 * All tails of an input have the same timeout, so the list of those that wait is
 * in the order in which they are due, and one timer is enough.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_flush.h"

#include <assert.h>

#include "agent/base/clock.h"
#include "agent/flow/multiline.h"
#include "inputs/file.h"

static void on_time(uv_timer_t *timer);

static uint64_t
due_at(const struct file_tail *t)
{
    return t->pending_at + t->input->base.plan->multiline->timeout;
}

static void
set_timer(struct file_input *in)
{
    const struct file_tail *first = TAILQ_FIRST(&in->pending);
    const uint64_t          now = clock_ms();

    if (first == NULL || in->stopping)
        return;
    uv_timer_start(&in->flush_timer, on_time, due_at(first) > now ? due_at(first) - now : 0, 0);
}

/* One that is not at its end now is told by its next read. */
static void
on_time(uv_timer_t *timer)
{
    struct file_input *in = timer->data;
    struct file_tail  *t;

    while ((t = TAILQ_FIRST(&in->pending)) != NULL && due_at(t) <= clock_ms()) {
        file_flush_leave(t);
        t->waited = t->pending_to;
        if (t->state == TAIL_WAITING)
            file_tail_wake(t);
    }
    set_timer(in);
}

void
file_flush_note(struct file_tail *t)
{
    struct file_input *in = t->input;

    if (t->waited > t->read.waited) {       /* the time came while it was being read */
        file_tail_wake(t);
        return;
    }
    t->waited = 0;
    if (t->read.waits == 0 || (t->is_pending && t->read.waits > t->pending_to))
        file_flush_leave(t);
    if (t->read.waits == 0 || t->is_pending)
        return;
    t->pending_to = t->read.read_to;
    t->pending_at = clock_ms();
    t->is_pending = true;
    TAILQ_INSERT_TAIL(&in->pending, t, pending);
    if (!uv_is_active((uv_handle_t *)&in->flush_timer))
        set_timer(in);
}

void
file_flush_leave(struct file_tail *t)
{
    if (t->is_pending)
        TAILQ_REMOVE(&t->input->pending, t, pending);
    t->is_pending = false;
}
