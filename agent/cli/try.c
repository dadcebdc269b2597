/* try.c - `stoker try`: what would be sent for these lines, record by record.
 *
 * The sample goes through transform_chunk(), as every line does; only what an
 * output alone can decide (the partition of a keyless record) stays open.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/cli/cli.h"
#include "agent/data/encode.h"
#include "agent/flow/source.h"
#include "agent/flow/transform.h"

enum { READ_SIZE = 64 * 1024 };

struct trial {
    const char    *config_file, *input, *path, *sample;
    int32_t        partitions;      /* 0: not given */
    struct source  source;
    struct buf     bytes;           /* the whole sample */
    int64_t        lead;            /* of the next chunk */
};

static const struct source_ops no_ops = { NULL, NULL, NULL };

static int
read_sample(struct trial *t)
{
    const bool from_stdin = t->sample == NULL || strcmp(t->sample, "-") == 0;
    int        fd = from_stdin ? STDIN_FILENO : open(t->sample, O_RDONLY | O_CLOEXEC);
    ssize_t    n = fd < 0 ? -1 : 1;

    while (n > 0) {
        n = read(fd, buf_reserve(&t->bytes, READ_SIZE), READ_SIZE);
        if (n > 0)
            t->bytes.len += (size_t)n;
    }
    if (n < 0)
        fprintf(stderr, "stoker: cannot read '%s': %s\n", from_stdin ? "stdin" : t->sample,
                strerror(errno));
    if (fd > STDIN_FILENO)
        close(fd);
    return n < 0 ? -1 : 0;
}

/* ---- Printing -------------------------------------------------------------- */

/* A message and the run it belongs to, to bring them back into the order of the
 * lines. */
struct shown {
    const struct message *message;
    const struct run     *run;
};

static int
by_line(const void *a, const void *b)
{
    const struct shown *x = a, *y = b;

    if (x->message->at != y->message->at)
        return x->message->at < y->message->at ? -1 : 1;
    return x->run < y->run ? -1 : x->run > y->run;
}

static int32_t
partition_of(const struct trial *t, const struct shown *s)
{
    const struct output *o = s->run->output;

    if (s->message->partition >= 0 || t->partitions == 0 || o->ops->partition_of == NULL)
        return s->message->partition;
    return o->ops->partition_of(o, t->partitions, message_key(s->message),
                                source_number(&t->source));
}

static void
print_message(const struct trial *t, const struct shown *s)
{
    const struct message *m = s->message;
    const char           *reason = s->run->reject;
    struct shown_record   record = {
        .output = s->run->output->name,
        .topic = s->run->topic.len > 0 ? s->run->topic : NO_SLICE,
        .partition = partition_of(t, s),
        .key = message_key(m), .value = message_value(m), .headers = m->headers,
        .timestamp = m->timestamp,
    };
    struct buf line = { NULL, 0, 0 };

    if (reason == NULL && t->partitions > 0 && record.partition >= t->partitions)
        reason = "the topic has no such partition";
    encode_json_record(&line, &record);
    if (reason != NULL)
        fprintf(stderr, "stoker: rejected: %s: %s\n", reason, buf_string(&line));
    else
        printf("%s\n", buf_string(&line));
    buf_fini(&line);
}

static void
print_chunk(const struct trial *t, const struct chunk *c)
{
    struct shown *list = mem_array(NULL, c->nmessages, sizeof *list);
    uint32_t      n = 0;

    for (uint32_t r = 0; r < c->nruns; r++)
        for (uint32_t i = 0; i < c->runs[r].count; i++)
            list[n++] = (struct shown){ &c->messages[c->runs[r].first + i], &c->runs[r] };
    qsort(list, n, sizeof *list, by_line);
    for (uint32_t i = 0; i < n; i++)
        print_message(t, &list[i]);
    free(list);
}

/* ---- Reading --------------------------------------------------------------- */

/* Behind the LF of a line that is longer than a chunk. */
static uint64_t
line_end(const struct trial *t, uint64_t from)
{
    const char *lf = memchr(t->bytes.ptr + from, '\n', t->bytes.len - from);

    return lf != NULL ? (uint64_t)(lf - t->bytes.ptr) + 1 : t->bytes.len;
}

