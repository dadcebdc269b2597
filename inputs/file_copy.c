/* file_copy.c - see file_copy.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_copy.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "inputs/file.h"

enum {
    HOLD_MS = 2000,         /* how long a truncation may be behind its copy */
    HOLD_SHORT_MS = 500,
    MOST_HOLD_MS = 5 * 60 * 1000,   /* how long a copy may take that is still growing */
    MOST_MARKS = 8 * FILE_MARKS,    /* of all that a compressed file is compared with */
    MOST_GHOSTS = 1000,     /* in an outage files come and go, and nobody looks */
};

/* What a likeness is worth: heads of full length that are equal, or only the
 * first bytes of files that are (or were, when we looked) shorter. */
enum likeness { UNLIKE, ALIKE_AT_START, ALIKE };

/* Those of which less was seen than makes a likeness stand in a list. */
void
file_copy_index(struct file_tail *t)
{
    if (t->is_indexed)
        return;
    if (t->read.start != 0) {
        file_copy_forget(t);
        file_map_add(&t->input->starts, &t->by_start, t->read.start);
        t->is_indexed = true;
    } else if (!t->is_young) {
        TAILQ_INSERT_TAIL(&t->input->young, t, young);
        t->is_young = true;
    }
}

void
file_copy_forget(struct file_tail *t)
{
    if (t->is_indexed)
        file_map_remove(&t->input->starts, &t->by_start);
    if (t->is_young)
        TAILQ_REMOVE(&t->input->young, t, young);
    t->is_indexed = t->is_young = false;
}

/* One whose first read is out counts as begun; one that was forgotten is not in the map. */
static enum likeness
compare(struct file_tail *t, struct file_tail *original)
{
    const struct identity *a = &file_source(t)->identity, *b = &file_source(original)->identity;
    const bool             begun = window_end(&file_source(original)->window) > 0 ||
                       (original->state == TAIL_READING && !original->read.peek);

    if (original == t || !begun)
        return UNLIKE;
    if (a->head_len < IDENTITY_HEAD || b->head_len < IDENTITY_HEAD)
        return ALIKE_AT_START;
    return a->head_hash == b->head_hash ? ALIKE : UNLIKE;
}

/* ---- Copies as they are ------------------------------------------------------ */

/* The story is not over: its content is being looked for, or will be when the
 * deleted file was read to its end, or what it was is not acknowledged yet. */
static bool
is_undecided(const struct file_tail *original, enum likeness likeness)
{
    return original->sought || !original->current ||
           (likeness == ALIKE && original->read.unlinked && !original->forgotten);
}

/* Until then its original may be truncated.  A long copy takes its time: the clock runs
 * from when it stopped growing.  But a busy file that only begins like another, with a long
 * header, never stops. */
static uint64_t
held_until(const struct file_tail *t, enum likeness likeness)
{
    const uint64_t most = t->held_at + MOST_HOLD_MS;
    const uint64_t since = t->active_at > t->held_at ? t->active_at : t->held_at;

    if (likeness == ALIKE_AT_START)
        return t->held_at + HOLD_SHORT_MS;
    return since + HOLD_MS < most ? since + HOLD_MS : most;
}

/* That nothing has happened to it is not known before it was looked at: its event may be on
 * its way still, its read be out, or no event ever come.  Of one that is done for, or gone and
 * not open, nothing more is seen. */
static bool
is_to_be_seen(struct file_tail *original, uint64_t until)
{
    bool can_read;

    if (original->seen_at >= until)
        return false;
    if (original->state != TAIL_WAITING)
        return original->state == TAIL_READING;
    can_read = original->names != NULL || original->read.fd >= 0 || original->elsewhere;
    if (can_read)
        file_tail_wake(original);
    return can_read;
}

/* It could not be looked at since: an outage holds it back, or it was renamed a
 * moment ago.  Who knows what it is now? */
static bool
is_held_back(const struct file_tail *original)
{
    return original->state == TAIL_HOLDING ||
           (original->state == TAIL_RESTING && original->read.outcome != FILE_READ_FAILED &&
            (original->read.outcome != FILE_READ_MISSING || original->names != NULL));
}

/* The file of one of which little was seen may be more by now, and what is more
 * may be in this copy: it was woken and not read since. */
