/* yaml_files.h - configuration files for a test, in a folder of their own.
 *
 * The test runs inside the folder, so that names in messages are short.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_UNIT_AGENT_YAML_FILES_H
#define TESTS_UNIT_AGENT_YAML_FILES_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char yaml_folder[] = "/tmp/stoker_yaml.XXXXXX";

static int
yaml_set_up(void)
{
    strcpy(yaml_folder + strlen(yaml_folder) - 6, "XXXXXX");
    return mkdtemp(yaml_folder) == NULL || chdir(yaml_folder) != 0;
}

static int
yaml_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static int
yaml_tear_down(void)
{
    return chdir("/") != 0 || nftw(yaml_folder, yaml_remove, 8, FTW_DEPTH | FTW_PHYS) != 0;
}

static void
given_bytes(const char *name, const void *bytes, size_t len)
{
    FILE *out = fopen(name, "w");

    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

static void
given_file(const char *name, const char *text)
{
    given_bytes(name, text, strlen(text));
}

/* The errors in `errs` as tree_print_errors() shows them; to be freed. */
static inline char *
printed(const struct tree *t, const struct errors *errs)
{
    char  *text = NULL;
    size_t len;
    FILE  *out = open_memstream(&text, &len);

    tree_print_errors(out, t, errs);
    fclose(out);
    return text;
}

#endif
