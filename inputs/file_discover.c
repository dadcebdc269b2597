/* file_discover.c - see file_discover.h.
 *
 * What was seen is kept as a tree: folders, and in each the entries that a
 * pattern means or leads through.  A scan gives every folder and entry that it
 * meets its number; what bears an older number afterwards is gone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_discover.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "inputs/file_map.h"
#include "inputs/file_watch.h"

/* A folder's time of modification may stand still for a while although names
 * change: some file systems count in seconds, all of them in ticks. */
enum { SETTLED_MS = 3000 };

struct folder {
    struct file_link  by_place;     /* device, inode */
    struct file_link  by_watch;     /* only while wd >= 0 */
    struct folder    *parent;       /* NULL: the root */
    char             *path;         /* "" is the root */
    uint64_t          device, inode;
    struct file_spots spots;
    bool              wide;         /* some spot has to see all names */
    bool              remote;       /* no events come from others' writes */
    int               wd;           /* -1: not watched */
    bool              settled;      /* read when mtime_ns was old already */
    bool              plain;        /* all its entries are files that a revisit need not look at */
    int64_t           mtime_ns;
    struct file_map   by_name;
    struct entry     *entries;
    uint64_t          seen, hinted;
    struct log_repeat told;
};

struct entry {
    struct file_link  by_name;
    struct entry     *next;
    struct folder    *below;        /* it is a folder, and was entered */
    bool              link;         /* symbolic */
    bool              file;         /* it was said to have appeared */
    bool              excluded;
    uint64_t          device, inode;
    uint64_t          listed;       /* its inode as the folder names it */
    int               wd;           /* as it was said */
    bool              own_watch;
    uint64_t          seen;
    struct log_repeat told;
    char              name[];
};

/* A symbolic link that waits for its turn. */
struct link_turn {
    struct folder *folder;      /* NULL: it was dropped meanwhile */
    char          *name;
};

/* Several paths may lead to one folder or file: they share its watch. */
struct watch {
    struct file_link by_number;
    int              wd;
    unsigned         users;
};

struct file_discover {
    const struct file_globs *globs, *exclude;
    int                      inotify;
    struct folder           *root;
    struct file_map          by_place, by_watch, watches;
    uint64_t                 scan, hint;    /* numbers of the present ones */
    bool                     thorough;
    struct log_repeat        watch_told;
    struct link_turn        *links;         /* looked at when all else was: a file goes by its
                                             * own name, if a pattern means that */
    size_t                   nlinks, max_links;
    bool                     links_turn;
    struct file_changes     *changes;       /* of the present call */
};

static void walk(struct file_discover *d, struct folder *f);
static void drop_folder(struct file_discover *d, struct folder **dropped);

/* ---- Paths ------------------------------------------------------------------- */

/* No larger than it must be: one stands between any two new entries, and leaves a gap. */
static char *
path_of(const struct folder *f, const char *name)
{
    const size_t size = strlen(f->path) + 1 + strlen(name) + 1;
    char        *path = mem_alloc(size);

    snprintf(path, size, "%s/%s", f->path, name);
    return path;
}

static const char *
folder_path(const struct folder *f)
{
    return f->path[0] != '\0' ? f->path : "/";
}

/* ---- Watches ----------------------------------------------------------------- */

static struct watch *
find_watch(const struct file_discover *d, int wd)
{
    struct file_link *l = file_map_first(&d->watches, file_hash_numbers((uint64_t)wd, 0));

    return l != NULL ? FILE_OWNER(l, struct watch, by_number) : NULL;
}

