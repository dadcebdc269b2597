/* files.h - a folder of real files for the tests of the file input.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_UNIT_INPUTS_FILES_H
#define TESTS_UNIT_INPUTS_FILES_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char files_root[64];

static inline int
files_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void
files_set_up(void)
{
    strcpy(files_root, "/tmp/stoker-test-XXXXXX");
    assert_non_null(mkdtemp(files_root));
}

static inline void
files_tear_down(void)
{
    nftw(files_root, files_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The full path of a name in the folder; good for eight calls. */
static inline const char *
files_path(const char *name)
{
    static char     paths[8][4200];
    static unsigned turn;
    char           *path = paths[turn++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s", files_root, name);
    return path;
}

static inline void
files_folder(const char *name)
{
    assert_int_equal(mkdir(files_path(name), 0755), 0);
}

static inline void
files_put(const char *name, const void *bytes, size_t len, int flags)
{
    const int fd = open(files_path(name), O_WRONLY | O_CREAT | flags, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

static inline void
files_append(const char *name, const char *text)
{
    files_put(name, text, strlen(text), O_APPEND);
}

static inline void
files_write(const char *name, const char *text)
{
    files_put(name, text, strlen(text), O_TRUNC);
}

static inline void
files_rename(const char *from, const char *to)
{
    assert_int_equal(rename(files_path(from), files_path(to)), 0);
}

static inline void
files_remove(const char *name)
{
    assert_int_equal(remove(files_path(name)), 0);
}

static inline void
files_link(const char *to, const char *name)
{
    assert_int_equal(symlink(files_path(to), files_path(name)), 0);
}

#endif
