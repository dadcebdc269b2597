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

static void
read_time(const struct time_format *f, struct slice text)
{
    static const struct time_zone zones[] = { { false, 0 }, { false, -86340 }, { true, 0 } };
    const int64_t                 now = 1728568416000;
    int64_t                       ms;

    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
        (void)time_format_read_at(f, &zones[i], text, now, &ms);
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
        read_time(f, (struct slice){ text, size - rest });
    (void)time_format_zone(format, &zone, &err);
    time_format_free(f);
    free(text);
    free(format);
    return 0;
}
