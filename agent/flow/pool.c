/* pool.c - see pool.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/pool.h"

void
pool_put(struct pool *pool, struct chunk *c)
{
    c->newer = pool->first;
    pool->first = c;
    pool->memory += c->touched;
    pool->length++;
}

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
pool_trim(struct pool *pool, uint64_t length)
{
    while (pool->length > length) {
        struct chunk *c = pool_take(pool);

        chunk_free(&c);
    }
}
