/* file_follow.c - see file_follow.h.
 *
 * Changes are applied all together before anything is concluded from them: a
 * file that was renamed vanishes under one name and appears under another in
 * the same batch, and was never gone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_follow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "inputs/file.h"
#include "inputs/file_copy.h"
#include "inputs/file_hold.h"
#include "inputs/file_unpack.h"

/* ---- What is remembered ------------------------------------------------------ */

/* A database may have been edited, or written by something else. */
static bool
is_plausible(const struct checkpoint *row)
{
    return row->identity.head_len <= IDENTITY_HEAD && row->tail.len <= IDENTITY_TAIL &&
           row->tail.len <= row->offset && row->offset <= INT64_MAX &&
           (row->tail.len > 0 || row->tail.hash == 0);
}

void
file_follow_remember(struct file_input *in)
{
    size_t             count, n = 0;
    struct checkpoint *rows = checkpoints_rows(in->store, &count);

    in->remembered = mem_array(NULL, count + 1, sizeof *in->remembered);
    for (size_t i = 0; i < count; i++) {
        struct file_row *r = &in->remembered[n];

        if (strcmp(rows[i].input, in->base.plan->input) != 0 || !is_plausible(&rows[i]))
            continue;
        r->row = &rows[i];
        file_map_add(&in->rows, &r->by_place,
                     file_hash_numbers(rows[i].identity.device, rows[i].identity.inode));
        n++;
    }
    in->nremembered = n;
}

static void
forget_rows(struct file_input *in)
{
    file_map_fini(&in->rows);
    free(in->remembered);
    in->remembered = NULL;
    in->nremembered = 0;
    checkpoints_rows_over(in->store);
}

/* Rows of files that are not in the patterns any more. */
static void
search_rows(struct file_input *in)
{
    for (size_t i = 0; i < in->nremembered; i++)
        if (!in->remembered[i].row->claimed)
            file_search_row(in, in->remembered[i].row);
}

/* The row of the file at this place that is not taken yet; the newest of several. */
static struct checkpoint *
claim_row(struct file_input *in, uint64_t device, uint64_t inode)
{
    struct file_link  *l = file_map_first(&in->rows, file_hash_numbers(device, inode));
    struct checkpoint *best = NULL;

    for (; l != NULL; l = file_map_next(l)) {
        struct checkpoint *row = FILE_OWNER(l, struct file_row, by_place)->row;

        if (row->claimed || row->identity.device != device || row->identity.inode != inode)
            continue;
        if (best == NULL || row->updated > best->updated)
            best = row;
    }
    if (best != NULL)
        best->claimed = true;
    return best;
}

/* ---- Names ------------------------------------------------------------------- */

static const char *
last_part(const char *path)
{
    return strrchr(path, '/') + 1;
}

static struct file_name *
find_name(const struct file_input *in, const char *path)
{
    struct file_link *l = file_map_first(&in->names, file_hash_name(0, path));

    for (; l != NULL; l = file_map_next(l)) {
        struct file_name *n = FILE_OWNER(l, struct file_name, by_path);

        if (strcmp(n->path, path) == 0)
            return n;
    }
    return NULL;
}

/* What events call it. */
static const char *
event_name(const struct file_name *n)
{
    return n->own_watch ? "" : last_part(n->path);
}

static void
set_watch(struct file_input *in, struct file_name *n, int wd, bool own_watch)
{
    if (n->wd >= 0)
        file_map_remove(&in->events, &n->by_event);
    else
        in->unwatched--;
    n->wd = wd;
    n->own_watch = own_watch;
    if (n->wd < 0) {
        in->unwatched++;
        file_sweep_attend(in);
    } else {
        file_map_add(&in->events, &n->by_event, file_hash_name(wd, event_name(n)));
    }
}

static struct file_name *
add_name(struct file_input *in, struct file_tail *t, const char *path)
{
    const size_t      len = strlen(path);
    struct file_name *n = mem_zero(sizeof *n + len + 1);

    memcpy(n->path, path, len + 1);
    n->wd = -1;
    n->tail = t;
    n->next = t->names;
    t->names = n;
    in->unwatched++;
    file_map_add(&in->names, &n->by_path, file_hash_name(0, path));
    return n;
}

static void
remove_name(struct file_input *in, struct file_name *n)
{
    struct file_name **at = &n->tail->names;

    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    set_watch(in, n, -1, false);
    in->unwatched--;
    file_map_remove(&in->names, &n->by_path);
    free(n);
}

/* The path that the user sees: the one it had, as long as that is its name. */
static void
choose_path(struct file_input *in, struct file_tail *t)
{
    struct source *s = file_source(t);

    for (const struct file_name *n = t->names; n != NULL; n = n->next)
        if (strcmp(n->path, s->path) == 0)
            return;
    if (t->names == NULL)
        return;
    log_info("'%s' is '%s' now", s->path, t->names->path);
    source_rename(s, t->names->path);
    if (s->id != 0)
        checkpoints_note(in->store, s);
}

/* ---- Tails ------------------------------------------------------------------- */

