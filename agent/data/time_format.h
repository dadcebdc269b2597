/* time_format.h - reading a time that somebody else wrote.
 *
 *     %d/%b/%Y:%H:%M:%S %z     as strptime(3), in English whatever the locale
 *     %f                       a fraction of a second, 1 to 9 digits
 *     iso8601                  2024-10-10T13:55:36.123+02:00: T or a blank, '.' or ',', the
 *                              basic form 20241010T135536Z; seconds, zone and clock may be
 *                              missing; a blank before the zone, and UTC for Z; [Zone/Name]
 *                              behind an offset
 *     epoch, epoch_ms, epoch_us, epoch_ns
 *                              since 1970, with or without a fraction
 *
 * Of strptime: %Y %y %m %b %B %h %d %e %j %a %A %u %w %H %k %I %l %p %M %S %T %R %r %D %F
 * %c %x %X %s %z %Z %n %t %%, not %C and the weeks.  A blank of the format stands for any
 * number of them, none included.  %z takes +hhmm, +hh:mm, +hh and Z; %Z takes UTC,
 * GMT, Z and the abbreviations of zones that mean one offset only (EST, CET, ...).  A
 * year that is missing is the one that brings the time closest to now, at most two
 * days ahead.  Compiled once and then constant: any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_TIME_FORMAT_H
#define AGENT_DATA_TIME_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/error.h"
#include "agent/base/slice.h"
#include "agent/data/time_zone.h"

struct time_format;

/* NULL with `err` filled; `offset` (may be NULL) gets the mistake's place in the
 * text, in bytes. */
struct time_format *time_format_new(const char *text, size_t *offset, struct error *err);
void                time_format_free(struct time_format *f);

/* Milliseconds since the epoch.  False if the text is not of this format, or no
 * time that can be (a 30th of February). */
bool time_format_read(const struct time_format *f, const struct time_zone *zone,
                      struct slice text, int64_t *ms);

/* The same at another moment than now. */
bool time_format_read_at(const struct time_format *f, const struct time_zone *zone,
                         struct slice text, int64_t now_ms, int64_t *ms);

#endif
