/* pool.h - free chunks of one size, kept for the next reader.
 *
 * Last in, first out: what was used a moment ago is warm.  Their memory counts
 * (pipeline.c).  Loop thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_POOL_H
#define AGENT_FLOW_POOL_H

#include <stdint.h>

#include "agent/data/chunk.h"

/* A zeroed struct is an empty pool. */
struct pool {
    struct chunk *first;
    uint64_t      memory;       /* bytes that they have touched */
    uint64_t      length;
};

void pool_put(struct pool *pool, struct chunk *c);

/* The last one; only if there is one. */
struct chunk *pool_take(struct pool *pool);

/* Free chunks until no more than `length` are left. */
void pool_trim(struct pool *pool, uint64_t length);

#endif