static int
add_watch(struct file_discover *d, const char *path, enum file_watch_kind kind)
{
    int           wd;
    struct watch *w;

    if (d->inotify < 0)
        return -1;
    wd = file_watch_add(d->inotify, path, kind);
    if (wd < 0) {
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
            log_again(&d->watch_told, LOG_WARN, "cannot watch '%s': %s%s", path, strerror(errno),
                      errno == ENOSPC ? " (it is looked at regularly instead; raise "
                                        "fs.inotify.max_user_watches)" : "");
        return -1;
    }
    w = find_watch(d, wd);
    if (w == NULL) {
        w = NEW(struct watch);
        w->wd = wd;
        file_map_add(&d->watches, &w->by_number, file_hash_numbers((uint64_t)wd, 0));
    }
    w->users++;
    return wd;
}

static void
release_watch(struct file_discover *d, int wd)
{
    struct watch *w = wd >= 0 ? find_watch(d, wd) : NULL;

    if (w == NULL || --w->users > 0)
        return;
    file_watch_remove(d->inotify, wd);
    file_map_remove(&d->watches, &w->by_number);
    free(w);
}

static void
watch_folder(struct file_discover *d, struct folder *f)
{
    if (f->wd >= 0)
        return;
    f->wd = add_watch(d, folder_path(f), FILE_WATCH_FOLDER);
    if (f->wd >= 0)
        file_map_add(&d->by_watch, &f->by_watch, file_hash_numbers((uint64_t)f->wd, 0));
}

/* The kernel has ended this watch: the folder is gone, or its file system. */
static void
lose_watch(struct file_discover *d, struct folder *f)
{
    const int wd = f->wd;

    file_map_remove(&d->by_watch, &f->by_watch);
    f->wd = -1;
    f->settled = false;
    release_watch(d, wd);
}

/* A folder with this watch that the present hint was not taken to yet: several
 * paths may lead to one folder, and any look may drop some of them. */
static struct folder *
find_watched(const struct file_discover *d, int wd)
{
    struct file_link *l = file_map_first(&d->by_watch, file_hash_numbers((uint64_t)wd, 0));

    for (; l != NULL; l = file_map_next(l)) {
        struct folder *f = FILE_OWNER(l, struct folder, by_watch);

        if (f->wd == wd && f->hinted != d->hint)
            return f;
    }
    return NULL;
}

/* ---- Entries ----------------------------------------------------------------- */

static struct entry *
find_entry(const struct folder *f, const char *name)
{
    struct file_link *l = file_map_first(&f->by_name, file_hash_name(0, name));

    for (; l != NULL; l = file_map_next(l)) {
        struct entry *e = FILE_OWNER(l, struct entry, by_name);

        if (strcmp(e->name, name) == 0)
            return e;
    }
    return NULL;
}

static struct entry *
add_entry(struct file_discover *d, struct folder *f, const char *name)
{
    const size_t  len = strlen(name);
    struct entry *e = mem_zero(sizeof *e + len + 1);
    char         *path = path_of(f, name);

    memcpy(e->name, name, len + 1);
    e->wd = -1;
    e->excluded = file_glob_match(d->exclude, path) != FILE_MATCH_NO;
    e->next = f->entries;
    f->entries = e;
    file_map_add(&f->by_name, &e->by_name, file_hash_name(0, name));
    free(path);
    return e;
}

/* What it led to is not there any more. */
static void
empty_entry(struct file_discover *d, struct folder *f, struct entry *e)
{
    if (e->file)
        file_changes_add(d->changes, (struct file_change){
            .kind = FILE_VANISHED, .path = path_of(f, e->name),
            .device = e->device, .inode = e->inode, .wd = e->wd });
    if (e->own_watch)
        release_watch(d, e->wd);
    if (e->below != NULL)
        drop_folder(d, &e->below);
    e->file = e->own_watch = false;
    e->wd = -1;
    e->listed = 0;
}

/* Entries that the present scan did not meet are gone. */
static void
sweep_entries(struct file_discover *d, struct folder *f)
{
    struct entry **at = &f->entries;

    while (*at != NULL) {
        struct entry *e = *at;

        if (e->seen == d->scan) {
            at = &e->next;
            continue;
        }
        empty_entry(d, f, e);
        file_map_remove(&f->by_name, &e->by_name);
        *at = e->next;
        free(e);
    }
}

