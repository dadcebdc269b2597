/* json.c - see json.h.
 *
 * A log line is read for a field or two; most of its bytes are passed over.  So the
 * speed is that of skipping: strings go by eight bytes at a time, and objects and
 * arrays by a loop that remembers one bit a level.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/json.h"

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* All that it calls becomes a part of it: these are the loops that a line spends its time in. */
#define FLAT __attribute__((flatten))
#define RARE __attribute__((noinline))

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

#ifdef __SSE2__
/* The same for sixteen bytes, one bit each, all of them exact. */
static inline unsigned
special_of_16(const char *p)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    const __m128i last_control = _mm_set1_epi8(0x1f);
    const __m128i special = _mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                     _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
        _mm_cmpeq_epi8(_mm_max_epu8(bytes, last_control), last_control));

    return (unsigned)_mm_movemask_epi8(special);
}
#endif

static inline const char *
plain_end(const char *p, const char *end)
{
#ifdef __SSE2__
    while (end - p >= 16) {
        const unsigned special = special_of_16(p);

        if (special != 0)
            return p + __builtin_ctz(special);
        p += 16;
    }
#endif
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

/* A string with escapes, `p` on the first of them: where its closing quote is. */
RARE static const char *
escaped_end(const char *p, const char *end)
{
    while (p < end && *p == '\\') {
        const size_t len = escape_length(p, end);

        if (len == 0)
            return NULL;
        p = plain_end(p + len, end);
    }
    return p;
}

/* The takers below begin at `p`, which is before `end`, and return where to go on; NULL:
 * what stands there is not what it should be. */

/* `p` is behind the opening quote, and may be the end. */
static inline const char *
take_string(const char *p, const char *end, struct json_token *t)
{
    const char *close = plain_end(p, end);

    t->kind = JSON_STRING;
    t->escaped = close < end && *close == '\\';
    if (t->escaped)
        close = escaped_end(close, end);
    if (close == NULL || close == end || *close != '"')
        return NULL;
    t->text = (struct slice){ p, (size_t)(close - p) };
    return close + 1;
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

/* ---- Scalars ------------------------------------------------------------ */

static inline bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* NULL: there is no digit at all. */
static inline const char *
take_digits(const char *p, const char *end)
{
    const char *const begin = p;

    while (p < end && is_digit(*p))
        p++;
    return p > begin ? p : NULL;
}

/* What may stand behind the whole part of a number. */
static inline const char *
take_fraction_and_exponent(const char *p, const char *end)
{
    if (*p == '.') {
        p = take_digits(p + 1, end);
        if (p == NULL || p == end)
            return p;
    }
    if ((*p | 0x20) == 'e') {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        p = take_digits(p, end);
    }
    return p;
}

static inline const char *
take_number(const char *begin, const char *end, struct json_token *t)
{
    const char *const digits = begin + (*begin == '-');
    const char       *p = take_digits(digits, end);

    if (p == NULL || (*digits == '0' && p - digits > 1))
        return NULL;
    if (p < end)
        p = take_fraction_and_exponent(p, end);
    if (p == NULL)
        return NULL;
    *t = (struct json_token){ JSON_NUMBER, false, { begin, (size_t)(p - begin) } };
    return p;
}

static inline const char *
take_word(const char *p, const char *end, const char *word, size_t len, enum json_kind kind,
          struct json_token *t)
{
    if ((size_t)(end - p) < len || memcmp(p, word, len) != 0)
        return NULL;
    *t = (struct json_token){ kind, false, { p, len } };
    return p + len;
}

/* Anything but an object or an array. */
static inline const char *
take_scalar(const char *p, const char *end, struct json_token *t)
{
    switch (*p) {
    case '"':
        return take_string(p + 1, end, t);
    case 't':
        return take_word(p, end, "true", 4, JSON_BOOL, t);
    case 'f':
        return take_word(p, end, "false", 5, JSON_BOOL, t);
    case 'n':
        return take_word(p, end, "null", 4, JSON_NULL, t);
    default:
        return *p == '-' || is_digit(*p) ? take_number(p, end, t) : NULL;
    }
}

/* ---- Objects and arrays -------------------------------------------------- */

RARE static const char *
blanks_end(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* May be the end.  Few lines have any blanks. */
static inline const char *
skip_blanks(const char *p, const char *end)
{
    return p < end && (unsigned char)*p > ' ' ? p : blanks_end(p, end);
}

/* Behind this byte, which comes next, blanks aside. */
static inline const char *
take_byte(const char *p, const char *end, char c)
{
    if (p < end && *p == c)
        return p + 1;
    p = blanks_end(p, end);
    return p < end && *p == c ? p + 1 : NULL;
}

/* A member's name, its colon and the blanks around them; behind them there is a byte. */
static inline const char *
take_key(const char *p, const char *end, struct json_token *key)
{
    p = take_byte(p, end, '"');
    p = p != NULL ? take_string(p, end, key) : NULL;
    p = p != NULL ? take_byte(p, end, ':') : NULL;
    p = p != NULL ? skip_blanks(p, end) : NULL;
    return p != end ? p : NULL;
}

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
 * not. */
static inline const char *
go_on(const char *p, const char *end, struct levels *l)
{
    struct json_token key;

    while (l->depth > 0) {
        const bool object = in_object(l);

        p = skip_blanks(p, end);
        if (p == end)
            return NULL;
        if (*p == ',')
            return object ? take_key(p + 1, end, &key) : skip_blanks(p + 1, end);
        if (*p != (object ? '}' : ']'))
            return NULL;
        l->depth--;
        p++;
    }
    return p;
}

/* `p` stands on '{' or '['. */
FLAT static const char *
skip_nested(const char *p, const char *end)
{
    struct levels     l;
    struct json_token t;

    l.depth = 0;
    do {
        if (p == end)
            return NULL;
        if (*p == '{' || *p == '[') {
            const bool object = *p == '{';

            if (!go_down(&l, object))
                return NULL;
            p = skip_blanks(p + 1, end);
            if (p == end)
                return NULL;
            if (*p != (object ? '}' : ']')) {
                p = object ? take_key(p, end, &t) : p;
                continue;
            }
        } else {
            p = take_scalar(p, end, &t);
        }
        if (p != NULL)
            p = go_on(p, end, &l);
    } while (p != NULL && l.depth > 0);
    return p;
}

/* ---- The cursor ----------------------------------------------------------- */

static inline bool
move_on(struct json_cursor *j, const char *p)
{
    if (p != NULL)
        j->at = p;
    return p != NULL;
}

/* The cursor stands on '{' or '['. */
RARE static bool
take_nested(struct json_cursor *j, struct json_token *value)
{
    const char *const begin = j->at, *const p = skip_nested(begin, j->end);

    if (p != NULL)
        *value = (struct json_token){ *begin == '{' ? JSON_OBJECT : JSON_ARRAY, false,
                                      { begin, (size_t)(p - begin) } };
    return move_on(j, p);
}

FLAT bool
json_take_value(struct json_cursor *j, struct json_token *value)
{
    const char *const begin = skip_blanks(j->at, j->end);

    if (begin == j->end)
        return false;
    if (*begin != '{' && *begin != '[')
        return move_on(j, take_scalar(begin, j->end, value));
    j->at = begin;
    return take_nested(j, value);
}

bool
json_take_key(struct json_cursor *j, struct json_token *key)
{
    return move_on(j, take_key(j->at, j->end, key));
}

FLAT bool
json_take_member(struct json_cursor *j, struct json_token *key, struct json_token *value)
{
    const char *p = take_key(j->at, j->end, key);

    if (p == NULL)
        return false;
    if (*p != '{') {
        j->at = p;
        return *p == '[' ? take_nested(j, value) : move_on(j, take_scalar(p, j->end, value));
    }
    *value = (struct json_token){ JSON_OBJECT, false, { p, 0 } };
    return move_on(j, p);
}
