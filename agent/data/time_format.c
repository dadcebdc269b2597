/* time_format.c - see time_format.h.
 *
 * A format becomes a list of steps.  Each step takes its bytes from the front of
 * the text and fills one part of a moment; at the end the parts are made a number.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/time_format.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "agent/base/strings.h"
#include "agent/data/time_take.h"

enum { MAX_STEPS = 100 };

enum step_kind {
    STEP_LITERAL,               /* this byte */
    STEP_BLANKS,                /* after these two come steps that fill parts */
    STEP_NUMBER,
    STEP_DATE,                  /* %Y-%m-%d, in one go */
    STEP_CLOCK,                 /* %H:%M:%S, likewise */
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
    char           before;      /* to be taken first: this byte, or any blanks if it is one; or 0 */
    char           literal;
    enum time_part part;        /* that it fills, or none: TIME_PARTS */
    int            digits;      /* of a number: at most so many */
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
    { 'Y', NUMBER(TIME_YEAR, 4, 0, 9999), NULL },
    { 'y', NUMBER(TIME_SHORT_YEAR, 2, 0, 99), NULL },
    { 'm', NUMBER(TIME_MONTH, 2, 1, 12), NULL },
    { 'b', DO(STEP_MONTH_NAME, TIME_MONTH), NULL },
    { 'B', DO(STEP_MONTH_NAME, TIME_MONTH), NULL },
    { 'h', DO(STEP_MONTH_NAME, TIME_MONTH), NULL },
    { 'd', NUMBER(TIME_DAY, 2, 1, 31), NULL },
    { 'e', NUMBER(TIME_DAY, 2, 1, 31), NULL },
    { 'j', NUMBER(TIME_DAY_OF_YEAR, 3, 1, 366), NULL },
    { 'a', DO(STEP_DAY_NAME, TIME_PARTS), NULL },
    { 'A', DO(STEP_DAY_NAME, TIME_PARTS), NULL },
    { 'u', NUMBER(TIME_PARTS, 1, 1, 7), NULL },
    { 'w', NUMBER(TIME_PARTS, 1, 0, 6), NULL },
    { 'H', NUMBER(TIME_HOUR, 2, 0, 23), NULL },
    { 'k', NUMBER(TIME_HOUR, 2, 0, 23), NULL },
    { 'I', NUMBER(TIME_HOUR12, 2, 1, 12), NULL },
    { 'l', NUMBER(TIME_HOUR12, 2, 1, 12), NULL },
    { 'p', DO(STEP_HALF, TIME_PM), NULL },
    { 'M', NUMBER(TIME_MINUTE, 2, 0, 59), NULL },
    { 'S', NUMBER(TIME_SECOND, 2, 0, 60), NULL },
    { 'f', DO(STEP_FRACTION, TIME_MILLIS), NULL },
    { 'z', DO(STEP_OFFSET, TIME_EAST), NULL },
    { 'Z', DO(STEP_ZONE_NAME, TIME_EAST), NULL },
    { 's', { .kind = STEP_EPOCH, .part = TIME_PARTS, .a_second = 1 }, NULL },
    { 'n', DO(STEP_BLANKS, TIME_PARTS), NULL },
    { 't', DO(STEP_BLANKS, TIME_PARTS), NULL },
    { '%', { .kind = STEP_LITERAL, .literal = '%', .part = TIME_PARTS }, NULL },
    { 'T', DO(STEP_CLOCK, TIME_SECOND), NULL },
    { 'R', { .part = TIME_PARTS }, "%H:%M" },
    { 'r', { .part = TIME_PARTS }, "%I:%M:%S %p" },
    { 'D', { .part = TIME_PARTS }, "%m/%d/%y" },
    { 'F', DO(STEP_DATE, TIME_YEAR), NULL },
    { 'c', { .part = TIME_PARTS }, "%a %b %e %T %Y" },
    { 'x', { .part = TIME_PARTS }, "%m/%d/%y" },
    { 'X', { .part = TIME_PARTS }, "%T" },
};

/* What is taken in one go. */
static const struct shortcut {
    const char *text;
    char        letter;         /* of the conversion */
} shortcuts[] = { { "%Y-%m-%d", 'F' }, { "%H:%M:%S", 'T' } };

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
    if (step.kind == STEP_DATE)
        c->have |= 1u << TIME_MONTH | 1u << TIME_DAY;
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

/* The conversion behind the percent sign at `*p`, which moves to its last byte; NULL: there is
 * none. */
static const struct conversion *
next_conversion(const char **p)
{
    for (size_t i = 0; i < sizeof shortcuts / sizeof *shortcuts; i++) {
        const size_t len = strlen(shortcuts[i].text);

        if (strncmp(*p, shortcuts[i].text, len) == 0) {
            *p += len - 1;
            return find_conversion(shortcuts[i].letter);
        }
    }
    return find_conversion(*++*p);
}

