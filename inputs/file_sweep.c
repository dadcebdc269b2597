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
    TURN = 100,                 /* files with events that are looked at together, */
    TURN_POLLS = 10,            /* and how often: in so many times `poll` */
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

/* How soon to look again while there is something to look at. */
static uint64_t
tick(const struct file_input *in)
{
    return in->conf.poll < TICK_MS ? in->conf.poll : TICK_MS;
}

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

static bool
is_watched(const struct file_tail *t)
{
    for (const struct file_name *n = t->names; n != NULL; n = n->next)
        if (n->wd >= 0)
            return true;
    return false;
}

/* It has grown, and no event has told.  Once, that may be on its way; twice, and
 * who knows of the others? */
static void
note_unheard(struct file_input *in, struct file_tail *t)
{
    if (!is_watched(t))
        return;
    if (t->unheard)
        in->sweep.doubted = in->places.count;
    t->unheard = true;
    file_tail_attend(t);
}

static void
compare(struct file_input *in, const struct file_glance *g)
{
    struct file_tail *t = file_follow_find(in, g->device, g->inode);

    if (t == NULL)
        return;
    if (is_finished(t)) {
        if (!g->there) {
            file_scan_request(in, false);   /* a copy of it may be there */
            file_tail_event(t, EV_UNLINKED);
        }
    } else if (t->names == NULL) {
        return;
    } else if (!g->there) {
        file_scan_request(in, false);
    } else if (g->size != t->disk_size || g->mtime_ms != t->mtime_ms) {
        note_unheard(in, t);
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
choose_unheard(struct file_input *in, uint64_t now)
{
    struct file_tail *t;

    TAILQ_FOREACH(t, &in->attended, attended)
        if (t->unheard && is_worth_a_look(t, now) && is_watched(t))
            add_glance(&in->sweep, t);
}

static void
choose_in_turn(struct file_input *in, uint64_t now)
{
    struct file_sweep *sweep = &in->sweep;

    sweep->turned_at = now;
    sweep->doubted -= sweep->doubted < TURN ? sweep->doubted : TURN;
    for (size_t i = 0; i < TURN && i < in->places.count; i++) {
        if (sweep->next == NULL)
            sweep->next = TAILQ_FIRST(&in->all);
        if (sweep->next == NULL)
            return;
        if (is_worth_a_look(sweep->next, now) && !sweep->next->unheard &&
            (is_watched(sweep->next) || is_finished(sweep->next)))
            add_glance(sweep, sweep->next);
        sweep->next = TAILQ_NEXT(sweep->next, all);
    }
}

/* Rather a little early than a whole tick late. */
static void
poll_files(struct file_input *in, uint64_t now)
{
    struct file_sweep *sweep = &in->sweep;

    if (sweep->busy || now - sweep->polled_at + tick(in) / 2 < in->conf.poll)
        return;
    sweep->polled_at = now;
    if (in->unwatched > 0)
        choose_unwatched(in, now);
    choose_unheard(in, now);
    if (sweep->doubted > 0 || now - sweep->turned_at >= (TURN_POLLS - 1) * in->conf.poll)
        choose_in_turn(in, now);
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
    else if (s->parked || now + SOON_MS < t->rest_until)    /* rather now than a tick later */
        return false;
    s->stalled_by = NULL;
    s->parked = false;
    return true;
}

/* Not while a job has it. */
static bool
can_read(const struct file_tail *t)
{
    return t->read.fd >= 0 || t->elsewhere;
}

/* False if there is nothing more to see to. */
static bool
see_to(struct file_tail *t, uint64_t now)
{
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
        return t->unheard || file_remove_is_ahead(t);
    if (t->state == TAIL_WAITING &&
        (t->read.final || (can_read(t) && now - t->read_at >= t->input->conf.poll)))
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

/* Until then there is nothing to be done, unless something happens. */
static uint64_t
long_pause(const struct file_input *in)
{
    const uint64_t turn = TURN_POLLS * in->conf.poll;

    return turn < in->conf.close_idle ? turn : in->conf.close_idle;
}

static void
on_tick(uv_timer_t *timer)
{
    struct file_input *in = timer->data;
    const uint64_t     now = clock_ms();

    uv_timer_start(timer, on_tick, long_pause(in), 0);
    see_to_all(in, now);
    close_idle(in, now);
    poll_files(in, now);
    if (!TAILQ_EMPTY(&in->attended) || in->unwatched > 0 || in->sweep.doubted > 0)
        file_sweep_attend(in);
}

static void
wake_within(struct file_input *in, uint64_t ms)
{
    uv_timer_t *timer = &in->sweep.timer;

    if (!in->stopping && uv_timer_get_due_in(timer) > ms)
        uv_timer_start(timer, on_tick, ms, 0);
}

void
file_sweep_start(struct file_input *in)
{
    struct file_sweep *sweep = &in->sweep;

    uv_timer_init(in->loop, &sweep->timer);
    sweep->timer.data = sweep->work.data = in;
    sweep->polled_at = sweep->turned_at = clock_ms();
    sweep->most_open = count_descriptors();
    uv_timer_start(&sweep->timer, on_tick, long_pause(in), 0);
}

void
file_sweep_attend(struct file_input *in)
{
    wake_within(in, tick(in));
}

void
file_sweep_soon(struct file_input *in)
{
    wake_within(in, SOON_MS);
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
