/* tidy.c - see tidy.h.
 *
 * To give memory back takes milliseconds when there is much: a worker does it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/tidy.h"

#include <assert.h>
#include <stddef.h>

#include "agent/base/mem.h"

enum {
    LATER_MS = 3000,
    MOST_ASKED = 20,        /* then it is given back all the same, busy or not */
};

static void
on_work(uv_work_t *work)
{
    (void)work;
    mem_give_back();
}

static void
on_done(uv_work_t *work, int status)
{
    struct tidy *t = (struct tidy *)(void *)((char *)work - offsetof(struct tidy, work));

    assert(status == 0);
    t->working = false;
    if (t->closed != NULL)
        uv_close((uv_handle_t *)&t->timer, t->closed);
}

static void
on_timer(uv_timer_t *timer)
{
    struct tidy *t = (struct tidy *)(void *)((char *)timer - offsetof(struct tidy, timer));

    if (t->working || (!t->quiet(t->ctx) && ++t->asked < MOST_ASKED))
        return;
    uv_timer_stop(timer);
    t->working = true;
    uv_queue_work(timer->loop, &t->work, on_work, on_done);
}

void
tidy_init(struct tidy *t, uv_loop_t *loop, bool (*quiet)(const void *ctx), const void *ctx)
{
    *t = (struct tidy){ .quiet = quiet, .ctx = ctx };
    uv_timer_init(loop, &t->timer);
}

void
tidy_later(struct tidy *t)
{
    if (t->closed != NULL || uv_is_active((uv_handle_t *)&t->timer))
        return;
    t->asked = 0;
    uv_timer_start(&t->timer, on_timer, LATER_MS, LATER_MS);
}

void
tidy_close(struct tidy *t, uv_close_cb closed, void *data)
{
    t->timer.data = data;
    t->closed = closed;
    uv_timer_stop(&t->timer);
    if (!t->working)
        uv_close((uv_handle_t *)&t->timer, closed);
}