struct file_tail *
file_follow_find(const struct file_input *in, uint64_t device, uint64_t inode)
{
    struct file_link *l = file_map_first(&in->places, file_hash_numbers(device, inode));

    for (; l != NULL; l = file_map_next(l)) {
        struct file_tail      *t = FILE_OWNER(l, struct file_tail, by_place);
        const struct identity *id = &file_source(t)->identity;

        if (id->device == device && id->inode == inode)
            return t;
    }
    return NULL;
}

static void
take_place(struct file_input *in, struct file_tail *t)
{
    const struct identity *id = &file_source(t)->identity;

    file_map_add(&in->places, &t->by_place, file_hash_numbers(id->device, id->inode));
}

static void
leave_place(struct file_input *in, struct file_tail *t)
{
    if (t->current)
        file_map_remove(&in->places, &t->by_place);
    t->current = false;
}

/* Go on where the row says; the first read verifies that it is still right. */
static void
continue_row(struct file_tail *t, const struct checkpoint *row)
{
    struct source *s = file_source(t);

    s->id = row->id;
    s->identity = row->identity;
    s->size = t->read.size = row->size;
    s->disk_size = row->disk_size;
    if (t->read.compressed) {
        t->read.whole_size = row->size;
        t->read.whole_disk = row->disk_size;
    }
    window_init(&s->window, row->offset, row->tail);
    s->window.lead = row->lead;
}

static bool
is_too_old(const struct file_input *in, const struct file_change *c)
{
    return in->conf.ignore_older > 0 &&
           clock_epoch_ms() - c->mtime_ms > (int64_t)in->conf.ignore_older;
}

/* With `start: end` a file without row is skipped by the next start: those that
 * are read from their beginning get their row now. */
static void
begin_new(struct file_input *in, struct file_tail *t, bool old)
{
    const bool at_end = in->conf.start == FILE_START_END && !old &&
                        !checkpoints_were_lost(in->store);

    if (!in->at_start) {
        t->read.peek = true;
        if (at_end)
            checkpoints_note(in->store, file_source(t));
        return;
    }
    if (at_end)
        t->read.find = FILE_PLACE_END;
    if (in->nremembered > 0 && !old) {
        file_copy_close_gate(t);
        file_hold(t);
    }
}

static struct file_tail *
follow_file(struct file_input *in, const struct file_change *c)
{
    struct file_tail  *t = file_tail_new(in, c->path, c->device, c->inode);
    struct checkpoint *row = claim_row(in, c->device, c->inode);

    const bool         old = is_too_old(in, c);

    if (row == NULL) {
        begin_new(in, t, old);
    } else {
        continue_row(t, row);
        t->unverified = in->at_start && !old;
        in->unverified += t->unverified ? 1 : 0;
    }
    take_place(in, t);
    if (row == NULL && !t->read.compressed)
        file_source(t)->size = c->size;
    t->disk_size = c->size;
    t->mtime_ms = c->mtime_ms;
    log_debug("following '%s' from byte %llu", c->path,
              (unsigned long long)file_source(t)->window.committed);
    return t;
}

void
file_follow_replace(struct file_tail *t)
{
    struct file_input *in = t->input;
    struct source     *s = file_source(t);
    struct file_tail  *next = file_tail_new(in, s->path, s->identity.device, s->identity.inode);
    struct checkpoint *row;

    leave_place(in, t);
    next->names = t->names;
    t->names = NULL;
    for (struct file_name *n = next->names; n != NULL; n = n->next)
        n->tail = next;
    file_unpack_drop(t);
    next->read.fd = t->read.fd;
    next->read.unmet = true;
    next->read.compressed = t->read.compressed;
    next->holds = t->holds;
    t->read.fd = -1;
    t->holds = false;
    row = claim_row(in, s->identity.device, s->identity.inode);
    if (row != NULL) {
        continue_row(next, row);
    } else {
        next->read.find = t->read.compressed ? FILE_PLACE_GIVEN : FILE_PLACE_DATA;
        next->read.hole = window_end(&s->window);
        next->read.peek = true;         /* somebody may have copied another file to it */
        if (t->unverified)
            file_copy_close_gate(next);
    }
    take_place(in, next);
    if (next->names == NULL)
        file_tail_event(next, EV_GONE);
    else
        file_tail_wake(next);
}

struct file_tail *
file_follow_elsewhere(struct file_input *in, const char *path, uint64_t device, uint64_t inode)
{
    struct file_tail *t = file_tail_new(in, path, device, inode);

    take_place(in, t);
    t->elsewhere = true;
    return t;
}

void
file_follow_forget(struct file_tail *t)
{
    leave_place(t->input, t);
    t->forgotten = true;
}

/* ---- Changes ----------------------------------------------------------------- */

static void
appear(struct file_input *in, const struct file_change *c)
{
    struct file_tail *t = file_follow_find(in, c->device, c->inode);
    struct file_name *n = find_name(in, c->path);

    if (n != NULL && n->tail != t) {
        remove_name(in, n);
        n = NULL;
    }
    if (t == NULL)
        t = follow_file(in, c);
    if (n == NULL)
        n = add_name(in, t, c->path);
    set_watch(in, n, c->wd, c->own_watch);
}

