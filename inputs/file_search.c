/* file_search.c - see file_search.h.
 *
 * The job reads the names of each folder once, for all that is looked for.  A
 * file is told by its inode (it was renamed), or by its head and then by the bytes
 * before one of the marks (it is a copy).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_search.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "inputs/file.h"
#include "inputs/file_copy.h"
#include "inputs/file_follow.h"

enum {
    COPY_AGE_MS = 10 * 60 * 1000,   /* how long before its original's end a copy may be made */
    WRITTEN_MS = 10 * 1000,         /* how long a compressed file that is not whole may pause */
};

/* ---- The job ------------------------------------------------------------------- */

/* All that is looked for, to be found by inode and by head. */
struct hunt {
    struct file_losts *losts;
    struct file_map    by_place, by_head;
    bool               lengths[IDENTITY_HEAD + 1];  /* that heads have */
    int64_t            since;
};

static uint64_t
head_key(uint32_t len, uint64_t hash)
{
    return file_hash_numbers(len, hash);
}

static void
hunt_begin(struct hunt *h, struct file_losts *losts)
{
    struct file_lost *l;

    memset(h, 0, sizeof *h);
    h->losts = losts;
    h->since = INT64_MAX;
    TAILQ_FOREACH(l, losts, link) {
        const struct identity *id = &l->identity;

        file_map_add(&h->by_place, &l->by_place, file_hash_numbers(id->device, id->inode));
        file_map_add(&h->by_head, &l->by_head, head_key(id->head_len, id->head_hash));
        if (id->head_len > 0)
            h->lengths[id->head_len] = true;
        if (l->since < h->since)
            h->since = l->since;
    }
}

static void
hunt_end(struct hunt *h)
{
    file_map_fini(&h->by_place);
    file_map_fini(&h->by_head);
}

static void
found(struct file_lost *l, const char *path, struct file_bytes b, const struct stat *st,
      const struct file_mark *place)
{
    char next;

    free(l->found);
    l->found = mem_string(path);
    l->device = st->st_dev;
    l->inode = st->st_ino;
    l->disk_size = (uint64_t)st->st_size;
    l->mtime_ms = (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
    l->more = file_bytes_at(b, &next, 1, place->offset) > 0;
    l->place = *place;
}

/* The remembered file itself, by another name. */
static void
meet_renamed(const struct hunt *h, const char *path, struct file_bytes b, const struct stat *st)
{
    struct file_link *k = file_map_first(&h->by_place, file_hash_numbers(st->st_dev, st->st_ino));

    for (; k != NULL; k = file_map_next(k)) {
        struct file_lost *l = FILE_OWNER(k, struct file_lost, by_place);
        struct identity   id = l->identity;
        uint64_t          start;

        if (l->found == NULL && l->itself && id.device == st->st_dev &&
            id.inode == st->st_ino && file_meet_head(b, &id, &start) == FILE_SAME &&
            file_meet_tail(b, l->marks[0].offset, &l->marks[0].print) == FILE_SAME)
            found(l, path, b, st, &l->marks[0]);
    }
}

/* It may come to hold all of what was read; its original is beside it until then. */
static bool
is_being_written(struct file_bytes b, const struct stat *st)
{
    return b.gzip != NULL && file_gzip_end(b.gzip) == FILE_GZIP_OPEN &&
           clock_epoch_ms() - (int64_t)st->st_mtim.tv_sec * 1000 < WRITTEN_MS;
}

/* Of several copies, the one that holds the most of what was read. */
static void
meet_copy(struct file_lost *l, const char *path, struct file_bytes b, const struct stat *st)
{
    const struct file_mark *place;

    if ((l->found != NULL && l->place.offset == l->marks[0].offset) ||
        (st->st_dev == l->identity.device && st->st_ino == l->identity.inode))
        return;
    place = file_find_mark(b, l->marks, l->nmarks);
    if (place != NULL && place != &l->marks[0] &&
        (is_being_written(b, st) || (l->found != NULL && place->offset <= l->place.offset)))
        return;
    if (place == NULL && l->marks[0].offset == 0 && l->identity.head_len >= FILE_START)
        place = &l->marks[0];       /* nothing of it was read; so its head has to do */
    if (place != NULL)
        found(l, path, b, st, place);
}

static void
meet_heads(const struct hunt *h, const char *path, struct file_bytes b, const struct stat *st)
{
    char          head[IDENTITY_HEAD];
    const ssize_t got = file_bytes_at(b, head, sizeof head, 0);
    uint64_t      hash = HASH_START;

    for (ssize_t i = 0; i < got; ) {
        struct file_link *k = NULL;
        uint32_t          len;

        hash = hash_step(hash, head[i++]);
        len = (uint32_t)i;
        if (h->lengths[len])
            k = file_map_first(&h->by_head, head_key(len, hash));
        for (; k != NULL; k = file_map_next(k)) {
            struct file_lost *l = FILE_OWNER(k, struct file_lost, by_head);

            if (l->identity.head_len == len && l->identity.head_hash == hash)
                meet_copy(l, path, b, st);
        }
    }
}

/* A file that is called compressed, but is not, is what it is. */
static struct file_bytes
open_bytes(const char *path, int fd)
{
    struct file_bytes b = { fd, file_bytes_named_gz(path) ? file_gzip_new() : NULL };
    char              first;

    if (b.gzip != NULL && file_bytes_at(b, &first, 1, 0) <= 0 &&
        file_gzip_end(b.gzip) == FILE_GZIP_BROKEN) {
        file_gzip_free(b.gzip);
        b.gzip = NULL;
    }
    return b;
}

static void
look_at_file(const struct hunt *h, const char *path)
{
    const int   fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
    struct stat st;

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        struct file_bytes b = open_bytes(path, fd);

        meet_renamed(h, path, b, &st);
        if ((int64_t)st.st_ctim.tv_sec * 1000 >= h->since)
            meet_heads(h, path, b, &st);
        file_gzip_free(b.gzip);
    }
    close(fd);
}

