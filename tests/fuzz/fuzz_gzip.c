/* fuzz_gzip.c - any bytes as a `.gz`: what comes of them is the same, however it
 * is asked for, and the end is told.
 *
 * The first byte says in which steps the content is read.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "inputs/file_bytes.h"

enum { MOST = 64 * 1024 };

static int  fd = -1;
static char whole[MOST], part[4096];

static void
put(const uint8_t *data, size_t size)
{
    if (fd < 0)
        fd = memfd_create("fuzz_gzip", 0);
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
}

/* In steps, forgetting what is behind; each step begins a little before the last one's end. */
static void
read_in_steps(size_t step, ssize_t total)
{
    struct file_bytes b = { fd, file_gzip_new() };
    uint64_t          at = 0;

    for (;;) {
        const uint64_t from = at > 100 ? at - 100 : 0;
        const ssize_t  got = file_bytes_at(b, part, step + 100, from);

        assert(got >= 0 && from + (uint64_t)got <= (uint64_t)total);
        assert(memcmp(part, whole + from, (size_t)got) == 0);
        if (from + (uint64_t)got <= at)
            break;
        at = from + (uint64_t)got;
        file_gzip_keep(b.gzip, at > 200 ? at - 200 : 0);
    }
    assert(at == (uint64_t)total && file_gzip_made(b.gzip) == at);
    assert(file_bytes_at(b, part, 10, 0) == (total < 10 ? total : 10));
    assert(memcmp(part, whole, total < 10 ? (size_t)total : 10) == 0);
    file_gzip_free(b.gzip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct file_bytes b;
    ssize_t           total;

    if (size < 1)
        return 0;
    put(data + 1, size - 1);
    b = (struct file_bytes){ fd, file_gzip_new() };
    total = file_bytes_at(b, whole, MOST, 0);
    assert(total >= 0 && file_gzip_used(b.gzip) <= size - 1);
    assert((file_gzip_end(b.gzip) == FILE_GZIP_BROKEN) == (file_gzip_trouble(b.gzip) != NULL));
    file_gzip_free(b.gzip);
    if (total < MOST)
        read_in_steps((size_t)data[0] * 15 + 1, total);
    return 0;
}
