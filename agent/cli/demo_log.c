/* demo_log.c - see demo_log.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/cli/demo_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/mem.h"

enum {
    GENERATED_LINES = 200,
    MOST_IN_A_BURST = 9,        /* generated lines */
    BURST_BYTES = 256 * 1024,   /* of the user's file */
    PAUSE_MS = 60,
};

/* Addresses that RFC 5737 keeps for examples. */
static const char *const clients[] = {
    "192.0.2.10",   "192.0.2.17",   "192.0.2.44",    "198.51.100.3",  "198.51.100.8",
    "198.51.100.9", "203.0.113.5",  "203.0.113.12",  "203.0.113.77",  "203.0.113.128",
};
static const char *const requests[] = { "GET /", "GET /search", "GET /item", "GET /cart",
                                        "POST /cart", "POST /order" };
static const int statuses[] = { 200, 200, 200, 200, 304, 404, 500 };

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Marsaglia's xorshift: every demo shows the same lines. */
static uint32_t
random_below(struct demo_log *l, size_t n)
{
    l->random ^= l->random << 13;
    l->random ^= l->random >> 17;
    l->random ^= l->random << 5;
    return l->random % (uint32_t)n;
}

/* ---- Where the lines come from ------------------------------------------ */

static void
generate_line(struct demo_log *l)
{
    const time_t now = time(NULL);
    char         when[40];
    struct tm    tm;

    strftime(when, sizeof(when), "%d/%b/%Y:%H:%M:%S +0000", gmtime_r(&now, &tm));
    buf_printf(&l->burst, "%s - - [%s] \"%s", clients[random_below(l, COUNT(clients))], when,
               requests[random_below(l, COUNT(requests))]);
    buf_printf(&l->burst, "?id=%u HTTP/1.1\" %d %u\n", 1000 + random_below(l, 9000),
               statuses[random_below(l, COUNT(statuses))], 200 + random_below(l, 30000));
}

static void
generate_burst(struct demo_log *l)
{
    uint64_t left = GENERATED_LINES - l->lines;
    uint64_t n = 1 + random_below(l, MOST_IN_A_BURST);

    for (n = n < left ? n : left; n > 0; n--)
        generate_line(l);
}

/* A block of the file as it is: a line that it cuts is finished by the next
 * one, the last line by us. */
static int
copy_burst(struct demo_log *l, struct error *err)
{
    const ssize_t n = read(l->in, buf_reserve(&l->burst, BURST_BYTES), BURST_BYTES);

    if (n < 0)
        return error_set(err, ERR_SYSTEM, "cannot read '%s': %s", l->file, error_reason(errno));
    l->burst.len += (size_t)n;
    if (n == 0 && l->unfinished)
        buf_add_char(&l->burst, '\n');
    return 0;
}

/* ---- Writing ------------------------------------------------------------ */

static int
write_burst(struct demo_log *l, struct error *err)
{
    const struct slice s = buf_slice(&l->burst);

    for (size_t at = 0; at < s.len;) {
        const ssize_t n = write(l->out, s.ptr + at, s.len - at);

        if (n < 0)
            return error_set(err, ERR_SYSTEM, "cannot write '%s': %s", l->path,
                             error_reason(errno));
        at += (size_t)n;
    }
    l->unfinished = s.ptr[s.len - 1] != '\n';
    return 0;
}

static uint64_t
count_lines(struct slice s)
{
    uint64_t    lines = 0;
    const char *lf;

    while (s.len > 0 && (lf = memchr(s.ptr, '\n', s.len)) != NULL) {
        lines++;
        s.len -= (size_t)(lf + 1 - s.ptr);
        s.ptr = lf + 1;
    }
    return lines;
}

int
demo_log_append(struct demo_log *l, uint64_t *lines, bool *end, struct error *err)
{
    buf_clear(&l->burst);
    if (l->file == NULL)
        generate_burst(l);
    else if (copy_burst(l, err) == -1)
        return -1;
    *end = l->burst.len == 0;
    *lines = count_lines(buf_slice(&l->burst));
    if (*end)
        return 0;
    l->lines += *lines;
    return write_burst(l, err);
}

uint64_t
demo_log_pause(const struct demo_log *l)
{
    return l->file == NULL ? PAUSE_MS : 0;
}

/* ---- Beginning and end -------------------------------------------------- */

/* Only regular files: reading anything else could block the loop. */
static int
open_input(struct demo_log *l, struct error *err)
{
    struct stat st;

    l->in = open(l->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (l->in < 0 || fstat(l->in, &st) != 0)
        return error_set(err, ERR_SYSTEM, "cannot open '%s': %s", l->file, error_reason(errno));
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERR_SYSTEM, "'%s' is not a regular file", l->file);
    return 0;
}

int
demo_log_open(struct demo_log *l, const char *file, const char *path, struct error *err)
{
    *l = (struct demo_log){ .file = file, .path = mem_string(path), .in = -1, .out = -1,
                            .random = 2463534242u };
    if (file != NULL && open_input(l, err) == -1)
        return -1;
    l->out = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (l->out < 0)
        return error_set(err, ERR_SYSTEM, "cannot create '%s': %s", path, error_reason(errno));
    return 0;
}

void
demo_log_close(struct demo_log *l)
{
    if (l->in >= 0)
        close(l->in);
    if (l->out >= 0)
        close(l->out);
    buf_fini(&l->burst);
    free(l->path);
    *l = (struct demo_log){ .in = -1, .out = -1 };
}
