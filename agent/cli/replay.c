/* replay.c - `stoker replay`: dead letters are sent again.
 *
 * The file is a source like any other, only that its lines are messages already:
 * they go through a pipeline to the outputs that they name.  It is never
 * changed.  What is refused again is told with its line, and stays there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/cli/cli.h"
#include "agent/flow/dead_line.h"
#include "agent/flow/pipeline.h"
#include "agent/flow/source.h"

enum {
    POLL_MS = 20,
    PATIENCE_MS = 30 * 1000,        /* without any acknowledgement */
    OTHER_THREADS = 4,
    LONGEST_LINE = 256 * 1024 * 1024,
};

struct replay {
    struct source    source;        /* first */
    struct config   *config;
    const char      *path;
    int              fd;
    uint64_t         size;          /* when it was opened: what comes later is not sent */
    bool            *used;          /* of each output: some line names it */
    struct pipeline *pipeline;
    size_t           room;          /* bytes of the next chunk */
    bool             at_end;        /* all of it was read */
    bool             stopping;
    uv_loop_t        loop;
    uv_timer_t       look;
    uv_signal_t      signals[2];
    size_t           running;       /* outputs that have not stopped */
    uint64_t         waiting;       /* messages without a report, when it was looked last */
    uint64_t         progress_at;   /* clock_ms() */
    uint64_t         messages, pushed, refused, bad, unsent;
};

/* ---- A line ---------------------------------------------------------------- */

static struct output *
find_output(const struct replay *r, struct slice name, size_t *index)
{
    for (size_t i = 0; i < r->config->noutputs; i++)
        if (slice_is(name, r->config->outputs[i]->name)) {
            *index = i;
            return r->config->outputs[i];
        }
    return NULL;
}

/* Whatever a line says: topics of Kafka's own only where a route sends to them; and where a route
 * has `topics`, lines do not invent others here either. */
static const char *
refuse_topic(const struct replay *r, const struct output *o, struct slice topic)
{
    bool         listed = false;
    struct slice text;

    if (!route_topic_legal(topic))
        return "its topic cannot be one";
    for (size_t i = 0; i < r->config->nroutes; i++) {
        const struct route *route = r->config->routes[i];

        if (route->output != o || route->topic == NULL)
            continue;
        if (route_topic_allowed(route, topic) &&
            (!template_constant(route->topic, &text) || slice_equal(text, topic)))
            return NULL;
        listed = listed || route->topics.count > 0;
    }
    if (topic.len >= 2 && memcmp(topic.ptr, "__", 2) == 0)
        return "its topic is one of Kafka's own, and no route sends to it";
    return listed ? "its topic is not among 'topics' of any route" : NULL;
}

/* NULL, or why this line cannot be sent. */
static const char *
understand(const struct replay *r, struct slice line, struct arena *a, struct dead_line *d,
           size_t *output)
{
    const char          *why = dead_line_read(line, a, d);
    const struct output *o;

    if (why != NULL)
        return why;
    o = find_output(r, d->output, output);
    if (o == NULL)
        return "the configuration has no such output";
    return o->has_topics ? refuse_topic(r, o, d->topic) : NULL;
}

/* Every line once: which outputs are wanted, and what is wrong with the others. */
static int
scan(struct replay *r)
{
    FILE            *file = fopen(r->path, "r");
    char            *text = NULL;
    size_t           room = 0, output = 0;
    uint64_t         read = 0;
    ssize_t          len;
    struct arena     a;
    struct dead_line d;

    if (file == NULL)
        return -1;
    arena_init(&a);
    for (unsigned long line = 1; read < r->size && (len = getline(&text, &room, file)) > 0;
         line++) {
        const struct slice s = { text, (size_t)(text[len - 1] == '\n' ? len - 1 : len) };
        const char        *why = s.len > 0 ? understand(r, s, &a, &d, &output) : NULL;

        read += (uint64_t)len;
        if (why != NULL) {
            fprintf(stderr, "stoker: %s:%lu: no dead letter that can be sent: %s\n", r->path, line,
                    why);
            r->bad++;
        } else if (s.len > 0) {
            r->used[output] = true;
            r->messages++;
        }
        arena_reset(&a);
    }
    arena_fini(&a);
    free(text);
    fclose(file);
    return 0;
}

/* ---- The worker ------------------------------------------------------------ */

/* Messages that stand together and go to the same place are one run. */
static struct run *
find_run(struct chunk *c, struct output *o, const struct dead_line *d)
{
    struct run *run = c->nruns > 0 ? &c->runs[c->nruns - 1] : NULL;

    if (run != NULL && run->output == o && slice_equal(run->topic, d->topic))
        return run;
    run = chunk_add_run(c, o, d->topic.ptr != NULL ? d->topic : SLICE(""), NULL, PARTITION_FREE);
    run->first = c->nmessages;
    return run;
}

