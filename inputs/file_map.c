/* file_map.c - see file_map.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_map.h"

#include <assert.h>
#include <stdlib.h>

#include "agent/base/mem.h"

enum { FIRST_SIZE = 16 };

static struct file_link **
bucket(const struct file_map *m, uint64_t hash)
{
    return &m->buckets[(hash ^ (hash >> 32)) & (m->size - 1)];
}

static void
put(struct file_map *m, struct file_link *l)
{
    struct file_link **at = bucket(m, l->hash);

    l->next = *at;
    *at = l;
}

static void
grow(struct file_map *m)
{
    struct file_map bigger = { NULL, m->size > 0 ? 2 * m->size : FIRST_SIZE, m->count };

    bigger.buckets = mem_zero(bigger.size * sizeof *bigger.buckets);
    for (size_t i = 0; i < m->size; i++)
        for (struct file_link *l = m->buckets[i], *next; l != NULL; l = next) {
            next = l->next;
            put(&bigger, l);
        }
    free(m->buckets);
    *m = bigger;
}

void
file_map_add(struct file_map *m, struct file_link *l, uint64_t hash)
{
    if (m->count >= m->size)
        grow(m);
    l->hash = hash;
    put(m, l);
    m->count++;
}

void
file_map_remove(struct file_map *m, struct file_link *l)
{
    struct file_link **at = bucket(m, l->hash);

    while (*at != l) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    *at = l->next;
    l->next = NULL;
    m->count--;
}

static struct file_link *
with_hash(struct file_link *l, uint64_t hash)
{
    while (l != NULL && l->hash != hash)
        l = l->next;
    return l;
}

struct file_link *
file_map_first(const struct file_map *m, uint64_t hash)
{
    return m->size > 0 ? with_hash(*bucket(m, hash), hash) : NULL;
}

struct file_link *
file_map_next(const struct file_link *l)
{
    return with_hash(l->next, l->hash);
}

void
file_map_fini(struct file_map *m)
{
    free(m->buckets);
    *m = (struct file_map){ NULL, 0, 0 };
}
