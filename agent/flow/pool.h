/* pool.h - free chunks of one size, kept with their memory for the next reader; last in,
 * first out.
 *
 * Loop thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_POOL_H
#define AGENT_FLOW_POOL_H

#include <stdint.h>

struct chunk;

/* A zeroed struct is empty. */
struct pool {
    struct chunk *first;
    uint64_t      memory;       /* bytes that they have touched */
    uint64_t      length;       /* chunks */
};

struct chunk *pool_take(struct pool *pool);     /* there is one */
void          pool_put(struct pool *pool, struct chunk *c);

/* Free all but `most`. */
void pool_trim(struct pool *pool, uint64_t most);

#endif
