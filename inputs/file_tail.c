/* file_tail.c - see file_tail.h.
 *
 *     WAITING ──wake──► READING ──end──► WAITING
 *                       │ ▲ │
 *                  full ▼ │ room         a failure, or a rewind: RESTING, then READING
 *                     HOLDING
 *
 *     READING ──last, changed──► LINGERING ──empty──► CLOSED
 *
 * Workers never see a state; their result arrives here as an event.  A pair that
 * the table does not list cannot happen, and asserts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_tail.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "inputs/file.h"
#include "inputs/file_copy.h"
#include "inputs/file_flush.h"
#include "inputs/file_follow.h"
#include "inputs/file_hold.h"
#include "inputs/file_mark.h"
#include "inputs/file_remove.h"
#include "inputs/file_unpack.h"
#include "inputs/file_target.h"

enum {
    FIRST_REST_MS = 1000,
    LONGEST_REST_MS = 30 * 1000,
    CROWD_MS = 1000,                /* when a file asks again to be decompressed */
};

static size_t descriptors;      /* that the tails of all inputs hold */

/* An action may say what happened at once; EV_NONE: wait for the loop. */
typedef enum file_tail_event action_f(struct file_tail *t);

static action_f start_read, hold, wait_in_crowd, push_chunk, place, judge, settle, rest,
    rest_rewound, note_wake, note_gone, note_back, note_empty, note_unlinked, hand_over,
    check_empty, finish, ignore;

static const struct step {
    enum file_tail_state next;
    action_f            *action;
} steps[TAIL_STATES][FILE_TAIL_EVENTS] = {
    [TAIL_WAITING] = {
        [EV_WAKE]    = { TAIL_READING,   start_read },
        [EV_RESTED]  = { TAIL_WAITING,   ignore },
        [EV_GONE]    = { TAIL_WAITING,   note_gone },
        [EV_BACK]    = { TAIL_WAITING,   note_back },
        [EV_EMPTY]   = { TAIL_WAITING,   note_empty },
        [EV_REWOUND] = { TAIL_RESTING,   rest_rewound },
    },
    [TAIL_READING] = {
        [EV_FULL]    = { TAIL_HOLDING,   hold },
        [EV_CROWDED] = { TAIL_RESTING,   wait_in_crowd },
        [EV_CHUNK]   = { TAIL_READING,   push_chunk },      /* then more, end or last */
        [EV_MORE]    = { TAIL_READING,   start_read },
        [EV_PLACED]  = { TAIL_READING,   place },           /* then more */
        [EV_PEEKED]  = { TAIL_READING,   judge },           /* then more or end */
        [EV_END]     = { TAIL_WAITING,   settle },
        [EV_LAST]    = { TAIL_LINGERING, check_empty },
        [EV_FAILED]  = { TAIL_RESTING,   rest },
        [EV_CHANGED] = { TAIL_LINGERING, hand_over },
        [EV_WAKE]    = { TAIL_READING,   note_wake },
        [EV_GONE]    = { TAIL_READING,   note_gone },
        [EV_BACK]    = { TAIL_READING,   note_back },
        [EV_EMPTY]   = { TAIL_READING,   ignore },
    },
    [TAIL_HOLDING] = {
        [EV_ROOM]    = { TAIL_READING,   start_read },
        [EV_WAKE]    = { TAIL_HOLDING,   ignore },
        [EV_GONE]    = { TAIL_HOLDING,   note_gone },
        [EV_BACK]    = { TAIL_HOLDING,   note_back },
        [EV_EMPTY]   = { TAIL_HOLDING,   ignore },
        [EV_REWOUND] = { TAIL_RESTING,   rest_rewound },
    },
    [TAIL_RESTING] = {
        [EV_RESTED]  = { TAIL_READING,   start_read },
        [EV_WAKE]    = { TAIL_RESTING,   ignore },
        [EV_GONE]    = { TAIL_RESTING,   note_gone },
        [EV_BACK]    = { TAIL_RESTING,   note_back },
        [EV_EMPTY]   = { TAIL_RESTING,   ignore },
        [EV_REWOUND] = { TAIL_RESTING,   rest_rewound },
    },
    [TAIL_LINGERING] = {
        [EV_EMPTY]   = { TAIL_CLOSED,    finish },
        [EV_WAKE]    = { TAIL_LINGERING, ignore },
        [EV_GONE]    = { TAIL_LINGERING, ignore },
        [EV_BACK]    = { TAIL_WAITING,   note_back },
        [EV_REWOUND] = { TAIL_RESTING,   rest_rewound },
    },
    [TAIL_CLOSED] = {
        [EV_WAKE]    = { TAIL_CLOSED,    ignore },
        [EV_GONE]    = { TAIL_CLOSED,    ignore },
        [EV_BACK]    = { TAIL_WAITING,   note_back },
        [EV_EMPTY]   = { TAIL_CLOSED,    ignore },
        [EV_UNLINKED] = { TAIL_CLOSED,   note_unlinked },
    },
};

