/* test_time_zone.c - what the clock on the wall means.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "agent/data/time_zone.h"

#define HOUR 3600
#define DAY  86400

#define BERLIN    "CET-1CEST,M3.5.0,M10.5.0/3"
#define LORD_HOWE "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"    /* half an hour of summer */
#define DUBLIN    "IST-1GMT0,M10.5.0,M3.5.0/1"              /* winter is the exception */
#define TEHRAN    "<+0330>-3:30"                            /* no summer */
#define MARCH_31  1711846800                                /* 2024, 01:00 UTC: summer begins */
#define OCT_27    1729990800                                /* 2024, 01:00 UTC: summer ends */

static struct time_zone zone;

static int
tear_down(void **state)
{
    (void)state;
    time_zone_fini(&zone);
    unsetenv("TZ");
    tzset();
    return 0;
}

static void
given_local(const char *tz)
{
    struct error err = { 0 };

    setenv("TZ", tz, 1);
    time_zone_fini(&zone);
    assert_int_equal(time_zone_load(&zone, "local", &err), 0);
}

static void
a_zone_is_an_offset(void **state)
{
    static const struct {
        const char *text;
        int32_t     east;
    } zones[] = {
        { "UTC", 0 }, { "utc", 0 }, { "GMT", 0 }, { "Z", 0 }, { "+02:00", 2 * HOUR },
        { "-0530", -5 * HOUR - 1800 }, { "+14", 14 * HOUR },
    };
    struct error err = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        assert_int_equal(time_zone_load(&zone, zones[i].text, &err), 0);
        assert_int_equal(time_zone_seconds(&zone, 1000000), 1000000 - zones[i].east);
    }
}

static void
wrong_zones_are_named(void **state)
{
    static const char *const wrong[] = {
        "", "Mars", "+2", "+24:00", "+02:60", "+02:00x", "02:00", "Local", "UTC ",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error err = { 0 };

        assert_int_equal(time_zone_load(&zone, wrong[i], &err), -1);
        assert_non_null(strstr(err.text, wrong[i]));
        assert_null(zone.local);
    }
}

static void
an_hour_that_is_skipped_comes_out_behind_the_change(void **state)
{
    const int64_t two = MARCH_31 + HOUR;        /* the wall goes from 02:00 to 03:00 */

    (void)state;
    given_local(BERLIN);
    assert_int_equal(time_zone_seconds(&zone, two - 1), MARCH_31 - 1);
    assert_int_equal(time_zone_seconds(&zone, two), MARCH_31);
    assert_int_equal(time_zone_seconds(&zone, two + 1800), MARCH_31 + 1800);
    assert_int_equal(time_zone_seconds(&zone, two + HOUR - 1), MARCH_31 + HOUR - 1);
    assert_int_equal(time_zone_seconds(&zone, two + HOUR), MARCH_31);
}

static void
an_hour_that_is_there_twice_is_the_first(void **state)
{
    const int64_t three = OCT_27 + 2 * HOUR;    /* the wall goes from 03:00 to 02:00 */

    (void)state;
    given_local(BERLIN);
    assert_int_equal(time_zone_seconds(&zone, three - HOUR - 1), OCT_27 - HOUR - 1);
    assert_int_equal(time_zone_seconds(&zone, three - HOUR), OCT_27 - HOUR);
    assert_int_equal(time_zone_seconds(&zone, three - 1), OCT_27 - 1);
    assert_int_equal(time_zone_seconds(&zone, three), OCT_27 + HOUR);
}

/* Every half hour of two years, against the C library's way back. */
static void
then_every_hour_is_right(const char *tz)
{
    size_t twice = 0;

    given_local(tz);
    for (int64_t t = MARCH_31 - 40 * DAY; t < MARCH_31 + 700 * DAY; t += 1800) {
        const time_t seconds = (time_t)t;
        struct tm    tm;
        int64_t      found;

        assert_non_null(localtime_r(&seconds, &tm));
        found = time_zone_seconds(&zone, t + tm.tm_gmtoff);
        if (found == t)
            continue;
        twice++;                                /* the second of two */
        assert_true(found < t && found >= t - HOUR);
    }
    assert_in_range(twice, 0, 4);
}

static void
every_hour_of_some_zones_is_right(void **state)
{
    (void)state;
    then_every_hour_is_right(BERLIN);
    then_every_hour_is_right(LORD_HOWE);
    then_every_hour_is_right(DUBLIN);
    then_every_hour_is_right(TEHRAN);
    then_every_hour_is_right("EST5EDT,M3.2.0,M11.1.0");
    then_every_hour_is_right("UTC0");
}

/* With all changes that their governments have thought of; without the system's table of
 * zones they are UTC, and hold too. */
static void
every_quarter_of_a_day_since_1970_is_right(void **state)
{
    static const char *const zones[] = {
        "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca",
        "Pacific/Apia", "Asia/Pyongyang", "America/Sao_Paulo", "Asia/Kathmandu",
    };

    (void)state;
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        given_local(zones[i]);
        for (int64_t t = 2 * DAY; t < 3155000000; t += DAY / 4 + 60) {
            const time_t seconds = (time_t)t;
            struct tm    tm, back;
            time_t       found;

            assert_non_null(localtime_r(&seconds, &tm));
            found = (time_t)time_zone_seconds(&zone, t + tm.tm_gmtoff);
            if (found == t)
                continue;
            assert_non_null(localtime_r(&found, &back));    /* the first of two */
            assert_true(found < t && found + back.tm_gmtoff == t + tm.tm_gmtoff);
        }
    }
}

static void
outside_of_what_is_known_the_nearer_end_holds(void **state)
{
    (void)state;
    given_local("<+0330>-3:30");
    assert_int_equal(time_zone_seconds(&zone, -100 * 366ll * DAY), -100 * 366ll * DAY - 12600);
    assert_int_equal(time_zone_seconds(&zone, 500 * 366ll * DAY), 500 * 366ll * DAY - 12600);
}

#define TEST(f_) cmocka_unit_test_teardown(f_, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_zone_is_an_offset),
        TEST(wrong_zones_are_named),
        TEST(an_hour_that_is_skipped_comes_out_behind_the_change),
        TEST(an_hour_that_is_there_twice_is_the_first),
        TEST(every_hour_of_some_zones_is_right),
        TEST(every_quarter_of_a_day_since_1970_is_right),
        TEST(outside_of_what_is_known_the_nearer_end_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
