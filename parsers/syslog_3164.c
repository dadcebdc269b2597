/* syslog_3164.c - RFC 3164, as it is met; see syslog.h.
 *
 *     Oct 11 22:14:15 mymachine su: 'su root' failed      the RFC's form
 *     2024-03-01T12:00:00.123+01:00 host sshd[7]: ...     rsyslog, systemd
 *     Mar 01 2024 18:46:11 fw-1 : %ASA-6-302013: ...      Cisco ASA
 *     29: r1: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: ...      Cisco IOS
 *     : 2024 Mar  1 18:46:11 UTC: %ETHPORT-5-IF_UP: ...   Cisco NX-OS
 *     29: RP/0/RP0/CPU0:Mar  1 18:46:11.123 : config[7]: %MGBL-...    Cisco IOS XR
 *     Mar  1 18:46:11 host user.notice root: ...          BusyBox (Alpine)
 *     Fri Mar  1 18:46:11 2024 daemon.info dnsmasq[1]: ...    OpenWrt
 *     Mar  1 18:46:11 host last message repeated 2 times  no tag
 *     sshd[7]: ...                                        no time, and so no host
 *
 * A shape is recognised first and its numbers are judged later: the 41st of October
 * is a time that cannot be, and not a message that begins with "Oct".
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "parsers/syslog.h"

enum { IMPOSSIBLE = 99 };       /* an hour */

static inline bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool
is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static inline bool
is_alnum(char c)
{
    return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z');
}

static void
skip(struct slice *s, size_t n)
{
    s->ptr += n;
    s->len -= n;
}

/* Behind a part of a time: it ends here, perhaps with a colon. */
static bool
at_end(struct slice s)
{
    if (s.len > 0 && *s.ptr == ':')
        skip(&s, 1);
    return s.len == 0 || *s.ptr == ' ';
}

static bool
begins_with(struct slice s, const char *text)
{
    return s.len >= strlen(text) && memcmp(s.ptr, text, strlen(text)) == 0;
}

/* ---- Time ------------------------------------------------------------------ */

/* Four digits, and nothing more. */
static bool
take_year(struct slice *s, struct time_moment *t)
{
    struct slice rest = *s;
    int32_t      year;

    if (time_take_digits(&rest, 5, &year) != 4 || !at_end(rest))
        return false;           /* also: no digit at all */
    time_moment_set(t, TIME_YEAR, year);
    *s = rest;
    return true;
}

/* hh:mm:ss, whatever the numbers. */
static bool
take_clock(struct slice *s, struct time_moment *t)
{
    struct slice rest = *s;
    int32_t      number;

    if (time_take_clock(s, t))
        return true;
    for (int i = 0; i < 3; i++) {
        if (i > 0 && !time_take_byte(&rest, ':'))
            return false;
        if (time_take_digits(&rest, 2, &number) == 0)
            return false;
    }
    time_moment_set(t, TIME_HOUR, IMPOSSIBLE);
    *s = rest;
    return true;
}

static bool
take_text(struct slice *s, const char *text)
{
    if (!begins_with(*s, text))
        return false;
    skip(s, strlen(text));
    return true;
}

/* +02:00, Z, UTC, UTC+2, TZ-6. */
static bool
take_offset(struct slice *s, struct time_moment *t)
{
    struct time_moment zone = { .have = 0 };
    const bool         utc = take_text(s, "UTC") || take_text(s, "GMT");
    const bool         named = utc || take_text(s, "TZ");
    struct slice       rest = *s;
    int32_t            hours;

    if (!(utc && at_end(*s)) && (!time_take_offset(s, &zone) || !at_end(*s))) {
        const bool west = rest.len > 0 && *rest.ptr == '-';

        if (!named || (!time_take_byte(&rest, '+') && !time_take_byte(&rest, '-')) ||
            time_take_digits(&rest, 2, &hours) == 0 || hours > 23 || !at_end(rest))
            return false;
        zone.part[TIME_EAST] = (west ? -1 : 1) * hours * 3600;
        *s = rest;
    }
    time_moment_set(t, TIME_EAST, zone.part[TIME_EAST]);
    return true;
}