void
file_tail_event(struct file_tail *t, enum file_tail_event event)
{
    while (event != EV_NONE) {
        const struct step *s = &steps[t->state][event];

        assert(s->action != NULL);
        t->state = s->next;
        event = s->action(t);
    }
}

const char *
file_tail_state_name(enum file_tail_state state)
{
    static const char *const names[TAIL_STATES] = {
        [TAIL_WAITING] = "waiting",   [TAIL_READING] = "reading",
        [TAIL_HOLDING] = "holding",   [TAIL_RESTING] = "resting",
        [TAIL_LINGERING] = "lingering", [TAIL_CLOSED] = "closed",
    };

    return names[state];
}

size_t
file_tail_descriptors(void)
{
    return descriptors;
}

/* ---- Lists ------------------------------------------------------------------- */

void
file_tail_attend(struct file_tail *t)
{
    if (!t->is_attended)
        TAILQ_INSERT_TAIL(&t->input->attended, t, attended);
    t->is_attended = true;
    file_sweep_attend(t->input);
}

static void
leave_open(struct file_tail *t)
{
    if (t->is_open)
        TAILQ_REMOVE(&t->input->open, t, open);
    t->is_open = false;
}

/* Keep the list in the order of their last growth, nearly. */
static void
join_open(struct file_tail *t)
{
    const struct file_tail *newest = TAILQ_LAST(&t->input->open, file_tails);

    leave_open(t);
    if (t->read.fd < 0 || t->gone_at != 0)
        return;
    if (newest != NULL && t->active_at < newest->active_at)
        TAILQ_INSERT_HEAD(&t->input->open, t, open);
    else
        TAILQ_INSERT_TAIL(&t->input->open, t, open);
    t->is_open = true;
}

static void
leave_due(struct file_tail *t)
{
    if (t->is_due)
        TAILQ_REMOVE(&t->input->due, t, due);
    t->is_due = false;
}

/* ---- Waking ------------------------------------------------------------------ */

static void
on_due(uv_timer_t *timer)
{
    file_tail_wake_due(timer->data);
}

void
file_tail_wake(struct file_tail *t)
{
    struct file_input *in = t->input;
    const uint64_t     now = clock_ms(), due_at = t->read_at + in->read_pause;

    if (t->gated || (t->held_at != 0 && t->state == TAIL_WAITING))
        return;                 /* the gate, or the sweep, will wake it */
    file_copy_expect(t);
    if (t->state != TAIL_WAITING || t->read_at == 0 || now >= due_at || in->stopping) {
        leave_due(t);
        if (!in->stopping)
            file_tail_event(t, EV_WAKE);
        return;
    }
    if (t->is_due)
        return;
    TAILQ_INSERT_TAIL(&in->due, t, due);
    t->is_due = true;
    if (!uv_is_active((uv_handle_t *)&in->due_timer))
        uv_timer_start(&in->due_timer, on_due, due_at - now, 0);
}

void
file_tail_wake_due(struct file_input *in)
{
    const uint64_t    now = clock_ms();
    struct file_tail *t;

    while ((t = TAILQ_FIRST(&in->due)) != NULL && !in->stopping) {
        const uint64_t due_at = t->read_at + in->read_pause;

        if (t->state == TAIL_WAITING && due_at > now) {
            uv_timer_start(&in->due_timer, on_due, due_at - now, 0);
            return;
        }
        leave_due(t);
        file_tail_event(t, EV_WAKE);
    }
}

/* ---- Reading ----------------------------------------------------------------- */

