/* file_scan.c - see file_scan.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "inputs/file.h"
#include "inputs/file_copy.h"
#include "inputs/file_follow.h"

enum {
    /* Between two jobs, so that a storm of events is one.  A look is cheap, and what
     * is truncated or removed before it is opened is lost. */
    QUIET_MS = 5,
    QUIET_FULL_MS = 100,
    MOST_HINTS = 4096,      /* more than these, and looking at everything is cheaper */
    MOST_ORIGINS = 16,
    MANY = 1000,            /* files at once: what it took to begin with them is given back */
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
    if (scan->full)
        at = scan->ended_at + QUIET_FULL_MS;
    if (scan->hints.count > 0)
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
    if (scan->changes.count > MANY)
        pipeline_tidy(in->pipeline);
    file_changes_fini(&scan->changes);
    file_copy_try_ghosts(in);
    schedule(in);
    file_came_back(in);
}

static void
on_timer(uv_timer_t *timer)
{
    struct file_input *in = timer->data;
    struct file_scan  *scan = &in->scan;

    file_hints_fini(&scan->taken);
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

static struct file_hint *
add_hint(struct file_input *in, int wd, const char *name)
{
    struct file_scan *scan = &in->scan;
    struct file_hint *hint = NULL;

    if (scan->hints.count >= MOST_HINTS)
        scan->full = scan->thorough = true;
    else
        hint = file_hints_add(&scan->hints, wd, name);
    schedule(in);
    return hint;
}

void
file_scan_hint(struct file_input *in, int wd, const char *name)
{
    (void)add_hint(in, wd, name);
}

void
file_scan_moved_from(struct file_input *in, uint32_t cookie, int wd, const char *name)
{
    free(in->scan.from);
    in->scan.from = mem_string(name);
    in->scan.from_wd = wd;
    in->scan.cookie = cookie;
}

/* The latest rename that has given this name. */
static const struct file_hint *
find_move(const struct file_hints *hints, int wd, const char *name)
{
    for (size_t i = hints->count; i-- > 0; ) {
        const struct file_hint *hint = &hints->list[i];

        if (hint->moved_here && hint->wd == wd && strcmp(hint->name, name) == 0)
            return hint;
    }
    return NULL;
}

/* The names under which the file could have been met: all that it had. */
static void
set_origins(struct file_scan *scan, struct file_hint *hint, const struct file_hint *before)
{
    const struct file_origin *o = before != NULL ? before->origins : NULL;

    for (unsigned n = 1; o != NULL && n < MOST_ORIGINS; n++, o = o->next)
        file_hints_add_origin(hint, o->wd, o->name);
    file_hints_add_origin(hint, scan->from_wd, scan->from);
}

void
file_scan_moved_to(struct file_input *in, uint32_t cookie, int wd, const char *name)
{
    struct file_scan       *scan = &in->scan;
    struct file_hint       *hint = add_hint(in, wd, name);
    const struct file_hint *before;

    if (hint == NULL)
        return;
    if (scan->from != NULL && scan->cookie == cookie) {
        before = find_move(&scan->hints, scan->from_wd, scan->from);
        if (before == NULL)
            before = find_move(&scan->taken, scan->from_wd, scan->from);
        set_origins(scan, hint, before);
    }
    hint->moved_here = true;
}

void
file_scan_request(struct file_input *in, bool thorough)
{
    in->scan.full = true;
    in->scan.thorough |= thorough;
    schedule(in);
}

bool
file_scan_is_pending(const struct file_input *in)
{
    return in->scan.busy || in->scan.full || in->scan.hints.count > 0;
}

void
file_scan_free(struct file_input *in)
{
    file_discover_free(in->scan.discover);
    file_hints_fini(&in->scan.hints);
    file_hints_fini(&in->scan.taken);
    free(in->scan.from);
}
