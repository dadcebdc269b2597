/* fuzz_checkpoint.c - whatever is in stoker.db, the agent starts: what cannot be used is
 * set aside, and a second start finds nothing wrong.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/flow/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64];

static void
remove_folder(void)
{
    (void)rmdir(folder);
}

static void
make_folder(void)
{
    /* in memory, for SQLite waits for the disk */
    snprintf(folder, sizeof folder, "%s/fuzz-checkpoint-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert(mkdtemp(folder) != NULL);
    atexit(remove_folder);
}

static void
put_database(const uint8_t *data, size_t size)
{
    char path[128];
    int  fd;

    snprintf(path, sizeof path, "%s/stoker.db", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
}

/* Everything in the folder; how many databases were set aside. */
static unsigned
look_at_files(bool clean_up)
{
    DIR           *dir = opendir(folder);
    struct dirent *ent;
    unsigned       damaged = 0;

    while ((ent = readdir(dir)) != NULL) {
        damaged += strncmp(ent->d_name, "stoker.db.damaged-", 18) == 0;
        if (clean_up && ent->d_name[0] != '.')
            (void)unlinkat(dirfd(dir), ent->d_name, 0);
    }
    closedir(dir);
    return damaged;
}

static void
start(void)
{
    struct error        err = { .text = "" };
    struct checkpoints *st = checkpoints_open(folder, &err);
    struct checkpoint  *rows;
    size_t              count;

    if (st == NULL)
        printf("%s\n", err.text);
    assert(st != NULL);
    rows = checkpoints_rows(st, &count);
    for (size_t i = 0; i < count; i++)
        assert(strlen(rows[i].input) + strlen(rows[i].path) < 1u << 30);
    checkpoints_close(st);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error        err;
    struct checkpoints *st;
    unsigned            damaged;

    if (folder[0] == '\0')
        make_folder();
    put_database(data, size);
    st = checkpoints_read(folder, &err);
    checkpoints_close(st);
    start();
    damaged = look_at_files(false);
    start();
    assert(look_at_files(true) == damaged);
    return 0;
}
