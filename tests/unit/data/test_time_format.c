/* test_time_format.c - times as others write them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "agent/data/time_format.h"

#define OCT_10 1728568416000        /* 2024-10-10T13:53:36Z */
#define DAY    86400000ll

static struct time_format *f;
static struct time_zone    zone;

static int
set_up(void **state)
{
    (void)state;
    f = NULL;
    zone = (struct time_zone){ NULL, 0 };
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    time_format_free(f);
    time_zone_fini(&zone);
    unsetenv("TZ");
    tzset();
    return 0;
}

static void
given_format(const char *text)
{
    struct error err = { 0 };

    time_format_free(f);
    f = time_format_new(text, NULL, &err);
    if (f == NULL)
        fail_msg("'%s': %s", text, err.text);
}

static void
given_zone(const char *text)
{
    struct error err = { 0 };

    time_zone_fini(&zone);
    assert_int_equal(time_zone_load(&zone, text, &err), 0);
}

static void
then_time_is(const char *text, int64_t expected)
{
    int64_t ms = -99;

    if (!time_format_read_at(f, &zone, slice_of(text), OCT_10, &ms))
        fail_msg("'%s' was not read", text);
    if (ms != expected)
        fail_msg("'%s' is %lld, not %lld", text, (long long)ms, (long long)expected);
}

static void
then_no_time(const char *text)
{
    int64_t ms;

    if (time_format_read_at(f, &zone, slice_of(text), OCT_10, &ms))
        fail_msg("'%s' was read as %lld", text, (long long)ms);
}

static void
an_access_logs_time(void **state)
{
    (void)state;
    given_format("%d/%b/%Y:%H:%M:%S %z");
    then_time_is("10/Oct/2024:13:53:36 +0000", OCT_10);
    then_time_is("10/oct/2024:15:53:36 +0200", OCT_10);
    then_time_is("10/October/2024:06:53:36 -07:00", OCT_10);
    then_time_is("10/Oct/2024:13:53:36 Z", OCT_10);
    then_time_is("10/Oct/2024:19:23:36 +05:30", OCT_10);
    then_no_time("10/Okt/2024:13:53:36 +0000");
    then_no_time("10/Oct/2024:13:53:36");
    then_no_time("10/Oct/2024:13:53:36 +0000 ");
    then_no_time("10/Oct/2024:13:53:36 +00:");
    then_no_time("");
}

static void
a_fraction_has_one_to_nine_digits(void **state)
{
    (void)state;
    given_format("%F %T,%f");
    then_time_is("2024-10-10 13:53:36,123", OCT_10 + 123);
    then_time_is("2024-10-10 13:53:36,1", OCT_10 + 100);
    then_time_is("2024-10-10 13:53:36,123456789", OCT_10 + 123);
    then_time_is("2024-10-10 13:53:36,000999999", OCT_10);
    then_no_time("2024-10-10 13:53:36,");
    then_no_time("2024-10-10 13:53:36,1234567890");
    then_no_time("2024-10-10 13:53:36.123");
}

static void
every_conversion_is_read(void **state)
{
    (void)state;
    given_format("%a, %d %b %Y %I:%M:%S %p");
    then_time_is("Thu, 10 Oct 2024 01:53:36 PM", OCT_10);
    then_time_is("Thursday, 10 Oct 2024 01:53:36 pm", OCT_10);
    then_time_is("Thu, 10 Oct 2024 12:53:36 AM", OCT_10 - 13 * 3600000);
    then_time_is("Thu, 10 Oct 2024 12:53:36 PM", OCT_10 - 3600000);
    then_no_time("Thu, 10 Oct 2024 13:53:36 PM");
    given_format("%D %R");
    then_time_is("10/10/24 13:53", OCT_10 - 36000);
    then_time_is("12/31/69 23:59", -60000);
    given_format("%Y %j %H%M%S%%%Z");
    then_time_is("2024 284 135336%UTC", OCT_10);
    then_time_is("2024 284 135336%gmt", OCT_10);
    then_time_is("2024 284 155336%CEST", OCT_10);
    then_no_time("2024 284 135336%IST");
    then_no_time("2024 284 135336%");
    then_no_time("2023 366 135336%UTC");
    given_format("%s.%f");
    then_time_is("1728568416.5", OCT_10 + 500);
    given_format("%A %u %k:%M:%S %d.%m.%Y");
    then_time_is("thursday 4 13:53:36 10.10.2024", OCT_10);
    then_no_time("thursday 8 13:53:36 10.10.2024");
    given_format("%c");
    then_time_is("Thu Oct 10 13:53:36 2024", OCT_10);
    given_format("%x %X");
    then_time_is("10/10/24 13:53:36", OCT_10);
    given_format("%w %l:%M%p %Y-%j");
    then_time_is("4  1:53pm 2024-284", OCT_10 - 36000);
    given_format("%b %e %r %Y");
    then_time_is("Oct  9 01:53:36 PM 2024", OCT_10 - DAY);
    given_format("%h%t%d%n%T %y");
    then_time_is("Oct\t10  13:53:36 24", OCT_10);
    given_format("%B %d %Y %T");
    then_time_is("October 10 2024 13:53:36", OCT_10);
    then_time_is("Oct 10 2024 13:53:36", OCT_10);
}

