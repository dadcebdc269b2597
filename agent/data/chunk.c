/* chunk.c - see chunk.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/chunk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"

enum { FIRST_RUNS = 8, SMALL_BLOCK = 1024 };

struct chunk *
chunk_new(size_t size)
{
    struct chunk *c = NEW(struct chunk);

    c->size = size;
    c->bytes = mem_alloc(size);
    c->max_arena = size == CHUNK_SMALL ? CHUNK_SMALL_ARENA : CHUNK_MAX_ARENA;
    c->max_messages = size == CHUNK_SMALL ? CHUNK_SMALL_MESSAGES : CHUNK_MAX_MESSAGES;
    c->messages = mem_array(NULL, c->max_messages, sizeof *c->messages);
    if (size == CHUNK_SMALL)
        arena_init_small(&c->arena, SMALL_BLOCK);
    else
        arena_init(&c->arena);
    return c;
}

void
chunk_free(struct chunk **c)
{
    struct chunk *chunk = *c;

    *c = NULL;
    if (chunk == NULL)
        return;
    assert(chunk->pins == 0);
    arena_fini(&chunk->arena);
    free(chunk->runs);
    free(chunk->messages);
    free(chunk->bytes);
    free(chunk);
}

void
chunk_begin(struct chunk *c, struct source *source, uint64_t begin, const char *path,
            const char *name)
{
    assert(c->pins == 0);
    c->source = source;
    c->newer = NULL;
    c->begin = c->end = begin;
    c->len = 0;
    c->nmessages = c->acked = c->failed = c->halted = 0;
    c->nruns = 0;
    c->records = c->filtered = c->long_lines = c->undecoded = c->cut_off = 0;
    c->encoding = NULL;
    c->read_at = 0;
    c->tail = (struct tail_print){ 0, 0 };
    c->lead = 0;
    c->waited = c->waits = 0;
    c->cut = c->stopped = false;
    arena_reset(&c->arena);
    c->path = arena_copy(&c->arena, slice_of(path));
    c->name = arena_copy(&c->arena, slice_of(name));
    c->target = NO_SLICE;
}

bool
chunk_has_room(const struct chunk *c, uint32_t messages)
{
    return c->nmessages + messages <= c->max_messages && c->arena.used < c->max_arena;
}

struct message *
chunk_add(struct chunk *c)
{
    struct message *m = &c->messages[c->nmessages];

    assert(c->nmessages < c->max_messages);
    c->nmessages++;
    memset(m, 0, sizeof *m);
    m->chunk = c;
    return m;
}

struct run *
chunk_add_run(struct chunk *c, struct output *output, struct slice topic, const void *place,
              int32_t partition)
{
    struct run *run;

    if (c->nruns == c->max_runs) {
        c->max_runs = c->max_runs > 0 ? 2 * c->max_runs : FIRST_RUNS;
        c->runs = mem_array(c->runs, c->max_runs, sizeof *c->runs);
    }
    run = &c->runs[c->nruns++];
    *run = (struct run){ .output = output, .topic = topic, .place = place,
                         .partition = partition, .chunk = c };
    return run;
}

static void
measure(struct chunk *c, const uint32_t *run_of)
{
    uint32_t first = 0;

    for (uint32_t i = 0; i < c->nmessages; i++) {
        const struct message *m = &c->messages[i];
        struct run           *run = &c->runs[run_of[i]];

        run->count++;
        run->bytes += m->value_len + m->key_len;
    }
    for (uint32_t i = 0; i < c->nruns; i++) {
        c->runs[i].first = first;
        first += c->runs[i].count;
    }
    assert(first == c->nmessages);
}

void
chunk_sort(struct chunk *c, const uint32_t *run_of, struct message *spare)
{
    measure(c, run_of);
    if (c->nruns < 2)
        return;
    /* Counting sort; `count` is filled again on the way. */
    for (uint32_t i = 0; i < c->nruns; i++)
        c->runs[i].count = 0;
    for (uint32_t i = 0; i < c->nmessages; i++) {
        struct run *run = &c->runs[run_of[i]];

        spare[run->first + run->count++] = c->messages[i];
    }
    memcpy(c->messages, spare, c->nmessages * sizeof *spare);
}

bool
chunk_complete(const struct chunk *c)
{
    assert(c->acked <= c->nmessages);
    return c->acked == c->nmessages && c->pins == 0;
}

size_t
chunk_memory(const struct chunk *c)
{
    return sizeof *c + c->len + c->nmessages * sizeof *c->messages + c->arena.used +
           c->max_runs * sizeof *c->runs;
}
