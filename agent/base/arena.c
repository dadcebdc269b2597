/* arena.c - see arena.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"

enum { BLOCK_SIZE = 32 * 1024, ALIGNMENT = 8 };

struct arena_block {
    struct arena_block *newer;
    size_t              size;
    char                bytes[];
};

void
arena_init(struct arena *a)
{
    arena_init_small(a, BLOCK_SIZE);
}

void
arena_init_small(struct arena *a, size_t block)
{
    *a = (struct arena){ NULL, NULL, NULL, NULL, block, 0 };
}

static void
use_block(struct arena *a, struct arena_block *b)
{
    a->last = b;
    a->next = b->bytes;
    a->end = b->bytes + b->size;
}

static void
add_block(struct arena *a, size_t size)
{
    const size_t        room = size > a->block ? size : a->block;
    struct arena_block *b = mem_alloc(sizeof *b + room);

    b->newer = NULL;
    b->size = room;
    if (a->last != NULL)
        a->last->newer = b;
    else
        a->first = b;
    use_block(a, b);
}

char *
arena_reserve(struct arena *a, size_t size)
{
    if ((size_t)(a->end - a->next) < size || a->next == NULL)
        add_block(a, size);
    return a->next;
}

struct slice
arena_commit(struct arena *a, size_t len)
{
    const struct slice s = { a->next, len };

    assert(len <= (size_t)(a->end - a->next));
    a->next += len;
    a->used += len;
    return s;
}

struct slice
arena_copy(struct arena *a, struct slice s)
{
    char *room = arena_reserve(a, s.len);

    if (s.len > 0)
        memcpy(room, s.ptr, s.len);
    return arena_commit(a, s.len);
}

void *
arena_alloc(struct arena *a, size_t size)
{
    char  *room = arena_reserve(a, size + ALIGNMENT - 1);
    size_t skew = (uintptr_t)room % ALIGNMENT;
    size_t pad = skew > 0 ? ALIGNMENT - skew : 0;

    (void)arena_commit(a, pad + size);
    return room + pad;
}

static void
free_blocks(struct arena_block *b)
{
    while (b != NULL) {
        struct arena_block *newer = b->newer;

        free(b);
        b = newer;
    }
}

void
arena_reset(struct arena *a)
{
    a->used = 0;
    if (a->first == NULL)
        return;
    free_blocks(a->first->newer);
    a->first->newer = NULL;
    use_block(a, a->first);
}

void
arena_fini(struct arena *a)
{
    free_blocks(a->first);
    arena_init_small(a, a->block);
}
