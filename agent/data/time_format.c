/* time_format.c - see time_format.h.
 *
 * A format becomes a list of steps.  Each step takes its bytes from the front of
 * the text and fills one part of a moment; at the end the parts are made a number.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/time_format.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "agent/base/strings.h"

enum {
    MAX_STEPS = 100,
    MAX_AHEAD = 2,              /* days */
    YEARS_BACK = 8,             /* to the last 29th of February, at the worst */
};

enum part {
    YEAR, MONTH, DAY, DAY_OF_YEAR, HOUR, HOUR12, PM, MINUTE, SECOND, NANOS, EAST, SHORT_YEAR, PARTS
};

struct moment {
    uint32_t have;              /* one bit a part */
    int32_t  part[PARTS];
    bool     has_epoch, negative;
    int64_t  epoch_ms;          /* without sign and fraction */
};

enum step_kind {
    STEP_LITERAL,               /* this byte */
    STEP_BLANKS,
    STEP_NUMBER,
    STEP_FRACTION,
    STEP_MONTH_NAME,
    STEP_DAY_NAME,
    STEP_HALF,                  /* AM or PM */
    STEP_OFFSET,                /* +hh:mm */
    STEP_ZONE_NAME,
    STEP_EPOCH,
    STEP_TAIL,                  /* of an epoch: a fraction, or nothing */
    STEP_ISO8601,
};

struct step {
    enum step_kind kind;
    char           literal;
    enum part      part;        /* of a number */
    int            digits;      /* at most so many */
    int32_t        min, max;
    int64_t        a_second;    /* of an epoch: its unit */
};

struct time_format {
    size_t      nsteps;
    bool        has_year;
    struct step steps[];
};

/* ---- Compiling ----------------------------------------------------------- */

#define NUMBER(part_, digits_, min_, max_)                                            \
    { .kind = STEP_NUMBER, .part = (part_), .digits = (digits_), .min = (min_), .max = (max_) }
#define DO(kind_, part_) { .kind = (kind_), .part = (part_) }

/* What a letter behind a percent sign means. */
static const struct conversion {
    char        letter;
    struct step step;
    const char *stands_for;     /* or several others */
} conversions[] = {
    { 'Y', NUMBER(YEAR, 4, 0, 9999), NULL },
    { 'y', NUMBER(SHORT_YEAR, 2, 0, 99), NULL },
    { 'm', NUMBER(MONTH, 2, 1, 12), NULL },
    { 'b', DO(STEP_MONTH_NAME, MONTH), NULL },
    { 'B', DO(STEP_MONTH_NAME, MONTH), NULL },
    { 'h', DO(STEP_MONTH_NAME, MONTH), NULL },
    { 'd', NUMBER(DAY, 2, 1, 31), NULL },
    { 'e', NUMBER(DAY, 2, 1, 31), NULL },
    { 'j', NUMBER(DAY_OF_YEAR, 3, 1, 366), NULL },
    { 'a', DO(STEP_DAY_NAME, PARTS), NULL },
    { 'A', DO(STEP_DAY_NAME, PARTS), NULL },
    { 'H', NUMBER(HOUR, 2, 0, 23), NULL },
    { 'I', NUMBER(HOUR12, 2, 1, 12), NULL },
    { 'p', DO(STEP_HALF, PM), NULL },
    { 'M', NUMBER(MINUTE, 2, 0, 59), NULL },
    { 'S', NUMBER(SECOND, 2, 0, 60), NULL },
    { 'f', DO(STEP_FRACTION, NANOS), NULL },
    { 'z', DO(STEP_OFFSET, EAST), NULL },
    { 'Z', DO(STEP_ZONE_NAME, EAST), NULL },
    { 's', { .kind = STEP_EPOCH, .part = PARTS, .a_second = 1 }, NULL },
    { 'n', DO(STEP_BLANKS, PARTS), NULL },
    { 't', DO(STEP_BLANKS, PARTS), NULL },
    { '%', { .kind = STEP_LITERAL, .literal = '%', .part = PARTS }, NULL },
    { 'T', { .part = PARTS }, "%H:%M:%S" },
    { 'R', { .part = PARTS }, "%H:%M" },
    { 'r', { .part = PARTS }, "%I:%M:%S %p" },
    { 'D', { .part = PARTS }, "%m/%d/%y" },
    { 'F', { .part = PARTS }, "%Y-%m-%d" },
};

