/* checkpoint.h - what is remembered: how far each file was acknowledged.
 *
 * One SQLite database, `state_dir/stoker.db`.  Rows are written by a job, one
 * transaction an interval, and once more at the end of a clean stop.  The
 * order of truth is acknowledgement, then database, never the reverse.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_CHECKPOINT_H
#define AGENT_FLOW_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "agent/base/error.h"
#include "agent/flow/source.h"

struct checkpoints;

/* One row, as it was when the agent started. */
struct checkpoint {
    int64_t           id;
    const char       *input;        /* the store's, or the plan's */
    char             *path;         /* owned; its last name; any bytes */
    struct identity   identity;
    uint64_t          offset;       /* bytes that were acknowledged */
    struct tail_print tail;
    int64_t           lead;         /* as in chunk.h */
    int64_t           updated;      /* epoch ms */
    uint64_t          size;         /* the content's, as last seen; 0: not known */
    uint64_t          disk_size;    /* the file's: less if it is compressed */
    bool              claimed;      /* for the input's use: a source continues it */
};

/* Make the folder if it is missing, lock it, open the database and read every
 * row.  A database of an older version is brought up to date.  One that is
 * damaged, foreign or newer is set aside as stoker.db.damaged-TIME and reported
 * with a log line, never a reason not to start.  NULL: ERR_LOCKED, or ERR_SYSTEM
 * (the folder cannot be made or written).  Blocks: before the loop runs. */
struct checkpoints *checkpoints_open(const char *state_dir, struct error *err);

/* As checkpoints_open(), only to look: no lock, nothing made or changed.  Where
 * no agent ever ran there are no rows. */
struct checkpoints *checkpoints_read(const char *state_dir, struct error *err);

/* The database was set aside by checkpoints_open(): what was read before is not
 * known, and so no file may be begun at its end. */
bool checkpoints_were_lost(const struct checkpoints *st);

/* The run that wrote the rows has stopped with nothing on its way: they say exactly what
 * had arrived.  After any other (it was killed, or did not wait for its last
 * acknowledgements) more may have.  This one can be relied on if it says so before
 * checkpoints_close(). */
bool checkpoints_were_settled(const struct checkpoints *st);
void checkpoints_settle(struct checkpoints *st);

/* Every row, in the order of input and path; owned by the store.  Whoever asked may say that
 * it needs them no more: they are freed when all who asked have said so. */
struct checkpoint *checkpoints_rows(struct checkpoints *st, size_t *count);
void               checkpoints_rows_over(struct checkpoints *st);

/* From now on write what was noted, at most `interval_ms` later.  Nothing noted, nothing done. */
void checkpoints_start(struct checkpoints *st, uv_loop_t *loop, uint64_t interval_ms);

/* committed, path, size or identity of this source has changed: its row is due.
 * A new source gets its id here; nothing is written of one that is `unnoted`.
 * Loop thread. */
void checkpoints_note(struct checkpoints *st, struct source *s);

/* Now every write survives a power failure too, not only the process: for those
 * who ask with checkpoints_hurry().  Before checkpoints_start(). */
void checkpoints_make_durable(struct checkpoints *st);

/* Write what was noted now, not at the end of the interval.  Returns the number of the
 * write that will hold it: it is on disk once `written` is called with that
 * number or a higher one, never from inside.  A write that fails is made again
 * with the next. */
typedef void checkpoints_written_f(void *ctx, uint64_t number);
uint64_t checkpoints_hurry(struct checkpoints *st);
void     checkpoints_listen(struct checkpoints *st, checkpoints_written_f *written, void *ctx);

/* The file is gone for good and all of it was acknowledged: remove its row. */
void checkpoints_remove(struct checkpoints *st, struct source *s);

/* The same for a row that no source continues. */
void checkpoints_remove_row(struct checkpoints *st, int64_t id);

/* Remove the rows of inputs that are none of these, if they are a month old. */
void checkpoints_collect(struct checkpoints *st, const char *const *inputs, size_t count);

/* Write everything that is due, then call `flushed` (never from inside); no
 * further write is made by itself.  A failure was logged and `failed` is true. */
typedef void checkpoints_flushed_f(void *ctx, bool failed);
void checkpoints_flush(struct checkpoints *st, checkpoints_flushed_f *flushed, void *ctx);

/* For `stoker offsets`, without a loop: move the row to another offset (its file
 * is then known by its head alone), or delete it.  Blocks. */
int checkpoints_set_now(struct checkpoints *st, const struct checkpoint *row, uint64_t offset,
                        struct error *err);
int checkpoints_forget_now(struct checkpoints *st, const struct checkpoint *row,
                           struct error *err);

/* Close and unlock; after checkpoints_flush() if it was started. */
void checkpoints_close(struct checkpoints *st);

/* SQLite's version. */
const char *checkpoint_library(void);

#endif
