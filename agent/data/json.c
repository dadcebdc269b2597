/* json.c - see json.h and json_scan.h.
 *
 * A log line is read for a field or two; most of its bytes are passed over.  So the
 * speed is that of skipping: strings go by sixteen bytes at a time (eight without SSE2),
 * and objects and arrays by a loop that remembers one bit a level.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/json.h"

#include <stdint.h>
#include <string.h>

#include "agent/data/json_scan.h"
/* ---- Strings ------------------------------------------------------------ */

/* The value of four hexadecimal digits, or -1. */
static int32_t
hex4(const char *p, const char *end)
{
    int32_t value = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const char c = p[i];

        if (c >= '0' && c <= '9')
            value = value << 4 | (c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            value = value << 4 | ((c | 0x20) - 'a' + 10);
        else
            return -1;
    }
    return value;
}

/* The length of the escape at `p`; 0: it is none. */
static size_t
escape_length(const char *p, const char *end)
{
    if (end - p < 2)
        return 0;
    if (p[1] == 'u')
        return hex4(p + 2, end) >= 0 ? 6 : 0;
    return p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) != NULL ? 2 : 0;
}

RARE const char *
json_scan_escaped(struct json_scan t, const char *p)
{
    while (p < t.end && *p == '\\') {
        const size_t len = escape_length(p, t.end);

        if (len == 0)
            return p;
        p = json_scan_plain(t, p + len);
    }
    return p;
}

static char *
add_utf8(char *to, uint32_t code)
{
    const int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;

    *to++ = (char)(more == 0 ? code : (0xff00u >> (more + 1) & 0xff) | code >> 6 * more);
    for (int i = more - 1; i >= 0; i--)
        *to++ = (char)(0x80 | (code >> 6 * i & 0x3f));
    return to;
}

static int32_t
hex_escape(const char *p, const char *end)
{
    return end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2, end) : -1;
}

bool
json_take_unicode(const char **p, const char *end, char **to)
{
    const int32_t first = hex_escape(*p, end);
    int32_t       second;
    uint32_t      code = (uint32_t)first;

    if (first < 0)
        return false;
    *p += 6;
    if (first >= 0xd800 && first <= 0xdfff) {
        second = first < 0xdc00 ? hex_escape(*p, end) : -1;
        code = 0xfffd;
        if (second >= 0xdc00 && second <= 0xdfff) {
            code = 0x10000 + ((uint32_t)(first - 0xd800) << 10) + (uint32_t)(second - 0xdc00);
            *p += 6;
        }
    }
    *to = add_utf8(*to, code);
    return true;
}

static char
short_escape(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c;
    }
}

/* No escape is shorter than what it stands for. */
struct slice
json_unescape(struct slice text, struct arena *a)
{
    const char *p = text.ptr, *const end = p + text.len;
    char       *begin = arena_reserve(a, text.len), *to = begin;

    while (p < end) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        const size_t plain = (size_t)((escape != NULL ? escape : end) - p);

        memcpy(to, p, plain);
        to += plain;
        p += plain;
        if (escape != NULL && !json_take_unicode(&p, end, &to)) {
            *to++ = short_escape(p[1]);
            p += 2;
        }
    }
    return arena_commit(a, (size_t)(to - begin));
}

/* ---- Objects and arrays -------------------------------------------------- */

RARE const char *
json_scan_many_blanks(struct json_scan t, const char *p)
{
    while (p < t.end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* What the levels are, the innermost lowest: a bit is set for an object.  Those that do not fit
 * into one word are kept behind it. */
struct levels {
    unsigned depth;
    uint64_t objects;
    uint64_t kept[JSON_MAX_DEPTH / 64];
};

INLINE bool
go_down(struct levels *l, bool object)
{
    if (l->depth == JSON_MAX_DEPTH)
        return false;
    if (l->depth % 64 == 0)
        l->kept[l->depth / 64] = l->objects;
    l->objects = l->objects << 1 | object;
    l->depth++;
    return true;
}

INLINE void
go_up(struct levels *l)
{
    l->depth--;
    l->objects = l->depth % 64 == 0 ? l->kept[l->depth / 64] : l->objects >> 1;
}

/* Behind a value: up through all that ends here, and to the next value of what does not. */
INLINE const char *
go_on(struct json_scan t, const char *p, struct levels *l)
{
    struct slice name;
    bool         escaped;

    while (l->depth > 0) {
        const bool object = (l->objects & 1) != 0;

        p = json_scan_blanks(t, p);
        if (p == t.end)
            return NULL;
        if (*p == ',')
            return object ? json_scan_key(t, p + 1, &name, &escaped) : json_scan_blanks(t, p + 1);
        if (*p != (object ? '}' : ']'))
            return NULL;
        go_up(l);
        p++;
    }
    return p;
}

/* `p` stands on a bracket.  To the first value behind it, or behind the whole if it is empty. */
INLINE const char *
begin_nested(struct json_scan t, const char *p, struct levels *l)
{
    const bool   object = *p == '{';
    struct slice name;
    bool         escaped;

    p = json_scan_blanks(t, p + 1);
    if (p == t.end || !go_down(l, object))
        return NULL;
    if (*p == (object ? '}' : ']')) {
        go_up(l);
        return go_on(t, p + 1, l);
    }
    return object ? json_scan_key(t, p, &name, &escaped) : p;
}

RARE const char *
json_scan_nested(struct json_scan t, const char *p)
{
    struct levels  l;
    enum json_kind kind;
    bool           escaped;

    l.depth = 0;
    l.objects = 0;
    do {
        if (p == t.end)
            return NULL;
        if (*p == '{' || *p == '[') {
            p = begin_nested(t, p, &l);
        } else {
            p = json_scan_scalar(t, p, &kind, &escaped);
            if (p != NULL)
                p = go_on(t, p, &l);
        }
    } while (p != NULL && l.depth > 0);
    return p;
}

/* ---- The cursor ----------------------------------------------------------- */

INLINE struct json_scan
text_of(const struct json_cursor *j)
{
    return (struct json_scan){ j->at, j->end };
}

INLINE bool
move_on(struct json_cursor *j, const char *p)
{
    if (p != NULL)
        j->at = p;
    return p != NULL;
}

bool
json_take_value(struct json_cursor *j, struct json_token *value)
{
    const struct json_scan t = text_of(j);
    const char *const      begin = json_scan_blanks(t, j->at), *p;

    if (begin == t.end)
        return false;
    p = json_scan_any(t, begin, &value->kind, &value->escaped);
    if (p == NULL)
        return false;
    value->text = (struct slice){ begin, (size_t)(p - begin) };
    if (value->kind == JSON_STRING)
        value->text = (struct slice){ begin + 1, (size_t)(p - begin) - 2 };
    return move_on(j, p);
}

bool
json_take_key(struct json_cursor *j, struct json_token *key)
{
    const struct json_scan t = text_of(j);

    key->kind = JSON_STRING;
    return move_on(j, json_scan_key(t, j->at, &key->text, &key->escaped));
}