static void
fill(const struct trial *t, struct chunk *c)
{
    const size_t left = t->bytes.len - c->begin;

    c->len = left < c->size ? left : c->size;
    memcpy(c->bytes, t->bytes.ptr + c->begin, c->len);
}

/* One chunk from `begin` on; returns where the next one begins. */
static uint64_t
try_chunk(struct trial *t, struct scratch *w, uint64_t begin)
{
    const struct plan *plan = t->source.plan;
    struct chunk      *c = chunk_new(transform_room(plan));
    uint64_t           end;

    chunk_begin(c, (struct source *)(uintptr_t)&t->source, begin, t->source.path, t->source.name);
    c->lead = t->lead;
    fill(t, c);
    if (transform_chunk(plan, w, c, begin + c->len == t->bytes.len) == TRANSFORM_LONG)
        transform_long(plan, w, c, line_end(t, begin));
    print_chunk(t, c);
    end = c->end;
    t->lead = c->lead;
    chunk_free(&c);
    return end;
}

static int
try_all(struct trial *t, const struct config *config, const struct input *in)
{
    struct scratch *w = scratch_new(config->names, config->groups);
    const char     *path = t->path != NULL ? t->path : t->sample != NULL ? t->sample : "stdin";

    source_init(&t->source, &no_ops, in->plan, path);
    for (uint64_t at = 0; at < t->bytes.len;)
        at = try_chunk(t, w, at);
    source_fini(&t->source);
    scratch_free(w);
    return EXIT_DONE;
}

static int
try_config(struct trial *t, const struct config *config)
{
    const struct input *in = NULL;

    if (t->input != NULL)
        in = config_input(config, t->input);
    else if (config->ninputs == 1)
        in = config->inputs[0];
    else
        return cli_usage("try", "--input is missing");
    if (in == NULL) {
        const char **names = mem_array(NULL, config->ninputs, sizeof *names), *near;

        for (size_t i = 0; i < config->ninputs; i++)
            names[i] = config->inputs[i]->plan->input;
        near = strings_nearest(t->input, names, config->ninputs);
        fprintf(stderr, "stoker: no input is named '%s'", t->input);
        fprintf(stderr, near != NULL ? " (did you mean '%s'?)\n" : "\n", near);
        free(names);
        return EXIT_USAGE;
    }
    if (read_sample(t) == -1)
        return EXIT_FAILED;
    return try_all(t, config, in);
}

static bool
parse_options(struct trial *t, int argc, char **argv, int *status)
{
    static const struct option longs[] = {
        { "config", required_argument, NULL, 'c' }, { "input", required_argument, NULL, 'i' },
        { "path", required_argument, NULL, 'p' }, { "partitions", required_argument, NULL, 'n' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    *status = EXIT_USAGE;
    while ((option = getopt_long(argc, argv, "c:i:", longs, NULL)) != -1) {
        switch (option) {
        case 'c': t->config_file = optarg; break;
        case 'i': t->input = optarg; break;
        case 'p': t->path = optarg; break;
        case 'n':
            t->partitions = (int32_t)strtol(optarg, NULL, 10);
            if (t->partitions < 1) {
                *status = cli_usage("try", "--partitions needs a number from 1 on, not '%s'",
                                    optarg);
                return false;
            }
            break;
        default:
            *status = cli_usage("try", NULL);
            return false;
        }
    }
    if (optind < argc)
        t->sample = argv[optind++];
    if (optind == argc)
        return true;
    *status = cli_usage("try", "unexpected argument '%s'", argv[optind]);
    return false;
}

int
cli_try(int argc, char **argv)
{
    struct trial   t = { .sample = NULL };
    struct config *config;
    int            status;

    if (!parse_options(&t, argc, argv, &status))
        return status;
    config = cli_load(t.config_file);
    if (config == NULL)
        return EXIT_CONFIG;
    status = try_config(&t, config);
    buf_fini(&t.bytes);
    config_free(config);
    return status;
}