/* In minutes, from RFC 5322 and the IANA's table of zones. */
static void
abbreviations_of_zones_are_those_that_mean_one_offset(void **state)
{
    static const struct {
        const char *name;
        int         east;
    } zones[] = {
        { "EST", -300 }, { "EDT", -240 }, { "CST", -360 }, { "CDT", -300 }, { "MST", -420 },
        { "MDT", -360 }, { "PST", -480 }, { "PDT", -420 }, { "WET", 0 }, { "WEST", 60 },
        { "CET", 60 }, { "CEST", 120 }, { "EET", 120 }, { "EEST", 180 }, { "MSK", 180 },
        { "SAST", 120 }, { "JST", 540 }, { "KST", 540 }, { "HKT", 480 }, { "SGT", 480 },
        { "AWST", 480 }, { "ACST", 570 }, { "ACDT", 630 }, { "AEST", 600 }, { "AEDT", 660 },
        { "NZST", 720 }, { "NZDT", 780 }, { "UTC", 0 }, { "GMT", 0 }, { "Z", 0 },
    };
    static const char *const several[] = { "IST", "BST", "AST", "Mars", "" };
    char                     text[40];

    (void)state;
    given_format("%F %T %Z");
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        snprintf(text, sizeof text, "2024-10-10 13:53:36 %s", zones[i].name);
        then_time_is(text, OCT_10 - zones[i].east * 60000);
    }
    for (size_t i = 0; i < sizeof several / sizeof *several; i++) {
        snprintf(text, sizeof text, "2024-10-10 13:53:36 %s", several[i]);
        then_no_time(text);
    }
}

static void
blanks_stand_for_any_number_of_blanks(void **state)
{
    (void)state;
    given_format("%Y %m%n%d");
    then_time_is("2024 10 10", OCT_10 - OCT_10 % DAY);
    then_time_is("2024   10\t10", OCT_10 - OCT_10 % DAY);
    then_time_is("20241010", OCT_10 - OCT_10 % DAY);
}

static void
days_that_are_not_are_refused(void **state)
{
    (void)state;
    given_format("%Y-%m-%d");
    then_time_is("2024-02-29", 1709164800000);
    then_time_is("2000-02-29", 951782400000);
    then_no_time("2023-02-29");
    then_no_time("1900-02-29");
    then_no_time("2024-04-31");
    then_no_time("2024-13-01");
    then_no_time("2024-00-01");
    then_no_time("2024-01-00");
    then_time_is("1970-01-01", 0);
    then_time_is("1969-12-31", -DAY);
    then_time_is("0000-01-01", -62167219200000);
    then_time_is("9999-12-31", 253402214400000);
    given_format("%F %T");
    then_time_is("2016-12-31 23:59:60", 1483228800000);     /* a leap second */
    then_no_time("2024-10-10 24:00:00");
    then_no_time("2024-10-10 23:60:00");
    then_no_time("2024-10-10 23:59:61");
}

/* Against gmtime(), another way of counting days. */
static void
every_day_of_a_century_and_more_is_right(void **state)
{
    (void)state;
    given_format("%Y-%m-%d");
    for (int64_t day = -30000; day < 60000; day++) {
        const time_t seconds = (time_t)day * 86400;
        struct tm    tm;
        char         text[32];

        assert_non_null(gmtime_r(&seconds, &tm));
        strftime(text, sizeof text, "%Y-%m-%d", &tm);
        then_time_is(text, day * DAY);
    }
}

