/* file_remove.c - see file_remove.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_remove.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "inputs/file.h"

/* ---- The job ----------------------------------------------------------------- */

static bool
is_same_file(const struct stat *st, const struct file_read *r)
{
    return S_ISREG(st->st_mode) && st->st_dev == r->identity.device &&
           st->st_ino == r->identity.inode;
}

void
file_remove(struct file_read *r, const struct chunk *c)
{
    char        path[PATH_MAX];
    struct stat st;

    if (c->path.len >= sizeof path || (r->compressed && r->whole_disk != r->disk_size))
        return;
    memcpy(path, c->path.ptr, c->path.len);
    path[c->path.len] = '\0';
    if (lstat(path, &st) != 0)
        return;
    if (S_ISLNK(st.st_mode)) {
        r->trouble = "it is reached by a symbolic link";
        return;
    }
    if (!is_same_file(&st, r) || (uint64_t)st.st_size != r->disk_size)
        return;
    if (unlink(path) != 0) {
        r->trouble = strerror(errno);
        return;
    }
    r->removed = true;
    if (fstat(r->fd, &st) == 0)
        r->unlinked = st.st_nlink == 0;
}

/* ---- When -------------------------------------------------------------------- */

bool
file_remove_is_ahead(const struct file_tail *t)
{
    const struct window *w = &t->read.source.window;

    return t->input->conf.remove == FILE_REMOVE_ACKED && !t->gated && t->held_at == 0 &&
           t->names != NULL && w->length == 0 && w->committed > 0 &&
           w->committed == t->read.source.size && !t->kept && t->trouble == NULL;
}

bool
file_remove_is_due(const struct file_tail *t, uint64_t now)
{
    const uint64_t since = t->active_at > t->read_at ? t->active_at : t->read_at;

    return file_remove_is_ahead(t) && now - since >= t->input->conf.linger;
}

/* ---- What came of it ------------------------------------------------------------ */

void
file_remove_tell(struct file_tail *t)
{
    const char *path = file_source(t)->path;

    if (t->read.trouble != NULL) {
        log_warn("'%s' was read, and cannot be removed: %s", path, t->read.trouble);
        t->kept = true;
    }
    if (t->read.removed) {
        log_info("'%s' was removed: all of it was acknowledged", path);
        file_scan_request(t->input, false);
    }
}
