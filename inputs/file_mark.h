/* file_mark.h - how far a tail has read, now and a while ago.
 *
 * A copy of its file may end at any of these places (file_copy.h).  Loop thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_MARK_H
#define INPUTS_FILE_MARK_H

#include "inputs/file_identity.h"

struct file_tail;

/* How far it has read. */
struct file_mark file_mark_present(const struct file_tail *t);

/* A read brings a chunk, and before it goes on its way: a copy may end here. */
void file_mark_set(struct file_tail *t);

#endif