/* CET, before a colon or a year: a name alone may be a host's.  One that could mean
 * several zones is taken too, and the setting holds; but before a colon it may also be a
 * tag (CRON: ..., CEF:0|...), if no mnemonic of Cisco's follows. */
static bool
take_zone_name(struct slice *s, struct time_moment *t)
{
    struct time_moment year = { .have = 0 };
    struct slice       name = *s, behind;

    while (s->len > 0 && is_upper(*s->ptr))
        skip(s, 1);
    behind = *s;
    name.len -= s->len;
    if (name.len < 2 || name.len > 5)
        return false;
    if (time_take_byte(&behind, ':'))
        return (time_take_zone_name(&name, t) && at_end(*s)) || begins_with(behind, " %");
    if (!time_take_byte(&behind, ' ') || !take_year(&behind, &year))
        return false;
    (void)time_take_zone_name(&name, t);
    return true;
}

/* Behind the seconds: a fraction, a zone, a year. */
static void
take_rest_of_time(struct slice *s, struct time_moment *t)
{
    struct slice rest = *s;

    if (s->len > 1 && (*s->ptr == '.' || *s->ptr == ',') && is_digit(s->ptr[1])) {
        skip(s, 1);
        (void)time_take_fraction(s, t, SIZE_MAX);
    }
    rest = *s;
    if (time_take_byte(&rest, ' ') && take_offset(&rest, t))
        *s = rest;
    rest = *s;
    if (time_take_byte(&rest, ' ') && take_zone_name(&rest, t))
        *s = rest;
    rest = *s;
    if (!time_moment_has(t, TIME_YEAR) && time_take_byte(&rest, ' ') && take_year(&rest, t))
        *s = rest;
}

/* Mmm or Www Mmm */
static bool
take_month(struct slice *s, struct time_moment *t)
{
    return time_take_month_name(s, t) ||
           (time_take_day_name(s) && time_take_byte(s, ' ') && time_take_month_name(s, t));
}

/* [yyyy] [Www] Mmm dd [yyyy] hh:mm:ss */
static bool
take_bsd_time(struct slice *s, struct time_moment *t)
{
    int32_t day;

    if (s->len > 0 && is_digit(*s->ptr) && !(take_year(s, t) && time_take_byte(s, ' ')))
        return false;
    if (!take_month(s, t) || !time_take_byte(s, ' '))
        return false;
    time_skip_blanks(s);
    if (time_take_digits(s, 2, &day) == 0 || !time_take_byte(s, ' '))
        return false;
    time_moment_set(t, TIME_DAY, day);
    time_skip_blanks(s);
    if (take_year(s, t) && !time_take_byte(s, ' '))
        return false;
    if (!take_clock(s, t))
        return false;
    take_rest_of_time(s, t);
    return true;
}

/* yyyy-mm-ddThh:mm:ss..., or with a blank for the T: one word or two. */
static bool
take_iso_time(struct slice *s, struct syslog_message *m)
{
    size_t n = 10;

    if (s->len < 19 || s->ptr[4] != '-' || s->ptr[7] != '-' || s->ptr[13] != ':' ||
        (s->ptr[10] != 'T' && s->ptr[10] != ' ') || !is_digit(*s->ptr))
        return false;
    do
        n++;
    while (n < s->len && s->ptr[n] != ' ');
    if (s->ptr[n - 1] == ':')
        n--;
    m->bad_time = true;
    if (n <= 40) {
        struct slice text = { s->ptr, n };

        m->bad_time = !time_take_iso8601(&text, &m->time) || text.len > 0;
    }
    skip(s, n);
    return true;
}

