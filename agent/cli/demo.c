/* demo.c - `stoker demo`: the whole way of a line, with nothing to set up.
 *
 *     demo_log ─► access.log ─► agent ─► broker in this process ─► demo_show
 *
 * The agent is the one of `stoker run`, on a configuration that is written into
 * a folder of its own and removed with it.  The user's file is not followed
 * itself: its lines are written to the followed log, burst by burst, the next
 * one when the last one has come back.  So every record has an age, and the
 * broker, which forgets what is older than 5 MiB, never holds more than a burst.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/cli/cli.h"
#include "agent/cli/demo_log.h"
#include "agent/cli/demo_show.h"
#include "agent/cli/demo_tally.h"
#include "agent/data/encode.h"

#define TOPIC "demo"

enum {
    PATIENCE_MS = 15000,    /* for a burst to come back */
    PIPED_MS = 20000,       /* where nobody can press Ctrl-C no burst begins later */
};

struct demo {
    const char        *file;        /* the user's, or NULL */
    char              *folder;      /* made, and removed at the end */
    struct buf         config_text;
    struct demo_log    log;
    struct kafka_demo *broker;
    struct config     *config;
    struct agent      *agent;
    struct demo_show   show;
    struct demo_tally  tally;
    struct demo_end    end;

    uv_loop_t          loop;
    uv_signal_t        signals[2];
    uv_async_t         arrived;
    uv_check_t         acked;       /* looks for acknowledgements after each turn of the loop */
    uv_timer_t         timer;       /* the next burst, or the end of patience with the last one */
    uint64_t           began, burst_at;     /* clock_ns() */
    uint64_t           missing;     /* lines of the burst that have not come back */
    bool               stopping;
    int                status;
};

/* ---- The folder --------------------------------------------------------- */

static char *
in_folder(const struct demo *d, const char *name)
{
    struct buf b = { NULL, 0, 0 };

    buf_printf(&b, "%s/%s", d->folder, name);
    (void)buf_string(&b);
    return b.ptr;
}

/* The folder's name becomes part of a glob and of a configuration: no name that
 * means something there. */
static const char *
parent_folder(void)
{
    const char *tmp = getenv("TMPDIR");

    return tmp != NULL && *tmp == '/' && strpbrk(tmp, "*?[]{},\\$") == NULL ? tmp : "/tmp";
}

static int
make_folder(struct demo *d, struct error *err)
{
    struct buf b = { NULL, 0, 0 };

    buf_printf(&b, "%s/stoker-demo-XXXXXX", parent_folder());
    (void)buf_string(&b);
    if (mkdtemp(b.ptr) == NULL) {
        (void)error_set(err, ERR_SYSTEM, "cannot make the folder '%s': %s", b.ptr,
                        error_reason(errno));
        buf_fini(&b);
        return -1;
    }
    d->folder = b.ptr;
    return 0;
}

static int
remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    (void)remove(path);
    return 0;
}

