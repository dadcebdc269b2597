/* fuzz_dead_line.c - any bytes are a dead letter or a mistake; what is one comes back from
 * its JSON form as it was.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdint.h>

#include "agent/data/encode.h"
#include "agent/flow/dead_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_again(const struct dead_line *d, struct arena *a)
{
    char                      output[300];
    const size_t              len = d->output.len < sizeof output - 1 ? d->output.len
                                                                      : sizeof output - 1;
    const struct shown_record shown = {
        .output = output, .topic = d->topic, .partition = d->partition, .key = d->key,
        .value = d->value, .headers = d->headers, .timestamp = d->timestamp,
    };
    struct buf       line = { NULL, 0, 0 };
    struct dead_line again;

    memcpy(output, d->output.ptr, len);
    output[len] = '\0';
    encode_json_record(&line, &shown);
    assert(dead_line_read(buf_slice(&line), a, &again) == NULL);
    assert(slice_equal(again.topic, d->topic) && slice_equal(again.key, d->key));
    assert(slice_equal(again.value, d->value));
    assert(again.partition == d->partition && again.timestamp == d->timestamp);
    assert((again.headers == NULL) == (d->headers == NULL));
    for (uint32_t i = 0; d->headers != NULL && i < d->headers->count; i++)
        assert(slice_equal(again.headers->list[i].value, d->headers->list[i].value));
    buf_fini(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena     a;
    struct dead_line d;

    arena_init(&a);
    if (dead_line_read((struct slice){ (const char *)data, size }, &a, &d) == NULL)
        check_again(&d, &a);
    arena_fini(&a);
    return 0;
}
