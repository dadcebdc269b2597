/* file_remove.h - `remove: acked`: delete a file of which nothing is left to read.
 *
 * The tail asks for it when everything that it read is acknowledged and the
 * file did not grow for `linger`; the job deletes the name only if it has just
 * verified the file (its head, and the bytes before the checkpoint) and found
 * nothing behind the checkpoint.  A name that is a symbolic link is left
 * alone, and so is one that leads to another file by now.  The descriptor is
 * held: what a writer appends in between is read, as from any deleted file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_REMOVE_H
#define INPUTS_FILE_REMOVE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/data/chunk.h"

struct file_read;
struct file_tail;

/* On the worker: delete chunk->path, the name of r->fd.  Sets `removed`, or
 * `trouble` if it must not or cannot be. */
void file_remove(struct file_read *r, const struct chunk *c);

/* On the loop: what came of it. */
void file_remove_tell(struct file_tail *t);

/* Is it time to ask for it? */
bool file_remove_is_due(const struct file_tail *t, uint64_t now);

/* It waits for nothing but the time that it has to be quiet. */
bool file_remove_is_ahead(const struct file_tail *t);

#endif
