/* file_hold.h - open a file that has to wait for its turn to be read.
 *
 * While nobody may read (an outage, a full budget) files come and go; one that
 * is open can still be read when it was deleted.  So a file is opened, and
 * nothing more, when it begins to wait: as far as descriptors go, of which a
 * part is left to those that are read.
 *
 * Loop thread; the opening is a job.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_HOLD_H
#define INPUTS_FILE_HOLD_H

struct file_tail;

/* Open it, if it is not and there are descriptors; file_tail_opened() gets what came of it. */
void file_hold(struct file_tail *t);

#endif
