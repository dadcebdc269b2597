/* json.c - see json.h.
 *
 * A log line is read for a field or two; most of its bytes are passed over.  So the
 * speed is that of skipping: strings go by eight bytes at a time, and objects and
 * arrays by a loop that remembers one bit a level.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/json.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#define ONES  0x0101010101010101u
#define HIGHS 0x8080808080808080u

/* ---- Strings ------------------------------------------------------------ */

/* A high bit for each byte that ends a plain run: a control character, a quote, a
 * backslash.  The lowest is exact, those above it may be wrong (Hacker's Delight,
 * 6-1). */
static inline uint64_t
special_bytes(uint64_t word)
{
    const uint64_t quote = word ^ (ONES * '"'), backslash = word ^ (ONES * '\\');

    return (((quote - ONES) & ~quote) | ((backslash - ONES) & ~backslash) |
            ((word - ONES * 0x20) & ~word)) & HIGHS;
}

static inline bool
is_special(char c)
{
    return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

static inline const char *
plain_end(const char *p, const char *end)
{
    while (end - p >= (ptrdiff_t)sizeof(uint64_t)) {
        uint64_t word, special;

        memcpy(&word, p, sizeof word);
        special = special_bytes(word);
        if (special != 0) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            return p + (__builtin_ctzll(special) >> 3);
#else
            break;
#endif
        }
        p += sizeof word;
    }
    while (p < end && !is_special(*p))
        p++;
    return p;
}

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

/* The cursor stands behind the opening quote. */
static inline bool
take_string(struct json_cursor *j, struct json_token *t)
{
    const char *const begin = j->at;
    const char       *p = plain_end(begin, j->end);

    t->kind = JSON_STRING;
    t->escaped = false;
    while (p < j->end && *p == '\\') {
        const size_t len = escape_length(p, j->end);

        if (len == 0)
            return false;
        t->escaped = true;
        p = plain_end(p + len, j->end);
    }
    if (p == j->end || *p != '"')
        return false;
    t->text = (struct slice){ begin, (size_t)(p - begin) };
    j->at = p + 1;
    return true;
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
json_text(const struct json_token *token, struct arena *a)
{
    const char *p = token->text.ptr, *const end = p + token->text.len;
    char       *begin, *to;

    assert(token->kind == JSON_STRING);
    if (!token->escaped)
        return token->text;
    to = begin = arena_reserve(a, token->text.len);
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

bool
json_take_key(struct json_cursor *j, struct json_token *key)
{
    return json_take(j, '"') && take_string(j, key) && json_take(j, ':');
}

/* ---- Scalars ------------------------------------------------------------ */

static inline bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline const char *
digits_end(const char *p, const char *end)
{
    while (p < end && is_digit(*p))
        p++;
    return p;
}

static inline bool
take_number(struct json_cursor *j, struct json_token *t)
{
    const char *const begin = j->at, *const end = j->end;
    const char       *p = begin + (*begin == '-'), *digits = p;

    p = digits_end(p, end);
    if (p == digits || (*digits == '0' && p - digits > 1))
        return false;
    if (p < end && *p == '.') {
        digits = p + 1;
        p = digits_end(digits, end);
        if (p == digits)
            return false;
    }
    if (p < end && (*p | 0x20) == 'e') {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        digits = p;
        p = digits_end(digits, end);
        if (p == digits)
            return false;
    }
    t->kind = JSON_NUMBER;
    t->text = (struct slice){ begin, (size_t)(p - begin) };
    j->at = p;
    return true;
}

static inline bool
take_word(struct json_cursor *j, struct json_token *t, const char *word, size_t len,
          enum json_kind kind)
{
    if ((size_t)(j->end - j->at) < len || memcmp(j->at, word, len) != 0)
        return false;
    t->kind = kind;
    t->text = (struct slice){ j->at, len };
    j->at += len;
    return true;
}

/* Anything but an object or an array; there is a byte. */
static inline bool
take_scalar(struct json_cursor *j, struct json_token *t)
{
    switch (*j->at) {
    case '"':
        j->at++;
        return take_string(j, t);
    case 't':
        return take_word(j, t, "true", 4, JSON_BOOL);
    case 'f':
        return take_word(j, t, "false", 5, JSON_BOOL);
    case 'n':
        return take_word(j, t, "null", 4, JSON_NULL);
    default:
        return (*j->at == '-' || is_digit(*j->at)) && take_number(j, t);
    }
}

/* ---- Objects and arrays -------------------------------------------------- */

/* What the levels are: a bit is set for an object. */
struct levels {
    unsigned depth;
    uint64_t objects[JSON_MAX_DEPTH / 64];
};

static inline bool
in_object(const struct levels *l)
{
    return (l->objects[(l->depth - 1) / 64] >> (l->depth - 1) % 64 & 1) != 0;
}

static inline bool
go_down(struct levels *l, bool object)
{
    uint64_t      *word = &l->objects[l->depth / 64];
    const uint64_t bit = (uint64_t)1 << l->depth % 64;

    if (l->depth == JSON_MAX_DEPTH)
        return false;
    *word = object ? *word | bit : *word & ~bit;
    l->depth++;
    return true;
}

/* Behind a value: up through all that ends here, and to the next value of what does
 * not.  False: something else stands here. */
static inline bool
go_on(struct json_cursor *j, struct levels *l)
{
    struct json_token key;

    while (l->depth > 0) {
        const bool object = in_object(l);

        if (json_take(j, ','))
            return !object || json_take_key(j, &key);
        if (!json_take(j, object ? '}' : ']'))
            return false;
        l->depth--;
    }
    return true;
}

/* The cursor stands on '{' or '['. */
static bool
skip_nested(struct json_cursor *j)
{
    struct levels     l;
    struct json_token t;

    l.depth = 0;
    do {
        if (json_take(j, '{')) {
            if (!go_down(&l, true))
                return false;
            if (!json_looking_at(j, '}')) {
                if (!json_take_key(j, &t))
                    return false;
                continue;
            }
        } else if (json_take(j, '[')) {
            if (!go_down(&l, false))
                return false;
            if (!json_looking_at(j, ']'))
                continue;
        } else if (j->at == j->end || !take_scalar(j, &t)) {
            return false;
        }
        if (!go_on(j, &l))
            return false;
    } while (l.depth > 0);
    return true;
}

bool
json_take_value(struct json_cursor *j, struct json_token *value)
{
    const char *begin;

    json_skip_blanks(j);
    if (j->at == j->end)
        return false;
    if (*j->at != '{' && *j->at != '[')
        return take_scalar(j, value);
    begin = j->at;
    value->kind = *begin == '{' ? JSON_OBJECT : JSON_ARRAY;
    if (!skip_nested(j))
        return false;
    value->text = (struct slice){ begin, (size_t)(j->at - begin) };
    return true;
}
