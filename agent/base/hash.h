/* hash.h - a 64-bit hash of bytes, the same on every machine and for ever.
 *
 * FNV-1a (RFC 9923's constants).  Its values are stored in the checkpoint
 * database.  For hash tables and for telling contents apart, not against an
 * adversary.  Any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_BASE_HASH_H
#define AGENT_BASE_HASH_H

#include <stdint.h>

#include "agent/base/slice.h"

#define HASH_START 0xcbf29ce484222325u     /* of no bytes */

/* The hash of what `h` is of, and one byte more. */
static inline uint64_t
hash_step(uint64_t h, char byte)
{
    return (h ^ (unsigned char)byte) * 0x100000001b3u;
}

static inline uint64_t
hash_bytes(struct slice s)
{
    uint64_t h = HASH_START;

    for (size_t i = 0; i < s.len; i++)
        h = hash_step(h, s.ptr[i]);
    return h;
}

#endif
