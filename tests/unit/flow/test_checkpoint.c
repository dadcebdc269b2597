/* test_checkpoint.c - what was noted is there after a restart; a database that
 * cannot be used is set aside.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

static void
run_sqlite(const char *sql)
{
    char command[1024];

    snprintf(command, sizeof command, "sqlite3 '%s' '%s' >/dev/null", file, sql);
    assert_int_equal(system(command), 0);
}

/* In the database, as it is now. */
static size_t
count_rows(void)
{
    struct error        err;
    struct checkpoints *st = checkpoints_read(state_dir, &err);
    size_t              count;

    assert_non_null(st);
    (void)checkpoints_rows(st, &count);
    checkpoints_close(st);
    return count;
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

/* A timer or a job of it would keep the loop alive. */
static void
the_store_sleeps_while_nothing_is_due(void **state)
{
    struct source       source = a_source("/a", 5);
    struct checkpoints *st = open_store();
    uv_loop_t           loop;
    size_t              count;

    (void)state;
    uv_loop_init(&loop);
    checkpoints_start(st, &loop, 20);
    assert_false(uv_loop_alive(&loop));
    checkpoints_note(st, &source);
    assert_true(uv_loop_alive(&loop));
    uv_run(&loop, UV_RUN_DEFAULT);              /* it ends when all is written */
    assert_int_equal(count_rows(), 1);
    checkpoints_remove(st, &source);
    assert_true(uv_loop_alive(&loop));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(count_rows(), 0);
    flush(st, &loop);
    checkpoints_close(st);
    uv_loop_close(&loop);
    st = open_store();
    (void)checkpoints_rows(st, &count);
    assert_int_equal(count, 0);
    checkpoints_close(st);
    source_fini(&source);
}

static void
a_write_that_fails_is_made_again_although_nothing_else_is_noted(void **state)
{
    struct source       source = a_source("/a", 5);
    struct checkpoints *st = open_store();
    uv_loop_t           loop;
    unsigned            turns = 0;

    (void)state;
    uv_loop_init(&loop);
    checkpoints_start(st, &loop, 20);
    run_sqlite("ALTER TABLE file RENAME TO away");
    checkpoints_note(st, &source);
    while (turns < 4 && uv_run(&loop, UV_RUN_ONCE))
        turns++;
    run_sqlite("ALTER TABLE away RENAME TO file");
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(count_rows(), 1);
    flush(st, &loop);
    checkpoints_close(st);
    uv_loop_close(&loop);
    source_fini(&source);
}

/* Two inputs have read them. */
static void
rows_are_freed_when_nobody_needs_them_and_numbers_go_on_behind_theirs(void **state)
{
    struct source       sources[2], another = a_source("/c", 1);
    struct checkpoints *st;
    uv_loop_t           loop;
    size_t              count;
    int64_t             last;

    (void)state;
    sources[0] = a_source("/a", 1);
    sources[1] = a_source("/b", 1);
    given_noted(sources, 2);
    st = open_store();
    (void)checkpoints_rows(st, &count);
    last = checkpoints_rows(st, &count)[1].id;
    checkpoints_rows_over(st);
    assert_int_equal(checkpoints_rows(st, &count)[1].id, last);
    checkpoints_rows_over(st);
    checkpoints_rows_over(st);
    assert_null(checkpoints_rows(st, &count));
    assert_int_equal(count, 0);
    uv_loop_init(&loop);
    checkpoints_start(st, &loop, 60000);
    checkpoints_note(st, &another);
    assert_true(another.id > last);
    flush(st, &loop);
    checkpoints_close(st);
    uv_loop_close(&loop);
    assert_int_equal(count_rows(), 3);
    source_fini(&sources[0]);
    source_fini(&sources[1]);
    source_fini(&another);
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
a_newer_database_is_set_aside(void **state)
{
    (void)state;
    checkpoints_close(open_store());
    run_sqlite("PRAGMA user_version = 99");
    expect_set_aside();
}

/* `stoker offsets list`, while an agent makes its database; what is foreign is told. */
static void
who_only_looks_finds_no_rows_in_a_database_that_is_being_made(void **state)
{
    struct error err;
    int          fd;

    (void)state;
    checkpoints_close(open_store());
    unlink(file);
    fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(count_rows(), 0);
    run_sqlite("PRAGMA journal_mode = WAL");
    assert_int_equal(count_rows(), 0);
    run_sqlite("CREATE TABLE other (x)");
    assert_null(checkpoints_read(state_dir, &err));
    assert_non_null(strstr(err.text, "not a checkpoint database"));
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

/* Cut off, or overwritten in the middle: as a bad disk leaves it. */
static void
a_torn_database_is_set_aside(void **state)
{
    struct source sources[400];

    (void)state;
    for (unsigned torn = 0; torn < 2; torn++) {
        char path[100], page[4096];
        int  fd;

        for (unsigned i = 0; i < 400; i++) {
            snprintf(path, sizeof path, "/var/log/a file with a long name/number-%u.log", i);
            sources[i] = a_source(path, i);
        }
        given_noted(sources, 400);
        memset(page, 0xa5, sizeof page);
        fd = open(file, O_WRONLY);
        assert_true(fd >= 0);
        if (torn == 0)
            assert_int_equal(ftruncate(fd, 5 * 4096), 0);
        else
            assert_int_equal(pwrite(fd, page, sizeof page, 3 * 4096), sizeof page);
        close(fd);
        expect_set_aside();
        for (unsigned i = 0; i < 400; i++)
            source_fini(&sources[i]);
    }
}

static void
a_database_that_was_set_aside_is_known_to_be_lost(void **state)
{
    struct checkpoints *st = open_store();

    (void)state;
    assert_false(checkpoints_were_lost(st));
    checkpoints_close(st);
    run_sqlite("PRAGMA user_version = 99");
    st = open_store();
    assert_true(checkpoints_were_lost(st));
    checkpoints_close(st);
    st = open_store();
    assert_false(checkpoints_were_lost(st));
    checkpoints_close(st);
}

static const char version_1[] =
    "PRAGMA application_id = 1937010539; PRAGMA user_version = 1;"
    "CREATE TABLE file (id INTEGER PRIMARY KEY, input TEXT NOT NULL, path BLOB NOT NULL,"
    " device INTEGER NOT NULL, inode INTEGER NOT NULL, head_len INTEGER NOT NULL,"
    " head_hash INTEGER NOT NULL, tail_len INTEGER NOT NULL, tail_hash INTEGER NOT NULL,"
    " offset INTEGER NOT NULL, updated INTEGER NOT NULL);"
    "INSERT INTO file VALUES (7, \"nginx\", \"/a.log\", 1, 2, 3, 4, 5, 6, 77, 8);";

static void
a_database_of_an_older_version_goes_on(void **state)
{
    struct source             source = a_source("/b.log", 5);
    const struct checkpoint  *rows;
    struct checkpoints       *st;
    struct error              err;
    size_t                    count;

    (void)state;
    checkpoints_close(open_store());
    unlink(file);
    run_sqlite(version_1);
    st = checkpoints_read(state_dir, &err);         /* only looked at */
    assert_non_null(st);
    assert_int_equal(checkpoints_rows(st, &count)->offset, 77);
    checkpoints_close(st);
    source.size = 50;
    given_noted(&source, 1);
    source_fini(&source);
    st = open_store();
    assert_false(checkpoints_were_lost(st));
    rows = checkpoints_rows(st, &count);
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].offset, 77);
    assert_int_equal(rows[0].size, 0);
    assert_int_equal(rows[1].size, 50);
    checkpoints_close(st);
}

/* ---- In a hurry --------------------------------------------------------------- */

static struct { uint64_t number; unsigned calls; } written;

static void
on_written(void *ctx, uint64_t number)
{
    assert_ptr_equal(ctx, &written);
    assert_true(number > written.number);
    written.number = number;
    written.calls++;
}

static void
who_is_in_a_hurry_learns_when_its_offset_is_on_disk(void **state)
{
    struct checkpoints *st = open_store();
    struct source       a = a_source("/a.log", 1), b = a_source("/b.log", 2);
    uv_loop_t           loop;
    uint64_t            first, second, third;
    bool                flushed = false;
    size_t              count;

    (void)state;
    written.number = written.calls = 0;
    uv_loop_init(&loop);
    checkpoints_make_durable(st);
    checkpoints_listen(st, on_written, &written);
    checkpoints_start(st, &loop, 600000);           /* it is not the interval that writes */
    checkpoints_note(st, &a);
    first = checkpoints_hurry(st);
    assert_int_equal(written.calls, 0);             /* never from inside */
    checkpoints_note(st, &b);
    second = checkpoints_hurry(st);                 /* while that write is out */
    a.window.committed = 3;
    checkpoints_note(st, &a);
    third = checkpoints_hurry(st);
    assert_true(first < second && second == third); /* they share one */
    while (written.number < third)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(written.calls, 2);
    checkpoints_flush(st, on_flushed, &flushed);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(flushed);
    checkpoints_close(st);
    uv_loop_close(&loop);
    source_fini(&a);
    source_fini(&b);
    st = open_store();
    assert_int_equal(checkpoints_rows(st, &count)[0].offset, 3);
    assert_int_equal(count, 2);
    checkpoints_close(st);
}

/* ---- kill -9 ------------------------------------------------------------------ */

/* Write an offset after the other, and say which one is being written. */
static void
write_until_killed(volatile uint64_t *noted)
{
    struct checkpoints *st = open_store();
    struct source       s = a_source("/a.log", 0);
    uv_loop_t           loop;

    uv_loop_init(&loop);
    checkpoints_start(st, &loop, 1);
    s.id = 1;
    for (uint64_t i = *noted;; i++) {
        s.window.committed = *noted = i;
        checkpoints_note(st, &s);
        uv_run(&loop, UV_RUN_ONCE);
    }
}

static void
kill_after(unsigned us, volatile uint64_t *noted)
{
    const pid_t pid = fork();
    int         status;

    assert_true(pid >= 0);
    if (pid == 0)
        write_until_killed(noted);
    usleep(us);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

/* ThreadSanitizer ends a child that starts threads after a fork. */
static void
needs_a_child_with_threads(void)
{
#ifdef __SANITIZE_THREAD__
    print_message("needs a child with threads, which ThreadSanitizer does not allow\n");
    skip();
#endif
}

static bool
were_settled(void)
{
    struct checkpoints *st = open_store();          /* as `stoker offsets` does: only opened */
    const bool          settled = checkpoints_were_settled(st);

    checkpoints_close(st);
    return settled;
}

/* A kill is a store that is never closed: its process ends. */
static void
given_a_run(bool settled, bool killed)
{
    const pid_t pid = fork();
    int         status;

    assert_true(pid >= 0);
    if (pid == 0) {
        struct checkpoints *st = open_store();
        uv_loop_t           loop;

        uv_loop_init(&loop);
        checkpoints_start(st, &loop, 60000);
        if (killed)
            _exit(0);
        flush(st, &loop);
        if (settled)
            checkpoints_settle(st);
        checkpoints_close(st);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void
the_next_run_knows_whether_something_was_on_its_way(void **state)
{
    (void)state;
    needs_a_child_with_threads();
    assert_false(were_settled());           /* there was none */
    given_a_run(true, false);
    assert_true(were_settled());
    assert_true(were_settled());
    given_a_run(true, true);
    assert_false(were_settled());
    given_a_run(true, false);
    assert_true(were_settled());
    given_a_run(false, false);
    assert_false(were_settled());
}

/* The database of before, or that of after the write: never another. */
static void
a_kill_at_any_time_leaves_a_database_that_can_be_read(void **state)
{
    volatile uint64_t *noted = mmap(NULL, sizeof *noted, PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t           before = 0;

    (void)state;
    needs_a_child_with_threads();
    for (unsigned i = 0; i < 25 || (before == 0 && i < 1000); i++) {    /* once it has written */
        struct checkpoints      *st;
        const struct checkpoint *row;
        size_t                   count;

        kill_after(i * 1000, noted);
        st = open_store();                          /* and the lock is free */
        assert_false(checkpoints_were_lost(st));
        row = checkpoints_rows(st, &count);
        assert_in_range(count, before > 0 ? 1 : 0, 1);
        if (count == 1) {
            assert_in_range(row->offset, before, *noted);
            before = row->offset;
        }
        checkpoints_close(st);
    }
    assert_true(before > 0);
    munmap((void *)(uintptr_t)noted, sizeof *noted);
}

static void
a_kill_while_an_older_version_is_brought_up_to_date_loses_no_row(void **state)
{
    volatile uint64_t *noted = mmap(NULL, sizeof *noted, PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    (void)state;
    needs_a_child_with_threads();
    checkpoints_close(open_store());
    for (unsigned i = 0; i < 8; i++) {
        struct checkpoints *st;
        size_t              count;

        unlink(file);
        run_sqlite(version_1);
        kill_after(i * 700, noted);
        st = open_store();
        assert_false(checkpoints_were_lost(st));
        checkpoints_rows(st, &count);
        assert_in_range(count, 1, 2);
        checkpoints_close(st);
    }
    munmap((void *)(uintptr_t)noted, sizeof *noted);
}

static void
rows_of_inputs_that_are_long_gone_are_collected(void **state)
{
    const char *const   inputs[] = { "other" };
    struct source       source = a_source("/b.log", 5);
    struct checkpoints *st;
    uv_loop_t           loop;
    size_t              count;

    (void)state;
    checkpoints_close(open_store());
    unlink(file);
    run_sqlite(version_1);                          /* its row is of 1970 */
    given_noted(&source, 1);                        /* and this one of now */
    source_fini(&source);
    st = open_store();
    uv_loop_init(&loop);
    checkpoints_start(st, &loop, 60000);
    checkpoints_collect(st, inputs, 1);
    flush(st, &loop);
    checkpoints_close(st);
    uv_loop_close(&loop);
    st = open_store();
    assert_string_equal(checkpoints_rows(st, &count)->path, "/b.log");
    assert_int_equal(count, 1);
    checkpoints_close(st);
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
        TEST(the_store_sleeps_while_nothing_is_due),
        TEST(a_write_that_fails_is_made_again_although_nothing_else_is_noted),
        TEST(rows_are_freed_when_nobody_needs_them_and_numbers_go_on_behind_theirs),
        TEST(the_next_run_knows_whether_something_was_on_its_way),
        TEST(a_second_agent_is_refused),
        TEST(files_are_private_whatever_the_umask),
        TEST(a_file_that_is_no_database_is_set_aside),
        TEST(a_newer_database_is_set_aside),
        TEST(who_only_looks_finds_no_rows_in_a_database_that_is_being_made),
        TEST(a_foreign_database_is_set_aside),
        TEST(a_torn_database_is_set_aside),
        TEST(a_database_that_was_set_aside_is_known_to_be_lost),
        TEST(a_database_of_an_older_version_goes_on),
        TEST(who_is_in_a_hurry_learns_when_its_offset_is_on_disk),
        TEST(a_kill_at_any_time_leaves_a_database_that_can_be_read),
        TEST(a_kill_while_an_older_version_is_brought_up_to_date_loses_no_row),
        TEST(rows_of_inputs_that_are_long_gone_are_collected),
        TEST(a_state_folder_that_cannot_be_made_is_an_error_that_names_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
