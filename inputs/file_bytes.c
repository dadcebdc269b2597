/* file_bytes.c - see file_bytes.h.
 *
 * Compressed bytes are read anew whenever they are needed, from where the last
 * call had used them up: what is kept between two calls is zlib's own state and
 * the tail of what it made.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "agent/base/mem.h"
#include "agent/flow/source.h"

enum {
    INPUT = 32 * 1024,          /* compressed bytes at once */
    SKIP = 64 * 1024,           /* bytes at once that nobody wants */
    GZIP_ONLY = 15 + 16,        /* inflateInit2(): the largest window, a gzip header */
};

struct file_gzip {
    z_stream           z;
    bool               begun;       /* z is in use */
    bool               inside;      /* a member has begun and not ended */
    uint64_t           used;        /* offset of the next compressed byte */
    uint64_t           made;        /* offset of the next byte of content */
    enum file_gzip_end end;
    const char        *trouble;
    char              *kept;        /* the last bytes before `made` */
    size_t             nkept, room;
};

struct file_gzip *
file_gzip_new(void)
{
    return NEW(struct file_gzip);
}

void
file_gzip_free(struct file_gzip *g)
{
    if (g == NULL)
        return;
    if (g->begun)
        inflateEnd(&g->z);
    free(g->kept);
    free(g);
}

uint64_t
file_gzip_made(const struct file_gzip *g)
{
    return g->made;
}

uint64_t
file_gzip_used(const struct file_gzip *g)
{
    return g->used;
}

enum file_gzip_end
file_gzip_end(const struct file_gzip *g)
{
    return g->end;
}

const char *
file_gzip_trouble(const struct file_gzip *g)
{
    return g->trouble;
}

bool
file_bytes_named_gz(const char *path)
{
    const size_t len = strlen(path);

    return len > 3 && strcmp(path + len - 3, ".gz") == 0;
}

/* ---- Decompressing ------------------------------------------------------------- */

static void
break_off(struct file_gzip *g, const char *why)
{
    g->end = FILE_GZIP_BROKEN;
    g->trouble = why;
}

static void
begin_anew(struct file_gzip *g)
{
    if (g->begun)
        inflateEnd(&g->z);
    g->begun = g->inside = false;
    g->used = g->made = 0;
    g->nkept = 0;
    g->end = FILE_GZIP_OPEN;
}

/* Between two members: zeroes that some tools fill up with are no part of either. */
static size_t
padding(const struct file_gzip *g, const unsigned char *in, size_t len)
{
    size_t n = 0;

    while (!g->inside && g->made > 0 && n < len && in[n] == 0)
        n++;
    return n;
}

static bool
begin_member(struct file_gzip *g)
{
    if (!g->begun)
        g->begun = inflateInit2(&g->z, GZIP_ONLY) == Z_OK;
    else
        (void)inflateReset(&g->z);
    if (!g->begun)
        break_off(g, "there is no memory for decompression");
    g->inside = g->begun;
    return g->begun;
}

/* Use up some of these; what was made stands behind z.next_out. */
static void
inflate_some(struct file_gzip *g, unsigned char *in, size_t len)
{
    size_t skipped = padding(g, in, len);

    g->used += skipped;
    if (skipped == len || (!g->inside && !begin_member(g)))
        return;
    g->z.next_in = in + skipped;
    g->z.avail_in = (unsigned)(len - skipped);
    switch (inflate(&g->z, Z_NO_FLUSH)) {
    case Z_STREAM_END:
        g->inside = false;
        break;
    case Z_OK:
    case Z_BUF_ERROR:
        break;
    case Z_MEM_ERROR:
        break_off(g, "there is no memory for decompression");
        break;
    default:
        if (g->z.total_in > 2)
            break_off(g, "its compressed data is damaged");
        else
            break_off(g, g->made == 0 ? FILE_GZIP_NONE : "something else follows its gzip data");
        break;
    }
    g->used += len - skipped - g->z.avail_in;
}

