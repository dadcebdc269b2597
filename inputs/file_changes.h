/* file_changes.h - what a walk through folders is asked, and what it answers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_CHANGES_H
#define INPUTS_FILE_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum file_change_kind {
    FILE_APPEARED,      /* the path leads to this file; also when only `wd` is new */
    FILE_VANISHED,      /* it no longer does */
    FILE_ELSEWHERE,     /* the file was moved to this path, which no pattern means */
};

struct file_change {
    enum file_change_kind kind;
    char                 *path;
    uint64_t              device, inode;

    bool                  was_meant;    /* elsewhere: a pattern means the name it had before */

    /* appeared */
    uint64_t              size;
    int64_t               mtime_ms;     /* since the epoch */
    int                   wd;           /* the watch that tells of its writes, or -1 */
    bool                  own_watch;    /* it is the file's, not its folder's */
};

/* A zeroed struct is an empty list. */
struct file_changes {
    struct file_change *list;
    size_t              count, room;
};

/* Takes over change.path. */
void file_changes_add(struct file_changes *c, struct file_change change);
void file_changes_fini(struct file_changes *c);

/* A name that a renamed file had before. */
struct file_origin {
    struct file_origin *next;
    int                 wd;
    char                name[];
};

/* What an event said: look at this name again. */
struct file_hint {
    int   wd;
    char *name;         /* owned; NULL: the watch itself is gone */
    bool  moved_here;   /* the name was given to a file that existed before */
    struct file_origin *origins;    /* owned; the names that it had until then */
};

/* A zeroed struct is an empty list. */
struct file_hints {
    struct file_hint *list;
    size_t            count, room;
};

/* Returns the new one, good until the next is added. */
struct file_hint *file_hints_add(struct file_hints *h, int wd, const char *name);
void file_hints_add_origin(struct file_hint *hint, int wd, const char *name);
void file_hints_fini(struct file_hints *h);

#endif
