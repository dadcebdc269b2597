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
#include "inputs/file_remove.h"
#include "inputs/file_target.h"

enum {
    BLOCK = 64 * 1024,              /* bytes at once when something is searched for */
    MOST_A_JOB = 16 * 1024 * 1024,  /* bytes searched before others get a turn */
    GZIP_QUIET_MS = 1000,           /* another member may follow the last one until then */
    GZIP_STALE_MS = 10 * 1000,      /* when nobody seems to write the rest of it any more */
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

static struct file_bytes
bytes_of(const struct file_read *r)
{
    return (struct file_bytes){ r->fd, r->gzip };
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

static bool
is_quiet(const struct file_read *r, int64_t ms)
{
    return clock_epoch_ms() - r->mtime_ms >= ms;
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
    r->disk_size = (uint64_t)st.st_size;
    r->mtime_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    r->unlinked = st.st_nlink == 0;
    if (r->compressed && r->gzip != NULL && r->disk_size < file_gzip_used(r->gzip))
        return end(r, FILE_READ_CHANGED, "truncated");
    if (r->compressed)
        return true;
    r->size = r->disk_size;
    if (r->size < c->begin)
        return end(r, FILE_READ_CHANGED, "truncated");
    return true;
}

/* Called otherwise, but compressed: by a tool that will give it its name when it is
 * whole, perhaps. */
static bool
is_gzip_in_disguise(struct file_read *r, const struct chunk *c)
{
    static const char magic[] = { '\x1f', '\x8b', '\x08' };
    char              first[sizeof magic];

    if (r->compressed || c->begin > 0 || r->identity.head_len >= sizeof magic ||
        pread(r->fd, first, sizeof first, 0) != (ssize_t)sizeof first ||
        memcmp(first, magic, sizeof magic) != 0)
        return false;
    r->compressed = true;
    r->size = 0;
    return true;
}

/* A file that was read before it got the name of a compressed one is what it was. */
static bool
meet_gzip_head(struct file_read *r, const struct chunk *c)
{
    enum file_same same;

    if (r->gzip == NULL)
        r->gzip = file_gzip_new();
    same = file_meet_head(bytes_of(r), &r->identity, &r->start);
    if (file_gzip_end(r->gzip) == FILE_GZIP_BROKEN && file_gzip_made(r->gzip) == 0 &&
        (r->identity.head_len > 0 || c->begin > 0)) {
        file_gzip_free(r->gzip);
        r->gzip = NULL;
        r->compressed = false;
        r->size = r->disk_size;
        same = file_meet_head(bytes_of(r), &r->identity, &r->start);
    }
    if (r->compressed)
        r->head_known = r->identity.head_len == IDENTITY_HEAD ||
                        file_gzip_end(r->gzip) != FILE_GZIP_OPEN;
    return verified(r, same);
}

/* Which of the encodings that a mark at its beginning tells apart? */
static bool
meet_encoding(struct file_read *r, struct chunk *c)
{
    const struct plan *plan = r->source.plan;
    char               first[ENCODING_MARK];
    ssize_t            got;

    if (plan->encoding != NULL && (r->encoding == NULL || c->begin == 0)) {
        got = file_bytes_at(bytes_of(r), first, sizeof first, 0);
        if (got < 0)
            return fail(r);
        r->encoding = encoding_marked(plan->encoding, first, (size_t)got);
    }
    c->encoding = r->encoding;
    return true;
}

static bool
open_file(struct file_read *r, struct chunk *c)
{
    const bool opened = r->fd < 0 || r->unmet;
    const bool meet = opened || c->begin == 0;      /* no bytes before it would tell */

    if (r->fd < 0 && !open_path(r, c))
        return false;
    if (opened)
        file_target_learn(r, c->path);
    if (!look_at_file(r, c))
        return false;
    if (is_gzip_in_disguise(r, c))
        return end(r, FILE_READ_AGAIN, NULL);   /* with a turn to decompress */
    r->unmet = false;
    r->head_known = true;
    if (r->compressed && (meet || r->gzip == NULL || r->identity.head_len < IDENTITY_HEAD)) {
        if (!meet_gzip_head(r, c))
            return false;
    } else if (meet ||
               (r->identity.head_len < IDENTITY_HEAD && r->size > r->identity.head_len)) {
        if (!verified(r, file_meet_head(bytes_of(r), &r->identity, &r->start)))
            return false;
    }
    return meet_encoding(r, c);
}

/* ---- Compressed files -------------------------------------------------------- */

/* It was read to its end, which was here, and has not changed since. */
static bool
is_known_whole(const struct file_read *r, uint64_t at)
{
    return r->whole_disk > 0 && r->whole_disk == r->disk_size && r->whole_size == at;
}

/* Go to where the chunk begins, a part of the way in each job. */
static bool
reach(struct file_read *r, const struct chunk *c)
{
    int reached;

    if (!r->compressed)
        return true;
    if (is_known_whole(r, c->begin))
        return end(r, FILE_READ_NOTHING, NULL);
    reached = file_gzip_reach(bytes_of(r), c->begin - r->before.len, MOST_A_JOB);
    if (reached == -1)
        return fail(r);
    return reached == 1 || end(r, FILE_READ_AGAIN, NULL);
}

/* Is this all that a compressed file has, for good? */
static bool
is_gzip_over(const struct file_read *r)
{
    return r->gzip != NULL &&
           (file_gzip_end(r->gzip) == FILE_GZIP_BROKEN ||
            (file_gzip_end(r->gzip) == FILE_GZIP_WHOLE && is_quiet(r, GZIP_QUIET_MS)));
}

/* Nothing more came of it: why, and is that the end? */
static void
judge_gzip_end(struct file_read *r, uint64_t next)
{
    const uint64_t made = file_gzip_made(r->gzip);
    const bool     stale = is_quiet(r, GZIP_STALE_MS);

    if (file_gzip_end(r->gzip) == FILE_GZIP_OPEN) {
        r->soon = !stale;
        if (stale && r->disk_size > 0)
            r->trouble = "it ends in the middle of its compressed data";
        return;
    }
    if (file_gzip_end(r->gzip) == FILE_GZIP_BROKEN)
        r->trouble = file_gzip_trouble(r->gzip);
    r->soon = next < made;
    if (next == made) {
        r->size = r->whole_size = made;
        r->whole_disk = r->disk_size;
    }
}

/* What it has made is known; what the next job will not need is not kept. */
static void
leave_gzip(struct file_read *r, const struct chunk *c)
{
    const uint64_t next = r->outcome == FILE_READ_CHUNK ? c->end : c->begin;

    if (r->gzip == NULL || r->outcome == FILE_READ_AGAIN)
        return;
    if (r->size < file_gzip_made(r->gzip))
        r->size = file_gzip_made(r->gzip);
    file_gzip_keep(r->gzip, next > IDENTITY_TAIL ? next - IDENTITY_TAIL : 0);
    if (!r->more && (r->outcome == FILE_READ_CHUNK || r->outcome == FILE_READ_NOTHING) &&
        !is_known_whole(r, c->begin))
        judge_gzip_end(r, next);
}

/* ---- Where to begin ---------------------------------------------------------- */

static bool
begin_at(struct file_read *r, uint64_t offset)
{
    r->place = (struct file_mark){ .offset = offset };
    if (file_print_at(bytes_of(r), offset, &r->place.print) == -1)
        return errno != 0 ? fail(r) : end(r, FILE_READ_CHANGED, "truncated");
    return end(r, FILE_READ_PLACED, NULL);
}

/* Behind the last LF of these bytes: a line that is being written now will be
 * read whole. */
static bool
begin_behind_last(struct file_read *r, const char *bytes, ssize_t got, uint64_t from)
{
    size_t lf;

    if (got < 0)
        return fail(r);
    lf = encoding_last_line(r->encoding, bytes, (size_t)got);
    if (lf > 0)
        return begin_at(r, from + lf);
    return begin_at(r, from > 0 ? from + (uint64_t)got : 0);
}

/* The end of a compressed file is known when nothing more comes of it. */
static bool
find_gzip_end(struct file_read *r)
{
    char           bytes[IDENTITY_TAIL];
    const int      reached = file_gzip_reach(bytes_of(r), UINT64_MAX, MOST_A_JOB);
    const uint64_t made = file_gzip_made(r->gzip);
    const uint64_t from = made > sizeof bytes ? made - sizeof bytes : 0;

    if (reached != 1)
        return reached == -1 ? fail(r) : end(r, FILE_READ_AGAIN, NULL);
    if (file_gzip_end(r->gzip) != FILE_GZIP_OPEN)
        return begin_at(r, made);
    return begin_behind_last(r, bytes, file_bytes_at(bytes_of(r), bytes, sizeof bytes, from), from);
}

static bool
find_end(struct file_read *r)
{
    char           bytes[BLOCK];
    const uint64_t aligned = r->size - r->size % ENCODING_UNIT;
    const uint64_t from = aligned > sizeof bytes / 2 ? aligned - sizeof bytes / 2 : 0;

    if (r->gzip != NULL)
        return find_gzip_end(r);
    return begin_behind_last(r, bytes, file_bytes_at(bytes_of(r), bytes, sizeof bytes, from), from);
}

static size_t
leading_nuls(const char *bytes, size_t len)
{
    size_t n = 0;

    while (n < len && bytes[n] == '\0')
        n++;
    return n;
}

/* A few NUL bytes, fewer than what was read before, are no hole but a writer's own. */
static bool
leave_hole(struct file_read *r, uint64_t begin, uint64_t at)
{
    if (begin == 0 && at < r->hole && at < FILE_START)
        return r->find == FILE_PLACE_GIVEN || begin_at(r, 0);
    return (begin > 0 && at == begin) || begin_at(r, at - at % encoding_unit(r->encoding));
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
            return leave_hole(r, begin, at);
    }
    return end(r, FILE_READ_AGAIN, NULL);
}

/* Is it a copy of what these marks are of? */
static bool
find_mark(struct file_read *r)
{
    const struct file_mark *mark;

    if (r->gzip != NULL) {
        const int reached = file_gzip_reach(bytes_of(r), r->marks[0].offset, MOST_A_JOB);

        if (reached != 1)
            return reached == -1 ? fail(r) : end(r, FILE_READ_AGAIN, NULL);
    }
    mark = file_find_mark(bytes_of(r), r->marks, r->nmarks);
    r->nmarks = 0;
    if (mark == NULL) {
        r->soon = r->gzip != NULL && file_gzip_end(r->gzip) == FILE_GZIP_OPEN &&
                  !is_quiet(r, GZIP_STALE_MS);
        return end(r, FILE_READ_PEEKED, NULL);
    }
    r->place = *mark;
    return end(r, FILE_READ_PLACED, NULL);
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
    if (r->nmarks > 0)
        return find_mark(r);
    if (r->peek)
        return end(r, FILE_READ_PEEKED, NULL);
    switch (r->find) {
    case FILE_PLACE_GIVEN:
        return r->compressed || !is_behind_hole(r, c) || find_data(r, c->begin);
    case FILE_PLACE_END:
        return find_end(r);
    case FILE_PLACE_DATA:
        return find_data(r, 0);
    }
    return true;
}

/* ---- Bytes and records ------------------------------------------------------- */

static ssize_t
read_gzip(struct file_read *r, struct chunk *c, char *before)
{
    const size_t  n = r->before.len;
    const ssize_t got = file_bytes_at(bytes_of(r), before, n, c->begin - n);
    ssize_t       more;

    if (got < 0 || (size_t)got < n)
        return got;
    more = file_bytes_at(bytes_of(r), c->bytes, c->size, c->begin);
    return more < 0 ? -1 : got + more;
}

/* `before` gets the bytes that r->before is of. */
static bool
read_bytes(struct file_read *r, struct chunk *c, char *before)
{
    const size_t       n = r->before.len;
    const struct iovec to[] = { { before, n }, { c->bytes, c->size } };
    ssize_t            got;

    assert(n <= IDENTITY_TAIL && n <= c->begin);
    if (r->gzip != NULL)
        got = read_gzip(r, c, before);
    else
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
take_chunk(struct file_read *r, struct chunk *c, const char *before, bool final)
{
    const size_t used = (size_t)(c->end - c->begin);

    c->tail = print_of_end(r, c, before);
    if (plan_has_groups(r->source.plan))    /* the lines behind `end` may be a pending group */
        r->more = c->len == c->size || c->stopped;
    else
        r->more = c->len == c->size ||
                  encoding_last_line(r->encoding, c->bytes + used, c->len - used) > 0 ||
                  (final && used < c->len);
    r->room = r->more || used > CHUNK_SMALL / 2 ? CHUNK_SIZE : CHUNK_SMALL;
    r->scanned = 0;
    end(r, FILE_READ_CHUNK, NULL);
}

/* The end of the line that is longer than the chunk; false if it was not found. */
static bool
find_line_end(struct file_read *r, const struct chunk *c, uint64_t *line_end)
{
    const size_t   unit = encoding_unit(r->encoding);
    char           bytes[BLOCK];
    uint64_t       at = c->begin + c->len - c->len % unit;
    const uint64_t most = (r->scanned > at ? r->scanned : at) + MOST_A_JOB;

    if (r->scanned > at && r->scanned <= r->size)
        at = r->scanned;
    while (at < most) {
        const ssize_t got = file_bytes_at(bytes_of(r), bytes, sizeof bytes, at);
        size_t        line;

        if (got < 0)
            return fail(r);
        line = encoding_first_line(r->encoding, bytes, (size_t)got);
        if (line > 0 || ((size_t)got < unit && (r->final || is_gzip_over(r)))) {
            *line_end = line > 0 ? at + line : at + (uint64_t)got;
            return true;
        }
        r->scanned = at += (uint64_t)got - (uint64_t)got % unit;
        if ((size_t)got < unit)
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
    if (file_print_at(bytes_of(r), line_end, &c->tail) == -1) {
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
    const bool    final = c->len < c->size && (r->final || is_gzip_over(r));

    c->waited = r->waited;
    c->target = file_target(r, c);
    switch (transform_chunk(r->source.plan, job->scratch, c, final)) {
    case TRANSFORM_DONE:
        take_chunk(r, c, before, final);
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

static void
read_some(struct file_read *r, struct job *job)
{
    struct chunk *c = job->chunk;
    char          before[IDENTITY_TAIL];

    if (!open_file(r, c) || !find_place(r, c) || !reach(r, c) || !read_bytes(r, c, before))
        return;
    c->read_at = clock_ms();
    if (c->len == 0)
        end(r, FILE_READ_NOTHING, NULL);
    else
        take_records(r, job, before);
}

void
file_read_work(struct job *job)
{
    struct file_read *r = (struct file_read *)job->source;

    r->fault = 0;
    r->trouble = NULL;
    r->waits = 0;
    r->more = r->soon = r->unlinked = r->removed = false;
    read_some(r, job);
    leave_gzip(r, job->chunk);
    if (r->remove && r->outcome == FILE_READ_NOTHING && job->chunk->len == 0)
        file_remove(r, job->chunk);
}
