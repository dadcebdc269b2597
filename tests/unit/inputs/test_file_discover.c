/* test_file_discover.c - what appears and what vanishes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/inotify.h>

#include "agent/base/log.h"
#include "inputs/file_discover.h"
#include "tests/unit/inputs/files.h"

static struct file_globs     globs, exclude;
static struct file_discover *d;
static struct file_changes   changes;
static int                   inotify;

static int
set_up(void **state)
{
    (void)state;
    files_set_up();
    inotify = inotify_init1(IN_NONBLOCK);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    file_changes_fini(&changes);
    file_discover_free(d);
    d = NULL;
    file_glob_fini(&globs);
    file_glob_fini(&exclude);
    close(inotify);
    files_tear_down();
    return 0;
}

static void
given(const char *pattern)
{
    struct error err;

    assert_int_equal(file_glob_add(&globs, files_path(pattern), &err), 0);
}

static void
given_excluded(const char *pattern)
{
    struct error err;

    assert_int_equal(file_glob_add(&exclude, pattern, &err), 0);
}

static void
when_scanned(void)
{
    if (d == NULL)
        d = file_discover_new(&globs, &exclude, inotify);
    file_changes_fini(&changes);
    file_discover_scan(d, false, &changes);
}

/* Every event that waits becomes a hint. */
static void
when_told(void)
{
    struct file_hints hints = { NULL, 0, 0 };
    char              bytes[16384];
    ssize_t           len;

    while ((len = read(inotify, bytes, sizeof bytes)) > 0)
        for (ssize_t at = 0; at < len; ) {
            struct inotify_event ev;

            memcpy(&ev, bytes + at, sizeof ev);
            if (ev.len > 0)
                file_hints_add(&hints, ev.wd, bytes + at + sizeof ev)->moved_here =
                    (ev.mask & IN_MOVED_TO) != 0;
            at += (ssize_t)(sizeof ev + ev.len);
        }
    file_changes_fini(&changes);
    file_discover_look(d, &hints, &changes);
    file_hints_fini(&hints);
}

static const struct file_change *
find_change(enum file_change_kind kind, const char *name)
{
    for (size_t i = 0; i < changes.count; i++)
        if (changes.list[i].kind == kind && strcmp(changes.list[i].path, files_path(name)) == 0)
            return &changes.list[i];
    return NULL;
}

static const struct file_change *
then_appeared(const char *name)
{
    const struct file_change *c = find_change(FILE_APPEARED, name);

    if (c == NULL)
        fail_msg("'%s' did not appear", name);
    return c;
}

static void
then_vanished(const char *name)
{
    if (find_change(FILE_VANISHED, name) == NULL)
        fail_msg("'%s' did not vanish", name);
}

static void
then_changes(size_t count)
{
    assert_int_equal(changes.count, count);
}

static void
files_that_match_appear_once(void **state)
{
    (void)state;
    files_write("a.log", "x\n");
    files_write("b.txt", "x\n");
    given("*.log");
    when_scanned();
    assert_int_equal(then_appeared("a.log")->size, 2);
    then_changes(1);
    when_scanned();
    then_changes(0);
}

static void
a_new_file_is_found_by_its_event_alone(void **state)
{
    (void)state;
    given("*.log");
    when_scanned();
    files_write("a.log", "x\n");
    files_write("b.txt", "x\n");
    when_told();
    assert_true(then_appeared("a.log")->wd >= 0);
    then_changes(1);
    files_remove("a.log");
    when_told();
    then_vanished("a.log");
    then_changes(1);
}

static void
a_new_file_is_found_by_a_scan_alone(void **state)
{
    (void)state;
    files_write("a.log", "x\n");
    given("*.log");
    when_scanned();
    files_write("b.log", "x\n");
    when_scanned();
    then_appeared("b.log");
    files_remove("b.log");
    when_scanned();
    then_vanished("b.log");
    then_changes(1);
}

static void
rename_and_create_is_told_by_inode(void **state)
{
    uint64_t inode;

    (void)state;
    files_write("a.log", "old\n");
    given("a.log*");
    when_scanned();
    inode = then_appeared("a.log")->inode;
    files_rename("a.log", "a.log.1");
    files_write("a.log", "new\n");
    when_told();
    then_vanished("a.log");
    assert_int_equal(then_appeared("a.log.1")->inode, inode);
    assert_int_not_equal(then_appeared("a.log")->inode, inode);
    then_changes(3);
}

