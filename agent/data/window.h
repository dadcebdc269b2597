/* window.h - how far a source has been delivered.
 *
 * A source is read in chunks, in order and without gaps; outputs acknowledge
 * messages in any order.  The window keeps every chunk that still waits for an
 * acknowledgement and answers one question: up to which offset has everything
 * arrived?  A checkpoint stores that offset and nothing else.
 *
 *     oldest          committed                newest
 *       |-----------------|-----------------------|-----> offset in the file
 *          9 of 9 acked,       3 of 8 acked
 *          still pinned
 *
 * A chunk that is acknowledged and that an output still points into is behind
 * `committed`, and stays until it is let go of.
 *
 * The window owns the chunks it holds.  Loop thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_WINDOW_H
#define AGENT_DATA_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/data/chunk.h"

struct window {
    struct chunk     *oldest;
    struct chunk     *newest;
    struct chunk     *passed;       /* the newest one behind committed, or NULL */
    size_t            length;       /* chunks held */
    uint64_t          held_records; /* of those of them behind committed */
    uint64_t          committed;    /* everything before this offset has arrived */
    struct tail_print tail;         /* the bytes just before it */
    int64_t           lead;         /* of it, as in chunk.h */
};

/* Start empty, with all bytes before `committed` already delivered, and a lead of 0. */
void window_init(struct window *w, uint64_t committed, struct tail_print tail);

/* Take over a chunk that begins where the newest ends, and ends behind that or has
 * another lead. */
void window_push(struct window *w, struct chunk **chunk);

/* Move `committed` over the acknowledged chunks at the old end.  Those of them that
 * are complete are taken out and returned, linked by `newer`, oldest first; NULL if
 * there are none.  The caller owns them. */
struct chunk *window_advance(struct window *w);

/* Take every chunk behind `last` out, delivered or not, and return them the same
 * way; NULL: all of them.  `committed` stays as it is: they will be read again.  So
 * `last` is `passed` or newer, unless nobody will read. */
struct chunk *window_cut(struct window *w, struct chunk *last);
struct chunk *window_clear(struct window *w);       /* window_cut(w, NULL) */

/* Where the next chunk begins. */
uint64_t window_end(const struct window *w);
int64_t  window_lead(const struct window *w);

#endif