static bool
has_grown_up(const struct file_tail *t)
{
    const struct file_tail *young;

    TAILQ_FOREACH(young, &t->input->young, young)
        if (young != t && window_end(&young->read.source.window) > 0 &&
            (young->sought || young->is_due || young->state == TAIL_READING ||
             is_held_back(young)))
            return true;
    return false;
}

/* It may still be read: what comes of it decides where its copy begins.  Or another
 * waits for its row: that must not be overtaken by a copy's. */
static bool
is_unsettled(const struct file_tail *original)
{
    return original->sought || original->state == TAIL_READING ||
           original->state == TAIL_HOLDING || original->state == TAIL_RESTING ||
           original->read.source.unnoted || original->read.unlinked ||
           (original->names == NULL && !(original->state == TAIL_CLOSED && original->exists));
}

static bool
have_one_head(struct file_tail *t, struct file_tail *other)
{
    const struct identity *a = &file_source(t)->identity, *b = &file_source(other)->identity;

    return a->head_len == b->head_len && a->head_hash == b->head_hash;
}

/* A compressed file, begun, of what seems to be the same content. */
static bool
is_twin(struct file_tail *t, struct file_tail *other)
{
    return other->read.compressed && compare(t, other) != UNLIKE && have_one_head(t, other);
}

static bool
must_wait(struct file_tail *t, uint64_t now)
{
    struct file_link *l = file_map_first(&t->input->starts, t->read.start);
    bool              unseen = false;

    for (; l != NULL; l = file_map_next(l)) {
        struct file_tail   *original = FILE_OWNER(l, struct file_tail, by_start);
        const enum likeness likeness = compare(t, original);

        if (likeness == UNLIKE)
            continue;
        if (now < held_until(t, likeness) || is_undecided(original, likeness) ||
            is_held_back(original) || (is_twin(t, original) && is_unsettled(original)))
            return true;
        if (is_to_be_seen(original, held_until(t, likeness)))
            unseen = true;              /* all at once */
    }
    return unseen;
}

/* ---- Marks --------------------------------------------------------------------- */

static int
compare_marks(const void *a, const void *b)
{
    const struct file_mark *x = a, *y = b;

    return x->offset > y->offset ? -1 : x->offset < y->offset;
}

static void
add_most(struct file_read *r, const struct file_mark *marks, unsigned count)
{
    if (r->marks == NULL)
        r->marks = mem_array(NULL, MOST_MARKS, sizeof *r->marks);
    for (unsigned i = 0; i < count && r->nmarks < MOST_MARKS; i++)
        r->marks[r->nmarks++] = marks[i];
}

static void
add_marks_of(struct file_tail *t, const struct file_tail *original)
{
    struct file_mark marks[FILE_MARKS];

    add_most(&t->read, marks, file_tail_marks(original, marks));
}

/* Is there anything that its job is to compare it with? */
static bool
sort_marks(struct file_tail *t)
{
    if (t->nleft > 0)
        add_most(&t->read, t->left, t->nleft);
    if (t->read.nmarks > 0)
        qsort(t->read.marks, t->read.nmarks, sizeof *t->read.marks, compare_marks);
    t->compared = t->read.nmarks > 0;
    return t->compared;
}

/* One that is not compressed goes on where a compressed one, or one that is forgotten, had
 * got to. */
static bool
has_twins(struct file_tail *t)
{
    struct file_link *l = file_map_first(&t->input->starts, t->read.start);

    t->read.nmarks = 0;
    for (; l != NULL; l = file_map_next(l)) {
        struct file_tail *other = FILE_OWNER(l, struct file_tail, by_start);

        if (is_twin(t, other))
            add_marks_of(t, other);
    }
    return sort_marks(t);
}

/* ---- Compressed copies -------------------------------------------------------- */

/* Is a file of this name, less its ending, gone and not read to its end?  It may
 * hold another content than anybody has seen of it, and this may be its copy. */
static bool
is_original_unread(const struct file_tail *t)
{
    const char             *path = t->read.source.path;
    const struct file_tail *other;

    TAILQ_FOREACH(other, &t->input->attended, attended) {
        const char  *name = other->read.source.path;
        const size_t len = strlen(name);

        if (other != t && other->names == NULL && !other->forgotten && is_unsettled(other) &&
            strncmp(path, name, len) == 0 && path[len] == '.')
            return true;
    }
    return false;
}