static void
vanish(struct file_input *in, const struct file_change *c)
{
    struct file_name      *n = find_name(in, c->path);
    const struct identity *id = n != NULL ? &file_source(n->tail)->identity : NULL;

    if (id != NULL && id->device == c->device && id->inode == c->inode)
        remove_name(in, n);
}

static void
move(struct file_input *in, const struct file_change *c)
{
    struct file_tail *t = file_follow_find(in, c->device, c->inode);

    if (t == NULL && c->was_meant && !in->at_start) {
        t = file_follow_elsewhere(in, c->path, c->device, c->inode);
        log_info("'%s' was renamed before it was read: reading it now", c->path);
        begin_new(in, t, false);
        return;
    }
    if (t == NULL || t->names != NULL || strcmp(file_source(t)->path, c->path) == 0)
        return;
    if (t->state != TAIL_CLOSED)
        log_info("'%s' was renamed to '%s': finishing it", file_source(t)->path, c->path);
    source_rename(file_source(t), c->path);
    if (t->state == TAIL_CLOSED && c->was_meant)
        file_tail_event(t, EV_BACK);    /* its inode may hold another content: look */
    t->elsewhere = true;
    if (file_source(t)->id != 0)
        checkpoints_note(in->store, file_source(t));
}

static void
apply(struct file_input *in, const struct file_change *c)
{
    switch (c->kind) {
    case FILE_APPEARED:
        appear(in, c);
        break;
    case FILE_VANISHED:
        vanish(in, c);
        break;
    case FILE_ELSEWHERE:
        move(in, c);
        break;
    }
}

/* All names are known now: what does that mean for this file? */
static void
conclude(struct file_input *in, const struct file_change *c)
{
    struct file_tail *t = file_follow_find(in, c->device, c->inode);

    if (t == NULL)
        return;
    choose_path(in, t);
    if (t->names == NULL && t->gone_at == 0)
        file_tail_event(t, EV_GONE);
    else if (t->names != NULL && t->gone_at != 0)
        file_tail_event(t, EV_BACK);
    else if (c->kind == FILE_APPEARED && !(t->read_at == 0 && is_too_old(in, c)))
        file_tail_wake(t);
}

void
file_follow_changes(struct file_input *in, const struct file_changes *changes)
{
    for (size_t i = 0; i < changes->count; i++)
        apply(in, &changes->list[i]);
    for (size_t i = 0; i < changes->count; i++)
        conclude(in, &changes->list[i]);
    if (in->at_start) {
        search_rows(in);
        forget_rows(in);
        file_copy_try_gate(in);
    }
}

/* ---- Events ------------------------------------------------------------------ */

/* `anew`: what it rests for may be over. */
static bool
wake_named(struct file_input *in, int wd, const char *name, bool anew)
{
    struct file_link *l = file_map_first(&in->events, file_hash_name(wd, name));
    bool              known = false;

    for (struct file_link *next; l != NULL; l = next) {
        struct file_name *n = FILE_OWNER(l, struct file_name, by_event);

        next = file_map_next(l);
        if (n->wd != wd || strcmp(event_name(n), name) != 0)
            continue;
        known = true;
        n->tail->unheard = false;
        if (anew)
            n->tail->rest_until = 0;
        file_tail_wake(n->tail);
    }
    return known;
}

void
file_follow_event(struct file_input *in, int wd, uint32_t mask, const char *name)
{
    const uint32_t names_change = IN_CREATE | IN_DELETE | IN_MOVED_FROM;

    if (name == NULL) {
        if (wake_named(in, wd, "", (mask & IN_ATTRIB) != 0))
            return;
        if ((mask & (IN_IGNORED | IN_UNMOUNT)) != 0)
            file_scan_hint(in, wd, NULL);
        if ((mask & (IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF)) != 0)
            file_scan_request(in, false);
        return;
    }
    if ((mask & IN_ISDIR) == 0)
        (void)wake_named(in, wd, name, (mask & IN_ATTRIB) != 0);
    if ((mask & names_change) != 0 || (mask & (IN_ISDIR | IN_ATTRIB)) == (IN_ISDIR | IN_ATTRIB))
        file_scan_hint(in, wd, name);
}

void
file_follow_wake_all(struct file_input *in)
{
    struct file_tail *t;

    TAILQ_FOREACH(t, &in->all, all)
        if (t->names != NULL)
            file_tail_wake(t);
}

void
file_follow_free(struct file_input *in)
{
    struct file_tail *t;

    while ((t = TAILQ_FIRST(&in->all)) != NULL) {
        while (t->names != NULL)
            remove_name(in, t->names);
        leave_place(in, t);
        file_tail_free(t);
    }
    file_map_fini(&in->places);
    file_map_fini(&in->names);
    file_map_fini(&in->events);
    file_map_fini(&in->rows);
    file_map_fini(&in->starts);
    free(in->remembered);
}
