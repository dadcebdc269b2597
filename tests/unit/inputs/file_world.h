/* file_world.h - the file input on real files, a real loop and the real
 * pipeline, for its tests.
 *
 * Only the output is of the tests: it keeps every value and acknowledges when
 * it is told to.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_UNIT_INPUTS_FILE_WORLD_H
#define TESTS_UNIT_INPUTS_FILE_WORLD_H

#include <uv.h>
#include <zlib.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/flow/input.h"
#include "agent/flow/output.h"
#include "agent/flow/pipeline.h"
#include "agent/flow/route.h"
#include "inputs/file.h"
#include "tests/unit/inputs/files.h"

enum { PATIENCE_MS = 60000 };

extern const struct input_type file_input_type;

/* ---- The output -------------------------------------------------------------- */

struct pending {
    struct chunk *chunk;
    uint32_t      count;
};

static struct strings  got;             /* every value, in order */
static struct pending *pending;
static size_t          npending;
static bool            acknowledging;

static inline void
keep(struct output *o, const struct run *run)
{
    (void)o;
    for (uint32_t i = 0; i < run->count; i++) {
        const struct message *m = &run->chunk->messages[run->first + i];
        char                 *text = mem_copy(m->value, m->value_len);

        strings_add(&got, text);
        free(text);
    }
    pending = mem_array(pending, npending + 1, sizeof *pending);
    pending[npending++] = (struct pending){ run->chunk, run->count };
}

static const struct output_ops output_ops = { .send = keep };

static struct output output = { .ops = &output_ops };

/* ---- The agent --------------------------------------------------------------- */

static uv_loop_t           loop;
static uv_timer_t          turns;       /* the loop never waits longer than this */
static struct checkpoints *store;
static struct pipeline    *pipeline;
static struct input       *input;
static struct names       *names;
static struct route        route;
static char               *state_dir;
static bool                done;
static uint64_t            memory = 64 << 20;

static struct node settings[16];
static size_t      nsettings;

static inline void
with(const char *key, const char *value)
{
    settings[nsettings++] = (struct node){ .kind = NODE_SCALAR, .key = key,
                                           .text = mem_string(value), .len = strlen(value) };
}

static inline void
forget_settings(void)
{
    for (size_t i = 0; i < nsettings; i++)
        free((void *)(uintptr_t)settings[i].text);
    nsettings = 0;
}

static inline void
on_turn(uv_timer_t *timer)
{
    (void)timer;
}

static inline struct input *
load(struct errors *errs)
{
    struct node  map = { .kind = NODE_MAP };
    struct plan *plan = plan_new("test", "host");

    for (size_t i = 0; i < nsettings; i++)
        settings[i].next = i + 1 < nsettings ? &settings[i + 1] : NULL;
    map.first = nsettings > 0 ? settings : NULL;
    plan_add_route(plan, &route);
    return file_input_type.load("input 'test'", &map, plan, errs);
}

static inline void
given_running(void)
{
    struct pipeline_conf conf = { .loop = &loop, .memory = memory, .workers = 2 };
    struct errors        errs = { NULL, 0, 0 };
    struct error         err;

    uv_loop_init(&loop);
    uv_timer_init(&loop, &turns);
    uv_timer_start(&turns, on_turn, 2, 2);
    store = checkpoints_open(state_dir, &err);
    assert_non_null(store);
    checkpoints_start(store, &loop, 10);
    names = names_new();
    conf.names = names;
    conf.store = store;
    pipeline = pipeline_new(&conf);
    input = load(&errs);
    if (input == NULL)
        fail_msg("%s", errs.list[0].text);
    if (plan_set_encoding(input->plan, &err) == -1)
        fail_msg("%s", err.text);
    assert_int_equal(input->ops->start(input, pipeline, store, &err), 0);
}

static inline void
acknowledge(void)
{
    struct pending *all = pending;
    const size_t    n = npending;

    pending = NULL;
    npending = 0;
    for (size_t i = 0; i < n; i++)
        pipeline_delivered(pipeline, all[i].chunk, all[i].count);
    free(all);
}

typedef bool condition_f(void);

static inline bool
turn_until(condition_f *holds)
{
    const uint64_t give_up_at = clock_ms() + PATIENCE_MS;

    while (!holds()) {
        if (clock_ms() > give_up_at)
            return false;
        uv_run(&loop, UV_RUN_ONCE);
        if (acknowledging)
            acknowledge();
    }
    return true;
}