/* Formats that are words. */
static const struct word {
    const char *name;
    int64_t     a_second;       /* 0: not an epoch */
} words[] = {
    { "iso8601", 0 }, { "epoch", 1 }, { "epoch_ms", 1000 }, { "epoch_us", 1000000 },
    { "epoch_ns", 1000000000 },
};

enum { WORDS = sizeof words / sizeof *words };

struct compiler {
    struct time_format *f;
    uint32_t            have;   /* one bit a part */
    bool                whole;  /* an epoch or ISO 8601 */
    struct error       *err;
};

static int
add_step(struct compiler *c, struct step step)
{
    if (c->f->nsteps == MAX_STEPS)
        return error_set(c->err, ERR_CONFIG, "the time format is too long");
    c->f->steps[c->f->nsteps++] = step;
    c->have |= 1u << step.part;
    c->whole = c->whole || step.kind == STEP_EPOCH || step.kind == STEP_ISO8601;
    return 0;
}

static const struct conversion *
find_conversion(char letter)
{
    for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++)
        if (conversions[i].letter == letter)
            return &conversions[i];
    return NULL;
}

/* The text, which may come from a conversion that stands for others; `offset`
 * gets the place of a mistake. */
static int
add_steps(struct compiler *c, const char *text, size_t *offset)
{
    for (const char *p = text; *p != '\0'; p++) {
        const struct conversion *conversion;
        int                      rc;

        *offset = (size_t)(p - text);
        if (*p == ' ' || *p == '\t') {
            rc = add_step(c, (struct step){ .kind = STEP_BLANKS, .part = PARTS });
        } else if (*p != '%') {
            rc = add_step(c, (struct step){ .kind = STEP_LITERAL, .literal = *p, .part = PARTS });
        } else if ((conversion = find_conversion(*++p)) == NULL) {
            return *p == '\0'
                ? error_set(c->err, ERR_CONFIG, "the time format ends with '%%'")
                : error_set(c->err, ERR_CONFIG, "the time format has an unknown '%%%c'", *p);
        } else if (conversion->stands_for != NULL) {
            size_t inside;      /* of our own text: cannot be wrong */

            rc = add_steps(c, conversion->stands_for, &inside);
        } else {
            rc = add_step(c, conversion->step);
        }
        if (rc == -1)
            return -1;
    }
    return 0;
}

/* Does it say enough to make a time of it? */
static int
check_parts(const struct compiler *c)
{
    const uint32_t day = 1u << MONTH | 1u << DAY;

    if (c->whole)
        return 0;
    if ((c->have & day) != day && (c->have & 1u << DAY_OF_YEAR) == 0)
        return error_set(c->err, ERR_CONFIG,
                         "the time format names no day (%%m or %%b, and %%d; or %%j)");
    if ((c->have & 1u << HOUR12) != 0 && (c->have & 1u << PM) == 0)
        return error_set(c->err, ERR_CONFIG, "the time format has %%I, but no %%p");
    return 0;
}

static int
unknown_word(struct compiler *c, const char *text)
{
    const char *names[WORDS], *nearest;

    for (size_t i = 0; i < WORDS; i++)
        names[i] = words[i].name;
    nearest = strings_nearest(text, names, WORDS);
    if (nearest != NULL)
        return error_set(c->err, ERR_CONFIG, "there is no time format '%s' (did you mean '%s'?)",
                         text, nearest);
    return error_set(c->err, ERR_CONFIG, "a time format is iso8601, epoch, epoch_ms, epoch_us, "
                     "epoch_ns or a text with %%Y, %%m, ..., not '%s'", text);
}

