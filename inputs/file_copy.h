/* file_copy.h - is a file that appears a copy of one that we read already?
 *
 * copytruncate (logrotate and others) copies a file and then truncates it.  The
 * copy must not be read again, nor may it be overlooked: what the original's
 * tail had not read yet is there alone.  So a new file that begins like one we
 * follow is not read until it is clear which of the two stories it is:
 *
 *     the original is truncated or removed   it is a copy: file_search.h finds where
 *                                            to go on in it
 *     nothing happens for a while            somebody has copied it, or it merely
 *                                            begins alike: two files
 *
 * That nothing has happened is told by a look at the original that began when the while
 * was over, not by the lack of events.
 *
 * A compressed file (logrotate's `compress`, gzip) that holds what we read of
 * another goes on there, whatever becomes of the original; while the original
 * may still be read, it waits.  A file that waits and holds what we read of a
 * compressed one goes on there likewise: both may be copies of a third.
 *
 * The original may be deleted when its copy is whole, and be done for before anybody could
 * open the copy.  So a deleted file is kept in mind until all files were looked at that are
 * there already.
 *
 * At start-up, files without row wait until all that is remembered has been
 * verified, and what is missing has been looked for: they may be what is missing.
 *
 * Loop thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_COPY_H
#define INPUTS_FILE_COPY_H

#include <stdbool.h>

struct file_input;
struct file_tail;

/* The job of this tail has read its head: others can be compared with it. */
void file_copy_index(struct file_tail *t);
void file_copy_forget(struct file_tail *t);

/* It is about to be looked at: until then nobody knows whether it is a copy. */
void file_copy_expect(struct file_tail *t);

/* It was looked at, and judged; or it need not be any more. */
void file_copy_meet(struct file_tail *t);

/* It is deleted, and all of it has arrived: is it to be kept, because a file may be its copy
 * that was not found or looked at yet?  It gets EV_UNLINKED again when all of those were. */
bool file_copy_keep(struct file_tail *t);

/* Something that those wait for is over. */
void file_copy_try_ghosts(struct file_input *in);

/* It was looked at (FILE_READ_PEEKED): may it be read from its beginning now? */
bool file_copy_may_read(struct file_tail *t);

/* Does a file wait because it may be a copy of this one? */
bool file_copy_has_suspects(const struct file_tail *t);

/* A copy goes on where `t` had got to.  It gets no row before everything that `t` has
 * read is acknowledged: after a crash the row of `t` says where to go on in the copy. */
void file_copy_inherit(struct file_tail *heir, struct file_tail *t);

/* All that `t` has read is acknowledged: its copy gets a row. */
void file_copy_let_go(struct file_tail *t);

/* It is forgotten, and all that it has read is acknowledged: files that wait because they
 * may be copies of it, and that no search finds (they may be deleted too), keep its marks. */
void file_copy_leave_marks(struct file_tail *t);

/* This tail is about to be freed. */
void file_copy_disown(struct file_tail *t);

/* A file without row at start-up: it waits behind the gate. */
void file_copy_close_gate(struct file_tail *t);

/* Something that the gate waits for is over: open it if that was the last. */
void file_copy_try_gate(struct file_input *in);

#endif
