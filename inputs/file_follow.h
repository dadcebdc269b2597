/* file_follow.h - which name belongs to which file.
 *
 * Loop thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_FOLLOW_H
#define INPUTS_FILE_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/flow/checkpoint.h"
#include "inputs/file_discover.h"
#include "inputs/file_map.h"

struct file_input;
struct file_tail;

/* A path that leads to a tail. */
struct file_name {
    struct file_link  by_path, by_event;
    struct file_tail *tail;
    struct file_name *next;         /* of the same tail */
    int               wd;           /* -1: no event will come */
    bool              own_watch;
    char              path[];
};

/* What an earlier run has left. */
struct file_row {
    struct file_link   by_place;
    struct checkpoint *row;
};

/* Read the rows of this input.  They are forgotten when the first scan is over: each
 * is continued then, or its content is looked for. */
void file_follow_remember(struct file_input *in);

/* Take what a scan found: new names get tails, tails without names are gone. */
void file_follow_changes(struct file_input *in, const struct file_changes *changes);

/* An event of the kernel for this name (NULL: for the watched thing itself). */
void file_follow_event(struct file_input *in, int wd, uint32_t mask, const char *name);

/* Anything may have happened. */
void file_follow_wake_all(struct file_input *in);

struct file_tail *file_follow_find(const struct file_input *in, uint64_t device,
                                   uint64_t inode);

/* Its inode holds another content now: a new tail takes over its names, its
 * descriptor and its place, and begins to read. */
void file_follow_replace(struct file_tail *t);

/* A tail of a file that no pattern means; when it has its place, it is gone. */
struct file_tail *file_follow_elsewhere(struct file_input *in, const char *path,
                                        uint64_t device, uint64_t inode);

/* A tail is done for good: it lets go of its place and is freed. */
void file_follow_forget(struct file_tail *t);

/* Free all that is left. */
void file_follow_free(struct file_input *in);

#endif