static int
add_word(struct compiler *c, const char *text)
{
    for (size_t i = 0; i < WORDS; i++) {
        const int64_t unit = words[i].a_second;

        if (strcmp(words[i].name, text) != 0)
            continue;
        if (unit == 0)
            return add_step(c, (struct step){ .kind = STEP_ISO8601, .part = YEAR });
        (void)add_step(c, (struct step){ .kind = STEP_EPOCH, .part = PARTS, .a_second = unit });
        return add_step(c, (struct step){ .kind = STEP_TAIL, .part = PARTS, .a_second = unit });
    }
    return unknown_word(c, text);
}

static int
compile(struct compiler *c, const char *text, size_t *offset)
{
    if (strchr(text, '%') == NULL)
        return add_word(c, text);
    if (add_steps(c, text, offset) == -1)
        return -1;
    *offset = 0;
    return check_parts(c);
}

struct time_format *
time_format_new(const char *text, size_t *offset, struct error *err)
{
    const size_t    most = MAX_STEPS * sizeof(struct step);
    size_t          at = 0;
    struct compiler c = { .f = mem_zero(sizeof *c.f + most), .err = err };

    if (compile(&c, text, &at) == -1) {
        if (offset != NULL)
            *offset = at;
        time_format_free(c.f);
        return NULL;
    }
    c.f->has_year = c.whole || (c.have & (1u << YEAR | 1u << SHORT_YEAR)) != 0;
    return mem_resize(c.f, sizeof *c.f + c.f->nsteps * sizeof(struct step));
}

void
time_format_free(struct time_format *f)
{
    free(f);
}

/* ---- Taking bytes -------------------------------------------------------- */

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
looking_at(const struct slice *s, char c)
{
    return s->len > 0 && *s->ptr == c;
}

static bool
take(struct slice *s, char c)
{
    if (!looking_at(s, c))
        return false;
    s->ptr++;
    s->len--;
    return true;
}

static void
skip_blanks(struct slice *s)
{
    while (s->len > 0 && (*s->ptr == ' ' || (*s->ptr >= '\t' && *s->ptr <= '\r'))) {
        s->ptr++;
        s->len--;
    }
}

/* Up to `most` digits; how many there were. */
static int
take_digits(struct slice *s, int most, int32_t *number)
{
    int n = 0;

    *number = 0;
    while (n < most && (size_t)n < s->len && is_digit(s->ptr[n]))
        *number = *number * 10 + (s->ptr[n++] - '0');
    s->ptr += n;
    s->len -= (size_t)n;
    return n;
}

static bool
take_exactly(struct slice *s, int digits, int32_t *number)
{
    return take_digits(s, digits, number) == digits;
}

static void
set(struct moment *m, enum part part, int32_t number)
{
    m->part[part] = number;
    m->have |= 1u << part;
}

static bool
has(const struct moment *m, enum part part)
{
    return (m->have & 1u << part) != 0;
}

static bool
take_number(struct slice *s, struct moment *m, const struct step *step)
{
    int32_t number;

    skip_blanks(s);
    if (take_digits(s, step->digits, &number) == 0 || number < step->min || number > step->max)
        return false;
    set(m, step->part, number);
    return true;
}

/* The first nine digits; `most` are taken. */
static bool
take_fraction(struct slice *s, struct moment *m, size_t most)
{
    int32_t nanos = 0;
    size_t  n = 0;

    for (; n < most && n < s->len && is_digit(s->ptr[n]); n++)
        if (n < 9)
            nanos = nanos * 10 + (s->ptr[n] - '0');
    s->ptr += n;
    s->len -= n;
    for (size_t i = n; i < 9; i++)
        nanos *= 10;
    set(m, NANOS, nanos);
    return n > 0;
}

/* Three letters as one number, in lower case. */
static uint32_t
three_letters(const char *p)
{
    return ((uint32_t)(unsigned char)p[0] << 16 | (uint32_t)(unsigned char)p[1] << 8 |
            (unsigned char)p[2]) | 0x202020;
}

