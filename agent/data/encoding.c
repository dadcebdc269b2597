/* encoding.c - see encoding.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/encoding.h"

#include <assert.h>
#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/mem.h"

#define NO_ICONV ((iconv_t)-1)

enum {
    MOST_A_BYTE = 4,        /* bytes of UTF-8 that one byte can become */
    MOST_OF_A_BYTE = 8,     /* bytes that one of UTF-8 can become, shifts of ISO 2022 included */
};

struct encoding {
    char            *name;
    iconv_t          held;      /* never used: what it needs stays loaded */
    size_t           unit;
    char             lf[ENCODING_UNIT], cr[ENCODING_UNIT];
    struct encoding *big;       /* a mark says which of two it is: this one is the other */
};

struct decoder {
    const struct encoding *e;
    iconv_t                cd;
};

/* ---- Which ----------------------------------------------------------------------- */

/* How this encoding writes a character, with what it puts in front of a text. */
static size_t
encode(iconv_t to, const char *text, char *out, size_t room)
{
    char   in[1] = { *text };
    char  *from = in, *at = out;
    size_t left = 1, space = room;

    iconv(to, NULL, NULL, NULL, NULL);
    if (iconv(to, &from, &left, &at, &space) == (size_t)-1 ||
        iconv(to, NULL, NULL, &at, &space) == (size_t)-1)
        return 0;
    return room - space;
}

static bool
is_mark(const char *bytes, size_t len)
{
    return (len == 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)) ||
           (len == 4 && (memcmp(bytes, "\xff\xfe\0\0", 4) == 0 ||
                         memcmp(bytes, "\0\0\xfe\xff", 4) == 0));
}

/* How it writes LF and CR; 0: not in the way of a text's line end. */
static size_t
line_end(const char *name, char *lf, char *cr, bool *marked)
{
    const iconv_t to = iconv_open(name, "UTF-8");
    char          a[16], b[16];
    size_t        len, other;

    if (to == NO_ICONV)
        return 0;
    len = encode(to, "\n", a, sizeof a);
    other = encode(to, "\r", b, sizeof b);
    iconv_close(to);
    *marked = is_mark(a, len / 2);
    if (*marked)
        len /= 2;
    else if (len != other)
        return 0;
    if (len != 1 && len != 2 && len != 4)
        return 0;
    memcpy(lf, *marked ? a + len : a, len);
    memcpy(cr, *marked ? b + len : b, len);
    return len;
}

static bool
is_utf_8(const char *name)
{
    return strcasecmp(name, "utf-8") == 0 || strcasecmp(name, "utf8") == 0;
}

/* NULL: there is none of this name. */
static struct encoding *
make(const char *name, bool *marked)
{
    const bool       plain = name[0] != '\0' && strchr(name, '/') == NULL;
    const iconv_t    held = plain ? iconv_open("UTF-8", name) : NO_ICONV;
    struct encoding *e;

    if (held == NO_ICONV)
        return NULL;
    e = NEW(struct encoding);
    e->name = mem_string(name);
    e->held = held;
    e->unit = line_end(name, e->lf, e->cr, marked);
    return e;
}

/* Both orders, of which the mark of a file will choose one. */
static struct encoding *
make_both(size_t unit)
{
    bool             marked;
    struct encoding *e = make(unit == 2 ? "UTF-16LE" : "UTF-32LE", &marked);

    assert(e != NULL);
    e->big = make(unit == 2 ? "UTF-16BE" : "UTF-32BE", &marked);
    assert(e->big != NULL);
    return e;
}

int
encoding_new(const char *name, struct encoding **made, struct error *err)
{
    bool             marked = false;
    struct encoding *e;
    size_t           unit;

    *made = NULL;
    if (is_utf_8(name))
        return 0;
    e = make(name, &marked);
    if (e == NULL)
        return error_set(err, ERR_CONFIG, "'%s' is no encoding that is known here (see 'iconv -l')",
                         name);
    unit = e->unit;
    if (unit > 0 && !marked) {
        *made = e;
        return 0;
    }
    encoding_free(e);
    if (unit == 0)
        return error_set(err, ERR_CONFIG, "'%s' has no line end that stands for itself", name);
    *made = make_both(unit);
    return 0;
}

void
encoding_free(struct encoding *e)
{
    if (e == NULL)
        return;
    encoding_free(e->big);
    iconv_close(e->held);
    free(e->name);
    free(e);
}

const struct encoding *
encoding_marked(const struct encoding *e, const char *first, size_t len)
{
    const size_t mark = e->unit;

    if (e->big != NULL && len >= mark && memcmp(first, mark == 2 ? "\xfe\xff" : "\0\0\xfe\xff",
                                               mark) == 0)
        return e->big;
    return e;
}

/* ---- Lines ----------------------------------------------------------------------- */

size_t
encoding_unit_of(const struct encoding *e)
{
    return e->unit;
}