static void
take_line(const struct replay *r, struct chunk *c, size_t at, size_t len)
{
    struct dead_line d;
    struct message  *m;
    struct run      *run;
    size_t           output;

    c->records++;
    if (len == 0 || understand(r, (struct slice){ c->bytes + at, len }, &c->arena, &d, &output)) {
        c->filtered++;
        return;
    }
    run = find_run(c, r->config->outputs[output], &d);
    m = chunk_add(c);
    m->value = d.value.ptr;
    m->value_len = (uint32_t)d.value.len;
    m->key = d.key.ptr;
    m->key_len = (uint32_t)d.key.len & MESSAGE_MAX_KEY;
    m->headers = d.headers;
    m->timestamp = d.timestamp;
    m->partition = d.partition;
    m->at = (uint32_t)at;
    run->count++;
    run->bytes += m->value_len + m->key_len;
}

/* Whole lines only, but for the file's last. */
static void
work(struct job *job)
{
    const struct replay *r = (const struct replay *)job->source;
    struct chunk        *c = job->chunk;
    size_t               at = 0;
    ssize_t              n = 1;

    while (n > 0 && c->len < c->size && c->begin + c->len < r->size) {
        const uint64_t left = r->size - c->begin - c->len, room = c->size - c->len;

        n = pread(r->fd, c->bytes + c->len, left < room ? left : room,
                  (off_t)(c->begin + c->len));
        c->len += n > 0 ? (size_t)n : 0;
    }
    while (at < c->len && chunk_has_room(c, 1)) {
        const char *lf = memchr(c->bytes + at, '\n', c->len - at);

        if (lf == NULL && c->begin + c->len < r->size && n > 0)
            break;
        take_line(r, c, at, (lf != NULL ? (size_t)(lf - c->bytes) : c->len) - at);
        at = lf != NULL ? (size_t)(lf - c->bytes) + 1 : c->len;
    }
    c->end = c->begin + at;
}

/* ---- The loop -------------------------------------------------------------- */

static void read_on(struct replay *r);

static void
done(struct job *job)
{
    struct replay *r = (struct replay *)job->source;
    const bool     full = job->chunk->len == job->chunk->size;

    if (job->chunk->end > job->chunk->begin) {
        r->pushed += job->chunk->nmessages;
        pipeline_push(&job);
    } else {
        pipeline_return(&job);
        if (full && r->room < LONGEST_LINE)
            r->room *= 2;           /* the line is longer than the chunk */
        else
            r->at_end = true;
    }
    if (!r->at_end && !r->stopping)
        read_on(r);
}

static void
read_on(struct replay *r)
{
    struct job *job = pipeline_job(r->pipeline, &r->source, r->room);

    if (job != NULL)
        pipeline_run(job, work, done);
}

static void
on_room(struct source *s)
{
    read_on((struct replay *)s);
}

static void
on_advanced(struct source *s)
{
    (void)s;
}

static const struct source_ops source_ops = { on_room, on_advanced, NULL };

/* The number of the line that begins at this offset. */
static uint64_t
line_at(const struct replay *r, uint64_t offset)
{
    char     bytes[4096];
    uint64_t line = 1;
    ssize_t  n = 1;

    for (uint64_t at = 0; at < offset && n > 0; at += (uint64_t)n) {
        const uint64_t left = offset - at;

        n = pread(r->fd, bytes, left < sizeof bytes ? left : sizeof bytes, (off_t)at);
        for (ssize_t i = 0; i < n; i++)
            line += bytes[i] == '\n';
    }
    return line;
}

static void
on_rejected(void *ctx, const struct run *run, const struct message *m, const char *reason)
{
    struct replay *r = ctx;

    (void)run;
    r->refused++;
    fprintf(stderr, "stoker: %s:%" PRIu64 ": refused again: %s\n", r->path,
            line_at(r, m->chunk->begin + m->at), reason);
}

/* ---- The end --------------------------------------------------------------- */

static void
on_pipeline_stopped(void *ctx)
{
    struct replay *r = ctx;

    uv_close((uv_handle_t *)&r->look, NULL);
    for (size_t i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&r->signals[i], NULL);
}

static void
on_output_stopped(void *ctx)
{
    struct replay *r = ctx;

    if (--r->running == 0)
        pipeline_stop(r->pipeline, on_pipeline_stopped, r);
}

static void
stop(struct replay *r)
{
    r->stopping = true;
    uv_timer_stop(&r->look);
    pipeline_close(r->pipeline);
    pipeline_forget(r->pipeline, &r->source);
    r->running++;
    for (size_t i = 0; i < r->config->noutputs; i++)
        if (r->used[i]) {
            r->running++;
            r->config->outputs[i]->ops->stop(r->config->outputs[i], on_output_stopped, r);
        }
    on_output_stopped(r);
}

