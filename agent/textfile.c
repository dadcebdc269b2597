/* textfile.c - see textfile.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/mem.h"

enum { READ_BYTES = 64 * 1024 };

/* Nothing that could block is read: O_NONBLOCK lets open() return for a FIFO
 * without a writer, and means nothing to a regular file. */
static int
open_regular(const char *path, struct error *err)
{
    struct stat st;
    const int   fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return error_set(err, ERR_CONFIG, "cannot be opened: %s", error_reason(errno));
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    error_set(err, ERR_CONFIG, S_ISDIR(st.st_mode) ? "is a directory" : "is not a regular file");
    close(fd);
    return -1;
}

static int
read_all(int fd, size_t most, struct buf *text, struct error *err)
{
    const size_t before = text->len;

    for (;;) {
        const ssize_t n = read(fd, buf_reserve(text, READ_BYTES), READ_BYTES);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, ERR_CONFIG, "cannot be read: %s", error_reason(errno));
        if (n == 0)
            return 0;
        text->len += (size_t)n;
        if (text->len - before > most)
            return error_set(err, ERR_CONFIG, "is too large (more than %zu KiB)", most / 1024);
    }
}

int
textfile_read(const char *path, size_t most, struct buf *text, struct error *err)
{
    const size_t before = text->len;
    const int    fd = open_regular(path, err);
    int          rc;

    if (fd < 0)
        return -1;
    rc = read_all(fd, most, text, err);
    close(fd);
    if (rc < 0)
        return -1;
    if (text->len == before)
        return error_set(err, ERR_CONFIG, "is empty");
    if (memchr(text->ptr + before, '\0', text->len - before) != NULL)
        return error_set(err, ERR_CONFIG, "is binary (it holds a NUL byte)");
    return 0;
}

char *
textfile_beside(const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');
    struct buf  joined = { NULL, 0, 0 };

    if (path[0] != '/' && slash != NULL)
        buf_add(&joined, file, (size_t)(slash - file) + 1);
    buf_add_string(&joined, path);
    (void)buf_string(&joined);
    return joined.ptr;
}