static void
take_growth(struct file_tail *t)
{
    const int64_t  age = clock_epoch_ms() - t->read.mtime_ms;
    const uint64_t now = clock_ms();

    if (t->read.mtime_ms == t->mtime_ms)
        return;
    t->mtime_ms = t->read.mtime_ms;
    t->active_at = age <= 0 ? now : (uint64_t)age < now ? now - (uint64_t)age : 1;
}

/* A file is remembered as soon as it is known where it is to be read: before anything of it
 * is acknowledged, so that it is found again if it is renamed while we are down. */
static void
take_size(struct file_tail *t)
{
    struct source *s = file_source(t);
    const bool     whole = t->read.whole_size == t->read.size && t->read.trouble == NULL;
    const uint64_t size = s->size, disk_size = s->disk_size;

    s->size = t->read.size;
    s->disk_size = !t->read.compressed ? t->read.disk_size : whole ? t->read.whole_disk : 0;
    if ((t->read.outcome == FILE_READ_CHUNK || t->read.outcome == FILE_READ_NOTHING) &&
        t->read.find == FILE_PLACE_GIVEN && s->size > 0 &&
        (s->id == 0 || s->size != size || s->disk_size != disk_size))
        checkpoints_note(t->input->store, s);
}

/* What the job has learned about the file. */
static void
take_findings(struct file_tail *t)
{
    struct source *s = file_source(t);

    if (t->read.fd >= 0 && !t->holds) {
        t->holds = true;
        descriptors++;
    }
    if (t->read.outcome == FILE_READ_CHANGED || t->read.outcome == FILE_READ_MISSING ||
        t->read.outcome == FILE_READ_FAILED)
        return;
    t->seen_at = t->read_at;
    t->disk_size = t->read.disk_size;
    s->identity.head_len = t->read.identity.head_len;
    s->identity.head_hash = t->read.identity.head_hash;
    file_copy_index(t);
    take_growth(t);
    take_size(t);
}

static void
begin_at(struct file_tail *t, const struct file_mark *place)
{
    struct source *s = file_source(t);

    assert(s->window.length == 0);
    window_init(&s->window, place->offset, place->print);
    s->window.lead = place->lead;
    t->read.find = FILE_PLACE_GIVEN;
    t->read.peek = false;
    t->read.scanned = t->read.nmarks = t->nleft = 0;
    t->held_at = 0;
    if (place->offset > 0)
        checkpoints_note(t->input->store, s);
    free(t->given);             /* it may be `place` */
    t->given = NULL;
}

/* A place was found while its job was out.  Whatever the job brings: it may be missing by
 * now, and is looked for from there. */
static void
take_given(struct file_tail *t)
{
    if (t->given != NULL && t->read.peek)
        begin_at(t, t->given);
}

/* No pattern leads to it any more and it is not open, but it may still be there: the
 * target of a link that was switched, or renamed before it was opened. */
static bool
is_to_be_found(const struct file_tail *t)
{
    return t->read.outcome == FILE_READ_MISSING && t->names == NULL && t->current && !t->hunted;
}

static enum file_tail_event
event_of(const struct file_tail *t)
{
    static const enum file_tail_event events[FILE_READ_OUTCOMES] = {
        [FILE_READ_CHUNK] = EV_CHUNK,     [FILE_READ_NOTHING] = EV_END,
        [FILE_READ_AGAIN] = EV_MORE,      [FILE_READ_PLACED] = EV_PLACED,
        [FILE_READ_CHANGED] = EV_CHANGED, [FILE_READ_MISSING] = EV_FAILED,
        [FILE_READ_FAILED] = EV_FAILED,   [FILE_READ_PEEKED] = EV_PEEKED,
    };
    const enum file_outcome outcome = t->read.outcome;

    if (t->read.final && (outcome == FILE_READ_NOTHING ||
                          (outcome == FILE_READ_MISSING && !t->sought && !is_to_be_found(t))))
        return EV_LAST;
    return events[outcome];
}

/* The first look at a file that is remembered is over. */
static void
verify(struct file_tail *t)
{
    if (!t->unverified || (t->read.outcome == FILE_READ_MISSING && t->names != NULL))
        return;                 /* or it was renamed a moment ago: the next look is the first */
    t->unverified = false;
    t->input->unverified--;
    file_search_go_on(t->input);
    file_copy_try_gate(t->input);
}

