/* budget.c - see budget.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/budget.h"

#include "agent/data/chunk.h"
#include "agent/flow/source.h"

enum {
    CLIENT_OVERHEAD = 176,      /* bytes that librdkafka adds to a message */
    IDLE_POOL = 4,              /* free chunks kept when nothing is out, */
    IDLE_SMALL = 64,            /* and free small ones */
};

static bool
is_quiet(const void *budget)
{
    return ((const struct budget *)budget)->out == 0;
}

void
budget_init(struct budget *b, uint64_t most, uv_loop_t *loop)
{
    *b = (struct budget){ .most = most };
    tidy_init(&b->tidy, loop, is_quiet, b);
}

void
budget_close(struct budget *b, uv_close_cb closed, void *data)
{
    tidy_close(&b->tidy, closed, data);
}

void
budget_fini(struct budget *b)
{
    pool_trim(&b->pool, 0);
    pool_trim(&b->small, 0);
}

/* ---- Room ------------------------------------------------------------------ */

uint64_t
budget_reserve_for(size_t size)
{
    const bool     small = size == CHUNK_SMALL;
    const uint64_t messages = small ? CHUNK_SMALL_MESSAGES : CHUNK_MAX_MESSAGES;

    return size + (small ? CHUNK_SMALL_ARENA : CHUNK_MAX_ARENA) +
           messages * (sizeof(struct message) + CLIENT_OVERHEAD);
}

/* Where free chunks of this size are; NULL: they are not kept. */
static struct pool *
pool_of(struct budget *b, size_t size)
{
    if (size > CHUNK_SIZE)
        return NULL;
    return size == CHUNK_SMALL ? &b->small : &b->pool;
}

uint64_t
budget_memory(const struct budget *b)
{
    return b->used + b->pool.memory + b->small.memory;
}

/* How much a job would take too much.  The free chunk that it fills is counted once: its
 * memory is a part of what is reserved. */
static uint64_t
shortage(const struct budget *b, const struct pool *own, size_t size)
{
    const uint64_t reused = own != NULL && own->first != NULL ? own->first->touched : 0;
    const uint64_t sum = budget_memory(b) - reused + budget_reserve_for(size);

    return sum > b->most ? sum - b->most : 0;
}

static bool
make_room(struct budget *b, struct pool *pool, const struct pool *own, size_t size)
{
    const uint64_t kept = pool == own ? 1 : 0;

    while (pool->length > kept && shortage(b, own, size) > 0)
        pool_trim(pool, pool->length - 1);
    return shortage(b, own, size) == 0;
}

/* Not for the one that is reused: to free that gains nothing. */
bool
budget_has_room(struct budget *b, size_t size)
{
    const struct pool *own = pool_of(b, size);

    return b->out == 0 || make_room(b, &b->pool, own, size) || make_room(b, &b->small, own, size);
}

/* ---- Chunks ---------------------------------------------------------------- */

static void
charge(struct budget *b, struct chunk *c, uint64_t bytes)
{
    b->used += bytes - c->charged;
    c->source->charged += bytes - c->charged;
    c->charged = bytes;
}

struct chunk *
budget_take(struct budget *b, size_t size)
{
    struct pool *pool = pool_of(b, size);

    b->out++;
    return pool != NULL && pool->first != NULL ? pool_take(pool) : chunk_new(size);
}

void
budget_reserve(struct budget *b, struct chunk *c)
{
    charge(b, c, budget_reserve_for(c->size));
}

void
budget_charge(struct budget *b, struct chunk *c)
{
    charge(b, c, c->touched + c->arena.used + (uint64_t)c->nmessages * CLIENT_OVERHEAD);
}

void
budget_add(struct budget *b, struct chunk *c, uint64_t bytes)
{
    charge(b, c, c->charged + bytes);
}

void
budget_put(struct budget *b, struct chunk *c)
{
    struct pool *pool = pool_of(b, c->size);

    charge(b, c, 0);
    c->source = NULL;
    b->out--;
    if (pool == NULL)
        chunk_free(&c);
    else
        pool_put(pool, c);
    if (b->out > 0)
        return;
    if (b->pool.length > IDLE_POOL)
        tidy_later(&b->tidy);
    pool_trim(&b->pool, IDLE_POOL);
    pool_trim(&b->small, IDLE_SMALL);
}
