/* state_dir.c - see state_dir.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
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
            result = error_set(err, ERR_SYSTEM, "cannot make the state folder '%s': %s (state_dir "
                               "of the section 'agent' names it)", path, error_reason(errno));
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
        return error_set(err, ERR_SYSTEM, "cannot write to the state folder '%s': %s (state_dir of "
                         "the section 'agent' names it)", path, error_reason(errno));
    if (lock(path, fd, err) == 0)
        return fd;
    close(fd);
    return -1;
}

static const char settled_text[] = "settled\n";

bool
state_dir_is_settled(int lock)
{
    char text[sizeof settled_text - 1];

    return pread(lock, text, sizeof text, 0) == (ssize_t)sizeof text &&
           memcmp(text, settled_text, sizeof text) == 0;
}

/* That it is not must be on disk before anything is read; that it is may be lost. */
void
state_dir_settle(int lock, bool settled)
{
    bool done;

    if (settled)
        done = pwrite(lock, settled_text, sizeof settled_text - 1, 0) ==
               (ssize_t)sizeof settled_text - 1;
    else
        done = ftruncate(lock, 0) == 0 && fdatasync(lock) == 0;
    if (!done)
        log_debug("cannot write to the lock of the state folder: %s", error_reason(errno));
}

void
state_dir_set_aside(const char *database, const char *why)
{
    static const char *const endings[] = { "", "-wal", "-shm" };
    struct buf               from = { NULL, 0, 0 }, to = { NULL, 0, 0 };
    const long long          now = (long long)clock_epoch_ms();

    log_error("the checkpoint database '%s' cannot be used: %s (it is set aside as "
              "'%s.damaged-%lld'; files are read from their beginning)",
              database, why, database, now);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        buf_clear(&from);
        buf_clear(&to);
        buf_printf(&from, "%s%s", database, endings[i]);
        buf_printf(&to, "%s.damaged-%lld%s", database, now, endings[i]);
        if (rename(buf_string(&from), buf_string(&to)) != 0 && errno != ENOENT)
            log_error("cannot rename '%s': %s", from.ptr, error_reason(errno));
    }
    buf_fini(&from);
    buf_fini(&to);
}
