/* json_read.c - see json_read.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/json_read.h"

#include <stddef.h>
#include <string.h>

enum { DEEPEST = 64 };

struct json_read
json_read_begin(struct slice text, struct arena *a)
{
    return (struct json_read){ .at = text.ptr, .end = text.ptr + text.len, .arena = a };
}

static bool
fail(struct json_read *j)
{
    j->failed = true;
    j->at = j->end;
    return false;
}

bool
json_read_failed(const struct json_read *j)
{
    return j->failed;
}

/* The next character that is no blank; NUL at the end. */
static char
peek(struct json_read *j)
{
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\n' || *j->at == '\t' || *j->at == '\r'))
        j->at++;
    return j->at < j->end ? *j->at : '\0';
}

static bool
take(struct json_read *j, char c)
{
    if (peek(j) != c || j->at == j->end)
        return fail(j);
    j->at++;
    return true;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum json_kind
json_read_kind(struct json_read *j)
{
    const char c = peek(j);

    switch (c) {
    case '{': return JSON_OBJECT;
    case '[': return JSON_ARRAY;
    case '"': return JSON_STRING;
    case 't': case 'f': case 'n': return JSON_WORD;
    default:  return c == '-' || is_digit(c) ? JSON_NUMBER : JSON_NONE;
    }
}

/* ---- Objects and arrays ---------------------------------------------------- */

bool
json_read_object(struct json_read *j)
{
    return j->begun = take(j, '{');
}

bool
json_read_array(struct json_read *j)
{
    return j->begun = take(j, '[');
}

/* Another one, or the end?  After a comma there must be one. */
static bool
another(struct json_read *j, char close)
{
    const bool first = j->begun;

    j->begun = false;
    if (j->failed)
        return false;
    if (peek(j) == close) {
        j->at++;
        return false;
    }
    return first || take(j, ',');
}

bool
json_read_member(struct json_read *j, struct slice *name)
{
    return another(j, '}') && json_read_string(j, name) && take(j, ':');
}

bool
json_read_element(struct json_read *j)
{
    return another(j, ']');
}

/* ---- Strings --------------------------------------------------------------- */

static bool
hex4(struct json_read *j, uint32_t *code)
{
    *code = 0;
    if (j->end - j->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        const char c = *j->at++;

        if (is_digit(c))
            *code = *code << 4 | (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            *code = *code << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
    }
    return true;
}

static char *
put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* Behind \u.  Half of a pair stands for no character: U+FFFD. */
static bool
code_point(struct json_read *j, uint32_t *code)
{
    uint32_t low;

    if (!hex4(j, code))
        return false;
    if (*code < 0xd800 || *code > 0xdfff)
        return true;
    if (*code < 0xdc00 && j->end - j->at >= 6 && j->at[0] == '\\' && j->at[1] == 'u') {
        const char *before = j->at;

        j->at += 2;
        if (!hex4(j, &low))
            return false;
        if (low >= 0xdc00 && low <= 0xdfff) {
            *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
            return true;
        }
        j->at = before;
    }
    *code = 0xfffd;
    return true;
}

/* One escape, behind its backslash; never longer than it was.  NULL: it is none. */
static char *
unescape(struct json_read *j, char *to)
{
    static const char plain[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    uint32_t          code;
    char              c;

    if (j->at == j->end)
        return NULL;
    c = *j->at++;
    if (c == 'u')
        return code_point(j, &code) ? put_utf8(to, code) : NULL;
    for (const char *p = plain; *p != '\0'; p += 2)
        if (*p == c) {
            *to = p[1];
            return to + 1;
        }
    return NULL;
}

/* It has escapes: a copy without them.  `end` is its closing quote. */
static bool
copy_string(struct json_read *j, const char *end, struct slice *text)
{
    char *begin = arena_reserve(j->arena, (size_t)(end - j->at) + 1), *to = begin;

    while (j->at < end) {
        if (*j->at != '\\') {
            *to++ = *j->at++;
            continue;
        }
        j->at++;
        to = unescape(j, to);
        if (to == NULL)
            return fail(j);
    }
    *text = arena_commit(j->arena, (size_t)(to - begin));
    return j->at == end || fail(j);
}

bool
json_read_string(struct json_read *j, struct slice *text)
{
    bool        escapes = false;
    const char *p;

    if (!take(j, '"'))
        return false;
    for (p = j->at; p < j->end && *p != '"'; p++) {
        if ((unsigned char)*p < 0x20)
            return fail(j);
        if (*p == '\\') {
            escapes = true;
            p++;
        }
    }
    if (p >= j->end)
        return fail(j);
    *text = (struct slice){ j->at, (size_t)(p - j->at) };
    if (escapes && !copy_string(j, p, text))
        return false;
    j->at = p + 1;
    return true;
}

/* ---- The rest -------------------------------------------------------------- */

/* Moves over a number (RFC 8259, section 6). */
static bool
scan_number(struct json_read *j)
{
    const char *digits;

    if (j->at < j->end && *j->at == '-')
        j->at++;
    digits = j->at;
    while (j->at < j->end && is_digit(*j->at))
        j->at++;
    if (j->at == digits || (*digits == '0' && j->at - digits > 1))
        return fail(j);
    for (int part = 0; part < 2; part++) {
        if (j->at == j->end || (part == 0 ? *j->at != '.' : (*j->at | 0x20) != 'e'))
            continue;
        j->at++;
        if (part == 1 && j->at < j->end && (*j->at == '+' || *j->at == '-'))
            j->at++;
        digits = j->at;
        while (j->at < j->end && is_digit(*j->at))
            j->at++;
        if (j->at == digits)
            return fail(j);
    }
    return true;
}

bool
json_read_number(struct json_read *j, int64_t *number)
{
    const char *p;
    bool        negative;

    if (json_read_kind(j) != JSON_NUMBER)
        return fail(j);
    p = j->at;
    if (!scan_number(j))
        return false;
    negative = *p == '-';
    *number = 0;
    for (p += negative; p < j->at && is_digit(*p); p++)
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_sub_overflow(*number, *p - '0', number))
            return fail(j);
    if (!negative && __builtin_sub_overflow(0, *number, number))
        return fail(j);
    return true;
}

static bool
take_word(struct json_read *j, const char *word)
{
    const size_t len = strlen(word);

    if (peek(j) != *word || (size_t)(j->end - j->at) < len || memcmp(j->at, word, len) != 0)
        return false;
    j->at += len;
    return true;
}

bool
json_read_null(struct json_read *j)
{
    return take_word(j, "null");
}

/* Over everything, with the number of open brackets instead of recursion.  What
 * is skipped need not be all right, only its strings must end. */
void
json_read_skip(struct json_read *j)
{
    struct slice text;
    int          depth = 0;

    do {
        switch (json_read_kind(j)) {
        case JSON_OBJECT:
        case JSON_ARRAY:
            j->at++;
            if (++depth > DEEPEST)
                (void)fail(j);
            break;
        case JSON_STRING:
            (void)json_read_string(j, &text);
            break;
        case JSON_NUMBER:
            (void)scan_number(j);
            break;
        case JSON_WORD:
            if (!take_word(j, "true") && !take_word(j, "false") && !take_word(j, "null"))
                (void)fail(j);
            break;
        case JSON_NONE:
            (void)fail(j);
            break;
        }
        while (depth > 0 && strchr("}],:", peek(j)) != NULL && peek(j) != '\0') {
            depth -= *j->at == '}' || *j->at == ']';
            j->at++;
        }
    } while (depth > 0 && !j->failed);
}

bool
json_read_at_end(struct json_read *j)
{
    return peek(j) == '\0' && j->at == j->end && !j->failed;
}

/* ---- Base64 ---------------------------------------------------------------- */

static int
digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool
json_read_base64(struct slice text, struct arena *a, struct slice *bytes)
{
    char  *begin, *to;
    size_t len = text.len;

    if (text.len % 4 != 0)
        return false;
    while (len > 0 && text.len - len < 2 && text.ptr[len - 1] == '=')
        len--;
    begin = to = arena_reserve(a, text.len / 4 * 3 + 1);
    for (size_t i = 0; i < len; i += 4) {
        const size_t n = len - i < 4 ? len - i : 4;
        uint32_t     bits = 0;

        for (size_t k = 0; k < 4; k++) {
            const int digit = k < n ? digit_of(text.ptr[i + k]) : 0;

            if (digit < 0)
                return false;
            bits = bits << 6 | (uint32_t)digit;
        }
        for (size_t k = 0; k + 1 < n; k++)
            *to++ = (char)(bits >> (16 - 8 * k));
    }
    *bytes = arena_commit(a, (size_t)(to - begin));
    return true;
}
