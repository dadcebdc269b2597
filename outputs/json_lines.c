/* json_lines.c - see json_lines.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "outputs/json_lines.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/data/encode.h"
#include "agent/flow/pipeline.h"

enum { RETRY_MS = 1000, POLL_MS = 100 };

/* ---- The job --------------------------------------------------------------- */

static void
format_run(struct buf *text, const struct run *run)
{
    for (uint32_t i = run->first; i < run->first + run->count; i++) {
        const struct message     *m = &run->chunk->messages[i];
        const struct shown_record shown = {
            .output = run->output->name,
            .topic = run->topic.len > 0 ? run->topic : NO_SLICE,
            .partition = m->partition,
            .key = message_key(m), .value = message_value(m), .headers = m->headers,
            .timestamp = m->timestamp,
        };

        encode_json_record(text, &shown);
        buf_add_char(text, '\n');
    }
}

/* How much may be written at once without waiting for a reader: poll() promises
 * PIPE_BUF bytes of room, a regular file takes any. */
static size_t
safe_amount(int fd, size_t len)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return len;
    return len < PIPE_BUF ? len : PIPE_BUF;
}

static int
write_text(struct json_lines *j, int fd)
{
    while (j->written < j->text.len) {
        struct pollfd ready = { .fd = fd, .events = POLLOUT };
        ssize_t       n;

        if (atomic_load(&j->stopping))
            return ECANCELED;
        if (poll(&ready, 1, POLL_MS) == 0)
            continue;
        n = write(fd, j->text.ptr + j->written, safe_amount(fd, j->text.len - j->written));
        if (n >= 0)
            j->written += (size_t)n;
        else if (errno != EINTR && errno != EAGAIN)
            return errno;
    }
    return 0;
}

static int
write_run(struct json_lines *j, const struct run *run)
{
    int fd, error;

    if (j->text.len == 0)
        format_run(&j->text, run);
    fd = j->open(j, run);
    if (fd < 0)
        return errno;
    error = write_text(j, fd);
    j->close(j, fd);
    if (error != 0)
        return error;
    buf_clear(&j->text);
    j->written = 0;
    return 0;
}

static void
on_work(uv_work_t *request)
{
    struct json_lines *j = request->data;

    j->error = 0;
    for (j->done = 0; j->done < j->writing.count; j->done++) {
        j->error = write_run(j, &j->writing.runs[j->done]);
        if (j->error != 0)
            return;
    }
}

/* ---- The loop's side ------------------------------------------------------- */

static void on_written(uv_work_t *request, int status);

static void
write_next(struct json_lines *j)
{
    if (j->busy || j->stopped != NULL)
        return;
    if (j->writing.count == 0) {
        const struct run_list empty = j->writing;

        j->writing = j->waiting;
        j->waiting = empty;
    }
    if (j->writing.count == 0)
        return;
    j->busy = true;
    uv_queue_work(pipeline_loop(j->base.pipeline), &j->request, on_work, on_written);
}

static void
on_retry(uv_timer_t *timer)
{
    write_next(timer->data);
}

/* Take the first `count` runs out of a list. */
static void
let_go(struct json_lines *j, struct run_list *list, size_t count, bool delivered)
{
    for (size_t i = 0; i < count; i++) {
        struct chunk *c = list->runs[i].chunk;

        if (delivered)
            pipeline_delivered(j->base.pipeline, c, list->runs[i].count);
        pipeline_unpin(j->base.pipeline, c);
    }
    list->count -= count;
    if (list->count > 0)
        memmove(list->runs, list->runs + count, list->count * sizeof *list->runs);
}

static void
on_closed(uv_handle_t *handle)
{
    struct json_lines *j = handle->data;

    j->stopped(j->stopped_ctx);
}

static void
finish_stop(struct json_lines *j)
{
    let_go(j, &j->writing, j->writing.count, false);
    let_go(j, &j->waiting, j->waiting.count, false);
    uv_close((uv_handle_t *)&j->retry, on_closed);
}

static void
on_written(uv_work_t *request, int status)
{
    struct json_lines *j = request->data;

    assert(status == 0);
    j->busy = false;
    let_go(j, &j->writing, j->done, true);
    if (j->stopped != NULL) {
        finish_stop(j);
    } else if (j->error != 0) {
        log_again(&j->told, LOG_ERROR, "output '%s' cannot write to '%s': %s (it waits)",
                  j->base.name, j->where, error_reason(j->error));
        uv_timer_start(&j->retry, on_retry, RETRY_MS, 0);
    } else {
        log_over(&j->told);
        write_next(j);
    }
}

int
json_lines_start(struct output *o, struct pipeline *p, struct error *err)
{
    struct json_lines *j = (struct json_lines *)o;

    (void)err;
    o->pipeline = p;
    uv_timer_init(pipeline_loop(p), &j->retry);
    j->retry.data = j->request.data = j;
    return 0;
}

void
json_lines_send(struct output *o, const struct run *run)
{
    struct json_lines *j = (struct json_lines *)o;
    struct run_list   *list = &j->waiting;

    if (list->count == list->room) {
        list->room = list->room > 0 ? 2 * list->room : 64;
        list->runs = mem_array(list->runs, list->room, sizeof *list->runs);
    }
    run->chunk->pins++;
    list->runs[list->count++] = *run;
    if (!uv_is_active((uv_handle_t *)&j->retry))
        write_next(j);
}

void
json_lines_stop(struct output *o, output_stopped_f *stopped, void *ctx)
{
    struct json_lines *j = (struct json_lines *)o;

    j->stopped = stopped;
    j->stopped_ctx = ctx;
    atomic_store(&j->stopping, true);
    if (!j->busy)
        finish_stop(j);
}

void
json_lines_fini(struct json_lines *j)
{
    buf_fini(&j->text);
    free(j->waiting.runs);
    free(j->writing.runs);
    free(j->base.name);
}
