/* file.c - records as JSON lines, appended to files.
 *
 * The path is a template of what is known of a record where it is written: the
 * facts of its source, and its topic.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/data/names.h"
#include "agent/data/record.h"
#include "agent/data/template.h"
#include "agent/flow/plan.h"
#include "agent/flow/source.h"
#include "outputs/json_lines.h"

struct file {
    struct json_lines  lines;
    const struct node *path_node;
    struct names      *names;
    struct template   *path;
    struct record      record;      /* the job's: for rendering the path */
    struct arena       arena;       /* the job's */
    uint32_t           topic;       /* the number of the name `topic` */
};

static const struct field file_fields[] = {
    A_NODE(struct file, "path", path_node,
        "The file, made when missing (mode 0640; its folder must exist). A template of "
        "${topic}, ${input}, ${host.name}, ${log.file.path} and ${log.file.name}; a slash in one "
        "of them becomes '_'."),
    NO_MORE_FIELDS
};

/* A value from outside must not lead out of the folder. */
static struct slice
tame(struct arena *a, struct slice s)
{
    struct slice copy = arena_copy(a, s);
    char        *at = a->next - copy.len;

    for (size_t i = 0; i < copy.len; i++)
        if (at[i] == '/' || at[i] == '\0')
            at[i] = '_';
    return copy;
}

static int
open_file(struct json_lines *j, const struct run *run)
{
    struct file         *f = (struct file *)j;
    const struct plan   *plan = run->chunk->source->plan;
    struct slice         path;
    char                *name;
    int                  fd, error;

    arena_reset(&f->arena);
    record_begin(&f->record, NO_SLICE, NO_SLICE, run->chunk->begin);
    f->record.constant[NAME_HOST_NAME] = tame(&f->arena, slice_of(plan->host_name));
    f->record.constant[NAME_INPUT] = tame(&f->arena, slice_of(plan->input));
    f->record.constant[NAME_LOG_FILE_PATH] = tame(&f->arena, run->chunk->path);
    f->record.constant[NAME_LOG_FILE_NAME] = tame(&f->arena, run->chunk->name);
    record_set(&f->record, f->topic, VALUE_TEXT, tame(&f->arena, run->topic));
    if (!template_render(f->path, &f->record, &f->arena, &path)) {
        errno = ENOENT;
        return -1;
    }
    name = mem_copy(path.ptr, path.len);
    fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
    error = errno;
    free(name);
    errno = error;
    return fd;
}

static void
close_file(struct json_lines *j, int fd)
{
    (void)j;
    close(fd);
}

static void
file_free(struct output *o)
{
    struct file *f = (struct file *)o;

    template_free(f->path);
    if (f->names != NULL) {
        record_fini(&f->record);
        arena_fini(&f->arena);
        names_free(f->names);
    }
    json_lines_fini(&f->lines);
    free(f);
}

static const struct output_ops file_ops = {
    .start = json_lines_start, .send = json_lines_send, .stop = json_lines_stop,
    .free = file_free,
};

/* Compile the path; only fields that are known here may stand in it. */
static int
compile_path(struct file *f, const char *what, const struct node *conf, struct errors *errs)
{
    uint32_t known;

    if (f->path_node == NULL)
        return errors_at(errs, conf->at, "%s needs a 'path'", what);
    f->names = names_new();
    f->topic = names_intern(f->names, SLICE("topic"));
    known = names_count(f->names);
    f->path = template_new(f->path_node, f->names, errs);
    record_init(&f->record, f->names);
    arena_init(&f->arena);
    if (f->path == NULL)
        return -1;
    if (f->path_node->len == 0)
        return errors_at(errs, f->path_node->at, "'path' must not be empty");
    if (names_count(f->names) > known)
        return errors_at(errs, f->path_node->at,
                         "'path' cannot have the field '%.*s' (only topic, input, host.name, "
                         "log.file.path and log.file.name)",
                         SLICE_ARG(names_text(f->names, known)));
    f->lines.where = template_text(f->path);
    return 0;
}

static struct output *
file_load(const char *name, const char *what, const struct node *conf, struct errors *errs)
{
    struct file          *f = NEW(struct file);
    const struct settings set[] = { { f, file_fields }, { NULL, type_fields } };

    f->lines.base.ops = &file_ops;
    f->lines.base.name = mem_string(name);
    f->lines.base.read_pause = OUTPUT_READ_PAUSE;
    f->lines.open = open_file;
    f->lines.close = close_file;
    if (fields_load(set, 2, what, conf, conf->at, NULL, NULL, errs) == 0 &&
        compile_path(f, what, conf, errs) == 0)
        return &f->lines.base;
    file_free(&f->lines.base);
    return NULL;
}

const struct output_type file_output_type = {
    .name = "file",
    .help = "Appends every record to a file, one JSON object a line.",
    .fields = file_fields,
    .load = file_load,
};