/* The number of the name that begins here, from 1, written in full or as its first
 * three letters, which tell the names apart.  0: none does. */
static int32_t
take_name(struct slice *s, const char *const *names, int count)
{
    size_t len = 3;
    int    i = 0;

    if (s->len < 3)
        return 0;
    while (i < count && three_letters(names[i]) != three_letters(s->ptr))
        i++;
    if (i == count)
        return 0;
    if (s->len > 3 && (s->ptr[3] | 0x20) == names[i][3] && s->len >= strlen(names[i]) &&
        strncasecmp(s->ptr, names[i], strlen(names[i])) == 0)
        len = strlen(names[i]);
    *s = (struct slice){ s->ptr + len, s->len - len };
    return i + 1;
}

static bool
take_month_name(struct slice *s, struct moment *m)
{
    static const char *const months[] = {
        "january", "february", "march", "april", "may", "june", "july", "august", "september",
        "october", "november", "december",
    };

    set(m, MONTH, take_name(s, months, 12));
    return m->part[MONTH] > 0;
}

static bool
take_day_name(struct slice *s)
{
    static const char *const days[] = {
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    };

    return take_name(s, days, 7) > 0;
}

static bool
take_half(struct slice *s, struct moment *m)
{
    if (s->len < 2 || (s->ptr[1] | 0x20) != 'm')
        return false;
    if ((*s->ptr | 0x20) != 'a' && (*s->ptr | 0x20) != 'p')
        return false;
    set(m, PM, (*s->ptr | 0x20) == 'p');
    *s = (struct slice){ s->ptr + 2, s->len - 2 };
    return true;
}

static bool
take_utc(struct slice *s)
{
    static const char *const names[] = { "UTC", "GMT", "Z" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const size_t len = strlen(names[i]);

        if (s->len >= len && strncasecmp(s->ptr, names[i], len) == 0) {
            *s = (struct slice){ s->ptr + len, s->len - len };
            return true;
        }
    }
    return false;
}

