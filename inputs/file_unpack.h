/* file_unpack.h - how many files are decompressed at the same time.
 *
 * Each of them costs memory that no budget counts (file_bytes.h), so they are
 * bounded; others wait.  One that does not go on (its topic is missing, say)
 * makes room after a while, and begins anew when it does.  Loop thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_UNPACK_H
#define INPUTS_FILE_UNPACK_H

#include <stdbool.h>

struct file_tail;

/* May its job decompress now?  Always if there is nothing to decompress. */
bool file_unpack_may(struct file_tail *t);

/* Why its content cannot be read to its end, once. */
void file_unpack_tell(struct file_tail *t);

/* It does not any more. */
void file_unpack_drop(struct file_tail *t);

#endif
