/* time_zone.c - see time_zone.h.
 *
 * The C library tells a zone's offset at a moment, but not when it changes: weeks are
 * probed, and a week that ends with another offset is halved until the second is
 * found.  No zone has gone there and back within a week since 1970.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/time_zone.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/base/mem.h"
#include "agent/data/time_take.h"

#define WEEK 604800
#define LAST 3155760000         /* 2070-01-01 */

/* A time between two changes. */
struct period {
    int64_t begin;              /* seconds since the epoch */
    int64_t end;                /* of the wall's clock in this period, where the next begins */
    int32_t east;
};

struct time_changes {
    struct period *periods;     /* in order; the first has no begin, the last no end */
    size_t         count;
};

static int32_t
east_at(int64_t seconds)
{
    const time_t t = (time_t)seconds;
    struct tm    tm;

    return localtime_r(&t, &tm) != NULL ? (int32_t)tm.tm_gmtoff : 0;
}

static void
add_period(struct time_changes *z, int64_t begin, int32_t east)
{
    if (z->count > 0)
        z->periods[z->count - 1].end = begin + z->periods[z->count - 1].east;
    z->periods = mem_array(z->periods, z->count + 1, sizeof *z->periods);
    z->periods[z->count++] = (struct period){ begin, INT64_MAX, east };
}

/* The first second in (after, until] that has not `east` any more. */
static int64_t
find_change(int64_t after, int64_t until, int32_t east)
{
    while (until - after > 1) {
        const int64_t middle = after + (until - after) / 2;

        if (east_at(middle) == east)
            after = middle;
        else
            until = middle;
    }
    return until;
}

static struct time_changes *
read_changes(void)
{
    struct time_changes *z = NEW(struct time_changes);
    int32_t              east;

    tzset();
    east = east_at(0);
    add_period(z, INT64_MIN / 2, east);
    for (int64_t at = 0; at < LAST; at += WEEK) {
        for (int64_t from = at; east_at(at + WEEK) != east;) {
            from = find_change(from, at + WEEK, east);
            east = east_at(from);
            add_period(z, from, east);
        }
    }
    return z;
}

int
time_zone_load(struct time_zone *zone, const char *text, struct error *err)
{
    struct slice       s = slice_of(text);
    struct time_moment m = { .have = 0 };

    *zone = (struct time_zone){ NULL, 0 };
    if (strcmp(text, "local") == 0) {
        zone->local = read_changes();
        return 0;
    }
    if ((time_take_offset(&s, &m) || time_take_utc(&s)) && s.len == 0) {
        zone->east = m.part[TIME_EAST];
        return 0;
    }
    return error_set(err, ERR_CONFIG, "a zone is UTC, local or +hh:mm, not '%s'", text);
}

void
time_zone_fini(struct time_zone *zone)
{
    if (zone->local != NULL)
        free(zone->local->periods);
    free(zone->local);
    *zone = (struct time_zone){ NULL, 0 };
}

int64_t
time_zone_seconds(const struct time_zone *zone, int64_t wall)
{
    const struct period *p;
    size_t               low = 0, high;

    if (zone->local == NULL)
        return wall - zone->east;
    assert(zone->local->count > 0);
    p = zone->local->periods;
    high = zone->local->count - 1;
    while (low < high) {        /* the first period that ends after this */
        const size_t middle = low + (high - low) / 2;

        if (wall < p[middle].end)
            high = middle;
        else
            low = middle + 1;
    }
    if (low > 0 && wall - p[low].east < p[low].begin)
        low--;                  /* never shown */
    return wall - p[low].east;
}
