/* rfc3339.c - see rfc3339.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "parsers/rfc3339.h"

#include <stdbool.h>

enum { LEAST = sizeof "2016-10-06T00:17:09Z" - 1 };

static bool
is_digit(char c)
{
    return (unsigned)(c - '0') < 10;
}

static int32_t
two(const char *s)
{
    return (s[0] - '0') * 10 + (s[1] - '0');
}

static bool
has_shape(const char *s)
{
    static const char shape[] = "0000-00-00T00:00:00";

    for (unsigned i = 0; i < sizeof shape - 1; i++)
        if (shape[i] == '0' ? !is_digit(s[i]) : s[i] != shape[i] && !(i == 10 && s[i] == 't'))
            return false;
    return true;
}

/* Days since 1970-01-01, of the civil calendar that begins its years with March. */
static int64_t
days_of(int32_t year, int32_t month, int32_t day)
{
    const int32_t y = month <= 2 ? year - 1 : year, era = y / 400, of_era = y - era * 400;
    const int32_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool
can_be(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute, int32_t second)
{
    static const int8_t days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    const bool          leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] &&
           (month != 2 || day < 29 || leap) && hour < 24 && minute < 60 && second <= 60;
}

/* Moves *s behind the fraction. */
static bool
read_fraction(const char **s, const char *end, int64_t *ms)
{
    int32_t scale = 100, digits = 0;

    *ms = 0;
    if (**s != '.')
        return true;
    for ((*s)++; *s < end && is_digit(**s); (*s)++, digits++, scale /= 10)
        *ms += scale * (**s - '0');
    return digits >= 1 && digits <= 9;
}

/* All that is left is a zone: Z or +hh:mm. */
static bool
read_zone(const char *s, const char *end, int64_t *east_ms)
{
    *east_ms = 0;
    if (end - s == 1)
        return *s == 'Z' || *s == 'z';
    if (end - s != 6 || (s[0] != '+' && s[0] != '-') || s[3] != ':' || !is_digit(s[1]) ||
        !is_digit(s[2]) || !is_digit(s[4]) || !is_digit(s[5]))
        return false;
    *east_ms = (two(s + 1) * 60 + two(s + 4)) * (s[0] == '-' ? -60000 : 60000);
    return true;
}

enum rfc3339_result
rfc3339_read(struct slice text, int64_t *ms)
{
    const char *s = text.ptr, *end = text.ptr + text.len;
    int32_t     year, month, day, hour, minute, second;
    int64_t     fraction, east;

    if (text.len < LEAST || !has_shape(s))
        return RFC3339_OTHER;
    year = two(s) * 100 + two(s + 2);
    month = two(s + 5);
    day = two(s + 8);
    hour = two(s + 11);
    minute = two(s + 14);
    second = two(s + 17);
    s += 19;
    if (!read_fraction(&s, end, &fraction) || !read_zone(s, end, &east))
        return RFC3339_OTHER;
    if (!can_be(year, month, day, hour, minute, second))
        return RFC3339_IMPOSSIBLE;
    *ms = ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60000 + second * 1000 +
          fraction - east;
    return RFC3339_TIME;
}
