/* fuzz_encode.c - whatever the bytes are, the JSON is JSON, and says them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/data/encode.h"
#include "tests/unit/json_string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_utf8(struct slice s)
{
    size_t i = 0, n = 1;

    for (; i < s.len && n > 0; i += n)
        n = utf8_bytes((const unsigned char *)s.ptr + i, s.len - i);
    return n > 0;
}

static void
check_string(struct slice s)
{
    struct buf b = { NULL, 0, 0 };
    char      *back;
    size_t     len;
    bool       done;

    encode_json_string(&b, s);
    back = mem_alloc(b.len);
    done = json_string_read(buf_slice(&b), back, &len);
    assert(done);
    assert(encode_is_utf8(s) == is_utf8(s));
    assert(encode_is_utf8(s) == slice_equal(s, (struct slice){ back, len }));
    free(back);
    buf_fini(&b);
}

static void
check_record(struct slice s)
{
    const size_t    half = s.len / 2;
    struct buf      b = { NULL, 0, 0 };
    struct headers *h = mem_alloc(sizeof *h + 2 * sizeof h->list[0]);

    h->count = 2;
    h->list[0] = (struct header){ { s.ptr, half }, s };
    h->list[1] = (struct header){ { s.ptr + half, s.len - half }, NO_SLICE };
    encode_json_record(&b, &(struct shown_record){ .output = "fuzz", .topic = s, .partition = 1,
                                                   .key = s, .value = s, .headers = h });
    assert(is_utf8(buf_slice(&b)));
    for (size_t i = 0; i < b.len; i++)
        assert((unsigned char)b.ptr[i] >= 0x20);
    free(h);
    buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char              *copy = mem_copy(data, size);
    const struct slice s = { copy, size };

    check_string(s);
    check_record(s);
    free(copy);
    return 0;
}