size_t
encoding_first_line_of(const struct encoding *e, const char *bytes, size_t len)
{
    const size_t unit = e->unit;
    const char  *lf;

    if (unit == 1) {
        lf = memchr(bytes, e->lf[0], len);
        return lf != NULL ? (size_t)(lf - bytes) + 1 : 0;
    }
    for (size_t at = 0; at + unit <= len; at += unit)
        if (memcmp(bytes + at, e->lf, unit) == 0)
            return at + unit;
    return 0;
}

size_t
encoding_last_line_of(const struct encoding *e, const char *bytes, size_t len)
{
    const size_t unit = e->unit;

    for (size_t at = len - len % unit; at > 0; at -= unit)
        if (memcmp(bytes + at - unit, e->lf, unit) == 0)
            return at;
    return 0;
}

size_t
encoding_cr_of(const struct encoding *e, const char *line, size_t len)
{
    return len >= e->unit && memcmp(line + len - e->unit, e->cr, e->unit) == 0 ? e->unit : 0;
}

/* ---- Decoding ---------------------------------------------------------------------- */

struct decoder *
decoder_new(void)
{
    struct decoder *d = NEW(struct decoder);

    d->cd = NO_ICONV;
    return d;
}

void
decoder_free(struct decoder *d)
{
    if (d == NULL)
        return;
    if (d->cd != NO_ICONV)
        iconv_close(d->cd);
    free(d);
}

/* Ready for the beginning of a text.  What it needs is loaded (struct encoding). */
static void
begin(struct decoder *d, const struct encoding *e)
{
    if (d->e != e) {
        if (d->cd != NO_ICONV)
            iconv_close(d->cd);
        d->cd = iconv_open("UTF-8", e->name);
        d->e = e;
    }
    assert(d->cd != NO_ICONV);
    iconv(d->cd, NULL, NULL, NULL, NULL);
}

/* Over one unit that is no text; false at the end of the bytes. */
static bool
step_over(const struct encoding *e, char **from, size_t *left)
{
    const size_t n = *left < e->unit ? *left : e->unit;

    *from += n;
    *left -= n;
    return *left > 0;
}

struct slice
decoder_text(struct decoder *d, const struct encoding *e, struct slice bytes, struct arena *a,
             uint32_t *bad)
{
    static const char replacement[] = "\xef\xbf\xbd";
    const size_t      room = MOST_A_BYTE * bytes.len + 16;
    char             *text = arena_reserve(a, room), *to = text;
    char             *from = (char *)(uintptr_t)bytes.ptr;      /* iconv() only reads it */
    size_t            left = bytes.len, space = room;
    bool              more = left > 0;

    begin(d, e);
    while (more && iconv(d->cd, &from, &left, &to, &space) == (size_t)-1) {
        assert(errno != E2BIG && space > sizeof replacement);
        memcpy(to, replacement, sizeof replacement - 1);
        to += sizeof replacement - 1;
        space -= sizeof replacement - 1;
        (*bad)++;
        more = errno == EILSEQ && step_over(e, &from, &left);
    }
    iconv(d->cd, NULL, NULL, &to, &space);
    return arena_commit(a, (size_t)(to - text));
}

size_t
decoder_cut(struct decoder *d, const struct encoding *e, const char *bytes, size_t most)
{
    char   nobody[1024];
    char  *from = (char *)(uintptr_t)bytes;
    size_t left = most - most % e->unit, used;

    begin(d, e);
    while (left > 0) {
        char  *to = nobody;
        size_t space = sizeof nobody;

        if (iconv(d->cd, &from, &left, &to, &space) != (size_t)-1 || errno == EINVAL)
            break;
        if (errno == EILSEQ)
            (void)step_over(e, &from, &left);
    }
    used = (size_t)(from - bytes);
    return used > 0 ? used : e->unit;
}

/* ---- Encoding ---------------------------------------------------------------------- */

struct slice
encoding_write(const struct encoding *e, struct slice text, struct arena *a)
{
    const iconv_t cd = iconv_open(e->name, "UTF-8");
    const size_t  room = MOST_OF_A_BYTE * text.len + 16;
    char         *bytes = arena_reserve(a, room), *to = bytes;
    char         *from = (char *)(uintptr_t)text.ptr;       /* iconv() only reads it */
    size_t        left = text.len, space = room;

    assert(cd != NO_ICONV);
    while (left > 0 && iconv(cd, &from, &left, &to, &space) == (size_t)-1) {
        char   mark[1] = { '?' }, *at = mark;
        size_t one = 1;

        assert(errno != E2BIG);
        iconv(cd, &at, &one, &to, &space);
        do {
            from++;
            left--;
        } while (left > 0 && ((unsigned char)*from & 0xc0) == 0x80);
    }
    iconv(cd, NULL, NULL, &to, &space);
    iconv_close(cd);
    return arena_commit(a, (size_t)(to - bytes));
}
