/* time_take.c - see time_take.h.
 *
 * The way nearly all texts are written (two digits a part) is looked at first, in one
 * go; the others are taken piece by piece.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/time_take.h"

#include <strings.h>

enum {
    MAX_AHEAD = 2,              /* days, of a time without year */
    YEARS_BACK = 8,             /* to the last 29th of February, at the worst */
};

#define A_DAY 86400000ll        /* milliseconds */

/* ---- Taking bytes -------------------------------------------------------- */

static inline bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool
looking_at(const struct slice *s, char c)
{
    return s->len > 0 && *s->ptr == c;
}

static inline void
skip(struct slice *s, size_t n)
{
    s->ptr += n;
    s->len -= n;
}

static inline bool
take_two(struct slice *s, int32_t *number)
{
    *number = s->len >= 2 ? (int32_t)time_two_digits(s->ptr) : 100;
    if (*number > 99)
        return false;
    skip(s, 2);
    return true;
}

bool
time_take_pair(struct slice *s, struct time_moment *m, enum time_part part, int32_t min,
               int32_t max)
{
    int32_t number;

    time_skip_blanks(s);
    if (time_take_digits(s, 2, &number) == 0 || number < min || number > max)
        return false;
    time_moment_set(m, part, number);
    return true;
}

/* yyyy-mm-dd with all its digits. */
static inline bool
take_whole_date(struct slice *s, struct time_moment *m)
{
    const char *p = s->ptr;
    uint32_t    century, year, month, day;

    if (s->len < 10 || p[4] != '-' || p[7] != '-')
        return false;
    century = time_two_digits(p);
    year = time_two_digits(p + 2);
    month = time_two_digits(p + 5);
    day = time_two_digits(p + 8);
    if (century > 99 || year > 99 || month - 1 > 11 || day - 1 > 30)
        return false;
    m->part[TIME_YEAR] = (int32_t)(century * 100 + year);
    m->part[TIME_MONTH] = (int32_t)month;
    m->part[TIME_DAY] = (int32_t)day;
    m->have |= 1u << TIME_YEAR | 1u << TIME_MONTH | 1u << TIME_DAY;
    skip(s, 10);
    return true;
}

bool
time_take_date(struct slice *s, struct time_moment *m)
{
    int32_t year;

    time_skip_blanks(s);
    if (take_whole_date(s, m))
        return true;
    if (time_take_digits(s, 4, &year) == 0)
        return false;
    time_moment_set(m, TIME_YEAR, year);
    return time_take_byte(s, '-') && time_take_pair(s, m, TIME_MONTH, 1, 12) &&
           time_take_byte(s, '-') && time_take_pair(s, m, TIME_DAY, 1, 31);
}

/* hh:mm:ss with all its digits. */
static inline bool
take_whole_clock(struct slice *s, struct time_moment *m)
{
    const char *p = s->ptr;
    uint32_t    hour, minute, second;

    if (s->len < 8 || p[2] != ':' || p[5] != ':')
        return false;
    hour = time_two_digits(p);
    minute = time_two_digits(p + 3);
    second = time_two_digits(p + 6);
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    m->part[TIME_HOUR] = (int32_t)hour;
    m->part[TIME_MINUTE] = (int32_t)minute;
    m->part[TIME_SECOND] = (int32_t)second;
    m->have |= 1u << TIME_HOUR | 1u << TIME_MINUTE | 1u << TIME_SECOND;
    skip(s, 8);
    return true;
}

bool
time_take_clock(struct slice *s, struct time_moment *m)
{
    time_skip_blanks(s);
    if (take_whole_clock(s, m))
        return true;
    return time_take_pair(s, m, TIME_HOUR, 0, 23) && time_take_byte(s, ':') &&
           time_take_pair(s, m, TIME_MINUTE, 0, 59) && time_take_byte(s, ':') &&
           time_take_pair(s, m, TIME_SECOND, 0, 60);
}

bool
time_take_fraction(struct slice *s, struct time_moment *m, size_t most)
{
    static const int32_t unit[] = { 0, 100, 10, 1 };
    const size_t         len = s->len < most ? s->len : most;
    int32_t              digits = 0;
    size_t               n = 0;

    for (; n < 3 && n < len && is_digit(s->ptr[n]); n++)
        digits = digits * 10 + (s->ptr[n] - '0');
    time_moment_set(m, TIME_MILLIS, digits * unit[n]);
    while (n < len && is_digit(s->ptr[n]))
        n++;
    skip(s, n);
    return n > 0;
}