static void
iso8601_in_its_forms(void **state)
{
    (void)state;
    given_format("iso8601");
    then_time_is("2024-10-10T13:53:36Z", OCT_10);
    then_time_is("2024-10-10t13:53:36z", OCT_10);
    then_time_is("2024-10-10 13:53:36", OCT_10);
    then_time_is("2024-10-10T13:53:36.123Z", OCT_10 + 123);
    then_time_is("2024-10-10T13:53:36,123456789012+00:00", OCT_10 + 123);
    then_time_is("2024-10-10 15:53:36 +0200", OCT_10);
    then_time_is("2024-10-10T06:53:36-07", OCT_10);
    then_time_is("2024-10-10 13:53:36 UTC", OCT_10);
    then_time_is("2024-10-10 13:53:36.123 GMT", OCT_10 + 123);
    then_time_is("2024-10-10 15:53:36.123 CEST", OCT_10 + 123);
    then_time_is("2024-10-10 13:53:36.123 Z", OCT_10 + 123);
    then_time_is("2024-10-10T15:53:36.123+02:00[Europe/Berlin]", OCT_10 + 123);
    then_time_is("2024-10-10T13:53:36Z[UTC]", OCT_10);
    then_no_time("2024-10-10T13:53:36[UTC]");
    then_no_time("2024-10-10T13:53:36Z[UTC");
    then_no_time("2024-10-10T13:53:36Z[UTC]x");
    then_time_is("2024-10-10T13:53:36.1+00", OCT_10 + 100);
    then_time_is("20241010 135336,250", OCT_10 + 250);
    then_time_is("2024-10-10T15:53+02:00", OCT_10 - 36000);
    then_time_is("20241010T135336Z", OCT_10);
    then_time_is("20241010T135336.5+0000", OCT_10 + 500);
    then_time_is("2024-10-10T13:53Z", OCT_10 - 36000);
    then_time_is("20241010T1353", OCT_10 - 36000);
    then_time_is("2024-10-10", OCT_10 - OCT_10 % DAY);
    then_no_time("2024-10-10T");
    then_no_time("2024-10-10T13");
    then_no_time("2024-10-10T13:53:36.");
    then_no_time("2024-10-10T13:53:36Zx");
    then_no_time("2024-10-10T13:5336");
    then_no_time("2024-1010T13:53:36");
    then_no_time("2024-10-10T13:53:36+2");
    then_no_time("2024-10-10T25:53:36");
    then_no_time("2024-02-30T13:53:36");
    then_no_time("24-10-10");
}

static void
epochs_in_their_units(void **state)
{
    (void)state;
    given_format("epoch");
    then_time_is("1728568416", OCT_10);
    then_time_is("1728568416.123", OCT_10 + 123);
    then_time_is("1728568416.123456", OCT_10 + 123);
    then_time_is("0", 0);
    then_time_is("-1.5", -1500);
    then_no_time("1728568416.");
    then_no_time("1728568416x");
    then_no_time("");
    then_no_time("99999999999999999999");
    then_no_time("9223372036854775807");
    given_format("epoch_ms");
    then_time_is("1728568416123", OCT_10 + 123);
    then_time_is("1728568416123.9", OCT_10 + 123);
    given_format("epoch_us");
    then_time_is("1728568416123999", OCT_10 + 123);
    given_format("epoch_ns");
    then_time_is("1728568416123999999", OCT_10 + 123);
    then_time_is("9223372036000000000", 9223372036000);
    then_no_time("9223372036854775808000");
}

static void
a_missing_year_is_the_one_closest_to_now(void **state)
{
    (void)state;
    given_format("%b %d %H:%M:%S");
    then_time_is("Oct 10 13:53:36", OCT_10);
    then_time_is("Oct  9 13:53:36", OCT_10 - DAY);
    then_time_is("Oct 12 13:53:36", OCT_10 + 2 * DAY);
    then_time_is("Oct 12 13:53:37", OCT_10 + 2 * DAY + 1000 - 366 * DAY);
    then_time_is("Dec 31 23:59:59", 1704067199000);         /* 2023 */
    then_time_is("Jan  1 00:00:00", 1704067200000);         /* 2024 */
    then_time_is("Feb 29 00:00:00", 1709164800000);
    then_no_time("Feb 30 00:00:00");
}

static void
at_new_year_the_year_is_the_next_or_the_last(void **state)
{
    const int64_t new_year = 1735689600000;                 /* 2025-01-01 */
    int64_t       ms;

    (void)state;
    given_format("%b %d %H:%M:%S");
    assert_true(time_format_read_at(f, &zone, SLICE("Jan 01 00:00:05"), new_year - 1000, &ms));
    assert_int_equal(ms, new_year + 5000);
    assert_true(time_format_read_at(f, &zone, SLICE("Dec 31 23:59:55"), new_year + 1000, &ms));
    assert_int_equal(ms, new_year - 5000);
    assert_true(time_format_read_at(f, &zone, SLICE("Feb 29 00:00:00"), new_year, &ms));
    assert_int_equal(ms, 1709164800000);
}

static void
a_zone_holds_where_the_text_has_none(void **state)
{
    (void)state;
    given_format("iso8601");
    given_zone("+02:00");
    then_time_is("2024-10-10 15:53:36", OCT_10);
    then_time_is("2024-10-10T13:53:36Z", OCT_10);
    given_zone("-0530");
    then_time_is("2024-10-10 08:23:36", OCT_10);
    given_zone("UTC");
    then_time_is("2024-10-10 13:53:36", OCT_10);
}

