/* file_scan.c - see file_scan.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_scan.h"

#include <assert.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "inputs/file.h"
#include "inputs/file_follow.h"

enum {
    QUIET_MS = 100,         /* between two jobs, so that a storm of events is one */
    MOST_HINTS = 4096,      /* more than these, and looking at everything is cheaper */
};

static void on_timer(uv_timer_t *timer);

/* The timer stands at whatever comes first. */
static void
schedule(struct file_input *in)
{
    struct file_scan *scan = &in->scan;
    const uint64_t    now = clock_ms();
    uint64_t          at = scan->full_at;

    if (scan->busy || in->stopping)
        return;
    if (scan->full || scan->hints.count > 0)
        at = scan->ended_at + QUIET_MS;
    uv_timer_start(&scan->timer, on_timer, at > now ? at - now : 0, 0);
}

/* Hints come first: a watch that has ended must be known before the walk. */
static void
on_work(uv_work_t *work)
{
    struct file_scan *scan = &((struct file_input *)work->data)->scan;

    file_discover_look(scan->discover, &scan->taken, &scan->changes);
    if (scan->take_full)
        file_discover_scan(scan->discover, scan->take_thorough, &scan->changes);
}

static void
tell_start(const struct file_input *in)
{
    const size_t files = in->places.count;
    const char  *name = in->base.plan->input;

    if (files == 0)
        log_info("input '%s' finds no file yet and waits for '%s'%s", name,
                 in->conf.paths.list[0], in->conf.paths.count > 1 ? " and others" : "");
    else
        log_info("input '%s' follows %zu file%s", name, files, files == 1 ? "" : "s");
}

static void
on_done(uv_work_t *work, int status)
{
    struct file_input *in = work->data;
    struct file_scan  *scan = &in->scan;

    assert(status == 0);
    scan->busy = false;
    scan->ended_at = clock_ms();
    if (scan->take_full)
        scan->full_at = scan->ended_at + in->conf.rescan;
    if (!in->stopping)
        file_follow_changes(in, &scan->changes);
    if (in->at_start && !in->stopping)
        tell_start(in);
    in->at_start = false;
    file_changes_fini(&scan->changes);
    file_hints_fini(&scan->taken);
    schedule(in);
    file_came_back(in);
}

static void
on_timer(uv_timer_t *timer)
{
    struct file_input *in = timer->data;
    struct file_scan  *scan = &in->scan;

    scan->taken = scan->hints;
    scan->hints = (struct file_hints){ NULL, 0, 0 };
    scan->take_full = scan->full || clock_ms() >= scan->full_at;
    scan->take_thorough = scan->thorough;
    scan->full = scan->thorough = false;
    scan->busy = true;
    in->out++;
    uv_queue_work(in->loop, &scan->work, on_work, on_done);
}

void
file_scan_start(struct file_input *in)
{
    struct file_scan *scan = &in->scan;

    uv_timer_init(in->loop, &scan->timer);
    scan->timer.data = scan->work.data = in;
    scan->discover = file_discover_new(&in->globs, &in->exclude, in->watch.fd);
    in->at_start = true;
    scan->full_at = 0;
    uv_timer_start(&scan->timer, on_timer, 0, 0);
}

void
file_scan_hint(struct file_input *in, int wd, const char *name, bool moved_here)
{
    struct file_scan *scan = &in->scan;

    if (scan->hints.count >= MOST_HINTS)
        scan->full = scan->thorough = true;
    else
        file_hints_add(&scan->hints, wd, name, moved_here);
    schedule(in);
}

void
file_scan_request(struct file_input *in, bool thorough)
{
    in->scan.full = true;
    in->scan.thorough |= thorough;
    schedule(in);
}

void
file_scan_free(struct file_input *in)
{
    file_discover_free(in->scan.discover);
    file_hints_fini(&in->scan.hints);
}