static void
remove_folder(struct demo *d)
{
    if (d->folder == NULL)
        return;
    (void)nftw(d->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(d->folder);
    d->folder = NULL;
}

/* ---- The configuration -------------------------------------------------- */

/* Lines that are no access log go on too, without key and status. */
static const char config_format[] =
    "outputs:\n"
    "  demo: {bootstrap.servers: \"%s\"}\n"
    "parsers:\n"
    "  access:\n"
    "    type: regex\n"
    "    pattern: '^(?<client>\\S+) \\S+ \\S+ \\[[^\\]]+\\] \"(?<request>[^\"]*)\" "
    "(?<status>\\d{3}) '\n"
    "inputs:\n"
    "  log:\n"
    "    paths: %s\n"
    "    max_line: 64KiB\n"
    "    long_lines: truncate\n"
    "    parser: access\n"
    "    topic: " TOPIC "\n"
    "    key: ${client}\n"
    "    headers: {host.name: \"${host.name}\", status: \"${status}\"}\n"
    "agent:\n"
    "  state_dir: %s\n"
    "  admin: \"off\"\n"
    "  shutdown_timeout: 2s\n"
    "  log: {level: warn}\n";

/* A path as a YAML scalar: JSON's strings are YAML. */
static void
quote_path(struct buf *b, const struct demo *d, const char *name)
{
    char *path = in_folder(d, name);

    buf_clear(b);
    encode_json_string(b, slice_of(path));
    (void)buf_string(b);
    free(path);
}

static int
write_file(const char *path, struct slice text, struct error *err)
{
    FILE *f = fopen(path, "wx");
    bool  written;

    if (f == NULL)
        return error_set(err, ERR_SYSTEM, "cannot create '%s': %s", path, error_reason(errno));
    written = fwrite(text.ptr, 1, text.len, f) == text.len;
    if (fclose(f) != 0 || !written)
        return error_set(err, ERR_SYSTEM, "cannot write '%s': %s", path, error_reason(errno));
    return 0;
}

static int
load_config(struct demo *d, struct error *err)
{
    struct buf log = { NULL, 0, 0 }, state = { NULL, 0, 0 };
    char      *path = in_folder(d, "stoker.yaml");
    int        rc;

    quote_path(&log, d, "access.log");
    quote_path(&state, d, "state");
    buf_printf(&d->config_text, config_format, kafka_demo_servers(d->broker), log.ptr, state.ptr);
    rc = write_file(path, buf_slice(&d->config_text), err);
    if (rc == 0)
        d->config = cli_load(path);
    if (rc == 0 && d->config == NULL)
        rc = error_set(err, ERR_CONFIG, "the demo's own configuration is wrong");
    buf_fini(&log);
    buf_fini(&state);
    free(path);
    return rc;
}

/* ---- The end ------------------------------------------------------------ */

static void collect(struct demo *d);

/* The broker goes first: after that nobody wakes the loop. */
static void
close_all(struct demo *d)
{
    kafka_demo_free(d->broker);
    d->broker = NULL;
    uv_close((uv_handle_t *)&d->signals[0], NULL);
    uv_close((uv_handle_t *)&d->signals[1], NULL);
    uv_close((uv_handle_t *)&d->timer, NULL);
    uv_close((uv_handle_t *)&d->arrived, NULL);
    uv_close((uv_handle_t *)&d->acked, NULL);
}

static void
on_stopped(void *ctx, uint64_t unsent)
{
    struct demo *d = ctx;

    d->end.unsent = unsent;
    collect(d);
    close_all(d);
}

static void
stop(struct demo *d)
{
    if (d->stopping)
        return;
    d->stopping = true;
    d->end.seconds = (double)(clock_ns() - d->began) / 1e9;
    uv_timer_stop(&d->timer);
    agent_stop(d->agent, on_stopped, d);
}

static void
fail(struct demo *d, const char *text)
{
    log_error("%s", text);
    d->status = EXIT_FAILED;
    stop(d);
}

static void
on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    stop(handle->data);
}

/* ---- Bursts ------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

static bool
is_too_late(const struct demo *d)
{
    return clock_ns() - d->began > PIPED_MS * 1000000ull && isatty(STDOUT_FILENO) != 1;
}

static void
append_burst(struct demo *d)
{
    struct error err;
    bool         end;

    if (is_too_late(d)) {
        d->end.cut = true;
        stop(d);
        return;
    }
    if (demo_log_append(&d->log, &d->missing, &end, &err) == -1) {
        fail(d, err.text);
        return;
    }
    d->burst_at = clock_ns();
    if (end)
        stop(d);
    else
        uv_timer_start(&d->timer, on_timer, d->missing > 0 ? PATIENCE_MS : 0, 0);
}

static void
on_timer(uv_timer_t *timer)
{
    struct demo *d = timer->data;

    if (d->missing == 0)
        append_burst(d);
    else
        fail(d, "records have not come back from the embedded broker for 15 s");
}

/* `stoker demo | head` is over when head is. */
static void
check_stdout(struct demo *d)
{
    if (fflush(stdout) == 0 || d->stopping)
        return;
    if (errno == EPIPE)
        stop(d);
    else
        fail(d, "cannot write to stdout");
}

static void
collect(struct demo *d)
{
    const uint64_t           waited_for = d->missing;
    struct kafka_demo_record r;

    while (kafka_demo_next(d->broker, &r)) {
        demo_tally_add(&d->tally, &r, clock_ns() - d->burst_at);
        demo_show_record(&d->show, &r);
        d->missing -= d->missing > 0;
    }
    check_stdout(d);
    if (waited_for > 0 && d->missing == 0 && !d->stopping)
        uv_timer_start(&d->timer, on_timer, demo_log_pause(&d->log), 0);
}