/* ---- Folders ----------------------------------------------------------------- */

/* Takes over path and *spots. */
static struct folder *
new_folder(struct file_discover *d, struct folder *parent, char *path, const struct stat *st,
           struct file_spots *spots)
{
    struct folder *f = NEW(struct folder);
    bool           last;

    f->parent = parent;
    f->path = path;
    f->device = st->st_dev;
    f->inode = st->st_ino;
    f->wd = -1;
    f->spots = *spots;
    *spots = (struct file_spots){ NULL, 0, 0 };
    for (size_t i = 0; i < f->spots.count; i++)
        if (file_glob_literal(d->globs, f->spots.list[i], &last) == NULL)
            f->wide = true;
    f->remote = file_watch_is_deaf(folder_path(f));
    file_map_add(&d->by_place, &f->by_place, file_hash_numbers(f->device, f->inode));
    return f;
}

static void
put_off(struct file_discover *d, struct folder *f, const char *name)
{
    if (d->nlinks == d->max_links) {
        d->max_links = d->max_links > 0 ? 2 * d->max_links : 8;
        d->links = mem_array(d->links, d->max_links, sizeof *d->links);
    }
    d->links[d->nlinks++] = (struct link_turn){ f, mem_string(name) };
}

static void
drop_folder(struct file_discover *d, struct folder **dropped)
{
    struct folder *f = *dropped;

    *dropped = NULL;
    for (size_t i = 0; i < d->nlinks; i++)
        if (d->links[i].folder == f)
            d->links[i].folder = NULL;
    for (struct entry *e = f->entries, *next; e != NULL; e = next) {
        next = e->next;
        empty_entry(d, f, e);
        free(e);
    }
    if (f->wd >= 0)
        lose_watch(d, f);
    file_map_remove(&d->by_place, &f->by_place);
    file_map_fini(&f->by_name);
    file_spots_fini(&f->spots);
    free(f->path);
    free(f);
}

/* Going on here would lead round in circles, or say everything twice. */
static bool
was_entered(const struct file_discover *d, const struct folder *from, const struct folder *self,
            const struct stat *st, const struct file_spots *spots)
{
    struct file_link *l =
        file_map_first(&d->by_place, file_hash_numbers(st->st_dev, st->st_ino));

    for (const struct folder *f = from; f != NULL; f = f->parent)
        if (f->device == st->st_dev && f->inode == st->st_ino)
            return true;
    for (; l != NULL; l = file_map_next(l)) {
        const struct folder *f = FILE_OWNER(l, struct folder, by_place);

        if (f != self && f->device == st->st_dev && f->inode == st->st_ino &&
            f->seen == d->scan && file_spots_equal(&f->spots, spots))
            return true;
    }
    return false;
}

static void
enter(struct file_discover *d, struct folder *f, struct entry *e, const struct stat *st,
      struct file_spots *spots)
{
    if (e->excluded || was_entered(d, f, e->below, st, spots)) {
        empty_entry(d, f, e);
        return;
    }
    if (e->file ||
        (e->below != NULL && (e->below->device != st->st_dev || e->below->inode != st->st_ino)))
        empty_entry(d, f, e);
    if (e->below == NULL)
        e->below = new_folder(d, f, path_of(f, e->name), st, spots);
    walk(d, e->below);
}

/* ---- Looking at one name ----------------------------------------------------- */