/* On the 29th of February and after it, whatever the year now. */
static void
a_leap_day_without_year_is_the_last_one(void **state)
{
    static const struct {
        int64_t now, expected;
    } days[] = {
        { 1709164800000, 1709164800000 },           /* 2024-02-29, on the day */
        { 1709337600000, 1709164800000 },           /* 2024-03-02 */
        { 1708992000000, 1709164800000 },           /* 2024-02-27: two days ahead */
        { 1708991999000, 1582934400000 },           /* a second before: 2020 */
        { 1772150400000, 1709164800000 },           /* 2026-02-27 */
        { 4107542400000, 3981312000000 },           /* 2100-03-01: 2096, 2100 has none */
    };
    int64_t ms = 0;

    (void)state;
    given_format("%b %d");
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        assert_true(time_format_read_at(f, &zone, SLICE("Feb 29"), days[i].now, &ms));
        assert_int_equal(ms, days[i].expected);
    }
    assert_false(time_format_read_at(f, &zone, SLICE("Feb 30"), OCT_10, &ms));
}

static void
local_is_the_machines_zone_with_its_summer(void **state)
{
    (void)state;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    given_zone("local");
    given_format("%F %T");
    then_time_is("2024-10-10 15:53:36", OCT_10);
    then_time_is("2024-12-10 14:53:36", OCT_10 + 61 * DAY);
    then_time_is("1970-01-01 01:00:00", 0);
    given_format("%b %d %T");
    then_time_is("Oct 10 15:53:36", OCT_10);
}

/* In the far east it is next year already when the machine's clock says December. */
static void
the_year_is_that_of_the_zone(void **state)
{
    const int64_t new_year = 1735689600000;                 /* 2025-01-01 */
    int64_t       ms = 0;

    (void)state;
    given_format("%b %d %T");
    given_zone("+14:00");
    assert_true(time_format_read_at(f, &zone, SLICE("Jan 01 00:00:05"), new_year - 14 * 3600000,
                                    &ms));
    assert_int_equal(ms, new_year - 14 * 3600000 + 5000);
    given_zone("-12:00");
    assert_true(time_format_read_at(f, &zone, SLICE("Dec 31 12:00:05"), new_year + 5000, &ms));
    assert_int_equal(ms, new_year + 5000);
}

static void
then_format_is_wrong(const char *text, size_t expected_offset, const char *saying)
{
    struct error err = { 0 };
    size_t       offset = 99;

    assert_null(time_format_new(text, &offset, &err));
    assert_int_equal(offset, expected_offset);
    if (strstr(err.text, saying) == NULL)
        fail_msg("'%s' lacks '%s'", err.text, saying);
}

static void
wrong_formats_are_named(void **state)
{
    char too_long[200];

    (void)state;
    then_format_is_wrong("%Y-%q", 3, "unknown '%q'");
    then_format_is_wrong("%Y-%", 3, "ends with '%'");
    then_format_is_wrong("%F %T.%L", 6, "unknown '%L' (a fraction of a second is %f)");
    then_format_is_wrong("%F %T%.3f", 5, "unknown '%.' (a fraction of a second is %f)");
    then_format_is_wrong("%F %T %:z", 6, "unknown '%:' (a zone is %z)");
    then_format_is_wrong("iso8602", 0, "did you mean 'iso8601'?");
    then_format_is_wrong("", 0, "a time format is");
    then_format_is_wrong("%H:%M:%S", 0, "names no day");
    then_format_is_wrong("%Y %d", 0, "names no day");
    then_format_is_wrong("%F %I:%M", 0, "no %p");
    memset(too_long, 'x', sizeof too_long - 1);
    memcpy(too_long, "%F", 2);
    too_long[sizeof too_long - 1] = '\0';
    then_format_is_wrong(too_long, 101, "too long");
}

#define TEST(f_) cmocka_unit_test_setup_teardown(f_, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_access_logs_time),
        TEST(a_fraction_has_one_to_nine_digits),
        TEST(every_conversion_is_read),
        TEST(abbreviations_of_zones_are_those_that_mean_one_offset),
        TEST(blanks_stand_for_any_number_of_blanks),
        TEST(days_that_are_not_are_refused),
        TEST(every_day_of_a_century_and_more_is_right),
        TEST(iso8601_in_its_forms),
        TEST(epochs_in_their_units),
        TEST(a_missing_year_is_the_one_closest_to_now),
        TEST(at_new_year_the_year_is_the_next_or_the_last),
        TEST(a_zone_holds_where_the_text_has_none),
        TEST(a_leap_day_without_year_is_the_last_one),
        TEST(local_is_the_machines_zone_with_its_summer),
        TEST(the_year_is_that_of_the_zone),
        TEST(wrong_formats_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