static void
a_file_moved_out_of_the_patterns_is_told_of(void **state)
{
    (void)state;
    files_write("a.log", "old\n");
    given("a.log");
    when_scanned();
    files_rename("a.log", "a.log.1");
    when_told();
    then_vanished("a.log");
    assert_non_null(find_change(FILE_ELSEWHERE, "a.log.1"));
    then_changes(2);
}

static void
one_scan_reads_a_folder_for_all_patterns(void **state)
{
    (void)state;
    files_write("a.log", "x\n");
    given("*.log");
    given("a.*");
    given("a.log");
    when_scanned();
    then_appeared("a.log");
    then_changes(1);
}

static void
two_stars_and_braces_reach_any_depth(void **state)
{
    (void)state;
    files_folder("a");
    files_folder("a/b");
    files_folder("a/b/c");
    files_write("x.log", "");
    files_write("a/b/y.txt", "");
    files_write("a/b/c/z.log", "");
    given("**/*.{log,txt}");
    when_scanned();
    then_appeared("x.log");
    then_appeared("a/b/y.txt");
    then_appeared("a/b/c/z.log");
    then_changes(3);
}

static void
a_new_folder_is_entered_at_its_event(void **state)
{
    (void)state;
    given("**/*.log");
    when_scanned();
    files_folder("a");
    files_folder("a/b");
    files_write("a/b/x.log", "");
    when_told();
    then_appeared("a/b/x.log");
    files_write("a/b/y.log", "");
    when_told();
    then_appeared("a/b/y.log");
    then_changes(1);
}

static void
a_folder_that_goes_takes_its_files_along(void **state)
{
    (void)state;
    files_folder("a");
    files_write("a/x.log", "");
    given("*/x.log");
    when_scanned();
    files_rename("a", "b");
    when_told();
    then_vanished("a/x.log");
    then_appeared("b/x.log");
    files_remove("b/x.log");
    files_remove("b");
    when_told();
    then_vanished("b/x.log");
}

static void
missing_parents_are_awaited(void **state)
{
    (void)state;
    given("a/b/x.log");
    when_scanned();
    then_changes(0);
    files_folder("a");
    when_told();
    files_folder("a/b");
    when_told();
    files_write("a/b/x.log", "1\n");
    when_told();
    then_appeared("a/b/x.log");
}

static void
missing_parents_that_appear_at_once_are_found(void **state)
{
    (void)state;
    given("a/b/c/*.log");
    when_scanned();
    files_folder("a");
    files_folder("a/b");
    files_folder("a/b/c");
    files_write("a/b/c/x.log", "1\n");
    when_told();
    then_appeared("a/b/c/x.log");
}

static void
a_symbolic_link_is_followed_and_its_target_watched(void **state)
{
    const struct file_change *c;

    (void)state;
    files_folder("real");
    files_write("real/data", "x\n");
    files_link("real/data", "a.log");
    given("*.log");
    when_scanned();
    c = then_appeared("a.log");
    assert_true(c->own_watch && c->wd >= 0);
}

static void
a_switched_link_vanishes_and_appears(void **state)
{
    uint64_t first;

    (void)state;
    files_write("one", "1\n");
    files_write("two", "2\n");
    files_link("one", "a.log");
    given("a.log");
    when_scanned();
    first = then_appeared("a.log")->inode;
    files_link("two", "new");
    files_rename("new", "a.log");
    when_told();
    then_vanished("a.log");
    assert_int_not_equal(then_appeared("a.log")->inode, first);
    then_changes(2);
}

static void
a_link_whose_target_was_replaced_is_seen_by_a_scan(void **state)
{
    (void)state;
    files_folder("real");
    files_write("real/data", "1\n");
    files_link("real/data", "a.log");
    given("a.log");
    when_scanned();
    files_rename("real/data", "real/data.1");
    files_write("real/data", "2\n");
    when_scanned();
    then_vanished("a.log");
    then_appeared("a.log");
}

