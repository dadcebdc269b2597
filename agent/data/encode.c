/* encode.c - see encode.h.
 *
 * Most bytes of most logs are plain ASCII: such a run is copied at once (plain.h).
 * Everything else goes the slow way, one character each.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/encode.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "agent/data/plain.h"

#define REPLACEMENT "\xef\xbf\xbd"      /* U+FFFD */

#define HIGHS 0x8080808080808080u

/* ---- UTF-8 -------------------------------------------------------------- */

/* What may follow a leading byte (RFC 3629, section 4). */
struct lead {
    uint8_t length;             /* of the sequence; 0: not a leading byte */
    uint8_t low, high;          /* of the second byte; the others are 80..BF */
};

static struct lead
lead_of(unsigned char c)
{
    if (c < 0x80)
        return (struct lead){ 1, 0, 0 };
    if (c >= 0xc2 && c <= 0xdf)
        return (struct lead){ 2, 0x80, 0xbf };
    if (c >= 0xe0 && c <= 0xef)
        return (struct lead){ 3, c == 0xe0 ? 0xa0 : 0x80, c == 0xed ? 0x9f : 0xbf };
    if (c >= 0xf0 && c <= 0xf4)
        return (struct lead){ 4, c == 0xf0 ? 0x90 : 0x80, c == 0xf4 ? 0x8f : 0xbf };
    return (struct lead){ 0, 0, 0 };
}

/* The bytes of the character that begins here, at least one.  `valid` false:
 * they are the longest beginning of one, or no beginning at all, and one U+FFFD
 * stands for them (Unicode 15, section 3.9, "maximal subpart"). */
static size_t
character(const char *text, size_t len, bool *valid)
{
    const unsigned char *p = (const unsigned char *)text;
    const struct lead    lead = lead_of(p[0]);
    size_t               n = 1;

    if (lead.length > 1 && len > 1 && p[1] >= lead.low && p[1] <= lead.high) {
        n = 2;
        while (n < lead.length && n < len && (p[n] & 0xc0) == 0x80)
            n++;
    }
    *valid = n == lead.length;
    return n;
}

static size_t
ascii_run(const char *text, size_t len)
{
    size_t i = 0;

    while (len - i >= sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, text + i, sizeof word);
        if ((word & HIGHS) != 0)
            break;
        i += sizeof word;
    }
    while (i < len && (unsigned char)text[i] < 0x80)
        i++;
    return i;
}

bool
encode_is_utf8(struct slice s)
{
    size_t i = 0;
    bool   valid = true;

    while (i < s.len && valid) {
        i += ascii_run(s.ptr + i, s.len - i);
        if (i < s.len)
            i += character(s.ptr + i, s.len - i, &valid);
    }
    return valid;
}

/* ---- JSON --------------------------------------------------------------- */

static void
add_escape(struct buf *b, unsigned char c)
{
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";

    for (const char *p = short_forms; *p != '\0'; p += 2)
        if ((unsigned char)*p == c) {
            buf_add_char(b, '\\');
            buf_add_char(b, p[1]);
            return;
        }
    buf_printf(b, "\\u%04x", c);
}

/* A character that is not plain; returns its bytes. */
static size_t
add_special(struct buf *b, const char *text, size_t len)
{
    bool         valid;
    const size_t n = character(text, len, &valid);

    if (!valid)
        buf_add(b, REPLACEMENT, sizeof REPLACEMENT - 1);
    else if (n == 1)
        add_escape(b, (unsigned char)*text);
    else
        buf_add(b, text, n);
    return n;
}

void
encode_json_rest(struct buf *b, struct slice s, size_t i)
{
    while (i < s.len) {
        size_t run;

        i += add_special(b, s.ptr + i, s.len - i);
        run = plain_copy(buf_reserve(b, s.len - i), s.ptr + i, s.len - i);
        b->len += run;
        i += run;
    }
    buf_add_char(b, '"');
}

void
encode_json_string(struct buf *b, struct slice s)
{
    char        *to = buf_reserve(b, s.len + 2);
    const size_t run = plain_copy(to + 1, s.ptr, s.len);

    to[0] = '"';
    b->len += run + 1;
    encode_json_rest(b, s, run);
}