static const char *
kind_name(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a folder";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

static void
refuse(struct file_discover *d, struct folder *f, struct entry *e, mode_t mode,
       enum file_match match)
{
    const bool expected = S_ISDIR(mode) && match == FILE_MATCH_WILD;

    empty_entry(d, f, e);
    if (!e->excluded && !(expected && e->told.told_at != 0))
        log_again(&e->told, expected ? LOG_INFO : LOG_WARN,
                  "'%s/%s' is %s: it is not followed (only regular files are)", f->path, e->name,
                  kind_name(mode));
}

static void
find_file(struct file_discover *d, struct folder *f, struct entry *e, const struct stat *st)
{
    const bool same = e->file && e->device == st->st_dev && e->inode == st->st_ino;
    const bool own = d->inotify >= 0 && (e->link || st->st_nlink > 1) && !f->remote;
    int        wd = f->remote ? -1 : f->wd;
    char      *path;

    if (e->excluded || (same && e->own_watch) || (same && !own && e->wd == wd))
        return;
    if (!same)
        empty_entry(d, f, e);
    path = path_of(f, e->name);
    if (own)
        wd = add_watch(d, path, FILE_WATCH_FILE);
    e->own_watch = own && wd >= 0;
    e->file = true;
    e->device = st->st_dev;
    e->inode = st->st_ino;
    e->wd = wd;
    file_changes_add(d->changes, (struct file_change){
        .kind = FILE_APPEARED, .path = path, .device = e->device, .inode = e->inode,
        .size = (uint64_t)st->st_size,
        .mtime_ms = (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000,
        .wd = wd, .own_watch = e->own_watch });
}

/* Does this error say that nothing is there?  Any other proves nothing: what is
 * known stays. */
static bool
is_absence(int why)
{
    return why == ENOENT || why == ENOTDIR || why == ELOOP;
}

static void
miss(struct file_discover *d, struct folder *f, struct entry *e, int why)
{
    if (is_absence(why))
        empty_entry(d, f, e);
    if (why != ENOENT && why != ENOTDIR && !e->excluded)
        log_again(&e->told, LOG_WARN, "cannot look at '%s/%s': %s", f->path, e->name,
                  strerror(why));
}

/* Look at what an entry leads to; -1: errno says why that cannot be. */
static int
stat_entry(const struct folder *f, struct entry *e, struct stat *st)
{
    char *path = path_of(f, e->name);
    int   result = lstat(path, st);

    e->link = result == 0 && S_ISLNK(st->st_mode);
    if (e->link)
        result = stat(path, st);
    free(path);
    return result;
}

/* What `e` leads to is this. */
static void
take(struct file_discover *d, struct folder *f, struct entry *e, const struct stat *st,
     enum file_match match, struct file_spots *below)
{
    if (S_ISDIR(st->st_mode) && below->count > 0)
        enter(d, f, e, st, below);
    else if (match != FILE_MATCH_NO && S_ISREG(st->st_mode))
        find_file(d, f, e, st);
    else if (match != FILE_MATCH_NO)
        refuse(d, f, e, st->st_mode, match);
}

static struct entry *
meet_entry(struct file_discover *d, struct folder *f, const char *name)
{
    struct entry *e = find_entry(f, name);

    if (e == NULL)
        e = add_entry(d, f, name);
    e->seen = d->scan;
    f->plain = false;
    return e;
}

/* `listed`: its inode as the folder names it, or 0.  True if the name leads
 * somewhere, and not by a symbolic link. */
static bool
look(struct file_discover *d, struct folder *f, const char *name, uint64_t listed)
{
    struct file_spots     below = { NULL, 0, 0 };
    const enum file_match match = file_glob_step(d->globs, &f->spots, name, &below);
    struct entry         *e = NULL;
    struct stat           st;
    bool                  found = false;

    if (match != FILE_MATCH_NO || below.count > 0) {
        e = meet_entry(d, f, name);
        found = stat_entry(f, e, &st) == 0;
        if (!found) {
            miss(d, f, e, errno);
        } else if (e->link && !d->links_turn) {
            put_off(d, f, name);
        } else {
            take(d, f, e, &st, match, &below);
            e->listed = listed;
        }
    }
    file_spots_fini(&below);
    return found && !e->link;
}

static void
look_at_links(struct file_discover *d)
{
    d->links_turn = true;
    for (size_t i = 0; i < d->nlinks; i++) {
        if (d->links[i].folder != NULL)
            (void)look(d, d->links[i].folder, d->links[i].name, 0);
        free(d->links[i].name);
    }
    d->nlinks = 0;
    d->links_turn = false;
}

/* ---- Looking at one folder --------------------------------------------------- */

/* A regular file that is known by this name needs no look: the names of links,
 * folders and of what could not be followed do. */
static bool
is_known_file(const struct folder *f, const struct dirent *ent)
{
    struct entry *e;

    if (ent->d_type != DT_REG)
        return false;
    e = find_entry(f, ent->d_name);
    return e != NULL && (e->file || e->excluded) && e->listed == ent->d_ino &&
           (e->own_watch || e->excluded || e->wd == (f->remote ? -1 : f->wd));
}

static void
read_names(struct file_discover *d, struct folder *f, DIR *dir)
{
    struct dirent *ent;

    while ((ent = readdir(dir)) != NULL) {
        if (strcmp(ent->d_name, ".") == 0 || strcmp(ent->d_name, "..") == 0)
            continue;
        if (is_known_file(f, ent))
            find_entry(f, ent->d_name)->seen = d->scan;
        else
            (void)look(d, f, ent->d_name, ent->d_ino);
    }
}

static int64_t
mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* It cannot be listed; the names that are known may still be looked at. */
static void
miss_folder(struct file_discover *d, struct folder *f, int why)
{
    if (!is_absence(why)) {
        log_again(&f->told, LOG_WARN, "cannot list the folder '%s': %s (new files in it are not "
                  "found until it can be read)", folder_path(f), strerror(why));
        for (struct entry *e = f->entries; e != NULL; e = e->next)
            (void)look(d, f, e->name, e->listed);
    }
    sweep_entries(d, f);
}

static void
list_folder(struct file_discover *d, struct folder *f)
{
    DIR        *dir = opendir(folder_path(f));
    struct stat st;

    f->settled = false;
    if (dir == NULL) {
        miss_folder(d, f, errno);
        return;
    }
    log_over(&f->told);
    if (fstat(dirfd(dir), &st) != 0)
        st = (struct stat){ .st_dev = 0 };
    f->mtime_ns = mtime_ns(&st);
    read_names(d, f, dir);
    closedir(dir);
    f->settled = clock_epoch_ms() - f->mtime_ns / 1000000 > SETTLED_MS;
    sweep_entries(d, f);
}

/* No name can have come or gone since it was read. */
static bool
is_unchanged(const struct file_discover *d, const struct folder *f)
{
    struct stat st;

    return f->settled && !d->thorough && f->wd >= 0 && !f->remote &&
           stat(folder_path(f), &st) == 0 && mtime_ns(&st) == f->mtime_ns;
}

/* Look again at what can change behind its name.  Where nothing can, that is known until
 * an entry is looked at again: ten thousand files cost a look no more than one. */
static void
revisit(struct file_discover *d, struct folder *f)
{
    bool plain = true;

    if (f->plain)
        return;
    for (struct entry *e = f->entries; e != NULL; e = e->next)
        if (e->link || e->below != NULL || (!e->file && !e->excluded)) {
            (void)look(d, f, e->name, e->listed);
            plain = false;
        } else {
            e->seen = d->scan;
        }
    sweep_entries(d, f);
    f->plain = plain;
}

/* Look at the only names that matter; true if an event may be needed to hear
 * of one: it is missing, or meant as a file, or a link that can be switched. */
static bool
look_at_literals(struct file_discover *d, struct folder *f)
{
    bool wanted = false, last;

    for (size_t i = 0; i < f->spots.count; i++) {
        const char *name = file_glob_literal(d->globs, f->spots.list[i], &last);

        if (!look(d, f, name, 0) || last)
            wanted = true;
    }
    sweep_entries(d, f);
    return wanted;
}

/* Watch first, then read: what comes in between is read, or heard of, or both. */
static void
walk(struct file_discover *d, struct folder *f)
{
    f->seen = d->scan;
    if (!f->wide) {
        if (look_at_literals(d, f) && f->wd < 0 && d->inotify >= 0) {
            watch_folder(d, f);
            (void)look_at_literals(d, f);
        }
        return;
    }
    watch_folder(d, f);
    if (is_unchanged(d, f))
        revisit(d, f);
    else
        list_folder(d, f);
}

/* ---- The whole --------------------------------------------------------------- */

struct file_discover *
file_discover_new(const struct file_globs *globs, const struct file_globs *exclude, int inotify)
{
    struct file_discover *d = NEW(struct file_discover);

    d->globs = globs;
    d->exclude = exclude;
    d->inotify = inotify;
    return d;
}

void
file_discover_free(struct file_discover *d)
{
    struct file_changes none = { NULL, 0, 0 };

    if (d == NULL)
        return;
    d->changes = &none;
    if (d->root != NULL)
        drop_folder(d, &d->root);
    file_changes_fini(&none);
    free(d->links);
    file_map_fini(&d->by_place);
    file_map_fini(&d->by_watch);
    file_map_fini(&d->watches);
    free(d);
}

void
file_discover_scan(struct file_discover *d, bool thorough, struct file_changes *changes)
{
    d->changes = changes;
    d->thorough = thorough;
    d->scan++;
    if (d->root == NULL) {
        struct file_spots spots = { NULL, 0, 0 };
        struct stat       st = { .st_dev = 0 };

        (void)stat("/", &st);
        file_glob_root(d->globs, &spots);
        d->root = new_folder(d, NULL, mem_string(""), &st, &spots);
    }
    walk(d, d->root);
    look_at_links(d);
}

/* Does a pattern mean this name? */
static bool
is_meant(const struct file_discover *d, const struct file_origin *o)
{
    struct file_link *l = file_map_first(&d->by_watch, file_hash_numbers((uint64_t)o->wd, 0));
    bool              meant = false;

    for (; l != NULL && !meant; l = file_map_next(l)) {
        const struct folder *f = FILE_OWNER(l, struct folder, by_watch);
        char                *path = path_of(f, o->name);

        meant = f->wd == o->wd && file_glob_match(d->globs, path) != FILE_MATCH_NO &&
                file_glob_match(d->exclude, path) == FILE_MATCH_NO;
        free(path);
    }
    return meant;
}

/* No pattern means this name: is it a file that had another, or that we should
 * have met under another, had it not been moved so soon? */
static void
look_elsewhere(struct file_discover *d, const struct folder *f, const struct file_hint *hint)
{
    char       *path = path_of(f, hint->name);
    bool        meant = false;
    struct stat st;

    for (const struct file_origin *o = hint->origins; o != NULL && !meant; o = o->next)
        meant = is_meant(d, o);
    if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
        file_changes_add(d->changes, (struct file_change){
            .kind = FILE_ELSEWHERE, .path = path, .was_meant = meant,
            .device = st.st_dev, .inode = st.st_ino, .wd = -1 });
    else
        free(path);
}

static void
take_hint(struct file_discover *d, struct folder *f, const struct file_hint *hint)
{
    struct entry *e;

    (void)look(d, f, hint->name, 0);
    look_at_links(d);
    e = find_entry(f, hint->name);
    if (hint->moved_here && (e == NULL || !e->file))
        look_elsewhere(d, f, hint);
}

void
file_discover_look(struct file_discover *d, const struct file_hints *hints,
                   struct file_changes *changes)
{
    d->changes = changes;
    d->thorough = false;
    for (size_t i = 0; i < hints->count; i++) {
        const struct file_hint *hint = &hints->list[i];
        struct folder          *f;

        d->hint++;
        while ((f = find_watched(d, hint->wd)) != NULL) {
            f->hinted = d->hint;
            if (hint->name == NULL)
                lose_watch(d, f);
            else
                take_hint(d, f, hint);
        }
    }
}
