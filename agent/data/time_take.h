/* time_take.h - a time, piece by piece from the front of a text.
 *
 * Each time_take_... takes its bytes from the front of a slice and fills parts of
 * a moment: true, or false if they do not stand there (then the slice may stand
 * anywhere, and parts may be set).  time_moment_ms() makes a number of the parts.
 * For time formats, and for parsers whose times come in many shapes.  Any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_TIME_TAKE_H
#define AGENT_DATA_TIME_TAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/slice.h"
#include "agent/data/time_zone.h"

enum time_part {
    TIME_YEAR, TIME_MONTH, TIME_DAY, TIME_DAY_OF_YEAR, TIME_HOUR, TIME_HOUR12, TIME_PM,
    TIME_MINUTE, TIME_SECOND, TIME_MILLIS,
    TIME_EAST,                  /* seconds east of Greenwich */
    TIME_SHORT_YEAR,            /* two digits */
    TIME_PARTS                  /* how many */
};

/* A zeroed struct has no part. */
struct time_moment {
    uint32_t have;              /* one bit a part */
    int32_t  part[TIME_PARTS];
    bool     has_epoch, negative;
    int64_t  epoch_ms;          /* without sign and fraction */
};

static inline void
time_moment_set(struct time_moment *m, enum time_part part, int32_t number)
{
    m->part[part] = number;
    m->have |= 1u << part;
}

static inline bool
time_moment_has(const struct time_moment *m, enum time_part part)
{
    return (m->have & 1u << part) != 0;
}

/* This one byte. */
static inline bool
time_take_byte(struct slice *s, char byte)
{
    if (s->len == 0 || *s->ptr != byte)
        return false;
    s->ptr++;
    s->len--;
    return true;
}

/* Blanks and tabs, as many as there are. */
static inline void
time_skip_blanks(struct slice *s)
{
    while (s->len > 0 && (*s->ptr == ' ' || *s->ptr == '\t')) {
        s->ptr++;
        s->len--;
    }
}

/* The number that two digits write, or more than 99 if they are none. */
static inline uint32_t
time_two_digits(const char *p)
{
    const uint32_t tens = (uint32_t)(p[0] - '0'), ones = (uint32_t)(p[1] - '0');

    return tens > 9 || ones > 9 ? 100 : tens * 10 + ones;
}

/* Up to `most` digits; how many there were. */
static inline int
time_take_digits(struct slice *s, int most, int32_t *number)
{
    int n = 0;

    *number = 0;
    while (n < most && (size_t)n < s->len && s->ptr[n] >= '0' && s->ptr[n] <= '9')
        *number = *number * 10 + (s->ptr[n++] - '0');
    s->ptr += n;
    s->len -= (size_t)n;
    return n;
}

/* One or two digits, in a range; as in strptime(3), blanks may stand before a number. */
bool time_take_pair(struct slice *s, struct time_moment *m, enum time_part part, int32_t min,
                    int32_t max);

/* yyyy-mm-dd and hh:mm:ss; a month, day, hour, minute or second may have one digit. */
bool time_take_date(struct slice *s, struct time_moment *m);
bool time_take_clock(struct slice *s, struct time_moment *m);

/* 1 to `most` digits of a fraction of a second; three count. */
bool time_take_fraction(struct slice *s, struct time_moment *m, size_t most);

/* English, in full or three letters, in upper or lower case. */
bool time_take_month_name(struct slice *s, struct time_moment *m);
bool time_take_day_name(struct slice *s);

/* AM or PM. */
bool time_take_half(struct slice *s, struct time_moment *m);

/* +hhmm, +hh:mm, +hh or Z. */
bool time_take_offset(struct slice *s, struct time_moment *m);

/* UTC, GMT or Z. */
bool time_take_utc(struct slice *s);

/* The same, or another abbreviation that means one offset only: those of RFC 5322
 * (EST, PDT, ...), CET, MSK, JST and a few more. */
bool time_take_zone_name(struct slice *s, struct time_moment *m);

/* A whole text (time_format.h has its forms). */
bool time_take_iso8601(struct slice *s, struct time_moment *m);

/* Milliseconds since the epoch.  False if there is no such time (a 30th of
 * February).  A year that is missing is the one that brings it closest to `now_ms`,
 * at most two days ahead; `now_ms` counts for nothing else. */
bool time_moment_ms(const struct time_moment *m, const struct time_zone *zone, int64_t now_ms,
                    int64_t *ms);

#endif
