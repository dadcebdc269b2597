/* rfc3339.c - see rfc3339.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "parsers/rfc3339.h"

#include <stdbool.h>

#include "agent/data/time_take.h"

enum {
    SECONDS = sizeof "2016-10-06T00:17:09" - 1,
    OFFSET = sizeof "+02:00" - 1,
    DIGITS = 9,                 /* of a fraction, at most */
};

/* What ISO 8601 leaves open: every field is there in the extended form, and the fraction and
 * the zone have their lengths. */
static bool
has_shape(struct slice text)
{
    size_t n = SECONDS;

    if (text.len <= SECONDS || (text.ptr[10] | 0x20) != 't' || text.ptr[4] != '-' ||
        text.ptr[13] != ':' || text.ptr[16] != ':')
        return false;
    if (text.ptr[n] == '.')
        for (n++; n < text.len && text.ptr[n] >= '0' && text.ptr[n] <= '9';)
            n++;
    if (n > SECONDS + 1 + DIGITS)
        return false;
    return text.len == n + 1 || (text.len == n + OFFSET && text.ptr[n + 3] == ':');
}

enum rfc3339_result
rfc3339_read(struct slice text, int64_t *ms)
{
    static const struct time_zone utc;
    struct time_moment            m = { .have = 0 };

    if (!has_shape(text) || !time_take_iso8601(&text, &m) || text.len > 0 ||
        !time_moment_has(&m, TIME_EAST))
        return RFC3339_OTHER;
    return time_moment_ms(&m, &utc, 0, ms) ? RFC3339_TIME : RFC3339_IMPOSSIBLE;
}
