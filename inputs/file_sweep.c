/* file_sweep.c - see file_sweep.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_sweep.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "inputs/file.h"
#include "inputs/file_follow.h"
#include "inputs/file_remove.h"

enum {
    TICK_MS = 1000,
    SOON_MS = 200,
    WATCHED_A_SECOND = 100,     /* files with events that are looked at nevertheless */
    SPARE_DESCRIPTORS = 256,    /* for everything that is no followed file */
    LEAST_OPEN = 32,
};

/* One look at a path that a tail has, to be compared with what the tail knows. */
struct file_glance {
    char    *path;
    uint64_t device, inode;     /* of the tail */
    bool     there;             /* the path leads to it */
    uint64_t size;
    int64_t  mtime_ms;
};

/* ---- The look ---------------------------------------------------------------- */

static void
on_work(uv_work_t *work)
{
    struct file_sweep *sweep = &((struct file_input *)work->data)->sweep;

    for (size_t i = 0; i < sweep->nglances; i++) {
        struct file_glance *g = &sweep->glances[i];
        struct stat         st;

        g->there = stat(g->path, &st) == 0 && st.st_dev == g->device && st.st_ino == g->inode;
        if (!g->there)
            continue;
        g->size = (uint64_t)st.st_size;
        g->mtime_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    }
}

/* All of it has arrived, and the file is still there under a name of no pattern. */
static bool
is_finished(const struct file_tail *t)
{
    return t->state == TAIL_CLOSED && t->exists;
}

static void
compare(struct file_input *in, const struct file_glance *g)
{
    struct file_tail *t = file_follow_find(in, g->device, g->inode);

    if (t == NULL)
        return;
    if (is_finished(t)) {
        if (!g->there)
            file_tail_event(t, EV_UNLINKED);
    } else if (t->names == NULL) {
        return;
    } else if (!g->there) {
        file_scan_request(in, false);
    } else if (g->size != t->disk_size || g->mtime_ms != t->mtime_ms) {
        file_tail_wake(t);
    }
}

static void
on_done(uv_work_t *work, int status)
{
    struct file_input *in = work->data;
    struct file_sweep *sweep = &in->sweep;

    assert(status == 0);
    sweep->busy = false;
    for (size_t i = 0; i < sweep->nglances; i++) {
        if (!in->stopping)
            compare(in, &sweep->glances[i]);
        free(sweep->glances[i].path);
    }
    sweep->nglances = 0;
    file_came_back(in);
}

static void
add_glance(struct file_sweep *sweep, struct file_tail *t)
{
    const struct source *s = file_source(t);

    if (sweep->nglances == sweep->max_glances) {
        sweep->max_glances = sweep->max_glances > 0 ? 2 * sweep->max_glances : 64;
        sweep->glances = mem_array(sweep->glances, sweep->max_glances, sizeof *sweep->glances);
    }
    sweep->glances[sweep->nglances++] = (struct file_glance){
        .path = mem_string(t->names != NULL ? t->names->path : s->path),
        .device = s->identity.device,
        .inode = s->identity.inode };
}

static bool
is_watched(const struct file_tail *t)
{
    for (const struct file_name *n = t->names; n != NULL; n = n->next)
        if (n->wd >= 0)
            return true;
    return false;
}

/* A file that was just read needs no look; one that is finished does, to be
 * forgotten when it is deleted. */
static bool
is_worth_a_look(const struct file_tail *t, uint64_t now)
{
    return is_finished(t) ||
           (t->state == TAIL_WAITING && t->names != NULL &&
            now - t->read_at >= t->input->conf.poll);
}

static void
choose_unwatched(struct file_input *in, uint64_t now)
{
    struct file_tail *t;

    TAILQ_FOREACH(t, &in->all, all)
        if (is_worth_a_look(t, now) && t->names != NULL && !is_watched(t))
            add_glance(&in->sweep, t);
}

static void
choose_in_turn(struct file_input *in, uint64_t now, size_t most)
{
    struct file_sweep *sweep = &in->sweep;

    for (size_t i = 0; i < most && i < in->places.count; i++) {
        if (sweep->next == NULL)
            sweep->next = TAILQ_FIRST(&in->all);
        if (sweep->next == NULL)
            return;
        if (is_worth_a_look(sweep->next, now) &&
            (is_watched(sweep->next) || is_finished(sweep->next)))
            add_glance(sweep, sweep->next);
        sweep->next = TAILQ_NEXT(sweep->next, all);
    }
}

static void
poll_files(struct file_input *in, uint64_t now)
{
    struct file_sweep *sweep = &in->sweep;
    const uint64_t     passed = now - sweep->polled_at;

    if (sweep->busy || passed < in->conf.poll)
        return;
    sweep->polled_at = now;
    if (in->unwatched > 0)
        choose_unwatched(in, now);
    choose_in_turn(in, now, (size_t)(passed * WATCHED_A_SECOND / 1000 + 1));
    if (sweep->nglances == 0)
        return;
    sweep->busy = true;
    in->out++;
    uv_queue_work(in->loop, &sweep->work, on_work, on_done);
}