/* Only regular files are opened: a FIFO's reader would be us. */
static bool
is_regular(const char *path, unsigned char type)
{
    struct stat st;

    if (type != DT_UNKNOWN)
        return type == DT_REG;
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool
search_folder(const struct hunt *h, const char *folder)
{
    DIR           *dir = opendir(folder[0] != '\0' ? folder : "/");
    struct dirent *ent;
    struct buf     path = { NULL, 0, 0 };

    if (dir == NULL)
        return false;
    while ((ent = readdir(dir)) != NULL) {
        buf_clear(&path);
        buf_printf(&path, "%s/%s", folder, ent->d_name);
        if (is_regular(buf_string(&path), ent->d_type))
            look_at_file(h, path.ptr);
    }
    buf_fini(&path);
    closedir(dir);
    return true;
}

static char *
folder_of(const char *path)
{
    return mem_copy(path, (size_t)(strrchr(path, '/') - path));
}

/* The folder of each; those of one folder mostly stand side by side. */
static void
search_own_folders(const struct hunt *h, struct strings *done)
{
    struct file_lost *l;
    char             *folder = NULL;
    bool              there = false;

    TAILQ_FOREACH(l, h->losts, link) {
        char *own = folder_of(l->path);

        if (folder == NULL || strcmp(own, folder) != 0) {
            there = search_folder(h, own);
            strings_add(done, own);
        }
        l->sought = there;
        free(folder);
        folder = own;
    }
    free(folder);
}

static void
on_work(uv_work_t *work)
{
    struct file_search *search = &((struct file_input *)work->data)->search;
    struct strings      done = { NULL, 0, 0 };
    struct hunt         h;

    hunt_begin(&h, &search->taken);
    search_own_folders(&h, &done);
    for (size_t i = 0; i < search->folders.count; i++)
        if (!strings_have(&done, search->folders.list[i]))
            (void)search_folder(&h, search->folders.list[i]);
    strings_fini(&done);
    hunt_end(&h);
}

/* ---- What it found ------------------------------------------------------------- */

/* The inode of a finished file that was deleted since may be given out again, to one
 * that begins alike. */
static bool
is_reused(struct file_tail *t, const struct file_lost *l)
{
    const struct identity *id = &file_source(t)->identity;

    return t->state == TAIL_CLOSED && t->exists &&
           (id->head_len != l->identity.head_len || id->head_hash != l->identity.head_hash ||
            t->disk_size != l->disk_size || t->mtime_ms != l->mtime_ms);
}

/* The job has seen it: if it is gone before it is opened, it can be looked for again. */
static void
take_head(struct file_tail *t, const struct file_lost *l)
{
    struct identity *id = &file_source(t)->identity;

    if (id->head_len >= l->identity.head_len)
        return;
    id->head_len = l->identity.head_len;
    id->head_hash = l->identity.head_hash;
}

/* In a file that no pattern means, or that no scan has met yet, it is read to
 * its end too, if only to know it then. */
static void
take_found(struct file_input *in, struct file_lost *l)
{
    struct file_tail *t = file_follow_find(in, l->device, l->inode);
    bool              elsewhere;

    if (t != NULL && is_reused(t, l)) {
        file_tail_event(t, EV_UNLINKED);
        t = NULL;
    }
    if (t != NULL && t == l->tail) {
        file_tail_found(t, l->found);
        return;
    }
    elsewhere = t == NULL;
    if (elsewhere) {
        t = file_follow_elsewhere(in, l->found, l->device, l->inode);
        file_source(t)->id = l->id;
        l->id = 0;
    }
    if (l->tail != NULL)
        file_copy_inherit(t, l->tail);
    take_head(t, l);
    if (!file_tail_place(t, &l->place))
        return;                         /* it was read from its beginning */
    if (elsewhere)
        file_tail_event(t, EV_GONE);
    if (l->more)
        log_info("'%s' goes on in '%s' at byte %llu", l->path, l->found,
                 (unsigned long long)l->place.offset);
}

/* A checkpoint is older than what has arrived, unless the run that wrote it has waited. */
static void
report(struct file_input *in, const struct file_lost *l)
{
    const bool exact = !l->remembered || checkpoints_were_settled(in->store);

    if (l->unread > 0) {
        in->lost_bytes += l->unread;
        log_warn("%s%llu unread bytes of '%s' are lost: no copy of it was found%s",
                 exact ? "" : "up to ", (unsigned long long)l->unread, l->path,
                 exact ? "" : " (the last run was killed, or did not wait for its last "
                              "acknowledgements: what was on its way may have arrived)");
    } else if (l->earlier && l->sought && !l->complete) {
        log_info("'%s' is not found any more: what it had behind byte %llu, if anything, is lost",
                 l->path, (unsigned long long)l->marks[0].offset);
    }
}

static void
end_lost(struct file_input *in, struct file_lost *l)
{
    if (l->found != NULL && !in->stopping)
        take_found(in, l);
    else if (!in->stopping)
        report(in, l);
    if (l->tail != NULL)
        file_tail_search_over(l->tail);
    else if (l->id != 0 && !in->stopping && (l->sought || l->found != NULL))
        checkpoints_remove_row(in->store, l->id);
    free(l->found);
    free(l->path);
    free(l);
}

static void
on_done(uv_work_t *work, int status)
{
    struct file_input  *in = work->data;
    struct file_search *search = &in->search;
    struct file_lost   *l;

    assert(status == 0);
    while ((l = TAILQ_FIRST(&search->taken)) != NULL) {
        TAILQ_REMOVE(&search->taken, l, link);
        end_lost(in, l);
    }
    search->busy = false;
    file_search_go_on(in);
    file_copy_try_gate(in);
    file_came_back(in);
}

/* ---- What is wanted -------------------------------------------------------------- */

void
file_search_go_on(struct file_input *in)
{
    struct file_search *search = &in->search;

    if (search->busy || TAILQ_EMPTY(&search->wanted) || in->unverified > 0 || in->stopping)
        return;
    search->busy = true;
    TAILQ_CONCAT(&search->taken, &search->wanted, link);
    in->out++;
    uv_queue_work(in->loop, &search->work, on_work, on_done);
}

static struct file_lost *
add_lost(struct file_input *in, const char *path, const struct identity *id, int64_t since)
{
    struct file_lost *l = NEW(struct file_lost);

    l->path = mem_string(path);
    l->identity = *id;
    l->since = since - COPY_AGE_MS;
    TAILQ_INSERT_TAIL(&in->search.wanted, l, link);
    return l;
}

void
file_search_tail(struct file_tail *t)
{
    struct source       *s = file_source(t);
    const uint64_t       end = window_end(&s->window);
    struct file_lost    *l = add_lost(t->input, s->path, &s->identity, clock_epoch_ms());

    l->tail = t;
    l->itself = t->current;
    l->earlier = t->unverified;
    l->remembered = t->unverified || (s->read_bytes == 0 && end > 0);
    l->complete = s->size >= end && end > 0;
    l->unread = s->size > end ? s->size - end : 0;
    l->nmarks = file_tail_marks(t, l->marks);
    t->sought = true;
    file_search_go_on(t->input);
}

void
file_search_row(struct file_input *in, const struct checkpoint *row)
{
    struct file_lost *l = add_lost(in, row->path, &row->identity, row->updated);

    l->id = row->id;
    l->itself = true;
    l->earlier = l->remembered = true;
    l->complete = row->size >= row->offset && row->size > 0;
    l->unread = row->size > row->offset ? row->size - row->offset : 0;
    l->marks[0] = (struct file_mark){ row->offset, row->tail, row->lead };
    l->nmarks = 1;
    file_search_go_on(in);
}

bool
file_search_is_idle(const struct file_input *in)
{
    return !in->search.busy && TAILQ_EMPTY(&in->search.wanted);
}

/* The folder before the first name with wildcards. */
static void
add_folder(struct strings *folders, const char *pattern)
{
    const size_t plain = strcspn(pattern, "*?[{\\");
    char        *folder = mem_copy(pattern, plain);
    char        *slash = strrchr(folder, '/');

    if (slash != NULL) {
        *slash = '\0';
        if (!strings_have(folders, folder))
            strings_add(folders, folder);
    }
    free(folder);
}

void
file_search_start(struct file_input *in)
{
    in->search.work.data = in;
    for (size_t i = 0; i < in->conf.paths.count; i++)
        if (in->conf.paths.list[i][0] == '/')
            add_folder(&in->search.folders, in->conf.paths.list[i]);
}

void
file_search_free(struct file_input *in)
{
    struct file_lost *l;

    while ((l = TAILQ_FIRST(&in->search.wanted)) != NULL) {
        TAILQ_REMOVE(&in->search.wanted, l, link);
        free(l->path);
        free(l);
    }
    strings_fini(&in->search.folders);
}