static void
on_read(struct job *job)
{
    struct file_tail  *t = (struct file_tail *)job->source;
    struct file_input *in = t->input;

    take_findings(t);
    take_given(t);
    if (t->read.remove)
        file_remove_tell(t);
    else
        file_unpack_tell(t);
    if (t->read.outcome == FILE_READ_CHUNK)
        t->job = job;
    else
        pipeline_return(&job);
    file_tail_event(t, event_of(t));
    file_copy_meet(t);
    verify(t);
    file_came_back(in);
}

static enum file_tail_event
start_read(struct file_tail *t)
{
    struct source *s = file_source(t);
    struct job    *job;

    file_copy_expect(t);
    if (t->input->stopping)
        return EV_FULL;
    if (!file_unpack_may(t))
        return EV_CROWDED;
    job = pipeline_job(t->input->pipeline, s, t->read.room);
    if (job == NULL)
        return EV_FULL;
    t->read.before = file_mark_present(t).print;
    t->read.fresh = s->read_bytes == 0;
    t->read.identity = s->identity;
    t->read.remove = file_remove_is_due(t, clock_ms());
    t->read.waited = t->waited;
    t->read_at = clock_ms();
    t->woken = false;
    leave_open(t);
    t->input->out++;
    pipeline_run(job, file_read_work, on_read);
    return EV_NONE;
}

/* No turn now: it may be deleted before it has one. */
static enum file_tail_event
hold(struct file_tail *t)
{
    file_hold(t);
    return EV_NONE;
}

static enum file_tail_event
wait_in_crowd(struct file_tail *t)
{
    t->rest_until = clock_ms() + CROWD_MS;
    file_tail_attend(t);
    return EV_NONE;
}

static enum file_tail_event
push_chunk(struct file_tail *t)
{
    file_mark_set(t);
    pipeline_push(&t->job);
    if (t->read.more)
        return EV_MORE;
    return t->read.final ? EV_LAST : EV_END;
}

static enum file_tail_event
place(struct file_tail *t)
{
    begin_at(t, &t->read.place);
    return EV_MORE;
}

/* A new file: a copy of another, or its own? */
static enum file_tail_event
judge(struct file_tail *t)
{
    if (!t->read.peek)
        return EV_MORE;         /* it has its place */
    if (t->read.size == 0 && !t->read.final && !(t->read.compressed && t->read.head_known))
        return EV_END;          /* it may be a copy that is just being made */
    if (file_copy_may_read(t)) {
        t->read.peek = false;
        return EV_MORE;
    }
    if (t->read.nmarks > 0)
        return EV_MORE;         /* the job compares it with another */
    file_tail_attend(t);        /* the sweep wakes it */
    file_sweep_soon(t->input);
    return EV_END;
}

static enum file_tail_event
note_empty(struct file_tail *t)
{
    if (file_remove_is_ahead(t))
        file_tail_attend(t);
    return EV_NONE;
}

/* An event during the job may mean bytes that it did not see any more. */
static enum file_tail_event
settle(struct file_tail *t)
{
    t->rests = 0;
    log_over(&t->told);
    if (t->is_unpacked && !t->read.soon && t->held_at == 0)
        file_unpack_drop(t);
    if (t->read.soon || file_remove_is_ahead(t))
        file_tail_attend(t);
    join_open(t);
    file_sweep_trim(t->input);
    file_flush_note(t);
    if (t->woken)
        file_tail_wake(t);
    return EV_NONE;
}

static enum file_tail_event
note_wake(struct file_tail *t)
{
    t->woken = true;
    return EV_NONE;
}

/* ---- Troubles ---------------------------------------------------------------- */

static void
begin_rest(struct file_tail *t)
{
    const unsigned doubled = t->rests < 5 ? t->rests : 5;
    uint64_t       rest_ms = (uint64_t)FIRST_REST_MS << doubled;

    if (rest_ms > LONGEST_REST_MS)
        rest_ms = LONGEST_REST_MS;
    t->rests++;
    t->rest_until = clock_ms() + rest_ms;
    file_tail_attend(t);
}

