/* saving.h - who waits until an offset is on disk.
 *
 * Sources that send one record at a time (send: sync): the next is not sent before
 * the offset behind the last one is saved.  Chunks of sources that send at most
 * once (fire_and_forget): they are not sent before the offset behind them is.
 * Each waits for a write of the checkpoints, by its number.
 *
 * Loop thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_SAVING_H
#define AGENT_FLOW_SAVING_H

#include <stdbool.h>
#include <stdint.h>

struct chunk;
struct source;

/* A zeroed struct: nobody waits. */
struct saving {
    uint64_t       saved;           /* the last write that is on disk */
    struct source *sources;         /* linked by next_waiting */
    struct chunk  *first, *last;    /* in order; linked by next_unsent */
};

/* Is its offset on disk?  If not it waits from now on (s->saving). */
bool saving_is_done(struct saving *v, struct source *s);
void saving_forget(struct saving *v, struct source *s);

/* The chunk waits for write `number`, which is no lower than that of any before. */
void saving_add(struct saving *v, struct chunk *c, uint64_t number);

/* A source or chunk that waits no more; NULL: there is none.  `any`: whatever is on disk. */
struct source *saving_take_source(struct saving *v);
struct chunk  *saving_take_chunk(struct saving *v, bool any);

#endif
