/* stdout.c - records as JSON lines on standard output.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "outputs/json_lines.h"

static const struct field stdout_fields[] = { NO_MORE_FIELDS };

static int
open_stdout(struct json_lines *j, const struct run *run)
{
    (void)j;
    (void)run;
    return STDOUT_FILENO;
}

static void
close_stdout(struct json_lines *j, int fd)
{
    (void)j;
    (void)fd;
}

static void
stdout_free(struct output *o)
{
    json_lines_fini((struct json_lines *)o);
    free(o);
}

static const struct output_ops stdout_ops = {
    .start = json_lines_start, .send = json_lines_send, .stop = json_lines_stop,
    .free = stdout_free,
};

static struct output *
stdout_load(const char *name, const char *what, const struct node *conf, struct errors *errs)
{
    const struct settings set[] = { { NULL, type_fields } };
    struct json_lines    *j;

    if (fields_load(set, 1, what, conf, conf->at, NULL, NULL, errs) == -1)
        return NULL;
    j = NEW(struct json_lines);
    j->base.ops = &stdout_ops;
    j->base.name = mem_string(name);
    j->base.read_pause = OUTPUT_READ_PAUSE;
    j->open = open_stdout;
    j->close = close_stdout;
    j->where = "stdout";
    return &j->base;
}

const struct output_type stdout_output_type = {
    .name = "stdout",
    .help = "Prints every record as one JSON object a line.",
    .fields = stdout_fields,
    .load = stdout_load,
};
