/* checkpoint.c - see checkpoint.h.
 *
 * One table, one row a file.  WAL and synchronous=NORMAL: a power loss may take
 * the last transactions with it, which means older offsets and records sent
 * again, never records lost.
 *
 * The loop collects what is due into a batch of plain copies; one job at a time
 * writes it.  A batch that cannot be written stays due: its rows are merged
 * with what comes, and tried again at the next interval.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/checkpoint.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/strings.h"
#include "agent/flow/checkpoint_batch.h"
#include "agent/flow/plan.h"
#include "agent/flow/state_dir.h"

enum {
    APPLICATION_ID = 0x73746f6b,        /* "stok": this database is ours */
    SCHEMA_VERSION = 1,                 /* columns may be added: later_columns */
    BUSY_MS = 5000,
    RETRY_MS = 1000,                    /* after a write that failed, for those in a hurry */
    MANY_ROWS = 256,                    /* SQLite's memory is given back after so many */
};

static const int64_t KEEP_MS = 30ll * 24 * 3600 * 1000;     /* rows of inputs that are not there */

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS file ("
    "  id        INTEGER PRIMARY KEY,"
    "  input     TEXT NOT NULL,"
    "  path      BLOB NOT NULL,"
    "  device    INTEGER NOT NULL,"
    "  inode     INTEGER NOT NULL,"
    "  head_len  INTEGER NOT NULL,"
    "  head_hash INTEGER NOT NULL,"
    "  tail_len  INTEGER NOT NULL,"
    "  tail_hash INTEGER NOT NULL,"
    "  offset    INTEGER NOT NULL,"
    "  updated   INTEGER NOT NULL,"
    "  lead      INTEGER NOT NULL DEFAULT 0,"
    "  size      INTEGER NOT NULL DEFAULT 0,"
    "  disk_size INTEGER NOT NULL DEFAULT 0"
    ");";

/* Databases of the first days lack some columns; theirs are all 0. */
static const char *const later_columns[] = { "lead", "size", "disk_size" };

enum { LATER_COLUMNS = sizeof later_columns / sizeof later_columns[0] };

static const char put_row[] =
    "INSERT OR REPLACE INTO file (id, input, path, device, inode, head_len, head_hash, tail_len,"
    " tail_hash, offset, updated, lead, size, disk_size) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

static const char delete_row[] = "DELETE FROM file WHERE id = ?";

struct checkpoints {
    char              *folder, *file;
    int                lock;            /* -1: only to look */
    sqlite3           *db;
    sqlite3_stmt      *put, *remove;
    struct checkpoint *rows;
    struct strings     inputs;          /* that they name */
    size_t             nrows;
    unsigned           readers;         /* of the rows */
    int64_t            last_id;

    uv_timer_t         timer;           /* runs while something is due */
    uint64_t           interval;        /* ms */
    uv_work_t          request;
    bool               lost;            /* the database of before was set aside */
    bool               was_settled, settled;    /* the run before; this one */
    bool               started, busy, closing;
    struct source     *dirty;           /* linked by next_dirty */
    struct checkpoint_batch due, writing;
    bool               failed;          /* the last write */
    char               trouble[200];
    struct log_repeat  told;
    checkpoints_flushed_f *flushed;
    void              *flushed_ctx;
    uint64_t           begun;           /* writes */
    bool               hurry;           /* another one right behind this one */
    bool               hurried;         /* somebody is, now and then */
    checkpoints_written_f *written;
    void              *written_ctx;
};

/* ---- Opening --------------------------------------------------------------- */

static int
run_sql(struct checkpoints *st, const char *sql, struct error *err)
{
    if (sqlite3_exec(st->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    return error_set(err, ERR_STORE, "%s", sqlite3_errmsg(st->db));
}

static int
read_number(struct checkpoints *st, const char *sql, int64_t *number, struct error *err)
{
    sqlite3_stmt *q = NULL;
    int           result = -1;

    *number = 0;
    if (sqlite3_prepare_v2(st->db, sql, -1, &q, NULL) == SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW) {
        *number = sqlite3_column_int64(q, 0);
        result = 0;
    } else {
        error_set(err, ERR_STORE, "%s", sqlite3_errmsg(st->db));
    }
    sqlite3_finalize(q);
    return result;
}

/* Damage that reading rows would not meet makes every write fail later. */
static int
check_pages(struct checkpoints *st, struct error *err)
{
    sqlite3_stmt *q = NULL;
    const char   *said = "it cannot be checked";
    int           result = -1;

    if (sqlite3_prepare_v2(st->db, "PRAGMA quick_check(1)", -1, &q, NULL) == SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW)
        said = (const char *)sqlite3_column_text(q, 0);
    if (said != NULL && strcmp(said, "ok") == 0)
        result = 0;
    else
        error_set(err, ERR_STORE, "%s", said != NULL ? said : "it cannot be checked");
    sqlite3_finalize(q);
    return result;
}

/* Is it ours, of our version, and whole?  An empty database is made ours; to who only
 * looks it has no rows: an agent is just making it.  Tables are counted first: where there
 * are some, the number that came with them is there too. */
static int
check_database(struct checkpoints *st, bool *empty, struct error *err)
{
    int64_t application, version, tables;

    if (read_number(st, "SELECT count(*) FROM sqlite_master", &tables, err) == -1 ||
        read_number(st, "PRAGMA application_id", &application, err) == -1 ||
        read_number(st, "PRAGMA user_version", &version, err) == -1)
        return -1;
    *empty = tables == 0 && application == 0;
    if (*empty)
        return 0;
    if (application != APPLICATION_ID)
        return error_set(err, ERR_STORE, "it is not a checkpoint database");
    if (version > SCHEMA_VERSION)
        return error_set(err, ERR_STORE, "it was written by a newer version");
    return 0;
}

static int
has_column(struct checkpoints *st, const char *name, bool *has, struct error *err)
{
    char    sql[100];
    int64_t count;

    snprintf(sql, sizeof sql, "SELECT count(*) FROM pragma_table_info('file') WHERE name = '%s'",
             name);
    if (read_number(st, sql, &count, err) == -1)
        return -1;
    *has = count > 0;
    return 0;
}

static int
add_columns(struct checkpoints *st, struct error *err)
{
    for (size_t i = 0; i < LATER_COLUMNS; i++) {
        char sql[100];
        bool has;

        if (has_column(st, later_columns[i], &has, err) == -1)
            return -1;
        snprintf(sql, sizeof sql, "ALTER TABLE file ADD COLUMN %s INTEGER NOT NULL DEFAULT 0",
                 later_columns[i]);
        if (!has && run_sql(st, sql, err) == -1)
            return -1;
    }
    return 0;
}

/* In one transaction: a kill leaves the table of before, or that of now. */
static int
bring_up_to_date(struct checkpoints *st, struct error *err)
{
    char pragmas[160];

    snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %d;"
             "COMMIT", APPLICATION_ID, SCHEMA_VERSION);
    if (run_sql(st, "BEGIN IMMEDIATE", err) == -1 || run_sql(st, schema, err) == -1 ||
        add_columns(st, err) == -1 || run_sql(st, pragmas, err) == -1)
        return -1;
    return 0;
}

static int
set_up_database(struct checkpoints *st, struct error *err)
{
    if (run_sql(st, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", err) == -1 ||
        bring_up_to_date(st, err) == -1)
        return -1;
    if (sqlite3_prepare_v2(st->db, put_row, -1, &st->put, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(st->db, delete_row, -1, &st->remove, NULL) != SQLITE_OK)
        return error_set(err, ERR_STORE, "%s", sqlite3_errmsg(st->db));
    return 0;
}

/* Rows come in the order of their inputs. */
static const char *
name_of_input(struct checkpoints *st, const char *name)
{
    struct strings *all = &st->inputs;

    if (all->count == 0 || strcmp(all->list[all->count - 1], name) != 0)
        strings_add(all, name);
    return all->list[all->count - 1];
}

static struct checkpoint
read_row(struct checkpoints *st, sqlite3_stmt *q)
{
    const char *input = (const char *)sqlite3_column_text(q, 1);
    const void *path = sqlite3_column_blob(q, 2);

    return (struct checkpoint){
        .id = sqlite3_column_int64(q, 0),
        .input = name_of_input(st, input != NULL ? input : ""),
        .path = mem_copy(path, (size_t)sqlite3_column_bytes(q, 2)),
        .identity = {
            .device = (uint64_t)sqlite3_column_int64(q, 3),
            .inode = (uint64_t)sqlite3_column_int64(q, 4),
            .head_len = (uint32_t)sqlite3_column_int64(q, 5),
            .head_hash = (uint64_t)sqlite3_column_int64(q, 6),
        },
        .tail = { (uint32_t)sqlite3_column_int64(q, 7), (uint64_t)sqlite3_column_int64(q, 8) },
        .offset = (uint64_t)sqlite3_column_int64(q, 9),
        .updated = sqlite3_column_int64(q, 10),
        .lead = sqlite3_column_int64(q, 11),
        .size = (uint64_t)sqlite3_column_int64(q, 12),
        .disk_size = (uint64_t)sqlite3_column_int64(q, 13),
    };
}

static void
forget_rows(struct checkpoints *st)
{
    for (size_t i = 0; i < st->nrows; i++)
        free(st->rows[i].path);
    free(st->rows);
    strings_fini(&st->inputs);
    st->rows = NULL;
    st->nrows = 0;
}

/* A database that is only looked at may lack columns. */
static int
select_rows(struct checkpoints *st, sqlite3_stmt **q, struct error *err)
{
    struct buf sql = { NULL, 0, 0 };
    bool       has;
    int        result = 0;

    buf_printf(&sql, "SELECT id, input, path, device, inode, head_len, head_hash, tail_len,"
                     " tail_hash, offset, updated");
    for (size_t i = 0; i < LATER_COLUMNS && result == 0; i++) {
        result = has_column(st, later_columns[i], &has, err);
        buf_printf(&sql, ", %s", result == 0 && has ? later_columns[i] : "0");
    }
    buf_printf(&sql, " FROM file ORDER BY input, path, id");
    if (result == 0)
        (void)sqlite3_prepare_v2(st->db, buf_string(&sql), -1, q, NULL);
    buf_fini(&sql);
    return result;
}

static int
read_rows(struct checkpoints *st, struct error *err)
{
    sqlite3_stmt *q = NULL;
    size_t        room = 0;
    int           step = SQLITE_ERROR;

    if (select_rows(st, &q, err) == -1)
        return -1;
    if (q != NULL)
        while ((step = sqlite3_step(q)) == SQLITE_ROW) {
            if (st->nrows == room) {
                room = room > 0 ? 2 * room : 64;
                st->rows = mem_array(st->rows, room, sizeof *st->rows);
            }
            st->rows[st->nrows] = read_row(st, q);
            if (st->rows[st->nrows].id > st->last_id)
                st->last_id = st->rows[st->nrows].id;
            st->nrows++;
        }
    if (step != SQLITE_DONE)
        error_set(err, ERR_STORE, "%s", sqlite3_errmsg(st->db));
    sqlite3_finalize(q);
    (void)sqlite3_db_release_memory(st->db);
    return step == SQLITE_DONE ? 0 : -1;
}

static void
close_database(struct checkpoints *st)
{
    sqlite3_finalize(st->put);
    sqlite3_finalize(st->remove);
    sqlite3_close(st->db);
    st->put = st->remove = NULL;
    st->db = NULL;
}

static int
open_database(struct checkpoints *st, struct error *err)
{
    const bool look = st->lock < 0;
    bool       empty;
    const int  flags = look ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

    if (sqlite3_open_v2(st->file, &st->db, flags, NULL) != SQLITE_OK)
        return error_set(err, ERR_STORE, "%s", sqlite3_errmsg(st->db));
    sqlite3_busy_timeout(st->db, BUSY_MS);
    if (check_database(st, &empty, err) == -1)
        return -1;
    if (look && empty)
        return 0;
    if (!look && (check_pages(st, err) == -1 || set_up_database(st, err) == -1))
        return -1;
    return read_rows(st, err);
}

/* Not a trouble of the database itself, but of the place where it is. */
static bool
is_systems_fault(struct checkpoints *st)
{
    const int code = sqlite3_errcode(st->db) & 0xff;

    if (code == SQLITE_READONLY)        /* a damaged header may say so too */
        return access(st->file, W_OK) != 0;
    return code == SQLITE_FULL || code == SQLITE_CANTOPEN || code == SQLITE_IOERR ||
           code == SQLITE_PERM || code == SQLITE_BUSY;
}

static struct checkpoints *
new_store(const char *state_dir)
{
    struct checkpoints *st = NEW(struct checkpoints);
    struct buf          file = { NULL, 0, 0 };

    st->lock = -1;
    st->folder = mem_string(state_dir);
    buf_printf(&file, "%s/stoker.db", state_dir);
    st->file = mem_string(buf_string(&file));
    buf_fini(&file);
    return st;
}

/* The database, or a new one in its place. */
static int
open_or_replace(struct checkpoints *st, struct error *err)
{
    struct error why;

    if (open_database(st, &why) == 0)
        return 0;
    if (is_systems_fault(st))
        return error_set(err, ERR_SYSTEM, "cannot use the checkpoint database '%s': %s", st->file,
                         why.text);
    close_database(st);
    forget_rows(st);
    st->last_id = 0;
    state_dir_set_aside(st->file, why.text);
    st->lost = true;
    if (open_database(st, &why) == 0)
        return 0;
    return error_set(err, ERR_SYSTEM, "cannot make the checkpoint database '%s': %s", st->file,
                     why.text);
}

struct checkpoints *
checkpoints_open(const char *state_dir, struct error *err)
{
    struct checkpoints *st = new_store(state_dir);
    const mode_t        mask = umask(077);      /* SQLite makes its files by the umask */
    bool                ok;

    st->lock = state_dir_lock(state_dir, err);
    ok = st->lock >= 0 && open_or_replace(st, err) == 0;
    umask(mask);
    st->was_settled = st->lock >= 0 && state_dir_is_settled(st->lock);
    if (ok)
        return st;
    checkpoints_close(st);
    return NULL;
}

struct checkpoints *
checkpoints_read(const char *state_dir, struct error *err)
{
    struct checkpoints *st = new_store(state_dir);
    struct error        why;

    if (access(st->file, F_OK) != 0 && errno == ENOENT)
        return st;
    if (open_database(st, &why) == 0)
        return st;
    error_set(err, ERR_STORE, "cannot read the checkpoint database '%s': %s", st->file, why.text);
    checkpoints_close(st);
    return NULL;
}

bool
checkpoints_were_lost(const struct checkpoints *st)
{
    return st->lost;
}

bool
checkpoints_were_settled(const struct checkpoints *st)
{
    return st->was_settled;
}

void
checkpoints_settle(struct checkpoints *st)
{
    st->settled = true;
}

struct checkpoint *
checkpoints_rows(struct checkpoints *st, size_t *count)
{
    *count = st->nrows;
    st->readers++;
    return st->rows;
}

void
checkpoints_rows_over(struct checkpoints *st)
{
    assert(st->readers > 0);
    if (--st->readers == 0)
        forget_rows(st);
}

/* ---- Writing --------------------------------------------------------------- */

/* The job's side. */
static int
bind_and_put(struct checkpoints *st, const struct checkpoint *row)
{
    sqlite3_stmt *q = st->put;
    int           step;

    sqlite3_bind_int64(q, 1, row->id);
    sqlite3_bind_text(q, 2, row->input, -1, SQLITE_STATIC);
    sqlite3_bind_blob(q, 3, row->path, (int)strlen(row->path), SQLITE_STATIC);
    sqlite3_bind_int64(q, 4, (sqlite3_int64)row->identity.device);
    sqlite3_bind_int64(q, 5, (sqlite3_int64)row->identity.inode);
    sqlite3_bind_int64(q, 6, row->identity.head_len);
    sqlite3_bind_int64(q, 7, (sqlite3_int64)row->identity.head_hash);
    sqlite3_bind_int64(q, 8, row->tail.len);
    sqlite3_bind_int64(q, 9, (sqlite3_int64)row->tail.hash);
    sqlite3_bind_int64(q, 10, (sqlite3_int64)row->offset);
    sqlite3_bind_int64(q, 11, row->updated);
    sqlite3_bind_int64(q, 12, row->lead);
    sqlite3_bind_int64(q, 13, (sqlite3_int64)row->size);
    sqlite3_bind_int64(q, 14, (sqlite3_int64)row->disk_size);
    step = sqlite3_step(q);
    sqlite3_reset(q);
    return step == SQLITE_DONE ? 0 : -1;
}

static int
bind_and_remove(struct checkpoints *st, int64_t id)
{
    int step;

    sqlite3_bind_int64(st->remove, 1, id);
    step = sqlite3_step(st->remove);
    sqlite3_reset(st->remove);
    return step == SQLITE_DONE ? 0 : -1;
}

static int
write_rows(struct checkpoints *st, const struct checkpoint_batch *b)
{
    for (size_t i = 0; i < b->nput; i++)
        if (bind_and_put(st, &b->put[i]) == -1)
            return -1;
    for (size_t i = 0; i < b->nremove; i++)
        if (bind_and_remove(st, b->remove[i]) == -1)
            return -1;
    return 0;
}

static void
on_work(uv_work_t *request)
{
    struct checkpoints *st = request->data;
    const bool          many = st->writing.nput + st->writing.nremove > MANY_ROWS;
    struct error        err;

    st->failed = true;
    if (run_sql(st, "BEGIN IMMEDIATE", &err) == 0) {
        if (write_rows(st, &st->writing) == 0 && run_sql(st, "COMMIT", &err) == 0) {
            st->failed = false;
            checkpoint_batch_clear(&st->writing);
            if (many)
                (void)sqlite3_db_release_memory(st->db);
            return;
        }
    }
    snprintf(st->trouble, sizeof st->trouble, "%s", sqlite3_errmsg(st->db));
    if (!sqlite3_get_autocommit(st->db))
        (void)run_sql(st, "ROLLBACK", &err);
}

/* ---- The loop's side ------------------------------------------------------- */

static void write_due(struct checkpoints *st);

static bool
is_due(const struct checkpoints *st)
{
    return st->dirty != NULL || st->due.nput + st->due.nremove > 0;
}

static void
on_timer(uv_timer_t *timer)
{
    write_due(timer->data);
}

/* Something is due. */
static void
arm(struct checkpoints *st)
{
    if (st->started && !st->closing && !st->busy && !uv_is_active((uv_handle_t *)&st->timer))
        uv_timer_start(&st->timer, on_timer, st->interval, 0);
}

/* Sources are noted, not copied, until a batch is made: one that moves a
 * thousand times in an interval is one row. */
static void
collect(struct checkpoints *st)
{
    while (st->dirty != NULL) {
        struct source *s = st->dirty;

        st->dirty = s->next_dirty;
        s->next_dirty = NULL;
        s->dirty = false;
        checkpoint_batch_put(&st->due, s);
    }
}

static void
tell_flushed(struct checkpoints *st)
{
    checkpoints_flushed_f *flushed = st->flushed;

    st->flushed = NULL;
    flushed(st->flushed_ctx, st->failed);
}

static void
on_written(uv_work_t *request, int status)
{
    struct checkpoints *st = request->data;

    assert(status == 0);
    st->busy = false;
    if (st->failed) {
        log_again(&st->told, LOG_ERROR,
                  "cannot write checkpoints to '%s': %s (records go on; after a crash more of them "
                  "would be sent again)", st->file, st->trouble);
        checkpoint_batch_put_back(&st->due, &st->writing);
        if (st->hurried && !st->closing)
            uv_timer_start(&st->timer, on_timer, RETRY_MS, 0);
    } else {
        log_over(&st->told);
        if (st->written != NULL)
            st->written(st->written_ctx, st->begun);
    }
    if (st->flushed == NULL) {
        if (st->hurry && !st->failed)
            write_due(st);
        if (is_due(st))
            arm(st);
        return;
    }
    if (!st->failed && is_due(st))
        write_due(st);
    else
        tell_flushed(st);
}

static void
write_due(struct checkpoints *st)
{
    struct checkpoint_batch spare;

    if (st->busy || (!is_due(st) && st->flushed == NULL))
        return;
    collect(st);
    spare = st->writing;
    st->writing = st->due;
    st->due = spare;
    st->busy = true;
    st->hurry = false;
    st->begun++;
    uv_queue_work(st->timer.loop, &st->request, on_work, on_written);
}

void
checkpoints_start(struct checkpoints *st, uv_loop_t *loop, uint64_t interval_ms)
{
    uv_timer_init(loop, &st->timer);
    st->timer.data = st;
    st->request.data = st;
    st->interval = interval_ms;
    st->started = true;
    if (st->was_settled)
        state_dir_settle(st->lock, false);
    if (is_due(st))
        arm(st);
}

void
checkpoints_note(struct checkpoints *st, struct source *s)
{
    if (s->unnoted)
        return;
    if (s->id == 0)
        s->id = ++st->last_id;
    if (s->dirty)
        return;
    s->dirty = true;
    s->next_dirty = st->dirty;
    st->dirty = s;
    arm(st);
}

void
checkpoints_make_durable(struct checkpoints *st)
{
    struct error err;

    (void)run_sql(st, "PRAGMA synchronous = FULL", &err);   /* it cannot fail on an open database */
}

uint64_t
checkpoints_hurry(struct checkpoints *st)
{
    const uint64_t number = st->begun + 1;

    st->hurry = st->hurried = true;
    write_due(st);
    return number;
}

void
checkpoints_listen(struct checkpoints *st, checkpoints_written_f *written, void *ctx)
{
    st->written = written;
    st->written_ctx = ctx;
}

void
checkpoints_remove(struct checkpoints *st, struct source *s)
{
    struct source **at = &st->dirty;

    if (s->dirty) {
        while (*at != s)
            at = &(*at)->next_dirty;
        *at = s->next_dirty;
        s->next_dirty = NULL;
        s->dirty = false;
    }
    if (s->id != 0)
        checkpoints_remove_row(st, s->id);
    s->id = 0;
}

void
checkpoints_remove_row(struct checkpoints *st, int64_t id)
{
    checkpoint_batch_remove(&st->due, id);
    arm(st);
}

void
checkpoints_collect(struct checkpoints *st, const char *const *inputs, size_t count)
{
    const int64_t old = clock_epoch_ms() - KEEP_MS;

    for (size_t i = 0; i < st->nrows; i++) {
        bool known = false;

        for (size_t j = 0; j < count && !known; j++)
            known = strcmp(st->rows[i].input, inputs[j]) == 0;
        if (!known && st->rows[i].updated < old)
            checkpoints_remove_row(st, st->rows[i].id);
    }
}

static void
on_closed(uv_handle_t *handle)
{
    write_due(handle->data);
}

void
checkpoints_flush(struct checkpoints *st, checkpoints_flushed_f *flushed, void *ctx)
{
    assert(st->started && !st->closing);
    st->closing = true;
    st->flushed = flushed;
    st->flushed_ctx = ctx;
    uv_close((uv_handle_t *)&st->timer, on_closed);
}

static int
written(struct checkpoints *st, int result, struct error *err)
{
    if (result == 0)
        return 0;
    return error_set(err, ERR_STORE, "cannot write to '%s': %s", st->file,
                     sqlite3_errmsg(st->db));
}

int
checkpoints_set_now(struct checkpoints *st, const struct checkpoint *row, uint64_t offset,
                    struct error *err)
{
    struct checkpoint moved = *row;

    moved.offset = offset;
    moved.tail = (struct tail_print){ 0, 0 };
    moved.lead = 0;
    moved.updated = clock_epoch_ms();
    return written(st, bind_and_put(st, &moved), err);
}

int
checkpoints_forget_now(struct checkpoints *st, const struct checkpoint *row, struct error *err)
{
    return written(st, bind_and_remove(st, row->id), err);
}

void
checkpoints_close(struct checkpoints *st)
{
    if (st == NULL)
        return;
    assert(!st->busy);
    collect(st);
    close_database(st);
    if (st->settled)
        state_dir_settle(st->lock, true);
    if (st->lock >= 0)
        close(st->lock);
    checkpoint_batch_fini(&st->due);
    checkpoint_batch_fini(&st->writing);
    forget_rows(st);
    free(st->file);
    free(st->folder);
    free(st);
}

const char *
checkpoint_library(void)
{
    return sqlite3_libversion();
}
