/* file_discover.h - which files there are, and which folders tell of new ones.
 *
 * Walks from the root along the spots of all patterns (file_glob.h) and
 * remembers what it saw, so that it can say what has changed: a path now leads to
 * a file (appeared), or no longer does (vanished).  A path that leads to another
 * file than before vanishes first and then appears.  Symbolic links are followed;
 * a folder that is its own ancestor, or that was reached already with the same
 * patterns ahead, is not entered again.
 *
 * Every folder in which a name could appear is watched before its names are
 * read, so that nothing falls between; a path whose parents are missing is
 * awaited in the nearest folder that exists.  A file that is reached through a
 * symbolic link, or has several names, is watched itself too: its folder may
 * not hear of its writes.
 *
 * Cost: a scan reads only folders that have changed since they were read (by
 * their own time of modification; a folder that changed in the last seconds, or
 * sends no events, is read every time).  A look costs what it is asked for.
 *
 * What is found and is no regular file gets one message and is left alone, and
 * so does a folder that cannot be read; both are looked at again by every scan.
 *
 * One thread at a time; it reads folders: on a worker, never on the loop.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_DISCOVER_H
#define INPUTS_FILE_DISCOVER_H

#include <stdbool.h>

#include "inputs/file_changes.h"
#include "inputs/file_glob.h"

struct file_discover;

/* `globs` and `exclude` are borrowed and outlive it; `inotify` is the descriptor
 * to watch with, or -1. */
struct file_discover *file_discover_new(const struct file_globs *globs,
                                        const struct file_globs *exclude, int inotify);
void                  file_discover_free(struct file_discover *d);

/* Look at everything and add what has changed since the last time.  `thorough`:
 * trust no folder to be unchanged (events were lost). */
void file_discover_scan(struct file_discover *d, bool thorough, struct file_changes *changes);

/* Look only at what the hints name. */
void file_discover_look(struct file_discover *d, const struct file_hints *hints,
                        struct file_changes *changes);

#endif