/* A time at the front, and what stands between it and the next word.  `colon`: it ended
 * with one, and so no host follows. */
static bool
take_time(struct slice *s, struct syslog_message *m, bool *colon)
{
    struct slice rest = *s;

    m->time = (struct time_moment){ .have = 0 };
    if (rest.len > 1 && (*rest.ptr == '*' || *rest.ptr == '.' || *rest.ptr == '%'))
        skip(&rest, 1);         /* of a clock that was never set, or not lately */
    if (!take_iso_time(&rest, m) && !take_bsd_time(&rest, &m->time))
        return false;
    if (!at_end(rest))
        return false;
    *colon = time_take_byte(&rest, ':') || take_text(&rest, " : ");
    time_skip_blanks(&rest);
    m->has_time = true;
    *s = rest;
    return true;
}

/* ---- Cisco's own head ------------------------------------------------------- */

/* 29: or nothing but the colon (NX-OS). */
static bool
take_sequence(struct slice *s)
{
    struct slice rest = *s;
    int32_t      number;

    if (time_take_digits(&rest, 9, &number) == 0 && !begins_with(rest, ":"))
        return false;
    if (!take_text(&rest, ": "))
        return false;
    *s = rest;
    return true;
}

/* 29: r1: *Mar ... or 29: %SYS-...: a number, a name, both or neither; only before a
 * time or a mnemonic.  `*colon` as above. */
static void
take_head(struct slice *s, struct syslog_message *m, bool *colon)
{
    struct slice rest = *s, word;

    if (take_sequence(&rest) && (take_time(&rest, m, colon) || begins_with(rest, "%"))) {
        *s = rest;
        return;
    }
    word = syslog_word(&rest);
    while (word.len > 0 && word.ptr[word.len - 1] != ':')
        word.len--;             /* CPU0:Mar */
    if (word.len < 2)
        return;
    rest.len += (size_t)(rest.ptr - word.ptr) - word.len;
    rest.ptr = word.ptr + word.len;
    time_skip_blanks(&rest);
    if (!take_time(&rest, m, colon))
        return;
    m->hostname = (struct slice){ word.ptr, word.len - 1 };
    *s = rest;
}

/* Nearly all lines have a tag there: not worth to be looked at as a time. */
static bool
may_be_time(struct slice s)
{
    return s.len > 4 && (s.ptr[3] == ' ' || s.ptr[4] == ' ' || is_digit(*s.ptr));
}

/* The same head behind the host that a relay has put before it; the time is the relay's. */
static void
skip_head(struct slice *s)
{
    struct slice          rest = *s;
    struct syslog_message own;
    bool                  colon;

    (void)take_sequence(&rest);
    if (may_be_time(rest))
        (void)take_time(&rest, &own, &colon);
    if (begins_with(rest, "%"))
        *s = rest;
}

/* ---- Host ---------------------------------------------------------------------- */

/* Is this word a host's name or address, and not a tag or the beginning of a message? */
static bool
is_host(struct slice word)
{
    bool any = false;

    if (word.ptr == NULL)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        any = any || is_alnum(word.ptr[i]);
        if (!is_alnum(word.ptr[i]) && memchr(".-_:/@", word.ptr[i], 6) == NULL)
            return false;
    }
    if (word.ptr[word.len - 1] == ':')          /* a tag, but: 2001:db8:: */
        return word.len > 2 && word.ptr[word.len - 2] == ':';
    return any;
}

static void
take_host(struct slice *s, struct syslog_message *m)
{
    struct slice rest = *s, word;

    if (begins_with(*s, "last message repeated "))
        return;
    word = syslog_word(&rest);
    if (word.len > 1 && begins_with(rest, "%") && word.ptr[word.len - 1] == ':')
        word.len--;
    if (!is_host(word) && !slice_is(word, "-"))
        return;
    if (!slice_is(word, "-"))
        m->hostname = word;
    time_skip_blanks(&rest);
    (void)take_text(&rest, ": ");
    skip_head(&rest);
    *s = rest;
}

