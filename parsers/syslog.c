/* syslog.c - RFC 5424 and RFC 3164, told apart line by line.
 *
 *     type: syslog
 *
 * Fields: facility, severity (numbers), version, hostname, appname, procid, msgid,
 * message and structured_data.ID.PARAM; a nil value ("-") is a missing field.  The time
 * of the record is the message's own; where it has no zone (RFC 3164) the setting
 * `zone` holds, and where it has no year the year that brings it closest to now, at most
 * two days ahead.
 *
 * An ID may hold dots and so may a PARAM: where two come out as one name, the one with
 * the longest ID is meant.  A PARAM that stands twice in an element has its last value.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "parsers/syslog.h"

#include <stdlib.h>

#include "agent/base/check.h"
#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "parsers/parser_base.h"

enum {
    MAGIC = 0x5379736c,
    MAX_PRIORITY = 191,
    MOST_DOTS = 4,                  /* in the name of a parameter: more are as good as so many */
};

#define DATA "structured_data."

enum part {
    FACILITY, SEVERITY, VERSION, HOSTNAME, APPNAME, PROCID, MSGID, MESSAGE, PARTS
};

static const char *const part_names[PARTS] = {
    "facility", "severity", "version", "hostname", "appname", "procid", "msgid", "message",
};

struct syslog_parser {
    struct parser_base base;
    uint32_t           part[PARTS]; /* numbers of the names */
    struct time_zone   zone;
};

struct syslog_conf {
    struct parser_base_conf base;
    char                   *zone;
};

static const struct field syslog_fields[] = {
    A_TEXT(struct syslog_conf, "zone", zone, "local",
        "Where a time without zone was written (RFC 3164): `local`, the machine's, UTC or +hh:mm."),
    PARSER_BASE_FIELDS(struct syslog_conf),
    NO_MORE_FIELDS
};

/* ---- Parsing ------------------------------------------------------------ */

static const struct syslog_parser *
syslog_of(const struct parser *p)
{
    const struct syslog_parser *sp = (const struct syslog_parser *)p;

    CHECK_MAGIC(&sp->base, MAGIC);
    return sp;
}

/* <34>; false if there is none. */
static bool
take_priority(struct slice *s, int *priority)
{
    struct slice rest = *s;
    int32_t      number;

    if (!time_take_byte(&rest, '<') || time_take_digits(&rest, 3, &number) == 0 ||
        !time_take_byte(&rest, '>') || number > MAX_PRIORITY)
        return false;
    *priority = number;
    *s = rest;
    return true;
}

static enum syslog_result
read_message(struct slice s, struct syslog_message *m)
{
    enum syslog_result result;
    int                priority = SYSLOG_NO_PRIORITY;

    while (s.len > 0 && (s.ptr[s.len - 1] == '\0' || s.ptr[s.len - 1] == '\n'))
        s.len--;                /* the end of a frame, for some senders */
    if (take_priority(&s, &priority)) {
        *m = (struct syslog_message){ .priority = priority };
        result = syslog_5424_read(s, m);
        if (result != SYSLOG_NO)
            return result;
    }
    *m = (struct syslog_message){ .priority = priority };
    return syslog_3164_read(s, m);
}

static void
set_part(const struct syslog_parser *sp, struct record *r, enum part part, enum value_type type,
         struct slice text)
{
    if (text.ptr != NULL && record_asked(r, sp->part[part]))
        (void)record_set(r, sp->part[part], type, text);
}

static void
set_parts(const struct syslog_parser *sp, const struct syslog_message *m, struct record *r)
{
    static const char *const numbers[] = {
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16",
        "17", "18", "19", "20", "21", "22", "23",
    };

    if (m->priority != SYSLOG_NO_PRIORITY) {
        set_part(sp, r, FACILITY, VALUE_NUMBER, slice_of(numbers[m->priority / 8]));
        set_part(sp, r, SEVERITY, VALUE_NUMBER, slice_of(numbers[m->priority % 8]));
    }
    set_part(sp, r, VERSION, VALUE_NUMBER, m->version);
    set_part(sp, r, HOSTNAME, VALUE_TEXT, m->hostname);
    set_part(sp, r, APPNAME, VALUE_TEXT, m->appname);
    set_part(sp, r, PROCID, VALUE_TEXT, m->procid);
    set_part(sp, r, MSGID, VALUE_TEXT, m->msgid);
    set_part(sp, r, MESSAGE, VALUE_TEXT, m->message);
}

/* A backslash before a quote, a backslash or a bracket goes away; before anything else it
 * is a backslash (RFC 5424, 6.3.3). */
static struct slice
without_escapes(struct slice value, struct arena *a)
{
    char  *text;
    size_t len = 0;

    if (memchr(value.ptr, '\\', value.len) == NULL)
        return value;
    text = arena_reserve(a, value.len);
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\\' && i + 1 < value.len &&
            memchr("\"\\]", value.ptr[i + 1], 3) != NULL)
            i++;
        text[len++] = value.ptr[i];
    }
    return arena_commit(a, len);
}

