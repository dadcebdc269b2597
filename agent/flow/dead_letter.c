/* dead_letter.c - see dead_letter.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/dead_letter.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "agent/base/buf.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/data/encode.h"
#include "agent/flow/output.h"
#include "agent/flow/pipeline.h"
#include "agent/flow/plan.h"
#include "agent/flow/source.h"

enum { RETRY_MS = 1000, MAX_WRITE = 1024 * 1024 };

/* One record that waits to be written; its chunk waits with it. */
struct letter {
    struct letter *newer;
    struct chunk  *chunk;
    bool           given;               /* it counts as arrived already, and pins its chunk */
    char          *output;
    struct buf     line;
};

struct dead_letters {
    struct pipeline  *pipeline;
    char             *folder;           /* NULL: nowhere */
    struct letter    *oldest, *newest;
    struct letter    *writing;          /* with the job: the oldest ones */
    struct letter    *failed;           /* by the job: where it stopped, or NULL */
    int               error;            /* errno of that */
    uv_work_t         request;
    uv_timer_t        retry;
    bool              busy;
    struct log_repeat told_rejected, told_failed, told_lost;
    void            (*stopped)(void *ctx);
    void             *stopped_ctx;
};

static void write_next(struct dead_letters *d);

static void
on_retry(uv_timer_t *timer)
{
    write_next(timer->data);
}

struct dead_letters *
dead_letters_new(struct pipeline *p, const char *state_dir)
{
    struct dead_letters *d = NEW(struct dead_letters);
    struct buf           path = { NULL, 0, 0 };

    d->pipeline = p;
    if (state_dir != NULL) {
        buf_printf(&path, "%s/dead_letter", state_dir);
        d->folder = mem_string(buf_string(&path));
        buf_fini(&path);
    }
    d->request.data = d;
    uv_timer_init(pipeline_loop(p), &d->retry);
    d->retry.data = d;
    return d;
}

static void
free_letters(struct letter *l)
{
    while (l != NULL) {
        struct letter *newer = l->newer;

        buf_fini(&l->line);
        free(l->output);
        free(l);
        l = newer;
    }
}

void
dead_letters_free(struct dead_letters *d)
{
    if (d == NULL)
        return;
    free_letters(d->oldest);
    free(d->folder);
    free(d);
}

/* ---- The job: append to the files ------------------------------------------ */

static int
write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Not if a kill has cut a write short, or somebody has edited the file. */
static bool
ends_with_a_line(int fd, off_t end)
{
    char last;

    return end <= 0 || pread(fd, &last, 1, end - 1) != 1 || last == '\n';
}

/* A line that was half written is taken back: the file holds whole lines only. */
static int
append(int fd, const struct buf *line)
{
    const off_t end = lseek(fd, 0, SEEK_END);
    int         error;

    if ((ends_with_a_line(fd, end) || write_all(fd, "\n", 1) == 0) &&
        write_all(fd, line->ptr, line->len) == 0 && fdatasync(fd) == 0)
        return 0;
    error = errno;
    if (end >= 0)
        (void)!ftruncate(fd, end);
    errno = error;
    return -1;
}

/* The letters of one output that stand together, with one write and one sync.
 * `next` gets the first one behind them. */
static int
write_group(const struct dead_letters *d, const struct letter *first, struct letter **next)
{
    struct buf     path = { NULL, 0, 0 }, lines = { NULL, 0, 0 };
    struct letter *l = first->newer;
    int            fd, result = -1, error;

    buf_add_slice(&lines, buf_slice(&first->line));
    for (; l != NULL && strcmp(l->output, first->output) == 0 && lines.len < MAX_WRITE;
         l = l->newer)
        buf_add_slice(&lines, buf_slice(&l->line));
    *next = l;
    buf_printf(&path, "%s/%s.jsonl", d->folder, first->output);
    fd = open(buf_string(&path), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0)
        result = append(fd, &lines);
    error = errno;
    if (fd >= 0)
        close(fd);
    buf_fini(&path);
    buf_fini(&lines);
    errno = error;
    return result;
}

static void
on_work(uv_work_t *request)
{
    struct dead_letters *d = request->data;
    struct letter       *l = d->writing, *next = NULL;

    d->failed = NULL;
    if (d->folder == NULL)
        return;
    if (mkdir(d->folder, 0700) != 0 && errno != EEXIST) {
        d->failed = l;
        d->error = errno;
        return;
    }
    for (; l != NULL; l = next)
        if (write_group(d, l, &next) != 0) {
            d->failed = l;
            d->error = errno;
            return;
        }
}

/* ---- The loop's side ------------------------------------------------------- */

static void
let_go(struct dead_letters *d, struct letter *l)
{
    l->newer = NULL;
    if (l->given)
        pipeline_unpin(d->pipeline, l->chunk);
    else
        pipeline_delivered(d->pipeline, l->chunk, 1);
    free_letters(l);
}

/* What counts as arrived is lost: nobody waits for it, so it must not hold memory.  The rest
 * is tried again. */