/* Others write fractions as %L, %N, %3N or %.3f, and a zone as %:z. */
static int
unknown_conversion(struct compiler *c, char letter)
{
    const char *hint = "";

    if (letter == '\0')
        return error_set(c->err, ERR_CONFIG, "the time format ends with '%%'");
    if (strchr("LN.369", letter) != NULL)
        hint = " (a fraction of a second is %f)";
    else if (letter == ':')
        hint = " (a zone is %z)";
    return error_set(c->err, ERR_CONFIG, "the time format has an unknown '%%%c'%s", letter, hint);
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
            rc = add_step(c, (struct step){ .kind = STEP_BLANKS, .part = TIME_PARTS });
        } else if (*p != '%') {
            rc = add_step(c, (struct step){ .kind = STEP_LITERAL, .literal = *p,
                                            .part = TIME_PARTS });
        } else if ((conversion = next_conversion(&p)) == NULL) {
            return unknown_conversion(c, *p);
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
    const uint32_t day = 1u << TIME_MONTH | 1u << TIME_DAY;

    if (c->whole)
        return 0;
    if ((c->have & day) != day && (c->have & 1u << TIME_DAY_OF_YEAR) == 0)
        return error_set(c->err, ERR_CONFIG,
                         "the time format names no day (%%m or %%b, and %%d; or %%j)");
    if ((c->have & 1u << TIME_HOUR12) != 0 && (c->have & 1u << TIME_PM) == 0)
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
            return add_step(c, (struct step){ .kind = STEP_ISO8601, .part = TIME_YEAR });
        (void)add_step(c, (struct step){ .kind = STEP_EPOCH, .part = TIME_PARTS,
                                         .a_second = unit });
        return add_step(c, (struct step){ .kind = STEP_TAIL, .part = TIME_PARTS,
                                          .a_second = unit });
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

/* Literals and blanks go into the steps that follow them. */
static void
join_steps(struct time_format *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->nsteps; i++) {
        const struct step *last = n > 0 ? &f->steps[n - 1] : NULL;
        struct step        step = f->steps[i];

        if (last != NULL && last->before == 0 && step.kind > STEP_BLANKS &&
            last->kind <= STEP_BLANKS) {
            step.before = last->kind == STEP_BLANKS ? ' ' : last->literal;
            n--;
        }
        f->steps[n++] = step;
    }
    f->nsteps = n;
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
    join_steps(c.f);
    c.f->has_year = c.whole || (c.have & (1u << TIME_YEAR | 1u << TIME_SHORT_YEAR)) != 0;
    return mem_resize(c.f, sizeof *c.f + c.f->nsteps * sizeof(struct step));
}

void
time_format_free(struct time_format *f)
{
    free(f);
}

/* ---- Reading ------------------------------------------------------------- */

/* All its digits, two or four, as nearly all numbers have them; or -1. */
static inline int32_t
whole_number(const struct slice *s, int digits)
{
    uint32_t high = 0, low;

    if (s->len < (size_t)digits || digits % 2 != 0)
        return -1;
    if (digits == 4)
        high = time_two_digits(s->ptr);
    low = time_two_digits(s->ptr + digits - 2);
    return high > 99 || low > 99 ? -1 : (int32_t)(high * 100 + low);
}

static inline bool
take_number(struct slice *s, struct time_moment *m, const struct step *step)
{
    int32_t number = whole_number(s, step->digits);

    if (number >= 0) {
        s->ptr += step->digits;
        s->len -= (size_t)step->digits;
    } else {
        time_skip_blanks(s);
        if (time_take_digits(s, step->digits, &number) == 0)
            return false;
    }
    if (number < step->min || number > step->max)
        return false;
    if (step->part != TIME_PARTS)
        time_moment_set(m, step->part, number);
    return true;
}

/* A number of units of which a second has `a_second`. */
static bool
take_epoch(struct slice *s, struct time_moment *m, int64_t a_second)
{
    int64_t number = 0;
    size_t  n = 0;

    m->negative = time_take_byte(s, '-');
    for (; n < s->len && s->ptr[n] >= '0' && s->ptr[n] <= '9'; n++) {
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
take_tail(struct slice *s, struct time_moment *m, int64_t a_second)
{
    if (!time_take_byte(s, '.'))
        return true;
    if (!time_take_fraction(s, m, SIZE_MAX))
        return false;
    if (a_second > 1)
        m->part[TIME_MILLIS] = 0;
    return true;
}

static bool
take_step(const struct step *step, struct slice *s, struct time_moment *m)
{
    switch (step->kind) {
    case STEP_LITERAL:
        return time_take_byte(s, step->literal);
    case STEP_BLANKS:
        time_skip_blanks(s);
        return true;
    case STEP_NUMBER:
        return take_number(s, m, step);
    case STEP_DATE:
        return time_take_date(s, m);
    case STEP_CLOCK:
        return time_take_clock(s, m);
    case STEP_FRACTION:
        return time_take_fraction(s, m, 9);
    case STEP_MONTH_NAME:
        return time_take_month_name(s, m);
    case STEP_DAY_NAME:
        return time_take_day_name(s);
    case STEP_HALF:
        return time_take_half(s, m);
    case STEP_OFFSET:
        return time_take_offset(s, m);
    case STEP_ZONE_NAME:
        return time_take_zone_name(s, m);
    case STEP_EPOCH:
        return take_epoch(s, m, step->a_second);
    case STEP_TAIL:
        return take_tail(s, m, step->a_second);
    case STEP_ISO8601:
        return time_take_iso8601(s, m);
    }
    return false;
}

bool
time_format_read_at(const struct time_format *f, const struct time_zone *zone,
                    struct slice text, int64_t now_ms, int64_t *ms)
{
    struct time_moment m = { .have = 0 };

    for (const struct step *step = f->steps; step < f->steps + f->nsteps; step++) {
        if (step->before == ' ')
            time_skip_blanks(&text);
        else if (step->before != 0 && !time_take_byte(&text, step->before))
            return false;
        if (!take_step(step, &text, &m))
            return false;
    }
    return text.len == 0 && time_moment_ms(&m, zone, now_ms, ms);
}

bool
time_format_read(const struct time_format *f, const struct time_zone *zone, struct slice text,
                 int64_t *ms)
{
    return time_format_read_at(f, zone, text, f->has_year ? 0 : clock_coarse_ms(), ms);
}