/* False: it cannot be told yet. */
static bool
add_marks(struct file_tail *t, struct file_tail *original)
{
    if (original != t && original->held_at != 0 && !original->read.compressed)
        return false;                   /* it may be a copy itself */
    if (compare(t, original) == UNLIKE)
        return true;
    if (is_unsettled(original))
        return false;
    if (original->state == TAIL_WAITING && original->read_at <= t->held_at) {
        file_tail_wake(original);       /* its end is not older than the copy */
        return false;
    }
    add_marks_of(t, original);
    return true;
}

/* The marks of all that begin alike; one that is too short to be found by its
 * beginning is found by looking at all. */
static bool
collect_marks(struct file_tail *t)
{
    struct file_link *l = NULL;
    struct file_tail *other;
    bool              known = !is_original_unread(t);

    t->read.nmarks = 0;
    if (t->read.start != 0)
        l = file_map_first(&t->input->starts, t->read.start);
    for (; l != NULL && known; l = file_map_next(l))
        known = add_marks(t, FILE_OWNER(l, struct file_tail, by_start));
    if (t->read.start == 0)
        TAILQ_FOREACH(other, &t->input->all, all)
            if (known && have_one_head(t, other))
                known = add_marks(t, other);
    if (!known)
        t->read.nmarks = 0;
    return known;
}

/* Compressing takes its time, and the original goes only afterwards.  Whether it
 * does or not: a compressed file that holds what was read is a copy of it. */
static bool
may_read_compressed(struct file_tail *t, uint64_t now)
{
    const uint64_t since = t->active_at > t->held_at ? t->active_at : t->held_at;

    if (t->compared) {
        t->compared = false;
        return !t->read.soon;
    }
    if (!t->read.head_known && now < since + HOLD_MS)
        return false;
    return now >= t->held_at + HOLD_SHORT_MS && !has_grown_up(t) && collect_marks(t) &&
           !sort_marks(t);
}

static bool
may_read_plain(struct file_tail *t, uint64_t now)
{
    if (t->compared || t->read.start == 0) {
        t->compared = false;
        return true;
    }
    return !must_wait(t, now) && !has_grown_up(t) && !has_twins(t);
}

/* ---- The whole ----------------------------------------------------------------- */

/* Does this file wait because it may be a copy of `t`? */
static bool
is_suspect(const struct file_tail *other, const struct file_tail *t)
{
    return other->held_at != 0 && other != t &&
           (other->is_indexed || other->read.compressed);
}

bool
file_copy_has_suspects(const struct file_tail *t)
{
    struct file_link *l =
        t->is_indexed ? file_map_first(&t->input->starts, t->read.start) : NULL;
    struct file_tail *other;

    for (; l != NULL; l = file_map_next(l))
        if (is_suspect(FILE_OWNER(l, struct file_tail, by_start), t))
            return true;
    if (!t->is_indexed)
        TAILQ_FOREACH(other, &t->input->unpacked, unpacked)
            if (!other->is_indexed && is_suspect(other, t))
                return true;
    return false;
}

bool
file_copy_may_read(struct file_tail *t)
{
    const uint64_t now = clock_ms();

    if (t->held_at == 0)
        t->held_at = now;
    if (!(t->read.compressed ? may_read_compressed(t, now) : may_read_plain(t, now)))
        return false;
    t->held_at = 0;
    t->nleft = 0;
    return true;
}

/* ---- Who goes on ----------------------------------------------------------------- */

void
file_copy_inherit(struct file_tail *heir, struct file_tail *t)
{
    const struct window *w = &file_source(heir)->window;
    struct file_tail    *ancestor = t->ancestor;

    if (ancestor != NULL && file_source(t)->window.length == 0) {
        file_copy_disown(t);            /* a copy of a copy, of which nothing was read */
        t = ancestor;
    }
    if (file_source(t)->window.length == 0 || t->heir != NULL || heir->ancestor != NULL ||
        w->length > 0 || w->committed > 0)
        return;
    t->heir = heir;
    heir->ancestor = t;
    file_source(heir)->unnoted = true;
}

