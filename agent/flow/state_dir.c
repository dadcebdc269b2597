/* state_dir.c - see state_dir.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"

static int
make_folder(const char *path, struct error *err)
{
    char *copy = mem_string(path);
    int   result = 0;

    for (char *p = copy + 1; result == 0; p++) {
        const char was = *p;

        if (was != '/' && was != '\0')
            continue;
        *p = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST)
            result = error_set(err, ERR_SYSTEM, "cannot make the state folder '%s': %s", path,
                               error_reason(errno));
        *p = was;
        if (was == '\0')
            break;
    }
    free(copy);
    return result;
}

static int
lock(const char *path, int fd, struct error *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return error_set(err, ERR_LOCKED,
                         "another agent holds the state folder '%s' (give each its own state_dir)",
                         path);
    return error_set(err, ERR_SYSTEM, "cannot lock the state folder '%s': %s", path,
                     error_reason(errno));
}

int
state_dir_lock(const char *path, struct error *err)
{
    struct buf file = { NULL, 0, 0 };
    int        fd;

    if (make_folder(path, err) == -1)
        return -1;
    buf_printf(&file, "%s/lock", path);
    fd = open(buf_string(&file), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    buf_fini(&file);
    if (fd < 0)
        return error_set(err, ERR_SYSTEM, "cannot write to the state folder '%s': %s", path,
                         error_reason(errno));
    if (lock(path, fd, err) == 0)
        return fd;
    close(fd);
    return -1;
}