/* ---- Tails that rest, are gone, or done -------------------------------------- */

/* A file without a name in the patterns is finished when it did not grow for
 * long enough; until then its writer may still be at it. */
static bool
is_over(const struct file_tail *t, uint64_t now)
{
    const uint64_t since = t->active_at > t->gone_at ? t->active_at : t->gone_at;

    return t->gone_at != 0 && now - since >= t->input->conf.linger;
}

/* One whose records could not be sent goes on at once when that may be over. */
static bool
has_rested(struct file_tail *t, uint64_t now)
{
    struct source *s = file_source(t);

    if (source_may_go_on(s))
        t->rests = 0;
    else if (now < t->rest_until)
        return false;
    s->stalled_by = NULL;
    return true;
}

/* False if there is nothing more to see to. */
static bool
see_to(struct file_tail *t, uint64_t now)
{
    const bool can_read = t->read.fd >= 0 || t->elsewhere;

    if (t->state == TAIL_WAITING || t->state == TAIL_RESTING)
        t->read.final = is_over(t, now);
    if (t->state == TAIL_RESTING) {
        if (has_rested(t, now))
            file_tail_event(t, EV_RESTED);
        return true;
    }
    if (t->held_at != 0) {
        if (t->state == TAIL_WAITING)
            file_tail_event(t, EV_WAKE);
        return true;
    }
    if (t->state == TAIL_WAITING && (t->read.soon || file_remove_is_due(t, now))) {
        file_tail_event(t, EV_WAKE);
        return true;
    }
    if (t->gone_at == 0 || t->state == TAIL_CLOSED)
        return file_remove_is_ahead(t);
    if (t->state == TAIL_WAITING &&
        (t->read.final || (can_read && now - t->read_at >= t->input->conf.poll)))
        file_tail_event(t, EV_WAKE);
    return true;
}

static void
see_to_all(struct file_input *in, uint64_t now)
{
    struct file_tail *t, *next;

    for (t = TAILQ_FIRST(&in->attended); t != NULL; t = next) {
        next = TAILQ_NEXT(t, attended);
        if (t->forgotten && t->opening) {
            continue;
        } else if (t->forgotten) {
            file_sweep_forget(in, t);
            file_tail_free(t);
        } else if (!see_to(t, now)) {
            TAILQ_REMOVE(&in->attended, t, attended);
            t->is_attended = false;
        }
    }
}

/* ---- Descriptors ------------------------------------------------------------- */

static void
close_idle(struct file_input *in, uint64_t now)
{
    struct file_tail *t, *next;

    for (t = TAILQ_FIRST(&in->open); t != NULL; t = next) {
        next = TAILQ_NEXT(t, open);
        if (now - t->active_at < in->conf.close_idle)
            return;
        if (t->state == TAIL_WAITING && !t->is_due)
            file_tail_close(t);
    }
}

void
file_sweep_trim(struct file_input *in)
{
    struct file_tail *t;

    while (file_tail_descriptors() > in->sweep.most_open &&
           (t = TAILQ_FIRST(&in->open)) != NULL) {
        log_again(&in->sweep.told, LOG_WARN, "no more than %zu files are held open: quiet ones are "
                  "closed and opened again when they grow (raise the limit of open files)",
                  in->sweep.most_open);
        file_tail_close(t);
    }
}

static size_t
count_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < 2 * SPARE_DESCRIPTORS)
        return LEAST_OPEN;
    return (size_t)limit.rlim_cur - SPARE_DESCRIPTORS;
}

/* ---- The tick ---------------------------------------------------------------- */

static void
on_tick(uv_timer_t *timer)
{
    struct file_input *in = timer->data;
    const uint64_t     now = clock_ms();

    see_to_all(in, now);
    close_idle(in, now);
    poll_files(in, now);
}

void
file_sweep_start(struct file_input *in)
{
    struct file_sweep *sweep = &in->sweep;
    const uint64_t     tick = in->conf.poll < TICK_MS ? in->conf.poll : TICK_MS;

    uv_timer_init(in->loop, &sweep->timer);
    sweep->timer.data = sweep->work.data = in;
    sweep->polled_at = clock_ms();
    sweep->most_open = count_descriptors();
    uv_timer_start(&sweep->timer, on_tick, tick, tick);
}

void
file_sweep_soon(struct file_input *in)
{
    const uint64_t tick = uv_timer_get_repeat(&in->sweep.timer);

    if (tick > SOON_MS && !in->stopping)
        uv_timer_start(&in->sweep.timer, on_tick, SOON_MS, tick);
}

void
file_sweep_forget(struct file_input *in, struct file_tail *t)
{
    if (in->sweep.next == t)
        in->sweep.next = TAILQ_NEXT(t, all);
}

void
file_sweep_free(struct file_input *in)
{
    free(in->sweep.glances);
}
