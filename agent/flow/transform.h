/* transform.h - from bytes to messages: the worker's half of the pipeline.
 *
 * Splits the bytes of a chunk into lines, parses each, routes it and makes its
 * messages.  `stoker run`, `try` and `demo` all use this one function.
 *
 * Lines (config.md 5): a line ends with LF, one CR before it belongs to the
 * line end.  A line longer than max_line is cut, shortened or left out as
 * long_lines says, and counted.  Lines in another encoding than UTF-8 end with its
 * own LF, and their body is converted (agent/data/encoding.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_TRANSFORM_H
#define AGENT_FLOW_TRANSFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/data/chunk.h"
#include "agent/data/names.h"
#include "agent/flow/plan.h"

struct scratch;     /* what one worker needs: a record, match data, spare arrays */

struct scratch *scratch_new(const struct names *names, size_t groups);
void            scratch_free(struct scratch *w);

/* All lines come at one moment from now on: what a rate limit lets pass depends
 * on nothing else.  For samples. */
void scratch_stop_clock(struct scratch *w);

/* The run of each message of the last chunk, in the order in which they were made:
 * by record, and of one record by route. */
const uint32_t *scratch_runs(const struct scratch *w);

enum transform_result {
    TRANSFORM_DONE,     /* chunk->end has moved: it holds at least one whole line */
    TRANSFORM_PARTIAL,  /* the bytes end before the first line does: nothing was made */
    TRANSFORM_GROW,     /* the same, and the chunk is full: read again with transform_room() */
    TRANSFORM_LONG,     /* the first line is longer than max_line and is to be shortened or
                         * left out: find its LF, then call transform_long() */
};

/* Make messages of chunk->bytes[0 .. len).  `final`: nothing will follow, a last
 * line without LF is a record.  Sets end, messages, runs, records. */
enum transform_result transform_chunk(const struct plan *plan, struct scratch *w,
                                      struct chunk *c, bool final);

/* After TRANSFORM_LONG: the line ends before offset `end` (behind its LF). */
void transform_long(const struct plan *plan, struct scratch *w, struct chunk *c, uint64_t end);

/* The chunk's bytes are not read any more: put the values that are parts of them
 * in the order of the messages, if that is another.  Who sends a run then reads memory
 * from front to back; every few lines of it are a cache line's wait.  Leaves the chunk as it is
 * where it would not do. */
void transform_gather(struct scratch *w, struct chunk *c);

/* The longest part of at most `most` bytes that does not end inside a UTF-8 character; the text
 * goes on behind it. */
size_t transform_cut(const char *text, size_t most);

/* The room that a chunk needs for the longest line, or group of lines (group.h). */
size_t transform_room(const struct plan *plan);

#endif