static inline bool
is_done(void)
{
    return done;
}

static inline void
set_done(void *ctx)
{
    (void)ctx;
    done = true;
}

static inline void
set_flushed(void *ctx, bool failed)
{
    assert_false(failed);
    set_done(ctx);
}

static inline void
wait_done(void)
{
    assert_true(turn_until(is_done));
    done = false;
}

/* As the agent does it. */
static inline void
when_stopped(void)
{
    pipeline_close(pipeline);
    input->ops->stop(input, set_done, NULL);
    wait_done();
    if (acknowledging)
        acknowledge();
    checkpoints_flush(store, set_flushed, NULL);
    wait_done();
    pipeline_stop(pipeline, set_done, NULL);
    wait_done();
    uv_close((uv_handle_t *)&turns, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    pipeline_free(pipeline);
    checkpoints_close(store);
    input->ops->free(input);
    names_free(names);
    assert_int_equal(uv_loop_close(&loop), 0);
    free(pending);
    pending = NULL;
    npending = 0;
    input = NULL;
}

static inline struct file_input *
the_input(void)
{
    return (struct file_input *)input;
}

static inline int
set_up(void **state)
{
    (void)state;
    files_set_up();
    files_folder("logs");
    state_dir = mem_string(files_path("state"));
    route = (struct route){ .output = &output, .value = ROUTE_VALUE_RAW };
    acknowledging = true;
    memory = 64 << 20;
    with("paths", files_path("logs/*.log"));
    with("rescan", "200ms");
    with("poll", "50ms");
    with("linger", "100ms");
    return 0;
}

static inline int
tear_down(void **state)
{
    (void)state;
    if (input != NULL)
        when_stopped();
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    strings_fini(&got);
    forget_settings();
    free(state_dir);
    files_tear_down();
    return 0;
}

/* Root may read everything. */
static inline void
given_no_privileges(void)
{
    enum { NOBODY = 65534 };

    if (geteuid() != 0)
        return;
    assert_int_equal(chown(files_root, NOBODY, NOBODY), 0);
    assert_int_equal(chown(files_path("logs"), NOBODY, NOBODY), 0);
    assert_int_equal(seteuid(NOBODY), 0);
}

/* ---- Then ------------------------------------------------------------------------ */

static size_t wanted;

static inline bool
have_wanted(void)
{
    return got.count >= wanted;
}

static inline bool
is_quiet(void)
{
    struct file_input *in = the_input();

    return in->out == 0 && TAILQ_EMPTY(&in->due) && npending == 0 && !in->at_start &&
           pipeline_idle(pipeline);
}

/* Exactly these lines have come since the last time, in this order. */
static inline void
then_got(const char *first, ...)
{
    va_list     ap;
    size_t      n = 0;

    wanted = 0;
    va_start(ap, first);
    for (const char *line = first; line != NULL; line = va_arg(ap, const char *))
        wanted++;
    va_end(ap);
    if (!turn_until(have_wanted))
        fail_msg("%zu lines came, not %zu", got.count, wanted);
    (void)turn_until(is_quiet);
    va_start(ap, first);
    for (const char *line = first; line != NULL; line = va_arg(ap, const char *))
        assert_string_equal(got.list[n++], line);
    va_end(ap);
    if (got.count != wanted)
        fail_msg("'%s' came too", got.list[wanted]);
    strings_fini(&got);
}

/* The same lines, whatever their order. */
static inline int
compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void
then_got_sorted(size_t count)
{
    wanted = count;
    if (!turn_until(have_wanted))
        fail_msg("%zu lines came, not %zu", got.count, wanted);
    (void)turn_until(is_quiet);
    assert_int_equal(got.count, count);
    qsort(got.list, got.count, sizeof *got.list, compare_lines);
}

static inline bool
has_turned(void)
{
    static unsigned turn;

    return turn++ % 64 == 63;
}

static inline void
then_nothing_comes(void)
{
    (void)turn_until(is_quiet);
    (void)turn_until(has_turned);
    if (got.count > 0)
        fail_msg("'%s' came", got.list[0]);
}

static inline struct file_tail *
find_tail(const char *name)
{
    struct file_tail *t;

    TAILQ_FOREACH(t, &the_input()->all, all)
        if (strcmp(file_source(t)->path, files_path(name)) == 0 && !t->forgotten)
            return t;
    return NULL;
}

static const char *awaited;

static inline bool
is_forgotten(void)
{
    return find_tail(awaited) == NULL;
}

static inline bool
is_followed(void)
{
    return find_tail(awaited) != NULL;
}

static inline void
then_forgotten(const char *name)
{
    awaited = name;
    if (!turn_until(is_forgotten))
        fail_msg("'%s' is still followed: %s", name,
                 file_tail_state_name(find_tail(name)->state));
}

static inline void
then_followed(const char *name)
{
    awaited = name;
    if (!turn_until(is_followed))
        fail_msg("'%s' is not followed", name);
}

/* Lines that begin alike only as far as their numbers do. */
enum { NUMBER_LEN = 57 };     /* of each, with its LF */

static inline void
append_numbers(const char *name, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char line[100];

        snprintf(line, sizeof line, "%06u a line that is long enough to be told from others\n", i);
        files_append(name, line);
    }
}

