/* slice.h - bytes that belong to somebody else.
 *
 * A slice borrows and never owns; whoever hands one out says how long it lives.
 * `ptr` NULL means "there is none", which is not the same as empty.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_BASE_SLICE_H
#define AGENT_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t      len;
};

/* For printf: printf("%.*s", SLICE_ARG(s)). */
#define SLICE_ARG(s) (int)(s).len, (s).ptr

/* A slice of a string literal, without its NUL. */
#define SLICE(literal) ((struct slice){ "" literal, sizeof(literal) - 1 })

#define NO_SLICE ((struct slice){ NULL, 0 })

static inline struct slice
slice_of(const char *string)
{
    return (struct slice){ string, string == NULL ? 0 : strlen(string) };
}

/* True if both hold the same bytes; a missing slice equals only a missing one. */
static inline bool
slice_equal(struct slice a, struct slice b)
{
    if (a.ptr == NULL || b.ptr == NULL)
        return a.ptr == b.ptr;
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static inline bool
slice_is(struct slice a, const char *string)
{
    return slice_equal(a, slice_of(string));
}

#endif