static void
put_back(struct dead_letters *d, struct letter *l)
{
    struct letter  *waiting = d->oldest, *next, **end = &d->oldest;
    unsigned long   lost = 0;

    d->newest = waiting != NULL ? d->newest : NULL;
    for (; l != NULL; l = next) {
        next = l->newer;
        if (l->given) {
            lost++;
            pipeline_letter_lost(d->pipeline);
            let_go(d, l);
            continue;
        }
        *end = l;
        end = &l->newer;
        if (waiting == NULL)
            d->newest = l;
    }
    *end = waiting;
    if (lost > 0)
        log_again(&d->told_lost, LOG_ERROR, "%lu dead letters are lost: they cannot be written, "
                  "and nothing waits for them (send: fire_and_forget)", lost);
}

static void
on_written(uv_work_t *request, int status)
{
    struct dead_letters *d = request->data;
    struct letter       *l = d->writing, *next;

    assert(status == 0);
    d->busy = false;
    d->writing = NULL;
    for (; l != d->failed; l = next) {
        next = l->newer;
        let_go(d, l);
    }
    if (d->failed != NULL) {
        log_again(&d->told_failed, LOG_ERROR,
                  "cannot write dead letters to '%s': %s (the sources they come from wait)",
                  d->folder, error_reason(d->error));
        put_back(d, d->failed);
        if (d->stopped == NULL)
            uv_timer_start(&d->retry, on_retry, RETRY_MS, 0);
    } else {
        log_over(&d->told_failed);
        write_next(d);
    }
    if (d->stopped != NULL && !d->busy)
        dead_letters_stop(d, d->stopped, d->stopped_ctx);
}

static void
write_next(struct dead_letters *d)
{
    if (d->busy || d->oldest == NULL)
        return;
    d->busy = true;
    d->writing = d->oldest;
    d->oldest = d->newest = NULL;
    uv_queue_work(pipeline_loop(d->pipeline), &d->request, on_work, on_written);
}

static void
add_time(struct buf *line)
{
    const int64_t ms = clock_epoch_ms();
    const time_t  seconds = (time_t)(ms / 1000);
    struct tm     tm;
    char          text[32];

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    buf_printf(line, "\"%s.%03dZ\"", text, (int)(ms % 1000));
}

static void
make_line(struct buf *line, const struct run *run, const struct message *m, const char *reason)
{
    const struct chunk       *c = m->chunk;
    const int32_t             partition = m->partition >= 0 ? m->partition : run->partition;
    const struct shown_record shown = {
        .output = run->output->name, .topic = run->topic, .partition = partition,
        .key = message_key(m), .value = message_value(m), .headers = m->headers,
        .timestamp = m->timestamp,
    };

    buf_add_string(line, "{\"time\":");
    add_time(line);
    buf_add_string(line, ",\"reason\":");
    encode_json_string(line, slice_of(reason));
    buf_add_string(line, ",\"source\":{\"input\":");
    encode_json_string(line, slice_of(c->source->plan->input));
    buf_add_string(line, ",\"path\":");
    encode_json_bytes(line, c->path);
    buf_printf(line, ",\"offset\":%llu},", (unsigned long long)(c->begin + m->at));
    encode_json_members(line, &shown);
    buf_add_string(line, "}\n");
}

size_t
dead_letters_add(struct dead_letters *d, const struct run *run, const struct message *m,
                 const char *reason)
{
    struct letter *l = NEW(struct letter);
    size_t         size;

    log_again(&d->told_rejected, LOG_WARN,
              "a record of '%.*s' for output '%s' was rejected: %s (it is kept in '%s/%s.jsonl')",
              SLICE_ARG(m->chunk->path), run->output->name, reason,
              d->folder != NULL ? d->folder : "nowhere", run->output->name);
    l->chunk = m->chunk;
    l->given = run->output->at_most_once;
    if (l->given)
        l->chunk->pins++;
    l->output = mem_string(run->output->name);
    make_line(&l->line, run, m, reason);
    size = sizeof *l + l->line.room;
    if (d->newest != NULL)
        d->newest->newer = l;
    else
        d->oldest = l;
    d->newest = l;
    if (!uv_is_active((uv_handle_t *)&d->retry))
        write_next(d);
    return size;
}

/* The next start reads them again. */
static void
drop_waiting(struct dead_letters *d)
{
    struct letter *l = d->oldest, *next;

    d->oldest = d->newest = NULL;
    for (; l != NULL; l = next) {
        next = l->newer;
        l->newer = NULL;
        if (!l->given) {
            free_letters(l);
            continue;
        }
        if (d->newest != NULL)
            d->newest->newer = l;
        else
            d->oldest = l;
        d->newest = l;
    }
}

static void
on_closed(uv_handle_t *handle)
{
    struct dead_letters *d = handle->data;

    d->stopped(d->stopped_ctx);
}

void
dead_letters_stop(struct dead_letters *d, void (*stopped)(void *ctx), void *ctx)
{
    d->stopped = stopped;
    d->stopped_ctx = ctx;
    drop_waiting(d);
    write_next(d);
    if (!d->busy)
        uv_close((uv_handle_t *)&d->retry, on_closed);
}