static void
on_arrived(uv_async_t *async)
{
    collect(async->data);
}

static void
look_for_acks(uv_check_t *handle)
{
    struct demo           *d = handle->data;
    struct pipeline_counts counts;

    agent_counts(d->agent, &counts);
    demo_tally_acked(&d->tally, counts.acked_records, clock_ns() - d->burst_at);
}

/* Called on a thread of the client. */
static void
wake_loop(void *ctx)
{
    struct demo *d = ctx;

    (void)uv_async_send(&d->arrived);
}

/* ---- Beginning ---------------------------------------------------------- */

/* First of all: from here on a signal finds somebody who removes the folder. */
static void
start_loop(struct demo *d)
{
    static const int numbers[2] = { SIGINT, SIGTERM };

    uv_loop_init(&d->loop);
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&d->loop, &d->signals[i]);
        d->signals[i].data = d;
        uv_signal_start(&d->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(&d->loop, &d->timer);
    d->timer.data = d;
    uv_async_init(&d->loop, &d->arrived, on_arrived);
    d->arrived.data = d;
    uv_check_init(&d->loop, &d->acked);
    d->acked.data = d;
}

static int
prepare(struct demo *d, struct error *err)
{
    char *path;
    int   rc;

    if (make_folder(d, err) == -1)
        return -1;
    path = in_folder(d, "access.log");
    rc = demo_log_open(&d->log, d->file, path, err);
    free(path);
    if (rc == -1 || (d->broker = kafka_demo_new(TOPIC, DEMO_PARTITIONS, err)) == NULL ||
        load_config(d, err) == -1)
        return -1;
    log_set_up((enum log_level)d->config->agent.log_level,
               (enum log_format)d->config->agent.log_format);
    d->agent = agent_new(d->config, err);
    return d->agent == NULL ? -1 : 0;
}

static int
ship(struct demo *d, struct error *err)
{
    if (agent_start(d->agent, &d->loop, err) == -1)
        return -1;
    demo_show_start(&d->show, kafka_demo_servers(d->broker), buf_slice(&d->config_text));
    d->began = clock_ns();
    kafka_demo_watch(d->broker, wake_loop, d);
    uv_check_start(&d->acked, look_for_acks);
    append_burst(d);
    uv_run(&d->loop, UV_RUN_DEFAULT);

    d->end.written = d->log.lines;
    demo_show_summary(&d->show, &d->tally, &d->end);
    if (!demo_tally_sound(&d->tally))
        d->status = EXIT_FAILED;
    return 0;
}

static void
finish(struct demo *d)
{
    agent_free(d->agent);
    config_free(d->config);
    uv_loop_close(&d->loop);
    demo_log_close(&d->log);
    demo_show_fini(&d->show);
    demo_tally_fini(&d->tally);
    buf_fini(&d->config_text);
    remove_folder(d);
}

static int
run_demo(const char *file, bool json)
{
    struct demo  d = { .file = file, .status = EXIT_DONE };
    struct error err;

    demo_show_init(&d.show, TOPIC, json);
    demo_tally_init(&d.tally);
    start_loop(&d);
    if (prepare(&d, &err) == -1) {
        fprintf(stderr, "stoker: %s\n", err.text);
        d.status = EXIT_FAILED;
        close_all(&d);
        uv_run(&d.loop, UV_RUN_DEFAULT);
    } else if (ship(&d, &err) == -1) {
        log_error("%s", err.text);
        remove_folder(&d);
        _exit(EXIT_FAILED);     /* half an agent runs: only the folder may outlive it */
    }
    finish(&d);
    return d.status;
}

int
cli_demo(int argc, char **argv)
{
    static const struct option longs[] = {
        { "json", no_argument, NULL, 'j' },
        { NULL, 0, NULL, 0 },
    };
    bool json = false;
    int  option;

    while ((option = cli_option(argc, argv, ":", longs)) != -1) {
        if (option != 'j')
            return EXIT_USAGE;
        json = true;
    }
    if (argc - optind > 1)
        return cli_usage("demo", "unexpected argument '%s'", argv[optind + 1]);
    return run_demo(argv[optind], json);
}
