/* file_flush.h - groups of lines that have waited long enough.
 *
 * When a file is read to its end, the last group of its lines (multiline) may be
 * pending: the next line can still belong to it.  After `timeout` without such a
 * line the file is read once more, with the word that groups up to where it had
 * been read then wait no longer.  A group that has grown meanwhile waits anew; one of
 * a stream that is quiet beside a busy one does not.  Loop thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_FLUSH_H
#define INPUTS_FILE_FLUSH_H

struct file_tail;

/* It was read to its end: is a group pending? */
void file_flush_note(struct file_tail *t);

/* It is about to be freed. */
void file_flush_leave(struct file_tail *t);

#endif
