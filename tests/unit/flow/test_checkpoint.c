/* test_checkpoint.c - what was noted is there after a restart; a database that
 * cannot be used is set aside.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>
#include <cmocka.h>

#include "agent/flow/checkpoint.h"
#include "agent/flow/plan.h"

static char        folder[64], state_dir[80], file[96];
static struct plan plan = { .input = NULL };
static char        input_name[] = "nginx";

static int
set_up(void **state)
{
    (void)state;
    plan.input = input_name;
    strcpy(folder, "/tmp/stoker-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(state_dir, sizeof state_dir, "%s/a/b", folder);
    snprintf(file, sizeof file, "%s/stoker.db", state_dir);
    return 0;
}

static int
tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static struct checkpoints *
open_store(void)
{
    struct error        err = { .text = "" };
    struct checkpoints *st = checkpoints_open(state_dir, &err);

    assert_string_equal(err.text, "");
    assert_non_null(st);
    return st;
}

static struct source
a_source(const char *path, uint64_t committed)
{
    struct source s;

    source_init(&s, NULL, &plan, path);
    s.identity = (struct identity){ 1, 2, 3, UINT64_MAX };
    window_init(&s.window, committed, (struct tail_print){ 256, 99 });
    return s;
}

static void
on_flushed(void *ctx, bool failed)
{
    assert_false(failed);
    *(bool *)ctx = true;
}

static void
flush(struct checkpoints *st, uv_loop_t *loop)
{
    bool flushed = false;

    checkpoints_flush(st, on_flushed, &flushed);
    uv_run(loop, UV_RUN_DEFAULT);
    assert_true(flushed);
}

/* Start, note `n` sources, flush and close. */
static void
given_noted(struct source *sources, size_t n)
{
    struct checkpoints *st = open_store();
    uv_loop_t           loop;

    uv_loop_init(&loop);
    checkpoints_start(st, &loop, 60000);
    for (size_t i = 0; i < n; i++)
        checkpoints_note(st, &sources[i]);
    flush(st, &loop);
    checkpoints_close(st);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void
what_was_noted_is_there_after_a_restart(void **state)
{
    struct source       sources[2];
    struct checkpoints *st;
    struct checkpoint  *rows;
    size_t              count;

    (void)state;
    sources[0] = a_source("/var/log/b.log", 12345678901234u);
    sources[1] = a_source("/var/log/a\xff.log", 7);
    sources[1].window.lead = -300;
    given_noted(sources, 2);
    st = open_store();
    rows = checkpoints_rows(st, &count);
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].path, "/var/log/a\xff.log");
    assert_string_equal(rows[1].path, "/var/log/b.log");
    assert_string_equal(rows[1].input, "nginx");
    assert_true(rows[1].offset == 12345678901234u);
    assert_true(rows[1].identity.head_hash == UINT64_MAX);
    assert_int_equal(rows[1].identity.inode, 2);
    assert_int_equal(rows[1].tail.len, 256);
    assert_int_equal(rows[1].tail.hash, 99);
    assert_int_equal(rows[0].lead, -300);
    assert_int_equal(rows[1].lead, 0);
    assert_int_not_equal(rows[0].id, rows[1].id);
    checkpoints_close(st);
    source_fini(&sources[0]);
    source_fini(&sources[1]);
}

static void
a_row_that_is_noted_again_is_replaced_and_a_removed_one_is_gone(void **state)
{
    struct source       sources[2];
    struct checkpoints *st;
    uv_loop_t           loop;
    size_t              count;

    (void)state;
    sources[0] = a_source("/a", 1);
    sources[1] = a_source("/b", 1);
    given_noted(sources, 2);
    st = open_store();
    uv_loop_init(&loop);
    checkpoints_start(st, &loop, 60000);
    sources[0].window.committed = 50;
    checkpoints_note(st, &sources[0]);
    checkpoints_note(st, &sources[1]);
    checkpoints_remove(st, &sources[1]);
    flush(st, &loop);
    checkpoints_close(st);
    uv_loop_close(&loop);
    st = open_store();
    assert_int_equal(checkpoints_rows(st, &count)->offset, 50);
    assert_int_equal(count, 1);
    checkpoints_close(st);
    source_fini(&sources[0]);
    source_fini(&sources[1]);
}

static void
a_second_agent_is_refused(void **state)
{
    struct checkpoints *st = open_store();
    struct error        err;

    (void)state;
    assert_null(checkpoints_open(state_dir, &err));
    assert_int_equal(err.code, ERR_LOCKED);
    assert_non_null(strstr(err.text, state_dir));
    checkpoints_close(st);
    checkpoints_close(open_store());        /* the lock is free again */
}

static void
files_are_private_whatever_the_umask(void **state)
{
    struct stat  st;
    const mode_t mask = umask(0);

    (void)state;
    checkpoints_close(open_store());
    umask(mask);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void
write_file(const char *text)
{
    FILE *f = fopen(file, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void
expect_set_aside(void)
{
    struct checkpoints *st = open_store();
    char                pattern[128];
    glob_t              found;
    size_t              count;

    checkpoints_rows(st, &count);
    assert_int_equal(count, 0);
    checkpoints_close(st);
    snprintf(pattern, sizeof pattern, "%s.damaged-*", file);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 1);
    globfree(&found);
}

static void
a_file_that_is_no_database_is_set_aside(void **state)
{
    (void)state;
    checkpoints_close(open_store());
    write_file("these are not the bytes of a database, but of a text that is longer than a header "
               "of one hundred bytes");
    expect_set_aside();
}

static void
run_sqlite(const char *sql)
{
    char command[256];

    snprintf(command, sizeof command, "sqlite3 '%s' '%s' >/dev/null", file, sql);
    assert_int_equal(system(command), 0);
}

static void
a_newer_database_is_set_aside(void **state)
{
    (void)state;
    checkpoints_close(open_store());
    run_sqlite("PRAGMA user_version = 99");
    expect_set_aside();
}

static void
a_foreign_database_is_set_aside(void **state)
{
    (void)state;
    checkpoints_close(open_store());
    unlink(file);
    run_sqlite("CREATE TABLE other (x)");
    expect_set_aside();
}

static void
a_state_folder_that_cannot_be_made_is_an_error_that_names_it(void **state)
{
    struct error err;

    (void)state;
    assert_null(checkpoints_open("/proc/none/here", &err));
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_non_null(strstr(err.text, "/proc/none/here"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_noted_is_there_after_a_restart),
        TEST(a_row_that_is_noted_again_is_replaced_and_a_removed_one_is_gone),
        TEST(a_second_agent_is_refused),
        TEST(files_are_private_whatever_the_umask),
        TEST(a_file_that_is_no_database_is_set_aside),
        TEST(a_newer_database_is_set_aside),
        TEST(a_foreign_database_is_set_aside),
        TEST(a_state_folder_that_cannot_be_made_is_an_error_that_names_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
