/* dead_line.h - a dead letter read back: one line of the file that dead_letter.c
 * writes.
 *
 * Its JSON form is that of a record (config.md 4) with `time`, `reason` and
 * `source` beside it, which are not needed to send it again.  Any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_DEAD_LINE_H
#define AGENT_FLOW_DEAD_LINE_H

#include <stdint.h>

#include "agent/base/arena.h"
#include "agent/base/slice.h"
#include "agent/data/message.h"

struct dead_line {
    struct slice          output;
    struct slice          topic;        /* ptr NULL: null */
    struct slice          key, value;   /* ptr NULL: null */
    int32_t               partition;    /* or PARTITION_FREE */
    int64_t               timestamp;    /* or NO_TIMESTAMP */
    const struct headers *headers;      /* or NULL */
};

/* Read one line without its LF.  What is not a part of it is in `a`.  NULL, or what
 * is wrong with it (a constant text). */
const char *dead_line_read(struct slice line, struct arena *a, struct dead_line *d);

#endif
