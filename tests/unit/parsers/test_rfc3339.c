/* test_rfc3339.c - the fast reader agrees with the general one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#include "agent/data/time_format.h"
#include "parsers/rfc3339.h"

static void
times_are_those_of_the_system(void **state)
{
    (void)state;
    for (int64_t day = -25567; day < 80000; day += 13) {
        const int64_t s = day * 86400 + 3661 + day % 1000;
        const time_t  t = (time_t)s;
        struct tm     tm;
        char          text[64];
        int64_t       ms;

        gmtime_r(&t, &tm);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
        assert_int_equal(rfc3339_read(slice_of(text), &ms), RFC3339_TIME);
        assert_int_equal(ms, s * 1000);
    }
}

static void
it_agrees_with_iso8601(void **state)
{
    static const char *const texts[] = {
        "2024-02-29T23:59:59.999999999Z", "2023-02-29T00:00:00Z", "2024-12-31T23:59:60Z",
        "1970-01-01T00:00:00Z", "1969-12-31T23:59:59.5Z", "2000-01-01T00:00:00+14:00",
        "2024-13-01T00:00:00Z", "2024-01-01T24:00:01Z", "2024-01-01T00:60:00Z",
    };
    struct error        err;
    struct time_format *f = time_format_new("iso8601", NULL, &err);
    struct time_zone    utc = { false, 0 };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t    ours = 0, theirs = 0;
        const bool is_time = time_format_read(f, &utc, slice_of(texts[i]), &theirs);

        assert_int_equal(rfc3339_read(slice_of(texts[i]), &ours),
                         is_time ? RFC3339_TIME : RFC3339_IMPOSSIBLE);
        assert_true(!is_time || ours == theirs);
    }
    time_format_free(f);
}

static void
what_has_another_shape_is_something_else(void **state)
{
    static const char *const texts[] = {
        "", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00.1234567890Z", "2024-01-01T00:00:00+0100", "2024-01-01T00:00:00ZZ",
        "2024-1-01T00:00:00.00Z", "x024-01-01T00:00:00Z", "2024-01-01T00:00:00.1",
    };
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(rfc3339_read(slice_of(texts[i]), &ms), RFC3339_OTHER);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_those_of_the_system),
        cmocka_unit_test(it_agrees_with_iso8601),
        cmocka_unit_test(what_has_another_shape_is_something_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
