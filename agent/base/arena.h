/* arena.h - many small pieces that die together.
 *
 * Memory comes from blocks; arena_reset() makes all of it free again and keeps
 * the first block, so that an arena in steady use never asks the heap.  Pieces
 * are aligned to 8 bytes and not zeroed.  One thread at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_BASE_ARENA_H
#define AGENT_BASE_ARENA_H

#include <stddef.h>

#include "agent/base/slice.h"

struct arena_block;

struct arena {
    struct arena_block *first;
    struct arena_block *last;
    char               *next;   /* the free part of the last block */
    char               *end;
    size_t              block;  /* bytes of a block, unless a piece is larger */
    size_t              used;   /* bytes handed out since the last reset, padding included */
};

void arena_init(struct arena *a);

/* As arena_init(), with blocks of this size: for those that hold little. */
void arena_init_small(struct arena *a, size_t block);

/* `size` bytes that live until arena_reset(). */
void *arena_alloc(struct arena *a, size_t size);

/* A copy, not aligned and without a NUL: keys and values side by side. */
struct slice arena_copy(struct arena *a, struct slice s);

/* Room for at least `size` bytes, not aligned, of which arena_commit() then
 * keeps the first `len`: for a text whose length is known only when written. */
char        *arena_reserve(struct arena *a, size_t size);
struct slice arena_commit(struct arena *a, size_t len);

void arena_reset(struct arena *a);
void arena_fini(struct arena *a);

#endif
