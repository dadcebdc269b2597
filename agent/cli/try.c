/* try.c - `stoker try`: what would be sent for these lines, record by record.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/cli/cli.h"
#include "agent/cli/sample.h"

enum { READ_SIZE = 64 * 1024, MOST_PARTITIONS = 1000 * 1000 };

struct trial {
    const char *config_file, *input, *path, *file;
    int32_t     partitions;     /* 0: not given */
    struct buf  lines;          /* the whole sample */
};

/* RFC 1952's first two bytes: these are no lines, though `run` would find some in them. */
static bool
is_compressed(const struct trial *t)
{
    const char *name = t->file != NULL ? t->file : "stdin";

    if (t->lines.len < 2 || memcmp(t->lines.ptr, "\x1f\x8b", 2) != 0)
        return false;
    fprintf(stderr, "stoker: '%s' is compressed (give its lines: zcat FILE | stoker try ...)\n",
            name);
    return true;
}

static int
read_sample(struct trial *t)
{
    const bool from_stdin = t->file == NULL || strcmp(t->file, "-") == 0;
    int        fd = from_stdin ? STDIN_FILENO : open(t->file, O_RDONLY | O_CLOEXEC);
    ssize_t    n = fd < 0 ? -1 : 1;

    while (n > 0) {
        n = read(fd, buf_reserve(&t->lines, READ_SIZE), READ_SIZE);
        if (n > 0)
            t->lines.len += (size_t)n;
    }
    if (n < 0)
        fprintf(stderr, "stoker: cannot read '%s': %s\n", from_stdin ? "stdin" : t->file,
                error_reason(errno));
    if (fd > STDIN_FILENO)
        close(fd);
    return n < 0 || is_compressed(t) ? -1 : 0;
}

static void
print_record(void *ctx, const struct sample_record *r)
{
    struct buf line = { NULL, 0, 0 };

    (void)ctx;
    encode_json_record(&line, &r->shown);
    if (r->reject != NULL)
        fprintf(stderr, "stoker: rejected: %s: %s\n", r->reject, buf_string(&line));
    else
        printf("%s\n", buf_string(&line));
    buf_fini(&line);
}

static int
try_all(const struct trial *t, const struct config *config, const struct input *in)
{
    const struct sample sample = {
        .input = in,
        .path = t->path != NULL ? t->path : t->file != NULL ? t->file : "stdin",
        .partitions = t->partitions,
        .lines = buf_slice(&t->lines),
    };
    const uint64_t filtered = cli_sample(config, &sample, print_record, NULL);

    if (filtered > 0)
        fprintf(stderr, "stoker: filtered: %" PRIu64 " record%s, for which nothing is sent\n",
                filtered, filtered == 1 ? "" : "s");
    return EXIT_DONE;
}

/* NULL: it is not clear which one is meant, which was said. */
static const struct input *
find_input(const struct trial *t, const struct config *config)
{
    const struct node  *inputs = node_get(tree_root(config->tree), "inputs");
    const struct input *in = t->input != NULL ? config_input(config, t->input)
                           : config->ninputs == 1 ? config->inputs[0] : NULL;
    const char         *near;

    if (in != NULL)
        return in;
    near = t->input != NULL ? node_nearest(inputs, t->input) : NULL;
    if (t->input != NULL)
        fprintf(stderr, "stoker: no input is named '%s'", t->input);
    else
        fputs("stoker: --input is missing", stderr);
    if (near != NULL) {
        fprintf(stderr, " (did you mean '%s'?)\n", near);
        return NULL;
    }
    fputs(" (there", stderr);
    for (const struct node *n = inputs->first; n != NULL; n = n->next)
        fprintf(stderr, "%s '%s'", n == inputs->first ? " is" : ",", n->key);
    fputs(")\n", stderr);
    return NULL;
}

static int
try_config(struct trial *t, const struct config *config)
{
    const struct input *in = find_input(t, config);

    if (in == NULL)
        return EXIT_USAGE;
    if (read_sample(t) == -1)
        return EXIT_FAILED;
    return try_all(t, config, in);
}

static bool
to_partitions(const char *text, int32_t *partitions)
{
    char      *end;
    const long number = strtol(text, &end, 10);     /* too large: LONG_MAX */

    *partitions = (int32_t)number;
    return end != text && *end == '\0' && number >= 1 && number <= MOST_PARTITIONS;
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
    while ((option = cli_option(argc, argv, ":c:i:", longs)) != -1) {
        switch (option) {
        case 'c': t->config_file = optarg; break;
        case 'i': t->input = optarg; break;
        case 'p': t->path = optarg; break;
        case 'n':
            if (!to_partitions(optarg, &t->partitions)) {
                *status = cli_usage("try", "--partitions needs a number from 1 to %d, not '%s'",
                                    MOST_PARTITIONS, optarg);
                return false;
            }
            break;
        default:
            return false;
        }
    }
    if (optind < argc)
        t->file = argv[optind++];
    if (optind == argc)
        return true;
    *status = cli_usage("try", "unexpected argument '%s'", argv[optind]);
    return false;
}

int
cli_try(int argc, char **argv)
{
    struct trial   t = { .file = NULL };
    struct config *config;
    int            status;

    if (!parse_options(&t, argc, argv, &status))
        return status;
    config = cli_load(t.config_file);
    if (config == NULL)
        return EXIT_CONFIG;
    status = try_config(&t, config);
    buf_fini(&t.lines);
    config_free(config);
    return status;
}
