/* syslog.h - the parts of a syslog message, as they stand in the line.
 *
 * Shared by the parser (syslog.c) and the two forms that it knows (syslog_5424.c,
 * syslog_3164.c).  All slices borrow from the line; ptr NULL is a missing part.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PARSERS_SYSLOG_H
#define PARSERS_SYSLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/slice.h"
#include "agent/data/time_take.h"

enum { SYSLOG_NO_PRIORITY = -1 };

struct syslog_message {
    int                priority;    /* facility * 8 + severity, or SYSLOG_NO_PRIORITY */
    bool               has_time;    /* something that is written like a time */
    bool               bad_time;    /* and is none */
    struct time_moment time;
    struct slice       version, hostname, appname, procid, msgid, message;
    struct slice       data;        /* the structured data, brackets and all: well formed */
    bool               dotted;      /* the name of one of its parameters has a dot */
};

enum syslog_result {
    SYSLOG_YES,
    SYSLOG_NO,          /* it is another form */
    SYSLOG_BROKEN,      /* it is this form, and cannot be read */
};

/* RFC 5424, behind the priority, which has been read.  The structured data may be
 * left out altogether, as Heroku does; then the message begins there. */
enum syslog_result syslog_5424_read(struct slice s, struct syslog_message *m);

/* RFC 3164 and what is sent and written in its place:
 *
 *     [time] [host] [facility.severity] [tag][pid]: message
 *
 * The time may be RFC 3339 (rsyslog), have a year, a fraction, a zone, a '*' in front
 * of it (Cisco); without one there is no host.  Where there is no priority, BusyBox may have
 * written it as words.  A line that has neither a priority nor a time is no syslog. */
enum syslog_result syslog_3164_read(struct slice s, struct syslog_message *m);

/* The bytes before the next blank, which is taken too.  NO_SLICE: there is none. */
struct slice syslog_word(struct slice *s);

/* Structured data, parameter by parameter: a struct zeroed but for `rest`. */
struct syslog_data {
    struct slice rest;
    bool         inside;            /* an element has begun */
    struct slice id;                /* of the element */
    struct slice name, value;       /* of the parameter; the value has its escapes */
};

/* True: there is one.  False: `rest` is what stands behind the data, unless `broken`. */
bool syslog_data_next(struct syslog_data *d, bool *broken);

#endif
