/* pool.c - see pool.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/pool.h"

#include "agent/data/chunk.h"

struct chunk *
pool_take(struct pool *pool)
{
    struct chunk *c = pool->first;

    pool->first = c->newer;
    pool->memory -= c->touched;
    pool->length--;
    return c;
}

void
pool_put(struct pool *pool, struct chunk *c)
{
    c->newer = pool->first;
    pool->first = c;
    pool->memory += c->touched;
    pool->length++;
}

void
pool_trim(struct pool *pool, uint64_t most)
{
    while (pool->length > most) {
        struct chunk *c = pool_take(pool);

        chunk_free(&c);
    }
}
