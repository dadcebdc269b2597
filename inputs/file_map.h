/* file_map.h - find a thing by the hash of its key.
 *
 * A hash table of links that are embedded in the things; it owns nothing.  The
 * caller compares keys: several things may have one hash, or even one key.
 *
 *     for (l = file_map_first(&m, hash); l != NULL; l = file_map_next(l)) ...
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_MAP_H
#define INPUTS_FILE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/hash.h"

struct file_link {
    struct file_link *next;
    uint64_t          hash;
};

/* A zeroed struct is an empty map. */
struct file_map {
    struct file_link **buckets;
    size_t             size;        /* a power of two, or 0 */
    size_t             count;
};

/* The thing that embeds this link. */
#define FILE_OWNER(link, type, member) \
    ((type *)(void *)((char *)(link) - offsetof(type, member)))

void file_map_add(struct file_map *m, struct file_link *l, uint64_t hash);
void file_map_remove(struct file_map *m, struct file_link *l);

struct file_link *file_map_first(const struct file_map *m, uint64_t hash);
struct file_link *file_map_next(const struct file_link *l);

/* Only its own memory. */
void file_map_fini(struct file_map *m);

/* The hash of two numbers, or of a number and a text. */
static inline uint64_t
file_hash_numbers(uint64_t a, uint64_t b)
{
    const uint64_t both[] = { a, b };

    return hash_bytes((struct slice){ (const char *)both, sizeof both });
}

static inline uint64_t
file_hash_name(int number, const char *name)
{
    return hash_bytes(slice_of(name)) ^ ((uint64_t)(unsigned)number * 0x9e3779b97f4a7c15u);
}

#endif
