/* group.h - records of more than one line.
 *
 * Stands between the lines of a chunk and its records, for inputs with multiline or a
 * parser of container logs (cri, docker); no other pays for it.
 *
 *     line ─► frame: body, stream, partial? ─► whole line ─► multiline ─► group ─► record
 *
 * A group that may still go on at the end of a chunk is *pending*: nothing of it is kept. Its
 * lines are read again with the next chunk, which begins where the oldest pending group
 * does.  Of two streams in one file the other may have come further by then; how far is
 * the chunk's `lead`, and its lines up to there are passed over.  So an offset and a lead
 * are all that must be remembered, and what is committed never passes a pending group.
 *
 * Which lines are one record depends on the bytes of the file alone, not on where chunks
 * begin and end; but for groups that are ended because they have waited (chunk.waited).
 * notes/groups.md says why it is done this way.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_GROUP_H
#define AGENT_FLOW_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/data/chunk.h"
#include "agent/flow/parser.h"
#include "agent/flow/plan.h"
#include "agent/flow/transform.h"

struct groups;      /* what one worker needs */

struct groups *groups_new(void);
void           groups_free(struct groups *g);

/* How the lines of the next chunk are written, from now on; NULL: UTF-8, as those of
 * containers always are. */
void groups_decode(struct groups *g, struct decoder *decoder, const struct encoding *encoding);

/* A record that is whole. */
struct group {
    struct slice        raw, body;  /* parts of the chunk, or in its arena */
    uint64_t            offset;     /* of its first byte */
    const struct frame *frame;      /* of its first line; NULL: no container's log */
    const char         *trouble;    /* why it is no line of a container's log, or NULL */
};

typedef void group_f(void *ctx, const struct group *group);

/* As transform_chunk(), which hands over to it: calls `record` for every record of the
 * chunk, sets end, lead, waits and stopped. */
enum transform_result groups_take(struct groups *g, const struct plan *plan,
                                  struct parse_work *work, struct chunk *c, bool final,
                                  group_f *record, void *ctx);

/* The room that a chunk needs for the longest group and its lines. */
size_t groups_room(const struct plan *plan);

#endif
