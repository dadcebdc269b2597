/* textfile.h - a small file that a user wrote, whole in memory.
 *
 * For configuration files and secrets.  Any thread; blocks no longer than a
 * regular file takes (a FIFO or a device is refused, not waited for).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_TEXTFILE_H
#define AGENT_TEXTFILE_H

#include <stddef.h>

#include "agent/base/buf.h"
#include "agent/base/error.h"

/* Append the content of `path` to `text`.  -1 if it cannot be read, is no
 * regular file, is empty, holds more than `most` bytes or a NUL byte: `err`
 * then says what is wrong without naming the file ("is a directory"). */
int textfile_read(const char *path, size_t most, struct buf *text, struct error *err);

/* `path` as seen from the folder of `file`; owned by the caller. */
char *textfile_beside(const char *file, const char *path);

#endif
