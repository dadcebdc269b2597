/* offsets.c - `stoker offsets list|set|forget`: how far each file was
 * acknowledged, seen and changed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "agent/flow/checkpoint.h"

struct request {
    enum { LIST, SET, FORGET } what;
    const char *path;           /* of SET and FORGET */
    uint64_t    offset;         /* of SET */
};

static int
fail(const struct error *err)
{
    fprintf(stderr, "stoker: %s\n", err->text);
    return err->code == ERR_LOCKED ? EXIT_LOCKED : EXIT_FAILED;
}

/* One line a file: path, tab, offset. */
static int
list(const char *state_dir)
{
    struct error             err;
    size_t                   count;
    const struct checkpoint *rows;
    struct checkpoints      *st = checkpoints_read(state_dir, &err);
    struct buf               shown = { NULL, 0, 0 };

    if (st == NULL)
        return fail(&err);
    rows = checkpoints_rows(st, &count);
    for (size_t i = 0; i < count; i++)
        printf("%s\t%llu\n", cli_shown_path(&shown, rows[i].path),
               (unsigned long long)rows[i].offset);
    buf_fini(&shown);
    checkpoints_close(st);
    return EXIT_DONE;
}

/* The path as it is, or as the list shows it. */
static bool
is_meant(const struct checkpoint *row, const char *path)
{
    struct buf shown = { NULL, 0, 0 };
    const bool meant = strcmp(row->path, path) == 0 ||
                       strcmp(cli_shown_path(&shown, row->path), path) == 0;

    buf_fini(&shown);
    return meant;
}

static bool
is_known(struct checkpoints *st, const char *path)
{
    size_t                   count;
    const struct checkpoint *rows = checkpoints_rows(st, &count);

    for (size_t i = 0; i < count; i++)
        if (is_meant(&rows[i], path))
            return true;
    return false;
}

/* Every row of the path: files that have had its name one after the other. */
static int
change_rows(struct checkpoints *st, const struct request *r, struct error *err)
{
    size_t                   count;
    const struct checkpoint *rows = checkpoints_rows(st, &count);

    for (size_t i = 0; i < count; i++)
        if (is_meant(&rows[i], r->path) &&
            (r->what == SET ? checkpoints_set_now(st, &rows[i], r->offset, err)
                            : checkpoints_forget_now(st, &rows[i], err)) == -1)
            return -1;
    return 0;
}

/* A state that has no such row is not touched, and none is made. */
static int
change(const char *state_dir, const struct request *r)
{
    struct error        err;
    struct checkpoints *st = checkpoints_read(state_dir, &err);
    bool                known;
    int                 status;

    if (st == NULL)
        return fail(&err);
    known = is_known(st, r->path);
    checkpoints_close(st);
    if (!known) {
        fprintf(stderr, "stoker: no checkpoint for '%s' (see 'stoker offsets list')\n", r->path);
        return EXIT_FAILED;
    }
    st = checkpoints_open(state_dir, &err);
    if (st == NULL)
        return fail(&err);
    status = change_rows(st, r, &err) == 0 ? EXIT_DONE : fail(&err);
    checkpoints_close(st);
    return status;
}

static bool
parse_offset(const char *text, uint64_t *offset)
{
    char *end;

    errno = 0;
    *offset = strtoull(text, &end, 10);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && *offset <= INT64_MAX;
}

/* 0, or EXIT_USAGE when that was said. */
static int
parse_request(struct request *r, int argc, char **argv)
{
    r->path = argc > 1 ? argv[1] : NULL;
    if (argc == 1 && strcmp(argv[0], "list") == 0) {
        r->what = LIST;
    } else if (argc == 2 && strcmp(argv[0], "forget") == 0) {
        r->what = FORGET;
    } else if (argc == 3 && strcmp(argv[0], "set") == 0) {
        r->what = SET;
        if (!parse_offset(argv[2], &r->offset))
            return cli_usage("offsets", "'%s' is not an offset in bytes", argv[2]);
    } else {
        return cli_usage("offsets", "expected 'list', 'set PATH OFFSET' or 'forget PATH'");
    }
    return 0;
}

int
cli_offsets(int argc, char **argv)
{
    const char    *file = NULL, *state_dir;
    struct request r = { .offset = 0 };
    struct config *config;
    int            status;

    if (cli_config_option(argc, argv, &file) == -1)
        return EXIT_USAGE;
    status = parse_request(&r, argc - optind, argv + optind);
    if (status != 0)
        return status;
    config = cli_load(file);
    if (config == NULL)
        return EXIT_CONFIG;
    state_dir = config->agent.state_dir;
    status = r.what == LIST ? list(state_dir) : change(state_dir, &r);
    config_free(config);
    return status;
}
