/* demo_log.h - the file that `stoker demo` follows, and who writes to it.
 *
 * Lines come in bursts: of a generated access log, or of the user's file.  The
 * next burst is written when the last one has come back, so that the embedded
 * broker never holds more than one.  Loop thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_CLI_DEMO_LOG_H
#define AGENT_CLI_DEMO_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/error.h"

struct demo_log {
    const char *file;       /* the user's, borrowed; NULL: generated */
    char       *path;       /* of the followed file; owned */
    int         in, out;
    struct buf  burst;
    bool        unfinished; /* the last byte written was no LF */
    uint64_t    lines;      /* written so far */
    uint32_t    random;
};

/* Make an empty file at `path` (copied).  Each function returns 0, or -1. */
int  demo_log_open(struct demo_log *l, const char *file, const char *path, struct error *err);
void demo_log_close(struct demo_log *l);

/* Append the next burst; `lines` gets how many lines end in it, `end` is true
 * when there was nothing more. */
int demo_log_append(struct demo_log *l, uint64_t *lines, bool *end, struct error *err);

/* How long to wait before the next burst, in ms: generated lines come at a pace
 * that an eye can follow. */
uint64_t demo_log_pause(const struct demo_log *l);

#endif
