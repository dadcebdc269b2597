/* time_zone.h - where a time was written, if its text does not say.
 *
 * The machine's own zone (TZ, /etc/localtime) is read once, into a table of its
 * changes, so that a time costs no call of the C library, which takes a lock and
 * looks for a new /etc/localtime each time.  A change of the machine's zone is
 * seen by the next configuration.  Constant once loaded: any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_TIME_ZONE_H
#define AGENT_DATA_TIME_ZONE_H

#include <stdint.h>

#include "agent/base/error.h"

struct time_changes;

/* A zeroed struct is UTC. */
struct time_zone {
    struct time_changes *local;     /* owned; the machine's zone, or NULL */
    int32_t              east;      /* else: seconds east of Greenwich */
};

/* UTC, local, +hh:mm.  0, or -1 with `err` filled. */
int  time_zone_load(struct time_zone *zone, const char *text, struct error *err);
void time_zone_fini(struct time_zone *zone);

/* Seconds since the epoch, of a clock on the wall that shows `wall` seconds since
 * 1970-01-01 00:00.  What the wall shows twice (the end of summer) is the first of
 * the two; what it never shows is read with the offset before the change, and so
 * comes out behind it.  The machine's zone is known from 1970 to 2070; outside it
 * has the offset of the nearer end. */
int64_t time_zone_seconds(const struct time_zone *zone, int64_t wall);

#endif