static enum file_tail_event
rest(struct file_tail *t)
{
    if (t->read.outcome == FILE_READ_MISSING)
        file_scan_request(t->input, false);     /* it will know where it is now */
    else
        log_again(&t->told, LOG_WARN, "cannot read '%s': %s (trying again)", file_source(t)->path,
                  strerror(t->read.fault));
    if (is_to_be_found(t)) {
        t->hunted = true;
        file_search_tail(t);
    }
    begin_rest(t);
    return EV_NONE;
}

static enum file_tail_event
rest_rewound(struct file_tail *t)
{
    leave_open(t);
    leave_due(t);
    t->nmarks = 0;              /* so far it has not read now, */
    t->read.scanned = 0;        /* nor looked */
    t->read.final = false;      /* the sweep finishes it again */
    begin_rest(t);
    return EV_NONE;
}

/* ---- Names come and go ------------------------------------------------------- */

static enum file_tail_event
note_gone(struct file_tail *t)
{
    t->gone_at = clock_ms();
    leave_open(t);
    file_tail_attend(t);
    if (t->state != TAIL_READING && t->read.fd < 0 && !t->elsewhere &&
        file_source(t)->window.length > 0)
        file_source(t)->once = true;    /* it could not be opened any more to be read again */
    if (t->state == TAIL_WAITING && (t->read.fd >= 0 || t->elsewhere))
        return EV_WAKE;         /* its writer may have gone on after the last event */
    return EV_NONE;
}

static enum file_tail_event
note_back(struct file_tail *t)
{
    t->gone_at = 0;
    file_source(t)->once = false;
    t->elsewhere = t->hunted = false;
    t->read.final = false;
    return t->state == TAIL_WAITING && !t->gated ? EV_WAKE : EV_NONE;
}

/* ---- The end ----------------------------------------------------------------- */

/* It was truncated or written anew: what this tail has read is on its way, what
 * it has not cannot be read here any more. */
static enum file_tail_event
hand_over(struct file_tail *t)
{
    struct source *s = file_source(t);

    log_info("'%s' was %s: reading it from its beginning", s->path, t->read.why);
    s->once = true;
    file_follow_replace(t);
    if (window_end(&s->window) > 0 || s->size > 0)
        file_search_tail(t);    /* a copy may have what was not read */
    return check_empty(t);
}

static enum file_tail_event
check_empty(struct file_tail *t)
{
    return file_source(t)->window.length == 0 ? EV_EMPTY : EV_NONE;
}

static enum file_tail_event
forget(struct file_tail *t)
{
    file_copy_let_go(t);
    file_copy_disown(t);
    file_copy_leave_marks(t);
    checkpoints_remove(t->input->store, file_source(t));
    file_copy_forget(t);
    file_follow_forget(t);
    file_copy_meet(t);
    file_tail_attend(t);        /* the sweep frees it */
    return EV_NONE;
}

/* The row of a file that still exists stays: by another name it may be found
 * again, and must not be read again.  A deleted file may live on in a copy. */
static enum file_tail_event
finish(struct file_tail *t)
{
    t->exists = t->current && t->read.fd >= 0 && !t->read.unlinked;
    if (t->read.fd >= 0)
        file_tail_close(t);
    return t->exists ? EV_NONE : note_unlinked(t);
}

/* And was meant to be read: not skipped by `start` or `ignore_older`. */
static bool
has_unread(const struct file_tail *t)
{
    const struct source *s = &t->read.source;

    return s->size > window_end(&s->window) && t->read.find == FILE_PLACE_GIVEN &&
           (t->read_at != 0 || t->input->conf.ignore_older == 0);
}

/* A copy may have what was not read of it; else that is lost, and reported. */
static enum file_tail_event
note_unlinked(struct file_tail *t)
{
    t->exists = false;
    if (t->current && !t->sought && (has_unread(t) || file_copy_has_suspects(t)))
        file_search_tail(t);
    return t->sought || file_copy_keep(t) ? EV_NONE : forget(t);
}

void
file_tail_found(struct file_tail *t, const char *path)
{
    struct source *s = file_source(t);

    if (t->names != NULL || t->state == TAIL_CLOSED)
        return;
    source_rename(s, path);
    t->elsewhere = true;
    t->rest_until = 0;
    if (s->id != 0)
        checkpoints_note(t->input->store, s);
}

