/* budget.h - the memory of chunks: how much may be out, and chunks with nothing in them.
 *
 * Memory is counted, not measured: a chunk is charged with what it has touched
 * (bytes, messages, arena) and with what the client will add to each of its
 * messages.  Chunks that are free keep their memory for the next reader and count
 * too.  (agent/notes/budget.md)
 *
 * Loop thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_BUDGET_H
#define AGENT_FLOW_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "agent/flow/pool.h"
#include "agent/flow/tidy.h"

struct budget {
    uint64_t    most;           /* bytes */
    uint64_t    used;           /* charged for chunks that are out or being filled */
    uint64_t    out;            /* those chunks */
    struct pool pool, small;    /* the others, by size */
    struct tidy tidy;
};

void budget_init(struct budget *b, uint64_t most, uv_loop_t *loop);
void budget_close(struct budget *b, uv_close_cb closed, void *data);    /* handle->data */
void budget_fini(struct budget *b);

/* What a chunk of this size may come to need, while nobody knows what is in it. */
uint64_t budget_reserve_for(size_t size);

/* May a chunk of this size be taken?  Free ones make way for it; and one is always
 * allowed. */
bool budget_has_room(struct budget *b, size_t size);

/* A chunk; chunk_begin() and budget_reserve() follow. */
struct chunk *budget_take(struct budget *b, size_t size);
void          budget_reserve(struct budget *b, struct chunk *c);

/* It is filled: it is charged with what it holds. */
void budget_charge(struct budget *b, struct chunk *c);

/* More is kept because of it, until it is empty again. */
void budget_add(struct budget *b, struct chunk *c, uint64_t bytes);

/* It is empty again. */
void budget_put(struct budget *b, struct chunk *c);

/* All that counts, in bytes. */
uint64_t budget_memory(const struct budget *b);

#endif
