/* syslog_5424.c - RFC 5424, section 6; see syslog.h.
 *
 *     VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA [MSG]
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "parsers/syslog.h"

enum { LONGEST_NAME = 255 };    /* of the structured data; the RFC has 32 */

/* ---- Structured data ------------------------------------------------------- */

static void
skip(struct slice *s, size_t n)
{
    s->ptr += n;
    s->len -= n;
}

/* SD-NAME: printable, without blank, '=', ']' and '"'. */
static bool
take_name(struct slice *s, struct slice *name)
{
    size_t n = 0;

    while (n < s->len && n <= LONGEST_NAME && (unsigned char)s->ptr[n] > ' ' &&
           s->ptr[n] != '=' && s->ptr[n] != ']' && s->ptr[n] != '"')
        n++;
    *name = (struct slice){ s->ptr, n };
    skip(s, n);
    return n > 0 && n <= LONGEST_NAME;
}

/* What stands in quotes; behind a backslash a quote ends nothing. */
static bool
take_value(struct slice *s, struct slice *value)
{
    size_t n = 0;

    if (!time_take_byte(s, '"'))
        return false;
    *value = *s;
    while (n < s->len && s->ptr[n] != '"')
        n += s->ptr[n] == '\\' ? 2 : 1;
    if (n >= s->len)
        return false;
    value->len = n;
    skip(s, n + 1);
    return true;
}

bool
syslog_data_next(struct syslog_data *d, bool *broken)
{
    struct slice *s = &d->rest;

    for (;;) {
        *broken = false;
        if (!d->inside) {
            d->inside = true;
            *broken = !time_take_byte(s, '[') || !take_name(s, &d->id);
        } else if (time_take_byte(s, ']')) {
            d->inside = false;
            if (s->len == 0 || *s->ptr != '[')
                return false;
        } else if (time_take_byte(s, ' ')) {
            time_skip_blanks(s);
            if (s->len > 0 && *s->ptr == ']')
                continue;
            *broken = !take_name(s, &d->name) || !time_take_byte(s, '=') ||
                      !take_value(s, &d->value);
            return !*broken;
        } else {
            *broken = true;
        }
        if (*broken)
            return false;
    }
}

/* What begins with a bracket and is no structured data is the message, if the data
 * was left out; but not if a quoted value has begun. */
static enum syslog_result
take_data(struct slice *s, struct syslog_message *m)
{
    struct syslog_data d = { .rest = *s };
    bool               broken;

    while (syslog_data_next(&d, &broken))
        m->dotted = m->dotted || memchr(d.name.ptr, '.', d.name.len) != NULL;
    if (broken)
        return d.value.ptr != NULL ? SYSLOG_BROKEN : SYSLOG_YES;
    m->data = (struct slice){ s->ptr, s->len - d.rest.len };
    *s = d.rest;
    return SYSLOG_YES;
}

/* ---- The header -------------------------------------------------------------- */

struct slice
syslog_word(struct slice *s)
{
    const char  *blank = s->len > 0 ? memchr(s->ptr, ' ', s->len) : NULL;
    struct slice word = { s->ptr, blank != NULL ? (size_t)(blank - s->ptr) : s->len };

    skip(s, blank != NULL ? word.len + 1 : word.len);
    return word.len > 0 ? word : NO_SLICE;
}

static bool
take_version(struct slice *s, struct slice *version)
{
    int32_t      number;
    struct slice begin = *s;

    if (s->len == 0 || *s->ptr == '0' || time_take_digits(s, 3, &number) == 0)
        return false;
    *version = (struct slice){ begin.ptr, begin.len - s->len };
    return time_take_byte(s, ' ');
}

static bool
take_time(struct slice *s, struct syslog_message *m)
{
    struct slice word = syslog_word(s);

    if (word.ptr == NULL || slice_is(word, "-"))
        return word.ptr != NULL;
    if (word.len < 11 || word.ptr[4] != '-' || word.ptr[7] != '-' || word.ptr[10] != 'T')
        return false;
    m->has_time = true;
    m->bad_time = !time_take_iso8601(&word, &m->time) || word.len > 0;
    return true;
}

static void
take_message(struct slice *s, struct syslog_message *m)
{
    if (s->len >= 3 && memcmp(s->ptr, "\xef\xbb\xbf", 3) == 0)
        skip(s, 3);
    m->message = *s;
}

/* A word, or nil. */
static bool
take_part(struct slice *s, struct slice *part)
{
    const struct slice word = syslog_word(s);

    if (word.ptr == NULL || s->len == 0)
        return false;           /* something has to stand behind it */
    *part = slice_is(word, "-") ? NO_SLICE : word;
    return true;
}

enum syslog_result
syslog_5424_read(struct slice s, struct syslog_message *m)
{
    if (!take_version(&s, &m->version) || !take_time(&s, m))
        return SYSLOG_NO;
    if (!take_part(&s, &m->hostname) || !take_part(&s, &m->appname) ||
        !take_part(&s, &m->procid) || !take_part(&s, &m->msgid))
        return SYSLOG_BROKEN;
    if (*s.ptr == '[') {
        if (take_data(&s, m) == SYSLOG_BROKEN)
            return SYSLOG_BROKEN;
    } else if (*s.ptr == '-' && (s.len == 1 || s.ptr[1] == ' ')) {
        skip(&s, 1);
    }
    if (s.len > 0) {
        (void)time_take_byte(&s, ' ');
        take_message(&s, m);
    }
    return SYSLOG_YES;
}
