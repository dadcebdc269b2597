/* json_string.h - a reader of JSON strings for tests, written from RFC 8259.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_UNIT_JSON_STRING_H
#define TESTS_UNIT_JSON_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "agent/base/slice.h"

/* The bytes of the UTF-8 character that begins here, by arithmetic; 0: none does. */
static inline size_t
utf8_bytes(const unsigned char *p, size_t left)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const size_t          n = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3
                            : p[0] >> 3 == 30 ? 4 : 0;
    uint32_t              code = n == 1 ? p[0] : p[0] & (0x7fu >> n);

    if (n == 0 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        code = code << 6 | (p[i] & 0x3f);
    }
    return code >= least[n] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? n : 0;
}

/* An escape; its byte goes to *out.  How long it is, 0: it is none.  We write none
 * over U+001F. */
static inline size_t
json_escape(const unsigned char *p, size_t left, char *out)
{
    static const char forms[] = "\"\"\\\\b\bf\fn\nr\rt\t";

    if (left >= 6 && p[1] == 'u' && p[2] == '0' && p[3] == '0') {
        const char digits[] = { (char)p[4], (char)p[5], '\0' };
        char      *end;

        *out = (char)strtoul(digits, &end, 16);
        return end == digits + 2 ? 6 : 0;
    }
    for (const char *form = forms; left >= 2 && *form != '\0'; form += 2)
        if ((char)p[1] == form[0]) {
            *out = form[1];
            return 2;
        }
    return 0;
}

/* Read a string with its quotes back into `out`, which has room for as many bytes
 * as `json`.  False: it is no JSON string, or not UTF-8. */
static inline bool
json_string_read(struct slice json, char *out, size_t *len)
{
    const unsigned char *p = (const unsigned char *)json.ptr, *end = p + json.len - 1;

    *len = 0;
    if (json.len < 2 || *p != '"' || *end != '"')
        return false;
    for (p++; p < end;) {
        size_t n = utf8_bytes(p, (size_t)(end - p));

        if (n == 0 || *p < 0x20 || *p == '"')
            return false;
        if (*p == '\\') {
            n = json_escape(p, (size_t)(end - p), &out[(*len)++]);
            if (n == 0)
                return false;
        } else {
            memcpy(out + *len, p, n);
            *len += n;
        }
        p += n;
    }
    return true;
}

#endif