/* +hhmm, +hh:mm or +hh, in seconds east. */
static bool
take_east(struct slice *s, int32_t *east)
{
    const bool west = looking_at(s, '-');
    int32_t    hours, minutes = 0;

    if (!take(s, '-') && !take(s, '+'))
        return false;
    if (!take_exactly(s, 2, &hours) || hours > 23)
        return false;
    if ((take(s, ':') || (s->len > 0 && is_digit(*s->ptr))) &&
        (!take_exactly(s, 2, &minutes) || minutes > 59))
        return false;
    *east = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

static bool
take_offset(struct slice *s, struct moment *m)
{
    int32_t east = 0;

    if (!take(s, 'Z') && !take(s, 'z') && !take_east(s, &east))
        return false;
    set(m, EAST, east);
    return true;
}

/* A number of units of which a second has `a_second`. */
static bool
take_epoch(struct slice *s, struct moment *m, int64_t a_second)
{
    int64_t number = 0;
    size_t  n = 0;

    m->negative = take(s, '-');
    for (; n < s->len && is_digit(s->ptr[n]); n++) {
        if (number > (INT64_MAX - 9) / 10)
            return false;
        number = number * 10 + (s->ptr[n] - '0');
    }
    if (n == 0 || (a_second == 1 && number > INT64_MAX / 1000 - 1))
        return false;
    *s = (struct slice){ s->ptr + n, s->len - n };
    m->epoch_ms = a_second == 1 ? number * 1000 : number / (a_second / 1000);
    m->has_epoch = true;
    return true;
}

/* Behind an epoch, if it is there; what is finer than a millisecond counts not. */
static bool
take_tail(struct slice *s, struct moment *m, int64_t a_second)
{
    if (!take(s, '.'))
        return true;
    if (!take_fraction(s, m, SIZE_MAX))
        return false;
    if (a_second > 1)
        m->part[NANOS] = 0;
    return true;
}

int
time_format_zone(const char *text, struct time_zone *zone, struct error *err)
{
    struct slice s = slice_of(text);

    *zone = (struct time_zone){ .local = strcmp(text, "local") == 0 };
    if (zone->local || take_east(&s, &zone->east) || take_utc(&s))
        if (zone->local || s.len == 0)
            return 0;
    return error_set(err, ERR_CONFIG, "a zone is UTC, local or +hh:mm, not '%s'", text);
}

/* ---- ISO 8601 ------------------------------------------------------------ */

/* Two digits, with `between` before them in the extended form. */
static bool
take_pair(struct slice *s, struct moment *m, enum part part, char between, bool extended)
{
    int32_t number;

    if ((extended && !take(s, between)) || !take_exactly(s, 2, &number))
        return false;
    set(m, part, number);
    return true;
}

/* hh:mm, hh:mm:ss, hh:mm:ss.fff; without colons in the basic form. */
static bool
take_iso_time(struct slice *s, struct moment *m)
{
    bool extended;

    if (!take_pair(s, m, HOUR, ':', false))
        return false;
    extended = looking_at(s, ':');
    if (!take_pair(s, m, MINUTE, ':', extended))
        return false;
    if (extended ? looking_at(s, ':') : s->len > 0 && is_digit(*s->ptr))
        if (!take_pair(s, m, SECOND, ':', extended))
            return false;
    if (take(s, '.') || take(s, ','))
        return has(m, SECOND) && take_fraction(s, m, SIZE_MAX);
    return true;
}

static bool
take_iso8601(struct slice *s, struct moment *m)
{
    int32_t year;
    bool    extended;

    if (!take_exactly(s, 4, &year))
        return false;
    set(m, YEAR, year);
    extended = looking_at(s, '-');
    if (!take_pair(s, m, MONTH, '-', extended) || !take_pair(s, m, DAY, '-', extended))
        return false;
    if (s->len == 0)
        return true;            /* a day alone: its first moment */
    if (!take(s, 'T') && !take(s, 't') && !take(s, ' '))
        return false;
    if (!take_iso_time(s, m))
        return false;
    (void)take(s, ' ');
    return s->len == 0 || take_offset(s, m);
}

/* ---- From parts to a number ---------------------------------------------- */

static bool
is_leap(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int32_t
days_in_month(int32_t year, int32_t month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01 to the first of March of a year, then on to the day: with
 * the leap day last, the months before are (153 * n + 2) / 5 days. */
static int64_t
days_since_epoch(int32_t year, int32_t month, int32_t day)
{
    const int64_t y = month > 2 ? year : year - 1;
    const int64_t from_march = month > 2 ? month - 3 : month + 9;
    const int64_t leaps = y >= 0 ? y / 4 - y / 100 + y / 400 : -1;

    return y * 365 + leaps + (153 * from_march + 2) / 5 + day - 1 - 719468;
}

/* The day's number since the epoch; false if there is no such day. */
static bool
day_number(const struct moment *m, int32_t year, int64_t *day)
{
    if (has(m, DAY_OF_YEAR)) {
        *day = days_since_epoch(year, 1, 1) + m->part[DAY_OF_YEAR] - 1;
        return m->part[DAY_OF_YEAR] <= 365 + is_leap(year);
    }
    if (m->part[MONTH] < 1 || m->part[MONTH] > 12 || m->part[DAY] < 1 ||
        m->part[DAY] > days_in_month(year, m->part[MONTH]))
        return false;
    *day = days_since_epoch(year, m->part[MONTH], m->part[DAY]);
    return true;
}

/* A second of day `day` in the machine's zone; mktime() knows its summers. */
static int64_t
local_seconds(int32_t year, int64_t day, int32_t second)
{
    struct tm tm = { .tm_year = year - 1900, .tm_mday = 1, .tm_isdst = -1 };

    tm.tm_mday += (int)(day - days_since_epoch(year, 1, 1));
    tm.tm_hour = second / 3600;
    tm.tm_min = second / 60 % 60;
    tm.tm_sec = second % 60;
    return mktime(&tm);
}

static bool
to_ms(const struct moment *m, const struct time_zone *zone, int32_t year, int64_t *ms)
{
    const int32_t hour = has(m, HOUR12) ? m->part[HOUR12] % 12 + 12 * m->part[PM] : m->part[HOUR];
    const int32_t second = hour * 3600 + m->part[MINUTE] * 60 + m->part[SECOND];
    int64_t       day, seconds;

    if (hour > 23 || m->part[MINUTE] > 59 || m->part[SECOND] > 60 || !day_number(m, year, &day))
        return false;
    if (has(m, EAST))
        seconds = day * 86400 + second - m->part[EAST];
    else if (zone->local)
        seconds = local_seconds(year, day, second);
    else
        seconds = day * 86400 + second - zone->east;
    *ms = seconds * 1000 + m->part[NANOS] / 1000000;
    return true;
}

/* The year of a day since the epoch; close to now, so that counting is enough. */
static int32_t
year_of(int64_t ms)
{
    int32_t year = (int32_t)(1970 + ms / 1000 / 86400 / 366);

    while (days_since_epoch(year + 1, 1, 1) * 86400000 <= ms)
        year++;
    return year;
}

/* The last year that does not lead too far ahead. */
static bool
guess_year(const struct moment *m, const struct time_zone *zone, int64_t now_ms, int64_t *ms)
{
    const int32_t next = year_of(now_ms) + 1;

    for (int32_t year = next; year >= next - YEARS_BACK - 1; year--)
        if (to_ms(m, zone, year, ms) && *ms <= now_ms + MAX_AHEAD * 86400000ll)
            return true;
    return false;
}

/* ---- Reading ------------------------------------------------------------- */

static bool
take_step(const struct step *step, struct slice *s, struct moment *m)
{
    switch (step->kind) {
    case STEP_LITERAL:
        return take(s, step->literal);
    case STEP_BLANKS:
        skip_blanks(s);
        return true;
    case STEP_NUMBER:
        return take_number(s, m, step);
    case STEP_FRACTION:
        return take_fraction(s, m, 9);
    case STEP_MONTH_NAME:
        return take_month_name(s, m);
    case STEP_DAY_NAME:
        return take_day_name(s);
    case STEP_HALF:
        return take_half(s, m);
    case STEP_OFFSET:
        return take_offset(s, m);
    case STEP_ZONE_NAME:
        set(m, EAST, 0);
        return take_utc(s);
    case STEP_EPOCH:
        return take_epoch(s, m, step->a_second);
    case STEP_TAIL:
        return take_tail(s, m, step->a_second);
    case STEP_ISO8601:
        return take_iso8601(s, m);
    }
    return false;
}

bool
time_format_read_at(const struct time_format *f, const struct time_zone *zone,
                    struct slice text, int64_t now_ms, int64_t *ms)
{
    struct moment m = { .have = 0 };

    for (size_t i = 0; i < f->nsteps; i++)
        if (!take_step(&f->steps[i], &text, &m))
            return false;
    if (text.len > 0)
        return false;
    if (m.has_epoch) {
        *ms = (m.negative ? -1 : 1) * (m.epoch_ms + m.part[NANOS] / 1000000);
        return true;
    }
    if (has(&m, YEAR))
        return to_ms(&m, zone, m.part[YEAR], ms);
    if (has(&m, SHORT_YEAR))    /* as POSIX: 69 to 99 are of the last century */
        return to_ms(&m, zone, m.part[SHORT_YEAR] + (m.part[SHORT_YEAR] < 69 ? 2000 : 1900), ms);
    return guess_year(&m, zone, now_ms, ms);
}

bool
time_format_read(const struct time_format *f, const struct time_zone *zone, struct slice text,
                 int64_t *ms)
{
    return time_format_read_at(f, zone, text, f->has_year ? 0 : clock_epoch_ms(), ms);
}