static void
link_loops_end(void **state)
{
    (void)state;
    files_folder("a");
    files_folder("b");
    files_write("a/x.log", "");
    files_link("", "a/up");
    files_link("a", "b/to-a");
    files_link("b", "a/to-b");
    assert_int_equal(symlink("self", files_path("self")), 0);
    given("**/*.log");
    when_scanned();
    then_appeared("a/x.log");
    then_changes(1);
}

static void
what_is_no_regular_file_is_left_alone(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(files_path("fifo.log"), 0644), 0);
    files_folder("folder.log");
    assert_int_equal(symlink("/dev/null", files_path("null.log")), 0);
    files_write("a.log", "");
    given("*.log");
    when_scanned();
    then_appeared("a.log");
    then_changes(1);
    files_remove("fifo.log");
    files_write("fifo.log", "now a file\n");
    when_told();
    then_appeared("fifo.log");
}

static void
excluded_names_paths_and_folders_are_left_out(void **state)
{
    (void)state;
    files_folder("old");
    files_write("a.log", "");
    files_write("a.gz", "");
    files_write("old/b.log", "");
    given("**");
    given_excluded("/**/*.gz");
    given_excluded("/**/old");
    when_scanned();
    then_appeared("a.log");
    then_changes(1);
}

static void
an_unreadable_folder_is_found_when_it_can_be_read(void **state)
{
    (void)state;
    files_folder("a");
    files_write("a/x.log", "");
    assert_int_equal(chmod(files_root, 0755), 0);
    assert_int_equal(chmod(files_path("a"), 0), 0);
    given("*/x.log");
    if (getuid() == 0)
        assert_int_equal(seteuid(65534), 0);    /* root may read everything */
    when_scanned();
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    then_changes(0);
    assert_int_equal(chmod(files_path("a"), 0755), 0);
    when_scanned();
    then_appeared("a/x.log");
}

static void
names_may_hold_any_bytes(void **state)
{
    (void)state;
    files_write("a \xff\"\n'*.log", "");
    given("*.log");
    when_scanned();
    then_appeared("a \xff\"\n'*.log");
}

static void
a_folder_made_anew_with_the_same_name_is_read_anew(void **state)
{
    (void)state;
    files_folder("a");
    files_write("a/x.log", "1\n");
    given("a/*.log");
    when_scanned();
    files_remove("a/x.log");
    files_remove("a");
    files_folder("a");
    files_write("a/y.log", "1\n");
    when_told();
    when_scanned();
    when_scanned();
    files_write("a/z.log", "1\n");
    when_scanned();
    then_appeared("a/z.log");
    then_changes(1);
}

static void
without_inotify_scans_find_everything(void **state)
{
    (void)state;
    close(inotify);
    inotify = -1;
    files_write("a.log", "");
    given("*.log");
    when_scanned();
    assert_int_equal(then_appeared("a.log")->wd, -1);
    files_write("b.log", "");
    when_scanned();
    then_appeared("b.log");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_that_match_appear_once),
        TEST(a_new_file_is_found_by_its_event_alone),
        TEST(a_new_file_is_found_by_a_scan_alone),
        TEST(rename_and_create_is_told_by_inode),
        TEST(a_file_moved_out_of_the_patterns_is_told_of),
        TEST(one_scan_reads_a_folder_for_all_patterns),
        TEST(two_stars_and_braces_reach_any_depth),
        TEST(a_new_folder_is_entered_at_its_event),
        TEST(a_folder_that_goes_takes_its_files_along),
        TEST(missing_parents_are_awaited),
        TEST(missing_parents_that_appear_at_once_are_found),
        TEST(a_symbolic_link_is_followed_and_its_target_watched),
        TEST(a_switched_link_vanishes_and_appears),
        TEST(a_link_whose_target_was_replaced_is_seen_by_a_scan),
        TEST(link_loops_end),
        TEST(what_is_no_regular_file_is_left_alone),
        TEST(excluded_names_paths_and_folders_are_left_out),
        TEST(an_unreadable_folder_is_found_when_it_can_be_read),
        TEST(names_may_hold_any_bytes),
        TEST(a_folder_made_anew_with_the_same_name_is_read_anew),
        TEST(without_inotify_scans_find_everything),
    };
    log_set_up(LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