/* ---- Names --------------------------------------------------------------- */

/* Three letters as one number, in lower case. */
#define LETTERS(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (uint32_t)(c))

static inline uint32_t
three_letters(const char *p)
{
    return LETTERS((unsigned char)p[0], (unsigned char)p[1], (unsigned char)p[2]) | 0x202020;
}

/* A name whose first three letters have been seen: take these, or the name in full. */
static inline void
skip_name(struct slice *s, const char *name)
{
    size_t len = 3;

    if (s->len > 3 && (s->ptr[3] | 0x20) == name[3] && s->len >= strlen(name) &&
        strncasecmp(s->ptr, name, strlen(name)) == 0)
        len = strlen(name);
    skip(s, len);
}

static inline int32_t
month_of(const char *p)
{
    switch (three_letters(p)) {
    case LETTERS('j', 'a', 'n'): return 1;
    case LETTERS('f', 'e', 'b'): return 2;
    case LETTERS('m', 'a', 'r'): return 3;
    case LETTERS('a', 'p', 'r'): return 4;
    case LETTERS('m', 'a', 'y'): return 5;
    case LETTERS('j', 'u', 'n'): return 6;
    case LETTERS('j', 'u', 'l'): return 7;
    case LETTERS('a', 'u', 'g'): return 8;
    case LETTERS('s', 'e', 'p'): return 9;
    case LETTERS('o', 'c', 't'): return 10;
    case LETTERS('n', 'o', 'v'): return 11;
    case LETTERS('d', 'e', 'c'): return 12;
    default: return 0;
    }
}

bool
time_take_month_name(struct slice *s, struct time_moment *m)
{
    static const char *const names[] = {
        "january", "february", "march", "april", "may", "june", "july", "august", "september",
        "october", "november", "december",
    };
    const int32_t month = s->len >= 3 ? month_of(s->ptr) : 0;

    if (month == 0)
        return false;
    time_moment_set(m, TIME_MONTH, month);
    skip_name(s, names[month - 1]);
    return true;
}

bool
time_take_day_name(struct slice *s)
{
    static const char *const names[] = {
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    };

    for (size_t i = 0; s->len >= 3 && i < sizeof names / sizeof *names; i++)
        if (three_letters(names[i]) == three_letters(s->ptr)) {
            skip_name(s, names[i]);
            return true;
        }
    return false;
}

bool
time_take_half(struct slice *s, struct time_moment *m)
{
    if (s->len < 2 || (s->ptr[1] | 0x20) != 'm')
        return false;
    if ((*s->ptr | 0x20) != 'a' && (*s->ptr | 0x20) != 'p')
        return false;
    time_moment_set(m, TIME_PM, (*s->ptr | 0x20) == 'p');
    skip(s, 2);
    return true;
}

/* ---- Zones --------------------------------------------------------------- */