void
file_tail_search_over(struct file_tail *t)
{
    t->sought = false;
    if (t->state == TAIL_CLOSED && !t->exists && (t->current || !file_copy_keep(t)))
        (void)forget(t);
}

static enum file_tail_event
ignore(struct file_tail *t)
{
    (void)t;
    return EV_NONE;
}

bool
file_tail_place(struct file_tail *t, const struct file_mark *place)
{
    const struct window *w = &t->read.source.window;

    if (w->length > 0 || w->committed > 0 || w->lead != 0)
        return false;
    if (t->state == TAIL_READING) {
        if (t->given == NULL)
            t->given = NEW(struct file_mark);
        *t->given = *place;
        return t->read.peek;
    }
    begin_at(t, place);
    file_tail_wake(t);
    return true;
}

/* ---- From outside ------------------------------------------------------------ */

static void
on_room(struct source *s)
{
    file_tail_event((struct file_tail *)s, EV_ROOM);
}

static void
on_advanced(struct source *s)
{
    if (s->window.length == 0)
        file_tail_event((struct file_tail *)s, EV_EMPTY);
}

static void
on_rewound(struct source *s, const char *reason)
{
    log_debug("'%s' will be read again from byte %llu: %s", s->path,
              (unsigned long long)window_end(&s->window), reason);
    file_tail_event((struct file_tail *)s, EV_REWOUND);
}

struct file_tail *
file_tail_new(struct file_input *in, const char *path, uint64_t device, uint64_t inode)
{
    static const struct source_ops ops = { on_room, on_advanced, on_rewound };
    struct file_tail              *t = NEW(struct file_tail);

    source_init(file_source(t), &ops, in->base.plan, path);
    t->read.compressed = file_bytes_named_gz(path);
    file_source(t)->identity = (struct identity){ .device = device, .inode = inode };
    t->input = in;
    t->read.fd = -1;
    t->read.room = CHUNK_SMALL;
    t->current = true;
    t->active_at = clock_ms();
    TAILQ_INSERT_TAIL(&in->all, t, all);
    return t;
}

static void
drop_window(struct source *s)
{
    struct chunk *c = window_clear(&s->window);

    while (c != NULL) {
        struct chunk *newer = c->newer;

        chunk_free(&c);
        c = newer;
    }
}

void
file_tail_free(struct file_tail *t)
{
    assert(t->state != TAIL_READING && t->names == NULL);
    leave_due(t);
    leave_open(t);
    file_flush_leave(t);
    if (t->is_attended)
        TAILQ_REMOVE(&t->input->attended, t, attended);
    TAILQ_REMOVE(&t->input->all, t, all);
    if (t->read.fd >= 0) {
        close(t->read.fd);
        descriptors--;
    }
    file_copy_forget(t);
    file_copy_disown(t);
    t->input->ghosts -= t->is_ghost ? 1 : 0;
    file_unpack_drop(t);
    free(t->read.marks);
    free(t->left);
    free(t->given);
    file_target_forget(&t->read);
    drop_window(file_source(t));
    source_fini(file_source(t));
    free(t->marks);
    free(t);
}

static void
on_closed(uv_fs_t *request)
{
    struct file_input *in = request->data;

    uv_fs_req_cleanup(request);
    free(request);
    file_came_back(in);
}

static void
close_descriptor(struct file_input *in, int fd)
{
    uv_fs_t *request = NEW(uv_fs_t);

    request->data = in;
    in->out++;
    uv_fs_close(in->loop, request, fd, on_closed);
}

void
file_tail_close(struct file_tail *t)
{
    assert(t->state != TAIL_READING && t->read.fd >= 0);
    descriptors--;
    t->holds = false;
    leave_open(t);
    file_unpack_drop(t);
    close_descriptor(t->input, t->read.fd);
    t->read.fd = -1;
}

void
file_tail_opened(struct file_tail *t, int fd)
{
    t->opening = false;
    if (fd < 0)
        return;
    if (t->state == TAIL_READING || t->state == TAIL_CLOSED || t->read.fd >= 0) {
        close_descriptor(t->input, fd);
        return;
    }
    t->read.fd = fd;
    t->read.unmet = t->holds = true;
    descriptors++;
}
