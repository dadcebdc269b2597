/* fuzz_time.c - the first line is a time format, the rest a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/data/time_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct time_zone zones[3];

int LLVMFuzzerInitialize(int *argc, char ***argv);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct error err;

    (void)argc;
    (void)argv;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    if (time_zone_load(&zones[0], "UTC", &err) == -1 ||
        time_zone_load(&zones[1], "-23:59", &err) == -1 ||
        time_zone_load(&zones[2], "local", &err) == -1)
        abort();
    return 0;
}

/* A time without year is never more than two days ahead, and never nine years ago. */
static void
read_time(const struct time_format *f, struct slice text, bool no_year)
{
    const int64_t now = 1728568416000, day = 86400000;
    int64_t       ms;

    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        if (!time_format_read_at(f, &zones[i], text, now, &ms))
            continue;
        assert(!no_year || (ms <= now + 2 * day && ms > now - 9 * 366 * day));
    }
}

static bool
has_no_year(const char *format)
{
    return strncmp(format, "%b %d", 5) == 0 && strpbrk(format, "YyFDcxs") == NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t      *end = size > 0 ? memchr(data, '\n', size) : NULL;
    const size_t        len = end != NULL ? (size_t)(end - data) : size;
    const size_t        rest = end != NULL ? len + 1 : len;
    char               *format = mem_copy(data, len);
    char               *text = mem_copy(data + rest, size - rest);
    struct time_zone    zone;
    struct error        err;
    size_t              offset = 0;
    struct time_format *f = time_format_new(format, &offset, &err);

    assert(f != NULL || offset <= len);
    if (f != NULL)
        read_time(f, (struct slice){ text, size - rest }, has_no_year(format));
    if (strcmp(format, "local") != 0 && time_zone_load(&zone, format, &err) == 0)
        time_zone_fini(&zone);
    time_format_free(f);
    free(text);
    free(format);
    return 0;
}
