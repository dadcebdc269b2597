/* file_read.c - see file_read.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_read.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/hash.h"
#include "agent/flow/transform.h"
#include "inputs/file_target.h"

enum {
    BLOCK = 64 * 1024,              /* bytes at once when something is searched for */
    MOST_A_JOB = 16 * 1024 * 1024,  /* bytes searched before others get a turn */
};

/* Every step returns false when the job is done. */

static bool
end(struct file_read *r, enum file_outcome outcome, const char *why)
{
    r->outcome = outcome;
    r->why = why;
    return false;
}

static bool
fail(struct file_read *r)
{
    r->fault = errno;
    return end(r, FILE_READ_FAILED, NULL);
}

static bool
verified(struct file_read *r, enum file_same same)
{
    switch (same) {
    case FILE_SAME:
        return true;
    case FILE_SHORTER:
        return end(r, FILE_READ_CHANGED, "truncated");
    case FILE_OTHER:
        return end(r, FILE_READ_CHANGED, "written anew");
    case FILE_UNREADABLE:
        break;
    }
    return fail(r);
}

/* ---- Opening ----------------------------------------------------------------- */

/* Never waits for the other end of a FIFO, nor takes a terminal for its own. */
static bool
open_path(struct file_read *r, const struct chunk *c)
{
    char path[PATH_MAX];

    if (c->path.len >= sizeof path) {
        errno = ENAMETOOLONG;
        return fail(r);
    }
    memcpy(path, c->path.ptr, c->path.len);
    path[c->path.len] = '\0';
    r->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (r->fd >= 0)
        return true;
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
        return end(r, FILE_READ_MISSING, "it is not there any more");
    return fail(r);
}

static bool
look_at_file(struct file_read *r, const struct chunk *c)
{
    struct stat st;

    if (fstat(r->fd, &st) != 0)
        return fail(r);
    if (!S_ISREG(st.st_mode) || st.st_dev != r->identity.device || st.st_ino != r->identity.inode) {
        close(r->fd);
        r->fd = -1;
        return end(r, FILE_READ_MISSING, "another file has its name");
    }
    r->size = (uint64_t)st.st_size;
    r->mtime_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    r->unlinked = st.st_nlink == 0;
    if (r->size < c->begin)
        return end(r, FILE_READ_CHANGED, "truncated");
    return true;
}

static bool
open_file(struct file_read *r, const struct chunk *c)
{
    const bool opened = r->fd < 0;

    if (opened && !open_path(r, c))
        return false;
    if (opened)
        file_target_learn(r);
    if (!look_at_file(r, c))
        return false;
    if (opened || c->begin == 0 ||
        (r->identity.head_len < IDENTITY_HEAD && r->size > r->identity.head_len))
        return verified(r, file_meet_head(r->fd, &r->identity, &r->start));
    return true;
}

/* ---- Where to begin ---------------------------------------------------------- */

static bool
begin_at(struct file_read *r, uint64_t offset)
{
    r->place = (struct file_mark){ .offset = offset };
    if (file_print_at(r->fd, offset, &r->place.print) == -1)
        return errno != 0 ? fail(r) : end(r, FILE_READ_CHANGED, "truncated");
    return end(r, FILE_READ_PLACED, NULL);
}

/* Behind the last LF: a line that is being written now will be read whole. */
static bool
find_end(struct file_read *r)
{
    char           bytes[BLOCK];
    const uint64_t from = r->size > sizeof bytes ? r->size - sizeof bytes : 0;
    const ssize_t  got = pread(r->fd, bytes, (size_t)(r->size - from), (off_t)from);
    const char    *lf;

    if (got < 0)
        return fail(r);
    lf = memrchr(bytes, '\n', (size_t)got);
    if (lf != NULL)
        return begin_at(r, from + (uint64_t)(lf + 1 - bytes));
    return begin_at(r, from > 0 ? r->size : 0);
}

static size_t
leading_nuls(const char *bytes, size_t len)
{
    size_t n = 0;

    while (n < len && bytes[n] == '\0')
        n++;
    return n;
}

/* Where the hole ends in which `begin` lies; true if nothing is left of it there. */
static bool
find_data(struct file_read *r, uint64_t begin)
{
    char           bytes[BLOCK];
    const uint64_t from = r->scanned > begin ? r->scanned : begin;
    const off_t    data = lseek(r->fd, (off_t)from, SEEK_DATA);
    uint64_t       at = data > 0 ? (uint64_t)data : from;
    const uint64_t most = at + MOST_A_JOB;

    while (at < most) {
        const ssize_t got = pread(r->fd, bytes, sizeof bytes, (off_t)at);
        size_t        nuls;

        if (got < 0)
            return fail(r);
        if (got == 0)
            return end(r, FILE_READ_NOTHING, NULL);
        nuls = leading_nuls(bytes, (size_t)got);
        at += nuls;
        r->scanned = at;
        if (nuls < (size_t)got)
            return (begin > 0 && at == begin) || begin_at(r, at);
    }
    return end(r, FILE_READ_AGAIN, NULL);
}

/* Nothing of it was read yet, and before where reading is to begin there is
 * nothing but a hole: the copy of a file whose writer left it there, or that file
 * itself after it was truncated once more. */
static bool
is_behind_hole(const struct file_read *r, const struct chunk *c)
{
    static const char nuls[FILE_START];

    if (!r->fresh)
        return false;
    if (c->begin == 0)
        return r->start == hash_bytes((struct slice){ nuls, sizeof nuls });
    return file_print_is_hole(&r->before);
}

