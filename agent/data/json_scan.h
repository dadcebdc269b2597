/* json_scan.h - the loops that pass over JSON text, to be made part of others.
 *
 * json.h has them behind a cursor; a parser that takes every line of a log wants them inline.
 * All take where they begin, which is in `t` or its end, and return where to go on, or NULL:
 * what stands there is not what it should be.  They read nothing outside of `t`.
 *
 * Strings, most of all bytes, go by sixteen bytes at a time (eight without SSE2).  Few lines have
 * blanks between their parts.  Any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_JSON_SCAN_H
#define AGENT_DATA_JSON_SCAN_H

#include "agent/base/inline.h"
#include "agent/data/json.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The text that is being read. */
struct json_scan {
    const char *begin, *end;
};

/* ---- Strings ------------------------------------------------------------ */

INLINE bool
json_scan_is_special(char c)
{
    return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

#ifdef __SSE2__
enum { JSON_SCAN_BLOCK = 16 };

/* A bit for each byte that ends a plain run: a control character, a quote, a backslash. */
INLINE unsigned
json_scan_block(const char *p)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    const __m128i last_control = _mm_set1_epi8(0x1f);
    const __m128i special = _mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                     _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
        _mm_cmpeq_epi8(_mm_max_epu8(bytes, last_control), last_control));

    return (unsigned)_mm_movemask_epi8(special);
}

INLINE unsigned
json_scan_first(unsigned special)
{
    return (unsigned)__builtin_ctz(special);
}
#else
enum { JSON_SCAN_BLOCK = 8 };

/* The same, of eight bytes (Hacker's Delight, 6-1; the carries make it exact). */
INLINE unsigned
json_scan_block(const char *p)
{
    unsigned special = 0;

    for (unsigned i = 0; i < JSON_SCAN_BLOCK; i++)
        special |= (unsigned)json_scan_is_special(p[i]) << i;
    return special;
}

INLINE unsigned
json_scan_first(unsigned special)
{
    return (unsigned)__builtin_ctz(special);
}
#endif

/* The first byte that is not plain, or the end.  The last bytes of a text are looked at together
 * with those before them. */
INLINE const char *
json_scan_plain(struct json_scan t, const char *p)
{
    unsigned special;

    for (; t.end - p >= JSON_SCAN_BLOCK; p += JSON_SCAN_BLOCK) {
        special = json_scan_block(p);
        if (special != 0)
            return p + json_scan_first(special);
    }
    if (t.end - t.begin >= JSON_SCAN_BLOCK) {
        special = json_scan_block(t.end - JSON_SCAN_BLOCK) >> (JSON_SCAN_BLOCK - (t.end - p));
        return special != 0 ? p + json_scan_first(special) : t.end;
    }
    while (p < t.end && !json_scan_is_special(*p))
        p++;
    return p;
}

/* A string with escapes, `p` on the first of them: where its closing quote is, or the byte that
 * cannot be. */
const char *json_scan_escaped(struct json_scan t, const char *p);

/* `p` is behind the opening quote, the result behind the closing one. */
INLINE const char *
json_scan_string(struct json_scan t, const char *p, bool *escaped)
{
    p = json_scan_plain(t, p);
    *escaped = false;
    if (__builtin_expect(p < t.end && *p == '\\', 0)) {
        *escaped = true;
        p = json_scan_escaped(t, p);
    }
    return p < t.end && *p == '"' ? p + 1 : NULL;
}

/* ---- Scalars ------------------------------------------------------------ */

INLINE bool
json_scan_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Behind the digits.  Of numbers no length is the usual one: counting bytes would be guessed
 * wrong at every other. */
INLINE const char *
json_scan_many_digits(struct json_scan t, const char *p)
{
#ifdef __SSE2__
    if (t.end - p >= JSON_SCAN_BLOCK) {
        const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
        const __m128i value = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
        const __m128i nine = _mm_set1_epi8(9);
        const unsigned digits =
            (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(value, nine), nine));

        if (digits != 0xffff)
            return p + json_scan_first(~digits);
    }
#endif
    while (p < t.end && json_scan_is_digit(*p))
        p++;
    return p;
}

