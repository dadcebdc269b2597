/* file.c - the file input: its settings, its start and its end.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "inputs/file_follow.h"

extern const struct input_type file_input_type;

enum { LEAST_PAUSE_MS = 1 };

/* ---- Settings ---------------------------------------------------------------- */

static const struct choice start_choices[] = {
    { "beginning", FILE_START_BEGINNING }, { "end", FILE_START_END }, { NULL, 0 },
};

static const struct choice compressed_choices[] = { { "auto", FILE_COMPRESSED_AUTO }, { NULL, 0 } };

static const struct choice remove_choices[] = {
    { "never", FILE_REMOVE_NEVER }, { "acked", FILE_REMOVE_ACKED }, { NULL, 0 },
};

static const struct field fields[] = {
    A_REQUIRED_LIST(struct file_conf, "paths", paths,
        "Glob patterns of the files to follow: `*`, `?`, `[..]`, `{a,b}`, `**`. Symbolic links "
        "are followed."),
    A_LIST(struct file_conf, "exclude", exclude, NULL,
        "Glob patterns of files and folders to leave out. One that does not begin with `/` is "
        "matched at any depth, so a plain name means every file of that name."),
    A_CHOICE(struct file_conf, "start", start, "beginning", start_choices,
        "Where to begin in a file without checkpoint that exists at start-up; one that appears "
        "later is read from its beginning."),
    A_TIME(struct file_conf, "ignore_older", ignore_older, "off", 0, 0,
        "Do not open files that were not modified for this long, until they are written to."),
    A_TIME(struct file_conf, "rescan", rescan, "10s", 100, 24 * 3600 * 1000,
        "How often to look for new files even when no event came."),
    A_TIME(struct file_conf, "poll", poll, "1s", 10, 3600 * 1000,
        "How often to look at known files that send no events (network file systems). Files "
        "with events are looked at too, in turn, 100 of them in ten times as long."),
    A_TIME(struct file_conf, "linger", linger, "30s", 0, 24 * 3600 * 1000,
        "A file that was renamed or deleted is kept open until it was read and acknowledged to "
        "its end and did not grow for this long."),
    A_TIME(struct file_conf, "close_idle", close_idle, "5m", 1000, 7ull * 24 * 3600 * 1000,
        "Close the descriptor of a file that was quiet for this long; it is opened again when it "
        "grows."),
    A_CHOICE(struct file_conf, "compressed", compressed, "auto", compressed_choices,
        "Files named `*.gz`: they are decompressed. A compressed copy of a file that was read goes "
        "on where that had got to."),
    A_CHOICE(struct file_conf, "remove", remove, "never", remove_choices,
        "`acked`: delete a file once all of it is acknowledged and it did not grow for `linger`. "
        "Never one that is empty, ends with an unfinished line, or is reached by a symbolic link."),
    NO_MORE_FIELDS
};

static int
add_pattern(struct file_globs *globs, const char *folder, const char *pattern, struct error *err)
{
    struct buf path = { NULL, 0, 0 };
    int        result;

    if (pattern[0] == '/')
        return file_glob_add(globs, pattern, err);
    buf_printf(&path, "%s/%s", folder, pattern);
    result = file_glob_add(globs, buf_string(&path), err);
    buf_fini(&path);
    return result;
}

/* Compile a list of patterns; each mistake stands at its own place. */
static void
compile(struct file_globs *globs, const struct strings *patterns, const char *folder,
        const char *what, const struct node *node, struct errors *errs)
{
    const struct node *at = node_first_of(node);

    for (size_t i = 0; i < patterns->count; i++, at = at != NULL ? node_next_of(node, at) : NULL) {
        const struct mark mark = at != NULL ? at->at : NO_MARK;
        struct error      err;

        if (patterns->list[i][0] == '\0')
            errors_at(errs, mark, "%s: a pattern is empty", what);
        else if (add_pattern(globs, folder, patterns->list[i], &err) == -1)
            errors_at(errs, mark, "%s: '%s' is no pattern: %s", what, patterns->list[i], err.text);
    }
}

static void
compile_patterns(struct file_input *in, const char *what, const struct node *conf,
                 struct errors *errs)
{
    char *here = getcwd(NULL, 0);

    compile(&in->globs, &in->conf.paths, here != NULL ? here : "", what,
            node_get(conf, "paths"), errs);
    compile(&in->exclude, &in->conf.exclude, "/**", what, node_get(conf, "exclude"), errs);
    free(here);
}

static void file_input_free(struct input *input);

static const struct input_ops ops;

static struct input *
file_input_load(const char *what, const struct node *conf, struct plan *plan, struct errors *errs)
{
    struct file_input    *in = NEW(struct file_input);
    const struct settings set[] = {
        { &in->conf, fields },
        plan_settings(plan),
        { NULL, route_fields },
        { NULL, type_fields },
    };
    const size_t before = errs->count;

    in->base = (struct input){ &ops, plan };
    TAILQ_INIT(&in->all);
    TAILQ_INIT(&in->due);
    TAILQ_INIT(&in->open);
    TAILQ_INIT(&in->attended);
    TAILQ_INIT(&in->unpacked);
    TAILQ_INIT(&in->young);
    TAILQ_INIT(&in->pending);
    TAILQ_INIT(&in->search.wanted);
    TAILQ_INIT(&in->search.taken);
    in->watch.fd = -1;
    (void)fields_load(set, sizeof set / sizeof set[0], what, conf,
                      conf != NULL ? conf->key_at : NO_MARK, NULL, NULL, errs);
    compile_patterns(in, what, conf, errs);
    if (errs->count == before)
        return &in->base;
    file_input_free(&in->base);
    return NULL;
}