void
encode_utf8(struct buf *b, struct slice s)
{
    bool valid;

    for (size_t i = 0, n; i < s.len; i += n) {
        n = ascii_run(s.ptr + i, s.len - i);
        valid = true;
        if (n == 0)
            n = character(s.ptr + i, s.len - i, &valid);
        if (valid)
            buf_add(b, s.ptr + i, n);
        else
            buf_add(b, REPLACEMENT, sizeof REPLACEMENT - 1);
    }
}

/* Three bytes in, four characters out (RFC 4648, section 4). */
static void
add_base64(struct buf *b, struct slice s)
{
    static const char    digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)s.ptr;
    char                *to = buf_reserve(b, (s.len + 2) / 3 * 4);

    b->len += (s.len + 2) / 3 * 4;
    for (size_t left = s.len; left > 0; p += 3) {
        const unsigned bits = (unsigned)p[0] << 16 | (left > 1 ? (unsigned)p[1] << 8 : 0) |
                              (left > 2 ? p[2] : 0);

        *to++ = digits[bits >> 18];
        *to++ = digits[bits >> 12 & 63];
        *to++ = left > 1 ? digits[bits >> 6 & 63] : '=';
        *to++ = left > 2 ? digits[bits & 63] : '=';
        left -= left > 3 ? 3 : left;
    }
}

void
encode_json_bytes(struct buf *b, struct slice s)
{
    if (s.ptr == NULL) {
        buf_add_string(b, "null");
    } else if (encode_is_utf8(s)) {
        encode_json_string(b, s);
    } else {
        buf_add_string(b, "{\"base64\":\"");
        add_base64(b, s);
        buf_add_string(b, "\"}");
    }
}

static int
digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool
encode_from_base64(struct slice text, struct arena *a, struct slice *bytes)
{
    char  *begin = arena_reserve(a, text.len / 4 * 3 + 1), *to = begin;
    size_t len = text.len;

    if (text.len % 4 != 0)
        return false;
    while (len > 0 && text.len - len < 2 && text.ptr[len - 1] == '=')
        len--;
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

/* ---- Records ------------------------------------------------------------ */

static bool
name_repeats(const struct headers *headers)
{
    for (uint32_t i = 1; i < headers->count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (slice_equal(headers->list[i].name, headers->list[j].name))
                return true;
    return false;
}

static void
add_headers(struct buf *b, const struct headers *headers)
{
    bool as_list;

    if (headers == NULL || headers->count == 0) {
        buf_add_string(b, "null");
        return;
    }
    as_list = name_repeats(headers);
    buf_add_char(b, as_list ? '[' : '{');
    for (uint32_t i = 0; i < headers->count; i++) {
        if (i > 0)
            buf_add_char(b, ',');
        if (as_list)
            buf_add_char(b, '[');
        encode_json_string(b, headers->list[i].name);
        buf_add_char(b, as_list ? ',' : ':');
        encode_json_bytes(b, headers->list[i].value);
        if (as_list)
            buf_add_char(b, ']');
    }
    buf_add_char(b, as_list ? ']' : '}');
}

static void
add_number(struct buf *b, int64_t number, bool is_there)
{
    if (is_there)
        buf_printf(b, "%" PRId64, number);
    else
        buf_add_string(b, "null");
}

void
encode_json_members(struct buf *b, const struct shown_record *r)
{
    buf_add_string(b, "\"output\":");
    encode_json_bytes(b, slice_of(r->output));
    buf_add_string(b, ",\"topic\":");
    encode_json_bytes(b, r->topic);
    buf_add_string(b, ",\"partition\":");
    add_number(b, r->partition, r->partition >= 0);
    buf_add_string(b, ",\"key\":");
    encode_json_bytes(b, r->key);
    buf_add_string(b, ",\"headers\":");
    add_headers(b, r->headers);
    buf_add_string(b, ",\"timestamp\":");
    add_number(b, r->timestamp, r->timestamp != NO_TIMESTAMP);
    buf_add_string(b, ",\"value\":");
    encode_json_bytes(b, r->value);
}

void
encode_json_record(struct buf *b, const struct shown_record *r)
{
    buf_add_char(b, '{');
    encode_json_members(b, r);
    buf_add_char(b, '}');
}