/* Make up to `len` bytes; -1: errno says why. */
static ssize_t
make(struct file_bytes b, char *to, size_t len)
{
    struct file_gzip *g = b.gzip;
    unsigned char     in[INPUT];
    size_t            n = 0;

    while (n < len && g->end != FILE_GZIP_BROKEN) {
        const ssize_t got = pread(b.fd, in, sizeof in, (off_t)g->used);

        if (got < 0)
            return -1;
        g->z.next_out = (unsigned char *)to + n;
        g->z.avail_out = (unsigned)(len - n);
        if (got == 0 && !g->inside) {
            g->end = g->used > 0 ? FILE_GZIP_WHOLE : FILE_GZIP_OPEN;
            break;
        }
        g->end = FILE_GZIP_OPEN;
        inflate_some(g, in, (size_t)got);
        g->made += len - n - g->z.avail_out;
        n = len - g->z.avail_out;
        if (got == 0)
            break;              /* in the middle of a member; zlib has given what it had */
    }
    return (ssize_t)n;
}

/* ---- What is kept ---------------------------------------------------------------- */

static uint64_t
first_kept(const struct file_gzip *g)
{
    return g->made - g->nkept;
}

static void
drop_before(struct file_gzip *g, uint64_t from)
{
    size_t dropped = from > first_kept(g) ? (size_t)(from - first_kept(g)) : 0;

    if (dropped > g->nkept)
        dropped = g->nkept;
    if (dropped == 0)
        return;
    memmove(g->kept, g->kept + dropped, g->nkept - dropped);
    g->nkept -= dropped;
}

void
file_gzip_keep(struct file_gzip *g, uint64_t from)
{
    if (g->kept == NULL)
        return;
    drop_before(g, from);
    g->room = g->nkept > 0 ? g->nkept : 1;
    g->kept = mem_resize(g->kept, g->room);
}

static ssize_t
make_and_keep(struct file_bytes b, size_t len)
{
    struct file_gzip *g = b.gzip;
    ssize_t           got;

    if (g->nkept + len > g->room) {
        g->room = g->nkept + len;
        g->kept = mem_resize(g->kept, g->room);
    }
    got = make(b, g->kept + g->nkept, len);
    if (got > 0)
        g->nkept += (size_t)got;
    return got;
}

int
file_gzip_reach(struct file_bytes b, uint64_t offset, size_t most)
{
    struct file_gzip *g = b.gzip;

    if (offset < first_kept(g))
        begin_anew(g);
    while (g->made < offset) {
        const uint64_t left = offset - g->made;
        ssize_t        got;

        if (most == 0)
            return 0;
        drop_before(g, g->made > IDENTITY_TAIL ? g->made - IDENTITY_TAIL : 0);
        got = make_and_keep(b, left < SKIP ? (size_t)left : SKIP);
        if (got <= 0)
            return got < 0 ? -1 : 1;
        most = most > (size_t)got ? most - (size_t)got : 0;
    }
    return 1;
}

static ssize_t
gzip_at(struct file_bytes b, void *to, size_t len, uint64_t offset)
{
    struct file_gzip *g = b.gzip;
    size_t            have;

    if (file_gzip_reach(b, offset, SIZE_MAX) == -1)
        return -1;
    if (g->made < offset)
        return 0;
    drop_before(g, offset > IDENTITY_TAIL ? offset - IDENTITY_TAIL : 0);
    if (g->made < offset + len && make_and_keep(b, (size_t)(offset + len - g->made)) == -1)
        return -1;
    have = (size_t)(g->made - offset);
    if (have > len)
        have = len;
    if (have > 0)
        memcpy(to, g->kept + (offset - first_kept(g)), have);
    return (ssize_t)have;
}

ssize_t
file_bytes_at(struct file_bytes b, void *to, size_t len, uint64_t offset)
{
    if (b.gzip != NULL)
        return gzip_at(b, to, len, offset);
    return pread(b.fd, to, len, (off_t)offset);
}
