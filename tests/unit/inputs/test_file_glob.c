/* test_file_glob.c - which paths a pattern means.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "inputs/file_glob.h"

static struct file_globs g;

static int
tear_down(void **state)
{
    (void)state;
    file_glob_fini(&g);
    return 0;
}

static void
given(const char *pattern)
{
    struct error err;

    assert_int_equal(file_glob_add(&g, pattern, &err), 0);
}

static void
then_meant(const char *path)
{
    if (file_glob_match(&g, path) == FILE_MATCH_NO)
        fail_msg("'%s' should be meant", path);
}

static void
then_not_meant(const char *path)
{
    if (file_glob_match(&g, path) != FILE_MATCH_NO)
        fail_msg("'%s' should not be meant", path);
}

static void
then_refused(const char *pattern, const char *why)
{
    struct error err;

    assert_int_equal(file_glob_add(&g, pattern, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    if (strstr(err.text, why) == NULL)
        fail_msg("'%s' is not in '%s'", why, err.text);
}

static void
a_plain_path_means_itself(void **state)
{
    (void)state;
    given("/var/log/syslog");
    assert_int_equal(file_glob_match(&g, "/var/log/syslog"), FILE_MATCH_NAMED);
    then_not_meant("/var/log/syslog.1");
    then_not_meant("/var/log");
    then_not_meant("/var/log/syslog/x");
}

static void
a_star_stays_within_a_name(void **state)
{
    (void)state;
    given("/var/*/a*b*c.log");
    assert_int_equal(file_glob_match(&g, "/var/x/abc.log"), FILE_MATCH_WILD);
    then_meant("/var/x/aXbXbYc.log");
    then_meant("/var/x/abcbc.log");
    then_not_meant("/var/x/ab/c.log");
    then_not_meant("/var/abc.log");
    then_not_meant("/var/x/acb.log");
}

static void
a_star_means_names_with_a_dot_too(void **state)
{
    (void)state;
    given("/a/*");
    then_meant("/a/.hidden");
}

static void
sets_and_single_bytes(void **state)
{
    (void)state;
    given("/a/?[a-c][!0-9][]x]");
    then_meant("/a/Zbq]");
    then_meant("/a/Zaqx");
    then_not_meant("/a/Zdqx");
    then_not_meant("/a/Zb1x");
    then_not_meant("/a/Zbqy");
}

static void
a_set_takes_bytes_above_127(void **state)
{
    (void)state;
    given("/a/[\x80-\xff]?");
    then_meant("/a/\xc3\xa4");
    then_not_meant("/a/ab");
}

static void
a_backslash_takes_the_meaning_away(void **state)
{
    (void)state;
    given("/a/\\*\\{b\\}[\\]]");
    then_meant("/a/*{b}]");
    then_not_meant("/a/x{b}]");
}

static void
braces_choose(void **state)
{
    (void)state;
    given("/var/{log,run/{a,b}}/x{,.1}");
    then_meant("/var/log/x");
    then_meant("/var/log/x.1");
    then_meant("/var/run/a/x");
    then_meant("/var/run/b/x.1");
    then_not_meant("/var/run/x");
    then_not_meant("/var/log/x.2");
}

static void
braces_inside_a_set_are_bytes(void **state)
{
    (void)state;
    given("/a/[{,}]x");
    then_meant("/a/,x");
    then_meant("/a/{x");
}

static void
two_stars_mean_any_depth(void **state)
{
    (void)state;
    given("/var/**/x.log");
    then_meant("/var/x.log");
    then_meant("/var/a/x.log");
    then_meant("/var/a/b/c/x.log");
    then_not_meant("/var/a/y.log");
    then_not_meant("/x.log");
}

static void
two_stars_at_the_end_mean_everything_below(void **state)
{
    (void)state;
    given("/var/**");
    then_meant("/var/a");
    then_meant("/var/a/b");
    then_not_meant("/var");
    then_not_meant("/usr/a");
}

static void
two_stars_twice(void **state)
{
    (void)state;
    given("/**/log/**/*.log");
    then_meant("/log/a.log");
    then_meant("/x/log/y/a.log");
    then_meant("/x/log/log/a.log");
    then_not_meant("/x/y/a.log");
}

static void
slashes_and_dots_too_many_say_nothing(void **state)
{
    (void)state;
    given("//var/./log//x");
    then_meant("/var/log/x");
    then_meant("/var//log/x");
}

static void
two_dots_take_a_name_back(void **state)
{
    (void)state;
    given("/../var/run/../log/x");
    then_meant("/var/log/x");
    then_refused("/var/*/../x", "'..'");
}

static void
a_star_that_must_give_back_ends_in_time(void **state)
{
    (void)state;
    given("/a/*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b");
    then_not_meant("/a/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

static void
what_cannot_be_is_refused(void **state)
{
    (void)state;
    then_refused("/a/[x", "'['");
    then_refused("/a/{x,y", "'{'");
    then_refused("/a/", "folder");
    then_refused("/a/x\\", "'\\'");
    then_refused("/a/[/]", "'/'");
    then_refused("/{1,2,3,4,5,6,7,8}{1,2,3,4,5,6,7,8}{1,2,3,4,5,6,7,8}{1,2,3,4,5,6,7,8}{1,2,3,4}",
                 "combinations");
}

static void
a_walk_knows_where_it_is(void **state)
{
    struct file_spots root = { NULL, 0, 0 }, var = { NULL, 0, 0 }, log = { NULL, 0, 0 };
    bool              last;

    (void)state;
    given("/var/log/*.log");
    given("/var/syslog");
    file_glob_root(&g, &root);
    assert_string_equal(file_glob_literal(&g, root.list[0], &last), "var");
    assert_false(last);
    assert_int_equal(file_glob_step(&g, &root, "usr", &var), FILE_MATCH_NO);
    assert_int_equal(var.count, 0);
    assert_int_equal(file_glob_step(&g, &root, "var", &var), FILE_MATCH_NO);
    assert_int_equal(var.count, 2);
    assert_int_equal(file_glob_step(&g, &var, "syslog", &log), FILE_MATCH_NAMED);
    assert_int_equal(log.count, 0);
    assert_int_equal(file_glob_step(&g, &var, "log", &log), FILE_MATCH_NO);
    assert_int_equal(log.count, 1);
    assert_null(file_glob_literal(&g, log.list[0], &last));
    assert_true(last);
    file_spots_fini(&root);
    file_spots_fini(&var);
    file_spots_fini(&log);
}

#define TEST(f) cmocka_unit_test_teardown(f, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plain_path_means_itself),
        TEST(a_star_stays_within_a_name),
        TEST(a_star_means_names_with_a_dot_too),
        TEST(sets_and_single_bytes),
        TEST(a_set_takes_bytes_above_127),
        TEST(a_backslash_takes_the_meaning_away),
        TEST(braces_choose),
        TEST(braces_inside_a_set_are_bytes),
        TEST(two_stars_mean_any_depth),
        TEST(two_stars_at_the_end_mean_everything_below),
        TEST(two_stars_twice),
        TEST(slashes_and_dots_too_many_say_nothing),
        TEST(two_dots_take_a_name_back),
        TEST(a_star_that_must_give_back_ends_in_time),
        TEST(what_cannot_be_is_refused),
        TEST(a_walk_knows_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
