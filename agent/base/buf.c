/* buf.c - see buf.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"

enum { FIRST_ROOM = 256 };

char *
buf_grow(struct buf *b, size_t more)
{
    size_t room = b->room > 0 ? b->room : FIRST_ROOM;

    while (room - b->len < more)
        room *= 2;
    b->ptr = mem_resize(b->ptr, room);
    b->room = room;
    return b->ptr + b->len;
}

void
buf_add(struct buf *b, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    memcpy(buf_reserve(b, len), bytes, len);
    b->len += len;
}

void
buf_add_slice(struct buf *b, struct slice s)
{
    buf_add(b, s.ptr, s.len);
}

void
buf_add_string(struct buf *b, const char *string)
{
    buf_add(b, string, strlen(string));
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    int     len;

    va_copy(again, ap);
    len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    assert(len >= 0);
    vsnprintf(buf_reserve(b, (size_t)len + 1), (size_t)len + 1, fmt, ap);
    b->len += (size_t)len;
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

const char *
buf_string(struct buf *b)
{
    *buf_reserve(b, 1) = '\0';
    return b->ptr;
}

struct slice
buf_slice(const struct buf *b)
{
    return (struct slice){ b->ptr == NULL ? "" : b->ptr, b->len };
}

void
buf_clear(struct buf *b)
{
    b->len = 0;
}

void
buf_fini(struct buf *b)
{
    free(b->ptr);
    *b = (struct buf){ NULL, 0, 0 };
}
