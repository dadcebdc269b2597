/* buf.h - bytes that grow at the end.
 *
 * Owns its memory.  A zeroed struct is an empty one.  One thread at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_BASE_BUF_H
#define AGENT_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "agent/base/slice.h"

struct buf {
    char  *ptr;
    size_t len;
    size_t room;
};

/* It has less room than that: get more. */
char *buf_grow(struct buf *b, size_t more);

/* Room for `more` bytes behind the end; returns where they begin. */
static inline char *
buf_reserve(struct buf *b, size_t more)
{
    return b->room - b->len >= more && b->ptr != NULL ? b->ptr + b->len : buf_grow(b, more);
}

static inline void
buf_add_char(struct buf *b, char c)
{
    *buf_reserve(b, 1) = c;
    b->len++;
}

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_add_slice(struct buf *b, struct slice s);
void buf_add_string(struct buf *b, const char *string);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* The content with a NUL behind (not counted in len); lives until the next change. */
const char *buf_string(struct buf *b);

/* What it holds now; lives until the next change. */
struct slice buf_slice(const struct buf *b);

/* Empty it, keep the memory; give the memory back. */
void buf_clear(struct buf *b);
void buf_fini(struct buf *b);

#endif
