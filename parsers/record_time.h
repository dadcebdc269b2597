/* record_time.h - `time`, the setting that all parsers share: a field becomes the
 * record's time.
 *
 *     time: {field: NAME, format: FORMAT, zone: UTC|local|+hh:mm}
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PARSERS_RECORD_TIME_H
#define PARSERS_RECORD_TIME_H

#include "agent/base/error.h"
#include "agent/data/names.h"
#include "agent/data/node.h"
#include "agent/data/record.h"
#include "agent/data/time_format.h"
#include "agent/flow/parser.h"

/* Embedded in a parser.  A zeroed struct is an empty one: it sets no time. */
struct record_time {
    uint32_t            field;
    struct time_format *format;     /* NULL: there is no such setting */
    struct time_zone    zone;
};

/* The keys of such a map, for the reference. */
extern const struct field record_time_fields[];

/* The help of the key `time` in a parser's own table. */
#define RECORD_TIME_HELP                                                                     \
    "{field, format, zone}: the field that becomes the record's time, how it is written and " \
    "where: strptime's conversions and %f (a fraction), or iso8601, epoch, epoch_ms, "        \
    "epoch_us, epoch_ns; UTC (default), local or +hh:mm."

/* Compile a map (NULL or null: none); every mistake is added to `errs`.  `what`
 * names the parser in messages. */
void record_time_load(struct record_time *t, const char *what, const struct node *map,
                      struct names *names, struct errors *errs);
void record_time_fini(struct record_time *t);

/* Set the record's time from its field.  A record without the field has no time.
 * 0, or -1 with work->reason set if the field holds no time that can be. */
int record_time_set(const struct record_time *t, struct parse_work *work, struct record *r);

#endif