static inline void
then_got_numbers(unsigned from, unsigned to)
{
    wanted = to - from;
    if (!turn_until(have_wanted))
        fail_msg("%zu lines came, not %zu", got.count, wanted);
    (void)turn_until(is_quiet);
    for (size_t i = 0; i < got.count && i < wanted; i++)
        assert_int_equal(strtoul(got.list[i], NULL, 10), from + i);
    if (got.count != wanted)
        fail_msg("'%s' came too", got.list[wanted]);
    strings_fini(&got);
}

/* As logrotate does it. */
static inline void
copy_file(const char *from, const char *to)
{
    char    bytes[65536];
    ssize_t len;
    int     fd = open(files_path(from), O_RDONLY);

    files_write(to, "");
    while ((len = read(fd, bytes, sizeof bytes)) > 0)
        files_put(to, bytes, (size_t)len, O_APPEND);
    close(fd);
}

static inline void
truncate_file(const char *name)
{
    assert_int_equal(truncate(files_path(name), 0), 0);
}

static inline bool
is_closed(void)
{
    const struct file_tail *t = find_tail(awaited);

    return t != NULL && t->state == TAIL_CLOSED;
}

/* ---- Copies ------------------------------------------------------------------ */

static inline void
given_patterns_for_copies(void)
{
    forget_settings();
    with("paths", files_path("logs/a.log*"));
    with("rescan", "200ms");
    with("poll", "50ms");
    with("linger", "100ms");
}

static inline bool
has_held_one(void)
{
    struct file_tail *t;

    TAILQ_FOREACH(t, &the_input()->all, all)
        if (t->held_at != 0)
            return true;
    return false;
}

static inline bool
has_held_none(void)
{
    return !has_held_one();
}

static inline bool
is_held(void)
{
    const struct file_tail *t = find_tail(awaited);

    return t != NULL && t->held_at != 0 && t->read.fd >= 0 && t->state == TAIL_WAITING;
}

static inline void
when_held(const char *name)
{
    awaited = name;
    assert_true(turn_until(is_held));
}

static inline bool
is_waiting(void)
{
    const struct file_tail *t = find_tail(awaited);

    return t != NULL && t->read_at != 0 && t->state == TAIL_WAITING && !t->is_due;
}

/* It has no turn to be read. */
static inline void
when_held_back(const char *name)
{
    awaited = name;
    assert_true(turn_until(is_waiting));
    find_tail(name)->state = TAIL_HOLDING;
}

static inline void
when_released(const char *name)
{
    find_tail(name)->state = TAIL_WAITING;
    file_tail_wake(find_tail(name));
}

static uint64_t wait_over;      /* clock_ms() */

static inline bool
is_wait_over(void)
{
    return clock_ms() > wait_over;
}

/* As gzip(1) does it: the original goes when the copy is whole. */
static inline void
compress_file(const char *from, const char *to)
{
    char    bytes[65536];
    ssize_t len;
    gzFile  out = gzopen(files_path(to), "wb");
    int     fd = open(files_path(from), O_RDONLY);

    while ((len = read(fd, bytes, sizeof bytes)) > 0)
        assert_int_equal(gzwrite(out, bytes, (unsigned)len), len);
    close(fd);
    assert_int_equal(gzclose(out), Z_OK);
    files_remove(from);
}

#endif