/* ---- Start ------------------------------------------------------------------- */

static void
on_event(void *ctx, int wd, uint32_t mask, uint32_t cookie, const char *name)
{
    struct file_input *in = ctx;

    if (in->stopping)
        return;
    if (name != NULL && (mask & IN_MOVED_FROM) != 0)
        file_scan_moved_from(in, cookie, wd, name);
    if (name != NULL && (mask & IN_MOVED_TO) != 0)
        file_scan_moved_to(in, cookie, wd, name);
    file_follow_event(in, wd, mask, name);
}

static void
on_lost(void *ctx)
{
    struct file_input *in = ctx;

    if (in->stopping)
        return;
    log_again(&in->lost_told, LOG_WARN, "input '%s': file-system events were lost: looking at "
              "everything (raise fs.inotify.max_queued_events if this is frequent)",
              in->base.plan->input);
    file_scan_request(in, true);
    file_follow_wake_all(in);
}

static int
file_input_start(struct input *input, struct pipeline *p, struct checkpoints *store,
                 struct error *err)
{
    static const struct file_watch_calls calls = { on_event, on_lost };
    struct file_input                   *in = (struct file_input *)input;

    (void)err;
    in->pipeline = p;
    in->store = store;
    in->loop = pipeline_loop(p);
    in->read_pause = input->plan->read_pause;
    if (in->read_pause < LEAST_PAUSE_MS)
        in->read_pause = LEAST_PAUSE_MS;
    if (file_watch_open(&in->watch, in->loop, in->read_pause, &calls, in, err) == -1)
        log_warn("input '%s' goes without file-system events: %s", input->plan->input, err->text);
    uv_timer_init(in->loop, &in->due_timer);
    in->due_timer.data = in;
    uv_timer_init(in->loop, &in->flush_timer);
    in->flush_timer.data = in;
    file_follow_remember(in);
    file_search_start(in);
    file_scan_start(in);
    file_sweep_start(in);
    return 0;
}

/* ---- Stop -------------------------------------------------------------------- */

static void
on_handle_closed(void *ctx)
{
    struct file_input *in = ctx;

    if (--in->handles == 0)
        in->stopped(in->stopped_ctx);
}

static void
on_timer_closed(uv_handle_t *handle)
{
    on_handle_closed(handle->data);
}

static void
close_handles(struct file_input *in)
{
    in->closing = true;
    in->handles = in->watch.fd >= 0 ? 5 : 4;
    if (in->watch.fd >= 0)
        file_watch_close(&in->watch, on_handle_closed);
    uv_close((uv_handle_t *)&in->due_timer, on_timer_closed);
    uv_close((uv_handle_t *)&in->flush_timer, on_timer_closed);
    uv_close((uv_handle_t *)&in->scan.timer, on_timer_closed);
    uv_close((uv_handle_t *)&in->sweep.timer, on_timer_closed);
}

void
file_came_back(struct file_input *in)
{
    assert(in->out > 0);
    if (--in->out == 0 && in->stopping && !in->closing)
        close_handles(in);
}

/* Nobody wakes a tail any more, and none gets room: each stays where it is. */
static void
file_input_stop(struct input *input, input_stopped_f *stopped, void *ctx)
{
    struct file_input *in = (struct file_input *)input;
    struct file_tail  *t;

    in->stopping = true;
    in->stopped = stopped;
    in->stopped_ctx = ctx;
    uv_timer_stop(&in->due_timer);
    uv_timer_stop(&in->flush_timer);
    uv_timer_stop(&in->scan.timer);
    uv_timer_stop(&in->sweep.timer);
    TAILQ_FOREACH(t, &in->all, all)
        pipeline_forget(in->pipeline, file_source(t));
    if (in->out == 0)
        close_handles(in);
}

static void
file_input_free(struct input *input)
{
    struct file_input    *in = (struct file_input *)input;
    const struct settings set = { &in->conf, fields };

    file_follow_free(in);
    file_scan_free(in);
    file_sweep_free(in);
    file_search_free(in);
    file_glob_fini(&in->globs);
    file_glob_fini(&in->exclude);
    fields_fini(&set, 1);
    plan_free(in->base.plan);
    free(in);
}

/* ---- Check ------------------------------------------------------------------- */

static int
compare_places(const void *a, const void *b)
{
    const struct file_change *x = a, *y = b;

    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    if (x->inode != y->inode)
        return x->inode < y->inode ? -1 : 1;
    return strcmp(x->path, y->path);
}

static int
compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A file with several names is followed, and listed, once. */
static int
file_input_list(struct input *input, struct strings *paths, struct error *err)
{
    struct file_input    *in = (struct file_input *)input;
    struct file_discover *d = file_discover_new(&in->globs, &in->exclude, -1);
    struct file_changes   found = { NULL, 0, 0 };
    const size_t          before = paths->count;

    (void)err;
    file_discover_scan(d, true, &found);
    if (found.count > 0)
        qsort(found.list, found.count, sizeof *found.list, compare_places);
    for (size_t i = 0; i < found.count; i++)
        if (i == 0 || found.list[i].device != found.list[i - 1].device ||
            found.list[i].inode != found.list[i - 1].inode)
            strings_add(paths, found.list[i].path);
    if (paths->count > before)
        qsort(paths->list + before, paths->count - before, sizeof *paths->list, compare_strings);
    file_changes_fini(&found);
    file_discover_free(d);
    return 0;
}

static const struct input_ops ops = {
    file_input_start, file_input_stop, file_input_free, file_input_list,
};

const struct input_type file_input_type = {
    .name = "file",
    .help = "Follows files: reads what is appended to them, through rotation and truncation.",
    .fields = fields,
    .load = file_input_load,
};