static struct slice
param_name(const struct syslog_data *d, struct arena *a)
{
    const size_t len = sizeof DATA - 1 + d->id.len + 1 + d->name.len;
    char        *p = arena_reserve(a, len);

    memcpy(p, DATA, sizeof DATA - 1);
    p += sizeof DATA - 1;
    memcpy(p, d->id.ptr, d->id.len);
    p += d->id.len;
    *p++ = '.';
    memcpy(p, d->name.ptr, d->name.len);
    return arena_commit(a, len);
}

static unsigned
count_dots(struct slice s)
{
    unsigned dots = 0;

    for (size_t i = 0; i < s.len && dots < MOST_DOTS; i++)
        dots += s.ptr[i] == '.';
    return dots;
}

/* Only the parameters with so many dots in their names.  More of them than a record has
 * room for are not looked at. */
static void
set_params(struct slice data, unsigned dots, struct parse_work *work, struct record *r)
{
    struct syslog_data d = { .rest = data };
    bool               broken;

    for (int i = 0; i < RECORD_MAX_FIELDS && syslog_data_next(&d, &broken); i++)
        if (count_dots(d.name) == dots)
            (void)record_set_named(r, param_name(&d, work->arena), VALUE_TEXT,
                                   without_escapes(d.value, work->arena));
}

/* The fewer dots a PARAM has, the longer is the ID in the same name: the last one holds. */
static void
set_data(const struct syslog_message *m, struct parse_work *work, struct record *r)
{
    for (unsigned dots = m->dotted ? MOST_DOTS : 0; dots > 0; dots--)
        set_params(m->data, dots, work, r);
    set_params(m->data, 0, work, r);
}

/* False: it has one that cannot be. */
static bool
set_time(const struct syslog_parser *sp, const struct syslog_message *m, struct record *r)
{
    const bool year = time_moment_has(&m->time, TIME_YEAR);

    if (!m->has_time)
        return true;
    r->has_time = !m->bad_time && time_moment_ms(&m->time, &sp->zone,
                                                 year ? 0 : clock_coarse_ms(), &r->time_ms);
    return r->has_time;
}

static int
parse(const struct parser *p, struct parse_work *work, struct record *r)
{
    const struct syslog_parser *sp = syslog_of(p);
    struct syslog_message       m;
    struct slice                text;
    bool                        own;

    if (!parser_base_subject(&sp->base, work, r, &text))
        return -1;
    switch (read_message(text, &m)) {
    case SYSLOG_NO:
        work->reason = "no match";
        return -1;
    case SYSLOG_BROKEN:
        work->reason = "broken syslog";
        return -1;
    case SYSLOG_YES:
        break;
    }
    set_parts(sp, &m, r);
    if (m.data.ptr != NULL)
        set_data(&m, work, r);
    own = set_time(sp, &m, r);
    if (record_time_set(&sp->base.time, work, r) == -1)
        return -1;
    work->reason = "bad time";
    return own || r->has_time ? 0 : -1;     /* of a field, if it is there */
}

/* ---- Compiling ---------------------------------------------------------- */

static void
free_parser(struct parser *p)
{
    struct syslog_parser *sp = (struct syslog_parser *)p;

    CHECK_MAGIC(&sp->base, MAGIC);
    time_zone_fini(&sp->zone);
    parser_base_fini(&sp->base);
    free(sp);
}

static const struct parser_ops syslog_ops = { parse, free_parser };

static struct parser *
load(const char *what, const struct node *conf, struct names *names, struct errors *errs)
{
    const size_t          before = errs->count;
    struct syslog_conf    filled = { 0 };
    const struct settings set = { &filled, syslog_fields };
    struct syslog_parser *sp = NEW(struct syslog_parser);
    struct error          err;

    sp->base.parser.ops = &syslog_ops;
    sp->base.magic = MAGIC;
    parser_base_load(&sp->base, what, conf, &set, &filled.base, names, errs);
    if (time_zone_load(&sp->zone, filled.zone, &err) == -1)
        errors_at(errs, node_get(conf, "zone")->at, "%s: %s", what, err.text);
    for (int part = 0; part < PARTS; part++)
        sp->part[part] = names_offer(names, slice_of(part_names[part]));
    fields_fini(&set, 1);
    if (errs->count > before) {
        free_parser(&sp->base.parser);
        return NULL;
    }
    return &sp->base.parser;
}

extern const struct parser_type syslog_parser_type;     /* registry.c */

const struct parser_type syslog_parser_type = {
    .name = "syslog",
    .help = "RFC 5424 and RFC 3164, told apart: `facility`, `severity` (numbers), `hostname`, "
            "`appname`, `procid`, `msgid`, `message`, `version`, `structured_data.ID.PARAM`, and "
            "the time. A year that is missing is the one closest to now, at most 2 days ahead.",
    .fields = syslog_fields,
    .load = load,
};