/* ---- BusyBox: user.notice ------------------------------------------------------ */

static const char *const facilities[] = {
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "security", "console", "solaris-cron", "local0", "local1", "local2", "local3",
    "local4", "local5", "local6", "local7",
};
static const char *const severities[] = {
    "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug",
};

static int
place_of(struct slice word, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (slice_is(word, names[i]))
            return i;
    return -1;
}

/* Instead of a priority in front. */
static bool
read_selector(struct slice word, int *priority)
{
    const char  *dot = word.len > 0 ? memchr(word.ptr, '.', word.len) : NULL;
    struct slice facility = word;
    int          high, low;

    if (dot == NULL)
        return false;
    facility.len = (size_t)(dot - word.ptr);
    skip(&word, facility.len + 1);
    high = place_of(facility, facilities, sizeof facilities / sizeof *facilities);
    low = place_of(word, severities, sizeof severities / sizeof *severities);
    if (high < 0 || low < 0)
        return false;
    *priority = high * 8 + low;
    return true;
}

static bool
take_selector(struct slice *s, int *priority)
{
    struct slice rest = *s;

    if (!read_selector(syslog_word(&rest), priority))
        return false;
    *s = rest;
    return true;
}

/* ---- Tag -------------------------------------------------------------------- */

/* [1234], with or without a colon behind it. */
static bool
take_pid(struct slice *s, struct slice *pid)
{
    size_t n = 1;

    while (n < s->len && s->ptr[n] > ' ' && s->ptr[n] != ']' && s->ptr[n] != '[')
        n++;
    if (n == 1 || n >= s->len || s->ptr[n] != ']')
        return false;
    *pid = (struct slice){ s->ptr + 1, n - 1 };
    skip(s, n + 1);
    return time_take_byte(s, ':') || s->len == 0 || *s->ptr == ' ';
}

/* tag: or tag[pid]: or tag[pid]; true with both set (`pid` NO_SLICE: none). */
static bool
take_tag(struct slice *s, struct slice *tag, struct slice *pid)
{
    bool   any = false;
    size_t n = 0;

    *pid = NO_SLICE;
    while (n < s->len && s->ptr[n] != ':' && s->ptr[n] != '[' && s->ptr[n] != ' ') {
        any = any || !is_digit(s->ptr[n]);
        n++;
    }
    *tag = (struct slice){ s->ptr, n };
    if (!any || n == s->len)
        return false;           /* nothing but digits: a number of Cisco's */
    skip(s, n);
    if (*s->ptr == '[')
        return take_pid(s, pid);
    return time_take_byte(s, ':') && (s->len == 0 || *s->ptr == ' ' || *s->ptr == '\t');
}

enum syslog_result
syslog_3164_read(struct slice s, struct syslog_message *m)
{
    bool         colon = false, has_tag;
    struct slice rest, tag, pid;

    time_skip_blanks(&s);
    if (!take_time(&s, m, &colon))
        take_head(&s, m, &colon);
    if (!m->has_time && m->priority == SYSLOG_NO_PRIORITY)
        return SYSLOG_NO;
    if (m->has_time && !colon && m->hostname.ptr == NULL)
        take_host(&s, m);
    if (m->priority == SYSLOG_NO_PRIORITY && read_selector(m->hostname, &m->priority))
        m->hostname = NO_SLICE;
    rest = s;
    has_tag = take_tag(&rest, &tag, &pid);
    if (!has_tag && m->priority == SYSLOG_NO_PRIORITY && take_selector(&s, &m->priority)) {
        rest = s;
        has_tag = take_tag(&rest, &tag, &pid);
    }
    if (has_tag) {
        m->appname = tag;
        m->procid = pid;
        (void)time_take_byte(&rest, ' ');
        s = rest;
    }
    m->message = s;
    return SYSLOG_YES;
}