static bool
find_place(struct file_read *r, const struct chunk *c)
{
    if (r->peek)
        return end(r, FILE_READ_PEEKED, NULL);
    switch (r->find) {
    case FILE_PLACE_GIVEN:
        return !is_behind_hole(r, c) || find_data(r, c->begin);
    case FILE_PLACE_END:
        return find_end(r);
    case FILE_PLACE_DATA:
        return find_data(r, 0);
    }
    return true;
}

/* ---- Bytes and records ------------------------------------------------------- */

/* `before` gets the bytes that r->before is of. */
static bool
read_bytes(struct file_read *r, struct chunk *c, char *before)
{
    const size_t       n = r->before.len;
    const struct iovec to[] = { { before, n }, { c->bytes, c->size } };
    ssize_t            got;

    assert(n <= IDENTITY_TAIL && n <= c->begin);
    got = preadv(r->fd, to, 2, (off_t)(c->begin - n));
    if (got < 0)
        return fail(r);
    if ((size_t)got < n)
        return end(r, FILE_READ_CHANGED, "truncated");
    if (file_print(before, n).hash != r->before.hash)
        return end(r, FILE_READ_CHANGED, "truncated or written anew");
    c->len = (size_t)got - n;
    return true;
}

/* The print of what stands before c->end: bytes of the chunk, and if those are
 * few, bytes before it too. */
static struct tail_print
print_of_end(const struct file_read *r, const struct chunk *c, const char *before)
{
    const size_t used = (size_t)(c->end - c->begin);
    char         joint[IDENTITY_TAIL];
    size_t       n;

    if (used >= IDENTITY_TAIL)
        return file_print(c->bytes, used);
    n = IDENTITY_TAIL - used < r->before.len ? IDENTITY_TAIL - used : r->before.len;
    memcpy(joint, before + r->before.len - n, n);
    memcpy(joint + n, c->bytes, used);
    return file_print(joint, n + used);
}

static void
take_chunk(struct file_read *r, struct chunk *c, const char *before)
{
    const size_t used = (size_t)(c->end - c->begin);

    c->tail = print_of_end(r, c, before);
    if (plan_has_groups(r->source.plan))    /* the lines behind `end` may be a pending group */
        r->more = c->len == c->size || c->stopped;
    else
        r->more = c->len == c->size || memrchr(c->bytes + used, '\n', c->len - used) != NULL ||
                  (r->final && used < c->len);
    r->room = r->more || used > CHUNK_SMALL / 2 ? CHUNK_SIZE : CHUNK_SMALL;
    r->scanned = 0;
    end(r, FILE_READ_CHUNK, NULL);
}

/* The end of the line that is longer than the chunk; false if it was not found. */
static bool
find_line_end(struct file_read *r, const struct chunk *c, uint64_t *line_end)
{
    char           bytes[BLOCK];
    uint64_t       at = c->begin + c->len;
    const uint64_t most = (r->scanned > at ? r->scanned : at) + MOST_A_JOB;

    if (r->scanned > at && r->scanned <= r->size)
        at = r->scanned;
    while (at < most) {
        const ssize_t got = pread(r->fd, bytes, sizeof bytes, (off_t)at);
        const char   *lf;

        if (got < 0)
            return fail(r);
        lf = memchr(bytes, '\n', (size_t)got);
        if (lf != NULL || (got == 0 && r->final)) {
            *line_end = lf != NULL ? at + (uint64_t)(lf + 1 - bytes) : at;
            return true;
        }
        r->scanned = at += (uint64_t)got;
        if (got == 0)
            return end(r, FILE_READ_NOTHING, NULL);
    }
    return end(r, FILE_READ_AGAIN, NULL);
}

static void
take_long_line(struct file_read *r, struct job *job)
{
    struct chunk *c = job->chunk;
    uint64_t      line_end;

    if (!find_line_end(r, c, &line_end))
        return;
    transform_long(r->source.plan, job->scratch, c, line_end);
    if (file_print_at(r->fd, line_end, &c->tail) == -1) {
        fail(r);
        return;
    }
    r->more = true;
    r->room = CHUNK_SIZE;
    r->scanned = 0;
    end(r, FILE_READ_CHUNK, NULL);
}

static void
take_records(struct file_read *r, struct job *job, const char *before)
{
    struct chunk *c = job->chunk;
    const bool    all = c->len < c->size;

    c->waited = r->waited;
    c->target = file_target(r, c);
    switch (transform_chunk(r->source.plan, job->scratch, c, r->final && all)) {
    case TRANSFORM_DONE:
        take_chunk(r, c, before);
        transform_gather(job->scratch, c);
        break;
    case TRANSFORM_PARTIAL:
        end(r, FILE_READ_NOTHING, NULL);
        break;
    case TRANSFORM_GROW:
        r->room = c->size < CHUNK_SIZE ? CHUNK_SIZE : transform_room(r->source.plan);
        end(r, FILE_READ_AGAIN, NULL);
        break;
    case TRANSFORM_LONG:
        take_long_line(r, job);
        break;
    }
    r->waits = c->waits;
    r->read_to = c->begin + c->len;
}

void
file_read_work(struct job *job)
{
    struct file_read *r = (struct file_read *)job->source;
    char              before[IDENTITY_TAIL];

    r->fault = 0;
    r->more = false;
    r->unlinked = false;
    r->waits = 0;
    if (!open_file(r, job->chunk) || !find_place(r, job->chunk) ||
        !read_bytes(r, job->chunk, before))
        return;
    job->chunk->read_at = clock_ms();
    if (job->chunk->len == 0)
        end(r, FILE_READ_NOTHING, NULL);
    else
        take_records(r, job, before);
}