/* NULL: there is no digit at all. */
INLINE const char *
json_scan_digits(struct json_scan t, const char *p)
{
    const char *const behind = json_scan_many_digits(t, p);

    return behind > p ? behind : NULL;
}

/* What may stand behind the whole part of a number; `p` is before the end. */
INLINE const char *
json_scan_fraction(struct json_scan t, const char *p)
{
    if (*p == '.') {
        p = json_scan_digits(t, p + 1);
        if (p == NULL || p == t.end)
            return p;
    }
    if ((*p | 0x20) == 'e') {
        p++;
        p += p < t.end && (*p == '+' || *p == '-');
        p = json_scan_digits(t, p);
    }
    return p;
}

/* `p` is before the end. */
INLINE const char *
json_scan_number(struct json_scan t, const char *p)
{
    const char *const digits = p + (*p == '-');

    p = json_scan_digits(t, digits);
    if (p == NULL || (*digits == '0' && p - digits > 1))
        return NULL;
    return p < t.end ? json_scan_fraction(t, p) : p;
}

INLINE const char *
json_scan_word(struct json_scan t, const char *p, const char *word, size_t len)
{
    return (size_t)(t.end - p) >= len && memcmp(p, word, len) == 0 ? p + len : NULL;
}

/* Anything but an object or an array; `p` is before the end. */
INLINE const char *
json_scan_scalar(struct json_scan t, const char *p, enum json_kind *kind, bool *escaped)
{
    const char c = *p;

    *escaped = false;
    if (c == '"') {
        *kind = JSON_STRING;
        return json_scan_string(t, p + 1, escaped);
    }
    if (c == '-' || json_scan_is_digit(c)) {
        *kind = JSON_NUMBER;
        return json_scan_number(t, p);
    }
    *kind = c == 'n' ? JSON_NULL : JSON_BOOL;
    return c == 't' ? json_scan_word(t, p, "true", 4)
         : c == 'f' ? json_scan_word(t, p, "false", 5)
         : c == 'n' ? json_scan_word(t, p, "null", 4) : NULL;
}

/* ---- Objects and arrays -------------------------------------------------- */

const char *json_scan_many_blanks(struct json_scan t, const char *p);

/* Behind the blanks; may be the end. */
INLINE const char *
json_scan_blanks(struct json_scan t, const char *p)
{
    return p < t.end && (unsigned char)*p > ' ' ? p : json_scan_many_blanks(t, p);
}

/* Behind this byte, which comes next, blanks aside. */
INLINE const char *
json_scan_byte(struct json_scan t, const char *p, char c)
{
    if (p < t.end && *p == c)
        return p + 1;
    p = json_scan_many_blanks(t, p);
    return p < t.end && *p == c ? p + 1 : NULL;
}

/* A member's name, its colon and the blanks around them; behind them there is a byte. */
INLINE const char *
json_scan_key(struct json_scan t, const char *p, struct slice *name, bool *escaped)
{
    p = json_scan_byte(t, p, '"');
    if (p == NULL)
        return NULL;
    name->ptr = p;
    p = json_scan_string(t, p, escaped);
    if (p == NULL)
        return NULL;
    name->len = (size_t)(p - 1 - name->ptr);
    p = json_scan_byte(t, p, ':');
    if (p == NULL)
        return NULL;
    p = json_scan_blanks(t, p);
    return p < t.end ? p : NULL;
}

/* A whole object or array; `p` stands on its bracket. */
const char *json_scan_nested(struct json_scan t, const char *p);

/* Any value; `p` is before the end. */
INLINE const char *
json_scan_any(struct json_scan t, const char *p, enum json_kind *kind, bool *escaped)
{
    if (__builtin_expect(*p == '{' || *p == '[', 0)) {
        *kind = *p == '{' ? JSON_OBJECT : JSON_ARRAY;
        *escaped = false;
        return json_scan_nested(t, p);
    }
    return json_scan_scalar(t, p, kind, escaped);
}

/* The same, of which nobody asks what it is. */
INLINE const char *
json_scan_value(struct json_scan t, const char *p)
{
    enum json_kind kind;
    bool           escaped;

    return json_scan_any(t, p, &kind, &escaped);
}

#endif
