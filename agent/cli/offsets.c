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

    if (st == NULL)
        return fail(&err);
    rows = checkpoints_rows(st, &count);
    for (size_t i = 0; i < count; i++)
        printf("%s\t%llu\n", rows[i].path, (unsigned long long)rows[i].offset);
    checkpoints_close(st);
    return EXIT_DONE;
}

/* `offset` NULL: forget the rows of this path. */
static int
change_rows(struct checkpoints *st, const char *path, const uint64_t *offset, struct error *err)
{
    size_t                   count, changed = 0;
    const struct checkpoint *rows = checkpoints_rows(st, &count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].path, path) != 0)
            continue;
        if ((offset != NULL ? checkpoints_set_now(st, &rows[i], *offset, err)
                            : checkpoints_forget_now(st, &rows[i], err)) == -1)
            return -1;
        changed++;
    }
    if (changed == 0)
        return error_set(err, ERR_DATA, "no checkpoint for '%s' (see 'stoker offsets list')", path);
    return 0;
}

static int
change(const char *state_dir, const char *path, const uint64_t *offset)
{
    struct error        err;
    struct checkpoints *st = checkpoints_open(state_dir, &err);
    int                 status;

    if (st == NULL)
        return fail(&err);
    status = change_rows(st, path, offset, &err) == 0 ? EXIT_DONE : fail(&err);
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

static int
offsets(const char *state_dir, int argc, char **argv)
{
    uint64_t offset;

    if (argc == 1 && strcmp(argv[0], "list") == 0)
        return list(state_dir);
    if (argc == 2 && strcmp(argv[0], "forget") == 0)
        return change(state_dir, argv[1], NULL);
    if (argc == 3 && strcmp(argv[0], "set") == 0) {
        if (!parse_offset(argv[2], &offset))
            return cli_usage("offsets", "'%s' is not an offset in bytes", argv[2]);
        return change(state_dir, argv[1], &offset);
    }
    return cli_usage("offsets", "expected 'list', 'set PATH OFFSET' or 'forget PATH'");
}

int
cli_offsets(int argc, char **argv)
{
    const char    *file = NULL;
    struct config *config;
    int            status;

    if (cli_config_option(argc, argv, &file) == -1)
        return cli_usage("offsets", NULL);
    config = cli_load(file);
    if (config == NULL)
        return EXIT_CONFIG;
    status = offsets(config->agent.state_dir, argc - optind, argv + optind);
    config_free(config);
    return status;
}
