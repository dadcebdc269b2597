/* file_identity.c - see file_identity.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_identity.h"

#include <assert.h>
#include <errno.h>

#include "agent/base/hash.h"

struct tail_print
file_print(const char *bytes, size_t len)
{
    const size_t n = len < IDENTITY_TAIL ? len : IDENTITY_TAIL;

    if (n == 0)
        return (struct tail_print){ 0, 0 };
    return (struct tail_print){ (uint32_t)n,
                                hash_bytes((struct slice){ bytes + len - n, n }) };
}

bool
file_print_is_hole(const struct tail_print *print)
{
    static const char nuls[IDENTITY_TAIL];

    return print->len > 0 && print->hash == hash_bytes((struct slice){ nuls, print->len });
}

int
file_print_at(struct file_bytes b, uint64_t offset, struct tail_print *print)
{
    char         bytes[IDENTITY_TAIL];
    const size_t n = offset < IDENTITY_TAIL ? (size_t)offset : IDENTITY_TAIL;
    const ssize_t got = file_bytes_at(b, bytes, n, offset - n);

    if (got < 0)
        return -1;
    *print = file_print(bytes, (size_t)got);
    errno = 0;
    return (size_t)got == n ? 0 : -1;
}

enum file_same
file_meet_head(struct file_bytes b, struct identity *id, uint64_t *start)
{
    char          bytes[IDENTITY_HEAD];
    const ssize_t got = file_bytes_at(b, bytes, sizeof bytes, 0);

    *start = 0;
    if (got < 0)
        return FILE_UNREADABLE;
    if (got >= FILE_START)
        *start = hash_bytes((struct slice){ bytes, FILE_START });
    assert(id->head_len <= IDENTITY_HEAD);
    if ((size_t)got < id->head_len)
        return FILE_SHORTER;
    if (id->head_len > 0 &&
        hash_bytes((struct slice){ bytes, id->head_len }) != id->head_hash)
        return FILE_OTHER;
    if ((size_t)got > id->head_len) {
        id->head_len = (uint32_t)got;
        id->head_hash = hash_bytes((struct slice){ bytes, (size_t)got });
    }
    return FILE_SAME;
}

enum file_same
file_meet_tail(struct file_bytes b, uint64_t offset, const struct tail_print *print)
{
    char          bytes[IDENTITY_TAIL];
    ssize_t       got;

    assert(print->len <= IDENTITY_TAIL && print->len <= offset);
    if (print->len == 0)
        return FILE_SAME;
    got = file_bytes_at(b, bytes, print->len, offset - print->len);
    if (got < 0)
        return FILE_UNREADABLE;
    if ((size_t)got < print->len)
        return FILE_SHORTER;
    return file_print(bytes, print->len).hash == print->hash ? FILE_SAME : FILE_OTHER;
}

/* The oldest first: a compressed file is read forwards. */
const struct file_mark *
file_find_mark(struct file_bytes b, const struct file_mark *marks, unsigned count)
{
    const struct file_mark *newest = NULL;

    for (unsigned i = count; i-- > 0; )
        if (marks[i].print.len > 0 && !file_print_is_hole(&marks[i].print) &&
            file_meet_tail(b, marks[i].offset, &marks[i].print) == FILE_SAME)
            newest = &marks[i];
    return newest;
}
