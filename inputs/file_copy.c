/* file_copy.c - see file_copy.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_copy.h"

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "inputs/file.h"

/* How long a truncation may be behind its copy. */
enum { HOLD_MS = 2000, HOLD_SHORT_MS = 500 };

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

static enum likeness
compare(struct file_tail *t, struct file_tail *original)
{
    const struct identity *a = &file_source(t)->identity, *b = &file_source(original)->identity;

    if (original == t || (!original->current && !original->sought) ||
        window_end(&file_source(original)->window) == 0)
        return UNLIKE;
    if (a->head_len < IDENTITY_HEAD || b->head_len < IDENTITY_HEAD)
        return ALIKE_AT_START;
    return a->head_hash == b->head_hash ? ALIKE : UNLIKE;
}

/* The story is not over: its content is being looked for, or will be when the
 * deleted file was read to its end. */
static bool
is_undecided(const struct file_tail *original, enum likeness likeness)
{
    return original->sought ||
           (likeness == ALIKE && original->read.unlinked && !original->forgotten);
}

/* A long copy takes its time: the clock runs from when it stopped growing. */
static bool
is_too_early(const struct file_tail *t, enum likeness likeness, uint64_t now)
{
    if (likeness == ALIKE_AT_START)
        return now < t->held_at + HOLD_SHORT_MS;
    return now < (t->active_at > t->held_at ? t->active_at : t->held_at) + HOLD_MS;
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

static bool
must_wait(struct file_tail *t, uint64_t now)
{
    struct file_link *l = file_map_first(&t->input->starts, t->read.start);

    for (; l != NULL; l = file_map_next(l)) {
        struct file_tail   *original = FILE_OWNER(l, struct file_tail, by_start);
        const enum likeness likeness = compare(t, original);

        if (likeness != UNLIKE &&
            (is_too_early(t, likeness, now) || is_undecided(original, likeness) ||
             is_held_back(original)))
            return true;
    }
    return false;
}

bool
file_copy_has_suspects(const struct file_tail *t)
{
    struct file_link *l =
        t->is_indexed ? file_map_first(&t->input->starts, t->read.start) : NULL;

    for (; l != NULL; l = file_map_next(l))
        if (FILE_OWNER(l, struct file_tail, by_start)->held_at != 0)
            return true;
    return false;
}

bool
file_copy_may_read(struct file_tail *t)
{
    const uint64_t now = clock_ms();

    if (t->held_at == 0)
        t->held_at = now;
    if (t->read.start != 0 && (must_wait(t, now) || has_grown_up(t)))
        return false;
    t->held_at = 0;
    return true;
}

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