void
file_copy_let_go(struct file_tail *t)
{
    struct file_tail *heir = t->heir;

    if (heir == NULL)
        return;
    file_source(heir)->unnoted = false;
    checkpoints_note(t->input->store, file_source(heir));
    file_copy_disown(heir);
}

static void
leave_marks(struct file_tail *heir, struct file_tail *t)
{
    struct file_mark marks[FILE_MARKS];
    const unsigned   count = file_tail_marks(t, marks);

    if (!is_suspect(heir, t) || heir->is_indexed != t->is_indexed ||
        (t->is_indexed ? compare(heir, t) == UNLIKE : !have_one_head(heir, t)))
        return;
    if (heir->left == NULL)
        heir->left = mem_array(NULL, MOST_MARKS, sizeof *heir->left);
    for (unsigned i = 0; i < count && heir->nleft < MOST_MARKS; i++)
        heir->left[heir->nleft++] = marks[i];
}

void
file_copy_leave_marks(struct file_tail *t)
{
    struct file_link *l =
        t->is_indexed ? file_map_first(&t->input->starts, t->read.start) : NULL;
    struct file_tail *other;

    for (; l != NULL; l = file_map_next(l))
        leave_marks(FILE_OWNER(l, struct file_tail, by_start), t);
    if (!t->is_indexed)
        TAILQ_FOREACH(other, &t->input->unpacked, unpacked)
            leave_marks(other, t);
}

void
file_copy_disown(struct file_tail *t)
{
    if (t->heir != NULL)
        t->heir->ancestor = NULL;
    if (t->ancestor != NULL)
        t->ancestor->heir = NULL;
    t->heir = t->ancestor = NULL;
}

/* ---- Strangers and ghosts --------------------------------------------------------------
 *
 * gzip and its like delete the original when its copy is whole.  The copy may be found, or
 * opened, later than its original is done for: busy threads, a full budget.  So what was
 * read of a deleted file is known until every file was looked at that was there before.
 */

void
file_copy_expect(struct file_tail *t)
{
    if (!t->read.peek || t->held_at != 0 || t->is_stranger || t->state == TAIL_LINGERING ||
        t->state == TAIL_CLOSED)
        return;
    t->is_stranger = true;
    t->input->strangers++;
}

/* One that is empty may rest so for ever: it is met, and a stranger again when it grows. */
static bool
will_be_looked_at(const struct file_tail *t)
{
    return t->read.peek && t->held_at == 0 && !t->forgotten &&
           (t->is_due || t->state == TAIL_READING || t->state == TAIL_HOLDING ||
            (t->state == TAIL_RESTING && t->read.outcome != FILE_READ_FAILED));
}

void
file_copy_meet(struct file_tail *t)
{
    if (!t->is_stranger || will_be_looked_at(t))
        return;
    t->is_stranger = false;
    t->input->strangers--;
    file_copy_try_ghosts(t->input);
}

static bool
may_have_copies(const struct file_input *in)
{
    return in->strangers > 0 || file_scan_is_pending(in);
}

bool
file_copy_keep(struct file_tail *t)
{
    struct file_input *in = t->input;

    if (t->is_ghost || !may_have_copies(in) || in->ghosts >= MOST_GHOSTS)
        return t->is_ghost;
    t->is_ghost = true;
    in->ghosts++;
    return true;
}

void
file_copy_try_ghosts(struct file_input *in)
{
    struct file_tail *t;

    if (in->ghosts == 0 || in->stopping)
        return;
    TAILQ_FOREACH(t, &in->all, all)
        if (t->is_ghost && (!may_have_copies(in) || file_copy_has_suspects(t))) {
            t->is_ghost = false;
            in->ghosts--;
            if (t->state == TAIL_CLOSED && !t->exists && !t->forgotten)
                file_tail_event(t, EV_UNLINKED);
        }
}

/* ---- The gate at the start --------------------------------------------------------- */

void
file_copy_close_gate(struct file_tail *t)
{
    t->gated = true;
    t->input->gated++;
}

void
file_copy_try_gate(struct file_input *in)
{
    struct file_tail *t;

    if (in->gated == 0 || in->unverified > 0 || !file_search_is_idle(in) || in->stopping)
        return;
    in->gated = 0;
    TAILQ_FOREACH(t, &in->all, all)
        if (t->gated) {
            t->gated = false;
            t->read.peek = true;
            file_tail_wake(t);
        }
}