/* In seconds east. */
static bool
take_east(struct slice *s, int32_t *east)
{
    const bool west = looking_at(s, '-');
    int32_t    hours, minutes = 0;

    if (!time_take_byte(s, '-') && !time_take_byte(s, '+'))
        return false;
    if (!take_two(s, &hours) || hours > 23)
        return false;
    if ((time_take_byte(s, ':') || (s->len > 0 && is_digit(*s->ptr))) &&
        (!take_two(s, &minutes) || minutes > 59))
        return false;
    *east = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

bool
time_take_offset(struct slice *s, struct time_moment *m)
{
    int32_t east = 0;

    if (!time_take_byte(s, 'Z') && !time_take_byte(s, 'z') && !take_east(s, &east))
        return false;
    time_moment_set(m, TIME_EAST, east);
    return true;
}

struct zone_name {
    const char *text;
    int32_t     east;           /* in quarters of an hour */
};

static bool
take_one_of(struct slice *s, const struct zone_name *names, size_t count, int32_t *east)
{
    for (size_t i = 0; i < count; i++) {
        const size_t len = strlen(names[i].text);

        if (s->len >= len && strncasecmp(s->ptr, names[i].text, len) == 0) {
            *east = names[i].east * 900;
            skip(s, len);
            return true;
        }
    }
    return false;
}

static const struct zone_name utc_names[] = { { "UTC", 0 }, { "GMT", 0 }, { "Z", 0 } };

bool
time_take_utc(struct slice *s)
{
    int32_t east;

    return take_one_of(s, utc_names, sizeof utc_names / sizeof *utc_names, &east);
}

/* Those of RFC 5322 mean what they mean there; left out is what several countries use (IST,
 * BST, AST). */
bool
time_take_zone_name(struct slice *s, struct time_moment *m)
{
    static const struct zone_name names[] = {
        { "EST", -20 }, { "EDT", -16 }, { "CST", -24 }, { "CDT", -20 }, { "MST", -28 },
        { "MDT", -24 }, { "PST", -32 }, { "PDT", -28 }, { "WEST", 4 }, { "WET", 0 },
        { "CEST", 8 }, { "CET", 4 }, { "EEST", 12 }, { "EET", 8 }, { "MSK", 12 },
        { "JST", 36 }, { "KST", 36 }, { "HKT", 32 }, { "SGT", 32 }, { "AEST", 40 },
        { "AEDT", 44 }, { "ACST", 38 }, { "ACDT", 42 }, { "AWST", 32 }, { "NZST", 48 },
        { "NZDT", 52 }, { "SAST", 8 },
    };
    int32_t east = 0;

    if (!time_take_utc(s) && !take_one_of(s, names, sizeof names / sizeof *names, &east))
        return false;
    time_moment_set(m, TIME_EAST, east);
    return true;
}

/* ---- ISO 8601 ------------------------------------------------------------ */

/* Two digits, with `between` before them in the extended form. */
static bool
take_part(struct slice *s, struct time_moment *m, enum time_part part, char between,
          bool extended)
{
    int32_t number;

    if ((extended && !time_take_byte(s, between)) || !take_two(s, &number))
        return false;
    time_moment_set(m, part, number);
    return true;
}

/* yyyy-mm-dd, yyyymmdd. */
static bool
take_iso_day(struct slice *s, struct time_moment *m)
{
    int32_t year;
    bool    extended;

    if (time_take_digits(s, 4, &year) != 4)
        return false;
    time_moment_set(m, TIME_YEAR, year);
    extended = looking_at(s, '-');
    return take_part(s, m, TIME_MONTH, '-', extended) && take_part(s, m, TIME_DAY, '-', extended);
}

/* hh:mm, hh:mm:ss; without colons in the basic form. */
static bool
take_iso_clock(struct slice *s, struct time_moment *m)
{
    bool extended;

    if (!take_part(s, m, TIME_HOUR, ':', false))
        return false;
    extended = looking_at(s, ':');
    if (!take_part(s, m, TIME_MINUTE, ':', extended))
        return false;
    if (extended ? looking_at(s, ':') : s->len > 0 && is_digit(*s->ptr))
        return take_part(s, m, TIME_SECOND, ':', extended);
    return true;
}

/* [Europe/Berlin]: behind an offset it says nothing new (RFC 9557, Java's ZonedDateTime). */
static void
skip_zone_in_brackets(struct slice *s)
{
    const char *end = looking_at(s, '[') ? memchr(s->ptr, ']', s->len) : NULL;

    if (end != NULL)
        skip(s, (size_t)(end + 1 - s->ptr));
}

bool
time_take_iso8601(struct slice *s, struct time_moment *m)
{
    if (!take_whole_date(s, m) && !take_iso_day(s, m))
        return false;
    if (s->len == 0)
        return true;            /* a day alone: its first moment */
    if (!time_take_byte(s, 'T') && !time_take_byte(s, ' ') && !time_take_byte(s, 't'))
        return false;
    if (!take_whole_clock(s, m) && !take_iso_clock(s, m))
        return false;
    if ((time_take_byte(s, '.') || time_take_byte(s, ',')) &&
        (!time_moment_has(m, TIME_SECOND) || !time_take_fraction(s, m, SIZE_MAX)))
        return false;
    (void)time_take_byte(s, ' ');
    if (s->len == 0)
        return true;
    if (!time_take_offset(s, m))
        return time_take_zone_name(s, m);
    skip_zone_in_brackets(s);
    return true;
}

/* ---- From parts to a number ---------------------------------------------- */

static bool
is_leap(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool
has_day(int32_t year, int32_t month, int32_t day)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    if (month < 1 || month > 12 || day < 1)
        return false;
    return day <= days[month - 1] || (month == 2 && day == 29 && is_leap(year));
}

/* Days from 1970-01-01 to the first of March of a year, then on to the day: with
 * the leap day last, the months before are (153 * n + 2) / 5 days. */
static int32_t
days_since_epoch(int32_t year, int32_t month, int32_t day)
{
    const int32_t y = month > 2 ? year : year - 1;
    const int32_t from_march = month > 2 ? month - 3 : month + 9;
    const int32_t leaps = y >= 0 ? y / 4 - y / 100 + y / 400 : -1;

    return y * 365 + leaps + (153 * from_march + 2) / 5 + day - 1 - 719468;
}

/* The day's number since the epoch; false if there is no such day. */
static bool
day_number(const struct time_moment *m, int32_t year, int32_t *day)
{
    if (time_moment_has(m, TIME_DAY_OF_YEAR)) {
        *day = days_since_epoch(year, 1, 1) + m->part[TIME_DAY_OF_YEAR] - 1;
        return m->part[TIME_DAY_OF_YEAR] <= 365 + is_leap(year);
    }
    if (!has_day(year, m->part[TIME_MONTH], m->part[TIME_DAY]))
        return false;
    *day = days_since_epoch(year, m->part[TIME_MONTH], m->part[TIME_DAY]);
    return true;
}

static bool
in_year(const struct time_moment *m, const struct time_zone *zone, int32_t year, int64_t *ms)
{
    const int32_t hour = time_moment_has(m, TIME_HOUR12)
        ? m->part[TIME_HOUR12] % 12 + 12 * m->part[TIME_PM] : m->part[TIME_HOUR];
    int32_t       day;
    int64_t       seconds;

    if (hour > 23 || m->part[TIME_MINUTE] > 59 || m->part[TIME_SECOND] > 60 ||
        !day_number(m, year, &day))
        return false;
    seconds = (int64_t)day * 86400 + hour * 3600 + m->part[TIME_MINUTE] * 60 +
              m->part[TIME_SECOND];
    if (time_moment_has(m, TIME_EAST))
        seconds -= m->part[TIME_EAST];
    else
        seconds = time_zone_seconds(zone, seconds);
    *ms = seconds * 1000 + m->part[TIME_MILLIS];
    return true;
}

/* The year that a moment lies in: days counted from 0000-03-01 in eras of 400 years,
 * the leap days of which are taken out. */
static int32_t
year_of(int64_t ms)
{
    const int64_t days = ms / A_DAY + 719468;
    const int64_t era = days / 146097, day = days % 146097;
    const int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    const int64_t day_of_year = day - (365 * year + year / 4 - year / 100);

    return (int32_t)(era * 400 + year + (day_of_year >= 306 ? 1 : 0));
}

/* The last year that does not lead too far ahead.  A day more than that, for the
 * zones in which it is tomorrow already. */
static bool
guess_year(const struct time_moment *m, const struct time_zone *zone, int64_t now_ms, int64_t *ms)
{
    const int32_t last = year_of(now_ms + (MAX_AHEAD + 1) * A_DAY);

    for (int32_t year = last; year >= last - YEARS_BACK - 1; year--)
        if (in_year(m, zone, year, ms) && *ms <= now_ms + MAX_AHEAD * A_DAY)
            return true;
    return false;
}

bool
time_moment_ms(const struct time_moment *m, const struct time_zone *zone, int64_t now_ms,
               int64_t *ms)
{
    if (m->has_epoch) {
        *ms = (m->negative ? -1 : 1) * (m->epoch_ms + m->part[TIME_MILLIS]);
        return true;
    }
    if (time_moment_has(m, TIME_YEAR))
        return in_year(m, zone, m->part[TIME_YEAR], ms);
    if (time_moment_has(m, TIME_SHORT_YEAR)) {  /* as POSIX: 69 to 99 are of the last century */
        const int32_t year = m->part[TIME_SHORT_YEAR];

        return in_year(m, zone, year + (year < 69 ? 2000 : 1900), ms);
    }
    return guess_year(m, zone, now_ms, ms);
}