/* Over when all was reported, or when nothing has been for long. */
static void
on_look(uv_timer_t *timer)
{
    struct replay         *r = timer->data;
    const uint64_t         now = clock_ms();
    struct pipeline_counts counts;

    pipeline_counts(r->pipeline, &counts);
    if (counts.in_flight != r->waiting)
        r->progress_at = now;
    r->waiting = counts.in_flight;
    if (r->source.jobs > 0)
        return;
    if (!r->stopping && now - r->progress_at < PATIENCE_MS &&
        !(r->at_end && pipeline_idle(r->pipeline)))
        return;
    r->unsent = r->messages - (r->pushed - counts.in_flight);
    stop(r);
}

/* The next look stops it. */
static void
on_signal(uv_signal_t *handle, int number)
{
    struct replay *r = handle->data;

    (void)number;
    r->stopping = true;
}

/* ---- All of it ------------------------------------------------------------- */

static int
start(struct replay *r, struct error *err)
{
    const struct pipeline_conf conf = {
        .loop = &r->loop, .memory = r->config->agent.memory, .workers = 1,
        .names = r->config->names, .groups = r->config->groups,
        .rejected = on_rejected, .rejected_ctx = r,
    };
    static const int numbers[2] = { SIGTERM, SIGINT };

    r->pipeline = pipeline_new(&conf);
    for (size_t i = 0; i < r->config->noutputs; i++) {
        struct output *o = r->config->outputs[i];

        o->at_most_once = false;        /* this is about what has arrived */
        if (!r->used[i])
            continue;
        if (o->ops->start(o, r->pipeline, err) == -1)
            return -1;
        pipeline_add_output(r->pipeline, o);
    }
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&r->loop, &r->signals[i]);
        r->signals[i].data = r;
        uv_signal_start(&r->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(&r->loop, &r->look);
    r->look.data = r;
    r->progress_at = clock_ms();
    uv_timer_start(&r->look, on_look, 0, POLL_MS);
    read_on(r);
    return 0;
}

static void
send_all(struct replay *r)
{
    struct error err;
    char         threads[16];

    snprintf(threads, sizeof threads, "%u", OTHER_THREADS + (unsigned)r->config->noutputs);
    setenv("UV_THREADPOOL_SIZE", threads, 1);
    uv_loop_init(&r->loop);
    if (start(r, &err) == -1) {
        log_error("%s", err.text);
        _exit(EXIT_FAILED);             /* nothing was sent: nothing to clean up but memory */
    }
    uv_run(&r->loop, UV_RUN_DEFAULT);
    pipeline_free(r->pipeline);
    uv_loop_close(&r->loop);
}

static int
tell(const struct replay *r)
{
    const uint64_t sent = r->messages - r->unsent - r->refused;

    printf("%" PRIu64 " records sent and acknowledged", sent);
    if (r->refused > 0)
        printf(", %" PRIu64 " refused again", r->refused);
    if (r->unsent > 0)
        printf(", %" PRIu64 " not acknowledged", r->unsent);
    if (r->bad > 0)
        printf(", %" PRIu64 " lines that cannot be sent", r->bad);
    if (r->refused + r->unsent + r->bad == 0) {
        putchar('\n');
        return EXIT_DONE;
    }
    printf("; '%s' is as it was\n", r->path);
    return EXIT_FAILED;
}

static int
replay(struct config *config, const char *path)
{
    struct replay r = { .config = config, .path = path, .room = CHUNK_SIZE };
    struct plan  *plan = plan_new("replay", config->agent.host_name);
    struct stat   st;
    int           status = EXIT_FAILED;

    r.used = mem_zero(config->noutputs * sizeof *r.used);
    source_init(&r.source, &source_ops, plan, path);
    r.source.once = true;
    r.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (r.fd >= 0 && fstat(r.fd, &st) == 0 && S_ISREG(st.st_mode)) {
        r.size = (uint64_t)st.st_size;
        if (scan(&r) == 0) {
            if (r.messages > 0)
                send_all(&r);
            status = tell(&r);
        }
    } else {
        fprintf(stderr, "stoker: cannot read '%s': %s\n", path,
                r.fd < 0 ? error_reason(errno) : "not a file");
    }
    if (r.fd >= 0)
        close(r.fd);
    source_fini(&r.source);
    plan_free(plan);
    free(r.used);
    return status;
}

int
cli_replay(int argc, char **argv)
{
    const char    *file = NULL;
    struct config *config;
    int            status;

    if (cli_config_option(argc, argv, &file) == -1)
        return EXIT_USAGE;
    if (argc - optind != 1)
        return cli_usage("replay", "expected one file of dead letters");
    config = cli_load(file);
    if (config == NULL)
        return EXIT_CONFIG;
    log_set_up((enum log_level)config->agent.log_level, (enum log_format)config->agent.log_format);
    status = replay(config, argv[optind]);
    config_free(config);
    return status;
}
